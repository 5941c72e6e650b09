package simulator_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/github"
)

// description finds GitHub's own description of its API: it is no part of the project.
func description(t testing.TB) *openapi3.T {
	t.Helper()
	const name = "specs/github-openapi.json.gz"
	var roots []string
	if env := os.Getenv("SIGNALBOX_FIXTURES"); env != "" {
		roots = append(roots, env, filepath.Dir(env))
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			roots = append(roots, filepath.Join(dir, "..", "shared"))
		}
	}
	for _, root := range roots {
		f, err := os.Open(filepath.Join(root, name))
		if err != nil {
			continue
		}
		defer func() { _ = f.Close() }()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := openapi3.NewLoader().LoadFromData(raw)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	t.Skipf("unvalidated: 1 (GitHub's description %s is not here)", name)
	return nil
}

// undescribed are answers that GitHub gives and its description leaves out, by status and with the
// reason. They are checked for the form of GitHub's errors alone.
var undescribed = map[int]string{
	301: "renamed repositories are described for few endpoints",
	401: "bad credentials may come from every endpoint, and are described for few",
	403: "a missing scope or single sign-on may refuse every endpoint; described for few",
	404: "what a token may not see is not found at every endpoint; described for few",
	409: "described for cancel; a deployment's has no body there",
	410: "an expired log is not described",
	422: "validation fails at every write; described for few",
}

// validator holds every exchange against the description.
type validator struct {
	t       *testing.T
	router  routers.Router
	next    http.RoundTripper
	checked map[string]int
	seen    map[string]int // by endpoint, status and repository
	spared  map[string]int // exceptions that were needed
}

func newValidator(t *testing.T, c *client) *validator {
	doc := description(t)
	doc.Servers = openapi3.Servers{{URL: c.sim.URL()}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	v := &validator{t: t, router: router, next: c.http.Transport, checked: map[string]int{}, seen: map[string]int{}, spared: map[string]int{}}
	c.http.Transport = v
	return v
}

func (v *validator) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		sent, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := v.next.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	if !strings.HasPrefix(req.URL.Path, "/-/") && resp.StatusCode != http.StatusNotModified {
		v.check(req, sent, resp, got)
	}
	return resp, nil
}

func (v *validator) check(req *http.Request, sent []byte, resp *http.Response, got []byte) {
	v.t.Helper()
	clone := req.Clone(context.Background())
	clone.Body = io.NopCloser(bytes.NewReader(sent))
	q := clone.URL.Query()
	if q.Has("created") { // described as a time, and documented as a range in the syntax of searches
		q.Del("created")
		v.spared["created"]++
	}
	clone.URL.RawQuery = q.Encode()
	if i := strings.Index(clone.URL.Path, "/git/ref/heads/"); i > 0 { // documented as "heads/NAME", matched as one element
		clone.URL.Path = clone.URL.Path[:i] + "/git/ref/" + strings.ReplaceAll(clone.URL.Path[i+len("/git/ref/"):], "/", "-")
		v.spared["ref"]++
	}
	route, params, err := v.router.FindRoute(clone)
	if err != nil {
		v.t.Errorf("%s %s is not described: %v", req.Method, req.URL.Path, err)
		return
	}
	name := req.Method + " " + route.Path
	// A few of each list and object of a repository are enough, and errors never are.
	parts := strings.SplitN(req.URL.Path, "/", 5)
	once := fmt.Sprint(name, resp.StatusCode, parts[:min(4, len(parts))])
	if v.seen[once]++; v.seen[once] > 4 {
		return
	}
	opts := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}
	in := &openapi3filter.RequestValidationInput{Request: clone, PathParams: params, Route: route, Options: opts}
	// What the simulator refused as invalid is invalid on purpose.
	if resp.StatusCode != http.StatusUnprocessableEntity && resp.StatusCode != http.StatusBadRequest {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			v.t.Errorf("%s: request: %v", name, err)
		}
	}
	if why, ok := undescribed[resp.StatusCode]; ok && route.Operation.Responses.Status(resp.StatusCode) == nil {
		v.spared[fmt.Sprintf("%d: %s", resp.StatusCode, why)]++
		if !bytes.Contains(got, []byte(`"message":`)) || !bytes.Contains(got, []byte(`"documentation_url":`)) {
			v.t.Errorf("%s: %d has the body %.200s", name, resp.StatusCode, got)
		}
		return
	}
	// A deployment waits for a gate in this state: GitHub's description of its webhooks has it, the one
	// of this endpoint forgot it.
	if strings.HasSuffix(route.Path, "/statuses") && bytes.Contains(got, []byte(`"state":"waiting"`)) {
		got = bytes.ReplaceAll(got, []byte(`"state":"waiting"`), []byte(`"state":"pending"`))
		v.spared["waiting"]++
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header, Options: opts, Body: io.NopCloser(bytes.NewReader(got)),
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		v.t.Errorf("%s: response %d: %.1500v", name, resp.StatusCode, err)
	}
	v.checked[name]++
}

