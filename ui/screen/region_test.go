package screen_test

import (
	"strings"
	"testing"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
)

func text(g *screen.Grid) string { return strings.TrimSuffix(g.String(), "\n") }

func TestTextIsClipped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, s string
		x       int
		want    string
		took    int
	}{
		{"inside", "ab", 1, "..[ ab   ]..", 2},
		{"at the right", "abcdef", 3, "..[   abc]..", 3},
		{"at the left", "abcdef", -2, "..[cdef  ]..", 6},
		{"at both", "abcdefghij", -2, "..[cdefgh]..", 8},
		{"beyond", "ab", 6, "..[      ]..", 0},
		{"before", "ab", -5, "..[      ]..", 2},
		{"wide", "日本", 0, "..[日本  ]..", 4},
		{"wide at the right", "a日本語", 0, "..[a日本 ]..", 6},
		{"wide at the left", "日本", -1, "..[ 本   ]..", 4},
		{"marks", "e\u0301x", 0, "..[e\u0301x    ]..", 2},
		{"marks at the edge", "abcdee\u0301\u0302", 0, "..[abcdee\u0301\u0302]..", 6},
		{"marks beyond the edge", "abcdefe\u0301", 0, "..[abcdef]..", 6},
		{"marks before the edge", "e\u0301x", -1, "..[x     ]..", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := screen.NewGrid(12, 1)
			g.Region().Label(0, 0, screen.Style{}, "..[      ]..")
			took := g.Region().Sub(3, 0, 6, 1).Text(c.x, 0, screen.Style{}, clean.Line(c.s))
			if got := text(g); got != c.want || took != c.took {
				t.Errorf("%q took %d, want %q and %d", got, took, c.want, c.took)
			}
		})
	}
}

