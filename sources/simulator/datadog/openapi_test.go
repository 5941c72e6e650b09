package datadog_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"example.com/signalbox/sources/simulator"
)

// Datadog's own descriptions of its API are no part of the project. They are read once.
var descriptions = sync.OnceValues(func() (map[string]*openapi3.T, error) {
	out := map[string]*openapi3.T{}
	for _, version := range []string{"v1", "v2"} {
		raw, err := readShared("specs/datadog-" + version + "-openapi.yaml.gz")
		if err != nil || raw == nil {
			return nil, err
		}
		// The validator takes {} for what allows objects alone.
		raw = bytes.ReplaceAll(raw, []byte("additionalProperties: {}"), []byte("additionalProperties: true"))
		doc, err := openapi3.NewLoader().LoadFromData(raw)
		if err != nil {
			return nil, err
		}
		// An operation's own servers are the hosts of intake and paging: here everything is on one.
		for _, item := range doc.Paths.Map() {
			item.Servers = nil
			for _, op := range item.Operations() {
				op.Servers = nil
			}
		}
		out[version] = doc
	}
	return out, nil
})

// readShared reads a compressed file from the folder of fixtures; nil where it is not there.
func readShared(name string) ([]byte, error) {
	var roots []string
	if env := os.Getenv("SIGNALBOX_FIXTURES"); env != "" {
		roots = append(roots, env, filepath.Dir(env))
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			roots = append(roots, filepath.Join(dir, "..", "shared"))
		}
	}
	for _, root := range roots {
		f, err := os.Open(filepath.Join(root, name))
		if err != nil {
			continue
		}
		defer func() { _ = f.Close() }()
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	}
	return nil, nil
}

// The exceptions, by name.
const (
	younger = "the endpoint is younger than the description: TestOnCall and TestUsers check its answers"
	objects = "errors are objects in the recordings, and text in the description: checked for their form"
	dates   = "DORA's times are dates in the recordings and in the newest client, and nanoseconds in the description"
)

// youngerThan are the endpoints that the description of spring 2026 does not have.
var youngerThan = regexp.MustCompile(`^/api/v2/(current_user|on-call/schedules|on-call/schedules/[^/]+/responders)$`)

var doraTime = regexp.MustCompile(`"((?:started|finished)_at)":"([^"]+)"`)

// validator holds every exchange against the descriptions.
type validator struct {
	t       *testing.T
	routers map[string]routers.Router
	next    http.RoundTripper
	mu      sync.Mutex
	checked map[string]int
	seen    map[string]int // by endpoint and status
	spared  map[string]int // exceptions that were needed
}

func newValidator(t *testing.T, c *client) *validator {
	t.Helper()
	docs, err := descriptions()
	if err != nil {
		t.Fatal(err)
	}
	if docs == nil {
		t.Skip("unvalidated: 2 (Datadog's descriptions specs/datadog-v1-openapi.yaml.gz and -v2- are not here)")
	}
	v := &validator{t: t, routers: map[string]routers.Router{}, next: c.http.Transport, checked: map[string]int{}, seen: map[string]int{}, spared: map[string]int{}}
	for version, doc := range docs {
		own := *doc
		own.Servers = openapi3.Servers{{URL: c.base()}}
		router, err := gorillamux.NewRouter(&own)
		if err != nil {
			t.Fatal(err)
		}
		v.routers[version] = router
	}
	c.http.Transport = v
	return v
}

func (v *validator) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		sent, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := v.next.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	if version := strings.Split(req.URL.Path, "/"); len(version) > 2 && version[1] == "api" {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.check(version[2], req, sent, resp, got)
	}
	return resp, nil
}

