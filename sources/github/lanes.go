package github

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// byFiles tells a push's deployment by the files of its commit, when these are of one service alone. These
// were read before: see readFiles.
func (l *laneList) byFiles(able []int, name string, r *record) []int {
	var hit []int
	if r.origin == nil || !isDispatch(r.origin.event) {
		l.mu.Lock()
		files := l.touched[r.SHA]
		l.mu.Unlock()
		for _, si := range able {
			if paths := l.services[si].Paths; len(paths) > 0 && touches(paths, files) {
				hit = append(hit, si)
			}
		}
	}
	if len(hit) == 1 {
		return hit
	}
	l.mu.Lock()
	l.unclear[r.ID] = able
	l.mu.Unlock()
	all := make([]string, len(able))
	for i, si := range able {
		all[i] = l.services[si].Name
	}
	l.notices.add(sources.Notice{
		Scope: l.scope, Kind: sources.Invalid,
		Text: clean.Line("deployments to " + name + " do not tell whose they are: " + strings.Join(all, ", ")),
		Fix:  clean.Const("give each service environments of its own, or name its jobs in deploys:"),
	})
	return nil
}

// lane is an environment in the making, with the records behind its deployments.
type lane struct {
	sources.Environment
	spec    sources.ServiceSpec
	records []*record // as History
	stands  []stand   // as Targets
}

// stand is how one target stands, as indices into the lane's History.
type stand struct {
	runs  int   // what runs there; -1: nothing is known to
	since []int // what was tried since, newest first
}

// lanes builds each service's stages from the records.
func (l *laneList) lanes(ctx context.Context) []*lane {
	var out []*lane
	for si, sp := range l.services {
		if !l.wants(si) {
			continue
		}
		for ei, env := range sp.Environments {
			e := &lane{spec: sp, Environment: sources.Environment{
				Ref:     sources.Ref{Source: l.s.env.Source, Kind: sources.KindEnvironment, Scope: l.scope, ID: sp.Name + "/" + env.Name},
				Service: sp.Name, Name: env.Name, Order: ei, Prod: env.Prod, Ahead: -1, Branch: clean.Line(l.about.DefaultBranch).String(),
			}}
			if ei > 0 {
				e.Previous = sp.Environments[ei-1].Name
			}
			l.fill(ctx, e, si, ei)
			out = append(out, e)
		}
	}
	return out
}

// fill adds the history of a stage: a record that is of several targets is in it once.
func (l *laneList) fill(ctx context.Context, e *lane, service, stage int) {
	seen := map[int64]int{}
	var providers []string
	for _, p := range l.places {
		if p.service != service || p.stage != stage {
			continue
		}
		if !slices.Contains(providers, p.name) {
			providers = append(providers, p.name)
		}
		e.Targets = append(e.Targets, sources.Target{Name: p.target})
		e.stands = append(e.stands, l.follow(ctx, e, p, seen))
	}
	e.Provider = clean.Line(strings.Join(providers, ", ")).String()
	if len(providers) == 1 && l.about.HTMLURL != "" {
		e.URL = webAddress(l.about.HTMLURL + "/deployments/" + escape(providers[0]))
	} else if l.about.HTMLURL != "" {
		e.URL = webAddress(l.about.HTMLURL + "/deployments")
	}
	for _, w := range l.waiting {
		pseudo := &record{wireDeployment: wireDeployment{Ref: w.run.Branch.String(), SHA: w.origin.sha}, origin: &w.origin}
		for _, g := range w.gates {
			if slices.Contains(providers, g.Environment) && slices.Contains(l.owners(g.Environment, pseudo), service) {
				j := l.versions.judge(beforehand(e.spec), pseudo, nil)
				g.Version, g.Unverified = j.version, !j.verified || j.mismatch
				e.Gates = append(e.Gates, g)
			}
		}
	}
}

// beforehand is a spec without the evidence that there is only once something runs.
func beforehand(sp sources.ServiceSpec) sources.ServiceSpec {
	if sp.VersionFrom.URL != "" || sp.VersionFrom.Payload != "" {
		sp.VersionFrom = sources.VersionFrom{}
	}
	return sp
}

