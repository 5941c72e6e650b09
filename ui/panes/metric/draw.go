package metric

import (
	"math"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/chart"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// axisWidth is the room for the labels of the values: "1000 ms" and a blank.
const axisWidth = 9

// area is where the dots of the chart are.
type area struct{ x, y, w, h int }

// area shares w by h cells: words and numbers above the chart, the time, the deployments and the objectives
// below it. What is small has the chart alone.
func (p *Pane) area(w, h int) area {
	a := area{x: 1, w: w - 2, h: h}
	if w >= 40 {
		a.x, a.w = axisWidth+1, w-axisWidth-2
	}
	if h >= 4 {
		a.y, a.h = 1, h-2 // words, time
	}
	if h >= 8 {
		a.y, a.h = 2, h-4 // numbers, legend
	}
	if h >= 12 {
		a.h -= min(len(p.slos), h/6) + 1
	}
	return a
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	s := p.series()
	if s == nil {
		p.nothing(e).Draw(r, e.Theme)
		return
	}
	a := p.area(w, h)
	v := p.view(e, s, a)
	if a.y > 0 {
		p.words(e, r.Sub(1, 0, w-2, 1), v)
	}
	if a.y > 1 {
		kit.Parts(r, e.Theme, 1, 1, w-2, p.numbers(e, v, w-2))
	}
	p.plot(e, r.Sub(a.x, a.y, a.w, a.h), v)
	if a.x > 1 {
		chart.Values(r.Sub(0, a.y, axisWidth, a.h), v.scale, e.Theme.Style(theme.Muted),
			func(f float64) clean.Text { return insight.FormatValue(f, s.Unit) })
	}
	y := a.y + a.h
	if y < h {
		chart.Times(r.Sub(a.x, y, a.w, 1), v.window, e.Zone, e.Theme.Style(theme.Muted))
	}
	if y+1 < h {
		p.legend(e, r.Sub(1, y+1, w-2, 1), v)
	}
	p.below(e, r.Sub(1, y+2, w-2, h-y-2))
}

// view is what a frame shows.
type view struct {
	series *sources.Series
	window chart.Window
	slots  []chart.Slot
	faint  []chart.Slot
	scale  chart.Scale
	marks  []insight.Mark
	stale  store.Staleness
}

func (p *Pane) view(e pane.Env, s *sources.Series, a area) view {
	v := view{series: s, window: chart.WindowOf(e.Now, p.span, a.w)}
	v.slots, v.scale = p.now.plot.Of(s, v.window)
	if p.now.series == nil {
		v.stale = kit.Staleness(e, p.feed())
	}
	if t := p.then.series; t != nil {
		back := v.window
		back.From = back.From.Add(-p.shift())
		v.faint, _ = p.then.plot.Of(t, back)
		lo, hi := chart.Extent(v.slots)
		was, wasHi := chart.Extent(v.faint)
		v.scale = chart.Fit(min(lo, was), max(hi, wasHi), s.Limit).After(v.scale)
	}
	v.marks = insight.Production(p.known.Marks(s.Service, v.window.From))
	return v
}

func (p *Pane) plot(e pane.Env, r screen.Region, v view) {
	_, h := r.Size()
	at := make([]time.Time, len(v.marks))
	for i := range v.marks {
		at[i] = v.marks[i].At
	}
	l := chart.Line{Slots: v.slots, Faint: v.faint, Scale: v.scale, Limit: v.series.Limit, Below: v.series.Below,
		Marks: kit.Columns(v.window, at), Look: kit.ChartLook(e, v.stale)}
	l.Draw(r)
	if x, ok := v.window.Column(p.cross); ok && !p.cross.IsZero() {
		r.Restyle(x, 0, 1, h, func(s screen.Style) screen.Style { return e.Theme.Selected(s, e.Focused) })
	}
}

// words are the metric's newest value, its change, its limit and what it was on other days.
func (p *Pane) words(e pane.Env, r screen.Region, v view) {
	w, _ := r.Size()
	c := p.chart
	if c.Series == nil || c.Series.Ref != v.series.Ref {
		kit.Put(r, e.Theme, 0, 0, w, theme.Strong, kit.MetricName(v.series))
		return
	}
	parts := append([]pane.Part{{Token: theme.Strong, Text: kit.MetricName(v.series)}, kit.P(theme.Text, "  ")}, kit.ValueParts(e, &c)...)
	add := func(s string) {
		if one := kit.P(theme.Muted, "   "+s); s != "" && kit.Width(parts)+one.Text.Width() <= w {
			parts = append(parts, one)
		}
	}
	if change := kit.ChangeText(e, c.Change); change != "" && !c.Old {
		add(change + " in 1h")
	}
	add(kit.LimitText(v.series))
	for _, then := range c.Earlier {
		add(kit.EarlierText(v.series, then))
	}
	kit.Parts(r, e.Theme, 0, 0, w, parts)
}

// numbers are the least, the mean and the most of what is shown, or what was under the crosshair, in w
// columns.
func (p *Pane) numbers(e pane.Env, v view, w int) []pane.Part {
	unit := v.series.Unit
	say := func(parts []pane.Part, what string, f float64) []pane.Part {
		if len(parts) > 0 {
			parts = append(parts, kit.P(theme.Text, "   "))
		}
		return append(parts, kit.P(theme.Muted, what+" "), pane.Part{Token: theme.Text, Text: insight.FormatValue(f, unit)})
	}
	if x, ok := v.window.Column(p.cross); ok && !p.cross.IsZero() {
		when := kit.Clock(e.Now, v.window.At(x), e.Zone)
		parts := say(nil, when, worst(v.slots, x, v.series.Below))
		if v.faint != nil {
			parts = say(parts, p.before(), worst(v.faint, x, v.series.Below))
		}
		return parts
	}
	lo, mean, hi := stats(v.series, v.window)
	if math.IsNaN(mean) {
		return []pane.Part{kit.P(theme.Muted, "nothing was measured in this time")}
	}
	if all := say(say(say(nil, "least", lo), "mean", mean), "most", hi); kit.Width(all) <= w {
		return all
	}
	return say(say(nil, "least", lo), "most", hi)
}

// worst is the value of column x that is nearest to the bad side.
func worst(slots []chart.Slot, x int, below bool) float64 {
	out := math.NaN()
	for i := 2 * x; i < 2*x+2 && i < len(slots); i++ {
		switch s := slots[i]; {
		case s.Empty():
		case math.IsNaN(out):
			out = s.Hi
			if below {
				out = s.Lo
			}
		case below:
			out = min(out, s.Lo)
		default:
			out = max(out, s.Hi)
		}
	}
	return out
}

// stats are the least, the mean and the most of the values of s in w that are finite; NaN when there are
// none.
func stats(s *sources.Series, w chart.Window) (lo, mean, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	n := 0.0
	for _, p := range s.Points {
		if p.At.Before(w.From) || !p.At.Before(w.To()) || math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
			continue
		}
		n++
		mean += (p.Value - mean) / n
		lo, hi = min(lo, p.Value), max(hi, p.Value)
	}
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	return lo, mean, hi
}

