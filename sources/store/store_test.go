package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

func clock() time.Time { return time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC) }

func key(scope string) FeedKey { return FeedKey{Source: "github", Capability: Runs, Scope: scope} }

func runsFeed(scope string, n int) Feed {
	f := Feed{Key: key(scope), Health: Health{State: Healthy}}
	for i := range n {
		f.Runs = append(f.Runs, sources.Run{
			Ref: sources.Ref{Source: "github", Kind: sources.KindRun, Scope: scope, ID: fmt.Sprint(i)}, Number: i,
		})
	}
	return f
}

func TestApplyMakesANewSnapshotAndLeavesTheOld(t *testing.T) {
	t.Parallel()
	s := New(nil, clock)
	empty := s.Snapshot()
	one := s.Apply(Replace{runsFeed("acme/b", 2)})
	two := s.Apply(Replace{runsFeed("acme/a", 1)}, SetHealth{key("acme/b"), Health{State: Failing}})
	three := s.Apply(Remove{[]FeedKey{key("acme/b"), key("acme/none")}}, SetCatalog{&Catalog{Team: "payments"}}, SetCatalog{})

	for i, want := range []struct {
		snap  *Snapshot
		feeds []string
	}{
		{empty, nil}, {one, []string{"acme/b"}}, {two, []string{"acme/a", "acme/b"}}, {three, []string{"acme/a"}},
	} {
		var got []string
		for _, f := range want.snap.Feeds {
			got = append(got, f.Key.Scope)
		}
		if !slices.Equal(got, want.feeds) || want.snap.Seq != uint64(i+1) || !want.snap.At.Equal(clock()) {
			t.Errorf("snapshot %d: feeds %v, Seq %d, At %s; want feeds %v", i, got, want.snap.Seq, want.snap.At, want.feeds)
		}
	}
	if got := one.Feed(key("acme/b")).Health.State; got != Healthy {
		t.Errorf("an old snapshot's health changed to %d", got)
	}
	if got := two.Feed(key("acme/b")); got.Health.State != Failing || len(got.Runs) != 2 {
		t.Errorf("SetHealth: state %d with %d runs, want failing with both runs", got.Health.State, len(got.Runs))
	}
	if three.Catalog.Team != "payments" || two.Catalog.Team != "" {
		t.Errorf("catalogs: %q then %q", two.Catalog.Team, three.Catalog.Team)
	}
	if s.Apply() != three || s.Snapshot() != three {
		t.Error("Apply without a mutation made a snapshot")
	}
}

func TestGenerationChangesWithTheDataOnly(t *testing.T) {
	t.Parallel()
	s := New(nil, clock)
	first := s.Apply(Replace{runsFeed("acme/a", 1)}).Feed(key("acme/a")).Generation
	health := s.Apply(SetHealth{key("acme/a"), Health{State: Throttled}}).Feed(key("acme/a")).Generation
	other := s.Apply(Replace{runsFeed("acme/b", 1)}).Feed(key("acme/a")).Generation
	again := s.Apply(Replace{runsFeed("acme/a", 1)}).Feed(key("acme/a")).Generation
	if first == 0 || health != first || other != first || again == first {
		t.Errorf("generations: %d, after health %d, after another feed %d, after data %d", first, health, other, again)
	}
	s.Apply(Remove{[]FeedKey{key("acme/a")}})
	if back := s.Apply(Replace{runsFeed("acme/a", 1)}).Feed(key("acme/a")).Generation; back == again {
		t.Error("a feed that was removed and came back has its old generation")
	}
}

func TestSubscribersGetTheLatest(t *testing.T) {
	t.Parallel()
	s := New(nil, clock)
	ch, cancel := s.Subscribe()
	if got := <-ch; got != s.Snapshot() {
		t.Error("the first value is not the present snapshot")
	}
	for range 5 {
		s.Apply(Replace{runsFeed("acme/a", 1)})
	}
	if got := <-ch; got != s.Snapshot() {
		t.Errorf("got Seq %d, latest is %d", got.Seq, s.Snapshot().Seq)
	}
	select {
	case got := <-ch:
		t.Errorf("an older snapshot (%d) follows the latest", got.Seq)
	default:
	}
	cancel()
	cancel()
	s.Apply(Replace{runsFeed("acme/a", 1)})
	select {
	case <-ch:
		t.Error("a snapshot came after the end of the subscription")
	default:
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	t.Parallel()
	s := New(nil, clock)
	ch, cancel := s.Subscribe()
	defer cancel()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for range 200 {
				s.Apply(Replace{runsFeed(fmt.Sprintf("acme/%d", w), 3)})
			}
		})
	}
	wg.Add(1)
	go func() {
		defer wg.Done()
		var last uint64
		for last < 1+4*200 {
			snap := <-ch
			if snap.Seq <= last {
				t.Errorf("Seq %d after %d", snap.Seq, last)
			}
			last = snap.Seq
			for range snap.Runs() {
			}
		}
	}()
	wg.Wait()
	if got := s.Snapshot().Seq; got != 1+4*200 {
		t.Errorf("Seq %d after 800 changes", got)
	}
}

