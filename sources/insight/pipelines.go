package insight

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// How long a finished run of something else than the default branch or a tag stays listed.
const (
	keepPassed = 24 * time.Hour
	keepFailed = 3 * 24 * time.Hour
)

// Pipeline is one line of the pipelines: the newest run of one workflow, for one service, on one branch.
type Pipeline struct {
	Run     *sources.Run
	Feed    int    // the index of its feed in the snapshot
	Service string // the service that it is listed under, else its repository
	Others  int    // how many further services it touched
	Older   int    // older runs that this line stands for
	// Late is by how much a schedule missed its usual time, or a scheduled run its usual end; 0 when
	// it did not.
	Late time.Duration
}

// Open reports whether the line is among the first: it moves, waits, failed or is late.
func (p *Pipeline) Open() bool {
	return !p.Run.State.Done() || p.Run.State == sources.StateFailed || p.Late > 0
}

// Pipelines are the lines of the pipelines in their order, and how many there are of each kind.
type Pipelines struct {
	Rows   []Pipeline
	Counts Counts
}

// Counts counts lines by what they say. A line is counted once.
type Counts struct {
	Running, Queued, Waiting, Failed, Passed, Other int
	Stuck                                           int // queued without a runner; also counted in Queued
	Mine                                            int // waiting for me; also counted in Waiting
}

// DerivePipelines lists the pipelines of s.
//
// Which: the newest run of every workflow on the default branch and of its tags; runs that deploy; mine,
// also on other branches and pull requests; merge queue runs until they passed. Schedules only when they
// failed, wait for a person or are late. Other people's branches, pull requests and forks only under All.
// What finished off the default branch leaves after a day, failures after three. Newer runs of one line
// fold older ones, except that a deploying or waiting run is never folded while it is not done: it may
// be what holds the queue. A skipped run folds nothing: it says nothing of the code.
//
// Order: first the open lines (live, waiting, failed, late), then the quiet ones; within each by the
// time at which the run was created, newest first, then by Ref. A line therefore moves for two reasons only:
// a newer run takes its place, or it opens or closes. Progress, a failing or a re-run one never moves it.
func DerivePipelines(s *store.Snapshot, v View, now time.Time) Pipelines {
	d := pipelineDeriver{index: indexOf(s.Catalog), view: v, now: now, lines: map[lineKey]*line{}}
	for i := range s.Feeds {
		for j := range s.Feeds[i].Runs {
			d.add(i, &s.Feeds[i].Runs[j])
		}
	}
	rows := d.rows()
	slices.SortFunc(rows, byUrgency)
	return Pipelines{Rows: rows, Counts: count(rows)}
}

func byUrgency(a, b Pipeline) int {
	if ao, bo := a.Open(), b.Open(); ao != bo {
		if ao {
			return -1
		}
		return 1
	}
	return cmp.Or(b.Run.Created.Compare(a.Run.Created), compareRefs(a.Run.Ref, b.Run.Ref))
}

func compareRefs(a, b sources.Ref) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(string(a.Kind), string(b.Kind)),
		strings.Compare(a.Scope, b.Scope), strings.Compare(a.ID, b.ID))
}

// lineKey tells lines apart. A tag is superseded by the next one, so all tags of a workflow are one line;
// a schedule is a line of its own beside the pushes of its branch.
type lineKey struct {
	source, scope, service, workflow, branch string
	kind                                     sources.RefKind
	pull                                     int
	schedule                                 bool
}

type line struct {
	head      Pipeline
	unfolded  []Pipeline  // older ones that are shown all the same
	scheduled []time.Time // when its runs were created, when it is a schedule
}

type pipelineDeriver struct {
	index index
	view  View
	now   time.Time
	lines map[lineKey]*line
	order []*line // in the order of the snapshot: maps have none
}

func (d *pipelineDeriver) add(feed int, r *sources.Run) {
	name, claimed := d.index.of(r)
	if !d.narrowed(r, name, claimed) {
		return
	}
	k := lineKeyOf(r, name)
	p := Pipeline{Run: r, Feed: feed, Service: name, Others: max(0, len(r.Services)-1)}
	l := d.lines[k]
	if l == nil {
		l = &line{head: p}
		d.lines[k] = l
		d.order = append(d.order, l)
	} else {
		older := p
		if newer(r, l.head.Run) {
			older, p.Older = l.head, l.head.Older
			l.head = p
		}
		l.head.Older++
		if d.staysOpen(older.Run) {
			older.Older = 0
			l.unfolded = append(l.unfolded, older)
		}
	}
	if k.schedule {
		l.scheduled = append(l.scheduled, r.Created)
	}
}

func lineKeyOf(r *sources.Run, service string) lineKey {
	k := lineKey{source: r.Ref.Source, scope: r.Ref.Scope, service: service, workflow: r.Path, kind: r.RefKind,
		schedule: r.Event == "schedule"}
	if k.workflow == "" {
		k.workflow = r.Workflow.String()
	}
	switch r.RefKind {
	case sources.RefPull, sources.RefQueue:
		k.pull = r.Pull
	case sources.RefBranch:
		k.branch = r.Branch.String()
	case sources.RefTag:
	}
	return k
}

// newer reports whether a takes b's place at the head of their line.
func newer(a, b *sources.Run) bool {
	as, bs := a.State == sources.StateSkipped, b.State == sources.StateSkipped
	if as != bs {
		return bs
	}
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Number, b.Number), compareRefs(a.Ref, b.Ref)) > 0
}

