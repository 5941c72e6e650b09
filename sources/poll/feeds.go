package poll

import (
	"reflect"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/store"
)

// Feed is one polled read.
type Feed struct {
	Key    store.FeedKey
	Source sources.Source // must have the capability of Key
	Query  sources.Query  // Scope is Key's; Now is set anew for each read
}

// Set replaces the feeds, the most important first. Loops of feeds that stay the same go on undisturbed;
// a changed feed is read anew at once and shows its old data until then; removed ones end and leave the
// store, as does every feed of the store that is not in feeds. idle is closed when no read of an ended
// loop is in flight any more: its source may be closed then.
func (e *Engine) Set(feeds []Feed) (idle <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.byKey
	e.byKey = make(map[store.FeedKey]*loop, len(feeds))
	e.loops = e.loops[:0:0]
	var ended []*loop
	var changes []store.Mutation
	snap := e.o.Store.Snapshot()
	for _, f := range feeds {
		if e.byKey[f.Key] != nil {
			continue
		}
		l := old[f.Key]
		if l == nil || !l.feed.same(f) {
			if l != nil {
				ended = append(ended, l)
				e.disband(l, f.Source)
			}
			l = e.newLoop(f)
			changes = append(changes, e.introduce(l, snap.Feed(f.Key)))
		}
		delete(old, f.Key)
		e.byKey[f.Key] = l
		e.loops = append(e.loops, l)
	}
	for key, l := range old {
		ended = append(ended, l)
		e.past[key] = l
	}
	for _, l := range ended {
		l.end()
	}
	e.forget()
	changes = append(changes, e.unwanted(snap))
	e.o.Store.Apply(changes...)
	e.signal()
	return e.whenIdle(ended)
}

// disband makes the next loop of l's group begin with a new one where its source is another: what the old one
// was told to wait for, of an old token say, does not concern it.
func (e *Engine) disband(l *loop, now sources.Source) {
	if !sameSource(l.feed.Source, now) && e.groups[l.group.key] == l.group {
		delete(e.groups, l.group.key)
	}
}

// introduce makes the feed of a new loop known to the store: with the data that is there (of a feed
// that has changed, or from the disk), with what it last answered before it was removed, or empty.
func (e *Engine) introduce(l *loop, have *store.Feed) store.Mutation {
	now := e.o.Now()
	l.health = store.Health{State: store.Loading, Since: now, Next: now, Interval: e.pace(l)}
	if have != nil {
		l.answer = *have
		l.health.LastGood, l.health.Cached, l.health.Notices = have.Health.LastGood, have.Health.Cached, have.Health.Notices
		return store.SetHealth{Key: l.feed.Key, Health: l.health}
	}
	if p := e.past[l.feed.Key]; p != nil && p.answered && p.feed.same(l.feed) {
		l.answer, l.answered = p.answer, true
		l.health.LastGood, l.health.Notices = p.health.LastGood, p.health.Notices
	}
	l.answer.Key, l.answer.Health = l.feed.Key, l.health
	return store.Replace{Feed: l.answer}
}

// Restore shows what an earlier start knew, until the sources have answered: feeds that are polled and have
// no data yet take theirs from it. The others are left alone.
func (e *Engine) Restore(feeds []store.Feed) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var changes []store.Mutation
	for i := range feeds {
		l := e.byKey[feeds[i].Key]
		if l == nil || l.answered || !l.health.LastGood.IsZero() {
			continue
		}
		l.answer = feeds[i]
		l.health.LastGood, l.health.Cached, l.health.Notices = l.answer.Health.LastGood, true, l.answer.Health.Notices
		l.answer.Health = l.health
		changes = append(changes, store.Replace{Feed: l.answer})
	}
	e.o.Store.Apply(changes...)
}

// unwanted removes from the store what has no loop.
func (e *Engine) unwanted(snap *store.Snapshot) store.Mutation {
	var gone []store.FeedKey
	for i := range snap.Feeds {
		if key := snap.Feeds[i].Key; e.byKey[key] == nil {
			gone = append(gone, key)
		}
	}
	return store.Remove{Keys: gone}
}

// forget drops removed feeds that are back, or whose source no feed uses any more.
func (e *Engine) forget() {
	for key, p := range e.past {
		used := slices.ContainsFunc(e.loops, func(l *loop) bool { return sameSource(l.feed.Source, p.feed.Source) })
		if !used || e.byKey[key] != nil {
			delete(e.past, key)
		}
	}
}

func (e *Engine) whenIdle(ended []*loop) <-chan struct{} {
	idle := make(chan struct{})
	var wait []<-chan struct{}
	for _, l := range ended {
		if l.inFlight != nil {
			wait = append(wait, l.inFlight)
		}
	}
	if len(wait) == 0 {
		close(idle)
		return idle
	}
	e.o.Crash.Go(func() {
		defer close(idle)
		for _, w := range wait {
			<-w
		}
	})
	return idle
}

// Adjust gives feeds that are known another Query.Window, Step and Followed, and reads those at once for
// which that changes anything. Their data and health stay; all else of the feeds is ignored, and so are
// feeds that are not known.
func (e *Engine) Adjust(feeds []Feed) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, some := e.o.Elapsed(), false
	for _, f := range feeds {
		l := e.byKey[f.Key]
		if l == nil {
			continue
		}
		q := l.feed.Query
		q.Window, q.Step, q.Followed = f.Query.Window, f.Query.Step, f.Query.Followed
		if q.Window == l.feed.Query.Window && q.Step == l.feed.Query.Step && q.Followed == l.feed.Query.Followed {
			continue
		}
		l.feed.Query = q
		if q.Followed {
			l.nudge(now)
			some = true
		}
	}
	if some {
		e.signal()
	}
}

// same reports that f and o are read alike, but for how much somebody wants to see of them.
func (f Feed) same(o Feed) bool {
	a, b := f.Query, o.Query
	a.Now, b.Now = time.Time{}, time.Time{}
	a.Window, a.Step, a.Followed = b.Window, b.Step, b.Followed
	if !slices.EqualFunc(a.Services, b.Services, sameService) {
		return false
	}
	a.Services, b.Services = nil, nil
	return f.Key == o.Key && sameSource(f.Source, o.Source) && reflect.DeepEqual(a, b)
}

func sameSource(a, b sources.Source) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable() && a == b
}

// newLoop returns a loop whose first read is due at once.
func (e *Engine) newLoop(f Feed) *loop {
	set := capability.Of(f.Source)
	gk := groupKey{source: f.Key.Source}
	if set.Credentialer != nil {
		gk.credential = set.Credentialer.Credential(f.Key.Scope)
	}
	g := e.groups[gk]
	if g == nil {
		g = &group{key: gk, spent: make(map[string]int64), holds: make(map[store.Capability]hold)}
		e.groups[gk] = g
	}
	f.Query.Scope = f.Key.Scope
	return &loop{
		feed: f, read: reader(set, f.Key.Capability), group: g, due: e.o.Elapsed(), first: true,
		cost: make(map[string]float64), touch: make(map[string]float64), spending: make(map[string]float64),
	}
}
