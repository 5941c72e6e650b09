// Package levertest puts the levers to the test with the real drivers: what becomes of an action when
// something goes wrong, at every step of every verb.
package levertest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/alertmanager"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/datadog"
	"example.com/signalbox/sources/github"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/pagerduty"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/simulator"
	simgithub "example.com/signalbox/sources/simulator/github"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/state"
	"example.com/signalbox/sources/store"
)

const watcher = "sim_watcher"

func itoa(n int) string { return strconv.Itoa(n) }

// earth is a simulated world and the file of its token. It lives outside of every bubble.
type earth struct {
	*simulator.Simulator

	token  string
	cells  int
	alerts alerts             // beside the world: the simulator has no Alertmanager
	ticks  chan time.Duration // to the goroutine that moves the clock
	moved  chan struct{}
}

func newEarth(t testing.TB) *earth {
	t.Helper()
	// Who looks at the world beside the drivers spends nothing of theirs.
	sim, err := simulator.Start(t.Context(), simulator.Options{Seed: 1, Identities: []simgithub.Identity{{Token: watcher, Login: "lead1"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(sim.Token()), 0o600); err != nil {
		t.Fatal(err)
	}
	e := &earth{Simulator: sim, token: file, ticks: make(chan time.Duration), moved: make(chan struct{})}
	go func() { // the world's clock belongs to no bubble, whichever asks for it to be moved
		for d := range e.ticks {
			sim.Advance(d)
			e.moved <- struct{}{}
		}
	}()
	t.Cleanup(func() { close(e.ticks) })
	return e
}

// forward puts the clock forward, from within a bubble too.
func (e *earth) forward(d time.Duration) {
	e.ticks <- d
	<-e.moved
}

// raw asks the world itself, beside all drivers, and decodes its answer into v unless that is nil.
func (e *earth) raw(t testing.TB, method, path, body string, v any) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+watcher)
	if strings.HasPrefix(path, "/-/") {
		r.Header.Set("Authorization", "Bearer "+e.Token())
	}
	if strings.HasPrefix(path, "/pagerduty/") {
		r.Header.Set("Authorization", "Token token="+e.Token())
		r.Header.Set("From", "sre1@example.com")
	}
	r.Header.Set("DD-API-KEY", e.Token())
	r.Header.Set("DD-APPLICATION-KEY", e.Token())
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	e.Handler().ServeHTTP(rec, r)
	if rec.Code/100 != 2 {
		t.Fatalf("%s %s: %d %.300s", method, path, rec.Code, rec.Body)
	}
	if v != nil {
		if err := json.Unmarshal(rec.Body.Bytes(), v); err != nil {
			t.Fatalf("%s %s: %v in %.300s", method, path, err, rec.Body)
		}
	}
}

// applied counts the writes that took effect.
func (e *earth) applied() int {
	e.alerts.mu.Lock()
	defer e.alerts.mu.Unlock()
	n := e.alerts.applied
	for _, r := range e.Requests(true) {
		if r.Applied {
			n++
		}
	}
	return n
}

func (e *earth) incident(t testing.TB, number int) simulator.IncidentTruth {
	t.Helper()
	for _, i := range e.Truth().Incidents {
		if i.Number == number {
			return i
		}
	}
	t.Fatalf("no incident %d", number)
	return simulator.IncidentTruth{}
}

// running reports whether every target of a stage runs a commit.
func (e *earth) running(service, stage, sha string, targets ...string) bool {
	n := 0
	for _, s := range e.Truth().Services {
		for _, r := range s.Running {
			if s.Name != service || r.Stage != stage || len(targets) > 0 && r.Target != targets[0] {
				continue
			}
			if n++; r.SHA != sha {
				return false
			}
		}
	}
	return n > 0
}

// rig is a Runner on one real driver.
type rig struct {
	*action.Runner
	link    *link
	set     capability.Set
	journal *journal.Journal
	dir     *state.Dir
	service action.Service
	snap    *store.Snapshot
	book    action.Book
}

// rigging is what a rig is made of.
type rigging struct {
	source string
	link   *link
	token  string // the file of it
	base   string // where the API is
	dir    string
	book   func(*journal.Journal) action.Book // nil: the journal itself
	judge  action.Judge                       // nil: the policy that ships
	notice func(action.Event)
	via    http.RoundTripper // nil: link
}

func newRig(t testing.TB, o rigging) *rig {
	t.Helper()
	dir, err := state.Open(o.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := o.link.now
	r := &rig{link: o.link, dir: dir, journal: journal.New(dir.Path(), now), snap: &store.Snapshot{Catalog: &store.Catalog{}}}
	r.set = openSource(t, &o)
	r.book = r.journal
	if o.book != nil {
		r.book = o.book(r.journal)
	}
	if o.judge == nil {
		o.judge = policy.Default()
	}
	identity := "sre1@example.com"
	if o.source == "github" {
		identity = "sre1"
	}
	r.Runner = action.New(action.Options{
		Access: func(name string) (action.Access, error) {
			if name != o.source {
				return action.Access{}, &sources.Error{Kind: sources.NotExist, Msg: "there is no source " + name}
			}
			return action.Access{Set: r.set, Identity: identity}, nil
		},
		Snapshot: func() *store.Snapshot { return r.snap },
		Service:  func(name string) (action.Service, bool) { return r.service, name == r.service.Spec.Name && name != "" },
		Policy:   o.judge, Journal: r.book, Records: r.journal.Records, Locks: locks{dir, now},
		ReadOnly: func() bool { return false }, Now: now, Who: journal.Who{User: "sre1", Host: "bastion"}, Notice: o.notice,
	})
	return r
}

// openSource opens the real driver on a rig's link.
func openSource(t testing.TB, o *rigging) capability.Set {
	t.Helper()
	var ref secret.Ref
	if err := ref.UnmarshalText([]byte("file:" + o.token)); err != nil {
		t.Fatal(err)
	}
	var d sources.Driver
	var cfg any
	switch o.source {
	case "github":
		d, cfg = github.Driver(), &github.Config{BaseURL: o.base, Token: ref}
	case "pagerduty":
		d, cfg = pagerduty.Driver(), &pagerduty.Config{BaseURL: o.base + "/pagerduty", Token: ref}
	case "datadog":
		d = datadog.Driver()
		c, _ := d.Config().(*datadog.Config)
		c.Host, c.APIKey, c.AppKey = o.base, ref, ref
		cfg = c
	case "alertmanager":
		d = alertmanager.Driver()
		c, _ := d.Config().(*alertmanager.Config)
		c.URL, c.Access.Token = o.base, ref
		cfg = c
	}
	via := o.via
	if via == nil {
		via = o.link
	}
	src, err := d.Open(sources.Env{
		Source: o.source, Transport: via, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: o.link.now, UserAgent: "signalbox-test",
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return capability.Of(src)
}

// locks are those of the state directory, as the board has them.
type locks struct {
	dir *state.Dir
	now func() time.Time
}

func (l locks) Lock(name string) (func(), error) {
	one, err := l.dir.Lock(name, state.Self(l.now()))
	if err != nil {
		return nil, err
	}
	return func() { _ = one.Unlock() }, nil
}

// observe lets the rig know what a board would: the lists of its source, read once.
func (r *rig) observe(t testing.TB, services ...sources.ServiceSpec) {
	t.Helper()
	now := r.link.now()
	snap := &store.Snapshot{At: now, Catalog: &store.Catalog{}}
	add := func(c store.Capability, scope string, fill func(*store.Feed)) {
		f := store.Feed{Key: store.FeedKey{Source: "s", Capability: c, Scope: scope}, Health: store.Health{State: store.Healthy, LastGood: now, Interval: time.Minute}}
		fill(&f)
		snap.Feeds = append(snap.Feeds, f)
	}
	check := func(err error) {
		if err != nil && !errors.Is(err, sources.ErrNotModified) {
			t.Fatal(err)
		}
	}
	q := sources.Query{Now: now, Identity: "sre1@example.com", Services: services}
	if r.set.Incidents != nil {
		b, err := r.set.Incidents.ListIncidents(context.Background(), q)
		check(err)
		add(store.Incidents, "", func(f *store.Feed) { f.Incidents = b.Items })
	}
	if r.set.Monitors != nil {
		b, err := r.set.Monitors.ListMonitors(context.Background(), q)
		check(err)
		add(store.Monitors, "", func(f *store.Feed) { f.Monitors = b.Items })
	}
	if r.set.Environments != nil && len(services) == 1 {
		q.Scope, q.Identity = "acme/"+services[0].Name, "sre1"
		envs, err := r.set.Environments.ListEnvironments(context.Background(), q)
		check(err)
		runs, err := r.set.Runs.ListRuns(context.Background(), q)
		check(err)
		add(store.Environments, q.Scope, func(f *store.Feed) { f.Environments = envs.Items })
		add(store.Runs, q.Scope, func(f *store.Feed) { f.Runs = runs.Items })
		snap.Catalog = &store.Catalog{Services: []store.Service{{Name: services[0].Name, Source: "github", Repo: q.Scope, Environments: []string{"dev", "staging", "prod"}}}}
		for i := range snap.Feeds {
			snap.Feeds[i].Key.Source = "github"
		}
	}
	r.snap = snap
}

// stages are those of the records of a plan, in order.
func (r *rig) stages(t testing.TB, plan string) []journal.Stage {
	t.Helper()
	var out []journal.Stage
	for rec, err := range r.journal.Records() {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Plan == plan {
			out = append(out, rec.Stage)
		}
	}
	return out
}

// approve is what a plan demands.
func approve(p *action.Plan) action.Approval {
	return action.Approval{Yes: true, Typed: p.Demand.Word, Reason: "it has to be", BreakGlass: p.Demand.Reason}
}
