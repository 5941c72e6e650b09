package world

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Environment is a provider's environment: a name that jobs enter, and what protects it.
type Environment struct {
	ID        int64
	Repo      *Repo
	Name      string
	Created   time.Time
	Reviewers []*User
	Team      string        // a team of reviewers, by its slug; "" for none
	Wait      time.Duration // of the wait timer
	Branches  bool          // only protected branches may enter
}

// Protected reports whether a job has to wait before it enters.
func (e *Environment) Protected() bool { return len(e.Reviewers) > 0 || e.Wait > 0 }

// MayReview reports whether u may approve what waits for e.
func (e *Environment) MayReview(u *User) bool { return u != nil && slices.Contains(e.Reviewers, u) }

// Deployment is a deployment record.
type Deployment struct {
	ID          int64
	Repo        *Repo
	SHA, Ref    string
	Task        string
	Environment string
	Payload     json.RawMessage
	Description string
	Creator     *User
	Created     time.Time
	Updated     time.Time
	Transient   bool
	Production  bool
	Statuses    []*DeploymentStatus // oldest first
	Job         *Job                // that made it; nil: it was made through the API
}

// DeploymentStatus is what was said of a deployment at one moment.
type DeploymentStatus struct {
	ID          int64
	State       string
	Description string
	LogURL      string // "" when the deployment has no job: what its maker gave
	EnvURL      string
	Environment string
	Creator     *User
	At          time.Time
}

// addEnvironment makes an environment; a job or a deployment that names a new one does so by itself.
func (w *World) addEnvironment(r *Repo, name string, reviewers ...*User) *Environment {
	e := &Environment{ID: w.id(idEnvironment), Repo: r, Name: name, Created: w.now, Reviewers: reviewers}
	r.Environments = append(r.Environments, e)
	w.touch(r)
	return e
}

// Environment is the environment of that name, or nil.
func (r *Repo) Environment(name string) *Environment {
	for _, e := range r.Environments {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// Deployment is the deployment record of that identity, or nil.
func (r *Repo) Deployment(id int64) *Deployment {
	for _, d := range r.Deployments {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// recordJob files the deployment record of a job that enters an environment. It carries the SHA of the
// ref that the run was started on, whatever the job then deploys: as GitHub does.
func (w *World) recordJob(j *Job) *Deployment {
	return w.record(&Deployment{
		Repo: j.Run.Repo, SHA: j.Run.SHA, Ref: j.Run.Branch, Task: "deploy", Environment: j.Environment,
		Payload: json.RawMessage(`{}`), Creator: j.Attempt.Actor, Job: j,
	})
}

func (w *World) record(d *Deployment) *Deployment {
	d.ID, d.Created, d.Updated = w.id(idDeployment), w.now, w.now
	if d.Repo.Environment(d.Environment) == nil {
		w.addEnvironment(d.Repo, d.Environment)
	}
	d.Repo.Deployments = append(d.Repo.Deployments, d)
	w.touch(d.Repo)
	return d
}

func (w *World) status(d *Deployment, state, description string) *DeploymentStatus {
	return w.addStatus(d, &DeploymentStatus{State: state, Description: description, Creator: d.Creator})
}

func (w *World) addStatus(d *Deployment, s *DeploymentStatus) *DeploymentStatus {
	s.ID, s.At = w.id(idStatus), w.now
	if s.Environment == "" {
		s.Environment = d.Environment
	}
	d.Statuses = append(d.Statuses, s)
	d.Updated = w.now
	w.touch(d.Repo)
	return s
}

// State is the newest status of a deployment; "" when nobody said anything.
func (d *Deployment) State() string {
	if len(d.Statuses) == 0 {
		return ""
	}
	return d.Statuses[len(d.Statuses)-1].State
}

// supersede marks what d replaced as inactive.
func (w *World) supersede(d *Deployment) {
	for _, o := range d.Repo.Deployments {
		if o != d && o.ID < d.ID && o.Environment == d.Environment && !o.Transient && !o.Production && o.State() == Success {
			w.status(o, "inactive", "")
		}
	}
}

// deployed notes what a job that has ended means for its environment.
func (w *World) deployed(j *Job, conclusion string) {
	if j.Deployment == nil {
		w.answerEvent(j, conclusion)
		return
	}
	switch conclusion {
	case Success:
		w.status(j.Deployment, Success, "")
		w.supersede(j.Deployment)
		if !j.Def.Secrets {
			w.takeEffect(j.Run.Repo, j.Environment, j.Run.Deploys())
		}
	case Failure:
		w.status(j.Deployment, Failure, "")
	default:
		w.status(j.Deployment, "error", "the job was cancelled")
	}
}

// carryOut lets a repository's fleet put a deployment where it belongs, and say so through the API.
func (w *World) carryOut(d *Deployment, length time.Duration, ok bool) {
	log := "https://fleet.example.com/rollouts/" + itoa(int(d.ID))
	say := func(state, text string) {
		w.addStatus(d, &DeploymentStatus{State: state, Description: text, LogURL: log, Creator: d.Repo.Fleet})
	}
	say(InProgress, "")
	w.after(length, func() {
		if !ok {
			say(Failure, "rollout stuck: 2 of 6 pods ready")
			return
		}
		say(Success, "")
		w.supersede(d)
		w.takeEffect(d.Repo, d.Environment, d.SHA)
	})
}

// answerEvent lets a workflow that listens to deployments say how the deployment went.
func (w *World) answerEvent(j *Job, conclusion string) {
	d := j.Run.Source
	if d == nil {
		return
	}
	w.status(d, conclusion, "")
	if conclusion == Success {
		w.supersede(d)
		w.takeEffect(d.Repo, d.Environment, d.SHA)
	}
}

// Deploys is the SHA that the run deploys: what its input names, else what it was started on.
func (r *Run) Deploys() string {
	if sha, ok := r.Repo.Resolve(r.Inputs["ref"]); ok && r.Inputs["ref"] != "" {
		return sha
	}
	return r.SHA
}
