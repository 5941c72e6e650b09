// Package chart draws numbers over time into a region of cells: line charts and sparklines in braille, with
// limits, markers and gaps, and the labels of their axes. It knows no domain.
//
// What is drawn is honest before it is pretty: a spike never vanishes between two columns, a gap stays a
// gap, an infinity is at the edge. And it is calm: columns begin at multiples of their length and scales end at nice
// numbers, so that a refresh changes the cells of what is new and no others.
package chart

import (
	"math"

	"example.com/signalbox/ui/screen"
)

// Look is how the parts of a chart look.
type Look struct {
	Line, Over, Faint, Limit, Mark screen.Style
	ASCII                          bool // no character beyond ASCII
}

// Line is a line chart. One that is one line high is a sparkline.
type Line struct {
	Slots []Slot // two a column, oldest first; those beyond the region are cut
	Faint []Slot // a second line behind the first, as long; nil: none
	Scale Scale
	// Limit is drawn where the line is not; NaN: none. The part of the line that is worse than it is drawn in
	// the style Over.
	Limit float64
	Below bool  // it is worse below Limit, not above
	Marks []int // columns that a vertical line stands in
	Look  Look
}

// Draw draws l over the whole of r. It allocates nothing. In one cell the line is drawn before a marker, a
// marker before the limit; the faint line and the limit share a row column by column.
func (l *Line) Draw(r screen.Region) {
	w, h := r.Size()
	limit := -1
	if h > 1 && finite(l.Limit) && l.Scale.Holds(l.Limit) {
		limit = h - 1 - l.Scale.dot(l.Limit, 4*h)/4
	}
	for x := range w {
		col := l.column(l.Slots, x, h)
		faint := l.column(l.Faint, x, h)
		marked := l.marked(x)
		for y := range h {
			if bits := col.bits(h - 1 - y); bits != 0 {
				r.Set(x, y, l.style(x, h-1-y, 4*h), l.rune(bits))
				continue
			}
			bits := faint.bits(h - 1 - y)
			switch {
			case marked:
				r.Set(x, y, l.Look.Mark, pick(l.Look.ASCII, ':', '┊'))
			case y == limit && (bits == 0 || x%2 == 0):
				r.Set(x, y, l.Look.Limit, pick(l.Look.ASCII, '.', '╌'))
			case bits != 0 && l.Look.ASCII:
				r.Set(x, y, l.Look.Faint, ',')
			case bits != 0:
				r.Set(x, y, l.Look.Faint, rune(0x2800+int(bits)))
			}
		}
	}
}

func pick(ascii bool, a, b rune) rune {
	if ascii {
		return a
	}
	return b
}

func (l *Line) marked(x int) bool {
	for _, m := range l.Marks {
		if m == x {
			return true
		}
	}
	return false
}

// style is Over where the part of the line in the cell x, row from the bottom, of a chart of so many dots,
// is worse than the limit.
func (l *Line) style(x, row, dots int) screen.Style {
	if math.IsNaN(l.Limit) {
		return l.Look.Line
	}
	limit := l.Scale.dot(l.Limit, dots)
	for i := 2 * x; i < 2*x+2 && i < len(l.Slots); i++ {
		s := l.Slots[i]
		switch {
		case s.Empty():
		case l.Below && s.Lo < l.Limit && 4*row <= limit, !l.Below && s.Hi > l.Limit && 4*row+3 >= limit:
			return l.Look.Over
		}
	}
	return l.Look.Line
}

// run is the dots that a line covers in one slot, from the bottom; none when hi is below lo.
type run struct{ lo, hi int }

// column is the runs of a column's two slots.
type column [2]run

func (l *Line) column(slots []Slot, x, h int) column {
	return column{l.run(slots, 2*x, 4*h), l.run(slots, 2*x+1, 4*h)}
}

// run is what slot i covers of n dots: its values, and half of the way to those of its neighbours.
func (l *Line) run(slots []Slot, i, n int) run {
	if i >= len(slots) || slots[i].Empty() {
		return run{1, 0}
	}
	own := l.own(slots[i], n)
	out := own
	for _, j := range [2]int{i - 1, i + 1} {
		if j < 0 || j >= len(slots) || slots[j].Empty() {
			continue
		}
		switch other := l.own(slots[j], n); {
		case other.lo > own.hi+1:
			// The two halves meet: the left one takes the odd dot.
			out.hi = max(out.hi, own.hi+(other.lo-own.hi-b2i(j < i))/2)
		case other.hi < own.lo-1:
			out.lo = min(out.lo, own.lo-(own.lo-other.hi-b2i(j < i))/2)
		}
	}
	return out
}

func (l *Line) own(s Slot, n int) run { return run{l.Scale.dot(s.Lo, n), l.Scale.dot(s.Hi, n)} }

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bits are the dots of a column in one row of cells, counted from the bottom, as braille numbers them.
func (c column) bits(row int) uint8 {
	var out uint8
	for side, r := range c {
		for d := max(r.lo, 4*row); d <= min(r.hi, 4*row+3); d++ {
			out |= dotBit(side, d-4*row)
		}
	}
	return out
}

// dotBit is the bit of the dot at a height of 0 to 3 from the bottom.
func dotBit(side, height int) uint8 {
	return [2][4]uint8{{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}}[side][height]
}

// rune is the character for some dots. In ASCII it tells three heights, and a line that climbs.
func (l *Line) rune(bits uint8) rune {
	if !l.Look.ASCII {
		return rune(0x2800 + int(bits))
	}
	const top, bottom = 0x01 | 0x08, 0x40 | 0x80
	switch {
	case bits&top != 0 && bits&bottom != 0:
		return '|'
	case bits&top != 0:
		return '\''
	case bits&bottom != 0:
		return '_'
	}
	return '-'
}
