package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// server is the one server that a source reads.
type server struct {
	address   *url.URL
	transport *httpx.Transport
	client    *http.Client
	urls      api.Client // builds addresses
	same      *httpx.Same[any]
}

// memoSize bounds how many answers are remembered: one for each expression of a board, and some.
const memoSize = 512

func newServer(address *url.URL, t *httpx.Transport) (*server, error) {
	client := &http.Client{Transport: t, CheckRedirect: httpx.SameHost(address, "url")}
	urls, err := api.NewClient(api.Config{Address: address.String(), Client: client})
	if err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	return &server{address: address, transport: t, client: client, urls: urls, same: httpx.NewSame[any](memoSize)}, nil
}

// apiError is what the API answered of one expression: it is at fault, not the server.
type apiError struct{ Type, Msg string }

func (e *apiError) Error() string { return e.Type + ": " + e.Msg }

// ofExpression reports that err is about the expression that was asked, so that others may fare better.
func ofExpression(err error) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && (e.Type == "bad_data" || e.Type == "execution" || e.Type == "timeout" || e.Type == "canceled" || e.Type == "422")
}

var errHeld = errors.New("the body is held")

// live carries the requests that client_golang builds, and holds the body of a success instead of handing
// it on to be decoded. It serves one request, or one and its repetition as a GET.
type live struct {
	*server
	body   []byte
	header http.Header
}

func (l *live) URL(ep string, args map[string]string) *url.URL { return l.urls.URL(ep, args) }

// Do implements api.Client. A refusal of POST keeps its status: client_golang asks again by GET.
func (l *live) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	req = req.WithContext(ctx)
	req.Header.Set("Accept", "application/json")
	res, err := l.client.Do(req) //nolint:gosec // the address is the configured one
	if err != nil {
		return nil, nil, bounded(err)
	}
	defer func() { _ = res.Body.Close() }()
	l.header = res.Header
	body, err := io.ReadAll(res.Body)
	if res.StatusCode/100 != 2 {
		return res, nil, l.explain(res, body)
	}
	if err != nil {
		return res, nil, fmt.Errorf("read the answer: %w", bounded(err))
	}
	l.body = body
	return res, nil, errHeld
}

// bounded says of an answer that is too big that what was asked for is.
func bounded(err error) error {
	if !errors.Is(err, httpx.ErrTooBig) {
		return err
	}
	msg := httpx.Explain("", "", err).Msg
	return &sources.Error{
		Kind: sources.Invalid, Msg: msg, Fix: "aggregate what is asked for, with sum by () for example", Err: &apiError{Type: "bad_data", Msg: msg},
	}
}

// envelope is what every answer of the API is wrapped in.
type envelope struct {
	Status    string          `json:"status"`
	ErrorType string          `json:"errorType"`
	Error     string          `json:"error"`
	Data      json.RawMessage `json:"data"`
}

// explain turns a refusal into an error for people, with the server's own words where it has some.
func (l *live) explain(res *http.Response, body []byte) *sources.Error {
	e := httpx.Status("", "", res)
	var said envelope
	ours := json.Unmarshal(body, &said) == nil && said.Status == "error"
	text := strings.TrimSuffix(clean.Line(said.Error).Cut(300, clean.Const("…")).String(), ".")
	switch {
	case e.Kind == sources.Throttled, res.StatusCode == http.StatusForbidden && !l.transport.PausedUntil().IsZero():
		e.Kind, e.Msg, e.RetryAt = sources.Throttled, "the server asks to slow down", l.transport.PausedUntil()
	case res.StatusCode == http.StatusUnauthorized:
		e.Msg, e.Fix = "the sign-in is not accepted", "check token, basic or secret_headers of this source"
	case res.StatusCode == http.StatusForbidden:
		e.Fix = "check what the credential may do, and the tenant in headers"
	case res.StatusCode == http.StatusNotFound:
		e.Msg, e.Fix = "there is no Prometheus API at this address, or not what was asked for", "check url and its path"
	case res.StatusCode == http.StatusBadRequest && !ours:
		e.Kind, e.Msg, e.Fix = sources.Unsupported, "the server does not know what was asked for", "check url and its path"
	case ours && text != "":
		e.Msg = text
		e.Err = &apiError{Type: said.ErrorType, Msg: text}
		if res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusUnprocessableEntity {
			e.Kind, e.Fix = sources.Invalid, "mend the expression"
			if !ofExpression(e) {
				e.Err = &apiError{Type: "422", Msg: text}
			}
		} else if ofExpression(e) {
			e.Fix = "make the expression cheaper, with a recording rule for example, or its window shorter"
		}
	}
	return e
}

