package wire

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/world"
	"example.com/signalbox/sources/store"
)

// hourOf reads a world of 20 repositories with 3 running pipelines for an hour of its own time, at the
// board's pace, and returns the simulator's account of it. The poller's own test holds that it keeps to
// the pace; here the driver's requests are real, and what they cost.
func hourOf(tb testing.TB) simulator.Usage {
	tb.Helper()
	sim, err := simulator.Start(tb.Context(), simulator.Options{Scale: world.Scale{Repositories: 20, Running: 3, Runs: 2000}})
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = sim.Close() }()
	token := filepath.Join(tb.TempDir(), "token")
	if err := os.WriteFile(token, []byte(sim.Token()), 0o600); err != nil {
		tb.Fatal(err)
	}
	cfg, err := config.Parse("board.yaml", sim.Config("file:"+token), LoadOptions())
	if err != nil {
		tb.Fatal(err)
	}
	b, err := New(Options{Config: cfg, Now: sim.Now, Lookup: os.LookupEnv, Private: true, Stateless: true})
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = b.Close() }()

	type reader struct {
		feed poll.Feed
		due  time.Time
		busy sources.Busy
	}
	var readers []*reader
	for _, f := range feedsOf(cfg, b.open) {
		readers = append(readers, &reader{feed: f, due: sim.Now()})
	}
	if len(readers) != 60 {
		tb.Fatalf("%d feeds, want those of 20 repositories", len(readers))
	}
	end := sim.Now().Add(time.Hour)
	for {
		next := readers[0]
		for _, r := range readers {
			if r.due.Before(next.due) {
				next = r
			}
		}
		if next.due.After(end) {
			break
		}
		sim.Advance(next.due.Sub(sim.Now()))
		q := next.feed.Query
		q.Now = sim.Now()
		busy, err := b.read(tb, next.feed, q)
		if err == nil {
			next.busy = busy
		} else if !errors.Is(err, sources.ErrNotModified) {
			tb.Fatalf("%s: %v", next.feed.Key, err)
		}
		pace := b.pace(next.feed.Key.Capability)
		next.due = next.due.Add(map[sources.Busy]time.Duration{sources.Quiet: pace.Quiet, sources.WaitingForPerson: pace.Waiting, sources.Live: pace.Live}[next.busy])
	}
	return sim.Usage()
}

func (b *Board) read(tb testing.TB, f poll.Feed, q sources.Query) (sources.Busy, error) {
	set := find(b.open, f.Key.Source).set
	switch f.Key.Capability {
	case store.Runs:
		batch, err := set.Runs.ListRuns(tb.Context(), q)
		return batch.Busy, err
	case store.Environments:
		batch, err := set.Environments.ListEnvironments(tb.Context(), q)
		return batch.Busy, err
	case store.Releases:
		batch, err := set.Releases.ListReleases(tb.Context(), q)
		return batch.Busy, err
	default:
		tb.Fatalf("%s is not read here", f.Key)
		return 0, nil
	}
}

func TestCost(t *testing.T) {
	t.Parallel()
	u := hourOf(t)
	t.Logf("an hour: %d requests, %d not modified, %d charged: %.1f %% of 5,000", u.Requests, u.NotModified, u.Charged, float64(u.Charged)/50)
	if u.Charged >= 1000 {
		t.Errorf("%d requests were charged in an hour, want under 1,000: %+v", u.Charged, u.Endpoints)
	}
	if u.Requests < 2*17*60 {
		t.Errorf("only %d requests were sent: that is not a board at its pace", u.Requests)
	}
}

func BenchmarkCost(b *testing.B) {
	for b.Loop() {
		u := hourOf(b)
		b.ReportMetric(u.PerHour(), "charged/hour")
		b.ReportMetric(u.PerHour()/50, "%of5000")
	}
}
