package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/ui/uitest/vt"
)

const (
	notIt  = "not " + word + ": nothing is done"
	pasted = "a paste answers nothing: type it"
	piece  = "that came as one piece: type it"
	crowd  = "came together"
)

func openRollback(t *testing.T) *question {
	t.Helper()
	d := openDesk(t)
	return &question{desk: d, key: "R", title: "Roll back checkout/prod to v1.9.1", asks: field, idle: notIt}
}

// What demands a word takes that word, typed key by key, and an Enter of its own: nothing else writes anything.
func TestOnlyTheWordConfirms(t *testing.T) {
	t.Parallel()
	q := openRollback(t)
	for _, tt := range []trial{
		{name: "n", sent: []string{"n", "\r"}, says: notIt, left: "n"},
		{name: "n beside the field", sent: []string{"\t", "n"}},
		{name: "y", sent: []string{"y", "\r"}, says: notIt, left: "y"},
		{name: "Esc", typed: word, sent: []string{"\x1b"}},
		{name: "ctrl+c", typed: word, sent: []string{"\x03"}},
		{name: "q", sent: []string{"q", "\r"}, says: notIt, left: "q"},
		{name: "q beside the field", sent: []string{"\t", "q"}},
		{name: "Enter", sent: []string{"\r"}, says: notIt},
		{name: "a part", typed: word[:len(word)-1], sent: []string{"\r"}, says: notIt, left: word[:len(word)-1]},
		{name: "another", typed: "checkout/prot", sent: []string{"\r"}, says: notIt, left: "checkout/prot"},
		{name: "a space after it", typed: word + " ", sent: []string{"\r"}, says: notIt, left: word + " "},
		{name: "more", typed: word + "uction", sent: []string{"\r"}, says: notIt, left: word + "uction"},
		{name: "a paste", sent: []string{"\x1b[200~" + word + "\x1b[201~"}, says: pasted},
		{name: "a paste and Enter", sent: []string{"\x1b[200~" + word + "\x1b[201~", "\r"}, says: notIt},
		{name: "a paste with its Enter", sent: []string{"\x1b[200~" + word + "\r\x1b[201~"}, says: pasted},
		{name: "an Enter that is pasted", typed: word, sent: []string{"\x1b[200~\r\x1b[201~"}, says: pasted, left: word},
		{name: "a paste that is not marked", sent: []string{word}, says: piece},
		{name: "one with its Enter", sent: []string{word + "\r"}, says: notIt},
		{name: "the end of one", typed: word[:len(word)-1], sent: []string{"d\r"}, says: crowd, left: word},
		{name: "y held down", sent: []string{"yyyyyyyy"}, says: piece},
		{name: "Enter held down", typed: word, sent: []string{"\r\r\r\r"}, says: "Enter is held down", left: word},
		{name: "Esc and Enter", typed: word, sent: []string{"\x1b\r"}},
	} {
		q.tries(&tt)
		if tt.name == "Esc and Enter" {
			q.s.keys("\x1b") // from where the Enter led
		}
	}
	q.wrote()
}

