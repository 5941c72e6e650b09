package github

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// searchCap is the most runs that a filtered list gives.
const searchCap = 1000

type runKey struct {
	id    int64
	pulls bool
}

// rendered is a run's body as of one of its states.
type rendered struct {
	attempt int
	status  string
	updated time.Time
	raw     json.RawMessage
}

// render gives the body of a run's newest attempt, made anew only when the run changed.
func (c *call) render(r *world.Run, pulls bool) json.RawMessage {
	key := runKey{r.ID, pulls}
	a := r.Last()
	if hit, ok := c.s.runs[key]; ok && hit.attempt == a.Number && hit.status == a.Status && hit.updated.Equal(r.Updated) {
		return hit.raw
	}
	raw := c.s.view.run(a, pulls)
	if len(c.s.runs) > 20_000 {
		clear(c.s.runs)
	}
	c.s.runs[key] = rendered{a.Number, a.Status, r.Updated, raw}
	return raw
}

func (c *call) listRuns() answer { return c.pageOfRuns(func(*world.Run) bool { return true }) }

func (c *call) workflowRuns(wf *world.Workflow) answer {
	return c.pageOfRuns(func(r *world.Run) bool { return r.Workflow == wf })
}

func (c *call) pageOfRuns(keep func(*world.Run) bool) answer {
	created, err := parseRange(c.q.Get("created"))
	if err != nil {
		return c.invalid("WorkflowRun", "created", "invalid")
	}
	var list []*world.Run
	for _, r := range slices.Backward(c.repo.Runs) {
		if keep(r) && c.matches(r) && created.holds(r.Created) {
			list = append(list, r)
		}
	}
	total := len(list)
	if c.filtered() {
		list = list[:min(searchCap, len(list))]
	}
	part := cut(c, list)
	raw := make([]json.RawMessage, 0, len(part))
	for _, r := range part {
		raw = append(raw, c.render(r, c.q.Get("exclude_pull_requests") != "true"))
	}
	return c.counted("workflow_runs", total, raw)
}

func (c *call) filtered() bool {
	for _, f := range []string{"actor", "branch", "event", "status", "created", "head_sha", "check_suite_id"} {
		if c.q.Get(f) != "" {
			return true
		}
	}
	return false
}

func (c *call) matches(r *world.Run) bool {
	is := func(name, value string) bool { f := c.q.Get(name); return f == "" || f == value }
	a := r.Last()
	return is("branch", r.Branch) && is("event", r.Event) && is("head_sha", r.SHA) && is("check_suite_id", itoa(r.Suite)) &&
		is("actor", r.Actor.Login) && (is("status", a.Status) || is("status", a.Conclusion))
}

// timeRange is a range in GitHub's search syntax.
type timeRange struct {
	from, to       time.Time // zero: open
	above, beneath bool      // the limit itself is left out
}

func (t timeRange) holds(at time.Time) bool {
	at = at.Truncate(time.Second)
	if !t.from.IsZero() && (at.Before(t.from) || t.above && at.Equal(t.from)) {
		return false
	}
	return t.to.IsZero() || at.Before(t.to) || !t.beneath && at.Equal(t.to)
}

func parseRange(s string) (timeRange, error) {
	var t timeRange
	var err error
	switch {
	case s == "":
	case strings.Contains(s, ".."):
		from, to, _ := strings.Cut(s, "..")
		if from != "*" {
			t.from, _, err = parseDay(from)
		}
		if to != "*" && err == nil {
			_, t.to, err = parseDay(to)
		}
	case strings.HasPrefix(s, ">="):
		t.from, _, err = parseDay(s[2:])
	case strings.HasPrefix(s, "<="):
		_, t.to, err = parseDay(s[2:])
	case strings.HasPrefix(s, ">"):
		_, t.from, err = parseDay(s[1:])
		t.above = true
	case strings.HasPrefix(s, "<"):
		t.to, _, err = parseDay(s[1:])
		t.beneath = true
	default:
		t.from, t.to, err = parseDay(s)
	}
	return t, err
}

