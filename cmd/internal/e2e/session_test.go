package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"example.com/signalbox/ui/uitest/vt"
)

// patience is how long a test waits for what must come. Nothing waits that long unless it fails.
const patience = 2 * time.Minute

// session is the program in a pseudo-terminal, and the terminal that shows what it writes.
type session struct {
	t   testing.TB
	cmd *exec.Cmd
	pty *os.File

	deaf sync.Mutex // held while nothing is to be read

	mu      sync.Mutex
	term    *vt.Terminal
	total   int // bytes written so far
	whole   int // of them, those after which nothing more was there to read
	raw     strings.Builder
	film    []shot
	changed chan struct{} // closed and replaced with every write
	ended   bool          // the program's side is closed
	done    chan struct{} // closed when the program has ended
	code    int
}

// shot is what was written at one moment.
type shot struct {
	at   time.Time
	text string
}

// start runs the program with args in a terminal of w by h cells.
func start(t testing.TB, w, h int, env []string, args ...string) *session {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = env
	cmd.Dir = t.TempDir()
	return startCommand(t, w, h, cmd)
}

func startCommand(t testing.TB, w, h int, cmd *exec.Cmd) *session {
	t.Helper()
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	if err != nil {
		t.Fatal(err)
	}
	file = pollable(t, file)
	s := &session{t: t, cmd: cmd, pty: file, term: vt.New(w, h), changed: make(chan struct{}), done: make(chan struct{})}
	go s.read()
	go func() {
		_ = cmd.Wait()
		s.code = cmd.ProcessState.ExitCode()
		close(s.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-s.done
		_ = file.Close()
	})
	return s
}

// pollable makes a terminal's master that can be closed while somebody reads from it: one in blocking mode
// stays open until the next byte comes, and the program never learns that its terminal is gone.
func pollable(t testing.TB, file *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "ptmx")
}

// read takes what the program writes. Nobody is told of it before all that is there was taken: what is shown
// between two reads may be half of a frame.
func (s *session) read() {
	buf := make([]byte, 64<<10)
	for {
		s.deaf.Lock()
		s.deaf.Unlock() //nolint:staticcheck // waits
		n, err := s.pty.Read(buf)
		s.took(buf[:n], err)
		for err == nil && n > 0 {
			if n = s.more(buf); n > 0 {
				s.took(buf[:n], nil)
			}
		}
		s.mu.Lock()
		close(s.changed)
		s.changed = make(chan struct{})
		s.whole = s.total
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *session) took(p []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total += len(p)
	s.raw.Write(p)
	s.film = append(s.film, shot{time.Now(), string(p)})
	_, _ = s.term.Write(p)
	s.ended = s.ended || err != nil
}

// more reads what is there without waiting for it.
func (s *session) more(buf []byte) (n int) {
	raw, err := s.pty.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Read(func(fd uintptr) bool {
		n, _ = unix.Read(int(fd), buf)
		return true
	})
	return max(n, 0)
}

// until waits for the terminal to be as cond wants it, and fails with the screen otherwise.
func (s *session) until(what string, cond func(*vt.Terminal) bool) {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		ok, changed, ended, screen := s.whole == s.total && cond(s.term), s.changed, s.ended, s.term.String()
		s.mu.Unlock()
		if ok {
			return
		}
		if ended {
			s.t.Fatalf("the program ended before %s; the screen:\n%s", what, screen)
		}
		select {
		case <-changed:
		case <-deadline.C:
			s.t.Fatalf("waited for %s; the screen:\n%s", what, screen)
		}
	}
}

// shows waits until all texts are on the screen.
func (s *session) shows(texts ...string) {
	s.t.Helper()
	s.until(fmt.Sprintf("%q", texts), func(t *vt.Terminal) bool { return has(t, texts...) })
}

// hides waits until none of the texts is on the screen.
func (s *session) hides(texts ...string) {
	s.t.Helper()
	s.until(fmt.Sprintf("no %q", texts), func(t *vt.Terminal) bool {
		for _, text := range texts {
			if has(t, text) {
				return false
			}
		}
		return true
	})
}

func has(t *vt.Terminal, texts ...string) bool {
	screen := t.String()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			return false
		}
	}
	return true
}

// opens waits for a dialog.
func (s *session) opens(title string) {
	s.t.Helper()
	s.until("the dialog "+title, func(t *vt.Terminal) bool {
		return strings.Contains(line(t, "━ "+title), "┏━") && has(t, "Esc close ━┛")
	})
}

