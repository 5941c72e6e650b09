package kit

import (
	"cmp"
	"slices"
)

// Column is what a column of a table would like to have. Its gap stands before it.
type Column struct {
	Gap  int
	Min  int  // with less it is dropped, or cut when it cannot be dropped
	Want int  // what its longest cell takes
	Grow bool // takes what is left over
	// Drop is the order in which columns go when the room lacks, highest first; 0 never goes.
	Drop int
}

// Fit shares w columns among cols: the width of each, 0 for one that was dropped. First every column that
// fits gets its Min, then what it wants, those that are dropped last first, then those that Grow share
// the rest.
func Fit(w int, cols []Column) []int {
	out := make([]int, len(cols))
	kept := make([]bool, len(cols))
	need := 0
	for i, c := range cols {
		kept[i] = c.Want > 0 || c.Drop == 0
		if kept[i] {
			need += c.Gap + min(c.Min, max(c.Want, 1))
		}
	}
	for need > w {
		worst, drop := -1, 0
		for i, c := range cols {
			if kept[i] && c.Drop > drop {
				worst, drop = i, c.Drop
			}
		}
		if worst < 0 {
			break
		}
		kept[worst] = false
		need -= cols[worst].Gap + min(cols[worst].Min, max(cols[worst].Want, 1))
	}
	left := w
	for i, c := range cols {
		if !kept[i] {
			continue
		}
		left -= c.Gap
		out[i] = max(0, min(c.Min, max(c.Want, 1), left))
		left -= out[i]
	}
	for _, i := range byDrop(cols) {
		if kept[i] && left > 0 {
			add := min(left, max(0, cols[i].Want-out[i]))
			out[i] += add
			left -= add
		}
	}
	grow(out, cols, kept, left)
	return out
}

// byDrop are the indices of cols, those that go last first.
func byDrop(cols []Column) []int {
	order := make([]int, len(cols))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(cols[a].Drop, cols[b].Drop) })
	return order
}

func grow(out []int, cols []Column, kept []bool, left int) {
	n := 0
	for i, c := range cols {
		if kept[i] && c.Grow {
			n++
		}
	}
	for i, c := range cols {
		if kept[i] && c.Grow && left > 0 {
			add := (left + n - 1) / n
			out[i] += add
			left -= add
			n--
		}
	}
}

// Places are the left edges of columns of these widths; what was dropped has the edge of its successor.
func Places(cols []Column, widths []int) []int {
	at := make([]int, len(cols))
	x := 0
	for i, c := range cols {
		if widths[i] > 0 {
			x += c.Gap
		}
		at[i] = x
		x += widths[i]
	}
	return at
}

// Used is how many columns of the region these widths take, gaps included.
func Used(cols []Column, widths []int) int {
	used := 0
	for i, w := range widths {
		if w > 0 {
			used += cols[i].Gap + w
		}
	}
	return used
}
