package alertmanager_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/alertmanager"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

const suiteToken = "amTokenThatOccursNowhereElse"

var suiteNow = time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)

type obj = map[string]any

// fake is a small Alertmanager, for what the real one does not do on demand.
type fake struct {
	mu       sync.Mutex
	groups   []obj
	silences []obj
	uptime   time.Time
	asked    []string
	status   map[string]int // by "METHOD path": what is answered instead
	cut      map[string]bool
	posted   []obj
}

func stamp(age time.Duration) string { return suiteNow.Add(-age).Format(time.RFC3339Nano) }

func alert(fingerprint string, labels obj, age time.Duration) obj {
	return obj{
		"fingerprint": fingerprint, "labels": labels, "startsAt": stamp(age), "updatedAt": stamp(0), "endsAt": stamp(-4 * time.Minute),
		"annotations": obj{"summary": "errors are above the limit", "runbook_url": "https://runbooks.example/errors"},
		"receivers":   []obj{{"name": "team"}}, "generatorURL": "https://prometheus.example.com/graph?g0.expr=x",
		"status": obj{"state": "active", "silencedBy": []string{}, "inhibitedBy": []string{}, "mutedBy": []string{}},
	}
}

func with(a obj, status string, ids ...string) obj {
	st, _ := a["status"].(obj)
	st["state"], st[status] = "suppressed", ids
	return a
}

func groupOf(labels obj, alerts ...obj) obj {
	return obj{"labels": labels, "receiver": obj{"name": "team"}, "alerts": alerts}
}

func newFake() *fake {
	return &fake{
		uptime: suiteNow.Add(-24 * time.Hour), status: map[string]int{}, cut: map[string]bool{},
		groups: []obj{
			groupOf(obj{"alertname": "HighErrors", "service": "checkout"},
				alert("a1", obj{"alertname": "HighErrors", "service": "checkout", "severity": "critical", "env": "prod", "region": "eu", "team": "payments"}, 10*time.Minute),
				alert("a2", obj{"alertname": "HighErrors", "service": "checkout", "severity": "warning", "env": "prod", "region": "us", "team": "payments"}, 20*time.Minute)),
			groupOf(obj{"alertname": "Lag", "service": "ledger"},
				with(alert("b1", obj{"alertname": "Lag", "service": "ledger", "severity": "P3"}, time.Hour), "silencedBy", "s-1")),
			groupOf(obj{"alertname": "Slow", "service": "search"},
				with(alert("c1", obj{"alertname": "Slow", "service": "search"}, time.Hour), "inhibitedBy", "a1")),
		},
		silences: []obj{
			silence("s-1", "active", "sre1", "looking at it", 30*time.Minute, -30*time.Minute, matcher("alertname", "Lag")),
			silence("s-0", "expired", "sre2", "last night", 10*time.Hour, 9*time.Hour, matcher("service", "ledger")),
		},
	}
}

func silence(id, state, by, comment string, began, ended time.Duration, matchers ...obj) obj {
	return obj{"id": id, "status": obj{"state": state}, "createdBy": by, "comment": comment, "startsAt": stamp(began), "endsAt": stamp(ended), "updatedAt": stamp(began), "matchers": matchers}
}

func matcher(name, value string) obj {
	return obj{"name": name, "value": value, "isRegex": false, "isEqual": true}
}

// change silences the first group: all reads show it.
func (f *fake) change() {
	f.mu.Lock()
	defer f.mu.Unlock()
	alerts, _ := f.groups[0]["alerts"].([]obj)
	for _, a := range alerts {
		with(a, "silencedBy", "s-2")
	}
	f.silences = append(f.silences, silence("s-2", "active", "sre1", "mine", 0, -time.Hour, matcher("alertname", "HighErrors")))
}

