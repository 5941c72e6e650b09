package github

import (
	"encoding/json"
	"fmt"
	"strconv"

	"example.com/signalbox/sources/simulator/world"
)

func (v *view) runURL(r *world.Run) string {
	return v.repoURL(r.Repo) + "/actions/runs/" + strconv.FormatInt(r.ID, 10)
}

// run renders one attempt of a run. pulls says whether its pull requests are listed.
func (v *view) run(a *world.Attempt, pulls bool) json.RawMessage {
	r := a.Run
	c := r.Repo.Commit(r.SHA)
	api, page := v.runURL(r), v.pageURL(r.Repo)+"/actions/runs/"+strconv.FormatInt(r.ID, 10)
	updated := r.Updated
	if a != r.Last() {
		updated = a.Updated
		api += "/attempts/" + strconv.Itoa(a.Number)
		page += "/attempts/" + strconv.Itoa(a.Number)
	}
	out := run{
		ID: r.ID, Name: r.Workflow.Name, NodeID: node("WorkflowRun", r.ID), CheckSuiteID: r.Suite, CheckSuiteNodeID: node("CheckSuite", r.Suite),
		HeadBranch: r.Branch, HeadSHA: r.SHA, Path: r.Workflow.File, RunNumber: r.Number, RunAttempt: a.Number, Event: r.Event,
		DisplayTitle: r.Title, Status: a.Status, Conclusion: textOrNil(a.Conclusion), WorkflowID: r.Workflow.ID, URL: api, HTMLURL: page,
		PullRequests: []pull{}, ReferencedFlows: []referenced{}, CreatedAt: stamp(r.Created), UpdatedAt: stamp(updated), Actor: v.user(r.Actor),
		TriggeringActor: v.user(a.Actor), RunStartedAt: stamp(a.Started), JobsURL: api + "/jobs", LogsURL: api + "/logs",
		CheckSuiteURL: fmt.Sprintf("%s/check-suites/%d", v.repoURL(r.Repo), r.Suite), ArtifactsURL: v.runURL(r) + "/artifacts",
		CancelURL: v.runURL(r) + "/cancel", RerunURL: v.runURL(r) + "/rerun",
		WorkflowURL: fmt.Sprintf("%s/actions/workflows/%d", v.repoURL(r.Repo), r.Workflow.ID),
		HeadCommit: simpleCommit{
			ID: c.SHA, TreeID: c.Tree, Message: c.Message, Timestamp: stamp(c.At), Author: v.person(c.Author), Committer: v.person(c.Author),
		},
		Repository: v.minimal(r.Repo), HeadRepository: v.minimal(r.Repo),
	}
	if a.Number > 1 {
		previous := fmt.Sprintf("%s/attempts/%d", v.runURL(r), a.Number-1)
		out.PreviousAttemptURL = &previous
	}
	for i := range r.Workflow.Jobs {
		if caller := r.Workflow.Jobs[i].Caller; caller != "" {
			out.ReferencedFlows = append(out.ReferencedFlows, referenced{
				Path: r.Repo.Owner.Login + "/workflows/.github/workflows/" + caller + ".yml@v3", SHA: r.SHA, Ref: "refs/tags/v3",
			})
		}
	}
	if pulls && r.Event == "pull_request" && r.Pull > 0 {
		out.PullRequests = append(out.PullRequests, v.pull(r))
	}
	return mustJSON(out)
}

func (v *view) pull(r *world.Run) pull {
	p := pull{ID: 2_000_000_000 + int64(r.Pull), Number: r.Pull, URL: v.repoURL(r.Repo) + "/pulls/" + strconv.Itoa(r.Pull)}
	p.Head.Ref, p.Head.SHA = r.Branch, r.SHA
	p.Base.Ref, p.Base.SHA = r.Repo.Default, r.Repo.Branches[r.Repo.Default]
	for _, ref := range []*pullRef{&p.Head, &p.Base} {
		ref.Repo.ID, ref.Repo.URL, ref.Repo.Name = r.Repo.ID, v.repoURL(r.Repo), r.Repo.Name
	}
	return p
}

func (v *view) job(j *world.Job) job {
	id := strconv.FormatInt(j.ID, 10)
	api := v.repoURL(j.Run.Repo)
	started := j.Started
	if started.IsZero() {
		started = j.Created
	}
	out := job{
		ID: j.ID, RunID: j.Run.ID, WorkflowName: j.Run.Workflow.Name, HeadBranch: j.Run.Branch, RunURL: v.runURL(j.Run),
		RunAttempt: j.Attempt.Number, NodeID: node("CheckRun", j.ID), HeadSHA: j.Run.SHA, URL: api + "/actions/jobs/" + id,
		HTMLURL: fmt.Sprintf("%s/actions/runs/%d/job/%s", v.pageURL(j.Run.Repo), j.Run.ID, id), Status: j.Status,
		Conclusion: textOrNil(j.Conclusion), CreatedAt: stamp(j.Created), StartedAt: stamp(started), CompletedAt: stampOrNil(j.Completed),
		Name: j.Name, Steps: []step{}, CheckRunURL: api + "/check-runs/" + id, Labels: j.Labels,
	}
	for _, s := range j.Steps {
		out.Steps = append(out.Steps, step{
			Name: s.Name, Status: s.Status, Conclusion: textOrNil(s.Conclusion), Number: s.Number, StartedAt: stampOrNil(s.Started),
			CompletedAt: stampOrNil(s.Completed),
		})
	}
	if j.Runner != nil {
		group, name := int64(0), "GitHub Actions"
		if j.Runner.OS != "" {
			group, name = 1, "Default"
		}
		out.RunnerID, out.RunnerName, out.RunnerGroupID, out.RunnerGroupName = &j.Runner.ID, &j.Runner.Name, &group, &name
	}
	return out
}

func (v *view) workflow(wf *world.Workflow) workflow {
	return workflow{
		ID: wf.ID, NodeID: node("Workflow", wf.ID), Name: wf.Name, Path: wf.File, State: "active", CreatedAt: stamp(wf.Created),
		UpdatedAt: stamp(wf.Created), URL: fmt.Sprintf("%s/actions/workflows/%d", v.repoURL(wf.Repo), wf.ID),
		HTMLURL:  v.pageURL(wf.Repo) + "/blob/" + wf.Repo.Default + "/" + wf.File,
		BadgeURL: v.pageURL(wf.Repo) + "/workflows/" + wf.Name + "/badge.svg",
	}
}
