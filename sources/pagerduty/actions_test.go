package pagerduty

import (
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

func incidentRef(id string) sources.Ref {
	return sources.Ref{Source: "pd", Kind: sources.KindIncident, ID: id}
}

// calls are each verb once, on the incident that is triggered.
func calls() []sources.Call {
	base := sources.Call{ID: "plan", Target: incidentRef("PINC2"), Identity: "sre1@example.com"}
	all := []sources.Call{
		{Verb: sources.Acknowledge}, {Verb: sources.Resolve, Text: "rolled back"}, {Verb: sources.Escalate, Level: 2},
		{Verb: sources.Reassign, To: []string{"sre2@example.com", "PUSER3"}}, {Verb: sources.Reassign, To: []string{"PPOL2"}}, {Verb: sources.Snooze, For: 4 * time.Hour},
		{Verb: sources.AddNote, Text: "it was the flag"}, {Verb: sources.Merge, Others: []sources.Ref{incidentRef("PINC1")}}, {Verb: sources.PostStatus, Text: "we are on it"},
	}
	for i := range all {
		all[i].ID, all[i].Target, all[i].Identity = base.ID, base.Target, base.Identity
	}
	return all
}

// Every verb is one write, and what it did is found by reading alone: also where its answer was lost, and
// not before it was done.
func TestEachVerbIsDoneOnceAndVerified(t *testing.T) {
	t.Parallel()
	for _, call := range calls() {
		for _, lost := range []string{"", "request", "answer", "half", "status", "page"} {
			f := newFake()
			s := opened(t, &lossy{next: tripper{f}, how: lost})
			inc, err := s.getIncident(t.Context(), call.Target)
			if err != nil {
				t.Fatal(err)
			}
			call.Revision = inc.Revision
			if p, err := s.Verify(t.Context(), call, sources.Receipt{}); err != nil || p.State != sources.Pending {
				t.Errorf("%s, before: %+v, %v", call.Verb, p, err)
			}
			r, err := s.Perform(t.Context(), call)
			wantKind(t, string(call.Verb)+", lost "+lost, err, lost != "", sources.Ambiguous)
			if lost == "" && r.Text.IsZero() {
				t.Errorf("%s: %+v", call.Verb, r)
			}
			writes := 0
			for _, l := range f.lines() {
				if !strings.HasPrefix(l, "GET ") {
					writes++
				}
			}
			want := sources.Done
			if lost == "request" || lost == "page" {
				want = sources.Pending
			} else if writes != 1 {
				t.Errorf("%s, lost %q: %d writes", call.Verb, lost, writes)
			}
			if p, err := s.Verify(t.Context(), call, r); err != nil || p.State != want || p.Text.IsZero() {
				t.Errorf("%s, lost %q: %+v, %v, want %v", call.Verb, lost, p, err, want)
			}
		}
	}
}

func wantKind(t *testing.T, what string, err error, fails bool, kind sources.ErrKind) {
	t.Helper()
	if !fails {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return
	}
	e, ok := errors.AsType[*sources.Error](err)
	if !ok || e.Kind != kind || e.Msg == "" || e.Op == "" {
		t.Errorf("%s: %v, want %s", what, err, kind)
	}
}

// lossy loses writes: before they are done, or after.
type lossy struct {
	next http.RoundTripper
	how  string
	n    atomic.Int32
}

var errBroken = errors.New("read tcp 192.0.2.1:443: connection reset by peer")

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || l.how == "" {
		return l.next.RoundTrip(r)
	}
	l.n.Add(1)
	switch l.how {
	case "request":
		return nil, errBroken
	case "page": // a proxy's
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(strings.NewReader("<html>")), Request: r}, nil
	}
	res, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch l.how {
	case "answer":
		return nil, errBroken
	case "half":
		res.Body = io.NopCloser(io.MultiReader(io.LimitReader(res.Body, 20), broken{}))
	case "status":
		res.StatusCode, res.Status = 504, "504 Gateway Timeout"
	}
	return res, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// What PagerDuty refuses, or what was never sent, changed nothing; and says so.
