package github

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// view turns the world's objects into GitHub's bodies. api and html are where the API and the pages
// are, without a trailing slash.
type view struct {
	api, html string
	repos     map[int64]json.RawMessage // rendered once: nothing in them changes
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func stampOrNil(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func node(kind string, id any) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v", kind, id))
}

func (v *view) repoURL(r *world.Repo) string { return v.api + "/repos/" + r.Full() }

func (v *view) pageURL(r *world.Repo) string { return v.html + "/" + r.Full() }

func (v *view) user(u *world.User) simpleUser {
	kind := "User"
	login := u.Login
	if u.Bot {
		kind, login = "Bot", u.Login+"[bot]"
	}
	return v.owner(login, u.ID, kind)
}

func (v *view) owner(login string, id int64, kind string) simpleUser {
	api := v.api + "/users/" + url.PathEscape(login)
	return simpleUser{
		Login: login, ID: id, NodeID: node(kind, id), AvatarURL: v.html + "/avatars/" + strconv.FormatInt(id, 10),
		URL: api, HTMLURL: v.html + "/" + url.PathEscape(login), FollowersURL: api + "/followers", FollowingURL: api + "/following{/other_user}",
		GistsURL: api + "/gists{/gist_id}", StarredURL: api + "/starred{/owner}{/repo}", SubscriptionsURL: api + "/subscriptions",
		OrganizationsURL: api + "/orgs", ReposURL: api + "/repos", EventsURL: api + "/events{/privacy}",
		ReceivedEventsURL: api + "/received_events", Type: kind,
	}
}

// templates are a repository's links, by the name of their field.
func templates() map[string]string {
	t := map[string]string{
		"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
		"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
		"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
		"git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
		"issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}", "issues_url": "/issues{/number}",
		"keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}", "milestones_url": "/milestones{/number}",
		"notifications_url": "/notifications{?since,all,participating}", "pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}",
		"statuses_url": "/statuses/{sha}", "trees_url": "/git/trees{/sha}",
	}
	for _, plain := range []string{
		"contributors", "deployments", "downloads", "events", "forks", "hooks", "languages", "merges", "stargazers", "subscribers",
		"subscription", "tags", "teams",
	} {
		t[plain+"_url"] = "/" + plain
	}
	return t
}

// minimal is a repository as it stands inside runs.
func (v *view) minimal(r *world.Repo) json.RawMessage {
	if raw, ok := v.repos[r.ID]; ok {
		return raw
	}
	raw := mustJSON(v.minimalMap(r))
	v.repos[r.ID] = raw
	return raw
}

func (v *view) minimalMap(r *world.Repo) map[string]any {
	m := map[string]any{
		"id": r.ID, "node_id": node("Repository", r.ID), "name": r.Name, "full_name": r.Full(), "private": true,
		"owner": v.owner(r.Owner.Login, r.Owner.ID, "Organization"), "html_url": v.pageURL(r), "description": "The " + r.Name + " service",
		"fork": false, "url": v.repoURL(r),
	}
	for k, suffix := range templates() {
		m[k] = v.repoURL(r) + suffix
	}
	return m
}

// full is a repository as its own page gives it.
func (v *view) full(r *world.Repo) map[string]any {
	m := v.minimalMap(r)
	host := strings.TrimPrefix(strings.TrimPrefix(v.html, "https://"), "http://")
	more := map[string]any{
		"git_url": "git://" + host + "/" + r.Full() + ".git", "ssh_url": "git@" + host + ":" + r.Full() + ".git", "clone_url": v.pageURL(r) + ".git",
		"svn_url": v.pageURL(r), "mirror_url": nil, "homepage": nil, "language": "Go", "forks_count": 0, "stargazers_count": 0,
		"watchers_count": 0, "size": 4096, "default_branch": r.Default, "open_issues_count": 3, "is_template": false, "topics": []string{},
		"has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false, "has_discussions": false, "has_downloads": true,
		"archived": r.Archived, "disabled": false, "visibility": "private", "pushed_at": stamp(r.Pushed), "created_at": stamp(r.Created),
		"updated_at": stamp(r.Pushed), "permissions": map[string]bool{"admin": false, "maintain": false, "push": true, "triage": true, "pull": true},
		"license": nil, "forks": 0, "open_issues": 3, "watchers": 0, "network_count": 0, "subscribers_count": 7,
	}
	for k, x := range more {
		m[k] = x
	}
	return m
}

func (v *view) person(u *world.User) person {
	return person{Name: u.Name, Email: u.Login + "@example.com"}
}

func (v *view) commit(r *world.Repo, c *world.Commit, files bool) commit {
	who := v.person(c.Author)
	who.Date = stamp(c.At)
	api := v.repoURL(r)
	out := commit{
		URL: api + "/commits/" + c.SHA, SHA: c.SHA, NodeID: node("Commit", c.SHA), HTMLURL: v.pageURL(r) + "/commit/" + c.SHA,
		CommentsURL: api + "/commits/" + c.SHA + "/comments", Author: v.user(c.Author), Committer: v.user(c.Author), Parents: []commitRef{},
		Commit: commitBody{
			URL: api + "/git/commits/" + c.SHA, Author: who, Committer: who, Message: c.Message,
			Tree: commitRef{SHA: c.Tree, URL: api + "/git/trees/" + c.Tree},
		},
	}
	for _, p := range c.Parents {
		out.Parents = append(out.Parents, commitRef{SHA: p, URL: api + "/commits/" + p, HTMLURL: v.pageURL(r) + "/commit/" + p})
	}
	if files {
		out.Files, out.Stats = v.files(r, c.SHA, c.Files), &commitStats{}
		for _, f := range c.Files {
			out.Stats.Additions += f.Additions
			out.Stats.Deletions += f.Removed
		}
		out.Stats.Total = out.Stats.Additions + out.Stats.Deletions
	}
	return out
}

func (v *view) files(r *world.Repo, sha string, in []world.File) []file {
	out := make([]file, 0, len(in))
	for _, f := range in {
		path := escapePath(f.Path)
		out = append(out, file{
			SHA: sha, Filename: f.Path, Status: f.Status, Additions: f.Additions, Deletions: f.Removed, Changes: f.Additions + f.Removed,
			BlobURL: v.pageURL(r) + "/blob/" + sha + "/" + path, RawURL: v.pageURL(r) + "/raw/" + sha + "/" + path,
			ContentsURL: v.repoURL(r) + "/contents/" + path + "?ref=" + sha,
		})
	}
	return out
}

func escapePath(p string) string { return strings.ReplaceAll(url.PathEscape(p), "%2F", "/") }

func (v *view) environment(e *world.Environment) environment {
	return environment{
		ID: e.ID, NodeID: node("Environment", e.ID), Name: e.Name, URL: v.repoURL(e.Repo) + "/environments/" + url.PathEscape(e.Name),
		HTMLURL:   v.pageURL(e.Repo) + "/deployments/activity_log?environments_filter=" + url.QueryEscape(e.Name),
		CreatedAt: stamp(e.Created), UpdatedAt: stamp(e.Created),
	}
}

func (v *view) reviewers(e *world.Environment) []reviewer {
	out := []reviewer{}
	for _, u := range e.Reviewers {
		out = append(out, reviewer{Type: "User", Reviewer: v.user(u)})
	}
	if e.Team != "" {
		org := e.Repo.Owner.Login
		api := v.api + "/orgs/" + org + "/teams/" + e.Team
		out = append(out, reviewer{Type: "Team", Reviewer: team{
			ID: e.ID + 1, NodeID: node("Team", e.ID+1), URL: api, HTMLURL: v.html + "/orgs/" + org + "/teams/" + e.Team, Name: e.Team, Slug: e.Team,
			Privacy: "closed", Permission: "push", MembersURL: api + "/members{/member}", RepositoriesURL: api + "/repos", Type: "organization",
		}})
	}
	return out
}

func (v *view) environmentFull(e *world.Environment) environmentFull {
	out := environmentFull{environment: v.environment(e), Rules: []any{}}
	if len(e.Reviewers) > 0 {
		out.Rules = append(out.Rules, map[string]any{
			"id": e.ID + 10, "node_id": node("Gate", e.ID+10), "type": "required_reviewers", "prevent_self_review": false, "reviewers": v.reviewers(e),
		})
	}
	if e.Wait > 0 {
		out.Rules = append(out.Rules, map[string]any{
			"id": e.ID + 11, "node_id": node("Gate", e.ID+11), "type": "wait_timer", "wait_timer": int(e.Wait / time.Minute),
		})
	}
	if e.Branches {
		out.Policy = &branchPolicies{Protected: true}
	}
	return out
}

func (v *view) deployment(d *world.Deployment) deployment {
	url := v.repoURL(d.Repo) + "/deployments/" + strconv.FormatInt(d.ID, 10)
	return deployment{
		URL: url, ID: d.ID, NodeID: node("Deployment", d.ID), Task: d.Task, OriginalEnv: d.Environment, Environment: d.Environment,
		Description: textOrNil(d.Description), CreatedAt: stamp(d.Created), UpdatedAt: stamp(d.Updated), StatusesURL: url + "/statuses",
		RepositoryURL: v.repoURL(d.Repo), Creator: v.user(d.Creator), SHA: d.SHA, Ref: d.Ref, Payload: d.Payload,
		Transient: d.Transient, Production: d.Production,
	}
}

func (v *view) status(d *world.Deployment, s *world.DeploymentStatus) deploymentStatus {
	url := v.repoURL(d.Repo) + "/deployments/" + strconv.FormatInt(d.ID, 10)
	log := s.LogURL
	if d.Job != nil {
		log = v.pageURL(d.Repo) + fmt.Sprintf("/actions/runs/%d/job/%d", d.Job.Run.ID, d.Job.ID)
	}
	return deploymentStatus{
		URL: url + "/statuses/" + strconv.FormatInt(s.ID, 10), ID: s.ID, NodeID: node("DeploymentStatus", s.ID), State: s.State,
		Creator: v.user(s.Creator), Description: s.Description, Environment: s.Environment, TargetURL: log, CreatedAt: stamp(s.At),
		UpdatedAt: stamp(s.At), DeploymentURL: url, RepositoryURL: v.repoURL(d.Repo), EnvironmentURL: s.EnvURL, LogURL: log,
	}
}

func (v *view) release(r *world.Repo, x *world.Release) release {
	id := strconv.FormatInt(x.ID, 10)
	tag := url.PathEscape(x.Tag)
	return release{
		URL: v.repoURL(r) + "/releases/" + id, AssetsURL: v.repoURL(r) + "/releases/" + id + "/assets",
		UploadURL: v.repoURL(r) + "/releases/" + id + "/assets{?name,label}", HTMLURL: v.pageURL(r) + "/releases/tag/" + tag,
		ID: x.ID, Author: v.user(x.Author), NodeID: node("Release", x.ID), TagName: x.Tag, Target: r.Default, Name: x.Name, Draft: x.Draft,
		Pre: x.Pre, CreatedAt: stamp(x.At), PublishedAt: stamp(x.At), Assets: []struct{}{},
		TarballURL: v.repoURL(r) + "/tarball/" + tag, ZipballURL: v.repoURL(r) + "/zipball/" + tag,
	}
}

func (v *view) tag(r *world.Repo, t world.Tag) tag {
	name := url.PathEscape(t.Name)
	return tag{
		Name: t.Name, ZipballURL: v.repoURL(r) + "/zipball/refs/tags/" + name, TarballURL: v.repoURL(r) + "/tarball/refs/tags/" + name,
		Commit: commitRef{SHA: t.SHA, URL: v.repoURL(r) + "/commits/" + t.SHA}, NodeID: node("Ref", r.Full()+t.Name),
	}
}

func (*view) runner(m *world.Runner) runner {
	out := runner{ID: m.ID, Name: m.Name, OS: m.OS, Status: "offline", Busy: m.Busy, Labels: []runnerLabel{}}
	if m.Online {
		out.Status = "online"
	}
	for i, l := range m.Labels {
		kind := "read-only"
		if i > 2 {
			kind = "custom"
		}
		out.Labels = append(out.Labels, runnerLabel{ID: i + 1, Name: l, Type: kind})
	}
	return out
}

func mustJSON(x any) json.RawMessage {
	b, err := json.Marshal(x)
	if err != nil { // every value is one of this package's types
		panic(err)
	}
	return b
}
