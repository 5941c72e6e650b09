package screen_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/uitest/vt"
)

// fakeTerminal is a terminal in memory.
type fakeTerminal struct {
	mu     sync.Mutex
	screen *vt.Terminal
	writes []string
	gate   chan struct{} // when it is there, each write takes one from it
	err    error
}

func newFakeTerminal() *fakeTerminal { return &fakeTerminal{screen: vt.New(20, 3)} }

func (f *fakeTerminal) Write(p []byte) (int, error) {
	if f.gate != nil {
		<-f.gate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	f.writes = append(f.writes, string(p))
	return f.screen.Write(p)
}

// written is what was written so far.
func (f *fakeTerminal) written() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.writes)
}

func (f *fakeTerminal) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes = nil
}

func (f *fakeTerminal) Read([]byte) (int, error) { return 0, errors.New("nobody types") }
func (f *fakeTerminal) Close() error             { return errors.New("not ours to close") }
func (f *fakeTerminal) Fd() uintptr              { return 7 }

// enter is what Bubble Tea sends when it takes the terminal, leave when it gives it back.
func enter(o *screen.Output) {
	for _, s := range []string{"\x1b[?25l", "\x1b[?1049h", "\x1b[2J", "\x1b[H", "\x1b[?25l", "\x1b[?2004h"} {
		_, _ = o.WriteString(s)
	}
}

func leave(o *screen.Output) {
	for _, s := range []string{"\x1b[2K", "\r", "\x1b[?2004l", "\x1b[?25h", "\x1b[?1002l", "\x1b[?1049l", "\x1b[?25h"} {
		_, _ = o.WriteString(s)
	}
}

func says(s string) *screen.Grid {
	g := screen.NewGrid(20, 3)
	for y, l := range strings.Split(s, "\n") {
		g.Region().ANSI(0, y, l)
	}
	return g
}

// inBubble runs a test on an Output that has the terminal, with a clock of its own.
func inBubble(t *testing.T, f *fakeTerminal, o screen.OutputOptions, test func(*testing.T, *screen.Output)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Now = time.Now
		out := screen.NewOutput(f, o)
		defer func() { _ = out.Close() }()
		enter(out)
		synctest.Wait()
		f.forget()
		test(t, out)
	})
}

func TestKeysPaintAtOnceAndDataTenTimesASecond(t *testing.T) {
	t.Parallel()
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, out *screen.Output) {
		for i := range 100 {
			out.Flush(says("data "+strings.Repeat("x", i%10)), screen.Data)
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		if n := len(f.written()); n < 9 || n > 11 {
			t.Errorf("%d frames in a second of data, want 10", n)
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if got := f.screen.String(); got != "data xxxxxxxxx\n\n\n" {
			t.Errorf("the last frame is missing: %q", got)
		}
		f.forget()
		for i := range 5 {
			out.Flush(says("key "+strings.Repeat("x", i)), screen.Key)
			synctest.Wait()
			if len(f.written()) != i+1 {
				t.Fatalf("key %d was held back", i)
			}
		}
	})
}

func TestAnUnchangedFrameWakesNobody(t *testing.T) {
	t.Parallel()
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, out *screen.Output) {
		for range 10 {
			out.Flush(says("same"), screen.Key)
			out.Flush(says("same"), screen.Data)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if len(f.written()) != 1 {
			t.Errorf("%d writes: %q", len(f.written()), f.written())
		}
	})
}

func TestASlowTerminalSkipsFrames(t *testing.T) {
	t.Parallel()
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, out *screen.Output) {
		f.gate = make(chan struct{})
		for i := range 50 {
			out.Flush(says(strings.Repeat("x", 1+i%20)), screen.Key) // returns, though nothing can be written
			synctest.Wait()
		}
		out.Flush(says("the last"), screen.Key)
		close(f.gate)
		synctest.Wait()
		if len(f.written()) != 2 {
			t.Errorf("%d frames were written, want the first and the last: %q", len(f.written()), f.written())
		}
		if got := f.screen.String(); got != "the last\n\n\n" {
			t.Errorf("it shows %q", got)
		}
	})
}

