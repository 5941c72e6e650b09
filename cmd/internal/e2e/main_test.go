package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the built program, for all tests of this package.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "signalbox-e2e-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "signalbox")
	build := exec.Command("go", "build", "-o", binary, "example.com/signalbox/cmd/signalbox")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build signalbox:", err)
		return 1
	}
	return m.Run()
}

// environ is what the program sees of its surroundings: nothing of the machine that the tests run on but
// what is given here. home is a directory of the test's own.
func environ(home string, more ...string) []string {
	env := []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(),
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "XDG_STATE_HOME=" + filepath.Join(home, "state"),
		// A terminal that takes synchronized output: a test that looks meanwhile sees whole frames.
		"TERM=xterm-kitty", "LANG=C.UTF-8", "TZ=UTC",
		// The state of the tests' own coverage and of proxies is nobody's business.
		"NO_PROXY=127.0.0.1,localhost",
	}
	return append(env, more...)
}
