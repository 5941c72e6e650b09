package pagerduty

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

const (
	// rosterFor is how long the list of who is on call is believed for the escalations of incidents. Shifts
	// are read anew each time, and renew it.
	rosterFor = time.Minute
	// policiesAtOnce keeps an address short enough for every proxy in between.
	policiesAtOnce = 40
	aheadShifts    = 24 * time.Hour
	// aheadNext is how far ahead the on-calls of open incidents are read: escalations are minutes away.
	aheadNext       = 2 * time.Hour
	mostOnCallPages = 30
)

// duty is somebody's turn at one level of one policy.
type duty struct {
	who      sources.Person
	level    int
	policy   wireRef
	schedule wireRef
	start    time.Time // zero: always
	end      time.Time // zero: open
}

func (d duty) lasts(at time.Time) bool {
	return !d.start.After(at) && (d.end.IsZero() || d.end.After(at))
}

// roster is who is on call, by the id of the policy.
type roster map[string][]duty

// at are those on call at one level at a time, each once.
func (r roster) at(policy string, level int, at time.Time) []sources.Person {
	var out []sources.Person
	for _, d := range r[policy] {
		if d.level == level && d.lasts(at) && !slices.ContainsFunc(out, func(p sources.Person) bool { return p.ID == d.who.ID }) {
			out = append(out, d.who)
		}
	}
	return out
}

// last is the highest level that anybody is on call at.
func (r roster) last(policy string) int {
	top := 0
	for _, d := range r[policy] {
		top = max(top, d.level)
	}
	return top
}

// next is the level that follows: after the last, a policy begins anew.
func (r roster) next(policy string, level int) int {
	if level >= r.last(policy) {
		return 1
	}
	return level + 1
}

// levelOf is the level whose people an incident is assigned to; 0 when that cannot be told. Somebody who is on
// call at several is taken to have been paged at the first, unless they were paged long after the incident
// began: then at the next.
func (r roster) levelOf(w *wireIncident, now time.Time) int {
	if w.Policy == nil || w.AssignedVia == "direct_assignment" || len(w.Assignments) == 0 {
		return 0
	}
	var levels []int
	for _, d := range r[w.Policy.ID] {
		if !d.lasts(now) || slices.Contains(levels, d.level) {
			continue
		}
		for _, a := range w.Assignments {
			if a.Assignee.ID == d.who.ID {
				levels = append(levels, d.level)
				break
			}
		}
	}
	if len(levels) == 0 {
		return 0
	}
	slices.Sort(levels)
	late := w.Assignments[0].At.Sub(w.CreatedAt.Time) > time.Minute
	if len(levels) > 1 && late && levels[0] == 1 && !w.CreatedAt.IsZero() {
		return levels[1]
	}
	return levels[0]
}

// rostered is what is known of one policy, and since when.
type rostered struct {
	duties []duty
	at     time.Time
}

// onCalls reads who is on call for policies (none: for all that the token sees) from now on for ahead.
func (s *source) onCalls(ctx context.Context, policies []string, now time.Time, ahead time.Duration) (duties []duty, cut bool, err error) {
	for part := range slices.Chunk(append([]string(nil), policies...), policiesAtOnce) {
		more, partCut, err := s.onCallsOf(ctx, part, now, ahead)
		if err != nil {
			return nil, false, err
		}
		duties, cut = append(duties, more...), cut || partCut
	}
	if len(policies) == 0 {
		duties, cut, err = s.onCallsOf(ctx, nil, now, ahead)
	}
	if err != nil || cut {
		return duties, cut, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := roster{}
	for _, d := range duties {
		found[d.policy.ID] = append(found[d.policy.ID], d)
	}
	for _, id := range policies {
		s.rosters[id] = rostered{found[id], s.env.Now()}
	}
	return duties, cut, nil
}

func (s *source) onCallsOf(ctx context.Context, policies []string, now time.Time, ahead time.Duration) (duties []duty, cut bool, err error) {
	q := url.Values{
		"include[]": {"users", "escalation_policies", "schedules"},
		"since":     {stampOf(now)}, "until": {stampOf(now.Add(ahead))},
	}
	if len(policies) > 0 {
		q["escalation_policy_ids[]"] = policies
	}
	key := "oncalls " + ahead.String()
	for _, p := range policies {
		key += " " + p
	}
	odd := false // a turn on no level would make somebody else the next who is paged
	all, cut, err := pages[wireOnCalls](ctx, s, key, "/oncalls", q, 0, mostOnCallPages, func(w wireOnCall) string {
		odd = odd || w.Level < 1
		return onCallID(w)
	})
	if err == nil && odd {
		err = unlike()
	}
	if err != nil {
		return nil, false, err
	}
	for _, w := range all {
		duties = append(duties, s.duty(w))
	}
	slices.SortStableFunc(duties, func(a, b duty) int {
		return cmp.Or(cmp.Compare(a.policy.ID, b.policy.ID), cmp.Compare(a.level, b.level), a.start.Compare(b.start), cmp.Compare(a.who.ID, b.who.ID))
	})
	return duties, cut, nil
}

// onCallID is what tells a turn from others: PagerDuty gives turns no identity.
func onCallID(w wireOnCall) string {
	if w.User == nil || w.Policy == nil || known(w.User.ID) == "" || known(w.Policy.ID) == "" || w.Level < 1 {
		return ""
	}
	id := w.Policy.ID + "." + strconv.Itoa(w.Level) + "." + w.User.ID
	if w.Schedule != nil && known(w.Schedule.ID) != "" {
		id += "." + w.Schedule.ID
	}
	if !w.Start.IsZero() {
		id += "." + w.Start.Format("20060102T150405Z")
	}
	return id
}

func (s *source) duty(w wireOnCall) duty {
	d := duty{who: s.person(*w.User), level: w.Level, policy: *w.Policy, start: w.Start.Time, end: w.End.Time}
	if w.Schedule != nil {
		d.schedule = *w.Schedule
	}
	return d
}

// rosterOf is who is on call for the escalations of incidents: from what was read within the last minute,
// and by as few requests as there are parts that lack.
func (s *source) rosterOf(ctx context.Context, policies []string, now time.Time) (roster, error) {
	out := roster{}
	var lack []string
	wall := s.env.Now()
	s.mu.Lock()
	for _, id := range policies {
		if k, ok := s.rosters[id]; ok && wall.Sub(k.at).Abs() < rosterFor && !isFresh(ctx) {
			out[id] = k.duties
		} else {
			lack = append(lack, id)
		}
	}
	s.mu.Unlock()
	if len(lack) == 0 {
		return out, nil
	}
	duties, _, err := s.onCalls(httpx.WithTrace(ctx, nil), lack, now, aheadNext)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, id := range lack { // better what was true a while ago than nothing
			if k, ok := s.rosters[id]; ok && !isFresh(ctx) {
				out[id] = k.duties
			}
		}
		return out, err
	}
	for _, d := range duties {
		out[d.policy.ID] = append(out[d.policy.ID], d)
	}
	return out, nil
}

type freshKey struct{}

// fresh makes every read below ctx ask PagerDuty.
func fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

func isFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }

// person is a user as others see them.
func (s *source) person(u wireUser) sources.Person {
	return sources.Person{ID: u.ID, Name: clean.Line(u.called()), Login: clean.Line(u.Email), Zone: s.zones.iana(u.TimeZone)}
}
