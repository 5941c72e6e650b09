package wire

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"runtime"

	"example.com/signalbox/sources/crash"
)

// errNoBrowser tells the board to show and copy an address instead.
var errNoBrowser = errors.New("there is no browser on this machine")

// browser opens addresses where the user sits. Over SSH that is another machine.
type browser struct {
	goos   string
	lookup func(string) (string, bool)
	start  func(ctx context.Context, program string, args ...string) error
}

func newBrowser(lookup func(string) (string, bool), guard crash.Handler) *browser {
	return &browser{goos: runtime.GOOS, lookup: lookup, start: startDetached(guard)}
}

// open shows address in the user's browser.
func (b *browser) open(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("open %q: it is no web address", address)
	}
	program, err := b.program()
	if err != nil {
		return err
	}
	if err := b.start(ctx, program, u.String()); err != nil {
		return fmt.Errorf("open the browser with %s: %w", program, err)
	}
	return nil
}

func (b *browser) program() (string, error) {
	set := func(name string) bool {
		v, ok := b.lookup(name)
		return ok && v != ""
	}
	switch {
	case set("SSH_CONNECTION") || set("SSH_TTY"):
		return "", fmt.Errorf("%w: this is an SSH session", errNoBrowser)
	case b.goos == "darwin":
		return "open", nil
	case set("DISPLAY") || set("WAYLAND_DISPLAY"):
		return "xdg-open", nil
	default:
		return "", errNoBrowser
	}
}

// startDetached starts a program and does not wait for it: a browser lives longer than a key press. Its
// environment is the user's own; no secret of the config is ever put into it.
func startDetached(guard crash.Handler) func(context.Context, string, ...string) error {
	return func(ctx context.Context, program string, args ...string) error {
		path, err := exec.LookPath(program)
		if err != nil {
			return fmt.Errorf("%w: %s is not installed", errNoBrowser, program)
		}
		cmd := exec.CommandContext(context.WithoutCancel(ctx), path, args...) //nolint:gosec // the program is a constant and the argument a checked web address
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("start %s: %w", program, err)
		}
		guard.Go(func() { _ = cmd.Wait() }) // only reaps it
		return nil
	}
}
