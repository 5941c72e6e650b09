package ui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/theme"
)

// solitude is how long no other key may follow one that reaches outside the board.
const solitude = 20 * time.Millisecond

// crowd tells keys that somebody pressed from keys that arrived as one piece, as text does that is pasted
// into a terminal which does not mark pastes. Bubble Tea cuts what it reads at blanks and control
// characters, so that one read may be several messages.
//
// After each key the App sends itself a message. The rest of the same read waits already to be handed
// over, and is handed over first: a key that comes before that message came together with the one
// before it, however slow the machine is. No clock is asked, and a slow link makes no difference.
type crowd struct {
	keys   int    // so many key messages came
	last   string // the name of the last one
	settle bool   // the message after the last one has not come back
	joined bool   // the last key came together with the one before
}

// quietMsg comes back when nothing else of the read of key n waits.
type quietMsg struct{ n int }

// aloneMsg comes a while after key n, which asked for action.
type aloneMsg struct {
	n      int
	action keymap.Action
	aim    *aim // of one that changes something: what it is about
}

// arrive notes a key. A control key that is pressed again and again is one key: an impatient ctrl+c must
// work on a slow link, and is in no text. Enter is, and may be held down.
func (c *crowd) arrive(k tea.KeyMsg) {
	name := k.String()
	if again := c.settle && name == c.last && k.Type < 0x20 && k.Type >= 0 && k.Type != tea.KeyEnter; again {
		return
	}
	c.keys++
	c.last = name
	c.joined, c.settle = c.settle, true
}

// pressed is the message to send after the key that arrived last.
func (c *crowd) pressed() tea.Cmd {
	n := c.keys
	return func() tea.Msg { return quietMsg{n} }
}

func (c *crowd) quiet(m quietMsg) {
	if m.n == c.keys {
		c.settle = false
	}
}

// ask does what a single key or the palette asks for; what reaches outside the board only after the key
// has proved to be alone.
func (a *App) ask(action keymap.Action) tea.Cmd {
	info, _ := a.set.Keys.Info(action)
	switch {
	case !info.Alone:
		return a.act(action, 1)
	case info.Acts && a.dialog() != nil:
		return nil
	case info.Acts:
		if !a.mayPull(action) {
			return nil
		}
		return a.askFor(a.aimAt(action))
	}
	return a.single(aloneMsg{n: a.crowd.keys, action: action})
}

// askFor does what an aim asks for, once its key has proved to be alone.
func (a *App) askFor(m aim) tea.Cmd {
	return a.single(aloneMsg{a.crowd.keys, m.action, &m})
}

func (a *App) single(m aloneMsg) tea.Cmd {
	if a.crowd.joined {
		a.notAlone(m.action)
		return nil
	}
	ctx := a.ctx
	return func() tea.Msg { return m.after(ctx, solitude) }
}

// after is m, once d has passed or ctx is over.
func (m aloneMsg) after(ctx context.Context, d time.Duration) tea.Msg {
	sleep(ctx, d)
	return m
}

// alone does what the key of m asked for, unless another key came since.
func (a *App) alone(m aloneMsg) tea.Cmd {
	if m.n != a.crowd.keys {
		a.notAlone(m.action)
		return nil
	}
	if m.aim != nil {
		return a.pull(*m.aim)
	}
	return a.act(m.action, 1)
}

func (a *App) notAlone(action keymap.Action) {
	key := a.set.Keys.Show(action, !a.set.Theme.Options().ASCII)
	if key == "" {
		key = string(action)
	}
	a.say(theme.Muted, clean.Linef("%s came together with other keys: press it alone", key))
}
