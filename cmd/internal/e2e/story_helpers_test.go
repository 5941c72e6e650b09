package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	sim "example.com/signalbox/sources/simulator"
	"example.com/signalbox/ui/uitest/vt"
)

// tale is a simulated world in a process of its own, whose clock the test puts forward, and boards and commands
// that go by it. The story opens at its own time: sre1 is on call, and paged.
type tale struct {
	t      *testing.T
	env    []string
	config string
	url    string
	token  string
}

// openTale serves a world. more stands at the end of its board's config.
func openTale(t *testing.T, more string) *tale {
	t.Helper()
	home := t.TempDir()
	w := &tale{t: t, env: environ(home), config: filepath.Join(home, "board.yaml")}
	s := simulate(t, w.env, w.config, "127.0.0.1:0", "--at", sim.Opening().Format(time.RFC3339))
	w.url = "http://" + s.listen
	token, err := os.ReadFile(w.config + ".token")
	if err != nil {
		t.Fatal(err)
	}
	w.token = strings.TrimSpace(string(token))
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	more += "\nattention: {bell: off, title: off, notify: off}\n"
	if err := os.WriteFile(w.config, append(text, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// steer asks something of the world's control tree.
func (w *tale) steer(method, path, body string, into any) {
	w.t.Helper()
	data := ask(w.t, method, w.url+"/-/"+path, w.token, body)
	if into != nil {
		decode(w.t, data, into)
	}
}

func (w *tale) advance(d time.Duration) {
	w.t.Helper()
	w.steer("POST", "advance?d="+d.String(), "", nil)
}

func (w *tale) truth() (t sim.Truth) {
	w.t.Helper()
	w.steer("GET", "world", "", &t)
	return t
}

// rest keeps everything else in the world as it is.
func (w *tale) rest() {
	w.t.Helper()
	w.steer("POST", "rest", `{"rest": true}`, nil)
}

// stage merges a version of web and waits until its release has brought it through dev into staging.
func (w *tale) stage(tag string, bad bool) (sha string) {
	w.t.Helper()
	var out struct{ SHA string }
	w.steer("POST", "merges", fmt.Sprintf(`{"service": "web", "title": "New pictures", "tag": %q, "bad": %t}`, tag, bad), &out)
	sha = out.SHA[:7]
	for waited := time.Duration(0); !slices.Contains(w.runs("web", "staging"), sha); waited += 10 * time.Second {
		if waited > 15*time.Minute {
			w.t.Fatalf("staging runs %v, and not %s", w.runs("web", "staging"), sha)
		}
		w.advance(10 * time.Second)
	}
	return sha
}

// leaves quits the board, also where a guard still watches: it says what that means, and is told so.
func (w *tale) leaves(s *session) {
	w.t.Helper()
	s.keys("q")
	s.shows("The guard ends with the program: nobody watches then.", "Quit all the same?")
	s.keys("y")
	if code := s.exits(); code != 0 {
		w.t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

// runs is what a service really runs in a stage, one of each target.
func (w *tale) runs(service, stage string) []string {
	w.t.Helper()
	var out []string
	for _, s := range w.truth().Services {
		for _, r := range s.Running {
			if s.Name == service && r.Stage == stage {
				out = append(out, r.SHA[:7])
			}
		}
	}
	return out
}

// page is the newest incident of a service.
func (w *tale) page(service string) sim.IncidentTruth {
	w.t.Helper()
	var out sim.IncidentTruth
	for _, i := range w.truth().Incidents {
		if i.Service == service {
			out = i
		}
	}
	return out
}

// writes lists what was written, as "POST …/dispatches": the last element of each path.
func (w *tale) writes() []string {
	w.t.Helper()
	var all []sim.Request
	w.steer("GET", "requests?writes=true", "", &all)
	out := make([]string, 0, len(all))
	for _, r := range all {
		if r.Write {
			out = append(out, r.Method+" …"+r.Path[strings.LastIndexByte(r.Path, '/'):])
		}
	}
	return out
}

// board opens a board in a terminal, and records the session.
func (w *tale) board(cols, rows int, args ...string) *session {
	w.t.Helper()
	s := start(w.t, cols, rows, w.env, append([]string{"--demo", "--config", w.config}, args...)...)
	began := time.Now()
	w.t.Cleanup(func() { s.record(w.t, cols, rows, began) })
	return s
}

// pull presses a key that changes something, and again where the board says that it was not taken because what
// it would have hit had just moved.
func (s *session) pull(key string, taken func(*vt.Terminal) bool) {
	s.t.Helper()
	for {
		s.keys(key)
		again := false
		s.until("what follows on "+key, func(t *vt.Terminal) bool {
			again = !taken(t) && refused(t, key)
			return taken(t) || again
		})
		if !again {
			return
		}
		s.until("no more of that", func(t *vt.Terminal) bool { return !refused(t, key) })
	}
}

// refused reports that the board says why it did not take a key: what it would have hit had just moved, or it came
// in one read with another, because the machine is slow.
func refused(t *vt.Terminal, key string) bool {
	return has(t, "then press "+key+" again") || has(t, key+" is held down") || has(t, key+" came together with other keys")
}

// hinted reports that a plan's dialog says why it did not take a key.
func hinted(t *vt.Terminal) bool {
	return has(t, early) || has(t, changed) || has(t, severalKeys) || has(t, "another key came at once")
}

// answer presses a key in a plan's dialog until it is taken, and texts are shown.
func (s *session) answer(key string, texts ...string) {
	s.t.Helper()
	s.answers(key, fmt.Sprintf("%q after %q", texts, key), func(t *vt.Terminal) bool { return has(t, texts...) })
}

// answers presses a key in a plan's dialog until it is taken: not before the plan was on the screen for a while.
func (s *session) answers(key, what string, taken func(*vt.Terminal) bool) {
	s.t.Helper()
	for {
		s.keys(key)
		again := false
		s.until(what, func(t *vt.Terminal) bool {
			again = !taken(t) && hinted(t)
			return again || taken(t)
		})
		if !again {
			return
		}
		s.unhinted()
	}
}

// unhinted takes away why the dialog did nothing: a key that moves does.
func (s *session) unhinted() {
	s.t.Helper()
	for gone := false; !gone; {
		before := s.written()
		s.keys("\x1b[B")
		s.until("no hint", func(t *vt.Terminal) bool {
			gone = !hinted(t)
			return gone || s.total > before
		})
	}
}

// types types a word into a plan's dialog, letter by letter: not before the plan was on the screen for a while, and
// from the first letter again where the plan has changed meanwhile, which empties the field.
func (s *session) types(word string) {
	s.t.Helper()
	ask := "Type " + word + " › "
	for n := 0; n < len(word); {
		letter := word[n : n+1]
		s.keys(letter)
		held, alone, hint := 0, false, false
		look := func(t *vt.Terminal) {
			hint = hinted(t)
			held = slices.IndexFunc(prefixes(word), func(part string) bool { return holds(t, ask, part) })
			alone = n > 0 && holds(t, ask, letter)
		}
		s.until(fmt.Sprintf("%q in the field", word[:n+1]), func(t *vt.Terminal) bool {
			look(t)
			return hint || alone || held == n+1
		})
		if hint {
			s.unhinted()
			s.until("a field to type in", func(t *vt.Terminal) bool { look(t); return alone || held >= 0 })
		}
		if n = held; alone { // the field was emptied before it came
			s.keys("\x7f")
			s.until("an empty field", func(t *vt.Terminal) bool { return holds(t, ask, "") })
			n = 0
		}
	}
}

// prefixes are the beginnings of a word, from none of it to all.
func prefixes(word string) (out []string) {
	for n := range len(word) + 1 {
		out = append(out, word[:n])
	}
	return out
}

// record writes what the session showed as an asciicast beside the test's other artifacts.
func (s *session) record(t *testing.T, cols, rows int, began time.Time) {
	file, err := os.Create(filepath.Join(t.ArtifactDir(), "session.cast"))
	if err != nil {
		t.Error(err)
		return
	}
	enc := json.NewEncoder(file)
	_ = enc.Encode(map[string]any{"version": 2, "width": cols, "height": rows, "timestamp": began.Unix(), "title": t.Name()})
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := "" // of a character that two reads have torn apart
	for _, f := range s.film {
		text := rest + f.text
		whole := len(text)
		for whole > 0 && len(text)-whole < utf8.UTFMax && !utf8.ValidString(text[:whole]) {
			whole--
		}
		rest = text[whole:]
		_ = enc.Encode([]any{f.at.Sub(began).Seconds(), "o", text[:whole]})
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}

// passes puts the world's clock forward, step by step, until the screen is as cond wants it. With each step the
// keys are pressed: ctrl+r asks every source anew, as an impatient person would.
func (w *tale) passes(s *session, step time.Duration, keys, what string, cond func(*vt.Terminal) bool) {
	w.t.Helper()
	late := time.Now().Add(patience)
	for {
		s.mu.Lock()
		ok, changed := s.whole == s.total && cond(s.term), s.changed
		s.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(late) {
			w.t.Fatalf("waited for %s; the screen:\n%s", what, s.screen())
		}
		w.advance(step)
		s.keys(keys)
		rest := time.NewTimer(300 * time.Millisecond)
		select {
		case <-changed:
		case <-rest.C:
		}
		rest.Stop()
	}
}

// passesTo is passes without any key, to texts that are on the screen.
func (w *tale) passesTo(s *session, step time.Duration, texts ...string) {
	w.t.Helper()
	w.passes(s, step, "", fmt.Sprintf("%q", texts), func(t *vt.Terminal) bool { return has(t, texts...) })
}

// done is a command that has ended.
type done struct {
	code     int
	out, err string
}

// command runs one to its end. While it runs the world's clock goes on by step every now and then; 0 leaves it.
func (w *tale) command(step time.Duration, args ...string) done {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if args[0] != "journal" { // which has no world
		args = append([]string{"--demo"}, args...)
	}
	cmd := exec.CommandContext(ctx, binary, append([]string{"--config", w.config}, args...)...)
	cmd.Env = w.env
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			if ctx.Err() != nil {
				w.t.Fatalf("signalbox %s does not end: %s%s", strings.Join(args, " "), out.String(), errs.String())
			}
			return done{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
		case <-tick.C:
			if step > 0 {
				w.advance(step)
			}
		}
	}
}

func (d done) String() string { return fmt.Sprintf("exit %d\n%s%s", d.code, d.out, d.err) }
