package dialog

import (
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/ui/pane"
)

// askingPlan is a plan with everything in it.
func askingPlan() *Plan {
	now := env().Now
	p := NewPlan(clean.Const("Roll back"), []action.Request{{Verb: sources.Rollback}}, func() time.Time { return now })
	p.Proposed(1, []action.Plan{{
		ID: "20261121-021400-aabbccddeeff", Title: clean.Const("Roll back checkout/prod"), Acting: clean.Const("sre1"),
		Change: &action.Change{Undoes: true, Now: action.Running{Version: sources.Version{SHA: "a1b2c3d"}, Bad: clean.Const("5xx")}},
		Gates:  []policy.Finding{{Gate: "freeze", Verdict: policy.Deny, BreakGlass: true, Text: clean.Line(strings.Repeat("long ", 30)), Fix: clean.Const("wait")}},
		Offers: []action.Offer{{Text: clean.Const("reject run 812"), Request: action.Request{Verb: sources.Reject}}, {Text: clean.Const("reject run 813"), Request: action.Request{Verb: sources.Reject}}},
		Lines:  []clean.Text{clean.Const("prod eu runs v1")}, Wakes: []sources.Person{{ID: "P1", Zone: "Asia/Tokyo"}},
		Demand: action.Demand{Kind: action.SecondDemand, Word: "checkout/prod", Reason: true},
	}}, []error{nil})
	return p
}

func TestOffersHaveKeysOfTheirOwn(t *testing.T) {
	t.Parallel()
	p := askingPlan()
	if a, b := p.offerKey(0), p.offerKey(1); a != "D" || b != "2" {
		t.Errorf("the offers have the keys %q and %q", a, b)
	}
}

func TestIDsOfCommitsAreShort(t *testing.T) {
	t.Parallel()
	sha := strings.Repeat("0123456789", 4)
	for in, want := range map[string]string{
		"ref=" + sha + " now": "ref=0123456 now", sha: "0123456", sha + "0": sha + "0", "deploy.yml@main": "deploy.yml@main", "": "",
	} {
		if got := shortIDs(clean.Line(in)).String(); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestParseFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC)
	zone := time.FixedZone("CET", 3600)
	for in, want := range map[string]time.Duration{
		"30m": 30 * time.Minute, " 1H30m ": 90 * time.Minute, "2d": 48 * time.Hour, "until 08:00": 4*time.Hour + 46*time.Minute,
		"03:14": 24 * time.Hour, "until 3:15": time.Minute, "30d": 720 * time.Hour,
	} {
		if got, wrong := ParseFor(in, now, zone); got != want || wrong != "" {
			t.Errorf("%q is %v (%s), want %v", in, got, wrong, want)
		}
	}
	for _, in := range []string{"", "0m", "-1h", "soon", "until", "until noon", "25:00", "31d", "999999d", "1000h"} {
		if got, wrong := ParseFor(in, now, zone); wrong == "" {
			t.Errorf("%q is taken as %v", in, got)
		}
	}
}

func TestUntilNamesTheDayWhereItIsAnother(t *testing.T) {
	t.Parallel()
	b := planLines{e: pane.Env{Now: time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC), Zone: time.UTC}}
	for d, want := range map[time.Duration]string{20 * time.Minute: "23:50 UTC", time.Hour: "Sun 00:30 UTC", 25 * time.Hour: "Mon 00:30 UTC", 9 * 24 * time.Hour: "30 Nov 23:30 UTC"} {
		if got := b.until(d); got != want {
			t.Errorf("%v from now is %q, want %q", d, got, want)
		}
	}
}

func TestEveryEndHasAWord(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for s := action.Refused; s <= action.Done; s++ {
		_, _, w := OutcomeLook(s)
		if w == "" || seen[w] {
			t.Errorf("%v is %q", s, w)
		}
		seen[w] = true
	}
}

// An answer to an earlier question for plans changes nothing.
func TestALateAnswerIsDropped(t *testing.T) {
	t.Parallel()
	p := askingPlan()
	p.Ask([]action.Request{{Verb: sources.Rollback, Version: "v2"}})
	p.Proposed(1, []action.Plan{{ID: "old"}}, []error{nil})
	if p.Asks() {
		t.Error("an old plan is shown")
	}
	p.Renewed(1, []action.Plan{{ID: "old"}}, nil)
	p.Follow(&pane.Operation{Plan: "old"})
	p.Ended(&action.Outcome{Plan: "old"})
	if p.phase != reading {
		t.Errorf("it is in phase %d", p.phase)
	}
}
