// Package watchdog ends the process where it was told to go and does not. A terminal that takes nothing any
// more (a stalled connection, a stopped multiplexer) holds whoever writes to it for good, also the writer that
// would give it back.
package watchdog

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// Patience is how long the process may take to end by itself. Nothing that it does on its way out waits for a
// network.
const Patience = 3 * time.Second

// What gives a terminal back without knowing what it was left in: a sequence that was cut off is cancelled,
// then come the pen, wrapping, the modes of input, the ordinary screen and the cursor.
const parting = "\x18\x1b[m\x1b[?7h\x1b[?2026l\x1b[?2004l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?1049l\x1b[?25h"

// Start watches for the signals that tell a process to go. From the first one on it has Patience, with the
// second none. Then the terminal gets back the settings that it has now, and as much of the rest as it takes
// without waiting, and end is called with exit code 1. stop ends the watch; once that has begun, it waits for
// it, so that the process's own farewell is not the one that is lost.
func Start(in, out *os.File, end func(code int)) (stop func()) {
	return watch(in, out, end, Patience)
}

func watch(in, out *os.File, end func(code int), patience time.Duration) (stop func()) {
	signals := make(chan os.Signal, 2)
	done, ended := make(chan struct{}), make(chan struct{})
	before, err := term.GetState(int(in.Fd()))
	if err != nil {
		before = nil // it is no terminal: there is nothing to give back
	}
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		defer close(ended)
		select {
		case <-signals:
		case <-done:
			return
		}
		late := time.NewTimer(patience)
		defer late.Stop()
		select {
		case <-signals:
		case <-late.C:
		case <-done:
			return
		}
		if before != nil {
			_ = term.Restore(int(in.Fd()), before)
			giveBack(int(out.Fd()))
		}
		end(1)
	}()
	return func() {
		signal.Stop(signals)
		close(done)
		<-ended
	}
}
