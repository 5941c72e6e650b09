package alertmanager

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// answer is what one reading of the cluster brought.
type answer struct {
	groups   []wireGroup
	silences []wireSilence
	notices  []sources.Notice
}

// ListIncidents lists Alertmanager's groups of alerts: one request, a second one when any of them is
// silenced, and a small one for each further replica, to see whether it lives. The scope of the whole
// cluster is "".
func (s *source) ListIncidents(ctx context.Context, q sources.Query) (sources.Batch[sources.Incident], error) {
	return httpx.Deliver(ctx, &s.feeds, "incidents", q, func(ctx context.Context) (sources.Batch[sources.Incident], error) {
		now := q.Now
		if now.IsZero() {
			now = s.env.Now()
		}
		s.asked(q)
		a, err := s.look(ctx, now)
		if err != nil {
			return sources.Batch[sources.Incident]{}, err
		}
		return s.batch(a, q), nil
	})
}

func (s *source) batch(a answer, q sources.Query) sources.Batch[sources.Incident] {
	c := s.converter(q, a.silences)
	b := sources.Batch[sources.Incident]{Notices: a.notices}
	for _, g := range c.groupsOf(a.groups) {
		in := c.incident(g)
		if in.State == sources.Triggered && !in.Inhibited {
			b.Busy = sources.Live
		}
		b.Items = append(b.Items, in)
	}
	slices.SortFunc(b.Items, func(x, y sources.Incident) int {
		if n := y.Created.Compare(x.Created); n != 0 {
			return n
		}
		return strings.Compare(x.Ref.ID, y.Ref.ID)
	})
	if q.Limit > 0 && len(b.Items) > q.Limit {
		b.Items = b.Items[:q.Limit]
	}
	return b
}

// look reads the groups and, where they name some, the silences.
func (s *source) look(ctx context.Context, now time.Time) (answer, error) {
	groups, rd, err := read(ctx, s, func(ctx context.Context, r *replica) ([]wireGroup, error) {
		return s.readGroups(ctx, r, s.groupQuery())
	})
	if err != nil {
		return answer{}, err
	}
	kept, notices, err := s.remember(ctx, rd.replica, groups, now)
	if err != nil {
		return answer{}, err
	}
	a := answer{groups: slices.Concat(groups, kept), notices: notices}
	if anySilenced(a.groups) {
		if err := s.explainSilences(ctx, rd.replica, &a); err != nil {
			return answer{}, err
		}
	}
	a.notices = append(a.notices, rd.notices(ctx)...)
	return a, nil
}

// explainSilences reads who silenced what. It can be done without.
func (s *source) explainSilences(ctx context.Context, r *replica, a *answer) error {
	silences, err := s.readSilences(ctx, r)
	if err == nil {
		a.silences = silences
		return nil
	}
	e := httpx.Explain("", "", err)
	if e.Kind == sources.Throttled || ctx.Err() != nil {
		return e
	}
	a.notices = append(a.notices, sources.Notice{
		Kind: e.Kind, Text: clean.Line("who silenced what, and until when, is not known: " + e.Msg), Fix: clean.Line(e.Fix),
	})
	return nil
}

// asked remembers what the cluster was last listed for: a Ref alone does not say whose it is.
func (s *source) asked(q sources.Query) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.query = sources.Query{Services: q.Services, Identity: q.Identity}
}

// groupQuery asks for everything, also what is quiet.
func (s *source) groupQuery() url.Values {
	q := url.Values{}
	if s.cfg.Receiver != "" {
		q.Set("receiver", s.cfg.Receiver)
	}
	for _, f := range s.cfg.Filter {
		q.Add("filter", f)
	}
	return q
}

func (s *source) readGroups(ctx context.Context, r *replica, q url.Values) ([]wireGroup, error) {
	v, _, err := s.groups.Fetch(ctx, r.name(), func(ctx context.Context) ([]byte, error) {
		return r.get(ctx, "/api/v2/alerts/groups", q)
	}, decodeGroups)
	return v, err
}

func (s *source) readSilences(ctx context.Context, r *replica) ([]wireSilence, error) {
	v, _, err := s.silences.Fetch(ctx, r.name(), func(ctx context.Context) ([]byte, error) {
		return r.get(ctx, "/api/v2/silences", nil)
	}, decodeSilences)
	return v, err
}

func anySilenced(groups []wireGroup) bool {
	return slices.ContainsFunc(groups, func(g wireGroup) bool {
		return slices.ContainsFunc(g.Alerts, func(a wireAlert) bool { return len(a.Status.SilencedBy) > 0 })
	})
}

// past is what the cluster was last known to hold. Alertmanager keeps alerts in memory alone: one that was
// just started knows none until Prometheus repeats them, which must not look as if all had ended.
type past struct {
	groups []wireGroup // of the last answer
	at     time.Time   // of the last answer
	kept   []wireGroup // of answers before a restart, as far as the server has not told them again
	since  time.Time   // when the restarted server was started
}

// remember holds an answer against the one before. Where alerts are gone that were to last longer, it asks
// the server whether it was started in between: if so those are kept, until they are told again or their
// time is over.
func (s *source) remember(ctx context.Context, r *replica, groups []wireGroup, now time.Time) ([]wireGroup, []sources.Notice, error) {
	s.mu.Lock()
	was := s.past
	s.mu.Unlock()
	known := map[string]bool{}
	for _, g := range groups {
		for i := range g.Alerts {
			known[groupID(g.Receiver.Name, g.Labels)+g.Alerts[i].key()] = true
		}
	}
	next := past{groups: groups, at: now, kept: missing(was.kept, known, now), since: was.since}
	if gone := missing(was.groups, known, now); len(gone) > 0 {
		body, err := r.get(ctx, "/api/v2/status", nil)
		if err != nil {
			return nil, nil, err
		}
		server, err := decodeServer(body)
		if err != nil {
			return nil, nil, err
		}
		if server.Uptime.After(was.at) {
			next.kept, next.since = append(next.kept, gone...), server.Uptime.Time
		}
	}
	s.mu.Lock()
	s.past = next
	s.mu.Unlock()
	if len(next.kept) == 0 {
		return nil, nil, nil
	}
	n := 0
	for _, g := range next.kept {
		for i := range g.Alerts {
			httpx.Note(ctx, "kept "+g.Alerts[i].key())
			n++
		}
	}
	return next.kept, []sources.Notice{{
		Kind: sources.Transient,
		Text: clean.Linef("Alertmanager was started again at %s: %d alerts are shown as they were before", next.since.UTC().Format("15:04:05 UTC"), n),
		Fix:  clean.Const("wait: Prometheus tells it again within about a minute"),
	}}, nil
}

// missing are those alerts of groups that are not known and whose time is not over.
func missing(groups []wireGroup, known map[string]bool, now time.Time) []wireGroup {
	var out []wireGroup
	for _, g := range groups {
		id := groupID(g.Receiver.Name, g.Labels)
		var left []wireAlert
		for i := range g.Alerts {
			if !known[id+g.Alerts[i].key()] && g.Alerts[i].EndsAt.After(now) {
				left = append(left, g.Alerts[i])
			}
		}
		if len(left) > 0 {
			g.Alerts = left
			out = append(out, g)
		}
	}
	return out
}
