package wire

import (
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/guard"
)

// tellOutcome tells those who want to know what became of an action.
func (l *levers) tellOutcome(*action.Plan, action.Outcome) {}

// tellVerdict tells those who want to know what a guard has found.
func (l *levers) tellVerdict(watched, guard.Verdict) {}
