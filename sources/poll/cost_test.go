package poll_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/state"
	"example.com/signalbox/sources/store"
)

// hub stands for GitHub, in numbers: repositories some of which have running pipelines, a list of runs
// and of deployments for each, the jobs of each running pipeline, and conditional requests that are free
// when nothing has changed.
type hub struct {
	provider
	budget  *state.Budget
	running int           // the first so many repositories
	step    time.Duration // a running pipeline's jobs change this often, its place in the list half as often
	sent    int           // all requests
	counted int           // those that the provider counted
	refused int
	etags   map[string]string
}

func newHub(running int, step time.Duration) *hub {
	h := &hub{running: running, step: step, etags: make(map[string]string), budget: state.NewBudget(nil, state.BudgetOptions{})}
	h.ID, h.start, h.reads, h.inFlight = "github", time.Now(), make(map[string][]time.Duration), make(map[string]int)
	h.runs = h.listRuns
	h.environments = h.listEnvironments
	return h
}

func (h *hub) live(scope string) bool {
	var n int
	_, err := fmt.Sscanf(scope, "acme/%d", &n)
	return err == nil && n < h.running
}

// request is one conditional request; every is how often what it asks for changes, 0 for never.
func (h *hub) request(what string, every time.Duration) (changed bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.budget.For("github", state.Limit{})
	if err := b.Take("token"); err != nil {
		h.refused++
		return false, err
	}
	etag := "1"
	if every > 0 {
		etag = fmt.Sprint(time.Since(h.start) / every)
	}
	h.sent++
	if h.etags[what] == etag {
		b.Refund("token")
		return false, nil
	}
	h.etags[what] = etag
	h.counted++
	return true, nil
}

func (h *hub) listRuns(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
	time.Sleep(300 * time.Millisecond)
	if !h.live(scope) {
		changed, err := h.request("runs of "+scope, 0)
		if err == nil && !changed {
			err = sources.ErrNotModified
		}
		return batch(scope, 1, sources.Quiet), err
	}
	changed, err := h.request("runs of "+scope, 2*h.step)
	if err != nil {
		return sources.Batch[sources.Run]{}, err
	}
	more, err := h.request("jobs of "+scope, h.step)
	if err == nil && !changed && !more {
		err = sources.ErrNotModified
	}
	return batch(scope, n, sources.Live), err
}

func (h *hub) listEnvironments(_ context.Context, scope string, _ int) (sources.Batch[sources.Environment], error) {
	time.Sleep(300 * time.Millisecond)
	every := time.Duration(0)
	if h.live(scope) {
		every = 5 * time.Minute
	}
	for _, what := range []string{"environments of ", "deployments of ", "statuses of "} {
		if _, err := h.request(what+scope, every); err != nil {
			return sources.Batch[sources.Environment]{}, err
		}
	}
	return sources.Batch[sources.Environment]{}, nil
}

func (h *hub) feeds(n int) []poll.Feed {
	var list []poll.Feed
	for _, scope := range repos(n) {
		f := feed(h, scope)
		list = append(list, f)
		f.Key.Capability = store.Environments
		list = append(list, f)
	}
	return list
}

// gaps is the longest time between two reads of any of scopes' runs, from the second read on, and what
// an object's age may have come to: that and the time of an answer.
func (h *hub) gaps(scopes []string) (longest time.Duration) {
	for _, scope := range scopes {
		times := h.times(scope)
		for i := 1; i < len(times); i++ {
			longest = max(longest, times[i]-times[i-1]+300*time.Millisecond)
		}
	}
	return longest
}

// simulate polls n repositories, of which the first running are live, for an hour.
func simulate(t *testing.T, h *hub, n int) {
	t.Helper()
	st := store.New(nil, time.Now)
	e := poll.New(poll.Options{Store: st, Budget: h.budget})
	go e.Run(t.Context())
	e.Set(h.feeds(n))
	time.Sleep(time.Hour)
	e.Close()
}

