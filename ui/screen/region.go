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
