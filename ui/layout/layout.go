// Package layout computes where things go: rectangles in, rectangles out. It draws nothing and knows no
// pane.
package layout

// Rect is a rectangle of cells. An empty one (no width or no height) is not shown.
type Rect struct{ X, Y, W, H int }

// Empty reports whether r has no cells.
func (r Rect) Empty() bool { return r.W <= 0 || r.H <= 0 }

// Has reports whether the cell at x, y lies in r.
func (r Rect) Has(x, y int) bool { return x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H }

// Inset is r without a border of one cell.
func (r Rect) Inset() Rect {
	return Rect{r.X + 1, r.Y + 1, max(0, r.W-2), max(0, r.H-2)}
}

// Mode is how the board arranges its panes.
type Mode uint8

// The modes.
const (
	Tiny   Mode = iota // a plain list of what is wrong
	Narrow             // one pane, the others on tabs, strips below
	Medium             // the first pane over the whole width, the others in two columns
	Wide               // two columns
)

// The sizes at which the modes begin.
const (
	NarrowWidth  = 60
	NarrowHeight = 12
	MediumWidth  = 81
	MediumHeight = 20
	WideWidth    = 140
	WideHeight   = 14
)

// ModeFor is the mode of a screen. A screen that is wide and low gets tabs: two rows of panes with a
// line or two each would show nothing.
func ModeFor(w, h int) Mode {
	switch {
	case w < NarrowWidth || h < NarrowHeight:
		return Tiny
	case w >= WideWidth && h >= WideHeight:
		return Wide
	case w >= MediumWidth && h >= MediumHeight:
		return Medium
	default:
		return Narrow
	}
}

// modeOf is the mode of a screen with n panes: so many that their rows would be too low go on tabs.
func modeOf(w, h, n int) Mode {
	m := ModeFor(w, h)
	rows := (n + 1) / 2
	if m == Medium {
		rows = 1 + n/2
	}
	if (m == Medium || m == Wide) && rows*leastHeight > h-3 {
		return Narrow
	}
	return m
}

// Options are what the rectangles depend on beside the size.
type Options struct {
	Focus  int    // the pane that Narrow and Zoom show
	Zoom   bool   // the focused pane takes the whole board
	Idle   []bool // panes with nothing to show; their room goes to the others. nil: none
	Notice bool   // a line under the header for what must not be overlooked
	Strip  bool   // a line above the footer for what is under way; in Tiny, of a pane alone, the last line
	// Strips are the heights that the strips of Narrow would like, frames included, most important last
	// to go.
	Strips []int
}

// Plan is a screen's arrangement. Panes and Strips are as long as what was asked for; what is not shown
// is empty.
type Plan struct {
	Mode   Mode
	Header Rect
	Notice Rect
	Tabs   Rect // Narrow only
	Body   Rect // all between header (or tabs) and footer: the place of a detail
	Strip  Rect
	Footer Rect
	Panes  []Rect
	Strips []Rect
}

// idleHeight is the height of a pane with nothing to show: its frame and the line that says why.
// leastHeight is the least that a pane beside others gets.
const (
	idleHeight  = 3
	leastHeight = 4
)

// Board arranges n panes on a screen of w by h cells.
func Board(w, h, n int, o Options) Plan {
	w, h = max(0, w), max(0, h)
	p := Plan{Mode: modeOf(w, h, n), Panes: make([]Rect, n), Strips: make([]Rect, len(o.Strips))}
	if p.Mode == Tiny {
		p.Body = Rect{0, 0, w, h}
		if o.Strip && o.Zoom && h > 2 {
			p.Strip = Rect{0, h - 1, w, 1}
			p.Body.H--
		}
		if o.Zoom && o.Focus < n {
			p.Panes[o.Focus] = p.Body
		}
		return p
	}
	p.Header = Rect{0, 0, w, 1}
	p.Footer = Rect{0, h - 1, w, 1}
	p.Body = Rect{0, 1, w, h - 2}
	if o.Notice {
		p.Notice = Rect{0, 1, w, 1}
		p.Body = Rect{0, 2, w, h - 3}
	}
	if o.Strip {
		p.Strip = Rect{0, h - 2, w, 1}
		p.Body.H--
	}
	switch {
	case n == 0:
	case o.Zoom:
		p.zoom(o.Focus)
	case p.Mode == Wide:
		p.columns(p.Body, indices(0, n), o.Idle)
	case p.Mode == Medium:
		p.medium(n, o.Idle)
	default:
		p.narrow(o)
	}
	return p
}

func (p *Plan) zoom(focus int) {
	if focus >= 0 && focus < len(p.Panes) {
		p.Panes[focus] = p.Body
	}
}

