package prometheus

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// result is what one expression came to. It is shared between answers: nobody may change it.
type result struct {
	streams []stream
	// remarks are the server's warnings and infos.
	remarks []remark
	// more is how many series there are beyond maxSeries.
	more int
	// histograms is set where there are native histograms and no numbers.
	histograms bool
}

// stream is one series of a result.
type stream struct {
	labels map[string]string // without the metric's name
	points []sources.Point
}

type remark struct {
	text string
	info bool
}

// maxSeries bounds how many series of one expression are kept: nobody looks at more.
const maxSeries = 200

// resultOf makes a result of any value that the API knows: a matrix, a vector, a scalar.
func resultOf(v model.Value, warnings v1.Warnings, infos v1.Infos) (*result, error) {
	r := &result{}
	for _, w := range warnings {
		r.remarks = append(r.remarks, remark{text: w})
	}
	for _, i := range infos {
		r.remarks = append(r.remarks, remark{text: i, info: true})
	}
	switch v := v.(type) {
	case model.Matrix:
		for _, ss := range v {
			if ss != nil {
				r.add(ss.Metric, pointsOf(ss.Values), len(ss.Histograms) > 0)
			}
		}
	case model.Vector:
		for _, s := range v {
			if s != nil {
				r.add(s.Metric, []sources.Point{point(s.Timestamp, s.Value)}, s.Histogram != nil)
			}
		}
	case *model.Scalar:
		if v != nil {
			r.add(nil, []sources.Point{point(v.Timestamp, v.Value)}, false)
		}
	case *model.String:
		return nil, notNumber()
	default:
		return nil, notOurs()
	}
	r.sort()
	return r, nil
}

// sort orders series by their labels, whatever order a store has them in.
func (r *result) sort() {
	slices.SortStableFunc(r.streams, func(a, b stream) int {
		return strings.Compare(sources.PrintLabels(a.labels), sources.PrintLabels(b.labels))
	})
}

// limited keeps the first of many series.
func (r *result) limited() *result {
	if len(r.streams) > maxSeries {
		r.more = len(r.streams) - maxSeries
		r.streams = slices.Clone(r.streams[:maxSeries])
	}
	return r
}

func (r *result) add(m model.Metric, points []sources.Point, histogram bool) {
	if histogram {
		r.histograms = true
		return
	}
	labels := make(map[string]string, len(m))
	for name, value := range m {
		if name != model.MetricNameLabel {
			labels[string(name)] = string(value)
		}
	}
	r.streams = append(r.streams, stream{labels: labels, points: points})
}

func pointsOf(pairs []model.SamplePair) []sources.Point {
	points := make([]sources.Point, len(pairs))
	for i, p := range pairs {
		points[i] = point(p.Timestamp, p.Value)
	}
	return points
}

// point is one sample. What is no number, or infinite (a division by zero), is a gap.
func point(at model.Time, value model.SampleValue) sources.Point {
	v := float64(value)
	if math.IsInf(v, 0) {
		v = math.NaN()
	}
	return sources.Point{At: at.Time().UTC(), Value: v}
}

// single is the one number that an instant query gave; NaN where it gave none.
func (r *result) single() (float64, error) {
	switch len(r.streams) {
	case 0:
		return math.NaN(), nil
	case 1:
		if n := len(r.streams[0].points); n > 0 {
			return r.streams[0].points[n-1].Value, nil
		}
		return math.NaN(), nil
	default:
		return math.NaN(), &sources.Error{
			Kind: sources.Invalid, Msg: fmt.Sprintf("the expression gives %d series where one number is wanted", len(r.streams)+r.more),
			Fix: "wrap it in sum() or sum by ()", Err: &apiError{Type: "bad_data", Msg: "several series"},
		}
	}
}

// span is a range on the grid of its step.
type span struct {
	start, end time.Time
	step       time.Duration
}

const (
	defaultWindow = time.Hour
	defaultPoints = 240
	// maxPoints is below the 11,000 points a series that Prometheus refuses to exceed.
	maxPoints = 10_000
)

