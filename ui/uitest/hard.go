package uitest

import (
	"strconv"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// HardRuns is a board of runs in states that the story does not have.
func HardRuns() *store.Snapshot {
	s := Story()
	type edit = func(*sources.Run)
	var runs []sources.Run
	add := func(workflow, title string, ago time.Duration, e edit) {
		id := strconv.Itoa(700 + len(runs))
		runs = append(runs, RunOf("checkout", workflow, id, "f00d"+id, title, Ago(ago), e))
	}
	waits := func(g sources.Gate) edit {
		return func(r *sources.Run) { r.State, r.Gates = sources.StateWaiting, []sources.Gate{g} }
	}
	done := func(state sources.State, reason string) edit {
		return func(r *sources.Run) {
			r.State, r.Reason, r.Ended = state, clean.Line(reason), r.Started.Add(95*time.Minute)
		}
	}
	add("first", "Never ran before", 20*time.Second, func(r *sources.Run) { r.State, r.Expected, r.Of, r.Failed = sources.StateRunning, 0, 0, 0 })
	add("slow", "Takes longer than ever", 19*time.Minute, func(r *sources.Run) { r.State = sources.StateRunning })
	add("queued", "In line", 50*time.Second, func(r *sources.Run) { r.State, r.Started = sources.StateQueued, time.Time{} })
	add("gated", "Somebody else's to give", 30*time.Minute, waits(sources.Gate{Reviewers: []clean.Text{clean.Line("sre2")}, Since: Ago(29 * time.Minute)}))
	add("timer", "Soaks", 12*time.Minute, waits(sources.Gate{Until: Now().Add(18 * time.Minute), Since: Ago(11 * time.Minute)}))
	add("blocked", "Nobody may", 2*time.Hour, waits(sources.Gate{Blocked: clean.Line("only main may deploy here")}))
	add("flaky", "Fails now and then", 3*time.Hour, func(r *sources.Run) {
		done(sources.StateFailed, "timed out")(r)
		r.Failed, r.Expected = 9, 0
	})
	add("startup", "Broken workflow file", 4*time.Hour, done(sources.StateFailed, "could not start"))
	add("odd", "A word nobody knows", 5*time.Hour, done(sources.StateUnknown, "quantum"))
	add("stale", "Overtaken", 6*time.Hour, done(sources.StateSuperseded, ""))
	add("a-workflow-with-a-very-long-name-indeed", "日本語のとても長いコミットの題名がここにあります。切り取られます", 7*time.Hour, func(r *sources.Run) {
		done(sources.StateFailed, "")(r)
		r.Service, r.Services = "checkout", []string{"checkout", "web", "search"}
		r.Failure = &sources.Failure{Job: LedgerJob(), JobName: clean.Line("ビルド"), Step: clean.Line("a step whose name is as long as the line it stands on, and then some"), Failed: 1, Legs: 1}
	})
	add("pull", "From a fork", 8*time.Hour, func(r *sources.Run) {
		done(sources.StateFailed, "")(r)
		r.RefKind, r.Pull, r.Default, r.Fork, r.Mine = sources.RefPull, 977, false, true, true
	})
	add("nightly", "Every night", 60*time.Hour, func(r *sources.Run) {
		r.Event, r.State, r.Expected = "schedule", sources.StateRunning, time.Hour
	})
	for i := range s.Feeds {
		f := &s.Feeds[i]
		f.Runs = nil
		if f.Key.Capability == store.Runs && f.Key.Scope == "acme/checkout" {
			f.Runs = runs
		}
	}
	return s
}

// HardLanes is a board of lanes in states that the story does not have.
func HardLanes() *store.Snapshot {
	s := Story()
	const ok, failed, running, waiting = sources.StatePassed, sources.StateFailed, sources.StateRunning, sources.StateWaiting
	one := func(target string, v sources.Version, state sources.State, age time.Duration) deploy {
		return deploy{target: target, version: v, state: state, age: age, took: 2 * time.Minute, actor: "dev4"}
	}
	euUS := []string{"eu", "us"}
	disagree := environmentOf("checkout", "prod", 1, euUS, both(V("v1.9.2", "a1b2c3d"), ok, 10*time.Minute, "dev4")...)
	for i := range disagree.Targets {
		disagree.Targets[i].Current.Mismatch = true
	}
	gated := environmentOf("search", "prod", 1, euUS, cat([]deploy{one("eu", V("v0.8.1", "9e4410c"), waiting, 3*time.Minute), one("us", V("v0.8.1", "9e4410c"), waiting, 3*time.Minute)},
		both(V("v0.8.0", "8080aa1"), ok, 5*day, "dev2"))...)
	gate := SearchGate()
	gate.CanApprove, gate.Reviewers = false, []clean.Text{clean.Line("release-managers")}
	gated.Gates, gated.Ahead = []sources.Gate{gate}, 1
	rolling := environmentOf("web", "prod", 1, euUS, cat([]deploy{one("us", V("", "c0ffee1"), running, time.Minute), one("eu", V("", "c0ffee1"), ok, 2*time.Minute)},
		both(V("", "b00b1e5"), ok, day, "dev4"))...)
	broken := environmentOf("accounts", "prod", 1, nil, one("", V("v2.0.4", "ab12cd3"), failed, time.Minute), one("", V("v2.0.3", "2003aa1"), ok, day))
	hotfix := environmentOf("ledger", "prod", 1, euUS, one("eu", V("ledger/v3.2.9-hotfix.1+build.20261121", "3290cc3"), ok, 2*day))
	hotfix.Behind = 2
	mixed := environmentOf("reports", "prod", 1, euUS, one("eu", V("v5", "5555555"), ok, time.Hour), one("us", V("v4", "4444444"), ok, 2*time.Hour))
	for i := range s.Feeds {
		f := &s.Feeds[i]
		for j := range f.Environments {
			for _, env := range []sources.Environment{disagree, gated, rolling, broken, hotfix, mixed} {
				if f.Environments[j].Ref == env.Ref {
					f.Environments[j] = env
				}
			}
		}
	}
	return s
}
