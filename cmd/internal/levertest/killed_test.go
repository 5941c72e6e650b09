package levertest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/sourcetest"
)

// task is what a process of its own is to do, and when it is to die.
type task struct {
	Source, Base, Token, Dir, Control string
	Now                               time.Time
	Services                          []sources.ServiceSpec
	Service                           action.Service
	Always                            *uint8 // a policy.Verdict, as a number
	Request                           action.Request
	Point                             string // "": it lives
}

// The points at which a process is killed.
const (
	atBirth    = "before the intent is written"
	atTornBook = "in the middle of writing the intent"
	atIntent   = "once the intent is written"
	atArrival  = "once the request has arrived"
	atTornTold = "in the middle of writing the answer"
	atAnswer   = "once the answer is written"
	atLook     = "while it is looked at"
	atNearEnd  = "before the end is written"
	atEnd      = "once the end is written"
	atHold     = "holds, with the answer written" // is killed by who has started it
)

func pointsOfDeath() []string {
	return []string{atBirth, atTornBook, atIntent, atArrival, atTornTold, atAnswer, atLook, atNearEnd, atEnd}
}

// sent reports that the request has had its effect when a process dies at a point.
func sentAt(point string) bool { return point != atBirth && point != atTornBook && point != atIntent }

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// dying is a journal whose process dies at its time.
type dying struct {
	*journal.Journal

	point string
}

func (d dying) Append(ctx context.Context, r journal.Record) (journal.Record, error) {
	tear := func() {
		f, err := os.OpenFile(d.Path(), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil { // the very first record
			f, err = os.OpenFile(d.Path(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		}
		if err != nil {
			panic(err)
		}
		_, _ = f.WriteString(`{"seq":1,"at":"2026-11-17T02:14`)
		die()
	}
	final := r.Stage.Final()
	switch {
	case d.point == atBirth && r.Stage == journal.Intended, d.point == atNearEnd && final:
		die()
	case d.point == atTornBook && r.Stage == journal.Intended, d.point == atTornTold && r.Stage == journal.Answered:
		tear()
	}
	out, err := d.Journal.Append(ctx, r)
	switch {
	case d.point == atIntent && r.Stage == journal.Intended, d.point == atAnswer && r.Stage == journal.Answered, d.point == atEnd && final:
		die()
	case d.point == atHold && r.Stage == journal.Answered:
		fmt.Println("holding") // to the process that started this one
		select {}
	}
	return out, err
}

// courier carries requests over the network, and dies at its time.
type courier struct {
	net     http.RoundTripper
	point   string
	control string // moves the world's clock; with the token before a space
	sent    bool
}

func (c *courier) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.sent {
		if c.point == atLook {
			die()
		}
		token, address, _ := strings.Cut(c.control, " ")
		ask, err := http.NewRequestWithContext(r.Context(), http.MethodPost, address+"/-/advance?d=20s", http.NoBody)
		if err != nil {
			return nil, err
		}
		ask.Header.Set("Authorization", "Bearer "+token)
		res, err := c.net.RoundTrip(ask)
		if err != nil {
			return nil, err
		}
		_ = res.Body.Close()
	}
	res, err := c.net.RoundTrip(r)
	if mayWrite(r) {
		if c.sent = true; c.point == atArrival {
			die()
		}
	}
	return res, err
}

const childOf = "LEVERTEST_TASK"

// TestChild is what the processes run that are killed.
func TestChild(t *testing.T) {
	file := os.Getenv(childOf)
	if file == "" {
		t.Skip("it lacks $" + childOf + ": the tests that kill set it, in a process that they start")
	}
	var k task
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	if err != nil {
		t.Fatal(err)
	}
	o := rigging{
		source: k.Source, link: &link{still: k.Now}, token: k.Token, base: k.Base, dir: k.Dir,
		via:  &courier{net: &http.Transport{}, point: k.Point, control: k.Control},
		book: func(j *journal.Journal) action.Book { return dying{j, k.Point} },
	}
	if k.Always != nil {
		o.judge = always(*k.Always)
	}
	r := newRig(t, o)
	r.service = k.Service
	if len(k.Services) > 0 {
		r.observe(t, k.Services...)
	}
	p, err := r.Propose(t.Context(), k.Request)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".plan", []byte(p.ID), 0o600); err != nil {
		t.Fatal(err)
	}
	out := r.Execute(t.Context(), p, approve(&p))
	t.Fatalf("it lives, and has done %+v", out)
}

// orphan starts a process on a deed, and returns what it was told and the plan that it made.
func orphan(t *testing.T, v *verb, e *earth, d *deed, dir, point string) (cmd *exec.Cmd, out *bufio.Reader, k task, plan func() string) {
	t.Helper()
	k = task{
		Source: v.source, Base: e.URL(), Token: e.token, Dir: dir, Control: e.Token() + " " + e.URL(), Now: e.Now(), Services: d.services, Service: d.service, Point: point,
	}
	if a, ok := d.judge.(always); ok {
		verdict := uint8(a)
		k.Always = &verdict
	}
	synctest.Test(t, func(t *testing.T) { k.Request = d.ask(t, rigOn(t, v, e, d, t.TempDir())) })
	file := filepath.Join(t.TempDir(), "task.json")
	data, err := json.Marshal(k)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	e.ResetRequests()
	cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.v")
	cmd.Env = append(os.Environ(), childOf+"="+file)
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewReader(pipe), k, func() string {
		id, err := os.ReadFile(file + ".plan")
		if err != nil {
			t.Fatal(err)
		}
		return string(id)
	}
}

// wasKilled waits for a process, which must have been killed.
func wasKilled(t *testing.T, cmd *exec.Cmd, out io.Reader) {
	t.Helper()
	said, _ := io.ReadAll(out)
	err := cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatalf("it was not killed: %v\n%s", err, said)
	}
	if s, ok := exit.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Fatalf("it ended otherwise: %v\n%s", err, said)
	}
}

