package ui

import (
	"slices"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
)

// targets are the objects that an action may be done to, and the verbs that it may be, in the order of
// preference.
func (a *App) targets(act keymap.Action, l lever, s *pane.Subject) ([]sources.Ref, []sources.Verb) {
	if !s.Environment.IsZero() && (act == keymap.Promote || act == keymap.Rollback) {
		return []sources.Ref{s.Environment}, l.verbs
	}
	refs := views(s)
	if act == keymap.Silence && s.Problem != nil {
		if quiet := a.silences(s.Problem); len(quiet) > 0 {
			return append(quiet, refs...), []sources.Verb{sources.Expire, sources.Unmute}
		}
	}
	return refs, l.verbs
}

// silences are what keeps a problem quiet now.
func (a *App) silences(p *insight.Problem) []sources.Ref {
	now := a.opts.Clock()
	var out []sources.Ref
	add := func(list []sources.Silence) {
		for i := range list {
			if u := list[i].Until; !list[i].Ref.IsZero() && (u.IsZero() || u.After(now)) {
				out = append(out, list[i].Ref)
			}
		}
	}
	add(p.Incident.Silenced)
	for i := range p.Members {
		if m := p.Members[i].Monitor; m != nil {
			add(m.Silenced)
		}
	}
	return out
}

// views are the objects that stand for a row: every system's view of a problem, who speaks for it first.
func views(s *pane.Subject) []sources.Ref {
	p := s.Problem
	if p == nil {
		return []sources.Ref{s.Ref}
	}
	var out []sources.Ref
	add := func(r sources.Ref) {
		if !r.IsZero() && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	add(p.Incident.Ref)
	for i := range p.Members {
		switch m := &p.Members[i]; {
		case m.Incident != nil:
			add(m.Incident.Ref)
		case m.Monitor != nil:
			add(m.Monitor.Ref)
		}
	}
	for i := range p.Members {
		if in := p.Members[i].Incident; in != nil {
			for _, page := range in.Pages {
				add(page)
			}
		}
	}
	return out
}

// offered is what a source says of a verb on an object.
func (a *App) offered(verb sources.Verb, ref sources.Ref) (sources.ActionSpec, bool) {
	for _, s := range a.opts.Levers.Offers(ref) {
		if s.Verb == verb {
			return s, true
		}
	}
	return sources.ActionSpec{}, false
}

// revision is what an object was on the screen; "" when that is not known.
func (a *App) revision(ref sources.Ref, s *pane.Subject) sources.Revision {
	if s.Problem != nil {
		for i := range s.Problem.Members {
			switch m := &s.Problem.Members[i]; {
			case m.Incident != nil && m.Incident.Ref == ref:
				return m.Incident.Revision
			case m.Monitor != nil && m.Monitor.Ref == ref:
				return m.Monitor.Revision
			}
		}
	}
	return a.seenRevision(ref)
}

// seenRevision is what the newest snapshot has of an object.
func (a *App) seenRevision(ref sources.Ref) sources.Revision {
	switch ref.Kind {
	case sources.KindIncident:
		if i, _ := a.snap.Incident(ref); i != nil {
			return i.Revision
		}
	case sources.KindMonitor:
		if m, _ := a.snap.Monitor(ref); m != nil {
			return m.Revision
		}
	case sources.KindRun:
		if r, _ := a.snap.Run(ref); r != nil {
			return r.Revision
		}
	case sources.KindEnvironment:
		if e, _ := a.snap.Environment(ref); e != nil {
			return e.Revision
		}
	default:
	}
	return ""
}
