package action_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
)

// ways are the changes by each means, and the world in which they fit.
func ways() map[string]struct {
	set func(*yard)
	ask func(*yard) action.Request
} {
	type way = struct {
		set func(*yard)
		ask func(*yard) action.Request
	}
	return map[string]way{
		"promote by approval":     {func(y *yard) { y.hub.wait("prod", "c", true) }, promotionOf(means(action.ByApproval))},
		"promote by workflow":     {func(*yard) {}, promotionOf(means(action.ByWorkflow))},
		"promote by deployment":   {func(y *yard) { y.hub.envs["prod"].History[0].Listened = true }, promotionOf(means(action.ByDeployment))},
		"roll back by approval":   {func(y *yard) { y.hub.wait("prod", "a", true) }, rollbackOf(means(action.ByApproval))},
		"roll back by workflow":   {func(*yard) {}, rollbackOf(means(action.ByWorkflow))},
		"roll back by deployment": {func(y *yard) { y.hub.envs["prod"].History[0].Listened = true }, rollbackOf(means(action.ByDeployment))},
		"roll back by a rerun":    {func(*yard) {}, rollbackOf(means(action.ByRerun))},
	}
}

func (y *yard) plan(t *testing.T, q action.Request) action.Plan {
	t.Helper()
	p, err := y.Propose(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if p.Demand.Kind == action.Refusal {
		t.Fatalf("refused: %+v", p.Gates)
	}
	return p
}

// One write, done when the environment runs the version, and all of it recorded.
func TestChangesAreCarriedOut(t *testing.T) {
	t.Parallel()
	for name, w := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t)
				w.set(y)
				p := y.plan(t, w.ask(y))
				out := y.Execute(t.Context(), p, approve(p))
				if out.State != action.Done || len(y.hub.writes) != 1 || y.hub.writes[0].ID != p.ID || y.stages(t) != "intended answered verified" {
					t.Fatalf("%+v after %d writes, journal %q", out, len(y.hub.writes), y.stages(t))
				}
				want := p.Change.Then.Version
				for _, target := range y.hub.envs["prod"].Targets {
					if !target.Current.Version.Same(want) {
						t.Errorf("%s runs %s", target.Name, target.Current.Version.Tag)
					}
				}
				for r := range y.book.Records() {
					if r.Target != y.hub.envRef("prod") || r.Verb != p.Request.Verb || r.Environment != "prod" || r.Service != "checkout" {
						t.Errorf("record %+v", r)
					}
				}
				if len(y.locks.held) != 0 || len(y.other.writes) != 0 {
					t.Errorf("locks %v, writes elsewhere %d", y.locks.held, len(y.other.writes))
				}
			})
		})
	}
}

