// Package wire is the one place that knows all parts: it makes sources, store, polling and state out of a
// config, keeps them in step when the config changes, and is the world that the board asks.
package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/all"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/crash"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/httpx"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/state"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/pane"
)

// Options say what to compose.
type Options struct {
	Config    *config.Config
	Log       *slog.Logger
	UserAgent string
	Lookup    func(string) (string, bool) // environment variables
	// Stateless keeps nothing on disk and reads nothing from it but the rate budget that all boards of
	// the user share.
	Stateless bool
	// Private keeps even the rate budget to this process: what a simulated world allows is nobody
	// else's business.
	Private bool
	// Records is the directory of the journal and the locks; "" is the state directory.
	Records string
	// ReadOnly is who forbids every change, besides the config: "--read-only"; "" nobody.
	ReadOnly string
	// Setup is shown instead of the panes, on a board for which nothing is configured.
	Setup *ui.Setup
	// Transport carries the drivers' requests; nil means the machine's network.
	Transport http.RoundTripper
	// Now is the board's clock; nil means time.Now. Clock is what its guards wait by, where that goes at another
	// pace than the machine's; nil: it does not.
	Now   func() time.Time
	Clock guard.Clock
}

// Board is everything behind the screen. Its methods are safe for use by several goroutines at once.
type Board struct {
	o         Options
	now       func() time.Time
	log       *slog.Logger
	transport http.RoundTripper
	dir       *state.Dir // nil: nothing is kept, because of noDir
	noDir     error
	budget    *state.Budget
	store     *store.Store
	engine    *poll.Engine
	browser   *browser
	saver     *saver
	snapshots <-chan *store.Snapshot
	unwatch   func()
	restored  chan struct{} // closed when the last snapshot was read
	first     *firstFrame
	events    chan pane.Event
	settings  chan *config.Config
	crashes   chan *crash.Panic              // holds the first panic of a goroutine
	watches   chan pane.Watch                // holds the latest
	refresh   atomic.Pointer[config.Refresh] // of config; the poller must not wait for mu
	standing  atomic.Pointer[standing]       // of config and open; what acts must not wait for mu
	levers    *levers

	mu      sync.Mutex
	config  *config.Config
	open    []*openSource // in the order of the config
	watched pane.Watch
	closed  bool
}

// openSource is a source that was opened, and what it can do.
type openSource struct {
	entry        config.SourceEntry
	src          sources.Source
	set          capability.Set
	capabilities []store.Capability
}

// New composes a board. It touches no network.
func New(o Options) (*Board, error) {
	b := &Board{
		o: o, now: o.Now, log: o.Log, config: o.Config,
		saver:  newSaver(),
		events: make(chan pane.Event, 16), settings: make(chan *config.Config, 1), crashes: make(chan *crash.Panic, 1),
		watches: make(chan pane.Watch, 1),
		first:   newFirstFrame(),
	}
	b.browser = newBrowser(o.Lookup, b.guard())
	if b.now == nil {
		b.now = time.Now
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.refresh.Store(&o.Config.Refresh)
	var err error
	if b.transport = o.Transport; b.transport == nil {
		if b.transport, err = httpx.Base(httpx.Network{}); err != nil {
			return nil, fmt.Errorf("prepare the network: %w", err)
		}
	}
	b.dir = b.stateDir()
	b.budget = state.NewBudget(b.dir, state.BudgetOptions{Log: b.log})
	if b.open, err = b.openAll(o.Config, nil); err != nil {
		return nil, err
	}
	b.store = store.New(catalogOf(o.Config, b.open), b.now)
	b.engine = poll.New(poll.Options{Store: b.store, Budget: b.budget, Log: b.log, Now: b.now, Pace: b.pace, Crash: b.crashed})
	b.engine.Set(feedsOf(o.Config, b.open, pane.Watch{}))
	b.stand(o.Config, b.open)
	b.levers = newLevers(b)
	b.restore()
	b.snapshots, b.unwatch = b.store.Subscribe()
	return b, nil
}

// stateDir is the state directory; nil when there is none, which costs comfort and stops nothing.
func (b *Board) stateDir() *state.Dir {
	if b.o.Private {
		return nil
	}
	path, err := b.o.Config.StateDir, error(nil)
	if path == "" {
		path, err = state.DefaultPath()
	}
	if err == nil {
		var dir *state.Dir
		if dir, err = state.Open(path, b.log); err == nil {
			return dir
		}
	}
	b.noDir = err
	b.log.Warn("there is no state directory", "err", err)
	return nil
}

// Run polls, follows the config and keeps the last snapshot until ctx ends. When a goroutine of the board
// panics, it returns that as a *crash.Panic at once and waits for nobody: what crashed may hold the rest up.
func (b *Board) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for _, part := range []func(context.Context){b.poll, b.follow, b.keep, b.attendTo, b.sayUnshared, b.levers.start} {
		wg.Go(func() { b.guard().Run(func() { part(ctx) }) })
	}
	done := make(chan struct{})
	b.guard().Go(func() {
		wg.Wait()
		close(done)
	})
	select {
	case p := <-b.crashes:
		return p
	case <-done:
	}
	select {
	case p := <-b.crashes:
		return p
	default:
		return nil
	}
}

// guard is what every goroutine of the board runs under.
func (b *Board) guard() crash.Handler { return b.crashed }

