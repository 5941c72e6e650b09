package httpx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"example.com/signalbox/sources"
)

// Flight is how far one request that changes something has come. It tells a request that cannot have
// reached the provider from one that may have.
type Flight struct {
	handed  atomic.Bool // to the base transport: nothing of ours refused it
	seeking atomic.Bool // the base looks for a connection, and tells of it
	found   atomic.Bool // it has one, with its TLS agreed on: from here on bytes may have left
}

type flightKey struct{}

// Watch makes the request that is sent below ctx tell f how far it has come. It works for requests that go
// through a Transport. Go's own transport tries a request that changes something again only where a
// connection turned out to be dead before a byte of it was written.
func Watch(ctx context.Context) (context.Context, *Flight) {
	f := &Flight{}
	ctx = context.WithValue(ctx, flightKey{}, f)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { f.seeking.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { f.found.Store(true) },
	}), f
}

func hand(ctx context.Context) {
	if f, ok := ctx.Value(flightKey{}).(*Flight); ok {
		f.handed.Store(true)
	}
}

// MayHaveArrived reports whether the request, which ended with err and without an answer, can have reached
// the provider. In doubt it can.
func (f *Flight) MayHaveArrived(err error) bool {
	if !f.handed.Load() || f.seeking.Load() && !f.found.Load() {
		return false
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		// A server that does not take the client's certificate says so after its side of the handshake, and
		// reads no request.
		refused := op.Op == "remote error" && op.Err != nil && strings.Contains(op.Err.Error(), "certificate")
		if op.Op == "dial" || op.Op == "proxyconnect" || refused {
			return false
		}
	}
	_, unnamed := errors.AsType[*net.DNSError](err)
	return !unnamed
}

// Lost is the error of a request that changes something and whose answer was lost: it may have been done or
// not. fix says where to look.
func Lost(op, scope, fix string, err error) *sources.Error {
	e := Explain(op, scope, err)
	return &sources.Error{
		Kind: sources.Ambiguous, Op: op, Scope: scope, Msg: "the answer was lost, so it may have been done or not: " + e.Msg, Fix: fix, Err: err,
	}
}

// Undecided reports whether an answer leaves open if the request was carried out: the provider failed while
// it worked on it, or gave up waiting for it.
func Undecided(res *http.Response) bool {
	return res.StatusCode >= 500 || res.StatusCode == http.StatusRequestTimeout
}

// Redirected is the error of a request that changes something and was answered with a redirection, which is
// not followed.
func Redirected(op, scope, fix string, res *http.Response) *sources.Error {
	return &sources.Error{
		Kind: sources.Invalid, Op: op, Scope: scope, Msg: "the API redirects a change: nothing was changed", Fix: fix,
		Err: fmt.Errorf("status %s", res.Status),
	}
}
