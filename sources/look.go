package sources

import (
	"context"
	"sync"
)

// OneLook makes what is read below its context one look: who asks the same again gets the same answer, and it
// costs one request. It is for what a single plan is made of. Who must see what has changed since takes another.
func OneLook(ctx context.Context) context.Context {
	return context.WithValue(ctx, lookKey{}, &look{asked: map[string]*question{}})
}

type lookKey struct{}

type look struct {
	mu    sync.Mutex
	asked map[string]*question
}

type question struct {
	mu     sync.Mutex // held while it is being answered
	answer any        // nil: none yet
}

// Looked is what read answers to the question named key: asked once in a look, and each time outside of one. An
// error is no answer.
func Looked[T any](ctx context.Context, key string, read func() (T, error)) (T, error) {
	l, ok := ctx.Value(lookKey{}).(*look)
	if !ok {
		return read()
	}
	l.mu.Lock()
	q := l.asked[key]
	if q == nil {
		q = &question{}
		l.asked[key] = q
	}
	l.mu.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	if known, ok := q.answer.(T); ok {
		return known, nil
	}
	v, err := read()
	if err == nil {
		q.answer = v
	}
	return v, err
}
