package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"example.com/signalbox/config/secret"
)

func TestParseRemote(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://github.com/acme/checkout.git":             "github.com acme/checkout",
		"https://github.com/acme/checkout":                 "github.com acme/checkout",
		"https://GitHub.com/acme/checkout/":                "github.com acme/checkout",
		"https://user:ghp_x@github.com/acme/checkout.git":  "github.com acme/checkout",
		"https://github.com:443/acme/checkout":             "github.com acme/checkout",
		"https://github.com:8443/acme/checkout":            "github.com:8443 acme/checkout",
		"http://github.com/acme/checkout":                  "github.com acme/checkout",
		"git://github.com/acme/checkout.git":               "github.com acme/checkout",
		"ssh://git@github.com/acme/checkout.git":           "github.com acme/checkout",
		"ssh://git@ssh.github.com:443/acme/checkout.git":   "github.com acme/checkout",
		"ssh://git@ghe.example.com:2222/acme/checkout.git": "ghe.example.com acme/checkout",
		"git+ssh://git@github.com/acme/checkout":           "github.com acme/checkout",
		"git@github.com:acme/checkout.git":                 "github.com acme/checkout",
		"github.com:acme/checkout":                         "github.com acme/checkout",
		"git@github.com:/acme/checkout.git":                "github.com acme/checkout",
		"git@work:acme/checkout.git":                       "work acme/checkout",
		"git@github.com:acme/check.out_2":                  "github.com acme/check.out_2",
		// What looks like github.com and is not.
		"https://github.com.evil.example/acme/checkout":   "github.com.evil.example acme/checkout",
		"https://github.com@evil.example/acme/checkout":   "evil.example acme/checkout",
		"github.com@evil.example:acme/checkout":           "evil.example acme/checkout",
		"https://evil.example/github.com/acme":            "evil.example github.com/acme",
		"https://github.com./acme/checkout":               "",
		"https://github.com\\@evil.example/acme/checkout": "",
		"https://github%2ecom/acme/checkout":              "",
		"https://gіthub.com/acme/checkout":                "", // a Cyrillic і
		"":                                                "",
		"/srv/git/checkout.git":                           "",
		"../checkout":                                     "",
		"file:///srv/acme/checkout":                       "",
		`C:\src\checkout`:                                 "",
		"C:/src/checkout":                                 "",
		"https://github.com/checkout":                     "",
		"https://github.com/acme/group/checkout":          "",
		"https://github.com/acme/..":                      "",
		"https://github.com/../checkout":                  "",
		"https://github.com/acme/a b":                     "",
		"https://github.com/acme/check\"out":              "",
		"ext::sh -c evil acme/checkout":                   "",
	} {
		host, repo, ok := ParseRemote(address)
		if got := strings.TrimSpace(host + " " + repo); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %t, want %q", address, got, ok, want)
		}
	}
}

type world struct {
	files map[string]string
	vars  map[string]string
}

func (w world) surroundings(dir string) Surroundings {
	return Surroundings{
		Dir:        dir,
		ConfigHome: "/home/me/.config",
		Lookup: func(name string) (string, bool) {
			v, ok := w.vars[name]
			return v, ok
		},
		Read: func(path string) ([]byte, error) {
			if s, ok := w.files[filepath.ToSlash(path)]; ok {
				return []byte(s), nil
			}
			return nil, fs.ErrNotExist
		},
	}
}

// hub is a driver that takes what Discover writes.
type hub struct {
	Token   secret.Ref `yaml:"token"`
	BaseURL string     `yaml:"base_url"`
}

func hubOptions() Options {
	return Options{Types: []SourceType{{Name: "github", Config: func() any { return &hub{} }}}}
}

const publicConfig = "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = git@github.com:acme/checkout.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"

