// Package component holds the parts that panes and dialogs are made of: frames, lists, tabs, bars,
// toasts and text fields. It knows nothing of what they show.
package component

import "example.com/signalbox/ui/keymap"

// Rows is what a List runs over. Key identifies a row for as long as it exists. Height is a row's
// lines; nil means one each.
type Rows[K comparable] struct {
	N      int
	Key    func(i int) K
	Height func(i int) int
}

func (r Rows[K]) height(i int) int {
	if r.Height == nil {
		return 1
	}
	return max(1, r.Height(i))
}

// List is a cursor that stays on its row by identity, and the window around it. It is a value: copies
// are independent. Moving costs the visible rows, Sync at most one pass over all of them.
type List[K comparable] struct {
	key   K
	at    int
	top   int
	lines int
	some  bool
}

// At is the index of the selected row; ok is false when there is none.
func (l *List[K]) At() (i int, ok bool) { return l.at, l.some }

// Key identifies the selected row; ok is false when there is none.
func (l *List[K]) Key() (k K, ok bool) { return l.key, l.some }

// Top is the index of the first visible row.
func (l *List[K]) Top() int { return l.top }

// Resize tells how many lines the list has on the screen.
func (l *List[K]) Resize(lines int, r Rows[K]) {
	l.lines = max(0, lines)
	l.fit(r)
}

// Sync finds the selected row again after the rows changed. A row that is gone gives the cursor to the
// one that took its place. A list at its top stays there, so that new rows are seen; one that is
// scrolled keeps what it shows where it was.
func (l *List[K]) Sync(r Rows[K]) {
	if r.N <= 0 {
		*l = List[K]{lines: l.lines}
		return
	}
	before := l.at
	l.at = min(l.at, r.N-1)
	if l.some {
		if i, ok := l.find(r); ok {
			l.at = i
		}
	}
	if l.top > 0 {
		l.top += l.at - before
	}
	l.choose(l.at, r)
}

// find looks for the selected row near its old place first.
func (l *List[K]) find(r Rows[K]) (int, bool) {
	for d := 0; d < r.N; d++ {
		if i := l.at + d; i < r.N && r.Key(i) == l.key {
			return i, true
		}
		if i := l.at - d; i >= 0 && r.Key(i) == l.key {
			return i, true
		}
		if l.at+d >= r.N && l.at-d < 0 {
			break
		}
	}
	return 0, false
}

// Select puts the cursor on the row with key k; it reports whether there is one.
func (l *List[K]) Select(k K, r Rows[K]) bool {
	for i := range r.N {
		if r.Key(i) == k {
			l.choose(i, r)
			return true
		}
	}
	return false
}

// Move puts the cursor so many rows further down; negative is up. It stops at the ends.
func (l *List[K]) Move(by int, r Rows[K]) { l.choose(l.at+by, r) }

// Click puts the cursor on the row at line y of the window; it reports whether there is one.
func (l *List[K]) Click(y int, r Rows[K]) bool {
	if y < 0 {
		return false
	}
	for i := l.top; i < r.N && y < l.lines; i++ {
		if y -= r.height(i); y < 0 {
			l.choose(i, r)
			return true
		}
	}
	return false
}

// Do carries out a movement as often as count says; it reports whether a is one.
func (l *List[K]) Do(a keymap.Action, count int, r Rows[K]) bool {
	count = max(1, count)
	page := max(1, l.lines-1)
	switch a {
	case keymap.Up:
		l.Move(-count, r)
	case keymap.Down:
		l.Move(count, r)
	case keymap.PageUp:
		l.Move(-count*page, r)
	case keymap.PageDown:
		l.Move(count*page, r)
	case keymap.HalfUp:
		l.Move(-count*max(1, page/2), r)
	case keymap.HalfDown:
		l.Move(count*max(1, page/2), r)
	case keymap.Top:
		l.choose(0, r)
	case keymap.Bottom:
		l.choose(r.N-1, r)
	default:
		return false
	}
	return true
}

func (l *List[K]) choose(i int, r Rows[K]) {
	if r.N <= 0 {
		*l = List[K]{lines: l.lines}
		return
	}
	l.at = max(0, min(i, r.N-1))
	l.key, l.some = r.Key(l.at), true
	l.fit(r)
}

// fit moves the window as little as possible so that it shows the selected row and no empty lines
// below the last one while rows above it are hidden.
func (l *List[K]) fit(r Rows[K]) {
	if r.N <= 0 || l.lines <= 0 {
		l.top = 0
		return
	}
	l.top = max(0, min(l.top, l.at))
	l.top = max(l.top, l.highest(l.at, r))
	l.top = min(l.top, l.highest(r.N-1, r))
	l.top = min(l.top, l.at)
}

// highest is the first row of a window that ends with row last.
func (l *List[K]) highest(last int, r Rows[K]) int {
	left := l.lines - r.height(last)
	for i := last - 1; i >= 0; i-- {
		if left -= r.height(i); left < 0 {
			return i + 1
		}
	}
	return 0
}
