package uitest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

func TestMeaningTellsTokensApart(t *testing.T) {
	t.Parallel()
	th := Env(Story()).Theme
	g := screen.NewGrid(6, 2)
	r := g.Region()
	for i, k := range []theme.Token{theme.Text, theme.Crit, theme.OK, theme.Muted} {
		r.Text(i, 0, th.Style(k), clean.Const("x"))
		r.Text(i, 1, th.Style(k), clean.Const("x"))
	}
	r.Restyle(0, 1, 6, 1, func(s screen.Style) screen.Style { return th.Selected(s, true) })
	if got, want := Meaning(g, th), ".com\n:COM__\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnusedGoldensAreFound(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll(goldenDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"used", "left"} {
		if err := os.WriteFile(filepath.Join(goldenDir, name+".golden"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g := &Goldens{used: map[string]use{"used.golden": {t.Name(), 1}}}
	if got := g.unused(); !slices.Equal(got, []string{filepath.Join(goldenDir, "left.golden")}) {
		t.Errorf("got %v", got)
	}
}

func TestADifferenceIsShown(t *testing.T) {
	t.Parallel()
	if d := diff("a\nb\n", "a\nc\n"); !strings.Contains(d, "line 2") || !strings.Contains(d, "|c|") {
		t.Errorf("got %q", d)
	}
}

// TestTheStoryIsWhole holds the snapshots to what the store promises of them.
func TestTheStoryIsWhole(t *testing.T) {
	t.Parallel()
	for _, s := range append(States(), State{"story", Story()}, State{"many", Many(600)}, State{"library", WithLibrary(Story())}) {
		refs := map[sources.Ref]bool{}
		for i := range s.Snap.Feeds {
			f := &s.Snap.Feeds[i]
			for j := range f.Runs {
				if r := f.Runs[j].Ref; refs[r] || f.Key.Capability != store.Runs {
					t.Errorf("%s: run %v is there twice, or in the feed %v", s.Name, r, f.Key)
				} else {
					refs[r] = true
				}
			}
			for j := range f.Environments {
				if r := f.Environments[j].Ref; refs[r] || f.Key.Capability != store.Environments {
					t.Errorf("%s: environment %v is there twice, or in the feed %v", s.Name, r, f.Key)
				} else {
					refs[r] = true
				}
			}
		}
	}
	n := 0
	for _, f := range Many(6000).Feeds {
		n += len(f.Runs)
	}
	if n < 5900 {
		t.Errorf("many are %d", n)
	}
}
