package world

import (
	"fmt"
	"time"
)

const day = 24 * time.Hour

// Story makes the world in which a bad version of checkout has just paged somebody, at its opening.
// Three weeks have passed in it by then, with everything that they left behind.
func Story(seed int64, opening time.Time) *World {
	w := empty(seed, opening, opening.Add(-21*day))
	s := &script{World: w}
	s.people()
	s.teams()
	s.places()
	s.past()
	s.checkout()
	s.search()
	s.web()
	s.accounts()
	s.money()
	s.reports()
	s.fires()
	s.later()
	w.at(opening.Add(-2*time.Hour).Truncate(time.Minute), w.probe)
	w.RunUntil(opening)
	return w
}

// script tells the story into a world. Its times are counted back from the opening.
type script struct{ *World }

func (s *script) ago(d time.Duration, do func()) { s.at(s.Opening.Add(-d), do) }

func (s *script) by(login string) *User { return s.User(login) }

func (s *script) people() {
	berlin := time.FixedZone("CET", 3600)
	for _, p := range []struct{ login, name string }{
		{"sre1", "Sam Ríos"}, {"sre2", "Ines Vogel"}, {"sre3", "Kofi Mensah"}, {"lead1", "Ada Lind"},
		{"dev1", "Noor Haddad"}, {"dev2", "Jun Park"}, {"dev3", "Lea Roth"}, {"dev4", "Max Okafor"}, {"dev5", "Tia Bianchi"},
	} {
		s.addUser(p.login, p.name, false)
	}
	s.by("sre2").Zone, s.by("sre2").Place = berlin, "Europe/Berlin"
	s.by("sre3").Zone, s.by("sre3").Place = time.FixedZone("IST", 5*3600+1800), "Asia/Kolkata"
	s.addUser("bot", "Dependency bot", true)
	s.addUser("fleet", "Fleet", true)
}

// places makes the organisations, repositories, environments, runners and services.
func (s *script) places() {
	acme := s.addOrg("acme", false)
	secure := s.addOrg("secure-corp", true)
	twoTargets := []string{"eu", "us"}
	both := map[string]string{"eu": "production-eu", "us": "production-us"}
	single := func(name string) map[string]string { return map[string]string{"": name} }
	for _, x := range []struct {
		name string
		wfs  []Workflow
	}{
		{"checkout", []Workflow{pushed(ciWorkflow()), releaseWorkflow(), pushed(migrating(deployWorkflow("deploy", "", twoTargets...)))}},
		{"search", []Workflow{pushed(ciWorkflow()), pushed(trainWorkflow())}},
		{"web", []Workflow{pushed(ciWorkflow()), pushed(releaseWorkflow()), deployWorkflow("deploy", "", twoTargets...), nightlyWorkflow("production-eu")}},
		{"accounts", []Workflow{pushed(gpuWorkflow()), releaseWorkflow(), deployWorkflow("deploy", "", twoTargets...)}},
		{"money", []Workflow{
			pushed(matrixWorkflow()), unnamed(deployWorkflow("deploy-ledger", "ledger-", "eu")), deployWorkflow("deploy-payouts", "payouts-", "eu"),
		}},
		{"reports", []Workflow{pushed(ciWorkflow()), pushed(releaseWorkflow()), listenWorkflow()}},
		{"billing-core", []Workflow{pushed(ciWorkflow()), pushed(releaseWorkflow()), deployWorkflow("deploy", "", twoTargets...)}},
	} {
		r := s.addRepo(acme, x.name)
		s.commit(r, "main", "", "Begin", s.by("dev1"))
		for _, wf := range x.wfs {
			s.addWorkflow(r, wf)
		}
	}
	repo := func(name string) *Repo { r, _ := s.Repo("acme/" + name); return r }
	repo("web").Former = []string{"acme/old-web"}
	for _, name := range []string{"production-eu", "production-us"} {
		e := s.addEnvironment(repo("search"), name, s.by("sre1"), s.by("lead1"))
		e.Team = "sre"
	}
	s.addEnvironment(repo("checkout"), "schema", s.by("sre1"), s.by("lead1"))
	repo("checkout").Workflow("deploy.yml").runs = 808 // they began long before
	repo("accounts").Fleet = s.by("fleet")
	s.extras(acme, secure)
	stages := func(prod map[string]string) map[string]map[string]string {
		return map[string]map[string]string{"dev": single("dev"), "staging": single("staging"), "prod": prod}
	}
	for _, name := range []string{"checkout", "search", "web", "accounts", "reports"} {
		s.Services = append(s.Services, &Service{Name: name, Team: "payments", Repo: repo(name), Stages: stages(both)})
	}
	s.Services = append(s.Services,
		&Service{Name: "ledger", Team: "payments", Repo: repo("money"), Prefix: "ledger/", Stages: map[string]map[string]string{
			"dev": single("ledger-dev"), "staging": single("ledger-staging"), "prod": {"eu": "ledger-production-eu"},
		}},
		&Service{Name: "payouts", Team: "treasury", Repo: repo("money"), Prefix: "payouts/", Stages: map[string]map[string]string{
			"staging": single("payouts-staging"), "prod": {"eu": "payouts-production-eu"},
		}},
		&Service{Name: "billing-core", Team: "platform", Repo: repo("billing-core"), Stages: stages(both)},
	)
	s.behaviour()
	s.specials()
}

