package simulator

import (
	"sync"
	"time"
)

// clock is the world's time. It starts at a given moment and runs speed times as fast as real time;
// with speed 0 it stands still between calls of advance. It never goes back.
type clock struct {
	mu    sync.Mutex
	base  time.Time // the world's time when the real time was since
	since time.Time
	speed float64
}

func newClock(start time.Time, speed float64) *clock {
	return &clock{base: start.UTC(), since: time.Now(), speed: speed}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.locked()
}

func (c *clock) locked() time.Time {
	if c.speed == 0 {
		return c.base
	}
	return c.base.Add(time.Duration(float64(time.Since(c.since)) * c.speed))
}

// advance puts the clock forward by d; a negative d is ignored.
func (c *clock) advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.base = c.base.Add(d)
	}
	return c.locked()
}
