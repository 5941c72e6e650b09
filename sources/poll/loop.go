package poll

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/store"
)

// loop is the life of one feed. Times are the engine's Elapsed. It is guarded by the engine's lock.
type loop struct {
	feed  Feed
	read  func(context.Context, sources.Query) result
	group *group

	due       time.Duration
	notBefore time.Duration // until then the provider wants no request
	retryAt   time.Time     // the same on the board's clock, which goes on while the machine sleeps
	started   time.Duration // the last read

	inFlight chan struct{} // closed when the read has ended; nil: none
	cancel   context.CancelFunc
	again    bool // nudged while in flight
	restart  bool // what is in flight was given up, and says nothing about the feed
	ended    bool

	first    bool // no read has ended yet
	answered bool // the source has answered this loop, and answer holds it
	answer   store.Feed
	health   store.Health
	busy     sources.Busy
	cost     map[string]float64 // by budget: requests that a read spends, smoothed over the last reads …
	touch    map[string]float64 // by budget: how many of the last reads spent any, from 0 to 1 …
	counted  int                // … of so many, the first aside: it fetches what later ones find unchanged
	spending map[string]float64 // by budget: requests that the present one has spent
}

// group is the feeds that spend the same budget.
type group struct {
	key     groupKey
	reading []*loop
	spent   map[string]int64 // by budget: by this process, as of the last look
	holds   map[store.Capability]hold
}

type groupKey struct{ source, credential string }

// hold stops the reads of one capability with one credential after the provider said to wait.
type hold struct {
	until time.Time
	err   *sources.Error
}

// result is what one read brought.
type result struct {
	data    store.Feed // the slice of the capability
	notices []sources.Notice
	busy    sources.Busy
	err     error
}

func (l *loop) nudge(now time.Duration) {
	if l.inFlight != nil {
		l.again = true
		return
	}
	if l.due > now {
		l.due = now
	}
	l.due = max(l.due, l.notBefore)
	if !l.first {
		l.due = max(l.due, l.started+minGap)
	}
}

func (l *loop) end() {
	l.ended = true
	if l.cancel != nil {
		l.cancel()
	}
}

// turn is one read of a loop.
type turn struct {
	loop   *loop
	ctx    context.Context //nolint:containedctx // lives exactly as long as the read that it bounds
	query  sources.Query
	cancel context.CancelFunc
}

// begin marks l as being read. It is called with the lock held.
func (e *Engine) begin(ctx context.Context, l *loop, now time.Duration) *turn {
	ctx, cancel := context.WithTimeout(ctx, e.o.Timeout)
	e.account(l.group)
	l.inFlight = make(chan struct{})
	l.cancel = cancel
	l.started = now
	l.again, l.restart = false, false
	clear(l.spending)
	l.group.reading = append(l.group.reading, l)
	e.reading[l.feed.Key.Source]++
	q := l.feed.Query
	q.Now = e.o.Now()
	return &turn{loop: l, ctx: ctx, query: q, cancel: cancel}
}

// take carries t out. A source that ignores the end of its context loses its turn: the feed then fails,
// and is not read again before that read has come back, whose answer is dropped.
func (e *Engine) take(t *turn) {
	defer t.cancel()
	if err := e.held(t.loop); err != nil {
		e.settle(t, result{err: err})
		e.release(t.loop)
		return
	}
	done := make(chan result, 1)
	e.o.Crash.Go(func() { done <- protect(t.ctx, t.loop.read, t.query) })
	select {
	case r := <-done:
		e.settle(t, r)
		e.release(t.loop)
		return
	case <-t.ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case r := <-done:
		e.settle(t, r)
		e.release(t.loop)
	case <-late.C:
		e.settle(t, result{err: &sources.Error{
			Kind: sources.Transient, Op: "read", Scope: t.loop.feed.Key.Scope,
			Msg: "no answer, and the read does not stop",
		}})
		e.o.Crash.Go(func() {
			<-done
			e.release(t.loop)
		})
	}
}

// protect turns a panic in a driver into an error of its feed.
func protect(ctx context.Context, read func(context.Context, sources.Query) result, q sources.Query) (r result) {
	defer func() {
		if p := recover(); p != nil {
			r = result{err: &sources.Error{
				Kind: sources.Transient, Op: "read", Scope: q.Scope, Msg: "the driver crashed; the log says where",
				Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack()),
			}}
		}
	}()
	return read(ctx, q)
}

// held is what the provider has said to another feed of l's group since l became due, when it asked to wait;
// nil otherwise.
func (e *Engine) held(l *loop) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	h, ok := l.group.holds[l.feed.Key.Capability]
	if !ok || !h.until.After(e.o.Now()) {
		return nil
	}
	own := *h.err
	own.Scope = l.feed.Key.Scope
	return &own
}

// release ends l's turn.
func (e *Engine) release(l *loop) {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(l.inFlight)
	l.inFlight, l.cancel = nil, nil
	if e.reading[l.feed.Key.Source]--; e.reading[l.feed.Key.Source] == 0 {
		delete(e.reading, l.feed.Key.Source)
	}
	if l.again && !l.restart {
		l.nudge(e.o.Elapsed())
	}
	l.restart, l.again = false, false
	e.signal()
}

