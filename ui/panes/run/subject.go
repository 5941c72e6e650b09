package run

import "example.com/signalbox/ui/pane"

var _ pane.Acting = (*Pane)(nil)

// Subject implements pane.Acting: the run, whatever job of it is under the cursor.
func (p *Pane) Subject(pane.Env) (pane.Subject, bool) {
	return pane.Subject{Selection: p.itself()}, true
}
