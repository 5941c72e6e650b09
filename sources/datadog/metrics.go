package datadog

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// wireUnit is what a series is counted in; the second of the two that Datadog sends is what it is per.
type wireUnit struct {
	Short text `json:"short_name"`
	Name  text `json:"name"`
}

type timeseriesRequest struct {
	Data timeseriesAsk `json:"data"`
}

type timeseriesAsk struct {
	Type       string               `json:"type"`
	Attributes timeseriesAttributes `json:"attributes"`
}

type timeseriesAttributes struct {
	From     int64               `json:"from"` // milliseconds, as all of these
	To       int64               `json:"to"`
	Interval int64               `json:"interval"`
	Queries  []timeseriesQuery   `json:"queries"`
	Formulas []timeseriesFormula `json:"formulas"`
}

type timeseriesQuery struct {
	Source string `json:"data_source"`
	Name   string `json:"name"`
	Query  string `json:"query"`
}

type timeseriesFormula struct {
	Formula string `json:"formula"`
}

type timeseriesReply struct {
	Data *struct {
		Attributes *struct {
			Times  row   `json:"times"`
			Values []row `json:"values"`
			Series some[struct {
				Tags  words          `json:"group_tags"`
				Index whole          `json:"query_index"`
				Unit  some[wireUnit] `json:"unit"`
			}] `json:"series"`
		} `json:"attributes"`
	} `json:"data"`
	Errors text `json:"errors"`
}

func (r *timeseriesReply) valid() error {
	none := r.Data == nil || r.Data.Attributes == nil
	if none && r.Errors != "" {
		return &sources.Error{Kind: sources.Invalid, Msg: "Datadog refuses the query: " + clean.Line(string(r.Errors)).String(), Err: &statusError{400}}
	}
	// No series at all are an answer; something else in their place is none. Values stand in the order of the
	// series: with one missing, the others would be somebody else's.
	if none || r.Data.Attributes.Series.Bad > 0 {
		return unlike("series")
	}
	if at := r.Data.Attributes; len(at.Values) < len(at.Series.Items) {
		return unlike("values of its series")
	}
	return nil
}

// queryReply is version 1's. A query that Datadog cannot answer is a success with the status "error".
type queryReply struct {
	Status text `json:"status"`
	Error  text `json:"error"`
	Series some[struct {
		Tags     words          `json:"tag_set"`
		Interval number         `json:"interval"` // seconds
		Points   pairs          `json:"pointlist"`
		Unit     some[wireUnit] `json:"unit"`
	}] `json:"series"`
}

func (r *queryReply) valid() error {
	if r.Status == "error" || r.Status != "ok" && r.Error != "" {
		return &sources.Error{
			Kind: sources.Invalid, Msg: "Datadog cannot answer the query: " + cmp.Or(clean.Line(string(r.Error)).String(), "it does not say why"),
			Fix: "try the query in Datadog's metrics explorer", Err: &statusError{400},
		}
	}
	if !r.Series.Given {
		return unlike("series")
	}
	return nil
}

// span is a stretch of time in steps.
type span struct {
	from, to time.Time
	step     time.Duration
}

const (
	defaultWindow = time.Hour
	// chartPoints suit a chart: braille has two of them a column.
	chartPoints = 120
	// mostPoints is what Datadog answers of one series.
	mostPoints = 1500
	// mostSeries bounds how many series of one query are shown: a query by host may have thousands.
	mostSeries = 20
	earlierFor = 10 * time.Minute // how long values of earlier days are believed
	refusedFor = 10 * time.Minute // how long a refused query is not asked for again
)

// spanOf is what q asks for. It ends where a step ends, so that no point is made of half a step's data.
func spanOf(q sources.Query) span {
	window := q.Window
	if window <= 0 {
		window = defaultWindow
	}
	step := q.Step
	if step <= 0 {
		step = niceStep(window / chartPoints)
	}
	step = max(step, window/mostPoints, time.Second).Round(time.Second)
	to := q.Now.Truncate(step)
	return span{from: to.Add(-window), to: to, step: step}
}

// niceStep is the smallest usual step that is not below d.
func niceStep(d time.Duration) time.Duration {
	for _, n := range []time.Duration{10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14400} {
		if d <= n*time.Second {
			return n * time.Second
		}
	}
	return d.Round(time.Hour)
}

