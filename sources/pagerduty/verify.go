package pagerduty

import (
	"context"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// Verify looks at what PagerDuty shows of an action.
func (s *source) Verify(ctx context.Context, call sources.Call, r sources.Receipt) (sources.Progress, error) {
	p, err := s.verify(ctx, call, r)
	if err != nil {
		return sources.Progress{}, httpx.Explain("verify "+string(call.Verb), "", err)
	}
	return p, nil
}

func (s *source) verify(ctx context.Context, call sources.Call, r sources.Receipt) (sources.Progress, error) {
	if err := s.checkCall(call); err != nil {
		return sources.Progress{}, err
	}
	switch call.Verb {
	case sources.AddNote:
		return s.verifyNote(ctx, call, r)
	case sources.Merge:
		return s.verifyMerge(ctx, call)
	case sources.PostStatus:
		return s.verifyStatus(ctx, call, r)
	default:
		return s.verifyState(ctx, call)
	}
}

// verifyState looks at the incident itself.
func (s *source) verifyState(ctx context.Context, call sources.Call) (sources.Progress, error) {
	w, err := s.rawIncident(ctx, call.Target)
	if err != nil {
		return sources.Progress{}, err
	}
	inc, err := s.incidentOf(ctx, w)
	if err != nil {
		return sources.Progress{}, err
	}
	p := sources.Progress{Text: clean.Line(describe(&inc)), URL: inc.URL}
	resolved := inc.State == sources.Resolved
	if resolved && call.Verb != sources.Resolve {
		p.State = sources.Undone
		return p, nil
	}
	done := false
	switch call.Verb {
	case sources.Acknowledge:
		done = inc.State == sources.Acknowledged
	case sources.Resolve:
		done = resolved
	case sources.Escalate:
		done, err = s.escalated(ctx, call, w, &inc)
	case sources.Reassign:
		done, err = s.reassigned(ctx, call, w, &inc)
	case sources.Snooze:
		done, err = s.snoozed(ctx, call, &inc)
	default:
		err = unsupported(call.Verb)
	}
	if done {
		p.State = sources.Done
	}
	return p, err
}

// describe says how an incident stands, in a line.
func describe(inc *sources.Incident) string {
	text := inc.State.String()
	switch {
	case inc.State == sources.Resolved && !inc.EndedBy.IsZero():
		text += " by " + inc.EndedBy.String()
	case inc.State == sources.Acknowledged && !inc.Holder.IsZero():
		text += " by " + inc.Holder.String()
	case !inc.Holder.IsZero():
		text += ", paged " + inc.Holder.String()
	}
	if !inc.RepagesAt.IsZero() {
		text += ", pages again at " + inc.RepagesAt.Format("2006-01-02 15:04 MST")
	}
	return text
}

// escalated reports whether an incident that is not as it was is with people of the level.
func (s *source) escalated(ctx context.Context, call sources.Call, w *wireIncident, inc *sources.Incident) (bool, error) {
	if w.Policy == nil || inc.Revision == call.Revision {
		return false, nil
	}
	who, err := s.rosterFor(ctx, w)
	if err != nil {
		return false, err
	}
	for _, p := range who.at(w.Policy.ID, call.Level, s.env.Now()) {
		if assignedTo(inc, p.ID) {
			return true, nil
		}
	}
	return false, nil
}

func assignedTo(inc *sources.Incident, id string) bool {
	return slices.ContainsFunc(inc.Assignees, func(p sources.Person) bool { return p.ID == id })
}

func (s *source) reassigned(ctx context.Context, call sources.Call, w *wireIncident, inc *sources.Incident) (bool, error) {
	to, err := s.resolve(ctx, call.To)
	if err != nil {
		return false, err
	}
	if to.policy != nil {
		return w.Policy != nil && w.Policy.ID == to.policy.ID && w.AssignedVia != "direct_assignment" && inc.Revision != call.Revision, nil
	}
	for _, u := range to.users {
		if !assignedTo(inc, u.ID) {
			return false, nil
		}
	}
	return true, nil
}

// looseness is by how much PagerDuty's moments may miss the ones that follow from a request.
const looseness = time.Minute

// snoozed reports whether an incident is triggered again when the call wants it: counted from now, or, for who
// asks late, from a snooze in its log. An acknowledgement has a time-out of its own.
func (s *source) snoozed(ctx context.Context, call sources.Call, inc *sources.Incident) (bool, error) {
	if inc.State != sources.Acknowledged || inc.RepagesAt.IsZero() || inc.Revision == call.Revision {
		return false, nil
	}
	if (inc.RepagesAt.Sub(s.env.Now()) - call.For).Abs() <= looseness {
		return true, nil
	}
	all, _, err := s.entries(ctx, call.Target.ID)
	if err != nil {
		return false, err
	}
	began := inc.RepagesAt.Add(-call.For)
	return slices.ContainsFunc(all, func(e wireEntry) bool {
		return e.kind() == "snoozed" && e.CreatedAt.Sub(began).Abs() <= looseness
	}), nil
}

// precedes reports that something was written before a call was planned: the same words of before are not its effect.
func precedes(at time.Time, call *sources.Call) bool {
	planned, ok := call.Planned()
	return ok && at.Before(planned.Add(-looseness))
}

func (s *source) verifyNote(ctx context.Context, call sources.Call, r sources.Receipt) (sources.Progress, error) {
	all, err := one[wireNotes](ctx, s, "/incidents/"+call.Target.ID+"/notes", nil)
	if err != nil {
		return sources.Progress{}, err
	}
	for _, n := range all.Notes {
		if r.ID != "" && n.ID != r.ID || r.ID == "" && (strings.TrimSpace(n.Content) != strings.TrimSpace(call.Text) || precedes(n.CreatedAt.Time, &call)) {
			continue
		}
		text := "the note is there"
		if n.User != nil && n.User.called() != "" {
			text += ", by " + n.User.called()
		}
		return sources.Progress{State: sources.Done, Text: clean.Line(text)}, nil
	}
	return sources.Progress{Text: clean.Const("the note is not there")}, nil
}

// verifyMerge looks at each of the incidents that went into another.
func (s *source) verifyMerge(ctx context.Context, call sources.Call) (sources.Progress, error) {
	merged := 0
	p := sources.Progress{}
	for _, o := range call.Others {
		w, err := s.rawIncident(ctx, o)
		if err != nil {
			return p, err
		}
		switch into := w.mergedInto(); {
		case into == call.Target.ID:
			merged++
		case stateOf(w.Status) == sources.Resolved:
			p.State = sources.Undone
			p.Text = clean.Linef("#%d was resolved otherwise", w.Number)
			return p, nil
		}
	}
	if merged == len(call.Others) {
		p.State = sources.Done
	}
	p.Text = clean.Linef("%d of %d are merged", merged, len(call.Others))
	return p, nil
}

func (w *wireIncident) mergedInto() string {
	if r := w.ResolveReason; r != nil && strings.HasPrefix(r.Type, "merge") && r.Incident != nil {
		return r.Incident.ID
	}
	return ""
}

// verifyStatus looks for a status update in the incident's log. PagerDuty has no list of them, and not every
// account has them in its log: then the answer to the request is all there is.
func (s *source) verifyStatus(ctx context.Context, call sources.Call, r sources.Receipt) (sources.Progress, error) {
	all, _, err := s.entries(ctx, call.Target.ID)
	if err != nil {
		return sources.Progress{}, err
	}
	for _, e := range all {
		if e.kind() == "status" && !precedes(e.CreatedAt.Time, &call) && strings.Contains(e.text()+" "+e.Summary, strings.TrimSpace(call.Text)) {
			return sources.Progress{State: sources.Done, Text: clean.Const("the log has the status update")}, nil
		}
	}
	if r.ID != "" {
		return sources.Progress{State: sources.Done, Text: clean.Const("PagerDuty confirmed it when it was sent; the log does not show it")}, nil
	}
	return sources.Progress{Text: clean.Const("the log does not show a status update")}, nil
}
