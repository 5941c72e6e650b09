package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/signalbox/ui/uitest/vt"
)

// impatient is a copy of a board's config that asks as often as it may, so that a test need not wait
// minutes for what is old.
func impatient(t *testing.T, config string) string {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "impatient.yaml")
	text = append(text, "\nrefresh: {live: 5s, waiting: 5s, quiet: 5s}\n"...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sourceIsWell(t *vt.Terminal) bool { return strings.Contains(line(t, "signalbox"), "github ●") }

// A provider that dies is seen, keeps what it said on the screen, takes nothing else with it, and is taken
// back when it returns, also with another token.
func TestDeadServer(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	config := filepath.Join(home, "board.yaml")
	sim := simulate(t, environ(home), config, "127.0.0.1:0")
	s := start(t, 160, 48, environ(home), "--config", impatient(t, config))
	s.ready()
	s.until("a source that is well", sourceIsWell)

	sim.stop()
	s.until("a source that is not", func(term *vt.Terminal) bool { return !sourceIsWell(term) })
	s.shows("Pipelines", "waits for you", "v1.9.2")
	s.keys("3?")
	s.opens("Help: Pipelines")
	s.closes("Help: Pipelines")

	simulate(t, environ(home), config, sim.listen)
	s.keys("\x12") // ctrl+r: every source now
	s.until("the source back", sourceIsWell)
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

// A provider that takes requests and answers none: what is shown grows old and says so.
func TestHungServer(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	config := filepath.Join(home, "board.yaml")
	// In a world that hardly moves every answer is free: the rate budget does not slow the board down.
	sim := simulate(t, environ(home), config, "127.0.0.1:0", "--speed", "0.001")
	s := start(t, 160, 48, environ(home), "--config", impatient(t, config))
	s.ready()
	sim.signal(syscall.SIGSTOP)
	s.until("an age in the pipelines' frame", func(term *vt.Terminal) bool {
		return strings.Contains(strings.SplitN(line(term, " 3 Pipelines "), " 4 Deployments ", 2)[0], "…")
	})
	s.shows("waits for you", "v1.9.2")
	s.keys("z")
	s.hides("4 Deployments")
	s.keys("z")
	s.shows("4 Deployments")
	sim.signal(syscall.SIGCONT)
	s.until("fresh pipelines", func(term *vt.Terminal) bool {
		return !strings.Contains(strings.SplitN(line(term, " 3 Pipelines "), " 4 Deployments ", 2)[0], "…")
	})
	s.quits()
	s.givenBack()
}

// A config that is edited while the board runs is taken; a broken one is said, and the running one kept.
func TestConfigIsReadAgain(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	sim := simulate(t, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	text, err := os.ReadFile(sim.config)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(home, "edited.yaml")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(string(text))
	s := start(t, 160, 48, environ(home), "--config", config)
	s.ready()
	write(string(text) + "\nnonsense: true\n")
	s.shows("config not taken", "nonsense")
	s.shows("waits for you")
	write(strings.Replace(string(text), "team: payments", "team: settlements", 1) + "\ntheme: {glyphs: ascii}\n")
	s.hides("config not taken")
	s.shows("settlements")
	s.until("ASCII symbols", func(term *vt.Terminal) bool { return !strings.Contains(term.String(), "┏") })
	s.quits()
	s.givenBack()
}

// The second start shows at once what the first one knew, though no source answers any more.
func TestLastSnapshotIsShown(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	sim := simulate(t, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	first := start(t, 160, 48, environ(home), "--config", sim.config)
	first.ready()
	first.until("a source that is well", sourceIsWell)
	first.quits()
	sim.stop()
	second := start(t, 160, 48, environ(home), "--config", sim.config)
	second.shows("waits for you", "v1.9.2", "c0ffee1")
	second.quits()
	second.givenBack()
}
