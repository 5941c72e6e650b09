package action_test

import (
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// What a plan says of what runs, and of what is to run.
func TestPlansSayWhatRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		set             func(*yard)
		now, text, then string
		title           string
	}{
		{name: "as a rule", now: "vb in eu us", text: "prod eu us, told by its deployment record 10m ago", then: "ran in prod 2d23h", title: "Roll back checkout/prod to va"},
		{
			name: "as the service itself says", set: func(y *yard) {
				y.hub.envs["prod"].History[0].Evidence = []sources.Evidence{{Kind: sources.FromURL, At: time.Now().Add(-4 * time.Second)}}
			}, text: "prod eu us, seen by its version page 4s ago",
		},
		{name: "not for sure", set: func(y *yard) { y.hub.envs["prod"].History[0].Verified = false }, now: "vb in eu us, not verified", text: "prod eu us, not verified"},
		{name: "nor where two disagree", set: func(y *yard) { y.hub.envs["prod"].History[0].Mismatch = true }, text: "prod eu us, two pieces of evidence disagree"},
		{name: "two versions", set: func(y *yard) { y.hub.put("prod", "c", time.Minute, "us") }, now: "vb in eu; vc in us", then: "runs in prod 10m"},
		{
			name: "with what happened meanwhile", set: func(y *yard) {
				y.tells(store.Incidents)
				y.tells(store.Past, pagerduty("1", 24*time.Hour, 20*time.Hour))
			}, then: "ran in prod 2d23h, 1 incident",
		},
		{name: "with nothing that happened", set: func(y *yard) { y.tells(store.Incidents); y.tells(store.Past) }, then: "ran in prod 2d23h, no incident"},
		{name: "without anybody who could tell", set: func(y *yard) { y.tells(store.Incidents) }, then: "ran in prod 2d23h, incidents not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t)
				if c.set != nil {
					c.set(y)
				}
				p, err := y.Propose(t.Context(), y.rollback())
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range []struct{ what, got, want string }{
					{"now", p.Now.String(), c.now}, {"text", p.Change.Now.Text.String(), c.text}, {"then", p.Change.Then.Text.String(), c.then}, {"title", p.Title.String(), c.title},
				} {
					if x.want != "" && x.got != x.want {
						t.Errorf("%s is %q, want %q", x.what, x.got, x.want)
					}
				}
			})
		})
	}
}

// How long it usually takes is what the workflow's runs took, else the deployments; a change that takes long
// is followed for longer.
func TestHowLongItTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		for i := range y.hub.envs["prod"].History {
			h := &y.hub.envs["prod"].History[i]
			h.Started = h.Created.Add(time.Hour) // it waited for an approval
			h.Ended = h.Started.Add(time.Duration(i+1) * time.Minute)
		}
		p := y.plan(t, y.rollback())
		if p.Change.Expected != 2*time.Minute || p.Deadline != 30*time.Minute {
			t.Errorf("%s, followed for %s", p.Change.Expected, p.Deadline)
		}
		y.runs = append(y.runs, &sources.Run{
			Ref: y.hub.ref(sources.KindRun, "1"), Path: ".github/workflows/deploy.yml", State: sources.StatePassed, Expected: 20 * time.Minute, Title: clean.Const("x"),
		})
		if p = y.plan(t, y.rollback()); p.Change.Expected != 20*time.Minute || p.Deadline != time.Hour {
			t.Errorf("%s, followed for %s", p.Change.Expected, p.Deadline)
		}
	})
}
