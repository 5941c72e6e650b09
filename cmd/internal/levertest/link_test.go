package levertest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator/datadog"
	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/simulator/github"
	"example.com/signalbox/sources/simulator/pagerduty"
)

// phase is how far an action is when a request leaves.
type phase uint8

const (
	planning phase = iota // nothing has been confirmed yet
	before                // it is being carried out, and nothing was sent yet
	writing               // the request that changes something
	after                 // what became of it is looked at
)

// ill is one way in which a request goes wrong. Its zero value does nothing.
type ill struct {
	name string
	rule fault.Rule
	own  func(*link, *http.Request) (*http.Response, error) // what the network does, in the place of rule
	// What is true of a write that it strikes. sent: the request may have arrived, as far as its sender can tell.
	sent, applied bool
	either        bool // it cannot have been carried out, and not every driver knows
}

func status(code int) ill {
	return ill{name: itoa(code), rule: fault.Rule{Kind: fault.Status, Code: code}}
}

// ills are all of them.
func ills() []ill {
	unsure := func(i ill) ill { i.sent = true; return i }
	return []ill{
		{name: "not connected", own: func(*link, *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}},
		{name: "request lost", rule: fault.Rule{Kind: fault.LostRequest}, sent: true},
		{name: "answer lost", rule: fault.Rule{Kind: fault.LostAnswer}, sent: true, applied: true},
		{name: "hang", rule: fault.Rule{Kind: fault.Hang}, sent: true},
		{name: "applied, then hang", rule: fault.Rule{Kind: fault.Stall}, sent: true, applied: true},
		{name: "cut in the body", own: cut(errReset), sent: true, applied: true}, //nolint:bodyclose // its reader closes it
		{name: "hang in the body", own: cut(nil), sent: true, applied: true},     //nolint:bodyclose // its reader closes it
		{name: "truncated JSON", rule: fault.Rule{Kind: fault.Truncate}, sent: true, applied: true},
		{name: "wrong types", rule: fault.Rule{Kind: fault.WrongTypes}, sent: true, applied: true},
		{name: "an error in a 200", rule: fault.Rule{Kind: fault.ErrorIn200}, sent: true, applied: true},
		status(http.StatusBadRequest), status(http.StatusUnauthorized), status(http.StatusForbidden), status(http.StatusNotFound),
		status(http.StatusConflict), status(http.StatusUnprocessableEntity),
		unsure(status(http.StatusRequestTimeout)),
		{name: "429", rule: fault.Rule{Kind: fault.Secondary, Code: http.StatusTooManyRequests, RetryAfter: 5}},
		unsure(status(http.StatusInternalServerError)), unsure(status(http.StatusServiceUnavailable)),
		{name: "HTML 502", rule: fault.Rule{Kind: fault.HTML}, sent: true},
		{name: "HTML 200", rule: fault.Rule{Kind: fault.HTML, Code: http.StatusOK}, sent: true},
		{name: "applied, and HTML 502", own: appliedThenProxy, sent: true, applied: true},
		{name: "redirect", own: func(_ *link, r *http.Request) (*http.Response, error) {
			res := reply(r, http.StatusFound, "text/html", "")
			res.Header.Set("Location", "https://sign-in.example.com/")
			return res, nil
		}, either: true},
	}
}

func theIll(t testing.TB, name string) ill {
	t.Helper()
	all := ills()
	i := slices.IndexFunc(all, func(x ill) bool { return x.name == name })
	if i < 0 {
		t.Fatalf("no ill is called %q", name)
	}
	return all[i]
}

func reply(r *http.Request, code int, kind, body string) *http.Response {
	return &http.Response{
		Status: itoa(code) + " " + http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// cut lets the request through and breaks the connection within the answer's body; with nil, it only falls silent.
func cut(end error) func(*link, *http.Request) (*http.Response, error) {
	return func(l *link, r *http.Request) (*http.Response, error) {
		res, err := l.carry(r, nil)
		if err != nil {
			return nil, err
		}
		body, _ := io.ReadAll(res.Body)
		res.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(body[:len(body)/2])), broken{r.Context(), end}))
		res.ContentLength = -1
		return res, nil
	}
}

type broken struct {
	ctx context.Context
	end error
}

func (b broken) Read([]byte) (int, error) {
	if b.end != nil {
		return 0, b.end
	}
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

var errReset = error(&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)})

// appliedThenProxy lets the request through; a proxy in between gave up waiting.
func appliedThenProxy(l *link, r *http.Request) (*http.Response, error) {
	if _, err := l.carry(r, nil); err != nil {
		return nil, err
	}
	return reply(r, http.StatusBadGateway, "text/html; charset=utf-8", "<html><body><h1>502 Bad Gateway</h1></body></html>"), nil
}

