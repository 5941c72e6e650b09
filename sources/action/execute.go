package action

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
)

// Execute carries a plan out and follows its effect until the authority shows it, or its deadline passes.
// It sends at most one request that changes something, and none at all unless approval is what the plan
// demands, the target is as the plan was made of, policy is no stricter than it was, and the intent is in
// the journal. When ctx ends after something was sent, the outcome says what is known, and the next start
// settles the rest.
func (r *Runner) Execute(ctx context.Context, p Plan, approval Approval) Outcome {
	x := execution{Runner: r, plan: &p, approval: approval}
	out := x.run(ctx)
	out.Plan = p.ID
	if x.unrecorded != nil {
		out.Unrecorded = true
		if out.State == Refused || out.State == Stale {
			out.Fix = clean.Linef("%s; that nothing was done is not in the journal: %v", out.Fix, x.unrecorded)
		} else {
			out.Fix = clean.Linef("the journal could not be written (%v): note down what was done", x.unrecorded)
		}
		r.o.Log.Error("the journal cannot be written", "plan", p.ID, "err", x.unrecorded)
	}
	r.notice(&p, Ended, out.Text, out.URL)
	return out
}

// execution is one plan being carried out.
type execution struct {
	*Runner
	plan       *Plan
	approval   Approval
	broken     []string // the gates that a reason has lifted
	unrecorded error
}

func (x *execution) run(ctx context.Context) Outcome {
	if why := x.disagrees(); why != "" {
		return x.refuse(ctx, clean.Line(why), clean.Const("look at the plan again"))
	}
	a, _, err := x.actor(x.plan.Call.Verb, x.plan.Call.Target)
	if err != nil {
		return x.refuse(ctx, errorText(err), fixOf(err))
	}
	release, out, ok := x.hold(ctx)
	if !ok {
		return out
	}
	defer release()
	if out, ok := x.again(ctx); !ok {
		return out
	}
	if x.plan.Demand.Kind == SecondDemand {
		if x.approval.Cosigner = x.cosigner(); x.approval.Cosigner == "" {
			return x.refuse(ctx, clean.Const("refused: a second person has not agreed"), clean.Linef("ask somebody to type signalbox cosign %s", x.plan.ID))
		}
	}
	if out, ok := x.intend(ctx); !ok {
		return out
	}
	return x.send(ctx, a)
}

// disagrees says why the approval is not what the plan demands; "" when it is.
func (x *execution) disagrees() string {
	d, a := x.plan.Demand, x.approval
	switch {
	case d.Kind == Refusal:
		return "refused: " + policy.Worst(x.plan.Gates).Text.String()
	case d.Reason && (!a.BreakGlass || a.Reason == ""):
		return "refused: a typed reason is demanded"
	case d.Kind == YesDemand && !a.Yes:
		return "not confirmed"
	case d.Kind >= TypeDemand && a.Typed != d.Word:
		return "not confirmed: " + d.Word + " was to be typed"
	case d.Kind == SecondDemand && x.cosigner() == "":
		return "refused: a second person has not agreed"
	}
	return ""
}

// cosigner is who else has agreed: as the shared directory proves now, where there is one.
func (x *execution) cosigner() string {
	if x.o.Cosigned != nil {
		return x.o.Cosigned(x.plan)
	}
	return x.approval.Cosigner
}

// hold takes the locks on everything that the plan is about, and settles first what a crash has left open on
// it.
func (x *execution) hold(ctx context.Context) (release func(), out Outcome, ok bool) {
	refs := x.plan.touches()
	release, err := x.take(refs)
	if err != nil {
		return nil, x.refuse(ctx, clean.Linef("another action on it is under way: %v", errors.Unwrap(err)), clean.Const("wait for it to end")), false
	}
	if err := x.settleTargets(ctx, refs); err != nil && !x.unrecordable() {
		fix := clean.Const("look at the target yourself, then try again")
		if cure := sources.Cure(err); cure != "" {
			fix = clean.Line(cure)
		}
		out := x.refuse(ctx, clean.Linef("an action that was left open could not be settled: %s", errorText(err)), fix)
		release()
		return nil, out, false
	}
	return release, Outcome{}, true
}