// mortals are verbs of every source and of every way to look at their effect.
func mortals(t testing.TB) []verb {
	t.Helper()
	var out []verb
	for _, v := range slices.Concat(pagerDutyVerbs(), datadogVerbs(), runVerbs(), changeVerbs()) {
		switch v.name {
		case "pagerduty ack", "pagerduty note", "datadog mute", "datadog page ack", "datadog event", "github reject", "github promote by workflow":
			out = append(out, v)
		}
	}
	return out
}

// TestKilledAtEveryStage kills a process with SIGKILL at each stage of an action. Whoever starts next finds out
// what became of it, by looking alone, and writes down the truth.
//
// Nothing runs beside it: a process that is just being forked holds for a moment every lock of this one, and in a
// bubble nobody has the patience for that.
func TestKilledAtEveryStage(t *testing.T) {
	deaths := 0
	for n, v := range mortals(t) {
		var list []string
		for i, point := range pointsOfDeath() {
			if (!sourcetest.Slowed || (i+n)%3 == 0) && (point != atLook || !v.blind) {
				list = append(list, point)
			}
		}
		deaths += len(list)
		t.Run(v.name, func(t *testing.T) {
			e := newEarth(t)
			for _, point := range list {
				t.Run(point, func(t *testing.T) { killedAt(t, &v, e, point) })
			}
		})
	}
	t.Logf("killed %d times", deaths)
}

