package action

import (
	"context"
	"fmt"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
)

// target is an object as the authority shows it.
type target struct {
	revision sources.Revision
	service  string
	name     clean.Text // how people name it
	word     string     // what is typed to confirm
	now      clean.Text
	incident *sources.Incident
	monitor  *sources.Monitor
	run      *sources.Run
}

// read asks the authority for an object. One that cannot be read has no revision: a page that is known by
// its id alone, and a service that an event is posted for.
func read(ctx context.Context, a Access, ref sources.Ref) (target, error) {
	t := target{name: clean.Line(ref.ID), word: ref.ID}
	obj, err := a.Set.Actor.Get(ctx, ref)
	if err != nil {
		switch {
		case sources.KindOf(err) != sources.Unsupported:
		case ref.Kind == sources.KindPage:
			t.now = clean.Const("not known: a page cannot be read")
			return t, nil
		case ref.Kind == sources.KindChange:
			t.now, t.service = clean.Const("no marker yet"), ref.ID
			return t, nil
		}
		return t, err
	}
	switch o := obj.(type) {
	case sources.Incident:
		t.ofIncident(&o)
	case *sources.Incident:
		t.ofIncident(o)
	case sources.Monitor:
		t.ofMonitor(&o)
	case *sources.Monitor:
		t.ofMonitor(o)
	case sources.Run:
		t.ofRun(&o)
	case *sources.Run:
		t.ofRun(o)
	case sources.Silence:
		t.now = clean.Linef("silent until %s, by %s", o.Until.UTC().Format("15:04 UTC"), o.By)
		t.revision = sources.Revision(fmt.Sprint(o.Until.UnixNano(), o.By))
	case sources.Environment, *sources.Environment:
		return t, &sources.Error{Kind: sources.Unsupported, Op: "read", Scope: ref.String(), Msg: "an environment is promoted to or rolled back, nothing else"}
	default:
		return t, &sources.Error{Kind: sources.Unsupported, Op: "read", Scope: ref.String(), Msg: fmt.Sprintf("nothing can be done to a %T", obj)}
	}
	if t.revision == "" {
		return t, &sources.Error{Kind: sources.Invalid, Op: "read", Scope: ref.String(), Msg: "the source gives it no revision, so a change of it could not be seen"}
	}
	return t, nil
}

func (t *target) ofIncident(i *sources.Incident) {
	t.incident, t.revision, t.service = i, i.Revision, i.Service
	t.name = i.Title
	if i.Service != "" {
		t.name = clean.Linef("%s %s", i.Service, i.Title)
	}
	t.word = i.Ref.ID
	if !i.Number.IsZero() {
		t.word = i.Number.String()
	}
	t.now = clean.Line(i.State.String())
	if !i.Holder.IsZero() {
		t.now = clean.Linef("%s, %s", i.State, i.Holder)
	}
}

func (t *target) ofMonitor(m *sources.Monitor) {
	t.monitor, t.revision, t.service, t.name, t.word = m, m.Revision, m.Service, m.Name, m.Ref.ID
	t.now = clean.Line(m.State.String())
	if len(m.Silenced) > 0 {
		t.now = clean.Linef("%s, muted", m.State)
	}
}

func (t *target) ofRun(r *sources.Run) {
	t.run, t.revision, t.service = r, r.Revision, r.Service
	t.name = clean.Linef("%s #%d of %s", r.Workflow, r.Number, r.Ref.Scope)
	t.word = fmt.Sprint(r.Number)
	t.now = clean.Linef("%s, %s", r.State, r.Commit.Title)
}

// facts are what the gates may look at of what is no change of version.
func (r *Runner) facts(q Request, t target, a Access) policy.Facts {
	s := r.o.Snapshot()
	f := r.common(s, q, t.service, a)
	if i := t.incident; i != nil {
		f.Mine = i.Mine
		if i.State == sources.Acknowledged && !i.Mine {
			f.HeldBy = i.Holder.String()
		}
		f.Alerting = alerting(s, i)
	}
	if t.run != nil {
		f.Deploys, f.Mine = t.run.Deploys, t.run.Mine
		f.Run = &policy.RunFacts{Workflow: t.run.Workflow.String(), Branch: t.run.Branch.String(), Event: t.run.Event, Attempt: t.run.Attempt}
	}
	return f
}

// alerting reports that something behind the incident still alerts: a monitor or an alert that it shares a
// key with.
func alerting(s *store.Snapshot, i *sources.Incident) bool {
	keys := make(map[string]bool, len(i.Keys))
	for _, k := range i.Keys {
		keys[k] = true
	}
	shares := func(list []string) bool {
		for _, k := range list {
			if keys[k] {
				return true
			}
		}
		return false
	}
	for m := range s.Monitors() {
		if m.State == sources.MonitorAlert && shares(m.Keys) {
			return true
		}
	}
	for o := range s.Incidents() {
		if o.Kind == sources.AlertIncident && o.State != sources.Resolved && shares(o.Keys) {
			return true
		}
	}
	return false
}

// answered reports that every feed of a capability has answered, and that there is one.
func answered(s *store.Snapshot, c store.Capability) bool {
	some := false
	for f := range s.FeedsOf(c) {
		if f.Health.LastGood.IsZero() {
			return false
		}
		some = true
	}
	return some
}
