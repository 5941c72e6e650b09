package github

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

const runsPath = "/repos/" + scope + "/actions/runs"

func ids(rs []sources.Run) []string {
	var out []string
	for _, r := range rs {
		out = append(out, r.Ref.ID)
	}
	return out
}

func TestBoardShowsDefaultBranchTagsDeploymentsAndMine(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/repos/"+scope+"/tags", []obj{{"name": "v1.9.2", "commit": obj{"sha": sha(2)}}})
	fork := obj{"full_name": "stranger/checkout"}
	h.json(runsPath, runs(
		wireOf(1, nil),
		wireOf(2, obj{"head_branch": "v1.9.2"}),
		wireOf(3, obj{"event": "workflow_dispatch", "head_branch": "hotfix"}),
		wireOf(4, obj{"head_branch": "feature", "actor": obj{"login": "SRE1"}}),
		wireOf(5, obj{"head_branch": "feature"}),
		wireOf(6, obj{"event": "pull_request", "head_repository": fork}),
		wireOf(7, obj{"event": "merge_group", "head_branch": "gh-readonly-queue/main/pr-418-" + sha(7)}),
		wireOf(8, obj{"event": "pull_request", "head_branch": "theirs", "pull_requests": []obj{{"number": 9}}}),
	))
	s := openOn(t, h)
	q := ask()
	q.Identity = "sre1"
	got := s.runs(t, q)
	if want := []string{"1", "2", "3", "4", "7"}; !slices.Equal(ids(got), want) {
		t.Fatalf("runs %v, want %v", ids(got), want)
	}
	by := map[string]sources.Run{}
	for _, r := range got {
		by[r.Ref.ID] = r
	}
	if r := by["1"]; !r.Default || r.RefKind != sources.RefBranch || r.Commit.Pull != 418 || r.Commit.Title.String() != "Retry card tokens (#418)" {
		t.Errorf("run of main: %+v", r)
	}
	if r := by["2"]; r.Default || r.RefKind != sources.RefTag || r.Branch.String() != "v1.9.2" {
		t.Errorf("run of a tag: %+v", r)
	}
	if r := by["4"]; !r.Mine || r.Default {
		t.Errorf("my run: %+v", r)
	}
	if r := by["7"]; r.RefKind != sources.RefQueue || r.Pull != 418 || r.Default {
		t.Errorf("merge queue: kind %v pull %d default %v", r.RefKind, r.Pull, r.Default)
	}
}

// A fork's branch is often named main too.
func TestForksMainIsNotOurMain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, obj{"event": "pull_request", "head_branch": "main", "head_repository": obj{"full_name": "stranger/checkout"}, "actor": obj{"login": "sre1"}})))
	q := ask()
	q.Identity = "sre1"
	got := openOn(t, h).runs(t, q)
	if len(got) != 1 || !got[0].Fork || got[0].Default || got[0].RefKind != sources.RefPull {
		t.Errorf("my run from a fork: %+v", got)
	}
}

func TestBranchThatIsNamedLikeATagIsABranch(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/repos/"+scope+"/tags", []obj{{"name": "v1.0.0", "commit": obj{"sha": sha(99)}}})
	h.json(runsPath, runs(wireOf(1, obj{"event": "workflow_dispatch", "head_branch": "v2.0"})))
	if got := openOn(t, h).runs(t, ask()); got[0].RefKind != sources.RefBranch {
		t.Error("v2.0 is no tag of this repository")
	}
}

