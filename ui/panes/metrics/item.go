package metrics

import (
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

// item is one metric. Of a service's many metrics few are drawn: kept is nil until it is.
type item struct {
	*insight.Chart
	kept *kept
}

// kept is what the drawing of a metric keeps, also when its values change.
type kept struct {
	ref          sources.Ref
	large, spark kit.Plot
	short        []pane.Part // what it is in a few words, for shortOf
	shortOf      shortKey
}

type shortKey struct {
	chart *insight.Chart
	theme *theme.Theme
	now   time.Time
	stale store.Staleness
}

// keep is what the drawing of m keeps.
func (m *item) keep() *kept {
	if m.kept == nil {
		m.kept = &kept{ref: m.Series.Ref}
	}
	return m.kept
}

func (m *item) name() clean.Text { return kit.MetricName(m.Series) }

// reader answers how services behave. It walks the snapshot when the data or the minute changed: a cursor
// that goes from service to service costs the services.
type reader struct {
	known  insight.Behaviour
	key    insight.Key
	minute time.Time
}

// read reports whether it had to walk the snapshot.
func (r *reader) read(e pane.Env) bool {
	minute := e.Now.Truncate(time.Minute)
	if r.minute.Equal(minute) && r.key.Holds(e.Snap, insight.ChartFeeds()...) {
		return false
	}
	r.known, r.key, r.minute = e.Known.Behaviour(e.Snap, e.Now), insight.KeyOf(e.Snap, insight.ChartFeeds()...), minute
	return true
}

// view is what is shown of a service.
type view struct {
	items   []item
	budgets []insight.Budget
	marks   []insight.Mark
	over    int // of items
	old     bool
}

// views are those that were shown, so that a cursor that comes back to a service finds it as it was.
type views map[string]*view

// of is the view of a service; of "" that of all services. Its plots outlive a change of the data.
func (v views) of(known insight.Behaviour, service string) *view {
	had := v[service]
	if had != nil && !had.old {
		return had
	}
	if had == nil {
		had = &view{}
	}
	now := &view{}
	if service == "" {
		charts, over := worst(known)
		now.items, now.over = itemsOf(charts, had.items), over
	} else {
		all := known.Charts(service)
		now.items, now.over = itemsOf(all.Charts, had.items), all.Over
		now.budgets, now.marks = all.Budgets, insight.Production(all.Marks)
	}
	v[service] = now
	return now
}

// age makes every view one to be made anew.
func (v views) age() {
	for _, one := range v {
		one.old = true
	}
}

// itemsOf makes items of charts. Metrics that were drawn before keep what their drawing kept, and with it
// their scales.
func itemsOf(charts []insight.Chart, had []item) []item {
	out := make([]item, len(charts))
	for i := range charts {
		out[i].Chart = &charts[i]
	}
	for i := range had {
		if k := had[i].kept; k != nil {
			if at := find(charts, i, k.ref); at >= 0 {
				out[at].kept = k
			}
		}
	}
	return out
}

// find is the index of a metric in charts, which most often is i; -1 when it is not there.
func find(charts []insight.Chart, i int, ref sources.Ref) int {
	if i < len(charts) && charts[i].Series.Ref == ref {
		return i
	}
	return slices.IndexFunc(charts, func(o insight.Chart) bool { return o.Series.Ref == ref })
}

// worst is one metric for each service: the first that is over its limit, else the first. Services with
// one that is over stand first, each half in the order of the config; n counts them.
func worst(known insight.Behaviour) (charts []insight.Chart, n int) {
	var over, rest []insight.Chart
	for _, service := range known.Measured() {
		charts := known.Charts(service).Charts
		switch i := slices.IndexFunc(charts, func(c insight.Chart) bool { return c.Over }); {
		case i >= 0:
			over = append(over, charts[i])
		case len(charts) > 0:
			rest = append(rest, charts[0])
		}
	}
	return append(over, rest...), len(over)
}

// times are the moments of marks.
func times(marks []insight.Mark) []time.Time {
	out := make([]time.Time, len(marks))
	for i := range marks {
		out[i] = marks[i].At
	}
	return out
}
