package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// command is the program at work beside the test, without a terminal.
type command struct {
	t        testing.TB
	cmd      *exec.Cmd
	out, err said
}

// said is what the program has written so far.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// runs starts the program.
func runs(t testing.TB, cmd *exec.Cmd) *command {
	t.Helper()
	c := &command{t: t, cmd: cmd}
	cmd.Stdout, cmd.Stderr = &c.out, &c.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return c
}

// ends waits for the program's end, and demands an exit code.
func (c *command) ends(want int) {
	c.t.Helper()
	err := c.cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	if code := c.cmd.ProcessState.ExitCode(); code != want {
		c.t.Fatalf("exit code %d, want %d\n%s\n%s", code, want, &c.out, &c.err)
	}
}

// awaits waits until something is so.
func awaits(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited for %s", what)
		}
	}
}

// performer is the program with a stage's config.
func (s *stage) command(home string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Env = environ(home, "SIM_TOKEN="+s.Token(), "SIGNALBOX_CONFIG="+s.config)
	cmd.Dir = home
	return cmd
}

// Told to end while it follows what it has sent, a command says what is known and that the outcome is not; the next
// one finds out before it does anything.
func TestInterruptedWhileFollowing(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := set(t, home, "")
	c := runs(t, s.command(home, "promote", "search", "--to", "prod", "--confirm", "search/prod"))
	awaits(t, "the request", func() bool { return len(s.Requests(true)) == 1 && s.Requests(true)[0].Applied })
	awaits(t, "the first word on it", func() bool { return c.err.String() != "" })
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	c.ends(5)
	if out := c.out.String(); !strings.Contains(out, "\nunknown: interrupted: ") || !strings.Contains(out, "the next start of signalbox looks what became of it") {
		t.Errorf("it says %s", out)
	}

	open := runs(t, s.command(home, "journal"))
	open.ends(0)
	if out := open.out.String(); !strings.Contains(out, "open") || !strings.Contains(out, "sent, not followed to its end") {
		t.Errorf("the journal says %s", out)
	}
	// What is on its way yet holds up nothing else, and nobody writes down that it came to nothing.
	other := runs(t, s.command(home, "note", "4107", "meanwhile", "--yes"))
	other.ends(0)
	if said := other.err.String(); !strings.Contains(said, "an action from before is not settled yet") {
		t.Errorf("the one meanwhile says %s", said)
	}
	open = runs(t, s.command(home, "journal"))
	open.ends(0)
	if out := open.out.String(); !strings.Contains(out, "sent, not followed to its end") {
		t.Errorf("afterwards the journal says %s", out)
	}
	s.Advance(30 * time.Minute)
	next := runs(t, s.command(home, "note", "4107", "hello", "--yes"))
	next.ends(0)
	if said := next.err.String(); !strings.Contains(said, "settled an action that was left open: promote search/prod: ") {
		t.Errorf("the next one says %s", said)
	}
	if list := s.writes(); len(list) != 3 {
		t.Errorf("%d writes, want the approval and the notes: %+v", len(list), list)
	}
}

// What has changed between the plan and its answer is not done.
func TestStaleBetweenPlanAndAnswer(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := set(t, home, "")
	p := startCommand(t, 120, 40, s.command(home, "resolve", "4109"))
	p.shows("Type #4109 to do it:")
	s.acts(t, 4109, "acknowledge")
	p.keys("#4109\r")
	p.shows("stale: it changed meanwhile", "nothing was sent")
	if code := p.waits(); code != 4 {
		t.Errorf("exit code %d, want 4", code)
	}
	if list := s.writes(); len(list) != 0 {
		t.Errorf("writes: %+v", list)
	}
}

// acts does something to an incident in another's name.
func (s *stage) acts(t testing.TB, number int, verb string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("%s/-/incidents/%d/%s", s.URL(), number, verb), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.Token())
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode/100 != 2 {
		t.Fatalf("%s %d: %s", verb, number, res.Status)
	}
}

// At a prompt nothing but what it asks for goes ahead, and Ctrl-C ends it at once.
func TestPrompts(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := set(t, home, "")
	for _, c := range []struct {
		name, verb, prompt, keys, says string
		code                           int
		writes                         int
	}{
		{"no", "note 4109 hello", "y or n:", "n\r", "refused: not confirmed", 3, 0},
		{"nothing", "note 4109 hello", "y or n:", "\r", "refused: not confirmed", 3, 0},
		{"ctrl-c", "note 4109 hello", "y or n:", "\x03", "refused: not confirmed", 3, 0},
		{"the end of the input", "note 4109 hello", "y or n:", "\x04", "refused: not confirmed", 3, 0},
		{"nearly", "resolve 4109", "to do it:", "4109\r", "#4109 was to be typed", 3, 0},
		{"no reason", "promote checkout --to prod --version v1.9.1", "or nothing to leave it:", "\r", "a typed reason is demanded", 3, 0},
		{"a reason, and no word", "promote checkout --to prod --version v1.9.1", "or nothing to leave it:", "why\ry\r", "checkout/prod was to be typed", 3, 0},
		{"yes", "note 4109 hello", "y or n:", "y\r", "done: the note is there", 0, 1},
	} {
		p := startCommand(t, 160, 60, s.command(home, strings.Fields(c.verb)...))
		p.shows(c.prompt)
		p.keys(c.keys)
		p.shows(c.says)
		if code := p.waits(); code != c.code {
			t.Errorf("%s: exit code %d, want %d", c.name, code, c.code)
		}
		if list := s.writes(); len(list) != c.writes {
			t.Errorf("%s: writes: %+v", c.name, list)
		}
	}
}