// touches are the objects that the plan is about, each once: what was asked for, what the request goes to, and
// what it changes. What only ends a run puts nothing into the environment that the run would have changed: it is
// what clears the way for a change there that is under way, and stuck behind that run.
func (p *Plan) touches() []sources.Ref {
	out := []sources.Ref{p.Request.Target}
	add := func(ref sources.Ref) {
		if !ref.IsZero() && !slices.Contains(out, ref) {
			out = append(out, ref)
		}
	}
	add(p.Call.Target)
	if p.Request.Verb == sources.Reject || p.Request.Verb == sources.Cancel {
		return out
	}
	for _, r := range p.Rests {
		add(r.Ref)
	}
	return out
}

// again reads once more everything that the plan was made of: nothing is sent to a target that is not as it
// was, nor where another call would be made of it now, nor when a gate has become stricter.
func (x *execution) again(ctx context.Context) (out Outcome, ok bool) {
	v, err := x.look(sources.OneLook(ctx), x.plan.Request)
	if err != nil {
		return x.refuse(ctx, clean.Linef("it could not be read again: %s", errorText(err)), fixOf(err)), false
	}
	fresh := x.Runner.plan(ctx, x.plan.Request, v)
	if text := x.plan.differs(&fresh); !text.IsZero() {
		x.record(ctx, journal.Stale, func(r *journal.Record) { r.Outcome = text })
		x.o.Nudge(x.plan.Request.Target)
		return Outcome{State: Stale, Text: text, Fix: clean.Const("look at it again; nothing was sent")}, false
	}
	lifted := fresh.Gates
	if x.plan.Demand.Reason {
		lifted, x.broken = policy.Lift(fresh.Gates)
	}
	worse, changed := stricter(x.plan, &fresh)
	switch now, then := policy.Strictest(lifted), x.agreed(); {
	case now > then:
		x.plan.Gates = fresh.Gates
		return x.refuse(ctx, policy.Worst(lifted).Text, clean.Const("this was not so when you looked: look at the plan again")), false
	case changed:
		x.plan.Gates = fresh.Gates
		return x.refuse(ctx, worse, clean.Const("this was not so when you looked: look at the plan again")), false
	}
	x.plan.Gates = fresh.Gates
	return Outcome{}, true
}

// differs says how what is so now is not what the plan was made of; zero when it is.
func (p *Plan) differs(fresh *Plan) clean.Text {
	was, is := p.Call, fresh.Call
	if p.seen() != fresh.seen() {
		return clean.Linef("it changed meanwhile: it is %s", fresh.Now)
	}
	for _, r := range p.Rests {
		if !slices.Contains(fresh.Rests, r) {
			return clean.Linef("what it rests on changed meanwhile: %s", r.Ref.ID)
		}
	}
	if was.Fields[sources.FieldVersion] != is.Fields[sources.FieldVersion] {
		return clean.Linef("another version would be put there now: %s", fresh.Then)
	}
	was.ID, is.ID = "", ""
	if !reflect.DeepEqual(was, is) {
		return clean.Const("it would be done in another way now")
	}
	for _, o := range fresh.Offers {
		if !slices.ContainsFunc(p.Offers, func(was Offer) bool { return was.Request.Target == o.Request.Target }) {
			return clean.Linef("something has come %s", fresh.says(queueGate))
		}
	}
	return clean.Text{}
}

// says is what a gate of the plan says; zero when it says nothing.
func (p *Plan) says(gate string) clean.Text {
	for _, g := range p.Gates {
		if g.Gate == gate {
			return g.Text
		}
	}
	return clean.Text{}
}

// stricter reports a gate on a promotion that has become stricter than when it was agreed to. A rollback goes
// by the strictest verdict alone: a source that has just failed must not stand between a fire and its hose.
func stricter(was, is *Plan) (clean.Text, bool) {
	if is.Change == nil || is.Request.Verb == sources.Rollback {
		return clean.Text{}, false
	}
	for _, g := range is.Gates {
		at := slices.IndexFunc(was.Gates, func(o policy.Finding) bool { return o.Gate == g.Gate })
		if before := policy.Allow; g.Verdict > before && (at < 0 || g.Verdict > was.Gates[at].Verdict) {
			return g.Text, true
		}
	}
	return clean.Text{}, false
}

// agreed is the strictest verdict that the approval satisfies.
func (x *execution) agreed() policy.Verdict {
	switch x.plan.Demand.Kind {
	case NoDemand:
		return policy.Warn
	case YesDemand:
		return policy.Confirm
	case TypeDemand:
		return policy.TypedConfirm
	case SecondDemand:
		return policy.SecondPerson
	case Refusal:
	}
	return policy.Allow
}

