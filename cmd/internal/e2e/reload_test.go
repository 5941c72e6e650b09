package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/signalbox/ui/uitest/vt"
)

// Everything that a config may change while the board runs is taken, what needs a restart says so, and a
// broken edit costs nothing but a line.
func TestEveryEditIsTaken(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	sim := simulate(t, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	raw, err := os.ReadFile(sim.config)
	if err != nil {
		t.Fatal(err)
	}
	base := string(raw) + "include: [more.yaml]\n"
	config, more := filepath.Join(home, "edited.yaml"), filepath.Join(home, "more.yaml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(config, base)
	write(more, "services: {}\n")
	s := start(t, 160, 48, environ(home), "--config", config)
	s.ready()
	mouse := func(on bool) func(*vt.Terminal) bool {
		return func(term *vt.Terminal) bool { return term.Mode(1002) == on }
	}
	s.until("the mouse on", mouse(true))

	write(more, "services: {billing: {repo: github:acme/billing-core, environments: [dev, prod]}}\n") // an include
	s.shows("billing")
	write(more, "services: {}\n")
	s.hides("billing ")

	write(config, base+"mouse: false\n")
	s.until("the mouse off", mouse(false))
	write(config, base+"keys: {help: F1}\n")
	s.until("the mouse on again", mouse(true))
	s.shows("config read again")
	s.until("the new key in the footer", func(term *vt.Terminal) bool { return strings.Contains(strings.ToLower(term.String()), "f1 help") })
	s.keys("\x1bOP")
	s.opens("Help: ")
	s.closes("Help: ")

	write(config, strings.Replace(base, "team: payments", "team: [", 1))
	s.shows("config not taken")
	write(config, base+"theme: {glyphs: ascii}\n")
	s.hides("config not taken")
	s.until("ASCII", func(term *vt.Terminal) bool { return !strings.Contains(term.String(), "┏") })
	write(config, base+"theme: {color: none}\n")
	s.until("no colour", func(term *vt.Terminal) bool {
		for _, row := range term.Rows() {
			for _, cell := range row {
				if strings.TrimSpace(cell.Text) != "" && cell.Style.FG != 0 || cell.Style.BG != 0 {
					return false
				}
			}
		}
		return strings.Contains(term.String(), "┏")
	})

	// One service less: its rows are gone.
	write(config, cut(base, "  search:\n", "  web:\n")+"refresh: {live: 5s, waiting: 5s, quiet: 5s}\n")
	s.until("a board without search", func(term *vt.Terminal) bool { return !has(term, "v0.8.1") })
	write(config, base+"state_dir: "+filepath.Join(home, "elsewhere")+"\n")
	s.shows("needs a restart")

	// Another token is another source: here one that the provider does not know.
	bad := filepath.Join(home, "bad.token")
	write(bad, "ghp_0123456789abcdefghijABCDEFGHIJ012345\n")
	write(config, strings.Replace(base, sim.config+".token", bad, 1))
	s.until("a source that is refused", func(term *vt.Terminal) bool { return !sourceIsWell(term) })
	s.shows("waits for you") // what was known stays
	write(config, base)
	s.until("the source well again", sourceIsWell)
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.Contains(s.raw.String(), "ghp_") {
		t.Error("a token was shown")
	}
}

// cut is text without what lies from one line to another.
func cut(text, from, to string) string {
	head, rest, _ := strings.Cut(text, from)
	_, tail, _ := strings.Cut(rest, to)
	return head + to + tail
}

// snapshots are the snapshot files of a home.
func snapshots(t *testing.T, home string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(home, "state", "signalbox", "snapshot-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Two boards of one user share the snapshot file and leave it whole; the next start shows it with its age
// though nothing answers; a damaged one is worth nothing and costs nothing.
func TestBoardsShareTheSnapshot(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	sim := simulate(t, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	one := start(t, 160, 48, environ(home), "--config", sim.config)
	two := start(t, 120, 40, environ(home), "--config", sim.config)
	for _, s := range []*session{one, two} {
		s.ready()
		s.until("a source that is well", sourceIsWell)
	}
	one.quits()
	two.quits()
	files := snapshots(t, home)
	if len(files) != 1 {
		t.Fatalf("the snapshots are %q, want one", files)
	}

	sim.stop()
	third := start(t, 160, 48, environ(home), "--config", sim.config)
	third.shows("waits for you", "v1.9.2", "c0ffee1")
	third.until("a source that does not answer", func(term *vt.Terminal) bool { return !sourceIsWell(term) })
	third.shows("waits for you", "v1.9.2", "c0ffee1")
	third.quits()
	third.givenBack()

	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"half": string(whole[:len(whole)/2]), "nothing": "", "rubbish": "\x1b]0;x\x07{{{"} {
		if err := os.WriteFile(files[0], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := start(t, 160, 48, environ(home), "--config", sim.config)
		s.shows("Pipelines", "Deployments", "payments")
		s.until(name+": a source that does not answer", func(term *vt.Terminal) bool { return !sourceIsWell(term) })
		if code := s.quits(); code != 0 {
			t.Errorf("%s: exit code %d", name, code)
		}
		s.givenBack()
	}
}