// follow goes through one place's records, newest first, adds them to the history, and finds what runs
// there: the newest that succeeded. One that is inactive ended the place, unless GitHub swept it away for a
// record that is none of the place's: then it still runs. Nothing older than what ended the place runs,
// but what was declared to run again since.
func (l *laneList) follow(ctx context.Context, e *lane, p place, seen map[int64]int) stand {
	s := stand{runs: -1}
	recs := l.records[p.name]
	var over bool       // the search is over: nothing older runs …
	var until time.Time // … but what succeeded after this
	var doubt bool      // a newer one may be the place's, and nothing tells
	for i := range recs {
		r := &recs[i]
		if !l.counts(p, r) {
			_, did := r.state()
			doubt = doubt || did && s.runs < 0 && slices.Contains(l.unclear[r.ID], p.service)
			continue
		}
		state, succeeded := standing(r, recs[:i], over, l.q.Now)
		at := l.record(ctx, e, p, r, state, seen)
		switch {
		case s.runs >= 0:
		case state == sources.StatePassed && (!over || !r.statuses[0].CreatedAt.Before(until)):
			s.runs, over = at, true
		case over:
		case succeeded && state == sources.StateSuperseded:
			over, until = true, r.statuses[0].CreatedAt.Time
		default:
			s.since = append(s.since, at)
		}
	}
	if doubt && s.runs >= 0 {
		e.History[s.runs].Verified = false
	}
	return s
}

// standing is how a record stands for one place: newer are the records of its environment, and replaced
// says that one of them took its place there. An attempt that failed stays one. One that was swept away
// before it ended is believed to go on for as long as one without any status is.
func standing(r *record, newer []record, replaced bool, now time.Time) (s sources.State, succeeded bool) {
	s, succeeded = r.state()
	said := r.said()
	if s != sources.StateSuperseded || len(said) == 0 {
		return s, succeeded
	}
	was := deploymentState(said[0].State)
	switch {
	case was == sources.StateFailed:
		return was, succeeded
	case replaced || !r.swept(newer) || !was.Done() && now.Sub(r.statuses[0].CreatedAt.Time) > unheard:
		return s, succeeded
	default:
		return was, succeeded
	}
}

// record adds a place's record to the history, once, and returns its index. A record of several targets
// runs when it does in one of them.
func (l *laneList) record(ctx context.Context, e *lane, p place, r *record, state sources.State, seen map[int64]int) int {
	if at, known := seen[r.ID]; known {
		d := &e.History[at]
		if state != d.State && d.State == sources.StateSuperseded {
			again := l.deployment(ctx, r, state, l.q.Now)
			d.State, d.Reason, d.Revision, d.URL, d.Ended = again.State, again.Reason, again.Revision, again.URL, again.Ended
			d.Unproven = again.Unproven
		}
		d.Target = "" // it is of more than one
		return at
	}
	at := len(e.History)
	seen[r.ID] = at
	d := l.deployment(ctx, r, state, l.q.Now)
	d.Target = p.target
	j := l.versions.judge(e.spec, r, nil)
	d.Version, d.Evidence, d.Verified, d.Mismatch = j.version, j.evidence, j.verified, j.mismatch
	e.History, e.records = append(e.History, d), append(e.records, r)
	return at
}

// askServices asks the running services for their versions, where `version_from:` says so.
func (l *laneList) askServices(ctx context.Context, envs []*lane) {
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, e := range envs {
		if e.spec.VersionFrom.URL == "" {
			continue
		}
		g.Go(func() error {
			l.askService(ctx, e)
			return nil
		})
	}
	_ = g.Wait()
}

