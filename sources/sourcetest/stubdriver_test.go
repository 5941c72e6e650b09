package sourcetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

const (
	stubHost   = "api.stub.example"
	stubSecret = "sEcReT-7261"
)

// mutant is a way in which the stub driver breaks its promises; "" is the driver as it should be.
type mutant string

// stubAPI is a provider with one list of runs in pages of two.
type stubAPI struct {
	mu   sync.Mutex
	runs []stubRun
	gen  []int // of each page
}

type stubRun struct {
	ID    int    `json:"id"`
	Title string `json:"title"`
	State string `json:"state"`
	Event string `json:"event"`
}

type stubPage struct {
	Runs []stubRun `json:"runs"`
	Next int       `json:"next"`
}

func newStubAPI(testing.TB) Provider {
	api := &stubAPI{gen: make([]int, 3)}
	for i := range 5 {
		api.runs = append(api.runs, stubRun{ID: 100 + i, Title: "Fix the rounding", State: "running", Event: "push"})
	}
	return Provider{Handler: api, Change: api.change}
}

func (a *stubAPI) change() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.runs[0].State = "passed"
	a.gen[0]++
}

func (a *stubAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if r.URL.Path != "/runs" || err != nil || page < 1 || page > len(a.gen) {
		http.NotFound(w, r)
		return
	}
	etag := fmt.Sprintf("%q", fmt.Sprint(page, a.gen[page-1]))
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Etag", etag)
	w.Header().Set("Content-Type", "application/json")
	answer := stubPage{Runs: a.runs[2*(page-1) : min(2*page, len(a.runs))]}
	if page < len(a.gen) {
		answer.Next = page + 1
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(err)
	}
}

type stubConfig struct{ Token secretText }

// secretText redacts itself.
type secretText struct{ s string }

func (secretText) String() string               { return "[secret]" }
func (secretText) GoString() string             { return "[secret]" }
func (secretText) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, "[secret]") }
func (secretText) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

type openConfig struct {
	stubConfig
	Plain string
}

func stubHarness(m mutant) Harness {
	shared := &stubConfig{}
	d := sources.Driver{
		Name: "stub", Doc: "A stub.", Sample: "token: x\n",
		Config: func() any {
			if m == "one config for all" {
				return shared
			}
			return &stubConfig{}
		},
		Open: func(env sources.Env, config any) (sources.Source, error) { return openStub(env, config, m) },
	}
	switch m {
	case "upper case name":
		d.Name = "Stub"
	case "no sample":
		d.Sample = ""
	}
	return Harness{
		Driver: d,
		Config: func(testing.TB) any {
			if m == "config shows the secret" {
				return &openConfig{stubConfig{secretText{stubSecret}}, stubSecret}
			}
			return &stubConfig{secretText{stubSecret}}
		},
		Secret: stubSecret, CredentialHosts: []string{stubHost}, Provider: newStubAPI,
		Reads:    []Read{{Capability: "runs", Query: sources.Query{Scope: "acme/checkout"}}},
		Now:      time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC),
		FreeText: []string{"Fix the rounding"},
	}
}

func openStub(env sources.Env, config any, m mutant) (sources.Source, error) {
	if o, ok := config.(*openConfig); ok {
		config = &o.stubConfig
	}
	if m == "panics on a foreign config" {
		_ = config.(*stubConfig).Token //nolint:forcetypeassert // the mutant's point
	}
	c, ok := config.(*stubConfig)
	if !ok && m != "takes any config" {
		return nil, errors.New("not my config")
	}
	if !ok {
		c = &stubConfig{}
	}
	s := &stubSource{env: env, token: c.Token.s, m: m, memo: make(map[int]memo)}
	if m == "network in Open" {
		_, _ = s.page(context.Background(), 1)
	}
	if m == "leaves a goroutine" {
		go func() { select {} }()
	}
	return s, nil
}

type memo struct {
	etag string
	page stubPage
}

