package simulator

import (
	"sync"
	"time"
)

// clock is the world's time. It starts at a given moment and runs speed times as fast as real time;
// with speed 0 it stands still between calls of advance. It never goes back.
type clock struct {
	mu      sync.Mutex
	base    time.Time // the world's time when the real time was since
	since   time.Time
	speed   float64
	set     int           // so often was it set by hand
	changed chan struct{} // closed, and replaced, each time that it is
}

// reading is a clock at one moment, and how it goes on from there until it is set again.
type reading struct {
	Now   time.Time `json:"now"`
	Speed float64   `json:"speed"`
	Set   int       `json:"set"`
}

func newClock(start time.Time, speed float64) *clock {
	return &clock{base: start.UTC(), since: time.Now(), speed: speed, changed: make(chan struct{})}
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
		c.tell()
	}
	return c.locked()
}

// run lets the clock go at another speed from now on; 0 stops it.
func (c *clock) run(speed float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.since, c.speed = c.locked(), time.Now(), speed
	c.tell()
}

func (c *clock) tell() {
	c.set++
	close(c.changed)
	c.changed = make(chan struct{})
}

// read tells the clock, and what is closed when it is set the next time.
func (c *clock) read() (reading, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return reading{Now: c.locked(), Speed: c.speed, Set: c.set}, c.changed
}