// account shares out what the group has spent since the last look among the reads that were in flight.
func (e *Engine) account(g *group) {
	if e.o.Budget == nil {
		return
	}
	for _, u := range e.o.Budget.Usages(g.key.source, g.key.credential) {
		delta := float64(u.Spent - g.spent[u.Key])
		g.spent[u.Key] = u.Spent
		for _, l := range g.reading {
			l.spending[u.Key] += delta / float64(len(g.reading))
		}
	}
}

// settle judges what a read of l brought, tells the store, and decides when to read next.
func (e *Engine) settle(t *turn, r result) {
	l := t.loop
	e.mu.Lock()
	defer e.mu.Unlock()
	e.account(l.group)
	for i, o := range l.group.reading {
		if o == l {
			l.group.reading = append(l.group.reading[:i:i], l.group.reading[i+1:]...)
			break
		}
	}
	if l.ended || l.restart || errors.Is(t.ctx.Err(), context.Canceled) {
		return // it was the engine that gave up
	}
	if errors.Is(r.err, sources.ErrNotModified) && !l.answered {
		r.err = &sources.Error{
			Kind: sources.Invalid, Op: "read", Scope: l.feed.Key.Scope,
			Msg: "the source says that nothing changed, but it has never answered",
		}
	}
	before := l.health.State
	l.health.Latency = e.o.Elapsed() - l.started
	var change store.Mutation
	if r.err == nil || errors.Is(r.err, sources.ErrNotModified) {
		change = e.succeed(l, r)
	} else {
		change = e.fail(t.ctx, l, r.err)
	}
	l.health.Next = e.o.Now().Add(l.due - e.o.Elapsed())
	if e.o.Budget != nil {
		l.health.Rate = e.o.Budget.Usage(l.group.key.source, l.group.key.credential).Rate
	}
	e.tell(l, before)
	switch m := change.(type) {
	case store.Replace:
		m.Feed.Health = l.health
		e.o.Store.Apply(m)
	default:
		e.o.Store.Apply(store.SetHealth{Key: l.feed.Key, Health: l.health})
	}
}

// free moves what was put down to l over to the reads that go on: what was not modified throughout was
// not counted, so it was they who spent it.
func (l *loop) free() {
	if n := len(l.group.reading); n > 0 {
		for _, o := range l.group.reading {
			for key, x := range l.spending {
				o.spending[key] += x / float64(n)
			}
		}
		clear(l.spending)
	}
}

// learn takes what the present read has spent into what reads cost.
func (l *loop) learn() {
	weight := max(learning, 1/float64(l.counted))
	for key := range l.spending {
		l.cost[key] += 0
	}
	for key, c := range l.cost {
		l.cost[key] = c + weight*(l.spending[key]-c)
		spent := 0.0
		if l.spending[key] > 0 {
			spent = 1
		}
		l.touch[key] += weight * (spent - l.touch[key])
	}
}

// costs is what a read of l spends of one of a group's budgets. What is shared out among the reads of a
// moment also meets those that spend others: a budget that few reads of l touch is not l's. Where all feeds
// spend the same one there is nothing to tell apart.
func (l *loop) costs(key string, only bool) float64 {
	if !only && l.touch[key] < habit {
		return 0
	}
	return l.cost[key]
}

// succeed takes an answer. It returns a Replace when the data has changed.
func (e *Engine) succeed(l *loop, r result) store.Mutation {
	var change store.Mutation
	if r.err == nil {
		l.busy = r.busy
		l.health.Notices = r.notices
		r.data.Key = l.feed.Key
		if !l.answered || !sameData(&l.answer, &r.data) {
			l.answer = r.data
			change = store.Replace{Feed: r.data}
		}
		l.answered = true
	} else {
		l.free()
	}
	if !l.first {
		l.counted++
		l.learn()
	}
	state := store.Healthy
	if len(l.health.Notices) > 0 {
		state = store.Degraded
	}
	e.enter(l, state)
	l.health.LastGood = e.o.Now()
	l.health.Failures, l.health.Err, l.health.Cached = 0, nil, false
	l.notBefore, l.retryAt = 0, time.Time{}
	l.health.Interval = e.interval(l)
	wait := e.jitter(l.health.Interval)
	if l.first {
		// The first reads of many feeds come together; from the second on they are spread out.
		wait = time.Duration(float64(l.health.Interval) * (0.5 + 0.5*e.o.Rand()))
	}
	l.first = false
	l.due = max(e.beat(l.started+wait, l.health.Interval), e.o.Elapsed()+minGap)
	return change
}

