package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// sure is the confidence from which on a proposed service is written as it is; below, it is commented
// out for a person to decide.
const sure = 0.5

func (c *commands) initialise() *cobra.Command {
	update := false
	var wait patience
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented config from what is found",
		Long: `Write a commented config from what is found with the credentials of the environment: repositories with
their workflows and environments, and what PagerDuty, Datadog, Prometheus and Alertmanager call by the same
names. What is unsure is written as a comment, with the reason.

A config that is there is never written over: --update prints what it lacks, and how sure that is.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.globals.demo {
				return usagef("init asks your own sources, and --demo has none: leave out --demo")
			}
			ctx, cancel := wait.context(cmd.Context())
			defer cancel()
			s, err := c.surroundings()
			if err != nil {
				return err
			}
			path, _ := config.Path(c.globals.config, s)
			if update {
				return c.proposeChanges(ctx, cmd, path)
			}
			return c.writeFirst(ctx, cmd, path, s)
		},
	}
	cmd.Flags().BoolVar(&update, "update", false, "print what the config lacks, and change nothing")
	wait.flag(cmd, time.Minute)
	return cmd
}

// writeFirst writes a config where there is none.
func (c *commands) writeFirst(ctx context.Context, cmd *cobra.Command, path string, s config.Surroundings) error {
	if _, err := os.Stat(path); err == nil {
		return usagef("%s is there already, and is not written over: type signalbox init --update for what it lacks", path)
	}
	seed, err := seedConfig(ctx, s)
	if err != nil {
		return err
	}
	found, mute, err := c.discover(ctx, seed)
	if err != nil {
		return err
	}
	text, err := configText(seed, found, mute)
	if err != nil {
		return err
	}
	if _, err := config.Parse(path, []byte(text), wire.LoadOptions()); err != nil {
		return fmt.Errorf("the config that was made is not right, which is a bug: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return usagef("%w: type --config with a path that you may write", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s is there already, and is not written over: type signalbox init --update for what it lacks", path)
	}
	if err != nil {
		return usagef("%w: type --config with a path that you may write", err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := tellMute(cmd, mute); err != nil {
		return err
	}
	return say(cmd.OutOrStdout(), "wrote %s with %s; read it, then type signalbox\n", path, clean.Counted(written(found), "service"))
}

// tellMute names the sources that nothing could be learned from, each with what mends it.
func tellMute(cmd *cobra.Command, mute []error) error {
	for _, err := range mute {
		line := err.Error()
		if e, ok := errors.AsType[*sources.Error](err); ok && e.Fix != "" {
			line += ": " + e.Fix
		}
		if err := say(cmd.ErrOrStderr(), "signalbox: %s\n", clean.Line(line)); err != nil {
			return err
		}
	}
	return nil
}

func written(found []candidate) int {
	n := 0
	for i := range found {
		if found[i].sure() {
			n++
		}
	}
	return n
}

// sure reports whether c is written as it is: a repository, or without one something that pages or has an
// objective.
func (c *candidate) sure() bool {
	if c.Repo != "" {
		return c.Confidence >= sure
	}
	return slices.ContainsFunc(c.Also, func(a also) bool { return a.sure() && len(a.Incidents)+len(a.SLOs) > 0 })
}

// seedConfig is a config with the source that the environment has a token for. The repository at hand
// decides which one where its host and the token's are the same.
func seedConfig(ctx context.Context, s config.Surroundings) (*config.Config, error) {
	cfg, err := config.Discover(ctx, s, wire.LoadOptions())
	if _, ok := asNothingSet(err); ok {
		cfg, err = config.Credential(s.Lookup, wire.LoadOptions())
	}
	if nothing, ok := asNothingSet(err); ok {
		return nil, usagef("%s, so there is nothing to look around with: type %s first", strings.Join(nothing.Found, "; "), nothing.Set[0].What)
	}
	return cfg, usage(err)
}

// discover asks the sources of cfg for services, the surest first, those with a repository before the
// others. mute are the sources that did not answer; when none did, that is an error.
func (c *commands) discover(ctx context.Context, cfg *config.Config) (found []candidate, mute []error, err error) {
	board, closeBoard, err := c.open(ctx, wire.Options{Config: cfg, Stateless: true}, demoAt{})
	if err != nil {
		return nil, nil, err
	}
	defer closeBoard()
	all, mute := board.Discover(ctx)
	if len(all) == 0 && len(mute) > 0 {
		return nil, nil, &exit{code: exitSource, err: errors.Join(mute...)}
	}
	found = candidates(all)
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(compareBool(a.Repo != "", b.Repo != ""), cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.Service, b.Service))
	})
	return found, mute, nil
}

// compareBool puts true first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// proposeChanges prints, as a diff, what the config at path lacks.
func (c *commands) proposeChanges(ctx context.Context, cmd *cobra.Command, path string) error {
	cfg, err := config.Load(ctx, path, wire.LoadOptions())
	if err != nil {
		return usage(err)
	}
	found, mute, err := c.discover(ctx, cfg)
	if err != nil {
		return err
	}
	text := proposal(cfg, found)
	if err := tellMute(cmd, mute); err != nil {
		return err
	}
	if text == "" {
		return say(cmd.OutOrStdout(), "%s lacks nothing that the sources know of\n", path)
	}
	return say(cmd.OutOrStdout(), "--- %s\n+++ %s, as proposed\n@@ services: @@\n%s", path, path, text)
}

// proposal is what cfg lacks of what was found: lines with a plus, to be put into the service whose name stands
// above them, or to be a service of their own.
func proposal(cfg *config.Config, found []candidate) string {
	var b strings.Builder
	taken := map[string]bool{}
	for i := range cfg.Services {
		taken[cfg.Services[i].Name] = true
	}
	for i := range found {
		p := &found[i]
		known := servicesOf(cfg, p)
		if len(known) == 0 {
			for line := range strings.Lines(entryText(p, freeName(p.Proposal, taken))) {
				b.WriteString("+" + line)
			}
			continue
		}
		for _, s := range known {
			b.WriteString(serviceDiff(s, p))
		}
	}
	return b.String()
}

// servicesOf are the services of cfg that p is about: those of its name, where it has no repository, is one of
// several in it or their config names none, and all others that live in its repository.
func servicesOf(cfg *config.Config, p *candidate) []*config.Service {
	var out []*config.Service
	for i := range cfg.Services {
		s := &cfg.Services[i]
		named := nameKey(s.Name) == nameKey(p.Service)
		houses := p.Repo != "" && s.Repo.Source == p.Source && strings.EqualFold(s.Repo.Scope, p.Repo)
		if named && (p.Repo == "" || s.Repo == (config.RepoRef{})) || houses && (named || !p.Part) {
			out = append(out, s)
		}
	}
	return out
}

// serviceDiff proposes what the sources know of a service and its config does not say.
func serviceDiff(s *config.Service, p *candidate) string {
	lines := ""
	if p.Repo != "" && s.Repo == (config.RepoRef{}) {
		lines = fmt.Sprintf("+    # repo: %s   # the repository of that name\n", yamlName(p.Source+":"+p.Repo))
	} else if !p.Part {
		lines = environmentDiff(s, p)
	}
	news := candidate{Proposal: p.Proposal}
	for _, a := range p.Also {
		a.Incidents = slices.DeleteFunc(slices.Clone(a.Incidents), func(id string) bool { return pagesFor(s, a.Source, id) })
		a.SLOs = slices.DeleteFunc(slices.Clone(a.SLOs), func(id string) bool {
			return slices.ContainsFunc(s.SLOs, func(o config.Objective) bool { return o.Source == a.Source && o.ID == id })
		})
		if len(s.Metrics) > 0 {
			a.Metrics = nil
		}
		if len(a.Incidents)+len(a.SLOs)+len(a.Metrics) > 0 {
			news.Also = append(news.Also, a)
		}
	}
	have := func(key string) bool {
		return key == "incidents" && len(s.Incidents) > 0 || key == "slos" && len(s.SLOs) > 0
	}
	for line := range strings.Lines(news.alsoText(have)) {
		lines += "+" + line
	}
	if lines == "" {
		return ""
	}
	return fmt.Sprintf("   %s:\n%s", s.Name, lines)
}

// pagesFor reports whether s is known to be paged for as id by a source: it says so, or it says nothing of the
// source, and its name stands for it.
func pagesFor(s *config.Service, source, id string) bool {
	silent := true
	for _, o := range s.Incidents {
		if o.Source == source {
			silent = false
			if o.ID == id {
				return true
			}
		}
	}
	return silent && id == s.Name
}

// environmentDiff proposes the environments that the repository has and none of the service's stages
// stands for.
func environmentDiff(s *config.Service, p *candidate) string {
	have := map[string]bool{}
	for _, e := range s.Environments {
		have[e.Provider] = true
		for _, target := range e.Targets {
			have[strings.ReplaceAll(e.Provider, "{{target}}", target)] = true
		}
	}
	var lacking []string
	for _, name := range p.Environments {
		if !have[name] {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) == 0 {
		return ""
	}
	return fmt.Sprintf("+    # the repository also has: %s (%s)\n", strings.Join(quotedList(lacking), ", "), confidence(p.Proposal))
}

var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*(:[A-Za-z0-9_./-]+)?$`)

