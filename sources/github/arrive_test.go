package github

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// arrivalCase is what one target of prod shows while version 3 is to come there by run 50.
type arrivalCase struct {
	name                      string
	current, arriving, failed *sources.Deployment
	run                       *sources.Run
	verb                      sources.Verb
	made                      string
	history                   []sources.Deployment
	want                      sources.ProgressState
	superseded, begun         bool
	text                      string
}

func TestArrival(t *testing.T) {
	t.Parallel()
	run := func(state sources.State) *sources.Run {
		return &sources.Run{
			Ref: sources.Ref{Source: "github", Kind: sources.KindRun, Scope: scope, ID: "50"}, Number: 813, State: state, Path: ".github/workflows/deploy.yml", Created: now,
		}
	}
	of := func(n, by int, state sources.State, after time.Duration) *sources.Deployment {
		return &sources.Deployment{
			Ref: sources.Ref{Source: "github", Kind: sources.KindDeployment, Scope: scope, ID: fmt.Sprint(n)}, Version: sources.Version{SHA: sha(n)}, State: state,
			Created: now.Add(after), Run: sources.Ref{Source: "github", Kind: sources.KindRun, Scope: scope, ID: fmt.Sprint(by)},
		}
	}
	waiting := func(g sources.Gate) *sources.Run {
		r := run(sources.StateWaiting)
		r.Gates = []sources.Gate{g}
		return r
	}
	old := of(2, 20, sources.StatePassed, -time.Hour)
	for _, c := range []arrivalCase{
		{name: "nothing yet", current: old, text: "nothing of it yet"},
		{name: "its run is queued", current: old, run: run(sources.StateQueued), begun: true, text: "run 813: queued"},
		{name: "its run waits for whoever looks", current: old, arriving: of(3, 50, sources.StateWaiting, time.Second), run: waiting(sources.Gate{CanApprove: true}), begun: true, text: "run 813 waits for approval, yours to give"},
		{name: "its run waits for others", current: old, run: waiting(sources.Gate{Reviewers: []clean.Text{clean.Const("lead")}}), begun: true, text: "run 813 waits for approval by lead"},
		{name: "its run waits for nobody", current: old, run: waiting(sources.Gate{Blocked: clean.Const("its wait timer runs")}), begun: true, text: "run 813 waits: its wait timer runs"},
		{name: "on its way", current: old, arriving: of(3, 50, sources.StateRunning, time.Second), run: run(sources.StateRunning), begun: true, text: "0 of 1 there, 1 on their way"},
		{name: "there", current: of(3, 50, sources.StatePassed, time.Minute), run: run(sources.StatePassed), want: sources.Done, text: "runs in prod"},
		{
			name: "it ran there before an attempt failed: not yet put back", current: of(3, 30, sources.StatePassed, -time.Hour), failed: of(4, 40, sources.StateFailed, -time.Minute),
			run: run(sources.StateRunning), begun: true, text: "run 813: running",
		},
		{name: "put back, and another attempt failed since", current: of(3, 50, sources.StatePassed, time.Minute), failed: of(4, 60, sources.StateFailed, 2*time.Minute), run: run(sources.StatePassed), want: sources.Done},
		{name: "a rerun's old deployment is not the new one", verb: sources.RerunAll, current: of(3, 50, sources.StatePassed, -time.Hour), failed: of(4, 40, sources.StateFailed, -time.Minute), run: run(sources.StateRunning), begun: true},
		{name: "its run failed", current: old, run: run(sources.StateFailed), want: sources.Undone, text: "run 813 failed"},
		{name: "its run passed, and nothing shows it", current: old, run: run(sources.StatePassed), begun: true, text: "passed, and prod does not show it yet"},
		{name: "another version came", current: of(5, 60, sources.StatePassed, time.Minute), run: run(sources.StatePassed), want: sources.Undone, superseded: true, text: "took its place in prod"},
		{name: "another version is coming", current: old, arriving: of(5, 60, sources.StateRunning, time.Minute), run: run(sources.StateCancelled), want: sources.Undone, superseded: true},
		{name: "a newer run took its place", current: old, run: run(sources.StateCancelled), want: sources.Undone, superseded: true, text: "run 813 was cancelled, and run 814 came after it"},
		{name: "a filed deployment that nobody takes", current: old, made: "9", history: []sources.Deployment{*of(9, 0, sources.StateQueued, 0)}, begun: true, text: "nobody has taken it yet"},
		{name: "a filed deployment that failed", current: old, made: "9", history: []sources.Deployment{*of(9, 0, sources.StateFailed, 0)}, want: sources.Undone, text: "failed in prod"},
		{name: "a filed deployment that lost its place", current: old, made: "9", history: []sources.Deployment{*of(9, 0, sources.StateSuperseded, 0)}, want: sources.Undone, superseded: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.json("/repos/"+scope+"/actions/workflows/deploy.yml/runs", runs(
				wireOf(61, obj{"run_number": 815, "status": "completed", "conclusion": "cancelled"}), wireOf(60, obj{"run_number": 814, "status": "in_progress", "conclusion": nil}),
				wireOf(50, obj{"run_number": 813, "status": "completed", "conclusion": "cancelled"})))
			e := sources.Environment{Name: "prod", Targets: []sources.Target{{Current: c.current, Arriving: c.arriving, Failed: c.failed}}, History: c.history}
			v := arrival{call: sources.Call{Verb: sources.Dispatch, Fields: map[string]string{sources.FieldVersion: sha(3)}}, env: &e, run: c.run, since: now}
			if c.verb != "" {
				v.call.Verb = c.verb
			}
			if c.made != "" {
				v.made = sources.Ref{Source: "github", Kind: sources.KindDeployment, Scope: scope, ID: c.made}
			}
			p, err := openOn(t, h).arrived(context.Background(), &v)
			if err != nil || p.State != c.want || p.Superseded != c.superseded || p.Begun != c.begun || !strings.Contains(p.Text.String(), c.text) || p.Text.IsZero() {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

// A run that waits for its concurrency group says behind whom.
func TestArrivalBehindAnotherRun(t *testing.T) {
	t.Parallel()
	group := func(members ...obj) obj {
		return obj{"total_count": 1, "concurrency_groups": []obj{{"group_name": "deploy-prod", "group_members": members}}}
	}
	held := group(obj{"run_id": 40, "position": 0}, obj{"run_id": 50, "position": 1})
	for _, c := range []struct {
		name   string
		groups obj
		holder obj
		want   string
	}{
		{"one that waits", held, obj{"run_number": 812, "status": "waiting", "conclusion": nil}, "run 813: queued behind run 812, which waits for approval"},
		{"one that runs", held, obj{"run_number": 812, "status": "in_progress", "conclusion": nil}, "run 813: queued behind run 812, which is running"},
		{"one that cannot be read", held, nil, "run 813: queued behind another run"},
		{"nobody", group(obj{"run_id": 50, "position": 0}), nil, "run 813: queued"},
		{"nobody knows whom", nil, nil, "run 813: queued"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			if c.groups != nil {
				h.json(runsPath+"/50/concurrency_groups", c.groups)
			}
			if c.holder != nil {
				h.run(40, c.holder)
			}
			run := &sources.Run{Ref: sources.Ref{Source: "github", Kind: sources.KindRun, Scope: scope, ID: "50"}, Number: 813, State: sources.StateQueued}
			v := arrival{call: sources.Call{Verb: sources.Dispatch, Fields: map[string]string{sources.FieldVersion: sha(3)}}, env: &sources.Environment{Name: "prod", Targets: []sources.Target{{}}}, run: run}
			if p, err := openOn(t, h).arrived(context.Background(), &v); err != nil || p.Text.String() != c.want || !p.Begun {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

// A gate that opens, and an attempt that begins, are not yet a version that runs.
func TestVerbsOnRunsAreFollowedToTheirPlace(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	waiting := obj{"status": "waiting", "conclusion": nil, "head_sha": sha(3), "run_attempt": 1}
	h.run(50, waiting)
	h.json(runsPath+"/50/jobs", jobs())
	h.json(runsPath+"/50/pending_deployments", []obj{{"environment": obj{"id": 7, "name": "prod"}, "current_user_can_approve": true, "reviewers": []obj{{"type": "User", "reviewer": obj{"login": "sre1"}}}}})
	h.json(deploysPath, []obj{filed(2, "prod", time.Hour, nil)})
	h.carry(2, 20, time.Hour, "success")
	h.run(20, nil)
	s := openOn(t, h)
	s.lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))
	look := func(verb sources.Verb) sources.Progress {
		t.Helper()
		p, err := s.Verify(context.Background(), sources.Call{
			Verb: verb, Target: sources.Ref{Source: "github", Kind: sources.KindRun, Scope: scope, ID: "50"}, Revision: "1/waiting",
			Fields: map[string]string{sources.FieldVersion: sha(3), sources.FieldPlace: "checkout/prod", sources.FieldEnvironments: "prod"},
		}, sources.Receipt{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := look(sources.Approve); p.State != sources.Pending || p.Begun {
		t.Errorf("while it waits: %+v", p)
	}
	h.run(50, obj{"status": "in_progress", "conclusion": nil, "head_sha": sha(3), "run_attempt": 1})
	h.json(runsPath+"/50/pending_deployments", []obj{})
	if p := look(sources.Approve); p.State != sources.Pending || !p.Begun {
		t.Errorf("approved: %+v", p)
	}
	if p := look(sources.RerunAll); p.State != sources.Pending || p.Begun {
		t.Errorf("the attempt of before: %+v", p)
	}
	h.json(deploysPath, []obj{filed(3, "prod", 0, nil), filed(2, "prod", time.Hour, nil)})
	h.carry(3, 50, 0, "success")
	if p := look(sources.Approve); p.State != sources.Done || !strings.Contains(p.Text.String(), "runs in prod") {
		t.Errorf("there: %+v", p)
	}
}

func TestChecksOfACommit(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath+"?per_page=100&head_sha="+sha(3), runs(
		wireOf(5, obj{"name": "ci", "workflow_id": 1, "event": "push", "head_sha": sha(3), "conclusion": "success"}),
		wireOf(4, obj{"name": "ci", "workflow_id": 1, "event": "push", "head_sha": sha(3), "conclusion": "failure"}),
		wireOf(3, obj{"name": "ci", "workflow_id": 1, "event": "pull_request", "head_sha": sha(3), "conclusion": "failure"}),
		wireOf(2, obj{"name": "lint", "workflow_id": 2, "event": "push", "head_sha": sha(3), "conclusion": "failure"}),
		wireOf(1, obj{"name": "old", "workflow_id": 3, "event": "push", "head_sha": sha(2), "conclusion": "failure"}),
	))
	commit := "/repos/" + scope + "/commits/" + sha(3)
	h.json(commit+"/check-runs", obj{"total_count": 2, "check_runs": []obj{
		{"id": 1, "name": "build", "status": "completed", "conclusion": "failure", "app": obj{"slug": "github-actions"}},
		{"id": 2, "name": "scan\x1b[31m", "status": "in_progress", "conclusion": nil, "app": obj{"slug": "scanner"}},
	}})
	h.json(commit+"/status", obj{"total_count": 2, "state": "failure", "statuses": []obj{{"context": "jenkins", "state": "error"}, {"context": "cla", "state": "success"}}})
	s := openOn(t, h)
	read := func() string {
		t.Helper()
		list, err := s.ListChecks(context.Background(), scope, sha(3))
		if err != nil {
			return "error " + sources.KindOf(err).String() + ", " + sources.Cure(err)
		}
		var out []string
		for _, c := range list {
			out = append(out, c.Name.String()+" "+c.State.String())
		}
		return strings.Join(out, ", ")
	}
	if got, want := read(), "ci passed, lint failed, scan running, jenkins failed, cla passed"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	h.status(commit+"/check-runs", 403, obj{"message": "Resource not accessible by personal access token"})
	if got := read(); got != "error permission, give the token this permission: checks=read" {
		t.Errorf("a check that nobody may see: %s", got)
	}
	h.status(commit+"/check-runs", 404, obj{"message": "Not Found"})
	if got := read(); !strings.HasPrefix(got, "ci passed") {
		t.Errorf("a server without them: %s", got)
	}
	if _, err := s.ListChecks(context.Background(), scope, "main"); sources.KindOf(err) != sources.Invalid {
		t.Errorf("a branch is no commit: %v", err)
	}
}

// What a deployment tells beside its version: whether it ever ran, and whether somebody listens for such.
func TestWhatADeploymentTells(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	person := obj{"creator": obj{"login": "dev4", "type": "User"}}
	h.json(deploysPath, []obj{
		filed(6, "prod", 10*time.Minute, nil), filed(5, "prod", time.Hour, nil), filed(4, "prod", 2*time.Hour, person), filed(3, "prod", 3*time.Hour, person), filed(2, "prod", 4*time.Hour, person),
	})
	h.carry(6, 60, 10*time.Minute, "success")
	h.carry(5, 50, time.Hour, "in_progress", "inactive")
	h.run(60, nil)
	h.run(50, nil)
	h.run(40, obj{"event": "deployment"})
	h.carry(4, 40, 2*time.Hour, "success", "inactive")
	by := func(id int, login string) {
		h.json(fmt.Sprintf("%s/%d/statuses", deploysPath, id), []obj{{"id": id, "state": "success", "creator": obj{"login": login, "type": "User"}, "created_at": ago(3 * time.Hour)}})
	}
	by(3, "spinnaker")
	by(2, "dev4")
	got := map[string]string{}
	for _, d := range openOn(t, h).lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))[0].History {
		got[d.Ref.ID] = fmt.Sprintf("%s unproven %t listened %t", d.State, d.Unproven, d.Listened)
	}
	for id, want := range map[string]string{
		"6": "passed unproven false listened false", "5": "superseded unproven true listened false", "4": "superseded unproven false listened true",
		"3": "passed unproven false listened true", "2": "passed unproven false listened false",
	} {
		if got[id] != want {
			t.Errorf("%s: %s, want %s", id, got[id], want)
		}
	}
}

// How long a deployment took counts from when it was carried out, not from when it began to wait for people.
func TestWhenADeploymentStarted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{filed(4, "prod", time.Hour, nil), filed(3, "prod", 2*time.Hour, nil), filed(2, "prod", 3*time.Hour, nil), filed(1, "prod", 4*time.Hour, nil)})
	says := func(id int, states ...string) { // newest first, a minute apart
		out := []obj{}
		for i, state := range states {
			out = append(out, obj{"id": 10*id + i + 1, "state": state, "created_at": ago(time.Duration(i+1) * time.Minute)})
		}
		h.json(fmt.Sprintf("%s/%d/statuses", deploysPath, id), out)
	}
	says(4, "success", "in_progress", "queued", "waiting")
	says(3, "success", "waiting")
	says(2, "success")
	says(1)
	history := openOn(t, h).lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))[0].History
	for i, want := range []time.Time{now.Add(-2 * time.Minute), {}, now.Add(-3 * time.Hour), {}} {
		if got := history[i].Started; !got.Equal(want) {
			t.Errorf("%s started at %v, want %v", history[i].Ref.ID, got, want)
		}
	}
}

// A dispatched run that names no version waits with one that nobody knows, whatever commit it was taken from.
func TestGatesWithoutAVersion(t *testing.T) {
	t.Parallel()
	for title, unverified := range map[string]bool{"Deploy v0.8.1": false, "Deploy": true} {
		h := newHub(t)
		h.json(runsPath+"?per_page=30&status=waiting", runs(wireOf(1, obj{"status": "waiting", "conclusion": nil, "event": "workflow_dispatch", "path": ".github/workflows/deploy.yml", "display_title": title})))
		h.json(runsPath+"/1/pending_deployments", []obj{{"environment": obj{"id": 7, "name": "prod"}, "current_user_can_approve": true}})
		sp := sources.ServiceSpec{Name: "search", VersionInput: "ref", DeployWorkflow: "deploy.yml", Environments: stages("prod"), VersionFrom: sources.VersionFrom{URL: "http://127.0.0.1:1/"}}
		e := openOn(t, h).lanes(t, ask(sp))[0]
		if len(e.Gates) != 1 || e.Gates[0].Unverified != unverified || e.Branch != "main" {
			t.Errorf("%s: %+v", title, e.Gates)
		}
	}
}

// Who chooses a version out of a history gets enough of it; a poll does not pay for that.
func TestHistoryIsReadFurtherBackWhereAVersionIsChosen(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var all []obj
	for i := 20; i > 0; i-- {
		all = append(all, filed(i, "prod", time.Duration(21-i)*48*time.Hour, nil))
		h.carry(i, i, time.Duration(21-i)*48*time.Hour, "success")
		h.run(i, nil)
	}
	h.json(deploysPath, all)
	s := openOn(t, h)
	polled := s.lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))[0]
	obj, err := s.Get(context.Background(), polled.Ref)
	e, ok := obj.(sources.Environment)
	if err != nil || !ok || len(polled.History) != 3 || len(e.History) < toChoose || len(e.History) > 2*toChoose || e.Revision != polled.Revision {
		t.Errorf("%d polled, %d read, %v", len(polled.History), len(e.History), err)
	}
}
