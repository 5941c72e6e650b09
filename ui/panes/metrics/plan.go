package metrics

import "time"

// The least that a chart takes: its line of words, two lines of dots, and columns enough to see when. Where
// there is room for more, charts grow before they become more.
const (
	leastWidth  = 22
	leastHeight = 3
	goodHeight  = 6
	mostRest    = 3 // lines of numbers without a chart
)

// columnsIn is how many charts stand side by side in w columns.
func columnsIn(w int) int {
	switch {
	case w < 56:
		return 1
	case w < 132:
		return 2
	case w < 190:
		return 3
	default:
		return 4
	}
}

// plan is how the lines of the pane are shared: charts side by side in rows, a line or more for the
// numbers that have no chart, the objectives, and the legend. Without charts there is a list.
type plan struct {
	w, h          int
	charts        int // how many metrics have one; 0: a list
	columns, rows int
	rest          int // lines of the other numbers
	budgets       int // lines of objectives
	legend        int
	head          int // lines over a list
}

// makePlan shares w by h cells among n metrics and so many lines of objectives. list says that charts are
// not wanted, rest how many lines the numbers take that have no chart when the first ones have, up to most.
func makePlan(w, h, n int, list bool, budgets int, rest func(charts, most int) int) plan {
	p := plan{w: w, h: h}
	if list || n == 0 || w < leastWidth || h <= leastHeight {
		if h >= 3 && n > 0 {
			p.head = 1
		}
		return p
	}
	if h >= 6 {
		p.legend = 1
	}
	if h >= 7 {
		p.budgets = min(budgets, max(1, h/4))
	}
	p.columns = min(columnsIn(w), n)
	body := h - p.legend - p.budgets
	for p.rows = min(max(1, body/goodHeight), (n+p.columns-1)/p.columns); ; p.rows-- {
		p.charts = min(n, p.rows*p.columns)
		p.rest = rest(p.charts, max(0, min(body-leastHeight, max(1, body/4), mostRest)))
		if p.rows == 1 || (body-p.rest)/p.rows >= leastHeight+1 {
			break
		}
	}
	return p
}

// rect is a rectangle of cells inside the pane.
type rect struct{ x, y, w, h int }

// cell is where the i-th chart stands. A last row that is not full shares its width among fewer.
func (p *plan) cell(i int) rect {
	row, col := i/p.columns, i%p.columns
	n := min(p.columns, p.charts-row*p.columns)
	body := p.h - p.rest - p.budgets - p.legend
	top, bottom := body*row/p.rows, body*(row+1)/p.rows
	left, right := p.w*col/n, p.w*(col+1)/n
	return rect{left, top, right - left, bottom - top}
}

// step is what one column of a chart stands for; 0 when nothing is shown.
func (p *plan) step() time.Duration {
	switch {
	case p.w <= 0 || p.h <= 0:
		return 0
	case p.charts == 0:
		return span / sparkWidth
	}
	widest := 1
	for i := range p.charts {
		widest = max(widest, p.cell(i).w-2)
	}
	return span / time.Duration(widest)
}

// shown are the metrics that have a chart, in their places: the first ones, and in the last place the one
// under the cursor when it is none of them.
func (p *Pane) shown() []int {
	out := make([]int, p.plan.charts)
	for i := range out {
		out[i] = i
	}
	if at, ok := p.list.At(); ok && at >= len(out) && len(out) > 0 {
		out[len(out)-1] = at
	}
	return out
}

// hit is the metric whose chart is at x, y.
func (p *plan) hit(shown []int, x, y int) (int, bool) {
	for i, m := range shown {
		if c := p.cell(i); x >= c.x && x < c.x+c.w && y >= c.y && y < c.y+c.h {
			return m, true
		}
	}
	return 0, false
}