// yamlName is s as YAML takes it for a string, whatever it is.
func yamlName(s string) string {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return strconv.Quote(s)
	}
	if plainName.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

func quotedList(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = yamlName(s)
	}
	return out
}

var prodPlace = regexp.MustCompile(`^(prod|production)[-_/]([A-Za-z0-9][A-Za-z0-9_-]*)$`)

// stages are environments as a config lists them: several that are production and differ by their place
// alone are one stage with targets.
func stages(names []string) []string {
	var places []string
	stem := ""
	for _, name := range names {
		if m := prodPlace.FindStringSubmatch(name); m != nil && (stem == "" || name == stem+m[2]) {
			stem = strings.TrimSuffix(name, m[2])
			places = append(places, m[2])
		}
	}
	if len(places) < 2 || slices.Contains(names, "prod") {
		return named(names)
	}
	var out []string
	for _, name := range names {
		switch place, is := strings.CutPrefix(name, stem); {
		case !is:
			out = append(out, named([]string{name})...)
		case place == places[0]:
			out = append(out, fmt.Sprintf(`{name: prod, provider_name: "%s{{target}}", targets: [%s]}`, stem, strings.Join(quotedList(places), ", ")))
		}
	}
	return out
}

// named are environments of their own, each with a name that a config may have. What looks like a template
// is left out: nobody could tell the two apart.
func named(names []string) []string {
	var out, taken []string
	for _, name := range names {
		slug := slugOf(name)
		if slug == "" || slices.Contains(taken, slug) || strings.Contains(name, "{{") {
			continue
		}
		taken = append(taken, slug)
		text := yamlName(slug)
		if slug != name {
			text = fmt.Sprintf("{name: %s, provider_name: %s}", text, strconv.Quote(name))
		}
		out = append(out, text)
	}
	return out
}

