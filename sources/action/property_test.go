package action_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

// The property test lets people at two boards, which share one journal and one directory of locks, plan, renew,
// confirm rightly and wrongly, while other people change what is acted on, providers fail, clocks jump, policies
// change and boards are killed and started again. What product.md promises holds at each moment. Everything
// takes a time of its own that the seed tells, so that a seed tells the whole story.

// thing is one object that is acted on.
type thing struct {
	ref     sources.Ref
	rev     int
	acked   bool
	effects []string // the plans that took effect, in order
	flying  int      // requests of living boards on their way
}

// planet is everything that outlives a board.
type planet struct {
	things  []*thing
	journal *journal.Journal

	mu      sync.Mutex
	rng     *rand.Rand
	verdict policy.Verdict
	glass   bool
	frozen  bool // read-only
	skew    time.Duration
	weather float64                    // how likely a request goes wrong
	full    bool                       // the disk
	locks   map[string]*process        // who holds each
	plans   map[string]*carried        // what somebody has confirmed
	written map[string][]journal.Stage // what is on the disk, by plan
	ops     int
	broken  []string
}

// carried is a plan that somebody has confirmed.
type carried struct {
	plan     action.Plan
	approval action.Approval
	sent     int
	out      []action.Outcome
	doubt    bool // a record of it may be missing: the disk was full
	killed   bool
}

// process is one run of a board, until it ends or is killed.
type process struct {
	*planet
	*action.Runner

	dead  bool
	users sync.WaitGroup
	taken map[string]bool
}

func (w *planet) wrong(format string, a ...any) {
	w.broken = append(w.broken, fmt.Sprintf("%s: ", time.Now().Format("15:04:05.000"))+fmt.Sprintf(format, a...))
}

// chance, between and pick are the only dice.
func (w *planet) chance(p float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.Float64() < p
}

func (w *planet) number(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

// pass lets a time pass that nothing else ends at.
func (w *planet) pass(most time.Duration) {
	w.mu.Lock()
	d := time.Duration(w.rng.Int64N(int64(most))) + 1
	w.ops++
	w.mu.Unlock()
	time.Sleep(d) // the bubble's time
}

func (w *planet) thing(ref sources.Ref) *thing {
	for _, x := range w.things {
		if x.ref == ref {
			return x
		}
	}
	return nil
}

// alive ends the goroutine of a process that was killed: it does nothing any more.
func (p *process) alive() {
	p.mu.Lock()
	dead := p.dead
	p.mu.Unlock()
	if dead {
		runtime.Goexit()
	}
}

func (p *process) fails() error {
	if !p.chance(p.weatherNow()) {
		return nil
	}
	kinds := []sources.ErrKind{sources.Transient, sources.Permission, sources.Throttled, sources.NotExist, sources.Conflict, sources.Invalid}
	return refusal(kinds[p.number(len(kinds))])
}

func (w *planet) weatherNow() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.weather
}

// provider is a source as one process sees it.
type provider struct{ *process }

func (s provider) Actions() []sources.ActionSpec {
	return []sources.ActionSpec{{Verb: sources.Acknowledge, On: sources.KindIncident}, {Verb: sources.AddNote, On: sources.KindIncident}}
}

