package pagerduty

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/sourcetest"
)

type obj = map[string]any

const fakeToken = "u+tokenThatOccursNowhereElse"

var testNow = time.Date(2026, 11, 17, 2, 14, 0, 0, time.UTC)

func ago(d time.Duration) string { return testNow.Add(-d).Format(time.RFC3339) }
func in(d time.Duration) string  { return ago(-d) }

// fake is a PagerDuty: it keeps incidents, and holds clients to what the documentation demands of them.
type fake struct {
	mu       sync.Mutex
	token    string
	own      string   // the user whose token it is; "": the account's
	me       string   // who the board says its user is
	denied   []string // what the token may not read: the first words of paths
	users    []obj
	policies []obj
	services []obj
	teams    []obj
	oncalls  []obj
	changes  []obj
	all      []*fakeIncident // oldest first
	said     []string        // "GET /incidents?…"
	headers  []http.Header
	bodies   []string
	most     int // a page's size at most
	serial   int
}

type fakeIncident struct {
	obj     obj
	trigger any
	log     []obj
	notes   []obj
	alerts  []obj
}

func fakeUser(id, name, zone string) obj {
	return obj{"id": id, "type": "user", "summary": name, "name": name, "email": name + "@example.com", "time_zone": zone, "role": "user", "html_url": "https://acme.pagerduty.com/users/" + id}
}

func refTo(o obj) obj {
	return obj{"id": o["id"], "type": text(o, "type") + "_reference", "summary": o["summary"], "html_url": o["html_url"], "self": nil}
}

func text(o obj, key string) string {
	s, _ := o[key].(string)
	return s
}

