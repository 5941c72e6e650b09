package action

import (
	"context"
	"math"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
)

// common are the facts that every action has.
func (r *Runner) common(s *store.Snapshot, q Request, service string, a Access) policy.Facts {
	f := policy.Facts{
		Action: q.Verb, Now: r.o.Now(), Who: a.Identity, Service: service, ReadOnly: r.o.ReadOnly(), Bulk: q.Bulk, CanCosign: r.o.CanCosign,
	}
	if r.o.Roles != nil {
		f.Roles = r.o.Roles(a.Identity)
	}
	if svc := s.Catalog.Service(service); svc != nil {
		f.Team, f.Discovered = svc.Team, svc.Discovered
	}
	f.IncidentsKnown, f.MonitorsKnown = answered(s, store.Incidents), answered(s, store.Monitors)
	if service == "" {
		return f
	}
	r.incidents(s, &f)
	for m := range s.Monitors() {
		if m.Service == service {
			f.Monitors = append(f.Monitors, policy.MonitorFacts{Name: m.Name.String(), State: m.State.String(), Muted: len(m.Silenced) > 0})
		}
	}
	if r.o.Service != nil {
		if svc, ok := r.o.Service(service); ok {
			f.NoIncidentSource, f.NoObjective = !svc.Incidents, !svc.Objectives
		}
	}
	f.SLO = tightest(s, service)
	f.Metrics = fresh(s, service, f.Now)
	f.Age, f.AgeKnown = r.age(s, service)
	return f
}

// incidents adds the open incidents of the service, and of those that it depends on.
func (r *Runner) incidents(s *store.Snapshot, f *policy.Facts) {
	upstream := upstreamOf(s.Catalog, f.Service)
	seen := map[sources.Ref]bool{}
	for i := range s.Incidents() {
		above := slices.Contains(upstream, i.Service)
		if i.State == sources.Resolved || i.Service != f.Service && !above || seen[i.Ref] {
			continue
		}
		seen[i.Ref] = true
		f.Incidents = append(f.Incidents, policy.IncidentFacts{
			Severity: i.Severity, Low: i.Low, State: i.State.String(), Service: i.Service, Title: i.Title.String(), Age: max(0, f.Now.Sub(i.Created)), Upstream: above,
		})
	}
}

// upstreamOf are the services that one depends on, also by way of others.
func upstreamOf(c *store.Catalog, service string) []string {
	var out []string
	for at := -1; at < len(out); at++ {
		name := service
		if at >= 0 {
			name = out[at]
		}
		svc := c.Service(name)
		if svc == nil {
			continue
		}
		for _, up := range svc.DependsOn {
			if up != service && !slices.Contains(out, up) {
				out = append(out, up)
			}
		}
	}
	return out
}

// tightest is the objective of a service of whose budget the least is left; nil when none tells.
func tightest(s *store.Snapshot, service string) *policy.SLOFacts {
	var out *policy.SLOFacts
	for f := range s.FeedsOf(store.SLOs) {
		if f.Health.Staleness(s.At) == store.VeryStale {
			continue
		}
		for i := range f.SLOs {
			o := &f.SLOs[i]
			if o.Service != service || !o.Budget.Known() || out != nil && float64(o.Budget) >= out.Remaining {
				continue
			}
			out = &policy.SLOFacts{Name: o.Name.String(), Remaining: float64(o.Budget)}
			shortest := time.Duration(math.MaxInt64)
			for _, b := range o.Burns {
				if b.Rate.Known() && b.Over < shortest {
					shortest, out.Burn, out.BurnKnown = b.Over, float64(b.Rate), true
				}
			}
		}
	}
	return out
}

// fresh are the newest values of a service's metrics, of those that are no older than a verdict may rest on.
func fresh(s *store.Snapshot, service string, now time.Time) map[string]float64 {
	out := map[string]float64{}
	for _, c := range insight.Charts(s, service, now).Charts {
		if c.Old || math.IsNaN(c.Value) || s.Feeds[c.Feed].Health.Staleness(now) == store.VeryStale {
			continue
		}
		name := c.Series.Name.String()
		if !c.Series.Labels.IsZero() {
			name += "{" + c.Series.Labels.String() + "}"
		}
		out[name] = c.Value
	}
	return out
}

// age is how old the oldest data is that the gates rest on: what was not read again just now. It is not known
// while one of these has never answered.
func (r *Runner) age(s *store.Snapshot, service string) (time.Duration, bool) {
	svc := s.Catalog.Service(service)
	var oldest time.Time
	for i := range s.Feeds {
		f := &s.Feeds[i]
		relevant := false
		switch f.Key.Capability {
		case store.Runs:
			relevant = svc != nil && f.Key.Source == svc.Source && f.Key.Scope == svc.Repo
		case store.Incidents, store.Monitors:
			relevant = f.Key.Scope == "" || f.Key.Scope == service
		case store.Metrics:
			relevant = f.Key.Scope == service
		case store.Environments, store.Releases, store.SLOs, store.Shifts, store.Changes, store.Past:
		}
		if !relevant {
			continue
		}
		if f.Health.LastGood.IsZero() {
			return 0, false
		}
		if oldest.IsZero() || f.Health.LastGood.Before(oldest) {
			oldest = f.Health.LastGood
		}
	}
	if oldest.IsZero() {
		return 0, false
	}
	return max(0, r.o.Now().Sub(oldest)), true
}

