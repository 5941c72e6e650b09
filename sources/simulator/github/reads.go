package github

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/signalbox/sources/simulator/world"
)

func (c *call) meta() answer {
	m := map[string]any{"verifiable_password_authentication": false}
	if c.s.cfg.Enterprise {
		m["installed_version"] = "3.17.2"
	}
	return c.ok(m)
}

func (c *call) rate() answer {
	w := c.window()
	r := rateLimit{Limit: c.limit(), Used: w.used, Remaining: max(0, c.limit()-w.used), Reset: w.reset.Unix()}
	search := rateLimit{Limit: 30, Remaining: 30, Reset: w.reset.Unix()}
	return c.ok(map[string]any{"resources": map[string]any{"core": r, "search": search}, "rate": r})
}

func (c *call) unauthorized() answer {
	return c.fail(http.StatusUnauthorized, "Requires authentication")
}

func (c *call) me() answer {
	u := c.user()
	switch {
	case c.id == nil:
		return c.unauthorized()
	case u == nil:
		return c.fail(http.StatusForbidden, "Resource not accessible by integration")
	}
	return c.ok(account{
		simpleUser: c.s.view.user(u), ViewType: "public", Name: u.Name, CreatedAt: stamp(c.w.Opening.AddDate(-6, 0, 0)), UpdatedAt: stamp(c.w.Opening.AddDate(0, -1, 0)),
	})
}

func (c *call) visible(org string) []*world.Repo {
	var out []*world.Repo
	for _, r := range c.w.Repos {
		if org != "" && !strings.EqualFold(r.Owner.Login, org) || r.Deleted || !c.sees(r) {
			continue
		}
		if r.Owner.SSO && !contains(c.id.SSO, r.Owner.Login) {
			continue
		}
		out = append(out, r)
	}
	return out
}

func (c *call) repos(list []*world.Repo) []json.RawMessage {
	return raws(cut(c, list), func(r *world.Repo) map[string]any { return c.s.view.full(r) })
}

// partial names the organisations that single sign-on kept out of a list.
func (c *call) partial(a answer) answer {
	for _, o := range c.w.Orgs {
		if o.SSO && !contains(c.id.SSO, o.Login) {
			a.header = map[string]string{"X-GitHub-SSO": "partial-results; organizations=" + itoa(o.ID)}
		}
	}
	return a
}

func (c *call) myRepos() answer {
	if c.id == nil {
		return c.unauthorized()
	}
	return c.partial(c.list(c.repos(c.visible(""))))
}

func (c *call) myOrgs() answer {
	if c.id == nil {
		return c.unauthorized()
	}
	return c.list(raws(cut(c, c.w.Orgs), func(o *world.Org) map[string]any {
		api := c.s.view.api + "/orgs/" + o.Login
		return map[string]any{
			"login": o.Login, "id": o.ID, "node_id": node("Organization", o.ID), "url": api, "repos_url": api + "/repos",
			"events_url": api + "/events", "hooks_url": api + "/hooks", "issues_url": api + "/issues", "members_url": api + "/members{/member}",
			"public_members_url": api + "/public_members{/member}", "avatar_url": c.s.view.html + "/avatars/" + itoa(o.ID), "description": nil,
		}
	}))
}

func (c *call) org() (*world.Org, answer, bool) {
	for _, o := range c.w.Orgs {
		if !strings.EqualFold(o.Login, c.r.PathValue("org")) || c.id == nil {
			continue
		}
		if o.SSO && !contains(c.id.SSO, o.Login) {
			return nil, c.signOn(o), false
		}
		return o, answer{}, true
	}
	return nil, c.notFound(), false
}

func (c *call) orgRepos() answer {
	o, a, ok := c.org()
	if !ok {
		return a
	}
	return c.list(c.repos(c.visible(o.Login)))
}

// userRepos lists what a user or an organisation owns in public: nothing, as every repository is private.
func (c *call) userRepos() answer {
	name := c.r.PathValue("user")
	if c.w.User(name) == nil && !slices.ContainsFunc(c.w.Orgs, func(o *world.Org) bool { return strings.EqualFold(o.Login, name) }) {
		return c.notFound()
	}
	return c.list(c.repos(nil))
}

