package github

import (
	"net/http"
	"strconv"

	"example.com/signalbox/sources/simulator/world"
)

// routes registers every endpoint. What is not listed here is not found, as GitHub puts it.
func (s *Server) routes() {
	const repo = "/repos/{owner}/{repo}"
	list := []route{
		{pattern: "GET /meta", do: (*call).meta, free: true, volatil: true},
		{pattern: "GET /rate_limit", do: (*call).rate, free: true, volatil: true},
		{pattern: "GET /user", do: (*call).me},
		{pattern: "GET /user/repos", do: (*call).myRepos, list: true},
		{pattern: "GET /user/orgs", do: (*call).myOrgs, list: true},
		{pattern: "GET /users/{user}/repos", do: (*call).userRepos, list: true},
		{pattern: "GET /orgs/{org}/repos", do: (*call).orgRepos, list: true},
		{pattern: "GET /orgs/{org}/actions/runners", do: (*call).orgRunners, list: true},
		{pattern: "GET /installation/repositories", do: (*call).installationRepos, list: true},
		{pattern: "POST /app/installations/{id}/access_tokens", do: (*call).token, free: true},
		{pattern: "GET " + repo, do: (*call).repository},
		{pattern: "GET " + repo + "/actions/runs", do: (*call).listRuns, list: true},
		{pattern: "GET " + repo + "/actions/runs/{run}", do: withRun((*call).getRun)},
		{pattern: "GET " + repo + "/actions/runs/{run}/attempts/{attempt}", do: withRun((*call).getAttempt)},
		{pattern: "GET " + repo + "/actions/runs/{run}/attempts/{attempt}/jobs", do: withRun((*call).attemptJobs), list: true},
		{pattern: "GET " + repo + "/actions/runs/{run}/attempts/{attempt}/logs", do: withRun((*call).attemptLogs), volatil: true},
		{pattern: "GET " + repo + "/actions/runs/{run}/jobs", do: withRun((*call).runJobs), list: true},
		{pattern: "GET " + repo + "/actions/runs/{run}/logs", do: withRun((*call).runLogs), volatil: true},
		{pattern: "GET " + repo + "/actions/runs/{run}/pending_deployments", do: withRun((*call).pendingDeployments)},
		{pattern: "POST " + repo + "/actions/runs/{run}/pending_deployments", do: withRun((*call).review)},
		{pattern: "GET " + repo + "/actions/runs/{run}/approvals", do: withRun((*call).approvals)},
		{pattern: "GET " + repo + "/actions/runs/{run}/concurrency_groups", do: withRun((*call).concurrency)},
		{pattern: "POST " + repo + "/actions/runs/{run}/rerun", do: withRun((*call).rerun)},
		{pattern: "POST " + repo + "/actions/runs/{run}/rerun-failed-jobs", do: withRun((*call).rerunFailed)},
		{pattern: "POST " + repo + "/actions/runs/{run}/cancel", do: withRun((*call).cancel)},
		{pattern: "POST " + repo + "/actions/runs/{run}/force-cancel", do: withRun((*call).forceCancel)},
		{pattern: "GET " + repo + "/actions/jobs/{job}", do: withJob((*call).getJob)},
		{pattern: "GET " + repo + "/actions/jobs/{job}/logs", do: withJob((*call).jobLog), volatil: true},
		{pattern: "POST " + repo + "/actions/jobs/{job}/rerun", do: withJob((*call).rerunJob)},
		{pattern: "GET " + repo + "/actions/workflows", do: (*call).workflows, list: true},
		{pattern: "GET " + repo + "/actions/workflows/{workflow}", do: withWorkflow((*call).getWorkflow)},
		{pattern: "GET " + repo + "/actions/workflows/{workflow}/runs", do: withWorkflow((*call).workflowRuns), list: true},
		{pattern: "POST " + repo + "/actions/workflows/{workflow}/dispatches", do: withWorkflow((*call).dispatch)},
		{pattern: "GET " + repo + "/actions/runners", do: (*call).runners, list: true},
		{pattern: "GET " + repo + "/deployments", do: (*call).deployments, list: true},
		{pattern: "POST " + repo + "/deployments", do: (*call).createDeployment},
		{pattern: "GET " + repo + "/deployments/{deployment}", do: withDeployment((*call).getDeployment)},
		{pattern: "GET " + repo + "/deployments/{deployment}/statuses", do: withDeployment((*call).statuses), list: true},
		{pattern: "POST " + repo + "/deployments/{deployment}/statuses", do: withDeployment((*call).createStatus)},
		{pattern: "GET " + repo + "/environments", do: (*call).environments, list: true},
		{pattern: "GET " + repo + "/environments/{name}", do: (*call).getEnvironment},
		{pattern: "GET " + repo + "/compare/{basehead...}", do: (*call).compare, list: true},
		{pattern: "GET " + repo + "/commits", do: (*call).commits, list: true},
		{pattern: "GET " + repo + "/commits/{ref}/check-runs", do: (*call).checkRuns, list: true},
		{pattern: "GET " + repo + "/commits/{ref}/status", do: (*call).commitStatus},
		{pattern: "GET " + repo + "/commits/{ref...}", do: (*call).getCommit},
		{pattern: "GET " + repo + "/tags", do: (*call).tags, list: true},
		{pattern: "GET " + repo + "/releases", do: (*call).releases, list: true},
		{pattern: "GET " + repo + "/releases/latest", do: (*call).latestRelease},
		{pattern: "GET " + repo + "/branches", do: (*call).branches, list: true},
		{pattern: "GET " + repo + "/branches/{branch...}", do: (*call).getBranch},
		{pattern: "GET " + repo + "/git/ref/{ref...}", do: (*call).gitRef},
	}
	for _, rt := range list {
		s.mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt) })
	}
	nowhere := route{pattern: "unknown", do: (*call).notFound}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, nowhere) })
}

func (c *call) number(name string) int64 {
	n, err := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func withRun(do func(*call, *world.Run) answer) handler {
	return func(c *call) answer {
		if r := c.repo.Run(c.number("run")); r != nil {
			return do(c, r)
		}
		return c.notFound()
	}
}

func withJob(do func(*call, *world.Job) answer) handler {
	return func(c *call) answer {
		if j := c.repo.Job(c.number("job")); j != nil {
			return do(c, j)
		}
		return c.notFound()
	}
}

func withWorkflow(do func(*call, *world.Workflow) answer) handler {
	return func(c *call) answer {
		wf := c.repo.Workflow(c.r.PathValue("workflow"))
		if wf == nil {
			wf = c.repo.WorkflowByID(c.number("workflow"))
		}
		if wf != nil {
			return do(c, wf)
		}
		return c.notFound()
	}
}

func withDeployment(do func(*call, *world.Deployment) answer) handler {
	return func(c *call) answer {
		if d := c.repo.Deployment(c.number("deployment")); d != nil {
			return do(c, d)
		}
		return c.notFound()
	}
}
