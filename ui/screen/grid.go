package screen

import (
	"strings"

	"example.com/signalbox/sources/clean"
)

// Grid is a rectangle of cells, each of which shows one character of one or two columns. It is for one
// goroutine at a time.
type Grid struct {
	w, h    int
	cells   []cell
	cursor  point
	showing bool // the cursor
}

type point struct{ x, y int }

// NewGrid is a blank grid of w by h cells, or of none when either is not positive.
func NewGrid(w, h int) *Grid {
	g := &Grid{}
	g.Resize(w, h)
	return g
}

// Resize makes g a blank grid of w by h cells.
func (g *Grid) Resize(w, h int) {
	if w <= 0 || h <= 0 {
		w, h = 0, 0
	}
	g.w, g.h, g.showing = w, h, false
	if cap(g.cells) < w*h {
		g.cells = make([]cell, w*h)
	}
	g.cells = g.cells[:w*h]
	for i := range g.cells {
		g.cells[i] = cell{text: ' '}
	}
}

// Size is the grid's width and height in cells.
func (g *Grid) Size() (w, h int) { return g.w, g.h }

// Region is the whole grid.
func (g *Grid) Region() Region {
	if g.w == 0 {
		return Region{}
	}
	return Region{g, 0, 0, g.w, g.h}
}

// HideCursor takes back what Region.ShowCursor said.
func (g *Grid) HideCursor() { g.showing = false }

// Cursor is where the cursor shows; ok is false when it is hidden.
func (g *Grid) Cursor() (x, y int, ok bool) { return g.cursor.x, g.cursor.y, g.showing }

// Cell is what one cell of a grid shows.
type Cell struct {
	Text  string // a character and its marks; "" in the right half of a wide one
	Width int    // 1 or 2; 0 in the right half of a wide one
	Style Style
}

// Cell is what the cell at x, y shows; outside the grid it is the zero Cell.
func (g *Grid) Cell(x, y int) Cell {
	if x < 0 || y < 0 || x >= g.w || y >= g.h {
		return Cell{}
	}
	c := g.cells[y*g.w+x]
	return Cell{Text: string(c.append(nil)), Width: c.width(), Style: c.style()}
}

// String is the grid as plain text, a line for each row, without the blanks at the end of rows.
func (g *Grid) String() string {
	var b strings.Builder
	var row []byte
	for y := range g.h {
		row = row[:0]
		for _, c := range g.row(y) {
			row = c.append(row)
		}
		b.WriteString(strings.TrimRight(string(row), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

func (g *Grid) row(y int) []cell { return g.cells[y*g.w : (y+1)*g.w] }

// copyFrom makes g equal to o.
func (g *Grid) copyFrom(o *Grid) {
	g.w, g.h, g.cursor, g.showing = o.w, o.h, o.cursor, o.showing
	g.cells = append(g.cells[:0], o.cells...)
}

// equal reports whether g and o look the same on a terminal.
func (g *Grid) equal(o *Grid) bool {
	if g.w != o.w || g.h != o.h || g.showing != o.showing || g.showing && g.cursor != o.cursor {
		return false
	}
	for i, c := range g.cells {
		if o.cells[i] != c {
			return false
		}
	}
	return true
}

// put writes c at x, y of the grid, which must have room for its width. A wide character that it
// overwrites by half becomes a blank.
func (g *Grid) put(x, y int, c cell) {
	row := g.row(y)
	w := c.width()
	if row[x].text == 0 && x > 0 {
		row[x-1] = blankLike(row[x-1])
	}
	if end := x + w; end < g.w && row[end].text == 0 {
		row[end] = blankLike(row[end])
	}
	row[x] = c
	if w == 2 {
		row[x+1] = cell{0, c.look &^ wideBit}
	}
}

// draw puts s at x, y of the region and returns the columns it took, those left of the region included.
func (r Region) draw(x, y int, st Style, s string) int {
	if y < 0 || y >= r.h || r.w == 0 {
		return 0
	}
	look, at, last := st.pack(), x, -1
	for _, ch := range s {
		w := 1
		if ch < 0x20 || ch >= 0x7f {
			w = clean.RuneWidth(ch)
		}
		if w == 0 {
			if last >= 0 && clean.IsMark(ch) {
				r.mark(last, y, ch)
			}
			continue
		}
		if at >= r.w {
			break
		}
		last = -1
		switch {
		case at >= 0 && at+w <= r.w:
			r.g.put(r.x+at, r.y+y, newCell(ch, w, look))
			last = at
		case at+w > r.w:
			r.g.put(r.x+at, r.y+y, newCell(' ', 1, look))
			w = 1
		case at+w > 0:
			r.g.put(r.x, r.y+y, newCell(' ', 1, look))
		}
		at += w
	}
	return at - x
}

func (r Region) mark(x, y int, m rune) {
	c := &r.g.row(r.y + y)[r.x+x]
	*c = c.withMark(m)
}
