package wire

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/simulator/fault"
)

// environment is one of a service, as the board shows it.
func (s *stage) environment(service, name string) *sources.Environment {
	s.t.Helper()
	for e := range s.board.Snapshot().Environments() {
		if e.Service == service && e.Name == name {
			return e
		}
	}
	s.t.Fatalf("there is no %s/%s", service, name)
	return nil
}

// moved carries a change of version out, and before it what the plan offers to do first: what waits in its
// way goes. It returns the plan.
func (s *stage) moved(verb sources.Verb, service, env, via string) action.Plan {
	s.t.Helper()
	e := s.environment(service, env)
	q := action.Request{Verb: verb, Target: e.Ref, Revision: e.Revision, Via: via}
	p := s.propose(q)
	for _, first := range p.Offers {
		s.done(first.Request)
	}
	q.Revision = ""
	return s.done(q)
}

// approved promotes a service to production by approving the run that waits there.
func (s *stage) approved(service, via string) action.Plan {
	s.t.Helper()
	e := s.environment(service, "prod")
	return s.done(action.Request{Verb: sources.Promote, Target: e.Ref, Revision: e.Revision, Means: action.ByApproval, Via: via})
}

// done carries a request out, and returns its plan.
func (s *stage) done(q action.Request) action.Plan {
	s.t.Helper()
	p := s.propose(q)
	if p.Demand.Kind == action.Refusal {
		s.t.Fatalf("%s is refused: %+v", p.Title, p.Gates)
	}
	if out := s.board.Execute(context.Background(), p, agree(&p)); out.State != action.Done {
		s.t.Fatalf("%s is %+v", p.Title, out)
	}
	return p
}

// rerun carries out a plan that runs a release again, whose gates somebody opens.
func (s *stage) rerun(p *action.Plan) {
	s.t.Helper()
	over := make(chan action.Outcome, 1)
	go func() { over <- s.board.Execute(context.Background(), *p, agree(p)) }()
	var out action.Outcome
	s.await("the release is through its gates", func() bool {
		if _, err := s.sim.Decide(p.Service, true); err != nil {
			s.t.Error(err)
		}
		select {
		case out = <-over:
			return true
		default:
			return false
		}
	})
	if out.State != action.Done {
		s.t.Fatalf("%s is %+v", p.Title, out)
	}
}

// verdict waits until a guard has ended.
func (s *stage) verdict(plan string) guard.Verdict {
	s.t.Helper()
	s.await("the guard ends", func() bool { o := s.shown(plan, true); return o != nil && o.Ended() })
	return s.shown(plan, true).Report.Verdict
}

// guarded are the records of a guard's verdicts.
func (s *stage) guarded(plan string) []journal.Record {
	s.t.Helper()
	var out []journal.Record
	for r, err := range s.board.Journal().Records() {
		if err != nil {
			s.t.Fatal(err)
		}
		if r.Plan == plan && r.Stage == journal.Guarded {
			out = append(out, r)
		}
	}
	return out
}

// The story's last chapter: the bad version is rolled back, it is watched, and all is well.
func TestRollbackHeals(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{more: "guard: {window: 10m}"})
		p := s.moved(sources.Rollback, "checkout", "prod", viaBoard)
		if got, want := s.steps(p.ID, false), []string{"0", "1", "2", "3", "done"}; !slices.Equal(got, want) {
			t.Errorf("shown were %q, want %q", got, want)
		}
		if got := s.writes(); len(got) != 2 || !strings.HasSuffix(got[1], "/dispatches") {
			t.Errorf("sent were %q", got)
		}
		o := s.shown(p.ID, true)
		if o == nil || o.Ended() || o.Title.String() != "Guard checkout/prod v1.9.1" {
			t.Fatalf("the guard is %+v", o)
		}
		v := s.verdict(p.ID)
		if v.Outcome != guard.Pass {
			t.Errorf("the guard's verdict is %s: %s: %+v", v.Outcome, v.Why, v.Findings)
		}
		if o := s.shown(p.ID, true); o.Ask != nil {
			t.Errorf("it asks for %+v", o.Ask)
		}
		recs := s.guarded(p.ID)
		if len(recs) != 1 || !strings.Contains(recs[0].Outcome.String(), "guard pass") || recs[0].Environment != "prod" || recs[0].Who.Via != viaGuard {
			t.Errorf("recorded is %+v", recs)
		}
		e := s.environment("checkout", "prod")
		if got := e.Targets[0].Current.Version.Short().String(); got != "v1.9.1" {
			t.Errorf("in prod runs %s", got)
		}
	})
}