// maxName is the length of the longest name that a config may have.
const maxName = 63

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// slugOf is s as a config may name things; "" when nothing of it is left.
func slugOf(s string) string {
	s = strings.Trim(notInNames.ReplaceAllString(s, "-"), "-._")
	return s[:min(len(s), maxName)]
}

func confidence(p wire.Proposal) string {
	why := strings.Join(p.Why, "; ")
	if why != "" {
		why = ": " + why
	}
	return fmt.Sprintf("%.0f %% sure%s", 100*p.Confidence, why)
}

// freeName is a name for the proposed service that is not taken yet.
func freeName(p wire.Proposal, taken map[string]bool) string {
	base := cmp.Or(slugOf(p.Service), "service")
	name := base
	if taken[name] {
		base = slugOf(p.Repo)
		name = base
	}
	for n := 2; taken[name]; n++ {
		suffix := "-" + strconv.Itoa(n)
		name = base[:min(len(base), maxName-len(suffix))] + suffix
	}
	taken[name] = true
	return name
}

// serviceText is one service for the config, its comment first.
func serviceText(p *candidate, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  # %s\n  %s:\n", oneLine(confidence(p.Proposal)), yamlName(name))
	if p.Repo != "" {
		fmt.Fprintf(&b, "    repo: %s\n", yamlName(p.Source+":"+p.Repo))
		if p.Part {
			fmt.Fprintf(&b, "    # paths: %s   # several services live in it: name the files of this one\n", quoteLine(slugOf(p.Service)+"/**"))
		}
	} else {
		fmt.Fprintf(&b, "    # repo: no repository of that name was found\n")
		if p.Team != "" {
			fmt.Fprintf(&b, "    # team: %s   # if it is another team's\n", quoteLine(p.Team))
		}
	}
	if len(p.Environments) > 0 {
		fmt.Fprintf(&b, "    environments: [%s]\n", strings.Join(stages(p.Environments), ", "))
	}
	if p.Deploy != "" {
		fmt.Fprintf(&b, "    # deploy: {via: workflow, workflow: %s, inputs: {environment: \"{{env}}\", ref: \"{{sha}}\"}}\n", yamlName(p.Deploy))
	}
	b.WriteString(p.alsoText(func(string) bool { return false }))
	return b.String()
}

// entryText is serviceText, as a comment where it is left to a person.
func entryText(p *candidate, name string) string {
	text := serviceText(p, name)
	if p.sure() {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  # " + strings.TrimPrefix(line, "  "))
	}
	return b.String()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// configText is a whole config: the source of seed and the services that were found.
func configText(seed *config.Config, found []candidate, mute []error) (string, error) {
	var b strings.Builder
	b.WriteString("# Written by signalbox init. `signalbox config sample` shows every key with its meaning,\n")
	b.WriteString("# `signalbox config check` tells whether a change is right.\n")
	b.WriteString("# team: payments              # shown in the header\n")
	b.WriteString("# me: {github: your-login, pagerduty: you@example.com}   # what counts as yours\n")
	for _, err := range mute {
		fmt.Fprintf(&b, "# not asked for services: %s\n", oneLine(err.Error()))
	}
	b.WriteString("\nsources:\n")
	for _, entry := range seed.Sources {
		text, err := wire.SourceText(entry)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	b.WriteString("\nservices:\n")
	taken := map[string]bool{}
	n := 0
	for i := range found {
		p := &found[i]
		b.WriteString(entryText(p, freeName(p.Proposal, taken)))
		if p.sure() {
			n++
		}
	}
	if n == 0 {
		b.WriteString("  {}\n")
	}
	return b.String(), nil
}
