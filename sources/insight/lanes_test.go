package insight

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

func version(tag string) sources.Version { return sources.Version{Tag: clean.Line(tag)} }

func deployment(target, tag string, s sources.State, ago time.Duration) *sources.Deployment {
	return &sources.Deployment{Ref: ref(sources.KindDeployment, "acme/shop", tag+target), Target: target, Version: version(tag), State: s,
		Created: now.Add(-ago - time.Minute), Ended: now.Add(-ago), Verified: true}
}

// prod is shop's production with these targets; its history is what they hold.
func prod(targets ...sources.Target) sources.Environment {
	e := sources.Environment{Ref: ref(sources.KindEnvironment, "acme/shop", "prod"), Service: "shop", Name: "prod", Prod: true, Order: 1, Targets: targets}
	for _, t := range targets {
		for _, d := range []*sources.Deployment{t.Arriving, t.Failed, t.Current} {
			if d != nil {
				e.History = append(e.History, *d)
			}
		}
	}
	slices.SortStableFunc(e.History, func(a, b sources.Deployment) int { return b.Created.Compare(a.Created) })
	return e
}

func lanes(envs ...sources.Environment) *store.Snapshot {
	s := board()
	s.Catalog.Services = []store.Service{{Name: "shop", Source: "github", Repo: "acme/shop", Environments: []string{"staging", "prod"}}}
	s.Feeds = append([]store.Feed{{Key: store.FeedKey{Source: "github", Capability: store.Environments, Scope: "acme/shop"}, Environments: envs}}, s.Feeds...)
	return s
}

func lane(t *testing.T, s *store.Snapshot) Lane {
	t.Helper()
	d := DeriveDeployments(s, View{}, now.Add(-time.Hour))
	if len(d.Lanes) != 1 {
		t.Fatalf("%d lanes, want 1", len(d.Lanes))
	}
	return d.Lanes[0]
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	const ok, failed, running, waiting = sources.StatePassed, sources.StateFailed, sources.StateRunning, sources.StateWaiting
	eu, us := deployment("eu", "v2", ok, time.Hour), deployment("us", "v2", ok, time.Hour)
	for _, c := range []struct {
		name    string
		targets []sources.Target
		want    Outcome
		version string
		next    []NextKind
	}{
		{"whole", []sources.Target{{Name: "eu", Current: eu}, {Name: "us", Current: us}}, Deployed, "v2", nil},
		{"one target never got anything", []sources.Target{{Name: "eu", Current: eu}, {Name: "us"}}, Deployed, "v2", nil},
		{"one target failed", []sources.Target{{Name: "eu", Current: eu}, {Name: "us", Current: deployment("us", "v1", ok, 9*time.Hour), Failed: deployment("us", "v2", failed, time.Minute)}},
			Half, "v2", []NextKind{NextRollback}},
		{"all failed", []sources.Target{{Current: deployment("", "v1", ok, 9*time.Hour), Failed: deployment("", "v2", failed, time.Minute)}},
			DeployFailed, "v1", []NextKind{NextRollback}},
		{"different versions", []sources.Target{{Name: "eu", Current: eu}, {Name: "us", Current: deployment("us", "v1", ok, 9*time.Hour)}}, Half, "v2", []NextKind{NextRollback}},
		{"arriving", []sources.Target{{Current: eu, Arriving: deployment("", "v3", running, 0)}}, Arriving, "v2", nil},
		{"waiting", []sources.Target{{Current: eu, Arriving: deployment("", "v3", waiting, 0)}}, DeployWaiting, "v2", nil},
		{"unknown", []sources.Target{{Current: eu, Arriving: deployment("", "v3", sources.StateUnknown, 0)}}, OutcomeUnknown, "v2", nil},
		{"nothing", []sources.Target{{}}, OutcomeNone, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := lane(t, lanes(prod(c.targets...)))
			cell := l.Cells[l.Last]
			var kinds []NextKind
			for _, n := range l.Next {
				kinds = append(kinds, n.Kind)
			}
			if cell.Outcome != c.want || cell.Version.Short().String() != c.version || !slices.Equal(kinds, c.next) {
				t.Errorf("outcome %d, version %q, next %v; want %d, %q, %v", cell.Outcome, cell.Version.Short(), kinds, c.want, c.version, c.next)
			}
		})
	}
}