// newFake is a world of two services, of which one is paged for.
func newFake() *fake {
	f := &fake{token: fakeToken, own: "PUSER1", most: 100}
	f.users = []obj{fakeUser("PUSER1", "sre1", "Europe/Berlin"), fakeUser("PUSER2", "sre2", "Eastern Time (US & Canada)"), fakeUser("PUSER3", "sre3", "Mars/Phobos")}
	f.teams = []obj{{"id": "PTEAM1", "type": "team", "summary": "payments", "name": "payments"}}
	f.policies = []obj{
		{"id": "PPOL1", "type": "escalation_policy", "summary": "Payments", "name": "Payments", "html_url": "https://acme.pagerduty.com/escalation_policies/PPOL1"},
		{"id": "PPOL2", "type": "escalation_policy", "summary": "Platform", "name": "Platform", "html_url": "https://acme.pagerduty.com/escalation_policies/PPOL2"},
	}
	f.services = []obj{
		{"id": "PCHECK", "type": "service", "summary": "Checkout (prod)", "name": "Checkout (prod)", "status": "critical", "escalation_policy": refTo(f.policies[0]), "teams": []obj{f.teams[0]}},
		{"id": "PLEDGER", "type": "service", "summary": "Ledger", "name": "Ledger", "status": "active", "escalation_policy": refTo(f.policies[0]), "teams": []obj{f.teams[0]}},
		{"id": "PBILL", "type": "service", "summary": "billing-core", "name": "billing-core", "status": "maintenance", "escalation_policy": refTo(f.policies[1]), "teams": []obj{}},
		{"id": "POLD", "type": "service", "summary": "Fax", "name": "Fax", "status": "disabled", "escalation_policy": refTo(f.policies[1]), "teams": []obj{}},
	}
	f.oncalls = []obj{
		f.turn(0, "PUSER1", 1, -2*time.Hour, 4*time.Hour), f.turn(0, "PUSER2", 1, 4*time.Hour, 12*time.Hour),
		f.turn(0, "PUSER2", 2, -2*time.Hour, 4*time.Hour), f.turn(0, "PUSER1", 2, 4*time.Hour, 12*time.Hour),
		{"user": f.users[2], "escalation_policy": f.policies[1], "escalation_level": 1, "schedule": nil, "start": nil, "end": nil},
	}
	f.changes = []obj{
		{"id": "PCHG1", "type": "change_event", "summary": "pay_retry on", "timestamp": ago(13 * time.Minute), "source": "flags", "services": []obj{refTo(f.services[0])},
			"custom_details": obj{"flag": "pay_retry", "user": "dev4", "attempt": 17}, "links": []obj{{"href": "https://flags.example.com/pay_retry", "text": "flag"}}},
		{"id": "PCHG2", "type": "change_event", "summary": "Deployed v1.9.2", "timestamp": ago(10 * time.Minute), "source": "ci", "services": []obj{refTo(f.services[0])},
			"custom_details": obj{"version": "v1.9.2", "sha": "A1B2C3D4E5", "env": "prod"}},
		{"id": "PCHG3", "type": "change_event", "summary": "Raise pool size in settings", "timestamp": ago(30 * time.Minute), "source": "terraform", "services": []obj{refTo(f.services[1])}, "custom_details": nil},
	}
	ack := f.open("PLEDGER", "replica lag above 30s", 41*time.Minute)
	ack.obj["incident_number"] = 4100
	ack.obj["status"], ack.obj["last_status_change_at"] = "acknowledged", ago(40*time.Minute)
	ack.obj["acknowledgements"] = []obj{{"at": ago(40 * time.Minute), "acknowledger": f.users[0]}}
	ack.obj["pending_actions"] = []obj{{"type": "unacknowledge", "at": in(19 * time.Minute)}, {"type": "resolve", "at": in(4 * time.Hour)}}
	ack.obj["priority"] = obj{"id": "PP3", "type": "priority", "summary": "P3", "name": "P3"}
	hot := f.open("PCHECK", "5xx above 2 % for 5m", 3*time.Minute)
	hot.obj["incident_number"] = 4101
	hot.obj["priority"] = obj{"id": "PP1", "type": "priority", "summary": "P1", "name": "P1"}
	hot.trigger = datadogTrigger()
	hot.alerts = []obj{{"id": "PALERT1", "type": "alert", "summary": "5xx above 2 %", "status": "triggered", "severity": "critical", "created_at": ago(4 * time.Minute),
		"html_url": "https://acme.pagerduty.com/alerts/PALERT1", "body": obj{"type": "alert_body", "details": obj{"tags": "env:prod,region:eu", "value": 4.1, "firing": promFiring}}}}
	hot.notes = []obj{{"id": "PNOTE1", "content": "looking at it", "created_at": ago(time.Minute), "user": refTo(f.users[1])}}
	hot.log = []obj{
		{"id": "R1", "type": "trigger_log_entry", "summary": "Triggered through the API", "created_at": ago(3 * time.Minute), "agent": refTo(f.services[0]), "channel": obj{"type": "api", "summary": "5xx"}},
		{"id": "R2", "type": "assign_log_entry", "summary": "Assigned to sre1", "created_at": ago(3 * time.Minute), "agent": refTo(f.services[0]), "assignees": []obj{refTo(f.users[0])}, "channel": obj{"type": "auto"}},
		{"id": "R3", "type": "notify_log_entry", "summary": "Notified sre1 by push", "created_at": ago(170 * time.Second), "user": refTo(f.users[0]), "channel": obj{"type": "auto", "notification": obj{"type": "push_notification"}},
			"event_details": obj{"description": "5xx", "attempts": 3, "ratio": 0.041, "tags": []string{"a"}, "more": nil}},
	}
	done := f.open("PCHECK", "5xx above 2 % for 5m", 3*24*time.Hour)
	done.obj["status"], done.obj["resolved_at"], done.obj["last_status_change_at"] = "resolved", ago(71*time.Hour), ago(71*time.Hour)
	done.obj["last_status_change_by"], done.obj["assignments"], done.obj["pending_actions"] = refTo(f.users[1]), []obj{}, []obj{}
	return f
}

const promFiring = "Labels:\n - alertname = HighErrors\n - service = checkout\n - env = prod\n - region = us\nAnnotations:\n - runbook_url = https://runbooks.example.com/checkout\n - summary = 5xx above 2 %\n   on all paths\nSource: https://prometheus.example.com/graph?g0.expr=up\n"

func datadogTrigger() obj {
	return obj{
		"id": "R1", "type": "trigger_log_entry", "summary": "Triggered through the API",
		"channel": obj{
			"type": "api", "summary": "5xx above 2 %", "client": "Datadog", "client_url": "https://app.datadoghq.eu/monitors/1234567?from_ts=1&group=env:prod",
			"details": obj{"tags": "env:prod, region:eu, region:us, service:checkout", "monitor_state": "Alert", "value": 4.1, "count": 12345678901, "ok": false, "nothing": nil,
				"nested": obj{"list": []any{1, "https://app.datadoghq.eu/incidents/77", obj{"deep": 2.5}}}, "firing": promFiring},
			"contexts": []obj{{"type": "link", "href": "https://wiki.example.com/rb", "text": "Runbook"}},
		},
		"event_details": obj{"description": "5xx", "n": 3},
	}
}

