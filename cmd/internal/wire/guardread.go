package wire

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/store"
)

// guardStep is between two points of what a guard reads.
const guardStep = time.Minute

// observer reads how one service behaves in one environment, from its sources and not from what the board
// shows, which may be older. It is safe for several goroutines at once.
//
// In production everything that the config names of the service counts. Elsewhere it is only those metrics
// whose query names the environment ({{env}}): a monitor, an objective or an incident does not say where it
// is, and production's are not to be held against a version that does not run there.
type observer struct {
	service, env string
	prod         bool
	s            *standing
	now          func() time.Time
	run          func(...func()) // all of them, side by side

	mu   sync.Mutex
	kept map[string]any // what a question was last answered, for an answer that nothing changed
}

func (l *levers) observer(service, env string) *observer {
	o := &observer{service: service, env: env, s: l.b.standing.Load(), now: l.now, run: l.sideBySide, kept: map[string]any{}}
	if c := o.configured(); c != nil {
		for _, e := range c.Environments {
			o.prod = o.prod || e.Name == env && e.Prod
		}
	}
	return o
}

// sideBySide runs fs at once and waits for all.
func (l *levers) sideBySide(fs ...func()) {
	var wg sync.WaitGroup
	for _, f := range fs {
		wg.Go(func() { l.crash.Run(f) })
	}
	wg.Wait()
}

func (o *observer) configured() *config.Service {
	for i := range o.s.cfg.Services {
		if o.s.cfg.Services[i].Name == o.service {
			return &o.s.cfg.Services[i]
		}
	}
	return nil
}

// spec is the service in the terms of a source, with what counts in the environment.
func (o *observer) spec(source string) sources.ServiceSpec {
	c := o.configured()
	if c == nil {
		return sources.ServiceSpec{Name: o.service}
	}
	if o.prod {
		return specOf(c, source)
	}
	here := *c
	here.SLOs = nil
	here.Metrics = slices.DeleteFunc(slices.Clone(c.Metrics), func(m config.Metric) bool { return !strings.Contains(m.Query, "{{env}}") })
	return specIn(&here, source, o.env)
}

// measures reports that something would tell whether a version is good there.
func (o *observer) measures() bool {
	return slices.ContainsFunc(o.s.open, func(s *openSource) bool {
		spec := o.spec(s.entry.Name)
		return s.can(store.Metrics) && len(spec.Metrics) > 0 || s.can(store.SLOs) && len(spec.SLOs) > 0 ||
			o.prod && (s.can(store.Monitors) || s.can(store.Incidents))
	})
}

// read is guard.Options.Read.
func (o *observer) read(ctx context.Context, since time.Time) (guard.Observation, error) {
	asked := o.now()
	q := sources.Query{Now: asked, Window: asked.Sub(since), Step: guardStep}
	var mu sync.Mutex
	seen := guard.Observation{At: asked}
	var errs []error
	answers := 0
	// take keeps one answer, or what lacks of it.
	take := func(source string, notices []sources.Notice, err error, keep func()) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			errs = append(errs, err)
			seen.Lacking = append(seen.Lacking, clean.Linef("%s: %s", source, sources.Message(err)))
			return
		}
		answers++
		for _, n := range notices {
			seen.Lacking = append(seen.Lacking, clean.Linef("%s: %s", source, n.Text))
		}
		keep()
	}
	var reads []func()
	for _, s := range o.s.open {
		name, q := s.entry.Name, q
		q.Identity = o.s.cfg.Me[s.entry.Type]
		spec := o.spec(name)
		if s.set.Metrics != nil && len(spec.Metrics) > 0 {
			q := q
			q.Scope, q.Services, q.Followed = o.service, []sources.ServiceSpec{spec}, true
			reads = append(reads, func() {
				list, notices, err := ask(ctx, o, name+" metrics", q, s.set.Metrics.QueryMetrics)
				take(name, notices, err, func() { seen.Series = append(seen.Series, list...) })
			})
		}
		if s.set.SLOs != nil && len(spec.SLOs) > 0 {
			q := q
			q.Services, q.Followed = []sources.ServiceSpec{spec}, true // burn rates over every window
			reads = append(reads, func() {
				list, notices, err := ask(ctx, o, name+" slos", q, s.set.SLOs.ListSLOs)
				take(name, notices, err, func() { seen.SLOs = append(seen.SLOs, list...) })
			})
		}
		if !o.prod {
			continue
		}
		q.Services = everyService(o.s.cfg, name)
		if s.set.Monitors != nil {
			reads = append(reads, func() {
				list, notices, err := ask(ctx, o, name+" monitors", q, s.set.Monitors.ListMonitors)
				list = slices.DeleteFunc(list, func(m sources.Monitor) bool { return m.Service != o.service })
				take(name, notices, err, func() { seen.Monitors = append(seen.Monitors, list...) })
			})
		}
		if s.set.Incidents != nil {
			reads = append(reads, func() {
				list, notices, err := ask(ctx, o, name+" incidents", q, s.set.Incidents.ListIncidents)
				list = slices.DeleteFunc(list, func(i sources.Incident) bool { return i.Service != o.service })
				take(name, notices, err, func() { seen.Incidents = append(seen.Incidents, list...) })
			})
		}
	}
	o.run(reads...)
	if answers == 0 && len(errs) > 0 {
		return guard.Observation{}, errors.Join(errs...)
	}
	return seen, nil
}

// ask asks one question. The answer that nothing changed is the last one; a list is the caller's own.
//
// Each question has a Query.Window of its own, so that no source takes it for one of the poller's: who is
// told that nothing changed must be who was told what there was.
func ask[T any](ctx context.Context, o *observer, key string, q sources.Query, list func(context.Context, sources.Query) (sources.Batch[T], error)) ([]T, []sources.Notice, error) {
	b, err := list(ctx, q)
	o.mu.Lock()
	defer o.mu.Unlock()
	if errors.Is(err, sources.ErrNotModified) {
		last, ok := o.kept[key].(sources.Batch[T])
		if !ok {
			return nil, nil, &sources.Error{Kind: sources.Invalid, Op: "guard", Scope: q.Scope, Msg: "it answers that nothing changed to a new question", Err: err}
		}
		b, err = last, nil
	}
	if err != nil {
		return nil, nil, err
	}
	o.kept[key] = b
	return slices.Clone(b.Items), b.Notices, nil
}