// link carries requests into a provider, in the time of the test's bubble, and lets them go wrong.
type link struct {
	handler http.Handler
	sim     *earth    // whose clock goes with the bubble's; nil: none
	speed   float64   // seconds of the world in one of the bubble
	still   time.Time // where there is neither: the time that it always is

	mu      sync.Mutex
	epoch   time.Time
	begin   time.Time
	phase   phase
	seen    map[phase]int
	strikes func(p phase, nth int, r *http.Request) *ill // nil: nothing goes wrong
	writes  []string                                     // what was sent that may change something
	onWrite func(*http.Request)
}

func newLink(sim *earth, speed float64) *link {
	return &link{handler: sim.Handler(), sim: sim, speed: speed, epoch: time.Now(), begin: sim.Now(), seen: map[phase]int{}}
}

// now is the world's time, and brings its clock up to it.
func (l *link) now() time.Time {
	switch {
	case !l.still.IsZero():
		return l.still
	case l.sim == nil:
		return time.Now()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.begin.Add(time.Duration(float64(time.Since(l.epoch)) * l.speed))
	if d := now.Sub(l.sim.Now()); d > 0 {
		l.sim.forward(d)
	}
	return now
}

func mayWrite(r *http.Request) bool {
	asks := strings.HasPrefix(r.URL.Path, "/api/v2/query/") || strings.HasSuffix(r.URL.Path, "/search") || strings.HasSuffix(r.URL.Path, "/dora/deployments")
	return r.Method != http.MethodGet && r.Method != http.MethodHead && !asks
}

// enter says that a phase begins.
func (l *link) enter(p phase, strikes func(p phase, nth int, r *http.Request) *ill) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase, l.strikes, l.seen = p, strikes, map[phase]int{}
}

func (l *link) sent() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.writes)
}

// RoundTrip implements http.RoundTripper.
func (l *link) RoundTrip(r *http.Request) (*http.Response, error) {
	l.now()
	is := l.admit(r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	switch {
	case is == nil:
		return l.carry(r, nil)
	case is.own != nil:
		return is.own(l, r)
	default:
		return l.carry(r, &is.rule)
	}
}

// admit notes a request, and tells what goes wrong with it.
func (l *link) admit(r *http.Request) *ill {
	l.mu.Lock()
	at := l.phase
	if mayWrite(r) && at > planning {
		at, l.phase = writing, after
	}
	if mayWrite(r) {
		l.writes = append(l.writes, r.Method+" "+r.URL.Path)
	}
	n := l.seen[at]
	l.seen[at]++
	strikes, told := l.strikes, l.onWrite
	l.mu.Unlock()
	if mayWrite(r) && told != nil {
		told(r)
	}
	if strikes == nil {
		return nil
	}
	return strikes(at, n, r)
}

// carry serves a request, with a fault or without.
func (l *link) carry(r *http.Request, rule *fault.Rule) (res *http.Response, err error) {
	h := l.handler
	if rule != nil {
		var set fault.Set
		one := *rule
		one.Path = "/**"
		if err := set.Add(one); err != nil {
			return nil, err
		}
		h = set.Wrap(vendorOf(r), h)
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), headerTimeout, errSilent{})
	defer cancel()
	in := r.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	defer func() {
		switch p := recover(); {
		case p == nil:
		case errors.Is(asError(p), http.ErrAbortHandler): // the connection was broken
			res, err = nil, errReset
		default:
			panic(p)
		}
	}()
	h.ServeHTTP(rec, in)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	res = rec.Result()
	res.Request = r
	res.Body = &within{ctx: r.Context(), ReadCloser: res.Body}
	return res, nil
}

// headerTimeout is for how long the real transport waits for the head of an answer.
const headerTimeout = 30 * time.Second

type errSilent struct{}

func (errSilent) Error() string { return "net/http: timeout awaiting response headers" }

func (errSilent) Timeout() bool { return true }

func (errSilent) Temporary() bool { return true }

func asError(v any) error {
	err, _ := v.(error)
	return err
}

// within ends with the request's context, as a real body does.
type within struct {
	ctx context.Context
	io.ReadCloser
}

func (w *within) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.ReadCloser.Read(p)
}

func vendorOf(r *http.Request) fault.Vendor {
	switch {
	case strings.HasPrefix(r.URL.Path, "/pagerduty/"):
		return fault.Vendor{Name: "pagerduty", Refuse: pagerduty.Refusal}
	case strings.HasPrefix(r.URL.Path, "/api/v1/"), strings.HasPrefix(r.URL.Path, "/api/v2/"):
		return fault.Vendor{Name: "datadog", Refuse: datadog.Refusal}
	}
	return fault.Vendor{Name: "github", Refuse: github.Refusal}
}
