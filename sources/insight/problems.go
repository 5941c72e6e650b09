package insight

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// ProblemFeeds are the capabilities that Problems looks at: what it answered holds until the Key of these
// changes.
func ProblemFeeds() []store.Capability {
	return []store.Capability{
		store.Incidents, store.Monitors, store.Metrics, store.Environments, store.Changes, store.Past,
	}
}

// Problems lists what somebody is, or should be, paged for.
//
// Which: every open incident, and every monitor of a configured service that alerts, is not muted and is
// told of by no incident. What tells of one trouble is one Problem (see joiner), a storm of one service is
// one row (see fold). Team shows our services' problems, whatever is assigned to me, and what no service
// claims; below these other teams' of services that ours depend on. All adds the other teams' rest. Mine
// shows what is assigned to me. Following a service shows its own, its upstream ones and what no service
// claims: what narrows by service never hides a problem that no service is known of.
//
// Order: ours before other teams'; then the worst severity, an unknown one last; triggered before
// acknowledged; then the oldest; then by Ref. A problem therefore moves only when it is taken or when its
// severity changes, and a new one pushes down none of its severity that waits already.
func Problems(s *store.Snapshot, v View, now time.Time) []Problem {
	return sceneOf(s, now).problems(v)
}

// problemDeriver makes problems of what systems tell.
type problemDeriver struct {
	now      time.Time
	index    index
	upstream map[string]bool // what ours depend on
	zones    map[string]*time.Location
}

// dependencies are the services that some depend on, at whatever remove.
func dependencies(c *store.Catalog, of func(*store.Service) bool) map[string]bool {
	out := map[string]bool{}
	for i := range c.Services {
		if s := &c.Services[i]; of(s) {
			addUpstream(c, s, out)
		}
	}
	return out
}

func addUpstream(c *store.Catalog, s *store.Service, out map[string]bool) {
	for _, name := range s.DependsOn {
		if out[name] {
			continue
		}
		out[name] = true
		if next := c.Service(name); next != nil {
			addUpstream(c, next, out)
		}
	}
}

// foreign reports that the problem is of other teams' services alone, and not assigned to me.
func (d *problemDeriver) foreign(p *Problem) bool {
	theirs := func(service string) bool {
		svc := d.index.byName[service]
		return svc != nil && svc.Team != ""
	}
	if p.Mine || !theirs(p.Service) {
		return false
	}
	return !slices.ContainsFunc(p.Members, func(m Member) bool {
		return m.Incident != nil && m.Incident.Service != "" && !theirs(m.Incident.Service)
	})
}

// problem makes one of the views of one trouble; false when none of them is a reason for a row.
func (d *problemDeriver) problem(g []Member) (Problem, bool) {
	p := Problem{Members: g, Feed: g[0].Feed}
	first := g[0].Incident
	if first == nil {
		m := g[0].Monitor
		if svc := d.index.byName[m.Service]; svc == nil || svc.Discovered {
			return p, false
		}
		first = monitorIncident(m)
	}
	p.Incident, p.State, p.Service = first, first.State, first.Service
	p.Scope, p.opened = first.Scope, first.Created
	for i := range g {
		d.addMember(&p, &g[i])
	}
	p.Foreign = d.foreign(&p)
	p.Upstream = p.Foreign && d.upstream[p.Service]
	p.Onset = p.opened
	p.Impact = Impact{Failing: sources.Number(math.NaN()), Feed: -1}
	p.zone = d.zone(&p)
	return p, true
}

func (d *problemDeriver) addMember(p *Problem, m *Member) {
	if m.Monitor != nil {
		if alerting(m.Monitor, d.now) {
			p.Severity = worse(p.Severity, m.Monitor.Severity)
		}
		p.Service = cmp.Or(p.Service, m.Monitor.Service)
		return
	}
	in := m.Incident
	p.Service = cmp.Or(p.Service, in.Service)
	p.Scope = cmp.Or(p.Scope, in.Scope)
	if in.State == sources.Resolved {
		return
	}
	p.Severity = worse(p.Severity, in.Severity)
	p.Mine = p.Mine || in.Mine
	p.opened = earlier(p.opened, in.Created)
	if kindRank(in.Kind) == kindRank(p.Incident.Kind) {
		p.State = min(p.State, in.State)
	}
}

// zone is that of who is paged next for p. Each name is looked up once.
func (d *problemDeriver) zone(p *Problem) zone {
	n := pagesNext(p)
	if len(n.Who) == 0 {
		return zone{}
	}
	z := zone{name: n.Who[0].Zone}
	place, ok := d.zones[z.name]
	if !ok {
		place = loadZone(z.name)
		d.zones[z.name] = place
	}
	z.place = place
	return z
}

