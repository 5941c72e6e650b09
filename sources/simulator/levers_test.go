package simulator_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
)

// run812 is the run that holds the queue of checkout's production.
type run812 struct {
	ID     int64
	Number int `json:"run_number"`
	Status string
	Title  string    `json:"display_title"`
	Since  time.Time `json:"created_at"`
}

func (c *client) run(repo string, id int64) runBody {
	c.t.Helper()
	var r runBody
	c.get("/repos/"+repo+"/actions/runs/"+itoa(id)).into(c.t, &r)
	return r
}

// group lists the runs in the concurrency group of one of them, as GitHub tells it.
func (c *client) group(repo string, id int64) (name string, runs []int64) {
	c.t.Helper()
	var out struct {
		Groups []struct {
			Name    string `json:"group_name"`
			Members []struct {
				Run int64 `json:"run_id"`
			} `json:"group_members"`
		} `json:"concurrency_groups"`
	}
	c.get("/repos/"+repo+"/actions/runs/"+itoa(id)+"/concurrency_groups").into(c.t, &out)
	if len(out.Groups) == 0 {
		return "", nil
	}
	for _, m := range out.Groups[0].Members {
		runs = append(runs, m.Run)
	}
	return out.Groups[0].Name, runs
}

// TestQueueOfProduction holds that run 812 keeps a rollback waiting, that a third run takes the rollback's
// place, and that rejecting 812 lets the queue go on.
func TestQueueOfProduction(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 2})
	const repo = "acme/checkout"
	var list struct {
		Runs []run812 `json:"workflow_runs"`
	}
	c.get("/repos/"+repo+"/actions/runs?status=waiting&per_page=5").into(t, &list)
	if len(list.Runs) != 1 {
		t.Fatalf("%d runs wait", len(list.Runs))
	}
	holder := list.Runs[0]
	if holder.Number != 812 || !strings.HasPrefix(holder.Title, "Migrate a1b2c3d") || !holder.Since.Equal(simulator.Opening().Add(-7*time.Minute)) {
		t.Errorf("what waits is %+v", holder)
	}
	first := rollBack(c)
	c.sim.Advance(10 * time.Minute)
	name, members := c.group(repo, first)
	if r := c.run(repo, first); r.Status != "pending" || name != "deploy-prod" || !slices.Equal(members, []int64{holder.ID, first}) {
		t.Fatalf("the rollback is %s in %q with %v", r.Status, name, members)
	}
	second := rollBack(c)
	if r := c.run(repo, first); r.Conclusion != "cancelled" {
		t.Errorf("the rollback that was superseded is %s %s", r.Status, r.Conclusion)
	}
	freeQueue(c)
	if r := c.run(repo, holder.ID); r.Conclusion != "failure" {
		t.Errorf("a rejected run is %s %s", r.Status, r.Conclusion)
	}
	c.until(6*time.Minute, func() bool { return c.run(repo, second).done() })
	good := sha(c, repo, "v1.9.1")
	for _, r := range c.service("checkout").Running {
		if r.Stage == "prod" && r.SHA != good {
			t.Errorf("prod %s runs %s", r.Target, r.SHA)
		}
	}
	if name, _ := c.group(repo, second); name != "" {
		t.Errorf("a run that has ended holds %q", name)
	}
}

func prodSHA(c *client, service, target string) string {
	c.t.Helper()
	for _, r := range c.service(service).Running {
		if r.Stage == "prod" && r.Target == target {
			return r.SHA
		}
	}
	return ""
}

