package action_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
)

// hub is a provider of one repository. fault says what goes wrong with a write.
type hub struct {
	mu     sync.Mutex
	name   string
	envs   map[string]*sources.Environment // by name
	runs   map[string]*sources.Run         // by id
	verbs  []sources.ActionSpec
	order  []string // commits, oldest first, as letters: who is ahead of whom
	files  map[string][]string
	cut    bool // comparisons list not all files
	checks []sources.Check
	blind  bool // checks cannot be read

	writes []sources.Call
	fault  string
	noLook error
	noRead map[sources.Ref]error
	fate   sources.Progress // what Verify says instead of looking; zero: it looks
	next   int
}

const scope = "acme/checkout"

func sha(v string) string { return strings.Repeat(v, 40)[:40] }

func version(v string) sources.Version { return sources.Version{SHA: sha(v), Tag: clean.Line("v" + v)} }

// newHub is the world in which most tests begin: prod runs b since 10 minutes, and ran a for three days before
// it; staging runs c since two hours.
func newHub(name string) *hub {
	h := &hub{name: name, envs: map[string]*sources.Environment{}, runs: map[string]*sources.Run{}, noRead: map[sources.Ref]error{}, order: []string{"0", "a", "b", "c", "d"}, files: map[string][]string{}}
	for _, s := range []struct {
		verb sources.Verb
		on   sources.Kind
	}{
		{sources.Approve, sources.KindRun}, {sources.Reject, sources.KindRun}, {sources.RerunAll, sources.KindRun}, {sources.RerunFailed, sources.KindRun}, {sources.Cancel, sources.KindRun},
		{sources.Dispatch, sources.KindEnvironment}, {sources.Deploy, sources.KindEnvironment},
	} {
		h.verbs = append(h.verbs, sources.ActionSpec{Verb: s.verb, On: s.on})
	}
	h.env("dev", 0, "", false)
	h.env("staging", 1, "dev", false)
	h.env("prod", 2, "staging", true, "eu", "us")
	h.put("dev", "c", 5*time.Hour)
	h.put("staging", "b", 30*time.Hour)
	h.put("staging", "c", 2*time.Hour)
	h.put("prod", "0", 9*24*time.Hour)
	h.put("prod", "a", 3*24*time.Hour)
	h.put("prod", "b", 10*time.Minute)
	h.checks = []sources.Check{{Name: clean.Const("ci"), State: sources.StatePassed, Run: h.ref(sources.KindRun, "ci"), Path: ".github/workflows/ci.yml", Event: "push"}}
	return h
}

func (h *hub) ref(kind sources.Kind, id string) sources.Ref {
	return sources.Ref{Source: h.name, Kind: kind, Scope: scope, ID: id}
}

func (h *hub) envRef(name string) sources.Ref {
	return h.ref(sources.KindEnvironment, "checkout/"+name)
}

func (h *hub) env(name string, order int, previous string, prod bool, targets ...string) {
	e := &sources.Environment{Ref: h.envRef(name), Service: "checkout", Name: name, Provider: name, Order: order, Previous: previous, Prod: prod, Ahead: -1, Branch: "main"}
	if len(targets) == 0 {
		targets = []string{""}
	}
	for _, t := range targets {
		e.Targets = append(e.Targets, sources.Target{Name: t})
	}
	h.envs[name] = e
	h.settle(e)
}

// put deploys a version to an environment, so long ago, by a run of its own.
func (h *hub) put(env, v string, ago time.Duration, targets ...string) *sources.Deployment {
	return h.file(env, sources.Deployment{Version: version(v), Verified: true, State: sources.StatePassed}, ago, targets...)
}

// file adds a deployment to each target, or one of all of them.
func (h *hub) file(env string, d sources.Deployment, ago time.Duration, targets ...string) *sources.Deployment {
	e := h.envs[env]
	if len(targets) == 0 {
		targets = []string{""}
	}
	h.next++
	at := time.Now().Add(-ago)
	run := &sources.Run{
		Ref: h.ref(sources.KindRun, fmt.Sprint(h.next)), Revision: "1", Service: "checkout", Workflow: clean.Const("deploy"), Path: ".github/workflows/deploy.yml",
		Number: h.next, Attempt: 1, Event: "workflow_dispatch", State: sources.StatePassed, Created: at, Commit: sources.Commit{SHA: d.Version.SHA}, Deploys: true,
	}
	if !d.State.Done() {
		run.State = d.State
	}
	h.runs[run.Ref.ID] = run
	for _, t := range targets {
		h.next++
		d := d
		d.Ref, d.Target, d.Created, d.Run = h.ref(sources.KindDeployment, fmt.Sprint(h.next)), t, at, run.Ref
		if d.State.Done() {
			d.Ended = at
		}
		e.History = append([]sources.Deployment{d}, e.History...)
	}
	h.settle(e)
	return &e.History[0]
}