func (s provider) Get(ctx context.Context, ref sources.Ref) (any, error) {
	s.pass(2 * time.Second)
	s.alive()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.fails(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.thing(ref)
	if x == nil {
		return nil, refusal(sources.NotExist)
	}
	i := sources.Incident{Ref: ref, Revision: sources.Revision(strconv.Itoa(x.rev)), Service: "checkout", Title: clean.Line(ref.ID), Number: clean.Line("#" + ref.ID), Mine: true}
	if x.acked {
		i.State = sources.Acknowledged
	}
	return i, nil
}

// Perform checks at the moment in which the request leaves that it may, and lets it arrive, or not, later.
func (s provider) Perform(_ context.Context, c sources.Call) (sources.Receipt, error) {
	s.alive()
	s.mu.Lock()
	x := s.leaves(c)
	x.flying++
	s.mu.Unlock()
	lost, late := s.chance(s.weatherNow()), s.chance(s.weatherNow())
	err := s.fails()
	s.pass(3 * time.Second)
	s.mu.Lock()
	if !s.dead {
		x.flying--
	}
	happens := err == nil && !lost
	if happens { // also when who has sent it is dead by now
		x.rev++
		x.effects = append(x.effects, c.ID)
		x.acked = x.acked || c.Verb == sources.Acknowledge
		for _, out := range s.plans[c.ID].out {
			if out.State != action.Refused && out.State != action.Stale {
				s.wrong("%s takes effect after its end was told: %+v", c.ID, out)
			}
		}
	}
	s.mu.Unlock()
	s.alive()
	switch {
	case err != nil:
		return sources.Receipt{}, err
	case lost, late:
		return sources.Receipt{}, refusal(sources.Ambiguous)
	}
	return sources.Receipt{ID: c.ID, Text: clean.Const("taken")}, nil
}

// leaves holds what must be true when a request leaves.
func (s provider) leaves(c sources.Call) *thing {
	x := s.thing(c.Target)
	k := s.plans[c.ID]
	if k == nil {
		s.wrong("%s was never confirmed", c.ID)
		k = &carried{}
		s.plans[c.ID] = k
	}
	if k.sent++; k.sent > 1 {
		s.wrong("%s is sent for the %d. time", c.ID, k.sent)
	}
	if !reflect.DeepEqual(c, k.plan.Call) {
		s.wrong("%s: %+v is sent, and %+v was confirmed", c.ID, c, k.plan.Call)
	}
	if string(c.Revision) != strconv.Itoa(x.rev) {
		s.wrong("%s: sent to revision %d, and %s was confirmed", c.ID, x.rev, c.Revision)
	}
	if x.flying > 0 {
		s.wrong("%s: another action is on its way to %s", c.ID, x.ref)
	}
	if s.frozen {
		s.wrong("%s: sent while read-only", c.ID)
	}
	if !agrees(s.verdict, s.glass, k) {
		s.wrong("%s: sent with %+v, and policy says %s", c.ID, k.approval, s.verdict)
	}
	recorded := slices.DeleteFunc(slices.Clone(s.written[c.ID]), func(j journal.Stage) bool { return j == journal.Refused || j == journal.Stale })
	if !slices.Equal(recorded, []journal.Stage{journal.Intended}) && (!k.doubt || c.Verb != sources.Acknowledge) {
		s.wrong("%s: sent with the records %q", c.ID, s.written[c.ID])
	}
	return x
}

// agrees reports that an approval is enough for what policy says now.
func agrees(v policy.Verdict, glass bool, k *carried) bool {
	a, word := k.approval, "#"+k.plan.Call.Target.ID
	switch v {
	case policy.Allow, policy.Warn:
		return true
	case policy.Confirm:
		return a.Yes && k.plan.Demand.Kind >= action.YesDemand || a.Typed == word && k.plan.Demand.Kind >= action.TypeDemand
	case policy.TypedConfirm:
		return a.Typed == word
	case policy.SecondPerson:
		return a.Typed == word && a.Cosigner != ""
	case policy.Deny:
		return glass && a.BreakGlass && a.Reason != "" && a.Typed == word
	}
	return false
}

func (s provider) Verify(ctx context.Context, c sources.Call, _ sources.Receipt) (sources.Progress, error) {
	s.pass(2 * time.Second)
	s.alive()
	if err := ctx.Err(); err != nil {
		return sources.Progress{}, err
	}
	if err := s.fails(); err != nil {
		return sources.Progress{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.thing(c.Target)
	if slices.Contains(x.effects, c.ID) || c.Verb == sources.Acknowledge && x.acked {
		return sources.Progress{State: sources.Done, Text: clean.Const("it is so")}, nil
	}
	return sources.Progress{Text: clean.Const("not yet")}, nil
}

// Lock implements action.Locker: locks that are lost with their process.
func (p *process) Lock(name string) (func(), error) {
	p.alive()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.locks[name] != nil {
		return nil, errors.New("locked by another board")
	}
	p.locks[name] = p
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.dead && p.locks[name] == p {
			delete(p.locks, name)
		}
	}, nil
}

// Judge implements action.Judge.
func (p *process) Judge(policy.Facts) []policy.Finding {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, glass := p.verdict, p.glass
	if p.frozen {
		v, glass = policy.Deny, false
	}
	return []policy.Finding{{Gate: "rule", Verdict: v, Text: clean.Const("because"), BreakGlass: glass}}
}

// ledger is the journal as one process writes it.
type ledger struct{ *process }

func (l ledger) Ready(ctx context.Context) error { return l.journal.Ready(ctx) }

func (l ledger) Open() ([][]journal.Record, error) {
	l.alive()
	return l.journal.Open()
}

func (l ledger) Append(ctx context.Context, r journal.Record) (journal.Record, error) {
	l.alive()
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.plans[r.Plan]
	if l.full {
		if k != nil {
			k.doubt = true
		}
		return r, errors.New("no space left on device")
	}
	if r.Stage == journal.Verified {
		x := l.thing(r.Target)
		if !slices.Contains(x.effects, r.Plan) && (r.Verb != sources.Acknowledge || !x.acked) {
			l.wrong("%s is recorded as verified, and the world does not show it", r.Plan)
		}
	}
	out, err := l.journal.Append(ctx, r)
	if err != nil {
		l.wrong("append: %v", err)
		return out, err
	}
	l.written[r.Plan] = append(l.written[r.Plan], r.Stage)
	return out, nil
}

// start begins a run of a board, which settles what is open at once, as people begin to use it.
func (w *planet) start(users int, until time.Time) *process {
	p := &process{planet: w, taken: map[string]bool{}}
	p.Runner = action.New(action.Options{
		Access: func(string) (action.Access, error) {
			return action.Access{Set: capability.Set{Actor: provider{p}, Verifier: provider{p}}, Identity: "sre1"}, nil
		},
		Snapshot: func() *store.Snapshot { return &store.Snapshot{Catalog: &store.Catalog{}} }, Policy: p, Journal: ledger{p}, Locks: p,
		ReadOnly: func() bool { return false },
		Now:      func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return time.Now().Add(w.skew) },
	})
	p.users.Go(func() {
		p.pass(time.Second)
		_, _ = p.Settle(context.Background())
	})
	for range users {
		p.users.Go(func() {
			for time.Now().Before(until) {
				p.pass(20 * time.Second)
				p.alive()
				p.use()
			}
		})
	}
	return p
}

// use is what one person does: plan, look, perhaps renew, confirm rightly or wrongly.
func (p *process) use() {
	x := p.things[p.number(len(p.things))]
	q := action.Request{Verb: sources.Acknowledge, Target: x.ref}
	if p.chance(0.5) {
		q.Verb, q.Text = sources.AddNote, "x"
	}
	p.mu.Lock()
	seen := x.rev
	p.mu.Unlock()
	if p.chance(0.7) {
		q.Revision = sources.Revision(strconv.Itoa(max(0, seen-p.number(2))))
	}
	plan, err := p.Propose(context.Background(), q)
	if err != nil {
		return
	}
	for p.chance(0.4) {
		p.pass(30 * time.Second)
		if fresh, err := p.Renew(context.Background(), plan); err == nil {
			if fresh.ID != plan.ID || fresh.Call.Target != q.Target {
				p.mu.Lock()
				p.wrong("%s was renewed to %s on %s", plan.ID, fresh.ID, fresh.Call.Target)
				p.mu.Unlock()
			}
			plan = fresh
		}
	}
	p.pass(10 * time.Second)
	for again := true; again; again = p.chance(0.3) { // who is impatient presses the key once more
		if p.chance(0.3) {
			p.users.Go(func() { p.confirm(plan) })
		}
		p.confirm(plan)
	}
}

// confirm carries a plan out as a board does: once, unless nothing came of it.
func (p *process) confirm(plan action.Plan) {
	a := approve(plan)
	if plan.Demand.Kind == action.SecondDemand {
		a.Cosigner = "sre2"
	}
	switch p.number(12) {
	case 0:
		a = action.Approval{}
	case 1:
		a.Typed += " "
	case 2:
		a.Reason = ""
	case 3:
		a.Cosigner, a.BreakGlass = "", true
	}
	p.alive()
	p.mu.Lock()
	if p.taken[plan.ID] {
		p.mu.Unlock()
		return
	}
	p.taken[plan.ID] = true
	k := p.plans[plan.ID]
	if k == nil {
		k = &carried{}
		p.plans[plan.ID] = k
	}
	k.plan, k.approval = plan, a
	p.mu.Unlock()
	ctx, cancel := context.Background(), func() {}
	if p.chance(0.1) {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(1+p.number(20))*time.Second)
	}
	defer cancel()
	out := p.Execute(ctx, plan, a)
	p.alive()
	p.mu.Lock()
	defer p.mu.Unlock()
	k.out = append(k.out, out)
	if out.State == action.Refused || out.State == action.Stale {
		p.taken[plan.ID] = false
		if k.sent > 0 {
			p.wrong("%s is %s, and it was sent", plan.ID, out.State)
		}
	}
	if out.Text.IsZero() || out.State != action.Done && out.State != action.Unverified && out.Fix.IsZero() {
		p.wrong("%s ends without words: %+v", plan.ID, out)
	}
	x := p.thing(plan.Call.Target)
	happened := slices.Contains(x.effects, plan.ID)
	switch {
	case out.State == action.Done && !happened && (plan.Call.Verb != sources.Acknowledge || !x.acked):
		p.wrong("%s is done, and it did not happen", plan.ID)
	case out.State == action.Failed && happened:
		p.wrong("%s failed, and it happened", plan.ID)
	}
}

