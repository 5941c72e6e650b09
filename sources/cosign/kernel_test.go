package cosign

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/signalbox/sources/journal"
)

// agreeIn makes the test binary agree to the plan in a directory, as whoever runs it.
const agreeIn = "SIGNALBOX_TEST_AGREE_IN"

func TestAgreeAsAnotherProcess(t *testing.T) {
	dir := os.Getenv(agreeIn)
	if dir == "" {
		t.Skip("it lacks $" + agreeIn + ": another test sets it, in a process that it starts")
	}
	p := New(dir, journal.Self(func(string) (string, bool) { return "", false }), time.Now)
	s, err := p.Read(id)
	if err == nil {
		err = p.Agree(s)
	}
	if forged := p.agreedFile(id, 65533); err == nil { // and in another's name
		err = os.WriteFile(forged, []byte("{}"), 0o644)
	}
	fmt.Println("agreed:", err)
}

// The kernel's word on who owns what is the proof: here the users are real. The test runs alone: a child that
// another test just forked would hold the copied program open for writing.
func TestAnotherUserAgrees(t *testing.T) { //nolint:paralleltest // see above
	if os.Geteuid() != 0 {
		t.Skip("not tried: it lacks root, who alone can start a process of another user")
	}
	const uid, gid = 65534, 4242
	dir, bin := t.TempDir(), t.TempDir()
	exe, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(bin, "other")
	for _, err := range []error{
		os.Chmod(filepath.Dir(dir), 0o755), os.Chown(dir, 0, gid), os.Chmod(dir, 0o770|fs.ModeSetgid|fs.ModeSticky), os.WriteFile(program, exe, 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	agree := func(as *syscall.Credential) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestAgreeAsAnotherProcess$")
		cmd.Env, cmd.Dir, cmd.SysProcAttr = append(os.Environ(), agreeIn+"="+dir), "/", &syscall.SysProcAttr{Credential: as}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		line, _, _ := strings.Cut(string(out), "\n")
		return line
	}
	p := New(dir, journal.Self(func(string) (string, bool) { return "", false }), time.Now)
	plan := samplePlan()
	if err := p.Offer(plan); err != nil {
		t.Fatal(err)
	}
	if said := agree(&syscall.Credential{Uid: uid - 1, Gid: uid - 1}); !strings.Contains(said, "permission denied") {
		t.Errorf("a stranger: %s", said)
	}
	if got, err := p.Agreed(plan); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if said := agree(nil); !strings.Contains(said, "root is nobody in particular") {
		t.Errorf("oneself: %s", said)
	}
	if said := agree(&syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{gid}}); said != "agreed: <nil>" {
		t.Fatal(said)
	}
	if got, err := p.Agreed(plan); got != userName(uid) || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.Remove(p.agreedFile(id, uid)); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Agreed(plan); got != "" || err == nil || !strings.Contains(err.Error(), "it belongs to "+userName(uid)) {
		t.Errorf("in another's name: %q, %v", got, err)
	}
}
