package datadog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
)

// deploy puts a version of checkout into production, as people do: through GitHub, once nothing holds its queue.
func (c *client) deploy(version string) {
	c.t.Helper()
	var waiting struct {
		Runs []struct{ ID int64 } `json:"workflow_runs"`
	}
	c.hub(http.MethodGet, "runs?status=waiting&per_page=5", "", &waiting)
	for _, r := range waiting.Runs {
		c.hub(http.MethodPost, fmt.Sprintf("runs/%d/force-cancel", r.ID), "", nil)
		c.sim.Advance(time.Second)
	}
	c.hub(http.MethodPost, "workflows/deploy.yml/dispatches", `{"ref":"main","inputs":{"environment":"prod","ref":"`+version+`"}}`, nil)
}

// hub asks GitHub about checkout's pipelines.
func (c *client) hub(method, path, body string, into any) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base()+"/repos/acme/checkout/actions/"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.sim.Token())
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		c.t.Fatalf("%s %s: status %d", method, path, resp.StatusCode)
	}
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			c.t.Fatal(err)
		}
	}
}

// TestRecovery rolls the bad version back, and sees everything heal.
func TestRecovery(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	before := c.history(c.objective("checkout"), 30*24*time.Hour).Data.Overall.Left["30d"]
	c.sim.Advance(3 * time.Minute)
	if worse := c.history(c.objective("checkout"), 30*24*time.Hour).Data.Overall.Left["30d"]; worse >= before {
		t.Errorf("the budget went from %g to %g while requests fail", before, worse)
	}
	if p95 := c.last("avg:http.latency.p95{service:checkout,env:prod}"); p95 < 900 {
		t.Errorf("p95 is %g", p95)
	}
	c.deploy("v1.9.1")
	c.sim.Advance(10 * time.Minute)
	if rate := c.last(errorRate); rate > 0.3 {
		t.Errorf("the error rate is still %g", rate)
	}
	if m := c.monitor("checkout", "5xx", "group_states", "alert,warn"); m.State != "OK" || len(m.Groups.Groups) != 0 {
		t.Errorf("the monitor is still %s", m.State)
	}
	if i := c.incident("checkout"); i.State != "resolved" {
		t.Errorf("the page is %s", i.State)
	}
	if burn := (100 - *c.history(c.objective("checkout"), 2*time.Minute).Data.Overall.SLI) / 0.05; burn > 6 {
		t.Errorf("the budget still burns ×%.1f", burn)
	}
	// The fast response of the metrics is no trick of averages: the peak is in the history.
	p := c.points(c.sim.Now().Add(-time.Hour), c.sim.Now(), errorRate+".rollup(max, 60)")
	peak := 0.0
	for _, x := range p {
		if x[1] != nil {
			peak = max(peak, *x[1])
		}
	}
	if peak < 4 {
		t.Errorf("the peak of the hour is %g", peak)
	}
}

// TestMute mutes before the metric gets bad: nobody is paged, until the downtime ends.
func TestMute(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	c.deploy("v1.9.1")
	c.sim.Advance(30 * time.Minute)
	m := c.monitor("checkout", "5xx")
	down := c.do(http.StatusOK, http.MethodPost, "/api/v2/downtime", muteBody(m.ID, "*", c.sim.Now().Add(time.Hour)))
	if down.at(t, "data.attributes.status") != "active" || down.at(t, "included.0.attributes.handle") != "sre1@example.com" {
		t.Errorf("the downtime is %s", down.body)
	}
	id := fmt.Sprint(down.at(t, "data.id"))
	m = c.monitor("checkout", "5xx", "with_downtimes", "true")
	if end := m.Options.Silenced["*"]; end == nil || *end != c.sim.Now().Add(time.Hour).Unix() || len(m.Downtimes) != 1 {
		t.Errorf("the monitor is silenced until %v, by %+v", end, m.Downtimes)
	}
	if n := c.get("/api/v1/monitor/search", "query", `muted:true service:checkout`).at(t, "metadata.total_count"); n != 1.0 {
		t.Errorf("%v monitors of checkout are muted", n)
	}
	was := c.incident("checkout").Number
	c.deploy("v1.9.2")
	c.sim.Advance(20 * time.Minute)
	if m := c.monitor("checkout", "5xx"); m.State != "Alert" {
		t.Fatalf("the bad version does not alert: %s", m.State)
	}
	if i := c.incident("checkout"); i.Number != was {
		t.Errorf("a muted monitor paged: %+v", i)
	}
	c.do(http.StatusNoContent, http.MethodDelete, "/api/v2/downtime/"+id, "")
	c.do(http.StatusNotFound, http.MethodDelete, "/api/v2/downtime/"+id, "")
	if s := c.get("/api/v2/downtime/"+id).at(t, "data.attributes.status"); s != "canceled" {
		t.Errorf("the downtime is %v", s)
	}
	if n := len(c.ids("/api/v2/downtime", "data", "current_only", "true")); n != 1 { // search's
		t.Errorf("%d downtimes are current", n)
	}
	c.sim.Advance(time.Minute)
	if i := c.incident("checkout"); i.Number == was || i.State != "triggered" {
		t.Errorf("nobody is paged once the downtime is over: %+v", i)
	}
}

