package prometheus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/prometheus"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

const suiteToken = "promTokenThatOccursNowhereElse"

var suiteNow = time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)

type obj = map[string]any

// fake is a small Prometheus: what it answers by the expression that it is asked.
type fake struct {
	mu      sync.Mutex
	changed bool
	// answers override what an expression is answered: a status and a body.
	answers map[string]answer
	asked   []string // "POST /api/v1/query_range sum(x)"
	missing []string // paths that are not there
	noPost  bool
}

type answer struct {
	status int
	body   string
}

func (f *fake) change() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = true
}

func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = r.ParseForm()
	expr := r.Form.Get("query")
	f.asked = append(f.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+expr))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", suiteNow.Format(http.TimeFormat))
	if f.noPost && r.Method == http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	for _, m := range f.missing {
		if strings.HasSuffix(r.URL.Path, m) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
	}
	if a, ok := f.answers[expr]; ok && expr != "" {
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
		return
	}
	data := f.data(r, expr)
	if data == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(struct {
		Status   string   `json:"status"`
		Data     any      `json:"data"`
		Warnings []string `json:"warnings,omitempty"`
	}{"success", data, nil})
}

func (f *fake) data(r *http.Request, expr string) any {
	value := "0.25"
	if f.changed {
		value = "0.75"
	}
	switch _, path, _ := strings.Cut(r.URL.Path, "/api/v1/"); path {
	case "query_range":
		return f.matrix(r.Form, expr, value)
	case "query":
		if strings.HasPrefix(expr, "up ==") {
			down := []obj{sample(obj{"job": "api", "service": "checkout"}, "12"), sample(obj{"__name__": "up", "job": "api", "service": "checkout", "instance": "10.0.0.1:80"}, "0")}
			if f.changed {
				down = append(down, sample(obj{"__name__": "up", "job": "api", "service": "checkout", "instance": "10.0.0.2:80"}, "0"))
			}
			return obj{"resultType": "vector", "result": down}
		}
		if strings.Contains(expr, "ratio") {
			value = "0.00" + strings.TrimPrefix(value, "0.")
		}
		return obj{"resultType": "vector", "result": []obj{sample(obj{}, value)}}
	case "rules":
		return f.rules()
	case "status/config":
		return obj{"yaml": "global:\n  scrape_interval: 15s\n  external_labels:\n    cluster: eu-1\n    replica: a\nalerting:\n  alert_relabel_configs:\n  - regex: replica\n    action: labeldrop\n"}
	case "status/runtimeinfo":
		return obj{"storageRetention": "15d"}
	case "status/buildinfo":
		return obj{"version": "2.99.0"}
	case "label/service/values":
		return []string{"checkout", "ledger"}
	}
	return nil
}

func sample(labels obj, value string) obj {
	return obj{"metric": labels, "value": []any{suiteNow.Unix(), value}}
}

func (f *fake) matrix(form url.Values, expr, value string) any {
	var start, end, step float64
	_, _ = fmt.Sscan(form.Get("start"), &start)
	_, _ = fmt.Sscan(form.Get("end"), &end)
	_, _ = fmt.Sscan(form.Get("step"), &step)
	var result []obj
	regions := []string{"eu"}
	if strings.Contains(expr, "by (region)") {
		regions = []string{"eu", "us"}
	}
	for _, region := range regions {
		var values [][]any
		for at := start; at <= end; at += step {
			values = append(values, []any{at, value})
		}
		result = append(result, obj{"metric": obj{"region": region}, "values": values})
	}
	return obj{"resultType": "matrix", "result": result}
}

