package datadog

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// validation is whether Datadog takes the API key.
type validation struct {
	Valid bool `json:"valid"`
}

func (v *validation) valid() error {
	if !v.Valid {
		return &sources.Error{Kind: sources.Permission, Msg: "Datadog does not accept the API key"}
	}
	return nil
}

// noSuchTeam is a team that nobody has: who may read on-call shifts is told that there is none.
const noSuchTeam = "00000000-0000-0000-0000-000000000000"

// probe is one read that the board does, as small as it gets.
type probe struct {
	what  string
	level sources.Level // what it is when it is denied
	call  call
	// absent reports that "not found" is an answer.
	absent bool
}

func (s *source) probes(now time.Time) []probe {
	ms := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	sec := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	ago := now.Add(-5 * time.Minute)
	deployments := &deploymentsRequest{deploymentsAsk{"dora_deployments_list_request", deploymentsFilters{
		From: ago.UTC(), To: now.UTC(), Limit: 1, Sort: "-started_at",
	}}}
	return []probe{
		{"metrics", sources.LevelFail, call{op: opQuery, query: url.Values{"from": {sec(ago)}, "to": {sec(now)}, "query": {"avg:system.load.1{*}"}}}, false},
		{"monitors", sources.LevelFail, call{op: opMonitors, query: url.Values{"page": {"0"}, "page_size": {"1"}}}, false},
		{"SLOs", sources.LevelWarn, call{op: opSLOs, query: url.Values{"page[size]": {"1"}, "page[number]": {"0"}}}, false},
		{"incidents", sources.LevelWarn, call{op: opIncidents, query: url.Values{"query": {openIncidents}, "page[size]": {"1"}}}, false},
		{"downtimes", sources.LevelWarn, call{op: opDowntimes, query: url.Values{"current_only": {"true"}, "page[limit]": {"1"}}}, false},
		{"teams", sources.LevelWarn, call{op: opTeams, query: url.Values{"page[size]": {"1"}}}, false},
		{"on-call shifts", sources.LevelWarn, call{op: opTeamOnCall, args: []string{noSuchTeam}}, true},
		{"events", sources.LevelWarn, call{op: opEvents, query: url.Values{
			"filter[query]": {changeEvents}, "filter[from]": {ms(ago)}, "filter[to]": {ms(now)}, "page[limit]": {"1"},
		}}, false},
		{"deployments (DORA)", sources.LevelWarn, call{op: opDeployments, body: deployments}, false},
		{"service definitions", sources.LevelWarn, call{op: opDefinitions, query: url.Values{"page[size]": {"1"}}}, false},
	}
}

// Check looks at the keys: whether Datadog takes them at this site, what they may read, how much of each
// rate limit is left; and at the clock.
func (s *source) Check(ctx context.Context) []sources.Finding {
	var f httpx.Findings
	if !s.checkKey(ctx, &f) {
		return f
	}
	now := s.env.Now()
	probes := s.probes(now)
	found := make([]httpx.Findings, len(probes))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, p := range probes {
		g.Go(func() error {
			s.probe(ctx, &found[i], p)
			return nil
		})
	}
	_ = g.Wait()
	f = append(f, slices.Concat(found...)...)
	f.OK("on-call pages", "whether the key may act on them (on_call_page) only an attempt tells; they are reached at "+s.pagingAddress())
	return f
}

func (s *source) pagingAddress() string {
	if s.host != nil {
		return s.host.Host
	}
	return s.pagingHost()
}

