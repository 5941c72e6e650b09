package config

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

type change struct {
	config *Config
	err    error
}

// watched loads dir/c.yaml, watches it for the length of the test, and returns its changes.
func watched(t *testing.T, path string) <-chan change {
	t.Helper()
	o := testOptions()
	o.Files = nil
	c, err := Load(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return watch(t, c, o)
}

func watch(t *testing.T, c *Config, o Options) <-chan change {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	changes, ended := make(chan change, 100), make(chan error, 1)
	go func() {
		ended <- Watch(ctx, c, o, func(c *Config, err error) { changes <- change{c, err} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Watch returned %v", err)
		}
	})
	return changes
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// next is the next change.
func next(t *testing.T, changes <-chan change) change {
	t.Helper()
	select {
	case c := <-changes:
		return c
	case <-time.After(time.Minute):
		t.Fatal("no change was told")
		return change{}
	}
}

func wantTeam(t *testing.T, changes <-chan change, team string) {
	t.Helper()
	if c := next(t, changes); c.err != nil || c.config.Team != team {
		t.Fatalf("got %+v, want the team %s", c, team)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "c.yaml")
	put(t, path, good+"team: a")
	changes := watched(t, path)

	put(t, path, good+"team: b")
	wantTeam(t, changes, "b")

	// A broken edit is reported with its place, and mended.
	put(t, path, good+"team: [")
	if c := next(t, changes); c.config != nil || c.err == nil || !strings.HasPrefix(c.err.Error(), path+":2:") {
		t.Fatalf("got %+v", c)
	}
	put(t, path, good+"team: c")
	wantTeam(t, changes, "c")

	// Editors write another file and rename it.
	put(t, filepath.Join(dir, ".c.yaml.swp"), good+"team: d")
	if err := os.Rename(filepath.Join(dir, ".c.yaml.swp"), path); err != nil {
		t.Fatal(err)
	}
	wantTeam(t, changes, "d")

	// A file that goes away is an error, and its return a change.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if c := next(t, changes); c.err == nil || !strings.Contains(c.err.Error(), "does not exist") {
		t.Fatalf("got %+v", c)
	}
	put(t, path, good+"team: e")
	wantTeam(t, changes, "e")

	// What is written anew without a difference, and what is another file's, is no change: the next
	// one is the next real one.
	put(t, path, good+"team: e")
	put(t, filepath.Join(dir, "other"), "x")
	put(t, path, good+"team: f")
	wantTeam(t, changes, "f")
}

func TestWatchFollowsIncludes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, team := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "team", "a.yaml")
	put(t, path, good+"include: team/*.yaml")
	put(t, team, "team: a")
	changes := watched(t, path)

	put(t, team, "team: b")
	wantTeam(t, changes, "b")

	// A file that a glob takes in.
	put(t, filepath.Join(dir, "team", "z.yaml"), "services: {s: {repo: forge:x/s}}")
	if c := next(t, changes); c.err != nil || len(c.config.Services) != 1 {
		t.Fatalf("got %+v", c)
	}

	// A new include in a folder of its own is watched from then on, even when it does not exist yet.
	if err := os.Mkdir(filepath.Join(dir, "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, path, good+"include: [team/a.yaml, more/m.yaml]")
	if c := next(t, changes); c.err == nil || !strings.Contains(c.err.Error(), "m.yaml") {
		t.Fatalf("got %+v", c)
	}
	put(t, filepath.Join(dir, "more", "m.yaml"), "read_only: true")
	if c := next(t, changes); c.err != nil || !c.config.ReadOnly || len(c.config.Services) != 0 {
		t.Fatalf("got %+v", c)
	}
}

// TestWatchFollowsLinks is how Kubernetes mounts a ConfigMap: the file is a link through ..data, which
// is a link that is replaced.
func TestWatchFollowsLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "..v1", "c.yaml"), good+"team: a")
	put(t, filepath.Join(dir, "..v2", "c.yaml"), good+"team: b")
	link("..v1", "..data")
	link("..data/c.yaml", "c.yaml")
	changes := watched(t, filepath.Join(dir, "c.yaml"))

	link("..v2", "..tmp")
	if err := os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	wantTeam(t, changes, "b")

	put(t, filepath.Join(dir, "..v2", "c.yaml"), good+"team: c")
	wantTeam(t, changes, "c")
}

