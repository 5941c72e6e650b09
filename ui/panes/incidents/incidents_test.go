package incidents

import (
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/uitest"
)

func TestTheSelectionIsByIdentity(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Full()), 80, 10)
	d.Press(keymap.Down)
	was, ok := d.Pane.Selected(d.Env)
	if !ok {
		t.Fatal("nothing is selected")
	}
	next := uitest.Full()
	for i := range next.Feeds {
		f := &next.Feeds[i]
		reverse(f.Incidents)
		reverse(f.Series)
	}
	d.Show(next)
	if now, _ := d.Pane.Selected(d.Env); now.Ref != was.Ref {
		t.Errorf("the cursor went from %s to %s", was.Ref.ID, now.Ref.ID)
	}
	d.Send(pane.Click{X: 3, Y: 0})
	if now, _ := d.Pane.Selected(d.Env); now.Ref == was.Ref {
		t.Error("a press on another row does not select it")
	}
	d.Send(pane.Click{Wheel: 5})
	if _, ok := d.Pane.Selected(d.Env); !ok {
		t.Error("the wheel lost the cursor")
	}
}

func reverse[T any](s []T) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

func TestKeysAndIntents(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Night()), 80, 10)
	d.Press(keymap.Refresh)
	r, ok := uitest.Last[pane.Refresh](d)
	if !ok || len(r.Feeds) != 3 {
		t.Errorf("refreshes %+v", r.Feeds)
	}
	d.Press(keymap.OpenDetail)
	if o, ok := uitest.Last[pane.Open](d); !ok || o.Ref != uitest.PageRef("Q1") {
		t.Errorf("opens %+v", o)
	}
	s, _ := d.Pane.Selected(d.Env)
	if s.URL != "https://pages.example.com/Q1" || s.Runbook != "https://runbooks.example.com/checkout/5xx" || s.Service != "checkout" {
		t.Errorf("selected is %+v", s)
	}
	d.Press(keymap.Back)
	if _, ok := uitest.Last[pane.Close](d); !ok {
		t.Error("Back is not handed on")
	}
	for _, b := range d.Pane.Keys(d.Env) {
		if b.Disabled != "" {
			t.Errorf("%s is disabled: %s", b.Action, b.Disabled)
		}
	}
	d.Show(uitest.Emptied())
	for _, b := range d.Pane.Keys(d.Env) {
		if b.Disabled == "" {
			t.Errorf("nothing says why %s does nothing", b.Action)
		}
	}
}

func TestFollowNarrows(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Full()), 80, 10)
	d.Env.Follow = "ledger"
	d.Show(d.Env.Snap)
	if !d.Says("ledger") || d.Says("checkout") {
		t.Errorf("got\n%s", d.Text())
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Night()), 80, 12)
	d.Press(keymap.Filter)
	if !d.Pane.Typing() {
		t.Fatal("no field is open")
	}
	d.Type("lag")
	if !d.Says("1 of 3") || !d.Says("replica lag") || d.Says("5xx above") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Type("xyz\n")
	if !d.Says("No incident matches the filter.") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Press(keymap.Back)
	if !d.Says("5xx above") {
		t.Errorf("got\n%s", d.Text())
	}
	if _, closed := uitest.Last[pane.Close](d); closed {
		t.Error("Back left the pane instead of the filter")
	}
}

func TestStormFolds(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Stormy(60)), 100, 30)
	if n := strings.Count(d.Text(), "does not answer"); n != 1 || !d.Says("60 at once") {
		t.Fatalf("%d rows of a storm:\n%s", n, d.Text())
	}
	d.Press(keymap.OpenDetail)
	if _, opened := uitest.Last[pane.Open](d); opened || strings.Count(d.Text(), "does not answer") < 20 {
		t.Fatalf("Enter does not open the storm:\n%s", d.Text())
	}
	was := d.Text()
	d.Show(uitest.Stormy(60))
	if d.Text() != was {
		t.Errorf("a refresh without news changes an open storm:\n%s", d.Text())
	}
	d.Press(keymap.Down, keymap.OpenDetail)
	if o, ok := uitest.Last[pane.Open](d); !ok || o.Ref.Kind != sources.KindIncident {
		t.Errorf("Enter on a problem of the storm opens %+v", o)
	}
	d.Press(keymap.Back)
	if n := strings.Count(d.Text(), "does not answer"); n != 1 {
		t.Errorf("Back leaves the storm open:\n%s", d.Text())
	}
	d.Press(keymap.Back)
	if _, ok := uitest.Last[pane.Close](d); !ok {
		t.Error("Back is not handed on once nothing is open")
	}
}

