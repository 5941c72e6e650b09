package github

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Compare tells what lies between two versions.
func (s *source) Compare(ctx context.Context, scope, base, head string, globs []string) (sources.Comparison, error) {
	c, err := s.repo(ctx, scope)
	if err != nil {
		return sources.Comparison{}, err
	}
	cmp, err := c.compare(ctx, base, head, globs)
	return cmp, c.fail("compare", err)
}

const (
	comparePages = 20  // of a hundred commits each
	compareFiles = 300 // GitHub lists no more files of a comparison
	mostByFiles  = 500 // commits whose files are read to filter by path
)

// compare reads a comparison; of two full SHAs only once.
func (c *repoConn) compare(ctx context.Context, base, head string, globs []string) (sources.Comparison, error) {
	if base == "" || head == "" {
		return sources.Comparison{}, &sources.Error{Kind: sources.Invalid, Msg: "there is nothing to compare with", Fix: "name two versions"}
	}
	w, files, more, err := c.comparePages(ctx, base, head)
	if err != nil {
		return sources.Comparison{}, err
	}
	out := sources.Comparison{
		Base: version(base), Head: version(head), Status: clean.Line(w.Status).String(),
		Ahead: w.AheadBy, Behind: w.BehindBy, Files: files, URL: webAddress(w.HTMLURL),
		Partial: len(w.Files) >= compareFiles || more,
	}
	for _, cm := range slices.Backward(w.Commits) {
		out.Commits = append(out.Commits, cm.commit())
	}
	if len(globs) == 0 {
		return out, nil
	}
	return out, c.filter(ctx, &out, base, head, globs)
}

// comparePages reads all commits: the first 250 come without paging, and a promotion can hold more. The
// files come with the first page alone.
func (c *repoConn) comparePages(ctx context.Context, base, head string) (w wireComparison, files []string, more bool, err error) {
	path := fmt.Sprintf("%s/compare/%s...%s?per_page=100", c.path, escape(base), escape(head))
	fixed := sha40.MatchString(base) && sha40.MatchString(head)
	first := true
	read := func(p string) (reply[wireComparison], error) {
		var r reply[wireComparison]
		var err error
		if fixed {
			r, err = once[wireComparison](ctx, c, "compare", p)
		} else {
			r, err = fetch[wireComparison](ctx, c, p)
		}
		if err == nil && first {
			w, first = r.Value, false
		}
		return r, err
	}
	commits, more, _, err := pages(read, path, 0, comparePages,
		func(r wireComparison) []wireCommit { return r.Commits }, func(cm wireCommit) int64 { return textID(cm.SHA) })
	if err != nil {
		return w, nil, false, err
	}
	w.Commits = commits
	return w, paths(w.Files), more, nil
}

// filter keeps what touches the paths, and counts it, both ways.
func (c *repoConn) filter(ctx context.Context, out *sources.Comparison, base, head string, globs []string) error {
	if err := c.filterAhead(ctx, out, globs); err != nil {
		return err
	}
	if out.Behind == 0 {
		return nil
	}
	back, err := c.compare(ctx, head, base, nil)
	if err != nil {
		return err
	}
	if err := c.filterAhead(ctx, &back, globs); err != nil {
		return err
	}
	out.Behind = back.Ahead
	return nil
}

// filterAhead keeps the commits of head that touch the paths: each commit's own files tell. When no file
// of theirs differs in the end, nothing of theirs would be promoted, and a change that was taken back
// again is not looked for.
func (c *repoConn) filterAhead(ctx context.Context, out *sources.Comparison, globs []string) error {
	out.Files = slices.DeleteFunc(slices.Clone(out.Files), func(f string) bool { return !touches(globs, []string{f}) })
	if len(out.Files) == 0 && !out.Partial {
		out.Commits, out.Ahead = nil, 0
		return nil
	}
	commits, cut, err := c.touching(ctx, out.Commits, globs)
	if err != nil {
		return err
	}
	out.Commits, out.Ahead = commits, len(commits)
	out.Partial = out.Partial || cut
	return nil
}

// touching are the commits that touch the paths; cut reports that there were too many to look at.
func (c *repoConn) touching(ctx context.Context, commits []sources.Commit, globs []string) (kept []sources.Commit, cut bool, err error) {
	if len(commits) > mostByFiles {
		commits, cut = commits[:mostByFiles], true
	}
	hit := make([]bool, len(commits))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, cm := range commits {
		g.Go(func() error {
			files, err := c.files(ctx, cm.SHA)
			hit[i] = touches(globs, files)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, false, fmt.Errorf("read the files of commits: %w", err)
	}
	for i, cm := range commits {
		if hit[i] {
			kept = append(kept, cm)
		}
	}
	return kept, cut, nil
}

// version is a Version of what a caller named: a SHA, a tag or a branch.
func version(name string) sources.Version {
	if shaLike.MatchString(name) {
		return sources.Version{SHA: name}
	}
	return sources.Version{Tag: clean.Line(name)}
}
