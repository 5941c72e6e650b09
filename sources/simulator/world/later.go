package world

import (
	"fmt"
	"time"
)

// later is what happens by itself once the story has opened: a fix for the machine that is missing, and
// everyday work that never touches checkout's or search's production, which belong to whoever plays.
func (s *script) later() {
	accounts, _ := s.Repo("acme/accounts")
	s.ago(-11*time.Minute, func() { s.SetRunner(accounts, "gpu-1", true) })
	s.ago(-90*time.Second, s.tick)
	// A page of a service that is nobody's on the board.
	s.ago(-26*time.Minute, func() {
		i := s.Declare(s.Service("payouts"), "settlement file is late", 4, s.by("dev2"))
		s.Rename(i, i.Title, true)
		s.after(6*time.Minute, func() { s.Acknowledge(i, s.by("dev2"), "web") })
		s.after(35*time.Minute, func() { s.Resolve(i, s.by("dev2"), "web") })
	})
	s.ago(-17*time.Minute, func() { s.configure("web", "image quality 80 → 75", "images.quality", 80, 75, "dev3") })
	s.ago(-48*time.Minute, func() { s.flip("new_basket", s.Service("checkout"), false, s.by("dev1")) })
}

// tick does one thing, and the next one a few minutes later.
func (s *script) tick() {
	switch p := s.rng.Float64(); {
	case s.Rest:
	case p < 0.45:
		s.branchWork()
	case p < 0.75:
		s.landWork()
	case p < 0.9:
		s.shipWork()
	default:
		s.retryWork()
	}
	s.after(s.between(2*time.Minute, 5*time.Minute), s.tick)
}

func (s *script) pick(names ...string) *Repo {
	r, _ := s.Repo("acme/" + names[s.rng.IntN(len(names))])
	return r
}

func (s *script) author() *User { return s.by(fmt.Sprintf("dev%d", 1+s.rng.IntN(5))) }

func (s *script) title() string {
	verbs := [...]string{"Simplify", "Cache", "Guard", "Document", "Speed up", "Split", "Retry", "Log"}
	nouns := [...]string{"the importer", "invoice lookups", "the retry loop", "session keys", "the basket", "currency rates", "the audit trail"}
	return verbs[s.rng.IntN(len(verbs))] + " " + nouns[s.rng.IntN(len(nouns))]
}

// branchWork opens a pull request; one in six fails.
func (s *script) branchWork() {
	r := s.pick("checkout", "search", "web", "reports", "billing-core", "money")
	wf := r.Workflow("ci.yml")
	r.Pulls++
	branch := "change/" + itoa(r.Pulls)
	c := s.commit(r, branch, "", s.title(), s.author())
	var fail *Fail
	if s.chance(1.0 / 6) {
		fail = &Fail{Job: wf.Jobs[1].Name, Step: wf.Jobs[1].Steps[2].Name, Attempts: 1}
	}
	s.startRun(start{
		workflow: wf, event: "pull_request", branch: branch, sha: c.SHA, actor: c.Author, pull: r.Pulls, fail: fail,
		length: s.between(2*time.Minute, 6*time.Minute),
	})
}

// landWork merges something, and builds and stages it where main does that.
func (s *script) landWork() {
	r := s.pick("web", "web", "reports", "billing-core", "search")
	r.Pulls++
	c := s.commit(r, r.Default, "", fmt.Sprintf("%s (#%d)", s.title(), r.Pulls), s.author())
	s.push(r, r.Default, c, "ci", s.between(2*time.Minute, 5*time.Minute))
	if r.Name != "search" {
		s.push(r, r.Default, c, "release", s.between(3*time.Minute, 5*time.Minute))
	}
}

// shipWork puts what runs in staging into production. One in ten hurts, and is taken back by whoever
// did it a quarter of an hour later.
func (s *script) shipWork() {
	r := s.pick("web", "billing-core")
	svc := s.Service(r.Name)
	next, _ := svc.Running("staging", "")
	now, _ := svc.Running("prod", "eu")
	if next == "" || next == now {
		s.branchWork()
		return
	}
	who := s.author()
	s.bad[next] = s.bad[next] || s.chance(0.1)
	deploy := func(sha string) {
		s.startRun(start{
			workflow: r.Workflow("deploy.yml"), event: "workflow_dispatch", branch: r.Default, sha: r.Branches[r.Default], actor: who,
			inputs: map[string]string{"environment": "prod", "ref": sha, "target": "all"}, length: s.between(3*time.Minute, 5*time.Minute),
		})
	}
	deploy(next)
	if s.bad[next] && now != "" {
		s.after(s.between(14*time.Minute, 20*time.Minute), func() { deploy(now) })
	}
}

// retryWork tries the newest failed run of a pull request again.
func (s *script) retryWork() {
	r := s.pick("checkout", "search", "web", "reports", "billing-core")
	for i := len(r.Runs) - 1; i >= 0; i-- {
		if run := r.Runs[i]; run.Event == "pull_request" && run.Last().Conclusion == Failure {
			_ = s.RerunFailed(run, run.Actor)
			return
		}
	}
	s.branchWork()
}
