package httpx

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"example.com/signalbox/sources"
)

// DefaultMaxBody is how many bytes of a reply are read when Options.MaxBody is 0.
const DefaultMaxBody = 32 << 20

// Options configures a Transport. Base, Budget, Log and Now must be set.
type Options struct {
	Base http.RoundTripper
	// Hosts are the hosts that get the credential: "api.github.com", or with the port where it is not
	// the scheme's own.
	Hosts []string
	// Authorize adds the credential to a request that is ours to change; nil adds none. It may fetch one,
	// within the request's context.
	Authorize func(*http.Request) error
	// BudgetKey names the credential in Budget. Requests to other hosts spend nothing.
	BudgetKey string
	Budget    sources.Budget
	MaxBody   int64 // bytes; 0 means DefaultMaxBody
	PlainHTTP bool  // http is not refused for Hosts on other machines: the user says that the network is trusted
	UserAgent string
	Log       *slog.Logger
	Now       func() time.Time
}

// Transport is an http.RoundTripper, safe for several goroutines. A request that it refuses itself
// fails with an *sources.Error.
type Transport struct {
	o     Options
	hosts map[string]bool

	mu     sync.Mutex
	paused time.Time // no request to our hosts before it
}

// NewTransport makes a Transport.
func NewTransport(o Options) *Transport {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	t := &Transport{o: o, hosts: make(map[string]bool, len(o.Hosts))}
	for _, h := range o.Hosts {
		t.hosts[strings.ToLower(h)] = true
	}
	return t
}

// PausedUntil is when the provider takes requests of this credential again; zero when it does now.
func (t *Transport) PausedUntil() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.o.Now().Before(t.paused) {
		return time.Time{}
	}
	return t.paused
}

// RoundTrip sends one request. The request itself is not changed.
func (t *Transport) RoundTrip(orig *http.Request) (*http.Response, error) {
	ours := t.hosts[hostKey(orig.URL)]
	if err := checkScheme(orig.URL); err != nil && (!ours || !t.o.PlainHTTP || orig.URL.Scheme != "http") {
		closeBody(orig)
		return nil, err
	}
	req := orig.Clone(orig.Context())
	if t.o.UserAgent != "" {
		req.Header.Set("User-Agent", t.o.UserAgent)
	}
	if err := t.prepare(req, ours); err != nil {
		closeBody(orig)
		return nil, err
	}
	c := condOf(req.Context())
	c.ask(req)
	start := t.o.Now()
	hand(req.Context())
	res, err := t.o.Base.RoundTrip(req)
	t.log(req, res, err, t.o.Now().Sub(start))
	if err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	if ours {
		t.account(res)
	}
	c.answer(res)
	return t.limit(req, res)
}

// prepare spends budget and adds the credential, or makes sure that there is none.
func (t *Transport) prepare(req *http.Request, ours bool) error {
	if !ours {
		req.Header.Del("Authorization")
		return nil
	}
	if at := t.PausedUntil(); !at.IsZero() {
		return &sources.Error{Kind: sources.Throttled, Msg: "the rate limit is used up", RetryAt: at}
	}
	if t.o.Budget != nil {
		take := t.o.Budget.Take
		if isUrgent(req.Context()) {
			take = t.o.Budget.TakeUrgent
		}
		if err := take(t.o.BudgetKey); err != nil {
			return err
		}
	}
	if t.o.Authorize == nil {
		return nil
	}
	if err := t.o.Authorize(req); err != nil {
		if t.o.Budget != nil {
			t.o.Budget.Refund(t.o.BudgetKey)
		}
		return err
	}
	return nil
}

// account passes on what the reply says of the budget. A 304 is free only where the request carried a
// credential: GitHub counts an anonymous one.
func (t *Transport) account(res *http.Response) {
	now := t.o.Now()
	rate, known := ParseRate(res.Header, now)
	key := t.o.BudgetKey
	if r := res.Header.Get("X-Ratelimit-Resource"); r != "" && r != "core" {
		key += "/" + r
	}
	if at, yes := Throttle(res, now); yes {
		t.mu.Lock()
		if at.After(t.paused) {
			t.paused = at
		}
		t.mu.Unlock()
		rate.Remaining, rate.Reset, known = 0, at, true
		key = t.o.BudgetKey
	}
	if t.o.Budget == nil {
		return
	}
	if res.StatusCode == http.StatusNotModified && t.o.Authorize != nil {
		t.o.Budget.Refund(t.o.BudgetKey)
	}
	// What a provider says with a 401 is not of the credential, which it does not know, but of all who come from
	// this address.
	if known && res.StatusCode != http.StatusUnauthorized {
		t.o.Budget.Report(key, rate)
	}
}

