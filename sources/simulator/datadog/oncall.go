package datadog

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

func (c *call) teamID(t *world.Team) string { return c.w.UUID("team", t.Name) }

func (c *call) scheduleID(s *world.Schedule) string { return c.w.UUID("schedule", s.Name) }

func (c *call) teamByPath() *world.Team {
	for _, t := range c.w.Teams {
		if c.teamID(t) == c.r.PathValue("id") {
			return t
		}
	}
	return nil
}

func (c *call) scheduleByPath() *world.Schedule {
	for _, s := range c.w.Schedules {
		if c.scheduleID(s) == c.r.PathValue("id") {
			return s
		}
	}
	return nil
}

func (c *call) team(t *world.Team) object {
	since := at(c.w.Opening.AddDate(-1, 0, 0))
	base := "/api/v2/team/" + c.teamID(t)
	return object{Type: "team", ID: c.teamID(t), Attributes: map[string]any{
		"handle": t.Name, "name": strings.ToUpper(t.Name[:1]) + t.Name[1:], "summary": nil, "description": nil, "avatar": nil, "banner": 3,
		"created_at": since, "modified_at": since, "hidden_modules": []string{}, "visible_modules": []string{}, "link_count": 0,
		"user_count": len(t.Members),
	}, Relationships: map[string]any{
		"team_links":            map[string]any{"data": []link{}, "links": map[string]string{"related": base + "/links"}},
		"user_team_permissions": map[string]any{"links": map[string]string{"related": base + "/permission-settings"}},
	}}
}

// teams answers GET /api/v2/team.
func (c *call) teams() answer {
	size, err := c.number("page[size]", 10, 1, 100)
	number, err2 := c.number("page[number]", 0, 0, math.MaxInt32)
	if err != nil || err2 != nil {
		return c.fail(http.StatusBadRequest, "Invalid page parameters")
	}
	keyword := strings.ToLower(c.q.Get("filter[keyword]"))
	var all []*world.Team
	for _, t := range c.w.Teams {
		mine := c.q.Get("filter[me]") != "true" || slices.Contains(t.Members, c.actor())
		if mine && strings.Contains(strings.ToLower(t.Name), keyword) {
			all = append(all, t)
		}
	}
	list, more := from(all, number*size, size)
	if more {
		c.announce("page[number]", number+1)
	}
	data := []object{}
	for _, t := range list {
		data = append(data, c.team(t))
	}
	return c.api(http.StatusOK, map[string]any{
		"data": data,
		"meta": map[string]any{"pagination": map[string]any{
			"offset": number * size, "first_offset": 0, "prev_offset": max(0, (number-1)*size), "next_offset": min(len(all), (number+1)*size),
			"last_offset": max(0, (len(all)-1)/size*size), "limit": size, "total": len(all), "type": "offset_limit",
		}},
	})
}

// getTeam answers GET /api/v2/team/{id}.
func (c *call) getTeam() answer {
	t := c.teamByPath()
	if t == nil {
		return c.problem(http.StatusNotFound, "team not found")
	}
	return c.api(http.StatusOK, map[string]any{"data": c.team(t)})
}

// policyOf is the escalation policy of a team, or nil.
func (c *call) policyOf(t *world.Team) *world.Policy {
	for _, p := range c.w.Policies {
		if p.Team == t {
			return p
		}
	}
	return nil
}

// teamOnCall answers GET /api/v2/on-call/teams/{id}/on-call: who is paged first, and each step behind them.
func (c *call) teamOnCall() answer {
	t := c.teamByPath()
	if t == nil {
		return c.problem(http.StatusNotFound, "team not found")
	}
	responders, steps := []link{}, []link{}
	var included []any
	seen := map[*world.User]bool{}
	include := func(u *world.User) {
		if !seen[u] {
			seen[u] = true
			included = append(included, c.user(u))
		}
	}
	if p := c.policyOf(t); p != nil {
		for n, level := range p.Levels {
			who := level.At(c.w.Now())
			if n == 0 {
				responders = append(responders, link{c.userID(who), "users"})
				if c.asksFor("responders") {
					include(who)
				}
				continue
			}
			step := link{c.w.UUID("step", p.Name, n), "escalation_policy_steps"}
			steps = append(steps, step)
			if c.asksFor("escalations") || c.asksFor("escalations.responders") {
				included = append(included, object{Type: step.Type, ID: step.ID, Relationships: map[string]any{
					"responders": many{[]link{{c.userID(who), "users"}}},
				}})
			}
			if c.asksFor("escalations.responders") {
				include(who)
			}
		}
	}
	out := map[string]any{"data": object{Type: "team_oncall_responders", ID: c.teamID(t), Relationships: map[string]any{
		"responders": many{responders}, "escalations": many{steps},
	}}}
	if len(included) > 0 {
		out["included"] = included
	}
	return c.api(http.StatusOK, out)
}

