package insight

import (
	"math"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// ChartFeeds are the capabilities that Charts looks at.
func ChartFeeds() []store.Capability {
	return []store.Capability{store.Metrics, store.SLOs, store.Environments, store.Changes}
}

// staleValue is the age from which on a value is what a metric was, not what it is: no verdict rests on it.
// Of a series with long steps it is three steps.
const staleValue = 5 * time.Minute

// ServiceCharts are the metrics of one service.
type ServiceCharts struct {
	Service string
	Charts  []Chart
	Over    int    // how many of them are
	Marks   []Mark // oldest first
	Budgets []Budget
}

// Chart is one metric and what it says.
type Chart struct {
	Series *sources.Series
	Feed   int           // the index of its feed in the snapshot
	Value  float64       // the newest that is not a gap; NaN when there is none
	At     time.Time     // when it was measured
	Age    time.Duration // at now
	Old    bool          // Value is too old to be judged
	Over   bool          // Value is on the bad side of the limit, and not Old
	Change Change        // against the hour before
	// Earlier are the changes against the same time some days before, as the series has them.
	Earlier []EarlierChange
}

// EarlierChange is a change against what a metric was so long ago.
type EarlierChange struct {
	Ago    time.Duration
	Change Change
}

// Charts are the metrics of a service, golden signals first: errors, latency, traffic, then cpu, memory,
// disk, IOPS, other saturation, and the rest. They never change places.
func Charts(s *store.Snapshot, service string, now time.Time) ServiceCharts {
	return factsOf(s, now).charts(service)
}

func (f *facts) charts(service string) ServiceCharts {
	sf := f.about(service)
	out := ServiceCharts{Service: service, Budgets: f.budgets(sf)}
	from := f.now.Add(-time.Hour)
	out.Charts = slices.Grow(out.Charts, len(sf.series))
	for _, m := range sf.series {
		c := chartOf(m, f.now)
		out.Charts = append(out.Charts, c)
		out.Over += b2i(c.Over)
		if p := m.series.Points; len(p) > 0 && p[0].At.Before(from) {
			from = p[0].At
		}
	}
	out.Marks = sf.marks(from, f.now)
	return out
}

func chartOf(at seriesAt, now time.Time) Chart {
	m := at.series
	p, ok := newest(m)
	c := Chart{Series: m, Feed: at.feed, Value: p.Value, At: p.At, Age: age(now, p.At)}
	c.Old = !ok || c.Age > max(staleValue, 3*m.Step)
	c.Over = !c.Old && over(m, p.Value)
	if !ok {
		return c
	}
	c.Change = changeOf(hourBefore(m, p.At), p.Value)
	for _, e := range m.Earlier {
		c.Earlier = append(c.Earlier, EarlierChange{e.Ago, changeOf(float64(e.Value), p.Value)})
	}
	return c
}

// hourBefore is what m was an hour before t: the mean of its values within five minutes of that moment; NaN
// when there are none.
func hourBefore(m *sources.Series, t time.Time) float64 {
	const slack = 5 * time.Minute
	then := t.Add(-time.Hour)
	first, _ := slices.BinarySearchFunc(m.Points, then.Add(-slack), func(p sources.Point, t time.Time) int { return p.At.Compare(t) })
	return meanUntil(m.Points[first:], then.Add(slack))
}

// meanUntil is the mean of the values up to t; NaN when there are none.
func meanUntil(points []sources.Point, t time.Time) float64 {
	sum, n := 0.0, 0
	for _, p := range points {
		if p.At.After(t) {
			break
		}
		if !math.IsNaN(p.Value) {
			sum += p.Value
			n++
		}
	}
	return sum / float64(n)
}

// ChangeKind says how a change is put into words.
type ChangeKind uint8

// The kinds of change. A rise to twice as much or more is a ratio, "×18"; any other change of three percent
// or more is a percentage; less is level: most metrics waver by that. From nothing there is no ratio.
const (
	ChangeUnknown ChangeKind = iota
	ChangeLevel
	ChangePercent
	ChangeRatio
	ChangeFromZero
)

// Change is how a number differs from what it was.
type Change struct {
	Kind    ChangeKind
	From    float64 // what it was
	Up      bool
	Ratio   float64 // the value to From
	Percent float64 // the size of the change in percent of From; never negative
}

const (
	ratioFrom   = 2 // times as much
	percentFrom = 3
)

func changeOf(from, value float64) Change {
	c := Change{From: from, Up: value > from}
	switch {
	case math.IsNaN(from) || math.IsNaN(value) || math.IsInf(from, 0) || math.IsInf(value, 0):
		return c
	case from == 0 && value == 0:
		c.Kind, c.Ratio = ChangeLevel, 1
		return c
	case from == 0:
		c.Kind = ChangeFromZero
		return c
	}
	c.Ratio = value / from
	c.Percent = 100 * math.Abs(value-from) / math.Abs(from)
	switch {
	case c.Up && c.Ratio >= ratioFrom:
		c.Kind = ChangeRatio
	case c.Percent >= percentFrom:
		c.Kind = ChangePercent
	default:
		c.Kind = ChangeLevel
	}
	return c
}

// Text is the size of the change without its direction: "×18", "4 %", "from 0", and nothing of one that is
// level or unknown.
func (c Change) Text() clean.Text {
	switch c.Kind {
	case ChangeRatio:
		return FormatRatio(c.Ratio)
	case ChangePercent:
		return FormatValue(c.Percent, "%")
	case ChangeFromZero:
		return clean.Const("from 0")
	case ChangeUnknown, ChangeLevel:
		return clean.Text{}
	default:
		return clean.Text{}
	}
}

// Mark is a deployment, as charts mark it.
type Mark struct {
	At      time.Time
	Text    clean.Text // "v1.9.2 → prod"
	Version sources.Version
	Env     sources.Ref // zero when no environment is known
	EnvName string
	Prod    bool
	Failed  bool
	By      clean.Text
	URL     string
}

// marks are the deployments between from and to, oldest first.
func (sf *serviceFacts) marks(from, to time.Time) []Mark {
	var out []Mark
	for _, c := range sf.changed() {
		if c.kind != sources.DeploymentChange || c.at.Before(from) || c.at.After(to) {
			continue
		}
		out = append(out, Mark{At: c.at, Text: c.text, Version: c.version, Env: c.ref, EnvName: c.env, Prod: c.prod,
			Failed: c.failed, By: c.by, URL: c.url})
	}
	return out
}
