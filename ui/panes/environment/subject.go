package environment

import "example.com/signalbox/ui/pane"

var _ pane.Acting = (*Pane)(nil)

// Subject implements pane.Acting: the environment, and the version of the deployment under the cursor.
func (p *Pane) Subject(e pane.Env) (pane.Subject, bool) {
	sel, ok := p.Selected(e)
	s := pane.Subject{Selection: sel}
	if sel.Ref != p.ref {
		s.Environment = p.ref
		if i, some := p.list.At(); some && p.rows[i].deployment != nil {
			s.Version = name(p.rows[i].deployment.Version)
		}
	}
	return s, ok
}
