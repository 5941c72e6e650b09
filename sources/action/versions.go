package action

import (
	"regexp"
	"slices"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
)

// mostChoices is how many versions are offered.
const mostChoices = 12

// chooseBack finds the version that a rollback puts back: the newest that is known good there, or the one that
// is asked for out of the history.
func (d *draft) chooseBack() error {
	tried := d.tried()
	for i := range d.candidates {
		c := &d.candidates[i]
		if d.q.Version == "" && d.want.IsZero() && c.Good && !c.Version.Same(tried) && !d.runs(c.Version) {
			d.want = c.Version
		}
	}
	if d.q.Version != "" {
		c, err := d.asked(d.candidates, "ran in "+d.env.Name)
		if err != nil {
			return err
		}
		d.want = c
	}
	d.choices = d.choicesOf(d.candidates, d.env.Name, tried)
	if d.want.IsZero() {
		d.why = clean.Linef("no version is known good in %s", d.place())
		return nil
	}
	for i := range d.candidates {
		if c := &d.candidates[i]; c.Version.Same(d.want) {
			d.wantText, d.warned = d.lived(c, d.env.Name), c.Why
		}
	}
	return d.movesNothing()
}

// tried is the version that was put there last, or that somebody tried to.
func (d *draft) tried() sources.Version {
	for i := range d.env.History {
		h := &d.env.History[i]
		if !d.reaches(h) {
			continue
		}
		switch h.State {
		case sources.StateRunning, sources.StatePassed, sources.StateFailed, sources.StateSuperseded, sources.StateUnknown:
			return h.Version
		case sources.StateQueued, sources.StateWaiting, sources.StateCancelled, sources.StateSkipped:
		}
	}
	return sources.Version{}
}

// reaches reports that a deployment is of one of the targets that it is done to.
func (d *draft) reaches(h *sources.Deployment) bool {
	if d.all || h.Target == "" {
		return true
	}
	for _, t := range d.selected {
		if t.Name == h.Target {
			return true
		}
	}
	return false
}

// runs reports that every target runs v and that nothing else was tried since.
func (d *draft) runs(v sources.Version) bool {
	for i := range d.selected {
		if !stands(&d.selected[i], v) {
			return false
		}
	}
	return len(d.selected) > 0
}

// movesNothing refuses what would change nothing.
func (d *draft) movesNothing() error {
	if !d.runs(d.want) {
		return nil
	}
	return &sources.Error{
		Kind: sources.Conflict, Op: string(d.q.Verb), Scope: d.env.Ref.String(), Msg: d.place() + " runs " + d.want.Short().String() + " already",
		Fix: "choose another version",
	}
}

var hexadecimal = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

