package pagerduty

import (
	"context"
	"net/url"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// Get re-reads an incident, a shift or a change event.
func (s *source) Get(ctx context.Context, ref sources.Ref) (any, error) {
	var (
		v   any
		err error
	)
	op := "read " + string(ref.Kind)
	switch {
	case ref.Source != s.env.Source:
		err = &sources.Error{Kind: sources.NotExist, Msg: ref.String() + " is of another source"}
	case ref.Kind == sources.KindIncident:
		v, err = s.getIncident(ctx, ref)
	case ref.Kind == sources.KindShift:
		v, err = s.getShift(ctx, ref)
	case ref.Kind == sources.KindChange:
		v, err = s.getChange(ctx, ref)
	default:
		err = &sources.Error{Kind: sources.Unsupported, Msg: "PagerDuty has no " + string(ref.Kind)}
	}
	if err != nil {
		return nil, httpx.Explain(op, "", err)
	}
	return v, nil
}

// setOf is what a list was last asked for: a Ref alone does not say what a service is, and who is me.
func (s *source) setOf() querySet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *source) getIncident(ctx context.Context, ref sources.Ref) (sources.Incident, error) {
	w, err := s.rawIncident(ctx, ref)
	if err != nil {
		return sources.Incident{}, err
	}
	return s.incidentOf(ctx, w)
}

// rawIncident reads an incident as PagerDuty tells it.
func (s *source) rawIncident(ctx context.Context, ref sources.Ref) (*wireIncident, error) {
	id, err := s.incidentID(ref)
	if err != nil {
		return nil, err
	}
	w, err := one[wireOneIncident](ctx, s, "/incidents/"+id, url.Values{"include[]": included})
	if err != nil {
		return nil, err
	}
	return w.Incident, nil
}

// incidentOf makes an incident whole: with who is on call for it now.
func (s *source) incidentOf(ctx context.Context, w *wireIncident) (sources.Incident, error) {
	set := s.setOf()
	who, err := s.rosterFor(fresh(ctx), w)
	if err != nil && fatal(ctx, err) {
		return sources.Incident{}, err
	}
	// Who is paged next is a part of the answer alone: without it the incident has no level.
	return s.converter(set.services, set.identity, who, s.env.Now()).incident(w), nil
}

// rosterFor is who is on call for one incident's policy.
func (s *source) rosterFor(ctx context.Context, w *wireIncident) (roster, error) {
	return s.rosterOf(ctx, policiesOf([]wireIncident{*w}), s.env.Now())
}

func (s *source) getShift(ctx context.Context, ref sources.Ref) (sources.Shift, error) {
	set := s.setOf()
	b, err := s.readShifts(fresh(ctx), sources.Query{Services: set.services, Identity: set.identity, Now: s.env.Now()})
	if err != nil {
		return sources.Shift{}, err
	}
	for _, sh := range b.Items {
		if sh.Ref == ref {
			return sh, nil
		}
	}
	return sources.Shift{}, &sources.Error{Kind: sources.NotExist, Msg: "the shift has ended, or somebody else took it"}
}

func (s *source) getChange(ctx context.Context, ref sources.Ref) (sources.Change, error) {
	if known(ref.ID) == "" {
		return sources.Change{}, &sources.Error{Kind: sources.NotExist, Msg: "there is no change " + oneLine(ref.ID)}
	}
	w, err := one[wireOneChange](ctx, s, "/change_events/"+ref.ID, nil)
	if err != nil {
		return sources.Change{}, err
	}
	return s.change(w.Change, claimsOf(s.setOf().services)), nil
}
