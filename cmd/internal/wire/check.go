package wire

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
	"example.com/signalbox/sources/place"
	"example.com/signalbox/ui/theme"
)

// Check asks every source what could keep it from working, one after the other in the order of the
// config, and yields its name and what it found: of the source itself, then of each configured repository and
// incident service. It may spend what is kept from polling: a person waits for it.
func (b *Board) Check(ctx context.Context) iter.Seq2[string, []sources.Finding] {
	ctx = httpx.Urgent(ctx)
	return func(yield func(string, []sources.Finding) bool) {
		b.mu.Lock()
		cfg, open := b.config, b.open
		b.mu.Unlock()
		for _, o := range open {
			found := []sources.Finding{{Level: sources.LevelOK, What: clean.Linef("a source of type %s has nothing to check", o.entry.Type)}}
			if o.set.Checker != nil {
				found = o.set.Checker.Check(ctx)
			}
			if scopes := scopesOf(cfg, o.entry.Name); o.set.ScopeChecker != nil && len(scopes) > 0 && !OutOfReach(found) {
				found = append(found, o.set.ScopeChecker.CheckScopes(ctx, scopes)...)
			}
			if !yield(o.entry.Name, found) {
				return
			}
		}
	}
}

// OutOfReach reports that a check got no further than to what keeps the source from answering anything, but for
// its clock: whatever else is asked would say the same once more, each in its own words.
func OutOfReach(found []sources.Finding) bool {
	fails := false
	for _, f := range found {
		switch f.Level {
		case sources.LevelFail:
			fails = true
		case sources.LevelOK:
			if f.What.String() != "clock" {
				return false
			}
		case sources.LevelWarn:
		}
	}
	return fails
}

// scopesOf is what the config names of a source: repositories, and what services are called where they page.
func scopesOf(cfg *config.Config, source string) []string {
	out := repositories(cfg, source)
	for i := range cfg.Services {
		for _, o := range cfg.Services[i].Incidents {
			if o.Source == source && !slices.Contains(out, o.ID) {
				out = append(out, o.ID)
			}
		}
	}
	return out
}

// CheckState tells whether something can be kept for the next start, and the budget shared.
func (b *Board) CheckState() []sources.Finding {
	if b.o.Private {
		return []sources.Finding{{Level: sources.LevelOK, What: clean.Const("a demo keeps nothing")}}
	}
	if b.dir == nil {
		f := sources.Finding{
			Level: sources.LevelFail, What: clean.Const("there is no state directory, so that nothing but the answer to a page is sent"),
			Detail: clean.Line(b.noDir.Error()), Fix: clean.Const("set state_dir: in the config to a directory of your own"),
		}
		if b.forbids() != "" {
			f.Level, f.What = sources.LevelWarn, clean.Const("there is no state directory, so that nothing is kept for the next start")
		}
		return []sources.Finding{f}
	}
	out := []sources.Finding{{Level: sources.LevelOK, What: clean.Line(b.dir.Path())}}
	if err := b.levers.book.Ready(context.Background()); err != nil {
		out = append(out, sources.Finding{
			Level: sources.LevelFail, What: clean.Const("the journal cannot be written, so that nothing but the answer to a page is sent"),
			Detail: clean.Line(err.Error()), Fix: clean.Const("make room, or set state_dir: in the config to a directory of your own"),
		})
	}
	return append(out, b.checkShared()...)
}

// unshared is what follows where the shared directory cannot be used.
const unshared = "other people are not kept off what you act on, and nobody can agree to a plan"

// sharedTrouble is why what several users share cannot be used; nil where it can, or none is configured.
func (b *Board) sharedTrouble() *place.Error {
	dir := b.sharedDir()
	if dir == "" {
		return nil
	}
	bad, _ := errors.AsType[*place.Error](place.Check(dir))
	return bad
}

// checkShared tells whether what several users share can be used.
func (b *Board) checkShared() []sources.Finding {
	if b.sharedDir() == "" {
		return nil
	}
	if bad := b.sharedTrouble(); bad != nil {
		return []sources.Finding{{
			Level: sources.LevelFail, What: clean.Linef("the shared directory %s %s", bad.Dir, bad.Msg), Detail: clean.Const(unshared), Fix: clean.Line(bad.Fix),
		}}
	}
	return []sources.Finding{{Level: sources.LevelOK, What: clean.Linef("shared: %s", b.sharedDir())}}
}

// sayUnshared says at the board's start that what several users share cannot be used.
func (b *Board) sayUnshared(context.Context) {
	if text := b.Unshared(); !text.IsZero() {
		b.tell(theme.Warn, text)
	}
}

// Unshared says what it means that what several users share cannot be used, and why it cannot; zero where it can, or
// none is configured.
func (b *Board) Unshared() clean.Text {
	if bad := b.sharedTrouble(); bad != nil {
		return clean.Linef("%s: %v", unshared, bad)
	}
	return clean.Text{}
}

// Proposal is a service that a source knows of, and the source's name.
type Proposal struct {
	sources.Proposal
	Source string
	Hosts  bool // the source reads repositories: Repo is one of its own, not what it was told of
}

// Discover asks every source that can for the services that it knows of. mute says which did not answer.
func (b *Board) Discover(ctx context.Context) (out []Proposal, mute []error) {
	for _, o := range b.open {
		if o.set.Discoverer == nil {
			continue
		}
		found, err := o.set.Discoverer.Discover(ctx)
		if err != nil {
			mute = append(mute, fmt.Errorf("ask the source %s for services: %w", o.entry.Name, err))
			continue
		}
		for _, p := range found {
			out = append(out, Proposal{p, o.entry.Name, o.set.Runs != nil})
		}
	}
	return out, mute
}
