package world

import (
	"slices"
	"time"
)

// The statuses and conclusions of runs, jobs and steps, in GitHub's words: the world's own are the same.
const (
	Queued     = "queued"
	Pending    = "pending" // waits for its concurrency group
	Waiting    = "waiting" // waits for an environment's protection
	InProgress = "in_progress"
	Completed  = "completed"

	Success   = "success"
	Failure   = "failure"
	Cancelled = "cancelled"
	Skipped   = "skipped"
)

// Workflow is one pipeline of a repository.
type Workflow struct {
	ID      int64
	Repo    *Repo
	Name    string
	File    string // its path in the repository
	Created time.Time
	Jobs    []JobDef
	Inputs  []Input // of workflow_dispatch
	// Dispatch reports that it may be started by hand; OnDeployment that it listens to deployments; OnPush that
	// each push to the default branch starts it.
	Dispatch, OnDeployment, OnPush bool
	// Title gives the run's own name (run-name in the file); nil: the commit's title, or the workflow's
	// name for what was started by hand.
	Title func(*Run) string
	// Group names the concurrency group that a run takes; nil or "": none.
	Group func(*Run) string

	runs int // so many were started
}

// Input is one input of a workflow that is started by hand.
type Input struct {
	Name     string
	Required bool
	Default  string
	Options  []string // of a choice
}

// JobDef is one job as its workflow's file describes it.
type JobDef struct {
	Name   string
	Caller string   // the job that calls the reusable workflow in which it is described
	Needs  []string // names of jobs
	Legs   []string // a matrix: what tells its jobs apart
	Steps  []StepDef
	Labels []string // of the runner that it needs
	// Targets gives the places that a run deploys to, one job each, as a matrix would; nil: no such thing.
	Targets func(*Run) []string
	// Environment gives the environment that the job of this leg enters; nil: none.
	Environment func(r *Run, leg string) string
	// Secrets reports that the job names its environment only for its secrets: it deploys nothing.
	Secrets bool
	// If tells whether the job runs at all; nil: it does.
	If func(*Run) bool
}

// StepDef is one step and how long it takes, relative to the others.
type StepDef struct {
	Name    string
	Seconds float64
}

// Fail says where a run fails.
type Fail struct {
	Job      string
	Legs     []int // none: all of them
	Step     string
	Attempts int // it fails in so many attempts, then passes
}

// Run is one execution of a workflow.
type Run struct {
	ID       int64
	Suite    int64
	Repo     *Repo
	Workflow *Workflow
	Number   int
	Event    string
	Branch   string // branch or tag, without refs/…
	SHA      string
	Title    string
	Actor    *User
	Pull     int
	Created  time.Time
	Updated  time.Time
	Attempts []*Attempt
	Inputs   map[string]string
	Reviews  []Review
	Source   *Deployment // the deployment whose event started it
	Group    string

	then   func()        // what follows when it ends, once
	length time.Duration // how long it is to take, waits aside; 0: what its steps say
	fail   *Fail
	passed map[string]bool // environments that were approved in this attempt
}

// Last is the newest attempt.
func (r *Run) Last() *Attempt { return r.Attempts[len(r.Attempts)-1] }

// Attempt is one try of a run.
type Attempt struct {
	Run        *Run
	Number     int
	Actor      *User // who started it
	Status     string
	Conclusion string // "" until it is completed
	Started    time.Time
	Updated    time.Time
	Jobs       []*Job

	scale   float64
	settled map[string]bool // jobs by definition: completed, every leg
	gone    bool            // cancelled: nothing starts any more
	only    map[string]bool // definitions that run; nil: all of them
}

// Job is one job of an attempt.
type Job struct {
	ID          int64
	Run         *Run
	Attempt     *Attempt
	Def         *JobDef
	Leg         string
	Index       int // among the legs
	Name        string
	Status      string
	Conclusion  string
	Created     time.Time
	Started     time.Time
	Completed   time.Time
	Steps       []*Step
	Runner      *Runner
	Labels      []string
	Environment string
	Deployment  *Deployment
}

// Step is one step of a job.
type Step struct {
	Name       string
	Number     int
	Status     string
	Conclusion string
	Started    time.Time
	Completed  time.Time
}

// Runner is a machine that takes jobs.
type Runner struct {
	ID     int64
	Name   string
	OS     string
	Labels []string
	Online bool
	Busy   bool
}

func (r *Runner) offers(labels []string) bool {
	return !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(r.Labels, l) })
}

// Review is a person's answer to waiting gates.
type Review struct {
	Environments []*Environment
	State        string // approved or rejected
	By           *User
	Comment      string
	At           time.Time
}