func TestMuteRefusals(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	m := c.monitor("checkout", "5xx")
	for want, body := range map[string]string{
		"must be in the future": muteBody(m.ID, "*", c.sim.Now().Add(-time.Minute)),
		"'scope'":               muteBody(m.ID, "", c.sim.Now().Add(time.Hour)),
		"not found":             muteBody(4, "*", c.sim.Now().Add(time.Hour)),
		"data.type":             `{}`,
		"recurrences":           strings.Replace(muteBody(m.ID, "*", c.sim.Now().Add(time.Hour)), `"start":null`, `"recurrences":[{"rrule":"x"}]`, 1),
		"monitor_id":            `{"data":{"type":"downtime","attributes":{"scope":"*","monitor_identifier":{"monitor_tags":["a:b"]}}}}`,
		"is empty":              "",
		"parse error":           "{",
		"wrong type":            `{"data":{"type":7}}`,
	} {
		if a := c.do(http.StatusBadRequest, http.MethodPost, "/api/v2/downtime", body); !bytes.Contains(a.body, []byte(want)) {
			t.Errorf("%.60s is refused with %s, want %s", body, a.body, want)
		}
	}
	if n := len(c.ids("/api/v2/downtime", "data")); n != 1 {
		t.Errorf("refused requests made downtimes: %d", n)
	}
	// A downtime that begins later mutes later, and ends by itself.
	later := strings.Replace(muteBody(m.ID, "*", c.sim.Now().Add(2*time.Hour)), `"start":null`, `"start":"`+c.sim.Now().Add(time.Hour).Format(time.RFC3339)+`"`, 1)
	id := fmt.Sprint(c.do(http.StatusOK, http.MethodPost, "/api/v2/downtime", later).at(t, "data.id"))
	for _, x := range []struct {
		after time.Duration
		want  string
	}{{0, "scheduled"}, {61 * time.Minute, "active"}, {time.Hour, "ended"}} {
		c.sim.Advance(x.after)
		if s := c.get("/api/v2/downtime/"+id).at(t, "data.attributes.status"); s != x.want {
			t.Errorf("the downtime is %v, want %s", s, x.want)
		}
	}
}

