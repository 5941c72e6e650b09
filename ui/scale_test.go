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

// crowded is a board with the real panes on a world of some size, and two snapshots of it that differ in all
// their generations.
type crowded struct {
	*board
	turn  int
	snaps [2]*store.Snapshot
	took  map[string][]time.Duration
}

func newCrowded(tb testing.TB, pages, alerts, series, points int) *crowded {
	tb.Helper()
	c := &crowded{took: map[string][]time.Duration{}}
	c.snaps[0] = uitest.Crowd(pages, alerts, series, points)
	c.snaps[0].At = uitest.Now()
	next := *c.snaps[0]
	next.Feeds = slices.Clone(next.Feeds)
	for i := range next.Feeds {
		next.Feeds[i].Generation++
	}
	c.snaps[1] = &next
	c.board = newBoard(tb, 200, 50, func(o *ui.Options, _ *board) {
		o.Panes, o.Snapshot, o.Clock = panes.All(), c.snaps[1], uitest.Now
		o.Idle, o.Strips, o.Wrong, o.Detail = panes.Idle, panes.Strips(), panes.Wrong(), panes.Detail
		o.Attention = ui.Attention{Bell: true, Title: true}
	})
	return c
}

func (c *crowded) time(what string, f func()) {
	from := time.Now()
	f()
	c.took[what] = append(c.took[what], time.Since(from))
}

// round is one of everything that the loop does: a key in each pane, a new snapshot.
func (c *crowded) round() {
	c.turn++
	for pane := range 4 {
		c.app.Update(keyOf(string(rune('1' + pane))))
		c.time("key", func() { c.app.Update([2]tea.Msg{keyOf("j"), keyOf("k")}[c.turn/3%2]) })
	}
	for range 3 {
		c.turn++
		s := c.snaps[c.turn%2]
		c.time("derive", func() { c.app.Warm(s) })
		c.time("data", func() { c.app.Update(ui.SnapshotMsg(s)) })
	}
}

func (c *crowded) median(what string) time.Duration {
	all := slices.Clone(c.took[what])
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkScale compares a small world with a big one, round by round in one run: what a key costs, what a
// frame costs that new data makes, and what is derived of the data beside the loop.
func BenchmarkScale(b *testing.B) {
	small, big := newCrowded(b, 60, 60, 36, 60), newCrowded(b, 800, 5000, 200, 1440)
	for b.Loop() {
		small.round()
		big.round()
	}
	for _, what := range []string{"key", "data", "derive"} {
		b.ReportMetric(float64(small.median(what).Microseconds()), "small-"+what+"-µs")
		b.ReportMetric(float64(big.median(what).Microseconds()), "big-"+what+"-µs")
		b.ReportMetric(float64(big.median(what))/float64(small.median(what)), what+"-ratio")
	}
}
