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
		Long: `Write a commented config from what is found: the repositories that the token may read, their
workflows and environments. What is unsure is written as a comment.

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
	found, err := c.discover(ctx, seed)
	if err != nil {
		return err
	}
	text, err := configText(seed, found)
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
	return say(cmd.OutOrStdout(), "wrote %s with %s; read it, then type signalbox\n", path, counted(written(found), "service"))
}

func written(found []wire.Proposal) int {
	n := 0
	for _, p := range found {
		if p.Confidence >= sure {
			n++
		}
	}
	return n
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

// discover asks the sources of cfg for services, the surest first.
func (c *commands) discover(ctx context.Context, cfg *config.Config) ([]wire.Proposal, error) {
	board, closeBoard, err := c.open(ctx, wire.Options{Config: cfg, Stateless: true}, demoAt{})
	if err != nil {
		return nil, err
	}
	defer closeBoard()
	found, err := board.Discover(ctx)
	if err != nil {
		return nil, &exit{code: exitSource, err: err}
	}
	slices.SortStableFunc(found, func(a, b wire.Proposal) int {
		if a.Confidence != b.Confidence {
			if a.Confidence > b.Confidence {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Service, b.Service)
	})
	return found, nil
}

// proposeChanges prints, as a diff, what the config at path lacks.
func (c *commands) proposeChanges(ctx context.Context, cmd *cobra.Command, path string) error {
	cfg, err := config.Load(ctx, path, wire.LoadOptions())
	if err != nil {
		return usage(err)
	}
	found, err := c.discover(ctx, cfg)
	if err != nil {
		return err
	}
	var b strings.Builder
	taken := map[string]bool{}
	for i := range cfg.Services {
		taken[cfg.Services[i].Name] = true
	}
	for _, p := range found {
		known := servicesOf(cfg, p)
		if len(known) == 0 {
			for line := range strings.Lines(serviceText(p, freeName(p, taken))) {
				b.WriteString("+" + line)
			}
			continue
		}
		for _, s := range known {
			b.WriteString(environmentDiff(s, p))
		}
	}
	if b.Len() == 0 {
		return say(cmd.OutOrStdout(), "%s lacks nothing that the sources know of\n", path)
	}
	return say(cmd.OutOrStdout(), "--- %s\n+++ %s, as proposed\n@@ services: @@\n%s", path, path, b.String())
}

// servicesOf are the services of cfg that live in the proposed repository.
func servicesOf(cfg *config.Config, p wire.Proposal) []*config.Service {
	var out []*config.Service
	for i := range cfg.Services {
		if r := cfg.Services[i].Repo; r.Source == p.Source && strings.EqualFold(r.Scope, p.Repo) {
			out = append(out, &cfg.Services[i])
		}
	}
	return out
}

// environmentDiff proposes the environments that the repository has and none of the service's stages
// stands for.
func environmentDiff(s *config.Service, p wire.Proposal) string {
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
	return fmt.Sprintf("   %s:\n+    # the repository also has: %s (%s)\n", s.Name, strings.Join(quotedList(lacking), ", "), confidence(p))
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
func serviceText(p wire.Proposal, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  # %s\n", oneLine(confidence(p)))
	fmt.Fprintf(&b, "  %s:\n    repo: %s\n", yamlName(name), yamlName(p.Source+":"+p.Repo))
	if len(p.Environments) > 0 {
		fmt.Fprintf(&b, "    environments: [%s]\n", strings.Join(stages(p.Environments), ", "))
	}
	if p.Deploy != "" {
		fmt.Fprintf(&b, "    # deploy: {via: workflow, workflow: %s, inputs: {environment: \"{{env}}\", ref: \"{{sha}}\"}}\n", yamlName(p.Deploy))
	}
	return b.String()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// configText is a whole config: the source of seed and the services that were found.
func configText(seed *config.Config, found []wire.Proposal) (string, error) {
	var b strings.Builder
	b.WriteString("# Written by signalbox init. `signalbox config sample` shows every key with its meaning,\n")
	b.WriteString("# `signalbox config check` tells whether a change is right.\n")
	b.WriteString("# team: payments              # shown in the header\n")
	b.WriteString("# me: {github: your-login}   # what counts as yours\n\nsources:\n")
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
	for _, p := range found {
		text := serviceText(p, freeName(p, taken))
		if p.Confidence < sure {
			for line := range strings.Lines(text) {
				b.WriteString("  # " + strings.TrimPrefix(line, "  "))
			}
			continue
		}
		n++
		b.WriteString(text)
	}
	if n == 0 {
		b.WriteString("  {}\n")
	}
	return b.String(), nil
}
