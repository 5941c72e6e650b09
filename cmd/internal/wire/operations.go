package wire

import (
	"slices"
	"sync"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/crash"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/ui/pane"
)

const (
	keepEnded = 10 * time.Minute // an operation that asks nothing
	mostEnded = 20
)

// operations are what is under way and what has just ended. Nothing that it does blocks.
type operations struct {
	now   func() time.Time
	crash crash.Handler
	out   chan []pane.Operation // capacity 1: the latest list

	mu     sync.Mutex
	list   []*operation              // in the order in which they began
	left   map[string]pane.Operation // what a crash left open, by plan: shown once something is heard of it
	closed bool
}

// operation is one entry of the list.
type operation struct {
	pane.Operation
	acted time.Time // when it was sent; zero: not yet
	timer *time.Timer
}

func newOperations(now func() time.Time, c crash.Handler) *operations {
	return &operations{now: now, crash: c, out: make(chan []pane.Operation, 1), left: map[string]pane.Operation{}}
}

// begin shows a plan that is about to be carried out, in the place of what became of it before.
func (o *operations) begin(p *action.Plan) {
	now := o.now()
	o.put(pane.Operation{
		Plan: p.ID, Verb: p.Request.Verb, Target: p.Request.Target, Service: p.Service, Title: p.Title,
		Step: action.Sending, Text: clean.Const("reading it once more"), Since: now, At: now,
	})
}

// put shows an operation, in the place of the one of the same plan and kind.
func (o *operations) put(op pane.Operation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remove(func(e *operation) bool { return e.Plan == op.Plan && e.Guard == op.Guard })
	o.list = append(o.list, &operation{Operation: op})
	o.publish()
}

// notice is told of each step of an action.
func (o *operations) notice(e action.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.known(e.Plan)
	if x == nil {
		return
	}
	x.Step, x.At = e.Step, e.At
	if !e.Text.IsZero() {
		x.Text = e.Text
	}
	if e.URL != "" {
		x.URL = e.URL
	}
	if e.Step == action.Sending {
		x.acted = e.At
		o.answer(x.Verb, x.Target)
	}
	o.publish()
}

// end shows what became of an action, and tells when it was sent.
func (o *operations) end(plan string, out action.Outcome) (acted time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.known(plan)
	if x == nil {
		return time.Time{}
	}
	x.Step, x.Text, x.At, x.Outcome = action.Ended, out.Text, o.now(), &out
	if out.URL != "" {
		x.URL = out.URL
	}
	o.expire(x)
	o.publish()
	return x.acted
}

// report shows how a guard stands; ask is what it proposes.
func (o *operations) report(plan string, r guard.Report, ask *action.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.find(plan, true)
	if x == nil {
		return
	}
	x.Text, x.At, x.Report, x.Ask = r.Line(), o.now(), &r, ask
	if r.Verdict.Final {
		x.Step = action.Ended
		if ask == nil {
			o.expire(x)
		}
	}
	o.publish()
}

// dismiss takes what has ended of a plan out of the list.
func (o *operations) dismiss(plan string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remove(func(e *operation) bool { return e.Plan == plan && e.Ended() })
	o.publish()
}

// leave says which actions a crash left open. None of them is shown before something is heard of it.
func (o *operations) leave(ops []pane.Operation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, op := range ops {
		o.left[op.Plan] = op
	}
}

// answer takes the question out of guards' operations once what they ask for is being sent.
func (o *operations) answer(verb sources.Verb, target sources.Ref) {
	for _, x := range o.list {
		if x.Ask != nil && x.Ask.Verb == verb && x.Ask.Target == target {
			x.Ask = nil
			o.expire(x)
		}
	}
}

// known is the action of a plan, which is shown from now on where a crash has left it open; nil: it is no
// board's.
func (o *operations) known(plan string) *operation {
	if x := o.find(plan, false); x != nil {
		return x
	}
	left, ok := o.left[plan]
	if !ok {
		return nil
	}
	delete(o.left, plan)
	x := &operation{Operation: left}
	x.Since = o.now()
	o.list = append(o.list, x)
	return x
}

func (o *operations) find(plan string, isGuard bool) *operation {
	for _, x := range o.list {
		if x.Plan == plan && x.Guard == isGuard {
			return x
		}
	}
	return nil
}

func (o *operations) remove(gone func(*operation) bool) {
	o.list = slices.DeleteFunc(o.list, func(x *operation) bool {
		if !gone(x) {
			return false
		}
		if x.timer != nil {
			x.timer.Stop()
		}
		return true
	})
}

// expire lets an operation that has ended go after a while.
func (o *operations) expire(x *operation) {
	if x.timer != nil || o.closed {
		return
	}
	x.timer = time.AfterFunc(keepEnded, func() {
		o.crash.Run(func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.remove(func(e *operation) bool { return e == x })
			o.publish()
		})
	})
}

// publish hands out the list. Of those that have ended the oldest go where they are too many.
func (o *operations) publish() {
	ended := 0
	for _, x := range o.list {
		if x.Ended() {
			ended++
		}
	}
	o.remove(func(x *operation) bool {
		if ended <= mostEnded || !x.Ended() {
			return false
		}
		ended--
		return true
	})
	list := make([]pane.Operation, len(o.list))
	for i, x := range o.list {
		list[i] = x.Operation
	}
	select {
	case <-o.out:
	default:
	}
	o.out <- list // nobody else sends: the lock is held
}

// close ends what would change the list later.
func (o *operations) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for _, x := range o.list {
		if x.timer != nil {
			x.timer.Stop()
		}
	}
}
