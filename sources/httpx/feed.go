package httpx

import (
	"context"
	"fmt"
	"sync"

	"example.com/signalbox/sources"
)

// Feeds remembers what each list of a source was last made of. It is safe for several goroutines; the
// zero Feeds works.
type Feeds struct {
	mu   sync.Mutex
	last map[string]uint64
}

// Deliver runs one list under a Trace, and answers sources.ErrNotModified when it was made of the same
// answers, for the same query, with the same notices, as the one that was delivered last to this feed. A
// list that failed was not delivered; its error is an *sources.Error of the operation "list " + feed.
func Deliver[T any](ctx context.Context, f *Feeds, feed string, q sources.Query, read func(context.Context) (sources.Batch[T], error)) (sources.Batch[T], error) {
	trace := &Trace{}
	trace.Note(fmt.Sprintf("%+v %s %d %s %s %t", q.Services, q.Identity, q.Limit, q.Window, q.Step, q.Followed))
	b, err := read(WithTrace(ctx, trace))
	key := feed + " " + q.Scope
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		delete(f.last, key)
		return sources.Batch[T]{}, Explain("list "+feed, q.Scope, err)
	}
	for _, n := range b.Notices {
		trace.Note(n.Scope + " " + n.Text.String() + " " + n.Fix.String())
	}
	sum := trace.Sum()
	if was, known := f.last[key]; known && was == sum {
		return sources.Batch[T]{}, sources.ErrNotModified
	}
	if f.last == nil {
		f.last = map[string]uint64{}
	}
	f.last[key] = sum
	return b, nil
}
