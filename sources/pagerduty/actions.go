package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

const (
	longestSnooze = 7 * 24 * time.Hour
	mostMerged    = 100
)

// Actions lists the verbs on incidents.
func (s *source) Actions() []sources.ActionSpec {
	on := sources.KindIncident
	return []sources.ActionSpec{
		{Verb: sources.Acknowledge, On: on, Doc: "acknowledges the incident: it escalates no further until its time-out"},
		{Verb: sources.Resolve, On: on, Doc: "resolves the incident and its alerts"},
		{Verb: sources.Escalate, On: on, Doc: "escalates the incident to a level of its policy, whose people are paged", Need: []string{"level"}},
		{Verb: sources.Reassign, On: on, Doc: "assigns the incident to users, or to an escalation policy, and pages them", Need: []string{"to"}, Undo: sources.Reassign},
		{Verb: sources.Snooze, On: on, Doc: "keeps the incident acknowledged for a time, then triggers it again", Need: []string{"for"}},
		{Verb: sources.AddNote, On: on, Doc: "adds a note to the incident", Need: []string{"text"}},
		{Verb: sources.Merge, On: on, Doc: "merges other incidents into this one: they are resolved, their alerts move", Need: []string{"others"}},
		{Verb: sources.PostStatus, On: on, Doc: "sends a status update to the incident's subscribers", Need: []string{"text"}},
	}
}

// Perform carries out one action with one request that changes something.
func (s *source) Perform(ctx context.Context, call sources.Call) (sources.Receipt, error) {
	r, err := s.perform(ctx, call)
	if err != nil {
		return sources.Receipt{}, httpx.Explain(string(call.Verb)+" incident", "", err)
	}
	return r, nil
}

func (s *source) perform(ctx context.Context, call sources.Call) (sources.Receipt, error) {
	if err := s.checkCall(call); err != nil {
		return sources.Receipt{}, err
	}
	from, err := s.from(ctx, call)
	if err != nil {
		return sources.Receipt{}, err
	}
	id := call.Target.ID
	switch call.Verb {
	case sources.Acknowledge:
		return s.manage(ctx, from, call, change{Status: "acknowledged"})
	case sources.Resolve:
		return s.manage(ctx, from, call, change{Status: "resolved", Resolution: call.Text})
	case sources.Escalate:
		return s.manage(ctx, from, call, change{Level: call.Level})
	case sources.Reassign:
		return s.reassign(ctx, from, call)
	case sources.Snooze:
		body := map[string]int64{"duration": int64(call.For / time.Second)}
		return performed(s.send(ctx, http.MethodPost, "/incidents/"+id+"/snooze", from, body))
	case sources.Merge:
		var others []reference
		for _, o := range call.Others {
			others = append(others, reference{o.ID, "incident_reference"})
		}
		return performed(s.send(ctx, http.MethodPut, "/incidents/"+id+"/merge", from, map[string][]reference{"source_incidents": others}))
	case sources.AddNote:
		return s.note(ctx, from, call)
	case sources.PostStatus:
		return s.postStatus(ctx, from, call)
	default:
		return sources.Receipt{}, unsupported(call.Verb)
	}
}

func unsupported(v sources.Verb) error {
	return &sources.Error{Kind: sources.Unsupported, Msg: fmt.Sprintf("PagerDuty cannot %s an incident", v)}
}

// checkCall refuses what makes no sense before anything is asked.
func (s *source) checkCall(call sources.Call) error {
	if _, err := s.incidentID(call.Target); err != nil {
		return err
	}
	wrong := func(msg, fix string) error { return &sources.Error{Kind: sources.Invalid, Msg: msg, Fix: fix} }
	switch call.Verb {
	case sources.Escalate:
		if call.Level < 1 {
			return wrong("there is no level to escalate to", "name a level of the escalation policy, from 1")
		}
	case sources.Reassign:
		if len(call.To) == 0 {
			return wrong("there is nobody to assign it to", "name users by id or e-mail address, or an escalation policy by id")
		}
	case sources.Snooze:
		if call.For < time.Second || call.For > longestSnooze {
			return wrong(fmt.Sprintf("%s is no time to snooze for", call.For), "snooze for between one second and seven days")
		}
	case sources.AddNote, sources.PostStatus:
		if strings.TrimSpace(call.Text) == "" {
			return wrong("there is no text", "write what is to be said")
		}
	case sources.Merge:
		if len(call.Others) == 0 || len(call.Others) > mostMerged {
			return wrong(fmt.Sprintf("%d incidents cannot be merged", len(call.Others)), "choose between one and a hundred")
		}
		for _, o := range call.Others {
			if _, err := s.incidentID(o); err != nil {
				return err
			}
			if o == call.Target {
				return wrong("an incident cannot be merged into itself", "leave it out of the others")
			}
		}
	case sources.Acknowledge, sources.Resolve:
	default:
		return unsupported(call.Verb)
	}
	return nil
}