func TestScheduleIsShownWhenFailedOrOverdue(t *testing.T) {
	t.Parallel()
	nightly := func(id int, workflow int, age time.Duration, conclusion string) obj {
		return wireOf(id, obj{"event": "schedule", "workflow_id": workflow, "created_at": ago(age), "conclusion": conclusion})
	}
	h := newHub(t)
	h.json(runsPath, runs(
		nightly(1, 1, time.Hour, "success"), nightly(2, 1, 25*time.Hour, "failure"),
		nightly(3, 2, 2*time.Hour, "failure"),
		nightly(4, 3, 30*time.Hour, "success"), nightly(5, 3, 36*time.Hour, "success"), nightly(6, 3, 42*time.Hour, "success"), nightly(7, 3, 48*time.Hour, "success"),
	))
	got := openOn(t, h).runs(t, ask())
	if want := []string{"3", "4"}; !slices.Equal(ids(got), want) {
		t.Fatalf("schedules shown: %v, want %v (mended failures and punctual ones are not)", ids(got), want)
	}
	if got[1].Reason.String() != "overdue: comes every 6h" {
		t.Errorf("reason %q", got[1].Reason)
	}
}

func TestMatrixIsFoldedWorstFirst(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, obj{"conclusion": "failure"})))
	var legs []obj
	steps := []obj{
		{"name": "Set up job", "number": 1, "status": "completed", "conclusion": "success"},
		{"name": "run tests", "number": 2, "status": "completed", "conclusion": "failure"},
	}
	legs = append(legs, wireJobOf(90, "lint", "completed", "failure", nil))
	for i := range 12 {
		c := "success"
		if i%4 == 1 {
			c = "failure"
		}
		legs = append(legs, wireJobOf(100+i, fmt.Sprintf("verify / integration (ubuntu, %d)", i), "completed", c, obj{"steps": steps}))
	}
	h.json(runsPath+"/1/jobs", jobs(legs...))
	r := openOn(t, h).runs(t, ask())[0]
	f := r.Failure
	if f == nil || f.Failed != 3 || f.Legs != 12 || f.JobName.String() != "integration" || f.Caller.String() != "verify" || f.Step.String() != "run tests" || f.Job.ID != "101" {
		t.Fatalf("failure %+v", f)
	}
	if want := (sources.JobCounts{Total: 13, Done: 13, Failed: 4}); r.Jobs != want {
		t.Errorf("jobs %+v, want %+v", r.Jobs, want)
	}
}

func TestJobsOfHealthyRunsAreNotRead(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, nil), wireOf(2, obj{"conclusion": "cancelled"}), wireOf(3, obj{"status": "in_progress", "conclusion": nil})))
	h.json(runsPath+"/3/jobs", jobs(wireJobOf(5, "build", "in_progress", "", nil)))
	s := openOn(t, h)
	s.runs(t, ask())
	for _, p := range h.asked() {
		if strings.Contains(p, "/jobs") && !strings.Contains(p, "/3/jobs") {
			t.Errorf("asked %s", p)
		}
	}
}

func TestJobsOfAFinishedAttemptAreReadOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	failed := wireOf(1, obj{"conclusion": "failure"})
	h.json(runsPath, runs(failed))
	h.json(runsPath+"/1/jobs", jobs(wireJobOf(5, "build", "completed", "failure", nil)))
	s := openOn(t, h)
	s.runs(t, ask())
	h.json(runsPath, runs(failed, wireOf(2, nil)))
	h.asked()
	s.runs(t, ask())
	if got := h.asked(); slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, "/jobs") }) {
		t.Errorf("read again: %v", got)
	}
	failed["run_attempt"], failed["updated_at"] = 2, ago(time.Minute)
	h.json(runsPath, runs(failed))
	s.runs(t, ask())
	if got := h.asked(); !slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, "/1/jobs") }) {
		t.Errorf("a new attempt's jobs were not read: %v", got)
	}
}

func TestPassedOnTheSecondAttempt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, obj{"run_attempt": 2, "run_started_at": ago(20 * time.Minute), "updated_at": ago(15 * time.Minute)})))
	r := openOn(t, h).runs(t, ask())[0]
	if r.Attempt != 2 || r.State != sources.StatePassed || r.Ended.Sub(r.Started) != 5*time.Minute {
		t.Errorf("attempt %d %s took %s", r.Attempt, r.State, r.Ended.Sub(r.Started))
	}
}

