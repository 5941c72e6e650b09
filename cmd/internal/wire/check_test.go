package wire

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
)

// What follows on a shared directory that cannot be used is said by doctor, at the board's start and to commands.
func TestUnsharedIsSaid(t *testing.T) {
	t.Parallel()
	const locked = "other people are not kept off what you act on"
	dir := t.TempDir()
	for _, c := range []struct {
		name, shared string
		level        sources.Level
		says         []string
	}{
		{"none is configured", "", 0, nil},
		{"gone", filepath.Join(dir, "gone"), sources.LevelFail, []string{"does not exist", locked, "sudo install -d -m 3770"}},
		{"open to all", filepath.Join(dir, "open"), sources.LevelFail, []string{"can be written by everybody (mode 0777)", locked, "sudo install -d -m 3770"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if filepath.Base(c.shared) == "open" {
				if err := os.Mkdir(c.shared, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(c.shared, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			b, err := New(Options{Config: &config.Config{SharedDir: c.shared, StateDir: t.TempDir()}, Lookup: os.LookupEnv, Stateless: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = b.Close() }()
			b.sayUnshared(context.Background())
			if c.says == nil {
				if found := b.checkShared(); len(found) > 0 || len(b.Events()) > 0 {
					t.Errorf("found is %+v", found)
				}
				return
			}
			found, event := b.checkShared(), <-b.Events()
			if len(found) != 1 || found[0].Level != c.level {
				t.Fatalf("found is %+v", found)
			}
			text := strings.Join([]string{found[0].What.String(), found[0].Detail.String(), found[0].Fix.String()}, " ")
			for _, want := range c.says {
				if !strings.Contains(text, want) || !strings.Contains(event.Text.String(), want) {
					t.Errorf("no %q in %q and %q", want, text, event.Text)
				}
			}
		})
	}
}

// Without a state directory there is no journal, and so no action: whoever wants to act has to hear of it.
func TestNoStateDirectoryForbidsActions(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for by, want := range map[string]sources.Level{"": sources.LevelFail, "--read-only": sources.LevelWarn} {
		b, err := New(Options{Config: &config.Config{StateDir: filepath.Join(file, "state")}, Lookup: os.LookupEnv, Stateless: true, ReadOnly: by})
		if err != nil {
			t.Fatal(err)
		}
		if found := b.CheckState(); len(found) != 1 || found[0].Level != want || found[0].Fix.IsZero() {
			t.Errorf("forbidden by %q: found is %+v", by, found)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
