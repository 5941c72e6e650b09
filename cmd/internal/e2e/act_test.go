package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	sim "example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
)

// stage is a simulated world of a test's own, and the config of a board for it. Its clock stands until it is
// told to go.
type stage struct {
	*sim.Simulator
	config string
}

// set starts a world whose story opens now, and writes a board's config for it into dir: whoever has the token in
// $SIM_TOKEN may use it. more is added to the config.
func set(t testing.TB, dir, more string) *stage {
	t.Helper()
	w, err := sim.Start(t.Context(), sim.Options{Start: time.Now().Truncate(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	s := &stage{w, filepath.Join(dir, "board.yaml")}
	if err := os.WriteFile(s.config, append(w.Config("env:SIM_TOKEN"), more...), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

// writes are the requests of late that may have changed something.
func (s *stage) writes() []sim.Request {
	list := s.Requests(true)
	s.ResetRequests()
	return list
}

// TestActions runs testdata/act/*.txt: the commands that act, each in a world of its own. `writes N` says that N
// requests of late may have changed something, all of which the provider took; `writes N M` that it took M.
func TestActions(t *testing.T) {
	t.Parallel()
	type key struct{}
	of := func(ts *testscript.TestScript) *stage { return ts.Value(key{}).(*stage) }
	testscript.Run(t, testscript.Params{
		Dir: "testdata/act",
		Setup: func(e *testscript.Env) error {
			for _, kv := range environ(e.WorkDir) {
				k, v, _ := strings.Cut(kv, "=")
				e.Setenv(k, v)
			}
			s := set(e.T().(testing.TB), e.WorkDir, "")
			e.Values[key{}] = s
			e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"))
			e.Setenv("SIM_TOKEN", s.Token())
			e.Setenv("SIGNALBOX_CONFIG", s.config)
			e.Setenv("JOURNAL", filepath.Join(e.WorkDir, "state", "signalbox", "journal.jsonl"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "json": wantJSON, "edit": edit,
			"writes": func(ts *testscript.TestScript, _ bool, args []string) { wantWrites(ts, of(ts), args) },
			"world":  func(ts *testscript.TestScript, _ bool, args []string) { change(ts, of(ts), args) },
		},
	})
}

func wantWrites(ts *testscript.TestScript, s *stage, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: writes N [TAKEN]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	taken, err := strconv.Atoi(args[len(args)-1])
	ts.Check(err)
	list := s.writes()
	applied := 0
	for _, r := range list {
		if r.Applied {
			applied++
		}
	}
	if len(list) != want || applied != taken {
		ts.Fatalf("%d writes, %d of them taken, want %d and %d: %+v", len(list), applied, want, taken, list)
	}
}

// change does something to the world: world speed 60 · world fault JSON · world well · world page SERVICE TITLE.
func change(ts *testscript.TestScript, s *stage, args []string) {
	rest := strings.Join(args[1:], " ")
	switch args[0] {
	case "speed":
		speed, err := strconv.ParseFloat(rest, 64)
		ts.Check(err)
		ts.Check(s.Run(speed))
	case "fault":
		var rule fault.Rule
		ts.Check(json.Unmarshal([]byte(rest), &rule))
		ts.Check(s.Inject(rule))
	case "well":
		s.ClearFaults()
	case "page":
		_, err := s.Page(args[1], strings.Join(args[2:], " "), 2)
		ts.Check(err)
	default:
		ts.Fatalf("the world knows no %s", args[0])
	}
}

// edit replaces what a regular expression matches in a file, everywhere: edit FILE EXPRESSION TEXT, in which \n is
// a line's end.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	data := ts.ReadFile(args[0])
	out := regexp.MustCompile(args[1]).ReplaceAllString(data, strings.ReplaceAll(args[2], `\n`, "\n"))
	if out == data {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(out), 0o600))
}

// wantJSON demands that the output is one JSON value that holds something: json outcome.state done. A number in
// the path is an index; without a value the path must lead to something.
func wantJSON(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &v); err != nil {
		ts.Fatalf("the output is no JSON: %v", err)
	}
	for step := range strings.SplitSeq(args[0], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(x) {
				v = nil
			} else {
				v = x[i]
			}
		default:
			v = nil
		}
	}
	got := fmt.Sprint(v)
	switch {
	case len(args) == 1 && neg == (v == nil):
	case len(args) > 1 && neg != (got == strings.Join(args[1:], " ")):
	default:
		ts.Fatalf("%s is %s", args[0], got)
	}
}
