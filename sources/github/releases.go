package github

import (
	"context"
	"slices"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

const (
	defaultReleases = 30
	datedTags       = 5 // bare tags whose commits are asked for their dates
)

// ListReleases lists releases, and the tags that have none, newest first. A library has no environments:
// its newest release is its lane.
func (s *source) ListReleases(ctx context.Context, q sources.Query) (sources.Batch[sources.Release], error) {
	return deliver(ctx, s, "releases", q, func(ctx context.Context, c *repoConn) (sources.Batch[sources.Release], error) {
		return c.releases(ctx, q)
	})
}

func (c *repoConn) releases(ctx context.Context, q sources.Query) (sources.Batch[sources.Release], error) {
	var out sources.Batch[sources.Release]
	about, notices, err := c.about(ctx)
	if err != nil {
		return out, err
	}
	var box noticeBox
	box.add(notices...)
	limit := defaultReleases
	if q.Limit > 0 {
		limit = q.Limit
	}
	rels, _, sso, err := pages(func(p string) (reply[list[wireRelease]], error) { return fetch[list[wireRelease]](ctx, c, p) },
		c.path+"/releases?per_page=30", limit, maxPages, func(l list[wireRelease]) []wireRelease { return l }, func(r wireRelease) int64 { return r.ID })
	if err != nil {
		return out, err
	}
	box.add(c.ssoNotice(sso)...)
	tags, err := fetch[list[wireTag]](ctx, c, c.path+"/tags?per_page=100")
	if err != nil {
		return out, err
	}
	shas := make(map[string]string, len(tags.Value))
	for _, t := range tags.Value {
		shas[t.Name] = shaOf(t.Commit.SHA)
	}
	released := map[string]bool{}
	for _, w := range rels {
		if w.TagName == "" && !w.Draft {
			continue // it names no version
		}
		released[w.TagName] = true
		out.Items = append(out.Items, c.release(w, shas[w.TagName], q.Services))
	}
	bare, err := c.bareTags(ctx, tags.Value, released, about.HTMLURL, q.Services)
	if err != nil {
		return sources.Batch[sources.Release]{}, err
	}
	out.Items = append(out.Items, bare...)
	slices.SortStableFunc(out.Items, func(a, b sources.Release) int { return b.At.Compare(a.At) })
	if len(out.Items) > limit {
		out.Items = out.Items[:limit]
	}
	out.Notices = box.list()
	return out, nil
}

// kindRelease is the kind of a Release's Ref: none of the contract's kinds is one.
const kindRelease sources.Kind = "release"

func (c *repoConn) release(w wireRelease, sha string, services []sources.ServiceSpec) sources.Release {
	r := sources.Release{
		Ref:     c.ref(kindRelease, w.ID),
		Service: tagService(w.TagName, services),
		Version: sources.Version{SHA: sha, Tag: clean.Line(w.TagName)},
		Title:   clean.Line(firstOf(w.Name, w.TagName)),
		At:      w.PublishedAt.Time, Draft: w.Draft, Pre: w.Prerelease, URL: webAddress(w.HTMLURL),
	}
	if r.At.IsZero() {
		r.At = w.CreatedAt.Time
	}
	return r
}

// bareTags are the tags without a release. A tag has no date: the newest get their commits'.
func (c *repoConn) bareTags(ctx context.Context, tags []wireTag, released map[string]bool, repo string, services []sources.ServiceSpec) ([]sources.Release, error) {
	var out []sources.Release
	for _, t := range tags {
		sha := shaOf(t.Commit.SHA)
		if released[t.Name] || t.Name == "" {
			continue
		}
		r := sources.Release{
			Ref:     sources.Ref{Source: c.s.env.Source, Kind: kindRelease, Scope: c.scope, ID: "tag/" + t.Name},
			Service: tagService(t.Name, services),
			Version: sources.Version{SHA: sha, Tag: clean.Line(t.Name)},
			Title:   clean.Line(t.Name),
		}
		if repo != "" {
			r.URL = webAddress(repo + "/tree/" + escape(t.Name))
		}
		if len(out) < datedTags && sha != "" {
			path := c.path + "/commits/" + sha
			w, err := spare(ctx, c, path, func() (reply[wireCommit], error) { return once[wireCommit](ctx, c, "files", path) })
			if err != nil {
				var gone noticeBox
				if err := c.optional(&gone, "", err); err != nil {
					return nil, err
				}
			}
			r.At = w.Value.commit().At
		}
		out = append(out, r)
	}
	return out, nil
}

// tagService is the service whose prefix a tag has, the longest first; the only service of a repository
// has all tags that are no other's.
func tagService(tag string, services []sources.ServiceSpec) string {
	best, found := "", ""
	for _, sp := range services {
		if sp.TagPrefix != "" && strings.HasPrefix(tag, sp.TagPrefix) && len(sp.TagPrefix) > len(best) {
			best, found = sp.TagPrefix, sp.Name
		}
	}
	if found == "" && len(services) == 1 && services[0].TagPrefix == "" {
		return services[0].Name
	}
	return found
}
