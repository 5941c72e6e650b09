package pagerduty

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// incidents lists what fits the query. Unless every date is asked for, only incidents of the last month
// are: however open older ones may be.
func (c *call) incidents() answer {
	from, to, a, ok := c.bounds(c.w.Now().AddDate(0, -1, 0), c.w.Now())
	switch {
	case !ok:
		return a
	case c.q.Has("date_range") && c.q.Get("date_range") != "all":
		return c.invalid("date_range must be all")
	case to.After(from.AddDate(0, 6, 0)) && c.q.Get("date_range") == "":
		return c.invalid("The maximum range is 6 months")
	}
	for _, s := range c.q["statuses[]"] {
		if s != world.Triggered && s != world.Acknowledged && s != world.Resolved {
			c.complain("unknown status")
			return c.invalid("statuses[] is invalid")
		}
	}
	var list []*world.Incident
	for _, i := range c.w.Incidents {
		if c.q.Get("date_range") == "" && (i.Created.Before(from) || i.Created.After(to)) {
			continue
		}
		if c.fits(i) {
			list = append(list, i)
		}
	}
	if !c.sort(list) {
		return c.invalid("sort_by is invalid")
	}
	return page(c, "incidents", list, func(i *world.Incident) any { return c.v.incident(i, c.includes) })
}

func (c *call) fits(i *world.Incident) bool {
	team := ""
	if t := c.w.Team(i.Service.Team); t != nil {
		team = t.ID
	}
	people := make([]string, 0, len(i.Assigned))
	for _, a := range i.Assigned {
		people = append(people, a.Who.Code)
	}
	return c.among("statuses[]", i.State) && c.among("service_ids[]", i.Service.ID) && c.among("team_ids[]", team) &&
		c.among("urgencies[]", urgency(i)) && c.among("user_ids[]", people...) && c.among("incident_key", c.v.key(i))
}

// sort orders incidents as sort_by asks, else oldest first.
func (c *call) sort(list []*world.Incident) bool {
	if !c.q.Has("sort_by") {
		return true
	}
	field, direction, _ := strings.Cut(c.q.Get("sort_by"), ":")
	sign := 1
	switch direction {
	case "desc":
		sign = -1
	case "asc", "":
	default:
		return false
	}
	by := map[string]func(a, b *world.Incident) int{
		"incident_number": func(a, b *world.Incident) int { return cmp.Compare(a.Number, b.Number) },
		"created_at":      func(a, b *world.Incident) int { return a.Created.Compare(b.Created) },
		"resolved_at":     func(a, b *world.Incident) int { return ended(a).Compare(ended(b)) },
		"urgency":         func(a, b *world.Incident) int { return cmp.Compare(urgency(a), urgency(b)) },
	}[field]
	if by == nil {
		return false
	}
	slices.SortStableFunc(list, func(a, b *world.Incident) int { return sign * cmp.Or(by(a, b), cmp.Compare(a.Number, b.Number)) })
	return true
}

func ended(i *world.Incident) time.Time {
	if i.State == world.Resolved {
		return i.Changed
	}
	return time.Time{}
}

func (c *call) one(status int, i *world.Incident) answer {
	return c.ok(status, map[string]any{"incident": c.v.incident(i, c.includes)})
}

func (c *call) incident(i *world.Incident) answer { return c.one(http.StatusOK, i) }

func (c *call) alerts(i *world.Incident) answer {
	var list []*world.Alert
	for _, a := range i.Alerts {
		if c.among("statuses[]", a.State) {
			list = append(list, a)
		}
	}
	return page(c, "alerts", list, func(a *world.Alert) any { return c.v.alert(i, a) })
}

// line is one entry of one incident's log.
type line struct {
	i *world.Incident
	n int
}

func (x line) at() time.Time { return x.i.Log[x.n].At }

func (c *call) incidentLog(i *world.Incident) answer { return c.log([]*world.Incident{i}) }

func (c *call) logEntries() answer {
	return c.log(slices.DeleteFunc(slices.Clone(c.w.Incidents), func(i *world.Incident) bool {
		t := c.w.Team(i.Service.Team)
		return t != nil && !c.among("team_ids[]", t.ID)
	}))
}

// log lists the entries of incidents, newest first.
func (c *call) log(incidents []*world.Incident) answer {
	from, to, a, ok := c.bounds(time.Time{}, c.w.Now())
	if !ok {
		return a
	}
	var list []line
	for _, i := range incidents {
		for n, e := range i.Log {
			overview := e.Kind == world.Triggered || e.Kind == world.Acknowledged || e.Kind == world.Resolved || e.Kind == "escalated"
			if (overview || c.q.Get("is_overview") != "true") && !e.At.Before(from) && !e.At.After(to) {
				list = append(list, line{i, n})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b line) int {
		return cmp.Or(b.at().Compare(a.at()), cmp.Compare(b.i.Number, a.i.Number), cmp.Compare(b.n, a.n))
	})
	return page(c, "log_entries", list, func(x line) any { return c.v.entry(x.i, x.n, c.includes) })
}

func (c *call) logEntry() answer {
	for _, i := range c.w.Incidents {
		for n := range i.Log {
			if i.Log[n].ID == c.r.PathValue("id") {
				return c.ok(http.StatusOK, map[string]any{"log_entry": c.v.entry(i, n, c.includes)})
			}
		}
	}
	return c.notFound()
}

func (c *call) notes(i *world.Incident) answer {
	out := make([]note, 0, len(i.Notes))
	for n := range i.Notes {
		out = append(out, c.v.note(&i.Notes[n]))
	}
	return c.ok(http.StatusOK, map[string]any{"notes": out})
}

func (v view) note(n *world.Note) note {
	return note{
		ID: n.ID, User: v.userRef(n.Who), Channel: map[string]string{"summary": "The PagerDuty website or APIs"}, Content: n.Text, CreatedAt: stamp(n.At),
	}
}

// pastIncidents lists the ended incidents of the same service and title, newest first.
func (c *call) pastIncidents(i *world.Incident) answer {
	limit, _ := c.span()
	if !c.q.Has("limit") {
		limit.limit = 5
	}
	type past struct {
		Incident map[string]any `json:"incident"`
		Score    float64        `json:"score"`
	}
	out := []past{}
	for n := len(c.w.Incidents) - 1; n >= 0 && len(out) < limit.limit; n-- {
		if o := c.w.Incidents[n]; o != i && o.State == world.Resolved && o.Service == i.Service && o.Title == i.Title {
			out = append(out, past{map[string]any{
				"id": o.ID, "created_at": stamp(o.Created), "self": c.v.incidentRef(o).Self, "title": o.Title,
			}, 50})
		}
	}
	return c.ok(http.StatusOK, map[string]any{"past_incidents": out, "limit": limit.limit, "total": nil})
}