// parseDay reads a date or a time: the first and the last moment that it stands for.
func parseDay(s string) (first, last time.Time, err error) {
	if d, err := time.Parse(time.DateOnly, s); err == nil {
		return d, d.Add(24*time.Hour - time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, t, fmt.Errorf("neither a date nor a time: %w", err)
	}
	return t, t, nil
}

func (c *call) getRun(r *world.Run) answer {
	return answer{status: 200, body: c.render(r, c.q.Get("exclude_pull_requests") != "true")}
}

func (c *call) attempt(r *world.Run) *world.Attempt {
	n := c.number("attempt")
	if n < 1 || n > int64(len(r.Attempts)) {
		return nil
	}
	return r.Attempts[n-1]
}

func (c *call) getAttempt(r *world.Run) answer {
	if a := c.attempt(r); a != nil {
		return answer{status: 200, body: c.s.view.run(a, c.q.Get("exclude_pull_requests") != "true")}
	}
	return c.notFound()
}

func (c *call) jobs(list []*world.Job) answer {
	return c.counted("jobs", len(list), raws(cut(c, list), c.s.view.job))
}

func (c *call) attemptJobs(r *world.Run) answer {
	if a := c.attempt(r); a != nil {
		return c.jobs(a.Jobs)
	}
	return c.notFound()
}

func (c *call) runJobs(r *world.Run) answer {
	switch c.q.Get("filter") {
	case "", "latest":
		return c.jobs(r.Last().Jobs)
	case "all":
		var all []*world.Job
		for _, a := range r.Attempts {
			all = append(all, a.Jobs...)
		}
		return c.jobs(all)
	default:
		return c.invalid("WorkflowJob", "filter", "invalid")
	}
}

func (c *call) getJob(j *world.Job) answer { return c.ok(c.s.view.job(j)) }

func (c *call) pendingDeployments(r *world.Run) answer {
	out := []json.RawMessage{}
	for _, j := range r.PendingJobs() {
		e := r.Repo.Environment(j.Environment)
		env := c.s.view.environment(e)
		env.CreatedAt, env.UpdatedAt = "", ""
		p := pending{Environment: env, WaitTimer: int(e.Wait / time.Minute), CanApprove: e.MayReview(c.user()), Reviewers: c.s.view.reviewers(e)}
		if e.Wait > 0 {
			p.TimerStart = stampOrNil(j.Created)
		}
		out = append(out, mustJSON(p))
	}
	return c.list(out)
}

func (c *call) approvals(r *world.Run) answer {
	return c.list(raws(r.Reviews, func(rv world.Review) approval {
		out := approval{State: rv.State, Comment: rv.Comment, Environments: []environment{}, User: c.s.view.user(rv.By)}
		for _, e := range rv.Environments {
			out.Environments = append(out.Environments, c.s.view.environment(e))
		}
		return out
	}))
}

func (c *call) concurrency(r *world.Run) answer {
	groups := []map[string]any{}
	if holders := c.w.Holders(r.Repo, r.Group); slices.Contains(holders, r) {
		members := []map[string]any{}
		api := c.s.view.repoURL(r.Repo) + "/actions/concurrency_groups/" + r.Group
		for i, h := range holders {
			status := "in_progress"
			if i > 0 {
				status = "pending"
			}
			members = append(members, map[string]any{
				"run_id": h.ID, "run_name": h.Workflow.Name, "run_url": c.s.view.runURL(h), "run_html_url": nil, "position": i,
				"position_url": api, "status": status,
			})
		}
		groups = append(groups, map[string]any{"group_name": r.Group, "group_url": api, "group_members": members})
	}
	return c.ok(map[string]any{"total_count": len(groups), "concurrency_groups": groups})
}
