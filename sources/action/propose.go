package action

import (
	"context"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
)

// Propose makes the plan of a request, by reading alone. Its error is a *sources.Error: the target is not
// there, the source cannot do it or did not answer. A plan that policy refuses is a plan.
func (r *Runner) Propose(ctx context.Context, q Request) (Plan, error) {
	ctx = sources.OneLook(ctx)
	v, err := r.look(ctx, q)
	if err != nil {
		return Plan{}, err
	}
	p := r.plan(ctx, q, v)
	p.ID, p.At = r.newID(), r.o.Now()
	p.Call.ID = p.ID
	if v.access.Set.Previewer != nil && p.Call.Verb != "" {
		w, err := v.access.Set.Previewer.Preview(ctx, p.Call)
		if err != nil {
			return Plan{}, err
		}
		p.How, p.Lines, p.Wakes = w.How, append(p.Lines, w.Lines...), w.Wakes
	}
	return p, nil
}

// Facts are what the gates may look at of a request, found out by reading alone.
func (r *Runner) Facts(ctx context.Context, q Request) (policy.Facts, error) {
	v, err := r.look(sources.OneLook(ctx), q)
	return v.facts, err
}

// plan is the plan of what was looked at, without its identity and without what only the provider can tell of
// how it is done.
func (r *Runner) plan(ctx context.Context, q Request, v view) Plan {
	p := Plan{
		Request: q, Acting: clean.Line(v.access.Identity), Name: v.name, Service: v.service,
		Title: clean.Linef("%s %s", wording(q.Verb).title, v.name), Now: v.now, Then: wording(q.Verb).then,
		Changed: q.Revision != "" && q.Revision != v.revision, Deadline: deadline(q.Verb),
	}
	if q.Target.Kind != sources.KindEnvironment {
		p.Call = sources.Call{
			Verb: q.Verb, Target: q.Target, Revision: v.revision, Identity: v.access.Identity,
			Text: q.Text, For: q.For, To: slices.Clone(q.To), Level: q.Level, Others: slices.Clone(q.Others), Fields: q.Fields,
		}
	}
	if v.draft != nil {
		v.draft.fill(&p)
	}
	p.Gates = r.judge(ctx, v)
	p.Demand = demand(p.Gates, v.word)
	return p
}

// Renew makes the plan again, of what is so now: for a dialog that stays open. Its ID stays.
func (r *Runner) Renew(ctx context.Context, p Plan) (Plan, error) {
	q := p.Request
	q.Revision = p.seen()
	fresh, err := r.Propose(ctx, q)
	if err != nil {
		return p, err
	}
	fresh.ID, fresh.Call.ID, fresh.Request = p.ID, p.ID, p.Request
	return fresh, nil
}

// seen is the revision of the request's target that the plan was made of.
func (p *Plan) seen() sources.Revision {
	for _, rest := range p.Rests {
		if rest.Ref == p.Request.Target {
			return rest.Revision
		}
	}
	return p.Call.Revision
}

// judge asks policy, and adds what the plan itself has against it.
func (r *Runner) judge(ctx context.Context, v view) []policy.Finding {
	gates := r.o.Policy.Judge(v.facts)
	if err := r.o.Journal.Ready(ctx); err != nil {
		gates = append([]policy.Finding{unwritten(v.facts.Action, err)}, gates...)
	}
	if d := v.draft; d != nil && !d.returns.fix.IsZero() {
		for i := range gates {
			if gates[i].Gate == comesBackGate && gates[i].Verdict > policy.Allow {
				gates[i].Fix = d.returns.fix
			}
		}
	}
	return append(v.also, gates...)
}

// unwritten is what a journal that cannot be written means: no record, no action. Nothing stands between a page
// and its answer, and nothing but a typed reason between a fire and its hose.
func unwritten(verb sources.Verb, err error) policy.Finding {
	f := policy.Finding{Gate: journalGate, Verdict: policy.Deny, Text: clean.Linef("no record could be written: %v", err), Fix: mendJournal(err)}
	switch verb { //nolint:exhaustive // every other verb waits for the journal
	case sources.Acknowledge:
		f.Verdict, f.Fix = policy.Warn, clean.Const("it goes through all the same, unrecorded")
	case sources.Rollback:
		f.BreakGlass = true
	}
	return f
}

