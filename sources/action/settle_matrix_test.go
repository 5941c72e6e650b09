package action_test

import (
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/journal"
)

// Between the look at what is open and the lock on it, whoever was at it may have ended it: it has one end.
func TestWhatEndsMeanwhileIsNotSettledAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := b.plan(t, action.Request{Verb: sources.Resolve})
		b.killAt(t, &killer{book: b.book, at: journal.Answered}, p)
		other := action.New(action.Options{
			Access: func(string) (action.Access, error) {
				return action.Access{Set: capability.Set{Actor: b.pager, Verifier: b.pager}}, nil
			},
			Journal: b.book, Locks: lockedLate{b.locks, func() {
				if _, err := b.book.Append(t.Context(), journal.Record{Plan: p.ID, Stage: journal.Verified, Verb: sources.Resolve, Target: incident()}); err != nil {
					t.Fatal(err)
				}
			}}, Now: time.Now,
		})
		if settled, err := other.Settle(t.Context()); err != nil || len(settled) != 0 {
			t.Errorf("settled %+v, %v", settled, err)
		}
		if got, want := b.stages(t), "intended answered verified"; got != want {
			t.Errorf("journal %q, want %q", got, want)
		}
	})
}

// lockedLate are locks before which something happens.
type lockedLate struct {
	*locks

	before func()
}

func (l lockedLate) Lock(name string) (func(), bool, error) {
	l.before()
	return l.locks.Lock(name)
}
