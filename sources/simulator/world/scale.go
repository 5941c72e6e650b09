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
	Incidents    int // open incidents, over all services: a third acknowledged, some older than a month
	Alerts       int // alerts behind them, over all incidents; each has one at least
	Series       int // metrics that the board asks for, over all services
	Monitors     int // rules on metrics, over all services, a tenth of which alert; each service has four at least
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
	w.Size = size
	s.behaviour()
	w.RunUntil(opening)
	s.burden()
	return w
}

// burden makes the load's monitors and its open incidents. Nothing of them moves by itself but what an
// incident does after somebody acts on it.
func (s *script) burden() {
	if len(s.Services) == 0 {
		return
	}
	for n := len(s.Monitors); n < s.Size.Monitors; n++ {
		svc := s.Services[n%len(s.Services)]
		s.addMonitor(svc, Monitor{Name: fmt.Sprintf("rule %d on %s", n+1, CPU), Metric: CPU, Limit: 90, Severity: 1 + n%4})
	}
	for n, m := range s.Monitors {
		if n < s.Size.Monitors && n%10 == 9 {
			m.State, m.Changed, m.Since = StateAlert, s.Opening.Add(-time.Duration(n%600)*time.Minute), s.Opening.Add(-time.Duration(n%600+5)*time.Minute)
		}
	}
	for n := range s.Size.Incidents {
		s.smoulder(n)
	}
}

// smoulder is one open incident of a load. Most are of the last day, one in twenty is weeks old.
func (s *script) smoulder(n int) {
	m := s.Monitors[(n*7)%len(s.Monitors)]
	i := s.raise(m.Service, fmt.Sprintf("%s (%d)", m.Name, n+1), 1+n%5, s.Opening)
	age := time.Duration(n%1440) * time.Minute
	if n%20 == 19 {
		age = 35*day + time.Duration(n)*time.Minute
	}
	i.Monitor, i.Low, i.Created = m, n%5 > 2, s.Opening.Add(-age-time.Minute)
	i.Onset, i.Changed, i.Updated = i.Created.Add(-5*time.Minute), i.Created, i.Created
	for k := range max(1, s.Size.Alerts/s.Size.Incidents) {
		s.alert(i, m, Region("eu"), float64(91+k%9))
	}
	holder := i.Policy.Levels[0].At(s.Opening)
	i.Level, i.Holder, i.Assigned = 0, holder, []Assignment{{holder, i.Created}}
	s.noteAt(i, i.Created, Triggered, nil, "monitor", m.Name)
	s.noteAt(i, i.Created.Add(i.Policy.Grace), "paged", holder, "timeout", "level 1")
	if n%3 == 0 {
		i.State, i.Changed, i.Acks = Acknowledged, i.Created.Add(30*time.Second), []Assignment{{holder, i.Created.Add(30 * time.Second)}}
		s.noteAt(i, i.Changed, Acknowledged, holder, "web", "")
	}
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
