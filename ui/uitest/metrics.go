package uitest

import (
	"math"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
)

// MetricRef is the reference of a metric of the story's Datadog.
func MetricRef(service, name string) sources.Ref {
	return sources.Ref{Source: "datadog", Kind: sources.KindSeries, ID: sources.MetricID(service, name, "")}
}

// wave is a number that wanders around 0 between -1 and 1, the same at each call.
func wave(i int) float64 { return 0.6*math.Sin(float64(i)*0.9) + 0.4*math.Sin(float64(i)*2.3) }

// SeriesOf makes a metric of n points a minute apart, the last one at Now; value gets the minutes that a point lies
// back.
func SeriesOf(service, name, unit string, signal sources.Signal, limit float64, n int, value func(ago int) float64) sources.Series {
	s := sources.Series{Ref: MetricRef(service, name), Service: service, Name: clean.Line(name), Unit: unit, Signal: signal,
		Limit: limit, Step: time.Minute, URL: "https://metrics.example.com/" + service + "/" + name}
	for ago := n - 1; ago >= 0; ago-- {
		s.Points = append(s.Points, sources.Point{At: Ago(time.Duration(ago) * time.Minute), Value: value(ago)})
	}
	return s
}

// onset is when the story's bad version began to fail: so many minutes ago.
const onset = 9

// climbs is a metric that was calm until the bad version came, and climbed to top since.
func climbs(calm, top float64) func(int) float64 {
	return func(ago int) float64 {
		if ago >= onset {
			return calm * (1 + 0.15*wave(ago))
		}
		return top - (top-calm)*math.Pow(0.55, float64(onset-ago))*(1+0.1*wave(ago))
	}
}

func steady(v, noise float64) func(int) float64 {
	return func(ago int) float64 { return v * (1 + noise*wave(ago)) }
}

// Metrics are what the story's services measure over the last 75 minutes: checkout fails, the reader of
// ledger's lag has gone silent, the rest is well.
func Metrics() []sources.Series {
	const n = 75
	none := math.NaN()
	e := SeriesOf("checkout", "error rate", "%", sources.ErrorSignal, 2, n, climbs(0.22, 4.1))
	e.Earlier = []sources.Earlier{{Ago: 24 * time.Hour, Value: 0.2}, {Ago: 7 * 24 * time.Hour, Value: 0.3}}
	req := SeriesOf("checkout", "requests", "/s", sources.TrafficSignal, none, n, steady(1220, 0.03))
	req.Earlier = []sources.Earlier{{Ago: 24 * time.Hour, Value: 1310}}
	up := SeriesOf("search", "success", "%", sources.ErrorSignal, 99.9, n, steady(99.97, 0.0001))
	up.Below = true
	lag := SeriesOf("ledger", "replica lag", "s", sources.SaturationSignal, 30, n, func(ago int) float64 {
		if ago < 12 || ago > 30 && ago < 36 {
			return math.NaN()
		}
		return 31 - float64(ago)/3
	})
	return []sources.Series{
		SeriesOf("checkout", "iops", "/s", sources.SaturationSignal, none, n, steady(2100, 0.05)), e,
		SeriesOf("checkout", "p95", "ms", sources.LatencySignal, 300, n, climbs(290, 912)), req,
		SeriesOf("checkout", "cpu", "%", sources.SaturationSignal, 90, n, steady(61, 0.04)),
		SeriesOf("checkout", "mem", "%", sources.SaturationSignal, 90, n, steady(72, 0.01)),
		lag, up,
		SeriesOf("search", "p95", "ms", sources.LatencySignal, 200, n, steady(88, 0.1)),
		SeriesOf("web", "requests", "/s", sources.TrafficSignal, none, n, steady(310, 0.1)),
	}
}

// SLOs are the story's objectives.
func SLOs() []sources.SLO {
	ref := func(id string) sources.Ref {
		return sources.Ref{Source: "datadog", Kind: sources.KindSLO, ID: id}
	}
	const day = 24 * time.Hour
	return []sources.SLO{
		{Ref: ref("a1"), Service: "checkout", Name: clean.Line("availability"), Target: 99.95, Window: 30 * day, Value: 99.965, Budget: 0.31,
			Burns: []sources.Burn{{Over: 5 * time.Minute, Rate: 82}, {Over: time.Hour, Rate: 14}}, Traffic: 1200, State: sources.MonitorAlert,
			URL: "https://metrics.example.com/slo/a1"},
		{Ref: ref("a2"), Service: "search", Name: clean.Line("availability"), Target: 99.9, Window: 30 * day, Value: 99.98, Budget: 0.82,
			Burns: []sources.Burn{{Over: 5 * time.Minute, Rate: 0.2}, {Over: time.Hour, Rate: 0.4}}, Traffic: 88, State: sources.MonitorOK},
	}
}

// Measured is the story with incidents, Metrics and SLOs.
func Measured() *store.Snapshot {
	s := WithMetrics(WithIncidents(Story(), Incidents()...), Metrics()...)
	info := &s.Catalog.Sources[len(s.Catalog.Sources)-1]
	info.Capabilities = append(info.Capabilities, store.SLOs)
	s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: "datadog", Capability: store.SLOs}, Generation: 1,
		Health: healthy(5 * time.Minute), SLOs: SLOs()})
	return s
}

// ManySeries is the story with series metrics of points points each, the story's own shape, on its
// services in turn.
func ManySeries(series, points int) *store.Snapshot {
	names, kinds := Services(), Metrics()[:6]
	var out []sources.Series
	for i := range series {
		k := kinds[i%len(kinds)]
		m := SeriesOf(names[i/len(kinds)%len(names)], k.Name.String(), k.Unit, k.Signal, k.Limit, points, steady(50, 0.3))
		if round := i / (len(kinds) * len(names)); round > 0 {
			m.Labels = clean.Linef("shard=%d", round)
			m.Ref.ID = sources.MetricID(m.Service, k.Name.String(), m.Labels.String())
		}
		out = append(out, m)
	}
	return WithMetrics(WithIncidents(Story(), Incidents()...), slices.Clip(out)...)
}

// MetricAnswer is what the story's Datadog says to a question for a metric: what Metrics holds in the last
// hour, and the calm of the metric before, in the steps that were asked for.
func MetricAnswer(a pane.Ask) pane.Answer {
	all := Metrics()
	i := slices.IndexFunc(all, func(s sources.Series) bool { return s.Ref == a.Metric })
	if i < 0 {
		return pane.Answer{}
	}
	s := all[i]
	known := s.Points
	calm := known[0].Value
	s.Points, s.Step = nil, a.Step
	n := 0
	for at := a.Until.Add(-a.Span); !at.After(a.Until); at = at.Add(a.Step) {
		p := sources.Point{At: at, Value: calm * (1 + 0.2*wave(n))}
		if j := slices.IndexFunc(known, func(k sources.Point) bool { return !k.At.Before(at) }); j > 0 {
			p.Value = known[j].Value
		}
		s.Points = append(s.Points, p)
		n++
	}
	return pane.Answer{Series: []sources.Series{s}}
}
