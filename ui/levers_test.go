package ui_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

func TestOwnPageIsAcknowledgedAtOnce(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	l.demand = action.Demand{}
	b.press("a")
	x := l.once(t)
	if c := x.plan.Call; c.Target != pageRef("checkout") || c.Revision != "r-checkout" || x.plan.Request.Via != "board" {
		t.Errorf("it acted on %+v", c)
	}
	b.says("the authority shows it")
}

func TestSomebodyElsesPageAsks(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	b.press("j", "j")
	b.press("a")
	l.calm(t, "somebody else's page")
	b.says("Ack checkout/search")
	b.says("Do it?")
	b.rest()
	b.press("y")
	if x := l.once(t); !x.approval.Yes || x.plan.Call.Target != pageRef("search") {
		t.Errorf("carried out %+v", x)
	}
	b.says("done")
}

// What policy or a change makes of an own page is asked all the same.
func TestOwnPageThatAsksOpensItsPlan(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*levers){
		"policy": func(*levers) {},
		"a change": func(l *levers) {
			l.demand = action.Demand{}
			l.shape = func(p *action.Plan) { p.Changed = true }
		},
	} {
		b, l, _ := armed(t, 120, 40)
		change(l)
		b.press("a")
		l.calm(t, name)
		b.says("Do it?")
	}
}

func TestKeysWithOthersDoNothing(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	l.demand = action.Demand{}
	for _, keys := range [][]string{{"aa"}, {"ja"}, {"j", "a"}, {"a", "enter"}, {"please a", " "}} {
		b.rest()
		b.read(keys...)
		l.calm(t, strings.Join(keys, "+"))
	}
	b.rest()
	b.paste("a")
	l.calm(t, "a paste")
	b.says("came together with other keys")
}

func TestAHeldKeyActsOnce(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	l.demand = action.Demand{}
	for range 40 {
		b.press("a")
		b.clock.pass(30 * time.Millisecond)
	}
	l.once(t)
	b.says("a is held down")
}

func TestARowThatMovedByItselfIsLeftAlone(t *testing.T) {
	t.Parallel()
	b, l, p := armed(t, 120, 40)
	l.demand = action.Demand{}
	p.services = []string{"ledger", "search"} // the first is gone
	b.data()
	b.press("a")
	l.calm(t, "a key just after the row became another")
	b.says("the row under the cursor just changed")
	b.clock.pass(rowRests)
	b.press("j", "k") // the held key is over
	b.press("a")
	if x := l.once(t); x.plan.Call.Target != pageRef("ledger") {
		t.Errorf("it acted on %s", x.plan.Call.Target)
	}
}

const rowRests = 600 * time.Millisecond

func TestOnesOwnMoveNeedsNoRest(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	l.demand = action.Demand{}
	b.data()
	b.press("j")
	b.press("a")
	if x := l.once(t); x.plan.Call.Target != pageRef("ledger") {
		t.Errorf("it acted on %s", x.plan.Call.Target)
	}
}

// The list is sorted anew between the key and its effect: what was looked at is hit, and nothing else.
func TestAResortOnTheWay(t *testing.T) {
	t.Parallel()
	b, l, p := armed(t, 120, 40)
	l.demand = action.Demand{}
	_, cmd := b.app.Update(keyOf("a"))
	p.services = []string{"search", "ledger"}
	delete(p.problems, "checkout")
	b.data()
	b.run(cmd)
	if x := l.once(t); x.plan.Call.Target != pageRef("checkout") || x.plan.Call.Revision != "r-checkout" {
		t.Errorf("it acted on %s at %s", x.plan.Call.Target, x.plan.Call.Revision)
	}
}

// The same while the palette is open: its line says what it is about, and keeps to it.
func TestThePaletteKeepsToItsRow(t *testing.T) {
	t.Parallel()
	b, l, p := armed(t, 120, 40)
	l.demand = action.Demand{}
	b.press(":", "a", "c", "k")
	b.says("acknowledge checkout burns")
	p.services = []string{"search"}
	b.data()
	b.press("enter")
	if x := l.once(t); x.plan.Call.Target != pageRef("checkout") {
		t.Errorf("it acted on %s", x.plan.Call.Target)
	}
}

func TestTheFirstLineOfThePaletteChangesNothing(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	l.demand = action.Demand{}
	b.press(":", "enter")
	l.calm(t, "Enter in the palette")
	if len(l.proposed) > 0 {
		t.Errorf("it asked for %v", l.proposed)
	}
}

