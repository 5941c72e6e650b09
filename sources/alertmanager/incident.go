package alertmanager

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// current is what one replica holds now: the groups, as the config selects them.
type current struct {
	s       *source
	replica *replica
	groups  []wireGroup
}

func (s *source) current(ctx context.Context) (*current, error) {
	groups, rd, err := read(ctx, s, func(ctx context.Context, r *replica) ([]wireGroup, error) {
		return s.readGroups(ctx, r, s.groupQuery())
	})
	if err != nil {
		return nil, err
	}
	return &current{s: s, replica: rd.replica, groups: groups}, nil
}

func (s *source) lastQuery() sources.Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.query
}

// found is one incident: a group, or a single alert of one.
type found struct {
	*current
	id    string
	group *group
	conv  *converter
}

// find looks for an incident among what is firing. Silences are read when there are some on it.
func (c *current) find(ctx context.Context, ref sources.Ref) (*found, error) {
	f := &found{current: c, id: ref.ID, conv: c.s.converter(c.s.lastQuery(), nil)}
	key, single := strings.CutPrefix(ref.ID, alertID)
	for _, g := range f.conv.groupsOf(c.groups) {
		if !single && g.id() == ref.ID {
			f.group = g
			break
		}
		i := slices.IndexFunc(g.alerts, func(a *wireAlert) bool { return single && a.key() == key })
		if i >= 0 {
			f.group = &group{receiver: g.receiver, alerts: g.alerts[i : i+1]}
			break
		}
	}
	if f.group == nil {
		return nil, c.s.goneError(ref)
	}
	if slices.ContainsFunc(f.group.alerts, func(a *wireAlert) bool { return len(a.Status.SilencedBy) > 0 }) {
		silences, err := c.s.readSilences(ctx, c.replica)
		if err != nil {
			return nil, err
		}
		f.conv = c.s.converter(c.s.lastQuery(), silences)
	}
	return f, nil
}

func (f *found) incident() sources.Incident {
	if strings.HasPrefix(f.id, alertID) {
		return f.conv.single(f.group.alerts[0])
	}
	return f.conv.incident(f.group)
}

// goneError says that an incident is not there, and whether a restart may be why.
func (s *source) goneError(ref sources.Ref) error {
	s.mu.Lock()
	kept := s.past.kept
	s.mu.Unlock()
	for _, g := range kept {
		key, _ := strings.CutPrefix(ref.ID, alertID)
		if groupID(g.Receiver.Name, g.Labels) == ref.ID || slices.ContainsFunc(g.Alerts, func(a wireAlert) bool { return a.key() == key }) {
			return &sources.Error{
				Kind: sources.Transient, Msg: "Alertmanager was started again and has not been told of this alert yet",
				Fix: "try again in a minute: Prometheus repeats what fires",
			}
		}
	}
	return &sources.Error{Kind: sources.NotExist, Msg: "nothing of it fires any more", Fix: "refresh: it has ended, or its labels have changed"}
}

// Get re-reads an incident (a group, or one alert of it) or a silence.
func (s *source) Get(ctx context.Context, ref sources.Ref) (any, error) {
	const op = "read incident"
	switch ref.Kind {
	case sources.KindIncident:
		cur, err := s.current(ctx)
		if err != nil {
			return nil, httpx.Explain(op, ref.Scope, err)
		}
		f, err := cur.find(ctx, ref)
		if err != nil {
			return nil, httpx.Explain(op, ref.Scope, err)
		}
		return f.incident(), nil
	case sources.KindSilence:
		sl, _, err := s.getSilence(ctx, ref.ID)
		if err == nil && sl.Status.State == expired {
			err = &sources.Error{Kind: sources.NotExist, Msg: fmt.Sprintf("the silence has ended at %s", sl.EndsAt.UTC().Format("15:04 UTC"))}
		}
		if err != nil {
			return nil, httpx.Explain("read silence", ref.Scope, err)
		}
		return s.converter(sources.Query{}, []wireSilence{sl}).silence(sl.ID), nil
	default:
		return nil, &sources.Error{Kind: sources.Unsupported, Op: "read", Scope: ref.Scope, Msg: fmt.Sprintf("Alertmanager has no %s", ref.Kind)}
	}
}

