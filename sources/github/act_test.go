package github_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
)

type lever interface {
	sources.Actor
	sources.Previewer
	sources.Verifier
}

// levers are the driver and the newest run of a scope that is in a state.
func levers(t *testing.T, scope string, state sources.State) (*simulator.Simulator, lever, sources.Run) {
	t.Helper()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	l := list[lever](t, src)
	q := sources.Query{Scope: scope, Now: sim.Now(), Identity: "sre1"}
	b, err := list[sources.RunLister](t, src).ListRuns(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range b.Items {
		if r.State == state {
			obj, err := l.Get(t.Context(), r.Ref)
			if err != nil {
				t.Fatal(err)
			}
			run, ok := obj.(sources.Run)
			if !ok {
				t.Fatalf("a run is a %T", obj)
			}
			sim.ResetUsage()
			return sim, l, run
		}
	}
	t.Fatalf("no run of %s is %s", scope, state)
	return nil, nil, sources.Run{}
}

func callOn(r sources.Run, v sources.Verb) sources.Call {
	return sources.Call{ID: "plan", Verb: v, Target: r.Ref, Revision: r.Revision, Identity: "sre1", Text: "it is fine"}
}

// writes counts the requests that change something.
func writes(sim *simulator.Simulator) int {
	n := 0
	for _, e := range sim.Usage().Endpoints {
		if !strings.HasPrefix(e.Name, http.MethodGet) {
			n += e.Requests
		}
	}
	return n
}

func follow(t *testing.T, sim *simulator.Simulator, l lever, c sources.Call, rc sources.Receipt) sources.Progress {
	t.Helper()
	for range 20 {
		p, err := l.Verify(t.Context(), c, rc)
		if err != nil {
			t.Fatal(err)
		}
		if p.State != sources.Pending {
			return p
		}
		sim.Advance(15 * time.Second)
	}
	t.Fatal("nothing came of it")
	return sources.Progress{}
}

// Every verb sends one request, the world changes, and the driver sees that it did, with its receipt and
// without.
func TestRunVerbs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verb  sources.Verb
		scope string
		state sources.State
		how   string
		after func(sources.Run) bool
	}{
		{sources.Approve, "acme/search", sources.StateWaiting, "/pending_deployments", func(r sources.Run) bool { return r.State != sources.StateWaiting }},
		{sources.Reject, "acme/search", sources.StateWaiting, "/pending_deployments", func(r sources.Run) bool { return r.State == sources.StateFailed }},
		{sources.RerunFailed, "acme/money", sources.StateFailed, "/rerun-failed-jobs", func(r sources.Run) bool { return r.Attempt == 2 }},
		{sources.RerunAll, "acme/checkout", sources.StatePassed, "/rerun", func(r sources.Run) bool { return r.Attempt == 2 }},
		{sources.Cancel, "acme/web", sources.StateRunning, "/cancel", func(r sources.Run) bool { return r.State == sources.StateCancelled }},
	} {
		t.Run(string(c.verb), func(t *testing.T) {
			t.Parallel()
			sim, l, run := levers(t, c.scope, c.state)
			call := callOn(run, c.verb)
			p, err := l.Preview(t.Context(), call)
			if err != nil || !strings.HasSuffix(p.How.String(), c.how) || writes(sim) != 0 {
				t.Fatalf("preview %+v, %v, %d writes", p, err, writes(sim))
			}
			if got, err := l.Verify(t.Context(), call, sources.Receipt{}); err != nil || got.State != sources.Pending {
				t.Errorf("before it was sent: %+v, %v", got, err)
			}
			rc, err := l.Perform(t.Context(), call)
			if err != nil || rc.URL == "" || writes(sim) != 1 {
				t.Fatalf("receipt %+v, %v, %d writes", rc, err, writes(sim))
			}
			if got := follow(t, sim, l, call, rc); got.State != sources.Done || got.Text.IsZero() {
				t.Errorf("progress %+v", got)
			}
			if got := follow(t, sim, l, call, sources.Receipt{}); got.State != sources.Done {
				t.Errorf("without its receipt: %+v", got)
			}
			obj, err := l.Get(t.Context(), run.Ref)
			if r, ok := obj.(sources.Run); err != nil || !ok || !c.after(r) || r.Revision == run.Revision {
				t.Errorf("the run afterwards: %+v, %v", obj, err)
			}
			for _, one := range sim.Usage().Complaints {
				if one.Kind != "asked again without condition" { // what an action rests on is read anew
					t.Errorf("no well-behaved client does this: %+v", one)
				}
			}
		})
	}
}

