package action_test

import (
	"strings"
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

func (l lockedLate) Lock(name string) (func(), error) {
	l.before()
	return l.locks.Lock(name)
}

// What cannot be read says nothing of what became of an action: it stays open, for as long as it may be on its way.
func TestWhatCannotBeReadStaysOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		p := y.plan(t, y.rollback())
		for _, stage := range []journal.Stage{journal.Intended, journal.Answered} {
			if _, err := y.book.Append(t.Context(), journal.Record{Plan: p.ID, Stage: stage, Verb: sources.Rollback, Target: p.Request.Target, Call: &p.Call}); err != nil {
				t.Fatal(err)
			}
		}
		y.hub.noLook = &sources.Error{Kind: sources.Transient, Msg: "the connection was refused"}
		settled, err := y.Settle(t.Context())
		if err != nil || len(settled) != 1 || !settled[0].Open || !strings.Contains(settled[0].Outcome.Text.String(), "cannot be read: the connection was refused") {
			t.Fatalf("%+v, %v", settled, err)
		}
		if got := y.stages(t); got != "intended answered" {
			t.Errorf("journal %q", got)
		}
		time.Sleep(24 * time.Hour)
		if settled, err = y.Settle(t.Context()); err != nil || len(settled) != 1 || settled[0].Open || settled[0].Outcome.State != action.Unknown {
			t.Errorf("a day later: %+v, %v", settled, err)
		}
		if got := y.stages(t); got != "intended answered "+string(journal.Given) {
			t.Errorf("journal %q", got)
		}
	})
}
