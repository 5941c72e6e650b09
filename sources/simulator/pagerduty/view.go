package pagerduty

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// view renders the world as PagerDuty's objects.
type view struct {
	w                   *world.World
	api, html, monitors string
}

// object is the head of an object; kind is its plural in paths, typ its type.
func (v view) object(typ, kind, id, summary string) ref {
	self, page := v.api+"/"+kind+"/"+id, v.html+"/"+kind+"/"+id
	return ref{ID: id, Type: typ, Summary: summary, Self: &self, HTMLURL: &page}
}

func (v view) userRef(u *world.User) ref {
	return v.object("user_reference", "users", u.Code, u.Name)
}

func (v view) userRefs(list []*world.User) []ref {
	out := make([]ref, 0, len(list))
	for _, u := range list {
		out = append(out, v.userRef(u))
	}
	return out
}

func (v view) user(u *world.User) user {
	out := user{
		ref: v.object("user", "users", u.Code, u.Name), Name: u.Name, Email: u.Email(), TimeZone: u.Place, Color: "purple",
		AvatarURL: v.html + "/avatars/" + u.Code + ".png", Billed: true, Role: "user", Teams: []ref{}, Methods: []struct{}{},
		Rules: []struct{}{}, Coordinated: []struct{}{},
	}
	for _, t := range v.w.Teams {
		if slices.Contains(t.Members, u) {
			out.Teams = append(out.Teams, v.teamRef(t))
		}
	}
	return out
}

func (v view) teamRef(t *world.Team) ref { return v.object("team_reference", "teams", t.ID, t.Name) }

func (v view) team(t *world.Team) team {
	return team{ref: v.object("team", "teams", t.ID, t.Name), Name: t.Name}
}

func (v view) serviceRef(s *world.Service) ref {
	return v.object("service_reference", "service-directory", s.ID, s.Name).under(v.api + "/services/" + s.ID)
}

// under gives an object an address that differs from its page's.
func (r ref) under(self string) ref {
	r.Self = &self
	return r
}

func (v view) teamsOf(s *world.Service) []ref {
	if t := v.w.Team(s.Team); t != nil {
		return []ref{v.teamRef(t)}
	}
	return []ref{}
}

func (v view) integration(s *world.Service) ref {
	return v.object("events_api_v2_inbound_integration_reference", "services/"+s.ID+"/integrations", "PI"+s.ID[2:], "Datadog")
}

func (v view) service(s *world.Service) service {
	r := v.serviceRef(s)
	r.Type = "service"
	out := service{
		ref: r, Name: s.Name, CreatedAt: stamp(v.w.Opening.AddDate(-1, 0, 0)), UpdatedAt: stamp(v.w.Opening.AddDate(0, -2, 0)), Status: "active",
		AlertMaking: "create_alerts_and_incidents", Integrations: []ref{v.integration(s)}, Policy: v.policyRef(s.Policy),
		Urgency:   map[string]any{"type": "constant", "urgency": "high"},
		Scheduled: []struct{}{}, Addons: []struct{}{}, Teams: anys(v.teamsOf(s)),
	}
	if s.Policy.Repage > 0 {
		secs := int(s.Policy.Repage / time.Second)
		out.AckTimeout = &secs
	}
	for _, i := range v.w.Incidents {
		if i.Service != s {
			continue
		}
		out.LastIncident = stampOrNil(i.Created)
		switch {
		case i.State == world.Triggered:
			out.Status = "critical"
		case i.State == world.Acknowledged && out.Status == "active":
			out.Status = "warning"
		}
	}
	return out
}

func anys[T any](list []T) []any {
	out := make([]any, 0, len(list))
	for _, x := range list {
		out = append(out, x)
	}
	return out
}

func (v view) policyRef(p *world.Policy) ref {
	return v.object("escalation_policy_reference", "escalation_policies", p.ID, p.Name)
}

func (v view) policy(p *world.Policy) policy {
	r := v.policyRef(p)
	r.Type = "escalation_policy"
	out := policy{
		ref: r, Name: p.Name, Loops: 9, Handoff: "if_has_services", Teams: []ref{v.teamRef(p.Team)}, Services: []ref{}, Rules: []rule{},
	}
	for n, l := range p.Levels {
		x := rule{ID: fmt.Sprintf("%s%d", p.ID[:6], n), Delay: int(p.Wait / time.Minute)}
		if l.Schedule != nil {
			x.Targets = []ref{v.scheduleRef(l.Schedule)}
		} else {
			x.Targets = []ref{v.userRef(l.User)}
		}
		out.Rules = append(out.Rules, x)
	}
	for _, s := range v.w.Services {
		if s.Policy == p {
			out.Services = append(out.Services, v.serviceRef(s))
		}
	}
	return out
}

func (v view) scheduleRef(s *world.Schedule) ref {
	return v.object("schedule_reference", "schedules", s.ID, s.Name)
}

func (v view) schedule(s *world.Schedule) schedule {
	r := v.scheduleRef(s)
	r.Type = "schedule"
	out := schedule{ref: r, Name: s.Name, TimeZone: "Etc/UTC", Policies: []ref{}, Users: v.userRefs(s.People), Teams: []ref{v.teamRef(s.Team)}}
	for _, p := range v.w.Policies {
		if slices.ContainsFunc(p.Levels, func(l world.Level) bool { return l.Schedule == s }) {
			out.Policies = append(out.Policies, v.policyRef(p))
		}
	}
	return out
}

