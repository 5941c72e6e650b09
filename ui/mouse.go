package ui

import (
	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/layout"
	"example.com/signalbox/ui/pane"
)

// wheelLines is how far a notch of the wheel scrolls.
const wheelLines = 3

// mouse routes presses of the left button and the wheel; all else is not looked at.
func (a *App) mouse(m tea.MouseEvent) (cmd tea.Cmd, changed bool) {
	if !a.set.Mouse || m.Action != tea.MouseActionPress {
		return nil, false
	}
	c := pane.Click{X: m.X, Y: m.Y}
	switch m.Button {
	case tea.MouseButtonLeft:
	case tea.MouseButtonWheelUp:
		c.Wheel = -wheelLines
	case tea.MouseButtonWheelDown:
		c.Wheel = wheelLines
	default:
		return nil, false
	}
	a.attend()
	a.crowd.joined = false // a press is no part of a text
	if d := a.dialog(); d != nil {
		return a.clickDialog(d, c), true
	}
	if a.canvas.health.Has(c.X, c.Y) && c.Wheel == 0 {
		return a.act(keymap.SourceHealth, 1), true
	}
	if r := a.canvas.plan.Tabs; r.Has(c.X, c.Y) && len(a.details) == 0 {
		a.clickTab(c.X - r.X - 1)
		return nil, true
	}
	return a.clickPane(c), true
}

func (a *App) clickDialog(d dialog.Dialog, c pane.Click) tea.Cmd {
	box := a.canvas.box
	if !box.Has(c.X, c.Y) {
		if c.Wheel == 0 {
			a.popDialog()
		}
		return nil
	}
	if box.W < a.width || box.H < a.height {
		box = box.Inset()
	}
	if c.Wheel == 0 && !box.Has(c.X, c.Y) {
		return nil
	}
	c.X, c.Y = c.X-box.X, c.Y-box.Y
	return a.answered(d.Click(c))
}

func (a *App) clickTab(x int) {
	for i, end := range a.canvas.tabs {
		if x < end {
			a.focusOn(i)
			return
		}
	}
}

// clickPane gives a press to the pane under it, which gets the focus; the wheel scrolls without that.
func (a *App) clickPane(c pane.Click) tea.Cmd {
	for _, s := range a.visible() {
		if !s.rect.Has(c.X, c.Y) {
			continue
		}
		in := a.inner(s.rect)
		if c.Wheel == 0 {
			a.focusSlot(s)
			if !in.Has(c.X, c.Y) {
				return nil
			}
		}
		return a.tell(s, clickIn(in, c))
	}
	return nil
}

func clickIn(in layout.Rect, c pane.Click) pane.Click {
	c.X, c.Y = c.X-in.X, c.Y-in.Y
	return c
}

func (a *App) focusSlot(s *slot) {
	for i, b := range a.board {
		if b == s {
			a.focusOn(i)
		}
	}
}
