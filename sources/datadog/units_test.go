package datadog

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
)

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	env := secret.FromEnv("X")
	for path, edit := range map[string]func(*Config){
		"site":            func(c *Config) { c.Site = "datadog.com" },
		"host":            func(c *Config) { c.Host = "https://x.example.com/datadog" },
		"oncall_site":     func(c *Config) { c.OnCallSite = "https://x" },
		"service_tag":     func(c *Config) { c.ServiceTag = "service:" },
		"env_tag":         func(c *Config) { c.EnvTag = "" },
		"monitor_tags[1]": func(c *Config) { c.MonitorTags = []string{"a:b", "c:d,e:f"} },
		"api_key":         func(c *Config) { c.APIKey = secret.Ref{} },
		"app_key":         func(c *Config) { c.AppKey = secret.Ref{} },
		"access_token":    func(c *Config) { c.AccessToken = env },
		"proxy":           func(c *Config) { c.Proxy = "http://u:p@proxy" },
		"proxy_auth":      func(c *Config) { c.ProxyAuth = env },
	} {
		c := defaults()
		c.APIKey, c.AppKey = env, env
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		edit(c)
		e, ok := errors.AsType[*sources.FieldError](c.Validate())
		if !ok || e.Path != path || e.Msg == "" || e.Fix == "" {
			t.Errorf("%s: %+v", path, e)
		}
	}
	c := defaults()
	c.APIKey, c.AppKey, c.Host = env, env, "http://dd.example.com"
	if e, ok := errors.AsType[*sources.FieldError](c.Validate()); !ok || !strings.Contains(e.Msg, "encrypted") {
		t.Errorf("a key in the clear: %v", e)
	}
}

func TestExpress(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]struct {
		queries []string
		formula string
	}{
		"avg:m{*}":                             {[]string{"avg:m{*}"}, "{0}"},
		"100*sum:e{a:b}.as_count()/sum:h{a:b}": {[]string{"sum:e{a:b}.as_count()", "sum:h{a:b}"}, "100*{0}/{1}"},
		"sum:a{x} by {c,d}.rollup(max, 60) - sum:a{x} by {c,d}.rollup(max, 60)": {[]string{"sum:a{x} by {c,d}.rollup(max, 60)"}, "{0} - {0}"},
		"default_zero(p95:l.m{*})":                    {[]string{"p95:l.m{*}"}, "default_zero({0})"},
		"top(avg:m{*} by {host}, 10, 'mean', 'desc')": {[]string{"avg:m{*} by {host}"}, "top({0}, 10, 'mean', 'desc')"},
		"system.load.1{*}":                            {[]string{"system.load.1{*}"}, "{0}"},
		"avg:m{*} > 1":                                {[]string{"avg:m{*} > 1"}, "{0}"},
		"avg:m{a:b":                                   {[]string{"avg:m{a:b"}, "{0}"},
	} {
		if e := express(query); !slices.Equal(e.queries, want.queries) || e.formula != want.formula {
			t.Errorf("%s: %q of %q", query, e.formula, e.queries)
		}
	}
}