// TestWatchMissesNothing: a change between loading and watching is told at once.
func TestWatchMissesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.yaml")
	put(t, path, good+"team: a")
	o := testOptions()
	o.Files = nil
	c, err := Load(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, good+"team: b")
	wantTeam(t, watch(t, c, o), "b")
}

func TestWatchOfNothing(t *testing.T) {
	t.Parallel()
	if err := Watch(t.Context(), &Config{}, Options{}, func(*Config, error) { t.Error("called") }); err != nil {
		t.Error(err)
	}
}

// TestPolling is what happens where the system cannot watch.
func TestPolling(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.yaml")
	put(t, path, good+"team: a")
	o := testOptions()
	o.Files = nil
	c, err := Load(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	changes, tick, ended := make(chan change, 10), make(chan time.Time), make(chan error, 1)
	w := &watcher{options: o, path: c.path, digest: c.digest, onChange: func(c *Config, err error) { changes <- change{c, err} }}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- w.pollOn(ctx, tick) }()
	tick <- time.Time{}
	put(t, path, good+"team: b")
	tick <- time.Time{}
	wantTeam(t, changes, "b")
	cancel()
	if err := <-ended; err != nil || len(changes) != 0 {
		t.Errorf("got %v, %d changes more", err, len(changes))
	}
}

func TestTrail(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	put(t, at("real/c.yaml"), "")
	for name, target := range map[string]string{"a": "real", "b": at("a"), "loop": "loop"} {
		if err := os.Symlink(target, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := trail(at("b/c.yaml")); !slices.Equal(got, []string{at("b"), at("a"), at("real/c.yaml")}) {
		t.Errorf("got %q", got)
	}
	if got := trail(at("none/c.yaml")); !slices.Equal(got, []string{at("none/c.yaml")}) {
		t.Errorf("got %q", got)
	}
	if got := trail(at("loop")); len(got) > 50 {
		t.Errorf("a loop has %d steps", len(got))
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	base := good + "team: a\nservices: {a: {repo: forge:x/a}, b: {repo: forge:x/b}}\n"
	for name, c := range map[string]struct {
		text                   string
		keys, sources, restart []string
	}{
		"nothing":          {base, nil, nil, nil},
		"only the writing": {"team: 'a' # x\n" + strings.Replace(base, "team: a\n", "", 1), nil, nil, nil},
		"a key":            {strings.Replace(base, "team: a", "team: b", 1), []string{"team"}, nil, nil},
		"a key less":       {strings.Replace(base, "team: a\n", "", 1), []string{"team"}, nil, nil},
		"a source":         {strings.Replace(base, "env:T", "env:U", 1), []string{"sources"}, []string{"forge"}, nil},
		"a source more":    {strings.Replace(base, "}}\n", "}, p: {type: pager}}\n", 1), []string{"sources"}, []string{"p"}, nil},
		"defaults":         {base + "defaults: {workflows: x}", []string{"services"}, nil, nil},
		"order":            {good + "team: a\nservices: {b: {repo: forge:x/b}, a: {repo: forge:x/a}}\n", []string{"services"}, nil, nil},
		"two restarts":     {base + "state_dir: /x\nshared_dir: /y", []string{"shared_dir", "state_dir"}, nil, []string{"shared_dir", "state_dir"}},
		"restart":          {base + "state_dir: /x\nmouse: off", []string{"mouse", "state_dir"}, nil, []string{"state_dir"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, changed := parse(t, base), parse(t, c.text)
			for _, d := range []Changes{Diff(old, changed), Diff(changed, old)} {
				if !slices.Equal(d.Keys, c.keys) || !slices.Equal(d.Sources, c.sources) || !slices.Equal(d.Restart, c.restart) || d.None() != (c.keys == nil) {
					t.Errorf("got %+v", d)
				}
			}
		})
	}
}
