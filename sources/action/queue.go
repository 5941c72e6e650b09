package action

import (
	"context"
	"slices"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// queue is what stands before a change: what runs, waits or is pending where it would go.
type queue struct {
	texts  []string
	offers []Offer
	known  bool
	seen   []sources.Ref
}

func (q *queue) text() string { return strings.Join(q.texts, "; ") }

// look finds out what stands before the change. The environment was just read; runs that have made nothing of
// themselves known there yet are those of the snapshot, read again.
func (d *draft) look(ctx context.Context) {
	q := &d.queue
	q.known = d.runsKnown()
	if own := d.own(); own != nil {
		q.seen = append(q.seen, own.Ref)
	}
	for i := range d.env.Gates {
		if g := &d.env.Gates[i]; d.here(g.Environment) {
			d.waits(ctx, g)
		}
	}
	for i := range d.selected {
		if a := d.selected[i].Arriving; a != nil {
			d.arrives(ctx, a)
		}
	}
	for r := range d.snap.Runs() {
		if r.Ref.Source == d.env.Ref.Source && r.Ref.Scope == d.env.Ref.Scope && !r.State.Done() && d.means(r) {
			d.runsNow(ctx, r)
		}
	}
}

// runsKnown reports that the runs of the repository have been listed.
func (d *draft) runsKnown() bool {
	f := d.snap.Feed(store.FeedKey{Source: d.env.Ref.Source, Capability: store.Runs, Scope: d.env.Ref.Scope})
	return f != nil && !f.Health.LastGood.IsZero()
}

// here reports that the provider's environment is one of the targets that it is done to. What holds the way
// to one that the config does not name holds nothing here.
func (d *draft) here(provider string) bool {
	if d.all {
		return true
	}
	return slices.ContainsFunc(d.selected, func(t sources.Target) bool { return d.provider(t.Name) == provider })
}

// add notes what stands before it, once for each run.
func (d *draft) add(run sources.Ref, text clean.Text, offer *Offer) {
	if !run.IsZero() {
		if slices.Contains(d.queue.seen, run) {
			return
		}
		d.queue.seen = append(d.queue.seen, run)
	}
	d.queue.texts = append(d.queue.texts, text.String())
	if offer != nil {
		d.queue.offers = append(d.queue.offers, *offer)
	}
}

// waits notes a run that waits for an approval.
func (d *draft) waits(ctx context.Context, g *sources.Gate) {
	if slices.Contains(d.queue.seen, g.Run) {
		return
	}
	run, err := d.run(ctx, g.Run)
	if err != nil {
		d.add(g.Run, clean.Linef("a run waits for an approval, and cannot be read: %s", errorText(err)), nil)
		return
	}
	if run.State.Done() {
		return
	}
	text := clean.Linef("run %d waits for approval", run.Number)
	if !g.Since.IsZero() {
		text = clean.Linef("%s since %s", text, g.Since.In(d.now.Location()).Format("Mon 15:04"))
	}
	if !g.Concurrency.IsZero() {
		text = clean.Linef("%s and holds %s", text, g.Concurrency)
	}
	var mine []string
	for _, o := range run.Gates {
		if o.CanApprove && o.Environment == g.Environment {
			mine = append(mine, o.Environment)
		}
	}
	for _, o := range d.env.Gates {
		if o.Run == g.Run && o.CanApprove && !slices.Contains(mine, o.Environment) && d.here(o.Environment) {
			mine = append(mine, o.Environment)
		}
	}
	slices.Sort(mine)
	if len(mine) == 0 || !d.offers(sources.Reject, sources.KindRun) {
		d.add(g.Run, text, d.cancel(run))
		return
	}
	d.add(g.Run, text, &Offer{Text: clean.Linef("reject run %d first", run.Number), Request: Request{
		Verb: sources.Reject, Target: run.Ref, Revision: run.Revision, Via: d.q.Via, About: d.q.About,
		Fields: map[string]string{sources.FieldEnvironments: strings.Join(mine, ",")},
	}})
}

// cancel offers to cancel a run; nil where that cannot be.
func (d *draft) cancel(run *sources.Run) *Offer {
	if run == nil || run.State.Done() || !d.offers(sources.Cancel, sources.KindRun) {
		return nil
	}
	return &Offer{Text: clean.Linef("cancel run %d first", run.Number), Request: Request{
		Verb: sources.Cancel, Target: run.Ref, Revision: run.Revision, Via: d.q.Via, About: d.q.About,
	}}
}

// arrives notes a deployment that is on its way.
func (d *draft) arrives(ctx context.Context, a *sources.Deployment) {
	what := a.Version.Short()
	if what.IsZero() {
		what = clean.Const("a deployment")
	}
	if a.Run.IsZero() {
		d.add(a.Ref, clean.Linef("%s is on its way (%s)", what, a.State), nil)
		return
	}
	if slices.Contains(d.queue.seen, a.Run) {
		return
	}
	run, err := d.run(ctx, a.Run)
	if err != nil {
		d.add(a.Run, clean.Linef("%s is on its way (%s)", what, a.State), nil)
		return
	}
	d.add(a.Run, clean.Linef("run %d deploys %s there (%s)", run.Number, what, run.State), d.cancel(run))
}

// means reports that a live run would deploy here: it waits at a gate of the environment, or it is a dispatch
// of the deploy workflow whose name does not say that it is for another environment.
func (d *draft) means(r *sources.Run) bool {
	if slices.ContainsFunc(r.Gates, func(g sources.Gate) bool { return d.provides(g.Environment) && d.here(g.Environment) }) {
		return true
	}
	mine := r.Service == d.env.Service || slices.Contains(r.Services, d.env.Service) || r.Service == "" && len(r.Services) == 0
	if !mine || d.svc.Workflow == "" || !sameFile(r.Path, d.svc.Workflow) || r.Event == "push" {
		return false
	}
	words := strings.FieldsFunc(strings.ToLower(r.Title.String()), func(c rune) bool { return strings.ContainsRune(" \t,;:/()[]→·@", c) })
	says := func(e sources.EnvironmentSpec) bool {
		return slices.Contains(words, strings.ToLower(e.Name)) || e.Provider != "" && slices.Contains(words, strings.ToLower(e.Provider))
	}
	other := false
	for _, e := range d.svc.Spec.Environments {
		if says(e) {
			if e.Name == d.env.Name {
				return true
			}
			other = true
		}
	}
	return !other
}

// provides reports that the provider calls a part of the environment so.
func (d *draft) provides(name string) bool {
	return name != "" && slices.Contains(providers(&d.env), name)
}

// providers are the provider's names of an environment's parts.
func providers(e *sources.Environment) []string { return strings.Split(e.Provider, ", ") }

func sameFile(path, workflow string) bool {
	return path == workflow || strings.HasSuffix(path, "/"+strings.TrimPrefix(workflow, "/"))
}

// runsNow notes a live run that would deploy here, as it is now.
func (d *draft) runsNow(ctx context.Context, r *sources.Run) {
	if slices.Contains(d.queue.seen, r.Ref) {
		return
	}
	run, err := d.run(ctx, r.Ref)
	switch {
	case err != nil:
		d.add(r.Ref, clean.Linef("run %d (%s) cannot be read again: %s", r.Number, r.State, errorText(err)), nil)
	case !run.State.Done():
		d.add(r.Ref, clean.Linef("run %d of %s is %s", run.Number, run.Workflow, run.State), d.cancel(run))
	}
}
