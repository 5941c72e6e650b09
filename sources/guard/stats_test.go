package guard

import (
	"math"
	"testing"
)

func TestStatistics(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want float64 }{
		"median, odd":                  {median([]float64{3, 1, 2}), 2},
		"median, even":                 {median([]float64{4, 1, 3, 2}), 3},
		"median of what is infinite":   {median([]float64{math.Inf(1), 1, math.Inf(1)}), math.Inf(1)},
		"spread":                       {spread([]float64{1, 2, 3, 4, 100}, 3), 1.4826},
		"spread of mostly one value":   {spread([]float64{0, 0, 0, 2, 0}, 0), 1 / 1.128},
		"spread of one value":          {spread([]float64{7}, 7), 0},
		"spread of an outage":          {spread([]float64{0, 0, 0, 9, 9, 0, 0, 0, 0}, 0), 18.0 / 8 / 1.128},
		"higher":                       {higher([]float64{3, 4, 5}, []float64{1, 2}), 2.5 / math.Sqrt(3)},
		"higher, with ties":            {higher([]float64{1, 2}, []float64{1, 1}), 0.5},
		"lower":                        {higher([]float64{1, 2}, []float64{3, 4, 5}), -3.5 / math.Sqrt(3)},
		"equal":                        {higher([]float64{1, 1}, []float64{1, 1, 1}), 0},
		"higher than nothing":          {higher([]float64{1, 1}, nil), 0},
		"five above sixty: that is it": {math.Floor(10 * higher([]float64{9, 9.1, 9.2, 9.3, 9.4}, ramp(60))), 36},
	} {
		if math.Abs(c.got-c.want) > 1e-9 && c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
}

func ramp(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i) / float64(n)
	}
	return out
}
