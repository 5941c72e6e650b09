package action_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	"example.com/signalbox/sources/store"
)

// pager is a provider with one incident. fault says what goes wrong with the write.
type pager struct {
	mu     sync.Mutex
	state  sources.IncidentState
	by     string
	rev    int
	writes int
	fault  string
	noLook error // of Verify
	noRead error // of Get
	slow   int   // Verify sees the effect after so many looks
	onSend func()
}

func incident() sources.Ref {
	return sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, ID: "Q1"}
}

func (p *pager) Get(_ context.Context, ref sources.Ref) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.noRead != nil {
		return nil, p.noRead
	}
	return sources.Incident{
		Ref: ref, Revision: sources.Revision(fmt.Sprint(p.rev)), Service: "checkout", Title: clean.Line("5xx above 2 %"),
		Number: clean.Line("#4101"), State: p.state, Holder: clean.Line(p.by), Mine: true,
	}, nil
}

func (p *pager) Actions() []sources.ActionSpec {
	return []sources.ActionSpec{
		{Verb: sources.Acknowledge, On: sources.KindIncident}, {Verb: sources.Resolve, On: sources.KindIncident},
		{Verb: sources.AddNote, On: sources.KindIncident, Need: []string{"text"}},
	}
}

func refusal(kind sources.ErrKind) error {
	return &sources.Error{Kind: kind, Op: "acknowledge", Msg: "the provider says no", Fix: "ask again"}
}

func (p *pager) Perform(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes++
	if p.onSend != nil {
		p.onSend()
	}
	apply := func() {
		p.state, p.by, p.rev = sources.Acknowledged, c.Identity, p.rev+1
		if c.Verb == sources.Resolve {
			p.state = sources.Resolved
		}
	}
	switch p.fault {
	case "":
		apply()
		return sources.Receipt{Text: clean.Const("acknowledged")}, nil
	case "lost before it arrives":
		return sources.Receipt{}, refusal(sources.Ambiguous)
	case "applied, answer lost":
		apply()
		return sources.Receipt{}, refusal(sources.Ambiguous)
	case "hang":
		apply()
		p.mu.Unlock()
		<-ctx.Done()
		p.mu.Lock()
		return sources.Receipt{}, refusal(sources.Ambiguous)
	case "a bare error":
		return sources.Receipt{}, errors.New("something")
	case "taken, without effect":
		return sources.Receipt{}, nil
	}
	for k := sources.Transient; k <= sources.Unsupported; k++ {
		if k.String() == p.fault {
			return sources.Receipt{}, refusal(k)
		}
	}
	panic(p.fault)
}

func (p *pager) Verify(_ context.Context, c sources.Call, _ sources.Receipt) (sources.Progress, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.noLook != nil {
		return sources.Progress{}, p.noLook
	}
	want := sources.Acknowledged
	if c.Verb == sources.Resolve {
		want = sources.Resolved
	}
	if p.slow > 0 {
		p.slow--
		return sources.Progress{Text: clean.Const("on its way")}, nil
	}
	if p.state >= want {
		return sources.Progress{State: sources.Done, Text: clean.Line(p.state.String())}, nil
	}
	return sources.Progress{Text: clean.Line("still " + p.state.String())}, nil
}

// locks are those of one process.
type locks struct {
	mu     sync.Mutex
	held   map[string]bool
	refuse bool
}

func (l *locks) Lock(name string) (func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[name] || l.refuse {
		return nil, errors.New("locked by sre2")
	}
	l.held[name] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.held, name)
	}, nil
}

// judge says what it is told.
type judge struct {
	mu       sync.Mutex
	findings []policy.Finding
	asked    []policy.Facts
}

func (j *judge) Judge(f policy.Facts) []policy.Finding {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked = append(j.asked, f)
	return slices.Clone(j.findings)
}

func (j *judge) say(v policy.Verdict, glass bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.findings = []policy.Finding{{Gate: "rule", Verdict: v, Text: clean.Const("because"), BreakGlass: glass}}
}

// book is a journal that can be made to fail at a stage.
type book struct {
	*journal.Journal
	failAt journal.Stage
	full   bool // the disk: nothing can be written at all
}

var errFull = errors.New("no space left on device")

func (b *book) Append(ctx context.Context, r journal.Record) (journal.Record, error) {
	if b.full || r.Stage == b.failAt {
		return r, errFull
	}
	return b.Journal.Append(ctx, r)
}

func (b *book) Ready(ctx context.Context) error {
	if b.full {
		return errFull
	}
	return b.Journal.Ready(ctx)
}

