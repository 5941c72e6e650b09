package panes

import (
	"os"
	"strconv"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/uitest"
)

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

func TestEveryPaneHasItsOwnName(t *testing.T) {
	t.Parallel()
	seen := map[pane.ID]bool{}
	for _, p := range All() {
		if p.ID() == "" || seen[p.ID()] {
			t.Errorf("%q is taken", p.ID())
		}
		seen[p.ID()] = true
	}
	if a, b := All(), All(); a[0] == b[0] {
		t.Error("two boards share a pane")
	}
}

func TestDetails(t *testing.T) {
	t.Parallel()
	for _, k := range []sources.Kind{sources.KindRun, sources.KindJob, sources.KindEnvironment, sources.KindIncident, sources.KindSeries} {
		p, err := Detail(uitest.Ref(k, "acme/shop", "1"))
		if err != nil {
			t.Fatal(err)
		}
		other, err := Detail(uitest.Ref(k, "acme/shop", "2"))
		if err != nil || p.ID() == other.ID() {
			t.Errorf("details of two objects are both %q", p.ID())
		}
	}
	for _, k := range []sources.Kind{sources.KindDeployment, "thing"} {
		if _, err := Detail(uitest.Ref(k, "acme/shop", "1")); sources.KindOf(err) != sources.Unsupported {
			t.Errorf("%s: %v", k, err)
		}
	}
}

func TestIdlePanesAreThoseWithoutASource(t *testing.T) {
	t.Parallel()
	e, full := uitest.Env(uitest.Story()), uitest.Env(uitest.Full())
	for i, want := range []bool{true, true, false, false} {
		id := All()[i].ID()
		if Idle(e, id) != want || Idle(full, id) {
			t.Errorf("%s: idle %v, with a source %v", id, Idle(e, id), Idle(full, id))
		}
	}
}

func TestStripGoldens(t *testing.T) {
	t.Parallel()
	strips := Strips()
	for _, service := range []string{"checkout", "accounts", "web", "search", "reports", ""} {
		e := uitest.Env(uitest.Full())
		g := screen.NewGrid(80, 24)
		y := 0
		for _, s := range strips(e, service) {
			s.Draw(component.Frame{Title: s.Heading.Title, Summary: s.Heading.Summary}.Draw(g.Region().Sub(0, y, 80, s.Lines+2), e.Theme))
			y += s.Lines + 2
		}
		name := "strips"
		if service != "" {
			name += "-" + service
		}
		golden.Check(t, name, g, e.Theme)
	}
}

// How a service behaves stands first, whatever else there is room for.
func TestStripsOfAMeasuredService(t *testing.T) {
	t.Parallel()
	strips := Strips()
	for _, plain := range []bool{false, true} {
		for _, w := range []int{80, 60} {
			e := uitest.Env(uitest.Measured())
			name := "strips-measured-" + strconv.Itoa(w)
			if plain {
				e, name = uitest.Plain(e), name+"-plain"
			}
			s := strips(e, "checkout")[0]
			g := screen.NewGrid(w, s.Lines+2)
			s.Draw(component.Frame{Title: s.Heading.Title, Summary: s.Heading.Summary}.Draw(g.Region(), e.Theme))
			golden.Check(t, name, g, e.Theme)
		}
	}
}

func draw(e pane.Env, lines [][]pane.Part, w int) *screen.Grid {
	g := screen.NewGrid(w, len(lines))
	for y, l := range lines {
		component.Draw(g.Region(), 0, y, w, e.Theme, l)
	}
	return g
}

func TestWrongGoldens(t *testing.T) {
	t.Parallel()
	broken := uitest.Full()
	broken.Catalog.ConfigError = clean.Line("config.yaml:12:3: unknown key servics, did you mean services?")
	for name, e := range map[string]pane.Env{"wrong": uitest.Env(broken), "wrong-refused": uitest.Env(uitest.States()[8].Snap)} {
		golden.Check(t, name, draw(e, Wrong()(e), 56), e.Theme)
		plain := uitest.Plain(e)
		golden.Check(t, name+"-plain", draw(plain, Wrong()(plain), 40), plain.Theme)
	}
	if lines := Wrong()(uitest.Env(uitest.Emptied())); len(lines) != 0 {
		t.Errorf("a quiet board has %d lines", len(lines))
	}
}

func TestWhatIsWrongFollowsTheSnapshot(t *testing.T) {
	t.Parallel()
	wrong := Wrong()
	e := uitest.Env(uitest.Story())
	before := len(wrong(e))
	e.Snap = uitest.Emptied()
	if after := len(wrong(e)); before == 0 || after != 0 {
		t.Errorf("%d lines before, %d after", before, after)
	}
	e.Snap, e.Follow = uitest.Story(), "checkout"
	if n := len(wrong(e)); n != 0 {
		t.Errorf("a quiet service that is followed has %d lines", n)
	}
	e.Now = e.Now.Add(time.Hour)
	if n := len(wrong(e)); n != 0 {
		t.Errorf("an hour later it has %d lines", n)
	}
}
