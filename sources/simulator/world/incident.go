package world

import (
	"fmt"
	"slices"
	"time"
)

// The states of an incident.
const (
	Triggered    = "triggered"
	Acknowledged = "acknowledged"
	Resolved     = "resolved"
)

// Incident is something that somebody is paged for.
type Incident struct {
	ID       string // PagerDuty's
	Number   int
	Service  *Service
	Policy   *Policy
	Monitor  *Monitor // whose alert opened it; nil: somebody did
	Title    string
	Severity int  // 0: nobody said
	Low      bool // low urgency: it wakes nobody
	State    string
	Onset    time.Time // when the trouble began
	Created  time.Time
	Changed  time.Time // when it entered State
	Updated  time.Time // when anything about it changed
	Holder   *User     // who was paged last, or who acknowledged it
	Level    int       // of the escalation policy, from 0; -1: nobody was paged yet
	Next     time.Time // when it escalates or pages again; zero: it will not
	Assigned []Assignment
	Acks     []Assignment // who acknowledged it and when, while it is acknowledged
	Notes    []Note       // oldest first
	Updates  []Note       // status updates
	Alerts   []*Alert
	Merged   *Incident // into which it was merged
	Log      []Entry   // oldest first
}

// Assignment is somebody who has an incident, since some moment.
type Assignment struct {
	Who *User
	At  time.Time
}

// Note is what somebody wrote.
type Note struct {
	ID   string
	At   time.Time
	Who  *User
	Text string
}

// Alert is one firing behind an incident.
type Alert struct {
	ID       string
	Number   int
	Monitor  *Monitor
	Title    string
	Severity int
	State    string // triggered or resolved
	Created  time.Time
	Ended    time.Time
	Region   string
	Value    float64 // what the metric was when it fired
}

// Entry is one line of an incident's log.
type Entry struct {
	ID   string
	At   time.Time
	Kind string // triggered, paged, escalated, acknowledged, repaged, resolved, reassigned, snoozed, note, update, merged, priority, urgency
	Who  *User  // who did it, or whom it is about; nil: the system
	To   []*User
	Via  string // "monitor", "timeout", "web", "api"
	Text string
}

// page opens an incident for a monitor's alert and, after the policy's grace, pages whoever is on call.
func (w *World) page(m *Monitor, onset time.Time) *Incident {
	i := w.raise(m.Service, m.Name, m.Severity, onset)
	i.Monitor, i.Low = m, m.Severity > 3
	for _, target := range m.Service.Targets("prod") {
		w.alert(i, m, Region(target), w.Metric(m.Service, m.Metric, w.now))
	}
	w.note(i, Triggered, nil, "monitor", m.Name)
	w.after(i.Policy.Grace, func() { w.escalate(i, 0) })
	return i
}

// Declare opens an incident by hand, and pages whoever is on call at once.
func (w *World) Declare(s *Service, title string, severity int, by *User) *Incident {
	i := w.raise(s, title, severity, w.now)
	w.note(i, Triggered, by, "web", title)
	w.escalate(i, 0)
	return i
}

func (w *World) raise(s *Service, title string, severity int, onset time.Time) *Incident {
	i := &Incident{
		ID: w.code("Q", 14, "incident", len(w.Incidents)), Number: 4100 + len(w.Incidents), Service: s, Policy: s.Policy, Title: title,
		Severity: severity, State: Triggered, Onset: onset, Created: w.now, Changed: w.now, Updated: w.now, Level: -1,
	}
	w.Incidents = append(w.Incidents, i)
	return i
}

func (w *World) alert(i *Incident, m *Monitor, region string, value float64) {
	w.alerts++
	i.Alerts = append(i.Alerts, &Alert{
		ID: w.code("Q", 14, "alert", w.alerts), Number: 90_000 + w.alerts, Monitor: m, Title: i.Title, Severity: i.Severity, State: Triggered,
		Created: i.Created, Region: region, Value: value,
	})
}