func TestFailureRateAndMedianOfTheDefaultBranch(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var page []obj
	for i := range 25 {
		c, took := "success", time.Duration(i+1)*time.Minute
		if i%5 == 0 {
			c = "failure"
		}
		if i == 3 {
			c = "cancelled"
		}
		start := time.Duration(i+1) * time.Hour
		page = append(page, wireOf(i+1, obj{"conclusion": c, "created_at": ago(start), "run_started_at": ago(start), "updated_at": ago(start - took)}))
	}
	page = append(page, wireOf(99, obj{"event": "pull_request", "conclusion": "failure"}))
	h.json(runsPath, runs(page...))
	r := openOn(t, h).runs(t, ask())[1]
	if r.Failed != 5 || r.Of != 20 {
		t.Errorf("%d of %d failed, want 5 of 20 (cancelled ones and pull requests do not count)", r.Failed, r.Of)
	}
	if r.Expected != 13*time.Minute+30*time.Second && r.Expected != 14*time.Minute {
		t.Errorf("expected %s", r.Expected)
	}
}

// The page is full of other workflows: the default branch's history has a request of its own, once.
// gatedHub has five deploys that worked for three minutes each and waited an hour in between.
func gatedHub(t *testing.T) (*hub, []obj) {
	h := newHub(t)
	deploy := func(id int, fields obj) obj {
		w := wireOf(id, obj{"name": "deploy", "path": ".github/workflows/deploy.yml", "event": "workflow_dispatch", "workflow_id": 9})
		for k, v := range fields {
			w[k] = v
		}
		return w
	}
	var all []obj
	for i := range 5 {
		id := 20 - i
		day := time.Duration(i+1) * 24 * time.Hour
		all = append(all, deploy(id, obj{"created_at": ago(day), "run_started_at": ago(day), "updated_at": ago(day - 64*time.Minute)}))
		h.json(fmt.Sprintf("%s/%d/jobs", runsPath, id), jobs(
			wireJobOf(id*10, "staging", "completed", "success", obj{"started_at": ago(day - time.Minute), "completed_at": ago(day - 3*time.Minute)}),
			wireJobOf(id*10+1, "prod", "completed", "success", obj{"started_at": ago(day - 63*time.Minute), "completed_at": ago(day - 64*time.Minute)}),
			wireJobOf(id*10+2, "notify", "completed", "skipped", obj{"started_at": ago(day), "completed_at": ago(day - 64*time.Minute)}),
		))
	}
	return h, append([]obj{deploy(30, obj{"status": "waiting", "conclusion": nil, "created_at": ago(40 * time.Minute), "run_started_at": ago(40 * time.Minute)})}, all...)
}

// The wait for an approval is not how long a deploy takes.
func TestExpectedLeavesOutTheWaitForApproval(t *testing.T) {
	t.Parallel()
	h, all := gatedHub(t)
	h.json(runsPath+"/30/pending_deployments", []obj{{"environment": obj{"id": 7, "name": "production"}, "reviewers": []obj{}}})
	h.json(runsPath+"/30/jobs", jobs(wireJobOf(300, "staging", "completed", "success", nil), wireJobOf(301, "prod", "waiting", "", nil)))
	h.json(runsPath, runs(all...))
	s := openOn(t, h)
	for _, r := range s.runs(t, ask()) {
		if r.Expected != 3*time.Minute {
			t.Errorf("run %s is expected to take %s, want 3m", r.Ref.ID, r.Expected)
		}
	}
	h.asked()
	all[0]["status"] = "in_progress"
	h.json(runsPath, runs(all...))
	h.json(runsPath+"/30/jobs", jobs(
		wireJobOf(300, "staging", "completed", "success", obj{"started_at": ago(40 * time.Minute), "completed_at": ago(38 * time.Minute)}),
		wireJobOf(301, "prod", "in_progress", "", obj{"started_at": ago(time.Minute)}),
	))
	for _, r := range s.runs(t, ask()) {
		if r.Ref.ID == "30" && r.Expected != 40*time.Minute {
			t.Errorf("a run that waited 37m and works for 3m is expected to take %s", r.Expected)
		}
	}
	for _, p := range h.asked() {
		if strings.Contains(p, "/jobs") && !strings.Contains(p, "/30/") {
			t.Errorf("jobs of a finished run were read again: %s", p)
		}
	}
}

