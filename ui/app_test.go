package ui_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

func (b *board) focusedTitle() string {
	for line := range strings.SplitSeq(b.text(), "\n") {
		if _, rest, ok := strings.Cut(line, "┏━ "); ok {
			title, _, _ := strings.Cut(strings.TrimLeft(rest, "123456789 "), " ")
			return title
		}
	}
	return ""
}

func TestFocus(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	if got := b.focusedTitle(); got != "Pipelines" {
		t.Errorf("the board begins on %s, which has nothing to show", got)
	}
	steps := []struct{ key, want string }{
		{"1", "Incidents"}, {"tab", "Metrics"}, {"tab", "Pipelines"}, {"right", "Deployments"}, {"tab", "Incidents"}, {"shift+tab", "Deployments"},
		{"left", "Pipelines"}, {"1", "Incidents"}, {"4", "Deployments"}, {"9", "Deployments"}, {"3", "Pipelines"},
	}
	for _, s := range steps {
		b.press(s.key)
		if got := b.focusedTitle(); got != s.want {
			t.Fatalf("after %s the focus is on %q, want %q", s.key, got, s.want)
		}
	}
	if _, ok := last[pane.Action](b.panes[2]); ok {
		t.Error("the focus keys reached a pane")
	}
}

func TestKeysThatArriveTogetherAreCounted(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3")
	p := b.panes[2]
	p.forget()
	b.press("jjjk")
	var got []pane.Action
	for _, m := range p.got {
		if a, ok := m.(pane.Action); ok {
			got = append(got, a)
		}
	}
	if len(got) != 2 || got[0] != (pane.Action{Action: keymap.Down, Count: 3}) || got[1] != (pane.Action{Action: keymap.Up, Count: 1}) {
		t.Errorf("jjjk is %v", got)
	}
	b.press("4jj")
	if a, _ := last[pane.Action](b.panes[3]); a.Count != 2 || b.focusedTitle() != "Deployments" {
		t.Errorf("4jj gives %v to %s", a, b.focusedTitle())
	}
}

func TestWhatReachesOutsideCountsOnlyAlone(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", "hello q, o and c", "jq")
	if b.quit || len(b.back.browsed) > 0 || len(b.out.controls) > 0 {
		t.Errorf("unmarked pasted text quit (%v), opened %v or copied %q", b.quit, b.back.browsed, b.out.controls)
	}
	b.says("press it alone")
}

// TestAReadThatIsCutIntoMessagesDoesNotAct pastes text as Bubble Tea hands it over when the terminal does
// not mark pastes: cut at blanks and control characters, each piece before anything that the App sent
// itself.
func TestAReadThatIsCutIntoMessagesDoesNotAct(t *testing.T) {
	t.Parallel()
	for _, read := range [][]string{
		{"a", " ", "q", " ", "b"}, {"q", " ", "uit"}, {"x", "enter", "q"}, {"ctrl+c", "enter"}, {":", "quit", "enter"},
		{"o", " ", "c"}, {"j", "ctrl+z"}, {"/", "enter", "ctrl+c"}, {"ctrl+r", "q"},
	} {
		b := newBoard(t, 160, 48)
		b.press("3")
		b.read(read...)
		if b.quit || b.suspended || len(b.back.browsed) > 0 || len(b.out.controls) > 0 {
			t.Errorf("%q: quit %v, suspended %v, opened %v, copied %q", read, b.quit, b.suspended, b.back.browsed, b.out.controls)
		}
		b.says("press it alone")
		b.press("esc", "esc", "q", "ctrl+c")
		if !b.quit {
			t.Errorf("%q: afterwards neither q nor ctrl+c quits", read)
		}
	}
}

// TestAnImpatientCtrlCQuits presses it often while the link is slow: it arrives several times at once.
func TestAnImpatientCtrlCQuits(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.read("ctrl+c", "ctrl+c", "ctrl+c")
	if !b.quit {
		t.Error("ctrl+c, three times at once, does not quit")
	}
}

