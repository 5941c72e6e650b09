package datadog

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/datadog/mql"
)

// formulaRequest is the body of both queries of version 2.
type formulaRequest struct {
	Data *struct {
		Type       string `json:"type"`
		Attributes struct {
			From     *int64         `json:"from"`
			To       *int64         `json:"to"`
			Interval int64          `json:"interval"` // milliseconds
			Queries  []formulaQuery `json:"queries"`
			Formulas []formula      `json:"formulas"`
		} `json:"attributes"`
	} `json:"data"`
}

type formulaQuery struct {
	Source     string `json:"data_source"`
	Query      string `json:"query"`
	Name       string `json:"name"`
	Aggregator string `json:"aggregator"`
}

type formula struct {
	Formula string `json:"formula"`
	Limit   *struct {
		Count int    `json:"count"`
		Order string `json:"order"`
	} `json:"limit"`
}

// plan is a request that has been read.
type plan struct {
	window   mql.Window
	queries  map[string]mql.Expr // nil: a source of data that this world does not have
	how      map[string]string   // a scalar's aggregator
	formulas []mql.Expr
	texts    []string
	limits   []formula
}

func (c *call) plan(kind string) (*plan, error) {
	var r formulaRequest
	if err := c.decode(&r); err != nil {
		return nil, err
	}
	switch {
	case r.Data == nil || r.Data.Type != kind:
		return nil, fmt.Errorf("data.type must be '%s'", kind)
	case r.Data.Attributes.From == nil || r.Data.Attributes.To == nil:
		return nil, errors.New("from and to are required")
	case *r.Data.Attributes.From >= *r.Data.Attributes.To:
		return nil, errors.New("from must be before to")
	case len(r.Data.Attributes.Queries) == 0:
		return nil, errors.New("queries must not be empty")
	case r.Data.Attributes.Interval < 0:
		return nil, errors.New("interval must be positive")
	}
	at := r.Data.Attributes
	if time.UnixMilli(*at.To).Before(c.w.Now().AddDate(0, -15, 0)) {
		return nil, errors.New("Queries ending outside the retention date are invalid") //nolint:staticcheck // Datadog's words
	}
	p := &plan{queries: map[string]mql.Expr{}, how: map[string]string{}}
	var all []mql.Expr
	for i, q := range at.Queries {
		if q.Name == "" {
			q.Name = fmt.Sprintf("query%d", i+1)
		}
		p.queries[q.Name], p.how[q.Name] = nil, q.Aggregator
		if q.Source == "metrics" {
			list, err := mql.Parse(q.Query)
			if err != nil {
				return nil, err
			}
			if len(list) != 1 {
				return nil, fmt.Errorf("a query is one expression: %s", q.Query)
			}
			p.queries[q.Name] = list[0]
			all = append(all, list[0])
		}
		if len(at.Formulas) == 0 {
			p.texts, p.formulas, p.limits = append(p.texts, q.Name), append(p.formulas, mql.Name(q.Name)), append(p.limits, formula{})
		}
	}
	for _, f := range at.Formulas {
		x, err := mql.ParseFormula(f.Formula)
		if err != nil {
			return nil, err
		}
		p.texts, p.formulas, p.limits = append(p.texts, f.Formula), append(p.formulas, x), append(p.limits, f)
	}
	p.window = mql.Window{
		From: time.UnixMilli(*at.From), To: time.UnixMilli(*at.To), Step: time.Duration(at.Interval) * time.Millisecond, Finest: finest,
	}
	points := seriesPoints
	if at.Interval == 0 {
		points = queryPoints
	}
	p.window.Step = p.window.Step.Truncate(time.Second)
	p.window = p.window.Fit(points, all...)
	return p, nil
}

// names evaluates the queries that the formulas name.
func (p *plan) names(d *data, reduce bool) mql.Names {
	return func(name string, w mql.Window) ([]mql.Series, bool) {
		x, ok := p.queries[name]
		if !ok {
			return nil, false
		}
		if x == nil {
			return []mql.Series{}, true
		}
		list, err := mql.Eval(x, w, d, nil)
		if err != nil { // what could be read can be evaluated
			return nil, false
		}
		if reduce {
			for _, s := range list {
				one := mql.Scalar(s.Values, p.how[name])
				for i := range s.Values {
					s.Values[i] = one
				}
			}
		}
		return list, true
	}
}

