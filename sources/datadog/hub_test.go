package datadog

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/sourcetest"
)

const testKey = "dd0123456789thatOccursNowhereElse"

var testNow = time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)

type obj = map[string]any

type arr = []any

// hub is a small Datadog: what it holds may be changed between two requests.
type hub struct {
	mu      sync.Mutex
	changed bool
	asked   []string // "GET /api/v1/monitor?page=0", with bodies after a space
	sent    []json.RawMessage
	// override answers instead, where it has something to say.
	override func(r *http.Request, body []byte) (status int, answer any, ok bool)
	// headers are added to every answer.
	headers map[string]string
}

func (h *hub) change() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed = true
}

func ago(d time.Duration) string { return testNow.Add(-d).Format(time.RFC3339) }

func sec(d time.Duration) int64 { return testNow.Add(-d).Unix() }

func uuid(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }

func (h *hub) monitor(id int) obj {
	state, groups := "OK", obj{}
	switch {
	case id%3 == 0 || id == 1 && h.changed:
		state = "Alert"
		groups["env:prod,region:eu"] = obj{"name": "env:prod,region:eu", "status": "Alert", "last_triggered_ts": sec(9 * time.Minute)}
		groups["env:prod,region:us"] = obj{"name": "env:prod,region:us", "status": "Warn", "last_triggered_ts": sec(4 * time.Minute)}
	case id%3 == 2:
		state = "No Data"
		groups["*"] = obj{"name": "*", "status": "No Data", "last_nodata_ts": sec(time.Hour), "last_triggered_ts": nil}
	}
	return obj{
		"id": id, "name": fmt.Sprintf("Card errors %d", id), "type": "query alert", "query": "avg(last_5m):sum:errors{service:checkout} > 1",
		"message": "{{#is_alert}} Card errors @pagerduty-checkout {{/is_alert}}\nRunbook: https://wiki.example.com/card-errors",
		"tags":    arr{"service:checkout", "team:payments"}, "priority": 2, "overall_state": state, "overall_state_modified": nil,
		"state": obj{"groups": groups}, "options": obj{"silenced": obj{}}, "matching_downtimes": arr{},
	}
}

func (h *hub) incident(n int, state string) obj {
	if h.changed && n == 1 {
		state = "stable"
	}
	inc := obj{
		"id": uuid(n), "type": "incidents",
		"attributes": obj{
			"public_id": 1000 + n, "title": "Card payments fail", "state": state, "severity": "SEV-2", "created": ago(time.Duration(n) * time.Minute),
			"declared": ago(time.Duration(n) * time.Minute), "modified": ago(time.Minute), "detected": nil, "resolved": nil, "customer_impact_scope": nil,
			"fields": obj{
				"services": obj{"type": "autocomplete", "value": arr{"checkout"}}, "teams": obj{"type": "autocomplete", "value": arr{"payments"}},
				"slug": obj{"type": "textbox", "value": fmt.Sprintf("IR-%d", 1000+n)}, "summary": obj{"type": "textbox", "value": nil},
				"state": obj{"type": "dropdown", "value": state},
			},
			"commander": obj{"data": obj{"id": uuid(900), "type": "users", "attributes": obj{"name": "Sam Reyes", "email": "sre1@acme.example", "handle": "sre1@acme.example"}}},
		},
		"relationships": obj{
			"commander_user": obj{"data": obj{"id": uuid(900), "type": "users"}},
			"attachments":    obj{"data": arr{obj{"id": uuid(500 + n), "type": "incident_attachments"}}},
		},
	}
	a, _ := inc["attributes"].(obj)
	if n == 1 && state == "active" {
		a["commander"] = nil
		rel, _ := inc["relationships"].(obj)
		rel["commander_user"] = obj{"data": nil}
	}
	if state == "resolved" {
		a["resolved"] = ago(time.Duration(n) * time.Second)
		a["last_modified_by"] = a["commander"]
		if h.changed {
			a["title"] = "Card payments failed"
		}
	}
	return inc
}

func attachment(n int) obj {
	return obj{"id": uuid(500 + n), "type": "incident_attachments", "attributes": obj{"attachment_type": "link", "attachment": obj{
		"title": "Monitor", "documentUrl": fmt.Sprintf("https://app.datadoghq.com/monitors/%d?page=https://acme.pagerduty.com/incidents/PD%04dX&x=/on-call/pages/%s", n, n, uuid(700+n)),
	}}}
}

