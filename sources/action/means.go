package action

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// way is one means, worked out for one change.
type way struct {
	means Means
	why   clean.Text // why it does not fit; zero: it does
	call  sources.Call
	lines []clean.Text // what is worth knowing of it before
	run   *sources.Run // that it approves or runs again
	prod  string       // another environment that it changes as well, and that people are paged for
	one   bool         // it would fit one target alone
}

func unfit(m Means, format string, args ...any) way {
	return way{means: m, why: clean.Linef(format, args...)}
}

// forOne says that the way would fit one target alone.
func (w way) forOne() way {
	w.one = true
	return w
}

// rerunsFor is for how long GitHub lets a run be run again.
const rerunsFor = 30 * 24 * time.Hour

// chooseMeans finds by which means the version gets there: the one that is asked for, the configured one, or
// the only one that fits. Running an old run again is the last resort: it is chosen only where nothing else
// fits.
func (d *draft) chooseMeans(ctx context.Context) {
	if d.want.SHA == "" {
		d.refusal, d.remedy = clean.Linef("which commit %s is, is not known", d.want.Short()), clean.Const("name the version by its commit")
		return
	}
	ways := []way{d.byApproval(ctx), d.byWorkflow(), d.byDeployment(), d.byRerun(ctx)}
	var fit []Means
	for i := range ways {
		if ways[i].why.IsZero() {
			fit = append(fit, ways[i].means)
		}
	}
	chosen := d.q.Means
	if chosen == "" {
		chosen = d.svc.Via
	}
	if chosen == "" {
		first := slices.DeleteFunc(slices.Clone(fit), func(m Means) bool { return m == ByRerun })
		switch {
		case len(first) == 1:
			chosen = first[0]
		case len(first) == 0 && len(fit) == 1:
			chosen = fit[0]
		}
	}
	for i := range ways {
		switch w := &ways[i]; {
		case w.means == chosen && w.why.IsZero():
			d.way = w
		case w.why.IsZero():
			d.others = append(d.others, w.means)
		}
	}
	if d.way == nil {
		d.explain(ways, chosen)
	}
}

// explain says why there is no way.
func (d *draft) explain(ways []way, chosen Means) {
	reasons := make([]string, 0, len(ways))
	for _, w := range ways {
		if w.means == chosen {
			reasons = []string{string(w.means) + ": " + w.why.String()}
			break
		}
		if !w.why.IsZero() {
			reasons = append(reasons, string(w.means)+": "+w.why.String())
		}
	}
	fits := make([]string, 0, len(d.others))
	for _, m := range d.others {
		fits = append(fits, string(m))
	}
	switch {
	case chosen == "" && len(fits) > 1:
		d.refusal = clean.Linef("several means fit: %s", strings.Join(fits, ", "))
		d.remedy = clean.Const("choose one, or set deploy.via: of the service")
	case len(fits) > 0:
		d.refusal = clean.Linef("it cannot be done by %s", strings.Join(reasons, "; "))
		d.remedy = clean.Linef("choose another means: %s", strings.Join(fits, ", "))
	default:
		d.refusal = clean.Linef("no means fits: %s", strings.Join(reasons, "; "))
		d.remedy = clean.Const("set deploy: of the service")
	}
	if len(d.selected) > 0 && slices.ContainsFunc(ways, func(w way) bool { return w.one && w.means == chosen }) {
		d.remedy = clean.Linef("change one target at a time: signalbox … --target %s", d.selected[0].Name)
	}
}

// offers reports that the source offers a verb.
func (d *draft) offers(v sources.Verb, on sources.Kind) bool { return offered(d.a, v, on) }

func offered(a Access, v sources.Verb, on sources.Kind) bool {
	return a.Set.Actor != nil && slices.ContainsFunc(a.Set.Actor.Actions(), func(s sources.ActionSpec) bool { return s.Verb == v && s.On == on })
}

// call is the call on a target of the provider, with what every means of the change has in common.
func (d *draft) call(v sources.Verb, target sources.Ref, rev sources.Revision, fields map[string]string) sources.Call {
	all := map[string]string{sources.FieldVersion: d.want.SHA}
	if !d.all {
		all[sources.FieldTargets] = strings.Join(names(d.selected), ",")
	}
	maps.Copy(all, fields)
	return sources.Call{Verb: v, Target: target, Revision: rev, Identity: d.a.Identity, Text: d.q.Text, Fields: all}
}

