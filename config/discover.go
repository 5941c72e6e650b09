package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// NothingSet is why there is nothing to show without a config, as a page for people: what was found,
// and what to set.
type NothingSet struct {
	Found []string // sentences, in order: "this is no Git repository"
	Set   []Setting
}

// Setting is one way out.
type Setting struct {
	What string // "export GITHUB_TOKEN"
	Why  string // what then happens
}

func (n *NothingSet) Error() string {
	s := strings.Join(n.Found, "; ")
	for _, one := range n.Set {
		s += "; " + one.What + ": " + one.Why
	}
	return s
}

const (
	publicHost = "github.com"
	githubType = "github"
)

// Discover makes a Config of the repository that s.Dir is in and the tokens in the environment. It
// reads the repository's Git config and runs nothing. Its error is *NothingSet, or Errors.
//
// The remote never decides where a token goes. GITHUB_TOKEN and GH_TOKEN are for github.com alone;
// another host must be named by GH_HOST, and gets GH_ENTERPRISE_TOKEN.
func Discover(ctx context.Context, s Surroundings, o Options) (*Config, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	read := s.Read
	if read == nil {
		read = disk{}.Read
	}
	found, root, inside := remotes(s.Dir, read)
	if !inside {
		return nil, nothing(s.Dir+" is in no Git repository", inClone())
	}
	remote, ok := choose(found)
	if !ok {
		return nil, nothing("the repository "+root+" has no remote on a host, with an owner and a name", inClone())
	}
	variable, base, missing := credential(remote, s.Lookup)
	if missing != nil {
		return nil, missing
	}
	more, err := others(s.Lookup, o)
	if err != nil {
		return nil, err
	}
	text := fmt.Appendf(sourceText(variable, base, more), "services: {%q: {repo: %q}}\n", serviceName(remote.Repo), githubType+":"+remote.Repo)
	c, err := Parse("(discovered)", text, o)
	if err != nil {
		return nil, err
	}
	c.Discovered, c.Files = true, nil
	for i := range c.Services {
		c.Services[i].Discovered = true
	}
	return c, nil
}

// choose picks the remote whose pipelines are worth seeing: a fork's upstream, else origin, else the
// first.
func choose(all []Remote) (Remote, bool) {
	for _, name := range []string{"upstream", "origin"} {
		if i := slices.IndexFunc(all, func(r Remote) bool { return r.Name == name }); i >= 0 {
			return all[i], true
		}
	}
	if len(all) == 0 {
		return Remote{}, false
	}
	return all[0], true
}

