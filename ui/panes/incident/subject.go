package incident

import "example.com/signalbox/ui/pane"

var _ pane.Acting = (*Pane)(nil)

// Subject implements pane.Acting: the incident, whatever line of it is under the cursor.
func (p *Pane) Subject(e pane.Env) (pane.Subject, bool) {
	s, ok := p.Selected(e)
	s.Ref = p.ref
	if p.problem != nil && p.listed {
		s.Ref = p.problem.Incident.Ref
		return pane.Subject{Selection: s, Problem: p.problem}, ok
	}
	return pane.Subject{Selection: s}, ok
}
