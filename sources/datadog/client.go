package datadog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	dd "github.com/DataDog/datadog-api-client-go/v2/api/datadog"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// conn is one credential and the two clients that use it.
type conn struct {
	s           *source
	fingerprint string
	authorize   func(*http.Request) error
	read, write *dd.APIClient // read asks once more when the server fails; write never does

	mu         sync.Mutex
	transports map[family]*httpx.Transport
}

// connect is the connection with the credential as it is now: a secret is read anew each time (which is
// cheap, see secret.Ref), so that a rotated one is noticed.
func (s *source) connect(ctx context.Context) (*conn, error) {
	var api, app, token secret.Secret
	for _, c := range []struct {
		key   string
		ref   secret.Ref
		value *secret.Secret
	}{{"api_key", s.cfg.APIKey, &api}, {"app_key", s.cfg.AppKey, &app}, {"access_token", s.cfg.AccessToken, &token}} {
		if c.ref.IsZero() {
			continue
		}
		v, err := resolve(ctx, c.key, c.ref)
		if err != nil {
			return nil, err
		}
		*c.value = v
	}
	fingerprint := token.Fingerprint()
	if token.IsZero() {
		fingerprint = api.Fingerprint() + app.Fingerprint()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil || s.conn.fingerprint != fingerprint {
		s.conn = s.newConn(fingerprint, func(r *http.Request) error {
			if !token.IsZero() {
				r.Header.Set("Authorization", "Bearer "+token.Reveal())
				return nil
			}
			r.Header.Set("DD-API-KEY", api.Reveal())
			r.Header.Set("DD-APPLICATION-KEY", app.Reveal())
			return nil
		})
	}
	return s.conn, nil
}

func resolve(ctx context.Context, key string, ref secret.Ref) (secret.Secret, error) {
	v, err := ref.Resolve(ctx)
	if e, ok := errors.AsType[*secret.Error](err); ok {
		return v, &sources.Error{Kind: sources.Permission, Msg: key + " cannot be read: " + e.Msg, Fix: e.Fix, Err: err}
	}
	if err != nil {
		return v, fmt.Errorf("read %s: %w", key, err)
	}
	if value := v.Reveal(); value == "" || strings.ContainsAny(value, "\r\n \t") {
		return v, &sources.Error{Kind: sources.Permission, Msg: ref.String() + " of " + key + " is empty or holds blanks", Fix: "check what it resolves to"}
	}
	return v, nil
}

func (s *source) newConn(fingerprint string, authorize func(*http.Request) error) *conn {
	c := &conn{s: s, fingerprint: fingerprint, authorize: authorize, transports: map[family]*httpx.Transport{}}
	hc := &http.Client{Transport: c, CheckRedirect: s.checkRedirect}
	c.read, c.write = s.newClient(hc), s.newClient(hc)
	// The client waits whole seconds between tries, and logs about a base below two when it is made. A board
	// is better served by a quick second try: what fails for longer is the poller's to wait for.
	r := &c.read.Cfg.RetryConfiguration
	r.EnableRetry, r.MaxRetries, r.BackOffBase, r.RetryJitter = true, 1, 0, s.patience
	return c
}

func (s *source) newClient(hc *http.Client) *dd.APIClient {
	cfg := dd.NewConfiguration()
	cfg.HTTPClient = hc
	cfg.UserAgent = cmp.Or(s.env.UserAgent, "signalbox")
	if s.host != nil {
		cfg.Host, cfg.Scheme = s.host.Host, s.host.Scheme
	}
	return dd.NewAPIClient(cfg)
}

func (s *source) checkRedirect(req *http.Request, via []*http.Request) error {
	if req.URL.Host != via[0].URL.Host || len(via) > 3 {
		return &sources.Error{Kind: sources.Invalid, Msg: "the API redirects to " + req.URL.Host + ": not followed", Fix: "check site: and host:"}
	}
	return nil
}

// hosts are those that get the credential.
func (s *source) hosts() []string {
	if s.host != nil {
		return []string{httpx.HostOf(s.host)}
	}
	return []string{"api." + s.cfg.Site, s.pagingHost()}
}

// pagingHost is On-Call's own.
func (s *source) pagingHost() string {
	at, _ := siteOf(s.cfg.Site)
	return cmp.Or(s.cfg.OnCallSite, at.paging)
}

// address is where an operation is asked for.
func (s *source) address(ctx context.Context, c *dd.APIClient, op operation, path string) (string, error) {
	if op.family == pagingFamily && s.cfg.OnCallSite != "" && s.host == nil {
		return "https://" + s.cfg.OnCallSite + path, nil
	}
	if s.host == nil {
		// The site is a variable of every operation but paging, which takes it for its own host's name and
		// refuses it.
		ctx = context.WithValue(ctx, dd.ContextServerVariables, map[string]string{"site": s.cfg.Site})
		ctx = context.WithValue(ctx, dd.ContextOperationServerVariables, map[string]map[string]string{
			opAcknowledge.name: {"site": s.pagingHost()}, opEscalate.name: {"site": s.pagingHost()}, opResolve.name: {"site": s.pagingHost()},
		})
	}
	base, err := c.Cfg.ServerURLWithContext(ctx, op.name)
	if err != nil {
		return "", &sources.Error{Kind: sources.Invalid, Msg: "there is no address to " + op.doing, Fix: "check site: and oncall_site:", Err: err}
	}
	return base + path, nil
}

type familyKey struct{}

// RoundTrip sends a request through the transport of its family: each has a rate limit of its own. A
// refusal by that limit is an error, so that the client does not sleep on it.
func (c *conn) RoundTrip(req *http.Request) (*http.Response, error) {
	f, _ := req.Context().Value(familyKey{}).(family)
	t := c.transport(f)
	res, err := t.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusTooManyRequests {
		return res, nil
	}
	at, _ := httpx.Throttle(res, t.Now())
	_ = res.Body.Close()
	msg := "Datadog's rate limit is used up"
	if name := res.Header.Get("X-Ratelimit-Name"); name != "" {
		msg = "Datadog's rate limit " + name + " is used up"
	}
	return nil, &sources.Error{Kind: sources.Throttled, Msg: msg, Fix: "it is tried again then", RetryAt: at}
}

func (c *conn) transport(f family) *httpx.Transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.transports[f]; t != nil {
		return t
	}
	t := httpx.NewTransport(httpx.Options{
		Base: c.s.base, Hosts: c.s.hosts(), Authorize: c.authorize,
		BudgetKey: "datadog/" + c.fingerprint + "/" + string(f), Budget: c.s.env.Budget,
		UserAgent: c.s.env.UserAgent, Log: c.s.env.Log, Now: c.s.env.Now,
	})
	c.transports[f] = t
	return t
}

