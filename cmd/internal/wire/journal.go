package wire

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"example.com/signalbox/config"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/state"
)

// JournalOf is the journal in the state directory of cfg, to read; nil is the default one's. It makes nothing.
func JournalOf(cfg *config.Config) (*journal.Journal, error) {
	dir := ""
	if cfg != nil {
		dir = cfg.StateDir
	}
	if dir == "" {
		var err error
		if dir, err = state.DefaultPath(); err != nil {
			return nil, err
		}
	}
	return journal.New(dir, nil), nil
}

// JournalToWrite is JournalOf, with the directory made where it is missing. Its error says that nothing can be
// written.
func JournalToWrite(cfg *config.Config, log *slog.Logger) (*journal.Journal, error) {
	j, err := JournalOf(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := state.Open(filepath.Dir(j.Path()), log); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	return j, nil
}