// extras makes what a board meets in real organisations: machines, and repositories in odd states.
func (s *script) extras(acme, secure *Org) {
	accounts, _ := s.Repo("acme/accounts")
	accounts.Runners = []*Runner{
		{ID: s.id(idRunner), Name: "metal-1", OS: "Linux", Labels: []string{"self-hosted", "Linux", "X64"}, Online: true},
		{ID: s.id(idRunner), Name: "gpu-1", OS: "Linux", Labels: []string{"self-hosted", "Linux", "X64", "gpu"}, Online: true},
	}
	legacy := s.addRepo(acme, "legacy")
	s.commit(legacy, "main", "", "Begin", s.by("dev1"))
	legacy.Archived = true
	gone := s.addRepo(acme, "gone")
	s.commit(gone, "main", "", "Begin", s.by("dev1"))
	gone.Deleted = true
	vault := s.addRepo(secure, "vault")
	s.commit(vault, "main", "", "Begin", s.by("dev1"))
}

// unnamed makes a workflow call its runs by its own name: no input is echoed.
func unnamed(wf Workflow) Workflow {
	wf.Title = nil
	return wf
}

// merge lands a change on main, and starts what that starts.
func (s *script) merge(repo, prefix, message, author string, files ...File) *Commit {
	r, _ := s.Repo("acme/" + repo)
	c := s.commit(r, r.Default, prefix, message, s.by(author), files...)
	s.push(r, r.Default, c, "ci", 0)
	return c
}

// push starts the workflow of that name for a commit on a branch or tag; it takes length, or what its
// steps say when that is 0.
func (s *script) push(r *Repo, ref string, c *Commit, workflow string, length time.Duration) *Run {
	return s.startRun(start{
		workflow: r.Workflow(workflow + ".yml"), event: "push", branch: ref, sha: c.SHA, actor: c.Author, length: length,
	})
}

// release tags a commit and pushes the tag.
func (s *script) release(r *Repo, c *Commit, tag string, length time.Duration) {
	s.tag(r, tag, c.SHA, c.Author)
	s.push(r, tag, c, "release", length)
}

// ship starts a deployment by hand so that it ends that long before the opening.
func (s *script) ship(repo, workflow string, ended, length time.Duration, who string, inputs func() map[string]string, fail *Fail) {
	r, _ := s.Repo("acme/" + repo)
	s.ago(ended+length, func() {
		in := inputs()
		if in["target"] == "" {
			in["target"] = "all"
		}
		s.startRun(start{
			workflow: r.Workflow(workflow + ".yml"), event: "workflow_dispatch", branch: r.Default, sha: r.Branches[r.Default],
			actor: s.by(who), inputs: in, length: length, fail: fail,
		})
	})
}

func to(environment string, ref *string) func() map[string]string {
	return func() map[string]string { return map[string]string{"environment": environment, "ref": *ref} }
}

// past fills three weeks with everyday work.
func (s *script) past() {
	titles := []string{
		"Cache currency rates", "Drop the old importer", "Retry on 503", "Log the request id", "Tidy the queue's metrics",
		"Validate postal codes", "Raise the pool to 40", "Fix a flaky test", "Document the failover", "Read limits from config",
		"Trim the image", "Trace slow queries", "Guard against empty carts", "Speed up start-up", "Make alerts quieter",
	}
	until := map[string]time.Duration{
		"checkout": 4 * day, "search": 6 * day, "web": 2 * day, "accounts": 2 * day, "money": 3 * day, "reports": 5 * day, "billing-core": day,
	}
	for n, name := range []string{"checkout", "search", "web", "accounts", "money", "reports", "billing-core"} {
		r, _ := s.Repo("acme/" + name)
		step := 19 * time.Hour
		for i, t := 0, 20*day-time.Duration(n)*time.Hour; t > until[name]; i, t = i+1, t-step {
			title := titles[(i*7+n*3)%len(titles)]
			who := fmt.Sprintf("dev%d", 1+(i+n)%5)
			s.ago(t, func() { s.change(r, title, who, i) })
		}
	}
}

// change is one pull request from its branch to main.
func (s *script) change(r *Repo, title, who string, n int) {
	r.Pulls++
	pull := r.Pulls
	files := []File{{Path: "app/part" + itoa(n%9) + ".go", Status: "modified", Additions: 8 + n, Removed: n % 5}}
	if r.Name == "money" {
		files[0].Path = []string{"ledger/", "payouts/"}[n%2] + "main.go"
	}
	branch := "change/" + itoa(pull)
	c := s.commit(r, branch, "", title, s.by(who), files...)
	var fail *Fail
	if n%6 == 4 {
		fail = &Fail{Job: r.Workflow("ci.yml").Jobs[1].Name, Step: r.Workflow("ci.yml").Jobs[1].Steps[2].Name, Attempts: 1}
	}
	pr := s.startRun(start{workflow: r.Workflow("ci.yml"), event: "pull_request", branch: branch, sha: c.SHA, actor: c.Author, pull: pull, fail: fail})
	merge := func() {
		delete(r.Branches, branch)
		m := s.commit(r, r.Default, "", fmt.Sprintf("%s (#%d)", title, pull), c.Author, files...)
		run := s.push(r, r.Default, m, "ci", 0)
		if n%9 == 5 {
			run.fail = &Fail{Job: run.Workflow.Jobs[0].Name, Step: run.Workflow.Jobs[0].Steps[2].Name, Attempts: 1}
		}
		if r.Name == "web" || r.Name == "billing-core" {
			s.push(r, r.Default, m, "release", s.between(3*time.Minute+50*time.Second, 4*time.Minute+10*time.Second))
		}
	}
	pr.then = func() {
		if pr.Last().Conclusion == Failure {
			pr.then = merge
			s.after(s.between(5*time.Minute, 20*time.Minute), func() { _ = s.RerunFailed(pr, c.Author) })
			return
		}
		s.after(s.between(10*time.Minute, 40*time.Minute), merge)
	}
}
