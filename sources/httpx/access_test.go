package httpx_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// taken is a base transport that answers everything, and remembers what it was asked.
type taken struct{ last *http.Request }

func (t *taken) RoundTrip(req *http.Request) (*http.Response, error) {
	t.last = req
	rec := httptest.NewRecorder()
	rec.WriteHeader(http.StatusOK)
	return rec.Result(), nil
}

func TestPlainHTTPIsForTheConfiguredHostAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		address string
		allowed bool
		want    bool
	}{
		{"http://prometheus:9090/x", true, true},
		{"http://prometheus:9090/x", false, false},
		{"http://elsewhere:9090/x", true, false},
		{"ftp://prometheus:9090/x", true, false},
		{"https://elsewhere/x", false, true},
	} {
		base := &taken{}
		a := &httpx.Access{Headers: map[string]string{"X-Scope-OrgID": "team-a"}}
		tr := httpx.NewTransport(httpx.Options{Base: base, Hosts: []string{"prometheus:9090"}, Authorize: a.Authorize, PlainHTTP: tt.allowed, Now: time.Now})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := tr.RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil) != tt.want {
			t.Errorf("%s, allowed %t: %v", tt.address, tt.allowed, err)
		}
		if err == nil && (base.last.Header.Get("X-Scope-OrgID") != "") != strings.Contains(tt.address, "prometheus") {
			t.Errorf("%s: headers %v", tt.address, base.last.Header)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://mimir.example.com/prometheus/": "https://mimir.example.com/prometheus",
		"https://a":                             "https://a",
		"http://127.0.0.1:9090":                 "http://127.0.0.1:9090",
		"http://[::1]:9090/":                    "http://[::1]:9090",
		"http://prometheus:9090":                "",
		"prometheus:9090":                       "",
		"https://a?x=1":                         "",
		"https://a#x":                           "",
		"https://u@a":                           "",
		"https:///x":                            "",
		"":                                      "",
	} {
		u, err := (&httpx.Access{}).Address(text)
		switch {
		case err != nil && want != "":
			t.Errorf("%q: %v", text, err)
		case err == nil && u.String() != want:
			t.Errorf("%q is %q", text, u)
		}
	}
}

// A secret that cannot be read, or could not be a header, is a person's to mend, and is not shown.
func TestAuthorizeRefusesWhatIsNoSecret(t *testing.T) {
	for name, value := range map[string]string{"SIGNALBOX_TEST_EMPTY": "", "SIGNALBOX_TEST_LINES": "geheim\r\nX: y", "SIGNALBOX_TEST_BLANK": "geheim wort"} {
		t.Setenv(name, value)
		a := &httpx.Access{Token: secret.FromEnv(name)}
		req := httptest.NewRequest(http.MethodGet, "https://a/", nil)
		err := a.Authorize(req)
		if sources.KindOf(err) != sources.Permission || err == nil || strings.Contains(err.Error(), "geheim") || req.Header.Get("Authorization") != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("SIGNALBOX_TEST_TOKEN", "geheim")
	a := &httpx.Access{SecretHeaders: map[string]secret.Ref{"X-Api-Key": secret.FromEnv("SIGNALBOX_TEST_TOKEN")}, Headers: map[string]string{"X-Scope-OrgID": "1"}}
	req := httptest.NewRequest(http.MethodGet, "https://a/", nil)
	if err := a.Authorize(req); err != nil || req.Header.Get("X-Api-Key") != "geheim" || req.Header.Get("X-Scope-OrgID") != "1" {
		t.Errorf("%v, %v", req.Header, err)
	}
	if strings.Contains(a.Name(), "geheim") || a.Name() == (&httpx.Access{}).Name() {
		t.Errorf("name %q", a.Name())
	}
}

func TestDeliverTellsWhatDidNotChange(t *testing.T) {
	t.Parallel()
	var f httpx.Feeds
	same := httpx.NewSame[string](4)
	body, notice := "a", ""
	var fail error
	list := func(q sources.Query) error {
		_, err := httpx.Deliver(t.Context(), &f, "things", q, func(ctx context.Context) (sources.Batch[string], error) {
			v, _, err := same.Fetch(ctx, "k", func(context.Context) ([]byte, error) { return []byte(body), fail }, func(b []byte) (string, error) { return string(b), nil })
			b := sources.Batch[string]{Items: []string{v}}
			if notice != "" {
				b.Notices = []sources.Notice{{Scope: notice}}
			}
			return b, err
		})
		return err
	}
	steps := []struct {
		what string
		do   func()
		q    sources.Query
		want bool // that it is delivered
	}{
		{"first", func() {}, sources.Query{}, true},
		{"again", func() {}, sources.Query{}, false},
		{"later", func() {}, sources.Query{Now: time.Unix(1, 0)}, false},
		{"another step", func() {}, sources.Query{Step: time.Second}, true},
		{"another scope", func() {}, sources.Query{Scope: "x", Step: time.Second}, true},
		{"a notice", func() { notice = "n" }, sources.Query{Step: time.Second}, true},
		{"another body", func() { body = "b" }, sources.Query{Step: time.Second}, true},
		{"and back", func() { body = "a" }, sources.Query{Step: time.Second}, true},
		{"and again", func() {}, sources.Query{Step: time.Second}, false},
	}
	for _, s := range steps {
		s.do()
		err := list(s.q)
		if errors.Is(err, sources.ErrNotModified) == s.want {
			t.Errorf("%s: %v", s.what, err)
		}
	}
	fail = &url.Error{Op: "Get", URL: "https://a", Err: context.DeadlineExceeded}
	if e, ok := errors.AsType[*sources.Error](list(sources.Query{})); !ok || e.Op != "list things" || e.Kind != sources.Transient {
		t.Errorf("a failure: %v", e)
	}
	fail = nil
	if err := list(sources.Query{}); err != nil {
		t.Errorf("after a failure the answer is delivered anew: %v", err)
	}
}
