package simulator_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/simulator/world"
)

// TestDeterminism holds that the same seed, start and requests give the same bytes, and another seed
// others.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	tell := func(seed int64) string {
		c := start(t, simulator.Options{Seed: seed, Token: "fixed"})
		var b strings.Builder
		look := func() {
			for _, repo := range []string{"checkout", "web", "money", "accounts"} {
				for _, path := range []string{"/actions/runs?per_page=30", "/deployments?per_page=30", "/environments?per_page=30", "/commits?per_page=30"} {
					a := c.get("/repos/acme/" + repo + path)
					fmt.Fprintf(&b, "%s %s\n%s\n", a.Header.Get("X-RateLimit-Remaining"), a.Header.Get("Date"), a.body)
				}
			}
			for _, path := range []string{"/incidents?date_range=all&limit=100&include[]=first_trigger_log_entries", "/log_entries?limit=100", "/oncalls?limit=100", "/change_events?limit=100", "/services?limit=100", "/users?limit=100"} {
				b.Write(c.pd(200, http.MethodGet, path, "").body)
			}
			b.Write(c.get("/-/world").body)
		}
		look()
		rollBack(c)
		c.sim.Advance(40 * time.Minute)
		look()
		return strings.ReplaceAll(b.String(), c.sim.URL(), "http://simulator")
	}
	one, same, other := tell(5), tell(5), tell(6)
	if one != same {
		t.Error("one seed told two stories")
	}
	if one == other {
		t.Error("two seeds told one story")
	}
}

// TestAdvanceInSteps holds that it does not matter in how many steps the clock is put forward.
func TestAdvanceInSteps(t *testing.T) {
	t.Parallel()
	a, b := start(t, simulator.Options{Seed: 4}), start(t, simulator.Options{Seed: 4})
	a.sim.Advance(time.Hour)
	for range 60 {
		b.sim.Advance(time.Minute)
	}
	if x, y := a.get("/-/world").body, b.get("/-/world").body; string(x) != string(y) {
		t.Error("an hour at once is another hour than sixty minutes")
	}
}

// TestStart holds the other start, the running clock and what is refused.
func TestStart(t *testing.T) {
	t.Parallel()
	for _, bad := range []simulator.Options{
		{Listen: "0.0.0.0:0"}, {Listen: ":0"}, {Listen: "192.0.2.1:0"}, {Listen: "example.com:0"}, {Listen: "nowhere"}, {Speed: -1}, {Speed: simulator.MaxSpeed + 1}, {Speed: math.NaN()},
	} {
		if s, err := simulator.Start(t.Context(), bad); err == nil {
			t.Errorf("%+v is taken", bad)
			_ = s.Close()
		}
	}
	for _, good := range []string{"", "127.0.0.1:0", "localhost:0"} {
		c := start(t, simulator.Options{Listen: good})
		c.get("/meta")
		if len(c.sim.Token()) < 30 {
			t.Errorf("the token %q is short", c.sim.Token())
		}
	}
	when := time.Date(2027, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	c := start(t, simulator.Options{Start: when})
	if p := c.incident("5xx above 2 % for 5m"); !c.sim.Now().Equal(when) || !p.Created.Equal(when.Add(-3*time.Minute)) {
		t.Errorf("at %s the page is %+v", c.sim.Now(), p)
	}
	fast := start(t, simulator.Options{Speed: 500})
	was := fast.sim.Now()
	for range 20 {
		now := fast.truth().Now
		if now.Before(was) {
			t.Fatalf("time went back from %s to %s", was, now)
		}
		was = now
	}
	if !was.After(simulator.Opening()) {
		t.Error("the clock stands still")
	}
}

// TestClose holds that nothing runs on, also with a request that hangs.
func TestClose(t *testing.T) { // not parallel: it counts goroutines
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := simulator.Start(ctx, simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.URL() + "/meta")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if err := s.Inject(fault.Rule{Path: "/user", Kind: fault.Hang}); err != nil {
		t.Fatal(err)
	}
	hung := make(chan error)
	go func() {
		resp, err := http.Get(s.URL() + "/user")
		if err == nil {
			_ = resp.Body.Close()
		}
		hung <- err
	}()
	cancel()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	<-hung // answered with nothing, or refused: what counts is that it ends
	http.DefaultClient.CloseIdleConnections()
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i > 1_000_000 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
	if resp, err := http.Get(s.URL() + "/meta"); err == nil {
		_ = resp.Body.Close()
		t.Error("still answers")
	}
}

// TestScale holds the size of a world for measurements, and that what runs there never ends.
func TestScale(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Scale: world.Scale{Repositories: 20, Running: 3, Runs: 400}})
	count := func() (runs, running int) {
		for i := range 20 {
			repo := fmt.Sprintf("load/service-%03d", i+1)
			runs += c.runs(repo, "event=push").TotalCount
			running += c.runs(repo, "status=in_progress").TotalCount
		}
		return runs, running
	}
	if runs, running := count(); runs != 403 || running != 3 {
		t.Errorf("%d runs, %d running", runs, running)
	}
	c.sim.Advance(time.Hour)
	if _, running := count(); running != 3 {
		t.Errorf("an hour later %d are running", running)
	}
	c.sim.ResetUsage()
	for range 10 {
		c.get("/repos/load/service-001/actions/runs?per_page=5")
	}
	c.sim.Advance(6 * time.Minute)
	if got := c.sim.Usage().PerHour(); got != 100 {
		t.Errorf("ten requests in six minutes are %g an hour", got)
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		world.Story(1, simulator.Opening())
	}
}

func BenchmarkStartScaled(b *testing.B) {
	for b.Loop() {
		world.Scaled(1, simulator.Opening(), world.Scale{Repositories: 20, Running: 3, Runs: 10_000})
	}
}

// BenchmarkRuns asks for a page of 100 runs: unchanged with its tag, and of a world that moves on.
func BenchmarkRuns(b *testing.B) {
	const path = "/repos/load/service-001/actions/runs?per_page=100"
	b.Run("not modified", func(b *testing.B) {
		c := start(b, simulator.Options{Scale: world.Scale{Repositories: 2, Runs: 1000}})
		tag := c.get(path).Header.Get("ETag")
		for b.Loop() {
			c.do(http.StatusNotModified, http.MethodGet, path, "", "If-None-Match", tag)
		}
	})
	b.Run("moving", func(b *testing.B) {
		c := start(b, simulator.Options{Scale: world.Scale{Repositories: 2, Running: 1, Runs: 1000}})
		for b.Loop() {
			c.sim.Advance(10 * time.Second)
			c.get(path)
		}
	})
}