func (v *validator) check(version string, req *http.Request, sent []byte, resp *http.Response, got []byte) {
	v.t.Helper()
	clone := req.Clone(context.Background())
	clone.Body = io.NopCloser(bytes.NewReader(sent))
	route, params, err := v.routers[version].FindRoute(clone)
	if err != nil {
		if youngerThan.MatchString(req.URL.Path) {
			v.spared[younger]++
			v.checked[req.Method+" "+req.URL.Path]++
			return
		}
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
			v.t.Errorf("%s %s is not described: %v", req.Method, req.URL.Path, err)
		}
		return
	}
	name := req.Method + " " + route.Path
	// A few of each kind of answer are enough, and errors never are.
	once := fmt.Sprint(name, resp.StatusCode)
	if v.seen[once]++; v.seen[once] > 6 && resp.StatusCode < 400 {
		return
	}
	opts := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}
	in := &openapi3filter.RequestValidationInput{Request: clone, PathParams: params, Route: route, Options: opts}
	if resp.StatusCode != http.StatusBadRequest { // what was refused as invalid is invalid on purpose
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			v.t.Errorf("%s: request: %.600v", name, err)
		}
	}
	got, excepted := v.except(route, resp.StatusCode, got)
	if excepted {
		return
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: resp.StatusCode, Header: plainJSON(resp.Header), Options: opts, Body: io.NopCloser(bytes.NewReader(got)),
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		v.t.Errorf("%s: response %d: %.1500v", name, resp.StatusCode, err)
	}
	v.checked[name]++
}

// plainJSON calls a JSON:API document what the description calls it.
func plainJSON(h http.Header) http.Header {
	h = h.Clone()
	if strings.Contains(h.Get("Content-Type"), "json") {
		h.Set("Content-Type", "application/json")
	}
	return h
}

// except applies the exceptions. True says that the answer has been checked in their way.
func (v *validator) except(route *routers.Route, status int, got []byte) ([]byte, bool) {
	if status >= 400 {
		var body struct{ Errors []json.RawMessage }
		if err := json.Unmarshal(got, &body); err != nil || len(body.Errors) == 0 {
			v.t.Errorf("%s: %d has the body %.200s", route.Path, status, got)
			return got, true
		}
		if bytes.HasPrefix(body.Errors[0], []byte("{")) {
			var one struct{ Title, Detail string }
			if err := json.Unmarshal(body.Errors[0], &one); err != nil || one.Title == "" || one.Detail == "" {
				v.t.Errorf("%s: %d has the error %s", route.Path, status, body.Errors[0])
			}
			v.spared[objects]++
			return got, true
		}
	}
	if strings.Contains(route.Path, "/dora/") && doraTime.Match(got) {
		v.spared[dates]++
		got = doraTime.ReplaceAllFunc(got, func(m []byte) []byte {
			parts := doraTime.FindSubmatch(m)
			t, err := time.Parse(time.RFC3339, string(parts[2]))
			if err != nil {
				v.t.Errorf("a time is %s", m)
			}
			return fmt.Appendf(nil, `"%s":%d`, parts[1], t.UnixNano())
		})
	}
	return got, false
}

// TestDescription takes a tour of every endpoint and holds what is sent and answered against Datadog's own
// descriptions.
func TestDescription(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 3})
	v := newValidator(t, c)
	tourOfReads(c)
	tourOfWrites(c)
	tourOfRefusals(c)
	c.sim.Advance(8 * time.Hour)
	tourOfReads(c)
	if len(v.checked) < 40 {
		t.Errorf("only %d endpoints were validated", len(v.checked))
	}
	for name, n := range v.spared {
		t.Logf("exception used %d times: %s", n, name)
	}
	for _, name := range []string{younger, objects, dates} {
		if v.spared[name] == 0 {
			t.Errorf("not needed any more: %s", name)
		}
	}
}

func (c *client) ids(path, list string, params ...string) []string {
	c.t.Helper()
	var out []string
	all, ok := c.get(path, params...).at(c.t, list).([]any)
	if !ok {
		c.t.Fatalf("%s is no list", path)
	}
	for _, x := range all {
		m, _ := x.(map[string]any)
		if inner, ok := m["data"].(map[string]any); ok {
			m = inner
		}
		out = append(out, fmt.Sprint(m["id"]))
	}
	return out
}

