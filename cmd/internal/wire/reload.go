package wire

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.com/signalbox/config"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/theme"
)

// follow takes changes of the config's files until ctx ends.
func (b *Board) follow(ctx context.Context) {
	err := config.Watch(ctx, b.o.Config, LoadOptions(), func(c *config.Config, err error) {
		if err == nil {
			err = b.apply(c)
		}
		if err != nil {
			b.refuse(err)
		}
	})
	if err != nil {
		b.tell(theme.Warn, clean.Linef("the config is not watched, so changes of it need a restart: %v", err))
	}
}

// apply makes cfg the running config: what stays the same goes on undisturbed.
func (b *Board) apply(cfg *config.Config) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	changes := config.Diff(b.config, cfg)
	kept := slices.DeleteFunc(slices.Clone(b.open), func(o *openSource) bool {
		return slices.Contains(changes.Sources, o.entry.Name) || b.config.Me[o.entry.Type] != cfg.Me[o.entry.Type]
	})
	open, err := b.openAll(cfg, kept)
	if err != nil {
		return err
	}
	gone := fresh(b.open, open)
	b.config, b.open = cfg, open
	b.stand(cfg, open)
	b.refresh.Store(&cfg.Refresh)
	b.store.Apply(store.SetCatalog{Catalog: catalogOf(cfg, open)})
	idle := b.engine.Set(feedsOf(cfg, open, b.watched))
	b.guard().Go(func() {
		<-idle
		if err := closeAll(gone); err != nil {
			b.log.Warn("a source that the config does not name any more", "err", err)
		}
	})
	b.offer(cfg)
	if changes.None() {
		return nil
	}
	text := "config read again: " + strings.Join(changes.Keys, ", ")
	if len(changes.Restart) > 0 {
		text += fmt.Sprintf(" (%s needs a restart)", strings.Join(changes.Restart, ", "))
	}
	b.tell(theme.OK, clean.Line(text))
	return nil
}

// offer hands the newest config to whoever draws; an older one that was not taken is gone.
func (b *Board) offer(cfg *config.Config) {
	select {
	case <-b.settings:
	default:
	}
	b.settings <- cfg
}

// refuse says on the board why a changed config was not taken. The running one goes on.
func (b *Board) refuse(err error) {
	line, rest, _ := strings.Cut(err.Error(), "\n")
	if n := strings.Count(rest, "\n"); rest != "" {
		line = fmt.Sprintf("%s (and %d more)", line, n+1)
	}
	b.log.Warn("the changed config was not taken", "err", err)
	b.mu.Lock()
	defer b.mu.Unlock()
	catalog := catalogOf(b.config, b.open)
	catalog.ConfigError = clean.Line(line)
	b.store.Apply(store.SetCatalog{Catalog: catalog})
	b.tell(theme.Crit, clean.Line("the changed config was not taken: "+line))
}
