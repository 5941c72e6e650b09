package prometheus_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
)

// otherStore is a server whose answers are written here, by the end of the path or by the expression.
func otherStore(t *testing.T, answers map[string]string) capability.Set {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("Content-Type", "application/json")
		for key, body := range answers {
			if r.Form.Get("query") != key && (r.Form.Has("query") || !strings.HasSuffix(r.URL.Path, key)) {
				continue
			}
			if body == "" { // more than anybody reads
				w.Header().Set("Content-Length", strconv.Itoa(64<<20))
				return
			}
			_, _ = fmt.Fprint(w, body)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(srv.Close)
	return boardAt(t, srv.URL, srv.Client().Transport, nil)
}

func metric(expr string) sources.MetricSpec {
	return sources.MetricSpec{Service: "checkout", Name: expr, Query: expr}
}

// What Thanos, Mimir and VictoriaMetrics answer besides numbers is told, and costs its own metric alone.
func TestAnswersOfOtherStores(t *testing.T) {
	t.Parallel()
	at := strconv.FormatInt(suiteNow.Unix(), 10)
	set := otherStore(t, map[string]string{
		"partial":   `{"status":"success","warnings":["No StoreAPIs matched for this query"],"data":{"resultType":"matrix","result":[{"metric":{"pod":"\u001b[31mé\u202e\"x\""},"values":[[` + at + `,"1"]]}],"stats":{"seriesFetched":"1"}}}`,
		"histogram": `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[` + at + `,"2"]]},{"metric":{"a":"2"},"histograms":[[` + at + `,{"count":"3","sum":"4","buckets":[[0,"1","2","3"]]}]]}]}}`,
		"huge":      "",
		"isPartial": `{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[{"metric":{},"values":[[` + at + `,"NaN"]]}]}}`,
	})
	b, err := set.Metrics.QueryMetrics(t.Context(), query(sources.ServiceSpec{Name: "checkout", Metrics: []sources.MetricSpec{metric("partial"), metric("histogram"), metric("huge"), metric("isPartial")}}))
	if err != nil || len(b.Items) != 4 {
		t.Fatalf("%v, %d series", err, len(b.Items))
	}
	var said []string
	for _, n := range b.Notices {
		said = append(said, n.Text.String())
		if n.Fix.IsZero() {
			t.Errorf("%q says not how to mend it", n.Text)
		}
	}
	all := strings.Join(said, "\n")
	for _, want := range []string{"partial: Prometheus warns: No StoreAPIs matched", "histogram: some of its series are histograms", "huge: the answer is larger than 32 MiB", "isPartial: Prometheus warns: the answer is partial"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among %q", want, said)
		}
	}
	if len(b.Items[0].Points) != 1 || len(b.Items[2].Points) != 0 {
		t.Errorf("%+v", b.Items)
	}
}

// vmalert and Grafana list rules in their own ways.
func TestRulesOfOtherStores(t *testing.T) {
	t.Parallel()
	set := otherStore(t, map[string]string{
		"/rules": `{"status":"success","data":{"groups":[{"name":"g","file":"f","interval":60,"rules":[
			{"name":"Grafana","query":"x","type":"alerting","health":"ok","labels":{"service":"checkout","severity":"critical"},"alerts":[
				{"state":"Normal","activeAt":"2026-11-22T02:00:00Z","value":"","labels":{"pod":"a"}},
				{"state":"Alerting","activeAt":"2026-11-22T02:01:00+01:00","value":"1e+00","labels":{"pod":"b"}}]},
			{"name":"Quiet","query":"x","type":"alerting","health":"no match","alerts":null,"labels":null},
			{"name":"Untyped","query":"x","alerts":[{"state":"pending","activeAt":"","labels":{"n":7,"pod":"c"}}],"duration":"5m"},
			"odd", null, {"name":"rec","type":"recording"}]}]}}`,
		`up == 0 or count by (job, service) (up)`: `{"status":"success","data":{"resultType":"vector","result":[]}}`,
	})
	b, err := set.Monitors.ListMonitors(t.Context(), sources.Query{Now: suiteNow})
	if err != nil || len(b.Items) != 3 {
		t.Fatalf("%v, %+v", err, b)
	}
	if m := b.Items[0]; m.State != sources.MonitorAlert || len(m.Groups) != 1 || m.Since.Hour() != 1 && m.Since.UTC().Hour() != 1 {
		t.Errorf("%+v", m)
	}
	if m := b.Items[1]; m.State != sources.MonitorOK {
		t.Errorf("%+v", m)
	}
	if m := b.Items[2]; m.State != sources.MonitorPending || !m.Since.IsZero() {
		t.Errorf("%+v", m)
	}
}

// A rule that fires is as bad as it says: one of a warning warns, and one of no severity shows that alerting works.
func TestFiringIsAsBadAsItsSeverity(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]sources.MonitorState{
		"critical": sources.MonitorAlert, "error": sources.MonitorAlert, "": sources.MonitorAlert,
		"warning": sources.MonitorWarn, "info": sources.MonitorWarn, "none": sources.MonitorOK,
	} {
		set := otherStore(t, map[string]string{
			"/rules": `{"status":"success","data":{"groups":[{"rules":[{"type":"alerting","name":"R","query":"x","health":"ok","labels":{"severity":"` + word + `"},
				"alerts":[{"state":"firing","activeAt":"2026-11-22T02:00:00Z","labels":{"severity":"` + word + `"}}]}]}]}}`,
			`up == 0 or count by (job, service) (up)`: `{"status":"success","data":{"resultType":"vector","result":[]}}`,
		})
		b, err := set.Monitors.ListMonitors(t.Context(), sources.Query{Now: suiteNow})
		if err != nil || len(b.Items) != 1 || b.Items[0].State != want {
			t.Errorf("%s: %+v, %v", word, b.Items, err)
		}
	}
}