func TestRefusedWritesChangeNothing(t *testing.T) {
	t.Parallel()
	ack := calls()[0]
	for _, c := range []struct {
		code int
		body string
		kind sources.ErrKind
	}{
		{400, `{"error":{"message":"Arguments Caused Error","code":2001,"errors":["Incident Already Resolved"]}}`, sources.Conflict},
		{400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Type is invalid"]}}`, sources.Invalid},
		{400, `{"error":{"message":"Requester User Not Found","code":1008}}`, sources.Permission},
		{401, `{}`, sources.Permission}, {402, `{}`, sources.Unsupported}, {403, `{"error":{"message":"Access Denied"}}`, sources.Permission},
		{404, `{}`, sources.NotExist}, {409, `{}`, sources.Conflict}, {429, `{}`, sources.Throttled}, {301, ``, sources.Invalid}, {307, ``, sources.Invalid},
		{408, `{}`, sources.Ambiguous}, {500, `{}`, sources.Ambiguous}, {502, `x`, sources.Ambiguous}, {503, `{}`, sources.Ambiguous},
		{200, `{"error":{"message":"x"}}`, sources.Ambiguous}, {200, `{"incidents":[]}`, sources.Ambiguous}, {200, `{"incidents":[{"id":"POTHER"}]}`, sources.Ambiguous}, {204, ``, sources.Ambiguous},
	} {
		sent := 0
		s := opened(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			sent++
			h := http.Header{"Content-Type": {"application/json"}, "Location": {"https://api.pagerduty.com/elsewhere"}}
			return &http.Response{StatusCode: c.code, Status: http.StatusText(c.code), Header: h, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
		}))
		_, err := s.Perform(t.Context(), ack)
		wantKind(t, http.StatusText(c.code)+" "+c.body, err, true, c.kind)
		if sent != 1 {
			t.Errorf("%d %s: sent %d times", c.code, c.body, sent)
		}
	}
}

func TestWhatWasNeverSentIsNotAmbiguous(t *testing.T) {
	t.Parallel()
	ack := calls()[0]
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + l.Addr().String()
	_ = l.Close()
	own := func(address string) func(*Config) { return func(c *Config) { c.BaseURL = address } }
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	_, err = opened(t, base, own(gone)).Perform(t.Context(), ack)
	wantKind(t, "nobody listens", err, true, sources.Transient)

	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, err = opened(t, base, own(srv.URL)).Perform(t.Context(), ack)
	wantKind(t, "an unknown authority", err, true, sources.Invalid)

	s := opened(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, errBroken }))
	s.env.Budget = refusing{}
	_, err = s.Perform(t.Context(), ack)
	wantKind(t, "the budget refuses", err, true, sources.Throttled)
}

type refusing struct{}

func (refusing) Take(string) error { return &sources.Error{Kind: sources.Throttled, Msg: "used up"} }
func (refusing) TakeUrgent(string) error {
	return &sources.Error{Kind: sources.Throttled, Msg: "used up"}
}
func (refusing) Report(string, sources.Rate) {}
func (refusing) Refund(string)               {}

// A connection that breaks once the request is on its way leaves open what happened.
func TestBrokenConnectionIsAmbiguous(t *testing.T) {
	t.Parallel()
	got := atomic.Int32{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		got.Add(1)
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}))
	t.Cleanup(srv.Close)
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	s := opened(t, base, func(c *Config) { c.BaseURL = srv.URL + "/prefix" })
	_, err := s.Perform(t.Context(), calls()[0])
	wantKind(t, "broken", err, true, sources.Ambiguous)
	if got.Load() != 1 {
		t.Errorf("sent %d times", got.Load())
	}
}

