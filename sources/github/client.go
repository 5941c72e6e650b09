package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// reply is one decoded page.
type reply[T any] struct {
	Value T
	Next  int    // the next page; 0: this is the last
	SSO   string // organisations that single sign-on kept out of the answer
}

// wire is what a reply decodes into. whole tells an answer from something else that happens to decode:
// an error object inside a 200, a null.
type wire interface{ whole() bool }

// list is a reply that is an array.
type list[T any] []T

func (l list[T]) whole() bool { return l != nil }

// repoConn is a credential's view of one repository.
type repoConn struct {
	*conn
	s     *source
	scope string
	path  string // "repos/acme/checkout"
}

// repo is the connection for a scope.
func (s *source) repo(ctx context.Context, scope string) (*repoConn, error) {
	m := scopeName.FindStringSubmatch(scope)
	if m == nil {
		return nil, &sources.Error{Kind: sources.Invalid, Scope: scope, Msg: fmt.Sprintf("%q is no repository", scope), Fix: "write owner/name"}
	}
	c, err := s.connFor(ctx, m[1])
	if err != nil {
		return nil, err
	}
	return &repoConn{conn: c, s: s, scope: scope, path: "repos/" + scope}, nil
}

// get reads one page and decodes it, once in a look.
func get[T wire](ctx context.Context, c *conn, path string) (reply[T], error) {
	return sources.Looked(ctx, c.identity+" "+path, func() (reply[T], error) { return read[T](ctx, c, path) })
}

func read[T wire](ctx context.Context, c *conn, path string) (reply[T], error) {
	var r reply[T]
	req, err := c.client.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return r, fmt.Errorf("ask for %s: %w", path, err)
	}
	res, err := c.client.BareDo(ctx, req)
	if err != nil {
		return r, c.explain("", "", res, err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(&r.Value); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return r, fmt.Errorf("decode the answer: %w", err)
	}
	if !r.Value.whole() {
		return r, &sources.Error{
			Kind: sources.Invalid, Msg: "the answer is not what GitHub promises for " + strings.SplitN(path, "?", 2)[0],
			Fix: "try again, and check base_url and what stands in between",
		}
	}
	r.Next = res.NextPage
	if sso, ok := strings.CutPrefix(res.Header.Get("X-Github-Sso"), "partial-results; organizations="); ok {
		r.SSO = sso
	}
	return r, nil
}

// fetch is get, conditional: an answer that has not changed is neither counted nor decoded.
func fetch[T wire](ctx context.Context, c *repoConn, path string) (reply[T], error) {
	if isFresh(ctx) {
		return get[T](ctx, c.conn, path)
	}
	v, _, err := c.s.memo.Fetch(ctx, c.key(path), func(ctx context.Context) (any, error) { return get[T](ctx, c.conn, path) })
	return typed[reply[T]](v, err)
}

// settled is once for what is final as far as anybody can tell, and is read again by who must know.
func settled[T wire](ctx context.Context, c *repoConn, key, path string) (reply[T], error) {
	if isFresh(ctx) {
		return get[T](ctx, c.conn, path)
	}
	return once[T](ctx, c, key, path)
}

type freshKey struct{}

// fresh makes every read below ctx ask GitHub, but for what is fixed by a SHA.
func fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

// unfresh lets reads below a fresh one answer from what is known of what has ended.
func unfresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, nil) }

func isFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }

// once is get for what never changes. The key says what the path does not. Readers that overlap share
// one request.
func once[T wire](ctx context.Context, c *repoConn, key, path string) (reply[T], error) {
	full := c.key(key + " " + path)
	v, err := c.s.memo.Once(ctx, full, func(context.Context) (any, error) { return nil, errNotSettled })
	if !errors.Is(err, errNotSettled) {
		return typed[reply[T]](v, err)
	}
	// The answer is remembered before the flight ends: who comes just after it must not ask again.
	read := func() (any, error) {
		ch := c.s.flights.DoChan(full, func() (any, error) {
			return c.s.memo.Once(untraced(ctx), full, func(context.Context) (any, error) { return get[T](untraced(ctx), c.conn, path) })
		})
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case r := <-ch:
			return r.Val, r.Err
		}
	}
	v, err = read()
	if ctx.Err() == nil && errors.Is(err, context.Canceled) {
		v, err = read() // it was another reader's context that ended
	}
	if err == nil {
		v, err = c.s.memo.Once(ctx, full, func(context.Context) (any, error) { return v, nil })
	}
	return typed[reply[T]](v, err)
}

// refusal is that an address is gone, or not this credential's to read, and since when that is known.
type refusal struct {
	err *sources.Error
	at  time.Time
}

// refusedFor is how long a refusal of something that can be done without is believed: it is counted like an
// answer, and a poll would ask each time.
const refusedFor = 15 * time.Minute

