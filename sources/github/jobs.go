package github

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// ListJobs lists the jobs of a run's newest attempt, or of every attempt.
func (s *source) ListJobs(ctx context.Context, run sources.Ref, every bool) ([]sources.Job, error) {
	c, id, err := s.object(ctx, run, sources.KindRun)
	if err != nil {
		return nil, err
	}
	filter := "latest"
	if every {
		filter = "all"
	}
	path := c.jobsPath(id, filter)
	wires, err := c.jobPages(path, func(p string) (reply[wireJobs], error) { return fetch[wireJobs](ctx, c, p) })
	if err != nil {
		return nil, c.fail("list jobs", err)
	}
	return c.jobs(wires), nil
}

// object is the connection and the number that a Ref stands for.
func (s *source) object(ctx context.Context, ref sources.Ref, kind sources.Kind) (*repoConn, int64, error) {
	id, err := strconv.ParseInt(ref.ID, 10, 64)
	if err != nil || id <= 0 || ref.Kind != kind {
		return nil, 0, &sources.Error{Kind: sources.Invalid, Op: "read " + string(kind), Scope: ref.Scope, Msg: fmt.Sprintf("%s is no %s of GitHub's", ref, kind)}
	}
	c, err := s.repo(ctx, ref.Scope)
	if err != nil {
		return nil, 0, httpx.Explain("read "+string(kind), ref.Scope, err)
	}
	return c, id, nil
}

func (c *repoConn) jobsPath(run int64, filter string) string {
	return fmt.Sprintf("%s/actions/runs/%d/jobs?filter=%s&per_page=100", c.path, run, filter)
}

func (c *repoConn) jobPages(path string, read getter[wireJobs]) ([]wireJob, error) {
	jobs, _, _, err := pages(read, path, 0, maxPages,
		func(r wireJobs) []wireJob { return r.Jobs }, func(j wireJob) int64 { return j.ID })
	return jobs, err
}

// runJobs are the jobs of a run's newest attempt. Those of a finished attempt are read once.
func (c *repoConn) runJobs(ctx context.Context, w wireRun) ([]sources.Job, error) {
	read := func(p string) (reply[wireJobs], error) { return fetch[wireJobs](ctx, c, p) }
	if w.Status == "completed" {
		version := fmt.Sprintf("attempt %d %d", w.RunAttempt, w.UpdatedAt.Unix())
		read = func(p string) (reply[wireJobs], error) { return settled[wireJobs](ctx, c, version, p) }
	}
	wires, err := c.jobPages(c.jobsPath(w.ID, "latest"), read)
	return c.jobs(wires), err
}

func (c *repoConn) jobs(wires []wireJob) []sources.Job {
	out := make([]sources.Job, len(wires))
	for i, w := range wires {
		out[i] = c.job(w)
	}
	return out
}

// legKey is equal for the legs of one matrix.
func legKey(j sources.Job) string {
	var b strings.Builder
	for _, c := range j.Caller {
		b.WriteString(c.String())
		b.WriteByte(0)
	}
	b.WriteString(j.Name.String())
	fmt.Fprintf(&b, "\x00%d", j.Attempt)
	return b.String()
}

// enrich adds what a run's jobs tell, for runs that are live, waiting or failed.
func (l *runList) enrich(ctx context.Context, r *sources.Run, w wireRun) error {
	r.Deploys = l.deploys(*r)
	if r.State.Done() && r.State != sources.StateFailed || r.State == sources.StateUnknown {
		return nil
	}
	jobs, err := l.runJobs(ctx, w)
	if err != nil {
		return l.optional(&l.notices, "jobs cannot be read", err)
	}
	l.fromJobs(r, jobs)
	if _, idle := atWork(jobs, r.Started); idle > 0 {
		l.mu.Lock()
		if l.idle == nil {
			l.idle = map[int64]time.Duration{}
		}
		l.idle[w.ID] = idle
		l.mu.Unlock()
	}
	if r.State == sources.StateWaiting && w.Status != "completed" {
		l.s.enters(l.scope, w.WorkflowID)
		if r.Gates, err = l.gates(ctx, r); err != nil {
			return l.optional(&l.notices, "pending approvals cannot be read", err)
		}
		r.Deploys = r.Deploys || len(r.Gates) > 0
	}
	r.Revision = runRevision(r)
	if r.State == sources.StateQueued || r.State == sources.StateRunning {
		r.NoRunner, err = l.missingRunners(ctx, jobs, l.q.Now)
	}
	return err
}

// fromJobs adds what the jobs tell of a run without asking anybody else.
func (l *runList) fromJobs(r *sources.Run, jobs []sources.Job) {
	r.Jobs = countJobs(jobs)
	if r.State == sources.StateFailed || r.Jobs.Failed > 0 {
		r.Failure = worst(jobs)
	}
	for _, sp := range l.q.Services {
		for _, j := range jobs {
			r.Deploys = r.Deploys || named(sp.Deploys, j.Name.String())
		}
	}
	if r.State.Done() {
		end := time.Time{}
		for _, j := range jobs {
			if j.Ended.After(end) {
				end = j.Ended
			}
		}
		if !end.IsZero() {
			r.Ended = end
		}
	}
}

