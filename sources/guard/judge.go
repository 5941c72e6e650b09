package guard

import (
	"cmp"
	"math"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// judge holds what one verdict is made of.
type judge struct {
	w           Window
	before, now Observation
	at          time.Time
	past        memory
	requests    requests
	findings    []Finding
}

type pastKey struct {
	ref sources.Ref
	ago time.Duration
}

// Judge says what the window w has come to at the moment at. before is what was read before the action, as
// far as that is known: it tells which monitors alerted already, and fills in for values that now, which
// should reach back to w.Since(), does not hold. Judge is pure and keeps nothing.
//
// A window without Acted and Start begins at at. A failure is final at once; a pass and an inconclusive verdict are so from the window's end on.
func Judge(w Window, before, now Observation, at time.Time) Verdict {
	return judgeWith(memory{}, w, before, now, at)
}

func judgeWith(past memory, w Window, before, now Observation, at time.Time) Verdict {
	if w.Start.IsZero() && w.Acted.IsZero() {
		w.Start = at
	}
	j := &judge{w: w.filled(), before: before, now: now, at: at, past: memory{}}
	for k, points := range past {
		j.past[k] = slices.Clip(points)
	}
	j.past.keep(&before)
	j.past.keep(&now)
	j.metrics()
	j.monitors()
	j.objectives()
	j.incidents()
	j.reading()
	slices.SortStableFunc(j.findings, func(a, b Finding) int { return cmp.Compare(b.Judgement, a.Judgement) })
	return j.verdict()
}

// until is up to when values are judged.
func (j *judge) until() time.Time {
	t := j.at.Add(-j.w.Skip)
	if end := j.w.End(); t.After(end) {
		return end
	}
	return t
}

// within are the points of the baseline and of the watch: a provider may send any time.
func (j *judge) within(points []sources.Point) []sources.Point {
	out := make([]sources.Point, 0, len(points))
	for _, p := range points {
		if !p.At.Before(j.w.Since()) && !p.At.After(j.at) {
			out = append(out, p)
		}
	}
	return out
}

func (j *judge) ended() bool { return !j.at.Before(j.w.End()) }

// memory is what is known of other days.
type memory map[pastKey][]sources.Point

// keep adds what o knows of other days. Series.Earlier is a mean of the five minutes before the moment that
// it is of: it counts for their middle.
func (past memory) keep(o *Observation) {
	const middle = 150 * time.Second
	for _, p := range o.Past {
		for i := range p.Series {
			k := pastKey{p.Series[i].Ref, p.Ago}
			past[k] = append(past[k], p.Series[i].Points...)
		}
	}
	for i := range o.Series {
		for _, e := range o.Series[i].Earlier {
			k := pastKey{o.Series[i].Ref, e.Ago}
			past[k] = append(past[k], sources.Point{At: o.At.Add(-e.Ago - middle), Value: float64(e.Value)})
		}
	}
}

func (j *judge) add(f Finding) { j.findings = append(j.findings, f) }

func (j *judge) metrics() {
	was := map[sources.Ref]*sources.Series{}
	for i := range j.before.Series {
		was[j.before.Series[i].Ref] = &j.before.Series[i]
	}
	all := make([]metric, 0, len(j.now.Series))
	for i := range j.now.Series {
		m := &j.now.Series[i]
		all = append(all, j.metricOf(m, was[m.Ref]))
		delete(was, m.Ref)
	}
	for i := range j.before.Series { // in their order
		if m := &j.before.Series[i]; was[m.Ref] != nil {
			gone := *m
			gone.Points, gone.Earlier = nil, nil
			all = append(all, j.metricOf(&gone, m))
		}
	}
	siblings(all)
	j.requests = j.countRequests(all)
	for i := range all {
		f := all[i].finding(j.w, j.requests.few(&all[i], j.w.Requests))
		j.add(f)
	}
	j.requestsFinding(all)
}

// siblings lends a series that has no values from before the action, a new target, the highest baseline of
// the other series of its metric: to fail by, not to pass by.
func siblings(all []metric) {
	type family struct{ source, name string }
	of := func(m *metric) family { return family{m.series.Ref.Source, m.series.Name.String()} }
	highest := map[family]baseline{}
	for i := range all {
		b := all[i].before
		if h, ok := highest[of(&all[i])]; len(b.mids) > 0 && (!ok || b.hi > h.hi) {
			highest[of(&all[i])] = b
		}
	}
	for i := range all {
		if h, ok := highest[of(&all[i])]; ok && len(all[i].before.mids) == 0 {
			h.own, h.lo, h.highest = false, math.Inf(-1), math.Inf(-1)
			all[i].before = h
		}
	}
}

func (j *judge) reading() {
	for _, text := range j.now.Lacking {
		j.add(Finding{Subject: OfReading, Name: clean.Const("reading"), Judgement: Unclear, Text: text})
	}
	if old := j.at.Sub(j.now.At); j.ended() && old > max(j.w.Skip, minute) {
		text := clean.Const("nothing could be read since the action")
		if !j.now.At.IsZero() {
			text = clean.Linef("the last answer is %s old", clean.Elapsed(old))
		}
		j.add(Finding{Subject: OfReading, Name: clean.Const("reading"), Judgement: Unclear, Text: text,
			Fix: clean.Const("run signalbox doctor: it says which source does not answer, and why")})
	}
}

// verdict sums the findings up.
func (j *judge) verdict() Verdict {
	v := Verdict{At: j.at, Elapsed: max(0, j.at.Sub(j.w.Start)), Requests: sources.Number(j.requests.total), Findings: j.findings, Final: j.ended()}
	if !j.requests.known {
		v.Requests = sources.Number(math.NaN())
	}
	bad, unclear, evidence := 0, 0, 0
	for i := range v.Findings {
		switch f := &v.Findings[i]; f.Judgement {
		case Bad:
			bad++
		case Unclear:
			unclear++
		case Good:
			evidence += b2i(f.Subject != OfMetric || f.Limit.Known())
		case Noted:
		}
	}
	switch {
	case bad > 0:
		v.Outcome, v.Final, v.Why = Fail, true, reasons(v.Findings, Bad)
	case !v.Final:
		v.Why = clean.Const("the window is not over")
		if unclear > 0 {
			v.Why = reasons(v.Findings, Unclear)
		}
	case unclear > 0:
		v.Why = reasons(v.Findings, Unclear)
	case evidence == 0:
		v.Why = clean.Const("there is nothing to go by: no metric has a limit, and there is no monitor and no objective")
	default:
		v.Outcome, v.Why = Pass, clean.Linef("%s, nothing worse than before", clean.Counted(evidence, "check"))
	}
	return v
}

// reasons names what judged so: the first two, and how many more.
func reasons(all []Finding, what Judgement) clean.Text {
	const named = 2
	var parts []clean.Text
	more := 0
	for i := range all {
		switch f := &all[i]; {
		case f.Judgement != what:
		case len(parts) < named:
			parts = append(parts, clean.Linef("%s: %s", f.Name, f.Text))
		default:
			more++
		}
	}
	if more > 0 {
		parts = append(parts, clean.Linef("and %d more", more))
	}
	return join("; ", parts...)
}