// alt is a key with alt: the bytes of Esc and the key.
func alt(key string) tea.KeyMsg {
	k := keyOf(key)
	k.Alt = true
	return k
}

// TestEscAndTheNextKeyInOneRead presses Esc and a key on a slow link: a terminal sends alt and the key so.
func TestEscAndTheNextKeyInOneRead(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", ":", "zz")
	b.says(":zz")
	b.send(alt("q"))
	b.hides(":zz")
	if !b.quit {
		t.Error("Esc and q, which came together and alone, do not quit")
	}

	b = newBoard(t, 160, 48)
	b.press("3", "/", "zz")
	p := b.panes[2]
	p.forget()
	b.send(alt("j"))
	if a, ok := last[pane.Action](p); p.field != nil || !ok || a.Action != keymap.Down {
		t.Errorf("Esc and j leave the field %v and do %v", p.field, a)
	}

	// After other keys of the same read neither q nor anything else that wants to be alone counts.
	b = newBoard(t, 160, 48)
	for _, m := range []tea.KeyMsg{keyOf(":refresh"), alt("q")} {
		b.app.Update(m) // what the App sends itself comes after both
	}
	b.hides(":refresh")
	b.says("press it alone")
	if b.quit {
		t.Error("text that holds Esc and q quits")
	}
	for _, key := range []string{"o", "c", "b", "ctrl+z"} {
		b = newBoard(t, 160, 48)
		b.press("3", ":")
		b.send(alt(key))
		if b.suspended || len(b.back.browsed) > 0 || len(b.out.controls) > 0 {
			t.Errorf("Esc and %s in one read reach outside the board", key)
		}
		b.says("press it alone")
	}
}

// TestWhatADialogLeavesGetsTheNextKey presses keys faster than the App's own messages come back: a dialog that
// was closed gets none of them.
func TestWhatADialogLeavesGetsTheNextKey(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3")
	p := b.panes[2]
	for name, keys := range map[string][]string{"the palette": {":", "esc", "j"}, "a choice": {":", "everybody", "enter", "j"}, "the help": {"?", "esc", "j"}} {
		p.forget()
		b.read(keys...)
		if a, ok := last[pane.Action](p); !ok || a.Action != keymap.Down {
			t.Errorf("%s: the key behind it does %v:\n%s", name, a, b.text())
		}
	}
}

// TestAltStaysWhereItMeansSomething keeps alt for those who bound it, and for moving by words.
func TestAltStaysWhereItMeansSomething(t *testing.T) {
	t.Parallel()
	keys, err := keymap.New(map[string][]string{"sources": {"alt+s"}})
	if err != nil {
		t.Fatal(err)
	}
	b := newBoard(t, 160, 48, func(o *ui.Options, _ *board) { o.Keys = keys })
	b.send(alt("s"))
	b.says("Sources")
	b.press("esc", "3", "/", "two", " ", "words")
	b.send(alt("s"))
	p := b.panes[2]
	if p.field == nil || p.field.Value() != "two words" {
		t.Errorf("the field is %v", p.field)
	}
	b.send(alt("backspace"))
	if p.field == nil || p.field.Value() != "two " {
		t.Errorf("alt and backspace leave %v", p.field)
	}
}

func TestAPasteDoesNothingButType(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3")
	p := b.panes[2]
	p.forget()
	paste := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("q"), Paste: true}
	b.send(paste)
	if b.quit || len(p.got) > 0 {
		t.Errorf("a paste acted: quit %v, %v", b.quit, p.got)
	}
	b.press("/")
	paste.Runes = []rune("check out q")
	b.send(paste)
	if p.field == nil || p.field.Value() != "check out q" {
		t.Errorf("the pasted text did not reach the field: %v", p)
	}
}

func TestTypingTakesEveryKey(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", "/q1?", ":", " ", "zz")
	p := b.panes[2]
	if p.field == nil || p.field.Value() != "q1?: zz" {
		t.Fatalf("typed %v", p)
	}
	b.says("keep")
	b.hides("commands")
	b.press("ctrl+z")
	if !b.suspended {
		t.Error("ctrl+z does not suspend while somebody types")
	}
	b.send(tea.ResumeMsg{})
	b.press("ctrl+c")
	if p.field != nil || b.quit {
		t.Error("ctrl+c does not leave the field, or leaves more")
	}
}

