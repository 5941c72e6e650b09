package metric

import (
	"errors"
	"math"
	"os"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

func sizes() []uitest.Size {
	return append(uitest.Sizes(), uitest.Size{W: 160, H: 48}, uitest.Size{W: 60, H: 12}, uitest.Size{W: 40, H: 10})
}

func drive(s uitest.Size) *uitest.Driver {
	w, h := s.Whole()
	if w == 0 {
		w, h = s.W-2, s.H-2
	}
	return uitest.Drive(New(uitest.MetricRef("checkout", "error rate")), uitest.Env(uitest.Measured()), w, h)
}

// answer answers the newest questions: calm yesterday, and what the board knows of today.
func answer(d *uitest.Driver) {
	for i := len(d.Intents) - 1; i >= 0; i-- {
		l, ok := d.Intents[i].(pane.Load)
		if !ok {
			continue
		}
		d.Answer(l, uitest.MetricAnswer(l.Ask), nil)
	}
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, s := range sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			d := drive(s)
			golden.Check(t, "asking-"+s.String(), d.Framed(0), d.Env.Theme)
			answer(d)
			golden.Check(t, "hour-"+s.String(), d.Framed(0), d.Env.Theme)
			d.Press(keymap.PrevPane, keymap.PrevPane, keymap.PrevPane)
			golden.Check(t, "crosshair-"+s.String(), d.Framed(0), d.Env.Theme)
			plain := *d
			plain.Env = uitest.Plain(d.Env)
			golden.Check(t, "plain-"+s.String(), plain.Framed(0), plain.Env.Theme)
			d.Press(keymap.Longer, keymap.Longer, keymap.Longer)
			answer(d)
			golden.Check(t, "week-"+s.String(), d.Framed(0), d.Env.Theme)
		})
	}
}

func loads(d *uitest.Driver) (out []pane.Load) {
	for _, i := range d.Intents {
		if l, ok := i.(pane.Load); ok {
			out = append(out, l)
		}
	}
	return out
}

