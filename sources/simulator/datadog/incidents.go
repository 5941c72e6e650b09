package datadog

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// pagerPages is where the links to the pager's pages lead: to no real host.
const pagerPages = "https://acme.pagerduty.example"

// declared is an incident of the world that people manage in Datadog too: one of severity 1 or 2 is declared
// by whoever acknowledges it first.
type declared struct {
	*world.Incident
	by *world.User
	at time.Time
}

func (c *call) declaration(i *world.Incident) (declared, bool) {
	if i.Severity != 1 && i.Severity != 2 && !c.s.lowered[i.Number] {
		return declared{}, false
	}
	for _, e := range i.Log {
		if e.Kind == world.Acknowledged && e.Who != nil {
			return declared{i, e.Who, e.At}, true
		}
	}
	return declared{}, false
}

// declaredIncidents lists them, oldest first.
func (c *call) declaredIncidents() []declared {
	var out []declared
	for _, i := range c.w.Incidents {
		if d, ok := c.declaration(i); ok {
			out = append(out, d)
		}
	}
	return out
}

func (c *call) incidentID(i *world.Incident) string { return c.w.UUID("incident", i.Number) }

func (c *call) incidentByPath() (declared, bool) {
	for _, d := range c.declaredIncidents() {
		if c.incidentID(d.Incident) == c.r.PathValue("id") {
			return d, true
		}
	}
	return declared{}, false
}

// noIncident is how the incidents' endpoints say so.
func (c *call) noIncident() answer { return c.generic(http.StatusNotFound, "incident not found") }

func (c *call) generic(status int, detail string) answer {
	return answer{status: status, body: mustJSON(map[string]any{"errors": []map[string]string{{"title": "Generic Error", "detail": detail}}})}
}

// stateOf is an incident's state in Datadog's words.
func (c *call) stateOf(i *world.Incident) string {
	if i.State == world.Resolved {
		return "resolved"
	}
	if c.s.stable[i.Number] {
		return "stable"
	}
	return "active"
}

// ended is when an incident was resolved; zero when it was not.
func ended(i *world.Incident) time.Time {
	if i.State != world.Resolved {
		return time.Time{}
	}
	return i.Changed
}

func severityOf(i *world.Incident) string { return "SEV-" + strconv.Itoa(i.Severity) }

func slug(i *world.Incident) string { return "IR-" + strconv.Itoa(i.Number) }

// pageID is the identity of the On-Call page of an incident.
func (c *call) pageID(i *world.Incident) string { return c.w.UUID("page", i.Number) }

type titled struct{ Title, URL string }

// linksOf are the pages that say more about an incident.
func (c *call) linksOf(i *world.Incident) []titled {
	var out []titled
	if i.Monitor != nil {
		out = append(out, titled{"Monitor", c.s.cfg.HTML + "/monitors/" + strconv.FormatInt(i.Monitor.ID, 10)})
	}
	return append(out,
		titled{"PagerDuty incident #" + strconv.Itoa(i.Number), pagerPages + "/incidents/" + i.ID},
		titled{"On-Call page", c.s.cfg.HTML + "/on-call/pages/" + c.pageID(i)})
}

func (c *call) summaryOf(i *world.Incident) string {
	parts := []string{i.Service.Name + ": " + i.Title + "."}
	for _, l := range c.linksOf(i) {
		parts = append(parts, l.Title+": "+l.URL)
	}
	return strings.Join(parts, "\n")
}

func field(kind string, v any) map[string]any { return map[string]any{"type": kind, "value": v} }

func (c *call) fullUser(u *world.User) map[string]any {
	return map[string]any{"data": object{Type: "users", ID: c.userID(u), Attributes: map[string]any{
		"uuid": c.userID(u), "handle": u.Email(), "email": u.Email(), "name": u.Name, "icon": c.s.cfg.HTML + "/icons/" + u.Login + ".png",
	}}}
}

