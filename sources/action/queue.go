package action

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

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
			d.stands(ctx, g.Run, "a run waits for approval")
		}
	}
	for i := range d.selected {
		if a := d.selected[i].Arriving; a != nil {
			d.arrives(ctx, a)
		}
	}
	for r := range d.snap.Runs() {
		if r.Ref.Source == d.env.Ref.Source && r.Ref.Scope == d.env.Ref.Scope && !r.State.Done() && d.means(r) {
			d.stands(ctx, r.Ref, clean.Linef("run %d is %s", r.Number, r.State).String())
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

// stands notes a run that stands before it, as it is now: what it waits for, and how to get it out of the way.
func (d *draft) stands(ctx context.Context, ref sources.Ref, known string) {
	if slices.Contains(d.queue.seen, ref) {
		return
	}
	run, err := d.run(ctx, ref)
	switch {
	case err != nil:
		d.add(ref, clean.Linef("%s, and cannot be read again: %s", known, errorText(err)), nil)
	case run.State.Done():
	case len(run.Gates) > 0:
		d.add(ref, waitText(run, d.now), d.reject(run))
	default:
		d.add(ref, clean.Linef("run %d of %s is %s", run.Number, run.Workflow, run.State), d.cancel(run))
	}
}

// waitText is a run that waits for people: "run 812 waits for approval since Tue 02:07 and holds deploy-prod".
func waitText(run *sources.Run, now time.Time) clean.Text {
	text := clean.Linef("run %d waits for approval", run.Number)
	g := &run.Gates[0]
	if !g.Since.IsZero() {
		text = clean.Linef("%s since %s", text, g.Since.In(now.Location()).Format("Mon 15:04"))
	}
	for i := range run.Gates {
		if held := run.Gates[i].Concurrency; !held.IsZero() {
			return clean.Linef("%s and holds %s", text, held)
		}
	}
	return text
}

// reject offers to reject what a run waits for; where that is not ours to decide, to cancel it.
func (d *draft) reject(run *sources.Run) *Offer {
	var mine []string
	for _, g := range run.Gates {
		if g.CanApprove {
			mine = append(mine, g.Environment)
		}
	}
	if len(mine) == 0 || !d.offers(sources.Reject, sources.KindRun) {
		return d.cancel(run)
	}
	slices.Sort(mine)
	return &Offer{Text: clean.Linef("reject run %d first", run.Number), Request: Request{
		Verb: sources.Reject, Target: run.Ref, Revision: run.Revision, Via: d.q.Via, About: d.q.About,
		Fields: map[string]string{sources.FieldEnvironments: strings.Join(mine, ",")},
	}}
}

// cancel offers to cancel a run; nil where that cannot be.
func (d *draft) cancel(run *sources.Run) *Offer {
	if !d.offers(sources.Cancel, sources.KindRun) {
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
	switch {
	case err != nil || run.State.Done():
		d.add(a.Run, clean.Linef("%s is on its way (%s)", what, a.State), nil)
		return
	case len(run.Gates) > 0:
		d.add(a.Run, waitText(run, d.now), d.reject(run))
		return
	}
	d.add(a.Run, clean.Linef("run %d deploys %s there (%s)", run.Number, what, run.State), d.cancel(run))
}

// means reports that a live run would deploy here: it waits at a gate of the environment, it holds a group that
// is named like it, or it is a dispatch of the deploy workflow whose name does not say that it is for another
// environment.
func (d *draft) means(r *sources.Run) bool {
	for i := range r.Gates {
		if g := &r.Gates[i]; d.provides(g.Environment) && d.here(g.Environment) || d.group(g.Concurrency.String()) {
			return true
		}
	}
	mine := r.Service == d.env.Service || slices.Contains(r.Services, d.env.Service) || r.Service == "" && len(r.Services) == 0
	if !mine || !d.deploysBy(r.Path) || r.Event == "push" {
		return false
	}
	words := strings.FieldsFunc(strings.ToLower(r.Title.String()), func(c rune) bool { return strings.ContainsRune(" \t,;:/()[]→·@", c) })
	says := func(e sources.EnvironmentSpec) bool {
		return slices.ContainsFunc(called(d.env.Service, e), func(name string) bool { return slices.Contains(words, strings.ToLower(name)) })
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

// group reports that a concurrency group is one that deployments to here need: that of a run that waits here,
// or one that is named like the environment.
func (d *draft) group(name string) bool {
	if name == "" {
		return false
	}
	if slices.ContainsFunc(d.env.Gates, func(g sources.Gate) bool { return g.Concurrency.String() == name }) {
		return true
	}
	words := strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	return slices.Contains(words, strings.ToLower(d.env.Name)) || slices.ContainsFunc(providers(&d.env), func(p string) bool {
		return p != "" && strings.Contains(strings.ToLower(name), strings.ToLower(p))
	})
}

// provides reports that the provider calls a part of the environment so.
func (d *draft) provides(name string) bool {
	return name != "" && slices.Contains(providers(&d.env), name)
}

// providers are the provider's names of an environment's parts.
func providers(e *sources.Environment) []string { return strings.Split(e.Provider, ", ") }

// called are the names that people and the provider have for an environment, and for its targets where each is
// one of its own.
func called(service string, e sources.EnvironmentSpec) []string {
	out := []string{e.Name}
	targets := e.Targets
	if len(targets) == 0 {
		targets = []string{""}
	}
	for _, t := range targets {
		if e.Provider != "" {
			out = append(out, strings.NewReplacer("{{target}}", t, "{{env}}", e.Name, "{{service}}", service).Replace(e.Provider))
		}
	}
	return out
}

// deploysBy reports that a workflow's file is the one that deploys the service.
func (d *draft) deploysBy(path string) bool {
	return sameFile(path, d.svc.Workflow) || sameFile(path, d.svc.Spec.DeployWorkflow)
}

func sameFile(path, workflow string) bool {
	if workflow == "" {
		return false
	}
	return path == workflow || strings.HasSuffix(path, "/"+strings.TrimPrefix(workflow, "/"))
}
