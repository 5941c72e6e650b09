package screen_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/uitest/vt"
)

// terminal is an emulator and the writer that feeds it.
type terminal struct {
	*vt.Terminal
	w     *screen.Writer
	meter vt.Meter
	bytes int // of all frames
	min   int // the fewest that they would have needed
}

func newTerminal(w, h int, eraseColor bool) *terminal {
	t := &terminal{Terminal: vt.New(w, h), w: screen.NewWriter(eraseColor)}
	_, _ = t.Write([]byte("\x1b[?1049h\x1b[2J\x1b[?7l\x1b[?25l"))
	t.w.Cleared()
	return t
}

// show writes a frame and fails the test when the terminal shows something else afterwards.
func (t *terminal) show(tb testing.TB, g *screen.Grid) {
	tb.Helper()
	before := t.Rows()
	b := t.w.Frame(g)
	_, _ = t.Write(b)
	after := t.Rows()
	if len(before) == len(after) && len(before[0]) == len(after[0]) {
		t.bytes += len(b)
		t.min += t.meter.Min(before, after)
	}
	if diff := differs(t.Terminal, g); diff != "" {
		tb.Fatalf("after %q: %s", b, diff)
	}
	if u := t.Unknown(); len(u) > 0 {
		tb.Fatalf("unknown sequences: %q", u)
	}
	if t.Scrolled() > 0 {
		tb.Fatal("it scrolled")
	}
}

// differs says where the terminal shows something else than g; "" when it does not.
func differs(t *vt.Terminal, g *screen.Grid) string {
	w, h := g.Size()
	if tw, th := t.Size(); tw != w || th != h {
		return fmt.Sprintf("the terminal is %dx%d, the grid %dx%d", tw, th, w, h)
	}
	for y := range h {
		for x := range w {
			got, want := t.Cell(x, y), g.Cell(x, y)
			if want.Text == "" {
				want.Style, got.Style = screen.Style{}, screen.Style{}
			}
			if got.Text != want.Text || seen(got.Text, got.Style) != seen(want.Text, want.Style) {
				return fmt.Sprintf("cell %d,%d shows %q %v, want %q %v", x, y, got.Text, got.Style, want.Text, want.Style)
			}
		}
	}
	gx, gy, on := g.Cursor()
	x, y, shown := t.Cursor()
	if on != shown || on && (x != gx || y != gy) {
		return fmt.Sprintf("cursor %v at %d,%d, want %v at %d,%d", shown, x, y, on, gx, gy)
	}
	return ""
}

// seen is what of a style can be seen on a character.
func seen(text string, s screen.Style) screen.Style {
	const onBlanks = screen.Underline | screen.Reverse | screen.Strike
	if text == " " && s.Attr&onBlanks == 0 {
		return screen.Style{BG: s.BG}
	}
	return s
}

// painter draws random things.
type painter struct {
	*rand.Rand
	words []string
}

func newPainter(seed uint64, words ...string) *painter {
	return &painter{rand.New(rand.NewPCG(seed, seed)), words}
}

var plainWords = []string{
	"checkout", "passed", "failed", "v1.9.2", "3m12s", " ", "   ", "──────", "│", "▰▰▱▱", "⢀⡠⠔⠊⠉", "déjà vu", "●", "✓ ok", "→", "0",
}

var doubtfulWords = append([]string{"日本語", "語", "🚀 ship", "e\u0301a\u0323\u0302", "❤", "ｆｕｌｌ", "שלום", "한국"}, plainWords...)

func (p *painter) style() screen.Style {
	colour := func() screen.Color {
		switch p.IntN(6) {
		case 0:
			return screen.Indexed(uint8(p.IntN(16)))
		case 1:
			return screen.Indexed(uint8(p.IntN(256)))
		case 2:
			return screen.RGB(uint8(p.IntN(256)), uint8(p.IntN(256)), uint8(p.IntN(256)))
		}
		return 0
	}
	st := screen.Style{FG: colour()}
	if p.IntN(4) == 0 {
		st.BG = colour()
	}
	if p.IntN(3) == 0 {
		st.Attr = screen.Attr(p.IntN(64))
	}
	return st
}

