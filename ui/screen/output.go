package screen

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"example.com/signalbox/sources/crash"
)

// Terminal is what Output writes to: an *os.File that is a terminal.
type Terminal interface {
	io.ReadWriteCloser
	Fd() uintptr
}

// Cause says why a frame is drawn.
type Cause uint8

// The causes. Frames that data causes are held back to ten a second; those that somebody at the keyboard
// causes never are.
const (
	Data Cause = iota
	Key
	// Resized says that the terminal had another size, if only for a moment: what it cut off meanwhile is
	// gone, so that all of the frame is written, also when it is as the last one was.
	Resized
)

// OutputOptions configure an Output.
type OutputOptions struct {
	// Now is the clock.
	Now func() time.Time
	// Interval is the least time between frames that data causes; 0 means a tenth of a second.
	Interval time.Duration
	// Synchronized lets big frames appear at once, on terminals that have mode 2026.
	Synchronized bool
	// EraseColor says that erasing paints the background colour, as xterm does and GNU screen does not.
	EraseColor bool
	// Crash is told of a panic of the goroutines that write. Nil: the process ends.
	Crash crash.Handler
}

// What Output adds around the alternate screen. Lines do not wrap there: the last cell can be written
// without scrolling, and a terminal that was just made smaller keeps its rows.
const (
	resetPen   = "\x1b[m"
	noWrap     = "\x1b[?7l"
	giveBack   = resetPen + "\x1b[?7h"
	pushTitle  = "\x1b[22;2t"
	popTitle   = "\x1b[23;2t"
	setTitle   = "\x1b]2;"
	oldTitle   = setTitle + "\x1b\\" + popTitle // empty first, for terminals that keep no stack
	leaveModes = "\x1b[?2004l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?1049l\x1b[?25h"
)

// syncWorth is the size of a frame from which on mode 2026 is worth its sixteen bytes.
const syncWorth = 400

// Output brings frames to a terminal, beside a Bubble Tea program that keeps the loop, the input and the
// terminal's modes: hand it to tea.WithOutput. It leans on how Bubble Tea v1.3.10's standard renderer
// writes (a test fails when that changes): its frames come by Write and are dropped; its mode changes
// come by WriteString and pass. The program runs in the alternate screen; its View is constant, and its
// frame rate (tea.WithFPS) 1.
//
// Frames are painted between the entering of the alternate screen and its leaving, never outside: both go
// through one lock. A goroutine writes them, so a slow terminal does not hold up the program's loop: of the
// frames that come while it writes only the last is painted.
//
// All methods may be called from any goroutine. A command that the program runs meanwhile (tea.Exec) should
// be given the terminal itself as its output; what it writes here passes.
type Output struct {
	term Terminal
	fd   uintptr // of term: Bubble Tea asks for it from a goroutine that it does not wait for
	opts OutputOptions

	mu     sync.Mutex // guards what follows; never held while writing
	next   Grid       // the last frame
	have   bool       // there was one
	dirty  bool       // next is not yet on its way to the terminal
	anew   bool       // next is to be written whole: the terminal may show anything
	last   time.Time  // when a frame was last written
	timer  *time.Timer
	waits  bool // timer runs
	closed bool
	err    error

	wake chan struct{}
	done chan struct{}

	tty    sync.Mutex // held while writing; taken before mu
	life   life
	titled bool // the window's own title waits on the terminal's stack
	w      writer
	work   Grid // the frame that is being written
}

// life is whose the terminal is.
type life uint8

const (
	before   life = iota // not taken yet
	painting             // ours
	leaving              // the renderer has stopped, the alternate screen is about to be left
	released             // somebody else's: a shell, another command
)

var (
	_ Terminal        = (*Output)(nil)
	_ io.StringWriter = (*Output)(nil)
)

// NewOutput makes an Output and starts its goroutine. Close ends that.
func NewOutput(t Terminal, o OutputOptions) *Output {
	if o.Interval == 0 {
		o.Interval = time.Second / 10
	}
	out := &Output{term: t, fd: t.Fd(), opts: o, wake: make(chan struct{}, 1), done: make(chan struct{})}
	out.w.bce = o.EraseColor
	out.w.forget()
	o.Crash.Go(out.loop)
	return out
}

// Flush paints frame, which the caller may change afterwards. It never blocks on the terminal, and does
// nothing when frame looks as the last one did.
func (o *Output) Flush(frame *Grid, cause Cause) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || cause != Resized && o.have && o.next.equal(frame) {
		return
	}
	o.next.copyFrom(frame)
	o.have, o.dirty = true, true
	o.anew = o.anew || cause == Resized
	if cause != Data {
		o.kick()
		return
	}
	wait := o.opts.Interval - o.opts.Now().Sub(o.last)
	switch {
	case wait <= 0 || wait > o.opts.Interval:
		o.kick()
	case !o.waits:
		o.waits = true
		o.after(wait)
	}
}

