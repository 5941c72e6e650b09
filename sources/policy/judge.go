package policy

import (
	"errors"
	"slices"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Confirmation is the name of the gate that says how hard an action is to confirm.
const Confirmation = "confirmation"

// loopGate is the built-in gate that is about rollbacks alone: no other may be set to stand in the way of one
// more than it does by itself.
const loopGate = "loop"

// promotes reports that the action puts a version into an environment that does not run it: a promotion by
// its own name, or approving or re-running a run that deploys.
func (f *Facts) promotes() bool {
	switch f.Action {
	case sources.Promote, sources.Dispatch, sources.Deploy:
		return true
	case sources.Approve, sources.RerunFailed, sources.RerunAll:
		return f.Deploys
	default:
		return false
	}
}

// moves reports that another version runs when the action is done.
func (f *Facts) moves() bool { return f.Action == sources.Rollback || f.promotes() }

// prod reports that people are paged for where the action takes effect. What is not known is.
func (f *Facts) prod() bool { return f.Environment == nil || f.Environment.Prod }

// Judge is what every gate that has something to say says: those that let the action pass, too, so that a
// person sees what was looked at. The built-in gates come first, then the rules, and last the confirmation; a
// rule that has the name of a built-in gate stands beside it, never in its place. It changes nothing, and the
// same facts have the same answer.
func (s *Set) Judge(f Facts) []Finding {
	var out []Finding
	for _, g := range gates() {
		set, applies := s.setting(g, &f)
		if !applies {
			continue
		}
		if finding, ok := g.judge(&f, set); ok {
			if f.Action == sources.Rollback && g.params != nil && g.name != loopGate && finding.Verdict > g.base.otherwise {
				finding.Verdict, finding.BreakGlass = g.base.otherwise, false
			}
			finding.Gate = g.name
			out = append(out, finding)
		}
	}
	if len(s.rules) > 0 {
		out = append(out, s.judgeRules(&f)...)
	}
	graded := grade(&f)
	graded.Gate = Confirmation
	out = append(out, graded)
	if f.CanCosign {
		return out
	}
	for i := range out {
		if out[i].Verdict == SecondPerson {
			out[i].Verdict = Deny
			out[i].Text = clean.Linef("%s; and there is no place in which a second person could agree", out[i].Text)
			out[i].Fix = clean.Const("set shared_dir: to a directory that both can write")
		}
	}
	return out
}

func (s *Set) judgeRules(f *Facts) []Finding {
	n := &names{facts: f, known: s.known}
	var out []Finding
	for i := range s.rules {
		if finding, ok := s.rules[i].judge(n); ok {
			out = append(out, finding)
		}
	}
	return out
}

// about reports that the rule is for actions of this kind.
func (r *compiled) about(f *Facts) bool {
	on := r.On
	if len(on) == 0 {
		on = []sources.Verb{sources.Promote}
	}
	return slices.Contains(on, f.Action) || (f.promotes() && slices.Contains(on, sources.Promote))
}

// judge is what the rule says; ok is false when it is not about the action.
func (r *compiled) judge(n *names) (finding Finding, ok bool) {
	f := n.facts
	switch {
	case !r.about(f):
		return Finding{}, false
	case r.Env != "" && f.Environment == nil:
		return r.untold(f, clean.Linef("it is about %s, and which environment this is, is not known", r.Env)), true
	case r.Env != "" && f.Environment.Name != r.Env:
		return Finding{}, false
	}
	finding = Finding{Gate: r.Name}
	if r.during != nil {
		from, to, in := r.during.around(f.Now)
		if !in {
			finding.Text = clean.Linef("not between %s and %s", r.during.From, r.during.To)
			return finding, true
		}
		if r.require == nil {
			finding.Text = clean.Linef("from %s to %s %s", from.In(r.during.zone).Format("Mon 2 Jan 15:04"), to.In(r.during.zone).Format("Mon 2 Jan 15:04"), r.during.zone)
			finding.Fix = clean.Linef("wait %s", clean.Lasting(to.Sub(f.Now)))
			return r.violated(n, finding), true
		}
	}
	holds, err := r.require.holds(n)
	switch {
	case err != nil:
		return r.failed(f, err), true
	case holds:
		finding.Text = clean.Linef("holds: %s", r.Require)
		return finding, true
	}
	finding.Text = clean.Linef("does not hold: %s", r.Require)
	return r.violated(n, finding), true
}

// violated makes a finding of what the rule demands.
func (r *compiled) violated(n *names, finding Finding) Finding {
	finding.Verdict, finding.BreakGlass = r.Else, r.BreakGlass && r.Else == Deny
	if r.Because != "" {
		finding.Text = r.because.fill(n)
	}
	return finding
}

// untold is the finding of a rule that cannot be evaluated. Glass may be broken for it where that lifts the
// rule itself, or the rule would not even have refused.
func (r *compiled) untold(f *Facts, why clean.Text) Finding {
	finding := unknown(f, why)
	finding.Gate = r.Name
	finding.BreakGlass = finding.Verdict == Deny && (r.BreakGlass || r.Else < Deny)
	return finding
}

// failed is the finding of a rule whose expression has no value. Where no data lack, no refresh helps: the
// rule itself is to be mended.
func (r *compiled) failed(f *Facts, err error) Finding {
	finding := r.untold(f, clean.Line(err.Error()))
	var lack unknownError
	if !errors.As(err, &lack) {
		finding.Fix = clean.Const("mend the rule, and try it with signalbox policy test")
	}
	return finding
}

// unknown is the finding of a gate that cannot be told: a warning on a rollback, since nothing may stand
// between a fire and its hose, and else a refusal for which glass may be broken.
func unknown(f *Facts, why clean.Text) Finding {
	finding := Finding{Verdict: Deny, BreakGlass: true, Unknown: true, Text: clean.Linef("cannot be told: %s", why)}
	if f.Action == sources.Rollback {
		finding.Verdict, finding.BreakGlass = Warn, false
	}
	if finding.Verdict == Deny {
		finding.Fix = clean.Const("refresh, and see signalbox doctor for the source that fails")
	}
	return finding
}

// Gates are the names of all gates: the built-in ones, the rules', and the confirmation.
func (s *Set) Gates() []string {
	var out []string
	for _, g := range gates() {
		out = append(out, g.name)
	}
	for _, r := range s.rules {
		out = append(out, r.Name)
	}
	return append(out, Confirmation)
}
