package cli

import (
	"fmt"
	"os"
	"sync"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources/crash"
)

// shelter runs a model whose panics, and those of its commands, end the program as a key would: the
// terminal is given back first. Bubble Tea's own handling prints the panic's value as it is, and it may
// hold a credential.
type shelter struct {
	model tea.Model

	mu    sync.Mutex
	crash *crash.Panic
}

var _ tea.Model = (*shelter)(nil)

// crashMsg reports a command's panic to the loop.
type crashMsg struct{ crash *crash.Panic }

// Init implements tea.Model.
func (g *shelter) Init() (cmd tea.Cmd) {
	defer g.recovered(&cmd)
	return g.protect(g.model.Init())
}

// Update implements tea.Model.
func (g *shelter) Update(msg tea.Msg) (self tea.Model, cmd tea.Cmd) {
	defer func() { self = g }() // also after a panic
	defer g.recovered(&cmd)
	if m, ok := msg.(crashMsg); ok {
		g.keep(m.crash)
		return g, tea.Quit
	}
	g.model, cmd = g.model.Update(msg)
	return g, g.protect(cmd)
}

// View implements tea.Model.
func (g *shelter) View() string { return g.model.View() }

// failure is the first panic; nil when there was none.
func (g *shelter) failure() *crash.Panic {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.crash
}

func (g *shelter) keep(c *crash.Panic) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.crash == nil {
		g.crash = c
	}
}

func (g *shelter) recovered(cmd *tea.Cmd) {
	if v := recover(); v != nil {
		g.keep(crash.Caught(v))
		*cmd = tea.Quit
	}
}

// protect makes the panic of a command, or of one of its batch, a message.
func (g *shelter) protect(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if v := recover(); v != nil {
				msg = crashMsg{crash.Caught(v)}
			}
		}()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			safe := make(tea.BatchMsg, len(batch))
			for i, c := range batch {
				safe[i] = g.protect(c)
			}
			return safe
		}
		return msg
	}
}

// crash reports a panic, without credentials.
func (c *commands) crash(v any) {
	known := crash.Caught(v)
	text := fmt.Sprintf("%v\n\n%s\nThis is a bug of signalbox (%s): please report the lines above.\n", known, known.Stack, buildInfo().Version)
	// Nothing is left to do when the error stream itself is gone.
	_, _ = fmt.Fprint(c.process.Err, wire.NewRedactor(os.Environ()).String(text))
}
