package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources/crash"
	"example.com/signalbox/ui/screen"
)

// board shows the board until its user leaves.
func (c *commands) board(cmd *cobra.Command, _ []string) error {
	t := c.terminal()
	if err := t.drawable(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	crashed := crash.Handler(func(p *crash.Panic) { cancel(p) }) // a crash behind the screen ends the screen
	board, closeBoard, err := c.openOrSetup(ctx)
	if err != nil {
		return err
	}
	defer closeBoard()

	zone := time.Local
	if c.globals.demo {
		zone = time.UTC // where the demo's story plays
	}
	out := screen.NewOutput(c.process.Out, screen.OutputOptions{
		Now: time.Now, Synchronized: board.Synchronized(t.sync), EraseColor: t.erases(), Crash: crashed,
	})
	app, err := board.App(ctx, out, t.look(zone))
	if err != nil {
		return errors.Join(usage(err), out.Close())
	}
	polled := make(chan struct{})
	crashed.Go(func() {
		defer close(polled)
		cancel(board.Run(ctx))
	})
	err = c.show(ctx, app, out)
	cancel(nil)
	<-polled
	return err
}

// openOrSetup opens the board; where nothing is set, one that says what to set.
func (c *commands) openOrSetup(ctx context.Context) (*wire.Board, func(), error) {
	board, closeBoard, err := c.open(ctx, wire.Options{}, demoAt{})
	nothing, ok := asNothingSet(err)
	if !ok {
		return board, closeBoard, err
	}
	return c.open(ctx, wire.Options{Config: wire.EmptyConfig(), Setup: wire.SetupPage(nothing), Private: true, Stateless: true}, demoAt{})
}

// show runs the screen and gives the terminal back, however it ends.
func (c *commands) show(ctx context.Context, app tea.Model, out *screen.Output) error {
	g := &shelter{model: app}
	before, err := term.GetState(int(c.process.In.Fd()))
	if err != nil {
		return fmt.Errorf("look at the terminal: %w", err)
	}
	processors := sparing(c.process.Lookup)
	defer processors.restore()
	program := tea.NewProgram(g,
		tea.WithContext(ctx), tea.WithInput(c.process.In), tea.WithOutput(out), tea.WithAltScreen(),
		tea.WithFPS(1), tea.WithoutSignalHandler(), tea.WithoutCatchPanics(), tea.WithFilter(processors.filter),
	)
	defer func() {
		// A panic in Bubble Tea itself passes here on its way up.
		if v := recover(); v != nil {
			_ = out.Close()
			_ = term.Restore(int(c.process.In.Fd()), before)
			panic(v)
		}
	}()
	_, err = program.Run()
	closed := out.Close()
	fatal := g.failure()
	if fatal == nil {
		fatal, _ = errors.AsType[*crash.Panic](context.Cause(ctx))
	}
	if fatal != nil {
		c.crash(fatal)
		return quiet(exitFailed)
	}
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return nil // told to go, by a signal
	}
	if err = errors.Join(err, closed); err != nil {
		return fmt.Errorf("show the board: %w", err)
	}
	return nil
}
