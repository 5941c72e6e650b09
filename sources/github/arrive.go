package github

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// arrival is a call whose version is to run somewhere, and what is known of it.
type arrival struct {
	call  sources.Call
	env   *sources.Environment
	run   *sources.Run // that carries it out; nil: not known
	since time.Time    // when that began
	made  sources.Ref  // the deployment that was filed; zero for none
}

func (v *arrival) want() sources.Version {
	return sources.Version{SHA: v.call.Fields[sources.FieldVersion]}
}

// there reports that every target runs the version, and that nothing else was tried there since: what ran
// before an attempt failed is not yet what was put back.
func (v *arrival) there() (sources.Progress, bool) {
	var names []string
	targets := targetsOf(v.call, v.env)
	for _, t := range targets {
		c := t.Current
		if c == nil || !c.Version.Same(v.want()) || !v.own(c) && (t.Failed != nil || t.Arriving != nil) {
			return sources.Progress{}, false
		}
		names = append(names, t.Name)
	}
	return sources.Progress{State: sources.Done, Text: clean.Linef("%s runs in %s", short(v.want().SHA), places(v.env, names)), URL: v.env.URL}, len(targets) > 0
}

// own reports that a deployment is the call's.
func (v *arrival) own(d *sources.Deployment) bool {
	return !v.made.IsZero() && d.Ref == v.made || v.run != nil && v.call.Verb == sources.Dispatch && d.Run == v.run.Ref
}

// arrived tells how far a call is whose version is to run somewhere.
func (s *source) arrived(ctx context.Context, v *arrival) (sources.Progress, error) {
	if p, ok := v.there(); ok {
		return p, nil
	}
	if p, ok := v.refused(); ok {
		return p, nil
	}
	if v.run != nil && v.run.State.Done() {
		if by := v.replacedBy(); by != nil {
			text := clean.Linef("%s took its place in %s", by.Version.Short(), places(v.env, []string{by.Target}))
			return sources.Progress{State: sources.Undone, Superseded: true, Text: text, URL: v.run.URL}, nil
		}
		if v.run.State != sources.StatePassed {
			return s.ended(ctx, v)
		}
		return sources.Progress{Begun: true, URL: v.run.URL, Text: clean.Linef("run %d passed, and %s does not show it yet", v.run.Number, v.env.Name)}, nil
	}
	there, arriving := v.count()
	p := sources.Progress{Text: clean.Const("GitHub shows nothing of it yet"), URL: v.env.URL}
	switch n := len(targetsOf(v.call, v.env)); {
	case v.run != nil && v.run.State == sources.StateWaiting && len(v.run.Gates) > 0:
		p.Begun, p.Text, p.URL = true, waits(v.run), v.run.URL
	case there+arriving > 0:
		p.Begun, p.Text = true, clean.Linef("%d of %d there, %d on their way", there, n, arriving)
	case v.run != nil:
		p.Begun, p.Text, p.URL = true, clean.Linef("run %d: %s%s", v.run.Number, stands(v.run), s.behind(ctx, v.run)), v.run.URL
	case !v.made.IsZero():
		p.Begun, p.Text = true, clean.Const("the deployment is filed, and nobody has taken it yet")
	}
	return p, nil
}

// waits says whom a run waits for: "run 813 waits for approval, yours to give".
func waits(run *sources.Run) clean.Text {
	g := run.Gates[0]
	switch {
	case slices.ContainsFunc(run.Gates, func(g sources.Gate) bool { return g.CanApprove }):
		return clean.Linef("run %d waits for approval, yours to give", run.Number)
	case !g.Blocked.IsZero():
		return clean.Linef("run %d waits: %s", run.Number, g.Blocked)
	default:
		return clean.Linef("run %d waits for approval by %s", run.Number, reviewers(g))
	}
}

// behind says which run holds the concurrency group that a queued one waits for: " behind run 812, which waits
// for approval"; "" where it waits for none, or nothing tells.
func (s *source) behind(ctx context.Context, run *sources.Run) string {
	if run.State != sources.StateQueued {
		return ""
	}
	c, err := s.repo(ctx, run.Ref.Scope)
	if err != nil {
		return ""
	}
	groups, err := c.groups(ctx, run.Ref.ID)
	if err != nil {
		return ""
	}
	for _, g := range groups.Groups {
		holder, mine := g.holder(run.Ref.ID)
		if holder == 0 || mine {
			continue
		}
		r, err := fetch[wireRun](ctx, c, fmt.Sprintf("%s/actions/runs/%d", c.path, holder))
		if err != nil {
			return " behind another run"
		}
		if r.Value.Status == "waiting" {
			return fmt.Sprintf(" behind run %d, which waits for approval", r.Value.RunNumber)
		}
		state, _ := stateOf(r.Value.Status, r.Value.Conclusion)
		return fmt.Sprintf(" behind run %d, which is %s", r.Value.RunNumber, state)
	}
	return ""
}