type stubSource struct {
	env   sources.Env
	token string
	m     mutant

	mu      sync.Mutex
	memo    map[int]memo
	pending bool // something changed that no whole answer has reported yet
	had     bool
	reads   int
	busy    int
	reused  []sources.Run
}

func (s *stubSource) Name() string {
	if s.m == "its own name" {
		return "stub"
	}
	return s.env.Source
}

func (s *stubSource) Close() error { return nil }

func (s *stubSource) ListRuns(ctx context.Context, _ sources.Query) (sources.Batch[sources.Run], error) {
	if s.m == "ignores its context" {
		ctx = context.WithoutCancel(ctx)
	}
	if s.m == "one at a time" {
		s.mu.Lock()
		s.busy++
		busy := s.busy
		s.mu.Unlock()
		defer func() { s.mu.Lock(); s.busy--; s.mu.Unlock() }()
		for range 100 { // gives others the time to come
			if busy > 1 {
				return sources.Batch[sources.Run]{}, &sources.Error{Op: "list runs", Msg: "busy"}
			}
			time.Sleep(time.Microsecond)
		}
	}
	s.mu.Lock()
	s.reads++
	reads := s.reads
	s.mu.Unlock()
	var items []sources.Run
	changed := false
	for page := 1; page > 0; {
		p, err := s.page(ctx, page)
		switch {
		case errors.Is(err, sources.ErrNotModified):
			s.mu.Lock()
			p = s.memo[page].page
			s.mu.Unlock()
		case err != nil && s.m == "half an answer" && page > 1:
			return sources.Batch[sources.Run]{Items: items}, nil
		case err != nil && s.m == "items with an error":
			return sources.Batch[sources.Run]{Items: make([]sources.Run, 1)}, err
		case err != nil:
			return sources.Batch[sources.Run]{}, err
		default:
			changed = true
		}
		for _, r := range p.Runs {
			items = append(items, s.convert(r, reads, len(items)))
		}
		page = p.Next
		if s.m == "first page only" {
			break
		}
	}
	return s.answer(items, changed, reads)
}

func (s *stubSource) answer(items []sources.Run, changed bool, reads int) (sources.Batch[sources.Run], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == "never modified again" && s.had {
		return sources.Batch[sources.Run]{}, sources.ErrNotModified
	}
	if s.had && !changed && (!s.pending || s.m == "forgets after a failure") {
		return sources.Batch[sources.Run]{}, sources.ErrNotModified
	}
	s.pending, s.had = false, true
	if s.m == "changes its answers" {
		s.reused = append(s.reused[:0], items...)
		items = s.reused
	}
	if s.m == "order of chance" && reads%2 == 0 {
		slices.Reverse(items)
	}
	return sources.Batch[sources.Run]{Items: items, Busy: sources.Live}, nil
}

func (s *stubSource) convert(r stubRun, reads, index int) sources.Run {
	states := map[string]sources.State{"running": sources.StateRunning, "passed": sources.StatePassed}
	run := sources.Run{
		Ref:      sources.Ref{Source: s.env.Source, Kind: sources.KindRun, Scope: "acme/checkout", ID: strconv.Itoa(r.ID)},
		Revision: sources.Revision(r.State), Title: clean.Line(r.Title), State: states[r.State], Event: r.Event,
	}
	switch s.m {
	case "refs with the driver's name":
		run.Ref.Source = "stub"
	case "ids of chance":
		run.Ref.ID = fmt.Sprintf("%p-%d", s, index)
	case "one id for all":
		run.Ref.ID = "1"
	case "no kind":
		run.Ref.Kind = ""
	case "one revision for ever":
		run.Revision = "1"
	case "a revision each time":
		run.Revision = sources.Revision(fmt.Sprintf("revision-%d", reads))
	case "no revision":
		run.Revision = ""
	case "raw text":
		run.Event = r.Title
	}
	return run
}

