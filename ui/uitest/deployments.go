package uitest

import (
	"fmt"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// V is a version of the story.
func V(tag, sha string) sources.Version {
	v := sources.Version{Tag: clean.Line(tag)}
	if sha != "" {
		v.SHA = sha + "0000000000000000000000000000000000000000"[:40-len(sha)]
	}
	return v
}

type deploy struct {
	target  string
	version sources.Version
	state   sources.State
	age     time.Duration
	took    time.Duration
	actor   string
	run     sources.Ref
	record  bool // only the record says so: unverified
}

func (d deploy) make(service, env string, n int) sources.Deployment {
	out := sources.Deployment{
		Ref: Ref(sources.KindDeployment, repoOf(service), fmt.Sprintf("%s/%s/%d", service, env, n)), Revision: "1", Target: d.target,
		Version: d.version, State: d.state, Actor: clean.Line(d.actor), Created: Ago(d.age + d.took), Run: d.run, Verified: !d.record,
		Evidence: []sources.Evidence{{Kind: sources.FromURL, Version: d.version, At: Ago(time.Minute), Detail: clean.Line("/version")},
			{Kind: sources.FromRecord, Version: d.version, At: Ago(d.age), Detail: clean.Line("deployment record")}},
	}
	if d.record {
		out.Evidence = out.Evidence[1:]
	}
	if d.state.Done() {
		out.Ended = Ago(d.age)
	}
	if d.state == sources.StateFailed {
		out.Reason = clean.Line("rollout timed out after 10m")
	}
	return out
}

// EnvironmentOf builds an environment from its deployments, newest first, as a driver would.
func environmentOf(service, name string, order int, targets []string, history ...deploy) sources.Environment {
	e := sources.Environment{Ref: envRef(service, name), Revision: "1", Service: service, Name: name, Provider: name, Order: order,
		Prod: name == "prod", Ahead: 0, URL: "https://github.example.com/" + repoOf(service) + "/deployments/" + name}
	if e.Prod {
		e.Provider, e.Previous = "production", "staging"
	}
	for i, d := range history {
		e.History = append(e.History, d.make(service, name, len(history)-i))
	}
	if len(targets) == 0 {
		targets = []string{""}
	}
	for _, name := range targets {
		t := sources.Target{Name: name}
		for i := range e.History {
			h := &e.History[i]
			if h.Target != name || t.Current != nil {
				continue
			}
			switch {
			case h.State == sources.StatePassed:
				t.Current = h
			case !h.State.Done():
				t.Arriving = h
			case h.State == sources.StateFailed && t.Failed == nil && t.Arriving == nil:
				t.Failed = h
			}
		}
		e.Targets = append(e.Targets, t)
	}
	return e
}

func both(version sources.Version, state sources.State, age time.Duration, actor string) []deploy {
	return []deploy{
		{target: "us", version: version, state: state, age: age, took: 4 * time.Minute, actor: actor},
		{target: "eu", version: version, state: state, age: age + 2*time.Minute, took: 3 * time.Minute, actor: actor},
	}
}

func cat(parts ...[]deploy) []deploy {
	var out []deploy
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

const day = 24 * time.Hour

// Environments are the story's environments.
func Environments() []sources.Environment {
	const ok, old, failed = sources.StatePassed, sources.StateSuperseded, sources.StateFailed
	euUS := []string{"eu", "us"}
	one := func(v sources.Version, s sources.State, age time.Duration) []deploy {
		return []deploy{{version: v, state: s, age: age, took: 3 * time.Minute, actor: "dev4"}}
	}
	search := environmentOf("search", "prod", 1, euUS, cat(both(V("v0.8.0", "8080aa1"), ok, 5*day, "dev2"), both(V("v0.7.9", "7979bb2"), old, 9*day, "dev2"))...)
	search.Ahead, search.Gates = 4, []sources.Gate{SearchGate()}
	web := environmentOf("web", "staging", 0, nil, cat(
		[]deploy{{version: V("", "c0ffee1"), state: sources.StateRunning, age: 90 * time.Second, actor: "dev4", run: WebRun()}},
		one(V("", "b00b1e5"), ok, day))...)
	webProd := environmentOf("web", "prod", 1, euUS, both(V("", "b00b1e5"), ok, day, "dev4")...)
	accounts := environmentOf("accounts", "prod", 1, euUS, cat(
		[]deploy{{target: "us", version: V("v2.0.3", "2003aa1"), state: failed, age: 6 * time.Minute, took: 10 * time.Minute, actor: "dev3"}},
		[]deploy{{target: "eu", version: V("v2.0.3", "2003aa1"), state: ok, age: 14 * time.Minute, took: 4 * time.Minute, actor: "dev3"}},
		both(V("v2.0.2", "2002bb2"), ok, 6*day, "dev3"))...)
	accounts.Ahead = 2
	ledger := environmentOf("ledger", "prod", 1, []string{"eu"},
		deploy{target: "eu", version: V("v3.2.9", "3290cc3"), state: ok, age: 2 * day, took: 5 * time.Minute, actor: "dev1", record: true},
		deploy{target: "eu", version: V("v3.2.8", "3280cc3"), state: old, age: 8 * day, took: 5 * time.Minute, actor: "dev1"})
	reports := environmentOf("reports", "prod", 1, nil)
	reports.Ahead = 3
	return []sources.Environment{
		environmentOf("checkout", "staging", 0, nil, one(V("v1.9.2", "a1b2c3d"), ok, 45*time.Minute)...),
		environmentOf("checkout", "prod", 1, euUS, cat(both(V("v1.9.2", "a1b2c3d"), ok, 10*time.Minute, "dev4"), both(V("v1.9.1", "9f8e7d6"), old, 3*day, "dev4"))...),
		environmentOf("search", "staging", 0, nil, one(V("v0.8.1", "9e4410c"), ok, 40*time.Minute)...), search,
		web, webProd,
		environmentOf("accounts", "staging", 0, nil, one(V("v2.0.4", "ab12cd3"), ok, time.Hour)...), accounts,
		environmentOf("ledger", "staging", 0, nil, one(V("v3.2.9", "3290cc3"), ok, 2*day)...), ledger,
		environmentOf("reports", "staging", 0, nil, one(V("", "de1e7e5"), ok, 26*time.Hour)...), reports,
	}
}
