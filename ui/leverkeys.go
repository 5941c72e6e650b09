package ui

import (
	"slices"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
)

// pointless is why an action makes no sense in the state that its object is in; "" when it does.
func (a *App) pointless(act keymap.Action, s *pane.Subject) string {
	if p := s.Problem; p != nil {
		switch {
		case act == keymap.AddNote || act == keymap.Tell || act == keymap.Silence:
		case p.State == sources.Resolved:
			return "it is resolved"
		case act == keymap.Ack && p.State == sources.Acknowledged && p.Mine:
			return "already acknowledged by you"
		}
		return ""
	}
	switch s.Ref.Kind {
	case sources.KindRun:
		if r, _ := a.snap.Run(s.Ref); r != nil {
			return pointlessRun(act, r)
		}
	case sources.KindEnvironment:
		if e, _ := a.snap.Environment(s.Ref); e != nil && s.Version == "" {
			return pointlessEnvironment(act, e)
		}
	default:
	}
	return ""
}

func pointlessRun(act keymap.Action, r *sources.Run) string {
	switch act {
	case keymap.Approve, keymap.Reject:
		if len(r.Gates) == 0 {
			return "it waits for no approval"
		}
	case keymap.Rerun:
		if !r.State.Done() {
			return "it has not ended"
		}
		if r.State == sources.StatePassed {
			return "none of its jobs failed"
		}
	case keymap.RerunAll:
		if !r.State.Done() {
			return "it has not ended"
		}
	case keymap.Cancel:
		if r.State.Done() {
			return "it has ended"
		}
	default:
	}
	return ""
}

func pointlessEnvironment(act keymap.Action, e *sources.Environment) string {
	switch {
	case act == keymap.Promote && e.Previous != "" && e.Ahead == 0:
		return e.Name + " has all that " + e.Previous + " has"
	case act == keymap.Rollback && len(e.History) == 0:
		return "nothing is known to have run there"
	}
	return ""
}

// leverKeys are the levers as they can be pulled now, for what is under the cursor.
func (a *App) leverKeys() []keymap.Binding {
	at := a.focused()
	if a.opts.Levers == nil || at == nil {
		return nil
	}
	k := keysFor{at.serial, at.updates, a.env(at), a.opts.Levers.Status().ReadOnly, true}
	if k != a.levers.keysFor {
		a.levers.keysFor, a.levers.keys = k, a.makeLeverKeys()
	}
	return a.levers.keys
}

func (a *App) makeLeverKeys() []keymap.Binding {
	s, ok := a.subject()
	if !ok {
		return nil
	}
	marked := len(s.Marked)
	s.Marked = s.Marked[:min(marked, hinted)]
	var out []keymap.Binding
	for _, act := range leverOrder() {
		l, _ := leverOf(act)
		if !slices.Contains(l.kinds, s.Ref.Kind) && len(s.Marked) == 0 {
			continue
		}
		in, _ := a.set.Keys.Info(act)
		m := a.aimOn(act, s, ok)
		out = append(out, keymap.Binding{Action: act, Help: leverHelp(in.Help, &m), Disabled: m.why})
	}
	for i := range out {
		if marked > 1 && out[i].Disabled == "" && out[i].Action != keymap.Merge {
			out[i].Help = clean.Linef("%s %d", out[i].Help, marked).String()
		}
	}
	return out
}

func leverHelp(help string, m *aim) string {
	if len(m.requests) == 0 {
		return help
	}
	switch m.requests[0].Verb {
	case sources.Mute:
		return "mute"
	case sources.Unmute:
		return "unmute"
	case sources.Expire:
		return "end silence"
	default:
		return help
	}
}

// rowKeys are the keys of the row under the cursor in the order of the footer: the first levers, what the pane
// offers, the other levers.
func (a *App) rowKeys() []keymap.Binding {
	levers := a.leverKeys()
	n := 0
	var first, rest []keymap.Binding
	for _, b := range levers {
		if b.Disabled == "" && n < firstLevers {
			first = append(first, b)
			n++
			continue
		}
		rest = append(rest, b)
	}
	return slices.Concat(first, a.paneKeys(), rest)
}

// firstLevers is how many levers stand before what a pane offers by itself.
const firstLevers = 4
