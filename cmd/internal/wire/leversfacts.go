package wire

import (
	"slices"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/store"
)

// service is what the config says of a service; ok is false when it does not name it.
func (l *levers) service(name string) (action.Service, bool) {
	s := l.b.standing.Load()
	i := slices.IndexFunc(s.cfg.Services, func(c config.Service) bool { return c.Name == name })
	if i < 0 || s.cfg.Services[i].Discovered {
		return action.Service{}, false
	}
	c := &s.cfg.Services[i]
	out := action.Service{
		Spec: specOf(c, c.Repo.Source), Via: action.Means(c.Deploy.Via), Workflow: c.Deploy.Workflow, Ref: c.Deploy.Ref, Inputs: map[string]string{},
		Marker: c.Deploy.Marker, Returns: c.Deploy.Auto, Migrations: slices.Clone(c.Migrations), Objectives: len(c.SLOs) > 0,
	}
	for input, value := range c.Deploy.Inputs {
		out.Inputs[input] = string(value)
	}
	for _, o := range s.open {
		out.Incidents = out.Incidents || o.can(store.Incidents)
	}
	return out, true
}

// People implements pane.Levers.
func (b *Board) People(ref sources.Ref) []sources.Person {
	snap := b.store.Snapshot()
	var out []sources.Person
	seen := map[string]bool{}
	add := func(list ...sources.Person) {
		for _, p := range list {
			if p.ID != "" && !seen[p.ID] {
				seen[p.ID] = true
				out = append(out, p)
			}
		}
	}
	if i, _ := snap.Incident(ref); i != nil {
		for s := range snap.Shifts() { // who is on call for it first
			if s.Ref.Source == ref.Source && slices.Contains(s.Services, i.Service) {
				add(s.Who)
			}
		}
		add(i.Next...)
	}
	for s := range snap.Shifts() {
		if s.Ref.Source == ref.Source {
			add(s.Who)
		}
	}
	for i := range snap.Incidents() {
		if i.Ref.Source == ref.Source {
			add(i.Assignees...)
			add(i.Next...)
		}
	}
	return out
}

// nudge has what shows an object read again, what shows it itself first.
func (l *levers) nudge(ref sources.Ref) {
	if keys := showing(l.b.store.Snapshot(), ref); len(keys) > 0 {
		l.b.engine.Nudge(keys...)
	}
}

// showing are the feeds that show an object, and what a change of it changes.
func showing(snap *store.Snapshot, ref sources.Ref) []store.FeedKey {
	service := serviceOf(snap, ref)
	var own, rest []store.FeedKey
	for i := range snap.Feeds {
		key := snap.Feeds[i].Key
		switch shows(key, ref, service) {
		case itself:
			own = append(own, key)
		case around:
			rest = append(rest, key)
		case nothing:
		}
	}
	return append(own, rest...)
}

// relation is what a feed shows of an object.
type relation uint8

const (
	nothing relation = iota
	around           // what it has an effect on
	itself
)

func shows(key store.FeedKey, ref sources.Ref, service string) relation {
	same := key.Source == ref.Source
	grade := func(is, near bool) relation {
		switch {
		case is:
			return itself
		case near:
			return around
		}
		return nothing
	}
	moves := ref.Kind == sources.KindEnvironment || ref.Kind == sources.KindRun || ref.Kind == sources.KindDeployment
	switch key.Capability {
	case store.Runs, store.Environments:
		return grade(moves && same && key.Scope == ref.Scope, false)
	case store.Metrics:
		return grade(false, service != "" && key.Scope == service)
	case store.Incidents:
		return grade(same && (ref.Kind == sources.KindIncident || ref.Kind == sources.KindPage || ref.Kind == sources.KindSilence), true)
	case store.Monitors:
		return grade(same && (ref.Kind == sources.KindMonitor || ref.Kind == sources.KindSilence), !moves || service != "")
	case store.Changes:
		return grade(false, moves)
	case store.Past:
		return grade(false, same && ref.Kind == sources.KindIncident)
	case store.Releases, store.SLOs, store.Shifts:
	}
	return nothing
}

// serviceOf is the service that an object belongs to, as far as the snapshot knows it.
func serviceOf(snap *store.Snapshot, ref sources.Ref) string {
	switch ref.Kind {
	case sources.KindEnvironment:
		if e, _ := snap.Environment(ref); e != nil {
			return e.Service
		}
	case sources.KindRun:
		if r, _ := snap.Run(ref); r != nil {
			return r.Service
		}
	case sources.KindIncident:
		if i, _ := snap.Incident(ref); i != nil {
			return i.Service
		}
	case sources.KindMonitor:
		if m, _ := snap.Monitor(ref); m != nil {
			return m.Service
		}
	case sources.KindJob, sources.KindDeployment, sources.KindSeries, sources.KindSLO, sources.KindShift, sources.KindChange,
		sources.KindPage, sources.KindSilence:
	}
	return ""
}