func page(all []any, size, offset int) []any {
	offset = min(offset, len(all))
	return all[offset:min(len(all), offset+size)]
}

func num(r *http.Request, key string, otherwise int) int {
	if n, err := strconv.Atoi(r.URL.Query().Get(key)); err == nil {
		return n
	}
	return otherwise
}

func (h *hub) answer(r *http.Request, body []byte) (int, any) {
	switch path := r.URL.Path; {
	case path == "/api/v1/validate":
		return 200, obj{"valid": true}
	case path == "/api/v2/query/timeseries":
		return h.timeseries(body)
	case path == "/api/v1/query":
		return h.query(r)
	case path == "/api/v1/monitor":
		var all []any
		for id := 1; id <= 207; id++ {
			all = append(all, h.monitor(id))
		}
		size := num(r, "page_size", 100)
		return 200, page(all, size, size*num(r, "page", 0))
	case strings.HasPrefix(path, "/api/v1/monitor/"):
		id, err := strconv.Atoi(strings.TrimPrefix(path, "/api/v1/monitor/"))
		if err != nil || id > 207 {
			return 404, obj{"errors": arr{"Monitor not found"}}
		}
		return 200, h.monitor(id)
	case strings.HasPrefix(path, "/api/v2/downtime"):
		return h.downtime(r)
	case strings.HasPrefix(path, "/api/v1/slo"):
		return h.slo(r)
	case strings.HasPrefix(path, "/api/v2/incidents"):
		return h.incidents(r)
	case strings.HasPrefix(path, "/api/v2/team"), strings.HasPrefix(path, "/api/v2/on-call"):
		return h.onCall(r)
	case strings.HasPrefix(path, "/api/v2/events"), strings.HasPrefix(path, "/api/v1/events"), strings.HasPrefix(path, "/api/v2/dora"):
		return h.changes(r)
	case path == "/api/v2/services/definitions":
		return 200, obj{"data": arr{obj{"type": "service-definition", "attributes": obj{"schema": obj{
			"schema-version": "v2.2", "dd-service": "checkout", "team": "payments", "links": arr{obj{"type": "repo", "url": "https://github.com/acme/checkout"}},
		}}}}}
	}
	return 404, obj{"errors": arr{"Not found"}}
}

func (h *hub) timeseries(body []byte) (int, any) {
	var r timeseriesRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return 400, obj{"errors": arr{err.Error()}}
	}
	ask := r.Data.Attributes
	for _, q := range ask.Queries {
		if strings.Contains(q.Query, "bad") || !strings.Contains(q.Query, "{") {
			return 400, obj{"errors": arr{obj{"title": "Bad Request", "detail": "cannot parse query " + q.Name, "status": "400"}}}
		}
	}
	times, series, values := arr{}, arr{}, arr{}
	for t := ask.From; t < ask.To; t += ask.Interval {
		times = append(times, t)
	}
	for i, f := range ask.Formulas {
		level := 0
		for _, q := range ask.Queries {
			if strings.Contains(f.Formula, q.Name) {
				level += len(q.Query)
			}
		}
		for _, region := range []string{"eu", "us"} {
			row := arr{}
			for j := range times {
				switch {
				case j == 3:
					row = append(row, nil)
				case h.changed:
					row = append(row, 9.5)
				default:
					row = append(row, float64(level)+float64(j)/10)
				}
			}
			series = append(series, obj{"group_tags": arr{"region:" + region}, "query_index": i, "unit": arr{obj{"short_name": "%", "name": "percent"}, nil}})
			values = append(values, row)
		}
	}
	return 200, obj{"data": obj{"id": "0", "type": "timeseries_response", "attributes": obj{"times": times, "series": series, "values": values}}}
}

func (h *hub) query(r *http.Request) (int, any) {
	q := r.URL.Query().Get("query")
	if strings.Contains(q, "bad") {
		return 200, obj{"status": "error", "error": "Error parsing query: unable to parse " + q, "res_type": "time_series", "series": arr{}}
	}
	from := int64(num(r, "from", 0)) * 1000
	return 200, obj{"status": "ok", "series": arr{obj{
		"metric": "x", "scope": "*", "tag_set": arr{}, "interval": 60, "pointlist": arr{arr{from, 1.5}, arr{from + 60000, nil}, arr{from + 120000, 2.5}}, "unit": nil,
	}}}
}

