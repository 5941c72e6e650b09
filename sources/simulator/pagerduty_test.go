package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/simulator/pagerduty"
	"example.com/signalbox/sources/simulator/seen"
	"example.com/signalbox/sources/simulator/world"
)

const pageTitle = "5xx above 2 % for 5m"

// pd asks PagerDuty with the account's token, in sre1's name, and wants that status.
func (c *client) pd(status int, method, path, body string, header ...string) answer {
	c.t.Helper()
	return c.do(status, method, "/pagerduty"+path, body, append([]string{
		"Authorization", "Token token=" + c.token, "From", "sre1@example.com", "Accept", "application/vnd.pagerduty+json;version=2",
	}, header...)...)
}

type pdRef struct{ ID, Type, Summary, Self, HTMLURL string }

type pdUser struct {
	pdRef
	Name, Email string
	TimeZone    string `json:"time_zone"`
}

type pdIncident struct {
	pdRef
	Number      int    `json:"incident_number"`
	Title       string `json:"title"`
	Status      string `json:"status"`
	Urgency     string
	AssignedVia string    `json:"assigned_via"`
	CreatedAt   time.Time `json:"created_at"`
	ChangedAt   time.Time `json:"last_status_change_at"`
	ResolvedAt  string    `json:"resolved_at"`
	ChangedBy   pdRef     `json:"last_status_change_by"`
	Service     pdRef
	Assignments []struct {
		At       time.Time
		Assignee pdUser
	}
	Acks []struct {
		Acknowledger pdUser
	} `json:"acknowledgements"`
	Pending []struct {
		Type string
		At   time.Time
	} `json:"pending_actions"`
	Priority *struct{ Name string }
	Alerts   struct{ All, Triggered, Resolved int } `json:"alert_counts"`
	Reason   *struct {
		Type     string
		Incident pdRef
	} `json:"resolve_reason"`
	First pdEntry `json:"first_trigger_log_entry"`
}

type pdEntry struct {
	pdRef
	CreatedAt time.Time `json:"created_at"`
	Agent     pdRef
	User      *pdRef
	Assignees []pdRef
	Channel   struct {
		Type, Client string
		ClientURL    string `json:"client_url"`
		Details      map[string]any
	}
	Contexts []struct{ Type, Href, Text string }
	Details  map[string]any `json:"event_details"`
	Note     string
}

type pdPage struct {
	Limit, Offset int
	More          bool
	Total         *int
}

func (c *client) pages(query string) []pdIncident {
	c.t.Helper()
	var out struct{ Incidents []pdIncident }
	c.pd(200, http.MethodGet, "/incidents?limit=100&"+query, "").into(c.t, &out)
	return out.Incidents
}

const open = "date_range=all&statuses[]=triggered&statuses[]=acknowledged&include[]=first_trigger_log_entries&include[]=users"

// paged is the open incident of a service.
func (c *client) paged(service string) pdIncident {
	c.t.Helper()
	for _, i := range c.pages(open) {
		if i.Service.Summary == service {
			return i
		}
	}
	c.t.Fatalf("nothing is open for %s", service)
	return pdIncident{}
}

func (c *client) incidentByID(id string) pdIncident {
	c.t.Helper()
	var out struct{ Incident pdIncident }
	c.pd(200, http.MethodGet, "/incidents/"+id, "").into(c.t, &out)
	return out.Incident
}

func (c *client) entries(id string) []pdEntry {
	c.t.Helper()
	var out struct {
		Entries []pdEntry `json:"log_entries"`
	}
	c.pd(200, http.MethodGet, "/incidents/"+id+"/log_entries?limit=100&include[]=channels", "").into(c.t, &out)
	return out.Entries
}

func clock(hms string) time.Time {
	t, _ := time.Parse("2006-01-02 15:04:05", "2026-11-17 "+hms)
	return t
}

