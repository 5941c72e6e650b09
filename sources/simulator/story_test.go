package simulator_test

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
)

// TestOpening holds the world against the board of the design, over HTTP.
func TestOpening(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	if got := c.sim.Now(); !got.Equal(time.Date(2026, 11, 17, 2, 14, 0, 0, time.UTC)) || got.Weekday() != time.Tuesday {
		t.Fatalf("opens at %s", got)
	}
	for _, w := range []struct{ repo, query, sha, title, status, conclusion string }{
		{"acme/web", "status=in_progress", "c0ffee1", "Release c0ffee1", "in_progress", ""},
		{"acme/money", "branch=fix/lag", "77aa001", "Widen batch window", "completed", "failure"},
		{"acme/search", "status=waiting", "9e4410c", "Deploy v0.8.1", "waiting", ""},
		{"acme/accounts", "event=merge_group", "5d0cab4", "Rotate keys (#418)", "queued", ""},
		{"acme/checkout", "branch=v1.9.2", "a1b2c3d", "Release v1.9.2", "completed", "success"},
	} {
		r := c.find(w.repo, w.query)
		if r.HeadSHA[:7] != w.sha || r.DisplayTitle != w.title || r.Status != w.status || r.Conclusion != w.conclusion {
			t.Errorf("%s: %+v", w.repo, r)
		}
	}
	checkTruth(t, c)
	checkFailure(t, c)
	checkGate(t, c)
	checkDeployments(t, c)
	checkNoRunner(t, c)
}

func checkTruth(t *testing.T, c *client) {
	t.Helper()
	svc := c.service("checkout")
	for name, want := range map[string]float64{"error rate": 4.1, "p95 latency": 912, "requests": 1200, "cpu": 61, "memory": 72, "iops": 2100} {
		if got := svc.Metrics[name]; math.Abs(got-want) > 0.05*want {
			t.Errorf("checkout's %s is %g, want about %g", name, got, want)
		}
	}
	p1, at := c.incident("5xx above 2 % for 5m"), func(clock string) time.Time {
		x, _ := time.Parse("2006-01-02 15:04:05", "2026-11-17 "+clock)
		return x
	}
	if p1.State != "triggered" || p1.Holder != "sre1" || !p1.Onset.Equal(at("02:05:00")) || !p1.Created.Equal(at("02:11:00")) || !p1.Escalates.Equal(at("02:16:14")) {
		t.Errorf("the page is %+v", p1)
	}
	lag := c.incident("replica lag above 30s")
	if lag.State != "acknowledged" || lag.Holder != "sre1" || !lag.Changed.Equal(at("01:33:00")) || !lag.Escalates.Equal(at("02:33:00")) {
		t.Errorf("ledger's incident is %+v", lag)
	}
	if slow := c.incident("slow queries"); slow.State != "acknowledged" || !slow.Changed.Equal(at("02:02:00")) || slow.Severity != 2 {
		t.Errorf("billing-core's incident is %+v", slow)
	}
	truth := c.truth()
	if s := truth.Shifts; s[0].Who != "sre1" || !s[0].Till.Equal(at("06:00:00")) || s[1].Who != "sre2" || s[1].Zone != "+01:00" {
		t.Errorf("shifts are %+v", s)
	}
	if f := truth.Flags; len(f) != 1 || f[0].Name != "pay_retry" || !f[0].On || !f[0].At.Equal(at("02:01:00")) {
		t.Errorf("flags are %+v", f)
	}
}

func checkFailure(t *testing.T, c *client) {
	t.Helper()
	r := c.find("acme/money", "branch=fix/lag")
	failed, legs := 0, 0
	for _, j := range c.jobs("acme/money", r.ID, "") {
		if strings.HasPrefix(j.Name, "integration / run tests (") {
			legs++
		}
		if j.Conclusion != "failure" {
			continue
		}
		failed++
		i := slices.IndexFunc(j.Steps, func(s struct {
			Name, Status, Conclusion string
			Number                   int
		}) bool {
			return s.Conclusion == "failure"
		})
		if i < 0 || j.Steps[i].Name != "TestReplicaCatchUp" {
			t.Errorf("%s failed in %+v", j.Name, j.Steps)
		}
	}
	if failed != 3 || legs != 12 {
		t.Errorf("%d of %d legs failed, want 3 of 12", failed, legs)
	}
}

