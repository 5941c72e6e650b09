package policy

import (
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Builtin describes a built-in gate, for the documentation.
type Builtin struct {
	Name    string
	Doc     string   // when it speaks, and what it says by default
	Params  []string // what the config may set, besides else and break_glass; nil for what cannot be set
	Setting bool     // the config may set it
}

// Builtins are the built-in gates in the order in which they speak.
func Builtins() []Builtin {
	all := gates()
	out := make([]Builtin, len(all))
	for i, g := range all {
		out[i] = Builtin{g.name, g.doc, g.params, g.params != nil}
	}
	return out
}

// setting is what a gate goes by.
type setting struct {
	otherwise Verdict
	glass     bool
	after     time.Duration
	most      int
	severity  int
	below     float64
	only      []string
}

// broken is the finding of a gate against the action.
func (s setting) broken(text, fix clean.Text) Finding {
	return Finding{Verdict: s.otherwise, BreakGlass: s.glass && s.otherwise == Deny, Text: text, Fix: fix}
}

// gate is one built-in gate. judge's ok is false when it has nothing to say.
type gate struct {
	name   string
	doc    string
	params []string // nil for a gate that cannot be set
	prod   bool     // it is about production, and environments that a setting names
	asked  bool     // it speaks only where the config sets it
	base   setting
	judge  func(f *Facts, s setting) (finding Finding, ok bool)
}

// The defaults of the built-in gates.
const (
	soakTime    = 30 * time.Minute
	freshTime   = 5 * time.Minute
	mostPerHour = 6
	leastBudget = 0.25
	urgent      = 2 // P1 and P2
)

func gates() []gate {
	deny, warn := setting{otherwise: Deny, glass: true}, setting{otherwise: Warn}
	soak, fresh, rate, budget, incidents := deny, deny, deny, warn, deny
	soak.after, fresh.after, rate.most, budget.below, incidents.severity = soakTime, freshTime, mostPerHour, leastBudget, urgent
	none := []string{}
	return []gate{
		{name: "read_only", doc: "Refuses everything while signalbox is read-only.", judge: readOnly},
		{name: "unmanaged", doc: "Refuses changes of what the config does not name; your own page can be acknowledged all the same.", judge: unmanaged},
		{name: "other_team", doc: "Refuses changes of another team's service; your own page can be acknowledged all the same.", judge: otherTeam},
		{name: "target", doc: "Refuses a promotion or a rollback of which the environment or the version is not known.", judge: target},
		{name: "environments", doc: "Speaks where `only` lists environments: refuses promotions to any other.", params: []string{"only"}, asked: true, base: setting{otherwise: Deny}, judge: environments},
		{name: "ci", doc: "Promoting to production: every check of exactly that commit has ended well, and there was one.", params: none, prod: true, base: deny, judge: ci},
		{name: "soak", doc: "Promoting to production: the stage before has run the version for `after` (30m).", params: []string{"after"}, prod: true, base: soak, judge: soaked},
		{name: "incidents", doc: "Promoting to production: the service has no open incident of `severity` (2) or worse, and none whose severity is unknown.", params: []string{"severity"}, prod: true, base: incidents, judge: incident},
		{name: "budget", doc: "Promoting to production: warns when less than `below` (0.25) of the error budget is left.", params: []string{"below"}, prod: true, base: budget, judge: budgetLeft},
		{name: "rate", doc: "Promoting to production: fewer than `most` (6) deployments there in the last hour.", params: []string{"most"}, prod: true, base: rate, judge: rated},
		{name: "fresh", doc: "What was looked at is no older than `after` (5m); a rollback is warned.", params: []string{"after"}, base: fresh, judge: freshData},
		{name: "queue", doc: "Nothing runs, waits or is pending in the environment's concurrency group; a rollback is warned.", params: none, base: deny, judge: queue},
		{name: "known_bad", doc: "The version is not known bad there; outside production, and of a rollback, it warns.", params: none, base: deny, judge: knownBad},
		{name: "schema", doc: "Files that change the schema lie between the two versions: a typed confirmation, also of a rollback.", params: none, base: setting{otherwise: TypedConfirm}, judge: schema},
		{name: "direction", doc: "Warns when a promotion would put back an older version.", params: none, base: warn, judge: direction},
		{name: "flags", doc: "Warns of flags that were switched since, which a change of version does not undo.", params: none, base: warn, judge: flags},
		{name: "comes_back", doc: "Warns when the next merge or a sync would bring the other version back.", params: none, base: warn, judge: comesBack},
		{name: loopGate, doc: "Rolling back what was just rolled back: a typed reason.", params: none, base: deny, judge: loop},
		{name: "second_person", doc: "Speaks where the config sets it: another person has to agree to a promotion.", params: none, prod: true, asked: true, base: setting{otherwise: SecondPerson}, judge: secondPerson},
	}
}

// setting is what gate g goes by for these facts; applies is false where it is not about them.
func (s *Set) setting(g gate, f *Facts) (out setting, applies bool) {
	out, applies = g.base, !g.asked && (!g.prod || f.prod())
	for _, r := range s.settings {
		if r.Builtin != g.name || (r.Env != "" && (f.Environment == nil || f.Environment.Name != r.Env)) {
			continue
		}
		applies = !g.prod || r.Env != "" || f.prod()
		if r.ElseSet {
			out.otherwise = r.Else
		}
		if r.GlassSet {
			out.glass = r.BreakGlass
		}
		out.only = append(out.only, r.Only...)
		set(&out.after, r.After)
		set(&out.most, r.Most)
		set(&out.severity, r.Severity)
		set(&out.below, r.Below)
	}
	return out, applies
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// ownPage reports the one thing that is never refused for whose the service is: answering one's own page.
func (f *Facts) ownPage() bool {
	return f.Mine && (f.Action == sources.Acknowledge || f.Action == sources.AddNote)
}

func readOnly(f *Facts, _ setting) (Finding, bool) {
	return Finding{Verdict: Deny, Text: clean.Const("signalbox is read-only"), Fix: clean.Const("start it without --read-only, and without read_only: in the config")}, f.ReadOnly
}

func unmanaged(f *Facts, _ setting) (Finding, bool) {
	return Finding{Verdict: Deny, Text: clean.Linef("the config does not name %s", f.Service), Fix: clean.Const("add it below services: (signalbox init writes it for you)")},
		f.Discovered && !f.ownPage()
}

func otherTeam(f *Facts, _ setting) (Finding, bool) {
	return Finding{Verdict: Deny, Text: clean.Linef("%s belongs to %s", f.Service, f.Team), Fix: clean.Linef("ask %s", f.Team)}, f.Team != "" && !f.ownPage()
}

// target refuses what is not known well enough to be judged. Run verbs are on a run, which is known.
func target(f *Facts, _ setting) (Finding, bool) {
	switch f.Action {
	case sources.Promote, sources.Rollback, sources.Deploy, sources.Dispatch:
	default:
		return Finding{}, false
	}
	var lacks string
	switch {
	case f.Environment == nil:
		lacks = "which environment it is, is not known"
	case f.Version == nil:
		lacks = "which version would run, is not known"
	default:
		return Finding{}, false
	}
	return Finding{Verdict: Deny, Unknown: true, Text: clean.Line(lacks), Fix: clean.Const("refresh, and choose it again")}, true
}

// judged reports that a built-in gate on promotions can be asked: of a run verb only where it is known which
// environment it is about.
func (f *Facts) judged() bool {
	return f.promotes() && (f.Environment != nil || f.Action == sources.Promote || f.Action == sources.Deploy || f.Action == sources.Dispatch)
}

func environments(f *Facts, s setting) (Finding, bool) {
	switch {
	case !f.judged() || len(s.only) == 0:
		return Finding{}, false
	case f.Environment == nil:
		return unknown(f, clean.Const("the environment is not known")), true
	case slices.Contains(s.only, f.Environment.Name):
		return Finding{Text: clean.Linef("%s may be promoted to", f.Environment.Name)}, true
	}
	return s.broken(clean.Linef("promotions go to %s only", strings.Join(s.only, ", ")), clean.Const("add it to only: of the policy")), true
}

func ci(f *Facts, s setting) (Finding, bool) {
	c := f.Checks
	switch {
	case !f.judged():
		return Finding{}, false
	case c == nil && f.Unchecked != nil:
		finding := unknown(f, clean.Linef("the checks of this commit cannot be read: %s", sources.Message(f.Unchecked)))
		if cure := sources.Cure(f.Unchecked); cure != "" {
			finding.Fix = clean.Line(cure)
		}
		return finding, true
	case c == nil:
		return unknown(f, clean.Const("the checks of this commit are not known")), true
	case c.Failed > 0:
		return s.broken(clean.Linef("%s of this commit failed%s", checks(c.Failed), named(c.Names)), clean.Const("mend it, or run it again")), true
	case c.Running > 0:
		return s.broken(clean.Linef("%s of this commit have not ended%s", checks(c.Running), named(c.Names)), clean.Const("wait for them")), true
	case c.Passed == 0:
		return s.broken(clean.Const("no check of this commit has run"), clean.Const("run them")), true
	}
	return Finding{Text: clean.Linef("%s of this commit passed", checks(c.Passed))}, true
}

func checks(n int) clean.Text {
	if n == 1 {
		return clean.Const("1 check")
	}
	return clean.Linef("%d checks", n)
}

func named(names []string) string {
	const most = 3
	switch {
	case len(names) == 0:
		return ""
	case len(names) > most:
		return ": " + strings.Join(names[:most], ", ") + " …"
	}
	return ": " + strings.Join(names, ", ")
}

func soaked(f *Facts, s setting) (Finding, bool) {
	switch {
	case !f.judged() || s.after <= 0:
		return Finding{}, false
	case f.From == nil && f.FirstStage:
		return Finding{Text: clean.Const("there is no stage before it")}, true
	case f.From == nil:
		return unknown(f, clean.Const("for how long the stage before has run it is not known")), true
	case f.From.Age < s.after:
		return s.broken(clean.Linef("%s has run it for only %s, of %s", f.From.Name, clean.Lasting(f.From.Age), clean.Lasting(s.after)),
			clean.Linef("wait %s", clean.Lasting(s.after-f.From.Age))), true
	}
	return Finding{Text: clean.Linef("%s has run it for %s", f.From.Name, clean.Lasting(f.From.Age))}, true
}

func incident(f *Facts, s setting) (Finding, bool) {
	switch {
	case !f.judged() || f.NoIncidentSource:
		return Finding{}, false
	case !f.IncidentsKnown:
		return unknown(f, clean.Const("whether incidents are open is not known")), true
	}
	var bad []IncidentFacts
	for _, i := range f.open() {
		if i.Severity <= s.severity && !i.Low {
			bad = append(bad, i)
		}
	}
	if len(bad) == 0 {
		return Finding{Text: clean.Linef("no incident of P%d or worse is open", s.severity)}, true
	}
	worst := slices.MinFunc(bad, func(a, b IncidentFacts) int { return max(a.Severity, 1) - max(b.Severity, 1) })
	what := clean.Linef("P%d", worst.Severity)
	if worst.Severity <= 0 {
		what = clean.Const("an incident of unknown severity")
	}
	text := clean.Linef("%s is open: %s", what, worst.Title)
	if len(bad) > 1 {
		text = clean.Linef("%s, and %d more", text, len(bad)-1)
	}
	return s.broken(text, clean.Const("resolve it first")), true
}

func budgetLeft(f *Facts, s setting) (Finding, bool) {
	const percent = 100
	switch {
	case !f.judged() || f.NoObjective:
		return Finding{}, false
	case f.SLO == nil:
		return unknown(f, clean.Const("the error budget is not known")), true
	case f.SLO.Remaining < s.below:
		return s.broken(clean.Linef("%s %% of the error budget is left (%s)", rounded(f.SLO.Remaining*percent), f.SLO.Name), clean.Text{}), true
	}
	return Finding{Text: clean.Linef("%s %% of the error budget is left", rounded(f.SLO.Remaining*percent))}, true
}

func rated(f *Facts, s setting) (Finding, bool) {
	switch {
	case !f.judged() || s.most <= 0:
		return Finding{}, false
	case f.Deployments == nil:
		return unknown(f, clean.Const("how many deployments there were is not known")), true
	case f.Deployments.LastHour >= s.most:
		return s.broken(clean.Linef("%s in the last hour, of %d", clean.Counted(f.Deployments.LastHour, "deployment"), s.most), clean.Const("wait, or ask why there are that many")), true
	}
	return Finding{Text: clean.Linef("%s in the last hour", clean.Counted(f.Deployments.LastHour, "deployment"))}, true
}

func freshData(f *Facts, s setting) (Finding, bool) {
	switch {
	case !f.judged() && f.Action != sources.Rollback:
		return Finding{}, false
	case !f.AgeKnown:
		return unknown(f, clean.Const("how old the data is, is not known")), true
	case f.Age <= s.after:
		return Finding{Text: clean.Linef("the data is %s old", clean.Lasting(f.Age))}, true
	}
	text, fix := clean.Linef("the data is %s old", clean.Lasting(f.Age)), clean.Const("refresh, and see signalbox doctor for the source that fails")
	if f.Action == sources.Rollback {
		return Finding{Verdict: Warn, Text: text, Fix: fix}, true
	}
	return s.broken(text, fix), true
}

func queue(f *Facts, s setting) (Finding, bool) {
	switch {
	case (!f.judged() && f.Action != sources.Rollback) || f.Environment == nil:
		return Finding{}, false
	case !f.Environment.BusyKnown:
		return unknown(f, clean.Const("what waits in the same queue is not known")), true
	case f.Environment.Busy == "":
		return Finding{Text: clean.Const("nothing waits before it")}, true
	}
	text, fix := clean.Linef("in its way: %s", f.Environment.Busy), clean.Const("reject or cancel that first, or wait for it")
	if f.Action == sources.Rollback {
		return Finding{Verdict: Warn, Text: text, Fix: fix}, true
	}
	return s.broken(text, fix), true
}

func knownBad(f *Facts, s setting) (Finding, bool) {
	v := f.Version
	switch {
	case v == nil || !f.moves():
		return Finding{}, false
	case v.KnownBad != "" && (f.Action == sources.Rollback || !f.prod()):
		return Finding{Verdict: min(Warn, s.otherwise), Text: clean.Linef("known bad: %s", v.KnownBad), Fix: clean.Const("choose another version")}, true
	case v.KnownBad != "":
		return s.broken(clean.Linef("known bad: %s", v.KnownBad), clean.Const("choose another version")), true
	case f.Action != sources.Rollback:
		return Finding{}, false
	case v.KnownGood:
		return Finding{Text: clean.Const("known good there")}, true
	}
	return Finding{Verdict: Warn, Text: clean.Const("it is not known to have been good there"), Fix: clean.Const("choose the newest that was")}, true
}

func schema(f *Facts, s setting) (Finding, bool) {
	v := f.Version
	switch {
	case v == nil || !f.moves():
		return Finding{}, false
	case !v.MigrationsKnown:
		return unknown(f, clean.Const("whether the schema changes between the two versions is not known")), true
	case len(v.Migrations) == 0:
		return Finding{Text: clean.Const("the schema stays")}, true
	case f.Action == sources.Rollback:
		return s.broken(clean.Linef("the schema may not go back%s", named(v.Migrations)), clean.Const("look whether the older version can work with the newer schema")), true
	}
	return s.broken(clean.Linef("it changes the schema, which may not go back%s", named(v.Migrations)), clean.Text{}), true
}

func direction(f *Facts, s setting) (Finding, bool) {
	return s.broken(clean.Const("it is older than what runs there now"), clean.Const("roll back instead, if that is what you mean")), f.promotes() && f.Version != nil && f.Version.Older
}

func flags(f *Facts, s setting) (Finding, bool) {
	if !f.moves() || f.Version == nil || len(f.Version.Flags) == 0 {
		return Finding{}, false
	}
	return s.broken(clean.Linef("switched since, and not undone by it%s", named(f.Version.Flags)), clean.Text{}), true
}

func comesBack(f *Facts, s setting) (Finding, bool) {
	if !f.moves() || f.Version == nil || f.Version.Returns == "" {
		return Finding{}, false
	}
	return s.broken(clean.Linef("brought back by %s", f.Version.Returns), clean.Const("stop that first, or revert the commit")), true
}

func loop(f *Facts, s setting) (Finding, bool) {
	if f.Action != sources.Rollback || f.Version == nil || f.Version.RolledBack == 0 {
		return Finding{}, false
	}
	return s.broken(clean.Linef("rolled back %s already", times(f.Version.RolledBack)), clean.Const("say why another one is right")), true
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return clean.Linef("%d times in a row", n).String()
}

func secondPerson(f *Facts, s setting) (Finding, bool) {
	return s.broken(clean.Const("another person has to agree"), clean.Const("ask somebody to type signalbox cosign with this plan's id")), f.judged()
}