// TestAKeyOfAnotherPlaceSaysSo presses keys that mean something, only not here.
func TestAKeyOfAnotherPlaceSaysSo(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", "e")
	b.says("e works in a log: to the log's first error")
	b.press("n")
	b.says("n works in a log: to the next match")
	b.press(" ")
	b.says("nothing here can be marked")
	b.press("]")
	b.says("] works in the large chart of a metric: a longer time")
	b.press("enter", "4")
	b.says("4 works on the board: Esc goes back there")
}

func TestQuitGoesBackFirst(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", "z", "enter", "?")
	b.says("Help: Run checkout")
	b.press("q")
	b.hides("Help: Run checkout")
	b.says("Run checkout")
	b.press("q")
	b.hides("Run checkout")
	b.hides("4 Deployments")
	b.press("q")
	b.says("Deployments")
	if b.quit {
		t.Fatal("quit too early")
	}
	b.press("ctrl+c")
	if !b.quit {
		t.Error("ctrl+c at the top does not quit")
	}
}

func TestEscGoesBackAndNeverQuits(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", "f")
	b.says("following checkout")
	b.press("z")
	b.hides("4 Deployments")
	b.clock.pass(time.Minute)
	b.press("esc", "esc", "esc", "esc", "esc", "esc")
	b.says("Deployments")
	if line := b.line(0); !strings.Contains(line, "team view") {
		t.Errorf("still follows: %s", line)
	}
	if b.quit {
		t.Error("Esc quit the program")
	}
}

func TestFollowAndWhoseTellEveryPane(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("4", "j")
	for _, p := range b.panes {
		p.forget()
	}
	b.press("f")
	if line := b.line(0); !strings.Contains(line, "following search") {
		t.Errorf("the header does not say so: %s", line)
	}
	for _, p := range b.panes {
		if _, ok := last[pane.Changed](p); !ok {
			t.Errorf("%s was not told", p.id)
		}
	}
	b.press("f")
	if line := b.line(0); strings.Contains(line, "following") {
		t.Errorf("f again does not stop: %s", line)
	}
	for _, want := range []string{"mine only", "everybody's", "team view"} {
		b.press("w")
		if line := b.line(0); !strings.Contains(line, want) {
			t.Errorf("w does not show %q: %s", want, line)
		}
	}
	b.press("f", "w")
	if line := b.line(0); !strings.Contains(line, "following search · mine only") {
		t.Errorf("the header says less than what narrows the board: %s", line)
	}
	b.press("w", "w", "f", "1", "f")
	b.says("no service is selected")
}

func TestOpenOnTheSelectionByIdentity(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", "j")
	b.panes[2].services = []string{"new", "ledger", "search", "checkout"}
	b.send(ui.SnapshotMsg(snapshot(b.clock.now())))
	b.press("enter")
	if len(b.details) != 1 || b.details[0].title != "Run search" {
		t.Fatalf("opened %v", b.details)
	}
	b.says("Run search")
	b.press("enter")
	if len(b.details) != 2 || b.details[1].title != "Run search-job" {
		t.Fatalf("no detail above the detail: %v", b.details)
	}
	b.press("esc")
	b.says("Run search ")
}

func TestAnObjectThatIsGoneSaysSo(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", "jj", "enter")
	b.says("Could not open")
	b.says("the run is gone")
	b.says("refresh with ctrl+r")
	b.press("esc", ":")
	for _, r := range "last error" {
		b.press(string(r))
	}
	b.press("enter")
	b.says("the run is gone")
}

