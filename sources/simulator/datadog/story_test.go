package datadog_test

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
)

// points asks for one series of version 1.
func (c *client) points(from, to time.Time, query string) [][2]*float64 {
	c.t.Helper()
	var a struct {
		Status, Error string
		Series        []struct{ Pointlist [][2]*float64 }
	}
	c.get("/api/v1/query", "from", unix(from), "to", unix(to), "query", query).into(c.t, &a)
	if a.Status != "ok" || len(a.Series) != 1 {
		c.t.Fatalf("%s: %s %s, %d series", query, a.Status, a.Error, len(a.Series))
	}
	return a.Series[0].Pointlist
}

func (c *client) last(query string) float64 {
	c.t.Helper()
	now := c.sim.Now()
	p := c.points(now.Add(-time.Hour), now, query)
	return *p[len(p)-1][1]
}

const errorRate = "100 * sum:http.errors{service:checkout,env:prod}.as_count() / sum:http.hits{service:checkout,env:prod}.as_count()"

// TestOpening holds Datadog's view of the story against the board of the design.
func TestOpening(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	for query, want := range map[string]float64{
		errorRate: 4.1,
		"sum:http.hits{service:checkout,env:prod}.as_rate()": 1200,
		"avg:http.latency.p95{service:checkout,env:prod}":    912,
		"avg:system.cpu.used{service:checkout,env:prod}":     61,
		"avg:system.mem.used{service:checkout,env:prod}":     72,
		"avg:system.disk.iops{service:checkout,env:prod}":    2100,
	} {
		if got := c.last(query); math.Abs(got-want) > 0.05*want {
			t.Errorf("%s is %g, want about %g", query, got, want)
		}
	}
	if now, before := c.last(errorRate), c.last("hour_before("+errorRate+")"); now/before < 16 || now/before > 20 {
		t.Errorf("the error rate is %.1f times what it was an hour ago", now/before)
	}
	m := c.monitor("checkout", "5xx", "group_states", "alert,warn")
	if m.State != "Alert" || len(m.Groups.Groups) != 2 || m.Groups.Groups["env:prod,region:eu"].Triggered != c.incident("checkout").Created.Unix() {
		t.Errorf("checkout's monitor is %+v", m)
	}
	if m := c.monitor("search", "cpu", "with_downtimes", "true"); m.State != "Alert" || len(m.Options.Silenced) != 1 || len(m.Downtimes) != 1 {
		t.Errorf("search's monitor is %+v", m)
	}
	if m := c.monitor("reports", "5xx", "group_states", "all"); m.State != "No Data" || m.Groups.Groups["env:prod,region:us"].Status != "No Data" {
		t.Errorf("reports' monitor is %+v", m)
	}
}

// TestMonitorQueries asks for what each monitor looks at, and finds it as the monitor says.
func TestMonitorQueries(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	var list []struct {
		Name, Query string
		State       string `json:"overall_state"`
		Options     struct{ Thresholds map[string]float64 }
	}
	c.get("/api/v1/monitor").into(t, &list)
	now := c.sim.Now()
	states := map[string]int{}
	for _, m := range list {
		states[m.State]++
		_, query, ok := strings.Cut(m.Query, "):")
		query, limit, ok2 := strings.Cut(query, " > ")
		if !ok || !ok2 || limit != fmt.Sprint(m.Options.Thresholds["critical"]) {
			t.Fatalf("%s asks %s", m.Name, m.Query)
		}
		var a struct {
			Status string
			Series []struct{ Pointlist [][2]*float64 }
		}
		c.get("/api/v1/query", "from", unix(now.Add(-3*time.Minute)), "to", unix(now), "query", query).into(t, &a)
		worst := math.Inf(-1)
		for _, s := range a.Series {
			worst = max(worst, *s.Pointlist[len(s.Pointlist)-1][1])
		}
		if a.Status != "ok" || (m.State == "Alert") != (worst > m.Options.Thresholds["critical"]) || (m.State == "No Data") != (len(a.Series) == 0) {
			t.Errorf("%s is %s at %g: %s", m.Name, m.State, worst, query)
		}
	}
	if states["Alert"] != 4 || states["OK"] < 15 || states["No Data"] < 4 {
		t.Errorf("states are %v", states)
	}
}

