package vt

import (
	"math/bits"

	"example.com/signalbox/ui/screen"
)

// Meter computes the fewest bytes that a change of cells needs, as the project's benchmark harness does: the
// shortest cursor move to each run of changed cells (or what lies between written again), the shortest SGR
// for each change of style, the text, and an erase to the end of the line where that is shorter. Cursor and
// pen carry over from one change to the next.
type Meter struct {
	pen  screen.Style
	x, y int
}

// Min is the bytes from rows a to rows b, which are of one size.
func (m *Meter) Min(a, b [][]Cell) int {
	total := 0
	for y := range b {
		for x := 0; x < len(b[y]); {
			if a[y][x] == b[y][x] {
				x++
				continue
			}
			if b[y][x].Text == "" && x > 0 {
				x--
			}
			total += m.approach(x, y, b[y])
			n, end, erased := m.run(x, a[y], b[y])
			total += n
			if erased {
				m.x, m.y = end, y
				break
			}
			x = end
			m.x, m.y = min(x, len(b[y])-1), y
		}
	}
	return total
}

// approach is the bytes that bring the cursor to x, y.
func (m *Meter) approach(x, y int, row []Cell) int {
	move := moveCost(m.x, m.y, x, y)
	if m.y != y || x <= m.x {
		return move
	}
	again := 0
	for _, c := range row[m.x:x] {
		if c.Style != m.pen {
			return move
		}
		again += len(c.Text)
	}
	return min(move, again)
}

// run is the bytes of the changed cells from x on, and where they end: before a cell that did not change,
// or where the rest of the line was erased.
func (m *Meter) run(x int, a, b []Cell) (total, end int, erased bool) {
	for ; x < len(b) && (a[x] != b[x] || b[x].Text == ""); x++ {
		c := b[x]
		if rest := len(b) - x; rest > 3 && blankFrom(b, x) {
			plain := screen.Style{BG: c.Style.BG}
			if sgr := sgrCost(m.pen, plain); sgr+3 < rest {
				m.pen = plain
				return total + sgr + 3, x, true
			}
		}
		total += sgrCost(m.pen, c.Style) + len(c.Text)
		m.pen = c.Style
	}
	return total, x, false
}

// blankFrom reports that the row is blank from x on, in one background and nothing else.
func blankFrom(row []Cell, x int) bool {
	want := Cell{" ", screen.Style{BG: row[x].Style.BG}}
	for _, c := range row[x:] {
		if c != want {
			return false
		}
	}
	return true
}

func digits(n int) int {
	d := 1
	for ; n >= 10; n /= 10 {
		d++
	}
	return d
}

// relative is the length of a sequence with one parameter that may be left out when it is 1.
func relative(n int) int {
	if n == 1 {
		return 3
	}
	return 3 + digits(n)
}

func moveCost(x0, y0, x1, y1 int) int {
	if x0 == x1 && y0 == y1 {
		return 0
	}
	if y0 == y1 {
		return min(positionCost(x1, y1), columnCost(x0, x1))
	}
	line := min(relative(max(y1-y0, y0-y1)), 3+digits(y1+1))
	if y1 > y0 {
		line = min(line, y1-y0)
	}
	return min(positionCost(x1, y1), line+columnCost(x0, x1))
}

func positionCost(x, y int) int {
	if x == 0 {
		return 3 + digits(y+1)
	}
	return 4 + digits(y+1) + digits(x+1)
}

func columnCost(x0, x1 int) int {
	switch {
	case x0 == x1:
		return 0
	case x1 == 0:
		return 1
	case x1 > x0:
		return min(3+digits(x1+1), relative(x1-x0), 1+relative(x1))
	}
	return min(3+digits(x1+1), relative(x0-x1), x0-x1, 1+relative(x1))
}

// sgrCost is the length of the shortest SGR from one style to another: what differs, or a reset first.
func sgrCost(from, to screen.Style) int {
	if from == to {
		return 0
	}
	off, on := from.Attr&^to.Attr, to.Attr&^from.Attr
	change := params{}
	const intensity = screen.Bold | screen.Dim
	if off&intensity != 0 {
		change = append(change, 2)
		on |= to.Attr & intensity
	}
	for range bits.OnesCount8(uint8(off &^ intensity)) {
		change = append(change, 2)
	}
	for range bits.OnesCount8(uint8(on)) {
		change = append(change, 1)
	}
	if from.FG != to.FG {
		change = append(change, colorCost(to.FG, 30))
	}
	if from.BG != to.BG {
		change = append(change, colorCost(to.BG, 40))
	}
	reset := params{}
	for range bits.OnesCount8(uint8(to.Attr)) {
		reset = append(reset, 1)
	}
	if to.FG != 0 {
		reset = append(reset, colorCost(to.FG, 30))
	}
	if to.BG != 0 {
		reset = append(reset, colorCost(to.BG, 40))
	}
	cost := 3
	if len(reset) > 0 {
		cost = 4 + joined(reset)
	}
	return min(cost, 3+joined(change))
}

// joined is the length of parameters of the given lengths with separators.
func joined(lengths params) int {
	n := len(lengths) - 1
	for _, l := range lengths {
		n += l
	}
	return n
}

// colorCost is the length of a colour's parameters; base is 30 for the foreground, 40 for the background.
func colorCost(c screen.Color, base int) int {
	n := int(c & 0xff)
	switch {
	case c == 0, c>>24 == 1 && n < 8:
		return 2
	case c>>24 == 1 && n < 16:
		return digits(base + 60)
	case c>>24 == 1:
		return 5 + digits(n)
	}
	return 7 + digits(int(c>>16&0xff)) + digits(int(c>>8&0xff)) + digits(n)
}
