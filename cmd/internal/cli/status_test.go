package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
