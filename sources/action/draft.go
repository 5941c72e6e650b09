package action

import (
	"context"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
)

// draft is a change of what runs in one environment, as it is being worked out. It reads, and writes nothing.
type draft struct {
	*Runner
	q    Request
	a    Access
	snap *store.Snapshot
	now  time.Time
	svc  Service

	env      sources.Environment
	prev     *sources.Environment // the one before it; nil when there is none, or it cannot be read
	selected []sources.Target     // that it is done to
	all      bool                 // these are all of the environment's

	candidates []insight.Candidate
	choices    []Choice
	want       sources.Version // zero: not known
	why        clean.Text      // why not
	wantText   clean.Text
	warned     clean.Text // what speaks against want

	way      *way
	others   []Means
	refusal  clean.Text // why there is no way
	remedy   clean.Text
	between  between
	queue    queue
	itself   *sources.Run // the run that the request is on; nil for none
	returns  returning
	baseline sources.Version // what runs, as the comparison has it
}

// environment re-reads an environment.
func environment(ctx context.Context, a Access, ref sources.Ref) (sources.Environment, error) {
	obj, err := a.Set.Actor.Get(ctx, ref)
	if err != nil {
		return sources.Environment{}, err
	}
	e, ok := obj.(sources.Environment)
	if p, pointer := obj.(*sources.Environment); pointer && p != nil {
		e, ok = *p, true
	}
	switch {
	case !ok:
		return e, &sources.Error{Kind: sources.Invalid, Op: "read", Scope: ref.String(), Msg: "it is no environment"}
	case e.Ref != ref:
		return e, &sources.Error{Kind: sources.Invalid, Op: "read", Scope: ref.String(), Msg: "the source answered with another environment: " + e.Ref.String()}
	case e.Revision == "":
		return e, &sources.Error{Kind: sources.Invalid, Op: "read", Scope: ref.String(), Msg: "the source gives it no revision, so a change of it could not be seen"}
	}
	return e, nil
}

// draft begins the draft of a request on an environment.
func (r *Runner) draft(ctx context.Context, a Access, q Request, ref sources.Ref) (*draft, error) {
	d := &draft{Runner: r, q: q, a: a, snap: r.o.Snapshot(), now: r.o.Now()}
	e, err := environment(ctx, a, ref)
	if err != nil {
		return nil, err
	}
	d.env = e
	named := false
	if r.o.Service != nil {
		d.svc, named = r.o.Service(e.Service)
	}
	if !named {
		return nil, &sources.Error{
			Kind: sources.Unsupported, Op: string(q.Verb), Scope: ref.String(), Msg: "the config does not name " + e.Service + ", so nothing is changed there",
			Fix: "add it below services: (signalbox init writes it for you)",
		}
	}
	if err := d.selects(); err != nil {
		return nil, err
	}
	if e.Previous != "" && q.Verb != sources.Rollback {
		d.readPrevious(ctx)
	}
	d.candidates = insight.Candidates(d.snap, &d.env, d.targetNames())
	return d, nil
}

// readPrevious re-reads the environment before this one. That it cannot be read is a fact like others.
func (d *draft) readPrevious(ctx context.Context) {
	if b := d.env.Before; b != nil && b.Name == d.env.Previous && b.Service == d.env.Service {
		d.prev = b
		return
	}
	for e := range d.snap.Environments() {
		if e.Service != d.env.Service || e.Name != d.env.Previous || e.Ref.Source != d.env.Ref.Source || e.Ref.Scope != d.env.Ref.Scope {
			continue
		}
		prev, err := environment(ctx, d.a, e.Ref)
		if err != nil {
			d.o.Log.Info("read the environment before", "environment", e.Ref.String(), "err", err)
			return
		}
		d.prev = &prev
		return
	}
}

// selects finds the targets that the request names.
func (d *draft) selects() error {
	if len(d.q.Targets) == 0 {
		d.selected, d.all = d.env.Targets, true
		return nil
	}
	var known []string
	for _, t := range d.env.Targets {
		known = append(known, t.Name)
		if slices.Contains(d.q.Targets, t.Name) {
			d.selected = append(d.selected, t)
		}
	}
	for _, name := range d.q.Targets {
		if !slices.Contains(known, name) {
			return &sources.Error{
				Kind: sources.Invalid, Op: string(d.q.Verb), Scope: d.env.Ref.String(), Msg: d.env.Name + " has no target " + name,
				Fix: "it has " + strings.Join(known, ", "),
			}
		}
	}
	d.all = len(d.selected) == len(d.env.Targets)
	return nil
}

// targetNames are the names of the targets that it is done to; none where it is all of them.
func (d *draft) targetNames() []string {
	if d.all {
		return nil
	}
	return names(d.selected)
}

// names are those of targets that have one.
func names(targets []sources.Target) []string {
	var out []string
	for _, t := range targets {
		if t.Name != "" {
			out = append(out, t.Name)
		}
	}
	return out
}

// place is where it takes effect, as people name it.
func (d *draft) place() string {
	if d.all {
		return d.env.Name
	}
	return strings.Join(append([]string{d.env.Name}, names(d.selected)...), " ")
}

// name is how people name the environment, and what they type.
func (d *draft) name() string { return d.env.Service + "/" + d.env.Name }

// stands reports that a target runs a version and that nothing else was tried there since.
func stands(t *sources.Target, v sources.Version) bool {
	return t.Current != nil && t.Current.Version.Same(v) && t.Failed == nil && t.Arriving == nil
}

// running is the newest deployment that runs on one of the targets; nil when nothing is known to run.
func running(targets []sources.Target) *sources.Deployment {
	var newest *sources.Deployment
	for i := range targets {
		if c := targets[i].Current; c != nil && (newest == nil || ended(c).After(ended(newest))) {
			newest = c
		}
	}
	return newest
}

func ended(d *sources.Deployment) time.Time {
	if d.Ended.IsZero() {
		return d.Created
	}
	return d.Ended
}

// spec is what the config says of the environment.
func (d *draft) spec() sources.EnvironmentSpec {
	for _, e := range d.svc.Spec.Environments {
		if e.Name == d.env.Name {
			return e
		}
	}
	return sources.EnvironmentSpec{Name: d.env.Name, Provider: d.env.Provider}
}

// provider is the provider's name of a target's environment.
func (d *draft) provider(target string) string {
	sp := d.spec()
	name := sp.Provider
	if name == "" {
		name = sp.Name
	}
	return strings.NewReplacer("{{target}}", target, "{{env}}", d.env.Name, "{{service}}", d.env.Service).Replace(name)
}

// perTarget reports that each target is an environment of its own at the provider.
func (d *draft) perTarget() bool { return strings.Contains(d.spec().Provider, "{{target}}") }
