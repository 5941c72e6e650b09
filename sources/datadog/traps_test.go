package datadog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dd "github.com/DataDog/datadog-api-client-go/v2/api/datadog"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/sourcetest"
)

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func replyWith(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// through is the driver with a transport of the test's.
func through(t testing.TB, f roundTrip, edit ...func(*Config)) *source {
	t.Helper()
	env, cfg := testEnv(), testConfig(t)
	env.Transport = f
	for _, e := range edit {
		e(cfg)
	}
	src, err := Driver().Open(env, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := src.(*source)
	s.patience = time.Millisecond
	return s
}

func kindOfErr(err error) string {
	if err == nil {
		return "none"
	}
	return sources.KindOf(err).String()
}

// The client takes the site for the host of On-Call and refuses it; each site has a paging host of its own.
func TestSiteVariableDoesNotBreakPaging(t *testing.T) {
	t.Parallel()
	for _, at := range sites() {
		var hosts []string
		s := through(t, func(r *http.Request) (*http.Response, error) {
			hosts = append(hosts, r.URL.Scheme+"://"+r.URL.Host)
			if r.Header.Get("DD-API-KEY") != testKey || r.Header.Get("DD-APPLICATION-KEY") != testKey {
				t.Errorf("%s: no keys for %s", at.name, r.URL)
			}
			if r.Method == http.MethodPost {
				return replyWith(r, http.StatusAccepted, ""), nil
			}
			return replyWith(r, http.StatusOK, "[]"), nil
		}, func(c *Config) { c.Site = at.name })
		for _, verb := range []sources.Verb{sources.Acknowledge, sources.Escalate, sources.Resolve} {
			if _, err := s.Perform(t.Context(), sources.Call{Verb: verb, Target: s.ref(sources.KindPage, "", uuid(1))}); err != nil {
				t.Errorf("%s: %s: %v", at.name, verb, err)
			}
		}
		if _, err := fetch[monitorPage](t.Context(), s, call{op: opMonitors}); err != nil {
			t.Errorf("%s: %v", at.name, err)
		}
		page := "https://" + at.paging
		if want := []string{page, page, page, "https://api." + at.name}; !slices.Equal(hosts, want) {
			t.Errorf("%s: asked %v, want %v", at.name, hosts, want)
		}
	}
}

// The board knows every site that Datadog's client does.
func TestSitesAreAll(t *testing.T) {
	t.Parallel()
	known := dd.NewConfiguration().Servers[0].Variables["site"].EnumValues
	if len(known) < 6 {
		t.Fatalf("the client knows %v", known)
	}
	for _, name := range known {
		c := defaults()
		c.APIKey, c.AppKey, c.Site = secret.FromEnv("X"), secret.FromEnv("X"), name
		if at, ok := siteOf(name); !ok || at.app == "" || at.paging == "" || c.Validate() != nil {
			t.Errorf("%s: %+v, %v", name, at, c.Validate())
		}
	}
}

func TestOtherHosts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*Config)
		page string
		read string
	}{
		"oncall_site": {func(c *Config) { c.OnCallSite = "violet.oncall.datadoghq.com" }, "https://violet.oncall.datadoghq.com", "https://api.datadoghq.com"},
		"host":        {func(c *Config) { c.Host, c.Site = "https://dd.example.com:8443/", "" }, "https://dd.example.com:8443", "https://dd.example.com:8443"},
		"plain":       {func(c *Config) { c.Host, c.OnCallSite = "http://127.0.0.1:1234", "x.example.com" }, "http://127.0.0.1:1234", "http://127.0.0.1:1234"},
	} {
		var hosts []string
		s := through(t, func(r *http.Request) (*http.Response, error) {
			hosts = append(hosts, r.URL.Scheme+"://"+r.URL.Host)
			if r.Header.Get("DD-API-KEY") == "" {
				t.Errorf("%s: no key for %s", name, r.URL)
			}
			return replyWith(r, http.StatusOK, "[]"), nil
		}, c.edit)
		_, err1 := s.Perform(t.Context(), sources.Call{Verb: sources.Resolve, Target: s.ref(sources.KindPage, "", uuid(1))})
		_, err2 := fetch[monitorPage](t.Context(), s, call{op: opMonitors})
		if err1 != nil || err2 != nil || !slices.Equal(hosts, []string{c.page, c.read}) {
			t.Errorf("%s: %v, %v, asked %v", name, err1, err2, hosts)
		}
	}
}

