package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	sim "example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/uitest/vt"
)

// ask sends one request to a simulated world and returns the body of its answer.
func ask(t *testing.T, method, url, token, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	scheme := "Bearer "
	if strings.Contains(url, "/pagerduty/") {
		scheme = "Token token="
	}
	r.Header.Set("Authorization", scheme+token)
	r.Header.Set("From", "sre1@example.com")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s: %s (%v)", method, url, res.Status, data, err)
	}
	return data
}

// The demo's story on the board, by the world's own clock: nobody reacts and the next one is paged, somebody
// takes it, the bad version is rolled back, and within a minute of that all is well.
func TestStory(t *testing.T) {
	t.Parallel()
	w, err := sim.Start(t.Context(), sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(w.Token()), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t}
	l.open(w.Config("file:"+token), w.Now)
	checkout := func(ok func(*sources.Incident) bool) func(*store.Snapshot) bool {
		return func(s *store.Snapshot) bool { return ok(incidentOf(s, "checkout")) }
	}

	l.until("the page", false, checkout(func(i *sources.Incident) bool { return i != nil && i.State == sources.Triggered && len(i.Next) > 0 }))
	l.until("every feed", false, func(s *store.Snapshot) bool {
		for i := range s.Feeds {
			if s.Feeds[i].Health.State == store.Loading {
				return false
			}
		}
		return true
	})
	l.shows(incidentsPane, "5xx above 2 %", "paged you 02:11", "escalates in 2m14s → Ines Vogel")

	w.Advance(2*time.Minute + 15*time.Second)
	l.until("the next one paged", false, checkout(func(i *sources.Incident) bool { return i != nil && i.Holder.String() == "Ines Vogel" && i.Level == 2 }))
	l.shows(incidentsPane, "triggered", "paged Ines Vogel")

	id := incidentOf(l.board.Snapshot(), "checkout").Ref.ID
	ask(t, http.MethodPut, w.PagerDutyURL()+"/incidents/"+id, w.Token(), `{"incident": {"type": "incident_reference", "status": "acknowledged"}}`)
	l.until("the page acknowledged", false, checkout(func(i *sources.Incident) bool { return i != nil && i.State == sources.Acknowledged }))
	l.shows(incidentsPane, "acked", "5xx above 2 %")

	if n, err := w.Decide("checkout", false); n != 1 || err != nil { // what holds production's queue goes first
		t.Fatalf("%d runs hold the queue, %v", n, err)
	}
	var commit struct{ SHA string }
	decode(t, ask(t, http.MethodGet, w.APIURL()+"/repos/acme/checkout/commits/v1.9.1", w.Token(), ""), &commit)
	var run struct {
		ID int64 `json:"workflow_run_id"`
	}
	decode(t, ask(t, http.MethodPost, w.APIURL()+"/repos/acme/checkout/actions/workflows/deploy.yml/dispatches", w.Token(),
		fmt.Sprintf(`{"ref": "main", "return_run_details": true, "inputs": {"environment": "prod", "ref": %q}}`, commit.SHA)), &run)
	var state struct{ Status, Conclusion string }
	for waited := time.Duration(0); state.Status != "completed"; waited += 10 * time.Second {
		if waited > 15*time.Minute {
			t.Fatalf("the rollback is still %s", state.Status)
		}
		w.Advance(10 * time.Second)
		decode(t, ask(t, http.MethodGet, fmt.Sprintf("%s/repos/acme/checkout/actions/runs/%d", w.APIURL(), run.ID), w.Token(), ""), &state)
	}
	if state.Conclusion != "success" {
		t.Fatalf("the rollback ends as %s", state.Conclusion)
	}
	w.Advance(time.Minute)
	l.until("the page resolved within the minute", false, func(s *store.Snapshot) bool { return incidentOf(s, "checkout") == nil })
	w.Advance(time.Minute) // whose mean is a point of the chart
	l.until("an error rate that is well", false, func(s *store.Snapshot) bool {
		rate := errorRate(s)
		return len(rate) > 0 && rate[len(rate)-1].Value < 1
	})
	if text := itemsOf(t, l.frame(), incidentsPane); strings.Contains(text, "5xx above") {
		t.Errorf("the page is still there:\n%s", text)
	}
	if text, _ := paneOf(t, l.frame(), metricsPane); strings.Contains(text, "over the limit") && strings.Contains(text, "checkout") {
		t.Errorf("the metrics are still over their limit:\n%s", text)
	}
}