func TestIteratorsAndLookups(t *testing.T) {
	t.Parallel()
	s := New(nil, clock)
	wide := FeedKey{Source: "pagerduty", Capability: Incidents, Scope: "account"}
	incident := sources.Incident{Ref: sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, Scope: "PABC", ID: "Q1"}}
	environment := sources.Environment{Ref: sources.Ref{Source: "github", Kind: sources.KindEnvironment, Scope: "acme/a", ID: "prod"}}
	snap := s.Apply(
		Replace{runsFeed("acme/b", 2)}, Replace{runsFeed("acme/a", 2)},
		Replace{Feed{Key: wide, Incidents: []sources.Incident{incident}}},
		Replace{Feed{Key: FeedKey{"github", Environments, "acme/a"}, Environments: []sources.Environment{environment}}},
		Replace{Feed{Key: FeedKey{"datadog", Metrics, "m"}, Series: []sources.Series{{Unit: "ms"}}}},
		Replace{Feed{Key: FeedKey{"github", Releases, "acme/a"}, Releases: []sources.Release{{}, {}}}},
	)
	var got []string
	for r := range snap.Runs() {
		got = append(got, r.Ref.Scope+"/"+r.Ref.ID)
	}
	if want := []string{"acme/a/0", "acme/a/1", "acme/b/0", "acme/b/1"}; !slices.Equal(got, want) {
		t.Errorf("Runs: %v, want %v", got, want)
	}
	for range snap.Runs() {
		break // an iterator that goes on after this panics
	}
	count := func(c Capability) int { return len(slices.Collect(snap.FeedsOf(c))) }
	if count(Runs) != 2 || count(Incidents) != 1 || count("none") != 0 {
		t.Errorf("FeedsOf: %d with runs, %d with incidents", count(Runs), count(Incidents))
	}
	if n := len(slices.Collect(snap.Releases())); n != 2 {
		t.Errorf("%d releases", n)
	}
	if n := len(slices.Collect(snap.Series())); n != 1 {
		t.Errorf("%d series", n)
	}
	ref := sources.Ref{Source: "github", Kind: sources.KindRun, Scope: "acme/b", ID: "1"}
	if run, feed := snap.Run(ref); run == nil || run.Number != 1 || feed.Key != key("acme/b") {
		t.Errorf("Run(%v) = %v, %v", ref, run, feed)
	}
	if got, feed := snap.Incident(incident.Ref); got == nil || feed.Key != wide {
		t.Errorf("an incident in a feed of a wider scope is not found: %v, %v", got, feed)
	}
	if got, _ := snap.Environment(environment.Ref); got == nil {
		t.Error("the environment is not found")
	}
	ref.Source = "other"
	if run, _ := snap.Run(ref); run != nil {
		t.Errorf("Run(%v) found another source's run", ref)
	}
	if got := snap.Feed(key("acme/none")); got != nil {
		t.Errorf("Feed of an unknown key is %v", got)
	}
	catalog := &Catalog{Services: []Service{{Name: "checkout", Repo: "acme/a"}}}
	if s := catalog.Service("checkout"); s == nil || s.Repo != "acme/a" {
		t.Errorf("Service: %v", s)
	}
	if s := catalog.Service("none"); s != nil {
		t.Errorf("Service of an unknown name: %v", s)
	}
}

func TestStaleness(t *testing.T) {
	t.Parallel()
	at := clock()
	for _, c := range []struct {
		age      time.Duration
		interval time.Duration
		want     Staleness
	}{
		{29 * time.Second, 10 * time.Second, Fresh}, {30 * time.Second, 10 * time.Second, Stale},
		{50 * time.Second, 10 * time.Second, VeryStale}, {time.Hour, 0, Fresh},
	} {
		if got := (Health{LastGood: at.Add(-c.age), Interval: c.interval}).Staleness(at); got != c.want {
			t.Errorf("%s old, every %s: %d, want %d", c.age, c.interval, got, c.want)
		}
	}
	if got := (Health{Interval: time.Second}).Staleness(at); got != Fresh {
		t.Errorf("never read: %d", got)
	}
}

// BenchmarkApply is one feed's answer in a board of 10,000 runs in 100 feeds: a thousand a second must
// cost next to nothing.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("runs=%d", n), func(b *testing.B) {
			s := New(nil, clock)
			for i := range 100 {
				s.Apply(Replace{runsFeed(fmt.Sprintf("acme/%03d", i), n/100)})
			}
			ch, cancel := s.Subscribe()
			defer cancel()
			f := runsFeed("acme/050", n/100)
			b.ReportAllocs()
			for b.Loop() {
				s.Apply(Replace{f})
				<-ch
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10, "%cpu/1000Hz")
		})
	}
}

func BenchmarkRuns(b *testing.B) {
	s := New(nil, clock)
	for i := range 100 {
		s.Apply(Replace{runsFeed(fmt.Sprintf("acme/%03d", i), 100)})
	}
	snap := s.Snapshot()
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for r := range snap.Runs() {
			n += r.Number
		}
		if n == 0 {
			b.Fatal("no runs")
		}
	}
}
