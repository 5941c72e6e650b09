package world

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Refusal is why the world refuses an act.
type Refusal struct {
	Reason Reason
	Text   string // in GitHub's words
}

func (r *Refusal) Error() string { return r.Text }

// Reason says what kind of refusal it is.
type Reason uint8

// The reasons.
const (
	Invalid   Reason = iota // the act makes no sense
	Forbidden               // it is not to be done now, or not by this person
	Conflict                // its object is in the wrong state
)

func invalid(format string, a ...any) error {
	return &Refusal{Invalid, fmt.Sprintf(format, a...)}
}

// Dispatch starts a workflow by hand on a branch or tag.
func (w *World) Dispatch(wf *Workflow, ref string, inputs map[string]string, by *User) (*Run, error) {
	if !wf.Dispatch {
		return nil, invalid("Workflow does not have 'workflow_dispatch' trigger")
	}
	kind, sha := wf.Repo.Ref(ref)
	if kind == "" {
		return nil, invalid("No ref found for: %s", ref)
	}
	full := map[string]string{}
	for _, in := range wf.Inputs {
		v, given := inputs[in.Name]
		switch {
		case !given && in.Required && in.Default == "":
			return nil, invalid("Required input '%s' not provided", in.Name)
		case !given:
			v = in.Default
		case len(in.Options) > 0 && !slices.Contains(in.Options, v):
			return nil, invalid("Provided value '%s' for input '%s' not in the list of allowed values", v, in.Name)
		}
		full[in.Name] = v
	}
	for name := range inputs {
		if !slices.ContainsFunc(wf.Inputs, func(in Input) bool { return in.Name == name }) {
			return nil, invalid("Unexpected inputs provided: [%q]", name)
		}
	}
	s := start{
		workflow: wf, event: "workflow_dispatch", branch: strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/"),
		sha: sha, actor: by, inputs: full,
	}
	if r := full["ref"]; r != "" {
		sha, ok := wf.Repo.Resolve(r)
		switch {
		case !ok:
			s.fail = &Fail{Job: wf.Jobs[0].Name, Step: "Check out", Attempts: 1 << 20}
		case w.ranBefore(wf.Repo, full["environment"], sha):
			s.length = w.between(50*time.Second, 70*time.Second)
		}
	}
	return w.startRun(s), nil
}

// ranBefore reports that a version has run in a stage: what it needs is still there, so that it is put back
// fast.
func (w *World) ranBefore(r *Repo, stage, sha string) bool {
	return slices.ContainsFunc(w.Services, func(s *Service) bool {
		return s.Repo == r && slices.ContainsFunc(s.Live, func(c Change) bool { return c.Stage == stage && c.SHA == sha })
	})
}

// Deploy files a deployment record, and starts the workflow that listens to such, if there is one. Where the
// repository has a fleet, that takes up production's a few seconds later. Else nothing comes of it.
func (w *World) Deploy(d *Deployment) *Deployment {
	w.record(d)
	if d.Repo.Fleet != nil && strings.HasPrefix(d.Environment, "production-") {
		w.after(5*time.Second, func() { w.carryOut(d, w.between(80*time.Second, 120*time.Second), true) })
	}
	for _, wf := range d.Repo.Workflows {
		if wf.OnDeployment {
			w.status(d, Queued, "")
			w.startRun(start{workflow: wf, event: "deployment", branch: d.Ref, sha: d.SHA, actor: d.Creator, source: d})
		}
	}
	return d
}

// AddStatus says something of a deployment. A success takes effect only in the record: what really
// runs is changed by jobs alone.
func (w *World) AddStatus(d *Deployment, s *DeploymentStatus, autoInactive bool) *DeploymentStatus {
	w.addStatus(d, s)
	if s.State == Success && autoInactive {
		w.supersede(d)
	}
	return s
}

// PendingJobs lists the jobs of a run that wait for an environment.
func (r *Run) PendingJobs() []*Job {
	var out []*Job
	for _, j := range r.Last().Jobs {
		if j.Status == Waiting {
			out = append(out, j)
		}
	}
	return out
}