func TestServiceIsFoundInTagsAndQueries(t *testing.T) {
	t.Parallel()
	query := `avg:errors{service:checkout,env:prod} / avg:hits{myservice:other,!service:ledger} by {service}.over(service:"web")`
	if got := within(query, "service"); !slices.Equal(got, []string{"checkout"}) {
		t.Errorf("%q", got)
	}
	s := bare(t)
	own := s.owners([]sources.ServiceSpec{{Name: "checkout", Incidents: []string{"checkout-api", "Cart"}}, {Name: "ledger"}})
	for value, want := range map[string]string{"checkout-api": "checkout", "cart": "checkout", "checkout": "", "LEDGER": "ledger", "": ""} {
		if got := own.of(value); got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}

func TestScopesOfDowntimes(t *testing.T) {
	t.Parallel()
	w := &wireMonitor{ID: 3, Tags: words{"service:checkout"}, Query: "avg:m{env:prod} by {region} > 1", Groups: states{table[wireGroup]{
		"region:eu": {Status: "Alert"}, "region:us": {Status: "OK"},
	}}}
	for scope, want := range map[string][2]bool{ // the group eu, and all that is not well
		"*":                      {true, true},
		"":                       {true, true},
		"region:eu":              {true, true},
		"region:us":              {false, false},
		"env:prod AND region:eu": {true, true},
		"env:prod,region:us":     {false, false},
		"region:us OR region:eu": {true, true},
		`service:"checkout"`:     {true, true},
		"NOT region:us":          {false, false},
		"region:(eu OR us)":      {false, false},
		"env:staging":            {false, false},
		"region:*":               {true, true},
	} {
		if got := [2]bool{covers(scope, "region:eu", w), mutesAll(scope, w)}; got != want {
			t.Errorf("%q: %v, want %v", scope, got, want)
		}
	}
	s := bare(t)
	var narrow, tagged, other wireDowntime
	narrow.ID, narrow.Attributes.Scope, narrow.Attributes.Monitor.ID = "a", "region:us", 3
	tagged.ID, tagged.Attributes.Scope, tagged.Attributes.Monitor.Tags = "b", "region:eu", words{"service:checkout"}
	other.ID, other.Attributes.Scope, other.Attributes.Monitor.Tags = "c", "*", words{"service:search"}
	if m := s.monitor(w, owners{}, []quiet{{&narrow, person{}}, {&other, person{}}}); len(m.Silenced) != 0 || m.Groups[0].Muted {
		t.Errorf("muted by what is about others: %+v", m)
	}
	if m := s.monitor(w, owners{}, []quiet{{&tagged, person{}}}); len(m.Silenced) != 1 || !m.Groups[0].Muted {
		t.Errorf("not muted by its tag: %+v", m)
	}
}

func TestShifts(t *testing.T) {
	t.Parallel()
	h := &hub{}
	s := opened(t, h, func(_ *sources.Env, c *Config) {
		c.Teams, c.Schedules = []string{"PAYMENTS", "nobody"}, []string{"payments-primary", "missing"}
	})
	b, err := s.ListShifts(t.Context(), sources.Query{Now: testNow, Identity: "p900"})
	if err != nil || len(b.Items) != 4 || len(b.Notices) != 2 {
		t.Fatalf("%v, %+v", err, b)
	}
	first, second, now, next := b.Items[0], b.Items[1], b.Items[2], b.Items[3]
	if first.Level != 1 || !first.Mine || second.Level != 2 || second.Who.Name.String() != "Person 902" || first.Policy.String() != "Payments" {
		t.Errorf("team: %+v, %+v", first, second)
	}
	if now.Who.Zone != "Europe/Berlin" || now.Schedule.String() != "payments-primary" || !now.End.Equal(next.Start) || next.Who.Name.String() != "Person 903" || now.End.IsZero() {
		t.Errorf("schedule: %+v, %+v", now, next)
	}
	before := len(h.requests())
	if _, err := s.ListShifts(t.Context(), sources.Query{Now: testNow, Identity: "p900"}); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("%v", err)
	}
	if n := len(h.requests()) - before; n > 4 {
		t.Errorf("%d requests the second time", n)
	}
}

