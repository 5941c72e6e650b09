package ui

import (
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
)

// pages knows which pages have called for attention, and finds those that have not.
//
// A page calls once, whatever number of systems tell of it, and again only when it was acknowledged and is
// triggered anew, or when it went from somebody else to me. A storm calls once, and again for a page in it
// that is worse than any before. What a feed says at first calls for nothing,
// unless it was triggered after the board had begun to ask: whoever starts the board looks at it. A feed
// that restarts, fails or answers in part forgets nothing.
type pages struct {
	seen  *store.Snapshot // looked at last
	looks int             // so many were taken
	key   insight.Key
	all   bool
	made  bool
	worst *insight.Problem
	text  clean.Text // what worst is
	feeds map[store.FeedKey]*feedSeen
	known map[*page]bool
	by    map[viewKey]*page
}

// feedSeen is what a feed has shown of itself.
type feedSeen struct {
	since    time.Time // when it was first seen
	live     bool      // it had answered in this session before the snapshot that is looked at
	answered bool      // it has answered now
	whole    bool      // it says all that there is
}

// page is one trouble.
type page struct {
	views  map[viewKey]view
	state  sources.IncidentState
	called bool      // since it was triggered; or it need not call
	rung   int       // the worst severity that has called since; 0: none that is known
	listed int       // the number of the look that saw it last
	gone   time.Time // when it was first not listed; zero: it is
	// ended are the feeds of which a page for it ended while it went on.
	ended map[store.FeedKey]bool
}

// viewKey is an incident, or a monitor and the service that it pages: one monitor may page several.
type viewKey struct {
	ref     sources.Ref
	service string
}

// view is how one of a page's incidents was last seen.
type view struct {
	feed    store.FeedKey
	kind    sources.IncidentKind
	changed time.Time
	mine    bool
	listed  int // the number of the look that saw it last
}

// forgetAfter is how long a page is remembered that a feed no longer lists which says only a part.
const forgetAfter = 24 * time.Hour

// look finds the worst page that calls, and those that call for the first time, worst first. all counts
// everybody's pages, else mine alone do. Asked again for one snapshot it finds nothing new.
func (t *pages) look(known *insight.Memo, s *store.Snapshot, all bool, now time.Time) (worst *insight.Problem, fresh []*insight.Problem) {
	if t.made && s.Seq < t.seen.Seq {
		s = t.seen // a newer one has been looked at already
	}
	if t.made && t.seen == s && t.all == all {
		return t.worst, nil
	}
	t.seen = s
	if !t.made {
		t.by, t.known, t.feeds = map[viewKey]*page{}, map[*page]bool{}, map[store.FeedKey]*feedSeen{}
	}
	t.meet(s, now)
	if t.made && t.all == all && t.key.Holds(s, store.Incidents, store.Monitors) {
		return t.worst, nil
	}
	switched := t.made && t.all != all
	t.key, t.all, t.made, t.worst = insight.KeyOf(s, store.Incidents, store.Monitors), all, true, nil
	t.looks++
	problems := known.Problems(s, insight.View{}, now)
	for i := range problems {
		p := &problems[i]
		calls := t.calls(p, now)
		if calls && t.worst == nil {
			t.worst, t.text = p, pageText(p)
		}
		if t.unchanged(s, p, calls) {
			continue
		}
		if q := t.see(s, p, calls, now); q != nil && !switched {
			fresh = append(fresh, q)
		}
	}
	t.forget(now)
	return t.worst, fresh
}

// meet notes what the feeds show of themselves.
func (t *pages) meet(s *store.Snapshot, now time.Time) {
	for _, f := range t.feeds {
		f.live, f.whole = f.live || f.answered, false
	}
	for i := range s.Feeds {
		key, h := s.Feeds[i].Key, &s.Feeds[i].Health
		if key.Capability != store.Incidents && key.Capability != store.Monitors {
			continue
		}
		f := t.feeds[key]
		if f == nil {
			f = &feedSeen{since: now}
			t.feeds[key] = f
		}
		f.answered = h.State != store.Loading && !h.Cached && !h.LastGood.IsZero()
		f.whole = f.answered && h.State == store.Healthy
	}
}

// calls reports that p is for somebody to get up for.
func (t *pages) calls(p *insight.Problem, now time.Time) bool {
	in := p.Incident
	quiet := in.Low || in.Inhibited || slices.ContainsFunc(in.Silenced, func(s sources.Silence) bool {
		return s.Until.IsZero() || s.Until.After(now)
	})
	return p.State == sources.Triggered && !p.Upstream && !quiet && (t.all || p.Mine)
}

// see takes note of p; it returns what calls for the first time since it was triggered: p, or of a storm that
// has called one in it that is worse; nil when nothing does.
func (t *pages) see(s *store.Snapshot, p *insight.Problem, calls bool, now time.Time) *insight.Problem {
	views := viewsOf(s, p)
	k := t.pageOf(views)
	again := p.State == sources.Triggered && k.state != sources.Triggered || k.triggeredAgain(views)
	if again {
		k.called, k.rung = false, 0
		clear(k.ended)
	}
	joined := t.joined(s, k, p, now)
	latest := k.take(t.looks, p.State, views)
	for key := range views {
		t.by[key] = k
	}
	switch {
	case !calls:
		return nil
	case k.called && joined == nil:
		return nil
	case k.called:
		p, latest = joined, joined.Incident.Changed
	}
	k.called, k.rung = true, p.Severity
	if f := t.feeds[s.Feeds[p.Feed].Key]; f != nil && !f.live && !latest.After(f.since) {
		return nil
	}
	return p
}

