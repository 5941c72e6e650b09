package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/alertmanager"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/httpx"
	sim "example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/world"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/sourcetest/realserver"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// lab is a board before real servers, with a clock that stands still until the test moves it: what differs
// between two frames of one moment has really changed.
type lab struct {
	t     *testing.T
	world *realserver.World
	board *wire.Board

	mu  sync.Mutex
	now time.Time
}

func (l *lab) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now.IsZero() {
		return time.Now()
	}
	return l.now
}

// at puts the board's clock, where it stands still; the zero time lets it go with the machine's.
func (l *lab) at(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = now
}

const labConfig = `
team: shopping
sources:
  github: {type: github, base_url: %q, token: "file:%s"}
  prometheus: {type: prometheus, url: %q}
  alertmanager: {type: alertmanager, urls: [%s]}
services:
  shop:
    repo: github:load/service-001
    environments: [dev, staging]
    incidents: [alertmanager:shop]
    metrics: [{name: gauge, source: prometheus, query: 'test_gauge{service="{{service}}"}', limit: 1}]
  cart:
    repo: github:load/service-002
    environments: [dev, staging]
    incidents: [alertmanager:cart]
    metrics: [{name: gauge, source: prometheus, query: 'test_gauge{service="{{service}}"}', limit: 1}]
`

func startLab(t *testing.T) *lab {
	t.Helper()
	realserver.Need(t)
	w, err := realserver.Start(t.Context(), realserver.Options{Alertmanagers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	// Nothing moves in this world: its clock stands still.
	hub, err := sim.Start(t.Context(), sim.Options{Start: time.Now(), Scale: world.Scale{Repositories: 2, Runs: 12}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(hub.Token()), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(labConfig, hub.APIURL(), token, w.Prometheus.URL, w.Alertmanagers[0].URL+", "+w.Alertmanagers[1].URL)
	l := &lab{t: t, world: w, now: time.Now()}
	l.open([]byte(text), l.clock)
	return l
}

// open runs a board of a config, in memory alone, until the test ends.
func (l *lab) open(text []byte, now func() time.Time) {
	l.t.Helper()
	cfg, err := config.Parse("lab.yaml", text, wire.LoadOptions())
	if err != nil {
		l.t.Fatal(err)
	}
	cfg.Files = nil
	l.board, err = wire.New(wire.Options{Config: cfg, Now: now, Lookup: func(string) (string, bool) { return "", false }, Private: true, Stateless: true})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(l.t.Context())
	ran := make(chan error, 1)
	go func() { ran <- l.board.Run(ctx) }()
	l.t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			l.t.Error(err)
		}
		_ = l.board.Close()
	})
}

// until waits for a snapshot that ok accepts. Meanwhile it asks again and again for fresh answers, as an
// impatient person would; quiet leaves that to the board.
func (l *lab) until(what string, quiet bool, ok func(*store.Snapshot) bool) *store.Snapshot {
	l.t.Helper()
	late := time.NewTimer(2 * patience)
	defer late.Stop()
	again := time.NewTicker(2 * time.Second)
	defer again.Stop()
	for {
		if s := l.board.Snapshot(); ok(s) {
			return s
		}
		select {
		case <-l.board.Snapshots():
		case <-again.C:
			if !quiet {
				l.board.Refresh()
			}
		case <-late.C:
			for _, f := range l.board.Snapshot().Feeds {
				l.t.Logf("%s: %d %v %v", f.Key, f.Health.State, f.Health.Err, f.Health.Notices)
			}
			l.t.Fatalf("waited in vain for %s; the board:\n%s", what, l.frame())
		}
	}
}

// frame is what the board shows now.
func (l *lab) frame() *screen.Grid {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	defer cancel()
	app, err := l.board.App(ctx, noScreen{}, wire.Look{Depth: theme.TrueColor, Unicode: true, Zone: time.UTC})
	if err != nil {
		l.t.Fatal(err)
	}
	_ = app.Init()
	_, _ = app.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
	return app.Frame()
}

type noScreen struct{}

func (noScreen) Flush(*screen.Grid, screen.Cause)  {}
func (noScreen) WriteString(s string) (int, error) { return len(s), nil }

// paneOf is the rectangle of a frame in which a pane of the board stands.
func paneOf(t *testing.T, g *screen.Grid, title string) (text string, cells []screen.Cell) {
	t.Helper()
	w, h := g.Size()
	rows := strings.Split(g.String(), "\n")
	find := func(title string) (x, y int) {
		for y, row := range rows {
			if before, _, ok := strings.Cut(row, title); ok {
				return len([]rune(before)), y
			}
		}
		t.Fatalf("there is no pane %q in\n%s", title, g)
		return 0, 0
	}
	_, top := find(" 1 Incidents ")
	middle, _ := find(" 2 Metrics ")
	_, split := find(" 3 Pipelines ")
	middle -= 2
	x, y := find(title)
	x0, x1, y0, y1 := 0, middle, top, split
	if x >= middle {
		x0, x1 = middle, w
	}
	if y == split {
		y0, y1 = split, h-1
	}
	var b strings.Builder
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			c := g.Cell(x, y)
			b.WriteString(c.Text)
			cells = append(cells, c)
		}
		b.WriteByte('\n')
	}
	return b.String(), cells
}