func TestIncidents(t *testing.T) {
	t.Parallel()
	h := &hub{}
	s := opened(t, h)
	q := sources.Query{Now: testNow, Identity: "sre1@acme.example", Services: []sources.ServiceSpec{checkoutSpec()}}
	b, err := s.ListIncidents(t.Context(), q)
	if err != nil || len(b.Items) != 104 || h.count("GET") != 2 {
		t.Fatalf("%v, %d incidents, %d requests", err, len(b.Items), h.count("GET"))
	}
	in := b.Items[1]
	if in.Service != "checkout" || in.Severity != 2 || in.State != sources.Acknowledged || !in.Mine || in.Number.String() != "IR-1002" || in.Team.String() != "payments" {
		t.Errorf("%+v", in)
	}
	for _, key := range []string{sources.MonitorKey(2), sources.IncidentKey("pagerduty", "PD0002X"), sources.IncidentKey("datadog", "1002"), sources.IncidentKey("datadog", uuid(2))} {
		if !slices.Contains(in.Keys, key) {
			t.Errorf("%s is not among %v", key, in.Keys)
		}
	}
	if len(in.Pages) != 1 || in.Pages[0] != s.ref(sources.KindPage, "", uuid(702)) {
		t.Errorf("pages %v", in.Pages)
	}
	if b.Items[0].State != sources.Triggered || !b.Items[0].Holder.IsZero() {
		t.Errorf("nobody's: %+v", b.Items[0])
	}
	h.override = func(r *http.Request, _ []byte) (int, any, bool) {
		return 403, obj{"errors": arr{"Forbidden"}}, strings.HasSuffix(r.URL.Path, "todos") || strings.HasSuffix(r.URL.Path, "integrations")
	}
	d, err := s.ReadIncident(t.Context(), b.Items[0].Ref)
	if err != nil || len(d.Notices) != 2 || d.Notices[0].Kind != sources.Permission || len(d.Log) < 2 {
		t.Errorf("%v, %+v", err, d)
	}
	if _, err := s.ReadIncident(t.Context(), s.ref(sources.KindIncident, "", "7")); sources.KindOf(err) != sources.NotExist {
		t.Errorf("%v", err)
	}
}

func TestUnmuteEndsOnlyWhatIsTheMonitorsOwn(t *testing.T) {
	t.Parallel()
	one := func(id int, monitor any) obj {
		return obj{"id": uuid(id), "type": "downtime", "attributes": obj{"status": "active", "scope": "*", "monitor_identifier": monitor, "schedule": obj{}}}
	}
	own, shared := obj{"monitor_id": 3}, obj{"monitor_tags": arr{"service:checkout"}}
	for name, c := range map[string]struct {
		all  arr
		want string
	}{
		"own":     {arr{one(300, own), one(301, shared)}, "none"},
		"several": {arr{one(300, own), one(301, own)}, "conflict"},
		"shared":  {arr{one(301, shared)}, "conflict"},
		"nothing": {arr{one(302, obj{"monitor_id": 4})}, "conflict"},
	} {
		h := &hub{}
		h.override = func(r *http.Request, _ []byte) (int, any, bool) {
			return 200, obj{"data": c.all}, r.URL.Path == "/api/v2/downtime"
		}
		s := opened(t, h)
		_, err := s.Perform(t.Context(), sources.Call{Verb: sources.Unmute, Target: s.ref(sources.KindMonitor, "", "3")})
		if kindOfErr(err) != c.want || (h.count("DELETE") == 1) != (c.want == "none") {
			t.Errorf("%s: %v, %d cancelled", name, err, h.count("DELETE"))
		}
	}
}

// A downtime that was cancelled by somebody is no mute that took effect, and the end that was asked for. One that is
// not shown may be shown a moment later.
func TestVerifyReadsTheDowntime(t *testing.T) {
	t.Parallel()
	h := &hub{}
	s := opened(t, h)
	mute := sources.Call{ID: "plan", Verb: sources.Mute, Target: s.ref(sources.KindMonitor, "", "3"), For: time.Hour}
	end := sources.Call{Verb: sources.Expire, Target: s.ref(sources.KindSilence, "", uuid(300))}
	state := func(c sources.Call, r sources.Receipt) sources.ProgressState {
		t.Helper()
		p, err := s.Verify(t.Context(), c, r)
		if err != nil {
			t.Fatal(err)
		}
		return p.State
	}
	r := sources.Receipt{ID: uuid(300)}
	if got := []sources.ProgressState{state(mute, r), state(mute, sources.Receipt{}), state(end, sources.Receipt{})}; !slices.Equal(got, []sources.ProgressState{sources.Done, sources.Pending, sources.Pending}) {
		t.Errorf("while it lasts: %v", got)
	}
	h.change()
	if got := []sources.ProgressState{state(mute, r), state(mute, sources.Receipt{ID: uuid(999)}), state(end, sources.Receipt{})}; !slices.Equal(got, []sources.ProgressState{sources.Undone, sources.Pending, sources.Done}) {
		t.Errorf("once it is cancelled: %v", got)
	}
}

