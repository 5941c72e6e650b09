package datadog

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// deployment is one entry of DORA's deployments.
type deployment struct {
	id                       string
	service, env, team       string
	version, sha, repository string
	started, finished        time.Time
	tags                     []string
}

func (d deployment) values(key string) []string {
	switch key {
	case "service":
		return []string{d.service}
	case "env":
		return []string{d.env}
	case "team":
		return []string{d.team}
	case "version":
		return []string{d.version}
	case "git.commit.sha", "commit_sha":
		return []string{d.sha}
	default:
		return valuesOf(d.tags, key)
	}
}

func (d deployment) text() string { return d.service + " " + d.version }

// shipping is how long before it takes effect a rollout is taken to begin.
const shipping = 4 * time.Minute

// deployments lists the world's and those that clients filed, oldest first.
func (c *call) deployments() []deployment {
	out := slices.Clone(c.s.filed)
	for _, r := range rollouts(c.w) {
		d := deployment{
			id: c.w.Hex(16, "dora", r.key()), service: r.s.Name, env: r.stage, team: r.s.Team, version: r.version(), sha: r.sha,
			repository: "github.com/" + r.s.Repo.Full(), started: r.first.Add(-shipping), finished: r.last,
		}
		if p := r.places(); len(p) > 0 {
			d.tags = p
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b deployment) int { return a.finished.Compare(b.finished) })
	return out
}

// answer writes times as dates: so the recordings and the newest client have them, where the description
// says nanoseconds.
func (d deployment) answer() object {
	attributes := map[string]any{
		"service": d.service, "started_at": d.started.UTC().Format(time.RFC3339), "finished_at": d.finished.UTC().Format(time.RFC3339),
	}
	for name, v := range map[string]string{"env": d.env, "team": d.team, "version": d.version} {
		if v != "" {
			attributes[name] = v
		}
	}
	if d.sha != "" {
		attributes["git"] = map[string]string{"commit_sha": d.sha, "repository_id": d.repository}
	}
	if len(d.tags) > 0 {
		attributes["custom_tags"] = d.tags
	}
	return object{Type: "dora_deployment", ID: d.id, Attributes: attributes}
}

// listDeployments answers POST /api/v2/dora/deployments.
func (c *call) listDeployments() answer {
	var r struct {
		Data struct {
			Type       string `json:"type"`
			Attributes struct {
				From  *time.Time `json:"from"`
				To    *time.Time `json:"to"`
				Query string     `json:"query"`
				Sort  string     `json:"sort"`
				Limit *int       `json:"limit"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if err := c.decode(&r); err != nil {
		return c.problem(http.StatusBadRequest, err.Error())
	}
	if r.Data.Type != "dora_deployments_list_request" {
		return c.problem(http.StatusBadRequest, fmt.Sprintf(`got type "%s" expected one of "dora_deployments_list_request"`, r.Data.Type))
	}
	a, limit := r.Data.Attributes, 10
	if a.Limit != nil {
		limit = *a.Limit
	}
	by := strings.TrimPrefix(a.Sort, "-")
	fits, err := parseSearch(a.Query)
	switch {
	case err != nil:
		return c.problem(http.StatusBadRequest, err.Error())
	case limit < 1 || limit > 1000:
		return c.problem(http.StatusBadRequest, "limit must be between 1 and 1000")
	case by != "" && by != "finished_at" && by != "started_at":
		return c.problem(http.StatusBadRequest, "sort must be finished_at or started_at")
	}
	var list []deployment
	for _, d := range c.deployments() {
		if (a.From == nil || !d.finished.Before(*a.From)) && (a.To == nil || !d.finished.After(*a.To)) && fits(d) {
			list = append(list, d)
		}
	}
	if by == "started_at" {
		slices.SortStableFunc(list, func(a, b deployment) int { return a.started.Compare(b.started) })
	}
	if by == "" || strings.HasPrefix(a.Sort, "-") {
		slices.Reverse(list)
	}
	data := []object{}
	for _, d := range list[:min(limit, len(list))] {
		data = append(data, d.answer())
	}
	return c.api(http.StatusOK, map[string]any{"data": data})
}

// getDeployment answers GET /api/v2/dora/deployments/{id}.
func (c *call) getDeployment() answer {
	for _, d := range c.deployments() {
		if d.id == c.r.PathValue("id") {
			return c.api(http.StatusOK, map[string]any{"data": d.answer()})
		}
	}
	return c.problem(http.StatusNotFound, "deployment not found")
}

// epoch reads a Unix time in seconds, milliseconds or nanoseconds, told apart by its size.
func epoch(n int64) time.Time {
	switch {
	case n < 1e11:
		return time.Unix(n, 0).UTC()
	case n < 1e14:
		return time.UnixMilli(n).UTC()
	default:
		return time.Unix(0, n).UTC()
	}
}

func shaPattern() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-fA-F]{40,}$`) }

// fileDeployment answers POST /api/v2/dora/deployment.
func (c *call) fileDeployment() answer {
	var r struct {
		Data *struct {
			Attributes struct {
				Service  string   `json:"service"`
				Started  *int64   `json:"started_at"`
				Finished *int64   `json:"finished_at"`
				Env      string   `json:"env"`
				Version  string   `json:"version"`
				Team     string   `json:"team"`
				ID       string   `json:"id"`
				Tags     []string `json:"custom_tags"`
				Git      *struct {
					SHA string `json:"commit_sha"`
					URL string `json:"repository_url"`
				} `json:"git"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if err := c.decode(&r); err != nil {
		return c.problem(http.StatusBadRequest, err.Error())
	}
	if r.Data == nil {
		return c.problem(http.StatusBadRequest, "data is required")
	}
	a := r.Data.Attributes
	switch {
	case a.Service == "":
		return c.problem(http.StatusBadRequest, "service is required")
	case a.Started == nil || a.Finished == nil || *a.Started <= 0:
		return c.problem(http.StatusBadRequest, "started_at and finished_at are required")
	case epoch(*a.Finished).Before(epoch(*a.Started)):
		return c.problem(http.StatusBadRequest, "finished_at must not be before started_at")
	case a.Git == nil && a.Version == "":
		return c.problem(http.StatusBadRequest, "git or version is required")
	case a.Git != nil && (!shaPattern().MatchString(a.Git.SHA) || a.Git.URL == ""):
		return c.problem(http.StatusBadRequest, "git must have a commit_sha of at least 40 digits and a repository_url")
	}
	d := deployment{
		id: a.ID, service: a.Service, env: a.Env, team: a.Team, version: a.Version, started: epoch(*a.Started), finished: epoch(*a.Finished), tags: a.Tags,
	}
	if d.id == "" {
		d.id = c.w.Hex(16, "filed", strconv.Itoa(len(c.s.filed)))
	}
	if a.Git != nil {
		d.sha, d.repository = a.Git.SHA, strings.TrimSuffix(strings.TrimPrefix(a.Git.URL, "https://"), ".git")
	}
	c.s.filed = append(c.s.filed, d)
	return c.api(http.StatusOK, map[string]any{"data": object{Type: "dora_deployment", ID: d.id}})
}
