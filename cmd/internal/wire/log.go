package wire

import (
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"os"
)

// OpenLog starts the log at path, for its owner alone, at the end of what is there. Without a path
// nothing is logged. r takes out what must not be in it. It also takes over the standard logger, which libraries print to: the terminal
// belongs to the board.
func OpenLog(path string, r *Redactor) (*slog.Logger, io.Closer, error) {
	if path == "" {
		stdlog.SetOutput(io.Discard)
		return slog.New(slog.DiscardHandler), io.NopCloser(nil), nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	log := slog.New(slog.NewTextHandler(r.Writer(f), &slog.HandlerOptions{Level: slog.LevelDebug}))
	stdlog.SetFlags(0)
	stdlog.SetOutput(slog.NewLogLogger(log.Handler(), slog.LevelInfo).Writer())
	return log, f, nil
}