// kill ends a process at once. Its locks are free.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	for name, holder := range p.locks {
		if holder == p {
			delete(p.locks, name)
		}
	}
	for _, x := range p.things {
		x.flying = 0 // those of the living are never on their way to the same thing
	}
	for id := range p.taken {
		p.plans[id].killed = true
	}
}

// meddle is what happens around the boards.
func (w *planet) meddle(until time.Time) {
	for time.Now().Before(until) {
		w.pass(40 * time.Second)
		n := w.number(10)
		x := w.things[w.number(len(w.things))]
		hours := time.Duration(w.number(5)-2) * time.Hour
		verdicts := []policy.Verdict{policy.Allow, policy.Allow, policy.Confirm, policy.TypedConfirm, policy.SecondPerson, policy.Deny}
		verdict, glass, frozen, full, rain := verdicts[w.number(len(verdicts))], w.chance(0.5), w.chance(0.3), w.chance(0.3), w.number(4)
		w.mu.Lock()
		switch n {
		case 0, 1, 2:
			x.rev++
			x.acked = n == 0
		case 3, 4:
			w.verdict, w.glass = verdict, glass
		case 5:
			w.frozen = frozen
		case 6:
			w.skew = hours
		case 7:
			w.full = full
		default:
			w.weather = []float64{0, 0.1, 0.3, 0.6}[rain]
		}
		w.mu.Unlock()
	}
}

