package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/crash"
)

var (
	began = time.Date(2026, 11, 22, 2, 14, 5, 0, time.UTC)
	ended = time.Date(2026, 11, 22, 2, 16, 40, 500_000_000, time.UTC)
)

const (
	hidden = "T0SECRET/B0SECRET/Xsecretpath"
	key    = "hunter2hunter2"
)

func message() Message {
	return Message{
		Event: "rollback", Plan: "20261122-021405-0a1b", Title: clean.Line("Roll back checkout/prod to v1.9.1"), Text: clean.Line("v1.9.1 runs in eu and us"),
		Outcome: "done", Service: "checkout", Environment: "prod", Version: "v1.9.1", Who: "sre1", URL: "https://github.com/acme/checkout/actions/runs/9?a=1&b=2",
		Began: began, At: ended, Incident: sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, ID: "Q1"},
	}
}

// got is one request as a server saw it.
type got struct {
	method, path string
	header       http.Header
	body         []byte
}

// server is a place that messages are sent to.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	seen []got
}

func serve(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read what was sent: %v", err)
		}
		s.mu.Lock()
		s.seen = append(s.seen, got{r.Method, r.URL.Path, r.Header.Clone(), data})
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() []got {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func (s *server) address() string { return s.URL + "/services/" + hidden }

// kept is a reference to a file that holds text.
func kept(t *testing.T, text string) secret.Ref {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := secret.NewScope().Parse("file:"+path, "")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

type bench struct {
	*Notifier
	log   *bytes.Buffer
	calls []sources.Call
	mu    sync.Mutex
}

func newBench(t *testing.T, targets ...Target) *bench {
	t.Helper()
	b := &bench{log: &bytes.Buffer{}}
	n, err := New(Options{
		Targets: targets, UserAgent: "signalbox/test", Now: func() time.Time { return ended.Add(time.Second) },
		Log: slog.New(slog.NewTextHandler(lockedWriter{b}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Send: func(_ context.Context, c sources.Call) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.calls = append(b.calls, c)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.pause = 0
	b.Notifier = n
	return b
}

type lockedWriter struct{ b *bench }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	return w.b.log.Write(p)
}

// tells sends m and checks that no secret was shown.
func (b *bench) tells(t *testing.T, m Message) error {
	t.Helper()
	err := errors.Join(b.Tell(t.Context(), m)...)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range []string{hidden, "SECRET", "secretpath", key} {
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), one) || strings.Contains(b.log.String(), one) {
			t.Errorf("%q is shown: %v\n%s", one, err, b.log)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), one) {
				t.Errorf("%q is in the chain: %#v", one, e)
			}
		}
	}
	return err
}

func decoded(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return m
}

func TestSlack(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	b := newBench(t, Target{Slack: kept(t, s.address()), On: []string{"rollback"}})
	if err := b.tells(t, message()); err != nil {
		t.Fatal(err)
	}
	r := s.requests()
	if len(r) != 1 || r[0].method != http.MethodPost || r[0].path != "/services/"+hidden || r[0].header.Get("Content-Type") != "application/json" ||
		r[0].header.Get("User-Agent") != "signalbox/test" || r[0].header.Get("Authorization") != "" {
		t.Fatalf("got %+v", r)
	}
	want := map[string]any{
		"text":   "Roll back checkout/prod to v1.9.1: done. v1.9.1 runs in eu and us",
		"mrkdwn": false, "link_names": false,
		"blocks": []any{
			map[string]any{"type": "header", "text": map[string]any{"type": "plain_text", "text": "Roll back checkout/prod to v1.9.1"}},
			map[string]any{"type": "section", "text": map[string]any{"type": "plain_text", "text": "done. v1.9.1 runs in eu and us"}},
			map[string]any{"type": "context", "elements": []any{
				map[string]any{"type": "plain_text", "text": "checkout/prod · v1.9.1 · by sre1 · plan 20261122-021405-0a1b · 2026-11-22T02:16:40Z"},
				map[string]any{"type": "mrkdwn", "verbatim": true, "text": "<https://github.com/acme/checkout/actions/runs/9?a=1&amp;b=2|open>"},
			}},
		},
	}
	if body := decoded(t, r[0].body); !reflect.DeepEqual(body, want) {
		t.Errorf("got %s", r[0].body)
	}
}

// What was fetched from elsewhere calls nobody, links nowhere, and stays within what Slack takes.
func TestSlackOfHostileText(t *testing.T) {
	t.Parallel()
	hostile := []string{
		"<!channel> all", "<!here|x>", "<@U012> and <#C012>", "<https://evil.example.com|log in>", "@here now", "@CHANNEL", "@Everyone", "a&b <b> &lt;!channel&gt;",
		strings.Repeat("<", 4000), strings.Repeat("é", 4000), strings.Repeat("@here", 900), "*bold* _it_ `code` ~no~", "\x1b[31mred\u202e\x07", "",
	}
	for _, text := range hostile {
		m := message()
		m.Title, m.Text, m.Service, m.Who, m.Outcome, m.Version = clean.Line(text), clean.Line(text), text, text, text, text
		s := slackOf(&m)
		all := []string{s.Text}
		for _, b := range s.Blocks {
			if b.Text != nil {
				all = append(all, b.Text.Text)
			}
			for _, e := range b.Elements {
				if e.Type == "plain_text" {
					all = append(all, e.Text)
				}
			}
		}
		if got := len([]rune(s.Blocks[0].Text.Text)); got > slackHeader || got == 0 {
			t.Errorf("%.20q: the header has %d characters", text, got)
		}
		for _, one := range all {
			lower := strings.ToLower(one)
			if strings.ContainsAny(one, "<>") || len([]rune(one)) > slackSection {
				t.Errorf("%.20q gives %d characters: %.80q", text, len([]rune(one)), one)
			}
			for _, call := range []string{"@here", "@channel", "@everyone"} {
				if strings.Contains(lower, call) {
					t.Errorf("%.20q calls %s: %.80q", text, call, one)
				}
			}
			if rest := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(one); strings.Contains(rest, "&") {
				t.Errorf("%.20q holds half an entity: %.80q", text, one)
			}
		}
	}
	for address, want := range map[string]string{
		"https://x.example.com/a|b>c<d e": "<https://x.example.com/a%7Cb%3Ec%3Cd%20e|open>", "javascript:alert(1)": "", "": "", "http://x/?a=<!here>": "<http://x/?a=%3C!here%3E|open>",
		"https://x/" + strings.Repeat("a", 3000): "", "https://": "",
	} {
		if got := slackLink(address); got != want {
			t.Errorf("%.40q gives %q", address, got)
		}
	}
	if slackPlain("abc", 3) != "abc" || slackPlain("abcd", 3) != "ab…" || slackPlain("ab&", 6) != "ab…" || slackPlain("ab&", 7) != "ab&amp;" {
		t.Errorf("cut to %q %q %q %q", slackPlain("abc", 3), slackPlain("abcd", 3), slackPlain("ab&", 6), slackPlain("ab&", 7))
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	b := newBench(t, Target{Webhook: secret.Plain(s.address()), Secret: kept(t, key), On: []string{"rollback", "guard"}})
	if err := b.tells(t, message()); err != nil {
		t.Fatal(err)
	}
	least := Message{Event: Guard, Plan: "p2", Title: clean.Line("Guard of checkout/prod"), At: ended}
	if err := b.tells(t, least); err != nil {
		t.Fatal(err)
	}
	r := s.requests()
	if len(r) != 2 {
		t.Fatalf("%d requests", len(r))
	}
	want := map[string]any{
		"format": 1.0, "event": "rollback", "outcome": "done", "plan": "20261122-021405-0a1b", "title": "Roll back checkout/prod to v1.9.1", "text": "v1.9.1 runs in eu and us",
		"service": "checkout", "environment": "prod", "version": "v1.9.1", "who": "sre1", "url": "https://github.com/acme/checkout/actions/runs/9?a=1&b=2",
		"incident": map[string]any{"source": "pagerduty", "kind": "incident", "id": "Q1"}, "began": "2026-11-22T02:14:05Z", "at": "2026-11-22T02:16:40.5Z",
	}
	if body := decoded(t, r[0].body); !reflect.DeepEqual(body, want) {
		t.Errorf("got %s", r[0].body)
	}
	if body, keys := decoded(t, r[1].body), []string{"at", "event", "format", "plan", "title"}; !slices.Equal(slices.Sorted(maps.Keys(body)), keys) {
		t.Errorf("of little: %s", r[1].body)
	}
	for i, idem := range []string{"20261122-021405-0a1b:rollback", "p2:guard"} {
		h := r[i].header
		at := h.Get("X-Signalbox-Timestamp")
		if at != "1795313801" || h.Get("X-Signalbox-Signature") != "v1="+Sign(key, at, r[i].body) || h.Get("Idempotency-Key") != idem {
			t.Errorf("headers %v", h)
		}
	}
	// The form of a signature is a promise: computed with another program, `printf '%s' '1795313801.{"a":1}' |
	// openssl dgst -sha256 -hmac hunter2hunter2`.
	if got := Sign(key, "1795313801", []byte(`{"a":1}`)); got != signedElsewhere {
		t.Errorf("signed as %s", got)
	}
}

func TestAnnotation(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"id":1,"message":"Annotation added"}`) })
	b := newBench(t,
		Target{Annotations: secret.Plain(s.URL + "/api/annotations"), Secret: kept(t, key), On: []string{"rollback"}},
		Target{Annotations: secret.Plain(s.URL + "/none"), On: []string{"ack"}})
	m := message()
	m.Text = clean.Line("<img src=x onerror=alert(1)> & more")
	if err := b.tells(t, m); err != nil {
		t.Fatal(err)
	}
	if err := b.tells(t, Message{Event: "ack", Title: clean.Line("Ack"), At: ended, Began: ended.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	r := s.requests()
	if r[0].header.Get("Authorization") != "Bearer "+key || r[0].path != "/api/annotations" || r[1].header.Get("Authorization") != "" {
		t.Errorf("got %+v", r)
	}
	want := map[string]any{
		"time": 1795313645000.0, "timeEnd": 1795313800500.0, "tags": []any{"signalbox", "rollback", "outcome:done", "service:checkout", "environment:prod", "version:v1.9.1"},
		"text": "Roll back checkout/prod to v1.9.1: done. &lt;img src=x onerror=alert(1)&gt; &amp; more (sre1)",
	}
	if body := decoded(t, r[0].body); !reflect.DeepEqual(body, want) {
		t.Errorf("got %s", r[0].body)
	}
	want = map[string]any{"time": 1795313800500.0, "timeEnd": 1795313800500.0, "tags": []any{"signalbox", "ack"}, "text": "Ack"}
	if body := decoded(t, r[1].body); !reflect.DeepEqual(body, want) {
		t.Errorf("got %s", r[1].body)
	}
}

func TestNotesAndEvents(t *testing.T) {
	t.Parallel()
	b := newBench(t, Target{Note: true, On: []string{"rollback"}}, Target{Event: "datadog", On: []string{"guard"}})
	if err := b.tells(t, message()); err != nil {
		t.Fatal(err)
	}
	m := message()
	m.Event, m.Outcome = Guard, "not enough data"
	if err := b.tells(t, m); err != nil {
		t.Fatal(err)
	}
	want := []sources.Call{
		{Verb: sources.AddNote, Target: m.Incident, Text: "Roll back checkout/prod to v1.9.1: done. v1.9.1 runs in eu and us · by sre1 · plan 20261122-021405-0a1b · " + m.URL},
		{
			Verb: sources.PostEvent, Target: sources.Ref{Source: "datadog", Kind: sources.KindChange, ID: "checkout"},
			Text: "Roll back checkout/prod to v1.9.1: not enough data. v1.9.1 runs in eu and us",
			Fields: map[string]string{
				"service": "checkout", "env": "prod", "version": "v1.9.1", "title": "Roll back checkout/prod to v1.9.1", "tags": "action:guard,outcome:not-enough-data",
			},
		},
	}
	if !reflect.DeepEqual(b.calls, want) {
		t.Errorf("got %+v", b.calls)
	}
	// Of no incident and of no service there is nothing to write on.
	m.Incident, m.Service = sources.Ref{}, ""
	if err := b.tells(t, m); err != nil {
		t.Error(err)
	}
	m.Event = "rollback"
	if err := b.tells(t, m); err != nil || len(b.calls) != 2 {
		t.Errorf("%d calls, %v", len(b.calls), err)
	}
}

func TestOnlyThoseWhoWantItAreTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event string
		on    []string
		told  bool
	}{
		{"promote", []string{"promote"}, true}, {"promote", []string{"rollback", "guard"}, false}, {"rerun-all", []string{"rerun"}, true}, {"rerun", []string{"rerun"}, true},
		{"note", []string{"promote"}, false}, {"event", []string{"promote"}, false}, {"guard", []string{"guard"}, true}, {"ack", nil, false},
	} {
		b := newBench(t, Target{Note: true, On: c.on})
		m := message()
		m.Event = c.event
		if err := b.tells(t, m); err != nil || (len(b.calls) == 1) != c.told {
			t.Errorf("%s to %v: %d calls, %v", c.event, c.on, len(b.calls), err)
		}
	}
}

// Each target fails alone: of several, all others are told.
func TestOneFailureHurtsNoOther(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-arrived: // all others were told while this one hung
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusInternalServerError)
	})
	good := serve(t, nil)
	on := []string{"rollback"}
	b := newBench(t,
		Target{Slack: kept(t, slow.address()), On: on}, Target{Note: true, On: on}, Target{Event: "datadog", On: on},
		Target{Annotations: secret.Plain(good.URL + "/a"), On: on}, Target{Webhook: secret.Plain(good.URL + "/w"), Secret: kept(t, key), On: on})
	var panics []*crash.Panic
	b.o.Crash = func(p *crash.Panic) { panics = append(panics, p) }
	b.o.Send = func(_ context.Context, c sources.Call) error {
		if c.Verb == sources.AddNote {
			panic("boom " + hidden)
		}
		close(arrived)
		return &sources.Error{Kind: sources.Permission, Op: "event", Msg: "the key may not", Fix: "give it events_write"}
	}
	err := b.tells(t, message())
	if len(good.requests()) != 2 || len(slow.requests()) != 1 || len(panics) != 1 {
		t.Errorf("%d and %d requests, %d panics", len(good.requests()), len(slow.requests()), len(panics))
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 3 {
		t.Fatalf("got %v", err)
	}
	for i, want := range []string{
		"tell Slack (file:", "tell a note on the incident: a defect in signalbox stopped it", "tell an event in datadog: the key may not",
	} {
		if got := joined.Unwrap()[i].Error(); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func kindAndText(t *testing.T, err error) (sources.ErrKind, string) {
	t.Helper()
	e, ok := errors.AsType[*sources.Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	return e.Kind, e.Msg
}

// A message that may have arrived is never sent again, and each answer is told for what it is.
func TestAnswers(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, nil)
	status := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, text)
		}
	}
	endless := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			chunk := bytes.Repeat([]byte("x"), 32<<10)
			for {
				if _, err := w.Write(chunk); err != nil {
					return // the reader has had enough
				}
			}
		}
	}
	drop := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, text)
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // a reset
			}
			_ = conn.Close()
		}
	}
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		kind   sources.ErrKind
		want   string // "" is success
	}{
		{"ok", status(200, "ok"), 0, ""},
		{"created", status(201, "{}"), 0, ""},
		{"more than is read, of a success", endless(200), 0, ""},
		{"a success that breaks off", drop("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"), 0, ""},
		{"500", status(500, "rollup_error"), sources.Ambiguous, "it may have arrived or not, and is not sent again: it answers with status 500 rollup_error"},
		{"502 with the address", status(502, "cannot reach "+hidden), sources.Ambiguous, "it may have arrived or not, and is not sent again: it answers with status 502"},
		{"408", status(408, ""), sources.Ambiguous, "it may have arrived or not, and is not sent again: it answers with status 408"},
		{"403", status(403, "invalid_token\n"), sources.Permission, "it refuses the message (status 403 invalid_token)"},
		{"401", status(401, ""), sources.Permission, "it refuses the message (status 401)"},
		{"404", status(404, "no_service"), sources.NotExist, "there is nothing at that address (status 404 no_service)"},
		{"410", status(410, "channel_is_archived"), sources.NotExist, "there is nothing at that address (status 410 channel_is_archived)"},
		{"400", status(400, "invalid_payload"), sources.Invalid, "it refuses the message (status 400 invalid_payload)"},
		{"more than is read, of a refusal", endless(400), sources.Invalid, "it refuses the message (status 400)"},
		{"a page", status(400, "<html>\x1b[31m"+hidden), sources.Invalid, "it refuses the message (status 400)"},
		{"429", status(429, "rate_limited"), sources.Throttled, "it takes no more messages now (status 429 rate_limited), and it is not sent again"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/"+hidden, http.StatusTemporaryRedirect)
		}, sources.Invalid, "it redirects (status 307), which is not followed"},
		{"a redirect to itself", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x/"+hidden, http.StatusFound) }, sources.Invalid, "it redirects (status 302), which is not followed"},
		{"a reset", drop(""), sources.Ambiguous, "it may have arrived or not, and is not sent again: "},
		{"no HTTP", drop("hello\r\n\r\n"), sources.Ambiguous, "it may have arrived or not, and is not sent again: "},
		{"half a header", drop("HTTP/1.1 200 OK\r\nConte"), sources.Ambiguous, "it may have arrived or not, and is not sent again: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.answer)
			b := newBench(t, Target{Slack: kept(t, s.address()), On: []string{"rollback"}})
			err := b.tells(t, message())
			if n := len(s.requests()); n != 1 {
				t.Errorf("it was sent %d times", n)
			}
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if kind, text := kindAndText(t, err); kind != c.kind || !strings.HasPrefix(text, c.want) {
				t.Errorf("%v: %s\nwant %v: %s", kind, text, c.kind, c.want)
			}
			if strings.ContainsAny(err.Error(), "\x1b\n<") {
				t.Errorf("%q is not one clean line", err)
			}
		})
	}
	t.Cleanup(func() {
		if n := len(elsewhere.requests()); n != 0 {
			t.Errorf("%d requests followed a redirect", n)
		}
	})
}

// counting is an answer without an end.
type counting struct{ read int }

func (c *counting) Read(p []byte) (int, error) {
	c.read += len(p)
	return len(p), nil
}

func TestAnAnswerIsReadUpToABound(t *testing.T) {
	t.Parallel()
	b := newBench(t, Target{Slack: kept(t, "https://ops.example.com/"+hidden), On: []string{"rollback"}})
	answer := &counting{}
	b.o.Base = base(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 400, Body: io.NopCloser(answer), Header: http.Header{}, ContentLength: 1 << 40}, nil
	})
	if kind, text := kindAndText(t, b.tells(t, message())); kind != sources.Invalid || answer.read < maxAnswer || answer.read > 2*maxAnswer {
		t.Errorf("%v: %s; %d bytes were read", kind, text, answer.read)
	}
}

// A target that takes the message and says nothing is given up when the time is over, and not told again.
func TestAHang(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel() // stands for the limit
		<-r.Context().Done()
	})
	b := newBench(t, Target{Slack: kept(t, s.address()), On: []string{"rollback"}})
	kind, text := kindAndText(t, errors.Join(b.Tell(ctx, message())...))
	if kind != sources.Ambiguous || strings.Contains(text, hidden) || len(s.requests()) != 1 {
		t.Errorf("%v %s, sent %d times", kind, text, len(s.requests()))
	}
}

// base answers in the place of the network.
type base func(*http.Request) (*http.Response, error)

func (f base) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Every request has a limit, one body, a connection of its own, and nothing with which it could be repeated.
func TestARequestCannotBeRepeatedByTheTransport(t *testing.T) {
	t.Parallel()
	b := newBench(t, Target{Webhook: secret.Plain("https://ops.example.com/" + hidden), Secret: kept(t, key), On: []string{"rollback"}})
	b.o.Base = base(func(r *http.Request) (*http.Response, error) {
		if at, ok := r.Context().Deadline(); !ok || time.Until(at) > limit {
			t.Errorf("the limit is %v, %t", time.Until(at), ok)
		}
		if r.GetBody != nil || !r.Close || r.ContentLength <= 0 || r.Header.Get("Idempotency-Key") == "" {
			t.Errorf("GetBody %t, close %t, length %d", r.GetBody != nil, r.Close, r.ContentLength)
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}}, nil
	})
	if err := b.tells(t, message()); err != nil {
		t.Error(err)
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	refusal := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	ok := func() (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}}, nil
	}
	for _, c := range []struct {
		name    string
		answers []error // nil is a success
		sent    int
		fails   bool
		kind    sources.ErrKind
	}{
		{"once", []error{refusal, nil}, 2, false, 0},
		{"twice", []error{refusal, refusal, nil}, 2, true, sources.Transient},
		{"a reset", []error{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, nil}, 1, true, sources.Ambiguous},
		{"a refusal that was not the connection's", []error{os.NewSyscallError("write", syscall.ECONNREFUSED), nil}, 1, true, sources.Ambiguous},
		{"an unknown host", []error{&net.DNSError{Name: "ops.example.com", IsNotFound: true}, nil}, 1, true, sources.Transient},
		{"no route", []error{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}, nil}, 1, true, sources.Transient},
	} {
		b := newBench(t, Target{Slack: kept(t, "https://ops.example.com/"+hidden), On: []string{"rollback"}})
		sent := 0
		var bodies []string
		b.o.Base = base(func(r *http.Request) (*http.Response, error) {
			data, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			bodies = append(bodies, string(data))
			sent++
			if err := c.answers[sent-1]; err != nil {
				return nil, err
			}
			return ok()
		})
		err := b.tells(t, message())
		if sent != c.sent || (err != nil) != c.fails {
			t.Errorf("%s: sent %d times, %v", c.name, sent, err)
		}
		if !c.fails && (bodies[0] != bodies[1] || bodies[0] == "") {
			t.Errorf("the second try: %v, %q", err, bodies)
		}
		if err != nil {
			if kind, _ := kindAndText(t, err); kind != c.kind {
				t.Errorf("%s: %v %v", c.name, kind, err)
			}
		}
	}
	// A port that nobody listens on.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String() + "/" + hidden
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, Target{Slack: kept(t, address), On: []string{"rollback"}})
	if kind, text := kindAndText(t, b.tells(t, message())); kind != sources.Transient {
		t.Errorf("%v: %s", kind, text)
	}
}

// A second try waits, and not beyond the end of all.
func TestNoSecondTryAfterTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := newBench(t, Target{Slack: kept(t, "https://ops.example.com/"), On: []string{"rollback"}})
	b.pause = time.Hour
	sent := 0
	b.o.Base = base(func(*http.Request) (*http.Response, error) {
		sent++
		cancel()
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	})
	if errs := b.Tell(ctx, message()); len(errs) != 1 || sent != 1 {
		t.Errorf("sent %d times, %v", sent, errs)
	}
}

// What is kept where the config says may be wrong, and then nothing is sent and nothing of it is shown.
func TestWhatIsKeptIsWrong(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	on := []string{"rollback"}
	none := secret.FromEnv("SIGNALBOX_TEST_IS_NEVER_SET")
	for _, c := range []struct {
		name   string
		target Target
		want   string
	}{
		{"not set", Target{Slack: none, On: on}, "nothing was sent: env:SIGNALBOX_TEST_IS_NEVER_SET: is not set"},
		{"no address", Target{Slack: kept(t, hidden), On: on}, "what is kept there is no web address: nothing was sent"},
		{"another scheme", Target{Slack: kept(t, "ftp://x/"+hidden), On: on}, "what is kept there is no web address: nothing was sent"},
		{"no host", Target{Slack: kept(t, "https:///"+hidden), On: on}, "what is kept there is no web address: nothing was sent"},
		{"garbage", Target{Slack: kept(t, "https://x/%zz"+hidden), On: on}, "what is kept there is no web address: nothing was sent"},
		{"a password", Target{Slack: kept(t, "https://me:"+key+"@x/"), On: on}, "the address holds a user or password: nothing was sent"},
		{"unencrypted", Target{Slack: kept(t, "http://ops.example.com/"+hidden), On: on}, "http://ops.example.com is not encrypted: nothing was sent"},
		{"no key", Target{Webhook: secret.Plain(s.address()), Secret: none, On: on}, "nothing was sent: env:SIGNALBOX_TEST_IS_NEVER_SET: is not set"},
		{"no token", Target{Annotations: secret.Plain(s.address()), Secret: none, On: on}, "nothing was sent: env:SIGNALBOX_TEST_IS_NEVER_SET: is not set"},
	} {
		b := newBench(t, c.target)
		if _, text := kindAndText(t, b.tells(t, message())); text != c.want {
			t.Errorf("%s: %s", c.name, text)
		}
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

const signedElsewhere = "812460b19fe4f2cf22c3e1d36030e14ebb285dbb7ada01983ba5282425c22a41"