type bench struct {
	*action.Runner
	pager  *pager
	judge  *judge
	locks  *locks
	book   *book
	nudged int
	events []action.Event
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{pager: &pager{}, judge: &judge{}, locks: &locks{held: map[string]bool{}}, book: &book{Journal: journal.New(t.TempDir(), nil)}}
	snap := &store.Snapshot{Catalog: &store.Catalog{Services: []store.Service{{Name: "checkout"}}}}
	b.Runner = action.New(action.Options{
		Access: func(name string) (action.Access, error) {
			if name != "pagerduty" {
				return action.Access{}, &sources.Error{Kind: sources.NotExist, Msg: "no such source"}
			}
			return action.Access{Set: capability.Set{Actor: b.pager, Verifier: b.pager}, Identity: "sre1"}, nil
		},
		Snapshot: func() *store.Snapshot { return snap }, Policy: b.judge, Journal: b.book, Locks: b.locks,
		ReadOnly: func() bool { return false }, Now: time.Now, Who: journal.Who{User: "sre1", Host: "bastion"},
		Notice: func(e action.Event) { b.events = append(b.events, e) }, Nudge: func(sources.Ref) { b.nudged++ },
	})
	return b
}

func (b *bench) plan(t *testing.T, q action.Request) action.Plan {
	t.Helper()
	if q.Target.IsZero() {
		q.Target = incident()
	}
	if q.Verb == "" {
		q.Verb = sources.Acknowledge
	}
	p, err := b.Propose(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if b.pager.writes != 0 {
		t.Fatal("a plan was made by writing")
	}
	return p
}

// stages are those that the journal holds, in order.
func (b *bench) stages(t *testing.T) string {
	t.Helper()
	var out []string
	for r, err := range b.book.Records() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(r.Stage))
	}
	if r, err := b.book.Verify(); err != nil || len(r.Problems) > 0 {
		t.Errorf("the journal: %+v, %v", r, err)
	}
	return strings.Join(out, " ")
}

func TestOneWriteAndItsRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.pager.slow = 3
		p := b.plan(t, action.Request{Revision: "0", Via: "board"})
		if p.Title.String() != "Acknowledge checkout 5xx above 2 %" || p.Acting.String() != "sre1" || p.Changed || p.Demand.Kind != action.NoDemand {
			t.Errorf("plan %+v", p)
		}
		out := b.Execute(t.Context(), p, action.Approval{})
		if out.State != action.Done || out.Text.String() != "acknowledged" || b.pager.writes != 1 || b.pager.by != "sre1" {
			t.Errorf("outcome %+v after %d writes", out, b.pager.writes)
		}
		if got := b.stages(t); got != "intended answered verified" {
			t.Errorf("journal %q", got)
		}
		var steps []action.Step
		for _, e := range b.events {
			steps = append(steps, e.Step)
		}
		if want := []action.Step{action.Sending, action.Sent, action.Following, action.Ended}; !slices.Equal(steps, want) {
			t.Errorf("steps %v, want %v", steps, want)
		}
		if b.nudged == 0 || len(b.locks.held) != 0 {
			t.Errorf("nudged %d times, locks %v", b.nudged, b.locks.held)
		}
	})
}

