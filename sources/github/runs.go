package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

const (
	defaultRuns = 50 // runs of a repository that are looked at when the query sets no limit
	parallel    = 6  // requests of one list at a time: far below the hundred that GitHub allows
	maxPages    = 10
	aboutFor    = 10 * time.Minute // how long a repository's own data is believed
)

// deliver runs one list, and answers ErrNotModified when it was made of the same answers, for the same
// query, as the one that was delivered last. A list that failed was not delivered.
func deliver[T any](ctx context.Context, s *source, feed string, q sources.Query, read func(context.Context, *repoConn) (sources.Batch[T], error)) (sources.Batch[T], error) {
	s.mu.Lock()
	s.asked[q.Scope] = querySet{q.Services, q.Identity}
	s.mu.Unlock()
	trace := &httpx.Trace{}
	ctx = httpx.WithTrace(ctx, trace)
	httpx.Note(ctx, fmt.Sprintf("%+v %s %d", q.Services, q.Identity, q.Limit))
	feedKey := feed + " " + q.Scope
	b, err := func() (sources.Batch[T], error) {
		c, err := s.repo(ctx, q.Scope)
		if err != nil {
			return sources.Batch[T]{}, err
		}
		return read(ctx, c)
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.delivered, feedKey)
		return sources.Batch[T]{}, httpx.Explain("list "+feed, q.Scope, err)
	}
	for _, n := range b.Notices {
		trace.Note(n.Scope + n.Text.String())
	}
	sum := trace.Sum()
	if s.delivered[feedKey] == sum {
		return sources.Batch[T]{}, sources.ErrNotModified
	}
	s.delivered[feedKey] = sum
	return b, nil
}

// ListRuns lists the runs of one repository that concern its team: of the default branch, of tags, of
// deployments, of merge queues, and the identity's own. Runs of a fork are somebody else's; a schedule's
// are listed when the last failed, or when it is overdue.
func (s *source) ListRuns(ctx context.Context, q sources.Query) (sources.Batch[sources.Run], error) {
	return deliver(ctx, s, "runs", q, func(ctx context.Context, c *repoConn) (sources.Batch[sources.Run], error) {
		l := &runList{repoConn: c, q: q}
		return l.read(ctx)
	})
}

// runList is one reading of a repository's runs.
type runList struct {
	*repoConn
	q       sources.Query
	known   refs
	all     []wireRun // newest first, each once
	more    bool      // GitHub has older ones
	notices noticeBox
	mu      sync.Mutex
	idle    map[int64]time.Duration // by run: how long none of its jobs ran
}

func (l *runList) read(ctx context.Context) (sources.Batch[sources.Run], error) {
	if err := l.gather(ctx); err != nil {
		return sources.Batch[sources.Run]{}, err
	}
	runs, wires, err := l.choose(ctx)
	if err != nil {
		return sources.Batch[sources.Run]{}, err
	}
	var g errgroup.Group
	g.SetLimit(parallel)
	for i := range runs {
		g.Go(func() error { return l.enrich(ctx, &runs[i], wires[i]) })
	}
	records, err := l.records(ctx, wires)
	if enriched := g.Wait(); enriched != nil {
		return sources.Batch[sources.Run]{}, fmt.Errorf("read jobs: %w", enriched)
	}
	if err != nil {
		return sources.Batch[sources.Run]{}, err
	}
	l.rate(runs, wires, records)
	return sources.Batch[sources.Run]{Items: runs, Notices: l.notices.list(), Busy: busy(runs, l.q.Now)}, nil
}

// gather reads what may concern the team: the newest runs, those that wait however old they are, and
// the default branch's when others have pushed them off the page.
func (l *runList) gather(ctx context.Context) error {
	about, notices, err := l.about(ctx)
	if err := l.optional(&l.notices, "the repository itself cannot be read", err); err != nil {
		return err
	}
	l.notices.add(notices...)
	l.known = refs{branch: about.DefaultBranch}
	limit := cmp.Or(l.q.Limit, defaultRuns)
	var newest, waiting, branch []wireRun
	var g errgroup.Group
	g.Go(func() error {
		var err error
		newest, l.more, err = l.runPage(ctx, "", limit)
		return err
	})
	g.Go(func() error {
		var err error
		waiting, _, err = l.runPage(ctx, "status=waiting", 30)
		return err
	})
	if err := g.Wait(); err != nil {
		return fmt.Errorf("read runs: %w", err)
	}
	if l.more && about.DefaultBranch != "" && len(ofBranch(newest, about.DefaultBranch)) < min(20, limit) {
		if branch, _, err = l.runPage(ctx, "branch="+queryEscape(about.DefaultBranch), 30); err != nil {
			return err
		}
	}
	seen := map[int64]bool{}
	for _, w := range slices.Concat(newest, waiting, branch) {
		if !seen[w.ID] {
			seen[w.ID] = true
			l.all = append(l.all, w)
		}
	}
	slices.SortStableFunc(l.all, func(a, b wireRun) int { return b.CreatedAt.Compare(a.CreatedAt.Time) })
	l.s.remember(l.scope, l.all)
	return l.learnTags(ctx)
}

