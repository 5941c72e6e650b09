package wire

import (
	"context"
	"fmt"
	"slices"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/ui/pane"
)

// Recover settles what a crash left open, by reading alone, and shows it among the operations. What another
// process is at is left to it. It is called at the board's start, and by commands before they act.
func (b *Board) Recover(ctx context.Context) ([]action.Settled, error) { return b.levers.settle(ctx) }

func (l *levers) settle(ctx context.Context) ([]action.Settled, error) {
	open, err := l.book.Open()
	if err != nil {
		return nil, fmt.Errorf("look for open actions: %w", err)
	}
	if len(open) == 0 {
		return nil, nil
	}
	release := l.openTargets(open)
	defer release()
	settled, err := l.runner().Settle(httpx.Urgent(ctx))
	for i := range settled {
		if settled[i].Open {
			continue // it is shown as it is: under way
		}
		l.operations.end(settled[i].Record.Plan, settled[i].Outcome)
	}
	if err != nil {
		return settled, fmt.Errorf("settle what was open: %w", err)
	}
	return settled, nil
}

// openTargets keeps other actions off the targets of what is open, until release.
func (l *levers) openTargets(open [][]journal.Record) (release func()) {
	done := make(chan struct{})
	var ops []pane.Operation
	var targets []sources.Ref
	l.mu.Lock()
	for _, records := range open {
		first := records[0]
		if l.taken[first.Plan] {
			continue // this board is at it
		}
		ops = append(ops, pane.Operation{
			Plan: first.Plan, Verb: first.Verb, Target: first.Target, Service: first.Service,
			Title: clean.Linef("Left open: %s %s", first.Verb, first.Name), Step: action.Following,
		})
		if l.settling[first.Target] == nil {
			l.settling[first.Target] = done
			targets = append(targets, first.Target)
		}
	}
	l.mu.Unlock()
	l.operations.leave(ops)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, t := range targets {
			delete(l.settling, t)
		}
		close(done)
	}
}

// awaitSettled waits until what a crash left open on a target is settled, where that is under way here.
func (l *levers) awaitSettled(ctx context.Context, target sources.Ref) {
	l.mu.Lock()
	done := l.settling[target]
	l.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// start looks at the journal, and settles what is open in it: once the board runs, and behind the first frame.
func (l *levers) start(ctx context.Context) {
	if l.b.first.expected.Load() {
		l.b.first.wait(ctx)
	}
	l.book.look(ctx)
	for {
		settled, err := l.settle(ctx)
		if err != nil && ctx.Err() == nil {
			l.b.log.Warn("settle what a crash left open", "err", err)
		}
		if ctx.Err() != nil || !slices.ContainsFunc(settled, func(s action.Settled) bool { return s.Open }) {
			return
		}
	}
}
