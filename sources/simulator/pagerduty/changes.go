package pagerduty

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

func (c *call) changes() answer { return c.listChanges(func(*world.ChangeEvent) bool { return true }) }

func (c *call) serviceChanges() answer {
	s := c.serviceByID(c.r.PathValue("id"))
	if s == nil {
		return c.notFound()
	}
	return c.listChanges(func(e *world.ChangeEvent) bool { return e.Service == s })
}

// listChanges lists the change events that fit, newest first. Bounds have to be in UTC, with a Z.
func (c *call) listChanges(fits func(*world.ChangeEvent) bool) answer {
	for _, name := range []string{"since", "until"} {
		if v := c.q.Get(name); v != "" && !strings.HasSuffix(v, "Z") {
			return c.invalid(name + " must be in UTC")
		}
	}
	from, to, a, ok := c.bounds(c.w.Now().AddDate(0, 0, -90), c.w.Now())
	if !ok {
		return a
	}
	var list []*world.ChangeEvent
	for _, e := range c.newestChanges() {
		team := ""
		if e.Service != nil {
			if t := c.w.Team(e.Service.Team); t != nil {
				team = t.ID
			}
		}
		if fits(e) && !e.At.Before(from) && !e.At.After(to) && c.among("team_ids[]", team) {
			list = append(list, e)
		}
	}
	return page(c, "change_events", list, func(e *world.ChangeEvent) any { return c.v.change(e, "") })
}

func (c *call) newestChanges() []*world.ChangeEvent {
	list := slices.Clone(c.w.Changes)
	slices.Reverse(list)
	slices.SortStableFunc(list, func(a, b *world.ChangeEvent) int { return b.At.Compare(a.At) })
	return list
}

func (c *call) change() answer {
	for _, e := range c.w.Changes {
		if e.ID == c.r.PathValue("id") {
			return c.ok(http.StatusOK, map[string]any{"change_event": c.v.change(e, "")})
		}
	}
	return c.notFound()
}

// relatedChanges are the last changes of an incident's service in the day before it.
func (c *call) relatedChanges(i *world.Incident) answer {
	limit, _ := c.span()
	out := []changeEvent{}
	for _, e := range c.newestChanges() {
		if e.Service != i.Service || e.At.After(i.Created) || e.At.Before(i.Created.Add(-24*time.Hour)) || len(out) == limit.limit {
			continue
		}
		why := "related_service"
		if len(out) == 0 {
			why = "most_recent"
		}
		out = append(out, c.v.change(e, why))
	}
	return c.ok(http.StatusOK, map[string]any{"change_events": out})
}

func (v view) change(e *world.ChangeEvent, why string) changeEvent {
	page := v.html + "/change_events/" + e.ID
	out := changeEvent{
		ref: v.object("change_event", "change_events", e.ID, e.Summary), Timestamp: stamp(e.At), Source: e.Source,
		Integration: v.object("change_transform_inbound_integration_reference", "integrations", "PCHANGE", e.Source), Services: []ref{},
		Images: []struct{}{}, Links: []link{}, Details: map[string]any{"kind": e.Kind},
	}
	out.HTMLURL = &page
	if e.Service != nil {
		out.RoutingKey = routingKey(e.Service)
		out.Services = []ref{v.serviceRef(e.Service)}
	}
	if e.Link != "" {
		out.Links = []link{{e.Link, e.Source}}
	}
	for name, value := range e.Details {
		out.Details[name] = value
	}
	if e.By != nil {
		out.Details["user"] = e.By.Name
	}
	if why != "" {
		out.Correlation = &correlation{why}
	}
	return out
}

// routingKey is by what events name a service: 32 characters.
func routingKey(s *world.Service) string {
	return strings.ToLower("R" + strings.Repeat(s.ID, 5))[:32]
}

// enqueue takes a change event as the events API does: it asks for the service's key and no credential.
func (c *call) enqueue() answer {
	var in struct {
		Key     string `json:"routing_key"`
		Payload *struct {
			Summary string         `json:"summary"`
			Source  string         `json:"source"`
			At      *time.Time     `json:"timestamp"`
			Details map[string]any `json:"custom_details"`
		} `json:"payload"`
		Links []link `json:"links"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	refuse := func(why string) answer {
		return c.ok(http.StatusBadRequest, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": []string{why}})
	}
	n := slices.IndexFunc(c.w.Services, func(s *world.Service) bool { return routingKey(s) == in.Key })
	switch {
	case n < 0:
		return refuse("'routing_key' is invalid")
	case in.Payload == nil || in.Payload.Summary == "":
		return refuse("'payload.summary' is missing or blank")
	}
	e := world.ChangeEvent{
		Kind: world.OtherEvent, Service: c.w.Services[n], Summary: in.Payload.Summary, Source: in.Payload.Source, Details: in.Payload.Details,
	}
	if in.Payload.At != nil {
		e.At = in.Payload.At.UTC()
	}
	if len(in.Links) > 0 {
		e.Link = in.Links[0].Href
	}
	c.w.Tell(e)
	return c.ok(http.StatusAccepted, map[string]any{"status": "success", "message": "Change event processed"})
}