// waits waits for the program's end.
func (s *session) waits() int {
	s.t.Helper()
	select {
	case <-s.done:
		return s.code
	case <-time.After(patience):
		s.t.Fatal("the program does not end")
		return -1
	}
}

// The ids of two users that the machine need not know, and of the group that they share.
const (
	oneUser, otherUser = 20001, 20002
	theirGroup         = 20000
)

// as makes a command one of a user's, with a home of their own.
func as(t testing.TB, uid int, cmd *exec.Cmd, program string) *exec.Cmd {
	t.Helper()
	home := filepath.Join(filepath.Dir(program), fmt.Sprint(uid))
	if err := errors.Join(os.MkdirAll(home, 0o700), os.Chown(home, uid, theirGroup)); err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Args[0], cmd.Dir = program, program, home
	cmd.Env = append(environ(home), cmd.Env[len(environ(home)):]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: theirGroup}}
	return cmd
}

// Two users of one machine: what needs a second person waits for the other, and one's own agreement is none.
func TestSecondPerson(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("not tried: it lacks root, who alone can start programs of two users")
	}
	dir, err := os.MkdirTemp("", "signalbox-two-*") //nolint:usetesting // a test's own is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program, shared := filepath.Join(dir, "signalbox"), filepath.Join(dir, "shared")
	err = errors.Join(
		os.Chmod(dir, 0o755), copyFile(program, binary, 0o755),
		os.Mkdir(shared, 0o700), os.Chown(shared, 0, theirGroup), os.Chmod(shared, 0o770|os.ModeSetgid|os.ModeSticky),
	)
	if err != nil {
		t.Fatal(err)
	}
	const rule = "policies: [{name: pair, env: prod, require: \"false\", else: second_person, because: production takes two}]\n"
	s := set(t, dir, rule)
	alone := s.config
	promote := func(uid int) *command {
		return runs(t, as(t, uid, s.command(dir, "promote", "search", "--to", "prod", "--confirm", "search/prod", "--no-guard"), program))
	}
	c := promote(oneUser)
	c.ends(3)
	if out := c.out.String(); !strings.Contains(out, "there is no place in which a second person could agree") {
		t.Errorf("without a place it says %s", out)
	}

	s.config = filepath.Join(dir, "two.yaml")
	data, err := os.ReadFile(alone)
	if err == nil {
		err = os.WriteFile(s.config, append(data, "shared_dir: "+shared+"\n"...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	c = promote(oneUser)
	awaits(t, "the offer", func() bool { return strings.Contains(c.err.String(), "signalbox cosign ") })
	_, rest, _ := strings.Cut(c.err.String(), "signalbox cosign ")
	plan := strings.TrimSpace(rest)
	cosign := func(uid int, args ...string) *command {
		return runs(t, as(t, uid, s.command(dir, append([]string{"cosign"}, args...)...), program))
	}
	own := cosign(oneUser, plan, "--yes")
	own.ends(3)
	book := runs(t, as(t, oneUser, s.command(dir, "journal"), program))
	book.ends(0)
	if out := book.out.String(); !strings.Contains(out, "not agreed: it is your own plan") {
		t.Errorf("after the attempt the journal says %s", out)
	}
	mute := cosign(otherUser, plan)
	mute.ends(3)
	list := cosign(otherUser)
	list.ends(0)
	if out := list.out.String(); !strings.Contains(out, plan) || !strings.Contains(out, "Promote v0.8.1 to search/prod") {
		t.Errorf("the other is shown %s", out)
	}
	if w := s.writes(); len(w) != 0 {
		t.Fatalf("before anybody has agreed: %+v", w)
	}
	if err := s.Run(60); err != nil {
		t.Fatal(err)
	}
	agreed := cosign(otherUser, plan, "--yes")
	agreed.ends(0)
	if out := agreed.out.String(); !strings.Contains(out, "production takes two") || !strings.Contains(out, "agreed, until ") {
		t.Errorf("who agrees is shown %s", out)
	}
	c.ends(0)
	if said := c.err.String(); !strings.Contains(said, "has agreed") {
		t.Errorf("who waits is told %s", said)
	}
	if w := s.writes(); len(w) != 1 {
		t.Errorf("writes: %+v", w)
	}
	j := runs(t, as(t, oneUser, s.command(dir, "journal", "--output", "json"), program))
	j.ends(0)
	if out := j.out.String(); !strings.Contains(out, fmt.Sprintf("%d", otherUser)) || !strings.Contains(out, `"cosigner"`) {
		t.Errorf("the journal does not say who agreed: %s", out)
	}
}

func copyFile(to, from string, mode os.FileMode) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