// Review approves or rejects what a run waits for. It returns the deployments that it settled.
func (w *World) Review(r *Run, environments []int64, approve bool, comment string, by *User) ([]*Deployment, error) {
	var jobs []*Job
	rv := Review{State: "rejected", By: by, Comment: comment, At: w.now}
	if approve {
		rv.State = "approved"
	}
	for _, id := range environments {
		found := false
		for _, j := range r.PendingJobs() {
			e := r.Repo.Environment(j.Environment)
			if e.ID != id {
				continue
			}
			if !e.MayReview(by) {
				return nil, invalid("User is not authorized to approve or reject this deployment")
			}
			if !found {
				rv.Environments = append(rv.Environments, e)
			}
			found = true
			jobs = append(jobs, j)
		}
		if !found {
			return nil, invalid("There are no pending deployment requests to approve or reject")
		}
	}
	if len(jobs) == 0 {
		return nil, invalid("There are no pending deployment requests to approve or reject")
	}
	r.Reviews = append(r.Reviews, rv)
	out := make([]*Deployment, 0, len(jobs))
	for _, j := range jobs {
		out = append(out, j.Deployment)
		if approve {
			r.passed[j.Environment] = true
			w.after(time.Second, func() { w.pass(j) })
		} else {
			j.Steps = nil
			w.complete(j, Failure)
		}
	}
	w.settle(r.Last())
	w.touch(r.Repo)
	return out, nil
}

// RerunAll tries a run again from the start.
func (w *World) RerunAll(r *Run, by *User) error { return w.rerun(r, by, nil) }

// RerunFailed tries the jobs again that did not pass, and those that need them.
func (w *World) RerunFailed(r *Run, by *User) error {
	again := map[string]bool{}
	for _, j := range r.Last().Jobs {
		if j.Conclusion != Success && j.Conclusion != Skipped {
			again[j.Def.Name] = true
		}
	}
	if len(again) == 0 && r.Last().Status == Completed {
		return &Refusal{Forbidden, "This workflow run has no failed jobs to re-run."}
	}
	return w.rerun(r, by, again)
}

// RerunJob tries one job again, and those that need it.
func (w *World) RerunJob(j *Job, by *User) error {
	return w.rerun(j.Run, by, map[string]bool{j.Def.Name: true})
}

func (w *World) rerun(r *Run, by *User, only map[string]bool) error {
	switch {
	case r.Last().Status != Completed:
		return &Refusal{Forbidden, "This workflow is already running"}
	case w.now.Sub(r.Created) > 30*24*time.Hour:
		return &Refusal{Forbidden, "Unable to re-run this workflow run because it was created over a month ago"}
	}
	if only != nil {
		for i := range r.Workflow.Jobs { // in order: a job stands after those that it needs
			def := &r.Workflow.Jobs[i]
			if slices.ContainsFunc(def.Needs, func(n string) bool { return only[n] }) {
				only[def.Name] = true
			}
		}
	}
	w.attempt(r, by, only)
	return nil
}

// Cancel asks a run to stop. What has begun takes a few seconds to do so, unless force is set.
func (w *World) Cancel(r *Run, force bool) error {
	a := r.Last()
	if a.Status == Completed {
		return &Refusal{Conflict, "Cannot cancel a workflow run that is completed."}
	}
	stop := func() {
		if a.Status == Completed {
			return
		}
		for _, j := range a.Jobs {
			w.stop(j)
		}
		w.finish(a, Cancelled)
	}
	a.gone = true
	for _, j := range a.Jobs {
		if j.Status != InProgress {
			w.stop(j)
		}
	}
	w.changed(a)
	if force || !slices.ContainsFunc(a.Jobs, func(j *Job) bool { return j.Status == InProgress }) {
		w.after(0, stop)
		return nil
	}
	w.after(4*time.Second, stop)
	return nil
}

func (w *World) stop(j *Job) {
	if j.Status == Completed {
		return
	}
	for i, s := range j.Steps {
		if s.Status == InProgress {
			s.Status, s.Conclusion, s.Completed = Completed, Cancelled, w.now
			j.skipRest(i+1, w.now)
		}
	}
	if j.Status != InProgress {
		j.Steps = nil
	}
	w.complete(j, Cancelled)
}