func TestCallsThatMakeNoSenseAreNotSent(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	target := incidentRef("PINC2")
	for _, c := range []struct {
		call sources.Call
		kind sources.ErrKind
	}{
		{sources.Call{Verb: sources.Escalate, Target: target}, sources.Invalid},
		{sources.Call{Verb: sources.Reassign, Target: target}, sources.Invalid},
		{sources.Call{Verb: sources.Snooze, Target: target}, sources.Invalid},
		{sources.Call{Verb: sources.Snooze, Target: target, For: 8 * 24 * time.Hour}, sources.Invalid},
		{sources.Call{Verb: sources.AddNote, Target: target, Text: " \n"}, sources.Invalid},
		{sources.Call{Verb: sources.PostStatus, Target: target}, sources.Invalid},
		{sources.Call{Verb: sources.Merge, Target: target}, sources.Invalid},
		{sources.Call{Verb: sources.Merge, Target: target, Others: []sources.Ref{target}}, sources.Invalid},
		{sources.Call{Verb: sources.Merge, Target: target, Others: []sources.Ref{{Source: "other", Kind: sources.KindIncident, ID: "PINC1"}}}, sources.Unsupported},
		{sources.Call{Verb: sources.Mute, Target: target}, sources.Unsupported},
		{sources.Call{Verb: sources.Acknowledge, Target: sources.Ref{Source: "pd", Kind: sources.KindShift, ID: "X"}}, sources.Unsupported},
		{sources.Call{Verb: sources.Acknowledge, Target: incidentRef("a/b")}, sources.NotExist},
	} {
		c.call.Identity = "sre1@example.com"
		_, err := s.Perform(t.Context(), c.call)
		wantKind(t, string(c.call.Verb), err, true, c.kind)
		_, err = s.Preview(t.Context(), c.call)
		wantKind(t, "preview "+string(c.call.Verb), err, true, c.kind)
		_, err = s.Verify(t.Context(), c.call, sources.Receipt{})
		wantKind(t, "verify "+string(c.call.Verb), err, true, c.kind)
	}
	if n := len(f.lines()); n != 0 {
		t.Errorf("%d requests", n)
	}
	for _, c := range []struct {
		to   []string
		kind sources.ErrKind
	}{{[]string{"nobody@example.com"}, sources.NotExist}, {[]string{"PNONE"}, sources.NotExist}, {[]string{"two words"}, sources.NotExist}, {[]string{"PPOL1", "PUSER1"}, sources.Invalid}} {
		_, err := s.Perform(t.Context(), sources.Call{Verb: sources.Reassign, Target: target, To: c.to, Identity: "sre1@example.com"})
		wantKind(t, strings.Join(c.to, " "), err, true, c.kind)
	}
}

func TestReassignmentCanBeTakenBack(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	call := calls()[3]
	r, err := s.Perform(t.Context(), call)
	if err != nil || r.Undo == nil || r.Undo.Verb != sources.Reassign || len(r.Undo.To) != 1 || r.Undo.To[0] != "PPOL1" {
		t.Fatalf("%+v, %v", r.Undo, err)
	}
	back, err := s.Perform(t.Context(), *r.Undo)
	if err != nil || f.hot().obj["assigned_via"] != "escalation_policy" {
		t.Errorf("%v, assigned by %v", err, f.hot().obj["assigned_via"])
	}
	if back.Undo == nil || len(back.Undo.To) != 2 || back.Undo.To[0] != "PUSER2" {
		t.Errorf("%+v", back.Undo)
	}
	f.hot().obj["status"] = "resolved"
	_, err = s.Perform(t.Context(), call)
	wantKind(t, "resolved meanwhile", err, true, sources.Conflict)
}

// An incident that was resolved meanwhile will not be what an action would have made it.
func TestVerifyTellsWhatWillNotCome(t *testing.T) {
	t.Parallel()
	for _, call := range calls() {
		f := newFake()
		s := opened(t, tripper{f})
		for _, i := range f.all[:2] {
			i.obj["status"], i.obj["resolved_at"], i.obj["last_status_change_by"] = "resolved", ago(0), refTo(f.users[1])
		}
		want := sources.Undone
		switch call.Verb {
		case sources.Resolve:
			want = sources.Done
		case sources.AddNote, sources.PostStatus:
			want = sources.Pending
		default:
		}
		if p, err := s.Verify(t.Context(), call, sources.Receipt{}); err != nil || p.State != want {
			t.Errorf("%s: %+v, %v", call.Verb, p, err)
		}
	}
}

