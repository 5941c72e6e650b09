package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
)

// planFact is a plan in JSON. Names are never changed or reused; new ones may come.
type planFact struct {
	ID       string           `json:"id"`
	Verb     sources.Verb     `json:"verb"`
	Target   string           `json:"target"` // source:kind:scope:id
	Name     clean.Text       `json:"name"`
	Service  string           `json:"service,omitempty"`
	Title    clean.Text       `json:"title"`
	Acting   clean.Text       `json:"acting_as,omitzero"`
	Now      clean.Text       `json:"now"`
	Then     clean.Text       `json:"then"`
	How      clean.Text       `json:"how,omitzero"`
	Lines    []clean.Text     `json:"lines,omitempty"`
	Wakes    []sources.Person `json:"wakes,omitempty"`
	Gates    []policy.Finding `json:"gates"`
	Verdict  policy.Verdict   `json:"verdict"`
	Demand   demandFact       `json:"demand"`
	Change   *changeFact      `json:"change,omitempty"`
	Offers   []offerFact      `json:"offers,omitempty"`
	Deadline string           `json:"deadline"` // for how long its effect is followed
}

type demandFact struct {
	Kind   string `json:"kind"`             // none, yes, type, second_person or refusal
	Word   string `json:"word,omitempty"`   // what is to be typed
	Reason bool   `json:"reason,omitempty"` // a reason is demanded
}

type changeFact struct {
	Environment  string           `json:"environment"`
	Prod         bool             `json:"prod"`
	Targets      []string         `json:"targets,omitempty"`
	Now          sources.Version  `json:"now"`
	Then         sources.Version  `json:"then"`
	Undoes       bool             `json:"undoes"` // the commits are taken back; else they are new
	Commits      []sources.Commit `json:"commits"`
	CommitsKnown bool             `json:"commits_known"`
	Means        action.Means     `json:"means"`
	Others       []action.Means   `json:"other_means,omitempty"`
	Choices      []choiceFact     `json:"choices,omitempty"`
	Migrations   []string         `json:"migrations,omitempty"`
}

type choiceFact struct {
	Version sources.Version `json:"version"`
	Text    clean.Text      `json:"text"`
	Warning clean.Text      `json:"warning,omitzero"`
	Chosen  bool            `json:"chosen,omitempty"`
}

type offerFact struct {
	Text   clean.Text   `json:"text"`
	Verb   sources.Verb `json:"verb"`
	Target string       `json:"target"`
}

func planFactOf(p *action.Plan) planFact {
	f := planFact{
		ID: p.ID, Verb: p.Request.Verb, Target: p.Request.Target.String(), Name: p.Name, Service: p.Service, Title: p.Title, Acting: p.Acting,
		Now: p.Now, Then: p.Then, How: p.How, Lines: p.Lines, Wakes: p.Wakes, Gates: p.Gates, Verdict: p.Verdict(),
		Demand: demandFact{demandName(p.Demand.Kind), p.Demand.Word, p.Demand.Reason}, Deadline: p.Deadline.String(),
	}
	if f.Gates == nil {
		f.Gates = []policy.Finding{}
	}
	for _, o := range p.Offers {
		f.Offers = append(f.Offers, offerFact{o.Text, o.Request.Verb, o.Request.Target.String()})
	}
	if c := p.Change; c != nil {
		f.Change = &changeFact{
			Environment: c.Environment, Prod: c.Prod, Targets: c.Targets, Now: c.Now.Version, Then: c.Then.Version, Undoes: c.Undoes,
			Commits: c.Commits, CommitsKnown: c.CommitsKnown, Means: c.Means, Others: c.Others, Migrations: c.Migrations,
		}
		if c.Commits == nil {
			f.Change.Commits = []sources.Commit{}
		}
		for _, one := range c.Choices {
			f.Change.Choices = append(f.Change.Choices, choiceFact(one))
		}
	}
	return f
}

func demandName(k action.DemandKind) string {
	switch k {
	case action.NoDemand:
		return "none"
	case action.YesDemand:
		return "yes"
	case action.TypeDemand:
		return "type"
	case action.SecondDemand:
		return "second_person"
	case action.Refusal:
		return "refusal"
	}
	return "refusal"
}

// planWriter writes a plan for a person: a label, and what there is to say.
type planWriter struct {
	strings.Builder
	color bool
}

const planLabel = 12

func (w *planWriter) line(label string, parts ...string) {
	text := strings.Join(parts, "  ")
	fmt.Fprintf(&w.Builder, "  %-*s %s\n", planLabel-1, label, strings.TrimRight(text, " "))
}

