package wire

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/state"
)

// Two users' locks: each has a directory of their own, and both share one.
func TestLocksOfSeveralUsers(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o770|fs.ModeSetgid|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	var warned []error
	user := func() *locks {
		dir, err := state.Open(t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		own := records{dir: dir}
		return &locks{
			own: own, shared: shared, now: time.Now, log: slog.New(slog.DiscardHandler), book: newBook(own, time.Now, slog.New(slog.DiscardHandler)), here: map[string]bool{},
			warn: func(err error) { warned = append(warned, err) },
		}
	}
	a, b := user(), user()
	release, crashed, err := a.Lock("action-1")
	if err != nil || crashed {
		t.Fatalf("%t, %v", crashed, err)
	}
	for name, other := range map[string]*locks{"a colleague's": b, "one's own": a} {
		if _, _, err := other.Lock("action-1"); err == nil || !strings.Contains(err.Error(), " has been at it since ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if again, _, err := b.Lock("action-2"); err != nil {
		t.Errorf("another target: %v", err)
	} else {
		again()
	}
	release()
	// Whoever ends without a word is told of, in either directory, until somebody has acted upon it.
	for _, dir := range []string{shared, b.own.dir.Path()} {
		path := filepath.Join(dir, "action-1.lock")
		if err := os.WriteFile(path, []byte(`{"pid":1,"user":"sre1","host":"h"}`), 0o660); err != nil {
			t.Fatal(err)
		}
		if release, crashed, err = b.Lock("action-1"); err != nil || !crashed {
			t.Errorf("after a crash: %t, %v", crashed, err)
		}
		release()
		if release, crashed, err = b.Lock("action-1"); err != nil || crashed {
			t.Errorf("after it was acted upon: %t, %v", crashed, err)
		}
		release()
	}
	// A lock that was of no use, since the other is held, forgets no crash.
	if err := os.WriteFile(filepath.Join(shared, "action-1.lock"), []byte(`{"pid":1,"user":"sre1","host":"h"}`), 0o660); err != nil {
		t.Fatal(err)
	}
	held, err := b.own.dir.Lock("action-1", state.Self(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Lock("action-1"); err == nil {
		t.Error("one's own lock was taken twice")
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	if release, crashed, err = b.Lock("action-1"); err != nil || !crashed {
		t.Errorf("the crash is forgotten: %t, %v", crashed, err)
	}
	release()
	if len(warned) != 0 {
		t.Errorf("warned of %v", warned)
	}
	// A directory that is not safe is said, and stops nothing.
	if err := os.Chmod(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	if release, _, err = a.Lock("action-1"); err != nil {
		t.Fatal(err)
	}
	release()
	if len(warned) != 1 || !strings.Contains(warned[0].Error(), "install -d -m 3770") {
		t.Errorf("warned of %v", warned)
	}
}