// closes leaves the dialog that is open, and waits until it is gone.
func (s *session) closes(title string) {
	s.t.Helper()
	s.keys("\x1b")
	s.hides("━ "+title, "Esc close ━┛")
}

// focuses waits until the pane with a title has the focus.
func (s *session) focuses(title string) {
	s.t.Helper()
	s.until("the focus on"+title, func(t *vt.Terminal) bool { return focused(t, title) })
}

func focused(t *vt.Terminal, title string) bool {
	_, after, _ := strings.Cut("│"+line(t, title), "┏━")
	return strings.HasPrefix(after, title)
}

// quits ends the program with q, on the board, and returns its exit code. A q that came together with the key
// before it, because the machine is slow, does not count and says so: then it takes another.
func (s *session) quits() int {
	s.t.Helper()
	const alone = "press it alone"
	for range 5 {
		s.keys("q")
		refused := func() (refused bool, changed <-chan struct{}) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.whole == s.total && !s.ended && has(s.term, alone), s.changed
		}
		if !s.untilDone(refused) {
			break
		}
		s.keys("\x1b")
		s.hides(alone)
	}
	return s.exits()
}

// untilDone waits for the program's end, and reports true if before it refused was.
func (s *session) untilDone(refused func() (bool, <-chan struct{})) bool {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		no, changed := refused()
		if no {
			return true
		}
		select {
		case <-s.done:
			return false
		case <-changed:
		case <-deadline.C:
			s.t.Fatalf("the program does not end; the screen:\n%s", s.screen())
		}
	}
}

// keys types text in one write.
func (s *session) keys(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.pty, text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) resize(w, h int) {
	s.t.Helper()
	s.mu.Lock()
	s.term.Resize(w, h)
	s.mu.Unlock()
	if err := pty.Setsize(s.pty, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}); err != nil {
		s.t.Fatal(err)
	}
}

// screen is what is seen now.
func (s *session) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term.String()
}

// written is how many bytes the program has written so far.
func (s *session) written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// exits waits for the program's end and returns its exit code, after all that it wrote was read.
func (s *session) exits() int {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case <-s.done:
	case <-ctx.Done():
		s.t.Fatalf("the program does not end; the screen:\n%s", s.screen())
	}
	for {
		s.mu.Lock()
		ended, changed := s.ended, s.changed
		s.mu.Unlock()
		if ended {
			return s.code
		}
		select {
		case <-changed:
		case <-ctx.Done():
			s.t.Fatal("the terminal is still open")
		}
	}
}

// givenBack fails unless the terminal is as it was before the program: the ordinary screen, a cursor, no
// modes, and nothing that was asked or not understood.
func (s *session) givenBack() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.term.Alternate() {
		s.t.Error("the alternate screen is still shown")
	}
	if _, _, shown := s.term.Cursor(); !shown {
		s.t.Error("the cursor is still hidden")
	}
	for _, mode := range []int{1000, 1002, 1003, 1004, 1006, 2004, 2026} {
		if s.term.Mode(mode) {
			s.t.Errorf("mode %d is still set", mode)
		}
	}
	if !s.term.Mode(7) {
		s.t.Error("lines do not wrap any more")
	}
	if title := s.term.Title(); title != "" {
		s.t.Errorf("the title is still %q", title)
	}
	if u := s.term.Unknown(); len(u) > 0 {
		s.t.Errorf("sequences that are not known: %q", u)
	}
	if q := s.term.Queries(); len(q) > 0 {
		s.t.Errorf("the terminal was asked: %q", q)
	}
}

// simulator is `signalbox simulate` in a process of its own.
type simulator struct {
	t      testing.TB
	cmd    *exec.Cmd
	config string
	listen string
}

// simulate starts it. listen is "127.0.0.1:0", or the address of one that was there before.
func simulate(t testing.TB, env []string, config, listen string, more ...string) *simulator {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"simulate", "--listen", listen, "--config-out", config}, more...)...)
	cmd.Env = env
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &simulator{t: t, cmd: cmd, config: config}
	t.Cleanup(s.stop)
	var text strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(text.String(), "--config") {
		n, err := out.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			t.Fatalf("the simulator says %q and ends", text.String())
		}
	}
	_, rest, _ := strings.Cut(text.String(), "http://")
	s.listen, _, _ = strings.Cut(rest, "\n")
	return s
}

func (s *simulator) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// stop ends it at once, as a dead host would.
func (s *simulator) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
