package wire

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/world"
	"example.com/signalbox/sources/store"
)

// inTime carries requests into a simulator whose clock it keeps at that of the test's bubble, and lets each
// answer take a while.
type inTime struct {
	sim     *simulator.Simulator
	handler http.Handler
	latency time.Duration

	mu    sync.Mutex
	epoch time.Time // of the bubble
	begin time.Time // of the world
}

func newInTime(sim *simulator.Simulator, latency time.Duration) *inTime {
	return &inTime{sim: sim, handler: sim.Handler(), latency: latency, epoch: time.Now(), begin: sim.Now()}
}

// now brings the world's clock up to the bubble's.
func (t *inTime) now() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.begin.Add(time.Since(t.epoch))
	if d := now.Sub(t.sim.Now()); d > 0 {
		t.sim.Advance(d)
	}
	return now
}

func (t *inTime) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(t.latency) // the bubble's time
	t.now()
	rec := httptest.NewRecorder()
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	t.handler.ServeHTTP(rec, in)
	answer := rec.Result()
	answer.Request = r
	return answer, r.Context().Err()
}

// account is what an hour of a board brought and cost.
type account struct {
	start   simulator.Usage // the first minute
	usage   simulator.Usage // the hour after it
	running int             // looks at a repository in which something ran
	oldest  time.Duration   // a running pipeline's data, at worst
	started int             // runs that began in quiet repositories
	slowest time.Duration   // until one of them was seen, at worst
	unseen  int
}

// hour runs the real engine with the real driver for an hour on 20 repositories with 3 running pipelines, and
// looks at the store once a second, as a person would at the screen. Now and then it starts a run in a
// repository where nothing moves.
func hour(tb testing.TB, sim *simulator.Simulator, token string) account {
	tb.Helper()
	net := newInTime(sim, 350*time.Millisecond)
	cfg, err := config.Parse("board.yaml", sim.Config("file:"+token), LoadOptions())
	if err != nil {
		tb.Fatal(err)
	}
	cfg.Files = nil
	b, err := New(Options{Config: cfg, Now: net.now, Lookup: os.LookupEnv, Private: true, Stateless: true, Transport: net})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- b.Run(ctx) }()

	var a account
	waiting := map[string]time.Time{} // "repository run" → when it was started
	const settle = time.Minute
	for second := range int((time.Hour + settle) / time.Second) {
		time.Sleep(time.Second)
		synctest.Wait()
		if time.Duration(second)*time.Second == settle {
			a.start = sim.Usage()
			sim.ResetUsage()
		}
		if second > 60 && second%127 == 0 && second < 3500 {
			repo := fmt.Sprintf("load/service-%03d", 4+second/127%17)
			waiting[repo+" "+net.dispatch(tb, repo)] = net.now()
			a.started++
		}
		if second >= 60 {
			a.look(b.Snapshot(), net.now(), waiting)
		}
	}
	a.unseen = len(waiting)
	a.usage = sim.Usage()
	cancel()
	if err := <-ran; err != nil {
		tb.Fatal(err)
	}
	if err := b.Close(); err != nil {
		tb.Fatal(err)
	}
	return a
}

// look notes how old what runs is, and which of the awaited runs are there.
func (a *account) look(s *store.Snapshot, now time.Time, waiting map[string]time.Time) {
	for f := range s.FeedsOf(store.Runs) {
		runs := false
		for i := range f.Runs {
			r := &f.Runs[i]
			runs = runs || r.State == sources.StateRunning
			if since, ok := waiting[f.Key.Scope+" "+r.Ref.ID]; ok {
				a.slowest = max(a.slowest, now.Sub(since))
				delete(waiting, f.Key.Scope+" "+r.Ref.ID)
			}
		}
		if runs {
			a.running++
			a.oldest = max(a.oldest, now.Sub(f.Health.LastGood))
		}
	}
}

// dispatch starts a run and returns its number.
func (t *inTime) dispatch(tb testing.TB, repo string) string {
	tb.Helper()
	t.now()
	url := t.sim.APIURL() + "/repos/" + repo + "/actions/workflows/ci.yml/dispatches"
	r := httptest.NewRequest(http.MethodPost, url, strings.NewReader(`{"ref":"main","return_run_details":true}`))
	r.Header.Set("Authorization", "Bearer "+t.sim.Token())
	rec := httptest.NewRecorder()
	t.handler.ServeHTTP(rec, r)
	_, rest, ok := strings.Cut(rec.Body.String(), `"workflow_run_id":`)
	if !ok {
		tb.Fatalf("dispatch in %s: %d %s", repo, rec.Code, rec.Body)
	}
	return strings.TrimSpace(strings.FieldsFunc(rest, func(c rune) bool { return c == ',' || c == '}' })[0])
}

// load is a world to measure in, and the file of its token. It is served outside of any bubble.
func load(tb testing.TB, scale world.Scale) (sim *simulator.Simulator, token string) {
	tb.Helper()
	sim, err := simulator.Start(tb.Context(), simulator.Options{Scale: scale})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = sim.Close() })
	token = filepath.Join(tb.TempDir(), "token")
	if err := os.WriteFile(token, []byte(sim.Token()), 0o600); err != nil {
		tb.Fatal(err)
	}
	return sim, token
}

// TestCost holds what a board of 20 repositories with 3 running pipelines costs in an hour, and how old what
// it shows gets: the real engine, the real driver, the simulator's account, a clock of the test's own.
func TestCost(t *testing.T) {
	t.Parallel()
	sim, token := load(t, world.Scale{Repositories: 20, Running: 3, Runs: 2000})
	synctest.Test(t, func(t *testing.T) {
		a := hour(t, sim, token)
		u := a.usage
		t.Logf("an hour: %d requests, %d not modified, %d charged: %.1f %% of 5,000; running pipelines at most %s old; %d new runs seen within %s; the start: %d charged",
			u.Requests, u.NotModified, u.Charged, float64(u.Charged)/50, a.oldest.Round(time.Millisecond), a.started, a.slowest.Round(time.Millisecond), a.start.Charged)
		if u.Charged+a.start.Charged >= 1000 {
			t.Errorf("%d requests were charged at the start and %d in the hour after it, want under 1,000: %+v", a.start.Charged, u.Charged, u.Endpoints)
		}
		if a.oldest > 15*time.Second {
			t.Errorf("a running pipeline's data was %s old, want at most 15s", a.oldest)
		}
		if a.slowest > time.Minute || a.unseen > 0 {
			t.Errorf("a new run was seen after %s, and %d never, want each within a minute", a.slowest, a.unseen)
		}
		if a.running < 3*3600/2 || a.started < 20 {
			t.Errorf("only %d looks at what runs and %d new runs: that is no test", a.running, a.started)
		}
		if len(u.Complaints) > 0 {
			t.Errorf("complaints: %+v", u.Complaints)
		}
	})
}

// BenchmarkCost prints the same figures.
func BenchmarkCost(b *testing.B) {
	for b.Loop() {
		sim, token := load(b, world.Scale{Repositories: 20, Running: 3, Runs: 2000})
		var a account
		// Only a test may have a clock of its own.
		if !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "hour", F: func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { a = hour(t, sim, token) })
		}}}) {
			b.Fatal("the hour failed")
		}
		b.ReportMetric(a.usage.PerHour(), "charged/hour")
		b.ReportMetric(a.usage.PerHour()/50, "%of5000")
		b.ReportMetric(float64(a.start.Charged), "charged/start")
		b.ReportMetric(a.oldest.Seconds(), "s-oldest-running")
		b.ReportMetric(a.slowest.Seconds(), "s-slowest-new")
	}
}