// staysOpen reports whether r is shown although a newer run of its line is.
func (d *pipelineDeriver) staysOpen(r *sources.Run) bool {
	if r.Ref == d.view.Keep {
		return true
	}
	return r.State == sources.StateWaiting || r.Deploys && !r.State.Done()
}

// narrowed reports whether the view admits r at all.
func (d *pipelineDeriver) narrowed(r *sources.Run, name string, claimed bool) bool {
	if d.view.Follow != "" && !touches(r, name, d.view.Follow) {
		return false
	}
	switch d.view.Whose {
	case Mine:
		return r.Mine || ForMe(r)
	case Team:
		return claimed || r.Mine || ForMe(r)
	default:
		return true
	}
}

// ForMe reports whether r waits for something that I may approve.
func ForMe(r *sources.Run) bool {
	return r.State == sources.StateWaiting && slices.ContainsFunc(r.Gates, func(g sources.Gate) bool { return g.CanApprove })
}

func (d *pipelineDeriver) rows() []Pipeline {
	rows := make([]Pipeline, 0, len(d.order))
	for _, l := range d.order {
		l.head.Late = d.late(l)
		if d.listed(&l.head) {
			rows = append(rows, l.head)
		}
		for i := range l.unfolded {
			// An unfolded run may have been overtaken by the head and is listed by the same rules.
			if p := &l.unfolded[i]; p.Run != l.head.Run && d.listed(p) {
				rows = append(rows, *p)
			}
		}
	}
	return rows
}

// listed applies the rules of which runs are shown.
func (d *pipelineDeriver) listed(p *Pipeline) bool {
	r := p.Run
	if r.Ref == d.view.Keep {
		return true
	}
	live := !r.State.Done()
	if r.Event == "schedule" {
		return p.Late > 0 || r.State == sources.StateFailed || r.State == sources.StateWaiting || r.Deploys && live
	}
	if r.RefKind == sources.RefTag || r.RefKind == sources.RefBranch && r.Default {
		return true
	}
	others := r.RefKind == sources.RefQueue || r.Deploys || r.Mine || ForMe(r) || d.view.Whose == All
	if !others || r.RefKind == sources.RefQueue && r.State == sources.StatePassed {
		return false
	}
	switch end := cmp.Or(r.Ended, r.Created); {
	case live:
		return true
	case r.State == sources.StateFailed:
		return age(d.now, end) < keepFailed
	default:
		return age(d.now, end) < keepPassed
	}
}

// late is how late a schedule is. A schedule that started at least three times has a usual gap, the
// median of its gaps: it is late when half a gap more than that has passed since its last start. A scheduled run
// is late when it runs for more than twice the time that it is expected to.
func (d *pipelineDeriver) late(l *line) time.Duration {
	r := l.head.Run
	if r.Event != "schedule" {
		return 0
	}
	if r.State == sources.StateRunning && r.Expected > 0 {
		if over := age(d.now, cmp.Or(r.Started, r.Created)) - 2*r.Expected; over > 0 {
			return over + r.Expected
		}
	}
	if len(l.scheduled) < 3 {
		return 0
	}
	slices.SortFunc(l.scheduled, time.Time.Compare)
	gaps := make([]time.Duration, 0, len(l.scheduled)-1)
	for i := 1; i < len(l.scheduled); i++ {
		gaps = append(gaps, l.scheduled[i].Sub(l.scheduled[i-1]))
	}
	slices.Sort(gaps)
	usual := gaps[len(gaps)/2]
	if since := age(d.now, l.scheduled[len(l.scheduled)-1]); usual > 0 && since > usual+usual/2 {
		return since - usual
	}
	return 0
}

func count(rows []Pipeline) Counts {
	var c Counts
	for i := range rows {
		switch r := rows[i].Run; r.State {
		case sources.StateRunning:
			c.Running++
		case sources.StateQueued:
			c.Queued++
			if len(r.NoRunner) > 0 {
				c.Stuck++
			}
		case sources.StateWaiting:
			c.Waiting++
			if ForMe(r) {
				c.Mine++
			}
		case sources.StateFailed:
			c.Failed++
		case sources.StatePassed:
			c.Passed++
		case sources.StateUnknown, sources.StateCancelled, sources.StateSkipped, sources.StateSuperseded:
			c.Other++
		}
	}
	return c
}

// Matches reports whether every word of the filter occurs, in whatever case, in the line's service,
// workflow, branch, commit or actor. words are lower case.
func (p *Pipeline) Matches(words []string) bool {
	r := p.Run
	fields := [...]string{p.Service, r.Workflow.String(), r.Branch.String(), r.Commit.Title.String(),
		r.Title.String(), r.Commit.Author.String(), r.Actor.String(), r.Commit.SHA, r.State.String(), pullName(r)}
	return matchAll(fields[:], words)
}

func pullName(r *sources.Run) string {
	if r.Pull == 0 {
		return ""
	}
	return PullName(r).String()
}

// PullName is how a run of a pull request or a merge queue is named: "#418", "queue #418".
func PullName(r *sources.Run) clean.Text {
	n := "#" + itoa(r.Pull)
	if r.RefKind == sources.RefQueue {
		n = "queue " + n
	}
	return clean.Line(n)
}