// joined is the worst that came into the storm p since k was seen and calls, if it is worse than what has
// called before; nil when nothing did.
func (t *pages) joined(s *store.Snapshot, k *page, p *insight.Problem, now time.Time) *insight.Problem {
	var out *insight.Problem
	rung := k.rung
	for i := range p.Inside {
		q := &p.Inside[i]
		if worse(q.Severity, rung) && t.calls(q, now) && !k.tells(viewsOf(s, q)) {
			out, rung = q, q.Severity
		}
	}
	return out
}

// worse reports that severity a is worse than b; 0 is unknown, and worse than nothing.
func worse(a, b int) bool { return a > 0 && (b <= 0 || a < b) }

// tells reports that k was known by one of the views.
func (k *page) tells(views map[viewKey]view) bool {
	for key := range views {
		if _, ok := k.views[key]; ok {
			return true
		}
	}
	return false
}

// viewsOf are the open views of a problem, and of those that are folded in it.
func viewsOf(s *store.Snapshot, p *insight.Problem) map[viewKey]view {
	out := map[viewKey]view{}
	add := func(q *insight.Problem) {
		for i := range q.Members {
			if key, v, open := viewOf(s, q, &q.Members[i]); open {
				out[key] = v
			}
		}
	}
	add(p)
	for i := range p.Inside {
		add(&p.Inside[i])
	}
	return out
}

// viewOf is how a problem's member is seen; open is false when it is over.
func viewOf(s *store.Snapshot, q *insight.Problem, m *insight.Member) (key viewKey, v view, open bool) {
	v = view{feed: s.Feeds[m.Feed].Key, kind: sources.MonitorIncident}
	if in := m.Incident; in != nil {
		v.kind, v.changed, v.mine = in.Kind, in.Changed, in.Mine
		return viewKey{ref: in.Ref}, v, in.State != sources.Resolved
	}
	v.changed = m.Monitor.Since
	return viewKey{m.Monitor.Ref, q.Service}, v, true
}

// unchanged reports that p is a page of one view that is as it was when it was looked at before, and takes
// note of that. Of thousands of alerts nearly all are.
func (t *pages) unchanged(s *store.Snapshot, p *insight.Problem, calls bool) bool {
	if len(p.Members) != 1 || len(p.Inside) > 0 {
		return false
	}
	key, v, open := viewOf(s, p, &p.Members[0])
	k := t.by[key]
	if !open || k == nil || len(k.views) != 1 || k.state != p.State || calls && !k.called || !k.gone.IsZero() {
		return false
	}
	was, ok := k.views[key]
	if v.listed = was.listed; !ok || v != was {
		return false
	}
	v.listed = t.looks
	k.listed, k.views[key] = t.looks, v
	return true
}

// pageOf is the page that the views tell of: one that is known by any of them, else a new one. Pages that
// turn out to be one become one.
func (t *pages) pageOf(views map[viewKey]view) *page {
	var k *page
	for key := range views {
		switch o := t.by[key]; {
		case o == nil || o == k:
		case k == nil:
			k = o
		default:
			t.merge(k, o)
		}
	}
	if k == nil {
		k = &page{views: map[viewKey]view{}, ended: map[store.FeedKey]bool{}, state: sources.Triggered}
		t.known[k] = true
	}
	return k
}

func (t *pages) merge(into, from *page) {
	for key, v := range from.views {
		into.views[key] = v
		t.by[key] = into
	}
	into.called = into.called || from.called
	if worse(from.rung, into.rung) {
		into.rung = from.rung
	}
	into.state = min(into.state, from.state)
	delete(t.known, from)
}

// triggeredAgain reports that the page calls anew though it was triggered when it was last seen: it came
// to me, it was taken and given back meanwhile, or somebody was paged anew for what goes on.
func (k *page) triggeredAgain(views map[viewKey]view) bool {
	for key, now := range views {
		was, ok := k.views[key]
		switch {
		case ok && now.mine && !was.mine:
			return true
		case ok && (now.kind == sources.PageIncident || !k.gone.IsZero()) && now.changed.After(was.changed):
			return true
		case !ok && now.kind == sources.PageIncident && k.paged(now.feed, views):
			return true
		}
	}
	return false
}

// paged reports that a page of the feed belonged to k that is not open any more.
func (k *page) paged(feed store.FeedKey, open map[viewKey]view) bool {
	if k.ended[feed] {
		return true
	}
	for key, v := range k.views {
		if _, still := open[key]; !still && v.kind == sources.PageIncident && v.feed == feed {
			return true
		}
	}
	return false
}

// take notes how the page is seen now, and returns when the last of its views changed.
func (k *page) take(look int, state sources.IncidentState, views map[viewKey]view) (latest time.Time) {
	k.state, k.listed, k.gone = state, look, time.Time{}
	for key, v := range views {
		v.listed = look
		k.views[key] = v
		if v.changed.After(latest) {
			latest = v.changed
		}
	}
	return latest
}

// forget drops what feeds that say all no longer list.
func (t *pages) forget(now time.Time) {
	for k := range t.known {
		if k.listed != t.looks && k.gone.IsZero() {
			k.gone = now
		}
		for key, v := range k.views {
			f := t.feeds[v.feed]
			if v.listed != t.looks && (f != nil && f.whole || !k.gone.IsZero() && now.Sub(k.gone) > forgetAfter) {
				delete(k.views, key)
				k.ended[v.feed] = k.ended[v.feed] || v.kind == sources.PageIncident
				if t.by[key] == k {
					delete(t.by, key)
				}
			}
		}
		if len(k.views) == 0 {
			delete(t.known, k)
		}
	}
}