// That a workflow may wait is known from what it deployed, when no run of it waits now.
func TestExpectedOfAWorkflowThatDeployed(t *testing.T) {
	t.Parallel()
	h, all := gatedHub(t)
	h.json(runsPath, runs(all[1:]...))
	h.json(deploysPath, []obj{filed(1, "prod", time.Hour, nil)})
	h.carry(1, 20, time.Hour, "success")
	h.json(runsPath+"/20", all[1])
	s := openOn(t, h)
	expected := func() time.Duration { t.Helper(); return s.runs(t, ask())[0].Expected }
	if got := expected(); got != 64*time.Minute {
		t.Errorf("nothing tells that it waits: %s", got)
	}
	s.lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))
	if got := expected(); got != 3*time.Minute {
		t.Errorf("it enters an environment: %s, want 3m", got)
	}
	h.status(runsPath+"/17/jobs", 500, obj{"message": "oops"})
	other := openOn(t, h)
	other.lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))
	if _, err := other.ListRuns(context.Background(), ask()); err == nil {
		t.Error("jobs that cannot be read leave a guess")
	}
}

func TestHistoryIsAskedForOnlyWhenAnotherRunHasFinished(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	next := fmt.Sprintf(`<%s%s?per_page=50&page=2>; rel="next"`, h.srv.URL, runsPath)
	var page []obj
	for i := range 50 {
		page = append(page, wireOf(i+1, obj{"workflow_id": i % 10}))
	}
	h.json(runsPath, runs(page...), "Link", next)
	h.json("/repos/"+scope+"/actions/workflows/3/runs", runs(wireOf(500, obj{"workflow_id": 3, "conclusion": "failure", "created_at": ago(99 * time.Hour)})))
	s := openOn(t, h)
	rs := s.runs(t, ask())
	i := slices.IndexFunc(rs, func(r sources.Run) bool { return r.Ref.ID == "4" })
	if rs[i].Of != 6 || rs[i].Failed != 1 {
		t.Errorf("%d of %d", rs[i].Failed, rs[i].Of)
	}
	h.asked()
	_, err := s.ListRuns(context.Background(), ask())
	if !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("second read: %v", err)
	}
	for _, p := range h.asked() {
		if strings.Contains(p, "/workflows/3/") {
			t.Errorf("asked again: %s", p)
		}
	}
}

func waitingHub(t *testing.T) *hub {
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, obj{"status": "waiting", "conclusion": nil, "name": "deploy", "path": ".github/workflows/deploy.yml"})))
	h.json(runsPath+"/1/jobs", jobs(wireJobOf(5, "deploy", "waiting", "", nil)))
	h.json(runsPath+"/1/concurrency_groups", obj{"total_count": 1, "concurrency_groups": []obj{{"group_name": "deploy-prod", "group_members": []obj{{"run_id": 1, "position": 0}}}}})
	return h
}

func TestPendingGate(t *testing.T) {
	t.Parallel()
	h := waitingHub(t)
	h.json(runsPath+"/1/pending_deployments", []obj{
		{"environment": obj{"id": 77, "name": "production"}, "wait_timer": 30, "wait_timer_started_at": ago(10 * time.Minute), "current_user_can_approve": true,
			"reviewers": []obj{{"type": "User", "reviewer": obj{"login": "sre1"}}, {"type": "Team", "reviewer": obj{"slug": "payments", "name": "Payments"}}}},
	})
	s := openOn(t, h)
	b, err := s.ListRuns(context.Background(), ask())
	if err != nil {
		t.Fatal(err)
	}
	if b.Busy != sources.WaitingForPerson {
		t.Errorf("busy %v", b.Busy)
	}
	r := b.Items[0]
	if r.State != sources.StateWaiting || len(r.Gates) != 1 || !r.Deploys {
		t.Fatalf("run %+v", r)
	}
	g := r.Gates[0]
	if g.Environment != "production" || g.EnvironmentID != 77 || !g.CanApprove || len(g.Reviewers) != 2 || g.Reviewers[1].String() != "payments" ||
		!g.Until.Equal(now.Add(20*time.Minute)) || g.Run != r.Ref || g.Version.SHA != sha(1) || g.Concurrency.String() != "deploy-prod" {
		t.Errorf("gate %+v", g)
	}
}