func (c *call) orgRunners() answer {
	if _, a, ok := c.org(); !ok {
		return a
	}
	if !c.id.app && !contains(c.id.Scopes, "admin:org") {
		return c.fail(http.StatusForbidden, "Must have admin rights to Repository.")
	}
	return c.counted("runners", 0, nil)
}

func (c *call) installationRepos() answer {
	if c.id == nil || !c.id.app {
		return c.fail(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
	}
	list := c.visible("")
	return c.counted("repositories", len(list), c.repos(list))
}

func (c *call) repository() answer { return c.ok(c.s.view.full(c.repo)) }

func (c *call) workflows() answer {
	return c.counted("workflows", len(c.repo.Workflows), raws(cut(c, c.repo.Workflows), c.s.view.workflow))
}

func (c *call) getWorkflow(wf *world.Workflow) answer { return c.ok(c.s.view.workflow(wf)) }

func (c *call) runners() answer {
	return c.counted("runners", len(c.repo.Runners), raws(cut(c, c.repo.Runners), c.s.view.runner))
}

func (c *call) deployments() answer {
	var list []*world.Deployment
	for _, d := range slices.Backward(c.repo.Deployments) {
		if c.wants("sha", d.SHA) && c.wants("ref", d.Ref) && c.wants("task", d.Task) && c.wants("environment", d.Environment) {
			list = append(list, d)
		}
	}
	return c.list(raws(cut(c, list), c.s.view.deployment))
}

// wants reports whether a filter lets a value through; "none" is GitHub's word for no filter.
func (c *call) wants(name, value string) bool {
	f := c.q.Get(name)
	return f == "" || f == "none" || f == value
}

func (c *call) getDeployment(d *world.Deployment) answer { return c.ok(c.s.view.deployment(d)) }

func (c *call) statuses(d *world.Deployment) answer {
	list := slices.Clone(d.Statuses)
	slices.Reverse(list)
	return c.list(raws(cut(c, list), func(x *world.DeploymentStatus) deploymentStatus { return c.s.view.status(d, x) }))
}

func (c *call) environments() answer {
	return c.counted("environments", len(c.repo.Environments), raws(cut(c, c.repo.Environments), c.s.view.environmentFull))
}

func (c *call) getEnvironment() answer {
	if e := c.repo.Environment(c.r.PathValue("name")); e != nil {
		return c.ok(c.s.view.environmentFull(e))
	}
	return c.notFound()
}

func (c *call) compare() answer {
	baseName, headName, ok := strings.Cut(c.r.PathValue("basehead"), "...")
	base, okBase := c.repo.Resolve(baseName)
	head, okHead := c.repo.Resolve(headName)
	if !ok || !okBase || !okHead {
		return c.notFound()
	}
	cmp, ok := c.repo.Compare(base, head)
	if !ok {
		return c.fail(http.StatusNotFound, "No common ancestor between "+baseName+" and "+headName+".")
	}
	v := &c.s.view
	api := v.repoURL(c.repo) + "/compare/" + base + "..." + head
	page := v.pageURL(c.repo) + "/compare/" + url.PathEscape(baseName) + "..." + url.PathEscape(headName)
	out := comparison{
		URL: api, HTMLURL: page, PermalinkURL: v.pageURL(c.repo) + "/compare/" + base + "..." + head, DiffURL: page + ".diff", PatchURL: page + ".patch",
		Base: v.commit(c.repo, cmp.Base, false), MergeBase: v.commit(c.repo, cmp.MergeBase, false), Status: standing(cmp),
		AheadBy: len(cmp.Ahead), BehindBy: cmp.Behind, TotalCommits: len(cmp.Ahead), Commits: []commit{},
	}
	part := cmp.Ahead
	if c.q.Get("page") != "" || c.q.Get("per_page") != "" {
		part = cut(c, cmp.Ahead)
	} else if len(part) > 250 {
		part = part[len(part)-250:]
	}
	for _, x := range part {
		out.Commits = append(out.Commits, v.commit(c.repo, x, false))
	}
	if c.span().page == 1 {
		out.Files = v.files(c.repo, head, cmp.Files[:min(300, len(cmp.Files))])
	}
	return c.ok(out)
}

func standing(cmp world.Comparison) string {
	switch {
	case len(cmp.Ahead) > 0 && cmp.Behind > 0:
		return "diverged"
	case len(cmp.Ahead) > 0:
		return "ahead"
	case cmp.Behind > 0:
		return "behind"
	default:
		return "identical"
	}
}

func (c *call) commits() answer {
	ref := c.q.Get("sha")
	if ref == "" {
		ref = c.repo.Default
	}
	sha, ok := c.repo.Resolve(ref)
	if !ok {
		return c.notFound()
	}
	var list []*world.Commit
	for _, x := range c.repo.History(sha) {
		if c.wants("author", x.Author.Login) && c.touches(x) && c.between(x) {
			list = append(list, x)
		}
	}
	return c.list(raws(cut(c, list), func(x *world.Commit) commit { return c.s.view.commit(c.repo, x, false) }))
}

func (c *call) touches(x *world.Commit) bool {
	path := strings.TrimSuffix(c.q.Get("path"), "/")
	return path == "" || slices.ContainsFunc(x.Files, func(f world.File) bool { return f.Path == path || strings.HasPrefix(f.Path, path+"/") })
}

func (c *call) between(x *world.Commit) bool {
	at := stamp(x.At)
	since, until := c.q.Get("since"), c.q.Get("until")
	return (since == "" || at >= since) && (until == "" || at <= until)
}

func (c *call) getCommit() answer {
	sha, ok := c.repo.Resolve(c.r.PathValue("ref"))
	if !ok {
		return c.fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.r.PathValue("ref"))
	}
	return c.ok(c.s.view.commit(c.repo, c.repo.Commit(sha), true))
}

