package incident

import (
	"errors"
	"os"
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

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

func sizes() []uitest.Size {
	return []uitest.Size{{W: 200, H: 50}, {W: 160, H: 48}, {W: 120, H: 40}, {W: 80, H: 24}, {W: 60, H: 12}, {W: 40, H: 10}}
}

func drive(snap *store.Snapshot, ref sources.Ref, w, h int) *uitest.Driver {
	return uitest.Drive(New(ref), uitest.Env(snap), w, h)
}

func isIncident(a pane.Ask) bool { return !a.Incident.IsZero() }

// answered is the detail of the story's page with its answer.
func answered(t *testing.T, w, h int) *uitest.Driver {
	t.Helper()
	d := drive(uitest.Night(), uitest.PageRef("Q1"), w, h)
	l, ok := uitest.Asked(d, isIncident)
	if !ok {
		t.Fatal("nothing is asked")
	}
	d.Answer(l, pane.Answer{Incident: uitest.PageDetail()}, nil)
	return d
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, s := range sizes() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			w, h := s.Whole()
			if w == 0 {
				w, h = s.W, s.H
			}
			d := answered(t, w, h)
			golden.Check(t, "page-"+s.String(), d.Framed(0), d.Env.Theme)
			d.Press(keymap.Bottom)
			golden.Check(t, "end-"+s.String(), d.Framed(0), d.Env.Theme)
			d.Env = uitest.Plain(d.Env)
			golden.Check(t, "plain-"+s.String(), d.Framed(0), d.Env.Theme)
		})
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	refused := &sources.Error{Kind: sources.Permission, Op: "read", Msg: "the token may not read log entries", Fix: "give it incidents.read"}
	monitor := sources.Ref{Source: "datadog", Kind: sources.KindMonitor, ID: "77"}
	for name, c := range map[string]struct {
		snap *store.Snapshot
		ref  sources.Ref
		edit func(*uitest.Driver)
	}{
		"loading": {uitest.Night(), uitest.PageRef("Q1"), func(*uitest.Driver) {}},
		"refused": {uitest.Night(), uitest.PageRef("Q1"), func(d *uitest.Driver) { answer(d, sources.IncidentDetail{}, refused) }},
		"unknown": {uitest.Story(), uitest.PageRef("Q9"), func(*uitest.Driver) {}},
		"unread":  {uitest.Story(), uitest.PageRef("Q9"), func(d *uitest.Driver) { answer(d, sources.IncidentDetail{}, refused) }},
		"found":   {uitest.Story(), uitest.PageRef("Q1"), func(d *uitest.Driver) { answer(d, uitest.PageDetail(), nil) }},
		"gone":    {uitest.Night(), uitest.PageRef("Q1"), func(d *uitest.Driver) { answer(d, uitest.PageDetail(), nil); d.Show(uitest.Story()) }},
		"resolved": {uitest.Night(), uitest.PageRef("Q1"), func(d *uitest.Driver) {
			answer(d, uitest.PageDetail(), nil)
			d.Show(uitest.Story())
			over := uitest.PageDetail()
			over.Incident.State, over.Incident.Ended, over.Incident.EndedBy = sources.Resolved, uitest.Now(), clean.Line("sre2")
			over.Incident.Changed = uitest.Now()
			answer(d, over, nil)
		}},
		"monitor":      {uitest.Hard(), monitor, func(*uitest.Driver) {}},
		"silenced":     {uitest.Hard(), uitest.PageRef("H6"), func(*uitest.Driver) {}},
		"unmapped":     {uitest.Hard(), uitest.PageRef("H3"), func(*uitest.Driver) {}},
		"upstream":     {uitest.Night(), uitest.PageRef("Q4"), func(*uitest.Driver) {}},
		"of a storm":   {uitest.Stormy(30), uitest.PageRef("S107"), func(*uitest.Driver) {}},
		"acknowledged": {uitest.Night(), uitest.PageRef("Q2"), func(*uitest.Driver) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := drive(c.snap, c.ref, 98, 30)
			c.edit(d)
			golden.Check(t, strings.ReplaceAll(name, " ", "-"), d.Framed(0), d.Env.Theme)
		})
	}
}

func answer(d *uitest.Driver, detail sources.IncidentDetail, err error) {
	if l, ok := uitest.Asked(d, isIncident); ok {
		d.Answer(l, pane.Answer{Incident: detail}, err)
	}
}

