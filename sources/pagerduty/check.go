package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// Check looks at the token: whether PagerDuty takes it, whose it is and what their role may do, what it may
// read; who would act; the configured teams; the clock; and how much of the rate limit is left.
func (s *source) Check(ctx context.Context) []sources.Finding {
	var f httpx.Findings
	me, header, err := s.whose(ctx)
	if header != nil {
		s.checkClock(&f, header)
	}
	if err != nil {
		f.Fail("token", err)
		return f
	}
	switch {
	case me != nil:
		f.OK("token", "signed in as "+strings.TrimSpace(me.called()+" "+angled(me.Email)))
		checkRole(&f, "role", me.Role)
	case s.oauth():
		f.OK("token", "is accepted; it does not tell whose it is")
	default:
		f.OK("token", "a key of the whole account; PagerDuty does not tell whether it is read-only")
	}
	s.checkReads(ctx, &f)
	s.checkActor(ctx, &f, me)
	checkBudget(&f, header)
	s.checkTeams(ctx, &f)
	return f
}

func (s *source) oauth() bool { return !s.cfg.OAuthToken.IsZero() }

// checkReads tries each of the board's reads, as small as it gets.
func (s *source) checkReads(ctx context.Context, f *httpx.Findings) {
	now := s.env.Now()
	q := url.Values{"limit": {"1"}, "offset": {"0"}}
	during := clone(q)
	during.Set("since", stampOf(now.Add(-time.Minute)))
	during.Set("until", stampOf(now))
	reads := []struct {
		what, path, scope string
		q                 url.Values
		level             sources.Level // what it is when it is denied
	}{
		{"incidents", "/incidents", "incidents.read", q, sources.LevelFail},
		{"services", "/services", "services.read", q, sources.LevelFail},
		{"on-call shifts", "/oncalls", "oncalls.read", during, sources.LevelWarn},
		{"users", "/users", "users.read", q, sources.LevelWarn},
		{"change events", "/change_events", "change_events.read", during, sources.LevelWarn},
	}
	found := make([]httpx.Findings, len(reads))
	var g errgroup.Group
	g.SetLimit(2) // PagerDuty answers the requests of one token one by one
	for i, r := range reads {
		g.Go(func() error {
			if _, _, err := s.get(ctx, r.path, r.q); err != nil {
				s.denial(&found[i], r.what, r.scope, r.level, err)
			} else {
				found[i].OK(r.what, "can be read")
			}
			return nil
		})
	}
	_ = g.Wait()
	*f = append(*f, slices.Concat(found...)...)
}

func angled(address string) string {
	if address == "" {
		return ""
	}
	return "<" + address + ">"
}

// whose is the user whose token it is; nil for a token of the whole account, which PagerDuty refuses to
// name, and which another question then tells from one that is not accepted.
func (s *source) whose(ctx context.Context) (*wireUser, http.Header, error) {
	body, header, err := s.get(ctx, "/users/me", nil)
	if err == nil {
		w, err := decode[wireMe](body)
		return w.User, header, err
	}
	own := header
	switch sources.KindOf(err) {
	case sources.Invalid, sources.NotExist:
	case sources.Permission:
		if unknown(err) {
			return nil, header, err
		}
	default:
		return nil, header, err
	}
	// One that is known and may not read this either is told of by each read.
	if _, header, err = s.get(ctx, "/incidents", url.Values{"limit": {"1"}, "offset": {"0"}}); sources.KindOf(err) == sources.Permission && !unknown(err) {
		err = nil
	}
	if header == nil {
		header = own
	}
	return nil, header, err
}

// denial says what a token lacks that may not read something.
func (s *source) denial(f *httpx.Findings, what, scope string, level sources.Level, err error) {
	switch e := httpx.Explain("", "", err); {
	case e.Kind == sources.Permission && !unknown(err) && s.oauth():
		f.Add(level, what, "the token lacks the scope "+scope, "give the app that scope in PagerDuty, and take a new token")
	case e.Kind == sources.Permission && !unknown(err):
		f.Add(level, what, e.Msg, "ask an administrator to give the key's owner a role that sees them: Observer at least")
	case e.Kind == sources.Unsupported:
		f.Add(sources.LevelWarn, what, e.Msg, e.Fix)
	default:
		f.Fail(what, err)
	}
}

// unknown reports that a permission is lacking because the token itself is refused, or cannot be had, and not
// because of what was asked with it.
func unknown(err error) bool { return !errors.Is(err, errDenied) }

