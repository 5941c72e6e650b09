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

// Line is one line of a Page.
type Line []pane.Part

// Page is a dialog to read: lines that scroll. Two columns stand side by side where they fit.
type Page struct {
	title   clean.Text
	lines   func(e pane.Env, w int) []Line
	column  int // the least width of a column; 0: never more than one
	width   int // the most width of the whole
	seconds bool
	toEnd   bool // begins at its end: the newest

	top, page, total int
	room             int // the height that Want was asked with
}

var _ Dialog = (*Page)(nil)

// Title implements Dialog.
func (p *Page) Title() clean.Text { return p.title }

// Typing implements Dialog.
func (p *Page) Typing() bool { return false }

// Seconds implements Dialog.
func (p *Page) Seconds() bool { return p.seconds }

const columnGap = 3

// layout is the columns of lines for a width, and how wide each is. A page that is too long stands in
// two columns where they fit; it is parted at the blank line nearest to its middle.
func (p *Page) layout(e pane.Env, w, h int) (columns [][]Line, colWidth int) {
	lines := p.lines(e, w)
	if p.column == 0 || len(lines) <= h || w < 2*p.column+columnGap {
		return [][]Line{lines}, w
	}
	colWidth = (w - columnGap) / 2
	lines = p.lines(e, colWidth)
	at := middle(lines)
	return [][]Line{lines[:at], lines[min(at+1, len(lines)):]}, colWidth
}

func middle(lines []Line) int {
	half, best := len(lines)/2, len(lines)
	for i, l := range lines {
		if len(l) == 0 && abs(i-half) < abs(best-half) {
			best = i
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

func longest(columns [][]Line) int {
	n := 0
	for _, c := range columns {
		n = max(n, len(c))
	}
	return n
}

// Want implements Dialog.
func (p *Page) Want(e pane.Env, w, h int) (int, int) {
	w = min(w, p.width)
	room := w - 2
	columns, colWidth := p.layout(e, room, h)
	rows := longest(columns)
	widest := 0
	for _, c := range columns {
		for _, l := range c {
			widest = max(widest, min(colWidth, width(l)))
		}
	}
	if len(columns) > 1 {
		widest = room
	}
	p.total, p.page, p.room = rows, max(1, min(rows, h)), h
	if p.toEnd {
		p.toEnd, p.top = false, rows
	}
	p.scroll(0)
	return min(max(widest+2, 44), max(w, 0)), p.page
}

func width(l Line) int {
	w := 0
	for _, part := range l {
		w += part.Text.Width()
	}
	return w
}

// Draw implements Dialog.
func (p *Page) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	columns, colWidth := p.layout(e, w-2, p.room)
	for i, lines := range columns {
		for y := 0; y < h && p.top+y < len(lines); y++ {
			component.Draw(r, 1+i*(colWidth+columnGap), y, colWidth, e.Theme, lines[p.top+y])
		}
	}
	if rows := longest(columns); rows > h && h > 1 {
		thumb(r, w-1, p.top, h, rows, e.Theme)
	}
}

// thumb marks the visible part of a longer page at its right edge.
func thumb(r screen.Region, x, top, h, rows int, th *theme.Theme) {
	size := max(1, h*h/rows)
	at := 0
	if rows > h {
		at = top * (h - size) / (rows - h)
	}
	bar := '█'
	if th.Options().ASCII {
		bar = '#'
	}
	for y := at; y < min(h, at+size); y++ {
		r.Set(x, y, th.Style(theme.Border), bar)
	}
}

// Key implements Dialog.
func (p *Page) Key(tea.KeyMsg) tea.Cmd { return nil }

// Do implements Dialog.
func (p *Page) Do(a pane.Action) tea.Cmd {
	n := max(1, a.Count)
	switch a.Action {
	case keymap.Up:
		p.scroll(-n)
	case keymap.Down:
		p.scroll(n)
	case keymap.PageUp:
		p.scroll(-n * max(1, p.page-1))
	case keymap.PageDown:
		p.scroll(n * max(1, p.page-1))
	case keymap.HalfUp:
		p.scroll(-n * max(1, p.page/2))
	case keymap.HalfDown:
		p.scroll(n * max(1, p.page/2))
	case keymap.Top:
		p.top = 0
	case keymap.Bottom:
		p.scroll(p.total)
	case keymap.Back, keymap.Quit, keymap.OpenDetail, keymap.Help:
		return send(Close{})
	default:
	}
	return nil
}

// Click implements Dialog.
func (p *Page) Click(c pane.Click) tea.Cmd {
	p.scroll(c.Wheel)
	return nil
}

func (p *Page) scroll(by int) { p.top = max(0, min(p.top+by, p.total-p.page)) }

// Footer implements Dialog.
func (p *Page) Footer(keys *keymap.Map, unicode bool) []pane.Part {
	var parts []pane.Part
	if p.total > p.page {
		parts = hint(parts, keys.Show(keymap.Down, unicode)+" "+keys.Show(keymap.Up, unicode), "scroll")
	}
	return hint(parts, keys.Show(keymap.Back, unicode), "close")
}

// hint adds a key and what it does.
func hint(parts []pane.Part, key, does string) []pane.Part {
	if key == "" || key == " " {
		return parts
	}
	if len(parts) > 0 {
		parts = append(parts, pane.Part{Text: clean.Const("  ")})
	}
	return append(parts, pane.Part{Token: theme.KeyHint, Text: clean.Line(key)}, pane.Part{Token: theme.Muted, Text: clean.Line(" " + does)})
}
