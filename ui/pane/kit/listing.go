package kit

import (
	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Listing is what panes that are lists have in common: a cursor that stays on its row by identity, the
// filter above the rows, remarks below them. The rows are the pane's own.
//
// Until somebody moves the cursor, or all of the data has come, it rests on the first row, which is the
// most urgent one; from then on it stays on its row.
type Listing[K comparable] struct {
	Filter Filter
	Head   bool // the first line names the columns, where there is room for it

	cursor component.List[K]
	size   pane.Sized
	below  int
	chosen bool
}

// Take lets the listing have a message. taken reports that the pane has nothing more to do with it;
// changed, that what the filter lets through or the room has changed: the pane then makes its rows anew,
// calls Sync and Arrange.
func (l *Listing[K]) Take(msg tea.Msg, r component.Rows[K]) (taken, changed bool) {
	switch m := msg.(type) {
	case pane.Sized:
		l.size = m
		return true, true
	case tea.KeyMsg:
		l.chosen = true
		return true, l.typed(m, r)
	case pane.Click:
		l.chosen = true
		if m.Wheel != 0 {
			l.cursor.Move(m.Wheel, r)
		} else {
			l.cursor.Click(m.Y-l.above(), r)
		}
		return true, false
	case pane.Action:
		l.chosen = true
		return l.act(m, r)
	}
	return false, false
}

func (l *Listing[K]) typed(k tea.KeyMsg, r component.Rows[K]) (changed bool) {
	switch l.Filter.Key(k) {
	case TypedText, TypedDone:
		return true
	case TypedUp:
		l.cursor.Move(-1, r)
	case TypedDown:
		l.cursor.Move(1, r)
	case TypedNothing:
	}
	return false
}

func (l *Listing[K]) act(a pane.Action, r component.Rows[K]) (taken, changed bool) {
	switch {
	case l.cursor.Do(a.Action, a.Count, r):
		return true, false
	case a.Action == keymap.Filter:
		l.Filter.Open()
		return true, true
	case a.Action == keymap.Back && l.Filter.Active():
		l.Filter.Clear()
		return true, true
	}
	return false, false
}

// Sync finds the cursor's row again after the rows changed. settled reports that no more data is on its
// way.
func (l *Listing[K]) Sync(r component.Rows[K], settled bool) {
	if !l.chosen {
		l.cursor = component.List[K]{}
		l.chosen = settled && r.N > 0
	}
	l.cursor.Sync(r)
}

// Arrange shares the lines between the rows and so many remarks.
func (l *Listing[K]) Arrange(remarks int, r component.Rows[K]) {
	l.below = Below(remarks, l.size.H)
	l.cursor.Resize(l.Room(), r)
}

// Room is how many lines the rows have.
func (l *Listing[K]) Room() int { return max(0, l.size.H-l.above()-l.below) }

// Size is the size of the pane's region.
func (l *Listing[K]) Size() pane.Sized { return l.size }

// Chosen reports that the cursor stays on its row, whatever comes.
func (l *Listing[K]) Chosen() bool { return l.chosen }

// At is the index of the selected row; ok is false when there is none.
func (l *Listing[K]) At() (i int, ok bool) { return l.cursor.At() }

// Key identifies the selected row; ok is false when there is none.
func (l *Listing[K]) Key() (k K, ok bool) { return l.cursor.Key() }

// Select puts the cursor on the row with key k, if there is one.
func (l *Listing[K]) Select(k K, r component.Rows[K]) {
	l.chosen = true
	l.cursor.Select(k, r)
}

// above is how many lines stand over the rows.
func (l *Listing[K]) above() int {
	n := 0
	if l.Head && l.size.H >= 3 {
		n++
	}
	if l.Filter.Active() {
		n++
	}
	return n
}

// Drawing is what a pane draws into a Listing.
type Drawing struct {
	Head    func(r screen.Region)        // the line above; nil: none
	Row     func(r screen.Region, i int) // row i, into its lines
	Of      int                          // how many rows there are without the filter
	None    string                       // what to say when the filter lets nothing through
	Remarks [][]pane.Part
}

// Draw draws the head, the filter, the rows of the window with the cursor, and the remarks.
func (l *Listing[K]) Draw(e pane.Env, r screen.Region, rows component.Rows[K], d Drawing) {
	w, h := r.Size()
	y := 0
	if l.Head && h >= 3 {
		d.Head(r)
		y++
	}
	if l.Filter.Active() {
		l.Filter.Draw(r.Sub(0, y, w, 1), e.Theme, rows.N, d.Of)
		y++
	}
	l.drawRows(e, r.Sub(0, y, w, h-y-l.below), rows, d)
	DrawRemarks(e, r, l.below, d.Remarks)
}

func (l *Listing[K]) drawRows(e pane.Env, r screen.Region, rows component.Rows[K], d Drawing) {
	w, h := r.Size()
	at, some := l.cursor.At()
	y := 0
	for i := l.cursor.Top(); i < rows.N && y < h; i++ {
		n := 1
		if rows.Height != nil {
			n = max(1, rows.Height(i))
		}
		d.Row(r.Sub(0, y, w, n), i)
		if some && i == at {
			Mark(e, r, y, min(n, h-y))
		}
		y += n
	}
	if rows.N == 0 {
		Notice{Token: theme.Muted, Glyph: theme.GlyphDot, Title: d.None, Lines: []string{"Esc clears it."}}.Draw(r, e.Theme)
	}
}
