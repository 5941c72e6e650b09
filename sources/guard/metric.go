package guard

import (
	"cmp"
	"math"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
)

// The rule that metrics are judged by; the package's documentation says why.
const (
	run       = 5   // values that are looked at together …
	runBad    = 3   // … of which so many fail a metric
	habit     = 2   // times that a baseline was as bad for as long, and it is the metric's habit
	failBy    = 1.5 // times the baseline, where there is a limit
	unclearBy = 2.0 // times the baseline, where there is none
	sharpBy   = 3.0 // standard deviations above the baseline
	steadyBy  = 3.0 // the standard score of the Mann-Whitney test
	seasonFor = 5 * time.Minute
)

// baseline is what a metric was before.
type baseline struct {
	slots   []slot
	mids    []float64
	ref     float64 // the median
	last    float64 // the median of the last five: what it was when the action was taken; NaN when unknown
	lo, hi  float64 // the greater of the two at least and at most, whatever is missing
	spread  float64
	highest float64 // -Inf when nothing is known
	own     bool    // it is of this series, not of its siblings
}

func baselineOf(s []slot) baseline {
	b := baseline{slots: s, mids: mids(s), lo: math.Inf(-1), hi: math.Inf(1), ref: math.NaN(), last: math.NaN(), highest: math.Inf(-1), own: true}
	if len(b.mids) == 0 {
		return b
	}
	last := s[max(0, len(s)-run):]
	b.ref, b.last = median(b.mids), median(mids(last))
	b.lo, b.hi = max(median(lows(s)), median(lows(last))), max(median(highs(s)), median(highs(last)))
	b.spread = spread(b.mids, b.ref)
	for _, v := range b.mids {
		b.highest = max(b.highest, v)
	}
	return b
}

// metric is one series, ready to be judged.
type metric struct {
	series *sources.Series
	scale  scale
	before baseline
	slots  []slot
	usual  []usual // for each slot
	limit  float64 // on the scale; -Inf: none
	times  float64
}

// usual is what the metric was at the time of a slot on other days, on the scale.
type usual struct {
	sure  float64 // what it reached on both days; -Inf where one is not known
	maybe float64 // what it reached on the days that are known; -Inf where none is
}

// metricOf prepares m. was is the same series in the observation before the action; nil when it had none.
func (j *judge) metricOf(m, was *sources.Series) metric {
	out := metric{series: m, scale: scaleOf(m), limit: math.Inf(-1), times: unclearBy, before: baselineOf(nil)}
	if limited(m) {
		out.limit, out.times = out.scale.turn(m.Limit), failBy
	}
	now := out.scale.points(j.within(m.Points))
	var then []sources.Point
	if was != nil {
		then = out.scale.points(j.within(was.Points))
	}
	g, ok := gridOf(m.Step, now)
	if !ok {
		g, ok = gridOf(m.Step, then)
	}
	if !ok {
		return out
	}
	first, last := g.between(j.w.Since(), j.w.Acted)
	out.before = baselineOf(g.slots(first, g.values(first, last, now, then)))
	first, last = g.between(j.w.Start, j.until())
	out.slots = g.slots(first, g.values(first, last, now))
	for i := range out.slots {
		out.usual = append(out.usual, j.usualAt(m.Ref, out.scale, out.slots[i].at))
	}
	return out
}

// usualAt is what the series was around t on other days.
func (j *judge) usualAt(ref sources.Ref, s scale, t time.Time) usual {
	out := usual{sure: math.Inf(1), maybe: math.Inf(1)}
	days := 0
	for _, ago := range seasons() {
		most := math.Inf(-1)
		for _, p := range j.past[pastKey{ref, ago}] {
			if v := s.up(p.Value); !math.IsNaN(v) && p.At.Sub(t.Add(-ago)).Abs() <= seasonFor {
				most = max(most, v)
			}
		}
		if !math.IsInf(most, -1) {
			days++
			out.maybe = min(out.maybe, most)
		}
		out.sure = min(out.sure, most)
	}
	if days == 0 {
		out.maybe = math.Inf(-1)
	}
	return out
}

func seasons() []time.Duration { return []time.Duration{24 * time.Hour, 7 * 24 * time.Hour} }