// sloBody is an objective's history.
type sloBody struct {
	Data struct {
		Overall struct {
			SLI    *float64           `json:"sli_value"`
			Left   map[string]float64 `json:"error_budget_remaining"`
			Errors []struct {
				Type string `json:"error_type"`
			}
		}
		Series struct {
			Times                  []float64
			Numerator, Denominator struct {
				Values []float64
				Sum    float64
			}
		}
	}
}

func (c *client) objective(service string) string {
	c.t.Helper()
	ids := c.ids("/api/v1/slo/search", "data.attributes.slos", "query", "service:"+service)
	if len(ids) != 1 {
		c.t.Fatalf("%s has %d objectives", service, len(ids))
	}
	return ids[0]
}

func (c *client) history(id string, over time.Duration) sloBody {
	c.t.Helper()
	var b sloBody
	now := c.sim.Now()
	c.get("/api/v1/slo/"+id+"/history", "from_ts", unix(now.Add(-over)), "to_ts", unix(now)).into(c.t, &b)
	return b
}

func TestObjectives(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	id := c.objective("checkout")
	month := c.history(id, 30*24*time.Hour)
	if left := month.Data.Overall.Left["30d"]; math.Abs(left-31) > 1 {
		t.Errorf("%.2f %% of the budget are left", left)
	}
	for over, want := range map[time.Duration]float64{5 * time.Minute: 78, time.Hour: 14} {
		h := c.history(id, over)
		if burn := (100 - *h.Data.Overall.SLI) / 0.05; math.Abs(burn-want) > 0.06*want {
			t.Errorf("burns ×%.1f over %s, want about ×%g", burn, over, want)
		}
		s := h.Data.Series
		if got := 100 * s.Numerator.Sum / s.Denominator.Sum; math.Abs(got-*h.Data.Overall.SLI) > 1e-3 || len(s.Times) != len(s.Numerator.Values) {
			t.Errorf("the series over %s make %g, the whole %g", over, got, *h.Data.Overall.SLI)
		}
	}
	if b := c.history(c.objective("reports"), time.Hour); b.Data.Overall.SLI != nil || len(b.Data.Overall.Errors) != 1 || b.Data.Overall.Errors[0].Type != "ZERO_VALUED_DENOMINATOR" || b.Data.Overall.Left != nil {
		t.Errorf("an objective without traffic is %+v", b.Data.Overall)
	}
	status := c.get("/api/v1/slo/search", "query", "service:reports").at(t, "data.attributes.slos.0.data.attributes.overall_status.0")
	if m, _ := status.(map[string]any); m["state"] != "no_data" || m["status"] != nil || m["error"] == nil {
		t.Errorf("without traffic the search says %v", status)
	}
	custom := c.get("/api/v1/slo/"+id+"/history", "from_ts", unix(c.sim.Now().Add(-time.Hour)), "to_ts", unix(c.sim.Now()), "target", "95")
	if left, _ := custom.at(t, "data.overall.error_budget_remaining.custom").(float64); left < 80 {
		t.Errorf("against 95 %% there is %g %% left", left)
	}
}

// TestGaps holds that nothing is known of what is too new, of the future, and of where nothing runs.
func TestGaps(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	now := c.sim.Now()
	p := c.points(now.Add(-10*time.Minute), now.Add(10*time.Minute), "avg:system.cpu.used{service:checkout,env:prod}")
	if newest := time.UnixMilli(int64(*p[len(p)-1][0])); newest.After(now.Add(-45*time.Second)) || newest.Before(now.Add(-2*time.Minute)) {
		t.Errorf("the newest point is of %s", newest)
	}
	var b struct {
		Data struct {
			Attributes struct {
				Times  []int64
				Values [][]*float64
				Series []struct {
					Tags []string `json:"group_tags"`
				}
			}
		}
	}
	body := formulaBody("timeseries", now.Add(-5*time.Minute), now.Add(2*time.Minute), 60_000)
	c.do(http.StatusOK, http.MethodPost, "/api/v2/query/timeseries", body).into(t, &b)
	a := b.Data.Attributes
	if len(a.Times) != 7 || len(a.Values) != len(a.Series) || len(a.Series) < 12 {
		t.Fatalf("%d times, %d values, %d series", len(a.Times), len(a.Values), len(a.Series))
	}
	for i, row := range a.Values {
		if len(row) != 7 || row[0] == nil || row[6] != nil || row[5] != nil {
			t.Errorf("%v is %v", a.Series[i].Tags, row)
		}
		if slices.Contains(a.Series[i].Tags, "service:reports") {
			t.Error("reports has values")
		}
	}
	if got := c.get("/api/v1/query", "from", unix(now.Add(-time.Hour)), "to", unix(now), "query", "sum:http.hits{service:reports,env:prod}").at(t, "series"); len(got.([]any)) != 0 {
		t.Errorf("reports has %v", got)
	}
	// A gap between two known places stays one: accounts began in a second region meanwhile.
	bad := c.get("/api/v1/query", "from", unix(now.Add(-time.Hour)), "to", unix(now), "query", "sum:http.hits{")
	if bad.at(t, "status") != "error" || !strings.Contains(fmt.Sprint(bad.at(t, "error")), "Error parsing query") {
		t.Errorf("a bad query is %.200s", bad.body)
	}
}

