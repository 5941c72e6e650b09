package pagerduty

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources/httpx"
)

// stamp is a time; null, "" and what is none are zero.
type stamp struct{ time.Time }

func (s *stamp) UnmarshalJSON(b []byte) error {
	var text string
	s.Time = time.Time{}
	if json.Unmarshal(b, &text) != nil {
		return nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil && t.Year() > 1 && t.Year() < 9999 {
		s.Time = t.UTC()
	}
	return nil
}

// wireRef is a reference, or an object of which more is known.
type wireRef struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Summary string `json:"summary"`
	Name    string `json:"name"`
	HTMLURL string `json:"html_url"`
}

func (r wireRef) called() string {
	if r.Name != "" {
		return r.Name
	}
	return r.Summary
}

func (r wireRef) isUser() bool { return strings.HasPrefix(r.Type, "user") }

type wireUser struct {
	wireRef
	Email    string `json:"email"`
	TimeZone string `json:"time_zone"`
	Role     string `json:"role"`
}

type wireMe struct {
	User *wireUser `json:"user"`
}

func (w wireMe) whole() bool { return w.User != nil && w.User.ID != "" }

type wireUsers struct {
	paging
	Users []wireUser `json:"users"`
}

func (w wireUsers) whole() bool      { return w.Users != nil }
func (w wireUsers) list() []wireUser { return w.Users }

type wireIncident struct {
	wireRef
	Number      int64  `json:"incident_number"`
	Title       string `json:"title"`
	Status      string `json:"status"`
	Urgency     string `json:"urgency"`
	CreatedAt   stamp  `json:"created_at"`
	ResolvedAt  stamp  `json:"resolved_at"`
	ChangedAt   stamp  `json:"last_status_change_at"`
	AssignedVia string `json:"assigned_via"`

	Service   *wireRef  `json:"service"`
	Policy    *wireRef  `json:"escalation_policy"`
	Teams     []wireRef `json:"teams"`
	ChangedBy *wireRef  `json:"last_status_change_by"`
	Priority  *wireRef  `json:"priority"`

	Assignments []struct {
		At       stamp    `json:"at"`
		Assignee wireUser `json:"assignee"`
	} `json:"assignments"`
	Acknowledgements []struct {
		At           stamp    `json:"at"`
		Acknowledger wireUser `json:"acknowledger"`
	} `json:"acknowledgements"`
	Pending []struct {
		Type string `json:"type"`
		At   stamp  `json:"at"`
	} `json:"pending_actions"`
	Alerts *struct {
		All int `json:"all"`
	} `json:"alert_counts"`
	ResolveReason *struct {
		Type     string   `json:"type"`
		Incident *wireRef `json:"incident"`
	} `json:"resolve_reason"`
	First wireTrigger `json:"first_trigger_log_entry"`
}

// wireTrigger is what an incident was made of. What the page keeps of it are the facts alone: its details may
// be of any size and shape.
type wireTrigger struct{ facts facts }

func (w *wireTrigger) UnmarshalJSON(b []byte) error {
	var entry struct {
		Channel  json.RawMessage `json:"channel"`
		Contexts json.RawMessage `json:"contexts"`
		Details  json.RawMessage `json:"event_details"`
	}
	*w = wireTrigger{}
	if httpx.Tolerant(b, &entry) == nil {
		w.facts = factsOf(entry.Channel, entry.Contexts, entry.Details)
	}
	return nil
}

type wireOneIncident struct {
	Incident *wireIncident `json:"incident"`
}

func (w wireOneIncident) whole() bool {
	return w.Incident != nil && objectID.MatchString(w.Incident.ID)
}

type wireIncidents struct {
	paging
	Incidents []wireIncident `json:"incidents"`
}

func (w wireIncidents) whole() bool          { return w.Incidents != nil }
func (w wireIncidents) list() []wireIncident { return w.Incidents }

type wireOnCall struct {
	User     *wireUser `json:"user"`
	Schedule *wireRef  `json:"schedule"`
	Policy   *wireRef  `json:"escalation_policy"`
	Level    int       `json:"escalation_level"`
	Start    stamp     `json:"start"`
	End      stamp     `json:"end"`
}