// settle points the targets of e at its history, as a driver does.
func (h *hub) settle(e *sources.Environment) {
	slices.SortStableFunc(e.History, func(a, b sources.Deployment) int { return b.Created.Compare(a.Created) })
	rev := ""
	for i := range e.Targets {
		t := &e.Targets[i]
		t.Current, t.Arriving, t.Failed = nil, nil, nil
		for k := range e.History {
			d := &e.History[k]
			switch {
			case d.Target != "" && d.Target != t.Name:
			case t.Current == nil && d.State == sources.StatePassed:
				t.Current = d
			case t.Current == nil && t.Arriving == nil && !d.State.Done():
				t.Arriving = d
			case t.Current == nil && t.Failed == nil && d.State == sources.StateFailed:
				t.Failed = d
			}
		}
		for _, d := range []*sources.Deployment{t.Current, t.Arriving, t.Failed} {
			if d != nil {
				rev += d.Ref.ID + d.State.String()
			}
			rev += ";"
		}
	}
	for _, g := range e.Gates {
		rev += g.Run.ID + g.Environment + fmt.Sprint(g.CanApprove)
	}
	e.Revision = sources.Revision("r" + rev)
}

// wait makes a run that waits at the gate of an environment with a version.
func (h *hub) wait(env, v string, mine bool) *sources.Run {
	h.next++
	e := h.envs[env]
	r := &sources.Run{
		Ref: h.ref(sources.KindRun, fmt.Sprint(h.next)), Revision: sources.Revision(fmt.Sprint("1/waiting/", mine)), Service: "checkout", Workflow: clean.Const("deploy"), Number: h.next,
		Attempt: 1, Event: "push", State: sources.StateWaiting, Created: time.Now().Add(-time.Hour), Commit: sources.Commit{SHA: sha(v)}, Deploys: true,
	}
	for _, p := range strings.Split(e.Provider, ", ") {
		g := sources.Gate{Environment: p, CanApprove: mine, Run: r.Ref, Version: version(v), Since: r.Created, Concurrency: clean.Line("deploy-" + env), Reviewers: []clean.Text{clean.Const("lead1")}}
		r.Gates, e.Gates = append(r.Gates, g), append(e.Gates, g)
	}
	h.runs[r.Ref.ID] = r
	h.settle(e)
	return r
}

func (h *hub) Get(_ context.Context, ref sources.Ref) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.noRead[ref]; err != nil {
		return nil, err
	}
	if ref.Source != h.name {
		return nil, fmt.Errorf("asked %s for %s", h.name, ref)
	}
	switch ref.Kind { //nolint:exhaustive // what it has
	case sources.KindEnvironment:
		for _, e := range h.envs {
			if e.Ref == ref {
				return copied(e), nil
			}
		}
	case sources.KindRun:
		if r := h.runs[ref.ID]; r != nil {
			return *r, nil
		}
	}
	return nil, &sources.Error{Kind: sources.NotExist, Op: "read", Msg: "there is no " + ref.String()}
}

// copied is e with targets that point into a history of its own.
func copied(e *sources.Environment) sources.Environment {
	out := *e
	out.History, out.Targets, out.Gates = slices.Clone(e.History), slices.Clone(e.Targets), slices.Clone(e.Gates)
	at := func(d *sources.Deployment) *sources.Deployment {
		for i := range out.History {
			if d != nil && out.History[i].Ref == d.Ref {
				return &out.History[i]
			}
		}
		return nil
	}
	for i := range out.Targets {
		t := &out.Targets[i]
		t.Current, t.Arriving, t.Failed = at(t.Current), at(t.Arriving), at(t.Failed)
	}
	return out
}

func (h *hub) Actions() []sources.ActionSpec { return h.verbs }

func (h *hub) Compare(_ context.Context, _, base, head string, _ []string) (sources.Comparison, error) {
	at := func(name string) int {
		if name == "main" {
			return len(h.order) - 1
		}
		return slices.IndexFunc(h.order, func(v string) bool { return sha(v) == name })
	}
	from, to := at(base), at(head)
	c := sources.Comparison{Status: "identical", Partial: h.cut, URL: "https://example.com/compare"}
	switch {
	case from < 0 || to < 0:
		return c, &sources.Error{Kind: sources.NotExist, Msg: "no such commit"}
	case from < to:
		c.Status, c.Ahead = "ahead", to-from
		for i := to; i > from; i-- {
			v := h.order[i]
			c.Commits = append(c.Commits, sources.Commit{SHA: sha(v), Title: clean.Line("change " + v), Pull: 400 + i, Author: clean.Const("dev1")})
			c.Files = append(c.Files, h.files[v]...)
		}
	case from > to:
		c.Status, c.Behind = "behind", from-to
	}
	return c, nil
}

