//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package watchdog

import "golang.org/x/sys/unix"

// dropOutput forgets what was written to a terminal and not taken yet.
func dropOutput(fd int) {
	const written = 2 // FWRITE of sys/fcntl.h
	_ = unix.IoctlSetPointerInt(fd, unix.TIOCFLUSH, written)
}
