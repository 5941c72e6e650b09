package insight

import (
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// Candidate is a version that was put into an environment before, and what speaks for it.
type Candidate struct {
	Version    sources.Version
	Deployment *sources.Deployment // the newest that brought it, in e's history
	// From and Until are the last time that it ran; Until is zero while it still does anywhere. Both are zero
	// when it never ran.
	From, Until time.Time
	Incidents   []*sources.Incident // that began while it ran, oldest first
	// Good reports that it is known good there: it ran, nothing older was put back after it, and no incident
	// is its doing. Why says what speaks against it otherwise; Ran that it ran at all.
	Good, Ran bool
	Why       clean.Text

	culprit *sources.Incident
}

// Candidates are the versions in the history of an environment, each once, by their newest deployment, newest
// first. targets narrows the history to deployments that reached one of them; none means all.
//
// An incident is a version's doing when it began within an hour of its coming, which is how far back changes
// are suspected, or when it was still open as another version took its place: what was replaced in the
// middle of an incident is no cure for one.
func Candidates(s *store.Snapshot, e *sources.Environment, targets []string) []Candidate {
	lived := IncidentsDuring(s, e)
	var out []Candidate
	for i := range e.History {
		d := &e.History[i]
		if d.Version.IsZero() || !reaches(d, targets) {
			continue
		}
		at := slices.IndexFunc(out, func(c Candidate) bool { return sameVersion(c.Version, d.Version) })
		if at < 0 {
			out = append(out, Candidate{Version: d.Version, Deployment: d})
			at = len(out) - 1
		}
		out[at].add(d, lived[i])
	}
	sequences := sequencesOf(e, targets)
	for i := range out {
		c := &out[i]
		c.Why = c.against(sequences)
		c.Good = c.Why.IsZero()
	}
	return out
}

// reaches reports that a deployment is of one of the targets.
func reaches(d *sources.Deployment, targets []string) bool {
	return len(targets) == 0 || d.Target == "" || slices.Contains(targets, d.Target)
}

// succeeded reports that a deployment went through, then or until something else took its place.
func succeeded(d *sources.Deployment) bool {
	return d.State == sources.StatePassed || d.State == sources.StateSuperseded && !d.Unproven
}

func (c *Candidate) add(d *sources.Deployment, l Lived) {
	if !succeeded(d) {
		return
	}
	for _, in := range l.Incidents {
		if !slices.Contains(c.Incidents, in) {
			c.Incidents = append(c.Incidents, in)
		}
		if l.blamed(in) {
			c.culprit = in
		}
	}
	switch {
	case !c.Ran:
		c.Ran, c.From, c.Until = true, l.From, l.Until
	case c.From.Sub(l.From) <= oneRollout: // in another target
		c.From = earlier(c.From, l.From)
		if l.Until.IsZero() || !c.Until.IsZero() && l.Until.After(c.Until) {
			c.Until = l.Until
		}
	}
}

func (c *Candidate) against(sequences []sequence) clean.Text {
	switch d := c.Deployment; {
	case !c.Ran && d.State == sources.StateFailed:
		return clean.Const("it failed there")
	case !c.Ran:
		return clean.Const("it is not known to have run there")
	case d.Mismatch:
		return clean.Const("what tells its version disagrees")
	case !d.Verified:
		return clean.Const("nothing trustworthy says that it was this version")
	}
	for _, q := range sequences {
		if by, ok := q.abandoned(c.Version); ok {
			return clean.Linef("%s was put back in its place", by.Short())
		}
	}
	if in := c.culprit; in != nil {
		return clean.Linef("%s began while it ran", firstText(in.Number, in.Title, clean.Const("an incident")))
	}
	return clean.Text{}
}

func firstText(list ...clean.Text) clean.Text {
	for _, t := range list {
		if !t.IsZero() {
			return t
		}
	}
	return clean.Text{}
}

// blamed reports that an incident of that time may be the version's doing.
func (l *Lived) blamed(in *sources.Incident) bool {
	switch {
	case in.Low:
		return false
	case in.Created.Sub(l.From) <= suspectReach, in.State != sources.Resolved:
		return true
	default:
		return !l.Until.IsZero() && endOf(in).After(l.Until.Add(-suspectSlack))
	}
}

// sequence is what ran in one target, oldest first.
type sequence []sources.Version

func sequencesOf(e *sources.Environment, targets []string) []sequence {
	if len(targets) == 0 {
		for _, t := range e.Targets {
			targets = append(targets, t.Name)
		}
	}
	if len(targets) == 0 {
		targets = []string{""}
	}
	out := make([]sequence, 0, len(targets))
	for _, t := range targets {
		var q sequence
		for i := range slices.Backward(e.History) {
			d := &e.History[i]
			if (d.Target == t || d.Target == "") && succeeded(d) && !d.Version.IsZero() {
				q = append(q, d.Version)
			}
		}
		out = append(out, q)
	}
	return out
}

// first is when v first came, by its place in the sequence; -1 when it never did.
func (q sequence) first(v sources.Version) int {
	return slices.IndexFunc(q, func(o sources.Version) bool { return sameVersion(o, v) })
}

// abandoned reports that something that had come before v was put back after it, and what.
func (q sequence) abandoned(v sources.Version) (by sources.Version, ok bool) {
	first := q.first(v)
	if first < 0 {
		return by, false
	}
	for i := len(q) - 1; i > first; i-- {
		switch {
		case sameVersion(q[i], v):
			return by, false
		case q.first(q[i]) < first:
			return q[i], true
		}
	}
	return by, false
}

// RolledBack is how many times in a row something older was put back in a target of e, as its history tells:
// 0 when what came last was something newer. Of several targets the most counts.
func RolledBack(e *sources.Environment, targets []string) int {
	most := 0
	for _, q := range sequencesOf(e, targets) {
		n := 0
		for i := len(q) - 1; i > 0; i-- {
			if sameVersion(q[i], q[i-1]) {
				continue
			}
			if q.first(q[i]) > q.first(q[i-1]) {
				break
			}
			n++
		}
		most = max(most, n)
	}
	return most
}

// Rollout is the deployment of one version to an environment, to however many targets.
type Rollout struct {
	Version sources.Version
	At      time.Time // when it began
	Failed  bool
}

// Rollouts are the deployments to e that began at all, newest first, those of one version to several targets
// folded.
func Rollouts(e *sources.Environment) []Rollout {
	all := rollouts(e)
	out := make([]Rollout, len(all))
	for i := range all {
		out[i] = Rollout{all[i].version, all[i].start, all[i].failed}
	}
	return out
}