// priorities are the account's, the worst first.
func (v view) priorities() []priority {
	out := make([]priority, 0, 5)
	for n, color := range []string{"a8171c", "eb6016", "f9b406", "555555", "999999"} {
		name := "P" + strconv.Itoa(n+1)
		r := v.object("priority", "priorities", "PRIO00"+strconv.Itoa(n+1), name)
		r.HTMLURL = nil
		at := stamp(v.w.Opening.AddDate(-2, 0, 0))
		out = append(out, priority{
			ref: r, AccountID: "PACCT01", Color: color, CreatedAt: at, UpdatedAt: at, Description: "", Name: name, Order: 1 << (6 - n), SchemaVersion: 0,
		})
	}
	return out
}

func (v view) incidentRef(i *world.Incident) ref {
	return v.object("incident_reference", "incidents", i.ID, fmt.Sprintf("[#%d] %s", i.Number, i.Title))
}

// with says of what more than a reference is wanted.
type with func(what string) bool

func none(string) bool { return false }

func (v view) incident(i *world.Incident, more with) incident {
	r := v.incidentRef(i)
	r.Type = "incident"
	person := func(u *world.User, names ...string) any {
		if slices.ContainsFunc(names, more) {
			return v.user(u)
		}
		return v.userRef(u)
	}
	out := incident{
		ref: r, Number: i.Number, Title: i.Title, Description: i.Title, CreatedAt: stamp(i.Created), UpdatedAt: stamp(i.Updated), Status: i.State,
		Key: v.key(i), Service: v.serviceRef(i.Service), Assignments: []assignment{}, AssignedVia: "escalation_policy", ChangedAt: stamp(i.Changed),
		Mergeable: i.State != world.Resolved, Kind: incidentKind{"incident_default"}, Policy: v.policyRef(i.Policy), Teams: anys(v.teamsOf(i.Service)),
		Impacted: []any{v.serviceRef(i.Service)}, Pending: []pendingAction{}, Acks: []ack{}, ChangedBy: v.lastChange(i),
		Responders: []struct{}{}, Requests: []struct{}{}, Subscribers: []struct{}{}, Urgency: urgency(i),
	}
	if more("services") {
		out.Service = v.service(i.Service)
	}
	if more("escalation_policies") {
		out.Policy = v.policy(i.Policy)
	}
	if t := v.w.Team(i.Service.Team); t != nil && more("teams") {
		out.Teams = []any{v.team(t)}
	}
	out.First = v.entryRef(i, 0)
	if more("first_trigger_log_entries") {
		out.First = v.entry(i, 0, func(what string) bool { return what == "channels" })
	}
	for _, a := range i.Assigned {
		out.Assignments = append(out.Assignments, assignment{stamp(a.At), person(a.Who, "users", "assignees")})
	}
	for _, a := range i.Acks {
		out.Acks = append(out.Acks, ack{stamp(a.At), person(a.Who, "users", "acknowledgers")})
	}
	v.finish(&out, i)
	return out
}

func (v view) finish(out *incident, i *world.Incident) {
	for _, a := range i.Alerts {
		out.AlertCounts.All++
		if a.State == world.Resolved {
			out.AlertCounts.Resolved++
		} else {
			out.AlertCounts.Triggered++
		}
	}
	if i.State == world.Resolved {
		out.ResolvedAt = stampOrNil(i.Changed)
	}
	if !i.Next.IsZero() && i.State == world.Triggered {
		out.Pending = append(out.Pending, pendingAction{"escalate", stamp(i.Next)})
	}
	if !i.Next.IsZero() && i.State == world.Acknowledged {
		out.Pending = append(out.Pending, pendingAction{"unacknowledge", stamp(i.Next)})
	}
	for _, e := range i.Log {
		if e.Kind == "reassigned" {
			out.AssignedVia = "direct_assignment"
		}
		if e.Kind == "escalated" || e.Kind == "paged" {
			out.AssignedVia = "escalation_policy"
		}
	}
	if i.Severity > 0 {
		out.Priority = &v.priorities()[i.Severity-1]
	}
	if i.Merged != nil {
		out.Resolution = &resolution{"merge_resolve_reason", v.incidentRef(i.Merged)}
	}
}

func urgency(i *world.Incident) string {
	if i.Low {
		return "low"
	}
	return "high"
}

// key is by what its monitor's events name an incident.
func (view) key(i *world.Incident) string {
	if i.Monitor != nil {
		return fmt.Sprintf("datadog-%d-%d", i.Monitor.ID, i.Created.Unix())
	}
	return strings.ToLower(i.ID)
}

// lastChange is who or what last changed an incident's status.
func (v view) lastChange(i *world.Incident) ref {
	for n := len(i.Log) - 1; n >= 0; n-- {
		e := &i.Log[n]
		if e.Kind == world.Triggered || e.Kind == world.Acknowledged || e.Kind == world.Resolved || e.Kind == "repaged" || e.Kind == "snoozed" {
			return v.agent(i, e)
		}
	}
	return v.serviceRef(i.Service)
}

// agent is who or what made an entry.
func (v view) agent(i *world.Incident, e *world.Entry) ref {
	switch {
	case e.Via == "monitor":
		return v.integration(i.Service)
	case e.Via == "timeout" || e.Who == nil && len(e.To) == 0:
		return v.serviceRef(i.Service)
	case (e.Kind == "escalated" || e.Kind == "paged") && len(e.To) > 0:
		return v.userRef(e.To[0]) // who did it; Who is whom it reached
	case e.Who == nil:
		return v.serviceRef(i.Service)
	default:
		return v.userRef(e.Who)
	}
}
