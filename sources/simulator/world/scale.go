package world

import (
	"fmt"
	"time"
)

// Scale is the size of a world that is made for measurements.
type Scale struct {
	Repositories int
	Running      int // repositories in which a pipeline always runs: when it ends, the next one starts
	Runs         int // runs that have ended, over all repositories
}

// Scaled makes a world of equal repositories load/service-001 … in which nothing happens but Running
// pipelines, one after the other in the first repositories.
func Scaled(seed int64, opening time.Time, size Scale) *World {
	w := empty(seed, opening, opening.Add(-14*day))
	w.Load = true
	s := &script{World: w}
	s.people()
	s.teams()
	org := s.addOrg("load", false)
	for i := range size.Repositories {
		r := s.addRepo(org, fmt.Sprintf("service-%03d", i+1))
		s.commit(r, "main", "", "Begin", s.by("dev1"))
		wf := s.addWorkflow(r, Workflow{Name: "ci", File: ".github/workflows/ci.yml", Dispatch: true, Jobs: []JobDef{
			{Name: "test", Steps: steps(StepDef{"Run tests", 40})},
			{Name: "build", Needs: []string{"test"}, Steps: steps(StepDef{"Build image", 30})},
		}})
		s.addWorkflow(r, deployWorkflow("deploy", "", "eu"))
		s.Services = append(s.Services, &Service{Name: r.Name, Team: "load", Repo: r, Stages: map[string]map[string]string{
			"dev": {"": "dev"}, "staging": {"": "staging"}, "prod": {"eu": "production-eu"},
		}})
		s.history(r, wf, i, size)
	}
	s.behaviour()
	w.RunUntil(opening)
	return w
}

// history is a repository's share of the runs, and its deployments of one version to every stage.
func (s *script) history(r *Repo, wf *Workflow, index int, size Scale) {
	share := size.Runs / size.Repositories
	if index < size.Runs%size.Repositories {
		share++
	}
	stages := []string{"dev", "staging", "prod"}
	for k := range share {
		s.ago(13*day*time.Duration(share-k)/time.Duration(share)+10*time.Minute, func() {
			c := s.commit(r, "main", "", fmt.Sprintf("Change %d", k+1), s.by("dev2"))
			s.startRun(start{workflow: wf, event: "push", branch: "main", sha: c.SHA, actor: c.Author, length: 2 * time.Minute})
		})
	}
	for k, stage := range stages {
		s.ago(day-time.Duration(k)*time.Hour, func() {
			sha := r.Branches["main"]
			s.startRun(start{
				workflow: r.Workflow("deploy.yml"), event: "workflow_dispatch", branch: "main", sha: sha, actor: s.by("dev2"),
				inputs: map[string]string{"environment": stage, "ref": sha, "target": "all"},
			})
		})
	}
	if index < size.Running {
		s.ago(time.Minute, func() { s.treadmill(r, wf) })
	}
}

// treadmill keeps a pipeline running for good.
func (s *script) treadmill(r *Repo, wf *Workflow) {
	c := s.commit(r, "main", "", "Keep going", s.by("dev3"))
	run := s.startRun(start{workflow: wf, event: "push", branch: "main", sha: c.SHA, actor: c.Author, length: 8 * time.Minute})
	run.then = func() { s.treadmill(r, wf) }
}
