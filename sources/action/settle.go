package action

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
)

// sight is what watching has found.
type sight uint8

const (
	seenDone sight = iota
	seenUndone
	cannotSee
	interrupted
	tooLate
)

// lookFor is for how long one look is waited for: one that hangs must not use up the time for all of them.
const lookFor = 10 * time.Second

// watch asks the authority until it shows what became of a call. A look that fails is tried again; where none
// has succeeded when it is too late, the error says why.
func (r *Runner) watch(ctx context.Context, a Access, c sources.Call, receipt sources.Receipt, deadline time.Duration) (sight, sources.Progress, error) {
	var last sources.Progress
	if a.Set.Verifier == nil {
		return cannotSee, last, errors.New("the source does not tell")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	end := time.NewTimer(deadline)
	defer end.Stop()
	blind := errors.New("no look was answered")
	for i := 0; ; i++ {
		look, stop := context.WithTimeout(ctx, lookFor)
		p, err := a.Set.Verifier.Verify(look, c, receipt)
		stop()
		switch {
		case err == nil:
			if p.Text != last.Text && p.State == sources.Pending {
				r.o.Notice(Event{Plan: c.ID, Step: Following, Text: p.Text, URL: p.URL, At: r.o.Now()})
			}
			last, blind = p, nil
			switch p.State {
			case sources.Done:
				return seenDone, p, nil
			case sources.Undone:
				return seenUndone, p, nil
			case sources.Pending:
			}
		case sources.KindOf(err) == sources.Unsupported:
			return cannotSee, last, err
		default:
			if blind != nil {
				blind = err
			}
			r.o.Log.Info("look what became of an action", "plan", c.ID, "err", err)
		}
		list := pauses()
		pause := time.NewTimer(list[min(i, len(list)-1)])
		select {
		case <-pause.C:
		case <-end.C:
			pause.Stop()
			return tooLate, last, blind
		case <-ctx.Done():
			pause.Stop()
			return interrupted, last, context.Cause(ctx) //nolint:wrapcheck // the caller says what it means
		}
	}
}

// lockName is the name of the lock on a target: whatever its identity is made of, it is a file's name.
func lockName(ref sources.Ref) string {
	sum := sha256.Sum256([]byte(ref.String()))
	return "action-" + hex.EncodeToString(sum[:12])
}

// Settled is what became of an action that a crash had left open.
type Settled struct {
	Record  journal.Record // of its intent
	Outcome Outcome
	// Open reports that it is on its way yet: nothing was written down, and it is to be looked at again.
	Open bool
}

// settleDeadline is for how long an action that a crash left open is followed: its effect had time to come.
const settleDeadline = 30 * time.Second

// Settle looks what became of every action that was begun and never ended, by reading alone, and writes it
// down. Those that another process is still at are left to it, and those that are on their way yet stay open. It
// is called at the start, before anything else acts.
func (r *Runner) Settle(ctx context.Context) ([]Settled, error) {
	open, err := r.o.Journal.Open()
	if err != nil {
		return nil, fmt.Errorf("look for open actions: %w", err)
	}
	var out []Settled
	var errs []error
	for _, records := range open {
		release, err := r.take(acted(&records[0]))
		if err != nil {
			continue // whoever holds the lock is at it
		}
		s, found, err := r.settleOne(ctx, records[0].Plan)
		release()
		switch {
		case err != nil:
			errs = append(errs, err)
		case found:
			out = append(out, s)
		}
	}
	return out, errors.Join(errs...)
}

// settleOne settles a plan whose locks are held, unless whoever held them before has ended it.
func (r *Runner) settleOne(ctx context.Context, plan string) (s Settled, found bool, err error) {
	open, err := r.o.Journal.Open()
	if err != nil {
		return s, false, fmt.Errorf("look for open actions: %w", err)
	}
	i := slices.IndexFunc(open, func(records []journal.Record) bool { return records[0].Plan == plan })
	if i < 0 {
		return s, false, nil
	}
	s, err = r.settle(ctx, open[i])
	return s, true, err
}

// acted are the objects that a recorded action is on: what was asked for, and what the request went to.
func acted(r *journal.Record) []sources.Ref {
	out := []sources.Ref{r.Target}
	if r.Call != nil && r.Call.Target != r.Target {
		out = append(out, r.Call.Target)
	}
	return out
}

// take takes the locks on all of refs, or none. Locks never wait, so that their order does not matter.
func (r *Runner) take(refs []sources.Ref) (release func(), err error) {
	var held []func()
	release = func() {
		for _, one := range slices.Backward(held) {
			one()
		}
	}
	for _, ref := range refs {
		one, err := r.o.Locks.Lock(lockName(ref))
		if err != nil {
			release()
			return nil, fmt.Errorf("lock: %w", err)
		}
		held = append(held, one)
	}
	return release, nil
}

// settleTargets settles what is open on any of refs, whose locks are held.
func (r *Runner) settleTargets(ctx context.Context, refs []sources.Ref) error {
	open, err := r.o.Journal.Open()
	if err != nil {
		return fmt.Errorf("look for open actions: %w", err)
	}
	for _, records := range open {
		if slices.ContainsFunc(acted(&records[0]), func(ref sources.Ref) bool { return slices.Contains(refs, ref) }) {
			s, err := r.settle(ctx, records)
			if err != nil {
				return err
			}
			if s.Open {
				return &sources.Error{Kind: sources.Conflict, Op: "settle", Scope: s.Record.Target.ID, Msg: s.Outcome.Text.String(), Fix: s.Outcome.Fix.String()}
			}
		}
	}
	return nil
}

// settle follows one open action to its end.
func (r *Runner) settle(ctx context.Context, records []journal.Record) (Settled, error) {
	first := records[0]
	s := Settled{Record: first, Outcome: Outcome{Plan: first.Plan, State: Unknown}}
	if first.Call == nil {
		return s, fmt.Errorf("record %d of the journal does not say what was sent", first.Seq)
	}
	var receipt sources.Receipt
	answered := false
	for _, rec := range records {
		if rec.Stage == journal.Answered && rec.Receipt != nil {
			receipt, answered = *rec.Receipt, true
		}
	}
	a, err := r.o.Access(first.Target.Source)
	if err != nil {
		return s, fmt.Errorf("settle %s: %w", first.Plan, err)
	}
	stage := journal.Given
	switch state, p, err := r.watch(ctx, a, *first.Call, receipt, settleDeadline); state {
	case seenDone:
		stage = journal.Verified
		s.Outcome = Outcome{Plan: first.Plan, State: Done, Text: p.Text, URL: p.URL}
	case seenUndone:
		stage = journal.Failed
		s.Outcome = Outcome{Plan: first.Plan, State: Failed, Text: p.Text, URL: p.URL}
		if p.Superseded {
			stage, s.Outcome.Text = journal.Superseded, clean.Linef("superseded: %s", p.Text)
		}
	case interrupted:
		return s, fmt.Errorf("settle %s: %w", first.Plan, err)
	case cannotSee:
		s.Outcome.Text = clean.Linef("what became of it cannot be read: %v", err)
	case tooLate:
		s.Outcome.URL = p.URL
		switch {
		case err != nil: // what cannot be read now says nothing of what happened
			s.Outcome.Text = clean.Linef("what became of it cannot be read: %s", errorText(err))
			if s.Open = r.o.Now().Before(first.At.Add(deadline(first.Verb))); s.Open {
				return s, nil
			}
		case p.Begun:
			s.Outcome.Text, s.Outcome.Fix = clean.Linef("it is still on its way: %s", p.Text), clean.Const("wait for it to end, or end its run at the provider, then try again")
			if s.Open = r.o.Now().Before(first.At.Add(deadline(first.Verb))); s.Open {
				return s, nil
			}
		case answered:
			s.Outcome.Text = clean.Const("the provider took it, and it shows no effect")
		default:
			s.Outcome.Text = clean.Const("it shows no effect: it was probably never sent")
		}
	}
	rec := journal.Record{
		Plan: first.Plan, Stage: stage, Verb: first.Verb, Who: r.o.Who, Target: first.Target, Name: first.Name, Service: first.Service,
		Environment: first.Environment,
		Outcome:     clean.Linef("left open, and settled: %s", s.Outcome.Text), URL: s.Outcome.URL,
	}
	if _, err := r.o.Journal.Append(ctx, rec); err != nil {
		return s, err
	}
	r.o.Nudge(first.Target)
	return s, nil
}
