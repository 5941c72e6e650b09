package github

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
)

// sampled is how many finished runs a failure rate and a median are taken of.
const sampled = 20

// rate adds the expected duration and the failure rate of each run's workflow.
func (l *runList) rate(ctx context.Context, runs []sources.Run, wires []wireRun) error {
	workflows := map[int64]workflowRecord{}
	for _, w := range wires {
		workflows[w.WorkflowID] = workflowRecord{}
	}
	ids := make([]int64, 0, len(workflows))
	for id := range workflows {
		ids = append(ids, id)
	}
	records := make([]workflowRecord, len(ids))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, id := range ids {
		g.Go(func() error {
			past, err := l.history(ctx, id)
			records[i] = sumUp(past, l.known.branch)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("read the history of workflows: %w", err)
	}
	for i, id := range ids {
		workflows[id] = records[i]
	}
	for i := range runs {
		rec := workflows[wires[i].WorkflowID]
		runs[i].Expected, runs[i].Failed, runs[i].Of = rec.expected, rec.failed, rec.of
	}
	return nil
}

type workflowRecord struct {
	expected   time.Duration
	failed, of int
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
	r, err := settled[wireRuns](ctx, l.repoConn, "after "+newest, path)
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
