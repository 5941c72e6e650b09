// Package screen is a grid of cells, regions that clip what is drawn to them, and a writer that brings a
// terminal from one grid to the next with few bytes.
package screen

import "example.com/signalbox/sources/clean"

// Attr is a set of text attributes.
type Attr uint8

// The attributes.
const (
	Bold Attr = 1 << iota
	Dim
	Italic
	Underline
	Reverse
	Strike
)

// Color is a terminal colour. The zero Color is the terminal's own default.
type Color uint32

// Indexed is a colour of the 256-colour palette (the first 16 are the terminal's own).
func Indexed(n uint8) Color { return 1<<24 | Color(n) }

// RGB is a true colour.
func RGB(r, g, b uint8) Color { return 2<<24 | Color(r)<<16 | Color(g)<<8 | Color(b) }

// Style is how a cell looks. Styles compare with ==; the zero Style is the terminal's default.
type Style struct {
	FG, BG Color
	Attr   Attr
}

type constant string

// Region is a rectangle of a grid. Nothing drawn through it can change a cell outside it. The zero
// Region has no cells and takes every call.
type Region struct {
	g          *Grid
	x, y, w, h int
}

// Size is the region's width and height in cells.
func (r Region) Size() (w, h int) { return r.w, r.h }

// Sub is the part of r at x, y (relative to r) of at most w by h cells; what lies outside r is cut off.
func (r Region) Sub(x, y, w, h int) Region {
	if x < 0 {
		w, x = w+x, 0
	}
	if y < 0 {
		h, y = h+y, 0
	}
	w, h = min(w, r.w-x), min(h, r.h-y)
	if w <= 0 || h <= 0 {
		return Region{}
	}
	return Region{r.g, r.x + x, r.y + y, w, h}
}

// Text draws t at x, y and returns the columns it took. What does not fit is cut; a wide character that
// would be cut in half is left out. Drawing that begins left of the region shows what reaches into it.
func (r Region) Text(x, y int, st Style, t clean.Text) int { return r.draw(x, y, st, t.String()) }

// Label draws a constant of the program, as Text does.
func (r Region) Label(x, y int, st Style, s constant) int { return r.draw(x, y, st, string(s)) }

// Set draws one character at x, y; a wide one that would be cut in half is left out, one that has no width is a blank.
func (r Region) Set(x, y int, st Style, ch rune) {
	w := clean.RuneWidth(ch)
	if w == 0 {
		ch, w = ' ', 1
	}
	if x < 0 || y < 0 || x+w > r.w || y >= r.h {
		return
	}
	r.g.put(r.x+x, r.y+y, newCell(ch, w, st.pack()))
}

// Fill makes the whole region blank, in a style.
func (r Region) Fill(st Style) {
	c := newCell(' ', 1, st.pack())
	for y := range r.h {
		row := r.g.row(r.y + y)[:r.x+r.w]
		r.g.put(r.x, r.y+y, c)
		r.g.put(r.x+r.w-1, r.y+y, c)
		for x := r.x + 1; x < r.x+r.w-1; x++ {
			row[x] = c
		}
	}
}

// Restyle changes the style of w by h cells at x, y and keeps what they say. A wide character of which
// only one half lies there keeps its style.
func (r Region) Restyle(x, y, w, h int, f func(Style) Style) {
	s := r.Sub(x, y, w, h)
	var from, to uint64
	known := false
	for y := range s.h {
		row := s.g.row(s.y + y)
		for x := s.x; x < s.x+s.w; x++ {
			c := row[x]
			if c.text == 0 || x+c.width() > s.x+s.w {
				continue
			}
			if look := c.look &^ wideBit; !known || look != from {
				from, to, known = look, f(unpack(look)).pack(), true
			}
			row[x] = c.restyle(to)
			if c.width() == 2 {
				row[x+1].look = to
			}
		}
	}
}

// ShowCursor puts the terminal's cursor at x, y, when that is inside the region.
func (r Region) ShowCursor(x, y int) {
	if x >= 0 && y >= 0 && x < r.w && y < r.h {
		r.g.cursor, r.g.showing = point{r.x + x, r.y + y}, true
	}
}

// Style is how the cell at x, y looks; outside the region it is the zero Style.
func (r Region) Style(x, y int) Style {
	if x < 0 || y < 0 || x >= r.w || y >= r.h {
		return Style{}
	}
	return r.g.row(r.y + y)[r.x+x].style()
}