func (s *stubSource) request(ctx context.Context, page int) (*http.Request, error) {
	url := fmt.Sprintf("https://%s/runs?page=%d", stubHost, page)
	if s.m == "secret in the address" {
		url += "&token=" + s.token
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.memo[page]; ok {
		req.Header.Set("If-None-Match", m.etag)
	}
	return req, nil
}

func (s *stubSource) page(ctx context.Context, page int) (stubPage, error) {
	switch err := s.env.Budget.Take("stub"); {
	case s.m == "asks no budget" || err != nil && s.m == "sends what was refused":
	case err != nil:
		return stubPage{}, s.problem(sources.Throttled, err.Error(), err)
	}
	if s.m == "asks no budget" && page > 1 {
		s.env.Log.Debug("next page")
	}
	req, err := s.request(ctx, page)
	if err != nil {
		return stubPage{}, s.problem(sources.Invalid, "bad request", err)
	}
	if s.m == "secret in the log" {
		s.env.Log.Info("sending", "headers", req.Header)
	}
	res, err := s.send(req)
	if err != nil {
		return stubPage{}, s.problem(sources.Transient, "no connection", err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := s.refusal(res); err != nil {
		return stubPage{}, err
	}
	data, err := io.ReadAll(res.Body)
	if err != nil && s.m != "half a body will do" {
		return stubPage{}, s.problem(sources.Transient, "the connection broke", err)
	}
	var p stubPage
	if err := json.Unmarshal(data, &p); err != nil && s.m != "half a body will do" && s.m != "takes web pages" {
		return stubPage{}, s.problem(sources.Transient, "not JSON", err)
	}
	if len(p.Runs) == 0 && s.m != "half a body will do" && s.m != "takes web pages" {
		return stubPage{}, s.problem(sources.Invalid, "an answer without runs", nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memo[page] = memo{res.Header.Get("Etag"), p}
	s.pending = true
	return p, nil
}

func (s *stubSource) send(req *http.Request) (*http.Response, error) {
	client := &http.Client{Transport: s.env.Transport}
	if s.m == "takes its secret along" {
		client.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
			next.Header.Set("Authorization", req.Header.Get("Authorization"))
			return nil
		}
	}
	return client.Do(req)
}

// refusal is nil when res holds data.
func (s *stubSource) refusal(res *http.Response) error {
	switch res.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotModified:
		s.env.Budget.Refund("stub")
		return sources.ErrNotModified
	case http.StatusTooManyRequests:
		err := s.problem(sources.Throttled, "too many requests", nil)
		var e *sources.Error
		if seconds, cerr := strconv.Atoi(res.Header.Get("Retry-After")); cerr == nil && errors.As(err, &e) && s.m != "no time to come back" {
			e.RetryAt = s.env.Now().Add(time.Duration(seconds) * time.Second)
		}
		return err
	case http.StatusUnauthorized, http.StatusForbidden:
		return s.problem(sources.Permission, "not allowed", nil)
	case http.StatusNotFound:
		return s.problem(sources.NotExist, "not there", nil)
	default:
		return s.problem(sources.Transient, "answered "+strconv.Itoa(res.StatusCode), nil)
	}
}

func (s *stubSource) problem(kind sources.ErrKind, msg string, err error) error {
	e := &sources.Error{Kind: kind, Op: "list runs", Scope: "acme/checkout", Msg: msg, Err: err}
	if inner, ok := errors.AsType[*sources.Error](err); ok {
		e.Kind, e.Msg, e.RetryAt = inner.Kind, inner.Msg, inner.RetryAt
	}
	switch s.m {
	case "plain errors":
		return fmt.Errorf("list runs: %s: %w", msg, errors.New(msg))
	case "one kind of error":
		e.Kind = sources.Transient
	case "errors without words":
		e.Msg = ""
	case "errors in sentences":
		e.Msg = strings.ToUpper(e.Msg[:1]) + e.Msg[1:] + "."
	case "secret in the error":
		e.Err = fmt.Errorf("with %s: %w", s.token, err)
	}
	return e
}
