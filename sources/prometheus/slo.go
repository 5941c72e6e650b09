package prometheus

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// burnWindows are those of the SRE Workbook's alerts on several windows and burn rates: a page when both of
// 5 m and 1 h burn fast, or both of 30 m and 6 h.
func burnWindows() []time.Duration {
	return []time.Duration{5 * time.Minute, time.Hour, 30 * time.Minute, 6 * time.Hour}
}

// windowMark stands in an objective's expressions for the range that they are evaluated over.
const windowMark = "{{window}}"

// ListSLOs computes the objectives of the query's services from their ratio of bad to all events.
func (s *source) ListSLOs(ctx context.Context, q sources.Query) (sources.Batch[sources.SLO], error) {
	return httpx.Deliver(ctx, &s.feeds, "slos", q, func(ctx context.Context) (sources.Batch[sources.SLO], error) {
		var b sources.Batch[sources.SLO]
		var specs []sources.SLOSpec
		for _, sp := range q.Services {
			for _, o := range sp.SLOs {
				o.Service = cmp.Or(o.Service, sp.Name)
				specs = append(specs, o)
			}
		}
		for _, spec := range specs {
			o, notices, err := s.objective(ctx, spec, s.now(q))
			if err != nil {
				return sources.Batch[sources.SLO]{}, err
			}
			if burning(&o) {
				b.Busy = sources.Live
			}
			b.Items = append(b.Items, o)
			b.Notices = append(b.Notices, notices...)
		}
		return b, nil
	})
}

// burning reports that an objective's budget is used up faster than it lasts.
func burning(o *sources.SLO) bool {
	for _, b := range o.Burns {
		if b.Rate.Known() && b.Rate > 1 {
			return true
		}
	}
	return false
}

// unknownObjective is a spec before anything is known.
func (s *source) unknownObjective(spec sources.SLOSpec) sources.SLO {
	name := cmp.Or(spec.Name, spec.ID)
	unknown := sources.Number(math.NaN())
	return sources.SLO{
		Ref:     sources.Ref{Source: s.env.Source, Kind: sources.KindSLO, ID: plain(spec.Service + "/" + cmp.Or(name, spec.Query))},
		Service: spec.Service, Name: clean.Line(cmp.Or(name, "objective")), Target: spec.Target, Window: spec.Window,
		Value: unknown, Budget: unknown, Traffic: unknown, State: sources.MonitorUnknown,
		URL: s.graphURL(windowed(spec.Query, spec.Window), spec.Window),
	}
}

func (s *source) objective(ctx context.Context, spec sources.SLOSpec, now time.Time) (sources.SLO, []sources.Notice, error) {
	o := s.unknownObjective(spec)
	s.mu.Lock()
	s.slos[o.Ref] = spec
	s.mu.Unlock()
	if spec.Query == "" {
		o.Note = clean.Const("Prometheus knows no objectives: write query:")
		o.Revision = revision(o.Note.String())
		return o, []sources.Notice{{
			Scope: spec.Service, Kind: sources.Unsupported, Text: clean.Line(o.Name.String() + ": Prometheus knows no objective by its id"),
			Fix: clean.Const("write its query: the ratio of bad to all events, with {{window}} as the range"),
		}}, nil
	}
	r := &ratios{s: s, spec: spec, now: now, name: o.Name.String(), byWindow: map[time.Duration]float64{}}
	if err := r.read(ctx); err != nil {
		return o, nil, err
	}
	r.fill(&o)
	kept, err := s.kept(ctx, now)
	if err != nil {
		return o, nil, err
	}
	if kept > 0 && kept < spec.Window && o.Value.Known() {
		o.Note = clean.Linef("over the last %s: that is how long this server keeps its data", duration(kept))
	}
	o.Revision = objectiveRevision(&o)
	return o, r.notices, nil
}

// objectiveRevision does not move with the last digits.
func objectiveRevision(o *sources.SLO) sources.Revision {
	parts := []any{o.Target, o.Window, fmt.Sprintf("%.4f %.3f", o.Value, o.Budget), o.Note.String()}
	for _, b := range o.Burns {
		parts = append(parts, fmt.Sprintf("%.2f", b.Rate))
	}
	return revision(parts...)
}

// ratios are the values of one objective's expression over all windows.
type ratios struct {
	s    *source
	spec sources.SLOSpec
	now  time.Time
	name string

	mu       sync.Mutex
	byWindow map[time.Duration]float64
	traffic  float64
	notices  []sources.Notice
}

func (r *ratios) read(ctx context.Context) error {
	r.traffic = math.NaN()
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, w := range append(burnWindows(), r.spec.Window) {
		g.Go(func() error {
			return r.one(inner, r.spec.Query, w, func(v float64) { r.byWindow[w] = v })
		})
	}
	if r.spec.Traffic != "" {
		g.Go(func() error {
			return r.one(inner, r.spec.Traffic, 5*time.Minute, func(v float64) { r.traffic = v })
		})
	}
	return g.Wait() //nolint:wrapcheck // Deliver explains it
}

// ratio is what an expression came to over one window, and when that was asked.
type ratio struct {
	asked   time.Time
	value   float64
	notices []sources.Notice
}

