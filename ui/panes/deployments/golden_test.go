package deployments

import (
	"os"
	"strings"
	"testing"

	"example.com/signalbox/ui/uitest"
)

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

// place is the pane's on the board.
const place = 3

func TestStory(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.Sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			e := uitest.Env(uitest.Full())
			w, h, compact := s.Inside(place)
			e.Compact = compact
			d := uitest.Drive(New(), e, w, h)
			golden.Check(t, "story-"+s.String(), d.Framed(place+1), e.Theme)
			d.Env = uitest.Plain(e)
			golden.Check(t, "plain-"+s.String(), d.Framed(place+1), d.Env.Theme)
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
				w, h, compact := s.Inside(place)
				e.Compact = compact
				golden.Check(t, name, uitest.Drive(New(), e, w, h).Framed(place+1), e.Theme)
			})
		}
	}
}

func TestHardCases(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.Sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			e := uitest.Env(uitest.HardLanes())
			w, h, compact := s.Inside(place, true, true)
			e.Compact = compact
			golden.Check(t, "hard-"+s.String(), uitest.Drive(New(), e, w, h).Framed(place+1), e.Theme)
		})
	}
}
