package datadog

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

type downtimeAttributes struct {
	Identifier map[string]int64   `json:"monitor_identifier"`
	Scope      string             `json:"scope"`
	Message    *string            `json:"message"`
	Schedule   map[string]*string `json:"schedule"`
	Status     string             `json:"status"`
	Created    string             `json:"created"`
	Modified   string             `json:"modified"`
	Canceled   *string            `json:"canceled"`
	Zone       string             `json:"display_timezone"`
	MuteFirst  bool               `json:"mute_first_recovery_notification"`
	EndStates  []string           `json:"notify_end_states"`
	EndTypes   []string           `json:"notify_end_types"`
}

func (c *call) downtime(d *world.Downtime) object {
	status, modified := "active", d.Created
	switch now := c.w.Now(); {
	case !d.Canceled.IsZero():
		status, modified = "canceled", d.Canceled
	case now.Before(d.Start):
		status = "scheduled"
	case !d.Active(now):
		status = "ended"
	}
	var message *string
	if d.Message != "" {
		message = &d.Message
	}
	return object{Type: "downtime", ID: d.ID, Attributes: downtimeAttributes{
		Identifier: map[string]int64{"monitor_id": d.Monitor.ID}, Scope: d.Scope, Message: message,
		Schedule: map[string]*string{"start": maybe(d.Start), "end": maybe(d.End)}, Status: status, Created: at(d.Created), Modified: at(modified),
		Canceled: maybe(d.Canceled), Zone: "UTC", EndStates: []string{"no data", "warn", "alert"}, EndTypes: []string{"expired"},
	}, Relationships: map[string]any{
		"monitor":    one{&link{fmt.Sprint(d.Monitor.ID), "monitors"}},
		"created_by": c.userLink(d.By),
	}}
}

// downtimes answers GET /api/v2/downtime.
func (c *call) downtimes() answer {
	offset, err := c.number("page[offset]", 0, 0, math.MaxInt32)
	size, err2 := c.number("page[limit]", 30, 1, 1000)
	if err != nil || err2 != nil {
		return c.fail(http.StatusBadRequest, "Invalid page parameters")
	}
	var list []*world.Downtime
	for _, d := range c.w.Downtimes {
		current := d.Canceled.IsZero() && (d.End.IsZero() || d.End.After(c.w.Now()))
		if current || c.q.Get("current_only") != "true" {
			list = append(list, d)
		}
	}
	total := len(list)
	list, more := from(list, offset, size)
	if more {
		c.announce("page[offset]", offset+size)
	}
	data := []object{}
	var users []*world.User
	var monitors []*world.Monitor
	for _, d := range list {
		data, users, monitors = append(data, c.downtime(d)), append(users, d.By), append(monitors, d.Monitor)
	}
	out := map[string]any{"data": data, "meta": map[string]any{"page": map[string]int{"total_filtered_count": total}}}
	if inc := c.includes(users, monitors); len(inc) > 0 {
		out["included"] = inc
	}
	return c.ok(out)
}

// includes is what a request about downtimes asks to have beside them.
func (c *call) includes(users []*world.User, monitors []*world.Monitor) []any {
	var out []any
	seen := map[any]bool{}
	for _, u := range users {
		if c.asksFor("created_by") && u != nil && !seen[u] {
			seen[u] = true
			out = append(out, c.user(u))
		}
	}
	for _, m := range monitors {
		if c.asksFor("monitor") && !seen[m] {
			seen[m] = true
			out = append(out, map[string]any{"type": "monitors", "id": m.ID, "attributes": map[string]string{"name": m.Service.Name + ": " + m.Name}})
		}
	}
	return out
}

// getDowntime answers GET /api/v2/downtime/{id}.
func (c *call) getDowntime() answer {
	d := c.w.Downtime(c.r.PathValue("id"))
	if d == nil {
		return c.fail(http.StatusNotFound, "Downtime "+c.r.PathValue("id")+" not found")
	}
	out := map[string]any{"data": c.downtime(d)}
	if inc := c.includes([]*world.User{d.By}, []*world.Monitor{d.Monitor}); len(inc) > 0 {
		out["included"] = inc
	}
	return c.ok(out)
}

type downtimeRequest struct {
	Data *struct {
		Type       string `json:"type"`
		Attributes struct {
			Identifier *struct {
				MonitorID int64    `json:"monitor_id"`
				Tags      []string `json:"monitor_tags"`
			} `json:"monitor_identifier"`
			Scope    string `json:"scope"`
			Message  string `json:"message"`
			Schedule struct {
				Start       *time.Time `json:"start"`
				End         *time.Time `json:"end"`
				Recurrences []any      `json:"recurrences"`
			} `json:"schedule"`
		} `json:"attributes"`
	} `json:"data"`
}

func (r *downtimeRequest) check(now time.Time) string {
	switch {
	case r.Data == nil || r.Data.Type != "downtime":
		return "'data.type' must be 'downtime'"
	case r.Data.Attributes.Scope == "":
		return "'scope' is a required property"
	case r.Data.Attributes.Identifier == nil:
		return "'monitor_identifier' is a required property"
	case r.Data.Attributes.Identifier.MonitorID == 0 || len(r.Data.Attributes.Identifier.Tags) > 0:
		return "This world mutes single monitors: 'monitor_identifier' must be a 'monitor_id'"
	case len(r.Data.Attributes.Schedule.Recurrences) > 0:
		return "This world mutes once: 'schedule' must not have 'recurrences'"
	}
	start := now
	if s := r.Data.Attributes.Schedule.Start; s != nil {
		start = *s
	}
	if end := r.Data.Attributes.Schedule.End; end != nil && (!end.After(start) || !end.After(now)) {
		return "Downtime end time must be in the future and after its start"
	}
	return ""
}

// createDowntime answers POST /api/v2/downtime.
func (c *call) createDowntime() answer {
	var r downtimeRequest
	if err := c.decode(&r); err != nil {
		return c.fail(http.StatusBadRequest, err.Error())
	}
	if wrong := r.check(c.w.Now()); wrong != "" {
		return c.fail(http.StatusBadRequest, wrong)
	}
	a := r.Data.Attributes
	m := c.w.Monitor(a.Identifier.MonitorID)
	if m == nil {
		return c.fail(http.StatusBadRequest, fmt.Sprintf("Monitor %d not found", a.Identifier.MonitorID))
	}
	var end time.Time
	if a.Schedule.End != nil {
		end = a.Schedule.End.UTC()
	}
	d := c.w.Mute(m, a.Scope, a.Message, end, c.actor())
	if s := a.Schedule.Start; s != nil && s.After(d.Start) {
		d.Start = s.UTC()
	}
	return c.ok(map[string]any{"data": c.downtime(d), "included": []object{c.user(c.actor())}})
}

// cancelDowntime answers DELETE /api/v2/downtime/{id}.
func (c *call) cancelDowntime() answer {
	d := c.w.Downtime(c.r.PathValue("id"))
	if d == nil || !d.Canceled.IsZero() {
		return c.fail(http.StatusNotFound, "Downtime "+c.r.PathValue("id")+" not found")
	}
	c.w.Unmute(d)
	return answer{status: http.StatusNoContent}
}