// spare reads something that can be done without. What was refused is not asked for again for a while, but
// by who must know.
func spare[T any](ctx context.Context, c *repoConn, key string, read func() (T, error)) (T, error) {
	full := c.key("refused " + key)
	now := c.transport.Now()
	v, err := c.s.memo.Once(untraced(ctx), full, func(context.Context) (any, error) { return nil, errNotSettled })
	if known, ok := v.(refusal); ok && err == nil {
		if now.Sub(known.at).Abs() < refusedFor && !isFresh(ctx) {
			var none T
			return none, known.err
		}
		c.s.memo.Drop(full)
	}
	got, err := read()
	if e, ok := errors.AsType[*sources.Error](err); ok && lasts(e.Kind) && !isFresh(ctx) {
		_, _ = c.s.memo.Once(untraced(ctx), full, func(context.Context) (any, error) { return refusal{e, now}, nil })
	}
	return got, err
}

// lasts reports that only a person can mend an error of kind k.
func lasts(k sources.ErrKind) bool {
	return k == sources.Permission || k == sources.NotExist || k == sources.Unsupported
}

func typed[T any](v any, err error) (T, error) {
	t, ok := v.(T)
	if err == nil && !ok {
		err = fmt.Errorf("remembered a %T", v)
	}
	return t, err
}

func (c *repoConn) key(path string) string { return c.identity + " " + path }

// getter reads a page: get, fetch or once.
type getter[T wire] func(path string) (reply[T], error)

// pages follows a list to its end, to limit items or to most pages. It reports whether the list went
// on. A server that ignores ?page= repeats itself: the first page without anything new ends the list. What
// has no identity is left out: nothing could be done with it.
func pages[T wire, I any](read getter[T], path string, limit, most int, items func(T) []I, id func(I) int64) (all []I, more bool, sso string, err error) {
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	seen := map[int64]bool{}
	for n, at := 1, path; ; n++ {
		r, err := read(at)
		if err != nil {
			return nil, false, "", err
		}
		sso = r.SSO
		fresh := false
		for _, it := range items(r.Value) {
			if k := id(it); k != 0 && !seen[k] {
				seen[k], fresh = true, true
				all = append(all, it)
			}
		}
		if r.Next == 0 || !fresh && n > 1 {
			return all, false, sso, nil
		}
		if n >= most || limit > 0 && len(all) >= limit {
			return all, true, sso, nil
		}
		at = path + sep + "page=" + strconv.Itoa(r.Next)
	}
}

func (c *repoConn) ssoNotice(orgs string) []sources.Notice {
	if orgs == "" {
		return nil
	}
	return []sources.Notice{{
		Scope: c.scope, Kind: sources.Permission,
		Text: clean.Const("single sign-on hides part of the answer"),
		Fix:  clean.Line("authorise the token for organisations " + orgs + " on github.com/settings/tokens"),
	}}
}

// fail makes any error of this package one for people.
func (c *repoConn) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return httpx.Explain(op, c.scope, err)
}

// explain turns what go-github says of a reply into an error for people.
func (c *conn) explain(op, scope string, res *gh.Response, err error) *sources.Error {
	if e, ok := errors.AsType[*sources.Error](err); ok {
		return httpx.Explain(op, scope, e)
	}
	if res == nil || res.Response == nil {
		return httpx.Explain(op, scope, err)
	}
	message, docs := said(err)
	if e := c.explainLimit(res.Response, message, docs, err); e != nil {
		e.Op, e.Scope = op, scope
		return e
	}
	if res.StatusCode/100 == 2 {
		return httpx.Explain(op, scope, err)
	}
	e := httpx.Status(op, scope, res.Response)
	e.Err = withoutReply(err, res.Status)
	switch res.StatusCode {
	case http.StatusUnauthorized:
		e.Msg, e.Fix = "GitHub does not accept the credential", "check token: it may be expired or revoked; make a new one on github.com/settings/tokens"
		if c.app != nil {
			c.app.forget()
		}
	case http.StatusForbidden, http.StatusNotFound:
		explainAccess(e, res.Response, message)
	case http.StatusUnavailableForLegalReasons:
		e.Kind, e.Msg, e.Fix = sources.NotExist, "GitHub blocks access to it for legal reasons", ""
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		if message != "" {
			e.Msg = "GitHub refused the request: " + message
		}
	}
	return e
}

// said is the message and the documentation address of an error reply.
func said(err error) (message, docs string) {
	if e, ok := errors.AsType[*gh.ErrorResponse](err); ok {
		return e.Message, e.DocumentationURL
	}
	if e, ok := errors.AsType[*gh.AbuseRateLimitError](err); ok {
		return e.Message, "secondary-rate-limits"
	}
	if e, ok := errors.AsType[*gh.RateLimitError](err); ok {
		return e.Message, "rate-limiting"
	}
	return "", ""
}

