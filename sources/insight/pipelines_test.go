package insight

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

var now = time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC)

func ref(kind sources.Kind, scope, id string) sources.Ref {
	return sources.Ref{Source: "github", Kind: kind, Scope: scope, ID: id}
}

// push is a run of ci on the default branch of shop, that passed so long ago.
func push(id string, ago time.Duration, edit func(*sources.Run)) sources.Run {
	r := sources.Run{Ref: ref(sources.KindRun, "acme/shop", id), Service: "shop", Workflow: clean.Line("ci"), Path: "ci.yml", Event: "push",
		Branch: clean.Line("main"), Default: true, State: sources.StatePassed, Created: now.Add(-ago), Started: now.Add(-ago), Ended: now.Add(-ago).Add(3 * time.Minute)}
	if edit != nil {
		edit(&r)
	}
	return r
}

func on(branch string) func(*sources.Run) {
	return func(r *sources.Run) { r.Branch, r.Default = clean.Line(branch), false }
}

func all(edits ...func(*sources.Run)) func(*sources.Run) {
	return func(r *sources.Run) {
		for _, e := range edits {
			e(r)
		}
	}
}

func state(s sources.State) func(*sources.Run) { return func(r *sources.Run) { r.State = s } }
func mine(r *sources.Run)                      { r.Mine = true }
func deploys(r *sources.Run)                   { r.Deploys = true }
func fork(r *sources.Run)                      { r.Fork, r.RefKind, r.Pull, r.Default = true, sources.RefPull, 7, false }
func queue(r *sources.Run)                     { r.RefKind, r.Pull, r.Default = sources.RefQueue, 418, false }
func tagged(r *sources.Run)                    { r.RefKind, r.Default = sources.RefTag, false }
func nightly(r *sources.Run)                   { r.Event, r.Path = "schedule", "nightly.yml" }
func nobody(r *sources.Run)                    { r.Service = "" }
func gate(can bool) func(*sources.Run) {
	return func(r *sources.Run) {
		r.State, r.Gates = sources.StateWaiting, []sources.Gate{{Environment: "prod", CanApprove: can}}
	}
}

func board(runs ...sources.Run) *store.Snapshot {
	return &store.Snapshot{
		Catalog: &store.Catalog{Services: []store.Service{
			{Name: "shop", Source: "github", Repo: "acme/shop"},
			{Name: "cart", Source: "github", Repo: "acme/mono"}, {Name: "till", Source: "github", Repo: "acme/mono"},
		}},
		Feeds: []store.Feed{{Key: store.FeedKey{Source: "github", Capability: store.Runs, Scope: "acme/shop"}, Runs: runs}},
	}
}

func ids(p Pipelines) []string {
	out := make([]string, len(p.Rows))
	for i := range p.Rows {
		out[i] = p.Rows[i].Run.Ref.ID
	}
	return out
}

