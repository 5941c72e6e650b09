// Package uitest is what the tests of the board share: snapshots of one story told in full, goldens that
// are compared cell by cell, and a driver for keys.
package uitest

import (
	"math"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// Now is the moment of the story: a Saturday night, fourteen minutes past two, ten minutes after a bad
// version of checkout reached production.
func Now() time.Time { return time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC) }

// Ago is so long before Now.
func Ago(d time.Duration) time.Time { return Now().Add(-d) }

// Ref is the reference of an object of the story's GitHub.
func Ref(kind sources.Kind, scope, id string) sources.Ref {
	return sources.Ref{Source: "github", Kind: kind, Scope: scope, ID: id}
}

// WebRun is the run that is under way.
func WebRun() sources.Ref { return Ref(sources.KindRun, "acme/web", "6101") }

// LedgerRun is the run that failed.
func LedgerRun() sources.Ref { return Ref(sources.KindRun, "acme/money", "6102") }

// SearchRun is the run that waits for an approval.
func SearchRun() sources.Ref { return Ref(sources.KindRun, "acme/search", "6103") }

// AccountsProd is the environment that is partly deployed.
func AccountsProd() sources.Ref { return envRef("accounts", "prod") }

// SearchProd is the environment that SearchRun waits before.
func SearchProd() sources.Ref { return envRef("search", "prod") }

// LedgerProd is the environment whose version nothing confirms.
func LedgerProd() sources.Ref { return envRef("ledger", "prod") }

func envRef(service, env string) sources.Ref {
	return Ref(sources.KindEnvironment, repoOf(service), service+"/"+env)
}

func repoOf(service string) string {
	if service == "ledger" {
		return "acme/money"
	}
	return "acme/" + service
}

// Services are the story's services in the order of its config.
func Services() []string {
	return []string{"checkout", "search", "web", "accounts", "ledger", "reports"}
}

// Story is the board's snapshot at Now: deployments and pipelines from GitHub, no other source.
func Story() *store.Snapshot {
	s := &store.Snapshot{Seq: 7, At: Now(), Catalog: &store.Catalog{
		Team: "payments", Me: map[string]string{"github": "sre1"},
		Sources: []store.SourceInfo{{Name: "github", Type: "github",
			Capabilities: []store.Capability{store.Runs, store.Environments, store.Releases}}},
	}}
	for _, name := range Services() {
		s.Catalog.Services = append(s.Catalog.Services, store.Service{Name: name, Source: "github", Repo: repoOf(name),
			Environments: []string{"staging", "prod"}, Runbook: "https://runbooks.example.com/" + name})
	}
	runs, envs := Runs(), Environments()
	for _, name := range Services() {
		scope := repoOf(name)
		s.Feeds = append(s.Feeds,
			store.Feed{Key: feedKey(store.Environments, scope), Generation: 1, Health: healthy(30 * time.Second),
				Environments: ofScope(envs, scope, func(e sources.Environment) string { return e.Ref.Scope })},
			store.Feed{Key: feedKey(store.Runs, scope), Generation: 1, Health: healthy(15 * time.Second),
				Runs: ofScope(runs, scope, func(r sources.Run) string { return r.Ref.Scope })})
	}
	return s
}

func feedKey(c store.Capability, scope string) store.FeedKey {
	return store.FeedKey{Source: "github", Capability: c, Scope: scope}
}

func healthy(interval time.Duration) store.Health {
	return store.Health{State: store.Healthy, Since: Ago(time.Hour), LastGood: Ago(interval / 2),
		Next: Now().Add(interval / 2), Interval: interval, Latency: 120 * time.Millisecond}
}

func ofScope[T any](all []T, scope string, of func(T) string) []T {
	var out []T
	for _, v := range all {
		if of(v) == scope {
			out = append(out, v)
		}
	}
	return out
}

// RunOf makes a run of the story on the default branch; edit changes what differs.
func RunOf(service, workflow, id, sha, title string, created time.Time, edit func(*sources.Run)) sources.Run {
	scope := repoOf(service)
	r := sources.Run{
		Ref: Ref(sources.KindRun, scope, id), Revision: sources.Revision(id + ".1"), Service: service,
		Workflow: clean.Line(workflow), Path: ".github/workflows/" + workflow + ".yml", Title: clean.Line(title),
		Number: 812, Attempt: 1, Event: "push", Branch: clean.Line("main"), Default: true,
		Commit: sources.Commit{SHA: sha + "00000000000000000000000000000000000000000"[:40-len(sha)], Title: clean.Line(title),
			Author: clean.Line("dev4"), At: created.Add(-time.Minute)},
		Actor: clean.Line("dev4"), State: sources.StatePassed, Created: created, Started: created,
		Expected: 4 * time.Minute, Failed: 1, Of: 20,
		URL: "https://github.example.com/" + scope + "/actions/runs/" + id,
	}
	edit(&r)
	return r
}

func passed(d time.Duration) func(*sources.Run) {
	return func(r *sources.Run) { r.Ended = r.Started.Add(d) }
}

func tag(name string, d time.Duration) func(*sources.Run) {
	return func(r *sources.Run) {
		r.RefKind, r.Branch, r.Default, r.Ended = sources.RefTag, clean.Line(name), false, r.Started.Add(d)
	}
}

