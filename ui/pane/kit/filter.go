package kit

import (
	"strconv"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Filter is the text that narrows a list, and the field it is typed into. The zero Filter is closed and
// lets everything through.
type Filter struct {
	field  component.TextField
	typing bool
	text   string
}

// Typed is what a key did to a Filter.
type Typed uint8

// The answers of Filter.Key.
const (
	TypedNothing Typed = iota
	TypedText          // the text changed
	TypedUp            // the key moves the list below
	TypedDown
	TypedDone // the field is closed; the text may have been cleared
)

// Open starts typing, with the text as it was.
func (f *Filter) Open() {
	f.field = component.NewTextField()
	f.field.SetValue(f.text)
	f.typing = true
}

// Typing reports that the field has the keyboard.
func (f *Filter) Typing() bool { return f.typing }

// Active reports that there is a filter, or one is being typed.
func (f *Filter) Active() bool { return f.typing || f.text != "" }

// Text is the filter as it was typed.
func (f *Filter) Text() string { return f.text }

// Words is the filter as insight matches it.
func (f *Filter) Words() []string { return insight.Words(f.text) }

// Clear lets everything through and closes the field.
func (f *Filter) Clear() { *f = Filter{} }

// Key takes a key while Typing: Enter keeps the filter, Esc clears it.
func (f *Filter) Key(k tea.KeyMsg) Typed {
	if !f.typing {
		return TypedNothing
	}
	switch k.Type {
	case tea.KeyEnter:
		f.typing = false
		return TypedDone
	case tea.KeyEsc, tea.KeyCtrlC:
		f.Clear()
		return TypedDone
	case tea.KeyUp:
		return TypedUp
	case tea.KeyDown:
		return TypedDown
	default:
	}
	if !f.field.Update(k) {
		return TypedNothing
	}
	f.text = f.field.Value()
	return TypedText
}

// Draw draws the filter on the first line of r, with how many rows of how many it lets through.
func (f *Filter) Draw(r screen.Region, th *theme.Theme, shown, of int) {
	w, _ := r.Size()
	tally := Text(strconv.Itoa(shown) + " of " + strconv.Itoa(of))
	tok := theme.Muted
	if shown == 0 {
		tok = theme.Warn
	}
	room := w - tally.Width() - 4
	if room < 4 {
		room = w - 3
	} else {
		Right(r, th, 0, 0, w-1, tok, tally)
	}
	r.Label(1, 0, th.Style(theme.KeyHint), "/")
	if f.typing {
		f.field.Draw(r.Sub(2, 0, room, 1), th)
		return
	}
	Put(r, th, 2, 0, room, theme.Match, Text(f.text))
}