// TestPagerDutyOpening holds what PagerDuty tells of the opening against the board of the design.
func TestPagerDutyOpening(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	if list := c.pages(open); len(list) != 3 {
		t.Fatalf("%d incidents are open, want 3", len(list))
	}
	p := c.paged("checkout")
	if p.Title != pageTitle || p.Status != "triggered" || p.Urgency != "high" || p.Priority == nil || p.Priority.Name != "P1" ||
		p.Assignments[0].Assignee.Email != "sre1@example.com" || !p.Assignments[0].At.Equal(clock("02:11:14")) || !p.CreatedAt.Equal(clock("02:11:00")) ||
		len(p.Pending) != 1 || p.Pending[0].Type != "escalate" || !p.Pending[0].At.Equal(clock("02:16:14")) || p.Alerts.Triggered != 2 {
		t.Errorf("the page is %+v", p)
	}
	f := p.First
	if f.Channel.Client != "Datadog" || !strings.HasPrefix(f.Channel.ClientURL, simulator.DatadogPages+"/monitors/") ||
		!strings.Contains(fmt.Sprint(f.Channel.Details["tags"]), "region:eu, region:us, service:checkout") || len(f.Contexts) != 2 {
		t.Errorf("it came by %+v", f)
	}
	if v, ok := f.Details["value"].(float64); !ok || v < 2 || f.Details["threshold"] != 2.0 {
		t.Errorf("its details are %v", f.Details)
	}
	lag, slow := c.paged("ledger"), c.paged("billing-core")
	if lag.Priority.Name != "P3" || lag.Status != "acknowledged" || !lag.ChangedAt.Equal(clock("01:33:00")) || lag.Acks[0].Acknowledger.Email != "sre1@example.com" ||
		lag.Pending[0].Type != "unacknowledge" || !lag.Pending[0].At.Equal(clock("02:33:00")) {
		t.Errorf("ledger's is %+v", lag)
	}
	if slow.Priority.Name != "P2" || slow.Acks[0].Acknowledger.Email != "dev5@example.com" || !slow.ChangedAt.Equal(clock("02:02:00")) || len(slow.Pending) != 0 {
		t.Errorf("billing-core's is %+v", slow)
	}
	past := 0
	for _, i := range c.pages("statuses[]=resolved&service_ids[]=" + p.Service.ID) {
		if i.Title == pageTitle && i.ResolvedAt != "" {
			past++
		}
	}
	if past != 3 {
		t.Errorf("seen %d times in a month, want 3", past)
	}
}

// TestPagerDutyShifts holds who is on call, who is next, and where they live.
func TestPagerDutyShifts(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	type duty struct {
		Policy     pdRef `json:"escalation_policy"`
		Level      int   `json:"escalation_level"`
		Schedule   *pdRef
		User       pdUser
		Start, End *time.Time
	}
	ask := func(query string) (out []duty) {
		var body struct{ Oncalls []duty }
		c.pd(200, http.MethodGet, "/oncalls?limit=100&"+query, "").into(t, &body)
		for _, d := range body.Oncalls {
			if d.Policy.Summary == "payments" {
				out = append(out, d)
			}
		}
		return out
	}
	now := ask("include[]=users")
	if len(now) != 3 || now[0].User.Email != "sre1@example.com" || now[0].Level != 1 || !now[0].End.Equal(clock("06:00:00")) ||
		now[1].User.Email != "sre2@example.com" || now[1].User.TimeZone != "Europe/Berlin" || now[1].Level != 2 {
		t.Fatalf("on call are %+v", now)
	}
	if l := now[2]; l.Schedule != nil || l.Start != nil || l.End != nil || l.User.Email != "lead1@example.com" {
		t.Errorf("the last level is %+v", l)
	}
	next := ask("include[]=users&since=2026-11-17T02:14:00Z&until=2026-11-17T08:00:00Z")
	if len(next) != 5 || next[1].User.Email != "sre2@example.com" || next[1].Level != 1 || !next[1].Start.Equal(clock("06:00:00")) {
		t.Errorf("the next are %+v", next)
	}
	if e := ask("earliest=true&until=2026-11-19T02:14:00Z"); len(e) != 7 {
		t.Errorf("of two days the earliest are %+v", e)
	}
	c.pd(400, http.MethodGet, "/oncalls?since=2026-11-17T02:14:00Z&until=2027-11-17T02:14:00Z", "")
	c.pd(400, http.MethodGet, "/oncalls?since=tomorrow", "")
}

