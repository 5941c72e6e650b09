package pagerduty

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// turn of somebody at a level of a policy. A zero shift never began and never ends.
type duty struct {
	policy *world.Policy
	level  int // from 0
	shift  world.Shift
}

func (c *call) onCalls() answer {
	from, to, a, ok := c.bounds(c.w.Now(), c.w.Now())
	switch {
	case !ok:
		return a
	case c.q.Get("until") == "" && from.After(to):
		to = from
	case to.Sub(from) > 90*24*time.Hour:
		return c.invalid("The maximum range is 90 days")
	}
	var list []duty
	for _, p := range c.w.Policies {
		for n, l := range p.Levels {
			if l.Schedule == nil {
				list = append(list, duty{p, n, world.Shift{Who: l.User}})
				continue
			}
			for _, s := range l.Schedule.Between(from, to) {
				list = append(list, duty{p, n, s})
			}
		}
	}
	list = slices.DeleteFunc(list, func(d duty) bool {
		schedule := ""
		if s := d.policy.Levels[d.level].Schedule; s != nil {
			schedule = s.ID
		}
		return !c.among("user_ids[]", d.shift.Who.Code) || !c.among("escalation_policy_ids[]", d.policy.ID) || !c.among("schedule_ids[]", schedule)
	})
	if c.q.Get("earliest") == "true" {
		list = earliest(list)
	}
	return page(c, "oncalls", list, c.duty)
}

// earliest keeps the first turn of each person at each level of each policy.
func earliest(list []duty) []duty {
	slices.SortStableFunc(list, func(a, b duty) int {
		return cmp.Or(strings.Compare(a.policy.ID, b.policy.ID), cmp.Compare(a.level, b.level), a.shift.From.Compare(b.shift.From))
	})
	var out []duty
	for _, d := range list {
		if !slices.ContainsFunc(out, func(o duty) bool { return o.policy == d.policy && o.level == d.level && o.shift.Who == d.shift.Who }) {
			out = append(out, d)
		}
	}
	return out
}

func (c *call) duty(d duty) any {
	out := onCall{Policy: c.v.policyRef(d.policy), Level: d.level + 1, User: c.v.userRef(d.shift.Who)}
	if c.includes("users") {
		out.User = c.v.user(d.shift.Who)
	}
	if c.includes("escalation_policies") {
		out.Policy = c.v.policy(d.policy)
	}
	if s := d.policy.Levels[d.level].Schedule; s != nil {
		out.Schedule, out.Start, out.End = c.v.scheduleRef(s), stampOrNil(d.shift.From), stampOrNil(d.shift.Till)
		if c.includes("schedules") {
			out.Schedule = c.v.schedule(s)
		}
	}
	return out
}

func (c *call) serviceByID(id string) *world.Service {
	for _, s := range c.w.Services {
		if s.ID == id {
			return s
		}
	}
	return nil
}

func (c *call) showService(s *world.Service) any {
	out := c.v.service(s)
	if c.includes("escalation_policies") {
		out.Policy = c.v.policy(s.Policy)
	}
	if t := c.w.Team(s.Team); t != nil && c.includes("teams") {
		out.Teams = []any{c.v.team(t)}
	}
	return out
}

func (c *call) services() answer {
	var list []*world.Service
	for _, s := range c.w.Services {
		team := ""
		if t := c.w.Team(s.Team); t != nil {
			team = t.ID
		}
		if c.queried(s.Name) && c.among("team_ids[]", team) && c.among("name", s.Name) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *world.Service) int { return strings.Compare(a.Name, b.Name) })
	return page(c, "services", list, c.showService)
}

func (c *call) service() answer {
	if s := c.serviceByID(c.r.PathValue("id")); s != nil {
		return c.ok(http.StatusOK, map[string]any{"service": c.showService(s)})
	}
	return c.notFound()
}

func (c *call) policies() answer {
	var list []*world.Policy
	for _, p := range c.w.Policies {
		people := []string{}
		for _, l := range p.Levels {
			if l.User != nil {
				people = append(people, l.User.Code)
			}
		}
		if c.queried(p.Name) && c.among("team_ids[]", p.Team.ID) && c.among("user_ids[]", people...) {
			list = append(list, p)
		}
	}
	return page(c, "escalation_policies", list, func(p *world.Policy) any { return c.v.policy(p) })
}

func (c *call) policy() answer {
	if p := c.w.Policy(c.r.PathValue("id")); p != nil {
		return c.ok(http.StatusOK, map[string]any{"escalation_policy": c.v.policy(p)})
	}
	return c.notFound()
}

func (c *call) schedules() answer {
	var list []*world.Schedule
	for _, s := range c.w.Schedules {
		if c.queried(s.Name) {
			list = append(list, s)
		}
	}
	return page(c, "schedules", list, func(s *world.Schedule) any { return c.v.schedule(s) })
}

func (c *call) schedule() answer {
	from, to, a, ok := c.bounds(c.w.Now(), c.w.Now().Add(14*24*time.Hour))
	if !ok {
		return a
	}
	for _, s := range c.w.Schedules {
		if s.ID != c.r.PathValue("id") {
			continue
		}
		out := c.v.schedule(s)
		out.Final = &rendered{Name: "Final Schedule", Percentage: 100, Entries: []turn{}}
		for _, x := range s.Between(from, to) {
			start, end := x.From, x.Till
			if c.q.Get("overflow") != "true" {
				start, end = later(start, from), earlier(end, to)
			}
			out.Final.Entries = append(out.Final.Entries, turn{stamp(start), stamp(end), c.v.userRef(x.Who)})
		}
		return c.ok(http.StatusOK, map[string]any{"schedule": out})
	}
	return c.notFound()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (c *call) users() answer {
	var list []*world.User
	for _, u := range c.w.Users {
		var teams []string
		for _, t := range c.w.Teams {
			if slices.Contains(t.Members, u) {
				teams = append(teams, t.ID)
			}
		}
		if !u.Bot && (c.queried(u.Name) || c.queried(u.Email())) && c.among("team_ids[]", teams...) {
			list = append(list, u)
		}
	}
	return page(c, "users", list, func(u *world.User) any { return c.v.user(u) })
}

func (c *call) user() answer {
	if u := c.person(c.r.PathValue("id")); u != nil {
		return c.ok(http.StatusOK, map[string]any{"user": c.v.user(u)})
	}
	return c.notFound()
}

// me is whose the token is; an account's is nobody's.
func (c *call) me() answer {
	if c.actor == nil {
		return c.fail(http.StatusBadRequest, 2001, "Invalid Input Provided", "The request was made with an account token, which belongs to no user")
	}
	return c.ok(http.StatusOK, map[string]any{"user": c.v.user(c.actor)})
}

func (c *call) teams() answer {
	var list []*world.Team
	for _, t := range c.w.Teams {
		if c.queried(t.Name) {
			list = append(list, t)
		}
	}
	return page(c, "teams", list, func(t *world.Team) any { return c.v.team(t) })
}

func (c *call) team() answer {
	for _, t := range c.w.Teams {
		if t.ID == c.r.PathValue("id") {
			return c.ok(http.StatusOK, map[string]any{"team": c.v.team(t)})
		}
	}
	return c.notFound()
}

func (c *call) priorities() answer {
	return page(c, "priorities", c.v.priorities(), func(p priority) any { return p })
}

func (c *call) abilities() answer {
	return c.ok(http.StatusOK, map[string]any{"abilities": []string{
		"teams", "read_only_users", "service_support_hours", "urgencies", "manage_schedules", "coordinated_responding", "event_rules",
	}})
}
