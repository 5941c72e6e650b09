//go:build !unix

package secret

import "os/exec"

func isolate(*exec.Cmd) {}
