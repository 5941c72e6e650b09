package wire

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"example.com/signalbox/ui"
	"example.com/signalbox/ui/screen"
)

const (
	// framePatience is how long the work behind the screen waits for the first frame at most.
	framePatience = 200 * time.Millisecond
	// frameLead is what the first frame gets to reach the terminal.
	frameLead = 5 * time.Millisecond
)

// firstFrame holds back what would compete with the first frame for the processor: reading what the last
// start knew, and the first round of requests.
type firstFrame struct {
	expected atomic.Bool // there is a screen
	once     sync.Once
	done     chan struct{} // closed when the first frame is on its way
}

func newFirstFrame() *firstFrame { return &firstFrame{done: make(chan struct{})} }

// shown ends all waiting.
func (f *firstFrame) shown() { f.once.Do(func() { close(f.done) }) }

// on is to, watched for its first frame.
func (f *firstFrame) on(to ui.Screen) ui.Screen {
	f.expected.Store(true)
	return watchedScreen{to, f}
}

// wait returns once the first frame is shown, after framePatience, or when ctx ends.
func (f *firstFrame) wait(ctx context.Context) {
	late := time.NewTimer(framePatience)
	defer late.Stop()
	select {
	case <-ctx.Done():
		return
	case <-late.C:
		return
	case <-f.done:
	}
	late.Reset(frameLead)
	select {
	case <-ctx.Done():
	case <-late.C:
	}
}

type watchedScreen struct {
	ui.Screen
	first *firstFrame
}

// Flush implements ui.Screen.
func (w watchedScreen) Flush(g *screen.Grid, cause screen.Cause) {
	w.Screen.Flush(g, cause)
	w.first.shown()
}

// poll runs the engine, behind the first frame where there is a screen.
func (b *Board) poll(ctx context.Context) {
	if b.first.expected.Load() {
		b.first.wait(ctx)
	}
	b.engine.Run(ctx)
}
