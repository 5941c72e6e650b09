package github

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// moment is a time as GitHub's replies of all ages write it: RFC 3339 with or without a fraction, a
// Unix time, null or "". What makes no sense is the zero time, because one odd date must not cost the
// whole list.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(b []byte) error {
	m.Time = time.Time{}
	s := strings.Trim(string(b), `"`)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		if t.Year() >= 1990 && t.Year() < 2200 {
			m.Time = t.UTC()
		}
		return nil
	}
	var n int64
	if err := json.Unmarshal(b, &n); err == nil && n > 631152000 && n < 7258118400 {
		m.Time = time.Unix(n, 0).UTC()
	}
	return nil
}

// listed reports that a counted list was answered: an answer that counts items and has no list is none.
func listed(total *int, list bool) bool { return list || total != nil && *total == 0 }

type wireUser struct {
	Login string `json:"login"`
	Type  string `json:"type"`
}

func (u *wireUser) name() string {
	if u == nil {
		return ""
	}
	return u.Login
}

type wireRepo struct {
	ID            int64  `json:"id"`
	FullName      string `json:"full_name"`
	DefaultBranch string `json:"default_branch"`
	HTMLURL       string `json:"html_url"`
	Archived      bool   `json:"archived"`
	Disabled      bool   `json:"disabled"`
	Private       bool   `json:"private"`
	Fork          bool   `json:"fork"`
	PushedAt      moment `json:"pushed_at"`
}

func (r wireRepo) whole() bool { return r.FullName != "" }

type wirePull struct {
	Number int `json:"number"`
}

type wireAuthor struct {
	Name string `json:"name"`
	Date moment `json:"date"`
}

type wireHead struct {
	ID        string      `json:"id"`
	Message   string      `json:"message"`
	Timestamp moment      `json:"timestamp"`
	Author    *wireAuthor `json:"author"`
}

type wireRun struct {
	ID           int64      `json:"id"`
	Name         string     `json:"name"`
	Path         string     `json:"path"`
	DisplayTitle string     `json:"display_title"`
	RunNumber    int        `json:"run_number"`
	RunAttempt   int        `json:"run_attempt"`
	Event        string     `json:"event"`
	Status       string     `json:"status"`
	Conclusion   string     `json:"conclusion"`
	HeadBranch   string     `json:"head_branch"`
	HeadSHA      string     `json:"head_sha"`
	HTMLURL      string     `json:"html_url"`
	WorkflowID   int64      `json:"workflow_id"`
	Actor        *wireUser  `json:"actor"`
	Triggering   *wireUser  `json:"triggering_actor"`
	CreatedAt    moment     `json:"created_at"`
	UpdatedAt    moment     `json:"updated_at"`
	StartedAt    moment     `json:"run_started_at"`
	Pulls        []wirePull `json:"pull_requests"`
	Head         *wireHead  `json:"head_commit"`
	Repo         *wireRepo  `json:"repository"`
	HeadRepo     *wireRepo  `json:"head_repository"`
}

func (r wireRun) whole() bool { return r.ID != 0 }

type wireRuns struct {
	Total *int      `json:"total_count"`
	Runs  []wireRun `json:"workflow_runs"`
}

func (r wireRuns) whole() bool { return listed(r.Total, r.Runs != nil) }

type wireStep struct {
	Name        string `json:"name"`
	Number      int    `json:"number"`
	Status      string `json:"status"`
	Conclusion  string `json:"conclusion"`
	StartedAt   moment `json:"started_at"`
	CompletedAt moment `json:"completed_at"`
}

type wireJob struct {
	ID          int64      `json:"id"`
	RunID       int64      `json:"run_id"`
	RunAttempt  int        `json:"run_attempt"`
	Name        string     `json:"name"`
	Status      string     `json:"status"`
	Conclusion  string     `json:"conclusion"`
	CreatedAt   moment     `json:"created_at"`
	StartedAt   moment     `json:"started_at"`
	CompletedAt moment     `json:"completed_at"`
	HTMLURL     string     `json:"html_url"`
	Labels      []string   `json:"labels"`
	RunnerName  string     `json:"runner_name"`
	Steps       []wireStep `json:"steps"`
}

func (j wireJob) whole() bool { return j.ID != 0 }

type wireJobs struct {
	Total *int      `json:"total_count"`
	Jobs  []wireJob `json:"jobs"`
}

func (j wireJobs) whole() bool { return listed(j.Total, j.Jobs != nil) }

// wireReviewer is a user or a team; other kinds may come, and count as a reviewer by their name.
type wireReviewer struct {
	Type     string `json:"type"`
	Reviewer struct {
		Login string `json:"login"`
		Name  string `json:"name"`
		Slug  string `json:"slug"`
	} `json:"reviewer"`
}