// spanOf is the range that ends at now. It lies on a grid: two readings of one chart share their points
// instead of sampling beside each other, and stores that keep results can use them again. The last point is
// up to one step old.
func spanOf(now time.Time, window, step time.Duration) span {
	if window <= 0 {
		window = defaultWindow
	}
	if step <= 0 {
		step = window / defaultPoints
	}
	step = niceStep(max(step, window/maxPoints))
	end := now.UTC().Truncate(step)
	return span{start: end.Add(-window.Truncate(step)), end: end, step: step}
}

// niceStep is the next of the steps that people know, and never less than d.
func niceStep(d time.Duration) time.Duration {
	for _, s := range []time.Duration{
		1, 2, 5, 10, 15, 20, 30, 60, 2 * 60, 3 * 60, 5 * 60, 10 * 60, 15 * 60, 20 * 60, 30 * 60,
		3600, 2 * 3600, 3 * 3600, 4 * 3600, 6 * 3600, 8 * 3600, 12 * 3600,
	} {
		if d <= s*time.Second {
			return s * time.Second
		}
	}
	const day = 24 * time.Hour
	return (d + day - 1) / day * day
}

// queryRange evaluates an expression over a span. The key of its memory does not name the moment: the body
// does.
func (s *server) queryRange(ctx context.Context, expr string, sp span) (*result, error) {
	key := fmt.Sprintf("range %s %s %s", expr, sp.end.Sub(sp.start), sp.step)
	return askQuick(ctx, s, key, func(ctx context.Context, a v1.API) (*result, error) {
		v, warnings, infos, err := a.QueryRange(ctx, expr, v1.Range{Start: sp.start, End: sp.end, Step: sp.step})
		if err != nil {
			return nil, err //nolint:wrapcheck // ask explains it
		}
		r, err := resultOf(v, warnings, infos)
		if err != nil {
			return nil, err
		}
		return r.limited(), nil
	}, func(body []byte) (*result, bool) {
		r, ok := matrix(body)
		if ok {
			r.limited()
		}
		return r, ok
	})
}

// query evaluates an expression at a moment.
func (s *server) query(ctx context.Context, expr string, at time.Time) (*result, error) {
	return ask(ctx, s, "instant "+expr, func(ctx context.Context, a v1.API) (*result, error) {
		v, warnings, infos, err := a.Query(ctx, expr, at)
		if err != nil {
			return nil, err //nolint:wrapcheck // ask explains it
		}
		return resultOf(v, warnings, infos)
	})
}

// duration writes d as PromQL does: 30d, 5m, 1h30m.
func duration(d time.Duration) string { return model.Duration(d).String() }

// noticesOf are the server's remarks on one expression, and what it left out.
func (r *result) notices(service, name string) []sources.Notice {
	var all []sources.Notice
	for _, m := range r.remarks {
		kind, what := sources.Transient, "warns"
		if m.info {
			kind, what = sources.Invalid, "remarks"
		}
		all = append(all, sources.Notice{
			Scope: service, Kind: kind, Text: clean.Linef("%s: Prometheus %s: %s", name, what, m.text),
			Fix: clean.Const("the values are shown as they came: look at the expression and at the store"),
		})
	}
	if r.more > 0 {
		all = append(all, sources.Notice{
			Scope: service, Kind: sources.Invalid, Text: clean.Linef("%s: %d series, of which %d are shown", name, len(r.streams)+r.more, len(r.streams)),
			Fix: clean.Const("aggregate the expression, with sum by () for example"),
		})
	}
	if r.histograms {
		text := clean.Linef("%s: it is a histogram", name)
		if len(r.streams) > 0 {
			text = clean.Linef("%s: some of its series are histograms, and left out", name)
		}
		all = append(all, sources.Notice{
			Scope: service, Kind: sources.Unsupported, Text: text,
			Fix: clean.Const("take a number of it: histogram_quantile(0.99, …)"),
		})
	}
	return all
}
