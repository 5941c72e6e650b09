package ui_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/pane"
)

const word = "checkout/prod"

func TestTheWordConfirms(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	b.says("Type checkout/prod")
	b.rest()
	b.spell(word)
	l.calm(t, "typing the word")
	b.press("enter")
	x := l.once(t)
	if x.approval.Typed != word || x.approval.BreakGlass || x.plan.Call.Target != envRef("prod") {
		t.Errorf("carried out %+v", x)
	}
	b.says("✓ done")
}

// However small the screen and however far it is scrolled, what is asked and what the gates say is there.
func TestTheQuestionAndTheVerdictAlwaysShow(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{200, 50}, {120, 40}, {80, 24}, {60, 12}, {40, 10}, {40, 8}} {
		b, l := rollingBack(t, 200, 50)
		small := tea.WindowSizeMsg{Width: size[0], Height: size[1]}
		b.send(small)
		for range 3 {
			b.says("Type checkout/prod")
			b.says("! schema")
			b.press("pgdown")
		}
		b.rest()
		b.spell("checkout/production")
		b.press("enter")
		b.says("not checkout/prod: nothing is done")
		l.shape = func(p *action.Plan) {
			rollbackPlan(p)
			p.Demand = action.Demand{Word: "checkout-frontend-service/production", Kind: action.TypeDemand}
		}
		b.press("esc")
		b.send(tea.WindowSizeMsg{Width: 200, Height: 50})
		b.rest()
		b.press("R")
		b.send(small)
		b.rest()
		b.spell("checkout")
		b.says("› checkout")
		l.calm(t, "looking")
	}
}

// Nothing but the exact word and an Enter of its own confirms.
func TestNothingElseConfirms(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*board){
		"Enter alone":             func(b *board) { b.press("enter") },
		"y":                       func(b *board) { b.press("y") },
		"y and Enter":             func(b *board) { b.press("y", "enter") },
		"a part of the word":      func(b *board) { b.spell("checkout"); b.press("enter") },
		"the word in upper case":  func(b *board) { b.spell("CHECKOUT/PROD"); b.press("enter") },
		"the word and a blank":    func(b *board) { b.spell(word + " "); b.press("enter") },
		"another environment":     func(b *board) { b.spell("checkout/staging"); b.press("enter") },
		"a marked paste":          func(b *board) { b.paste(word); b.press("enter") },
		"a marked paste with it":  func(b *board) { b.paste(word + "\n"); b.press("enter") },
		"an unmarked paste":       func(b *board) { b.read(word, "enter") },
		"a paste after typing":    func(b *board) { b.spell("checkout"); b.paste("/prod"); b.press("enter") },
		"a paste and then Enter":  func(b *board) { b.press(word); b.rest(); b.press("enter") },
		"Enter with a key behind": func(b *board) { b.spell(word); b.read("enter", "x") },
		"Enter with one before":   func(b *board) { b.spell("checkout/pro"); b.read("d", "enter") },
		"Esc":                     func(b *board) { b.spell(word); b.press("esc") },
		"n":                       func(b *board) { b.spell(word); b.press("tab"); b.press("n") },
		"a resize":                func(b *board) { b.spell(word); b.send(tea.WindowSizeMsg{Width: 80, Height: 24}) },
		"a press of the mouse": func(b *board) {
			b.spell(word)
			for y := range 40 {
				b.send(tea.MouseMsg{X: 60, Y: y, Action: tea.MouseActionPress, Button: tea.MouseButtonLeft})
			}
		},
		"ctrl+c": func(b *board) { b.spell(word); b.press("ctrl+c") },
		"a held Enter": func(b *board) {
			for range 100 {
				b.press("enter")
				b.clock.pass(30 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, l := rollingBack(t, 120, 40)
			b.rest()
			do(b)
			l.calm(t, name)
		})
	}
}

func TestAYesConfirms(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	b.press("V")
	b.rest()
	b.press("y")
	if x := l.once(t); !x.approval.Yes {
		t.Errorf("carried out %+v", x)
	}
}