// TestDescription takes a tour of every endpoint and holds what is sent and answered against GitHub's
// own description.
func TestDescription(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 3, Identities: []github.Identity{{Token: "reader", Login: "dev1", Scopes: []string{"read:org"}}}})
	v := newValidator(t, c)
	for _, repo := range []string{"checkout", "search", "web", "accounts", "money", "reports", "billing-core"} {
		tourOfRepo(c, "/repos/acme/"+repo)
	}
	for _, path := range []string{"/meta", "/rate_limit", "/user", "/user/orgs", "/user/repos?per_page=100", "/orgs/acme/repos?per_page=5&page=2",
		"/users/dev1/repos?per_page=5", "/repos/acme/checkout/releases/latest", "/repos/acme/checkout/compare/v1.9.2...v1.9.0",
		"/repos/acme/checkout/compare/main...spike%2Fcards", "/repos/acme/checkout/compare/main...main?per_page=5&page=1",
		"/repos/acme/checkout/commits/main/check-runs?per_page=5", "/repos/acme/checkout/commits/main/status",
	} {
		c.get(path)
	}
	tourOfRefusals(c)
	tourOfWrites(c)
	if len(v.checked) < 38 {
		t.Errorf("only %d endpoints were validated", len(v.checked))
	}
	for name, n := range v.spared {
		t.Logf("exception used %d times: %s", n, name)
	}
	for _, name := range []string{"created", "waiting", "ref"} {
		if v.spared[name] == 0 {
			t.Errorf("the exception %q is not needed any more", name)
		}
	}
}

func tourOfRepo(c *client, repo string) {
	c.t.Helper()
	for _, path := range []string{
		"", "/actions/runs?per_page=12", "/actions/runs?status=success&branch=main&event=push&exclude_pull_requests=true&per_page=3&page=2",
		"/actions/runs?per_page=10&created=" + url.QueryEscape(">=2026-11-16"), "/actions/workflows?per_page=100",
		"/actions/workflows/ci.yml", "/actions/workflows/ci.yml/runs?per_page=2", "/actions/runners?per_page=100", "/environments?per_page=100",
		"/deployments?per_page=100", "/commits?per_page=20", "/commits?path=ledger&per_page=5", "/commits/main", "/tags?per_page=100",
		"/releases?per_page=100", "/branches?per_page=100", "/branches/main", "/git/ref/heads/main",
	} {
		c.get(repo + path)
	}
	list := c.runs(strings.TrimPrefix(repo, "/repos/"), "")
	for i, r := range list.Runs {
		if i > 5 {
			break
		}
		run := repo + "/actions/runs/" + itoa(r.ID)
		for _, path := range []string{
			"", "/jobs?per_page=100", "/jobs?filter=all&per_page=100", "/attempts/1", "/attempts/1/jobs?per_page=100", "/pending_deployments", "/approvals",
			"/concurrency_groups",
		} {
			c.get(run + path)
		}
		if r.done() {
			c.do(http.StatusFound, http.MethodGet, run+"/logs", "")
			c.do(http.StatusFound, http.MethodGet, run+"/attempts/1/logs", "")
		}
		for _, j := range c.jobs(strings.TrimPrefix(repo, "/repos/"), r.ID, "") {
			c.get(repo + "/actions/jobs/" + itoa(j.ID))
		}
	}
	for i, d := range deploymentsOf(c, strings.TrimPrefix(repo, "/repos/"), "") {
		if i > 11 {
			break
		}
		c.get(repo + "/deployments/" + itoa(d.ID))
		c.get(repo + "/deployments/" + itoa(d.ID) + "/statuses?per_page=100")
		c.get(repo + "/environments/" + url.PathEscape(d.Environment))
	}
}