func checkGate(t *testing.T, c *client) {
	t.Helper()
	r := c.find("acme/search", "status=waiting")
	var gates []struct {
		Environment struct{ Name string }
		CanApprove  bool `json:"current_user_can_approve"`
	}
	c.get("/repos/acme/search/actions/runs/"+itoa(r.ID)+"/pending_deployments").into(t, &gates)
	if len(gates) != 2 || !gates[0].CanApprove || gates[0].Environment.Name != "production-eu" || gates[1].Environment.Name != "production-us" {
		t.Errorf("search waits for %+v", gates)
	}
	var cmp struct {
		AheadBy int `json:"ahead_by"`
	}
	c.get("/repos/acme/search/compare/v0.8.0...v0.8.1").into(t, &cmp)
	if cmp.AheadBy != 4 {
		t.Errorf("%d commits wait, want 4", cmp.AheadBy)
	}
	c.get("/repos/acme/checkout/compare/v1.9.1...v1.9.2").into(t, &cmp)
	if cmp.AheadBy != 2 {
		t.Errorf("a rollback of checkout undoes %d commits, want 2", cmp.AheadBy)
	}
	staged := deploymentsOf(c, "acme/reports", "staging")[0].SHA
	c.get("/repos/acme/reports/compare/"+staged+"...main").into(t, &cmp)
	if cmp.AheadBy != 3 || len(deploymentsOf(c, "acme/reports", "production-eu")) != 0 {
		t.Errorf("reports' main is %d ahead of staging", cmp.AheadBy)
	}
}

type deploymentBody struct {
	ID               int64
	SHA, Environment string
	CreatedAt        time.Time `json:"created_at"`
	Creator          struct{ Login string }
}

func deploymentsOf(c *client, repo, env string) []deploymentBody {
	c.t.Helper()
	var out []deploymentBody
	c.get("/repos/"+repo+"/deployments?per_page=100&environment="+env).into(c.t, &out)
	return out
}

// stateOf is the newest status of a deployment.
func stateOf(c *client, repo string, d deploymentBody) string {
	c.t.Helper()
	var out []struct{ State string }
	c.get("/repos/"+repo+"/deployments/"+itoa(d.ID)+"/statuses?per_page=100").into(c.t, &out)
	return out[0].State
}

func checkDeployments(t *testing.T, c *client) {
	t.Helper()
	day, failed := 0, 0 // what waits for the schema has deployed nothing
	for _, repo := range []string{"checkout", "search", "web", "accounts", "money", "reports"} {
		for _, d := range deploymentsOf(c, "acme/"+repo, "") {
			if c.sim.Now().Sub(d.CreatedAt) > 24*time.Hour || d.Environment == "schema" {
				continue
			}
			day++
			if s := stateOf(c, "acme/"+repo, d); s == "failure" || s == "error" {
				failed++
			}
		}
	}
	if day != 19 || failed != 2 {
		t.Errorf("%d deployments in a day, %d failed, want 19 and 2", day, failed)
	}
	if d := deploymentsOf(c, "acme/checkout", "production-eu")[0]; d.SHA[:7] != "a1b2c3d" || d.Creator.Login != "dev4" {
		t.Errorf("checkout's newest in eu is %+v", d)
	}
	if d := deploymentsOf(c, "acme/accounts", "production-us")[0]; stateOf(c, "acme/accounts", d) != "failure" {
		t.Error("accounts' newest in us did not fail")
	}
	if d := deploymentsOf(c, "acme/web", "staging")[0]; d.SHA[:7] != "c0ffee1" || stateOf(c, "acme/web", d) != "in_progress" {
		t.Errorf("web's newest in staging is %+v", d)
	}
	// Filed for its secrets alone: newer than what runs, and no deployment.
	d := deploymentsOf(c, "acme/web", "production-eu")
	if d[0].SHA[:7] == "b00b1e5" || d[1].SHA[:7] != "b00b1e5" || stateOf(c, "acme/web", d[0]) != "success" || stateOf(c, "acme/web", d[1]) != "inactive" {
		t.Errorf("web's newest in eu are %+v", d[:2])
	}
	for _, r := range c.service("web").Running {
		if r.Stage == "prod" && r.SHA[:7] != "b00b1e5" {
			t.Errorf("the nightly run changed what runs: %+v", r)
		}
	}
}

func checkNoRunner(t *testing.T, c *client) {
	t.Helper()
	r := c.find("acme/accounts", "event=merge_group")
	if !strings.HasPrefix(r.HeadBranch, "gh-readonly-queue/main/pr-418-") {
		t.Errorf("the queue's branch is %s", r.HeadBranch)
	}
	jobs := c.jobs("acme/accounts", r.ID, "")
	var list struct {
		Runners []struct {
			Status string
			Labels []struct{ Name string }
		}
	}
	c.get("/repos/acme/accounts/actions/runners?per_page=100").into(t, &list)
	for _, m := range list.Runners {
		for _, l := range m.Labels {
			if l.Name == "gpu" && m.Status == "online" {
				t.Error("a machine with gpu is online")
			}
		}
	}
	if len(jobs) != 1 || !slices.Contains(jobs[0].Labels, "gpu") || jobs[0].Status != "queued" {
		t.Errorf("the queue's jobs are %+v", jobs)
	}
	c.until(20*time.Minute, func() bool { return c.find("acme/accounts", "event=merge_group").done() })
}

func sha(c *client, repo, ref string) string {
	c.t.Helper()
	var out struct{ SHA string }
	c.get("/repos/"+repo+"/commits/"+ref).into(c.t, &out)
	return out.SHA
}

