package levertest

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/sourcetest"
)

// rubbish is what a person must not be told: Go's own words, memory, markup.
var rubbish = regexp.MustCompile(`json:|invalid character|unexpected end of JSON|Unmarshal|0x[0-9a-f]|&\{|<html|\bEOF\b|net/http:|dial tcp|context deadline|^\s*$`)

// point is where something goes wrong.
type point struct {
	name   string
	at     phase
	always bool // each request of the phase, else the first
}

func points() []point {
	return []point{
		{"first read before", before, false}, {"every read before", before, true}, {"write", writing, true},
		{"first look after", after, false}, {"every look after", after, true},
	}
}

func (p point) strikes(i ill) func(phase, int, *http.Request) *ill {
	return func(at phase, nth int, _ *http.Request) *ill {
		if at != p.at || nth > 0 && !p.always {
			return nil
		}
		return &i
	}
}

// cell is one verb with something that goes wrong with it, and perhaps with the look after it.
type cell struct {
	verb  verb
	name  string
	write ill // what happens to the write; the zero ill: nothing
	look  func(phase, int, *http.Request) *ill
	reads bool // what is read before goes wrong
	blind bool // nothing can be seen after
}

// ofReads are the ills that tell kinds of reads apart.
var ofReads = []string{"not connected", "hang", "hang in the body", "truncated JSON", "wrong types", "an error in a 200", "403", "404", "429", "500", "HTML 200"}

func cellsOf(v verb) []cell {
	var out []cell
	for _, i := range ills() {
		for _, p := range points() {
			if p.at != writing && !slices.Contains(ofReads, i.name) {
				continue
			}
			c := cell{verb: v, name: v.name + "/" + p.name + "/" + i.name, look: p.strikes(i), reads: p.at == before, blind: p.at == after && p.always}
			if p.at == writing {
				c.write = i
			}
			out = append(out, c)
		}
	}
	// What cannot be known, and cannot be looked at either.
	for _, name := range []string{"request lost", "answer lost", "hang", "applied, then hang"} {
		for _, blind := range []string{"500", "403", "hang", "not connected"} {
			out = append(out, cell{verb: v, name: v.name + "/write/" + name + "/every look after/" + blind, write: ill{name: name}, blind: true})
		}
	}
	return out
}

// ran is what a cell has come to.
type ran struct {
	*rig
	plan     action.Plan
	out      action.Outcome
	intended bool // it was in the journal when the write left
}

// carryOut plans and executes a deed in a bubble while something goes wrong.
func carryOut(t *testing.T, v *verb, e *earth, d *deed, dir string, strikes func(phase, int, *http.Request) *ill) *ran {
	r := rigOn(t, v, e, d, dir)
	x := &ran{rig: r}
	q := d.ask(t, r)
	p, err := r.Propose(context.Background(), q)
	if err != nil {
		t.Fatalf("propose: %v", err)
	}
	if n := len(r.link.sent()); n != 0 {
		t.Fatalf("a plan was made by writing: %q", r.link.sent())
	}
	if p.Demand.Kind == action.Refusal || p.Changed {
		t.Fatalf("demands %+v, changed %t: %+v", p.Demand, p.Changed, p.Gates)
	}
	if v.within > 0 {
		p.Deadline = min(p.Deadline, v.within)
	}
	r.link.onWrite = func(*http.Request) {
		x.intended = slices.Equal(r.stages(t, p.ID), []journal.Stage{journal.Intended})
	}
	r.link.enter(before, strikes)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	x.plan, x.out = p, r.Execute(ctx, p, approve(&p))
	return x
}

func rigOn(t testing.TB, v *verb, e *earth, d *deed, dir string) *rig {
	t.Helper()
	l := newLink(e, max(1, v.speed))
	if v.source == "alertmanager" {
		l.handler, l.sim = &e.alerts, nil
		e.alerts.reset()
	}
	r := newRig(t, rigging{source: v.source, link: l, token: e.token, base: e.URL(), dir: dir, judge: d.judge})
	r.service = d.service
	if len(d.services) > 0 {
		r.observe(t, d.services...)
	}
	return r
}

func (c *cell) strikes(t testing.TB) func(phase, int, *http.Request) *ill {
	if c.look != nil {
		return c.look
	}
	parts := strings.Split(c.name, "/")
	write, look := theIll(t, c.write.name), theIll(t, parts[len(parts)-1])
	return func(at phase, _ int, _ *http.Request) *ill {
		switch at {
		case writing:
			return &write
		case after:
			return &look
		case planning, before:
		}
		return nil
	}
}

// check holds what must be true whatever goes wrong.
func (c *cell) check(t *testing.T, e *earth, d *deed, x *ran) {
	t.Helper()
	sent, applied := x.link.sent(), e.applied()
	stages := x.stages(t, x.plan.ID)
	text := fmt.Sprintf("%s %q, fix %q; sent %q, applied %d, recorded %q", x.out.State, x.out.Text, x.out.Fix, sent, applied, stages)
	if len(sent) > 1 || applied > 1 {
		t.Errorf("more than one effect: %s", text)
	}
	if len(sent) > 0 && !x.intended {
		t.Errorf("a request without a record before it: %s", text)
	}
	shows := applied > 0 && d.shows(t, &x.plan)
	verified := slices.Contains(stages, journal.Verified)
	if (x.out.State == action.Done || verified) && !shows {
		t.Errorf("done, and the world does not show it: %s", text)
	}
	if (x.out.State == action.Done) != verified {
		t.Errorf("the outcome and the journal disagree: %s", text)
	}
	switch x.out.State {
	case action.Refused, action.Stale:
		if len(sent) != 0 {
			t.Errorf("refused, and sent: %s", text)
		}
	case action.Failed:
		if applied != 0 && (shows || !slices.Contains(stages, journal.Superseded)) {
			t.Errorf("failed, and it had its effect: %s", text)
		}
	case action.Unknown, action.Unverified, action.Done:
		if len(sent) == 0 {
			t.Errorf("nothing was sent: %s", text)
		}
	}
	c.words(t, x, text)
	c.expects(t, x, text, applied, shows)
	c.closes(t, x, text)
}

