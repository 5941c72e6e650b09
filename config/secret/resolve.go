package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
)

const (
	maxSize    = 64 << 10         // of a secret, in bytes
	cmdTimeout = 60 * time.Second // long enough for a touch or a fingerprint
	cmdGrace   = 2 * time.Second  // for what a killed command leaves running
	keepError  = time.Minute
	maxDetail  = 160 // runes of a command's complaint that are shown
)

func (r Ref) readEnv() (Secret, error) {
	name := r.cell.target
	v, ok := os.LookupEnv(name)
	if !ok {
		return Secret{}, &Error{Ref: r, Msg: "is not set", Fix: "export " + name}
	}
	return r.accept(v, "export "+name+" with a value")
}

// accept checks and trims what was read.
func (r Ref) accept(v, fix string) (Secret, error) {
	v = strings.TrimRight(v, "\r\n")
	switch {
	case strings.TrimSpace(v) == "":
		return Secret{}, &Error{Ref: r, Msg: "is empty", Fix: fix}
	case strings.ContainsRune(v, 0):
		return Secret{}, &Error{Ref: r, Msg: "holds a NUL byte", Fix: "keep the secret as plain text"}
	}
	return New(v), nil
}

func (r Ref) readFile() (Secret, error) {
	path := r.cell.target
	if isHome(path) {
		home, err := os.UserHomeDir()
		if err != nil {
			return Secret{}, &Error{Ref: r, Msg: "the home directory is unknown", Fix: "write the whole path", Err: err}
		}
		path = filepath.Join(home, strings.TrimPrefix(path, "~"))
	}
	// Without O_NONBLOCK opening a named pipe would wait for its writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Secret{}, r.unreadable(path, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return Secret{}, r.unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return Secret{}, &Error{Ref: r, Msg: "is not a regular file", Fix: "name a file that holds the secret alone"}
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
		return Secret{}, &Error{
			Ref: r,
			Msg: fmt.Sprintf("others may use it (mode %#o), so it is not read", perm),
			Fix: "chmod 600 " + path,
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return Secret{}, r.unreadable(path, err)
	}
	if len(data) > maxSize {
		return Secret{}, &Error{Ref: r, Msg: "is larger than 64 KiB", Fix: "name a file that holds the secret alone"}
	}
	return r.accept(string(data), "write the secret into "+path)
}

func (r Ref) unreadable(path string, err error) error {
	e := &Error{Ref: r, Msg: "cannot be read", Fix: "check " + path, Err: err}
	switch {
	case errors.Is(err, os.ErrNotExist):
		e.Msg, e.Fix = "does not exist", "create "+path+" with mode 600"
	case errors.Is(err, os.ErrPermission):
		e.Msg, e.Fix = "you may not read it", "chown it to yourself, with mode 600"
	}
	return e
}

// once runs the command of r unless its outcome is known or it is running already.
func (r Ref) once(ctx context.Context) (Secret, error) {
	c := r.cell
	c.mu.Lock()
	if c.done && (c.err == nil || time.Now().Before(c.until)) {
		defer c.mu.Unlock()
		return c.value, c.err
	}
	if c.flight == nil {
		c.done, c.err = false, nil
		c.flight = make(chan struct{})
		// The run belongs to all who wait for it: one that gives up must not end it for the others.
		go r.fly(context.WithoutCancel(ctx), c.flight)
	}
	flight := c.flight
	c.mu.Unlock()

	select {
	case <-ctx.Done():
		return Secret{}, ctx.Err()
	case <-flight:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value, c.err
}

func (r Ref) fly(ctx context.Context, flight chan struct{}) {
	value, err := r.run(ctx)
	c := r.cell
	c.mu.Lock()
	defer c.mu.Unlock()
	c.value, c.err, c.done, c.flight = value, err, true, nil
	if err != nil {
		c.until = time.Now().Add(keepError)
	}
	close(flight)
}

func (r Ref) run(ctx context.Context) (Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cell.limit)
	defer cancel()
	argv := r.cell.argv
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the user's own command, from the user's own config
	out, complaint := &capped{max: maxSize, stop: true}, &capped{max: 4 << 10}
	cmd.Stdout, cmd.Stderr = out, complaint
	cmd.Env = withhold(os.Environ(), r.cell.scope)
	cmd.WaitDelay = cmdGrace
	isolate(cmd)
	err := cmd.Run()
	switch exit := (*exec.ExitError)(nil); {
	case out.over:
		return Secret{}, &Error{Ref: r, Msg: "printed more than 64 KiB", Fix: "use a command that prints the secret alone", Err: err}
	case ctx.Err() != nil:
		return Secret{}, &Error{
			Ref: r, Err: err,
			Msg: fmt.Sprintf("did not answer within %s", r.cell.limit),
			Fix: "run it by hand: it must print the secret without asking at the terminal",
		}
	case errors.As(err, &exit):
		return Secret{}, &Error{Ref: r, Err: err, Msg: exit.Error() + detail(complaint, out), Fix: "run it by hand to see why"}
	case err != nil:
		return Secret{}, &Error{Ref: r, Err: err, Msg: "could not be run", Fix: "check that " + argv[0] + " is installed and on PATH"}
	}
	return r.accept(out.String(), "use a command that prints the secret to its standard output")
}

// longWord is the length from which on a word of a command's complaint may be a secret rather than language.
const longWord = 16

// detail is the first line that a failed command wrote to its standard error, unless what it printed
// as the secret occurs in it, a word of it may be one, or it is a shell's trace of what it runs.
func detail(complaint, out *capped) string {
	line, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
	for word := range strings.FieldsSeq(out.String()) {
		if strings.Contains(line, word) {
			return ""
		}
	}
	inWord := func(c rune) bool {
		return unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("_-+=~", c)
	}
	for word := range strings.FieldsFuncSeq(line, func(c rune) bool { return !inWord(c) }) {
		if len(word) >= longWord {
			return ""
		}
	}
	if strings.HasPrefix(line, "+") {
		return ""
	}
	line = strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return -1
	}, line)
	if runes := []rune(line); len(runes) > maxDetail {
		line = string(runes[:maxDetail]) + "…"
	}
	if line = strings.TrimSpace(line); line == "" {
		return ""
	}
	return " (" + line + ")"
}

// withhold is environ without the variables that hold secrets of other sources.
func withhold(environ []string, scope *Scope) []string {
	if scope == nil {
		return environ
	}
	return slices.DeleteFunc(environ, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(scope.names, name)
	})
}

// capped keeps the first max bytes that are written to it, and refuses more if stop is set. It does not embed its buffer: io.Copy would
// find its ReadFrom and fill it without end.
type capped struct {
	buf  bytes.Buffer
	max  int
	stop bool
	over bool
}

var errFull = errors.New("too much output")

func (c *capped) String() string { return c.buf.String() }

func (c *capped) Write(p []byte) (int, error) {
	if room := c.max - c.buf.Len(); len(p) > room {
		c.over = true
		c.buf.Write(p[:room])
		if c.stop {
			return room, errFull
		}
		return len(p), nil
	}
	c.buf.Write(p)
	return len(p), nil
}
