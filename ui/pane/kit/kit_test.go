package kit

import (
	"errors"
	"slices"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/theme"
)

const day = 24 * time.Hour

func TestAgesTakeThreeColumns(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Hour: "now", 0: "now", 59 * time.Second: "now", time.Minute: "1m", 59 * time.Minute: "59m", time.Hour: "1h",
		47 * time.Hour: "47h", 2 * day: "2d", 99 * day: "99d", 100 * day: "14w", 699 * day: "99w", 730 * day: "2y", 99999 * day: "99y",
	} {
		if got := Age(d); got != want || len(got) > 3 {
			t.Errorf("Age(%v) = %q, want %q", d, got, want)
		}
	}
	if AgeSince(time.Now(), time.Time{}) != "" || Ago(time.Now(), time.Time{}) != "" {
		t.Error("an unknown time has an age")
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration][3]string{
		-time.Second: {"0s", "<1m", "0s"}, 48 * time.Second: {"48s", "<1m", "48s"}, 59900 * time.Millisecond: {"1m00s", "<1m", "59s"},
		192 * time.Second: {"3m12s", "3m", "3m"}, time.Hour: {"1h00m", "1h", "1h"}, time.Hour + 5*time.Minute: {"1h05m", "1h05m", "1h"},
		10 * time.Hour: {"10h00m", "10h", "10h"}, 48 * time.Hour: {"2d00h", "2d", "2d"}, 51 * time.Hour: {"2d03h", "2d03h", "2d"},
	} {
		if took, minutes, span := Took(d), Minutes(d), Span(d); took != want[0] || minutes != want[1] || span != want[2] {
			t.Errorf("%v is %q, %q and %q, want %q", d, took, minutes, span, want)
		}
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 31_400: "31.4 kB", 999_999: "1.0 MB", 100_000_000: "100 MB", 1 << 60: "1152922 TB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC)
	east := time.FixedZone("", 3600)
	for _, c := range []struct {
		t    time.Time
		zone *time.Location
		want string
	}{
		{now.Add(-time.Hour), time.UTC, "01:14"}, {now.Add(-3 * time.Hour), time.UTC, "20 Nov 23:14"}, {now.Add(-3 * time.Hour), east, "00:14"},
		{now.Add(-400 * day), time.UTC, "17 Oct 2025"}, {time.Time{}, time.UTC, ""},
	} {
		if got := Clock(now, c.t, c.zone); got != c.want {
			t.Errorf("Clock(%v) = %q, want %q", c.t, got, c.want)
		}
	}
}

