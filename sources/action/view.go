package action

import (
	"context"
	"slices"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
)

// view is what is so of a request's target, and what the gates may know of it.
type view struct {
	target

	access Access
	facts  policy.Facts
	also   []policy.Finding // what the plan itself has against it
	draft  *draft           // of what changes which version runs where; nil of everything else
}

// The gates of a plan itself, beside those of policy.
const (
	versionGate    = "version"    // which version it would be is not known
	meansGate      = "means"      // there is no way to do it
	controllerGate = "controller" // a controller would undo it
	journalGate    = "journal"    // it speaks when no record could be written
	comesBackGate  = "comes_back" // policy's own, whose cure the plan knows
	queueGate      = "queue"      // policy's own
)

// look reads the target of a request, and all that the gates may know of it.
func (r *Runner) look(ctx context.Context, q Request) (view, error) {
	a, spec, err := r.actor(q.Verb, q.Target)
	if err != nil {
		return view{}, err
	}
	if err := lacks(spec, q); err != nil {
		return view{}, err
	}
	if q.Target.Kind == sources.KindEnvironment {
		return r.lookAtEnvironment(ctx, a, q)
	}
	t, err := read(ctx, a, q.Target)
	if err != nil {
		return view{}, err
	}
	v := view{target: t, access: a, facts: r.facts(q, t, a)}
	if t.run != nil {
		r.lookAround(ctx, &v, q)
	}
	return v, nil
}

// lookAtEnvironment works out a promotion or a rollback.
func (r *Runner) lookAtEnvironment(ctx context.Context, a Access, q Request) (view, error) {
	d, err := r.draft(ctx, a, q, q.Target)
	if err != nil {
		return view{}, err
	}
	choose := d.chooseOn
	if q.Verb == sources.Rollback {
		choose = d.chooseBack
	}
	if err := choose(); err != nil {
		return view{}, err
	}
	if !d.want.IsZero() {
		d.narrow()
		d.chooseMeans(ctx)
	}
	d.look(ctx)
	d.compare(ctx)
	d.comesBack(ctx)
	v := view{access: a, draft: d, facts: d.facts(ctx), target: target{
		revision: d.env.Revision, service: d.env.Service, name: clean.Line(d.name()), word: d.name(), now: d.nowText(),
	}}
	v.also = d.findings()
	return v, nil
}

// narrow leaves the one target that needs the change, where the workflow deploys to one at a time and nobody
// has said to which.
func (d *draft) narrow() {
	if len(d.q.Targets) > 0 || len(d.selected) < 2 || !d.single() {
		return
	}
	var need []sources.Target
	for i := range d.selected {
		if !stands(&d.selected[i], d.want) {
			need = append(need, d.selected[i])
		}
	}
	if len(need) == 1 {
		d.selected, d.all = need, false
	}
}

// findings are what the plan itself has against the change.
func (d *draft) findings() []policy.Finding {
	var out []policy.Finding
	deny := func(gate string, text, fix clean.Text) {
		out = append(out, policy.Finding{Gate: gate, Verdict: policy.Deny, Text: text, Fix: fix})
	}
	if d.svc.Returns == "sync" {
		deny(controllerGate, clean.Const("a controller would put it back"), clean.Const("change it where the controller reads it from"))
	}
	if d.want.IsZero() {
		deny(versionGate, d.why, clean.Const("choose a version"))
	} else if d.way == nil {
		deny(meansGate, d.refusal, d.remedy)
	} else if d.way.prod != "" && !d.env.Prod {
		out = append(out, policy.Finding{
			Gate: meansGate, Verdict: policy.TypedConfirm, Text: clean.Linef("it changes what runs in %s as well", d.way.prod),
			Fix: clean.Const("choose another means where there is one"),
		})
	}
	return out
}

// lookAround adds what is known of the environment that a run's verb takes effect in: approving a gate, or
// running an old deployment again, is a change of what runs there.
func (r *Runner) lookAround(ctx context.Context, v *view, q Request) {
	switch q.Verb {
	case sources.Approve, sources.Reject, sources.RerunFailed, sources.RerunAll, sources.Cancel:
	default:
		return
	}
	ref, ok := r.environmentOf(v.run, q)
	if !ok {
		return
	}
	v.facts.Deploys = true
	d, err := r.draft(ctx, v.access, q, ref)
	if err != nil {
		r.o.Log.Info("read the environment of a run", "run", v.run.Ref.String(), "environment", ref.String(), "err", err)
		return
	}
	d.itself = v.run
	d.ofRun()
	d.look(ctx)
	d.compare(ctx)
	d.comesBack(ctx)
	was := v.facts
	v.facts, v.draft = d.facts(ctx), d
	v.facts.Run, v.facts.Mine, v.facts.Deploys = was.Run, was.Mine, true
	v.word = d.name()
}

// environmentOf is where a verb on a run takes effect, as far as the snapshot tells: of several, production.
func (r *Runner) environmentOf(run *sources.Run, q Request) (sources.Ref, bool) {
	var best *sources.Environment
	for e := range r.o.Snapshot().Environments() {
		if e.Ref.Source != run.Ref.Source || e.Ref.Scope != run.Ref.Scope || !concerns(e, run, q) {
			continue
		}
		if best == nil || e.Prod && !best.Prod || e.Prod == best.Prod && e.Order > best.Order {
			best = e
		}
	}
	if best == nil {
		return sources.Ref{}, false
	}
	return best.Ref, true
}

// concerns reports that a verb on a run changes what runs in e, or what waits there.
func concerns(e *sources.Environment, run *sources.Run, q Request) bool {
	waits := slices.ContainsFunc(e.Gates, func(g sources.Gate) bool { return g.Run == run.Ref && decides(q, g.Environment) })
	switch q.Verb {
	case sources.Approve, sources.Reject:
		return waits || run.Service == e.Service && slices.ContainsFunc(run.Gates, func(g sources.Gate) bool {
			return decides(q, g.Environment) && slices.Contains(providers(e), g.Environment)
		})
	default:
		return waits || slices.ContainsFunc(e.History, func(d sources.Deployment) bool { return d.Run == run.Ref })
	}
}

// ofRun finds the version that a verb on a run would put there.
func (d *draft) ofRun() {
	switch d.q.Verb { //nolint:exhaustive // the others bring no version
	case sources.Approve:
		for _, g := range d.env.Gates {
			if g.Run == d.itself.Ref && decides(d.q, g.Environment) && !g.Unverified {
				d.want = g.Version
			}
		}
	case sources.RerunFailed, sources.RerunAll:
		for i := range d.env.History {
			if h := &d.env.History[i]; h.Run == d.itself.Ref && h.Verified {
				d.want = h.Version
				return
			}
		}
	}
}