// fail takes an error: the data stays, and its age shows.
func (e *Engine) fail(ctx context.Context, l *loop, err error) store.Mutation {
	now := e.o.Elapsed()
	se := e.explain(ctx, l, err)
	l.first = false
	l.health.Failures++
	l.health.Err = se
	l.health.Interval = e.interval(l)
	wait := e.backoff(se.Kind, l.health.Failures)
	switch se.Kind {
	case sources.Throttled:
		e.enter(l, store.Throttled)
		if asked := min(se.RetryAt.Sub(e.o.Now()), maxRetryWait); asked > 0 {
			wait = asked + time.Duration(float64(settleDelay)*e.o.Rand())
			l.retryAt = se.RetryAt
			l.notBefore = now + wait
			l.group.holds[l.feed.Key.Capability] = hold{until: e.o.Now().Add(asked), err: se}
		}
	case sources.Permission, sources.NotExist, sources.Unsupported:
		e.enter(l, store.Refused)
	case sources.Transient, sources.Invalid, sources.Conflict, sources.Ambiguous:
		e.enter(l, store.Failing)
	default:
		e.enter(l, store.Failing)
	}
	l.due = now + wait
	return nil
}

func (e *Engine) enter(l *loop, s store.HealthState) {
	if l.health.State != s || l.health.Since.IsZero() {
		l.health.State, l.health.Since = s, e.o.Now()
	}
}

// explain makes sure that people read a sentence and not a chain of Go errors.
func (e *Engine) explain(ctx context.Context, l *loop, err error) *sources.Error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && errors.Is(err, context.DeadlineExceeded) {
		return &sources.Error{
			Kind: sources.Transient, Op: "read", Scope: l.feed.Key.Scope,
			Msg: "no answer within " + e.o.Timeout.String(), Err: err,
			Fix: fmt.Sprintf("it is tried again; if it lasts, look at the network to %s and at its status page", l.feed.Key.Source),
		}
	}
	if se, ok := errors.AsType[*sources.Error](err); ok {
		return se
	}
	return &sources.Error{Kind: sources.Transient, Op: "read", Scope: l.feed.Key.Scope, Msg: "the read failed", Err: err}
}

// tell logs what became of the feed's health.
func (e *Engine) tell(l *loop, before store.HealthState) {
	log := e.o.Log.With("feed", l.feed.Key.String(), "latency", l.health.Latency)
	switch {
	case l.health.Err != nil && before != l.health.State:
		log.Warn("feed fails", "err", l.health.Err, "cause", l.health.Err.Err, "retry", l.health.Next)
	case l.health.Err != nil:
		log.Debug("feed still fails", "err", l.health.Err, "failures", l.health.Failures)
	case before != l.health.State && before != store.Loading:
		log.Info("feed is back")
	default:
		log.Debug("feed read", "interval", l.health.Interval)
	}
}

// reader is how a source with the given capabilities reads a feed of capability c.
func reader(set capability.Set, c store.Capability) func(context.Context, sources.Query) result {
	switch {
	case c == store.Runs && set.Runs != nil:
		return list(set.Runs.ListRuns, func(f *store.Feed, items []sources.Run) { f.Runs = items })
	case c == store.Environments && set.Environments != nil:
		return list(set.Environments.ListEnvironments, func(f *store.Feed, items []sources.Environment) { f.Environments = items })
	case c == store.Releases && set.Releases != nil:
		return list(set.Releases.ListReleases, func(f *store.Feed, items []sources.Release) { f.Releases = items })
	case c == store.Incidents && set.Incidents != nil:
		return list(set.Incidents.ListIncidents, func(f *store.Feed, items []sources.Incident) { f.Incidents = items })
	case c == store.Metrics && set.Metrics != nil:
		return list(set.Metrics.QueryMetrics, func(f *store.Feed, items []sources.Series) { f.Series = items })
	case c == store.Monitors && set.Monitors != nil:
		return list(set.Monitors.ListMonitors, func(f *store.Feed, items []sources.Monitor) { f.Monitors = items })
	case c == store.SLOs && set.SLOs != nil:
		return list(set.SLOs.ListSLOs, func(f *store.Feed, items []sources.SLO) { f.SLOs = items })
	case c == store.Shifts && set.Shifts != nil:
		return list(set.Shifts.ListShifts, func(f *store.Feed, items []sources.Shift) { f.Shifts = items })
	case c == store.Changes && set.Changes != nil:
		return list(set.Changes.ListChanges, func(f *store.Feed, items []sources.Change) { f.Changes = items })
	case c == store.Past && set.Past != nil:
		return list(set.Past.ListPastIncidents, func(f *store.Feed, items []sources.Incident) { f.Incidents = items })
	}
	return func(context.Context, sources.Query) result {
		return result{err: &sources.Error{
			Kind: sources.Unsupported, Op: "read", Msg: "this kind of source has no " + string(c),
		}}
	}
}

func list[T any](read func(context.Context, sources.Query) (sources.Batch[T], error), put func(*store.Feed, []T)) func(context.Context, sources.Query) result {
	return func(ctx context.Context, q sources.Query) result {
		b, err := read(ctx, q)
		if err != nil {
			return result{err: err}
		}
		r := result{notices: b.Notices, busy: b.Busy}
		put(&r.data, b.Items)
		return r
	}
}