type wirePending struct {
	Environment struct {
		ID      int64  `json:"id"`
		Name    string `json:"name"`
		HTMLURL string `json:"html_url"`
	} `json:"environment"`
	WaitTimer  int            `json:"wait_timer"` // minutes
	TimerSince moment         `json:"wait_timer_started_at"`
	CanApprove bool           `json:"current_user_can_approve"`
	Reviewers  []wireReviewer `json:"reviewers"`
}

type wireGroups struct {
	Total  *int        `json:"total_count"`
	Groups []wireGroup `json:"concurrency_groups"`
}

type wireGroup struct {
	Name    string `json:"group_name"`
	Members []struct {
		RunID    int64 `json:"run_id"`
		Position int   `json:"position"` // 0 holds the group
	} `json:"group_members"`
}

// holder is the run that holds the group, and whether it is this one; 0 where nothing tells.
func (g *wireGroup) holder(run string) (id int64, mine bool) {
	for _, m := range g.Members {
		if m.Position != 0 {
			continue
		}
		if id = m.RunID; strconv.FormatInt(id, 10) == run {
			return id, true
		}
	}
	return id, false
}

func (g wireGroups) whole() bool { return listed(g.Total, g.Groups != nil) }

type wireRunner struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Labels []struct {
		Name string `json:"name"`
	} `json:"labels"`
}

type wireRunners struct {
	Total   *int         `json:"total_count"`
	Runners []wireRunner `json:"runners"`
}

func (r wireRunners) whole() bool { return listed(r.Total, r.Runners != nil) }

type wireFile struct {
	Filename string `json:"filename"`
	Previous string `json:"previous_filename"`
}

type wireCommit struct {
	SHA     string `json:"sha"`
	HTMLURL string `json:"html_url"`
	Commit  struct {
		Message   string      `json:"message"`
		Author    *wireAuthor `json:"author"`
		Committer *wireAuthor `json:"committer"`
	} `json:"commit"`
	Author *wireUser  `json:"author"`
	Files  []wireFile `json:"files"`
}

func (c wireCommit) whole() bool { return c.SHA != "" }

type wireComparison struct {
	HTMLURL      string       `json:"html_url"`
	Status       string       `json:"status"`
	AheadBy      int          `json:"ahead_by"`
	BehindBy     int          `json:"behind_by"`
	TotalCommits int          `json:"total_commits"`
	Base         *wireCommit  `json:"base_commit"`
	Commits      []wireCommit `json:"commits"`
	Files        []wireFile   `json:"files"`
}

func (c wireComparison) whole() bool { return c.Status != "" }

type wireDeployment struct {
	ID          int64           `json:"id"`
	SHA         string          `json:"sha"`
	Ref         string          `json:"ref"`
	Task        string          `json:"task"`
	Payload     json.RawMessage `json:"payload"`
	Environment string          `json:"environment"`
	Original    string          `json:"original_environment"`
	Description string          `json:"description"`
	Transient   bool            `json:"transient_environment"`
	Production  bool            `json:"production_environment"`
	Creator     *wireUser       `json:"creator"`
	App         *struct {
		Slug string `json:"slug"`
	} `json:"performed_via_github_app"`
	CreatedAt moment `json:"created_at"`
	UpdatedAt moment `json:"updated_at"`
}

func (d wireDeployment) whole() bool { return d.ID != 0 }

// stage is the environment that a deployment is of.
func (d wireDeployment) stage() string {
	if d.Environment != "" {
		return d.Environment
	}
	return d.Original
}

type wireStatus struct {
	ID          int64     `json:"id"`
	State       string    `json:"state"`
	Description string    `json:"description"`
	Creator     *wireUser `json:"creator"`
	LogURL      string    `json:"log_url"`
	TargetURL   string    `json:"target_url"`
	CreatedAt   moment    `json:"created_at"`
	UpdatedAt   moment    `json:"updated_at"`
}

type wireRelease struct {
	ID          int64  `json:"id"`
	TagName     string `json:"tag_name"`
	Name        string `json:"name"`
	Draft       bool   `json:"draft"`
	Prerelease  bool   `json:"prerelease"`
	HTMLURL     string `json:"html_url"`
	CreatedAt   moment `json:"created_at"`
	PublishedAt moment `json:"published_at"`
}

type wireTag struct {
	Name   string `json:"name"`
	Commit struct {
		SHA string `json:"sha"`
	} `json:"commit"`
}

type wireEnvironment struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	HTMLURL string `json:"html_url"`
}

type wireEnvironments struct {
	Total        *int              `json:"total_count"`
	Environments []wireEnvironment `json:"environments"`
}

func (e wireEnvironments) whole() bool { return listed(e.Total, e.Environments != nil) }

type wireWorkflow struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Path  string `json:"path"`
	State string `json:"state"`
}

type wireWorkflows struct {
	Total     *int           `json:"total_count"`
	Workflows []wireWorkflow `json:"workflows"`
}

func (w wireWorkflows) whole() bool { return listed(w.Total, w.Workflows != nil) }