func TestScalar(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	now := c.sim.Now()
	var b struct {
		Data struct {
			Attributes struct {
				Columns []struct {
					Name, Type string
					Values     []any
				}
			}
		}
	}
	c.do(http.StatusOK, http.MethodPost, "/api/v2/query/scalar", formulaBody("scalar", now.Add(-5*time.Minute), now, 0)).into(t, &b)
	cols := b.Data.Attributes.Columns
	if len(cols) != 3 || cols[0].Name != "service" || cols[0].Type != "group" || cols[1].Name != "100*errors/hits" || cols[1].Type != "number" {
		t.Fatalf("columns are %+v", cols)
	}
	row := slices.IndexFunc(cols[0].Values, func(v any) bool { return fmt.Sprint(v) == "[checkout]" })
	if row != 0 { // the highest first
		t.Fatalf("checkout is row %d of %v", row, cols[0].Values)
	}
	if rate, _ := cols[1].Values[row].(float64); rate < 3.5 || rate > 4.5 {
		t.Errorf("checkout's error rate is %v", cols[1].Values[row])
	}
	body := `{"data":{"type":"scalar_request","attributes":{"from":%d,"to":%d,"formulas":[{"formula":"a"}],"queries":[{"data_source":"%s","name":"a"}]}}}`
	a := c.do(http.StatusOK, http.MethodPost, "/api/v2/query/scalar", fmt.Sprintf(body, now.Add(-time.Hour).UnixMilli(), now.UnixMilli(), "on_call_events"))
	if got := a.at(t, "data.attributes.columns.0.values"); len(got.([]any)) != 0 {
		t.Errorf("a source that is not there has %v", got)
	}
}

type eventBody struct {
	ID         string
	Attributes struct {
		Timestamp  time.Time
		Attributes struct {
			Changed struct{ Name, Type string } `json:"changed_resource"`
			Author  struct{ Name string }
		}
	}
}

type eventPage struct {
	Data []eventBody
	Meta struct{ Page struct{ After string } }
}

func TestEvents(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	var all, flags eventPage
	c.get("/api/v2/events", "filter[from]", "now-2d", "page[limit]", "1000").into(t, &all)
	seen, cursor := map[string]bool{}, ""
	for range 200 {
		var p eventPage
		params := []string{"filter[from]", "now-2d", "page[limit]", "7"}
		if cursor != "" {
			params = append(params, "page[cursor]", cursor)
		}
		c.get("/api/v2/events", params...).into(t, &p)
		for _, e := range p.Data {
			if seen[e.ID] {
				t.Fatalf("%s came twice", e.ID)
			}
			seen[e.ID] = true
		}
		if cursor = p.Meta.Page.After; cursor == "" {
			break
		}
	}
	if len(seen) != len(all.Data) || len(seen) < 20 {
		t.Errorf("%d events by pages, %d at once", len(seen), len(all.Data))
	}
	if !slices.IsSortedFunc(all.Data, func(a, b eventBody) int { return b.Attributes.Timestamp.Compare(a.Attributes.Timestamp) }) {
		t.Error("events are not newest first")
	}
	c.get("/api/v2/events", "filter[from]", "now-1h", "filter[query]", "service:checkout @evt.category:change").into(t, &flags)
	if len(flags.Data) != 1 {
		t.Fatalf("%d changes of checkout", len(flags.Data))
	}
	f := flags.Data[0].Attributes
	if f.Attributes.Changed.Name != "pay_retry" || f.Attributes.Changed.Type != "feature_flag" || f.Attributes.Author.Name != "dev2@example.com" ||
		!f.Timestamp.Equal(time.Date(2026, 11, 17, 2, 1, 0, 0, time.UTC)) {
		t.Errorf("the flag is %+v", f)
	}
	deployed := c.get("/api/v2/events", "filter[from]", "now-1h", "filter[query]", "source:deployment service:checkout env:prod")
	if !bytes.Contains(deployed.body, []byte("version:v1.9.2")) || !bytes.Contains(deployed.body, []byte("git.commit.sha:a1b2c3d")) {
		t.Errorf("the deployment is %.600s", deployed.body)
	}
	for _, bad := range []string{"page[cursor]=x", "sort=title", "filter[from]=soon", "page[limit]=0", "filter[query]=("} {
		name, v, _ := strings.Cut(bad, "=")
		c.do(http.StatusBadRequest, http.MethodGet, address("/api/v2/events", name, v), "")
	}
}

