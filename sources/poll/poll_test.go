package poll_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

func TestFirstReadsStartAtOnceInOrderAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(always(sources.Quiet))
		b := run(t, poll.Options{Concurrency: 3})
		scopes := repos(10)
		slices.Reverse(scopes) // the order of importance is not that of the keys
		b.Set(feeds(p, scopes...))
		if got := b.feed(t, scopes[0]).Health; got.State != store.Loading || !got.Next.Equal(time.Now()) {
			t.Errorf("before the first answer: state %d, next %s", got.State, got.Next)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for i, scope := range scopes {
			want := time.Duration(i/3) * time.Second
			if got := p.times(scope); len(got) != 1 || got[0] != want {
				t.Errorf("feed %d was read at %v, want once at %s", i, got, want)
			}
		}
		if most, _ := p.together(); most != 3 {
			t.Errorf("%d reads at once, want 3", most)
		}
		if got := b.feed(t, scopes[9]).Health; got.State != store.Healthy || got.Latency != time.Second || got.Failures != 0 {
			t.Errorf("after the first answer: %+v", got)
		}
	})
}

func TestPace(t *testing.T) {
	for _, c := range []struct {
		name      string
		busy      sources.Busy
		low, high time.Duration
		gaps      int // that differ
	}{
		{"live", sources.Live, 10 * time.Second, 14 * time.Second, 3},
		{"waiting", sources.WaitingForPerson, 30 * time.Second, 30 * time.Second, 1},
		{"quiet", sources.Quiet, 50 * time.Second, 55 * time.Second, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider("github")
				p.set(always(c.busy))
				b := run(t, poll.Options{})
				b.Set(feeds(p, "acme/a"))
				time.Sleep(30 * time.Minute)
				times := p.times("acme/a")
				gaps := make(map[time.Duration]bool)
				for i := 2; i < len(times); i++ {
					gap := times[i] - times[i-1]
					gaps[gap] = true
					if gap%time.Second != 0 {
						t.Errorf("read %d came %s after the one before: it shares no wake-up", i, gap)
					}
					if gap < c.low || gap > c.high {
						t.Errorf("read %d came %s after the one before, want %s to %s", i, gap, c.low, c.high)
					}
				}
				if len(gaps) < c.gaps {
					t.Errorf("%d different gaps in %d reads, want %d: no jitter", len(gaps), len(times), c.gaps)
				}
			})
		})
	}
}

func TestNextSaysWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a"))
		for range 5 {
			time.Sleep(time.Second)
			synctest.Wait()
			next := b.feed(t, "acme/a").Health.Next
			time.Sleep(time.Until(next))
			synctest.Wait()
			if got := p.start.Add(p.last("acme/a")); !got.Equal(next) {
				t.Errorf("read at %s, Next said %s", got, next)
			}
		}
	})
}

func TestDeploymentsHurryWhilePipelinesRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(always(sources.Live))
		b := run(t, poll.Options{})
		env := feed(p, "acme/a")
		env.Key.Capability = store.Environments
		b.Set([]poll.Feed{feed(p, "acme/a"), env})
		time.Sleep(10 * time.Minute)
		if n := len(p.times("environments of acme/a")); n < 19 || n > 22 {
			t.Errorf("environments were read %d times in 10 min, want every 30 s", n)
		}
	})
}

func TestNotModifiedKeepsDataAndGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		notice := sources.Notice{Scope: "acme/a", Kind: sources.Permission}
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if n > 0 {
				return sources.Batch[sources.Run]{}, sources.ErrNotModified
			}
			b := batch(scope, 7, sources.Live)
			b.Notices = []sources.Notice{notice}
			return b, nil
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a"))
		synctest.Wait()
		first := b.feed(t, "acme/a")
		time.Sleep(time.Minute)
		synctest.Wait()
		got := b.feed(t, "acme/a")
		if got.Generation != first.Generation || &got.Runs[0] != &first.Runs[0] {
			t.Errorf("generation %d then %d: the data changed", first.Generation, got.Generation)
		}
		if !got.Health.LastGood.After(first.Health.LastGood) || got.Health.State != store.Degraded || len(got.Health.Notices) != 1 {
			t.Errorf("health %+v: want degraded still, and confirmed anew", got.Health)
		}
		if n := len(p.times("acme/a")); n < 5 {
			t.Errorf("read %d times in a minute: what was live is live still", n)
		}
	})
}

func TestEqualDataIsNoChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			return batch(scope, n/2, sources.Live), nil
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a"))
		var generations []uint64
		for range 4 {
			synctest.Wait()
			generations = append(generations, b.feed(t, "acme/a").Generation)
			time.Sleep(time.Until(b.feed(t, "acme/a").Health.Next))
		}
		if g := generations; g[0] != g[1] || g[1] == g[2] || g[2] != g[3] {
			t.Errorf("generations %v for data that changes every other time", g)
		}
	})
}

func TestNotModifiedWithoutAnAnswerIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(context.Context, string, int) (sources.Batch[sources.Run], error) {
			return sources.Batch[sources.Run]{}, sources.ErrNotModified
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a"))
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Failing || !h.LastGood.IsZero() {
			t.Errorf("health %+v: nobody has ever answered", h)
		}
	})
}

func TestFailuresBackOffAndKeepTheData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a", "acme/b"))
		synctest.Wait()
		good := b.feed(t, "acme/a")
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if scope == "acme/a" {
				return sources.Batch[sources.Run]{}, errors.New("connection refused")
			}
			return batch(scope, n, sources.Quiet), nil
		})
		b.Nudge(runsKey("acme/a"))
		time.Sleep(time.Second)
		synctest.Wait()
		h := b.feed(t, "acme/a").Health
		failed := h.Since
		if h.State != store.Failing || h.Failures != 1 || h.Err == nil || !h.LastGood.Equal(good.Health.LastGood) {
			t.Errorf("after a failure: %+v", h)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		got := b.feed(t, "acme/a")
		if len(got.Runs) != 1 || got.Generation != good.Generation || !got.Health.Since.Equal(failed) {
			t.Errorf("an hour later: %d runs, generation %d, failing since %s", len(got.Runs), got.Generation, got.Health.Since)
		}
		times := p.times("acme/a")[1:]
		want, spread := 2*time.Second, false
		for i := 1; i < len(times); i++ {
			gap := times[i] - times[i-1]
			if gap < want*8/10 || gap > want*12/10 {
				t.Errorf("retry %d after %s, want about %s", i, gap, want)
			}
			spread = spread || gap != want
			want = min(2*want, 5*time.Minute)
		}
		if !spread {
			t.Error("what fails together is tried again together")
		}
		if n := len(p.times("acme/b")); n < 60 {
			t.Errorf("the other feed was read %d times in that hour", n)
		}
		if got := b.feed(t, "acme/b").Health.State; got != store.Healthy {
			t.Errorf("the other feed's state is %d", got)
		}
		p.set(nil)
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Healthy || h.Failures != 0 || h.Err != nil {
			t.Errorf("after it came back: %+v", h)
		}
		if log := b.log.String(); strings.Count(log, "feed fails") != 1 || strings.Count(log, "feed is back") != 1 {
			t.Errorf("the log does not say once that it failed and once that it is back:\n%s", log)
		}
	})
}

func TestStatesOfErrors(t *testing.T) {
	for kind, want := range map[sources.ErrKind]struct {
		state store.HealthState
		least time.Duration // until the next read
	}{
		sources.Transient:   {store.Failing, time.Second},
		sources.Invalid:     {store.Failing, time.Second},
		sources.Conflict:    {store.Failing, time.Second},
		sources.Ambiguous:   {store.Failing, time.Second},
		sources.Permission:  {store.Refused, 45 * time.Second},
		sources.NotExist:    {store.Refused, 45 * time.Second},
		sources.Unsupported: {store.Refused, 45 * time.Second},
		sources.Throttled:   {store.Throttled, 20 * time.Second},
	} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider("github")
				cause := &sources.Error{Kind: kind, Op: "list runs", Scope: "acme/a", Msg: "no", Fix: "do this"}
				p.set(func(context.Context, string, int) (sources.Batch[sources.Run], error) {
					return sources.Batch[sources.Run]{}, cause
				})
				b := run(t, poll.Options{})
				b.Set(feeds(p, "acme/a"))
				synctest.Wait()
				h := b.feed(t, "acme/a").Health
				if h.State != want.state || h.Err != cause {
					t.Errorf("state %d with %v, want %d", h.State, h.Err, want.state)
				}
				if wait := time.Until(h.Next); wait < want.least {
					t.Errorf("next read in %s, want %s at the least", wait, want.least)
				}
				time.Sleep(2 * time.Hour)
				if n := len(p.times("acme/a")); n < 10 {
					t.Errorf("read %d times in two hours: the loop has ended", n)
				}
			})
		})
	}
}

func TestRetryAfterIsNeverShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		retry := time.Now().Add(7 * time.Minute)
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if time.Now().Before(retry) {
				return sources.Batch[sources.Run]{}, &sources.Error{Kind: sources.Throttled, Op: "list runs", Msg: "slow down", RetryAt: retry}
			}
			return batch(scope, n, sources.Quiet), nil
		})
		b := run(t, poll.Options{Concurrency: 1})
		b.Set(feeds(p, "acme/a", "acme/b"))
		synctest.Wait()
		for range 60 {
			time.Sleep(6 * time.Second)
			b.Nudge()
			b.Attend(true)
		}
		synctest.Wait()
		if got := p.times("acme/a"); len(got) != 1 {
			t.Errorf("read at %v, though the provider wanted to be left alone for 7 min", got)
		}
		if got := p.times("acme/b"); len(got) != 0 {
			t.Errorf("another scope of the same credential was read at %v meanwhile", got)
		}
		for _, scope := range []string{"acme/a", "acme/b"} {
			if h := b.feed(t, scope).Health; h.State != store.Throttled || h.Next.Before(retry) {
				t.Errorf("%s: state %d, next %s; want throttled until %s", scope, h.State, h.Next, retry)
			}
		}
		time.Sleep(62 * time.Second)
		synctest.Wait()
		for _, scope := range []string{"acme/a", "acme/b"} {
			if h := b.feed(t, scope).Health; h.State != store.Healthy {
				t.Errorf("%s: state %d after the wait", scope, h.State)
			}
		}
	})
}

func TestThrottlingConcernsItsCredentialAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.credential = func(scope string) string { return strings.SplitN(scope, "/", 2)[0] }
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if strings.HasPrefix(scope, "acme/") {
				return sources.Batch[sources.Run]{}, &sources.Error{
					Kind: sources.Throttled, Op: "list runs", Scope: scope, Msg: "slow down", RetryAt: time.Now().Add(10 * time.Minute),
				}
			}
			return batch(scope, n, sources.Quiet), nil
		})
		b := run(t, poll.Options{Concurrency: 1})
		b.Set(feeds(p, "acme/a", "acme/b", "other/c"))
		time.Sleep(5 * time.Minute)
		if a, c := len(p.times("acme/a")), len(p.times("other/c")); a != 1 || c < 5 {
			t.Errorf("the throttled credential was used %d times, the other one %d times", a, c)
		}
		if h := b.feed(t, "acme/b").Health; h.State != store.Throttled || h.Err.Scope != "acme/b" {
			t.Errorf("the feed that waits with it: state %d, %v, which is another feed's error", h.State, h.Err)
		}
	})
}

// A source that was opened anew, with another token say, is not held to what the old one was told.
func TestAnotherSourceIsNotThrottledByTheOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, fresh := newProvider("github"), newProvider("github")
		old.set(func(context.Context, string, int) (sources.Batch[sources.Run], error) {
			return sources.Batch[sources.Run]{}, &sources.Error{
				Kind: sources.Throttled, Op: "list runs", Msg: "slow down", RetryAt: time.Now().Add(time.Hour),
			}
		})
		fresh.set(always(sources.Quiet))
		b := run(t, poll.Options{})
		b.Set(feeds(old, "acme/a", "acme/b"))
		time.Sleep(time.Second)
		b.Set(feeds(fresh, "acme/a", "acme/b"))
		time.Sleep(time.Second)
		synctest.Wait()
		for _, scope := range []string{"acme/a", "acme/b"} {
			if h := b.feed(t, scope).Health; h.State != store.Healthy {
				t.Errorf("%s: state %d, %v", scope, h.State, h.Err)
			}
		}
	})
}

func TestNudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(always(sources.Quiet))
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a", "acme/b"))
		time.Sleep(10 * time.Second)
		for range 5 {
			b.Nudge(runsKey("acme/a"), runsKey("acme/none"))
		}
		synctest.Wait()
		if got := p.last("acme/a"); got != 10*time.Second {
			t.Errorf("nudged at 10 s, read at %s", got)
		}
		for range 5 { // in flight
			time.Sleep(100 * time.Millisecond)
			b.Nudge(runsKey("acme/a"))
		}
		time.Sleep(10 * time.Second)
		if got := p.times("acme/a"); len(got) != 3 || got[2] != 11*time.Second {
			t.Errorf("read at %v: five nudges meanwhile are one more read, right after", got)
		}
		if got := p.times("acme/b"); len(got) != 1 {
			t.Errorf("the other feed was read at %v", got)
		}
		b.Nudge()
		synctest.Wait()
		if a, other := p.last("acme/a"), p.last("acme/b"); a != other || a != time.Since(p.start) {
			t.Errorf("nudged all at %s, read at %s and %s", time.Since(p.start), a, other)
		}
		if _, overlap := p.together(); overlap {
			t.Error("a feed was read twice at once")
		}
	})
}

func TestNudgesInARowAreASecondApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a"))
		for range 100 {
			b.Nudge()
			time.Sleep(50 * time.Millisecond)
		}
		if n := len(p.times("acme/a")); n > 6 {
			t.Errorf("read %d times in 5 s", n)
		}
	})
}