// asked is the version among candidates that the request names: by its tag, or by seven or more characters of
// its commit.
func (d *draft) asked(candidates []insight.Candidate, did string) (sources.Version, error) {
	fail := func(msg string) error {
		var known []string
		for i := range candidates {
			known = append(known, candidates[i].Version.Short().String())
		}
		fix := "look at its history"
		if len(known) > 0 {
			fix = "known are " + strings.Join(known[:min(len(known), mostChoices)], ", ")
		}
		return &sources.Error{Kind: sources.Invalid, Op: string(d.q.Verb), Scope: d.env.Ref.String(), Msg: msg, Fix: fix}
	}
	var found []sources.Version
	for i := range candidates {
		if v := candidates[i].Version; named(v, d.q.Version) {
			found = append(found, v)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return sources.Version{}, fail("no version " + d.q.Version + " " + did)
	default:
		return sources.Version{}, fail(d.q.Version + " names several versions: write more of it")
	}
}

// named reports that somebody who writes s means v.
func named(v sources.Version, s string) bool {
	if !v.Tag.IsZero() && v.Tag.String() == s {
		return true
	}
	return v.SHA != "" && hexadecimal.MatchString(s) && (strings.HasPrefix(v.SHA, s) || strings.HasPrefix(s, v.SHA) && len(v.SHA) >= 7)
}

// chooseOn finds the version that a promotion puts there: the one that the environment before it runs, in all
// its targets and beyond doubt, or the one that is asked for.
func (d *draft) chooseOn() error {
	pool, waiting := d.pool(), d.waiting()
	switch {
	case d.q.Version != "":
		v, err := d.named(pool, waiting)
		if err != nil {
			return err
		}
		d.want = v
	case d.env.Previous == "" && len(waiting) == 1:
		d.want = waiting[0]
	case d.env.Previous == "":
		d.why = clean.Linef("there is no environment before %s: name the version", d.env.Name)
	case d.prev == nil:
		d.why = clean.Linef("what %s runs cannot be read", d.env.Previous)
	default:
		d.want, d.why = agreed(d.prev)
	}
	d.choices = d.choicesOf(pool, d.env.Previous, sources.Version{})
	for _, v := range slices.Backward(waiting) {
		if !slices.ContainsFunc(d.choices, func(c Choice) bool { return c.Version.Same(v) }) {
			c := Choice{Version: v, Text: clean.Const("waits for an approval"), Chosen: v.Same(d.want)}
			d.choices = slices.Insert(d.choices, 0, c)
		}
	}
	if d.want.IsZero() {
		return nil
	}
	d.wantText = d.promoted()
	for i := range d.candidates {
		// That a version is new there is what a promotion is for.
		if c := &d.candidates[i]; c.Version.Same(d.want) && (c.Ran || c.Deployment.State == sources.StateFailed) {
			d.warned = c.Why
		}
	}
	return d.movesNothing()
}

// waiting are the versions that runs wait with for an approval, each once.
func (d *draft) waiting() []sources.Version {
	var out []sources.Version
	for _, g := range d.env.Gates {
		if !g.Unverified && !g.Version.IsZero() && !slices.ContainsFunc(out, g.Version.Same) {
			out = append(out, g.Version)
		}
	}
	return out
}

// named is the version that the request of a promotion names: one that is known before the environment, one
// that waits for it, or any commit that is written out.
func (d *draft) named(pool []insight.Candidate, waiting []sources.Version) (sources.Version, error) {
	v, err := d.asked(pool, "is known before "+d.env.Name)
	if err == nil {
		return v, nil
	}
	for _, w := range waiting {
		if named(w, d.q.Version) {
			return w, nil
		}
	}
	if fullSHA.MatchString(d.q.Version) {
		return sources.Version{SHA: d.q.Version}, nil
	}
	return v, err
}

var fullSHA = regexp.MustCompile(`^[0-9a-f]{40}$`)

// pool are the versions that a promotion may choose from: the history of the environment before it, and its
// own.
func (d *draft) pool() []insight.Candidate {
	var out []insight.Candidate
	if d.prev != nil {
		out = insight.Candidates(d.snap, d.prev, nil)
	}
	for i := range d.candidates {
		known := false
		for k := range out {
			known = known || out[k].Version.Same(d.candidates[i].Version)
		}
		if !known {
			out = append(out, d.candidates[i])
		}
	}
	return out
}

// agreed is the version that every target of e runs, if nothing speaks against it.
func agreed(e *sources.Environment) (v sources.Version, why clean.Text) {
	for _, t := range e.Targets {
		c := t.Current
		switch {
		case c == nil:
			return sources.Version{}, clean.Linef("what %s runs is not known", place(e, t.Name))
		case c.Mismatch:
			return sources.Version{}, clean.Linef("what tells the version of %s disagrees: name the version", place(e, t.Name))
		case !c.Verified || c.Version.IsZero():
			return sources.Version{}, clean.Linef("nothing trustworthy says what %s runs: name the version", place(e, t.Name))
		case !v.IsZero() && !v.Same(c.Version):
			return sources.Version{}, clean.Linef("%s runs several versions: name one", e.Name)
		}
		v = c.Version
	}
	if v.IsZero() {
		return v, clean.Linef("what %s runs is not known", e.Name)
	}
	return v, clean.Text{}
}

func place(e *sources.Environment, target string) string {
	return strings.TrimSpace(e.Name + " " + target)
}

// choicesOf lists candidates as choices.
func (d *draft) choicesOf(candidates []insight.Candidate, where string, tried sources.Version) []Choice {
	var out []Choice
	for i := range candidates {
		c := &candidates[i]
		if len(out) == mostChoices && !c.Version.Same(d.want) {
			continue
		}
		choice := Choice{Version: c.Version, Text: d.lived(c, where), Warning: c.Why, Chosen: c.Version.Same(d.want)}
		switch {
		case d.runs(c.Version):
			choice.Warning = clean.Const("it runs there already")
		case !tried.IsZero() && c.Version.Same(tried) && choice.Warning.IsZero():
			choice.Warning = clean.Const("it is what is to be undone")
		}
		out = append(out, choice)
	}
	return out
}

// lived is how a version did where it ran: "ran in prod 3d, no incident".
func (d *draft) lived(c *insight.Candidate, where string) clean.Text {
	if !c.Ran {
		return clean.Linef("%s in %s %s ago", c.Deployment.State, where, clean.Elapsed(d.now.Sub(c.Deployment.Created)))
	}
	verb, until := "ran", c.Until
	if until.IsZero() {
		verb, until = "runs", d.now
	}
	text := clean.Linef("%s in %s %s", verb, where, clean.Elapsed(until.Sub(c.From)))
	switch n := len(c.Incidents); {
	case !d.svc.Incidents:
		return text
	case !answered(d.snap, store.Incidents) || !answered(d.snap, store.Past):
		return clean.Linef("%s, incidents not known", text)
	case n == 0:
		return clean.Linef("%s, no incident", text)
	case n == 1:
		return clean.Linef("%s, 1 incident", text)
	default:
		return clean.Linef("%s, %d incidents", text, n)
	}
}

// promoted is what is known of the version that a promotion brings: "runs in staging 41m, no incident".
func (d *draft) promoted() clean.Text {
	if d.prev == nil {
		if slices.ContainsFunc(d.waiting(), d.want.Same) {
			return clean.Const("waits for an approval")
		}
		return clean.Text{}
	}
	for _, c := range insight.Candidates(d.snap, d.prev, nil) {
		if c.Version.Same(d.want) {
			return d.lived(&c, d.prev.Name)
		}
	}
	return clean.Linef("it is not known to have run in %s", d.prev.Name)
}