// Whatever the plan rests on changes between look and key, or between plan and confirmation: nothing is sent.
func TestStaleChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		way    string
		change func(*yard)
		want   action.State
	}{
		{"another version came", "roll back by workflow", func(y *yard) { y.hub.put("prod", "c", 0) }, action.Stale},
		{"another version is on its way", "roll back by workflow", func(y *yard) {
			y.hub.file("prod", sources.Deployment{Version: version("d"), State: sources.StateRunning, Verified: true}, 0)
		}, action.Stale},
		{"another attempt failed", "roll back by workflow", func(y *yard) {
			y.hub.file("prod", sources.Deployment{Version: version("d"), State: sources.StateFailed, Verified: true}, 0)
		}, action.Stale},
		{"a run came to its gate", "roll back by workflow", func(y *yard) { y.hub.wait("prod", "d", true) }, action.Stale},
		{"a run came before it", "roll back by workflow", func(y *yard) {
			r := &sources.Run{Ref: y.hub.ref(sources.KindRun, "900"), Revision: "x", Number: 900, Service: "checkout", Path: ".github/workflows/deploy.yml", Event: "workflow_dispatch", Title: clean.Const("Deploy to prod"), State: sources.StateQueued}
			y.hub.runs["900"] = r
			y.runs = append(y.runs, r)
		}, action.Stale},
		{"the version to go back to is blamed now", "roll back by workflow", func(y *yard) { y.tells(store.Past, pagerduty("1", 3*24*time.Hour-time.Minute, time.Hour)) }, action.Stale},
		{"staging moved on", "promote by workflow", func(y *yard) { y.hub.put("staging", "d", 0) }, action.Stale},
		{"staging is not sure any more", "promote by workflow", func(y *yard) { y.hub.envs["staging"].History[0].Verified = false }, action.Stale},
		{"the waiting run changed", "promote by approval", func(y *yard) {
			for _, r := range y.hub.runs {
				if r.State == sources.StateWaiting {
					r.Revision = "2"
				}
			}
		}, action.Stale},
		{"somebody else approved it", "promote by approval", func(y *yard) {
			for _, r := range y.hub.runs {
				if r.State == sources.StateWaiting {
					y.hub.apply(sources.Call{Verb: sources.Reject, Target: r.Ref})
				}
			}
		}, action.Stale},
		{"the run to run again was run again", "roll back by a rerun", func(y *yard) {
			for _, d := range y.hub.envs["prod"].History {
				y.hub.runs[d.Run.ID].Revision = "2"
			}
		}, action.Stale},
		{"the config means another branch", "roll back by workflow", func(y *yard) { y.service.Ref = "release" }, action.Stale},
		{"the config has another workflow", "roll back by workflow", func(y *yard) { y.service.Workflow = "other.yml" }, action.Stale},
		{"the environment cannot be read", "roll back by workflow", func(y *yard) { y.hub.noRead[y.hub.envRef("prod")] = refusal(sources.Transient) }, action.Refused},
		{"the config does not name it any more", "roll back by workflow", func(y *yard) { y.services["checkout"] = false }, action.Refused},
		{"it became read-only", "roll back by workflow", func(y *yard) { y.readOnly = true }, action.Refused},
		{"an incident was opened", "promote by workflow", func(y *yard) { y.tells(store.Incidents, pagerduty("1", time.Minute, 0)) }, action.Refused},
		{"a check failed", "promote by workflow", func(y *yard) { y.hub.checks[0].State = sources.StateFailed }, action.Refused},
		{"the data grew old", "promote by workflow", func(y *yard) { y.stale = time.Hour }, action.Refused},
		{"another action is at it", "roll back by workflow", func(y *yard) { y.locks.refuse = true }, action.Refused},
		{"a flag was switched: a promotion's warning is new", "promote by workflow", func(y *yard) {
			y.feeds = append(y.feeds, store.Feed{Key: store.FeedKey{Source: "flags", Capability: store.Changes}, Changes: []sources.Change{{Kind: sources.FlagChange, Service: "checkout", Title: clean.Const("f"), At: time.Now()}}})
		}, action.Refused},
		{"a rollback goes on with old data", "roll back by workflow", func(y *yard) { y.stale = time.Hour }, action.Done},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t)
				w := ways()[c.way]
				w.set(y)
				p := y.plan(t, w.ask(y))
				c.change(y)
				out := y.Execute(t.Context(), p, approve(p))
				writes, want := 0, c.want.String()
				if c.want == action.Done {
					writes, want = 1, "intended answered verified"
				}
				if out.State != c.want || len(y.hub.writes) != writes || y.stages(t) != want || out.Text.IsZero() {
					t.Errorf("%+v after %d writes, journal %q", out, len(y.hub.writes), y.stages(t))
				}
				t.Logf("%s: %s", out.State, out.Text)
			})
		})
	}
}

// What was looked at has changed before the key was pressed: the plan says so, and renewing it keeps that.
func TestLookAndKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		q := y.rollback()
		q.Revision = y.hub.envs["prod"].Revision
		if p := y.plan(t, q); p.Changed {
			t.Error("nothing changed")
		}
		y.hub.put("prod", "c", 0)
		p := y.plan(t, q)
		if !p.Changed || !p.Change.Then.Version.Same(version("b")) {
			t.Errorf("changed %t, then %s", p.Changed, p.Change.Then.Version.Tag)
		}
		fresh, err := y.Renew(t.Context(), p)
		if err != nil || fresh.ID != p.ID || fresh.Call.ID != p.ID || fresh.Changed || fresh.Request.Revision != q.Revision {
			t.Errorf("renewed %+v, %v", fresh, err)
		}
		y.hub.put("prod", "d", 0)
		if fresh, err = y.Renew(t.Context(), p); err != nil || !fresh.Changed || !fresh.Change.Then.Version.Same(version("c")) {
			t.Errorf("renewed %+v, %v", fresh.Change, err)
		}
	})
}

