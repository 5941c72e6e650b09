package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/sourcetest"
)

// tapedWorld is what is read of a tape, and how.
type tapedWorld struct {
	scope    string
	services []sources.ServiceSpec
	now      time.Time
	api      string
	token    string
}

func (w *tapedWorld) open(t *testing.T, tp *sourcetest.Tape) *source {
	t.Helper()
	env := testEnv(&purse{})
	env.Transport, env.Now = tp, func() time.Time { return w.now }
	src, err := open(env, &Config{BaseURL: w.api, Token: parseRef(t, w.token)})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := src.(*source)
	return s
}

// read reads the lists and, when it is deep, each kind of object that is in them; it checks what it got, and
// returns the errors of the lists.
func (w *tapedWorld) read(t *testing.T, s *source, deep bool) (failed []error) {
	t.Helper()
	ctx := t.Context()
	q := sources.Query{Scope: w.scope, Services: w.services, Now: w.now, Identity: "sre1"}
	refs := map[sources.Ref]bool{}
	check := func(err error) {
		if err == nil {
			return
		}
		var e *sources.Error
		if !errors.As(err, &e) || e.Msg == "" || e.Op == "" {
			t.Errorf("%v says not what failed", err)
		}
	}
	lists := func(err error) {
		if err != nil {
			failed = append(failed, err)
		}
		check(err)
	}
	runs, err := s.ListRuns(ctx, q)
	lists(err)
	for i := range runs.Items {
		r := &runs.Items[i]
		saneRun(t, r)
		refs[r.Ref] = true
	}
	for i := range min(2, len(runs.Items)) {
		if !deep {
			break
		}
		jobs, err := s.ListJobs(ctx, runs.Items[i].Ref, true)
		check(err)
		for _, j := range jobs {
			if j.Ref.ID == "0" || j.Attempt < 1 || !j.Ended.IsZero() && !j.State.Done() {
				t.Errorf("job %+v", j)
			}
			refs[j.Ref] = true
		}
	}
	envs, err := s.ListEnvironments(ctx, q)
	lists(err)
	for i := range envs.Items {
		saneEnvironment(t, &envs.Items[i])
		refs[envs.Items[i].Ref] = true
		for _, d := range envs.Items[i].History[:min(2, len(envs.Items[i].History))] {
			refs[d.Ref] = true
		}
	}
	rels, err := s.ListReleases(ctx, q)
	lists(err)
	for _, r := range rels.Items {
		if r.Ref.ID == "" || r.Ref.ID == "0" || r.Version.IsZero() && !r.Draft {
			t.Errorf("release %+v", r)
		}
	}
	asked := map[sources.Kind]int{}
	inOrder := slices.SortedFunc(maps.Keys(refs), func(a, b sources.Ref) int { return strings.Compare(a.String(), b.String()) })
	for _, ref := range inOrder {
		if !deep {
			break
		}
		if asked[ref.Kind]++; asked[ref.Kind] > 1 {
			continue
		}
		_, err := s.Get(ctx, ref)
		check(err)
	}
	return failed
}

func saneRun(t *testing.T, r *sources.Run) {
	t.Helper()
	drawable(t, r.Title.String(), r.Workflow.String(), r.Branch.String(), r.Actor.String(), r.URL)
	switch {
	case r.Ref.ID == "0", r.Attempt < 1, r.Revision == "", r.Workflow.IsZero(), r.Expected < 0, r.Failed > r.Of, r.Jobs.Done > r.Jobs.Total:
		t.Errorf("run %+v", r)
	case !r.State.Done() && !r.Ended.IsZero(), r.Failure != nil && r.Failure.Legs < r.Failure.Failed:
		t.Errorf("run %+v", r)
	}
}

func saneEnvironment(t *testing.T, e *sources.Environment) {
	t.Helper()
	if e.Service == "" || e.Name == "" || len(e.Targets) == 0 || e.Ahead < -1 || e.Behind < 0 {
		t.Errorf("environment %+v", e)
	}
	for _, d := range e.History {
		if d.Ref.ID == "0" || len(d.Evidence) == 0 || d.Revision == "" {
			t.Errorf("deployment %+v", d)
		}
	}
	for _, tg := range e.Targets {
		if c := tg.Current; c != nil && c.State != sources.StatePassed {
			t.Errorf("what runs is %v: %+v", c.State, c)
		}
		if a := tg.Arriving; a != nil && a.State.Done() {
			t.Errorf("what arrives is %v: %+v", a.State, a)
		}
	}
}

