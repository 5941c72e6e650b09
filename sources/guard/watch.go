package guard

import (
	"cmp"
	"context"
	"time"

	"example.com/signalbox/sources/clean"
)

// DefaultEvery is how often a watch reads.
const DefaultEvery = 30 * time.Second

// readTimeout is how long one read may take.
const readTimeout = 20 * time.Second

// Options are what Watch works with. Read and Now must be set.
type Options struct {
	// Window is what is looked at. Without Acted and Start both are the moment at which Watch is called.
	Window Window
	// Before is what was read before the action. Zero: the first answer stands for it, when it comes within
	// Window.Skip of the start.
	Before Observation
	// Read reads everything since a moment: the whole of it, or an error. It gives up with its context. What
	// a source could not tell, while others could, goes into Observation.Lacking.
	Read  func(ctx context.Context, since time.Time) (Observation, error)
	Now   func() time.Time // the wall clock
	Every time.Duration    // between two reads; zero: DefaultEvery
	// Clock is what it waits by, and what tells a jump of Now from time that went by. Nil: the machine's.
	Clock Clock
	// Progress is told how the watch stands after each read, the last one included, on the goroutine that
	// called Watch: it must not block. Nil: nobody is told.
	Progress func(Report)
}

// Clock is a clock that is never set. A simulated world may have one of its own, which goes faster.
type Clock interface {
	// Elapsed is how much time has gone by since some moment.
	Elapsed() time.Duration
	// Wait returns when d has gone by, or when ctx ends.
	Wait(ctx context.Context, d time.Duration)
}

// machine is the machine's clock.
type machine struct{ since time.Time }

func (m machine) Elapsed() time.Duration { return time.Since(m.since) }

func (machine) Wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// watch is one run of Watch.
type watch struct {
	Options
	last  Observation
	past  memory
	wall  time.Time     // when it began, by Now …
	began time.Duration // … and by Clock
	state Report
}

// Watch reads, judges and waits until the verdict is final: at once when the service has failed, else at the
// window's end. A read that fails is a gap; at the end, when the last one failed, it goes on for Window.Skip
// to get an answer. Where the clock is set by more than Window.Skip, or the machine sleeps for as long, what
// was before the action and what after it cannot be told apart: that ends the watch, and so does ctx. Both
// are Inconclusive.
func Watch(ctx context.Context, o Options) Verdict {
	o.Every = cmp.Or(max(o.Every, 0), DefaultEvery)
	if o.Window.Start.IsZero() && o.Window.Acted.IsZero() {
		o.Window.Start = o.Now()
	}
	o.Window = o.Window.filled()
	if o.Clock == nil {
		o.Clock = machine{time.Now()}
	}
	w := &watch{Options: o, past: memory{}, wall: o.Now(), began: o.Clock.Elapsed(), state: Report{Length: o.Window.Length}}
	for {
		w.read(ctx)
		v := w.judge(ctx)
		w.state.Verdict = v
		if w.Progress != nil {
			w.Progress(w.state)
		}
		if v.Final {
			return v
		}
		w.wait(ctx)
	}
}

func (w *watch) read(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	asked := w.Now()
	o, err := w.Read(ctx, w.Window.Since())
	if w.state.Err = err; err != nil {
		w.state.Failed++
		return
	}
	w.state.Reads++
	w.state.Failed = 0
	o.At = cmp.Or(o.At, asked)
	if w.Before.At.IsZero() && !o.At.After(w.Window.Start.Add(w.Window.Skip)) {
		w.Before = o
	}
	w.past.keep(&Observation{At: w.last.At, Series: w.last.Series}) // the newest is kept by the judge
	w.last = o
}

func (w *watch) judge(ctx context.Context) Verdict {
	now := w.Now()
	v := judgeWith(w.past, w.Window, w.Before, w.last, now)
	jump := now.Round(0).Sub(w.wall.Round(0)) - (w.Clock.Elapsed() - w.began)
	switch {
	case ctx.Err() != nil:
		return v.given(clean.Const("the guard ended with the program"))
	case jump > w.tolerance():
		return v.given(clean.Linef("the clock jumped %s ahead, or the machine slept: what was before the action and what after it cannot be told apart", clean.Elapsed(jump)))
	case jump < -w.tolerance():
		return v.given(clean.Linef("the clock was set back by %s: what was before the action and what after it cannot be told apart", clean.Elapsed(-jump)))
	case v.Final && v.Outcome != Fail && w.state.Failed > 0 && now.Before(w.Window.End().Add(w.Window.Skip)):
		v.Final, v.Outcome = false, Inconclusive
	}
	return v
}

func (w *watch) tolerance() time.Duration { return max(w.Window.Skip, minute) }

// given is v after the watch was given up.
func (v Verdict) given(why clean.Text) Verdict {
	v.Outcome, v.Final, v.Why = Inconclusive, true, why
	return v
}

// wait waits for the next read, which is due at the window's end at the latest.
func (w *watch) wait(ctx context.Context) {
	d := w.Every
	if left := w.Window.End().Sub(w.Now()); left > 0 {
		d = min(d, left)
	}
	w.Clock.Wait(ctx, d)
}
