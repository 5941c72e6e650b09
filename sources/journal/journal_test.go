package journal_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_TEST_DIR"); dir != "" {
		appendAsChild(dir)
		return
	}
	os.Exit(m.Run())
}

// appendAsChild appends as many records as it is told, within a limit of the file's size, and prints what
// became of each.
func appendAsChild(dir string) {
	n, _ := strconv.Atoi(os.Getenv("JOURNAL_TEST_RECORDS"))
	if limit, err := strconv.ParseUint(os.Getenv("JOURNAL_TEST_LIMIT"), 10, 64); err == nil {
		signal.Ignore(unix.SIGXFSZ)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			fmt.Println(err)
		}
	}
	j := journal.New(dir, nil)
	for i := range n {
		r, err := j.Append(context.Background(), journal.Record{Plan: fmt.Sprint(os.Getpid(), "-", i), Stage: journal.Intended})
		fmt.Println(r.Seq, err)
	}
}

func at() time.Time { return time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC) }

func book(t *testing.T) (*journal.Journal, string) {
	t.Helper()
	dir := t.TempDir()
	return journal.New(dir, at), dir
}

func add(t *testing.T, j *journal.Journal, rs ...journal.Record) {
	t.Helper()
	for _, r := range rs {
		if _, err := j.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func stages(plan string, s ...journal.Stage) []journal.Record {
	var out []journal.Record
	for _, stage := range s {
		out = append(out, journal.Record{Plan: plan, Stage: stage})
	}
	return out
}

func TestRecordsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	j, dir := book(t)
	want := journal.Record{
		Plan: "p1", Stage: journal.Intended, Verb: sources.Acknowledge,
		Who:    journal.Who{User: "root", Sudo: "sre1", SSH: "192.0.2.7", Host: "bastion", Login: clean.Line("sre1"), Via: "board"},
		Target: sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, ID: "Q1"}, Name: clean.Line("checkout 5xx"),
		Before: clean.Line("triggered"), After: clean.Line("acknowledged"),
		Call:     &sources.Call{ID: "p1", Verb: sources.Acknowledge, Target: sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, ID: "Q1"}, For: time.Hour, Fields: map[string]string{"a": "b"}},
		Gates:    []journal.Gate{{Rule: "fresh", Verdict: "allow"}},
		Approval: &journal.Approval{Kind: "typed", Typed: "checkout/prod", Reason: clean.Line(`it "burns" <&>`)},
		Receipt:  &sources.Receipt{ID: "7"},
	}
	got, err := j.Append(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	add(t, j, stages("p1", journal.Answered, journal.Verified)...)
	var list []journal.Record
	for r, err := range j.Records() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	want.Seq, want.At, want.Hash = 1, at(), got.Hash
	if len(list) != 3 || fmt.Sprintf("%+v", dump(list[0])) != fmt.Sprintf("%+v", dump(want)) {
		t.Errorf("got  %+v\nwant %+v", dump(list[0]), dump(want))
	}
	if list[1].Prev != list[0].Hash || list[2].Prev != list[1].Hash || len(got.Hash) != 64 {
		t.Error("the records are not chained")
	}
	for _, name := range []string{journal.FileName, "journal.head"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if r, err := j.Verify(); err != nil || r.Records != 3 || len(r.Problems) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func dump(r journal.Record) any {
	call, approval, receipt := *r.Call, *r.Approval, *r.Receipt
	r.Call, r.Approval, r.Receipt = nil, nil, nil
	return []any{r, call, approval, receipt}
}

func TestOpenActions(t *testing.T) {
	t.Parallel()
	j, _ := book(t)
	add(t, j, stages("a", journal.Intended, journal.Answered)...)
	add(t, j, stages("b", journal.Intended, journal.Answered, journal.Verified)...)
	add(t, j, stages("c", journal.Refused)...)
	add(t, j, stages("d", journal.Intended)...)
	add(t, j, stages("a", journal.Unknown)...)
	open, err := j.Open()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, rs := range open {
		got = append(got, fmt.Sprint(rs[0].Plan, len(rs), rs[len(rs)-1].Stage))
	}
	if want := []string{"a3unknown", "d1intended"}; !slices.Equal(got, want) {
		t.Errorf("open %q, want %q", got, want)
	}
}

// Every kind of damage is found, and the record that it hit is named.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	lines := func(data []byte) [][]byte { return bytes.SplitAfter(data, []byte("\n")) }
	for _, c := range []struct {
		name   string
		damage func(dir string, data []byte) []byte
		want   []string
		append string // why nothing can be added; "" when it can
	}{
		{"untouched", func(_ string, d []byte) []byte { return d }, nil, ""},
		{"a word", func(_ string, d []byte) []byte {
			return bytes.Replace(d, []byte(`"plan":"b"`), []byte(`"plan":"x"`), 1)
		}, []string{"2 2 record 2 was changed: its hash does not fit"}, ""},
		{"the last record", func(_ string, d []byte) []byte {
			return bytes.Replace(d, []byte(`"plan":"c"`), []byte(`"plan":"x"`), 1)
		}, []string{"3 3 record 3 was changed: its hash does not fit"}, "its last record"},
		{"a record taken out", func(_ string, d []byte) []byte { l := lines(d); return slices.Concat(l[0], l[2]) }, []string{"2 3 before record 3, 1 are missing", "0 3 the head tells of a longer file: the end was cut off"}, "cut off"},
		{"the first taken out", func(_ string, d []byte) []byte { l := lines(d); return slices.Concat(l[1], l[2]) }, []string{"1 2 before record 2, 1 are missing", "0 3 the head tells of a longer file: the end was cut off"}, "cut off"},
		{"two in another order", func(_ string, d []byte) []byte { l := lines(d); return slices.Concat(l[0], l[2], l[1]) }, []string{"2 3 before record 3, 1 are missing", "3 2 record 2 stands after record 3", "0 2 the head tells of 3 records and the last is 2: the end was cut off"}, "its last record"},
		{"a record twice", func(_ string, d []byte) []byte { l := lines(d); return slices.Concat(l[0], l[1], l[1], l[2]) }, []string{"3 2 record 2 stands after record 2"}, "its last record"},
		{"the tail cut", func(_ string, d []byte) []byte { l := lines(d); return slices.Concat(l[0], l[1]) }, []string{"0 2 the head tells of 3 records and the last is 2: the end was cut off"}, "cut off"},
		{"all of it", func(string, []byte) []byte { return nil }, []string{"0 0 the head tells of 3 records and the last is 0: the end was cut off"}, "cut off"},
		{"half a record at the end", func(_ string, d []byte) []byte { return append(d, `{"seq":4,"pl`...) }, []string{"4 4 a crash left 12 bytes of a record that was never finished; nothing was done that it was to tell of; the next record will tell of it"}, ""},
		{"a line of nonsense", func(_ string, d []byte) []byte {
			l := lines(d)
			return slices.Concat(l[0], []byte("nonsense\n"), l[1], l[2])
		}, []string{"2 2 the line is no record, and none tells of a crash: it was changed, or torn"}, "its last record"},
		{"no head", func(dir string, d []byte) []byte { _ = os.Remove(filepath.Join(dir, "journal.head")); return d }, []string{"0 3 the head is missing: whether records are missing at the end cannot be told"}, "its head is missing"},
		{"a head of nonsense", func(dir string, d []byte) []byte {
			_ = os.WriteFile(filepath.Join(dir, "journal.head"), []byte("x"), 0o600)
			return d
		}, []string{"0 3 DIR/journal.head is damaged: it is not a journal's head"}, "not a journal's head"},
		{"head of before", func(dir string, d []byte) []byte {
			_ = os.WriteFile(filepath.Join(dir, "journal.head"), []byte(`{"count":2,"hash":"`+strings.Repeat("0", 64)+`","size":`+strconv.Itoa(len(lines(d)[0])+len(lines(d)[1]))+`}`), 0o600)
			return d
		}, []string{"0 2 the head tells of another last record"}, "its last record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j, dir := book(t)
			add(t, j, stages("a", journal.Refused)...)
			add(t, j, stages("b", journal.Refused)...)
			add(t, j, stages("c", journal.Refused)...)
			data, err := os.ReadFile(j.Path())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(j.Path(), c.damage(dir, data), 0o600); err != nil {
				t.Fatal(err)
			}
			report, err := j.Verify()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range report.Problems {
				got = append(got, strings.ReplaceAll(fmt.Sprint(p.Line, " ", p.Seq, " ", p.What), dir, "DIR"))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			before, _ := os.ReadFile(j.Path())
			_, err = j.Append(t.Context(), journal.Record{Plan: "d", Stage: journal.Refused})
			if c.append == "" && err != nil || c.append != "" && (err == nil || !strings.Contains(err.Error(), c.append)) {
				t.Errorf("append: %v, want %q", err, c.append)
			}
			if after, _ := os.ReadFile(j.Path()); err != nil && !bytes.Equal(before, after) {
				t.Error("a damaged journal was written to")
			}
			if ready := j.Ready(t.Context()); (ready == nil) != (c.append == "") {
				t.Errorf("ready: %v", ready)
			}
		})
	}
}

// What a crash leaves is taken over, or closed and told of, and is no damage.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		crash  func(t *testing.T, j *journal.Journal, dir string)
		want   []string // the plans and stages afterwards
		mended int
	}{
		{"before the head was written", func(t *testing.T, j *journal.Journal, dir string) {
			head, err := os.ReadFile(filepath.Join(dir, "journal.head"))
			if err != nil {
				t.Fatal(err)
			}
			add(t, j, stages("b", journal.Intended)...)
			if err := os.WriteFile(filepath.Join(dir, "journal.head"), head, 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"a intended", "b intended", "z intended"}, 0},
		{"within a line", func(t *testing.T, j *journal.Journal, _ string) {
			f, err := os.OpenFile(j.Path(), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(`{"seq":2,"at":"2026`); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}, []string{"a intended", " restarted", "z intended"}, 1},
		{"before the first head", func(t *testing.T, _ *journal.Journal, dir string) {
			if err := os.Remove(filepath.Join(dir, "journal.head")); err != nil {
				t.Fatal(err)
			}
		}, []string{"a intended", "z intended"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j, dir := book(t)
			add(t, j, stages("a", journal.Intended)...)
			c.crash(t, j, dir)
			if err := j.Ready(t.Context()); err != nil {
				t.Errorf("ready: %v", err)
			}
			add(t, j, stages("z", journal.Intended)...)
			var got []string
			for r, err := range j.Records() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r.Plan+" "+string(r.Stage))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("records %q, want %q", got, c.want)
			}
			if r, err := j.Verify(); err != nil || len(r.Problems) != 0 || r.Mended != c.mended {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

func child(t *testing.T, dir string, n int, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), append(env, "JOURNAL_TEST_DIR="+dir, "JOURNAL_TEST_RECORDS="+strconv.Itoa(n))...)
	return cmd
}

func TestProcessesShareAJournal(t *testing.T) {
	t.Parallel()
	j, dir := book(t)
	const processes, each = 4, 20
	var outs [processes]bytes.Buffer
	var cmds [processes]*exec.Cmd
	for i := range cmds {
		cmds[i] = child(t, dir, each)
		cmds[i].Stdout = &outs[i]
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	written := 0
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(&outs[i]); s.Scan(); {
			if strings.HasSuffix(s.Text(), "<nil>") {
				written++
			}
		}
	}
	r, err := j.Verify()
	if err != nil || len(r.Problems) != 0 || int(r.Records) != written || written == 0 {
		t.Errorf("%d written, %+v, %v", written, r, err)
	}
}

// A disk that fills up takes whole records or none.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	j, dir := book(t)
	out, err := child(t, dir, 20, "JOURNAL_TEST_LIMIT=2000").Output()
	if err != nil {
		t.Fatal(err)
	}
	ok := strings.Count(string(out), "<nil>")
	if ok == 0 || ok == 20 || !strings.Contains(string(out), syscall.EFBIG.Error()) {
		t.Fatalf("%d records were written:\n%s", ok, out)
	}
	r, err := j.Verify()
	if err != nil || len(r.Problems) != 0 || int(r.Records) != ok || r.Mended != 0 {
		t.Errorf("%d written, %+v, %v", ok, r, err)
	}
	add(t, j, stages("more", journal.Refused)...)
}

func TestNoPlaceForAJournal(t *testing.T) {
	t.Parallel()
	gone := journal.New(filepath.Join(t.TempDir(), "gone"), nil)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, journal.FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	linked := t.TempDir()
	if err := os.Symlink("/dev/null", filepath.Join(linked, journal.FileName)); err != nil {
		t.Fatal(err)
	}
	for _, j := range []*journal.Journal{gone, journal.New(dir, nil), journal.New(linked, nil)} {
		if _, err := j.Append(t.Context(), journal.Record{Stage: journal.Refused}); err == nil {
			t.Errorf("%s: a record was written", j.Path())
		}
		if j.Ready(t.Context()) == nil {
			t.Errorf("%s is ready", j.Path())
		}
	}
}

func TestBusyJournal(t *testing.T) {
	t.Parallel()
	j, _ := book(t)
	add(t, j, stages("a", journal.Refused)...)
	f, err := os.Open(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), journal.Record{}); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("held by another: %v", err)
	}
}

func TestFollowing(t *testing.T) {
	t.Parallel()
	j, _ := book(t)
	var got []string
	take := func(r journal.Record) bool { got = append(got, r.Plan); return true }
	at, err := j.Since(0, take)
	if err != nil || at != 0 {
		t.Fatalf("%d, %v", at, err)
	}
	for _, plan := range []string{"a", "b"} {
		add(t, j, stages(plan, journal.Refused)...)
		if at, err = j.Since(at, take); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("followed %q", got)
	}
}

func TestSelf(t *testing.T) {
	t.Parallel()
	env := map[string]string{"SUDO_USER": "sre1", "SSH_CONNECTION": "192.0.2.7 51000 10.0.0.1 22"}
	w := journal.Self(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if w.Sudo != "sre1" || w.SSH != "192.0.2.7" || w.User == "" || w.Host == "" {
		t.Errorf("%+v", w)
	}
}

func BenchmarkAppend(b *testing.B) {
	j := journal.New(b.TempDir(), at)
	for b.Loop() {
		if _, err := j.Append(b.Context(), journal.Record{Plan: "p", Stage: journal.Intended}); err != nil {
			b.Fatal(err)
		}
	}
}
