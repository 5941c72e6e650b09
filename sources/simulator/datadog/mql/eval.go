package mql

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Metric is what is known of a metric besides its values.
type Metric struct {
	Unit string
	// Count says that it counts events: its sources tell so many a second.
	Count bool
}

// Source is one stored series.
type Source interface {
	// ID tells it apart from all others.
	ID() string
	// Tag is the value of the tag of that key.
	Tag(key string) (string, bool)
	// At is the value at t; false where there is none.
	At(t time.Time) (float64, bool)
}

// Data is where values come from.
type Data interface {
	Metric(name string) (Metric, bool)
	Sources(metric string) []Source
	// Settled is until when values never change, and Cache where those of that time are remembered: nil for
	// nowhere.
	Settled() time.Time
	Cache() *Cache
}

// Window is the time that is asked for: [From, To), in steps that begin at whole multiples of Step.
type Window struct {
	From, To time.Time
	Step     time.Duration
	Finest   time.Duration // between two values that a source can tell apart
}

// Times lists when the window's steps begin.
func (w Window) Times() []time.Time {
	var out []time.Time
	for t := w.From.Add(w.Step - 1).Truncate(w.Step); t.Before(w.To); t = t.Add(w.Step) {
		out = append(out, t)
	}
	return out
}

// Fit widens the step until sources can tell its values apart, no rollup asks for a wider one, and there are
// no more than so many points.
func (w Window) Fit(points int, exprs ...Expr) Window {
	w.Step = max(w.Step, w.Finest)
	for _, x := range exprs {
		w.Step = max(w.Step, widest(x))
	}
	for _, s := range ladder() {
		if w.Step > 0 && w.To.Sub(w.From) <= time.Duration(points)*w.Step {
			break
		}
		w.Step = max(w.Step, s)
	}
	return w
}

// ladder lists the steps that are chosen among.
func ladder() []time.Duration {
	return []time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour,
	}
}

func widest(x Expr) time.Duration {
	switch x := x.(type) {
	case *Query:
		return x.Step
	case *Binary:
		return max(widest(x.X), widest(x.Y))
	case *Call:
		return widest(x.Arg)
	default:
		return 0
	}
}

// Tag is one tag of a series.
type Tag struct{ Key, Value string }

func (t Tag) String() string { return t.Key + ":" + t.Value }

// Series is one line of an answer. A value that is not there is NaN.
type Series struct {
	Query  *Query // that it comes from; nil for a number
	Unit   string // "" when it has none, or lost it in arithmetic
	Tags   []Tag  // that tell the groups of a query apart, in the order of its by
	Values []float64
}

