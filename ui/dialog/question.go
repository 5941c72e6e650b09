package dialog

import (
	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Question asks for a y. Everything else is a no, or nothing.
type Question struct {
	title clean.Text
	lines []clean.Text
	ask   clean.Text
	yes   tea.Msg
}

var _ Dialog = (*Question)(nil)

// NewQuestion asks; yes is what a y answers.
func NewQuestion(title clean.Text, lines []clean.Text, ask clean.Text, yes tea.Msg) *Question {
	return &Question{title: title, lines: lines, ask: ask, yes: yes}
}

// Title implements Dialog.
func (q *Question) Title() clean.Text { return q.title }

// Typing implements Dialog.
func (q *Question) Typing() bool { return true }

// Seconds implements Dialog.
func (q *Question) Seconds() bool { return false }

// Do implements Dialog.
func (q *Question) Do(pane.Action) tea.Cmd { return nil }

// Click implements Dialog.
func (q *Question) Click(pane.Click) tea.Cmd { return nil }

// Footer implements Dialog.
func (q *Question) Footer(*keymap.Map, bool) []pane.Part { return nil }

// Key implements Dialog.
func (q *Question) Key(k tea.KeyMsg) tea.Cmd {
	if k.Paste {
		return nil
	}
	switch k.String() {
	case "y":
		return send(Yes{q.yes})
	case "n", "esc", "q":
		return send(Close{})
	}
	return nil
}

// Yes is a Question's y, once it has proved to be alone.
type Yes struct{ Msg tea.Msg }

func (q *Question) rows(w int) []clean.Text {
	var out []clean.Text
	for _, l := range q.lines {
		out = append(out, component.Wrap(l, w)...)
	}
	return out
}

// Want implements Dialog.
func (q *Question) Want(_ pane.Env, w, h int) (int, int) {
	w = max(0, min(w, 72))
	return w, max(1, min(h, len(q.rows(w-2))+2))
}

// Draw implements Dialog.
func (q *Question) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	for y, t := range q.rows(w - 2) {
		if y < h-1 {
			r.Text(1, y, e.Theme.Style(theme.Text), t)
		}
	}
	line := []pane.Part{{Token: theme.Strong, Text: q.ask}, {Text: clean.Const("  ")}}
	line = append(append(append(line, keyParts("y", "yes")...), pane.Part{Text: clean.Const("   ")}), keyParts("n", "no")...)
	component.Draw(r, 1, h-1, w-2, e.Theme, line)
}
