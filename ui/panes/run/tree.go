package run

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// kind says what a node of the tree is.
type kind uint8

const (
	attempt kind = iota // an older attempt of the run
	caller              // a job that calls a reusable workflow
	matrix              // the legs of one job
	job
	step
	rest  // the legs of a matrix that have nothing to say
	quote // a line of the log
)

// node is one line of the tree. Its key is its path: it stays the same as jobs progress.
type node struct {
	kind     kind
	key      string
	name     clean.Text
	state    sources.State
	job      *sources.Job  // of a job, a step or a quote
	step     *sources.Step //
	children []*node
	failed   int // legs or jobs below that failed …
	leaves   int // … of so many
	began    time.Time
	ended    time.Time // zero while anything below runs
	text     sources.LogLine
}

// grow makes the tree of the jobs: callers, matrices and jobs in the provider's order, legs worst first,
// older attempts last.
func grow(jobs []sources.Job) []*node {
	newest := 0
	for i := range jobs {
		newest = max(newest, jobs[i].Attempt)
	}
	top := &node{}
	for n := newest; n >= 0; n-- {
		under := top
		if n < newest {
			under = &node{kind: attempt, key: "attempt " + strconv.Itoa(n), name: clean.Linef("attempt %d", n)}
		}
		for i := range jobs {
			if jobs[i].Attempt == n {
				plant(under, &jobs[i])
			}
		}
		if under != top && len(under.children) > 0 {
			top.children = append(top.children, under)
		}
	}
	for _, c := range top.children {
		ripen(c)
	}
	return top.children
}

// plant puts a job where it belongs below a node.
func plant(under *node, j *sources.Job) {
	for _, c := range j.Caller {
		under = child(under, caller, c)
	}
	if j.Matrix.IsZero() {
		leaf := &node{kind: job, key: under.key + "/" + j.Ref.ID, name: j.Name, job: j}
		under.children = append(under.children, leaf)
		return
	}
	legs := child(under, matrix, j.Name)
	legs.children = append(legs.children, &node{kind: job, key: legs.key + "/" + j.Ref.ID, name: j.Matrix, job: j})
}

// child is the child of a kind and a name, made when it is not there.
func child(under *node, k kind, name clean.Text) *node {
	for _, c := range under.children {
		if c.kind == k && c.name == name {
			return c
		}
	}
	c := &node{kind: k, key: under.key + "/" + strconv.Itoa(int(k)) + ":" + name.String(), name: name}
	under.children = append(under.children, c)
	return c
}

// ripen sums a node up from what is below it, and adds the steps to the jobs.
func ripen(n *node) {
	if n.kind == job {
		n.state, n.began, n.ended = n.job.State, n.job.Started, n.job.Ended
		n.leaves, n.failed = 1, 0
		if n.state == sources.StateFailed {
			n.failed = 1
		}
		for i := range n.job.Steps {
			s := &n.job.Steps[i]
			n.children = append(n.children, &node{kind: step, key: n.key + "/" + strconv.Itoa(s.Number), name: s.Name, state: s.State,
				job: n.job, step: s, began: s.Started, ended: s.Ended})
		}
		return
	}
	n.state = sources.StateSkipped
	live := false
	for _, c := range n.children {
		ripen(c)
		n.failed += c.failed
		n.leaves += c.leaves
		if badness(c.state) > badness(n.state) {
			n.state = c.state
		}
		if !c.began.IsZero() && (n.began.IsZero() || c.began.Before(n.began)) {
			n.began = c.began
		}
		if c.ended.After(n.ended) {
			n.ended = c.ended
		}
		live = live || !c.state.Done()
	}
	if live {
		n.ended = time.Time{}
	}
	if n.kind == matrix {
		slices.SortStableFunc(n.children, func(a, b *node) int { return cmp.Compare(badness(b.state), badness(a.state)) })
	}
}

