package prometheus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// parallel is how many expressions of one refresh are evaluated at once: a server that others need too is
// not to feel a board.
const parallel = 4

// QueryMetrics evaluates the metrics of the query's services over one range each. An expression that the
// server refuses is a notice and a series without points; a server that does not answer is an error.
func (s *source) QueryMetrics(ctx context.Context, q sources.Query) (sources.Batch[sources.Series], error) {
	return httpx.Deliver(ctx, &s.feeds, "metrics", q, func(ctx context.Context) (sources.Batch[sources.Series], error) {
		return s.queryMetrics(ctx, q)
	})
}

// measured is what one metric came to.
type measured struct {
	spec    sources.MetricSpec
	result  *result
	earlier []sources.Earlier            // of the only series
	each    map[string][]sources.Earlier // of several, by their labels
	notices []sources.Notice
}

func (s *source) queryMetrics(ctx context.Context, q sources.Query) (sources.Batch[sources.Series], error) {
	var all []*measured
	for _, sp := range q.Services {
		for _, m := range sp.Metrics {
			m.Service = cmp.Or(m.Service, sp.Name)
			all = append(all, &measured{spec: m})
		}
	}
	now := s.now(q)
	over := spanOf(now, q.Window, q.Step)
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, m := range all {
		g.Go(func() error {
			if err := s.measure(inner, m, over); err != nil {
				return err
			}
			if q.Followed {
				return s.lookBack(inner, m, now)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return sources.Batch[sources.Series]{}, err //nolint:wrapcheck // Deliver explains it
	}
	var b sources.Batch[sources.Series]
	for _, m := range all {
		b.Items = append(b.Items, s.series(m, over)...)
		b.Notices = append(b.Notices, m.notices...)
	}
	s.remember(b.Items, all)
	if q.Followed || slices.ContainsFunc(b.Items, breached) {
		b.Busy = sources.Live
	}
	return b, nil
}

// breached reports that a series ends on the bad side of its limit.
func breached(s sources.Series) bool {
	if len(s.Points) == 0 {
		return false
	}
	v := s.Points[len(s.Points)-1].Value
	if s.Below {
		return v < s.Limit
	}
	return v > s.Limit
}

// now is the board's clock.
func (s *source) now(q sources.Query) time.Time {
	if q.Now.IsZero() {
		return s.env.Now()
	}
	return q.Now
}

// remember keeps what the metrics are, for Get.
func (s *source) remember(items []sources.Series, all []*measured) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.metrics) > maxEarlier {
		clear(s.metrics)
	}
	specs := map[string]sources.MetricSpec{}
	for _, m := range all {
		specs[sources.MetricID(m.spec.Service, m.spec.Name, "")] = m.spec
	}
	for i := range items {
		if spec, ok := specs[sources.MetricID(items[i].Service, items[i].Name.String(), "")]; ok {
			s.metrics[items[i].Ref] = spec
		}
	}
}

func (s *source) measure(ctx context.Context, m *measured, over span) error {
	r, err := s.server.queryRange(ctx, m.spec.Query, over)
	if err != nil {
		if ctx.Err() != nil || !ofExpression(err) {
			return err
		}
		m.notices = append(m.notices, expressionNotice(m.spec.Service, m.spec.Name, err))
		httpx.Note(ctx, m.spec.Service+" "+m.spec.Name+" failed")
		m.result = &result{}
		return nil
	}
	m.result = r
	m.notices = append(m.notices, r.notices(m.spec.Service, m.spec.Name)...)
	return nil
}

// expressionNotice says what the server thinks of an expression, with the position that it names.
func expressionNotice(service, name string, err error) sources.Notice {
	e := httpx.Explain("", "", err)
	return sources.Notice{Scope: service, Kind: e.Kind, Text: clean.Line(name + ": " + e.Msg), Fix: clean.Line(e.Fix)}
}

// series are the series of one metric: one without points where the server has no data.
func (s *source) series(m *measured, over span) []sources.Series {
	base := sources.Series{
		Service: m.spec.Service, Name: clean.Line(m.spec.Name), Unit: m.spec.Unit, Signal: m.spec.Signal, Limit: m.spec.Limit, Below: m.spec.Below,
		Step: over.step, URL: s.graphURL(m.spec.Query, over.end.Sub(over.start)), Points: []sources.Point{},
	}
	ref := func(labels string) sources.Ref {
		return sources.Ref{Source: s.env.Source, Kind: sources.KindSeries, ID: plain(sources.MetricID(m.spec.Service, m.spec.Name, labels))}
	}
	if len(m.result.streams) <= 1 {
		base.Ref, base.Earlier = ref(""), m.earlier
		if len(m.result.streams) == 1 {
			base.Points = m.result.streams[0].points
		}
		return []sources.Series{base}
	}
	differ := differing(m.result.streams)
	var all []sources.Series
	for _, st := range m.result.streams {
		one := base
		labels := strings.Trim(sources.PrintLabels(st.labels), "{}")
		one.Ref, one.Points, one.Earlier = ref(labels), st.points, m.each[labels]
		one.Labels = tellingLabels(st.labels, differ)
		all = append(all, one)
	}
	return all
}

// differing are the names of the labels that tell series apart.
func differing(streams []stream) []string {
	values := map[string]map[string]bool{}
	for _, st := range streams {
		for name := range st.labels {
			values[name] = map[string]bool{}
		}
	}
	var names []string
	for name, seen := range values {
		for _, st := range streams {
			seen[st.labels[name]] = true
		}
		if len(seen) > 1 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// tellingLabels writes a series' labels for people: the value alone where one label tells all apart.
func tellingLabels(labels map[string]string, differ []string) clean.Text {
	if len(differ) == 1 {
		return clean.Line(cmp.Or(labels[differ[0]], differ[0]+"="))
	}
	var parts []string
	for _, name := range differ {
		if labels[name] != "" {
			parts = append(parts, name+"="+labels[name])
		}
	}
	return clean.Line(strings.Join(parts, " "))
}

// plain is an identifier without what a terminal would obey.
func plain(s string) string { return clean.Line(s).String() }

// graphURL is Prometheus' own page of an expression.
func (s *source) graphURL(expr string, window time.Duration) string {
	q := url.Values{"g0.expr": {expr}, "g0.tab": {"0"}, "g0.range_input": {duration(max(window, time.Second))}}
	return s.server.address.String() + "/graph?" + q.Encode()
}

// earlier is what a metric was some time ago, and when that was asked.
type earlier struct {
	asked  time.Time
	result *result // nil: the server could not tell
}

// earlierFor is how long an earlier value serves: ten minutes a day ago differ little.
const earlierFor = 10 * time.Minute

// maxEarlier bounds what is remembered of earlier values.
const maxEarlier = 2048

// lookBack reads what a metric was a day and a week ago: the mean of the five minutes before that moment. It
// can be done without: where the server cannot tell (it keeps less, or knows no subqueries), nothing is
// shown.
func (s *source) lookBack(ctx context.Context, m *measured, now time.Time) error {
	m.each = map[string][]sources.Earlier{}
	for _, ago := range []time.Duration{24 * time.Hour, 7 * 24 * time.Hour} {
		e, err := s.earlierOf(ctx, m.spec.Query, ago, now)
		if err != nil {
			return err
		}
		httpx.Note(ctx, fmt.Sprintf("earlier %s %s %d", m.spec.Query, ago, e.asked.UnixMilli()))
		if e.result == nil {
			continue
		}
		if len(m.result.streams) <= 1 {
			if v, err := e.result.single(); err == nil {
				m.earlier = append(m.earlier, sources.Earlier{Ago: ago, Value: sources.Number(v)})
			}
			continue
		}
		for _, st := range e.result.streams {
			if n := len(st.points); n > 0 {
				labels := strings.Trim(sources.PrintLabels(st.labels), "{}")
				m.each[labels] = append(m.each[labels], sources.Earlier{Ago: ago, Value: sources.Number(st.points[n-1].Value)})
			}
		}
	}
	return nil
}

func (s *source) earlierOf(ctx context.Context, expr string, ago time.Duration, now time.Time) (earlier, error) {
	key := fmt.Sprintf("%s %s", ago, expr)
	s.mu.Lock()
	e, known := s.earlier[key]
	s.mu.Unlock()
	if known && now.Sub(e.asked).Abs() < earlierFor {
		return e, nil
	}
	r, err := s.server.query(ctx, "avg_over_time(("+expr+")[5m:30s])", now.Add(-ago))
	if err != nil && (ctx.Err() != nil || !ofExpression(err) && sources.KindOf(explained(err)) != sources.Unsupported) {
		return earlier{}, err
	}
	e = earlier{asked: now}
	if err == nil {
		e.result = r
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.earlier) >= maxEarlier {
		clear(s.earlier)
	}
	s.earlier[key] = e
	return e, nil
}

func explained(err error) error {
	if _, ok := errors.AsType[*sources.Error](err); ok {
		return err
	}
	return httpx.Explain("", "", err)
}

// known reports that v is a number.
func known(v float64) bool { return !math.IsNaN(v) }
