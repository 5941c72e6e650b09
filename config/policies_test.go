package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const stages = good + "services: {a: {repo: forge:x/a, environments: [dev, prod]}}\n"

func TestPolicies(t *testing.T) {
	t.Parallel()
	c := parse(t, stages+`policies:
  - {builtin: soak, after: 1h, else: warn, break_glass: false}
  - {builtin: environments, only: [dev]}
  - {builtin: budget, below: 0.1}
  - {name: holidays, else: deny, during: {from: 2026-12-20, to: "2027-01-02", zone: America/New_York}}
  - {name: noon, else: deny, on: [approve, rerun-all], during: {from: 2026-12-20 12:00, to: 2026-12-20 13:00}}
roles: {lead: [sre1, sre7], oncall: sre2}
shared_dir: shared
`)
	p := c.Policies
	if *p[0].After != time.Hour || *p[0].BreakGlass || p[0].Else != "warn" || p[1].Only[0] != "dev" || *p[2].Below != 0.1 || p[2].After != nil || p[2].BreakGlass != nil {
		t.Errorf("built-in %+v", p[:3])
	}
	want := During{When{Year: 2026, Month: 12, Date: 20, Whole: true}, When{Year: 2027, Month: 1, Date: 2, Whole: true}, "America/New_York"}
	if *p[3].During != want || p[4].During.To.Hour != 13 || p[4].During.To.Whole {
		t.Errorf("dates %+v %+v", *p[3].During, *p[4].During)
	}
	if !reflect.DeepEqual(c.Roles, map[string]Strings{"lead": {"sre1", "sre7"}, "oncall": {"sre2"}}) || c.SharedDir != absolute("shared") {
		t.Errorf("roles %v, shared_dir %s", c.Roles, c.SharedDir)
	}
	for _, when := range []When{{Day: time.Friday, Hour: 16, Minute: 5}, {Year: 2026, Month: 2, Date: 3, Whole: true}, {Year: 2026, Month: 2, Date: 3, Hour: 4}} {
		text, err := when.MarshalText()
		var again When
		if err != nil || again.UnmarshalText(text) != nil || again != when {
			t.Errorf("%+v is written %q and read %+v", when, text, again)
		}
	}
	if _, err := Parse("c.yaml", []byte(stages+"policies: [{name: day, else: deny, during: {from: 2026-12-24, to: 2026-12-24}}]"), testOptions()); err != nil {
		t.Errorf("a freeze of one day: %v", err)
	}
}