// Nothing is sent unless everything is as it was agreed to; the journal says why.
func TestRefusalsSendNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		verdict  policy.Verdict
		glass    bool
		approval action.Approval
		between  func(*bench)
		want     action.State
		journal  string
	}{
		{name: "denied", verdict: policy.Deny, approval: action.Approval{Yes: true, Typed: "#4101", Cosigner: "sre2", BreakGlass: true, Reason: "x"}, journal: "refused"},
		{name: "glass without a reason", verdict: policy.Deny, glass: true, approval: action.Approval{Typed: "#4101", BreakGlass: true}, journal: "refused"},
		{name: "a reason without breaking glass", verdict: policy.Deny, glass: true, approval: action.Approval{Typed: "#4101", Reason: "x"}, journal: "refused"},
		{name: "no y", verdict: policy.Confirm, journal: "refused"},
		{name: "a word that is almost right", verdict: policy.TypedConfirm, approval: action.Approval{Yes: true, Typed: "#4101 "}, journal: "refused"},
		{name: "no second person", verdict: policy.SecondPerson, approval: action.Approval{Typed: "#4101"}, journal: "refused"},
		{name: "somebody was faster", between: func(b *bench) { b.pager.state, b.pager.by, b.pager.rev = sources.Acknowledged, "sre2", 7 }, want: action.Stale, journal: "stale"},
		{name: "a gate closed meanwhile", between: func(b *bench) { b.judge.say(policy.Deny, false) }, journal: "refused"},
		{name: "a gate wants more than was given", between: func(b *bench) { b.judge.say(policy.Confirm, false) }, journal: "refused"},
		{name: "it cannot be read again", between: func(b *bench) { b.pager.noRead = refusal(sources.Transient) }, journal: "refused"},
		{name: "it is gone", between: func(b *bench) { b.pager.noRead = refusal(sources.NotExist) }, journal: "refused"},
		{name: "another action is at it", between: func(b *bench) { b.locks.refuse = true }, journal: "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.judge.say(c.verdict, c.glass)
				p := b.plan(t, action.Request{})
				if c.between != nil {
					c.between(b)
				}
				out := b.Execute(t.Context(), p, c.approval)
				if out.State != c.want || out.Text.IsZero() || out.Unrecorded {
					t.Errorf("outcome %+v, want %s", out, c.want)
				}
				if b.pager.writes != 0 {
					t.Errorf("%d writes were sent", b.pager.writes)
				}
				if got := b.stages(t); got != c.journal {
					t.Errorf("journal %q, want %q", got, c.journal)
				}
			})
		})
	}
}

// What was demanded and given goes ahead.
func TestDemandsThatAreMet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verdict  policy.Verdict
		glass    bool
		approval action.Approval
		demand   action.DemandKind
		approved string
	}{
		{policy.Allow, false, action.Approval{}, action.NoDemand, "none"},
		{policy.Warn, false, action.Approval{}, action.NoDemand, "none"},
		{policy.Confirm, false, action.Approval{Yes: true}, action.YesDemand, "yes"},
		{policy.TypedConfirm, false, action.Approval{Typed: "#4101"}, action.TypeDemand, "typed"},
		{policy.SecondPerson, false, action.Approval{Typed: "#4101", Cosigner: "sre2"}, action.SecondDemand, "second person"},
		{policy.Deny, true, action.Approval{Typed: "#4101", BreakGlass: true, Reason: "it burns"}, action.TypeDemand, "typed"},
	} {
		t.Run(c.verdict.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.judge.say(c.verdict, c.glass)
				p := b.plan(t, action.Request{})
				if p.Demand.Kind != c.demand || p.Demand.Reason != c.glass || p.Verdict() != c.verdict {
					t.Errorf("demand %+v", p.Demand)
				}
				if out := b.Execute(t.Context(), p, c.approval); out.State != action.Done || b.pager.writes != 1 {
					t.Errorf("outcome %+v, %d writes", out, b.pager.writes)
				}
				for r := range b.book.Records() {
					if r.Stage != journal.Intended {
						continue
					}
					if r.Approval.Kind != c.approved || (len(r.Approval.BreakGlass) > 0) != c.glass || r.Approval.Reason.String() != c.approval.Reason {
						t.Errorf("approval %+v", r.Approval)
					}
				}
			})
		})
	}
}

// Whatever goes wrong with the write and the looks after it: one write at most, a record of it, and no
// outcome that says more than is known.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	kinds := []string{"", "lost before it arrives", "applied, answer lost", "hang", "a bare error", "taken, without effect"}
	for k := sources.Transient; k <= sources.Unsupported; k++ {
		kinds = append(kinds, k.String())
	}
	looks := map[string]error{"sees": nil, "blind": refusal(sources.Transient), "forbidden": refusal(sources.Permission), "cannot": refusal(sources.Unsupported)}
	stages := []journal.Stage{"", journal.Intended, journal.Answered, journal.Unknown, journal.Failed, journal.Verified, journal.Given}
	cells := 0
	for _, fault := range kinds {
		for look, noLook := range looks {
			for _, failAt := range stages {
				cells++
				t.Run(fmt.Sprint(fault, "/", look, "/", failAt), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { oneCell(t, fault, noLook, failAt) })
				})
			}
		}
	}
	t.Logf("%d cells", cells)
}

