package screen_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/creack/pty"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
	_ "example.com/signalbox/ui/theme/early"
	"example.com/signalbox/ui/uitest/vt"
)

const programEnv = "SIGNALBOX_SCREEN_PROGRAM"

// TestMain is also the program that the tests below run in a terminal.
func TestMain(m *testing.M) {
	switch os.Getenv(programEnv) {
	case "":
	case "init":
		os.Exit(0)
	default:
		os.Exit(program())
	}
	os.Exit(m.Run())
}

// program is a small one on the screen and Bubble Tea, as cmd builds its board.
func program() int {
	out := screen.NewOutput(os.Stdout, screen.OutputOptions{Now: time.Now})
	p := tea.NewProgram(&model{out: out}, tea.WithOutput(out), tea.WithAltScreen(), tea.WithFPS(1), tea.WithMouseCellMotion())
	_, err := p.Run()
	if closeErr := out.Close(); closeErr != nil || err != nil {
		return 3
	}
	return 0
}

// model draws its size, its keys and a box around them.
type model struct {
	out  *screen.Output
	grid *screen.Grid
	keys string
}

func (m *model) Init() tea.Cmd { return nil }
func (m *model) View() string  { return "view" }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.grid = screen.NewGrid(msg.Width, msg.Height)
	case tea.KeyMsg:
		m.keys += msg.String()
		cmd = m.key(msg)
	}
	if m.grid != nil {
		m.draw()
		m.out.Flush(m.grid, screen.Key)
	}
	return m, cmd
}

func (m *model) key(msg tea.KeyMsg) tea.Cmd {
	switch msg.String() {
	case "q":
		return tea.Quit
	case "p":
		panic("on purpose")
	case "g":
		return func() tea.Msg { panic("in a command") }
	case "z":
		return tea.Suspend
	case "e":
		return tea.ExecProcess(exec.Command("echo", "from a command"), nil)
	case "c":
		return tea.ClearScreen
	}
	return nil
}

func (m *model) draw() {
	w, h := m.grid.Size()
	r := m.grid.Region()
	r.Fill(screen.Style{BG: screen.Indexed(4)})
	r.Text(0, 0, screen.Style{}, clean.Linef("size %dx%d", w, h))
	r.Text(0, 1, screen.Style{Attr: screen.Bold}, clean.Linef("keys %s.", m.keys))
	r.Set(w-1, h-1, screen.Style{}, '┘')
}

// session is a program in a pseudo-terminal and the emulator behind that.
type session struct {
	t    *testing.T
	cmd  *exec.Cmd
	tty  *os.File
	out  chan []byte // closed when the program's side is
	term *vt.Terminal
	all  strings.Builder
	// races begins the names of the files that the race detector writes, where the program has it.
	races string
}

func start(t *testing.T, w, h int) *session {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	races := filepath.Join(t.TempDir(), "race")
	// Bubble Tea v1.3.10 has a race of its own, between resuming and a change of size.
	cmd.Env = append(os.Environ(), programEnv+"=1", "TERM=xterm-256color", "GORACE=exitcode=0 log_path="+races)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	s := &session{t: t, cmd: cmd, tty: tty, out: make(chan []byte, 100), term: vt.New(w, h), races: races}
	go func() {
		defer close(s.out)
		r := bufio.NewReaderSize(tty, 1<<16)
		for {
			b := make([]byte, 1<<16)
			n, err := r.Read(b)
			if n > 0 {
				s.out <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = tty.Close() })
	return s
}

// until waits for a state of the terminal.
func (s *session) until(what string, ok func() bool) {
	s.t.Helper()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	for !ok() {
		select {
		case b, open := <-s.out:
			if !open {
				s.t.Fatalf("the program ended before %s:\n%s\n%q", what, s.term, s.all.String())
			}
			s.take(b)
		case <-limit.C:
			s.t.Fatalf("waiting for %s:\n%s\n%q", what, s.term, s.all.String())
		}
	}
}

func (s *session) take(b []byte) {
	s.all.Write(b)
	_, _ = s.term.Write(b)
}

func (s *session) shows(text string) func() bool {
	return func() bool { return s.term.Alternate() && strings.Contains(s.term.String(), text) }
}

func (s *session) press(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.tty, keys); err != nil {
		s.t.Fatal(err)
	}
}