func TestWrongPolicies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"no name", "policies: [{require: x, else: deny}]", `3:12: name is missing: add name: …`},
		{"no verdict", "policies: [{name: a, require: x}]", `3:12: else is missing: add else: …`},
		{"an environment that is not there", "policies: [{builtin: environments, only: [prd]}]", `3:43: unknown environment "prd": did you mean prod?`},
		{"two kinds of moment", "policies: [{name: a, else: deny, during: {from: Fri 16:00, to: 2026-12-20}}]", `3:42: one end is a date and the other a time of the week: write two dates, or two times of the week`},
		{"an end before its begin", "policies: [{name: a, else: deny, during: {from: 2026-12-20 13:00, to: 2026-12-20 12:00}}]", `3:42: it ends before it begins: let it end later`},
		{"no such date", "policies: [{name: a, else: deny, during: {from: 2026-02-30, to: 2026-03-01}}]", `3:49: "2026-02-30" is no time of the week and no date: write for example "Fri 16:00" or "2026-12-20 18:00"`},
		{"share", "policies: [{builtin: budget, below: 25}]", `3:37: 25 is more than 1: write a smaller one`},
		{"an action that nothing may refuse", "policies: [{name: a, require: x, else: deny, on: ack}]", `3:50: unknown action "ack": known here: approve, cancel, escalate, merge, mute, promote, reassign, reject, rerun, rerun-all, resolve, rollback, silence, snooze`},
		{"a role of nobody", "roles: {lead: []}", `3:9: nobody has the role "lead": write [sre1, sre2], or remove it`},
		{"an empty identity", "roles: {lead: [a, '']}", `3:19: an identity is empty: write a login, as in me:`},
		{"one twice", "roles: {lead: [a, a]}", `3:19: "a" is listed twice: keep one of them`},
	} {
		_, err := Parse("c.yaml", []byte(stages+c.text), testOptions())
		if got := strings.ReplaceAll(fmt.Sprint(err), "c.yaml:", ""); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestASecondPersonNeedsAPlace(t *testing.T) {
	t.Parallel()
	about := func(text string) int {
		n := 0
		for _, w := range parse(t, stages+text).Warnings {
			if strings.Contains(w.Msg, "second person") {
				n++
			}
		}
		return n
	}
	rules := "policies: [{builtin: second_person}, {name: a, require: x, else: second_person}, {name: b, require: x, else: deny}]\n"
	if n := about(rules); n != 2 {
		t.Errorf("%d warnings", n)
	}
	if n := about(rules + "shared_dir: /x"); n != 0 {
		t.Errorf("%d warnings although there is one", n)
	}
}

// TestExpressionsAreToldWhereTheyStand: however the text is written, a mistake is told at the character of
// the file at which it is. The checker of this test finds every X, and the end of the text.
func TestExpressionsAreToldWhereTheyStand(t *testing.T) {
	t.Parallel()
	o := testOptions()
	o.CheckPolicies = func(rules []Policy) (out []PolicyProblem) {
		for i, r := range rules {
			for line, text := range strings.Split(r.Require, "\n") {
				for column, c := range []rune(text) {
					if c == 'X' {
						out = append(out, PolicyProblem{Rule: i, Field: "require", Line: line + 1, Column: column + 1, Msg: "unknown X", Word: "fram", Known: []string{"from", "to"}})
					}
				}
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"plain":         {"policies:\n- name: a\n  else: deny\n  require:   ab X > X  # X", []string{"6:17", "6:21"}},
		"in braces":     {"policies: [{name: a, else: deny, require: ab X > X , env: prod}]", []string{"3:46", "3:50"}},
		"single quotes": {"policies: [{name: a, else: deny, require: 'it''s ''X'' X'}]", []string{"3:52", "3:56"}},
		"double quotes": {`policies: [{name: a, else: deny, require: "a \"X\" \t X"}]`, []string{"3:48", "3:55"}},
		// The parser does not tell how characters were written that are named by their numbers.
		"named by number":     {`policies: [{name: a, else: deny, require: "a \"X\" \u0041 X"}]`, []string{"3:43"}},
		"wide":                {`policies: [{name: a, else: deny, require: "ключ 漢 X"}]`, []string{"3:51"}},
		"a literal block":     {"policies:\n- name: a\n  else: deny\n  require: |\n    ab &&\n      X\n    || X\n", []string{"8:7", "9:8"}},
		"a folded block":      {"policies:\n- name: a\n  else: deny\n  require: >-\n    ab &&\n    X\n    || X\n", []string{"8:5", "9:8"}},
		"a plain one, folded": {"policies:\n- name: a\n  else: deny\n  require: ab\n    && X\n    X\n", []string{"7:8", "8:5"}},
		"quotes, folded":      {"policies:\n- name: a\n  else: deny\n  require: \"ab\n    && X\\\n    X\"\n", []string{"7:8", "8:5"}},
		"the second rule":     {"policies:\n- {name: a, else: deny, require: ok}\n- {name: b, else: deny, require: X}\n", []string{"5:34"}},
	} {
		_, err := Parse("c.yaml", []byte(stages+c.text), o)
		all, _ := errors.AsType[Errors](err)
		var got []string
		for _, e := range all {
			got = append(got, strings.TrimPrefix(e.Pos.String(), "c.yaml:"))
			if e.Msg != "unknown X" || e.Fix != "did you mean from?" {
				t.Errorf("%s: %v", name, e)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: at %q, want %q", name, got, c.want)
		}
	}
}

func TestProblemsWithoutAPlaceOfTheirOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		problem PolicyProblem
		want    string
	}{
		"the end of an expression": {PolicyProblem{Field: "require", Line: 1, Column: 7}, "3:49"},
		"far behind it":            {PolicyProblem{Field: "require", Line: 1, Column: 70}, "3:49"},
		"a line that is not there": {PolicyProblem{Field: "require", Line: 7, Column: 1}, "3:43"},
		"a whole field":            {PolicyProblem{Field: "else"}, "3:28"},
		"a field that is not said": {PolicyProblem{Field: "after"}, "3:12"},
		"the rule":                 {PolicyProblem{}, "3:12"},
	} {
		o := testOptions()
		o.CheckPolicies = func([]Policy) []PolicyProblem {
			c.problem.Msg = "wrong"
			return []PolicyProblem{c.problem, {Rule: 7, Msg: "of no rule"}}
		}
		_, err := Parse("c.yaml", []byte(stages+"policies: [{name: a, else: deny, require: a == b }]"), o)
		if got := fmt.Sprint(err); got != "c.yaml:"+c.want+": wrong" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestCases(t *testing.T) {
	t.Parallel()
	o := testOptions()
	o.CheckCase = func(c Case) []PolicyProblem {
		var out []PolicyProblem
		if from, ok := c.Given["from"].(map[string]any); ok && from["aeg"] != nil {
			out = append(out, PolicyProblem{Field: "from.aeg", Msg: "unknown variable", Word: "from.aeg", Known: []string{"from.age"}})
		}
		if c.Gate == "sok" {
			out = append(out, PolicyProblem{Field: "gate", Msg: "unknown gate", Word: "sok", Known: []string{"soak"}})
		}
		return out
	}
	cases, err := ParseCases("cases.yaml", []byte(`given: {service: a, environment: {name: prod, prod: true}, roles: [x]}
cases:
  - {name: one, want: allow}
  - {name: two, given: {environment: {name: dev}, roles: [], from.age: 12m}, want: deny, gate: soak}
`), o)
	want := []Case{
		{"one", map[string]any{"service": "a", "environment": map[string]any{"name": "prod", "prod": true}, "roles": []any{"x"}}, "allow", "", Position{"cases.yaml", 3, 5}},
		{"two", map[string]any{"service": "a", "environment": map[string]any{"name": "dev", "prod": true}, "roles": []any{}, "from.age": "12m"}, "deny", "soak", Position{"cases.yaml", 4, 5}},
	}
	if err != nil || len(cases) != 2 || !reflect.DeepEqual(cases[0], want[0]) || !sameCase(cases[1], want[1]) {
		t.Errorf("got %+v, %v", cases, err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"none", "given: {}", "1:1: cases is missing: add cases: …"},
		{"an empty list", "cases: []", "1:1: there are no cases: write {name: …, given: …, want: deny} items below cases:"},
		{"a slip", "case: []\ncases: [{name: a, want: deny}]", `1:1: unknown key "case": did you mean cases?`},
		{"a verdict", "cases: [{name: a, want: denied}]", `1:25: "denied" is not one of the values: did you mean deny?`},
		{"no verdict", "cases: [{name: a}]", "1:9: want is missing: add want: …"},
		{"twice", "cases: [{name: a, want: deny}, {name: a, want: deny}]", `1:32: there are two cases "a": give each case a name of its own`},
		{"a variable", "cases: [{name: a, want: deny, given: {from: {aeg: 1m}}}]", "1:51: unknown variable: did you mean from.age?"},
		{"a variable of all", "given: {from: {aeg: 1m}}\ncases: [{name: a, want: deny}]", "1:21: unknown variable: did you mean from.age?"},
		{"a gate", "cases: [{name: a, want: deny, gate: sok}]", "1:37: unknown gate: did you mean soak?"},
		{"no YAML", "cases: [", "1:8: this is not valid YAML"},
	} {
		_, err := ParseCases("cases.yaml", []byte(c.text), o)
		if got := strings.ReplaceAll(fmt.Sprint(err), "cases.yaml:", ""); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	o.Files = memory{"cases.yaml": "cases: [{name: a, want: deny}]"}
	if got, err := LoadCases(t.Context(), "cases.yaml", o); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := LoadCases(t.Context(), "nothing.yaml", o); fmt.Sprint(err) != "nothing.yaml: the cases cannot be read: it does not exist: check the path and its permissions" {
		t.Error(err)
	}
}

func sameCase(a, b Case) bool { return reflect.DeepEqual(a, b) }
