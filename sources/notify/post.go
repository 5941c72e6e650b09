package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// maxAnswer is how many bytes of an answer are read. The transport has no bound of its own for it: it would
// make a failure of an answer that says by its status that the message was taken.
const (
	maxAnswer = 64 << 10
	unbounded = 1 << 60
)

// request is one message on its way to an address.
type request struct {
	to     secret.Ref
	body   []byte
	header http.Header
	// reason finds what may be shown of a refusal's text; nil: nothing.
	reason func([]byte) string
}

func encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write the message: %w", err)
	}
	return data, nil
}

// post sends r, and once more where the connection was refused.
func (n *Notifier) post(ctx context.Context, r request) error {
	ctx, cancel := context.WithTimeout(ctx, n.limit)
	defer cancel()
	address, err := n.address(ctx, r.to)
	if err != nil {
		return err
	}
	again, err := n.once(ctx, address, r)
	if !again {
		return err
	}
	wait := time.NewTimer(n.pause)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return err
	case <-wait.C:
	}
	_, err = n.once(ctx, address, r)
	return err
}

// address resolves where r goes. Its errors never hold any of it.
func (n *Notifier) address(ctx context.Context, ref secret.Ref) (*url.URL, error) {
	text, err := ref.Resolve(ctx)
	if err != nil {
		return nil, unresolved(err)
	}
	u, err := url.Parse(text.Reveal())
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &sources.Error{Kind: sources.Invalid, Msg: "what is kept there is no web address: nothing was sent", Fix: "put the whole address there: https://host/path"}
	}
	if u.User != nil {
		return nil, &sources.Error{Kind: sources.Invalid, Msg: "the address holds a user or password: nothing was sent", Fix: "use one without"}
	}
	return u, nil
}

// unresolved is the error of a secret that could not be read.
func unresolved(err error) error {
	if e, ok := errors.AsType[*secret.Error](err); ok {
		return &sources.Error{Kind: sources.Permission, Msg: "nothing was sent: " + e.Ref.String() + ": " + e.Msg, Fix: e.Fix, Err: e}
	}
	return err
}

// once sends r one time. again reports that the connection was refused, so that nothing has arrived.
//
// Neither the transport nor what lies below it can send it twice: the body cannot be had a second time, and
// the connection is a fresh one. Otherwise Go's transport would take the Idempotency-Key as leave to.
func (n *Notifier) once(ctx context.Context, u *url.URL, r request) (again bool, err error) {
	ctx, flight := httpx.Watch(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), io.NopCloser(bytes.NewReader(r.body)))
	if err != nil {
		return false, &sources.Error{Kind: sources.Invalid, Msg: "what is kept there is no web address: nothing was sent", Fix: "put the whole address there: https://host/path"}
	}
	req.ContentLength, req.GetBody, req.Close = int64(len(r.body)), nil, true
	for k, v := range r.header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json")
	// The transport's own log is off: it would show the path of the address.
	res, err := httpx.NewTransport(httpx.Options{
		Base: n.o.Base, Hosts: []string{httpx.HostOf(u)}, MaxBody: unbounded, UserAgent: n.o.UserAgent, Now: n.o.Now,
	}).RoundTrip(req)
	if err != nil {
		if !flight.MayHaveArrived(err) {
			return errors.Is(err, syscall.ECONNREFUSED), httpx.Explain("", "", err)
		}
		return false, lost(httpx.Explain("", "", err).Msg)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case res.StatusCode/100 == 2:
		return false, nil // it was taken, whatever else was said
	case err != nil:
		text = nil
	}
	return false, refused(res, r, text)
}

func lost(why string) error {
	return &sources.Error{Kind: sources.Ambiguous, Msg: "it may have arrived or not, and is not sent again: " + why, Fix: "look there; signalbox journal has what was done"}
}

// refused is the error of an answer that is no success.
func refused(res *http.Response, r request, text []byte) error {
	status := fmt.Sprintf("status %d", res.StatusCode)
	if r.reason != nil {
		if why := r.reason(text); why != "" {
			status += " " + why
		}
	}
	switch code := res.StatusCode; {
	case code/100 == 3:
		return &sources.Error{Kind: sources.Invalid, Msg: "it redirects (" + status + "), which is not followed", Fix: "put the address there that it redirects to"}
	case httpx.Undecided(res):
		return lost("it answers with " + status)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return &sources.Error{Kind: sources.Permission, Msg: "it refuses the message (" + status + ")", Fix: "check the secret, and whether it may still be used"}
	case code == http.StatusNotFound || code == http.StatusGone:
		return &sources.Error{Kind: sources.NotExist, Msg: "there is nothing at that address (" + status + ")", Fix: "check the address, or make a new one"}
	case code == http.StatusTooManyRequests:
		return &sources.Error{Kind: sources.Throttled, Msg: "it takes no more messages now (" + status + "), and it is not sent again"}
	default:
		return &sources.Error{Kind: sources.Invalid, Msg: "it refuses the message (" + status + ")", Fix: "check that the address is of this kind of target"}
	}
}