func (c *call) schedule(s *world.Schedule) object {
	return object{Type: "schedules", ID: c.scheduleID(s), Attributes: map[string]any{"name": s.Name, "time_zone": "Etc/UTC", "tags": []string{}},
		Relationships: map[string]any{
			"layers": many{[]link{{c.w.UUID("layer", s.Name), "layers"}}}, "teams": many{[]link{{c.teamID(s.Team), "teams"}}},
		}}
}

func (c *call) teamReference(t *world.Team) object {
	return object{Type: "teams", ID: c.teamID(t), Attributes: map[string]string{"name": t.Name, "handle": t.Name, "avatar": "", "description": ""}}
}

// schedules answers GET /api/v2/on-call/schedules.
func (c *call) schedules() answer {
	size, err := c.number("page[size]", 10, 1, 100)
	number, err2 := c.number("page[number]", 0, 0, math.MaxInt32)
	if err != nil || err2 != nil {
		return c.problem(http.StatusBadRequest, "invalid page parameters")
	}
	query := strings.ToLower(c.q.Get("filter[query]"))
	var all []*world.Schedule
	for _, s := range c.w.Schedules {
		if strings.Contains(strings.ToLower(s.Name), query) {
			all = append(all, s)
		}
	}
	list, more := from(all, number*size, size)
	data, included := []object{}, []object{}
	seen := map[*world.Team]bool{}
	for _, s := range list {
		data = append(data, c.schedule(s))
		if c.asksFor("teams") && !seen[s.Team] {
			seen[s.Team] = true
			included = append(included, c.teamReference(s.Team))
		}
	}
	page := map[string]any{
		"type": "number_size", "number": number, "size": size, "total": len(all), "first_number": 0, "last_number": max(0, (len(all)-1)/size),
		"next_number": nil, "prev_number": nil,
	}
	if more {
		page["next_number"] = number + 1
		c.announce("page[number]", number+1)
	}
	if number > 0 {
		page["prev_number"] = number - 1
	}
	out := map[string]any{"data": data, "meta": map[string]any{"page": page}}
	if len(included) > 0 {
		out["included"] = included
	}
	return c.api(http.StatusOK, out)
}

// getSchedule answers GET /api/v2/on-call/schedules/{id}.
func (c *call) getSchedule() answer {
	s := c.scheduleByPath()
	if s == nil {
		return c.problem(http.StatusNotFound, "schedule not found")
	}
	var included []any
	if c.asksFor("teams") {
		included = append(included, c.teamReference(s.Team))
	}
	if c.asksFor("layers") || c.asksFor("layers.members") || c.asksFor("layers.members.user") {
		included = append(included, c.layer(s))
		for n, u := range s.People {
			id := c.w.UUID("member", s.Name, n)
			included = append(included, object{Type: "members", ID: id, Relationships: map[string]any{"user": c.userLink(u)}})
		}
	}
	if c.asksFor("layers.members.user") {
		for _, u := range s.People {
			included = append(included, c.shortUser(u))
		}
	}
	out := map[string]any{"data": c.schedule(s)}
	if len(included) > 0 {
		out["included"] = included
	}
	return c.api(http.StatusOK, out)
}

func (c *call) layer(s *world.Schedule) object {
	members := []link{}
	for n := range s.People {
		members = append(members, link{c.w.UUID("member", s.Name, n), "members"})
	}
	return object{Type: "layers", ID: c.w.UUID("layer", s.Name), Attributes: map[string]any{
		"name": "Layer 1", "effective_date": s.First.UTC().Format(time.RFC3339), "rotation_start": s.First.UTC().Format(time.RFC3339),
		"interval":  map[string]int{"days": int(s.Length / (24 * time.Hour)), "seconds": int(s.Length % (24 * time.Hour) / time.Second)},
		"time_zone": "Etc/UTC", "restrictions": []any{},
	}, Relationships: map[string]any{"members": many{members}}}
}

// shift is a turn of a schedule.
func (c *call) shift(s world.Shift) object {
	const form = "2006-01-02T15:04:05Z07:00"
	from, till := s.From.In(s.Who.Zone).Format(form), s.Till.In(s.Who.Zone).Format(form)
	return object{Type: "shifts", ID: c.userID(s.Who) + "-" + from + "-" + till, Attributes: map[string]string{"start": from, "end": till},
		Relationships: map[string]any{"user": c.userLink(s.Who)}}
}

