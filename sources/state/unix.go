//go:build unix

package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func ownedByUser(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(st.Uid) == os.Geteuid()
}

// openPlain opens a file for reading. It follows no symbolic link and never waits for a pipe's writer.
func openPlain(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return f, nil
}

// errLocked means that somebody else holds the lock.
var errLocked = errors.New("locked by another process")

// flock takes the lock file at path, which it makes when it is missing. It never waits: it returns
// errLocked while another open file holds the lock. unflock gives it back, and so does the process's end.
func flock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, fileMode)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := take(f); err != nil {
		return nil, err
	}
	return f, nil
}

// take locks an open file. It never waits: where another has it, it closes the file and returns errLocked.
func take(f *os.File) (err error) {
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = errLocked
	}
	return errors.Join(err, f.Close())
}

// unflock gives a lock back, also while a child that was just forked still shares the file.
func unflock(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}

// alive reports whether a process of this machine lives; when in doubt it does.
func alive(pid int) bool {
	return pid <= 0 || !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}
