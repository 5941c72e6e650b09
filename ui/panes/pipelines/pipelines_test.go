package pipelines

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

func drive() *uitest.Driver { return uitest.Drive(New(), uitest.Env(uitest.Story()), 98, 20) }

func selected(t *testing.T, d *uitest.Driver) sources.Ref {
	t.Helper()
	s, ok := d.Pane.Selected(d.Env)
	if !ok {
		t.Fatal("nothing is selected")
	}
	return s.Ref
}

// TestTheSelectionIsOfARun refreshes the board at random: the run under the cursor stays the same as
// long as any feed lists it.
func TestTheSelectionIsOfARun(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	d := drive()
	d.Press(keymap.Down, keymap.Down)
	was := selected(t, d)
	s := uitest.Story()
	for step := range 400 {
		s = refreshed(rnd, s, step)
		d.Env.Now = uitest.Now().Add(time.Duration(step) * time.Minute)
		d.Show(s)
		now := selected(t, d)
		if now != was && listed(s, was) {
			t.Fatalf("step %d: the cursor went from %s to %s", step, was.ID, now.ID)
		}
		if rnd.IntN(10) == 0 {
			d.Press([]keymap.Action{keymap.Down, keymap.Up, keymap.Bottom, keymap.Top}[rnd.IntN(4)])
		}
		was = selected(t, d)
		if !d.Says("▌") {
			t.Fatalf("step %d: the cursor is out of sight\n%s", step, d.Text())
		}
	}
}

// TestTheCursorRestsOnTheMostUrgentLineAtFirst lets the feeds answer one by one, the urgent one last.
func TestTheCursorRestsOnTheMostUrgentLineAtFirst(t *testing.T) {
	t.Parallel()
	loading := func(except ...string) *store.Snapshot {
		s := uitest.Story()
		for i := range s.Feeds {
			f := &s.Feeds[i]
			if f.Key.Capability == store.Runs && !slices.Contains(except, f.Key.Scope) {
				f.Health.State, f.Health.LastGood, f.Runs = store.Loading, time.Time{}, nil
			}
		}
		return s
	}
	for _, moved := range []bool{false, true} {
		d := uitest.Drive(New(), uitest.Env(loading("acme/checkout")), 98, 20)
		first := selected(t, d)
		if moved {
			d.Press(keymap.Down, keymap.Up)
		}
		d.Show(loading("acme/checkout", "acme/money"))
		d.Show(uitest.Story())
		want := uitest.WebRun()
		if moved {
			want = first
		}
		if got := selected(t, d); got != want {
			t.Errorf("moved %v: the cursor is on %s, want %s", moved, got.ID, want.ID)
		}
	}
}

func listed(s *store.Snapshot, ref sources.Ref) bool {
	for i := range s.Feeds {
		if slices.ContainsFunc(s.Feeds[i].Runs, func(r sources.Run) bool { return r.Ref == ref }) {
			return true
		}
	}
	return false
}

// refreshed is s after a poll: a state changes, a new run starts, an old one leaves, the order differs.
func refreshed(rnd *rand.Rand, s *store.Snapshot, step int) *store.Snapshot {
	next := *s
	next.Feeds = slices.Clone(s.Feeds)
	i := rnd.IntN(len(next.Feeds))
	for next.Feeds[i].Key.Capability != store.Runs || len(next.Feeds[i].Runs) == 0 {
		i = rnd.IntN(len(next.Feeds))
	}
	f := &next.Feeds[i]
	f.Generation++
	f.Runs = slices.Clone(f.Runs)
	r := f.Runs[rnd.IntN(len(f.Runs))]
	switch rnd.IntN(5) {
	case 0, 1:
		f.Runs[rnd.IntN(len(f.Runs))].State = sources.State(rnd.IntN(9))
	case 2, 3:
		r.Ref.ID, r.Created, r.State = fmt.Sprint(9000+step), uitest.Now().Add(time.Duration(step)*time.Minute), sources.StateQueued
		f.Runs = append(f.Runs, r)
	case 4:
		if len(f.Runs) > 1 {
			f.Runs = f.Runs[1:]
		}
	}
	rnd.Shuffle(len(f.Runs), func(a, b int) { f.Runs[a], f.Runs[b] = f.Runs[b], f.Runs[a] })
	return &next
}

func TestFilter(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Press(keymap.Filter)
	if !d.Pane.Typing() {
		t.Fatal("the field does not have the keyboard")
	}
	d.Type("CI dev4")
	if !d.Says("/CI dev4") || !d.Says("6 of 11") || d.Says("release") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Type("\n")
	if d.Pane.Typing() || d.Says("release") {
		t.Errorf("Enter does not keep the filter\n%s", d.Text())
	}
	d.Press(keymap.Back)
	if _, closed := uitest.Last[pane.Close](d); closed || !d.Says("release") {
		t.Errorf("Back does not clear the filter first\n%s", d.Text())
	}
	d.Press(keymap.Back)
	if _, closed := uitest.Last[pane.Close](d); !closed {
		t.Error("Back with nothing to clear is not handed on")
	}
	d.Press(keymap.Filter)
	d.Type("nothing like this\x1b")
	if d.Pane.Typing() || !d.Says("release") {
		t.Errorf("Esc does not clear the filter\n%s", d.Text())
	}
}

