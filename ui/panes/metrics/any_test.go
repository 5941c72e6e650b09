package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
	"example.com/signalbox/ui/uitest"
)

// oddBoard is a board of random metrics and objectives with hard names and numbers.
func oddBoard(p *rand.Rand) *store.Snapshot {
	words := []string{"", "error rate", "日本語のとても長い名前", "a metric with a name as long as the line that it stands in, and longer", "é̂", "p99.9", "שלום"}
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, 5e-324, -1, math.MaxFloat64, -math.MaxFloat64, 99.95}
	number := func() float64 {
		if p.IntN(3) == 0 {
			return odd[p.IntN(len(odd))]
		}
		return p.NormFloat64() * math.Pow(10, float64(p.IntN(30)-15))
	}
	var series []sources.Series
	for i := range p.IntN(14) {
		s := uitest.SeriesOf("checkout", words[p.IntN(len(words))], []string{"", "%", "ms", "B", "/s", "furlongs", "日"}[p.IntN(7)],
			[]sources.Signal{sources.ErrorSignal, sources.LatencySignal, sources.OtherSignal, "odd"}[p.IntN(4)], number(), p.IntN(90), func(int) float64 { return number() })
		s.Ref.ID = fmt.Sprint(i)
		s.Below, s.Step = p.IntN(2) == 0, []time.Duration{0, time.Minute, time.Hour, -time.Minute}[p.IntN(4)]
		s.Labels = clean.Line(words[p.IntN(len(words))])
		s.Earlier = []sources.Earlier{{Ago: time.Duration(p.IntN(200)) * time.Hour, Value: sources.Number(number())}}
		series = append(series, s)
	}
	snap := uitest.WithMetrics(uitest.Story(), series...)
	var slos []sources.SLO
	for i := range p.IntN(3) {
		slos = append(slos, sources.SLO{Ref: sources.Ref{Source: "datadog", Kind: sources.KindSLO, ID: fmt.Sprint(i)}, Service: "checkout",
			Name: clean.Line(words[p.IntN(len(words))]), Target: number(), Window: time.Duration(p.IntN(1000)) * time.Hour, Value: sources.Number(number()),
			Budget: sources.Number(number()), Traffic: sources.Number(number()), Note: clean.Line(words[p.IntN(len(words))]),
			Burns: []sources.Burn{{Over: 5 * time.Minute, Rate: sources.Number(number())}, {Over: time.Hour, Rate: sources.Number(number())}}})
	}
	snap.Feeds = append(snap.Feeds, store.Feed{Key: store.FeedKey{Source: "datadog", Capability: store.SLOs}, SLOs: slos, Generation: 1})
	return snap
}

// Whatever the numbers, the names and the size: nothing panics, no cell outside the region changes, the
// cursor is on a metric that is seen.
func TestAnyBoardAnySize(t *testing.T) {
	t.Parallel()
	p := rand.New(rand.NewPCG(11, 13))
	for range 60 {
		e := uitest.Env(oddBoard(p))
		e.Watched = []string{"checkout", "", "web"}[p.IntN(3)]
		if p.IntN(3) == 0 {
			e = uitest.Plain(e)
		}
		d := uitest.Drive(New(), e, 80, 20)
		for range 10 {
			w, h := p.IntN(120), p.IntN(40)
			d.Resize(w, h)
			d.Press([]keymap.Action{keymap.Down, keymap.Bottom, keymap.Up, keymap.PageDown, keymap.Top}[p.IntN(5)])
			d.Send(pane.Click{X: p.IntN(w+2) - 1, Y: p.IntN(h+2) - 1})
			g := screen.NewGrid(w+4, h+2)
			d.Pane.Draw(d.Env, g.Region().Sub(2, 1, w, h))
			for y := range h + 2 {
				for x := range w + 4 {
					if c := g.Cell(x, y); (x < 2 || x >= w+2 || y < 1 || y > h) && c.Text != " " {
						t.Fatalf("%dx%d: cell %d,%d shows %q", w, h, x-2, y-1, c.Text)
					}
				}
			}
			d.Pane.Heading(d.Env)
			d.Pane.Keys(d.Env)
			cursor := d.Env.Theme.Glyph(theme.GlyphCursor).String()
			if _, some := d.Pane.Selected(d.Env); some && w > 30 && h > 6 && !strings.Contains(g.String(), cursor) {
				t.Fatalf("%dx%d: the cursor is not seen\n%s", w, h, g.String())
			}
		}
	}
}

// The cost of a frame and of a key must not grow with the metrics and their points.
func BenchmarkFrame(b *testing.B) {
	for _, c := range []struct{ series, points int }{{12, 60}, {200, 1440}} {
		b.Run(fmt.Sprintf("%dx%d", c.series, c.points), func(b *testing.B) {
			e := uitest.Env(uitest.ManySeries(c.series, c.points))
			e.Watched = "checkout"
			d := uitest.Drive(New(), e, 98, 22)
			g := d.Grid()
			b.Run("frame", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					d.Pane.Draw(d.Env, g.Region())
					d.Pane.Heading(d.Env)
				}
			})
			b.Run("key", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					d.Press(keymap.Down)
					d.Pane.Draw(d.Env, g.Region())
				}
			})
			b.Run("other service", func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					d.Env.Watched = uitest.Services()[i%2]
					i++
					d.Send(pane.Changed{})
					d.Pane.Draw(d.Env, g.Region())
				}
			})
		})
	}
}
