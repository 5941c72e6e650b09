package pagerduty

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// flight is how far one write has come.
type flight struct {
	handed  atomic.Bool // to the base transport: nothing of ours refused it
	seeking atomic.Bool // the base looks for a connection, and tells of it
	found   atomic.Bool // it has one: from here on bytes may have left
}

// mayHaveArrived reports whether the request can have reached the provider.
func (f *flight) mayHaveArrived() bool {
	return f.handed.Load() && (f.found.Load() || !f.seeking.Load())
}

type flightKey struct{}

// marking notes that a request was handed on.
type marking struct{ base http.RoundTripper }

func (m marking) RoundTrip(req *http.Request) (*http.Response, error) {
	if f, ok := req.Context().Value(flightKey{}).(*flight); ok {
		f.handed.Store(true)
	}
	return m.base.RoundTrip(req) //nolint:wrapcheck // a transport adds nothing to what it passes on
}

func (f *flight) watch(ctx context.Context) context.Context {
	ctx = context.WithValue(ctx, flightKey{}, f)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { f.seeking.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { f.found.Store(true) },
	})
}

// send makes one request that changes something, once. from is the address of who acts: PagerDuty wants it on
// every write, also where go-pagerduty forgets it. An error of another kind than Ambiguous means that nothing
// was changed. Go's transport tries again by itself only where a connection turned out to be dead before a
// byte was written.
func (s *source) send(ctx context.Context, method, path, from string, body any) ([]byte, error) {
	c, err := s.conn(ctx)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	f := &flight{}
	req, err := http.NewRequestWithContext(f.watch(ctx), method, s.address(path, nil), bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Accept", media)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("From", from)
	res, err := c.writes.Do(req)
	if err != nil {
		return nil, f.judge(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	switch code := res.StatusCode; {
	case code/100 == 2 && err != nil:
		return nil, ambiguous(err)
	case code/100 == 2:
		return answer, nil
	case code >= 500:
		e := ambiguous(fmt.Errorf("status %s", res.Status))
		e.Msg = "PagerDuty failed while it worked on it: it may have been done"
		return nil, e
	case code/100 == 3:
		return nil, &sources.Error{Kind: sources.Invalid, Msg: "the API redirects a change: nothing was changed", Fix: "check region: and base_url:", Err: fmt.Errorf("status %s", res.Status)}
	case code == http.StatusRequestTimeout:
		return nil, ambiguous(fmt.Errorf("status %s", res.Status))
	}
	e := s.refusal(res, answer, c.write)
	if e.Kind == sources.Throttled {
		e.Msg, e.Fix = "PagerDuty takes no more changes for now: nothing was changed", "try again when the time is up, or use PagerDuty's own pages"
	}
	return nil, e
}

// judge tells an error before anything was sent from one after that.
func (f *flight) judge(err error) error {
	if !f.mayHaveArrived() {
		return err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return err
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return err
	}
	return ambiguous(err)
}

func ambiguous(err error) *sources.Error {
	e := httpx.Explain("", "", err)
	return &sources.Error{
		Kind: sources.Ambiguous, Msg: "the answer was lost, so it may have been done or not: " + e.Msg,
		Fix: "look at the incident before you try again", Err: err,
	}
}

// answered decodes what a write brought. What cannot be decoded leaves open whether it was done.
func answered[T wire](body []byte) (T, error) {
	v, err := decode[T](body)
	if err != nil {
		return v, ambiguous(err)
	}
	return v, nil
}