func writes(s *source) map[string]sources.Call {
	return map[string]sources.Call{
		"acknowledge": {Verb: sources.Acknowledge, Target: s.ref(sources.KindPage, "", uuid(1))},
		"escalate":    {Verb: sources.Escalate, Target: s.ref(sources.KindPage, "", uuid(1))},
		"resolve":     {Verb: sources.Resolve, Target: s.ref(sources.KindPage, "", uuid(1))},
		"incident":    {Verb: sources.Resolve, Target: s.ref(sources.KindIncident, "", uuid(1))},
		"mute":        {Verb: sources.Mute, Target: s.ref(sources.KindMonitor, "", "3"), For: time.Hour},
		"unmute":      {Verb: sources.Unmute, Target: s.ref(sources.KindMonitor, "", "3"), Fields: map[string]string{"downtime": uuid(3)}},
		"expire":      {Verb: sources.Expire, Target: s.ref(sources.KindSilence, "", uuid(3))},
		"event":       {Verb: sources.PostEvent, Target: s.ref(sources.KindChange, "", "checkout")},
		"deployment":  {Verb: sources.PostEvent, Target: s.ref(sources.KindChange, "", "checkout"), Fields: map[string]string{"as": "dora"}},
	}
}

// The client repeats a POST that failed. Each write is sent once, and what may have arrived is ambiguous.
func TestWritesAreNeverRepeated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		err    error
		body   string
		html   bool
		want   string
	}{
		"500":      {status: 500, want: "ambiguous"},
		"502":      {status: 502, body: "<html>", html: true, want: "ambiguous"},
		"503":      {status: 503, body: `{"errors":["try later"]}`, want: "ambiguous"},
		"429":      {status: 429, want: "throttled"},
		"400":      {status: 400, body: `{"errors":["no"]}`, want: "invalid"},
		"403":      {status: 403, body: `{"errors":["Forbidden"]}`, want: "permission"},
		"404":      {status: 404, body: `{"errors":[{"detail":"gone"}]}`, want: "not exist"},
		"409":      {status: 409, want: "conflict"},
		"reset":    {err: &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, want: "ambiguous"},
		"cut":      {err: io.ErrUnexpectedEOF, want: "ambiguous"},
		"time-out": {err: context.DeadlineExceeded, want: "ambiguous"},
		"refused":  {err: &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, want: "transient"},
		"no host":  {err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "x", IsNotFound: true}}, want: "transient"},
	} {
		sent := 0
		s := through(t, func(r *http.Request) (*http.Response, error) {
			sent++
			if c.err != nil {
				return nil, c.err
			}
			res := replyWith(r, c.status, c.body)
			if c.html {
				res.Header.Set("Content-Type", "text/html")
			}
			return res, nil
		})
		for verb, w := range writes(s) {
			s.conn = nil // each with limits of its own
			sent = 0
			_, err := s.Perform(t.Context(), w)
			e, ok := errors.AsType[*sources.Error](err)
			if sent != 1 || !ok || e.Kind.String() != c.want || e.Op == "" || e.Scope == "" {
				t.Errorf("%s, %s: %d requests, %v (%s)", name, verb, sent, err, kindOfErr(err))
			}
			if c.want == "ambiguous" && ok && e.Fix == "" {
				t.Errorf("%s, %s: nothing says what to do", name, verb)
			}
		}
	}
}

