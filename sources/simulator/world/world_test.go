package world

import (
	"math/rand/v2"
	"testing"
	"time"
)

var opening = time.Date(2026, 11, 17, 2, 14, 0, 0, time.UTC)

// rank orders what a job goes through: it never goes back.
func rank(status string) int {
	switch status {
	case Waiting:
		return 0
	case Queued:
		return 1
	case InProgress:
		return 2
	case Completed:
		return 3
	default:
		return -1
	}
}

// watcher holds a world against its laws each time that it looks.
type watcher struct {
	t    *testing.T
	w    *World
	last time.Time
	jobs map[int64]string
	ends map[int64]string // conclusions, which never change
}

func (x *watcher) look() {
	x.t.Helper()
	if x.w.Now().Before(x.last) {
		x.t.Fatalf("time went back from %s to %s", x.last, x.w.Now())
	}
	x.last = x.w.Now()
	for _, r := range x.w.Repos {
		for _, run := range r.Runs[max(0, len(r.Runs)-40):] { // nobody touches older ones
			for _, a := range run.Attempts {
				x.attempt(a)
			}
		}
		for _, d := range r.Deployments[max(0, len(r.Deployments)-40):] {
			for i, s := range d.Statuses {
				if s.At.Before(d.Created) || i > 0 && s.At.Before(d.Statuses[i-1].At) {
					x.t.Errorf("%s: deployment %d: status %s at %s is out of order", r.Full(), d.ID, s.State, s.At)
				}
			}
		}
	}
}

func (x *watcher) attempt(a *Attempt) {
	x.t.Helper()
	open, failed := 0, 0
	for _, j := range a.Jobs {
		if rank(j.Status) < rank(x.jobs[j.ID]) || rank(j.Status) < 0 {
			x.t.Errorf("job %d went from %q to %q", j.ID, x.jobs[j.ID], j.Status)
		}
		x.jobs[j.ID] = j.Status
		if was := x.ends[j.ID]; was != "" && was != j.Conclusion {
			x.t.Errorf("job %d ended as %q and then as %q", j.ID, was, j.Conclusion)
		}
		x.ends[j.ID] = j.Conclusion
		if (j.Status == Completed) != (j.Conclusion != "") {
			x.t.Errorf("job %d is %s with the conclusion %q", j.ID, j.Status, j.Conclusion)
		}
		if j.Status != Completed {
			open++
		}
		if j.Conclusion == Failure {
			failed++
		}
		if j.Started.Before(j.Created) && !j.Started.IsZero() || j.Status == Completed && j.Completed.Before(j.Started) {
			x.t.Errorf("job %d: created %s, started %s, completed %s", j.ID, j.Created, j.Started, j.Completed)
		}
		x.steps(j)
	}
	if a.Status == Completed {
		if open > 0 || a.Conclusion == "" || a.Conclusion == Success && failed > 0 {
			x.t.Errorf("attempt %d of run %d ended as %q with %d open and %d failed jobs", a.Number, a.Run.ID, a.Conclusion, open, failed)
		}
	} else if a != a.Run.Last() {
		x.t.Errorf("attempt %d of run %d goes on beside a newer one", a.Number, a.Run.ID)
	}
}

func (x *watcher) steps(j *Job) {
	x.t.Helper()
	running := 0
	for i, s := range j.Steps {
		if s.Status == InProgress {
			running++
		}
		if i > 0 && s.Status != Queued && j.Steps[i-1].Status == Queued {
			x.t.Errorf("job %d: step %q is %s before its turn", j.ID, s.Name, s.Status)
		}
	}
	if running > 1 || running > 0 && j.Status != InProgress {
		x.t.Errorf("job %d is %s with %d running steps", j.ID, j.Status, running)
	}
}

