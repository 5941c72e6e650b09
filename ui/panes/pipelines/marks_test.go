package pipelines

import (
	"testing"

	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

func TestMarking(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Full()), 100, 20)
	subject := func() pane.Subject {
		s, _ := d.Pane.(pane.Acting).Subject(d.Env)
		return s
	}
	first := subject().Ref
	d.Press(keymap.Mark)
	d.Press(keymap.Mark)
	s := subject()
	if len(s.Marked) != 2 || s.Marked[0].Ref != first || s.Ref == first {
		t.Fatalf("marked %+v, on %s", s.Marked, s.Ref.ID)
	}
	d.Press(keymap.Top)
	d.Press(keymap.Mark)
	if s = subject(); len(s.Marked) != 1 || s.Marked[0].Ref == first {
		t.Errorf("marked %+v", s.Marked)
	}
	next := uitest.Full()
	for i := range next.Feeds {
		next.Feeds[i].Runs = nil
	}
	d.Show(next)
	d.Show(uitest.Full())
	if s = subject(); len(s.Marked) != 0 {
		t.Errorf("a run that went and came back is marked: %+v", s.Marked)
	}
	d.Press(keymap.Mark)
	d.Press(keymap.Back)
	if _, closed := uitest.Last[pane.Close](d); closed || len(subject().Marked) != 0 {
		t.Error("Esc does not take the marks away")
	}
}