// ratioFor is how long a ratio serves: those over more than an hour move slowly, and cost the server most.
func ratioFor(w time.Duration) time.Duration {
	if w <= time.Hour {
		return 0
	}
	return min(w/60, 15*time.Minute)
}

// one evaluates an expression over one window. What the server says against an expression is told once.
func (r *ratios) one(ctx context.Context, expr string, w time.Duration, set func(float64)) error {
	v, err := r.ratio(ctx, windowed(expr, w), w)
	if err != nil {
		return err
	}
	httpx.Note(ctx, fmt.Sprintf("%s %s %s %s %v", r.spec.Service, r.name, expr, w, v.value))
	r.mu.Lock()
	defer r.mu.Unlock()
	set(v.value)
	for _, n := range v.notices {
		if !r.told(n) {
			r.notices = append(r.notices, n)
		}
	}
	return nil
}

// ratio asks for one expression, unless what it came to still serves. That goes for a refusal too: an
// expression that was too much for the server is not put to it every minute.
func (r *ratios) ratio(ctx context.Context, expr string, w time.Duration) (ratio, error) {
	key := r.spec.Service + "\x00" + r.name + "\x00" + expr
	r.s.mu.Lock()
	was, kept := r.s.ratios[key]
	r.s.mu.Unlock()
	if kept && !isFresh(ctx) && r.now.Sub(was.asked).Abs() < ratioFor(w) {
		return was, nil
	}
	v, notices, err := r.s.instant(httpx.WithTrace(ctx, nil), expr, r.now, r.spec.Service, r.name)
	if err != nil && (ctx.Err() != nil || !ofExpression(err)) {
		return ratio{}, err
	}
	if err != nil {
		v, notices = math.NaN(), []sources.Notice{expressionNotice(r.spec.Service, r.name, err)}
	}
	next := ratio{asked: r.now, value: v, notices: notices}
	if err == nil && !known(v) {
		return next, nil // data may be there any moment
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if len(r.s.ratios) >= maxEarlier {
		clear(r.s.ratios)
	}
	r.s.ratios[key] = next
	return next, nil
}

type freshKey struct{}

// fresh makes every read below ctx ask the server.
func fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

func isFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }

// told reports that a notice like n is there: what a parser says differs by the range's width alone.
func (r *ratios) told(n sources.Notice) bool {
	for _, m := range r.notices {
		if m.Kind == n.Kind && m.Scope == n.Scope {
			return true
		}
	}
	return false
}

// fill computes what follows from the ratios of bad events: with an allowed ratio of 1 − target, a burn rate is
// ratio ÷ allowed, and what is left of the budget is 1 − ratio ÷ allowed over the whole window.
func (r *ratios) fill(o *sources.SLO) {
	allowed := 1 - r.spec.Target/100
	o.Traffic = sources.Number(r.traffic)
	for _, w := range burnWindows() {
		if bad := r.byWindow[w]; known(bad) && allowed > 0 {
			o.Burns = append(o.Burns, sources.Burn{Over: w, Rate: sources.Number(bad / allowed)})
		}
	}
	bad, ok := r.byWindow[r.spec.Window]
	if !ok || !known(bad) {
		o.Note = clean.Const("no traffic")
		if len(r.notices) > 0 {
			o.Note = r.notices[0].Text
		}
		return
	}
	o.Value = sources.Number(100 * (1 - bad))
	if allowed > 0 {
		o.Budget = sources.Number(1 - bad/allowed)
	}
}

// windowed fills in the range of an expression.
func windowed(expr string, w time.Duration) string {
	return strings.ReplaceAll(expr, windowMark, duration(max(w, time.Second)))
}

// instant is the one number that an expression gives now.
func (s *source) instant(ctx context.Context, expr string, now time.Time, service, name string) (float64, []sources.Notice, error) {
	r, err := s.server.query(ctx, expr, now)
	if err != nil {
		return math.NaN(), nil, err
	}
	v, err := r.single()
	if err != nil {
		return math.NaN(), nil, err
	}
	return v, r.notices(service, name), nil
}

// retention is how long the server keeps its data, and when it said so.
type retention struct {
	asked time.Time
	keeps time.Duration
}

// kept is how long the server keeps its data; 0 where it does not say, or not to this credential. It is asked
// once an hour.
func (s *source) kept(ctx context.Context, now time.Time) (time.Duration, error) {
	s.mu.Lock()
	was := s.keeps
	s.mu.Unlock()
	if !was.asked.IsZero() && now.Sub(was.asked).Abs() < time.Hour {
		return was.keeps, nil
	}
	next := retention{asked: now}
	info, err := ask(ctx, s.server, "runtimeinfo", func(ctx context.Context, a v1.API) (v1.RuntimeinfoResult, error) {
		return a.Runtimeinfo(ctx)
	})
	if err != nil {
		if e := httpx.Explain("", "", err); !absent(e) && e.Kind != sources.Permission && !ofExpression(err) {
			return 0, e
		}
	}
	next.keeps = parseRetention(info.StorageRetention)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keeps = next
	return next.keeps, nil
}

// parseRetention reads "15d", or "15d or 10GiB"; 0 for what names no time.
func parseRetention(text string) time.Duration {
	for word := range strings.FieldsSeq(text) {
		if d, err := model.ParseDuration(word); err == nil {
			return time.Duration(d)
		}
	}
	return 0
}