func TestLeversSayWhyNot(t *testing.T) {
	t.Parallel()
	b, l, p := armed(t, 160, 48)
	p.problems["ledger"].State = sources.Acknowledged
	p.problems["search"].Upstream = true
	for _, c := range []struct {
		keys []string
		want string
	}{
		{[]string{"P"}, "select an environment"}, {[]string{"A"}, "select a run"}, {[]string{"R"}, "nothing is known to have changed before it"},
		{[]string{"U"}, "pagerduty cannot silence it from here"},
		{[]string{"j", "a"}, "already acknowledged by you"}, {[]string{"j", "V"}, "another team's"},
		{[]string{"Z"}, "nothing that was done here lately"},
	} {
		b.rest()
		b.press(c.keys...)
		b.says(c.want)
	}
	l.status.ReadOnly = clean.Const("--read-only")
	b.rest()
	b.press("k", "V")
	b.says("read-only: --read-only")
	b.press("?")
	b.says("acknowledge: your own page")
	b.says("read-only: --read-only")
	if len(l.proposed) > 0 {
		t.Errorf("it asked for %v", l.proposed)
	}
}

func TestFooterSaysWhatActs(t *testing.T) {
	t.Parallel()
	for _, w := range []int{160, 80} {
		b, l, _ := armed(t, w, 24)
		b.says("armed")
		b.says("a ack")
		l.status.Journal = clean.Const("write the journal: write journal.jsonl: the disk is full")
		b.data()
		b.says("journal ✗")
		b.hides("write journal.jsonl")
		l.status.ReadOnly = clean.Const("--read-only")
		b.data()
		b.says("read-only")
		b.hides("a ack")
	}
	b := newBoard(t, 160, 24)
	b.hides("armed")
}

// A board that can put nothing on record says so at the top, at every size that has one.
func TestHeaderSaysThatTheJournalCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, size := range sizes[:len(sizes)-1] {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		b, l, _ := armed(t, size[0], size[1])
		b.hides("! journal")
		l.status.Journal = clean.Const("the disk is full")
		b.data()
		b.says("! journal")
		if size[0] >= 60 {
			b.says("! journal: cannot be written")
		}
		goldens.Check(t, "journal-"+name, b.app.Frame(), theme.New(theme.Options{Depth: theme.TrueColor}))
		b.press("enter")
		if size[0] >= 60 {
			b.says("! journal: cannot be written")
		}
		l.status.ReadOnly = clean.Const("--read-only")
		b.data()
		b.hides("! journal")
	}
}

func TestWhatAVerbNeedsIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		keys []string
		text string
		want func(action.Request) bool
	}{
		{"note", []string{"M"}, "rolling back v1.9.2", func(q action.Request) bool { return q.Text == "rolling back v1.9.2" }},
		{"snooze", []string{"S"}, "45m", func(q action.Request) bool { return q.For == 45*time.Minute }},
		{"snooze quick", []string{"S", "down", "down"}, "", func(q action.Request) bool { return q.For == time.Hour }},
		{"snooze until", []string{"S"}, "until 08:00", func(q action.Request) bool { return q.For > 5*time.Hour && q.For < 6*time.Hour }},
		{"escalate", []string{"E"}, "", func(q action.Request) bool { return q.Level == 2 }},
		{"hand over", []string{"H"}, "ine", func(q action.Request) bool { return len(q.To) == 1 && q.To[0] == "P3" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, l, _ := armed(t, 120, 40)
			l.people = []sources.Person{{ID: "P2", Name: clean.Const("sre2")}, {ID: "P3", Name: clean.Const("Ines Vogel"), Zone: "Europe/Berlin"}}
			b.press(c.keys...)
			b.spell(c.text)
			b.press("enter")
			l.calm(t, "the form")
			b.says("Do it?")
			b.rest()
			b.press("y")
			if x := l.once(t); !c.want(x.plan.Request) || x.plan.Request.Revision != "r-checkout" {
				t.Errorf("asked for %+v", x.plan.Request)
			}
		})
	}
}