// TestPages acts on the page behind an incident.
func TestPages(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	page := c.pageOf(c.ids("/api/v2/incidents/search", "data.attributes.incidents", "query", "state:active")[0])
	verb := func(status int, id, verb string) answer {
		return c.do(status, http.MethodPost, "/api/v2/on-call/pages/"+id+"/"+verb, "")
	}
	was := c.incident("billing-core")
	if was.State != "acknowledged" {
		t.Fatalf("it is %s", was.State)
	}
	if a := verb(http.StatusAccepted, page, "escalate"); len(a.body) != 0 {
		t.Errorf("an accepted verb answers %s", a.body)
	}
	if i := c.incident("billing-core"); i.State != "triggered" || i.Log[len(i.Log)-1].Kind != "escalated" {
		t.Errorf("after escalating it is %+v", i)
	}
	verb(http.StatusAccepted, strings.ToUpper(page), "acknowledge")
	if i := c.incident("billing-core"); i.State != "acknowledged" || i.Holder != "sre1" {
		t.Errorf("after acknowledging it is %+v", i)
	}
	log := len(c.incident("billing-core").Log)
	verb(http.StatusAccepted, page, "acknowledge")
	if again := len(c.incident("billing-core").Log); again != log {
		t.Errorf("acknowledging twice wrote %d more lines", again-log)
	}
	verb(http.StatusAccepted, page, "resolve")
	if i := c.incident("billing-core"); i.State != "resolved" {
		t.Errorf("after resolving it is %s", i.State)
	}
	for _, v := range []string{"acknowledge", "escalate", "resolve"} {
		verb(http.StatusAccepted, page, v)
	}
	if i := c.incident("billing-core"); i.State != "resolved" {
		t.Errorf("a page that is over became %s", i.State)
	}
	verb(http.StatusNotFound, "00000000-0000-4000-8000-000000000000", "acknowledge")
	c.do(http.StatusMethodNotAllowed, http.MethodGet, "/api/v2/on-call/pages", "")
	c.do(http.StatusNotFound, http.MethodGet, "/api/v2/on-call/pages/"+page, "")
}

func TestCreatePage(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	body := func(urgency, kind, id string) string {
		return fmt.Sprintf(`{"data":{"type":"pages","attributes":{"title":"disk is odd","urgency":"%s","target":{"type":"%s","identifier":"%s"}}}}`, urgency, kind, id)
	}
	for _, bad := range []string{body("high", "team_handle", "nobody"), body("urgent", "team_handle", "platform"), `{"data":{"type":"pages"}}`, ""} {
		c.do(http.StatusBadRequest, http.MethodPost, "/api/v2/on-call/pages", bad)
	}
	made := c.do(http.StatusOK, http.MethodPost, "/api/v2/on-call/pages", body("high", "team_handle", "platform"))
	i := c.incident("billing-core")
	if i.Title != "disk is odd" || i.State != "triggered" || i.Holder != "dev5" {
		t.Fatalf("the page made %+v", i)
	}
	c.do(http.StatusAccepted, http.MethodPost, "/api/v2/on-call/pages/"+fmt.Sprint(made.at(t, "data.id"))+"/resolve", "")
	if i := c.incident("billing-core"); i.State != "resolved" {
		t.Errorf("it is %s", i.State)
	}
}

func TestUpdateIncident(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	id := c.ids("/api/v2/incidents/search", "data.attributes.incidents", "query", "state:active")[0]
	patch := func(status int, body string) answer {
		return c.do(status, http.MethodPatch, "/api/v2/incidents/"+id, body)
	}
	fields := func(s string) string {
		return `{"data":{"type":"incidents","id":"` + id + `","attributes":{"fields":{` + s + `}}}}`
	}
	for _, bad := range []string{
		stateBody(id, "gone"), stateBody("another", "stable"), fields(`"severity":{"value":"SEV-9"}`), fields(`"root_cause":{"value":"x"}`), "", `{}`,
	} {
		patch(http.StatusBadRequest, bad)
	}
	if a := patch(http.StatusOK, stateBody(id, "stable")); a.at(t, "data.attributes.state") != "stable" || a.at(t, "data.attributes.fields.state.value") != "stable" {
		t.Errorf("it is %s", a.body)
	}
	if i := c.incident("billing-core"); i.State != "acknowledged" {
		t.Errorf("stable is %s in the world", i.State)
	}
	patch(http.StatusOK, stateBody(id, "active"))
	a := patch(http.StatusOK, strings.Replace(fields(`"severity":{"type":"dropdown","value":"SEV-3"}`), `"fields"`, `"title":"slow statements","fields"`, 1))
	if a.at(t, "data.attributes.severity") != "SEV-3" || a.at(t, "data.attributes.title") != "slow statements" {
		t.Errorf("it is %s", a.body)
	}
	if i := c.incident("billing-core"); i.Severity != 3 || i.Title != "slow statements" {
		t.Errorf("in the world it is %+v", i)
	}
	done := patch(http.StatusOK, stateBody(id, "resolved"))
	if i := c.incident("billing-core"); i.State != "resolved" || done.at(t, "data.attributes.resolved") == nil {
		t.Errorf("resolved, it is %+v and %s", i, done.body)
	}
	patch(http.StatusBadRequest, stateBody(id, "active"))
	if c.get("/api/v2/incidents/"+id).at(t, "data.attributes.state") != "resolved" {
		t.Error("a resolved incident does not stay so")
	}
}

