package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"example.com/signalbox/ui/uitest/vt"
)

// wounds are places of the product in which brittle panics, when $WOUND names them: the goroutines beside
// Bubble Tea's. Each is found by a line of its file.
var wounds = []struct{ name, file, after string }{
	{"a feed", "sources/poll/loop.go", "func (e *Engine) settle(t *turn, r result) {"},
	{"the poller", "sources/poll/poll.go", "func (e *Engine) dispatch(ctx context.Context) (ready []*turn, next time.Duration) {"},
	{"the config's watcher", "cmd/internal/wire/reload.go", "func (b *Board) follow(ctx context.Context) {"},
	{"the state's keeper", "cmd/internal/wire/keep.go", "func (b *Board) keep(ctx context.Context) {"},
	{"the screen's writer", "ui/screen/output.go", "func (o *Output) paint() {"},
}

// brittle builds the program with a panic in each of the wounds, beside the tree: the product holds no such
// switch.
var brittle = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for i, w := range wounds {
		path := filepath.Join(root, w.file)
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		head, rest, found := strings.Cut(string(text), w.after+"\n")
		if !found {
			return "", &os.PathError{Op: "wound", Path: w.file, Err: os.ErrNotExist}
		}
		cut := head + w.after + "\n\tif v, _ := syscall.Getenv(\"WOUND\"); v == \"" + w.name + "\" {\n\t\tpanic(\"wounded with ghp_0123456789abcdefghij\")\n\t}\n" + rest
		cut = strings.Replace(cut, "import (", "import (\n\t\"syscall\"", 1)
		replace[path] = filepath.Join(filepath.Dir(binary), "wound"+string(rune('0'+i))+".go")
		if err := os.WriteFile(replace[path], []byte(cut), 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(filepath.Dir(binary), "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	out := filepath.Join(filepath.Dir(binary), "brittle")
	build := exec.Command("go", "build", "-overlay", list, "-o", out, "example.com/signalbox/cmd/signalbox")
	build.Stderr = os.Stderr
	return out, build.Run()
})

// A panic of any goroutine beside the loop gives the terminal back, says what happened without the credential
// in it, and ends with 1.
func TestCrashBesideTheLoop(t *testing.T) {
	t.Parallel()
	program, err := brittle()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	sim := simulate(t, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	for _, w := range wounds {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(program, "--config", sim.config)
			cmd.Env = append(environ(t.TempDir()), "WOUND="+w.name)
			s := startCommand(t, 100, 30, cmd)
			if code := s.exits(); code != 1 {
				t.Errorf("exit code %d, want 1; the screen:\n%s", code, s.screen())
			}
			s.givenBack()
			s.mu.Lock()
			defer s.mu.Unlock()
			text := s.raw.String()
			for _, want := range []string{"signalbox crashed: wounded with [redacted]", "This is a bug of signalbox", "goroutine"} {
				if !strings.Contains(text, want) {
					t.Errorf("the report lacks %q:\n%s", want, text)
				}
			}
			if strings.Contains(text, "ghp_") {
				t.Error("the report holds the credential")
			}
		})
	}
	// Commands without a screen report it in the same way.
	cmd := exec.Command(program, "status", "--config", sim.config)
	cmd.Env = append(environ(t.TempDir()), "WOUND=a feed")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "signalbox crashed: wounded with [redacted]") || strings.Contains(string(out), "ghp_") {
		t.Errorf("status ends with %v:\n%s", err, out)
	}
}

// stalled starts the board in a terminal that takes nothing any more, and returns when the program's writer is
// stuck: its output is full.
func stalled(t *testing.T) *session {
	t.Helper()
	s := start(t, 400, 200, environ(t.TempDir()), "--demo")
	s.ready()
	s.deaf.Lock()
	t.Cleanup(func() { s.deaf.TryLock(); s.deaf.Unlock() })
	// Every change of size paints everything anew. The board is stuck when its writer has made no progress
	// through many of them; one that had made some would only end the sooner.
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := range 60 {
		if err := pty.Setsize(s.pty, &pty.Winsize{Cols: uint16(300 + i%2), Rows: 150}); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
	return s
}

// A terminal that blocks for good does not keep the process: told to go, it goes within seconds, and at once
// when it is told twice. What it was in comes back if the terminal ever does.
func TestStalledTerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		tell  []os.Signal
		limit time.Duration // seconds, on a machine that may be busy with much else
	}{
		{"SIGTERM", []os.Signal{syscall.SIGTERM}, 30 * time.Second},
		{"SIGHUP", []os.Signal{syscall.SIGHUP}, 30 * time.Second},
		{"twice", []os.Signal{syscall.SIGTERM, syscall.SIGINT}, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := stalled(t)
			began := time.Now()
			for _, sig := range tt.tell {
				s.signal(sig)
			}
			select {
			case <-s.done:
			case <-time.After(patience):
				t.Fatal("the process does not end")
			}
			t.Logf("gone after %s with %d", time.Since(began).Round(time.Millisecond), s.code)
			if took := time.Since(began); took > tt.limit {
				t.Errorf("gone after %s", took)
			}
			s.deaf.Unlock()
			s.exits()
			s.mu.Lock()
			defer s.mu.Unlock()
			_, _, cursor := s.term.Cursor()
			if s.term.Alternate() || !cursor || s.term.Mode(2004) || s.term.Mode(1002) {
				raw := s.raw.String()
				t.Errorf("the terminal is not given back: it got %q", raw[max(0, len(raw)-300):])
			}
		})
	}
}

// A connection that is lost while SIGHUP is ignored, as under nohup, ends the board all the same.
func TestLostTerminal(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"", "trap '' HUP; "} {
		cmd := exec.Command("sh", "-c", how+`exec "$0" --demo`, binary)
		cmd.Env = environ(t.TempDir())
		s := startCommand(t, 120, 40, cmd)
		s.until("the board", func(term *vt.Terminal) bool { return has(term, "Pipelines", "waits for you") })
		_ = s.pty.Close()
		select {
		case <-s.done:
		case <-time.After(patience):
			t.Fatalf("%q: the process outlives its terminal", how)
		}
	}
}