func TestWhichRunsAreListed(t *testing.T) {
	t.Parallel()
	mono := func(id string) sources.Run {
		r := push(id, time.Hour, nobody)
		r.Ref.Scope = "acme/mono"
		return r
	}
	for _, c := range []struct {
		name             string
		run              sources.Run
		team, mine, alls bool
	}{
		{"default branch", push("1", 90*24*time.Hour, nil), true, false, true},
		{"tag", push("1", 90*24*time.Hour, tagged), true, false, true},
		{"somebody's branch", push("1", time.Hour, on("wip")), false, false, true},
		{"my branch", push("1", time.Hour, all(on("wip"), mine)), true, true, true},
		{"my branch, passed yesterday", push("1", 30*time.Hour, all(on("wip"), mine)), false, false, false},
		{"my branch, failed yesterday", push("1", 30*time.Hour, all(on("wip"), mine, state(sources.StateFailed))), true, true, true},
		{"my branch, failed last week", push("1", 8*24*time.Hour, all(on("wip"), mine, state(sources.StateFailed))), false, false, false},
		{"a deployment of a branch", push("1", time.Hour, all(on("wip"), deploys)), true, false, true},
		{"waits for me", push("1", time.Hour, all(on("wip"), gate(true))), true, true, true},
		{"waits for somebody", push("1", time.Hour, all(on("wip"), gate(false))), false, false, true},
		{"a fork", push("1", time.Hour, fork), false, false, true},
		{"merge queue, running", push("1", time.Hour, all(queue, state(sources.StateRunning))), true, false, true},
		{"merge queue, failed", push("1", time.Hour, all(queue, state(sources.StateFailed))), true, false, true},
		{"merge queue, passed", push("1", time.Hour, queue), false, false, false},
		{"schedule, passed", push("1", time.Hour, nightly), false, false, false},
		{"schedule, running", push("1", time.Minute, all(nightly, state(sources.StateRunning))), false, false, false},
		{"schedule, failed", push("1", time.Hour, all(nightly, state(sources.StateFailed))), true, false, true},
		{"schedule, waits", push("1", time.Hour, all(nightly, gate(false))), true, false, true},
		{"schedule, deploys now", push("1", time.Minute, all(nightly, deploys, state(sources.StateRunning))), true, false, true},
		{"a monorepo's run that no service claims", mono("1"), false, false, true},
		{"a run that the only service does not claim", push("1", time.Hour, nobody), false, false, true},
		{"mine, that the only service does not claim", push("1", time.Hour, all(nobody, mine)), true, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for whose, want := range map[Whose]bool{Team: c.team, Mine: c.mine, All: c.alls} {
				if got := len(DerivePipelines(board(c.run), View{Whose: whose}, now).Rows) == 1; got != want {
					t.Errorf("whose %d: listed %v, want %v", whose, got, want)
				}
			}
		})
	}
}

// What its workflows, its paths or its tags leave out is not the only service's by default.
func TestWhatNobodyClaimsStandsUnderItsRepository(t *testing.T) {
	t.Parallel()
	b := board(push("1", time.Hour, nobody))
	b.Catalog.Services[0].Name = "till"
	p := DerivePipelines(b, View{Whose: All}, now)
	if len(p.Rows) != 1 || p.Rows[0].Service != "shop" {
		t.Errorf("rows %+v", p.Rows)
	}
	b.Feeds[0].Releases = []sources.Release{{Ref: ref("release", "acme/shop", "9"), Version: sources.Version{Tag: clean.Line("cart/v1")}, At: now}}
	for _, l := range DeriveDeployments(b, View{Whose: All}, now).Lanes {
		if l.Service == "till" && l.Release != nil {
			t.Errorf("the release of another prefix is till's: %+v", l.Release)
		}
	}
}

func TestSchedulesAreLate(t *testing.T) {
	t.Parallel()
	var runs []sources.Run
	for day := range 5 {
		runs = append(runs, push(fmt.Sprint(day), time.Duration(day)*24*time.Hour+40*time.Hour, nightly))
	}
	p := DerivePipelines(board(runs...), View{}, now)
	if len(p.Rows) != 1 || p.Rows[0].Late != 16*time.Hour || !p.Rows[0].Open() {
		t.Errorf("a nightly run that is 16h late: %+v", p.Rows)
	}
	if p := DerivePipelines(board(runs...), View{}, now.Add(-6*time.Hour)); len(p.Rows) != 0 {
		t.Errorf("late by less than half its gap: %+v", p.Rows)
	}
	slow := push("9", 3*time.Hour, all(nightly, state(sources.StateRunning), func(r *sources.Run) { r.Expected = time.Hour }))
	if p := DerivePipelines(board(slow), View{}, now); len(p.Rows) != 1 || p.Rows[0].Late != 2*time.Hour {
		t.Errorf("a nightly run that should have ended 2h ago: %+v", p.Rows)
	}
}

