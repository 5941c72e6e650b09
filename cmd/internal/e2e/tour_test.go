package e2e

import (
	"strings"
	"testing"

	"example.com/signalbox/ui/uitest/vt"
)

// line is the row of the screen that holds text; "" when none does.
func line(t *vt.Terminal, text string) string {
	for row := range strings.Lines(t.String()) {
		if strings.Contains(row, text) {
			return row
		}
	}
	return ""
}

// marked reports whether the cursor of a pane is on the row of it that holds text.
func marked(t *vt.Terminal, text string) bool {
	before, _, found := strings.Cut(line(t, text), text)
	return found && strings.Contains(before[max(0, strings.LastIndexAny(before, "│┃")):], "▌")
}

// marks waits until the cursor is on the row that holds text.
func (s *session) marks(text string) {
	s.t.Helper()
	s.until("the cursor on "+text, func(t *vt.Terminal) bool { return marked(t, text) })
}

const (
	firstPipeline  = "New navigat"
	secondPipeline = "queue #418"
	thirdPipeline  = "waits for you"
	lastPipeline   = "Render stat"
)

// A tour of the keys through the demo. Every step waits for the cells that it must change.
func TestTour(t *testing.T) {
	t.Parallel()
	s := start(t, 160, 48, environ(t.TempDir()), "--demo")
	s.ready()

	s.keys("3")
	s.focuses(pipelinesPane)
	s.keys("G")
	s.marks(lastPipeline)
	s.keys("g")
	s.marks(firstPipeline)

	// Keys that arrive in one read all count: two rows down.
	s.keys("jj")
	s.marks(thirdPipeline)
	s.keys("kk")
	s.marks(firstPipeline)

	s.keys("/ledger")
	s.until("the pipelines of ledger alone", func(term *vt.Terminal) bool {
		return has(term, "fix/lag") && !has(term, firstPipeline) && !has(term, thirdPipeline)
	})
	s.keys("\x1b")
	s.shows(firstPipeline)

	s.keys("z")
	s.hides("4 Deployments")
	s.keys("z")
	s.shows("4 Deployments")

	s.keys("w")
	s.shows("mine only")
	s.keys("w")
	s.shows("everybody")
	s.keys("w")
	s.shows("team view")

	s.keys("f")
	s.hides(secondPipeline)
	s.keys("f")
	s.shows(secondPipeline)

	s.keys("\r")
	s.hides("4 Deployments")
	s.shows("ledger", "TestReplicaCatchUp")
	s.keys("\x1b")
	s.shows("4 Deployments")

	s.keys("4")
	s.focuses(deploymentsPane)
	s.keys("g")
	s.shows("▌ checkout  v1.9.2")
	s.keys("\r")
	s.hides("3 Pipelines")
	s.shows("checkout/prod", "v1.9.2")
	s.keys("\x1b")
	s.shows("3 Pipelines")

	s.keys("?")
	s.opens("Help: Deployments")
	s.closes("Help: Deployments")

	s.keys(":")
	s.opens("Commands")
	s.keys("refresh")
	s.shows(":refresh", "ask every source now")
	s.closes("Commands")

	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

// On a slow link Esc and the next key arrive in one read, as alt and the key do: both count.
func TestEscAndTheNextKeyInOneRead(t *testing.T) {
	t.Parallel()
	s := start(t, 160, 48, environ(t.TempDir()), "--demo")
	s.ready()
	s.keys("3")
	s.focuses(pipelinesPane)
	s.keys(":")
	s.opens("Commands")
	s.keys("zz")
	s.shows(":zz")
	s.keys("\x1bj")
	s.hides("━ Commands", "Esc close ━┛")
	s.marks(secondPipeline)
	s.keys("?")
	s.opens("Help: Pipelines")
	s.keys("\x1bq")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

// A flood of keys in one write is counted to the last one, which leads elsewhere, and leaves the board as
// responsive as before.
func TestFloodOfKeys(t *testing.T) {
	t.Parallel()
	s := start(t, 160, 48, environ(t.TempDir()), "--demo")
	s.ready()
	s.keys("3" + strings.Repeat("jk", 500) + "j4")
	s.focuses(deploymentsPane)
	s.until("the cursor on the second pipeline", func(term *vt.Terminal) bool { return marked(term, secondPipeline) && !marked(term, firstPipeline) })
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}
