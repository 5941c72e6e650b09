package github

import (
	"context"
	"fmt"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// gates are what a waiting run waits for.
func (c *repoConn) gates(ctx context.Context, r *sources.Run) ([]sources.Gate, error) {
	res, err := fetch[list[wirePending]](ctx, c, fmt.Sprintf("%s/actions/runs/%s/pending_deployments", c.path, r.Ref.ID))
	if err != nil {
		return nil, err
	}
	holds, err := c.holds(ctx, r.Ref.ID)
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
		g.Run, g.Version, g.Concurrency = r.Ref, sources.Version{SHA: r.Commit.SHA}, holds
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

// holds is the concurrency group that a run holds while it waits.
func (c *repoConn) holds(ctx context.Context, run string) (clean.Text, error) {
	groups, err := c.groups(ctx, run)
	for _, g := range groups.Groups {
		if _, mine := g.holder(run); mine {
			return clean.Line(g.Name), nil
		}
	}
	return clean.Text{}, err
}

// groups are the concurrency groups that a run holds or waits for. An older server does not tell.
func (c *repoConn) groups(ctx context.Context, run string) (wireGroups, error) {
	path := fmt.Sprintf("%s/actions/runs/%s/concurrency_groups?per_page=30", c.path, run)
	r, err := spare(ctx, c, path, func() (reply[wireGroups], error) { return fetch[wireGroups](ctx, c, path) })
	if err != nil {
		var unknown noticeBox
		return wireGroups{}, c.optional(&unknown, "", err)
	}
	return r.Value, nil
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
