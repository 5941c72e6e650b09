package poll_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/store"
)

func scopesOf(snap *store.Snapshot) []string {
	var list []string
	for _, f := range snap.Feeds {
		list = append(list, f.Key.Scope)
	}
	return list
}

func TestSetKeepsWhatStaysTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/keep", "acme/change", "acme/remove"))
		time.Sleep(5 * time.Second)
		before := b.feed(t, "acme/change")
		next := b.feed(t, "acme/keep").Health.Next

		change := feed(p, "acme/change")
		change.Query.Services = []sources.ServiceSpec{{Name: "checkout"}}
		p.set(always(sources.Quiet))
		keep := feed(p, "acme/keep")
		keep.Query.Now = time.Now()
		b.Set([]poll.Feed{feed(p, "acme/new"), change, keep, keep})
		if got := b.feed(t, "acme/change"); len(got.Runs) != 1 || got.Generation != before.Generation || got.Health.LastGood.IsZero() {
			t.Errorf("a changed feed lost its data before it was read anew: %+v", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got, want := scopesOf(b.store.Snapshot()), []string{"acme/change", "acme/keep", "acme/new"}; !slices.Equal(got, want) {
			t.Errorf("the store has %v, want %v", got, want)
		}
		if got := p.times("acme/keep"); len(got) != 1 || !b.feed(t, "acme/keep").Health.Next.Equal(next) {
			t.Errorf("the feed that stayed the same was disturbed: read at %v", got)
		}
		if got := p.times("acme/change"); len(got) != 2 || got[1] != 5*time.Second {
			t.Errorf("the changed feed was read at %v, want at once", got)
		}
		if got := b.feed(t, "acme/change"); got.Generation == before.Generation {
			t.Error("the changed feed's new answer is not in the store")
		}
		time.Sleep(time.Hour)
		if got := p.times("acme/remove"); len(got) != 1 {
			t.Errorf("the removed feed was read at %v", got)
		}
	})
}

func TestSetDropsAnswersOfEndedLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		var cancelled atomic.Int64
		p.set(func(ctx context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if n == 0 {
				<-ctx.Done()
				cancelled.Add(1)
				time.Sleep(time.Second) // it takes its time to stop, and then answers all the same
			}
			return batch(scope, n, sources.Quiet), nil
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/remove", "acme/change"))
		synctest.Wait()
		change := feed(p, "acme/change")
		change.Query.Identity = "sre1"
		idle := b.Set([]poll.Feed{change})
		synctest.Wait()
		if cancelled.Load() != 2 {
			t.Errorf("%d of 2 reads were cancelled", cancelled.Load())
		}
		select {
		case <-idle:
			t.Error("idle while reads are in flight")
		default:
		}
		<-idle
		if got := time.Since(b.start); got != time.Second {
			t.Errorf("idle after %s, want 1s", got)
		}
		synctest.Wait()
		if got := scopesOf(b.store.Snapshot()); !slices.Equal(got, []string{"acme/change"}) {
			t.Errorf("the store has %v", got)
		}
		if got := b.feed(t, "acme/change"); len(got.Runs) != 1 || got.Runs[0].Number != 1 {
			t.Errorf("the store shows the answer of the loop that was ended: %+v", got.Runs)
		}
		select {
		case <-b.Set([]poll.Feed{change}):
		default:
			t.Error("not idle, though nothing was ended")
		}
	})
}

func TestAFeedThatComesBackHasItsData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if n > 0 {
				return sources.Batch[sources.Run]{}, sources.ErrNotModified
			}
			return batch(scope, 7, sources.Quiet), nil
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a", "acme/b"))
		synctest.Wait()
		b.Set(feeds(p, "acme/b"))
		time.Sleep(time.Hour)
		b.Set(feeds(p, "acme/a", "acme/b"))
		synctest.Wait()
		got := b.feed(t, "acme/a")
		if len(got.Runs) != 1 || got.Health.State != store.Healthy {
			t.Errorf("its source says that nothing changed: %d runs, state %d (%v)", len(got.Runs), got.Health.State, got.Health.Err)
		}
	})
}

func TestCachedDataIsShownUntilTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(always(sources.Quiet))
		b := run(t, poll.Options{Concurrency: 1})
		old := time.Now().Add(-time.Hour)
		cached := store.Feed{Key: runsKey("acme/a"), Health: store.Health{LastGood: old, Cached: true}}
		cached.Runs = batch("acme/a", 99, sources.Live).Items
		gone := cached
		gone.Key = runsKey("acme/gone")
		b.store.Apply(store.Replace{Feed: cached}, store.Replace{Feed: gone})
		b.Set(feeds(p, "acme/a"))
		got := b.feed(t, "acme/a")
		if h := got.Health; h.State != store.Loading || !h.Cached || !h.LastGood.Equal(old) || got.Runs[0].Number != 99 {
			t.Errorf("before the first answer: %+v", got)
		}
		if b.store.Snapshot().Feed(gone.Key) != nil {
			t.Error("a cached feed that nobody polls is still there")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		got = b.feed(t, "acme/a")
		if h := got.Health; h.State != store.Healthy || h.Cached || got.Runs[0].Number != 0 {
			t.Errorf("after the first answer: %+v", got)
		}
	})
}

// What the disk knew may come late: it fills what is still empty and leaves alone what has been answered.
func TestRestoreFillsWhatIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if scope == "acme/fails" {
				return sources.Batch[sources.Run]{}, &sources.Error{Kind: sources.Permission, Op: "list runs", Msg: "the token has expired"}
			}
			return batch(scope, n, sources.Quiet), nil
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/answers", "acme/fails"))
		time.Sleep(time.Second)
		synctest.Wait()
		old := time.Now().Add(-time.Hour)
		var cached []store.Feed
		for _, scope := range []string{"acme/answers", "acme/fails", "acme/gone"} {
			f := store.Feed{Key: runsKey(scope), Health: store.Health{LastGood: old, Cached: true, State: store.Loading}}
			f.Runs = batch(scope, 99, sources.Quiet).Items
			cached = append(cached, f)
		}
		b.Restore(cached)
		if got := b.feed(t, "acme/answers"); got.Health.Cached || got.Runs[0].Number == 99 {
			t.Errorf("what was answered became %+v", got)
		}
		got := b.feed(t, "acme/fails")
		if h := got.Health; h.State != store.Refused || !h.Cached || !h.LastGood.Equal(old) || len(got.Runs) != 1 || h.Err == nil {
			t.Errorf("what failed became %+v", got)
		}
		if b.store.Snapshot().Feed(runsKey("acme/gone")) != nil {
			t.Error("a feed that nobody polls came back")
		}
		time.Sleep(15 * time.Minute) // it fails again: the data and its age stay
		synctest.Wait()
		if h := b.feed(t, "acme/fails").Health; !h.Cached || !h.LastGood.Equal(old) || h.Failures < 2 {
			t.Errorf("after another failure: %+v", h)
		}
	})
}

func TestCachedDataStaysMarkedWhileItsSourceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(context.Context, string, int) (sources.Batch[sources.Run], error) {
			return sources.Batch[sources.Run]{}, &sources.Error{Kind: sources.Permission, Op: "list runs", Msg: "the token has expired"}
		})
		b := run(t, poll.Options{})
		cached := store.Feed{Key: runsKey("acme/a"), Health: store.Health{LastGood: time.Now().Add(-time.Hour), Cached: true}}
		cached.Runs = batch("acme/a", 99, sources.Live).Items
		b.store.Apply(store.Replace{Feed: cached})
		b.Set(feeds(p, "acme/a"))
		synctest.Wait()
		got := b.feed(t, "acme/a")
		if h := got.Health; h.State != store.Refused || !h.Cached || len(got.Runs) != 1 || h.LastGood.IsZero() {
			t.Errorf("%+v", got)
		}
	})
}

func TestWakingUpReadsEverythingAtOnceInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asleep atomic.Int64 // for how long, in all
		p := newProvider("github")
		p.set(always(sources.Quiet))
		b := run(t, poll.Options{
			Concurrency: 1,
			Wall:        func() time.Time { return time.Now().Add(time.Duration(asleep.Load())) },
			Elapsed:     func() time.Duration { return time.Since(p.start) },
		})
		scopes := []string{"acme/z", "acme/y", "acme/x", "acme/a"}
		b.Set(feeds(p, scopes...))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		from := len(p.sequence())
		asleep.Store(int64(8 * time.Hour))
		b.Attend(true) // a key
		time.Sleep(4500 * time.Millisecond)
		synctest.Wait()
		if got := p.sequence()[from:]; !slices.Equal(got, scopes) {
			t.Errorf("after the sleep %v were read, want %v", got, scopes)
		}
		from = len(p.sequence())
		asleep.Store(int64(9 * time.Hour))
		time.Sleep(65 * time.Second) // nobody touches it: the next feed that is due notices
		synctest.Wait()
		first := len(p.sequence())
		if first-from < len(scopes) {
			t.Errorf("after the second sleep only %v were read", p.sequence()[from:])
		}
		if !strings.Contains(b.log.String(), "the clock jumped") {
			t.Errorf("the log does not say so:\n%s", b.log)
		}
		asleep.Store(int64(9*time.Hour - 30*time.Minute)) // a clock that is put back is no sleep
		from = len(p.sequence())
		b.Attend(true)
		synctest.Wait()
		if got := p.sequence()[from:]; len(got) != 0 {
			t.Errorf("the clock was put back, and %v were read", got)
		}
	})
}

func TestWakingUpGivesUpWhatWasInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asleep atomic.Int64
		p := newProvider("github")
		p.set(func(ctx context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if n == 1 {
				<-ctx.Done() // the connection died in the sleep
				return sources.Batch[sources.Run]{}, ctx.Err()
			}
			return batch(scope, n, sources.Quiet), nil
		})
		b := run(t, poll.Options{
			Wall:    func() time.Time { return time.Now().Add(time.Duration(asleep.Load())) },
			Elapsed: func() time.Duration { return time.Since(p.start) },
		})
		b.Set(feeds(p, "acme/a"))
		time.Sleep(5 * time.Second)
		b.Nudge()
		synctest.Wait()
		asleep.Store(int64(time.Hour))
		b.Attend(true)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Healthy || h.Failures != 0 || p.times("acme/a")[2] != 5*time.Second {
			t.Errorf("%+v, read at %v", h, p.times("acme/a"))
		}
	})
}

func TestRetryAfterGoesOnDuringASleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asleep atomic.Int64
		now := func() time.Time { return time.Now().Add(time.Duration(asleep.Load())) }
		p := newProvider("github")
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if n == 0 {
				return sources.Batch[sources.Run]{}, &sources.Error{Kind: sources.Throttled, Op: "list runs", Msg: "slow down", RetryAt: now().Add(time.Hour)}
			}
			return batch(scope, n, sources.Quiet), nil
		})
		b := run(t, poll.Options{Now: now, Wall: now, Elapsed: func() time.Duration { return time.Since(p.start) }})
		b.Set(feeds(p, "acme/a"))
		time.Sleep(time.Second)
		asleep.Store(int64(30 * time.Minute))
		b.Attend(true)
		time.Sleep(29 * time.Minute)
		synctest.Wait()
		if n := len(p.times("acme/a")); n != 1 {
			t.Errorf("read %d times before the hour was over", n)
		}
		time.Sleep(80 * time.Second)
		synctest.Wait()
		if n := len(p.times("acme/a")); n != 2 {
			t.Errorf("read %d times: half the hour passed in the sleep", n)
		}
	})
}

func TestAnIdleEngineSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		var looks atomic.Int64 // one for each time that the scheduler wakes
		b := run(t, poll.Options{Wall: func() time.Time { looks.Add(1); return time.Now() }})
		time.Sleep(time.Hour)
		if n := looks.Load(); n > 3 {
			t.Errorf("without a feed it woke %d times in an hour", n)
		}
		b.Set(feeds(p, repos(20)...))
		time.Sleep(time.Minute)
		woke, reads := looks.Load(), len(p.sequence())
		time.Sleep(time.Hour)
		woke, reads = looks.Load()-woke, len(p.sequence())-reads
		if int(woke) > 2*reads+1 {
			t.Errorf("it woke %d times for %d reads", woke, reads)
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(ctx context.Context, _ string, _ int) (sources.Batch[sources.Run], error) {
			<-ctx.Done()
			return sources.Batch[sources.Run]{}, ctx.Err()
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, repos(8)...))
		synctest.Wait()
		seq := b.store.Snapshot().Seq
		b.Close()
		b.Close()
		p.mu.Lock()
		for scope, n := range p.inFlight {
			if n != 0 {
				t.Errorf("%s is being read after Close", scope)
			}
		}
		p.mu.Unlock()
		if got := b.store.Snapshot().Seq; got != seq {
			t.Error("the end of the program shows as a failure of its feeds")
		}
		b.Nudge()
		b.Attend(false)
		b.Set(nil)
	})
}

func TestCloseBeforeRun(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		e := poll.New(poll.Options{Store: store.New(nil, time.Now)})
		e.Close()
		e.Run(context.Background())
	})
}

func TestTheContextEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(always(sources.Live))
		e := poll.New(poll.Options{Store: store.New(nil, time.Now)})
		e.Set(feeds(p, repos(8)...))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			e.Run(ctx)
		}()
		time.Sleep(time.Hour + 300*time.Millisecond)
		cancel()
		<-ended
	})
}

func TestSeveralCallersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(ctx context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			select {
			case <-time.After(time.Duration(n%7) * 300 * time.Millisecond):
			case <-ctx.Done():
				return sources.Batch[sources.Run]{}, ctx.Err()
			}
			switch n % 5 {
			case 3:
				return sources.Batch[sources.Run]{}, &sources.Error{Kind: sources.Throttled, Op: "list runs", Msg: "slow down", RetryAt: time.Now().Add(time.Second)}
			case 4:
				panic("at the disco")
			}
			return batch(scope, n, sources.Live), nil
		})
		b := run(t, poll.Options{Timeout: time.Second})
		for i := range 4 {
			go func() {
				for j := range 50 {
					b.Set(feeds(p, repos(5+(i+j)%5)...))
					b.Nudge(runsKey("acme/00"), runsKey("acme/03"))
					b.Attend(j%2 == 0)
					time.Sleep(time.Duration(100+i*37) * time.Millisecond)
				}
			}()
		}
		time.Sleep(time.Minute)
		b.Set(feeds(p, repos(3)...))
		p.set(nil)
		b.Nudge()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for _, f := range b.store.Snapshot().Feeds {
			if f.Health.State != store.Healthy {
				t.Errorf("%s: state %d (%v)", f.Key, f.Health.State, f.Health.Err)
			}
		}
		if got := scopesOf(b.store.Snapshot()); len(got) != 3 {
			t.Errorf("the store has %v", got)
		}
	})
}

func TestNoticesDegrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			b := batch(scope, n, sources.Live)
			if n < 3 {
				b.Notices = []sources.Notice{{Scope: scope, Text: clean.Const("single sign-on")}}
			}
			return b, nil
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a"))
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Degraded || len(h.Notices) != 1 {
			t.Errorf("with a notice: %+v", h)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Healthy || len(h.Notices) != 0 {
			t.Errorf("without: %+v", h)
		}
	})
}