// reading is what the rule says of the slots of a metric.
type reading struct {
	points, gaps int
	bad          int  // values that are bad
	newestBad    bool // 3 of the newest 5 are bad, and so is the newest
	sharp        bool // and stand out of the baseline's noise, one by one …
	steady       bool // … or all together
	possible     bool // 3 of some 5 are bad, or may have been
	standing     bool // 3 of the newest 5 are over the limit, or may be, whatever the baseline
	beyond       bool // 3 of the newest 5 are over twice and over all of the baseline, or may be
}

func (m *metric) read() reading {
	var r reading
	n := len(m.slots)
	bad, sharp, possible, standing, beyond := make([]bool, n), make([]bool, n), make([]bool, n), make([]bool, n), make([]bool, n)
	for i := range m.slots {
		s, u := &m.slots[i], m.usual[i]
		high, low := max(m.before.hi, u.maybe), max(m.before.lo, u.sure)
		bad[i] = s.lo > m.limit && s.lo > m.scale.bar(high, m.times)
		sharp[i] = bad[i] && s.lo > high+sharpBy*m.before.spread
		possible[i] = s.hi > m.limit && s.hi > m.scale.bar(low, m.times)
		standing[i] = s.hi > m.limit && s.hi > m.scale.bar(u.sure, m.times)
		beyond[i] = possible[i] && s.hi > max(m.before.highest, u.sure)
		if math.IsNaN(s.mid) {
			r.gaps++
			continue
		}
		r.points++
		r.bad += b2i(bad[i])
		r.newestBad = bad[i]
	}
	r.newestBad = r.newestBad && count(newest(bad)) >= runBad
	r.sharp = count(newest(sharp)) >= runBad && m.episodes() < habit
	r.possible = anyRun(possible)
	r.standing = count(newest(standing)) >= runBad
	r.beyond = count(newest(beyond)) >= runBad
	r.steady = m.steady()
	return r
}

// episodes is how many times the metric was bad, 3 values of 5, before the action.
func (m *metric) episodes() int {
	bar := max(m.limit, m.scale.bar(m.before.ref, m.times))
	bad := make([]bool, len(m.before.slots))
	for i := range m.before.slots {
		bad[i] = m.before.slots[i].mid > bar
	}
	n := 0
	for i := 0; i+run <= len(bad); i++ {
		if count(bad[i:i+run]) < runBad {
			continue
		}
		n++
		for i+run <= len(bad) && count(bad[i:i+run]) > 0 {
			i++
		}
	}
	return n
}

// steady reports that all values since the action, as a whole, are bad and higher than before.
func (m *metric) steady() bool {
	now := mids(m.slots)
	if len(now) == 0 || len(m.before.mids) == 0 {
		return false
	}
	high := m.before.hi
	for _, u := range m.usual {
		high = max(high, u.maybe)
	}
	is := median(now)
	return is > m.limit && is > m.scale.bar(high, m.times) && higher(now, m.before.mids) >= steadyBy
}

func newest(flags []bool) []bool { return flags[max(0, len(flags)-run):] }

func count(flags []bool) int {
	n := 0
	for _, f := range flags {
		n += b2i(f)
	}
	return n
}