func (o *Output) after(d time.Duration) {
	if o.timer != nil {
		o.timer.Reset(d)
		return
	}
	o.timer = time.AfterFunc(d, func() { o.opts.Crash.Run(o.waited) })
}

func (o *Output) waited() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waits = false
	if o.dirty {
		o.kick()
	}
}

func (o *Output) kick() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *Output) loop() {
	for {
		select {
		case <-o.done:
			return
		case <-o.wake:
			o.paint()
		}
	}
}

// paint writes the last frame, if the terminal is ours.
func (o *Output) paint() {
	o.tty.Lock()
	defer o.tty.Unlock()
	if o.life != painting || !o.take() {
		return
	}
	b := o.w.frame(&o.work)
	if len(b) == 0 {
		return
	}
	if o.opts.Synchronized && len(b) >= syncWorth {
		b = o.w.synchronized()
	}
	_, err := o.term.Write(b)
	if err != nil {
		o.w.forget()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err, o.have = err, o.have && err == nil
	o.last = o.opts.Now()
}

// take fetches the frame that is to be written; ok is false when there is none.
func (o *Output) take() (ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dirty {
		return false
	}
	o.work.copyFrom(&o.next)
	o.dirty = false
	if o.anew {
		o.anew = false
		o.w.forget()
	}
	return true
}

// repaint has the last frame written again, to a terminal that shows something else. Callers hold tty.
func (o *Output) repaint() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dirty = o.have
	if o.dirty {
		o.kick()
	}
}

// Write drops what a renderer writes. While another command has the terminal, it passes.
func (o *Output) Write(p []byte) (int, error) {
	o.tty.Lock()
	defer o.tty.Unlock()
	if o.life != released {
		return len(p), nil
	}
	n, err := o.term.Write(p)
	if err != nil {
		return n, fmt.Errorf("write to the terminal: %w", err)
	}
	return n, nil
}

// WriteString passes control sequences on, between frames, and follows what they do: frames begin after
// the alternate screen was entered and end before it is left.
func (o *Output) WriteString(s string) (int, error) {
	o.tty.Lock()
	defer o.tty.Unlock()
	var pre, post string
	switch {
	case o.life == released && strings.Contains(s, setTitle):
		return len(s), nil
	case strings.Contains(s, pushTitle):
		o.titled = true
	case strings.Contains(s, popTitle):
		o.titled = false
	case strings.Contains(s, "\x1b[?1049l"):
		pre, o.life = o.back(), released
	case strings.Contains(s, "\x1b[?1049h"):
		post, o.life = noWrap, painting
		o.w.forget()
		defer o.repaint()
	case strings.Contains(s, "\x1b[2J") && o.life == painting:
		pre = resetPen
		o.w.cleared()
		defer o.repaint()
	case strings.Contains(s, "\x1b[2K") && o.life == painting:
		o.life = leaving // the renderer says farewell with this: it has stopped
	case strings.Contains(s, "\x1b[?25h"):
		o.w.t.cursorOn = true
		defer o.repaint()
	case strings.Contains(s, "\x1b[?25l"):
		o.w.t.cursorOn = false
		defer o.repaint()
	}
	o.w.lost()
	if _, err := io.WriteString(o.term, pre+s+post); err != nil {
		return 0, fmt.Errorf("write to the terminal: %w", err)
	}
	return len(s), nil
}

// back gives the terminal back as it was, but for what the renderer does itself.
func (o *Output) back() string {
	if !o.titled {
		return giveBack
	}
	o.titled = false
	return oldTitle + giveBack
}

// Read reads from the terminal.
func (o *Output) Read(p []byte) (int, error) {
	return o.term.Read(p) //nolint:wrapcheck // io.EOF has to stay itself
}

// Fd is the terminal's, so that Bubble Tea knows its size.
func (o *Output) Fd() uintptr { return o.fd }

// Err is what went wrong with the last frame; a later frame paints everything anew.
func (o *Output) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// Close ends the goroutine. Where the program did not get to it, it gives the terminal back: modes, cursor
// and the ordinary screen. It does not close the terminal. No frame follows.
func (o *Output) Close() error {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return nil
	}
	o.closed, o.dirty = true, false
	if o.timer != nil {
		o.timer.Stop()
	}
	o.mu.Unlock()
	close(o.done)

	o.tty.Lock()
	defer o.tty.Unlock()
	if o.life != painting && o.life != leaving {
		return nil
	}
	o.life = released
	if _, err := io.WriteString(o.term, o.back()+leaveModes); err != nil {
		return fmt.Errorf("give the terminal back: %w", err)
	}
	return nil
}