// board is one that is killed and started again, all the time.
func (w *planet) board(until time.Time) {
	for time.Now().Before(until) {
		p := w.start(3, until)
		w.pass(4 * time.Minute)
		if w.chance(0.7) {
			p.kill()
		}
		p.users.Wait()
	}
}

// quickDir is a directory in memory where there is one: a journal syncs each record.
func quickDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "signalbox-") //nolint:usetesting // that directory would be on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// live runs a planet for a while, calms everything down, and looks at what is left.
func live(t *testing.T, seed uint64, length time.Duration) (ops, effects, plans int) {
	t.Helper()
	w := &planet{
		rng: rand.New(rand.NewPCG(seed, 1)), journal: journal.New(quickDir(t), nil), locks: map[string]*process{},
		plans: map[string]*carried{}, written: map[string][]journal.Stage{},
	}
	for _, source := range []string{"pagerduty", "pagerduty-eu"} { // the same names in two sources
		for _, id := range []string{"Q1", "Q2"} {
			w.things = append(w.things, &thing{ref: sources.Ref{Source: source, Kind: sources.KindIncident, ID: id}})
		}
	}
	until := time.Now().Add(length)
	var all sync.WaitGroup
	all.Go(func() { w.meddle(until) })
	all.Go(func() { w.board(until) })
	all.Go(func() { w.board(until) })
	all.Wait()
	w.calm()
	for range 2 { // two boards start at once
		all.Go(func() {
			p := w.start(0, until)
			p.users.Wait()
		})
	}
	all.Wait()
	w.audit()
	for _, what := range w.broken {
		t.Errorf("seed %d: %s", seed, what)
	}
	for _, x := range w.things {
		effects += len(x.effects)
	}
	return w.ops, effects, len(w.plans)
}