// TestListeners holds what becomes of a deployment that is filed: a tool of somebody's own carries it out, a
// workflow does, or nobody listens.
func TestListeners(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 2})
	file := func(repo, ref string) deploymentBody {
		var d deploymentBody
		c.do(http.StatusCreated, http.MethodPost, "/repos/"+repo+"/deployments",
			`{"ref":"`+ref+`","environment":"production-us","auto_merge":false,"required_contexts":[],"description":"signalbox test"}`).into(t, &d)
		return d
	}
	statuses := func(repo string, d deploymentBody) (states, by []string) {
		var out []struct {
			State   string
			Creator struct{ Login, Type string }
		}
		c.get("/repos/"+repo+"/deployments/"+itoa(d.ID)+"/statuses?per_page=100").into(t, &out)
		for _, s := range slices.Backward(out) {
			states, by = append(states, s.State), append(by, s.Creator.Login)
		}
		return states, by
	}
	fleet, flow, nobody := file("acme/accounts", "v2.0.3"), file("acme/reports", "main"), file("acme/checkout", "v1.9.1")
	before := prodSHA(c, "checkout", "us")
	c.sim.Advance(4 * time.Minute)
	if states, by := statuses("acme/accounts", fleet); strings.Join(states, " ") != "in_progress success" || by[0] != "fleet[bot]" {
		t.Errorf("accounts' fleet says %v, by %v", states, by)
	}
	if got, want := prodSHA(c, "accounts", "us"), sha(c, "acme/accounts", "v2.0.3"); got != want {
		t.Errorf("accounts runs %s in us, want %s", got, want)
	}
	if states, _ := statuses("acme/reports", flow); !slices.Contains(states, "success") {
		t.Errorf("reports' workflow says %v", states)
	}
	if states, _ := statuses("acme/checkout", nobody); len(states) != 0 || prodSHA(c, "checkout", "us") != before {
		t.Errorf("nobody listens in checkout, and says %v", states)
	}
}

// TestMerges holds what a merge brings into production by itself: in checkout at once, in search when somebody
// approves, in web nothing.
func TestMerges(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 2})
	freeQueue(c)
	merged := map[string]string{}
	for _, service := range []string{"checkout", "search", "web"} {
		var out struct{ SHA string }
		c.do(http.StatusOK, http.MethodPost, "/-/merges", `{"service":"`+service+`","title":"Mend a typo"}`).into(t, &out)
		merged[service] = out.SHA
	}
	c.sim.Advance(12 * time.Minute)
	for service, want := range map[string]bool{"checkout": true, "search": false, "web": false} {
		if got := prodSHA(c, service, "eu") == merged[service]; got != want {
			t.Errorf("%s runs what was merged in prod: %t", service, got)
		}
	}
	if r := c.find("acme/search", "status=waiting&head_sha="+merged["search"]); r.Event != "push" {
		t.Errorf("search's is %+v", r)
	}
	if r := c.find("acme/checkout", "event=push&branch=main&head_sha="+merged["checkout"]); !r.done() {
		t.Errorf("checkout's is %+v", r)
	}
	for _, body := range []string{`{"service":"nobody's","title":"x"}`, `{"service":"web"}`, `{"service":"web","title":"x","by":"nobody"}`} {
		c.do(http.StatusBadRequest, http.MethodPost, "/-/merges", body)
	}
}

// TestBadAndGoodVersions holds that a version that is said to be bad fails requests within two minutes of
// taking effect, and that a good one heals them.
func TestBadAndGoodVersions(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 2})
	var bad, good struct{ SHA string }
	c.do(http.StatusOK, http.MethodPost, "/-/merges", `{"service":"web","title":"New pictures","tag":"v2.1.0","bad":true}`).into(t, &bad)
	ship := func(ref string) {
		var out struct {
			ID int64 `json:"workflow_run_id"`
		}
		c.do(http.StatusOK, http.MethodPost, "/repos/acme/web/actions/workflows/deploy.yml/dispatches",
			`{"ref":"main","return_run_details":true,"inputs":{"environment":"prod","ref":"`+ref+`"}}`).into(t, &out)
		c.until(8*time.Minute, func() bool { return c.run("acme/web", out.ID).done() })
	}
	rate := func() float64 { return c.service("web").Metrics["error rate"] }
	ship("v2.1.0")
	c.until(2*time.Minute, func() bool { return rate() > 2 })
	c.do(http.StatusOK, http.MethodPost, "/-/versions", `{"service":"web","ref":"b00b1e5","bad":false}`).into(t, &good)
	ship("b00b1e5")
	c.sim.Advance(time.Minute)
	if rate() > 0.5 || prodSHA(c, "web", "eu") != good.SHA {
		t.Errorf("after the good version %g %% fail", rate())
	}
	c.do(http.StatusOK, http.MethodPost, "/-/versions", `{"service":"web","ref":"b00b1e5","bad":true}`)
	if rate() > 0.5 {
		t.Error("what runs already turned bad")
	}
	for _, body := range []string{`{"service":"web","ref":"v9"}`, `{"service":"nobody's","ref":"main"}`, `{"services":1}`} {
		c.do(http.StatusBadRequest, http.MethodPost, "/-/versions", body)
	}
}