func (s Series) group() string {
	parts := make([]string, 0, len(s.Tags))
	for _, t := range s.Tags {
		parts = append(parts, t.String())
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// Names finds the values over a window of a query that a formula names; false where there is no such query.
type Names func(name string, w Window) ([]Series, bool)

// Eval evaluates x over a window. names may be nil where x is no formula.
func Eval(x Expr, w Window, d Data, names Names) ([]Series, error) {
	e := &evaluation{data: d, names: names}
	return e.eval(x, w)
}

type evaluation struct {
	data  Data
	names Names
}

func (e *evaluation) eval(x Expr, w Window) ([]Series, error) {
	switch x := x.(type) {
	case *Query:
		return e.query(x, w), nil
	case Number:
		values := make([]float64, len(w.Times()))
		for i := range values {
			values[i] = float64(x)
		}
		return []Series{{Values: values}}, nil
	case Name:
		if e.names != nil {
			if list, ok := e.names(string(x), w); ok {
				return list, nil
			}
		}
		return nil, fmt.Errorf("Unknown query '%s' in formula", string(x)) //nolint:staticcheck // Datadog's words
	case *Call:
		return e.call(x, w)
	case *Binary:
		a, err := e.eval(x.X, w)
		if err != nil {
			return nil, err
		}
		b, err := e.eval(x.Y, w)
		if err != nil {
			return nil, err
		}
		return combine(x.Op, a, b), nil
	default:
		return nil, fmt.Errorf("unknown expression %T", x)
	}
}

// combine works two lists of series out pairwise: those of the same group, or one with all.
func combine(op byte, a, b []Series) []Series {
	out := []Series{}
	if len(a) == 1 && len(a[0].Tags) == 0 {
		for _, y := range b {
			out = append(out, pair(op, a[0], y))
		}
		return out
	}
	if len(b) == 1 && len(b[0].Tags) == 0 {
		for _, x := range a {
			out = append(out, pair(op, x, b[0]))
		}
		return out
	}
	right := map[string]Series{}
	for _, y := range b {
		right[y.group()] = y
	}
	for _, x := range a {
		if y, ok := right[x.group()]; ok {
			out = append(out, pair(op, x, y))
		}
	}
	return out
}

func pair(op byte, x, y Series) Series {
	out := Series{Query: x.Query, Unit: x.Unit, Tags: x.Tags, Values: make([]float64, min(len(x.Values), len(y.Values)))}
	if x.Query == nil || len(x.Tags) == 0 && len(y.Tags) > 0 {
		out.Query, out.Unit, out.Tags = y.Query, y.Unit, y.Tags
	}
	if x.Query != nil && y.Query != nil && (op == '*' || op == '/' || x.Unit != y.Unit) {
		out.Unit = ""
	}
	for i := range out.Values {
		out.Values[i] = apply(op, x.Values[i], y.Values[i])
	}
	return out
}

func apply(op byte, a, b float64) float64 {
	var v float64
	switch op {
	case '+':
		v = a + b
	case '-':
		v = a - b
	case '*':
		v = a * b
	default:
		v = a / b
	}
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// query aggregates the sources of a metric over time, and then over the groups.
func (e *evaluation) query(q *Query, w Window) []Series {
	m, ok := e.data.Metric(q.Metric)
	if !ok {
		return []Series{} // a metric that nobody reports is no error
	}
	groups, order := map[string]*group{}, []string{}
	for _, src := range e.data.Sources(q.Metric) {
		if !q.filters(src.Tag) {
			continue
		}
		tags, ok := tagsOf(src, q.By)
		if !ok {
			continue
		}
		key := Series{Tags: tags}.group()
		if groups[key] == nil {
			groups[key] = &group{tags: tags}
			order = append(order, key)
		}
		groups[key].sources = append(groups[key].sources, src)
	}
	slices.Sort(order)
	times, out := w.Times(), make([]Series, 0, len(order))
	for _, key := range order {
		g := groups[key]
		s := Series{Query: q, Unit: m.Unit, Tags: g.tags, Values: e.values(g, q, m, w, times)}
		fill(s.Values, q.Fill)
		out = append(out, s)
	}
	return out
}

type group struct {
	tags    []Tag
	sources []Source
}

func tagsOf(src Source, by []string) ([]Tag, bool) {
	var tags []Tag
	for _, key := range by {
		v, ok := src.Tag(key)
		if !ok {
			return nil, false
		}
		tags = append(tags, Tag{key, v})
	}
	return tags, true
}

// samplesPerStep bounds how many values of a source make one point.
const samplesPerStep = 3

// values are the group's points: those of each of its sources over time, aggregated.
func (e *evaluation) values(g *group, q *Query, m Metric, w Window, times []time.Time) []float64 {
	rows := make([][]float64, 0, len(g.sources))
	for _, src := range g.sources {
		rows = append(rows, e.row(src, q, m, w, times))
	}
	out, all := make([]float64, len(times)), make([]float64, 0, len(rows))
	for i := range out {
		all = all[:0]
		for _, row := range rows {
			if !math.IsNaN(row[i]) {
				all = append(all, row[i])
			}
		}
		out[i] = aggregate(q.Aggr, all)
	}
	return out
}

// row is one source's points.
func (e *evaluation) row(src Source, q *Query, m Metric, w Window, times []time.Time) []float64 {
	n := min(samplesPerStep, max(1, int(w.Step/max(w.Finest, time.Second))))
	slot := w.Step / time.Duration(n)
	out, values := make([]float64, len(times)), make([]float64, 0, n)
	cache, settled := e.data.Cache(), e.data.Settled()
	if settled.After(w.To) {
		settled = w.To
	}
	var known *points
	if cache != nil {
		known = cache.of(line{src.ID(), w.Step, q.Rollup, q.As == "rate"})
	}
	for i, t := range times {
		number := t.UnixNano() / int64(w.Step)
		if known != nil {
			if v, ok := known.at(number); ok && !t.Add(w.Step).After(settled) {
				out[i] = v
				continue
			}
		}
		values = values[:0]
		for k := range n {
			at := t.Add(time.Duration(k)*slot + slot/2)
			if !at.Before(w.To) {
				break
			}
			if v, ok := src.At(at); ok {
				values = append(values, v)
			}
		}
		if out[i] = math.NaN(); len(values) > 0 {
			out[i] = overTime(values, q, m, slot)
		}
		if known != nil && !t.Add(w.Step).After(settled) {
			cache.set(known, number, out[i])
		}
	}
	return out
}

// overTime makes one point of a source's values, each of which stands for slot.
func overTime(values []float64, q *Query, m Metric, slot time.Duration) float64 {
	count := m.Count && q.As != "rate"
	switch {
	case q.Rollup == "count":
		return float64(len(values))
	case q.Rollup != "" && !m.Count:
		return aggregate(q.Rollup, values)
	case count:
		var sum float64
		for _, v := range values {
			sum += v * slot.Seconds()
		}
		if q.Rollup == "avg" {
			return sum / float64(len(values))
		}
		return sum
	default:
		return aggregate("avg", values)
	}
}

// aggregate is NaN for no values.
func aggregate(how string, values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	switch how {
	case "sum":
		var sum float64
		for _, v := range values {
			sum += v
		}
		return sum
	case "min":
		return slices.Min(values)
	case "max":
		return slices.Max(values)
	case "count":
		return float64(len(values))
	case "p50", "p75", "p90", "p95", "p99":
		sorted := slices.Sorted(slices.Values(values))
		p := map[string]float64{"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}[how]
		return sorted[int(math.Ceil(p*float64(len(sorted))))-1]
	default:
		var sum float64
		for _, v := range values {
			sum += v
		}
		return sum / float64(len(values))
	}
}

// fill puts something where there is no value.
func fill(values []float64, how string) {
	switch how {
	case "zero":
		for i, v := range values {
			if math.IsNaN(v) {
				values[i] = 0
			}
		}
	case "last":
		for i := 1; i < len(values); i++ {
			if math.IsNaN(values[i]) {
				values[i] = values[i-1]
			}
		}
	case "linear":
		last := -1
		for i, v := range values {
			if math.IsNaN(v) {
				continue
			}
			for k := last + 1; last >= 0 && k < i; k++ {
				values[k] = values[last] + (v-values[last])*float64(k-last)/float64(i-last)
			}
			last = i
		}
	}
}

// Scalar makes one number of a series: avg, sum, min, max or last of the values that are there; NaN for none.
func Scalar(values []float64, how string) float64 {
	var there []float64
	for _, v := range values {
		if !math.IsNaN(v) {
			there = append(there, v)
		}
	}
	if how == "last" && len(there) > 0 {
		return there[len(there)-1]
	}
	return aggregate(how, there)
}