// errorRate is that of checkout, as the board knows it.
func errorRate(s *store.Snapshot) []sources.Point {
	f := s.Feed(store.FeedKey{Source: "datadog", Capability: store.Metrics, Scope: "checkout"})
	if f == nil || len(f.Series) == 0 {
		return nil
	}
	return f.Series[0].Points
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
}

// One problem that two systems tell of is one row, with the links of both.
func TestOneProblemIsOneRow(t *testing.T) {
	t.Parallel()
	run := func(args ...string) []byte {
		cmd := exec.Command(binary, args...)
		cmd.Env = environ(t.TempDir())
		out, err := cmd.Output()
		if err != nil {
			if code := cmd.ProcessState.ExitCode(); code != 1 { // which says that something needs a person
				t.Fatalf("signalbox %s: %v, %s", strings.Join(args, " "), err, out)
			}
		}
		return out
	}
	var status struct {
		Incidents []struct {
			Service string
			Title   string
			Ref     string `json:"-"`
			URL     string
			Also    []struct{ Ref, URL string }
		}
	}
	decode(t, run("status", "--demo", "--output", "json"), &status)
	n := 0
	for _, i := range status.Incidents {
		if i.Service != "checkout" {
			continue
		}
		n++
		if !strings.Contains(i.URL, "pagerduty") || len(i.Also) != 1 || !strings.Contains(i.Also[0].Ref, "datadog:monitor") || !strings.Contains(i.Also[0].URL, "/monitors/") {
			t.Errorf("checkout's problem links to %q and %+v", i.URL, i.Also)
		}
	}
	if n != 1 {
		t.Errorf("checkout has %d problems, want one: %+v", n, status.Incidents)
	}
	frame := string(run("frame", "--demo", "--size", "200x50", "--format", "text"))
	if n := strings.Count(frame, "5xx above"); n != 1 {
		t.Errorf("the problem is on the board %d times:\n%s", n, frame)
	}
	if !strings.Contains(frame, "told by pagerduty and datadog") {
		t.Errorf("the board does not say who tells of it:\n%s", frame)
	}
}

// A new page calls once: by the bell, the window's title and a notification. It moves neither the cursor nor
// the focus.
func TestANewPageCalls(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	w := simulate(t, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	token, err := os.ReadFile(w.config + ".token")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(home, "loud.yaml")
	if err := os.WriteFile(config, append(text, "\nattention: {bell: true, title: true, notify: osc9, for: all}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, 160, 48, environ(home), "--config", config)
	s.ready()
	s.shows("5xx above")
	s.keys("3j")
	unmoved := func(term *vt.Terminal) bool { return marked(term, secondPipeline) && focused(term, pipelinesPane) }
	s.until("the cursor on the second pipeline", unmoved)
	before, bells := s.written(), s.bells()

	ask(t, http.MethodPost, "http://"+w.listen+"/-/incidents", strings.TrimSpace(string(token)),
		`{"service": "search", "title": "index is empty", "severity": 1}`)
	s.keys("\x12") // ctrl+r: every source now
	s.shows("index is empty")
	calls := func() (string, int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.raw.String()[before:], s.term.Bells()
	}
	s.until("the call", func(*vt.Terminal) bool { return strings.Contains(s.raw.String()[before:], "\x1b]9;") })

	// Later answers that still have the page do not call again.
	s.hides("asking every source")
	for range 3 {
		s.keys("\x12")
		s.shows("asking every source")
		s.hides("asking every source")
	}
	out, rung := calls()
	if n := strings.Count(out, "\x1b]9;signalbox: P1 search: index is empty"); n != 1 || strings.Count(out, "\x1b]9;") != 1 {
		t.Errorf("%d notifications: %q", n, out)
	}
	if rung != bells+1 {
		t.Errorf("the bell rings %d times", rung-bells)
	}
	s.until("the cursor and the focus where they were", unmoved)
	if n := strings.Count(out, "\x1b]2;"); n > 1 {
		t.Errorf("the title is set %d times: %q", n, out)
	}
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if s.term.Alternate() || !strings.HasSuffix(strings.Split(s.raw.String(), "\x1b[23;2t")[0], "\x1b]2;\x1b\\") {
		t.Error("the terminal's own title is not back")
	}
}

func (s *session) bells() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term.Bells()
}