func (w *World) note(i *Incident, kind string, who *User, via, text string, to ...*User) {
	w.noteAt(i, w.now, kind, who, via, text, to...)
}

func (w *World) noteAt(i *Incident, at time.Time, kind string, who *User, via, text string, to ...*User) {
	i.Log = append(i.Log, Entry{ID: w.code("R", 26, "entry", i.Number, len(i.Log)), At: at, Kind: kind, Who: who, To: to, Via: via, Text: text})
	i.Updated = at
	w.Gen++
}

// escalate pages a level, and the next one when nobody acknowledges in time. After the last level it
// starts over.
func (w *World) escalate(i *Incident, level int) {
	if i.State != Triggered || level != i.Level+1 && level != 0 {
		return
	}
	kind := "escalated"
	if level == 0 {
		kind = "paged"
	}
	w.reach(i, level, kind, nil, "timeout")
}

// reach assigns an incident to a level of its policy and pages it.
func (w *World) reach(i *Incident, level int, kind string, by *User, via string) {
	p := i.Policy
	who := p.Levels[level].At(w.now)
	i.Level, i.Holder, i.Assigned = level, who, []Assignment{{who, w.now}}
	w.note(i, kind, who, via, fmt.Sprintf("level %d", level+1), nonNil(by)...)
	w.due(i, w.now.Add(p.Wait), func() { w.escalate(i, (level+1)%len(p.Levels)) })
}

func nonNil(u *User) []*User {
	if u == nil {
		return nil
	}
	return []*User{u}
}

// due makes do what follows for an incident at t, unless something else has come first.
func (w *World) due(i *Incident, t time.Time, do func()) {
	i.Next = t
	state := i.State
	w.at(t, func() {
		if i.State == state && i.Next.Equal(t) {
			do()
		}
	})
}

// Acknowledge stops an incident's escalation until the policy pages again. Somebody else may acknowledge
// an acknowledged one too: then both hold it.
func (w *World) Acknowledge(i *Incident, by *User, via string) {
	if i.State == Resolved || slices.ContainsFunc(i.Acks, func(a Assignment) bool { return a.Who == by }) {
		return
	}
	i.Acks = append(i.Acks, Assignment{by, w.now})
	if i.State == Acknowledged {
		i.Assigned = append(i.Assigned, Assignment{by, w.now})
		w.note(i, Acknowledged, by, via, "")
		return
	}
	i.Assigned = []Assignment{{by, w.now}}
	i.State, i.Changed, i.Holder, i.Next = Acknowledged, w.now, by, time.Time{}
	w.note(i, Acknowledged, by, via, "")
	if p := i.Policy; p.Repage > 0 {
		w.due(i, w.now.Add(p.Repage), func() { w.repage(i, "acknowledged for too long") })
	}
}

// repage triggers an acknowledged incident again, from its policy's first level.
func (w *World) repage(i *Incident, why string) {
	w.retrigger(i)
	w.note(i, "repaged", nil, "timeout", why)
	w.escalate(i, 0)
}

func (w *World) retrigger(i *Incident) {
	if i.State == Acknowledged {
		i.State, i.Changed = Triggered, w.now
	}
	i.Level, i.Acks, i.Next = -1, nil, time.Time{}
}

// Resolve ends an incident and its alerts; by is nil when its monitor recovered.
func (w *World) Resolve(i *Incident, by *User, via string) {
	if i.State == Resolved {
		return
	}
	i.State, i.Changed, i.Next, i.Assigned, i.Acks = Resolved, w.now, time.Time{}, nil, nil
	for _, a := range i.Alerts {
		if a.State != Resolved {
			a.State, a.Ended = Resolved, w.now
		}
	}
	w.note(i, Resolved, by, via, "")
}

// Escalate pages a level of the policy at once, from 0: whatever was acknowledged is triggered again.
func (w *World) Escalate(i *Incident, level int, by *User, via string) error {
	if err := open(i); err != nil {
		return err
	}
	if level < 0 || level >= len(i.Policy.Levels) {
		return invalid("Escalation Level Not Found")
	}
	w.retrigger(i)
	w.reach(i, level, "escalated", by, via)
	return nil
}

