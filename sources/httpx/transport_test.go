package httpx

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

var now = time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)

// ledger is a budget that writes down what it is told.
type ledger struct {
	mu     sync.Mutex
	lines  []string
	refuse error
}

func (l *ledger) note(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, s)
}

func (l *ledger) Take(k string) error { l.note("take " + k); return l.refuse }
func (l *ledger) TakeUrgent(k string) error {
	l.note("take " + k + " at once")
	return nil
}
func (l *ledger) Refund(k string) { l.note("refund " + k) }
func (l *ledger) Report(k string, r sources.Rate) {
	l.note(fmt.Sprintf("report %s %d/%d %s", k, r.Remaining, r.Limit, r.Reset.Sub(now)))
}

func (l *ledger) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "; ")
}

func host(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return HostOf(u)
}

// client is one with a Transport for the server's host.
func client(t *testing.T, srv *httptest.Server, edit ...func(*Options)) (*http.Client, *ledger) {
	t.Helper()
	l := &ledger{}
	o := Options{
		Base: http.DefaultTransport, Hosts: []string{host(t, srv.URL)}, BudgetKey: "k", Budget: l,
		Authorize: func(r *http.Request) error { r.Header.Set("Authorization", "Bearer s3cr3t"); return nil },
		UserAgent: "test", Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
	}
	for _, f := range edit {
		f(&o)
	}
	return &http.Client{Transport: NewTransport(o)}, l
}

func serve(t *testing.T, f http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return srv
}

func fetch(t *testing.T, c *http.Client, ctx context.Context, address string) (string, error) { //nolint:revive // the client is what is tested
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode == http.StatusNotModified {
		err = errors.New("304 was not decoded")
	}
	return string(b), err
}

func TestCredentialGoesToItsHostsAlone(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	var mu sync.Mutex
	note := func(who string, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[who] = r.Header.Get("Authorization")
	}
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { note("other", r) })
	ours := serve(t, func(w http.ResponseWriter, r *http.Request) {
		note("ours", r)
		http.Redirect(w, r, other.URL, http.StatusFound)
	})
	c, l := client(t, ours)
	req, _ := http.NewRequest(http.MethodGet, ours.URL, nil)
	req.Header.Set("X-Mine", "1")
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if seen["ours"] != "Bearer s3cr3t" || seen["other"] != "" {
		t.Errorf("credentials %v", seen)
	}
	if req.Header.Get("Authorization") != "" || req.Header.Get("User-Agent") != "" {
		t.Errorf("the caller's request was changed: %v", req.Header)
	}
	if l.all() != "take k" {
		t.Errorf("the other host's request was counted: %s", l.all())
	}
	direct, _ := http.NewRequest(http.MethodGet, other.URL, nil)
	direct.Header.Set("Authorization", "Bearer s3cr3t")
	if res, err = c.Do(direct); err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if seen["other"] != "" {
		t.Error("a credential that a caller added went to another host")
	}
}

func TestPlainHTTPIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	c, _ := client(t, serve(t, func(http.ResponseWriter, *http.Request) {}))
	for _, address := range []string{"http://example.com/x", "http://127.0.0.1.example.com/", "ftp://localhost/"} {
		_, err := fetch(t, c, t.Context(), address)
		if e, ok := errors.AsType[*sources.Error](err); !ok || e.Kind != sources.Invalid || e.Fix == "" {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	reset := fmt.Sprint(now.Add(time.Hour).Unix())
	for name, c := range map[string]struct {
		status  int
		headers []string
		want    string
	}{
		"200":       {200, []string{"X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "4999", "X-RateLimit-Reset", reset}, "take k; report k 4999/5000 1h0m0s"},
		"304":       {304, []string{"X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "4999", "X-RateLimit-Reset", reset}, "take k; refund k; report k 4999/5000 1h0m0s"},
		"seconds":   {200, []string{"RateLimit-Limit", "960", "RateLimit-Remaining", "9", "RateLimit-Reset", "30"}, "take k; report k 9/960 30s"},
		"search":    {200, []string{"X-RateLimit-Remaining", "9", "X-RateLimit-Resource", "search", "X-RateLimit-Reset", reset}, "take k; report k/search 9/0 1h0m0s"},
		"core":      {200, []string{"X-RateLimit-Remaining", "9", "X-RateLimit-Resource", "core", "X-RateLimit-Reset", reset}, "take k; report k 9/0 1h0m0s"},
		"429":       {429, []string{"Retry-After", "30"}, "take k; report k 0/0 30s"},
		"429 date":  {429, []string{"Retry-After", now.Add(90 * time.Second).Format(http.TimeFormat)}, "take k; report k 0/0 1m30s"},
		"secondary": {403, []string{"Retry-After", "60", "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "4000", "X-RateLimit-Reset", reset}, "take k; report k 0/5000 1m0s"},
		"403":       {403, nil, "take k"},
		"401":       {401, []string{"X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset}, "take k"},
		"nonsense":  {200, []string{"X-RateLimit-Remaining", "many"}, "take k"},
	} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(c.headers); i += 2 {
				w.Header().Set(c.headers[i], c.headers[i+1])
			}
			w.WriteHeader(c.status)
		})
		cl, l := client(t, srv)
		_, _ = fetch(t, cl, t.Context(), srv.URL)
		if l.all() != c.want {
			t.Errorf("%s: %s, want %s", name, l.all(), c.want)
		}
	}
}

// An anonymous 304 is counted by GitHub.
func TestAnonymousUnchangedAnswerIsNotRefunded(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	c, l := client(t, srv, func(o *Options) { o.Authorize = nil })
	_, _ = fetch(t, c, t.Context(), srv.URL)
	if l.all() != "take k" {
		t.Errorf("%s", l.all())
	}
}

func TestRefusedBudgetAndCredentialSendNothing(t *testing.T) {
	t.Parallel()
	sent := 0
	srv := serve(t, func(http.ResponseWriter, *http.Request) { sent++ })
	c, l := client(t, srv)
	l.refuse = &sources.Error{Kind: sources.Throttled, Msg: "later"}
	if _, err := fetch(t, c, t.Context(), srv.URL); sources.KindOf(err) != sources.Throttled {
		t.Errorf("%v", err)
	}
	boom := errors.New("no credential")
	c, l = client(t, srv, func(o *Options) { o.Authorize = func(*http.Request) error { return boom } })
	if _, err := fetch(t, c, t.Context(), srv.URL); !errors.Is(err, boom) || l.all() != "take k; refund k" {
		t.Errorf("%v, %s", err, l.all())
	}
	if sent != 0 {
		t.Errorf("%d requests were sent", sent)
	}
}

// What a person waits for asks for its own share; a 304 of it is given back like any other.
func TestUrgentRequestsAskForTheirOwnShare(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	c, l := client(t, srv)
	l.refuse = &sources.Error{Kind: sources.Throttled, Msg: "later"}
	_, _ = fetch(t, c, Urgent(t.Context()), srv.URL)
	if l.all() != "take k at once; refund k" {
		t.Errorf("%s", l.all())
	}
}

func TestPauseAfterALimit(t *testing.T) {
	t.Parallel()
	sent := 0
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		sent++
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	clock := now
	var tr *Transport
	c, _ := client(t, srv, func(o *Options) { o.Now = func() time.Time { return clock } })
	tr, _ = c.Transport.(*Transport)
	_, _ = fetch(t, c, t.Context(), srv.URL)
	if at := tr.PausedUntil(); !at.Equal(now.Add(30 * time.Second)) {
		t.Errorf("paused until %s", at)
	}
	_, err := fetch(t, c, t.Context(), srv.URL)
	if e, ok := errors.AsType[*sources.Error](err); !ok || e.Kind != sources.Throttled || !e.RetryAt.Equal(now.Add(30*time.Second)) || sent != 1 {
		t.Errorf("%v after %d requests", err, sent)
	}
	clock = now.Add(30 * time.Second)
	_, _ = fetch(t, c, t.Context(), srv.URL)
	if sent != 2 {
		t.Error("the pause has no end")
	}
}

func TestBodyIsCappedWithAnError(t *testing.T) {
	t.Parallel()
	for _, chunked := range []bool{true, false} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if f, ok := w.(http.Flusher); ok && chunked {
				f.Flush()
			}
			_, _ = w.Write(bytes.Repeat([]byte("x"), 1001))
		})
		c, _ := client(t, srv, func(o *Options) { o.MaxBody = 1000 })
		body, err := fetch(t, c, t.Context(), srv.URL)
		if sources.KindOf(err) != sources.Invalid || len(body) > 1000 {
			t.Errorf("chunked %v: %d bytes, %v", chunked, len(body), err)
		}
		c, _ = client(t, srv, func(o *Options) { o.MaxBody = 1001 })
		if body, err := fetch(t, c, t.Context(), srv.URL); err != nil || len(body) != 1001 {
			t.Errorf("chunked %v: %d bytes, %v", chunked, len(body), err)
		}
	}
}

func TestWebPageIsNoData(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<html>"))
	})
	c, _ := client(t, srv)
	if _, err := fetch(t, c, t.Context(), srv.URL); err == nil || !strings.Contains(err.Error(), "web page") {
		t.Errorf("%v", err)
	}
}

func TestLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(http.ResponseWriter, *http.Request) {})
	var out bytes.Buffer
	c, _ := client(t, srv, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, _ = fetch(t, c, t.Context(), srv.URL+"/a?per_page=50&sig=hidden1&token=hidden2")
	refused := strings.Replace(srv.URL, "127.0.0.1", "127.0.0.2", 1) + "/?key=hidden3"
	_, _ = fetch(t, c, t.Context(), refused)
	if got := out.String(); !strings.Contains(got, "per_page=50") || strings.Contains(got, "hidden") || strings.Contains(got, "s3cr3t") || !strings.Contains(got, "status=200") {
		t.Errorf("log %s", got)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Time{
		"": {}, "x": {}, "-1": {}, "1e99": {}, "NaN": {}, "30": now.Add(30 * time.Second), "1.5": now.Add(1500 * time.Millisecond),
		now.Add(time.Hour).Format(http.TimeFormat): now.Add(time.Hour),
	} {
		if got := RetryAfter(http.Header{"Retry-After": {in}}, now); !got.Equal(want) {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	for _, bad := range []Network{{Proxy: "::"}, {Proxy: "ftp://x"}, {Proxy: "x"}, {CAFile: "/surely/absent"}} {
		if _, err := Base(bad); err == nil {
			t.Errorf("%+v passes", bad)
		}
	}
	junk := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Base(Network{CAFile: junk}); err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("%v", err)
	}
}

func TestCustomAuthority(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	t.Cleanup(srv.Close)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	plain, err := Base(Network{Proxy: "none"})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := client(t, srv, func(o *Options) { o.Base = plain })
	_, err = fetch(t, c, t.Context(), srv.URL)
	if e := Explain("read", "x", err); e.Kind != sources.Invalid || !strings.Contains(e.Fix, "ca_file") {
		t.Errorf("%+v", e)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	trusting, err := Base(Network{Proxy: "none", CAFile: file})
	if err != nil {
		t.Fatal(err)
	}
	c, _ = client(t, srv, func(o *Options) { o.Base = trusting })
	if body, err := fetch(t, c, t.Context(), srv.URL); err != nil || body != "{}" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host + " " + r.Header.Get("Proxy-Authorization")
		w.WriteHeader(http.StatusProxyAuthRequired)
	})
	signIn := func(_ context.Context) (string, string, error) { return "sre1", "s3cret:word@", nil }
	for name, c := range map[string]struct {
		n    Network
		want string
	}{
		"open":    {Network{Proxy: proxy.URL}, "CONNECT api.example.com:443 "},
		"sign-in": {Network{Proxy: proxy.URL, SignIn: signIn}, "CONNECT api.example.com:443 Basic " + base64.StdEncoding.EncodeToString([]byte("sre1:s3cret:word@"))},
	} {
		base, err := Base(c.n)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fetch(t, &http.Client{Transport: base}, t.Context(), "https://api.example.com/x")
		if got := <-asked; err == nil || got != c.want {
			t.Errorf("%s: asked %q: %v", name, got, err)
		}
		e := Explain("list runs", "acme/checkout", err)
		if e.Kind != sources.Permission || !strings.Contains(e.Fix, "proxy_auth") || strings.Contains(fmt.Sprintf("%v %+v %v %v", e, e, e.Err, err), "s3cret") {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// What a proxy refuses is said with its name, and is known not to have been sent.
func TestProxyThatRefuses(t *testing.T) {
	t.Parallel()
	for status, c := range map[int]struct {
		kind     sources.ErrKind
		msg, fix string
	}{
		http.StatusForbidden:         {sources.Permission, "the proxy %s lets nobody through to this address: Forbidden", "to allow it"},
		http.StatusBadGateway:        {sources.Transient, "the proxy %s cannot reach the address: Bad Gateway", "check the address"},
		http.StatusProxyAuthRequired: {sources.Permission, "does not take the one that it got: %s", "proxy_auth"},
		299:                          {sources.Permission, "the proxy %s lets nobody through to this address: an answer that is none of HTTP's", "to allow it"},
	} {
		proxy := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		base, err := Base(Network{Proxy: proxy.URL})
		if err != nil {
			t.Fatal(err)
		}
		ctx, flight := Watch(t.Context())
		_, err = fetch(t, &http.Client{Transport: base}, ctx, "https://api.example.com/x")
		e := Explain("", "", err)
		if msg := fmt.Sprintf(c.msg, strings.TrimPrefix(proxy.URL, "http://")); e.Kind != c.kind || !strings.Contains(e.Msg, msg) || !strings.Contains(e.Fix, c.fix) {
			t.Errorf("%d: %+v, want %q", status, e, msg)
		}
		if flight.MayHaveArrived(err) {
			t.Errorf("%d: may have arrived: %v", status, err)
		}
	}
}

// A proxy that is not there, or whose sign-in cannot be read, fails the request and shows no secret.
func TestProxyThatFails(t *testing.T) {
	t.Parallel()
	gone := serve(t, func(http.ResponseWriter, *http.Request) {})
	address := gone.URL
	gone.Close()
	refused := errors.New("the vault is locked")
	for name, c := range map[string]struct {
		signIn func(context.Context) (string, string, error)
		check  func(error) bool
	}{
		"gone": {func(context.Context) (string, string, error) { return "sre1", "s3cret", nil }, func(err error) bool {
			return Explain("", "", err).Msg == "the proxy "+strings.TrimPrefix(address, "http://")+" does not answer"
		}},
		"locked": {func(context.Context) (string, string, error) { return "", "", refused }, func(err error) bool { return errors.Is(err, refused) }},
	} {
		base, err := Base(Network{Proxy: address, SignIn: c.signIn})
		if err != nil {
			t.Fatal(err)
		}
		_, err = fetch(t, &http.Client{Transport: base}, t.Context(), "https://api.example.com/x")
		if err == nil || !c.check(err) || strings.Contains(fmt.Sprintf("%+v %+v", err, Explain("", "", err)), "s3cret") {
			t.Errorf("%s: %v, %+v", name, err, Explain("", "", err))
		}
	}
	signIn := func(context.Context) (string, string, error) { return "a", "b", nil }
	for _, bad := range []Network{{Proxy: "http://sre1:s3cret@proxy:3128"}, {Proxy: "http://s3cret@proxy"}, {Proxy: "sre1:s3cret@proxy:3128"}, {Proxy: "http://[s3cret"}, {SignIn: signIn}, {Proxy: "none", SignIn: signIn}} {
		if _, err := Base(bad); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", bad.Proxy, err)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	decode := func(s string, v any) error { return json.Unmarshal([]byte(s), v) }
	for name, c := range map[string]struct {
		err  error
		kind sources.ErrKind
		msg  string
	}{
		"cancelled":  {context.Canceled, sources.Transient, "was cancelled"},
		"deadline":   {context.DeadlineExceeded, sources.Transient, "no answer in time"},
		"refused":    {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, sources.Transient, "refused"},
		"reset":      {&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, sources.Transient, "broke"},
		"cut":        {io.ErrUnexpectedEOF, sources.Transient, "broke"},
		"no host":    {&net.DNSError{Name: "gone.example", IsNotFound: true}, sources.Transient, "no host gone.example"},
		"resolver":   {&net.DNSError{Name: "x", IsTemporary: true}, sources.Transient, "cannot be resolved"},
		"proxy":      {&net.OpError{Op: "proxyconnect", Err: errors.New("x")}, sources.Transient, "proxy"},
		"no proxy":   {&net.OpError{Op: "proxyconnect", Err: &net.DNSError{Name: "proxy.example", IsNotFound: true}}, sources.Transient, "the proxy proxy.example does not exist"},
		"proxy's CA": {&net.OpError{Op: "proxyconnect", Err: x509.UnknownAuthorityError{}}, sources.Invalid, "the certificate of the proxy is signed"},
		"issuer":     {x509.UnknownAuthorityError{Cert: &x509.Certificate{Issuer: pkix.Name{CommonName: "Corp CA"}}}, sources.Invalid, "the certificate of h is signed by an authority that is not trusted here (CN=Corp CA)"},
		"where":      {context.DeadlineExceeded, sources.Transient, "no answer in time from h"},
		"network":    {&net.OpError{Op: "dial", Err: errors.New("no route")}, sources.Transient, "no route"},
		"syntax":     {decode("{", new(any)), sources.Invalid, "not JSON"},
		"type":       {decode(`{"a":1}`, &struct{ A string }{}), sources.Invalid, "A is a JSON number"},
		"whole type": {decode(`[]`, &struct{}{}), sources.Invalid, "the answer is a JSON array"},
		"authority":  {x509.UnknownAuthorityError{}, sources.Invalid, "authority"},
		"no TLS":     {tls.RecordHeaderError{}, sources.Invalid, "TLS"},
		"ours":       {fmt.Errorf("x: %w", &sources.Error{Kind: sources.Conflict, Msg: "busy"}), sources.Conflict, "busy"},
		"unknown":    {errors.New("odd"), sources.Transient, "odd"},
	} {
		wrapped := &url.Error{Op: "Get", URL: "https://h/p?sig=hidden", Err: c.err}
		e := Explain("read", "scope", wrapped)
		if e.Kind != c.kind || !strings.Contains(e.Msg, c.msg) || e.Op != "read" || e.Scope != "scope" {
			t.Errorf("%s: %+v", name, e)
		}
		if strings.Contains(fmt.Sprint(e, e.Err), "hidden") {
			t.Errorf("%s: the error holds the address: %v", name, e.Err)
		}
		if name != "ours" && !errors.Is(e, c.err) && name != "no TLS" && !errors.As(c.err, &x509.UnknownAuthorityError{}) {
			t.Errorf("%s: the chain is broken", name)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]sources.ErrKind{
		401: sources.Permission, 403: sources.Permission, 404: sources.NotExist, 407: sources.Permission, 409: sources.Conflict, 410: sources.NotExist,
		418: sources.Invalid, 429: sources.Throttled, 500: sources.Transient, 501: sources.Unsupported, 503: sources.Transient, 302: sources.Invalid,
	} {
		e := Status("read", "x", &http.Response{StatusCode: code, Status: fmt.Sprint(code)})
		if e.Kind != want || e.Msg == "" || strings.HasSuffix(e.Msg, ".") {
			t.Errorf("%d: %+v", code, e)
		}
	}
}
