package kit

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/chart"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Plot is a metric as a chart of one width shows it. It keeps what it computed until the metric or the
// window change, so that a frame costs its cells and not the metric's points.
type Plot struct {
	slots  []chart.Slot
	window chart.Window
	first  *sources.Point // of the points that slots were made of; holding it keeps its address its own
	n      int
	scale  chart.Scale
}

// Of is what s looks like in w, and the scale that it keeps while it can.
func (p *Plot) Of(s *sources.Series, w chart.Window) ([]chart.Slot, chart.Scale) {
	if !p.holds(s.Points, w) {
		p.take(s, w)
		lo, hi := chart.Extent(p.slots)
		p.scale = chart.Fit(lo, hi, s.Limit).After(p.scale)
	}
	return p.slots, p.scale
}

func (p *Plot) holds(points []sources.Point, w chart.Window) bool {
	if p.window != w || p.n != len(points) || p.slots == nil {
		return false
	}
	return len(points) == 0 || p.first == &points[0]
}

func (p *Plot) take(s *sources.Series, w chart.Window) {
	p.slots = chart.Resample(p.slots, w, Apart(s), len(s.Points), func(i int) (time.Time, float64) { return s.Points[i].At, s.Points[i].Value })
	if p.slots == nil {
		p.slots = []chart.Slot{}
	}
	p.window, p.n, p.first = w, len(s.Points), nil
	if len(s.Points) > 0 {
		p.first = &s.Points[0]
	}
}

// Apart is how far two neighbouring points of s may lie apart to be joined by a line: half as far again as
// its step. Of a metric that does not say its step the shortest of its last distances counts.
func Apart(s *sources.Series) time.Duration {
	step := s.Step
	if step <= 0 {
		for i := max(1, len(s.Points)-20); i < len(s.Points); i++ {
			if d := s.Points[i].At.Sub(s.Points[i-1].At); d > 0 && (step <= 0 || d < step) {
				step = d
			}
		}
	}
	return step + step/2
}

// ChartLook is how charts look on e's terminal; what is so old that nobody may call it bad is not drawn as
// bad.
func ChartLook(e pane.Env, stale store.Staleness) chart.Look {
	st := func(t theme.Token) screen.Style { return e.Theme.Style(t) }
	return chart.Look{Line: st(theme.Text), Over: st(Verdict(theme.Crit, stale)), Faint: st(theme.Muted),
		Limit: st(theme.Muted), Mark: st(theme.Accent), ASCII: e.Theme.Options().ASCII}
}

// Spark draws s over the width of the first line of r: the hour or so before now, without its limit.
func (p *Plot) Spark(e pane.Env, r screen.Region, s *sources.Series, span time.Duration, marks []time.Time, stale store.Staleness) {
	w, _ := r.Size()
	if w <= 0 {
		return
	}
	win := chart.WindowOf(e.Now, span, w)
	slots, scale := p.Of(s, win)
	l := chart.Line{Slots: slots, Scale: scale, Limit: s.Limit, Below: s.Below, Marks: Columns(win, marks), Look: ChartLook(e, stale)}
	l.Draw(r.Sub(0, 0, w, 1))
}

// Columns are the columns of w that times lie in; those outside are left out.
func Columns(w chart.Window, times []time.Time) []int {
	var out []int
	for _, t := range times {
		if x, ok := w.Column(t); ok {
			out = append(out, x)
		}
	}
	return out
}
