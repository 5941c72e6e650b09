package github

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// Check looks at each credential: whether GitHub takes it, whose it is, what it may, until when, how much
// of its budget is left; and at the clock and the version of the API.
func (s *source) Check(ctx context.Context) []sources.Finding {
	var f httpx.Findings
	for _, owner := range s.owners() {
		s.checkCredential(ctx, &f, owner)
	}
	return f
}

// owners are those that a credential is configured for; "" is the one for all others.
func (s *source) owners() []string {
	owners := slices.Sorted(maps.Keys(s.cfg.Credentials))
	if !s.cfg.Token.IsZero() || s.cfg.App != nil {
		owners = append([]string{""}, owners...)
	}
	return owners
}

// CheckScopes looks at each repository: whether it can be read at all, and its runs, deployments
// and tags, which need permissions of their own; whether it was renamed or archived.
func (s *source) CheckScopes(ctx context.Context, scopes []string) []sources.Finding {
	found := make([]httpx.Findings, len(scopes))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, scope := range scopes {
		g.Go(func() error {
			s.checkRepo(ctx, &found[i], scope)
			return nil
		})
	}
	_ = g.Wait()
	return slices.Concat(found...)
}

func (s *source) checkCredential(ctx context.Context, f *httpx.Findings, owner string) {
	what := "credential"
	if owner != "" {
		what += " for " + owner
	}
	c, err := s.connFor(ctx, owner)
	if err != nil {
		f.Fail(what, err)
		return
	}
	path := "user"
	if c.app != nil {
		path = "installation/repositories?per_page=1"
	}
	var who struct {
		Login string `json:"login"`
		Total int    `json:"total_count"`
	}
	h, err := c.look(ctx, path, &who)
	if h != nil {
		checkClock(f, h, s.env.Now())
	}
	if err != nil {
		f.Fail(what, err)
		return
	}
	if c.app != nil {
		f.OK(what, fmt.Sprintf("App installation %d, %d repositories", c.app.app.Installation, who.Total))
	} else {
		f.OK(what, "signed in as "+who.Login)
	}
	if c.app != nil {
		checkPermissions(f, what, c.app.permissions())
	} else {
		checkScopes(f, what, h)
	}
	checkExpiry(f, what, h, s.env.Now())
	checkBudget(f, what, h)
	if v := h.Get("X-Github-Enterprise-Version"); v != "" {
		f.OK("GitHub Enterprise Server", v)
	}
	if v := h.Get("X-Github-Api-Version-Selected"); v != "" {
		f.OK("API version", v)
	}
	if c.app == nil {
		c.checkSSO(ctx, f, what)
	}
}