// TestRequests holds what the log says of writes that are lost on their way, or whose answer is.
func TestRequests(t *testing.T) {
	t.Parallel()
	const path, body = "/repos/acme/web/actions/workflows/deploy.yml/dispatches", `{"ref":"main","inputs":{"environment":"dev","ref":"main"}}`
	for _, x := range []struct {
		rule    fault.Rule
		status  int
		applied bool
	}{
		{fault.Rule{Kind: fault.Latency, Delay: time.Millisecond}, 204, true},
		{fault.Rule{Kind: fault.LostRequest}, 0, false},
		{fault.Rule{Kind: fault.LostAnswer}, 0, true},
		{fault.Rule{Kind: fault.Reset}, 0, true},
		{fault.Rule{Kind: fault.Truncate}, 204, true},
		{fault.Rule{Kind: fault.Hang}, 0, false},
		{fault.Rule{Kind: fault.Stall}, 0, true},
		{fault.Rule{Kind: fault.Status, Code: 409}, 409, false},
		{fault.Rule{Kind: fault.Status, Code: 422}, 422, false},
		{fault.Rule{Kind: fault.Status, Code: 403}, 403, false},
		{fault.Rule{Kind: fault.Status, Code: 404}, 404, false},
		{fault.Rule{Kind: fault.Secondary, Code: 429, RetryAfter: 30}, 429, false},
		{fault.Rule{Kind: fault.Status, Code: 500}, 500, false},
		{fault.Rule{Kind: fault.HTML}, 502, false},
	} {
		t.Run(string(x.rule.Kind)+itoa(int64(x.rule.Code)), func(t *testing.T) {
			t.Parallel()
			c := start(t, simulator.Options{})
			x.rule.Method, x.rule.Path, x.rule.Skip, x.rule.Times = http.MethodPost, "/repos/acme/web/**", 1, 1
			c.inject(x.rule)
			before := c.runs("acme/web", "event=workflow_dispatch").TotalCount
			c.do(http.StatusNoContent, http.MethodPost, path, body)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, c.sim.URL()+path, strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+c.token)
			if x.rule.Kind == fault.Hang || x.rule.Kind == fault.Stall {
				go func() { // once it has arrived, and was carried out where it is
					for !slices.ContainsFunc(c.sim.Requests(true)[1:], func(r simulator.Request) bool { return r.Applied == x.applied }) {
						if ctx.Err() != nil {
							return
						}
					}
					cancel()
				}()
			}
			res, err := c.http.Do(req)
			if err == nil {
				_ = res.Body.Close()
			} else if x.status != 0 || ctx.Err() != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			c.do(http.StatusNoContent, http.MethodPost, path, body)
			var log []simulator.Request
			c.get("/-/requests?writes=true").into(t, &log)
			if len(log) != 3 || !log[0].Applied || log[0].Status != 204 || !log[2].Applied {
				t.Fatalf("the log is %+v", log)
			}
			if r := log[1]; r.Status != x.status || r.Applied != x.applied || r.Path != path || r.Method != http.MethodPost || r.Vendor != "github" || !r.Write {
				t.Errorf("the second is %+v", r)
			}
			want := 2
			if x.applied {
				want++
			}
			if n := c.runs("acme/web", "event=workflow_dispatch").TotalCount - before; n != want {
				t.Errorf("%d runs were started, want %d", n, want)
			}
			c.do(http.StatusNoContent, http.MethodDelete, "/-/requests", "")
			if n := len(c.sim.Requests(false)); n != 0 {
				t.Errorf("%d are still in the log", n)
			}
		})
	}
}

// TestRequestsKnowReads holds that the log and the usage agree on what is a write, for every provider.
func TestRequestsKnowReads(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	tourOfWrites(c)
	c.do(http.StatusOK, http.MethodPost, "/api/v2/events/search", `{"filter":{"query":"service:checkout","from":"now-7d"}}`, "DD-API-KEY", c.token, "DD-APPLICATION-KEY", c.token)
	c.do(http.StatusAccepted, http.MethodPost, "/api/v1/events", `{"title":"Deployed","text":"by hand","tags":["service:checkout"]}`, "DD-API-KEY", c.token, "DD-APPLICATION-KEY", c.token)
	if log, u := c.sim.Requests(true), c.sim.Usage(); len(log) != u.Writes || u.Writes < 10 {
		t.Errorf("%d writes in the log, %d in the usage", len(log), u.Writes)
	}
}

