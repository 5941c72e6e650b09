package guard

import (
	"math"
	"slices"
	"sort"
)

// known are the values that are numbers.
func known(vs []float64) []float64 {
	out := make([]float64, 0, len(vs))
	for _, v := range vs {
		if !math.IsNaN(v) {
			out = append(out, v)
		}
	}
	return out
}

// median is the value in the middle, the upper one of two; NaN of none. The values are numbers or infinite.
// It is one of the values, so that what is ordered stays ordered: median(a) ≤ median(b) when each of a is at
// most that of b.
func median(vs []float64) float64 {
	if len(vs) == 0 {
		return math.NaN()
	}
	s := slices.Clone(vs)
	slices.Sort(s)
	return s[len(s)/2]
}

// Scale factors that make the two estimates those of a normal distribution's standard deviation: 1/Φ⁻¹(3/4),
// and 1/d2 for ranges of two.
const (
	madScale   = 1.4826
	rangeScale = 1 / 1.128
)

// spread estimates the standard deviation of values in the order of time about the centre robustly: by the
// median absolute deviation, or, where at least half of the values are the centre, by the mean moving range,
// which an outage with its two edges hardly changes.
func spread(vs []float64, centre float64) float64 {
	if len(vs) < 2 {
		return 0
	}
	devs, moved, previous := make([]float64, len(vs)), 0.0, vs[0]
	for i, v := range vs {
		devs[i] = math.Abs(v - centre)
		moved += math.Abs(v - previous)
		previous = v
	}
	if mad := median(devs); mad > 0 {
		return madScale * mad
	}
	return rangeScale * moved / float64(len(vs)-1)
}

// higher is how clearly the values of a lie above those of b: the standard score of the Mann-Whitney U
// statistic, with correction for ties and continuity. 0 when one of them is empty or all values are equal.
func higher(a, b []float64) float64 {
	m, n := float64(len(a)), float64(len(b))
	if m == 0 || n == 0 {
		return 0
	}
	type ranked struct {
		v     float64
		fromA bool
	}
	all := make([]ranked, 0, len(a)+len(b))
	for _, v := range a {
		all = append(all, ranked{v, true})
	}
	for _, v := range b {
		all = append(all, ranked{v, false})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].v < all[j].v })
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j, ofA := i, 0.0
		for ; j < len(all) && all[j].v == all[i].v; j++ {
			if all[j].fromA {
				ofA++
			}
		}
		t := float64(j - i)
		ranks += ofA * (float64(i+1) + float64(j)) / 2
		ties += t*t*t - t
		i = j
	}
	u, total := ranks-m*(m+1)/2, m+n
	variance := m * n / 12 * (total + 1 - ties/(total*(total-1)))
	if variance <= 0 {
		return 0
	}
	return (u - m*n/2 - 0.5) / math.Sqrt(variance)
}
