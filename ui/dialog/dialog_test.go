package dialog

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

func env() pane.Env {
	return pane.Env{
		Snap: &store.Snapshot{Catalog: &store.Catalog{}}, Now: time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC),
		Theme: theme.New(theme.Options{Depth: theme.TrueColor}), Zone: time.UTC,
	}
}

// draw shows d on a screen with room for w by h.
func draw(d Dialog, w, h int) string {
	w, h = d.Want(env(), w, h)
	if p, ok := d.(*Palette); ok {
		p.Resized(w, h)
	}
	g := screen.NewGrid(w, h)
	d.Draw(env(), g.Region())
	return g.String()
}

func page(n int) *Page {
	return &Page{title: clean.Const("Page"), width: 80, lines: func(pane.Env, int) []Line {
		out := make([]Line, n)
		for i := range out {
			out[i] = Line{{Text: clean.Linef("line %d.", i)}}
		}
		return out
	}}
}

func TestPageScrolls(t *testing.T) {
	t.Parallel()
	p := page(30)
	steps := []struct {
		a     keymap.Action
		count int
		first string
	}{
		{keymap.Up, 1, "line 0."}, {keymap.Down, 3, "line 3."}, {keymap.PageDown, 1, "line 12."}, {keymap.HalfUp, 1, "line 7."},
		{keymap.HalfDown, 1, "line 12."}, {keymap.Bottom, 1, "line 20."}, {keymap.Down, 9, "line 20."}, {keymap.PageUp, 1, "line 11."}, {keymap.Top, 1, "line 0."},
	}
	draw(p, 60, 10)
	for _, s := range steps {
		p.Do(pane.Action{Action: s.a, Count: s.count})
		if got := draw(p, 60, 10); !strings.HasPrefix(got, " "+s.first) {
			t.Fatalf("after %s ×%d:\n%s", s.a, s.count, got)
		}
	}
	p.Click(pane.Click{Wheel: 3})
	if got := draw(p, 60, 10); !strings.HasPrefix(got, " line 3.") {
		t.Errorf("after the wheel:\n%s", got)
	}
	if got := draw(p, 60, 40); !strings.HasPrefix(got, " line 0.") || strings.Contains(got, "█") {
		t.Errorf("on a larger screen:\n%s", got)
	}
}

func TestPageCloses(t *testing.T) {
	t.Parallel()
	for _, a := range []keymap.Action{keymap.Back, keymap.Quit, keymap.OpenDetail} {
		cmd := page(3).Do(pane.Action{Action: a})
		if cmd == nil {
			t.Fatalf("%s does nothing", a)
		}
		if _, ok := cmd().(Close); !ok {
			t.Errorf("%s answers %v", a, cmd())
		}
	}
	if page(3).Do(pane.Action{Action: keymap.Zoom}) != nil {
		t.Error("zoom does something")
	}
}

func TestLongPageStandsInTwoColumns(t *testing.T) {
	t.Parallel()
	section := func(name string, n int) HelpSection {
		s := HelpSection{Title: clean.Line(name)}
		for i := range n {
			s.Keys = append(s.Keys, HelpKey{Keys: []string{"x"}, Does: fmt.Sprintf("does %s %d", name, i)})
		}
		return s
	}
	h := NewHelp(clean.Const("Help"), []HelpSection{section("one", 12), section("two", 12)}, true)
	got := draw(h, 118, 20)
	first, _, _ := strings.Cut(got, "\n")
	if !strings.Contains(first, "one") || !strings.Contains(first, "two") {
		t.Errorf("the sections do not stand side by side:\n%s", got)
	}
	if got = draw(h, 60, 20); strings.Contains(got[:120], "two") {
		t.Errorf("two columns where one fits:\n%s", got)
	}
}

func TestHelpSaysWhy(t *testing.T) {
	t.Parallel()
	h := NewHelp(clean.Const("Help"), []HelpSection{{Title: clean.Const("Run"), Keys: []HelpKey{
		{Keys: []string{"l", "enter"}, Does: "show the log", Disabled: "the job has not begun"}, {Does: "unbound"},
	}}}, false)
	got := draw(h, 90, 20)
	for _, want := range []string{"l Enter      show the log · the job has not begun", "·            unbound"} {
		if !strings.Contains(got, want) {
			t.Errorf("does not say %q:\n%s", want, got)
		}
	}
	if got = draw(h, 40, 20); !strings.Contains(got, "· the job has not begun") {
		t.Errorf("a narrow help loses the reason:\n%s", got)
	}
}

func typed(s string) tea.KeyMsg { return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s)} }

func items() []Item {
	return []Item{
		{Name: "open", Long: "show it", Key: "⏎", Msg: "open"}, {Name: "follow checkout", Msg: "checkout"},
		{Name: "follow ledger", Disabled: "it is gone", Msg: "ledger"}, {Name: "größe", Msg: "size"},
	}
}

func TestPaletteFinds(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]any{"": "open", "fch": "checkout", "OPEN": "open", "ß": "size"} {
		p := NewPalette(items())
		draw(p, 80, 20)
		if pattern != "" {
			p.Key(typed(pattern))
		}
		c, ok := p.Key(tea.KeyMsg{Type: tea.KeyEnter})().(Choose)
		if !ok || c.Msg != want {
			t.Errorf("%q chooses %v, want %v", pattern, c.Msg, want)
		}
	}
}