func (f *fake) turn(policy int, user string, level int, start, end time.Duration) obj {
	return obj{"user": f.user(user), "escalation_policy": f.policies[policy], "escalation_level": level,
		"schedule": obj{"id": fmt.Sprintf("PSCHED%d", level), "type": "schedule", "summary": "Primary", "name": "Primary", "html_url": "https://acme.pagerduty.com/schedules/PSCHED1"}, "start": in(start), "end": in(end)}
}

func (f *fake) user(id string) obj   { return byID(f.users, id) }
func (f *fake) policy(id string) obj { return byID(f.policies, id) }

func byID(all []obj, id string) obj {
	for _, o := range all {
		if o["id"] == id {
			return o
		}
	}
	return nil
}

// open opens an incident of a service: assigned to the first level, and escalating in 2m14s.
func (f *fake) open(service, title string, age time.Duration) *fakeIncident {
	f.serial++
	sv := byID(f.services, service)
	id := fmt.Sprintf("PINC%d", f.serial)
	i := &fakeIncident{obj: obj{
		"id": id, "type": "incident", "summary": "[#" + strconv.Itoa(f.serial) + "] " + title, "title": title, "incident_number": f.serial,
		"html_url": "https://acme.pagerduty.com/incidents/" + id, "status": "triggered", "urgency": "high", "created_at": ago(age), "last_status_change_at": ago(age),
		"service": refTo(sv), "escalation_policy": sv["escalation_policy"], "teams": sv["teams"], "assigned_via": "escalation_policy",
		"assignments":      []obj{{"at": ago(age), "assignee": f.users[0]}},
		"pending_actions":  []obj{{"type": "escalate", "at": in(2*time.Minute + 14*time.Second)}},
		"acknowledgements": []obj{}, "alert_counts": obj{"all": 1, "triggered": 1, "resolved": 0}, "priority": nil, "resolved_at": nil,
	}, trigger: obj{"id": "R0", "type": "trigger_log_entry_reference"}}
	f.all = append(f.all, i)
	return i
}

func (f *fake) find(id string) *fakeIncident {
	for _, i := range f.all {
		if i.obj["id"] == id {
			return i
		}
	}
	return nil
}

// hot is the incident that is triggered.
func (f *fake) hot() *fakeIncident { return f.all[1] }

// change changes something in every list.
func (f *fake) change() {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.hot()
	i.obj["status"], i.obj["last_status_change_at"] = "acknowledged", ago(time.Second)
	i.obj["acknowledgements"] = []obj{{"at": ago(time.Second), "acknowledger": f.users[0]}}
	i.obj["pending_actions"] = []obj{}
	done := f.all[2]
	done.obj["title"] = "5xx above 3 % for 5m"
	done.obj["last_status_change_at"], done.obj["resolved_at"] = ago(70*time.Hour), ago(70*time.Hour)
	f.oncalls[1]["user"] = f.users[2]
	f.changes = f.changes[1:]
}

