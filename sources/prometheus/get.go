package prometheus

import (
	"context"
	"fmt"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// Get re-reads a series (over the default range), a monitor or an objective. A Ref alone does not say what
// it is made of: that is known once it has been listed.
func (s *source) Get(ctx context.Context, ref sources.Ref) (any, error) {
	v, err := s.get(ctx, ref)
	if err != nil {
		return nil, httpx.Explain("read "+string(ref.Kind), ref.Scope, err)
	}
	return v, nil
}

func (s *source) get(ctx context.Context, ref sources.Ref) (any, error) {
	missing := &sources.Error{Kind: sources.NotExist, Msg: fmt.Sprintf("there is no %s %s", ref.Kind, ref.ID), Fix: "refresh: it may have ended, or the config has changed"}
	now := s.env.Now()
	switch ref.Kind {
	case sources.KindSeries:
		s.mu.Lock()
		spec, ok := s.metrics[ref]
		s.mu.Unlock()
		if !ok {
			return nil, missing
		}
		m := &measured{spec: spec}
		over := spanOf(now, 0, 0)
		if err := s.measure(ctx, m, over); err != nil {
			return nil, err
		}
		for _, one := range s.series(m, over) {
			if one.Ref == ref {
				return one, nil
			}
		}
		return nil, missing
	case sources.KindSLO:
		s.mu.Lock()
		spec, ok := s.slos[ref]
		s.mu.Unlock()
		if !ok {
			return nil, missing
		}
		o, _, err := s.objective(fresh(ctx), spec, now)
		if err != nil {
			return nil, err
		}
		return o, nil
	case sources.KindMonitor:
		s.mu.Lock()
		q := s.query
		s.mu.Unlock()
		q.Now = now
		b, err := s.listMonitors(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, m := range b.Items {
			if m.Ref == ref {
				return m, nil
			}
		}
		return nil, missing
	default:
		return nil, &sources.Error{Kind: sources.Unsupported, Msg: fmt.Sprintf("Prometheus has no %s", ref.Kind)}
	}
}
