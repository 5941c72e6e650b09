package wire

import (
	"context"
	"strings"

	"example.com/signalbox/config"
	"example.com/signalbox/sources/state"
	"example.com/signalbox/sources/store"
)

// restore shows what the last start of this board knew, marked as such, until the sources have answered.
func (b *Board) restore() {
	if b.dir == nil || b.o.Stateless {
		return
	}
	feeds, _ := b.dir.LoadSnapshot(identity(b.o.Config), b.now())
	changes := make([]store.Mutation, 0, len(feeds))
	for _, f := range feeds {
		changes = append(changes, store.Replace{Feed: f})
	}
	b.store.Apply(changes...)
}

// keep saves what is known for the next start, until ctx ends.
func (b *Board) keep(ctx context.Context) {
	if b.dir != nil && !b.o.Stateless {
		b.dir.KeepSnapshot(ctx, identity(b.o.Config), b.store, state.DefaultSaveEvery)
	}
}

// identity names a config and the accounts that it reads by: another board's snapshot is none of ours.
func identity(cfg *config.Config) string {
	var b strings.Builder
	if len(cfg.Files) > 0 {
		b.WriteString(cfg.Files[0])
	}
	for _, entry := range cfg.Sources {
		text, err := SourceText(entry)
		if err != nil {
			text = entry.Name + " " + entry.Type
		}
		b.WriteString("\n" + text)
	}
	for i := range cfg.Services {
		if cfg.Discovered {
			b.WriteString("\n" + cfg.Services[i].Repo.Source + ":" + cfg.Services[i].Repo.Scope)
		}
	}
	return b.String()
}
