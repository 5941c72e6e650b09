package guard

import (
	"math"
	"strings"
	"time"

	"example.com/signalbox/sources"
)

// scale turns the values of a metric so that more is worse.
type scale struct {
	whole float64 // values are what lacks to the whole; 0: they are not
	down  bool    // values are negated
	most  float64 // there is nothing beyond it; +Inf where no end is known
	floor float64 // less cannot have been measured
}

func scaleOf(m *sources.Series) scale {
	s := scale{most: math.Inf(1), floor: math.Inf(-1)}
	whole := wholeOf(m.Unit)
	switch m.Signal {
	case sources.ErrorSignal, sources.LatencySignal, sources.TrafficSignal:
		s.floor = 0
	case sources.SaturationSignal:
		if whole > 0 {
			s.most = whole
		}
	case sources.OtherSignal:
	}
	if m.Below || m.Signal == sources.TrafficSignal && !limited(m) {
		if s.most = math.Inf(1); whole > 0 {
			s.whole = whole
		} else {
			s.down = true
		}
	}
	return s
}

// up is the value v where more is worse; NaN for what cannot have been measured.
func (s scale) up(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < s.floor {
		return math.NaN()
	}
	return s.turn(v)
}

// turn is v where more is worse, and what turn made v of.
func (s scale) turn(v float64) float64 {
	switch {
	case s.whole > 0:
		return s.whole - v
	case s.down:
		return -v
	default:
		return v
	}
}

// bar is what is times as bad as ref.
func (s scale) bar(ref, times float64) float64 {
	switch {
	case math.IsInf(ref, 0):
		return ref
	case s.down && ref < 0:
		return ref / times
	case ref < 0:
		return ref + (times-1)*math.Abs(ref)
	case ref < s.most:
		return min(ref*times, ref+(s.most-ref)/2)
	default:
		return ref * times
	}
}

// points are the given ones on the scale.
func (s scale) points(points []sources.Point) []sources.Point {
	out := make([]sources.Point, len(points))
	for i, p := range points {
		out[i] = sources.Point{At: p.At, Value: s.up(p.Value)}
	}
	return out
}

func limited(m *sources.Series) bool { return !math.IsNaN(m.Limit) }

// wholeOf is 100 for percent, 1 for a ratio, 0 for what is no share.
func wholeOf(unit string) float64 {
	switch strings.ToLower(strings.TrimSpace(unit)) {
	case "%", "percent":
		return 100
	case "ratio", "fraction", "percentunit":
		return 1
	default:
		return 0
	}
}

// requestsIn is how many requests a point of a traffic metric stands for: of a rate its value times the step
// in the rate's unit of time; of a count its value.
func requestsIn(unit string, step time.Duration) float64 {
	u := strings.ToLower(strings.ReplaceAll(unit, " ", ""))
	switch u {
	case "rps", "qps", "hz":
		return step.Seconds()
	case "rpm", "qpm":
		return step.Minutes()
	}
	_, per, _ := strings.Cut(u, "/")
	switch per {
	case "s", "sec", "second":
		return step.Seconds()
	case "m", "min", "minute":
		return step.Minutes()
	case "h", "hour":
		return step.Hours()
	default:
		return 1
	}
}
