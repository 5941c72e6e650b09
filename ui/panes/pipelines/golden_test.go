package pipelines

import (
	"os"
	"testing"

	"example.com/signalbox/ui/uitest"
)

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

func TestStory(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.Sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			e := uitest.Env(uitest.Story())
			w, h, compact := s.Inside(2, true, true)
			e.Compact = compact
			d := uitest.Drive(New(), e, w, h)
			golden.Check(t, "story-"+s.String(), d.Framed(3), e.Theme)
		})
	}
}
