package environment

import (
	"errors"
	"os"
	"slices"
	"testing"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

func asks(a pane.Ask) bool { return !a.Comparison.IsZero() }

func mustAsk(t *testing.T, d *uitest.Driver) pane.Load {
	t.Helper()
	l, ok := uitest.Asked(d, asks)
	if !ok {
		t.Fatalf("it asked for no comparison: %+v", d.Intents)
	}
	return l
}

func open(s uitest.Size, ref sources.Ref, snap *store.Snapshot) *uitest.Driver {
	w, h := s.Whole()
	return uitest.Drive(New(ref), uitest.Env(snap), w, h)
}

// contradicted is the story with two witnesses against each other in ledger's production.
func contradicted() *store.Snapshot {
	s := uitest.Story()
	for i := range s.Feeds {
		for j := range s.Feeds[i].Environments {
			env := &s.Feeds[i].Environments[j]
			if env.Ref != uitest.LedgerProd() {
				continue
			}
			env.History = slices.Clone(env.History)
			env.History[0].Mismatch = true
			env.History[0].Evidence = []sources.Evidence{{Kind: sources.FromURL, Version: uitest.V("v3.2.8", "3280cc3"), At: uitest.Now()},
				{Kind: sources.FromRecord, Version: uitest.V("v3.2.9", "3290cc3"), At: uitest.Now()}}
			env.Targets = slices.Clone(env.Targets)
			env.Targets[0].Current = &env.History[0]
		}
	}
	return s
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.Sizes() {
		for name, make := range map[string]func(*testing.T) *uitest.Driver{
			"gate": func(t *testing.T) *uitest.Driver {
				d := open(s, uitest.SearchProd(), uitest.Story())
				l := mustAsk(t, d)
				d.Answer(l, uitest.AnswerOf(l.Ask), nil)
				return d
			},
			"comparing": func(*testing.T) *uitest.Driver { return open(s, uitest.SearchProd(), uitest.Story()) },
			"half": func(t *testing.T) *uitest.Driver {
				d := open(s, uitest.AccountsProd(), uitest.Story())
				d.Answer(mustAsk(t, d), pane.Answer{}, &sources.Error{Kind: sources.NotExist, Msg: "v2.0.4 is not in acme/accounts any more"})
				return d
			},
			"unverified": func(*testing.T) *uitest.Driver { return open(s, uitest.LedgerProd(), uitest.Story()) },
			"mismatch":   func(*testing.T) *uitest.Driver { return open(s, uitest.LedgerProd(), contradicted()) },
			"arriving": func(*testing.T) *uitest.Driver {
				return open(s, uitest.Ref(sources.KindEnvironment, "acme/web", "web/staging"), uitest.Story())
			},
			"empty": func(*testing.T) *uitest.Driver {
				return open(s, uitest.Ref(sources.KindEnvironment, "acme/reports", "reports/prod"), uitest.Story())
			},
			"missing": func(*testing.T) *uitest.Driver {
				return open(s, uitest.Ref(sources.KindEnvironment, "acme/gone", "gone/prod"), uitest.Story())
			},
			"plain": func(t *testing.T) *uitest.Driver {
				d := open(s, uitest.SearchProd(), uitest.Story())
				l := mustAsk(t, d)
				d.Answer(l, uitest.AnswerOf(l.Ask), nil)
				d.Env = uitest.Plain(d.Env)
				d.Send(pane.Changed{})
				return d
			},
		} {
			t.Run(name+"-"+s.String(), func(t *testing.T) {
				t.Parallel()
				d := make(t)
				golden.Check(t, name+"-"+s.String(), d.Framed(0), d.Env.Theme)
			})
		}
	}
}

func TestTheSameQuestionIsAskedOnce(t *testing.T) {
	t.Parallel()
	d := open(uitest.Size{W: 120, H: 40}, uitest.SearchProd(), uitest.Story())
	first := mustAsk(t, d)
	n := len(d.Intents)
	d.Show(uitest.Story())
	if len(d.Intents) != n {
		t.Error("it asked again although neither version changed")
	}
	if first.Ask.Base == "" || first.Ask.Head == "" || first.Ask.Comparison != uitest.SearchProd() {
		t.Errorf("asked %+v", first.Ask)
	}
	d.Press(keymap.Refresh)
	second := mustAsk(t, d)
	if second.Gen <= first.Gen {
		t.Error("refresh does not ask again")
	}
	d.Answer(first, uitest.AnswerOf(first.Ask), nil)
	if d.Says("Rank by recency") {
		t.Error("an answer to an old question is shown")
	}
	d.Answer(second, pane.Answer{}, errors.New("connection reset"))
	if !d.Says("not compared with staging: connection reset") {
		t.Errorf("got\n%s", d.Text())
	}
}

func TestKeysForPanesGoToTheOtherStages(t *testing.T) {
	t.Parallel()
	d := open(uitest.Size{W: 120, H: 40}, uitest.SearchProd(), uitest.Story())
	d.Press(keymap.NextPane)
	if sel, _ := d.Pane.Selected(d.Env); sel.Name.String() != "search/staging" {
		t.Errorf("selected %q", sel.Name)
	}
	d.Press(keymap.PrevPane)
	if sel, _ := d.Pane.Selected(d.Env); sel.Name.String() != "search/prod" {
		t.Errorf("selected %q", sel.Name)
	}
}

func TestEnterOpensTheRunBehindALine(t *testing.T) {
	t.Parallel()
	d := open(uitest.Size{W: 120, H: 40}, uitest.SearchProd(), uitest.Story())
	d.Press(keymap.Top)
	for range 20 {
		d.Press(keymap.OpenDetail)
		if o, ok := uitest.Last[pane.Open](d); ok {
			if o.Ref != uitest.SearchRun() {
				t.Fatalf("opened %v", o.Ref)
			}
			return
		}
		d.Press(keymap.Down)
	}
	t.Errorf("nothing opened the gate's run:\n%s", d.Text())
}

func TestTheCursorSkipsHeadings(t *testing.T) {
	t.Parallel()
	d := open(uitest.Size{W: 80, H: 24}, uitest.SearchProd(), uitest.Story())
	p := d.Pane.(*Pane)
	for _, a := range []keymap.Action{keymap.Down, keymap.Up} {
		for range 30 {
			if i, _ := p.list.At(); p.rows[i].heading {
				t.Fatalf("the cursor stands on %q", p.rows[i].key)
			}
			d.Press(a)
		}
	}
}

func TestTinyRegions(t *testing.T) {
	t.Parallel()
	d := open(uitest.Size{W: 120, H: 40}, uitest.AccountsProd(), uitest.Story())
	for w := range 30 {
		for h := range 12 {
			d.Resize(w, h)
			d.Grid()
		}
	}
}
