package github

import (
	"context"
	"fmt"
	"strconv"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// wireCheckRuns is a page of the checks that other apps than Actions made.
type wireCheckRuns struct {
	Total  *int           `json:"total_count"`
	Checks []wireCheckRun `json:"check_runs"`
}

func (r wireCheckRuns) whole() bool { return listed(r.Total, r.Checks != nil) }

type wireCheckRun struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
	URL        string `json:"html_url"`
	App        *struct {
		Slug string `json:"slug"`
	} `json:"app"`
}

// wireCombined is what older systems say of a commit.
type wireCombined struct {
	Total    *int `json:"total_count"`
	Statuses []struct {
		Context string `json:"context"`
		State   string `json:"state"`
		URL     string `json:"target_url"`
	} `json:"statuses"`
}

func (r wireCombined) whole() bool { return listed(r.Total, r.Statuses != nil) }

// ListChecks lists how CI judged a commit: the newest run of each workflow and event for it, the checks of other
// apps, and the statuses of older systems. Pull requests' runs are of a merge that exists nowhere else, and
// left out.
func (s *source) ListChecks(ctx context.Context, scope, sha string) ([]sources.Check, error) {
	c, err := s.repo(ctx, scope)
	if err != nil {
		return nil, err
	}
	full := shaOf(sha)
	if full == "" {
		return nil, &sources.Error{Kind: sources.Invalid, Op: "list checks", Scope: scope, Msg: sha + " is no commit", Fix: "name it by all forty characters"}
	}
	out, err := c.runChecks(ctx, full)
	if err != nil {
		return nil, c.fail("list checks", err)
	}
	others, err := c.otherChecks(ctx, full)
	return append(out, others...), c.fail("list checks", err)
}

func (c *repoConn) runChecks(ctx context.Context, sha string) ([]sources.Check, error) {
	runs, _, err := c.runPage(fresh(ctx), "head_sha="+sha, 100)
	if err != nil {
		return nil, err
	}
	type key struct {
		workflow int64
		event    string
	}
	seen := map[key]bool{}
	var out []sources.Check
	for _, w := range runs { // newest first
		k := key{w.WorkflowID, w.Event}
		if w.HeadSHA != sha || seen[k] || w.Event == "pull_request" || w.Event == "pull_request_target" {
			continue
		}
		seen[k] = true
		r := c.run(w, refs{}, "")
		out = append(out, sources.Check{Name: r.Workflow, State: r.State, Run: r.Ref, Path: r.Path, Event: r.Event, URL: r.URL})
	}
	return out, nil
}

// absent reports that the server has no such thing at all. What the token may not read is another matter: a
// check that nobody sees may have failed.
func absent(err error) bool {
	k := sources.KindOf(err)
	return k == sources.NotExist || k == sources.Unsupported
}

func (c *repoConn) otherChecks(ctx context.Context, sha string) ([]sources.Check, error) {
	var out []sources.Check
	checks, err := fetch[wireCheckRuns](fresh(ctx), c, fmt.Sprintf("%s/commits/%s/check-runs?per_page=100", c.path, sha))
	if err != nil && !absent(err) {
		return nil, err
	}
	for _, w := range checks.Value.Checks {
		if w.App != nil && w.App.Slug == "github-actions" {
			continue // its jobs: the runs tell
		}
		state, _ := stateOf(w.Status, w.Conclusion)
		out = append(out, sources.Check{Name: clean.Line(firstOf(w.Name, strconv.FormatInt(w.ID, 10))), State: state, URL: webAddress(w.URL)})
	}
	combined, err := fetch[wireCombined](fresh(ctx), c, fmt.Sprintf("%s/commits/%s/status?per_page=100", c.path, sha))
	if err != nil && !absent(err) {
		return nil, err
	}
	for _, w := range combined.Value.Statuses {
		state := sources.StateUnknown
		switch w.State {
		case "success":
			state = sources.StatePassed
		case "failure", "error":
			state = sources.StateFailed
		case "pending":
			state = sources.StateRunning
		}
		out = append(out, sources.Check{Name: clean.Line(w.Context), State: state, URL: webAddress(w.URL)})
	}
	return out, nil
}
