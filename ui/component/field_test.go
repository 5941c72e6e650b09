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
