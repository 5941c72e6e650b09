package pane

import (
	"context"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/insight"
)

// Levers is what acts, as the board sees it. The local engine implements it; a board that has none only
// looks.
type Levers interface {
	// Offers are the verbs that can be asked for on an object; of an environment Promote and Rollback. It
	// reads nothing and never blocks.
	Offers(sources.Ref) []sources.ActionSpec
	// People are those whom an object's verbs may be handed to, as far as the snapshot knows them.
	People(sources.Ref) []sources.Person
	// Propose makes the plan of a request, by reading alone. It blocks.
	Propose(context.Context, action.Request) (action.Plan, error)
	// Renew makes an open plan again, of what is so now. It blocks.
	Renew(context.Context, action.Plan) (action.Plan, error)
	// Execute carries a plan out and blocks until its outcome is known; what it does meanwhile is among the
	// Operations. It goes on when ctx ends after something was sent, for as long as it takes to write that
	// down.
	Execute(context.Context, action.Plan, action.Approval) action.Outcome
	// Operations holds what is under way and what has just ended, the newest last; the latest list counts, older ones
	// that nobody took are gone. Its capacity is 1.
	Operations() <-chan []Operation
	// Dismiss takes an operation that has ended out of the list.
	Dismiss(plan string)
	// Status tells whether anything can be done. It never blocks.
	Status() LeverStatus
}

// Cosigner is Levers that know who else has agreed to a plan. It may block for as long as a file takes to read.
type Cosigner interface {
	// Cosigned is who has; "" nobody.
	Cosigned(*action.Plan) string
}

// LeverStatus is whether actions are possible.
type LeverStatus struct {
	ReadOnly clean.Text // what forbids every change: "--read-only"; zero: nothing does
	Journal  clean.Text // why the journal cannot be written; zero: it can
}

// Operation is an action, or the guard after one, as it stands.
type Operation struct {
	Plan    string // the plan's ID; a guard has that of the action that it watches
	Guard   bool
	Verb    sources.Verb
	Target  sources.Ref
	Service string
	Title   clean.Text // "Roll back checkout/prod to v1.9.1"
	Step    action.Step
	Text    clean.Text // the newest word on it, the provider's own where there is one
	URL     string
	Since   time.Time
	At      time.Time // of Text
	// Outcome is set once an action has ended, Report is how a guard stands.
	Outcome *action.Outcome
	Report  *guard.Report
	// Ask is what a guard that has failed proposes: rolling back. Nil: nothing.
	Ask *action.Request
}

// Ended reports that nothing more will come of it.
func (o *Operation) Ended() bool {
	if o.Guard {
		return o.Report != nil && o.Report.Verdict.Final
	}
	return o.Outcome != nil
}

// Act asks for an action: the App makes its plan, and shows it, or carries it out where nothing is asked.
type Act struct{ Request action.Request }

// Subject is what the levers of a pane are about: the row under its cursor.
type Subject struct {
	Selection
	// Problem is the row's, where it is one: every system's view of it can be acted on.
	Problem *insight.Problem
	// Environment is where the row's version would go, for a row that is no environment itself; zero: none.
	// Version is that version.
	Environment sources.Ref
	Version     string
	// Marked are the rows that are marked, in the order of the screen; none: none is.
	Marked []Subject
}

// Acting is a pane that knows more of its rows than their Selection.
type Acting interface {
	// Subject is what stands under the cursor; ok is false when nothing does.
	Subject(Env) (s Subject, ok bool)
}