// getSilence reads one silence from any replica: one that does not know it may not have heard of it yet.
func (s *source) getSilence(ctx context.Context, id string) (wireSilence, *replica, error) {
	sl, rd, err := read(ctx, s, func(ctx context.Context, r *replica) (wireSilence, error) {
		body, err := r.get(ctx, "/api/v2/silence/"+url.PathEscape(id), nil)
		if err != nil {
			return wireSilence{}, err
		}
		return decodeSilence(body)
	})
	if err != nil {
		e := httpx.Explain("", "", err)
		if e.Kind == sources.NotExist || e.Kind == sources.Invalid && strings.Contains(e.Msg, "uuid") {
			e.Kind, e.Msg, e.Fix = sources.NotExist, "there is no such silence", "it may have ended long ago"
		}
		return sl, nil, e
	}
	return sl, rd.replica, nil
}

// maxLog bounds how many alerts an incident's log tells the beginning of.
const maxLog = 200

// ReadIncident reads a group: its alerts, and its silences, those that have ended too, as its log.
func (s *source) ReadIncident(ctx context.Context, ref sources.Ref) (sources.IncidentDetail, error) {
	const op = "read incident"
	if ref.Kind != sources.KindIncident {
		return sources.IncidentDetail{}, &sources.Error{Kind: sources.Unsupported, Op: op, Msg: fmt.Sprintf("a %s is no incident", ref.Kind)}
	}
	cur, err := s.current(ctx)
	if err != nil {
		return sources.IncidentDetail{}, httpx.Explain(op, ref.Scope, err)
	}
	f, err := cur.find(ctx, ref)
	if err != nil {
		return sources.IncidentDetail{}, httpx.Explain(op, ref.Scope, err)
	}
	a := answer{}
	if err := s.explainSilences(ctx, cur.replica, &a); err != nil {
		return sources.IncidentDetail{}, httpx.Explain(op, ref.Scope, err)
	}
	f.conv = s.converter(s.lastQuery(), a.silences)
	d := sources.IncidentDetail{Incident: f.incident(), Notices: a.notices}
	shared := common(f.group.alerts)
	if len(f.group.alerts) == 1 {
		shared = nil
	}
	for _, al := range f.group.alerts {
		d.Alerts = append(d.Alerts, f.conv.alert(al, shared))
	}
	d.Log = f.log(a.silences)
	return d, nil
}

// log is what is known of an incident's past: when its alerts began, and who silenced them.
func (f *found) log(silences []wireSilence) []sources.LogEntry {
	var log []sources.LogEntry
	for i, a := range f.group.alerts {
		if i == maxLog {
			break
		}
		log = append(log, sources.LogEntry{At: a.StartsAt.Time, Kind: "triggered", Text: f.conv.title(&group{alerts: []*wireAlert{a}})})
	}
	now := f.s.env.Now()
	for _, sl := range silences {
		c, err := compile(sl.Matchers)
		if err != nil || !slices.ContainsFunc(f.group.alerts, func(a *wireAlert) bool { return c.match(a.Labels) }) {
			continue
		}
		by := clean.Line(sl.CreatedBy)
		log = append(log, sources.LogEntry{
			At: sl.StartsAt.Time, Kind: "acknowledged", Who: by, Via: clean.Const("silence"),
			Text: clean.Linef("silenced until %s: %s", sl.EndsAt.UTC().Format("Jan 2 15:04 UTC"), sl.Comment),
		})
		if sl.Status.State == expired || sl.EndsAt.Before(now) {
			log = append(log, sources.LogEntry{At: sl.EndsAt.Time, Kind: "unacknowledged", Via: clean.Const("silence"), Text: clean.Linef("the silence of %s ended", by)})
		}
	}
	slices.SortStableFunc(log, func(a, b sources.LogEntry) int { return a.At.Compare(b.At) })
	return log
}
