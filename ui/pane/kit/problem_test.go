package kit_test

import (
	"math"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
	"example.com/signalbox/ui/uitest"
)

func problemOf(edit func(*sources.Incident)) *insight.Problem {
	in := uitest.Incidents()[0]
	edit(&in)
	return &insight.Problem{Incident: &in, Members: []insight.Member{{Incident: &in}}, Service: in.Service, State: in.State, Mine: in.Mine}
}

func TestHolder(t *testing.T) {
	t.Parallel()
	me, other := sources.Person{ID: "U1", Login: clean.Const("sre1"), Name: clean.Const("Sam")}, sources.Person{ID: "U2", Name: clean.Const("Ines")}
	for want, edit := range map[string]func(*sources.Incident){
		"you":          func(in *sources.Incident) { in.Holder, in.Assignees = clean.Const("Sam"), []sources.Person{me} },
		"Ines and you": func(in *sources.Incident) { in.Holder, in.Assignees = clean.Const("Ines"), []sources.Person{me, other} },
		"Ines":         func(in *sources.Incident) { in.Holder, in.Mine = clean.Const("Ines"), false },
		"":             func(in *sources.Incident) { in.Holder, in.Mine = clean.Text{}, false },
	} {
		if got := kit.Holder(uitest.Env(uitest.Story()), problemOf(edit)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	silence := func(until time.Time) func(*sources.Incident) {
		return func(in *sources.Incident) { in.Silenced = []sources.Silence{{Until: until}} }
	}
	for want, edits := range map[string][]func(*sources.Incident){
		"":                           {func(*sources.Incident) {}, silence(uitest.Ago(time.Second))},
		"silenced":                   {silence(time.Time{})},
		"silenced until 03:14":       {silence(uitest.Now().Add(time.Hour))},
		"inhibited by another alert": {func(in *sources.Incident) { in.Inhibited = true }},
		"muted": {func(in *sources.Incident) {
			in.Kind = sources.MonitorIncident
			silence(time.Time{})(in)
		}},
	} {
		for _, edit := range edits {
			if got := kit.Quiet(uitest.Env(uitest.Story()), problemOf(edit)); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

func TestImpactText(t *testing.T) {
	t.Parallel()
	none := sources.Number(math.NaN())
	for _, c := range []struct {
		in   insight.Impact
		want string
	}{
		{insight.Impact{Failing: none}, ""},
		{insight.Impact{Failing: 49.2, Known: true, Trend: insight.Rising}, "49 failed req/s, rising"},
		{insight.Impact{Failing: 0.24}, "0.2 failed req/s"},
		{insight.Impact{Failing: 1234, Known: true, Trend: insight.Falling}, "1.2 k failed req/s, falling"},
		{insight.Impact{Failing: sources.Number(math.Inf(1))}, ""},
		{insight.Impact{Failing: none, Known: true, By: clean.Const("p95")}, "p95 steady"},
	} {
		if got := kit.ImpactText(&insight.Problem{Impact: c.in}); got != c.want {
			t.Errorf("%+v: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestWhom(t *testing.T) {
	t.Parallel()
	e := uitest.Env(uitest.Story())
	person := func(name string) sources.Person { return sources.Person{Name: clean.Line(name)} }
	there := uitest.Now().In(time.FixedZone("CET", 3600))
	for _, c := range []struct {
		next insight.NextPage
		want string
	}{
		{insight.NextPage{}, ""},
		{insight.NextPage{Who: []sources.Person{person("sre2")}, There: there}, "sre2 (03:14 there)"},
		{insight.NextPage{Who: []sources.Person{person("sre2")}, There: uitest.Now()}, "sre2"},
		{insight.NextPage{Who: []sources.Person{{Login: clean.Const("sre3")}, person("sre4")}}, "sre3, sre4"},
		{insight.NextPage{Who: []sources.Person{person("a"), person("b"), person("c"), person("d")}}, "a, b, 2 more"},
	} {
		if got := kit.Whom(e, c.next); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestAcknowledgedAgesShow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state sources.IncidentState
		age   time.Duration
		want  theme.Token
	}{
		{sources.Triggered, time.Minute, theme.Crit},
		{sources.Acknowledged, 59 * time.Minute, theme.Muted},
		{sources.Acknowledged, time.Hour, theme.Warn},
		{sources.Acknowledged, 4 * time.Hour, theme.Crit},
		{sources.Resolved, 9 * time.Hour, theme.Muted},
	} {
		if got := kit.StateAge(c.state, c.age); got != c.want {
			t.Errorf("%s for %s: %d, want %d", c.state, c.age, got, c.want)
		}
	}
}

func TestKeysAreNamedAsTheyAreBound(t *testing.T) {
	t.Parallel()
	e := uitest.Env(uitest.Story())
	if got := kit.Width(kit.Key(e, keymap.Runbook, "runbook")); got != len("b runbook") {
		t.Errorf("takes %d columns", got)
	}
	e.Keys = nil
	if parts := kit.Key(e, keymap.Runbook, "runbook"); parts != nil {
		t.Errorf("a key that nobody knows is named: %v", parts)
	}
	e = uitest.Env(uitest.Story())
	if parts := kit.Key(e, keymap.SourceHealth, "sources"); parts != nil {
		t.Errorf("an action without a key has one: %v", parts)
	}
}
