package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/simulator"
)

// tape answers from memory, by path and query and else by path alone, whatever the host.
type tape struct {
	mu      sync.Mutex
	replies map[string]taped
	next    http.RoundTripper // records what it answers; nil: what is not known is a 404
}

type taped struct {
	status int
	header http.Header
	body   []byte
}

func (tp *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.URL.EscapedPath() + "?" + r.URL.RawQuery
	tp.mu.Lock()
	got, ok := tp.replies[key]
	if !ok {
		got, ok = tp.replies[r.URL.EscapedPath()]
	}
	tp.mu.Unlock()
	if !ok && tp.next != nil {
		res, err := tp.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return nil, err
		}
		got = taped{res.StatusCode, res.Header, body}
		tp.mu.Lock()
		tp.replies[key] = got
		tp.mu.Unlock()
	} else if !ok {
		got = taped{status: http.StatusNotFound, body: []byte(`{"message":"Not Found"}`)}
	}
	header := got.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Del("ETag")
	header.Del("Content-Length")
	return &http.Response{
		StatusCode: got.status, Status: http.StatusText(got.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(got.body)), ContentLength: int64(len(got.body)), Request: r,
	}, nil
}

func (tp *tape) with(key string, body []byte) *tape {
	changed := &tape{replies: maps.Clone(tp.replies)}
	reply := changed.replies[key]
	reply.body = body
	changed.replies[key] = reply
	return changed
}

// tapedWorld is what is read of a tape, and how.
type tapedWorld struct {
	scope    string
	services []sources.ServiceSpec
	now      time.Time
	api      string
	token    string
}

func (w *tapedWorld) open(t *testing.T, tp *tape) *source {
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
func wireFields() map[string]bool {
	out := map[string]bool{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(t.Elem())
		case reflect.Struct:
			for i := range t.NumField() {
				f := t.Field(i)
				if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
					out[name] = true
				}
				if f.Type != reflect.TypeFor[time.Time]() {
					walk(f.Type)
				}
			}
		default:
		}
	}
	for _, w := range []any{
		wireRuns{}, wireJobs{}, wireDeployment{}, wireStatus{}, wireRepo{}, wireTag{}, wireRelease{}, wireCommit{}, wireComparison{},
		wirePending{}, wireGroups{}, wireRunners{}, wireEnvironments{}, wireWorkflows{},
	} {
		walk(reflect.TypeOf(w))
	}
	return out
}

const whole = "the whole"

// mutant is one reply with one field changed.
type mutant struct {
	key, how string
	where    string // the field, as in workflow_runs[].head_commit.author
	body     []byte
}

var numbers = regexp.MustCompile(`[0-9a-f]{40}|\d+`)

// mutants changes each field that the driver reads once for each kind of address: it is left out, null,
// or of another type. Of a list the first item's are changed, and what the last one has besides. seen holds what was changed before.
func mutants(t *testing.T, scope string, tp *tape, seen map[string]bool) []mutant {
	t.Helper()
	fields := wireFields()
	var out []mutant
	for _, key := range slices.Sorted(maps.Keys(tp.replies)) {
		reply := tp.replies[key]
		var root any
		if reply.status != http.StatusOK || json.Unmarshal(reply.body, &root) != nil {
			continue
		}
		address := numbers.ReplaceAllString(strings.TrimPrefix(strings.TrimSuffix(key, "?"), "/repos/"+scope), "N")
		emit := func(where, how string) {
			body, err := json.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, mutant{key, how, where, body})
		}
		var walk func(v any, where string)
		walk = func(v any, where string) {
			switch v := v.(type) {
			case []any:
				for i, item := range v {
					if i == 0 || i == len(v)-1 {
						walk(item, where+"[]")
					}
				}
			case map[string]any:
				for _, k := range slices.Sorted(maps.Keys(v)) {
					at, old := where+"."+k, v[k]
					if !fields[k] {
						continue
					}
					if id := address + " " + at; !seen[id] {
						seen[id] = true
						delete(v, k)
						emit(at, "left out")
						v[k] = nil
						emit(at, "null")
						v[k] = otherType(old)
						emit(at, "of another type")
						v[k] = old
					}
					walk(old, at)
				}
			}
		}
		walk(root, "")
		for how, body := range map[string]string{"null": "null", "an error object": `{"message":"Server Error"}`, "a list": "[]", "an empty object": "{}", "truncated": string(reply.body[:len(reply.body)/2]), "empty": ""} {
			if id := address + " " + how; !seen[id] {
				seen[id] = true
				out = append(out, mutant{key, how, whole, []byte(body)})
			}
		}
	}
	return out
}

func otherType(v any) any {
	switch v.(type) {
	case string, nil:
		return map[string]any{"odd": 1}
	case float64:
		return "seven"
	case bool:
		return []any{1}
	default:
		return "text"
	}
}

// needed are the fields without which a reply is none: the list that was asked for.
var needed = regexp.MustCompile(`\.(workflow_runs|jobs|runners|status|full_name|sha|id)$`)

