package world

import (
	"math"
	"slices"
	"strings"
	"time"
)

// queueDelay is how long a job waits for its machine, relative to its steps.
const queueDelay = 2.0

// proceed starts what may start in an attempt, and ends it when nothing is left.
func (w *World) proceed(a *Attempt) {
	if a.Status == Completed || a.Status == Pending || a.gone {
		return
	}
	for again := true; again; {
		again = false
		for i := range a.Run.Workflow.Jobs {
			def := &a.Run.Workflow.Jobs[i]
			if a.has(def) || !a.ready(def) {
				continue
			}
			w.open(a, def)
			again = true
		}
	}
	w.settle(a)
}

func (a *Attempt) has(def *JobDef) bool {
	return slices.ContainsFunc(a.Jobs, func(j *Job) bool { return j.Def == def })
}

func (a *Attempt) ready(def *JobDef) bool {
	return !slices.ContainsFunc(def.Needs, func(n string) bool { return !a.settled[n] })
}

// open makes the jobs of one definition: one, or one for each leg or target.
func (w *World) open(a *Attempt, def *JobDef) {
	r := a.Run
	skip := def.If != nil && !def.If(r)
	for _, j := range a.Jobs {
		if slices.Contains(def.Needs, j.Def.Name) && j.Conclusion != Success {
			skip = true
		}
	}
	legs := def.legs(r)
	if skip {
		legs = []string{""}
	}
	if a.only != nil && !a.only[def.Name] {
		w.carry(a, def)
		return
	}
	for i, leg := range legs {
		j := w.newJob(a, def, leg, i)
		if skip {
			j.Status, j.Conclusion, j.Started, j.Completed = Completed, Skipped, w.now, w.now
			continue
		}
		for n, s := range def.Steps {
			j.Steps = append(j.Steps, &Step{Name: s.Name, Number: n + 1, Status: Queued})
		}
		if def.Environment != nil {
			j.Environment = def.Environment(r, leg)
		}
		w.admit(j)
	}
	if skip {
		a.settled[def.Name] = true
	}
	w.changed(a)
}

func (d *JobDef) legs(r *Run) []string {
	switch {
	case d.Targets != nil:
		return d.Targets(r)
	case len(d.Legs) > 0:
		return d.Legs
	default:
		return []string{""}
	}
}

func (w *World) newJob(a *Attempt, def *JobDef, leg string, index int) *Job {
	j := &Job{
		ID: w.id(idJob), Run: a.Run, Attempt: a, Def: def, Leg: leg, Index: index, Name: def.display(leg),
		Status: Queued, Created: w.now, Labels: def.labels(leg),
	}
	a.Jobs = append(a.Jobs, j)
	a.Run.Repo.jobByID[j.ID] = j
	return j
}

func (d *JobDef) display(leg string) string {
	name := d.Name
	if d.Caller != "" {
		name = d.Caller + " / " + name
	}
	if leg != "" {
		name += " (" + leg + ")"
	}
	return name
}

func (d *JobDef) labels(leg string) []string {
	if len(d.Labels) > 0 {
		return d.Labels
	}
	if strings.Contains(leg, "arm") {
		return []string{"ubuntu-24.04-arm"}
	}
	return []string{"ubuntu-latest"}
}

// carry takes the jobs of a definition over from the attempt before, as they ended there.
func (w *World) carry(a *Attempt, def *JobDef) {
	for _, old := range a.Run.Attempts[a.Number-2].Jobs {
		if old.Def == def {
			j := *old
			j.ID, j.Attempt = w.id(idJob), a
			a.Jobs = append(a.Jobs, &j)
			a.Run.Repo.jobByID[j.ID] = &j
		}
	}
	a.settled[def.Name] = true
}

