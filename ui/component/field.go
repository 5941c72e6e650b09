package component

import (
	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// fieldLimit is how many characters a field takes: more than anybody types, less than a mistaken paste.
const fieldLimit = 256

// TextField is one line of text that the user edits. Its cursor does not blink: nothing wakes for it.
type TextField struct{ in textinput.Model }

// NewTextField makes an empty field that has the keyboard.
func NewTextField() TextField {
	in := textinput.New()
	in.CharLimit = fieldLimit
	in.Cursor.SetMode(cursor.CursorStatic)
	in.KeyMap.Paste.SetEnabled(false) // it would run a program; terminals paste by themselves
	// Letters with alt are left out: Esc and a letter that arrive together look the same.
	in.KeyMap.WordForward.SetKeys("alt+right", "ctrl+right")
	in.KeyMap.WordBackward.SetKeys("alt+left", "ctrl+left")
	in.KeyMap.DeleteWordForward.SetKeys("alt+delete")
	in.Focus()
	return TextField{in}
}

// EditsWords reports whether k, with alt, moves or deletes by words in a field.
func EditsWords(k tea.KeyMsg) bool {
	switch k.Type {
	case tea.KeyLeft, tea.KeyRight, tea.KeyBackspace, tea.KeyDelete:
		return k.Alt
	default:
		return false
	}
}

// Update edits the field; it reports whether its text changed. With alt no key is text.
func (f *TextField) Update(k tea.KeyMsg) bool {
	if k.Alt && !EditsWords(k) {
		return false
	}
	before := f.in.Value()
	f.in, _ = f.in.Update(k)
	return f.in.Value() != before
}

// Value is the text as it was typed.
func (f *TextField) Value() string { return f.in.Value() }

// Text is the text as it may be drawn.
func (f *TextField) Text() clean.Text { return clean.Line(f.in.Value()) }

// SetValue replaces the text and puts the cursor at its end.
func (f *TextField) SetValue(s string) {
	f.in.SetValue(s)
	f.in.CursorEnd()
}

// Draw draws the field on the first line of r, scrolled so that its cursor shows.
func (f *TextField) Draw(r screen.Region, th *theme.Theme) {
	w, h := r.Size()
	if w <= 0 || h <= 0 {
		return
	}
	runes := []rune(f.in.Value())
	at := max(0, min(f.in.Position(), len(runes)))
	before := clean.Line(string(runes[:at]))
	under, after := clean.Const(" "), clean.Text{}
	if at < len(runes) {
		if u := clean.Line(string(runes[at : at+1])); u.Width() > 0 {
			under = u
		}
		after = clean.Line(string(runes[at+1:]))
	}
	st := th.Style(theme.Text)
	x := 0
	if room := w - under.Width(); before.Width() > room {
		before = before.Skip(before.Width() - room)
	}
	x += r.Text(x, 0, st, before)
	hot := st
	hot.Attr |= screen.Reverse
	x += r.Text(x, 0, hot, under)
	r.Text(x, 0, st, after)
}
