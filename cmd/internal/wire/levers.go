package wire

import (
	"context"
	"sync"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/cosign"
	"example.com/signalbox/sources/crash"
	"example.com/signalbox/sources/httpx"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/notify"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/ui/pane"
)

var _ pane.Levers = (*Board)(nil)

// standing is what acting goes by while one config runs. It never changes.
type standing struct {
	cfg  *config.Config
	open []*openSource
	// Both are made when they are first asked for: no start waits for them.
	policy   func() (*policy.Set, error)
	notifier func() (*notify.Notifier, error) // nil: there is nobody to tell
}

// stand makes cfg and the sources that it opened what is acted by.
func (b *Board) stand(cfg *config.Config, open []*openSource) {
	b.standing.Store(&standing{
		cfg: cfg, open: open,
		policy:   sync.OnceValues(func() (*policy.Set, error) { return Policy(cfg) }),
		notifier: sync.OnceValues(func() (*notify.Notifier, error) { return b.levers.makeNotifier(cfg) }),
	})
}

// levers is what acts for a board: the Runner, and what is known of what it does. All of it is safe for use
// by several goroutines at once.
type levers struct {
	b          *Board
	book       *book
	locks      *locks
	operations *operations
	runner     func() *action.Runner
	who        func() journal.Who
	place      func() *cosign.Place
	now        func() time.Time
	crash      crash.Handler

	ctx     context.Context // ends with the board
	end     context.CancelFunc
	telling context.Context // ends when the board's end has waited long enough
	hush    context.CancelFunc
	busy    sync.WaitGroup // what the board's end waits for

	mu       sync.Mutex
	closed   bool
	taken    map[string]bool               // plans that were sent, or are being carried out
	told     map[string]bool               // plans whose refusal was written down
	settling map[sources.Ref]chan struct{} // closed when what a crash left open on a target is settled
	done     map[string]watched            // what was promoted and rolled back here, by plan
	untold   map[string][]clean.Text       // who could not be told, and why, by plan
}

func newLevers(b *Board) *levers {
	l := &levers{
		b: b, now: b.now, crash: b.guard(), operations: newOperations(b.now, b.guard()),
		taken: map[string]bool{}, told: map[string]bool{}, settling: map[sources.Ref]chan struct{}{}, done: map[string]watched{},
		untold: map[string][]clean.Text{},
	}
	l.ctx, l.end = context.WithCancel(httpx.Urgent(context.Background()))
	l.telling, l.hush = context.WithCancel(httpx.Urgent(context.Background()))
	l.who = sync.OnceValue(func() journal.Who { return journal.Self(b.o.Lookup) })
	l.place = sync.OnceValue(func() *cosign.Place { return cosign.New(b.sharedDir(), l.who(), b.now) })
	own := b.records()
	l.book = newBook(own, b.now, b.log)
	l.locks = newLocks(own, b.sharedDir(), l.book, b)
	l.runner = sync.OnceValue(func() *action.Runner { return action.New(l.options()) })
	return l
}

// options are the Runner's surroundings.
func (l *levers) options() action.Options {
	return action.Options{
		Access: l.access, Snapshot: l.b.store.Snapshot, Service: l.service,
		Roles:    func(identity string) []string { return Roles(l.b.standing.Load().cfg, identity) },
		Cosigned: l.cosigned, CanCosign: l.place().Ready() == nil,
		Policy: judge{l.b}, Journal: l.book, Records: l.book.records, Locks: l.locks,
		ReadOnly: func() bool { return l.b.forbids() != "" },
		Now:      l.now, Who: l.who(),
		Notice: l.operations.notice, Nudge: l.nudge, Log: l.b.log,
	}
}

// cosigned is who else has agreed to a plan; "" nobody.
func (l *levers) cosigned(p *action.Plan) string {
	who, err := l.place().Agreed(p)
	if err != nil {
		l.b.log.Warn("look who has agreed", "plan", p.ID, "err", err)
	}
	return who
}

// offer lets a second person agree to a plan that demands one. What has not changed since it was offered
// keeps what was agreed.
func (l *levers) offer(p *action.Plan) {
	if p.Demand.Kind != action.SecondDemand || p.Request.Via == ViaLook {
		return
	}
	if err := l.place().Offer(p); err != nil {
		l.b.log.Warn("offer a plan to a second person", "plan", p.ID, "err", err)
		p.Lines = append(p.Lines, clean.Linef("nobody can agree to it: %v", err))
	}
}

// refused writes down, once, that policy refuses what somebody asks for on the board: there a plan that nothing
// makes go ahead is only closed. Commands carry it out, and are refused.
func (l *levers) refused(ctx context.Context, p *action.Plan) {
	if p.Demand.Kind != action.Refusal || p.Request.Via != viaBoard {
		return
	}
	l.mu.Lock()
	told := l.told[p.ID]
	l.told[p.ID] = true
	l.mu.Unlock()
	if !told {
		l.runner().Execute(ctx, *p, action.Approval{})
	}
}

// withdraw takes a plan back that has been carried out.
func (l *levers) withdraw(p *action.Plan) {
	if p.Demand.Kind != action.SecondDemand {
		return
	}
	if err := l.place().Withdraw(p.ID); err != nil {
		l.b.log.Info("withdraw a plan", "plan", p.ID, "err", err)
	}
}

// judge asks the policy of the running config.
type judge struct{ b *Board }

func (j judge) Judge(f policy.Facts) []policy.Finding {
	set, err := j.b.standing.Load().policy()
	if err != nil { // the check of the config has compiled it before
		return []policy.Finding{{Gate: "policies", Verdict: policy.Deny, Unknown: true, Text: clean.Line(err.Error()), Fix: clean.Const("type signalbox config check")}}
	}
	return set.Judge(f)
}