// A proxy's sign-in page is not Datadog's word that a page was acknowledged.
func TestWebPageIsNoAcknowledgement(t *testing.T) {
	t.Parallel()
	s := through(t, func(r *http.Request) (*http.Response, error) {
		res := replyWith(r, http.StatusOK, "<html>sign in</html>")
		res.Header.Set("Content-Type", "text/html")
		return res, nil
	})
	for verb, w := range writes(s) {
		_, err := s.Perform(t.Context(), w)
		if sources.KindOf(err) != sources.Ambiguous {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

// What a write is asked for and makes no sense is refused before anything is sent.
func TestNonsenseIsNotSent(t *testing.T) {
	t.Parallel()
	s := through(t, func(r *http.Request) (*http.Response, error) {
		t.Errorf("sent %s %s", r.Method, r.URL)
		return replyWith(r, 500, ""), nil
	})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Perform(cancelled, writes(s)["acknowledge"]); sources.KindOf(err) != sources.Transient {
		t.Errorf("%v", err)
	}
	for name, c := range map[string]struct {
		call sources.Call
		want sources.ErrKind
	}{
		"page id":      {sources.Call{Verb: sources.Acknowledge, Target: s.ref(sources.KindPage, "", "../teams")}, sources.NotExist},
		"incident id":  {sources.Call{Verb: sources.Resolve, Target: s.ref(sources.KindIncident, "", "12")}, sources.NotExist},
		"monitor id":   {sources.Call{Verb: sources.Mute, Target: s.ref(sources.KindMonitor, "", "x"), For: time.Hour}, sources.NotExist},
		"no end":       {sources.Call{Verb: sources.Mute, Target: s.ref(sources.KindMonitor, "", "3")}, sources.Invalid},
		"for good":     {sources.Call{Verb: sources.Mute, Target: s.ref(sources.KindMonitor, "", "3"), For: 1000 * time.Hour}, sources.Invalid},
		"old silence":  {sources.Call{Verb: sources.Expire, Target: s.ref(sources.KindSilence, "", "123")}, sources.Unsupported},
		"other source": {sources.Call{Verb: sources.Acknowledge, Target: sources.Ref{Source: "pd", Kind: sources.KindPage, ID: uuid(1)}}, sources.NotExist},
		"other verb":   {sources.Call{Verb: sources.Snooze, Target: s.ref(sources.KindIncident, "", uuid(1))}, sources.Unsupported},
		"no service":   {sources.Call{Verb: sources.PostEvent, Target: s.ref(sources.KindChange, "", "")}, sources.Invalid},
		"bad moment": {sources.Call{
			Verb: sources.PostEvent, Target: s.ref(sources.KindChange, "", "x"), Fields: map[string]string{"as": "dora", "started": "yesterday"},
		}, sources.Invalid},
		"backwards": {sources.Call{Verb: sources.PostEvent, Target: s.ref(sources.KindChange, "", "x"), Fields: map[string]string{
			"as": "dora", "started": "2026-11-22T02:00:00Z", "finished": "2026-11-22T01:00:00Z",
		}}, sources.Invalid},
	} {
		_, err := s.Perform(t.Context(), c.call)
		if e, ok := errors.AsType[*sources.Error](err); !ok || e.Kind != c.want || e.Msg == "" || e.Op == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A read that the server fails is asked once more; whatever its method.
func TestReadsAreTriedTwice(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]string{1: "none", 2: "transient"} {
		h, n := &hub{}, 0
		h.override = func(*http.Request, []byte) (int, any, bool) {
			n++
			return 503, obj{"errors": arr{"try later"}}, n <= failures
		}
		s := opened(t, h)
		_, err := s.QueryMetrics(t.Context(), sources.Query{Services: []sources.ServiceSpec{{Name: "a", Metrics: []sources.MetricSpec{{Name: "m", Query: "avg:m{*}"}}}}, Now: testNow})
		if kindOfErr(err) != want || n != 2 {
			t.Errorf("%d failures: %v after %d requests", failures, err, n)
		}
	}
}

// A back-off that the read has no time for is not waited for.
func TestDeadlineShorterThanBackOff(t *testing.T) {
	t.Parallel()
	n := 0
	s := through(t, func(r *http.Request) (*http.Response, error) {
		n++
		return replyWith(r, 503, `{"errors":["busy"]}`), nil
	})
	s.patience = 1e6 * time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := fetch[monitorPage](ctx, s, call{op: opMonitors})
	if sources.KindOf(err) != sources.Transient || n != 1 || ctx.Err() != nil {
		t.Errorf("%v after %d requests", err, n)
	}
}

// Rates are what X-RateLimit-* says; and each family of endpoints has its own.
type reports struct {
	sourcetest.Budget
	mu  sync.Mutex
	all map[string]sources.Rate
}

func (r *reports) Report(key string, rate sources.Rate) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[key[strings.LastIndex(key, "/")+1:]] = rate
}

func TestRateLimitHeadersReachTheBudget(t *testing.T) {
	t.Parallel()
	h := &hub{headers: map[string]string{
		"X-RateLimit-Limit": "600", "X-RateLimit-Period": "60", "X-RateLimit-Remaining": "590", "X-RateLimit-Reset": "12", "X-RateLimit-Name": "monitors",
	}}
	b := &reports{all: map[string]sources.Rate{}}
	s := opened(t, h, func(e *sources.Env, _ *Config) { e.Budget = b })
	q := sources.Query{Now: testNow}
	if _, err := s.ListMonitors(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	want := sources.Rate{Limit: 600, Remaining: 590, Reset: testNow.Add(12 * time.Second), Window: time.Minute}
	if b.all["monitors"] != want || b.all["downtimes"] != want || len(b.all) != 2 {
		t.Errorf("%+v", b.all)
	}
}

func TestLimitOfOneFamilyHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	h := &hub{}
	h.override = func(r *http.Request, _ []byte) (int, any, bool) {
		return 429, obj{"errors": arr{"Too many requests"}}, strings.HasPrefix(r.URL.Path, "/api/v2/incidents")
	}
	h.headers = map[string]string{"X-RateLimit-Limit": "10", "X-RateLimit-Period": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "40", "X-RateLimit-Name": "incidents"}
	s := opened(t, h)
	for i := range 2 {
		_, err := s.ListIncidents(t.Context(), sources.Query{Now: testNow})
		e, ok := errors.AsType[*sources.Error](err)
		if !ok || e.Kind != sources.Throttled || !e.RetryAt.Equal(testNow.Add(40*time.Second)) || i == 0 && !strings.Contains(e.Msg, "incidents") {
			t.Errorf("%v", err)
		}
	}
	if n := h.count("GET /api/v2/incidents"); n != 1 {
		t.Errorf("%d requests: a limit is asked again", n)
	}
	if _, err := s.ListMonitors(t.Context(), sources.Query{Now: testNow}); err != nil {
		t.Errorf("monitors: %v", err)
	}
}

// A query that Datadog cannot answer is a success of version 1 with a status.
func TestStatusErrorWithin200(t *testing.T) {
	t.Parallel()
	h := &hub{}
	s := opened(t, h)
	q := sources.Query{Now: testNow, Services: []sources.ServiceSpec{{Name: "a", Metrics: []sources.MetricSpec{
		{Name: "good", Query: "avg:m{*}", Limit: math.NaN()}, {Name: "worse", Query: "bad", Limit: math.NaN()}, {Name: "fine", Query: "avg:n{*}", Limit: math.NaN()},
	}}}}
	b, err := s.QueryMetrics(t.Context(), q)
	if err != nil || len(b.Items) != 5 || len(b.Notices) != 1 {
		t.Fatalf("%v, %d series, notices %v", err, len(b.Items), b.Notices)
	}
	n := b.Notices[0]
	if n.Scope != "a" || n.Kind != sources.Invalid || !strings.Contains(n.Text.String(), "unable to parse bad") || !strings.Contains(n.Fix.String(), "query of worse") {
		t.Errorf("notice %+v", n)
	}
	var names []string
	for _, s := range b.Items {
		names = append(names, s.Name.String())
		if (len(s.Points) == 0) != (s.Name.String() == "worse") {
			t.Errorf("%s has %d points", s.Name, len(s.Points))
		}
	}
	if !slices.Equal(names, []string{"good", "good", "worse", "fine", "fine"}) {
		t.Errorf("order %v", names)
	}
	before := len(h.requests())
	q.Now = testNow.Add(time.Minute)
	if _, err := s.QueryMetrics(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if n := len(h.requests()) - before; n != 1 {
		t.Errorf("%d requests once it is known which query is bad", n)
	}
}

func TestTooManyQueriesAreHalved(t *testing.T) {
	t.Parallel()
	h := &hub{}
	h.override = func(r *http.Request, body []byte) (int, any, bool) {
		var ask timeseriesRequest
		_ = json.Unmarshal(body, &ask)
		return 400, obj{"errors": arr{"too many queries"}}, len(ask.Data.Attributes.Queries) > 4
	}
	s := opened(t, h)
	q := sources.Query{Now: testNow, Services: []sources.ServiceSpec{{Name: "a"}}}
	for i := range 8 {
		q.Services[0].Metrics = append(q.Services[0].Metrics, sources.MetricSpec{Name: fmt.Sprint(i), Query: fmt.Sprintf("avg:m%d{*}", i)})
	}
	for _, want := range []int{9, 2} {
		before := len(h.requests())
		b, err := s.QueryMetrics(t.Context(), q)
		if err != nil || len(b.Notices) > 0 || len(h.requests())-before != want {
			t.Errorf("%v, %v, %d requests, want %d", err, b.Notices, len(h.requests())-before, want)
		}
		q.Now = q.Now.Add(time.Minute)
	}
}

func TestNullPointsAreGaps(t *testing.T) {
	t.Parallel()
	s := opened(t, &hub{})
	b, err := s.QueryMetrics(t.Context(), sources.Query{Now: testNow, Step: time.Minute, Services: []sources.ServiceSpec{{Name: "a", Metrics: []sources.MetricSpec{
		{Name: "two", Query: "avg:m{*}"}, {Name: "one", Query: "no version two"},
	}}}})
	if err != nil || len(b.Items) != 3 {
		t.Fatalf("%v, %+v", err, b)
	}
	for _, series := range b.Items {
		gap := map[string]int{"two": 3, "one": 1}[series.Name.String()]
		for i, p := range series.Points {
			if math.IsNaN(p.Value) != (i == gap) || p.At.IsZero() || i > 0 && p.At.Sub(series.Points[i-1].At) != time.Minute {
				t.Errorf("%s: point %d is %+v", series.Ref, i, p)
			}
		}
		if series.Step != time.Minute {
			t.Errorf("%s: step %s", series.Ref, series.Step)
		}
	}
	for in, want := range map[string]row{
		`[1,null,"2.5","x",{"a":[1,2]},[3,4],true]`: {1, math.NaN(), 2.5, math.NaN(), math.NaN(), math.NaN(), math.NaN()},
		`[]`: {}, `null`: nil, ` [ 1e3 , -2 ] `: {1000, -2}, `"a,b"`: nil, `["a\",b",1]`: {math.NaN(), 1},
	} {
		var r row
		if err := json.Unmarshal([]byte(in), &r); err != nil || fmt.Sprint(r) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v", in, r, err)
		}
	}
}

// Refusals come as lists of strings, of objects, as one string, as an object.
func TestErrorBodies(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"errors":["Monitor not found"]}`:                                     "Monitor not found",
		`{"errors":["one.","two"]}`:                                            "one; two",
		`{"errors":[{"title":"Generic Error","detail":"incident not found"}]}`: "incident not found",
		`{"errors":[{"title":"Bad Request","status":"400"}]}`:                  "Bad Request",
		`{"errors":"no such thing"}`:                                           "no such thing",
		`{"error":"no such thing"}`:                                            "no such thing",
		`{"errors":{"name":["is missing"]}}`:                                   "name: is missing",
		`{"errors":[{"error_message":"zero","error_type":"Z"}]}`:               "zero",
		`{"status":"error","code":403,"errors":["Forbidden"]}`:                 "Forbidden",
		`{"message":"upstream \u001b[2Jbroken"}`:                               "upstream broken",
		`{"errors":[null,{},[]],"error":"x"}`:                                  "x",
		`<html>502</html>`:                                                     "", ``: "", `[]`: "", `{"errors":null}`: "",
		`{"errors":[[[[["deep"]]]]]}`: "",
	} {
		if got := complaint([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// What a later version of Datadog says is shown as unknown, never as well, and costs nothing else.
func TestUnknownEnums(t *testing.T) {
	t.Parallel()
	s := through(t, func(r *http.Request) (*http.Response, error) { return replyWith(r, 404, ""), nil })
	w, err := decode[wireMonitor](opMonitor, []byte(`{"id":7,"name":"x","overall_state":"Sleepy","priority":"2","tags":null,"options":null,
		"state":{"groups":{"a":{"status":"Dizzy","last_triggered_ts":"2026-11-22T02:00:00Z"},"b":7,"c":{"status":"OK"}}},"matching_downtimes":"none"}`))
	if err != nil {
		t.Fatal(err)
	}
	m := s.monitor(w, owners{}, nil)
	if m.State != sources.MonitorUnknown || m.Severity != 2 || len(m.Groups) != 1 || m.Groups[0].State != sources.MonitorUnknown || m.Groups[0].Since.IsZero() {
		t.Errorf("%+v", m)
	}
	o, err := decode[oneIncident](opIncident, []byte(`{"data":{"id":"a","type":"incidents","attributes":{"title":"t","state":"mitigating","severity":"SEV-X","public_id":"12",
		"created":1700000000,"fields":{"services":{"value":{"a":1}},"teams":"x","slug":{"value":["IR-12"]}},"field_analytics":[]},"relationships":[]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if in := s.incident(&o.Data, nil, owners{}, ""); in.State != sources.Triggered || in.Severity != 0 || in.Number.String() != "IR-12" || in.Created.IsZero() {
		t.Errorf("%+v", in)
	}
	var st wireStatus
	if err := json.Unmarshal([]byte(`{"state":"cosmic","status":"99.5","target":99,"timeframe":"weird"}`), &st); err != nil || sloState(st.State) != sources.MonitorUnknown || windowOf(st.Window) != 0 || *st.Status != 99.5 {
		t.Errorf("%+v, %v", st, err)
	}
}

// One object that cannot be read is left out, with a notice, and its page is read on.
func TestOddObjectIsLeftOut(t *testing.T) {
	t.Parallel()
	h := &hub{}
	h.override = func(r *http.Request, _ []byte) (int, any, bool) {
		return 200, arr{h.monitor(1), obj{"id": 2, "state": "strange"}, h.monitor(3), obj{"name": "no id"}, 7}, r.URL.Path == "/api/v1/monitor"
	}
	b, err := opened(t, h).ListMonitors(t.Context(), sources.Query{Now: testNow})
	if err != nil || len(b.Items) != 3 || b.Items[1].State != sources.MonitorUnknown || len(b.Notices) != 1 || !strings.HasSuffix(b.Notices[0].Text.String(), ": 2 monitors") {
		t.Errorf("%v, %d monitors, %v", err, len(b.Items), b.Notices)
	}
}

func TestZeroTrafficSLO(t *testing.T) {
	t.Parallel()
	h := &hub{}
	h.override = func(r *http.Request, _ []byte) (int, any, bool) {
		return 200, obj{"data": obj{"overall": obj{"sli_value": nil, "state": "no_data", "errors": arr{obj{
			"error_type": "ZERO_VALUED_DENOMINATOR", "error_message": "The denominator is zero valued",
		}}}}, "errors": nil}, strings.HasSuffix(r.URL.Path, "/history")
	}
	s := opened(t, h)
	b, err := s.ListSLOs(t.Context(), sources.Query{Now: testNow, Services: []sources.ServiceSpec{checkoutSpec()}, Followed: true})
	if err != nil || len(b.Items) != 2 || len(b.Notices) > 0 {
		t.Fatalf("%v, %+v", err, b)
	}
	quiet := b.Items[1]
	if quiet.Value.Known() || quiet.Budget.Known() || quiet.State != sources.MonitorNoData || quiet.Note.String() != "no traffic" || len(quiet.Burns) != 4 || quiet.Burns[0].Rate.Known() {
		t.Errorf("%+v", quiet)
	}
	if b.Items[0].Budget != 0.625 || b.Items[0].Name.String() != "availability" {
		t.Errorf("%+v", b.Items[0])
	}
	v, err := s.Get(t.Context(), s.ref(sources.KindSLO, "", "slo1"))
	if got, ok := v.(sources.SLO); err != nil || !ok || got.Note.String() != "no traffic" || got.Value.Known() {
		t.Errorf("%v, %+v", err, v)
	}
}

// Burn rates are histories, one a window; they are read for what somebody looks at, and kept for a while.
func TestBurnRatesAreReadSparingly(t *testing.T) {
	t.Parallel()
	h := &hub{}
	now := testNow
	s := opened(t, h, func(e *sources.Env, _ *Config) { e.Now = func() time.Time { return now } })
	spec := checkoutSpec()
	for _, c := range []struct {
		after    time.Duration
		followed bool
		want     int
	}{{0, false, 4}, {30 * time.Second, false, 0}, {90 * time.Second, false, 1}, {0, true, 4}, {4 * time.Minute, true, 5}} {
		now = now.Add(c.after)
		before := h.count("GET /api/v1/slo/slo")
		b, err := s.ListSLOs(t.Context(), sources.Query{Now: now, Services: []sources.ServiceSpec{spec}, Followed: c.followed})
		if err != nil && !errors.Is(err, sources.ErrNotModified) {
			t.Fatal(err)
		}
		if n := h.count("GET /api/v1/slo/slo") - before; n != c.want {
			t.Errorf("after %s, followed %v: %d histories, want %d", c.after, c.followed, n, c.want)
		}
		if err == nil && (len(b.Items[0].Burns) != 4 || b.Items[0].Burns[0].Over != 5*time.Minute || math.Abs(float64(b.Items[0].Burns[0].Rate)-2) > 1e-9) {
			t.Errorf("%+v", b.Items[0].Burns)
		}
	}
}

// What burns nothing is asked for its long windows alone, and a limit on histories costs the histories alone.
func TestBurnRatesOfAQuietBudget(t *testing.T) {
	t.Parallel()
	h := &hub{}
	now, limited := testNow, false
	h.override = func(r *http.Request, _ []byte) (int, any, bool) {
		if !strings.HasSuffix(r.URL.Path, "/history") {
			return 0, nil, false
		}
		if limited {
			return 429, obj{"errors": arr{"Rate limit reached"}}, true
		}
		return 200, obj{"data": obj{"overall": obj{"sli_value": 99.99, "error_budget_remaining": obj{"30d": 80}}}}, true
	}
	s := opened(t, h, func(e *sources.Env, _ *Config) { e.Now = func() time.Time { return now } })
	q := sources.Query{Services: []sources.ServiceSpec{checkoutSpec()}}
	for _, c := range []struct {
		after   time.Duration
		limited bool
		want    int
		burns   int
		notices int
	}{{0, false, 2, 2, 0}, {5 * time.Minute, false, 0, 2, 0}, {2 * time.Minute, false, 1, 2, 0}, {7 * time.Minute, true, 1, 2, 0}, {3 * time.Hour, true, 1, 0, 1}} {
		now, limited = now.Add(c.after), c.limited
		q.Now = now
		before := h.count("GET /api/v1/slo/slo")
		b, err := s.ListSLOs(t.Context(), q)
		if n := h.count("GET /api/v1/slo/slo") - before; n != c.want {
			t.Errorf("after %s: %d histories, want %d", c.after, n, c.want)
		}
		if errors.Is(err, sources.ErrNotModified) {
			continue
		}
		if err != nil || len(b.Items[0].Burns) != c.burns || len(b.Notices) != c.notices || b.Busy != sources.Quiet || !b.Items[0].Value.Known() {
			t.Errorf("after %s: %v, %+v", c.after, err, b)
		}
	}
}

// Neither the standard log nor standard error hear of anything: both are the board's screen.
func TestNothingIsWrittenToTheTerminal(t *testing.T) {
	var logged bytes.Buffer
	flags := log.Flags()
	log.SetOutput(&logged)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, stdout := os.Stderr, os.Stdout
	os.Stderr, os.Stdout = w, w
	said := make(chan []byte, 1)
	go func() {
		all, _ := io.ReadAll(r)
		said <- all
	}()
	defer func() {
		os.Stderr, os.Stdout = stderr, stdout
		log.SetOutput(os.Stderr)
		log.SetFlags(flags)
	}()
	everything(t, opened(t, &hub{}, func(_ *sources.Env, c *Config) { c.Teams, c.Schedules = []string{"payments"}, []string{uuid(2)} }))
	failing := &hub{override: func(*http.Request, []byte) (int, any, bool) { return 503, obj{}, true }}
	s := opened(t, failing)
	_, _ = s.ListMonitors(t.Context(), sources.Query{Now: testNow})
	os.Stderr, os.Stdout = stderr, stdout
	_ = w.Close()
	if all := <-said; len(all) > 0 || logged.Len() > 0 {
		t.Errorf("said %q, logged %q", all, logged.String())
	}
}

// The id of an event is rounded as a number; its text is whole.
func TestEventIDIsItsText(t *testing.T) {
	t.Parallel()
	s := opened(t, &hub{})
	r, err := s.Perform(t.Context(), writes(s)["event"])
	if err != nil || r.ID != "6327818704671039975" || r.Made.ID != r.ID || !strings.HasPrefix(r.URL, "https://app.datadoghq.com/") {
		t.Errorf("%v, %+v", err, r)
	}
}

// Pages have verbs and nothing else: no read, no verification.
func TestPagesCannotBeReadBack(t *testing.T) {
	t.Parallel()
	s := opened(t, &hub{})
	c := writes(s)["acknowledge"]
	r, err := s.Perform(t.Context(), c)
	if err != nil || !strings.Contains(r.Text.String(), "cannot be read back") {
		t.Errorf("%v, %+v", err, r)
	}
	_, err1 := s.Verify(t.Context(), c, r)
	_, err2 := s.Get(t.Context(), c.Target)
	for _, err := range []error{err1, err2} {
		if e, ok := errors.AsType[*sources.Error](err); !ok || e.Kind != sources.Unsupported || !strings.Contains(e.Msg, "cannot be read back") || e.Fix == "" {
			t.Errorf("%v", err)
		}
	}
}

// A bearer token takes the place of the two keys.
func TestAccessToken(t *testing.T) {
	t.Parallel()
	s := through(t, func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("Authorization") != "Bearer "+testKey || r.Header.Get("DD-API-KEY") != "" || r.Header.Get("DD-APPLICATION-KEY") != "" {
			t.Errorf("%v", r.Header)
		}
		return replyWith(r, 200, "[]"), nil
	}, func(c *Config) {
		c.AccessToken = c.APIKey
		var none Config
		c.APIKey, c.AppKey = none.APIKey, none.AppKey
	})
	if _, err := s.ListMonitors(t.Context(), sources.Query{Now: testNow}); err == nil || sources.KindOf(err) != sources.Invalid {
		t.Logf("%v", err) // the downtimes are no list: what counts is what was sent
	}
}

// Keys do not follow a redirect.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	s := through(t, func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "api.datadoghq.com" {
			t.Errorf("asked %s with %v", r.URL, r.Header)
		}
		res := replyWith(r, http.StatusFound, "")
		res.Header.Set("Location", "https://evil.example.com/")
		return res, nil
	})
	_, err := s.ListIncidents(t.Context(), sources.Query{Now: testNow})
	if e, ok := errors.AsType[*sources.Error](err); !ok || e.Kind != sources.Invalid || !strings.Contains(e.Msg, "evil.example.com") {
		t.Errorf("%v", err)
	}
}

// What is asked for anew each minute, about another minute each time, is remembered once.
func TestMemoryDoesNotGrowWithTime(t *testing.T) {
	t.Parallel()
	now := testNow
	s := opened(t, &hub{}, func(e *sources.Env, _ *Config) { e.Now = func() time.Time { return now } })
	size := 0
	for i := range 20 {
		now = now.Add(11 * time.Minute)
		q := sources.Query{Now: now, Services: []sources.ServiceSpec{checkoutSpec()}, Followed: true}
		_, err1 := s.QueryMetrics(t.Context(), q)
		_, err2 := s.ListChanges(t.Context(), q)
		_, err3 := s.ListSLOs(t.Context(), q)
		if err := errors.Join(err1, err2, err3); err != nil && !errors.Is(err, sources.ErrNotModified) {
			t.Fatal(err)
		}
		if i == 1 {
			size = s.same.Len()
		}
	}
	if got := s.same.Len(); got != size {
		t.Errorf("%d answers are remembered, %d after the second time", got, size)
	}
}
