package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// Owner says who holds a lock.
type Owner struct {
	PID   int       `json:"pid"`
	User  string    `json:"user"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// Self is this process, as the owner of a lock since now.
func Self(now time.Time) Owner {
	o := Owner{PID: os.Getpid(), Since: now.UTC()}
	if u, err := user.Current(); err == nil {
		o.User = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		o.Host = host
	}
	return o
}

// LockedError means that somebody else holds a lock. Owner is zero when it cannot be told who.
type LockedError struct {
	Name  string
	Owner Owner
}

func (e *LockedError) Error() string {
	if e.Owner.PID == 0 {
		return e.Name + " is locked by another process"
	}
	return fmt.Sprintf("%s is locked by %s (process %d on %s) since %s",
		e.Name, e.Owner.User, e.Owner.PID, e.Owner.Host, e.Owner.Since.Format(time.DateTime))
}

// Lock is a lock that this process holds until Unlock, or until it ends.
type Lock struct{ file *os.File }

// Lock takes the named lock for owner. It never waits: it returns a *LockedError while another holds it.
// Locks are advisory, belong to the process's open file, and end with it however it ends.
func (d *Dir) Lock(name string, owner Owner) (*Lock, error) {
	path, err := lockPath(d.path, name)
	if err != nil {
		return nil, err
	}
	f, err := flock(path)
	return lock(f, err, path, name, owner)
}

// lockPath is the file of the named lock in dir.
func lockPath(dir, name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, ".") {
		return "", fmt.Errorf("lock %q: not a file's name", name)
	}
	return filepath.Join(dir, name+".lock"), nil
}

// lock makes a Lock of the file at path, or of why it could not be locked.
func lock(f *os.File, err error, path, name string, owner Owner) (*Lock, error) {
	if errors.Is(err, errLocked) {
		return nil, &LockedError{Name: name, Owner: readOwner(path)}
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	l := &Lock{file: f}
	data, err := json.Marshal(owner)
	if err == nil {
		err = l.record(data)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, errors.Join(err, unflock(f)))
	}
	return l, nil
}

func (l *Lock) record(data []byte) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("record the owner: %w", err)
	}
	if _, err := l.file.WriteAt(data, 0); err != nil {
		return fmt.Errorf("record the owner: %w", err)
	}
	return nil
}

// Unlock gives the lock back.
func (l *Lock) Unlock() error {
	if err := errors.Join(l.record(nil), unflock(l.file)); err != nil {
		return fmt.Errorf("unlock: %w", err)
	}
	return nil
}

// readOwner is the zero Owner when the file does not say, be it that its owner is about to.
func readOwner(path string) (o Owner) {
	f, err := openPlain(path)
	if err != nil {
		return Owner{}
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if errors.Join(err, f.Close()) != nil || json.Unmarshal(data, &o) != nil {
		return Owner{}
	}
	return o
}
