package watchdog

import "golang.org/x/sys/unix"

// dropOutput forgets what was written to a terminal and not taken yet, and wakes who waits for room, which
// dropping alone does not.
func dropOutput(fd int) {
	const (
		off = 0 // TCOOFF and TCOON of asm-generic/termbits.h
		on  = 1
	)
	_ = unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH)
	_ = unix.IoctlSetInt(fd, unix.TCXONC, off)
	_ = unix.IoctlSetInt(fd, unix.TCXONC, on)
}