func TestCheckNamesWhatTheKeyLacks(t *testing.T) {
	t.Parallel()
	h := &hub{headers: map[string]string{"Date": testNow.Add(-7 * time.Minute).Format(http.TimeFormat)}}
	h.override = func(r *http.Request, _ []byte) (int, any, bool) {
		return 403, obj{"errors": arr{"Forbidden"}}, r.URL.Path != "/api/v1/validate"
	}
	all := opened(t, h).Check(t.Context())
	told := ""
	for _, f := range all {
		told += f.What.String() + ": " + f.Detail.String() + " → " + f.Fix.String() + "\n"
	}
	for _, want := range []string{
		"timeseries_query", "monitors_read", "slos_read", "incident_read", "monitors_downtime", "teams_read", "on_call_read", "events_read", "dora_metrics_read",
		"apm_service_catalog_read", "on_call_page", "clock: is 7m0s off", "is accepted",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("%s is not named:\n%s", want, told)
		}
	}
	h = &hub{headers: map[string]string{"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "3", "X-RateLimit-Period": "60", "X-RateLimit-Reset": "9"}}
	if all := opened(t, h).Check(t.Context()); !slices.ContainsFunc(all, func(f sources.Finding) bool {
		return strings.Contains(f.Detail.String(), "3 of 100 requests left of every 60 s")
	}) {
		t.Errorf("nothing of the rate limit: %+v", all)
	}
}

func TestCheckOfAWrongSite(t *testing.T) {
	t.Parallel()
	asked := 0
	s := through(t, func(r *http.Request) (*http.Response, error) {
		asked++
		return replyWith(r, 403, `{"errors":["Forbidden"]}`), nil
	}, func(c *Config) { c.Site = "us5.datadoghq.com" })
	all := s.Check(t.Context())
	if len(all) != 1 || asked != 1 || all[0].Level != sources.LevelFail || !strings.Contains(all[0].What.String(), "us5.datadoghq.com") || !strings.Contains(all[0].Fix.String(), "site:") {
		t.Errorf("%+v after %d requests", all, asked)
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	found, err := opened(t, &hub{}).Discover(t.Context())
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %+v", err, found)
	}
	p := found[0]
	if p.Service != "checkout" || p.Repo != "acme/checkout" || p.Team != "payments" || !slices.Equal(p.SLOs, []string{"slo1", "slo2"}) || p.Confidence < 0.85 || len(p.Why) != 3 {
		t.Errorf("%+v", p)
	}
	h := &hub{}
	h.override = func(r *http.Request, _ []byte) (int, any, bool) {
		return 403, obj{"errors": arr{"Forbidden"}}, strings.HasPrefix(r.URL.Path, "/api/v2/services")
	}
	if found, err := opened(t, h).Discover(t.Context()); err != nil || len(found) != 1 || !strings.Contains(strings.Join(found[0].Why, " "), "unsure: the service catalogue") {
		t.Errorf("%v, %+v", err, found)
	}
}

// What an event and a DORA record both tell is one deployment.
func TestDeploymentIsListedOnce(t *testing.T) {
	t.Parallel()
	h := &hub{}
	s := opened(t, h)
	q := sources.Query{Now: testNow, Services: []sources.ServiceSpec{checkoutSpec()}}
	b, err := s.ListChanges(t.Context(), q)
	if err != nil || len(b.Items) != 4 || b.Items[0].At.Before(b.Items[3].At) {
		t.Fatalf("%v, %+v", err, b.Items)
	}
	h.override = func(r *http.Request, _ []byte) (int, any, bool) {
		return 200, obj{"data": arr{obj{"id": "d7", "attributes": obj{"service": "checkout", "env": "prod", "version": "v1.4.1", "started_at": ago(2 * time.Minute), "finished_at": ago(time.Minute)}}}},
			r.URL.Path == "/api/v2/dora/deployments"
	}
	if b, err = s.ListChanges(t.Context(), q); err != nil || len(b.Items) != 3 {
		t.Errorf("%v, %+v", err, b.Items)
	}
	h.override = func(r *http.Request, _ []byte) (int, any, bool) {
		return 403, obj{"errors": arr{"Forbidden"}}, r.URL.Path == "/api/v2/dora/deployments"
	}
	if b, err = s.ListChanges(t.Context(), q); err != nil || len(b.Items) != 3 || len(b.Notices) != 1 || !strings.Contains(b.Notices[0].Fix.String(), "dora_metrics_read") {
		t.Errorf("%v, %+v", err, b)
	}
}

// Times come in every unit, and relationships in every shape.
func TestStampsAndLinks(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{
		`1700000000`: 1700000000, `1700000000123`: 1700000000, `1700000000123456`: 1700000000, `1700000000123456789`: 1700000000, `"1700000000"`: 1700000000,
		`"2023-11-14T22:13:20Z"`: 1700000000, `"2023-11-14T22:13:20.123456+00:00"`: 1700000000, `1700000000.5`: 1700000000,
	} {
		var s stamp
		if err := s.UnmarshalJSON([]byte(in)); err != nil || s.Unix() != want {
			t.Errorf("%s: %v, %v", in, s, err)
		}
	}
	for _, in := range []string{`null`, `""`, `"soon"`, `-5`, `0`, `9e300`, `{}`, `[1]`, `"0001-01-01T00:00:00Z"`} {
		var s stamp
		if err := s.UnmarshalJSON([]byte(in)); err != nil || !s.IsZero() {
			t.Errorf("%s: %v, %v", in, s, err)
		}
	}
	for in, want := range map[string]int{`{"data":null}`: 0, `{"data":{"id":"a"}}`: 1, `{"data":[{"id":"a"},{"id":"b"}]}`: 2, `[]`: 0, `{"data":"x"}`: 0, `null`: 0} {
		var l links
		if err := l.UnmarshalJSON([]byte(in)); err != nil || len(l) != want {
			t.Errorf("%s: %v, %v", in, l, err)
		}
	}
}

// The metric behind a monitor is proposed with the threshold as its limit, whatever the monitor is called.
func TestWhatAMonitorWatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, name, query, want string
		limit                   float64
		below                   bool
	}{
		{"query alert", "checkout: 5xx above 2 % for 5m", "min(last_6m):100 * sum:e{service:checkout} by {env,region}.as_count() / sum:h{service:checkout} by {env}.as_count() > 2", "5xx", 2, false},
		{"metric alert", "Free disk is low", "avg(last_5m):min:disk.free{host:a} <= 0.5", "Free disk", 0.5, true},
		{"metric alert", "above", "avg(last_1h):avg:x{*} >= -1e3", "above", -1000, false},
		{"metric alert", "a: b: too many", "sum(last_1d):sum:x{*} > 3", "b", 3, false},
		{"log alert", "logs", `logs("status:error").index("*").rollup("count").last("5m") > 5`, "", 0, false},
		{"query alert", "anomaly", "avg(last_4h):anomalies(avg:x{*}, 'basic', 2) >= x", "", 0, false},
		{"service check", "check", "avg(last_5m):avg:x{*} > 1", "", 0, false},
		{"query alert", "nothing", "", "", 0, false},
	} {
		m, ok := watched(&wireMonitor{Type: text(c.kind), Name: text(c.name), Query: text(c.query)})
		if ok != (c.want != "") || m.Name != c.want || m.Limit != c.limit || m.Below != c.below {
			t.Errorf("%q: %+v, %t", c.name, m, ok)
		}
		if ok && (strings.Contains(m.Query, " by ") || strings.Contains(m.Query, "last_") || strings.ContainsAny(m.Query[len(m.Query)-1:], " <>=")) {
			t.Errorf("%q: the query is %q", c.name, m.Query)
		}
	}
}
