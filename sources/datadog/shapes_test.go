package datadog

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.com/signalbox/sources"
)

// A success that holds an error and nothing else is none, and what it says is shown.
func TestErrorWithinAnySuccess(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"errors":["one.","two"]}`: "the answer holds no list of monitors: one; two",
		`{"errors":[{"status":"500","title":"Internal","detail":"backend gone"}]}`: "the answer holds no list of monitors: backend gone",
		`{"errors":{"b":["second"],"a":["first"]}}`:                                "the answer holds no list of monitors: a: first; b: second",
		`{"error":"no such thing","message":"of a monitor"}`:                       "the answer holds no list of monitors: no such thing",
		`{"message":"of a monitor"}`:                                               "the answer holds no list of monitors",
		`null`:                                                                     "the answer holds no list of monitors",
		`{"errors":["` + strings.Repeat("long ", 100) + `"]}`:                      "the answer holds no list of monitors: " + strings.Repeat("long ", 39) + "long…",
	} {
		s := through(t, func(r *http.Request) (*http.Response, error) { return replyWith(r, 200, body), nil })
		_, err := s.ListMonitors(t.Context(), sources.Query{Now: testNow})
		if e, ok := errors.AsType[*sources.Error](err); !ok || e.Msg != want || e.Kind != sources.Invalid {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

// Values stand in the order of the series: where one of either is missing, none is taken for another's.
func TestValuesAreOfTheirSeries(t *testing.T) {
	t.Parallel()
	for attributes, want := range map[string]string{
		`"times":[1700000000000],"series":[{"query_index":0},{"query_index":1}],"values":[[1],[2]]`: "1 2",
		`"times":[1700000000000],"series":[],"values":[]`:                                           "- -",
		`"times":null,"series":null,"values":null`:                                                  "- -",
		`"times":[1700000000000],"series":["odd",{"query_index":1}],"values":[[1],[2]]`:             "the answer holds no series",
		`"times":[1700000000000],"series":[{"query_index":0},{"query_index":1}],"values":[[1]]`:     "the answer holds no values of its series",
		`"times":[1700000000000],"series":[{"query_index":0}]`:                                      "the answer holds no values of its series",
	} {
		s := through(t, func(r *http.Request) (*http.Response, error) {
			return replyWith(r, 200, `{"data":{"type":"timeseries_response","attributes":{`+attributes+`}}}`), nil
		})
		b, err := s.QueryMetrics(t.Context(), sources.Query{Now: testNow, Services: []sources.ServiceSpec{{Name: "a", Metrics: []sources.MetricSpec{
			{Name: "one", Query: "avg:m{*}"}, {Name: "two", Query: "avg:n{*}"},
		}}}})
		var got []string
		for _, series := range b.Items {
			value := "-"
			if len(series.Points) > 0 {
				value = fmt.Sprint(series.Points[0].Value)
			}
			got = append(got, value)
		}
		if e, ok := errors.AsType[*sources.Error](err); ok {
			got = append(got, e.Msg)
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s: %q, want %q", attributes, got, want)
		}
	}
}