// demand is what a plan with these gates wants. Where only gates that glass may be broken for refuse it, it
// is a reason, on top of what the rest demand.
func demand(gates []policy.Finding, word string) Demand {
	lifted, names := policy.Lift(gates)
	d := Demand{Reason: len(names) > 0, Word: word}
	switch policy.Strictest(lifted) {
	case policy.Allow, policy.Warn:
		d.Kind = NoDemand
	case policy.Confirm:
		d.Kind = YesDemand
	case policy.TypedConfirm:
		d.Kind = TypeDemand
	case policy.SecondPerson:
		d.Kind = SecondDemand
	case policy.Deny:
		return Demand{Kind: Refusal}
	}
	if d.Reason && d.Kind < TypeDemand {
		d.Kind = TypeDemand
	}
	if d.Kind < TypeDemand {
		d.Word = ""
	}
	return d
}

// lacks says what a verb needs and the request does not say.
func lacks(spec sources.ActionSpec, q Request) error {
	for _, need := range spec.Need {
		missing := false
		fix := ""
		switch need {
		case "text":
			missing, fix = q.Text == "", "write it"
		case "for":
			missing, fix = q.For <= 0, "say for how long"
		case "to":
			missing, fix = len(q.To) == 0, "say to whom"
		case "level":
			missing, fix = q.Level <= 0, "say to which level"
		case "others":
			missing, fix = len(q.Others) == 0, "say which"
		}
		if missing {
			return &sources.Error{Kind: sources.Invalid, Op: string(q.Verb), Scope: q.Target.ID, Msg: "it lacks its " + need, Fix: fix}
		}
	}
	return nil
}

// phrase is a verb in words.
type phrase struct {
	title string     // of a dialog: "Acknowledge"
	then  clean.Text // what will be
}

func wording(v sources.Verb) phrase {
	switch v {
	case sources.Acknowledge:
		return phrase{"Acknowledge", clean.Const("acknowledged: its escalation stops")}
	case sources.Resolve:
		return phrase{"Resolve", clean.Const("resolved")}
	case sources.Escalate:
		return phrase{"Escalate", clean.Const("the next level is paged")}
	case sources.Reassign:
		return phrase{"Hand over", clean.Const("somebody else holds it, and is paged")}
	case sources.Snooze:
		return phrase{"Snooze", clean.Const("quiet, and paged again when the time is up")}
	case sources.AddNote:
		return phrase{"Note on", clean.Const("a note that stays")}
	case sources.Merge:
		return phrase{"Merge into", clean.Const("one incident; the others are resolved into it")}
	case sources.PostStatus:
		return phrase{"Status update of", clean.Const("sent to its subscribers")}
	case sources.SilenceIt:
		return phrase{"Silence", clean.Const("silent until the time is up")}
	case sources.Expire:
		return phrase{"End the silence of", clean.Const("heard again")}
	case sources.Mute:
		return phrase{"Mute", clean.Const("muted until the time is up")}
	case sources.Unmute:
		return phrase{"Unmute", clean.Const("heard again")}
	case sources.Approve:
		return phrase{"Approve", clean.Const("goes on")}
	case sources.Reject:
		return phrase{"Reject", clean.Const("ends as failed")}
	case sources.RerunFailed:
		return phrase{"Run the failed jobs again of", clean.Const("its failed jobs run again")}
	case sources.RerunAll:
		return phrase{"Run again", clean.Const("all its jobs run again")}
	case sources.Cancel:
		return phrase{"Cancel", clean.Const("ends as cancelled")}
	case sources.PostEvent:
		return phrase{"Mark", clean.Const("a marker on the charts")}
	case sources.Promote:
		return phrase{"Promote to", clean.Const("another version runs")}
	case sources.Rollback:
		return phrase{"Roll back", clean.Const("an earlier version runs")}
	case sources.Dispatch, sources.Deploy:
		return phrase{"Deploy to", clean.Const("another version runs")}
	}
	return phrase{string(v), clean.Text{}}
}

// Title is what a verb is called where the name of its object follows: "Acknowledge", "Note on".
func Title(v sources.Verb) string { return wording(v).title }

// deadline is for how long a verb's effect is followed.
func deadline(v sources.Verb) time.Duration {
	switch v {
	case sources.RerunFailed, sources.RerunAll, sources.Cancel, sources.Approve, sources.Reject:
		return 2 * time.Minute
	case sources.Dispatch, sources.Deploy, sources.Promote, sources.Rollback:
		return 30 * time.Minute
	case sources.Acknowledge, sources.Resolve, sources.Escalate, sources.Reassign, sources.Snooze, sources.AddNote, sources.Merge,
		sources.PostStatus, sources.SilenceIt, sources.Expire, sources.Mute, sources.Unmute, sources.PostEvent:
		return 30 * time.Second
	}
	return 30 * time.Second
}
