package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
)

// now is the moment of these tests.
var now = time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)

const scope = "acme/checkout"

// obj is a JSON object.
type obj = map[string]any

// ago is a time before now as GitHub writes it.
func ago(d time.Duration) string { return now.Add(-d).Format(time.RFC3339) }

// hub is a GitHub that answers what a test has put there, with ETags.
type hub struct {
	t   testing.TB
	srv *httptest.Server

	mu       sync.Mutex
	answers  map[string]http.HandlerFunc // by path, or by path and raw query
	seen     []*http.Request
	answered map[int]int // by status
}

func newHub(t testing.TB) *hub {
	h := &hub{t: t, answers: map[string]http.HandlerFunc{}, answered: map[int]int{}}
	h.srv = httptest.NewServer(h)
	t.Cleanup(h.srv.Close)
	h.json("/repos/"+scope, obj{"id": 1, "full_name": scope, "default_branch": "main", "html_url": "https://github.com/" + scope})
	h.json("/repos/"+scope+"/actions/runs", runs())
	h.json("/repos/"+scope+"/actions/runs?per_page=30&status=waiting", runs())
	h.json("/repos/"+scope+"/tags", []any{})
	h.json("/repos/"+scope+"/deployments", []any{})
	return h
}

func runs(rs ...obj) obj { return obj{"total_count": len(rs), "workflow_runs": append([]obj{}, rs...)} }

// json answers v as JSON at a path; a path with a query is preferred to one without.
func (h *hub) json(path string, v any, headers ...string) { h.status(path, 200, v, headers...) }

