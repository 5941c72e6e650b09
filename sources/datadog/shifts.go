package datadog

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

type teamPage struct {
	Data some[wireTeam] `json:"data"`
}

type wireTeam struct {
	ID         text `json:"id"`
	Attributes struct {
		Handle text `json:"handle"`
		Name   text `json:"name"`
	} `json:"attributes"`
}

func (p *teamPage) valid() error {
	if !p.Data.Given {
		return unlike("list of teams")
	}
	return nil
}

// teamOnCall are those of a team who are on call: the first to be paged, and the steps after them.
type teamOnCall struct {
	Data *struct {
		Relations struct {
			Responders  links `json:"responders"`
			Escalations links `json:"escalations"`
		} `json:"relationships"`
	} `json:"data"`
	Included some[included] `json:"included"`
}

func (t *teamOnCall) valid() error {
	if t.Data == nil {
		return unlike("team")
	}
	return nil
}

type wireSchedule struct {
	ID         text `json:"id"`
	Attributes struct {
		Name text `json:"name"`
		Zone text `json:"time_zone"`
	} `json:"attributes"`
	Relations struct {
		Teams links `json:"teams"`
	} `json:"relationships"`
}

type oneSchedule struct {
	Data     wireSchedule   `json:"data"`
	Included some[included] `json:"included"`
}

func (o *oneSchedule) valid() error {
	if o.Data.ID == "" {
		return unlike("schedule")
	}
	return nil
}

type schedulePage struct {
	Data some[wireSchedule] `json:"data"`
}

func (p *schedulePage) valid() error {
	if !p.Data.Given {
		return unlike("list of schedules")
	}
	return nil
}

// scheduledUser is a turn of a schedule. While nobody is on call it has no user.
type scheduledUser struct {
	Data *struct {
		Attributes struct {
			Start stamp `json:"start"`
			End   stamp `json:"end"`
		} `json:"attributes"`
		Relations struct {
			User links `json:"user"`
		} `json:"relationships"`
	} `json:"data"`
	Included some[included] `json:"included"`
}

func (u *scheduledUser) valid() error {
	if u.Data == nil {
		return unlike("shift")
	}
	return nil
}

const (
	teamPageSize = 100
	// rosterFor is how long teams and schedules are believed to be what they were.
	rosterFor = 15 * time.Minute
)

// team is one whose shifts are shown.
type team struct{ id, handle, name string }

// ListShifts lists who is on call for the configured teams and schedules; without any, for the teams of
// the key's owner. Each team is one request and each schedule two.
func (s *source) ListShifts(ctx context.Context, q sources.Query) (sources.Batch[sources.Shift], error) {
	return list(ctx, s, "shifts", q, func(ctx context.Context) (sources.Batch[sources.Shift], error) {
		var notices noticeBox
		b := sources.Batch[sources.Shift]{Items: []sources.Shift{}}
		teams, err := s.teams(ctx, &notices)
		if err != nil {
			return b, err
		}
		schedules, err := s.schedules(ctx, &notices)
		if err != nil {
			return b, err
		}
		found := make([][]sources.Shift, len(teams)+len(schedules))
		index := make([]int, len(found))
		for i := range index {
			index[i] = i
		}
		err = each(ctx, index, func(ctx context.Context, i int) error {
			var err error
			var what string
			if i < len(teams) {
				what = "who is on call for " + teams[i].name
				found[i], err = s.teamShifts(ctx, teams[i], q.Identity)
			} else {
				one := schedules[i-len(teams)]
				what = "who is on call in " + string(one.Attributes.Name)
				found[i], err = s.scheduleShifts(ctx, one, q.Identity)
			}
			if gone(err) && i < len(teams) {
				return nil // it is not a team of On-Call's
			}
			if only := len(found) == 1; only {
				return err
			}
			return notices.part(ctx, "", what, err)
		})
		if err != nil {
			return b, err
		}
		b.Items = unique(slices.Concat(found...))
		b.Notices = notices.list()
		return b, nil
	})
}

// unique leaves out a shift that was found twice: by its team and by its schedule.
func unique(all []sources.Shift) []sources.Shift {
	seen := map[sources.Ref]bool{}
	out := []sources.Shift{}
	for _, sh := range all {
		if !seen[sh.Ref] {
			seen[sh.Ref] = true
			out = append(out, sh)
		}
	}
	return out
}