func indices(from, to int) []int {
	out := make([]int, 0, max(0, to-from))
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// medium puts the first pane over the whole width; the others flow down the left column and then the
// right one, so that their numbers read in order.
func (p *Plan) medium(n int, idle []bool) {
	if n == 1 {
		p.Panes[0] = p.Body
		return
	}
	if isIdle(idle, 0) && isIdle(idle, 1) { // nothing to show over the whole width
		p.columns(p.Body, indices(0, n), idle)
		return
	}
	b := p.Body
	top := b.H * 3 / 10
	if isIdle(idle, 0) {
		top = idleHeight
	}
	if top != idleHeight {
		top = clamp(top, leastHeight, b.H-2*leastHeight)
	}
	p.Panes[0] = Rect{b.X, b.Y, b.W, top}
	rest := Rect{b.X, b.Y + top, b.W, b.H - top}
	if n == 2 {
		p.Panes[1] = rest
		return
	}
	left := rest
	left.W = rest.W / 2
	right := Rect{rest.X + left.W, rest.Y, rest.W - left.W, rest.H}
	half := 1 + n/2
	p.stack(left, indices(1, half), idle)
	p.stack(right, indices(half, n), idle)
}

// columns puts panes in two columns, row by row; an odd last one takes its row alone.
func (p *Plan) columns(b Rect, panes []int, idle []bool) {
	if len(panes) == 1 {
		p.Panes[panes[0]] = b
		return
	}
	rows := (len(panes) + 1) / 2
	rowIdle := make([]bool, rows)
	for r := range rows {
		rowIdle[r] = isIdle(idle, panes[2*r]) && (2*r+1 >= len(panes) || isIdle(idle, panes[2*r+1]))
	}
	y := b.Y
	for r, h := range split(b.H, rowIdle) {
		left, right := panes[2*r], -1
		w := b.W
		if 2*r+1 < len(panes) {
			right, w = panes[2*r+1], b.W/2
		}
		p.Panes[left] = Rect{b.X, y, w, h}
		if right >= 0 {
			p.Panes[right] = Rect{b.X + w, y, b.W - w, h}
		}
		y += h
	}
}

// stack puts panes one above the other. The last gets more than the others: in the order of the board
// it is the list, and they are the summaries.
func (p *Plan) stack(b Rect, panes []int, idle []bool) {
	marks := make([]bool, len(panes))
	for i, n := range panes {
		marks[i] = isIdle(idle, n)
	}
	y := b.Y
	for i, h := range split(b.H, marks) {
		p.Panes[panes[i]] = Rect{b.X, y, b.W, h}
		y += h
	}
}

// split shares h among rows: an idle one gets idleHeight, the others equal parts, the first the odd
// line. When all are idle, or h is too little for that, all are equal.
func split(h int, idle []bool) []int {
	out := make([]int, len(idle))
	quiet := 0
	for _, i := range idle {
		if i {
			quiet++
		}
	}
	rest := h - quiet*idleHeight
	if quiet == len(idle) || rest < (len(idle)-quiet)*leastHeight {
		share(out, h, nil)
		return out
	}
	share(out, rest, idle)
	for i := range out {
		if idle[i] {
			out[i] = idleHeight
		}
	}
	return out
}

// share gives equal parts of h to the rows that are not skipped, the odd cells to the first ones.
func share(out []int, h int, skip []bool) {
	n := 0
	for i := range out {
		if !isIdle(skip, i) {
			n++
		}
	}
	for i := range out {
		if isIdle(skip, i) {
			continue
		}
		out[i] = (h + n - 1) / n
		h -= out[i]
		n--
	}
}

// narrowPane is the height that the focused pane keeps before the strips get any.
const narrowPane = 9

// narrow puts tabs under the header, then the focused pane, then as many strips as leave it its room. A
// strip is given up from the first on, so that what waits for a person stays longest.
func (p *Plan) narrow(o Options) {
	p.Tabs = Rect{0, p.Body.Y, p.Header.W, 1}
	p.Body.Y++
	p.Body.H--
	pane := p.Body
	free := p.Body.H - narrowPane
	bottom := p.Body.Y + p.Body.H
	for i := len(o.Strips) - 1; i >= 0; i-- {
		h := min(o.Strips[i], free)
		if h < 3 {
			continue
		}
		bottom -= h
		free -= h
		pane.H -= h
		p.Strips[i] = Rect{p.Body.X, bottom, p.Body.W, h}
	}
	if o.Focus >= 0 && o.Focus < len(p.Panes) {
		p.Panes[o.Focus] = pane
	}
}

func isIdle(idle []bool, i int) bool { return i < len(idle) && idle[i] }

func clamp(v, lo, hi int) int { return max(lo, min(v, hi)) }

// Center is a box of at most w by h cells in the middle of outer, a little above the middle where there
// is room.
func Center(outer Rect, w, h int) Rect {
	w, h = clamp(w, 0, outer.W), clamp(h, 0, outer.H)
	return Rect{outer.X + (outer.W-w)/2, outer.Y + (outer.H-h)*2/5, w, h}
}
