package github

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// record is one deployment, with all that is known of how it came about.
type record struct {
	wireDeployment
	statuses []wireStatus // newest first
	origin   *origin      // the run that made it; nil: none known
	job      string       // the job's name as GitHub writes it; "" where nobody asked
	jobID    int64
}

const (
	recordPage = 100
	recordsOf  = 30 // of one environment, where it needs a page of its own
	enough     = 10 // records of an environment on the shared page: no page of its own then
	batch      = 3  // records that are looked into at a time, newest first
	mostDeep   = 24 // records of one environment that are looked into
)

// deployments reads the repository's newest records, and those of each environment that has too few
// among them: a busy dev must not push prod off the page.
func (c *repoConn) deployments(ctx context.Context, environments []string) (map[string][]wireDeployment, error) {
	shared, err := fetch[list[wireDeployment]](ctx, c, fmt.Sprintf("%s/deployments?per_page=%d", c.path, recordPage))
	if err != nil {
		return nil, err
	}
	by := map[string][]wireDeployment{}
	for _, d := range shared.Value {
		if !d.whole() {
			continue
		}
		by[d.stage()] = append(by[d.stage()], d)
	}
	if shared.Next == 0 {
		return newestFirst(by), nil
	}
	own := make([][]wireDeployment, len(environments))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, name := range environments {
		if len(by[name]) >= enough {
			continue
		}
		g.Go(func() error {
			r, err := fetch[list[wireDeployment]](ctx, c, fmt.Sprintf("%s/deployments?per_page=%d&environment=%s", c.path, recordsOf, queryEscape(name)))
			own[i] = r.Value
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read an environment's deployments: %w", err)
	}
	for i, name := range environments {
		for _, d := range own[i] {
			if d.whole() && d.stage() == name && !slices.ContainsFunc(by[name], func(x wireDeployment) bool { return x.ID == d.ID }) {
				by[name] = append(by[name], d)
			}
		}
	}
	return newestFirst(by), nil
}

func newestFirst(by map[string][]wireDeployment) map[string][]wireDeployment {
	for _, ds := range by {
		slices.SortStableFunc(ds, func(a, b wireDeployment) int {
			if n := b.CreatedAt.Compare(a.CreatedAt.Time); n != 0 {
				return n
			}
			return int(min(1, max(-1, b.ID-a.ID)))
		})
	}
	return by
}

// inspect reads a record's statuses, and the run and job that these name. deep says that newer ones were
// looked into before. withJob asks for the job's name too.
func (c *repoConn) inspect(ctx context.Context, d wireDeployment, deep, withJob bool) (record, error) {
	rec := record{wireDeployment: d}
	statuses, err := c.statuses(untraced(ctx), d, deep)
	if err != nil {
		return rec, err
	}
	rec.statuses = statuses
	for _, st := range statuses {
		httpx.Note(ctx, fmt.Sprintf("status %d %d %s %s %s", d.ID, st.ID, st.State, st.Description, st.LogURL))
	}
	run, job := rec.link()
	if job != 0 && (run == 0 || withJob) {
		path := fmt.Sprintf("%s/actions/jobs/%d", c.path, job)
		r, err := spare(ctx, c, path, func() (reply[wireJob], error) { return once[wireJob](untraced(ctx), c, "job", path) })
		if err != nil {
			var gone noticeBox
			if err := c.optional(&gone, "", err); err != nil {
				return rec, err
			}
		} else {
			rec.job, rec.jobID, run = r.Value.Name, job, r.Value.RunID
		}
	}
	if run != 0 {
		if rec.origin, err = c.originFor(ctx, run); err != nil {
			return rec, err
		}
		if rec.origin != nil {
			c.s.enters(c.scope, rec.origin.flow)
		}
	}
	return rec, nil
}

var errNotSettled = errors.New("not settled")

// settledStatuses are the statuses of a deployment that ended, and when they were read.
type settledStatuses struct {
	all []wireStatus
	at  time.Time
}

// How long the statuses of a deployment that ended are believed, when its record does not change: a
// status changes its record's updated_at, but no contract says so.
const (
	believed     = 2 * time.Minute
	believedDeep = 15 * time.Minute
)

// statuses are the statuses of one deployment, newest first. Those of one that ended, or that nobody
// carries out, are not asked for at each poll.
func (c *repoConn) statuses(ctx context.Context, d wireDeployment, deep bool) ([]wireStatus, error) {
	path := fmt.Sprintf("%s/deployments/%d/statuses?per_page=100", c.path, d.ID)
	key := c.key(fmt.Sprintf("settled %d %s", d.UpdatedAt.Unix(), path))
	now := c.transport.Now()
	if !isFresh(ctx) {
		v, err := c.s.memo.Once(ctx, key, func(context.Context) (any, error) { return nil, errNotSettled })
		if kept, ok := v.(settledStatuses); ok && err == nil {
			limit := believed
			if deep {
				limit = believedDeep
			}
			if now.Sub(kept.at).Abs() < limit {
				return kept.all, nil
			}
			c.s.memo.Drop(key)
		}
	}
	all, _, _, err := pages(func(p string) (reply[list[wireStatus]], error) { return fetch[list[wireStatus]](ctx, c, p) },
		path, 0, 3, func(l list[wireStatus]) []wireStatus { return l }, func(s wireStatus) int64 { return s.ID })
	if err != nil {
		var gone noticeBox
		if sources.KindOf(err) == sources.NotExist { // deleted since it was listed
			err = c.optional(&gone, "", err)
		}
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b wireStatus) int { return b.CreatedAt.Compare(a.CreatedAt.Time) })
	ended := len(all) > 0 && deploymentState(all[0].State).Done() || len(all) == 0 && now.Sub(d.CreatedAt.Time) > unheard
	if ended && !isFresh(ctx) {
		_, err = c.s.memo.Once(ctx, key, func(context.Context) (any, error) { return settledStatuses{all, now}, nil })
	}
	return all, err
}

var (
	runLink      = regexp.MustCompile(`/actions/runs/(\d{1,18})(?:/(?:job|jobs)/(\d{1,18}))?`)
	checkRunLink = regexp.MustCompile(`^https?://[^/]+/[^/]+/[^/]+/runs/(\d{1,18})`)
)

// link is the run, and the job, that the statuses' log addresses name; older ones name the job alone.
func (r *record) link() (run, job int64) {
	for _, st := range r.statuses {
		for _, u := range []string{st.LogURL, st.TargetURL} {
			if m := runLink.FindStringSubmatch(u); m != nil {
				return int64(atoi(m[1])), int64(atoi(m[2]))
			}
			if m := checkRunLink.FindStringSubmatch(u); m != nil {
				job = int64(atoi(m[1]))
			}
		}
	}
	return 0, job
}

// byActions reports that a workflow made the record, because a job of it named the environment.
func (r *record) byActions() bool {
	return r.origin != nil || r.App != nil && r.App.Slug == "github-actions" || r.Creator.name() == "github-actions[bot]"
}

// listened reports that who filed the record did not carry it out: a run that deployments start, or somebody
// else's statuses, show that something listens for deployments here.
func (r *record) listened() bool {
	if r.App != nil && r.App.Slug == "github-actions" || r.Creator.name() == "github-actions[bot]" {
		return false
	}
	if r.origin != nil {
		return r.origin.event == "deployment"
	}
	return slices.ContainsFunc(r.statuses, func(st wireStatus) bool {
		return st.State != inactive && st.Creator != nil && r.Creator != nil && st.Creator.name() != r.Creator.name()
	})
}

const inactive = "inactive"

// state is how the deployment stands by its own word. succeeded reports that it did at some time: an
// inactive one may have, or may have been swept away before it did.
func (r *record) state() (s sources.State, succeeded bool) {
	for _, st := range r.statuses {
		succeeded = succeeded || st.State == "success"
	}
	if len(r.statuses) == 0 {
		return sources.StateQueued, false
	}
	return deploymentState(r.statuses[0].State), succeeded
}

// said are the statuses from the newest that is not inactive on.
func (r *record) said() []wireStatus {
	for i, st := range r.statuses {
		if st.State != inactive {
			return r.statuses[i:]
		}
	}
	return nil
}

// A status "inactive" that follows a newer record's success by no more than this was GitHub's doing.
const sweeps = 5 * time.Minute

// swept reports that GitHub made the record inactive because newer ones of its environment succeeded,
// whatever these did; otherwise somebody said that it runs no more. GitHub documents that it sweeps
// where the environment is neither production nor transient; how near the two are tells either way.
func (r *record) swept(newer []record) bool {
	marks := r.statuses[:len(r.statuses)-len(r.said())]
	for _, mark := range marks {
		if !slices.ContainsFunc(newer, func(n record) bool { return n.succeededBefore(mark.CreatedAt.Time) }) {
			return false
		}
	}
	return len(marks) > 0
}

// succeededBefore reports that the record succeeded just before t.
func (r *record) succeededBefore(t time.Time) bool {
	return slices.ContainsFunc(r.statuses, func(st wireStatus) bool {
		after := t.Sub(st.CreatedAt.Time)
		return st.State == "success" && after >= -time.Second && after <= sweeps
	})
}

// unheard is how long a record without any status may be about to start.
const unheard = time.Hour

// deployment converts a record that stands so; what version it is comes from its evidence.
func (c *repoConn) deployment(ctx context.Context, r *record, state sources.State, now time.Time) sources.Deployment {
	d := sources.Deployment{
		Ref: c.ref(sources.KindDeployment, r.ID), State: state,
		Actor: clean.Line(r.Creator.name()), Created: r.CreatedAt.Time, Started: r.started(),
	}
	_, succeeded := r.state()
	d.Unproven, d.Listened = state == sources.StateSuperseded && !succeeded, r.listened()
	newest := int64(0)
	if len(r.statuses) > 0 {
		newest = r.statuses[0].ID
		said := r.said()
		if state == sources.StateSuperseded || len(said) == 0 {
			said = r.statuses
		}
		st := said[0]
		d.Reason = clean.Line(st.Description)
		if state == sources.StateUnknown {
			d.Reason = clean.Line(firstOf(st.Description, st.State))
		}
		d.URL = webAddress(firstOf(st.LogURL, st.TargetURL))
		if state.Done() {
			d.Ended = ended(said, state)
		}
	} else if now.Sub(d.Created) > unheard {
		d.State, d.Reason = sources.StateUnknown, clean.Const("no status since it was filed: nobody seems to carry it out")
		httpx.Note(ctx, "unheard "+d.Ref.ID)
	}
	if r.origin != nil {
		d.Run = c.s.runRef(c.scope, r.origin.id)
		if r.byBot() && r.origin.actor != "" {
			d.Actor = clean.Line(r.origin.actor)
		}
	}
	d.Revision = sources.Revision(strconv.FormatInt(newest, 10) + "/" + d.State.String())
	return d
}

// started is when the record began to be carried out. One that never waited did when it was filed, where
// nothing says more; of one that did, nothing else tells.
func (r *record) started() time.Time {
	waited := false
	for _, st := range slices.Backward(r.statuses) {
		switch st.State {
		case "in_progress":
			return st.CreatedAt.Time
		case "waiting":
			waited = true
		}
	}
	if waited || len(r.statuses) == 0 {
		return time.Time{}
	}
	return r.CreatedAt.Time
}

func (r *record) byBot() bool {
	return r.Creator == nil || r.Creator.Type == "Bot" || r.byActions() && r.Creator.name() == "github-actions[bot]"
}

// ended is when a deployment became what it is, by its statuses, newest first; a superseded one ended when
// it had succeeded.
func ended(said []wireStatus, state sources.State) time.Time {
	if state == sources.StateSuperseded {
		for _, st := range said {
			if st.State == "success" || st.State == "failure" || st.State == "error" {
				return st.CreatedAt.Time
			}
		}
	}
	end := said[0].CreatedAt.Time
	for _, st := range said { // repeated: the first of them counts
		if st.State != said[0].State {
			break
		}
		end = st.CreatedAt.Time
	}
	return end
}
