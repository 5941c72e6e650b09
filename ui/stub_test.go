package ui_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// stub is a pane with a list of services, one run each. It notes what reaches it.
type stub struct {
	id       pane.ID
	title    string
	services []string
	got      []tea.Msg
	list     component.List[string]
	field    *component.TextField
	second   bool
	draws    int
	disabled map[keymap.Action]string
	answer   func(pane.Action) tea.Cmd
}

func (s *stub) rows() component.Rows[string] {
	return component.Rows[string]{N: len(s.services), Key: func(i int) string { return s.services[i] }}
}

func (s *stub) ID() pane.ID   { return s.id }
func (s *stub) Init() tea.Cmd { return nil }
func (s *stub) Heading(pane.Env) pane.Heading {
	h := pane.Heading{Title: clean.Line(s.title)}
	if len(s.services) > 0 {
		h.Summary = []pane.Part{{Token: theme.Busy, Text: clean.Const("1 running")}, {Token: theme.Muted, Text: clean.Const(" · ")}, {Token: theme.Crit, Text: clean.Const("1 failed")}}
		h.Tab = []pane.Part{{Token: theme.Crit, Text: clean.Const("1✗")}}
	}
	return h
}

func (s *stub) Update(_ pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	s.got = append(s.got, msg)
	switch m := msg.(type) {
	case pane.Changed:
		s.list.Sync(s.rows())
	case pane.Sized:
		s.list.Resize(m.H, s.rows())
	case pane.Click:
		s.list.Click(m.Y, s.rows())
	case pane.Action:
		return s, s.act(m)
	case tea.KeyMsg:
		if k := m.String(); k == "enter" || k == "esc" {
			s.field = nil
		} else {
			s.field.Update(m)
		}
	}
	return s, nil
}

func (s *stub) act(a pane.Action) tea.Cmd {
	if s.answer != nil {
		if cmd := s.answer(a); cmd != nil {
			return cmd
		}
	}
	s.list.Do(a.Action, a.Count, s.rows())
	switch a.Action {
	case keymap.Filter:
		f := component.NewTextField()
		s.field = &f
	case keymap.Back:
		return send(pane.Close{})
	case keymap.OpenDetail:
		if k, ok := s.list.Key(); ok {
			return send(pane.Open{Ref: runRef(k)})
		}
	default:
	}
	return nil
}

func (s *stub) Draw(e pane.Env, r screen.Region) {
	s.draws++
	_, h := r.Size()
	if len(s.services) == 0 {
		r.Label(1, 0, e.Theme.Style(theme.Muted), "no source is configured")
		return
	}
	at, _ := s.list.At()
	for i := s.list.Top(); i < len(s.services) && i-s.list.Top() < h; i++ {
		y := i - s.list.Top()
		if i == at {
			r.Text(0, y, e.Theme.Style(theme.Accent), e.Theme.Glyph(theme.GlyphCursor))
		}
		r.Text(2, y, e.Theme.Style(theme.Strong), clean.Line(s.services[i]))
		r.Label(14, y, e.Theme.Style(theme.Text), "deploy  main  passed 3m12s")
	}
	if s.field != nil {
		s.field.Draw(r.Sub(0, h-1, 99, 1), e.Theme)
	}
}

func (s *stub) Keys(pane.Env) []keymap.Binding {
	return []keymap.Binding{
		{Action: keymap.OpenDetail, Help: "open", Disabled: s.disabled[keymap.OpenDetail]},
		{Action: keymap.Logs, Help: "log", Disabled: s.disabled[keymap.Logs]},
		{Action: keymap.Filter, Help: "filter", Disabled: s.disabled[keymap.Filter]},
	}
}

func (s *stub) Selected(pane.Env) (pane.Selection, bool) {
	k, ok := s.list.Key()
	if !ok {
		return pane.Selection{}, false
	}
	return pane.Selection{Ref: runRef(k), Service: k, Name: clean.Line(k), URL: "https://ci.example.com/" + k}, true
}

func (s *stub) Seconds(pane.Env) bool { return s.second }
func (s *stub) Typing() bool          { return s.field != nil }

func runRef(service string) sources.Ref {
	return sources.Ref{Source: "github", Kind: sources.KindRun, Scope: "acme/" + service, ID: service}
}

func send(m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }

// backend is a world that notes what it is asked.
type backend struct {
	snaps   chan *store.Snapshot
	events  chan pane.Event
	refresh [][]store.FeedKey
	attends []bool
	browsed []string
	saved   []string
	watches []pane.Watch
	noWeb   error
	load    func(context.Context, pane.Ask) (pane.Answer, error)
}

