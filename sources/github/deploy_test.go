package github_test

import (
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
)

// prod is checkout's production in a world, and the version that ran there before.
func prod(t *testing.T, o simulator.Options) (*simulator.Simulator, lever, sources.Environment, string) {
	t.Helper()
	sim, src := simulated(t, o)
	if _, err := sim.Decide("checkout", false); err != nil { // nothing holds the queue
		t.Fatal(err)
	}
	sim.Advance(2 * time.Second)
	_, envs := storyRead(t, sim, src, "acme/checkout", storySpec("checkout"))
	e := find(t, envs.Items, "prod")
	before := ""
	for _, d := range e.History {
		if !d.Version.Same(e.Targets[0].Current.Version) {
			before = d.Version.SHA
			break
		}
	}
	if before == "" {
		t.Fatal("nothing ran there before")
	}
	sim.ResetUsage()
	return sim, list[lever](t, src), e, before
}

func dispatchOf(e sources.Environment, sha string) sources.Call {
	return sources.Call{
		ID: "20261122-021400-abcdef", Verb: sources.Dispatch, Target: e.Ref, Revision: e.Revision, Identity: "sre1", Fields: map[string]string{
			sources.FieldWorkflow: "deploy.yml", sources.FieldRef: "main", sources.FieldVersion: sha,
			sources.FieldInput + "ref": sha, sources.FieldInput + "environment": "prod",
		},
	}
}

// Rolling back by a dispatch is one request, and done when production runs the version, not before.
func TestDispatch(t *testing.T) {
	t.Parallel()
	sim, l, e, before := prod(t, simulator.Options{Seed: 1})
	call := dispatchOf(e, before)
	p, err := l.Preview(t.Context(), call)
	if err != nil || p.Covers != 2 || !strings.Contains(p.How.String(), "dispatch deploy.yml@main, input environment=prod ref="+before) || writes(sim) != 0 {
		t.Fatalf("preview %+v, %v", p, err)
	}
	if got, err := l.Verify(t.Context(), call, sources.Receipt{}); err != nil || got.State != sources.Pending {
		t.Errorf("before it was sent: %+v, %v", got, err)
	}
	rc, err := l.Perform(t.Context(), call)
	if err != nil || rc.ID == "" || rc.Made.Kind != sources.KindRun || writes(sim) != 1 {
		t.Fatalf("receipt %+v, %v, %d writes", rc, err, writes(sim))
	}
	if got, err := l.Verify(t.Context(), call, rc); err != nil || got.State != sources.Pending || !strings.HasPrefix(got.Text.String(), "run ") {
		t.Errorf("on its way: %+v, %v", got, err)
	}
	seen := map[string]bool{}
	for range 60 {
		got, err := l.Verify(t.Context(), call, rc)
		if err != nil {
			t.Fatal(err)
		}
		seen[got.Text.String()] = true
		if got.State == sources.Done {
			if want := before[:7] + " runs in prod eu us"; got.Text.String() != want {
				t.Errorf("done: %q, want %q", got.Text, want)
			}
			if lost, err := l.Verify(t.Context(), call, sources.Receipt{}); err != nil || lost.State != sources.Done {
				t.Errorf("without its receipt: %+v, %v", lost, err)
			}
			if len(seen) < 3 {
				t.Errorf("it said only %v on its way", seen)
			}
			return
		}
		if got.State == sources.Undone {
			t.Fatalf("%+v", got)
		}
		sim.Advance(10 * time.Second)
	}
	t.Fatalf("it never came: %v", seen)
}

