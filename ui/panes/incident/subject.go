package incident

import (
	"example.com/signalbox/sources"
	"example.com/signalbox/ui/pane"
)

var _ pane.Acting = (*Pane)(nil)

// Subject implements pane.Acting: the incident, whatever line of it is under the cursor; on a suspect, the
// environment that it went to as well.
func (p *Pane) Subject(e pane.Env) (pane.Subject, bool) {
	s, ok := p.Selected(e)
	s.Ref = p.ref
	if p.problem == nil || !p.listed {
		return pane.Subject{Selection: s}, ok
	}
	s.Ref = p.problem.Incident.Ref
	out := pane.Subject{Selection: s, Problem: p.problem}
	if i, some := p.list.At(); some && p.rows[i].open.Kind == sources.KindEnvironment {
		out.Environment = p.rows[i].open
	}
	return out, ok
}
