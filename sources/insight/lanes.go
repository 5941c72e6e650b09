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
	Health     Health // how it behaves, as of the snapshot; its age is that of Health.Feed
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
	LaneLoading              // its feed has not been read yet
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
	NextRollback                   // the newest version known good, while the current one is not whole or is blamed
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

// LaneFeeds are the capabilities that DeriveDeployments looks at.
func LaneFeeds() []store.Capability {
	return append([]store.Capability{store.Environments, store.Releases, store.Runs}, HealthFeeds()...)
}

// DeriveDeployments makes the lanes of s. The lanes stand in the order of the config, what was discovered
// after it by name: a lane never moves, whatever happens in it. day is when today began.
func DeriveDeployments(s *store.Snapshot, v View, day time.Time) Deployments {
	return deployments(s, v, day, Healths(s, s.At))
}

func deployments(s *store.Snapshot, v View, day time.Time, healths map[string]Health) Deployments {
	d := laneDeriver{snap: s, view: v, index: indexOf(s.Catalog), lanes: map[string]*laneData{}}
	d.collect()
	out := Deployments{Stages: d.stages()}
	for _, name := range d.names() {
		l := d.lane(name, out.Stages)
		if !d.admits(&l) {
			continue
		}
		l.Health = healths[name]
		if blamed(s, &l) {
			l.Next = offerRollback(l.Next, KnownGood(l.Cells[l.Last].Env))
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

// blamed reports that the version of a lane's last stage may be why the service does not behave: it got bad
// when, or shortly after, the version had come. A version that was there long before is no suspect, and
// undoing it would mend nothing.
func blamed(s *store.Snapshot, l *Lane) bool {
	h := &l.Health
	if l.Last < 0 || !h.Known || h.Sense != Crit || h.Since.IsZero() || s.Feeds[h.Feed].Health.Staleness(s.At) == store.VeryStale {
		return false
	}
	c := &l.Cells[l.Last]
	before := h.Since.Sub(c.Since)
	return c.Outcome == Deployed && !c.Since.IsZero() && before <= suspectReach && before >= -suspectSlack
}

// offerRollback adds what a rollback would bring to what a lane says, and takes out what waits to follow: a
// service is mended before more is promoted to it.
func offerRollback(all []Next, to sources.Version) []Next {
	if to.IsZero() {
		return all
	}
	all = slices.DeleteFunc(all, func(n Next) bool { return n.Kind == NextAhead })
	at := 0
	for at < len(all) && all[at].Kind < NextRollback {
		at++
	}
	return slices.Insert(all, at, Next{Kind: NextRollback, Version: to})
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
			l := d.data(r.Service)
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

// names are the services with a lane: the catalog's in its order, configured ones first, then those
// that only the data knows, by name.
func (d *laneDeriver) names() []string {
	names := make([]string, 0, len(d.snap.Catalog.Services))
	for _, discovered := range []bool{false, true} {
		for i := range d.snap.Catalog.Services {
			if s := &d.snap.Catalog.Services[i]; s.Discovered == discovered && d.ours(s) {
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

// ours reports that a service has a lane for this view: another team's only for who asks for everybody's, or
// follows it.
func (d *laneDeriver) ours(s *store.Service) bool {
	return s.Team == "" || d.view.Whose == All || d.view.Follow == s.Name
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
			if s.Discovered == discovered && d.ours(s) && (d.view.Follow == "" || d.view.Follow == s.Name) {
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
		if unread(&f.Health) {
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