// checkRole tells what the roles of PagerDuty may that may not do everything.
func checkRole(f *httpx.Findings, what, role string) {
	switch role {
	case "read_only_user", "read_only_limited_user":
		f.Add(sources.LevelFail, what, "a stakeholder's: may see incidents, and neither acknowledge nor resolve any", "ask an administrator for the role Responder or User")
	case "restricted_access", "observer":
		f.Add(sources.LevelWarn, what, "restricted: may act only where a team or a service gives them more", "ask an administrator for the role Responder in your teams")
	case "":
	default:
		f.OK(what, strings.ReplaceAll(role, "_", " "))
	}
}

// checkActor looks at who would act: from:, else who `me:` is, else whose the token is.
func (s *source) checkActor(ctx context.Context, f *httpx.Findings, me *wireUser) {
	const what = "acting user"
	from, key := s.cfg.From, "from:"
	if from == "" && email.MatchString(s.env.Identity) {
		from, key = s.env.Identity, "pagerduty: below me:"
	}
	switch {
	case from == "" && me != nil && email.MatchString(me.Email):
		f.OK(what, me.Email)
		return
	case from == "":
		f.Add(sources.LevelWarn, what, "the token belongs to nobody, and neither from: nor me: says who acts",
			"write me: {pagerduty: ADDRESS}, the one with which you sign in to PagerDuty")
		return
	case me != nil && strings.EqualFold(me.Email, from):
		f.OK(what, from)
		return
	}
	u, err := s.userByEmail(ctx, from)
	switch {
	case err != nil:
		f.Fail(what, err)
	case u == nil:
		f.Add(sources.LevelFail, what, "no user signs in as "+from, "set "+key+" to the address of a user of this account")
	case me != nil:
		f.Add(sources.LevelWarn, what, key+" is "+from+", and the token is "+me.Email+"'s", "set "+key+" to "+me.Email+", or leave it out: the token says who acts")
	default:
		f.OK(what, from+", as "+key+" says")
		checkRole(f, "role of "+from, u.Role)
	}
}

func (s *source) checkTeams(ctx context.Context, f *httpx.Findings) {
	for _, id := range s.cfg.Teams {
		w, err := one[wireOneTeam](ctx, s, "/teams/"+id, nil)
		switch {
		case sources.KindOf(err) == sources.NotExist && err != nil:
			f.Add(sources.LevelFail, "team "+id, "does not exist, or is hidden from this token", "check teams: the id stands at the end of the address of the team's page")
		case err != nil:
			f.Fail("team "+id, err)
		default:
			f.OK("team "+id, w.Team.called())
		}
	}
}

func (s *source) checkClock(f *httpx.Findings, h http.Header) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	const fix = "set this machine's clock, for example with NTP"
	skew := s.env.Now().Sub(at).Abs().Round(time.Second)
	switch {
	case skew > 5*time.Minute:
		f.Add(sources.LevelFail, "clock", fmt.Sprintf("is %s off PagerDuty's", skew), fix)
	case skew > 30*time.Second:
		f.Add(sources.LevelWarn, "clock", fmt.Sprintf("is %s off PagerDuty's: ages and escalations will be wrong", skew), fix)
	default:
		f.OK("clock", "agrees with PagerDuty's")
	}
}

func checkBudget(f *httpx.Findings, h http.Header) {
	left, err := strconv.Atoi(h.Get("Ratelimit-Remaining"))
	if err != nil {
		return
	}
	limit, err := strconv.Atoi(h.Get("Ratelimit-Limit"))
	text := fmt.Sprintf("%d requests left", left)
	if err == nil {
		text = fmt.Sprintf("%d of %d requests left this minute", left, limit)
	}
	if err == nil && left < limit/10 {
		f.Add(sources.LevelWarn, "rate limit", text, "something else uses the token too: give the board one of its own")
		return
	}
	f.OK("rate limit", text)
}

// CheckScopes looks at services by their ids: whether each exists, and pages anybody.
func (s *source) CheckScopes(ctx context.Context, scopes []string) []sources.Finding {
	var f httpx.Findings
	for _, id := range scopes {
		what := "service " + id
		w, err := s.service(ctx, id)
		switch {
		case err != nil && sources.KindOf(err) == sources.NotExist:
			f.Add(sources.LevelFail, what, "does not exist, or is hidden from this token", "check incidents: the id stands at the end of the address of the service's page; signalbox init lists those that there are")
		case err != nil:
			f.Fail(what, err)
		case w.Status == "disabled":
			f.Add(sources.LevelWarn, what, w.called()+" is disabled: it pages nobody", "enable it in PagerDuty, or name another one")
		case w.Status == "maintenance":
			f.Add(sources.LevelWarn, what, w.called()+" is in maintenance: it pages nobody until that ends", "look at its maintenance window in PagerDuty")
		default:
			f.OK(what, w.called())
		}
	}
	return f
}