// TestPost files what clients tell, and finds it again.
func TestPost(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	now := c.sim.Now()
	a := c.do(http.StatusAccepted, http.MethodPost, "/api/v1/events", fmt.Sprintf(
		`{"title":"Deployed search v0.8.2","text":"by hand","tags":["service:search","env:prod","event_type:deployment"],"date_happened":%d}`, now.Add(-time.Minute).Unix()))
	if a.at(t, "status") != "ok" || a.at(t, "event.date_happened") != float64(now.Add(-time.Minute).Unix()) {
		t.Errorf("posting answers %s", a.body)
	}
	found := c.get("/api/v2/events", "filter[query]", "service:search event_type:deployment")
	if n := len(found.at(t, "data").([]any)); n != 1 || found.at(t, "data.0.attributes.attributes.title") != "Deployed search v0.8.2" ||
		found.at(t, "data.0.attributes.attributes.evt.id") != a.at(t, "event.id_str") {
		t.Errorf("it is found as %s", found.body)
	}
	for want, body := range map[string]string{
		"title":         `{"text":"x"}`,
		"text":          `{"title":"x"}`,
		"alert_type":    `{"title":"x","text":"x","alert_type":"odd"}`,
		"18 hours":      fmt.Sprintf(`{"title":"x","text":"x","date_happened":%d}`, now.Add(-20*time.Hour).Unix()),
		"4000":          `{"title":"x","text":"` + strings.Repeat("x", 4001) + `"}`,
		"Aggregation":   `{"title":"x","text":"x","aggregation_key":"` + strings.Repeat("x", 101) + `"}`,
		"is empty":      "",
		"of the wrong ": `{"title":3}`,
	} {
		if a := c.do(http.StatusBadRequest, http.MethodPost, "/api/v1/events", body); !bytes.Contains(a.body, []byte(want)) {
			t.Errorf("%.60s is refused with %s", body, a.body)
		}
	}
	dora := func(attributes string) string { return `{"data":{"attributes":{` + attributes + `}}}` }
	made := c.do(http.StatusOK, http.MethodPost, "/api/v2/dora/deployment",
		dora(fmt.Sprintf(`"service":"search","env":"prod","version":"v0.8.2","started_at":%d,"finished_at":%d`, now.Add(-2*time.Minute).UnixMilli(), now.Unix())))
	id := fmt.Sprint(made.at(t, "data.id"))
	one := c.get("/api/v2/dora/deployments/" + id)
	if one.at(t, "data.attributes.finished_at") != now.Format(time.RFC3339) || one.at(t, "data.attributes.started_at") != now.Add(-2*time.Minute).Format(time.RFC3339) {
		t.Errorf("the deployment is %s", one.body)
	}
	for _, bad := range []string{
		dora(`"service":"","started_at":1,"finished_at":2,"version":"1"`), dora(`"service":"a","finished_at":2,"version":"1"`),
		dora(`"service":"a","started_at":3,"finished_at":2,"version":"1"`), dora(`"service":"a","started_at":1,"finished_at":2`),
		dora(`"service":"a","started_at":1,"finished_at":2,"git":{"commit_sha":"abc","repository_url":"x"}`), `{}`, "",
	} {
		if a := c.do(http.StatusBadRequest, http.MethodPost, "/api/v2/dora/deployment", bad); a.at(t, "errors.0.title") != "Bad Request" {
			t.Errorf("%s is refused with %s", bad, a.body)
		}
	}
	c.do(http.StatusNotFound, http.MethodGet, "/api/v2/dora/deployments/nothing", "")
}