func (p *painter) scribble(g *screen.Grid) {
	w, h := g.Size()
	all := g.Region()
	for range 1 + p.IntN(6) {
		r := all.Sub(p.IntN(w+4)-4, p.IntN(h+2)-2, 1+p.IntN(w), 1+p.IntN(h))
		rw, rh := r.Size()
		if rw == 0 {
			continue
		}
		switch p.IntN(8) {
		case 0:
			if p.IntN(4) == 0 {
				r.Fill(p.style())
			} else {
				r.Sub(0, 0, 3, 2).Fill(screen.Style{})
			}
		case 1:
			st := p.style()
			r.Restyle(p.IntN(rw), p.IntN(rh), 1+p.IntN(rw), 1, func(s screen.Style) screen.Style { s.BG = st.BG; s.Attr ^= st.Attr; return s })
		case 2:
			r.Set(p.IntN(rw), p.IntN(rh), p.style(), []rune(p.words[p.IntN(len(p.words))])[0])
		case 3:
			g.HideCursor()
			if p.IntN(2) == 0 {
				r.ShowCursor(p.IntN(rw), p.IntN(rh))
			}
		default:
			x := p.IntN(rw+6) - 6
			for range 1 + p.IntN(3) {
				x += r.Text(x, p.IntN(rh), p.style(), clean.Line(p.words[p.IntN(len(p.words))]))
			}
		}
	}
}

func TestFramesArriveOnTheTerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		words      []string
		eraseColor bool
		limit      float64
	}{
		{"plain", plainWords, true, 1.2},
		{"plain, no colour on erase", plainWords, false, 1.2},
		{"doubtful widths", doubtfulWords, true, 1.2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPainter(7, c.words...)
			g := screen.NewGrid(40, 12)
			term := newTerminal(40, 12, c.eraseColor)
			for i := range 3000 {
				if i%50 == 49 {
					w, h := 1+p.IntN(70), 1+p.IntN(24)
					g.Resize(w, h)
					term.Resize(w, h)
				}
				p.scribble(g)
				term.show(t, g)
			}
			ratio := float64(term.bytes) / float64(term.min)
			t.Logf("%d bytes, %.3f × min", term.bytes, ratio)
			if ratio > c.limit {
				t.Errorf("%.3f × min, want at most %v", ratio, c.limit)
			}
		})
	}
}

// A terminal with another opinion of a character's width shows that character wrongly, and nothing else.
func TestDoubtfulWidthsHarmOnlyThemselves(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]func(rune) int{
		"emoji are narrow": func(r rune) int {
			if !clean.SureWidth(r) && clean.RuneWidth(r) == 2 {
				return 1
			}
			return clean.RuneWidth(r)
		},
		"symbols are wide": func(r rune) int {
			if !clean.SureWidth(r) && clean.RuneWidth(r) == 1 {
				return 2
			}
			return clean.RuneWidth(r)
		},
		"marks take a column": func(r rune) int { return max(1, clean.RuneWidth(r)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPainter(11, doubtfulWords...)
			g := screen.NewGrid(30, 8)
			term := newTerminal(30, 8, true)
			term.Width = width
			for range 1000 {
				p.scribble(g)
				for y := range 8 { // a pane's border
					g.Region().Set(29, y, screen.Style{}, '|')
				}
				_, _ = term.Write(term.w.Frame(g))
				for y := range 8 {
					for x := range 30 {
						want, got := g.Cell(x, y), term.Cell(x, y)
						doubtful := want.Text == "" || len([]rune(want.Text)) > 1 || !clean.SureWidth([]rune(want.Text)[0])
						if !doubtful && got.Text != want.Text {
							t.Fatalf("cell %d,%d shows %q, want %q", x, y, got.Text, want.Text)
						}
					}
				}
			}
		})
	}
}
