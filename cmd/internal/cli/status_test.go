package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	feed := func(s store.HealthState) []feedFact { return []feedFact{{State: "healthy"}, {State: healthName(s)}} }
	trouble := []troubleFact{{Service: "shop"}}
	for _, tt := range []struct {
		name  string
		facts facts
		want  int
	}{
		{"all is well", facts{Feeds: feed(store.Healthy)}, exitWell},
		{"well, with a notice", facts{Feeds: feed(store.Degraded)}, exitWell},
		{"something failed", facts{Troubles: trouble, Feeds: feed(store.Healthy)}, exitFailed},
		{"something waits", facts{Waiting: trouble, Feeds: feed(store.Healthy)}, exitFailed},
		{"a source fails", facts{Feeds: feed(store.Failing)}, exitSource},
		{"a source refuses", facts{Feeds: feed(store.Refused)}, exitSource},
		{"a source wants less", facts{Feeds: feed(store.Throttled)}, exitSource},
		{"no answer yet", facts{Feeds: feed(store.Loading)}, exitSource},
		{"a metric is beyond its limit", facts{Metrics: []metricFact{{}, {Over: true}}, Feeds: feed(store.Healthy)}, exitFailed},
		{"another team's is", facts{Metrics: []metricFact{{Over: true, Upstream: true}}, Feeds: feed(store.Healthy)}, exitWell},
		{"a budget burns", facts{Objectives: []objectiveFact{{Verdict: "crit"}}, Feeds: feed(store.Healthy)}, exitFailed},
		{"a budget burns slowly", facts{Objectives: []objectiveFact{{Verdict: "warn"}, {Verdict: "crit", Upstream: true}}, Feeds: feed(store.Healthy)}, exitWell},
		{"what is known counts more", facts{Troubles: trouble, Feeds: feed(store.Failing)}, exitFailed},
	} {
		if got := verdict(tt.facts); got != tt.want {
			t.Errorf("%s: exit code %d, want %d", tt.name, got, tt.want)
		}
	}
}

// Scripts go by the names in the answer of `status --output json`: one that goes, or becomes something
// else, breaks them.
func TestStatusKeepsItsNames(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	code := Main(Process{
		Args: []string{"status", "--demo", "--output", "json"}, Out: out, Err: &errs,
		Lookup: func(string) (string, bool) { return "", false },
	})
	if err := out.Close(); err != nil || code != exitFailed {
		t.Fatalf("exit code %d, %v\n%s", code, err, &errs)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var answer any
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	names(seen, "", answer)
	var list []string
	for name := range seen {
		list = append(list, name)
	}
	slices.Sort(list)
	got := strings.Join(list, "\n") + "\n"
	const golden = "testdata/status.names"
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(want)) {
		if !seen[name] {
			t.Errorf("%s is gone", name)
		}
		delete(seen, name)
	}
	for name := range seen {
		t.Errorf("%s is new: write it down with -update", name)
	}
}