func TestEachRevisionIsAskedForOnce(t *testing.T) {
	t.Parallel()
	d := answered(t, 80, 50)
	asks := func() int {
		n := 0
		for _, in := range d.Intents {
			if _, ok := in.(pane.Load); ok {
				n++
			}
		}
		return n
	}
	if n := asks(); n != 1 {
		t.Fatalf("%d questions for one incident", n)
	}
	d.Show(uitest.Night())
	if n := asks(); n != 1 {
		t.Errorf("a refresh without news asks again: %d", n)
	}
	next := uitest.Night()
	for i := range next.Feeds {
		for k := range next.Feeds[i].Incidents {
			if in := &next.Feeds[i].Incidents[k]; in.Ref == uitest.PageRef("Q1") {
				in.Revision += "2"
				next.Feeds[i].Generation++
			}
		}
	}
	d.Show(next)
	if n := asks(); n != 2 {
		t.Errorf("%d questions after a change", n)
	}
	l, _ := uitest.Asked(d, isIncident)
	stale := l
	stale.Gen--
	d.Answer(stale, pane.Answer{}, errors.New("overtaken"))
	if d.Says("overtaken") {
		t.Error("an answer to an older question is shown")
	}
	d.Answer(l, pane.Answer{}, errors.New("broken"))
	if !d.Says("looking at the retry flag") || !d.Says("not read again: pagerduty: broken") {
		t.Errorf("a failed question takes away what was known\n%s", d.Text())
	}
}

func TestSectionsFoldAndLinksOpen(t *testing.T) {
	t.Parallel()
	d := answered(t, 100, 60)
	var urls, titles []string
	for range 80 {
		s, _ := d.Pane.Selected(d.Env)
		urls = append(urls, s.URL)
		if keys := d.Pane.Keys(d.Env); keys[0].Help == "fold" {
			titles = append(titles, keys[0].Help)
		}
		d.Press(keymap.Down)
	}
	for _, want := range []string{"https://pages.example.com/Q1", "https://metrics.example.com/monitors/4101", "https://pages.example.com/A1",
		"https://pages.example.com/R1", "https://runbooks.example.com/checkout/5xx"} {
		if !strings.Contains(strings.Join(urls, " "), want) {
			t.Errorf("no line opens %s", want)
		}
	}
	if len(titles) < 6 {
		t.Errorf("%d sections fold", len(titles))
	}
	d.Press(keymap.Top)
	for range 80 {
		if d.Pane.Keys(d.Env)[0].Help == "fold" {
			break
		}
		d.Press(keymap.Down)
	}
	lines := len(d.Pane.(*Pane).rows)
	d.Press(keymap.OpenDetail)
	if now := len(d.Pane.(*Pane).rows); now >= lines {
		t.Errorf("folding a section leaves %d of %d lines", now, lines)
	}
	d.Press(keymap.OpenDetail)
	if now := len(d.Pane.(*Pane).rows); now != lines {
		t.Errorf("unfolding shows %d of %d lines", now, lines)
	}
	d.Press(keymap.Back)
	if _, ok := uitest.Last[pane.Close](d); !ok {
		t.Error("Back does not close")
	}
	d.Press(keymap.Refresh)
	if r, ok := uitest.Last[pane.Refresh](d); !ok || len(r.Feeds) != 2 {
		t.Errorf("refreshes %+v", r.Feeds)
	}
}

func TestASuspectOpensItsEnvironment(t *testing.T) {
	t.Parallel()
	d := answered(t, 100, 60)
	for range 80 {
		d.Press(keymap.OpenDetail, keymap.OpenDetail, keymap.Down)
		if o, ok := uitest.Last[pane.Open](d); ok {
			if o.Ref.Kind != sources.KindEnvironment {
				t.Errorf("opens %s", o.Ref)
			}
			return
		}
	}
	t.Error("no line opens an environment")
}

func TestSecondsOnlyForACountdown(t *testing.T) {
	t.Parallel()
	d := answered(t, 80, 24)
	if !d.Pane.Seconds(d.Env) {
		t.Error("no seconds for a countdown")
	}
	d.Env.Now = d.Env.Now.Add(5 * time.Minute)
	if d.Pane.Seconds(d.Env) {
		t.Error("seconds after it")
	}
}