func (h *hub) downtime(r *http.Request) (int, any) {
	status := "active"
	if h.changed {
		status = "canceled"
	}
	one := obj{"id": uuid(300), "type": "downtime", "attributes": obj{
		"status": status, "message": "night", "scope": "*", "canceled": nil, "monitor_identifier": obj{"monitor_id": 3}, "schedule": obj{"start": ago(time.Hour), "end": ago(-time.Hour)},
	}, "relationships": obj{"created_by": obj{"data": obj{"id": uuid(900), "type": "users"}}}}
	inc := arr{obj{"id": uuid(900), "type": "users", "attributes": obj{"name": "Sam Reyes", "email": "sre1@acme.example", "handle": "sre1@acme.example"}}}
	switch id := strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/v2/downtime"), "/"); {
	case r.Method == http.MethodPost:
		return 200, obj{"data": one, "included": inc}
	case r.Method == http.MethodDelete && id == uuid(300):
		return 204, nil
	case id == "":
		return 200, obj{"data": arr{one}, "included": inc, "meta": obj{"page": obj{"total_filtered_count": 1}}}
	case id == uuid(300):
		return 200, obj{"data": one, "included": inc}
	default:
		return 404, obj{"errors": arr{"Downtime " + id + " not found"}}
	}
}

func (h *hub) slo(r *http.Request) (int, any) {
	left, state := 62.5, "ok"
	if h.changed {
		left, state = -12, "breached"
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/history"):
		sli := 99.9
		if h.changed {
			sli = 98.0
		}
		return 200, obj{"data": obj{"overall": obj{"sli_value": sli, "error_budget_remaining": obj{"30d": left}}}, "errors": nil}
	case r.URL.Path == "/api/v1/slo/search":
		slo := func(id string, status obj) obj {
			return obj{"data": obj{"id": id, "type": "slo", "attributes": obj{
				"name": "Checkout availability", "all_tags": arr{"service:checkout", "team:payments"}, "service_tags": arr{"checkout"}, "slo_type": "metric",
				"query": obj{"numerator": "sum:good{*}.as_count()", "denominator": "sum:all{*}.as_count()"}, "overall_status": arr{status},
				"thresholds": arr{obj{"timeframe": "30d", "target": 99.95}},
			}}}
		}
		return 200, obj{"data": obj{"type": "", "attributes": obj{"slos": arr{
			slo("slo1", obj{"status": 99.98, "error_budget_remaining": left, "state": state, "target": 99.95, "timeframe": "30d", "error": nil}),
			slo("slo2", obj{"status": nil, "error_budget_remaining": nil, "state": "no_data", "target": 99.9, "timeframe": "7d", "error": nil}),
		}}}, "meta": obj{"pagination": obj{"total": 2}}}
	case r.URL.Path == "/api/v1/slo/slo1":
		return 200, obj{"data": obj{"id": "slo1", "name": "Checkout availability", "tags": arr{"service:checkout"}, "thresholds": arr{obj{"timeframe": "30d", "target": 99.95}}}}
	}
	return 404, obj{"errors": arr{"SLO not found"}}
}

