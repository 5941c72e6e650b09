package guard

import (
	"math"
	"slices"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
)

// requests is how many requests were served since the action, as far as they were counted: what is missing
// is none.
type requests struct {
	known      bool // there is something to count by
	configured bool // a metric tells
	total      float64
	byLabels   map[clean.Text]float64
	rate       float64 // a second, before; NaN when unknown
}

// countRequests counts by the first metric of requests, all its series together; without one by what an
// objective says of its traffic.
func (j *judge) countRequests(all []metric) requests {
	r := requests{byLabels: map[clean.Text]float64{}, rate: math.NaN()}
	var first *sources.Series
	for i := range all {
		m := all[i].series
		if m.Signal != sources.TrafficSignal || first != nil && (m.Name != first.Name || m.Ref.Source != first.Ref.Source) {
			continue
		}
		if first == nil {
			first = m
		}
		r.known, r.configured = true, true
		n := j.counted(m)
		r.total += n
		r.byLabels[m.Labels] += n
	}
	if r.configured {
		return r
	}
	seconds := max(0, j.until().Sub(j.w.Start).Seconds())
	for i := range j.now.SLOs {
		if t := float64(j.now.SLOs[i].Traffic); t >= 0 && !math.IsInf(t, 0) {
			r.known, r.total = true, max(r.total, t*seconds)
		}
	}
	return r
}

// counted are the requests that m counted since the action.
func (j *judge) counted(m *sources.Series) float64 {
	points := j.within(m.Points)
	g, ok := gridOf(m.Step, points)
	if !ok {
		return 0
	}
	sum, each := 0.0, requestsIn(m.Unit, g.step)
	first, last := g.between(j.w.Start, j.until())
	for _, v := range g.values(first, last, points) {
		if v > 0 && !math.IsInf(v, 0) {
			sum += v * each
		}
	}
	return sum
}

// few reports that m is about too few requests to fail by: those with its labels, where these are counted.
func (r *requests) few(m *metric, least float64) bool {
	if !r.known {
		return false
	}
	if n, ok := r.byLabels[m.series.Labels]; ok && n < least && m.series.Signal != sources.TrafficSignal {
		return true
	}
	return r.total < least
}

// requestsFinding says when there were too few requests for a verdict, or when that is not known.
func (j *judge) requestsFinding(all []metric) {
	f := Finding{Subject: OfTraffic, Name: clean.Const("requests"), Judgement: Unclear, Is: sources.Number(j.requests.total), Unit: "req",
		Was: sources.Number(math.NaN()), Limit: sources.Number(j.w.Requests)}
	served := slices.ContainsFunc(all, func(m metric) bool {
		return m.series.Signal == sources.ErrorSignal || m.series.Signal == sources.LatencySignal
	})
	switch {
	case !j.requests.known && !served || j.w.Requests == 0:
		return
	case !j.requests.known:
		f.Is = sources.Number(math.NaN())
		f.Text = clean.Const("how many were served is not known")
		f.Fix = clean.Const("add a metric in requests a second with signal: traffic")
	case j.requests.total < j.w.Requests:
		f.Text = clean.Linef("%s since the action, %s are needed", insight.FormatValue(math.Floor(j.requests.total), ""), insight.FormatValue(j.w.Requests, ""))
		f.Fix = clean.Const("watch for longer: guard.window")
	default:
		return
	}
	j.add(f)
}