// checkKey reports whether it makes sense to look further.
func (s *source) checkKey(ctx context.Context, f *httpx.Findings) bool {
	what := "API key at " + s.where()
	if !s.cfg.AccessToken.IsZero() {
		if _, err := s.connect(ctx); err != nil {
			f.Fail("access token", err)
			return false
		}
		return true // only an API key can be asked about; the reads below tell of a token
	}
	a, err := s.ask(ctx, call{op: opValidate})
	if a.header != nil {
		checkClock(f, a.header, s.env.Now())
	}
	if err == nil {
		_, err = decode[validation](opValidate, a.body)
	}
	if err != nil {
		e := httpx.Explain("", "", err)
		if e.Kind == sources.Permission && a.status != 0 {
			e.Msg = "Datadog does not accept the API key at " + s.where()
			e.Fix = "check site: (a key is good at one site alone: " + siteNames() + "), then api_key:"
		}
		f.Fail(what, e)
		return false
	}
	f.OK(what, "is accepted")
	return true
}

func checkClock(f *httpx.Findings, h http.Header, now time.Time) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	skew := now.Sub(at).Abs()
	switch {
	case skew > 5*time.Minute:
		f.Add(sources.LevelFail, "clock", fmt.Sprintf("is %s off Datadog's", skew.Round(time.Second)), "set this machine's clock, for example with NTP")
	case skew > 30*time.Second:
		f.Add(sources.LevelWarn, "clock", fmt.Sprintf("is %s off Datadog's: ages will be wrong", skew.Round(time.Second)), "set this machine's clock, for example with NTP")
	default:
		f.OK("clock", "agrees with Datadog's")
	}
}

func (s *source) probe(ctx context.Context, f *httpx.Findings, p probe) {
	a, err := s.ask(ctx, p.call)
	checkBudget(f, p.what, a.header)
	switch {
	case err == nil, p.absent && gone(err):
		f.OK(p.what, "can be read")
		return
	case gone(err):
		f.Add(p.level, p.what, "Datadog offers none here", "check that the account has this product")
		return
	}
	e := httpx.Explain("", "", err)
	if refused, ok := errors.AsType[*statusError](err); ok && refused.status == http.StatusForbidden && p.call.op.need != "" {
		e.Msg = "the key lacks " + p.call.op.need
		e.Fix = "give the application key the scope " + p.call.op.need + ", or its owner a role with that permission: " + s.app + "/organization-settings/roles"
	}
	f.FailAs(p.level, p.what, e)
}

// checkBudget warns of a rate limit that is nearly used up.
func checkBudget(f *httpx.Findings, what string, h http.Header) {
	limit, err1 := strconv.Atoi(h.Get("X-Ratelimit-Limit"))
	left, err2 := strconv.Atoi(h.Get("X-Ratelimit-Remaining"))
	if err1 != nil || err2 != nil || limit <= 0 || left >= limit/5 {
		return
	}
	detail := fmt.Sprintf("%d of %d requests left", left, limit)
	if p := h.Get("X-Ratelimit-Period"); p != "" {
		detail += " of every " + p + " s"
	}
	f.Add(sources.LevelWarn, what+": rate limit", detail, "something else uses this key: give signalbox one of its own")
}

// CheckScopes looks at each service: whether any monitor carries its tag.
func (s *source) CheckScopes(ctx context.Context, scopes []string) []sources.Finding {
	found := make([]httpx.Findings, len(scopes))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, scope := range scopes {
		g.Go(func() error {
			s.checkService(ctx, &found[i], scope)
			return nil
		})
	}
	_ = g.Wait()
	return slices.Concat(found...)
}

func (s *source) checkService(ctx context.Context, f *httpx.Findings, service string) {
	tag := s.cfg.ServiceTag + ":" + s.tagOf(service)
	p, err := fetch[monitorPage](fresh(ctx), s, call{op: opMonitors, query: url.Values{"monitor_tags": {tag}, "page": {"0"}, "page_size": {"1"}}})
	switch {
	case err != nil:
		f.Fail(service, err)
	case len(p.Items) == 0:
		f.Add(sources.LevelWarn, service, "no monitor carries the tag "+tag, "tag its monitors, or name the tag's value in incidents: of the service")
	default:
		f.OK(service, "monitors carry the tag "+tag)
	}
}
