package ui_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
)

// The sequences, as terminals know them.
const (
	bel     = "\a"
	push    = "\x1b[22;2t"
	pop     = "\x1b]2;\x1b\\\x1b[23;2t"
	title1  = "\x1b]2;● P1 checkout: 5xx above 2 % — signalbox\x1b\\"
	notice1 = "\x1b]9;signalbox: P1 checkout: 5xx above 2 %\x1b\\"
)

// world makes the snapshots of one session.
type world struct {
	b          *board
	generation uint64
	health     store.HealthState
	cached     bool
}

// watched is a board with a source of pages and one of monitors, and everything that calls for attention on.
func watched(t *testing.T, how ui.Attention, edits ...func(*ui.Options)) *world {
	t.Helper()
	b := newBoard(t, 100, 30, func(o *ui.Options, _ *board) {
		o.Attention, o.Notify = how, ui.NotifyOSC9
		o.Snapshot = nil
		for _, edit := range edits {
			edit(o)
		}
	})
	return &world{b: b, health: store.Healthy}
}

func loud() ui.Attention { return ui.Attention{Bell: true, Title: true, Notify: ui.NotifyAuto} }

func everybody() ui.Attention {
	a := loud()
	a.All = true
	return a
}

func (w *world) now() time.Time { return w.b.clock.now() }

// show brings a snapshot with these pages and monitors, and returns what was written since.
func (w *world) show(pages []sources.Incident, monitors ...sources.Monitor) string {
	w.b.t.Helper()
	w.generation++
	s := snapshot(w.now())
	s.Catalog.Services = append(s.Catalog.Services, store.Service{Name: "billing-core", Team: "platform"})
	s.Catalog.Services[0].DependsOn = []string{"billing-core"}
	h := store.Health{State: w.health, Interval: 10 * time.Second, LastGood: w.now(), Cached: w.cached}
	if w.health == store.Loading {
		h.LastGood = time.Time{}
	}
	s.Feeds = append(s.Feeds,
		store.Feed{Key: store.FeedKey{Source: "datadog", Capability: store.Monitors}, Generation: w.generation, Health: h, Monitors: monitors},
		store.Feed{Key: store.FeedKey{Source: "pagerduty", Capability: store.Incidents}, Generation: w.generation, Health: h, Incidents: pages})
	return w.send(ui.SnapshotMsg(s))
}

func (w *world) send(msg tea.Msg) string {
	w.b.t.Helper()
	before := len(w.b.out.controls)
	w.b.send(msg)
	return strings.Join(w.b.out.controls[before:], "")
}

// page is a page for me that was triggered so long ago.
func (w *world) page(id string, ago time.Duration, edits ...func(*sources.Incident)) sources.Incident {
	in := sources.Incident{Ref: sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, ID: id}, Kind: sources.PageIncident, Service: "checkout",
		Title: clean.Const("5xx above 2 %"), Severity: 1, State: sources.Triggered, Mine: true, Created: w.now().Add(-ago), Changed: w.now().Add(-ago)}
	for _, e := range edits {
		e(&in)
	}
	return in
}

func acked(at time.Time) func(*sources.Incident) {
	return func(in *sources.Incident) { in.State, in.Changed = sources.Acknowledged, at }
}

func theirs(in *sources.Incident) { in.Mine = false }

func pages(in ...sources.Incident) []sources.Incident { return in }

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s writes %q, want %q", what, got, want)
	}
}

func TestANewPageCallsOnce(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	expect(t, "a first look", w.show(nil), "")
	w.b.clock.pass(time.Minute)
	p := w.page("Q1", 10*time.Second)
	expect(t, "a new page", w.show(pages(p)), push+title1+bel+notice1)
	expect(t, "a refresh", w.show(pages(p)), "")
	w.b.clock.pass(time.Minute)
	held := p
	acked(w.now())(&held)
	expect(t, "an acknowledgement", w.show(pages(held)), pop)
	w.b.clock.pass(20 * time.Minute)
	p.Changed = w.now()
	expect(t, "being triggered again", w.show(pages(p)), push+title1+bel+notice1)
	expect(t, "a refresh", w.show(pages(p)), "")
	expect(t, "the end", w.show(nil), pop)
}

