package insight

import (
	"iter"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// joiner finds what tells of one trouble. Two open incidents are one when they have a key in common, also
// by way of a third. A monitor's key is weaker: one monitor may page for each of its groups, so it joins
// only incidents of one service, and those that no service claims when just one service has it. An alerting
// monitor joins the incidents of its service in the same way.
//
// What is resolved, and monitors that do not alert, join nothing and hold nothing open: they are added to
// the problems that they have a key in common with. The answer does not depend on the order of the feeds
// or of what is in them.
type joiner struct {
	nodes   []node
	parent  []int32
	holders []holder         // lists, linked by next
	byKey   map[string]int32 // the newest of the key's list in holders
	late    []Member         // added to the groups that they share a key with
}

type node struct {
	Member
	service string // of a monitor without one: that of the incidents that have its keys
}

// holder is the first node of one service that has a key.
type holder struct {
	service string
	node    int32
	next    int32 // -1: the last
}

// joinerOf is a joiner with room for s.
func joinerOf(s *store.Snapshot) joiner {
	n, keys := 0, 0
	for f := range s.FeedsOf(store.Incidents) {
		n += len(f.Incidents)
		for i := range f.Incidents {
			keys += len(f.Incidents[i].Keys)
		}
	}
	return joiner{
		nodes: make([]node, 0, n), parent: make([]int32, 0, n), holders: make([]holder, 0, keys), byKey: make(map[string]int32, keys),
	}
}

func (j *joiner) gather(s *store.Snapshot, now time.Time) {
	twice := severalFeeds(s)
	seen := map[sources.Ref]bool{}
	fresh := func(f *store.Feed, r sources.Ref) bool {
		if !twice[capabilityOf{f.Key.Source, f.Key.Capability}] {
			return true
		}
		was := seen[r]
		seen[r] = true
		return !was
	}
	var monitors []Member
	for i := range s.Feeds {
		f := &s.Feeds[i]
		switch f.Key.Capability {
		case store.Incidents:
			for k := range f.Incidents {
				if in := &f.Incidents[k]; fresh(f, in.Ref) {
					j.addIncident(Member{Incident: in, Feed: i})
				}
			}
		case store.Monitors:
			for k := range f.Monitors {
				if m := &f.Monitors[k]; fresh(f, m.Ref) {
					monitors = append(monitors, Member{Monitor: m, Feed: i})
				}
			}
		default: // tells of no trouble
		}
	}
	for _, m := range monitors {
		service, ok := j.serviceOf(m.Monitor)
		if !ok || !alerting(m.Monitor, now) {
			j.late = append(j.late, m)
			continue
		}
		j.nodes = append(j.nodes, node{m, service})
	}
}

func (j *joiner) addIncident(m Member) {
	if m.Incident.State == sources.Resolved {
		j.late = append(j.late, m)
		return
	}
	j.nodes = append(j.nodes, node{m, m.Incident.Service})
	j.parent = append(j.parent, int32(len(j.parent)))
	j.hold(len(j.nodes)-1, m.Incident.Keys)
}

type capabilityOf struct {
	source     string
	capability store.Capability
}

// severalFeeds are what is read by several feeds of one source: these may tell of one thing twice.
func severalFeeds(s *store.Snapshot) map[capabilityOf]bool {
	out := map[capabilityOf]bool{}
	for i := range s.Feeds {
		k := capabilityOf{s.Feeds[i].Key.Source, s.Feeds[i].Key.Capability}
		_, again := out[k]
		out[k] = again
	}
	return out
}

// serviceOf is the service whose incidents m joins; false when what m tells of is told by incidents of
// other services, or of several.
func (j *joiner) serviceOf(m *sources.Monitor) (string, bool) {
	service, told, several := "", false, false
	for _, k := range m.Keys {
		for h := range j.having(k) {
			told = true
			switch {
			case h.service == "":
			case h.service == m.Service:
				return m.Service, true
			case service == "":
				service = h.service
			case service != h.service:
				several = true
			}
		}
	}
	if !told || service == "" {
		return m.Service, true
	}
	return service, m.Service == "" && !several
}

// having yields the first holder of each service that has the key.
func (j *joiner) having(key string) iter.Seq[*holder] {
	return func(yield func(*holder) bool) {
		at, ok := j.byKey[key]
		for ok && at >= 0 {
			if !yield(&j.holders[at]) {
				return
			}
			at = j.holders[at].next
		}
	}
}

// hold notes that node n has the keys, and joins it with what has them already.
func (j *joiner) hold(n int, keys []string) {
	self := &j.nodes[n]
	for _, k := range keys {
		strong := self.Incident != nil && !isMonitorKey(k)
		found := false
		for h := range j.having(k) {
			same := h.service == self.service
			found = found || same
			if same || strong && j.nodes[h.node].Incident != nil {
				j.union(int32(n), h.node)
			}
		}
		if found {
			continue
		}
		head, ok := j.byKey[k]
		if !ok {
			head = -1
		}
		j.byKey[k] = int32(len(j.holders))
		j.holders = append(j.holders, holder{self.service, int32(n), head})
	}
}

// join takes in the monitors, then what no service claims.
func (j *joiner) join() {
	for n := len(j.parent); n < len(j.nodes); n++ {
		j.parent = append(j.parent, int32(n))
		j.hold(n, j.nodes[n].Monitor.Keys)
	}
	for _, head := range j.byKey {
		claimed, unclaimed, several := int32(-1), int32(-1), false
		for at := head; at >= 0; at = j.holders[at].next {
			h := &j.holders[at]
			if h.service == "" {
				unclaimed = h.node
				continue
			}
			several = several || claimed >= 0
			claimed = h.node
		}
		if claimed >= 0 && unclaimed >= 0 && !several {
			j.union(claimed, unclaimed)
		}
	}
}

func (j *joiner) root(n int32) int32 {
	for j.parent[n] != n {
		j.parent[n] = j.parent[j.parent[n]]
		n = j.parent[n]
	}
	return n
}

// union makes the earlier root the root of both.
func (j *joiner) union(a, b int32) {
	a, b = j.root(a), j.root(b)
	j.parent[max(a, b)] = min(a, b)
}

// groups are the views of each trouble: what makes it one, who speaks for it first, then the rest.
func (j *joiner) groups() [][]Member {
	group := make([]int32, len(j.nodes)) // of a root, plus 1
	var sizes []int
	for n := range j.nodes {
		r := j.root(int32(n))
		if group[r] == 0 {
			sizes = append(sizes, 0)
			group[r] = int32(len(sizes))
		}
		sizes[group[r]-1]++
	}
	out := make([][]Member, len(sizes))
	all := make([]Member, len(j.nodes))
	for i, n := range sizes {
		out[i], all = all[:0:n], all[n:]
	}
	for n := range j.nodes {
		g := group[j.root(int32(n))] - 1
		out[g] = append(out[g], j.nodes[n].Member)
	}
	for _, g := range out {
		slices.SortFunc(g, compareMembers)
	}
	slices.SortFunc(j.late, compareMembers)
	for _, m := range j.late {
		var keys []string
		if m.Monitor != nil {
			keys = m.Monitor.Keys
		} else {
			keys = m.Incident.Keys
		}
		added := map[int32]bool{}
		for _, k := range keys {
			for h := range j.having(k) {
				if g := group[j.root(h.node)] - 1; !added[g] {
					added[g] = true
					out[g] = append(out[g], m)
				}
			}
		}
	}
	return out
}

// alerting reports that m alerts and that somebody should hear of it.
func alerting(m *sources.Monitor, now time.Time) bool {
	if m.State != sources.MonitorAlert || muted(m, now) {
		return false
	}
	loud, groups := 0, 0
	for i := range m.Groups {
		if g := &m.Groups[i]; g.State == sources.MonitorAlert {
			groups++
			loud += b2i(!g.Muted)
		}
	}
	return groups == 0 || loud > 0
}

func muted(m *sources.Monitor, now time.Time) bool {
	return slices.ContainsFunc(m.Silenced, func(s sources.Silence) bool { return s.Until.IsZero() || s.Until.After(now) })
}
