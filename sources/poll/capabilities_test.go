package poll_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

// count answers with one item and the given grade, and counts.
func count[T any](reads map[store.Capability]int, mu *sync.Mutex, c store.Capability, busy sources.Busy) func(context.Context, sources.Query) (sources.Batch[T], error) {
	return func(_ context.Context, q sources.Query) (sources.Batch[T], error) {
		mu.Lock()
		defer mu.Unlock()
		reads[c]++
		if q.Scope != "here" || q.Now.IsZero() || q.Identity != "sre1" {
			return sources.Batch[T]{}, &sources.Error{Kind: sources.Invalid, Op: "list", Msg: "a query without its scope, clock or identity"}
		}
		return sources.Batch[T]{Items: make([]T, 1), Busy: busy}, nil
	}
}

func TestEveryCapabilityIsReadAtItsPace(t *testing.T) {
	for _, c := range []struct {
		name string
		busy sources.Busy
		want map[store.Capability]int // in half an hour
	}{
		{"quiet", sources.Quiet, map[store.Capability]int{
			store.Runs: 33, store.Environments: 33, store.Incidents: 181, store.Metrics: 16, store.Releases: 7,
			store.Monitors: 31, store.SLOs: 7, store.Shifts: 7, store.Changes: 16, store.Past: 4,
		}},
		{"live", sources.Live, map[store.Capability]int{
			store.Runs: 139, store.Environments: 139, store.Incidents: 361, store.Metrics: 61, store.Releases: 7,
			store.Monitors: 61, store.SLOs: 16, store.Shifts: 7, store.Changes: 31, store.Past: 4,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				reads := make(map[store.Capability]int)
				src := &struct {
					*sourcetest.Base
					sourcetest.Runs
					sourcetest.Environments
					sourcetest.Releases
					sourcetest.Incidents
					sourcetest.Metrics
					sourcetest.Monitors
					sourcetest.SLOs
					sourcetest.Shifts
					sourcetest.Changes
					sourcetest.Past
				}{
					&sourcetest.Base{ID: "all"},
					count[sources.Run](reads, &mu, store.Runs, c.busy),
					count[sources.Environment](reads, &mu, store.Environments, c.busy),
					count[sources.Release](reads, &mu, store.Releases, c.busy),
					count[sources.Incident](reads, &mu, store.Incidents, c.busy),
					count[sources.Series](reads, &mu, store.Metrics, c.busy),
					count[sources.Monitor](reads, &mu, store.Monitors, c.busy),
					count[sources.SLO](reads, &mu, store.SLOs, c.busy),
					count[sources.Shift](reads, &mu, store.Shifts, c.busy),
					count[sources.Change](reads, &mu, store.Changes, c.busy),
					count[sources.Incident](reads, &mu, store.Past, c.busy),
				}
				b := run(t, poll.Options{})
				var list []poll.Feed
				for capability := range c.want {
					list = append(list, poll.Feed{
						Key: store.FeedKey{Source: "all", Capability: capability, Scope: "here"}, Source: src, Query: sources.Query{Identity: "sre1"},
					})
				}
				b.Set(list)
				time.Sleep(30 * time.Minute)
				synctest.Wait()
				mu.Lock()
				defer mu.Unlock()
				for capability, want := range c.want {
					if got := reads[capability]; got < want*9/10 || got > want*11/10+1 {
						t.Errorf("%s was read %d times, want about %d", capability, got, want)
					}
					f := b.store.Snapshot().Feed(store.FeedKey{Source: "all", Capability: capability, Scope: "here"})
					if n := len(f.Runs) + len(f.Environments) + len(f.Releases) + len(f.Incidents) + len(f.Series) + len(f.Monitors) + len(f.SLOs) + len(f.Shifts) + len(f.Changes); n != 1 || f.Health.State != store.Healthy {
						t.Errorf("%s: %d items, health %+v", capability, n, f.Health)
					}
				}
			})
		})
	}
}
