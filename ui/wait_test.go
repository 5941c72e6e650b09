package ui_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/ui"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
)

// live is an App in a loop like Bubble Tea's, in a bubble of fake time. It counts what wakes the App.
type live struct {
	*board
	msgs  chan tea.Msg
	wakes int
	mu    sync.Mutex // held while the App works
}

func start(t *testing.T, opts ...option) *live {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &live{msgs: make(chan tea.Msg)}
	opts = append(opts, func(o *ui.Options, b *board) { o.Clock, b.unsized = time.Now, true })
	l.board = newBoard(t, 160, 48, opts...)
	go l.loop(ctx)
	l.exec(ctx, l.app.Init())
	l.key(tea.WindowSizeMsg{Width: 160, Height: 48})
	t.Cleanup(func() {
		cancel()
		synctest.Wait()
	})
	return l
}

func (l *live) loop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-l.msgs:
			l.mu.Lock()
			l.wakes++
			_, cmd := l.app.Update(m)
			l.mu.Unlock()
			l.exec(ctx, cmd)
		}
	}
}

func (l *live) exec(ctx context.Context, cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch m := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range m {
				l.exec(ctx, c)
			}
		default:
			select {
			case l.msgs <- m:
			case <-ctx.Done():
			}
		}
	}()
}

// key hands over a message as the terminal would, and waits until all is quiet.
func (l *live) key(m tea.Msg) {
	l.msgs <- m
	l.pass(0)
}

// pass lets time go by until all is quiet. What the test has read before is read before.
func (l *live) pass(d time.Duration) {
	l.mu.Lock()
	l.mu.Unlock() //nolint:staticcheck // orders the test's reads before what the App does next
	time.Sleep(d)
	synctest.Wait()
}

func TestAnIdleBoardWakesOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		l.pass(2 * time.Minute)
		before := l.wakes
		l.pass(10 * time.Minute)
		if n := l.wakes - before; n != 10 {
			t.Errorf("%d wake-ups in ten idle minutes", n)
		}
	})
}

// Data that nobody confirms grows stale between two minutes, without a snapshot that says so.
func TestTheBoardWakesWhenDataBecomesStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		snap := snapshot(time.Now().Truncate(time.Minute).Add(5 * time.Second))
		for i := range snap.Feeds {
			snap.Feeds[i].Health.Interval = 5 * time.Second // stale 15 s, very stale 25 s after the minute
		}
		l := start(t, func(o *ui.Options, _ *board) { o.Snapshot = snap })
		wait := func(d time.Duration) int {
			before := l.wakes
			l.pass(d)
			return l.wakes - before
		}
		wait(time.Until(snap.Feeds[0].Health.LastGood.Add(14 * time.Second)))
		if n := wait(2 * time.Second); n != 1 {
			t.Errorf("%d wake-ups when the data became stale", n)
		}
		if n := wait(10 * time.Second); n != 1 {
			t.Errorf("%d wake-ups when it became very stale", n)
		}
		if n := wait(30 * time.Second); n != 0 {
			t.Errorf("%d wake-ups after that", n)
		}
	})
}

func TestSecondsOnlyWhenAPaneShowsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, func(_ *ui.Options, b *board) { b.panes[3].second = true })
		l.pass(time.Minute)
		before := l.wakes
		l.pass(20 * time.Second)
		if n := l.wakes - before; n != 20 {
			t.Errorf("%d wake-ups in twenty seconds", n)
		}
	})
}

// What else wakes the process is told when the board does, and can share the wake-up.
func TestTheBeatIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(137 * time.Millisecond)
		var told time.Time
		l := start(t, func(o *ui.Options, b *board) {
			b.panes[3].second = true
			o.Beat = func(at time.Time) { told = at }
		})
		if told.IsZero() {
			t.Fatal("nobody was told")
		}
		l.pass(time.Minute)
		l.pass(time.Until(told.Add(time.Since(told).Truncate(time.Second) + time.Second + time.Millisecond)))
		for i := range 3 {
			before := l.wakes
			l.pass(990 * time.Millisecond)
			if n := l.wakes - before; n != 0 {
				t.Errorf("second %d: %d wake-ups between the moments", i, n)
			}
			l.pass(10 * time.Millisecond)
			if n := l.wakes - before; n != 1 {
				t.Errorf("second %d: %d wake-ups, want one at the moment", i, n)
			}
		}
	})
}