func newBackend() *backend {
	return &backend{snaps: make(chan *store.Snapshot, 1), events: make(chan pane.Event, 1)}
}

func (b *backend) Snapshots() <-chan *store.Snapshot { return b.snaps }
func (b *backend) Events() <-chan pane.Event         { return b.events }
func (b *backend) Refresh(f ...store.FeedKey)        { b.refresh = append(b.refresh, f) }
func (b *backend) Attend(p bool)                     { b.attends = append(b.attends, p) }
func (b *backend) Watch(w pane.Watch)                { b.watches = append(b.watches, w) }
func (b *backend) Load(ctx context.Context, a pane.Ask) (pane.Answer, error) {
	if b.load == nil {
		return pane.Answer{}, errors.New("nothing to load")
	}
	return b.load(ctx, a)
}
func (b *backend) Browse(_ context.Context, url string) error {
	b.browsed = append(b.browsed, url)
	return b.noWeb
}
func (b *backend) Save(name string, from io.Reader) (string, error) {
	data, err := io.ReadAll(from)
	if err != nil {
		return "", err
	}
	if name == "full" {
		return "", &sources.Error{Kind: sources.Invalid, Op: "save the log", Msg: "the disk is full", Fix: "make room and press s again"}
	}
	b.saved = append(b.saved, string(data))
	return "/home/sre1/" + name, nil
}

// output is a screen that keeps what it was given.
type output struct {
	flushes  int
	causes   []screen.Cause
	controls []string
	broken   error
}

func (o *output) Flush(_ *screen.Grid, c screen.Cause) {
	o.flushes++
	o.causes = append(o.causes, c)
}

func (o *output) WriteString(s string) (int, error) {
	o.controls = append(o.controls, s)
	return len(s), o.broken
}

// board is an App under test.
type board struct {
	t     testing.TB
	app   *ui.App
	back  *backend
	out   *output
	clock *clock
	panes []*stub
	// quit and suspended tell whether the program was asked to end or to stop.
	quit, suspended bool
	details         []*stub
	// unsized leaves it to the test to tell the size, and to run what waits for the world.
	unsized bool
}

// option changes what a board under test is made of.
type option func(*ui.Options, *board)

var services = []string{"checkout", "search", "web", "accounts", "ledger"}