func TestPaletteDoesNotChooseWhatIsDisabled(t *testing.T) {
	t.Parallel()
	p := NewPalette(items())
	p.Key(typed("follow"))
	got := draw(p, 80, 20)
	if strings.Index(got, "follow checkout") > strings.Index(got, "follow ledger") {
		t.Errorf("what can be chosen does not come first:\n%s", got)
	}
	p.Key(tea.KeyMsg{Type: tea.KeyDown})
	toast, ok := p.Key(tea.KeyMsg{Type: tea.KeyEnter})().(pane.Toast)
	if !ok || toast.Text.String() != "follow ledger: it is gone" {
		t.Errorf("answers %v", toast)
	}
}

func TestPaletteMarksWhatMatched(t *testing.T) {
	t.Parallel()
	p := NewPalette(items())
	p.Key(typed("gß"))
	w, h := p.Want(env(), 80, 20)
	p.Resized(w, h)
	g := screen.NewGrid(w, h)
	p.Draw(env(), g.Region())
	match := env().Theme.Style(theme.Match)
	marked := ""
	for x := range w {
		if c := g.Cell(x, 2); c.Style == match && c.Text != " " {
			marked += c.Text
		}
	}
	if marked != "gß" {
		t.Errorf("marked %q:\n%s", marked, g)
	}
}

func TestPaletteIsClicked(t *testing.T) {
	t.Parallel()
	p := NewPalette(items())
	draw(p, 80, 20)
	if cmd := p.Click(pane.Click{X: 4, Y: 1}); cmd != nil {
		t.Errorf("a click above the list answers %v", cmd())
	}
	if c, _ := p.Click(pane.Click{X: 4, Y: 3})().(Choose); c.Msg != "checkout" {
		t.Errorf("a click on the second line chooses %v", c.Msg)
	}
}

func TestErrorInFull(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("open: %w", &sources.Error{Kind: sources.Throttled, Op: "list runs", Scope: "acme/web", Msg: "the rate limit is spent",
		Fix: "wait", RetryAt: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC), Err: errors.New("HTTP 403\x1b[2J")})
	got := draw(NewError(clean.Const("Could not open"), err), 90, 30)
	for _, want := range []string{"the rate limit is spent", "→ wait", "doing     list runs", "where     acme/web", "again at  03:00", "because   HTTP 403"} {
		if !strings.Contains(got, want) {
			t.Errorf("does not say %q:\n%s", want, got)
		}
	}
	if got = draw(NewError(clean.Const("x"), errors.New("plain")), 40, 3); !strings.Contains(got, "plain") {
		t.Errorf("a plain error:\n%s", got)
	}
}

func TestSaidBeginsAtTheNewest(t *testing.T) {
	t.Parallel()
	var said []component.Said
	for i := range 30 {
		said = append(said, component.Said{Part: pane.Part{Text: clean.Linef("message %d", i)}, At: env().Now})
	}
	got := draw(NewSaid(said), 60, 10)
	if !strings.Contains(got, "message 29") || strings.Contains(got, "message 3\n") {
		t.Errorf("shows\n%s", got)
	}
	if got = draw(NewSaid(nil), 60, 10); !strings.Contains(got, "nothing has been said") {
		t.Errorf("shows\n%s", got)
	}
}

func TestEveryStateOfAFeedHasAWord(t *testing.T) {
	t.Parallel()
	e := env()
	seen := map[string]bool{}
	for s := store.Loading; s <= store.Refused; s++ {
		w, _, _ := healthWord(s)
		if seen[w] || w == "unknown" {
			t.Errorf("state %d is %q", s, w)
		}
		seen[w] = true
	}
	e.Snap.Catalog.Sources = []store.SourceInfo{{Name: "github", Type: "github"}}
	lines := healthLines(e, 60)
	if len(lines) != 2 || !strings.Contains(lines[1][0].Text.String(), "nothing has been asked") {
		t.Errorf("a source without feeds: %v", lines)
	}
}

// No size makes a dialog panic or ask for more than there is.
func TestEverySize(t *testing.T) {
	t.Parallel()
	all := map[string]Dialog{
		"plan": askingPlan(), "question": NewQuestion(clean.Const("Quit"), []clean.Text{clean.Line(strings.Repeat("long ", 40))}, clean.Const("Quit?"), nil),
		"form":       NewForm(clean.Const("Snooze"), clean.Const("For"), []clean.Text{clean.Const("a line")}, "", []Quick{{"30m", "soon"}, {"1h", "later"}}, nil),
		"operations": NewOperations([]pane.Operation{{Plan: "1", Title: clean.Const("Roll back"), Outcome: &action.Outcome{State: action.Failed}}, {Plan: "2", Guard: true, Service: "checkout"}}),
		"pick":       NewPick(clean.Const("x"), "version", items()),
		"page":       page(40), "palette": NewPalette(items()), "health": NewHealth(), "error": NewError(clean.Const("x"), errors.New(strings.Repeat("long ", 50))),
		"help": NewHelp(clean.Const("Help"), []HelpSection{{Title: clean.Const("a"), Keys: []HelpKey{{Keys: []string{"x"}, Does: "y", Disabled: "z"}}}}, true),
	}
	for name, d := range all {
		for w := range 100 {
			for _, h := range []int{0, 1, 2, 5, 6, 7, 20} {
				if ww, wh := d.Want(env(), w, h); ww > max(w, 0) || wh > max(h, 1) {
					t.Fatalf("%s wants %dx%d of %dx%d", name, ww, wh, w, h)
				}
				draw(d, w, h)
			}
		}
	}
}
