package sourcetest

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/store"
)

// sourceName is deliberately unlike the driver's name: objects must carry the configured one.
const sourceName = "suite-source"

// session is one opened source with its fake provider.
type session struct {
	*probe
	provider Provider
	wire     *wire
	budget   *Budget
	logged   *logBuffer
	src      sources.Source
	set      capability.Set
}

type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, _ := l.b.Write(p) // never fails
	return n, nil
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (p *probe) env(w *wire, b sources.Budget, logged *logBuffer) sources.Env {
	return sources.Env{
		Source:    sourceName,
		Transport: w,
		Budget:    b,
		Log:       slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:       NewClock(p.h.Now).Now,
		UserAgent: "signalbox-sourcetest",
	}
}

// open opens a source on a new fake provider. It reports a failure and returns nil when it cannot.
func (p *probe) open() *session {
	s := &session{probe: p, provider: p.h.Provider(p.tb), budget: &Budget{}, logged: &logBuffer{}}
	s.wire = newWire(p.h, s.provider)
	src, err := p.h.Driver.Open(p.env(s.wire, s.budget, s.logged), p.h.Config(p.tb))
	if err != nil || src == nil {
		p.errorf("Open of a valid config: %v", err)
		return nil
	}
	s.src, s.set = src, capability.Of(src)
	return s
}

func (s *session) close() {
	if err := s.src.Close(); err != nil {
		s.errorf("Close: %v", err)
	}
}

// outcome is what one read brought, whatever its type.
type outcome struct {
	items   any // a []T
	count   int
	ids     []identity
	notices []sources.Notice
	err     error
}

type identity struct {
	ref      sources.Ref
	revision sources.Revision
	versions bool // objects of this type have revisions
}

func (s *session) read(ctx context.Context, r Read) outcome {
	q := r.Query
	q.Now = s.h.Now
	switch r.Capability {
	case store.Runs:
		if s.set.Runs != nil {
			return take(ctx, q, s.set.Runs.ListRuns, func(i *sources.Run) identity { return identity{i.Ref, i.Revision, true} })
		}
	case store.Environments:
		if s.set.Environments != nil {
			return take(ctx, q, s.set.Environments.ListEnvironments,
				func(i *sources.Environment) identity { return identity{i.Ref, i.Revision, true} })
		}
	case store.Releases:
		if s.set.Releases != nil {
			return take(ctx, q, s.set.Releases.ListReleases, func(i *sources.Release) identity { return identity{ref: i.Ref} })
		}
	case store.Incidents:
		if s.set.Incidents != nil {
			return take(ctx, q, s.set.Incidents.ListIncidents,
				func(i *sources.Incident) identity { return identity{i.Ref, i.Revision, true} })
		}
	case store.Metrics:
		if s.set.Metrics != nil {
			return take(ctx, q, s.set.Metrics.QueryMetrics, func(i *sources.Series) identity { return identity{ref: i.Ref} })
		}
	case store.Monitors:
		if s.set.Monitors != nil {
			return take(ctx, q, s.set.Monitors.ListMonitors, func(i *sources.Monitor) identity { return identity{i.Ref, i.Revision, true} })
		}
	case store.SLOs:
		if s.set.SLOs != nil {
			return take(ctx, q, s.set.SLOs.ListSLOs, func(i *sources.SLO) identity { return identity{i.Ref, i.Revision, true} })
		}
	case store.Shifts:
		if s.set.Shifts != nil {
			return take(ctx, q, s.set.Shifts.ListShifts, func(i *sources.Shift) identity { return identity{ref: i.Ref} })
		}
	case store.Changes:
		if s.set.Changes != nil {
			return take(ctx, q, s.set.Changes.ListChanges, func(i *sources.Change) identity { return identity{ref: i.Ref} })
		}
	case store.Past:
		if s.set.Past != nil {
			return take(ctx, q, s.set.Past.ListPastIncidents, func(i *sources.Incident) identity { return identity{i.Ref, i.Revision, true} })
		}
	}
	return outcome{err: fmt.Errorf("the source has no %s", r.Capability)}
}

func take[T any](ctx context.Context, q sources.Query, list func(context.Context, sources.Query) (sources.Batch[T], error), id func(*T) identity) outcome {
	b, err := list(ctx, q)
	o := outcome{items: b.Items, count: len(b.Items), notices: b.Notices, err: err}
	for i := range b.Items {
		o.ids = append(o.ids, id(&b.Items[i]))
	}
	return o
}

// must reads and reports any failure; ok is false then.
func (s *session) must(r Read) (o outcome, ok bool) {
	o = s.read(s.tb.Context(), r)
	if o.err != nil {
		s.errorf("%s: %v", r, o.err)
		return o, false
	}
	return o, true
}

// dump writes out everything that v reaches, so that two answers can be compared (a gap in a series is
// no different from another) and an answer can be compared with itself, later.
func dump(v any) string {
	var b strings.Builder
	write(&b, reflect.ValueOf(v))
	return b.String()
}

func write(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
		b.WriteString("nil")
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		write(b, v.Elem())
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			write(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Struct:
		if v.CanInterface() {
			if s, ok := v.Interface().(fmt.Stringer); ok {
				fmt.Fprintf(b, "%q", s.String())
				return
			}
		}
		b.WriteByte('{')
		for i := range v.NumField() {
			b.WriteString(v.Type().Field(i).Name)
			b.WriteByte(':')
			write(b, v.Field(i))
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	default:
		fmt.Fprintf(b, "%#v", v)
	}
}

// encoded reports whether a header's value holds the secret in base64.
func encoded(value, secret string) bool {
	for part := range strings.FieldsSeq(value) {
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
			if data, err := enc.DecodeString(part); err == nil && strings.Contains(string(data), secret) {
				return true
			}
		}
	}
	return false
}
