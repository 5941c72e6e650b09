package chart_test

import (
	"math"
	"strconv"
	"testing"
	"time"
	_ "time/tzdata" // as the program has it

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/chart"
	"example.com/signalbox/ui/screen"
)

func TestValueAxis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scale chart.Scale
		w, h  int
		want  string
	}{
		{chart.Scale{Hi: 5}, 3, 6, "  5\n\n2.5\n\n\n  0\n"},
		{chart.Scale{Hi: 4}, 3, 8, "  4\n\n\n  2\n\n\n\n  0\n"},
		{chart.Scale{Lo: -4, Hi: 4}, 2, 5, " 4\n\n\n\n-4\n"},
		{chart.Scale{Hi: 4}, 3, 1, "  4\n"},
		{chart.Scale{}, 3, 2, "\n\n"},
	} {
		g := screen.NewGrid(c.w, c.h)
		chart.Values(g.Region(), c.scale, screen.Style{}, func(v float64) clean.Text { return clean.Line(strconv.FormatFloat(v, 'g', 3, 64)) })
		if got := g.String(); got != c.want {
			t.Errorf("%v in %dx%d: got\n%q\nwant\n%q", c.scale, c.w, c.h, got, c.want)
		}
	}
}

func TestTimeAxis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		span  time.Duration
		width int
		want  string
	}{
		{time.Hour, 60, "     01:50     02:00     02:10     02:20     02:30     02:40\n"},
		{24 * time.Hour, 48, "      06:00       12:00       18:00       00:00\n"},
		{7 * 24 * time.Hour, 70, "        15 Nov    16 Nov    17 Nov    18 Nov    19 Nov    20 Nov\n"},
		{time.Hour, 4, "\n"},
	} {
		w := chart.WindowOf(epoch.Add(2*time.Hour+44*time.Minute), c.span, c.width)
		g := screen.NewGrid(c.width, 1)
		chart.Times(g.Region(), w, time.UTC, screen.Style{})
		if got := g.String(); got != c.want {
			t.Errorf("%v: got %q, want %q", c.span, got, c.want)
		}
	}
}

// A day of 25 hours has its labels at the times of the clock.
func TestTimesFollowTheClock(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	w := chart.WindowOf(time.Date(2026, 10, 27, 12, 0, 0, 0, zone), 7*24*time.Hour, 84)
	g := screen.NewGrid(84, 1)
	chart.Times(g.Region(), w, zone, screen.Style{})
	if got, want := g.String(), "     21 Oct      22 Oct      23 Oct      24 Oct      25 Oct      26 Oct      27 Oct\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestTicksStayInside(t *testing.T) {
	t.Parallel()
	for _, s := range []chart.Scale{{Hi: 1}, {Lo: -7, Hi: 3}, {Hi: 1e300}, {Lo: 99.9, Hi: 100}, {Hi: 1e-299}, {Lo: 1, Hi: 1}, {Lo: 2, Hi: 1}, {Hi: math.Inf(1)}, {Hi: math.NaN()}} {
		for n := range 9 {
			ticks := s.Ticks(n)
			if len(ticks) > n {
				t.Errorf("%v: %d ticks, want at most %d", s, len(ticks), n)
			}
			for _, v := range ticks {
				if v < s.Lo-1e-9 || v > s.Hi*(1+1e-9) {
					t.Errorf("%v: a tick at %v", s, v)
				}
			}
		}
	}
}