// access is a source as the Runner gets it.
func (l *levers) access(source string) (action.Access, error) {
	s := l.b.standing.Load()
	o := find(s.open, source)
	if o == nil {
		return action.Access{}, &sources.Error{
			Kind: sources.NotExist, Op: "act", Scope: source, Msg: "the config names no source " + source + " any more", Fix: "look at sources: in the config",
		}
	}
	return action.Access{Set: o.set, Identity: s.cfg.Me[o.entry.Type]}, nil
}

// sharedDir is the directory of several users; "" where there is none. Another one needs a restart.
func (b *Board) sharedDir() string {
	if b.o.Private {
		return ""
	}
	return b.o.Config.SharedDir
}

// forbids is who forbids every change; "" for nobody.
func (b *Board) forbids() string {
	switch {
	case b.o.ReadOnly != "":
		return b.o.ReadOnly
	case b.standing.Load().cfg.ReadOnly:
		return "read_only in the config"
	default:
		return ""
	}
}

// Status implements pane.Levers.
func (b *Board) Status() pane.LeverStatus {
	return pane.LeverStatus{ReadOnly: clean.Line(b.forbids()), Journal: b.levers.book.trouble()}
}

// Offers implements pane.Levers.
func (b *Board) Offers(ref sources.Ref) []sources.ActionSpec { return b.levers.runner().Offers(ref) }

// Propose implements pane.Levers.
func (b *Board) Propose(ctx context.Context, q action.Request) (action.Plan, error) {
	p, err := b.levers.runner().Propose(httpx.Urgent(ctx), q)
	if err == nil {
		b.levers.offer(&p)
		b.levers.refused(ctx, &p)
	}
	return p, err
}

// Renew implements pane.Levers.
func (b *Board) Renew(ctx context.Context, p action.Plan) (action.Plan, error) {
	fresh, err := b.levers.runner().Renew(httpx.Urgent(ctx), p)
	if err == nil {
		b.levers.offer(&fresh)
		b.levers.refused(ctx, &fresh)
	}
	return fresh, err
}

// Execute implements pane.Levers.
func (b *Board) Execute(ctx context.Context, p action.Plan, a action.Approval) action.Outcome {
	return b.levers.execute(ctx, p, a)
}

// Operations implements pane.Levers.
func (b *Board) Operations() <-chan []pane.Operation { return b.levers.operations.out }

// Dismiss implements pane.Levers.
func (b *Board) Dismiss(plan string) { b.levers.operations.dismiss(plan) }

// Journal is where actions are recorded. It is always there: without a state directory every Append fails.
func (b *Board) Journal() *journal.Journal { return b.levers.book.journal }

// Policy is what judges actions now.
func (b *Board) Policy() *policy.Set {
	set, err := b.standing.Load().policy()
	if err != nil {
		b.log.Error("the policies", "err", err)
		return policy.Default()
	}
	return set
}

// Facts is what the gates would look at for a request, found out by reading alone.
func (b *Board) Facts(ctx context.Context, q action.Request) (policy.Facts, error) {
	return b.levers.runner().Facts(httpx.Urgent(ctx), q)
}

// execute carries a plan out, and shows it as it goes.
func (l *levers) execute(ctx context.Context, p action.Plan, a action.Approval) action.Outcome {
	if why, ok := l.begin(p.ID); !ok {
		return action.Outcome{Plan: p.ID, State: action.Refused, Text: why}
	}
	defer l.busy.Done()
	ctx, cancel := l.within(ctx)
	defer cancel()
	l.operations.begin(&p)
	l.awaitSettled(ctx, p.Request.Target)
	before := l.baseline(ctx, &p)
	out := l.runner().Execute(ctx, p, a)
	acted := l.operations.end(p.ID, out)
	l.finish(&p, out)
	l.after(&p, out, acted, before)
	return out
}

// begin takes a plan to be carried out: once, unless nothing came of it.
func (l *levers) begin(plan string) (why clean.Text, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return clean.Const("signalbox is ending: nothing was sent"), false
	case l.taken[plan]:
		return clean.Const("this plan was carried out already: nothing was sent again"), false
	}
	l.taken[plan] = true
	l.busy.Add(1)
	return clean.Text{}, true
}

// finish gives a plan back of which nothing was sent: it may be confirmed better.
func (l *levers) finish(p *action.Plan, out action.Outcome) {
	if out.State != action.Refused && out.State != action.Stale {
		l.withdraw(p)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.taken, p.ID)
}

// within is a context that ends with ctx, and with the board. A person waits for what is done in it.
func (l *levers) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(httpx.Urgent(ctx))
	stop := context.AfterFunc(l.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// background runs f on a goroutine of its own, which the board's end waits for. f gives up with its context.
func (l *levers) background(f func(context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.beside(l.ctx, f)
	}
}

// beside runs f on a goroutine of its own. The caller is counted as busy, or holds mu and is not closed.
func (l *levers) beside(ctx context.Context, f func(context.Context)) {
	l.busy.Add(1)
	l.crash.Go(func() {
		defer l.busy.Done()
		f(ctx)
	})
}

// patience is for how long the board's end waits for what is under way to be written down, and told.
const patience = 10 * time.Second

// close ends guards and what is followed, and waits until that is written down and told.
func (l *levers) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.end()
	defer l.hush()
	defer l.operations.close()
	ended := make(chan struct{})
	l.crash.Go(func() {
		l.busy.Wait()
		close(ended)
	})
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-ended:
		return
	case <-late.C:
		l.b.log.Warn("what was under way did not end in time", "waited", patience)
	}
	l.hush() // who is being told just now is given up on, which is soon said
	select {
	case <-ended:
	case <-time.After(time.Second):
	}
}