// crashed keeps a panic for whoever runs the board; of several the first is the cause.
func (b *Board) crashed(p *crash.Panic) {
	b.log.Error("crash", "err", p, "stack", string(p.Stack))
	select {
	case b.crashes <- p:
	default:
	}
}

// Close ends what New has begun.
func (b *Board) Close() error {
	b.levers.close()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	b.first.shown()
	<-b.restored
	b.unwatch()
	b.engine.Close()
	b.budget.Close()
	return closeAll(b.open)
}

func closeAll(open []*openSource) error {
	var errs []error
	for _, o := range open {
		if err := o.src.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close the source %s: %w", o.entry.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Now is the board's clock.
func (b *Board) Now() time.Time { return b.now() }

// Snapshot is what is known now.
func (b *Board) Snapshot() *store.Snapshot { return b.store.Snapshot() }

// Settings holds the newest config that was taken after the first: theme, keys and mouse may differ.
func (b *Board) Settings() <-chan *config.Config { return b.settings }

// Settle polls until every feed has answered or failed once, or ctx ends, and returns what is known then. It
// panics with the panic of a goroutine.
func (b *Board) Settle(ctx context.Context) *store.Snapshot {
	// The poller is told to stop rather than given ctx's deadline, which it would take for its own: what had
	// no answer by then has not failed.
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	b.guard().Go(func() {
		defer close(ended)
		b.engine.Run(run)
	})
	settle := func() *store.Snapshot {
		cancel()
		<-ended
		return b.store.Snapshot()
	}
	defer cancel()
	for {
		if settled(b.store.Snapshot()) {
			return settle()
		}
		select {
		case p := <-b.crashes:
			panic(p)
		case <-b.snapshots:
		case <-ctx.Done():
			return settle()
		}
	}
}

func settled(s *store.Snapshot) bool {
	for i := range s.Feeds {
		if s.Feeds[i].Health.State == store.Loading {
			return false
		}
	}
	return true
}

// openAll opens the sources of cfg but for those of kept, which stay as they are.
func (b *Board) openAll(cfg *config.Config, kept []*openSource) ([]*openSource, error) {
	var open []*openSource
	var errs []error
	for _, entry := range cfg.Sources {
		if have := find(kept, entry.Name); have != nil {
			open = append(open, have)
			continue
		}
		one, err := b.openOne(entry, cfg.Me[entry.Type])
		if err != nil {
			errs = append(errs, openError(cfg, entry, err))
			continue
		}
		open = append(open, one)
	}
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, closeAll(fresh(open, kept)))...)
	}
	return open, nil
}

func (b *Board) openOne(entry config.SourceEntry, identity string) (*openSource, error) {
	for _, d := range all.Drivers() {
		if d.Name != entry.Type {
			continue
		}
		src, err := d.Open(sources.Env{
			Source: entry.Name, Transport: b.transport, Budget: b.budget.For(entry.Name, limitOf(d)),
			Log: b.log.With("source", entry.Name), Now: b.now, UserAgent: b.o.UserAgent, Identity: identity,
		}, entry.Config)
		if err != nil {
			return nil, fmt.Errorf("open: %w", err)
		}
		set := capability.Of(src)
		return &openSource{entry: entry, src: src, set: set, capabilities: capability.List(set)}, nil
	}
	return nil, fmt.Errorf("there is no driver for the type %q", entry.Type)
}

// limitOf is how much of what d's provider grants a credential the boards of this user may spend. GitHub's
// limit is a user's own; the others' is their whole organisation's.
func limitOf(d sources.Driver) state.Limit {
	switch {
	case d.Name == "github":
		return state.DefaultLimit()
	case d.Grants.Limit == 0:
		return state.Limit{Requests: unlimited, Window: time.Minute, Fraction: 1}
	default:
		return state.Limit{Requests: d.Grants.Limit, Window: d.Grants.Window, Fraction: orgShare, Burst: orgBurst}
	}
}

const (
	orgShare  = 0.1    // of an organisation's limit is what all boards of one user plan to send
	orgBurst  = 0.3    // is where they stop
	unlimited = 60_000 // a minute: no board comes near
)

// openError says where in the config the source stands that cannot be opened.
func openError(cfg *config.Config, entry config.SourceEntry, err error) error {
	path, msg, fix := "sources."+entry.Name, err.Error(), ""
	if f, ok := errors.AsType[config.FieldProblem](err); ok {
		var field string
		field, msg, fix = f.Field()
		path += "." + field
	}
	return &config.Error{Pos: cfg.Pos(path), Msg: msg, Fix: fix, Err: err}
}

func find(open []*openSource, name string) *openSource {
	for _, o := range open {
		if o.entry.Name == name {
			return o
		}
	}
	return nil
}

// fresh are those of open that are not in old.
func fresh(open, old []*openSource) []*openSource {
	return slices.DeleteFunc(slices.Clone(open), func(o *openSource) bool { return slices.Contains(old, o) })
}

// Types are the kinds of source, as config wants them.
func Types() []config.SourceType {
	var out []config.SourceType
	for _, d := range all.Drivers() {
		out = append(out, config.SourceType{Name: d.Name, Doc: d.Doc, Sample: d.Sample, Config: d.Config})
	}
	return out
}
