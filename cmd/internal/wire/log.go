package wire

import (
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"os"
	"syscall"
)

// OpenLog starts the log at path, at the end of what is there. Without a path nothing is logged. What holds
// a log is a plain file of the user's own, which from then on nobody else may read; through a link to
// another file nothing is written. r takes out what must not be in it. It also takes over the standard
// logger, which libraries print to: the terminal belongs to the board.
func OpenLog(path string, r *Redactor) (*slog.Logger, io.Closer, error) {
	if path == "" {
		stdlog.SetOutput(io.Discard)
		return slog.New(slog.DiscardHandler), io.NopCloser(nil), nil
	}
	f, err := openPrivate(path)
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.NewTextHandler(r.Writer(f), &slog.HandlerOptions{Level: slog.LevelDebug}))
	stdlog.SetFlags(0)
	stdlog.SetOutput(slog.NewLogLogger(log.Handler(), slog.LevelInfo).Writer())
	return log, f, nil
}

// openPrivate opens a plain file of the user's own for appending, and makes one that is not there.
func openPrivate(path string) (_ *os.File, err error) {
	// Without O_NONBLOCK opening a named pipe would wait for its reader.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("open %s: it is a link to another file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the log: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open %s: it is no plain file", path)
	case !ok || int(owner.Uid) != os.Geteuid():
		return nil, fmt.Errorf("open %s: it is somebody else's file", path)
	case info.Mode().Perm()&0o077 == 0:
		return f, nil
	}
	if err := f.Chmod(0o600); err != nil {
		return nil, fmt.Errorf("keep the log from others: %w", err)
	}
	return f, nil
}
