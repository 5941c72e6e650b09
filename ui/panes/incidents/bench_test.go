package incidents

import (
	"strconv"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/uitest"
)

// many is a board with n open incidents of several services, hours apart.
func many(n int) *store.Snapshot {
	in := uitest.Incidents()[:2:2]
	for i := range n {
		in = append(in, uitest.PageOf("M"+strconv.Itoa(i), uitest.Services()[i%6], "queue "+strconv.Itoa(i)+" is long", 1+i%5, time.Duration(i)*time.Hour, func(in *sources.Incident) {}))
	}
	return uitest.WithIncidents(uitest.Story(), in...)
}

func BenchmarkKey(b *testing.B) {
	for _, n := range []int{10, 800, 5000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			d := uitest.Drive(New(), uitest.Env(many(n)), 120, 40)
			b.ReportAllocs()
			for b.Loop() {
				d.Press(keymap.Down)
				d.Pane.Seconds(d.Env)
				d.Pane.Heading(d.Env)
				d.Grid()
			}
		})
	}
}

func BenchmarkChanged(b *testing.B) {
	for _, n := range []int{10, 800, 5000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s := many(n)
			d := uitest.Drive(New(), uitest.Env(s), 120, 40)
			for b.Loop() {
				for i := range s.Feeds {
					s.Feeds[i].Generation++
				}
				d.Show(s)
			}
		})
	}
}