func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/prefix")
	f.asked = append(f.asked, what)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", suiteNow.Format(http.TimeFormat))
	if status := f.status[what]; status != 0 {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`"made to fail"`))
		return
	}
	var answer any
	switch {
	case strings.HasSuffix(what, "GET /api/v2/alerts/groups"):
		answer = f.groups
	case what == "GET /api/v2/alerts":
		all := []any{}
		for _, g := range f.groups {
			alerts, _ := g["alerts"].([]obj)
			for _, a := range alerts {
				all = append(all, a)
			}
		}
		answer = all
	case what == "GET /api/v2/silences":
		answer = f.silences
	case what == "GET /api/v2/receivers":
		answer = []obj{{"name": "team"}}
	case what == "GET /api/v2/status":
		answer = obj{"cluster": obj{"status": "ready", "name": "me", "peers": []obj{{"name": "me"}, {"name": "you"}}}, "versionInfo": obj{"version": "0.99.0"}, "uptime": f.uptime}
	case what == "POST /api/v2/silences":
		var s obj
		_ = json.NewDecoder(r.Body).Decode(&s)
		f.posted = append(f.posted, s)
		id := fmt.Sprintf("posted-%d", len(f.posted))
		kept := obj{"id": id, "status": obj{"state": "active"}}
		for k, v := range s {
			kept[k] = v
		}
		f.silences = append(f.silences, kept)
		answer = obj{"silenceID": id}
	case strings.HasPrefix(what, "GET /api/v2/silence/"), strings.HasPrefix(what, "DELETE /api/v2/silence/"):
		_, id, _ := strings.Cut(what, "/silence/")
		for _, s := range f.silences {
			if s["id"] == id {
				if r.Method == http.MethodDelete {
					s["status"] = obj{"state": "expired"}
				}
				answer = s
			}
		}
	}
	if f.cut[what] { // the request has arrived, its answer is lost
		panic(http.ErrAbortHandler)
	}
	if answer == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func config(t testing.TB) *alertmanager.Config {
	t.Helper()
	cfg, ok := alertmanager.Driver().Config().(*alertmanager.Config)
	if !ok {
		t.Fatal("another config")
	}
	return cfg
}

func TestConformance(t *testing.T) {
	for name, urls := range map[string][]string{
		"one": {"https://am.example.com/prefix"},
		"two": {"https://am.example.com/prefix", "https://am2.example.com/prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Harness{
				Driver: alertmanager.Driver(),
				Config: func(t testing.TB) any {
					t.Setenv("SIGNALBOX_TEST_ALERTMANAGER", suiteToken)
					cfg := config(t)
					cfg.URLs, cfg.Access.Token = urls, secret.FromEnv("SIGNALBOX_TEST_ALERTMANAGER")
					return cfg
				},
				Secret:          suiteToken,
				CredentialHosts: []string{"am.example.com", "am2.example.com"},
				Provider: func(testing.TB) sourcetest.Provider {
					f := newFake()
					return sourcetest.Provider{Handler: f, Change: f.change}
				},
				Reads: []sourcetest.Read{
					{Capability: store.Incidents, Query: sources.Query{Identity: "sre1"}},
					{Capability: store.Incidents, Query: sources.Query{Services: []sources.ServiceSpec{{Name: "checkout"}}}},
				},
				Now:      suiteNow,
				FreeText: []string{"errors are above the limit", "looking at it", "checkout", "sre1", "payments", "prod", "HighErrors", "https://runbooks.example/errors", "https://prometheus.example.com/graph"},
			})
		})
	}
}

