package levertest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/journal"
)

// meddled are deeds with what somebody else does to their targets meanwhile.
func meddled(t testing.TB) map[string]struct {
	verb   verb
	meddle func(testing.TB, *earth, sources.Ref)
} {
	t.Helper()
	type one = struct {
		verb   verb
		meddle func(testing.TB, *earth, sources.Ref)
	}
	byHand := func(t testing.TB, e *earth, ref sources.Ref) {
		e.raw(t, http.MethodPut, "/pagerduty/incidents/"+ref.ID, `{"incident":{"type":"incident_reference","status":"acknowledged"}}`, nil)
	}
	out := map[string]one{}
	for _, v := range append(pagerDutyVerbs(), append(append(datadogVerbs(), runVerbs()...), changeVerbs()...)...) {
		switch v.name {
		case "pagerduty ack", "pagerduty resolve", "pagerduty note", "pagerduty reassign":
			out[v.name] = one{v, byHand}
		case "datadog mute":
			out[v.name] = one{v, func(t testing.TB, e *earth, _ sources.Ref) { e.muted(t) }}
		case "github reject", "github approve":
			out[v.name] = one{v, func(t testing.TB, e *earth, _ sources.Ref) {
				if _, err := e.Decide("search", true); err != nil {
					t.Fatal(err)
				}
				e.forward(5 * time.Second)
			}}
		case "github promote by workflow":
			out[v.name] = one{v, func(t testing.TB, e *earth, _ sources.Ref) {
				e.raw(t, http.MethodPost, "/repos/acme/web/actions/workflows/deploy.yml/dispatches", `{"ref":"main","inputs":{"environment":"prod","ref":"main"}}`, nil)
				e.forward(30 * time.Second)
			}}
		}
	}
	return out
}

// TestStaleAtEachPoint changes the target between the look and the key, between the plan and its confirmation, and
// between the confirmation and the request. Nothing is sent, each time, and it is said.
func TestStaleAtEachPoint(t *testing.T) {
	t.Parallel()
	for name, c := range meddled(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEarth(t)
			stage := func(when string, f func(t *testing.T, r *rig, q action.Request, meddle func())) {
				t.Run(when, func(t *testing.T) {
					d := c.verb.deed(t, e)
					dir := t.TempDir()
					synctest.Test(t, func(t *testing.T) {
						r := rigOn(t, &c.verb, e, &d, dir)
						q := d.ask(t, r)
						f(t, r, q, func() { c.meddle(t, e, q.Target) })
						if sent := r.link.sent(); len(sent) != 0 {
							t.Errorf("sent %q", sent)
						}
					})
				})
			}
			changed := func(t *testing.T, p action.Plan, err error) {
				t.Helper()
				// Either it is said that it has changed, or it cannot be done any more to what is so now.
				if err == nil && !p.Changed && p.Demand.Kind != action.Refusal {
					t.Errorf("it has changed, and the plan does not say so: %s", p.Now)
				}
			}
			stage("between look and key", func(t *testing.T, r *rig, q action.Request, meddle func()) {
				meddle()
				p, err := r.Propose(context.Background(), q)
				changed(t, p, err)
			})
			stage("between plan and confirmation", func(t *testing.T, r *rig, q action.Request, meddle func()) {
				p := proposed(t, r, q)
				meddle()
				fresh, err := r.Renew(context.Background(), p)
				changed(t, fresh, err)
				if fresh.ID != p.ID {
					t.Errorf("it has become another plan: %s", fresh.ID)
				}
				refused(t, r, p) // whoever confirms what was on the screen before
			})
			stage("between confirmation and request", func(t *testing.T, r *rig, q action.Request, meddle func()) {
				p := proposed(t, r, q)
				meddle()
				refused(t, r, p)
			})
		})
	}
}

