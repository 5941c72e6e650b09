package levertest

import (
	"context"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/simulator/fault"
)

// TestOverTheNetwork holds over real connections, with the simulator's own faults, what the matrix holds without:
// each way in which a write, or its answer, is lost.
func TestOverTheNetwork(t *testing.T) {
	t.Parallel()
	for _, v := range mortals(t) {
		if v.worn {
			continue // its effect takes minutes
		}
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			e := newEarth(t)
			for _, k := range []fault.Kind{fault.LostRequest, fault.LostAnswer, fault.Reset, fault.Hang, fault.Stall, fault.HTML} {
				t.Run(string(k), func(t *testing.T) { overNetwork(t, &v, e, k) })
			}
		})
	}
}

func overNetwork(t *testing.T, v *verb, e *earth, k fault.Kind) {
	d := v.deed(t, e)
	net := &http.Transport{}
	t.Cleanup(net.CloseIdleConnections)
	l := newLink(e, 0)
	l.still = e.Now()
	r := newRig(t, rigging{source: v.source, link: l, token: e.token, base: e.URL(), dir: t.TempDir(), judge: d.judge, via: impatient{net, e, k}})
	r.service = d.service
	if len(d.services) > 0 {
		r.observe(t, d.services...)
	}
	q := d.ask(t, r)
	e.ResetRequests()
	p, err := r.Propose(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	p.Deadline = time.Millisecond // what can be seen is seen at once
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if err := e.Inject(fault.Rule{Method: method, Path: "/**", Kind: k}); err != nil {
			t.Fatal(err)
		}
	}
	defer e.ClearFaults()
	out := r.Execute(context.WithoutCancel(t.Context()), p, approve(&p))
	stages, applied := r.stages(t, p.ID), e.applied()
	happens := k == fault.LostAnswer || k == fault.Reset || k == fault.Stall
	if (applied == 1) != happens || len(e.Requests(true)) != 1 {
		t.Errorf("%d effects of %d requests: %+v", applied, len(e.Requests(true)), out)
	}
	if out.State == action.Done && !d.shows(t, &p) || out.State == action.Failed || out.State == action.Refused || out.Text.IsZero() {
		t.Errorf("the outcome is %+v", out)
	}
	// Of a driver that asks for no more than the status, an answer that breaks in its middle was not lost.
	told := len(stages) == 3 && (stages[1] == journal.Unknown || stages[1] == journal.Answered && k == fault.Reset)
	if !told || stages[0] != journal.Intended || (out.State == action.Done) != slices.Contains(stages, journal.Verified) {
		t.Errorf("recorded %q: %+v", stages, out)
	}
}

// impatient gives a write up that is not answered: as soon as it has arrived, or has had its effect.
type impatient struct {
	http.RoundTripper

	world *earth
	kind  fault.Kind
}

func (i impatient) RoundTrip(r *http.Request) (*http.Response, error) {
	if !mayWrite(r) || i.kind != fault.Hang && i.kind != fault.Stall {
		return i.RoundTripper.RoundTrip(r)
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if all := i.world.Requests(true); len(all) > 0 && (i.kind == fault.Hang || all[0].Applied) {
				cancel()
			}
			runtime.Gosched()
		}
	}()
	return i.RoundTripper.RoundTrip(r.WithContext(ctx))
}