// withoutReply keeps the status of an error and drops its request's address.
func withoutReply(err error, status string) error {
	if message, _ := said(err); message != "" {
		return fmt.Errorf("%s: %s", status, message)
	}
	return errors.New(status)
}

// explainLimit tells a rate limit, primary or secondary, under 403 or 429, from a refusal. The headers
// may say nothing: then the message does.
func (c *conn) explainLimit(res *http.Response, message, docs string, err error) *sources.Error {
	_, throttled := httpx.Throttle(res, c.transport.Now())
	_, primary := errors.AsType[*gh.RateLimitError](err)
	low := strings.ToLower(message + " " + docs)
	secondary := res.StatusCode == http.StatusForbidden && (strings.Contains(low, "secondary rate limit") ||
		strings.Contains(low, "secondary-rate-limits") || strings.Contains(low, "abuse"))
	if !throttled && !secondary && !primary {
		return nil
	}
	at := c.transport.PausedUntil()
	if at.IsZero() {
		at = c.transport.Now().Add(httpx.SecondaryPause)
		c.transport.Pause(at)
	}
	msg := "GitHub's rate limit is used up"
	if secondary || res.Header.Get("X-Ratelimit-Remaining") != "0" {
		msg = "GitHub asks to slow down"
	}
	return &sources.Error{Kind: sources.Throttled, Msg: msg, Fix: "wait: it goes on by itself", RetryAt: at, Err: withoutReply(err, res.Status)}
}

var ssoURL = regexp.MustCompile(`url=(https://[^;\s]+)`)

// explainAccess says which permission lacks, where the reply tells.
func explainAccess(e *sources.Error, res *http.Response, message string) {
	if sso := res.Header.Get("X-Github-Sso"); strings.HasPrefix(sso, "required") {
		e.Kind, e.Msg = sources.Permission, "the organisation wants single sign-on for this token"
		e.Fix = "authorise the token for the organisation on github.com/settings/tokens"
		if m := ssoURL.FindStringSubmatch(sso); m != nil {
			e.Fix = "authorise the token: " + m[1]
		}
		return
	}
	low := strings.ToLower(message)
	switch {
	case strings.Contains(low, "ip allow list"):
		e.Kind, e.Msg, e.Fix = sources.Permission, "the organisation allows only addresses that it lists, and not this one", "ask an owner to add this machine's address"
		return
	case strings.Contains(low, "suspended"):
		e.Kind, e.Msg, e.Fix = sources.Permission, "the installation or the account is suspended", "ask an owner to lift it"
		return
	case strings.Contains(low, "access blocked"), strings.Contains(low, "repository access blocked"):
		e.Kind, e.Msg, e.Fix = sources.NotExist, "GitHub has blocked this repository", "ask its owner"
		return
	}
	need := missingScope(res.Header)
	if need == "" && strings.Contains(low, "resource not accessible") {
		need = missingPermission(res.Request)
	}
	if need != "" {
		e.Kind, e.Msg = sources.Permission, "the token may not do this"
		e.Fix = need
		if res.StatusCode == http.StatusNotFound {
			e.Kind, e.Msg = sources.NotExist, "it does not exist, or the token may not see it"
		}
		return
	}
	if res.StatusCode == http.StatusForbidden && message != "" {
		e.Msg = "GitHub denies access: " + message
	}
}

// missingScope names what the token lacks: GitHub lists what an address accepts, and for a classic
// token also what it has.
func missingScope(h http.Header) string {
	if p := h.Get("X-Accepted-Github-Permissions"); p != "" {
		return "give the token this permission: " + p
	}
	accepted := split(h.Get("X-Accepted-Oauth-Scopes"))
	if len(accepted) == 0 || len(h.Values("X-Oauth-Scopes")) == 0 {
		return ""
	}
	has := map[string]bool{}
	for _, s := range split(h.Get("X-Oauth-Scopes")) {
		has[s] = true
	}
	for _, s := range accepted {
		if has[s] {
			return ""
		}
	}
	return "give the token one of these scopes: " + strings.Join(accepted, ", ")
}

// missingPermission names what a fine-grained token lacks where GitHub does not: of what judges a commit, which
// a token that reads everything else need not have.
func missingPermission(req *http.Request) string {
	switch {
	case req == nil:
	case strings.HasSuffix(req.URL.Path, "/check-runs"):
		return "give the token this permission: checks=read"
	case strings.HasSuffix(req.URL.Path, "/status"):
		return "give the token this permission: statuses=read"
	}
	return ""
}

func split(s string) []string {
	var out []string
	for _, p := range strings.Split(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}