// compareMembers puts first who speaks for a problem: what is open, a page before a declared incident
// before alerts before a monitor, mine first, the oldest, by Ref. Being acknowledged changes nothing.
func compareMembers(a, b Member) int {
	switch x, y := a.Incident, b.Incident; {
	case x != nil && y != nil:
		return cmp.Or(cmp.Compare(b2i(x.State == sources.Resolved), b2i(y.State == sources.Resolved)),
			cmp.Compare(kindRank(x.Kind), kindRank(y.Kind)), cmp.Compare(b2i(y.Mine), b2i(x.Mine)),
			x.Created.Compare(y.Created), compareRefs(x.Ref, y.Ref))
	case x == nil && y == nil:
		return cmp.Or(-cmp.Compare(a.Monitor.State, b.Monitor.State), compareRefs(a.Monitor.Ref, b.Monitor.Ref))
	default:
		return cmp.Compare(b2i(x == nil), b2i(y == nil))
	}
}

func kindRank(k sources.IncidentKind) int {
	switch k {
	case sources.PageIncident:
		return 0
	case sources.DeclaredIncident:
		return 1
	case sources.AlertIncident:
		return 2
	case sources.MonitorIncident:
		return 3
	default:
		return 4
	}
}

// monitorIncident speaks for an alerting monitor that nobody is paged for.
func monitorIncident(m *sources.Monitor) *sources.Incident {
	in := &sources.Incident{
		Ref: m.Ref, Revision: m.Revision, Kind: sources.MonitorIncident, Service: m.Service, Title: m.Name,
		Severity: m.Severity, State: sources.Triggered, Created: m.Since, Changed: m.Since, Silenced: m.Silenced,
		Runbook: m.Runbook, URL: m.URL, Keys: m.Keys,
	}
	for i := range m.Groups {
		if g := &m.Groups[i]; g.State == sources.MonitorAlert {
			in.Alerts++
			if in.Created.IsZero() {
				in.Created = g.Since
			}
		}
	}
	in.Changed = cmp.Or(in.Changed, in.Created)
	return in
}

// worse is the worse of two severities; 0 is none.
func worse(a, b int) int {
	switch {
	case a <= 0:
		return max(b, 0)
	case b <= 0:
		return a
	default:
		return min(a, b)
	}
}

// earlier is the earlier of two times; a zero one is unknown.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// inOrder sorts problems as Problems lists them.
func inOrder(ps []Problem) []Problem {
	places := make([]place, len(ps))
	for i := range ps {
		places[i] = placeOf(&ps[i])
	}
	slices.SortFunc(places, place.compare)
	out := make([]Problem, len(ps))
	for i := range places {
		out[i] = *places[i].p
	}
	return out
}

// place is where a problem stands among others.
type place struct {
	foreign, severity, state int
	opened                   int64
	p                        *Problem
}

func placeOf(p *Problem) place {
	at := place{b2i(p.Foreign), rank(p.Severity), int(p.State), math.MinInt64, p}
	if !p.opened.IsZero() {
		at.opened = p.opened.UnixNano()
	}
	return at
}

func (a place) compare(b place) int {
	switch {
	case a.foreign != b.foreign:
		return a.foreign - b.foreign
	case a.severity != b.severity:
		return cmp.Compare(a.severity, b.severity)
	case a.state != b.state:
		return a.state - b.state
	case a.opened != b.opened:
		return cmp.Compare(a.opened, b.opened)
	default:
		return compareRefs(a.p.Incident.Ref, b.p.Incident.Ref)
	}
}

// rank puts unknown severities last.
func rank(severity int) int {
	if severity <= 0 {
		return math.MaxInt
	}
	return severity
}

// Matches reports whether every word of the filter (lower case) occurs in what the row says or in what its
// members are called, or in one of the problems folded in it.
func (p *Problem) Matches(words []string) bool {
	if len(words) == 0 {
		return true
	}
	in := p.Incident
	fields := []string{p.Service, in.Provider.String(), in.Title.String(), in.Number.String(), p.State.String(),
		in.Holder.String(), in.Team.String(), p.Scope.String(), severityName(p.Severity)}
	for i := range p.Members {
		switch m := &p.Members[i]; {
		case m.Monitor != nil:
			fields = append(fields, m.Monitor.Name.String())
		case m.Incident != in:
			fields = append(fields, m.Incident.Title.String(), m.Incident.Number.String())
		}
	}
	return matchAll(fields, words) || slices.ContainsFunc(p.Inside, func(q Problem) bool { return q.Matches(words) })
}

func severityName(n int) string {
	if n <= 0 {
		return ""
	}
	return "P" + itoa(n)
}

// isMonitorKey tells MonitorKey's form from the others.
func isMonitorKey(k string) bool { return strings.HasPrefix(k, "monitor/") }