func (h *hub) incidents(r *http.Request) (int, any) {
	switch rest := strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/v2/incidents"), "/"); {
	case rest == "search":
		var all, inc []any
		n, state := 104, "active"
		if strings.Contains(r.URL.Query().Get("query"), "resolved") {
			n, state = 3, "resolved"
		}
		for i := 1; i <= n; i++ {
			all = append(all, obj{"data": h.incident(i, state)})
		}
		size, offset := num(r, "page[size]", 10), num(r, "page[offset]", 0)
		for i := range page(all, size, offset) {
			inc = append(inc, attachment(offset+i+1))
		}
		return 200, obj{"data": obj{"type": "incidents_search_results", "attributes": obj{"total": n, "incidents": page(all, size, offset), "facets": obj{}}}, "included": inc}
	case rest == uuid(1):
		state := "active"
		if r.Method == http.MethodPatch {
			state = "resolved"
		}
		return 200, obj{"data": h.incident(1, state), "included": arr{attachment(1)}}
	case rest == uuid(1)+"/relationships/integrations":
		return 200, obj{"data": arr{obj{"id": uuid(40), "type": "incident_integrations", "attributes": obj{"integration_type": 1, "created": ago(time.Minute), "metadata": obj{
			"channels": arr{obj{"channel_name": "#incident-1001", "redirect_url": "https://acme.slack.com/archives/C1"}},
		}}}}}
	case rest == uuid(1)+"/impacts":
		return 200, obj{"data": arr{obj{"id": uuid(41), "attributes": obj{"description": "cards fail", "start_at": ago(8 * time.Minute), "end_at": nil}}}}
	case rest == uuid(1)+"/relationships/todos":
		return 200, obj{"data": arr{obj{"id": uuid(42), "attributes": obj{"content": "page the card team", "completed": nil, "created": ago(time.Minute)}}}}
	}
	return 404, obj{"errors": arr{obj{"title": "Generic Error", "detail": "incident not found"}}}
}

func (h *hub) onCall(r *http.Request) (int, any) {
	on := 900
	if h.changed {
		on = 901
	}
	user := func(n int) obj {
		return obj{"id": uuid(n), "type": "users", "attributes": obj{"name": fmt.Sprintf("Person %d", n), "email": fmt.Sprintf("p%d@acme.example", n)}}
	}
	ref := func(n int, kind string) obj { return obj{"id": uuid(n), "type": kind} }
	switch path := r.URL.Path; {
	case path == "/api/v2/team":
		return 200, obj{"data": arr{obj{"id": uuid(1), "type": "team", "attributes": obj{"handle": "payments", "name": "Payments"}}}}
	case path == "/api/v2/on-call/teams/"+uuid(1)+"/on-call":
		return 200, obj{"data": obj{"id": uuid(1), "relationships": obj{
			"responders": obj{"data": arr{ref(on, "users")}}, "escalations": obj{"data": arr{ref(60, "escalation_policy_steps"), ref(61, "escalation_policy_steps")}},
		}}, "included": arr{
			user(on), user(902),
			obj{"id": uuid(60), "type": "escalation_policy_steps", "relationships": obj{"responders": obj{"data": arr{ref(on, "users")}}}},
			obj{"id": uuid(61), "type": "escalation_policy_steps", "relationships": obj{"responders": obj{"data": arr{ref(902, "users")}}}},
		}}
	case path == "/api/v2/on-call/schedules":
		return 200, obj{"data": arr{obj{"id": uuid(2), "type": "schedules", "attributes": obj{"name": "payments-primary", "time_zone": "Europe/Berlin"}}}}
	case path == "/api/v2/on-call/schedules/"+uuid(2):
		return 200, obj{"data": obj{"id": uuid(2), "type": "schedules", "attributes": obj{"name": "payments-primary", "time_zone": "Europe/Berlin"}}}
	case path == "/api/v2/on-call/schedules/"+uuid(2)+"/on-call":
		start, end := ago(time.Hour), ago(-time.Hour)
		if r.URL.Query().Get("filter[at_ts]") != "" {
			on, start, end = 903, ago(-time.Hour), ago(-9*time.Hour)
		}
		return 200, obj{"data": obj{"id": "x", "type": "shifts", "attributes": obj{"start": start, "end": end}, "relationships": obj{"user": obj{"data": ref(on, "users")}}}, "included": arr{user(on)}}
	case strings.HasPrefix(path, "/api/v2/on-call/pages/") && r.Method == http.MethodPost:
		return 202, nil
	}
	return 404, obj{"errors": arr{obj{"title": "Generic Error", "detail": "team not found"}}}
}

