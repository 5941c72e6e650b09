package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/signalbox/ui/uitest/vt"
)

// ready waits for the demo's board with all that its feeds have answered: what comes later moves rows.
func (s *session) ready() {
	s.t.Helper()
	s.until("a board on which every feed was read", func(t *vt.Terminal) bool {
		return has(t, "Pipelines", "Deployments", "waits for you", "v1.9.2", "nothing yet", "? help") && !has(t, "not read yet")
	})
}

func TestTerminalIsGivenBack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(*session)
		code int
	}{
		{"q", func(s *session) { s.keys("q") }, 0},
		{"ctrl+c", func(s *session) { s.keys("\x03") }, 0},
		{"SIGTERM", func(s *session) { s.signal(syscall.SIGTERM) }, 0},
		{"SIGHUP", func(s *session) { s.signal(syscall.SIGHUP) }, 0},
		{"SIGINT", func(s *session) { s.signal(syscall.SIGINT) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, 120, 40, environ(t.TempDir()), "--demo")
			s.ready()
			s.until("the modes of a board", func(term *vt.Terminal) bool {
				_, _, cursor := term.Cursor()
				return term.Alternate() && !cursor && term.Mode(2004)
			})
			tt.end(s)
			if code := s.exits(); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			s.givenBack()
			if text := strings.TrimSpace(s.screen()); text != "" {
				t.Errorf("left on the ordinary screen: %q", text)
			}
		})
	}
}

func TestSuspendAndResume(t *testing.T) {
	t.Parallel()
	s := start(t, 120, 40, environ(t.TempDir()), "--demo")
	s.ready()
	s.keys("\x1a")
	s.until("the shell's screen", func(term *vt.Terminal) bool {
		_, _, cursor := term.Cursor()
		return !term.Alternate() && cursor && !term.Mode(2004)
	})
	// A session leader is not stopped by ctrl+z: nobody could wake it. Nothing tells from outside when it
	// has begun to wait for the signal, so it comes until the board is back.
	back := make(chan struct{})
	var wake sync.WaitGroup
	wake.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-back:
				return
			case <-tick.C:
				_ = s.cmd.Process.Signal(syscall.SIGCONT)
			}
		}
	})
	defer wake.Wait()
	defer close(back)
	s.until("the board again", func(term *vt.Terminal) bool {
		_, _, cursor := term.Cursor()
		return term.Alternate() && !cursor && has(term, "Pipelines", "waits for you")
	})
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

// A terminal that answers nothing is what every session here is: the board must be there all the same, and
// must have asked for nothing.
func TestMuteTerminal(t *testing.T) {
	t.Parallel()
	for _, term := range []string{"xterm-256color", "xterm", "tmux-256color", "screen", "linux", "vt100", "a-terminal-of-the-future"} {
		t.Run(term, func(t *testing.T) {
			t.Parallel()
			s := start(t, 120, 40, append(environ(t.TempDir()), "TERM="+term), "--demo")
			s.ready()
			s.quits()
			s.givenBack()
		})
	}
}

// The first paint waits for nothing that a network could answer.
func TestFirstPaintWithoutNetwork(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	sim := simulate(t, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	sim.signal(syscall.SIGSTOP) // takes connections and never answers
	t.Cleanup(func() { sim.signal(syscall.SIGCONT) })
	s := start(t, 120, 40, environ(home), "--config", sim.config)
	s.shows("Pipelines", "Deployments", "payments", "? help")
	s.keys("?")
	s.opens("Help: ")
	s.closes("Help: ")
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

// What changes nothing writes nothing: a thousand keys without a meaning, and then one that has one, cost
// what that one costs.
func TestNothingIsWrittenForNothing(t *testing.T) {
	t.Parallel()
	s := start(t, 120, 40, environ(t.TempDir())) // no config: the page that says what to set, where nothing moves
	s.shows("signalbox --demo", "signalbox init")
	help := func() int {
		before := s.written()
		s.keys("?")
		s.opens("Help: ")
		s.closes("Help: ")
		return s.written() - before
	}
	help() // the first one may still meet the end of the first paint
	alone := help()
	s.keys(strings.Repeat("Q", 1000))
	if with := help(); with > alone+alone/2 {
		t.Errorf("%d bytes after a thousand keys without a meaning, %d without them", with, alone)
	}
	s.quits()
}

func TestSizes(t *testing.T) {
	t.Parallel()
	s := start(t, 200, 50, environ(t.TempDir()), "--demo")
	s.ready()
	for _, size := range [][2]int{{120, 40}, {80, 24}, {40, 10}, {1, 1}, {3, 2}, {300, 80}, {59, 11}, {60, 12}, {200, 50}} {
		s.resize(size[0], size[1])
	}
	s.ready()
	s.resize(80, 24)
	s.shows("1 Incidents", "3 Pipelines")
	s.resize(40, 10)
	s.hides("3 Pipelines")
	s.resize(160, 48)
	s.ready()
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

func TestNoColor(t *testing.T) {
	t.Parallel()
	for name, env := range map[string][]string{"NO_COLOR": {"NO_COLOR=1"}, "flag": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--demo"}
			if env == nil {
				args = append(args, "--no-color")
			}
			s := start(t, 120, 40, append(environ(t.TempDir()), env...), args...)
			s.ready()
			s.mu.Lock()
			for y, row := range s.term.Rows() {
				for x, cell := range row {
					if cell.Style.FG != 0 || cell.Style.BG != 0 {
						t.Fatalf("cell %d,%d %q has a colour", x, y, cell.Text)
					}
				}
			}
			s.mu.Unlock()
			s.quits()
		})
	}
}

func TestASCIILocale(t *testing.T) {
	t.Parallel()
	s := start(t, 120, 40, append(environ(t.TempDir()), "LANG=C"), "--demo")
	s.ready()
	for i, c := range s.screen() {
		if c > 126 {
			t.Fatalf("%q at byte %d is not ASCII:\n%s", c, i, s.screen())
		}
	}
	s.quits()
}

// The demo leaves nothing behind: no state, no token.
func TestDemoLeavesNothing(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	tmp := t.TempDir()
	s := start(t, 120, 40, append(environ(home), "TMPDIR="+tmp), "--demo")
	s.ready()
	s.quits()
	for _, dir := range []string{home, tmp} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			t.Errorf("%s is left in %s", e.Name(), dir)
		}
	}
}

// Of a terminal that promises nothing, nothing is taken for granted: no colour, no symbol beyond ASCII.
func TestBareTerminal(t *testing.T) {
	t.Parallel()
	for _, term := range []string{"dumb", ""} {
		t.Run("TERM="+term, func(t *testing.T) {
			t.Parallel()
			s := start(t, 120, 40, append(environ(t.TempDir()), "TERM="+term, "COLORTERM=truecolor"), "--demo")
			s.ready()
			s.mu.Lock()
			for y, row := range s.term.Rows() {
				for x, cell := range row {
					if cell.Style.FG != 0 || cell.Style.BG != 0 || len(cell.Text) > 1 {
						t.Fatalf("cell %d,%d holds %q in %+v", x, y, cell.Text, cell.Style)
					}
				}
			}
			s.mu.Unlock()
			s.quits()
		})
	}
}