// TestAnyTextStaysInside draws any text at any size, into a region amid others.
func TestAnyTextStaysInside(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " ", "\x1b]0;title\a\x1b[2J", "日本語日本語日本語日本語", "e\u0301\u0301\u0301", strings.Repeat("long ", 300), strings.Repeat("x", 700)} {
		detail := uitest.PageDetail()
		for i := range detail.Log {
			detail.Log[i].Who, detail.Log[i].Text, detail.Log[i].Via = clean.Line(text), clean.Line(text), clean.Line(text)
		}
		for i := range detail.Notes {
			detail.Notes[i].Who, detail.Notes[i].Text = clean.Line(text), clean.Line(text)
		}
		for i := range detail.Alerts {
			detail.Alerts[i].Title, detail.Alerts[i].Labels = clean.Line(text), []clean.Text{clean.Line(text)}
		}
		detail.Incident.Title = clean.Line(text)
		d := drive(uitest.Story(), uitest.PageRef("Q1"), 80, 24)
		answer(d, detail, nil)
		for _, w := range []int{0, 1, 2, 3, 5, 8, 13, 14, 21, 34, 55, 89} {
			for h := range 5 {
				d.Resize(w, 4*h)
				d.Press(keymap.PageDown)
				g := screen.NewGrid(w+2, 4*h+2)
				g.Region().Fill(screen.Style{Attr: screen.Strike})
				d.Pane.Draw(d.Env, g.Region().Sub(1, 1, w, 4*h))
				d.Pane.Heading(d.Env)
				outside(t, g, w, 4*h)
			}
		}
	}
}

func outside(t *testing.T, g *screen.Grid, w, h int) {
	t.Helper()
	r := g.Region()
	for y := range h + 2 {
		for x := range w + 2 {
			if (x == 0 || y == 0 || x == w+1 || y == h+1) && r.Style(x, y).Attr&screen.Strike == 0 {
				t.Fatalf("%d×%d: the cell at %d, %d was drawn", w, h, x, y)
			}
		}
	}
}

func TestLongLabelsUnfold(t *testing.T) {
	t.Parallel()
	detail := uitest.PageDetail()
	for range 40 {
		detail.Alerts[0].Labels = append(detail.Alerts[0].Labels, clean.Const("some_label=some_value"))
	}
	detail.Alerts[0].Labels = append(detail.Alerts[0].Labels, clean.Const("last=one"))
	d := drive(uitest.Night(), uitest.PageRef("Q1"), 100, 60)
	answer(d, detail, nil)
	if d.Says("last=one") || !d.Says("all labels") {
		t.Fatalf("all labels show\n%s", d.Text())
	}
	for range 40 {
		if d.Pane.Keys(d.Env)[0].Help == "unfold" {
			break
		}
		d.Press(keymap.Down)
	}
	d.Press(keymap.OpenDetail)
	if !d.Says("last=one") || d.Pane.Keys(d.Env)[0].Help != "fold" {
		t.Fatalf("not all labels show\n%s", d.Text())
	}
	d.Press(keymap.OpenDetail)
	if d.Says("last=one") {
		t.Error("they do not fold again")
	}
}

// What tells alerts apart is seen at once; what all of them say, or the detail does, is a key away.
func TestLabelsThatTellApart(t *testing.T) {
	t.Parallel()
	label := func(all ...string) []clean.Text {
		var out []clean.Text
		for _, l := range all {
			out = append(out, clean.Line(l))
		}
		return out
	}
	for name, c := range map[string]struct {
		labels      [][]clean.Text
		says, hides []string
	}{
		"common": {[][]clean.Text{label("job=web", "instance=a"), label("job=web", "instance=b")}, []string{"instance=a", "instance=b", "all labels"}, []string{"job=web"}},
		"alone": {[][]clean.Text{label("service=checkout", "env=prod", "alertname=5xx above 2 % for 5m", "pod=web-7")}, []string{"pod=web-7", "all labels"},
			[]string{"service=", "env=", "alertname="}},
		"places":   {[][]clean.Text{label("region=eu"), label("region=us")}, []string{"region=eu", "region=us"}, []string{"all labels"}},
		"services": {[][]clean.Text{label("service=checkout"), label("service=web")}, []string{"service=checkout", "service=web"}, nil},
		"alike":    {[][]clean.Text{label("job=web"), label("job=web")}, nil, []string{"job=web"}},
		"none":     {[][]clean.Text{nil, nil}, nil, []string{"all labels"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			detail := uitest.PageDetail()
			detail.Alerts = nil
			for i, labels := range c.labels {
				detail.Alerts = append(detail.Alerts, sources.Alert{Title: clean.Linef("alert %d", i), Labels: labels})
			}
			d := drive(uitest.Night(), uitest.PageRef("Q1"), 100, 60)
			answer(d, detail, nil)
			for _, s := range c.says {
				if !d.Says(s) {
					t.Errorf("%q is not said\n%s", s, d.Text())
				}
			}
			for _, s := range c.hides {
				if d.Says(s) {
					t.Errorf("%q is said\n%s", s, d.Text())
				}
			}
			for range 40 {
				if d.Pane.Keys(d.Env)[0].Help == "unfold" {
					break
				}
				d.Press(keymap.Down)
			}
			d.Press(keymap.OpenDetail)
			for _, l := range c.labels[0] {
				if !d.Says(l.String()) {
					t.Errorf("%q is not unfolded\n%s", l, d.Text())
				}
			}
		})
	}
}