func TestHalfOfAWideCharacterBecomesBlank(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		draw func(screen.Region)
		want string
	}{
		{"left half", func(r screen.Region) { r.Set(2, 0, screen.Style{}, 'x') }, "日x 語"},
		{"right half", func(r screen.Region) { r.Set(3, 0, screen.Style{}, 'x') }, "日 x語"},
		{"by a wide one", func(r screen.Region) { r.Label(1, 0, screen.Style{}, "中") }, " 中 語"},
		{"by a region", func(r screen.Region) { r.Sub(3, 0, 2, 1).Fill(screen.Style{}) }, "日"},
		{"by a region of one cell", func(r screen.Region) { r.Sub(2, 0, 1, 1).Fill(screen.Style{}) }, "日  語"},
	} {
		g := screen.NewGrid(6, 1)
		g.Region().Label(0, 0, screen.Style{}, "日本語")
		c.draw(g.Region())
		if got := text(g); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRegionsOutsideTheGridTakeEveryCall(t *testing.T) {
	t.Parallel()
	g := screen.NewGrid(4, 2)
	for _, r := range []screen.Region{
		{}, g.Region().Sub(9, 9, 3, 3), g.Region().Sub(0, 0, 0, 5), g.Region().Sub(-5, 0, 3, 3), screen.NewGrid(0, 3).Region(),
		screen.NewGrid(-1, -1).Region(),
	} {
		r.Fill(screen.Style{BG: 1})
		r.Label(0, 0, screen.Style{}, "x")
		r.Set(0, 0, screen.Style{}, 'x')
		r.ANSI(0, 0, "\x1b[31mx")
		r.ShowCursor(0, 0)
		r.Restyle(0, 0, 5, 5, func(screen.Style) screen.Style { t.Error("restyled"); return screen.Style{} })
	}
	if text(g) != "\n" {
		t.Errorf("drew %q", text(g))
	}
	if _, _, ok := g.Cursor(); ok {
		t.Error("the cursor shows")
	}
}

func TestRestyleKeepsText(t *testing.T) {
	t.Parallel()
	g := screen.NewGrid(6, 1)
	r := g.Region()
	r.Label(0, 0, screen.Style{FG: screen.Indexed(1)}, "a日b")
	r.Restyle(0, 0, 2, 1, func(s screen.Style) screen.Style { s.BG = screen.Indexed(4); return s })
	r.Restyle(3, 0, 3, 1, func(s screen.Style) screen.Style { s.Attr |= screen.Reverse; return s })
	want := []screen.Style{
		{FG: screen.Indexed(1), BG: screen.Indexed(4)},
		{FG: screen.Indexed(1)}, // both halves have to be there
		{FG: screen.Indexed(1)},
		{FG: screen.Indexed(1), Attr: screen.Reverse},
		{Attr: screen.Reverse},
		{Attr: screen.Reverse},
	}
	for x, w := range want {
		if got := r.Style(x, 0); got != w {
			t.Errorf("cell %d is %v, want %v", x, got, w)
		}
	}
	if text(g) != "a日b" {
		t.Errorf("it says %q", text(g))
	}
}

func TestANSI(t *testing.T) {
	t.Parallel()
	red := screen.Style{FG: screen.Indexed(1)}
	for _, c := range []struct {
		name, in, text string
		styles         []screen.Style
	}{
		{"plain", "ab", "ab", []screen.Style{{}, {}}},
		{"colour", "\x1b[31mab\x1b[mc", "abc", []screen.Style{red, red, {}}},
		{"bright", "\x1b[91;102ma", "a", []screen.Style{{FG: screen.Indexed(9), BG: screen.Indexed(10)}}},
		{"256", "\x1b[38;5;200ma", "a", []screen.Style{{FG: screen.Indexed(200)}}},
		{"rgb", "\x1b[48;2;1;2;3ma", "a", []screen.Style{{BG: screen.RGB(1, 2, 3)}}},
		{"colons", "\x1b[38:5:200ma", "a", []screen.Style{{FG: screen.Indexed(200)}}},
		{"attributes", "\x1b[1;2;3;4;7;9ma\x1b[22;24mb", "ab", []screen.Style{
			{Attr: screen.Bold | screen.Dim | screen.Italic | screen.Underline | screen.Reverse | screen.Strike},
			{Attr: screen.Italic | screen.Reverse | screen.Strike},
		}},
		{"underline colour is skipped", "\x1b[58;5;1;31ma", "a", []screen.Style{red}},
		{"cut short", "\x1b[38;5ma\x1b[38;2;1mb\x1b[38mc\x1b[;;mb", "abcb", []screen.Style{{}, {}, {}, {}}},
		{"huge", "\x1b[99999999999999999999999ma", "a", []screen.Style{{}}},
		{"unterminated", "a\x1b[31", "a", []screen.Style{{}}},
		{"other sequences", "a\x1b[2J\x1b]0;t\x07\x1b[5;5Hb", "ab", []screen.Style{{}, {}}},
		{"wide", "\x1b[31m日\x1b[mx", "日x", []screen.Style{red, red, {}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := screen.NewGrid(20, 1)
			took := g.Region().ANSI(0, 0, c.in)
			if text(g) != c.text || took != len(c.styles) {
				t.Errorf("%q of %d columns, want %q of %d", text(g), took, c.text, len(c.styles))
			}
			for x, w := range c.styles {
				if got := g.Region().Style(x, 0); got != w {
					t.Errorf("cell %d is %v, want %v", x, got, w)
				}
			}
		})
	}
}

func TestANSIKeepsTheBackground(t *testing.T) {
	t.Parallel()
	g := screen.NewGrid(5, 1)
	g.Region().Fill(screen.Style{BG: screen.Indexed(4)})
	g.Region().ANSI(-1, 0, "xa\x1b[41mb")
	for x, want := range []screen.Color{screen.Indexed(4), screen.Indexed(1), screen.Indexed(4)} {
		if got := g.Region().Style(x, 0).BG; got != want {
			t.Errorf("cell %d has background %x, want %x", x, got, want)
		}
	}
}

func TestSetOfWhatHasNoWidthIsBlank(t *testing.T) {
	t.Parallel()
	g := screen.NewGrid(3, 1)
	for x, r := range []rune{0x1b, 0x301, '\n'} {
		g.Region().Label(x, 0, screen.Style{}, "x")
		g.Region().Set(x, 0, screen.Style{}, r)
	}
	if text(g) != "" {
		t.Errorf("drew %q", text(g))
	}
	g.Region().Set(2, 0, screen.Style{}, '日')
	if text(g) != "" {
		t.Errorf("drew %q over the edge", text(g))
	}
}

// FuzzRegion draws any text into a region in the middle of a full grid, and takes the grid to a terminal.
func FuzzRegion(f *testing.F) {
	for _, s := range []string{
		"plain", "\x1b]0;title\x07\x1b[2J", "\x1b]52;c;eA==\x07", "\x1b[?25h\x1b[?1049l", "日本語日本語", "e\u0301\u0302\u0303", "\u202eabc",
		"👩\u200d👩\u200d👧\ufe0f", "\x9b5n", "a\tb\nc", "\x1b[38;5;1m日\x1b[4mx", strings.Repeat("\u0301", 99), "🇩🇪🇩", "\ufdfa\U0001242b",
	} {
		f.Add(s, -1, 0)
		f.Add(s, 3, 1)
	}
	f.Fuzz(func(t *testing.T, s string, x, y int) {
		g := screen.NewGrid(20, 5)
		all := g.Region()
		for row := range 5 {
			all.Label(0, row, screen.Style{FG: screen.Indexed(2)}, "####################")
		}
		all.ShowCursor(0, 0)
		r := all.Sub(5, 1, 10, 3)
		r.Fill(screen.Style{})
		term := newTerminal(20, 5, true)
		term.show(t, g)

		modes := term.Modes()
		for _, draw := range []func(){
			func() { r.Text(x%12, y%4, screen.Style{Attr: screen.Bold}, clean.Line(s)) },
			func() { r.ANSI(x%12, y%4, s) },
			func() {
				for i, l := range clean.Lines(s) {
					r.Text(0, i%3, screen.Style{}, l)
				}
			},
		} {
			draw()
			term.show(t, g)
			for row := range 5 {
				for col := range 20 {
					inside := col >= 5 && col < 15 && row >= 1 && row < 4
					if c := term.Cell(col, row); !inside && (c.Text != "#" || c.Style != (screen.Style{FG: screen.Indexed(2)})) {
						t.Fatalf("%q changed cell %d,%d outside its region: %+v", s, col, row, c)
					}
				}
			}
			if term.Title() != "" || len(term.Clipboard()) > 0 || len(term.Queries()) > 0 || term.Bells() > 0 || !term.Alternate() {
				t.Fatalf("%q reached the terminal: title %q, clipboard %q, queries %q", s, term.Title(), term.Clipboard(), term.Queries())
			}
			now := term.Modes()
			if len(now) != len(modes) {
				t.Fatalf("%q changed modes: %v, were %v", s, now, modes)
			}
		}
	})
}
