package metrics

import (
	"testing"

	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

func TestTheSelectionIsByIdentity(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), board("checkout"), 80, 10)
	d.Press(keymap.Down)
	was, ok := d.Pane.Selected(d.Env)
	if !ok {
		t.Fatal("nothing is selected")
	}
	next := uitest.Measured()
	for i := range next.Feeds {
		f := &next.Feeds[i]
		reverse(f.Incidents)
		reverse(f.Series)
	}
	d.Show(next)
	if now, _ := d.Pane.Selected(d.Env); now.Ref != was.Ref {
		t.Errorf("the cursor went from %s to %s", was.Ref.ID, now.Ref.ID)
	}
	d.Send(pane.Click{X: 3, Y: 1})
	if now, _ := d.Pane.Selected(d.Env); now.Ref == was.Ref {
		t.Error("a press on another row does not select it")
	}
	d.Send(pane.Click{Wheel: 5})
	if _, ok := d.Pane.Selected(d.Env); !ok {
		t.Error("the wheel lost the cursor")
	}
}

func reverse[T any](s []T) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

func TestKeysAndIntents(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), board("checkout"), 80, 10)
	d.Press(keymap.Refresh)
	if r, ok := uitest.Last[pane.Refresh](d); !ok || len(r.Feeds) != 2 {
		t.Errorf("refreshes %+v", r.Feeds)
	}
	d.Press(keymap.Back)
	if _, ok := uitest.Last[pane.Close](d); !ok {
		t.Error("Back is not handed on")
	}
	d.Press(keymap.Down, keymap.OpenDetail)
	if o, ok := uitest.Last[pane.Open](d); !ok || o.Ref != uitest.MetricRef("checkout", "p95") {
		t.Errorf("opens %+v", o.Ref)
	}
}

func TestFollowNarrows(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), board("checkout"), 80, 10)
	d.Env.Follow = "ledger"
	d.Show(d.Env.Snap)
	if !d.Says("replica lag") || d.Says("error rate") {
		t.Errorf("got\n%s", d.Text())
	}
}

func TestAnySizeAndNoData(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.States() {
		d := uitest.Drive(New(), uitest.Env(s.Snap), 80, 20)
		for w := range 60 {
			for h := range 7 {
				d.Resize(w, h)
				d.Grid()
				d.Pane.Heading(d.Env)
			}
		}
	}
}

// board is the story with charts, about a service.
func board(service string) pane.Env {
	e := uitest.Env(uitest.Measured())
	e.Watched = service
	return e
}