func TestDeployments(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	a := c.do(http.StatusOK, http.MethodPost, "/api/v2/dora/deployments",
		`{"data":{"type":"dora_deployments_list_request","attributes":{"query":"service:checkout env:prod","limit":2,"sort":"-finished_at"}}}`)
	first, _ := a.at(t, "data.0.attributes").(map[string]any)
	if first["version"] != "v1.9.2" || first["env"] != "prod" || first["team"] != "payments" || !strings.HasPrefix(fmt.Sprint(first["finished_at"]), "2026-11-17T02:0") {
		t.Errorf("the newest is %v", first)
	}
	if sha := fmt.Sprint(a.at(t, "data.0.attributes.git.commit_sha")); !strings.HasPrefix(sha, "a1b2c3d") || len(sha) != 40 {
		t.Errorf("its commit is %s", sha)
	}
	if a.at(t, "data.1.attributes.version") != "v1.9.1" {
		t.Errorf("before it: %v", a.at(t, "data.1"))
	}
}

func TestIncidents(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	active := c.get("/api/v2/incidents/search", "query", "state:active", "include", "attachments")
	if n := active.at(t, "data.attributes.total"); n != 1.0 {
		t.Fatalf("%v incidents are active", n)
	}
	at := func(path string) string {
		return fmt.Sprint(active.at(t, "data.attributes.incidents.0.data.attributes."+path))
	}
	truth := c.incident("billing-core")
	if at("severity") != "SEV-2" || at("public_id") != fmt.Sprint(truth.Number) || at("fields.services.value.0") != "billing-core" || at("commander.data.attributes.handle") != "dev5@example.com" {
		t.Errorf("it is %.900s", active.body)
	}
	for _, link := range []string{"/monitors/", "pagerduty.example/incidents/Q", "/on-call/pages/"} {
		if !strings.Contains(at("fields.summary.value"), link) || bytes.Count(active.body, []byte(link)) < 2 {
			t.Errorf("no link to %s", link)
		}
	}
	if past := c.get("/api/v2/incidents/search", "query", "state:resolved services:checkout severity:SEV-1"); past.at(t, "data.attributes.total") != 3.0 {
		t.Errorf("%v past incidents of checkout", past.at(t, "data.attributes.total"))
	}
	// A page becomes an incident when somebody takes it on.
	if n := c.get("/api/v2/incidents/search", "query", "services:checkout state:active").at(t, "data.attributes.total"); n != 0.0 {
		t.Errorf("checkout's page is an incident already: %v", n)
	}
	c.do(http.StatusNoContent, http.MethodPost, fmt.Sprintf("/-/incidents/%d/acknowledge", c.incident("checkout").Number), "")
	if n := c.get("/api/v2/incidents/search", "query", "services:checkout state:active").at(t, "data.attributes.total"); n != 1.0 {
		t.Errorf("checkout has %v incidents", n)
	}
}

