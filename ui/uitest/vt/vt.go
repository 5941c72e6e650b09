// Package vt is a terminal emulator for tests: it takes the bytes that a program writes and says what every
// cell shows, where the cursor is, and what else was touched: title, clipboard, modes. It is strict: what it
// does not know is recorded, not ignored. Its behaviour is checked against tmux. Between the beginning and the
// end of a synchronized update (mode 2026) it goes on showing what it showed before.
package vt

import (
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
)

// Cell is what one cell shows.
type Cell struct {
	Text  string // a character and its marks; "" in the right half of a wide one
	Style screen.Style
}

// Terminal is an emulated terminal. It is for one goroutine at a time.
type Terminal struct {
	// Width is the columns of a character; tests that need a terminal of another opinion change it.
	Width func(rune) int

	w, h     int
	rows     [][]Cell
	main     [][]Cell // the ordinary screen, while the alternate one shows
	alt      bool
	held     *picture // what is seen during a synchronized update; nil: what there is
	x, y     int
	wrapping bool // the next character goes to the next line
	pen      screen.Style
	top, bot int // of the scrolling region
	saved    cursor
	savedAlt cursor
	last     rune // the last character, for REP
	modes    map[int]bool
	parser   parser

	title     string
	titles    []string // those that were put aside, the newest last
	clipboard []string
	queries   []string
	unknown   []string
	scrolled  int
	bells     int
}

type cursor struct {
	x, y int
	pen  screen.Style
}

// picture is what somebody sees.
type picture struct {
	rows  [][]Cell
	x, y  int
	shown bool // the cursor
}

// New is a blank terminal.
func New(w, h int) *Terminal {
	t := &Terminal{Width: clean.RuneWidth, w: w, h: h}
	t.reset()
	return t
}

func (t *Terminal) reset() {
	t.rows, t.main, t.alt, t.held = blankRows(t.w, t.h, screen.Style{}), nil, false, nil
	t.x, t.y, t.wrapping, t.pen = 0, 0, false, screen.Style{}
	t.top, t.bot = 0, t.h-1
	t.saved, t.savedAlt = cursor{}, cursor{}
	t.modes = map[int]bool{7: true, 25: true}
}

func blankRows(w, h int, st screen.Style) [][]Cell {
	rows := make([][]Cell, h)
	for y := range rows {
		rows[y] = blankRow(w, st)
	}
	return rows
}

func blankRow(w int, st screen.Style) []Cell {
	row := make([]Cell, w)
	for x := range row {
		row[x] = Cell{" ", st}
	}
	return row
}

// Resize changes the terminal's size. What no longer fits is cut off; nothing is wrapped anew.
func (t *Terminal) Resize(w, h int) {
	fit := func(rows [][]Cell) [][]Cell {
		out := blankRows(w, h, screen.Style{})
		for y := range min(h, len(rows)) {
			copy(out[y], rows[y])
			if w < len(rows[y]) && rows[y][w].Text == "" {
				out[y][w-1].Text = " "
			}
		}
		return out
	}
	t.rows, t.held = fit(t.rows), nil
	if t.alt {
		t.main = fit(t.main)
	}
	t.w, t.h, t.top, t.bot = w, h, 0, h-1
	t.x, t.y, t.wrapping = min(t.x, w-1), min(t.y, h-1), false
}

// Size is the terminal's width and height.
func (t *Terminal) Size() (w, h int) { return t.w, t.h }

// seen is what the terminal shows now.
func (t *Terminal) seen() picture {
	if t.held != nil {
		return *t.held
	}
	return picture{t.rows, t.x, t.y, t.modes[25]}
}

// Cell is what the cell at x, y shows.
func (t *Terminal) Cell(x, y int) Cell { return t.seen().rows[y][x] }

// Rows is a copy of all cells.
func (t *Terminal) Rows() [][]Cell { return cloneRows(t.seen().rows) }

func cloneRows(rows [][]Cell) [][]Cell {
	out := make([][]Cell, len(rows))
	for y, r := range rows {
		out[y] = slices.Clone(r)
	}
	return out
}