// end waits for the program's end and fails the test when the terminal is not as it was.
func (s *session) end(code int) {
	s.t.Helper()
	for b := range s.out {
		s.take(b)
	}
	err := s.cmd.Wait()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() != code, err == nil && code != 0:
		s.t.Errorf("it ended with %v, want code %d: %q", err, code, s.all.String())
	}
	s.givenBack()
	reports, err := filepath.Glob(s.races + "*")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range reports {
		if b, err := os.ReadFile(name); err != nil || strings.Contains(string(b), "ui/screen.(") {
			s.t.Errorf("a race: %v\n%s", err, b)
		}
	}
	if i := strings.LastIndex(s.all.String(), "\x1b[?1049l"); strings.Contains(s.all.String()[i:], "keys") {
		s.t.Errorf("a frame follows the exit: %q", s.all.String()[i:])
	}
}

func (s *session) givenBack() {
	s.t.Helper()
	if got := s.term.Modes(); !slices.Equal(got, []int{7, 25}) || s.term.Alternate() {
		s.t.Errorf("modes %v are left behind, alternate screen %v", got, s.term.Alternate())
	}
	if q := s.term.Queries(); len(q) > 0 {
		s.t.Errorf("the terminal was asked %q", q)
	}
	if u := s.term.Unknown(); len(u) > 0 {
		s.t.Errorf("sequences nobody knows: %q", u)
	}
}

// The terminal here answers no query: nothing may ask it, and wait, before the first paint.
func TestFirstPaintOnAMuteTerminal(t *testing.T) {
	t.Parallel()
	s := start(t, 40, 10)
	s.until("a paint", s.shows("size 40x10"))
	if q := s.term.Queries(); len(q) > 0 {
		t.Errorf("the terminal was asked %q before the first paint", q)
	}
	if s.term.Cell(39, 9).Text != "┘" || s.term.Scrolled() > 0 {
		t.Errorf("the last cell:\n%s", s.term)
	}
	s.press("q")
	s.end(0)
}

// A start has 25 ms until the first paint: no package that the screen brings along may compute for long before
// main. A busy machine makes a short initialisation look long, but not each time.
func TestNoPackageHoldsUpTheStart(t *testing.T) {
	t.Parallel()
	slow := map[string]time.Duration{}
	for i := range 10 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), programEnv+"=init", "GODEBUG=inittrace=1")
		trace, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, trace)
		}
		now := map[string]time.Duration{}
		for line := range strings.Lines(string(trace)) {
			var pkg string
			var at, clock float64
			if _, err := fmt.Sscanf(line, "init %s @%f ms, %f ms clock", &pkg, &at, &clock); err == nil {
				took := time.Duration(clock * float64(time.Millisecond))
				if _, always := slow[pkg]; took > 5*time.Millisecond && (i == 0 || always) {
					now[pkg] = took
				}
			}
		}
		if slow = now; len(slow) == 0 {
			return
		}
	}
	t.Errorf("initialisation takes %v", slow)
}

func TestTerminalIsGivenBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		stop func(*session)
		code int
	}{
		{"quit", func(s *session) { s.press("q") }, 0},
		{"panic", func(s *session) { s.press("p") }, 3},
		{"panic in a command", func(s *session) { s.press("g") }, 3},
		{"SIGTERM", func(s *session) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }, 0},
		{"SIGINT", func(s *session) { _ = s.cmd.Process.Signal(syscall.SIGINT) }, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, 60, 10)
			s.until("a paint", s.shows("size 60x10"))
			s.press("jk")
			s.until("the keys", s.shows("keys jk."))
			c.stop(s)
			s.end(c.code)
		})
	}
}