// call is one operation with its arguments.
type call struct {
	op    operation
	args  []string // of the path, in its order
	query url.Values
	body  any // a pointer, or nil
	// as names what is asked for in memory, where the request itself names a moment and is never the same
	// twice: only the last answer is remembered then.
	as string
}

func (c call) path() string {
	parts := strings.Split(c.op.path, "/")
	args := c.args
	for i, p := range parts {
		if strings.HasPrefix(p, "{") && len(args) > 0 {
			parts[i], args = url.PathEscape(args[0]), args[1:]
		}
	}
	return strings.Join(parts, "/")
}

// answer is what came back, whatever its status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// prepare makes the request of a call.
func (s *source) prepare(ctx context.Context, client *dd.APIClient, c call) (*http.Request, error) {
	ctx = context.WithValue(ctx, familyKey{}, c.op.family)
	address, err := s.address(ctx, client, c.op, c.path())
	if err != nil {
		return nil, err
	}
	header := map[string]string{"Accept": "application/json"}
	if c.op.bare() {
		header["Accept"] = "*/*"
	}
	if c.body != nil {
		header["Content-Type"] = "application/json"
	}
	req, err := client.PrepareRequest(ctx, address, c.op.method, c.body, header, c.query, url.Values{}, nil)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	return req, nil
}

