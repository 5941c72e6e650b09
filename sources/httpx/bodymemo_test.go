package httpx

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
)

// answers is a provider that answers bodies in turn; decoded counts the decodings.
type answers struct {
	body    string
	err     error
	decoded int
}

func (a *answers) read(context.Context) ([]byte, error) { return []byte(a.body), a.err }

func (a *answers) decode(b []byte) (int, error) {
	a.decoded++
	return strconv.Atoi(string(b))
}

func TestSameDecodesEachAnswerOnce(t *testing.T) {
	t.Parallel()
	var a answers
	s := NewSame[int](10)
	for i, c := range []struct {
		body    string
		want    int
		changed bool
	}{{"1", 1, true}, {"1", 1, false}, {"2", 2, true}, {"2", 2, false}, {"1", 1, true}, {"01", 1, true}} {
		a.body = c.body
		v, changed, err := s.Fetch(t.Context(), "k", a.read, a.decode)
		if v != c.want || changed != c.changed || err != nil {
			t.Errorf("read %d: %d, changed %v, %v", i, v, changed, err)
		}
	}
	if a.decoded != 4 {
		t.Errorf("decoded %d times, want 4", a.decoded)
	}
	s.Drop("k")
	if _, changed, _ := s.Fetch(t.Context(), "k", a.read, a.decode); !changed {
		t.Error("what was dropped is still remembered")
	}
}

func TestSameKeepsWhatItKnowsWhenAReadFails(t *testing.T) {
	t.Parallel()
	a := answers{body: "1"}
	s := NewSame[int](10)
	fetch := func() (int, bool, error) { return s.Fetch(t.Context(), "k", a.read, a.decode) }
	if _, _, err := fetch(); err != nil {
		t.Fatal(err)
	}
	a.err = errors.New("boom")
	if _, changed, err := fetch(); changed || !errors.Is(err, a.err) {
		t.Error(changed, err)
	}
	a.err, a.body = nil, "no number"
	for range 2 { // a body that makes no sense is an error each time
		if _, changed, err := fetch(); changed || err == nil {
			t.Error(changed, err)
		}
	}
	a.body = "1"
	if v, changed, err := fetch(); v != 1 || changed || err != nil {
		t.Error(v, changed, err)
	}
}

func TestSameTellsItsTrace(t *testing.T) {
	t.Parallel()
	var a answers
	s := NewSame[int](10)
	sum := func(bodies ...string) uint64 {
		var trace Trace
		for i, body := range bodies {
			a.body = body
			if _, _, err := s.Fetch(WithTrace(t.Context(), &trace), fmt.Sprint(i), a.read, a.decode); err != nil {
				t.Fatal(err)
			}
		}
		return trace.Sum()
	}
	first := sum("1", "2")
	if again := sum("1", "2"); again != first {
		t.Error("the same answers make another sum")
	}
	if other := sum("1", "3"); other == first {
		t.Error("another answer makes the same sum")
	}
	if fewer := sum("1"); fewer == first {
		t.Error("fewer answers make the same sum")
	}
}

func TestSameForgetsTheOldest(t *testing.T) {
	t.Parallel()
	a := answers{body: "1"}
	s := NewSame[int](2)
	for _, key := range []string{"a", "b", "a", "c"} {
		_, _, _ = s.Fetch(t.Context(), key, a.read, a.decode)
	}
	if s.Len() != 2 {
		t.Errorf("%d answers are remembered", s.Len())
	}
	if _, changed, _ := s.Fetch(t.Context(), "a", a.read, a.decode); changed {
		t.Error("what was used last is forgotten")
	}
	if _, changed, _ := s.Fetch(t.Context(), "b", a.read, a.decode); !changed {
		t.Error("what was used least recently is remembered")
	}
}

func TestSameForSeveralGoroutines(t *testing.T) {
	t.Parallel()
	s := NewSame[int](4)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				want := (i + n) % 3
				v, _, err := s.Fetch(t.Context(), "k", func(context.Context) ([]byte, error) { return []byte(strconv.Itoa(want)), nil },
					func(b []byte) (int, error) { return strconv.Atoi(string(b)) })
				if v != want || err != nil {
					t.Errorf("%d, %v: want %d", v, err, want)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkSame(b *testing.B) {
	body := make([]byte, 1<<20)
	s := NewSame[int](1)
	for b.Loop() {
		_, _, _ = s.Fetch(b.Context(), "k", func(context.Context) ([]byte, error) { return body, nil }, func([]byte) (int, error) { return 1, nil })
	}
}
