package wire

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
)

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("board.yaml", []byte(text), LoadOptions())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

const twoOfOneRepository = `
sources: {github: {type: github, token: env:X}}
me: {github: sre1}
defaults:
  environments: [staging, {name: prod, provider_name: "production-{{target}}", targets: [eu, us]}]
services:
  ledger:
    repo: github:acme/money
    paths: "ledger/**"
    tag_prefix: ledger/
    deploy: {via: workflow, workflow: deploy.yml, inputs: {environment: "{{env}}", ref: "{{ sha }}"}}
    version_from: {run_name: 'Deploy (\S+)'}
  payouts: {repo: github:acme/money, paths: "payouts/**"}
  web: {repo: github:acme/web}
`

func TestServicesReachTheDriver(t *testing.T) {
	t.Parallel()
	cfg := parse(t, twoOfOneRepository)
	specs := specsOf(cfg)[scope{"github", "acme/money"}]
	if len(specs) != 2 || specs[0].Name != "ledger" || specs[1].Name != "payouts" {
		t.Fatalf("the services of acme/money are %+v", specs)
	}
	got := specs[0]
	if got.VersionInput != "ref" || got.DeployWorkflow != "deploy.yml" || got.TagPrefix != "ledger/" ||
		got.VersionFrom.RunName != `Deploy (\S+)` || !slices.Equal(got.Paths, []string{"ledger/**"}) {
		t.Errorf("ledger is %+v", got)
	}
	prod := got.Environments[1]
	if prod.Name != "prod" || prod.Provider != "production-{{target}}" || !slices.Equal(prod.Targets, []string{"eu", "us"}) || !prod.Prod {
		t.Errorf("prod is %+v", prod)
	}
}