// Two environments of one name in two sources are never confused: what is asked of one is read from it, and
// done to it alone.
func TestSameNamesInTwoSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		y.other.put("prod", "d", time.Minute)
		y.other.put("staging", "a", time.Minute)
		q := y.promote()
		if p := y.plan(t, q); !p.Change.Then.Version.Same(version("c")) || p.Call.Target != q.Target {
			t.Errorf("%+v", p.Call)
		}
		q = y.rollback()
		q.Target = y.other.envRef("prod")
		p := y.plan(t, q)
		if !p.Change.Now.Version.Same(version("d")) || !p.Change.Then.Version.Same(version("b")) || p.Call.Target.Source != "other" {
			t.Fatalf("%+v", p.Change)
		}
		if out := y.Execute(t.Context(), p, approve(p)); out.State != action.Done || len(y.hub.writes) != 0 || len(y.other.writes) != 1 {
			t.Errorf("%+v, %d and %d writes", out, len(y.hub.writes), len(y.other.writes))
		}
	})
}

// A second person is asked for just before it is sent.
func TestTheSecondPerson(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		y.rules = []policy.Rule{{Builtin: "second_person"}, {Name: "two", Require: "false", Else: policy.SecondPerson, On: []sources.Verb{sources.Promote}}}
		p := y.plan(t, y.promote())
		if p.Demand.Kind != action.SecondDemand {
			t.Fatalf("demand %+v", p.Demand)
		}
		a := approve(p)
		a.Cosigner = "somebody"
		if out := y.Execute(t.Context(), p, a); out.State != action.Refused || len(y.hub.writes) != 0 {
			t.Errorf("on one's own word: %+v", out)
		}
		y.cosigned = "sre2"
		if out := y.Execute(t.Context(), p, approve(p)); out.State != action.Done || len(y.hub.writes) != 1 {
			t.Errorf("%+v", out)
		}
		for r := range y.book.Records() {
			if r.Stage == journal.Intended && r.Approval.Cosigner != "sre2" {
				t.Errorf("approval %+v", r.Approval)
			}
		}
	})
}

// What lost its place is not done, and says so.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		y.hub.fate = sources.Progress{State: sources.Undone, Superseded: true, Text: clean.Const("run 813 took its place")}
		p := y.plan(t, y.rollback())
		out := y.Execute(t.Context(), p, approve(p))
		if out.State != action.Failed || !strings.Contains(out.Text.String(), "superseded") || out.Fix.IsZero() || y.stages(t) != "intended answered superseded" {
			t.Errorf("%+v, journal %q", out, y.stages(t))
		}
	})
}

// Whatever goes wrong, by every means: one write at most, a record of it, and no outcome that says more than is
// known.
func TestFaultMatrixOfChanges(t *testing.T) {
	t.Parallel()
	kinds := []string{"", "lost before it arrives", "applied, answer lost", "hang", "a bare error", "taken, without effect"}
	for k := sources.Transient; k <= sources.Unsupported; k++ {
		kinds = append(kinds, k.String())
	}
	looks := map[string]error{"sees": nil, "blind": refusal(sources.Transient), "cannot": refusal(sources.Unsupported)}
	stages := []journal.Stage{"", journal.Intended, journal.Answered, journal.Unknown, journal.Failed, journal.Verified, journal.Given}
	cells := 0
	for name, w := range ways() {
		for _, fault := range kinds {
			for look, noLook := range looks {
				for _, failAt := range stages {
					cells++
					t.Run(fmt.Sprint(name, "/", fault, "/", look, "/", failAt), func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) {
							y := newYard(t)
							w.set(y)
							y.hub.fault, y.hub.noLook, y.book.failAt = fault, noLook, failAt
							oneChange(t, y, w.ask(y))
						})
					})
				}
			}
		}
	}
	t.Logf("%d cells", cells)
}

