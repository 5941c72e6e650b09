package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// loadTimeout bounds what a person waits for.
const loadTimeout = 30 * time.Second

var _ pane.Backend = (*Board)(nil)

// Snapshots implements pane.Backend.
func (b *Board) Snapshots() <-chan *store.Snapshot { return b.snapshots }

// Events implements pane.Backend.
func (b *Board) Events() <-chan pane.Event { return b.events }

// Refresh implements pane.Backend.
func (b *Board) Refresh(feeds ...store.FeedKey) { b.engine.Nudge(feeds...) }

// Attend implements pane.Backend.
func (b *Board) Attend(present bool) { b.engine.Attend(present) }

// Watch implements pane.Backend.
func (b *Board) Watch(w pane.Watch) { b.watch(w) }

// Browse implements pane.Backend.
func (b *Board) Browse(ctx context.Context, url string) error { return b.browser.open(ctx, url) }

// Save implements pane.Backend.
func (b *Board) Save(name string, from io.Reader) (string, error) { return b.saver.save(name, from) }

// Load implements pane.Backend. Its errors are *sources.Error.
func (b *Board) Load(ctx context.Context, ask pane.Ask) (pane.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	answer, err := b.load(ctx, ask)
	if err == nil {
		return answer, nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return pane.Answer{}, &sources.Error{
			Kind: sources.Transient, Op: "load", Msg: "no answer within " + loadTimeout.String(), Fix: "press the key again", Err: err,
		}
	}
	return pane.Answer{}, err
}

func (b *Board) load(ctx context.Context, ask pane.Ask) (a pane.Answer, err error) {
	switch {
	case !ask.Jobs.IsZero():
		set, err := b.source(ask.Jobs)
		if err == nil && set.Jobs == nil {
			err = unsupported("jobs", ask.Jobs)
		}
		if err == nil {
			a.Jobs, err = set.Jobs.ListJobs(ctx, ask.Jobs, ask.EveryTry)
		}
		return a, err
	case !ask.Log.IsZero():
		set, err := b.source(ask.Log)
		if err == nil && set.Logs == nil {
			err = unsupported("logs", ask.Log)
		}
		if err == nil {
			a.Log, err = set.Logs.ReadLog(ctx, ask.Log, ask.Query)
		}
		return a, err
	case !ask.Comparison.IsZero():
		set, err := b.source(ask.Comparison)
		if err == nil && set.Comparer == nil {
			err = unsupported("comparisons", ask.Comparison)
		}
		if err == nil {
			a.Comparison, err = set.Comparer.Compare(ctx, ask.Comparison.Scope, ask.Base, ask.Head, b.paths(ask.Comparison))
		}
		return a, err
	case !ask.Incident.IsZero():
		set, err := b.source(ask.Incident)
		if err == nil && set.Detail == nil {
			err = unsupported("log of an incident", ask.Incident)
		}
		if err == nil {
			a.Incident, err = set.Detail.ReadIncident(ctx, ask.Incident)
		}
		return a, err
	case !ask.Metric.IsZero():
		a.Series, err = b.series(ctx, ask)
		return a, err
	default:
		return a, &sources.Error{Kind: sources.Invalid, Op: "load", Msg: "nothing was asked for"}
	}
}

// series reads one metric over the span that is asked for.
func (b *Board) series(ctx context.Context, ask pane.Ask) ([]sources.Series, error) {
	set, err := b.source(ask.Metric)
	if err != nil {
		return nil, err
	}
	spec, ok := b.metric(ask.Metric)
	if !ok || set.Metrics == nil {
		return nil, &sources.Error{
			Kind: sources.NotExist, Op: "load", Scope: ask.Metric.ID, Msg: "the config names no such metric any more", Fix: "look at metrics: of the service",
		}
	}
	q := sources.Query{Scope: spec.Name, Services: []sources.ServiceSpec{spec}, Now: ask.Until, Window: ask.Span, Step: ask.Step}
	if q.Now.IsZero() {
		q.Now = b.now()
	}
	batch, err := set.Metrics.QueryMetrics(ctx, q)
	switch {
	case errors.Is(err, sources.ErrNotModified):
		return nil, &sources.Error{Kind: sources.Invalid, Op: "load", Scope: ask.Metric.ID, Msg: "the source answers that nothing changed to a new question", Err: err}
	case err != nil:
		return nil, err
	case len(batch.Notices) > 0 && len(batch.Items) == 0:
		n := batch.Notices[0]
		return nil, &sources.Error{Kind: n.Kind, Op: "load", Scope: n.Scope, Msg: n.Text.String(), Fix: n.Fix.String()}
	}
	own := func(s sources.Series) bool { return s.Ref == ask.Metric }
	if i := slices.IndexFunc(batch.Items, own); i > 0 {
		first := batch.Items[i]
		rest := slices.DeleteFunc(slices.Clone(batch.Items), own)
		return append([]sources.Series{first}, rest...), nil
	}
	return batch.Items, nil
}

// metric is the service that a series belongs to, with the spec of that series' metric alone.
func (b *Board) metric(ref sources.Ref) (spec sources.ServiceSpec, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.config.Services {
		spec = specOf(&b.config.Services[i], ref.Source)
		for _, m := range spec.Metrics {
			id := sources.MetricID(spec.Name, m.Name, "")
			if ref.ID == id || strings.HasPrefix(ref.ID, id+"{") {
				spec.Metrics, spec.SLOs = []sources.MetricSpec{m}, nil
				return spec, true
			}
		}
	}
	return sources.ServiceSpec{}, false
}

// source is what the source of an object can do.
func (b *Board) source(ref sources.Ref) (capability.Set, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := find(b.open, ref.Source); o != nil {
		return o.set, nil
	}
	return capability.Set{}, &sources.Error{
		Kind: sources.NotExist, Op: "load", Scope: ref.Scope,
		Msg: fmt.Sprintf("the config names no source %q any more", ref.Source),
	}
}

func unsupported(what string, ref sources.Ref) error {
	return &sources.Error{
		Kind: sources.Unsupported, Op: "load", Scope: ref.Scope, Msg: fmt.Sprintf("the source %s has no %s", ref.Source, what),
	}
}

// paths are the globs of the service that an environment belongs to: only commits that touch them count.
func (b *Board) paths(ref sources.Ref) []string {
	e, _ := b.store.Snapshot().Environment(ref)
	if e == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.config.Services {
		if b.config.Services[i].Name == e.Service {
			return b.config.Services[i].Paths
		}
	}
	return nil
}

// tell lets the board know of something outside the snapshot. It never blocks: what nobody takes is in
// the log.
func (b *Board) tell(token theme.Token, text clean.Text) {
	b.log.Info("event", "text", text.String())
	select {
	case b.events <- pane.Event{Token: token, Text: text, At: b.now()}:
	default:
	}
}
