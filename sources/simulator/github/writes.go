package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"example.com/signalbox/sources/simulator/world"
)

// refused turns the world's refusal into GitHub's.
func (c *call) refused(err error) answer {
	status := http.StatusUnprocessableEntity
	if no, ok := errors.AsType[*world.Refusal](err); ok {
		switch no.Reason {
		case world.Invalid:
		case world.Forbidden:
			status = http.StatusForbidden
		case world.Conflict:
			status = http.StatusConflict
		}
	}
	return c.fail(status, err.Error())
}

func (*call) empty(status int) answer { return answer{status: status, body: []byte("{}")} }

func (c *call) rerun(r *world.Run) answer {
	return c.act("repo", http.StatusCreated, func() error { return c.w.RerunAll(r, c.actor()) })
}

func (c *call) rerunFailed(r *world.Run) answer {
	return c.act("repo", http.StatusCreated, func() error { return c.w.RerunFailed(r, c.actor()) })
}

func (c *call) rerunJob(j *world.Job) answer {
	return c.act("repo", http.StatusCreated, func() error { return c.w.RerunJob(j, c.actor()) })
}

func (c *call) cancel(r *world.Run) answer {
	return c.act("repo", http.StatusAccepted, func() error { return c.w.Cancel(r, false) })
}

func (c *call) forceCancel(r *world.Run) answer {
	return c.act("repo", http.StatusAccepted, func() error { return c.w.Cancel(r, true) })
}

func (c *call) act(scope string, status int, do func() error) answer {
	if a, ok := c.may(scope); !ok {
		return a
	}
	if err := do(); err != nil {
		return c.refused(err)
	}
	return c.empty(status)
}

func (c *call) review(r *world.Run) answer {
	if a, ok := c.may("repo"); !ok {
		return a
	}
	var in struct {
		IDs     []int64 `json:"environment_ids"`
		State   string  `json:"state"`
		Comment *string `json:"comment"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	switch {
	case len(in.IDs) == 0:
		return c.missing("environment_ids")
	case in.Comment == nil:
		return c.missing("comment")
	case in.State != "approved" && in.State != "rejected":
		return c.missing("state")
	}
	done, err := c.w.Review(r, in.IDs, in.State == "approved", *in.Comment, c.user())
	if err != nil {
		return c.refused(err)
	}
	return c.list(raws(done, c.s.view.deployment))
}

func (c *call) missing(field string) answer {
	return c.fail(http.StatusUnprocessableEntity, fmt.Sprintf("Invalid request.\n\n%q wasn't supplied.", field))
}

func (c *call) dispatch(wf *world.Workflow) answer {
	if a, ok := c.may("workflow"); !ok {
		return a
	}
	var in struct {
		Ref     string         `json:"ref"`
		Inputs  map[string]any `json:"inputs"`
		Details *bool          `json:"return_run_details"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	switch {
	case in.Ref == "":
		return c.missing("ref")
	case in.Details != nil && c.s.cfg.Enterprise:
		return c.fail(http.StatusUnprocessableEntity, "Invalid request.\n\n\"return_run_details\" is not a permitted key.")
	case len(in.Inputs) > 25:
		return c.fail(http.StatusUnprocessableEntity, "you may only define up to 25 `inputs` for a `workflow_dispatch` event")
	}
	inputs := map[string]string{}
	for k, v := range in.Inputs {
		inputs[k] = fmt.Sprint(v)
	}
	r, err := c.w.Dispatch(wf, in.Ref, inputs, c.actor())
	if err != nil {
		return c.refused(err)
	}
	details := in.Details != nil && *in.Details || c.r.Header.Get("X-GitHub-Api-Version") >= "2026-03-10"
	if !details || c.s.cfg.Enterprise {
		return answer{status: http.StatusNoContent}
	}
	return c.ok(map[string]any{
		"workflow_run_id": r.ID, "run_url": c.s.view.runURL(r), "html_url": c.s.view.pageURL(r.Repo) + "/actions/runs/" + itoa(r.ID),
	})
}

// newDeployment is what a client sends to make a deployment record.
type newDeployment struct {
	Ref         string          `json:"ref"`
	Task        string          `json:"task"`
	AutoMerge   *bool           `json:"auto_merge"`
	Contexts    *[]string       `json:"required_contexts"`
	Payload     json.RawMessage `json:"payload"`
	Environment string          `json:"environment"`
	Description string          `json:"description"`
	Transient   bool            `json:"transient_environment"`
	Production  *bool           `json:"production_environment"`
}

func (c *call) createDeployment() answer {
	if a, ok := c.may("repo"); !ok {
		return a
	}
	in := newDeployment{Task: "deploy", Environment: "production", Payload: json.RawMessage(`""`)}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	if in.Ref == "" {
		return c.missing("ref")
	}
	sha, ok := c.repo.Resolve(in.Ref)
	if !ok {
		return c.fail(http.StatusUnprocessableEntity, "No ref found for: "+in.Ref)
	}
	if a, ok := c.merges(in, sha); ok {
		return a
	}
	if in.Contexts == nil || len(*in.Contexts) > 0 {
		if open := c.openContexts(sha, in.Contexts); len(open) > 0 {
			return answer{status: http.StatusConflict, body: mustJSON(map[string]any{
				"message": "Conflict: Commit status checks failed for " + in.Ref + ".", "documentation_url": c.s.docs,
				"errors": []map[string]any{{"contexts": open, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}},
			})}
		}
	}
	d := &world.Deployment{
		Repo: c.repo, SHA: sha, Ref: in.Ref, Task: in.Task, Environment: in.Environment, Payload: compact(in.Payload),
		Description: in.Description, Creator: c.actor(), Transient: in.Transient, Production: in.Environment == "production",
	}
	if in.Production != nil {
		d.Production = *in.Production
	}
	c.w.Deploy(d)
	return answer{status: http.StatusCreated, body: mustJSON(c.s.view.deployment(d))}
}

func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil || b.Len() == 0 {
		return json.RawMessage(`""`)
	}
	return b.Bytes()
}