// admit lets a job in: it waits for its environment's protection first, then for a machine.
func (w *World) admit(j *Job) {
	env := j.Run.Repo.Environment(j.Environment)
	if j.Environment != "" && env == nil {
		env = w.addEnvironment(j.Run.Repo, j.Environment)
	}
	if env != nil {
		j.Deployment = w.recordJob(j)
		if env.Protected() && !j.Run.passed[env.Name] {
			j.Status = Waiting
			w.status(j.Deployment, Waiting, "")
			w.settle(j.Attempt)
			if env.Wait > 0 && len(env.Reviewers) == 0 {
				w.after(env.Wait, func() { w.pass(j) })
			}
			return
		}
		w.status(j.Deployment, Queued, "")
	}
	w.enqueue(j)
}

func (w *World) pass(j *Job) {
	if j.Status != Waiting {
		return
	}
	j.Status = Queued
	w.status(j.Deployment, Queued, "")
	w.enqueue(j)
}

// enqueue waits for a machine. A job whose labels nobody online offers stays until somebody does.
func (w *World) enqueue(j *Job) {
	j.Status = Queued
	w.changed(j.Attempt)
	w.after(j.span(queueDelay), func() {
		if j.Status != Queued {
			return
		}
		if m := w.machine(j); m != nil {
			w.begin(j, m)
		}
	})
}

// machine finds a runner for the job: GitHub's own for its own labels, else one of the repository's.
func (w *World) machine(j *Job) *Runner {
	if strings.HasPrefix(j.Labels[0], "ubuntu-") {
		return &Runner{ID: 1_000_000 + j.ID%1000, Name: "GitHub Actions " + itoa(int(j.ID%1000)), Labels: j.Labels}
	}
	for _, m := range j.Run.Repo.Runners {
		if m.Online && !m.Busy && m.offers(j.Labels) {
			m.Busy = true
			return m
		}
	}
	return nil
}

// SetRunner puts a repository's runner on or off line; what waited for it begins.
func (w *World) SetRunner(r *Repo, name string, online bool) {
	for _, m := range r.Runners {
		if m.Name == name {
			m.Online = online
			w.touch(r)
		}
	}
	w.dispense(r)
}

// dispense gives free machines to the jobs that wait for one, the oldest first.
func (w *World) dispense(r *Repo) {
	for _, run := range r.Runs {
		if run.Last().Status == Completed {
			continue
		}
		for _, j := range run.Last().Jobs {
			if j.Status != Queued || strings.HasPrefix(j.Labels[0], "ubuntu-") {
				continue
			}
			if m := w.machine(j); m != nil {
				w.begin(j, m)
			}
		}
	}
}

func (w *World) begin(j *Job, m *Runner) {
	j.Runner, j.Status, j.Started = m, InProgress, w.now
	if j.Deployment != nil {
		w.status(j.Deployment, InProgress, "")
	}
	w.settle(j.Attempt)
	w.changed(j.Attempt)
	w.step(j, 0)
}

// step begins step n of a job, or ends the job after its last.
func (w *World) step(j *Job, n int) {
	if j.Status != InProgress {
		return
	}
	if n == len(j.Steps) {
		w.complete(j, Success)
		return
	}
	s := j.Steps[n]
	s.Status, s.Started = InProgress, w.now
	w.touch(j.Run.Repo)
	w.after(j.span(j.Def.Steps[n].Seconds), func() {
		if j.Status != InProgress || s.Status != InProgress {
			return
		}
		s.Status, s.Conclusion, s.Completed = Completed, Success, w.now
		if j.fails(s.Name) {
			s.Conclusion = Failure
			j.skipRest(n+1, w.now)
			w.complete(j, Failure)
			return
		}
		w.step(j, n+1)
	})
}

func (j *Job) skipRest(from int, now time.Time) {
	for _, s := range j.Steps[from:] {
		s.Status, s.Conclusion, s.Started, s.Completed = Completed, Skipped, now, now
	}
}

func (j *Job) fails(step string) bool {
	f := j.Run.fail
	if f == nil || f.Job != j.Def.Name || f.Step != step || j.Attempt.Number > f.Attempts {
		return false
	}
	return len(f.Legs) == 0 || slices.Contains(f.Legs, j.Index)
}