func TestWhatStandsAtTheStartIsNotNew(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	old := w.page("Q1", 3*time.Minute)
	w.cached = true
	expect(t, "what the disk holds", w.show(pages(old)), push+title1)
	w.cached = false
	w.b.clock.pass(2 * time.Second)
	alsoOld := w.page("Q2", time.Minute)
	expect(t, "the first answer", w.show(pages(old, alsoOld)), "")
	w.b.clock.pass(time.Minute)
	late := w.page("Q3", 4*time.Minute)
	expect(t, "what comes later, however old", w.show(pages(old, alsoOld, late)), bel+notice1)

	w = watched(t, loud())
	w.health = store.Loading
	expect(t, "a feed that has not answered", w.show(nil), "")
	w.health = store.Healthy
	w.b.clock.pass(time.Minute)
	expect(t, "a first answer with a page of this minute", w.show(pages(w.page("Q1", 20*time.Second))), push+title1+bel+notice1)
}

func TestAFeedThatStumblesRingsNothingAgain(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	w.show(nil)
	w.b.clock.pass(time.Minute)
	p := w.page("Q1", 0)
	expect(t, "a new page", w.show(pages(p)), push+title1+bel+notice1)
	for _, h := range []store.HealthState{store.Loading, store.Degraded, store.Failing, store.Throttled, store.Refused} {
		w.health = h
		expect(t, "a feed without its pages", w.show(nil), pop)
		w.health = store.Healthy
		expect(t, "their return", w.show(pages(p)), push+title1)
	}
	w.show(nil)
	w.b.clock.pass(time.Minute)
	expect(t, "one that had ended and is back", w.show(pages(w.page("Q1", 0))), push+title1+bel+notice1)
}

func TestOnePageSeenByTwoSystems(t *testing.T) {
	t.Parallel()
	w := watched(t, everybody())
	w.show(nil)
	w.b.clock.pass(time.Minute)
	m := sources.Monitor{Ref: sources.Ref{Source: "datadog", Kind: sources.KindMonitor, ID: "41"}, Service: "checkout", Name: clean.Const("5xx above 2 %"),
		State: sources.MonitorAlert, Since: w.now(), Severity: 1, Keys: []string{sources.MonitorKey(41)}}
	expect(t, "the monitor", w.show(nil, m), push+title1+bel+notice1)
	w.b.clock.pass(10 * time.Second)
	p := w.page("Q1", 0, func(in *sources.Incident) { in.Keys = m.Keys })
	expect(t, "its page", w.show(pages(p), m), "")
	expect(t, "the monitor alone", w.show(nil, m), "")
	w.b.clock.pass(time.Minute)
	q := w.page("Q2", 0, func(in *sources.Incident) { in.Keys = m.Keys })
	expect(t, "another page for what goes on", w.show(pages(q), m), bel+notice1)
	expect(t, "the page alone", w.show(pages(q)), "")
}

// Two pages that turn out to be one trouble have both called: that they are one is no news.
func TestPagesThatTurnOutToBeOne(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	w.show(nil)
	w.b.clock.pass(time.Minute)
	p, q := w.page("Q1", 0), w.page("Q2", 0, func(in *sources.Incident) { in.Title = clean.Const("card gateway answers slowly") })
	expect(t, "two pages", w.show(pages(p, q)), push+title1+bel+"\x1b]9;signalbox: P1 checkout: 5xx above 2 %, and 1 more\x1b\\")
	p.Keys, q.Keys = []string{sources.IncidentKey("datadog", "7")}, []string{sources.IncidentKey("datadog", "7")}
	expect(t, "one trouble", w.show(pages(p, q)), "")
	expect(t, "one of its pages", w.show(pages(p)), "")
	expect(t, "both again", w.show(pages(p, q)), bel+notice1)
}

