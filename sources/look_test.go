package sources_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"example.com/signalbox/sources"
)

// One look asks a question once, another look asks it again, and a failed one is no answer.
func TestOneLook(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := 0
	ask := func(ctx context.Context, key string, err error) int {
		got, gotErr := sources.Looked(ctx, key, func() (int, error) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return asked, err
		})
		if !errors.Is(gotErr, err) {
			t.Errorf("%s: %v, want %v", key, gotErr, err)
		}
		return got
	}
	failed := errors.New("no answer")
	for i := 1; i <= 2; i++ {
		if got := ask(t.Context(), "a", nil); got != i {
			t.Errorf("outside of a look question %d has the answer %d", i, got)
		}
	}
	look := sources.OneLook(t.Context())
	ask(look, "a", failed)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := ask(look, "a", nil); got != 4 {
				t.Errorf("in one look the answer is %d", got)
			}
		})
	}
	all.Wait()
	if got := ask(look, "b", nil); got != 5 {
		t.Errorf("another question has the answer %d", got)
	}
	if got := ask(sources.OneLook(look), "a", nil); got != 6 {
		t.Errorf("in another look the answer is %d", got)
	}
}
