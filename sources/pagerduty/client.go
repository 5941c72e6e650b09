package pagerduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

const (
	pageSize  = 100    // the most that PagerDuty gives at once
	mostItems = 10_000 // offset and limit together may not go beyond
	// mostBytes is what a page may weigh: each of its incidents may carry half a megabyte of details.
	mostBytes = 64 << 20
	media     = "application/vnd.pagerduty+json;version=2"
)

// conn speaks to PagerDuty with one token.
type conn struct {
	fingerprint string
	reads       *http.Client
	// writes have a client of their own: PagerDuty limits them apart, and one that was refused must not keep
	// the board from reading.
	writes *http.Client
	read   *httpx.Transport
	write  *httpx.Transport
}

// conn is the connection of the configured token, made anew when that has changed.
func (s *source) conn(ctx context.Context) (*conn, error) {
	ref, scheme := s.cfg.credential()
	token, err := ref.Resolve(ctx)
	if err != nil {
		return nil, secretError("the token", err)
	}
	if v := token.Reveal(); v == "" || strings.ContainsAny(v, "\r\n \t\"") {
		return nil, &sources.Error{Kind: sources.Permission, Msg: "the token of " + ref.String() + " is empty or holds blanks", Fix: "check what it resolves to"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link == nil || s.link.fingerprint != token.Fingerprint() {
		s.link, s.myself = s.dial(token, scheme), nil
	}
	return s.link, nil
}

func (s *source) dial(token secret.Secret, scheme string) *conn {
	transport := func(suffix string, base http.RoundTripper) *httpx.Transport {
		return httpx.NewTransport(httpx.Options{
			Base: base, Hosts: []string{httpx.HostOf(s.api)},
			Authorize: func(r *http.Request) error {
				r.Header.Set("Authorization", scheme+token.Reveal())
				return nil
			},
			BudgetKey: "pagerduty/" + token.Fingerprint() + suffix, Budget: s.env.Budget, MaxBody: mostBytes,
			UserAgent: s.env.UserAgent, Log: s.env.Log, Now: s.env.Now,
		})
	}
	c := &conn{fingerprint: token.Fingerprint(), read: transport("", s.base), write: transport("/writes", s.base)}
	c.reads = &http.Client{Transport: c.read, CheckRedirect: s.checkRedirect}
	c.writes = &http.Client{Transport: c.write, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c
}

// checkRedirect follows none to another host.
func (s *source) checkRedirect(req *http.Request, via []*http.Request) error {
	if httpx.HostOf(req.URL) != httpx.HostOf(s.api) {
		return &sources.Error{Kind: sources.Invalid, Msg: "the API redirects to " + req.URL.Host + ": not followed", Fix: "check region: and base_url:"}
	}
	if len(via) > 5 {
		return &sources.Error{Kind: sources.Invalid, Msg: "the API redirects in a circle", Fix: "check base_url:"}
	}
	return nil
}

// address is that of a path below the API's root.
func (s *source) address(path string, q url.Values) string {
	u := *s.api
	u.Path += path
	u.RawQuery = q.Encode()
	return u.String()
}

// get reads one answer whole.
func (s *source) get(ctx context.Context, path string, q url.Values) ([]byte, http.Header, error) {
	c, err := s.conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address(path, q), nil)
	if err != nil {
		return nil, nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	req.Header.Set("Accept", media)
	res, err := c.reads.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, res.Header, fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, res.Header, s.refusal(res, body, c.read)
	}
	return body, res.Header, nil
}

// fetch is get for what is read again and again: an answer of the same bytes is not decoded again. The key
// says what was asked for, but for times.
func fetch[T any](ctx context.Context, s *source, key, path string, q url.Values, decode func([]byte) (T, error)) (T, error) {
	v, _, err := s.same.Fetch(ctx, key,
		func(ctx context.Context) ([]byte, error) {
			body, _, err := s.get(ctx, path, q)
			return body, err
		},
		func(body []byte) (any, error) { return decode(body) })
	t, ok := v.(T)
	if err == nil && !ok {
		err = fmt.Errorf("remembered a %T", v)
	}
	return t, err
}

// wire is what an answer decodes into. whole tells it from something else that happens to decode: an error
// object inside a 200, a null.
type wire interface{ whole() bool }

func decode[T wire](body []byte) (T, error) {
	var v T
	if err := httpx.Tolerant(body, &v); err != nil {
		return v, fmt.Errorf("decode the answer: %w", err)
	}
	if !v.whole() {
		e := unlike()
		if said := problem(body); said != "" {
			e.Msg = "PagerDuty answered with an error: " + said
		}
		return v, e
	}
	return v, nil
}

// unlike is the error of an answer that decodes and is not what was asked for.
func unlike() *sources.Error {
	return &sources.Error{Kind: sources.Invalid, Msg: "the answer is not what PagerDuty promises", Fix: "try again, and check base_url: and what stands in between"}
}

// one reads an object anew, whatever is remembered.
func one[T wire](ctx context.Context, s *source, path string, q url.Values) (T, error) {
	body, _, err := s.get(ctx, path, q)
	if err != nil {
		var none T
		return none, err
	}
	return decode[T](body)
}

// lister is a page of a list.
type lister[I any] interface {
	wire
	list() []I
	rest() paging
}

// paging is how a page stands in its list.
type paging struct {
	Limit int  `json:"limit"`
	More  bool `json:"more"`
}

func (p paging) rest() paging { return p }

// pages reads a list to its end, to limit items (0: none) or to most pages, and reports whether it went on.
// What has no identity is left out: nothing could be done with it; what moved to the next page while it was
// read counts once. Without a key nothing of it is remembered.
func pages[W lister[I], I any](ctx context.Context, s *source, key, path string, q url.Values, limit, most int, id func(I) string) (all []I, cut bool, err error) {
	seen := map[string]bool{}
	q = clone(q)
	q.Set("limit", strconv.Itoa(pageSize))
	for n, offset := 1, 0; ; n++ {
		q.Set("offset", strconv.Itoa(offset))
		var p W
		if key == "" {
			p, err = one[W](ctx, s, path, q)
		} else {
			p, err = fetch(ctx, s, key+" "+strconv.Itoa(offset), path, q, decode[W])
		}
		if err != nil {
			return nil, false, err
		}
		named := 0
		for _, it := range p.list() {
			k := id(it)
			if k != "" {
				named++
			}
			if k != "" && !seen[k] {
				seen[k] = true
				all = append(all, it)
			}
		}
		if named == 0 && len(p.list()) > 0 {
			return nil, false, unlike()
		}
		r := p.rest()
		if !r.More {
			return all, false, nil
		}
		step := pageSize
		if r.Limit > 0 && r.Limit < pageSize {
			step = r.Limit
		}
		offset += step
		if n >= most || limit > 0 && len(all) >= limit {
			return all, true, nil
		}
	}
}

// known is id where it is one that PagerDuty could have made, and else "".
func known(id string) string {
	if !objectID.MatchString(id) {
		return ""
	}
	return id
}

func clone(q url.Values) url.Values {
	c := make(url.Values, len(q)+2)
	for k, v := range q {
		c[k] = v
	}
	return c
}

// stampOf is a time as PagerDuty takes it: UTC, with a Z. Change events refuse anything else.
func stampOf(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// errorBody is what PagerDuty says of a refusal. Its parts differ from address to address.
type errorBody struct {
	Error json.RawMessage `json:"error"`
}

// problem is what an error reply says, in one line; "" when it says nothing.
func problem(body []byte) string {
	var b errorBody
	if json.Unmarshal(body, &b) != nil || len(b.Error) == 0 {
		return ""
	}
	var text string
	if json.Unmarshal(b.Error, &text) == nil {
		return text
	}
	var e struct {
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(b.Error, &e) != nil {
		return ""
	}
	var all []string
	if json.Unmarshal(e.Errors, &all) != nil {
		if json.Unmarshal(e.Errors, &text) == nil && text != "" {
			all = []string{text}
		}
	}
	if len(all) == 0 {
		return e.Message
	}
	if e.Message == "" || e.Message == "Arguments Caused Error" || e.Message == "Invalid Input Provided" {
		return strings.Join(all, "; ")
	}
	return e.Message + ": " + strings.Join(all, "; ")
}

// errDenied is in the chain of what PagerDuty refuses to a token that it knows.
var errDenied = errors.New("denied")

// refusal explains a reply that is no success.
func (s *source) refusal(res *http.Response, body []byte, t *httpx.Transport) *sources.Error {
	e := httpx.Status("", "", res)
	said := oneLine(problem(body))
	low := strings.ToLower(said)
	switch code := res.StatusCode; {
	case code == http.StatusTooManyRequests:
		e.Msg, e.Fix, e.RetryAt = "PagerDuty's rate limit is used up", "wait: it goes on by itself", t.PausedUntil()
		if e.RetryAt.IsZero() {
			e.RetryAt = t.Now().Add(httpx.SecondaryPause)
		}
	case code == http.StatusUnauthorized:
		e.Msg, e.Fix = "PagerDuty does not accept the token", s.tokenFix()
	case code == http.StatusPaymentRequired:
		e.Kind, e.Msg, e.Fix = sources.Unsupported, "the account's plan does not include this", "ask the account's owner"
	case code == http.StatusForbidden:
		e.Err = fmt.Errorf("status %s: %w", res.Status, errDenied)
		e.Msg, e.Fix = "PagerDuty denies access", "the token's user needs a role that may do this, and an API key that is not read-only"
		if said != "" {
			e.Msg += ": " + said
		}
	case strings.Contains(low, "requester") || strings.Contains(low, "from header") || strings.Contains(low, `"from" header`):
		e.Kind, e.Msg = sources.Permission, "PagerDuty does not know who acts: "+said
		e.Fix = "set from: to the e-mail address of a user of this account"
	case code == http.StatusBadRequest && outdated(low):
		e.Kind, e.Msg = sources.Conflict, "PagerDuty refused: "+said
		e.Fix = "look at the incident again: it has changed"
	case (code == http.StatusBadRequest || code == http.StatusConflict || code == http.StatusUnprocessableEntity) && said != "":
		e.Msg = "PagerDuty refused: " + said
	}
	return e
}

func (s *source) tokenFix() string {
	fix := "check the token: it may be revoked"
	switch {
	case s.cfg.BaseURL != "":
		return fix + ", or be of another account than base_url: leads to"
	case s.cfg.Region == regionEU:
		return fix + "; if the account is not in the EU, set region: us"
	default:
		return fix + "; if the account is in the EU, set region: eu"
	}
}

// outdated reports that a refusal speaks of the incident's state rather than of the request.
func outdated(low string) bool {
	return strings.Contains(low, "already") || strings.Contains(low, "has been resolved") || strings.Contains(low, "is resolved") ||
		strings.Contains(low, "not mergeable") || strings.Contains(low, "cannot be merged") || strings.Contains(low, "stale")
}

// oneLine keeps of a text what fits into a sentence.
func oneLine(s string) string {
	s = strings.TrimRight(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }), " "), ". ")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}

// deliver runs one list, and answers ErrNotModified when it was made of the same answers, for the same
// query, as the one that was delivered last. A list that failed was not delivered.
func deliver[T any](ctx context.Context, s *source, feed string, q sources.Query, read func(context.Context) (sources.Batch[T], error)) (sources.Batch[T], error) {
	s.mu.Lock()
	s.asked = querySet{q.Services, q.Identity}
	s.mu.Unlock()
	trace := &httpx.Trace{}
	ctx = httpx.WithTrace(ctx, trace)
	httpx.Note(ctx, fmt.Sprintf("%+v %s %d %s", q.Services, q.Identity, q.Limit, q.Window))
	b, err := read(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.delivered, feed)
		return sources.Batch[T]{}, httpx.Explain("list "+feed, "", err)
	}
	for _, n := range b.Notices {
		trace.Note(n.Scope + n.Text.String())
	}
	sum := trace.Sum()
	if last, ok := s.delivered[feed]; ok && last == sum {
		return sources.Batch[T]{}, sources.ErrNotModified
	}
	s.delivered[feed] = sum
	return b, nil
}

// fatal reports that err ends a whole read, also where it concerns a part alone: the reader has given up.
func fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled)
}
