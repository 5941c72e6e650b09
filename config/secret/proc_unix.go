//go:build unix

package secret

import (
	"os/exec"
	"syscall"
)

// isolate puts the command into a process group of its own: it cannot read the board's terminal, and
// what it started ends with it.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
