package cosign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/place"
	"example.com/signalbox/sources/policy"
)

const id = "20261122-021405-0a1b2c3d4e5f"

// machine is a machine with several users, of whom the tests' process plays each. Files are whose they are said
// to be here; all else is the system's.
type machine struct {
	t      *testing.T
	dir    string
	now    time.Time
	mu     sync.Mutex
	owners map[string]int
	names  map[int]string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o770|fs.ModeSetgid|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return &machine{
		t: t, dir: dir, now: time.Date(2026, 11, 22, 2, 14, 5, 123456789, time.FixedZone("CET", 3600)), owners: map[string]int{},
		names: map[int]string{0: "root", 1001: "sre1", 1002: "sre2", 1003: "sre3"},
	}
}

// as is the place as one user sees it. What it writes is that user's.
func (m *machine) as(uid int) *Place {
	p := New(m.dir, journal.Who{User: m.names[uid], Host: "bastion"}, func() time.Time { return m.now })
	p.sys.uid = func() int { return uid }
	p.sys.name = func(uid int) string { return m.names[uid] }
	p.sys.owner = func(info fs.FileInfo) (int, bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		_, plain := place.Plain(info)
		owner, ok := m.owners[info.Name()]
		if !ok {
			owner = uid // just made
		}
		return owner, plain
	}
	return p
}

func (m *machine) owned(name string, uid int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owners[name] = uid
}

func (m *machine) offer(uid int, p *action.Plan) {
	m.t.Helper()
	if err := m.as(uid).Offer(p); err != nil {
		m.t.Fatalf("offer: %v", err)
	}
	m.owned("plan-"+p.ID+".json", uid)
}

func (m *machine) agree(uid int, id string) error {
	m.t.Helper()
	p := m.as(uid)
	shown, err := p.Read(id)
	if err != nil {
		return err
	}
	if err := p.Agree(shown); err != nil {
		return err
	}
	m.owned(fmt.Sprintf("plan-%s.agreed-%d", id, uid), uid)
	return nil
}

// wants checks who has agreed to p, as uid sees it.
func (m *machine) wants(uid int, p *action.Plan, want string) {
	m.t.Helper()
	if got, err := m.as(uid).Agreed(p); got != want {
		m.t.Errorf("agreed: %q, want %q (%v)", got, want, err)
	}
}

func (m *machine) file(name string) string { return filepath.Join(m.dir, name) }

func samplePlan() *action.Plan {
	target := sources.Ref{Source: "github", Kind: sources.KindEnvironment, Scope: "acme/checkout", ID: "production"}
	return &action.Plan{
		ID: id, Title: clean.Line("Roll back checkout/prod to v1.9.1"), Acting: clean.Line("sre1"), Name: clean.Line("checkout/prod"), Service: "checkout",
		Now: clean.Line("v1.9.2"), Then: clean.Line("v1.9.1"), How: clean.Line("dispatches deploy.yml"), Lines: []clean.Text{clean.Line("undoes 2 commits")},
		Request: action.Request{Verb: sources.Rollback, Target: target},
		Gates: []policy.Finding{
			{Gate: "freeze", Verdict: policy.SecondPerson, Text: clean.Line("it is the weekend")}, {Gate: "fresh", Verdict: policy.Warn, Text: clean.Line("4s old")},
		},
		Demand: action.Demand{Kind: action.SecondDemand, Word: "checkout/prod"},
		Change: &action.Change{
			Service: "checkout", Environment: "prod", Prod: true, Targets: []string{"eu", "us"}, Undoes: true, Means: action.ByWorkflow, Migrations: []string{"db/7.sql"},
			Now: action.Running{Version: sources.Version{SHA: "bbb", Tag: clean.Line("v1.9.2")}, Text: clean.Line("seen 4s ago")}, Then: action.Running{Version: sources.Version{SHA: "aaa"}},
			Commits: []sources.Commit{{SHA: "bbb", Title: clean.Line("Try it"), Author: clean.Line("dev"), At: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}},
		},
		Call: sources.Call{
			ID: id, Verb: sources.Dispatch, Target: target, Revision: "r1", Identity: "sre1", Text: "bad \xff byte", Fields: map[string]string{"version": "aaa", "input.ref": "aaa"},
		},
	}
}