func TestAFailingFeedTriesAtOnceWhenNudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(context.Context, string, int) (sources.Batch[sources.Run], error) {
			return sources.Batch[sources.Run]{}, errors.New("no")
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a"))
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		p.set(nil)
		b.Nudge()
		time.Sleep(time.Second)
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Healthy {
			t.Errorf("state %d a second after the nudge", h.State)
		}
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(ctx context.Context, _ string, _ int) (sources.Batch[sources.Run], error) {
			<-ctx.Done()
			return sources.Batch[sources.Run]{}, ctx.Err()
		})
		b := run(t, poll.Options{Timeout: 20 * time.Second})
		b.Set(feeds(p, "acme/a"))
		time.Sleep(20*time.Second + time.Millisecond)
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Failing || h.Err.Msg != "no answer within 20s" || h.Err.Fix == "" || h.Latency != 20*time.Second {
			t.Errorf("health %+v", h)
		}
	})
}

func TestADriverThatIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if scope == "acme/stuck" && n == 0 {
				time.Sleep(10 * time.Minute)
			}
			return batch(scope, n, sources.Quiet), nil
		})
		b := run(t, poll.Options{Timeout: 20 * time.Second})
		b.Set(feeds(p, "acme/stuck", "acme/b"))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if h := b.feed(t, "acme/stuck").Health; h.State != store.Failing || h.Err.Msg != "no answer, and the read does not stop" {
			t.Errorf("health %+v", h)
		}
		b.Nudge()
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		_, overlap := p.together()
		if got := p.times("acme/stuck"); len(got) != 1 || overlap {
			t.Errorf("read at %v while the first read was still there", got)
		}
		if n := len(p.times("acme/b")); n < 8 {
			t.Errorf("the other feed was read %d times", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if h := b.feed(t, "acme/stuck").Health; h.State != store.Healthy {
			t.Errorf("state %d after it came back", h.State)
		}
	})
}

func TestAPanicIsTheFeedsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("github")
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			if scope == "acme/a" && n < 2 {
				panic("index out of range")
			}
			return batch(scope, n, sources.Quiet), nil
		})
		b := run(t, poll.Options{})
		b.Set(feeds(p, "acme/a", "acme/b"))
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Failing || !strings.Contains(h.Err.Err.Error(), "index out of range") {
			t.Errorf("health %+v", h)
		}
		if h := b.feed(t, "acme/b").Health; h.State != store.Healthy {
			t.Errorf("the other feed's state is %d", h.State)
		}
		if !strings.Contains(b.log.String(), "helpers_test.go") {
			t.Errorf("the log does not say where:\n%s", b.log)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Healthy {
			t.Errorf("state %d after the crashes ended", h.State)
		}
	})
}

func TestAWrongCapabilityIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, poll.Options{})
		b.Set([]poll.Feed{feed(&sourcetest.Base{ID: "github"}, "acme/a")})
		synctest.Wait()
		if h := b.feed(t, "acme/a").Health; h.State != store.Refused || sources.KindOf(h.Err) != sources.Unsupported {
			t.Errorf("health %+v", h)
		}
	})
}

func TestUnattended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, pages := newProvider("github"), &pager{}
		pages.ID = "pagerduty"
		b := run(t, poll.Options{})
		b.Set(append(feeds(p, "acme/a"), poll.Feed{
			Key: store.FeedKey{Source: "pagerduty", Capability: store.Incidents, Scope: "account"}, Source: pages,
		}))
		time.Sleep(time.Minute)
		b.Attend(true)
		b.Attend(false)
		from := len(p.times("acme/a"))
		time.Sleep(14 * time.Minute)
		if n := len(p.times("acme/a")) - from; n < 13 {
			t.Errorf("read %d times in the first 14 min without anybody", n)
		}
		time.Sleep(2 * time.Minute)
		from = len(p.times("acme/a"))
		paged := pages.reads.Load()
		time.Sleep(time.Hour)
		if n := len(p.times("acme/a")) - from; n < 15 || n > 18 {
			t.Errorf("read %d times in an hour without anybody, want a quarter of 65", n)
		}
		if n := pages.reads.Load() - paged; n < 350 {
			t.Errorf("pages were read %d times in that hour, want every 10 s as ever", n)
		}
		for time.Since(p.start)-p.last("acme/a") < 70*time.Second {
			time.Sleep(time.Second)
		}
		b.Attend(true)
		synctest.Wait()
		if age := time.Since(p.start) - p.last("acme/a"); age != 0 {
			t.Errorf("somebody is back, and the last read is %s old", age)
		}
		from = len(p.times("acme/a"))
		time.Sleep(10 * time.Minute)
		if n := len(p.times("acme/a")) - from; n < 10 {
			t.Errorf("read %d times in 10 min after that", n)
		}
	})
}

type pager struct {
	sourcetest.Base
	reads atomic.Int64
}

func (p *pager) ListIncidents(context.Context, sources.Query) (sources.Batch[sources.Incident], error) {
	p.reads.Add(1)
	return sources.Batch[sources.Incident]{}, nil
}
