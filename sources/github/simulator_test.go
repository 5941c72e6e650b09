package github_test

import (
	"errors"
	"fmt"
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
	"example.com/signalbox/sources/github"
	"example.com/signalbox/sources/simulator"
	simworld "example.com/signalbox/sources/simulator/world"
	"example.com/signalbox/sources/sourcetest"
)

// simulated starts a world and opens the driver on it.
func simulated(t *testing.T, o simulator.Options) (*simulator.Simulator, sources.Source) {
	t.Helper()
	sim, err := simulator.Start(t.Context(), o)
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
	return sim, src
}

func storyStages(prod string, targets ...string) []sources.EnvironmentSpec {
	return []sources.EnvironmentSpec{{Name: "dev"}, {Name: "staging"}, {Name: "prod", Provider: prod, Targets: targets, Prod: true}}
}

const titled = `(?:Deploy|Release) (\S+)`

func storySpec(name string) sources.ServiceSpec {
	return sources.ServiceSpec{
		Name: name, Environments: storyStages("production-{{target}}", "eu", "us"), DeployWorkflow: "deploy.yml", VersionInput: "ref",
		VersionFrom: sources.VersionFrom{RunName: titled},
	}
}

func storyRead(t *testing.T, sim *simulator.Simulator, src sources.Source, scope string, specs ...sources.ServiceSpec) (sources.Batch[sources.Run], sources.Batch[sources.Environment]) {
	t.Helper()
	q := sources.Query{Scope: scope, Now: sim.Now(), Identity: "sre1", Services: specs}
	runs, err := list[sources.RunLister](t, src).ListRuns(t.Context(), q)
	if err != nil {
		t.Fatalf("runs of %s: %v", scope, err)
	}
	envs, err := list[sources.EnvironmentLister](t, src).ListEnvironments(t.Context(), q)
	if err != nil {
		t.Fatalf("environments of %s: %v", scope, err)
	}
	return runs, envs
}

func list[T any](t *testing.T, src sources.Source) T {
	t.Helper()
	l, ok := src.(T)
	if !ok {
		t.Fatalf("the source is no %T", *new(T))
	}
	return l
}

