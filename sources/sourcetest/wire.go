package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// wire is the transport between a driver and the fake of its provider.
type wire struct {
	handler http.Handler
	secret  string
	hosts   []string

	mu      sync.Mutex
	sent    int // all requests
	owned   int // requests to the credential's hosts
	leaks   []string
	fault   func(n int) fault // n counts from 0; nil: none
	rewrite []string
	hanging chan struct{} // gets one value for each request that hangs
}

// fault is what goes wrong with one request. At most one field is set.
type fault struct {
	status   int    // answered with this status …
	header   string // … and this header: "Retry-After: 30"
	html     bool   // a web page in place of an answer
	reset    bool   // the connection breaks
	truncate bool   // the body breaks in the middle
	hang     bool   // no answer until the request's context ends
	redirect string // sent elsewhere
}

var errReset = errors.New("read tcp 192.0.2.1:443: connection reset by peer")

func newWire(h Harness, p Provider) *wire {
	return &wire{handler: p.Handler, secret: h.Secret, hosts: h.CredentialHosts, hanging: make(chan struct{}, 1024)}
}

func (w *wire) setFault(f func(n int) fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.sent = f, 0
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	f, rewrite := w.admit(req)
	body := io.Reader(http.NoBody)
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err = errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	switch {
	case f.hang:
		w.hanging <- struct{}{}
		<-req.Context().Done()
		return nil, req.Context().Err()
	case f.reset:
		return nil, errReset
	case f.html:
		return answer(req, http.StatusOK, "text/html; charset=utf-8", "<!doctype html><title>Sign in</title>"), nil
	case f.redirect != "":
		res := answer(req, http.StatusFound, "text/plain", "")
		res.Header.Set("Location", f.redirect)
		return res, nil
	case f.status != 0:
		res := answer(req, f.status, "application/json", `{"message":"made to fail","errors":["made to fail"]}`)
		if name, value, ok := strings.Cut(f.header, ": "); ok {
			res.Header.Set(name, value)
		}
		return res, nil
	}
	rec := httptest.NewRecorder()
	in := req.Clone(req.Context())
	in.Body = io.NopCloser(body)
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = "192.0.2.2:1234"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	w.handler.ServeHTTP(rec, in)
	return w.finish(req, rec, f, rewrite), nil
}

func (w *wire) finish(req *http.Request, rec *httptest.ResponseRecorder, f fault, rewrite []string) *http.Response {
	data := rec.Body.Bytes()
	for _, text := range rewrite {
		data = bytes.ReplaceAll(data, []byte(text), []byte(text+hostile))
	}
	res := rec.Result()
	res.Request = req
	res.Header.Del("Content-Length")
	res.ContentLength = int64(len(data))
	var body io.Reader = bytes.NewReader(data)
	if f.truncate && len(data) > 1 {
		res.ContentLength = -1
		body = io.MultiReader(bytes.NewReader(data[:len(data)/2]), broken{})
	}
	res.Body = &contextBody{ctx: req.Context(), r: body}
	return res
}

// hostile is what nobody may see on a terminal, as JSON writes it: an escape sequence that sets the
// title, one that clears the screen, a bidirectional override, a line break, a zero-width space.
const hostile = `\u001b]0;owned\u0007\u001b[2J\u202e\r\n\u200b`

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// contextBody ends with the request's context, as a real body does.
type contextBody struct {
	ctx context.Context //nolint:containedctx // a body belongs to its request
	r   io.Reader
}

func (b *contextBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p) //nolint:wrapcheck // io.EOF is no error to wrap
}

func (b *contextBody) Close() error { return nil }

// admit counts a request and looks where the credential goes.
func (w *wire) admit(req *http.Request) (fault, []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.sent
	w.sent++
	own := slices.Contains(w.hosts, req.URL.Host) || slices.Contains(w.hosts, req.URL.Hostname())
	if own {
		w.owned++
	}
	if strings.Contains(req.URL.String(), w.secret) || strings.Contains(req.URL.String(), url.QueryEscape(w.secret)) {
		w.leaks = append(w.leaks, "in the address of a request to "+req.URL.Host)
	}
	if !own && carries(req.Header, w.secret) {
		w.leaks = append(w.leaks, "in a header to "+req.URL.Host)
	}
	if w.fault == nil {
		return fault{}, w.rewrite
	}
	return w.fault(n), w.rewrite
}

func carries(h http.Header, secret string) bool {
	for _, values := range h {
		for _, v := range values {
			if strings.Contains(v, secret) || encoded(v, secret) {
				return true
			}
		}
	}
	return false
}

func (w *wire) counts() (sent, owned int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent, w.owned
}

func (w *wire) leaked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.leaks)
}

func answer(req *http.Request, status int, kind, body string) *http.Response {
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)), Request: req,
	}
}
