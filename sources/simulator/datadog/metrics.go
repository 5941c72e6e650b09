package datadog

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/datadog/mql"
	"example.com/signalbox/sources/simulator/world"
)

const (
	queryPoints  = 300  // at most, where the client does not name a step
	seriesPoints = 1500 // at most, ever
	finest       = 10 * time.Second
)

// data is the world's metrics, with their tags: service, team, env and region.
type data struct {
	w       *world.World
	newest  time.Time // nothing later is known yet
	sources []*place
	cache   *mql.Cache
}

// place is where a service runs.
type place struct {
	d             *data
	s             *world.Service
	stage, region string
}

// source is one metric of a place.
type source struct {
	*place
	measure string
}

func (c *call) metrics() *data {
	w := c.w
	d := &data{w: w, newest: w.Now().Add(-world.MetricDelay), cache: &c.s.cache}
	for _, s := range w.Services {
		for _, stage := range []string{"prod", "staging", "dev"} {
			for _, target := range s.Targets(stage) {
				d.sources = append(d.sources, &place{d: d, s: s, stage: stage, region: world.Region(target)})
			}
		}
	}
	return d
}

func measure(name string) (world.Measure, bool) {
	list := world.Measures()
	i := slices.IndexFunc(list, func(m world.Measure) bool { return m.Name == name })
	if i < 0 {
		return world.Measure{}, false
	}
	return list[i], true
}

func (*data) Metric(name string) (mql.Metric, bool) {
	m, ok := measure(name)
	return mql.Metric{Unit: m.Unit, Count: m.Count}, ok
}

func (d *data) Settled() time.Time { return d.newest }

func (d *data) Cache() *mql.Cache { return d.cache }

func (d *data) Sources(metric string) []mql.Source {
	out := make([]mql.Source, 0, len(d.sources))
	for _, p := range d.sources {
		if p.s.Has(metric) {
			out = append(out, source{p, metric})
		}
	}
	return out
}

func (p *place) Tag(key string) (string, bool) {
	switch key {
	case "service":
		return p.s.Name, true
	case "team":
		return p.s.Team, true
	case "env":
		return p.stage, true
	case "region":
		return p.region, true
	default:
		return "", false
	}
}

func (s source) ID() string { return s.measure + "/" + s.s.Name + "/" + s.stage + "/" + s.region }

func (s source) At(t time.Time) (float64, bool) {
	if t.After(s.d.newest) {
		return 0, false
	}
	return s.d.w.Sample(s.s, s.measure, s.stage, s.region, t)
}

// value is a number, or null where there is none.
type value float64

func (v value) MarshalJSON() ([]byte, error) { return appendValue(nil, float64(v)), nil }

func appendValue(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// row is the values of a series.
type row []float64

func (r row) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 20*len(r)+2)
	b = append(b, '[')
	for i, v := range r {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, v)
	}
	return append(b, ']'), nil
}

// unit is what a value is of.
type unit struct {
	Family string  `json:"family"`
	Name   string  `json:"name"`
	Plural string  `json:"plural"`
	Short  *string `json:"short_name,omitempty"`
	Scale  float64 `json:"scale_factor"`
	ID     int     `json:"id"`
}

func unitOf(name string) *unit {
	make1 := func(family, name, plural, short string, scale float64, id int) *unit {
		return &unit{Family: family, Name: name, Plural: plural, Short: &short, Scale: scale, ID: id}
	}
	switch name {
	case "request":
		return make1("network", "request", "requests", "req", 1, 19)
	case "error":
		return make1("system", "error", "errors", "err", 1, 24)
	case "millisecond":
		return make1("time", "millisecond", "milliseconds", "ms", 0.001, 10)
	case "second":
		return make1("time", "second", "seconds", "s", 1, 11)
	case "percent":
		return make1("percentage", "percent", "percent", "%", 1, 17)
	case "operation":
		return make1("db", "operation", "operations", "op", 1, 30)
	default:
		return nil
	}
}

// unitsOf is a series' unit, and what it is per.
func unitsOf(s mql.Series) [2]*unit {
	u := [2]*unit{unitOf(s.Unit), nil}
	if u[0] != nil && s.Query != nil && s.Query.As == "rate" {
		u[1] = unitOf("second")
	}
	return u
}

type querySeries struct {
	Metric      string     `json:"metric"`
	DisplayName string     `json:"display_name"`
	Aggr        *string    `json:"aggr"`
	Expression  string     `json:"expression"`
	Scope       string     `json:"scope"`
	TagSet      []string   `json:"tag_set"`
	Unit        [2]*unit   `json:"unit"`
	Interval    int64      `json:"interval"`
	Start       int64      `json:"start"`
	End         int64      `json:"end"`
	Length      int        `json:"length"`
	QueryIndex  int        `json:"query_index"`
	Points      [][2]value `json:"pointlist"`
	Attributes  struct{}   `json:"attributes"`
}