func TestMineAndEverybodys(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	w.show(nil)
	w.b.clock.pass(time.Minute)
	expect(t, "somebody else's page", w.show(pages(w.page("Q1", 0, theirs))), "")
	expect(t, "its escalation to me", w.show(pages(w.page("Q1", 0))), push+title1+bel+notice1)
	w.show(nil)
	w.b.clock.pass(time.Minute)
	p := w.page("Q2", 0, theirs)
	expect(t, "somebody else's page", w.show(pages(p)), "")
	w.b.clock.pass(time.Minute)
	expect(t, "the config that wants all", w.send(ui.SettingsMsg(ui.Settings{Attention: everybody()})), push+title1)
	expect(t, "a refresh", w.show(pages(p)), "")
	w.b.clock.pass(time.Minute)
	expect(t, "somebody else's next page", w.show(pages(p, w.page("Q3", 0, theirs))), bel+"\x1b]9;signalbox: P1 checkout: 5xx above 2 %\x1b\\")
	quiet := ui.Settings{}
	expect(t, "the config that wants nothing", w.send(ui.SettingsMsg(quiet)), pop)
	w.b.clock.pass(time.Minute)
	expect(t, "a page then", w.show(pages(w.page("Q4", 0))), "")
}

func TestWhatWakesNobodyCallsNobody(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*sources.Incident){
		"low urgency": func(in *sources.Incident) { in.Low = true },
		"silenced":    func(in *sources.Incident) { in.Silenced = []sources.Silence{{}} },
		"inhibited":   func(in *sources.Incident) { in.Inhibited = true },
		"upstream":    func(in *sources.Incident) { in.Service, in.Mine = "billing-core", false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watched(t, everybody())
			w.show(nil)
			w.b.clock.pass(time.Minute)
			expect(t, name, w.show(pages(w.page("Q1", 0, edit))), "")
		})
	}
}

func TestEachWayCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		how  ui.Attention
		want string
	}{
		{ui.Attention{}, ""},
		{ui.Attention{Bell: true}, bel},
		{ui.Attention{Title: true, Notify: ui.NotifyOff}, push + title1},
		{ui.Attention{Notify: ui.NotifyAuto}, notice1},
		{ui.Attention{Notify: ui.NotifyOSC777}, "\x1b]777;notify;signalbox;P1 checkout: 5xx above 2 %\x1b\\"},
	} {
		w := watched(t, c.how)
		w.show(nil)
		w.b.clock.pass(time.Minute)
		expect(t, "a page", w.show(pages(w.page("Q1", 0))), c.want)
	}
}

func TestAStormRingsOnce(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	w.show(nil)
	w.b.clock.pass(time.Minute)
	var all []sources.Incident
	rings := 0
	for round := range 4 {
		for i := range 15 {
			all = append(all, w.page("S"+strconv.Itoa(100*round+i), 0))
		}
		rings += strings.Count(w.show(all), bel)
		w.b.clock.pass(10 * time.Second)
	}
	if rings != 1 {
		t.Errorf("a storm of %d rings %d times", len(all), rings)
	}
}

func TestAStormRingsForAWorsePage(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	w.show(nil)
	w.b.clock.pass(time.Minute)
	severity := func(n int, title string) func(*sources.Incident) {
		return func(in *sources.Incident) { in.Severity, in.Title = n, clean.Line(title) }
	}
	var all []sources.Incident
	for i := range 15 {
		all = append(all, w.page("S"+strconv.Itoa(i), 0, severity(3, "instance down")))
	}
	if got := w.show(all); strings.Count(got, bel) != 1 {
		t.Fatalf("the storm writes %q", got)
	}
	w.b.clock.pass(5 * time.Second)
	all = append(all, w.page("S15", 0, severity(3, "one more")), w.page("S16", 0, severity(0, "of which nobody says how bad")))
	if got := w.show(all); strings.Contains(got, bel) {
		t.Errorf("more of the same writes %q", got)
	}
	w.b.clock.pass(5 * time.Second)
	all = append(all, w.page("S17", 0, severity(1, "all payments fail")))
	got := w.show(all)
	if strings.Count(got, bel) != 1 || !strings.Contains(got, "signalbox: P1 checkout: all payments fail\x1b") {
		t.Errorf("a worse page writes %q", got)
	}
	w.b.clock.pass(5 * time.Second)
	all = append(all, w.page("S18", 0, severity(1, "another of them")), w.page("S19", 0, severity(1, "not mine"), theirs))
	if got := w.show(all); strings.Contains(got, bel) {
		t.Errorf("another as bad writes %q", got)
	}
}

