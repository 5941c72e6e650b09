package guard

import (
	"math"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// started is when the action of the tests took effect.
var started = time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)

func after(minutes float64) time.Time {
	return started.Add(time.Duration(minutes * float64(time.Minute)))
}

func window() Window { return Window{Service: "shop", Acted: started, Start: started} }

func ref(kind sources.Kind, id string) sources.Ref {
	return sources.Ref{Source: "dd", Kind: kind, ID: id}
}

// metricAt is a series with a point a minute from an hour before the start to `to` minutes after it.
func metricAt(name string, signal sources.Signal, unit string, limit float64, to int, at func(minute int) float64) sources.Series {
	m := sources.Series{Ref: ref(sources.KindSeries, name), Service: "shop", Name: clean.Line(name), Unit: unit, Signal: signal, Limit: limit, Step: time.Minute}
	for i := -60; i <= to; i++ {
		m.Points = append(m.Points, sources.Point{At: after(float64(i)), Value: at(i)})
	}
	return m
}

// step is `was` before the start, and `is` from then on.
func step(was, is float64) func(int) float64 {
	return func(i int) float64 {
		if i < 0 {
			return was
		}
		return is
	}
}

// since lists what a metric was in the minutes from 1 on, with 0.2 before; the last goes on.
func since(values ...float64) func(int) float64 {
	return func(i int) float64 {
		if i < 1 {
			return 0.2
		}
		return values[min(i, len(values))-1]
	}
}

func errorRate(to int, at func(int) float64) sources.Series {
	return metricAt("error rate", sources.ErrorSignal, "%", 2, to, at)
}

func traffic(to int, rps float64) sources.Series {
	return metricAt("requests", sources.TrafficSignal, "req/s", math.NaN(), to, func(int) float64 { return rps })
}

func seen(minutes int, series ...sources.Series) Observation {
	return Observation{At: after(float64(minutes)), Series: series}
}

func finding(t *testing.T, v Verdict, name string) Finding {
	t.Helper()
	for _, f := range v.Findings {
		if f.Name.String() == name {
			return f
		}
	}
	t.Fatalf("there is no finding on %q: %s", name, told(v))
	return Finding{}
}

func told(v Verdict) string {
	var b strings.Builder
	b.WriteString(v.Outcome.String() + ": " + v.Why.String())
	for _, f := range v.Findings {
		b.WriteString("\n  " + f.Judgement.String() + " " + f.Name.String() + ": " + f.Text.String())
	}
	return b.String()
}

func wantVerdict(t *testing.T, v Verdict, want Outcome, final bool, says string) {
	t.Helper()
	if v.Outcome != want || v.Final != final || !strings.Contains(v.Why.String(), says) {
		t.Errorf("verdict final=%v %s\nwant final=%v %s, saying %q", v.Final, told(v), final, want, says)
	}
}
