package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// picture are the flags of the command frame.
type picture struct {
	size   size
	format string
	seed   int64
	at     string
	wait   patience
}

func (c *commands) frame() *cobra.Command {
	p := picture{size: size{160, 48}, format: "ansi"}
	cmd := &cobra.Command{
		Use:   "frame",
		Short: "Draw the board once, to the output",
		Long: `Draw the board once, after every feed has answered or failed.

A picture that was drawn before all have is drawn too, and the exit code is 6.

With --demo the world stands still at --at, so the same flags give the same bytes each time.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !c.globals.demo && (cmd.Flags().Changed("seed") || cmd.Flags().Changed("at")) {
				return usagef("--seed and --at choose a moment of the demo's world: type --demo too")
			}
			return c.draw(cmd.Context(), cmd.OutOrStdout(), p)
		},
	}
	f := cmd.Flags()
	f.Var(&p.size, "size", "columns and rows of the picture")
	formats := []string{"ansi", "text", "svg"}
	f.Var(choice(&p.format, formats...), "format", "ansi, text or svg")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	f.Int64Var(&p.seed, "seed", 0, "with --demo: the world's seed")
	f.StringVar(&p.at, "at", "", "with --demo: the time in the world, as in 02:20; it opens at "+wire.Opening().Format("15:04"))
	p.wait.flag(cmd, 30*time.Second)
	return cmd
}

// after is how long after the world's opening p.at is.
func (p picture) after() (time.Duration, error) {
	if p.at == "" {
		return 0, nil
	}
	opening := wire.Opening()
	for _, layout := range []string{"15:04", "15:04:05", time.RFC3339} {
		at, err := time.Parse(layout, p.at)
		if err != nil {
			continue
		}
		if layout != time.RFC3339 {
			y, m, d := opening.Date()
			at = time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
		}
		after := at.Sub(opening)
		if after < 0 || after > 24*time.Hour {
			return 0, usagef("--at %s is not within a day of the world's opening: type a time from %s on", p.at, opening.Format("15:04"))
		}
		return after, nil
	}
	return 0, usagef("--at %q is no time: type it as in 02:20", p.at)
}

func (c *commands) draw(ctx context.Context, w io.Writer, p picture) error {
	after, err := p.after()
	if err != nil {
		return err
	}
	board, closeBoard, err := c.open(ctx, wire.Options{Stateless: true}, demoAt{seed: p.seed, after: after, still: true})
	if err != nil {
		return err
	}
	defer closeBoard()
	settle, cancel := p.wait.context(ctx)
	defer cancel()
	snap := board.Settle(settle)
	if err := ctx.Err(); err != nil {
		return err
	}
	grid, err := still(ctx, board, p.size, c.pictureLook(p.format))
	if err != nil {
		return err
	}
	text := grid.String()
	switch p.format {
	case "ansi":
		text = ansi(grid)
	case "svg":
		text = svg(grid)
	}
	if err := say(w, "%s", text); err != nil {
		return err
	}
	if n := unanswered(snap); n > 0 {
		return &exit{code: exitSource, err: fmt.Errorf("%s had no answer within %s: type a longer --wait", clean.Counted(n, "read"), p.wait.String())}
	}
	return nil
}

// unanswered counts the feeds that have neither answered nor failed.
func unanswered(s *store.Snapshot) int {
	n := 0
	for i := range s.Feeds {
		if s.Feeds[i].Health.State == store.Loading {
			n++
		}
	}
	return n
}

// pictureLook is how a picture looks: as rich as its format can be, whatever the terminal of the moment,
// so that a picture into a file is the same from everywhere.
func (c *commands) pictureLook(format string) wire.Look {
	l := wire.Look{Depth: theme.TrueColor, NoColor: c.globals.noColor, Unicode: true, Zone: time.Local}
	if c.globals.demo {
		l.Zone = time.UTC
	}
	if format == "text" || format == "ansi" && c.process.env("NO_COLOR") != "" {
		l.Depth = theme.None
	}
	return l
}

// noScreen takes frames and shows none.
type noScreen struct{}

func (noScreen) Flush(*screen.Grid, screen.Cause)  {}
func (noScreen) WriteString(s string) (int, error) { return len(s), nil }

// still is one frame of what board knows now.
func still(ctx context.Context, board *wire.Board, s size, l wire.Look) (*screen.Grid, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	app, err := board.App(ctx, noScreen{}, l)
	if err != nil {
		return nil, usage(err)
	}
	// Nothing that a first frame needs is in the commands: they wait for news and set timers.
	_ = app.Init()
	_, _ = app.Update(tea.WindowSizeMsg{Width: s.w, Height: s.h})
	return app.Frame(), nil
}

// choice is a flag with one of some values.
func choice(to *string, of ...string) *chosen { return &chosen{to, of} }

type chosen struct {
	to *string
	of []string
}

func (c *chosen) String() string {
	if c.to == nil {
		return ""
	}
	return *c.to
}

func (c *chosen) Type() string { return strings.Join(c.of, "|") }

func (c *chosen) Set(s string) error {
	for _, one := range c.of {
		if s == one {
			*c.to = s
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s: type one of them", s, strings.Join(c.of, ", "))
}
