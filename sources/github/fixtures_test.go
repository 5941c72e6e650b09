package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

const recorded = "hub4j-test-org/GHWorkflowRunTest"

// fixtures is the folder of recorded traffic; the test is skipped where there is none.
func fixtures(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SIGNALBOX_FIXTURES")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
				break
			}
			if filepath.Dir(root) == root {
				t.Fatal("no go.mod above the test")
			}
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared", "fixtures")
	}
	dir = filepath.Join(dir, "github")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("unvalidated: 1 (no recorded traffic at %s)", dir)
	}
	return dir
}

type mapping struct {
	Request struct {
		URL    string `json:"url"`
		Path   string `json:"urlPath"`
		Method string `json:"method"`
	} `json:"request"`
	Response struct {
		Status  int            `json:"status"`
		File    string         `json:"bodyFileName"`
		Body    string         `json:"body"`
		Headers map[string]any `json:"headers"`
	} `json:"response"`
	Index int `json:"insertionIndex"`

	body []byte
}

// replay serves recorded traffic by its paths: the queries are another client's. Of several answers for
// a path the last one counts. It also answers for the log's host.
func replay(t testing.TB, dirs ...string) rig {
	t.Helper()
	h := newHub(t)
	clear(h.answers)
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "mappings", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		var all []mapping
		for _, f := range files {
			all = append(all, readMapping(t, dir, f))
		}
		slices.SortStableFunc(all, func(a, b mapping) int { return a.Index - b.Index })
		for _, m := range all {
			path, _, _ := strings.Cut(m.Request.URL+m.Request.Path, "?")
			if m.Request.Method == http.MethodGet {
				h.handle(path, m.serve(h.srv))
			}
		}
	}
	return openOn(t, h)
}