// badness orders states for a summary: the worst is what people want to know of.
func badness(s sources.State) int {
	switch s {
	case sources.StateFailed:
		return 8
	case sources.StateUnknown:
		return 7
	case sources.StateRunning:
		return 6
	case sources.StateWaiting:
		return 5
	case sources.StateQueued:
		return 4
	case sources.StateCancelled:
		return 3
	case sources.StatePassed:
		return 2
	case sources.StateSuperseded:
		return 1
	case sources.StateSkipped:
	}
	return 0
}

// row is a node as it stands in the list.
type row struct {
	*node
	depth  int
	opens  bool // it has something to show or hide
	opened bool
}

// layer flattens the tree into the rows that show. What failed or runs is open from the start, the first
// failed leg with its steps; said holds what the user opened and closed.
type layer struct {
	said   map[string]bool
	quotes map[string][]*node // by the key of the step or job that they belong to
	rows   []row
	opened bool // a failed job has been opened already
}

func (l *layer) add(nodes []*node, depth int) {
	for _, n := range nodes {
		open := l.open(n)
		kids := n.children
		quoted := l.quotes[n.key]
		l.rows = append(l.rows, row{n, depth, len(kids)+len(quoted) > 0 && n.kind != step, open})
		if !open {
			continue
		}
		if n.kind == matrix {
			l.legs(n, depth+1)
			continue
		}
		l.add(kids, depth+1)
		for _, q := range quoted {
			l.rows = append(l.rows, row{node: q, depth: depth + 1})
		}
	}
}

// legs adds the legs of a matrix, those with nothing to say behind one line.
func (l *layer) legs(n *node, depth int) {
	quiet := slices.IndexFunc(n.children, func(c *node) bool { return badness(c.state) <= badness(sources.StateCancelled) })
	if quiet < 0 || len(n.children)-quiet < 2 || quiet == 0 {
		l.add(n.children, depth)
		return
	}
	l.add(n.children[:quiet], depth)
	more := &node{kind: rest, key: n.key + "/rest", state: n.children[quiet].state, leaves: len(n.children) - quiet}
	more.name = clean.Linef("%d more %s", more.leaves, more.state)
	open := l.said[more.key]
	l.rows = append(l.rows, row{more, depth, true, open})
	if open {
		l.add(n.children[quiet:], depth+1)
	}
}

func (l *layer) open(n *node) bool {
	if said, ok := l.said[n.key]; ok {
		return said
	}
	switch n.kind {
	case caller, matrix:
		return n.failed > 0 || !n.state.Done()
	case job:
		if n.state == sources.StateFailed && !l.opened {
			l.opened = true
			return true
		}
		return n.state == sources.StateRunning
	case step:
		return true
	case attempt, rest, quote:
	}
	return false
}

// worst is the job to quote the log of: the first that failed in the order of the tree.
func worst(nodes []*node) *node {
	for _, n := range nodes {
		switch {
		case n.kind == attempt || n.failed == 0:
		case n.kind == job:
			return n
		default:
			if w := worst(n.children); w != nil {
				return w
			}
		}
	}
	return nil
}

// failedStep is the key of the step of a job that failed; the job's own when none did.
func failedStep(n *node) string {
	for _, c := range n.children {
		if c.state == sources.StateFailed {
			return c.key
		}
	}
	return n.key
}

// quoted are the lines of a log around its first error. A line that says no more than that the process
// ended is preceded by what it said last.
func quoted(n *node, log *sources.Log) []*node {
	const most = 4
	from := log.FirstError
	switch {
	case from < 0:
		from = max(0, len(log.Lines)-most)
	case strings.HasPrefix(log.Lines[from].Text.String(), "Process completed with exit code"):
		from = max(0, from-most+1)
	}
	var out []*node
	for i := from; i < len(log.Lines) && len(out) < most; i++ {
		line := log.Lines[i]
		if line.Level == sources.LogGroup || strings.TrimSpace(line.Text.String()) == "" {
			continue
		}
		out = append(out, &node{kind: quote, key: n.key + "/line " + strconv.Itoa(i), name: line.Text, job: n.job, text: line})
	}
	return out
}
