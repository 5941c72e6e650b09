package metrics

import (
	"os"
	"strings"
	"testing"

	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

// place is the pane's on the board.
const place = 1

// sizes are the screens that the charts have goldens for.
func sizes() []uitest.Size {
	return append(uitest.Sizes(), uitest.Size{W: 160, H: 48}, uitest.Size{W: 60, H: 12}, uitest.Size{W: 40, H: 10})
}

// drive starts the pane on a screen of size s. One too small for a board shows it alone.
func drive(e pane.Env, s uitest.Size) *uitest.Driver {
	w, h, compact := s.Inside(place)
	if w == 0 {
		w, h = s.W-2, s.H-2
	}
	e.Compact = compact
	return uitest.Drive(New(), e, w, h)
}

func TestStory(t *testing.T) {
	t.Parallel()
	for _, s := range sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			for _, service := range []string{"checkout", "ledger", ""} {
				d := drive(board(service), s)
				if service == "" {
					service = "all"
				}
				golden.Check(t, "story-"+service+"-"+s.String(), d.Framed(place+1), d.Env.Theme)
				d.Env = uitest.Plain(d.Env)
				golden.Check(t, "plain-"+service+"-"+s.String(), d.Framed(place+1), d.Env.Theme)
			}
			d := drive(board("checkout"), s)
			d.Press(keymap.Bottom)
			golden.Check(t, "last-"+s.String(), d.Framed(place+1), d.Env.Theme)
		})
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.Sizes() {
		for _, state := range uitest.States() {
			name := strings.ReplaceAll(state.Name, " ", "-") + "-" + s.String()
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				e := uitest.Env(state.Snap)
				e.Watched = "checkout"
				d := drive(e, s)
				golden.Check(t, name, d.Framed(place+1), e.Theme)
			})
		}
	}
}