func (f *fake) requests(prefix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, s := range f.said {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	f.said = append(f.said, r.Method+" "+r.URL.RequestURI())
	f.headers = append(f.headers, r.Header.Clone())
	f.bodies = append(f.bodies, string(raw))
	code, v := f.answer(r, raw)
	b, err := json.Marshal(v)
	if err != nil {
		code, b = http.StatusInternalServerError, []byte(err.Error())
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Date", testNow.Format(http.TimeFormat))
	w.Header().Set("Ratelimit-Limit", "960")
	w.Header().Set("Ratelimit-Remaining", "955")
	w.Header().Set("Ratelimit-Reset", "10")
	w.WriteHeader(code)
	_, _ = w.Write(b)
}

func problemOf(code int, message string, all ...string) obj {
	return obj{"error": obj{"code": code, "message": message, "errors": all}}
}

func (f *fake) answer(r *http.Request, raw []byte) (int, any) {
	if a := r.Header.Get("Authorization"); a != "Token token="+f.token && a != "Bearer "+f.token {
		return http.StatusUnauthorized, problemOf(2006, "Unauthorized")
	}
	if r.Header.Get("Accept") != "application/vnd.pagerduty+json;version=2" {
		return http.StatusNotAcceptable, problemOf(2000, "Not Acceptable")
	}
	q := r.URL.Query()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if r.Method != http.MethodGet {
		return f.writing(r, parts, raw)
	}
	switch {
	case slices.Contains(f.denied, parts[0]):
		return http.StatusForbidden, problemOf(2010, "Access Denied")
	case r.URL.Path == "/incidents":
		return f.listIncidents(q)
	case parts[0] == "incidents":
		return f.readIncident(parts[1:], q)
	case r.URL.Path == "/users/me":
		if f.own == "" {
			return http.StatusBadRequest, problemOf(2001, "Invalid Input Provided", "A user token is needed here")
		}
		return http.StatusOK, obj{"user": f.user(f.own)}
	case r.URL.Path == "/users":
		var found []any
		for _, u := range f.users {
			if strings.Contains(text(u, "email"), q.Get("query")) {
				found = append(found, u)
			}
		}
		return f.page("users", found, q)
	case r.URL.Path == "/services":
		return f.page("services", anys(f.services), q)
	case r.URL.Path == "/oncalls":
		return f.listOnCalls(q)
	case r.URL.Path == "/change_events":
		return f.listChanges(q)
	case len(parts) == 2:
		for kind, all := range map[string][]obj{"user": f.users, "service": f.services, "team": f.teams, "escalation_policie": f.policies, "change_event": f.changes} {
			if o := byID(all, parts[1]); parts[0] == kind+"s" && o != nil {
				return http.StatusOK, obj{strings.Replace(kind, "policie", "policy", 1): o}
			}
		}
	}
	return http.StatusNotFound, problemOf(2100, "Not Found")
}

func anys(os []obj) []any {
	out := make([]any, len(os))
	for i, o := range os {
		out[i] = o
	}
	return out
}

func (f *fake) page(name string, all []any, q url.Values) (int, any) {
	limit, err1 := strconv.Atoi(q.Get("limit"))
	offset, err2 := strconv.Atoi(q.Get("offset"))
	if err1 != nil || err2 != nil || limit > 100 || offset+limit > 10_000 {
		return http.StatusBadRequest, problemOf(2001, "Invalid Input Provided", "Offset must be less than 10000")
	}
	limit = min(limit, f.most)
	from, to := min(offset, len(all)), min(offset+limit, len(all))
	return http.StatusOK, obj{name: append([]any{}, all[from:to]...), "limit": limit, "offset": offset, "more": to < len(all), "total": nil}
}

func (f *fake) listIncidents(q url.Values) (int, any) {
	var out []any
	for _, i := range slices.Backward(f.all) {
		created, _ := time.Parse(time.RFC3339, text(i.obj, "created_at"))
		if !slices.Contains(q["statuses[]"], text(i.obj, "status")) {
			continue
		}
		since, until := testNow.AddDate(0, -1, 0), testNow.Add(time.Hour)
		if q.Get("date_range") == "all" {
			since = time.Time{}
		} else if q.Get("since") != "" {
			since, _ = time.Parse("2006-01-02T15:04:05Z", q.Get("since"))
		}
		if created.Before(since) || created.After(until) {
			continue
		}
		out = append(out, shown{i, q})
	}
	if q.Get("sort_by") == "created_at:desc" {
		slices.SortStableFunc(out, func(a, b any) int {
			return strings.Compare(text(b.(shown).i.obj, "created_at"), text(a.(shown).i.obj, "created_at"))
		})
	}
	return f.page("incidents", out, q)
}

// shown is an incident that is rendered when its page is sent.
type shown struct {
	i *fakeIncident
	q url.Values
}

func (s shown) MarshalJSON() ([]byte, error) { return json.Marshal(s.i.view(s.q)) }

// view is an incident as it is answered: people and details only where they were asked for.
func (i *fakeIncident) view(q url.Values) obj {
	o := obj{}
	for k, v := range i.obj {
		o[k] = v
	}
	o["first_trigger_log_entry"] = obj{"id": "R0", "type": "trigger_log_entry_reference"}
	if slices.Contains(q["include[]"], "first_trigger_log_entries") {
		o["first_trigger_log_entry"] = i.trigger
	}
	shorten := func(list, key, include string) {
		if slices.Contains(q["include[]"], include) {
			return
		}
		var short []obj
		for _, a := range i.obj[list].([]obj) {
			short = append(short, obj{"at": a["at"], key: refTo(a[key].(obj))})
		}
		o[list] = short
	}
	shorten("assignments", "assignee", "assignees")
	shorten("acknowledgements", "acknowledger", "acknowledgers")
	return o
}

func (f *fake) readIncident(parts []string, q url.Values) (int, any) {
	i := f.find(parts[0])
	switch {
	case i == nil:
		return http.StatusNotFound, problemOf(2100, "Not Found")
	case len(parts) == 1:
		return http.StatusOK, obj{"incident": i.view(q)}
	case parts[1] == "notes":
		return http.StatusOK, obj{"notes": append([]obj{}, i.notes...)}
	case parts[1] == "alerts":
		return f.page("alerts", anys(i.alerts), q)
	case parts[1] == "log_entries":
		newest := anys(i.log)
		slices.Reverse(newest)
		return f.page("log_entries", newest, q)
	}
	return http.StatusNotFound, problemOf(2100, "Not Found")
}

func (f *fake) listOnCalls(q url.Values) (int, any) {
	since, err1 := time.Parse("2006-01-02T15:04:05Z", q.Get("since"))
	until, err2 := time.Parse("2006-01-02T15:04:05Z", q.Get("until"))
	if err1 != nil || err2 != nil {
		return http.StatusBadRequest, problemOf(2001, "Invalid Input Provided", "Since is not a time")
	}
	var out []any
	for _, o := range f.oncalls {
		policies := q["escalation_policy_ids[]"]
		if len(policies) > 0 && !slices.Contains(policies, text(o["escalation_policy"].(obj), "id")) {
			continue
		}
		if start, ok := o["start"].(string); ok {
			from, _ := time.Parse(time.RFC3339, start)
			to, _ := time.Parse(time.RFC3339, text(o, "end"))
			if !from.Before(until) || !to.After(since) {
				continue
			}
		}
		c := obj{}
		for k, v := range o {
			c[k] = v
		}
		if !slices.Contains(q["include[]"], "users") {
			c["user"] = refTo(o["user"].(obj))
		}
		out = append(out, c)
	}
	return f.page("oncalls", out, q)
}

func (f *fake) listChanges(q url.Values) (int, any) {
	since, err1 := time.Parse("2006-01-02T15:04:05Z", q.Get("since"))
	_, err2 := time.Parse("2006-01-02T15:04:05Z", q.Get("until"))
	if err1 != nil || err2 != nil {
		return http.StatusBadRequest, problemOf(2001, "Invalid Input Provided", "Since must be in UTC")
	}
	var out []any
	for _, c := range f.changes {
		if at, _ := time.Parse(time.RFC3339, text(c, "timestamp")); !at.Before(since) {
			out = append(out, c)
		}
	}
	return f.page("change_events", out, q)
}

// writing holds a client to its From, and changes what it asks for.
func (f *fake) writing(r *http.Request, parts []string, raw []byte) (int, any) {
	var actor obj
	for _, u := range f.users {
		if u["email"] == r.Header.Get("From") {
			actor = u
		}
	}
	if actor == nil {
		return http.StatusBadRequest, problemOf(2001, "Requester User Not Found")
	}
	var body struct {
		Incidents []struct {
			ID, Type, Status, Resolution string
			Level                        int `json:"escalation_level"`
			Assignments                  []struct{ Assignee struct{ ID, Type string } }
			Policy                       *struct{ ID string } `json:"escalation_policy"`
		}
		Duration int
		Note     struct{ Content string }
		Message  string
		Sources  []struct{ ID string } `json:"source_incidents"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return http.StatusBadRequest, problemOf(2001, "Invalid Input Provided")
	}
	stamp := testNow.Add(time.Second).Format(time.RFC3339)
	if r.Method == http.MethodPut && r.URL.Path == "/incidents" && len(body.Incidents) == 1 {
		c := body.Incidents[0]
		i := f.find(c.ID)
		if i == nil {
			return http.StatusNotFound, problemOf(2100, "Not Found")
		}
		if i.obj["status"] == "resolved" && c.Status != "resolved" {
			return http.StatusBadRequest, problemOf(2001, "Arguments Caused Error", "Incident Already Resolved")
		}
		switch {
		case c.Status != "":
			i.obj["status"], i.obj["last_status_change_at"] = c.Status, stamp
			i.obj["acknowledgements"], i.obj["pending_actions"] = []obj{{"at": stamp, "acknowledger": actor}}, []obj{{"type": "unacknowledge", "at": in(30 * time.Minute)}}
			if c.Status == "resolved" {
				i.obj["resolved_at"], i.obj["assignments"], i.obj["pending_actions"], i.obj["last_status_change_by"] = stamp, []obj{}, []obj{}, refTo(actor)
			}
		case c.Level > 0:
			i.obj["assignments"] = []obj{}
			for _, o := range f.oncalls[:4] {
				if o["escalation_level"] == c.Level && text(o, "start") < in(0) {
					i.obj["assignments"] = []obj{{"at": stamp, "assignee": o["user"]}}
				}
			}
		case c.Policy != nil:
			i.obj["escalation_policy"], i.obj["assigned_via"] = refTo(f.policy(c.Policy.ID)), "escalation_policy"
			i.obj["assignments"] = []obj{{"at": stamp, "assignee": f.users[2]}}
		default:
			var as []obj
			for _, a := range c.Assignments {
				as = append(as, obj{"at": stamp, "assignee": f.user(a.Assignee.ID)})
			}
			i.obj["assignments"], i.obj["assigned_via"], i.obj["pending_actions"] = as, "direct_assignment", []obj{}
		}
		return http.StatusOK, obj{"incidents": []obj{i.view(url.Values{})}}
	}
	if len(parts) != 3 || f.find(parts[1]) == nil {
		return http.StatusNotFound, problemOf(2100, "Not Found")
	}
	i := f.find(parts[1])
	switch r.Method + " " + parts[2] {
	case "POST snooze":
		i.obj["status"], i.obj["last_status_change_at"] = "acknowledged", stamp
		i.obj["acknowledgements"] = []obj{{"at": stamp, "acknowledger": actor}}
		i.obj["pending_actions"] = []obj{{"type": "unacknowledge", "at": in(time.Duration(body.Duration)*time.Second + time.Second)}}
		i.log = append(i.log, obj{"id": "RS", "type": "snooze_log_entry", "created_at": stamp, "agent": refTo(actor)})
		return http.StatusCreated, obj{"incident": i.view(url.Values{})}
	case "POST notes":
		n := obj{"id": fmt.Sprintf("PNOTE%d", len(i.notes)+1), "content": body.Note.Content, "created_at": stamp, "user": refTo(actor)}
		i.notes = append(i.notes, n)
		return http.StatusCreated, obj{"note": n}
	case "POST status_updates":
		i.log = append(i.log, obj{"id": "RU", "type": "status_update_log_entry", "created_at": stamp, "agent": refTo(actor), "message": body.Message, "channel": obj{"type": "web_trigger"}})
		return http.StatusCreated, obj{"status_update": obj{"id": "PSU1", "message": body.Message}}
	case "PUT merge":
		for _, s := range body.Sources {
			o := f.find(s.ID)
			if o == nil {
				return http.StatusNotFound, problemOf(2100, "Not Found")
			}
			o.obj["status"], o.obj["resolved_at"] = "resolved", stamp
			o.obj["resolve_reason"] = obj{"type": "merge_resolve_reason", "incident": refTo(i.obj)}
		}
		return http.StatusOK, obj{"incident": i.view(url.Values{})}
	}
	return http.StatusNotFound, problemOf(2100, "Not Found")
}

func tokenRef(tb testing.TB, token string) secret.Ref {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		tb.Fatal(err)
	}
	var ref secret.Ref
	if err := ref.UnmarshalText([]byte("file:" + file)); err != nil {
		tb.Fatal(err)
	}
	return ref
}

// tripper calls a handler without a network.
type tripper struct{ h http.Handler }

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	t.h.ServeHTTP(rec, in)
	res := rec.Result()
	res.Request = r
	return res, nil
}

func testEnv(rt http.RoundTripper) sources.Env {
	return sources.Env{
		Source: "pd", Transport: rt, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return testNow }, UserAgent: "signalbox-test",
	}
}

// opened is the driver on a transport.
func opened(tb testing.TB, rt http.RoundTripper, edit ...func(*Config)) *source {
	tb.Helper()
	cfg := defaults()
	cfg.Token = tokenRef(tb, fakeToken)
	for _, e := range edit {
		e(cfg)
	}
	src, err := Driver().Open(testEnv(rt), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = src.Close() })
	s, ok := src.(*source)
	if !ok {
		tb.Fatalf("a %T", src)
	}
	return s
}

func specs() []sources.ServiceSpec {
	return []sources.ServiceSpec{{Name: "checkout", Incidents: []string{"PCHECK"}}, {Name: "ledger"}, {Name: "web"}}
}

func query() sources.Query {
	return sources.Query{Services: specs(), Now: testNow, Identity: "sre1@example.com"}
}