func (c *call) incident(d declared) object {
	i := d.Incident
	state, resolved := c.stateOf(i), ended(i)
	repair, impact := 0, 0
	if !resolved.IsZero() {
		repair = int(resolved.Sub(d.at).Seconds())
		impact = int(resolved.Sub(i.Onset).Seconds())
	}
	customers := i.Severity == 1
	attributes := map[string]any{
		"public_id": i.Number, "incident_type_uuid": c.w.UUID("incident type"), "title": i.Title, "resolved": maybe(resolved),
		"customer_impacted": customers, "customer_impact_scope": nil, "customer_impact_start": nil, "customer_impact_end": nil,
		"customer_impact_duration": 0, "notification_handles": nil, "last_modified_by": c.fullUser(d.by), "last_modified_by_uuid": nil,
		"created": at(d.at), "modified": at(i.Updated), "detected": at(i.Created), "commander": c.fullUser(d.by),
		"created_by": c.fullUser(d.by), "created_by_uuid": nil, "declared": at(d.at), "declared_by": c.fullUser(d.by), "declared_by_uuid": nil,
		"creation_idempotency_key": nil, "time_to_detect": int(d.at.Sub(i.Onset).Seconds()), "time_to_repair": repair,
		"time_to_internal_response": 0, "time_to_resolve": repair, "archived": nil, "is_test": false, "field_analytics": nil,
		"severity": severityOf(i), "state": state, "non_datadog_creator": nil, "visibility": "organization", "case_id": nil,
		"fields": map[string]any{
			"severity": field("dropdown", severityOf(i)), "state": field("dropdown", state), "detection_method": field("dropdown", "monitor"),
			"root_cause": field("textbox", nil), "summary": field("textbox", c.summaryOf(i)), "slug": field("textbox", slug(i)),
			"services": field("autocomplete", []string{i.Service.Name}), "teams": field("autocomplete", []string{i.Service.Team}),
		},
	}
	if customers {
		attributes["customer_impact_start"], attributes["customer_impact_end"] = at(i.Onset), maybe(resolved)
		attributes["customer_impact_scope"], attributes["customer_impact_duration"] = "Some requests to "+i.Service.Name+" fail", impact
	}
	attachments, impacts := []link{}, []link{}
	for n := range c.linksOf(i) {
		attachments = append(attachments, link{c.w.UUID("attachment", i.Number, n), "incident_attachments"})
	}
	if customers {
		impacts = append(impacts, link{c.w.UUID("impact", i.Number), "incident_impacts"})
	}
	return object{Type: "incidents", ID: c.incidentID(i), Attributes: attributes, Relationships: map[string]any{
		"created_by_user": c.userLink(d.by), "last_modified_by_user": c.userLink(d.by), "commander_user": c.userLink(d.by),
		"declared_by_user": c.userLink(d.by), "user_defined_fields": many{[]link{}}, "responders": many{[]link{}}, "impacts": many{impacts},
		"integrations": many{[]link{{c.w.UUID("integration", i.Number), "incident_integrations"}}}, "attachments": many{attachments},
	}}
}

// asksFor reports whether include names something.
func (c *call) asksFor(what string) bool {
	for _, v := range c.q["include"] {
		for part := range strings.SplitSeq(v, ",") {
			if part == what {
				return true
			}
		}
	}
	return false
}

// beside is what a request for incidents asks to have included.
func (c *call) beside(list []declared) []any {
	var out []any
	seen := map[*world.User]bool{}
	for _, d := range list {
		if c.asksFor("users") && !seen[d.by] {
			seen[d.by] = true
			out = append(out, c.fullUser(d.by)["data"])
		}
		if c.asksFor("attachments") {
			for _, a := range c.attachmentsOf(d) {
				out = append(out, a)
			}
		}
	}
	return out
}

func (c *call) attachmentsOf(d declared) []object {
	out := []object{}
	for n, l := range c.linksOf(d.Incident) {
		out = append(out, object{Type: "incident_attachments", ID: c.w.UUID("attachment", d.Number, n), Attributes: map[string]any{
			"attachment_type": "link", "attachment": map[string]string{"documentUrl": l.URL, "title": l.Title}, "modified": at(d.at),
		}, Relationships: map[string]any{
			"incident": one{&link{c.incidentID(d.Incident), "incidents"}}, "last_modified_by_user": c.userLink(d.by),
		}})
	}
	return out
}

// searchedIncident is an incident as a search looks at it.
type searchedIncident struct {
	c *call
	declared
}

func (s searchedIncident) values(key string) []string {
	switch key {
	case "state":
		return []string{s.c.stateOf(s.Incident)}
	case "severity":
		return []string{severityOf(s.Incident)}
	case "services", "service":
		return []string{s.Service.Name}
	case "teams", "team":
		return []string{s.Service.Team}
	case "commander", "commander.handle", "created_by":
		return []string{s.by.Email()}
	case "customer_impacted":
		return []string{strconv.FormatBool(s.Severity == 1)}
	case "slug", "public_id":
		return []string{slug(s.Incident), strconv.Itoa(s.Number)}
	default:
		return nil
	}
}

func (s searchedIncident) text() string { return s.Title + " " + s.Service.Name }

