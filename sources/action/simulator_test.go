package action_test

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/github"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

// stage is a Runner on the real driver, on a world that is simulated.
type stage struct {
	*action.Runner
	sim     *simulator.Simulator
	set     capability.Set
	service action.Service
	scope   string
	journal *journal.Journal
	last    *store.Snapshot
	steps   chan action.Step
}

func stages() []sources.EnvironmentSpec {
	return []sources.EnvironmentSpec{{Name: "dev"}, {Name: "staging"}, {Name: "prod", Provider: "production-{{target}}", Targets: []string{"eu", "us"}, Prod: true}}
}

func newStage(t *testing.T, service string) *stage {
	t.Helper()
	// A world that moves: what follows an effect waits on the real clock.
	sim, err := simulator.Start(t.Context(), simulator.Options{Seed: 1, Speed: 60})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(sim.Token()), 0o600); err != nil {
		t.Fatal(err)
	}
	var ref secret.Ref
	if err := ref.UnmarshalText([]byte("file:" + file)); err != nil {
		t.Fatal(err)
	}
	src, err := github.Driver().Open(sources.Env{
		Source: "github", Transport: http.DefaultTransport, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: sim.Now, UserAgent: "signalbox-test",
	}, &github.Config{BaseURL: sim.APIURL(), Token: ref})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	s := &stage{sim: sim, set: capability.Of(src), scope: "acme/" + service, steps: make(chan action.Step, 1000), journal: journal.New(t.TempDir(), sim.Now)}
	spec := sources.ServiceSpec{
		Name: service, Environments: stages(), DeployWorkflow: "deploy.yml", VersionInput: "ref",
		VersionFrom: sources.VersionFrom{RunName: `(?:Deploy|Release) (\S+)`},
	}
	s.service = action.Service{
		Spec: spec, Via: action.ByWorkflow, Workflow: "deploy.yml", Ref: "main", Migrations: []string{"db/**"},
		Inputs: map[string]string{"environment": "{{env}}", "ref": "{{sha}}"},
	}
	s.Runner = action.New(action.Options{
		Access:   func(string) (action.Access, error) { return action.Access{Set: s.set, Identity: "sre1"}, nil },
		Snapshot: func() *store.Snapshot { return s.snapshot(t) },
		Service:  func(name string) (action.Service, bool) { return s.service, name == service },
		Policy:   policy.Default(), Journal: s.journal, Records: s.journal.Records, Locks: &locks{held: map[string]bool{}},
		ReadOnly: func() bool { return false }, Now: sim.Now, Who: journal.Who{User: "sre1", Host: "bastion"},
		Notice: func(e action.Event) { s.steps <- e.Step },
	})
	return s
}

// snapshot is what a board would know.
func (s *stage) snapshot(t *testing.T) *store.Snapshot {
	t.Helper()
	q := sources.Query{Scope: s.scope, Now: s.sim.Now(), Identity: "sre1", Services: []sources.ServiceSpec{s.service.Spec}}
	runs, err := s.set.Runs.ListRuns(t.Context(), q)
	if err != nil && !errors.Is(err, sources.ErrNotModified) {
		t.Fatal(err)
	}
	envs, err2 := s.set.Environments.ListEnvironments(t.Context(), q)
	if err2 != nil && !errors.Is(err2, sources.ErrNotModified) {
		t.Fatal(err2)
	}
	good := store.Health{State: store.Healthy, LastGood: s.sim.Now(), Interval: time.Minute}
	feed := func(c store.Capability) store.Feed {
		return store.Feed{Key: store.FeedKey{Source: "github", Capability: c, Scope: s.scope}, Health: good}
	}
	e, r := feed(store.Environments), feed(store.Runs)
	e.Environments, r.Runs = envs.Items, runs.Items
	if err != nil {
		r.Runs = s.last.Feeds[1].Runs
	}
	if err2 != nil {
		e.Environments = s.last.Feeds[0].Environments
	}
	s.last = &store.Snapshot{
		At: s.sim.Now(), Feeds: []store.Feed{e, r},
		Catalog: &store.Catalog{Services: []store.Service{{Name: s.service.Spec.Name, Source: "github", Repo: s.scope, Environments: []string{"dev", "staging", "prod"}}}},
	}
	return s.last
}

func (s *stage) ref(env string) sources.Ref {
	return sources.Ref{Source: "github", Kind: sources.KindEnvironment, Scope: s.scope, ID: s.service.Spec.Name + "/" + env}
}

