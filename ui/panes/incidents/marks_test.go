package incidents

import (
	"testing"

	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

func TestMarking(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Night()), 100, 20)
	subject := func() pane.Subject {
		s, _ := d.Pane.(pane.Acting).Subject(d.Env)
		return s
	}
	first := subject()
	if first.Problem == nil || first.Problem.Incident.Ref != first.Ref || len(first.Marked) != 0 {
		t.Fatalf("on %+v", first)
	}
	d.Press(keymap.Mark)
	s := subject()
	if len(s.Marked) != 1 || s.Marked[0].Ref != first.Ref || s.Marked[0].Problem == nil {
		t.Fatalf("marked %+v", s.Marked)
	}
	for range 10 { // down to another team's, which cannot be marked
		d.Press(keymap.Down)
	}
	if !subject().Problem.Upstream {
		t.Fatal("the last row is no other team's")
	}
	d.Press(keymap.Mark)
	if s = subject(); len(s.Marked) != 1 {
		t.Errorf("marked %+v", s.Marked)
	}
	d.Press(keymap.Top)
	d.Press(keymap.Mark)
	if s = subject(); len(s.Marked) != 0 {
		t.Errorf("marked %+v", s.Marked)
	}
	d.Press(keymap.Top)
	d.Press(keymap.Mark)
	d.Press(keymap.Back)
	if _, closed := uitest.Last[pane.Close](d); closed || len(subject().Marked) != 0 {
		t.Error("Esc does not take the marks away")
	}
}
