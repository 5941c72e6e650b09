package datadog_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/datadog"
	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/simulator/world"
)

// client is a bare client of Datadog's half of a simulator.
type client struct {
	t        testing.TB
	sim      *simulator.Simulator
	http     *http.Client
	api, app string
}

// start starts a simulator that ends with the test.
func start(t testing.TB, o simulator.Options) *client {
	t.Helper()
	sim, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{t: t, sim: sim, http: &http.Client{Transport: tr}, api: sim.Token(), app: sim.Token()}
}

// direct is a client of a Server without a simulator around it: of a world whose clock stands still.
func direct(t testing.TB, w *world.World, cfg datadog.Config) (*client, *datadog.Server) {
	t.Helper()
	cfg.With, cfg.Token, cfg.API, cfg.HTML = func(f func(*world.World)) { f(w) }, "token", "http://dd.example", "https://app.example"
	s := datadog.New(cfg)
	return &client{t: t, http: &http.Client{Transport: inProcess{s}}, api: "token", app: "token"}, s
}

// inProcess answers without a network.
type inProcess struct{ h http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := newRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	p.h.ServeHTTP(rec, r)
	return &http.Response{
		StatusCode: rec.status, Header: rec.header, Body: io.NopCloser(&rec.body), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}, status: http.StatusOK} }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// answer is a response with its body read.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: %v in %.200s", a.Request.URL, err, a.body)
	}
}

// at finds a value in an answer: "data.0.attributes.state".
func (a answer) at(t testing.TB, path string) any {
	t.Helper()
	var v any
	a.into(t, &v)
	for _, part := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			n, err := strconv.Atoi(part)
			if err != nil || n >= len(x) {
				t.Fatalf("%s: no %s in %.300s", a.Request.URL, path, a.body)
			}
			v = x[n]
		default:
			t.Fatalf("%s: no %s in %.300s", a.Request.URL, path, a.body)
		}
	}
	return v
}

func (c *client) base() string {
	if c.sim == nil {
		return "http://dd.example"
	}
	return c.sim.URL()
}

func (c *client) try(method, path, body string) (answer, error) {
	c.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = c.base() + path
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if strings.Contains(path, "/-/") {
		req.Header.Set("Authorization", "Bearer "+c.sim.Token())
	}
	for name, v := range map[string]string{"DD-API-KEY": c.api, "DD-APPLICATION-KEY": c.app} {
		if v != "" {
			req.Header.Set(name, v)
		}
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return answer{resp, b}, err
}

// do asks, and wants that status.
func (c *client) do(status int, method, path, body string) answer {
	c.t.Helper()
	a, err := c.try(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.StatusCode != status {
		c.t.Fatalf("%s %s: status %d, want %d: %.400s", method, path, a.StatusCode, status, a.body)
	}
	return a
}

func (c *client) get(path string, params ...string) answer {
	c.t.Helper()
	return c.do(http.StatusOK, http.MethodGet, address(path, params...), "")
}

// address is a path with parameters: names and values in turn.
func address(path string, params ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(params); i += 2 {
		q.Add(params[i], params[i+1])
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (c *client) inject(r fault.Rule) {
	c.t.Helper()
	c.sim.ClearFaults()
	if err := c.sim.Inject(r); err != nil {
		c.t.Fatal(err)
	}
}

// incident is the newest incident of a service, as it truly is.
func (c *client) incident(service string) simulator.IncidentTruth {
	c.t.Helper()
	list := c.sim.Truth().Incidents
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Service == service {
			return list[i]
		}
	}
	c.t.Fatalf("no incident of %s", service)
	return simulator.IncidentTruth{}
}

// monitorBody is what the tests read of a monitor.
type monitorBody struct {
	ID      int64
	Name    string
	Tags    []string
	State   string `json:"overall_state"`
	Options struct{ Silenced map[string]*int64 }
	Groups  struct {
		Groups map[string]struct {
			Status    string
			Triggered int64 `json:"last_triggered_ts"`
		}
	} `json:"state"`
	Downtimes []struct{ End *int64 } `json:"matching_downtimes"`
}

func (c *client) monitor(service, name string, params ...string) monitorBody {
	c.t.Helper()
	var list []monitorBody
	c.get("/api/v1/monitor", append(params, "monitor_tags", "service:"+service)...).into(c.t, &list)
	for _, m := range list {
		if strings.Contains(m.Name, name) {
			return m
		}
	}
	c.t.Fatalf("no monitor %q of %s", name, service)
	return monitorBody{}
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
