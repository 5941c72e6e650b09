package wire

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"sync"
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/state"
)

// records is where actions are recorded and targets are locked.
func (b *Board) records() records {
	if b.o.Records == "" {
		return records{b.dir, b.noDir}
	}
	dir, err := state.Open(b.o.Records, b.log)
	return records{dir, err}
}

// records is a directory, or why there is none.
type records struct {
	dir *state.Dir
	err error
}

// book is the journal, and what is known of whether it can be written.
type book struct {
	journal *journal.Journal
	none    error // why there is no place for it
	log     *slog.Logger

	mu  sync.Mutex
	why clean.Text // it cannot be written
}

// nowhere is a path in which nothing can be.
const nowhere = os.DevNull + "/signalbox"

func newBook(r records, now func() time.Time, log *slog.Logger) *book {
	k := &book{log: log}
	if r.dir != nil {
		k.journal = journal.New(r.dir.Path(), now)
		return k
	}
	k.journal, k.none = journal.New(nowhere, now), fmt.Errorf("there is no state directory")
	if r.err != nil {
		k.none = fmt.Errorf("there is no state directory: %w", r.err)
	}
	k.why = clean.Line(k.none.Error())
	return k
}

// trouble is why the journal cannot be written, as far as it is known; zero: it can.
func (k *book) trouble() clean.Text {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.why
}

func (k *book) note(err error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		k.why = clean.Text{}
		return nil
	}
	if k.why.IsZero() {
		k.log.Warn("the journal cannot be written", "err", err)
	}
	k.why = clean.Line(err.Error())
	return err
}

// look finds out whether the journal can be written. It touches the disk.
func (k *book) look(ctx context.Context) {
	if err := k.Ready(ctx); err != nil && ctx.Err() != nil {
		k.log.Debug("nobody waited for the journal", "err", err)
	}
}

// Ready implements action.Book.
func (k *book) Ready(ctx context.Context) error {
	if k.none != nil {
		return k.none
	}
	err := k.journal.Ready(ctx)
	if ctx.Err() != nil {
		return err
	}
	return k.note(err)
}

// Append implements action.Book.
func (k *book) Append(ctx context.Context, r journal.Record) (journal.Record, error) {
	if k.none != nil {
		return journal.Record{}, k.none
	}
	r, err := k.journal.Append(ctx, r)
	return r, k.note(err)
}

// Open implements action.Book.
func (k *book) Open() ([][]journal.Record, error) {
	if k.none != nil {
		return nil, nil
	}
	return k.journal.Open()
}

// records are those of the journal, oldest first.
func (k *book) records() iter.Seq2[journal.Record, error] {
	if k.none != nil {
		return func(func(journal.Record, error) bool) {}
	}
	return k.journal.Records()
}
