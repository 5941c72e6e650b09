package action

import (
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
)

// patience is how many times longer than usual a change is followed, where that is longer than its deadline.
const patience = 3

// fill makes the plan of a draft.
func (d *draft) fill(p *Plan) {
	p.Change = d.change()
	p.Offers = d.queue.offers
	p.Rests = append(p.Rests, Rest{d.env.Ref, d.env.Revision})
	if d.itself != nil { // the plan is that of the run, which may bring no version
		if d.want.IsZero() {
			p.Change = nil
		}
		return
	}
	p.Title, p.Then = d.title(), d.thenText()
	p.Service = d.env.Service
	if d.way == nil {
		return
	}
	p.Call = d.way.call
	p.Deadline = max(p.Deadline, patience*p.Change.Expected)
	p.Lines = append(p.Lines, d.way.lines...)
	if d.way.run != nil {
		p.Rests = append(p.Rests, Rest{d.way.run.Ref, d.way.run.Revision})
	}
}

func (d *draft) title() clean.Text {
	if d.q.Verb == sources.Promote {
		what := clean.Const("a version")
		if !d.want.IsZero() {
			what = d.want.Short()
		}
		return clean.Linef("Promote %s to %s", what, d.name())
	}
	if d.want.IsZero() {
		return clean.Linef("Roll back %s", d.name())
	}
	return clean.Linef("Roll back %s to %s", d.name(), d.want.Short())
}

func (d *draft) thenText() clean.Text {
	if d.want.IsZero() {
		return clean.Const("not known")
	}
	return clean.Linef("%s in %s", d.want.Short(), d.place())
}

// nowText is what runs there, target by target where these differ: "v2.0.3 in eu; v2.0.2 in us, where v2.0.3
// failed".
func (d *draft) nowText() clean.Text {
	type group struct {
		text    string
		targets []string
	}
	var groups []group
	for i := range d.selected {
		t := &d.selected[i]
		text := stateOf(t)
		at := slices.IndexFunc(groups, func(g group) bool { return g.text == text })
		if at < 0 {
			groups = append(groups, group{text: text})
			at = len(groups) - 1
		}
		if t.Name != "" {
			groups[at].targets = append(groups[at].targets, t.Name)
		}
	}
	out := make([]string, 0, len(groups))
	for _, g := range groups {
		first, rest, _ := strings.Cut(g.text, ", ")
		if len(g.targets) > 0 {
			first += " in " + strings.Join(g.targets, " ")
		}
		if rest != "" {
			first += ", " + rest
		}
		out = append(out, first)
	}
	if len(out) == 0 {
		return clean.Const("not known")
	}
	return clean.Line(strings.Join(out, "; "))
}

// stateOf is one target in words, what runs before the first comma.
func stateOf(t *sources.Target) string {
	parts := []string{"nothing known"}
	if c := t.Current; c != nil {
		parts[0] = c.Version.Short().String()
		switch {
		case c.Version.IsZero():
			parts[0] = "an unknown version"
		case c.Mismatch:
			parts = append(parts, "which two pieces of evidence disagree on")
		case !c.Verified:
			parts = append(parts, "not verified")
		}
	}
	if t.Failed != nil {
		parts = append(parts, t.Failed.Version.Short().String()+" failed")
	}
	if t.Arriving != nil {
		parts = append(parts, t.Arriving.Version.Short().String()+" on its way")
	}
	return strings.Join(parts, ", ")
}

// change is the part of the plan that is about versions.
func (d *draft) change() *Change {
	b := &d.between
	c := &Change{
		Service: d.env.Service, Environment: d.env.Name, Prod: d.env.Prod, Targets: names(d.selected), Now: d.current(),
		Then: Running{Version: d.want, Text: d.wantText, Bad: d.warned}, Undoes: b.undoes || !b.known && d.q.Verb == sources.Rollback, Commits: b.commits, CommitsKnown: b.known, URL: b.url,
		Others: d.others, Choices: d.choices, Expected: d.expected(),
	}
	if d.want.IsZero() {
		c.Then.Text = d.why
	}
	if d.way != nil {
		c.Means = d.way.means
	}
	if d.q.Verb == sources.Promote {
		c.From = d.env.Previous
	}
	c.Migrations, c.MigrationsKnown = d.migrations()
	return c
}

// current is what runs, how that is known, and what speaks against it.
func (d *draft) current() Running {
	out := Running{Text: clean.Linef("%s: %s", d.name(), d.nowText())}
	c := running(d.selected)
	if c == nil {
		return out
	}
	out.Version = c.Version
	mixed := slices.ContainsFunc(d.selected, func(t sources.Target) bool { return !stands(&t, c.Version) })
	if !mixed {
		out.Text = clean.Line(strings.Join(append([]string{d.env.Name}, names(d.selected)...), " "))
	}
	if !mixed || c.Verified && !c.Mismatch {
		out.Text = clean.Linef("%s, %s", out.Text, d.evidence(c))
	}
	if h := insight.ServiceHealth(d.snap, d.env.Service, d.now); d.env.Prod && h.Known && h.Sense >= insight.Warn {
		out.Bad = h.Text
	}
	return out
}

// evidence is how it is known what runs: "seen by /version 4s ago".
func (d *draft) evidence(c *sources.Deployment) clean.Text {
	if c.Mismatch {
		return clean.Const("two pieces of evidence disagree")
	}
	if !c.Verified {
		return clean.Const("not verified")
	}
	how, at := "told by its deployment record", ended(c)
	if len(c.Evidence) > 0 {
		e := c.Evidence[0]
		how = seenBy(e.Kind)
		if !e.At.IsZero() {
			at = e.At
		}
	}
	return clean.Linef("%s %s ago", how, clean.Elapsed(d.now.Sub(at)))
}

func seenBy(k sources.EvidenceKind) string {
	switch k {
	case sources.FromURL:
		return "seen by its version page"
	case sources.FromMetric:
		return "seen by a metric's tag"
	case sources.FromImage:
		return "seen by its image"
	case sources.FromPayload:
		return "told by its deployment's payload"
	case sources.FromInput:
		return "told by its run's input"
	case sources.FromRunName:
		return "told by its run's name"
	case sources.FromRecord:
		return "told by its deployment record"
	}
	return "told by " + string(k)
}

// expected is for how long it usually takes: what the runs that did it before took, else the median of the
// deployments, from when they began. What a run did before the gate that is approved now is done.
func (d *draft) expected() time.Duration {
	if approves := d.q.Verb == sources.Approve || d.way != nil && d.way.means == ByApproval; !approves {
		for r := range d.snap.Runs() {
			same := d.deploysBy(r.Path) || d.way != nil && d.way.run != nil && d.way.run.Path == r.Path
			if r.Expected > 0 && r.Ref.Source == d.env.Ref.Source && r.Ref.Scope == d.env.Ref.Scope && same {
				return r.Expected
			}
		}
	}
	var took []time.Duration
	for i := range d.env.History {
		h := &d.env.History[i]
		worked := h.State == sources.StatePassed || h.State == sources.StateSuperseded && !h.Unproven
		if worked && !h.Started.IsZero() && h.Ended.After(h.Started) {
			took = append(took, h.Ended.Sub(h.Started))
		}
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}
