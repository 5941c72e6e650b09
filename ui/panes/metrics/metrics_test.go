package metrics

import (
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
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
		for w := 0; w < 60; w += 2 {
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

func TestItSaysHowFineItsChartsAre(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), board("checkout"), 80, 20)
	w, ok := uitest.Last[pane.Watch](d)
	if !ok || w.Service != "" || w.Span != time.Hour || w.Step < time.Hour/80 || w.Step > 2*time.Minute {
		t.Fatalf("said %+v", w)
	}
	n := len(d.Intents)
	d.Show(d.Env.Snap)
	d.Press(keymap.Down)
	if len(d.Intents) != n {
		t.Errorf("it says so again: %+v", d.Intents[n:])
	}
	d.Resize(200, 20)
	if finer, _ := uitest.Last[pane.Watch](d); finer.Step >= w.Step {
		t.Errorf("with more columns a step is %v, before %v", finer.Step, w.Step)
	}
	hidden := uitest.Drive(New(), board("checkout"), 0, 0)
	if w, ok := uitest.Last[pane.Watch](hidden); ok {
		t.Errorf("a pane without a place says %+v", w)
	}
}

func TestTheSelectedMetricAlwaysHasItsChart(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), board("checkout"), 60, 9)
	for range uitest.Metrics() {
		s, _ := d.Pane.Selected(d.Env)
		name := strings.TrimPrefix(s.Name.String(), "checkout ")
		if !d.Says("▌" + name) {
			t.Fatalf("no chart of %s\n%s", name, d.Text())
		}
		d.Press(keymap.Down)
	}
}

func TestItTurnsToTheServiceUnderTheCursor(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), board(""), 80, 20)
	if s, _ := d.Pane.Selected(d.Env); s.Ref != uitest.MetricRef("checkout", "error rate") || s.Service != "" {
		t.Errorf("among all services it selects %+v", s)
	}
	for _, want := range []string{"SERVICE", "ledger", "search", "web"} {
		if !d.Says(want) {
			t.Errorf("nothing says %s\n%s", want, d.Text())
		}
	}
	d.Env.Watched = "ledger"
	d.Send(pane.Changed{})
	if h := d.Pane.Heading(d.Env); h.Title.String() != "Metrics · ledger" || !d.Says("replica lag") || d.Says("SERVICE") {
		t.Errorf("%s shows\n%s", h.Title, d.Text())
	}
	d.Env.Watched = "reports"
	d.Send(pane.Changed{})
	if !d.Says("No metric of reports is configured.") || !d.Says("metrics: of a service") {
		t.Errorf("got\n%s", d.Text())
	}
}

// Each service has a feed of its own: another one's trouble is not this one's.
func TestFeedsOfOtherServicesSayNothing(t *testing.T) {
	t.Parallel()
	s := uitest.Measured()
	err := &sources.Error{Kind: sources.Invalid, Msg: "the query of lag has no closing bracket", Fix: "mend it"}
	for i := range s.Feeds {
		if f := &s.Feeds[i]; f.Key.Capability == store.Metrics {
			f.Key.Scope = "checkout"
			other := *f
			other.Key.Scope, other.Series = "web", nil
			other.Health.State, other.Health.Err = store.Refused, err
			s.Feeds = append(s.Feeds, other)
			break
		}
	}
	d := uitest.Drive(New(), uitest.Env(s), 98, 22)
	if !d.Says("no closing bracket") {
		t.Errorf("among all services nothing says what is wrong\n%s", d.Text())
	}
	d.Env.Watched = "checkout"
	d.Send(pane.Changed{})
	if d.Says("no closing bracket") || !d.Says("error rate") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Env.Watched = "web"
	d.Send(pane.Changed{})
	if !d.Says("no closing bracket") {
		t.Errorf("got\n%s", d.Text())
	}
}

func TestAServiceWithoutDataSaysWhereToLook(t *testing.T) {
	t.Parallel()
	s := uitest.Measured()
	for i := range s.Feeds {
		if f := &s.Feeds[i]; f.Key.Capability == store.Metrics {
			f.Key.Scope, f.Series = "web", nil
		}
	}
	e := uitest.Env(s)
	e.Watched = "web"
	if d := uitest.Drive(New(), e, 80, 20); !d.Says("The metrics of web have no data.") || !d.Says("datadog answered") {
		t.Errorf("got\n%s", d.Text())
	}
}

func TestWhatIsVeryStaleIsNotCalledBad(t *testing.T) {
	t.Parallel()
	e := board("checkout")
	for i := range e.Snap.Feeds {
		h := &e.Snap.Feeds[i].Health
		h.LastGood = uitest.Ago(20 * h.Interval)
	}
	d := uitest.Drive(New(), e, 80, 20)
	crit := e.Theme.Style(theme.Crit)
	g := d.Framed(2)
	w, h := g.Size()
	for y := range h {
		for x := range w {
			if g.Cell(x, y).Style == crit {
				t.Fatalf("cell %d,%d still is critical\n%s", x, y, g.String())
			}
		}
	}
	if d.Says("! 4.1 %") || !d.Says("4.1 %") {
		t.Errorf("got\n%s", d.Text())
	}
}

// A refresh that brings the same numbers changes no cell but those of the newest columns.
func TestScalesStay(t *testing.T) {
	t.Parallel()
	e := board("checkout")
	d := uitest.Drive(New(), e, 80, 20)
	_, before, _ := strings.Cut(d.Text(), "\n") // the first line has the values themselves
	next := uitest.Measured()
	for i := range next.Feeds {
		next.Feeds[i].Generation++
		for j := range next.Feeds[i].Series {
			p := next.Feeds[i].Series[j].Points
			p[len(p)-1].Value *= 1.001
		}
	}
	d.Show(next)
	if _, after, _ := strings.Cut(d.Text(), "\n"); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}