// look reads one page with its headers, also those of a refusal.
func (c *conn) look(ctx context.Context, path string, v any) (http.Header, error) {
	req, err := c.client.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	res, err := c.client.BareDo(ctx, req)
	if err != nil {
		if res == nil || res.Response == nil {
			return nil, fmt.Errorf("ask for %s: %w", path, err)
		}
		return res.Header, c.explain("", "", res, err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(v); err != nil {
		return res.Header, fmt.Errorf("decode %s: %w", path, err)
	}
	return res.Header, nil
}

func checkClock(f *httpx.Findings, h http.Header, now time.Time) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	skew := now.Sub(at).Abs()
	switch {
	case skew > 5*time.Minute:
		f.Add(sources.LevelFail, "clock", fmt.Sprintf("is %s off GitHub's", skew.Round(time.Second)), "set this machine's clock, for example with NTP")
	case skew > 30*time.Second:
		f.Add(sources.LevelWarn, "clock", fmt.Sprintf("is %s off GitHub's: ages will be wrong", skew.Round(time.Second)), "set this machine's clock, for example with NTP")
	default:
		f.OK("clock", "agrees with GitHub's")
	}
}

// checkScopes reads a classic token's scopes, of which repo lets it read and act. Other tokens have permissions,
// which GitHub does not list.
func checkScopes(f *httpx.Findings, what string, h http.Header) {
	if len(h.Values("X-Oauth-Scopes")) == 0 {
		f.OK(what+": permissions", "GitHub does not list those of this token: reading is tried below; whether it may act (Actions and Deployments, write; Checks and Commit statuses, read) only an attempt tells")
		return
	}
	scopes := split(h.Get("X-Oauth-Scopes"))
	switch {
	case slices.Contains(scopes, "repo"):
		f.OK(what+": scopes", strings.Join(scopes, ", ")+": may read and act")
	case slices.Contains(scopes, "public_repo"):
		f.Add(sources.LevelWarn, what+": scopes", strings.Join(scopes, ", ")+": public repositories alone", "add the scope repo for private ones")
	default:
		f.Add(sources.LevelWarn, what+": scopes", firstOf(strings.Join(scopes, ", "), "none")+": it may read public data alone, and not act", "add the scope repo on github.com/settings/tokens")
	}
}

// checkPermissions tells whether an App's installation may act. What it may read is tried.
func checkPermissions(f *httpx.Findings, what string, p *gh.InstallationPermissions) {
	if p == nil {
		return
	}
	var lacks []string
	for _, one := range []struct{ name, has, needs string }{
		{"Actions", p.GetActions(), "write"}, {"Deployments", p.GetDeployments(), "write"},
		{"Checks", p.GetChecks(), "read"}, {"Commit statuses", p.GetStatuses(), "read"},
	} {
		if one.has != "write" && one.has != one.needs {
			lacks = append(lacks, one.name+" ("+one.needs+")")
		}
	}
	if len(lacks) > 0 {
		f.Add(sources.LevelWarn, what+": permissions", "too few to act: it lacks "+strings.Join(lacks, ", "), "add them on the App's settings page, and accept them for the installation")
		return
	}
	f.OK(what+": permissions", "may act")
}

func checkExpiry(f *httpx.Findings, what string, h http.Header, now time.Time) {
	v := h.Get("Github-Authentication-Token-Expiration")
	if v == "" {
		return
	}
	var at time.Time
	for _, layout := range []string{"2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", time.RFC3339} {
		if t, err := time.Parse(layout, v); err == nil {
			at = t
			break
		}
	}
	switch left := at.Sub(now); {
	case at.IsZero():
		f.OK(what+": expires", v)
	case left < 7*24*time.Hour:
		f.Add(sources.LevelWarn, what+": expires", at.UTC().Format(time.DateOnly), "make a new token on github.com/settings/tokens before then")
	default:
		f.OK(what+": expires", at.UTC().Format(time.DateOnly))
	}
}

func checkBudget(f *httpx.Findings, what string, h http.Header) {
	limit, err1 := strconv.Atoi(h.Get("X-Ratelimit-Limit"))
	left, err2 := strconv.Atoi(h.Get("X-Ratelimit-Remaining"))
	if err1 != nil || err2 != nil || limit <= 0 {
		return
	}
	detail := fmt.Sprintf("%d of %d requests left this hour", left, limit)
	if left < limit/5 {
		f.Add(sources.LevelWarn, what+": rate limit", detail, "something else uses this token: give signalbox one of its own")
		return
	}
	f.OK(what+": rate limit", detail)
}

// checkSSO asks for the organisations: those that single sign-on hides are named in a header.
func (c *conn) checkSSO(ctx context.Context, f *httpx.Findings, what string) {
	var orgs []struct {
		Login string `json:"login"`
	}
	h, err := c.look(ctx, "user/orgs?per_page=100", &orgs)
	if err != nil {
		return // a fine-grained token may not list them, and needs not to
	}
	if hidden, ok := strings.CutPrefix(h.Get("X-Github-Sso"), "partial-results; organizations="); ok {
		f.Add(sources.LevelWarn, what+": single sign-on", "hides organisations "+hidden, "authorise the token for them on github.com/settings/tokens")
	}
}

func (s *source) checkRepo(ctx context.Context, f *httpx.Findings, scope string) {
	c, err := s.repo(ctx, scope)
	if err != nil {
		f.Fail(scope, err)
		return
	}
	about, notices, err := c.about(fresh(ctx))
	if err != nil {
		f.Fail(scope, err)
		return
	}
	for _, n := range notices {
		f.Add(sources.LevelWarn, scope, n.Text.String(), n.Fix.String())
	}
	well := true
	for _, p := range []struct{ what, path string }{
		{"workflow runs", c.path + "/actions/runs?per_page=1"},
		{"deployments", c.path + "/deployments?per_page=1"},
		{"tags", c.path + "/tags?per_page=1"},
	} {
		var v any
		if _, err := c.look(ctx, p.path, &v); err != nil {
			f.Fail(scope+": "+p.what, err)
			well = false
		}
	}
	if well {
		f.OK(scope, "runs, deployments and tags can be read; default branch "+about.DefaultBranch)
	}
}
