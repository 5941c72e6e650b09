package github

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

const (
	mostRepos  = 60                   // that are looked into, those pushed last first
	quietSince = 180 * 24 * time.Hour // a repository without a push is left out
)

type wireInstallation struct {
	Total *int       `json:"total_count"`
	Repos []wireRepo `json:"repositories"`
}

func (w wireInstallation) whole() bool { return listed(w.Total, w.Repos != nil) }

// Discover proposes a service for each repository that somebody works on: with its environments in their
// usual order, and the workflow that seems to deploy.
func (s *source) Discover(ctx context.Context) ([]sources.Proposal, error) {
	repos, err := s.allRepos(ctx)
	if err != nil {
		return nil, httpx.Explain("discover", "", err)
	}
	slices.SortStableFunc(repos, func(a, b wireRepo) int { return b.PushedAt.Compare(a.PushedAt.Time) })
	var live []wireRepo
	for _, r := range repos {
		gone := r.Archived || r.Disabled || r.Fork || !r.PushedAt.IsZero() && s.env.Now().Sub(r.PushedAt.Time) > quietSince
		if !gone && scopeName.MatchString(r.FullName) && len(live) < mostRepos {
			live = append(live, r)
		}
	}
	found := make([]sources.Proposal, len(live))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, r := range live {
		g.Go(func() error {
			p, err := s.propose(ctx, r)
			found[i] = p
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, httpx.Explain("discover", "", err)
	}
	slices.SortStableFunc(found, func(a, b sources.Proposal) int {
		switch {
		case a.Confidence > b.Confidence:
			return -1
		case a.Confidence < b.Confidence:
			return 1
		default:
			return strings.Compare(a.Repo, b.Repo)
		}
	})
	return found, nil
}

// allRepos are the repositories that the credentials see, each once: an App's, an owner's, a person's.
func (s *source) allRepos(ctx context.Context) ([]wireRepo, error) {
	seen := map[int64]bool{}
	var all []wireRepo
	add := func(rs []wireRepo) {
		for _, r := range rs {
			if !seen[r.ID] {
				seen[r.ID] = true
				all = append(all, r)
			}
		}
	}
	for _, owner := range s.owners() {
		c, err := s.connFor(ctx, owner)
		if err != nil {
			return nil, err
		}
		rs, err := c.repos(ctx, owner)
		if err != nil {
			return nil, err
		}
		add(rs)
	}
	return all, nil
}

func (c *conn) repos(ctx context.Context, owner string) ([]wireRepo, error) {
	id := func(r wireRepo) int64 { return r.ID }
	if c.app != nil {
		rs, _, _, err := pages(func(p string) (reply[wireInstallation], error) { return get[wireInstallation](ctx, c, p) },
			"installation/repositories?per_page=100", 0, 5, func(w wireInstallation) []wireRepo { return w.Repos }, id)
		return rs, err
	}
	read := func(p string) (reply[list[wireRepo]], error) { return get[list[wireRepo]](ctx, c, p) }
	items := func(l list[wireRepo]) []wireRepo { return l }
	if owner == "" {
		rs, _, _, err := pages(read, "user/repos?sort=pushed&affiliation=owner,collaborator,organization_member&per_page=100", 2*mostRepos, 3, items, id)
		return rs, err
	}
	rs, _, _, err := pages(read, "orgs/"+escape(owner)+"/repos?sort=pushed&per_page=100", 2*mostRepos, 3, items, id)
	if err != nil && sources.KindOf(err) == sources.NotExist {
		rs, _, _, err = pages(read, "users/"+escape(owner)+"/repos?sort=pushed&per_page=100", 2*mostRepos, 3, items, id)
	}
	return rs, err
}

func (s *source) propose(ctx context.Context, r wireRepo) (sources.Proposal, error) {
	_, name, _ := strings.Cut(r.FullName, "/")
	p := sources.Proposal{Service: strings.ToLower(name), Repo: r.FullName, Confidence: 0.2}
	c, err := s.repo(ctx, r.FullName)
	if err != nil {
		return p, err
	}
	var box noticeBox
	envs, err := c.environments(ctx)
	if err := c.optional(&box, "environments", err); err != nil {
		return p, err
	}
	for _, e := range stageOrder(envs) {
		if stageRank(e) == 0 || strings.HasPrefix(e, "github-pages") || strings.Contains(strings.ToLower(e), "pr-") {
			continue // previews come and go
		}
		p.Environments = append(p.Environments, e)
	}
	flows, err := fetch[wireWorkflows](ctx, c, c.path+"/actions/workflows?per_page=100")
	if err := c.optional(&box, "workflows", err); err != nil {
		return p, err
	}
	p.Deploy = deployWorkflow(flows.Value.Workflows)
	weigh(&p, len(flows.Value.Workflows))
	for _, n := range box.list() {
		p.Why = append(p.Why, n.Text.String())
	}
	return p, nil
}

// weigh says how sure a proposal is, and why.
func weigh(p *sources.Proposal, workflows int) {
	switch n := len(p.Environments); {
	case n == 0:
		p.Why = append(p.Why, "it has no environments: its newest release would be its lane")
	case isProd(p.Environments[n-1]):
		p.Confidence += 0.5
		p.Why = append(p.Why, fmt.Sprintf("it has %d environments, the last is %s", n, p.Environments[n-1]))
	default:
		p.Confidence += 0.2
		p.Why = append(p.Why, fmt.Sprintf("it has %d environments, and none looks like production: check their order", n))
	}
	switch {
	case p.Deploy != "":
		p.Confidence += 0.3
		p.Why = append(p.Why, p.Deploy+" seems to deploy it")
	case workflows > 0:
		p.Why = append(p.Why, "no single workflow of it seems to deploy")
	default:
		p.Why = append(p.Why, "it has no workflows")
	}
}

// deployWorkflow is the one workflow whose file or name says that it deploys; "" when none or several do.
func deployWorkflow(flows []wireWorkflow) string {
	for _, words := range [][]string{{"deploy", "deployment"}, {"release"}, {"cd"}} {
		found := ""
		for _, w := range flows {
			file := w.Path[strings.LastIndexByte(w.Path, '/')+1:]
			if w.State != "" && w.State != "active" || !slices.ContainsFunc(words, func(word string) bool {
				return hasWord(strings.ReplaceAll(file, "-", " "), word) || hasWord(w.Name, word)
			}) {
				continue
			}
			if found != "" {
				return ""
			}
			found = file
		}
		if found != "" {
			return found
		}
	}
	return ""
}