// An answer goes to the pane that asked, and to no other that has its name later.
func TestStaleAnswersAreDropped(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := newBoard(t, 160, 48)
	b.back.load = func(context.Context, pane.Ask) (pane.Answer, error) {
		<-release
		return pane.Answer{Jobs: []sources.Job{{}}}, nil
	}
	b.press("3", "enter")
	first := b.details[0]
	first.answer = func(a pane.Action) tea.Cmd {
		if a.Action != keymap.Refresh {
			return nil
		}
		return send(pane.Load{From: first.id, Gen: 1, Ask: pane.Ask{Jobs: runRef("checkout")}})
	}
	_, cmd := b.app.Update(keyOf("r"))
	_, cmd = b.app.Update(answers(cmd)[0])
	answer := make(chan tea.Msg, 1)
	go func() { answer <- cmd() }()
	b.press("esc", "enter")
	second := b.details[1]
	if second.id != first.id {
		t.Fatal("the test needs two panes of one ID")
	}
	close(release)
	b.send(<-answer)
	for _, s := range []*stub{first, second} {
		if r, ok := last[pane.Reply](s); ok {
			t.Errorf("%s got %v", s.title, r)
		}
	}
}

// answers runs cmd and what it batches.
func answers(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	m := cmd()
	batch, ok := m.(tea.BatchMsg)
	if !ok {
		return []tea.Msg{m}
	}
	var out []tea.Msg
	for _, c := range batch {
		out = append(out, answers(c)...)
	}
	return out
}

func TestRepliesReachThePaneThatAsked(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.back.load = func(_ context.Context, a pane.Ask) (pane.Answer, error) {
		return pane.Answer{Jobs: []sources.Job{{Name: clean.Line("test")}}}, nil
	}
	p := b.panes[2]
	p.answer = func(a pane.Action) tea.Cmd {
		if a.Action != keymap.Logs {
			return nil
		}
		return tea.Batch(send(pane.Load{From: p.id, Gen: 7, Ask: pane.Ask{Jobs: runRef("web")}}), send("to myself"))
	}
	b.press("3", "l")
	r, ok := last[pane.Reply](p)
	if !ok || r.To != p.id || r.Gen != 7 || r.Err != nil || len(r.Answer.Jobs) != 1 || r.Ask.Jobs != runRef("web") {
		t.Errorf("got %+v, %v", r, ok)
	}
	if s, _ := last[string](p); s != "to myself" {
		t.Errorf("a pane's message to itself did not arrive: %v", p)
	}
	if s, ok := last[string](b.panes[3]); ok {
		t.Errorf("it reached another pane: %q", s)
	}
}

func TestBrowseCopyAndRunbook(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", "o", "b")
	if got := strings.Join(b.back.browsed, " "); got != "https://ci.example.com/checkout https://runbooks.example.com/checkout" {
		t.Errorf("opened %s", got)
	}
	b.says("opened https://runbooks")
	b.press("c", "u")
	if len(b.out.controls) != 2 || b.out.controls[0] != "\x1b]52;c;Z2l0aHViOmNoZWNrb3V0\x07" {
		t.Errorf("copied %q", b.out.controls)
	}
	b.says("copied the url")
	b.press("j", "b")
	b.says("search has no runbook")
	b.press("1", "o")
	b.says("nothing is selected")
}

func TestBrowseWithoutABrowserCopiesAndShows(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48, func(o *ui.Options, b *board) {
		o.Remote = true
		b.back.noWeb = &sources.Error{Kind: sources.Unsupported, Op: "open", Msg: "no browser here"}
	})
	b.press("3", "o")
	b.says("no browser here: copied https://ci.example.com/checkout")
	b.press("c")
	b.says("copied the id: github:checkout")
	if len(b.out.controls) != 2 {
		t.Errorf("copied %q", b.out.controls)
	}
	b.out.broken = errors.New("gone")
	b.press("c")
	b.says("not copied")
}

func TestSaveSaysWhere(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	p := b.panes[2]
	name := "web.log"
	p.answer = func(a pane.Action) tea.Cmd {
		if a.Action != keymap.Logs {
			return nil
		}
		return send(pane.Save{Name: name, From: strings.NewReader("lines")})
	}
	b.press("3", "l")
	b.says("saved /home/sre1/web.log")
	if len(b.back.saved) != 1 || b.back.saved[0] != "lines" {
		t.Errorf("saved %q", b.back.saved)
	}
	name = "full"
	b.press("l")
	b.says("the disk is full")
	b.says("make room")
}

