package httpx

import (
	"container/list"
	"context"
	"hash/maphash"
	"net/http"
	"sync"
)

// Memo remembers what conditional reads were last answered, at most so many of them; the least
// recently used go first. It is safe for several goroutines. Values are shared: nobody may change one.
//
// A key names everything that the answer depends on but the token: method, address, Accept, and the
// identity of the credential. A token that was renewed for the same identity makes the provider's ETag
// differ, costs one full answer, and keeps the key.
type Memo[T any] struct {
	mu      sync.Mutex
	max     int
	version uint64
	order   *list.List // front: used last
	items   map[string]*list.Element
}

type entry[T any] struct {
	key     string
	etag    string
	value   T
	version uint64
}

// NewMemo makes a Memo of at most size entries.
func NewMemo[T any](size int) *Memo[T] {
	return &Memo[T]{max: max(1, size), order: list.New(), items: make(map[string]*list.Element)}
}

// Fetch runs fn, which sends one GET with the given context through a Transport and decodes the reply.
// Where the answer for key is remembered, the request is made conditional: a reply "not modified" fails
// fn before it decodes, and Fetch returns what it remembered, with changed false. A Trace in ctx is
// told of the version that was returned.
func (m *Memo[T]) Fetch(ctx context.Context, key string, fn func(context.Context) (T, error)) (v T, changed bool, err error) {
	old, known := m.get(key)
	c := &cond{}
	if known {
		c.etag = old.etag
	}
	v, err = fn(context.WithValue(ctx, condKey{}, c))
	etag, unchanged := c.result()
	if unchanged && known {
		if etag != "" && etag != old.etag {
			m.put(entry[T]{key: key, etag: etag, value: old.value, version: old.version})
		}
		traceOf(ctx).add(key, old.version)
		return old.value, false, nil
	}
	if err != nil {
		return v, false, err
	}
	e := m.put(entry[T]{key: key, etag: etag, value: v})
	traceOf(ctx).add(key, e.version)
	return v, true, nil
}

// Once is Fetch for what never changes: an answer that is remembered is returned without a request.
func (m *Memo[T]) Once(ctx context.Context, key string, fn func(context.Context) (T, error)) (T, error) {
	if e, ok := m.get(key); ok {
		traceOf(ctx).add(key, e.version)
		return e.value, nil
	}
	v, err := fn(ctx)
	if err != nil {
		return v, err
	}
	traceOf(ctx).add(key, m.put(entry[T]{key: key, value: v}).version)
	return v, nil
}

// Drop forgets key.
func (m *Memo[T]) Drop(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if el, ok := m.items[key]; ok {
		m.order.Remove(el)
		delete(m.items, key)
	}
}

// Len is how many answers are remembered.
func (m *Memo[T]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.order.Len()
}

func (m *Memo[T]) get(key string) (entry[T], bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, ok := m.items[key]
	if !ok {
		return entry[T]{}, false
	}
	m.order.MoveToFront(el)
	return valueOf[T](el), true
}

// put remembers e, with a new version unless e has one.
func (m *Memo[T]) put(e entry[T]) entry[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.version == 0 {
		m.version++
		e.version = m.version
	}
	if el, ok := m.items[e.key]; ok {
		el.Value = e
		m.order.MoveToFront(el)
		return e
	}
	m.items[e.key] = m.order.PushFront(e)
	for m.order.Len() > m.max {
		last := m.order.Back()
		delete(m.items, valueOf[T](last).key)
		m.order.Remove(last)
	}
	return e
}

func valueOf[T any](el *list.Element) entry[T] {
	e, _ := el.Value.(entry[T])
	return e
}

// cond is what one conditional read tells its transport, and learns from it. The requests of one read
// follow each other (redirects), but a transport may answer on another goroutine.
type cond struct {
	etag string

	mu          sync.Mutex
	newETag     string
	notModified bool
}

type condKey struct{}

func condOf(ctx context.Context) *cond {
	c, _ := ctx.Value(condKey{}).(*cond)
	return c
}

func (c *cond) ask(req *http.Request) {
	if c != nil && c.etag != "" && req.Method == http.MethodGet {
		req.Header.Set("If-None-Match", c.etag)
	}
}

func (c *cond) answer(res *http.Response) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notModified = res.StatusCode == http.StatusNotModified
	c.newETag = ""
	if res.StatusCode == http.StatusOK || c.notModified {
		c.newETag = res.Header.Get("ETag")
	}
}

func (c *cond) result() (etag string, unchanged bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newETag, c.notModified
}

// Trace sums up which versions of which answers a whole list was made of, in any order. Two lists with
// equal sums were made of the same answers, also when several lists share a Memo. It is safe for
// several goroutines.
type Trace struct {
	mu  sync.Mutex
	sum uint64
	n   uint64
}

type traceKey struct{}

// WithTrace makes every Fetch below ctx report to t.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// Note adds anything else that the list depends on: a part that failed, a query.
func Note(ctx context.Context, what string) { traceOf(ctx).add(what, 0) }

// Note is Note for who holds the Trace.
func (t *Trace) Note(what string) { t.add(what, 0) }

// Sum is the fingerprint so far.
func (t *Trace) Sum() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sum*31 + t.n
}

func traceOf(ctx context.Context) *Trace {
	t, _ := ctx.Value(traceKey{}).(*Trace)
	return t
}

var seed = maphash.MakeSeed()

func (t *Trace) add(key string, version uint64) {
	if t == nil {
		return
	}
	h := maphash.Comparable(seed, traced{key, version})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum += h
	t.n++
}

type traced struct {
	key     string
	version uint64
}
