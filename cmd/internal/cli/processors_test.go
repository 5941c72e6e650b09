package cli

import (
	"reflect"
	"slices"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// A board that nobody touches makes do with one processor, and has all of them before the next key is handled.
func TestOneProcessorAtRest(t *testing.T) {
	t.Parallel()
	key, tick := tea.KeyMsg{Type: tea.KeyDown}, struct{}{}
	for _, c := range []struct {
		name  string
		all   int
		msgs  []tea.Msg // a second apart
		want  []int     // after each
		rests int
	}{
		{"nobody comes", 2, []tea.Msg{tick, tick, tick, tick}, []int{2, 2, 1, 1}, 1},
		{"somebody types", 2, []tea.Msg{tick, tick, key, tick, key, tick}, []int{2, 2, 2, 2, 2, 2}, 0},
		{"somebody comes back", 4, []tea.Msg{tick, tick, tick, key, tick, tick, tick}, []int{4, 4, 1, 4, 4, 4, 1}, 1},
		{"a mouse", 2, []tea.Msg{tick, tick, tick, tea.MouseMsg{}}, []int{2, 2, 1, 2}, 1},
		{"another size", 2, []tea.Msg{tick, tick, tick, tea.WindowSizeMsg{}}, []int{2, 2, 1, 2}, 1},
		{"there is one", 1, []tea.Msg{tick, tick, tick, key}, []int{1, 1, 1, 1}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now, have, sets := time.Unix(0, 0), c.all, 0
			p := newProcessors(func(n int) int {
				before := have
				if n > 0 {
					have = n
					sets++
				}
				return before
			}, func() time.Time { return now })
			var got []int
			rests := 0
			p.rest = func() { rests++ }
			for _, m := range c.msgs {
				now = now.Add(time.Second)
				if !reflect.DeepEqual(p.filter(nil, m), m) {
					t.Errorf("%T did not pass", m)
				}
				got = append(got, have)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("processors %v, want %v", got, c.want)
			}
			if c.all == 1 && sets > 0 {
				t.Errorf("set %d times, which stops the world for nothing", sets)
			}
			if want := c.rests; rests != want {
				t.Errorf("rested for the first time %d times, want %d", rests, want)
			}
			p.restore()
			if have != c.all {
				t.Errorf("%d processors in the end, want %d", have, c.all)
			}
		})
	}
}
