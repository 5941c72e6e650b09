package poll_test

import (
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/store"
)

// wakes is how many moments there were in the last span at which any of the feeds was read, and how many reads.
func wakes(p *provider, span time.Duration) (moments, reads int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := time.Since(p.start) - span
	seen := make(map[time.Duration]bool)
	for _, times := range p.reads {
		for _, at := range times {
			if at >= from {
				seen[at] = true
				reads++
			}
		}
	}
	return len(seen), reads
}

// However many feeds there are and whatever chance did to them, the engine wakes for them once a second at
// most, with the board's clock.
func TestFeedsShareWakeUps(t *testing.T) {
	for _, c := range []struct {
		name  string
		feeds int
		pace  time.Duration
		most  int // moments in ten minutes
		least int // reads in them
	}{
		{"many that move", 60, 13 * time.Second, 600, 2600},
		{"a quiet board", 16, 55 * time.Second, 120, 165},
		{"pages", 3, 5 * time.Second, 120, 350},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider("github")
				b := run(t, poll.Options{Concurrency: 100, Pace: func(store.Capability) poll.Pace {
					return poll.Pace{Live: c.pace, Waiting: c.pace, Quiet: c.pace}
				}})
				time.Sleep(137 * time.Millisecond) // no whole second
				b.Set(feeds(p, repos(c.feeds)...))
				time.Sleep(11 * time.Minute)
				synctest.Wait()
				moments, reads := wakes(p, 10*time.Minute)
				if moments > c.most || reads < c.least {
					t.Errorf("%d reads at %d moments of ten minutes, want at least %d at no more than %d", reads, moments, c.least, c.most)
				}
			})
		})
	}
}

// The moment within the seconds is that at which the board began, so that boards do not ask in step, until it is
// told that it wakes at another one anyway. It is one of the board's clock.
func TestTheBeatIsTheBoardsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const late, begins, told = 300 * time.Millisecond, 137 * time.Millisecond, 55 * time.Millisecond
		p := newProvider("github")
		p.set(always(sources.Live))
		clock := func() time.Time { return time.Now().Add(late) }
		time.Sleep(begins)
		b := run(t, poll.Options{Now: clock})
		b.Set(feeds(p, "acme/a"))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		first := len(p.times("acme/a"))
		b.Beat(clock().Add(told))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		times := p.times("acme/a")
		if first < 15 || len(times)-first < 15 {
			t.Fatalf("%d and %d reads in five minutes each", first, len(times)-first)
		}
		for i, at := range times {
			want := begins
			if i > first { // the next one was due already
				want += told
			}
			if at%time.Second != want {
				t.Errorf("read %d was sent at %s, want %s after a second", i, at, want)
			}
		}
	})
}
