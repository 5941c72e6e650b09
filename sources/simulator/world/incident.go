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
	Number   int
	Service  *Service
	Title    string
	Severity int
	State    string
	Onset    time.Time // when the trouble began
	Created  time.Time
	Changed  time.Time // when it entered State
	Holder   *User     // who was paged last, or who acknowledged it
	Level    int       // of the escalation policy, from 0
	Next     time.Time // when it escalates or pages again; zero: it will not
	Log      []Entry   // oldest first
}

// Entry is one line of an incident's log.
type Entry struct {
	At   time.Time
	Kind string // triggered, paged, escalated, acknowledged, repaged, resolved
	Who  *User  // nil: the system
	Text string
}

// Policy says whom an incident wakes, and when it goes on to the next.
type Policy struct {
	Name   string
	Grace  time.Duration // from the alert to the page: similar alerts are gathered
	Wait   time.Duration // for an acknowledgement before the next level is paged
	Repage time.Duration // an acknowledged incident pages again after so long
	Levels []func(time.Time) *User
}

// Flag is a feature flag's last change.
type Flag struct {
	Name    string
	Service *Service
	On      bool
	By      *User
	At      time.Time
}

// Shift is a turn of being on call.
type Shift struct {
	Who        *User
	Level      int
	From, Till time.Time
}

// shiftHours is the length of a shift; they change at 06:00, 14:00 and 22:00 UTC.
const shiftHours = 8

// OnCall lists the shift of the first level at t and the one after it.
func (w *World) OnCall(t time.Time) []Shift {
	from := shiftStart(t)
	return []Shift{
		{Who: w.onCall(t), From: from, Till: from.Add(shiftHours * time.Hour)},
		{Who: w.onCall(from.Add(shiftHours * time.Hour)), From: from.Add(shiftHours * time.Hour), Till: from.Add(2 * shiftHours * time.Hour)},
	}
}

func shiftStart(t time.Time) time.Time {
	t = t.UTC()
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Add(-2 * time.Hour)
	return day.Add(t.Sub(day).Truncate(shiftHours * time.Hour))
}

func (w *World) onCall(t time.Time) *User {
	logins := [...]string{"sre1", "sre2", "sre3"}
	n := (shiftStart(t).Hour() + 2) % 24 / shiftHours // 22:00 → 0, 06:00 → 1, 14:00 → 2
	return w.User(logins[n])
}

// page opens an incident and, after the policy's grace, pages whoever is on call.
func (w *World) page(s *Service, title string, severity int, onset time.Time) *Incident {
	i := &Incident{
		Number: 4100 + len(w.Incidents), Service: s, Title: title, Severity: severity, State: Triggered,
		Onset: onset, Created: w.now, Changed: w.now, Level: -1,
	}
	w.Incidents = append(w.Incidents, i)
	w.note(i, Triggered, nil, title)
	w.after(s.Policy.Grace, func() { w.escalate(i, 0) })
	return i
}

func (w *World) note(i *Incident, kind string, who *User, text string) {
	i.Log = append(i.Log, Entry{At: w.now, Kind: kind, Who: who, Text: text})
	w.Gen++
}

// escalate pages a level, and the next one when nobody acknowledges in time. After the last level it
// starts over.
func (w *World) escalate(i *Incident, level int) {
	if i.State != Triggered || level != i.Level+1 && level != 0 {
		return
	}
	p := i.Service.Policy
	i.Level, i.Holder = level, p.Levels[level](w.now)
	kind := "escalated"
	if level == 0 {
		kind = "paged"
	}
	w.note(i, kind, i.Holder, fmt.Sprintf("level %d", level+1))
	i.Next = w.now.Add(p.Wait)
	due := i.Next
	w.at(due, func() {
		if i.Next.Equal(due) {
			w.escalate(i, (level+1)%len(p.Levels))
		}
	})
}

// Acknowledge stops an incident's escalation until the policy pages again.
func (w *World) Acknowledge(i *Incident, by *User) {
	if i.State != Triggered {
		return
	}
	i.State, i.Changed, i.Holder, i.Next = Acknowledged, w.now, by, time.Time{}
	w.note(i, Acknowledged, by, "")
	if p := i.Service.Policy; p.Repage > 0 {
		due := w.now.Add(p.Repage)
		i.Next = due
		w.at(due, func() {
			if i.State != Acknowledged || !i.Next.Equal(due) {
				return
			}
			i.State, i.Changed, i.Level = Triggered, w.now, -1
			w.note(i, "repaged", nil, "acknowledged for too long")
			w.escalate(i, 0)
		})
	}
}

// Resolve ends an incident; by is nil when its monitor recovered.
func (w *World) Resolve(i *Incident, by *User) {
	if i.State == Resolved {
		return
	}
	i.State, i.Changed, i.Next = Resolved, w.now, time.Time{}
	w.note(i, Resolved, by, "")
}

// Incident is the incident of that number, or nil.
func (w *World) Incident(number int) *Incident {
	if n := slices.IndexFunc(w.Incidents, func(i *Incident) bool { return i.Number == number }); n >= 0 {
		return w.Incidents[n]
	}
	return nil
}
