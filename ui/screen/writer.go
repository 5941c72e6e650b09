package screen

// writer computes the bytes that bring a terminal from what it shows to a grid. It relies on nothing
// that only some terminals have: cursor movement, erasing to the end of a line, SGR. Output has to be
// raw (a line feed only goes down) and lines must not wrap.
//
// Nothing is allocated once its buffers have grown.
type writer struct {
	buf   []byte
	shown Grid
	known knowledge
	t     terminal
	// bce: erasing paints the background colour, as xterm does and GNU screen does not.
	bce bool

	old, row []cell // the row that is being written: as shown, and as it shall be
}

// terminal is what a terminal was told last.
type terminal struct {
	x, y     int // the cursor; unknown where characters of doubtful width were written
	shaky    bool
	pen      uint64
	penKnown bool
	cursorOn bool
}

// knowledge is how much is known of what the terminal shows.
type knowledge uint8

const (
	knownNothing knowledge = iota
	knownBlank
	knownGrid // it shows writer.shown
)

const unknown = -1

const (
	syncBegin = "\x1b[?2026h"
	syncEnd   = "\x1b[?2026l"
)

// frame returns the bytes that bring the terminal to next. They are valid until the next call. The
// caller writes all of them, or calls forget.
func (w *writer) frame(next *Grid) []byte {
	w.buf = append(w.buf[:0], syncBegin...)
	if w.t.cursorOn && !next.showing {
		w.buf = append(w.buf, "\x1b[?25l"...)
		w.t.cursorOn = false
	}
	w.begin(next)
	for y := range next.h {
		w.old, w.row = w.shown.row(y), next.row(y)
		if last := lastChange(w.old, w.row); last >= 0 {
			w.writeRow(y, last)
			copy(w.old, w.row)
		}
	}
	if next.showing {
		w.move(next.cursor.x, next.cursor.y)
		if !w.t.cursorOn {
			w.buf = append(w.buf, "\x1b[?25h"...)
			w.t.cursorOn = true
		}
	}
	return w.buf[len(syncBegin):]
}

// synchronized is what frame returned last, as one update of terminals that have mode 2026.
func (w *writer) synchronized() []byte {
	w.buf = append(w.buf, syncEnd...)
	return w.buf
}

// begin makes the terminal show a grid of next's size.
func (w *writer) begin(next *Grid) {
	if w.known == knownGrid && w.shown.w == next.w && w.shown.h == next.h {
		return
	}
	if w.known != knownBlank {
		w.forget() // the terminal moved the cursor when it was resized
		w.setPen(0)
		w.buf = append(w.buf, "\x1b[2J"...)
	}
	w.shown.Resize(next.w, next.h)
	w.known = knownGrid
}

// cleared says that the terminal was cleared, with the pen reset.
func (w *writer) cleared() {
	w.known = knownBlank
	w.t.pen, w.t.penKnown = 0, true
	w.lost()
}

// forget says that the terminal may show anything.
func (w *writer) forget() {
	w.known = knownNothing
	w.t.penKnown = false
	w.lost()
}

// lost says that the cursor may be anywhere.
func (w *writer) lost() { w.t.x, w.t.y = unknown, unknown }

// lastChange is the index of the last cell that differs, or -1.
func lastChange(a, b []cell) int {
	b = b[:len(a)]
	for x := len(a) - 1; x >= 0; x-- {
		if a[x] != b[x] {
			return x
		}
	}
	return -1
}

// writeRow writes what differs in the row, of which last is the last cell.
func (w *writer) writeRow(y, last int) {
	tail := w.tail()
	for x := 0; x <= last; {
		if w.old[x] == w.row[x] {
			x++
			continue
		}
		if w.row[x].text == 0 && x > 0 {
			x--
		}
		w.reach(x, y)
		// What a terminal may have covered, because it makes characters wider, is written again.
		for covered := 0; x < len(w.row) && (covered > 0 || w.old[x] != w.row[x] || w.row[x].text == 0); {
			if x >= tail && covered == 0 && w.erase(x, y, last) {
				return
			}
			w.put(x, y)
			n := max(1, w.row[x].width())
			covered = max(covered-n, w.row[x].excess())
			x += n
		}
	}
}

// tail is where the blanks at the end of the row begin that erasing to the end of the line makes.
func (w *writer) tail() int {
	n := len(w.row)
	end := w.row[n-1]
	if !end.plain() || end.look != 0 && !w.bce {
		return n
	}
	for n > 0 && w.row[n-1] == end {
		n--
	}
	return n
}