type wireOnCalls struct {
	paging
	OnCalls []wireOnCall `json:"oncalls"`
}

func (w wireOnCalls) whole() bool        { return w.OnCalls != nil }
func (w wireOnCalls) list() []wireOnCall { return w.OnCalls }

type wireService struct {
	wireRef
	Status string    `json:"status"`
	Policy *wireRef  `json:"escalation_policy"`
	Teams  []wireRef `json:"teams"`
}

type wireServices struct {
	paging
	Services []wireService `json:"services"`
}

func (w wireServices) whole() bool         { return w.Services != nil }
func (w wireServices) list() []wireService { return w.Services }

type wireOneService struct {
	Service *wireService `json:"service"`
}

func (w wireOneService) whole() bool { return w.Service != nil && w.Service.ID != "" }

type wireOneTeam struct {
	Team *wireRef `json:"team"`
}

func (w wireOneTeam) whole() bool { return w.Team != nil && w.Team.ID != "" }

type wireOnePolicy struct {
	Policy *wireRef `json:"escalation_policy"`
}

func (w wireOnePolicy) whole() bool { return w.Policy != nil && w.Policy.ID != "" }

type wireChange struct {
	ID          string          `json:"id"`
	Summary     string          `json:"summary"`
	Timestamp   stamp           `json:"timestamp"`
	Source      string          `json:"source"`
	Services    []wireRef       `json:"services"`
	Integration *wireRef        `json:"integration"`
	Links       []wireLink      `json:"links"`
	Custom      json.RawMessage `json:"custom_details"`
}

type wireLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

type wireChanges struct {
	paging
	Changes []wireChange `json:"change_events"`
}

func (w wireChanges) whole() bool        { return w.Changes != nil }
func (w wireChanges) list() []wireChange { return w.Changes }

type wireOneChange struct {
	Change *wireChange `json:"change_event"`
}

func (w wireOneChange) whole() bool { return w.Change != nil && objectID.MatchString(w.Change.ID) }

type wireEntry struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Summary   string    `json:"summary"`
	CreatedAt stamp     `json:"created_at"`
	Agent     *wireRef  `json:"agent"`
	User      *wireRef  `json:"user"`
	Assignees []wireRef `json:"assignees"`
	Note      string    `json:"note"`
	Message   string    `json:"message"`
	Channel   *struct {
		Type         string `json:"type"`
		Summary      string `json:"summary"`
		Content      string `json:"content"`
		Notification *struct {
			Type string `json:"type"`
		} `json:"notification"`
	} `json:"channel"`
	// Details hold numbers, lists and objects as well as text.
	Details json.RawMessage `json:"event_details"`
}

type wireEntries struct {
	paging
	Entries []wireEntry `json:"log_entries"`
}

func (w wireEntries) whole() bool       { return w.Entries != nil }
func (w wireEntries) list() []wireEntry { return w.Entries }

type wireAlert struct {
	wireRef
	Status    string          `json:"status"`
	Severity  string          `json:"severity"`
	CreatedAt stamp           `json:"created_at"`
	Body      json.RawMessage `json:"body"`
}

type wireAlerts struct {
	paging
	Alerts []wireAlert `json:"alerts"`
}

func (w wireAlerts) whole() bool       { return w.Alerts != nil }
func (w wireAlerts) list() []wireAlert { return w.Alerts }

type wireNote struct {
	ID        string   `json:"id"`
	Content   string   `json:"content"`
	CreatedAt stamp    `json:"created_at"`
	User      *wireRef `json:"user"`
}

type wireNotes struct {
	Notes []wireNote `json:"notes"`
}

func (w wireNotes) whole() bool {
	return w.Notes != nil && (len(w.Notes) == 0 || slices.ContainsFunc(w.Notes, func(n wireNote) bool { return n.ID != "" || n.Content != "" }))
}

type wireOneNote struct {
	Note *wireNote `json:"note"`
}

func (w wireOneNote) whole() bool { return w.Note != nil && w.Note.ID != "" }

type wireStatusUpdate struct {
	Update *struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	} `json:"status_update"`
}

func (w wireStatusUpdate) whole() bool { return w.Update != nil && w.Update.ID != "" }
