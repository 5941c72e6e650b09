package chart

import (
	"math"
	"sort"
	"time"
)

// Slot is what half a column of a chart stands for: the lowest and the highest value in its time. Both are
// drawn, so that a spike or a dip never vanishes however many values share a slot. A gap is NaN.
type Slot struct{ Lo, Hi float64 }

// gap is a slot without a value.
func gap() Slot { return Slot{math.NaN(), math.NaN()} }

// Empty reports that nothing was measured in s.
func (s Slot) Empty() bool { return math.IsNaN(s.Lo) }

func (s Slot) add(v float64) Slot {
	if s.Empty() {
		return Slot{v, v}
	}
	return Slot{min(s.Lo, v), max(s.Hi, v)}
}

// Window is the time that a chart shows, cut into slots of equal length, two a column.
type Window struct {
	From time.Time
	Slot time.Duration
	N    int
}

// WindowOf is the window of columns columns that shows span until now. Its columns begin at multiples of
// their length: a point stays in its slot, and the chart moves by a column at a time, not with every
// refresh. The last column is the one that now lies in.
func WindowOf(now time.Time, span time.Duration, columns int) Window {
	if columns <= 0 || span <= 0 {
		return Window{From: now, Slot: 1}
	}
	slot := max(1, span/time.Duration(2*columns))
	end := now.Truncate(2 * slot).Add(2 * slot)
	n := 2 * columns
	return Window{From: end.Add(-time.Duration(n) * slot), Slot: slot, N: n}
}

// To is the end of the window.
func (w Window) To() time.Time { return w.From.Add(time.Duration(w.N) * w.Slot) }

// Column is the column that t lies in; ok is false when it lies outside.
func (w Window) Column(t time.Time) (x int, ok bool) {
	d := t.Sub(w.From)
	if d < 0 || d >= time.Duration(w.N)*w.Slot {
		return 0, false
	}
	return int(d / w.Slot / 2), true
}

// At is the middle of column x.
func (w Window) At(x int) time.Time { return w.From.Add(time.Duration(2*x+1) * w.Slot) }

// Resample puts n points, oldest first, into the slots of w and returns them in dst where that has room.
// Two neighbours at most apart from each other are joined by a line; what lies further apart, or is NaN,
// leaves a gap. An infinity is kept. It costs the points inside the window.
func Resample(dst []Slot, w Window, apart time.Duration, n int, at func(i int) (time.Time, float64)) []Slot {
	dst = dst[:0]
	for range w.N {
		dst = append(dst, gap())
	}
	first := sort.Search(n, func(i int) bool {
		t, _ := at(i)
		return !t.Before(w.From)
	})
	var was point
	was.v = math.NaN()
	for i := max(0, first-1); i < n; i++ {
		t, v := at(i)
		p := point{t.Sub(w.From), -1, v}
		if p.at >= 0 {
			p.slot = int(min(p.at/w.Slot, time.Duration(w.N)))
		}
		if !math.IsNaN(v) {
			if !math.IsNaN(was.v) && p.at-was.at <= apart && p.slot > was.slot+1 {
				join(dst, w.Slot, was, p)
			}
			if p.slot >= 0 && p.slot < w.N {
				dst[p.slot] = dst[p.slot].add(v)
			}
		}
		if was = p; p.slot >= w.N {
			break
		}
	}
	return dst
}

// point is a value at a time since the beginning of a window; its slot is -1 before that.
type point struct {
	at   time.Duration
	slot int
	v    float64
}

// join fills the slots between two neighbouring points with the line from one to the other.
func join(dst []Slot, slot time.Duration, a, b point) {
	if math.IsInf(a.v, 0) || math.IsInf(b.v, 0) {
		return
	}
	for i := a.slot + 1; i < min(b.slot, len(dst)); i++ {
		mid := time.Duration(i)*slot + slot/2 - a.at
		f := max(0, min(float64(mid)/float64(b.at-a.at), 1))
		dst[i] = dst[i].add(a.v*(1-f) + b.v*f)
	}
}