// go-github's own decoder of reviewers panics without a type, and fails the list on a new one.
func TestReviewerOfUnknownType(t *testing.T) {
	t.Parallel()
	h := waitingHub(t)
	h.json(runsPath+"/1/pending_deployments", []obj{{"environment": obj{"id": 1, "name": "production"}, "current_user_can_approve": false,
		"reviewers": []obj{{"reviewer": obj{"name": "Night Crew"}}, {"type": "Robot", "reviewer": nil}}}})
	g := openOn(t, h).runs(t, ask())[0].Gates[0]
	if len(g.Reviewers) != 2 || g.Reviewers[0].String() != "Night Crew" || g.Reviewers[1].String() != "Robot" {
		t.Errorf("reviewers %v", g.Reviewers)
	}
}

func TestGateWithoutReviewersSaysWhyNobodyCanApprove(t *testing.T) {
	t.Parallel()
	h := waitingHub(t)
	h.json(runsPath+"/1/pending_deployments", []obj{{"environment": obj{"id": 1, "name": "production"}, "wait_timer": 0}})
	if g := openOn(t, h).runs(t, ask())[0].Gates[0]; g.Blocked.IsZero() || g.CanApprove {
		t.Errorf("gate %+v", g)
	}
}

func TestRunThatWaitsForDaysIsOnNoPage(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(2, nil)))
	h.json(runsPath+"?per_page=30&status=waiting", runs(wireOf(1, obj{"status": "waiting", "conclusion": nil, "created_at": ago(90 * time.Hour)})))
	h.json(runsPath+"/1/jobs", jobs())
	h.json(runsPath+"/1/pending_deployments", []obj{})
	if got := ids(openOn(t, h).runs(t, ask())); !slices.Equal(got, []string{"2", "1"}) {
		t.Errorf("runs %v", got)
	}
}

func queuedHub(t *testing.T, age time.Duration, labels ...string) *hub {
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, obj{"status": "queued", "conclusion": nil, "created_at": ago(age)})))
	h.json(runsPath+"/1/jobs", jobs(wireJobOf(5, "train", "queued", "", obj{"labels": labels, "created_at": ago(age)})))
	return h
}

func TestNoRunnerOffersTheLabel(t *testing.T) {
	t.Parallel()
	h := queuedHub(t, 4*time.Minute, "self-hosted", "gpu")
	runner := func(status string, labels ...string) obj {
		var ls []obj
		for _, l := range labels {
			ls = append(ls, obj{"name": l})
		}
		return obj{"id": len(labels), "name": "r", "status": status, "labels": ls}
	}
	h.json("/repos/"+scope+"/actions/runners", obj{"total_count": 2, "runners": []obj{runner("online", "self-hosted", "linux"), runner("offline", "self-hosted", "gpu", "x")}})
	h.json("/orgs/acme/actions/runners", obj{"total_count": 0, "runners": []obj{}})
	r := openOn(t, h).runs(t, ask())[0]
	if !slices.Equal(r.NoRunner, []string{"gpu"}) {
		t.Errorf("missing %v, want [gpu]", r.NoRunner)
	}
}