func TestAFormTakesTextAndPastesAndConfirmsNothing(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	b.press("M")
	b.press("enter")
	b.says("write something")
	b.spell("aRVy ")
	b.paste("and\nthis")
	b.says("aRVy and this")
	l.calm(t, "typing")
	b.press("esc")
	b.hides("Note on")
	if len(l.proposed) > 0 {
		t.Errorf("it asked for %v", l.proposed)
	}
	b.rest()
	b.press("S")
	b.spell("soon")
	b.press("enter")
	b.says("a duration looks like")
	b.rest()
	b.press("esc", "E")
	b.says("Level 2 wakes sre2 (11:14 there)")
}

func TestHandingOverListsPeopleAndChoosesNobody(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	l.people = []sources.Person{{ID: "P3", Name: clean.Const("Ines Vogel"), Zone: "Europe/Berlin"}}
	b.press("H")
	b.says("Ines Vogel (03:14 there)")
	b.press("enter")
	if len(l.proposed) > 0 {
		t.Errorf("Enter chose somebody: %v", l.proposed)
	}
	l.people = nil
	b.press("esc")
	b.rest()
	b.press("H")
	b.says("Nobody is known")
}

func suspects(p *paged, list ...insight.Suspect) { p.problems["checkout"].Suspects = list }

func TestRollingBackASuspect(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 2, 4, 0, 0, time.UTC)
	first := insight.Suspect{Kind: sources.DeploymentChange, At: now, Env: envRef("prod"), Text: clean.Const("v1.9.2 → prod"), Why: clean.Const("1m before onset")}
	flag := insight.Suspect{Kind: sources.FlagChange, At: now.Add(-3 * time.Minute), Text: clean.Const("flag pay_retry on")}
	near := insight.Suspect{Kind: sources.DeploymentChange, At: now.Add(-5 * time.Minute), Env: envRef("stage"), Text: clean.Const("v1.9.1 → stage")}
	far := near
	far.At = now.Add(-50 * time.Minute)

	b, l, p := armed(t, 120, 40)
	suspects(p, first, flag, far)
	b.press("R")
	if len(l.proposed) != 1 || l.proposed[0].Target != envRef("prod") || l.proposed[0].Revision != "e1" || l.proposed[0].About != pageRef("checkout") {
		t.Errorf("asked for %+v", l.proposed)
	}

	b, l, p = armed(t, 120, 40)
	suspects(p, first, flag, near)
	b.press("R")
	b.says("v1.9.1 → stage")
	b.says("not undone here")
	b.press("enter")
	if len(l.proposed) > 0 {
		t.Errorf("something was chosen: %+v", l.proposed)
	}
	b.press("down", "down", "enter")
	if len(l.proposed) != 1 || l.proposed[0].Target != envRef("stage") {
		t.Errorf("asked for %+v", l.proposed)
	}

	b, l, p = armed(t, 120, 40)
	suspects(p, flag)
	b.press("R")
	b.says("not undone by a rollback")
	if len(l.proposed) > 0 {
		t.Errorf("asked for %+v", l.proposed)
	}
}

func TestSilencingAndItsEnd(t *testing.T) {
	t.Parallel()
	b, l, p := armed(t, 160, 40)
	q := p.problems["checkout"]
	mon := &sources.Monitor{Ref: sources.Ref{Source: "datadog", Kind: sources.KindMonitor, ID: "7"}, Revision: "m1"}
	q.Members = append(q.Members, insight.Member{Monitor: mon})
	b.data()
	b.says("U mute")
	b.press("U")
	b.spell("30m")
	b.press("enter")
	if n := len(l.proposed); n != 1 || l.proposed[0].Verb != sources.Mute || l.proposed[0].Target != mon.Ref || l.proposed[0].Revision != "m1" {
		t.Fatalf("asked for %+v", l.proposed)
	}
	b.press("esc")
	mon.Silenced = []sources.Silence{{Ref: sources.Ref{Source: "datadog", Kind: sources.KindSilence, ID: "d1"}}}
	b.data()
	b.rest()
	b.press("U")
	if n := len(l.proposed); n != 2 || l.proposed[1].Verb != sources.Expire || l.proposed[1].Target.ID != "d1" {
		t.Errorf("asked for %+v", l.proposed)
	}
}