func (h *hub) ListChecks(context.Context, string, string) ([]sources.Check, error) {
	if h.blind {
		return nil, refusal(sources.Permission)
	}
	return h.checks, nil
}

func (h *hub) Perform(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writes = append(h.writes, c)
	switch h.fault {
	case "":
		h.apply(c)
		return sources.Receipt{Text: clean.Const("taken")}, nil
	case "lost before it arrives":
		return sources.Receipt{}, refusal(sources.Ambiguous)
	case "applied, answer lost":
		h.apply(c)
		return sources.Receipt{}, refusal(sources.Ambiguous)
	case "hang":
		h.apply(c)
		h.mu.Unlock()
		<-ctx.Done()
		h.mu.Lock()
		return sources.Receipt{}, refusal(sources.Ambiguous)
	case "a bare error":
		return sources.Receipt{}, context.DeadlineExceeded
	case "taken, without effect":
		return sources.Receipt{}, nil
	}
	for k := sources.Transient; k <= sources.Unsupported; k++ {
		if k.String() == h.fault {
			return sources.Receipt{}, refusal(k)
		}
	}
	panic(h.fault)
}

func (h *hub) apply(c sources.Call) {
	name := strings.TrimPrefix(c.Target.ID, "checkout/")
	if c.Target.Kind == sources.KindRun {
		r := h.runs[c.Target.ID]
		name = strings.TrimPrefix(c.Fields[sources.FieldPlace], "checkout/")
		if c.Verb == sources.RerunAll {
			r.Attempt++
		}
		r.State, r.Gates, r.Revision = sources.StatePassed, nil, r.Revision+"+"
		for _, e := range h.envs {
			e.Gates = slices.DeleteFunc(e.Gates, func(g sources.Gate) bool { return g.Run == r.Ref })
			h.settle(e)
		}
	}
	if e := h.envs[name]; e != nil && c.Fields[sources.FieldVersion] != "" {
		targets := []string{}
		if list := c.Fields[sources.FieldTargets]; list != "" {
			targets = strings.Split(list, ",")
		}
		h.put(name, c.Fields[sources.FieldVersion][:1], 0, targets...)
	}
}

func (h *hub) Verify(_ context.Context, c sources.Call, _ sources.Receipt) (sources.Progress, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.noLook != nil {
		return sources.Progress{}, h.noLook
	}
	if !h.fate.Text.IsZero() {
		return h.fate, nil
	}
	place := c.Target.ID
	if c.Target.Kind == sources.KindRun {
		place = c.Fields[sources.FieldPlace]
	}
	e := h.envs[strings.TrimPrefix(place, "checkout/")]
	if e == nil {
		return sources.Progress{State: sources.Done, Text: clean.Const("decided")}, nil
	}
	if h.runsEverywhere(e, c) {
		return sources.Progress{State: sources.Done, Text: clean.Const("it runs there")}, nil
	}
	return sources.Progress{Text: clean.Const("nothing of it yet")}, nil
}

func (h *hub) runsEverywhere(e *sources.Environment, c sources.Call) bool {
	for _, t := range e.Targets {
		list := c.Fields[sources.FieldTargets]
		if list != "" && !slices.Contains(strings.Split(list, ","), t.Name) {
			continue
		}
		if t.Current == nil || t.Current.Version.SHA != c.Fields[sources.FieldVersion] {
			return false
		}
	}
	return true
}

// yard is a Runner on hubs.
type yard struct {
	*action.Runner
	hub      *hub
	other    *hub // another source, with environments of the same names
	service  action.Service
	services map[string]bool
	catalog  *store.Catalog
	feeds    []store.Feed // beside those of runs and environments
	book     *book
	locks    *locks
	rules    []policy.Rule
	readOnly bool
	cosigned string
	roles    []string
	stale    time.Duration // how old all data is
	runs     []*sources.Run
	unlisted bool // the runs were never listed
}

