package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
)

// Mutate reads every mutant of a tape. None may panic, take more than its own item, let something appear that
// was not there, or turn an answer that is none into an empty list that looks well.
type Mutate struct {
	Mutation
	// Open opens the driver on a tape.
	Open func(testing.TB, http.RoundTripper) sources.Source
	// Query is what all lists are asked for.
	Query sources.Query
	// Needed are the fields without which an answer is none, or is not whole: a list of it may fail.
	Needed *regexp.Regexp
	// Identity are the fields that what is read is known by.
	Identity *regexp.Regexp
	// Optional are the addresses of what can be done without: nothing says that they were no answer.
	Optional *regexp.Regexp
	// Most bounds how many mutants are read; 0: all of them. Under the race detector an eighth of it.
	Most int
}

// Reading is what a driver read of one tape.
type Reading struct {
	IDs     map[string][]string // by list, in the list's order
	Failed  map[string]error
	Notices int
}

func (r *Reading) note(tb testing.TB, list string, ids []string, notices []sources.Notice, err error) {
	tb.Helper()
	for _, n := range notices {
		if n.Text.IsZero() {
			tb.Errorf("%s: a notice without a text: %+v", list, n)
		}
	}
	r.Notices += len(notices)
	if err == nil {
		r.IDs[list] = ids
		return
	}
	r.Failed[list] = err
	var e *sources.Error
	if !errors.As(err, &e) || e.Msg == "" || e.Op == "" || strings.HasSuffix(e.Msg, ".") || strings.ContainsAny(e.Msg, "\n\x1b") {
		tb.Errorf("%s: %q does not say in a sentence what failed", list, err)
	}
}

func readList[T any](ctx context.Context, tb testing.TB, r *Reading, list string, q sources.Query, read func(context.Context, sources.Query) (sources.Batch[T], error), ref func(T) sources.Ref) []sources.Ref {
	tb.Helper()
	b, err := read(ctx, q)
	var ids []string
	var refs []sources.Ref
	for _, it := range b.Items {
		at := ref(it)
		if at.ID == "" || at.Kind == "" || at.Source == "" {
			tb.Errorf("%s: an item without identity: %+v", list, it)
		}
		refs = append(refs, at)
		ids = append(ids, at.String())
	}
	r.note(tb, list, ids, b.Notices, err)
	return refs
}

// Read reads all lists of a source, the details of the first incident, and one object of each kind.
func (m *Mutate) Read(ctx context.Context, tb testing.TB, src sources.Source) *Reading {
	tb.Helper()
	set, q := capability.Of(src), m.Query
	r := &Reading{IDs: map[string][]string{}, Failed: map[string]error{}}
	var all []sources.Ref
	if set.Incidents != nil {
		refs := readList(ctx, tb, r, "incidents", q, set.Incidents.ListIncidents, func(v sources.Incident) sources.Ref { saneIncident(tb, &v); return v.Ref })
		if set.Detail != nil && len(refs) > 0 {
			d, err := set.Detail.ReadIncident(ctx, refs[0])
			r.note(tb, "details", nil, d.Notices, err)
			for _, n := range d.Log {
				if n.Kind == "" {
					tb.Errorf("a log's line without kind: %+v", n)
				}
			}
		}
		all = append(all, refs...)
	}
	if set.Past != nil {
		readList(ctx, tb, r, "past incidents", q, set.Past.ListPastIncidents, func(v sources.Incident) sources.Ref { saneIncident(tb, &v); return v.Ref })
	}
	if set.Shifts != nil {
		readList(ctx, tb, r, "shifts", q, set.Shifts.ListShifts, func(v sources.Shift) sources.Ref {
			if v.Who.ID == "" || v.Level < 1 {
				tb.Errorf("shift %+v", v)
			}
			return v.Ref
		})
	}
	if set.Changes != nil {
		all = append(all, readList(ctx, tb, r, "changes", q, set.Changes.ListChanges, func(v sources.Change) sources.Ref { return v.Ref })...)
	}
	if set.Monitors != nil {
		all = append(all, readList(ctx, tb, r, "monitors", q, set.Monitors.ListMonitors, func(v sources.Monitor) sources.Ref { return v.Ref })...)
	}
	if set.SLOs != nil {
		all = append(all, readList(ctx, tb, r, "SLOs", q, set.SLOs.ListSLOs, func(v sources.SLO) sources.Ref { return v.Ref })...)
	}
	if set.Metrics != nil {
		readList(ctx, tb, r, "metrics", q, set.Metrics.QueryMetrics, func(v sources.Series) sources.Ref { return v.Ref })
	}
	asked := map[sources.Kind]bool{}
	for _, ref := range all {
		if set.Getter != nil && !asked[ref.Kind] {
			asked[ref.Kind] = true
			v, err := set.Getter.Get(ctx, ref)
			r.note(tb, "one "+string(ref.Kind), nil, nil, err)
			if err == nil && v == nil {
				tb.Errorf("%s: neither an answer nor an error", ref)
			}
		}
	}
	return r
}