func tourOfReads(c *client) {
	c.t.Helper()
	now := c.sim.Now()
	c.get("/api/v1/validate")
	c.get("/api/v2/current_user")
	for _, q := range []string{"sum:http.hits{*} by {service}.as_rate()", "avg:system.cpu.used{env:prod}", "1+", "nothing.known{*}", "avg:http.latency.p95{service:reports}"} {
		c.get("/api/v1/query", "from", unix(now.Add(-time.Hour)), "to", unix(now), "query", q)
	}
	for _, kind := range []string{"timeseries", "scalar"} {
		c.do(http.StatusOK, http.MethodPost, "/api/v2/query/"+kind, formulaBody(kind, now.Add(-time.Hour), now, 60_000))
	}
	c.get("/api/v1/monitor")
	c.get("/api/v1/monitor", "group_states", "all", "with_downtimes", "true", "page", "0", "page_size", "7", "name", "cpu")
	for _, m := range []monitorBody{c.monitor("checkout", "5xx"), c.monitor("search", "cpu", "with_downtimes", "true")} {
		c.get("/api/v1/monitor/"+fmt.Sprint(m.ID), "group_states", "alert,warn,no data", "with_downtimes", "true")
	}
	c.get("/api/v1/monitor/search", "query", "status:alert tag:service:checkout", "per_page", "3", "page", "0", "sort", "name,desc")
	for _, id := range c.ids("/api/v2/downtime", "data", "include", "created_by,monitor", "current_only", "true", "page[limit]", "5") {
		c.get("/api/v2/downtime/"+id, "include", "created_by,monitor")
	}
	c.get("/api/v1/slo", "limit", "3", "offset", "1", "query", "env:prod")
	for _, id := range c.ids("/api/v1/slo/search", "data.attributes.slos", "page[size]", "100", "include_facets", "true") {
		c.get("/api/v1/slo/" + id)
		c.get("/api/v1/slo/"+id+"/history", "from_ts", unix(now.Add(-5*time.Minute)), "to_ts", unix(now), "target", "99")
		c.get("/api/v1/slo/"+id+"/history", "from_ts", unix(now.Add(-30*24*time.Hour)), "to_ts", unix(now))
	}
	c.get("/api/v2/incidents", "page[size]", "2", "page[offset]", "1", "include", "users", "include", "attachments")
	for _, id := range c.ids("/api/v2/incidents/search", "data.attributes.incidents", "query", "state:(active OR stable OR resolved)", "page[size]", "50", "sort", "created", "include", "users") {
		c.get("/api/v2/incidents/"+id, "include", "users")
		c.get("/api/v2/incidents/"+id+"/attachments", "filter[attachment_type]", "link")
		c.get("/api/v2/incidents/" + id + "/impacts")
		c.get("/api/v2/incidents/" + id + "/relationships/integrations")
		c.get("/api/v2/incidents/" + id + "/relationships/todos")
	}
	c.get("/api/v2/events", "filter[query]", "source:deployment", "filter[from]", "now-30d", "filter[to]", "now", "page[limit]", "200", "sort", "timestamp")
	c.do(http.StatusOK, http.MethodPost, "/api/v2/events/search", `{"filter":{"query":"service:checkout","from":"now-7d"},"page":{"limit":5},"sort":"-timestamp"}`)
	listed := c.do(http.StatusOK, http.MethodPost, "/api/v2/dora/deployments",
		`{"data":{"type":"dora_deployments_list_request","attributes":{"from":"2026-11-01T00:00:00Z","to":"2026-11-30T00:00:00Z","query":"service:(checkout OR ledger) env:prod","limit":50,"sort":"-finished_at"}}}`)
	c.get("/api/v2/dora/deployments/" + fmt.Sprint(listed.at(c.t, "data.0.id")))
	for _, id := range c.ids("/api/v2/team", "data", "page[size]", "2", "page[number]", "0", "filter[keyword]", "p") {
		c.get("/api/v2/team/" + id)
		c.get("/api/v2/on-call/teams/"+id+"/on-call", "include", "responders,escalations.responders")
	}
	for _, id := range c.ids("/api/v2/on-call/schedules", "data", "page[size]", "100", "include", "teams") {
		c.get("/api/v2/on-call/schedules/"+id, "include", "teams,layers,layers.members,layers.members.user")
		user := c.get("/api/v2/on-call/schedules/"+id+"/on-call", "include", "user", "filter[at_ts]", now.Add(9*time.Hour).Format(time.RFC3339))
		c.get("/api/v2/on-call/schedules/"+id+"/responders", "filter[position]", "previous,current,next", "include", "responders.shifts.user")
		c.get("/api/v2/users/" + fmt.Sprint(user.at(c.t, "data.relationships.user.data.id")))
	}
	c.get("/api/v2/services/definitions", "page[size]", "3", "page[number]", "1", "schema_version", "v2.2")
	c.get("/api/v2/services/definitions/checkout", "schema_version", "v2.2")
}

