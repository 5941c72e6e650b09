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

	"golang.org/x/sync/errgroup"

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

// victim says which requests an ailment strikes, which feeds must show it, and which must not.
type victim struct {
	name, path string
	struck     func(store.FeedKey) bool
	spared     func(store.FeedKey) bool
	only       []string // of the ailments; nil: all
}

func (v *victim) meets(a *ailment) bool {
	return (v.only == nil || slices.Contains(v.only, a.name)) && (!a.github || strings.HasPrefix(v.path, "/repos/"))
}

var victims = []victim{
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
		"Prometheus", "/prometheus/**",
		func(k store.FeedKey) bool { return k.Source == "prometheus" },
		func(k store.FeedKey) bool { return k.Source != "prometheus" },
		nil,
	},
	{
		"Alertmanager", "/alertmanager/**",
		func(k store.FeedKey) bool { return k.Source == "alertmanager" },
		func(k store.FeedKey) bool { return k.Source != "alertmanager" },
		nil,
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

// patient is a board on sim and on monitoring besides it, whose reads may take no longer than timeout,
// and which runs until the test ends.
func patient(t *testing.T, sim *simulator.Simulator, monitoring string, timeout time.Duration) *Board {
	t.Helper()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(sim.Token()), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("board.yaml", withMonitoring(string(sim.Config("file:"+token)), monitoring), LoadOptions())
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

// pair is a victim that meets an ailment.
type pair struct {
	*victim
	*ailment
}

// pairs are all that there are. The race detector makes a board many times as dear: it sees every ailment, and
// every victim, once.
func pairs(list []ailment) []pair {
	var all []pair
	met := map[*victim]int{}
	for j := range list {
		var those []pair
		for i := range victims {
			if victims[i].meets(&list[j]) {
				those = append(those, pair{&victims[i], &list[j]})
			}
		}
		if sourcetest.Slowed {
			rarest := slices.MinFunc(those, func(a, b pair) int { return met[a.victim] - met[b.victim] })
			met[rarest.victim]++
			those = []pair{rarest}
		}
		all = append(all, those...)
	}
	return all
}

// TestFaultMatrix lets the provider answer wrongly in every way that there is, for one repository and for one
// kind of request: exactly what it concerns says so in a clear line, everything else goes on, and all is well
// again afterwards.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	list := ailments()
	all := pairs(list)
	for i := range victims {
		if v := &victims[i]; !slices.ContainsFunc(all, func(p pair) bool { return p.victim == v }) {
			t.Errorf("%s meets nothing", v.name)
		}
	}
	var boards errgroup.Group
	boards.SetLimit(4) // most of a board's life it waits for a second to pass
	if sourcetest.Slowed {
		boards.SetLimit(2)
	}
	for _, p := range all {
		boards.Go(func() error {
			t.Run(p.victim.name+"/"+p.ailment.name, p.suffer)
			return nil
		})
	}
	_ = boards.Wait() // none returns an error
	t.Logf("fault matrix: %d ailments and %d victims: %d boards", len(list), len(victims), len(all))
}

func (p pair) suffer(t *testing.T) {
	rule := p.rule
	rule.Path = p.path
	sim, err := simulator.Start(t.Context(), simulator.Options{Seed: 3, Speed: 1, Start: time.Now().Truncate(time.Second), Faults: []fault.Rule{rule}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	servers := startMonitoring(t, rule)
	// Only what hangs needs a timeout: a machine with much to do may be slow as well.
	timeout := time.Minute
	if rule.Kind == fault.Hang {
		timeout = 4 * time.Second
	}
	b := patient(t, sim, servers.url, timeout)
	b.until(t, "every feed's first answer", settled)
	snap := b.until(t, "what the ailment brings", p.shows)
	for i := range snap.Feeds {
		p.check(t, &snap.Feeds[i])
	}
	if p.slow {
		return
	}
	sim.ClearFaults()
	servers.faults.Clear()
	b.engine.Nudge()
	b.until(t, "every feed well again", func(s *store.Snapshot) bool {
		for i := range s.Feeds {
			if s.Feeds[i].Health.State != store.Healthy {
				return false
			}
		}
		return len(s.Feeds) > 0
	})
}

// shows reports that those that are struck show it, and that those that are not do not.
func (p pair) shows(s *store.Snapshot) bool {
	struck := 0
	for i := range s.Feeds {
		h, k := s.Feeds[i].Health, s.Feeds[i].Key
		waits := p.shared && h.State == store.Throttled
		if p.struck(k) && !slices.Contains(p.states, h.State) && h.State != store.Degraded ||
			p.spared(k) && !waits && h.State != store.Healthy {
			return false
		}
		if p.struck(k) {
			struck++
		}
	}
	return struck > 0
}

// check looks at what a feed says.
func (p pair) check(t *testing.T, f *store.Feed) {
	t.Helper()
	switch h := f.Health; {
	case p.struck(f.Key) && h.Err != nil:
		if text := h.Err.Msg; rubbish.MatchString(text) || len(text) > 200 {
			t.Errorf("%s says %q", f.Key, text)
		}
		if fix := h.Err.Fix; h.State != store.Throttled && rubbish.MatchString(fix) {
			t.Errorf("%s says %q and proposes %q", f.Key, h.Err.Msg, fix)
		}
	case p.struck(f.Key) && h.State == store.Degraded:
		if n := h.Notices[0]; rubbish.MatchString(n.Text.String()) || n.Kind != sources.Throttled && rubbish.MatchString(n.Fix.String()) {
			t.Errorf("%s notes %q and proposes %q", f.Key, n.Text, n.Fix)
		}
	case p.spared(f.Key) && h.Err != nil && (!p.shared || h.State != store.Throttled):
		t.Errorf("%s is not concerned and says %v", f.Key, h.Err)
	}
}