// TestFollow holds that another process's clock stays with the world's, however that is set.
func TestFollow(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	f, err := simulator.Follow(t.Context(), c.sim.URL(), c.sim.Token())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	reaches := func(want time.Time) {
		t.Helper()
		for late := time.Now().Add(20 * time.Second); f.Now().Before(want); {
			if time.Now().After(late) {
				t.Fatalf("it is %s, and should be %s", f.Now(), want)
			}
		}
	}
	if got := f.Now(); !got.Equal(simulator.Opening()) {
		t.Errorf("it begins at %s", got)
	}
	c.sim.Advance(90 * time.Second)
	reaches(simulator.Opening().Add(90 * time.Second))
	c.do(http.StatusOK, http.MethodPost, "/-/clock", `{"speed":3600}`)
	reaches(simulator.Opening().Add(3 * time.Minute))
	c.do(http.StatusOK, http.MethodPost, "/-/clock", `{"speed":0}`)
	stands := c.sim.Now()
	reaches(stands)
	waited := make(chan time.Duration, 1)
	begun := f.Elapsed()
	go func() {
		f.Wait(t.Context(), time.Minute)
		waited <- f.Elapsed() - begun
	}()
	for over := false; !over; {
		select {
		case d := <-waited:
			if over = true; d < time.Minute {
				t.Errorf("it waited for %s", d)
			}
		default:
			c.sim.Advance(5 * time.Second)
		}
	}
	for _, body := range []string{`{"speed":-1}`, `{}`, `{"speed":"fast"}`, `{"speed":5000}`} {
		c.do(http.StatusBadRequest, http.MethodPost, "/-/clock", body)
	}
	for _, bad := range []string{"http://192.0.2.1:80", "https://127.0.0.1:1", "http://example.com", "http://127.0.0.1:1"} {
		if _, err := simulator.Follow(t.Context(), bad, "x"); err == nil {
			t.Errorf("%s is followed", bad)
		}
	}
	if _, err := simulator.Follow(t.Context(), c.sim.URL(), "another"); err == nil {
		t.Error("a wrong token is taken")
	}
}

// TestDecide holds that the control tree decides what waits.
func TestDecide(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 2})
	decide := func(service, approve string) (n struct{ Runs int }) {
		c.do(http.StatusOK, http.MethodPost, "/-/approvals", `{"service":"`+service+`","approve":`+approve+`}`).into(t, &n)
		return n
	}
	if n := decide("search", "true"); n.Runs != 1 {
		t.Errorf("%+v were approved", n)
	}
	if n := decide("checkout", "false"); n.Runs != 1 {
		t.Errorf("%+v were rejected", n)
	}
	if n := decide("web", "true"); n.Runs != 0 {
		t.Errorf("%+v were approved where nothing waits", n)
	}
	c.sim.Advance(10 * time.Minute)
	if got, want := prodSHA(c, "search", "us"), sha(c, "acme/search", "v0.8.1"); got != want {
		t.Errorf("search runs %s", got)
	}
	for _, body := range []string{`{"service":"web"}`, `{"service":"nobody's","approve":true}`, `[]`} {
		c.do(http.StatusBadRequest, http.MethodPost, "/-/approvals", body)
	}
}

// TestRest holds that nothing moves by itself while everybody rests.
func TestRest(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 2})
	c.do(http.StatusNoContent, http.MethodPost, "/-/rest", `{"rest":true}`)
	before := c.runs("acme/web", "").TotalCount
	c.sim.Advance(2 * time.Hour)
	if n := c.runs("acme/web", "").TotalCount; n != before {
		t.Errorf("%d runs were begun", n-before)
	}
	c.do(http.StatusNoContent, http.MethodPost, "/-/rest", `{"rest":false}`)
	c.sim.Advance(2 * time.Hour)
	if n := c.runs("acme/web", "").TotalCount; n == before {
		t.Error("nothing was begun")
	}
	c.do(http.StatusBadRequest, http.MethodPost, "/-/rest", `{"quiet":1}`)
}
