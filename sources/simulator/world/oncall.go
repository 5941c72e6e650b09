package world

import (
	"strings"
	"time"
)

// Team is a group of people that owns services.
type Team struct {
	ID      string // PagerDuty's
	Name    string
	Members []*User
}

// Policy says whom an incident wakes, and when it goes on to the next.
type Policy struct {
	ID     string // PagerDuty's
	Name   string
	Team   *Team
	Grace  time.Duration // from the alert to the page: similar alerts are gathered
	Wait   time.Duration // for an acknowledgement before the next level is paged
	Repage time.Duration // an acknowledged incident pages again after so long; 0: it does not
	Levels []Level
}

// Level is one step of a Policy: who is on call by a schedule, or somebody always.
type Level struct {
	Schedule *Schedule
	User     *User // where there is no schedule
}

// At is whom the level pages at t.
func (l Level) At(t time.Time) *User {
	if l.Schedule == nil {
		return l.User
	}
	return l.Schedule.At(t).Who
}

// Schedule is a rotation of shifts of equal length.
type Schedule struct {
	ID     string // PagerDuty's
	Name   string
	Team   *Team
	People []*User       // in turn
	Length time.Duration // of a shift
	First  time.Time     // when a shift of People[0] begins
}

// Shift is a turn of being on call.
type Shift struct {
	Who        *User
	From, Till time.Time
}

// At is the shift of a schedule at t.
func (s *Schedule) At(t time.Time) Shift {
	n := int64(t.Sub(s.First) / s.Length)
	if t.Before(s.First.Add(time.Duration(n) * s.Length)) {
		n--
	}
	from := s.First.Add(time.Duration(n) * s.Length)
	k := n % int64(len(s.People))
	if k < 0 {
		k += int64(len(s.People))
	}
	return Shift{Who: s.People[k], From: from, Till: from.Add(s.Length)}
}

// Between lists the shifts of a schedule that overlap [from, to), oldest first; the one of from alone when
// to is not after it.
func (s *Schedule) Between(from, to time.Time) []Shift {
	out := []Shift{s.At(from)}
	for last := out[0]; last.Till.Before(to); {
		last = s.At(last.Till)
		out = append(out, last)
	}
	return out
}

// OnCall lists the shift of the team's first level at t and the one after it.
func (w *World) OnCall(t time.Time) []Shift {
	s := w.Schedules[0]
	now := s.At(t)
	return []Shift{now, s.At(now.Till)}
}

// Policy is the escalation policy of that identity, or nil.
func (w *World) Policy(id string) *Policy {
	for _, p := range w.Policies {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Team is the team of that name, or nil.
func (w *World) Team(name string) *Team {
	for _, t := range w.Teams {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// teams makes the people's teams, their schedules and whom they wake.
func (s *script) teams() {
	team := func(name string, logins ...string) *Team {
		t := &Team{ID: s.code("P", 7, "team", name), Name: name}
		for _, l := range logins {
			t.Members = append(t.Members, s.by(l))
		}
		s.Teams = append(s.Teams, t)
		return t
	}
	payments := team("payments", "sre1", "sre2", "sre3", "lead1", "dev1", "dev4")
	platform := team("platform", "dev5", "dev3")
	treasury := team("treasury", "dev2", "dev5")
	// Shifts change at 06:00, 14:00 and 22:00 UTC.
	o := s.Opening
	first := time.Date(o.Year(), o.Month(), o.Day(), 0, 0, 0, 0, time.UTC).Add(-2 * time.Hour)
	rota := func(name string, t *Team, length time.Duration, logins ...string) *Schedule {
		x := &Schedule{ID: s.code("P", 7, "schedule", name), Name: name, Team: t, Length: length, First: first}
		for _, l := range logins {
			x.People = append(x.People, s.by(l))
		}
		s.Schedules = append(s.Schedules, x)
		return x
	}
	primary := rota("payments primary", payments, 8*time.Hour, "sre1", "sre2", "sre3")
	secondary := rota("payments secondary", payments, 8*time.Hour, "sre2", "sre3", "sre1")
	week := rota("platform week", platform, 7*day, "dev5", "dev3")
	s.Policies = []*Policy{
		{
			Name: "payments", Team: payments, Grace: 14 * time.Second, Wait: 5 * time.Minute, Repage: time.Hour,
			Levels: []Level{{Schedule: primary}, {Schedule: secondary}, {User: s.by("lead1")}},
		},
		{Name: "platform", Team: platform, Grace: 10 * time.Second, Wait: 15 * time.Minute, Levels: []Level{{Schedule: week}}},
		{Name: "treasury", Team: treasury, Grace: 10 * time.Second, Wait: 30 * time.Minute, Levels: []Level{{User: s.by("dev2")}}},
	}
	for _, p := range s.Policies {
		p.ID = s.code("P", 7, "policy", p.Name)
	}
}

// policyOf is whom the incidents of a team wake.
func (w *World) policyOf(team string) *Policy {
	for _, p := range w.Policies {
		if p.Name == team {
			return p
		}
	}
	return w.Policies[0]
}

// code is an identity of n characters as PagerDuty makes them: a letter that tells the kind, then capital
// letters and digits that depend on the seed and parts alone.
func (w *World) code(kind string, n int, parts ...any) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var b strings.Builder
	b.WriteString(kind)
	d := w.digest(append([]any{"code", kind}, parts...)...)
	for i := range n - len(kind) {
		b.WriteByte(alphabet[int(d[i])%len(alphabet)])
	}
	return b.String()
}