// canned answers with a body that is in hand.
type canned struct {
	api.Client
	body []byte
}

func (c canned) Do(_ context.Context, req *http.Request) (*http.Response, []byte, error) {
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Request: req}, c.body, nil
}

// ask reads one answer: client_golang builds its request and decodes it, unless the server has answered key
// with the same bytes the last time. call is used for either, and its second result is kept with the first.
func ask[T any](ctx context.Context, s *server, key string, call func(context.Context, v1.API) (T, error)) (T, error) {
	return askQuick(ctx, s, key, call, func([]byte) (T, bool) {
		var none T
		return none, false
	})
}

// askQuick is ask with a decoder that may know the answer's form.
func askQuick[T any](ctx context.Context, s *server, key string, call func(context.Context, v1.API) (T, error), quick func([]byte) (T, bool)) (T, error) {
	v, _, err := s.same.Fetch(ctx, key, func(ctx context.Context) ([]byte, error) {
		body, _, err := s.fetch(ctx, func(ctx context.Context, a v1.API) error {
			_, err := call(ctx, a)
			return err
		})
		return body, err
	}, func(body []byte) (any, error) {
		if v, ok := quick(body); ok {
			return v, nil
		}
		return decode(ctx, s, body, call)
	})
	t, ok := v.(T)
	if err == nil && !ok {
		err = fmt.Errorf("remembered a %T", v)
	}
	return t, err
}

// fetch sends what call builds and returns the answer's body and headers.
func (s *server) fetch(ctx context.Context, call func(context.Context, v1.API) error) ([]byte, http.Header, error) {
	l := &live{server: s}
	err := call(ctx, v1.NewAPI(l))
	if l.body == nil {
		if err == nil {
			err = notOurs()
		}
		return nil, l.header, err
	}
	return l.body, l.header, nil
}

// decode lets client_golang decode a body, once it is known to be an answer of the API at all.
func decode[T any](ctx context.Context, s *server, body []byte, call func(context.Context, v1.API) (T, error)) (T, error) {
	var none T
	head, err := statusOf(body)
	if err != nil {
		return none, err
	}
	if head == "error" {
		var said envelope
		if err := json.Unmarshal(body, &said); err != nil {
			return none, fmt.Errorf("decode the answer: %w", err)
		}
		text := clean.Line(said.Error).String()
		return none, &sources.Error{Kind: sources.Invalid, Msg: text, Fix: "mend the expression", Err: &apiError{Type: said.ErrorType, Msg: text}}
	}
	v, err := call(ctx, v1.NewAPI(canned{s.urls, body}))
	if e, ok := errors.AsType[*v1.Error](err); ok {
		if strings.Contains(e.Msg, "unexpected value type") {
			return none, notNumber()
		}
		// The answer is the API's, and says success: what it holds concerns this expression alone.
		return none, &sources.Error{
			Kind: sources.Invalid, Msg: "the answer is not in the form that Prometheus promises",
			Fix: "check what url leads to, and what stands in between", Err: &apiError{Type: "bad_data", Msg: clean.Line(e.Msg).String()},
		}
	}
	return v, err
}

// statusOf is the status that an answer begins or ends with: "success" or "error". Anything else is not
// of this API.
func statusOf(body []byte) (string, error) {
	if strings.HasPrefix(strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n"), `{"status":"success"`) {
		return "success", nil // client_golang reads the rest
	}
	var head struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return "", fmt.Errorf("decode the answer: %w", err)
	}
	if head.Status != "success" && head.Status != "error" {
		return "", notOurs()
	}
	return head.Status, nil
}

func notOurs() error {
	return &sources.Error{Kind: sources.Invalid, Msg: "the answer is not what Prometheus promises", Fix: "check url, its path, and what stands in between"}
}

// notNumber says that an expression gives a text.
func notNumber() error {
	return &sources.Error{
		Kind: sources.Invalid, Msg: "the expression gives a text, not a number", Fix: "mend the expression",
		Err: &apiError{Type: "bad_data", Msg: "a string"},
	}
}