// TestPagerDutyEscalation plays the page: nobody acknowledges, the next one is woken; an acknowledgement
// stops it for an hour, a second person joins; then it pages again.
func TestPagerDutyEscalation(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	id := c.paged("checkout").ID
	c.sim.Advance(2*time.Minute + 13*time.Second)
	if p := c.incidentByID(id); p.Assignments[0].Assignee.Summary != "Sam Ríos" {
		t.Fatalf("escalated early: %+v", p)
	}
	c.sim.Advance(time.Second)
	p := c.incidentByID(id)
	if p.Assignments[0].Assignee.Summary != "Ines Vogel" || !p.Pending[0].At.Equal(clock("02:21:14")) {
		t.Fatalf("did not escalate: %+v", p)
	}
	if e := c.entries(id)[0]; e.Type != "escalate_log_entry" || e.Assignees[0].Summary != "Ines Vogel" || e.Channel.Type != "timeout" {
		t.Errorf("its log begins with %+v", e)
	}
	ack := `{"incidents":[{"id":"` + id + `","type":"incident_reference","status":"acknowledged"}]}`
	c.pd(200, http.MethodPut, "/incidents", ack)
	c.pd(200, http.MethodPut, "/incidents", ack, "From", "sre2@example.com")
	c.sim.Advance(30 * time.Minute)
	p = c.incidentByID(id)
	if p.Status != "acknowledged" || len(p.Acks) != 2 || p.Acks[0].Acknowledger.Summary != "Sam Ríos" || p.Pending[0].Type != "unacknowledge" ||
		p.ChangedBy.Summary != "Ines Vogel" {
		t.Errorf("after half an hour: %+v", p)
	}
	c.sim.Advance(30 * time.Minute)
	p = c.incidentByID(id)
	if p.Status != "triggered" || len(p.Acks) != 0 || p.Pending[0].Type != "escalate" {
		t.Errorf("after an hour: %+v", p)
	}
	var kinds []string
	for _, e := range c.entries(id) {
		kinds = append(kinds, strings.TrimSuffix(e.Type, "_log_entry"))
	}
	if got := strings.Join(kinds, " "); got != "notify unacknowledge acknowledge acknowledge escalate notify trigger" {
		t.Errorf("the log is %s", got)
	}
}

// TestPagerDutyRollback holds that rolling back resolves the page by itself within a minute.
func TestPagerDutyRollback(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 3})
	id := c.paged("checkout").ID
	freeQueue(c)
	run := rollBack(c)
	c.until(10*time.Minute, func() bool {
		var r runBody
		c.get("/repos/acme/checkout/actions/runs/"+itoa(run)).into(t, &r)
		return r.done()
	})
	c.sim.Advance(time.Minute)
	p := c.incidentByID(id)
	if p.Status != "resolved" || p.ResolvedAt == "" || p.ChangedBy.Summary != "Datadog" || len(p.Assignments) != 0 || p.Alerts.Resolved != 2 {
		t.Errorf("a minute later the page is %+v", p)
	}
	if e := c.entries(id)[0]; e.Type != "resolve_log_entry" {
		t.Errorf("its log begins with %+v", e)
	}
}

