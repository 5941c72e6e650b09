package arch

import (
	"strings"
	"testing"
)

const module = "example.com/signalbox"

func TestRulesHold(t *testing.T) {
	t.Parallel()
	m, err := Load("../../..", module)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Packages) < 10 {
		t.Fatalf("only %d packages were found: is this still the module's root?", len(m.Packages))
	}
	for _, v := range m.Check(Rules()) {
		t.Error(v)
	}
}

func TestDriversAreRecognised(t *testing.T) {
	t.Parallel()
	m, err := Load("../../..", module)
	if err != nil {
		t.Fatal(err)
	}
	if !m.isDriver("sources/github") {
		t.Error("sources/github is not seen as a driver: the rules for drivers would hold of nothing")
	}
	for _, p := range []string{"sources/all", "sources/poll", "sources/store", "sources/simulator", "sources"} {
		if m.isDriver(p) {
			t.Errorf("%s is taken for a driver", p)
		}
	}
}

// driverSource is a file that makes its package a driver.
const driverSource = `
var Driver = sources.Driver{Name: "x"}
`

func TestEachRuleFires(t *testing.T) {
	t.Parallel()
	imports := func(pkg string, paths ...string) string {
		var b strings.Builder
		b.WriteString("package " + pkg + "\nimport (\n")
		for _, p := range paths {
			b.WriteString("\t\"" + p + "\"\n")
		}
		b.WriteString(")\n")
		return b.String()
	}
	own := func(p string) string { return module + "/" + p }
	github := imports("github", own("sources"))
	tests := []struct {
		rule  string
		files map[string]string
	}{
		{"config knows only secret", map[string]string{"config/a.go": imports("config", own("sources"))}},
		{"secret knows nothing of ours", map[string]string{"config/secret/a.go": imports("secret", own("config"))}},
		{"the contract knows only clean", map[string]string{"sources/a.go": imports("sources", own("sources/store"))}},
		{"clean knows nothing of ours", map[string]string{"sources/clean/a.go": imports("clean", own("sources"))}},
		{
			"a driver knows the contract, clean, httpx and secret",
			map[string]string{"sources/github/a.go": imports("github", own("sources"), own("sources/store")) + driverSource},
		},
		{
			"a driver knows the contract, clean, httpx and secret",
			map[string]string{"sources/github/a.go": imports("github", own("sources"), "os") + driverSource},
		},
		{
			"drivers are known to sources/all alone",
			map[string]string{"sources/github/a.go": github + driverSource, "cmd/internal/cli/a.go": imports("cli", own("sources/github"))},
		},
		{"sources and config know no terminal", map[string]string{"sources/store/a.go": imports("store", "github.com/charmbracelet/lipgloss")}},
		{"sources and config know no terminal", map[string]string{"config/a.go": imports("config", "github.com/charmbracelet/bubbletea")}},
		{"ui does nothing in the world", map[string]string{"ui/layout/a.go": imports("layout", "os")}},
		{"ui does nothing in the world", map[string]string{"ui/a.go": imports("ui", own("config"))}},
		{"ui does nothing in the world", map[string]string{"ui/panes/x/a.go": imports("x", own("sources/poll"))}},
		{
			"ui does nothing in the world",
			map[string]string{"sources/github/a.go": github + driverSource, "ui/a.go": imports("ui", own("sources/github"))},
		},
		{"panes know neither each other nor the board", map[string]string{"ui/panes/x/a.go": imports("x", own("ui"))}},
		{"panes know neither each other nor the board", map[string]string{"ui/panes/x/a.go": imports("x", own("ui/panes/y"))}},
		{"panes know neither each other nor the board", map[string]string{"ui/panes/x/a.go": imports("x", own("ui/dialog"))}},
		{"the simulator is for commands and tests", map[string]string{"sources/poll/a.go": imports("poll", own("sources/simulator"))}},
		{"the simulator is for commands and tests", map[string]string{"ui/panes/x/a.go": imports("x", own("sources/simulator"))}},
		{
			"the simulator speaks from types of its own",
			map[string]string{"sources/simulator/a.go": imports("simulator", "github.com/google/go-github/v60/github")},
		},
		{"the simulator speaks from types of its own", map[string]string{"sources/simulator/a.go": imports("simulator", own("sources"))}},
		{
			"only sources/capability asserts capabilities",
			map[string]string{"sources/poll/a.go": imports("poll", own("sources")) + "func f(s any) { _, _ = s.(sources.RunLister) }"},
		},
		{
			"only sources/capability asserts capabilities",
			map[string]string{"ui/a.go": imports("ui", own("sources")) + "func f(s any) { switch s.(type) { case sources.Getter: } }"},
		},
		{"the clock is an argument", map[string]string{"ui/pane/a.go": imports("pane", "time") + "var x = time.Now()"}},
		{"the clock is an argument", map[string]string{"sources/insight/a.go": imports("insight", "time") + "var x = time.Since"}},
		{"no init functions", map[string]string{"sources/store/a.go": "package store\nfunc init() {}"}},
		{"goroutines are guarded", map[string]string{"sources/poll/a.go": "package poll\nfunc f() { go f() }"}},
		{"only wire composes", map[string]string{"cmd/internal/cli/a.go": imports("cli", own("sources/all"))}},
		{"only wire composes", map[string]string{"ui/a.go": imports("ui", own("cmd/internal/wire"))}},
		{"only the runner performs", map[string]string{"cmd/internal/wire/a.go": "package wire\nfunc f(a interface{ Perform() }) { a.Perform() }"}},
		{"policy and insight are pure", map[string]string{"sources/policy/a.go": imports("policy", "os")}},
	}
	fired := map[string]bool{}
	for _, tt := range tests {
		m, err := Parse(module, tt.files)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, v := range m.Check(Rules()) {
			found = found || v.Rule == tt.rule
		}
		if !found {
			t.Errorf("%q did not fire for %v", tt.rule, tt.files)
		}
		fired[tt.rule] = true
	}
	for _, r := range Rules() {
		if !fired[r.Name] {
			t.Errorf("nothing shows that %q fires", r.Name)
		}
	}
}

func TestAllowedIsNotReported(t *testing.T) {
	t.Parallel()
	m, err := Parse(module, map[string]string{
		"config/a.go":         "package config\nimport \"" + module + "/config/secret\"\nvar _ secret.Secret",
		"ui/theme/early/a.go": "package early\nfunc init() {}",
		"ui/uitest/a.go":      "package uitest\nimport (\n\"os\"\n\"time\"\n)\nvar _, _ = os.Args, time.Now()",
		"cmd/internal/a/a.go": "package a\nimport \"" + module + "/sources/simulator\"",
		"sources/poll/a.go":   "package poll\ntype s struct{}\nfunc (s) init() {}\nfunc f(x any) { _, _ = x.(error) }",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range m.Check(Rules()) {
		t.Error(v)
	}
}