// freeQueue rejects what holds the queue of checkout's production.
func freeQueue(c *client) {
	c.t.Helper()
	var gates []struct{ Environment struct{ ID int64 } }
	run := "/repos/acme/checkout/actions/runs/" + itoa(c.find("acme/checkout", "status=waiting").ID)
	c.get(run+"/pending_deployments").into(c.t, &gates)
	c.do(http.StatusOK, http.MethodPost, run+"/pending_deployments",
		fmt.Sprintf(`{"environment_ids":[%d],"state":"rejected","comment":"the version goes back"}`, gates[0].Environment.ID))
	c.sim.Advance(2 * time.Second)
}

// rollBack dispatches checkout's deployment of v1.9.1 and returns its run.
func rollBack(c *client) int64 {
	c.t.Helper()
	var out struct {
		ID int64 `json:"workflow_run_id"`
	}
	body := fmt.Sprintf(`{"ref":"main","return_run_details":true,"inputs":{"environment":"prod","ref":%q}}`, sha(c, "acme/checkout", "v1.9.1"))
	c.do(http.StatusOK, http.MethodPost, "/repos/acme/checkout/actions/workflows/deploy.yml/dispatches", body).into(c.t, &out)
	return out.ID
}

// TestRollback is the story: rolling the bad version back heals the metrics and resolves the page within
// a minute of taking effect.
func TestRollback(t *testing.T) {
	t.Parallel()
	for seed := range int64(3) {
		c := start(t, simulator.Options{Seed: seed})
		bad, good := sha(c, "acme/checkout", "v1.9.2"), sha(c, "acme/checkout", "v1.9.1")
		freeQueue(c)
		id := rollBack(c)
		run := func() (r runBody) {
			c.get("/repos/acme/checkout/actions/runs/"+itoa(id)).into(t, &r)
			return r
		}
		c.until(10*time.Minute, func() bool {
			if !run().done() {
				if s := c.incident("5xx above 2 % for 5m").State; s != "triggered" {
					t.Fatalf("seed %d: the page is %s before anything took effect", seed, s)
				}
			}
			return run().done()
		})
		if r := run(); r.Conclusion != "success" || !strings.Contains(r.DisplayTitle, good) {
			t.Fatalf("seed %d: the rollback ended as %+v", seed, r)
		}
		c.sim.Advance(time.Minute)
		svc := c.service("checkout")
		if e := svc.Metrics["error rate"]; e > 0.5 {
			t.Errorf("seed %d: a minute later the error rate is %g", seed, e)
		}
		if p := c.incident("5xx above 2 % for 5m"); p.State != "resolved" {
			t.Errorf("seed %d: a minute later the page is %s", seed, p.State)
		}
		for _, r := range svc.Running {
			if r.Stage == "prod" && r.SHA != good {
				t.Errorf("seed %d: %s runs %s", seed, r.Target, r.SHA)
			}
		}
		// The record carries the branch's SHA, not what the input asked for.
		d := deploymentsOf(c, "acme/checkout", "production-eu")[0]
		if d.SHA != bad || stateOf(c, "acme/checkout", d) != "success" {
			t.Errorf("seed %d: the record is %+v", seed, d)
		}
	}
}

// TestEscalation holds that nobody's silence wakes the next one, at the time that was announced, and
// that an acknowledgement lets them sleep.
func TestEscalation(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	c.sim.Advance(2*time.Minute + 13*time.Second)
	if p := c.incident("5xx above 2 % for 5m"); p.Holder != "sre1" {
		t.Fatalf("escalated early: %+v", p)
	}
	c.sim.Advance(time.Second)
	p := c.incident("5xx above 2 % for 5m")
	if last := p.Log[len(p.Log)-1]; p.Holder != "sre2" || last.Kind != "escalated" || last.Who != "sre2" {
		t.Fatalf("did not escalate: %+v", p)
	}
	c.do(http.StatusNoContent, http.MethodPost, "/-/incidents/"+itoa(int64(p.Number))+"/acknowledge", "")
	c.sim.Advance(30 * time.Minute)
	if p = c.incident("5xx above 2 % for 5m"); p.State != "acknowledged" || p.Holder != "sre1" {
		t.Errorf("an acknowledged page went on: %+v", p)
	}
	c.sim.Advance(31 * time.Minute)
	if p = c.incident("5xx above 2 % for 5m"); p.State != "triggered" {
		t.Errorf("an acknowledged page does not page again: %+v", p)
	}
}

// TestLife holds that the world goes on by itself.
func TestLife(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 7})
	count := func() (n int) {
		for _, repo := range []string{"checkout", "search", "web", "accounts", "money", "reports", "billing-core"} {
			n += c.runs("acme/"+repo, "").TotalCount
		}
		return n
	}
	before := count()
	for range 6 {
		c.sim.Advance(30 * time.Minute)
		now := count()
		if now-before < 5 {
			t.Errorf("only %d new runs in half an hour until %s", now-before, c.sim.Now())
		}
		before = now
	}
}