// TestPagerDutyActs does everything that a person does with an incident.
func TestPagerDutyActs(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	id, other := c.paged("checkout").ID, c.paged("ledger").ID
	put := func(status int, change string) pdIncident {
		t.Helper()
		var out struct{ Incident pdIncident }
		a := c.pd(status, http.MethodPut, "/incidents/"+id, `{"incident":{"type":"incident_reference",`+change+`}}`)
		if status == 200 {
			a.into(t, &out)
		}
		return out.Incident
	}
	if p := put(200, `"escalation_level":3`); p.Assignments[0].Assignee.Summary != "Ada Lind" || !p.Pending[0].At.Equal(clock("02:19:00")) {
		t.Errorf("escalated: %+v", p)
	}
	if e := c.entries(id)[0]; e.Agent.Summary != "Sam Ríos" || e.Assignees[0].Summary != "Ada Lind" {
		t.Errorf("escalated: %+v", e)
	}
	put(400, `"escalation_level":4`)
	put(400, `"escalation_level":1,"assignments":[{"assignee":{"id":"`+c.person("dev1")+`","type":"user_reference"}}]`)
	put(400, `"assignments":[{"assignee":{"id":"PNOBODY","type":"user_reference"}}]`)
	if p := put(200, `"assignments":[{"assignee":{"id":"`+c.person("dev1")+`","type":"user_reference"}}]`); p.AssignedVia != "direct_assignment" || len(p.Pending) != 0 {
		t.Errorf("reassigned: %+v", p)
	}
	if p := put(200, `"escalation_policy":{"id":"`+c.first("/escalation_policies?limit=100&query=platform", "escalation_policies")+`","type":"escalation_policy_reference"}`); p.Assignments[0].Assignee.Summary != "Tia Bianchi" {
		t.Errorf("handed to another policy: %+v", p)
	}
	if p := put(200, `"priority":{"id":"PRIO004","type":"priority_reference"},"urgency":"low","title":"5xx"`); p.Priority.Name != "P4" || p.Urgency != "low" || p.Title != "5xx" {
		t.Errorf("rated: %+v", p)
	}
	put(400, `"status":"closed"`)
	put(400, `"urgency":"middling"`)
	put(400, `"priority":{"id":"PRIO999","type":"priority_reference"}`)
	c.pd(400, http.MethodPut, "/incidents/"+id, `{"incident":{"status":"resolved"}}`)

	var snoozed struct{ Incident pdIncident }
	c.pd(201, http.MethodPost, "/incidents/"+id+"/snooze", `{"duration":600}`).into(t, &snoozed)
	if p := snoozed.Incident; p.Status != "acknowledged" || !p.Pending[0].At.Equal(clock("02:24:00")) {
		t.Errorf("snoozed: %+v", p)
	}
	c.pd(400, http.MethodPost, "/incidents/"+id+"/snooze", `{"duration":0}`)
	c.sim.Advance(10 * time.Minute)
	if p := c.incidentByID(id); p.Status != "triggered" {
		t.Errorf("after its snooze it is %s", p.Status)
	}

	c.pd(200, http.MethodPost, "/incidents/"+id+"/notes", `{"note":{"content":"looking"}}`)
	c.pd(400, http.MethodPost, "/incidents/"+id+"/notes", `{"note":{"content":" "}}`)
	var notes struct {
		Notes []struct {
			ID, Content string
			User        pdRef
		}
	}
	c.pd(200, http.MethodGet, "/incidents/"+id+"/notes", "").into(t, &notes)
	if len(notes.Notes) != 1 || notes.Notes[0].Content != "looking" || notes.Notes[0].User.Summary != "Sam Ríos" {
		t.Errorf("notes: %+v", notes)
	}
	c.pd(200, http.MethodPost, "/incidents/"+id+"/status_updates", `{"message":"rolling back"}`)
	c.pd(400, http.MethodPost, "/incidents/"+id+"/status_updates", `{}`)

	merge := `{"source_incidents":[{"id":"` + other + `","type":"incident_reference"}]}`
	c.pd(200, http.MethodPut, "/incidents/"+id+"/merge", merge)
	if p := c.incidentByID(id); p.Alerts.All != 3 {
		t.Errorf("merged: %+v", p)
	}
	if p := c.incidentByID(other); p.Status != "resolved" || p.Reason == nil || p.Reason.Type != "merge_resolve_reason" || p.Reason.Incident.ID != id || p.Alerts.All != 0 {
		t.Errorf("what was merged is %+v", p)
	}
	c.pd(400, http.MethodPut, "/incidents/"+id+"/merge", merge)

	put(200, `"status":"resolved","resolution":"rolled back"`)
	put(200, `"status":"resolved"`)
	put(400, `"status":"acknowledged"`)
	c.pd(400, http.MethodPost, "/incidents/"+id+"/snooze", `{"duration":60}`)
	if p := c.incidentByID(id); p.Status != "resolved" || p.ChangedBy.Summary != "Sam Ríos" {
		t.Errorf("resolved: %+v", p)
	}
	c.pd(201, http.MethodPost, "/incidents", `{"incident":{"type":"incident","title":"cannot pay","service":{"id":"`+c.incidentByID(id).Service.ID+`","type":"service_reference"}}}`)
	if p := c.paged("checkout"); p.Title != "cannot pay" || p.Assignments[0].Assignee.Email != "sre1@example.com" {
		t.Errorf("declared: %+v", p)
	}
	if u := c.sim.Usage().Of(seen.PagerDuty); u.Complained("unknown query parameter") || u.Complained("unknown field in the body") || u.Writes < 20 {
		t.Errorf("usage is %+v", u)
	}
}

