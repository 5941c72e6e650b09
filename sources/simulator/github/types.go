package github

import "encoding/json"

// The bodies that GitHub answers, with the fields of its description. Links are absolute.
type (
	simpleUser struct {
		Login             string `json:"login"`
		ID                int64  `json:"id"`
		NodeID            string `json:"node_id"`
		AvatarURL         string `json:"avatar_url"`
		GravatarID        string `json:"gravatar_id"`
		URL               string `json:"url"`
		HTMLURL           string `json:"html_url"`
		FollowersURL      string `json:"followers_url"`
		FollowingURL      string `json:"following_url"`
		GistsURL          string `json:"gists_url"`
		StarredURL        string `json:"starred_url"`
		SubscriptionsURL  string `json:"subscriptions_url"`
		OrganizationsURL  string `json:"organizations_url"`
		ReposURL          string `json:"repos_url"`
		EventsURL         string `json:"events_url"`
		ReceivedEventsURL string `json:"received_events_url"`
		Type              string `json:"type"`
		SiteAdmin         bool   `json:"site_admin"`
	}

	account struct {
		simpleUser
		ViewType    string  `json:"user_view_type"`
		Name        string  `json:"name"`
		Company     *string `json:"company"`
		Blog        string  `json:"blog"`
		Location    *string `json:"location"`
		Email       *string `json:"email"`
		Hireable    *bool   `json:"hireable"`
		Bio         *string `json:"bio"`
		PublicRepos int     `json:"public_repos"`
		PublicGists int     `json:"public_gists"`
		Followers   int     `json:"followers"`
		Following   int     `json:"following"`
		CreatedAt   string  `json:"created_at"`
		UpdatedAt   string  `json:"updated_at"`
	}

	simpleCommit struct {
		ID        string `json:"id"`
		TreeID    string `json:"tree_id"`
		Message   string `json:"message"`
		Timestamp string `json:"timestamp"`
		Author    person `json:"author"`
		Committer person `json:"committer"`
	}

	person struct {
		Name  string `json:"name"`
		Email string `json:"email"`
		Date  string `json:"date,omitempty"`
	}

	run struct {
		ID                 int64           `json:"id"`
		Name               string          `json:"name"`
		NodeID             string          `json:"node_id"`
		CheckSuiteID       int64           `json:"check_suite_id"`
		CheckSuiteNodeID   string          `json:"check_suite_node_id"`
		HeadBranch         string          `json:"head_branch"`
		HeadSHA            string          `json:"head_sha"`
		Path               string          `json:"path"`
		RunNumber          int             `json:"run_number"`
		RunAttempt         int             `json:"run_attempt"`
		ReferencedFlows    []referenced    `json:"referenced_workflows"`
		Event              string          `json:"event"`
		DisplayTitle       string          `json:"display_title"`
		Status             string          `json:"status"`
		Conclusion         *string         `json:"conclusion"`
		WorkflowID         int64           `json:"workflow_id"`
		URL                string          `json:"url"`
		HTMLURL            string          `json:"html_url"`
		PullRequests       []pull          `json:"pull_requests"`
		CreatedAt          string          `json:"created_at"`
		UpdatedAt          string          `json:"updated_at"`
		Actor              simpleUser      `json:"actor"`
		TriggeringActor    simpleUser      `json:"triggering_actor"`
		RunStartedAt       string          `json:"run_started_at"`
		JobsURL            string          `json:"jobs_url"`
		LogsURL            string          `json:"logs_url"`
		CheckSuiteURL      string          `json:"check_suite_url"`
		ArtifactsURL       string          `json:"artifacts_url"`
		CancelURL          string          `json:"cancel_url"`
		RerunURL           string          `json:"rerun_url"`
		PreviousAttemptURL *string         `json:"previous_attempt_url"`
		WorkflowURL        string          `json:"workflow_url"`
		HeadCommit         simpleCommit    `json:"head_commit"`
		Repository         json.RawMessage `json:"repository"`
		HeadRepository     json.RawMessage `json:"head_repository"`
	}

	referenced struct {
		Path string `json:"path"`
		SHA  string `json:"sha"`
		Ref  string `json:"ref"`
	}

	pull struct {
		ID     int64   `json:"id"`
		Number int     `json:"number"`
		URL    string  `json:"url"`
		Head   pullRef `json:"head"`
		Base   pullRef `json:"base"`
	}

	pullRef struct {
		Ref  string `json:"ref"`
		SHA  string `json:"sha"`
		Repo struct {
			ID   int64  `json:"id"`
			URL  string `json:"url"`
			Name string `json:"name"`
		} `json:"repo"`
	}

	job struct {
		ID              int64    `json:"id"`
		RunID           int64    `json:"run_id"`
		WorkflowName    string   `json:"workflow_name"`
		HeadBranch      string   `json:"head_branch"`
		RunURL          string   `json:"run_url"`
		RunAttempt      int      `json:"run_attempt"`
		NodeID          string   `json:"node_id"`
		HeadSHA         string   `json:"head_sha"`
		URL             string   `json:"url"`
		HTMLURL         string   `json:"html_url"`
		Status          string   `json:"status"`
		Conclusion      *string  `json:"conclusion"`
		CreatedAt       string   `json:"created_at"`
		StartedAt       string   `json:"started_at"`
		CompletedAt     *string  `json:"completed_at"`
		Name            string   `json:"name"`
		Steps           []step   `json:"steps"`
		CheckRunURL     string   `json:"check_run_url"`
		Labels          []string `json:"labels"`
		RunnerID        *int64   `json:"runner_id"`
		RunnerName      *string  `json:"runner_name"`
		RunnerGroupID   *int64   `json:"runner_group_id"`
		RunnerGroupName *string  `json:"runner_group_name"`
	}

	step struct {
		Name        string  `json:"name"`
		Status      string  `json:"status"`
		Conclusion  *string `json:"conclusion"`
		Number      int     `json:"number"`
		StartedAt   *string `json:"started_at"`
		CompletedAt *string `json:"completed_at"`
	}

	workflow struct {
		ID        int64  `json:"id"`
		NodeID    string `json:"node_id"`
		Name      string `json:"name"`
		Path      string `json:"path"`
		State     string `json:"state"`
		CreatedAt string `json:"created_at"`
		UpdatedAt string `json:"updated_at"`
		URL       string `json:"url"`
		HTMLURL   string `json:"html_url"`
		BadgeURL  string `json:"badge_url"`
	}

	deployment struct {
		URL           string          `json:"url"`
		ID            int64           `json:"id"`
		NodeID        string          `json:"node_id"`
		Task          string          `json:"task"`
		OriginalEnv   string          `json:"original_environment"`
		Environment   string          `json:"environment"`
		Description   *string         `json:"description"`
		CreatedAt     string          `json:"created_at"`
		UpdatedAt     string          `json:"updated_at"`
		StatusesURL   string          `json:"statuses_url"`
		RepositoryURL string          `json:"repository_url"`
		Creator       simpleUser      `json:"creator"`
		SHA           string          `json:"sha"`
		Ref           string          `json:"ref"`
		Payload       json.RawMessage `json:"payload"`
		Transient     bool            `json:"transient_environment"`
		Production    bool            `json:"production_environment"`
		App           *struct{}       `json:"performed_via_github_app"`
	}

	deploymentStatus struct {
		URL            string     `json:"url"`
		ID             int64      `json:"id"`
		NodeID         string     `json:"node_id"`
		State          string     `json:"state"`
		Creator        simpleUser `json:"creator"`
		Description    string     `json:"description"`
		Environment    string     `json:"environment"`
		TargetURL      string     `json:"target_url"`
		CreatedAt      string     `json:"created_at"`
		UpdatedAt      string     `json:"updated_at"`
		DeploymentURL  string     `json:"deployment_url"`
		RepositoryURL  string     `json:"repository_url"`
		EnvironmentURL string     `json:"environment_url"`
		LogURL         string     `json:"log_url"`
		App            *struct{}  `json:"performed_via_github_app"`
	}

	environment struct {
		ID        int64  `json:"id"`
		NodeID    string `json:"node_id"`
		Name      string `json:"name"`
		URL       string `json:"url"`
		HTMLURL   string `json:"html_url"`
		CreatedAt string `json:"created_at,omitempty"`
		UpdatedAt string `json:"updated_at,omitempty"`
	}

	environmentFull struct {
		environment
		Rules  []any           `json:"protection_rules"`
		Policy *branchPolicies `json:"deployment_branch_policy"`
	}

	branchPolicies struct {
		Protected bool `json:"protected_branches"`
		Custom    bool `json:"custom_branch_policies"`
	}

	reviewer struct {
		Type     string `json:"type"`
		Reviewer any    `json:"reviewer"`
	}

	team struct {
		ID              int64   `json:"id"`
		NodeID          string  `json:"node_id"`
		URL             string  `json:"url"`
		HTMLURL         string  `json:"html_url"`
		Name            string  `json:"name"`
		Slug            string  `json:"slug"`
		Description     string  `json:"description"`
		Privacy         string  `json:"privacy"`
		Permission      string  `json:"permission"`
		MembersURL      string  `json:"members_url"`
		RepositoriesURL string  `json:"repositories_url"`
		Parent          *string `json:"parent"`
		Type            string  `json:"type"`
	}

	pending struct {
		Environment environment `json:"environment"`
		WaitTimer   int         `json:"wait_timer"`
		TimerStart  *string     `json:"wait_timer_started_at"`
		CanApprove  bool        `json:"current_user_can_approve"`
		Reviewers   []reviewer  `json:"reviewers"`
	}

	approval struct {
		State        string        `json:"state"`
		Comment      string        `json:"comment"`
		Environments []environment `json:"environments"`
		User         simpleUser    `json:"user"`
	}

	commit struct {
		URL         string       `json:"url"`
		SHA         string       `json:"sha"`
		NodeID      string       `json:"node_id"`
		HTMLURL     string       `json:"html_url"`
		CommentsURL string       `json:"comments_url"`
		Commit      commitBody   `json:"commit"`
		Author      simpleUser   `json:"author"`
		Committer   simpleUser   `json:"committer"`
		Parents     []commitRef  `json:"parents"`
		Stats       *commitStats `json:"stats,omitempty"`
		Files       []file       `json:"files,omitempty"`
	}

	commitBody struct {
		URL          string    `json:"url"`
		Author       person    `json:"author"`
		Committer    person    `json:"committer"`
		Message      string    `json:"message"`
		CommentCount int       `json:"comment_count"`
		Tree         commitRef `json:"tree"`
	}

	commitRef struct {
		SHA     string `json:"sha"`
		URL     string `json:"url"`
		HTMLURL string `json:"html_url,omitempty"`
	}

	commitStats struct {
		Additions int `json:"additions"`
		Deletions int `json:"deletions"`
		Total     int `json:"total"`
	}

	file struct {
		SHA         string `json:"sha"`
		Filename    string `json:"filename"`
		Status      string `json:"status"`
		Additions   int    `json:"additions"`
		Deletions   int    `json:"deletions"`
		Changes     int    `json:"changes"`
		BlobURL     string `json:"blob_url"`
		RawURL      string `json:"raw_url"`
		ContentsURL string `json:"contents_url"`
	}

	comparison struct {
		URL          string   `json:"url"`
		HTMLURL      string   `json:"html_url"`
		PermalinkURL string   `json:"permalink_url"`
		DiffURL      string   `json:"diff_url"`
		PatchURL     string   `json:"patch_url"`
		Base         commit   `json:"base_commit"`
		MergeBase    commit   `json:"merge_base_commit"`
		Status       string   `json:"status"`
		AheadBy      int      `json:"ahead_by"`
		BehindBy     int      `json:"behind_by"`
		TotalCommits int      `json:"total_commits"`
		Commits      []commit `json:"commits"`
		Files        []file   `json:"files,omitempty"`
	}

	tag struct {
		Name       string    `json:"name"`
		ZipballURL string    `json:"zipball_url"`
		TarballURL string    `json:"tarball_url"`
		Commit     commitRef `json:"commit"`
		NodeID     string    `json:"node_id"`
	}

	release struct {
		URL         string     `json:"url"`
		AssetsURL   string     `json:"assets_url"`
		UploadURL   string     `json:"upload_url"`
		HTMLURL     string     `json:"html_url"`
		ID          int64      `json:"id"`
		Author      simpleUser `json:"author"`
		NodeID      string     `json:"node_id"`
		TagName     string     `json:"tag_name"`
		Target      string     `json:"target_commitish"`
		Name        string     `json:"name"`
		Draft       bool       `json:"draft"`
		Pre         bool       `json:"prerelease"`
		CreatedAt   string     `json:"created_at"`
		PublishedAt string     `json:"published_at"`
		Assets      []struct{} `json:"assets"`
		TarballURL  string     `json:"tarball_url"`
		ZipballURL  string     `json:"zipball_url"`
		Body        string     `json:"body"`
	}

	runner struct {
		ID     int64         `json:"id"`
		Name   string        `json:"name"`
		OS     string        `json:"os"`
		Status string        `json:"status"`
		Busy   bool          `json:"busy"`
		Labels []runnerLabel `json:"labels"`
	}

	runnerLabel struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
	}

	rateLimit struct {
		Limit     int   `json:"limit"`
		Used      int   `json:"used"`
		Remaining int   `json:"remaining"`
		Reset     int64 `json:"reset"`
	}
)
