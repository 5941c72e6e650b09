package ui_test

import (
	"slices"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/panes"
	"example.com/signalbox/ui/uitest"
)

// crowded is a board with the real panes on a world of some size.
type crowded struct {
	*board
	turn   int
	worlds [2]*store.Snapshot // alike, and made apart: no data of one is the other's
	took   map[string][]time.Duration
}

func newCrowded(tb testing.TB, pages, alerts, series, points int) *crowded {
	tb.Helper()
	c := &crowded{took: map[string][]time.Duration{}}
	for i := range c.worlds {
		c.worlds[i] = uitest.Crowd(pages, alerts, series, points)
		c.worlds[i].Catalog = c.worlds[0].Catalog
	}
	c.board = newBoard(tb, 200, 50, func(o *ui.Options, _ *board) {
		o.Panes, o.Snapshot, o.Clock = panes.All(), c.next(), uitest.Now
		o.Idle, o.Strips, o.Wrong, o.Detail = panes.Idle, panes.Strips(), panes.Wrong(), panes.Detail
		o.Attention = ui.Attention{Bell: true, Title: true}
	})
	return c
}

// next is a snapshot in which everything was read anew since the one before.
func (c *crowded) next() *store.Snapshot {
	c.turn++
	s := *c.worlds[c.turn%2]
	s.At, s.Seq, s.Feeds = uitest.Now(), uint64(c.turn), slices.Clone(s.Feeds)
	for i := range s.Feeds {
		s.Feeds[i].Generation = uint64(c.turn)
	}
	return &s
}

func (c *crowded) time(what string, f func()) {
	from := time.Now()
	f()
	c.took[what] = append(c.took[what], time.Since(from))
}

// round is one of everything that the loop does: a key in each pane, new snapshots, the keys that show another
// part of the world. Before each of them other does what leaves the caches cold: between two frames of a
// board that people look at, the machine does other things, for a tenth of a second at the least.
func (c *crowded) round(other func()) {
	for pane := range 4 {
		c.app.Update(keyOf(string(rune('1' + pane))))
		other()
		c.time("key", func() { c.app.Update([2]tea.Msg{keyOf("j"), keyOf("k")}[c.turn/3%2]) })
	}
	for range 3 {
		s := c.next()
		c.time("derive", func() { c.app.Warm(s) })
		other()
		c.time("data", func() { c.app.Update(ui.SnapshotMsg(s)) })
	}
	s := c.next()
	c.app.Warm(s)
	c.time("hot", func() { c.app.Update(ui.SnapshotMsg(s)) })
	for _, key := range []string{"w", "f", "f"} {
		other()
		c.time("view", func() { c.app.Update(keyOf(key)) })
	}
}

func (c *crowded) median(what string) time.Duration {
	all := slices.Clone(c.took[what])
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkScale compares a small world with a big one, round by round in one run: what a key costs, what one
// that narrows or widens the view does, what a frame costs that new data makes, and what is derived of the
// data beside the loop.
//
// Both worlds find the caches as the same other work has left them. The frame that stands right behind its own
// derivation is told as "hot": that of the small world then finds all of its few kilobytes in the nearest
// cache, and that of the big one finds them full of what was derived, which says more of the benchmark than
// of the frames.
func BenchmarkScale(b *testing.B) {
	small, big := newCrowded(b, 60, 60, 36, 60), newCrowded(b, 800, 5000, 200, 1440)
	busy := newCrowded(b, 800, 5000, 200, 1440)
	other := func() { busy.app.Warm(busy.next()) }
	for b.Loop() {
		small.round(other)
		big.round(other)
	}
	for _, what := range []string{"key", "view", "data", "hot", "derive"} {
		b.ReportMetric(float64(small.median(what).Microseconds()), "small-"+what+"-µs")
		b.ReportMetric(float64(big.median(what).Microseconds()), "big-"+what+"-µs")
		b.ReportMetric(float64(big.median(what))/float64(small.median(what)), what+"-ratio")
	}
}