func newYard(t *testing.T) *yard {
	t.Helper()
	y := &yard{hub: newHub("github"), other: newHub("other"), services: map[string]bool{"checkout": true}, locks: &locks{held: map[string]bool{}}, book: &book{Journal: journal.New(t.TempDir(), nil)}}
	y.catalog = &store.Catalog{Services: []store.Service{
		{Name: "checkout", Source: "github", Repo: scope, Environments: []string{"dev", "staging", "prod"}, DependsOn: []string{"ledger"}}, {Name: "ledger", DependsOn: []string{"bank"}}, {Name: "bank"},
	}}
	y.service = action.Service{
		Spec: sources.ServiceSpec{Name: "checkout", Environments: []sources.EnvironmentSpec{{Name: "dev"}, {Name: "staging"}, {Name: "prod", Targets: []string{"eu", "us"}, Prod: true}}},
		Via:  action.ByWorkflow, Workflow: "deploy.yml", Ref: "main", Inputs: map[string]string{"environment": "{{env}}", "ref": "{{sha}}"}, Returns: "no",
	}
	y.Runner = action.New(y.options(t, y.book))
	return y
}

func (y *yard) options(t *testing.T, b action.Book) action.Options {
	return action.Options{
		Access: func(name string) (action.Access, error) {
			h := y.hub
			if name == y.other.name {
				h = y.other
			}
			return action.Access{Set: capability.Set{Actor: h, Verifier: h, Comparer: h, Checks: h}, Identity: "sre1"}, nil
		},
		Service:  func(name string) (action.Service, bool) { return y.service, y.services[name] },
		Snapshot: y.snapshot, Records: y.book.Records, Journal: b, Locks: y.locks,
		Policy: set(func(f policy.Facts) []policy.Finding {
			s, err := policy.Compile(y.rules)
			if err != nil {
				t.Fatal(err)
			}
			return s.Judge(f)
		}),
		Cosigned: func(*action.Plan) string { return y.cosigned }, CanCosign: true, Roles: func(string) []string { return y.roles },
		ReadOnly: func() bool { return y.readOnly }, Now: time.Now, Who: journal.Who{User: "sre1", Host: "bastion"},
	}
}

type set func(policy.Facts) []policy.Finding

func (s set) Judge(f policy.Facts) []policy.Finding { return s(f) }

func (y *yard) snapshot() *store.Snapshot {
	y.hub.mu.Lock()
	defer y.hub.mu.Unlock()
	at := time.Now().Add(-y.stale)
	s := &store.Snapshot{At: time.Now(), Catalog: y.catalog}
	for _, h := range []*hub{y.hub, y.other} {
		f := store.Feed{Key: store.FeedKey{Source: h.name, Capability: store.Environments, Scope: scope}, Health: store.Health{State: store.Healthy, LastGood: at, Interval: time.Minute}}
		for _, n := range []string{"dev", "staging", "prod"} {
			if h.envs[n] != nil {
				f.Environments = append(f.Environments, copied(h.envs[n]))
			}
		}
		s.Feeds = append(s.Feeds, f)
	}
	if !y.unlisted {
		f := store.Feed{Key: store.FeedKey{Source: "github", Capability: store.Runs, Scope: scope}, Health: store.Health{State: store.Healthy, LastGood: at, Interval: time.Minute}}
		for _, r := range y.runs {
			f.Runs = append(f.Runs, *r)
		}
		s.Feeds = append(s.Feeds, f)
	}
	s.Feeds = append(s.Feeds, y.feeds...)
	slices.SortStableFunc(s.Feeds, func(a, b store.Feed) int {
		return strings.Compare(a.Key.Source+"/"+string(a.Key.Capability)+a.Key.Scope, b.Key.Source+"/"+string(b.Key.Capability)+b.Key.Scope)
	})
	return s
}

// tells adds a feed of an incident system.
func (y *yard) tells(c store.Capability, incidents ...sources.Incident) {
	y.service.Incidents = true
	y.feeds = append(y.feeds, store.Feed{
		Key: store.FeedKey{Source: "pagerduty", Capability: c}, Health: store.Health{State: store.Healthy, LastGood: time.Now(), Interval: time.Minute}, Incidents: incidents,
	})
}

func (y *yard) stages(t *testing.T) string {
	t.Helper()
	return (&bench{book: y.book}).stages(t)
}

func (y *yard) rollback() action.Request {
	return action.Request{Verb: sources.Rollback, Target: y.hub.envRef("prod"), Via: "board"}
}

func (y *yard) promote() action.Request {
	return action.Request{Verb: sources.Promote, Target: y.hub.envRef("prod"), Via: "board"}
}

// finding is what a gate of a plan says; its verdict and text are empty when it says nothing.
func finding(p action.Plan, gate string) (policy.Verdict, string) {
	for _, g := range p.Gates {
		if g.Gate == gate {
			return g.Verdict, g.Text.String()
		}
	}
	return policy.Allow, ""
}