// limit caps the reply's body and refuses a web page where data was asked for.
func (t *Transport) limit(req *http.Request, res *http.Response) (*http.Response, error) {
	if res.ContentLength > t.o.MaxBody {
		closeReply(res)
		return nil, tooBig(t.o.MaxBody)
	}
	if res.StatusCode/100 == 2 && isHTML(res.Header) && strings.Contains(req.Header.Get("Accept"), "json") {
		closeReply(res)
		return nil, &sources.Error{
			Kind: sources.Transient,
			Msg:  fmt.Sprintf("%s answered with a web page where data was expected", req.URL.Host),
			Fix:  "check the address, and whether a proxy or a sign-in page stands in between",
		}
	}
	res.Body = &capped{body: res.Body, left: t.o.MaxBody, limit: t.o.MaxBody}
	return res, nil
}

func isHTML(h http.Header) bool {
	m, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && m == "text/html"
}

// ErrTooBig is in the chain of the error of an answer that is larger than Options.MaxBody.
var ErrTooBig = errors.New("the answer is too big")

func tooBig(limit int64) error {
	return &sources.Error{
		Kind: sources.Invalid,
		Msg:  fmt.Sprintf("the answer is larger than %d MiB", max(1, limit>>20)),
		Fix:  "this is no answer of the provider's: check the address and what stands in between",
		Err:  ErrTooBig,
	}
}

// capped is a body that fails, rather than ends, at its limit.
type capped struct {
	body  io.ReadCloser
	left  int64
	limit int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, tooBig(c.limit)
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.body.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return n - 1, tooBig(c.limit)
	}
	return n, err //nolint:wrapcheck // a reader's EOF is compared
}

func (c *capped) Close() error { return c.body.Close() } //nolint:wrapcheck // nothing to add

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

func closeReply(res *http.Response) {
	if res.Body != nil {
		_ = res.Body.Close()
	}
}

// hostKey is u's host as Options.Hosts spells it: lower case, without the scheme's own port.
func hostKey(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	port := u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return host
	}
	return net.JoinHostPort(host, port)
}

// HostOf is the host of an address in the form of Options.Hosts.
func HostOf(u *url.URL) string { return hostKey(u) }

// checkScheme refuses what would travel unencrypted to another machine.
func checkScheme(u *url.URL) error {
	switch {
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	default:
		return &sources.Error{
			Kind: sources.Invalid,
			Msg:  fmt.Sprintf("%s://%s is not encrypted: nothing was sent", u.Scheme, u.Host),
			Fix:  "use https (http is for this machine's own addresses alone)",
		}
	}
}

// isLoopback tells names apart by their spelling: what a resolver says of a name may change.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// log tells of one request, without its query, its credential or its body.
func (t *Transport) log(req *http.Request, res *http.Response, err error, took time.Duration) {
	if t.o.Log == nil || !t.o.Log.Enabled(req.Context(), slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", req.Method),
		slog.String("url", Redact(req.URL)),
		slog.Duration("took", took),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", withoutURL(err).Error()))
	} else {
		attrs = append(attrs, slog.Int("status", res.StatusCode))
		if v := res.Header.Get("X-Ratelimit-Remaining"); v != "" {
			attrs = append(attrs, slog.String("remaining", v))
		}
	}
	t.o.Log.LogAttrs(req.Context(), slog.LevelDebug, "request", attrs...)
}

// harmless are the query parameters whose values a log may hold.
var harmless = map[string]bool{"page": true, "per_page": true, "filter": true, "branch": true, "event": true, "status": true, "environment": true, "limit": true, "offset": true,
	"since": true, "until": true, "statuses[]": true, "page_size": true, "from": true, "to": true, "start": true, "end": true, "step": true}

// Redact is u without user, fragment and the values of every query parameter that may be a secret.
func Redact(u *url.URL) string {
	c := *u
	c.User, c.Fragment, c.RawFragment = nil, "", ""
	q := c.Query()
	for k, vs := range q {
		if harmless[k] {
			continue
		}
		for i := range vs {
			vs[i] = "…"
		}
	}
	c.RawQuery = ""
	s := c.String()
	if len(q) > 0 {
		enc, err := url.QueryUnescape(q.Encode())
		if err != nil {
			enc = "…"
		}
		s += "?" + enc
	}
	return s
}

// Now is the board's clock.
func (t *Transport) Now() time.Time { return t.o.Now() }