// erase clears the line from x on, when that takes fewer bytes than the blanks up to last.
func (w *writer) erase(x, y, last int) bool {
	n, before := len(w.buf), w.t
	w.move(x, y)
	moved := len(w.buf)
	if !w.t.penKnown || w.t.pen&(bgMask|blankAttrs) != w.row[x].look {
		w.setPen(w.row[x].look)
	}
	w.buf = append(w.buf, "\x1b[K"...)
	if len(w.buf)-moved <= last-x+1 {
		return true
	}
	w.buf, w.t = w.buf[:n], before
	return false
}

// reach brings the cursor to x of row y, by writing what lies between again where that is shorter than
// a move.
func (w *writer) reach(x, y int) {
	n, before := len(w.buf), w.t
	w.move(x, y)
	w.penFor(x)
	moved, after := len(w.buf)-n, w.t
	if before.y != y || before.x == unknown || before.shaky || before.x >= x || x-before.x >= moved {
		return
	}
	// The move stays in the buffer, behind it the other way is tried.
	w.t = before
	for k := before.x; k < x && w.row[k].width() == 1 && w.row[k].sure(); k++ {
		w.put(k, y)
	}
	if w.t.x == x {
		w.penFor(x)
		if again := len(w.buf) - n - moved; again < moved {
			w.buf = append(w.buf[:n], w.buf[n+moved:]...)
			return
		}
	}
	w.buf, w.t = w.buf[:n+moved], after
}

// put writes the cell at x of row y.
func (w *writer) put(x, y int) {
	c := w.row[x]
	if w.t.x != x || w.t.y != y || w.t.shaky && (c.width() != 2 || !c.sure()) {
		w.move(x, y)
	}
	w.penFor(x)
	if c.width() == 2 && !c.sure() && w.stale(x) {
		w.buf = append(w.buf, "  "...)
		w.t.x = unknown
		if x+2 < len(w.row) {
			w.t.x = x + 2
		}
		w.move(x, y)
	}
	w.buf = c.append(w.buf)
	switch next := x + max(1, c.width()); {
	case next >= len(w.row) || !c.sure():
		// At the end of a line terminals differ in where the cursor is.
		w.t.x = unknown
	default:
		w.t.x = next
		w.t.shaky = c.width() == 2
	}
}

// stale reports that a terminal that makes the wide character at x narrow would go on showing something in
// its right half.
func (w *writer) stale(x int) bool {
	if was := w.old[x]; was.width() == 2 && !was.sure() {
		return was.look&bgMask != w.row[x].look&bgMask
	}
	return w.old[x+1] != blankLike(w.row[x])
}

// penFor makes the pen draw the cell at x as it shall look. On a blank no foreground shows; what is
// written after it decides.
func (w *writer) penFor(x int) {
	c := w.row[x]
	if !c.plain() {
		w.setPen(c.look &^ wideBit)
		return
	}
	if w.t.penKnown && w.t.pen&(bgMask|blankAttrs) == c.look {
		return
	}
	for k := x + 1; k < len(w.row) && w.old[k] != w.row[k]; k++ {
		if n := w.row[k]; n != c {
			if n.look&(bgMask|blankAttrs) == c.look {
				w.setPen(n.look &^ wideBit)
				return
			}
			break
		}
	}
	keep := w.t.pen&^(bgMask|blankAttrs) | c.look
	if w.t.penKnown && sgrCost(w.t.pen, keep) < sgrCost(w.t.pen, c.look) {
		w.setPen(keep)
		return
	}
	w.setPen(c.look)
}

// setPen makes what is written next look so.
func (w *writer) setPen(look uint64) {
	switch {
	case !w.t.penKnown:
		w.buf = appendReset(w.buf, look)
	case w.t.pen != look:
		w.buf = appendSGR(w.buf, w.t.pen, look)
	}
	w.t.pen, w.t.penKnown = look, true
}

// move brings the cursor to x, y the shortest way that does not write.
func (w *writer) move(x, y int) {
	t := &w.t
	known := t.x != unknown && !t.shaky
	if t.y == y && known && t.x == x {
		return
	}
	switch t.y {
	case unknown:
		w.buf = appendPosition(w.buf, x, y)
	case y:
		w.buf = appendColumn(w.buf, t.x, x, known)
	default:
		n := len(w.buf)
		w.buf = appendLine(w.buf, t.y, y)
		if !known || t.x != x {
			w.buf = appendColumn(w.buf, t.x, x, known)
		}
		if len(w.buf)-n > positionCost(x, y) {
			w.buf = appendPosition(w.buf[:n], x, y)
		}
	}
	t.x, t.y, t.shaky = x, y, false
}