func (w *World) complete(j *Job, conclusion string) {
	j.Status, j.Conclusion, j.Completed = Completed, conclusion, w.now
	if j.Started.IsZero() {
		j.Started = w.now
	}
	if j.Runner != nil && j.Runner.Busy {
		j.Runner.Busy = false
		w.after(0, func() { w.dispense(j.Run.Repo) })
	}
	w.deployed(j, conclusion)
	a := j.Attempt
	done := true
	for _, o := range a.Jobs {
		if o.Def == j.Def && o.Status != Completed {
			done = false
		}
	}
	if done {
		a.settled[j.Def.Name] = true
	}
	w.changed(a)
	if !a.gone {
		w.after(0, func() { w.proceed(a) })
	}
}

// settle derives the attempt's status from its jobs.
func (w *World) settle(a *Attempt) {
	if a.Status == Completed {
		return
	}
	var running, waiting, queued, failed int
	for _, j := range a.Jobs {
		switch j.Status {
		case InProgress:
			running++
		case Waiting:
			waiting++
		case Queued:
			queued++
		}
		if j.Conclusion == Failure {
			failed++
		}
	}
	was := a.Status
	switch {
	case running > 0:
		a.Status = InProgress
	case waiting > 0 && queued == 0:
		a.Status = Waiting
	case queued > 0 && a.Status == Waiting:
		a.Status = Queued
	case queued > 0 || waiting > 0:
	case len(a.settled) == len(a.Run.Workflow.Jobs) && failed > 0:
		w.finish(a, Failure)
	case len(a.settled) == len(a.Run.Workflow.Jobs):
		w.finish(a, Success)
	}
	if a.Status != was {
		w.changed(a)
	}
}

func (w *World) finish(a *Attempt, conclusion string) {
	if a.Status == Completed {
		return
	}
	for _, j := range a.Jobs {
		if j.Conclusion == Cancelled && conclusion == Success {
			conclusion = Cancelled
		}
	}
	a.Status, a.Conclusion = Completed, conclusion
	w.changed(a)
	w.leave(a.Run)
	if then := a.Run.then; then != nil {
		a.Run.then = nil
		w.after(0, then)
	}
}

// span is how long something of this job takes that the workflow describes as so many seconds. Legs of
// a matrix differ a little; the first is the longest.
func (j *Job) span(seconds float64) time.Duration {
	return time.Duration(math.Ceil(seconds*j.Attempt.scale*j.Def.pace(j.Index)*1e6)) * time.Microsecond
}

func (d *JobDef) pace(leg int) float64 {
	if d.Targets != nil {
		return 1 // what is put in several places is put there at once
	}
	return 1 - 0.03*float64(leg%7)
}

// pace is the factor by which an attempt's steps are stretched so that it takes the run's length.
func (w *World) pace(r *Run) float64 {
	if r.length == 0 {
		return 0.85 + 0.3*w.unit("pace", r.ID, len(r.Attempts))
	}
	ends, total := map[string]float64{}, 0.0
	broken := map[string]bool{}
	for i := range r.Workflow.Jobs {
		def := &r.Workflow.Jobs[i]
		from := 0.0
		skip := def.If != nil && !def.If(r)
		for _, n := range def.Needs {
			from = math.Max(from, ends[n])
			skip = skip || broken[n]
		}
		if skip {
			ends[def.Name], broken[def.Name] = from, true
			continue
		}
		length, fails := def.length(r)
		ends[def.Name], broken[def.Name] = from+length, fails
		total = math.Max(total, from+length)
	}
	if total == 0 {
		return 1
	}
	return r.length.Seconds() / total
}

// length is how many of its own seconds the job takes in the coming attempt, and whether it fails.
func (d *JobDef) length(r *Run) (seconds float64, fails bool) {
	for i := range d.legs(r) {
		t := queueDelay
		probe := Job{Run: r, Def: d, Index: i, Attempt: r.Last()}
		for _, s := range d.Steps {
			t += s.Seconds
			if probe.fails(s.Name) {
				fails = true
				break
			}
		}
		seconds = math.Max(seconds, t*d.pace(i))
	}
	return seconds, fails
}