func (c *call) tags() answer {
	list := slices.Clone(c.repo.Tags)
	slices.Reverse(list)
	return c.list(raws(cut(c, list), func(t world.Tag) tag { return c.s.view.tag(c.repo, t) }))
}

func (c *call) releases() answer {
	list := slices.Clone(c.repo.Releases)
	slices.Reverse(list)
	return c.list(raws(cut(c, list), func(x *world.Release) release { return c.s.view.release(c.repo, x) }))
}

func (c *call) latestRelease() answer {
	for _, x := range slices.Backward(c.repo.Releases) {
		if !x.Draft && !x.Pre {
			return c.ok(c.s.view.release(c.repo, x))
		}
	}
	return c.notFound()
}

func (c *call) branches() answer {
	return c.list(raws(cut(c, c.repo.BranchNames()), func(name string) map[string]any {
		return map[string]any{
			"name": name, "protected": slices.Contains(c.repo.Protected, name),
			"commit": commitRef{SHA: c.repo.Branches[name], URL: c.s.view.repoURL(c.repo) + "/commits/" + c.repo.Branches[name]},
		}
	}))
}

func (c *call) getBranch() answer {
	name := c.r.PathValue("branch")
	sha, ok := c.repo.Branches[name]
	if !ok {
		return c.fail(http.StatusNotFound, "Branch not found")
	}
	self := c.s.view.repoURL(c.repo) + "/branches/" + escapePath(name)
	return c.ok(map[string]any{
		"name": name, "commit": c.s.view.commit(c.repo, c.repo.Commit(sha), true), "protected": slices.Contains(c.repo.Protected, name),
		"_links":     map[string]string{"self": self, "html": c.s.view.pageURL(c.repo) + "/tree/" + escapePath(name)},
		"protection": map[string]any{"enabled": slices.Contains(c.repo.Protected, name)}, "protection_url": self + "/protection",
	})
}

func (c *call) gitRef() answer {
	name := c.r.PathValue("ref")
	kind, sha := c.repo.Ref(name)
	if kind == "" || !strings.HasPrefix(name, kind+"/") {
		return c.notFound()
	}
	return c.ok(map[string]any{
		"ref": "refs/" + name, "node_id": node("Ref", c.repo.Full()+name), "url": c.s.view.repoURL(c.repo) + "/git/refs/" + escapePath(name),
		"object": map[string]string{"type": "commit", "sha": sha, "url": c.s.view.repoURL(c.repo) + "/git/commits/" + sha},
	})
}