func TestMarkedRowsAreOneQuestion(t *testing.T) {
	t.Parallel()
	b, l, p := armed(t, 120, 40)
	p.marked = []string{"checkout", "search"}
	b.press("a")
	l.calm(t, "a bulk key")
	b.says("Acknowledge 2 at once")
	for _, q := range l.proposed {
		if q.Bulk != 2 {
			t.Errorf("a request says it is one of %d", q.Bulk)
		}
	}
	b.rest()
	b.press("y")
	if len(l.executed) != 2 || l.executed[0].plan.Call.Target == l.executed[1].plan.Call.Target {
		t.Errorf("carried out %+v", l.executed)
	}
	b.says("done")
}

func TestMarkedRowsThatAreLeftOutAreNamed(t *testing.T) {
	t.Parallel()
	b, l, p := armed(t, 120, 40)
	p.problems["ledger"].State = sources.Acknowledged
	p.problems["search"].Upstream = true
	p.marked = []string{"checkout", "ledger", "search"}
	b.press("a")
	l.calm(t, "a bulk key of which one row is left")
	b.says("ledger burns is left out: already acknowledged by you")
	b.says("search burns is left out: it is another team's")
	if len(l.proposed) != 1 || l.proposed[0].Target != pageRef("checkout") {
		t.Errorf("asked for %+v", l.proposed)
	}
}

func TestManyMarkedRowsWantTheirNumber(t *testing.T) {
	t.Parallel()
	b, l, p := armed(t, 120, 40)
	p.marked = []string{"checkout", "search", "ledger"}
	l.shape = func(q *action.Plan) { q.Demand = action.Demand{Kind: action.TypeDemand, Word: q.Request.Target.ID} }
	b.press("V")
	b.says("Type resolve 3")
	b.rest()
	b.spell("resolve 3")
	b.press("enter")
	if len(l.executed) != 3 {
		t.Fatalf("carried out %d", len(l.executed))
	}
	for _, x := range l.executed {
		if x.approval.Typed != x.plan.Demand.Word {
			t.Errorf("%s was typed as %q", x.plan.ID, x.approval.Typed)
		}
	}
}

func TestMergingTakesTheMarkedOnes(t *testing.T) {
	t.Parallel()
	b, l, p := armed(t, 120, 40)
	b.press(":", "m", "e", "r", "g", "e", "enter")
	b.says("mark what is to be merged")
	b.press("esc")
	p.marked = []string{"ledger", "checkout"}
	b.rest()
	b.press(":", "m", "e", "r", "g", "e", "enter")
	if len(l.proposed) != 1 || l.proposed[0].Target != pageRef("checkout") || len(l.proposed[0].Others) != 1 || l.proposed[0].Others[0] != pageRef("ledger") {
		t.Errorf("asked for %+v", l.proposed)
	}
}

func TestWhatIsNotSeenIsNotActedOn(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 40, 10)
	l.demand = action.Demand{}
	for _, k := range []string{"a", "R", "V"} {
		b.rest()
		b.press(k)
		b.says("select it in a pane first: z shows one")
	}
	if len(l.proposed) > 0 {
		t.Errorf("it asked for %v", l.proposed)
	}
	b.press("z")
	b.rest()
	b.press("a")
	l.once(t)
}

func TestLeversDoNothingBelowADialog(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	l.demand = action.Demand{}
	b.press("?", "a", "R", "V")
	l.calm(t, "a key in the help")
	if len(l.proposed) > 0 {
		t.Errorf("it asked for %v", l.proposed)
	}
}

func TestAFailedProposalSaysSo(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	l.err = &sources.Error{Kind: sources.Permission, Msg: "the token may not write", Fix: "give it the scope incidents.write"}
	b.press("a")
	b.says("not acknowledged, nothing was sent: the token may not write")
	b.rest()
	b.press("V")
	b.says("the token may not write")
	b.says("give it the scope")
	l.err = nil
	b.press("r")
	b.says("Do it?")
	l.calm(t, "a failure")
}

func TestWhatIsUnderWayIsNotBegunAgain(t *testing.T) {
	t.Parallel()
	b, l, _ := armed(t, 120, 40)
	b.send(ui.OperationsMsg([]pane.Operation{{Plan: "p", Verb: sources.Resolve, Target: pageRef("checkout"), Title: clean.Const("Resolve checkout"), Since: b.clock.now()}}))
	b.press("V")
	b.says("Resolve checkout is under way")
	b.rest()
	b.press("a")
	b.says("it is being acknowledged already")
	if len(l.proposed) > 0 {
		t.Errorf("it asked for %v", l.proposed)
	}
}
