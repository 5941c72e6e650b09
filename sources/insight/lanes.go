package insight

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// Outcome is how the newest deployment to an environment ended, over all its targets.
type Outcome uint8

// The outcomes.
const (
	OutcomeNone    Outcome = iota // nothing is known to have been deployed
	Deployed                      // every target that has a version got it
	Half                          // some targets failed, or they run different versions
	DeployFailed                  // the newest attempt failed everywhere
	Arriving                      // one is on its way
	DeployWaiting                 // one waits for a person or for its turn
	OutcomeUnknown                // the provider said something that signalbox does not know
)

// TargetMark is one target of a cell.
type TargetMark struct {
	Name  string
	State sources.State // of the newest deployment to it; StateSkipped when nothing was ever deployed to it
}

// Cell is one service in one environment.
type Cell struct {
	Env     *sources.Environment // nil: nothing is known
	Feed    int                  // the index of its feed in the snapshot
	Outcome Outcome
	Version sources.Version // what runs, the newest where targets differ; zero when nothing is known to run
	Since   time.Time       // since when
	Mixed   bool            // its targets run different versions
	// Arriving is what is on its way, Run the run that brings it (nil when it is not listed).
	Arriving *sources.Deployment
	Run      *sources.Run
	Failed   *sources.Deployment // the newest attempt that failed since
	Targets  []TargetMark        // none when there is one unnamed target
	Verified bool
	Mismatch bool
}

// Lane is one service on its way to production.
type Lane struct {
	Service    string
	Discovered bool
	Cells      []Cell // one for each of the board's Stages; Env is nil where the service has none
	// Last is the index of the cell that speaks for the lane: its production, else the last stage that
	// something is known of; -1 when there is none.
	Last    int
	Next    []Next
	Release *sources.Release // the newest one of a service without environments
	Feed    int              // of Release; -1 when there is none
	Empty   Emptiness        // why there is nothing in Cells, when there is nothing
	Ahead   int              // with NothingInProd: commits that wait; -1 unknown
	URL     string
}

// Emptiness is why a lane shows no version in its last stage.
type Emptiness uint8

// The reasons.
const (
	NotEmpty       Emptiness = iota
	LaneLoading              // its feed has not answered yet
	NothingYet               // environments are known and nothing was deployed to them
	NoEnvironments           // it is a library: its releases are its lane
	NoDeployFeed             // its source reads no deployments
)

// NextKind is what a lane says of what comes next.
type NextKind uint8

// The kinds, most urgent first.
const (
	NextMismatch   NextKind = iota // two pieces of evidence disagree on the version
	NextGate                       // an approval is pending
	NextRollback                   // the newest version known good, while the current one is not whole
	NextUnverified                 // nothing trustworthy confirms the version
	NextAhead                      // so many commits wait
	NextBehind                     // so many commits are here and not in the stage before: a hotfix
)

// Next is one thing that a lane says of what comes next.
type Next struct {
	Kind    NextKind
	Version sources.Version // NextRollback
	Commits int             // NextGate, NextAhead and NextBehind; -1 unknown
	Gate    *sources.Gate   // NextGate
}

// Deployments are the lanes of the board.
type Deployments struct {
	Stages []Stage
	Lanes  []Lane
	// Today counts the deployments that were started since the day began, TodayFailed those of them that
	// failed.
	Today, TodayFailed int
}

// Stage is a column: environments of one name.
type Stage struct {
	Name string
	Prod bool
}

// DeriveDeployments makes the lanes of s. The lanes stand in the order of the config, what was discovered
// after it by name: a lane never moves, whatever happens in it. day is when today began.
func DeriveDeployments(s *store.Snapshot, v View, day time.Time) Deployments {
	d := laneDeriver{snap: s, view: v, index: indexOf(s.Catalog), lanes: map[string]*laneData{}}
	d.collect()
	out := Deployments{Stages: d.stages()}
	for _, name := range d.names() {
		l := d.lane(name, out.Stages)
		if !d.admits(&l) {
			continue
		}
		out.Lanes = append(out.Lanes, l)
		for i := range l.Cells {
			if e := l.Cells[i].Env; e != nil {
				countToday(e, day, &out)
			}
		}
	}
	return out
}

