package secret

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func ref(t *testing.T, text string) Ref {
	t.Helper()
	var r Ref
	if err := r.UnmarshalText([]byte(text)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func resolve(t *testing.T, r Ref) (string, error) {
	t.Helper()
	s, err := r.Resolve(t.Context())
	return s.Reveal(), err
}

// script writes an executable shell script and returns its path.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fetch")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	for _, part := range parts {
		if !strings.Contains(e.Error(), part) {
			t.Errorf("%q does not say %q", e, part)
		}
	}
	if strings.ContainsAny(e.Error(), "\n\x1b") {
		t.Errorf("%q is not one clean line", e)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, part := range map[string]string{
		token: "may not be written", "": "may not be written", "12345": "may not be written", "Env:A": "may not be written",
		"https://x/y": "may not be written", "env:": "name of a variable", "env:A B": "name of a variable", "env:1A": "name of a variable",
		"file:": "needs a path", "cmd:": "needs a program", "cmd:''": "needs a program", "cmd:op 'x": "not closed", `cmd:op \`: "backslash",
	} {
		var r Ref
		err := r.UnmarshalText([]byte(text))
		wantError(t, err, part)
		var p interface{ Field() (_, _, _ string) }
		if !errors.As(err, &p) {
			t.Fatalf("%T names no field", err)
		}
		if _, msg, fix := p.Field(); msg == "" || fix == "" {
			t.Errorf("%q: msg %q, fix %q", text, msg, fix)
		}
		if len(text) > 12 && strings.Contains(err.Error(), text) {
			t.Errorf("the error shows %q", text)
		}
		if !r.IsZero() {
			t.Errorf("%q is kept", text)
		}
	}
}

func TestRefIsShownWithoutArguments(t *testing.T) {
	t.Parallel()
	r := ref(t, "cmd:curl -H 'Authorization: "+token+"' https://vault")
	data, err := json.Marshal(map[string]any{"a": r, "b": &r})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{r.String(), fmt.Sprintf("%v %+v %#v %x %d", r, &r, struct{ R Ref }{r}, r, struct{ r Ref }{r}), string(data)} {
		if strings.Contains(s, token) {
			t.Errorf("%s shows an argument", s)
		}
		if !strings.Contains(s, "cmd:curl …") {
			t.Errorf("%s does not name the program", s)
		}
	}
	if got := ref(t, "env:A").String() + ref(t, " file: /x ").String() + ref(t, "cmd:op").String() + (Ref{}).String(); got != "env:Afile:/xcmd:op" {
		t.Errorf("got %s", got)
	}
	if k := ref(t, "file:/x").Kind(); k != File || (Ref{}).Kind() != "" {
		t.Errorf("kind %q", k)
	}
	if !ref(t, "env:A").Equal(FromEnv("A")) || ref(t, "env:A").Equal(ref(t, "file:A")) || ref(t, "env:A").Equal(Ref{}) || !(Ref{}).Equal(Ref{}) {
		t.Error("Equal is wrong")
	}
}

func TestEnv(t *testing.T) {
	t.Setenv("SB_TEST_A", token+"\n")
	t.Setenv("SB_TEST_EMPTY", "  ")
	t.Setenv("SB_TEST_UNSET", "")
	if err := os.Unsetenv("SB_TEST_UNSET"); err != nil {
		t.Fatal(err)
	}
	if got, err := resolve(t, FromEnv("SB_TEST_A")); got != token || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_, err := resolve(t, ref(t, "env:SB_TEST_UNSET"))
	wantError(t, err, "env:SB_TEST_UNSET: is not set: export SB_TEST_UNSET")
	_, err = resolve(t, ref(t, "env:SB_TEST_EMPTY"))
	wantError(t, err, "is empty")
	_, err = resolve(t, Ref{})
	wantError(t, err, "no secret is configured")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := FromEnv("SB_TEST_A").Resolve(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFile(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(home, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good", token+"\r\n\n", 0o600)
	pem := "-----BEGIN KEY-----\nabc\n-----END KEY-----"
	write("pem", pem+"\n", 0o400)
	if err := os.Symlink(good, filepath.Join(home, "link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(home, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"file:" + good: token, "file:~/good": token, "file:~/pem": pem, "file:~/link": token} {
		if got, err := resolve(t, ref(t, text)); got != want || err != nil {
			t.Errorf("%s: got %q, %v", text, got, err)
		}
	}
	write("group", token, 0o640)
	write("world", token, 0o604)
	write("writable", token, 0o620)
	write("empty", "\n", 0o600)
	write("nul", "a\x00b", 0o600)
	write("large", strings.Repeat("x", maxSize+1), 0o600)
	for name, parts := range map[string][]string{
		"group": {"mode 0640", "chmod 600 " + home}, "world": {"mode 0604", "chmod 600"}, "writable": {"mode 0620"},
		"empty": {"is empty"}, "nul": {"NUL"}, "large": {"64 KiB"}, "missing": {"does not exist", "create " + home},
		"fifo": {"not a regular file"}, "": {"not a regular file"}, "good/x": {"cannot be read"},
	} {
		_, err := resolve(t, ref(t, "file:~/"+name))
		wantError(t, err, parts...)
		if strings.Contains(err.Error(), token) {
			t.Errorf("%v shows the secret", err)
		}
	}
	// A rotated file is noticed.
	r := ref(t, "file:"+good)
	if _, err := resolve(t, r); err != nil {
		t.Fatal(err)
	}
	write("good", "rotated", 0o600)
	if got, err := resolve(t, r); got != "rotated" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	// Relative paths start at the config's folder.
	rel, err := NewScope().Parse("file:good", home)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := resolve(t, rel); got != "rotated" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestCmd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{"echo " + token, token},
		{`printf '%s|' "$@"`, "a b|$HOME|*|"},
		{"printf 'l1\\nl2\\n\\n'", "l1\nl2"},
		{"echo warned >&2; echo " + token, token},
		{"if read x; then echo input; else echo none; fi", "none"},
	} {
		got, err := resolve(t, ref(t, "cmd:"+script(t, c.body)+` 'a b' $HOME *`))
		if got != c.want || err != nil {
			t.Errorf("%s: got %q, %v", c.body, got, err)
		}
	}
	if got, err := resolve(t, ref(t, `cmd:sh -c 'echo a$((1+1))'`)); got != "a2" || err != nil {
		t.Errorf("a shell gives %q, %v", got, err)
	}
	for body, parts := range map[string][]string{
		"printf 'no \\033[31mvault\\nmore\\n' >&2; exit 3": {"exit status 3 (no [31mvault)", "by hand"},
		"exit 4": {"exit status 4: run it"},
		"echo 'bad token ghp_secretsecretsecret' >&2; exit 5":     {"exit status 5: run it"},
		"echo 'key=c2VjcmV0c2VjcmV0c2VjcmV0Cg==' >&2; exit 6":     {"exit status 6: run it"},
		"set -x; test hunter2 = x":                                {"exit status 1: run it"},
		"echo 'no /run/vault: you are not signed in' >&2; exit 7": {"exit status 7 (no /run/vault: you are not signed in)"},
		"kill -9 $$": {"signal: killed"},
		":":          {"is empty"},
		"yes":        {"64 KiB"},
		"yes | tr '\\n' ' ' | head -c 9000 >&2; exit 1": {"exit status 1 (y y", "…)"},
	} {
		_, err := resolve(t, ref(t, "cmd:"+script(t, body)))
		wantError(t, err, parts...)
	}
	_, err := resolve(t, ref(t, "cmd:/nonexistent/program x"))
	wantError(t, err, "could not be run", "/nonexistent/program is installed")
	_, err = resolve(t, ref(t, "cmd:"+script(t, "echo "+token+"; echo bad token "+token+" >&2; exit 1")))
	wantError(t, err, "exit status 1: run")
	if strings.Contains(err.Error(), token) {
		t.Errorf("%v shows the secret", err)
	}
}

// TestCmdKeepsSecretsFromItsCommand also holds that everything else of the environment is handed on.
func TestCmdKeepsSecretsFromItsCommand(t *testing.T) {
	t.Setenv("SB_TEST_OTHER", "hidden")
	t.Setenv("SB_TEST_WELL_KNOWN", "hidden")
	t.Setenv("SB_TEST_PLAIN", "seen")
	s := NewScope("SB_TEST_WELL_KNOWN")
	r, err := s.Parse("cmd:sh -c 'echo $SB_TEST_OTHER$SB_TEST_WELL_KNOWN$SB_TEST_PLAIN'", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Parse("env:SB_TEST_OTHER", ""); err != nil {
		t.Fatal(err)
	}
	if got, err := resolve(t, r); got != "seen" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestCmdRunsOnce(t *testing.T) {
	t.Parallel()
	count := filepath.Join(t.TempDir(), "count")
	text := "cmd:" + script(t, "echo x >>"+count+"; echo "+token)
	s := NewScope()
	var refs []Ref
	for range 2 {
		r, err := s.Parse(text, "")
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, r)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if got, err := refs[i%2].Resolve(t.Context()); got.Reveal() != token || err != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if data, err := os.ReadFile(count); err != nil || string(data) != "x\n" {
		t.Errorf("it ran %d times (%v)", len(data)/2, err)
	}
}

// TestCmdOutlivesWhoGivesUp: one caller's context ends, the others still get the answer.
func TestCmdOutlivesWhoGivesUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	started, release := filepath.Join(dir, "started"), filepath.Join(dir, "release")
	for _, p := range []string{started, release} {
		if err := syscall.Mkfifo(p, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := ref(t, "cmd:"+script(t, "echo up >"+started+"; cat "+release))
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := r.Resolve(ctx)
		first <- err
	}()
	if _, err := os.ReadFile(started); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	second := make(chan string, 1)
	go func() {
		got, _ := r.Resolve(context.WithoutCancel(ctx))
		second <- got.Reveal()
	}()
	if err := os.WriteFile(release, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := <-second; got != token {
		t.Errorf("got %q", got)
	}
}

// TestCmdFailureIsKept: no second run within a minute, one after it. The clock is faked by replacing
// what a run left behind.
func TestCmdFailureIsKept(t *testing.T) {
	t.Parallel()
	count := filepath.Join(t.TempDir(), "count")
	r := ref(t, "cmd:"+script(t, "echo x >>"+count+"; test $(wc -l <"+count+") -gt 1 && echo "+token))
	runs := func() int {
		data, err := os.ReadFile(count)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(data, []byte("\n"))
	}
	for range 3 {
		_, err := resolve(t, r)
		wantError(t, err, "exit status 1")
	}
	if n := runs(); n != 1 {
		t.Errorf("a failure was tried %d times", n)
	}
	r.cell.mu.Lock()
	r.cell.until = r.cell.until.Add(-keepError)
	r.cell.mu.Unlock()
	for range 3 {
		if got, err := resolve(t, r); got != token || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if n := runs(); n != 2 {
		t.Errorf("%d runs", n)
	}
}

func TestWithhold(t *testing.T) {
	t.Parallel()
	s := NewScope("A")
	if got := withhold([]string{"A=1", "AB=2", "B=3", "=C", "A"}, s); !slices.Equal(got, []string{"AB=2", "B=3", "=C"}) {
		t.Errorf("got %q", got)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"":                    nil,
		"  \t ":               nil,
		"op read x":           {"op", "read", "x"},
		`sh -c 'a "b" \c' d`:  {"sh", "-c", `a "b" \c`, "d"},
		`"a \"b\" \\ \n" ''`:  {`a "b" \ \n`, ""},
		`a\ b c\'d x'y'"z"`:   {"a b", "c'd", "xyz"},
		"one\ntwo\r\n three":  {"one", "two", "three"},
		"$HOME `x` * ~ # ; |": {"$HOME", "`x`", "*", "~", "#", ";", "|"},
		"ünï 'cö dé' 日本":      {"ünï", "cö dé", "日本"},
	} {
		if got, err := Split(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v", line, got, err)
		}
	}
	for line, want := range map[string]error{`a 'b`: ErrQuote, `a "b\"`: ErrQuote, `a\`: ErrEscape} {
		if _, err := Split(line); !errors.Is(err, want) {
			t.Errorf("%q: got %v", line, err)
		}
	}
}

// TestHungCommand: a command that does not answer is ended, and so is what it left in the background.
func TestHungCommand(t *testing.T) {
	t.Parallel()
	gone := filepath.Join(t.TempDir(), "gone")
	if err := syscall.Mkfifo(gone, 0o600); err != nil {
		t.Fatal(err)
	}
	// Reading from the pipe ends when the last process that has it open for writing does.
	r := ref(t, "cmd:"+script(t, "exec 3>"+gone+"; sleep 600 & sleep 600"))
	r.cell.limit = 200 * time.Millisecond
	over := make(chan error, 1)
	go func() {
		_, err := os.ReadFile(gone)
		over <- err
	}()
	_, err := resolve(t, r)
	wantError(t, err, "did not answer within 200ms", "by hand")
	if err := <-over; err != nil {
		t.Error(err)
	}
}
