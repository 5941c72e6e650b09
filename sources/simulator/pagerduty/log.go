package pagerduty

import (
	"fmt"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// entryTypes are PagerDuty's names of what may happen to an incident.
func entryType(kind string) string {
	switch kind {
	case world.Triggered:
		return "trigger_log_entry"
	case "paged":
		return "notify_log_entry"
	case "escalated":
		return "escalate_log_entry"
	case world.Acknowledged:
		return "acknowledge_log_entry"
	case "repaged":
		return "unacknowledge_log_entry"
	case "reassigned":
		return "assign_log_entry"
	case "snoozed":
		return "snooze_log_entry"
	case "note":
		return "annotate_log_entry"
	case "update":
		return "status_update_log_entry"
	case "merged":
		return "merge_log_entry"
	case "priority":
		return "priority_change_log_entry"
	case "urgency":
		return "urgency_change_log_entry"
	default:
		return "resolve_log_entry"
	}
}

func (v view) entryRef(i *world.Incident, n int) ref {
	e := &i.Log[n]
	r := v.object(entryType(e.Kind)+"_reference", "log_entries", e.ID, v.summary(i, e))
	page := v.html + "/incidents/" + i.ID + "/log_entries/" + e.ID
	r.HTMLURL = &page
	return r
}

func (v view) summary(i *world.Incident, e *world.Entry) string {
	name := "the system"
	if e.Who != nil {
		name = e.Who.Name
	}
	switch e.Kind {
	case world.Triggered:
		return "Triggered through " + v.agent(i, e).Summary
	case "paged":
		return name + " notified"
	case "escalated":
		return "Escalated to " + name + " by " + v.agent(i, e).Summary
	case world.Acknowledged:
		return "Acknowledged by " + name
	case "repaged":
		return "Unacknowledged: " + e.Text
	case "reassigned":
		var to []string
		for _, u := range e.To {
			to = append(to, u.Name)
		}
		return "Reassigned to " + strings.Join(to, ", ") + " by " + name
	case "snoozed":
		return "Snoozed for " + e.Text + " by " + name
	case "note":
		return "Note added by " + name
	case "update":
		return "Status update by " + name
	case "merged":
		return "Incident " + e.Text + " merged in by " + name
	case "priority":
		return "Priority set to " + e.Text + " by " + name
	default:
		return "Resolved by " + v.agent(i, e).Summary
	}
}

// entry is one line of an incident's log.
func (v view) entry(i *world.Incident, n int, more with) logEntry {
	e := &i.Log[n]
	r := v.entryRef(i, n)
	r.Type = entryType(e.Kind)
	out := logEntry{
		ref: r, CreatedAt: stamp(e.At), Agent: v.agent(i, e), Channel: v.channel(i, e, more("channels")), Service: v.serviceRef(i.Service),
		Incident: v.incidentRef(i), Teams: v.teamsOf(i.Service), Contexts: []context{},
	}
	if more("incidents") {
		out.Incident = v.incident(i, none)
	}
	switch e.Kind {
	case world.Triggered:
		out.Contexts = v.contexts(i)
		out.Details = map[string]any{"description": i.Title}
		if m := i.Monitor; m != nil {
			out.Details["value"], out.Details["threshold"], out.Details["monitor_id"] = round(i.Alerts, m), m.Limit, m.ID
		}
	case "paged":
		u := v.userRef(e.Who)
		out.User = &u
	case "escalated":
		out.Assignees = []ref{v.userRef(e.Who)}
	case "reassigned":
		out.Assignees = v.userRefs(e.To)
	case world.Acknowledged:
		if t := int(i.Policy.Repage / time.Second); t > 0 {
			out.Timeout = &t
		}
	case "note":
		out.Note = &e.Text
	case "update":
		out.Message = &e.Text
	}
	return out
}

// round is the worst value that the alerts of a monitor were fired with; the limit where they are gone.
func round(alerts []*world.Alert, m *world.Monitor) float64 {
	worst := m.Limit
	for _, a := range alerts {
		worst = max(worst, a.Value)
	}
	return float64(int(100*worst)) / 100
}

func (v view) contexts(i *world.Incident) []context {
	out := []context{{Type: "link", Href: "https://runbooks.example.com/" + i.Service.Name, Text: "Runbook"}}
	if i.Monitor != nil {
		out = append(out, context{Type: "link", Href: v.monitorURL(i.Monitor), Text: "Monitor"})
	}
	return out
}

func (v view) monitorURL(m *world.Monitor) string {
	return fmt.Sprintf("%s/monitors/%d", v.monitors, m.ID)
}

// channel is how an entry came; all of it only where it is wanted.
func (v view) channel(i *world.Incident, e *world.Entry, all bool) map[string]any {
	switch {
	case e.Via == "monitor":
		c := map[string]any{"type": "api"}
		if all && e.Kind == world.Triggered && i.Monitor != nil {
			m := i.Monitor
			details := v.details(i, m)
			c["summary"], c["description"], c["incident_key"] = i.Title, i.Title, v.key(i)
			c["client"], c["client_url"], c["details"] = "Datadog", v.monitorURL(m), details
			c["cef_details"] = v.common(i, m, details)
		}
		return c
	case e.Via == "timeout":
		if e.Kind == "paged" && e.Who != nil {
			return map[string]any{"type": "auto", "notification": map[string]any{"type": "push_notification", "status": "success", "address": e.Who.Email()}}
		}
		return map[string]any{"type": "timeout"}
	case e.Kind == "note":
		return map[string]any{"type": "note", "summary": e.Text, "content": e.Text}
	case e.Kind == world.Triggered && e.Via == "web":
		return map[string]any{"type": "web_trigger", "summary": i.Title, "subject": i.Title}
	case e.Via == "api":
		return map[string]any{"type": "api"}
	default:
		return map[string]any{"type": "website"}
	}
}

// tags are what a monitor's events carry: text that a reader may split, among them a number.
func tags(i *world.Incident, m *world.Monitor) []string {
	out := []string{"env:prod"}
	seen := map[string]bool{}
	for _, a := range i.Alerts {
		if a.Region != "" && !seen[a.Region] {
			seen[a.Region] = true
			out = append(out, "region:"+a.Region)
		}
	}
	return append(out, "service:"+i.Service.Name, "team:"+i.Service.Team, fmt.Sprintf("monitor_id:%d", m.ID))
}

func (v view) details(i *world.Incident, m *world.Monitor) map[string]any {
	return map[string]any{
		"title": "[Triggered] " + m.Name, "body": m.Name + " on " + i.Service.Name + ". Runbook: https://runbooks.example.com/" + i.Service.Name,
		"event_type": "query_alert_monitor", "monitor_state": "Triggered", "link": v.monitorURL(m), "tags": strings.Join(tags(i, m), ", "),
		"monitor_id": m.ID, "value": round(i.Alerts, m), "threshold": m.Limit, "last_updated": i.Created.UnixMilli(), "priority": "normal",
	}
}

// common are the details in the common event format.
func (v view) common(i *world.Incident, m *world.Monitor, details map[string]any) map[string]any {
	return map[string]any{
		"client": "Datadog", "client_url": v.monitorURL(m), "contexts": v.contexts(i), "dedup_key": v.key(i), "description": i.Title,
		"details": details, "event_class": m.Metric, "message": i.Title, "severity": severity(i.Severity), "source_component": i.Service.Name,
		"source_origin": i.Service.Name, "version": "1.0", "creation_time": stamp(i.Created), "reporter": nil, "priority": nil,
	}
}

func severity(n int) string {
	switch n {
	case 1:
		return "critical"
	case 2:
		return "error"
	case 3:
		return "warning"
	default:
		return "info"
	}
}

func (v view) alert(i *world.Incident, a *world.Alert) alert {
	r := v.object("alert", "alerts", a.ID, a.Title)
	at := a.Created
	if !a.Ended.IsZero() {
		at = a.Ended
	}
	out := alert{
		ref: r.under(v.api + "/incidents/" + i.ID + "/alerts/" + a.ID), CreatedAt: stamp(a.Created), UpdatedAt: stamp(at), ResolvedAt: stampOrNil(a.Ended),
		Status: a.State, Key: strings.ToLower(a.ID), Service: v.serviceRef(i.Service), First: v.entryRef(i, 0), Incident: v.incidentRef(i),
		Severity: severity(a.Severity), Body: alertBody{Type: "alert_body", Contexts: []context{}, Details: map[string]any{}, Common: map[string]any{}},
	}
	if m := a.Monitor; m != nil {
		only := *i
		only.Alerts = []*world.Alert{a}
		in := v.integration(i.Service)
		out.Integration, out.Key = &in, fmt.Sprintf("datadog-%d-%s-%d", m.ID, a.Region, a.Created.Unix())
		out.Body.Contexts, out.Body.Details = v.contexts(i), v.details(&only, m)
		out.Body.Common = v.common(&only, m, out.Body.Details)
	}
	return out
}