func TestFeedsAreOneForEachRepository(t *testing.T) {
	t.Parallel()
	cfg := parse(t, twoOfOneRepository)
	b, err := New(Options{Config: cfg, Lookup: os.LookupEnv, Private: true, Stateless: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	var keys []string
	for _, f := range feedsOf(cfg, b.open, pane.Watch{}) {
		keys = append(keys, f.Key.String())
		if f.Query.Identity != "sre1" {
			t.Errorf("%s is asked as %q", f.Key, f.Query.Identity)
		}
	}
	want := []string{
		"github/runs/acme/money", "github/runs/acme/web", "github/environments/acme/money", "github/environments/acme/web",
		"github/releases/acme/money", "github/releases/acme/web",
	}
	if !slices.Equal(keys, want) {
		t.Errorf("feeds are %q, want %q", keys, want)
	}
	if c := b.Snapshot().Catalog; len(c.Services) != 3 || c.Me["github"] != "sre1" || !b.Snapshot().Has(store.Runs) {
		t.Errorf("the catalog is %+v", c)
	}
}

// What the config says is how old data gets, jitter and the answer's own time included.
func TestPaceIsOlderThanItLooks(t *testing.T) {
	t.Parallel()
	for _, age := range []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, time.Hour} {
		if d := time.Duration(float64(due(age))*pollJitter) + answerTime; d > age+time.Millisecond || d < age-time.Second {
			t.Errorf("at %s data is %s old", age, d)
		}
	}
}

func TestLoadNamesWhatCannotBe(t *testing.T) {
	t.Parallel()
	b, err := New(Options{Config: EmptyConfig(), Lookup: os.LookupEnv, Private: true, Stateless: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	for want, ask := range map[sources.ErrKind]pane.Ask{
		sources.Invalid:  {},
		sources.NotExist: {Jobs: sources.Ref{Source: "gone", Kind: sources.KindRun, ID: "1"}},
	} {
		_, err := b.Load(context.Background(), ask)
		if got := sources.KindOf(err); err == nil || got != want {
			t.Errorf("%+v: %v (%s), want %s", ask, err, got, want)
		}
	}
}

// The demo is read by the real driver: every feed answers, and the story is there.
func TestDemoAnswersEveryFeed(t *testing.T) {
	t.Parallel()
	demo, err := StartDemo(t.Context(), DemoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = demo.Close() })
	b, err := New(Options{Config: demo.Config(), Now: demo.Now, Lookup: os.LookupEnv, Private: true, Stateless: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	snap := b.Settle(t.Context())
	for i := range snap.Feeds {
		if h := snap.Feeds[i].Health; h.State != store.Healthy {
			t.Errorf("%s: %d %v %v", snap.Feeds[i].Key, h.State, h.Err, h.Notices)
		}
	}
	var run *sources.Run
	for r := range snap.Runs() {
		if r.State == sources.StateRunning {
			run = r
		}
	}
	if run == nil {
		t.Fatal("nothing runs in the demo")
	}
	answer, err := b.Load(t.Context(), pane.Ask{Jobs: run.Ref})
	if err != nil || len(answer.Jobs) == 0 {
		t.Errorf("the jobs of %s: %v, %v", run.Ref, answer.Jobs, err)
	}
}

func TestSaveTouchesNothingThatIsThere(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := &saver{home: home, cwd: t.TempDir()}
	path, err := s.save("job.log", strings.NewReader("one"))
	if err != nil || filepath.Dir(path) != s.cwd {
		t.Fatalf("saved to %s, %v", path, err)
	}
	if err := os.Mkdir(filepath.Join(home, "Downloads"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"job.log", "job-2.log", "job-3.log"} {
		path, err := s.save("job.log", strings.NewReader(want))
		if err != nil || path != filepath.Join(home, "Downloads", want) {
			t.Errorf("%d: saved to %s, %v", i, path, err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("%s holds %q, %v", path, text, err)
		}
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"build (ubuntu, 1.26).log": "build--ubuntu--1.26-.log",
		"../../etc/passwd":         "etc-passwd",
		".bashrc":                  "bashrc",
		"":                         "signalbox.txt",
		"///":                      "signalbox.txt",
		"a\x1b]0;b\x07c":           "a--0-b-c",
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	if got := fileName(strings.Repeat("ü", 400)); len(got) > 120 || !strings.HasPrefix(got, "üü") {
		t.Errorf("a long name becomes %q", got)
	}
}

func TestSaveLeavesNoHalf(t *testing.T) {
	t.Parallel()
	s := &saver{cwd: t.TempDir()}
	if _, err := s.save("x.log", failing{}); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(s.cwd); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

func TestBrowse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, goos, url string
		env             map[string]string
		program         string // "" means refused
		remote          bool
	}{
		{"display", "linux", "https://example.com/x", map[string]string{"DISPLAY": ":0"}, "xdg-open", false},
		{"wayland", "linux", "https://example.com/x", map[string]string{"WAYLAND_DISPLAY": "w"}, "xdg-open", false},
		{"mac", "darwin", "https://example.com/x", nil, "open", false},
		{"ssh", "linux", "https://example.com/x", map[string]string{"DISPLAY": ":0", "SSH_CONNECTION": "x"}, "", true},
		{"none", "linux", "https://example.com/x", nil, "", true},
		{"file", "darwin", "file:///etc/passwd", nil, "", false},
		{"script", "darwin", "javascript:alert(1)", nil, "", false},
		{"option", "darwin", "-a Terminal", nil, "", false},
	}
	for _, tt := range tests {
		var started string
		b := &browser{goos: tt.goos, lookup: func(k string) (string, bool) { v, ok := tt.env[k]; return v, ok },
			start: func(_ context.Context, program string, _ ...string) error { started = program; return nil }}
		err := b.open(context.Background(), tt.url)
		if started != tt.program || (err == nil) != (tt.program != "") || errors.Is(err, errNoBrowser) != tt.remote {
			t.Errorf("%s: started %q, error %v", tt.name, started, err)
		}
	}
}

func TestRedactor(t *testing.T) {
	t.Parallel()
	r := NewRedactor([]string{"MY_TOKEN=correcthorse", "OTHER_SECRET=correcthorsebattery", "SHORT_TOKEN=true", "HOME=/home/me"})
	for in, want := range map[string]string{
		"correcthorse":                           "[redacted]",
		"x correcthorsebattery y":                "x [redacted] y",
		"true /home/me":                          "true /home/me",
		"ghp_0123456789abcdef":                   "[redacted]",
		"Authorization: Bearer abc.def-12345678": "Authorization: [redacted]",
		"https://me:pass@host/x":                 "https://[redacted]@host/x",
		"Post \"https://hooks.slack.com/services/T0/B0/XXXX\": EOF":           "Post \"https://[redacted]\": EOF",
		"-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----": "[redacted]",
	} {
		if got := r.String(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// A config that changes while the board runs: what it names is polled, what it does not is gone, and a
// source that stays the same stays open.
func TestApply(t *testing.T) {
	t.Parallel()
	b, err := New(Options{Config: parse(t, twoOfOneRepository), Lookup: os.LookupEnv, Private: true, Stateless: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	before := b.open[0]
	if err := b.apply(parse(t, twoOfOneRepository+"  search: {repo: github:acme/search}\nteam: payments\n")); err != nil {
		t.Fatal(err)
	}
	snap := b.Snapshot()
	if b.open[0] != before || snap.Catalog.Team != "payments" || len(snap.Catalog.Services) != 4 {
		t.Errorf("the catalog is %+v; the source is the same: %v", snap.Catalog, b.open[0] == before)
	}
	if snap.Feed(store.FeedKey{Source: "github", Capability: store.Runs, Scope: "acme/search"}) == nil {
		t.Error("the new service is not polled")
	}
	b.refuse(errors.New("board.yaml:1:1: one\nboard.yaml:2:1: two"))
	if got := b.Snapshot().Catalog.ConfigError.String(); got != "board.yaml:1:1: one (and 1 more)" {
		t.Errorf("the refusal is %q", got)
	}
	if err := b.apply(parse(t, strings.Replace(twoOfOneRepository, "env:X", "env:Y", 1))); err != nil {
		t.Fatal(err)
	}
	if b.open[0] == before || !b.Snapshot().Catalog.ConfigError.IsZero() || len(b.Snapshot().Catalog.Services) != 3 {
		t.Error("another token took no other source, or the refusal stays")
	}
}
