package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// versioned is a server of one document with an ETag.
type versioned struct {
	mu    sync.Mutex
	n     int
	etag  bool // whether a 304 carries its ETag
	whole int
}

func (v *versioned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	etag := fmt.Sprintf(`W/"%d"`, v.n)
	if r.Header.Get("If-None-Match") == etag {
		if v.etag {
			w.Header().Set("ETag", etag)
		}
		w.WriteHeader(http.StatusNotModified)
		return
	}
	v.whole++
	w.Header().Set("ETag", etag)
	_, _ = fmt.Fprint(w, v.n)
}

func TestMemo(t *testing.T) {
	t.Parallel()
	for _, etagged := range []bool{true, false} {
		v := &versioned{n: 1, etag: etagged}
		srv := serve(t, v.ServeHTTP)
		c, _ := client(t, srv)
		m := NewMemo[string](10)
		read := func() (string, bool) {
			got, changed, err := m.Fetch(t.Context(), "k", func(ctx context.Context) (string, error) { return fetch(t, c, ctx, srv.URL) })
			if err != nil {
				t.Fatal(err)
			}
			return got, changed
		}
		for i, want := range []struct {
			set     int
			changed bool
		}{{1, true}, {1, false}, {1, false}, {2, true}, {2, false}, {1, true}} {
			v.mu.Lock()
			v.n = want.set
			v.mu.Unlock()
			if got, changed := read(); got != fmt.Sprint(want.set) || changed != want.changed {
				t.Errorf("etag on 304 %v, read %d: %q changed %v", etagged, i, got, changed)
			}
		}
		if v.whole != 3 {
			t.Errorf("%d whole answers, want 3", v.whole)
		}
	}
}

func TestMemoKeepsWhatItKnowsWhenAReadFails(t *testing.T) {
	t.Parallel()
	m := NewMemo[int](10)
	boom := errors.New("boom")
	put := func(v int, err error) (int, bool, error) {
		return m.Fetch(t.Context(), "k", func(context.Context) (int, error) { return v, err })
	}
	if v, changed, err := put(1, nil); v != 1 || !changed || err != nil {
		t.Error(v, changed, err)
	}
	if _, changed, err := put(0, boom); changed || !errors.Is(err, boom) {
		t.Error(changed, err)
	}
	if v, err := m.Once(t.Context(), "k", func(context.Context) (int, error) { return 0, boom }); v != 1 || err != nil {
		t.Error(v, err)
	}
	m.Drop("k")
	if _, err := m.Once(t.Context(), "k", func(context.Context) (int, error) { return 0, boom }); !errors.Is(err, boom) || m.Len() != 0 {
		t.Error(err)
	}
}

func TestMemoIsBounded(t *testing.T) {
	t.Parallel()
	m := NewMemo[int](3)
	fill := func(k int) {
		if _, err := m.Once(t.Context(), fmt.Sprint(k), func(context.Context) (int, error) { return k, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for k := range 3 {
		fill(k)
	}
	fill(0) // used last
	fill(3)
	if m.Len() != 3 {
		t.Errorf("%d entries", m.Len())
	}
	if _, known := m.get("1"); known {
		t.Error("the one used longest ago was kept")
	}
	if _, known := m.get("0"); !known {
		t.Error("one that was used lately was dropped")
	}
}

func TestTraceTellsWhetherAnythingChanged(t *testing.T) {
	t.Parallel()
	m := NewMemo[int](10)
	sum := func(order []string, decode string) uint64 {
		trace := &Trace{}
		ctx := WithTrace(t.Context(), trace)
		for _, k := range order {
			if k == decode {
				m.Drop(k)
			}
			if _, err := m.Once(ctx, k, func(context.Context) (int, error) { return 1, nil }); err != nil {
				t.Fatal(err)
			}
		}
		return trace.Sum()
	}
	first := sum([]string{"a", "b"}, "")
	if sum([]string{"b", "a"}, "") != first {
		t.Error("the order of reads counts")
	}
	if sum([]string{"a", "b"}, "b") == first {
		t.Error("a new answer does not count")
	}
	if sum([]string{"a"}, "") == first || sum(nil, "") == sum([]string{"a"}, "") {
		t.Error("the number of reads does not count")
	}
	Note(t.Context(), "without a trace") // must not panic
}

func TestMemoForSeveralGoroutines(t *testing.T) {
	t.Parallel()
	v := &versioned{n: 1}
	srv := serve(t, v.ServeHTTP)
	c, _ := client(t, srv)
	m := NewMemo[string](4)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				got, _, err := m.Fetch(t.Context(), fmt.Sprint("k", i%6), func(ctx context.Context) (string, error) { return fetch(t, c, ctx, srv.URL) })
				if err != nil || got != "1" {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}