// byApproval approves a run that waits at the environment's gate with exactly the version.
func (d *draft) byApproval(ctx context.Context) way {
	if !d.offers(sources.Approve, sources.KindRun) {
		return unfit(ByApproval, "the source cannot approve")
	}
	why := clean.Linef("no run waits at its gate with %s", d.want.Short())
	var refs []sources.Ref
	for _, g := range d.env.Gates {
		switch {
		case !g.Version.Same(d.want) || slices.Contains(refs, g.Run):
		case g.Unverified:
			why = clean.Const("nothing trustworthy says which version the waiting run would deploy")
		case !g.Blocked.IsZero():
			why = g.Blocked
		case !g.CanApprove:
			why = clean.Linef("its gate is for %s to approve", reviewers(g))
		default:
			refs = append(refs, g.Run)
		}
	}
	switch len(refs) {
	case 0:
		return way{means: ByApproval, why: why}
	case 1:
	default:
		return unfit(ByApproval, "%d runs wait with %s: reject all but one", len(refs), d.want.Short())
	}
	run, err := d.run(ctx, refs[0])
	if err != nil {
		return unfit(ByApproval, "the waiting run cannot be read: %s", errorText(err))
	}
	return d.approval(run)
}

// approval approves what a run waits for in the environment.
func (d *draft) approval(run *sources.Run) way {
	var gates []string
	for _, g := range run.Gates {
		if g.CanApprove && slices.ContainsFunc(d.env.Gates, func(o sources.Gate) bool { return o.Run == run.Ref && o.Environment == g.Environment }) {
			gates = append(gates, g.Environment)
		}
	}
	wanted := map[string]bool{}
	for _, t := range d.selected {
		wanted[d.provider(t.Name)] = true
	}
	gates = slices.DeleteFunc(gates, func(g string) bool { return !wanted[g] })
	switch {
	case len(gates) == 0:
		return unfit(ByApproval, "run %d waits there no more", run.Number)
	case len(gates) < len(wanted):
		return unfit(ByApproval, "run %d waits only for %s", run.Number, strings.Join(gates, ", "))
	case !d.perTarget() && !d.all:
		return unfit(ByApproval, "its gate is for all of %s", d.env.Name)
	}
	slices.Sort(gates)
	w := way{means: ByApproval, run: run}
	w.call = d.call(sources.Approve, run.Ref, run.Revision, map[string]string{
		sources.FieldEnvironments: strings.Join(gates, ","), sources.FieldPlace: d.env.Ref.ID,
	})
	return w
}

func reviewers(g sources.Gate) string {
	if len(g.Reviewers) == 0 {
		return "others"
	}
	out := make([]string, 0, len(g.Reviewers))
	for _, r := range g.Reviewers {
		out = append(out, r.String())
	}
	return strings.Join(out, ", ")
}

// run re-reads a run.
func (d *draft) run(ctx context.Context, ref sources.Ref) (*sources.Run, error) {
	obj, err := d.a.Set.Actor.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	switch r := obj.(type) {
	case sources.Run:
		return &r, nil
	case *sources.Run:
		return r, nil
	}
	return nil, &sources.Error{Kind: sources.Invalid, Op: "read", Scope: ref.String(), Msg: "it is no run"}
}

// byWorkflow dispatches the configured workflow. One request starts one run, so it must be one that covers
// every target that is meant, and no other.
func (d *draft) byWorkflow() way {
	switch {
	case d.svc.Workflow == "":
		return unfit(ByWorkflow, "no workflow is configured")
	case !d.offers(sources.Dispatch, sources.KindEnvironment):
		return unfit(ByWorkflow, "the source cannot dispatch a workflow")
	}
	ref := d.svc.Ref
	if ref == "" {
		ref = d.branch()
	}
	if ref == "" {
		return unfit(ByWorkflow, "which branch the workflow is taken from is not known: set deploy.ref")
	}
	target := ""
	switch single := d.single(); {
	case single && len(d.selected) != 1:
		return unfit(ByWorkflow, "one dispatch deploys to one target: name %s", strings.Join(names(d.selected), " or ")).forOne()
	case single:
		target = d.selected[0].Name
	case !d.all:
		return unfit(ByWorkflow, "its inputs name no target, so it would deploy to all of %s", d.env.Name)
	}
	version := d.want.Tag.String()
	if version == "" {
		version = d.want.SHA
	}
	fill := strings.NewReplacer("{{env}}", d.env.Name, "{{target}}", target, "{{sha}}", d.want.SHA, "{{version}}", version)
	fields := map[string]string{sources.FieldWorkflow: d.svc.Workflow, sources.FieldRef: ref}
	if d.svc.Marker != "" {
		fields[sources.FieldMarker] = d.svc.Marker
	}
	carries := false
	for name, value := range d.svc.Inputs {
		fields[sources.FieldInput+name] = fill.Replace(value)
		carries = carries || strings.Contains(value, "{{sha}}") || strings.Contains(value, "{{version}}")
	}
	if !carries {
		return unfit(ByWorkflow, "none of its inputs carries the version: set deploy.inputs")
	}
	return way{means: ByWorkflow, call: d.call(sources.Dispatch, d.env.Ref, d.env.Revision, fields)}
}

