package chart_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/ui/chart"
	"example.com/signalbox/ui/screen"
)

var nan, inf = math.NaN(), math.Inf(1)

// epoch is a moment that every length of columns in these tests divides.
var epoch = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func look(ascii bool) chart.Look {
	return chart.Look{Line: screen.Style{FG: screen.Indexed(1)}, Over: screen.Style{FG: screen.Indexed(2)}, Faint: screen.Style{FG: screen.Indexed(3)},
		Limit: screen.Style{FG: screen.Indexed(4)}, Mark: screen.Style{FG: screen.Indexed(5)}, ASCII: ascii}
}

// slots are values, one a slot.
func slots(values ...float64) []chart.Slot {
	out := make([]chart.Slot, len(values))
	for i, v := range values {
		out[i] = chart.Slot{Lo: v, Hi: v}
	}
	return out
}

func draw(l chart.Line, w, h int) string {
	g := screen.NewGrid(w, h)
	l.Draw(g.Region())
	return strings.TrimSuffix(g.String(), "\n")
}

func TestLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		line chart.Line
		w, h int
		want string
	}{
		{"a slope", chart.Line{Slots: slots(0, 1, 2, 3, 4, 5, 6, 7), Scale: chart.Scale{Hi: 7}, Limit: nan}, 4, 2, "  ⡠⠊\n⡠⠊"},
		{"a step is joined", chart.Line{Slots: slots(0, 0, 7, 7), Scale: chart.Scale{Hi: 7}, Limit: nan}, 2, 2, " ⡏\n⣸"},
		{"a gap is a gap", chart.Line{Slots: slots(3, 3, nan, nan, 3, 3), Scale: chart.Scale{Hi: 3}, Limit: nan}, 3, 1, "⠉ ⠉"},
		{"one point is a dot", chart.Line{Slots: slots(nan, 2, nan, nan), Scale: chart.Scale{Hi: 3}, Limit: nan}, 2, 1, "⠐"},
		{"nothing but gaps", chart.Line{Slots: slots(nan, nan), Scale: chart.Scale{Hi: 1}, Limit: nan}, 1, 1, ""},
		{"infinities are at the edges", chart.Line{Slots: slots(inf, nan, -inf, nan), Scale: chart.Scale{Hi: 1}, Limit: nan}, 2, 2, "⠁\n ⡀"},
		{"the limit", chart.Line{Slots: slots(0, 0, 0, 0), Scale: chart.Scale{Hi: 4}, Limit: 3}, 2, 2, "╌╌\n⣀⣀"},
		{"a limit beyond the scale", chart.Line{Slots: slots(0, 0), Scale: chart.Scale{Hi: 4}, Limit: 40}, 1, 2, "\n⣀"},
		{"a sparkline has no limit", chart.Line{Slots: slots(0, 0, nan, nan), Scale: chart.Scale{Hi: 4}, Limit: 3}, 2, 1, "⣀"},
		{"markers stand behind the line", chart.Line{Slots: slots(0, 0, 0, 0), Scale: chart.Scale{Hi: 4}, Limit: 3, Marks: []int{1, 9, -1}}, 2, 2, "╌┊\n⣀⣀"},
		{"a faint line", chart.Line{Slots: slots(0, 0, 0, 0), Faint: slots(4, 4, 4, 4), Scale: chart.Scale{Hi: 4}, Limit: 3.5}, 2, 2, "╌⠉\n⣀⣀"},
		{"a range", chart.Line{Slots: []chart.Slot{{Lo: 0, Hi: 7}, {Lo: 2, Hi: 2}}, Scale: chart.Scale{Hi: 7}, Limit: nan}, 1, 2, "⡇\n⡗"},
		{"too few slots", chart.Line{Slots: slots(0), Scale: chart.Scale{Hi: 1}, Limit: nan}, 3, 1, "⡀"},
		{"no scale", chart.Line{Slots: slots(5, 6), Limit: nan}, 1, 1, "⣀"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := draw(c.line, c.w, c.h); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestASCII(t *testing.T) {
	t.Parallel()
	l := chart.Line{Slots: slots(0, 0, 2, 2, 3, 3, 0, 0, nan, nan), Faint: slots(nan, nan, nan, nan, nan, nan, nan, nan, 3, 3), Scale: chart.Scale{Hi: 3}, Limit: nan,
		Marks: []int{5}, Look: look(true)}
	if got, want := draw(l, 6, 1), "_-'_,:"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	l.Slots, l.Limit = slots(0, 3, nan, nan), 2.9
	if got, want := draw(l, 6, 2), "|....:\n|    :"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWhatIsWorseThanTheLimitLooksSo(t *testing.T) {
	t.Parallel()
	for _, below := range []bool{false, true} {
		l := chart.Line{Slots: slots(1, 1, 9, 9), Scale: chart.Scale{Hi: 10}, Limit: 5, Below: below, Look: look(false)}
		g := screen.NewGrid(2, 4)
		l.Draw(g.Region())
		low, high := g.Cell(0, 3).Style, g.Cell(1, 0).Style
		if (low == l.Look.Over) != below || (high == l.Look.Over) == below {
			t.Errorf("below %v: the low part looks %v, the high one %v", below, low, high)
		}
	}
}

// Whatever the numbers and the size, no cell outside the region changes, and nothing but dots, limit and
// markers is inside.
func TestAnyNumbersAnySize(t *testing.T) {
	t.Parallel()
	p := rand.New(rand.NewPCG(3, 5))
	odd := []float64{nan, inf, -inf, 0, 1, -1, 5e-324, -5e-324, math.MaxFloat64, -math.MaxFloat64, 1e-310, 99.95, 1e15, 1e15 + 1}
	number := func() float64 {
		if p.IntN(2) == 0 {
			return odd[p.IntN(len(odd))]
		}
		return p.NormFloat64() * math.Pow(10, float64(p.IntN(40)-20))
	}
	for range 4000 {
		w, h := p.IntN(30), p.IntN(9)
		values := make([]chart.Slot, p.IntN(2*w+4))
		for i := range values {
			a, b := number(), number()
			values[i] = chart.Slot{Lo: min(a, b), Hi: max(a, b)}
		}
		lo, hi := chart.Extent(values)
		l := chart.Line{Slots: values, Limit: number(), Below: p.IntN(2) == 0, Marks: []int{p.IntN(40) - 5}, Look: look(p.IntN(2) == 0)}
		l.Scale = chart.Fit(lo, hi, l.Limit)
		if !(l.Scale.Lo < l.Scale.Hi) || math.IsInf(l.Scale.Hi-l.Scale.Lo, 0) {
			t.Fatalf("Fit(%g, %g, %g) = %v", lo, hi, l.Limit, l.Scale)
		}
		if len(values) > 3 {
			l.Faint = values[2:]
		}
		g := screen.NewGrid(w+4, h+2)
		l.Draw(g.Region().Sub(2, 1, w, h))
		for y := range h + 2 {
			for x := range w + 4 {
				inside := x >= 2 && x < w+2 && y >= 1 && y < h+1
				if c := g.Cell(x, y); c.Text != " " && (!inside || !drawable(c.Text)) {
					t.Fatalf("%dx%d: cell %d,%d shows %q", w, h, x-2, y-1, c.Text)
				}
			}
		}
	}
}

func drawable(s string) bool {
	r := []rune(s)[0]
	return r > 0x2800 && r < 0x2900 || strings.ContainsRune("╌┊.:,_-'|", r)
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lo, hi, near float64
		want         chart.Scale
	}{
		{0.2, 4.1, nan, chart.Scale{Lo: 0, Hi: 5}},
		{0.2, 4.1, 2, chart.Scale{Lo: 0, Hi: 5}},
		{0.1, 0.2, 2, chart.Scale{Lo: 0, Hi: 0.2}},         // the limit is far off
		{0.9, 1.1, 2, chart.Scale{Lo: 0, Hi: 2}},           // and here it is not
		{301, 912, 300, chart.Scale{Lo: 0, Hi: 1000}},      // the distance to zero tells how bad it is
		{1200, 1250, nan, chart.Scale{Lo: 1000, Hi: 1400}}, // a steady number is no upheaval
		{99.91, 99.99, 99.9, chart.Scale{Lo: 99.9, Hi: 100}},
		{5, 5, nan, chart.Scale{Lo: 4.25, Hi: 5.75}},
		{0, 0, nan, chart.Scale{Lo: 0, Hi: 1}},
		{0, 0, 30, chart.Scale{Lo: 0, Hi: 1}},
		{-3, 4, nan, chart.Scale{Lo: -4, Hi: 4}},
		{-4, -3, nan, chart.Scale{Lo: -4, Hi: 0}},
		{-100, -99, nan, chart.Scale{Lo: -115, Hi: -85}},
		{inf, -inf, nan, chart.Scale{Lo: 0, Hi: 1}},
		{inf, -inf, 40, chart.Scale{Lo: 34, Hi: 46}},
		{-inf, inf, nan, chart.Scale{Lo: 0, Hi: 1}},
	} {
		got := chart.Fit(c.lo, c.hi, c.near)
		if math.Abs(got.Lo-c.want.Lo) > 1e-9 || math.Abs(got.Hi-c.want.Hi) > 1e-9 {
			t.Errorf("Fit(%v, %v, %v) = %v, want %v", c.lo, c.hi, c.near, got, c.want)
		}
	}
}

func TestAScaleStaysWhileItDoes(t *testing.T) {
	t.Parallel()
	before := chart.Scale{Lo: 0, Hi: 10}
	for _, c := range []struct {
		now  chart.Scale
		kept bool
	}{
		{chart.Scale{Lo: 0, Hi: 8}, true}, {chart.Scale{Lo: 0, Hi: 10}, true}, {chart.Scale{Lo: 0, Hi: 2}, false},
		{chart.Scale{Lo: 0, Hi: 12}, false}, {chart.Scale{Lo: 4, Hi: 10}, false},
	} {
		if got := c.now.After(before); (got == before) != c.kept {
			t.Errorf("%v after %v is %v", c.now, before, got)
		}
	}
	if got := (chart.Scale{Lo: 0, Hi: 1}).After(chart.Scale{}); got != (chart.Scale{Lo: 0, Hi: 1}) {
		t.Errorf("after nothing it is %v", got)
	}
}

// at are points a minute apart that begin at epoch.
func at(values ...float64) (int, func(int) (time.Time, float64)) {
	return len(values), func(i int) (time.Time, float64) { return epoch.Add(time.Duration(i) * time.Minute), values[i] }
}

func TestResample(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	for _, c := range []struct {
		name   string
		w      chart.Window
		apart  time.Duration
		values []float64
		want   string
	}{
		{"one a slot", chart.Window{From: epoch, Slot: m, N: 4}, m, []float64{1, 2, 3, 4}, "1 2 3 4"},
		{"a spike stays", chart.Window{From: epoch, Slot: 3 * m, N: 2}, m, []float64{1, 9, 1, 1, 1, 0}, "1-9 0-1"},
		{"neighbours are joined", chart.Window{From: epoch, Slot: m / 2, N: 5}, m, []float64{1, 3, 3}, "1 2.5 3 3 3"},
		{"a gap is not", chart.Window{From: epoch, Slot: m / 2, N: 7}, m, []float64{1, nan, 3, 3}, "1 . . . 3 3 3"},
		{"what lies too far apart is not", chart.Window{From: epoch, Slot: m / 2, N: 3}, m / 2, []float64{1, 3}, "1 . 3"},
		{"the line into the window", chart.Window{From: epoch.Add(m / 2), Slot: m / 4, N: 3}, m, []float64{0, 8}, "5 7 8"},
		{"the line out of the window", chart.Window{From: epoch, Slot: m / 4, N: 2}, m, []float64{0, 8}, "0 3"},
		{"infinities stay", chart.Window{From: epoch, Slot: m / 2, N: 3}, m, []float64{inf, 1}, "+Inf . 1"},
		{"nothing", chart.Window{From: epoch, Slot: m, N: 2}, m, nil, ". ."},
		{"no window", chart.Window{From: epoch, Slot: m}, m, []float64{1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, point := at(c.values...)
			var got []string
			for _, s := range chart.Resample(nil, c.w, c.apart, n, point) {
				switch {
				case s.Empty():
					got = append(got, ".")
				case s.Lo == s.Hi:
					got = append(got, fmt.Sprint(s.Lo))
				default:
					got = append(got, fmt.Sprintf("%v-%v", s.Lo, s.Hi))
				}
			}
			if g := strings.Join(got, " "); g != c.want {
				t.Errorf("got %s, want %s", g, c.want)
			}
		})
	}
}

// A chart must not move with every refresh: columns begin at multiples of their length.
func TestAWindowMovesByColumns(t *testing.T) {
	t.Parallel()
	w := chart.WindowOf(epoch.Add(59*time.Second), time.Hour, 60)
	if w != chart.WindowOf(epoch, time.Hour, 60) {
		t.Error("the window moved within a column")
	}
	if !w.To().Equal(epoch.Add(time.Minute)) || w.N != 120 {
		t.Errorf("the window ends at %v and has %d slots", w.To(), w.N)
	}
	if x, ok := w.Column(epoch); !ok || x != 59 {
		t.Errorf("now is in column %d, %v", x, ok)
	}
	for _, out := range []time.Time{epoch.Add(time.Minute), epoch.Add(-time.Hour)} {
		if x, ok := w.Column(out); ok {
			t.Errorf("%v is in column %d", out, x)
		}
	}
	if x, _ := w.Column(w.At(7)); x != 7 {
		t.Errorf("the middle of column 7 is in column %d", x)
	}
	if e := chart.WindowOf(epoch, 0, 5); e.N != 0 {
		t.Errorf("a window of no time has %d slots", e.N)
	}
}

func BenchmarkDraw(b *testing.B) {
	values := make([]float64, 1440)
	for i := range values {
		values[i] = 3 + math.Sin(float64(i)/20)
	}
	n, point := at(values...)
	w := chart.WindowOf(epoch.Add(24*time.Hour), 24*time.Hour, 82)
	s := chart.Resample(nil, w, time.Minute, n, point)
	b.Run("draw 82x4", func(b *testing.B) {
		g := screen.NewGrid(82, 4)
		l := chart.Line{Slots: s, Scale: chart.Scale{Hi: 5}, Limit: 2, Look: look(false)}
		b.ReportAllocs()
		for b.Loop() {
			l.Draw(g.Region())
		}
	})
	b.Run("resample 1440", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s = chart.Resample(s, w, time.Minute, n, point)
		}
	})
}