func (c *client) first(path, key string) string {
	c.t.Helper()
	var out map[string]json.RawMessage
	var list []pdRef
	c.pd(200, http.MethodGet, path, "").into(c.t, &out)
	if err := json.Unmarshal(out[key], &list); err != nil || len(list) == 0 {
		c.t.Fatalf("%s: %s", path, out[key])
	}
	return list[0].ID
}

func (c *client) person(login string) string {
	c.t.Helper()
	return c.first("/users?limit=100&query="+login, "users")
}

// TestPagerDutyLists holds every list: its key, its page, and that what it names can be asked for alone.
func TestPagerDutyLists(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	id, service := c.paged("checkout").ID, c.paged("checkout").Service.ID
	for _, x := range []struct {
		path, key string
		one       string // the path of one of them; "": there is none
		want      int
	}{
		{"/incidents?date_range=all", "incidents", "/incidents/", 10}, {"/services", "services", "/services/", 8}, {"/services?query=led", "services", "/services/", 1},
		{"/escalation_policies", "escalation_policies", "/escalation_policies/", 3}, {"/schedules", "schedules", "/schedules/", 3},
		{"/users", "users", "/users/", 9}, {"/teams", "teams", "/teams/", 3}, {"/priorities", "priorities", "", 5}, {"/oncalls", "oncalls", "", 5},
		{"/incidents/" + id + "/alerts", "alerts", "", 2}, {"/incidents/" + id + "/log_entries", "log_entries", "/log_entries/", 2},
		{"/log_entries?since=2026-11-17T00:00:00Z", "log_entries", "/log_entries/", 8},
		{"/change_events", "change_events", "/change_events/", 8}, {"/services/" + service + "/change_events", "change_events", "/change_events/", 4},
	} {
		sep := "?"
		if strings.Contains(x.path, "?") {
			sep = "&"
		}
		var body map[string]json.RawMessage
		var page pdPage
		a := c.pd(200, http.MethodGet, x.path+sep+"limit=1&total=true", "")
		a.into(t, &body)
		a.into(t, &page)
		var list []pdRef
		if err := json.Unmarshal(body[x.key], &list); err != nil || len(list) != 1 || page.Limit != 1 || page.Offset != 0 || page.More != (x.want > 1) || page.Total == nil || *page.Total != x.want {
			t.Errorf("%s: %d items, %s", x.path, len(list), a.body[max(0, len(a.body)-80):])
			continue
		}
		c.pd(200, http.MethodGet, x.path+sep+"limit=100&offset=100", "").into(t, &page)
		if page.More || page.Offset != 100 {
			t.Errorf("%s: past its end: %+v", x.path, page)
		}
		if x.one != "" {
			if a := c.pd(200, http.MethodGet, x.one+list[0].ID, ""); !strings.Contains(string(a.body), list[0].ID) {
				t.Errorf("%s%s: %s", x.one, list[0].ID, a.body)
			}
			if a := c.pd(404, http.MethodGet, x.one+"PNOTHING", ""); !strings.Contains(string(a.body), `"code":2100`) {
				t.Errorf("an unknown one is %s", a.body)
			}
		}
	}
	for _, path := range []string{"/abilities", "/incidents/" + id + "/notes", "/incidents/" + id + "/related_change_events", "/incidents/" + id + "/past_incidents?limit=3"} {
		c.pd(200, http.MethodGet, path, "")
	}
	var past struct {
		Past []struct{ Incident pdRef } `json:"past_incidents"`
	}
	c.pd(200, http.MethodGet, "/incidents/"+id+"/past_incidents", "").into(t, &past)
	if len(past.Past) != 3 {
		t.Errorf("past incidents: %+v", past)
	}
	if u := c.sim.Usage().Of(seen.PagerDuty); len(u.Unread) == 0 {
		t.Error("does not notice pages that nobody asked for")
	}
}

