package incidents

import (
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
)

var _ pane.Acting = (*Pane)(nil)

// Subject implements pane.Acting: the problem under the cursor, and those that are marked, as far as they are
// still there. A storm is all that is in it.
func (p *Pane) Subject(e pane.Env) (pane.Subject, bool) {
	i, ok := p.list.At()
	if !ok {
		return pane.Subject{}, false
	}
	at := p.row(i)
	s := acting(e, at)
	if len(p.marked) == 0 && at.key.storm {
		s.Marked = inStorm(e, at.p)
	}
	for i := range p.len() {
		r := p.row(i)
		switch {
		case len(p.marked) == 0:
			return s, true
		case !p.marked[r.key]:
		case r.key.storm:
			s.Marked = append(s.Marked, inStorm(e, r.p)...)
		default:
			s.Marked = append(s.Marked, acting(e, r))
		}
	}
	return s, true
}

// inStorm are the problems that a storm's row stands for.
func inStorm(e pane.Env, p *insight.Problem) []pane.Subject {
	out := make([]pane.Subject, len(p.Inside))
	for i := range p.Inside {
		out[i] = acting(e, rowOf(&p.Inside[i]))
	}
	return out
}

func acting(e pane.Env, r row) pane.Subject {
	return pane.Subject{Selection: selection(e, r), Problem: r.p}
}

// mark marks the row under the cursor, or takes its mark away, and goes to the next one.
func (p *Pane) mark() {
	i, ok := p.list.At()
	if !ok || p.row(i).p.Upstream {
		return
	}
	if p.marked == nil {
		p.marked = map[rowKey]bool{}
	}
	if k := p.row(i).key; p.marked[k] {
		delete(p.marked, k)
	} else {
		p.marked[k] = true
	}
	p.list.Take(pane.Action{Action: keymap.Down, Count: 1}, p.lines())
}

// markKey is what marking would do now.
func (p *Pane) markKey(i int, some bool) keymap.Binding {
	b := keymap.Binding{Action: keymap.Mark, Help: "mark"}
	switch {
	case !some:
		b.Disabled = "no incident is selected"
	case p.row(i).p.Upstream:
		b.Disabled = "it is another team's: here it is only read"
	case p.marked[p.row(i).key]:
		b.Help = "unmark"
	}
	return b
}

// forget takes the marks of rows away that are gone.
func (p *Pane) forget() {
	if len(p.marked) == 0 {
		return
	}
	kept := map[rowKey]bool{}
	for i := range p.len() {
		if k := p.row(i).key; p.marked[k] {
			kept[k] = true
		}
	}
	p.marked = kept
}
