package world

import (
	"encoding/json"
	"time"
)

// The chapters of the story: one for each service of the board.

func (s *script) checkout() {
	r, _ := s.Repo("acme/checkout")
	var v190, v191, v192 string
	s.ago(10*day, func() { s.commit(r, "spike/cards", "", "Try another card form", s.by("dev2")) })
	s.ago(9*day, func() {
		c := s.merge("checkout", "", "Show saved cards", "dev1")
		v190 = c.SHA
		s.release(r, c, "v1.9.0", 0)
	})
	s.ship("checkout", "deploy", 8*day, 4*time.Minute, "dev1", to("prod", &v190), nil)
	s.ago(3*day+3*time.Hour, func() {
		c := s.merge("checkout", "9f8e7d6", "Round totals per line (#411)", "dev3")
		v191 = c.SHA
		s.release(r, c, "v1.9.1", 0)
	})
	s.ship("checkout", "deploy", 3*day, 4*time.Minute, "dev3", to("prod", &v191), nil)
	s.ago(22*time.Hour, func() {
		s.merge("checkout", "31c0de2", "Bump sdk (#415)", "bot", File{Path: "go.mod", Status: "modified", Additions: 1, Removed: 1})
	})
	s.ago(70*time.Minute, func() {
		r.Pulls = 418
		c := s.merge("checkout", "a1b2c3d", "Retry card tokens (#418)", "dev4",
			File{Path: "app/cards.go", Status: "modified", Additions: 61, Removed: 12},
			File{Path: "db/0042_cards.sql", Status: "added", Additions: 9})
		v192 = c.SHA
		s.bad[v192] = true
	})
	s.ago(52*time.Minute+44*time.Second, func() { s.release(r, r.Commit(v192), "v1.9.2", 7*time.Minute+44*time.Second) })
	s.ship("checkout", "deploy", 10*time.Minute, 4*time.Minute, "dev4", to("prod", &v192), nil)
	// Nobody has said yet whether the rest of the migration may follow: it holds what production's deployments
	// wait for.
	s.ago(7*time.Minute, func() {
		s.startRun(start{
			workflow: r.Workflow("deploy.yml"), event: "workflow_dispatch", branch: r.Default, sha: r.Branches[r.Default], actor: s.by("dev4"),
			inputs: map[string]string{"environment": "prod", "ref": v192, "target": "schema"},
		})
	})
	s.ago(13*time.Minute, func() {
		f := Flag{Name: "pay_retry", Service: s.Service("checkout"), On: true, By: s.by("dev2"), At: s.Now()}
		s.Flags = append(s.Flags, f)
		s.flip(f.Name, f.Service, f.On, f.By)
	})
}

func (s *script) search() {
	r, _ := s.Repo("acme/search")
	approve := func(run *Run) func() {
		return func() {
			var ids []int64
			for _, j := range run.PendingJobs() {
				ids = append(ids, r.Environment(j.Environment).ID)
			}
			if len(ids) > 0 {
				_, _ = s.Review(run, ids, true, "looks good", s.by("lead1"))
			}
		}
	}
	s.ago(5*day+70*time.Minute, func() {
		c := s.merge("search", "", "Index synonyms", "dev2")
		s.tag(r, "v0.8.0", c.SHA, c.Author)
		run := s.push(r, "main", c, "deploy", 12*time.Minute)
		s.after(time.Hour, approve(run))
	})
	for i, title := range []string{"Stem plurals", "Score by clicks", "Cap the result page"} {
		s.ago(3*day-time.Duration(i)*9*time.Hour, func() { s.merge("search", "", title, "dev2") })
	}
	s.ago(75*time.Minute, func() { s.merge("search", "9e4410c", "Rank by recency", "dev5") })
	s.ago(45*time.Minute, func() {
		c := r.Commit(r.Branches["main"])
		s.tag(r, "v0.8.1", c.SHA, c.Author)
		// Its jobs up to staging take five of these eight minutes.
		s.push(r, "main", c, "deploy", 8*time.Minute+31*time.Second)
	})
}

func (s *script) web() {
	r, _ := s.Repo("acme/web")
	var b00 string
	s.ago(30*time.Hour, func() {
		c := s.merge("web", "b00b1e5", "Lazy-load the footer", "dev3")
		b00 = c.SHA
		s.push(r, "main", c, "release", 4*time.Minute)
	})
	s.ship("web", "deploy", 26*time.Hour, 3*time.Minute, "dev3", to("prod", &b00), nil)
	s.ago(3*time.Hour, func() {
		s.merge("web", "", "Fix typos in the docs (#431)", "dev2", File{Path: "docs/intro.md", Status: "modified", Additions: 4, Removed: 4})
	})
	for _, ago := range []time.Duration{48*time.Hour + 44*time.Minute, 24*time.Hour + 44*time.Minute, 44 * time.Minute} {
		s.ago(ago, func() {
			s.startRun(start{workflow: r.Workflow("nightly.yml"), event: "schedule", branch: "main", sha: r.Branches["main"], actor: s.by("dev3")})
		})
	}
	for i, ago := range []time.Duration{20 * time.Hour, 17 * time.Hour, 13 * time.Hour, 9 * time.Hour, 5 * time.Hour} {
		s.ago(ago, func() {
			var fail *Fail
			if i == 0 {
				fail = &Fail{Job: "apply", Step: "Apply", Attempts: 1}
			}
			s.startRun(start{
				workflow: r.Workflow("deploy.yml"), event: "workflow_dispatch", branch: "main", sha: r.Branches["main"], actor: s.by("dev1"),
				inputs: map[string]string{"environment": "dev", "ref": b00, "target": "all"}, length: 2 * time.Minute, fail: fail,
			})
		})
	}
	s.ago(2*time.Minute+10*time.Second, func() {
		r.Pulls = 433
		c := s.commit(r, "main", "c0ffee1", "New navigation (#433)", s.by("dev1"), File{Path: "src/nav.ts", Status: "modified", Additions: 210, Removed: 96})
		s.push(r, "main", c, "release", 4*time.Minute)
	})
}