func (s *stage) writes() int { return len(s.sim.Requests(true)) }

func (s *stage) tells(t *testing.T, p action.Plan) {
	t.Helper()
	if s.writes() != 0 {
		t.Fatalf("a plan was made by writing: %+v", s.sim.Requests(true))
	}
	t.Logf("%s · now %s · then %s · how %s", p.Title, p.Now, p.Then, p.How)
	if c := p.Change; c != nil {
		t.Logf("now %s %s bad %q · then %s %s · undoes %t %d commits · by %s, others %v · expected %s · offers %v",
			c.Now.Version.Short(), c.Now.Text, c.Now.Bad, c.Then.Version.Short(), c.Then.Text, c.Undoes, len(c.Commits), c.Means, c.Others, c.Expected, p.Offers)
		for _, x := range c.Choices {
			t.Logf("choice %s %s [%s] %t", x.Version.Short(), x.Text, x.Warning, x.Chosen)
		}
	}
	for _, l := range p.Lines {
		t.Logf("line %s", l)
	}
	for _, g := range p.Gates {
		t.Logf("gate %s %s: %s (%s)", g.Gate, g.Verdict, g.Text, g.Fix)
	}
}

// The rollback of the story: planned, carried out by one dispatch, and done when production runs the version.
func TestRollingBackTheStory(t *testing.T) {
	t.Parallel()
	s := newStage(t, "checkout")
	p, err := s.Propose(t.Context(), action.Request{Verb: sources.Rollback, Target: s.ref("prod"), Via: "board"})
	if err != nil {
		t.Fatal(err)
	}
	s.tells(t, p)
	c := p.Change
	if c == nil || c.Now.Version.Tag.String() != "v1.9.2" || c.Then.Version.Tag.String() != "v1.9.1" || !c.Undoes || len(c.Commits) == 0 || c.Means != action.ByWorkflow {
		t.Fatalf("change %+v", c)
	}
	if p.Demand.Kind != action.TypeDemand || p.Demand.Word != "checkout/prod" || !slices.Equal(c.Targets, []string{"eu", "us"}) {
		t.Fatalf("demand %+v of %v", p.Demand, c.Targets)
	}
	if len(p.Offers) != 1 || p.Offers[0].Text.String() != "reject run 812 first" {
		t.Fatalf("offers %+v", p.Offers)
	}
	first, err := s.Propose(t.Context(), p.Offers[0].Request)
	if err != nil {
		t.Fatal(err)
	}
	if out := s.Execute(t.Context(), first, approve(first)); out.State != action.Done || s.writes() != 1 {
		t.Fatalf("rejecting: %+v after %d writes", out, s.writes())
	}
	s.sim.ResetRequests()
	if p, err = s.Renew(t.Context(), p); err != nil || len(p.Offers) != 0 {
		t.Fatalf("renewed: %v, %v", p.Offers, err)
	}
	out := s.Execute(t.Context(), p, approve(p))
	if out.State != action.Done || s.writes() != 1 || !strings.Contains(out.Text.String(), "runs in prod eu us") {
		t.Errorf("outcome %+v after %d writes", out, s.writes())
	}
	q, err := s.Propose(t.Context(), action.Request{Verb: sources.Rollback, Target: s.ref("prod"), Via: "board"})
	if err != nil {
		t.Fatal(err)
	}
	if q.Change.Now.Version.Tag.String() != "v1.9.1" || q.Change.Then.Version.Tag.String() == "v1.9.2" || !q.Demand.Reason {
		t.Errorf("rolling back once more: %+v, demand %+v", q.Change.Then, q.Demand)
	}
}

// approve is what a plan demands.
func approve(p action.Plan) action.Approval {
	return action.Approval{Yes: true, Typed: p.Demand.Word, Reason: "it has to be", BreakGlass: p.Demand.Reason}
}

// Promoting what waits at its gate approves exactly that run, and is done when it runs.
func TestPromotingByApproval(t *testing.T) {
	t.Parallel()
	s := newStage(t, "search")
	s.service.Via = ""
	p, err := s.Propose(t.Context(), action.Request{Verb: sources.Promote, Target: s.ref("prod"), Means: action.ByApproval})
	if err != nil {
		t.Fatal(err)
	}
	s.tells(t, p)
	if p.Change.Means != action.ByApproval || p.Call.Verb != sources.Approve || p.Change.Then.Version.Tag.String() != "v0.8.1" || p.Change.From != "staging" {
		t.Fatalf("change %+v, call %+v", p.Change, p.Call)
	}
	out := s.Execute(t.Context(), p, approve(p))
	if out.State != action.Done || s.writes() != 1 || !strings.Contains(out.Text.String(), "runs in prod eu us") {
		t.Errorf("outcome %+v after %d writes", out, s.writes())
	}
}

