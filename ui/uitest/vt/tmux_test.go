package vt_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/ui/uitest/vt"
)

// tmux is a tmux server of the test's own.
type tmux struct{ socket string }

func startTmux(t *testing.T, w, h int) tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("not tried: it lacks tmux, with which the emulator is compared")
	}
	m := tmux{filepath.Join(t.TempDir(), "s")}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", m.socket, "kill-server").Run() })
	m.run(t, "-f", os.DevNull, "new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h), "exec cat >"+os.DevNull)
	m.run(t, "set", "-g", "status", "off", ";", "set", "-g", "remain-on-exit", "on", ";", "set", "-g", "default-terminal", "tmux-256color")
	m.run(t, "resize-window", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h))
	return m
}

func (m tmux) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", m.socket}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

// show has a fresh pane take the bytes, and returns its rows with their styles and its cursor.
func (m tmux) show(t *testing.T, b []byte) (screen, cursor string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bytes")
	if err := os.WriteFile(file, append(b, "\x1b]2;all shown\x1b\\"...), 0o600); err != nil {
		t.Fatal(err)
	}
	m.run(t, "respawn-pane", "-k", "stty raw -echo; cat '"+file+"'; exec cat >"+os.DevNull)
	deadline := time.Now().Add(2 * time.Minute)
	for {
		state := strings.TrimSpace(m.run(t, "display-message", "-p", "#{pane_title} #{cursor_x},#{cursor_y}"))
		if rest, ok := strings.CutPrefix(state, "all shown "); ok {
			cursor = rest
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("tmux did not take the bytes: %q", state)
		}
	}
	screen = m.run(t, "capture-pane", "-e", "-N", "-p")
	m.run(t, "select-pane", "-T", "waiting")
	return screen, cursor
}

// random is a stream of sequences that a well-behaved program may send. A relative move never follows a
// character in the last column: terminals differ there. Neither does erasing or shifting meet wide
// characters, of which tmux leaves halves.
func random(r *rand.Rand, w, h int) []byte {
	wide := r.IntN(2) == 0
	var b strings.Builder
	csi := func(f string, args ...any) { fmt.Fprintf(&b, "\x1b["+f, args...) }
	for range 60 {
		csi("%d;%dH", 1+r.IntN(h), 1+r.IntN(w))
		switch r.IntN(4) {
		case 0:
			csi("m")
		case 1:
			csi("%d;%dm", []int{1, 2, 3, 4, 7, 9, 22, 23, 24, 27, 29}[r.IntN(11)], []int{31, 39, 42, 49, 93, 104}[r.IntN(6)])
		case 2:
			csi("38;5;%d;48;2;%d;%d;%dm", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256))
		}
		n := 1 + r.IntN(4)
		op := r.IntN(18)
		if wide && op < 5 {
			op = 17
		}
		switch op {
		case 0:
			csi("%dK", r.IntN(3))
		case 1:
			csi("%dJ", r.IntN(3))
		case 2:
			csi("%dX", n)
		case 3:
			csi("%dP", n)
		case 4:
			csi("%d@", n)
		case 5:
			csi("r\x1b[%d;5H\x1b[%dL", n, n) // tmux moves lines outside the scrolling region, too
		case 6:
			csi("r\x1b[%d;5H\x1b[%dM", n, n)
		case 7:
			csi("%d;%dr", 1+r.IntN(h/2), h/2+1+r.IntN(h/2))
		case 8:
			b.WriteString("\n")
		case 9:
			b.WriteString("\x1bM")
		case 10:
			csi("%d%c", n, "ABCDEFGd"[r.IntN(8)])
		case 11:
			csi("%dS", n)
		case 12:
			b.WriteString([]string{"\r", "\b\b", "\r\n", "\t"}[r.IntN(4)])
		default:
			words := []string{"signal", "x", "┃──┓", "e\u0301a", "      ", "▰▱ 3 %", "日本語", "語x"}
			if !wide {
				words = words[:6]
			}
			b.WriteString(words[r.IntN(len(words))])
		}
	}
	csi("%d;%dH", 1+r.IntN(h), 1+r.IntN(w))
	return []byte(b.String())
}

func TestAgreesWithTmux(t *testing.T) {
	t.Parallel()
	const w, h = 30, 10
	m := startTmux(t, w, h)
	r := rand.New(rand.NewPCG(3, 5))
	for i := range 40 {
		b := random(r, w, h)
		text, cursor := m.show(t, b)

		got := vt.New(w, h)
		_, _ = got.Write(b)
		want := vt.New(w, h)
		for y, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			// tmux leaves out the blanks at the end of a line that were erased, whatever their background.
			fmt.Fprintf(want, "\x1b[%d;1H%s\x1b[%[1]d;1H%[3]s", y+1, strings.Repeat("□", w), line)
		}
		if x, y, _ := got.Cursor(); fmt.Sprintf("%d,%d", x, y) != cursor {
			t.Errorf("stream %d: cursor at %d,%d, tmux has it at %s: %q", i, x, y, cursor, b)
		}
		for y := range h {
			for x := range w {
				g, w := got.Cell(x, y), want.Cell(x, y)
				if w.Text == "□" {
					w = vt.Cell{Text: " "}
				}
				if w == (vt.Cell{Text: " "}) {
					g.Style = w.Style // nor does it keep the background of lines that scrolled in
				}
				if g != w {
					t.Fatalf("stream %d: cell %d,%d shows %+v, tmux shows %+v:\n%s\n%s\n%q", i, x, y, g, w, got, want, b)
				}
			}
		}
	}
}