// Runs are the story's runs, newest first in each repository.
func Runs() []sources.Run {
	return []sources.Run{
		RunOf("web", "release", "6101", "c0ffee1", "New navigation", Ago(2*time.Minute), func(r *sources.Run) {
			r.State, r.Deploys = sources.StateRunning, true
			r.Jobs = sources.JobCounts{Total: 5, Done: 2, Running: 1}
		}),
		RunOf("web", "release", "6001", "b00b1e5", "Smaller icons", Ago(25*time.Hour), passed(3*time.Minute+50*time.Second)),
		RunOf("web", "ci", "6091", "c0ffee1", "New navigation", Ago(9*time.Minute), passed(5*time.Minute+2*time.Second)),
		RunOf("ledger", "ci", "6102", "77aa001", "Widen batch window", Ago(3*time.Minute+30*time.Second), ledgerFailed),
		RunOf("ledger", "ci", "6090", "3e4f5a6", "Index the replicas", Ago(6*time.Hour), passed(4*time.Minute+1*time.Second)),
		RunOf("search", "deploy", "6103", "9e4410c", "Rank by recency", Ago(3*time.Minute+40*time.Second), func(r *sources.Run) {
			r.State, r.Deploys, r.Gates = sources.StateWaiting, true, []sources.Gate{SearchGate()}
		}),
		RunOf("search", "ci", "6080", "9e4410c", "Rank by recency", Ago(52*time.Minute), passed(2*time.Minute+9*time.Second)),
		RunOf("accounts", "ci", "6104", "5d0cab4", "Rotate keys", Ago(4*time.Minute), func(r *sources.Run) {
			r.State, r.RefKind, r.Pull, r.Default = sources.StateQueued, sources.RefQueue, 418, false
			r.Branch, r.Event = clean.Line("gh-readonly-queue/main/pr-418-5d0cab4"), "merge_group"
			r.NoRunner, r.Started = []string{"gpu"}, time.Time{}
		}),
		RunOf("accounts", "release", "6070", "ab12cd3", "Bump the key service", Ago(68*time.Minute), func(r *sources.Run) {
			tag("v2.0.4", 9*time.Minute+31*time.Second)(r)
			r.Attempt, r.Failed = 2, 4
		}),
		RunOf("checkout", "release", "6105", "a1b2c3d", "Retry card tokens", Ago(18*time.Minute), tag("v1.9.2", 7*time.Minute+44*time.Second)),
		RunOf("checkout", "ci", "6060", "a1b2c3d", "Retry card tokens", Ago(70*time.Minute), passed(6*time.Minute+12*time.Second)),
		RunOf("reports", "ci", "6050", "de1e7e5", "Weekly totals", Ago(26*time.Hour), func(r *sources.Run) {
			r.State, r.Ended = sources.StateCancelled, r.Started.Add(48*time.Second)
		}),
	}
}

func ledgerFailed(r *sources.Run) {
	r.State, r.Branch, r.Default, r.Mine = sources.StateFailed, clean.Line("fix/lag"), false, true
	r.Actor, r.Commit.Author, r.Ended = clean.Line("sre1"), clean.Line("sre1"), r.Started.Add(3*time.Minute+12*time.Second)
	r.Jobs = sources.JobCounts{Total: 14, Done: 14, Failed: 3}
	r.Failure = &sources.Failure{Job: Ref(sources.KindJob, "acme/money", "9104"), Caller: clean.Line("integration"),
		JobName: clean.Line("run tests"), Step: clean.Line("TestReplicaCatchUp"), Failed: 3, Legs: 12}
	r.Failed = 3
}

// SearchGate is the approval that search waits for.
func SearchGate() sources.Gate {
	return sources.Gate{Environment: "production", EnvironmentID: 51, Reviewers: []clean.Text{clean.Line("sre1"), clean.Line("sre2")},
		CanApprove: true, Since: Ago(3 * time.Minute), Run: SearchRun(),
		Version: sources.Version{SHA: "9e4410c00000000000000000000000000000000", Tag: clean.Line("v0.8.1")}, Concurrency: clean.Line("deploy-prod")}
}

// Series are a few metrics of the story, for boards that have a source of metrics.
func Series() []sources.Series {
	series := func(service, name, unit string, limit float64, values ...float64) sources.Series {
		s := sources.Series{Ref: sources.Ref{Source: "datadog", Kind: sources.KindSeries, ID: service + "/" + name},
			Service: service, Name: clean.Line(name), Unit: unit, Limit: limit}
		for i, v := range values {
			s.Points = append(s.Points, sources.Point{At: Ago(time.Duration(len(values)-1-i) * time.Minute), Value: v})
		}
		return s
	}
	return []sources.Series{
		series("checkout", "error rate", "%", 2, 0.2, 0.2, 0.3, 2.9, 4.1),
		series("checkout", "p95 latency", "ms", 300, 301, 305, 310, 820, 912),
		series("checkout", "requests", "/s", math.NaN(), 1250, 1240, 1210, 1205, 1200),
		series("ledger", "replica lag", "s", 30, 4, 12, 33, math.NaN(), math.NaN()),
		series("search", "error rate", "%", 2, 0.1, 0.1, 0.1, 0.1, 0.1),
	}
}

// WithMetrics adds a source of metrics to s.
func WithMetrics(s *store.Snapshot, series ...sources.Series) *store.Snapshot {
	s.Catalog.Sources = append(s.Catalog.Sources, store.SourceInfo{Name: "datadog", Type: "datadog",
		Capabilities: []store.Capability{store.Metrics}})
	s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: "datadog", Capability: store.Metrics}, Generation: 1,
		Health: healthy(30 * time.Second), Series: series})
	return s
}