func (s *script) accounts() {
	r, _ := s.Repo("acme/accounts")
	var v202, v203 string
	s.ago(20*day+2*time.Hour, func() {
		c := s.merge("accounts", "", "Expire sessions", "dev5")
		v202 = c.SHA
		s.release(r, c, "v2.0.2", 0)
	})
	for _, target := range []string{"eu", "us"} {
		s.rollOut(r, 20*day, target, &v202, true)
	}
	s.ago(6*day+2*time.Hour, func() {
		c := s.merge("accounts", "", "Sign tokens with ed25519", "dev5")
		v203 = c.SHA
		s.release(r, c, "v2.0.3", 0)
	})
	s.rollOut(r, 6*day, "eu", &v203, true)
	s.ago(66*time.Minute, func() {
		c := s.merge("accounts", "", "Audit key use", "dev5")
		s.bad[c.SHA] = true // nobody knows yet: it runs in staging alone
		s.release(r, c, "v2.0.4", 6*time.Minute)
	})
	s.rollOut(r, 6*time.Minute, "us", &v203, false)
	s.ago(20*time.Minute, func() { s.SetRunner(r, "gpu-1", false) })
	s.ago(4*time.Minute, func() {
		r.Pulls = 418
		branch := "gh-readonly-queue/main/pr-418-" + r.Branches["main"]
		c := s.commit(r, branch, "5d0cab4", "Rotate keys (#418)", s.by("dev5"), File{Path: "app/keys.go", Status: "modified", Additions: 33, Removed: 14})
		r.Protected = []string{"main"}
		s.startRun(start{workflow: r.Workflow("ci.yml"), event: "merge_group", branch: branch, sha: c.SHA, actor: s.by("dev5"), pull: 418})
	})
}

// rollOut is a deployment that the repository's fleet carries out. It ends that long before the opening.
func (s *script) rollOut(r *Repo, ended time.Duration, target string, sha *string, ok bool) {
	s.ago(ended+3*time.Minute, func() {
		d := s.record(&Deployment{
			Repo: r, SHA: *sha, Ref: "main", Task: "deploy", Environment: "production-" + target,
			Payload: json.RawMessage(`{"tool":"fleet"}`), Description: "fleet rollout", Creator: s.by("dev5"),
		})
		s.carryOut(d, 3*time.Minute, ok)
	})
}

func (s *script) money() {
	r, _ := s.Repo("acme/money")
	var v329, payouts string
	s.ago(2*day+5*time.Hour, func() {
		c := s.merge("money", "", "Batch the journal (#402)", "dev2", File{Path: "ledger/journal.go", Status: "modified", Additions: 44, Removed: 20})
		v329 = c.SHA
		s.tag(r, "ledger/v3.2.9", c.SHA, c.Author)
	})
	for i, env := range []string{"dev", "staging", "prod"} {
		s.ship("money", "deploy-ledger", 2*day+time.Duration(2-i)*10*time.Minute, 3*time.Minute, "dev2", to(env, &v329), nil)
	}
	s.ago(30*time.Hour, func() {
		c := s.merge("money", "", "Pay out twice a day (#404)", "dev4", File{Path: "payouts/plan.go", Status: "modified", Additions: 12, Removed: 3})
		payouts = c.SHA
		s.tag(r, "payouts/v1.4.0", c.SHA, c.Author)
	})
	s.ship("money", "deploy-payouts", 29*time.Hour, 3*time.Minute, "dev4", to("staging", &payouts), nil)
	s.ship("money", "deploy-payouts", 28*time.Hour, 3*time.Minute, "dev4", to("prod", &payouts), nil)
	s.ago(7*time.Minute+30*time.Second, func() {
		c := s.commit(r, "fix/lag", "77aa001", "Widen batch window", s.by("sre1"), File{Path: "ledger/replica.go", Status: "modified", Additions: 7, Removed: 7})
		s.startRun(start{
			workflow: r.Workflow("ci.yml"), event: "push", branch: "fix/lag", sha: c.SHA, actor: c.Author, length: 3*time.Minute + 12*time.Second,
			fail: &Fail{Job: "run tests", Legs: []int{3, 7, 11}, Step: "TestReplicaCatchUp", Attempts: 1},
		})
	})
}

func (s *script) reports() {
	r, _ := s.Repo("acme/reports")
	s.ago(4*day, func() {
		c := s.merge("reports", "", "Render statements", "dev3")
		s.push(r, "main", c, "release", 5*time.Minute)
	})
	for i, title := range []string{"Sort by due date", "Export as CSV", "Paginate the archive"} {
		s.ago(2*day-time.Duration(i)*11*time.Hour, func() { s.merge("reports", "", title, "dev3") })
	}
}
