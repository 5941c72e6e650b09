package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

func checked(t *testing.T, s rig) string {
	t.Helper()
	var b strings.Builder
	for _, f := range s.Check(context.Background()) {
		fmt.Fprintf(&b, "%d %s: %s", f.Level, f.What, f.Detail)
		if f.Level != sources.LevelOK && f.Fix.IsZero() {
			t.Errorf("%s says not what to do", f.What)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	h := newHub(t)
	h.json("/user/orgs", []obj{{"login": "acme"}}, "X-GitHub-SSO", "partial-results; organizations=21955855,20582480")
	for name, c := range map[string]struct {
		headers []string
		want    []string
	}{
		"well": {[]string{"Date", date(0), "X-OAuth-Scopes", "repo, workflow", "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "4990", "GitHub-Authentication-Token-Expiration", "2027-03-01 10:00:00 UTC"},
			[]string{"0 clock: agrees", "0 credential: signed in as sre1", "0 credential: scopes: repo, workflow: may read and act", "0 credential: rate limit: 4990 of 5000", "0 credential: expires: 2027-03-01", "1 credential: single sign-on: hides organisations 21955855,20582480"}},
		"worn out": {[]string{"Date", date(2 * time.Minute), "X-OAuth-Scopes", "gist", "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "12", "GitHub-Authentication-Token-Expiration", "2026-11-25 10:00:00 +0000"},
			[]string{"1 clock: is 2m0s off", "1 credential: scopes: gist: it may read public data alone, and not act", "1 credential: rate limit: 12 of 5000", "1 credential: expires: 2026-11-25"}},
		"far off":    {[]string{"Date", date(-time.Hour)}, []string{"2 clock: is 1h0m0s off", "0 credential: permissions: GitHub does not list those of this token"}},
		"enterprise": {[]string{"Date", date(0), "X-GitHub-Enterprise-Version", "3.17.2", "X-GitHub-Api-Version-Selected", "2022-11-28"}, []string{"0 GitHub Enterprise Server: 3.17.2", "0 API version: 2022-11-28"}},
	} {
		h.json("/user", obj{"login": "sre1"}, c.headers...)
		got := checked(t, openOn(t, h))
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
	}
}

// An App's installation says what it may; what acting needs and it lacks is told.
func TestCheckOfAnApp(t *testing.T) {
	t.Parallel()
	_, file := appKey(t)
	for want, permissions := range map[string]obj{
		"0 credential: permissions: may act": {"actions": "write", "deployments": "write", "checks": "read", "statuses": "write"},
		"1 credential: permissions: too few to act: it lacks Actions (write), Commit statuses (read)": {"actions": "read", "deployments": "write", "checks": "read"},
	} {
		h := newHub(t)
		h.json("/app/installations/67/access_tokens", obj{"token": "ghs_1", "expires_at": now.Add(time.Hour).Format(time.RFC3339), "permissions": permissions})
		h.json("/installation/repositories", obj{"total_count": 3})
		s := openOn(t, h, func(c *Config) {
			*c = Config{BaseURL: c.BaseURL, App: &App{ID: 12, Installation: 67, Key: parseRef(t, "file:"+file)}}
		})
		if got := checked(t, s); !strings.Contains(got, want+"\n") {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestCheckOfARefusedToken(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.status("/user", 401, obj{"message": "Bad credentials"}, "Date", now.Format(http.TimeFormat))
	if got := checked(t, openOn(t, h)); !strings.Contains(got, "2 credential: GitHub does not accept the credential") || !strings.Contains(got, "0 clock") {
		t.Error(got)
	}
}

// A repository that is configured is looked at, listed before or not.
func TestCheckOfRepositories(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/user", obj{"login": "sre1"})
	h.json("/repos/acme/old", obj{"id": 2, "full_name": "acme/older", "archived": true, "default_branch": "main"})
	for _, p := range []string{"actions/runs", "deployments", "tags"} {
		h.json("/repos/acme/old/"+p, []any{})
	}
	s := openOn(t, h)
	if got := checked(t, s); strings.Contains(got, scope) {
		t.Errorf("Check alone knows of repositories: %s", got)
	}
	h.status(deploysPath, 403, obj{"message": "no"}, "X-Accepted-GitHub-Permissions", "deployments=read")
	var got strings.Builder
	for _, f := range s.CheckScopes(context.Background(), []string{"acme/gone", "not a repository", "acme/old", scope}) {
		fmt.Fprintf(&got, "%d %s: %s → %s\n", f.Level, f.What, f.Detail, f.Fix)
		if f.Level != sources.LevelOK && f.Fix.IsZero() {
			t.Errorf("%s says not what to do", f.What)
		}
	}
	lines := strings.Split(strings.TrimSpace(got.String()), "\n")
	want := []string{
		"2 acme/gone: it does not exist, or is hidden from this credential → ",
		"2 not a repository: \"not a repository\" is no repository → write owner/name",
		"1 acme/old: is archived", "1 acme/old: was renamed to acme/older → write repo: github:acme/older", "0 acme/old: runs, deployments and tags can be read",
		"2 acme/checkout: deployments: the token may not do this → give the token this permission: deployments=read",
	}
	if len(lines) != len(want) {
		t.Fatalf("found\n%s", got.String())
	}
	for _, w := range want {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, w) }) {
			t.Errorf("no %q in\n%s", w, got.String())
		}
	}
	if !strings.HasPrefix(lines[0], "2 acme/gone") || !strings.HasPrefix(lines[5], "2 acme/checkout") {
		t.Errorf("not in the order of the scopes:\n%s", got.String())
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	repo := func(id int, name string, more obj) obj {
		r := obj{"id": id, "full_name": "acme/" + name, "default_branch": "main", "pushed_at": ago(time.Hour)}
		for k, v := range more {
			r[k] = v
		}
		return r
	}
	h.json("/user/repos", []obj{
		repo(1, "checkout", nil), repo(2, "old", obj{"archived": true}), repo(3, "copy", obj{"fork": true}), repo(4, "quiet", obj{"pushed_at": ago(5000 * time.Hour)}), repo(5, "lib", nil),
	})
	env := func(id int, name string) obj { return obj{"id": id, "name": name} }
	h.json("/repos/acme/checkout/environments", obj{"total_count": 5, "environments": []obj{
		env(1, "production"), env(2, "staging"), env(3, "dev"), env(4, "preview-pr-12"), env(5, "github-pages"),
	}})
	h.json("/repos/acme/checkout/actions/workflows", obj{"total_count": 3, "workflows": []obj{
		{"id": 1, "name": "ci", "path": ".github/workflows/ci.yml", "state": "active"},
		{"id": 2, "name": "Ship it", "path": ".github/workflows/deploy.yml", "state": "active"},
		{"id": 3, "name": "deploy-old", "path": ".github/workflows/deploy-old.yml", "state": "disabled_manually"},
	}})
	h.json("/repos/acme/lib/actions/workflows", obj{"total_count": 0, "workflows": []obj{}})
	got, err := openOn(t, h).Discover(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Repo != "acme/checkout" || got[1].Repo != "acme/lib" {
		t.Fatalf("proposals %+v", got)
	}
	if p := got[0]; !slices.Equal(p.Environments, []string{"dev", "staging", "production"}) || p.Deploy != "deploy.yml" || p.Confidence < 0.9 || p.Service != "checkout" {
		t.Errorf("checkout: %+v", p)
	}
	if p := got[1]; len(p.Environments) != 0 || p.Deploy != "" || p.Confidence > 0.3 || len(p.Why) == 0 {
		t.Errorf("lib: %+v", p)
	}
}

func TestDiscoverOfAnOwnerWhoIsAPerson(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/users/dev4/repos", []obj{{"id": 1, "full_name": "dev4/toy", "default_branch": "main"}})
	s := openOn(t, h, func(c *Config) {
		c.Credentials = map[string]Credential{"dev4": {Token: c.Token}}
	})
	h.json("/user/repos", []obj{})
	got, err := s.Discover(context.Background())
	if err != nil || len(got) != 1 || got[0].Repo != "dev4/toy" {
		t.Errorf("%+v, %v", got, err)
	}
}
