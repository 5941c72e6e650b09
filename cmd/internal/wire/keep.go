package wire

import (
	"context"
	"strings"

	"example.com/signalbox/config"
	"example.com/signalbox/sources/state"
)

// restore begins to show what the last start of this board knew, marked as such, until the sources have
// answered. The first frame does not wait for it: a large snapshot takes longer to read than a person notices.
func (b *Board) restore() {
	b.restored = make(chan struct{})
	if b.dir == nil || b.o.Stateless {
		close(b.restored)
		return
	}
	b.guard().Go(func() {
		defer close(b.restored)
		b.first.wait(context.Background())
		feeds, _ := b.dir.LoadSnapshot(identity(b.o.Config), b.now())
		b.engine.Restore(feeds)
	})
}

// keep saves what is known for the next start, until ctx ends. What the last start knew is not given up before
// it was read.
func (b *Board) keep(ctx context.Context) {
	<-b.restored
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