// unrecordable reports that the action goes on without a record: the acknowledgement of a page does, and a
// rollback for which a reason was typed because of that.
func (x *execution) unrecordable() bool {
	switch x.plan.Request.Verb { //nolint:exhaustive // every other verb waits for the journal
	case sources.Acknowledge:
		return true
	case sources.Rollback:
		_, lifted := policy.Lift(x.plan.Gates)
		return x.approval.BreakGlass && x.approval.Reason != "" && slices.Contains(lifted, journalGate)
	}
	return false
}

// intend writes down what is about to be sent.
func (x *execution) intend(ctx context.Context) (out Outcome, ok bool) {
	err := x.append(ctx, journal.Intended, func(r *journal.Record) {
		call := x.plan.Call
		r.Call, r.Approval = &call, x.approvalRecord()
	})
	if err == nil {
		return Outcome{}, true
	}
	if x.unrecordable() {
		x.unrecorded = err
		return Outcome{}, true
	}
	return Outcome{State: Refused, Text: clean.Linef("the journal cannot be written, so nothing was sent: %v", err), Fix: mendJournal(err)}, false
}

// mendJournal is what to do about a journal that cannot be written.
func mendJournal(err error) clean.Text {
	if damage := (*journal.DamagedError)(nil); errors.As(err, &damage) {
		return clean.Linef("see signalbox journal --verify; to begin anew, keep %s and its head under another name", filepath.Base(damage.Path))
	}
	return clean.Const("make room in the state directory, or type signalbox doctor")
}

func (x *execution) approvalRecord() *journal.Approval {
	a := journal.Approval{Kind: "none", Reason: clean.Line(x.approval.Reason), BreakGlass: x.broken, Cosigner: x.approval.Cosigner}
	switch x.plan.Demand.Kind {
	case YesDemand:
		a.Kind = "yes"
	case TypeDemand:
		a.Kind, a.Typed = "typed", x.approval.Typed
	case SecondDemand:
		a.Kind, a.Typed = "second person", x.approval.Typed
	case NoDemand, Refusal:
	}
	return &a
}

// sendFor is for how long an answer is waited for; one that comes no more is as good as lost.
const sendFor = time.Minute

// send sends the one request. From here on ctx's end stops the following, never the record of it.
func (x *execution) send(ctx context.Context, a Access) Outcome {
	x.notice(x.plan, Sending, x.plan.How, "")
	sending, cancel := context.WithTimeout(ctx, sendFor)
	receipt, err := a.Set.Actor.Perform(sending, x.plan.Call)
	cancel()
	x.o.Nudge(x.plan.Request.Target)
	kept := context.WithoutCancel(ctx)
	switch {
	case err == nil:
		x.record(kept, journal.Answered, func(r *journal.Record) { r.Receipt, r.URL = &receipt, receipt.URL })
		x.notice(x.plan, Sent, receipt.Text, receipt.URL)
	case lost(err):
		x.record(kept, journal.Unknown, func(r *journal.Record) { r.Outcome = errorText(err) })
		x.notice(x.plan, Following, clean.Const("the answer was lost: looking whether it happened"), "")
	default:
		text := clean.Linef("the provider refused it: %s", errorText(err))
		x.record(kept, journal.Failed, func(r *journal.Record) { r.Outcome = text })
		return Outcome{State: Failed, Text: text, Fix: fixOf(err)}
	}
	return x.follow(ctx, a, receipt, err)
}

// lost reports that a request may have had its effect although its answer is not known. An error that no
// driver has named is taken for that: it may hide anything.
func lost(err error) bool {
	e, ok := errors.AsType[*sources.Error](err)
	return !ok || e.Kind == sources.Ambiguous
}