func killedAt(t *testing.T, v *verb, e *earth, point string) {
	d := v.deed(t, e)
	dir := t.TempDir()
	cmd, out, _, plan := orphan(t, v, e, &d, dir, point)
	wasKilled(t, cmd, out)
	applied := e.applied()
	if (applied == 1) != sentAt(point) || applied > 1 {
		t.Fatalf("%d effects when it died", applied)
	}
	synctest.Test(t, func(t *testing.T) {
		r := rigOn(t, v, e, &d, dir)
		settled, err := r.Settle(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		stages := r.stages(t, plan())
		text := fmt.Sprintf("recorded %q, settled %+v", stages, settled)
		if sent := r.link.sent(); len(sent) != 0 || e.applied() != applied {
			t.Errorf("settling has sent %q: %s", sent, text)
		}
		begun := point != atBirth && point != atTornBook
		switch {
		case !begun && (len(stages) != 0 || len(settled) != 0):
			t.Errorf("nothing was begun: %s", text)
		case begun && point != atEnd && len(settled) != 1, point == atEnd && len(settled) != 0:
			t.Errorf("settled is what was open, and nothing else: %s", text)
		}
		if begun {
			truthful(t, v, r, plan(), applied, point != atEnd, text)
		}
		if again, err := r.Settle(context.Background()); err != nil || len(again) != 0 {
			t.Errorf("settled twice: %+v, %v", again, err)
		}
		// The lock is free, and who takes it learns of no crash that is not settled.
		fresh, err := r.Propose(context.Background(), d.ask(t, r))
		if err != nil && applied == 0 {
			t.Errorf("it cannot be planned again: %v", err)
		}
		if err == nil && applied == 0 {
			x := r.Execute(context.Background(), fresh, approve(&fresh))
			if want := map[bool]action.State{false: action.Done, true: action.Unverified}[v.blind]; x.State != want || e.applied() != 1 {
				t.Errorf("afterwards it is %+v, with %d effects", x, e.applied())
			}
		}
		if report, err := r.journal.Verify(); err != nil || len(report.Problems) > 0 {
			t.Errorf("the journal: %+v, %v", report, err)
		}
	})
}

// truthful holds that the journal ends with what is so.
func truthful(t *testing.T, v *verb, r *rig, plan string, applied int, settled bool, text string) {
	t.Helper()
	stages := r.stages(t, plan)
	want := journal.Given
	if applied > 0 && !v.blind {
		want = journal.Verified
	}
	if last := stages[len(stages)-1]; last != want {
		t.Errorf("the end is %q: %s", last, text)
	}
	for rec, err := range r.journal.Records() {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Plan != plan || !rec.Stage.Final() {
			continue
		}
		told := rec.Outcome.String()
		if settled != strings.HasPrefix(told, "left open, and settled: ") || rubbish.MatchString(told) {
			t.Errorf("the end says %q: %s", told, text)
		}
		if settled && applied == 0 && !v.blind && !strings.Contains(told, "it shows no effect") {
			t.Errorf("the end says %q, and nothing was sent: %s", told, text)
		}
	}
}

// TestTheLivingAreLeftAlone holds that nobody settles, or acts on, what a process that lives is at; and that once
// it has died whoever acts there next settles it first.
func TestTheLivingAreLeftAlone(t *testing.T) {
	v := mortals(t)[0]
	e := newEarth(t)
	d := v.deed(t, e)
	dir := t.TempDir()
	cmd, out, k, plan := orphan(t, &v, e, &d, dir, atHold)
	for {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(line) == "holding" {
			break
		}
	}
	noted := func(t *testing.T, r *rig) (action.Plan, action.Outcome) {
		p, err := r.Propose(context.Background(), action.Request{Verb: sources.AddNote, Target: k.Request.Target, Text: "what is it?"})
		if err != nil {
			t.Fatal(err)
		}
		return p, r.Execute(context.Background(), p, approve(&p))
	}
	synctest.Test(t, func(t *testing.T) {
		r := rigOn(t, &v, e, &d, dir)
		if settled, err := r.Settle(context.Background()); err != nil || len(settled) != 0 {
			t.Errorf("what somebody is at was settled: %+v, %v", settled, err)
		}
		_, x := noted(t, r)
		if x.State != action.Refused || !strings.Contains(x.Text.String(), "under way") || len(r.link.sent()) != 0 {
			t.Errorf("meanwhile: %+v, sent %q", x, r.link.sent())
		}
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wasKilled(t, cmd, out)
	synctest.Test(t, func(t *testing.T) {
		r := rigOn(t, &v, e, &d, dir)
		p, x := noted(t, r)
		if x.State != action.Done || len(r.link.sent()) != 1 {
			t.Errorf("afterwards: %+v, sent %q", x, r.link.sent())
		}
		var order []string
		for rec, err := range r.journal.Records() {
			if err != nil {
				t.Fatal(err)
			}
			if rec.Stage == journal.Verified || rec.Stage == journal.Intended && rec.Plan == p.ID {
				order = append(order, rec.Plan)
			}
		}
		if want := []string{plan(), p.ID, p.ID}; !slices.Equal(order, want) {
			t.Errorf("what was open was not settled first: %q, want %q", order, want)
		}
	})
}