func ofBranch(runs []wireRun, branch string) (own []wireRun) {
	for _, w := range runs {
		if w.HeadBranch == branch && !w.fromFork() && !strings.HasPrefix(w.Event, "pull_request") {
			own = append(own, w)
		}
	}
	return own
}

// runPage reads up to limit runs, newest first. The address never holds a time: it would be new at each
// poll, and nothing would ever be unchanged.
func (c *repoConn) runPage(ctx context.Context, filter string, limit int) ([]wireRun, bool, error) {
	path := fmt.Sprintf("%s/actions/runs?per_page=%d", c.path, min(100, limit))
	if filter != "" {
		path += "&" + filter
	}
	runs, more, _, err := pages(func(p string) (reply[wireRuns], error) { return fetch[wireRuns](ctx, c, p) },
		path, limit, maxPages, func(r wireRuns) []wireRun { return r.Runs }, func(r wireRun) int64 { return r.ID })
	if limit > 0 && len(runs) > limit {
		runs, more = runs[:limit], true
	}
	return runs, more, err
}

// about is the repository itself, and what is worth saying of it.
func (c *repoConn) about(ctx context.Context) (wireRepo, []sources.Notice, error) {
	key := c.key("about " + c.scope)
	s := c.s
	s.mu.Lock()
	known, ok := s.abouts[key]
	s.mu.Unlock()
	if !ok || isFresh(ctx) || c.transport.Now().Sub(known.at).Abs() > aboutFor {
		r, err := fetch[wireRepo](untraced(ctx), c, c.path)
		if err != nil {
			return wireRepo{}, nil, err
		}
		known = aboutRepo{r.Value, c.transport.Now()}
		s.mu.Lock()
		s.abouts[key] = known
		s.mu.Unlock()
	}
	httpx.Note(ctx, fmt.Sprintf("%+v", known.repo))
	return known.repo, c.aboutNotices(known.repo), nil
}

type aboutRepo struct {
	repo wireRepo
	at   time.Time
}

func (c *repoConn) aboutNotices(r wireRepo) []sources.Notice {
	var out []sources.Notice
	if !strings.EqualFold(r.FullName, c.scope) {
		out = append(out, sources.Notice{
			Scope: c.scope, Kind: sources.NotExist,
			Text: clean.Line("was renamed to " + r.FullName),
			Fix:  clean.Line("write repo: " + c.s.env.Source + ":" + r.FullName),
		})
	}
	if r.Archived {
		out = append(out, sources.Notice{
			Scope: c.scope, Kind: sources.Unsupported,
			Text: clean.Const("is archived: nothing runs there any more"),
			Fix:  clean.Const("remove its services from the config, or unarchive it"),
		})
	}
	if r.Disabled {
		out = append(out, sources.Notice{
			Scope: c.scope, Kind: sources.Unsupported,
			Text: clean.Const("is disabled by GitHub"), Fix: clean.Const("ask its owner"),
		})
	}
	return out
}

// learnTags reads the tags when a run may be one's: a run names its branch and its tag in one field.
func (l *runList) learnTags(ctx context.Context) error {
	l.known.guess = func(name string) bool { return looksLikeTag(name, l.q.Services) }
	if !slices.ContainsFunc(l.all, func(w wireRun) bool {
		return w.HeadBranch != "" && w.HeadBranch != l.known.branch && !strings.HasPrefix(w.Event, "pull_request") && w.Event != "merge_group"
	}) {
		return nil
	}
	tags, whole, err := l.tags(ctx)
	if err != nil {
		return l.optional(&l.notices, "tags are not known", err)
	}
	l.known.tags = tags
	if whole {
		guess := l.known.guess
		l.known.guess = func(name string) bool { _, listed := tags[name]; return listed && guess(name) }
	}
	return nil
}

// tags are the newest hundred tags and their commits; whole reports that there are no more.
func (c *repoConn) tags(ctx context.Context) (tags map[string]string, whole bool, err error) {
	r, err := fetch[list[wireTag]](ctx, c, c.path+"/tags?per_page=100")
	if err != nil {
		return nil, false, err
	}
	tags = make(map[string]string, len(r.Value))
	for _, t := range r.Value {
		tags[t.Name] = t.Commit.SHA
	}
	return tags, r.Next == 0, nil
}

