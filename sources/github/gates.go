package github

import (
	"context"
	"fmt"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

func (w wirePending) whole() bool { return true }

// fetchPending reads pending approvals conditionally; nowPending does not.
func (c *repoConn) fetchPending(ctx context.Context) getter[list[wirePending]] {
	return func(p string) (reply[list[wirePending]], error) { return fetch[list[wirePending]](ctx, c, p) }
}

func (c *repoConn) nowPending(ctx context.Context) getter[list[wirePending]] {
	return func(p string) (reply[list[wirePending]], error) { return get[list[wirePending]](ctx, c.conn, p) }
}

// gates are what a waiting run waits for.
func (c *repoConn) gates(_ context.Context, r *sources.Run, read getter[list[wirePending]]) ([]sources.Gate, error) {
	res, err := read(fmt.Sprintf("%s/actions/runs/%s/pending_deployments", c.path, r.Ref.ID))
	if err != nil {
		return nil, err
	}
	since := r.Started
	if since.IsZero() {
		since = r.Created
	}
	gates := make([]sources.Gate, 0, len(res.Value))
	for _, w := range res.Value {
		g := gate(w)
		g.Run, g.Version = r.Ref, sources.Version{SHA: r.Commit.SHA}
		if r.RefKind == sources.RefTag {
			g.Version.Tag = r.Branch
		}
		if g.Since.IsZero() {
			g.Since = since
		}
		gates = append(gates, g)
	}
	return gates, nil
}

func gate(w wirePending) sources.Gate {
	g := sources.Gate{
		Environment:   clean.Line(w.Environment.Name).String(),
		EnvironmentID: w.Environment.ID,
		CanApprove:    w.CanApprove,
		Since:         w.TimerSince.Time,
	}
	for _, rv := range w.Reviewers {
		if name := clean.Line(firstOf(rv.Reviewer.Login, rv.Reviewer.Slug, rv.Reviewer.Name, rv.Type)); !name.IsZero() {
			g.Reviewers = append(g.Reviewers, name)
		}
	}
	// GitHub allows timers of up to thirty days.
	if w.WaitTimer > 0 && w.WaitTimer <= 43200 && !w.TimerSince.IsZero() {
		g.Until = w.TimerSince.Add(time.Duration(w.WaitTimer) * time.Minute)
	}
	switch {
	case len(g.Reviewers) > 0:
	case !g.Until.IsZero():
		g.Blocked = clean.Const("its wait timer runs")
	default:
		g.Blocked = clean.Const("a protection rule of the environment decides, not a person")
	}
	return g
}