// What is shown below rows must not move them: neither a refresh nor the clock.
func TestRefreshMovesNothing(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Night()), 90, 20)
	row := func(s string) int {
		for y, l := range strings.Split(d.Text(), "\n") {
			if strings.Contains(l, s) {
				return y
			}
		}
		return -1
	}
	was := row("replica lag")
	for range 200 {
		d.Env.Now = d.Env.Now.Add(time.Second)
		if now := row("replica lag"); now != was {
			t.Fatalf("at %s the row went from line %d to %d\n%s", d.Env.Now.Format("15:04:05"), was, now, d.Text())
		}
	}
	d.Show(uitest.Night())
	if now := row("replica lag"); now != was {
		t.Errorf("a refresh moved the row from line %d to %d\n%s", was, now, d.Text())
	}
}

func TestSecondsOnlyForACountdown(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Night()), 90, 20)
	if !d.Pane.Seconds(d.Env) || !d.Says("escalates in 2m14s") {
		t.Errorf("no seconds for a countdown\n%s", d.Text())
	}
	d.Env.Now = d.Env.Now.Add(3 * time.Minute)
	if d.Pane.Seconds(d.Env) || !d.Says("escalates now") {
		t.Errorf("seconds after the countdown\n%s", d.Text())
	}
	d = uitest.Drive(New(), uitest.Env(uitest.Night()), 90, 2)
	if d.Pane.Seconds(d.Env) {
		t.Errorf("seconds for a countdown that is not shown\n%s", d.Text())
	}
	d = uitest.Drive(New(), uitest.Env(uitest.Hard()), 90, 20)
	if d.Pane.Seconds(d.Env) {
		t.Errorf("seconds without a countdown\n%s", d.Text())
	}
}

func TestWhoIsUpstreamAndUnmapped(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Night()), 90, 20)
	if !d.Says("upstream, platform") {
		t.Errorf("got\n%s", d.Text())
	}
	for _, w := range []pane.Whose{pane.Team, pane.All} {
		d = uitest.Drive(New(), uitest.Env(uitest.Hard()), 110, 30)
		d.Env.Whose = w
		d.Show(d.Env.Snap)
		if !d.Says("archive-nightly") || !d.Says("unmapped") {
			t.Errorf("what no service claims is not shown\n%s", d.Text())
		}
	}
}

// TestAnyTextStaysInside draws incidents of any text at any size, into a region amid others.
func TestAnyTextStaysInside(t *testing.T) {
	t.Parallel()
	texts := []string{"", " ", "\x1b[31mred\x1b]0;title\a", "a\nb\tc\r", "日本語日本語日本語日本語日本語", "e\u0301\u0301\u0301\u0301", strings.Repeat("x", 500), "👩‍👩‍👧‍👦 family", "\u202eright to left"}
	for _, text := range texts {
		s := uitest.Night()
		for i := range s.Feeds {
			for k := range s.Feeds[i].Incidents {
				in := &s.Feeds[i].Incidents[k]
				in.Title, in.Holder, in.Scope, in.Provider = clean.Line(text), clean.Line(text), clean.Line(text), clean.Line(text)
				if k > 0 {
					in.Service = ""
				}
			}
		}
		d := uitest.Drive(New(), uitest.Env(s), 80, 20)
		for _, w := range []int{0, 1, 2, 3, 4, 5, 6, 8, 13, 21, 34, 39, 40, 55, 56, 57, 89, 144} {
			for _, h := range []int{0, 1, 2, 3, 5, 8, 13} {
				d.Resize(w, h)
				inside(t, d, w, h)
			}
		}
	}
}

// inside draws the pane into the middle of a grid of dots and looks for cells outside it that changed.
func inside(t *testing.T, d *uitest.Driver, w, h int) {
	t.Helper()
	g := screen.NewGrid(w+2, h+2)
	dot := clean.Line(strings.Repeat(".", w+2))
	for y := range h + 2 {
		g.Region().Text(0, y, screen.Style{}, dot)
	}
	d.Pane.Draw(d.Env, g.Region().Sub(1, 1, w, h))
	for y, l := range strings.Split(strings.TrimSuffix(g.String(), "\n"), "\n") {
		if y == 0 || y == h+1 {
			if strings.Trim(l, ".") != "" {
				t.Fatalf("%d×%d: line %d is %q", w, h, y, l)
			}
			continue
		}
		if !strings.HasPrefix(l, ".") || !strings.HasSuffix(l, ".") {
			t.Fatalf("%d×%d: line %d is %q", w, h, y, l)
		}
	}
}

func TestAnySizeAndNoData(t *testing.T) {
	t.Parallel()
	states := append(uitest.States(), uitest.State{Name: "hard", Snap: uitest.Hard()}, uitest.State{Name: "storm", Snap: uitest.Stormy(40)},
		uitest.State{Name: "nothing", Snap: &store.Snapshot{Catalog: &store.Catalog{}}})
	for _, s := range states {
		d := uitest.Drive(New(), uitest.Env(s.Snap), 80, 20)
		d.Press(keymap.OpenDetail)
		for w := range 60 {
			for h := range 7 {
				d.Resize(w, h)
				d.Grid()
				d.Pane.Heading(d.Env)
			}
		}
	}
}