func TestNothingButAYesConfirms(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*board){
		"n": func(b *board) { b.press("n") }, "Esc": func(b *board) { b.press("esc") }, "Enter": func(b *board) { b.press("enter") },
		"Y": func(b *board) { b.press("Y") }, "a blank": func(b *board) { b.press(" ") },
		"a marked paste": func(b *board) { b.paste("y") }, "two at once": func(b *board) { b.press("yy") },
		"a text": func(b *board) { b.read("yes", "enter") }, "a text in pieces": func(b *board) { b.read("y", "enter") },
		"y and Esc": func(b *board) { b.read("y", "esc") },
		"a resize":  func(b *board) { b.send(tea.WindowSizeMsg{Width: 40, Height: 10}) },
		"the mouse": func(b *board) {
			for y := range 40 {
				b.send(tea.MouseMsg{X: 60, Y: y, Action: tea.MouseActionPress, Button: tea.MouseButtonLeft})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, l, _ := armed(t, 120, 40)
			b.press("V")
			b.rest()
			do(b)
			l.calm(t, name)
		})
	}
}

// A key that is held down since before the verdict came never becomes an answer.
func TestAHeldYesDoesNotConfirm(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 400 * time.Millisecond} {
		b, l, _ := armed(t, 120, 40)
		b.press("V")
		for range 50 {
			b.press("y")
			b.clock.pass(every)
		}
		l.calm(t, "a held y")
		b.says("held down")
		b.rest()
		b.press("y")
		l.once(t)
	}
}

func TestNoKeyCountsBeforeTheVerdictHasBeenSeen(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	b.press("c")
	b.says("not yet: read it first")
	b.clock.pass(499 * time.Millisecond)
	b.press("h", "y", "enter", "D", "V", "tab")
	l.calm(t, "a key that came too early")
	if len(l.proposed) != 1 {
		t.Errorf("it asked for %v", l.proposed)
	}
	b.clock.pass(time.Millisecond)
	b.spell(word)
	b.press("enter")
	l.once(t)
}

func TestTheVerdictCountsFromItsOwnArrival(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	_, cmd := b.app.Update(keyOf("V"))
	_, cmd = b.app.Update(cmd().(tea.BatchMsg)[0]())
	b.says("nothing has been sent")
	b.clock.pass(time.Minute)
	b.press("y")
	b.run(cmd)
	b.press("y")
	l.calm(t, "a y when the verdict had just come")
	b.rest()
	b.press("y")
	l.once(t)
}

func TestAPlanThatIsAsItWasChangesItsFreshnessAlone(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	b.rest()
	b.spell("check")
	before := b.text()
	b.clock.pass(11 * time.Second)
	b.data()
	if l.renewed != 1 {
		t.Fatalf("it was made again %d times", l.renewed)
	}
	if got := changedLines(before, b.text()); got > 1 {
		t.Errorf("%d lines changed:\n%s\n%s", got, before, b.text())
	}
	b.spell("out/prod")
	b.press("enter")
	l.once(t)
}

// changedLines counts the lines of the dialog that differ.
func changedLines(a, b string) int {
	n, x, y := 0, strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] && strings.Contains(x[i], "┃") {
			n++
		}
	}
	return n
}

func TestAPlanThatChangesBeginsAnew(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*action.Plan){
		"its revision": func(p *action.Plan) { p.Call.Revision = "e2" },
		"its version":  func(p *action.Plan) { p.Change.Then.Version = version("v1.8.0", "1234567") },
		"a gate":       func(p *action.Plan) { p.Gates[0].Verdict = policy.Warn },
		"its demand":   func(p *action.Plan) { p.Demand = action.Demand{Kind: action.SecondDemand, Word: word} },
		"its call":     func(p *action.Plan) { p.Call.Fields = map[string]string{"ref": "other"} },
		"its means":    func(p *action.Plan) { p.Change.Means = action.ByRerun },
	} {
		t.Run(name, func(t *testing.T) {
			changed := false
			b, l := rollingBack(t, 120, 40, func(p *action.Plan) {
				if changed {
					change(p)
				}
			})
			b.rest()
			b.spell(word)
			changed = true
			b.clock.pass(11 * time.Second)
			b.data()
			b.says("it changed")
			b.press("enter")
			l.calm(t, "an Enter for what was before")
			b.rest()
			b.press("enter")
			l.calm(t, "an Enter without the word")
			b.hides("Type " + word + " " + word)
		})
	}
}