// before is what the faint line is called.
func (p *Pane) before() string {
	if p.shift() > day {
		return "last week"
	}
	return "yesterday"
}

// legend says at the right which range it is, and what the faint line is; the newest deployments at the
// left.
func (p *Pane) legend(e pane.Env, r screen.Region, v view) {
	w, _ := r.Size()
	var right []pane.Part
	if v.faint != nil {
		right = append(right, kit.P(theme.Muted, "faint: "+p.before()+"   "))
	}
	for _, d := range ranges() {
		tok, name := theme.Muted, " "+rangeName(d)+" "
		if d == p.span {
			tok, name = theme.Strong, "["+rangeName(d)+"]"
		}
		right = append(right, kit.P(tok, name))
	}
	if kit.Width(right) > w {
		right = nil
	}
	var left []pane.Part
	for i := len(v.marks) - 1; i >= 0; i-- {
		one := kit.MarkParts(e, &v.marks[i])
		if kit.Width(left)+kit.Width(one)+3 > w-kit.Width(right)-2 {
			break
		}
		if len(left) > 0 {
			left = append(left, kit.P(theme.Text, "   "))
		}
		left = append(left, one...)
	}
	kit.Parts(r, e.Theme, 0, 0, w, left)
	kit.Parts(r, e.Theme, w-kit.Width(right), 0, kit.Width(right), right)
}

// below draws what is wrong with the data, and the objectives.
func (p *Pane) below(e pane.Env, r screen.Region) {
	w, h := r.Size()
	lines := kit.BudgetLines(e, p.slos, w)
	if said := p.wrong(e); len(said) > 0 {
		lines = append([][]pane.Part{said}, lines...)
	}
	for y := range min(h, len(lines)) {
		kit.Parts(r, e.Theme, 0, y, w, lines[y])
	}
}

// wrong says why the chart is not what was asked for; empty when it is.
func (p *Pane) wrong(e pane.Env) []pane.Part {
	sign := func(tok theme.Token, g theme.Glyph, s string) []pane.Part {
		return []pane.Part{{Token: tok, Text: e.Theme.Glyph(g)}, kit.P(theme.Muted, " "+s)}
	}
	switch {
	case p.now.err != nil:
		return sign(theme.Warn, theme.GlyphWarn, kit.ErrText(p.now.err).String())
	case p.now.none:
		return sign(theme.Warn, theme.GlyphWarn, "its source found nothing in this time")
	case p.gone && p.now.series == nil:
		return sign(theme.Warn, theme.GlyphStale, "its source listed it no more when it was last read")
	case p.now.wait && p.now.series == nil:
		return sign(theme.Busy, theme.GlyphRunning, "asking for the last "+rangeName(p.span)+kit.Ellipsis(e.Theme))
	case p.then.err != nil:
		return sign(theme.Muted, theme.GlyphWarn, p.before()+": "+kit.ErrText(p.then.err).String())
	}
	return nil
}

// nothing is what to say as long as there is nothing to draw.
func (p *Pane) nothing(e pane.Env) kit.Notice {
	switch {
	case p.now.err != nil:
		return kit.ErrNotice("This metric could not be read.", p.now.err)
	case p.now.none:
		return kit.Notice{Token: theme.Warn, Glyph: theme.GlyphStale, Title: "This metric is not known any more.",
			Lines: []string{"Its source found nothing for it in the last " + rangeName(p.span) + "."}}
	}
	return kit.Notice{Token: theme.Busy, Glyph: theme.GlyphRunning, Title: "Asking " + p.ref.Source + kit.Ellipsis(e.Theme)}
}