// What cannot be done is refused before anything is sent.
func TestRunVerbsThatDoNotFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verb  sources.Verb
		scope string
		state sources.State
		field string
		want  sources.ErrKind
	}{
		{sources.Approve, "acme/checkout", sources.StatePassed, "", sources.Conflict},
		{sources.Reject, "acme/search", sources.StateWaiting, "nowhere", sources.Conflict},
		{sources.Cancel, "acme/checkout", sources.StatePassed, "", sources.Conflict},
		{sources.RerunAll, "acme/web", sources.StateRunning, "", sources.Conflict},
		{sources.RerunFailed, "acme/web", sources.StateRunning, "", sources.Conflict},
		{sources.Acknowledge, "acme/web", sources.StateRunning, "", sources.Unsupported},
	} {
		t.Run(string(c.verb), func(t *testing.T) {
			t.Parallel()
			sim, l, run := levers(t, c.scope, c.state)
			call := callOn(run, c.verb)
			if c.field != "" {
				call.Fields = map[string]string{"environments": c.field}
			}
			if _, err := l.Perform(t.Context(), call); sources.KindOf(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			if n := writes(sim); n != 0 {
				t.Errorf("%d writes were sent", n)
			}
		})
	}
}

// Whatever goes wrong with the write: it is never repeated, and only what may have arrived is called
// ambiguous.
func TestRunVerbsUnderFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule fault.Rule
		want sources.ErrKind
		done bool // it happened all the same
	}{
		{fault.Rule{Kind: fault.Status, Code: 500}, sources.Ambiguous, false},
		{fault.Rule{Kind: fault.Status, Code: 503}, sources.Ambiguous, false},
		{fault.Rule{Kind: fault.Status, Code: 409}, sources.Conflict, false},
		{fault.Rule{Kind: fault.Status, Code: 422}, sources.Conflict, false},
		{fault.Rule{Kind: fault.Status, Code: 403}, sources.Permission, false},
		{fault.Rule{Kind: fault.Status, Code: 404}, sources.NotExist, false},
		{fault.Rule{Kind: fault.Status, Code: 429}, sources.Throttled, false},
		{fault.Rule{Kind: fault.Secondary}, sources.Throttled, false},
		{fault.Rule{Kind: fault.HTML}, sources.Ambiguous, false},
		{fault.Rule{Kind: fault.LostRequest}, sources.Ambiguous, false},
		{fault.Rule{Kind: fault.LostAnswer}, sources.Ambiguous, true},
	} {
		t.Run(fmt.Sprint(c.rule.Kind, c.rule.Code), func(t *testing.T) {
			t.Parallel()
			sim, l, run := levers(t, "acme/web", sources.StateRunning)
			c.rule.Method, c.rule.Path = http.MethodPost, "/**"
			if err := sim.Inject(c.rule); err != nil {
				t.Fatal(err)
			}
			_, err := l.Perform(t.Context(), callOn(run, sources.Cancel))
			if err == nil || sources.KindOf(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			if n := writes(sim); n > 1 {
				t.Errorf("%d writes were sent", n)
			}
			if c.want == sources.Throttled {
				return // GitHub answers nothing before the time is up
			}
			sim.ClearFaults()
			call := callOn(run, sources.Cancel)
			sim.Advance(15 * time.Second)
			if got, err := l.Verify(t.Context(), call, sources.Receipt{}); err != nil || (got.State == sources.Done) != c.done {
				t.Errorf("what became of it: %+v, %v", got, err)
			}
		})
	}
}
