package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// section is what doctor found about one thing.
type section struct {
	Name     string        `json:"name"` // config, terminal, state, or a source's name
	Findings []findingFact `json:"findings"`
	code     int           // of the process, when a finding fails
}

// findingFact is one finding, as `doctor --output json` tells it.
type findingFact struct {
	Level  string     `json:"level"` // ok, warn or fail
	What   clean.Text `json:"what"`
	Detail clean.Text `json:"detail,omitzero"`
	Fix    clean.Text `json:"fix,omitzero"`
}

func (c *commands) doctor() *cobra.Command {
	var out output
	var wait patience
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for everything that could keep the board from working",
		Long: `Look for everything that could keep the board from working: the config, the tokens and what they may
read, the way to the sources, clocks, rate limits, the terminal. Every failure comes with its cure.

Exit codes: 0 nothing fails · 1 the terminal or the state directory · 2 the config · 6 a source.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := wait.context(cmd.Context())
			defer cancel()
			sections := c.examine(ctx)
			var err error
			if out == outputJSON {
				err = writeJSON(cmd.OutOrStdout(), struct {
					Sections []section `json:"sections"`
				}{sections})
			} else {
				err = tellFindings(cmd.OutOrStdout(), sections, c.terminal())
			}
			if err != nil {
				return err
			}
			return quiet(diagnosis(sections))
		},
	}
	out.flag(cmd)
	wait.flag(cmd, 30*time.Second)
	return cmd
}

// examine looks at everything, the config first: without one there are no sources to look at.
func (c *commands) examine(ctx context.Context) []section {
	cfg, found := c.examineConfig(ctx)
	sections := []section{{Name: "config", Findings: found, code: exitUsage}}
	sections = append(sections, c.examineSources(ctx, cfg)...)
	if levers := c.examineLevers(ctx, cfg); len(levers) > 0 {
		sections = append(sections, section{Name: "levers", Findings: levers, code: exitFailed})
	}
	return append(sections,
		section{Name: "terminal", Findings: c.terminal().examine(), code: exitFailed},
		section{Name: "network", Findings: c.examineNetwork(), code: exitFailed},
	)
}

// diagnosis is the exit code: that of the first section with a failure.
func diagnosis(sections []section) int {
	for _, s := range sections {
		for _, f := range s.Findings {
			if f.Level == levelName(sources.LevelFail) {
				return s.code
			}
		}
	}
	return exitWell
}

func (c *commands) examineConfig(ctx context.Context) (*config.Config, []findingFact) {
	if c.globals.demo {
		return nil, []findingFact{finding(sources.LevelOK, "the demo's own config", "", "")}
	}
	s, err := c.surroundings()
	if err != nil {
		return nil, []findingFact{finding(sources.LevelFail, "the working directory", err.Error(), "change to a directory that exists")}
	}
	path, chosen := config.Path(c.globals.config, s)
	cfg, err := wire.LoadConfig(ctx, c.globals.config, s)
	if nothing, ok := asNothingSet(err); ok {
		var ways []string
		for _, set := range nothing.Set {
			ways = append(ways, set.What)
		}
		return nil, []findingFact{finding(sources.LevelFail, "no config at "+path, strings.Join(nothing.Found[1:], "; "), strings.Join(ways, ", or "))}
	}
	if errs, ok := errors.AsType[config.Errors](err); ok {
		var out []findingFact
		for _, e := range errs {
			out = append(out, finding(sources.LevelFail, e.Pos.String(), e.Msg, e.Fix))
		}
		return nil, out
	}
	if err != nil {
		return nil, []findingFact{finding(sources.LevelFail, path, err.Error(), "")}
	}
	if cfg.Discovered && !chosen {
		path = "the repository of this directory, for want of a config"
	}
	out := []findingFact{finding(sources.LevelOK, path, clean.Counted(len(cfg.Services), "service")+", "+clean.Counted(len(cfg.Sources), "source"), "")}
	for _, w := range cfg.Warnings {
		out = append(out, finding(sources.LevelWarn, w.Pos.String(), w.Msg, w.Fix))
	}
	return cfg, append(out, openFiles(cfg.Files)...)
}

// openFiles warns of config files that others may change: they decide where tokens go.
func openFiles(files []string) []findingFact {
	var out []findingFact
	for _, file := range files {
		info, err := os.Stat(file)
		if err == nil && info.Mode().Perm()&0o022 != 0 {
			out = append(out, finding(sources.LevelWarn, file, fmt.Sprintf("others may change it (mode %#o)", info.Mode().Perm()), "chmod go-w "+file))
		}
	}
	return out
}

func (c *commands) examineSources(ctx context.Context, cfg *config.Config) []section {
	if cfg == nil && !c.globals.demo {
		return nil
	}
	board, closeBoard, err := c.open(ctx, wire.Options{Config: cfg, Stateless: true}, demoAt{})
	if err != nil {
		return []section{{Name: "sources", code: exitUsage, Findings: []findingFact{finding(sources.LevelFail, "opening them", err.Error(), "")}}}
	}
	defer closeBoard()
	// A source checks what it is asked for, so it is asked first.
	snap := board.Settle(ctx)
	out := []section{{Name: "state", Findings: findingsOf(board.CheckState()), code: exitFailed}}
	for name, found := range board.Check(ctx) {
		facts := findingsOf(found)
		if !wire.OutOfReach(found) {
			facts = append(facts, examineFeeds(snap, name, facts)...)
		}
		out = append(out, section{Name: name, Findings: facts, code: exitSource})
	}
	return out
}

// examineFeeds tells of a source's reads that do not go well, and that known does not tell of already.
func examineFeeds(s *store.Snapshot, source string, known []findingFact) []findingFact {
	var out []findingFact
	for i := range s.Feeds {
		f := feedOf(&s.Feeds[i])
		if f.Source != source {
			continue
		}
		out = append(out, mistakes(&s.Feeds[i])...)
		if f.Error.IsZero() {
			continue
		}
		level := levelName(sources.LevelFail)
		if f.State == healthName(store.Degraded) {
			level = levelName(sources.LevelWarn)
		}
		told := func(k findingFact) bool {
			return k.Level == level && k.Detail == f.Error && (f.Scope == "" || strings.Contains(k.What.String(), f.Scope))
		}
		if slices.ContainsFunc(known, told) || slices.ContainsFunc(out, told) {
			continue
		}
		what := f.Capability
		if f.Scope != "" {
			what = f.Scope + ": " + what
		}
		out = append(out, findingFact{Level: level, What: clean.Line(what), Detail: f.Error, Fix: f.Fix})
	}
	return out
}

// mistakes are the parts of a read that the config has wrong: a query that the source does not understand. What
// else may be missing from an answer the checks tell.
func mistakes(f *store.Feed) []findingFact {
	var out []findingFact
	for _, n := range f.Health.Notices {
		if n.Kind == sources.Invalid {
			what := strings.TrimSpace(f.Key.Scope + " " + string(f.Key.Capability))
			out = append(out, findingFact{Level: levelName(sources.LevelWarn), What: clean.Line(what), Detail: n.Text, Fix: n.Fix})
		}
	}
	return out
}

func findingsOf(found []sources.Finding) []findingFact {
	out := make([]findingFact, 0, len(found))
	for _, f := range found {
		out = append(out, findingFact{Level: levelName(f.Level), What: f.What, Detail: f.Detail, Fix: f.Fix})
	}
	return out
}

// examineNetwork tells what the environment says of proxies and certificates: a proxy that somebody
// forgot is the first thing to know of when nothing answers.
func (c *commands) examineNetwork() []findingFact {
	var out []findingFact
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"} {
		if v := c.process.env(name); v != "" {
			out = append(out, finding(sources.LevelOK, name, wire.NewRedactor(nil).String(v), ""))
		}
	}
	if len(out) == 0 {
		out = append(out, finding(sources.LevelOK, "no proxy in the environment", "", ""))
	}
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} {
		v := c.process.env(name)
		if v == "" {
			continue
		}
		if _, err := os.Stat(v); errors.Is(err, fs.ErrNotExist) {
			out = append(out, finding(sources.LevelFail, name, v+" does not exist", "unset "+name))
			continue
		}
		out = append(out, finding(sources.LevelOK, name, v, ""))
	}
	return out
}

// examine tells what the terminal can show.
func (t terminal) examine() []findingFact {
	var out []findingFact
	switch {
	case !t.in || !t.out:
		out = append(out, finding(sources.LevelWarn, "no terminal here", "input or output is redirected", "run the board in a terminal"))
	case t.w < 60 || t.h < 12:
		out = append(out, finding(sources.LevelWarn, fmt.Sprintf("%d by %d cells", t.w, t.h), "a plain list of what is wrong is shown", "make it 60x12 at least, 140x40 for everything"))
	default:
		out = append(out, finding(sources.LevelOK, fmt.Sprintf("%d by %d cells", t.w, t.h), "", ""))
	}
	switch {
	case t.bare():
		out = append(out, finding(sources.LevelWarn, fmt.Sprintf("TERM is %q", t.name), "the board is drawn without colours and in ASCII", "export TERM=xterm-256color, or what your terminal is"))
	default:
		out = append(out, finding(sources.LevelOK, "TERM is "+t.name, "", ""))
	}
	depth := map[int]string{0: "no colour", 16: "16 colours", 256: "256 colours", 1 << 24: "true colour"}[t.colors]
	f := finding(sources.LevelOK, depth, "by "+t.why, "")
	if t.colors == 16 && t.why == "TERM" {
		f = finding(sources.LevelWarn, depth, "by TERM", "export COLORTERM=truecolor where your terminal has it")
	}
	out = append(out, f)
	if t.mux != "" {
		f = finding(sources.LevelOK, "inside "+t.mux, "", "")
		if t.mux == "tmux" && t.colors < 256 && t.colors > 0 {
			f = finding(sources.LevelWarn, "inside tmux, without its colours", "", "set -g default-terminal tmux-256color in ~/.tmux.conf")
		}
		out = append(out, f)
	}
	switch {
	case t.unicode:
		out = append(out, finding(sources.LevelOK, "UTF-8", t.locale, ""))
	case !t.bare():
		out = append(out, finding(sources.LevelWarn, "ASCII symbols", "the locale "+quoted(t.locale)+" is not UTF-8", "export LANG=C.UTF-8, or theme: {glyphs: unicode}"))
	}
	return out
}

func quoted(s string) string {
	if s == "" {
		return "is not set, so it"
	}
	return s
}

func finding(l sources.Level, what, detail, fix string) findingFact {
	return findingFact{Level: levelName(l), What: clean.Line(what), Detail: clean.Line(detail), Fix: clean.Line(fix)}
}

func levelName(l sources.Level) string {
	switch l {
	case sources.LevelOK:
		return "ok"
	case sources.LevelWarn:
		return "warn"
	case sources.LevelFail:
		return "fail"
	default:
		return "unknown"
	}
}

func tellFindings(w io.Writer, sections []section, t terminal) error {
	color := t.out && t.colors > 0
	for _, s := range sections {
		if err := say(w, "%s\n", clean.Line(s.Name)); err != nil {
			return err
		}
		for _, f := range s.Findings {
			word, tint := "  ok  ", tintGood
			switch f.Level {
			case levelName(sources.LevelWarn):
				word, tint = "  warn", tintWarn
			case levelName(sources.LevelFail):
				word, tint = "  FAIL", tintBad
			}
			if color {
				word = tint.paint(word)
			}
			line := word + "  " + f.What.String()
			if !f.Detail.IsZero() {
				line += ": " + f.Detail.String()
			}
			if !f.Fix.IsZero() {
				line += "\n          → " + f.Fix.String()
			}
			if err := say(w, "%s\n", line); err != nil {
				return err
			}
		}
	}
	return nil
}
