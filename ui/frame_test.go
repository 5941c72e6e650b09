package ui_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/theme"
	"example.com/signalbox/ui/uitest"
)

var goldens uitest.Goldens

func TestMain(m *testing.M) { os.Exit(goldens.Main(m)) }

var sizes = [][2]int{{200, 50}, {160, 48}, {120, 40}, {80, 24}, {60, 12}, {59, 11}, {40, 10}, {1, 1}}

func TestGoldens(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.Options{Depth: theme.TrueColor})
	for _, s := range sizes {
		for name, keys := range map[string][]string{
			"board": {"3"}, "help": {"3", "?"}, "palette": {"3", ":", "fol"}, "sources": {":", "sources", "enter"},
			"follow": {"4", "j", "f"}, "detail": {"3", "enter"}, "error": {"3", "jj", "enter"},
		} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, s[0], s[1]), func(t *testing.T) {
				b := newBoard(t, s[0], s[1])
				b.press(keys...)
				goldens.Check(t, fmt.Sprintf("%s-%dx%d", name, s[0], s[1]), b.app.Frame(), th)
			})
		}
	}
}

// A board where much is wrong at once.
func troubled(o *ui.Options, b *board) {
	now, s := b.clock.now(), o.Snapshot
	s.Catalog.ConfigError = clean.Const("config.yaml:12:3: unknown key \"polices\", did you mean \"policies\"?")
	s.Catalog.Sources = append(s.Catalog.Sources, store.SourceInfo{Name: "datadog"}, store.SourceInfo{Name: "pagerduty"})
	s.Feeds = append(s.Feeds,
		store.Feed{Key: store.FeedKey{Source: "datadog"}, Health: store.Health{State: store.Healthy, Interval: time.Minute, LastGood: now.Add(-4 * time.Minute)}},
		store.Feed{Key: store.FeedKey{Source: "pagerduty"}, Health: store.Health{State: store.Refused, Err: &sources.Error{Kind: sources.Permission}}})
	s.Feeds[0].Health.Rate.Remaining = 410
}

func TestGoldensOfTrouble(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.Options{ASCII: true})
	for _, s := range sizes {
		b := newBoard(t, s[0], s[1], troubled, func(o *ui.Options, _ *board) { o.Theme = th })
		b.press("3", "w")
		goldens.Check(t, fmt.Sprintf("trouble-%dx%d", s[0], s[1]), b.app.Frame(), th)
	}
}

// No size, and no key at any size, makes the board panic or draw a line too long.
func TestResizeStorm(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	keys := []string{"tab", "z", "?", ":", "esc", "enter", "j", "G", "/", "f", "w", "q", "1", "4", "c", "jjj", "ab c", "pgdown"}
	for range 6 {
		b := newBoard(t, 80, 24, troubled)
		for range 120 {
			w, h := rnd.IntN(220), rnd.IntN(60)
			if rnd.IntN(3) == 0 {
				w, h = rnd.IntN(12), rnd.IntN(8)
			}
			b.send(tea.WindowSizeMsg{Width: w, Height: h})
			k := keys[rnd.IntN(len(keys))]
			b.send(keyOf(k))
			b.send(tea.MouseMsg{X: rnd.IntN(220), Y: rnd.IntN(60), Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
			checkFrame(t, b, w, h)
		}
	}
}

func checkFrame(t *testing.T, b *board, w, h int) {
	t.Helper()
	fw, fh := b.app.Frame().Size()
	if w > 0 && h > 0 && (fw != w || fh != h) {
		t.Fatalf("the frame of a %dx%d screen is %dx%d", w, h, fw, fh)
	}
	for line := range strings.SplitSeq(b.text(), "\n") {
		if n := clean.Line(line).Width(); n > w {
			t.Fatalf("a line of %d columns at %dx%d: %s", n, w, h, line)
		}
	}
}

// Every size down to nothing, for each thing that can be open.
func TestEverySize(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{{"3"}, {"3", "?"}, {"3", ":"}, {":", "sources", "enter"}, {"3", "enter"}, {"3", "jj", "enter"}} {
		b := newBoard(t, 80, 24, troubled)
		b.press(keys...)
		for w := 0; w <= 170; w += 1 + w/20 {
			for h := 0; h <= 52; h += 1 + h/12 {
				b.app.Update(tea.WindowSizeMsg{Width: w, Height: h})
				checkFrame(t, b, w, h)
			}
		}
	}
}

// What is kept between frames must look as what is drawn anew.
func TestKeptCellsEqualFreshOnes(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 6))
	keys := []string{"tab", "z", "?", ":", "esc", "enter", "j", "k", "f", "w", "1", "2", "3", "4", "c", "esc", "esc"}
	for _, s := range [][2]int{{160, 48}, {100, 30}, {80, 24}, {50, 9}} {
		b := newBoard(t, s[0], s[1])
		for i := range 60 {
			k := keys[rnd.IntN(len(keys))]
			b.press(k)
			kept := b.text()
			b.app.Update(tea.WindowSizeMsg{Width: s[0], Height: s[1]})
			if fresh := b.text(); fresh != kept {
				t.Fatalf("%v, key %d (%s): kept\n%s\nfresh\n%s", s, i, k, kept, fresh)
			}
		}
	}
}

func TestPanesAreDrawnOnlyWhenSomethingChanged(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 48)
	b.press("3")
	draws := func() [4]int {
		var n [4]int
		for i, p := range b.panes {
			n[i] = p.draws
		}
		return n
	}
	before := draws()
	b.press("j")
	after := draws()
	if after[2] != before[2]+1 || after[3] != before[3] || after[0] != before[0] {
		t.Errorf("moving in one pane drew %v after %v", after, before)
	}
	before = after
	b.press("c")
	if after = draws(); after != before {
		t.Errorf("a toast drew panes: %v after %v", after, before)
	}
	b.clock.pass(time.Second)
	b.press("c")
	if after = draws(); after != before {
		t.Errorf("a second drew panes: %v after %v", after, before)
	}
	b.panes[3].second = true
	b.press("4")
	before = draws()
	b.clock.pass(time.Second)
	b.press("c")
	if after = draws(); after[3] != before[3]+1 || after[2] != before[2] {
		t.Errorf("a second drew %v after %v", after, before)
	}
}