// askService asks for one stage. One record that several targets share stays unverified when they
// disagree, and says so.
func (l *laneList) askService(ctx context.Context, e *lane) {
	asked := map[int]*sources.Evidence{}
	for ti, t := range e.Targets {
		at := e.stands[ti].runs
		if at < 0 {
			continue
		}
		ev, err := l.s.askVersion(ctx, e.spec.VersionFrom, e.Service, e.Name, t.Name)
		if err != nil {
			x := httpx.Explain("", "", err)
			l.notices.add(sources.Notice{
				Scope: l.scope, Kind: x.Kind, Fix: clean.Line(x.Fix),
				Text: clean.Line(fmt.Sprintf("%s does not tell its version: %s", strings.TrimSuffix(e.Service+"/"+e.Name+" "+t.Name, " "), x.Msg)),
			})
			continue
		}
		d := &e.History[at]
		j := l.versions.judge(e.spec, e.records[at], ev)
		if other := asked[at]; other != nil && !other.Version.Same(ev.Version) {
			d.Evidence = append([]sources.Evidence{j.evidence[0]}, d.Evidence...)
			d.Mismatch, d.Verified = true, false
			continue
		}
		asked[at] = ev
		d.Version, d.Evidence, d.Verified, d.Mismatch = j.version, j.evidence, j.verified, j.mismatch
		httpx.Note(ctx, fmt.Sprint("runs ", d.Ref, ev.Version))
	}
}

// finish points the targets at the history, and sums up the lane.
func (l *laneList) finish(_ context.Context, e *lane) {
	order := make([]int, len(e.History))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return e.History[b].Created.Compare(e.History[a].Created) })
	sorted := make([]sources.Deployment, len(order))
	place := make([]int, len(order))
	for to, from := range order {
		sorted[to], place[from] = e.History[from], to
	}
	e.History = sorted
	var rev strings.Builder
	for ti := range e.Targets {
		point(&e.Targets[ti], e.History, e.stands[ti], place)
		for _, d := range []*sources.Deployment{e.Targets[ti].Current, e.Targets[ti].Arriving, e.Targets[ti].Failed} {
			if d == nil {
				rev.WriteString("-;")
				continue
			}
			fmt.Fprintf(&rev, "%s %s %s%s;", d.Ref.ID, d.Revision, d.Version.SHA, d.Version.Tag)
		}
	}
	for _, g := range e.Gates {
		fmt.Fprintf(&rev, "%s:%d:%t;", g.Run.ID, g.EnvironmentID, g.CanApprove)
	}
	e.Revision = sources.Revision(rev.String())
}

// point sets what runs, what arrives and what failed; place is where in history an index of the stand is.
func point(t *sources.Target, history []sources.Deployment, s stand, place []int) {
	if s.runs >= 0 {
		t.Current = &history[place[s.runs]]
	}
	for _, at := range s.since {
		d := &history[place[at]]
		switch d.State {
		case sources.StateQueued, sources.StateWaiting, sources.StateRunning:
			if t.Arriving == nil {
				t.Arriving = d
			}
		case sources.StateFailed:
			if t.Failed == nil {
				t.Failed = d
			}
		case sources.StatePassed, sources.StateUnknown, sources.StateCancelled, sources.StateSkipped, sources.StateSuperseded:
		}
	}
}

// distances counts the commits between adjacent stages.
func (l *laneList) distances(ctx context.Context, envs []*lane) error {
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, e := range envs {
		if e.Previous == "" || i == 0 {
			continue
		}
		from, to := behindest(e.Targets), behindest(envs[i-1].Targets)
		if from == nil || to == nil || !from.Verified || !to.Verified {
			continue
		}
		if from.Version.Same(to.Version) {
			e.Ahead = 0
			continue
		}
		base, head := versionName(from.Version), versionName(to.Version)
		if base == "" || head == "" {
			continue
		}
		g.Go(func() error {
			c, err := l.compare(ctx, base, head, e.spec.Paths)
			if err != nil {
				return l.optional(&l.notices, fmt.Sprintf("%s cannot be compared with %s", e.Name, e.Previous), err)
			}
			e.Ahead, e.Behind = c.Ahead, c.Behind
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("compare environments: %w", err)
	}
	return nil
}

// behindest is what runs in the target that was deployed longest ago.
func behindest(ts []sources.Target) *sources.Deployment {
	var oldest *sources.Deployment
	for _, t := range ts {
		if t.Current == nil {
			return nil
		}
		if oldest == nil || t.Current.Created.Before(oldest.Created) {
			oldest = t.Current
		}
	}
	return oldest
}

// versionName is what GitHub knows a version by.
func versionName(v sources.Version) string { return firstOf(v.SHA, v.Tag.String()) }
