// Package insight derives what the board shows from a snapshot: what people are paged for and what may
// have caused it, how services behave and how fast their error budgets burn, which runs and in which order,
// the lanes of the deployments, what is wrong, what waits for a person.
//
// Everything here is a pure function: the same snapshot, view and clock give the same answer. Each walks
// the snapshot once, so its cost grows with the snapshot; callers keep the answer until Key changes.
// Answers point into the snapshot and are read only.
package insight

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// Whose narrows the board to whose things are shown.
type Whose uint8

// The choices. Team is what the catalog's services do; Mine is what I started or may approve; All adds
// other people's branches and pull requests, and what no service claims.
const (
	Team Whose = iota
	Mine
	All
)

// View is how the board is narrowed.
type View struct {
	Whose  Whose
	Follow string // a service; "" for none
	// Keep is the object under the cursor. A run that only its age or a newer run would hide stays in the
	// list while it is kept, so that a refresh never puts another run under the cursor.
	Keep sources.Ref
}

// Key tells whether two snapshots hold the same data for some capabilities, whatever their feeds'
// health: what was derived from one then holds for the other.
type Key struct {
	catalog *store.Catalog
	feeds   []feedKey
}

type feedKey struct {
	key        store.FeedKey
	generation uint64
	loading    bool
}

// KeyOf is the key of s for the capabilities caps.
func KeyOf(s *store.Snapshot, caps ...store.Capability) Key {
	k := Key{catalog: s.Catalog, feeds: make([]feedKey, 0, len(s.Feeds))}
	for i := range s.Feeds {
		if f := &s.Feeds[i]; wanted(f.Key.Capability, caps) {
			k.feeds = append(k.feeds, feedKey{f.Key, f.Generation, f.Health.State == store.Loading})
		}
	}
	return k
}

// Holds reports whether s still has the key k for the same capabilities. It allocates nothing.
func (k Key) Holds(s *store.Snapshot, caps ...store.Capability) bool {
	if k.catalog != s.Catalog {
		return false
	}
	n := 0
	for i := range s.Feeds {
		f := &s.Feeds[i]
		if !wanted(f.Key.Capability, caps) {
			continue
		}
		if n >= len(k.feeds) || k.feeds[n] != (feedKey{f.Key, f.Generation, f.Health.State == store.Loading}) {
			return false
		}
		n++
	}
	return n == len(k.feeds)
}

func wanted(c store.Capability, caps []store.Capability) bool {
	for _, w := range caps {
		if w == c {
			return true
		}
	}
	return false
}

// Sense is how much something matters to the eye.
type Sense uint8

// The senses, quietest first.
const (
	Quiet Sense = iota
	Busy
	Warn
	Crit
)

// age is how long ago t was; never negative, and 0 when t is unknown.
func age(now, t time.Time) time.Duration {
	if t.IsZero() || t.After(now) {
		return 0
	}
	return now.Sub(t)
}