// TestPagerDutyChanges holds the changes before the page, and how one is filed.
func TestPagerDutyChanges(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	type change struct {
		Summary, Source string
		Timestamp       time.Time
		Key             string `json:"routing_key"`
		Services        []pdRef
		Details         map[string]any           `json:"custom_details"`
		Why             *struct{ Reason string } `json:"correlation_reason"`
	}
	ask := func(path string) (out []change) {
		var body struct {
			Changes []change `json:"change_events"`
		}
		c.pd(200, http.MethodGet, path, "").into(t, &body)
		return body.Changes
	}
	p := c.paged("checkout")
	list := ask("/services/" + p.Service.ID + "/change_events?limit=100&since=2026-11-17T01:00:00Z")
	if len(list) != 1 || list[0].Summary != "pay_retry on" || !list[0].Timestamp.Equal(clock("02:01:00")) || list[0].Details["user"] != "Jun Park" || list[0].Details["kind"] != "flag" {
		t.Errorf("before the page: %+v", list)
	}
	if r := ask("/incidents/" + p.ID + "/related_change_events"); len(r) != 1 || r[0].Why == nil {
		t.Errorf("related: %+v", r)
	}
	c.pd(400, http.MethodGet, "/change_events?since=2026-11-17T01:00:00%2B01:00", "")
	event := `{"routing_key":"` + list[0].Key + `","payload":{"summary":"limit raised","source":"ops","custom_details":{"to":5}},"links":[{"href":"https://ops.example.com/1","text":"ops"}]}`
	c.do(202, http.MethodPost, "/pagerduty/v2/change/enqueue", event, "Authorization", "")
	c.do(400, http.MethodPost, "/pagerduty/v2/change/enqueue", `{"routing_key":"x","payload":{"summary":"y","source":"z"}}`, "Authorization", "")
	if list = ask("/change_events?limit=1"); list[0].Summary != "limit raised" || list[0].Details["to"] != 5.0 || list[0].Services[0].Summary != "checkout" {
		t.Errorf("filed: %+v", list)
	}
}

// TestPagerDutyAccess holds who may ask and act, in whose name, and how often.
func TestPagerDutyAccess(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{PagerDuty: []pagerduty.Identity{
		{Token: "own", Login: "dev1", User: true}, {Token: "looks", Login: "dev2", ReadOnly: true}, {Token: "little", Login: "dev3", Limit: 2},
	}})
	id := c.paged("checkout").ID
	note, body := "/incidents/"+id+"/notes", `{"note":{"content":"hm"}}`
	for _, x := range []struct {
		method, path string
		status, code int
		header       []string
	}{
		{"GET", "/users", 401, 2006, []string{"Authorization", ""}},
		{"GET", "/users", 401, 2006, []string{"Authorization", "Token token=nobody"}},
		{"GET", "/users", 401, 2006, []string{"Authorization", "Basic " + c.token}},
		{"POST", note, 400, 2016, []string{"From", ""}},
		{"POST", note, 400, 1008, []string{"From", "nobody@example.com"}},
		{"POST", note, 200, 0, []string{"From", "lead1@example.com"}},
		{"POST", note, 200, 0, []string{"From", "", "Authorization", "Token token=own"}},
		{"POST", note, 200, 0, []string{"From", "", "Authorization", "Bearer " + c.token}},
		{"POST", note, 403, 2010, []string{"Authorization", "Token token=looks"}},
		{"GET", "/users/me", 400, 2001, nil},
		{"GET", "/users/me", 200, 0, []string{"Authorization", "Token token=own"}},
		{"GET", "/users/me", 200, 0, []string{"Authorization", "Bearer " + c.token}},
		{"GET", "/nowhere", 404, 2100, nil},
		{"DELETE", "/incidents", 404, 2100, nil},
	} {
		b := ""
		if x.method == "POST" {
			b = body
		}
		var got struct{ Error struct{ Code int } }
		c.pd(x.status, x.method, x.path, b, x.header...).into(t, &got)
		if got.Error.Code != x.code {
			t.Errorf("%s %s with %v: code %d, want %d", x.method, x.path, x.header, got.Error.Code, x.code)
		}
	}
	var notes struct{ Notes []struct{ User pdRef } }
	c.pd(200, http.MethodGet, note, "").into(t, &notes)
	var who []string
	for _, n := range notes.Notes {
		who = append(who, n.User.Summary)
	}
	if got := strings.Join(who, ", "); got != "Ada Lind, Noor Haddad, Sam Ríos" {
		t.Errorf("noted in the name of %s", got)
	}
	little := []string{"Authorization", "Token token=little"}
	if a := c.pd(200, http.MethodGet, "/teams", "", little...); a.Header.Get("ratelimit-limit") != "2" || a.Header.Get("ratelimit-remaining") != "1" || a.Header.Get("ratelimit-reset") != "60" {
		t.Errorf("the limit's headers are %v", a.Header)
	}
	c.pd(200, http.MethodGet, "/teams", "", little...)
	c.sim.Advance(20 * time.Second)
	if a := c.pd(429, http.MethodGet, "/teams", "", little...); a.Header.Get("ratelimit-reset") != "40" || !strings.Contains(string(a.body), "2020") {
		t.Errorf("beyond the limit: %v %s", a.Header, a.body)
	}
	c.sim.Advance(40 * time.Second)
	c.pd(200, http.MethodGet, "/teams", "", little...)
}

