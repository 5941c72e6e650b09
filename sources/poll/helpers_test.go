package poll_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/state"
	"example.com/signalbox/sources/store"
)

// provider is a stub source of runs and environments. A test says how each read is answered.
type provider struct {
	sourcetest.Base
	runs         func(ctx context.Context, scope string, n int) (sources.Batch[sources.Run], error)
	environments func(ctx context.Context, scope string, n int) (sources.Batch[sources.Environment], error)
	credential   func(scope string) string

	mu       sync.Mutex
	start    time.Time
	reads    map[string][]time.Duration // by scope, of runs
	order    []string
	inFlight map[string]int
	most     int // reads in flight at once
	overlap  bool
}

func newProvider(name string) *provider {
	p := &provider{start: time.Now(), reads: make(map[string][]time.Duration), inFlight: make(map[string]int)}
	p.ID = name
	return p
}

func (p *provider) ListRuns(ctx context.Context, q sources.Query) (sources.Batch[sources.Run], error) {
	p.mu.Lock()
	n := len(p.reads[q.Scope])
	p.reads[q.Scope] = append(p.reads[q.Scope], time.Since(p.start))
	p.order = append(p.order, q.Scope)
	p.inFlight[q.Scope]++
	total := 0
	for _, c := range p.inFlight {
		total += c
	}
	p.most = max(p.most, total)
	p.overlap = p.overlap || p.inFlight[q.Scope] > 1
	answer := p.runs
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.inFlight[q.Scope]--
	}()
	if answer == nil {
		return batch(q.Scope, n, sources.Quiet), nil
	}
	return answer(ctx, q.Scope, n)
}

func (p *provider) ListEnvironments(ctx context.Context, q sources.Query) (sources.Batch[sources.Environment], error) {
	p.mu.Lock()
	key := "environments of " + q.Scope
	n := len(p.reads[key])
	p.reads[key] = append(p.reads[key], time.Since(p.start))
	answer := p.environments
	p.mu.Unlock()
	if answer == nil {
		return sources.Batch[sources.Environment]{}, nil
	}
	return answer(ctx, q.Scope, n)
}

func (p *provider) Credential(scope string) string {
	if p.credential == nil {
		return ""
	}
	return p.credential(scope)
}

func (p *provider) set(f func(ctx context.Context, scope string, n int) (sources.Batch[sources.Run], error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = f
}

// times are when the runs of scope were read.
func (p *provider) times(scope string) []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Duration(nil), p.reads[scope]...)
}

// sequence is the scopes whose runs were read, in order.
func (p *provider) sequence() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.order...)
}

// together is how many reads were in flight at once at most, and whether two of one feed ever were.
func (p *provider) together() (most int, overlap bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most, p.overlap
}

func (p *provider) last(scope string) time.Duration {
	t := p.times(scope)
	if len(t) == 0 {
		return -1
	}
	return t[len(t)-1]
}

func batch(scope string, n int, busy sources.Busy) sources.Batch[sources.Run] {
	ref := sources.Ref{Source: "github", Kind: sources.KindRun, Scope: scope, ID: "1"}
	return sources.Batch[sources.Run]{Items: []sources.Run{{Ref: ref, Number: n}}, Busy: busy}
}

// always answers every read with the same busy grade, after a second.
func always(busy sources.Busy) func(context.Context, string, int) (sources.Batch[sources.Run], error) {
	return func(_ context.Context, scope string, n int) (sources.Batch[sources.Run], error) {
		time.Sleep(time.Second)
		return batch(scope, n, busy), nil
	}
}

func runsKey(scope string) store.FeedKey {
	return store.FeedKey{Source: "github", Capability: store.Runs, Scope: scope}
}

func feed(p sources.Source, scope string) poll.Feed {
	return poll.Feed{Key: store.FeedKey{Source: p.Name(), Capability: store.Runs, Scope: scope}, Source: p, Query: sources.Query{Scope: scope}}
}

func feeds(p sources.Source, scopes ...string) []poll.Feed {
	list := make([]poll.Feed, len(scopes))
	for i, s := range scopes {
		list[i] = feed(p, s)
	}
	return list
}

func repos(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("acme/%02d", i)
	}
	return list
}

// board is an engine that runs, its store and its log.
type board struct {
	*poll.Engine
	store *store.Store
	log   *lockedLog
	start time.Time
}

type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// run starts an engine inside a synctest bubble; it is stopped at the end of the test.
func run(t *testing.T, o poll.Options) *board {
	t.Helper()
	b := &board{store: store.New(nil, time.Now), log: &lockedLog{}, start: time.Now()}
	o.Store = b.store
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(b.log, nil))
	}
	b.Engine = poll.New(o)
	go b.Run(t.Context())
	t.Cleanup(b.Close)
	return b
}

func (b *board) feed(t *testing.T, scope string) store.Feed {
	t.Helper()
	f := b.store.Snapshot().Feed(runsKey(scope))
	if f == nil {
		t.Fatalf("the store has no runs of %s", scope)
	}
	return *f
}

// budget is a Budget with a fixed answer.
type budget struct {
	mu sync.Mutex
	u  state.Usage
}

func (b *budget) Usage(string, string) state.Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.u
}

func (b *budget) Usages(source, credential string) []state.Usage {
	return []state.Usage{b.Usage(source, credential)}
}

// budgets are several budgets of one credential, by key.
type budgets struct {
	mu   sync.Mutex
	list []state.Usage
}

func (b *budgets) Usage(string, string) state.Usage { return b.Usages("", "")[0] }

func (b *budgets) Usages(string, string) []state.Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.list)
}

func (b *budgets) spend(i int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list[i].Spent++
}

func (b *budget) spend(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.u.Spent += int64(n)
}