// words hold that what is said is said to people, and true.
func (c *cell) words(t *testing.T, x *ran, text string) {
	t.Helper()
	told := x.out.Text.String()
	if rubbish.MatchString(told) || rubbish.MatchString(x.out.Fix.String()+"x") {
		t.Errorf("no words for people: %s", text)
	}
	if x.out.State != action.Done && x.out.State != action.Unverified && x.out.Fix.IsZero() {
		t.Errorf("it does not say what to do: %s", text)
	}
	lost := slices.Contains(x.stages(t, x.plan.ID), journal.Unknown)
	if lost && x.out.State == action.Unverified {
		t.Errorf("an answer that was lost is not known to have arrived: %s", text)
	}
	if strings.Contains(told, "the provider took it") && lost {
		t.Errorf("it says that it was taken, and that is not known: %s", text)
	}
	if x.out.Unrecorded {
		t.Errorf("it says that it is not recorded: %s", text)
	}
}

// expects holds that each kind of failure comes to what it is.
func (c *cell) expects(t *testing.T, x *ran, text string, applied int, shows bool) {
	t.Helper()
	switch {
	case c.reads || c.write.name == "":
	case c.look != nil && !c.write.sent:
		if x.out.State != action.Failed && (x.out.State != action.Unknown || !c.write.either) || applied != 0 {
			t.Errorf("a refusal is no refusal: %s", text)
		}
	case c.look != nil && c.write.applied != (applied > 0):
		t.Errorf("%q applied %d: %s", c.write.name, applied, text)
	case c.look != nil && !c.write.applied && x.out.State != action.Unknown && x.out.State != action.Failed:
		t.Errorf("what is not known is said to be: %s", text)
	}
	if c.blind || c.verb.blind {
		if x.out.State == action.Done && c.verb.blind {
			t.Errorf("it cannot be seen: %s", text)
		}
		return
	}
	// In the world other people change versions too: what they have replaced is not to be seen any more.
	if (shows || applied > 0 && !c.verb.worn) && x.out.State != action.Done {
		t.Errorf("it took effect, and that was to be seen: %s", text)
	}
}

// closes hold that nothing is left behind: the journal is whole and settled, and the lock is free.
func (c *cell) closes(t *testing.T, x *ran, text string) {
	t.Helper()
	if r, err := x.journal.Verify(); err != nil || len(r.Problems) > 0 {
		t.Errorf("the journal: %+v, %v", r, err)
	}
	open, err := x.journal.Open()
	if err != nil || len(open) > 0 {
		t.Errorf("left open, %v: %s", err, text)
	}
	final := 0
	for _, s := range x.stages(t, x.plan.ID) {
		if s.Final() {
			final++
		}
	}
	if final != 1 {
		t.Errorf("%d ends: %s", final, text)
	}
}

// TestFaultMatrix lets everything go wrong at every step of every verb, with the real drivers.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	cells, verbs := 0, 0
	for _, lane := range [][]verb{pagerDutyVerbs(), datadogVerbs(), runVerbs(), changeVerbs(), alertmanagerVerbs()} {
		for _, v := range lane {
			all := sample(cellsOf(v), verbs)
			cells, verbs = cells+len(all), verbs+1
			t.Run(v.name, func(t *testing.T) {
				t.Parallel()
				runCells(t, all)
			})
		}
	}
	t.Logf("fault matrix: %d cells of %d verbs", cells, verbs)
}

// sample takes some of the cells where the race detector makes all of them too slow: other ones for each verb, so
// that every kind of cell is met by some.
func sample(all []cell, offset int) []cell {
	if !sourcetest.Slowed {
		return all
	}
	every := 9
	if all[0].verb.worn {
		every = 29 // each takes minutes of a world in which much goes on
	}
	var out []cell
	for i := offset % every; i < len(all); i += every {
		out = append(out, all[i])
	}
	return out
}

// Worlds wear out: by what runs in them, and by what their providers allow in an hour.
const (
	mostUsed = 40 // cells of one world
	mostWorn = 12 // where versions change
)

func runCells(t *testing.T, all []cell) {
	var e *earth
	used := 0
	for i := range all {
		c := &all[i]
		if e == nil || used >= mostUsed || c.verb.worn && used >= mostWorn {
			e, used = newEarth(t), 0
		}
		used++
		t.Run(strings.TrimPrefix(c.name, c.verb.name+"/"), func(t *testing.T) {
			d := c.verb.deed(t, e)
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				e.ResetRequests()
				x := carryOut(t, &c.verb, e, &d, dir, c.strikes(t))
				c.check(t, e, &d, x)
			})
		})
	}
}