func TestColumnsFit(t *testing.T) {
	t.Parallel()
	cols := []Column{{Min: 4, Want: 8}, {Gap: 1, Min: 4, Want: 6, Drop: 1}, {Gap: 1, Min: 6, Want: 20, Drop: 2, Grow: true}, {Gap: 1, Min: 5, Want: 5}}
	for w, want := range map[int][]int{
		0: {0, 0, 0, 0}, 3: {3, 0, 0, 0}, 10: {4, 0, 0, 5}, 14: {8, 0, 0, 5}, 15: {4, 4, 0, 5}, 22: {4, 4, 6, 5}, 30: {8, 6, 8, 5}, 60: {8, 6, 38, 5},
	} {
		if got := Fit(w, cols); !slices.Equal(got, want) {
			t.Errorf("Fit(%d) = %v, want %v", w, got, want)
		}
	}
	for w := range 80 {
		widths := Fit(w, cols)
		at := Places(cols, widths)
		for i, n := range widths {
			if n > 0 && at[i]+n > w {
				t.Errorf("in %d columns, column %d ends at %d", w, i, at[i]+n)
			}
		}
		if Used(cols, widths) > max(w, 1) && w > 12 {
			t.Errorf("in %d columns, %d are used", w, Used(cols, widths))
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		w    int
		want []string
	}{
		{"one two three", 20, []string{"one two three"}}, {"one two three", 7, []string{"one two", "three"}}, {"one  two", 5, []string{"one", "two"}},
		{"abcdefgh ij", 3, []string{"abc", "def", "gh", "ij"}}, {"日本語", 4, []string{"日本", "語"}}, {"", 4, nil}, {"x", 0, nil},
	} {
		var got []string
		for _, l := range Wrap(clean.Line(c.in), c.w) {
			got = append(got, l.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("Wrap(%q, %d) = %q, want %q", c.in, c.w, got, c.want)
		}
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.Options{})
	for frac, want := range map[float64]string{-1: "▱▱▱▱", 0: "▱▱▱▱", 0.01: "▰▱▱▱", 0.5: "▰▰▱▱", 0.99: "▰▰▰▱", 1: "▰▰▰▰", 7: "▰▰▰▰"} {
		if got := Bar(th, 4, frac).String(); got != want {
			t.Errorf("Bar(%v) = %s, want %s", frac, got, want)
		}
	}
	if Frac(time.Minute, 0) != 0 {
		t.Error("nothing expected is a part of something")
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	if Verdict(theme.Crit, store.Stale) != theme.Crit || Verdict(theme.Crit, store.VeryStale) != theme.Muted || Verdict(theme.Text, store.VeryStale) != theme.Text {
		t.Error("colours are withdrawn at the wrong age")
	}
}

func TestFilterKeys(t *testing.T) {
	t.Parallel()
	var f Filter
	key := func(s string) Typed {
		k := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s)}
		switch s {
		case "enter":
			k = tea.KeyMsg{Type: tea.KeyEnter}
		case "esc":
			k = tea.KeyMsg{Type: tea.KeyEsc}
		case "up":
			k = tea.KeyMsg{Type: tea.KeyUp}
		case "down":
			k = tea.KeyMsg{Type: tea.KeyDown}
		}
		return f.Key(k)
	}
	if key("x") != TypedNothing || f.Active() {
		t.Error("a closed field takes keys")
	}
	f.Open()
	for s, want := range map[string]Typed{"up": TypedUp, "down": TypedDown} {
		if got := key(s); got != want {
			t.Errorf("%s is %d, want %d", s, got, want)
		}
	}
	if key("two Words") != TypedText || f.Text() != "two Words" || !slices.Equal(f.Words(), []string{"two", "words"}) {
		t.Errorf("typed %q", f.Text())
	}
	if key("enter") != TypedDone || f.Typing() || !f.Active() {
		t.Error("Enter does not keep the text")
	}
	f.Open()
	if f.Text() != "two Words" || key("esc") != TypedDone || f.Active() {
		t.Error("Esc does not clear the text")
	}
}

func TestErrorsInWords(t *testing.T) {
	t.Parallel()
	err := &sources.Error{Kind: sources.Permission, Msg: "the token has expired", Fix: "set a new one"}
	if got := ErrText(err).String(); got != "the token has expired: set a new one" {
		t.Errorf("got %q", got)
	}
	n := ErrNotice("It could not be read.", err)
	if n.Token != theme.Crit || !slices.Equal(n.Lines, []string{"The token has expired.", "Set a new one."}) {
		t.Errorf("got %+v", n)
	}
	if n := ErrNotice("It could not be read.", errors.New("éclair")); !slices.Equal(n.Lines, []string{"Éclair."}) {
		t.Errorf("got %+v", n)
	}
}

func TestTheLogThatPeopleWant(t *testing.T) {
	t.Parallel()
	job := func(id string, s sources.State) sources.Job { return sources.Job{Ref: sources.Ref{ID: id}, State: s} }
	for _, c := range []struct {
		jobs []sources.Job
		want string
	}{
		{nil, ""}, {[]sources.Job{job("1", sources.StateQueued)}, ""},
		{[]sources.Job{job("1", sources.StatePassed), job("2", sources.StateRunning), job("3", sources.StateFailed)}, "3"},
		{[]sources.Job{job("1", sources.StatePassed), job("2", sources.StateRunning)}, "2"},
		{[]sources.Job{job("1", sources.StateSkipped), job("2", sources.StatePassed)}, "2"},
	} {
		if got, _ := LogJob(c.jobs); got.ID != c.want {
			t.Errorf("got %q, want %q", got.ID, c.want)
		}
	}
}