func saneIncident(tb testing.TB, in *sources.Incident) {
	tb.Helper()
	if in.Alerts < 0 || in.Level < 0 || in.Severity < 0 || in.Kind == "" || in.Revision == "" || in.State != sources.Resolved && !in.Ended.IsZero() {
		tb.Errorf("incident %+v", in)
	}
	for _, p := range append(slices.Clone(in.Assignees), in.Next...) {
		if p.ID == "" {
			tb.Errorf("incident %s: somebody without identity: %+v", in.Ref, p)
		}
	}
}

// Run reads them. The tape is one that was recorded from readings of the unchanged world.
func (m *Mutate) Run(t *testing.T, tp *Tape) {
	t.Helper()
	ctx := t.Context()
	read := func(tp *Tape) *Reading {
		src := m.Open(t, tp)
		defer func() { _ = src.Close() }()
		return m.Read(ctx, t, src)
	}
	base := read(tp)
	if len(base.Failed) > 0 {
		t.Fatalf("unchanged: %v", base.Failed)
	}
	all := tp.Mutants(t, m.Mutation)
	most := m.Most
	if most == 0 {
		most = len(all)
	}
	if Slowed {
		most = (most + 7) / 8
	}
	every := max(1, len(all)/max(1, most))
	read1 := 0
	for i := 0; i < len(all); i += every {
		m.one(t, base, all[i], func() *Reading { return read(tp.With(all[i].Key, all[i].Body)) })
		read1++
	}
	t.Logf("%d of %d mutants; unchanged: %s", read1, len(all), sizes(base))
}

func sizes(r *Reading) string {
	var parts []string
	for _, list := range slices.Sorted(maps.Keys(r.IDs)) {
		parts = append(parts, fmt.Sprintf("%s %d", list, len(r.IDs[list])))
	}
	return strings.Join(parts, ", ")
}

func matches(re *regexp.Regexp, text string) bool { return re != nil && re.MatchString(text) }

func (m *Mutate) one(t *testing.T, base *Reading, mu Mutant, read func() *Reading) {
	t.Helper()
	before := t.Failed()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: panic: %v", mu, r)
		}
		if !before && t.Failed() {
			t.Errorf("… first with %s", mu)
		}
	}()
	got := read()
	part := mu.Where != Whole && !matches(m.Needed, mu.Where)
	for _, list := range slices.Sorted(maps.Keys(base.IDs)) {
		ids, was := got.IDs[list], base.IDs[list]
		if err := got.Failed[list]; err != nil {
			if part && list != "details" && !strings.HasPrefix(list, "one ") {
				t.Errorf("%s: %v", mu, err)
			}
			continue
		}
		if part && !matches(m.Identity, mu.Where) && len(ids) < len(was)-1 {
			t.Errorf("%s: %d of %d %s are left", mu, len(ids), len(was), list)
		}
		for _, id := range ids {
			if !slices.Contains(was, id) && !matches(m.Identity, mu.Where) && mu.Where != Whole {
				t.Errorf("%s: %s of %s was not there", mu, id, list)
			}
		}
	}
	if !part && mu.Where == Whole && mu.How != "a list" && !matches(m.Optional, mu.Key) {
		for _, list := range slices.Sorted(maps.Keys(base.IDs)) {
			if ids, ok := got.IDs[list]; ok && len(ids) < len(base.IDs[list]) && got.Notices <= base.Notices {
				t.Errorf("%s: %s is shorter, and nothing says so", mu, list)
			}
		}
	}
}
