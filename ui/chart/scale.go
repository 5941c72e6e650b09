package chart

import "math"

// Scale is the range of values that a chart shows. The zero Scale shows nothing yet.
type Scale struct{ Lo, Hi float64 }

// The bounds within which scales are computed: beyond them a float64 has no room for the arithmetic.
const (
	largest  = 1e300
	smallest = 1e-300
)

// leastSpan is how much of its largest value a scale spans at least, so that the noise of a steady number
// does not look like an upheaval.
const leastSpan = 0.25

// fromZero is how much of its largest value a scale's values span when it begins at zero.
const fromZero = 0.15

// steps is how many steps of nice numbers a scale has at most.
const steps = 5

// Fit is the scale for values between lo and hi, with ends that are nice numbers, so that it stays as it
// is while values move a little. It begins at zero unless all values are far from it. near is a value
// that belongs into the picture when it is not far off, as a limit does; NaN for none. What is not finite counts
// for nothing; with lo above hi there are no values, and the scale is 0 … 1.
func Fit(lo, hi, near float64) Scale {
	if !finite(lo) || !finite(hi) || lo > hi {
		if !finite(near) {
			return Scale{0, 1}
		}
		lo, hi = near, near
	}
	lo, hi, near = clamp(lo), clamp(hi), clamp(near)
	least := leastSpan
	if reach := 3 * max(math.Abs(lo), math.Abs(hi)); finite(near) && math.Abs(near) <= max(reach, smallest) {
		// The distance to the limit is what the eye looks for: it decides, however small it is.
		if near != lo || near != hi {
			least = 1e-6
		}
		lo, hi = min(lo, near), max(hi, near)
	}
	switch {
	case hi <= 0 && lo < 0:
		s := Fit(-hi, -lo, math.NaN())
		return Scale{-s.Hi, 0 - s.Lo}
	case hi < smallest && lo > -smallest:
		return Scale{0, 1}
	case lo >= 0 && hi-lo >= fromZero*hi:
		lo = 0
	case lo > 0 && hi-lo < least*hi:
		mid := lo + (hi-lo)/2
		lo, hi = mid-least*hi/2, mid+least*hi/2
	}
	step := nice((hi - lo) / steps)
	s := Scale{math.Floor(lo/step*(1+1e-12)) * step, math.Ceil(hi/step*(1-1e-12)) * step}
	if !(s.Lo < s.Hi) {
		return Scale{lo, max(hi, lo+step)}
	}
	return s
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func clamp(v float64) float64 { return max(-largest, min(v, largest)) }

// nice is the smallest of 1, 2, 2.5 and 5 times a power of ten that is not below v.
func nice(v float64) float64 {
	if v <= smallest {
		return smallest
	}
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range [...]float64{1, 2, 2.5, 5} {
		if v <= m*p*(1+1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// After is s, or the scale before it where that still does: it holds all of s, and s fills a good part of
// it. A chart that keeps its scale by it does not jump to and fro between two nice numbers.
func (s Scale) After(before Scale) Scale {
	if before.Lo <= s.Lo && s.Hi <= before.Hi && s.Hi-s.Lo >= 0.4*(before.Hi-before.Lo) && (before.Lo == 0) == (s.Lo == 0) {
		return before
	}
	return s
}

// dot is the place of v on a scale of n dots, 0 at the bottom; what lies outside is at the edge.
func (s Scale) dot(v float64, n int) int {
	span := s.Hi - s.Lo
	if n <= 1 || !(span > 0) {
		return 0
	}
	f := (v - s.Lo) / span
	switch {
	case !(f > 0): // also NaN, which an infinity less an infinity would be
		return 0
	case f >= 1:
		return n - 1
	}
	return int(f*float64(n-1) + 0.5)
}

// Holds reports whether v lies on the scale.
func (s Scale) Holds(v float64) bool { return v >= s.Lo && v <= s.Hi }

// Extent is the lowest and the highest finite value of slots; lo is above hi when there is none.
func Extent(slots []Slot) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, s := range slots {
		if finite(s.Lo) {
			lo, hi = min(lo, s.Lo), max(hi, s.Lo)
		}
		if finite(s.Hi) {
			lo, hi = min(lo, s.Hi), max(hi, s.Hi)
		}
	}
	return lo, hi
}
