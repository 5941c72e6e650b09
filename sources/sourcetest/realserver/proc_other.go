//go:build !linux

package realserver

import "os/exec"

func endWithUs(*exec.Cmd) {}