// limited is the first series of a formula in its order: the highest first, unless it asks otherwise. Those
// without any value are left out.
func (f formula) limited(list []mql.Series) []mql.Series {
	list = slices.DeleteFunc(list, func(s mql.Series) bool { return math.IsNaN(mql.Scalar(s.Values, "last")) })
	if f.Limit == nil || f.Limit.Count <= 0 {
		return list
	}
	slices.SortStableFunc(list, func(a, b mql.Series) int {
		n := cmp.Compare(mql.Scalar(a.Values, "avg"), mql.Scalar(b.Values, "avg"))
		if f.Limit.Order != "asc" {
			n = -n
		}
		return n
	})
	return list[:min(len(list), f.Limit.Count)]
}

type timeseriesSeries struct {
	GroupTags  []string `json:"group_tags"`
	QueryIndex int      `json:"query_index"`
	Unit       [2]*unit `json:"unit"`
}

type timeseriesAttributes struct {
	Series []timeseriesSeries `json:"series"`
	Times  []int64            `json:"times"`
	Values []row              `json:"values"`
}

func document(kind string, attributes any) map[string]any {
	return map[string]any{"data": map[string]any{"id": "0", "type": kind, "attributes": attributes}}
}

// timeseries answers POST /api/v2/query/timeseries.
func (c *call) timeseries() answer {
	p, err := c.plan("timeseries_request")
	if err != nil {
		return c.fail(http.StatusBadRequest, err.Error())
	}
	out := timeseriesAttributes{Series: []timeseriesSeries{}, Times: []int64{}, Values: []row{}}
	d := c.metrics()
	for i, x := range p.formulas {
		list, err := mql.Eval(x, p.window, d, p.names(d, false))
		if err != nil {
			return c.fail(http.StatusBadRequest, err.Error())
		}
		for _, s := range p.limits[i].limited(list) {
			one := timeseriesSeries{GroupTags: []string{}, QueryIndex: i, Unit: unitsOf(s)}
			for _, t := range s.Tags {
				one.GroupTags = append(one.GroupTags, t.String())
			}
			out.Series, out.Values = append(out.Series, one), append(out.Values, row(s.Values))
		}
	}
	if len(out.Series) > 0 {
		for _, t := range p.window.Times() {
			out.Times = append(out.Times, t.UnixMilli())
		}
	}
	return c.api(http.StatusOK, document("timeseries_response", out))
}

type column struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Values any    `json:"values"`
	Meta   any    `json:"meta,omitempty"`
}

// scalar answers POST /api/v2/query/scalar.
func (c *call) scalar() answer {
	p, err := c.plan("scalar_request")
	if err != nil {
		return c.fail(http.StatusBadRequest, err.Error())
	}
	d := c.metrics()
	rows, order := map[string][]value{}, []string{}
	var keys []string
	tags := map[string][]mql.Tag{}
	units := make([][2]*unit, len(p.formulas))
	for i, x := range p.formulas {
		list, err := mql.Eval(x, p.window, d, p.names(d, true))
		if err != nil {
			return c.fail(http.StatusBadRequest, err.Error())
		}
		for _, s := range p.limits[i].limited(list) {
			key := fmt.Sprint(s.Tags)
			if rows[key] == nil {
				rows[key], tags[key] = make([]value, len(p.formulas)), s.Tags
				for k := range rows[key] {
					rows[key][k] = value(math.NaN())
				}
				order = append(order, key)
			}
			rows[key][i], units[i] = value(mql.Scalar(s.Values, "last")), unitsOf(s)
			for _, t := range s.Tags {
				if !slices.Contains(keys, t.Key) {
					keys = append(keys, t.Key)
				}
			}
		}
	}
	return c.api(http.StatusOK, document("scalar_response", map[string]any{"columns": columns(p, rows, order, keys, tags, units)}))
}

func columns(p *plan, rows map[string][]value, order, keys []string, tags map[string][]mql.Tag, units [][2]*unit) []column {
	out := []column{}
	for _, key := range keys {
		groups := [][]string{}
		for _, row := range order {
			group := []string{}
			for _, t := range tags[row] {
				if t.Key == key {
					group = append(group, t.Value)
				}
			}
			groups = append(groups, group)
		}
		out = append(out, column{Name: key, Type: "group", Values: groups})
	}
	for i, text := range p.texts {
		values := []value{}
		for _, row := range order {
			values = append(values, rows[row][i])
		}
		out = append(out, column{Name: strings.TrimSpace(text), Type: "number", Values: values, Meta: map[string]any{"unit": units[i]}})
	}
	return out
}