// searchIncidents answers GET /api/v2/incidents/search.
func (c *call) searchIncidents() answer {
	size, err := c.number("page[size]", 10, 1, 100)
	offset, err2 := c.number("page[offset]", 0, 0, math.MaxInt32)
	fits, err3 := parseSearch(c.q.Get("query"))
	for _, err := range []error{err, err2, err3} {
		if err != nil {
			return c.generic(http.StatusBadRequest, err.Error())
		}
	}
	sort := c.q.Get("sort")
	switch {
	case c.q.Get("query") == "":
		return c.generic(http.StatusBadRequest, "query is required")
	case sort != "" && sort != "created" && sort != "-created":
		return c.generic(http.StatusBadRequest, "sort must be created or -created")
	}
	var all []declared
	var states, severities, services []string
	for _, d := range c.declaredIncidents() {
		if s := (searchedIncident{c, d}); fits(s) {
			all = append(all, d)
			states, severities = append(states, c.stateOf(d.Incident)), append(severities, severityOf(d.Incident))
			services = append(services, d.Service.Name)
		}
	}
	if sort != "created" {
		slices.Reverse(all)
	}
	list, more := from(all, offset, size)
	if more {
		c.announce("page[offset]", offset+size)
	}
	incidents := []map[string]any{}
	for _, d := range list {
		incidents = append(incidents, map[string]any{"data": c.incident(d)})
	}
	out := map[string]any{
		"data": map[string]any{"type": "incidents_search_results", "attributes": map[string]any{
			"total": len(all), "incidents": incidents,
			"facets": map[string]any{
				"state": counts(states), "severity": counts(severities),
				"fields": []map[string]any{{"name": "services", "facets": counts(services)}},
			},
		}},
		"meta": map[string]any{"pagination": map[string]int{"offset": offset, "size": len(list), "next_offset": offset + len(list)}},
	}
	if inc := c.beside(list); len(inc) > 0 {
		out["included"] = inc
	}
	return c.ok(out)
}

// incidents answers GET /api/v2/incidents.
func (c *call) incidents() answer {
	size, err := c.number("page[size]", 10, 1, 100)
	offset, err2 := c.number("page[offset]", 0, 0, math.MaxInt32)
	if err != nil || err2 != nil {
		return c.generic(http.StatusBadRequest, "invalid page parameters")
	}
	list, more := from(c.declaredIncidents(), offset, size)
	if more {
		c.announce("page[offset]", offset+size)
	}
	data := []object{}
	for _, d := range list {
		data = append(data, c.incident(d))
	}
	out := map[string]any{"data": data, "meta": map[string]any{"pagination": map[string]int{
		"offset": offset, "size": len(list), "next_offset": offset + len(list),
	}}}
	if inc := c.beside(list); len(inc) > 0 {
		out["included"] = inc
	}
	return c.ok(out)
}

// getIncident answers GET /api/v2/incidents/{id}.
func (c *call) getIncident() answer {
	d, ok := c.incidentByPath()
	if !ok {
		return c.noIncident()
	}
	return c.oneIncident(d)
}

func (c *call) oneIncident(d declared) answer {
	out := map[string]any{"data": c.incident(d)}
	if inc := c.beside([]declared{d}); len(inc) > 0 {
		out["included"] = inc
	}
	return c.ok(out)
}

// attachments answers GET /api/v2/incidents/{id}/attachments.
func (c *call) attachments() answer {
	d, ok := c.incidentByPath()
	if !ok {
		return c.noIncident()
	}
	list := c.attachmentsOf(d)
	if kind := c.q.Get("filter[attachment_type]"); kind != "" && kind != "link" {
		list = []object{}
	}
	return c.ok(map[string]any{"data": list})
}

// integrations answers GET /api/v2/incidents/{id}/relationships/integrations: the channel where people talk.
func (c *call) integrations() answer {
	d, ok := c.incidentByPath()
	if !ok {
		return c.noIncident()
	}
	channel := "incident-" + strconv.Itoa(d.Number)
	return c.ok(map[string]any{"data": []object{{
		Type: "incident_integrations", ID: c.w.UUID("integration", d.Number), Attributes: map[string]any{
			"incident_id": c.incidentID(d.Incident), "integration_type": 1, "status": 2, "created": at(d.at), "modified": at(d.at),
			"metadata": map[string]any{"channels": []map[string]string{{
				"channel_id": "C" + strings.ToUpper(c.w.Hex(10, "channel", d.Number)), "channel_name": "#" + channel,
				"redirect_url": "https://acme.slack.example/archives/" + channel,
			}}},
		}, Relationships: map[string]any{"created_by_user": c.userLink(d.by), "last_modified_by_user": c.userLink(d.by)},
	}}})
}

