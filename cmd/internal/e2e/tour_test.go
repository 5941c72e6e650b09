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

// A tour of the keys through the demo. Every step waits for the cells that it must change.
func TestTour(t *testing.T) {
	t.Parallel()
	s := start(t, 160, 48, environ(t.TempDir()), "--demo")
	s.ready()

	s.keys("3")
	s.until("the focus on the pipelines", func(term *vt.Terminal) bool { return strings.Contains(line(term, " 3 Pipelines "), "┏━") })
	s.keys("G")
	s.until("the cursor on the last pipeline", func(term *vt.Terminal) bool { return strings.Contains(line(term, "Render stat"), "▌") })
	s.keys("g")
	s.until("the cursor on the first pipeline", func(term *vt.Terminal) bool { return strings.Contains(line(term, "New navigat"), "▌") })

	// Keys that arrive in one read all count: three rows down.
	s.keys("jjj")
	s.until("the cursor on the fourth pipeline", func(term *vt.Terminal) bool { return strings.Contains(line(term, "waits for you"), "▌") })
	s.keys("kkk")
	s.until("the cursor on the first pipeline", func(term *vt.Terminal) bool { return strings.Contains(line(term, "New navigat"), "▌") })

	s.keys("/ledger")
	s.until("the pipelines of ledger alone", func(term *vt.Terminal) bool {
		return has(term, "fix/lag") && !has(term, "New navigat", "waits for you")
	})
	s.keys("\x1b")
	s.shows("New navigat")

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
	s.hides("queue #418")
	s.keys("f")
	s.shows("queue #418")

	s.keys("\r")
	s.hides("4 Deployments")
	s.shows("ledger", "TestReplicaCatchUp")
	s.keys("\x1b")
	s.shows("4 Deployments")

	s.keys("4")
	s.until("the focus on the deployments", func(term *vt.Terminal) bool { return strings.Contains(line(term, " 4 Deployments "), "┏━") })
	s.keys("g")
	s.shows("▌ checkout  v1.9.2")
	s.keys("\r")
	s.hides("3 Pipelines")
	s.shows("checkout/prod", "v1.9.2")
	s.keys("\x1b")
	s.shows("3 Pipelines")

	s.keys("?")
	s.shows("Help: Deployments", "Esc close")
	s.keys("\x1b")
	s.hides("Help: Deployments")

	s.keys(":")
	s.shows("Esc")
	s.keys("refresh")
	s.shows("ask every source now")
	s.keys("\x1b")
	s.hides("ask every source now")

	s.keys("q")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

// A flood of keys in one write is counted to the last one and leaves the board as responsive as before.
func TestFloodOfKeys(t *testing.T) {
	t.Parallel()
	s := start(t, 160, 48, environ(t.TempDir()), "--demo")
	s.ready()
	s.keys("3" + strings.Repeat("jk", 500) + "j")
	s.until("the cursor on the second pipeline", func(term *vt.Terminal) bool { return strings.Contains(line(term, "queue #418"), "▌") })
	s.keys("q")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}