// TestCost holds the arithmetic of the issue: 20 repositories with 3 running pipelines, whose jobs move
// on every 30 s.
func TestCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(3, 30*time.Second)
		simulate(t, h, 20)
		all := repos(20)
		live, quiet := h.gaps(all[:3]), h.gaps(all[3:])
		t.Logf("an hour: %d requests, %d counted (%.1f %% of 5,000); running at most %s old, new runs seen within %s",
			h.sent, h.counted, float64(h.counted)/50, live, quiet)
		if live > 15*time.Second {
			t.Errorf("a running pipeline was %s old, want at most 15 s", live)
		}
		if quiet > time.Minute {
			t.Errorf("a new run in a quiet repository was seen after %s, want within a minute", quiet)
		}
		if h.counted >= 1000 || h.refused > 0 {
			t.Errorf("%d requests were counted and %d refused, want under 1,000 and none", h.counted, h.refused)
		}
		if h.sent < 2*17*60+3*240 {
			t.Errorf("only %d requests were sent: the simulation does not do what it says", h.sent)
		}
	})
}

// TestATightBudgetStretchesQuietFeedsFirst lets every request count, which no schedule can afford.
func TestATightBudgetStretchesQuietFeedsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(2, 20*time.Second)
		h.runs = func(ctx context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			h.mu.Lock()
			clear(h.etags)
			h.mu.Unlock()
			return h.listRuns(ctx, scope, n)
		}
		st := store.New(nil, time.Now)
		e := poll.New(poll.Options{Store: st, Budget: h.budget})
		go e.Run(t.Context())
		var list []poll.Feed
		for _, f := range h.feeds(30) {
			if f.Key.Capability == store.Runs {
				list = append(list, f)
			}
		}
		e.Set(list)
		most := 0
		for range 36 {
			time.Sleep(5 * time.Minute)
			most = max(most, h.budget.Usage("github", "").Used)
		}
		synctest.Wait()
		if u := h.budget.Usage("github", ""); u.Used > u.Limit*9/10 || u.Used < u.Limit/2 {
			t.Errorf("%d of %d requests were used in the last hour: want most, and some left for people", u.Used, u.Limit)
		}
		if h.refused > 0 || most > 960 {
			t.Errorf("%d requests were refused, up to %d used in an hour: the intervals should have grown in time", h.refused, most)
		}
		quiet := st.Snapshot().Feed(runsKey("acme/20")).Health
		live := st.Snapshot().Feed(runsKey("acme/01")).Health
		if quiet.Interval <= 2*time.Minute || quiet.Interval > 10*time.Minute || live.Interval > time.Minute {
			t.Errorf("intervals: quiet %s, live %s", quiet.Interval, live.Interval)
		}
		if quiet.Staleness(time.Now()) != store.Fresh {
			t.Error("a feed that is read as often as the budget allows shows as stale")
		}
		e.Close()
	})
}

func TestRunningPipelinesKeepTheirPaceWhileQuietOnesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &budget{u: state.Usage{Limit: 1000, Window: time.Hour, Boards: 1, Used: 650}}
		p := newProvider("github")
		p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			b.spend(1)
			if scope == "acme/00" {
				return batch(scope, n, sources.Live), nil
			}
			return batch(scope, n, sources.Quiet), nil
		})
		e := run(t, poll.Options{Budget: b})
		e.Set(feeds(p, repos(20)...))
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := e.feed(t, "acme/00").Health.Interval; got != 13*time.Second {
			t.Errorf("live every %s, want every 13 s", got)
		}
		if got := e.feed(t, "acme/10").Health.Interval; got < 100*time.Second {
			t.Errorf("quiet every %s, want it stretched", got)
		}
		from := p.times("acme/10")
		b.mu.Lock()
		b.u.Boards = 0
		b.u.Limit = 15000
		b.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := e.feed(t, "acme/10").Health.Interval; got != 55*time.Second {
			t.Errorf("quiet every %s with budget to spare, after %d reads, want every 55 s", got, len(p.times("acme/10"))-len(from))
		}
	})
}

// A provider that counts kinds of requests apart: what the one kind has used up does not slow down the reads
// that spend another.
func TestBudgetsOfOneCredentialAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &budgets{list: []state.Usage{
			{Key: "tight", Limit: 20, Window: time.Hour, Boards: 1, Used: 5}, {Key: "wide", Limit: 1000, Window: time.Hour, Boards: 1},
		}}
		p := newProvider("github")
		p.set(func(ctx context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
			select {
			case <-time.After(5 * time.Second): // so that now and then one meets the other
			case <-ctx.Done():
				return sources.Batch[sources.Run]{}, ctx.Err()
			}
			if scope == "acme/00" {
				b.spend(0)
			} else {
				b.spend(1)
			}
			return batch(scope, n, sources.Quiet), nil
		})
		e := run(t, poll.Options{Budget: b})
		e.Set(feeds(p, repos(2)...))
		slowest := time.Duration(0)
		for range 120 {
			time.Sleep(time.Minute)
			synctest.Wait()
			slowest = max(slowest, e.feed(t, "acme/01").Health.Interval)
		}
		if got := e.feed(t, "acme/00").Health.Interval; got < 2*time.Minute {
			t.Errorf("the tight budget is asked of every %s, want it stretched", got)
		}
		if n := len(p.times("acme/01")); n < 115 {
			t.Errorf("the wide one is asked %d times in two hours, at most every %s: want every 55 s", n, slowest)
		}
	})
}