func proposed(t *testing.T, r *rig, q action.Request) action.Plan {
	t.Helper()
	p, err := r.Propose(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if p.Changed || p.Demand.Kind == action.Refusal {
		t.Fatalf("demands %+v, changed %t: %+v", p.Demand, p.Changed, p.Gates)
	}
	return p
}

// refused holds that a plan of what is so no more is stale, with a record that says so.
func refused(t *testing.T, r *rig, p action.Plan) {
	t.Helper()
	out := r.Execute(context.Background(), p, approve(&p))
	stages := r.stages(t, p.ID)
	if out.State != action.Stale && out.State != action.Refused || out.Text.IsZero() || out.Fix.IsZero() {
		t.Errorf("the outcome is %+v", out)
	}
	if len(stages) != 1 || stages[0] != journal.Stale && stages[0] != journal.Refused {
		t.Errorf("recorded %q", stages)
	}
}

// TestSameNamesAreNotConfused holds that an action on one of two things of the same name, in two sources of the
// same kind, goes to that one, and that neither source acts on what is the other's.
func TestSameNamesAreNotConfused(t *testing.T) {
	t.Parallel()
	v := onPage(sources.Acknowledge, nil)
	eu, us := newEarth(t), newEarth(t)
	de, du := v.deed(t, eu), v.deed(t, us) // the same title, the same number, the same id
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		eu.ResetRequests()
		us.ResetRequests()
		re, ru := rigOn(t, &v, eu, &de, dir), rigOn(t, &v, us, &du, dir)
		qe, qu := de.ask(t, re), du.ask(t, ru)
		if qe.Target != qu.Target {
			t.Fatalf("the worlds differ: %s, %s", qe.Target, qu.Target)
		}
		// One board knows both, each under its own name.
		foreign := qu
		foreign.Target.Source = "pagerduty-us"
		if _, err := re.Propose(context.Background(), foreign); sources.KindOf(err) != sources.NotExist || err == nil {
			t.Errorf("another source's incident: %v", err)
		}
		if _, err := re.set.Actor.Get(context.Background(), foreign.Target); err == nil {
			t.Error("the driver reads another source's incident")
		}
		for _, verb := range []sources.Verb{sources.Acknowledge, sources.Resolve, sources.AddNote} {
			if _, err := re.set.Actor.Perform(context.Background(), sources.Call{ID: "x", Verb: verb, Target: foreign.Target, Text: "x"}); err == nil {
				t.Errorf("the driver can %s another source's incident", verb)
			}
		}
		p := proposed(t, re, qe)
		if out := re.Execute(context.Background(), p, approve(&p)); out.State != action.Done {
			t.Errorf("the outcome is %+v", out)
		}
		if eu.applied() != 1 || us.applied() != 0 || len(ru.link.sent()) != 0 || len(re.link.sent()) != 1 {
			t.Errorf("%d effects here, %d there", eu.applied(), us.applied())
		}
		// A plan's id is its own.
		if q := proposed(t, ru, qu); q.ID == p.ID {
			t.Errorf("two plans have the id %s", q.ID)
		}
	})
}

// TestSameEnvironmentsAreNotConfused holds that prod of one service is not prod of another, nor that of another
// repository.
func TestSameEnvironmentsAreNotConfused(t *testing.T) {
	t.Parallel()
	e := newEarth(t)
	for _, v := range changeVerbs() {
		if v.name != "github promote by workflow" {
			continue
		}
		d := v.deed(t, e)
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			e.ResetRequests()
			r := rigOn(t, &v, e, &d, dir)
			q := d.ask(t, r)
			for _, ref := range []sources.Ref{
				{Source: "github", Kind: sources.KindEnvironment, Scope: "acme/search", ID: "web/prod"},
				{Source: "github", Kind: sources.KindEnvironment, Scope: "acme/web", ID: "search/prod"},
				{Source: "github-eu", Kind: sources.KindEnvironment, Scope: "acme/web", ID: "web/prod"},
				{Source: "github", Kind: sources.KindEnvironment, Scope: "acme/web", ID: "prod"},
			} {
				wrong := q
				wrong.Target, wrong.Revision = ref, ""
				p, err := r.Propose(context.Background(), wrong)
				if err == nil && (p.Demand.Kind != action.Refusal || p.Call.Target == q.Target) {
					t.Errorf("%s makes a plan for %s: %s", ref, p.Call.Target, p.Title)
				}
			}
			p := proposed(t, r, q)
			if out := r.Execute(context.Background(), p, approve(&p)); out.State != action.Done {
				t.Errorf("the outcome is %+v", out)
			}
			if sent := r.link.sent(); len(sent) != 1 || !strings.Contains(sent[0], "/repos/acme/web/") {
				t.Errorf("sent %q", sent)
			}
		})
	}
}