// impacts answers GET /api/v2/incidents/{id}/impacts.
func (c *call) impacts() answer {
	d, ok := c.incidentByPath()
	if !ok {
		return c.noIncident()
	}
	data := []object{}
	if d.Severity == 1 {
		data = append(data, object{Type: "incident_impacts", ID: c.w.UUID("impact", d.Number), Attributes: map[string]any{
			"impact_type": "customer", "description": "Some requests to " + d.Service.Name + " fail", "start_at": at(d.Onset),
			"end_at": maybe(ended(d.Incident)), "created": at(d.at), "modified": at(d.at), "fields": nil,
		}, Relationships: map[string]any{
			"incident": one{&link{c.incidentID(d.Incident), "incidents"}}, "created_by_user": c.userLink(d.by), "last_modified_by_user": c.userLink(d.by),
		}})
	}
	out := map[string]any{"data": data}
	if c.asksFor("created_by_user") && len(data) > 0 {
		out["included"] = []any{c.fullUser(d.by)["data"]}
	}
	return c.ok(out)
}

// tasks answers GET /api/v2/incidents/{id}/relationships/todos: what its holder set out to do.
func (c *call) tasks() answer {
	d, ok := c.incidentByPath()
	if !ok {
		return c.noIncident()
	}
	return c.ok(map[string]any{"data": []object{{
		Type: "incident_todos", ID: c.w.UUID("task", d.Number), Attributes: map[string]any{
			"incident_id": c.incidentID(d.Incident), "content": "Find what changed before " + d.Onset.UTC().Format("15:04"), "completed": maybe(ended(d.Incident)),
			"due_date": nil, "assignees": []string{"@" + d.by.Email()}, "created": at(d.at), "modified": at(d.at),
		}, Relationships: map[string]any{"created_by_user": c.userLink(d.by), "last_modified_by_user": c.userLink(d.by)},
	}}, "meta": map[string]any{"pagination": map[string]int{"offset": 0, "size": 1, "next_offset": 1}}})
}

type incidentUpdate struct {
	Data *struct {
		Type       string `json:"type"`
		ID         string `json:"id"`
		Attributes struct {
			Title  *string `json:"title"`
			Fields map[string]struct {
				Value any `json:"value"`
			} `json:"fields"`
		} `json:"attributes"`
	} `json:"data"`
}

// updateIncident answers PATCH /api/v2/incidents/{id}: its state, its severity and its title may change.
func (c *call) updateIncident() answer {
	d, ok := c.incidentByPath()
	if !ok {
		return c.noIncident()
	}
	var r incidentUpdate
	if err := c.decode(&r); err != nil {
		return c.generic(http.StatusBadRequest, err.Error())
	}
	if r.Data == nil || r.Data.Type != "incidents" || r.Data.ID != c.incidentID(d.Incident) {
		return c.generic(http.StatusBadRequest, "data.type and data.id must name the incident")
	}
	state, severity := "", 0
	for name, f := range r.Data.Attributes.Fields {
		text, _ := f.Value.(string)
		switch name {
		case "state":
			state = text
			if !slices.Contains([]string{"active", "stable", "resolved"}, state) || state != "resolved" && d.State == world.Resolved {
				return c.generic(http.StatusBadRequest, fmt.Sprintf("state '%s' cannot follow '%s'", state, c.stateOf(d.Incident)))
			}
		case "severity":
			n, err := strconv.Atoi(strings.TrimPrefix(text, "SEV-"))
			if err != nil || n < 1 || n > 5 {
				return c.generic(http.StatusBadRequest, "severity '"+text+"' is not one of SEV-1 to SEV-5")
			}
			severity = n
		default:
			return c.generic(http.StatusBadRequest, "field '"+name+"' cannot be changed here")
		}
	}
	c.change(d.Incident, state, severity, r.Data.Attributes.Title)
	return c.oneIncident(d)
}

func (c *call) change(i *world.Incident, state string, severity int, title *string) {
	switch state {
	case "resolved":
		c.w.Resolve(i, c.actor(), "api")
	case "stable", "active":
		c.s.stable[i.Number] = state == "stable"
		i.Updated = c.w.Now()
		c.w.Gen++
	}
	if severity > 0 {
		c.s.lowered[i.Number] = true
		c.w.Rate(i, severity, c.actor(), "api")
	}
	if title != nil && *title != "" {
		c.w.Rename(i, *title, i.Low)
	}
}
