package wire

import (
	"errors"
	"fmt"
	"slices"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/policy"
)

// Policy is what judges actions: the built-in gates, and the policies of cfg, which the check has approved
// of.
func Policy(cfg *config.Config) (*policy.Set, error) {
	s, err := policy.Compile(rules(cfg.Policies))
	if err != nil {
		return nil, fmt.Errorf("compile the policies: %w", err)
	}
	return s, nil
}

// Roles are what cfg calls an identity.
func Roles(cfg *config.Config, identity string) []string {
	var out []string
	for role, who := range cfg.Roles {
		if slices.Contains(who, identity) {
			out = append(out, role)
		}
	}
	slices.Sort(out)
	return out
}

// PolicyCase is a case that CaseChecker has approved of.
func PolicyCase(c config.Case) (policy.Case, error) {
	f, err := policy.Given(c.Given)
	if err != nil {
		return policy.Case{}, fmt.Errorf("read the case %s: %w", c.Name, err)
	}
	want, _ := policy.ParseVerdict(c.Want)
	return policy.Case{Name: c.Name, Facts: f, Want: want, Gate: c.Gate}, nil
}

// CaseChecker is what config.LoadCases asks about cases of s.
func CaseChecker(s *policy.Set) func(config.Case) []config.PolicyProblem {
	known := s.Gates()
	return func(c config.Case) []config.PolicyProblem {
		_, err := policy.Given(c.Given)
		out := problems(err)
		if c.Gate != "" && !slices.Contains(known, c.Gate) {
			out = append(out, config.PolicyProblem{Field: "gate", Msg: fmt.Sprintf("there is no gate %q", c.Gate), Word: c.Gate, Known: known})
		}
		return out
	}
}

func checkPolicies(list []config.Policy) []config.PolicyProblem {
	_, err := policy.Compile(rules(list))
	return problems(err)
}

// problems are the mistakes that an error of policy joins.
func problems(err error) []config.PolicyProblem {
	var out []config.PolicyProblem
	var walk func(error)
	walk = func(err error) {
		if joined, many := err.(interface{ Unwrap() []error }); many {
			for _, e := range joined.Unwrap() {
				walk(e)
			}
			return
		}
		if e, ok := errors.AsType[*policy.Error](err); ok {
			out = append(out, config.PolicyProblem{
				Rule: e.Rule, Field: e.Field, Line: e.Line, Column: e.Column, Msg: e.Msg, Fix: e.Fix, Word: e.Word, Known: e.Known,
			})
		}
	}
	walk(err)
	return out
}

func rules(list []config.Policy) []policy.Rule {
	out := make([]policy.Rule, len(list))
	for i, p := range list {
		verdict, said := policy.ParseVerdict(p.Else)
		out[i] = policy.Rule{
			Name: p.Name, Env: p.Env, Require: p.Require, Else: verdict, Because: p.Because, BreakGlass: p.BreakGlass != nil && *p.BreakGlass,
			Builtin: p.Builtin, After: p.After, Most: p.Most, Severity: p.Severity, Below: p.Below, Only: p.Only,
			ElseSet: said, GlassSet: p.BreakGlass != nil,
		}
		for _, verb := range p.On {
			out[i].On = append(out[i].On, sources.Verb(verb))
		}
		if d := p.During; d != nil {
			out[i].During = &policy.Window{From: moment(d.From, false), To: moment(d.To, true), Zone: string(d.Zone)}
		}
	}
	return out
}

// moment is w for a policy. A date without a time is the begin of its day, and as an end the end of it.
func moment(w config.When, end bool) policy.Moment {
	if w.Year == 0 {
		return policy.Moment{Day: w.Day, Hour: w.Hour, Minute: w.Minute}
	}
	at := w.Clock(end)
	return policy.Moment{Year: at.Year(), Month: at.Month(), Date: at.Day(), Hour: at.Hour(), Minute: at.Minute()}
}