func readMapping(t testing.TB, dir, file string) mapping {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m mapping
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	m.body = []byte(m.Response.Body)
	if m.Response.File != "" {
		if m.body, err = os.ReadFile(filepath.Join(dir, "__files", m.Response.File)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (m mapping) serve(srv *httptest.Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for k, v := range m.Response.Headers {
			if s, ok := v.(string); ok && k != "Content-Length" && k != "Content-Encoding" && k != "Transfer-Encoding" {
				s = strings.Replace(s, "https://pipelines.actions.githubusercontent.com", srv.URL, 1)
				w.Header().Set(k, strings.ReplaceAll(s, "https://api.github.com", srv.URL))
			}
		}
		if etag := w.Header().Get("ETag"); etag != "" && r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.WriteHeader(m.Response.Status)
		_, _ = w.Write(m.body)
	}
}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func runsTest(t testing.TB, name string) string {
	return filepath.Join(fixtures(t), "GHWorkflowRunTest", "wiremock", name)
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestRecordedRunsAndJobs(t *testing.T) {
	t.Parallel()
	s := replay(t, runsTest(t, "testJobs"), runsTest(t, "testJobs_actions-user-content"))
	ctx := context.Background()
	b, err := s.ListRuns(ctx, sources.Query{Scope: recorded, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "number of runs", len(b.Items), 20)
	r := b.Items[0]
	equal(t, "ref", r.Ref, sources.Ref{Source: "github", Kind: sources.KindRun, Scope: recorded, ID: "719643947"})
	equal(t, "workflow", r.Workflow.String(), "Multi jobs workflow")
	equal(t, "title", r.Title.String(), "Create multi-jobs-workflow.yml")
	equal(t, "number", r.Number, 15)
	equal(t, "attempt", r.Attempt, 1)
	equal(t, "event", r.Event, "workflow_dispatch")
	equal(t, "branch", r.Branch.String(), "main")
	equal(t, "default", r.Default, true)
	equal(t, "fork", r.Fork, false)
	equal(t, "kind", r.RefKind, sources.RefBranch)
	equal(t, "commit", r.Commit.SHA, "c7bd3b8db871bbde8629275631ea645622ae89d7")
	equal(t, "author", r.Commit.Author.String(), "Guillaume Smet")
	equal(t, "commit's time", r.Commit.At, at(t, "2021-04-05T12:07:58Z"))
	equal(t, "state", r.State, sources.StatePassed)
	equal(t, "created", r.Created, at(t, "2021-04-05T15:42:47Z"))
	equal(t, "started", r.Started, at(t, "2021-04-05T15:42:47Z"))
	equal(t, "ended", r.Ended, at(t, "2021-04-05T15:43:07Z"))
	equal(t, "address", r.URL, "https://github.com/hub4j-test-org/GHWorkflowRunTest/actions/runs/719643947")

	jobs, err := s.ListJobs(ctx, r.Ref, false)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "number of jobs", len(jobs), 2)
	j := jobs[0]
	equal(t, "job", j.Ref, sources.Ref{Source: "github", Kind: sources.KindJob, Scope: recorded, ID: "2270858576"})
	equal(t, "job's name", j.Name.String(), "job2")
	equal(t, "job's state", j.State, sources.StatePassed)
	equal(t, "job's start", j.Started, at(t, "2021-04-05T15:42:56Z"))
	equal(t, "job's end", j.Ended, at(t, "2021-04-05T15:42:57Z"))
	equal(t, "job's runner", j.Runner.String(), "my runner")
	equal(t, "job's labels", strings.Join(j.Labels, " "), "ubuntu-latest")
	equal(t, "job's address", j.URL, "https://github.com/hub4j-test-org/GHWorkflowRunTest/runs/2270858576")
	equal(t, "number of steps", len(j.Steps), 3)
	equal(t, "step", j.Steps[1], sources.Step{
		Number: 2, Name: j.Steps[1].Name, State: sources.StatePassed,
		Started: at(t, "2021-04-05T15:42:56Z"), Ended: at(t, "2021-04-05T15:42:57Z"),
	})
	equal(t, "step's name", j.Steps[1].Name.String(), "Run a one-line script")

	log, err := s.ReadLog(ctx, jobs[1].Ref, sources.LogQuery{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "first error", log.FirstError, -1)
	last := log.Lines[len(log.Lines)-1]
	equal(t, "last line", last.Text.String(), "Cleaning up orphan processes")
	equal(t, "last line's time", last.At.Format(time.RFC3339Nano), "2021-04-05T15:42:59.1177315Z")
	equal(t, "what the job said", log.Lines[len(log.Lines)-2].Text.String(), "Hello from job1!")
	equal(t, "its first group", log.Lines[0].Text.String(), "Starting: Request a runner to run this job")
	equal(t, "its first group's level", log.Lines[0].Level, sources.LogGroup)
	for _, l := range log.Lines {
		if strings.ContainsAny(l.Text.String(), "\x1b\r\uFEFF") {
			t.Errorf("%q is not clean", l.Text)
		}
	}

	again, err := s.Get(ctx, jobs[1].Ref)
	if got, ok := again.(sources.Job); err != nil || !ok || got.Name.String() != "job1" {
		t.Errorf("Get of the job: %+v, %v", again, err)
	}
	for _, req := range s.hub.requests() {
		if strings.Contains(req.URL.Path, "signedlogcontent") && req.Header.Get("Authorization") != "" {
			t.Error("the log's host was sent the token")
		}
	}
}

func TestRecordedStartupFailure(t *testing.T) {
	t.Parallel()
	s := replay(t, runsTest(t, "testSearchOnCreatedAndHeadSha"), runsTest(t, "testStartupFailureConclusion"))
	h := s.hub
	h.handle("/repos/"+recorded+"/actions/runs", h.answers["/repos/"+recorded+"/actions/workflows/75497789/runs"])
	b, err := s.ListRuns(context.Background(), sources.Query{Scope: recorded, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "number of runs", len(b.Items), 4)
	r := b.Items[0]
	equal(t, "state", r.State, sources.StateFailed)
	equal(t, "reason", r.Reason.String(), "could not start")
	equal(t, "path", r.Path, ".github/workflows/startup-failure-workflow.yml")
	equal(t, "workflow", r.Workflow.String(), "Broken Workflow")
	equal(t, "title", r.Title.String(), "Update startup-failure-workflow.yml")
	equal(t, "actor", r.Actor.String(), "yasin-herken")
	equal(t, "failure rate", fmt.Sprint(r.Failed, " of ", r.Of), "4 of 4")
	equal(t, "expected", r.Expected, 0)
}

func TestRecordedForkThatNeedsApproval(t *testing.T) {
	t.Parallel()
	s := replay(t, runsTest(t, "testApproval"))
	ctx := context.Background()
	b, err := s.ListRuns(ctx, sources.Query{Scope: recorded, Now: now})
	if err != nil || len(b.Items) != 0 {
		t.Fatalf("a stranger's runs are on the board: %+v, %v", b.Items, err)
	}
	b, err = s.ListRuns(ctx, sources.Query{Scope: recorded, Now: now, Identity: "holly-cummins"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "number of my runs", len(b.Items), 4)
	r := b.Items[0]
	equal(t, "state", r.State, sources.StateWaiting)
	equal(t, "reason", r.Reason.String(), "a maintainer must allow it")
	equal(t, "fork", r.Fork, true)
	equal(t, "default", r.Default, false)
	got, err := s.Get(ctx, sources.Ref{Source: "github", Kind: sources.KindRun, Scope: recorded, ID: "2874767918"})
	run, ok := got.(sources.Run)
	if err != nil || !ok {
		t.Fatal(got, err)
	}
	equal(t, "attempt", run.Attempt, 2)
	equal(t, "state after approval", run.State, sources.StatePassed)
}

func TestRecordedRunsOfOtherStates(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, c := range []struct {
		test  string
		first string
		state sources.State
	}{
		{"testCancelAndRerun", "686036126", sources.StateRunning},
		{"testDelete", "686038131", sources.StatePassed},
		{"testManualRunAndBasicInformation", "686034992", sources.StatePassed},
		{"testSearchOnBranch", "686039314", sources.StatePassed},
		{"testLogs", "711446981", sources.StatePassed},
	} {
		s := replay(t, runsTest(t, c.test))
		b, err := s.ListRuns(ctx, sources.Query{Scope: recorded, Now: now})
		if err != nil || len(b.Items) == 0 {
			t.Errorf("%s: %+v, %v", c.test, b, err)
			continue
		}
		equal(t, c.test+": newest", b.Items[0].Ref.ID, c.first)
		equal(t, c.test+": state", b.Items[0].State, c.state)
	}
	s := replay(t, runsTest(t, "testCancelAndRerun"))
	got, err := s.Get(ctx, sources.Ref{Source: "github", Kind: sources.KindRun, Scope: recorded, ID: "686036126"})
	if run, ok := got.(sources.Run); err != nil || !ok || run.State != sources.StateCancelled {
		t.Errorf("cancelled run: %+v, %v", got, err)
	}
}

func TestRecordedDeployments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, payload string }{
		{"testGetDeploymentByIdObjectPayload", "two"},
		{"testGetDeploymentByIdStringPayload", "custom"},
	} {
		s := replay(t, filepath.Join(fixtures(t), "GHDeploymentTest", "wiremock", c.name))
		const repo = "hub4j-test-org/github-api"
		got, err := s.Get(context.Background(), sources.Ref{Source: "github", Kind: sources.KindDeployment, Scope: repo, ID: "178653229"})
		d, ok := got.(sources.Deployment)
		if err != nil || !ok {
			t.Fatalf("%s: %v, %v", c.name, got, err)
		}
		equal(t, "SHA", d.Version.SHA, "3a09d2de4a9a1322a0ba2c3e2f54a919ca8fe353")
		equal(t, "actor", d.Actor.String(), "martinvanzijl")
		equal(t, "created", d.Created, at(t, "2019-10-30T00:03:34Z"))
		equal(t, "state", d.State, sources.StateUnknown)
		equal(t, "evidence", d.Evidence[0].Kind, sources.FromRecord)
		equal(t, "evidence's place", d.Evidence[0].Detail.String(), "ref main")
		w, err := get[wireDeployment](context.Background(), mustConn(t, s, repo), "repos/"+repo+"/deployments/178653229")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "environment", w.Value.stage(), "production")
		equal(t, "original environment", w.Value.Original, "production")
		equal(t, "transient", w.Value.Transient, true)
		if payload := decodePayload(w.Value.Payload); lookup(payload, "custom2") != c.payload && lookup(payload, "") != c.payload {
			t.Errorf("%s: payload %v", c.name, payload)
		}
	}
}

func mustConn(t *testing.T, s rig, scope string) *conn {
	t.Helper()
	c, err := s.repo(context.Background(), scope)
	if err != nil {
		t.Fatal(err)
	}
	return c.conn
}