func TestOnCall(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	mine := c.get("/api/v2/team", "filter[me]", "true", "sort", "name")
	if mine.at(t, "data.0.attributes.handle") != "payments" || mine.at(t, "meta.pagination.total") != 1.0 {
		t.Errorf("sre1's teams are %s", mine.body)
	}
	users := map[string]string{}
	on := c.get("/api/v2/on-call/teams/"+fmt.Sprint(mine.at(t, "data.0.id"))+"/on-call", "include", "responders,escalations.responders")
	for _, x := range on.at(t, "included").([]any) {
		if m, _ := x.(map[string]any); m["type"] == "users" {
			attr, _ := m["attributes"].(map[string]any)
			users[fmt.Sprint(m["id"])] = fmt.Sprint(attr["handle"])
		}
	}
	if got := users[fmt.Sprint(on.at(t, "data.relationships.responders.data.0.id"))]; got != "sre1@example.com" || len(users) != 3 {
		t.Errorf("on call is %s of %v", got, users)
	}
	list := c.get("/api/v2/on-call/schedules", "filter[query]", "primary", "page[size]", "100", "include", "teams")
	if list.at(t, "data.0.attributes.name") != "payments primary" || list.at(t, "meta.page.total") != 1.0 || list.at(t, "included.0.attributes.handle") != "payments" {
		t.Errorf("schedules are %s", list.body)
	}
	id := fmt.Sprint(list.at(t, "data.0.id"))
	shift := c.get("/api/v2/on-call/schedules/"+id+"/on-call", "include", "user")
	if shift.at(t, "data.attributes.end") != "2026-11-17T06:00:00Z" || shift.at(t, "included.0.attributes.email") != "sre1@example.com" {
		t.Errorf("the shift is %s", shift.body)
	}
	next := c.get("/api/v2/on-call/schedules/"+id+"/on-call", "include", "user", "filter[at_ts]", "2026-11-17T06:00:01Z")
	if next.at(t, "data.attributes.start") != "2026-11-17T07:00:00+01:00" || next.at(t, "included.0.attributes.email") != "sre2@example.com" {
		t.Errorf("the next shift is %s", next.body)
	}
	all := c.get("/api/v2/on-call/schedules/"+id+"/responders", "filter[position]", "previous,current,next", "include", "responders.shifts.user")
	if n := len(all.at(t, "data.relationships.responders.data").([]any)); n != 3 || !bytes.Contains(all.body, []byte("sre3@example.com")) {
		t.Errorf("responders are %s", all.body)
	}
	c.do(http.StatusBadRequest, http.MethodGet, "/api/v2/on-call/schedules/"+id+"/responders?filter[position]=last", "")
	c.do(http.StatusBadRequest, http.MethodGet, "/api/v2/on-call/schedules/"+id+"/on-call?filter[at_ts]=later", "")
}

func TestUsers(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	me := c.get("/api/v2/current_user")
	if me.at(t, "data.attributes.handle") != "sre1@example.com" || me.at(t, "data.type") != "users" {
		t.Errorf("I am %s", me.body)
	}
	if again := c.get("/api/v2/users/" + fmt.Sprint(me.at(t, "data.id"))); !bytes.Equal(again.body, me.body) {
		t.Errorf("by identity I am %s", again.body)
	}
	c.do(http.StatusNotFound, http.MethodGet, "/api/v2/users/nobody", "")
}

// TestSeed holds that one seed makes one world, and another one another.
func TestSeed(t *testing.T) {
	t.Parallel()
	tell := func(seed int64) string {
		c := start(t, simulator.Options{Seed: seed})
		c.sim.Advance(7 * time.Minute)
		now := c.sim.Now()
		var b strings.Builder
		for _, a := range []answer{
			c.get("/api/v1/query", "from", unix(now.Add(-time.Hour)), "to", unix(now), "query", "avg:system.cpu.used{*} by {service,env}"),
			c.get("/api/v1/monitor", "group_states", "all"), c.get("/api/v2/downtime"), c.get("/api/v2/team"),
			c.get("/api/v2/incidents/search", "query", "state:(active OR resolved)"), c.get("/api/v2/events", "filter[from]", "now-3d", "page[limit]", "300"),
		} {
			b.Write(a.body)
		}
		return strings.ReplaceAll(b.String(), c.sim.URL(), "")
	}
	one, two, other := tell(4), tell(4), tell(5)
	if one != two {
		t.Error("one seed makes two worlds")
	}
	if one == other {
		t.Error("two seeds make one world")
	}
}