func oneCell(t *testing.T, fault string, noLook error, failAt journal.Stage) {
	b := newBench(t)
	b.pager.fault, b.pager.noLook, b.book.failAt = fault, noLook, failAt
	verb := sources.Resolve
	p := b.plan(t, action.Request{Verb: verb})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := b.Execute(ctx, p, action.Approval{})
	happened := b.pager.state == sources.Resolved
	if b.pager.writes > 1 || failAt == journal.Intended && b.pager.writes > 0 {
		t.Errorf("%d writes", b.pager.writes)
	}
	switch out.State {
	case action.Done:
		if !happened {
			t.Errorf("done, and it did not happen: %+v", out)
		}
	case action.Failed, action.Refused, action.Stale:
		if happened {
			t.Errorf("%s, and it happened: %+v", out.State, out)
		}
	case action.Unknown, action.Unverified:
	}
	if out.Text.IsZero() || out.State != action.Done && out.State != action.Unverified && out.Fix.IsZero() {
		t.Errorf("outcome without words: %+v", out)
	}
	stages := b.stages(t)
	if b.pager.writes > 0 && !strings.HasPrefix(stages, "intended") {
		t.Errorf("an effect without a record: %q", stages)
	}
	if strings.Contains(stages, "verified") && !happened {
		t.Errorf("a record says done, and it was not: %q", stages)
	}
	if out.Unrecorded && failAt == "" || len(b.locks.held) > 0 {
		t.Errorf("outcome %+v, locks %v", out, b.locks.held)
	}
	open, err := b.book.Open()
	if err != nil {
		t.Fatal(err)
	}
	if len(open) > 0 && failAt == "" && fault != "hang" {
		t.Errorf("left open: %q after %+v", stages, out)
	}
}

// Acknowledging a page is the one thing that goes on without a journal, and says so.
func TestAcknowledgingWithoutAJournal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.book.failAt = journal.Intended
		out := b.Execute(t.Context(), b.plan(t, action.Request{}), action.Approval{})
		if out.State != action.Done || !out.Unrecorded || b.pager.writes != 1 || !strings.Contains(out.Fix.String(), "journal") {
			t.Errorf("outcome %+v", out)
		}
	})
}

// What a plan says of a disk that is full: a page is acknowledged all the same, a rollback wants a typed reason,
// and everything else is refused before anything is sent.
func TestWithoutAJournal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.book.full = true
		p := b.plan(t, action.Request{})
		if v, text := finding(p, "journal"); v != policy.Warn || !strings.Contains(text, "no space left") || p.Demand.Kind != action.NoDemand {
			t.Errorf("acknowledging: %s %q, demand %+v", v, text, p.Demand)
		}
		if out := b.Execute(t.Context(), p, action.Approval{}); out.State != action.Done || !out.Unrecorded || b.pager.writes != 1 {
			t.Errorf("acknowledging: %+v, %d writes", out, b.pager.writes)
		}
		b.pager.writes = 0
		p = b.plan(t, action.Request{Verb: sources.Resolve})
		out := b.Execute(t.Context(), p, action.Approval{Yes: true, Reason: "now", BreakGlass: true})
		if p.Demand.Kind != action.Refusal || out.State != action.Refused || b.pager.writes != 0 {
			t.Errorf("resolving: demand %+v, %+v, %d writes", p.Demand, out, b.pager.writes)
		}

		y := newYard(t)
		y.book.full = true
		p = y.plan(t, y.rollback())
		if v, _ := finding(p, "journal"); v != policy.Deny || !p.Demand.Reason || p.Demand.Kind != action.TypeDemand {
			t.Errorf("rolling back: %s, demand %+v", v, p.Demand)
		}
		if out := y.Execute(t.Context(), p, action.Approval{Typed: p.Demand.Word}); out.State != action.Refused || len(y.hub.writes) != 0 {
			t.Errorf("rolling back without a reason: %+v, %d writes", out, len(y.hub.writes))
		}
		out = y.Execute(t.Context(), p, action.Approval{Typed: p.Demand.Word, Reason: "the disk is full and prod burns", BreakGlass: true})
		if out.State != action.Done || !out.Unrecorded || len(y.hub.writes) != 1 || !strings.Contains(out.Fix.String(), "note down") {
			t.Errorf("rolling back: %+v, %d writes", out, len(y.hub.writes))
		}
	})
}