// TestLaws lets worlds go on for hours, with people who act at random, and holds that time only moves on
// and that everything goes through its states in order.
func TestLaws(t *testing.T) {
	t.Parallel()
	for seed := range int64(3) {
		w := Story(seed, opening)
		x := &watcher{t: t, w: w, jobs: map[int64]string{}, ends: map[int64]string{}}
		rng := rand.New(rand.NewPCG(uint64(seed), 9))
		for range 160 {
			w.RunUntil(w.Now().Add(time.Duration(rng.IntN(90)) * time.Second))
			meddle(w, rng)
			x.look()
			if t.Failed() {
				t.Fatalf("seed %d at %s", seed, w.Now())
			}
		}
	}
}

// meddle does something to a random run.
func meddle(w *World, rng *rand.Rand) {
	r := w.Repos[rng.IntN(7)]
	run := r.Runs[len(r.Runs)-1-rng.IntN(min(12, len(r.Runs)))]
	by := w.User("sre1")
	switch rng.IntN(8) {
	case 0:
		_ = w.RerunAll(run, by)
	case 1:
		_ = w.RerunFailed(run, by)
	case 2:
		_ = w.Cancel(run, rng.IntN(2) == 0)
	case 3:
		for _, j := range run.PendingJobs() {
			_, _ = w.Review(run, []int64{r.Environment(j.Environment).ID}, rng.IntN(3) > 0, "", by)
		}
	case 4:
		if wf := r.Workflow("deploy.yml"); wf != nil && wf.Dispatch {
			_, _ = w.Dispatch(wf, "main", map[string]string{"ref": "main", "environment": []string{"dev", "prod"}[rng.IntN(2)]}, by)
		}
	case 5:
		if jobs := run.Last().Jobs; len(jobs) > 0 {
			_ = w.RerunJob(jobs[rng.IntN(len(jobs))], by)
		}
	case 6:
		w.Deploy(&Deployment{Repo: r, SHA: r.Branches["main"], Ref: "main", Task: "deploy", Environment: "staging", Payload: []byte(`""`), Creator: by})
	}
}

// TestQueue holds that one run has a concurrency group, one waits, and a third takes its place.
func TestQueue(t *testing.T) {
	t.Parallel()
	w := Story(1, opening)
	r, _ := w.Repo("acme/checkout")
	if err := w.Cancel(w.Holders(r, "deploy-prod")[0], true); err != nil {
		t.Fatal(err)
	}
	w.RunUntil(w.Now().Add(time.Second))
	ship := func() *Run {
		run, err := w.Dispatch(r.Workflow("deploy.yml"), "main", map[string]string{"ref": "v1.9.1", "environment": "prod"}, w.User("sre1"))
		if err != nil {
			t.Fatal(err)
		}
		w.RunUntil(w.Now().Add(time.Second))
		return run
	}
	first, second := ship(), ship()
	if second.Last().Status != Pending || len(w.Holders(r, "deploy-prod")) != 2 {
		t.Fatalf("the second is %s", second.Last().Status)
	}
	third := ship()
	if a := second.Last(); a.Conclusion != Cancelled {
		t.Errorf("the second is %s %s", a.Status, a.Conclusion)
	}
	w.RunUntil(w.Now().Add(20 * time.Minute))
	if first.Last().Conclusion != Success || third.Last().Conclusion != Success || len(w.Holders(r, "deploy-prod")) != 0 {
		t.Errorf("first %s, third %s", first.Last().Conclusion, third.Last().Conclusion)
	}
	if first.Last().Updated.After(third.Last().Jobs[0].Started) {
		t.Error("the third began before the first had ended")
	}
}

// TestRerunFailed holds that an attempt keeps what had passed.
func TestRerunFailed(t *testing.T) {
	t.Parallel()
	w := Story(1, opening)
	r, _ := w.Repo("acme/money")
	run := r.Runs[len(r.Runs)-1]
	if err := w.RerunFailed(run, w.User("dev2")); err != nil {
		t.Fatal(err)
	}
	if err := w.RerunFailed(run, w.User("dev2")); err == nil {
		t.Error("a running run is run again")
	}
	w.RunUntil(w.Now().Add(30 * time.Minute))
	a := run.Last()
	if a.Number != 2 || a.Conclusion != Success || a.Actor.Login != "dev2" || run.Actor.Login != "sre1" {
		t.Errorf("attempt %d: %s by %s", a.Number, a.Conclusion, a.Actor.Login)
	}
	if j := a.Jobs[0]; j.Name != "lint" || !j.Started.Before(opening) {
		t.Errorf("%s ran again at %s", j.Name, j.Started)
	}
	if len(a.Jobs) != 14 {
		t.Errorf("%d jobs", len(a.Jobs))
	}
}

// TestReject holds that a rejected gate fails its job and nothing is deployed.
func TestReject(t *testing.T) {
	t.Parallel()
	w := Story(1, opening)
	r, _ := w.Repo("acme/search")
	run := r.Runs[len(r.Runs)-1]
	jobs := run.PendingJobs()
	ids := []int64{r.Environment(jobs[0].Environment).ID, r.Environment(jobs[1].Environment).ID}
	if _, err := w.Review(run, ids, true, "", w.User("dev1")); err == nil {
		t.Error("somebody approved who may not")
	}
	if _, err := w.Review(run, ids, false, "not now", w.User("sre1")); err != nil {
		t.Fatal(err)
	}
	w.RunUntil(w.Now().Add(time.Minute))
	if a := run.Last(); a.Conclusion != Failure || jobs[0].Deployment.State() != Failure {
		t.Errorf("the run is %s, its deployment %s", a.Conclusion, jobs[0].Deployment.State())
	}
	if sha, _ := w.Service("search").Running("prod", "eu"); sha[:7] == "9e4410c" {
		t.Error("it was deployed all the same")
	}
	if err := w.RerunFailed(run, w.User("sre1")); err != nil {
		t.Fatal(err)
	}
	w.RunUntil(w.Now().Add(time.Minute))
	if _, err := w.Review(run, ids, true, "", w.User("sre1")); err != nil {
		t.Fatal(err)
	}
	w.RunUntil(w.Now().Add(20 * time.Minute))
	if sha, _ := w.Service("search").Running("prod", "us"); sha[:7] != "9e4410c" {
		t.Errorf("prod runs %s after the approval", sha[:7])
	}
}

// TestBadVersion holds how a version hurts, and for how long after it is gone.
func TestBadVersion(t *testing.T) {
	t.Parallel()
	at := func(m time.Duration) time.Time { return opening.Add(m) }
	s := &Service{Stages: map[string]map[string]string{"prod": {"eu": "e", "us": "u"}}, Live: []Change{
		{At: at(-time.Hour), Stage: "prod", Target: "eu"}, {At: at(-time.Hour), Stage: "prod", Target: "us"},
		{At: at(0), Stage: "prod", Target: "eu", Bad: true}, {At: at(10 * time.Minute), Stage: "prod", Target: "eu"},
	}}
	for _, x := range []struct {
		at     time.Duration
		lo, hi float64
	}{
		{-time.Minute, 0, 0}, {30 * time.Second, 0.1, 0.13}, {time.Minute, 0.24, 0.25}, {10*time.Minute - 1, 0.49, 0.5},
		{10*time.Minute + 6*time.Second, 0.15, 0.2}, {10*time.Minute + 30*time.Second, 0, 0.01},
	} {
		if got := s.harm(at(x.at)); got < x.lo || got > x.hi {
			t.Errorf("after %s half of prod hurts by %g, want %g to %g", x.at, got, x.lo, x.hi)
		}
	}
}

// TestShifts holds who is on call around the changes of shifts.
func TestShifts(t *testing.T) {
	t.Parallel()
	w := Story(1, opening)
	for clock, want := range map[string]string{
		"21:59": "sre3", "22:00": "sre1", "00:00": "sre1", "05:59": "sre1", "06:00": "sre2", "13:59": "sre2", "14:00": "sre3",
	} {
		at, err := time.Parse("2006-01-02 15:04", "2026-11-17 "+clock)
		if err != nil {
			t.Fatal(err)
		}
		s := w.OnCall(at)
		if s[0].Who.Login != want || s[0].From.After(at) || !s[0].Till.After(at) || !s[1].From.Equal(s[0].Till) || s[1].Who == s[0].Who {
			t.Errorf("at %s: %+v", clock, s)
		}
	}
}
