package ui_test

import (
	"fmt"
	"strconv"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/panes"
	"example.com/signalbox/ui/uitest"
)

func rowsNamed(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "service-" + strconv.Itoa(i)
	}
	return out
}

// A key's cost is that of the rows that are seen, however many there are.
func BenchmarkKeyToFrame(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			bd := newBoard(b, 200, 50, func(_ *ui.Options, bd *board) {
				bd.panes[2].services, bd.panes[3].services = rowsNamed(n), rowsNamed(n)
			})
			bd.press("3")
			keys := [2]tea.Msg{keyOf("j"), keyOf("k")}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				bd.app.Update(keys[i/20%2])
				bd.panes[2].got = bd.panes[2].got[:0]
				i++
			}
		})
	}
}

func BenchmarkSnapshotToFrame(b *testing.B) {
	bd := newBoard(b, 200, 50)
	b.ReportAllocs()
	for b.Loop() {
		bd.app.Update(ui.SnapshotMsg(snapshot(bd.clock.now())))
		for _, p := range bd.panes {
			p.got = p.got[:0]
		}
	}
}

// BenchmarkStory is the board as it is: the real panes on the story's snapshot.
func BenchmarkStory(b *testing.B) {
	for name, keys := range map[string][2]tea.Msg{"move": {keyOf("j"), keyOf("k")}, "focus": {keyOf("3"), keyOf("4")}, "copy": {keyOf("c"), keyOf("c")}} {
		b.Run(name, func(b *testing.B) {
			bd := newBoard(b, 200, 50, func(o *ui.Options, _ *board) {
				o.Panes, o.Snapshot, o.Clock = panes.All(), uitest.Story(), uitest.Now
				o.Idle, o.Strips, o.Wrong, o.Detail = panes.Idle, panes.Strips(), panes.Wrong(), panes.Detail
			})
			bd.press("3")
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				bd.app.Update(keys[i%2])
				i++
			}
		})
	}
}

// BenchmarkMeasured is a key and its frame on boards with few and with many metrics. The cursor goes from
// service to service, and the charts with it.
func BenchmarkMeasured(b *testing.B) {
	for _, n := range [][2]int{{36, 60}, {200, 1440}} {
		for _, from := range []string{"2", "3"} {
			b.Run(fmt.Sprintf("%dx%d from pane %s", n[0], n[1], from), func(b *testing.B) {
				bd := newBoard(b, 200, 50, func(o *ui.Options, _ *board) {
					o.Panes, o.Snapshot, o.Clock = panes.All(), uitest.ManySeries(n[0], n[1]), uitest.Now
					o.Idle, o.Strips, o.Wrong, o.Detail = panes.Idle, panes.Strips(), panes.Wrong(), panes.Detail
				})
				bd.press(from)
				keys := [2]tea.Msg{keyOf("j"), keyOf("k")}
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					bd.app.Update(keys[i%2])
					i++
				}
			})
		}
	}
}

// The real panes at every size, in the board that they are made for.
func TestStoryAtEverySize(t *testing.T) {
	t.Parallel()
	for name, snap := range map[string]*store.Snapshot{"story": uitest.Story(), "measured": uitest.Measured()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bd := newBoard(t, 80, 24, func(o *ui.Options, _ *board) {
				o.Panes, o.Snapshot, o.Clock = panes.All(), snap, uitest.Now
				o.Idle, o.Strips, o.Wrong, o.Detail = panes.Idle, panes.Strips(), panes.Wrong(), panes.Detail
			})
			for w := 0; w <= 210; w += 1 + w/15 {
				for h := 0; h <= 60; h += 1 + h/10 {
					bd.app.Update(tea.WindowSizeMsg{Width: w, Height: h})
					checkFrame(t, bd, w, h)
				}
			}
			_, _ = bd.app.Update(keyOf("j"))
		})
	}
}