func TestTheFilterKeepsTheSelection(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Press(keymap.Down, keymap.Down)
	was := selected(t, d)
	d.Press(keymap.Filter)
	d.Type("search")
	if now := selected(t, d); now != was {
		t.Errorf("the cursor went from %s to %s", was.ID, now.ID)
	}
	d.Type(" xyz")
	if _, ok := d.Pane.Selected(d.Env); ok {
		t.Error("something is selected that does not show")
	}
}

func TestOpeningAndLogs(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Press(keymap.OpenDetail)
	if o, _ := uitest.Last[pane.Open](d); o.Ref != uitest.WebRun() {
		t.Errorf("opened %v", o.Ref)
	}
	d.Press(keymap.Down, keymap.Logs)
	if o, _ := uitest.Last[pane.Open](d); o.Ref != uitest.LedgerJob() {
		t.Errorf("the log of a failed run is that of %v", o.Ref)
	}
	d.Press(keymap.Down, keymap.Logs)
	load, ok := uitest.Last[pane.Load](d)
	if !ok || load.Ask.Jobs != uitest.SearchRun() {
		t.Fatalf("asked %+v", load)
	}
	old := load
	old.Gen--
	n := len(d.Intents)
	d.Answer(old, pane.Answer{Jobs: uitest.LedgerJobs()}, nil)
	if len(d.Intents) != n {
		t.Error("an answer to an old question opens a log")
	}
	d.Answer(load, pane.Answer{Jobs: uitest.LedgerJobs()[:2]}, nil)
	if o, _ := uitest.Last[pane.Open](d); o.Ref.ID != "9101" {
		t.Errorf("opened %v", o.Ref)
	}
}

func TestMouse(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Send(pane.Click{X: 5, Y: 3})
	if got := selected(t, d); got != uitest.LedgerRun() {
		t.Errorf("a press on the second line of a failed run selects %v", got)
	}
	d.Send(pane.Click{X: 5, Y: 0})
	if got := selected(t, d); got != uitest.LedgerRun() {
		t.Errorf("a press on the head selects %v", got)
	}
	d.Send(pane.Click{Wheel: 1})
	if got := selected(t, d); got != uitest.SearchRun() {
		t.Errorf("the wheel selects %v", got)
	}
}

func TestRefreshNamesItsFeeds(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Press(keymap.Refresh)
	r, ok := uitest.Last[pane.Refresh](d)
	if !ok || len(r.Feeds) != 6 || r.Feeds[0].Capability != store.Runs {
		t.Errorf("refreshes %+v", r.Feeds)
	}
}

func TestNarrowedViews(t *testing.T) {
	t.Parallel()
	d := drive()
	d.Env.Whose = pane.Mine
	d.Show(d.Env.Snap)
	if !d.Says("ledger") || !d.Says("search") || d.Says("checkout") {
		t.Errorf("mine:\n%s", d.Text())
	}
	d.Env.Whose, d.Env.Follow = pane.Team, "checkout"
	d.Show(d.Env.Snap)
	if !d.Says("checkout") || d.Says("ledger") {
		t.Errorf("followed:\n%s", d.Text())
	}
}

func TestVerdictsAreWithdrawnWhenTheDataIsOld(t *testing.T) {
	t.Parallel()
	d := drive()
	if m := uitest.Meaning(d.Grid(), d.Env.Theme); !hasLetter(m, 'c') {
		t.Errorf("a fresh failure is not critical:\n%s", m)
	}
	d.Env.Now = uitest.Now().Add(time.Hour)
	if m := uitest.Meaning(d.Grid(), d.Env.Theme); hasLetter(m, 'c') || hasLetter(m, 'o') {
		t.Errorf("an old verdict keeps its colour:\n%s", m)
	}
	if h := d.Pane.Heading(d.Env); !h.Stale {
		t.Error("the heading is not marked")
	}
}

func hasLetter(m string, l byte) bool { return slices.Contains([]byte(m), l) }

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

// BenchmarkChanged is a snapshot that brings nothing new, and one that does.
func BenchmarkChanged(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		s := uitest.Many(n)
		b.Run(fmt.Sprint("same/", n), func(b *testing.B) {
			d := uitest.Drive(New(), uitest.Env(s), 198, 46)
			b.ReportAllocs()
			for b.Loop() {
				d.Send(pane.Changed{})
			}
		})
		b.Run(fmt.Sprint("new/", n), func(b *testing.B) {
			d := uitest.Drive(New(), uitest.Env(s), 198, 46)
			b.ReportAllocs()
			for b.Loop() {
				d.Env.Now = d.Env.Now.Add(time.Minute)
				d.Send(pane.Changed{})
			}
		})
	}
}

func TestAServiceThatDoesNotBehaveIsMarked(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(), uitest.Env(uitest.Measured()), 98, 20)
	if !d.Says("checkout !") || d.Says("web !") {
		t.Errorf("got\n%s", d.Text())
	}
	for i := range d.Env.Snap.Feeds {
		h := &d.Env.Snap.Feeds[i].Health
		h.LastGood = uitest.Ago(20 * h.Interval)
	}
	d.Show(d.Env.Snap)
	if d.Says("checkout !") {
		t.Errorf("what is very stale still says so\n%s", d.Text())
	}
}