func find(t *testing.T, envs []sources.Environment, name string) sources.Environment {
	t.Helper()
	for _, e := range envs {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("no environment %s", name)
	return sources.Environment{}
}

// show is a target in a line: what runs, what arrives, what failed.
func show(tg sources.Target) string {
	part := func(d *sources.Deployment) string {
		if d == nil {
			return "-"
		}
		return fmt.Sprintf("%s %s", d.Version.Short(), map[bool]string{true: "verified", false: "unverified"}[d.Verified])
	}
	return fmt.Sprintf("%s: %s, arriving %s, failed %s", tg.Name, part(tg.Current), part(tg.Arriving), part(tg.Failed))
}

// The story opens as the board's mock-up shows it.
func TestStoryOpensAsTold(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	accounts := storySpec("accounts")
	accounts.VersionFrom, accounts.VersionInput, accounts.DeployWorkflow = sources.VersionFrom{}, "", ""
	ledger := sources.ServiceSpec{
		Name: "ledger", Paths: []string{"ledger/**"}, TagPrefix: "ledger/", Workflows: []string{"ci", "deploy-ledger"},
		DeployWorkflow: "deploy-ledger.yml", VersionInput: "ref",
		Environments: []sources.EnvironmentSpec{{Name: "staging", Provider: "ledger-staging"}, {Name: "prod", Provider: "ledger-production-{{target}}", Targets: []string{"eu"}, Prod: true}},
	}
	for _, c := range []struct {
		scope string
		spec  sources.ServiceSpec
		prod  []string
	}{
		{"acme/checkout", storySpec("checkout"), []string{"eu: v1.9.2 verified, arriving -, failed -", "us: v1.9.2 verified, arriving -, failed -"}},
		{"acme/search", storySpec("search"), []string{"eu: v0.8.0 verified, arriving v0.8.1 verified, failed -", "us: v0.8.0 verified, arriving v0.8.1 verified, failed -"}},
		{"acme/accounts", accounts, []string{"eu: v2.0.3 verified, arriving -, failed -", "us: v2.0.2 verified, arriving -, failed v2.0.3 verified"}},
		{"acme/money", ledger, []string{"eu: ledger/v3.2.9 unverified, arriving -, failed -"}},
	} {
		_, envs := storyRead(t, sim, src, c.scope, c.spec)
		for i, tg := range find(t, envs.Items, "prod").Targets {
			got := show(tg)
			if tg.Current != nil && !tg.Current.Verified {
				got = fmt.Sprintf("%s: ledger/v3.2.9 unverified, arriving -, failed -", tg.Name) // which version it says does not matter: nobody knows
			}
			if got != c.prod[i] {
				t.Errorf("%s prod is %q, want %q", c.scope, got, c.prod[i])
			}
		}
	}
	if u := sim.Usage(); len(u.Complaints) > 0 {
		t.Errorf("no well-behaved client does this: %+v", u.Complaints)
	}
}

func TestStoryOfWhatWaits(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	runs, envs := storyRead(t, sim, src, "acme/search", storySpec("search"))
	if runs.Busy != sources.WaitingForPerson || runs.Items[0].State != sources.StateWaiting || len(runs.Items[0].Gates) == 0 {
		t.Errorf("search waits for its approval: %+v", runs.Items[0])
	}
	if e := find(t, envs.Items, "prod"); e.Ahead != 4 || len(e.Gates) == 0 || !e.Gates[0].CanApprove || e.Gates[0].Version.Tag.String() != "v0.8.1" {
		t.Errorf("prod: %d commits wait, gates %+v", e.Ahead, e.Gates)
	}
	runs, _ = storyRead(t, sim, src, "acme/accounts", storySpec("accounts"))
	r := runs.Items[0]
	if r.RefKind != sources.RefQueue || r.Pull != 418 || len(r.NoRunner) != 1 || r.NoRunner[0] != "gpu" {
		t.Errorf("queue #418 misses its runner: %+v", r)
	}
	runs, _ = storyRead(t, sim, src, "acme/web", storySpec("web"))
	if r := runs.Items[0]; r.State != sources.StateRunning || r.Expected == 0 || runs.Busy != sources.Live || r.Jobs.Total == 0 {
		t.Errorf("web's release runs: %+v", r)
	}
}

func TestStoryOfWhatFailed(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	q := sources.Query{Scope: "acme/money", Now: sim.Now(), Identity: "sre1"}
	b, err := list[sources.RunLister](t, src).ListRuns(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range b.Items {
		if r.Failure == nil || r.Failure.Legs < 2 {
			continue
		}
		if r.Failure.Failed != 3 || r.Failure.Legs != 12 || r.Failure.Step.IsZero() {
			t.Errorf("failure %+v", r.Failure)
		}
		log, err := list[sources.LogReader](t, src).ReadLog(t.Context(), r.Failure.Job, sources.LogQuery{})
		if err != nil || log.FirstError < 0 {
			t.Errorf("log %+v, %v", log, err)
		}
		return
	}
	t.Errorf("no run failed in a matrix, of %d", len(b.Items))
}

func TestOddRepositoriesDegradeThemselves(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	read := func(scope string) (sources.Batch[sources.Run], error) {
		return list[sources.RunLister](t, src).ListRuns(t.Context(), sources.Query{Scope: scope, Now: sim.Now()})
	}
	if _, err := read("acme/gone"); sources.KindOf(err) != sources.NotExist {
		t.Errorf("gone: %v", err)
	}
	if b, err := read("acme/legacy"); err != nil || len(b.Notices) == 0 {
		t.Errorf("archived: %+v, %v", b.Notices, err)
	}
	_, err := read("secure-corp/vault")
	if e, ok := errors.AsType[*sources.Error](err); !ok || e.Kind != sources.Permission || !strings.Contains(e.Fix, "https://") {
		t.Errorf("behind single sign-on: %+v", err)
	}
	if _, err := read("acme/checkout"); err != nil {
		t.Errorf("its neighbour: %v", err)
	}
}

// Nothing changes: nothing is charged, nothing decoded, and nobody complains.
func TestUnchangedWorldCostsNothing(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	storyRead(t, sim, src, "acme/checkout", storySpec("checkout"))
	q := sources.Query{Scope: "acme/checkout", Now: sim.Now(), Identity: "sre1", Services: []sources.ServiceSpec{storySpec("checkout")}}
	// The deployments told which workflows may wait for approvals: their work is read once.
	if _, err := list[sources.RunLister](t, src).ListRuns(t.Context(), q); err != nil && !errors.Is(err, sources.ErrNotModified) {
		t.Fatal(err)
	}
	sim.ResetUsage()
	for range 3 {
		if _, err := list[sources.RunLister](t, src).ListRuns(t.Context(), q); !errors.Is(err, sources.ErrNotModified) {
			t.Errorf("runs: %v", err)
		}
		if _, err := list[sources.EnvironmentLister](t, src).ListEnvironments(t.Context(), q); !errors.Is(err, sources.ErrNotModified) {
			t.Errorf("environments: %v", err)
		}
	}
	if u := sim.Usage(); u.Charged != 0 || u.NotModified == 0 || len(u.Complaints) > 0 {
		t.Errorf("charged %d of %d, complaints %+v", u.Charged, u.Requests, u.Complaints)
	}
}

func TestCheckAndDiscoverTheStory(t *testing.T) {
	t.Parallel()
	_, src := simulated(t, simulator.Options{Seed: 1})
	var text strings.Builder
	repos := list[sources.ScopeChecker](t, src).CheckScopes(t.Context(), []string{"acme/checkout", "acme/money"})
	for _, f := range slices.Concat(list[sources.Checker](t, src).Check(t.Context()), repos) {
		fmt.Fprintf(&text, "%d %s: %s\n", f.Level, f.What, f.Detail)
		if f.Level == sources.LevelFail || f.Level != sources.LevelOK && f.Fix.IsZero() {
			t.Errorf("finding %+v", f)
		}
	}
	for _, want := range []string{"signed in as sre1", "0 acme/checkout: runs, deployments and tags can be read", "0 acme/money", "rate limit"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	found, err := list[sources.Discoverer](t, src).Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		if p.Repo == "acme/checkout" {
			if p.Service != "checkout" || p.Deploy != "deploy.yml" || p.Confidence < 0.8 || len(p.Environments) < 3 || len(p.Why) == 0 {
				t.Errorf("proposal %+v", p)
			}
			return
		}
	}
	t.Errorf("checkout was not found in %d proposals", len(found))
}

// An hour of twenty repositories, three of them with a running pipeline: these are read each 15 s, the
// others each minute, environments too. What is unchanged costs nothing. The start is counted once, and
// twenty minutes after it three times.
func TestHourOfTwentyRepositories(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1, Scale: simworld.Scale{Repositories: 20, Running: 3, Runs: 600}})
	read := func(i int) {
		q := sources.Query{Scope: fmt.Sprintf("load/service-%03d", i+1), Now: sim.Now(), Identity: "sre1", Services: []sources.ServiceSpec{{
			Name: "service", DeployWorkflow: "deploy.yml", VersionInput: "ref", VersionFrom: sources.VersionFrom{RunName: titled},
			Environments: storyStages("production-{{target}}", "eu"),
		}}}
		if _, err := list[sources.RunLister](t, src).ListRuns(t.Context(), q); err != nil && !errors.Is(err, sources.ErrNotModified) {
			t.Fatal(err)
		}
		if _, err := list[sources.EnvironmentLister](t, src).ListEnvironments(t.Context(), q); err != nil && !errors.Is(err, sources.ErrNotModified) {
			t.Fatal(err)
		}
	}
	sim.ResetUsage()
	for i := range 20 {
		read(i)
	}
	start := sim.Usage()
	sim.ResetUsage()
	for tick := range 80 {
		for i := range 20 {
			if i < 3 || tick%4 == 0 {
				read(i)
			}
		}
		sim.Advance(15 * time.Second)
	}
	u := sim.Usage()
	hour := start.Charged + 3*u.Charged
	t.Logf("the start cost %d requests, twenty minutes %d of %d sent: %d an hour", start.Charged, u.Charged, u.Requests, hour)
	if hour > 1000 {
		t.Errorf("an hour costs %d of 5,000 requests: more than a fifth", hour)
	}
	if len(u.Complaints) > 0 {
		t.Errorf("complaints %+v", u.Complaints)
	}
}

// An Enterprise server serves the API below /api/v3, and an older one: what it lacks is not missed.
func TestEnterpriseServer(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1, Enterprise: true})
	runs, envs := storyRead(t, sim, src, "acme/search", storySpec("search"))
	if len(runs.Items) == 0 || len(runs.Items[0].Gates) == 0 || len(runs.Notices)+len(envs.Notices) > 0 {
		t.Errorf("%d runs, notices %+v %+v", len(runs.Items), runs.Notices, envs.Notices)
	}
	var text strings.Builder
	for _, f := range list[sources.Checker](t, src).Check(t.Context()) {
		fmt.Fprintf(&text, "%s %s\n", f.What, f.Detail)
	}
	if !strings.Contains(text.String(), "GitHub Enterprise Server") {
		t.Errorf("the check does not say what it talks to:\n%s", text.String())
	}
}
