package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/state"
	"example.com/signalbox/ui/theme"
)

// locks are those on targets: in the user's own directory, and in the one that several users share.
type locks struct {
	own    records
	shared string      // the directory of several users; "": none is configured
	warn   func(error) // told that the shared directory cannot be used
	now    func() time.Time
	log    *slog.Logger
	book   *book

	mu   sync.Mutex
	here map[string]bool // held in this process alone, where no directory can hold a lock
}

func newLocks(own records, shared string, k *book, b *Board) *locks {
	return &locks{own: own, shared: shared, now: b.now, log: b.log, book: k, here: map[string]bool{}, warn: func(err error) {
		b.tell(theme.Warn, clean.Linef("what others do cannot be seen, so only what is read again protects from it: %v", err))
	}}
}

// Lock implements action.Locker. The lock that colleagues share is taken first. A shared directory that is broken
// stops nothing: it is said, and the target is still read again before anything is sent.
func (l *locks) Lock(name string) (release func(), err error) {
	self := state.Self(l.now())
	shared, err := l.lockShared(name, self)
	if err != nil {
		return nil, told(err)
	}
	own, err := l.lockOwn(name, self)
	_, taken := errors.AsType[*state.LockedError](err)
	switch {
	case err == nil:
		return func() { l.unlock(own); l.unlock(shared) }, nil
	case taken, l.writable():
		l.unlock(shared)
		return nil, told(err)
	case !l.lockHere(name):
		l.unlock(shared)
		return nil, errors.New("this board is at it")
	}
	// Nothing can be recorded either, so that nothing but the answer to a page gets any further.
	l.log.Warn("a target is locked in this process alone", "err", err)
	return func() { l.unlockHere(name); l.unlock(shared) }, nil
}

// unlock gives a lock back; nil is none.
func (l *locks) unlock(one *state.Lock) {
	if one == nil {
		return
	}
	if err := one.Unlock(); err != nil {
		l.log.Warn("give a lock back", "err", err)
	}
}

// lockShared locks among all users; nil where there is no place for that, or none that works.
func (l *locks) lockShared(name string, self state.Owner) (*state.Lock, error) {
	if l.shared == "" {
		return nil, nil //nolint:nilnil // none is configured
	}
	dir, err := state.OpenShared(l.shared)
	if err != nil {
		l.warn(err)
		return nil, nil //nolint:nilnil // it is said
	}
	one, err := dir.Lock(name, self)
	if _, held := errors.AsType[*state.LockedError](err); err != nil && !held {
		l.warn(err)
		return nil, nil //nolint:nilnil // it is said
	}
	return one, err
}

func (l *locks) lockOwn(name string, self state.Owner) (*state.Lock, error) {
	if l.own.dir == nil {
		return nil, l.book.none
	}
	return l.own.dir.Lock(name, self)
}

// writable reports whether records can be written. Where they cannot, no lock can be made either.
func (l *locks) writable() bool {
	return l.own.dir != nil && l.book.Ready(context.Background()) == nil
}

// told says who holds a lock in words for people: its name is none.
func told(err error) error {
	held, ok := errors.AsType[*state.LockedError](err)
	switch {
	case !ok:
		return err
	case held.Owner.PID == 0:
		return errors.New("another process is at it")
	default:
		o := held.Owner
		return fmt.Errorf("%s has been at it since %s (process %d on %s)", o.User, o.Since.Format("15:04:05 UTC"), o.PID, o.Host)
	}
}

func (l *locks) lockHere(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.here[name] {
		return false
	}
	l.here[name] = true
	return true
}

func (l *locks) unlockHere(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.here, name)
}
