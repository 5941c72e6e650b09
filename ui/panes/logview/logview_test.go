package logview

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

func asks(a pane.Ask) bool { return !a.Log.IsZero() }

func mustAsk(t *testing.T, d *uitest.Driver) pane.Load {
	t.Helper()
	l, ok := uitest.Asked(d, asks)
	if !ok {
		t.Fatalf("it asked for no log: %+v", d.Intents)
	}
	return l
}

// drive starts a log whose timer rings as soon as it is set.
func drive(w, h int) *uitest.Driver {
	p := New(uitest.LedgerJob())
	p.tick = func(_ time.Duration, ring func(time.Time) tea.Msg) tea.Cmd {
		return func() tea.Msg { return ring(uitest.Now()) }
	}
	return uitest.Drive(p, uitest.Env(uitest.Story()), w, h)
}

func opened(t *testing.T, w, h int, log sources.Log) *uitest.Driver {
	t.Helper()
	d := drive(w, h)
	d.Answer(mustAsk(t, d), pane.Answer{Log: log}, nil)
	return d
}

// numbered is a log of n lines.
func numbered(n int) sources.Log {
	l := sources.Log{Size: int64(n) * 20, FirstError: -1}
	for i := range n {
		l.Lines = append(l.Lines, sources.LogLine{Text: clean.Linef("line %d of the log", i+1)})
	}
	return l
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, s := range uitest.Sizes() {
		w, h := s.Whole()
		fail := func(err error) func(*testing.T) *uitest.Driver {
			return func(t *testing.T) *uitest.Driver {
				d := drive(w, h)
				d.Answer(mustAsk(t, d), pane.Answer{}, err)
				return d
			}
		}
		for name, make := range map[string]func(*testing.T) *uitest.Driver{
			"failed": func(t *testing.T) *uitest.Driver { return opened(t, w, h, uitest.FailedLog()) },
			"wrapped": func(t *testing.T) *uitest.Driver {
				d := opened(t, w, h, uitest.FailedLog())
				d.Press(keymap.Wrap)
				return d
			},
			"searching": func(t *testing.T) *uitest.Driver {
				d := opened(t, w, h, uitest.FailedLog())
				d.Press(keymap.Filter)
				d.Type("REPLICA")
				return d
			},
			"found": func(t *testing.T) *uitest.Driver {
				d := opened(t, w, h, uitest.FailedLog())
				d.Press(keymap.Filter)
				d.Type("behind\n")
				d.Press(keymap.NextMatch)
				return d
			},
			"cut": func(t *testing.T) *uitest.Driver {
				log := numbered(500)
				log.Omitted, log.Size = 31_000_000, 31_010_000
				d := opened(t, w, h, log)
				d.Press(keymap.Top)
				return d
			},
			"live": func(t *testing.T) *uitest.Driver {
				log := uitest.FailedLog()
				log.Lines, log.FirstError, log.Live, log.Size = log.Lines[:24], -1, true, -1
				return opened(t, w, h, log)
			},
			"asking":  func(*testing.T) *uitest.Driver { return drive(w, h) },
			"empty":   func(t *testing.T) *uitest.Driver { return opened(t, w, h, sources.Log{FirstError: -1}) },
			"expired": fail(&sources.Error{Kind: sources.NotExist, Msg: "the log was deleted: github keeps logs for 90 days", Fix: "run the job again"}),
			"refused": fail(&sources.Error{Kind: sources.Permission, Msg: "the token may not read logs of acme/money", Fix: "grant it actions: read"}),
			"failing": fail(errors.New("connection reset by peer")),
			"plain": func(t *testing.T) *uitest.Driver {
				d := opened(t, w, h, uitest.FailedLog())
				d.Env = uitest.Plain(d.Env)
				return d
			},
		} {
			t.Run(name+"-"+s.String(), func(t *testing.T) {
				t.Parallel()
				d := make(t)
				golden.Check(t, name+"-"+s.String(), d.Framed(0), d.Env.Theme)
			})
		}
	}
}

func TestItOpensAtTheFirstError(t *testing.T) {
	t.Parallel()
	log := numbered(10_000)
	log.FirstError = 6_000
	d := opened(t, 80, 20, log)
	if !d.Says("line 6001 of the log") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Press(keymap.Bottom)
	if !d.Says("line 10000 of the log") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Press(keymap.FirstError)
	if !d.Says("line 6001 of the log") {
		t.Errorf("got\n%s", d.Text())
	}
}

func TestFollowingAsksAgainWhileTheJobRuns(t *testing.T) {
	t.Parallel()
	log := numbered(100)
	log.Live = true
	d := opened(t, 80, 20, log)
	rang, ok := uitest.Last[again](d)
	if !ok {
		t.Fatal("a live log does not set its timer")
	}
	before := mustAsk(t, d)
	d.Send(rang)
	next := mustAsk(t, d)
	if next.Gen <= before.Gen {
		t.Fatal("it did not ask again")
	}
	d.Send(rang)
	if twice := mustAsk(t, d); twice.Gen != next.Gen {
		t.Error("an old timer asks again")
	}
	more := numbered(150)
	d.Answer(next, pane.Answer{Log: more}, nil)
	if !d.Says("line 150 of the log") {
		t.Errorf("it does not follow the end:\n%s", d.Text())
	}
	last, _ := uitest.Last[again](d)
	d.Send(last)
	if l := mustAsk(t, d); l.Gen != next.Gen {
		t.Error("it asks for the log of a job that has ended")
	}
}