// planText is the plan as the board's dialog states it.
func planText(p *action.Plan, color bool) string {
	w := &planWriter{color: color}
	acting := ""
	if !p.Acting.IsZero() {
		acting = ", acting as " + p.Acting.String()
	}
	fmt.Fprintf(&w.Builder, "%s%s  (plan %s)\n", p.Title, acting, p.ID)
	if c := p.Change; c != nil {
		w.change(c)
	} else {
		w.line("now", p.Now.String())
		w.line("then", p.Then.String())
	}
	if !p.How.IsZero() {
		how := p.How.String()
		if p.Change != nil && p.Change.Expected > 0 {
			how += " · usually " + p.Change.Expected.Round(time.Second).String()
		}
		w.line("how", how)
	}
	for i, l := range p.Lines {
		w.line(first(i, "touches"), l.String())
	}
	for i, one := range p.Wakes {
		w.line(first(i, "pages"), cmp.Or(one.Name, one.Login, clean.Line(one.ID)).String())
	}
	for _, g := range p.Gates {
		w.gate(g)
	}
	for i, o := range p.Offers {
		w.line(first(i, "before it"), o.Text.String()+":", commandOf(&o.Request))
	}
	w.demand(p)
	return w.String()
}

func first(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

// listed is how many commits and choices are written.
const listed = 10

func (w *planWriter) change(c *action.Change) {
	w.line("now", c.Now.Version.Short().String(), shortSHA(c.Now.Version), c.Now.Text.String(), c.Now.Bad.String())
	w.line("then", c.Then.Version.Short().String(), shortSHA(c.Then.Version), c.Then.Text.String(), c.Then.Bad.String())
	label := "includes"
	if c.Undoes {
		label = "undoes"
	}
	switch {
	case !c.CommitsKnown:
		w.line(label, "it cannot be told which commits")
	case len(c.Commits) == 0:
		w.line(label, "no commit")
	}
	for i := range c.Commits {
		if i == listed {
			w.line("", fmt.Sprintf("and %d more", len(c.Commits)-listed))
			break
		}
		one := &c.Commits[i]
		pull := ""
		if one.Pull > 0 {
			pull = fmt.Sprintf("#%d", one.Pull)
		}
		w.line(first(i, label), one.SHA[:min(7, len(one.SHA))], one.Title.String(), "("+one.Author.String()+")", pull)
	}
	for i, one := range c.Choices {
		if i == listed {
			break
		}
		mark := " "
		if one.Chosen {
			mark = "*"
		}
		w.line(first(i, "versions"), mark+" "+one.Version.Short().String(), one.Text.String(), one.Warning.String())
	}
	for i, m := range c.Others {
		w.line(first(i, "or by"), "--via "+string(m))
	}
}

func shortSHA(v sources.Version) string {
	if v.Tag.IsZero() {
		return ""
	}
	return v.SHA[:min(7, len(v.SHA))]
}

func (w *planWriter) gate(g policy.Finding) {
	mark, t := "ok", tintGood
	switch g.Verdict {
	case policy.Allow:
	case policy.Warn:
		mark, t = "!", tintWarn
	case policy.Confirm, policy.TypedConfirm, policy.SecondPerson:
		mark, t = "?", tintNone
	case policy.Deny:
		mark, t = "NO", tintBad
	}
	padded := fmt.Sprintf("%-3s", mark)
	if w.color {
		padded = t.paint(padded)
	}
	fmt.Fprintf(&w.Builder, "  %s %-*s %s\n", padded, planLabel+2, g.Gate, g.Text)
	if !g.Fix.IsZero() {
		fmt.Fprintf(&w.Builder, "  %-*s %s\n", planLabel+6, "", g.Fix)
	}
}

// demand says what the plan wants of the person.
func (w *planWriter) demand(p *action.Plan) {
	d := p.Demand
	switch d.Kind {
	case action.NoDemand:
		w.line("asks", "nothing")
	case action.YesDemand:
		w.line("asks", "y, or --yes")
	case action.TypeDemand:
		w.line("asks", "to type "+d.Word+", or --confirm "+shellWord(d.Word))
	case action.SecondDemand:
		w.line("asks", "to type "+d.Word+", or --confirm "+shellWord(d.Word)+"; then somebody else: signalbox cosign "+p.ID)
	case action.Refusal:
		w.line("refused", "nothing makes it go ahead as things are")
	}
	if d.Reason {
		_, names := policy.Lift(p.Gates)
		w.line("", "a reason, or --reason TEXT, lifts "+strings.Join(names, ", "))
	}
}

// commandOf is the command that does what a request asks for.
func commandOf(q *action.Request) string {
	text := fmt.Sprintf("signalbox %s %s", commandName(q.Verb), clean.Line(q.Target.String()))
	if len(q.To) > 0 {
		text += " --to " + shellWord(clean.Line(strings.Join(q.To, ",")).String())
	}
	return text
}

// commandName is what the command of a verb is called.
func commandName(v sources.Verb) string {
	switch v { //nolint:exhaustive // all others are called what they are
	case sources.RerunAll:
		return "rerun --all"
	case sources.PostStatus:
		return "update"
	}
	return string(v)
}