func TestBoardsShareTheBudget(t *testing.T) {
	interval := func(boards, used, remaining int) time.Duration {
		var got time.Duration
		synctest.Test(t, func(t *testing.T) {
			b := &budget{u: state.Usage{Limit: 1000, Window: time.Hour, Boards: boards, Used: used}}
			if remaining > 0 {
				b.u.Rate = sources.Rate{Limit: 5000, Remaining: remaining, Reset: time.Now().Add(3 * time.Hour)}
			}
			p := newProvider("github")
			p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
				b.spend(1)
				return batch(scope, n, sources.Quiet), nil
			})
			e := run(t, poll.Options{Budget: b})
			e.Set(feeds(p, repos(10)...))
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			got = e.feed(t, "acme/05").Health.Interval
			e.Close()
		})
		return got
	}
	alone, four := interval(1, 650, 0), interval(4, 650, 0)
	if alone != 55*time.Second || four < 150*time.Second {
		t.Errorf("alone every %s, with three others every %s", alone, four)
	}
	if got := interval(1, 980, 0); got < 3*time.Minute {
		t.Errorf("with the window's budget nearly used up every %s", got)
	}
	if got := interval(1, 0, 300); got < 90*time.Second {
		t.Errorf("with little that others have left every %s", got)
	}
}

func TestHealthShowsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate := sources.Rate{Limit: 5000, Remaining: 4321, Reset: time.Now().Add(time.Hour)}
		b := run(t, poll.Options{Budget: &budget{u: state.Usage{Limit: 1000, Window: time.Hour, Rate: rate}}})
		b.Set(feeds(newProvider("github"), "acme/a"))
		synctest.Wait()
		if got := b.feed(t, "acme/a").Health.Rate; got != rate {
			t.Errorf("rate %+v, want %+v", got, rate)
		}
	})
}

// BenchmarkHour polls 20 repositories with 3 running pipelines for a simulated hour, and prints what the
// provider counts and how old things get.
func BenchmarkHour(b *testing.B) {
	for b.Loop() {
		h := hourOf(b)
		all := repos(20)
		b.ReportMetric(float64(h.sent), "requests/h")
		b.ReportMetric(float64(h.counted), "counted/h")
		b.ReportMetric(float64(h.counted)/50, "%of5000")
		b.ReportMetric(h.gaps(all[:3]).Seconds(), "s-running-age")
		b.ReportMetric(h.gaps(all[3:]).Seconds(), "s-new-run-seen")
	}
}

// hourOf runs TestCost's hour in a bubble, which only a *testing.T can have.
func hourOf(b *testing.B) (h *hub) {
	b.Helper()
	ok := testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: "hour",
		F: func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h = newHub(3, 30*time.Second)
				simulate(t, h, 20)
			})
		},
	}})
	if !ok || h == nil {
		b.Fatal("the simulated hour failed")
	}
	return h
}

// BenchmarkRead is what one read that was not modified costs the engine.
func BenchmarkRead(b *testing.B) {
	p := newProvider("github")
	var reads int
	done := make(chan struct{})
	p.set(func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
		if reads++; reads == b.N {
			close(done)
		}
		if n > 0 {
			return sources.Batch[sources.Run]{}, sources.ErrNotModified
		}
		return batch(scope, n, sources.Live), nil
	})
	elapsed := time.Duration(0)
	e := poll.New(poll.Options{
		Store:   store.New(nil, time.Now),
		Pace:    func(store.Capability) poll.Pace { return poll.Pace{} },
		Elapsed: func() time.Duration { elapsed += time.Second; return elapsed },
		Wall:    time.Now,
	})
	e.Set(feeds(p, strings.Fields("acme/a")...))
	b.ReportAllocs()
	b.ResetTimer()
	go e.Run(b.Context())
	<-done
	b.StopTimer()
	e.Close()
}
