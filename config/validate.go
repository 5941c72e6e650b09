package config

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// tokenVariables are the customary variables of credentials. Commands that fetch a secret do not get
// them, besides those that the config names with env:.
var tokenVariables = []string{"GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "PAGERDUTY_TOKEN", "DD_API_KEY", "DD_APP_KEY"}

// The bounds of a refresh interval.
const (
	minRefresh = 5 * time.Second
	maxRefresh = time.Hour
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// validator checks what a decoded Config means, and settles what follows from the rest. Where decoding
// has failed it says nothing: the value is missing only because it was wrong.
type validator struct {
	config   *Config
	problems *problems
	options  Options
	warnings []Warning
	broken   map[Position]bool // where decoding has failed
}

func (v *validator) validate() {
	v.broken = map[Position]bool{}
	for _, e := range v.problems.list {
		v.broken[e.Pos] = true
	}
	v.sources()
	v.services()
	v.me()
	v.refresh()
	v.keys()
	v.levers()
}

func (v *validator) at(path, fix, format string, args ...any) {
	v.add(v.config.Pos(path), fix, format, args...)
}

func (v *validator) add(pos Position, fix, format string, args ...any) {
	if !v.broken[pos] {
		v.problems.add(pos, fix, format, args...)
	}
}

// keyed is the place of a key rather than that of its value.
func (v *validator) keyed(section, key string) Position {
	if e, ok := v.config.tree.get(section); ok {
		if named, ok := e.value.get(key); ok {
			return named.pos
		}
	}
	return v.config.Pos(section)
}

func (v *validator) warn(path, fix, format string, args ...any) {
	v.warnings = append(v.warnings, Warning{v.config.Pos(path), fmt.Sprintf(format, args...), fix})
}

func (v *validator) name(kind, name string, pos Position) {
	if !namePattern.MatchString(name) {
		v.add(pos, "use letters, digits, '.', '_' and '-'", "%s is no name for %s", quoted(name), kind)
	}
}

func (v *validator) sources() {
	for _, s := range v.config.Sources {
		v.name("a source", s.Name, v.keyed("sources", s.Name))
	}
	if len(v.config.Sources) == 0 {
		v.warn("sources", "add one below sources:, as in signalbox config sample", "no source is configured, so the board is empty")
	}
}

func (v *validator) sourceNames() []string {
	names := make([]string, len(v.config.Sources))
	for i, s := range v.config.Sources {
		names[i] = s.Name
	}
	return names
}

// knownSource checks the name of a source that the value at path gives.
func (v *validator) knownSource(path, name string) {
	known := v.sourceNames()
	if slices.Contains(known, name) {
		return
	}
	fix := didYouMean(name, known)
	if len(known) == 0 {
		fix = "add it below sources:, as in signalbox config sample"
	}
	v.at(path, fix, "unknown source %s", quoted(name))
}

func (v *validator) me() {
	var types []string
	for _, t := range v.options.Types {
		types = append(types, t.Name)
	}
	for name, who := range v.config.Me {
		if !slices.Contains(types, name) {
			v.add(v.keyed("me", name), didYouMean(name, types), "unknown source type %s", quoted(name))
		} else if strings.TrimSpace(who) == "" {
			v.add(v.keyed("me", name), "write your login there, or remove it", "it is empty")
		}
	}
}

func (v *validator) refresh() {
	r := v.config.Refresh
	for _, one := range []struct {
		key      string
		interval time.Duration
	}{{"live", r.Live}, {"waiting", r.Waiting}, {"quiet", r.Quiet}} {
		if one.interval < minRefresh || one.interval > maxRefresh {
			v.at("refresh."+one.key, "write 5s to 1h", "%s is no useful interval", one.interval)
		}
	}
	if r.Live > r.Waiting || r.Waiting > r.Quiet {
		v.at("refresh", "make live the shortest and quiet the longest", "live (%s), waiting (%s) and quiet (%s) are not in order",
			r.Live, r.Waiting, r.Quiet)
	}
}

func (v *validator) keys() {
	for action, keys := range v.config.Keys {
		for i, key := range keys {
			if strings.TrimSpace(key) == "" && key != " " {
				v.at(fmt.Sprintf("keys.%s[%d]", action, i), "write a key such as ctrl+r, or [] for none", "a key is empty")
			}
		}
	}
	if v.options.CheckKeys == nil || len(v.config.Keys) == 0 {
		return
	}
	for _, p := range v.options.CheckKeys(v.config.Keys) {
		where, msg, fix := p.Field()
		pos := v.config.Pos("keys." + where)
		if _, exact := v.config.tree.find("keys." + where); exact && !strings.Contains(where, "[") {
			pos = v.keyed("keys", where)
		}
		v.add(pos, fix, "%s", plain(msg))
	}
}

func (v *validator) services() {
	var names []string
	for _, s := range v.config.Services {
		names = append(names, s.Name)
	}
	for i := range v.config.Services {
		s := &v.config.Services[i]
		at := "services." + s.Name
		v.name("a service", s.Name, v.keyed("services", s.Name))
		if e, ok := v.config.tree.find(at + ".repo"); s.Repo != (RepoRef{}) {
			v.knownSource(at+".repo", s.Repo.Source)
		} else if !ok && !s.elsewhere() {
			v.add(e, "add repo: source:owner/name", "the service %s has no repo", quoted(s.Name))
		}
		v.environments(at, s)
		v.deploy(at, s)
		v.versionFrom(at, s.VersionFrom)
		v.globs(at+".deploys", s.Deploys)
		v.globs(at+".workflows", s.Workflows)
		v.paths(at+".paths", s.Paths)
		v.paths(at+".migrations", s.Migrations)
		if s.Runbook != "" {
			v.address(at+".runbook", s.Runbook)
		}
		for j, other := range s.DependsOn {
			where := fmt.Sprintf("%s.depends_on[%d]", at, j)
			if other == s.Name {
				v.at(where, "remove it", "a service cannot depend on itself")
			} else if !slices.Contains(names, other) {
				v.at(where, didYouMean(other, names), "unknown service %s", quoted(other))
			}
		}
		v.objects(at, s)
	}
}

// elsewhere reports that s is known by what other sources tell of it: another team's service, or one whose
// pages or metrics alone are shown.
func (s *Service) elsewhere() bool {
	return s.Team != "" || len(s.Incidents) > 0 || len(s.Metrics) > 0 || len(s.SLOs) > 0
}

// environments checks a service's stages, and fills in what follows: the provider's name, and which
// one is prod.
func (v *validator) environments(at string, s *Service) {
	// Services share what comes from `defaults:`, never the slice itself: decoding made each its own.
	names, providers := map[string]bool{}, map[string]bool{}
	prod := slices.ContainsFunc(s.Environments, func(e Environment) bool { return e.Prod })
	for i := range s.Environments {
		e := &s.Environments[i]
		where := fmt.Sprintf("%s.environments[%d]", at, i)
		v.name("an environment", e.Name, v.config.Pos(where))
		if e.Provider == "" {
			e.Provider = e.Name
		}
		if i == len(s.Environments)-1 && !prod {
			e.Prod = true
		}
		if names[e.Name] {
			v.at(where, "keep one of them", "the environment %s is listed twice", quoted(e.Name))
		} else if providers[e.Provider] {
			v.at(where, "give each its own provider_name", "two environments are %s to the provider", quoted(e.Provider))
		}
		names[e.Name], providers[e.Provider] = true, true
		if strings.Contains(e.Provider, "{{"+varTarget+"}}") && len(e.Targets) == 0 {
			v.at(where+".provider_name", "add targets: [one, two]", "{{target}} needs targets, and there are none")
		}
		for j, t := range e.Targets {
			there := fmt.Sprintf("%s.targets[%d]", where, j)
			v.name("a target", t, v.config.Pos(there))
			if slices.Contains(e.Targets[:j], t) {
				v.at(there, "keep one of them", "the target %s is listed twice", quoted(t))
			}
		}
	}
}

// inputName is what a workflow may call an input.
var inputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func (v *validator) deploy(at string, s *Service) {
	d := &s.Deploy
	at += ".deploy"
	if d.Workflow == "" && (d.Via == "workflow" || d.Ref != "" || d.Marker != "" || len(d.Inputs) > 0) {
		v.at(at, "add workflow: deploy.yml", "deploy names no workflow")
	}
	if d.Workflow != "" && (strings.Contains(d.Workflow, "/") || (!strings.HasSuffix(d.Workflow, ".yml") && !strings.HasSuffix(d.Workflow, ".yaml"))) {
		v.at(at+".workflow", "write the name of the file, for example deploy.yml", "%s is no workflow file", quoted(d.Workflow))
	}
	if d.Ref != "" && !gitRef(d.Ref) {
		v.at(at+".ref", "write for example main", "%s is no branch and no tag", quoted(d.Ref))
	}
	for name := range d.Inputs {
		if !inputName.MatchString(name) {
			v.at(at+".inputs."+name, "use letters, digits, '_' and '-'", "%s is no name for an input", quoted(name))
		}
	}
	if _, given := d.Inputs[d.Marker]; d.Marker != "" && given {
		v.at(at+".marker", "name another, or remove it from inputs", "the input %s is given a value below inputs, and cannot take the plan's ID", quoted(d.Marker))
	} else if d.Marker != "" && !inputName.MatchString(d.Marker) {
		v.at(at+".marker", "use letters, digits, '_' and '-'", "%s is no name for an input", quoted(d.Marker))
	}
}

// gitRef reports whether Git takes s as the name of a branch or tag, but for the rarest rules.
func gitRef(s string) bool {
	return s != "" && !strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "/") && !strings.HasSuffix(s, "/") && !strings.HasSuffix(s, ".") &&
		!strings.Contains(s, "..") && !strings.Contains(s, "//") && !strings.ContainsAny(s, " ~^:?*[\\\t\n")
}

func (v *validator) versionFrom(at string, f VersionFrom) {
	at += ".version_from"
	set := 0
	for _, s := range []string{f.Payload, f.Input, f.RunName, f.URL} {
		if s != "" {
			set++
		}
	}
	if set > 1 {
		v.at(at, "keep one of payload, input, run_name and url", "there are %d kinds of evidence", set)
	}
	if f.Field != "" && f.URL == "" {
		v.at(at+".field", "remove it, or add url", "field belongs to url, which is not set")
	}
	if f.URL != "" {
		v.address(at+".url", f.URL)
	}
	if f.RunName == "" {
		return
	}
	switch re, err := regexp.Compile(f.RunName); {
	case err != nil:
		v.at(at+".run_name", "see https://pkg.go.dev/regexp/syntax", "%s", plain(err.Error()))
	case re.NumSubexp() == 0:
		v.at(at+".run_name", "put the version's part in (…)", "the expression has no group")
	}
}

// address checks a web address, in which templates may stand.
func (v *validator) address(at, s string) {
	for _, name := range variables() {
		s = strings.ReplaceAll(s, "{{"+name+"}}", "x")
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		v.at(at, "write it whole: https://host/path", "this is no web address")
	} else if u.User != nil {
		v.at(at, "remove it", "the address holds a user or password")
	}
}

func (v *validator) globs(at string, patterns []string) bool {
	ok := true
	for i, p := range patterns {
		if _, err := path.Match(strings.ReplaceAll(p, "**", "*"), ""); err != nil || p == "" {
			v.at(fmt.Sprintf("%s[%d]", at, i), "write for example deploy-*", "%s is no glob", quoted(p))
			ok = false
		}
	}
	return ok
}

// paths checks globs on files of a repository.
func (v *validator) paths(at string, patterns []string) {
	if !v.globs(at, patterns) {
		return
	}
	for i, p := range patterns {
		if path.IsAbs(p) || strings.HasPrefix(p, "./") || slices.Contains(strings.Split(p, "/"), "..") {
			v.at(fmt.Sprintf("%s[%d]", at, i), "write it from the repository's root: ledger/**", "%s does not start at the repository's root", quoted(p))
		}
	}
}
