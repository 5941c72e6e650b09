package dialog

import (
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Form asks for one thing that an action needs: a text, a duration, a level. Enter gives it on; nothing is done
// before the plan has been agreed to.
type Form struct {
	title  clean.Text
	ask    clean.Text
	lines  []clean.Text
	quick  []Quick // offered while nothing is typed
	chosen int     // of quick; -1: none
	field  component.TextField
	hint   clean.Text
	take   func(string) (tea.Msg, string)
}

// Quick is an answer that need not be typed.
type Quick struct{ Text, Long string }

var _ Dialog = (*Form)(nil)

// NewForm asks for something, below lines that explain it. take makes the answer of what was typed, or says what is wrong with
// it.
func NewForm(title, ask clean.Text, lines []clean.Text, value string, quick []Quick, take func(string) (tea.Msg, string)) *Form {
	f := &Form{title: title, ask: ask, lines: lines, quick: quick, chosen: -1, field: component.NewTextField(), take: take}
	f.field.SetValue(value)
	return f
}

// Title implements Dialog.
func (f *Form) Title() clean.Text { return f.title }

// Typing implements Dialog.
func (f *Form) Typing() bool { return true }

// Seconds implements Dialog.
func (f *Form) Seconds() bool { return false }

// Do implements Dialog.
func (f *Form) Do(pane.Action) tea.Cmd { return nil }

// Click implements Dialog.
func (f *Form) Click(c pane.Click) tea.Cmd {
	if i := c.Y - f.above(); c.Wheel == 0 && i >= 0 && i < len(f.quick) {
		f.choose(i)
	}
	return nil
}

// Key implements Dialog.
func (f *Form) Key(k tea.KeyMsg) tea.Cmd {
	f.hint = clean.Text{}
	switch k.String() {
	case "esc":
		return send(Close{})
	case "enter":
		msg, wrong := f.take(strings.TrimSpace(f.field.Value()))
		if wrong != "" {
			f.hint = clean.Line(wrong)
			return nil
		}
		return send(Choose{msg})
	case "down", "tab":
		f.choose(min(f.chosen+1, len(f.quick)-1))
		return nil
	case "up", "shift+tab":
		f.choose(max(f.chosen-1, 0))
		return nil
	}
	if f.field.Update(k) {
		f.chosen = -1
	}
	return nil
}

// choose puts a quick answer into the field.
func (f *Form) choose(i int) {
	if i >= 0 && i < len(f.quick) {
		f.chosen = i
		f.field.SetValue(f.quick[i].Text)
	}
}

// above is how many lines stand over the quick answers.
func (f *Form) above() int { return len(f.lines) + 2 }

// Want implements Dialog.
func (f *Form) Want(_ pane.Env, w, h int) (int, int) {
	n := f.above() + len(f.quick) + 1
	return max(0, min(w, 76)), max(1, min(h, n))
}

// Draw implements Dialog. The field always shows.
func (f *Form) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	y := 0
	if h >= f.above() {
		for _, l := range f.lines {
			component.Draw(r, 1, y, w-2, e.Theme, []pane.Part{{Token: theme.Muted, Text: clean.Line(kit.Times(e.Theme, l))}})
			y++
		}
	}
	used := component.Draw(r, 1, y, w-2, e.Theme, []pane.Part{{Token: theme.Text, Text: f.ask}, {Text: clean.Const(" ")}})
	f.field.Draw(r.Sub(1+used, y, w-2-used, 1), e.Theme)
	y++
	if !f.hint.IsZero() && y < h {
		component.Draw(r, 1, y, w-2, e.Theme, []pane.Part{{Token: theme.Warn, Text: clean.Linef("%s %s", e.Theme.Glyph(theme.GlyphWarn), f.hint)}})
	}
	y++
	for i, q := range f.quick {
		if y >= h {
			return
		}
		mark := clean.Const(" ")
		if i == f.chosen {
			mark = e.Theme.Glyph(theme.GlyphCursor)
		}
		component.Draw(r, 1, y, w-2, e.Theme, []pane.Part{{Token: theme.Accent, Text: mark}, {Token: theme.Text, Text: pad(" "+q.Text, 14)}, {Token: theme.Muted, Text: clean.Line(q.Long)}})
		y++
	}
}

// Footer implements Dialog.
func (f *Form) Footer(_ *keymap.Map, unicode bool) []pane.Part {
	var parts []pane.Part
	if len(f.quick) > 0 {
		parts = hint(parts, keymap.Symbol("down", unicode)+" "+keymap.Symbol("up", unicode), "choose")
	}
	parts = hint(parts, keymap.Symbol("enter", unicode), "go on, nothing is sent yet")
	return hint(parts, keymap.Name("esc"), "cancel")
}

// ParseFor reads a duration as people type it: "45m", "2h", "1h30m", "3d", or a time of day up to which it
// lasts, "until 08:00". wrong says what is wrong with it.
func ParseFor(s string, now time.Time, zone *time.Location) (d time.Duration, wrong string) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return 0, "say for how long: 30m, 2h, until 08:00"
	}
	if at, ok := strings.CutPrefix(s, "until"); ok || strings.Contains(s, ":") {
		t, err := time.Parse("15:04", strings.TrimSpace(at))
		if err != nil {
			return 0, "a time of day looks like until 08:00"
		}
		local := now.In(zone)
		end := time.Date(local.Year(), local.Month(), local.Day(), t.Hour(), t.Minute(), 0, 0, zone)
		if !end.After(now) {
			end = time.Date(local.Year(), local.Month(), local.Day()+1, t.Hour(), t.Minute(), 0, 0, zone)
		}
		return end.Sub(now), ""
	}
	unit := time.Duration(1)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		s, unit = days+"h", 24
	}
	d, err := time.ParseDuration(s)
	const most = 30 * 24 * time.Hour
	switch {
	case err != nil:
		return 0, "a duration looks like 30m, 2h, 1d or until 08:00"
	case d <= 0:
		return 0, "it has to last some time"
	case d > most/unit:
		return 0, "thirty days is the most"
	}
	return d * unit, ""
}
