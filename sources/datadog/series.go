package datadog

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

func labelsOf(tags []string) string {
	tags = slices.Clone(tags)
	slices.Sort(tags)
	return plain(strings.Join(slices.Compact(tags), ", "))
}

// unitOf is how people write what Datadog counts in.
func unitOf(units []wireUnit) string {
	if len(units) == 0 {
		return ""
	}
	out := plain(cmp.Or(units[0].Short, units[0].Name))
	if len(units) > 1 && units[1] != (wireUnit{}) {
		out += "/" + plain(cmp.Or(units[1].Short, units[1].Name))
	}
	return out
}

// series are those of one metric: one at least, which has no points when Datadog has none.
func (s *source) series(a *asked, earlier map[string][]sources.Earlier, notices *noticeBox) []sources.Series {
	spec := a.spec
	base := sources.Series{
		Service: spec.Service, Name: clean.Line(spec.Name), Unit: spec.Unit, Signal: spec.Signal, Limit: spec.Limit, Below: spec.Below,
		Points: []sources.Point{}, URL: s.explorer(a),
	}
	if a.failed != nil {
		e := httpx.Explain("", "", a.failed)
		notices.add(sources.Notice{
			Scope: spec.Service, Kind: e.Kind, Text: clean.Linef("metric %s: %s", spec.Name, e.Msg),
			Fix: clean.Linef("check the query of %s in the config: %s", spec.Name, spec.Query),
		})
	}
	shown := a.found
	if len(shown) > mostSeries {
		shown = highest(shown, mostSeries)
		notices.add(sources.Notice{
			Scope: spec.Service, Kind: sources.Invalid, Text: clean.Linef("metric %s: the highest %d of its %d series are shown", spec.Name, mostSeries, len(a.found)),
			Fix: clean.Const("group its query by fewer tags"),
		})
	}
	slices.SortStableFunc(shown, func(x, y found) int { return strings.Compare(x.labels, y.labels) })
	if len(shown) == 0 {
		base.Ref = s.ref(sources.KindSeries, "", sources.MetricID(spec.Service, spec.Name, ""))
		return []sources.Series{base}
	}
	out := make([]sources.Series, 0, len(shown))
	taken := map[string]int{}
	for _, f := range shown {
		one := base
		labels := f.labels
		if taken[f.labels]++; taken[f.labels] > 1 {
			labels += " #" + strconv.Itoa(taken[f.labels])
		}
		id := sources.MetricID(spec.Service, spec.Name, labels)
		one.Ref, one.Labels = s.ref(sources.KindSeries, "", id), clean.Line(labels)
		one.Unit = cmp.Or(spec.Unit, f.unit)
		one.Points, one.Step = f.points, f.step
		one.Earlier = earlier[earlierID(spec, f.labels)]
		out = append(out, one)
	}
	return out
}

// highest are the n of all whose newest known values are the highest.
func highest(all []found, n int) []found {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(x, y found) int { return cmp.Compare(newest(y.points), newest(x.points)) })
	return all[:n]
}

func newest(points []sources.Point) float64 {
	for i := len(points) - 1; i >= 0; i-- {
		if !math.IsNaN(points[i].Value) {
			return points[i].Value
		}
	}
	return math.Inf(-1)
}

func earlierID(spec sources.MetricSpec, labels string) string {
	return sources.MetricID(spec.Service, spec.Name, labels) + " " + spec.Query
}

// earlier are the values of a day and of a week ago, by earlierID: one request for each of the two, every
// ten minutes. What only version 1 answers has none.
func (s *source) earlier(ctx context.Context, notices *noticeBox, all []*asked, now time.Time) (map[string][]sources.Earlier, error) {
	var plain []*asked
	id := ""
	for _, a := range all {
		if a.failed == nil && !s.isRefused(a.spec.Query) {
			plain = append(plain, &asked{spec: a.spec, expr: a.expr})
			id += earlierID(a.spec, "") + "\n"
		}
	}
	out := map[string][]sources.Earlier{}
	for _, ago := range []time.Duration{24 * time.Hour, 168 * time.Hour} {
		key := fmt.Sprintf("earlier %s %s", ago, fingerprint(id))
		values, err := keep(ctx, s, key, earlierFor, func(ctx context.Context) (map[string]float64, error) {
			return s.valuesAt(ctx, plain, now.Add(-ago))
		})
		if err != nil {
			if err = notices.part(ctx, "", fmt.Sprintf("the values of %d hours ago", int(ago.Hours())), err); err != nil {
				return nil, err
			}
			continue
		}
		for id, v := range values {
			out[id] = append(out[id], sources.Earlier{Ago: ago, Value: sources.Number(v)})
		}
	}
	return out, nil
}

// valuesAt are the means of the five minutes before a moment.
func (s *source) valuesAt(ctx context.Context, all []*asked, at time.Time) (map[string]float64, error) {
	out := map[string]float64{}
	to := at.Truncate(time.Minute)
	for part := range slices.Chunk(all, s.batchSize()) {
		if err := s.timeseries(ctx, part, span{from: to.Add(-5 * time.Minute), to: to, step: time.Minute}); err != nil {
			return nil, err
		}
		for _, a := range part {
			for _, f := range a.found {
				if v := mean(f.points); !math.IsNaN(v) {
					out[earlierID(a.spec, f.labels)] = v
				}
			}
		}
	}
	return out, nil
}

// mean leaves gaps out; NaN when there is nothing else.
func mean(points []sources.Point) float64 {
	sum, n := 0.0, 0
	for _, p := range points {
		if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
			sum += p.Value
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// explorer is where Datadog shows a query: its metrics explorer takes a single one by its parts.
func (s *source) explorer(a *asked) string {
	if len(a.expr.queries) == 0 || s.app == "" {
		return ""
	}
	head, rest, ok := strings.Cut(a.expr.queries[0], "{")
	if !ok {
		return s.app + "/metric/explorer"
	}
	scope, _, _ := strings.Cut(rest, "}")
	aggregator, metric, ok := strings.Cut(head, ":")
	if !ok {
		aggregator, metric = "avg", head
	}
	return s.app + "/metric/explorer?" + url.Values{
		"exp_agg": {aggregator}, "exp_metric": {metric}, "exp_scope": {scope},
	}.Encode()
}
