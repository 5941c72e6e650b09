package component

import (
	"testing"

	tea "github.com/charmbracelet/bubbletea"
)

func typed(s string) tea.KeyMsg { return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s)} }

func TestTextFieldEdits(t *testing.T) {
	t.Parallel()
	f := NewTextField()
	for _, k := range []tea.KeyMsg{typed("chekout"), {Type: tea.KeyLeft}, {Type: tea.KeyLeft}, {Type: tea.KeyLeft}, {Type: tea.KeyLeft}, typed("c")} {
		f.Update(k)
	}
	if f.Value() != "checkout" {
		t.Errorf("typed %q", f.Value())
	}
	if f.Update(tea.KeyMsg{Type: tea.KeyHome}) {
		t.Error("moving the cursor changed the text")
	}
	if f.Update(tea.KeyMsg{Type: tea.KeyCtrlV}) || f.Value() != "checkout" {
		t.Error("ctrl+v did something")
	}
	f.SetValue("")
	paste := typed("two\nlines\x1b[31m")
	paste.Paste = true
	f.Update(paste)
	if got := f.Text().String(); got == "" || got == f.Value() && len(got) > 20 {
		t.Errorf("a paste became %q", got)
	}
}

// Esc and a letter that came together look like alt and the letter: no text, and no editing either.
func TestTextFieldTakesNoLettersWithAlt(t *testing.T) {
	t.Parallel()
	f := NewTextField()
	f.Update(typed("two words"))
	for _, k := range []string{"q", "b", "f", "d"} {
		key := typed(k)
		key.Alt = true
		if f.Update(key) {
			t.Errorf("alt+%s makes it %q", k, f.Value())
		}
	}
	f.Update(tea.KeyMsg{Type: tea.KeyLeft, Alt: true})
	f.Update(typed("x"))
	if f.Update(tea.KeyMsg{Type: tea.KeyBackspace, Alt: true}); f.Value() != "two words" {
		t.Errorf("by words it becomes %q", f.Value())
	}
}
