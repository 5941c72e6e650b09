package wire

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/state"
)

func locksIn(t *testing.T, own, shared string) (*locks, *[]error) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	dir, err := state.Open(own, log)
	r := records{dir, err}
	var warned []error
	return &locks{
		own: r, shared: shared, now: time.Now, log: log, book: newBook(r, time.Now, log), here: map[string]bool{},
		warn: func(err error) { warned = append(warned, err) },
	}, &warned
}

func teamDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shared")
	if err := os.Mkdir(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o770|os.ModeSetgid|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if _, err := state.OpenShared(dir); err != nil {
		t.Skipf("not tried: this machine gives tests no directory that users could share: %v", err)
	}
	return dir
}

// A target is locked for everybody who shares the directory, and the refusal says who is at it.
func TestLocksAreShared(t *testing.T) {
	t.Parallel()
	shared := teamDir(t)
	mine, _ := locksIn(t, t.TempDir(), shared)
	theirs, warned := locksIn(t, t.TempDir(), shared)
	release, err := mine.Lock("target")
	if err != nil {
		t.Fatalf("the first lock: %v", err)
	}
	if _, err := theirs.Lock("target"); err == nil || !strings.Contains(err.Error(), "has been at it since") {
		t.Errorf("the colleague is told %v", err)
	}
	if _, err := mine.Lock("target"); err == nil {
		t.Error("a second action of one's own on the same target goes on")
	}
	other, err := theirs.Lock("another")
	if err != nil {
		t.Errorf("another target: %v", err)
	} else {
		other()
	}
	release()
	release, err = theirs.Lock("target")
	if err != nil || len(*warned) != 0 {
		t.Fatalf("after the release: %v, %v", err, *warned)
	}
	release()
}

// A shared directory that cannot be used is said, and stops nothing.
func TestBrokenSharedDirectoryStopsNothing(t *testing.T) {
	t.Parallel()
	l, warned := locksIn(t, t.TempDir(), filepath.Join(t.TempDir(), "gone"))
	release, err := l.Lock("target")
	if err != nil || len(*warned) != 1 {
		t.Fatalf("%v; warned of %v", err, *warned)
	}
	release()
}

// Where nothing can be written, targets are locked within the process: the answer to a page goes on.
func TestLocksWithoutADirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, _ := locksIn(t, filepath.Join(file, "state"), "")
	release, err := l.Lock("target")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Lock("target"); err == nil {
		t.Error("the same target is locked twice")
	}
	release()
	if release, err = l.Lock("target"); err != nil {
		t.Fatal(err)
	}
	release()
}

// A lock that its owner never gave back is free; one that cannot be had where records can be written is a
// refusal, and so is one that another holds where they cannot.
func TestLockAfterACrash(t *testing.T) {
	t.Parallel()
	own := t.TempDir()
	l, _ := locksIn(t, own, "")
	if err := os.WriteFile(filepath.Join(own, "target.lock"), []byte(`{"pid":1,"user":"sre2","host":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	release, err := l.Lock("target")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(own, "odd.lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.book.Ready(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Lock("odd"); err == nil {
		t.Error("what cannot be locked is taken for locked")
	}
	if err := os.Rename(l.book.journal.Path(), l.book.journal.Path()+".gone"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(l.book.journal.Path(), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Lock("target"); err == nil {
		t.Error("what another action holds is locked once more, because nothing can be recorded")
	}
	release()
}