// Whatever is pressed, in whatever order, nothing is carried out that nobody has typed the word for.
func TestRandomKeysCarryNothingOut(t *testing.T) {
	t.Parallel()
	keys := []string{"a", "E", "S", "M", "V", "H", "U", "P", "R", "A", "D", "X", "C", "Z", "O", "o", "p", "y", "yy", "n", "enter", "tab", "shift+tab", " ", "j", "k", "g", "G",
		"pgdown", "pgup", "up", "down", "esc", "q", ":", "?", "/", "c", "checkout/", "ctrl+c", "ctrl+u", "backspace", "1", "4", "z", "w", "f", "r", "x"}
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		b, l, p := armed(t, 20+rnd.IntN(140), 5+rnd.IntN(45))
		l.shape = rollbackPlan
		p.problems["checkout"].Suspects = []insight.Suspect{{Kind: sources.DeploymentChange, Env: envRef("prod"), Text: clean.Const("v1.9.2 → prod")}}
		for range 300 {
			switch rnd.IntN(20) {
			case 0:
				b.data()
			case 1:
				b.send(tea.WindowSizeMsg{Width: 1 + rnd.IntN(160), Height: 1 + rnd.IntN(50)})
			case 2:
				b.paste(word + "\n")
			case 3:
				b.read(word, "enter")
			case 4:
				b.send(tea.MouseMsg{X: rnd.IntN(100), Y: rnd.IntN(40), Action: tea.MouseActionPress, Button: tea.MouseButtonLeft})
			case 5:
				b.send(ui.OperationsMsg([]pane.Operation{operation(b, "p9")}))
			default:
				b.press(keys[rnd.IntN(len(keys))])
			}
			b.clock.pass(time.Duration(rnd.IntN(1500)) * time.Millisecond)
		}
		l.calm(t, fmt.Sprintf("seed %d", seed))
	}
}

// The object that a plan is about changes in what a feed brings: the plan is made again at once.
func TestAChangedObjectMakesThePlanAgain(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	b.rest()
	s := snapshot(b.clock.now())
	s.Seq = 99
	s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: "github", Capability: store.Environments},
		Environments: []sources.Environment{{Ref: envRef("prod"), Revision: "e7", Service: "checkout", Name: "prod"}}})
	b.send(ui.SnapshotMsg(s))
	if l.renewed != 1 {
		t.Errorf("it was made again %d times", l.renewed)
	}
}

func TestALostSourceIsFreshnessToo(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	b.rest()
	before := b.text()
	l.renewErr = &sources.Error{Kind: sources.Transient, Msg: "github does not answer"}
	b.clock.pass(11 * time.Second)
	b.data()
	b.says("could not be read again: github does not answer")
	if got := changedLines(before, b.text()); got > 1 {
		t.Errorf("%d lines changed", got)
	}
	b.clock.pass(11 * time.Second)
	l.renewErr = nil
	b.data()
	b.hides("could not be read again")
}

func TestPagesThatArriveLeaveTheDialogAlone(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	b.rest()
	b.spell("checkout/")
	before := b.text()
	b.send(ui.EventMsg(pane.Event{Text: clean.Const("the config was taken"), At: b.clock.now()}))
	b.data()
	b.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	b.says("Type checkout/prod")
	b.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	if got := changedLines(before, b.text()); got > 1 {
		t.Errorf("%d lines changed", got)
	}
	b.spell("prod")
	b.press("enter")
	l.once(t)
}

func TestPrintableKeysAreTextWhileOneTypes(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	b.rest()
	b.spell("cDVOMnqjky")
	b.says("cDVOMnqjky")
	if len(l.proposed) != 1 {
		t.Errorf("it asked for %v", l.proposed)
	}
	l.calm(t, "typing")
}

func TestOffersVersionsAndMeans(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	b.rest()
	b.press("D")
	b.says("Reject checkout/812")
	b.press("n")
	b.says("Type checkout/prod")
	b.rest()
	b.press("V")
	b.says("a rollback took it away")
	b.press("enter")
	b.press("down", "down", "enter")
	if q := l.proposed[len(l.proposed)-1]; q.Version != "5d0cab4" || q.Target != envRef("prod") {
		t.Errorf("asked for %+v", q)
	}
	b.rest()
	b.press("O", "down", "enter")
	if q := l.proposed[len(l.proposed)-1]; q.Means != action.ByRerun || q.Version != "5d0cab4" {
		t.Errorf("asked for %+v", q)
	}
	l.calm(t, "looking around")
}

// A plan that something else stood before is looked at anew before a key answers it.
func TestAPlanThatWasCoveredIsLookedAtAnew(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40, func(p *action.Plan) { p.Demand = action.Demand{Kind: action.YesDemand} })
	b.rest()
	b.press("D")
	b.says("Reject checkout/812")
	b.rest()
	b.press("n")
	b.press("y")
	l.calm(t, "a y just after another dialog went")
	b.rest()
	b.press("y")
	l.once(t)
}

func TestAPlanIsNotReadForNobody(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	b.clock.pass(16 * time.Minute)
	b.data()
	n := l.renewed
	b.send(ui.TickMsg(b.app))
	for range 5 {
		b.clock.pass(time.Minute)
		b.data()
	}
	if l.renewed > n {
		t.Errorf("it was made again %d times", l.renewed-n)
	}
}