func TestANotificationIsWrapped(t *testing.T) {
	t.Parallel()
	wrap := func(s string) string { return "<" + s + ">" }
	w := watched(t, loud(), func(o *ui.Options) { o.Wrap = wrap })
	w.show(nil)
	w.b.clock.pass(time.Minute)
	expect(t, "a page", w.show(pages(w.page("Q1", 0))), push+title1+bel+"<"+notice1+">")
	w.show(nil)
	w.b.clock.pass(time.Minute)
	w.send(ui.SettingsMsg(ui.Settings{Attention: ui.Attention{Bell: true, Notify: ui.NotifyOff}}))
	expect(t, "without notifications", w.show(pages(w.page("Q2", 0))), bel)
}

// Whatever a provider calls an incident, the terminal obeys none of it.
func TestHostileTitles(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\x1b]0;owned\a\x1b[2J", "a\ab\x1b\\c\x9c\x07", strings.Repeat("long ", 200), "4;1;50", "x;y;z", strings.Repeat("e\u0301\u0301\u0301", 400), "\u202edne"} {
		w := watched(t, ui.Attention{Bell: true, Title: true, Notify: ui.NotifyOSC777})
		w.show(nil)
		w.b.clock.pass(time.Minute)
		got := w.show(pages(w.page("Q1", 0, func(in *sources.Incident) { in.Title, in.Service, in.Severity = clean.Line(text), "", 0 })))
		if n := strings.Count(got, "\a"); n != 1 {
			t.Errorf("%q rings %d times: %q", text, n, got)
		}
		if n := strings.Count(got, "\x1b"); n != 5 { // push, title and its end, notification and its end
			t.Errorf("%q makes %d sequences: %q", text, n, got)
		}
		if len(got) > 2000 {
			t.Errorf("%q takes %d bytes", text[:20], len(got))
		}
	}
}

func TestTheTitleComesBackAfterSuspension(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	w.show(nil)
	w.b.clock.pass(time.Minute)
	w.show(pages(w.page("Q1", 0)))
	expect(t, "the return", w.send(tea.ResumeMsg{}), push+title1)
}

func TestTerminalNotify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		term, program string
		mux           bool
		want          string
	}{
		{"xterm-256color", "iTerm.app", false, ui.NotifyOSC9},
		{"xterm-256color", "WezTerm", false, ui.NotifyOSC9},
		{"xterm-kitty", "", false, ui.NotifyOSC9},
		{"xterm-ghostty", "ghostty", false, ui.NotifyOSC9},
		{"foot", "", false, ui.NotifyOSC777},
		{"rxvt-unicode-256color", "", false, ui.NotifyOSC777},
		{"xterm-256color", "", false, ui.NotifyOff},
		{"xterm-256color", "Apple_Terminal", false, ui.NotifyOff},
		{"linux", "", false, ui.NotifyOff},
		{"tmux-256color", "iTerm.app", false, ui.NotifyOff},
		{"xterm-256color", "iTerm.app", true, ui.NotifyOff},
	} {
		if got := ui.TerminalNotify(c.term, c.program, c.mux); got != c.want {
			t.Errorf("TERM=%s TERM_PROGRAM=%s multiplexed=%v: %s, want %s", c.term, c.program, c.mux, got, c.want)
		}
	}
}

// While the terminal takes its time, what comes meanwhile is written after it, and the loop goes on.
func TestASlowTerminalHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	w.show(nil)
	w.b.clock.pass(time.Minute)
	var waiting []tea.Cmd
	for _, in := range [][]sources.Incident{pages(w.page("Q1", 0)), nil, pages(w.page("Q2", 0)), nil} {
		s := snapshot(w.now())
		w.generation++
		s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: "pagerduty", Capability: store.Incidents}, Generation: w.generation,
			Health: store.Health{State: store.Healthy, Interval: 10 * time.Second, LastGood: w.now()}, Incidents: in})
		_, cmd := w.b.app.Update(ui.SnapshotMsg(s))
		waiting = append(waiting, cmd)
	}
	if n := len(w.b.out.controls); n != 0 {
		t.Fatalf("the loop itself wrote %q", w.b.out.controls)
	}
	for _, cmd := range waiting {
		w.b.run(cmd)
	}
	expect(t, "all of it", strings.Join(w.b.out.controls, ""), push+title1+bel+notice1+pop+bel+notice1)
}