func formulaBody(kind string, from, to time.Time, interval int) string {
	step := ""
	if kind == "timeseries" {
		step = fmt.Sprintf(`"interval":%d,`, interval)
	}
	return fmt.Sprintf(`{"data":{"type":"%s_request","attributes":{"from":%d,"to":%d,%s"formulas":[{"formula":"100*errors/hits","limit":{"count":50,"order":"desc"}},{"formula":"cpu"}],"queries":[
		{"data_source":"metrics","name":"errors","aggregator":"sum","query":"sum:http.errors{env:prod} by {service}.as_count()"},
		{"data_source":"metrics","name":"hits","aggregator":"sum","query":"sum:http.hits{env:prod} by {service}.as_count()"},
		{"data_source":"metrics","name":"cpu","aggregator":"avg","query":"avg:system.cpu.used{env:prod} by {service}"}]}}}`,
		kind, from.UnixMilli(), to.UnixMilli(), step)
}

func muteBody(monitor int64, scope string, end time.Time) string {
	return fmt.Sprintf(`{"data":{"type":"downtime","attributes":{"message":"on it","monitor_identifier":{"monitor_id":%d},"scope":"%s","schedule":{"start":null,"end":"%s"}}}}`,
		monitor, scope, end.Format(time.RFC3339))
}

func stateBody(id, state string) string {
	return `{"data":{"type":"incidents","id":"` + id + `","attributes":{"fields":{"state":{"type":"dropdown","value":"` + state + `"}}}}}`
}

func tourOfWrites(c *client) {
	c.t.Helper()
	m := c.monitor("checkout", "5xx")
	down := c.do(http.StatusOK, http.MethodPost, "/api/v2/downtime", muteBody(m.ID, "env:prod", c.sim.Now().Add(time.Hour)))
	c.get("/api/v2/downtime", "page[limit]", "1", "page[offset]", "0")
	c.do(http.StatusNoContent, http.MethodDelete, "/api/v2/downtime/"+fmt.Sprint(down.at(c.t, "data.id")), "")
	id := c.ids("/api/v2/incidents/search", "data.attributes.incidents", "query", "state:active")[0]
	c.do(http.StatusOK, http.MethodPatch, "/api/v2/incidents/"+id, stateBody(id, "stable"))
	page := c.pageOf(id)
	for _, verb := range []string{"acknowledge", "escalate", "resolve"} {
		c.do(http.StatusAccepted, http.MethodPost, "/api/v2/on-call/pages/"+page+"/"+verb, "")
	}
	c.do(http.StatusOK, http.MethodPost, "/api/v2/on-call/pages",
		`{"data":{"type":"pages","attributes":{"title":"look at this","urgency":"high","target":{"type":"team_handle","identifier":"payments"}}}}`)
	posted := c.do(http.StatusAccepted, http.MethodPost, "/api/v1/events",
		`{"title":"Deployed checkout v1.9.3","text":"by hand","tags":["service:checkout","env:prod"],"alert_type":"info","source_type_name":"deployment","aggregation_key":"checkout"}`)
	c.get("/api/v1/events/" + fmt.Sprint(posted.at(c.t, "event.id_str")))
	started := c.sim.Now().Add(-time.Minute)
	c.do(http.StatusOK, http.MethodPost, "/api/v2/dora/deployment", fmt.Sprintf(
		`{"data":{"attributes":{"service":"checkout","env":"prod","version":"v1.9.3","started_at":%d,"finished_at":%d,"git":{"commit_sha":"66adc9350f2cc9b250b69abddab733dd55e1a588","repository_url":"https://github.com/acme/checkout"}}}}`,
		started.UnixNano(), started.Add(time.Minute).UnixNano()))
}

