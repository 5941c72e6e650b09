package httpx

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

func TestWhatMayHaveArrived(t *testing.T) {
	t.Parallel()
	drop := func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		url     func(server string) string
		refuse  error
		want    bool
	}{
		{name: "the connection ends without an answer", handler: drop, want: true},
		{name: "nobody listens", url: func(string) string { return "http://127.0.0.1:1/" }},
		{name: "no such host", url: func(string) string { return "http://nowhere.invalid/" }},
		{name: "another protocol", handler: drop, url: func(s string) string { return strings.Replace(s, "http:", "https:", 1) }},
		{name: "refused by the budget", handler: drop, refuse: &sources.Error{Kind: sources.Throttled, Msg: "used up"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(c.handler)
			t.Cleanup(srv.Close)
			url := srv.URL
			if c.url != nil {
				url = c.url(url)
			}
			ctx, f := Watch(t.Context())
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			transport := NewTransport(Options{
				Base: http.DefaultTransport, Hosts: []string{req.URL.Host}, PlainHTTP: true, Log: slog.New(slog.DiscardHandler), Now: time.Now,
				Authorize: func(*http.Request) error { return c.refuse },
			})
			res, err := transport.RoundTrip(req)
			if err == nil {
				_ = res.Body.Close()
				t.Fatal("it was answered")
			}
			if got := f.MayHaveArrived(err); got != c.want {
				t.Errorf("may have arrived: %t after %v", got, err)
			}
		})
	}
}

// A transport that tells nothing of its connections is believed to have sent everything but what it could
// not dial.
func TestSilentTransport(t *testing.T) {
	t.Parallel()
	ctx, f := Watch(t.Context())
	if f.MayHaveArrived(io.EOF) {
		t.Error("nothing was handed over")
	}
	hand(ctx)
	for _, c := range []struct {
		err  error
		want bool
	}{
		{io.ErrUnexpectedEOF, true}, {errors.New("anything"), true}, {&net.OpError{Op: "dial"}, false}, {&net.OpError{Op: "proxyconnect"}, false},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, false}, {&net.OpError{Op: "remote error", Err: errors.New("tls: internal error")}, true},
		{&net.OpError{Op: "read"}, true}, {&net.DNSError{}, false},
	} {
		if got := f.MayHaveArrived(c.err); got != c.want {
			t.Errorf("%v: %t", c.err, got)
		}
	}
	e := Lost("acknowledge", "", "look", io.ErrUnexpectedEOF)
	if e.Kind != sources.Ambiguous || e.Fix != "look" || !errors.Is(e, io.ErrUnexpectedEOF) {
		t.Errorf("%+v", e)
	}
}