func TestDisabledKeysSayWhy(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	p := b.panes[2]
	p.disabled = map[keymap.Action]string{keymap.Logs: "this run has no jobs yet"}
	b.press("3")
	p.forget()
	if strings.Contains(b.line(-1), "l log") {
		t.Error("the footer offers a key that does nothing")
	}
	b.press("l")
	b.says("this run has no jobs yet")
	if _, ok := last[pane.Action](p); ok {
		t.Error("a disabled action reached the pane")
	}
	b.press("?")
	b.says("show the log of checkout · this run has no jobs yet")
	b.press("esc", ":", "log")
	b.says("this run has no jobs yet")
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	p, key := b.panes[2], store.FeedKey{Source: "github", Capability: store.Runs, Scope: "acme/web"}
	p.answer = func(a pane.Action) tea.Cmd {
		if a.Action == keymap.Refresh {
			return send(pane.Refresh{Feeds: []store.FeedKey{key}})
		}
		return nil
	}
	b.press("3", "r", "ctrl+r")
	if len(b.back.refresh) != 2 || len(b.back.refresh[0]) != 1 || b.back.refresh[0][0] != key || len(b.back.refresh[1]) != 0 {
		t.Errorf("asked for %v", b.back.refresh)
	}
}

func TestPalette(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", ":", "flwldg")
	b.says("follow ledger")
	b.press("enter")
	if line := b.line(0); !strings.Contains(line, "following ledger") {
		t.Errorf("the palette did not follow: %s", line)
	}
	b.press(":", "pane 4", "enter")
	if b.focusedTitle() != "Deployments" {
		t.Errorf("the palette went to %s", b.focusedTitle())
	}
	b.press(":", "show mine", "enter")
	b.press(":", "stop following", "enter")
	if line := b.line(0); !strings.Contains(line, "mine only") {
		t.Errorf("the palette did not switch: %s", line)
	}
	b.press(":", "wrap", "enter")
	b.says("only in a run or a log")
	b.press("esc", ":", "xqzxqz")
	b.says("no command has these letters")
	b.press("enter", "esc", ":", "down", "enter")
	if a, _ := last[pane.Action](b.panes[3]); a.Action != keymap.Logs {
		t.Errorf("the palette sent %v", a)
	}
	b.press(":", "backspace")
	b.hides("Commands")
}

// TestThePaletteBeginsWithWhatIsWanted looks at the order of its lines: the selected row, the views, the
// sources, then where to go; what leaves comes last.
func TestThePaletteBeginsWithWhatIsWanted(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 60)
	b.press("3", ":")
	at := -1
	for _, want := range []string{
		"open show checkout in full", "open in browser open checkout in the browser", "follow checkout narrow every pane to checkout",
		"show mine", "refresh ask this pane's sources now", "zoom", "sources how every source", "pane 1: Incidents",
	} {
		text := strings.Join(strings.Fields(b.text()), " ")
		i := strings.Index(text, want)
		if i <= at {
			t.Fatalf("%q is missing or too early:\n%s", want, b.text())
		}
		at = i
	}
	b.hides("every command by its name")
	b.hides("back to the shell")
	b.press("pgdown", "pgdown", "pgdown")
	b.says("only in a run or a log")
}

func TestPaletteQuits(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press(":", "quit", "enter")
	if !b.quit {
		t.Error("the palette does not quit")
	}
}

func TestHelpIsMadeFromTheKeymap(t *testing.T) {
	t.Parallel()
	keys, err := keymap.New(map[string][]string{"zoom": {"B"}, "whose": {}, "help": {"f1"}})
	if err != nil {
		t.Fatal(err)
	}
	b := newBoard(t, 160, 60, func(o *ui.Options, _ *board) { o.Keys = keys })
	b.press("?")
	b.hides("Help")
	b.send(tea.KeyMsg{Type: tea.KeyF1})
	b.says("Help: Pipelines")
	b.says("B            this pane over the whole screen")
	b.says(":whose       show the team's, mine, or everybody's")
	b.hides("to the log's first error")
	b.press("esc")
	b.says("f1 help")
	b.hides("whose")
	b.press("z")
	b.says("Deployments")
	b.press("B")
	b.hides("4 Deployments")
}