// A snooze that is looked at late is known by its entry in the log, and not mistaken for the time-out of an
// acknowledgement.
func TestSnoozeIsFoundLate(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	call := calls()[5]
	if _, err := s.Perform(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	s.env.Now = func() time.Time { return testNow.Add(2 * time.Hour) }
	if p, err := s.Verify(t.Context(), call, sources.Receipt{}); err != nil || p.State != sources.Done {
		t.Errorf("two hours later: %+v, %v", p, err)
	}
	f.hot().log = nil
	if p, err := s.Verify(t.Context(), call, sources.Receipt{}); err != nil || p.State != sources.Pending {
		t.Errorf("without an entry: %+v, %v", p, err)
	}
}

func TestStatusUpdateThatNoLogShows(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	call := calls()[8]
	r, err := s.Perform(t.Context(), call)
	if err != nil || r.ID != "PSU1" {
		t.Fatalf("%+v, %v", r, err)
	}
	f.hot().log = nil
	if p, err := s.Verify(t.Context(), call, r); err != nil || p.State != sources.Done || !strings.Contains(p.Text.String(), "confirmed") {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := s.Verify(t.Context(), call, sources.Receipt{}); err != nil || p.State != sources.Pending {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPreviewSaysWhomItWakes(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	for _, c := range []struct {
		call  sources.Call
		how   string
		wakes string
		lines string
	}{
		{calls()[0], "set the incident to acknowledged as sre1@example.com", "", ""},
		{calls()[1], "set the incident to resolved as sre1@example.com", "", "still fires: 5xx above 2 %"},
		{calls()[2], "escalate to level 2 as sre1@example.com", "sre2@America/New_York ", "sre2, 21:14 there"},
		{calls()[3], "assign the incident to sre2@example.com, PUSER3 as sre1@example.com", "sre2@America/New_York sre3@ ", "assigned to people by hand it escalates to nobody; sre2, 21:14 there; sre3"},
		{calls()[4], "assign the incident to PPOL2 as sre1@example.com", "sre3@ ", "sre3"},
		{calls()[5], "snooze for 4h as sre1@example.com", "", "it pages again at 2026-11-17 06:14 UTC"},
		{calls()[6], "add a note as sre1@example.com", "", ""},
		{calls()[7], "merge 1 into #4101 as sre1@example.com", "", "the others are resolved and their alerts move: that cannot be taken back"},
		{calls()[8], "send a status update to the incident's subscribers as sre1@example.com", "", ""},
	} {
		p, err := s.Preview(t.Context(), c.call)
		var lines []string
		for _, l := range p.Lines {
			lines = append(lines, l.String())
		}
		if err != nil || p.How.String() != c.how || who(p.Wakes) != c.wakes || strings.Join(lines, "; ") != c.lines {
			t.Errorf("%s: %q wakes %q, %q, %v", c.call.Verb, p.How, who(p.Wakes), lines, err)
		}
	}
	for _, l := range f.lines() {
		if !strings.HasPrefix(l, "GET ") {
			t.Errorf("a preview sent %s", l)
		}
	}
	far := calls()[2]
	far.Level = 9
	_, err := s.Preview(t.Context(), far)
	wantKind(t, "a level that there is not", err, true, sources.Invalid)

	again := maps.Clone(f.hot().alerts[0])
	again["id"] = "PALERT2"
	f.hot().alerts = append(f.hot().alerts, again)
	if p, err := s.Preview(t.Context(), calls()[1]); err != nil || p.Covers != 2 || len(p.Lines) != 1 || p.Lines[0].String() != "still fires: 5xx above 2 % (2 alerts)" {
		t.Errorf("two alerts of one title: %+v, %v", p, err)
	}
}