func countJobs(jobs []sources.Job) sources.JobCounts {
	n := sources.JobCounts{Total: len(jobs)}
	for _, j := range jobs {
		switch {
		case j.State == sources.StateFailed:
			n.Failed++
			n.Done++
		case j.State.Done():
			n.Done++
		case j.State == sources.StateRunning:
			n.Running++
		}
	}
	return n
}

// worst folds a matrix into one failure, and picks the job that failed in most of its legs.
func worst(jobs []sources.Job) *sources.Failure {
	type group struct {
		first        int
		failed, legs int
	}
	groups := map[string]*group{}
	for i, j := range jobs {
		k := legKey(j)
		g := groups[k]
		if g == nil {
			g = &group{first: -1}
			groups[k] = g
		}
		g.legs++
		if j.State == sources.StateFailed {
			if g.failed++; g.first < 0 {
				g.first = i
			}
		}
	}
	var top *group
	for _, g := range groups {
		if g.failed > 0 && (top == nil || g.failed > top.failed || g.failed == top.failed && g.first < top.first) {
			top = g
		}
	}
	if top == nil {
		return nil
	}
	j := jobs[top.first]
	f := &sources.Failure{Job: j.Ref, JobName: j.Name, Failed: top.failed, Legs: top.legs}
	callers := make([]string, len(j.Caller))
	for i, c := range j.Caller {
		callers[i] = c.String()
	}
	f.Caller = clean.Line(strings.Join(callers, " › "))
	for _, st := range j.Steps {
		if st.State == sources.StateFailed {
			f.Step = st.Name
			break
		}
	}
	return f
}

// queuedLong is how long a job waits for a machine before its labels are checked.
const queuedLong = 2 * time.Minute

// missingRunners are the labels, of jobs that have waited long for a machine, that no online runner
// offers. Where the runners may not be listed (that needs an administrator's token) they are all labels
// of the job that are not GitHub's own.
func (l *runList) missingRunners(ctx context.Context, jobs []sources.Job, now time.Time) ([]string, error) {
	var missing []string
	for _, j := range jobs {
		if j.State != sources.StateQueued || !j.Reason.IsZero() || now.Sub(j.Created) < queuedLong || j.Created.IsZero() || len(j.Labels) == 0 {
			continue
		}
		if !slices.ContainsFunc(j.Labels, func(label string) bool { return !hosted(label) }) {
			continue
		}
		online, err := l.onlineRunners(ctx)
		if err != nil {
			return nil, err
		}
		for _, label := range lacking(j.Labels, online) {
			if !slices.Contains(missing, label) {
				missing = append(missing, label)
			}
		}
	}
	if len(missing) > 0 {
		httpx.Note(ctx, fmt.Sprint("no runner ", jobs[0].Ref, missing))
	}
	return missing, nil
}

// hosted reports that GitHub itself offers a label.
func hosted(label string) bool {
	for _, os := range []string{"ubuntu-", "windows-", "macos-"} {
		if strings.HasPrefix(strings.ToLower(label), os) {
			return true
		}
	}
	return false
}

// lacking are the labels that no runner offers, or all of them when no single runner offers all. No
// runners at all (nil: not known) lack everything that is not GitHub's.
func lacking(labels []string, online [][]string) []string {
	offers := func(set []string, label string) bool {
		return slices.ContainsFunc(set, func(s string) bool { return strings.EqualFold(s, label) })
	}
	var wanted, nowhere []string
	for _, label := range labels {
		if hosted(label) {
			continue
		}
		wanted = append(wanted, label)
		if !slices.ContainsFunc(online, func(set []string) bool { return offers(set, label) }) {
			nowhere = append(nowhere, label)
		}
	}
	if len(nowhere) > 0 {
		return nowhere
	}
	for _, set := range online {
		if !slices.ContainsFunc(wanted, func(label string) bool { return !offers(set, label) }) {
			return nil
		}
	}
	return wanted
}

// onlineRunners are the label sets of the runners that are online, of the repository and of its
// organisation; nil when they may not be listed.
func (c *repoConn) onlineRunners(ctx context.Context) ([][]string, error) {
	owner, _, _ := strings.Cut(c.scope, "/")
	var online [][]string
	for _, path := range []string{c.path + "/actions/runners", "orgs/" + owner + "/actions/runners"} {
		runners, err := spare(ctx, c, path, func() ([]wireRunner, error) {
			all, _, _, err := pages(func(p string) (reply[wireRunners], error) { return fetch[wireRunners](ctx, c, p) },
				path+"?per_page=100", 0, maxPages, func(r wireRunners) []wireRunner { return r.Runners }, func(r wireRunner) int64 { return r.ID })
			return all, err
		})
		if err != nil {
			var refused noticeBox
			if err := c.optional(&refused, "", err); err != nil {
				return nil, err
			}
			continue
		}
		for _, r := range runners {
			if r.Status != "online" {
				continue
			}
			set := make([]string, len(r.Labels))
			for i, lb := range r.Labels {
				set[i] = lb.Name
			}
			online = append(online, set)
		}
	}
	return online, nil
}