type queryAnswer struct {
	Status      string        `json:"status"`
	Error       string        `json:"error,omitempty"`
	ResType     string        `json:"res_type"`
	RespVersion int           `json:"resp_version"`
	Query       string        `json:"query"`
	From        int64         `json:"from_date"`
	To          int64         `json:"to_date"`
	Series      []querySeries `json:"series"`
	GroupBy     []string      `json:"group_by"`
	Message     string        `json:"message"`
	Times       []int64       `json:"times"`
	Values      []value       `json:"values"`
}

// query answers GET /api/v1/query. A query that cannot be read is an error inside a 200.
func (c *call) query() answer {
	from, err := c.number("from", -1, 0, math.MaxInt32*2)
	to, err2 := c.number("to", -1, 0, math.MaxInt32*2)
	text := c.q.Get("query")
	switch {
	case err != nil || err2 != nil:
		return c.fail(http.StatusBadRequest, "Invalid time: from and to must be POSIX timestamps in seconds")
	case from < 0 || to < 0 || text == "":
		return c.fail(http.StatusBadRequest, "The parameters from, to and query are required")
	case from >= to:
		return c.fail(http.StatusBadRequest, "from must be before to")
	}
	a := queryAnswer{
		Status: "ok", ResType: "time_series", RespVersion: 1, Query: text, From: int64(from) * 1000, To: int64(to) * 1000,
		Series: []querySeries{}, GroupBy: []string{}, Times: []int64{}, Values: []value{},
	}
	exprs, err := mql.Parse(text)
	if err != nil {
		a.Status, a.Error = "error", err.Error()
		return c.ok(a)
	}
	w := mql.Window{From: time.Unix(int64(from), 0), To: time.Unix(int64(to), 0), Finest: finest}.Fit(queryPoints, exprs...)
	d := c.metrics()
	for i, x := range exprs {
		list, err := mql.Eval(x, w, d, nil)
		if err != nil {
			a.Status, a.Error = "error", err.Error()
			return c.ok(a)
		}
		for _, s := range list {
			if q, ok := oldSeries(s, w, i, text); ok {
				a.Series = append(a.Series, q)
			}
			for _, t := range s.Tags {
				if !slices.Contains(a.GroupBy, t.Key) {
					a.GroupBy = append(a.GroupBy, t.Key)
				}
			}
		}
	}
	return c.ok(a)
}

// oldSeries tells a series as version 1 does; one without any value is left out. What lies before the first
// value and behind the last is left out too.
func oldSeries(s mql.Series, w mql.Window, index int, text string) (querySeries, bool) {
	q := querySeries{
		Metric: text, DisplayName: text, Expression: text, Scope: scopeOf(s), TagSet: []string{}, Unit: unitsOf(s),
		Interval: int64(w.Step / time.Second), QueryIndex: index,
	}
	if s.Query != nil {
		q.Metric, q.DisplayName = s.Query.Metric, s.Query.Metric
		if s.Query.Aggr != "" {
			q.Aggr = &s.Query.Aggr
		}
	}
	for _, t := range s.Tags {
		q.TagSet = append(q.TagSet, t.String())
	}
	last := 0
	for i, t := range w.Times() {
		v := s.Values[i]
		if math.IsNaN(v) && len(q.Points) == 0 {
			continue
		}
		q.Points = append(q.Points, [2]value{value(t.UnixMilli()), value(v)})
		if !math.IsNaN(v) {
			last = len(q.Points)
		}
	}
	q.Points = q.Points[:last]
	if last == 0 {
		return q, false
	}
	q.Start, q.Length = int64(q.Points[0][0]), last
	q.End = int64(q.Points[last-1][0]) + w.Step.Milliseconds() - 1
	return q, true
}

// scopeOf is what a series is of: its query's tags, and those of its group.
func scopeOf(s mql.Series) string {
	if s.Query == nil {
		return "*"
	}
	var parts []string
	for _, t := range s.Tags {
		parts = append(parts, t.String())
	}
	for tag := range strings.SplitSeq(s.Query.Scope, ",") {
		if tag = strings.TrimSpace(tag); tag != "*" && tag != "" && !slices.Contains(parts, tag) {
			parts = append(parts, tag)
		}
	}
	if len(parts) == 0 {
		return "*"
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}