// from is the e-mail address of who acts: what from: says, else who `me:` is, else whose the token is.
func (s *source) from(ctx context.Context, call sources.Call) (string, error) {
	switch {
	case s.cfg.From != "":
		return s.cfg.From, nil
	case email.MatchString(call.Identity):
		return call.Identity, nil
	}
	me, err := s.me(ctx)
	if err == nil && email.MatchString(me.Email) {
		return me.Email, nil
	}
	if err != nil && (fatal(ctx, err) || !lasts(sources.KindOf(err))) {
		return "", err
	}
	return "", &sources.Error{
		Kind: sources.Permission, Msg: "PagerDuty wants to know who acts, and the token belongs to nobody",
		Fix: "set from:, or pagerduty: below me:, to the e-mail address with which you sign in to PagerDuty", Err: err,
	}
}

// me is the user that the token belongs to. A token of the whole account belongs to nobody: that is an error
// of kind Invalid or NotExist.
func (s *source) me(ctx context.Context) (*wireUser, error) {
	s.mu.Lock()
	me := s.myself
	s.mu.Unlock()
	if me != nil {
		return me, nil
	}
	w, err := one[wireMe](ctx, s, "/users/me", nil)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.myself = w.User
	s.mu.Unlock()
	return w.User, nil
}

// reference names an object in a request.
type reference struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type assignment struct {
	Assignee reference `json:"assignee"`
}

// change is what is to become of an incident. Only what is set is sent.
type change struct {
	reference
	Status      string       `json:"status,omitempty"`
	Resolution  string       `json:"resolution,omitempty"`
	Level       int          `json:"escalation_level,omitempty"`
	Assignments []assignment `json:"assignments,omitempty"`
	Policy      *reference   `json:"escalation_policy,omitempty"`
}

// manage changes one incident. PagerDuty answers with the incident as it has become.
func (s *source) manage(ctx context.Context, from string, call sources.Call, c change) (sources.Receipt, error) {
	c.reference = reference{call.Target.ID, "incident_reference"}
	body, err := s.send(ctx, http.MethodPut, "/incidents", from, map[string][]change{"incidents": {c}})
	if err != nil {
		return sources.Receipt{}, err
	}
	all, err := answered[wireIncidents](body)
	if err != nil {
		return sources.Receipt{}, err
	}
	for i := range all.Incidents {
		if w := &all.Incidents[i]; w.ID == call.Target.ID {
			return receiptOf(w), nil
		}
	}
	return sources.Receipt{}, ambiguous(errors.New("the answer does not name the incident"))
}

// performed reads the answer of a write that brings the incident back.
func performed(body []byte, err error) (sources.Receipt, error) {
	if err != nil {
		return sources.Receipt{}, err
	}
	w, err := answered[wireOneIncident](body)
	if err != nil {
		return sources.Receipt{}, err
	}
	return receiptOf(w.Incident), nil
}

func receiptOf(w *wireIncident) sources.Receipt {
	text := w.Status
	var who []string
	for _, a := range w.Assignments {
		who = append(who, a.Assignee.called())
	}
	if w.Status != "resolved" && len(who) > 0 {
		text += ", assigned to " + strings.Join(who, ", ")
	}
	if at := w.pending("unacknowledge"); !at.IsZero() && w.Status == "acknowledged" {
		text += ", pages again at " + at.Format("2006-01-02 15:04 MST")
	}
	return sources.Receipt{Text: clean.Line(text), URL: linkOf(w.HTMLURL)}
}