func (w *World) addWorkflow(r *Repo, wf Workflow) *Workflow {
	wf.ID, wf.Repo, wf.Created = w.id(idWorkflow), r, w.now
	r.Workflows = append(r.Workflows, &wf)
	return &wf
}

// Workflow finds a workflow by the name of its file, with or without its folder, or returns nil.
func (r *Repo) Workflow(file string) *Workflow {
	for _, wf := range r.Workflows {
		if wf.File == file || wf.File == ".github/workflows/"+file {
			return wf
		}
	}
	return nil
}

// WorkflowByID is the workflow of that identity, or nil.
func (r *Repo) WorkflowByID(id int64) *Workflow {
	for _, wf := range r.Workflows {
		if wf.ID == id {
			return wf
		}
	}
	return nil
}

// Run is the run of that identity, or nil.
func (r *Repo) Run(id int64) *Run { return r.runByID[id] }

// Job is the job of that identity, or nil.
func (r *Repo) Job(id int64) *Job { return r.jobByID[id] }

// start is what a new run is made of.
type start struct {
	workflow *Workflow
	event    string
	branch   string // branch or tag
	sha      string
	actor    *User
	pull     int
	inputs   map[string]string
	source   *Deployment
	length   time.Duration
	fail     *Fail
}

func (w *World) startRun(s start) *Run {
	repo := s.workflow.Repo
	s.workflow.runs++
	r := &Run{
		ID: w.id(idRun), Suite: w.id(idSuite), Repo: repo, Workflow: s.workflow, Number: s.workflow.runs, Event: s.event,
		Branch: s.branch, SHA: s.sha, Actor: s.actor, Pull: s.pull, Created: w.now, Updated: w.now,
		Inputs: s.inputs, Source: s.source, length: s.length, fail: s.fail,
	}
	switch {
	case s.workflow.Title != nil:
		r.Title = s.workflow.Title(r)
	case s.event == "workflow_dispatch" || s.event == "schedule":
		r.Title = s.workflow.Name
	default:
		r.Title = repo.Commit(s.sha).Title()
	}
	if s.workflow.Group != nil {
		r.Group = s.workflow.Group(r)
	}
	repo.Runs = append(repo.Runs, r)
	repo.runByID[r.ID] = r
	w.attempt(r, s.actor, nil)
	return r
}

// attempt begins a new try. only names the definitions whose jobs run; nil: all of them.
func (w *World) attempt(r *Run, by *User, only map[string]bool) *Attempt {
	a := &Attempt{
		Run: r, Number: len(r.Attempts) + 1, Actor: by, Status: Queued, Started: w.now, Updated: w.now,
		settled: map[string]bool{}, only: only,
	}
	r.Attempts = append(r.Attempts, a)
	r.passed = map[string]bool{}
	a.scale = w.pace(r)
	w.changed(a)
	if !w.enter(r) {
		a.Status = Pending
		return a
	}
	w.after(0, func() { w.proceed(a) })
	return a
}

// changed notes that a run or its jobs look different from now on.
func (w *World) changed(a *Attempt) {
	a.Updated = w.now
	a.Run.Updated = w.now
	w.touch(a.Run.Repo)
}

// group is a concurrency group: one run has it, at most one waits for it.
type group struct{ holder, next *Run }

// enter takes the run's concurrency group. Where somebody else has it the run waits, and whoever
// waited before it is cancelled: as GitHub does.
func (w *World) enter(r *Run) bool {
	if r.Group == "" {
		return true
	}
	key := r.Repo.Full() + "/" + r.Group
	g := w.groups[key]
	if g == nil {
		w.groups[key] = &group{holder: r}
		return true
	}
	if g.next != nil {
		w.finish(g.next.Last(), Cancelled)
	}
	g.next = r
	return false
}

func (w *World) leave(r *Run) {
	key := r.Repo.Full() + "/" + r.Group
	g := w.groups[key]
	switch {
	case r.Group == "" || g == nil:
	case g.next == r:
		g.next = nil
	case g.holder == r && g.next != nil:
		g.holder, g.next = g.next, nil
		a := g.holder.Last()
		a.Status = Queued
		w.changed(a)
		w.after(time.Second, func() { w.proceed(a) })
	case g.holder == r:
		delete(w.groups, key)
	}
}

// Holders lists the runs that have or wait for a concurrency group of r: its holder first.
func (w *World) Holders(r *Repo, name string) []*Run {
	g := w.groups[r.Full()+"/"+name]
	switch {
	case g == nil:
		return nil
	case g.next == nil:
		return []*Run{g.holder}
	default:
		return []*Run{g.holder, g.next}
	}
}
