package store

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Store holds the latest Snapshot. It is the only maker of snapshots: whoever learns something hands it
// a Mutation. Its methods are safe for use by several goroutines at once and never block on a reader.
type Store struct {
	now func() time.Time

	mu         sync.Mutex
	latest     *Snapshot
	generation uint64
	subs       map[*subscription]struct{}
}

type subscription struct{ ch chan *Snapshot }

// New returns a store whose first snapshot holds catalog (an empty one when nil) and no feeds. now is
// the board's clock.
func New(catalog *Catalog, now func() time.Time) *Store {
	if catalog == nil {
		catalog = &Catalog{}
	}
	return &Store{
		now:    now,
		latest: &Snapshot{Seq: 1, At: now(), Catalog: catalog},
		subs:   make(map[*subscription]struct{}),
	}
}

// Mutation is one change of the store: Replace, SetHealth, SetCatalog or Remove.
type Mutation interface{ apply(*draft) }

type (
	// Replace sets a feed's data and health, and adds the feed when it is new. The store gives it the
	// next Generation. From then on nobody may change what the slices hold.
	Replace struct{ Feed Feed }
	// SetHealth sets the health alone: the data and its Generation stay. A feed that is not known is
	// added without data.
	SetHealth struct {
		Key    FeedKey
		Health Health
	}
	// SetCatalog replaces what the config says of the board.
	SetCatalog struct{ Catalog *Catalog }
	// Remove forgets feeds. Unknown ones are ignored.
	Remove struct{ Keys []FeedKey }
)

// Apply makes one new snapshot out of the latest and all of ms, in their order, and hands it to the
// subscribers. It copies the list of feeds, never what they hold. Without a mutation nothing changes.
func (s *Store) Apply(ms ...Mutation) *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(ms) == 0 {
		return s.latest
	}
	d := draft{store: s, catalog: s.latest.Catalog, feeds: slices.Clone(s.latest.Feeds)}
	for _, m := range ms {
		m.apply(&d)
	}
	s.latest = &Snapshot{Seq: s.latest.Seq + 1, At: s.now(), Catalog: d.catalog, Feeds: d.feeds}
	for sub := range s.subs {
		sub.offer(s.latest)
	}
	return s.latest
}

// Snapshot is the latest one.
func (s *Store) Snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest
}

// Subscribe returns a channel of capacity 1 that holds the latest snapshot, from the present one on:
// older ones that nobody took are gone. cancel ends the subscription; the channel is not closed.
func (s *Store) Subscribe() (snapshots <-chan *Snapshot, cancel func()) {
	sub := &subscription{ch: make(chan *Snapshot, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subs[sub] = struct{}{}
	sub.offer(s.latest)
	return sub.ch, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subs, sub)
	}
}

// offer is called with the store's lock held, so that no other sender can fill the place it makes.
func (sub *subscription) offer(snap *Snapshot) {
	select {
	case <-sub.ch:
	default:
	}
	sub.ch <- snap
}

type draft struct {
	store   *Store
	catalog *Catalog
	feeds   []Feed
}

// at returns the feed with key, which it adds when there is none. The pointer is valid until the next
// call.
func (d *draft) at(key FeedKey) *Feed {
	i, ok := slices.BinarySearchFunc(d.feeds, key, compareFeed)
	if !ok {
		d.feeds = slices.Insert(d.feeds, i, Feed{Key: key})
	}
	return &d.feeds[i]
}

func (m Replace) apply(d *draft) {
	d.store.generation++
	m.Feed.Generation = d.store.generation
	*d.at(m.Feed.Key) = m.Feed
}

func (m SetHealth) apply(d *draft) { d.at(m.Key).Health = m.Health }

func (m SetCatalog) apply(d *draft) {
	if m.Catalog != nil {
		d.catalog = m.Catalog
	}
}

func (m Remove) apply(d *draft) {
	gone := make(map[FeedKey]bool, len(m.Keys))
	for _, k := range m.Keys {
		gone[k] = true
	}
	d.feeds = slices.DeleteFunc(d.feeds, func(f Feed) bool { return gone[f.Key] })
}

func compareFeed(f Feed, key FeedKey) int { return f.Key.Compare(key) }

// Compare orders keys by source, capability and scope, as Snapshot.Feeds is.
func (k FeedKey) Compare(o FeedKey) int {
	return cmp.Or(
		strings.Compare(k.Source, o.Source),
		strings.Compare(string(k.Capability), string(o.Capability)),
		strings.Compare(k.Scope, o.Scope),
	)
}

// String is k in the form source/capability/scope, for logs and for people.
func (k FeedKey) String() string {
	return k.Source + "/" + string(k.Capability) + "/" + k.Scope
}