// found is one series of one query.
type found struct {
	labels string
	unit   string
	points []sources.Point
	step   time.Duration
}

// asked is one configured metric and what became of it.
type asked struct {
	spec   sources.MetricSpec
	expr   expression
	found  []found
	failed error
}

// refusal is a query that version 2 does not take, and what version 1 says to it.
type refusal struct {
	at   time.Time
	by1  error // why version 1 does not answer it either; nil when it does
	seen time.Time
}

// QueryMetrics reads the metrics of all services in one request where Datadog takes their queries: a query
// that does not suit it is asked for alone, in its older form.
func (s *source) QueryMetrics(ctx context.Context, q sources.Query) (sources.Batch[sources.Series], error) {
	return list(ctx, s, "metrics", q, func(ctx context.Context) (sources.Batch[sources.Series], error) {
		var all []*asked
		for i := range q.Services {
			for _, spec := range q.Services[i].Metrics {
				spec.Service = cmp.Or(spec.Service, q.Services[i].Name)
				all = append(all, &asked{spec: spec, expr: express(spec.Query)})
			}
		}
		if q.Now.IsZero() {
			q.Now = s.env.Now()
		}
		var notices noticeBox
		if err := s.query(ctx, all, spanOf(q)); err != nil {
			return sources.Batch[sources.Series]{}, err
		}
		if err := nothing(all); err != nil {
			return sources.Batch[sources.Series]{}, err
		}
		earlier := map[string][]sources.Earlier{}
		if q.Followed && len(all) > 0 {
			var err error
			if earlier, err = s.earlier(ctx, &notices, all, q.Now); err != nil {
				return sources.Batch[sources.Series]{}, err
			}
		}
		b := sources.Batch[sources.Series]{Items: []sources.Series{}, Busy: sources.Live}
		for _, a := range all {
			b.Items = append(b.Items, s.series(a, earlier, &notices)...)
		}
		b.Notices = notices.list()
		return b, nil
	})
}

// nothing is why a read of metrics failed as a whole: none was answered, and not because of the queries.
func nothing(all []*asked) error {
	var first error
	for _, a := range all {
		if a.failed == nil || unfit(a.failed) {
			return nil
		}
		if first == nil {
			first = a.failed
		}
	}
	return first
}

// query fills in what was found of all, or why not. It fails only where asking on makes no sense.
func (s *source) query(ctx context.Context, all []*asked, at span) error {
	var together, alone []*asked
	for _, a := range all {
		if s.isRefused(a.spec.Query) {
			alone = append(alone, a)
		} else {
			together = append(together, a)
		}
	}
	for len(together) > 0 {
		n := min(len(together), s.batchSize())
		part := together[:n]
		together = together[n:]
		err := s.timeseries(ctx, part, at)
		switch {
		case err == nil:
		case unfit(err) && n == 1:
			s.refuse(part[0].spec.Query)
			alone = append(alone, part[0])
		case unfit(err):
			odd, err := s.oneByOne(ctx, part, at)
			if err != nil {
				return err
			}
			alone = append(alone, odd...)
		default:
			return err
		}
	}
	return each(ctx, alone, func(ctx context.Context, a *asked) error { return s.older(ctx, a, at) })
}

// each runs do for all, some at once, and gives up with the first error.
func each[T any](ctx context.Context, all []T, do func(context.Context, T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, one := range all {
		g.Go(func() error { return do(ctx, one) })
	}
	return g.Wait() //nolint:wrapcheck // do's own errors
}

// oneByOne finds out which of several queries version 2 refuses.
func (s *source) oneByOne(ctx context.Context, part []*asked, at span) ([]*asked, error) {
	var (
		mu  sync.Mutex
		odd []*asked
	)
	err := each(ctx, part, func(ctx context.Context, a *asked) error {
		err := s.timeseries(ctx, []*asked{a}, at)
		if err == nil || !unfit(err) {
			return err
		}
		s.refuse(a.spec.Query)
		mu.Lock()
		defer mu.Unlock()
		odd = append(odd, a)
		return nil
	})
	if err == nil && len(odd) == 0 {
		// Each alone is fine: there were too many of them.
		s.mu.Lock()
		s.batch = max(1, len(part)/2)
		s.mu.Unlock()
	}
	return odd, err
}

func (s *source) batchSize() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batch
}

