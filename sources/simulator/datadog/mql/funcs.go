package mql

import (
	"math"
	"time"
)

// function is what may be called: on an expression, with so many numbers behind it.
type function struct {
	args  int
	shift func(rest []float64) time.Duration // evaluates the expression that much later; nil: in its own time
	each  func(v float64, rest []float64) float64
	all   func(values []float64, step time.Duration)
}

func functions() map[string]function {
	const day = 24 * time.Hour
	before := func(d time.Duration) function {
		return function{shift: func([]float64) time.Duration { return -d }}
	}
	plain := func(f func(float64) float64) function {
		return function{each: func(v float64, _ []float64) float64 { return f(v) }}
	}
	per := func(unit time.Duration) function {
		return function{all: func(values []float64, step time.Duration) {
			for i := range values {
				values[i] *= float64(unit) / float64(step)
			}
		}}
	}
	return map[string]function{
		"abs": plain(math.Abs), "ceil": plain(math.Ceil), "floor": plain(math.Floor), "round": plain(math.Round),
		"log2": plain(math.Log2), "log10": plain(math.Log10),
		"default_zero": plain(func(v float64) float64 {
			if math.IsNaN(v) {
				return 0
			}
			return v
		}),
		"clamp_min": {args: 1, each: func(v float64, rest []float64) float64 { return math.Max(v, rest[0]) }},
		"clamp_max": {args: 1, each: func(v float64, rest []float64) float64 { return math.Min(v, rest[0]) }},
		"timeshift": {args: 1, shift: func(rest []float64) time.Duration {
			return time.Duration(max(-365*86400, min(0, rest[0]))) * time.Second
		}},
		"hour_before": before(time.Hour), "day_before": before(day), "week_before": before(7 * day), "month_before": before(28 * day),
		"per_second": per(time.Second), "per_minute": per(time.Minute), "per_hour": per(time.Hour),
		"diff": {all: differences}, "derivative": {all: func(values []float64, step time.Duration) {
			differences(values, step)
			for i := range values {
				values[i] /= step.Seconds()
			}
		}},
		"cumsum": {all: func(values []float64, _ time.Duration) {
			var sum float64
			for i, v := range values {
				if !math.IsNaN(v) {
					sum += v
					values[i] = sum
				}
			}
		}},
	}
}

func differences(values []float64, _ time.Duration) {
	last := math.NaN()
	for i, v := range values {
		values[i], last = v-last, v
	}
}

func (e *evaluation) call(c *Call, w Window) ([]Series, error) {
	f := functions()[c.Func]
	arg := w
	if f.shift != nil {
		by := f.shift(c.Rest)
		arg.From, arg.To = w.From.Add(by), w.To.Add(by)
		if by%w.Step != 0 { // a step that does not divide the shift keeps as many points
			arg.From, arg.To = arg.From.Truncate(w.Step), arg.To.Truncate(w.Step).Add(w.Step)
		}
	}
	list, err := e.eval(c.Arg, arg)
	if err != nil {
		return nil, err
	}
	points, out := len(w.Times()), make([]Series, 0, len(list))
	for _, s := range list {
		values := make([]float64, points)
		for i := range values {
			values[i] = math.NaN()
		}
		copy(values, s.Values)
		for i, v := range values {
			if f.each != nil {
				values[i] = finite(f.each(v, c.Rest))
			}
		}
		if f.all != nil {
			f.all(values, w.Step)
		}
		s.Values = values
		out = append(out, s)
	}
	return out, nil
}

func finite(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}