// Half a deployment is said target by target, and undone to what the other half runs.
func TestHalfADeployment(t *testing.T) {
	t.Parallel()
	s := newStage(t, "accounts")
	s.service.Spec.VersionFrom, s.service.Spec.VersionInput, s.service.Spec.DeployWorkflow = sources.VersionFrom{}, "", ""
	p, err := s.Propose(t.Context(), action.Request{Verb: sources.Rollback, Target: s.ref("prod")})
	if err != nil {
		t.Fatal(err)
	}
	s.tells(t, p)
	if got, want := p.Now.String(), "v2.0.3 in eu; v2.0.2 in us, v2.0.3 failed"; got != want || p.Change.Then.Version.Tag.String() != "v2.0.2" {
		t.Errorf("now %q, want %q; then %+v", got, want, p.Change.Then)
	}
}

// A rollback by running the last good run again ends when production runs that version, not when the attempt
// begins.
func TestRollingBackByARerun(t *testing.T) {
	t.Parallel()
	s := newStage(t, "search")
	p, err := s.Propose(t.Context(), action.Request{Verb: sources.Rollback, Target: s.ref("staging"), Means: action.ByRerun})
	if err != nil {
		t.Fatal(err)
	}
	s.tells(t, p)
	if p.Call.Verb != sources.RerunAll || p.Call.Target.Kind != sources.KindRun {
		t.Fatalf("call %+v, %+v", p.Call, p.Gates)
	}
	out := s.Execute(t.Context(), p, approve(p))
	if out.State != action.Done || s.writes() != 1 || !strings.Contains(out.Text.String(), "runs in staging") {
		t.Errorf("outcome %+v after %d writes", out, s.writes())
	}
}

// A rollback that waits for its turn behind a waiting run loses its place to the next one that comes: that is
// told, and nothing is called done.
func TestLosingOnesPlace(t *testing.T) {
	t.Parallel()
	s := newStage(t, "checkout")
	p, err := s.Propose(t.Context(), action.Request{Verb: sources.Rollback, Target: s.ref("prod")})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan action.Outcome)
	go func() { done <- s.Execute(t.Context(), p, approve(p)) }()
	for step := range s.steps {
		if step == action.Sent {
			break
		}
	}
	other := p.Call
	other.ID = "20261117-021500-abcdef"
	if _, err := s.set.Actor.Perform(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	out := <-done
	if out.State != action.Failed || !strings.HasPrefix(out.Text.String(), "superseded") || out.Fix.IsZero() {
		t.Errorf("outcome %+v", out)
	}
	t.Log(out.Text)
}

// A deployment is filed where a fleet was seen to carry out such, for one target at a time, and done when that
// target runs it.
func TestFilingADeployment(t *testing.T) {
	t.Parallel()
	s := newStage(t, "accounts")
	s.service.Spec.VersionFrom, s.service.Spec.VersionInput, s.service.Spec.DeployWorkflow = sources.VersionFrom{}, "", ""
	s.service.Via, s.service.Workflow = action.ByDeployment, ""
	q := action.Request{Verb: sources.Rollback, Target: s.ref("prod")}
	p, err := s.Propose(t.Context(), q)
	if err != nil || p.Demand.Kind != action.Refusal || p.Change.Means != "" {
		t.Fatalf("for two targets at once: %+v, %v", p.Gates, err)
	}
	q.Targets = []string{"eu"}
	if p, err = s.Propose(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	s.tells(t, p)
	if p.Call.Verb != sources.Deploy || p.Change.Means != action.ByDeployment || !slices.Equal(p.Change.Targets, []string{"eu"}) {
		t.Fatalf("call %+v, %+v", p.Call, p.Gates)
	}
	out := s.Execute(t.Context(), p, approve(p))
	if out.State != action.Done || s.writes() != 1 || !strings.Contains(out.Text.String(), "runs in prod eu") {
		t.Errorf("outcome %+v after %d writes", out, s.writes())
	}
}
