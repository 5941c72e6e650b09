package state

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/signalbox/sources/place"
)

// sharedDir is a directory as shared_dir must be, which all users of the machine can reach.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o770|fs.ModeSetgid|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openShared(t *testing.T, dir string) *Shared {
	t.Helper()
	s, err := OpenShared(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func owner(user string) Owner {
	return Owner{PID: os.Getpid(), User: user, Host: "here", Since: time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)}
}

func TestSharedLock(t *testing.T) {
	t.Parallel()
	s := openShared(t, sharedDir(t))
	l, err := s.Lock("action-1", owner("sre1"))
	if err != nil {
		t.Fatalf("%+v, %v", l, err)
	}
	info, err := os.Lstat(filepath.Join(s.Path(), "action-1.lock"))
	if err != nil || info.Mode() != 0o660 {
		t.Errorf("the lock has the mode %v, %v", info.Mode(), err)
	}
	_, err = openShared(t, s.Path()).Lock("action-1", owner("sre2"))
	held, ok := errors.AsType[*LockedError](err)
	if !ok || held.Owner.User != "sre1" || held.Owner.Host != "here" {
		t.Errorf("taken twice: %v", err)
	}
	if other, err := s.Lock("action-2", owner("sre2")); err != nil {
		t.Error(err)
	} else if err := other.Unlock(); err != nil {
		t.Error(err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	if l, err = s.Lock("action-1", owner("sre2")); err != nil {
		t.Fatalf("given back: %+v, %v", l, err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "a/b", ".a", "..", "a\x00b"} {
		if _, err := s.Lock(name, owner("sre1")); err == nil {
			t.Errorf("%q is a lock's name", name)
		}
	}
}

func TestSharedRefusesAnUnsafeDirectory(t *testing.T) {
	t.Parallel()
	dir := sharedDir(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := OpenShared(dir)
	if e, ok := errors.AsType[*place.Error](err); !ok || !strings.Contains(e.Fix, "install -d -m 3770 -g ") {
		t.Errorf("got %v", err)
	}
	if _, err := OpenShared(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// What another user put in the place of a lock's file is neither followed nor written to.
func TestSharedLockIsNobodysTrap(t *testing.T) {
	t.Parallel()
	s := openShared(t, sharedDir(t))
	victim := filepath.Join(t.TempDir(), "precious")
	const text = "do not lose this"
	if err := os.WriteFile(victim, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(s.Path(), name+".lock") }
	for name, set := range map[string]func(path string) error{
		"symlink":   func(path string) error { return os.Symlink(victim, path) },
		"hardlink":  func(path string) error { return os.Link(victim, path) },
		"nowhere":   func(path string) error { return os.Symlink(filepath.Join(s.Path(), "not-there"), path) },
		"directory": func(path string) error { return os.Mkdir(path, 0o770) },
		"pipe":      func(path string) error { return syscall.Mkfifo(path, 0o660) },
	} {
		if err := set(at(name)); err != nil {
			t.Fatal(err)
		}
		l, err := s.Lock(name, owner("sre1"))
		if _, held := errors.AsType[*LockedError](err); err == nil || held {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
	if got, err := os.ReadFile(victim); err != nil || string(got) != text {
		t.Errorf("the file says %q, %v", got, err)
	}
	if _, err := os.Lstat(filepath.Join(s.Path(), "not-there")); err == nil {
		t.Error("a file was made where a link led")
	}
}

// A lock whose file was replaced since it was opened is not taken for the one that stands there.
func TestALockIsTheFileThatStandsThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(sharedDir(t), "a.lock")
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o660)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	f := open()
	for _, want := range []bool{true, false} {
		if same, err := itself(f, path); same != want || err != nil {
			t.Errorf("%t, %v; want %t", same, err, want)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if same, err := itself(f, path); same || err != nil {
			t.Errorf("gone: %t, %v", same, err)
		}
		open()
	}
}

// The environment's variables that make the test binary hold a lock until its input ends.
const (
	holdDir  = "SIGNALBOX_TEST_HOLD_DIR"
	holdUser = "SIGNALBOX_TEST_HOLD_USER"
)

func TestHoldSharedLock(t *testing.T) {
	dir := os.Getenv(holdDir)
	if dir == "" {
		t.Skip("it lacks $" + holdDir + ": another test sets it, in a process that it starts")
	}
	s, err := OpenShared(dir)
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	l, err := s.Lock("deploy", owner(os.Getenv(holdUser)))
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := l.Unlock(); err != nil {
		fmt.Println("error:", err)
	}
}

// holder starts another process that takes the lock in dir, and returns its first word.
type holder struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	said  string
}

func hold(t *testing.T, exe, dir, user string, as *syscall.Credential) *holder {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestHoldSharedLock$")
	cmd.Env = append(os.Environ(), holdDir+"="+dir, holdUser+"="+user)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &holder{cmd: cmd, stdin: stdin}
	t.Cleanup(func() { h.kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the other process says nothing: %v", err)
	}
	h.said = strings.TrimSpace(line)
	return h
}

// kill ends it as a crash does.
func (h *holder) kill() {
	_ = h.cmd.Process.Kill() // it may have ended
	_ = h.cmd.Wait()
}

func TestSharedLockOfAProcessThatCrashes(t *testing.T) { //nolint:paralleltest // as below
	dir := sharedDir(t)
	s := openShared(t, dir)
	h := hold(t, os.Args[0], dir, "sre1", nil)
	if h.said != "held" {
		t.Fatal(h.said)
	}
	_, err := s.Lock("deploy", owner("sre2"))
	if held, ok := errors.AsType[*LockedError](err); !ok || held.Owner.User != "sre1" {
		t.Fatalf("got %v", err)
	}
	h.kill()
	l, err := s.Lock("deploy", owner("sre2"))
	if err != nil {
		t.Fatalf("after the crash: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
}

// A lock that one user's process held is another user's to see, to wait for and to take over. The test runs
// alone: a child that another test just forked would hold the copied program open for writing.
func TestSharedLockOfAnotherUser(t *testing.T) { //nolint:paralleltest // see above
	if os.Geteuid() != 0 {
		t.Skip("not tried: it lacks root, who alone can start a process of another user")
	}
	const uid, gid = 65534, 4242
	dir := sharedDir(t)
	if err := os.Chown(dir, 0, gid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o770|fs.ModeSetgid|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Chmod(filepath.Dir(bin), 0o755); err != nil {
		t.Fatal(err)
	}
	exe, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(bin, "other")
	if err := os.WriteFile(path, exe, 0o755); err != nil {
		t.Fatal(err)
	}
	as := &syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{gid}}
	h := hold(t, path, dir, "other", as)
	if h.said != "held" {
		t.Fatal(h.said)
	}
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(dir, "deploy.lock"), &st); err != nil || st.Uid != uid || st.Gid != gid {
		t.Errorf("the lock is %d:%d's, %v", st.Uid, st.Gid, err)
	}
	s := openShared(t, dir)
	_, err = s.Lock("deploy", owner("root"))
	if held, ok := errors.AsType[*LockedError](err); !ok || held.Owner.User != "other" {
		t.Fatalf("got %v", err)
	}
	h.kill()
	l, err := s.Lock("deploy", owner("root"))
	if err != nil {
		t.Fatalf("after the crash: %+v, %v", l, err)
	}
	if h := hold(t, path, dir, "other", as); h.said != "error: deploy is locked by root (process "+fmt.Sprint(os.Getpid())+" on here) since 2026-11-22 02:14:00" {
		t.Error(h.said)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	if h := hold(t, path, dir, "other", as); h.said != "held" {
		t.Error(h.said)
	}
	stranger := &syscall.Credential{Uid: uid - 1, Gid: uid - 1, NoSetGroups: false}
	if h := hold(t, path, dir, "stranger", stranger); !strings.HasPrefix(h.said, "error: lock deploy: open the lock: ") || !strings.Contains(h.said, "permission denied") {
		t.Error(h.said)
	}
}