// count is how many targets run the version, and to how many it is on its way.
func (v *arrival) count() (there, arriving int) {
	for _, t := range targetsOf(v.call, v.env) {
		switch {
		case t.Arriving != nil && t.Arriving.Version.Same(v.want()):
			arriving++
		case t.Current != nil && t.Current.Version.Same(v.want()) && t.Failed == nil && t.Arriving == nil:
			there++
		}
	}
	return there, arriving
}

// refused reports that the deployment that was filed failed, or that another one took its place.
func (v *arrival) refused() (sources.Progress, bool) {
	i := slices.IndexFunc(v.env.History, func(d sources.Deployment) bool { return !v.made.IsZero() && d.Ref == v.made })
	if i < 0 {
		return sources.Progress{}, false
	}
	p := sources.Progress{State: sources.Undone, URL: v.env.URL}
	switch d := &v.env.History[i]; d.State {
	case sources.StateFailed, sources.StateCancelled:
		p.Text = clean.Linef("its deployment %s in %s", d.State, places(v.env, []string{d.Target}))
	case sources.StateSuperseded:
		p.Superseded, p.Text = true, clean.Linef("another deployment took its place in %s", places(v.env, []string{d.Target}))
	default:
		return p, false
	}
	return p, true
}

// replacedBy is a deployment of another version that came to one of the targets since; nil when there is none.
func (v *arrival) replacedBy() *sources.Deployment {
	for _, t := range targetsOf(v.call, v.env) {
		for _, d := range []*sources.Deployment{t.Current, t.Arriving} {
			if d != nil && !d.Version.Same(v.want()) && d.Run != v.run.Ref && d.Created.After(v.since) {
				return d
			}
		}
	}
	return nil
}

// ended tells of a run that ended badly. One that was cancelled while a newer one of its workflow came after it
// has lost its place: of those that wait for one concurrency group GitHub keeps the newest.
func (s *source) ended(ctx context.Context, v *arrival) (sources.Progress, error) {
	p := sources.Progress{State: sources.Undone, Text: clean.Linef("run %d %s", v.run.Number, v.run.State), URL: v.run.URL}
	if v.run.State != sources.StateCancelled || v.run.Path == "" {
		return p, nil
	}
	conn, err := s.repo(ctx, v.run.Ref.Scope)
	if err != nil {
		return p, err
	}
	address := fmt.Sprintf("%s/actions/workflows/%s/runs?per_page=20", conn.path, url.PathEscape(path.Base(v.run.Path)))
	r, err := get[wireRuns](ctx, conn.conn, address)
	if err != nil {
		return p, conn.fail("look for what took its place", err)
	}
	for _, w := range r.Value.Runs {
		if w.RunNumber > v.run.Number && w.Conclusion != "cancelled" {
			p.Superseded, p.Text = true, clean.Linef("run %d was cancelled, and run %d came after it", v.run.Number, w.RunNumber)
		}
	}
	return p, nil
}

// verifyPlace looks whether a verb on a run has put the call's version where it was to go: the gate that opens,
// or the attempt that begins, is not yet that.
func (s *source) verifyPlace(ctx context.Context, a *act, receipt sources.Receipt) (sources.Progress, error) {
	c := a.call
	at := sources.Ref{Source: c.Target.Source, Kind: sources.KindEnvironment, Scope: c.Target.Scope, ID: c.Fields[sources.FieldPlace]}
	if c.Verb == sources.Approve {
		if a.reviewed() == sources.Pending {
			return sources.Progress{Text: clean.Linef("run %d: %s", a.run.Number, stands(&a.run)), URL: a.run.URL}, nil
		}
	} else if before := attemptBefore(c, receipt); before == 0 || a.run.Attempt <= before {
		return sources.Progress{Text: clean.Linef("run %d: %s", a.run.Number, stands(&a.run)), URL: a.run.URL}, nil
	}
	e, err := s.placeOf(ctx, at)
	if err != nil {
		return sources.Progress{}, err
	}
	v := arrival{call: c, env: &e, run: &a.run, since: a.run.Started}
	if v.since.IsZero() {
		v.since = a.run.Created
	}
	return s.arrived(ctx, &v)
}
