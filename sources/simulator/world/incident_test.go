package world

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestIncidentLaws lets people do anything at all to incidents, and holds what must be true of them then.
func TestIncidentLaws(t *testing.T) {
	t.Parallel()
	for seed := range int64(2) {
		w := Story(seed, opening)
		rng := rand.New(rand.NewPCG(uint64(seed), 17))
		ended := map[*Incident]time.Time{}
		for range 220 {
			w.RunUntil(w.Now().Add(time.Duration(rng.IntN(240)) * time.Second))
			handle(w, rng)
			for _, i := range w.Incidents {
				lawful(t, w, i)
				if at, ok := ended[i]; ok && (i.State != Resolved || !i.Changed.Equal(at)) {
					t.Errorf("#%d ended at %s, and is %s since %s", i.Number, at, i.State, i.Changed)
				}
				if i.State == Resolved {
					ended[i] = i.Changed
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d at %s", seed, w.Now())
			}
		}
	}
}

func lawful(t *testing.T, w *World, i *Incident) {
	t.Helper()
	switch {
	case i.State == Resolved && (len(i.Assigned) > 0 || len(i.Acks) > 0 || !i.Next.IsZero()),
		i.State == Triggered && len(i.Acks) > 0,
		i.State == Acknowledged && (len(i.Acks) == 0 || len(i.Assigned) == 0),
		i.State == Triggered && i.Level >= 0 && len(i.Assigned) == 0,
		!i.Next.IsZero() && i.Next.Before(w.Now()),
		i.Level < -1 || i.Level >= len(i.Policy.Levels),
		i.Changed.Before(i.Created) || i.Updated.Before(i.Changed),
		i.State == Resolved && slices.ContainsFunc(i.Alerts, func(a *Alert) bool { return a.State != Resolved && i.Merged == nil }):
		t.Errorf("%+v", i)
	}
	for n := range i.Log[1:] {
		if i.Log[n+1].At.Before(i.Log[n].At) {
			t.Errorf("#%d: entry %d is before the one before it", i.Number, n+1)
		}
	}
}

// handle does something to a random open incident, or opens one.
func handle(w *World, rng *rand.Rand) {
	people := w.Users[:9]
	by, to := people[rng.IntN(9)], people[rng.IntN(9)]
	var open []*Incident
	for _, i := range w.Incidents {
		if i.State != Resolved {
			open = append(open, i)
		}
	}
	if len(open) < 3 {
		w.Declare(w.Services[rng.IntN(len(w.Services))], "something is odd", 1+rng.IntN(5), by)
		return
	}
	i := open[rng.IntN(len(open))]
	switch rng.IntN(10) {
	case 0, 1:
		w.Acknowledge(i, by, "web")
	case 2:
		w.Resolve(i, by, "web")
	case 3:
		_ = w.Escalate(i, rng.IntN(4), by, "web") // there may be no such level
	case 4:
		_ = w.Reassign(i, []*User{to, by}, by, "web")
	case 5:
		_ = w.Hand(i, w.Policies[rng.IntN(len(w.Policies))], by, "web")
	case 6:
		_ = w.Snooze(i, time.Duration(1+rng.IntN(30))*time.Minute, by, "web")
	case 7:
		_ = w.Combine(i, []*Incident{open[rng.IntN(len(open))]}, by, "web") // not with itself
	case 8:
		w.Write(i, "looking", by, "web")
	case 9:
		w.Update(i, "we are on it", by, "web")
	}
}

// TestRefusals holds what cannot be done to an incident, and that nothing is then.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w := Story(1, opening)
	by := w.User("sre1")
	open, done := w.Incidents[len(w.Incidents)-1], w.Incidents[0]
	for name, do := range map[string]func() error{
		"no such level":       func() error { return w.Escalate(open, 9, by, "web") },
		"escalate what ended": func() error { return w.Escalate(done, 0, by, "web") },
		"reassign what ended": func() error { return w.Reassign(done, []*User{by}, by, "web") },
		"hand what ended":     func() error { return w.Hand(done, w.Policies[1], by, "web") },
		"snooze what ended":   func() error { return w.Snooze(done, time.Minute, by, "web") },
		"merge with itself":   func() error { return w.Combine(open, []*Incident{open}, by, "web") },
		"merge into an end":   func() error { return w.Combine(done, []*Incident{open}, by, "web") },
	} {
		before, was := len(open.Log)+len(done.Log), open.State
		if do() == nil || len(open.Log)+len(done.Log) != before || open.State != was {
			t.Errorf("%s: it was done", name)
		}
	}
	w.Acknowledge(done, by, "web")
	if done.State != Resolved {
		t.Error("acknowledged what ended")
	}
}