// teams are the configured ones, by id or handle, or else those of the key's owner.
func (s *source) teams(ctx context.Context, notices *noticeBox) ([]team, error) {
	if len(s.cfg.Teams) == 0 && len(s.cfg.Schedules) > 0 {
		return nil, nil
	}
	known, err := keep(ctx, s, "teams", rosterFor, func(ctx context.Context) ([]team, error) { return s.allTeams(ctx, len(s.cfg.Teams) == 0) })
	if err != nil {
		return nil, err
	}
	if len(s.cfg.Teams) == 0 {
		if len(known) == 0 {
			notices.add(sources.Notice{
				Kind: sources.NotExist, Text: clean.Const("the key's owner is in no team: nobody's shifts are shown"),
				Fix: clean.Const("name teams: or schedules: in the config"),
			})
		}
		return known, nil
	}
	var out []team
	for _, want := range s.cfg.Teams {
		i := slices.IndexFunc(known, func(t team) bool {
			return strings.EqualFold(t.id, want) || strings.EqualFold(t.handle, want) || strings.EqualFold(t.name, want)
		})
		switch {
		case i >= 0:
			out = append(out, known[i])
		case uuidForm.MatchString(want):
			out = append(out, team{id: want, name: want})
		default:
			notices.add(sources.Notice{
				Kind: sources.NotExist, Text: clean.Linef("Datadog has no team %s", want), Fix: clean.Const("check teams: in the config: a handle or an id"),
			})
		}
	}
	return out, nil
}

func (s *source) allTeams(ctx context.Context, mine bool) ([]team, error) {
	out := []team{}
	for page := range mostPages {
		query := url.Values{"page[size]": {strconv.Itoa(teamPageSize)}, "page[number]": {strconv.Itoa(page)}, "sort": {"name"}}
		if mine {
			query.Set("filter[me]", "true")
		}
		p, err := fetch[teamPage](ctx, s, call{op: opTeams, query: query})
		if err != nil {
			return nil, err
		}
		for _, w := range p.Data.Items {
			if w.ID == "" {
				continue
			}
			handle := plain(w.Attributes.Handle)
			out = append(out, team{id: plain(w.ID), handle: handle, name: cmp.Or(plain(w.Attributes.Name), handle)})
		}
		if len(p.Data.Items)+p.Data.Bad < teamPageSize {
			break
		}
	}
	return out, nil
}