// A promotion after which a service fails more is held against it: the board asks, and does nothing by itself.
func TestGuardAsks(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{more: fmt.Sprintf(`
guard: {on_fail: rollback, window: 10m}
notify:
  - {webhook: "https://%s/guards", secret: "file:%s", on: [guard]}
`, elsewhere, token)})
		before := s.environment("search", "prod").Targets[0].Current.Version
		if _, err := sim.Judge("search", "v0.8.1", true); err != nil {
			t.Fatal(err)
		}
		p := s.approved("search", viaBoard)
		sent := len(s.writes())
		v := s.verdict(p.ID)
		if v.Outcome != guard.Fail {
			t.Fatalf("the guard's verdict is %s: %s: %+v", v.Outcome, v.Why, v.Findings)
		}
		synctest.Wait()
		if len(s.hooks) != 1 || !strings.Contains(s.hooks[0], `"event":"guard","outcome":"fail"`) {
			t.Errorf("told were %q", s.hooks)
		}
		ask := s.shown(p.ID, true).Ask
		if ask == nil || ask.Verb != sources.Rollback || ask.Target != p.Request.Target || ask.Version != before.SHA || ask.Via != viaBoard {
			t.Fatalf("it asks for %+v", ask)
		}
		time.Sleep(keepEnded + time.Minute)
		if o := s.shown(p.ID, true); o == nil || o.Ask == nil || len(s.writes()) != sent {
			t.Errorf("what it asks for went unanswered: %+v; sent were %q", o, s.writes()[sent:])
		}
		undo := s.propose(*ask)
		if undo.Change == nil || !undo.Change.Then.Version.Same(before) {
			t.Fatalf("the plan is %+v", undo)
		}
		if out := s.board.Execute(context.Background(), undo, action.Approval{}); out.State != action.Refused || s.shown(p.ID, true).Ask == nil {
			t.Errorf("what was not confirmed is the answer: %+v", out)
		}
		s.rerun(&undo)
		if o := s.shown(p.ID, true); o != nil && o.Ask != nil {
			t.Errorf("it still asks for %+v", o.Ask)
		}
	})
}

// Without a board a guard may roll back by itself: once.
func TestGuardRollsBackOnce(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{more: "guard: {on_fail: rollback, window: 10m}"})
		for _, version := range []string{"v0.8.0", "v0.8.1"} {
			if _, err := sim.Judge("search", version, true); err != nil {
				t.Fatal(err)
			}
		}
		p := s.approved("search", "command")
		if o := s.shown(p.ID, true); o != nil {
			t.Errorf("a command is watched by itself: %+v", o)
		}
		reports := 0
		watch := func(plan string) (guard.Verdict, guard.Step, *action.Request) {
			v, step, q, err := s.board.Guard(context.Background(), GuardRequest{
				Service: "search", Environment: "prod", Plan: plan, Progress: func(guard.Report) { reports++ },
			})
			if err != nil {
				t.Fatal(err)
			}
			return v, step, q
		}
		v, step, undo := watch(p.ID)
		if v.Outcome != guard.Fail || step != guard.RollBack || undo == nil || undo.Via != viaGuard || reports == 0 {
			t.Fatalf("the verdict is %s (%s), and what follows %s: %+v after %d reports", v.Outcome, v.Why, step, undo, reports)
		}
		back := s.propose(*undo)
		s.rerun(&back)
		v, step, undo = watch(back.ID)
		if v.Outcome != guard.Fail || step != guard.Ask || undo == nil || !strings.Contains(v.Why.String(), "it is not rolled back: ") {
			t.Errorf("the second time the verdict is %s (%s), and what follows %s: %+v", v.Outcome, v.Why, step, undo)
		}
	})
}

// What cannot be read is no pass: the guard holds, and says what it lacked.
func TestGuardWithoutDataHolds(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{more: "guard: {window: 8m}"})
		p := s.moved(sources.Rollback, "checkout", "prod", viaBoard)
		if err := sim.Inject(fault.Rule{Path: "/api/v2/query/**", Kind: fault.Status, Code: http.StatusInternalServerError}); err != nil {
			t.Fatal(err)
		}
		v := s.verdict(p.ID)
		lacked := slices.ContainsFunc(v.Findings, func(f guard.Finding) bool { return f.Subject == guard.OfReading })
		if v.Outcome != guard.Inconclusive || !lacked || s.shown(p.ID, true).Ask != nil {
			t.Errorf("the verdict is %s: %s: %+v", v.Outcome, v.Why, v.Findings)
		}
	})
}

// A guard that the program's end ends holds, and says so.
func TestGuardEndsWithTheProgram(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{})
		p := s.moved(sources.Rollback, "checkout", "prod", viaBoard)
		s.await("the guard has looked", func() bool { o := s.shown(p.ID, true); return o != nil && o.Report != nil })
		s.end()
		recs := s.guarded(p.ID)
		if len(recs) != 1 || !strings.Contains(recs[0].Outcome.String(), "inconclusive: the guard ended with the program") {
			t.Errorf("recorded is %+v", recs)
		}
		if out := s.board.Execute(context.Background(), p, agree(&p)); out.State != action.Refused {
			t.Errorf("after the end a plan is %+v", out)
		}
	})
}

// Where the config turns it off, or nothing tells how a version behaves, nothing is watched.
func TestNoGuard(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{more: "guard: {window: 0}"})
		p := s.moved(sources.Rollback, "checkout", "prod", viaBoard)
		synctest.Wait()
		if o := s.shown(p.ID, true); o != nil {
			t.Errorf("it is watched: %+v", o)
		}
		if s.board.Guards("checkout", "prod") || s.board.Guards("checkout", "staging") {
			t.Error("a guard is promised")
		}
		_, _, _, err := s.board.Guard(context.Background(), GuardRequest{Service: "checkout", Environment: "staging"})
		if sources.KindOf(err) != sources.NotExist {
			t.Errorf("production's numbers are held against staging: %v", err)
		}
		_, _, _, err = s.board.Guard(context.Background(), GuardRequest{Service: "nothing", Environment: "prod"})
		if sources.KindOf(err) != sources.NotExist {
			t.Errorf("what the config does not name is watched: %v", err)
		}
	})
}