// choose converts what concerns the team, and attributes it to services.
func (l *runList) choose(ctx context.Context) ([]sources.Run, []wireRun, error) {
	var runs []sources.Run
	var wires []wireRun
	scheduled := l.schedules()
	for _, w := range l.all {
		r := l.run(w, l.known, l.q.Identity)
		if w.Event == "schedule" {
			reason, show := scheduled[w.ID]
			if !show {
				continue
			}
			if reason != "" {
				r.Reason = clean.Line(reason)
				httpx.Note(ctx, "overdue "+r.Ref.ID)
			}
		} else if !l.concerns(r) {
			continue
		}
		runs, wires = append(runs, r), append(wires, w)
		if l.q.Limit > 0 && len(runs) == l.q.Limit {
			break
		}
	}
	for i := range runs {
		if err := l.attribute(ctx, &runs[i]); err != nil {
			return nil, nil, err
		}
	}
	return runs, wires, nil
}

// concerns is the board's rule for runs that no schedule started.
func (l *runList) concerns(r sources.Run) bool {
	switch {
	case r.Mine, r.RefKind == sources.RefQueue:
		return true
	case r.Fork:
		return false
	case r.Default, r.RefKind == sources.RefTag, l.known.branch == "" && r.RefKind == sources.RefBranch:
		return true
	case r.Event == "workflow_dispatch", r.Event == "repository_dispatch", r.Event == "deployment", r.Event == "deployment_status":
		return true
	case r.State == sources.StateWaiting && r.RefKind == sources.RefBranch:
		return true
	default:
		return l.deploys(r)
	}
}

// deploys reports what a run and the config say, before its jobs are read. GitHub does not tell of a job
// whether it names an environment; a gate does.
func (l *runList) deploys(r sources.Run) bool {
	if r.Event == "deployment" {
		return true
	}
	for _, sp := range l.q.Services {
		if sp.DeployWorkflow != "" && named([]string{sp.DeployWorkflow}, r.Path) || named(sp.Deploys, r.Workflow.String(), r.Path) {
			return true
		}
	}
	return false
}

// optional turns an error that only a person can mend into a notice, because it concerns a part of the
// answer alone. Any other error fails the whole read.
func (c *repoConn) optional(box *noticeBox, what string, err error) error {
	if err == nil {
		return nil
	}
	var e *sources.Error
	if !errors.As(err, &e) || !lasts(e.Kind) {
		return err
	}
	box.add(sources.Notice{Scope: c.scope, Kind: e.Kind, Text: clean.Line(what + ": " + e.Msg), Fix: clean.Line(e.Fix)})
	return nil
}

// schedules tells which scheduled runs are worth showing, and why: of each workflow the newest finished
// one when it failed, or the newest when the next should have come long ago.
func (l *runList) schedules() map[int64]string {
	byWorkflow := map[int64][]wireRun{}
	for _, w := range l.all {
		if w.Event == "schedule" && !w.fromFork() {
			byWorkflow[w.WorkflowID] = append(byWorkflow[w.WorkflowID], w)
		}
	}
	show := map[int64]string{}
	for _, runs := range byWorkflow {
		for _, w := range runs {
			state, reason := stateOf(w.Status, w.Conclusion)
			if state == sources.StateFailed {
				show[w.ID] = reason
			}
			if state.Done() {
				break
			}
		}
		if gap, late := overdue(runs, l.q.Now); late {
			show[runs[0].ID] = "overdue: comes every " + approximately(gap)
		}
	}
	return show
}

// overdue reports that a schedule's next run should have come: GitHub tells no schedule, so the median
// gap between its last runs stands for it, and twice that with a quarter of an hour is late. GitHub
// itself delays busy hours' schedules by minutes.
func overdue(newestFirst []wireRun, now time.Time) (time.Duration, bool) {
	if len(newestFirst) < 4 || now.IsZero() {
		return 0, false
	}
	var gaps []time.Duration
	for i := 1; i < len(newestFirst); i++ {
		gaps = append(gaps, newestFirst[i-1].CreatedAt.Sub(newestFirst[i].CreatedAt.Time))
	}
	gap := median(gaps)
	return gap, gap > 0 && now.Sub(newestFirst[0].CreatedAt.Time) > 2*gap+15*time.Minute
}

func approximately(d time.Duration) string {
	switch {
	case d >= 36*time.Hour:
		return strconv.Itoa(int((d+12*time.Hour)/(24*time.Hour))) + "d"
	case d >= 90*time.Minute:
		return strconv.Itoa(int((d+30*time.Minute)/time.Hour)) + "h"
	default:
		return strconv.Itoa(max(1, int((d+30*time.Second)/time.Minute))) + "m"
	}
}

func median(ds []time.Duration) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(ds))
	mid := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[mid-1] + sorted[mid]) / 2
	}
	return sorted[mid]
}

// patience is how long a queued run keeps its repository busy: what found no machine for an hour is a
// person's to mend.
const patience = time.Hour

func busy(runs []sources.Run, now time.Time) sources.Busy {
	grade := sources.Quiet
	for _, r := range runs {
		switch {
		case r.State == sources.StateRunning, r.State == sources.StateQueued && now.Sub(r.Created) < patience:
			return sources.Live
		case !r.State.Done() && r.State != sources.StateUnknown:
			grade = sources.WaitingForPerson
		}
	}
	return grade
}
