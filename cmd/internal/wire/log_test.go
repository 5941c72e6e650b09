package wire

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A log is its owner's alone, and is written into no file but the one that was named.
func TestLogIsPrivate(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("open"), []byte("before\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("target"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(in("target"), in("link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(in("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"new", "open"} {
		log, file, err := OpenLog(in(name), NewRedactor([]string{"A_TOKEN=hunter2hunter2"}))
		if err != nil {
			t.Fatal(err)
		}
		log.Info("asked", "with", "hunter2hunter2", "and", "ghp_0123456789abcdefghijABCDEFGHIJ012345")
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(in(name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		text, err := os.ReadFile(in(name))
		if err != nil || !strings.Contains(string(text), "msg=asked") || strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "ghp_") {
			t.Errorf("%s: %s, %v", name, text, err)
		}
		if name == "open" && !strings.HasPrefix(string(text), "before\n") {
			t.Errorf("what was there is gone: %s", text)
		}
	}
	for name, why := range map[string]string{"link": "a link", "pipe": "", "target/below": "not a directory", ".": "directory"} {
		_, file, err := OpenLog(in(name), NewRedactor(nil))
		if err == nil {
			t.Errorf("%s was opened: %v", name, file.Close())
		} else if !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.WriteFile(in("theirs"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(in("theirs"), 12345, 12345); err != nil {
			t.Fatal(err)
		}
		if _, _, err := OpenLog(in("theirs"), NewRedactor(nil)); err == nil || !strings.Contains(err.Error(), "somebody else's") {
			t.Errorf("another user's file: %v", err)
		}
	}
	_, _, _ = OpenLog("", NewRedactor(nil)) // the standard logger is silent again
}
