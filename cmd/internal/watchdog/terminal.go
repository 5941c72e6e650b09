package watchdog

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

const (
	attempts = 12
	between  = 20 * time.Millisecond
	enough   = 2 // times that the parting was taken whole: behind the first a writer may have had a rest to say
)

// giveBack drops what the terminal has not taken and writes the parting sequence, all without waiting for the
// terminal: a connection that comes back to life finds its shell's screen. A writer that hangs meanwhile is
// released, and finds that there is no room.
func giveBack(fd int) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return
	}
	// The shell shares the open terminal, and expects it to block.
	defer func() { _ = unix.SetNonblock(fd, false) }()
	pause := time.NewTicker(between)
	defer pause.Stop()
	taken := 0
	for range attempts {
		n, err := unix.Write(fd, []byte(parting))
		switch {
		case n == len(parting):
			taken++
		case err == nil, errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			dropOutput(fd)
		default:
			return // there is no terminal any more
		}
		if taken == enough {
			return
		}
		<-pause.C
	}
}
