package policy

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

// full names every variable that a case can give.
func full() map[string]any {
	return map[string]any{
		"action": "approve", "now": "2026-12-24 12:00 Europe/Berlin", "who": "sre1", "roles": []any{"oncall"}, "service": "checkout", "team": "x",
		"bulk": int64(2), "mine": true, "held_by": "sre2", "alerting": true, "deploys": true, "read_only": true, "discovered": true, "can_cosign": true, "age": "20s",
		"environment": map[string]any{"name": "prod", "prod": true, "targets": []any{"eu"}, "since": "2d3h", "busy": "deploy #1"},
		"from":        map[string]any{"name": "staging", "age": "12m", "healthy": true}, "first_stage": true,
		"version": map[string]any{
			"sha": "abc", "tag": "v1", "older": true, "known_good": true, "known_bad": "x", "migrations": []any{"db/1.sql"}, "flags": []any{"f"},
			"commits": int64(4), "returns": "a merge", "rolled_back": int64(1),
		},
		"checks": map[string]any{"passed": int64(1), "failed": int64(2), "running": int64(3), "names": []any{"unit"}},
		"run":    map[string]any{"workflow": "deploy", "branch": "main", "event": "push", "attempt": int64(2)},
		"incidents": []any{map[string]any{
			"severity": int64(1), "low": true, "state": "acknowledged", "service": "ledger", "title": "5xx", "age": "1h", "upstream": true,
		}},
		"monitors": []any{map[string]any{"name": "5xx", "state": "alert", "muted": true}},
		"slo":      map[string]any{"name": "availability", "remaining": 0.5, "burn": int64(2)}, "metrics": map[string]any{"error rate": 0.4},
		"deployments": map[string]any{"last_hour": int64(1), "today": int64(2), "failed": int64(3)},
	}
}

// TestGivenIsWhatRulesSee: every variable can be given, and a rule then sees what was given.
func TestGivenIsWhatRulesSee(t *testing.T) {
	t.Parallel()
	f, err := Given(full())
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]any{}
	flatten("", full(), given)
	for _, v := range variables() {
		got, ok := v.get(&f)
		if !ok {
			t.Errorf("%s is not known", v.name)
		}
		want, there := given[v.name]
		if there != (v.set != nil) {
			t.Errorf("%s: given %t", v.name, there)
		}
		switch want := want.(type) {
		case string:
			if v.typ.String() == "string" && got != want {
				t.Errorf("%s is %v, want %v", v.name, got, want)
			}
		case bool:
			if got != want {
				t.Errorf("%s is %v, want %v", v.name, got, want)
			}
		case int64:
			if n, isInt := got.(int); isInt && int64(n) != want {
				t.Errorf("%s is %v, want %v", v.name, got, want)
			}
		}
	}
	if want := (IncidentFacts{1, true, "acknowledged", "ledger", "5xx", time.Hour, true}); f.Incidents[0] != want {
		t.Errorf("got %+v", f.Incidents[0])
	}
	if f.Environment.Since != 51*time.Hour || f.Now.UTC().Hour() != 11 || f.Monitors[0] != (MonitorFacts{"5xx", "alert", true}) {
		t.Errorf("got %+v", f)
	}
	for _, v := range Variables() {
		if v.Doc == "" || v.Type == "" {
			t.Errorf("%+v is not described", v)
		}
	}
	nothing, err := Given(nil)
	if err != nil || nothing.Action != sources.Promote || nothing.Environment != nil {
		t.Errorf("got %+v, %v", nothing, err)
	}
}

// TestWhatIsNotGivenIsNotKnown: of empty facts a rule sees only what is always known.
func TestWhatIsNotGivenIsNotKnown(t *testing.T) {
	t.Parallel()
	always := []string{
		"action", "service", "team", "bulk", "mine", "held_by", "alerting", "deploys", "read_only", "discovered", "can_cosign", "first_stage",
	}
	f := Facts{}
	for _, v := range variables() {
		if _, known := v.get(&f); known != slices.Contains(always, v.name) {
			t.Errorf("%s is known: %t", v.name, known)
		}
	}
}

func TestGivenMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		given map[string]any
		field string
		msg   string
	}{
		{"a slip", map[string]any{"from": map[string]any{"aeg": "12m"}}, "from.aeg", "unknown variable"},
		{"what follows", map[string]any{"incidents_open": int64(1)}, "incidents_open", "follows from others"},
		{"a number for text", map[string]any{"who": int64(1)}, "who", "expected text, got a number"},
		{"text for a number", map[string]any{"checks.passed": "many"}, "checks.passed", "expected a whole number, got text"},
		{"half a check", map[string]any{"checks.passed": 0.5}, "checks.passed", "expected a whole number"},
		{"a duration", map[string]any{"from.age": "soon"}, "from.age", "expected a duration"},
		{"days", map[string]any{"from.age": "x2d"}, "from.age", "expected a duration"},
		{"a negative one", map[string]any{"from.age": "-3m"}, "from.age", "expected a duration"},
		{"a time", map[string]any{"now": "noon"}, "now", "expected a time"},
		{"a time without zone", map[string]any{"now": "2026-12-24 12:00 Nowhere"}, "now", "expected a time"},
		{"a list", map[string]any{"roles": "oncall"}, "roles", "expected a list"},
		{"a list of texts", map[string]any{"roles": []any{true}}, "roles", "expected a list"},
		{"metrics", map[string]any{"metrics": map[string]any{"a": "b"}}, "metrics", "a: expected a number, got text"},
		{"a flag", map[string]any{"mine": "yes"}, "mine", "expected true or false, got text"},
		{"incidents", map[string]any{"incidents": []any{"x"}}, "incidents", "expected a list of incidents"},
		{"a field of one", map[string]any{"incidents": []any{map[string]any{"sevrity": int64(1)}}}, "incidents", `incidents have no "sevrity"`},
		{"a value of one", map[string]any{"monitors": []any{map[string]any{"muted": "no"}}}, "monitors", "muted: expected true or false"},
	} {
		_, err := Given(c.given)
		if e, ok := errors.AsType[*Error](err); !ok || e.Field != c.field || !strings.Contains(e.Msg, c.msg) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCases(t *testing.T) {
	t.Parallel()
	s := compiles(t, Rule{Name: "freeze", During: &Window{Moment{Day: time.Friday, Hour: 16}, Moment{Day: time.Monday, Hour: 8}, "Europe/Berlin"}, Else: Deny})
	results := s.Test([]Case{
		{Name: "well", Facts: good(), Want: TypedConfirm},
		{Name: "too fresh", Facts: with(func(f *Facts) { f.From.Age = time.Minute }), Want: Deny, Gate: "soak"},
		{Name: "wrong", Facts: good(), Want: Deny, Gate: "soak"},
		{Name: "at a time of its own", Facts: with(func(f *Facts) { f.Now = noon.AddDate(0, 0, 3) }), Want: Deny, Gate: "freeze"},
		{Name: "at no time of its own", Facts: with(func(f *Facts) { f.Now = time.Time{} }), Want: Allow, Gate: "freeze"},
		{Name: "of a silent gate", Facts: good(), Want: Allow, Gate: "loop"},
		{Name: "of a silent gate that should speak", Facts: good(), Want: Deny, Gate: "loop"},
	}, noon)
	var failed []string
	for _, r := range results {
		if !r.OK {
			failed = append(failed, r.Case+": "+r.Got.String()+": "+r.Text.String())
		}
	}
	want := []string{"wrong: allow: soak: staging has run it for 1h", "of a silent gate that should speak: allow: loop says nothing"}
	if !slices.Equal(failed, want) {
		t.Errorf("got %q", failed)
	}
	if text := results[1].Text.String(); text != "soak: staging has run it for only 1m, of 30m" {
		t.Errorf("got %q", text)
	}
}