func (h *hub) changes(r *http.Request) (int, any) {
	switch r.URL.Path {
	case "/api/v2/events":
		event := func(n int, title string) obj {
			return obj{"id": fmt.Sprintf("AgAAA%d", n), "type": "event", "attributes": obj{
				"message": "Commit 1234567", "timestamp": ago(time.Duration(n) * time.Minute), "tags": arr{"service:checkout", "env:prod", "event_type:deployment", "version:v1.4." + strconv.Itoa(n)},
				"attributes": obj{"title": title, "evt": obj{"id": strconv.Itoa(7000 + n)}, "service": "undefined"},
			}}
		}
		if r.URL.Query().Get("page[cursor]") != "" {
			return 200, obj{"data": arr{event(3, "Deployed checkout v1.4.3")}}
		}
		title := "Deployed checkout v1.4.1"
		if h.changed {
			title = "Rolled checkout back"
		}
		return 200, obj{"data": arr{event(1, title), event(2, "Deployed checkout v1.4.2")}, "meta": obj{"page": obj{"after": "next"}}}
	case "/api/v1/events":
		return 202, obj{"status": "ok", "event": obj{"id": 6327818704671040000, "id_str": "6327818704671039975", "title": "Deployed checkout", "url": "https://app.datadoghq.com/event/event?id=6327818704671039975"}}
	case "/api/v1/events/6327818704671039975":
		return 200, obj{"event": obj{"id": 6327818704671039975, "id_str": "6327818704671039975", "title": "Deployed checkout", "tags": arr{"service:checkout"}}}
	case "/api/v2/dora/deployments":
		return 200, obj{"data": arr{obj{"id": "d1", "type": "dora_deployment", "attributes": obj{
			"service": "checkout", "env": "prod", "version": "v1.3.9", "started_at": testNow.Add(-2 * time.Hour).UnixNano(), "finished_at": testNow.Add(-2 * time.Hour).UnixNano(),
			"git": obj{"commit_sha": "66adc9350f2cc9b250b69abddab733dd55e1a588"},
		}}}}
	case "/api/v2/dora/deployment":
		return 202, obj{"data": obj{"id": "d9", "type": "dora_deployment"}}
	case "/api/v2/dora/deployments/d9":
		return 200, obj{"data": obj{"id": "d9", "attributes": obj{"service": "checkout", "started_at": ago(time.Hour), "finished_at": ago(time.Hour)}}}
	}
	return 404, obj{"errors": arr{"not found"}}
}

// ServeHTTP implements http.Handler.
func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	if r.Body != nil {
		_ = json.NewDecoder(r.Body).Decode(&body)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	query, _ := urlUnescape(r.URL.RawQuery)
	line := r.Method + " " + r.URL.Path
	if query != "" {
		line += "?" + query
	}
	h.asked = append(h.asked, line)
	if r.Method != http.MethodGet {
		h.sent = append(h.sent, body)
	}
	status, answer := 0, any(nil)
	if h.override != nil {
		if s, a, ok := h.override(r, body); ok {
			status, answer = s, a
		}
	}
	if status == 0 {
		status, answer = h.answer(r, body)
	}
	for k, v := range h.headers {
		w.Header().Set(k, v)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	switch a := answer.(type) {
	case nil:
	case string:
		_, _ = w.Write([]byte(a))
	default:
		_ = json.NewEncoder(w).Encode(a)
	}
}

func (h *hub) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.asked...)
}

func (h *hub) count(prefix string) int {
	n := 0
	for _, line := range h.requests() {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// keyRef is a reference to a file that holds testKey.
func keyRef(t testing.TB) secret.Ref { return fileRef(t, testKey) }

// fileRef is a reference to a file that holds key.
func fileRef(t testing.TB, key string) secret.Ref {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	var ref secret.Ref
	if err := ref.UnmarshalText([]byte("file:" + file)); err != nil {
		t.Fatal(err)
	}
	return ref
}

func testConfig(t testing.TB) *Config {
	c := defaults()
	c.APIKey = keyRef(t)
	c.AppKey = c.APIKey
	return c
}

// serve answers over HTTP.
func (h *hub) serve(t testing.TB) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func testEnv() sources.Env {
	return sources.Env{
		Source: "dd", Transport: http.DefaultTransport, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return testNow }, UserAgent: "signalbox-test",
	}
}

// opened is the driver on h, over HTTP.
func opened(t testing.TB, h *hub, edit ...func(*sources.Env, *Config)) *source {
	t.Helper()
	cfg, env := testConfig(t), testEnv()
	cfg.Host = h.serve(t)
	for _, e := range edit {
		e(&env, cfg)
	}
	src, err := Driver().Open(env, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	s, _ := src.(*source)
	s.patience = time.Millisecond
	return s
}