// single reports that the workflow deploys to one target at a time.
func (d *draft) single() bool {
	for _, v := range d.svc.Inputs {
		if strings.Contains(v, "{{target}}") {
			return true
		}
	}
	return false
}

// decides reports that a request to approve or reject is about a gate.
func decides(q Request, gate string) bool {
	list := q.Fields[sources.FieldEnvironments]
	return list == "" || slices.Contains(strings.Split(list, ","), gate)
}

// branch is the repository's default branch; "" when nobody tells.
func (d *draft) branch() string {
	if d.env.Branch != "" {
		return d.env.Branch
	}
	for r := range d.snap.Runs() {
		if r.Default && r.Ref.Source == d.env.Ref.Source && r.Ref.Scope == d.env.Ref.Scope {
			return r.Branch.String()
		}
	}
	return ""
}

// byDeployment files a deployment, where somebody was seen to carry out such before.
func (d *draft) byDeployment() way {
	switch {
	case !d.offers(sources.Deploy, sources.KindEnvironment):
		return unfit(ByDeployment, "the source cannot file a deployment")
	case d.perTarget() && len(d.selected) != 1:
		return unfit(ByDeployment, "a deployment is for one target: name %s", strings.Join(names(d.selected), " or ")).forOne()
	case !d.perTarget() && !d.all:
		return unfit(ByDeployment, "a deployment is for all of %s", d.env.Name)
	}
	for i := range d.env.History {
		if h := &d.env.History[i]; h.Listened && d.reaches(h) {
			w := way{means: ByDeployment, call: d.call(sources.Deploy, d.env.Ref, d.env.Revision, nil)}
			w.lines = append(w.lines, clean.Linef("it is carried out by whoever carried out the deployment of %s", h.Created.UTC().Format("2006-01-02 15:04 UTC")))
			return w
		}
	}
	return unfit(ByDeployment, "nobody was seen to carry out a deployment that somebody filed")
}

// byRerun runs the run again that last put the version there.
func (d *draft) byRerun(ctx context.Context) way {
	switch {
	case d.q.Verb != sources.Rollback:
		return unfit(ByRerun, "it puts back what ran before: that is a rollback")
	case !d.offers(sources.RerunAll, sources.KindRun):
		return unfit(ByRerun, "the source cannot run a run again")
	}
	ref, ok := d.deliverer()
	if !ok {
		return unfit(ByRerun, "no run is known to have put %s in %s", d.want.Short(), d.place())
	}
	run, err := d.run(ctx, ref)
	switch {
	case err != nil:
		return unfit(ByRerun, "the run that put it there cannot be read: %s", errorText(err))
	case d.now.Sub(run.Created) > rerunsFor:
		return unfit(ByRerun, "run %d is older than 30 days", run.Number)
	case !run.State.Done():
		return unfit(ByRerun, "run %d has not ended", run.Number)
	}
	w := way{means: ByRerun, run: run, call: d.call(sources.RerunAll, run.Ref, run.Revision, map[string]string{sources.FieldPlace: d.env.Ref.ID})}
	w.lines = append(w.lines, clean.Linef("runs run %d again as it was: it reverts neither configuration nor migrations", run.Number))
	for e := range d.snap.Environments() {
		if e.Ref != d.env.Ref && e.Ref.Source == ref.Source && slices.ContainsFunc(e.History, func(h sources.Deployment) bool { return h.Run == ref }) {
			w.lines = append(w.lines, clean.Linef("it deployed to %s/%s as well, and will again", e.Service, e.Name))
			if e.Prod {
				w.prod = e.Service + "/" + e.Name
			}
		}
	}
	return w
}

// deliverer is the newest run that put the version into every target that it is done to.
func (d *draft) deliverer() (sources.Ref, bool) {
	reached := map[sources.Ref]map[string]bool{}
	for i := range d.env.History {
		h := &d.env.History[i]
		good := h.State == sources.StatePassed || h.State == sources.StateSuperseded && !h.Unproven
		if h.Run.IsZero() || !good || !h.Verified || !h.Version.Same(d.want) {
			continue
		}
		if reached[h.Run] == nil {
			reached[h.Run] = map[string]bool{}
		}
		for _, t := range d.selected {
			if h.Target == "" || h.Target == t.Name {
				reached[h.Run][t.Name] = true
			}
		}
		if len(reached[h.Run]) == len(d.selected) {
			return h.Run, true
		}
	}
	return sources.Ref{}, false
}