const (
	incidentsPane   = " 1 Incidents "
	metricsPane     = " 2 Metrics "
	pipelinesPane   = " 3 Pipelines "
	deploymentsPane = " 4 Deployments "
)

// same fails unless each of the panes has the same cells in both frames.
func same(t *testing.T, when string, before, after *screen.Grid, titles ...string) {
	t.Helper()
	for _, title := range titles {
		was, cells := paneOf(t, before, title)
		is, now := paneOf(t, after, title)
		if !slices.Equal(cells, now) {
			t.Errorf("%s: the pane%sblinks:\n%s\n%s", when, title, was, is)
		}
	}
}

// itemsOf is what a pane lists: its rows between its frame and the first that is empty.
func itemsOf(t *testing.T, g *screen.Grid, title string) string {
	t.Helper()
	text, _ := paneOf(t, g, title)
	var b strings.Builder
	for i, row := range strings.Split(text, "\n") {
		if i == 0 {
			continue
		}
		if strings.Trim(row, "│┃▌ ") == "" {
			break
		}
		b.WriteString(row + "\n")
	}
	return b.String()
}

// later looks at the board when so much time has passed and nothing answered: a pane keeps what it knew and
// says how old that is.
func (l *lab) later(age, pane string, texts ...string) {
	l.t.Helper()
	now := l.clock()
	d, err := time.ParseDuration(age)
	if err != nil {
		l.t.Fatal(err)
	}
	l.at(now.Add(d).Truncate(time.Minute).Add(90 * time.Second)) // the board's minute is the clock's, not the data's
	l.shows(pane, append(texts, age+" old")...)
	l.at(now)
}

// healthy reports whether all feeds are well and were read at the board's present time.
func (l *lab) healthy(s *store.Snapshot) bool {
	for i := range s.Feeds {
		if h := s.Feeds[i].Health; h.State != store.Healthy || h.LastGood.Before(l.clock()) {
			return false
		}
	}
	return len(s.Feeds) > 0
}

// fresh brings the board's clock up to the world's and waits until all that it shows is of that moment.
func (l *lab) fresh(what string) *screen.Grid {
	l.t.Helper()
	l.at(time.Now())
	l.until(what, false, l.healthy)
	return l.frame()
}

// states waits until every feed of a source is in one of the states.
func (l *lab) states(what, source string, states ...store.HealthState) *store.Snapshot {
	l.t.Helper()
	return l.until(what, false, func(s *store.Snapshot) bool {
		n := 0
		for i := range s.Feeds {
			if s.Feeds[i].Key.Source != source {
				continue
			}
			if n++; !slices.Contains(states, s.Feeds[i].Health.State) {
				return false
			}
		}
		return n > 0
	})
}

func incidentOf(s *store.Snapshot, service string) *sources.Incident {
	for f := range s.FeedsOf(store.Incidents) {
		for i := range f.Incidents {
			if f.Incidents[i].Service == service {
				return &f.Incidents[i]
			}
		}
	}
	return nil
}

// silencer is the driver as the next step of the project will use it: to acknowledge.
func (l *lab) silencer() capability.Set {
	l.t.Helper()
	base, err := httpx.Base(httpx.Network{Proxy: "none"})
	if err != nil {
		l.t.Fatal(err)
	}
	driver := alertmanager.Driver()
	c := driver.Config()
	cfg, ok := c.(*alertmanager.Config)
	if !ok {
		l.t.Fatalf("the config is a %T", c)
	}
	for _, a := range l.world.Alertmanagers {
		cfg.URLs = append(cfg.URLs, a.URL)
	}
	src, err := driver.Open(sources.Env{
		Source: "alertmanager", Transport: base, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: time.Now, UserAgent: "signalbox-test",
	}, cfg)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		_ = src.Close()
		(&http.Client{Transport: base}).CloseIdleConnections()
	})
	return capability.Of(src)
}