func TestGlassIsBrokenWithAReason(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40, func(p *action.Plan) {
		p.Gates[0] = policy.Finding{Gate: "freeze", Verdict: policy.Deny, BreakGlass: true, Text: clean.Const("no promotions until Mon 08:00")}
		p.Demand.Reason = true
	})
	b.rest()
	b.says("lifts freeze")
	b.press("y", "enter")
	b.press("tab")
	b.press("enter")
	b.says("say why")
	b.spell("checkout is down: y")
	b.press("enter")
	l.calm(t, "the reason")
	b.press("enter")
	l.calm(t, "an empty word")
	b.spell(word)
	b.press("enter")
	x := l.once(t)
	if !x.approval.BreakGlass || x.approval.Reason != "checkout is down: y" || x.approval.Typed != word {
		t.Errorf("carried out %+v", x.approval)
	}
}

func TestAReasonMayBePasted(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40, func(p *action.Plan) { p.Demand.Reason = true })
	b.rest()
	b.press("tab")
	b.paste("see INC-7\n")
	b.says("see INC-7")
	b.press("tab")
	b.paste(word)
	b.press("enter")
	l.calm(t, "a pasted word")
}

func TestAnotherPersonHasToAgree(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40, func(p *action.Plan) { p.Demand.Kind = action.SecondDemand })
	b.says("signalbox cosign plan-1")
	b.rest()
	b.spell(word)
	b.press("enter")
	b.says("another person has to agree first")
	l.calm(t, "one person")
	l.cosigner = "sre2"
	b.clock.pass(4 * time.Second)
	b.data()
	b.says("sre2 has agreed")
	b.press("enter")
	if x := l.once(t); x.approval.Cosigner != "sre2" {
		t.Errorf("carried out %+v", x.approval)
	}
}

func TestARefusalSaysWhatLiftsIt(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40, func(p *action.Plan) {
		p.Demand = action.Demand{Kind: action.Refusal}
		p.Gates[0] = policy.Finding{Gate: "ci", Verdict: policy.Deny, Text: clean.Const("the tests of 9f8e7d6 failed"), Fix: clean.Const("run them again")}
	})
	b.rest()
	b.says("Refused: the tests of 9f8e7d6 failed")
	b.says("→ run them again")
	b.press("y", "enter", "tab")
	b.spell(word)
	b.press("enter")
	l.calm(t, "a refused plan")
}

func TestProgressAndOutcome(t *testing.T) {
	t.Parallel()
	b, l := rollingBack(t, 120, 40)
	l.outcome = action.Outcome{State: action.Failed, Text: clean.Const("run 901 failed in deploy eu"), Fix: clean.Const("look at its log"), URL: "https://ci.example.com/901",
		Receipt: sources.Receipt{Undo: &sources.Call{Verb: sources.Cancel, Target: runRef("901")}}}
	op := pane.Operation{Plan: "plan-1", Verb: sources.Rollback, Target: envRef("prod"), Title: clean.Const("Roll back checkout/prod"), Step: action.Following,
		Text: clean.Const("run 901 is in progress"), URL: "https://ci.example.com/901", Since: b.clock.now(), At: b.clock.now()}
	l.during = func() {
		b.says("it goes on when this closes")
		b.send(ui.OperationsMsg([]pane.Operation{op}))
		b.clock.pass(72 * time.Second)
		b.data()
		b.says("run 901 is in progress")
		b.says("for 1m12s of about 4m")
		b.press("o")
		if len(b.back.browsed) != 1 {
			t.Error("o opens nothing")
		}
		b.press("esc")
		b.says("Roll back checkout/prod  running 1m")
	}
	b.rest()
	b.spell(word)
	b.press("enter")
	l.once(t)
	b.says("failed: run 901 failed in deploy eu: look at its log")
	out := l.outcome
	op.Outcome = &out
	b.send(ui.OperationsMsg([]pane.Operation{op}))
	b.clock.pass(time.Minute)
	b.data()
	b.says("✗ Roll back checkout/prod  failed run 901 failed in deploy eu")
	b.says("Z undo")
	b.press("Z")
	if q := l.proposed[len(l.proposed)-1]; q.Verb != sources.Cancel || q.Target != runRef("901") {
		t.Errorf("asked for %+v", q)
	}
	b.press("esc", "esc", "esc")
	if len(l.dismissed) != 1 {
		t.Errorf("dismissed %v", l.dismissed)
	}
}