// Neither sizes nor a mouse confirm, nor what was typed before the verdict was seen. Then the word does, once.
func TestTheWordConfirms(t *testing.T) {
	t.Parallel()
	q := openRollback(t)
	q.s.keys("R" + word + "\r")                         // as from a clipboard, on the board
	q.s.shows("came together with other keys", "/prod") // of which / opens a filter
	q.wrote()
	q.s.keys("\x1b")
	q.s.hides("/prod")

	q.opens()
	q.comesEarly("c", word[1:], "\r", "y", "\x1b[200~"+word+"\x1b[201~")
	q.advance(450 * time.Millisecond)
	q.comesEarly(slices.Repeat([]string{"c"}, 20)...)
	q.s.until("nothing in the field", func(t *vt.Terminal) bool { return holds(t, field, "") })
	q.ripens()
	q.types(word)
	q.resizes()
	q.s.resize(80, 24)
	q.s.until("the word at 80x24", func(t *vt.Terminal) bool { return holds(t, field, word) && has(t, "of 27") })
	x, y := q.s.where("Type " + word)
	for dx := range 3 {
		q.s.click(x+20*dx, y)
	}
	q.s.wheel(x, y-4)
	q.s.until("a plan that has scrolled, and asks", func(t *vt.Terminal) bool {
		return q.asking(t) && holds(t, field, word) && !has(t, "┃ now ")
	})
	q.wrote()
	q.s.click(0, 0)
	q.s.until("closed", func(t *vt.Terminal) bool { return !q.asking(t) })
	q.wrote()

	q.s.resize(160, 48)
	q.s.shows("4 Deployments")
	q.opens()
	q.ripens()
	q.types(word)
	q.wrote()
	q.s.keys("\r")
	q.s.shows("GitHub took it")
	q.wrote("POST …/dispatches")
}

func openRejection(t *testing.T) *question {
	t.Helper()
	d := openDesk(t)
	d.s.keys("3")
	d.s.focuses(pipelinesPane)
	d.s.keys("gjj")
	d.s.marks(thirdPipeline)
	return &question{desk: d, key: "D", title: "Reject deploy #812", asks: "Do it?  y yes   n no", idle: "Enter does nothing here"}
}

const severalKeys = "several keys came together"

// What asks for a y takes a y alone: nothing else writes anything.
func TestOnlyAYConfirms(t *testing.T) {
	t.Parallel()
	q := openRejection(t)
	for _, tt := range []trial{
		{name: "n", sent: []string{"n"}},
		{name: "Esc", sent: []string{"\x1b"}},
		{name: "ctrl+c", sent: []string{"\x03"}},
		{name: "q", sent: []string{"q"}},
		{name: "Enter", sent: []string{"\r"}, says: "Enter does nothing here"},
		{name: "Enter held down", sent: []string{"\r\r\r\r"}, says: "Enter does nothing here"},
		{name: "a paste", sent: []string{"\x1b[200~y\x1b[201~"}, says: pasted},
		{name: "a paste and Enter", sent: []string{"\x1b[200~y\x1b[201~\r"}, says: "Enter does nothing here"},
		{name: "a paste that is not marked", sent: []string{"yes"}, says: severalKeys},
		{name: "one with its Enter", sent: []string{"y\r"}, says: "another key came at once"},
		{name: "one after a blank", sent: []string{" y"}, says: severalKeys},
		{name: "y held down", sent: []string{"yyyyyyyy"}, says: severalKeys},
		{name: "Esc and y", sent: []string{"\x1by"}},
	} {
		q.tries(&tt)
	}
	q.wrote()
}

// A y that is held down from before the verdict was seen, or comes within the half second, confirms nothing; nor
// do sizes or a mouse. Then a y of its own does, once.
func TestAYConfirms(t *testing.T) {
	t.Parallel()
	q := openRejection(t)
	q.opens()
	// For the board, all of these come within 700 ms, and the verdict has been seen for the last of them.
	q.s.keys("y")
	q.s.shows(early)
	for range 14 {
		q.advance(50 * time.Millisecond)
		q.s.keys("y")
	}
	q.s.answersHeld("y", func(t *vt.Terminal) bool { return has(t, "y is held down") || has(t, severalKeys) })
	q.wrote()
	q.leaves()

	q.opens()
	q.comesEarly(slices.Repeat([]string{"y"}, 10)...)
	q.advance(450 * time.Millisecond)
	q.comesEarly(slices.Repeat([]string{"y"}, 20)...)
	q.wrote()
	q.ripens()
	q.resizes()
	q.wrote()
	// A click on the answer is none. Where the dialog has just moved from under it, it closes it, as the next does.
	x, y := q.s.where("y yes")
	q.s.click(x, y)
	q.s.click(0, 0)
	q.s.until("closed", func(t *vt.Terminal) bool { return !q.asking(t) })
	q.wrote()

	q.opens()
	q.ripens()
	q.s.keys("y")
	q.passesTo(q.s, 5*time.Second, "✓ done")
	q.wrote("POST …/pending_deployments")
}

