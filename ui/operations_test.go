package ui_test

import (
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/pane"
)

func operation(b *board, plan string) pane.Operation {
	return pane.Operation{Plan: plan, Verb: sources.Promote, Target: envRef("prod"), Service: "checkout", Title: clean.Const("Promote checkout to prod"),
		Step: action.Following, Text: clean.Const("run 901 is in progress"), Since: b.clock.now(), At: b.clock.now()}
}

func watching(b *board, verdict guard.Verdict) pane.Operation {
	o := operation(b, "g1")
	o.Title = clean.Text{}
	o.Guard, o.Report = true, &guard.Report{Verdict: verdict, Length: 15 * time.Minute, Reads: 3}
	return o
}

func TestTheStripShowsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{160, 48}, {80, 24}, {59, 11}} {
		b, _, _ := armed(t, size[0], size[1])
		b.send(ui.OperationsMsg([]pane.Operation{operation(b, "p1")}))
		b.clock.pass(72 * time.Second)
		b.data()
		b.says("Promote checkout to prod  running 1m1")
		if size[0] > 59 {
			b.says("p all of it")
		}
		done := operation(b, "p1")
		done.Outcome = &action.Outcome{State: action.Done, Text: clean.Const("v1.9.2 runs")}
		b.send(ui.OperationsMsg([]pane.Operation{done}))
		b.hides("Promote checkout to prod")
	}
}

func TestAGuardIsWatched(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 160, 48, func(o *ui.Options, _ *board) { o.Attention = ui.Attention{Bell: true, Title: true} })
	v := guard.Verdict{Elapsed: 7 * time.Minute, Findings: []guard.Finding{{Subject: guard.OfMetric, Name: clean.Const("error rate"), Unit: "%", Was: 0.2, Is: 0.3, Judgement: guard.Good}}}
	b.send(ui.OperationsMsg([]pane.Operation{watching(b, v)}))
	b.says("guard 7m of 15m")
	b.out.controls = nil
	v.Final, v.Outcome, v.Why = true, guard.Fail, clean.Const("error rate 4 %, was 0.2 %")
	asks := watching(b, v)
	asks.Ask = &action.Request{Verb: sources.Rollback, Target: envRef("prod"), Via: "guard"}
	b.send(ui.OperationsMsg([]pane.Operation{asks}))
	b.says("guard fail: error rate 4 %")
	b.says("p asks")
	if got := strings.Join(b.out.controls, ""); !strings.Contains(got, "\a") || !strings.Contains(got, "guard of checkout failed, and asks") {
		t.Errorf("it does not call: %q", got)
	}
	b.out.controls = nil
	b.send(ui.OperationsMsg([]pane.Operation{asks}))
	if got := strings.Join(b.out.controls, ""); strings.Contains(got, "\a") {
		t.Error("it calls twice")
	}
	if len(l.proposed) > 0 {
		t.Fatal("it opens by itself")
	}
	l.shape = rollbackPlan
	b.press("p")
	b.says("Guard of checkout")
	b.says("rolls it back")
	b.press("enter")
	if len(l.proposed) != 1 || l.proposed[0].Verb != sources.Rollback || l.proposed[0].Via != "guard" {
		t.Errorf("asked for %+v", l.proposed)
	}
	l.calm(t, "looking")
}

func TestQuittingAsksWhileSomethingIsUnderWay(t *testing.T) {
	t.Parallel()
	b, _, _ := armed(t, 120, 40)
	b.send(ui.OperationsMsg([]pane.Operation{operation(b, "p1"), watching(b, guard.Verdict{})}))
	b.press("q")
	if b.quit {
		t.Fatal("it quit")
	}
	b.says("The guard ends with the program")
	b.says("run 901 is in progress")
	for _, k := range []string{"n", "q", "esc"} {
		b.press(k)
		b.hides("Quit all the same?")
		b.rest()
		b.press("q")
	}
	b.paste("y")
	b.press("enter", "yy")
	b.read("y", "x")
	if b.quit {
		t.Fatal("it quit")
	}
	b.rest()
	b.press("y")
	if !b.quit {
		t.Error("a y does not quit")
	}
	b, _, _ = armed(t, 120, 40)
	b.press("q")
	if !b.quit {
		t.Error("an idle board does not quit")
	}
}

func TestOperationsAreListed(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	b.press("p")
	b.says("nothing is under way")
	b.press("esc")
	failed := operation(b, "p0")
	failed.Outcome, failed.URL = &action.Outcome{State: action.Unknown, Text: clean.Const("the answer was lost"), Fix: clean.Const("look at it there")}, "https://ci.example.com/1"
	failed.Title = clean.Const("Cancel run 7")
	b.send(ui.OperationsMsg([]pane.Operation{failed, operation(b, "p1")}))
	b.press("p")
	b.says("unknown  the answer was lost  → look at it there")
	b.press("x")
	if len(l.dismissed) > 0 {
		t.Error("what is under way was taken away")
	}
	b.press("j", "o", "x")
	if len(b.back.browsed) != 1 || len(l.dismissed) != 1 || l.dismissed[0] != "p0" {
		t.Errorf("opened %v, dismissed %v", b.back.browsed, l.dismissed)
	}
	b.send(ui.OperationsMsg(nil))
	b.says("nothing is under way")
}

func TestNothingTicksWithoutReason(t *testing.T) {
	t.Parallel()
	b, _, _ := armed(t, 120, 40)
	if b.app.Ticks() {
		t.Error("an idle board counts seconds")
	}
	b.send(ui.OperationsMsg([]pane.Operation{watching(b, guard.Verdict{})}))
	if b.app.Ticks() {
		t.Error("a guard, which counts minutes, has seconds counted")
	}
	b.send(ui.OperationsMsg([]pane.Operation{operation(b, "p1")}))
	if !b.app.Ticks() {
		t.Error("nobody counts the seconds of an action")
	}
	b.send(ui.OperationsMsg(nil))
	b.press("V")
	if !b.app.Ticks() {
		t.Error("a plan does not age")
	}
	b.press("esc")
	if b.app.Ticks() {
		t.Error("it ticks on")
	}
}
