package ui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/layout"
	"example.com/signalbox/ui/pane"
)

// slot is a pane and what the App keeps of it. Its serial tells answers to it from answers to another
// pane that had the same ID before.
type slot struct {
	serial int
	pane   pane.Pane
	ctx    context.Context // ends with the pane, and its questions with it
	cancel context.CancelFunc

	watches bool   // it is a pane.Watcher
	watched string // what it was told of last

	world world
	size  pane.Sized
	rect  layout.Rect // its frame; empty: not shown

	updates uint64 // that reached the pane
	drawn   drawn  // what its cells show
}

// world is the part of the Env that a pane is told of when it changes.
type world struct {
	snap   *store.Snapshot
	follow string
	whose  pane.Whose
	zone   *time.Location
	narrow bool
}

// drawn is all that a pane's cells depend on.
type drawn struct {
	env     pane.Env
	updates uint64
	rect    layout.Rect
}

func (a *App) newSlot(p pane.Pane) *slot {
	a.serial++
	s := &slot{serial: a.serial, pane: p}
	_, s.watches = p.(pane.Watcher)
	s.ctx, s.cancel = context.WithCancel(a.ctx)
	return s
}

// address makes what cmd returns find its way back: to this pane, and to no other of the same ID.
func (s *slot) address(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() tea.Msg {
		switch m := cmd().(type) {
		case nil:
			return nil
		case tea.BatchMsg:
			all := make(tea.BatchMsg, len(m))
			for i, c := range m {
				all[i] = s.address(c)
			}
			return all
		default:
			return fromPane{s.serial, m}
		}
	}
}

// tell hands a message to a pane.
func (a *App) tell(s *slot, msg tea.Msg) tea.Cmd {
	p, cmd := s.pane.Update(a.env(s), msg)
	s.pane = p
	s.updates++
	return s.address(cmd)
}

// focused is the slot that keys go to; nil when there is no pane at all.
func (a *App) focused() *slot {
	if n := len(a.details); n > 0 {
		return a.details[n-1]
	}
	if a.focus < len(a.board) {
		return a.board[a.focus]
	}
	return nil
}

// find is the slot with a serial; nil when it is gone.
func (a *App) find(serial int) *slot {
	for _, s := range a.board {
		if s.serial == serial {
			return s
		}
	}
	for _, s := range a.details {
		if s.serial == serial {
			return s
		}
	}
	return nil
}

func (a *App) world() world {
	return world{a.snap, a.follow, a.whose, a.set.Zone, a.mode() <= layout.Narrow}
}

// env is what surrounds s now.
func (a *App) env(s *slot) pane.Env {
	e := pane.Env{
		Snap: a.snap, Known: &a.known, Now: a.moment(), Theme: a.set.Theme, Zone: a.set.Zone, Keys: a.set.Keys,
		Focused: s == a.focused() && len(a.dialogs) == 0,
		Follow:  a.follow, Whose: a.whose,
		Hidden:  s.rect.Empty(),
		Compact: a.mode() <= layout.Narrow,
	}
	if s.watches {
		e.Watched = a.watch.Service
	}
	if !e.Hidden && s.pane.Seconds(e) {
		e.Now = a.opts.Clock().Truncate(time.Second)
	}
	return e
}

// bare is an Env that belongs to no pane, by the minute.
func (a *App) bare() pane.Env {
	return pane.Env{
		Snap: a.snap, Known: &a.known, Now: a.moment(), Theme: a.set.Theme, Zone: a.set.Zone, Keys: a.set.Keys,
		Follow: a.follow, Whose: a.whose, Compact: a.mode() <= layout.Narrow,
	}
}

// selected is the object under the focused pane's cursor.
func (a *App) selected() (pane.Selection, bool) {
	s := a.focused()
	if s == nil {
		return pane.Selection{}, false
	}
	return s.pane.Selected(a.env(s))
}
