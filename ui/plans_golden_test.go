package ui_test

import (
	"fmt"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// planStates are the states of the dialog. do begins on a board whose R rolls back checkout/prod.
func planStates() map[string]struct {
	shape func(*action.Plan)
	do    func(*board, *levers)
} {
	type state = struct {
		shape func(*action.Plan)
		do    func(*board, *levers)
	}
	agree := func(b *board) {
		b.rest()
		b.spell(word)
		b.press("enter")
	}
	ends := func(s action.State, text, fix string) state {
		return state{nil, func(b *board, l *levers) {
			l.outcome = action.Outcome{State: s, Text: clean.Line(text), Fix: clean.Line(fix), URL: "https://ci.example.com/901"}
			agree(b)
		}}
	}
	return map[string]state{
		"typing": {nil, func(b *board, _ *levers) { b.rest(); b.spell("checkout/") }},
		"scrolled": {nil, func(b *board, _ *levers) {
			b.press("pgdown")
			b.clock.pass(8 * time.Second)
			b.data()
		}},
		"glass": {func(p *action.Plan) {
			p.Demand.Reason = true
			p.Gates[0] = policy.Finding{Gate: "freeze", Verdict: policy.Deny, BreakGlass: true, Text: clean.Const("no changes from Fri 16:00 to Mon 08:00 Europe/Berlin")}
		}, func(b *board, _ *levers) { b.rest(); b.press("tab"); b.spell("checkout fails every") }},
		"second": {func(p *action.Plan) { p.Demand.Kind, p.ID = action.SecondDemand, "20261121-021420-0a1b2c3d4e5f" }, func(*board, *levers) {}},
		"refused": {func(p *action.Plan) {
			p.Demand = action.Demand{Kind: action.Refusal}
			p.Gates[0] = policy.Finding{Gate: "ci", Verdict: policy.Deny, Text: clean.Const("the check integration of 9f8e7d6 failed"), Fix: clean.Const("run its failed jobs again, or choose another version")}
		}, func(*board, *levers) {}},
		"stale": {nil, func(b *board, l *levers) {
			shape := l.shape
			l.shape = func(p *action.Plan) { shape(p); p.Call.Revision = "e2"; p.Now = clean.Const("v1.9.3") }
			b.rest()
			b.spell("check")
			b.clock.pass(11 * time.Second)
			b.data()
		}},
		"running": {nil, func(b *board, l *levers) {
			l.during = func() {
				now := b.clock.now()
				for s, text := range []string{"dispatch deploy.yml", "workflow dispatched", "run 901 is in progress: deploy eu"} {
					b.send(ui.OperationsMsg([]pane.Operation{{Plan: "plan-1", Verb: sources.Rollback, Step: action.Step(s), Text: clean.Line(text), URL: "https://ci.example.com/901", Since: now, At: now}}))
				}
				b.clock.pass(72 * time.Second)
				b.data()
				panic(stop{})
			}
			defer func() {
				if r := recover(); r != (stop{}) {
					panic(r)
				}
			}()
			agree(b)
		}},
		"done":       ends(action.Done, "v1.9.1 runs in prod eu us, deployment 77 succeeded", ""),
		"failed":     ends(action.Failed, "run 901 failed in deploy eu", "look at its log; v1.9.2 still runs in us"),
		"unknown":    ends(action.Unknown, "the answer was lost, and it may or may not have happened", "look at it at the provider before you try again"),
		"unverified": ends(action.Unverified, "sent, and what became of it cannot be read", ""),
		"outdated":   ends(action.Stale, "it changed meanwhile: v1.9.3 runs there", "look at it again; nothing was sent"),
		"rejected":   ends(action.Refused, "another action on it is under way: sre2 since 02:13", "wait for it to end"),
		"offer":      {nil, func(b *board, _ *levers) { b.rest(); b.press("D") }},
		"versions":   {nil, func(b *board, _ *levers) { b.rest(); b.press("V") }},
		"hint":       {nil, func(b *board, _ *levers) { b.rest(); b.spell("checkout"); b.press("enter") }},
		"error": {nil, func(b *board, l *levers) {
			b.press("esc")
			b.rest()
			l.err = &sources.Error{Kind: sources.Permission, Op: "read", Msg: "the token may not read deployments", Fix: "give it the scope repo_deployment"}
			b.press("j", "V")
		}},
		"yes":  {nil, func(b *board, _ *levers) { b.press("esc"); b.rest(); b.press("j", "V") }},
		"form": {nil, func(b *board, _ *levers) { b.press("esc"); b.rest(); b.press("j", "S"); b.press("down") }},
		"guard": {nil, func(b *board, _ *levers) {
			b.press("esc")
			v := guard.Verdict{Elapsed: 7 * time.Minute, Final: true, Outcome: guard.Fail, Why: clean.Const("error rate 4.1 %, was 0.2 %, in 4 of 5 points")}
			o := watching(b, v)
			o.Ask = &action.Request{Verb: sources.Rollback, Target: envRef("prod")}
			b.send(ui.OperationsMsg([]pane.Operation{operation(b, "p1"), o}))
		}},
		"operations": {nil, func(b *board, _ *levers) {
			b.press("esc")
			o := operation(b, "p0")
			o.Title, o.Outcome = clean.Const("Cancel run 7"), &action.Outcome{State: action.Unknown, Text: clean.Const("the answer was lost"), Fix: clean.Const("look at it there")}
			b.send(ui.OperationsMsg([]pane.Operation{o, operation(b, "p1"), watching(b, guard.Verdict{Elapsed: 3 * time.Minute})}))
			b.press("p")
		}},
		"quit": {nil, func(b *board, _ *levers) {
			b.press("esc")
			b.send(ui.OperationsMsg([]pane.Operation{operation(b, "p1"), watching(b, guard.Verdict{Elapsed: 3 * time.Minute})}))
			b.press("q")
		}},
		"suspects": {nil, func(b *board, _ *levers) { b.press("esc"); b.rest(); b.press("j", "R") }},
	}
}

type stop struct{}

func TestGoldensOfPlans(t *testing.T) {
	t.Parallel()
	for name, s := range planStates() {
		for _, size := range [][2]int{{200, 50}, {120, 40}, {80, 24}, {40, 10}} {
			for _, ascii := range []bool{false, true} {
				if ascii && size[0] != 80 {
					continue
				}
				file := fmt.Sprintf("plan-%s-%dx%d", name, size[0], size[1])
				if ascii {
					file += "-ascii"
				}
				t.Run(file, func(t *testing.T) {
					th := theme.New(theme.Options{Depth: theme.TrueColor, ASCII: ascii})
					b, l, p := armed(t, size[0], size[1], func(o *ui.Options, _ *board) { o.Theme = th })
					l.shape = func(q *action.Plan) {
						if q.Request.Verb == sources.Rollback {
							rollbackPlan(q)
							if s.shape != nil {
								s.shape(q)
							}
						}
					}
					at := b.clock.now()
					one := insight.Suspect{Kind: sources.DeploymentChange, At: at, Env: envRef("prod"), Text: clean.Const("v1.9.2 → prod"), Why: clean.Const("1m before onset, by dev4")}
					two := insight.Suspect{Kind: sources.DeploymentChange, At: at.Add(-4 * time.Minute), Env: envRef("stage"), Text: clean.Const("v1.9.2 → staging"), Why: clean.Const("5m before onset, by dev4")}
					flag := insight.Suspect{Kind: sources.FlagChange, At: at, Text: clean.Const("flag pay_retry on"), Why: clean.Const("4m before onset")}
					p.problems["checkout"].Suspects = []insight.Suspect{one}
					p.problems["ledger"].Suspects = []insight.Suspect{one, flag, two}
					if size[0] == 40 {
						b.press("z") // the list of what is wrong has no rows to act on
					}
					b.press("R")
					s.do(b, l)
					goldens.Check(t, file, b.app.Frame(), th)
				})
			}
		}
	}
}
