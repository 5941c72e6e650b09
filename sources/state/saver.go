package state

import (
	"context"
	"time"

	"example.com/signalbox/sources/store"
)

// DefaultSaveEvery is how often a board's snapshot is saved at most.
const DefaultSaveEvery = time.Minute

// KeepSnapshot saves the store's snapshot for identity until ctx ends, and once more then: at most once
// every so often, and only when a feed's data has changed. It wakes for changes of the store alone.
// Failures are said in the log once until saving works again.
func (d *Dir) KeepSnapshot(ctx context.Context, identity string, st *store.Store, every time.Duration) {
	if every <= 0 {
		every = DefaultSaveEvery
	}
	snapshots, cancel := st.Subscribe()
	defer cancel()
	k := keeper{dir: d, identity: identity, saved: generations(st.Snapshot())}
	for {
		select {
		case <-ctx.Done():
			k.save(st.Snapshot())
			return
		case snap := <-snapshots:
			if generations(snap) == k.saved {
				continue
			}
		}
		pause := time.NewTimer(every)
		select {
		case <-ctx.Done():
		case <-pause.C:
			k.save(st.Snapshot())
		}
		pause.Stop()
	}
}

type keeper struct {
	dir      *Dir
	identity string
	saved    fingerprint
	failing  bool
}

func (k *keeper) save(snap *store.Snapshot) {
	k.saved = generations(snap)
	if k.saved.answered == 0 {
		return // nothing is known: what an earlier start has saved is better
	}
	err := k.dir.SaveSnapshot(k.identity, snap)
	if err != nil && !k.failing {
		k.dir.log.Warn("the snapshot is not saved", "err", err)
	}
	k.failing = err != nil
}

// fingerprint changes when the data of a feed does: generations only grow, and none is used twice.
type fingerprint struct {
	feeds, answered int
	newest, sum     uint64
}

func generations(snap *store.Snapshot) fingerprint {
	f := fingerprint{feeds: len(snap.Feeds)}
	for i := range snap.Feeds {
		f.newest = max(f.newest, snap.Feeds[i].Generation)
		f.sum += snap.Feeds[i].Generation
		if !snap.Feeds[i].Health.LastGood.IsZero() {
			f.answered++
		}
	}
	return f
}
