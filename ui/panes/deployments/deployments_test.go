package deployments

import (
	"fmt"
	"testing"

	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

func drive() *uitest.Driver { return uitest.Drive(New(), uitest.Env(uitest.Story()), 98, 20) }

func TestALaneIsSelectedByItsService(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Press(keymap.Down, keymap.Down, keymap.Down)
	s, ok := d.Pane.Selected(d.Env)
	if !ok || s.Ref != uitest.AccountsProd() || s.Service != "accounts" || s.Name.String() != "accounts/prod" || s.URL == "" {
		t.Fatalf("selected %+v", s)
	}
	snap := uitest.Story()
	snap.Catalog.Services = snap.Catalog.Services[2:]
	d.Show(snap)
	if s, _ := d.Pane.Selected(d.Env); s.Ref != uitest.AccountsProd() {
		t.Errorf("the cursor went to %v", s.Ref)
	}
	d.Press(keymap.OpenDetail)
	if o, _ := uitest.Last[pane.Open](d); o.Ref != uitest.AccountsProd() {
		t.Errorf("opened %v", o.Ref)
	}
}

func TestALibraryHasNothingToOpen(t *testing.T) {
	t.Parallel()
	snap := uitest.WithLibrary(uitest.Story())
	d := uitest.Drive(New(), uitest.Env(snap), 98, 20)
	d.Press(keymap.Bottom, keymap.Up) // the last one was discovered
	if !d.Says("v4.1.0") || !d.Says("latest release") {
		t.Errorf("got\n%s", d.Text())
	}
	if s, ok := d.Pane.Selected(d.Env); !ok || s.Service != "cards-sdk" || !s.Ref.IsZero() {
		t.Errorf("selected %+v", s)
	}
	if b := d.Pane.Keys(d.Env)[0]; b.Disabled == "" {
		t.Error("nothing says why it cannot be opened")
	}
	d.Press(keymap.OpenDetail)
	if o, ok := uitest.Last[pane.Open](d); ok {
		t.Errorf("opened %v", o.Ref)
	}
}

func TestLibraryGoldens(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.Sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			e := uitest.Env(uitest.WithLibrary(uitest.Story()))
			w, h, compact := s.Inside(place, true, true)
			e.Compact = compact
			d := uitest.Drive(New(), e, w, h)
			golden.Check(t, "library-"+s.String(), d.Framed(place+1), e.Theme)
			d.Press(keymap.Filter)
			d.Type("v2.0")
			golden.Check(t, "filter-"+s.String(), d.Framed(place+1), e.Theme)
		})
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Press(keymap.Filter)
	d.Type("failed\n")
	if !d.Says("accounts") || d.Says("checkout") || !d.Says("1 of 6") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Press(keymap.Back)
	if !d.Says("checkout") {
		t.Errorf("Back does not clear the filter\n%s", d.Text())
	}
}

func TestNarrowedViews(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Env.Whose = pane.Mine
	d.Show(d.Env.Snap)
	if !d.Says("search") || d.Says("checkout") {
		t.Errorf("mine:\n%s", d.Text())
	}
	d.Env.Whose, d.Env.Follow = pane.Team, "web"
	d.Show(d.Env.Snap)
	if !d.Says("web") || d.Says("search") {
		t.Errorf("followed:\n%s", d.Text())
	}
}

func TestRefreshNamesItsFeeds(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Press(keymap.Refresh)
	r, ok := uitest.Last[pane.Refresh](d)
	if !ok || len(r.Feeds) != 6 || r.Feeds[0].Capability != store.Environments {
		t.Errorf("refreshes %+v", r.Feeds)
	}
}

func TestAnySizeAndNoData(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.States() {
		d := uitest.Drive(New(), uitest.Env(s.Snap), 80, 20)
		for w := range 70 {
			for h := range 9 {
				d.Resize(w, h)
				d.Grid()
				d.Pane.Heading(d.Env)
				d.Pane.Keys(d.Env)
			}
		}
	}
}

// BenchmarkKey is a key and the frame after it; its cost must not grow with the runs.
func BenchmarkKey(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := uitest.Drive(New(), uitest.Env(uitest.Many(n)), 198, 46)
			g := d.Grid()
			b.ReportAllocs()
			for b.Loop() {
				d.Press(keymap.Down)
				d.Pane.Draw(d.Env, g.Region())
				d.Pane.Heading(d.Env)
			}
		})
	}
}

func TestHealthIsSaidInWords(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Measured()), 98, 20)
	for _, want := range []string{"HEALTH", "✗ 5xx", "! 1 incident"} {
		if !d.Says(want) {
			t.Errorf("nothing says %q\n%s", want, d.Text())
		}
	}
	d.Resize(58, 12)
	if !d.Says("✗ 5xx") || d.Says("! 1") { // half a number says nothing
		t.Errorf("where there is little room\n%s", d.Text())
	}
	for i := range d.Env.Snap.Feeds { // nobody knows how it is now
		h := &d.Env.Snap.Feeds[i].Health
		h.LastGood = uitest.Ago(20 * h.Interval)
	}
	d.Show(d.Env.Snap)
	if d.Says("✗ 5xx") || !d.Says("… 5xx") {
		t.Errorf("a verdict is not withdrawn\n%s", d.Text())
	}
	d.Show(uitest.Story())
	if d.Says("HEALTH") {
		t.Errorf("a column that nothing fills\n%s", d.Text())
	}
}
