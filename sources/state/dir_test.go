package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	d, log := openDir(t)
	info, err := os.Stat(d.Path())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("made with mode %s, %v", info.Mode(), err)
	}
	if parent, err := os.Stat(filepath.Dir(d.Path())); err != nil || parent.Mode().Perm() != 0o700 {
		t.Errorf("its parent was made with mode %s, %v", parent.Mode(), err)
	}
	for _, mode := range []os.FileMode{0o777, 0o750, 0o500} {
		if err := os.Chmod(d.path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(d.path, d.log); err != nil {
			t.Errorf("mode %s: %v", mode, err)
		}
		if info, err := os.Stat(d.path); err != nil || info.Mode().Perm() != mode&0o700 {
			t.Errorf("mode %s became %s, %v", mode, info.Mode(), err)
		}
	}
	if n := strings.Count(log.String(), "open to others"); n != 2 {
		t.Errorf("said %d times, want 2: %s", n, log)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if _, err := Open(path, nil); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
	if os.Geteuid() == 0 {
		other := t.TempDir()
		if err := os.Chown(other, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(other, nil); err == nil || !strings.Contains(err.Error(), "another user") {
			t.Errorf("another user's directory: %v", err)
		}
	}
}

func TestDefaultPath(t *testing.T) {
	t.Setenv("HOME", "/home/sre1")
	for base, want := range map[string]string{
		"/var/state": "/var/state/signalbox", "": "/home/sre1/.local/state/signalbox", "relative": "/home/sre1/.local/state/signalbox",
	} {
		t.Setenv("XDG_STATE_HOME", base)
		if got, err := DefaultPath(); err != nil || got != want {
			t.Errorf("XDG_STATE_HOME=%q: %s, %v", base, got, err)
		}
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "")
	if got, err := DefaultPath(); err == nil {
		t.Errorf("without a home: %s", got)
	}
}

func TestWritesAreWholeAndPrivate(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	for _, text := range []string{"first, and longer", "second"} {
		if err := d.write("file", []byte(text), true); err != nil {
			t.Fatal(err)
		}
		if got, err := d.read("file", 100); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	info, err := os.Stat(d.file("file"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %s, %v", info.Mode(), err)
	}
	if err := os.Mkdir(d.file("taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.write("taken", []byte("x"), false); err == nil {
		t.Error("a directory was replaced")
	}
	if _, err := d.read("taken", 100); err == nil {
		t.Error("a directory was read")
	}
	if left, err := filepath.Glob(d.file(".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	me := Self(now)
	if me.PID != os.Getpid() || !me.Since.Equal(now) {
		t.Errorf("self %+v", me)
	}
	lock, err := d.Lock("deploy", me)
	if err != nil {
		t.Fatalf("%+v, %v", lock, err)
	}
	_, err = d.Lock("deploy", me)
	held, ok := errors.AsType[*LockedError](err)
	if !ok || held.Owner != me || !strings.Contains(err.Error(), "since 2026-11-21 02:14:00") {
		t.Errorf("taken twice: %v", err)
	}
	if other, err := d.Lock("other", me); err != nil {
		t.Errorf("another lock: %v", err)
	} else if err := other.Unlock(); err != nil {
		t.Error(err)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	lock, err = d.Lock("deploy", me)
	if err != nil {
		t.Fatalf("after it was given back: %+v, %v", lock, err)
	}
	if err := lock.file.Close(); err != nil { // what the kernel does for a process that ends
		t.Fatal(err)
	}
	later := Self(now.Add(time.Hour))
	lock, err = d.Lock("deploy", later)
	if err != nil {
		t.Fatalf("after a crash: %+v, %v", lock, err)
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "../x", "a/b", ".hidden"} {
		if _, err := d.Lock(name, me); err == nil {
			t.Errorf("a lock named %q", name)
		}
	}
	if got := (&LockedError{Name: "deploy"}).Error(); got != "deploy is locked by another process" {
		t.Error(got)
	}
	if err := os.WriteFile(d.file("odd.lock"), []byte("not JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	if lock, err := d.Lock("odd", me); err != nil {
		t.Errorf("over a damaged record: %+v, %v", lock, err)
	}
}