// credential is the variable that holds the token for r's host, and the base URL of its API; "" is
// github.com's.
func credential(r Remote, lookup func(string) (string, bool)) (variable, base string, missing *NothingSet) {
	set := func(names ...string) string {
		for _, name := range names {
			if v, ok := lookup(name); ok && strings.TrimSpace(v) != "" {
				return name
			}
		}
		return ""
	}
	here := fmt.Sprintf("the remote %s is %s on %s", r.Name, r.Repo, r.Host)
	reads := cmp.Or(r.Repo, "your repositories")
	if r.Host == publicHost {
		if variable = set("GH_TOKEN", "GITHUB_TOKEN"); variable != "" {
			return variable, "", nil
		}
		return "", "", nothing(here, Setting{"export GITHUB_TOKEN=…", "a token that may read " + reads + ": pipelines and deployments are shown"})
	}
	named, _ := lookup("GH_HOST")
	variable = set("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
	if strings.EqualFold(strings.TrimSpace(named), r.Host) && variable != "" {
		return variable, "https://" + r.Host, nil
	}
	var settings []Setting
	if !strings.EqualFold(strings.TrimSpace(named), r.Host) {
		settings = append(settings, Setting{"export GH_HOST=" + r.Host, "only if you trust that host: a remote alone never decides where a token goes"})
	}
	if variable == "" {
		settings = append(settings, Setting{"export GH_ENTERPRISE_TOKEN=…", "a token of " + r.Host + " that may read " + reads})
	}
	return "", "", nothing(here, settings...)
}

// Credential makes a Config of sources alone: of those that the environment has credentials or addresses for,
// wherever the working directory is. GH_HOST decides as in Discover: with it, GH_ENTERPRISE_TOKEN and that host;
// without, GITHUB_TOKEN or GH_TOKEN and github.com. Its error is *NothingSet, or Errors.
func Credential(lookup func(string) (string, bool), o Options) (*Config, error) {
	r := Remote{Host: publicHost}
	if host, _ := lookup("GH_HOST"); strings.TrimSpace(host) != "" {
		r.Host = strings.ToLower(strings.TrimSpace(host))
	}
	if !hostPattern.MatchString(r.Host) {
		return nil, nothing("GH_HOST is no host: "+r.Host, Setting{"export GH_HOST=github.example.com", "the host alone, without https:// and without a path"})
	}
	variable, base, missing := credential(r, lookup)
	more, err := others(lookup, o)
	if err != nil {
		return nil, err
	}
	if missing != nil && len(more) == 0 {
		missing.Found = []string{"there is no token for " + r.Host + " in the environment"}
		return nil, missing
	}
	return Parse("(environment)", sourceText(variable, base, more), o)
}

// sourceText is the part of a config that names the sources: GitHub, unless no variable holds a token for it, and
// others as they are written below `sources:`.
func sourceText(variable, base string, others []string) []byte {
	if variable == "" {
		return fmt.Appendf(nil, "sources: {%s}\n", strings.Join(others, ", "))
	}
	github := fmt.Sprintf("%s: {type: %s, token: %q}", githubType, githubType, "env:"+variable)
	if base != "" {
		github = fmt.Sprintf("%s: {type: %s, token: %q, base_url: %q}", githubType, githubType, "env:"+variable, base)
	}
	return fmt.Appendf(nil, "sources: {%s}\n", strings.Join(append([]string{github}, others...), ", "))
}

// others are the other sources that the environment has credentials or addresses for, by the variables
// that their own tools use. Each goes to its vendor, or to the address that the variable names. Its error is Errors:
// where a value stands is its variable, the first of a source's.
func others(lookup func(string) (string, bool), o Options) (out []string, err error) {
	var wrong Errors
	add := func(kind, text string, variables ...string) {
		known := slices.ContainsFunc(o.Types, func(t SourceType) bool { return t.Name == kind })
		unset := slices.ContainsFunc(variables, func(name string) bool { v, _ := lookup(name); return strings.TrimSpace(v) == "" })
		if !known || unset {
			return
		}
		out = append(out, fmt.Sprintf("%s: {type: %s, %s}", kind, kind, text))
		_, err := Parse("$"+variables[0], sourceText("", "", out[len(out)-1:]), o)
		if errs, ok := errors.AsType[Errors](err); ok {
			for _, e := range errs {
				wrong = append(wrong, &Error{Pos: Position{File: e.Pos.File}, Msg: e.Msg, Fix: e.Fix})
			}
		}
	}
	value := func(name string) string { v, _ := lookup(name); return strings.TrimSpace(v) }
	site, datadog := "", []string{"DD_API_KEY", "DD_APP_KEY"}
	if s := value("DD_SITE"); s != "" {
		site, datadog = fmt.Sprintf("site: %q, ", s), []string{"DD_SITE", "DD_API_KEY", "DD_APP_KEY"}
	}
	add("pagerduty", `token: "env:PAGERDUTY_TOKEN"`, "PAGERDUTY_TOKEN")
	add("datadog", site+`api_key: "env:DD_API_KEY", app_key: "env:DD_APP_KEY"`, datadog...)
	add("prometheus", fmt.Sprintf("url: %q", value("PROMETHEUS_URL")), "PROMETHEUS_URL")
	add("alertmanager", fmt.Sprintf("url: %q", value("ALERTMANAGER_URL")), "ALERTMANAGER_URL")
	if len(wrong) > 0 {
		return nil, wrong
	}
	return out, nil
}

// inClone is how a clone is enough of a config.
func inClone() Setting {
	return Setting{"export GITHUB_TOKEN=… and start it in a clone", "shows the pipelines and deployments of that GitHub repository"}
}

func nothing(found string, first ...Setting) *NothingSet {
	return &NothingSet{
		Found: []string{"there is no config", found},
		Set: append(first,
			Setting{"signalbox --demo", "the board on a simulated world; needs no account and no network"},
			Setting{"signalbox init", "writes a config from what it finds"},
			Setting{"signalbox config sample", "prints a commented config to start from"},
		),
	}
}

// serviceName makes a valid name of a repository's.
func serviceName(repo string) string {
	name := strings.TrimLeft(repo[strings.LastIndexByte(repo, '/')+1:], "._-")
	return cmp.Or(name[:min(len(name), 63)], "repository")
}
