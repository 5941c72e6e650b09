// Package dialog holds what opens above the board: the help, the palette, the sources' health, an
// error in full, and what was said lately.
//
// A dialog never acts: it answers with Close or Choose, and the App does the rest, before it takes another key.
package dialog

import (
	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
)

// Dialog is one of them. Draw is pure; Want is asked before each Draw, with the room that there is.
type Dialog interface {
	Title() clean.Text
	// Want is the size that it would like inside its frame, on a screen with room for w by h there.
	Want(e pane.Env, w, h int) (int, int)
	Draw(pane.Env, screen.Region)
	// Typing reports that it takes every key as it is; else it gets Actions.
	Typing() bool
	// Key, Do and Click answer with a command that returns at once.
	Key(tea.KeyMsg) tea.Cmd
	Do(pane.Action) tea.Cmd
	Click(pane.Click) tea.Cmd
	// Seconds reports that what it shows changes by the second.
	Seconds() bool
	// Footer is what its keys do, for the lower edge of its frame.
	Footer(*keymap.Map, bool) []pane.Part
}

// Summarizer is a Dialog that says something at the right of its title.
type Summarizer interface {
	Summary() []pane.Part
	Short() []pane.Part // where room lacks
}

// Close takes the dialog away.
type Close struct{}

// Choose takes the dialog away and then does what was chosen.
type Choose struct{ Msg tea.Msg }

func send(m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }
