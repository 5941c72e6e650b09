package theme

import (
	"fmt"
	"math"
	"testing"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
)

var palettes = map[string]Palette{"dark": Dark, "light": Light, "colour-blind": ColorBlind, "colour-blind light": ColorBlindLight}

// backgrounds are what terminals of a palette's kind commonly have.
func backgrounds(p Palette) []screen.Color {
	if p == Dark || p == ColorBlind {
		return []screen.Color{screen.RGB(0, 0, 0), screen.RGB(0x1e, 0x1e, 0x1e), screen.RGB(0x28, 0x2c, 0x34), screen.RGB(0x00, 0x2b, 0x36)}
	}
	return []screen.Color{screen.RGB(255, 255, 255), screen.RGB(0xfa, 0xfa, 0xfa), screen.RGB(0xfd, 0xf6, 0xe3)}
}

// rgb is a colour in linear light. The 256-colour palette is xterm's, whose upper 240 colours are fixed.
func rgb(t *testing.T, c screen.Color) [3]float64 {
	t.Helper()
	var v [3]int
	n := int(c & 0xff)
	switch {
	case c>>24 == 2:
		v = [3]int{int(c >> 16 & 0xff), int(c >> 8 & 0xff), n}
	case c>>24 == 1 && n >= 232:
		v = [3]int{8 + 10*(n-232), 8 + 10*(n-232), 8 + 10*(n-232)}
	case c>>24 == 1 && n >= 16:
		for i, d := range []int{36, 6, 1} {
			if k := (n - 16) / d % 6; k > 0 {
				v[i] = 55 + 40*k
			}
		}
	default:
		t.Fatalf("nobody knows how colour %x looks", c)
	}
	var out [3]float64
	for i, x := range v {
		f := float64(x) / 255
		if out[i] = f / 12.92; f > 0.04045 {
			out[i] = math.Pow((f+0.055)/1.055, 2.4)
		}
	}
	return out
}