func anyRun(flags []bool) bool {
	for i := range flags {
		if count(flags[i:min(len(flags), i+run)]) >= runBad {
			return true
		}
	}
	return false
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// judged reports that m can keep a watch from passing: it has a limit, or tells how requests are served.
func judged(m *sources.Series) bool {
	switch m.Signal {
	case sources.ErrorSignal, sources.LatencySignal, sources.TrafficSignal:
		return true
	case sources.SaturationSignal, sources.OtherSignal:
		return limited(m)
	default:
		return limited(m)
	}
}

// was is what m is compared with, for people: the median, or what it was at the end, where that was worse by
// as much as fails a metric.
func (m *metric) was() float64 {
	if m.before.last > m.scale.bar(m.before.ref, failBy) {
		return m.before.last
	}
	return m.before.ref
}

// finding judges m. few reports that too few requests were served to fail it.
func (m *metric) finding(w Window, few bool) Finding {
	r := m.read()
	f := Finding{Subject: OfMetric, Ref: m.series.Ref, Name: nameOf(m.series), Signal: m.series.Signal, Unit: m.series.Unit, URL: m.series.URL,
		Was: sources.Number(m.scale.turn(m.was())), Is: sources.Number(m.scale.turn(median(mids(m.slots[max(0, len(m.slots)-run):])))),
		Limit: sources.Number(m.series.Limit), Points: r.points, BadPoints: r.bad, Gaps: r.gaps}
	switch {
	case !judged(m.series):
		f.Judgement, f.Text = Noted, clean.Const("it has no limit: it is not judged")
	case r.points < w.Points:
		f.Judgement, f.Text = Unclear, clean.Linef("%d of the %d values that are needed", r.points, w.Points)
		switch room := w.Length - w.Skip; {
		case room < time.Duration(w.Points+1)*minute:
			f.Text = clean.Linef("a window of %s, of which the newest %s do not count, is too short for %d values", clean.Lasting(w.Length), clean.Lasting(w.Skip), w.Points)
		case r.points == 0:
			f.Text = clean.Const("no data since the action")
		}
		f.Fix = clean.Const("look at its query: it must give a value each minute, 0 too, and the guard's window must last for them")
	case !limited(m.series):
		m.unlimited(&f, r)
	case r.newestBad && (r.sharp || r.steady) && !few:
		f.Judgement, f.Text = Bad, m.badText(&f, r)
	case r.possible:
		f.Judgement, f.Text = Unclear, m.possibleText(&f, r, few)
	case r.standing:
		f.Judgement, f.Text = Unclear, join(", ", clean.Linef("over its limit of %s", m.text(m.series.Limit)), m.beforeText(&f))
		if r.gaps > 0 {
			f.Text = join(", ", f.Text, gapText(r))
		}
	default:
		f.Judgement, f.Text = Good, clean.Linef("within its limit of %s", m.text(m.series.Limit))
	}
	return f
}

func (m *metric) unlimited(f *Finding, r reading) {
	switch {
	case !r.beyond:
		f.Judgement, f.Text = Good, clean.Const("as before")
	case m.before.own && len(m.before.mids) > 0:
		f.Judgement, f.Text = Unclear, join(", ", m.beforeText(f), clean.Const("and no limit says whether that is bad"))
		f.Fix = clean.Const("give the metric a limit")
	default:
		f.Judgement, f.Text = Unclear, clean.Const("it has no limit, and nothing from before the action to compare with")
		f.Fix = clean.Const("give the metric a limit")
	}
}

func (m *metric) badText(f *Finding, r reading) clean.Text {
	how := clean.Linef("%d of %d values over the limit of %s", r.bad, r.points, m.text(m.series.Limit))
	if m.series.Below {
		how = clean.Linef("%d of %d values under the limit of %s", r.bad, r.points, m.text(m.series.Limit))
	}
	return join(", ", m.beforeText(f), how)
}

func (m *metric) possibleText(f *Finding, r reading, few bool) clean.Text {
	switch {
	case few && r.newestBad:
		return join(", ", m.beforeText(f), clean.Const("of too few requests to tell"))
	case r.gaps > 0 && r.bad < runBad:
		return gapText(r)
	case len(m.before.mids) == 0:
		return clean.Linef("over its limit of %s, and nothing from before the action to compare with", m.text(m.series.Limit))
	case r.newestBad:
		return join(", ", m.beforeText(f), clean.Const("no more than its own noise"))
	case r.bad >= runBad:
		return clean.Linef("it was bad for %d values and has recovered", r.bad)
	default:
		return join(", ", clean.Linef("over its limit of %s", m.text(m.series.Limit)), m.beforeText(f))
	}
}

func gapText(r reading) clean.Text {
	return clean.Linef("%d values of %d are missing", r.gaps, r.gaps+r.points)
}

// beforeText is "4.1 %, was 0.2 %".
func (m *metric) beforeText(f *Finding) clean.Text {
	if !f.Was.Known() {
		return insight.FormatValue(float64(f.Is), f.Unit)
	}
	return clean.Linef("%s, was %s", insight.FormatValue(float64(f.Is), f.Unit), insight.FormatValue(float64(f.Was), f.Unit))
}

func (m *metric) text(v float64) clean.Text { return insight.FormatValue(v, m.series.Unit) }

// nameOf is the metric's name with what tells it from its siblings.
func nameOf(m *sources.Series) clean.Text {
	if m.Labels.IsZero() {
		return clean.Line(cmp.Or(m.Name.String(), m.Ref.ID))
	}
	return clean.Linef("%s %s", m.Name, m.Labels)
}

// join joins what is not empty.
func join(sep string, parts ...clean.Text) clean.Text {
	var kept []string
	for _, p := range parts {
		if !p.IsZero() {
			kept = append(kept, p.String())
		}
	}
	return clean.Line(strings.Join(kept, sep))
}