func oneChange(t *testing.T, y *yard, q action.Request) {
	p := y.plan(t, q)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	out := y.Execute(ctx, p, approve(p))
	happened := y.hub.runsEverywhere(y.hub.envs["prod"], p.Call)
	if n := len(y.hub.writes); n > 1 || y.book.failAt == journal.Intended && n > 0 {
		t.Errorf("%d writes", n)
	}
	switch out.State {
	case action.Done:
		if !happened {
			t.Errorf("done, and it did not happen: %+v", out)
		}
	case action.Failed, action.Refused, action.Stale:
		if happened {
			t.Errorf("%s, and it happened: %+v", out.State, out)
		}
	case action.Unknown, action.Unverified:
	}
	if out.Text.IsZero() || out.State != action.Done && out.State != action.Unverified && out.Fix.IsZero() {
		t.Errorf("outcome without words: %+v", out)
	}
	stages := y.stages(t)
	if len(y.hub.writes) > 0 && !strings.HasPrefix(stages, "intended") {
		t.Errorf("an effect without a record: %q", stages)
	}
	if strings.Contains(stages, "verified") && !happened {
		t.Errorf("a record says done, and it was not: %q", stages)
	}
	if len(y.locks.held) > 0 {
		t.Errorf("locks %v", y.locks.held)
	}
}

// A program that was killed at any stage of a change leaves what the next start settles by reading alone.
func TestCrashedChangesAreSettled(t *testing.T) {
	t.Parallel()
	for name, w := range ways() {
		for _, c := range []struct {
			stage journal.Stage
			fault string
			want  action.State
			final string
		}{
			{journal.Intended, "", action.Unknown, "intended given up"},
			{journal.Answered, "", action.Done, "intended answered verified"},
			{journal.Unknown, "applied, answer lost", action.Done, "intended unknown verified"},
			{journal.Unknown, "lost before it arrives", action.Unknown, "intended unknown given up"},
		} {
			t.Run(name+"/"+string(c.stage)+" "+c.fault, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					y := newYard(t)
					w.set(y)
					y.hub.fault = c.fault
					p := y.plan(t, w.ask(y))
					func() {
						k := &killer{book: y.book, at: c.stage}
						defer func() {
							if recover() != k {
								t.Fatal("it was not killed")
							}
						}()
						action.New(y.options(t, k)).Execute(t.Context(), p, approve(p))
					}()
					y.locks.held = map[string]bool{}
					writes := len(y.hub.writes)
					settled, err := y.Settle(t.Context())
					if err != nil || len(settled) != 1 || settled[0].Outcome.State != c.want || settled[0].Record.Plan != p.ID {
						t.Errorf("settled %+v, %v", settled, err)
					}
					if len(y.hub.writes) != writes || y.stages(t) != c.final || len(y.locks.held) != 0 {
						t.Errorf("%d writes, journal %q, locks %v", len(y.hub.writes), y.stages(t), y.locks.held)
					}
				})
			})
		}
	}
}

// What is on its way when a crash is settled is told so, and neither as done nor as never sent.
func TestSettlingWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		p := y.plan(t, y.rollback())
		for _, stage := range []journal.Stage{journal.Intended, journal.Answered} {
			if _, err := y.book.Append(t.Context(), journal.Record{Plan: p.ID, Stage: stage, Verb: sources.Rollback, Target: p.Request.Target, Call: &p.Call}); err != nil {
				t.Fatal(err)
			}
		}
		y.hub.fate = sources.Progress{Begun: true, Text: clean.Const("run 813: running")}
		settled, err := y.Settle(t.Context())
		if err != nil || len(settled) != 1 || settled[0].Outcome.State != action.Unknown || !strings.Contains(settled[0].Outcome.Text.String(), "still on its way: run 813") {
			t.Errorf("%+v, %v", settled, err)
		}
		if !settled[0].Open || y.stages(t) != "intended answered" {
			t.Errorf("%+v; journal %q", settled[0], y.stages(t))
		}
		if out := y.Execute(t.Context(), y.plan(t, y.rollback()), action.Approval{Yes: true, Typed: "checkout/prod", Reason: "again", BreakGlass: true}); out.State != action.Refused || !strings.Contains(out.Text.String(), "still on its way") || !strings.Contains(out.Fix.String(), "wait for it to end") {
			t.Errorf("another one meanwhile: %+v", out)
		}
		y.hub.fate = sources.Progress{State: sources.Done, Text: clean.Const("there")}
		if settled, err = y.Settle(t.Context()); err != nil || len(settled) != 1 || settled[0].Open || settled[0].Outcome.State != action.Done {
			t.Errorf("%+v, %v", settled, err)
		}
	})
}

