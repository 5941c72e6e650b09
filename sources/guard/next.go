package guard

import "example.com/signalbox/sources/clean"

// Step is what follows on a verdict.
type Step uint8

// The steps. The zero Step does nothing and calls nothing good.
const (
	Hold     Step = iota // nothing is done; a person should look
	Proceed              // the version stays, and is good
	Ask                  // a person decides whether to roll back
	RollBack             // it is rolled back without asking
)

var steps = [...]string{"hold", "proceed", "ask", "rollback"}

func (s Step) String() string {
	if int(s) < len(steps) {
		return steps[s]
	}
	return steps[Hold]
}

// MarshalText makes a step its name in JSON.
func (s Step) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// OnRollback is the value of guard.on_fail that lets a guard roll back by itself. Every other value asks.
const OnRollback = "rollback"

// Next says what follows on v, and why. A guard rolls back by itself only when nobody sits before it
// (headless), the config says so, it has not done so already for this target, and no migration lies between
// the two versions. migrations must be true when that is not known.
func Next(v Verdict, onFail string, headless, migrations, already bool) (Step, clean.Text) {
	if !v.Final {
		return Hold, clean.Const("the guard is still watching")
	}
	switch v.Outcome {
	case Pass:
		return Proceed, v.Why
	case Inconclusive:
		return Hold, join(": ", clean.Const("it cannot be told, so nothing is done"), v.Why)
	case Fail:
	default:
		return Hold, v.Why
	}
	switch {
	case !headless:
		return Ask, v.Why
	case onFail != OnRollback:
		return Ask, join("; ", v.Why, clean.Const("it is not rolled back: guard.on_fail is ask"))
	case already:
		return Ask, join("; ", v.Why, clean.Const("it is not rolled back: a guard does so once at most, and has"))
	case migrations:
		return Ask, join("; ", v.Why, clean.Const("it is not rolled back: there may be migrations between the two versions, and the schema may not go back"))
	default:
		return RollBack, v.Why
	}
}