func newBoard(t testing.TB, w, h int, opts ...option) *board {
	t.Helper()
	b := &board{t: t, back: newBackend(), out: &output{}, clock: &clock{t: time.Date(2026, 11, 21, 2, 14, 20, 0, time.UTC)}}
	b.panes = []*stub{
		{id: "incidents", title: "Incidents"}, {id: "metrics", title: "Metrics"},
		{id: "pipelines", title: "Pipelines", services: services}, {id: "deployments", title: "Deployments", services: services},
	}
	o := ui.Options{
		Backend: b.back, Screen: b.out, Clock: b.clock.now, Snapshot: snapshot(b.clock.now()),
		Settings: ui.Settings{Theme: theme.New(theme.Options{Depth: theme.TrueColor}), Mouse: true},
		Detail:   b.detail,
		Idle:     func(_ pane.Env, id pane.ID) bool { return id == "incidents" || id == "metrics" },
		Strips:   strips,
		Wrong: func(e pane.Env) [][]pane.Part {
			return [][]pane.Part{{{Token: theme.Crit, Text: e.Theme.Glyph(theme.GlyphFailed)}, {Token: theme.Text, Text: clean.Const(" ledger ci failed 3m ago")}}}
		},
	}
	for _, p := range b.panes {
		o.Panes = append(o.Panes, p)
	}
	for _, opt := range opts {
		opt(&o, b)
	}
	if b.unsized {
		b.app = ui.New(t.Context(), o)
		return b
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	b.app = ui.New(over, o)
	b.send(tea.WindowSizeMsg{Width: w, Height: h})
	return b
}

func (b *board) detail(r sources.Ref) (pane.Pane, error) {
	if r.ID == "web" {
		return nil, &sources.Error{Kind: sources.NotExist, Op: "read the run", Scope: r.Scope, Msg: "the run is gone", Fix: "refresh with ctrl+r"}
	}
	d := &stub{id: pane.ID("run:" + r.ID), title: "Run " + r.ID, services: []string{r.ID + "-job", "other-job"}}
	b.details = append(b.details, d)
	return d, nil
}

func strips(_ pane.Env, service string) []pane.Strip {
	line := func(s string) func(screen.Region) {
		return func(r screen.Region) { r.Text(1, 0, screen.Style{}, clean.Line(s)) }
	}
	out := []pane.Strip{{Heading: pane.Heading{Title: clean.Const("waits for a person")}, Lines: 2, Draw: line("◔ search  approval for prod")}}
	if service == "" {
		return out
	}
	return append([]pane.Strip{{Heading: pane.Heading{Title: clean.Line(service)}, Lines: 3, Draw: line("prod v1.9.2 10m")}}, out...)
}

func snapshot(now time.Time) *store.Snapshot {
	s := &store.Snapshot{Seq: 1, At: now, Catalog: &store.Catalog{Team: "payments", Sources: []store.SourceInfo{
		{Name: "github", Type: "github", Capabilities: []store.Capability{store.Runs, store.Environments}},
	}}}
	for _, name := range services {
		s.Catalog.Services = append(s.Catalog.Services, store.Service{Name: name, Source: "github", Repo: "acme/" + name})
		s.Feeds = append(s.Feeds, store.Feed{
			Key: store.FeedKey{Source: "github", Capability: store.Runs, Scope: "acme/" + name},
			Health: store.Health{State: store.Healthy, Since: now.Add(-time.Hour), LastGood: now.Add(-5 * time.Second),
				Next: now.Add(10 * time.Second), Interval: 15 * time.Second, Latency: 212 * time.Millisecond,
				Rate: sources.Rate{Limit: 5000, Remaining: 4812, Reset: now.Add(20 * time.Minute)}},
		})
	}
	s.Catalog.Services[0].Runbook = "https://runbooks.example.com/checkout"
	return s
}

// send hands a message to the App and runs what comes back, but for what waits.
func (b *board) send(msg tea.Msg) {
	b.t.Helper()
	_, cmd := b.app.Update(msg)
	b.run(cmd)
}

// run carries out commands as Bubble Tea would. What waits for the world ends at once: its context is over.
func (b *board) run(cmd tea.Cmd) {
	if cmd != nil {
		b.take(cmd())
	}
}

func (b *board) take(msg tea.Msg) {
	switch m := msg.(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range m {
			b.run(c)
		}
	case tea.QuitMsg:
		b.quit = true
	case tea.SuspendMsg:
		b.suspended = true
	default:
		b.send(m)
	}
}

// press sends keys by their names; one of several letters, as in "jjj", arrives in one read.
func (b *board) press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.send(keyOf(k))
	}
}

// read hands over keys that arrived in one read: what the App sends itself comes after the last of them.
func (b *board) read(keys ...string) {
	b.t.Helper()
	var cmds []tea.Cmd
	for _, k := range keys {
		_, cmd := b.app.Update(keyOf(k))
		cmds = append(cmds, cmd)
	}
	b.run(tea.Batch(cmds...))
}

func keyOf(k string) tea.KeyMsg {
	named := map[string]tea.KeyType{
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"left": tea.KeyLeft, "right": tea.KeyRight, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome, "end": tea.KeyEnd,
		"ctrl+c": tea.KeyCtrlC, "ctrl+z": tea.KeyCtrlZ, "ctrl+r": tea.KeyCtrlR, "ctrl+d": tea.KeyCtrlD, "ctrl+u": tea.KeyCtrlU, "backspace": tea.KeyBackspace,
	}
	if t, ok := named[k]; ok {
		return tea.KeyMsg{Type: t}
	}
	if k == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
}

func (b *board) text() string { return b.app.Frame().String() }

func (b *board) line(y int) string {
	lines := strings.Split(b.text(), "\n")
	if y < 0 {
		y += len(lines) - 1
	}
	return lines[y]
}

// says fails the test when the screen does not show s in one line.
func (b *board) says(s string) {
	b.t.Helper()
	if !strings.Contains(b.text(), s) {
		b.t.Errorf("the screen does not say %q:\n%s", s, b.text())
	}
}

func (b *board) hides(s string) {
	b.t.Helper()
	if strings.Contains(b.text(), s) {
		b.t.Errorf("the screen says %q:\n%s", s, b.text())
	}
}

// last is the last message of type M that a pane got.
func last[M tea.Msg](s *stub) (m M, ok bool) {
	for i := len(s.got) - 1; i >= 0; i-- {
		if m, ok := s.got[i].(M); ok {
			return m, true
		}
	}
	return m, false
}

func (s *stub) forget() { s.got = nil }

func (s *stub) String() string { return fmt.Sprintf("%s %v", s.id, s.got) }
