package incidents

import (
	"os"
	"strings"
	"testing"

	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

// place is the pane's on the board.
const place = 0

// sizes are screens; below the least one of a board the pane is seen zoomed, without a frame.
func sizes() []uitest.Size {
	return []uitest.Size{{W: 200, H: 50}, {W: 160, H: 48}, {W: 120, H: 40}, {W: 80, H: 24}, {W: 60, H: 12}, {W: 40, H: 10}}
}

func drive(s uitest.Size, snap *store.Snapshot, edit ...func(*pane.Env)) *uitest.Driver {
	e := uitest.Env(snap)
	w, h, compact := s.Inside(place)
	if w == 0 {
		w, h, compact = s.W, s.H, true
	}
	e.Compact = compact
	for _, f := range edit {
		f(&e)
	}
	return uitest.Drive(New(), e, w, h)
}

func TestStory(t *testing.T) {
	t.Parallel()
	for _, s := range sizes() {
		for name, snap := range map[string]*store.Snapshot{"night": uitest.Night(), "hard": uitest.Hard(), "storm": uitest.Stormy(60)} {
			t.Run(name+"-"+s.String(), func(t *testing.T) {
				t.Parallel()
				d := drive(s, snap)
				golden.Check(t, name+"-"+s.String(), d.Framed(place+1), d.Env.Theme)
				d.Env = uitest.Plain(d.Env)
				golden.Check(t, name+"-plain-"+s.String(), d.Framed(place+1), d.Env.Theme)
			})
		}
	}
}

func TestStormOpens(t *testing.T) {
	t.Parallel()
	d := drive(uitest.Size{W: 120, H: 40}, uitest.Stormy(60))
	d.Press(keymap.OpenDetail)
	golden.Check(t, "storm-open", d.Framed(place+1), d.Env.Theme)
}

func TestUnfocused(t *testing.T) {
	t.Parallel()
	d := drive(uitest.Size{W: 160, H: 48}, uitest.Night(), func(e *pane.Env) { e.Focused = false })
	d.Press(keymap.Down)
	golden.Check(t, "second-selected", d.Framed(place+1), d.Env.Theme)
}

func TestStates(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.Sizes() {
		for _, state := range uitest.States() {
			name := strings.ReplaceAll(state.Name, " ", "-") + "-" + s.String()
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := drive(s, state.Snap)
				golden.Check(t, name, d.Framed(place+1), d.Env.Theme)
			})
		}
	}
}