// Approving a gate, or running an old deployment again, is judged as the change that it is.
func TestRunsThatDeploy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		waits := y.hub.wait("prod", "c", true)
		y.hub.blind = true
		p, err := y.Propose(t.Context(), action.Request{Verb: sources.Approve, Target: waits.Ref})
		if err != nil {
			t.Fatal(err)
		}
		if v, text := finding(p, "ci"); v != policy.Deny || text == "" || p.Demand.Word != "checkout/prod" || p.Change == nil || p.Change.Undoes {
			t.Errorf("ci %s %q, demand %+v", v, text, p.Demand)
		}
		y.hub.blind = false
		p = y.plan(t, p.Request)
		y.hub.put("prod", "d", 0)
		if out := y.Execute(t.Context(), p, approve(p)); out.State != action.Stale || len(y.hub.writes) != 0 {
			t.Errorf("after prod changed: %+v", out)
		}
		for _, verb := range []sources.Verb{sources.Reject, sources.Cancel} {
			if p = y.plan(t, action.Request{Verb: verb, Target: waits.Ref}); p.Change != nil || p.Demand.Word != "checkout/prod" && p.Demand.Kind == action.TypeDemand {
				t.Errorf("%s: %+v, demand %+v", verb, p.Change, p.Demand)
			}
		}
		var old sources.Ref
		for _, d := range y.hub.envs["prod"].History {
			if d.Version.Same(version("a")) {
				old = d.Run
			}
		}
		p, err = y.Propose(t.Context(), action.Request{Verb: sources.RerunAll, Target: old})
		if err != nil {
			t.Fatal(err)
		}
		if v, text := finding(p, "direction"); v != policy.Warn || text == "" || p.Change == nil || !p.Change.Undoes || !p.Change.Then.Version.Same(version("a")) {
			t.Errorf("direction %s %q, change %+v", v, text, p.Change)
		}
		if p.Call.Verb != sources.RerunAll || p.Call.Target != old {
			t.Errorf("call %+v", p.Call)
		}
	})
}

// One action on a target at a time, whichever of its names it is asked by: approving the run that waits at an
// environment's gate is an action on the environment too. Rejecting it is not: it clears the way.
func TestLocksCoverWhatIsTouched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		waits := y.hub.wait("prod", "c", true)
		rollback := y.plan(t, y.rollback())
		yes := y.plan(t, action.Request{Verb: sources.Approve, Target: waits.Ref})
		y.hub.noLook = refusal(sources.Transient)
		done := make(chan action.Outcome)
		go func() { done <- y.Execute(t.Context(), rollback, approve(rollback)) }()
		synctest.Wait()
		if out := y.Execute(t.Context(), yes, approve(yes)); out.State != action.Refused || len(y.hub.writes) != 1 {
			t.Errorf("approving it meanwhile: %+v, %d writes", out, len(y.hub.writes))
		}
		reject := y.plan(t, action.Request{Verb: sources.Reject, Target: waits.Ref})
		if out := y.Execute(t.Context(), reject, approve(reject)); out.State == action.Refused || len(y.hub.writes) != 2 {
			t.Errorf("rejecting it meanwhile: %+v, %d writes", out, len(y.hub.writes))
		}
		if out := <-done; out.State != action.Unknown || !strings.HasPrefix(out.Text.String(), "what became of it could not be read within 30m: ") {
			t.Errorf("nobody could look: %+v", out)
		}
	})
}

func TestOffersOnAnEnvironment(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	var verbs []sources.Verb
	for _, s := range y.Offers(y.hub.envRef("prod")) {
		verbs = append(verbs, s.Verb)
	}
	if !slices.Equal(verbs, []sources.Verb{sources.Promote, sources.Rollback}) {
		t.Errorf("offers %v", verbs)
	}
}