// TestPagerDutyComplaints holds that what the API ignores in silence is told.
func TestPagerDutyComplaints(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	id := c.paged("checkout").ID
	c.sim.ResetUsage()
	for _, x := range []struct {
		method, path, body string
		header             []string
		want               simulator.ComplaintKind
	}{
		{"GET", "/incidents?statuses=triggered&limit=100", "", nil, "unknown query parameter"},
		{"GET", "/incidents?limit=500", "", nil, "limit outside 1 to 100"},
		{"GET", "/incidents", "", nil, simulator.NoPageSize},
		{"GET", "/teams?limit=5", "", []string{"Accept", "text/html"}, "accepts no JSON"},
		{"GET", "/teams?limit=5", "{}", nil, "body in a read"},
		{"GET", "/teams?limit=5", "", []string{"Authorization", "Token " + c.token}, "authorization is not Token token=…"},
		{"GET", "/oncalls?limit=5&since=yesterday", "", nil, "time is not ISO 8601"},
		{"POST", "/incidents/" + id + "/notes", `{"note":{"content":"a","text":"b"}}`, nil, "unknown field in the body"},
		{"POST", "/incidents/" + id + "/notes", `{"note":`, nil, "malformed body"},
		{"POST", "/incidents/" + id + "/notes", `{"note":{"content":"c"}}`, []string{"Content-Type", "text/plain"}, "body is not called JSON"},
		{"PUT", "/incidents/" + id, `{"incident":{"status":"resolved"}}`, nil, "type is not incident_reference"},
	} {
		header := append([]string{"Authorization", "Token token=" + c.token, "From", "sre1@example.com"}, x.header...)
		if _, err := c.try(x.method, "/pagerduty"+x.path, x.body, header...); err != nil {
			t.Fatal(err)
		}
		if u := c.sim.Usage().Of(seen.PagerDuty); !u.Complained(x.want) {
			t.Errorf("%s %s %s: no complaint %q in %+v", x.method, x.path, x.body, x.want, u.Complaints)
		}
		c.sim.ResetUsage()
	}
	c.pages(open)
	c.pd(200, http.MethodPost, "/incidents/"+id+"/notes", `{"note":{"content":"fine"}}`)
	if u := c.sim.Usage(); len(u.Complaints) > 0 {
		t.Errorf("complains of what is right: %+v", u.Complaints)
	}
}