// patient is how long one request may take, tries and answer together, where its context says nothing. A
// deadline in the context costs no goroutines, as the client's own would with each request.
const patient = time.Minute

// send sends one request with one of the clients. An error means that there was no whole answer; any answer
// that is no success is the caller's to explain.
func send(client *dd.APIClient, req *http.Request) (answer, error) {
	ctx, cancel := context.WithTimeout(req.Context(), patient)
	defer cancel()
	res, err := client.CallAPI(req.WithContext(ctx)) //nolint:bodyclose // ReadBody closes it
	if err != nil {
		return answer{}, err //nolint:wrapcheck // explained by whoever knows what was to be done
	}
	body, err := dd.ReadBody(res)
	if err != nil {
		return answer{status: res.StatusCode, header: res.Header}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{res.StatusCode, res.Header, body}, nil
}

// get asks for something with the client that tries twice, and answers the body of a success.
func (s *source) get(ctx context.Context, c call) ([]byte, error) {
	a, err := s.ask(ctx, c)
	return a.body, err
}

// ask is get, with the answer's headers also when it is a refusal.
func (s *source) ask(ctx context.Context, c call) (answer, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return answer{}, httpx.Explain(c.op.doing, "", err)
	}
	req, err := s.prepare(ctx, conn.read, c)
	if err != nil {
		return answer{}, httpx.Explain(c.op.doing, "", err)
	}
	a, err := send(conn.read, req)
	if err != nil {
		return a, httpx.Explain(c.op.doing, "", err)
	}
	if a.status/100 != 2 {
		return a, s.refusal(c.op, a)
	}
	return a, nil
}

// reply is what an answer decodes into. valid tells an answer from something else that happens to decode:
// an error object inside a 200, a null.
type reply interface{ valid() error }

type freshKey struct{}

// fresh makes every read below ctx ask Datadog.
func fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

func isFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }

// untraced keeps a read out of what tells whether a list has changed: its caller notes what matters of it.
func untraced(ctx context.Context) context.Context { return httpx.WithTrace(ctx, &httpx.Trace{}) }

// fetch asks and decodes. An answer of the same bytes as the last is not decoded again.
func fetch[T any, P interface {
	*T
	reply
}](ctx context.Context, s *source, c call) (*T, error) {
	into := func(body []byte) (any, error) { return decode[T, P](c.op, body) }
	if isFresh(ctx) {
		body, err := s.get(ctx, c)
		if err != nil {
			return nil, err
		}
		return decode[T, P](c.op, body)
	}
	key := c.as
	if key == "" {
		key = c.path() + "?" + c.query.Encode()
	}
	v, _, err := s.same.Fetch(ctx, c.op.name+" "+key, func(ctx context.Context) ([]byte, error) { return s.get(ctx, c) }, into)
	if err != nil {
		return nil, err
	}
	t, _ := v.(*T)
	return t, nil
}

func decode[T any, P interface {
	*T
	reply
}](op operation, body []byte) (*T, error) {
	t := new(T)
	if err := httpx.Tolerant(body, t); err != nil {
		return nil, httpx.Explain(op.doing, "", fmt.Errorf("decode the answer: %w", err))
	}
	if err := P(t).valid(); err != nil {
		e := httpx.Explain(op.doing, "", err)
		e.Op = op.doing
		if why := trouble(body); why != "" && !strings.Contains(e.Msg, why) {
			e.Msg += ": " + why
		}
		return nil, e
	}
	return t, nil
}

// unlike is the error of an answer that decodes and holds nothing that was asked for.
func unlike(what string) error {
	return &sources.Error{Kind: sources.Invalid, Msg: "the answer holds no " + what, Fix: "try again, and check site:, host: and what stands in between"}
}
