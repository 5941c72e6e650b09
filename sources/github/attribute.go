package github

import (
	"context"
	"slices"
	"strings"

	"example.com/signalbox/sources"
)

// attribute says which services a run belongs to. A service claims a run by its workflows, its tag
// prefix or, in a monorepo, by the files of the run's commit; one that says none of that claims all.
func (l *runList) attribute(ctx context.Context, r *sources.Run) error {
	var claims []string
	for _, sp := range l.q.Services {
		mine, err := l.claims(ctx, sp, r)
		if err != nil {
			return l.optional(&l.notices, "the files of commits cannot be read", err)
		}
		if mine {
			claims = append(claims, sp.Name)
		}
	}
	if len(claims) > 1 && isDispatch(r.Event) {
		claims = narrowByName(claims, r.Title.String(), r.Workflow.String(), r.Path)
	}
	if len(claims) > 0 {
		r.Service = claims[0]
	}
	if len(claims) > 1 {
		r.Services = claims
	}
	return nil
}

func (l *runList) claims(ctx context.Context, sp sources.ServiceSpec, r *sources.Run) (bool, error) {
	workflow, path := r.Workflow.String(), r.Path
	if len(sp.Workflows) > 0 && !named(sp.Workflows, workflow, path) && (sp.DeployWorkflow == "" || !named([]string{sp.DeployWorkflow}, path)) {
		return false, nil
	}
	if r.RefKind == sources.RefTag && l.tagPrefixes() {
		return sp.TagPrefix != "" && strings.HasPrefix(r.Branch.String(), sp.TagPrefix), nil
	}
	if sp.DeployWorkflow != "" && isDispatch(r.Event) && named([]string{sp.DeployWorkflow}, path) {
		return true, nil // the commit is the branch's newest, and tells nothing of what is deployed
	}
	if len(sp.Paths) == 0 || r.Commit.SHA == "" {
		return true, nil
	}
	files, err := l.files(ctx, r.Commit.SHA)
	return touches(sp.Paths, files), err
}

func (l *runList) tagPrefixes() bool {
	return slices.ContainsFunc(l.q.Services, func(sp sources.ServiceSpec) bool { return sp.TagPrefix != "" })
}

func isDispatch(event string) bool {
	return event == "workflow_dispatch" || event == "repository_dispatch"
}

// narrowByName keeps the services that a text names as a word, or all when none is named.
func narrowByName(names []string, texts ...string) []string {
	var hit []string
	for _, n := range names {
		if slices.ContainsFunc(texts, func(t string) bool { return hasWord(t, n) }) {
			hit = append(hit, n)
		}
	}
	if len(hit) > 0 {
		return hit
	}
	return names
}

// files are the paths that a commit touches, both sides of a rename. A commit never changes: they are
// read once. GitHub lists three thousand at most.
func (c *repoConn) files(ctx context.Context, sha string) ([]string, error) {
	path := c.path + "/commits/" + sha
	wires, err := spare(ctx, c, path, func() ([]wireFile, error) {
		all, _, _, err := pages(func(p string) (reply[wireCommit], error) { return once[wireCommit](ctx, c, "files", p) },
			path, 3000, maxPages, func(w wireCommit) []wireFile { return w.Files }, fileID)
		return all, err
	})
	return paths(wires), err
}

func paths(files []wireFile) []string {
	out := make([]string, 0, len(files))
	for _, f := range files {
		out = append(out, f.Filename)
		if f.Previous != "" {
			out = append(out, f.Previous)
		}
	}
	return out
}