func TestDiscover(t *testing.T) {
	t.Parallel()
	enterprise := strings.ReplaceAll(publicConfig, "github.com", "ghe.example.com")
	for name, c := range map[string]struct {
		world world
		dir   string
		want  string
	}{
		"github.com": {
			world{map[string]string{"/src/.git/config": publicConfig}, map[string]string{"GITHUB_TOKEN": "x"}},
			"/src", "env:GITHUB_TOKEN at  for acme/checkout",
		},
		"deep inside, GH_TOKEN before GITHUB_TOKEN": {
			world{map[string]string{"/src/.git/config": publicConfig}, map[string]string{"GITHUB_TOKEN": "x", "GH_TOKEN": "y"}},
			"/src/a/b/c", "env:GH_TOKEN at  for acme/checkout",
		},
		"enterprise": {
			world{map[string]string{"/src/.git/config": enterprise}, map[string]string{"GH_HOST": "GHE.example.com", "GH_ENTERPRISE_TOKEN": "x", "GITHUB_TOKEN": "y"}},
			"/src", "env:GH_ENTERPRISE_TOKEN at https://ghe.example.com for acme/checkout",
		},
		"GH_HOST does not matter to github.com": {
			world{map[string]string{"/src/.git/config": publicConfig}, map[string]string{"GH_HOST": "ghe.example.com", "GH_ENTERPRISE_TOKEN": "x", "GITHUB_TOKEN": "y"}},
			"/src", "env:GITHUB_TOKEN at  for acme/checkout",
		},
		"worktree": {
			world{map[string]string{
				"/wt/.git": "gitdir: /src/.git/worktrees/wt\n", "/src/.git/worktrees/wt/commondir": "../..\n", "/src/.git/config": publicConfig,
			}, map[string]string{"GITHUB_TOKEN": "x"}},
			"/wt/sub", "env:GITHUB_TOKEN at  for acme/checkout",
		},
		"submodule": {
			world{map[string]string{
				"/src/.git/config": "[remote \"origin\"]\nurl = https://github.com/acme/outer", "/src/lib/.git": "gitdir: ../.git/modules/lib", "/src/.git/modules/lib/config": publicConfig,
			}, map[string]string{"GITHUB_TOKEN": "x"}},
			"/src/lib", "env:GITHUB_TOKEN at  for acme/checkout",
		},
		"a fork's upstream": {
			world{map[string]string{"/src/.git/config": strings.ReplaceAll(publicConfig, "acme", "me") + "[remote \"upstream\"] url = \"https://github.com/acme/checkout\" # the real one\n"}, map[string]string{"GITHUB_TOKEN": "x"}},
			"/src", "env:GITHUB_TOKEN at  for acme/checkout",
		},
		"another name": {
			world{map[string]string{"/src/.git/config": "[remote \"local\"]\nurl = /srv/x\n[remote \"hub\"]\nurl = https://u:p@github.com/acme/checkout\nurl = https://evil.example/a/b\n"}, map[string]string{"GITHUB_TOKEN": "x"}},
			"/src", "env:GITHUB_TOKEN at  for acme/checkout",
		},
		"insteadOf is not followed": {
			world{map[string]string{"/src/.git/config": "[url \"https://evil.example/\"]\n\tinsteadOf = https://github.com/\n" + publicConfig}, map[string]string{"GITHUB_TOKEN": "x"}},
			"/src", "env:GITHUB_TOKEN at  for acme/checkout",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Discover(t.Context(), c.world.surroundings(c.dir), hubOptions())
			if err != nil {
				t.Fatal(err)
			}
			h := got.Sources[0].Config.(*hub)
			s := got.Services[0]
			if text := h.Token.String() + " at " + h.BaseURL + " for " + s.Repo.Scope; text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
			if !got.Discovered || !s.Discovered || s.Name != "checkout" || s.Repo.Source != "github" || len(got.Files) != 0 || len(got.Warnings) != 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestDiscoverSendsNoTokenElsewhere: every refusal says what to set, and none makes a config.
func TestDiscoverSendsNoTokenElsewhere(t *testing.T) {
	t.Parallel()
	every := map[string]string{"GITHUB_TOKEN": "a", "GH_TOKEN": "b", "GH_ENTERPRISE_TOKEN": "c", "GITHUB_ENTERPRISE_TOKEN": "d"}
	with := func(name, value string) map[string]string {
		m := map[string]string{name: value}
		for k, v := range every {
			m[k] = v
		}
		return m
	}
	remote := func(url string) map[string]string {
		return map[string]string{"/src/.git/config": "[remote \"origin\"]\nurl = " + url}
	}
	for name, c := range map[string]struct {
		world world
		found string
		set   []string
	}{
		"no repository":     {world{nil, every}, "/src is in no Git repository", []string{"export GITHUB_TOKEN"}},
		"no remote":         {world{map[string]string{"/src/.git/config": "[core]"}, every}, "has no remote", []string{"export GITHUB_TOKEN"}},
		"unreadable link":   {world{map[string]string{"/src/.git": "gitdir: /gone"}, every}, "has no remote", []string{"export GITHUB_TOKEN"}},
		"no token":          {world{remote("https://github.com/a/b"), map[string]string{"GH_ENTERPRISE_TOKEN": "c"}}, "a/b on github.com", []string{"export GITHUB_TOKEN"}},
		"empty token":       {world{remote("https://github.com/a/b"), map[string]string{"GITHUB_TOKEN": " "}}, "a/b on github.com", []string{"export GITHUB_TOKEN"}},
		"another host":      {world{remote("https://evil.example/a/b"), every}, "a/b on evil.example", []string{"export GH_HOST=evil.example"}},
		"another GH_HOST":   {world{remote("https://evil.example/a/b"), with("GH_HOST", "ghe.example.com")}, "a/b on evil.example", []string{"export GH_HOST=evil.example"}},
		"lookalike":         {world{remote("https://github.com.evil.example/a/b"), every}, "github.com.evil.example", []string{"export GH_HOST="}},
		"another port":      {world{remote("https://github.com:8443/a/b"), every}, "github.com:8443", []string{"export GH_HOST="}},
		"user as disguise":  {world{remote("https://github.com@evil.example/a/b"), every}, "on evil.example", []string{"export GH_HOST=evil.example"}},
		"tenant of ghe.com": {world{remote("https://acme.ghe.com/a/b"), every}, "on acme.ghe.com", []string{"export GH_HOST=acme.ghe.com"}},
		"nothing is set":    {world{remote("git@ghe.example.com:a/b"), nil}, "on ghe.example.com", []string{"export GH_HOST=ghe.example.com", "export GH_ENTERPRISE_TOKEN"}},
		"GH_HOST alone":     {world{remote("git@ghe.example.com:a/b"), map[string]string{"GH_HOST": "ghe.example.com", "GITHUB_TOKEN": "a"}}, "on ghe.example.com", []string{"export GH_ENTERPRISE_TOKEN"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Discover(t.Context(), c.world.surroundings("/src"), hubOptions())
			var n *NothingSet
			if got != nil || !errors.As(err, &n) {
				t.Fatalf("got %v, %v", got, err)
			}
			if !strings.Contains(strings.Join(n.Found, "; "), c.found) {
				t.Errorf("found %q", n.Found)
			}
			for i, want := range append(c.set, "signalbox --demo", "signalbox init", "signalbox config sample") {
				if len(n.Set) <= i || !strings.HasPrefix(n.Set[i].What, want) || n.Set[i].Why == "" {
					t.Errorf("set[%d] of %+v is not %s", i, n.Set, want)
				}
			}
			if !strings.Contains(err.Error(), "--demo") {
				t.Errorf("%v does not say that --demo exists", err)
			}
		})
	}
}

func TestPath(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for _, c := range []struct {
		flag   string
		vars   map[string]string
		want   string
		chosen bool
	}{
		{"", nil, "/home/me/.config/signalbox/config.yaml", false},
		{"", map[string]string{"XDG_CONFIG_HOME": "/xdg"}, "/xdg/signalbox/config.yaml", false},
		{"", map[string]string{"XDG_CONFIG_HOME": "relative"}, "/home/me/.config/signalbox/config.yaml", false},
		{"", map[string]string{"SIGNALBOX_CONFIG": "~/c.yaml", "XDG_CONFIG_HOME": "/xdg"}, "/home/me/c.yaml", true},
		{"x.yaml", map[string]string{"SIGNALBOX_CONFIG": "/c.yaml"}, "x.yaml", true},
		{"", map[string]string{"SIGNALBOX_CONFIG": ""}, "/home/me/.config/signalbox/config.yaml", false},
	} {
		if got, chosen := Path(c.flag, world{vars: c.vars}.surroundings("/")); got != c.want || chosen != c.chosen {
			t.Errorf("%+v: got %s, %t", c, got, chosen)
		}
	}
}

// The environment alone names a credential and its host.
func TestCredential(t *testing.T) {
	t.Parallel()
	const tok = "x"
	for _, tt := range []struct {
		name string
		env  map[string]string
		want string // "token base", or what the error says
	}{
		{"github.com", map[string]string{"GITHUB_TOKEN": tok}, "env:GITHUB_TOKEN "},
		{"gh's own", map[string]string{"GITHUB_TOKEN": tok, "GH_TOKEN": tok}, "env:GH_TOKEN "},
		{"a host", map[string]string{"GITHUB_TOKEN": tok, "GH_HOST": "GHE.example.com ", "GH_ENTERPRISE_TOKEN": tok}, "env:GH_ENTERPRISE_TOKEN https://ghe.example.com"},
		{"a host without its token", map[string]string{"GITHUB_TOKEN": tok, "GH_HOST": "ghe.example.com"}, "no token for ghe.example.com"},
		{"a token without its host", map[string]string{"GH_ENTERPRISE_TOKEN": tok}, "no token for github.com"},
		{"github.com by name", map[string]string{"GITHUB_TOKEN": tok, "GH_HOST": "github.com"}, "env:GITHUB_TOKEN "},
		{"an address", map[string]string{"GH_HOST": "https://ghe.example.com/x", "GH_ENTERPRISE_TOKEN": tok}, "GH_HOST is no host"},
		{"blank", map[string]string{"GITHUB_TOKEN": "  "}, "no token for github.com"},
	} {
		c, err := Credential(func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }, hubOptions())
		if err != nil {
			var n *NothingSet
			if !errors.As(err, &n) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		s, ok := c.Sources[0].Config.(*hub)
		if !ok || s.Token.String()+" "+s.BaseURL != tt.want || len(c.Services) != 0 {
			t.Errorf("%s: %+v", tt.name, c.Sources)
		}
	}
}

type addressed struct {
	URL string `yaml:"url"`
}

func (a *addressed) Validate() error { return errors.New(a.URL + " is no address") }

// A value of the environment that makes no sense is told by its variable.
func TestWrongValueIsToldByItsVariable(t *testing.T) {
	t.Parallel()
	env := map[string]string{"GITHUB_TOKEN": "x", "PROMETHEUS_URL": "nonsense"}
	o := hubOptions()
	o.Types = append(o.Types, SourceType{Name: "prometheus", Config: func() any { return &addressed{} }})
	_, err := Credential(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, o)
	if errs, ok := errors.AsType[Errors](err); !ok || len(errs) != 1 || !strings.HasPrefix(err.Error(), "$PROMETHEUS_URL: ") {
		t.Errorf("got %v", err)
	}
}
