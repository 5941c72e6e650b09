package datadog

import (
	"context"
	"net/url"
	"strconv"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// explained is err with what was done and to what.
func explained(op string, ref sources.Ref, err error) error {
	e := httpx.Explain(op, ref.ID, err)
	if e.Scope == "" {
		e.Scope = ref.ID
	}
	return e
}

// Get re-reads one monitor, incident, objective, downtime or change. On-Call pages, and series, cannot be
// read by their ids.
func (s *source) Get(ctx context.Context, ref sources.Ref) (any, error) {
	v, err := s.object(fresh(ctx), ref)
	if err != nil {
		return nil, explained("read "+string(ref.Kind), ref, err)
	}
	return v, nil
}

func (s *source) object(ctx context.Context, ref sources.Ref) (any, error) {
	if ref.Source != s.env.Source {
		return nil, &sources.Error{Kind: sources.NotExist, Msg: "it is an object of " + ref.Source}
	}
	switch ref.Kind {
	case sources.KindMonitor:
		return s.getMonitor(ctx, ref.ID)
	case sources.KindIncident:
		if !uuidForm.MatchString(ref.ID) {
			return nil, &sources.Error{Kind: sources.NotExist, Msg: ref.ID + " is no incident's id"}
		}
		one, err := s.getIncident(ctx, ref.ID)
		if err != nil {
			return nil, err
		}
		return s.incident(&one.Data, one.Included.Items, s.owners(s.services("incidents")), ""), nil
	case sources.KindSLO:
		return s.getSLO(ctx, ref.ID)
	case sources.KindSilence:
		d, err := s.getDowntime(ctx, ref.ID)
		if err != nil {
			return nil, err
		}
		return s.silence(d), nil
	case sources.KindChange:
		return s.getChange(ctx, ref)
	case sources.KindPage:
		return nil, unreadable()
	default:
		return nil, &sources.Error{Kind: sources.Unsupported, Msg: "Datadog cannot be asked for one " + string(ref.Kind)}
	}
}

// unreadable is why nothing can be said of an On-Call page.
func unreadable() error {
	return &sources.Error{
		Kind: sources.Unsupported, Msg: "On-Call pages cannot be read back: Datadog's API takes verbs on them and tells nothing of them",
		Fix: "look at the page in Datadog, under On-Call, Pages",
	}
}

func (s *source) getMonitor(ctx context.Context, id string) (sources.Monitor, error) {
	w, err := s.oneMonitor(ctx, id)
	if err != nil {
		return sources.Monitor{}, err
	}
	var unread noticeBox // who muted it is worth less than the monitor
	quiet, err := s.downtimes(ctx, &unread)
	if err = unread.part(ctx, "", "", err); err != nil {
		return sources.Monitor{}, err
	}
	return s.monitor(w, s.owners(s.services("monitors")), quiet), nil
}

func (s *source) oneMonitor(ctx context.Context, id string) (*wireMonitor, error) {
	if _, err := strconv.ParseInt(id, 10, 64); err != nil {
		return nil, &sources.Error{Kind: sources.NotExist, Msg: clean.Line(id).String() + " is no monitor's id"}
	}
	return fetch[wireMonitor](ctx, s, call{op: opMonitor, args: []string{id}, query: url.Values{
		"group_states": {notWell}, "with_downtimes": {"true"},
	}})
}

func (s *source) getDowntime(ctx context.Context, id string) (quiet, error) {
	if !uuidForm.MatchString(id) {
		return quiet{}, &sources.Error{Kind: sources.NotExist, Msg: clean.Line(id).String() + " is no downtime's id"}
	}
	o, err := fetch[oneDowntime](ctx, s, call{op: opDowntime, args: []string{id}, query: url.Values{"include": {"created_by"}}})
	if err != nil {
		return quiet{}, err
	}
	return quiet{&o.Data, people(o.Included.Items)[o.Data.Relations.By.first()]}, nil
}

func (s *source) getChange(ctx context.Context, ref sources.Ref) (sources.Change, error) {
	own := s.owners(s.services("changes"))
	if ref.Scope == doraScope {
		o, err := fetch[oneDeployment](ctx, s, call{op: opDeployment, args: []string{ref.ID}})
		if err != nil {
			return sources.Change{}, err
		}
		return s.deployment(&o.Data, own), nil
	}
	e, err := s.getEvent(ctx, ref.ID)
	if err != nil {
		return sources.Change{}, err
	}
	at := e.Event
	return sources.Change{
		Ref: ref, Service: own.of(tagged(at.Tags, own.tag)...), Kind: kindOf("", at.Tags), Title: clean.Line(string(at.Title)), At: at.At.Time, URL: plain(at.URL),
		Version: sources.Version{Tag: clean.Line(first(at.Tags, "version"))}, Env: plain(first(at.Tags, s.cfg.EnvTag)),
	}, nil
}

// eventReply is one event of version 1: what posting one answers, and reading it.
type eventReply struct {
	Status text `json:"status"`
	Event  struct {
		ID    text  `json:"id_str"`
		Num   text  `json:"id"`
		Title text  `json:"title"`
		At    stamp `json:"date_happened"`
		Tags  words `json:"tags"`
		URL   text  `json:"url"`
	} `json:"event"`
}

func (e *eventReply) valid() error {
	if e.Event.ID == "" && e.Event.Num == "" {
		return unlike("event")
	}
	return nil
}

// getEvent reads an event by its number. The ids that version 2 gives to what has none are not taken.
func (s *source) getEvent(ctx context.Context, id string) (*eventReply, error) {
	if _, err := strconv.ParseUint(id, 10, 64); err != nil {
		return nil, &sources.Error{Kind: sources.Unsupported, Msg: "Datadog cannot be asked for this one event"}
	}
	return fetch[eventReply](ctx, s, call{op: opEvent, args: []string{id}})
}