func (f *fake) rules() any {
	state, alerts := "inactive", []obj{}
	if !f.changed {
		state = "firing"
		alerts = []obj{{
			"labels": obj{"alertname": "HighErrors", "service": "checkout", "severity": "critical"}, "annotations": obj{"summary": "errors are above the limit", "runbook_url": "https://runbooks.example/errors"},
			"state": "firing", "activeAt": suiteNow.Add(-5 * time.Minute).Format(time.RFC3339), "value": "7e-02",
		}}
	}
	return obj{"groups": []obj{{"name": "checkout", "file": "rules.yml", "interval": 15, "rules": []obj{
		{"type": "recording", "name": "a:b:c", "query": "sum(x)", "health": "ok"},
		{"type": "alerting", "name": "HighErrors", "query": `errors{service="checkout"} > 0.05`, "duration": 0, "labels": obj{"severity": "critical"},
			"annotations": obj{}, "alerts": alerts, "health": "ok", "state": state},
	}}}}
}

func ref(t testing.TB, name, value string) secret.Ref {
	t.Helper()
	t.Setenv(name, value)
	return secret.FromEnv(name)
}

func config(t testing.TB) *prometheus.Config {
	t.Helper()
	cfg, ok := prometheus.Driver().Config().(*prometheus.Config)
	if !ok {
		t.Fatal("another config")
	}
	cfg.URL = "https://prometheus.example.com/prefix"
	return cfg
}

// checkout is a service with everything that is read of one.
func checkout() sources.ServiceSpec {
	return sources.ServiceSpec{
		Name: "checkout",
		Metrics: []sources.MetricSpec{
			{Service: "checkout", Name: "errors", Query: "sum(errors)", Unit: "%", Limit: 2, Signal: sources.ErrorSignal},
			{Service: "checkout", Name: "traffic", Query: "sum by (region) (requests)", Unit: "1/s", Limit: math.NaN(), Signal: sources.TrafficSignal},
		},
		SLOs: []sources.SLOSpec{{Service: "checkout", Name: "availability", Query: "ratio[{{window}}]", Traffic: "requests[{{window}}]", Target: 99.9, Window: 30 * 24 * time.Hour}},
	}
}

func TestConformance(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{
		Driver: prometheus.Driver(),
		Config: func(t testing.TB) any {
			cfg := config(t)
			cfg.Access.Token = ref(t, "SIGNALBOX_TEST_PROMETHEUS", suiteToken)
			return cfg
		},
		Secret:          suiteToken,
		CredentialHosts: []string{"prometheus.example.com"},
		Provider: func(testing.TB) sourcetest.Provider {
			f := &fake{}
			return sourcetest.Provider{Handler: f, Change: f.change}
		},
		Reads: []sourcetest.Read{
			{Capability: store.Metrics, Query: sources.Query{Scope: "checkout", Services: []sources.ServiceSpec{checkout()}}},
			{Capability: store.Metrics, Query: sources.Query{Scope: "checkout", Services: []sources.ServiceSpec{checkout()}, Followed: true, Window: 6 * time.Hour}},
			{Capability: store.Monitors, Query: sources.Query{}},
			{Capability: store.Monitors, Query: sources.Query{Services: []sources.ServiceSpec{checkout()}}},
			{Capability: store.SLOs, Query: sources.Query{Scope: "checkout", Services: []sources.ServiceSpec{checkout()}}},
		},
		Now:      suiteNow,
		FreeText: []string{"errors are above the limit", "HighErrors", "10.0.0.1:80", "eu", "errors{service="},
	})
}

// board is a source on a fake server.
func board(t *testing.T, f *fake, change func(*prometheus.Config)) capability.Set {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return boardAt(t, srv.URL+"/prefix", srv.Client().Transport, change)
}