// While a key is on its way the list moves under the cursor. What is hit is what was looked at, or nothing.
func TestAResortUnderTheKey(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	s := d.s
	d.steer("POST", fmt.Sprintf("incidents/%d/acknowledge", d.page("checkout").Number), "", nil)
	page := func(service, title string, severity int) (number int) {
		var out struct{ Number int }
		d.steer("POST", "incidents", fmt.Sprintf(`{"service": %q, "title": %q, "severity": %d}`, service, title, severity), &out)
		return out.Number
	}
	acked := func() (titles []string) {
		for _, i := range d.truth().Incidents {
			if i.State == "acknowledged" && strings.HasPrefix(i.Title, "round ") {
				titles = append(titles, i.Title)
			}
		}
		return titles
	}
	d.advance(time.Second) // lets the row rest that the cursor is on
	const refreshing = "asking every source"
	total := 0
	for i, round := range []struct {
		name string
		gone bool // what is looked at goes away, and what is worse takes its place
		wait func(looked, worse string)
	}{
		{"at once", false, func(string, string) {}},
		{"while sources are asked", false, func(string, string) { s.shows(refreshing) }},
		{"when it has moved", false, func(_, worse string) { s.shows(worse) }},
		{"at once", true, func(string, string) {}},
		{"while sources are asked", true, func(string, string) { s.shows(refreshing) }},
		{"when it has gone", true, func(looked, _ string) { s.hides(looked) }},
	} {
		looked, worse := fmt.Sprintf("round %d calm", i), fmt.Sprintf("round %d worse", i)
		first := page("search", looked, 2)
		s.keys("\x12")
		s.shows(looked)
		s.keys("gj") // below what is acknowledged already, and worse
		s.marks(looked)
		d.advance(30 * time.Second) // what was said before goes by
		s.hides(refreshing, "press a again", crowd)

		second := page("web", worse, 1)
		if round.gone {
			d.steer("POST", fmt.Sprintf("incidents/%d/resolve", first), "", nil)
		}
		s.keys("\x12")
		round.wait(looked, worse)
		s.keys("a")
		s.until("what becomes of a "+round.name, func(t *vt.Terminal) bool {
			return has(t, "press a again") || has(t, crowd) || has(t, "nothing was sent") ||
				has(t, "Esc closes") || has(t, "Esc cancels") || has(t, "resolved") ||
				strings.Contains(line(t, looked)+line(t, worse), "acked")
		})
		got := acked()
		total += len(got)
		if len(got) > 1 || len(got) == 1 && (got[0] != looked || round.gone) {
			t.Errorf("%s (gone: %t): a on %q acknowledges %q:\n%s", round.name, round.gone, looked, got, s.screen())
		}
		if screen := s.screen(); strings.Contains(screen, "Esc closes") || strings.Contains(screen, "Esc cancels") { // it asks, or refuses: another key closes that
			s.keys("\x1b")
			s.hides("Esc closes", "Esc cancels")
		}
		t.Logf("%s (gone: %t): %q", round.name, round.gone, got)
		if n := len(d.writes()); n != total {
			t.Errorf("%s: %d writes, %d acknowledged: %q", round.name, n, total, d.writes())
		}
		for _, n := range []int{first, second} {
			if !round.gone || n == second {
				d.steer("POST", fmt.Sprintf("incidents/%d/resolve", n), "", nil)
			}
		}
		s.keys("\x12")
		s.hides(looked, worse)
	}
	if total == 0 {
		t.Error("no key hit anything: the rounds prove nothing")
	}
}