func TestFolding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		runs []sources.Run
		want []string
	}{
		{"newer folds older", []sources.Run{push("1", 2*time.Hour, nil), push("2", time.Hour, nil)}, []string{"2"}},
		{"the order of the feed does not matter", []sources.Run{push("2", time.Hour, nil), push("1", 2*time.Hour, nil)}, []string{"2"}},
		{"an older running one is folded", []sources.Run{push("1", 2*time.Hour, state(sources.StateRunning)), push("2", time.Hour, nil)}, []string{"2"}},
		{"an older deploying one is not", []sources.Run{push("1", 2*time.Hour, all(deploys, state(sources.StateQueued))), push("2", time.Hour, nil)}, []string{"1", "2"}},
		{"an older waiting one is not", []sources.Run{push("1", 2*time.Hour, gate(false)), push("2", time.Hour, all(deploys, state(sources.StateQueued)))}, []string{"2", "1"}},
		{"a skipped one folds nothing", []sources.Run{push("1", 2*time.Hour, state(sources.StateFailed)), push("2", time.Hour, state(sources.StateSkipped))}, []string{"1"}},
		{"tags are one line", []sources.Run{push("1", 2*time.Hour, all(tagged, func(r *sources.Run) { r.Branch = clean.Line("v1") })),
			push("2", time.Hour, all(tagged, func(r *sources.Run) { r.Branch = clean.Line("v2") }))}, []string{"2"}},
		{"workflows are not", []sources.Run{push("1", 2*time.Hour, nil), push("2", time.Hour, func(r *sources.Run) { r.Path = "other.yml" })}, []string{"2", "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := DerivePipelines(board(c.runs...), View{}, now)
			if got := ids(p); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	p := DerivePipelines(board(push("1", 3*time.Hour, nil), push("2", 2*time.Hour, nil), push("3", time.Hour, nil)), View{}, now)
	if p.Rows[0].Older != 2 {
		t.Errorf("the line stands for %d older runs, want 2", p.Rows[0].Older)
	}
}

func TestTheKeptRunStays(t *testing.T) {
	t.Parallel()
	keep := ref(sources.KindRun, "acme/shop", "1")
	s := board(push("1", 2*time.Hour, nil), push("2", time.Hour, nil))
	if got := ids(DerivePipelines(s, View{Keep: keep}, now)); !slices.Equal(got, []string{"2", "1"}) {
		t.Errorf("a folded one that is kept: %v", got)
	}
	old := board(push("1", 30*time.Hour, all(on("wip"), mine)))
	if got := ids(DerivePipelines(old, View{Keep: keep}, now)); len(got) != 1 {
		t.Errorf("an aged one that is kept: %v", got)
	}
	if got := ids(DerivePipelines(s, View{Keep: keep, Follow: "cart"}, now)); len(got) != 0 {
		t.Errorf("another service is followed: %v", got)
	}
}

func TestFollowFindsEveryServiceOfARun(t *testing.T) {
	t.Parallel()
	both := push("1", time.Hour, func(r *sources.Run) {
		r.Service, r.Services, r.Ref.Scope = "cart", []string{"cart", "till"}, "acme/mono"
	})
	for _, follow := range []string{"cart", "till"} {
		if p := DerivePipelines(board(both), View{Follow: follow}, now); len(p.Rows) != 1 || p.Rows[0].Others != 1 {
			t.Errorf("%s: %+v", follow, p.Rows)
		}
	}
}

// TestOrderChangesOnlyAsDocumented refreshes a board at random: two lines swap only when one of them
// opened or closed, or when another run took its place.
func TestOrderChangesOnlyAsDocumented(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var runs []sources.Run
	for i := range 40 {
		runs = append(runs, push(fmt.Sprint(100+i), time.Duration(rnd.IntN(600))*time.Minute, func(r *sources.Run) {
			r.Path = fmt.Sprintf("w%d.yml", i%20)
			r.State = sources.State(rnd.IntN(9))
		}))
	}
	type place struct {
		at   int
		open bool
	}
	before := map[sources.Ref]place{}
	for step := range 300 {
		runs = refresh(rnd, runs, step)
		p := DerivePipelines(board(runs...), View{}, now.Add(time.Duration(step)*time.Second))
		after := map[sources.Ref]place{}
		for i := range p.Rows {
			after[p.Rows[i].Run.Ref] = place{i, p.Rows[i].Open()}
		}
		for a, x := range before {
			for b, y := range before {
				x2, ok1 := after[a]
				y2, ok2 := after[b]
				if ok1 && ok2 && x.open == x2.open && y.open == y2.open && (x.at < y.at) != (x2.at < y2.at) {
					t.Fatalf("step %d: %s and %s swapped without a reason", step, a.ID, b.ID)
				}
			}
		}
		before = after
	}
}

// refresh is what a poll may bring: a run changes its state, is tried again, or a new one starts; and
// the provider lists them in another order.
func refresh(rnd *rand.Rand, runs []sources.Run, step int) []sources.Run {
	runs = slices.Clone(runs)
	r := &runs[rnd.IntN(len(runs))]
	switch rnd.IntN(4) {
	case 0:
		r.State = sources.State(rnd.IntN(9))
	case 1:
		r.Attempt++
		r.Started = now.Add(time.Duration(step) * time.Second)
		r.State = sources.StateRunning
	case 2:
		runs = append(runs, push(fmt.Sprint(1000+step), -time.Duration(step)*time.Second, func(n *sources.Run) { n.Path, n.State = r.Path, sources.StateQueued }))
	}
	rnd.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	return runs
}

func TestCountsAreOfLines(t *testing.T) {
	t.Parallel()
	p := DerivePipelines(board(
		push("1", time.Hour, func(r *sources.Run) { r.Path, r.State = "a", sources.StateRunning }),
		push("2", time.Hour, func(r *sources.Run) { r.Path, r.State = "b", sources.StateFailed }),
		push("3", time.Hour, all(gate(true), func(r *sources.Run) { r.Path = "c" })),
		push("4", time.Hour, func(r *sources.Run) { r.Path, r.State, r.NoRunner = "d", sources.StateQueued, []string{"gpu"} }),
		push("5", time.Hour, nil), push("6", 2*time.Hour, state(sources.StateFailed)),
	), View{}, now)
	if want := (Counts{Running: 1, Failed: 1, Waiting: 1, Mine: 1, Queued: 1, Stuck: 1, Passed: 1}); p.Counts != want {
		t.Errorf("got %+v, want %+v", p.Counts, want)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	r := push("1", time.Hour, func(r *sources.Run) {
		r.Commit = sources.Commit{SHA: "77aa001", Title: clean.Line("Größere Stapel"), Author: clean.Line("dev4")}
	})
	p := Pipeline{Run: &r, Service: "shop"}
	for filter, want := range map[string]bool{"": true, "SHOP": true, "größe": true, "GRÖSSE": false, "ci dev4": true, "ci dev5": false,
		"77aa": true, "main": true, "passed": true, "  ": true} {
		if got := p.Matches(Words(filter)); got != want {
			t.Errorf("%q: %v, want %v", filter, got, want)
		}
	}
}

func TestKeyHolds(t *testing.T) {
	s := board(push("1", time.Hour, nil))
	k := KeyOf(s, store.Runs)
	same := *s
	same.Feeds = slices.Clone(s.Feeds)
	same.Feeds[0].Health.LastGood = now
	if !k.Holds(&same, store.Runs) {
		t.Error("another health is other data")
	}
	same.Feeds[0].Generation++
	if k.Holds(&same, store.Runs) {
		t.Error("another generation is the same data")
	}
	if k.Holds(board(), store.Runs) {
		t.Error("another catalog is the same board")
	}
	if n := testing.AllocsPerRun(100, func() { k.Holds(s, store.Runs) }); n > 0 {
		t.Errorf("Holds allocates %v times", n)
	}
}

func BenchmarkDerivePipelines(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		var runs []sources.Run
		for i := range n {
			runs = append(runs, push(fmt.Sprint(i), time.Duration(i)*time.Minute, func(r *sources.Run) { r.Path = fmt.Sprintf("w%d.yml", i%40) }))
		}
		s := board(runs...)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				DerivePipelines(s, View{}, now)
			}
		})
	}
}