// String is the screen as plain text, a line for each row, without the blanks at the end of rows.
func (t *Terminal) String() string {
	var b strings.Builder
	for _, r := range t.seen().rows {
		b.WriteString(strings.TrimRight(rowText(r), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

func rowText(r []Cell) string {
	var b strings.Builder
	for _, c := range r {
		b.WriteString(c.Text)
	}
	return b.String()
}

// Cursor is where the cursor is, and whether it shows.
func (t *Terminal) Cursor() (x, y int, shown bool) {
	p := t.seen()
	return p.x, p.y, p.shown
}

// Mode reports whether a private mode (CSI ? n h) is on.
func (t *Terminal) Mode(n int) bool { return t.modes[n] }

// Modes are the private modes that are on.
func (t *Terminal) Modes() []int {
	var on []int
	for n, v := range t.modes {
		if v {
			on = append(on, n)
		}
	}
	slices.Sort(on)
	return on
}

// Alternate reports whether the alternate screen shows.
func (t *Terminal) Alternate() bool { return t.alt }

// Title is the window's title.
func (t *Terminal) Title() string { return t.title }

// Clipboard is what was written to the clipboard (OSC 52), oldest first, as sent.
func (t *Terminal) Clipboard() []string { return t.clipboard }

// Queries are the sequences that ask the terminal to answer.
func (t *Terminal) Queries() []string { return t.queries }

// Unknown are the sequences that had no effect because the emulator does not know them.
func (t *Terminal) Unknown() []string { return t.unknown }

// Scrolled counts the lines that scrolled.
func (t *Terminal) Scrolled() int { return t.scrolled }

// Bells counts the bells.
func (t *Terminal) Bells() int { return t.bells }

// Write takes what a program writes.
func (t *Terminal) Write(p []byte) (int, error) {
	for _, b := range p {
		t.parser.feed(t, b)
	}
	return len(p), nil
}

// blank is a cell that was erased: it has the pen's background.
func (t *Terminal) blank() Cell { return Cell{" ", screen.Style{BG: t.pen.BG}} }

// put writes a character at the cursor.
func (t *Terminal) put(r rune) {
	w := t.Width(r)
	if w == 0 {
		t.join(r)
		return
	}
	if t.wrapping && t.modes[7] {
		t.x = 0
		t.lineFeed()
	}
	if t.x+w > t.w {
		if t.modes[7] && w <= t.w {
			t.x = 0
			t.lineFeed()
		} else {
			t.x = max(0, t.w-w)
		}
	}
	t.last = r
	t.clearHalves(t.y, t.x, t.x+w)
	t.rows[t.y][t.x] = Cell{string(r), t.pen}
	if w == 2 && t.x+1 < t.w {
		t.rows[t.y][t.x+1] = Cell{"", t.pen}
	}
	t.x += w
	t.wrapping = t.x >= t.w
	t.x = min(t.x, t.w-1)
}

// join adds a mark to the character before the cursor.
func (t *Terminal) join(r rune) {
	x := t.x - 1
	if t.wrapping {
		x = t.x
	}
	if x > 0 && t.rows[t.y][x].Text == "" {
		x--
	}
	if x >= 0 {
		t.rows[t.y][x].Text += string(r)
	}
}

// clearHalves blanks the halves of wide characters that cells from … to of a row would leave.
func (t *Terminal) clearHalves(y, from, to int) {
	row := t.rows[y]
	if from > 0 && from < t.w && row[from].Text == "" {
		row[from-1].Text = " "
	}
	if to < t.w && row[to].Text == "" {
		row[to].Text = " "
	}
}

func (t *Terminal) eraseCells(y, from, to int) {
	from, to = max(from, 0), min(to, t.w)
	if from >= to {
		return
	}
	t.clearHalves(y, from, to)
	for x := from; x < to; x++ {
		t.rows[y][x] = t.blank()
	}
}

func (t *Terminal) lineFeed() {
	t.wrapping = false
	switch {
	case t.y == t.bot:
		t.scroll(t.top, t.bot, 1)
	case t.y < t.h-1:
		t.y++
	}
}

// scroll moves the rows from top to bot up by n, or down when n is negative.
func (t *Terminal) scroll(top, bot, n int) {
	if top > bot {
		return
	}
	t.scrolled += max(n, -n)
	for ; n > 0; n-- {
		copy(t.rows[top:bot], t.rows[top+1:bot+1])
		t.rows[bot] = t.newRow()
	}
	for ; n < 0; n++ {
		copy(t.rows[top+1:bot+1], t.rows[top:bot])
		t.rows[top] = t.newRow()
	}
}

func (t *Terminal) newRow() []Cell { return blankRow(t.w, t.blank().Style) }

func (t *Terminal) setMode(n int, on bool) {
	switch n {
	case 1049, 1047, 47:
		t.alternate(on, n == 1049)
	case 7:
		t.wrapping = t.wrapping && on
	case 2026:
		t.hold(on)
	}
	t.modes[n] = on
}

// hold keeps what is seen as it is, or lets what was drawn meanwhile be seen.
func (t *Terminal) hold(on bool) {
	switch {
	case !on:
		t.held = nil
	case t.held == nil:
		t.held = &picture{cloneRows(t.rows), t.x, t.y, t.modes[25]}
	}
}

func (t *Terminal) alternate(on, erase bool) {
	switch {
	case on && !t.alt:
		t.savedAlt = cursor{t.x, t.y, t.pen}
		t.main, t.alt = t.rows, true
		t.rows = blankRows(t.w, t.h, screen.Style{})
	case on && erase:
		t.rows = blankRows(t.w, t.h, screen.Style{})
	case !on && t.alt:
		t.rows, t.main, t.alt = t.main, nil, false
		t.restore(t.savedAlt)
	}
}

func (t *Terminal) restore(c cursor) {
	t.x, t.y, t.pen, t.wrapping = min(c.x, t.w-1), min(c.y, t.h-1), c.pen, false
}

func (t *Terminal) control(b byte) {
	switch b {
	case '\a':
		t.bells++
	case '\b':
		t.x, t.wrapping = max(0, t.x-1), false
	case '\t':
		t.x, t.wrapping = min(t.w-1, (t.x/8+1)*8), false
	case '\n', '\v', '\f':
		t.lineFeed()
	case '\r':
		t.x, t.wrapping = 0, false
	case 0, 0x18, 0x1a, 0x7f:
	default:
		t.unknown = append(t.unknown, string(rune(b)))
	}
}

// parser takes bytes apart into characters, controls and sequences.
type parser struct {
	state func(*Terminal, byte)
	seq   []byte // of the sequence, from after ESC
	utf8  []byte
}

func (p *parser) feed(t *Terminal, b byte) {
	switch {
	case p.state != nil:
		p.state(t, b)
	case len(p.utf8) > 0 || b >= 0x80:
		p.text(t, b)
	case b == 0x1b:
		p.seq, p.state = p.seq[:0], p.escape
	case b < 0x20 || b == 0x7f:
		t.control(b)
	default:
		t.put(rune(b))
	}
}

func (p *parser) text(t *Terminal, b byte) {
	p.utf8 = append(p.utf8, b)
	for len(p.utf8) > 0 && utf8.FullRune(p.utf8) {
		r, n := utf8.DecodeRune(p.utf8)
		p.utf8 = p.utf8[n:]
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			t.unknown = append(t.unknown, string(r))
			continue
		}
		t.put(r)
	}
}

func (p *parser) escape(t *Terminal, b byte) {
	p.seq = append(p.seq, b)
	switch {
	case b == '[':
		p.state = p.csi
	case b == ']' || b == 'P' || b == '_' || b == '^' || b == 'X':
		p.state = p.str
	case b >= 0x20 && b < 0x30:
	default:
		p.state = nil
		t.escape(string(p.seq))
	}
}

func (p *parser) csi(t *Terminal, b byte) {
	switch {
	case b == 0x1b:
		p.seq, p.state = p.seq[:0], p.escape
	case b == 0x18 || b == 0x1a:
		p.state = nil
	case b < 0x20:
		t.control(b)
	case b < 0x40:
		p.seq = append(p.seq, b)
	default:
		p.seq, p.state = append(p.seq, b), nil
		t.sequence(string(p.seq[1:]))
	}
}

func (p *parser) str(t *Terminal, b byte) {
	switch {
	case b == '\a' && p.seq[0] == ']':
		p.state = nil
		t.str(string(p.seq))
	case b == 0x1b:
		p.state = func(t *Terminal, b byte) {
			t.str(string(p.seq))
			p.seq, p.state = p.seq[:0], nil
			if b != '\\' {
				p.state = p.escape
				p.escape(t, b)
			}
		}
	case b == 0x18 || b == 0x1a:
		p.state = nil
	default:
		p.seq = append(p.seq, b)
	}
}