func TestRunnersMayNotBeListed(t *testing.T) {
	t.Parallel()
	h := queuedHub(t, 4*time.Minute, "gpu", "ubuntu-latest")
	h.status("/repos/"+scope+"/actions/runners", 403, obj{"message": "Must have admin rights to Repository."})
	if r := openOn(t, h).runs(t, ask())[0]; !slices.Equal(r.NoRunner, []string{"gpu"}) {
		t.Errorf("missing %v: without the right to list runners, the job's own labels", r.NoRunner)
	}
}

func TestQueuedForAMomentOrOnHostedRunnersMissesNothing(t *testing.T) {
	t.Parallel()
	for _, h := range []*hub{queuedHub(t, time.Minute, "gpu"), queuedHub(t, time.Hour, "ubuntu-latest")} {
		if r := openOn(t, h).runs(t, ask())[0]; r.NoRunner != nil {
			t.Errorf("missing %v", r.NoRunner)
		}
		for _, p := range h.asked() {
			if strings.Contains(p, "runners") {
				t.Errorf("asked %s", p)
			}
		}
	}
}

func TestMonorepoRunsBelongToWhatTheyTouch(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	files := func(id int, names ...string) {
		var fs []obj
		for _, n := range names {
			fs = append(fs, obj{"filename": n})
		}
		h.json("/repos/"+scope+"/commits/"+sha(id), obj{"sha": sha(id), "files": fs})
	}
	h.json("/repos/"+scope+"/tags", []obj{{"name": "ledger/v3.2.9", "commit": obj{"sha": sha(4)}}})
	h.json(runsPath, runs(wireOf(1, nil), wireOf(2, nil), wireOf(3, nil), wireOf(4, obj{"head_branch": "ledger/v3.2.9"}),
		wireOf(5, obj{"event": "workflow_dispatch", "path": ".github/workflows/deploy.yml", "name": "deploy", "display_title": "Deploy reports to prod"})))
	files(1, "ledger/main.go")
	files(2, "ledger/a.go", "reports/b.go")
	files(3, "README.md")
	s := openOn(t, h)
	q := ask(
		sources.ServiceSpec{Name: "ledger", Paths: []string{"ledger/**"}, TagPrefix: "ledger/", DeployWorkflow: "deploy.yml"},
		sources.ServiceSpec{Name: "reports", Paths: []string{"reports/**"}, TagPrefix: "reports/", DeployWorkflow: "deploy.yml"},
	)
	got := map[string]sources.Run{}
	for _, r := range s.runs(t, q) {
		got[r.Ref.ID] = r
	}
	for id, want := range map[string]string{"1": "ledger", "2": "ledger", "3": "", "4": "ledger", "5": "reports"} {
		if got[id].Service != want {
			t.Errorf("run %s belongs to %q, want %q", id, got[id].Service, want)
		}
	}
	if !slices.Equal(got["2"].Services, []string{"ledger", "reports"}) {
		t.Errorf("run 2 touches %v", got["2"].Services)
	}
	h.json(runsPath, runs(wireOf(1, obj{"run_attempt": 2})))
	h.asked()
	s.runs(t, q)
	for _, p := range h.asked() {
		if strings.Contains(p, "/commits/") {
			t.Errorf("a commit's files were read again: %s", p)
		}
	}
}