// A program that was killed at any stage leaves something that the next start settles by reading alone.
func TestCrashesAreSettled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stage journal.Stage // killed right after its record
		fault string
		want  action.State
		final string
	}{
		{journal.Intended, "", action.Unknown, "intended given up"}, // killed before it was sent
		{journal.Answered, "", action.Done, "intended answered verified"},
		{journal.Unknown, "applied, answer lost", action.Done, "intended unknown verified"},
		{journal.Unknown, "lost before it arrives", action.Unknown, "intended unknown given up"},
	} {
		t.Run(string(c.stage)+" "+c.fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.pager.fault = c.fault
				p := b.plan(t, action.Request{Verb: sources.Resolve})
				killed := &killer{book: b.book, at: c.stage}
				b.killAt(t, killed, p)
				writes := b.pager.writes
				if c.stage == journal.Intended && writes != 0 {
					t.Fatal("killed too late")
				}
				settled, err := b.Settle(t.Context())
				if err != nil || len(settled) != 1 || settled[0].Outcome.State != c.want || settled[0].Record.Plan != p.ID {
					t.Errorf("settled %+v, %v", settled, err)
				}
				if b.pager.writes != writes {
					t.Errorf("settling sent %d writes", b.pager.writes-writes)
				}
				if got := b.stages(t); got != c.final {
					t.Errorf("journal %q, want %q", got, c.final)
				}
				if again, err := b.Settle(t.Context()); err != nil || len(again) != 0 {
					t.Errorf("settled twice: %+v, %v", again, err)
				}
			})
		})
	}
}

// killer ends the execution with a panic right after a record, as a SIGKILL would.
type killer struct {
	*book
	at journal.Stage
}

func (k *killer) Append(ctx context.Context, r journal.Record) (journal.Record, error) {
	out, err := k.book.Append(ctx, r)
	if r.Stage == k.at {
		panic(k)
	}
	return out, err
}

func (b *bench) killAt(t *testing.T, k *killer, p action.Plan) {
	t.Helper()
	dying := action.New(action.Options{
		Access: func(string) (action.Access, error) {
			return action.Access{Set: capability.Set{Actor: b.pager, Verifier: b.pager}, Identity: "sre1"}, nil
		},
		Snapshot: func() *store.Snapshot { return &store.Snapshot{Catalog: &store.Catalog{}} }, Policy: b.judge, Journal: k,
		Locks: &locks{held: map[string]bool{}}, ReadOnly: func() bool { return false }, Now: time.Now,
	})
	defer func() {
		if recover() != k {
			t.Fatal("it was not killed")
		}
	}()
	dying.Execute(t.Context(), p, action.Approval{})
}

// The next action on a target on which a crash left something open settles that first: the journal tells of it.
func TestTheNextActionSettlesACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.killAt(t, &killer{book: b.book, at: journal.Answered}, b.plan(t, action.Request{}))
		b.pager.writes = 0
		p := b.plan(t, action.Request{Verb: sources.Resolve})
		if out := b.Execute(t.Context(), p, action.Approval{}); out.State != action.Done || b.pager.writes != 1 {
			t.Errorf("outcome %+v, %d writes", out, b.pager.writes)
		}
		if got, want := b.stages(t), "intended answered verified intended answered verified"; got != want {
			t.Errorf("journal %q, want %q", got, want)
		}
	})
}

func TestProposalsThatCannotBe(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, c := range []struct {
		name string
		q    action.Request
		want sources.ErrKind
	}{
		{"no such source", action.Request{Verb: sources.Resolve, Target: sources.Ref{Source: "gone", Kind: sources.KindIncident, ID: "1"}}, sources.NotExist},
		{"a verb it has not", action.Request{Verb: sources.Snooze, Target: incident()}, sources.Unsupported},
		{"a verb of another kind", action.Request{Verb: sources.Acknowledge, Target: sources.Ref{Source: "pagerduty", Kind: sources.KindRun, ID: "1"}}, sources.Unsupported},
		{"a note without text", action.Request{Verb: sources.AddNote, Target: incident()}, sources.Invalid},
	} {
		if _, err := b.Propose(t.Context(), c.q); sources.KindOf(err) != c.want || err == nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if b.pager.writes != 0 {
		t.Error("something was sent")
	}
}

// A plan of what changed since it was looked at says so, and a renewed one keeps its identity.
func TestRenewing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.plan(t, action.Request{Revision: "0"})
	b.pager.rev, b.pager.state, b.pager.by = 1, sources.Acknowledged, "sre2"
	fresh, err := b.Renew(t.Context(), p)
	if err != nil || !fresh.Changed || fresh.ID != p.ID || fresh.Call.ID != p.ID || fresh.Call.Revision != "1" || fresh.Now.String() != "acknowledged, sre2" {
		t.Errorf("%+v, %v", fresh, err)
	}
	if fresh.Request.Revision != "0" {
		t.Error("what was looked at is forgotten")
	}
	b.pager.noRead = refusal(sources.Transient)
	if same, err := b.Renew(t.Context(), p); err == nil || same.ID != p.ID {
		t.Errorf("a plan that could not be renewed: %v", err)
	}
}
