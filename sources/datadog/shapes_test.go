package datadog

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

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

// What holds no attributes is no answer without series.
func TestSeriesOfSomethingElse(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"data":[]}`, `{"data":{}}`, `{"data":{"attributes":null}}`, `{"data":{"groups":[]}}`, `[]`, `null`} {
		s := through(t, func(r *http.Request) (*http.Response, error) { return replyWith(r, 200, body), nil })
		b, err := s.QueryMetrics(t.Context(), sources.Query{Now: testNow, Services: []sources.ServiceSpec{{Name: "a", Metrics: []sources.MetricSpec{{Name: "one", Query: "avg:m{*}"}}}}})
		if sources.KindOf(err) != sources.Invalid || err == nil {
			t.Errorf("%s: %+v, %v", body, b, err)
		}
	}
}

// A monitor is as old as the first of the groups that put it where it is; no data is older than the last alert.
func TestSinceWhenAMonitorIsBad(t *testing.T) {
	t.Parallel()
	s := through(t, func(r *http.Request) (*http.Response, error) { return replyWith(r, 404, ""), nil })
	for body, want := range map[string]time.Duration{
		`"overall_state":"Alert","state":{"groups":{"a":{"status":"Alert","last_triggered_ts":AT3},"b":{"status":"Alert","last_triggered_ts":AT5},"c":{"status":"Warn","last_triggered_ts":AT9}}}`: 5 * time.Minute,
		`"overall_state":"No Data","state":{"groups":{"a":{"status":"No Data","last_triggered_ts":AT9,"last_nodata_ts":AT3}}}`:                                                                     3 * time.Minute,
		`"overall_state":"No Data","state":{"groups":{"a":{"status":"No Data","last_triggered_ts":AT9,"last_nodata_ts":null}}}`:                                                                    9 * time.Minute,
		`"overall_state":"Alert","overall_state_modified":AT3,"state":{"groups":{"a":{"status":"Alert","last_triggered_ts":AT5}}}`:                                                                 3 * time.Minute,
	} {
		for _, n := range []int{3, 5, 9} {
			body = strings.ReplaceAll(body, fmt.Sprintf("AT%d", n), fmt.Sprint(sec(time.Duration(n)*time.Minute)))
		}
		w, err := decode[wireMonitor](opMonitor, []byte(`{"id":7,`+body+`}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := testNow.Sub(s.monitor(w, owners{}, nil).Since); got != want {
			t.Errorf("%s: for %s, want %s", body, got, want)
		}
	}
}

// An event that marks a deployment says what was deployed, where and by whom, under the tags that others look for.
func TestDeploymentMarkSaysWhat(t *testing.T) {
	t.Parallel()
	var sent eventRequest
	s := through(t, func(r *http.Request) (*http.Response, error) {
		err := json.NewDecoder(r.Body).Decode(&sent)
		return replyWith(r, 202, `{"event":{"id_str":"1"}}`), err
	})
	_, err := s.Perform(t.Context(), sources.Call{
		ID: "c1", Verb: sources.PostEvent, Target: s.ref(sources.KindChange, "", "checkout"), Identity: "sre1",
		Fields: map[string]string{"env": "prod", "version": "v1.4", "sha": "0123456", "tags": "team:payments, region:eu"},
	})
	want := "service:checkout event_type:deployment deployment source:signalbox env:prod version:v1.4 git.commit.sha:0123456 user:sre1 signalbox_call:c1 team:payments region:eu"
	if got := strings.Join(sent.Tags, " "); err != nil || got != want || sent.Title != "deployed checkout v1.4" || sent.Aggregation != "c1" || sent.Happened != testNow.Unix() {
		t.Errorf("%v: %+v, want the tags %s", err, sent, want)
	}
}

// A mute is a downtime of one monitor that ends by itself, of all of it or of the part that was named.
func TestMuteIsADowntimeWithAnEnd(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]string{"": "*", " env:prod AND region:eu ": "env:prod AND region:eu"} {
		var sent downtimeRequest
		s := through(t, func(r *http.Request) (*http.Response, error) {
			err := json.NewDecoder(r.Body).Decode(&sent)
			return replyWith(r, 200, `{"data":{"id":"`+uuid(3)+`","type":"downtime"}}`), err
		})
		r, err := s.Perform(t.Context(), sources.Call{
			ID: "c1", Verb: sources.Mute, Target: s.ref(sources.KindMonitor, "", "3"), For: time.Hour, Text: "on it", Fields: map[string]string{"scope": scope},
		})
		at := sent.Data.Attributes
		if err != nil || at.Monitor.ID != 3 || at.Scope != want || !at.Schedule.End.Equal(testNow.Add(time.Hour)) || at.Message != "on it (signalbox c1)" ||
			r.Undo == nil || r.Undo.Verb != sources.Unmute || r.Undo.Fields["downtime"] != uuid(3) {
			t.Errorf("%q: %+v, %+v, %v", scope, sent, r, err)
		}
	}
}
