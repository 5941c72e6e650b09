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

// ListShifts lists who is on call now for the policies of the configured services, and at each level who is
// next within a day. Without services it lists all that the token sees.
func (s *source) ListShifts(ctx context.Context, q sources.Query) (sources.Batch[sources.Shift], error) {
	return deliver(ctx, s, "shifts", q, func(ctx context.Context) (sources.Batch[sources.Shift], error) {
		return s.readShifts(ctx, q)
	})
}

func (s *source) readShifts(ctx context.Context, q sources.Query) (sources.Batch[sources.Shift], error) {
	var b sources.Batch[sources.Shift]
	now := s.now(q)
	var policies []string
	users := map[string][]string{} // configured services, by policy
	if len(q.Services) > 0 {
		c, err := s.services(ctx, q.Services)
		if err != nil {
			return b, err
		}
		b.Notices = append(b.Notices, c.notices...)
		claimed := claimsOf(q.Services)
		for _, w := range c.services {
			name := claimed.of(w.wireRef)
			if name == "" || w.Policy == nil || known(w.Policy.ID) == "" {
				continue
			}
			if users[w.Policy.ID] == nil {
				policies = append(policies, w.Policy.ID)
			}
			if !slices.Contains(users[w.Policy.ID], name) {
				users[w.Policy.ID] = append(users[w.Policy.ID], name)
			}
		}
		if len(policies) == 0 {
			b.Notices = append(b.Notices, sources.Notice{
				Kind: sources.NotExist, Text: clean.Const("no configured service is a service of PagerDuty's: nobody's shifts are known"),
				Fix: clean.Const("add incidents: [pagerduty:ID] to a service; the id stands at the end of the address of its page in PagerDuty"),
			})
			return b, nil
		}
		slices.Sort(policies)
	}
	duties, cut, err := s.onCalls(ctx, policies, now, aheadShifts)
	if err != nil {
		return b, err
	}
	if cut {
		b.Notices = append(b.Notices, sources.Notice{Kind: sources.Unsupported, Text: clean.Const("more people are on call than can be listed"), Fix: clean.Const("name the services in the config: only theirs are listed then")})
	}
	for _, d := range current(duties, now) {
		sh := s.shift(d, users[d.policy.ID], q.Identity)
		httpx.Note(ctx, sh.Ref.ID) // which turn is the current one changes with the clock alone
		b.Items = append(b.Items, sh)
	}
	return b, nil
}

// current are the duties that last, and of each level of a policy those that come after them first.
// Duties are sorted by policy, level and start.
func current(duties []duty, now time.Time) []duty {
	var out []duty
	for i, d := range duties {
		switch {
		case !d.end.IsZero() && !d.end.After(now):
		case d.lasts(now):
			out = append(out, d)
		default:
			first := slices.IndexFunc(duties, func(o duty) bool {
				return o.policy.ID == d.policy.ID && o.level == d.level && o.start.After(now)
			})
			if first == i || first >= 0 && duties[first].start.Equal(d.start) {
				out = append(out, d)
			}
		}
	}
	return out
}

func (s *source) shift(d duty, services []string, identity string) sources.Shift {
	return sources.Shift{
		Ref:      sources.Ref{Source: s.env.Source, Kind: sources.KindShift, ID: d.id()},
		Who:      d.who,
		Level:    d.level,
		Policy:   clean.Line(d.policy.called()),
		Schedule: clean.Line(d.schedule.called()),
		Start:    d.start, End: d.end,
		Services: services,
		Mine:     isMe(d.who, identity),
		URL:      firstLink(d.schedule.HTMLURL, d.policy.HTMLURL),
	}
}

func (d duty) id() string {
	w := wireOnCall{User: &wireUser{wireRef: wireRef{ID: d.who.ID}}, Policy: &d.policy, Schedule: &d.schedule, Level: d.level, Start: stamp{d.start}}
	return onCallID(w)
}

// isMe reports whether p is whom the config names in me:, by the address that they sign in with, or by id.
func isMe(p sources.Person, identity string) bool {
	return identity != "" && (strings.EqualFold(p.Login.String(), identity) || p.ID == identity)
}

func firstLink(links ...string) string {
	for _, l := range links {
		if l = linkOf(l); l != "" {
			return l
		}
	}
	return ""
}

// now is the moment that a query looks at.
func (s *source) now(q sources.Query) time.Time {
	if q.Now.IsZero() {
		return s.env.Now()
	}
	return q.Now
}
