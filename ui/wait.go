package ui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
)

const (
	// snapshotPause holds data back to ten frames a second. A key's frame never waits for it.
	snapshotPause = 100 * time.Millisecond
	// absence is how long a board without input counts as attended.
	absence = 15 * time.Minute
	// pause is how long without input makes the next key worth telling.
	pause = 5 * time.Second
)

// waitSnapshot waits for the newest snapshot, and no less than pause. The channel holds one: what came
// during the pause is there at once, and what it replaced never was. A board whose data rests longer than the
// pause does not wake for its end. What the board shows of the snapshot is derived before it arrives, beside
// the loop: a key never waits for that.
func (a *App) waitSnapshot(pause time.Duration) tea.Cmd {
	ctx, from, all := a.ctx, a.opts.Backend.Snapshots(), a.set.Attention.All
	over := time.NewTimer(pause) // nobody is woken by it who does not wait for it
	return func() tea.Msg {
		defer over.Stop()
		s, ok := receive(ctx, from)
		if !ok {
			return nil
		}
		select {
		case <-over.C:
		case <-ctx.Done():
			return nil
		}
		select {
		case newer, still := <-from:
			if !still || newer == nil {
				return nil
			}
			s = newer
		default:
		}
		a.warm(s, all)
		return snapshotMsg{s}
	}
}

// receive reports whether there was a snapshot before from and ctx ended.
func receive(ctx context.Context, from <-chan *store.Snapshot) (s *store.Snapshot, ok bool) {
	select {
	case s = <-from:
		return s, s != nil
	case <-ctx.Done():
		return nil, false
	}
}

// warm makes ready what the loop will ask about s. It touches nothing of the App but what is made for that.
func (a *App) warm(s *store.Snapshot, all bool) {
	now := a.opts.Clock()
	a.known.Warm(s, now)
	a.attention.pager.look(&a.known, s, all, now)
}

func waitEvent(ctx context.Context, from <-chan pane.Event) tea.Cmd {
	return func() tea.Msg {
		select {
		case e, ok := <-from:
			if !ok {
				return nil
			}
			return eventMsg{e}
		case <-ctx.Done():
			return nil
		}
	}
}

func waitSettings(ctx context.Context, from <-chan Settings) tea.Cmd {
	if from == nil {
		return nil
	}
	return func() tea.Msg {
		select {
		case s, ok := <-from:
			if !ok {
				return nil
			}
			return settingsMsg{s}
		case <-ctx.Done():
			return nil
		}
	}
}

// sleep reports whether d passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// moment is the clock of what shows minutes: the minute that began last or, after it, the moment at which
// a feed's data became stale.
func (a *App) moment() time.Time {
	now := a.opts.Clock()
	minute := now.Truncate(time.Minute)
	if last, _ := a.turns(now); last.After(minute) {
		return last
	}
	return minute
}

// turns are the last moment up to now, and the next one after it, at which the data of a feed becomes stale
// or very stale unless it is confirmed before; zero when there is none.
func (a *App) turns(now time.Time) (last, next time.Time) {
	if a.snap == nil {
		return last, next
	}
	for i := range a.snap.Feeds {
		for _, at := range a.snap.Feeds[i].Health.Turns() {
			switch {
			case at.IsZero():
			case !at.After(now):
				if at.After(last) {
					last = at
				}
			case next.IsZero() || at.Before(next):
				next = at
			}
		}
	}
	return last, next
}

// beat takes the present for the moment of each second at which the board wakes. Bubble Tea's renderer has begun
// to tick just before, and would wake the board a second time otherwise.
func (a *App) beat() {
	a.second = a.opts.Clock()
	if a.opts.Beat != nil {
		a.opts.Beat(a.second)
	}
}

// nextSecond is when the seconds shown change next.
func (a *App) nextSecond(now time.Time) time.Time {
	if a.second.IsZero() {
		return now.Truncate(time.Second).Add(time.Second)
	}
	next := a.second.Add(now.Sub(a.second).Truncate(time.Second))
	if !next.After(now) {
		next = next.Add(time.Second)
	}
	return next
}

// schedule sets a timer for the next moment at which the clock changes something to be seen: a second
// or a minute that begins, data that becomes stale, a toast that ends. An outstanding timer that fires early enough is kept, so
// that at most one is of use and an idle board wakes once a minute.
func (a *App) schedule() tea.Cmd {
	if a.suspended {
		return nil
	}
	now := a.opts.Clock()
	want := now.Truncate(time.Minute).Add(time.Minute)
	if a.seconds() {
		want = a.nextSecond(now)
	}
	if _, next := a.turns(now); !next.IsZero() && next.Before(want) {
		want = next
	}
	for _, end := range []time.Time{a.toasts.Next(), a.stripEnds(now)} {
		if !end.IsZero() && end.Before(want) {
			want = end
		}
	}
	if !a.due.IsZero() && a.due.After(now) && !want.Before(a.due) {
		return nil
	}
	a.due = want
	return func() tea.Msg {
		if !sleep(a.ctx, max(want.Sub(now), time.Millisecond)) {
			return nil
		}
		a.known.Warm(nil, want)
		return tickMsg{want}
	}
}

// seconds reports whether anything that is seen changes by the second.
func (a *App) seconds() bool {
	if d := a.dialog(); d != nil && d.Seconds() || a.ticks() {
		return true
	}
	for _, s := range a.visible() {
		if s.pane.Seconds(a.env(s)) {
			return true
		}
	}
	return false
}

// tick reports whether the timer that fired is the one that counts.
func (a *App) tick(m tickMsg) bool {
	if m.due != a.due {
		return false
	}
	a.due = time.Time{}
	now := a.opts.Clock()
	a.toasts.Expire(now)
	if a.present && now.Sub(a.lastInput) >= absence {
		a.present = false
		a.opts.Backend.Attend(false)
	}
	return true
}

// attend notes that somebody is at the keyboard. The backend is told of the first key after a while, so
// that a machine which has slept is noticed at once.
func (a *App) attend() {
	now := a.opts.Clock()
	back := !a.present || now.Sub(a.lastInput) >= pause
	a.lastInput, a.moved = now, true
	a.suspended = false // whoever reads keys has the terminal
	if back {
		a.present = true
		a.opts.Backend.Attend(true)
	}
}