// A run that fails is told as such, and so is one that cannot check its version out.
func TestDispatchThatFails(t *testing.T) {
	t.Parallel()
	sim, l, e, _ := prod(t, simulator.Options{Seed: 1})
	call := dispatchOf(e, strings.Repeat("dead", 10))
	rc, err := l.Perform(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	got := follow(t, sim, l, call, rc)
	if got.State != sources.Undone || !strings.Contains(got.Text.String(), "failed") || got.URL == "" {
		t.Errorf("%+v", got)
	}
}

// A server that does not say which run a dispatch starts gets none, unless the run can be told by a mark.
func TestDispatchWithoutRunDetails(t *testing.T) {
	t.Parallel()
	sim, l, e, before := prod(t, simulator.Options{Seed: 1, Enterprise: true})
	call := dispatchOf(e, before)
	if _, err := l.Perform(t.Context(), call); sources.KindOf(err) != sources.Unsupported || writes(sim) != 0 {
		t.Errorf("%v after %d writes", err, writes(sim))
	}
	call.Fields[sources.FieldMarker] = "signalbox"
	if _, err := l.Perform(t.Context(), call); sources.KindOf(err) != sources.Conflict || writes(sim) != 1 {
		t.Errorf("an input that the workflow has not: %v after %d writes", err, writes(sim))
	}
}

// A filed deployment that nobody listens for is never called done.
func TestDeployment(t *testing.T) {
	t.Parallel()
	sim, l, e, before := prod(t, simulator.Options{Seed: 1})
	call := dispatchOf(e, before)
	call.Verb = sources.Deploy
	if _, err := l.Preview(t.Context(), call); sources.KindOf(err) != sources.Unsupported {
		t.Errorf("a deployment of two targets: %v", err)
	}
	call.Fields[sources.FieldTargets] = "eu"
	p, err := l.Preview(t.Context(), call)
	if err != nil || !strings.HasSuffix(p.How.String(), "to production-eu") || p.Covers != 1 {
		t.Fatalf("preview %+v, %v", p, err)
	}
	rc, err := l.Perform(t.Context(), call)
	if err != nil || rc.Made.Kind != sources.KindDeployment || writes(sim) != 1 {
		t.Fatalf("receipt %+v, %v, %d writes", rc, err, writes(sim))
	}
	sim.Advance(time.Minute)
	if got, err := l.Verify(t.Context(), call, rc); err != nil || got.State != sources.Pending {
		t.Errorf("nobody listens: %+v, %v", got, err)
	}
}

func TestDeploysThatDoNotFit(t *testing.T) {
	t.Parallel()
	sim, l, e, before := prod(t, simulator.Options{Seed: 1})
	for name, change := range map[string]func(*sources.Call){
		"no version":  func(c *sources.Call) { delete(c.Fields, sources.FieldVersion) },
		"no workflow": func(c *sources.Call) { delete(c.Fields, sources.FieldWorkflow) },
		"no branch":   func(c *sources.Call) { delete(c.Fields, sources.FieldRef) },
		"no sha":      func(c *sources.Call) { c.Fields[sources.FieldVersion] = "main; rm" },
		"a promotion": func(c *sources.Call) { c.Verb = sources.Promote },
		"an incident": func(c *sources.Call) { c.Target.Kind = sources.KindIncident },
	} {
		call := dispatchOf(e, before)
		change(&call)
		if _, err := l.Perform(t.Context(), call); err == nil {
			t.Errorf("%s: it was done", name)
		}
	}
	if n := writes(sim); n != 0 {
		t.Errorf("%d writes were sent", n)
	}
}

// A lost answer to a dispatch leaves open whether it happened, and the environment settles it.
func TestDispatchWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	sim, l, e, before := prod(t, simulator.Options{Seed: 1})
	if err := sim.Inject(fault.Rule{Method: "POST", Path: "/**", Kind: fault.LostAnswer}); err != nil {
		t.Fatal(err)
	}
	call := dispatchOf(e, before)
	if _, err := l.Perform(t.Context(), call); sources.KindOf(err) != sources.Ambiguous || writes(sim) != 1 {
		t.Fatalf("%v after %d writes", err, writes(sim))
	}
	sim.ClearFaults()
	sim.Advance(8 * time.Minute)
	if got, err := l.Verify(t.Context(), call, sources.Receipt{}); err != nil || got.State != sources.Done {
		t.Errorf("%+v, %v", got, err)
	}
}
