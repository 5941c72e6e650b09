package github

import (
	"net/http"
	"strconv"

	"example.com/signalbox/sources/simulator/world"
)

// checkRuns lists the checks of a commit: the jobs of each run's newest attempt for it, which is what Actions
// files. No other app judges commits of this world.
func (c *call) checkRuns() answer {
	sha, ok := c.repo.Resolve(c.r.PathValue("ref"))
	if !ok {
		return c.fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.r.PathValue("ref"))
	}
	list := []checkRun{}
	for _, r := range c.repo.Runs {
		if r.SHA != sha {
			continue
		}
		for _, j := range r.Last().Jobs {
			list = append(list, c.s.view.checkRun(j))
		}
	}
	return c.ok(map[string]any{"total_count": len(list), "check_runs": cut(c, list)})
}

// checkRun is a job as a check.
type checkRun struct {
	ID          int64          `json:"id"`
	NodeID      string         `json:"node_id"`
	HeadSHA     string         `json:"head_sha"`
	ExternalID  string         `json:"external_id"`
	URL         string         `json:"url"`
	HTMLURL     string         `json:"html_url"`
	DetailsURL  string         `json:"details_url"`
	Status      string         `json:"status"`
	Conclusion  *string        `json:"conclusion"`
	StartedAt   string         `json:"started_at"`
	CompletedAt *string        `json:"completed_at"`
	Output      map[string]any `json:"output"`
	Name        string         `json:"name"`
	Suite       map[string]any `json:"check_suite"`
	App         map[string]any `json:"app"`
	Pulls       []pull         `json:"pull_requests"`
}

func (v *view) checkRun(j *world.Job) checkRun {
	as := v.job(j)
	status := as.Status
	return checkRun{
		ID: as.ID, NodeID: as.NodeID, HeadSHA: as.HeadSHA, ExternalID: strconv.FormatInt(as.ID, 10), URL: as.CheckRunURL, HTMLURL: as.HTMLURL,
		DetailsURL: as.HTMLURL, Status: status, Conclusion: as.Conclusion, StartedAt: as.StartedAt, CompletedAt: as.CompletedAt, Name: as.Name,
		Output: map[string]any{"title": nil, "summary": nil, "text": nil, "annotations_count": 0, "annotations_url": as.CheckRunURL + "/annotations"},
		Suite:  map[string]any{"id": j.Run.Suite}, App: v.actionsApp(), Pulls: []pull{},
	}
}

// actionsApp is the app that Actions is to others.
func (v *view) actionsApp() map[string]any {
	const since = "2018-07-30T09:30:17Z"
	return map[string]any{
		"id": 15368, "slug": "github-actions", "node_id": node("App", 15368), "owner": v.owner("github", 9919, "Organization"),
		"name": "GitHub Actions", "description": "Automate your workflow from idea to production", "external_url": "https://help.github.com/en/actions",
		"html_url": "https://github.com/apps/github-actions", "created_at": since, "updated_at": since,
		"permissions": map[string]string{"actions": "write", "checks": "write", "metadata": "read"}, "events": []string{"workflow_dispatch"},
	}
}

// commitStatus is what older systems say of a commit: nothing, in this world.
func (c *call) commitStatus() answer {
	sha, ok := c.repo.Resolve(c.r.PathValue("ref"))
	if !ok {
		return c.fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.r.PathValue("ref"))
	}
	api := c.s.view.repoURL(c.repo)
	return c.ok(map[string]any{
		"state": "pending", "statuses": []any{}, "sha": sha, "total_count": 0, "repository": c.s.view.minimalMap(c.repo),
		"commit_url": api + "/commits/" + sha, "url": api + "/commits/" + sha + "/status",
	})
}
