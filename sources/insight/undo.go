package insight

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// Undoing is what could be undone about a problem.
type Undoing struct {
	// Changes are the deployments and flag changes of the problem's service from an hour before its onset,
	// newest first.
	Changes []Undoable
	// Preselected is the index of the deployment that is the one to roll back; -1 when that cannot be told:
	// there is none, or two came so close to each other that either may be it.
	Preselected int
	Why         clean.Text // why nothing is preselected; zero when something is
}

// Undoable is one change, and whether a rollback undoes it.
type Undoable struct {
	Suspect

	Refused clean.Text // why a rollback does not undo it; zero: rolling back Env does
}

// ToUndo is what R on a problem offers.
func ToUndo(s *store.Snapshot, p *Problem) Undoing {
	out := Undoing{Preselected: -1}
	for _, x := range p.Suspects {
		if x.Upstream != "" || x.Kind != sources.DeploymentChange && x.Kind != sources.FlagChange {
			continue
		}
		out.Changes = append(out.Changes, Undoable{x, refusedUndo(&x)})
	}
	var first *Undoable
	near := max(oneChange, resolution(s, p))
	for i := range out.Changes {
		c := &out.Changes[i]
		switch {
		case c.Kind != sources.DeploymentChange || c.Before < -suspectSlack:
		case first == nil:
			first, out.Preselected = c, i
		case first.At.Sub(c.At).Abs() <= near:
			out.Preselected, out.Why = -1, clean.Linef("%s and %s came within %s of each other", first.Text, c.Text, span(near))
			return out
		}
	}
	switch {
	case first == nil:
		out.Why = clean.Const("nothing was deployed shortly before it began")
	case !first.Refused.IsZero():
		out.Preselected, out.Why = -1, first.Refused
	}
	return out
}

func refusedUndo(x *Suspect) clean.Text {
	switch {
	case x.Kind == sources.FlagChange:
		return clean.Const("a rollback does not switch flags: switch it back where it was switched")
	case x.Env.IsZero():
		return clean.Const("in which environment it was deployed is not known")
	default:
		return clean.Text{}
	}
}

// resolution is how exactly the onset of p is known: to a step of the metric that tells it, else to the slack
// of clocks.
func resolution(s *store.Snapshot, p *Problem) time.Duration {
	out := suspectSlack
	if p.OnsetBy.IsZero() {
		return out
	}
	for m := range s.Series() {
		if m.Service == p.Service && m.Name == p.OnsetBy {
			out = max(out, m.Step)
		}
	}
	return out
}