// merges answers the case in which GitHub merges the default branch into a branch that is behind it,
// instead of making a deployment.
func (c *call) merges(in newDeployment, sha string) (answer, bool) {
	kind, _ := c.repo.Ref(in.Ref)
	if in.AutoMerge != nil && !*in.AutoMerge || kind != "heads" || in.Ref == c.repo.Default {
		return answer{}, false
	}
	cmp, ok := c.repo.Compare(sha, c.repo.Branches[c.repo.Default])
	if !ok || len(cmp.Ahead) == 0 {
		return answer{}, false
	}
	c.w.Merge(c.repo, in.Ref, c.actor())
	return answer{status: http.StatusAccepted, body: mustJSON(map[string]string{
		"message": "Auto-merged " + c.repo.Default + " into " + in.Ref + " on deployment.",
	})}, true
}

// openContexts lists the workflows whose newest run for a commit has not passed: of those that are named, where
// some are.
func (c *call) openContexts(sha string, named *[]string) []map[string]string {
	newest := map[string]*world.Run{}
	var order []string
	for _, r := range c.repo.Runs {
		if r.SHA == sha && (r.Event == "push" || r.Event == "pull_request") {
			if newest[r.Workflow.Name] == nil {
				order = append(order, r.Workflow.Name)
			}
			newest[r.Workflow.Name] = r
		}
	}
	var open []map[string]string
	for _, name := range order {
		if named != nil && !slices.Contains(*named, name) {
			continue
		}
		if a := newest[name].Last(); a.Conclusion != world.Success {
			state := "pending"
			if a.Status == world.Completed {
				state = "failure"
			}
			open = append(open, map[string]string{"context": name, "state": state})
		}
	}
	return open
}

func (c *call) createStatus(d *world.Deployment) answer {
	if a, ok := c.may("repo"); !ok {
		return a
	}
	var in struct {
		State        string `json:"state"`
		LogURL       string `json:"log_url"`
		Target       string `json:"target_url"`
		Description  string `json:"description"`
		Environment  string `json:"environment"`
		URL          string `json:"environment_url"`
		AutoInactive *bool  `json:"auto_inactive"`
	}
	if a, ok := c.decode(&in); !ok {
		return a
	}
	if !strings.Contains(" error failure inactive in_progress queued pending success ", " "+in.State+" ") || in.State == "" {
		return c.invalid("DeploymentStatus", "state", "custom")
	}
	if len(in.Description) > 140 {
		return c.invalid("DeploymentStatus", "description", "too_long")
	}
	if in.LogURL == "" {
		in.LogURL = in.Target
	}
	st := c.w.AddStatus(d, &world.DeploymentStatus{
		State: in.State, Description: in.Description, LogURL: in.LogURL, EnvURL: in.URL, Environment: in.Environment, Creator: c.actor(),
	}, in.AutoInactive == nil || *in.AutoInactive)
	return answer{status: http.StatusCreated, body: mustJSON(c.s.view.status(d, st))}
}
