package component

import (
	"math/rand/v2"
	"testing"

	"example.com/signalbox/ui/keymap"
)

func rowsOf(keys []string, heights ...int) Rows[string] {
	r := Rows[string]{N: len(keys), Key: func(i int) string { return keys[i] }}
	if len(heights) > 0 {
		r.Height = func(i int) int { return heights[i%len(heights)] }
	}
	return r
}

func TestListKeepsItsRowByIdentity(t *testing.T) {
	t.Parallel()
	var l List[string]
	l.Resize(3, rowsOf(nil))
	l.Sync(rowsOf([]string{"a", "b", "c", "d", "e"}))
	l.Move(1, rowsOf([]string{"a", "b", "c", "d", "e"}))

	steps := []struct {
		name string
		keys []string
		key  string
		at   int
	}{
		{"re-sorted", []string{"e", "d", "c", "b", "a"}, "b", 3},
		{"new row above", []string{"n", "e", "d", "c", "b", "a"}, "b", 4},
		{"gone: its place is taken", []string{"n", "e", "d", "c", "a"}, "a", 4},
		{"gone at the end", []string{"n", "e"}, "e", 1},
		{"all gone", nil, "", 0},
		{"back: the first row", []string{"x", "e"}, "x", 0},
	}
	for _, s := range steps {
		l.Sync(rowsOf(s.keys))
		k, some := l.Key()
		at, _ := l.At()
		if k != s.key || at != s.at || some != (len(s.keys) > 0) {
			t.Errorf("%s: %q at %d (%v), want %q at %d", s.name, k, at, some, s.key, s.at)
		}
	}
}

func TestListAtItsTopShowsNewRows(t *testing.T) {
	t.Parallel()
	keys := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	var l List[string]
	l.Resize(3, rowsOf(keys))
	l.Sync(rowsOf(keys))
	l.Sync(rowsOf(append([]string{"new"}, keys...)))
	if k, _ := l.Key(); k != "a" || l.Top() != 0 {
		t.Errorf("on %q with top %d", k, l.Top())
	}
	l.Move(4, rowsOf(keys))
	top := l.Top()
	l.Sync(rowsOf(append([]string{"newer"}, keys...)))
	if l.Top() != top+1 {
		t.Errorf("the scrolled list moved from %d to %d", top, l.Top())
	}
}

func TestListMovements(t *testing.T) {
	t.Parallel()
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = string(rune('a' + i))
	}
	r := rowsOf(keys)
	tests := []struct {
		a     keymap.Action
		count int
		want  int
	}{
		{keymap.Down, 3, 3}, {keymap.Down, 0, 4}, {keymap.Up, 2, 2}, {keymap.Up, 99, 0}, {keymap.PageDown, 1, 9}, {keymap.PageDown, 2, 27},
		{keymap.HalfDown, 1, 31}, {keymap.HalfUp, 1, 27}, {keymap.PageUp, 1, 18}, {keymap.Bottom, 1, 99}, {keymap.Top, 1, 0},
	}
	var l List[string]
	l.Resize(10, r)
	l.Sync(r)
	for _, tt := range tests {
		if !l.Do(tt.a, tt.count, r) {
			t.Fatalf("%s is no movement", tt.a)
		}
		if at, _ := l.At(); at != tt.want {
			t.Errorf("%s ×%d: at %d, want %d", tt.a, tt.count, at, tt.want)
		}
	}
	if l.Do(keymap.Zoom, 1, r) {
		t.Error("zoom is no movement")
	}
}

func TestListClick(t *testing.T) {
	t.Parallel()
	r := rowsOf([]string{"a", "b", "c", "d"}, 2, 1)
	var l List[string]
	l.Resize(5, r)
	l.Sync(r)
	for y, want := range []string{"a", "a", "b", "c", "c"} {
		if !l.Click(y, r) {
			t.Fatalf("nothing at line %d", y)
		}
		if k, _ := l.Key(); k != want {
			t.Errorf("line %d is %q, want %q", y, k, want)
		}
	}
	if l.Click(5, r) || l.Click(-1, r) {
		t.Error("a click outside hit a row")
	}
}

// Whatever happens, the selected row is on the screen and nothing is out of range.
func TestListStaysInItsWindow(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var l List[string]
		for range 60 {
			keys := make([]string, rnd.IntN(30))
			for i := range keys {
				keys[i] = string(rune('a' + i))
			}
			rnd.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
			r := rowsOf(keys, 1, 2, 1, 3)
			l.Sync(r)
			l.Resize(rnd.IntN(12), r)
			moves := []keymap.Action{keymap.Up, keymap.Down, keymap.PageUp, keymap.PageDown, keymap.Top, keymap.Bottom}
			l.Do(moves[rnd.IntN(len(moves))], rnd.IntN(5), r)
			checkWindow(t, &l, r)
		}
	}
}

func checkWindow(t *testing.T, l *List[string], r Rows[string]) {
	t.Helper()
	at, some := l.At()
	if some != (r.N > 0) || at < 0 || (some && at >= r.N) || l.Top() < 0 || l.Top() > at {
		t.Fatalf("at %d of %d, top %d, some %v", at, r.N, l.Top(), some)
	}
	used := 0
	for i := l.Top(); some && i <= at; i++ {
		used += r.height(i)
	}
	if some && l.lines > 0 && used > max(l.lines, r.height(at)) {
		t.Fatalf("row %d ends at line %d of %d", at, used, l.lines)
	}
}

func TestListSelect(t *testing.T) {
	t.Parallel()
	r := rowsOf([]string{"a", "b", "c"})
	var l List[string]
	l.Sync(r)
	if !l.Select("c", r) || l.Select("z", r) {
		t.Error("Select found the wrong row")
	}
	if k, _ := l.Key(); k != "c" {
		t.Errorf("on %q", k)
	}
}