// facts are what the gates may look at of a change.
func (d *draft) facts(ctx context.Context) policy.Facts {
	f := d.common(d.snap, d.q, d.env.Service, d.a)
	e := &policy.EnvironmentFacts{Name: d.env.Name, Prod: d.env.Prod, Targets: names(d.selected), Busy: d.queue.text(), BusyKnown: d.queue.known}
	if c := running(d.selected); c != nil {
		e.Since = max(0, d.now.Sub(ended(c)))
	}
	f.Environment = e
	f.FirstStage = d.env.Previous == ""
	f.From = d.from()
	f.Deployments = d.deployments()
	if !d.want.IsZero() {
		f.Version = d.version()
		f.Checks, f.Unchecked = d.checks(ctx)
	}
	return f
}

// version are the facts of the version that would run.
func (d *draft) version() *policy.VersionFacts {
	v := &policy.VersionFacts{
		SHA: d.want.SHA, Tag: d.want.Tag.String(), Older: d.between.older, Commits: d.between.count, Flags: d.flags(), Returns: d.returns.what,
		RolledBack: d.rolledBack(),
	}
	v.Migrations, v.MigrationsKnown = d.migrations()
	for i := range d.candidates {
		c := &d.candidates[i]
		if !c.Version.Same(d.want) {
			continue
		}
		v.KnownGood = c.Good
		if c.Ran && c.Deployment.Verified && !c.Good { // an attempt that failed says nothing of the version
			v.KnownBad = c.Why.String()
		}
	}
	return v
}

// from is what is known of the version in the environment before.
func (d *draft) from() *policy.StageFacts {
	if d.prev == nil || d.want.IsZero() {
		return nil
	}
	out := &policy.StageFacts{Name: d.prev.Name}
	for _, c := range insight.Candidates(d.snap, d.prev, nil) {
		if !c.Version.Same(d.want) || !c.Ran {
			continue
		}
		until := c.Until
		if until.IsZero() {
			until = d.now
		}
		out.Age = max(0, until.Sub(c.From))
		out.Known, out.Healthy = answered(d.snap, store.Incidents), c.Good && len(c.Incidents) == 0
	}
	for _, t := range d.prev.Targets { // one that got it later has run it for less
		if t.Current != nil && t.Current.Version.Same(d.want) {
			out.Age = min(out.Age, max(0, d.now.Sub(ended(t.Current))))
		}
	}
	return out
}

// deployments counts what was deployed there.
func (d *draft) deployments() *policy.DeploymentFacts {
	out := &policy.DeploymentFacts{}
	y, m, day := d.now.Date()
	today := time.Date(y, m, day, 0, 0, 0, 0, d.now.Location())
	for _, r := range insight.Rollouts(&d.env) {
		if d.now.Sub(r.At) < time.Hour {
			out.LastHour++
		}
		if !r.At.Before(today) {
			out.Today++
			if r.Failed {
				out.Failed++
			}
		}
	}
	return out
}

// rolledBack is how many rollbacks in a row the last changes there were: by the environment's history, and by
// the journal, which knows of those that the history does not show yet.
func (d *draft) rolledBack() int {
	n := 0
	if d.o.Records != nil {
		var last time.Time
		rollbacks := map[string]time.Time{}
		for r, err := range d.o.Records() {
			if err != nil {
				break
			}
			if r.Target != d.env.Ref || r.Plan == "" {
				continue
			}
			switch {
			case r.Verb == sources.Rollback && r.Stage == journal.Intended:
				rollbacks[r.Plan] = r.At
				n, last = n+1, r.At
			case r.Verb == sources.Rollback && (r.Stage == journal.Failed || r.Stage == journal.Superseded) && !rollbacks[r.Plan].IsZero():
				n = max(0, n-1)
			case r.Verb == sources.Promote && r.Stage == journal.Verified:
				n = 0
			}
		}
		if all := insight.Rollouts(&d.env); n > 0 && len(all) > 0 && all[0].At.After(last) && insight.RolledBack(&d.env, d.targetNames()) == 0 {
			n = 0 // something newer came since
		}
	}
	return max(n, insight.RolledBack(&d.env, d.targetNames()))
}

// checks are how CI judges exactly the version's commit, besides the run that the action is on, and dispatched
// deployments, which judge nothing. Nil: not known, for the reason that the error gives.
func (d *draft) checks(ctx context.Context) (*policy.CheckFacts, error) {
	if d.a.Set.Checks == nil || d.want.SHA == "" {
		return nil, nil //nolint:nilnil // there is nobody, or nothing, to ask
	}
	list, err := d.a.Set.Checks.ListChecks(ctx, d.env.Ref.Scope, d.want.SHA)
	if err != nil {
		d.o.Log.Info("list checks", "scope", d.env.Ref.Scope, "err", err)
		return nil, err
	}
	own := d.own()
	out := &policy.CheckFacts{}
	for _, c := range list {
		deploys := c.Event == "workflow_dispatch" && d.deploysBy(c.Path)
		if deploys || own != nil && c.Run == own.Ref {
			continue
		}
		switch c.State {
		case sources.StatePassed:
			out.Passed++
		case sources.StateSkipped, sources.StateSuperseded:
		case sources.StateFailed, sources.StateCancelled:
			out.Failed++
			out.Names = append(out.Names, c.Name.String())
		case sources.StateQueued, sources.StateWaiting, sources.StateRunning, sources.StateUnknown:
			out.Running++
			out.Names = append(out.Names, c.Name.String())
		}
	}
	if own != nil && own.Commit.SHA == d.want.SHA && out.Passed+out.Failed+out.Running == 0 {
		// One pipeline that builds, tests and deploys: what it waits with has come through its other jobs.
		switch j := own.Jobs; {
		case j.Failed > 0:
			out.Failed, out.Names = 1, []string{own.Workflow.String()}
		case j.Done > 0 && j.Running == 0:
			out.Passed = 1
		}
	}
	return out, nil
}

// own is the run that the action is on; nil for none.
func (d *draft) own() *sources.Run {
	if d.way != nil && d.way.run != nil {
		return d.way.run
	}
	return d.itself
}