func (w *planet) calm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.weather, w.full, w.frozen = 0, false, false
}

// audit looks at the journal when everything is at rest.
func (w *planet) audit() {
	if r, err := w.journal.Verify(); err != nil || len(r.Problems) > 0 {
		w.wrong("the journal: %+v, %v", r, err)
	}
	if open, err := w.journal.Open(); err != nil || len(open) > 0 {
		w.wrong("%d are left open, %v", len(open), err)
	}
	if len(w.locks) > 0 {
		w.wrong("locks are held: %d", len(w.locks))
	}
	done := map[string]int{}
	for _, x := range w.things {
		for _, id := range x.effects {
			if done[id]++; done[id] > 1 {
				w.wrong("%s took effect twice", id)
			}
		}
	}
	for id, k := range w.plans {
		begun, ends, last := false, 0, journal.Stage("")
		for _, s := range w.written[id] {
			begun = begun || s == journal.Intended
			if s.Final() && s != journal.Refused && s != journal.Stale {
				ends, last = ends+1, s
			}
		}
		switch {
		case begun && ends != 1:
			w.wrong("%s has %d ends: %q", id, ends, w.written[id])
		case !begun && done[id] > 0 && (!k.doubt || k.plan.Call.Verb != sources.Acknowledge):
			w.wrong("%s took effect, and there is no record of it", id)
		case !begun && len(w.written[id]) == 0 && len(k.out) > 0 && !k.doubt:
			w.wrong("%s was confirmed, and nothing tells of it", id)
		case last == journal.Failed && done[id] > 0:
			w.wrong("%s is recorded as failed, and it happened", id)
		}
	}
}

// TestPromisesHoldWhateverHappens tries random stories. SIGNALBOX_SEED tells one again.
func TestPromisesHoldWhateverHappens(t *testing.T) {
	t.Parallel()
	seeds := steady()
	more := 40
	if sourcetest.Slowed {
		more = 8
	}
	first := rand.Uint64N(1 << 32)
	for i := range more {
		seeds = append(seeds, first+uint64(i))
	}
	if one, err := strconv.ParseUint(os.Getenv("SIGNALBOX_SEED"), 10, 64); err == nil {
		seeds = []uint64{one}
	}
	var mu sync.Mutex
	ops, effects, plans := 0, 0, 0
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range seeds {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					a, b, c := live(t, seed, 12*time.Minute)
					mu.Lock()
					defer mu.Unlock()
					ops, effects, plans = ops+a, effects+b, plans+c
				})
			})
		}
	})
	t.Logf("seeds %v and %d from %d on: %d steps, %d plans confirmed, %d effects", steady(), more, first, ops, plans, effects)
	if effects == 0 || plans < effects {
		t.Error("nothing was tried")
	}
}

// steady are seeds that are told each time.
func steady() []uint64 { return []uint64{1, 2, 3} }