// What `workflows:`, `paths:` and `tag_prefix:` leave out is not the service's, also where it is the only
// one that is configured.
func TestOnlyServiceOfAMonorepoClaimsWhatIsItsOwn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	payouts := obj{"name": "deploy-payouts", "path": ".github/workflows/deploy-payouts.yml"}
	h.json("/repos/"+scope+"/tags", []obj{{"name": "ledger/v3.2.9", "commit": obj{"sha": sha(5)}}, {"name": "payouts/v1.4.0", "commit": obj{"sha": sha(6)}}})
	h.json(runsPath, runs(wireOf(1, nil), wireOf(2, nil), wireOf(3, payouts), wireOf(4, obj{"name": "deploy-ledger", "path": ".github/workflows/deploy-ledger.yml", "event": "workflow_dispatch"}),
		wireOf(5, obj{"head_branch": "ledger/v3.2.9"}), wireOf(6, obj{"head_branch": "payouts/v1.4.0"})))
	h.json("/repos/"+scope+"/commits/"+sha(1), obj{"sha": sha(1), "files": []obj{{"filename": "ledger/a.go"}}})
	h.json("/repos/"+scope+"/commits/"+sha(2), obj{"sha": sha(2), "files": []obj{{"filename": "payouts/b.go"}}})
	sp := sources.ServiceSpec{Name: "ledger", Paths: []string{"ledger/**"}, TagPrefix: "ledger/", Workflows: []string{"ci", "deploy-ledger"}, DeployWorkflow: "deploy-ledger.yml"}
	want := map[string]string{"1": "ledger", "2": "", "3": "", "4": "ledger", "5": "ledger", "6": ""}
	s := openOn(t, h)
	for _, r := range s.runs(t, ask(sp)) {
		if r.Service != want[r.Ref.ID] || len(r.Services) != 0 {
			t.Errorf("run %s belongs to %q, want %q", r.Ref.ID, r.Service, want[r.Ref.ID])
		}
		delete(want, r.Ref.ID)
	}
	if len(want) != 0 {
		t.Errorf("not listed: %v", want)
	}
	h.json("/repos/"+scope+"/releases", []any{})
	b, err := s.ListReleases(context.Background(), ask(sp))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range b.Items {
		if own := strings.HasPrefix(r.Version.Tag.String(), "ledger/"); own != (r.Service == "ledger") {
			t.Errorf("%s belongs to %q", r.Version.Tag, r.Service)
		}
	}
}

func TestConclusions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, conclusion string
		want               sources.State
		reason             string
	}{
		{"queued", "", sources.StateQueued, ""},
		{"requested", "", sources.StateQueued, ""},
		{"pending", "", sources.StateQueued, "waits for its concurrency group"},
		{"waiting", "", sources.StateWaiting, ""},
		{"in_progress", "", sources.StateRunning, ""},
		{"completed", "success", sources.StatePassed, ""},
		{"completed", "neutral", sources.StatePassed, "neutral"},
		{"completed", "failure", sources.StateFailed, ""},
		{"completed", "timed_out", sources.StateFailed, "timed out"},
		{"completed", "startup_failure", sources.StateFailed, "could not start"},
		{"completed", "cancelled", sources.StateCancelled, ""},
		{"completed", "skipped", sources.StateSkipped, ""},
		{"completed", "stale", sources.StateSuperseded, "stale"},
		{"completed", "action_required", sources.StateWaiting, "a maintainer must allow it"},
		{"completed", "", sources.StateUnknown, ""},
		{"completed", "melted_down", sources.StateUnknown, "melted down"},
		{"thinking_hard", "", sources.StateUnknown, "thinking hard"},
		{"", "", sources.StateUnknown, ""},
		{"", "success", sources.StatePassed, ""},
	} {
		if got, reason := stateOf(c.status, c.conclusion); got != c.want || reason != c.reason {
			t.Errorf("%s/%s is %s %q, want %s %q", c.status, c.conclusion, got, reason, c.want, c.reason)
		}
	}
}

func TestJobNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][3]string{
		"build":                     {"", "build", ""},
		"test (ubuntu, 1.26)":       {"", "test", "ubuntu, 1.26"},
		"deploy / rollout":          {"deploy", "rollout", ""},
		"a / b / c (x)":             {"a › b", "c", "x"},
		"ship (eu) / test (1.26)":   {"ship", "test", "eu / 1.26"},
		"weird (a / b)":             {"", "weird", "a / b"},
		"call()":                    {"", "call()", ""},
		"build (linux (arm), slow)": {"", "build", "linux (arm), slow"},
		"(just this)":               {"", "(just this)", ""},
		"":                          {"", "", ""},
	} {
		caller, name, leg := jobName(in)
		if got := [3]string{strings.Join(caller, " › "), name, leg}; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