func TestGoingUpEndsFollowing(t *testing.T) {
	t.Parallel()
	log := numbered(100)
	log.Live = true
	d := opened(t, 80, 20, log)
	d.Press(keymap.PageUp)
	d.Press(keymap.Refresh)
	grown := numbered(150)
	grown.Live = true
	d.Answer(mustAsk(t, d), pane.Answer{Log: grown}, nil)
	if d.Says("line 150 of the log") || d.Says("following") {
		t.Errorf("it still follows:\n%s", d.Text())
	}
	d.Press(keymap.FollowLog)
	if !d.Says("line 150 of the log") || !d.Says("following") {
		t.Errorf("it does not follow again:\n%s", d.Text())
	}
}

func TestSearchWrapsAround(t *testing.T) {
	t.Parallel()
	d := opened(t, 80, 20, numbered(300))
	d.Press(keymap.Filter)
	d.Type("LINE 7")
	if !d.Pane.Typing() {
		t.Error("the field does not have the keyboard")
	}
	d.Type("7\n")
	if d.Pane.Typing() || !d.Says("line 77 of the log") || !d.Says("1 of 1") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Press(keymap.NextMatch, keymap.NextMatch, keymap.PrevMatch)
	if !d.Says("line 77 of the log") {
		t.Errorf("got\n%s", d.Text())
	}
	d.Press(keymap.Back)
	if _, closed := uitest.Last[pane.Close](d); closed || d.Says("1 of 1") {
		t.Error("Back does not end the search first")
	}
	d.Press(keymap.Back)
	if _, closed := uitest.Last[pane.Close](d); !closed {
		t.Error("Back does not close")
	}
}

func TestTheBeginningIsReadOnDemand(t *testing.T) {
	t.Parallel()
	log := numbered(100)
	log.Omitted, log.Size = 1_000_000, 1_002_000
	d := opened(t, 80, 20, log)
	d.Press(keymap.Top)
	first := mustAsk(t, d)
	d.Press(keymap.Top)
	more := mustAsk(t, d)
	if more.Gen <= first.Gen || more.Ask.Query.Tail < 400 || more.Ask.Query.Bytes < 8000 {
		t.Fatalf("asked %+v", more)
	}
	whole := numbered(5000)
	d.Answer(more, pane.Answer{Log: whole}, nil)
	if !d.Says("line 4901 of the log") {
		t.Errorf("the window jumped:\n%s", d.Text())
	}
}

func TestSavingWritesCleanText(t *testing.T) {
	t.Parallel()
	d := opened(t, 80, 20, uitest.FailedLog())
	d.Press(keymap.Save)
	s, ok := uitest.Last[pane.Save](d)
	if !ok {
		t.Fatal("nothing is saved")
	}
	b, err := io.ReadAll(s.From)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if s.Name != "job-9104.log" || len(lines) != 31 || !strings.HasSuffix(lines[0], "Z Set up job") {
		t.Errorf("%s has %d lines, the first %q", s.Name, len(lines), lines[0])
	}
}

func TestHugeLinesDoNotHurt(t *testing.T) {
	t.Parallel()
	log := sources.Log{FirstError: -1}
	for range 100 {
		log.Lines = append(log.Lines, sources.LogLine{Text: clean.Line(strings.Repeat("wide 語 ", 1<<14))})
	}
	d := opened(t, 80, 20, log)
	d.Press(keymap.Wrap, keymap.Top, keymap.PageDown, keymap.Bottom, keymap.PageUp, keymap.Top)
	d.Press(keymap.Filter)
	d.Type("語 wide")
	if !d.Says("語") {
		t.Error("nothing is drawn")
	}
}

func TestTinyRegions(t *testing.T) {
	t.Parallel()
	for _, wrap := range []bool{false, true} {
		d := opened(t, 80, 20, uitest.FailedLog())
		if wrap {
			d.Press(keymap.Wrap)
		}
		for w := range 30 {
			for h := range 12 {
				d.Resize(w, h)
				d.Press(keymap.Up, keymap.Down)
				d.Grid()
			}
		}
	}
}

// BenchmarkKey is a line down and the frame after it; its cost must not grow with the log.
func BenchmarkKey(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := drive(200, 50)
			l, _ := uitest.Asked(d, asks)
			d.Answer(l, pane.Answer{Log: numbered(n)}, nil)
			d.Press(keymap.Top)
			g := d.Grid()
			b.ReportAllocs()
			for b.Loop() {
				d.Press(keymap.Down)
				d.Pane.Draw(d.Env, g.Region())
			}
		})
	}
}