func countToday(e *sources.Environment, day time.Time, out *Deployments) {
	for i := range e.History {
		h := &e.History[i]
		if h.Created.Before(day) {
			continue
		}
		out.Today++
		if h.State == sources.StateFailed {
			out.TodayFailed++
		}
	}
}

type laneData struct {
	envs    []envAt
	release *sources.Release
	relFeed int
}

type envAt struct {
	env  *sources.Environment
	feed int
}

type laneDeriver struct {
	snap  *store.Snapshot
	view  View
	index index
	lanes map[string]*laneData
	runs  map[sources.Ref]*sources.Run // those that an arriving deployment names
}

func (d *laneDeriver) data(service string) *laneData {
	l := d.lanes[service]
	if l == nil {
		l = &laneData{relFeed: -1}
		d.lanes[service] = l
	}
	return l
}

func (d *laneDeriver) collect() {
	wanted := map[sources.Ref]*sources.Run{}
	for i := range d.snap.Feeds {
		f := &d.snap.Feeds[i]
		for j := range f.Environments {
			e := &f.Environments[j]
			l := d.data(e.Service)
			l.envs = append(l.envs, envAt{e, i})
			for _, t := range e.Targets {
				if t.Arriving != nil && !t.Arriving.Run.IsZero() {
					wanted[t.Arriving.Run] = nil
				}
			}
		}
		for j := range f.Releases {
			r := &f.Releases[j]
			l := d.data(d.releaseService(r))
			if !r.Draft && (l.release == nil || r.At.After(l.release.At)) {
				l.release, l.relFeed = r, i
			}
		}
	}
	if len(wanted) > 0 {
		d.findRuns(wanted)
	}
	for _, l := range d.lanes {
		slices.SortFunc(l.envs, func(a, b envAt) int {
			return cmp.Or(cmp.Compare(a.env.Order, b.env.Order), strings.Compare(a.env.Name, b.env.Name))
		})
	}
}

func (d *laneDeriver) findRuns(wanted map[sources.Ref]*sources.Run) {
	for i := range d.snap.Feeds {
		for j := range d.snap.Feeds[i].Runs {
			r := &d.snap.Feeds[i].Runs[j]
			if _, ok := wanted[r.Ref]; ok {
				wanted[r.Ref] = r
			}
		}
	}
	d.runs = wanted
}

// releaseService is the service of a release; one that none claims belongs to the only service of its
// repository.
func (d *laneDeriver) releaseService(r *sources.Release) string {
	if r.Service != "" {
		return r.Service
	}
	if in := d.index.byScope[scopeKey{r.Ref.Source, r.Ref.Scope}]; len(in) == 1 {
		return in[0].Name
	}
	return ""
}

