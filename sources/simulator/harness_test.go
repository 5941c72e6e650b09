package simulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
)

// client is a bare HTTP client of one simulator.
type client struct {
	t    testing.TB
	sim  *simulator.Simulator
	http *http.Client
	// token is sent unless it is "".
	token string
}

// start starts a simulator that ends with the test.
func start(t testing.TB, o simulator.Options) *client {
	t.Helper()
	sim, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{t: t, sim: sim, token: sim.Token(), http: &http.Client{
		Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: %v in %.200s", a.Request.URL, err, a.body)
	}
}

func (c *client) try(method, path, body string, header ...string) (answer, error) {
	c.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = c.sim.URL() + path
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, path, bytes.NewReader([]byte(body)))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return answer{resp, b}, err
}

// do asks, and wants that status.
func (c *client) do(status int, method, path, body string, header ...string) answer {
	c.t.Helper()
	a, err := c.try(method, path, body, header...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.StatusCode != status {
		c.t.Fatalf("%s %s: status %d, want %d: %.300s", method, path, a.StatusCode, status, a.body)
	}
	return a
}

func (c *client) get(path string, header ...string) answer {
	c.t.Helper()
	return c.do(http.StatusOK, http.MethodGet, path, "", header...)
}

func (c *client) truth() simulator.Truth {
	c.t.Helper()
	var t simulator.Truth
	c.get("/-/world").into(c.t, &t)
	return t
}

func (c *client) service(name string) simulator.ServiceTruth {
	c.t.Helper()
	for _, s := range c.truth().Services {
		if s.Name == name {
			return s
		}
	}
	c.t.Fatalf("no service %s", name)
	return simulator.ServiceTruth{}
}

// incident is the newest incident of that title.
func (c *client) incident(title string) simulator.IncidentTruth {
	c.t.Helper()
	list := c.truth().Incidents
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Title == title {
			return list[i]
		}
	}
	c.t.Fatalf("no incident %q", title)
	return simulator.IncidentTruth{}
}

func (s runBody) done() bool { return s.Status == "completed" }

type runBody struct {
	ID                       int64
	Name, Status, Conclusion string
	Event                    string
	HeadSHA                  string `json:"head_sha"`
	HeadBranch               string `json:"head_branch"`
	DisplayTitle             string `json:"display_title"`
	RunAttempt               int    `json:"run_attempt"`
	CreatedAt                time.Time
	WorkflowID               int64 `json:"workflow_id"`
}

type runsBody struct {
	TotalCount int       `json:"total_count"`
	Runs       []runBody `json:"workflow_runs"`
}

func (c *client) runs(repo, query string) runsBody {
	c.t.Helper()
	var out runsBody
	c.get("/repos/"+repo+"/actions/runs?per_page=100&"+query).into(c.t, &out)
	return out
}

// find is the first run that fits.
func (c *client) find(repo, query string) runBody {
	c.t.Helper()
	list := c.runs(repo, query)
	if len(list.Runs) == 0 {
		c.t.Fatalf("no run of %s with %s", repo, query)
	}
	return list.Runs[0]
}

type jobBody struct {
	ID                       int64
	Name, Status, Conclusion string
	RunAttempt               int `json:"run_attempt"`
	Labels                   []string
	Steps                    []struct {
		Name, Status, Conclusion string
		Number                   int
	}
}

func (c *client) jobs(repo string, run int64, query string) []jobBody {
	c.t.Helper()
	var out struct{ Jobs []jobBody }
	c.get("/repos/"+repo+"/actions/runs/"+itoa(run)+"/jobs?per_page=100&"+query).into(c.t, &out)
	return out.Jobs
}

func itoa(n int64) string {
	b, _ := json.Marshal(n) //nolint:errchkjson // a number
	return string(b)
}

// until advances the world in small steps until ok, for at most limit of its time.
func (c *client) until(limit time.Duration, ok func() bool) time.Duration {
	c.t.Helper()
	const stride = 5 * time.Second
	for gone := time.Duration(0); gone <= limit; gone += stride {
		if ok() {
			return gone
		}
		c.sim.Advance(stride)
	}
	c.t.Fatalf("did not happen within %s", limit)
	return 0
}