func TestWhatComesNext(t *testing.T) {
	t.Parallel()
	cur := deployment("", "v1", sources.StatePassed, time.Hour)
	kinds := func(edit func(*sources.Environment, *sources.Deployment)) []NextKind {
		c := *cur
		e := prod(sources.Target{Current: &c})
		edit(&e, &c)
		var out []NextKind
		for _, n := range lane(t, lanes(e)).Next {
			out = append(out, n.Kind)
		}
		return out
	}
	for name, c := range map[string]struct {
		got, want []NextKind
	}{
		"quiet":           {kinds(func(*sources.Environment, *sources.Deployment) {}), nil},
		"ahead":           {kinds(func(e *sources.Environment, _ *sources.Deployment) { e.Ahead = 4 }), []NextKind{NextAhead}},
		"nobody can tell": {kinds(func(e *sources.Environment, _ *sources.Deployment) { e.Ahead = -1 }), nil},
		"a gate says how many commits": {kinds(func(e *sources.Environment, _ *sources.Deployment) {
			e.Ahead, e.Gates = 4, []sources.Gate{{CanApprove: true}}
		}), []NextKind{NextGate}},
		"unverified": {kinds(func(_ *sources.Environment, d *sources.Deployment) { d.Verified = false }), []NextKind{NextUnverified}},
		"mismatch":   {kinds(func(_ *sources.Environment, d *sources.Deployment) { d.Verified, d.Mismatch = false, true }), []NextKind{NextMismatch}},
		"hotfix":     {kinds(func(e *sources.Environment, _ *sources.Deployment) { e.Behind = 2 }), []NextKind{NextBehind}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

func TestKnownGood(t *testing.T) {
	t.Parallel()
	const ok, old, failed = sources.StatePassed, sources.StateSuperseded, sources.StateFailed
	h := func(ds ...*sources.Deployment) *sources.Environment {
		e := &sources.Environment{}
		for _, d := range ds {
			e.History = append(e.History, *d)
		}
		return e
	}
	for name, c := range map[string]struct {
		env  *sources.Environment
		want string
	}{
		"none":                      {h(), ""},
		"the only one":              {h(deployment("", "v1", ok, 0)), ""},
		"the one before":            {h(deployment("", "v2", failed, 0), deployment("", "v1", ok, 0)), "v1"},
		"failed ones are passed by": {h(deployment("", "v3", failed, 0), deployment("", "v2", failed, 0), deployment("", "v1", old, 0)), "v1"},
		"the other target's copy of the bad one is not good": {h(deployment("us", "v2", failed, 0), deployment("eu", "v2", ok, 0), deployment("us", "v1", old, 0)), "v1"},
	} {
		if got := KnownGood(c.env).Short().String(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestEmptyLanesSayWhy(t *testing.T) {
	t.Parallel()
	yet := lanes(prod(sources.Target{}))
	nothing, loading, library, unread := lanes(), lanes(), lanes(), lanes()
	loading.Feeds[0].Health.State = store.Loading
	nothing.Feeds[0].Health.State = store.Healthy
	unread.Feeds = unread.Feeds[1:]
	library.Catalog.Services[0].Environments = nil
	library.Feeds[0].Health.State = store.Healthy
	library.Feeds = append(library.Feeds, store.Feed{Key: store.FeedKey{Source: "github", Capability: store.Releases, Scope: "acme/shop"},
		Releases: []sources.Release{{Ref: ref("", "acme/shop", "1"), Version: version("v1"), At: now.Add(-time.Hour)},
			{Ref: ref("", "acme/shop", "2"), Version: version("v2"), At: now}, {Ref: ref("", "acme/shop", "3"), Version: version("v3"), At: now, Draft: true}}})
	for name, c := range map[string]struct {
		s    *store.Snapshot
		want Emptiness
	}{"nothing deployed": {yet, NothingYet}, "nothing listed": {nothing, NothingYet}, "loading": {loading, LaneLoading}, "library": {library, NoEnvironments},
		"no deployments read": {unread, NoDeployFeed}} {
		if got := lane(t, c.s).Empty; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	own := library.Feeds[len(library.Feeds)-1].Releases
	for i := range own {
		own[i].Service = "shop"
	}
	if r := lane(t, library).Release; r == nil || r.Version != version("v2") {
		t.Errorf("the library's lane is %+v", r)
	}
}

func TestStagesMergeInOrder(t *testing.T) {
	t.Parallel()
	s := lanes()
	s.Catalog.Services = []store.Service{{Name: "a", Environments: []string{"staging", "prod"}}, {Name: "b", Environments: []string{"dev", "staging", "prod"}},
		{Name: "c", Environments: []string{"staging", "canary", "prod"}}}
	var got []string
	for _, st := range DeriveDeployments(s, View{}, now).Stages {
		got = append(got, st.Name)
	}
	if want := []string{"dev", "staging", "canary", "prod"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLanesKeepTheConfigsOrder(t *testing.T) {
	t.Parallel()
	s := lanes(prod(sources.Target{Current: deployment("", "v1", sources.StatePassed, time.Hour)}),
		sources.Environment{Ref: ref(sources.KindEnvironment, "acme/x", "1"), Service: "found", Name: "prod", Prod: true})
	s.Catalog.Services = append([]store.Service{{Name: "zeta", Source: "github", Repo: "acme/zeta"}}, s.Catalog.Services...)
	s.Catalog.Services = append([]store.Service{{Name: "alpha", Source: "github", Repo: "acme/alpha", Discovered: true}}, s.Catalog.Services...)
	var got []string
	for _, l := range DeriveDeployments(s, View{}, now).Lanes {
		got = append(got, fmt.Sprint(l.Service, l.Discovered))
	}
	if want := []string{"zetafalse", "shopfalse", "alphatrue", "foundtrue"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTodayIsCounted(t *testing.T) {
	t.Parallel()
	s := lanes(prod(sources.Target{Name: "eu", Current: deployment("eu", "v2", sources.StatePassed, 10*time.Minute)},
		sources.Target{Name: "us", Current: deployment("us", "v1", sources.StatePassed, 30*time.Hour), Failed: deployment("us", "v2", sources.StateFailed, time.Minute)}))
	d := DeriveDeployments(s, View{}, now.Add(-2*time.Hour))
	if d.Today != 2 || d.TodayFailed != 1 {
		t.Errorf("%d today, %d failed; want 2, 1", d.Today, d.TodayFailed)
	}
}

func TestTroublesAndWaits(t *testing.T) {
	t.Parallel()
	e := prod(sources.Target{Name: "eu", Current: deployment("eu", "v2", sources.StatePassed, time.Hour)},
		sources.Target{Name: "us", Current: deployment("us", "v1", sources.StatePassed, 30*time.Hour), Failed: deployment("us", "v2", sources.StateFailed, 6*time.Minute)})
	e.Gates = []sources.Gate{{CanApprove: true, Since: now.Add(-time.Minute), Run: ref(sources.KindRun, "acme/shop", "3")}}
	e.Ahead = 4
	s := lanes(e)
	s.Feeds[1].Runs = []sources.Run{
		push("1", time.Hour, state(sources.StateFailed)),
		push("2", time.Hour, func(r *sources.Run) { r.Path, r.State, r.NoRunner = "gpu.yml", sources.StateQueued, []string{"gpu"} }),
		push("3", time.Hour, all(gate(true), deploys, func(r *sources.Run) { r.Path = "deploy.yml" })),
	}
	for i := range s.Feeds {
		s.Feeds[i].Health = store.Health{State: store.Refused, Err: &sources.Error{Msg: "the token has expired"}}
	}
	p := DerivePipelines(s, View{}, now)
	d := DeriveDeployments(s, View{}, now)
	var got []string
	for _, tr := range Troubles(s, &p, &d) {
		got = append(got, fmt.Sprint(tr.Kind, " ", tr.Service, " ", tr.Text))
	}
	want := []string{
		fmt.Sprint(DeploymentFailed, " shop prod us: v2 failed, eu is on v2"),
		fmt.Sprint(RunFailed, " shop ci on main failed"),
		fmt.Sprint(SourceDown, " github the token has expired"),
		fmt.Sprint(NoRunner, " shop ci on main has no runner for [gpu]"),
	}
	if !slices.Equal(got, want) {
		t.Errorf("troubles\n%q, want\n%q", got, want)
	}
	got = nil
	for _, tr := range Waits(&p, &d) {
		got = append(got, fmt.Sprint(tr.Mine, " ", tr.Text))
	}
	if want := []string{"true approval for prod, 4 commits, yours to give", "false prod us: v2 failed, eu is on v2"}; !slices.Equal(got, want) {
		t.Errorf("waits\n%q, want\n%q", got, want)
	}
}

func TestSumFeeds(t *testing.T) {
	t.Parallel()
	s := lanes()
	s.Feeds[0].Health = store.Health{State: store.Failing, LastGood: now.Add(-time.Hour), Interval: time.Minute, Next: now.Add(time.Minute), Err: &sources.Error{Msg: "down"}}
	s.Feeds[1].Health = store.Health{State: store.Refused, Err: &sources.Error{Msg: "refused"}}
	sum := SumFeeds(s, now, "", store.Environments, store.Runs)
	if sum.N != 2 || sum.Failing != 1 || sum.Refused != 1 || sum.Stale != store.VeryStale || sum.Err.Msg != "refused" || !sum.Oldest.Equal(now.Add(-time.Hour)) {
		t.Errorf("got %+v", sum)
	}
	s.Catalog.Services = append(s.Catalog.Services, store.Service{Name: "other", Source: "github", Repo: "acme/other"})
	if sum := SumFeeds(s, now, "other", store.Runs); sum.N != 0 {
		t.Errorf("another repository's feeds count for a followed service: %+v", sum)
	}
}

// TestALaneThatWasNeverReadSaysSo has feeds that fail before they ever answered: nobody can tell what is
// deployed there.
func TestALaneThatWasNeverReadSaysSo(t *testing.T) {
	t.Parallel()
	for _, state := range []store.HealthState{store.Loading, store.Throttled, store.Failing, store.Refused} {
		s := board()
		s.Catalog.Services[0].Environments = []string{"prod"}
		key := store.FeedKey{Source: s.Catalog.Services[0].Source, Capability: store.Environments, Scope: s.Catalog.Services[0].Repo}
		s.Feeds = append(s.Feeds, store.Feed{Key: key, Health: store.Health{State: state}})
		d := DeriveDeployments(s, View{}, now)
		if len(d.Lanes) == 0 || d.Lanes[0].Empty != LaneLoading {
			t.Errorf("state %d: %+v", state, d.Lanes)
		}
		sum := SumFeeds(s, now, "", store.Environments)
		if want := b2i(state != store.Loading); sum.Unread != want || want == 1 && sum.Lacking != key {
			t.Errorf("state %d: %+v", state, sum)
		}
	}
}

// A rollback is offered where the version may be at fault: the service got bad with it or shortly after.
func TestABadVersionOffersWhatWasGood(t *testing.T) {
	t.Parallel()
	const ok = sources.StatePassed
	errs := series("error rate", sources.ErrorSignal, "%", 2, 1, 1, 4, 4, 4) // over for two minutes
	well := series("error rate", sources.ErrorSignal, "%", 2, 1, 1, 1, 1, 1)
	for _, c := range []struct {
		name   string
		ago    time.Duration // since the version is there
		errors sources.Series
		stale  bool
		before bool // there was a version before it
		want   []NextKind
	}{
		{"it came before the trouble", 10 * time.Minute, errs, false, true, []NextKind{NextRollback, NextBehind}},
		{"it came with the trouble", 2 * time.Minute, errs, false, true, []NextKind{NextRollback, NextBehind}},
		{"it has been there for days", 48 * time.Hour, errs, false, true, []NextKind{NextAhead, NextBehind}},
		{"all is well", 10 * time.Minute, well, false, true, []NextKind{NextAhead, NextBehind}},
		{"nobody knows how it is now", 10 * time.Minute, errs, true, true, []NextKind{NextAhead, NextBehind}},
		{"it is the first", 10 * time.Minute, errs, false, false, []NextKind{NextAhead, NextBehind}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := prod(sources.Target{Current: deployment("", "v2", ok, c.ago)})
			e.Ahead, e.Behind = 3, 1
			if c.before {
				e.History = append(e.History, *deployment("", "v1", ok, c.ago+time.Hour))
			}
			s := lanes(e)
			s.At = now
			metrics(c.errors)(s)
			if c.stale {
				s.Feeds[len(s.Feeds)-1].Health.LastGood = now.Add(-time.Hour)
			}
			var got []NextKind
			for _, n := range lane(t, s).Next {
				got = append(got, n.Kind)
				if n.Kind == NextRollback && n.Version.Tag != clean.Line("v1") {
					t.Errorf("offers %s", n.Version.Short())
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("says %v, want %v", got, c.want)
			}
		})
	}
}

func TestOtherTeamsHaveNoLane(t *testing.T) {
	t.Parallel()
	s := lanes(prod())
	s.Catalog.Services = append(s.Catalog.Services, store.Service{Name: "bank", Team: "money", Environments: []string{"vault"}})
	for v, want := range map[View][2]int{{}: {1, 2}, {Whose: All}: {2, 3}, {Follow: "bank"}: {1, 1}, {Follow: "shop"}: {1, 2}} {
		d := DeriveDeployments(s, v, now)
		if len(d.Lanes) != want[0] || len(d.Stages) != want[1] {
			t.Errorf("%+v: %d lanes and %d stages, want %v", v, len(d.Lanes), len(d.Stages), want)
		}
	}
}