// contrast is WCAG 2's ratio.
func contrast(t *testing.T, a, b screen.Color) float64 {
	t.Helper()
	lum := func(c screen.Color) float64 {
		v := rgb(t, c)
		return 0.2126*v[0] + 0.7152*v[1] + 0.0722*v[2]
	}
	x, y := lum(a), lum(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestTextStandsOutFromItsBackground(t *testing.T) {
	t.Parallel()
	for name, p := range palettes {
		for _, d := range []Depth{TrueColor, ANSI256} {
			th := New(Options{Palette: p, Depth: d})
			for k := range tokenCount {
				st := th.Style(k)
				if k == Border {
					continue // no text
				}
				if st.FG != 0 {
					for _, bg := range backgrounds(p) {
						if c := contrast(t, st.FG, bg); c < 4.5 {
							t.Errorf("%s, depth %d, token %d on %x: %.2f", name, d, k, bg, c)
						}
					}
				}
				for _, focused := range []bool{true, false} {
					if s := th.Selected(st, focused); contrast(t, s.FG, s.BG) < 4.5 {
						t.Errorf("%s, depth %d, token %d, selected %v: %.2f", name, d, k, focused, contrast(t, s.FG, s.BG))
					}
				}
			}
			bars := th.Selected(screen.Style{}, true).BG
			if bars == th.Selected(screen.Style{}, false).BG {
				t.Errorf("%s, depth %d: the bar does not show focus", name, d)
			}
		}
	}
}

// How a deuteranope and a protanope see linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
var sight = map[string][3][3]float64{
	"everybody":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
}

// lab is linear RGB in CIE L*a*b* (D65).
func lab(v [3]float64) [3]float64 {
	f := func(x float64) float64 {
		if x > 216.0/24389 {
			return math.Cbrt(x)
		}
		return (24389.0/27*x + 16) / 116
	}
	x := f((0.4124564*v[0] + 0.3575761*v[1] + 0.1804375*v[2]) / 0.95047)
	y := f(0.2126729*v[0] + 0.7151522*v[1] + 0.0721750*v[2])
	z := f((0.0193339*v[0] + 0.1191920*v[1] + 0.9503041*v[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func TestColourBlindPalettesKeepStatesApart(t *testing.T) {
	t.Parallel()
	states := []Token{OK, Warn, Crit, Busy, Muted}
	for _, p := range []Palette{ColorBlind, ColorBlindLight} {
		for _, d := range []Depth{TrueColor, ANSI256} {
			th := New(Options{Palette: p, Depth: d})
			for who, m := range sight {
				see := func(k Token) [3]float64 {
					v, out := rgb(t, th.Style(k).FG), [3]float64{}
					for i := range out {
						out[i] = min(1, max(0, m[i][0]*v[0]+m[i][1]*v[1]+m[i][2]*v[2]))
					}
					return lab(out)
				}
				for i, a := range states {
					for _, b := range states[:i] {
						x, y := see(a), see(b)
						e := math.Hypot(math.Hypot(x[0]-y[0], x[1]-y[1]), x[2]-y[2])
						if e < 20 {
							t.Errorf("palette %d, depth %d: %s sees tokens %d and %d at a distance of %.1f", p, d, who, a, b, e)
						}
					}
				}
			}
		}
	}
}

func TestGlyphs(t *testing.T) {
	t.Parallel()
	for _, ascii := range []bool{false, true} {
		th := New(Options{ASCII: ascii})
		for g := range glyphCount {
			r, text := th.Rune(g), th.Glyph(g)
			switch {
			case text.String() != string(r) || text.Width() != 1:
				t.Errorf("glyph %d is %q, %d columns", g, text, text.Width())
			case !clean.SureWidth(r):
				t.Errorf("terminals disagree on the width of %q", r)
			case ascii && (r < '!' || r > '~'):
				t.Errorf("%q is not ASCII", r)
			}
		}
		for _, focused := range []bool{true, false} {
			b := th.Border(focused)
			for _, r := range []rune{b.TopLeft, b.TopRight, b.BottomLeft, b.BottomRight, b.Horizontal, b.Vertical} {
				if !clean.SureWidth(r) || clean.RuneWidth(r) != 1 || ascii && r > '~' {
					t.Errorf("border %q", r)
				}
			}
		}
		if th.Border(true) == th.Border(false) {
			t.Error("focus does not show without colour")
		}
	}
}

func TestStatesDifferWithoutColour(t *testing.T) {
	t.Parallel()
	for _, ascii := range []bool{false, true} {
		th := New(Options{Depth: None, ASCII: ascii})
		seen := map[string]sources.State{}
		for _, s := range []sources.State{
			sources.StateUnknown, sources.StateQueued, sources.StateWaiting, sources.StateRunning, sources.StatePassed, sources.StateFailed,
			sources.StateSkipped,
		} {
			g, k := th.State(s)
			key := fmt.Sprint(th.Glyph(g))
			if other, ok := seen[key]; ok {
				t.Errorf("%v and %v both look %s", s, other, key)
			}
			seen[key] = s
			if st := th.Style(k); st.FG != 0 || st.BG != 0 {
				t.Errorf("%v has a colour", s)
			}
		}
	}
	th := New(Options{Depth: None})
	for _, k := range []Token{OK, Warn, Muted, Text, Busy} {
		if th.Style(k) == th.Style(Crit) {
			t.Errorf("token %d looks like crit", k)
		}
	}
}

func TestDepthsUseOnlyTheirColours(t *testing.T) {
	t.Parallel()
	for name, p := range palettes {
		for d := None; d <= TrueColor; d++ {
			th := New(Options{Palette: p, Depth: d})
			for k := range tokenCount {
				for _, s := range []screen.Style{th.Style(k), th.Selected(th.Style(k), true), th.Selected(th.Style(k), false)} {
					for _, c := range []screen.Color{s.FG, s.BG} {
						kind, n := c>>24, c&0xffffff
						ok := c == 0 || d == TrueColor && kind == 2 || d == ANSI256 && kind == 1 && n >= 16 || d == ANSI16 && kind == 1 && n < 16
						if !ok {
							t.Errorf("%s, depth %d, token %d: colour %x", name, d, k, c)
						}
					}
				}
				if d > None && k == Crit && th.Style(k).Attr&screen.Bold == 0 {
					t.Errorf("%s, depth %d: crit does not stand out", name, d)
				}
			}
		}
	}
}

func TestSelectionShowsAtEveryDepth(t *testing.T) {
	t.Parallel()
	for name, p := range palettes {
		for d := None; d <= TrueColor; d++ {
			th := New(Options{Palette: p, Depth: d})
			for k := range tokenCount {
				if s := th.Style(k); th.Selected(s, true) == s {
					t.Errorf("%s, depth %d: token %d looks the same in the row under the cursor", name, d, k)
				}
			}
		}
	}
}

func TestLipRendersAtTheDepth(t *testing.T) {
	t.Parallel()
	for d, want := range map[Depth]string{
		None: "x", ANSI16: "\x1b[1;91mx\x1b[0m", ANSI256: "\x1b[1;38;5;210mx\x1b[0m", TrueColor: "\x1b[1;38;2;255;123;123mx\x1b[0m",
	} {
		if got := New(Options{Depth: d}).Lip(Crit).Render("x"); got != want {
			t.Errorf("depth %d: %q, want %q", d, got, want)
		}
	}
}