// schedules are the configured ones, by id or name.
func (s *source) schedules(ctx context.Context, notices *noticeBox) ([]wireSchedule, error) {
	var out []wireSchedule
	for _, want := range s.cfg.Schedules {
		one, err := keep(ctx, s, "schedule "+want, rosterFor, func(ctx context.Context) (wireSchedule, error) {
			if uuidForm.MatchString(want) {
				o, err := fetch[oneSchedule](ctx, s, call{op: opSchedule, args: []string{want}})
				if err != nil {
					return wireSchedule{}, err
				}
				return o.Data, nil
			}
			return s.scheduleNamed(ctx, want)
		})
		if err == nil {
			out = append(out, one)
			continue
		}
		if len(s.cfg.Schedules) == 1 && len(s.cfg.Teams) == 0 {
			return nil, err
		}
		if err = notices.part(ctx, "", "schedule "+want, err); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// scheduleNamed looks a schedule up by its name. Listing schedules came late to Datadog's API.
func (s *source) scheduleNamed(ctx context.Context, name string) (wireSchedule, error) {
	for page := range mostPages {
		p, err := fetch[schedulePage](ctx, s, call{op: opSchedules, query: url.Values{
			"page[size]": {strconv.Itoa(teamPageSize)}, "page[number]": {strconv.Itoa(page)}, "filter[query]": {name},
		}})
		if err != nil {
			return wireSchedule{}, err
		}
		for _, w := range p.Data.Items {
			if strings.EqualFold(string(w.Attributes.Name), name) {
				return w, nil
			}
		}
		if len(p.Data.Items)+p.Data.Bad < teamPageSize {
			break
		}
	}
	return wireSchedule{}, &sources.Error{
		Kind: sources.NotExist, Op: opSchedules.doing, Msg: fmt.Sprintf("Datadog has no schedule %q", name),
		Fix: "check schedules: in the config: a name, or the id at the end of the schedule's address",
	}
}

// responder is somebody who is on call for a team.
type responder struct {
	level int
	who   person
}

// teamShifts are those of a team: the first to be paged on level 1, each further step of the escalation on
// the next. Datadog does not say until when.
func (s *source) teamShifts(ctx context.Context, t team, identity string) ([]sources.Shift, error) {
	on, err := fetch[teamOnCall](ctx, s, call{op: opTeamOnCall, args: []string{t.id}, query: url.Values{"include": {"responders,escalations.responders"}}})
	if err != nil {
		return nil, err
	}
	var out []sources.Shift
	for _, r := range responders(on) {
		out = append(out, sources.Shift{
			Ref: s.ref(sources.KindShift, "", fmt.Sprintf("%s/%d/%s", t.id, r.level, plain(r.who.ID))),
			Who: r.who.person(), Level: r.level, Policy: clean.Line(t.name), Mine: r.who.is(identity),
			URL: s.app + "/on-call/teams/" + url.PathEscape(t.id),
		})
	}
	return out, nil
}

// responders are those of an answer, by level.
func responders(r *teamOnCall) []responder {
	who := people(r.Included.Items)
	steps := map[text]links{}
	for _, i := range r.Included.Items {
		if i.Type == "escalation_policy_steps" {
			steps[i.ID] = i.Relations.Responders
		}
	}
	levels := []links{r.Data.Relations.Responders}
	for _, e := range r.Data.Relations.Escalations {
		if next := steps[e.ID]; len(next) > 0 {
			levels = append(levels, next)
		}
	}
	if len(levels[0]) == 0 || len(levels) > 1 && slices.Equal(levels[0], levels[1]) {
		levels = levels[1:] // the first step, told twice
	}
	var out []responder
	for level, users := range levels {
		for _, u := range users {
			p := who[string(u.ID)]
			p.ID = u.ID
			out = append(out, responder{level + 1, p})
		}
	}
	return out
}

// turn is a shift of a schedule.
type turn struct {
	who        person
	start, end time.Time
}

// scheduleShifts are the one who is on call and the one after.
func (s *source) scheduleShifts(ctx context.Context, w wireSchedule, identity string) ([]sources.Shift, error) {
	id := plain(w.ID)
	turns, err := s.turns(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []sources.Shift
	for _, t := range turns {
		if t.who.isZero() {
			continue // a gap: nobody is on call
		}
		p := t.who.person()
		p.Zone = plain(w.Attributes.Zone)
		out = append(out, sources.Shift{
			Ref: s.ref(sources.KindShift, "", fmt.Sprintf("%s/%s/%s", id, p.ID, t.end.Format(time.RFC3339))),
			Who: p, Level: 1, Schedule: clean.Line(string(w.Attributes.Name)), Start: t.start, End: t.end, Mine: t.who.is(identity),
			URL: s.app + "/on-call/schedules/" + url.PathEscape(id),
		})
	}
	return out, nil
}

// turns are the one that lasts and, where it ends, the next.
func (s *source) turns(ctx context.Context, schedule string) ([]turn, error) {
	now, err := s.turnAt(ctx, schedule, time.Time{})
	if err != nil || now.end.IsZero() {
		return []turn{now}, err
	}
	next, err := s.turnAt(ctx, schedule, now.end.Add(time.Second))
	if gone(err) {
		return []turn{now}, nil
	}
	return []turn{now, next}, err
}

func (s *source) turnAt(ctx context.Context, schedule string, at time.Time) (turn, error) {
	query := url.Values{"include": {"user"}}
	if !at.IsZero() {
		query.Set("filter[at_ts]", at.UTC().Format(time.RFC3339))
	}
	u, err := fetch[scheduledUser](ctx, s, call{op: opScheduledUser, args: []string{schedule}, query: query})
	if err != nil {
		return turn{}, err
	}
	t := turn{start: u.Data.Attributes.Start.Time, end: u.Data.Attributes.End.Time}
	if user := u.Data.Relations.User.first(); user != "" {
		t.who = people(u.Included.Items)[user]
		t.who.ID = text(user)
	}
	return t, nil
}