func boardAt(t *testing.T, address string, base http.RoundTripper, change func(*prometheus.Config)) capability.Set {
	t.Helper()
	cfg := config(t)
	cfg.URL = address
	if change != nil {
		change(cfg)
	}
	src, err := prometheus.Driver().Open(sources.Env{
		Source: "prom", Transport: base, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return suiteNow },
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return capability.Of(src)
}

func query(services ...sources.ServiceSpec) sources.Query {
	return sources.Query{Services: services, Now: suiteNow}
}

const errorBody = `{"status":"error","errorType":"%s","error":"%s"}`

func TestABadExpressionDegradesItselfOnly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status    int
		errorType string
		kind      sources.ErrKind
		alone     bool
	}{
		{http.StatusBadRequest, "bad_data", sources.Invalid, true},
		{http.StatusUnprocessableEntity, "execution", sources.Invalid, true},
		{http.StatusUnprocessableEntity, "422", sources.Invalid, true},
		{http.StatusServiceUnavailable, "timeout", sources.Transient, true},
		{http.StatusInternalServerError, "internal", sources.Transient, false},
		{http.StatusBadGateway, "", sources.Transient, false},
	} {
		f := &fake{answers: map[string]answer{"sum(errors)": {tt.status, fmt.Sprintf(errorBody, tt.errorType, "1:9: parse error: unexpected thing")}}}
		set := board(t, f, nil)
		b, err := set.Metrics.QueryMetrics(t.Context(), query(checkout()))
		if !tt.alone {
			if err == nil || sources.KindOf(err) != tt.kind {
				t.Errorf("%d %s: %v", tt.status, tt.errorType, err)
			}
			continue
		}
		if err != nil || len(b.Items) != 3 || len(b.Notices) != 1 {
			t.Errorf("%d %s: %d series, notices %v, %v", tt.status, tt.errorType, len(b.Items), b.Notices, err)
			continue
		}
		n := b.Notices[0]
		if n.Kind != tt.kind || n.Text.String() != "errors: 1:9: parse error: unexpected thing" || n.Fix.IsZero() {
			t.Errorf("notice %+v", n)
		}
		if len(b.Items[0].Points) != 0 || len(b.Items[1].Points) == 0 || b.Items[0].Name.String() != "errors" {
			t.Errorf("series %+v", b.Items)
		}
	}
}

func TestEveryKindOfResultIsASeries(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"resultType":"matrix","result":[]}`: "",
		`{"resultType":"matrix","result":[{"metric":{"__name__":"x"},"values":[[1,"1"],[2,"NaN"],[4,"+Inf"]]}]}`:      "[1 NaN NaN]",
		`{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"-Inf"]}]}`:                                  "[NaN]",
		`{"resultType":"scalar","result":[1,"5"]}`:                                                                    "[5]",
		`{"resultType":"string","result":[1,"hello"]}`:                                                                "notice: errors: the expression gives a text, not a number",
		`{"resultType":"matrix","result":[{"metric":{},"histograms":[[1,{"count":"1","sum":"1","buckets":[]}]]}]}`:    "notice: errors: it is a histogram",
		`{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[]},{"metric":{"a":"2"},"values":[[9,"9"]]}]}`: "[][9]",
	} {
		f := &fake{answers: map[string]answer{"sum(errors)": {200, `{"status":"success","data":` + body + `}`}}}
		sp := checkout()
		sp.Metrics = sp.Metrics[:1]
		b, err := board(t, f, nil).Metrics.QueryMetrics(t.Context(), query(sp))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		got := ""
		for _, n := range b.Notices {
			got += "notice: " + n.Text.String()
		}
		for _, s := range b.Items {
			var values []float64
			for _, p := range s.Points {
				values = append(values, p.Value)
			}
			if len(b.Items) > 1 || len(values) > 0 {
				got += fmt.Sprint(values)
			}
		}
		if got != want {
			t.Errorf("%s: %q, not %q", body, got, want)
		}
	}
}

func TestWarningsAndInfosAreShown(t *testing.T) {
	t.Parallel()
	f := &fake{answers: map[string]answer{"sum(errors)": {200, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]]}]},"warnings":["store eu did not answer"],"infos":["metric might not be a counter"]}`}}}
	set := board(t, f, nil)
	for range 2 { // the second time from what is remembered
		b, err := set.Metrics.QueryMetrics(t.Context(), query(checkout()))
		if errors.Is(err, sources.ErrNotModified) {
			return
		}
		if err != nil || len(b.Notices) != 2 || len(b.Items[0].Points) != 1 {
			t.Fatalf("%v %v", b.Notices, err)
		}
		if !strings.Contains(b.Notices[0].Text.String(), "store eu did not answer") || !strings.Contains(b.Notices[1].Text.String(), "might not be a counter") {
			t.Errorf("notices %v", b.Notices)
		}
	}
	t.Error("the same answer again is not seen as such")
}