func TestItAsksForNowAndYesterday(t *testing.T) {
	t.Parallel()
	d := drive(uitest.Size{W: 120, H: 40})
	got := loads(d)
	if len(got) != 2 || got[0].Gen == got[1].Gen {
		t.Fatalf("asks %+v", got)
	}
	now, then := got[0].Ask, got[1].Ask
	if now.Metric != uitest.MetricRef("checkout", "error rate") || !now.Until.Equal(uitest.Now()) || now.Span != time.Hour || now.Step < 30*time.Second || now.Step > time.Minute {
		t.Errorf("asks %+v", now)
	}
	if !then.Until.Equal(uitest.Ago(24*time.Hour)) || then.Span != now.Span || then.Step != now.Step {
		t.Errorf("asks %+v", then)
	}
	d.Send(pane.Changed{})
	if n := len(loads(d)); n != 2 {
		t.Errorf("asked again while it waits: %d questions", n)
	}
	answer(d)
	d.Env.Now = d.Env.Now.Add(10 * time.Second)
	d.Send(pane.Changed{})
	if n := len(loads(d)); n != 2 {
		t.Errorf("asked again at once: %d questions", n)
	}
	d.Env.Now = d.Env.Now.Add(time.Minute)
	d.Send(pane.Changed{})
	if n := len(loads(d)); n != 4 {
		t.Errorf("%d questions after a minute, want 4", n)
	}
	d.Press(keymap.Refresh)
	if r, ok := uitest.Last[pane.Refresh](d); !ok || len(r.Feeds) != 1 || len(loads(d)) != 6 {
		t.Errorf("refreshes %+v, %d questions", r.Feeds, len(loads(d)))
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	d := drive(uitest.Size{W: 120, H: 40})
	for _, want := range []time.Duration{4 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
		d.Press(keymap.Longer)
		all := loads(d)
		now, then := all[len(all)-2].Ask, all[len(all)-1].Ask
		back := 24 * time.Hour
		if want > back {
			back = 7 * 24 * time.Hour
		}
		if now.Span != want || now.Until.Sub(then.Until) != back {
			t.Errorf("asks %v and %v before, want %v and %v", now.Span, now.Until.Sub(then.Until), want, back)
		}
	}
	n := len(loads(d))
	if d.Press(keymap.Longer); len(loads(d)) != n || d.Pane.Keys(d.Env)[1].Disabled == "" {
		t.Error("there is something longer than the longest")
	}
	d.Send(pane.Action{Action: keymap.Shorter, Count: 9})
	if l := loads(d); l[len(l)-1].Ask.Span != 15*time.Minute || d.Pane.Keys(d.Env)[0].Disabled == "" {
		t.Errorf("the shortest is %v", l[len(l)-1].Ask.Span)
	}
}

// An answer that comes late, to a question that nobody asks any more, changes nothing.
func TestLateAnswersAreDropped(t *testing.T) {
	t.Parallel()
	d := drive(uitest.Size{W: 120, H: 40})
	old := loads(d)[0]
	d.Press(keymap.Longer)
	before := d.Text()
	d.Answer(old, uitest.MetricAnswer(old.Ask), nil)
	if d.Text() != before {
		t.Error("a late answer shows")
	}
}

func TestErrorsAreSaid(t *testing.T) {
	t.Parallel()
	d := drive(uitest.Size{W: 120, H: 40})
	down := &sources.Error{Kind: sources.Transient, Msg: "datadog does not answer", Fix: "look at its status page"}
	d.Answer(loads(d)[0], pane.Answer{}, down)
	if !d.Says("datadog does not answer: look at its status page") || !d.Says("error rate") {
		t.Errorf("got\n%s", d.Text())
	}
	gone := uitest.Drive(New(uitest.MetricRef("checkout", "no such")), uitest.Env(uitest.Measured()), 80, 20)
	if !gone.Says("Asking datadog") {
		t.Errorf("got\n%s", gone.Text())
	}
	gone.Answer(loads(gone)[0], pane.Answer{}, errors.New("boom"))
	if !gone.Says("Boom.") {
		t.Errorf("got\n%s", gone.Text())
	}
	gone.Press(keymap.Refresh)
	all := loads(gone)
	gone.Answer(all[len(all)-2], pane.Answer{}, nil)
	if !gone.Says("not known any more") {
		t.Errorf("got\n%s", gone.Text())
	}
}

func TestTheCrosshairReadsValues(t *testing.T) {
	t.Parallel()
	d := drive(uitest.Size{W: 120, H: 40})
	answer(d)
	d.Press(keymap.PrevPane)
	if !d.Says("02:13") || !d.Says("4.1 %   yesterday") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Send(pane.Action{Action: keymap.PrevPane, Count: 500})
	if !d.Says("01:1") {
		t.Errorf("it does not stop at the oldest column\n%s", d.Text())
	}
	d.Press(keymap.Back)
	if _, closed := uitest.Last[pane.Close](d); closed || !d.Says("least") {
		t.Errorf("Back does not take the crosshair away first\n%s", d.Text())
	}
	d.Press(keymap.Back)
	if _, closed := uitest.Last[pane.Close](d); !closed {
		t.Error("Back does not go back")
	}
	d.Send(pane.Click{X: 60, Y: 5})
	if d.Says("least") {
		t.Error("a press sets no crosshair")
	}
}

func TestTheOtherMetricsAreOneKeyAway(t *testing.T) {
	t.Parallel()
	d := drive(uitest.Size{W: 120, H: 40})
	d.Press(keymap.Down)
	if s, _ := d.Pane.Selected(d.Env); s.Ref != uitest.MetricRef("checkout", "p95") || s.Service != "checkout" || s.URL == "" {
		t.Errorf("selected %+v", s)
	}
	if l := loads(d); l[len(l)-1].Ask.Metric != uitest.MetricRef("checkout", "p95") {
		t.Errorf("asks for %v", l[len(l)-1].Ask.Metric)
	}
	d.Press(keymap.Up, keymap.Up, keymap.Up)
	if s, _ := d.Pane.Selected(d.Env); s.Ref != uitest.MetricRef("checkout", "error rate") {
		t.Errorf("selected %+v", s)
	}
}

func TestAnySizeAnyNumbers(t *testing.T) {
	t.Parallel()
	snap := uitest.Measured()
	d := uitest.Drive(New(uitest.MetricRef("checkout", "error rate")), uitest.Env(snap), 80, 20)
	for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, 5e-324, math.MaxFloat64, -math.MaxFloat64, 42} {
		s := uitest.SeriesOf("checkout", "error rate", "%", sources.ErrorSignal, v, 60, func(ago int) float64 {
			if ago%7 == i {
				return math.NaN()
			}
			return v
		})
		all := loads(d)
		d.Answer(all[len(all)-2], pane.Answer{Series: []sources.Series{s}}, nil)
		for w := i % 3; w < 70; w += 3 {
			for h := range 14 {
				d.Resize(w, h)
				d.Grid()
				d.Pane.Heading(d.Env)
				d.Pane.Keys(d.Env)
			}
		}
		d.Press(keymap.PrevPane)
	}
}
