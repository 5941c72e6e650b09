package github

import (
	"context"
	"fmt"
	"strings"

	"example.com/signalbox/sources"
)

// Get re-reads a run (with its jobs and gates), a job, a deployment or an environment from GitHub.
func (s *source) Get(ctx context.Context, ref sources.Ref) (any, error) {
	ctx = fresh(ctx)
	switch ref.Kind {
	case sources.KindRun:
		return s.getRun(ctx, ref)
	case sources.KindJob:
		return s.getJob(ctx, ref)
	case sources.KindDeployment:
		return s.getDeployment(ctx, ref)
	case sources.KindEnvironment:
		return s.getEnvironment(ctx, ref, true)
	case sources.KindIncident, sources.KindSeries, sources.KindMonitor, sources.KindSLO, sources.KindShift, sources.KindChange, sources.KindPage,
		sources.KindSilence:
	}
	return nil, &sources.Error{Kind: sources.Unsupported, Op: "read", Scope: ref.Scope, Msg: fmt.Sprintf("GitHub has no %s", ref.Kind)}
}

// services are those that the scope was last listed with: a Ref alone does not say what a service is.
func (s *source) services(scope string) querySet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[scope]
}

func (s *source) getRun(ctx context.Context, ref sources.Ref) (any, error) {
	c, id, err := s.object(ctx, ref, sources.KindRun)
	if err != nil {
		return nil, err
	}
	set := s.services(ref.Scope)
	l := &runList{repoConn: c, q: sources.Query{Scope: ref.Scope, Services: set.services, Identity: set.identity, Now: s.env.Now()}}
	w, err := get[wireRun](ctx, c.conn, fmt.Sprintf("%s/actions/runs/%d", c.path, id))
	if err != nil {
		return nil, c.fail("read run", err)
	}
	about, _, err := c.about(ctx)
	if err := c.optional(&l.notices, "", err); err != nil {
		return nil, c.fail("read run", err)
	}
	l.known, l.all = refs{branch: about.DefaultBranch}, []wireRun{w.Value}
	if err := l.learnTags(ctx); err != nil {
		return nil, c.fail("read run", err)
	}
	r := c.run(w.Value, l.known, set.identity)
	if err := l.attribute(ctx, &r); err != nil {
		return nil, c.fail("read run", err)
	}
	if err := l.enrich(ctx, &r, w.Value); err != nil {
		return nil, c.fail("read run", err)
	}
	return r, nil
}

func (s *source) getJob(ctx context.Context, ref sources.Ref) (any, error) {
	c, id, err := s.object(ctx, ref, sources.KindJob)
	if err != nil {
		return nil, err
	}
	w, err := get[wireJob](ctx, c.conn, fmt.Sprintf("%s/actions/jobs/%d", c.path, id))
	if err != nil {
		return nil, c.fail("read job", err)
	}
	return c.job(w.Value), nil
}

func (s *source) getDeployment(ctx context.Context, ref sources.Ref) (any, error) {
	c, id, err := s.object(ctx, ref, sources.KindDeployment)
	if err != nil {
		return nil, err
	}
	w, err := get[wireDeployment](ctx, c.conn, fmt.Sprintf("%s/deployments/%d", c.path, id))
	if err != nil {
		return nil, c.fail("read deployment", err)
	}
	rec, err := c.inspect(ctx, w.Value, false, true)
	if err != nil {
		return nil, c.fail("read deployment", err)
	}
	tags, _, err := c.tags(ctx)
	if err != nil {
		var gone noticeBox
		if err := c.optional(&gone, "", err); err != nil {
			return nil, c.fail("read deployment", err)
		}
	}
	set := s.services(ref.Scope)
	l := &laneList{repoConn: c, services: set.services, versions: newVersions(tags), unclear: map[int64][]int{}}
	l.place()
	sp := sources.ServiceSpec{}
	owners := l.owners(w.Value.stage(), &rec)
	if len(owners) == 1 {
		sp = l.services[owners[0]]
	}
	state, _ := rec.state()
	if state == sources.StateSuperseded {
		names := []string{""}
		if len(set.services) > 0 {
			names = names[:0]
			for _, si := range owners {
				names = append(names, l.services[si].Name)
			}
		}
		for _, name := range names { // what inactive means only its neighbours tell
			lane := &laneList{repoConn: c, q: sources.Query{Scope: ref.Scope, Identity: set.identity, Now: s.env.Now(), Services: set.services}, only: name}
			d, found, err := lane.deploymentOf(ctx, ref)
			if err != nil || found {
				return d, c.fail("read deployment", err)
			}
		}
	}
	d := c.deployment(ctx, &rec, state, s.env.Now())
	for _, p := range l.places {
		if p.name == w.Value.stage() && l.counts(p, &rec) && p.target != "" {
			if d.Target != "" {
				d.Target = ""
				break
			}
			d.Target = p.target
		}
	}
	j := l.versions.judge(sp, &rec, nil)
	d.Version, d.Evidence, d.Verified, d.Mismatch = j.version, j.evidence, j.verified, j.mismatch
	return d, nil
}

// deploymentOf is a deployment as its lane has it.
func (l *laneList) deploymentOf(ctx context.Context, ref sources.Ref) (sources.Deployment, bool, error) {
	b, err := l.read(ctx)
	if err != nil {
		return sources.Deployment{}, false, err
	}
	for _, e := range b.Items {
		for _, d := range e.History {
			if d.Ref == ref {
				return d, true, nil
			}
		}
	}
	return sources.Deployment{}, false, nil
}

// getEnvironment reads one stage anew. Its neighbours are read too: Ahead is counted from them. deep reads its
// history further back.
func (s *source) getEnvironment(ctx context.Context, ref sources.Ref, deep bool) (any, error) {
	missing := &sources.Error{Kind: sources.NotExist, Op: "read environment", Scope: ref.Scope, Msg: "there is no environment " + ref.ID, Fix: "check its name in the config"}
	service, stage, ok := strings.Cut(ref.ID, "/")
	if !ok {
		return nil, missing
	}
	set := s.services(ref.Scope)
	q := sources.Query{Scope: ref.Scope, Identity: set.identity, Now: s.env.Now(), Services: set.services}
	c, err := s.repo(ctx, ref.Scope)
	if err != nil {
		return nil, err
	}
	l := &laneList{repoConn: c, q: q, only: service}
	if deep {
		l.deep = stage
	}
	b, err := l.read(ctx)
	if err != nil {
		return nil, c.fail("read environment", err)
	}
	var before *sources.Environment
	for i := range b.Items { // in the order of the stages
		e := &b.Items[i]
		switch {
		case e.Service != service:
		case e.Name == stage:
			e.Before = before
			return *e, nil
		default:
			before = e
		}
	}
	return nil, missing
}