// asked is the moment that a request about a schedule is about.
func (c *call) asked() (time.Time, error) {
	v := c.q.Get("filter[at_ts]")
	if v == "" {
		return c.w.Now(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return t, errors.New("filter[at_ts] must be an ISO-8601 date")
	}
	return t.UTC(), nil
}

// onCall answers GET /api/v2/on-call/schedules/{id}/on-call.
func (c *call) onCall() answer {
	s := c.scheduleByPath()
	if s == nil {
		return c.problem(http.StatusNotFound, "schedule not found")
	}
	t, err := c.asked()
	if err != nil {
		return c.problem(http.StatusBadRequest, err.Error())
	}
	shift := s.At(t)
	out := map[string]any{"data": c.shift(shift)}
	if c.asksFor("user") {
		out["included"] = []object{c.shortUser(shift.Who)}
	}
	return c.api(http.StatusOK, out)
}

// responders answers GET /api/v2/on-call/schedules/{id}/responders: who was, is or will be on call.
func (c *call) responders() answer {
	s := c.scheduleByPath()
	if s == nil {
		return c.problem(http.StatusNotFound, "schedule not found")
	}
	t, err := c.asked()
	if err != nil {
		return c.problem(http.StatusBadRequest, err.Error())
	}
	positions := []string{"current"}
	if v := c.q.Get("filter[position]"); v != "" {
		positions = strings.Split(v, ",")
	}
	id := c.scheduleID(s) + "-" + strconv.FormatInt(t.Unix(), 10)
	links := []link{}
	var included []any
	now := s.At(t)
	for _, position := range positions {
		shift, ok := map[string]world.Shift{"previous": s.At(now.From.Add(-time.Second)), "current": now, "next": s.At(now.Till)}[position]
		if !ok {
			return c.problem(http.StatusBadRequest, "filter[position] must be previous, current or next")
		}
		responder, one := link{id + "-" + position, "schedule_oncall_responder"}, c.shift(shift)
		links = append(links, responder)
		if c.asksFor("responders") || c.asksFor("responders.shifts") || c.asksFor("responders.shifts.user") {
			included = append(included, object{Type: responder.Type, ID: responder.ID, Attributes: map[string]string{"position": position},
				Relationships: map[string]any{"shifts": many{[]link{{one.ID, "shifts"}}}}})
		}
		if c.asksFor("responders.shifts") || c.asksFor("responders.shifts.user") {
			included = append(included, one)
		}
		if c.asksFor("responders.shifts.user") {
			included = append(included, c.shortUser(shift.Who))
		}
	}
	out := map[string]any{"data": object{Type: "schedule_oncall_responders", ID: id, Attributes: map[string]string{"scheduled_at": t.UTC().Format(time.RFC3339Nano)},
		Relationships: map[string]any{"responders": many{links}, "schedule": one{&link{c.scheduleID(s), "schedules"}}}}}
	if len(included) > 0 {
		out["included"] = included
	}
	return c.api(http.StatusOK, out)
}

// page finds the incident behind a page. Pages cannot be listed, and are forgotten when their incident is.
func (c *call) page() *world.Incident {
	for _, i := range c.w.Incidents {
		if c.pageID(i) == strings.ToLower(c.r.PathValue("id")) {
			return i
		}
	}
	return nil
}

func onPage(do func(*call, *world.Incident)) handler {
	return func(c *call) answer {
		i := c.page()
		if i == nil {
			return c.problem(http.StatusNotFound, "page not found")
		}
		do(c, i)
		return answer{status: http.StatusAccepted}
	}
}

// acknowledge answers POST /api/v2/on-call/pages/{id}/acknowledge. Of a page that is over it changes nothing.
func acknowledge(c *call, i *world.Incident) { c.w.Acknowledge(i, c.actor(), "api") }

// escalate answers POST /api/v2/on-call/pages/{id}/escalate: the next level, the first one after the last.
func escalate(c *call, i *world.Incident) {
	next := (max(i.Level, -1) + 1) % len(i.Policy.Levels)
	_ = c.w.Escalate(i, next, c.actor(), "api") // a page that is over stays so
}

// resolve answers POST /api/v2/on-call/pages/{id}/resolve.
func resolve(c *call, i *world.Incident) { c.w.Resolve(i, c.actor(), "api") }

// createPage answers POST /api/v2/on-call/pages: it pages a team for the first of its services.
func (c *call) createPage() answer {
	var r struct {
		Data *struct {
			Type       string `json:"type"`
			Attributes struct {
				Title   string `json:"title"`
				Urgency string `json:"urgency"`
				Target  struct {
					ID   string `json:"identifier"`
					Type string `json:"type"`
				} `json:"target"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if err := c.decode(&r); err != nil {
		return c.problem(http.StatusBadRequest, err.Error())
	}
	if r.Data == nil || r.Data.Type != "pages" || r.Data.Attributes.Title == "" {
		return c.problem(http.StatusBadRequest, "data.type must be pages, and title is required")
	}
	a := r.Data.Attributes
	if a.Urgency != "" && a.Urgency != "high" && a.Urgency != "low" {
		return c.problem(http.StatusBadRequest, "urgency must be high or low")
	}
	for _, s := range c.w.Services {
		t := c.w.Team(s.Team)
		if t != nil && (a.Target.Type == "team_handle" && a.Target.ID == t.Name || a.Target.Type == "team_id" && a.Target.ID == c.teamID(t)) {
			i := c.w.Declare(s, a.Title, 0, c.actor())
			i.Low = a.Urgency == "low"
			return c.api(http.StatusOK, map[string]any{"data": object{Type: "pages", ID: c.pageID(i)}})
		}
	}
	return c.problem(http.StatusBadRequest, "target not found: name a team by team_handle or team_id")
}