// states of the alerts of a service at every replica.
func (l *lab) silenced(service string) (silenced, active int) {
	l.t.Helper()
	for _, a := range l.world.Alertmanagers {
		all, err := realserver.Alerts(l.t.Context(), a, map[string]string{"service": service})
		if err != nil {
			l.t.Fatal(err)
		}
		for _, one := range all {
			if len(one.Status.SilencedBy) > 0 {
				silenced++
			} else {
				active++
			}
		}
	}
	return silenced, active
}

// diskFull raises an alert of cart past Prometheus, which lasts whatever becomes of that.
func (l *lab) diskFull() {
	l.t.Helper()
	now := time.Now()
	for _, a := range l.world.Alertmanagers {
		err := realserver.Post(l.t.Context(), a, []map[string]any{{
			"labels":      map[string]string{"alertname": "DiskFull", "service": "cart", "severity": "critical"},
			"annotations": map[string]string{"summary": "the disk of cart is full"},
			"startsAt":    now.Format(time.RFC3339), "endsAt": now.Add(6 * time.Hour).Format(time.RFC3339),
		}})
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

func (l *lab) push(service, value string) {
	l.t.Helper()
	if err := l.world.Push(l.t.Context(), service, "test_gauge "+value); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) shows(pane string, texts ...string) *screen.Grid {
	l.t.Helper()
	g := l.frame()
	text, _ := paneOf(l.t, g, pane)
	for _, want := range texts {
		if !strings.Contains(text, want) {
			l.t.Errorf("the pane%sdoes not say %q:\n%s", pane, want, text)
		}
	}
	return g
}

// What really fires shows on the board, what is done about it shows too, and whatever becomes of the servers
// takes nothing else with it.
func TestRealServers(t *testing.T) {
	t.Parallel()
	l := startLab(t)
	gauge := map[string]string{"alertname": "GaugeHigh", "service": "shop"}
	l.push("shop", "0.2")
	l.push("cart", "0.3")
	l.until("both gauges", false, func(s *store.Snapshot) bool {
		l.at(time.Now())
		n := 0
		for f := range s.FeedsOf(store.Metrics) {
			for i := range f.Series {
				n += len(f.Series[i].Points)
			}
		}
		return n > 1
	})
	l.fresh("a board that is well")

	// Within one refresh of Alertmanager showing it: the first read that began after that has it.
	l.push("shop", "3")
	if err := l.world.AwaitAlert(t.Context(), gauge, true); err != nil {
		t.Fatal(err)
	}
	l.diskFull()
	raised := time.Now()
	l.at(time.Time{})
	s := l.until("a read that began after the alert", true, func(s *store.Snapshot) bool {
		f := s.Feed(store.FeedKey{Source: "alertmanager", Capability: store.Incidents})
		return f != nil && f.Health.State == store.Healthy && l.began(f.Health).After(raised)
	})
	shop, cart := incidentOf(s, "shop"), incidentOf(s, "cart")
	if shop == nil || cart == nil || shop.State != sources.Triggered || cart.State != sources.Triggered {
		t.Fatalf("the first refresh after Alertmanager had them shows %+v and %+v", shop, cart)
	}
	l.fresh("a board with two alerts")
	l.shows(incidentsPane, "2 triggered", "the gauge of shop is at 3", "the disk of cart is full")

	// Acknowledging silences exactly it, and ending the silence undoes that.
	am := l.silencer()
	call := sources.Call{ID: "e2e-1", Verb: sources.Acknowledge, Target: shop.Ref, For: 2 * time.Hour, Text: "looking", Identity: "sre1"}
	if seen, err := am.Previewer.Preview(t.Context(), call); err != nil || seen.Covers != 1 {
		t.Fatalf("before: %+v, %v", seen, err)
	}
	receipt, err := am.Actor.Perform(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	s = l.until("the incident acknowledged", false, func(s *store.Snapshot) bool {
		i := incidentOf(s, "shop")
		return i != nil && i.State == sources.Acknowledged
	})
	if got := incidentOf(s, "shop").Silenced; len(got) != 1 || got[0].Ref.ID != receipt.ID || got[0].Until.IsZero() || got[0].By.String() != "sre1" {
		t.Errorf("it is silenced by %+v, want %s", got, receipt.ID)
	}
	if incidentOf(s, "cart").State != sources.Triggered {
		t.Error("the other alert is acknowledged too")
	}
	if n, _ := l.silenced("cart"); n > 0 {
		t.Errorf("%d alerts of cart are silenced", n)
	}
	if n, active := l.silenced("shop"); n == 0 || active > 0 {
		t.Errorf("%d alerts of shop are silenced and %d not", n, active)
	}
	l.fresh("a board with one acknowledged")
	until := incidentOf(l.board.Snapshot(), "shop").Silenced[0].Until.UTC().Format("15:04")
	l.shows(incidentsPane, "1 triggered", "1 silenced", "acked", "silenced until "+until)

	if receipt.Undo == nil {
		t.Fatal("nothing takes it back")
	}
	if _, err := am.Actor.Perform(t.Context(), *receipt.Undo); err != nil {
		t.Fatal(err)
	}
	l.until("the incident triggered again", false, func(s *store.Snapshot) bool {
		i := incidentOf(s, "shop")
		return i != nil && i.State == sources.Triggered && len(i.Silenced) == 0
	})
	l.push("shop", "0.2")
	if err := l.world.AwaitAlert(t.Context(), gauge, false); err != nil {
		t.Fatal(err)
	}
	l.until("the incident gone", false, func(s *store.Snapshot) bool { return incidentOf(s, "shop") == nil })

	t.Run("a dead replica", l.deadReplica)
	t.Run("a dead Prometheus", l.deadPrometheus)
	t.Run("a dead cluster", l.deadCluster)
}

// began is when the read began that brought what is known, by the machine's clock.
func (l *lab) began(h store.Health) time.Time { return h.LastGood.Add(-h.Latency) }

func (l *lab) deadReplica(t *testing.T) {
	before := l.fresh("a board that is well")
	l.world.Alertmanagers[0].Kill()
	s := l.states("a feed that lacks a replica", "alertmanager", store.Degraded)
	notice := s.Feed(store.FeedKey{Source: "alertmanager", Capability: store.Incidents}).Health.Notices[0]
	if host := strings.TrimPrefix(l.world.Alertmanagers[0].URL, "http://"); !strings.Contains(notice.Text.String()+notice.Scope, host) || notice.Fix.IsZero() {
		t.Errorf("it says %q and proposes %q", notice.Text, notice.Fix)
	}
	if i := incidentOf(s, "cart"); i == nil || i.State != sources.Triggered {
		t.Errorf("the other replica's answer is %+v", i)
	}
	after := l.frame()
	same(t, "with a replica down", before, after, metricsPane, pipelinesPane, deploymentsPane)
	l.shows(incidentsPane, "the disk of cart is full", "1 triggered")
	if err := l.world.Alertmanagers[0].Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.diskFull()
	l.states("both replicas back", "alertmanager", store.Healthy)
	same(t, "with the replica back", before, l.frame(), metricsPane, pipelinesPane, deploymentsPane)
}

func (l *lab) deadPrometheus(t *testing.T) {
	before := l.fresh("a board that is well")
	l.world.Prometheus.Kill()
	s := l.states("a Prometheus that is gone", "prometheus", store.Failing)
	for f := range s.FeedsOf(store.Metrics) {
		if f.Health.Err == nil || f.Health.Err.Fix == "" || len(f.Series) == 0 {
			t.Errorf("%s: %v, and %d series are kept", f.Key, f.Health.Err, len(f.Series))
		}
	}
	after := l.frame()
	same(t, "without Prometheus", before, after, pipelinesPane, deploymentsPane)
	was, is := itemsOf(t, before, incidentsPane), itemsOf(t, after, incidentsPane)
	if was != is || !strings.Contains(is, "the disk of cart is full") {
		t.Errorf("without Prometheus the incidents blink:\n%s\n%s", was, is)
	}
	l.later("11m", metricsPane, "gauge")
	if err := l.world.Prometheus.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.states("Prometheus back", "prometheus", store.Healthy)
	healed := l.fresh("all well again")
	if text, _ := paneOf(t, healed, metricsPane); strings.Contains(text, "11m") {
		t.Errorf("the age is still shown:\n%s", text)
	}
}

func (l *lab) deadCluster(t *testing.T) {
	before := l.fresh("a board that is well")
	for _, a := range l.world.Alertmanagers {
		a.Kill()
	}
	s := l.states("a cluster that is gone", "alertmanager", store.Failing)
	if f := s.Feed(store.FeedKey{Source: "alertmanager", Capability: store.Incidents}); f.Health.Err == nil || f.Health.Err.Fix == "" {
		t.Errorf("it says %v", f.Health.Err)
	}
	if incidentOf(s, "cart") == nil {
		t.Error("what was known is gone")
	}
	same(t, "without Alertmanager", before, l.frame(), metricsPane, pipelinesPane, deploymentsPane)
	l.later("11m", incidentsPane, "the disk of cart is full")
	for _, a := range l.world.Alertmanagers {
		if err := a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l.diskFull()
	l.fresh("all well again")
	l.shows(incidentsPane, "the disk of cart is full", "1 triggered")
}