func TestASecondPersonAgrees(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := samplePlan()
	m.wants(1001, p, "")
	m.offer(1001, p)
	m.wants(1001, p, "")
	s, err := m.as(1002).Read(id)
	if err != nil {
		t.Fatal(err)
	}
	want := Sheet{
		Plan: id, Offered: m.now.UTC(), Until: m.now.Add(15 * time.Minute).UTC(), Asks: journal.Who{User: "sre1", Host: "bastion"}, Title: p.Title, Acting: p.Acting, Name: p.Name,
		Service: "checkout", Now: p.Now, Then: p.Then, How: p.How, Lines: p.Lines, Word: "checkout/prod", Call: p.Call, Owner: User{1001, "sre1"}, Hash: s.Hash,
		Gates: []journal.Gate{{Rule: "freeze", Verdict: "second_person", Text: clean.Line("it is the weekend")}, {Rule: "fresh", Verdict: "warn", Text: clean.Line("4s old")}},
		Change: &Change{
			Environment: "prod", Targets: []string{"eu", "us"}, Now: p.Change.Now.Version, Then: p.Change.Then.Version, NowText: clean.Line("seen 4s ago"), Undoes: true,
			Means: action.ByWorkflow, Migrations: []string{"db/7.sql"}, Commits: p.Change.Commits,
		},
	}
	want.Call.Text = "bad \ufffd byte"
	if !reflect.DeepEqual(s, want) || len(s.Hash) != 64 {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if err := m.agree(1002, id); err != nil {
		t.Fatal(err)
	}
	m.wants(1001, p, "sre2")
	for name, mode := range map[string]fs.FileMode{"plan-" + id + ".json": 0o644, "plan-" + id + ".agreed-1002": 0o644} {
		if info, err := os.Lstat(m.file(name)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Made again while it is open, it is the same offer; the ages that it tells are others.
	p.Gates[1].Text, p.Change.Now.Text, p.Lines = clean.Line("9s old"), clean.Line("seen 9s ago"), nil
	m.now = m.now.Add(5 * time.Minute)
	m.offer(1001, p)
	m.wants(1001, p, "sre2")
	// It is for whoever offered it, and for no third person.
	m.wants(1003, p, "")
	if err := m.as(1001).Withdraw(id); err != nil {
		t.Fatal(err)
	}
	m.wants(1001, p, "")
	if err := m.as(1001).Withdraw(id); err != nil {
		t.Errorf("withdrawn twice: %v", err)
	}
	if left, err := os.ReadDir(m.dir); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// What was agreed to is what was shown: another request, target, state, demand or a stricter gate is another plan.
func TestAChangedPlanIsNotAgreedTo(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*action.Plan){
		"another version":      func(p *action.Plan) { p.Change.Then.Version.SHA = "ccc" },
		"another now":          func(p *action.Plan) { p.Change.Now.Version.SHA = "ccc" },
		"other targets":        func(p *action.Plan) { p.Change.Targets = []string{"eu"} },
		"other means":          func(p *action.Plan) { p.Change.Means = action.ByRerun },
		"more migrations":      func(p *action.Plan) { p.Change.Migrations = append(p.Change.Migrations, "db/8.sql") },
		"another direction":    func(p *action.Plan) { p.Change.Undoes = false },
		"another environment":  func(p *action.Plan) { p.Change.Environment = "staging" },
		"no change":            func(p *action.Plan) { p.Change = nil },
		"another state":        func(p *action.Plan) { p.Call.Revision = "r2" },
		"another verb":         func(p *action.Plan) { p.Call.Verb = sources.Deploy },
		"another target":       func(p *action.Plan) { p.Call.Target.Source = "github2" },
		"another field":        func(p *action.Plan) { p.Call.Fields["input.ref"] = "ccc" },
		"another identity":     func(p *action.Plan) { p.Call.Identity = "bot" },
		"another word":         func(p *action.Plan) { p.Demand.Word = "checkout" },
		"glass to be broken":   func(p *action.Plan) { p.Demand.Reason = true },
		"a stricter gate":      func(p *action.Plan) { p.Gates[1].Verdict = policy.Confirm },
		"one more gate":        func(p *action.Plan) { p.Gates = append(p.Gates, policy.Finding{Gate: "loop", Verdict: policy.Deny}) },
		"another plan's files": func(p *action.Plan) { p.ID = "20261122-021405-ffff"; p.Call.ID = p.ID },
	} {
		m := newMachine(t)
		m.offer(1001, samplePlan())
		if err := m.agree(1002, id); err != nil {
			t.Fatal(err)
		}
		p := samplePlan()
		change(p)
		m.wants(1001, p, "")
		// Offered as it is now, it can be agreed to; what was agreed before is not that.
		m.offer(1001, p)
		m.wants(1001, p, "")
		if err := m.agree(1002, p.ID); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		m.wants(1001, p, "sre2")
	}
	for name, change := range map[string]func(*action.Plan){
		"a milder gate": func(p *action.Plan) { p.Gates[0].Verdict = policy.Confirm },
		"a gate less":   func(p *action.Plan) { p.Gates = p.Gates[:1] },
		"a warning":     func(p *action.Plan) { p.Gates = append(p.Gates, policy.Finding{Gate: "flags", Verdict: policy.Warn}) },
		"other words":   func(p *action.Plan) { p.Now, p.How = clean.Line("x"), clean.Line("y") },
	} {
		m := newMachine(t)
		m.offer(1001, samplePlan())
		if err := m.agree(1002, id); err != nil {
			t.Fatal(err)
		}
		p := samplePlan()
		change(p)
		if got, err := m.as(1001).Agreed(p); got != "sre2" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestThePlanChangesWhileItIsLookedAt(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.offer(1001, samplePlan())
	shown, err := m.as(1002).Read(id)
	if err != nil {
		t.Fatal(err)
	}
	p := samplePlan()
	p.Call.Revision = "r2"
	m.offer(1001, p)
	if err := m.as(1002).Agree(shown); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	// Another's file of the same words is another's plan.
	if shown, err = m.as(1002).Read(id); err != nil {
		t.Fatal(err)
	}
	m.owned("plan-"+id+".json", 1003)
	if err := m.as(1002).Agree(shown); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	m.wants(1001, p, "")
}

func TestOnesOwnAgreementNeverCounts(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := samplePlan()
	m.offer(1001, p)
	if err := m.agree(1001, id); !errors.Is(err, ErrOwn) {
		t.Errorf("one's own: %v", err)
	}
	if err := m.agree(0, id); err == nil {
		t.Error("root agreed")
	}
	s, err := m.as(1001).Read(id)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(name string, owner int, who journal.Who) {
		data, err := json.Marshal(agreement{Plan: id, Hash: s.Hash, Who: who, At: m.now})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(m.file(name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		m.owned(name, owner)
	}
	// However one writes the files, they are one's own.
	forge("plan-"+id+".agreed-1001", 1001, journal.Who{User: "sre1"})
	forge("plan-"+id+".agreed-1002", 1001, journal.Who{User: "sre2"})
	forge("plan-"+id+".agreed-0", 0, journal.Who{User: "root"})
	forge("plan-"+id+".agreed--5", 1003, journal.Who{User: "sre3"})
	forge("plan-"+id+".agreed-", 1003, journal.Who{User: "sre3"})
	forge("plan-"+id+".agreed-1003x", 1003, journal.Who{User: "sre3"})
	m.wants(1001, p, "")
	// Whoever became another by sudo is still who they are.
	forge("plan-"+id+".agreed-1003", 1003, journal.Who{User: "sre3", Sudo: "sre1"})
	m.wants(1001, p, "")
	forge("plan-"+id+".agreed-1003", 1003, journal.Who{User: "sre3", Sudo: "sre2"})
	m.wants(1001, p, "sre3")
	asOther := m.as(1003)
	asOther.who.Sudo = "sre1"
	if err := asOther.Agree(s); !errors.Is(err, ErrOwn) {
		t.Errorf("by sudo: %v", err)
	}
	// Nor does it help to ask by sudo and to agree as oneself.
	m = newMachine(t)
	asRoot := m.as(0)
	asRoot.who.Sudo = "sre2"
	if err := asRoot.Offer(p); err != nil {
		t.Fatal(err)
	}
	m.owned("plan-"+id+".json", 0)
	if err := m.agree(1002, id); !errors.Is(err, ErrOwn) {
		t.Errorf("asked by sudo: %v", err)
	}
	if err := m.agree(1003, id); err != nil {
		t.Error(err)
	}
	m.wants(0, p, "sre3")
}

func TestSamePerson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, aSudo, b, bSudo string
		want               bool
	}{
		{"sre1", "", "sre2", "", false}, {"sre1", "", "sre1", "", true}, {"root", "sre2", "sre2", "", true}, {"sre1", "", "deploy", "sre1", true},
		{"root", "sre1", "deploy", "sre1", true}, {"root", "sre1", "deploy", "sre2", false}, {"root", "sre1", "sre2", "", false},
	} {
		if got := samePerson(c.a, c.aSudo, c.b, c.bSudo); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

func TestAnOfferExpires(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := samplePlan()
	m.offer(1001, p)
	if err := m.agree(1002, id); err != nil {
		t.Fatal(err)
	}
	m.now = m.now.Add(Lasts)
	m.wants(1001, p, "sre2")
	if list, err := m.as(1002).List(); err != nil || len(list) != 1 {
		t.Errorf("listed: %v, %v", list, err)
	}
	m.now = m.now.Add(time.Second)
	m.wants(1001, p, "")
	if _, err := m.as(1002).Read(id); !errors.Is(err, ErrExpired) || !strings.Contains(err.Error(), "expired at 01:29:05 UTC: let it be proposed again") {
		t.Errorf("got %v", err)
	}
	if list, err := m.as(1002).List(); err != nil || len(list) != 0 {
		t.Errorf("listed: %v, %v", list, err)
	}
	if err := m.agree(1003, id); !errors.Is(err, ErrExpired) {
		t.Errorf("got %v", err)
	}
	// Offered anew it waits for a new agreement.
	m.offer(1001, p)
	m.wants(1001, p, "")
	if err := m.agree(1003, id); err != nil {
		t.Fatal(err)
	}
	m.wants(1001, p, "sre3")
	// A clock that was set back makes nothing valid that is not yet.
	m.now = m.now.Add(-time.Hour)
	m.wants(1001, p, "")
}

// A file that is not as it was written, or not a file of one owner, is as none.
func TestFilesThatProveNothing(t *testing.T) {
	t.Parallel()
	agreed := "plan-" + id + ".agreed-1002"
	replace := func(name string, with func([]byte) []byte) func(*machine) error {
		return func(m *machine) error {
			data, err := os.ReadFile(m.file(name))
			if err != nil {
				return err
			}
			return os.WriteFile(m.file(name), with(data), 0o644)
		}
	}
	moved := func(again func(from, to string) error) func(*machine) error {
		return func(m *machine) error {
			from := filepath.Join(m.t.TempDir(), agreed)
			return errors.Join(os.Rename(m.file(agreed), from), again(from, m.file(agreed)))
		}
	}
	for name, spoil := range map[string]func(*machine) error{
		"a symbolic link":  moved(os.Symlink),
		"a hard link":      moved(os.Link),
		"torn":             replace(agreed, func(b []byte) []byte { return b[:len(b)/2] }),
		"empty":            replace(agreed, func([]byte) []byte { return nil }),
		"too large":        replace(agreed, func(b []byte) []byte { return append(b, make([]byte, maxFile)...) }),
		"another hash":     replace(agreed, func(b []byte) []byte { return []byte(strings.Replace(string(b), `"hash":"`, `"hash":"0`, 1)) }),
		"another plan's":   replace(agreed, func(b []byte) []byte { return []byte(strings.Replace(string(b), id, "20261122-021405-ffff", 1)) }),
		"given too late":   replace(agreed, func(b []byte) []byte { return []byte(strings.Replace(string(b), `"at":"2026`, `"at":"2027`, 1)) }),
		"given before":     replace(agreed, func(b []byte) []byte { return []byte(strings.Replace(string(b), `"at":"2026`, `"at":"2025`, 1)) }),
		"writable by all":  func(m *machine) error { return os.Chmod(m.file(agreed), 0o666) },
		"writable by some": func(m *machine) error { return os.Chmod(m.file(agreed), 0o664) },
		"somebody else's":  func(m *machine) error { m.owned(agreed, 1003); return nil },
		"a pipe": func(m *machine) error {
			return errors.Join(os.Remove(m.file(agreed)), syscall.Mkfifo(m.file(agreed), 0o644))
		},
		"a directory":       func(m *machine) error { return errors.Join(os.Remove(m.file(agreed)), os.Mkdir(m.file(agreed), 0o700)) },
		"an offer, torn":    replace("plan-"+id+".json", func(b []byte) []byte { return b[:len(b)/2] }),
		"an offer, changed": replace("plan-"+id+".json", func(b []byte) []byte { return []byte(strings.Replace(string(b), "v1.9.1", "v1.9.0", 1)) }),
		"an offer, extended": replace("plan-"+id+".json", func(b []byte) []byte {
			return []byte(strings.Replace(string(b), `"until": "2026`, `"until": "2027`, 1))
		}),
		"an offer with more": replace("plan-"+id+".json", func(b []byte) []byte { return []byte(strings.Replace(string(b), `{`, `{"x": 1,`, 1)) }),
		"another's offer":    func(m *machine) error { m.owned("plan-"+id+".json", 1003); return nil },
		"an offer for all":   func(m *machine) error { return os.Chmod(m.file("plan-"+id+".json"), 0o666) },
		"an unsafe directory": func(m *machine) error {
			return os.Chmod(m.dir, 0o777)
		},
	} {
		m := newMachine(t)
		p := samplePlan()
		m.offer(1001, p)
		if err := m.agree(1002, id); err != nil {
			t.Fatal(err)
		}
		m.wants(1001, p, "sre2")
		if err := spoil(m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := m.as(1001).Agreed(p); got != "" || err == nil && name != "another's offer" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// One that proves nothing hides no other that does.
	m := newMachine(t)
	p := samplePlan()
	m.offer(1001, p)
	if err := errors.Join(m.agree(1002, id), m.agree(1003, id), os.Chmod(m.file(agreed), 0o666)); err != nil {
		t.Fatal(err)
	}
	m.wants(1001, p, "sre3")
}

// A sheet whose hash is right and whose words are not can still not be offered for longer.
func TestAnOfferForLongerThanAnythingMayBe(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	s := sheetOf(samplePlan(), journal.Who{User: "sre1"}, m.now)
	s.Until = s.Offered.Add(time.Hour)
	s.Hash = s.hash()
	for name, want := range map[string]string{"plan-" + id + ".json": "for longer than anything may be", "plan-other.json": "it is another plan's"} {
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(m.file(name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		m.owned(name, 1001)
		_, err = m.as(1002).Read(strings.TrimSuffix(strings.TrimPrefix(name, "plan-"), ".json"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithoutAPlace(t *testing.T) {
	t.Parallel()
	p := New("", journal.Who{User: "sre1"}, time.Now)
	for name, err := range map[string]error{
		"ready": p.Ready(), "offer": p.Offer(samplePlan()), "withdraw": p.Withdraw(id), "agree": p.Agree(Sheet{Plan: id}),
		"agreed": func() error { _, err := p.Agreed(samplePlan()); return err }(), "list": func() error { _, err := p.List(); return err }(), "read": func() error { _, err := p.Read(id); return err }(),
	} {
		if !errors.Is(err, ErrUnconfigured) || !strings.Contains(err.Error(), "set shared_dir:") {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := newMachine(t)
	for _, bad := range []string{"", "../x", "a/b", "a.b", ".", strings.Repeat("a", 65), "a\x00", "-a", "plan id"} {
		if _, err := m.as(1002).Read(bad); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := m.as(1002).Read(id); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "no plan "+id+" is offered") {
		t.Errorf("got %v", err)
	}
	if err := os.Chmod(m.dir, 0o770|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	err := m.as(1001).Offer(samplePlan())
	if e, ok := errors.AsType[*place.Error](err); !ok || !strings.Contains(err.Error(), e.Fix) {
		t.Errorf("a directory without its sticky bit: %v", err)
	}
}

func TestListAndSweep(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	first, second := samplePlan(), samplePlan()
	first.ID, second.ID = "first", "second"
	m.offer(1001, first)
	m.now = m.now.Add(time.Minute)
	m.offer(1002, second)
	for _, name := range []string{"plan-torn.json", "plan-.json", "other.txt", "action-1.lock", "plan-x.agreed-1001", ".plan-123"} {
		if err := os.WriteFile(m.file(name), []byte("{"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m.owned("plan-torn.json", 1003)
	list, err := m.as(1003).List()
	if err != nil || len(list) != 2 || list[0].Plan != "second" || list[0].Owner.Name != "sre2" || list[1].Plan != "first" {
		t.Fatalf("got %+v, %v", list, err)
	}
	// The clock of the files is the system's.
	m.now = time.Now().Add(keeps + time.Hour)
	third := samplePlan()
	third.ID = "third"
	m.owned("plan-x.agreed-1001", 1001)
	m.owned(".plan-123", 1001)
	m.offer(1001, third)
	var left []string
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	// plan-.json, which is of no known owner, counts as one's own here.
	if want := []string{"action-1.lock", "other.txt", "plan-second.json", "plan-third.json", "plan-torn.json"}; !reflect.DeepEqual(left, want) {
		t.Errorf("left %q", left)
	}
}

// A directory that cannot be written refuses, and says so.
func TestWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := m.as(1001)
	p.sys.check = func(string) error { return nil }
	p.dir = filepath.Join(m.dir, "gone")
	if err := p.Offer(samplePlan()); err == nil || !strings.Contains(err.Error(), "the plan cannot be offered to a second person: see that you are in the group of") {
		t.Errorf("got %v", err)
	}
	if _, err := p.List(); err == nil {
		t.Error("listed")
	}
	if got, err := p.Agreed(samplePlan()); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