// The table says what a person needs of incidents, metrics, objectives and shifts, whatever is not known of them.
func TestBehaviourIsTold(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 17, 2, 14, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	unknown := sources.Number(math.NaN())
	f := facts{
		Incidents: []incidentFact{
			{Incident: sources.Incident{Ref: sources.Ref{Source: "pd", ID: "Q1"}, Number: clean.Line("#4109"), Service: "shop", Title: clean.Line("5xx"), Severity: 1, State: sources.Triggered, Changed: ago(3 * time.Minute), Holder: clean.Line("Sam")}, Failing: 52, Inside: 40},
			{Incident: sources.Incident{Ref: sources.Ref{Source: "fax", ID: "77"}, Provider: clean.Line("Fax"), Title: clean.Line("jam\x1b[2J\u202e"), State: sources.Acknowledged}, Failing: unknown, Upstream: true},
		},
		Metrics: []metricFact{
			{Service: "shop", Name: clean.Line("p95"), Value: 906, Unit: "ms", Text: clean.Line("906 ms"), At: ago(time.Minute), Limit: 600, Over: true, Change: clean.Line("up ×3")},
			{Service: "shop", Name: clean.Line("cpu"), Value: unknown, Unit: "%", Limit: unknown},
		},
		Objectives: []objectiveFact{
			{SLO: sources.SLO{Service: "shop", Name: clean.Line("requests"), Target: 99.95, Budget: 0.31, Burns: []sources.Burn{{Over: time.Hour, Rate: 14}, {Over: 6 * time.Hour, Rate: unknown}}}, Exhausted: 2 * time.Hour, Verdict: "crit"},
			{SLO: sources.SLO{Service: "shop", Name: clean.Line("quiet"), Target: 99, Budget: unknown, Note: clean.Line("no traffic")}, Verdict: "ok"},
		},
		OnCall: []dutyFact{{Who: clean.Line("Sam"), Level: 1, Until: now.Add(4 * time.Hour), Then: clean.Line("Ines"), For: []string{"shop", "web"}}, {Who: clean.Line("Ada"), Level: 3}},
	}
	var b strings.Builder
	table := newTable(&b, terminal{}, now)
	table.behaviour(f)
	want := `INCIDENT      SERVICE  WHAT               STATE         FOR  WHO  IMPACT
4109      P1  shop     5xx (and 39 more)  triggered     3m   Sam  52 req/s fail
77        P?  Fax      jam                acknowledged

SERVICE  METRIC  VALUE    IN 1H  LIMIT          AGE
shop     p95     906 ms   up ×3  beyond 600 ms  1m
shop     cpu     no data

SERVICE  OBJECTIVE  TARGET   BUDGET LEFT  GONE IN  BURN
shop     requests   99.95 %  31 %         2h       ×14 over 1h
shop     quiet      99 %     no traffic

ON CALL  LEVEL  UNTIL      THEN  FOR
Sam      1      Tue 06:14  Ines  shop web
Ada      3
`
	if table.w.err != nil || b.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", table.w.err, b.String(), want)
	}
}

// An incident is listed by what commands take for it alone.
func TestIncidentsAreListedByWhatCommandsTake(t *testing.T) {
	t.Parallel()
	of := func(source, id, number string) incidentFact {
		return incidentFact{Incident: sources.Incident{Ref: sources.Ref{Source: source, ID: id}, Number: clean.Line(number)}}
	}
	got := fmt.Sprint(incidentIDs([]incidentFact{of("a", "Q1", "#7"), of("b", "Q2", "#7"), of("a", "Q3", "#8"), of("b", "Q4", "")}))
	if want := "[a:Q1 b:Q2 8 Q4]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// names collects what the values under path are called and are, as in "pipelines[].number:number".
func names(to map[string]bool, path string, v any) {
	var kind string
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			names(to, strings.TrimPrefix(path+"."+key, "."), value)
		}
		return
	case []any:
		for _, value := range v {
			names(to, path+"[]", value)
		}
		kind = "list"
	case string:
		kind = "string"
	case float64:
		kind = "number"
	case bool:
		kind = "bool"
	default:
		kind = fmt.Sprintf("%T", v)
	}
	to[path+":"+kind] = true
}

// Cells stand below each other whatever is in them, and colour makes no difference.
func TestColumnsAreAligned(t *testing.T) {
	t.Parallel()
	for _, color := range []bool{false, true} {
		var b strings.Builder
		c := &columns{out: &b, color: color}
		c.head("SERVICE", "WORKFLOW", "STATE")
		c.row(tintBad, 2, clean.Line("shop"), clean.Line("ci"), clean.Line("failed"))
		c.row(tintGood, 2, clean.Line("日本語"), clean.Line(strings.Repeat("long", 20)), clean.Line("passed"))
		c.row(tintNone, -1, clean.Line("e\u0301"), clean.Text{}, clean.Line("queued"))
		c.flush()
		c.head("EMPTY", "BLOCK")
		c.flush()
		if c.err != nil {
			t.Fatal(c.err)
		}
		at := -1
		for line := range strings.Lines(b.String()) {
			plain := clean.Line(strings.TrimSuffix(line, "\n")).String() // takes the colours out
			i := strings.LastIndexByte(plain, ' ') + 1
			column := clean.Line(plain[:i]).Width()
			if at >= 0 && column != at {
				t.Errorf("%q: the last cell is in column %d, not %d", line, column, at)
			}
			at = column
		}
		if strings.Contains(b.String(), "EMPTY") || strings.Contains(b.String(), "\x1b") != color {
			t.Errorf("got %q", b.String())
		}
	}
}
