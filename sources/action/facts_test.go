package action_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
)

func health(ago time.Duration) store.Health {
	return store.Health{State: store.Healthy, LastGood: time.Now().Add(-ago), Interval: time.Minute}
}

func (y *yard) facts(t *testing.T, q action.Request) policy.Facts {
	t.Helper()
	f, err := y.Facts(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What is not known is nil, or said to be unknown; it never looks like an answer.
func TestFactsThatAreNotKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		y.unlisted, y.hub.blind = true, true
		y.hub.envs["staging"].History[0].Verified = false
		f := y.facts(t, y.promote())
		if f.Version != nil || f.Checks != nil || f.From != nil || f.SLO != nil || f.IncidentsKnown || f.MonitorsKnown || f.AgeKnown || f.Environment.BusyKnown {
			t.Errorf("%+v", f)
		}
		if !f.NoIncidentSource || !f.NoObjective || f.FirstStage {
			t.Errorf("no source: %+v", f)
		}
		q := y.promote()
		q.Version = "vc"
		if f = y.facts(t, q); f.Version == nil || f.Checks != nil || sources.KindOf(f.Unchecked) != sources.Permission {
			t.Errorf("%+v", f)
		}
		y.hub.order = []string{"0"}
		y.service.Migrations = []string{"db/**"}
		if f = y.facts(t, q); f.Version.Commits != -1 || f.Version.MigrationsKnown {
			t.Errorf("without a comparison: %+v", f.Version)
		}
	})
}

func TestFactsOfTheWorld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		y.service.Objectives, y.roles = true, []string{"release"}
		own, up, far, none := pagerduty("1", time.Hour, 0), pagerduty("2", time.Hour, 0), pagerduty("3", time.Hour, 0), pagerduty("4", time.Hour, 0)
		own.Low, up.Service, far.Service, none.Service = true, "ledger", "bank", "web"
		y.tells(store.Incidents, own, up, far, none, pagerduty("5", time.Hour, time.Minute))
		y.feeds = append(y.feeds,
			store.Feed{Key: store.FeedKey{Source: "dd", Capability: store.Monitors}, Health: health(90 * time.Second), Monitors: []sources.Monitor{
				{Service: "checkout", Name: clean.Const("5xx"), State: sources.MonitorAlert, Silenced: []sources.Silence{{}}}, {Service: "web", Name: clean.Const("other")},
			}},
			store.Feed{Key: store.FeedKey{Source: "dd", Capability: store.SLOs}, Health: health(time.Minute), SLOs: []sources.SLO{
				{Service: "checkout", Name: clean.Const("wide"), Budget: 0.9}, {Service: "checkout", Name: clean.Const("tight"), Budget: 0.2, Burns: []sources.Burn{{Over: time.Hour, Rate: 3}, {Over: 5 * time.Minute, Rate: 7}}},
				{Service: "checkout", Name: clean.Const("unknown"), Budget: sources.Number(math.NaN())}, {Service: "web", Budget: 0},
			}},
			store.Feed{Key: store.FeedKey{Source: "dd", Capability: store.Metrics, Scope: "checkout"}, Health: health(time.Minute), Series: []sources.Series{
				{Service: "checkout", Name: clean.Const("error rate"), Limit: math.NaN(), Step: time.Minute, Points: []sources.Point{{At: time.Now().Add(-time.Minute), Value: 4.1}, {At: time.Now(), Value: math.NaN()}}},
				{Service: "checkout", Name: clean.Const("old"), Limit: math.NaN(), Step: time.Minute, Points: []sources.Point{{At: time.Now().Add(-time.Hour), Value: 1}}},
			}},
			store.Feed{Key: store.FeedKey{Source: "dd", Capability: store.Metrics, Scope: "web"}, Health: health(time.Hour)},
		)
		f := y.facts(t, y.promote())
		var open []string
		for _, i := range f.Incidents {
			open = append(open, i.Service)
			if i.Upstream != (i.Service != "checkout") || i.Low != (i.Service == "checkout") || i.Severity != 2 || i.Age != time.Hour {
				t.Errorf("incident %+v", i)
			}
		}
		slices.Sort(open)
		if !slices.Equal(open, []string{"bank", "checkout", "ledger"}) || !f.IncidentsKnown || f.NoIncidentSource {
			t.Errorf("incidents %v", open)
		}
		if len(f.Monitors) != 1 || !f.Monitors[0].Muted || f.Monitors[0].State != "alert" || !f.MonitorsKnown {
			t.Errorf("monitors %+v", f.Monitors)
		}
		if f.SLO == nil || f.SLO.Name != "tight" || f.SLO.Remaining != 0.2 || f.SLO.Burn != 7 || !f.SLO.BurnKnown || f.NoObjective {
			t.Errorf("slo %+v", f.SLO)
		}
		if len(f.Metrics) != 1 || f.Metrics["error rate"] != 4.1 {
			t.Errorf("metrics %v", f.Metrics)
		}
		if f.Age != 90*time.Second || !f.AgeKnown {
			t.Errorf("age %s %t", f.Age, f.AgeKnown)
		}
		if !slices.Equal(f.Roles, []string{"release"}) || !f.CanCosign || f.Who != "sre1" || f.Service != "checkout" || f.Action != sources.Promote {
			t.Errorf("who %+v", f)
		}
		if e := f.Environment; e.Name != "prod" || !e.Prod || e.Since != 10*time.Minute || !slices.Equal(e.Targets, []string{"eu", "us"}) || !e.BusyKnown || e.Busy != "" {
			t.Errorf("environment %+v", e)
		}
		if f.From == nil || f.From.Name != "staging" || f.From.Age != 2*time.Hour || !f.From.Known || !f.From.Healthy {
			t.Errorf("from %+v", f.From)
		}
		if v := f.Version; v.SHA != sha("c") || v.Tag != "vc" || v.Older || v.Commits != 1 || !v.MigrationsKnown || v.KnownBad != "" {
			t.Errorf("version %+v", v)
		}
	})
}

func TestDeploymentsAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour) // of the test's own clock: noon
		y := newYard(t)
		y.hub.put("prod", "c", 5*time.Hour, "eu", "us")
		y.hub.file("prod", sources.Deployment{Version: version("d"), State: sources.StateFailed}, 3*time.Hour)
		y.hub.put("prod", "c", 30*time.Hour)
		// newYard's own: one of ten minutes ago.
		if d := y.facts(t, y.promote()).Deployments; d == nil || d.LastHour != 1 || d.Today != 3 || d.Failed != 1 {
			t.Errorf("%+v", d)
		}
	})
}

func TestChecksOfOneCommit(t *testing.T) {
	t.Parallel()
	check := func(name string, s sources.State) sources.Check {
		return sources.Check{Name: clean.Line(name), State: s, Run: sources.Ref{Source: "github", Kind: sources.KindRun, Scope: scope, ID: name}, Event: "push"}
	}
	for _, c := range []struct {
		name                    string
		checks                  []sources.Check
		passed, failed, running int
	}{
		{"all states", []sources.Check{check("a", sources.StatePassed), check("b", sources.StateFailed), check("c", sources.StateCancelled), check("d", sources.StateRunning), check("e", sources.StateSkipped), check("f", sources.StateQueued)}, 1, 2, 2},
		{"a dispatched deployment judges nothing", []sources.Check{{Name: clean.Const("deploy"), State: sources.StateFailed, Path: ".github/workflows/deploy.yml", Event: "workflow_dispatch"}}, 0, 0, 0},
		{"none", nil, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t)
				y.hub.checks = c.checks
				if f := y.facts(t, y.promote()).Checks; f == nil || f.Passed != c.passed || f.Failed != c.failed || f.Running != c.running || len(f.Names) != c.failed+c.running {
					t.Errorf("%+v", f)
				}
			})
		})
	}
	t.Run("one pipeline that waits with what it has built", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			y := newYard(t)
			r := y.hub.wait("prod", "c", true)
			r.Jobs = sources.JobCounts{Total: 4, Done: 3}
			y.hub.checks = []sources.Check{{Name: clean.Const("pipeline"), State: sources.StateWaiting, Run: r.Ref}}
			q := y.promote()
			q.Means = action.ByApproval
			if f := y.facts(t, q).Checks; f == nil || f.Passed != 1 || f.Running != 0 {
				t.Errorf("%+v", f)
			}
			r.Jobs.Failed = 1
			if f := y.facts(t, q).Checks; f.Failed != 1 || f.Passed != 0 {
				t.Errorf("%+v", f)
			}
		})
	})
}