func TestSnapshotsAreHeldBackAndKeysAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		stop := make(chan struct{})
		go func() {
			for i := uint64(2); ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				s := snapshot(time.Now())
				s.Seq = i
				select {
				case <-l.back.snaps:
				default:
				}
				l.back.snaps <- s
			}
		}()
		l.pass(time.Second)
		before, at := l.wakes, time.Now()
		l.pass(10 * time.Second)
		if n := l.wakes - before; n < 95 || n > 101 {
			t.Errorf("%d frames in ten seconds of 1,000 changes each", n)
		}
		l.key(keyOf("4"))
		if d := time.Since(at) - 10*time.Second; d > 0 || l.focusedTitle() != "Deployments" {
			t.Errorf("a key took %v", d)
		}
		close(stop)
	})
}

func TestToastsGoAwayByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		l.key(keyOf("w"))
		l.says("showing what is mine")
		l.pass(12 * time.Second)
		l.hides("showing what is mine")
		l.says("Tab next pane")
	})
}

func TestAttendance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		l.pass(14 * time.Minute)
		if len(l.back.attends) != 1 || !l.back.attends[0] {
			t.Fatalf("said %v", l.back.attends)
		}
		l.pass(3 * time.Minute)
		if len(l.back.attends) != 2 || l.back.attends[1] {
			t.Fatalf("said %v after a quarter of an hour", l.back.attends)
		}
		l.key(keyOf("j"))
		if len(l.back.attends) != 3 || !l.back.attends[2] {
			t.Fatalf("said %v after a key", l.back.attends)
		}
		l.key(keyOf("k"))
		if len(l.back.attends) != 3 {
			t.Fatalf("said %v after a second key at once", l.back.attends)
		}
		l.pass(10 * time.Second)
		l.key(keyOf("j"))
		if len(l.back.attends) != 4 || !l.back.attends[3] {
			t.Fatalf("said %v after a key that followed a pause: the machine may have slept", l.back.attends)
		}
	})
}

func TestNothingIsDrawnWhileSuspended(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("ctrl+z")
	n := b.out.flushes
	b.send(ui.SnapshotMsg(snapshot(b.clock.now())))
	if b.out.flushes != n {
		t.Error("drew a frame for a terminal that is not ours")
	}
	b.send(tea.ResumeMsg{})
	if b.out.flushes == n {
		t.Error("did not draw after the resume")
	}
	if _, ok := last[pane.Changed](b.panes[3]); !ok {
		t.Error("the pane missed the snapshot")
	}
}

func TestQuestionsEndWithTheirPane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		var ended error
		l.back.load = func(ctx context.Context, _ pane.Ask) (pane.Answer, error) {
			<-ctx.Done()
			ended = ctx.Err()
			return pane.Answer{}, ended
		}
		l.key(keyOf("3"))
		l.key(keyOf("enter"))
		l.details[0].answer = func(a pane.Action) tea.Cmd {
			if a.Action != keymap.Refresh {
				return nil
			}
			return send(pane.Load{From: "run:checkout", Gen: 1, Ask: pane.Ask{Jobs: runRef("checkout")}})
		}
		l.key(keyOf("r"))
		if ended != nil {
			t.Fatal("the question ended before its pane")
		}
		l.key(keyOf("esc"))
		if ended == nil {
			t.Error("the question did not end with its pane")
		}
		if _, ok := last[pane.Reply](l.details[0]); ok {
			t.Error("a pane that is gone got its answer")
		}
	})
}
