package github

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// escape makes one path element of s: names of branches, tags and environments hold slashes.
func escape(s string) string { return url.PathEscape(s) }

// queryEscape makes a query value of s.
func queryEscape(s string) string { return url.QueryEscape(s) }

// textID numbers what has no number of its own, to tell pages of it apart.
func textID(s string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return int64(h.Sum64() >> 1)
}

func fileID(f wireFile) int64 { return textID(f.Filename) }

// mostRemembered bounds what is remembered of single runs.
const mostRemembered = 20_000

// origin is what never changes of a run: what a deployment of it is judged by.
type origin struct {
	id    int64
	flow  int64 // its workflow
	event string
	name  string
	path  string
	title string
	sha   string
	actor string
}

func originOf(w wireRun) origin {
	return origin{
		id: w.ID, flow: w.WorkflowID, event: w.Event, name: w.Name, path: workflowFile(w.Path), title: w.DisplayTitle, sha: shaOf(w.HeadSHA),
		actor: firstOf(w.Triggering.name(), w.Actor.name()),
	}
}

func (s *source) runRef(scope string, id int64) sources.Ref {
	return sources.Ref{Source: s.env.Source, Kind: sources.KindRun, Scope: scope, ID: strconv.FormatInt(id, 10)}
}

// remember keeps the origins of runs that were listed, so that a deployment of theirs costs no request.
func (s *source) remember(scope string, runs []wireRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.origins)+len(runs) > mostRemembered {
		clear(s.origins)
	}
	for _, w := range runs {
		s.origins[s.runRef(scope, w.ID)] = originOf(w)
	}
}

// enters notes that runs of a workflow enter environments. There are few workflows, but a scope's name is
// another's to give: their number is bounded.
func (s *source) enters(scope string, workflow int64) {
	if workflow == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.entering) < mostRemembered {
		s.entering[workflowKey{scope, workflow}] = true
	}
}

// untraced keeps a read out of what tells whether a list has changed: it is remembered in more than one
// place, or never changes. Its caller notes what matters of it.
func untraced(ctx context.Context) context.Context { return httpx.WithTrace(ctx, &httpx.Trace{}) }

// originFor is the origin of a run, from what was listed or from GitHub. A run that was deleted has none.
func (c *repoConn) originFor(ctx context.Context, id int64) (*origin, error) {
	c.s.mu.Lock()
	o, ok := c.s.origins[c.s.runRef(c.scope, id)]
	c.s.mu.Unlock()
	if ok {
		return &o, nil
	}
	path := fmt.Sprintf("%s/actions/runs/%d", c.path, id)
	r, err := spare(ctx, c, path, func() (reply[wireRun], error) { return once[wireRun](untraced(ctx), c, "origin", path) })
	if err != nil {
		var gone noticeBox
		return nil, c.optional(&gone, "", err)
	}
	c.s.remember(c.scope, []wireRun{r.Value})
	o = originOf(r.Value)
	return &o, nil
}
