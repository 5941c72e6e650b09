package chart

import (
	"math"
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
)

// Ticks are values of s at nice numbers, the highest first, at most n of them and at least its two ends
// where n allows.
func (s Scale) Ticks(n int) []float64 {
	span := s.Hi - s.Lo
	if n <= 0 || !(span > 0) || math.IsInf(span, 0) {
		return nil
	}
	if n == 1 {
		return []float64{s.Hi}
	}
	step := nice(span / float64(n-1))
	var out []float64
	for k := math.Floor(s.Hi / step * (1 + 1e-12)); len(out) < n; k-- {
		v := k * step
		if !(v >= s.Lo-step*1e-9) {
			break
		}
		out = append(out, v)
	}
	if len(out) < 2 {
		return []float64{s.Hi, s.Lo}
	}
	return out
}

// Row is the row of a chart h rows high that v stands in.
func (s Scale) Row(v float64, h int) int { return h - 1 - s.dot(v, 4*h)/4 }

// mostLabels is how many labels a value axis has at most.
const mostLabels = 8

// Values draws the labels of a value axis at the right edge of r, which stands left of a chart as high as
// it. Labels that would stand in one row are left out, the upper one stays.
func Values(r screen.Region, s Scale, st screen.Style, label func(float64) clean.Text) {
	w, h := r.Size()
	used := -1
	for _, v := range s.Ticks(min(h, mostLabels, max(2, (h+1)/2))) {
		y := s.Row(v, h)
		if y == used {
			continue
		}
		used = y
		t := label(v).Cut(w, clean.Text{})
		r.Text(w-t.Width(), y, st, t)
	}
}

// leastApart is the columns that two labels of a time axis keep between them.
const leastApart = 4

// Times draws the labels of a time axis in the first line of r, at round times, each below the column that
// it begins in. A label that would not fit whole is left out.
func Times(r screen.Region, w Window, zone *time.Location, st screen.Style) {
	width, _ := r.Size()
	step, layout := timeStep(time.Duration(w.N)*w.Slot, width/(len("15:04")+leastApart))
	if step <= 0 {
		return
	}
	free := 0
	for t := midnight(w.From.In(zone)); t.Before(w.To()); t = next(t, step) {
		x, ok := w.Column(t)
		label := clean.Line(t.Format(layout))
		if !ok || x < free || x+label.Width() > width {
			continue
		}
		free = x + r.Text(x, 0, st, label) + leastApart
	}
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// next is step after t; days are days of the calendar, whatever their length.
func next(t time.Time, step time.Duration) time.Time {
	const day = 24 * time.Hour
	if step%day == 0 {
		return t.AddDate(0, 0, int(step/day))
	}
	return t.Add(step)
}

// timeStep is the distance of at most n labels over span, and how they are written.
func timeStep(span time.Duration, n int) (time.Duration, string) {
	if n <= 0 {
		return 0, ""
	}
	const day = 24 * time.Hour
	for _, step := range [...]time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day} {
		if step*time.Duration(n) < span {
			continue
		}
		if step >= day {
			return step, "2 Jan"
		}
		return step, "15:04"
	}
	return 0, ""
}