// follow asks the authority until it shows the effect, it is clear that it will not come, or the deadline
// passes.
func (x *execution) follow(ctx context.Context, a Access, receipt sources.Receipt, lost error) Outcome {
	kept := context.WithoutCancel(ctx)
	state, p, err := x.watch(ctx, a, x.plan.Call, receipt, x.plan.Deadline)
	url := p.URL
	if url == "" {
		url = receipt.URL
	}
	switch state {
	case seenDone:
		x.record(kept, journal.Verified, func(r *journal.Record) { r.Outcome, r.URL = p.Text, url })
		x.o.Nudge(x.plan.Request.Target)
		return Outcome{State: Done, Text: p.Text, URL: url, Receipt: receipt}
	case seenUndone:
		if p.Superseded {
			text := clean.Linef("superseded: %s", p.Text)
			x.record(kept, journal.Superseded, func(r *journal.Record) { r.Outcome, r.URL = text, url })
			return Outcome{State: Failed, Text: text, URL: url, Receipt: receipt, Fix: clean.Const("it was not done: look at what took its place, then plan it again")}
		}
		x.record(kept, journal.Failed, func(r *journal.Record) { r.Outcome, r.URL = p.Text, url })
		return Outcome{State: Failed, Text: p.Text, URL: url, Receipt: receipt, Fix: clean.Const("look at it at the provider")}
	case cannotSee:
		text := clean.Linef("sent, and what became of it cannot be read: %s", errorText(err))
		x.record(kept, journal.Given, func(r *journal.Record) { r.Outcome, r.URL = text, url })
		if lost != nil {
			return Outcome{State: Unknown, Text: clean.Linef("the answer was lost, and what became of it cannot be read: %s", errorText(err)), URL: url, Fix: clean.Const("look at it at the provider before you try again")}
		}
		return Outcome{State: Unverified, Text: text, URL: url, Receipt: receipt}
	case interrupted:
		return Outcome{State: Unknown, Text: clean.Linef("interrupted: %s", known(lost, p)), URL: url, Receipt: receipt, Fix: clean.Const("the next start of signalbox looks what became of it")}
	case tooLate:
	}
	text := clean.Linef("not seen to take effect within %s: %s", clean.Elapsed(x.plan.Deadline), known(lost, p))
	if err != nil {
		text = clean.Linef("what became of it could not be read within %s: %s", clean.Elapsed(x.plan.Deadline), errorText(err))
		if lost != nil {
			text = clean.Linef("the answer was lost, and %s", text)
		}
	}
	x.record(kept, journal.Given, func(r *journal.Record) { r.Outcome, r.URL = text, url })
	return Outcome{State: Unknown, Text: text, URL: url, Receipt: receipt, Fix: clean.Const("look at it at the provider before you try again")}
}

// known is what is known of an action whose effect has not been seen.
func known(lost error, p sources.Progress) string {
	switch {
	case !p.Text.IsZero():
		return p.Text.String()
	case lost != nil:
		return "the answer was lost, and it may or may not have happened"
	default:
		return "the provider took it"
	}
}

// refuse ends an action before anything was sent.
func (x *execution) refuse(ctx context.Context, text, fix clean.Text) Outcome {
	x.record(context.WithoutCancel(ctx), journal.Refused, func(r *journal.Record) { r.Outcome, r.Approval = text, x.approvalRecord() })
	return Outcome{State: Refused, Text: text, Fix: fix}
}

// record appends to the journal; that it cannot is told with the outcome.
func (x *execution) record(ctx context.Context, stage journal.Stage, fill func(*journal.Record)) {
	if err := x.append(ctx, stage, fill); err != nil {
		x.unrecorded = err
	}
}

func (x *execution) append(ctx context.Context, stage journal.Stage, fill func(*journal.Record)) error {
	p := x.plan
	who := x.o.Who
	who.Login, who.Via = p.Acting, p.Request.Via
	r := journal.Record{
		Plan: p.ID, Stage: stage, Verb: p.Request.Verb, Who: who, Target: p.Request.Target, Name: p.Name, Service: p.Service,
		Before: p.Now, After: p.Then, How: p.How,
	}
	if p.Change != nil {
		r.Environment = p.Change.Environment
	}
	for _, g := range p.Gates {
		r.Gates = append(r.Gates, journal.Gate{Rule: g.Gate, Verdict: g.Verdict.String(), Text: g.Text})
	}
	fill(&r)
	_, err := x.o.Journal.Append(ctx, r)
	return err
}

func errorText(err error) clean.Text {
	return clean.Line(sources.Message(err))
}

func fixOf(err error) clean.Text {
	if cure := sources.Cure(err); cure != "" {
		return clean.Line(cure)
	}
	return clean.Const("look at it at the provider, then plan it again")
}

// pauses are between two looks at what became of an action; the last one repeats.
func pauses() []time.Duration {
	return []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second}
}