func (s *source) isRefused(query string) bool {
	now := s.env.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.refused[query]
	return ok && now.Sub(r.at) < refusedFor && !now.Before(r.at)
}

func (s *source) refuse(query string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refused) >= mostKept {
		clear(s.refused)
	}
	s.refused[query] = refusal{at: s.env.Now()}
}

// timeseries asks version 2 for all of part in one request.
func (s *source) timeseries(ctx context.Context, part []*asked, at span) error {
	body := &timeseriesRequest{Data: timeseriesAsk{Type: "timeseries_request", Attributes: timeseriesAttributes{
		From: at.from.UnixMilli(), To: at.to.UnixMilli(), Interval: at.step.Milliseconds(),
	}}}
	ask := &body.Data.Attributes
	names := map[string]string{}
	for _, a := range part {
		formula := a.expr.named(func(query string) string {
			name, ok := names[query]
			if !ok {
				name = "q" + strconv.Itoa(len(names))
				names[query] = name
				ask.Queries = append(ask.Queries, timeseriesQuery{Source: "metrics", Name: name, Query: query})
			}
			return name
		})
		ask.Formulas = append(ask.Formulas, timeseriesFormula{formula})
	}
	as := string(fingerprint(ask.Queries, ask.Formulas, ask.Interval, ask.To-ask.From))
	r, err := fetch[timeseriesReply](ctx, s, call{op: opTimeseries, body: body, as: as})
	if err != nil {
		return err
	}
	for i, a := range part {
		a.found = foundIn(r, i, at.step)
	}
	return nil
}

// foundIn are the series of the formula that was asked for at index.
func foundIn(r *timeseriesReply, index int, step time.Duration) []found {
	var out []found
	at := r.Data.Attributes
	for i, meta := range at.Series.Items {
		if int(meta.Index) != index {
			continue
		}
		out = append(out, found{
			labels: labelsOf(meta.Tags), unit: unitOf(meta.Unit.Items),
			points: points(at.Times, at.Values[i]), step: step,
		})
	}
	return out
}

// points joins moments in milliseconds and values, oldest first. A value without a moment is left out.
func points(times, values []float64) []sources.Point {
	n := min(len(times), len(values))
	out := make([]sources.Point, 0, n)
	sorted := true
	for i := range n {
		at := unix(times[i])
		if at.IsZero() {
			continue
		}
		sorted = sorted && (len(out) == 0 || !at.Before(out[len(out)-1].At))
		out = append(out, sources.Point{At: at, Value: values[i]})
	}
	if !sorted {
		slices.SortStableFunc(out, func(a, b sources.Point) int { return a.At.Compare(b.At) })
	}
	return out
}

// older asks version 1 for one query, and remembers for a while that it does not know it either.
func (s *source) older(ctx context.Context, a *asked, at span) error {
	now := s.env.Now()
	s.mu.Lock()
	known := s.refused[a.spec.Query]
	s.mu.Unlock()
	if known.by1 != nil && now.Sub(known.seen) < refusedFor {
		a.failed = known.by1
		return nil
	}
	r, err := fetch[queryReply](ctx, s, call{op: opQuery, query: url.Values{
		"from": {strconv.FormatInt(at.from.Unix(), 10)}, "to": {strconv.FormatInt(at.to.Unix(), 10)}, "query": {a.spec.Query},
	}, as: a.spec.Query})
	if err != nil {
		if !unfit(err) {
			return err
		}
		known.by1, known.seen = err, now
		s.mu.Lock()
		s.refused[a.spec.Query] = known
		s.mu.Unlock()
		a.failed = err
		return nil
	}
	a.found = nil
	for _, w := range r.Series.Items {
		times, values := make([]float64, 0, len(w.Points)), make([]float64, 0, len(w.Points))
		for _, p := range w.Points {
			if len(p) == 2 {
				times, values = append(times, p[0]), append(values, p[1])
			}
		}
		step := at.step
		if v, ok := w.Interval.known(); ok && v >= 1 && v < 1e7 {
			step = time.Duration(v) * time.Second
		}
		a.found = append(a.found, found{labels: labelsOf(w.Tags), unit: unitOf(w.Unit.Items), points: points(times, values), step: step})
	}
	return nil
}