func TestSuspendExecClearAndResize(t *testing.T) {
	t.Parallel()
	s := start(t, 60, 10)
	s.until("a paint", s.shows("keys ."))

	s.press("e")
	s.until("a paint after another command", func() bool {
		return strings.Contains(s.all.String(), "from a command") && s.shows("keys e.")()
	})

	s.press("z")
	s.until("the terminal back", func() bool { return !s.term.Alternate() && s.term.Mode(25) })
	s.givenBack()
	resumed := make(chan struct{})
	go func() { // again and again: it may not listen yet
		again := time.NewTicker(20 * time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-resumed:
				return
			case <-again.C:
				_ = s.cmd.Process.Signal(syscall.SIGCONT)
			}
		}
	}()
	s.until("a paint after the pause", s.shows("keys ez."))
	close(resumed)

	s.press("c")
	s.until("a paint after a clear", s.shows("keys ezc."))

	for _, size := range []struct{ w, h int }{{30, 5}, {90, 20}, {1, 1}, {50, 8}} {
		if err := pty.Setsize(s.tty, &pty.Winsize{Cols: uint16(size.w), Rows: uint16(size.h)}); err != nil {
			t.Fatal(err)
		}
		s.term.Resize(size.w, size.h)
		s.until(fmt.Sprint("size ", size), func() bool { return s.term.Cell(size.w-1, size.h-1).Text == "┘" })
	}
	s.until("a paint", s.shows("size 50x8"))
	if c := s.term.Cell(20, 5); c.Style.BG != screen.Indexed(4) {
		t.Errorf("the background is %v", c.Style)
	}
	s.press("q")
	s.end(0)
}

// What follows is what Output takes for granted of Bubble Tea.

func TestBubbleTeaIsTheVersionThatOutputKnows(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "\tgithub.com/charmbracelet/bubbletea v1.3.10\n") {
		t.Error("Bubble Tea is not v1.3.10: read its standard renderer again, then change Output's comment and this test")
	}
}

// recorder notes what Bubble Tea writes, and how.
type recorder struct{ log []string }

func (r *recorder) Write(p []byte) (int, error) {
	r.log = append(r.log, "frame "+string(p))
	return len(p), nil
}
func (r *recorder) WriteString(s string) (int, error) { r.log = append(r.log, s); return len(s), nil }

// quitter asks for every change of modes, then quits.
type quitter struct{ n int }

func (q quitter) Init() tea.Cmd { return tea.ClearScreen }
func (q quitter) View() string  { return "view" }

func (q quitter) Update(tea.Msg) (tea.Model, tea.Cmd) {
	cmds := []tea.Cmd{
		tea.ShowCursor, tea.HideCursor, tea.EnableMouseCellMotion, tea.EnableReportFocus, tea.SetWindowTitle("title"), tea.Quit,
	}
	return quitter{q.n + 1}, cmds[min(q.n, len(cmds)-1)]
}

func TestBubbleTeaWritesAsOutputExpects(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	p := tea.NewProgram(quitter{}, tea.WithOutput(r), tea.WithInput(nil), tea.WithAltScreen(), tea.WithoutSignalHandler())
	if _, err := p.Run(); err != nil {
		t.Fatal(err)
	}
	var modes []string
	for _, s := range r.log {
		frame, isFrame := strings.CutPrefix(s, "frame ")
		switch {
		case isFrame && (!strings.Contains(frame, "view") || strings.Contains(frame, "\x1b[?")):
			t.Errorf("Write is not only for frames: %q", frame)
		case !isFrame && strings.Contains(s, "view"):
			t.Errorf("a frame came by WriteString: %q", s)
		case !isFrame:
			modes = append(modes, s)
		}
	}
	want := []string{
		"\x1b[?25l", "\x1b[?1049h", "\x1b[2J", "\x1b[H", "\x1b[?25l", "\x1b[?2004h", // entering
		"\x1b[2J", "\x1b[H", // a clear
		"\x1b[?25h", "\x1b[?25l", "\x1b[?1002h", "\x1b[?1006h", "\x1b[?1004h", "\x1b]2;title\a",
		"\x1b[2K", "\r", "\x1b[?2004l", "\x1b[?25h", "\x1b[?1002l", "\x1b[?1003l", "\x1b[?1006l", "\x1b[?1004l", "\x1b[?1049l", "\x1b[?25h",
	}
	if !slices.Equal(modes, want) {
		t.Errorf("it wrote\n%q, want\n%q", modes, want)
	}
}
