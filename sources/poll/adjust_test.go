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

// What somebody looks at is read at once with its new question, and keeps its data and health; what
// nobody looks at any more waits for its turn.
func TestAdjust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var asked []sources.Query
		src := &struct {
			*sourcetest.Base
			sourcetest.Metrics
		}{&sourcetest.Base{ID: "prom"}, func(_ context.Context, q sources.Query) (sources.Batch[sources.Series], error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, q)
			b := sources.Batch[sources.Series]{Items: []sources.Series{{Service: q.Scope}}}
			if q.Followed {
				b.Busy = sources.Live
			}
			return b, nil
		}}
		feed := func(service string, followed bool) poll.Feed {
			q := sources.Query{Scope: service, Window: time.Hour}
			if followed {
				q.Followed, q.Step, q.Window = true, time.Minute, 2*time.Hour
			}
			return poll.Feed{Key: store.FeedKey{Source: "prom", Capability: store.Metrics, Scope: service}, Source: src, Query: q}
		}
		b := run(t, poll.Options{})
		b.Set([]poll.Feed{feed("a", false), feed("b", false)})
		synctest.Wait()
		time.Sleep(5 * time.Second)
		before := len(asked)
		b.Adjust([]poll.Feed{feed("a", true), feed("b", false), feed("gone", true)})
		synctest.Wait()
		mu.Lock()
		last := asked[len(asked)-1]
		n := len(asked)
		mu.Unlock()
		if n != before+1 || last.Scope != "a" || !last.Followed || last.Step != time.Minute || last.Window != 2*time.Hour {
			t.Fatalf("%d reads after %d, the last %+v", n, before, last)
		}
		f := b.store.Snapshot().Feed(feed("a", true).Key)
		if f.Health.State != store.Healthy || len(f.Series) != 1 {
			t.Errorf("feed %+v", f)
		}
		b.Adjust([]poll.Feed{feed("a", false)})
		synctest.Wait()
		if len(asked) != n {
			t.Error("what nobody looks at any more was read at once")
		}
		b.Set([]poll.Feed{feed("a", true), feed("b", false)})
		synctest.Wait()
		if f := b.store.Snapshot().Feed(feed("a", true).Key); f.Health.State != store.Healthy {
			t.Errorf("a config that is read again begins a feed anew: %+v", f.Health)
		}
	})
}