// reassign reads whom the incident was assigned to before: that takes it back. One that came by its policy goes
// back to that, from its first level on: assigned to the same people by hand it would never escalate again.
func (s *source) reassign(ctx context.Context, from string, call sources.Call) (sources.Receipt, error) {
	to, err := s.resolve(ctx, call.To)
	if err != nil {
		return sources.Receipt{}, err
	}
	before, err := s.rawIncident(ctx, call.Target)
	if err != nil {
		return sources.Receipt{}, err
	}
	if stateOf(before.Status) == sources.Resolved {
		return sources.Receipt{}, &sources.Error{Kind: sources.Conflict, Msg: "the incident is resolved: it cannot be assigned"}
	}
	var c change
	if to.policy != nil {
		c.Policy = &reference{to.policy.ID, "escalation_policy_reference"}
	}
	for _, u := range to.users {
		c.Assignments = append(c.Assignments, assignment{reference{u.ID, "user_reference"}})
	}
	r, err := s.manage(ctx, from, call, c)
	if err != nil {
		return r, err
	}
	undo := sources.Call{ID: call.ID, Verb: sources.Reassign, Target: call.Target, Identity: call.Identity}
	if before.AssignedVia == "escalation_policy" && before.Policy != nil && known(before.Policy.ID) != "" {
		undo.To = []string{before.Policy.ID}
	} else {
		for _, a := range before.Assignments {
			if known(a.Assignee.ID) != "" {
				undo.To = append(undo.To, a.Assignee.ID)
			}
		}
	}
	if len(undo.To) > 0 {
		r.Undo = &undo
	}
	return r, nil
}

// recipients are whom an incident is handed to: users, or one policy.
type recipients struct {
	users  []wireUser
	policy *wireRef
}

// resolve finds out by reading who is meant.
func (s *source) resolve(ctx context.Context, to []string) (recipients, error) {
	var r recipients
	for _, name := range to {
		u, p, err := s.recipient(ctx, strings.TrimSpace(name))
		if err != nil {
			return r, err
		}
		if u != nil {
			r.users = append(r.users, *u)
		}
		r.policy = cmp.Or(r.policy, p)
	}
	if r.policy != nil && len(to) > 1 {
		return r, &sources.Error{Kind: sources.Invalid, Msg: "an escalation policy takes an incident alone", Fix: "name users, or one escalation policy"}
	}
	return r, nil
}

func (s *source) recipient(ctx context.Context, name string) (*wireUser, *wireRef, error) {
	nobody := &sources.Error{
		Kind: sources.NotExist, Msg: fmt.Sprintf("PagerDuty knows no user and no escalation policy %s", oneLine(name)),
		Fix: "name a user by id or e-mail address, or an escalation policy by id",
	}
	if email.MatchString(name) {
		u, err := s.userByEmail(ctx, name)
		if err == nil && u == nil {
			err = nobody
		}
		return u, nil, err
	}
	if known(name) == "" {
		return nil, nil, nobody
	}
	w, err := one[wireMe](ctx, s, "/users/"+name, nil)
	if err == nil {
		return w.User, nil, nil
	}
	if sources.KindOf(err) != sources.NotExist {
		return nil, nil, err
	}
	p, err := one[wireOnePolicy](ctx, s, "/escalation_policies/"+name, nil)
	if err != nil && sources.KindOf(err) == sources.NotExist {
		return nil, nil, nobody
	}
	return nil, p.Policy, err
}

// userByEmail is the user with exactly that address; nil when there is none.
func (s *source) userByEmail(ctx context.Context, address string) (*wireUser, error) {
	all, _, err := pages[wireUsers](ctx, s, "users "+address, "/users", url.Values{"query": {address}}, 0, 3, func(w wireUser) string { return known(w.ID) })
	if err != nil {
		return nil, err
	}
	for i := range all {
		if strings.EqualFold(all[i].Email, address) {
			return &all[i], nil
		}
	}
	return nil, nil
}

func (s *source) note(ctx context.Context, from string, call sources.Call) (sources.Receipt, error) {
	body, err := s.send(ctx, http.MethodPost, "/incidents/"+call.Target.ID+"/notes", from, map[string]map[string]string{"note": {"content": call.Text}})
	if err != nil {
		return sources.Receipt{}, err
	}
	w, err := answered[wireOneNote](body)
	if err != nil {
		return sources.Receipt{}, err
	}
	return sources.Receipt{ID: known(w.Note.ID), Text: clean.Line(w.Note.Content)}, nil
}

func (s *source) postStatus(ctx context.Context, from string, call sources.Call) (sources.Receipt, error) {
	body, err := s.send(ctx, http.MethodPost, "/incidents/"+call.Target.ID+"/status_updates", from, map[string]string{"message": call.Text})
	if err != nil {
		return sources.Receipt{}, err
	}
	w, err := answered[wireStatusUpdate](body)
	if err != nil {
		return sources.Receipt{}, err
	}
	return sources.Receipt{ID: known(w.Update.ID), Text: clean.Line(w.Update.Message)}, nil
}
