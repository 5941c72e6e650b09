package pagerduty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/sourcetest"
)

// lines are what was asked for, in order.
func (f *fake) lines() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.said...)
}

func incidents(t *testing.T, s *source, q sources.Query) sources.Batch[sources.Incident] {
	t.Helper()
	b, err := s.ListIncidents(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func byNumber(t *testing.T, all []sources.Incident, number string) sources.Incident {
	t.Helper()
	for _, i := range all {
		if i.Number.String() == number {
			return i
		}
	}
	t.Fatalf("no incident %s", number)
	return sources.Incident{}
}

// go-pagerduty decodes details as text: one number fails the page.
func TestDetailsMayHoldAnything(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	inc := byNumber(t, incidents(t, s, query()).Items, "#4101")
	if len(inc.Keys) != 3 {
		t.Errorf("keys %q", inc.Keys)
	}
	d, err := s.ReadIncident(t.Context(), inc.Ref)
	if err != nil || len(d.Notices) > 0 || len(d.Log) != 3 || d.Log[2].Kind != "paged" {
		t.Errorf("%+v, %v", d, err)
	}
	for _, raw := range []string{`17`, `[1,2]`, `"text"`, `null`, `true`, `{"a":{"b":[{"c":1e400}]}}`} {
		f.mu.Lock()
		f.hot().trigger = obj{"id": "R1", "channel": rawJSON(raw), "event_details": rawJSON(raw), "contexts": rawJSON(raw)}
		f.mu.Unlock()
		if got := incidents(t, s, query()); len(got.Items) != 2 {
			t.Errorf("details %s: %d incidents", raw, len(got.Items))
		}
	}
}

type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// PagerDuty's default is the last month: what has been open for longer would vanish.
func TestOldOpenIncidentsStay(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.open("PBILL", "certificate expires", 400*24*time.Hour)
	s := opened(t, tripper{f})
	b := incidents(t, s, query())
	old := b.Items[len(b.Items)-1]
	if len(b.Items) != 3 || old.Title.String() != "certificate expires" || old.Service != "" || old.Provider.String() != "billing-core" {
		t.Errorf("%d incidents, the oldest %+v", len(b.Items), old)
	}
}

// Offset and limit together may not go beyond 10,000.
func TestOffsetStaysInReach(t *testing.T) {
	t.Parallel()
	asked := 0
	s := opened(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		q := r.URL.Query()
		if r.URL.Path != "/incidents" {
			return tripper{newFake()}.RoundTrip(r)
		}
		asked++
		offset, err1 := strconv.Atoi(q.Get("offset"))
		limit, err2 := strconv.Atoi(q.Get("limit"))
		if err1 != nil || err2 != nil || offset+limit > 10_000 {
			t.Errorf("asked for %s", r.URL)
		}
		var b strings.Builder
		b.WriteString(`{"more":true,"limit":100,"incidents":[`)
		for i := range limit {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"id":"P%d","status":"triggered"}`, offset+i)
		}
		b.WriteString("]}")
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(b.String())), Request: r}, nil
	}))
	b := incidents(t, s, query())
	if len(b.Items) != mostItems || len(b.Notices) != 1 || b.Notices[0].Fix.IsZero() || asked != 100 {
		t.Errorf("%d incidents in %d requests, notices %+v", len(b.Items), asked, b.Notices)
	}
}

func TestPagesAreReadToTheEnd(t *testing.T) {
	t.Parallel()
	for _, most := range []int{100, 25, 7, 1} { // a server may give less than it is asked for
		f := newFake()
		f.most = most
		for n := range 28 {
			f.open("PCHECK", fmt.Sprint("more ", n), time.Hour)
		}
		s := opened(t, tripper{f})
		b := incidents(t, s, query())
		if want := (30 + most - 1) / most; len(b.Items) != 30 || f.requests("GET /incidents?") != want {
			t.Errorf("pages of %d: %d incidents in %d requests, want 30 in %d", most, len(b.Items), f.requests("GET /incidents?"), want)
		}
	}
}

// A list is as many requests as it has pages, and one for who is on call; no incident is asked for alone. An
// unchanged one costs the same and says so; who is on call is known for a minute.
func TestEightHundredIncidentsAreNineRequests(t *testing.T) {
	t.Parallel()
	f := newFake()
	for n := range 798 {
		f.open([]string{"PCHECK", "PLEDGER", "PBILL"}[n%3], "5xx", time.Duration(n)*time.Minute)
	}
	s := opened(t, tripper{f})
	b := incidents(t, s, query())
	if len(b.Items) != 800 || len(f.lines()) != 9 {
		t.Errorf("%d incidents in %d requests: %q", len(b.Items), len(f.lines()), f.lines())
	}
	if _, err := s.ListIncidents(t.Context(), query()); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("again: %v", err)
	}
	if n := len(f.lines()); n != 17 {
		t.Errorf("%d requests for two lists", n)
	}
	other := query()
	other.Identity = "sre2@example.com"
	if _, err := s.ListIncidents(t.Context(), other); err != nil {
		t.Errorf("for somebody else: %v", err)
	}
}

// Many policies do not fit into one address.
func TestManyPoliciesAreAskedForInParts(t *testing.T) {
	t.Parallel()
	f := newFake()
	for n := range 100 {
		id := fmt.Sprintf("PMANY%02d", n)
		f.policies = append(f.policies, obj{"id": id, "type": "escalation_policy", "summary": id})
		f.services = append(f.services, obj{"id": "PS" + id, "type": "service", "summary": id, "escalation_policy": obj{"id": id}, "teams": []obj{}})
		i := f.open("PS"+id, "x", time.Minute)
		if n >= 50 { // half of them will not escalate by themselves
			i.obj["pending_actions"] = []obj{}
		}
	}
	s := opened(t, tripper{f})
	incidents(t, s, query())
	if n := f.requests("GET /oncalls?"); n != 2 {
		t.Errorf("%d requests for the policies of 51 incidents that escalate and 50 that do not", n)
	}
	for _, l := range f.lines() {
		if len(l) > 4000 {
			t.Errorf("an address of %d characters", len(l))
		}
	}
}

// PagerDuty wants to know who acts with every write; go-pagerduty forgets it for a snooze, and hides it in a
// note's user.
func TestEveryWriteNamesWhoActs(t *testing.T) {
	t.Parallel()
	target := sources.Ref{Source: "pd", Kind: sources.KindIncident, ID: "PINC2"}
	other := target
	other.ID = "PINC1"
	for _, c := range []struct {
		name, own, from, identity, want string
	}{
		{"from: of the config", "", "sre2@example.com", "sre1@example.com", "sre2@example.com"},
		{"me: of the config", "", "", "sre3@example.com", "sre3@example.com"},
		{"the token's user", "PUSER2", "", "", "sre2@example.com"},
		{"a login that is no address", "PUSER2", "", "sre", "sre2@example.com"},
	} {
		for _, call := range []sources.Call{
			{Verb: sources.Acknowledge}, {Verb: sources.Snooze, For: time.Hour}, {Verb: sources.AddNote, Text: "x"}, {Verb: sources.PostStatus, Text: "x"},
			{Verb: sources.Escalate, Level: 2}, {Verb: sources.Reassign, To: []string{"PUSER2"}}, {Verb: sources.Merge, Others: []sources.Ref{other}}, {Verb: sources.Resolve},
		} {
			f := newFake()
			f.own = c.own
			s := opened(t, tripper{f}, func(cfg *Config) { cfg.From = c.from })
			call.Target, call.Identity = target, c.identity
			if _, err := s.Perform(t.Context(), call); err != nil {
				t.Errorf("%s, %s: %v", c.name, call.Verb, err)
			}
			writes := 0
			for i, l := range f.lines() {
				if strings.HasPrefix(l, "GET ") {
					continue
				}
				writes++
				if got := f.headers[i].Get("From"); got != c.want {
					t.Errorf("%s, %s: From is %q", c.name, call.Verb, got)
				}
			}
			if writes != 1 {
				t.Errorf("%s, %s: %d writes", c.name, call.Verb, writes)
			}
		}
	}
}

func TestNobodyActsUnnamed(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.own = ""
	s := opened(t, tripper{f})
	_, err := s.Perform(t.Context(), sources.Call{Verb: sources.Acknowledge, Target: sources.Ref{Source: "pd", Kind: sources.KindIncident, ID: "PINC2"}})
	e, ok := errors.AsType[*sources.Error](err)
	if !ok || e.Kind != sources.Permission || !strings.Contains(e.Fix, "from:") {
		t.Errorf("%v", err)
	}
	if n := len(f.lines()); n != 1 {
		t.Errorf("%d requests", n)
	}
	_, err = s.Perform(t.Context(), sources.Call{Verb: sources.Acknowledge, Identity: "stranger@example.com", Target: sources.Ref{Source: "pd", Kind: sources.KindIncident, ID: "PINC2"}})
	if e, ok := errors.AsType[*sources.Error](err); !ok || e.Kind != sources.Permission || !strings.Contains(e.Fix, "from:") {
		t.Errorf("an address that PagerDuty does not know: %v", err)
	}
}

// go-pagerduty's OAuth constructor drops its options, the address among them.
func TestOAuthGoesWhereItIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		edit func(*Config)
		want string
	}{
		{func(*Config) {}, "https://api.pagerduty.com/users/me"},
		{func(c *Config) { c.Region = "eu" }, "https://api.eu.pagerduty.com/users/me"},
		{func(c *Config) { c.BaseURL = "http://127.0.0.1:1234/pagerduty/" }, "http://127.0.0.1:1234/pagerduty/users/me"},
		{func(c *Config) { c.BaseURL = "https://pd.example.com"; c.Region = "eu" }, "https://pd.example.com/users/me"},
	} {
		for _, oauth := range []bool{false, true} {
			var got, auth, agent string
			rt := roundTrip(func(r *http.Request) (*http.Response, error) {
				got, auth, agent = r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("User-Agent")
				r.URL.Path = "/users/me"
				return tripper{newFake()}.RoundTrip(r)
			})
			s := opened(t, rt, c.edit, func(cfg *Config) {
				if oauth {
					cfg.OAuthToken, cfg.Token = cfg.Token, cfg.OAuthToken
				}
			})
			me, err := s.me(t.Context())
			want := map[bool]string{true: "Bearer ", false: "Token token="}[oauth] + fakeToken
			if err != nil || me.Email != "sre1@example.com" || got != c.want || auth != want || agent != "signalbox-test" {
				t.Errorf("oauth %v: %q with %q as %q, %v", oauth, got, auth, agent, err)
			}
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Change events refuse times with an offset; a board's clock may run in any zone.
func TestTimesAreInUTC(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	q := query()
	q.Now = testNow.In(time.FixedZone("somewhere", 5*3600+1800))
	if b, err := s.ListChanges(t.Context(), q); err != nil || len(b.Items) != 3 {
		t.Errorf("%+v, %v", b, err)
	}
	if b, err := s.ListShifts(t.Context(), q); err != nil || len(b.Items) == 0 {
		t.Errorf("%+v, %v", b, err)
	}
	if b, err := s.ListPastIncidents(t.Context(), q); err != nil || len(b.Items) != 1 {
		t.Errorf("%+v, %v", b, err)
	}
	for _, l := range f.lines() {
		u, err := url.Parse(strings.TrimPrefix(l, "GET "))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"since", "until"} {
			if v := u.Query().Get(key); v != "" && !strings.HasSuffix(v, "Z") {
				t.Errorf("%s is %s in %s", key, v, l)
			}
		}
	}
}

// The headers of a refusal say when to come back; go-pagerduty drops them. Until then nothing is asked.
func TestRateLimitSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	asked := 0
	s := opened(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		asked++
		h := http.Header{"Content-Type": {"application/json"}, "Ratelimit-Limit": {"960"}, "Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {"37"}}
		return &http.Response{StatusCode: 429, Status: "429 Too Many Requests", Header: h, Body: io.NopCloser(strings.NewReader(`{"error":{"message":"Rate Limit Exceeded","code":2020}}`)), Request: r}, nil
	}))
	for range 2 {
		_, err := s.ListIncidents(t.Context(), query())
		e, ok := errors.AsType[*sources.Error](err)
		if !ok || e.Kind != sources.Throttled || !e.RetryAt.Equal(testNow.Add(37*time.Second)) {
			t.Errorf("%v until %v", err, e)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	// A write has a limit of its own: it is tried, whatever the reads have used up.
	_, err := s.Perform(t.Context(), sources.Call{Verb: sources.Acknowledge, Identity: "sre1@example.com", Target: sources.Ref{Source: "pd", Kind: sources.KindIncident, ID: "PINC2"}})
	if e, ok := errors.AsType[*sources.Error](err); !ok || e.Kind != sources.Throttled || asked != 2 {
		t.Errorf("%v after %d requests", err, asked)
	}
	c, err := s.conn(t.Context())
	budget, ok := s.env.Budget.(*sourcetest.Budget)
	if err != nil || !ok {
		t.Fatal(err)
	}
	for _, part := range []string{"", "/writes"} {
		if r := budget.Rate("pagerduty/" + c.fingerprint + part); r.Limit != 960 || r.Remaining != 0 {
			t.Errorf("of %q the budget heard %+v", part, r)
		}
	}
}

// go-pagerduty hides the cause of a failure from errors.Is.
func TestDeadlineIsRecognised(t *testing.T) {
	t.Parallel()
	s := opened(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := s.ListIncidents(ctx, query())
	if !errors.Is(err, context.DeadlineExceeded) || sources.KindOf(err) != sources.Transient {
		t.Errorf("%v", err)
	}
	_, err = s.Perform(ctx, sources.Call{Verb: sources.Acknowledge, Identity: "sre1@example.com", Target: sources.Ref{Source: "pd", Kind: sources.KindIncident, ID: "PINC2"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestWrongRegionIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		edit func(*Config)
		want string
	}{
		{func(*Config) {}, "region: eu"},
		{func(c *Config) { c.Region = "eu" }, "region: us"},
		{func(c *Config) { c.BaseURL = "https://pd.example.com" }, "base_url:"},
	} {
		f := newFake()
		f.token = "another"
		_, err := opened(t, tripper{f}, c.edit).ListIncidents(t.Context(), query())
		e, ok := errors.AsType[*sources.Error](err)
		if !ok || e.Kind != sources.Permission || !strings.Contains(e.Fix, c.want) {
			t.Errorf("want %s: %v, %q", c.want, err, e.Fix)
		}
	}
}

func TestErrorsSayWhatPagerDutySays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code int
		body string
		kind sources.ErrKind
		want string
	}{
		{400, `{"error":{"message":"Arguments Caused Error","code":2001,"errors":["Incident Already Resolved"]}}`, sources.Conflict, "PagerDuty refused: Incident Already Resolved"},
		{400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":"one text"}}`, sources.Invalid, "PagerDuty refused: one text"},
		{400, `{"error":"plain"}`, sources.Invalid, "PagerDuty refused: plain"},
		{400, `{"error":{"message":"You must specify a user's email address in the \"From\" header"}}`, sources.Permission, "who acts"},
		{400, `nonsense`, sources.Invalid, "the request was refused: Bad Request"},
		{402, `{}`, sources.Unsupported, "the account's plan"},
		{403, `{"error":{"message":"Access Denied","code":2010}}`, sources.Permission, "PagerDuty denies access: Access Denied"},
		{404, `{"error":{"message":"Not Found","code":2100}}`, sources.NotExist, "does not exist"},
		{409, `{"error":{"message":"Stale","code":2000}}`, sources.Conflict, "PagerDuty refused: Stale"},
		{200, `{"error":{"message":"Internal Server Error"}}`, sources.Invalid, "answered with an error: Internal Server Error"},
		{200, `null`, sources.Invalid, "not what PagerDuty promises"},
		{200, `{"incidents":null}`, sources.Invalid, "not what PagerDuty promises"},
		{200, `{"incidents":[{"id":17}]}`, sources.Invalid, ""},
		{503, ``, sources.Transient, "the server failed"},
	} {
		s := opened(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: c.code, Status: fmt.Sprint(c.code), Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader([]byte(c.body))), Request: r}, nil
		}))
		_, err := s.ListIncidents(t.Context(), query())
		e, ok := errors.AsType[*sources.Error](err)
		if !ok || e.Kind != c.kind || !strings.Contains(e.Msg, c.want) || clean.Line(e.Msg).IsZero() {
			t.Errorf("%d %s: %v", c.code, c.body, err)
		}
	}
}
