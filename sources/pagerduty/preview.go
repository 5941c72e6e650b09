package pagerduty

import (
	"context"
	"fmt"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// Preview tells what a call would do, and whom it would wake.
func (s *source) Preview(ctx context.Context, call sources.Call) (sources.Preview, error) {
	p, err := s.preview(ctx, call)
	if err != nil {
		return sources.Preview{}, httpx.Explain("preview "+string(call.Verb), "", err)
	}
	return p, nil
}

func (s *source) preview(ctx context.Context, call sources.Call) (sources.Preview, error) {
	var p sources.Preview
	if err := s.checkCall(call); err != nil {
		return p, err
	}
	from, err := s.from(ctx, call)
	if err != nil {
		return p, err
	}
	w, err := s.rawIncident(ctx, call.Target)
	if err != nil {
		return p, err
	}
	inc, err := s.incidentOf(ctx, w)
	if err != nil {
		return p, err
	}
	say := func(format string, args ...any) { p.Lines = append(p.Lines, clean.Linef(format, args...)) }
	how := ""
	switch call.Verb {
	case sources.Acknowledge:
		how = "set the incident to acknowledged"
		if inc.State == sources.Acknowledged {
			say("it is acknowledged already, by %s", inc.Holder)
		}
	case sources.Resolve:
		how = "set the incident to resolved"
		err = s.previewResolve(ctx, call, &p)
	case sources.Escalate:
		how = fmt.Sprintf("escalate to level %d", call.Level)
		err = s.previewEscalate(ctx, call, w, &p)
	case sources.Reassign:
		how = "assign the incident to " + strings.Join(call.To, ", ")
		err = s.previewReassign(ctx, call, w, &p)
	case sources.Snooze:
		how = "snooze for " + clean.Lasting(call.For)
		say("it pages again at %s", s.env.Now().Add(call.For).Format("2006-01-02 15:04 MST"))
	case sources.AddNote:
		how = "add a note"
	case sources.Merge:
		how = fmt.Sprintf("merge %d into %s", len(call.Others), inc.Number)
		p.Covers = len(call.Others)
		say("the others are resolved and their alerts move: that cannot be taken back")
	case sources.PostStatus:
		how = "send a status update to the incident's subscribers"
	default:
		err = unsupported(call.Verb)
	}
	if inc.State == sources.Resolved && call.Verb != sources.AddNote {
		say("the incident is resolved already")
	}
	if inc.Low && len(p.Wakes) > 0 {
		say("its urgency is low: they may be told without being woken")
	}
	p.How = clean.Line(how + " as " + from)
	return p, err
}

// previewResolve tells of alerts that still fire: a resolved incident pages nobody for them.
func (s *source) previewResolve(ctx context.Context, call sources.Call, p *sources.Preview) error {
	all, _, err := s.alerts(ctx, call.Target.ID)
	if err != nil {
		return err
	}
	p.Covers = len(all)
	var titles []string
	firing := map[string]int{}
	for _, a := range all {
		if a.State == sources.Triggered {
			title := a.Title.String()
			if firing[title]++; firing[title] == 1 {
				titles = append(titles, title)
			}
		}
	}
	for _, title := range titles[:min(len(titles), 20)] {
		line := "still fires: " + title
		if n := firing[title]; n > 1 {
			line += fmt.Sprintf(" (%d alerts)", n)
		}
		p.Lines = append(p.Lines, clean.Line(line))
	}
	return nil
}

func (s *source) previewEscalate(ctx context.Context, call sources.Call, w *wireIncident, p *sources.Preview) error {
	if w.Policy == nil {
		return &sources.Error{Kind: sources.Conflict, Msg: "the incident has no escalation policy", Fix: "reassign it"}
	}
	who, err := s.rosterFor(fresh(ctx), w)
	if err != nil {
		return err
	}
	if top := who.last(w.Policy.ID); call.Level > top {
		return &sources.Error{
			Kind: sources.Invalid, Msg: fmt.Sprintf("nobody is on call at level %d of %s", call.Level, oneLine(w.Policy.called())),
			Fix: fmt.Sprintf("the last level is %d: reassign it to somebody", top),
		}
	}
	p.Wakes = who.at(w.Policy.ID, call.Level, s.env.Now())
	if len(p.Wakes) == 0 {
		p.Lines = append(p.Lines, clean.Linef("nobody is on call at level %d now: PagerDuty goes on to the next", call.Level))
	}
	p.Lines = append(p.Lines, s.clocks(p.Wakes)...)
	return nil
}

func (s *source) previewReassign(ctx context.Context, call sources.Call, w *wireIncident, p *sources.Preview) error {
	to, err := s.resolve(ctx, call.To)
	if err != nil {
		return err
	}
	if to.policy != nil {
		other := *w
		other.Policy = to.policy
		who, err := s.rosterFor(fresh(ctx), &other)
		if err != nil {
			return err
		}
		p.Wakes = who.at(to.policy.ID, 1, s.env.Now())
	} else {
		p.Lines = append(p.Lines, clean.Const("assigned to people by hand it escalates to nobody"))
	}
	for _, u := range to.users {
		p.Wakes = append(p.Wakes, s.person(u))
	}
	p.Lines = append(p.Lines, s.clocks(p.Wakes)...)
	return nil
}

// clocks tells what time it is for each of those who are woken.
func (s *source) clocks(who []sources.Person) []clean.Text {
	var out []clean.Text
	for _, p := range who {
		zone, err := time.LoadLocation(p.Zone)
		if p.Zone == "" || err != nil {
			out = append(out, p.Name)
			continue
		}
		out = append(out, clean.Line(p.Name.String()+", "+s.env.Now().In(zone).Format("15:04")+" there"))
	}
	return out
}
