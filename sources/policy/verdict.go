// Package policy answers whether an action may go ahead, and how hard it is to confirm. It is pure: the
// clock, the identity and everything that is known arrive as Facts; it asks nobody and remembers nothing.
//
// Rules of the config are CEL expressions over the variables that Variables lists. A variable that is not
// known is absent, and a rule that needs it cannot be evaluated: that denies a promotion, warns on a
// rollback, and says why. Built-in gates stand beside the rules. The strictest verdict wins.
package policy

import (
	"cmp"
	"slices"

	"example.com/signalbox/sources/clean"
)

// Verdict is an answer, from the most lenient to the strictest.
type Verdict uint8

// The verdicts.
const (
	Allow        Verdict = iota
	Warn                 // goes ahead, with a word
	Confirm              // a y
	TypedConfirm         // the target's name, typed
	SecondPerson         // another person's agreement
	Deny
)

var verdictNames = [...]string{"allow", "warn", "confirm", "type", "second_person", "deny"}

func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return verdictNames[Deny]
}

// MarshalText makes a verdict its name in JSON.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// ParseVerdict reads a verdict's name; ok is false for any other word.
func ParseVerdict(name string) (v Verdict, ok bool) {
	for i, n := range verdictNames {
		if n == name {
			return Verdict(i), true
		}
	}
	return Deny, false
}

// Finding is what one gate says.
type Finding struct {
	Gate    string     `json:"gate"` // the rule's name, or the built-in gate's
	Verdict Verdict    `json:"verdict"`
	Text    clean.Text `json:"text"`         // the reason, for people
	Fix     clean.Text `json:"fix,omitzero"` // what lifts it, where something does
	// BreakGlass reports that a typed reason lifts it. Unknown reports that it could not be evaluated.
	BreakGlass bool `json:"break_glass,omitempty"`
	Unknown    bool `json:"unknown,omitempty"`
}

// Strictest is the strictest verdict of findings; Allow when there are none.
func Strictest(findings []Finding) Verdict {
	return Worst(findings).Verdict
}

// Worst is the strictest of findings, of several the first; the zero Finding when there are none.
func Worst(findings []Finding) Finding {
	if len(findings) == 0 {
		return Finding{}
	}
	return slices.MaxFunc(findings, func(a, b Finding) int { return cmp.Compare(a.Verdict, b.Verdict) })
}

// Lift is findings after a typed reason has lifted those that allow it, and the names of these: they warn
// from then on.
func Lift(findings []Finding) (lifted []Finding, names []string) {
	for _, f := range findings {
		if f.BreakGlass && f.Verdict == Deny {
			f.Verdict = Warn
			names = append(names, f.Gate)
		}
		lifted = append(lifted, f)
	}
	return lifted, names
}
