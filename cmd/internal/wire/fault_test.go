package wire

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
)

// ailment is one way in which a provider answers wrongly.
type ailment struct {
	name   string
	rule   fault.Rule
	states []store.HealthState // one of them is what a feed that meets it shows
	shared bool                // it concerns the whole credential: other feeds may wait too
	github bool                // only GitHub answers so
	slow   bool                // the driver waits for more than a test may: that it comes back, the poller's tests hold
}

func ailments() []ailment {
	failing := []store.HealthState{store.Failing}
	refused := []store.HealthState{store.Refused}
	throttled := []store.HealthState{store.Throttled}
	return []ailment{
		{name: "truncated", rule: fault.Rule{Kind: fault.Truncate}, states: failing},
		{name: "wrong types", rule: fault.Rule{Kind: fault.WrongTypes}, states: failing},
		{name: "HTML 502", rule: fault.Rule{Kind: fault.HTML}, states: failing},
		{name: "HTML 200", rule: fault.Rule{Kind: fault.HTML, Code: 200}, states: failing},
		{name: "error in a 200", rule: fault.Rule{Kind: fault.ErrorIn200}, states: failing},
		{name: "hung", rule: fault.Rule{Kind: fault.Hang}, states: failing},
		{name: "reset", rule: fault.Rule{Kind: fault.Reset}, states: failing},
		{name: "lost", rule: fault.Rule{Kind: fault.LostRequest}, states: failing},
		{name: "401", rule: fault.Rule{Kind: fault.Status, Code: http.StatusUnauthorized, Message: "Bad credentials"}, states: refused},
		{name: "403", rule: fault.Rule{Kind: fault.Status, Code: http.StatusForbidden, Message: "Resource not accessible"}, states: refused},
		{name: "404", rule: fault.Rule{Kind: fault.Status, Code: http.StatusNotFound, Message: "Not Found"}, states: refused},
		{name: "429", rule: fault.Rule{Kind: fault.Status, Code: http.StatusTooManyRequests}, states: throttled, shared: true, slow: true},
		{name: "429 and when", rule: fault.Rule{Kind: fault.Secondary, Code: http.StatusTooManyRequests, RetryAfter: 1}, states: throttled, shared: true},
		{name: "403 secondary", rule: fault.Rule{Kind: fault.Secondary, RetryAfter: 1}, states: throttled, shared: true, github: true},
		{name: "500", rule: fault.Rule{Kind: fault.Status, Code: http.StatusInternalServerError}, states: failing},
		{name: "503", rule: fault.Rule{Kind: fault.Status, Code: http.StatusServiceUnavailable}, states: failing},
		{name: "slow", rule: fault.Rule{Kind: fault.Latency, Delay: 300 * time.Millisecond}, states: []store.HealthState{store.Healthy}},
	}
}

// few are enough where others of the same provider meet all.
var few = []string{"truncated", "hung", "403", "429 and when", "500"}

// victims say which requests an ailment strikes, which feeds must show it, and which must not.
var victims = []struct {
	name, path string
	struck     func(store.FeedKey) bool
	spared     func(store.FeedKey) bool
	only       []string // of the ailments; nil: all
}{
	{
		"PagerDuty", "/pagerduty/**",
		func(k store.FeedKey) bool { return k.Source == "pagerduty" },
		func(k store.FeedKey) bool { return k.Source != "pagerduty" },
		nil,
	},
	{
		"PagerDuty's incidents", "/pagerduty/incidents",
		func(k store.FeedKey) bool { return k.Source == "pagerduty" && k.Capability == store.Incidents },
		func(k store.FeedKey) bool { return k.Source != "pagerduty" || k.Capability == store.Shifts },
		few,
	},
	{
		"Datadog", "/api/**",
		func(k store.FeedKey) bool { return k.Source == "datadog" },
		func(k store.FeedKey) bool { return k.Source != "datadog" },
		nil,
	},
	{
		"Datadog's metrics", "/api/v2/query/timeseries",
		func(k store.FeedKey) bool { return k.Source == "datadog" && k.Capability == store.Metrics },
		func(k store.FeedKey) bool { return k.Capability != store.Metrics && k.Capability != store.SLOs },
		few,
	},
	{
		"Datadog's monitors", "/api/v1/monitor",
		func(k store.FeedKey) bool { return k.Source == "datadog" && k.Capability == store.Monitors },
		func(k store.FeedKey) bool { return k.Capability != store.Monitors },
		few,
	},
	{
		"one repository", "/repos/acme/web/**",
		func(k store.FeedKey) bool { return k.Scope == "acme/web" },
		func(k store.FeedKey) bool { return k.Scope != "acme/web" },
		nil,
	},
	{
		"every list of runs", "/repos/*/*/actions/runs",
		func(k store.FeedKey) bool { return k.Capability == store.Runs },
		func(k store.FeedKey) bool { return k.Capability == store.Releases },
		nil,
	},
	{
		"every list of deployments", "/repos/*/*/deployments",
		func(k store.FeedKey) bool { return k.Capability == store.Environments },
		func(k store.FeedKey) bool { return k.Capability != store.Environments },
		nil,
	},
}

