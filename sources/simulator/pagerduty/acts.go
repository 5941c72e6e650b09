package pagerduty

import (
	"net/http"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// maxManaged is how many incidents one request may change.
const maxManaged = 250

// maxSnooze is the longest snooze: a week, in seconds.
const maxSnooze = 604_800

type reference struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Summary string `json:"summary,omitempty"`
}

// change is what is to be done with an incident.
type change struct {
	ID          string     `json:"id"`
	Type        string     `json:"type"`
	Status      string     `json:"status"`
	Resolution  string     `json:"resolution"`
	Title       string     `json:"title"`
	Urgency     string     `json:"urgency"`
	Level       *int       `json:"escalation_level"`
	Priority    *reference `json:"priority"`
	Policy      *reference `json:"escalation_policy"`
	Assignments []struct {
		Assignee reference `json:"assignee"`
	} `json:"assignments"`
}

// manage changes several incidents. Either every change can be made, or none is.
func (c *call) manage() answer {
	var in struct {
		Incidents []change `json:"incidents"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	if len(in.Incidents) == 0 || len(in.Incidents) > maxManaged {
		return c.invalid("Incidents must be between 1 and 250")
	}
	list := make([]*world.Incident, 0, len(in.Incidents))
	for n := range in.Incidents {
		i := c.w.IncidentByID(in.Incidents[n].ID)
		if i == nil {
			return c.notFound()
		}
		if a, ok := c.possible(i, &in.Incidents[n]); !ok {
			return a
		}
		list = append(list, i)
	}
	out := make([]incident, 0, len(list))
	for n, i := range list {
		if err := c.apply(i, &in.Incidents[n]); err != nil {
			return c.refused(err)
		}
		out = append(out, c.v.incident(i, none))
	}
	return c.ok(http.StatusOK, map[string]any{"incidents": out})
}

func (c *call) update(i *world.Incident) answer {
	var in struct {
		Incident *change `json:"incident"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	if in.Incident == nil {
		return c.invalid("Incident is required")
	}
	if a, ok := c.possible(i, in.Incident); !ok {
		return a
	}
	if err := c.apply(i, in.Incident); err != nil {
		return c.refused(err)
	}
	return c.one(http.StatusOK, i)
}

// possible reports whether a change makes sense for an incident as it is.
func (c *call) possible(i *world.Incident, x *change) (answer, bool) {
	if x.Type != "incident" && x.Type != "incident_reference" {
		c.complain("type is not incident_reference")
		return c.invalid("Type must be incident_reference"), false
	}
	switch x.Status {
	case "", world.Acknowledged, world.Resolved:
	default:
		return c.invalid("Status must be acknowledged or resolved"), false
	}
	if x.Urgency != "" && x.Urgency != "high" && x.Urgency != "low" {
		return c.invalid("Urgency must be high or low"), false
	}
	if i.State == world.Resolved && x.Status != world.Resolved && (x.Status != "" || x.Level != nil || x.Policy != nil || len(x.Assignments) > 0) {
		return c.invalid("Incident Already Resolved"), false
	}
	if x.Policy != nil && c.w.Policy(x.Policy.ID) == nil {
		return c.invalid("Escalation Policy Not Found"), false
	}
	p := i.Policy
	if x.Policy != nil {
		p = c.w.Policy(x.Policy.ID)
	}
	if x.Level != nil && (*x.Level < 1 || *x.Level > len(p.Levels)) {
		return c.invalid("Escalation Level Not Found"), false
	}
	if x.Priority != nil && c.severity(x.Priority.ID) == 0 {
		return c.invalid("Priority Not Found"), false
	}
	for _, a := range x.Assignments {
		if c.person(a.Assignee.ID) == nil {
			return c.invalid("Assignee Not Found"), false
		}
	}
	if len(x.Assignments) > 0 && (x.Policy != nil || x.Level != nil) {
		return c.invalid("Assignments and an escalation policy exclude each other"), false
	}
	return answer{}, true
}

func (c *call) severity(id string) int {
	for n, p := range c.v.priorities() {
		if p.ID == id {
			return n + 1
		}
	}
	return 0
}

func (c *call) person(id string) *world.User {
	for _, u := range c.w.Users {
		if u.Code == id && !u.Bot {
			return u
		}
	}
	return nil
}

func (c *call) apply(i *world.Incident, x *change) error {
	if x.Priority != nil {
		c.w.Rate(i, c.severity(x.Priority.ID), c.actor, "api")
	}
	title, low := i.Title, i.Low
	if x.Title != "" {
		title = x.Title
	}
	if x.Urgency != "" {
		low = x.Urgency == "low"
	}
	c.w.Rename(i, title, low)
	if x.Policy != nil {
		if err := c.w.Hand(i, c.w.Policy(x.Policy.ID), c.actor, "api"); err != nil {
			return err
		}
	}
	if x.Level != nil {
		if err := c.w.Escalate(i, *x.Level-1, c.actor, "api"); err != nil {
			return err
		}
	}
	if len(x.Assignments) > 0 {
		to := make([]*world.User, 0, len(x.Assignments))
		for _, a := range x.Assignments {
			to = append(to, c.person(a.Assignee.ID))
		}
		if err := c.w.Reassign(i, to, c.actor, "api"); err != nil {
			return err
		}
	}
	switch x.Status {
	case world.Acknowledged:
		c.w.Acknowledge(i, c.actor, "api")
	case world.Resolved:
		if x.Resolution != "" && i.State != world.Resolved {
			c.w.Write(i, "Resolution Note: "+x.Resolution, c.actor, "api")
		}
		c.w.Resolve(i, c.actor, "api")
	}
	return nil
}

func (c *call) createIncident() answer {
	var in struct {
		Incident *struct {
			Type     string     `json:"type"`
			Title    string     `json:"title"`
			Service  *reference `json:"service"`
			Priority *reference `json:"priority"`
			Urgency  string     `json:"urgency"`
			Key      string     `json:"incident_key"`
			Body     *struct {
				Type    string `json:"type"`
				Details string `json:"details"`
			} `json:"body"`
		} `json:"incident"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	if in.Incident == nil || in.Incident.Title == "" || in.Incident.Service == nil {
		return c.invalid("Title and service are required")
	}
	s := c.serviceByID(in.Incident.Service.ID)
	if s == nil {
		return c.invalid("Service Not Found")
	}
	severity := 0
	if in.Incident.Priority != nil {
		severity = c.severity(in.Incident.Priority.ID)
	}
	i := c.w.Declare(s, in.Incident.Title, severity, c.actor)
	c.w.Rename(i, i.Title, in.Incident.Urgency == "low")
	return c.one(http.StatusCreated, i)
}

func (c *call) snooze(i *world.Incident) answer {
	var in struct {
		Duration int `json:"duration"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	if in.Duration < 1 || in.Duration > maxSnooze {
		return c.invalid("Duration must be between 1 and 604800")
	}
	if err := c.w.Snooze(i, time.Duration(in.Duration)*time.Second, c.actor, "api"); err != nil {
		return c.refused(err)
	}
	return c.one(http.StatusCreated, i)
}

func (c *call) addNote(i *world.Incident) answer {
	var in struct {
		Note *struct {
			Content string `json:"content"`
		} `json:"note"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	if in.Note == nil || strings.TrimSpace(in.Note.Content) == "" {
		return c.invalid("Content cannot be blank")
	}
	n := c.w.Write(i, in.Note.Content, c.actor, "api")
	return c.ok(http.StatusOK, map[string]any{"note": c.v.note(&n)})
}

func (c *call) merge(into *world.Incident) answer {
	var in struct {
		Sources []reference `json:"source_incidents"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	if len(in.Sources) == 0 {
		return c.invalid("Source incidents cannot be empty")
	}
	var others []*world.Incident
	for _, r := range in.Sources {
		i := c.w.IncidentByID(r.ID)
		if i == nil {
			return c.invalid("Source Incident Not Found")
		}
		others = append(others, i)
	}
	if err := c.w.Combine(into, others, c.actor, "api"); err != nil {
		return c.refused(err)
	}
	return c.one(http.StatusOK, into)
}

func (c *call) statusUpdate(i *world.Incident) answer {
	var in struct {
		Message string `json:"message"`
		Subject string `json:"subject"`
		HTML    string `json:"html_message"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	if strings.TrimSpace(in.Message) == "" {
		return c.invalid("Message cannot be blank")
	}
	u := c.w.Update(i, in.Message, c.actor, "api")
	return c.ok(http.StatusOK, map[string]any{"status_update": statusUpdate{
		ID: u.ID, Message: u.Text, CreatedAt: stamp(u.At), Sender: c.v.userRef(u.Who),
	}})
}