// names are the services with a lane: the catalog's in its order, configured ones first, then those
// that only the data knows, by name.
func (d *laneDeriver) names() []string {
	names := make([]string, 0, len(d.snap.Catalog.Services))
	for _, discovered := range []bool{false, true} {
		for i := range d.snap.Catalog.Services {
			if s := &d.snap.Catalog.Services[i]; s.Discovered == discovered {
				names = append(names, s.Name)
			}
		}
	}
	known := len(names)
	for name := range d.lanes {
		if name != "" && d.index.byName[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names[known:])
	if d.view.Follow != "" {
		names = slices.DeleteFunc(names, func(n string) bool { return n != d.view.Follow })
	}
	return names
}

// admits applies Mine: a lane is mine when I made a deployment's run or may approve a gate of it.
func (d *laneDeriver) admits(l *Lane) bool {
	if d.view.Whose != Mine {
		return true
	}
	for i := range l.Cells {
		c := &l.Cells[i]
		if c.Run != nil && c.Run.Mine {
			return true
		}
		if c.Env != nil && slices.ContainsFunc(c.Env.Gates, func(g sources.Gate) bool { return g.CanApprove }) {
			return true
		}
	}
	return false
}

// stages merges the stages of all services into one order that contradicts none of theirs, as far as
// they agree: each new name goes right behind the one that precedes it in its own service. Production goes last.
func (d *laneDeriver) stages() []Stage {
	var order []string
	prod := map[string]bool{}
	add := func(names []string) {
		at := 0
		for _, n := range names {
			if i := slices.Index(order, n); i >= 0 {
				at = max(at, i+1)
				continue
			}
			order = slices.Insert(order, at, n)
			at++
		}
	}
	for _, discovered := range []bool{false, true} { // what is configured says where the rest goes
		for i := range d.snap.Catalog.Services {
			s := &d.snap.Catalog.Services[i]
			if s.Discovered == discovered && (d.view.Follow == "" || d.view.Follow == s.Name) {
				add(s.Environments)
			}
		}
	}
	for _, name := range d.names() {
		if l := d.lanes[name]; l != nil {
			var names []string
			for _, e := range l.envs {
				names = append(names, e.env.Name)
				if e.env.Prod {
					prod[e.env.Name] = true
				}
			}
			add(names)
		}
	}
	stages := make([]Stage, len(order))
	for i, n := range order {
		stages[i] = Stage{n, prod[n]}
	}
	slices.SortStableFunc(stages, func(a, b Stage) int { return cmp.Compare(b2i(a.Prod), b2i(b.Prod)) })
	return stages
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (d *laneDeriver) lane(name string, stages []Stage) Lane {
	l := Lane{Service: name, Cells: make([]Cell, len(stages)), Last: -1, Feed: -1, Ahead: -1}
	svc := d.index.byName[name]
	l.Discovered = svc == nil || svc.Discovered
	data := d.lanes[name]
	if data == nil {
		data = &laneData{relFeed: -1}
	}
	for _, e := range data.envs {
		i := slices.IndexFunc(stages, func(s Stage) bool { return s.Name == e.env.Name })
		if i >= 0 {
			l.Cells[i] = d.cell(e)
			l.Last = max(l.Last, i)
		}
	}
	if l.Last < 0 {
		l.Release, l.Feed = data.release, data.relFeed
		l.Empty = d.emptiness(svc)
		if l.Release != nil {
			l.URL = l.Release.URL
		}
		return l
	}
	last := &l.Cells[l.Last]
	l.URL = last.Env.URL
	if !slices.ContainsFunc(l.Cells, func(c Cell) bool { return !c.Version.IsZero() || c.Arriving != nil || c.Failed != nil }) {
		l.Empty = NothingYet
	}
	l.Ahead = last.Env.Ahead
	l.Next = nextOf(last)
	return l
}

// emptiness is why a service has no environment in the snapshot.
func (d *laneDeriver) emptiness(svc *store.Service) Emptiness {
	if svc == nil {
		return NoEnvironments
	}
	reads := false
	for i := range d.snap.Feeds {
		f := &d.snap.Feeds[i]
		if f.Key.Capability != store.Environments || f.Key.Source != svc.Source || f.Key.Scope != svc.Repo {
			continue
		}
		reads = true
		if f.Health.State == store.Loading {
			return LaneLoading
		}
	}
	switch {
	case len(svc.Environments) > 0 && reads:
		return NothingYet
	case len(svc.Environments) > 0:
		return NoDeployFeed
	default:
		return NoEnvironments
	}
}

func (d *laneDeriver) cell(at envAt) Cell {
	e := at.env
	c := Cell{Env: e, Feed: at.feed, Verified: true}
	var newest *sources.Deployment
	for i := range e.Targets {
		t := &e.Targets[i]
		if t.Name != "" {
			c.Targets = append(c.Targets, TargetMark{t.Name, targetState(t)})
		}
		if t.Arriving != nil && (c.Arriving == nil || t.Arriving.Created.After(c.Arriving.Created)) {
			c.Arriving = t.Arriving
		}
		if t.Failed != nil && (c.Failed == nil || t.Failed.Created.After(c.Failed.Created)) {
			c.Failed = t.Failed
		}
		if t.Current == nil {
			continue
		}
		c.Verified = c.Verified && t.Current.Verified
		c.Mismatch = c.Mismatch || t.Current.Mismatch
		c.Mixed = c.Mixed || newest != nil && !newest.Version.Same(t.Current.Version)
		if newest == nil || ended(t.Current).After(ended(newest)) {
			newest = t.Current
		}
	}
	if newest != nil {
		c.Version, c.Since = newest.Version, ended(newest)
	}
	if c.Arriving != nil {
		c.Run = d.runs[c.Arriving.Run]
	}
	c.Outcome = outcome(e, &c)
	return c
}

func targetState(t *sources.Target) sources.State {
	switch {
	case t.Arriving != nil:
		return t.Arriving.State
	case t.Failed != nil:
		return sources.StateFailed
	case t.Current != nil:
		return sources.StatePassed
	default:
		return sources.StateSkipped
	}
}

// ended is when a deployment became final; its creation when the provider does not say.
func ended(d *sources.Deployment) time.Time { return cmp.Or(d.Ended, d.Created) }

func outcome(e *sources.Environment, c *Cell) Outcome {
	if c.Arriving != nil {
		switch c.Arriving.State {
		case sources.StateWaiting, sources.StateQueued:
			return DeployWaiting
		case sources.StateUnknown:
			return OutcomeUnknown
		default:
			return Arriving
		}
	}
	failed, current := 0, 0
	for i := range e.Targets {
		failed += b2i(e.Targets[i].Failed != nil)
		current += b2i(e.Targets[i].Current != nil)
	}
	switch {
	case failed > 0 && failed == len(e.Targets):
		return DeployFailed
	case failed > 0 || c.Mixed:
		return Half
	case current > 0:
		return Deployed
	default:
		return OutcomeNone
	}
}

// nextOf lists what the environment c has coming, most urgent first.
func nextOf(c *Cell) []Next {
	var out []Next
	if c.Mismatch {
		out = append(out, Next{Kind: NextMismatch})
	}
	ahead := -1
	if e := c.Env; e.Ahead > 0 {
		ahead = e.Ahead
	}
	gate := GateOf(c.Env.Gates)
	if gate != nil {
		out = append(out, Next{Kind: NextGate, Gate: gate, Commits: ahead})
	}
	if c.Outcome == Half || c.Outcome == DeployFailed {
		if v := KnownGood(c.Env); !v.IsZero() {
			out = append(out, Next{Kind: NextRollback, Version: v})
		}
	}
	if !c.Verified && !c.Mismatch {
		out = append(out, Next{Kind: NextUnverified})
	}
	if gate == nil && ahead > 0 {
		out = append(out, Next{Kind: NextAhead, Commits: ahead})
	}
	if c.Env.Behind > 0 {
		out = append(out, Next{Kind: NextBehind, Commits: c.Env.Behind})
	}
	return out
}

// GateOf is the gate to speak of: one that I may approve, else the one that has waited longest.
func GateOf(gates []sources.Gate) *sources.Gate {
	var best *sources.Gate
	for i := range gates {
		g := &gates[i]
		if best == nil || g.CanApprove && !best.CanApprove ||
			g.CanApprove == best.CanApprove && !g.Since.IsZero() && g.Since.Before(best.Since) {
			best = g
		}
	}
	return best
}

// KnownGood is what undoing the newest attempt in e would bring back: the newest version in its history
// that succeeded and is not the one that was attempted last; zero when there is none.
func KnownGood(e *sources.Environment) sources.Version {
	if len(e.History) == 0 {
		return sources.Version{}
	}
	tried := e.History[0].Version
	for i := range e.History {
		h := &e.History[i]
		good := h.State == sources.StatePassed || h.State == sources.StateSuperseded
		if good && !h.Version.IsZero() && !h.Version.Same(tried) {
			return h.Version
		}
	}
	return sources.Version{}
}

// Matches reports whether every word of the filter (lower case) occurs in the lane's service, or in a
// version, state or person of its cells.
func (l *Lane) Matches(words []string) bool {
	fields := []string{l.Service}
	for i := range l.Cells {
		c := &l.Cells[i]
		if c.Env == nil {
			continue
		}
		fields = append(fields, c.Env.Name, c.Version.Short().String(), c.Version.SHA)
		if a := c.Arriving; a != nil {
			fields = append(fields, a.Version.Short().String(), a.Actor.String(), a.State.String())
		}
		if c.Outcome == Half || c.Outcome == DeployFailed {
			fields = append(fields, "failed")
		}
	}
	return matchAll(fields, words)
}