func TestAnOldServerOrAGatewayThatTakesNoPost(t *testing.T) {
	t.Parallel()
	f := &fake{noPost: true}
	b, err := board(t, f, nil).Metrics.QueryMetrics(t.Context(), query(checkout()))
	if err != nil || len(b.Items) != 3 || len(b.Items[0].Points) == 0 {
		t.Errorf("%d series, %v", len(b.Items), err)
	}
}

func TestACompatibleStoreWithoutRules(t *testing.T) {
	t.Parallel()
	f := &fake{missing: []string{"/rules"}}
	set := board(t, f, nil)
	b, err := set.Monitors.ListMonitors(t.Context(), query())
	if err != nil || len(b.Items) != 1 || len(b.Notices) != 1 || b.Notices[0].Kind != sources.Unsupported {
		t.Errorf("%d monitors, notices %v, %v", len(b.Items), b.Notices, err)
	}
	f = &fake{missing: []string{"/rules", "/query"}}
	if _, err = board(t, f, nil).Monitors.ListMonitors(t.Context(), query()); sources.KindOf(err) != sources.NotExist {
		t.Errorf("an address without anything: %v", err)
	}
	for _, got := range board(t, &fake{missing: []string{"/rules", "/buildinfo", "/runtimeinfo", "/config"}}, nil).Checker.Check(t.Context()) {
		if got.Level == sources.LevelFail {
			t.Errorf("held against a store: %v", got)
		}
	}
}

func TestMonitorsOfRulesAndTargets(t *testing.T) {
	t.Parallel()
	f := &fake{}
	set := board(t, f, nil)
	b, err := set.Monitors.ListMonitors(t.Context(), query(checkout()))
	if err != nil || len(b.Items) != 2 {
		t.Fatalf("%v %v", b.Items, err)
	}
	rule, job := b.Items[0], b.Items[1]
	if rule.State != sources.MonitorAlert || rule.Severity != 1 || rule.Service != "checkout" || !rule.Since.Equal(suiteNow.Add(-5*time.Minute)) ||
		rule.Name.String() != "HighErrors: errors are above the limit" || rule.Runbook != "https://runbooks.example/errors" ||
		len(rule.Keys) != 2 || rule.Keys[0] != `alert/{alertname="HighErrors", service="checkout", severity="critical"}` ||
		rule.Keys[1] != `alert/{alertname="HighErrors", cluster="eu-1", service="checkout", severity="critical"}` || rule.Groups[0].Name.String() != "service:checkout" || rule.Groups[0].Value != 0.07 {
		t.Errorf("rule %+v", rule)
	}
	if job.Name.String() != "job api: 1 of 12 targets down" || job.State != sources.MonitorWarn || job.Service != "checkout" || job.Groups[0].Name.String() != "10.0.0.1:80" {
		t.Errorf("job %+v", job)
	}
	v, err := set.Getter.Get(t.Context(), rule.Ref)
	if m, ok := v.(sources.Monitor); err != nil || !ok || m.Revision != rule.Revision {
		t.Errorf("Get: %v %v", v, err)
	}
	f.change()
	v, err = set.Getter.Get(t.Context(), rule.Ref)
	if m, ok := v.(sources.Monitor); err != nil || !ok || m.State != sources.MonitorOK || m.Revision == rule.Revision {
		t.Errorf("Get of what is quiet again: %v %v", v, err)
	}
	none, err := set.Monitors.ListMonitors(t.Context(), query(sources.ServiceSpec{Name: "other"}))
	if err != nil || len(none.Items) != 0 {
		t.Errorf("another service has %v, %v", none.Items, err)
	}
}

