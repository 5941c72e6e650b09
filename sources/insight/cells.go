package insight

import (
	"cmp"
	"time"

	"example.com/signalbox/sources"
)

func (d *laneDeriver) cell(at envAt) Cell {
	e := at.env
	c := Cell{Env: e, Feed: at.feed, Verified: true}
	for i := range e.Targets {
		c.addTarget(&e.Targets[i])
	}
	newest := running(e, c.Arriving)
	if newest != nil {
		c.Version, c.Since = newest.Version, ended(newest)
	}
	if c.Arriving != nil {
		c.Run = d.runs[c.Arriving.Run]
	}
	c.Outcome = outcome(e, &c)
	return c
}

func (c *Cell) addTarget(t *sources.Target) {
	if t.Name != "" {
		c.Targets = append(c.Targets, TargetMark{t.Name, targetState(t)})
	}
	if t.Arriving != nil && (c.Arriving == nil || t.Arriving.Created.After(c.Arriving.Created)) {
		c.Arriving = t.Arriving
	}
	if t.Failed != nil && (c.Failed == nil || t.Failed.Created.After(c.Failed.Created)) {
		c.Failed = t.Failed
	}
	if t.Current == nil {
		return
	}
	c.Verified = c.Verified && t.Current.Verified
	c.Mismatch = c.Mismatch || t.Current.Mismatch
	for i := range c.Env.Targets {
		if o := c.Env.Targets[i].Current; o != nil && !o.Version.Same(t.Current.Version) {
			c.Mixed = true
		}
	}
}

// running is the newest deployment that runs on any target. While another version arrives target by
// target, it is what the others still run: what is being replaced.
func running(e *sources.Environment, arriving *sources.Deployment) *sources.Deployment {
	var newest, replaced *sources.Deployment
	for i := range e.Targets {
		cur := e.Targets[i].Current
		if cur == nil {
			continue
		}
		if newest == nil || ended(cur).After(ended(newest)) {
			newest = cur
		}
		if arriving != nil && !cur.Version.Same(arriving.Version) && (replaced == nil || ended(cur).After(ended(replaced))) {
			replaced = cur
		}
	}
	if replaced != nil {
		return replaced
	}
	return newest
}

func targetState(t *sources.Target) sources.State {
	switch {
	case t.Arriving != nil:
		return t.Arriving.State
	case t.Failed != nil:
		return sources.StateFailed
	case t.Current != nil:
		return sources.StatePassed
	default:
		return sources.StateSkipped
	}
}

// ended is when a deployment became final; its creation when the provider does not say.
func ended(d *sources.Deployment) time.Time { return cmp.Or(d.Ended, d.Created) }

func outcome(e *sources.Environment, c *Cell) Outcome {
	if c.Arriving != nil {
		switch c.Arriving.State {
		case sources.StateWaiting, sources.StateQueued:
			return DeployWaiting
		case sources.StateUnknown:
			return OutcomeUnknown
		default:
			return Arriving
		}
	}
	failed, current := 0, 0
	for i := range e.Targets {
		failed += b2i(e.Targets[i].Failed != nil)
		current += b2i(e.Targets[i].Current != nil)
	}
	switch {
	case failed > 0 && failed == len(e.Targets):
		return DeployFailed
	case failed > 0 || c.Mixed:
		return Half
	case current > 0:
		return Deployed
	default:
		return OutcomeNone
	}
}

// nextOf lists what the environment c has coming, most urgent first.
func nextOf(c *Cell) []Next {
	var out []Next
	if c.Mismatch {
		out = append(out, Next{Kind: NextMismatch})
	}
	ahead := -1
	if e := c.Env; e.Ahead > 0 {
		ahead = e.Ahead
	}
	gate := GateOf(c.Env.Gates)
	if gate != nil {
		out = append(out, Next{Kind: NextGate, Gate: gate, Commits: ahead})
	}
	if c.Outcome == Half || c.Outcome == DeployFailed {
		if v := KnownGood(c.Env); !v.IsZero() {
			out = append(out, Next{Kind: NextRollback, Version: v})
		}
	}
	if !c.Verified && !c.Mismatch {
		out = append(out, Next{Kind: NextUnverified})
	}
	if gate == nil && ahead > 0 && c.Outcome != Half && c.Outcome != DeployFailed { // mend it before promoting more
		out = append(out, Next{Kind: NextAhead, Commits: ahead})
	}
	if c.Env.Behind > 0 {
		out = append(out, Next{Kind: NextBehind, Commits: c.Env.Behind})
	}
	return out
}

// GateOf is the gate to speak of: one that I may approve, else the one that has waited longest.
func GateOf(gates []sources.Gate) *sources.Gate {
	var best *sources.Gate
	for i := range gates {
		g := &gates[i]
		if best == nil || g.CanApprove && !best.CanApprove ||
			g.CanApprove == best.CanApprove && !g.Since.IsZero() && g.Since.Before(best.Since) {
			best = g
		}
	}
	return best
}

// KnownGood is what undoing the newest attempt in e would bring back: the newest version in its history
// that succeeded and is not the one that was attempted last; zero when there is none.
func KnownGood(e *sources.Environment) sources.Version {
	if len(e.History) == 0 {
		return sources.Version{}
	}
	tried := e.History[0].Version
	for i := range e.History {
		h := &e.History[i]
		good := h.State == sources.StatePassed || h.State == sources.StateSuperseded
		if good && !h.Version.IsZero() && !h.Version.Same(tried) {
			return h.Version
		}
	}
	return sources.Version{}
}

// Matches reports whether every word of the filter (lower case) occurs in the lane's service, or in a
// version, state or person of its cells.
func (l *Lane) Matches(words []string) bool {
	fields := []string{l.Service}
	for i := range l.Cells {
		c := &l.Cells[i]
		if c.Env == nil {
			continue
		}
		fields = append(fields, c.Env.Name, c.Version.Short().String(), c.Version.SHA)
		if a := c.Arriving; a != nil {
			fields = append(fields, a.Version.Short().String(), a.Actor.String(), a.State.String())
		}
		if c.Outcome == Half || c.Outcome == DeployFailed {
			fields = append(fields, "failed")
		}
	}
	return matchAll(fields, words)
}
