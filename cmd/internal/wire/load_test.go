package wire

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/world"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
)

// asked is one request that a provider saw, and what it says of its limit.
type asked struct {
	at     time.Time // the bubble's
	family string    // "pagerduty", or Datadog's name of endpoints that share a limit
	method string
	path   string
	query  url.Values
	status int
	limit  int // requests a period
	period time.Duration
}

// noting passes requests on and notes them.
type noting struct {
	*inTime

	list []asked
}

func (n *noting) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := n.inTime.RoundTrip(r)
	if res == nil {
		return res, err
	}
	one := asked{at: time.Now(), method: r.Method, path: r.URL.Path, query: r.URL.Query(), status: res.StatusCode}
	switch h := res.Header; {
	case strings.HasPrefix(r.URL.Path, "/pagerduty/"):
		one.family, one.period = "pagerduty", time.Minute
		one.limit, _ = strconv.Atoi(h.Get("Ratelimit-Limit"))
	case h.Get("X-Ratelimit-Name") != "":
		one.family = h.Get("X-Ratelimit-Name")
		one.limit, _ = strconv.Atoi(h.Get("X-Ratelimit-Limit"))
		seconds, _ := strconv.Atoi(h.Get("X-Ratelimit-Period"))
		one.period = time.Duration(seconds) * time.Second
	default:
		one.family = "github"
	}
	n.mu.Lock()
	n.list = append(n.list, one)
	n.mu.Unlock()
	return res, err
}

// attended runs the board of sim for so long, with somebody before it who looks at a service, and returns what
// it asked for and what it knew at the end. Each look sees the board once a second.
func attended(tb testing.TB, sim *simulator.Simulator, token, service string, lasts time.Duration, look func(*store.Snapshot, time.Time)) ([]asked, *store.Snapshot) {
	tb.Helper()
	net := &noting{inTime: newInTime(sim, 200*time.Millisecond)}
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
	b.Watch(pane.Watch{Service: service, Span: time.Hour, Step: 30 * time.Second})
	for second := range int(lasts / time.Second) {
		if second%60 == 0 {
			b.Attend(true)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		look(b.Snapshot(), net.now())
	}
	snap := b.Snapshot()
	cancel()
	if err := <-ran; err != nil {
		tb.Fatal(err)
	}
	if err := b.Close(); err != nil {
		tb.Fatal(err)
	}
	return net.list, snap
}

// share is the most that was asked for in any period of a limit, and that limit.
type share struct {
	most, limit, total int
	period             time.Duration
}

func (s share) part() float64 { return float64(s.most) / float64(s.limit) }

// shares are those of every limit that the providers told of, after a start.
func shares(list []asked, start time.Duration) map[string]share {
	out := map[string]share{}
	if len(list) == 0 {
		return out
	}
	from := list[0].at.Add(start)
	times := map[string][]time.Time{}
	for _, a := range list {
		if a.limit == 0 {
			continue
		}
		s := out[a.family]
		s.limit, s.period = a.limit, a.period
		s.total++
		// What a minute grants may be used up faster while a board starts; what an hour grants may not.
		if a.period > time.Minute || !a.at.Before(from) {
			recent := append(times[a.family], a.at)
			for !recent[0].After(a.at.Add(-a.period)) {
				recent = recent[1:]
			}
			times[a.family] = recent
			s.most = max(s.most, len(recent))
		}
		out[a.family] = s
	}
	return out
}

// TestStoryCost holds what an hour of the demo's board costs at each provider, attended all the time, while the
// night goes wrong in it: no more than a tenth of any limit that the providers tell of, and its pages are
// seen soon all the same.
func TestStoryCost(t *testing.T) {
	t.Parallel()
	sim, token := load(t, world.Scale{})
	synctest.Test(t, func(t *testing.T) {
		var oldest time.Duration
		begin := time.Now()
		list, _ := attended(t, sim, token, "checkout", time.Hour, func(s *store.Snapshot, now time.Time) {
			if time.Since(begin) < time.Minute {
				return
			}
			for f := range s.FeedsOf(store.Incidents) {
				oldest = max(oldest, now.Sub(f.Health.LastGood))
			}
		})
		all := shares(list, time.Minute)
		for name, s := range all {
			t.Logf("%-18s %4d requests, at most %d in %s: %.1f %% of %d", name, s.total, s.most, s.period, 100*s.part(), s.limit)
			if s.part() > 0.1 {
				t.Errorf("%s: %d requests within %s are more than a tenth of %d", name, s.most, s.period, s.limit)
			}
		}
		for _, name := range []string{"pagerduty", "query_v2", "monitors", "incidents"} {
			if all[name].total == 0 {
				t.Errorf("%s was never asked", name)
			}
		}
		t.Logf("incidents were at most %s old", oldest.Round(time.Millisecond))
		if oldest == 0 || oldest > 12*time.Second {
			t.Errorf("incidents were %s old, want at most 12s: the rate budget slows them down", oldest)
		}
	})
}

// TestManyIncidents holds what 800 open incidents and 5,000 alerts cost: a refresh asks for as many pages as
// there are, and for nothing once more for each row.
func TestManyIncidents(t *testing.T) {
	t.Parallel()
	const open, page = 800, 100
	sim, token := load(t, world.Scale{Repositories: 20, Runs: 200, Incidents: open, Alerts: 5000, Series: 200, Monitors: 200})
	lasts := 10 * time.Minute
	if sourcetest.Slowed { // a refresh is many times as dear, and each is like the one before
		lasts = 3 * time.Minute
	}
	synctest.Test(t, func(t *testing.T) {
		list, snap := attended(t, sim, token, "service-001", lasts, func(*store.Snapshot, time.Time) {})
		known := 0
		for f := range snap.FeedsOf(store.Incidents) {
			if f.Health.State != store.Healthy {
				t.Errorf("%s: %v %v", f.Key, f.Health.Err, f.Health.Notices)
			}
			if f.Key.Source == "pagerduty" {
				known += len(f.Incidents)
			}
		}
		if known != open {
			t.Fatalf("%d incidents are known of %d", known, open)
		}
		refreshes, pages := 0, map[string]int{}
		for _, a := range list {
			if a.family != "pagerduty" {
				continue
			}
			name := strings.TrimPrefix(a.path, "/pagerduty")
			if parts := strings.Split(name, "/"); len(parts) > 2 {
				t.Errorf("%s %s asks for one thing: for one row", a.method, name)
			}
			past := a.query.Has("since") // what has ended is a list of its own
			if name != "/incidents" || past {
				continue
			}
			offset := a.query.Get("offset")
			pages[offset]++
			if offset == "" || offset == "0" {
				refreshes++
			}
		}
		if refreshes < 10 || len(pages) != open/page {
			t.Fatalf("%d refreshes of %d pages, want several of %d: %v", refreshes, len(pages), open/page, pages)
		}
		for offset, n := range pages {
			if n < refreshes-1 || n > refreshes {
				t.Errorf("the page at %q was asked for %d times in %d refreshes", offset, n, refreshes)
			}
		}
		for name, s := range shares(list, time.Minute) {
			t.Logf("%-18s %4d requests, at most %d in %s: %.1f %% of %d", name, s.total, s.most, s.period, 100*s.part(), s.limit)
			if s.part() > 0.1 {
				t.Errorf("%s: %d requests within %s are more than a tenth of %d", name, s.most, s.period, s.limit)
			}
		}
	})
}