func TestNoFrameFollowsTheExit(t *testing.T) {
	t.Parallel()
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, out *screen.Output) {
		out.Flush(says("\x1b[31mboard"), screen.Key)
		synctest.Wait()
		out.Flush(says("late"), screen.Data)
		leave(out)
		out.Flush(says("later"), screen.Key)
		time.Sleep(time.Second)
		synctest.Wait()
		if f.screen.Alternate() || !f.screen.Mode(7) || !f.screen.Mode(25) || f.screen.Mode(2004) {
			t.Errorf("modes left behind: %v", f.screen.Modes())
		}
		all := f.written()
		if last := all[len(all)-1]; last != "\x1b[?25h" {
			t.Errorf("%q follows the exit", last)
		}
		if slices.ContainsFunc(f.written(), func(s string) bool { return strings.Contains(s, "late") }) {
			t.Errorf("a frame was painted while leaving: %q", f.written())
		}
		_, _ = f.screen.Write([]byte("x"))
		if c := f.screen.Cell(0, 0); c != (vt.Cell{Text: "x"}) {
			t.Errorf("the pen is left behind: %+v", c)
		}
	})
}

func TestResumePaintsEverythingAnew(t *testing.T) {
	t.Parallel()
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, out *screen.Output) {
		g := says("\x1b[44mboard\x1b[m\n日本語")
		g.Region().ShowCursor(3, 1)
		out.Flush(g, screen.Key)
		synctest.Wait()
		leave(out)
		if _, err := out.Write([]byte("an editor")); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(f.screen.String(), "an editor") {
			t.Error("what another command writes does not pass")
		}
		enter(out)
		synctest.Wait()
		if diff := differs(f.screen, g); diff != "" {
			t.Error(diff)
		}
		if _, err := out.Write([]byte("frame of the renderer")); err != nil || strings.Contains(f.screen.String(), "renderer") {
			t.Error("the renderer's frame passed")
		}
		_, _ = out.WriteString("\x1b[2J")
		_, _ = out.WriteString("\x1b[H")
		synctest.Wait()
		if diff := differs(f.screen, g); diff != "" {
			t.Errorf("after a clear: %s", diff)
		}
	})
}

func TestATitleDoesNotMoveTheFrame(t *testing.T) {
	t.Parallel()
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, out *screen.Output) {
		for _, s := range []string{"one", "two\n\x1b[1mthree", "four"} {
			out.Flush(says(s), screen.Key)
			synctest.Wait()
			_, _ = out.WriteString("\x1b]2;" + s[:3] + "\a\x1b[5;5H")
			if diff := differs(f.screen, says(s)); !strings.HasPrefix(diff, "cursor") && diff != "" {
				t.Error(diff)
			}
		}
		if f.screen.Title() != "fou" {
			t.Errorf("title %q", f.screen.Title())
		}
	})
}

func TestAFailedWriteIsMadeGood(t *testing.T) {
	t.Parallel()
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, out *screen.Output) {
		out.Flush(says("one"), screen.Key)
		synctest.Wait()
		gone := errors.New("gone")
		f.err = gone
		out.Flush(says("two"), screen.Key)
		synctest.Wait()
		if !errors.Is(out.Err(), gone) {
			t.Errorf("Err is %v", out.Err())
		}
		f.err = nil
		out.Flush(says("two"), screen.Key)
		synctest.Wait()
		if diff := differs(f.screen, says("two")); diff != "" || out.Err() != nil {
			t.Error(diff, out.Err())
		}
	})
}

func TestCloseGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, out *screen.Output) {
		out.Flush(says("board"), screen.Key)
		synctest.Wait()
		for range 2 {
			if err := out.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.screen.Modes(); !slices.Equal(got, []int{7, 25}) || f.screen.Alternate() {
			t.Errorf("modes left behind: %v", got)
		}
		n := len(f.written())
		out.Flush(says("more"), screen.Key)
		synctest.Wait()
		if len(f.written()) != n {
			t.Errorf("it wrote %q", f.written()[n:])
		}
	})
}

