// Package poll keeps the store's feeds up to date.
//
// Every feed has a loop of its own: read, judge, sleep. A loop ends only when its feed is removed or the
// engine's context ends; whatever a source does, from failing to panicking to never returning, concerns
// its own feed alone.
//
// The loops share one scheduler goroutine and one timer instead of a goroutine and a timer each. That
// costs a little bookkeeping and buys what separate sleepers cannot have: the most important feeds go
// first whenever many are due at once (at the start, after a laptop's sleep, on a refresh of everything),
// one wake-up notices a clock jump for all, and an idle engine wakes only for the next feed that is due.
package poll

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"example.com/signalbox/sources/crash"
	"example.com/signalbox/sources/state"
	"example.com/signalbox/sources/store"
)

// Budget tells how much of a source's rate budget is left. An empty credential stands for all that the source
// has used: Usage is then the tightest of them, Usages each.
type Budget interface {
	Usage(source, credential string) state.Usage
	Usages(source, credential string) []state.Usage
}

// Options configures an Engine. Store must be set; the zero value of everything else works.
type Options struct {
	Store  *store.Store
	Budget Budget       // nil: intervals are never stretched
	Log    *slog.Logger // nil: silent

	// Now is the board's clock: health is stamped and queries are made with it. Nil means time.Now.
	Now func() time.Time
	// Wall and Elapsed are the machine's two clocks, which part when it sleeps: the wall clock, and the
	// time awake since some moment. Nil means the real ones.
	Wall    func() time.Time
	Elapsed func() time.Duration
	// Rand answers numbers in [0, 1) for jitter. It is called by one goroutine at a time. Nil means
	// math/rand.
	Rand func() float64

	// Pace says how often feeds of a capability are read. Nil means DefaultPace.
	Pace func(store.Capability) Pace
	// Timeout bounds one read; 0 means a minute. Concurrency bounds the reads that one source answers
	// at once; 0 means 4.
	Timeout     time.Duration
	Concurrency int

	// Crash is told of a panic of the engine's own, on any of its goroutines but Run's. A driver's panic is
	// an error of its feed. Nil: the process ends.
	Crash crash.Handler
}

// Engine polls feeds into a store. Its methods are safe for use by several goroutines at once; but for
// Run and Close none of them blocks on a source.
type Engine struct {
	o    Options
	wake chan struct{}
	done chan struct{} // closed by Close

	mu          sync.Mutex
	loops       []*loop // in the order of importance
	byKey       map[store.FeedKey]*loop
	past        map[store.FeedKey]*loop // removed feeds whose source lives on
	groups      map[groupKey]*group
	reading     map[string]int // reads in flight by source
	present     bool
	lastPresent time.Duration
	second      time.Time // of the board's clock: feeds are due at this moment of every second
	wall        time.Time
	awake       time.Duration
	closing     bool
	finished    chan struct{} // closed when Run has returned; nil before Run
}

// New returns an engine without feeds. It does nothing until Run.
func New(o Options) *Engine {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Elapsed == nil {
		start := time.Now()
		o.Elapsed = func() time.Duration { return time.Since(start) }
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Pace == nil {
		o.Pace = DefaultPace
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 4
	}
	return &Engine{
		o:       o,
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		byKey:   make(map[store.FeedKey]*loop),
		past:    make(map[store.FeedKey]*loop),
		groups:  make(map[groupKey]*group),
		reading: make(map[string]int),
		present: true,
		second:  o.Now(),
		wall:    o.Wall().Round(0),
		awake:   o.Elapsed(),
	}
}

// Nudge asks for feeds to be read now, in the given order of importance; none means all. A feed that is
// being read is read once more afterwards, however often it was nudged. No nudge shortens what a
// provider asked to wait.
func (e *Engine) Nudge(keys ...store.FeedKey) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.o.Elapsed()
	if len(keys) == 0 {
		for _, l := range e.loops {
			l.nudge(now)
		}
	}
	for _, key := range keys {
		if l := e.byKey[key]; l != nil {
			l.nudge(now)
		}
	}
	e.signal()
}

