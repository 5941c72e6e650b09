package httpx

import (
	"context"
	"hash/maphash"
	"strconv"
)

// Same remembers what reads were last answered by providers that know no conditional requests: an answer
// of the same bytes is not decoded again and counts as unchanged. It is safe for several goroutines.
// Values are shared: nobody may change one.
//
// A list that was Same throughout, as a Trace tells, is sources.ErrNotModified to its caller. A provider
// that puts the time of the answer into its body never is.
type Same[T any] struct{ memo *Memo[T] }

// NewSame makes a Same of at most size answers; the least recently used go first.
func NewSame[T any](size int) *Same[T] { return &Same[T]{memo: NewMemo[T](size)} }

// Fetch runs read, which brings one whole body, and decode unless key was last answered with the same
// bytes: then it returns what decode made of those, with changed false. What fails in either is not
// remembered, and what was remembered stays. A Trace in ctx is told of the version that was returned.
// The key follows the rules of Memo.
func (s *Same[T]) Fetch(ctx context.Context, key string, read func(context.Context) ([]byte, error), decode func([]byte) (T, error)) (v T, changed bool, err error) {
	body, err := read(ctx)
	if err != nil {
		return v, false, err
	}
	sum := fingerprint(body)
	if old, known := s.memo.get(key); known && old.etag == sum {
		traceOf(ctx).add(key, old.version)
		return old.value, false, nil
	}
	v, err = decode(body)
	if err != nil {
		return v, false, err
	}
	e := s.memo.put(entry[T]{key: key, etag: sum, value: v})
	traceOf(ctx).add(key, e.version)
	return v, true, nil
}

// Drop forgets key.
func (s *Same[T]) Drop(key string) { s.memo.Drop(key) }

// Len is how many answers are remembered.
func (s *Same[T]) Len() int { return s.memo.Len() }

// fingerprint tells bodies apart within this process: nothing outside can aim at its seed.
func fingerprint(body []byte) string {
	return strconv.Itoa(len(body)) + "/" + strconv.FormatUint(maphash.Bytes(seed, body), 36)
}
