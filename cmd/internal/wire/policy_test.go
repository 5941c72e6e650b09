package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/policy"
)

const policied = `sources: {github: {token: env:T}}
services: {checkout: {repo: github:acme/checkout, environments: [dev, staging, prod]}}
`

func TestPoliciesOfAConfig(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse("c.yaml", []byte(policied+`policies:
  - {name: mine, env: prod, require: 'from.age >= duration("30m")', else: deny, because: "staging has run it for only {{from.age}}"}
  - {name: budget, env: prod, require: "slo.remaining > 0.25", else: warn}
  - {name: freeze, env: prod, during: {from: "Fri 16:00", to: "Mon 08:00", zone: Europe/Berlin}, else: deny, break_glass: true}
  - {name: holidays, during: {from: 2026-12-24, to: 2026-12-26, zone: Europe/Berlin}, on: [promote, rollback], else: second_person}
  - {builtin: soak, after: 5m}
roles: {lead: [sre1, sre7], oncall: sre1, boss: sre9}
`), LoadOptions())
	if err != nil {
		t.Fatal(err)
	}
	s, err := Policy(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := Roles(cfg, "sre1"); !slices.Equal(got, []string{"lead", "oncall"}) {
		t.Errorf("roles %q", got)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 12, day, hour, minute, 0, 0, berlin) }
	for _, c := range []struct {
		gate string
		now  time.Time
		want policy.Verdict
		text string
	}{
		{"mine", at(9, 12, 0), policy.Deny, "staging has run it for only 12m"},
		{"soak", at(9, 12, 0), policy.Allow, "staging has run it for 12m"},
		{"budget", at(9, 12, 0), policy.Deny, "slo.remaining is not known"},
		{"freeze", at(11, 15, 59), policy.Allow, "not between"},
		{"freeze", at(11, 16, 0), policy.Deny, "from Fri 11 Dec 16:00"},
		{"holidays", at(23, 23, 59), policy.Allow, "not between"},
		{"holidays", at(24, 0, 0), policy.SecondPerson, "from Thu 24 Dec 00:00"},
		{"holidays", at(26, 23, 59), policy.SecondPerson, "to Sun 27 Dec 00:00"},
		{"holidays", at(27, 0, 0), policy.Allow, "not between"},
	} {
		findings := s.Judge(policy.Facts{
			Action: sources.Promote, Now: c.now, Environment: &policy.EnvironmentFacts{Name: "prod", Prod: true}, CanCosign: true,
			From: &policy.StageFacts{Name: "staging", Age: 12 * time.Minute}, Version: &policy.VersionFacts{SHA: "a"},
		})
		slices.Reverse(findings) // a rule with the name of a built-in gate stands behind it
		i := slices.IndexFunc(findings, func(f policy.Finding) bool { return f.Gate == c.gate })
		if i < 0 || findings[i].Verdict != c.want || !strings.Contains(findings[i].Text.String(), c.text) {
			t.Errorf("%s at %s: %+v", c.gate, c.now, findings[max(i, 0)])
		}
	}
}

func TestConfigCheckTellsWhereAPolicyIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"policies: [{name: a, else: deny, require: from.aeg > 1}]", `3:43: unknown variable "from.aeg": did you mean from.age?`},
		{"policies:\n- name: a\n  else: deny\n  require: |\n    environment.prod\n      && slo.remainin > 0.1", `8:10: unknown variable "slo.remainin": did you mean slo.remaining?`},
		{"policies: [{name: a, else: deny, require: incident_open == 0}]", `3:43: unknown variable "incident_open": did you mean incidents_open?`},
		{"policies: [{name: a, else: deny, require: from.age > 30}]", `3:52: > does not work on duration and int: write a duration as duration("30m")`},
		{"policies: [{name: a, else: deny, require: (mine}]", `3:48: missing ')': check the expression here`},
		{"policies: [{name: a, else: deny, require: mine and deploys}]", `3:48: mismatched input 'and': write && for and`},
		{`policies: [{name: a, else: deny, require: mine, because: "so {{ whoo }}"}]`, `3:65: unknown variable "whoo": did you mean who?`},
		{"policies: [{builtin: sok, after: 1h}]", `3:22: there is no built-in gate "sok" that could be set: did you mean soak?`},
		{"policies: [{builtin: ci, after: 1h}]", `3:33: the built-in gate ci has no after: it has else, break_glass`},
		{"policies: [{builtin: ci, require: mine}]", `3:35: a built-in gate takes no require: remove it, or write a rule of its own for it`},
		{"policies: [{name: a, else: deny, require: mine, most: 3}]", `3:55: most is for built-in gates: add builtin:, or remove it`},
		{"policies: [{name: a, else: deny}]", `3:12: the policy says neither what must hold nor when it applies: add require: or during:`},
		{"policies: [{name: a, else: deny, during: {from: Fri 16:00, to: Fri 16:00}}]", `3:42: it begins and ends at the same time of the week: let it end at another time`},
	} {
		_, err := config.Parse("c.yaml", []byte(policied+c.text), LoadOptions())
		if got := strings.ReplaceAll(fmt.Sprint(err), "c.yaml:", ""); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// TestDocumentedBuiltins: the schema's text names every built-in gate that can be set, and no other.
func TestDocumentedBuiltins(t *testing.T) {
	t.Parallel()
	schema, err := config.Schema(Types())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range policy.Builtins() {
		if g.Setting {
			names = append(names, g.Name)
		}
	}
	if want := "The built-in gate that this sets: " + strings.Join(names, ", ") + "."; !strings.Contains(string(schema), want) {
		t.Errorf("the schema does not say %q", want)
	}
}

func TestCasesOfPolicies(t *testing.T) {
	t.Parallel()
	s := policy.Default()
	o := LoadOptions()
	o.CheckCase = CaseChecker(s)
	cases, err := config.ParseCases("cases.yaml", []byte(`given: {service: checkout, environment: {name: prod, prod: true, busy: ""}, version: {sha: a}, from: {name: staging, age: 1h}}
cases:
  - {name: long enough, want: allow, gate: soak}
  - {name: too fresh, given: {from: {age: 12m}}, want: deny, gate: soak}
  - {name: nobody knows the checks, want: deny}
  - {name: roll back, given: {action: rollback}, want: type}
`), o)
	if err != nil {
		t.Fatal(err)
	}
	var list []policy.Case
	for _, c := range cases {
		one, err := PolicyCase(c)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, one)
	}
	for _, r := range s.Test(list, time.Unix(0, 0)) {
		if !r.OK {
			t.Errorf("%s: %s, want %s: %s", r.Case, r.Got, r.Want, r.Text)
		}
	}
	_, err = config.ParseCases("cases.yaml", []byte("cases: [{name: a, want: deny, gate: sok, given: {from: {aeg: 1m}}}]"), o)
	want := "cases.yaml:1:37: there is no gate \"sok\": did you mean soak?\ncases.yaml:1:62: unknown variable \"from.aeg\": did you mean from.age?"
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got %s", got)
	}
}