// Reassign hands an incident to people: they are paged, and it escalates no further.
func (w *World) Reassign(i *Incident, to []*User, by *User, via string) error {
	if err := open(i); err != nil {
		return err
	}
	w.retrigger(i)
	i.Assigned = nil
	for _, u := range to {
		i.Assigned = append(i.Assigned, Assignment{u, w.now})
	}
	i.Level, i.Holder = 0, to[0]
	w.note(i, "reassigned", by, via, "", to...)
	return nil
}

// Hand puts an incident under another policy, whose first level is paged.
func (w *World) Hand(i *Incident, p *Policy, by *User, via string) error {
	if err := open(i); err != nil {
		return err
	}
	i.Policy = p
	w.retrigger(i)
	w.reach(i, 0, "escalated", by, via)
	return nil
}

// Snooze keeps an incident quiet for d; then it pages again.
func (w *World) Snooze(i *Incident, d time.Duration, by *User, via string) error {
	if err := open(i); err != nil {
		return err
	}
	if i.State == Triggered {
		i.State, i.Changed, i.Holder = Acknowledged, w.now, by
		i.Acks, i.Assigned = []Assignment{{by, w.now}}, []Assignment{{by, w.now}}
	}
	w.note(i, "snoozed", by, via, d.String())
	w.due(i, w.now.Add(d), func() { w.repage(i, "snoozed until now") })
	return nil
}

// Write puts a note on an incident.
func (w *World) Write(i *Incident, text string, by *User, via string) Note {
	n := Note{ID: w.code("P", 7, "note", i.Number, len(i.Notes)), At: w.now, Who: by, Text: text}
	i.Notes = append(i.Notes, n)
	w.note(i, "note", by, via, text)
	return n
}

// Update tells an incident's subscribers how it goes.
func (w *World) Update(i *Incident, text string, by *User, via string) Note {
	n := Note{ID: w.code("P", 7, "update", i.Number, len(i.Updates)), At: w.now, Who: by, Text: text}
	i.Updates = append(i.Updates, n)
	w.note(i, "update", by, via, text)
	return n
}

// Combine moves the alerts of others into an incident and ends them.
func (w *World) Combine(into *Incident, others []*Incident, by *User, via string) error {
	if err := open(into); err != nil {
		return err
	}
	for _, o := range others {
		if o == into || o.Merged != nil {
			return invalid("Incident Cannot Be Merged")
		}
	}
	for _, o := range others {
		into.Alerts = append(into.Alerts, o.Alerts...)
		o.Alerts, o.Merged = nil, into
		w.Resolve(o, by, via)
		w.note(into, "merged", by, via, fmt.Sprintf("#%d", o.Number))
	}
	return nil
}

// Rate changes an incident's severity.
func (w *World) Rate(i *Incident, severity int, by *User, via string) {
	if i.Severity != severity {
		i.Severity = severity
		w.note(i, "priority", by, via, fmt.Sprintf("P%d", severity))
	}
}

// Rename changes an incident's title, and its urgency.
func (w *World) Rename(i *Incident, title string, low bool) {
	if i.Title != title || i.Low != low {
		i.Title, i.Low, i.Updated = title, low, w.now
		w.Gen++
	}
}

func open(i *Incident) error {
	if i.State == Resolved {
		return &Refusal{Conflict, "Incident Already Resolved"}
	}
	return nil
}

// Incident is the incident of that number, or nil.
func (w *World) Incident(number int) *Incident {
	if n := number - 4100; n >= 0 && n < len(w.Incidents) {
		return w.Incidents[n]
	}
	return nil
}

// IncidentByID is the incident of that identity, or nil.
func (w *World) IncidentByID(id string) *Incident {
	if n := slices.IndexFunc(w.Incidents, func(i *Incident) bool { return i.ID == id }); n >= 0 {
		return w.Incidents[n]
	}
	return nil
}