func TestEarlierValuesAreAskedSeldomAndOnlyWhenFollowed(t *testing.T) {
	t.Parallel()
	f := &fake{}
	set := board(t, f, nil)
	q := query(checkout())
	if _, err := set.Metrics.QueryMetrics(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	plainly := len(f.requests())
	if plainly != 2 {
		t.Errorf("%d requests for two metrics: %q", plainly, f.requests())
	}
	q.Followed = true
	b, err := set.Metrics.QueryMetrics(t.Context(), q)
	if err != nil || len(b.Items[0].Earlier) != 2 || b.Items[0].Earlier[1].Ago != 168*time.Hour || b.Items[0].Earlier[0].Value != 0.25 {
		t.Errorf("earlier %v, %v", b.Items[0].Earlier, err)
	}
	if n := len(f.requests()) - plainly; n != 6 {
		t.Errorf("%d requests when followed: %q", n, f.requests())
	}
	before := len(f.requests())
	for _, after := range []struct {
		wait time.Duration
		want int
	}{{9 * time.Minute, 2}, {11 * time.Minute, 6}} {
		q.Now = suiteNow.Add(after.wait)
		if _, err := set.Metrics.QueryMetrics(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if n := len(f.requests()) - before; n != after.want {
			t.Errorf("%d requests after %s", n, after.wait)
		}
		before = len(f.requests())
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ window, step, want time.Duration }{
		{0, 0, 15 * time.Second},
		{time.Hour, 7 * time.Second, 10 * time.Second},
		{15 * time.Minute, 0, 5 * time.Second},
		{24 * time.Hour, time.Minute, time.Minute},
		{7 * 24 * time.Hour, time.Second, 2 * time.Minute},
		{365 * 24 * time.Hour, 0, 48 * time.Hour},
		{time.Second, time.Millisecond, time.Second},
	} {
		f := &fake{}
		q := query(checkout())
		q.Window, q.Step = tt.window, tt.step
		b, err := board(t, f, nil).Metrics.QueryMetrics(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		s := b.Items[0]
		if s.Step != tt.want || len(s.Points) > 11000 {
			t.Errorf("window %s, step %s: step %s, %d points", tt.window, tt.step, s.Step, len(s.Points))
		}
		if end := s.Points[len(s.Points)-1].At; !end.Equal(suiteNow.Truncate(tt.want)) {
			t.Errorf("ends at %s", end)
		}
	}
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*prometheus.Config){
		"url: is missing":                       func(c *prometheus.Config) { c.URL = "" },
		"url: is not an address":                func(c *prometheus.Config) { c.URL = "prometheus:9090" },
		"url: is not encrypted":                 func(c *prometheus.Config) { c.URL = "http://prometheus:9090" },
		"url: holds a user or a password":       func(c *prometheus.Config) { c.URL = "https://a:b@prometheus" },
		"service_label: is not the name":        func(c *prometheus.Config) { c.ServiceLabel = "a b" },
		"headers.Authorization: holds a secret": func(c *prometheus.Config) { c.Access.Headers = map[string]string{"Authorization": "x"} },
		"headers.X: holds a secret":             func(c *prometheus.Config) { c.Access.Headers = map[string]string{"X": "env:TOKEN"} },
		"headers.X: is not the value":           func(c *prometheus.Config) { c.Access.Headers = map[string]string{"X": "a\r\nB: c"} },
		"cert_key: is missing":                  func(c *prometheus.Config) { c.Access.CertFile = "/x.pem" },
		"cert_file: is missing":                 func(c *prometheus.Config) { c.Access.CertKey = secret.FromEnv("X") },
	} {
		cfg := config(t)
		change(cfg)
		err := cfg.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
		if fe, ok := errors.AsType[*sources.FieldError](err); !ok || fe.Fix == "" {
			t.Errorf("%v names no cure", err)
		}
	}
	cfg := config(t)
	cfg.URL, cfg.Access.PlainHTTP = "http://prometheus:9090", true
	if err := cfg.Validate(); err != nil {
		t.Errorf("plain_http: %v", err)
	}
}
