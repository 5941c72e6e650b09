package wire

import (
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
