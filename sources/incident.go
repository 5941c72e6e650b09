package sources

import (
	"fmt"
	"time"

	"example.com/signalbox/sources/clean"
)

// IncidentState is how far an incident is dealt with.
type IncidentState uint8

// The states of an incident.
const (
	Triggered IncidentState = iota
	Acknowledged
	Resolved
)

var incidentStates = [...]string{"triggered", "acknowledged", "resolved"}

func (s IncidentState) String() string {
	if int(s) < len(incidentStates) {
		return incidentStates[s]
	}
	return "unknown"
}

// MarshalText makes a state its name in JSON.
func (s IncidentState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state's name. An unknown one is Triggered: better one page too many.
func (s *IncidentState) UnmarshalText(b []byte) error {
	*s = Triggered
	for i, name := range incidentStates {
		if name == string(b) {
			*s = IncidentState(i)
		}
	}
	return nil
}

// IncidentKind says what kind of thing an Incident is to its provider.
type IncidentKind string

// The kinds of incident.
const (
	PageIncident     IncidentKind = "page"     // somebody is paged for it: PagerDuty
	DeclaredIncident IncidentKind = "incident" // people declared it: Datadog Incident Management
	AlertIncident    IncidentKind = "alert"    // a group of firing alerts: Alertmanager
	MonitorIncident  IncidentKind = "monitor"  // an alerting monitor that nobody is paged for; made by insight alone
)

// Person is somebody who can be paged. Two persons of one source are the same when their IDs are.
type Person struct {
	ID    string     `json:"id"`
	Name  clean.Text `json:"name"`
	Login clean.Text `json:"login,omitzero"` // what `me:` may name: an e-mail address, a handle
	Zone  string     `json:"zone,omitempty"` // the IANA name of their time zone; "" when the provider does not say
}

// Incident is something that a person is paged for.
type Incident struct {
	Ref      Ref           `json:"ref"`
	Revision Revision      `json:"revision"`
	Kind     IncidentKind  `json:"kind"`
	Number   clean.Text    `json:"number,omitzero"`   // how people name it: "#4101"
	Service  string        `json:"service,omitempty"` // the configured service; "" when none claims it
	Provider clean.Text    `json:"provider,omitzero"` // what the provider calls the service
	Team     clean.Text    `json:"team,omitzero"`     // whose it is, where the provider says
	Title    clean.Text    `json:"title"`
	Severity int           `json:"severity"`      // 1 is the worst; 0 is unknown
	Low      bool          `json:"low,omitempty"` // low urgency: it wakes nobody
	State    IncidentState `json:"state"`
	// Holder is who was paged last, or who acknowledged it; Assignees are all that it is assigned to.
	Holder    clean.Text `json:"holder,omitzero"`
	Assignees []Person   `json:"assignees,omitempty"`
	Mine      bool       `json:"mine,omitempty"` // assigned to Query.Identity
	Created   time.Time  `json:"created"`        // when it was opened; for alerts: when the oldest began to fire
	Changed   time.Time  `json:"changed"`        // when it entered State
	Paged     time.Time  `json:"paged,omitzero"` // when Holder was paged

	// Level is the step of the escalation that it has reached, from 1; 0 when unknown. At EscalatesAt Next
	// are paged; at RepagesAt an acknowledged one is triggered again. Zero: that will not happen by itself.
	Level       int       `json:"level,omitempty"`
	EscalatesAt time.Time `json:"escalates_at,omitzero"`
	Next        []Person  `json:"next,omitempty"`
	RepagesAt   time.Time `json:"repages_at,omitzero"`

	Alerts    int        `json:"alerts,omitempty"` // how many alerts are behind it; 0 when unknown
	Silenced  []Silence  `json:"silenced,omitempty"`
	Inhibited bool       `json:"inhibited,omitempty"` // another alert makes this one quiet
	Scope     clean.Text `json:"scope,omitzero"`      // where it is: "prod eu us", from tags or labels
	Runbook   string     `json:"runbook,omitempty"`
	URL       string     `json:"url"`
	// Keys say what it is about in terms that other systems share: two incidents with a key in common are
	// one. The forms are MonitorKey's, AlertKey's and IncidentKey's.
	Keys []string `json:"keys,omitempty"`
	// Pages are the On-Call pages that its links name, for verbs on those.
	Pages []Ref `json:"pages,omitempty"`
	// Ended is when it was resolved, and EndedBy who or what did that, where the list tells.
	Ended   time.Time  `json:"ended,omitzero"`
	EndedBy clean.Text `json:"ended_by,omitzero"`
}

// Silence keeps alerts, or a monitor, quiet until it ends.
type Silence struct {
	Ref     Ref        `json:"ref"`
	By      clean.Text `json:"by,omitzero"`
	Comment clean.Text `json:"comment,omitzero"`
	Until   time.Time  `json:"until,omitzero"` // zero: until somebody ends it
}

// LogEntry is one line of an incident's log.
type LogEntry struct {
	At   time.Time  `json:"at"`
	Kind string     `json:"kind"` // triggered, paged, acknowledged, escalated, reassigned, snoozed, unacknowledged, note, resolved … else the provider's word
	Who  clean.Text `json:"who,omitzero"`
	Text clean.Text `json:"text,omitzero"`
	Via  clean.Text `json:"via,omitzero"` // how: "web", "api", "timeout"
}

// Note is what somebody wrote about an incident.
type Note struct {
	At   time.Time  `json:"at"`
	Who  clean.Text `json:"who,omitzero"`
	Text clean.Text `json:"text"`
}

// Alert is one firing behind an incident.
type Alert struct {
	Ref      Ref           `json:"ref,omitzero"`
	Title    clean.Text    `json:"title"`
	State    IncidentState `json:"state"`
	Severity int           `json:"severity"`
	Since    time.Time     `json:"since"`
	Labels   []clean.Text  `json:"labels,omitempty"` // "name=value", the telling ones first
	Silenced []Silence     `json:"silenced,omitempty"`
	URL      string        `json:"url,omitempty"`
}

// IncidentDetail is everything about one incident. Log and Notes are oldest first. Notices name what
// could not be read.
type IncidentDetail struct {
	Incident Incident
	Log      []LogEntry
	Notes    []Note
	Alerts   []Alert
	Notices  []Notice
}

// Shift is a turn of being on call: one that lasts, or the one after it.
type Shift struct {
	Ref      Ref        `json:"ref"`
	Who      Person     `json:"who"`
	Level    int        `json:"level"` // of the escalation, from 1
	Policy   clean.Text `json:"policy,omitzero"`
	Schedule clean.Text `json:"schedule,omitzero"`
	Start    time.Time  `json:"start,omitzero"`     // zero: always
	End      time.Time  `json:"end,omitzero"`       // zero: open
	Services []string   `json:"services,omitempty"` // the configured services that page it
	Mine     bool       `json:"mine,omitempty"`
	URL      string     `json:"url,omitempty"`
}

// ChangeKind says what was changed.
type ChangeKind string

// The kinds of change.
const (
	DeploymentChange ChangeKind = "deployment"
	FlagChange       ChangeKind = "flag"
	ConfigChange     ChangeKind = "config"
	OtherChange      ChangeKind = "other"
)

// Change is something that was changed: what an incident may come from.
type Change struct {
	Ref     Ref        `json:"ref"`
	Service string     `json:"service,omitempty"`
	Kind    ChangeKind `json:"kind"`
	Title   clean.Text `json:"title"` // "pay_retry on"
	By      clean.Text `json:"by,omitzero"`
	At      time.Time  `json:"at"`
	Version Version    `json:"version,omitzero"` // of a deployment
	Env     string     `json:"env,omitempty"`    // the provider's name of the environment
	URL     string     `json:"url,omitempty"`
}

// MonitorKey is what a monitor's page and the monitor have in common.
func MonitorKey(id int64) string { return fmt.Sprintf("monitor/%d", id) }

// AlertKey is what a firing alert and a page for it have in common: its labels in the form that
// Prometheus prints them, sorted by name.
func AlertKey(labels string) string { return "alert/" + labels }

// IncidentKey is what an incident of one system and its twin in another have in common, when one names
// the other: the system's type and the incident's id there.
func IncidentKey(system, id string) string { return "incident/" + system + "/" + id }
