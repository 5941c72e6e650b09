package github

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// sampled is how many finished runs a failure rate and a median are taken of.
const sampled = 20

// records are what is known of the past of the workflows that are listed.
func (l *runList) records(ctx context.Context, wires []wireRun) (map[int64]workflowRecord, error) {
	out := map[int64]workflowRecord{}
	for _, w := range wires {
		out[w.WorkflowID] = workflowRecord{}
	}
	ids := slices.Sorted(maps.Keys(out))
	records := make([]workflowRecord, len(ids))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, id := range ids {
		g.Go(func() error {
			past, err := l.history(ctx, id)
			if err != nil {
				return err
			}
			records[i] = sumUp(past, l.known.branch)
			if records[i].waits = l.mayWait(id); records[i].waits {
				httpx.Note(ctx, fmt.Sprint("waits ", id))
				records[i].expected, err = l.usualWork(ctx, past)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read the history of workflows: %w", err)
	}
	for i, id := range ids {
		out[id] = records[i]
	}
	return out, nil
}

// rate adds the expected duration and the failure rate of each run's workflow.
func (l *runList) rate(runs []sources.Run, wires []wireRun, records map[int64]workflowRecord) {
	for i := range runs {
		rec := records[wires[i].WorkflowID]
		runs[i].Expected, runs[i].Failed, runs[i].Of = rec.expected, rec.failed, rec.of
		if rec.waits && rec.expected > 0 && runs[i].State == sources.StateRunning {
			runs[i].Expected += l.idle[wires[i].ID]
		}
	}
}

type workflowRecord struct {
	expected   time.Duration
	failed, of int
	waits      bool // runs of it may wait for approvals
}

// mayWait reports that runs of a workflow may wait for approvals: one was seen to, the config names it as one
// that deploys, or it has made a deployment.
func (l *runList) mayWait(workflow int64) bool {
	l.s.mu.Lock()
	known := l.s.entering[workflowKey{l.scope, workflow}]
	l.s.mu.Unlock()
	return known || slices.ContainsFunc(l.all, func(w wireRun) bool {
		if w.WorkflowID != workflow {
			return false
		}
		return w.Status == "waiting" || l.deploys(sources.Run{Event: w.Event, Path: workflowFile(w.Path), Workflow: clean.Line(w.Name)})
	})
}

// worked is how many runs the time of work is taken of: each costs a request, once.
const worked = 5

// usualWork is the median time in which a job of a workflow's newest successful runs was at work: how long
// a person took to approve says nothing of the next run.
func (l *runList) usualWork(ctx context.Context, past []wireRun) (time.Duration, error) {
	var good []wireRun
	for _, w := range past {
		if state, _ := stateOf(w.Status, w.Conclusion); state == sources.StatePassed && len(good) < worked {
			good = append(good, w)
		}
	}
	spent := make([]time.Duration, len(good))
	var g errgroup.Group
	for i, w := range good {
		g.Go(func() error {
			jobs, err := l.runJobs(ctx, w)
			spent[i], _ = atWork(jobs, w.StartedAt.Time)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		var gone noticeBox
		return 0, l.optional(&gone, "", err)
	}
	return median(slices.DeleteFunc(spent, func(d time.Duration) bool { return d <= 0 })), nil
}

// atWork is how long at least one job was running, and how long none was between start and the last
// start of a job. Jobs of an earlier attempt do not count.
func atWork(jobs []sources.Job, start time.Time) (busy, idle time.Duration) {
	spans := make([]sources.Job, 0, len(jobs))
	for _, j := range jobs {
		if !j.Started.IsZero() && !j.Started.Before(start) && j.State != sources.StateSkipped {
			spans = append(spans, j)
		}
	}
	slices.SortFunc(spans, func(a, b sources.Job) int { return a.Started.Compare(b.Started) })
	until := start
	for _, j := range spans {
		if until.IsZero() {
			until = j.Started
		}
		if gap := j.Started.Sub(until); gap > 0 {
			idle += gap
			until = j.Started
		}
		if more := j.Ended.Sub(until); more > 0 {
			busy += more
			until = j.Ended
		}
	}
	return busy, idle
}

// sumUp sums up a workflow's runs, newest first. A run counts as finished when it passed or failed:
// one that somebody cancelled or that was skipped says nothing of the workflow. The duration is of
// successes of any branch, because a workflow of tags has none on the default one.
func sumUp(past []wireRun, branch string) workflowRecord {
	var rec workflowRecord
	var took []time.Duration
	for _, w := range past {
		state, _ := stateOf(w.Status, w.Conclusion)
		if state == sources.StatePassed && len(took) < sampled {
			if d := duration(w); d > 0 {
				took = append(took, d)
			}
		}
		onDefault := w.HeadBranch == branch && !w.fromFork() && len(ofBranch([]wireRun{w}, branch)) == 1
		if !onDefault || rec.of == sampled || state != sources.StatePassed && state != sources.StateFailed {
			continue
		}
		rec.of++
		if state == sources.StateFailed {
			rec.failed++
		}
	}
	rec.expected = median(took)
	return rec
}

// duration is how long a finished run's newest attempt took.
func duration(w wireRun) time.Duration {
	start := w.StartedAt.Time
	if start.IsZero() && w.RunAttempt <= 1 {
		start = w.CreatedAt.Time
	}
	if start.IsZero() || w.UpdatedAt.IsZero() {
		return 0
	}
	return w.UpdatedAt.Sub(start)
}

// history is what is known of a workflow's past: the runs at hand and, when these are too few and GitHub
// has more, the newest finished ones of the default branch. Those are read again only when another run
// of that workflow has finished.
func (l *runList) history(ctx context.Context, workflow int64) ([]wireRun, error) {
	var here []wireRun
	newest, finished := "", 0
	for _, w := range l.all {
		if w.WorkflowID != workflow {
			continue
		}
		here = append(here, w)
		if w.Status == "completed" && len(ofBranch([]wireRun{w}, l.known.branch)) == 1 {
			if finished++; newest == "" {
				newest = fmt.Sprintf("%d.%d", w.ID, w.RunAttempt)
			}
		}
	}
	if !l.more || finished >= sampled || l.known.branch == "" || workflow == 0 {
		return here, nil
	}
	path := fmt.Sprintf("%s/actions/workflows/%d/runs?status=completed&per_page=30&branch=%s", l.path, workflow, queryEscape(l.known.branch))
	r, err := spare(ctx, l.repoConn, path, func() (reply[wireRuns], error) {
		return settled[wireRuns](ctx, l.repoConn, "after "+newest, path)
	})
	if err != nil {
		var gone noticeBox // a deleted workflow has no page of its own
		return here, l.optional(&gone, "", err)
	}
	seen := map[int64]bool{}
	for _, w := range here {
		seen[w.ID] = true
	}
	for _, w := range r.Value.Runs {
		if !seen[w.ID] && (w.WorkflowID == workflow || w.WorkflowID == 0) {
			here = append(here, w)
		}
	}
	slices.SortStableFunc(here, func(a, b wireRun) int { return b.CreatedAt.Compare(a.CreatedAt.Time) })
	return here, nil
}
