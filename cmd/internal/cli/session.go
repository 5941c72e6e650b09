package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/aymanbagabas/go-osc52/v2"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/theme"
)

// surroundings is what finding a config depends on.
func (c *commands) surroundings() (config.Surroundings, error) {
	dir, err := os.Getwd()
	if err != nil {
		return config.Surroundings{}, fmt.Errorf("find the working directory: %w", err)
	}
	return config.Surroundings{Dir: dir, Lookup: c.process.Lookup, ConfigHome: xdg.ConfigHome}, nil
}

// load reads the config as --config and the environment say.
func (c *commands) load(ctx context.Context) (*config.Config, error) {
	s, err := c.surroundings()
	if err != nil {
		return nil, err
	}
	cfg, err := wire.LoadConfig(ctx, c.globals.config, s)
	return cfg, usage(err)
}

// demoAt is which moment of the demo's world is shown.
type demoAt struct {
	seed  int64
	after time.Duration
	still bool // the clock stands
}

// open composes a board: of the demo's world, or of the config. closeBoard ends all that was begun, once.
func (c *commands) open(ctx context.Context, o wire.Options, at demoAt) (board *wire.Board, closeBoard func(), err error) {
	var closers []func() error
	closeAll := func() {
		for i := len(closers) - 1; i >= 0; i-- {
			if err := closers[i](); err != nil {
				o.Log.Warn("closing", "err", err)
			}
		}
		closers = nil
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	o.Log, o.Lookup, o.UserAgent = c.log, c.process.Lookup, userAgent()
	if is, by, err := c.readOnly(); err != nil {
		return nil, nil, err
	} else if is {
		o.ReadOnly = by
	}
	if o.Config == nil && c.globals.demo {
		if c.globals.config != "" {
			world, err := c.attend(ctx)
			if err != nil {
				return nil, nil, err
			}
			closers = append(closers, world.Close)
			o.Now, o.Clock = world.Now, world
		}
	}
	if o.Config == nil && c.globals.demo && c.globals.config == "" {
		demo, err := wire.StartDemo(ctx, at.options(c.log))
		if err != nil {
			return nil, nil, err
		}
		closers = append(closers, demo.Close)
		o.Config, o.Now, o.Records, o.Private, o.Stateless = demo.Config(), demo.Now, demo.Records(), true, true
	}
	if o.Config == nil {
		if o.Config, err = c.load(ctx); err != nil {
			return nil, nil, err
		}
	}
	board, err = wire.New(o)
	if err != nil {
		return nil, nil, usage(err)
	}
	closers = append(closers, board.Close)
	return board, closeAll, nil
}

func (d demoAt) options(log *slog.Logger) wire.DemoOptions {
	o := wire.DemoOptions{Seed: d.seed, After: d.after, Speed: 1, Log: log}
	if d.still {
		o.Speed = 0
	}
	return o
}

// look is what the terminal can show.
func (t terminal) look(zone *time.Location) wire.Look {
	return wire.Look{
		Depth: depthOf(t.colors), NoColor: t.why == "--no-color", Unicode: t.unicode, Light: t.light, Zone: zone, Remote: t.ssh, Copy: t.copySequence,
		Notify: ui.TerminalNotify(t.name, t.program, t.mux != ""), Wrap: t.passthrough(),
	}
}

// copySequence puts text on the clipboard of the terminal that the user sits at. tmux takes it for itself
// or passes it on, as it was told to: it gets both. GNU screen passes it on when it is wrapped.
func (t terminal) copySequence(text string) string {
	s := osc52.New(text)
	switch t.mux {
	case "tmux":
		return s.String() + s.Tmux().String()
	case "screen":
		return s.Screen().String()
	default:
		return s.String()
	}
}

// passthrough wraps a sequence so that the multiplexer hands it to the terminal: tmux does where
// allow-passthrough is on, and drops it elsewhere. nil: there is none.
func (t terminal) passthrough() func(string) string {
	switch t.mux {
	case "tmux":
		return func(s string) string { return "\x1bPtmux;" + strings.ReplaceAll(s, "\x1b", "\x1b\x1b") + "\x1b\\" }
	case "screen":
		// What is inside may not hold the end of what is around it.
		return func(s string) string { return "\x1bP" + strings.ReplaceAll(s, "\x1b\\", "\a") + "\x1b\\" }
	default:
		return nil
	}
}

func depthOf(colors int) theme.Depth {
	switch {
	case colors >= 1<<24:
		return theme.TrueColor
	case colors >= 256:
		return theme.ANSI256
	case colors >= 16:
		return theme.ANSI16
	default:
		return theme.None
	}
}

// lightBackground reads what some terminals say of their colours: "foreground;background", as indices of
// the first sixteen. Nothing said means dark.
func lightBackground(colorfgbg string) bool {
	i := strings.LastIndexByte(colorfgbg, ';')
	if i < 0 {
		return false
	}
	bg := colorfgbg[i+1:]
	return bg == "7" || bg == "15"
}

// asNothingSet is why there is nothing to show without a config.
func asNothingSet(err error) (*config.NothingSet, bool) {
	return errors.AsType[*config.NothingSet](err)
}