// rubbish is what a person must not be told: Go's own words, memory, markup.
var rubbish = regexp.MustCompile(`json:|invalid character|unexpected end of JSON|Unmarshal|0x[0-9a-f]|&\{|<html|\bEOF\b|net/http:|dial tcp|context deadline|^\s*$`)

// patient is a board on sim whose reads may take no longer than timeout, and which runs until the test ends.
func patient(t *testing.T, sim *simulator.Simulator, timeout time.Duration) *Board {
	t.Helper()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(sim.Token()), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("board.yaml", sim.Config("file:"+token), LoadOptions())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Files = nil
	b, err := New(Options{Config: cfg, Lookup: os.LookupEnv, Private: true, Stateless: true})
	if err != nil {
		t.Fatal(err)
	}
	b.engine.Close()
	b.engine = poll.New(poll.Options{
		Store: b.store, Budget: b.budget, Now: b.now, Pace: b.pace, Crash: b.crashed, Timeout: timeout, Concurrency: 16,
	})
	b.engine.Set(feedsOf(cfg, b.open, pane.Watch{}))
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// until waits for a snapshot that ok accepts.
func (b *Board) until(t *testing.T, what string, ok func(*store.Snapshot) bool) *store.Snapshot {
	t.Helper()
	snapshots, cancel := b.store.Subscribe()
	defer cancel()
	late := time.NewTimer(4 * time.Minute)
	defer late.Stop()
	for {
		select {
		case s := <-snapshots:
			if ok(s) {
				return s
			}
		case <-late.C:
			for _, f := range b.store.Snapshot().Feeds {
				t.Logf("%s: %d %v", f.Key, f.Health.State, f.Health.Err)
			}
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestFaultMatrix lets the provider answer wrongly in every way that there is, for one repository and for one
// kind of request: exactly what it concerns says so in a clear line, everything else goes on, and all is well
// again afterwards.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	list := ailments()
	boards := 0
	defer func() { t.Logf("fault matrix: %d ailments and %d victims: %d boards", len(list), len(victims), boards) }()
	for i, v := range victims {
		for j, a := range list {
			if v.only != nil && !slices.Contains(v.only, a.name) || a.github && !strings.HasPrefix(v.path, "/repos/") {
				continue
			}
			// The race detector makes a board many times as dear: it sees every ailment, and every victim, once.
			if sourcetest.Slowed && (i+j)%len(victims) != 0 {
				continue
			}
			boards++
			t.Run(v.name+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				rule := a.rule
				rule.Path = v.path
				sim, err := simulator.Start(t.Context(), simulator.Options{Seed: 3, Speed: 1, Start: time.Now().Truncate(time.Second), Faults: []fault.Rule{rule}})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = sim.Close() })
				// Only what hangs needs a timeout: a machine with much to do may be slow as well.
				timeout := time.Minute
				if a.rule.Kind == fault.Hang {
					timeout = 4 * time.Second
				}
				b := patient(t, sim, timeout)
				b.until(t, "every feed's first answer", settled)
				snap := b.until(t, "what the ailment brings", func(s *store.Snapshot) bool {
					for i := range s.Feeds {
						h, k := s.Feeds[i].Health, s.Feeds[i].Key
						waits := a.shared && h.State == store.Throttled
						if v.struck(k) && !slices.Contains(a.states, h.State) && h.State != store.Degraded ||
							v.spared(k) && !waits && h.State != store.Healthy {
							return false
						}
					}
					return true
				})
				for i := range snap.Feeds {
					f := &snap.Feeds[i]
					switch {
					case v.struck(f.Key) && f.Health.Err != nil:
						if text := f.Health.Err.Msg; rubbish.MatchString(text) || len(text) > 200 {
							t.Errorf("%s says %q", f.Key, text)
						}
						if fix := f.Health.Err.Fix; f.Health.State != store.Throttled && rubbish.MatchString(fix) {
							t.Errorf("%s says %q and proposes %q", f.Key, f.Health.Err.Msg, fix)
						}
					case v.struck(f.Key) && f.Health.State == store.Degraded:
						if n := f.Health.Notices[0]; rubbish.MatchString(n.Text.String()) || n.Kind != sources.Throttled && rubbish.MatchString(n.Fix.String()) {
							t.Errorf("%s notes %q and proposes %q", f.Key, n.Text, n.Fix)
						}
					case v.spared(f.Key) && f.Health.Err != nil && (!a.shared || f.Health.State != store.Throttled):
						t.Errorf("%s is not concerned and says %v", f.Key, f.Health.Err)
					}
				}
				if a.slow {
					return
				}
				sim.ClearFaults()
				b.engine.Nudge()
				b.until(t, "every feed well again", func(s *store.Snapshot) bool {
					for i := range s.Feeds {
						if s.Feeds[i].Health.State != store.Healthy {
							return false
						}
					}
					return len(s.Feeds) > 0
				})
			})
		}
	}
}