func (h *hub) status(path string, status int, v any, headers ...string) {
	body, err := json.Marshal(v)
	if err != nil {
		h.t.Fatal(err)
	}
	if raw, ok := v.(string); ok {
		body = []byte(raw)
	}
	sum := sha256.Sum256(slices.Concat(body, fmt.Append(nil, headers)))
	h.handle(path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		if status == 200 {
			etag := `W/"` + hex.EncodeToString(sum[:8]) + `"`
			w.Header().Set("ETag", etag)
			if r.Header.Get("If-None-Match") == etag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

func (h *hub) handle(path string, f http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers[path] = f
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.seen = append(h.seen, r)
	query, _ := url.QueryUnescape(r.URL.RawQuery)
	f, ok := h.answers[r.URL.EscapedPath()+"?"+query]
	if !ok {
		f, ok = h.answers[r.URL.EscapedPath()]
	}
	h.mu.Unlock()
	if !ok {
		f = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"message":"Not Found"}`))
		}
	}
	rec := &statusWriter{ResponseWriter: w, status: 200}
	f(rec, r)
	h.mu.Lock()
	h.answered[rec.status]++
	h.mu.Unlock()
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(s int) { w.status = s; w.ResponseWriter.WriteHeader(s) }

func (w *statusWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// asked are the paths that were asked for since the last call, with their queries.
func (h *hub) asked() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, r := range h.seen {
		q, _ := url.QueryUnescape(r.URL.RawQuery)
		out = append(out, strings.TrimSuffix(r.URL.EscapedPath()+"?"+q, "?"))
	}
	h.seen, h.answered = nil, map[int]int{}
	return out
}

func (h *hub) requests() []*http.Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*http.Request{}, h.seen...)
}

// purse is a budget that counts.
type purse struct {
	mu      sync.Mutex
	spent   int
	reports []sources.Rate
	refuse  error
}

func (p *purse) Take(string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return p.refuse
	}
	p.spent++
	return nil
}

func (p *purse) TakeUrgent(key string) error { return p.Take(key) }

func (p *purse) Report(_ string, r sources.Rate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reports = append(p.reports, r)
}

func (p *purse) Refund(string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spent--
}

func (p *purse) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spent
}

type rig struct {
	*source
	hub   *hub
	purse *purse
}

const testToken = "ghp_notARealTokenButLongEnough"

func testEnv(p *purse) sources.Env {
	return sources.Env{
		Source: "github", Transport: http.DefaultTransport, Budget: p, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return now }, UserAgent: "signalbox-test",
	}
}

// open opens a source on h with a token in the environment.
func openOn(t testing.TB, h *hub, edit ...func(*Config)) rig {
	t.Helper()
	cfg := &Config{BaseURL: h.srv.URL}
	cfg.Token = tokenRef(t)
	for _, f := range edit {
		f(cfg)
	}
	p := &purse{}
	src, err := open(testEnv(p), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := src.(*source)
	if !ok {
		t.Fatalf("open returned a %T", src)
	}
	t.Cleanup(func() { _ = s.Close() })
	return rig{s, h, p}
}

// tokenRef is a reference to testToken: a command, because tests run in parallel and share an
// environment.
func tokenRef(t testing.TB) secret.Ref {
	t.Helper()
	return parseRef(t, "cmd:printf "+testToken)
}

func parseRef(t testing.TB, text string) secret.Ref {
	t.Helper()
	var r secret.Ref
	if err := r.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return r
}

func ask(services ...sources.ServiceSpec) sources.Query {
	return sources.Query{Scope: scope, Now: now, Services: services}
}

func (r rig) runs(t testing.TB, q sources.Query) []sources.Run {
	t.Helper()
	b, err := r.ListRuns(context.Background(), q)
	if err != nil {
		t.Fatalf("ListRuns: %v", err)
	}
	return b.Items
}

func (r rig) lanes(t testing.TB, q sources.Query) []sources.Environment {
	t.Helper()
	b, err := r.ListEnvironments(context.Background(), q)
	if err != nil {
		t.Fatalf("ListEnvironments: %v", err)
	}
	return b.Items
}

// wireOf is a run as GitHub tells it; fields override the defaults: a push to main that passed.
func wireOf(id int, fields obj) obj {
	r := obj{
		"id": id, "name": "ci", "path": ".github/workflows/ci.yml", "display_title": "Retry card tokens",
		"run_number": id, "run_attempt": 1, "event": "push", "status": "completed", "conclusion": "success",
		"head_branch": "main", "head_sha": sha(id), "html_url": fmt.Sprintf("https://github.com/%s/actions/runs/%d", scope, id),
		"workflow_id": 7, "actor": obj{"login": "dev4"}, "triggering_actor": obj{"login": "dev4"},
		"created_at": ago(time.Hour), "run_started_at": ago(time.Hour), "updated_at": ago(50 * time.Minute),
		"pull_requests":   []any{},
		"head_commit":     obj{"id": sha(id), "message": "Retry card tokens (#418)\n\nbody", "timestamp": ago(2 * time.Hour), "author": obj{"name": "Dev Four"}},
		"repository":      obj{"full_name": scope},
		"head_repository": obj{"full_name": scope},
	}
	for k, v := range fields {
		r[k] = v
	}
	return r
}

// sha is a SHA made of a number.
func sha(n int) string { return fmt.Sprintf("%040x", n+0xa000000) }

func jobs(js ...obj) obj { return obj{"total_count": len(js), "jobs": js} }

func wireJobOf(id int, name, status, conclusion string, fields obj) obj {
	j := obj{
		"id": id, "run_id": 1, "run_attempt": 1, "name": name, "status": status, "conclusion": nil,
		"created_at": ago(10 * time.Minute), "started_at": ago(9 * time.Minute), "completed_at": nil,
		"html_url": fmt.Sprintf("https://github.com/%s/actions/runs/1/job/%d", scope, id), "labels": []string{"ubuntu-latest"},
		"runner_name": "runner-1", "steps": []any{},
	}
	if conclusion != "" {
		j["conclusion"], j["completed_at"] = conclusion, ago(5*time.Minute)
	}
	for k, v := range fields {
		j[k] = v
	}
	return j
}

func errorOf(t testing.TB, err error) *sources.Error {
	t.Helper()
	var e *sources.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is a %T: %v", err, err)
	}
	return e
}
