package screen_test

import (
	"fmt"
	"testing"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// board is four panes side by side and below each other, with charts, ages and a row under the cursor.
type board struct {
	th       *theme.Theme
	selected int
	tick     int
}

func (b *board) draw(g *screen.Grid) {
	w, h := g.Size()
	all := g.Region()
	all.Fill(screen.Style{})
	all.Label(1, 0, b.th.Style(theme.Strong), "signalbox")
	all.Text(w-10, 0, b.th.Style(theme.Muted), clean.Linef("02:%02d UTC", b.tick/60%60))
	for i, r := range []screen.Region{
		all.Sub(0, 1, w/2, (h-2)/2), all.Sub(w/2, 1, w-w/2, (h-2)/2),
		all.Sub(0, 1+(h-2)/2, w/2, h-2-(h-2)/2), all.Sub(w/2, 1+(h-2)/2, w-w/2, h-2-(h-2)/2),
	} {
		inner := b.frame(r, i == 2)
		if i == 1 {
			b.chart(inner)
		} else {
			b.list(inner, i == 2)
		}
	}
	all.Label(1, h-1, b.th.Style(theme.KeyHint), "a")
	all.Label(3, h-1, b.th.Style(theme.Muted), "ack   ⏎ open   / filter")
}

func (b *board) frame(r screen.Region, focused bool) screen.Region {
	w, h := r.Size()
	token := theme.Border
	if focused {
		token = theme.BorderFocused
	}
	st, box := b.th.Style(token), b.th.Border(focused)
	for x := 1; x < w-1; x++ {
		r.Set(x, 0, st, box.Horizontal)
		r.Set(x, h-1, st, box.Horizontal)
	}
	for y := 1; y < h-1; y++ {
		r.Set(0, y, st, box.Vertical)
		r.Set(w-1, y, st, box.Vertical)
	}
	r.Set(0, 0, st, box.TopLeft)
	r.Set(w-1, 0, st, box.TopRight)
	r.Set(0, h-1, st, box.BottomLeft)
	r.Set(w-1, h-1, st, box.BottomRight)
	r.Label(3, 0, b.th.Style(theme.Title), " Pipelines ")
	return r.Sub(1, 1, w-2, h-2)
}

func (b *board) list(r screen.Region, focused bool) {
	w, h := r.Size()
	for y := range h {
		glyph, token := theme.GlyphOK, theme.OK
		if y%7 == 3 {
			glyph, token = theme.GlyphFailed, theme.Crit
		}
		x := 1 + r.Text(1, y, b.th.Style(token), b.th.Glyph(glyph))
		x += 1 + r.Text(x+1, y, b.th.Style(theme.Strong), clean.Linef("service-%02d", y))
		x += 1 + r.Text(x+1, y, b.th.Style(theme.Muted), clean.Const("main"))
		r.Text(x+1, y, b.th.Style(theme.Text), clean.Linef("%07x Retry card tokens %d", y*7919, y))
		r.Text(w-8, y, b.th.Style(theme.Muted), clean.Linef("%3dm%02ds", (b.tick+y)/60, (b.tick*(1-min(y%5, 1))+y)%60))
	}
	if focused {
		r.Restyle(0, b.selected%h, w, 1, func(s screen.Style) screen.Style { return b.th.Selected(s, true) })
	}
}

// chart sweeps: new points overwrite the oldest column.
func (b *board) chart(r screen.Region) {
	w, h := r.Size()
	for x := range w {
		t := x + b.tick/w*w
		if x > b.tick%w {
			t -= w
		}
		r.Set(x, (t*t%97+h*97)%h, b.th.Style(theme.Info), rune(0x2800+(t*31%255+255)%255+1))
	}
}

var sizes = [][2]int{{200, 50}, {80, 24}}

func TestBoardCostsLittleMoreThanTheLeast(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		for _, depth := range []theme.Depth{theme.TrueColor, theme.ANSI256, theme.ANSI16, theme.None} {
			t.Run(fmt.Sprintf("%dx%d/%d", size[0], size[1], depth), func(t *testing.T) {
				t.Parallel()
				b := &board{th: theme.New(theme.Options{Depth: depth})}
				g := screen.NewGrid(size[0], size[1])
				term := newTerminal(size[0], size[1], true)
				b.draw(g)
				term.show(t, g)
				t.Logf("first paint: %d bytes, min %d", term.bytes, term.min)
				for _, step := range []struct {
					name   string
					change func()
				}{
					{"a second", func() { b.tick++ }},
					{"a key", func() { b.selected++ }},
				} {
					term.bytes, term.min = 0, 0
					for range 120 {
						step.change()
						b.draw(g)
						term.show(t, g)
					}
					ratio := float64(term.bytes) / float64(term.min)
					t.Logf("%s: %.0f bytes, %.3f × min", step.name, float64(term.bytes)/120, ratio)
					if ratio > 1.05 {
						t.Errorf("%s takes %.3f × min", step.name, ratio)
					}
				}
			})
		}
	}
}

func TestNothingChangedIsNothingWritten(t *testing.T) {
	t.Parallel()
	g := screen.NewGrid(80, 24)
	(&board{th: theme.New(theme.Options{Depth: theme.TrueColor})}).draw(g)
	w := screen.NewWriter(true)
	w.Cleared()
	w.Frame(g)
	if b := w.Frame(g); len(b) > 0 {
		t.Errorf("wrote %q", b)
	}
}

func TestFlushDoesNotAllocate(t *testing.T) {
	b := &board{th: theme.New(theme.Options{Depth: theme.TrueColor})}
	g := screen.NewGrid(80, 24)
	w := screen.NewWriter(true)
	for range 100 { // until the buffers have grown
		b.tick++
		b.selected++
		b.draw(g)
		w.Frame(g)
	}
	next := screen.NewGrid(80, 24)
	b.selected++
	b.draw(next)
	if n := testing.AllocsPerRun(100, func() {
		g, next = next, g
		w.Frame(g)
	}); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func eachSize(b *testing.B, run func(b *testing.B, w, h int)) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			b.ReportAllocs()
			run(b, size[0], size[1])
		})
	}
}

func BenchmarkDraw(b *testing.B) {
	eachSize(b, func(b *testing.B, w, h int) {
		board := &board{th: theme.New(theme.Options{Depth: theme.TrueColor})}
		g := screen.NewGrid(w, h)
		for b.Loop() {
			board.tick++
			board.draw(g)
		}
	})
}

func BenchmarkDiff(b *testing.B) {
	eachSize(b, func(b *testing.B, w, h int) {
		board := &board{th: theme.New(theme.Options{Depth: theme.TrueColor})}
		g, other := screen.NewGrid(w, h), screen.NewGrid(w, h)
		board.draw(g)
		board.selected++
		board.tick++
		board.draw(other)
		wr := screen.NewWriter(true)
		n := 0
		for b.Loop() {
			g, other = other, g
			n += len(wr.Frame(g))
		}
		b.ReportMetric(float64(n)/float64(b.N), "bytes/frame")
	})
}
