package insight

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// FeedSum is how the feeds of some capabilities do together.
type FeedSum struct {
	N       int // feeds
	Loading int // have never answered
	Failing int // the last read failed and is tried again
	Refused int // the last read failed in a way that only a person can mend
	// Throttled wait for a rate limit.
	Throttled int
	Stale     store.Staleness // of the oldest feed that ever answered
	Oldest    time.Time       // when the oldest data was last confirmed; zero: no feed ever answered
	Cached    bool            // some data is from the disk, of an earlier start
	Err       *sources.Error  // of the worst feed: a refused one before a failing one
	ErrFeed   store.FeedKey
	Retry     time.Time // when the throttled or failing feed is read next
	// Unread never answered and are not being read for the first time: what they hold lacks. Lacking is
	// the first of them.
	Unread  int
	Lacking store.FeedKey
	Notices []sources.Notice
}

// SumFeeds sums up the feeds of s with one of caps, for the services that the view follows. It costs
// the feeds, not what they hold.
func SumFeeds(s *store.Snapshot, now time.Time, follow string, caps ...store.Capability) FeedSum {
	only, narrowed := followedScope(s, follow)
	var sum FeedSum
	for i := range s.Feeds {
		f := &s.Feeds[i]
		if !wanted(f.Key.Capability, caps) || narrowed && (scopeKey{f.Key.Source, f.Key.Scope}) != only {
			continue
		}
		sum.add(f, now)
	}
	return sum
}

// SumFeedsOf sums up the feeds that may tell of a service: those without a scope, and those whose scope it is.
func SumFeedsOf(s *store.Snapshot, now time.Time, service string, caps ...store.Capability) FeedSum {
	var sum FeedSum
	for i := range s.Feeds {
		if f := &s.Feeds[i]; wanted(f.Key.Capability, caps) && (f.Key.Scope == "" || f.Key.Scope == service) {
			sum.add(f, now)
		}
	}
	return sum
}

// unread reports that a feed never answered.
func unread(h *store.Health) bool {
	return h.State == store.Loading || h.State > store.Degraded && h.LastGood.IsZero()
}

// followedScope is the repository of the followed service. Only its feeds matter then. Other systems'
// scopes are not the repository, so narrowing applies to the repository's source alone.
func followedScope(s *store.Snapshot, follow string) (scopeKey, bool) {
	if follow == "" {
		return scopeKey{}, false
	}
	for i := range s.Catalog.Services {
		if c := &s.Catalog.Services[i]; c.Name == follow {
			return scopeKey{c.Source, c.Repo}, true
		}
	}
	return scopeKey{}, false
}

func (sum *FeedSum) add(f *store.Feed, now time.Time) {
	h := &f.Health
	sum.N++
	switch h.State {
	case store.Loading:
		sum.Loading++
	case store.Failing:
		sum.Failing++
	case store.Refused:
		sum.Refused++
	case store.Throttled:
		sum.Throttled++
	case store.Healthy, store.Degraded:
	}
	if unread(h) && h.State != store.Loading {
		if sum.Unread++; sum.Unread == 1 {
			sum.Lacking = f.Key
		}
	}
	if h.State == store.Failing || h.State == store.Throttled {
		if sum.Retry.IsZero() || h.Next.Before(sum.Retry) {
			sum.Retry = h.Next
		}
	}
	if h.Err != nil && (sum.Err == nil || h.State == store.Refused && sum.Refused == 1) {
		sum.Err, sum.ErrFeed = h.Err, f.Key
	}
	if !h.LastGood.IsZero() && (sum.Oldest.IsZero() || h.LastGood.Before(sum.Oldest)) {
		sum.Oldest = h.LastGood
	}
	sum.Stale = max(sum.Stale, h.Staleness(now))
	sum.Cached = sum.Cached || h.Cached
	sum.Notices = append(sum.Notices, h.Notices...)
}
