package insight

import (
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// Lived is the time in which a deployment was what ran in its target, and what went wrong meanwhile.
type Lived struct {
	From, Until time.Time // Until is zero while it runs; both are zero when it never ran
	// Incidents are those of the service that began in that time, oldest first, open or not. What several
	// systems tell of one counts once.
	Incidents []*sources.Incident
}

// IncidentsDuring is what happened in the time of each deployment in e's history, by its index there. An
// incident belongs to an environment that is production, or that its scope names, or to the only kind that
// there is when nothing is production. It knows of as many past incidents as the snapshot holds.
func IncidentsDuring(s *store.Snapshot, e *sources.Environment) []Lived {
	out := make([]Lived, len(e.History))
	next := map[string]time.Time{} // when the next one began to run, by target
	for i := range e.History {
		d := &e.History[i]
		if d.State != sources.StatePassed && d.State != sources.StateSuperseded {
			continue
		}
		out[i].From, out[i].Until = ended(d), next[d.Target]
		next[d.Target] = ended(d)
	}
	if len(out) == 0 {
		return out
	}
	for _, in := range incidentsIn(s, e) {
		for i := range out {
			l := &out[i]
			if !l.From.IsZero() && !in.Created.Before(l.From) && (l.Until.IsZero() || in.Created.Before(l.Until)) {
				l.Incidents = append(l.Incidents, in)
			}
		}
	}
	return out
}

// incidentsIn are the incidents of e's service that are about e, oldest first, each once.
func incidentsIn(s *store.Snapshot, e *sources.Environment) []*sources.Incident {
	produces := e.Prod
	for o := range s.Environments() {
		produces = produces || o.Service == e.Service && o.Prod
	}
	var all []*sources.Incident
	for i := range s.Feeds {
		for k := range s.Feeds[i].Incidents {
			in := &s.Feeds[i].Incidents[k]
			if in.Service == "" || in.Service != e.Service || in.Created.IsZero() {
				continue
			}
			if e.Prod || !produces || names(in.Scope, e.Name) || names(in.Scope, e.Provider) {
				all = append(all, in)
			}
		}
	}
	slices.SortFunc(all, func(a, b *sources.Incident) int {
		return compareMembers(Member{Incident: a}, Member{Incident: b})
	})
	kept := all[:0]
	for _, in := range all {
		if !slices.ContainsFunc(kept, func(o *sources.Incident) bool { return o.Ref == in.Ref || sameTrouble(o, in) }) {
			kept = append(kept, in)
		}
	}
	slices.SortStableFunc(kept, func(a, b *sources.Incident) int { return a.Created.Compare(b.Created) })
	return kept
}

// sameTrouble reports that a and b have a key in common and overlap in time.
func sameTrouble(a, b *sources.Incident) bool {
	if !overlap(a, b) {
		return false
	}
	return slices.ContainsFunc(a.Keys, func(k string) bool { return slices.Contains(b.Keys, k) })
}

// overlap reports that a and b were open at one moment.
func overlap(a, b *sources.Incident) bool {
	ends := func(in *sources.Incident, t time.Time) bool {
		return in.State == sources.Resolved && endOf(in).Before(t)
	}
	return !ends(a, b.Created) && !ends(b, a.Created)
}