// TestTheTinyListSaysHowOldItIs loses the network on a screen that has no room for panes.
func TestTheTinyListSaysHowOldItIs(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 40, 10, func(o *ui.Options, b *board) {
		for i := range o.Snapshot.Feeds {
			h := &o.Snapshot.Feeds[i].Health
			h.State, h.LastGood = store.Failing, b.clock.now().Add(-4*time.Minute)
			h.Err = &sources.Error{Kind: sources.Transient, Msg: "no answer in time"}
		}
	})
	if line := b.line(0); !strings.Contains(line, "✗ 3m old") {
		t.Errorf("the header: %s", line)
	}
	b.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	b.says("github ✗ unreachable, 3m old")
}

func TestSourcesDialog(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48, func(o *ui.Options, b *board) {
		now := b.clock.now()
		f := &o.Snapshot.Feeds[1].Health
		f.State, f.Failures, f.Since = store.Refused, 3, now.Add(-10*time.Minute)
		f.Err = &sources.Error{Kind: sources.Permission, Msg: "the token may not read acme/search", Fix: "gh auth refresh -s repo"}
		o.Snapshot.Feeds[2].Health.State = store.Degraded
		o.Snapshot.Feeds[2].Health.Notices = []sources.Notice{{Scope: "acme/old", Text: clean.Const("is archived"), Fix: clean.Const("remove it from the config")}}
	})
	if line := b.line(0); !strings.Contains(line, "github ✗ no access (1 of 5 feeds)") {
		t.Errorf("the header: %s", line)
	}
	b.press(":", "sources", "enter")
	for _, s := range []string{
		"runs of acme/checkout  healthy  read 5s ago · took 212 ms · next in 10s · every 15s", "budget 4,812 of 5,000 until 02:34",
		"runs of acme/search    refused for 10m", "3 failures in a row", "the token may not read acme/search (1 of 5 feeds)", "→ gh auth refresh -s repo",
		"acme/old: is archived", "→ remove it from the config",
	} {
		b.says(s)
	}
}

func TestEventsAndMessages(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.send(ui.EventMsg(pane.Event{Token: theme.OK, Text: clean.Const("the config was read again")}))
	b.says("the config was read again")
	b.press(":", "messages", "enter")
	b.says("02:14  the config was read again")
}

func TestConfigErrorStaysOnTheBoard(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{160, 48}, {80, 24}, {60, 12}} {
		b := newBoard(t, size[0], size[1], func(o *ui.Options, _ *board) {
			o.Snapshot.Catalog.ConfigError = clean.Const("config.yaml:12:3: unknown key")
		})
		b.clock.pass(time.Hour)
		b.press("j")
		b.says("config")
	}
}

func TestSetupPage(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{160, 48}, {80, 24}, {60, 12}, {40, 10}, {3, 3}, {1, 1}} {
		b := newBoard(t, size[0], size[1], func(o *ui.Options, _ *board) {
			o.Panes = nil
			o.Setup = &ui.Setup{Title: clean.Const("Nothing to show yet"), Lines: [][]pane.Part{
				{{Token: theme.Text, Text: clean.Const("set GITHUB_TOKEN, or try signalbox --demo")}},
			}}
		})
		if size[0] >= 60 {
			b.says("signalbox --demo")
		}
		b.press("j", "tab", "z", "f", "o", "enter", "esc", "?", "esc", ":", "esc", "1")
		if size[0] >= 60 {
			b.says("signalbox --demo")
		}
		b.press("q")
		if !b.quit {
			t.Errorf("q does not quit at %v", size)
		}
	}
}