// Attend tells that somebody is at the keyboard, or that nobody is. When nobody is and nobody was for
// Unattended since the last Attend(true), feeds are read Slowdown times slower; the next Attend(true)
// reads at once what is overdue by the usual pace. It is cheap enough for every key.
func (e *Engine) Attend(present bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !present {
		e.present = false
		return
	}
	now := e.o.Elapsed()
	slow := e.slow(now)
	e.present, e.lastPresent = true, now
	if e.noticeSleep(now) {
		e.signal()
		return
	}
	if !slow {
		return
	}
	for _, l := range e.loops {
		if l.inFlight == nil && l.health.Failures == 0 {
			l.due = max(l.notBefore, min(l.due, l.started+e.pace(l)))
		}
	}
	e.signal()
}

// Beat tells a moment from which on the process wakes once a second anyway: feeds are due together with that.
// Until it is told, the moment is that of New, so that boards which began apart do not ask in step.
func (e *Engine) Beat(at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.second = at
}

// slow reports whether the board is unattended.
func (e *Engine) slow(now time.Duration) bool {
	return !e.present && now-e.lastPresent >= Unattended
}

// signal wakes the scheduler; it never blocks.
func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run polls until ctx ends or Close is called, and returns when no read is in flight any more. A read
// that ignores its context is waited for no longer than a moment. Run may be called once.
func (e *Engine) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	finished := make(chan struct{})
	defer close(finished)
	defer cancel()
	e.mu.Lock()
	if e.closing || e.finished != nil {
		e.mu.Unlock()
		return
	}
	e.finished = finished
	e.mu.Unlock()

	timer := time.NewTimer(0)
	defer timer.Stop()
	var turns sync.WaitGroup
	defer turns.Wait()
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.done:
			return
		case <-timer.C:
		case <-e.wake:
		}
		ready, next := e.dispatch(ctx)
		for _, t := range ready {
			turns.Go(func() { e.o.Crash.Run(func() { e.take(t) }) })
		}
		if next >= 0 {
			timer.Reset(next)
		} else {
			timer.Stop()
		}
	}
}

// Close stops Run and waits for it.
func (e *Engine) Close() {
	e.mu.Lock()
	if !e.closing {
		e.closing = true
		close(e.done)
	}
	finished := e.finished
	e.mu.Unlock()
	if finished != nil {
		<-finished
	}
}

// dispatch takes every feed that is due and may be read, and tells how long to sleep until the next is;
// negative means until somebody signals.
func (e *Engine) dispatch(ctx context.Context) (ready []*turn, next time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.o.Elapsed()
	e.noticeSleep(now)
	next = -1
	var due []*loop
	for _, l := range e.loops {
		switch {
		case l.inFlight != nil:
		case l.due <= now:
			due = append(due, l)
		case next < 0 || l.due-now < next:
			next = l.due - now
		}
	}
	slices.SortStableFunc(due, func(a, b *loop) int { return int(a.due - b.due) })
	for _, l := range due {
		if e.reading[l.feed.Key.Source] < e.o.Concurrency {
			ready = append(ready, e.begin(ctx, l, now))
		}
	}
	return ready, next
}

// noticeSleep finds out whether the machine has slept since the last look: the wall clock then went on
// and the other did not. What was in flight died with its connections, so everything is read anew, in
// order. It reports whether that was so.
func (e *Engine) noticeSleep(now time.Duration) bool {
	wall := e.o.Wall().Round(0)
	slept := wall.Sub(e.wall) - (now - e.awake)
	e.wall, e.awake = wall, now
	if slept < SleepThreshold {
		return false
	}
	e.o.Log.Info("the clock jumped: reading every feed anew", "by", slept.Round(time.Second))
	for _, l := range e.loops {
		if l.inFlight != nil {
			l.restart, l.due = true, now
			l.cancel()
			continue
		}
		l.notBefore = 0
		if wait := l.retryAt.Sub(e.o.Now()); wait > 0 {
			l.notBefore = now + wait
		}
		l.due = max(now, l.notBefore)
	}
	return true
}