func tourOfWrites(c *client) {
	c.t.Helper()
	rollBack(c)
	const repo = "/repos/acme/checkout"
	dispatch := repo + "/actions/workflows/deploy.yml/dispatches"
	c.do(http.StatusNoContent, http.MethodPost, dispatch, `{"ref":"main","inputs":{"environment":"dev","ref":"v1.9.1"}}`)
	c.sim.Advance(20 * time.Second)
	r := c.find("acme/checkout", "event=workflow_dispatch")
	c.get(repo + "/actions/runs/" + itoa(r.ID) + "/concurrency_groups")
	c.do(http.StatusAccepted, http.MethodPost, repo+"/actions/runs/"+itoa(r.ID)+"/cancel", "")
	c.do(http.StatusAccepted, http.MethodPost, repo+"/actions/runs/"+itoa(r.ID)+"/force-cancel", "")
	c.sim.Advance(time.Minute)
	c.do(http.StatusCreated, http.MethodPost, repo+"/actions/runs/"+itoa(r.ID)+"/rerun", "")
	failed := c.find("acme/money", "branch=fix/lag")
	c.do(http.StatusCreated, http.MethodPost, "/repos/acme/money/actions/runs/"+itoa(failed.ID)+"/rerun-failed-jobs", "{}")
	job := c.jobs("acme/web", c.find("acme/web", "status=failure").ID, "")[0]
	c.do(http.StatusCreated, http.MethodPost, "/repos/acme/web/actions/jobs/"+itoa(job.ID)+"/rerun", `{"enable_debug_logging":true}`)
	wait := c.find("acme/search", "status=waiting")
	var gates []struct{ Environment struct{ ID int64 } }
	path := "/repos/acme/search/actions/runs/" + itoa(wait.ID)
	c.get(path+"/pending_deployments").into(c.t, &gates)
	c.do(http.StatusOK, http.MethodPost, path+"/pending_deployments",
		fmt.Sprintf(`{"environment_ids":[%d,%d],"state":"approved","comment":"go"}`, gates[0].Environment.ID, gates[1].Environment.ID))
	c.get(path + "/approvals")
	freeQueue(c)
	c.get("/repos/acme/checkout/actions/runs?per_page=5&status=failure")
	c.do(http.StatusCreated, http.MethodPost, "/repos/acme/accounts/deployments",
		`{"ref":"v2.0.3","environment":"production-us","auto_merge":false,"required_contexts":["ci"],"description":"signalbox 1"}`)
	var d deploymentBody
	c.do(http.StatusCreated, http.MethodPost, "/repos/acme/reports/deployments",
		`{"ref":"main","environment":"production-eu","auto_merge":false,"required_contexts":[],"payload":{"version":"v0.1.0"},"description":"first"}`).into(c.t, &d)
	c.do(http.StatusCreated, http.MethodPost, "/repos/acme/reports/deployments/"+itoa(d.ID)+"/statuses",
		`{"state":"in_progress","log_url":"https://ci.example.com/1","description":"on its way"}`)
	c.sim.Advance(5 * time.Minute)
	tourOfRepo(c, "/repos/acme/search")
	tourOfRepo(c, "/repos/acme/reports")
	tourOfRepo(c, "/repos/acme/money")
	tourOfRepo(c, "/repos/acme/accounts")
}

func tourOfRefusals(c *client) {
	c.t.Helper()
	const repo = "/repos/acme/checkout"
	c.do(http.StatusNotFound, http.MethodGet, repo+"/actions/runs/1", "")
	c.do(http.StatusMovedPermanently, http.MethodGet, "/repos/acme/old-web/actions/runs?per_page=1", "")
	c.do(http.StatusForbidden, http.MethodGet, "/repos/secure-corp/vault/deployments?per_page=1", "")
	c.do(http.StatusUnprocessableEntity, http.MethodPost, repo+"/actions/workflows/deploy.yml/dispatches", `{"ref":"nowhere"}`)
	c.do(http.StatusUnprocessableEntity, http.MethodPost, repo+"/deployments", `{"ref":"nowhere"}`)
	done := c.find("acme/checkout", "branch=v1.9.2")
	c.do(http.StatusConflict, http.MethodPost, repo+"/actions/runs/"+itoa(done.ID)+"/cancel", "")
	c.do(http.StatusForbidden, http.MethodPost, repo+"/actions/runs/"+itoa(done.ID)+"/rerun-failed-jobs", "")
	c.do(http.StatusConflict, http.MethodPost, "/repos/acme/money/deployments", `{"ref":"fix/lag","auto_merge":false}`)
	c.do(http.StatusAccepted, http.MethodPost, repo+"/deployments", `{"ref":"spike/cards"}`)
	c.token = "nobody's"
	c.do(http.StatusUnauthorized, http.MethodGet, "/user", "")
	c.token = "reader"
	c.do(http.StatusNotFound, http.MethodGet, repo, "")
	c.token = ""
	c.do(http.StatusUnauthorized, http.MethodGet, "/user", "")
	c.token = c.sim.Token()
}
