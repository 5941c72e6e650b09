package insight

import (
	"fmt"
	"math"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// crowd is a big world: pages of PagerDuty, alerts of Alertmanager, of which every tenth page tells, series
// of a day, what ended in a month, deployments and changes, in 20 services.
func crowd(pages, alerts, series int) *store.Snapshot {
	const services = 20
	s := &store.Snapshot{At: now, Catalog: &store.Catalog{}}
	feed := func(source string, c store.Capability) *store.Feed {
		s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: source, Capability: c}, Generation: 1,
			Health: store.Health{State: store.Healthy, LastGood: now, Interval: time.Minute}})
		return &s.Feeds[len(s.Feeds)-1]
	}
	name := func(i int) string { return fmt.Sprintf("service-%d", i%services) }
	for i := range services {
		svc := store.Service{Name: name(i)}
		if i%4 < 3 {
			svc.DependsOn = []string{name(i + 1)}
		}
		s.Catalog.Services = append(s.Catalog.Services, svc)
	}
	labels := func(i int) string { return fmt.Sprintf(`{alertname="High", instance="i-%d", service=%q}`, i, name(i)) }
	am := feed("alertmanager", store.Incidents)
	for i := range alerts {
		am.Incidents = append(am.Incidents, sources.Incident{Ref: sources.Ref{Source: "alertmanager", Kind: sources.KindIncident, ID: fmt.Sprint(i)},
			Kind: sources.AlertIncident, Service: name(i), Title: clean.Line(fmt.Sprintf("latency above %d ms on web-%d", i, i)),
			Severity: 1 + i%4, Created: now.Add(-time.Duration(i*7) * time.Second), Keys: []string{sources.AlertKey(labels(i))}})
	}
	envs := feed("github", store.Environments)
	for i := range services {
		e := sources.Environment{Ref: sources.Ref{Source: "github", Kind: sources.KindEnvironment, ID: name(i)}, Service: name(i), Name: "prod", Prod: true}
		for k := range 20 {
			e.History = append(e.History, sources.Deployment{Version: sources.Version{Tag: clean.Line(fmt.Sprintf("v1.%d.0", 20-k))},
				State: sources.StatePassed, Created: now.Add(-time.Duration(k*25) * time.Minute), Ended: now.Add(-time.Duration(k*25-2) * time.Minute)})
		}
		envs.Environments = append(envs.Environments, e)
	}
	metrics := feed("prometheus", store.Metrics)
	for i := range series {
		m := sources.Series{Service: name(i), Name: clean.Line(fmt.Sprintf("metric %d", i/services)), Unit: "%", Limit: 2, Step: time.Minute,
			Signal: []sources.Signal{sources.ErrorSignal, sources.LatencySignal, sources.SaturationSignal}[i/services%3]}
		for k := range 1440 {
			m.Points = append(m.Points, sources.Point{At: now.Add(time.Duration(k-1440) * time.Minute), Value: 1 + 2*math.Abs(math.Sin(float64(k)/50))})
		}
		metrics.Series = append(metrics.Series, m)
	}
	past := feed("pagerduty", store.Past)
	for i := range 2000 {
		past.Incidents = append(past.Incidents, sources.Incident{Ref: sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, ID: fmt.Sprint("old", i)},
			Service: name(i), Title: clean.Line(fmt.Sprintf("latency above %d ms on web-%d", i, i)), State: sources.Resolved, Ended: now.Add(-time.Duration(i*20) * time.Minute)})
	}
	pd := feed("pagerduty-open", store.Incidents)
	for i := range pages {
		pd.Incidents = append(pd.Incidents, sources.Incident{Ref: sources.Ref{Source: "pagerduty-open", Kind: sources.KindIncident, ID: fmt.Sprint(i)},
			Kind: sources.PageIncident, Service: name(i), Title: clean.Line("latency above 300 ms"), State: sources.IncidentState(i % 2),
			Severity: i % 5, Created: now.Add(-time.Duration(i*53) * time.Second),
			Keys: []string{sources.MonitorKey(int64(i)), sources.AlertKey(labels(i * 10))}})
	}
	return s
}

func BenchmarkProblems(b *testing.B) {
	for _, c := range []struct{ pages, alerts, series int }{{3, 10, 10}, {800, 0, 200}, {800, 5000, 200}} {
		s := crowd(c.pages, c.alerts, c.series)
		b.Run(fmt.Sprintf("%d+%d", c.pages, c.alerts), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Problems(s, View{}, now)
			}
		})
	}
}

func BenchmarkHealths(b *testing.B) {
	s := crowd(800, 5000, 200)
	b.ReportAllocs()
	for b.Loop() {
		Healths(s, now)
	}
}

func BenchmarkCharts(b *testing.B) {
	s := crowd(800, 5000, 200)
	b.ReportAllocs()
	for b.Loop() {
		Charts(s, "service-3", now)
	}
}