// pageOf is the On-Call page that an incident's links name.
func (c *client) pageOf(incident string) string {
	c.t.Helper()
	m := regexp.MustCompile(`/on-call/pages/([0-9a-f-]{36})`).FindSubmatch(c.get("/api/v2/incidents/" + incident + "/attachments").body)
	if m == nil {
		c.t.Fatalf("incident %s names no page", incident)
	}
	return string(m[1])
}

func tourOfRefusals(c *client) {
	c.t.Helper()
	now := c.sim.Now()
	const nobody = "00000000-0000-4000-8000-000000000000"
	for _, x := range []struct {
		status             int
		method, path, body string
	}{
		{404, "GET", "/api/v1/monitor/12345", ""},
		{400, "GET", "/api/v1/monitor/search?query=status%3Anotastatus", ""},
		{400, "GET", "/api/v1/monitor?group_states=purple", ""},
		{400, "GET", "/api/v1/query?from=1&query=avg:x%7B*%7D", ""},
		{404, "GET", "/api/v1/slo/" + nobody, ""},
		{400, "GET", "/api/v1/slo/" + c.ids("/api/v1/slo", "data")[0] + "/history?from_ts=5&to_ts=4", ""},
		{404, "DELETE", "/api/v2/downtime/" + nobody, ""},
		{400, "POST", "/api/v2/downtime", `{"data":{"type":"downtime","attributes":{"scope":"*"}}}`},
		{404, "GET", "/api/v2/incidents/" + nobody, ""},
		{404, "GET", "/api/v2/incidents/" + nobody + "/attachments", ""},
		{404, "POST", "/api/v2/on-call/pages/" + nobody + "/acknowledge", ""},
		{404, "GET", "/api/v2/on-call/teams/" + nobody + "/on-call", ""},
		{404, "GET", "/api/v2/on-call/schedules/" + nobody + "/on-call", ""},
		{405, "GET", "/api/v2/on-call/pages", ""},
		{404, "GET", "/api/v2/nothing/of/the/kind", ""},
		{400, "POST", "/api/v1/events", `{"text":"no title"}`},
		{400, "POST", "/api/v2/dora/deployments", `{"data":{"attributes":{"limit":10}}}`},
		{400, "POST", "/api/v2/query/timeseries", strings.Replace(formulaBody("timeseries", now.Add(-time.Hour), now, 0), "sum:http", "sum;http", 1)},
		{400, "POST", "/api/v2/query/scalar", formulaBody("scalar", now.AddDate(-7, 0, 0), now.AddDate(-6, 0, 0), 0)},
		{404, "GET", "/api/v2/services/definitions/nobody", ""},
	} {
		c.do(x.status, x.method, x.path, x.body)
	}
	c.app = "nobody's"
	c.do(http.StatusForbidden, http.MethodGet, "/api/v1/monitor", "")
	c.do(http.StatusForbidden, http.MethodGet, "/api/v2/team", "")
	c.api, c.app = "", ""
	c.do(http.StatusUnauthorized, http.MethodGet, "/api/v2/incidents", "")
	c.api, c.app = c.sim.Token(), c.sim.Token()
}