func TestMouse(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	click := func(x, y int, button tea.MouseButton) {
		b.send(tea.MouseMsg{X: x, Y: y, Button: button, Action: tea.MouseActionPress})
	}
	click(100, 7, tea.MouseButtonLeft)
	if b.focusedTitle() != "Deployments" {
		t.Fatalf("the click focused %s", b.focusedTitle())
	}
	if c, _ := last[pane.Click](b.panes[3]); c != (pane.Click{X: 19, Y: 2}) {
		t.Errorf("the pane got %+v", c)
	}
	if k, _ := b.panes[3].list.Key(); k != "web" {
		t.Errorf("selected %q", k)
	}
	click(10, 7, tea.MouseButtonWheelDown)
	if c, _ := last[pane.Click](b.panes[2]); c.Wheel != 3 || b.focusedTitle() != "Deployments" {
		t.Errorf("the wheel: %+v, focus on %s", c, b.focusedTitle())
	}
	b.panes[3].forget()
	b.send(tea.MouseMsg{X: 100, Y: 8, Button: tea.MouseButtonLeft, Action: tea.MouseActionRelease})
	b.send(tea.MouseMsg{X: 100, Y: 8, Button: tea.MouseButtonNone, Action: tea.MouseActionMotion})
	click(100, 8, tea.MouseButtonRight)
	if len(b.panes[3].got) > 0 {
		t.Errorf("the pane got %v", b.panes[3].got)
	}
	x := len([]rune(b.line(0)[:strings.Index(b.line(0), "github")]))
	click(x, 0, tea.MouseButtonLeft)
	b.says("runs of acme/checkout")
	click(1, 1, tea.MouseButtonLeft)
	b.hides("runs of acme/checkout")
	b.press(":", "follow")
	y := 0
	for i, line := range strings.Split(b.text(), "\n") {
		if strings.Contains(line, "follow ledger") {
			y = i
		}
	}
	click(60, y, tea.MouseButtonLeft)
	if y == 0 || !strings.Contains(b.line(0), "following ledger") {
		t.Errorf("a click at line %d of the palette: %s", y, b.line(0))
	}
}

func TestTabsAreClickable(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 80, 24)
	for x, want := range map[int]string{3: "Incidents", 17: "Metrics", 30: "Pipelines", 45: "Deployments"} {
		b.send(tea.MouseMsg{X: x, Y: 1, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
		if b.focusedTitle() != want {
			t.Errorf("a click at %d shows %s, want %s", x, b.focusedTitle(), want)
		}
	}
}

func TestMouseCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48, func(o *ui.Options, _ *board) { o.Mouse = false })
	b.send(tea.MouseMsg{X: 100, Y: 8, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
	if b.focusedTitle() != "Pipelines" {
		t.Error("the mouse moved the focus")
	}
}

func TestSettingsChangeWhileItRuns(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	keys, err := keymap.New(map[string][]string{"zoom": {"B"}})
	if err != nil {
		t.Fatal(err)
	}
	b.send(ui.SettingsMsg(ui.Settings{Keys: keys, Theme: theme.New(theme.Options{ASCII: true}), Zone: time.FixedZone("CET", 3600)}))
	b.says("B zoom")
	b.says("03:14 CET")
	b.says("#= 3 Pipelines")
	b.hides("┏")
}

func TestZoom(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3", "z")
	b.hides("4 Deployments")
	b.press("4")
	b.says("Deployments")
	b.hides("3 Pipelines")
	b.press("z")
	b.says("Pipelines")
	b = newBoard(t, 80, 24)
	b.press("z")
	b.says("one pane is shown at a time already")
	b = newBoard(t, 40, 10)
	b.press("3", "z")
	b.says("checkout")
}

func TestCausesTellDataFromKeys(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3")
	if c := b.out.causes[len(b.out.causes)-1]; c != screen.Key {
		t.Errorf("a key's frame has cause %d", c)
	}
	b.send(ui.SnapshotMsg(snapshot(b.clock.now())))
	if c := b.out.causes[len(b.out.causes)-1]; c != screen.Data {
		t.Errorf("a snapshot's frame has cause %d", c)
	}
}