// wireFields are the fields that this driver reads of GitHub's replies.
func wireFields() sourcetest.Fields {
	return sourcetest.FieldsOf([]any{
		wireRuns{}, wireJobs{}, wireDeployment{}, wireStatus{}, wireRepo{}, wireTag{}, wireRelease{}, wireCommit{}, wireComparison{},
		wirePending{}, wireGroups{}, wireRunners{}, wireEnvironments{}, wireWorkflows{},
	})
}

var numbers = regexp.MustCompile(`[0-9a-f]{40}|\d+`)

// mutants are those of the fields that the driver reads. seen holds what was changed before.
func mutants(t *testing.T, scope string, tp *sourcetest.Tape, seen map[string]bool) []sourcetest.Mutant {
	t.Helper()
	return tp.Mutants(t, sourcetest.Mutation{Fields: wireFields(), Seen: seen, Address: func(key string) string {
		return numbers.ReplaceAllString(strings.TrimPrefix(strings.TrimSuffix(key, "?"), "/repos/"+scope), "N")
	}})
}

// needed are the fields without which a reply is none: the list that was asked for.
var needed = regexp.MustCompile(`\.(workflow_runs|jobs|runners|status|full_name|sha|id)$`)

// shared are the addresses, below the repository's, that several feeds read.
var shared = regexp.MustCompile(`^\??$|^/actions/|^/tags|^/commits/`)

// mutate reads every mutant of a tape.
func mutate(t *testing.T, w *tapedWorld, tp *sourcetest.Tape, seen map[string]bool) {
	t.Helper()
	tp.Trim(t, wireFields(), "payload")
	if failed := w.read(t, w.open(t, tp), true); len(failed) > 0 {
		t.Fatalf("unchanged: %v", failed)
	}
	first := len(seen) == 0
	all := mutants(t, w.scope, tp, seen)
	if first && len(all) < 200 {
		t.Fatalf("%d mutants: hardly anything was changed", len(all))
	}
	for i, m := range all {
		if sourcetest.Slowed && i%8 != 0 {
			continue
		}
		name := m.String()
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s: panic: %v", name, r)
				}
			}()
			before := t.Failed()
			failed := w.read(t, w.open(t, tp.With(m.Key, m.Body)), m.How != sourcetest.Null)
			if !before && t.Failed() {
				t.Errorf("… with %s", name)
			}
			if (m.How == sourcetest.LeftOut || m.How == sourcetest.Null) && len(failed) > 0 && m.Where != sourcetest.Whole && !needed.MatchString(m.Where) {
				t.Errorf("%s: %v", name, failed)
			}
			if len(failed) > 1 && !shared.MatchString(strings.TrimPrefix(m.Key, "/repos/"+w.scope)) {
				t.Errorf("%s: more than one feed fails: %v", name, failed)
			}
		}()
	}
}

func tokenFile(t *testing.T, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file:" + file
}

// Other recordings of these endpoints lack other fields: none of them takes the board down.
func TestRecordedRepliesWithAnyFieldMissing(t *testing.T) {
	t.Parallel()
	root, seen := fixtures(t), map[string]bool{}
	for _, c := range []struct{ test, scope, folder string }{
		{"GHWorkflowRunTest", recorded, "testJobs"},
		{"GHWorkflowRunTest", recorded, "testManualRunAndBasicInformation"},
		{"GHWorkflowRunTest", recorded, "testApproval"},
		{"GHWorkflowRunTest", recorded, "testStartupFailureConclusion"},
		{"GHDeploymentTest", "", "testGetDeploymentByIdObjectPayload"},
		{"GHDeploymentTest", "", "testGetDeploymentByIdStringPayload"},
	} {
		t.Run(c.folder, func(t *testing.T) {
			tp := sourcetest.NewTape(nil)
			dir := filepath.Join(root, c.test, "wiremock", c.folder)
			files, err := filepath.Glob(filepath.Join(dir, "mappings", "*.json"))
			if err != nil || len(files) == 0 {
				t.Fatalf("no recordings in %s: %v", dir, err)
			}
			scope := c.scope
			for _, f := range files {
				m := readMapping(t, dir, f)
				path, _, _ := strings.Cut(m.Request.URL+m.Request.Path, "?")
				if m.Request.Method == http.MethodGet && m.Response.Status == http.StatusOK {
					tp.Replies[path] = sourcetest.Reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: m.body}
				}
				if scope == "" && strings.Count(path, "/") >= 3 {
					scope = strings.Join(strings.Split(path, "/")[2:4], "/")
				}
			}
			standIn(t, tp, scope)
			mutate(t, &tapedWorld{scope: scope, services: []sources.ServiceSpec{{Name: "x", Environments: stages("production", "test")}}, now: now, api: "http://127.0.0.1:1", token: tokenFile(t, testToken)}, tp, seen)
		})
	}
}