// trim shortens the lists of a tape, because what is read of one item is read of all, and leaves out what
// the driver does not read.
func (tp *tape) trim(t *testing.T) {
	t.Helper()
	fields := wireFields()
	var prune func(any)
	prune = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				prune(item)
			}
		case map[string]any:
			maps.DeleteFunc(v, func(k string, _ any) bool { return !fields[k] })
			for k, item := range v {
				if k != "payload" {
					prune(item)
				}
			}
		}
	}
	for key, reply := range tp.replies {
		var root any
		if reply.status != http.StatusOK || json.Unmarshal(reply.body, &root) != nil {
			continue
		}
		prune(root)
		short := func(l []any) []any { return slices.Delete(l, min(4, len(l)), max(min(4, len(l)), len(l)-1)) }
		switch v := root.(type) {
		case []any:
			root = short(v)
		case map[string]any:
			for k, item := range v {
				if l, ok := item.([]any); ok {
					v[k] = short(l)
				}
			}
		}
		body, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		reply.body, reply.header = body, reply.header.Clone()
		reply.header.Del("Link") // the rest was cut off
		tp.replies[key] = reply
	}
}

// shared are the addresses, below the repository's, that several feeds read.
var shared = regexp.MustCompile(`^\??$|^/actions/|^/tags|^/commits/`)

// mutate reads every mutant of a tape.
func mutate(t *testing.T, w *tapedWorld, tp *tape, seen map[string]bool) {
	t.Helper()
	tp.trim(t)
	if failed := w.read(t, w.open(t, tp), true); len(failed) > 0 {
		t.Fatalf("unchanged: %v", failed)
	}
	first := len(seen) == 0
	all := mutants(t, w.scope, tp, seen)
	if first && len(all) < 200 {
		t.Fatalf("%d mutants: hardly anything was changed", len(all))
	}
	for i, m := range all {
		if slowed && i%8 != 0 {
			continue
		}
		name := fmt.Sprintf("%s: %s is %s", m.key, m.where, m.how)
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s: panic: %v", name, r)
				}
			}()
			before := t.Failed()
			failed := w.read(t, w.open(t, tp.with(m.key, m.body)), m.how != "null")
			if !before && t.Failed() {
				t.Errorf("… with %s", name)
			}
			if (m.how == "left out" || m.how == "null") && len(failed) > 0 && m.where != whole && !needed.MatchString(m.where) {
				t.Errorf("%s: %v", name, failed)
			}
			if len(failed) > 1 && !shared.MatchString(strings.TrimPrefix(m.key, "/repos/"+w.scope)) {
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
			tp := &tape{replies: map[string]taped{}}
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
					tp.replies[path] = taped{http.StatusOK, http.Header{"Content-Type": {"application/json"}}, m.body}
				}
				if scope == "" && strings.Count(path, "/") >= 3 {
					scope = strings.Join(strings.Split(path, "/")[2:4], "/")
				}
			}
			tp.stand(t, scope)
			mutate(t, &tapedWorld{scope: scope, services: []sources.ServiceSpec{{Name: "x", Environments: stages("production", "test")}}, now: now, api: "http://127.0.0.1:1", token: tokenFile(t, testToken)}, tp, seen)
		})
	}
}

// stand gives a recording of single objects the lists that they would be in.
func (tp *tape) stand(t *testing.T, scope string) {
	t.Helper()
	base := "/repos/" + scope
	lists := map[string]func(items []json.RawMessage) any{
		base + "/actions/runs": func(items []json.RawMessage) any { return obj{"total_count": len(items), "workflow_runs": items} },
		base + "/deployments":  func(items []json.RawMessage) any { return items },
	}
	for list, wrap := range lists {
		if _, ok := tp.replies[list]; ok {
			continue
		}
		items := []json.RawMessage{}
		for _, key := range slices.Sorted(maps.Keys(tp.replies)) {
			rest, ok := strings.CutPrefix(key, list+"/")
			if ok && !strings.Contains(rest, "/") {
				items = append(items, tp.replies[key].body)
				if list == base+"/deployments" {
					tp.replies[key+"/statuses"] = taped{status: http.StatusOK, body: []byte(`[{"id":1,"state":"success","created_at":"2021-01-01T00:00:00Z"}]`)}
				}
			}
		}
		body, err := json.Marshal(wrap(items))
		if err != nil {
			t.Fatal(err)
		}
		tp.replies[list] = taped{status: http.StatusOK, body: body}
	}
	for _, list := range []string{"/tags", "/releases"} {
		if _, ok := tp.replies[base+list]; !ok {
			tp.replies[base+list] = taped{status: http.StatusOK, body: []byte("[]")}
		}
	}
	if _, ok := tp.replies[base]; !ok {
		tp.replies[base] = taped{status: http.StatusOK, body: fmt.Appendf(nil, `{"id":1,"full_name":%q,"default_branch":"main"}`, scope)}
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
			tp := &tape{replies: map[string]taped{}, next: http.DefaultTransport}
			w.read(t, w.open(t, tp), true)
			w.read(t, w.open(t, tp), true) // the second reading gets other objects
			tp.next = nil
			mutate(t, w, tp, seen)
		})
	}
}