// board is a source on fake replicas.
func board(t *testing.T, clock func() time.Time, change func(*alertmanager.Config), fakes ...http.Handler) (capability.Set, []*httptest.Server) {
	t.Helper()
	cfg := config(t)
	var servers []*httptest.Server
	for _, f := range fakes {
		srv := httptest.NewServer(f)
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		t.Cleanup(srv.Close)
		cfg.URLs = append(cfg.URLs, srv.URL+"/prefix")
		servers = append(servers, srv)
	}
	if change != nil {
		change(cfg)
	}
	src, err := alertmanager.Driver().Open(sources.Env{
		Source: "am", Transport: &http.Transport{DisableKeepAlives: true}, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: clock,
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return capability.Of(src), servers
}

func fixed() time.Time { return suiteNow }

func byTitle(items []sources.Incident, part string) sources.Incident {
	for _, in := range items {
		if strings.Contains(in.Title.String(), part) {
			return in
		}
	}
	return sources.Incident{}
}

func list(t *testing.T, set capability.Set, q sources.Query) sources.Batch[sources.Incident] {
	t.Helper()
	b, err := set.Incidents.ListIncidents(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func query() sources.Query {
	return sources.Query{Now: suiteNow, Identity: "sre1", Services: []sources.ServiceSpec{{Name: "checkout"}, {Name: "Ledger", Incidents: []string{"ledger"}}}}
}

func TestGroupsAreIncidents(t *testing.T) {
	t.Parallel()
	f := newFake()
	set, _ := board(t, fixed, nil, f)
	b := list(t, set, query())
	if len(b.Items) != 3 || len(b.Notices) != 0 {
		t.Fatalf("%d incidents, notices %v", len(b.Items), b.Notices)
	}
	if n := len(f.requests()); n != 2 {
		t.Errorf("%d requests: %q", n, f.requests())
	}
	high, lag, slow := byTitle(b.Items, "HighErrors"), byTitle(b.Items, "Lag"), byTitle(b.Items, "Slow")
	if high.Kind != sources.AlertIncident || high.Service != "checkout" || high.Severity != 1 || high.State != sources.Triggered || high.Alerts != 2 ||
		!high.Created.Equal(suiteNow.Add(-20*time.Minute)) || high.Scope.String() != "prod eu us" || high.Team.String() != "payments" ||
		high.Runbook != "https://runbooks.example/errors" || len(high.Keys) != 2 ||
		high.Keys[0] != `alert/{alertname="HighErrors", env="prod", region="eu", service="checkout", severity="critical", team="payments"}` ||
		high.Title.String() != "HighErrors: errors are above the limit" || !strings.Contains(high.URL, "/prefix/#/alerts?") {
		t.Errorf("%+v", high)
	}
	if lag.State != sources.Acknowledged || lag.Service != "Ledger" || lag.Holder.String() != "sre1" || !lag.Mine || len(lag.Silenced) != 1 || lag.Severity != 3 ||
		!lag.RepagesAt.Equal(suiteNow.Add(30*time.Minute)) || !lag.Changed.Equal(suiteNow.Add(-30*time.Minute)) || lag.Silenced[0].Comment.String() != "looking at it" {
		t.Errorf("%+v", lag)
	}
	if !slow.Inhibited || slow.State != sources.Triggered || slow.Service != "" || slow.Provider.String() != "search" {
		t.Errorf("%+v", slow)
	}
	if _, err := set.Incidents.ListIncidents(t.Context(), query()); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("the same again: %v", err)
	}
	d, err := set.Detail.ReadIncident(t.Context(), lag.Ref)
	if err != nil || len(d.Alerts) != 1 || len(d.Log) != 4 || d.Log[0].Kind != "acknowledged" || d.Log[1].Kind != "unacknowledged" || d.Log[2].Kind != "triggered" || d.Log[3].Who.String() != "sre1" {
		t.Errorf("%+v, %v", d, err)
	}
	d, err = set.Detail.ReadIncident(t.Context(), high.Ref)
	if err != nil || len(d.Alerts) != 2 || d.Alerts[0].Labels[0].String() != "region=eu" || d.Alerts[0].URL == "" {
		t.Fatalf("%+v, %v", d.Alerts, err)
	}
	v, err := set.Getter.Get(t.Context(), d.Alerts[1].Ref)
	if one, ok := v.(sources.Incident); err != nil || !ok || one.Alerts != 1 || one.Ref != d.Alerts[1].Ref || one.Severity != 3 {
		t.Errorf("one alert: %+v, %v", v, err)
	}
	if _, err := set.Getter.Get(t.Context(), sources.Ref{Source: "am", Kind: sources.KindIncident, ID: "gone"}); sources.KindOf(err) != sources.NotExist {
		t.Errorf("what is gone: %v", err)
	}
}

func TestMutedAlertsWakeNobody(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.groups = []obj{groupOf(obj{"alertname": "Night"}, with(alert("d1", obj{"alertname": "Night"}, time.Hour), "mutedBy", "weekends"))}
	set, _ := board(t, fixed, nil, f)
	if in := list(t, set, query()).Items[0]; !in.Low || in.State != sources.Triggered || in.Inhibited {
		t.Errorf("%+v", in)
	}
}

func TestSeverityWords(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.groups = nil
	want := map[string]int{"critical": 1, "page": 2, "Warning": 3, "error": 2, "info": 4, "none": 5, "P1": 1, "sev-2": 2, "SEV0": 1, "4": 4, "S3": 3, "bogus": 0, "": 0, "p12": 0}
	for word := range want {
		f.groups = append(f.groups, groupOf(obj{"alertname": "x" + word}, alert("f"+word, obj{"alertname": "x" + word, "severity": word}, time.Hour)))
	}
	set, _ := board(t, fixed, func(c *alertmanager.Config) { c.Severities = map[string]int{"PAGE": 2} }, f)
	for _, in := range list(t, set, query()).Items {
		word, _, _ := strings.Cut(strings.TrimPrefix(in.Title.String(), "x"), ":")
		if in.Severity != want[word] {
			t.Errorf("%q is %d, not %d", word, in.Severity, want[word])
		}
	}
}

func TestADeadReplicaDegradesAndHeals(t *testing.T) {
	t.Parallel()
	a, b := newFake(), newFake()
	set, servers := board(t, fixed, nil, a, b)
	first := list(t, set, query())
	if len(first.Notices) != 0 {
		t.Fatalf("notices %v", first.Notices)
	}
	a.mu.Lock()
	for _, path := range []string{"GET /api/v2/alerts/groups", "GET /api/v2/receivers"} {
		a.status[path] = http.StatusBadGateway
	}
	a.mu.Unlock()
	for i := range 2 { // the notice stays for as long as the replica is away
		got, err := set.Incidents.ListIncidents(t.Context(), query())
		if i == 1 && errors.Is(err, sources.ErrNotModified) {
			continue
		}
		if err != nil || len(got.Items) != 3 || len(got.Notices) != 1 || !strings.Contains(got.Notices[0].Text.String(), "does not answer") ||
			!strings.Contains(got.Notices[0].Text.String(), strings.TrimPrefix(servers[1].URL, "http://")) || got.Notices[0].Fix.IsZero() {
			t.Fatalf("%d incidents, notices %v, %v", len(got.Items), got.Notices, err)
		}
		for j := range got.Items {
			if got.Items[j].Ref != first.Items[j].Ref || got.Items[j].Revision != first.Items[j].Revision || got.Items[j].URL != first.Items[j].URL {
				t.Errorf("another replica tells %v of %v", got.Items[j], first.Items[j])
			}
		}
	}
	a.mu.Lock()
	clear(a.status)
	a.mu.Unlock()
	if got := list(t, set, query()); len(got.Notices) != 0 {
		t.Errorf("healed: %v", got.Notices)
	}
	for _, srv := range servers {
		srv.Close()
	}
	_, err := set.Incidents.ListIncidents(t.Context(), query())
	if sources.KindOf(err) != sources.Transient || !strings.Contains(err.Error(), "no replica answers") {
		t.Errorf("all dead: %v", err)
	}
}

// An Alertmanager that was just started knows nothing: that must not look as if all had ended.
func TestARestartIsNoEnd(t *testing.T) {
	t.Parallel()
	f := newFake()
	clock := sourcetest.NewClock(suiteNow)
	set, _ := board(t, clock.Now, nil, f)
	q := query()
	before := list(t, set, q)
	set0 := func(groups []obj, uptime time.Time) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.groups, f.uptime = groups, uptime
	}
	all := f.groups
	clock.Advance(15 * time.Second)
	q.Now = clock.Now()
	set0([]obj{}, q.Now.Add(-2*time.Second))
	got := list(t, set, q)
	if len(got.Items) != len(before.Items) || len(got.Notices) != 1 || !strings.Contains(got.Notices[0].Text.String(), "started again") {
		t.Fatalf("%d incidents, notices %v", len(got.Items), got.Notices)
	}
	if _, err := set.Getter.Get(t.Context(), before.Items[0].Ref); sources.KindOf(err) != sources.Transient {
		t.Errorf("Get of what is not told yet: %v", err)
	}
	clock.Advance(15 * time.Second)
	q.Now = clock.Now()
	set0(all[:1], f.uptime) // Prometheus has repeated one
	if got = list(t, set, q); len(got.Items) != 3 || len(got.Notices) != 1 {
		t.Fatalf("%d incidents, notices %v", len(got.Items), got.Notices)
	}
	clock.Advance(5 * time.Minute) // the rest would have ended by now
	q.Now = clock.Now()
	if got = list(t, set, q); len(got.Items) != 1 || len(got.Notices) != 0 {
		t.Fatalf("%d incidents, notices %v", len(got.Items), got.Notices)
	}
	set0([]obj{}, suiteNow.Add(-24*time.Hour)) // it ends, without a restart
	if got = list(t, set, q); len(got.Items) != 0 || len(got.Notices) != 0 {
		t.Errorf("what has ended is shown: %v %v", got.Items, got.Notices)
	}
}

func ack(in sources.Incident) sources.Call {
	return sources.Call{ID: "plan-1", Verb: sources.Acknowledge, Target: in.Ref, Revision: in.Revision, Identity: "sre1", Text: "on it", For: 30 * time.Minute}
}

// Another program's list is no cluster in which nothing fires.
func TestAnotherListIsNoQuietCluster(t *testing.T) {
	t.Parallel()
	for body, quiet := range map[string]bool{
		`[]`: true, `null`: false, `{}`: false, `"text"`: false, `[null]`: false, `[1,"x",{"id":1}]`: false, `[{"labels":{"a":"b"},"receiver":{"name":"r"},"alerts":[]}]`: false,
	} {
		set, _ := board(t, fixed, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		b, err := set.Incidents.ListIncidents(t.Context(), query())
		if quiet && (err != nil || len(b.Items)+len(b.Notices) > 0) || !quiet && (err == nil || sources.KindOf(err) != sources.Invalid) {
			t.Errorf("%s: %+v, %v", body, b, err)
		}
	}
}

func TestAnAcknowledgementIsOneSilence(t *testing.T) {
	t.Parallel()
	f := newFake()
	ahead := func() time.Time { return suiteNow.Add(time.Hour) } // silences go by Alertmanager's clock
	set, _ := board(t, ahead, nil, f)
	high := byTitle(list(t, set, query()).Items, "HighErrors")
	p, err := set.Previewer.Preview(t.Context(), ack(high))
	if err != nil || p.Covers != 2 || !strings.HasPrefix(p.How.String(), "POST a silence on 4 matchers until 02:44 UTC") || len(f.posted) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	r, err := set.Actor.Perform(t.Context(), ack(high))
	if err != nil || r.Made.Kind != sources.KindSilence || r.Made.ID != "posted-1" || r.Undo == nil || r.Undo.Verb != sources.Expire || r.Undo.Target != r.Made {
		t.Fatalf("%+v, %v", r, err)
	}
	s := f.posted[0]
	if len(f.posted) != 1 || s["createdBy"] != "sre1" || s["comment"] != "on it (signalbox plan-1)" || s["endsAt"] != stamp(-30*time.Minute) || s["startsAt"] != stamp(0) {
		t.Errorf("posted %v", f.posted)
	}
	if pr, err := set.Verifier.Verify(t.Context(), ack(high), r); err != nil || pr.State != sources.Pending {
		t.Errorf("before the alerts show it: %+v, %v", pr, err)
	}
	f.mu.Lock()
	alerts, _ := f.groups[0]["alerts"].([]obj)
	for _, a := range alerts {
		with(a, "silencedBy", "posted-1")
	}
	f.mu.Unlock()
	for _, receipt := range []sources.Receipt{r, {}} { // with the answer, and without
		if pr, err := set.Verifier.Verify(t.Context(), ack(high), receipt); err != nil || pr.State != sources.Done {
			t.Errorf("%+v, %v", pr, err)
		}
	}
	if _, err := set.Actor.Perform(t.Context(), ack(high)); sources.KindOf(err) != sources.Conflict || len(f.posted) != 1 {
		t.Errorf("a second time: %v", err)
	}
	undo := *r.Undo
	if p, err := set.Previewer.Preview(t.Context(), undo); err != nil || p.Covers != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := set.Actor.Perform(t.Context(), undo); err != nil {
		t.Fatal(err)
	}
	if pr, err := set.Verifier.Verify(t.Context(), undo, sources.Receipt{}); err != nil || pr.State != sources.Done {
		t.Errorf("%+v, %v", pr, err)
	}
	if pr, err := set.Verifier.Verify(t.Context(), ack(high), r); err != nil || pr.State != sources.Undone {
		t.Errorf("after its end: %+v, %v", pr, err)
	}
	if _, err := set.Actor.Perform(t.Context(), undo); sources.KindOf(err) != sources.Conflict {
		t.Errorf("a second time: %v", err)
	}
	if _, err := set.Getter.Get(t.Context(), r.Made); sources.KindOf(err) != sources.NotExist {
		t.Errorf("a silence that has ended: %v", err)
	}
}

func TestWritesAreSentOnceAndTellWhatIsKnown(t *testing.T) {
	t.Parallel()
	const post = "POST /api/v2/silences"
	for name, tt := range map[string]struct {
		hurt func(*fake)
		kind sources.ErrKind
	}{
		"refused":         {func(f *fake) { f.status[post] = http.StatusBadRequest }, sources.Invalid},
		"not allowed":     {func(f *fake) { f.status[post] = http.StatusForbidden }, sources.Permission},
		"too fast":        {func(f *fake) { f.status[post] = http.StatusTooManyRequests }, sources.Throttled},
		"failed":          {func(f *fake) { f.status[post] = http.StatusInternalServerError }, sources.Ambiguous},
		"a gateway":       {func(f *fake) { f.status[post] = http.StatusGatewayTimeout }, sources.Ambiguous},
		"gave up waiting": {func(f *fake) { f.status[post] = http.StatusRequestTimeout }, sources.Ambiguous},
		"answer lost":     {func(f *fake) { f.cut[post] = true }, sources.Ambiguous},
		"cannot be read":  {func(f *fake) { f.status["GET /api/v2/alerts"] = http.StatusBadGateway }, sources.Transient},
	} {
		a, b := newFake(), newFake()
		set, _ := board(t, fixed, nil, a, b)
		high := byTitle(list(t, set, query()).Items, "HighErrors")
		a.mu.Lock()
		tt.hurt(a)
		a.mu.Unlock()
		_, err := set.Actor.Perform(t.Context(), ack(high))
		if sources.KindOf(err) != tt.kind || err == nil {
			t.Errorf("%s: %v", name, err)
		}
		sent := 0
		for _, r := range append(a.requests(), b.requests()...) {
			if !strings.HasPrefix(r, "GET") {
				sent++
			}
		}
		if want := 1; name != "cannot be read" && sent != want || name == "cannot be read" && sent != 0 {
			t.Errorf("%s: %d writes", name, sent)
		}
		if tt.kind == sources.Ambiguous && name == "answer lost" {
			pr, err := set.Verifier.Verify(t.Context(), ack(high), sources.Receipt{})
			if err != nil || pr.State != sources.Pending || pr.URL == "" {
				t.Errorf("%s: found again as %+v, %v", name, pr, err)
			}
		}
	}
}

func TestNothingElseIsOffered(t *testing.T) {
	t.Parallel()
	f := newFake()
	set, _ := board(t, fixed, nil, f)
	high := byTitle(list(t, set, query()).Items, "HighErrors")
	for _, verb := range []sources.Verb{sources.Resolve, sources.Expire, sources.Escalate} {
		call := ack(high)
		call.Verb = verb
		if _, err := set.Actor.Perform(t.Context(), call); sources.KindOf(err) != sources.Unsupported {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

// What a silence also covers is said before anything else.
func TestAPreviewTellsWhatLiesBeyond(t *testing.T) {
	t.Parallel()
	f := newFake()
	same := obj{"alertname": "HighErrors", "service": "checkout", "severity": "critical"}
	// Two groups of one alert each with equal labels cannot be told apart: the second reaches another receiver.
	f.groups = []obj{groupOf(obj{"alertname": "HighErrors"}, alert("a1", same, time.Minute)), groupOf(obj{"alertname": "HighErrors", "service": "checkout"}, alert("a9", same, time.Minute))}
	set, _ := board(t, fixed, nil, f)
	p, err := set.Previewer.Preview(t.Context(), ack(list(t, set, query()).Items[0]))
	if err != nil || p.Covers != 2 || !strings.Contains(p.Lines[0].String(), "BEYOND THIS INCIDENT it silences 1 more") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestCheckAndDiscover(t *testing.T) {
	t.Parallel()
	a, b := newFake(), newFake()
	b.status["GET /api/v2/status"] = http.StatusUnauthorized
	set, _ := board(t, func() time.Time { return suiteNow.Add(3 * time.Minute) }, nil, a, b)
	text := ""
	for _, f := range set.Checker.Check(t.Context()) {
		text += fmt.Sprintf("%d %s: %s | %s\n", f.Level, f.What, f.Detail, f.Fix)
	}
	for _, want := range []string{"version 0.99.0, 4 alerts, in a cluster of 2", "the sign-in is not accepted", "clock: is 3m0s off", "label severity: 1 of 4 alerts do not have it"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks in\n%s", want, text)
		}
	}
	all, err := set.Discoverer.Discover(t.Context())
	if err != nil || len(all) != 3 || all[0].Service != "checkout" || all[0].Team != "payments" || all[0].Incidents[0] != "checkout" {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*alertmanager.Config){
		"url: is missing":                func(*alertmanager.Config) {},
		"urls[1]: stands there twice":    func(c *alertmanager.Config) { c.URLs = []string{"https://a", "https://a/"} },
		"urls: there is a url too":       func(c *alertmanager.Config) { c.URL, c.URLs = "https://a", []string{"https://b"} },
		"urls[0]: is not encrypted":      func(c *alertmanager.Config) { c.URLs = []string{"http://a"} },
		"severities.page: is not from 1": func(c *alertmanager.Config) { c.URL, c.Severities = "https://a", map[string]int{"page": 9} },
		"receiver: is not a regular":     func(c *alertmanager.Config) { c.URL, c.Receiver = "https://a", "(" },
		"team_label: is not the name":    func(c *alertmanager.Config) { c.URL, c.TeamLabel = "https://a", "" },
		"basic.password: is missing":     func(c *alertmanager.Config) { c.URL, c.Access.Basic = "https://a", basic("me") },
		"basic.user: is empty or holds":  func(c *alertmanager.Config) { c.URL, c.Access.Basic = "https://a", basic("a:b") },
		"proxy: holds a user":            func(c *alertmanager.Config) { c.URL, c.Access.Proxy = "https://a", "http://u:p@proxy:3128" },
		"proxy_auth: there is no proxy":  func(c *alertmanager.Config) { c.URL, c.Access.ProxyAuth = "https://a", secret.FromEnv("X") },
		"token: there is a basic sign-in": func(c *alertmanager.Config) {
			c.URL, c.Access.Basic, c.Access.Token = "https://a", basic("me"), secret.FromEnv("X")
		},
		"secret_headers.X: stands in": func(c *alertmanager.Config) {
			c.URL, c.Access.Headers, c.Access.SecretHeaders = "https://a", map[string]string{"X": "1"}, map[string]secret.Ref{"X": secret.FromEnv("X")}
		},
		"secret_headers.A B: is not the n": func(c *alertmanager.Config) {
			c.URL, c.Access.SecretHeaders = "https://a", map[string]secret.Ref{"A B": secret.FromEnv("X")}
		},
	} {
		cfg := config(t)
		change(cfg)
		err := cfg.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}