// standIn gives a recording of single objects the lists that they would be in.
func standIn(t *testing.T, tp *sourcetest.Tape, scope string) {
	t.Helper()
	base := "/repos/" + scope
	lists := map[string]func(items []json.RawMessage) any{
		base + "/actions/runs": func(items []json.RawMessage) any { return obj{"total_count": len(items), "workflow_runs": items} },
		base + "/deployments":  func(items []json.RawMessage) any { return items },
	}
	for list, wrap := range lists {
		if _, ok := tp.Replies[list]; ok {
			continue
		}
		items := []json.RawMessage{}
		for _, key := range slices.Sorted(maps.Keys(tp.Replies)) {
			rest, ok := strings.CutPrefix(key, list+"/")
			if ok && !strings.Contains(rest, "/") {
				items = append(items, tp.Replies[key].Body)
				if list == base+"/deployments" {
					tp.Replies[key+"/statuses"] = sourcetest.Reply{Status: http.StatusOK, Body: []byte(`[{"id":1,"state":"success","created_at":"2021-01-01T00:00:00Z"}]`)}
				}
			}
		}
		body, err := json.Marshal(wrap(items))
		if err != nil {
			t.Fatal(err)
		}
		tp.Replies[list] = sourcetest.Reply{Status: http.StatusOK, Body: body}
	}
	for _, list := range []string{"/tags", "/releases"} {
		if _, ok := tp.Replies[base+list]; !ok {
			tp.Replies[base+list] = sourcetest.Reply{Status: http.StatusOK, Body: []byte("[]")}
		}
	}
	if _, ok := tp.Replies[base]; !ok {
		tp.Replies[base] = sourcetest.Reply{Status: http.StatusOK, Body: fmt.Appendf(nil, `{"id":1,"full_name":%q,"default_branch":"main"}`, scope)}
	}
}

// The simulator has what the recordings lack: deployments, gates, comparisons, tags.
func TestSimulatedRepliesWithAnyFieldMissing(t *testing.T) {
	t.Parallel()
	sim, err := simulator.Start(t.Context(), simulator.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	titled := sources.VersionFrom{RunName: `(?:Deploy|Release) (\S+)`}
	prod := sources.EnvironmentSpec{Name: "prod", Provider: "production-{{target}}", Targets: []string{"eu", "us"}, Prod: true}
	spec := func(name string) sources.ServiceSpec {
		return sources.ServiceSpec{Name: name, Environments: append(stages("dev", "staging"), prod), DeployWorkflow: "deploy.yml", VersionInput: "ref", VersionFrom: titled}
	}
	ledger := sources.ServiceSpec{
		Name: "ledger", Paths: []string{"ledger/**"}, TagPrefix: "ledger/", Workflows: []string{"ci", "deploy-ledger"}, DeployWorkflow: "deploy-ledger.yml",
		Environments: []sources.EnvironmentSpec{{Name: "staging", Provider: "ledger-staging"}, {Name: "prod", Provider: "ledger-production-eu"}},
	}
	seen := map[string]bool{}
	for _, c := range []struct {
		name string
		sp   sources.ServiceSpec
	}{{"search", spec("search")}, {"accounts", spec("accounts")}, {"money", ledger}} {
		name, sp := c.name, c.sp
		t.Run(name, func(t *testing.T) {
			w := &tapedWorld{scope: "acme/" + name, services: []sources.ServiceSpec{sp}, now: sim.Now(), api: sim.APIURL(), token: tokenFile(t, sim.Token())}
			tp := sourcetest.NewTape(http.DefaultTransport)
			w.read(t, w.open(t, tp), true)
			w.read(t, w.open(t, tp), true) // the second reading gets other objects
			tp.Next = nil
			mutate(t, w, tp, seen)
		})
	}
}