func TestBigFramesAreSynchronizedWhereThatIsKnown(t *testing.T) {
	t.Parallel()
	big := screen.NewGrid(20, 3)
	for x := range 20 {
		for y := range 3 {
			big.Region().Set(x, y, screen.Style{FG: screen.RGB(uint8(x), uint8(y), 0)}, 'x')
		}
	}
	for _, on := range []bool{true, false} {
		f := newFakeTerminal()
		inBubble(t, f, screen.OutputOptions{Synchronized: on}, func(t *testing.T, out *screen.Output) {
			out.Flush(big, screen.Key)
			synctest.Wait()
			small := says("small")
			out.Flush(small, screen.Key)
			synctest.Wait()
			if got := strings.HasPrefix(f.written()[0], "\x1b[?2026h") && strings.HasSuffix(f.written()[0], "\x1b[?2026l"); got != on {
				t.Errorf("a big frame is synchronized: %v, want %v", got, on)
			}
			if strings.Contains(f.written()[1], "2026") || f.screen.Mode(2026) {
				t.Error("a small frame is synchronized")
			}
			if diff := differs(f.screen, small); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkFlush(b *testing.B) {
	eachSize(b, func(b *testing.B, w, h int) {
		f := &discard{}
		out := screen.NewOutput(f, screen.OutputOptions{Now: func() time.Time { return time.Time{} }})
		defer func() { _ = out.Close() }()
		enter(out)
		g := screen.NewGrid(w, h)
		for i := 0; b.Loop(); i++ {
			g.Region().Set(3, 3, screen.Style{}, rune('a'+i%26))
			out.Flush(g, screen.Key)
		}
	})
}

// discard is a terminal that shows nothing.
type discard struct{ fakeTerminal }

func (*discard) Write(p []byte) (int, error) { return len(p), nil }

// TestAResizedTerminalIsPaintedAnew makes the terminal small and as big as before: what it cut off is
// gone, and the frame is as the last one was.
func TestAResizedTerminalIsPaintedAnew(t *testing.T) {
	t.Parallel()
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, o *screen.Output) {
		o.Flush(says("one\ntwo\nthree"), screen.Key)
		synctest.Wait()
		f.forget()
		o.Flush(says("one\ntwo\nthree"), screen.Key)
		synctest.Wait()
		if got := f.written(); len(got) != 0 {
			t.Fatalf("an equal frame is written: %q", got)
		}
		o.Flush(says("one\ntwo\nthree"), screen.Resized)
		synctest.Wait()
		got := strings.Join(f.written(), "")
		for _, want := range []string{"\x1b[2J", "one", "two", "three"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q lacks %q", got, want)
			}
		}
	})
}

// TestTheTitleGoesBackWithTheScreen leaves the screen while the window has our title: the one before comes
// back, once, and nothing sets it after that.
func TestTheTitleGoesBackWithTheScreen(t *testing.T) {
	t.Parallel()
	const (
		set = "\x1b[22;2t\x1b]2;● P1\x1b\\"
		pop = "\x1b[23;2t"
	)
	for name, end := range map[string]func(*screen.Output){
		"left":   leave,
		"closed": func(o *screen.Output) { _ = o.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeTerminal()
			inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, o *screen.Output) {
				_, _ = o.WriteString(set)
				end(o)
				_ = o.Close()
				got := strings.Join(f.written(), "")
				if strings.Count(got, pop) != 1 || strings.Index(got, pop) > strings.Index(got, "\x1b[?1049l") {
					t.Errorf("writes %q", got)
				}
				f.forget()
				if n, err := o.WriteString(set + "\a"); n != len(set)+1 || err != nil {
					t.Errorf("writing after that: %d, %v", n, err)
				}
				if got := strings.Join(f.written(), ""); got != "" {
					t.Errorf("after that it writes %q", got)
				}
			})
		})
	}
	f := newFakeTerminal()
	inBubble(t, f, screen.OutputOptions{}, func(t *testing.T, o *screen.Output) {
		_, _ = o.WriteString(set)
		_, _ = o.WriteString("\x1b]2;\x1b\\" + pop)
		f.forget()
		leave(o)
		if got := strings.Join(f.written(), ""); strings.Contains(got, pop) {
			t.Errorf("a title that went back already goes back again: %q", got)
		}
	})
}