// TestVendors holds that faults strike the vendor that they name alone, in its own words, and that usage is
// counted for each.
func TestVendors(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	ok := func() { c.pd(200, http.MethodGet, "/teams?limit=5", "") }
	c.inject(fault.Rule{Vendor: seen.PagerDuty, Path: "/**", Kind: fault.Secondary, Code: 429, RetryAfter: 7, Times: 1})
	c.get("/meta")
	if a := c.pd(429, http.MethodGet, "/teams?limit=5", ""); a.Header.Get("ratelimit-reset") != "7" || !strings.Contains(string(a.body), `"code":2020`) {
		t.Errorf("limited: %v %s", a.Header, a.body)
	}
	ok()
	c.inject(fault.Rule{Path: "/pagerduty/incidents/**", Kind: fault.Status, Code: 503})
	ok()
	if a := c.pd(503, http.MethodGet, "/incidents/Q1/notes", ""); !strings.Contains(string(a.body), `{"error":{"code":2000`) {
		t.Errorf("refused with %s", a.body)
	}
	c.inject(fault.Rule{Vendor: seen.PagerDuty, Path: "/**", Kind: fault.Truncate, Times: 1})
	if a := c.pd(200, http.MethodGet, "/teams?limit=5", ""); json.Valid(a.body) {
		t.Error("a truncated answer is whole")
	}
	c.inject(fault.Rule{Vendor: seen.PagerDuty, Path: "/**", Kind: fault.ErrorIn200, Times: 1})
	if a := c.pd(200, http.MethodGet, "/teams?limit=5", ""); !strings.Contains(string(a.body), `"error"`) {
		t.Errorf("an error inside a 200 is %s", a.body)
	}
	id := c.paged("checkout").ID
	c.inject(fault.Rule{Vendor: seen.PagerDuty, Method: "PUT", Path: "/pagerduty/incidents", Kind: fault.LostAnswer, Times: 1})
	body := `{"incidents":[{"id":"` + id + `","type":"incident_reference","status":"acknowledged"}]}`
	if _, err := c.try(http.MethodPut, "/pagerduty/incidents", body, "Authorization", "Token token="+c.token, "From", "sre1@example.com"); err == nil {
		t.Error("a lost answer came")
	}
	if p := c.incidentByID(id); p.Status != "acknowledged" {
		t.Errorf("after a lost answer the page is %s", p.Status)
	}
	c.sim.ClearFaults()
	c.sim.ResetUsage()
	ok()
	c.get("/meta")
	u := c.sim.Usage()
	if p, g := u.Of(seen.PagerDuty), u.Of(seen.GitHub); p.Requests != 1 || p.Charged != 1 || p.Endpoints[0].Name != "GET /pagerduty/teams" || g.Requests != 1 || g.Charged != 0 || u.Requests != 2 {
		t.Errorf("usage is %+v", u)
	}
}

// TestPagerDutyLoad holds the default window of a month against the incidents of a load, and pages of them.
func TestPagerDutyLoad(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Scale: world.Scale{Repositories: 10, Incidents: 800, Alerts: 1600, Series: 200, Monitors: 300}})
	count := func(query string) (n, requests int) {
		for offset, more := 0, true; more; offset += 100 {
			var out struct {
				pdPage
				Incidents []pdIncident
			}
			c.pd(200, http.MethodGet, fmt.Sprintf("/incidents?limit=100&offset=%d&%s", offset, query), "").into(t, &out)
			n, requests, more = n+len(out.Incidents), requests+1, out.More
		}
		return n, requests
	}
	if n, requests := count(open); n != 800 || requests != 8 {
		t.Errorf("%d open incidents in %d requests", n, requests)
	}
	recent, _ := count(strings.TrimPrefix(open, "date_range=all&"))
	if recent >= 800 || recent < 700 {
		t.Errorf("%d of them are of the last month", recent)
	}
	acked, _ := count("date_range=all&statuses[]=acknowledged")
	low, _ := count("date_range=all&urgencies[]=low")
	if acked != 267 || low != 320 {
		t.Errorf("%d are acknowledged, %d of low urgency", acked, low)
	}
	list := c.pages("date_range=all&sort_by=created_at:desc")
	if !slices.IsSortedFunc(list, func(a, b pdIncident) int { return b.CreatedAt.Compare(a.CreatedAt) }) || list[0].Alerts.All != 2 {
		t.Error("not the newest first, or without their alerts")
	}
	c.pd(400, http.MethodGet, "/incidents?sort_by=colour", "")
	c.pd(400, http.MethodGet, "/incidents?limit=100&offset=9999", "")
	c.pd(400, http.MethodGet, "/incidents?since=2026-01-01T00:00:00Z", "")
	c.pd(400, http.MethodGet, "/incidents?statuses[]=open", "")
	text := string(c.sim.Config("env:SIM_TOKEN"))
	if n := strings.Count(text, "source: datadog"); n != 20 || !strings.Contains(text, "type: pagerduty") {
		t.Errorf("each service asks for %d metrics in\n%s", n, text)
	}
}

// BenchmarkIncidents asks for a page of 100 of 800 open incidents, with what opened them.
func BenchmarkIncidents(b *testing.B) {
	c := start(b, simulator.Options{Scale: world.Scale{Repositories: 20, Incidents: 800, Alerts: 5000}})
	n := 0
	for b.Loop() {
		if n++; n%900 == 0 {
			c.sim.Advance(time.Minute) // another window of the rate limit
		}
		c.pages(open)
	}
}
