package guard

import (
	"math"
	"time"

	"example.com/signalbox/sources"
)

// minute is the least distance of two values that are judged: points closer together are one.
const minute = time.Minute

// slot is one value that is judged. lo and hi are what it is at least and at most, whatever its missing
// points would have been; mid is the median of those that are known, NaN in a gap.
type slot struct {
	at          time.Time
	lo, mid, hi float64
}

// grid is where the points of a series lie: at phase, and every step before and after.
type grid struct {
	step  time.Duration
	phase time.Time
}

// gridOf is the grid of a series; false when it has no points to tell it by.
func gridOf(step time.Duration, points []sources.Point) (grid, bool) {
	if len(points) == 0 {
		return grid{}, false
	}
	g := grid{step: step, phase: points[0].At}
	for i := range points {
		if p := points[i]; p.At.After(g.phase) {
			g.phase = p.At
		}
		if i > 0 && step <= 0 {
			if d := points[i].At.Sub(points[i-1].At).Abs(); d > 0 && (g.step <= 0 || d < g.step) {
				g.step = d
			}
		}
	}
	if g.step <= 0 {
		g.step = minute
	}
	g.step = max(g.step, time.Second)
	return g, true
}

// index is the place of the point nearest to t.
func (g grid) index(t time.Time) int {
	d := t.Sub(g.phase)
	return int(math.Round(float64(d) / float64(g.step)))
}

func (g grid) at(i int) time.Time { return g.phase.Add(time.Duration(i) * g.step) }

// values are those at the places from first to last, NaN where there is none. Of several lists of points
// the first that knows a value counts.
func (g grid) values(first, last int, lists ...[]sources.Point) []float64 {
	if last < first {
		return nil
	}
	out := make([]float64, last-first+1)
	for i := range out {
		out[i] = math.NaN()
	}
	for l := len(lists) - 1; l >= 0; l-- {
		for _, p := range lists[l] {
			if i := g.index(p.At) - first; i >= 0 && i < len(out) && !math.IsNaN(p.Value) {
				out[i] = p.Value
			}
		}
	}
	return out
}

// between are the first and the last place of the points that lie wholly between from and to, whether they
// cover the step before their time or the one after it.
func (g grid) between(from, to time.Time) (first, last int) {
	first, last = g.index(from.Add(g.step)), g.index(to.Add(-g.step))
	for g.at(first).Before(from.Add(g.step)) {
		first++
	}
	for g.at(last).After(to.Add(-g.step)) {
		last--
	}
	return first, last
}

// slots takes the values from the place first on together, a minute each. What does not fill a minute at
// the end is left out: it is still being measured.
func (g grid) slots(first int, values []float64) []slot {
	n := max(1, int(math.Round(float64(minute)/float64(g.step))))
	out := make([]slot, 0, len(values)/n)
	for i := 0; i+n <= len(values); i += n {
		lo, hi := make([]float64, n), make([]float64, n)
		for k, v := range values[i : i+n] {
			lo[k], hi[k] = v, v
			if math.IsNaN(v) {
				lo[k], hi[k] = math.Inf(-1), math.Inf(1)
			}
		}
		out = append(out, slot{at: g.at(first + i), lo: median(lo), hi: median(hi), mid: median(known(values[i : i+n]))})
	}
	return out
}

func lows(s []slot) []float64  { return each(s, func(s *slot) float64 { return s.lo }) }
func highs(s []slot) []float64 { return each(s, func(s *slot) float64 { return s.hi }) }
func mids(s []slot) []float64  { return known(each(s, func(s *slot) float64 { return s.mid })) }

func each(s []slot, f func(*slot) float64) []float64 {
	out := make([]float64, len(s))
	for i := range s {
		out[i] = f(&s[i])
	}
	return out
}
