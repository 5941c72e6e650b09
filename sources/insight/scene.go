package insight

import (
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// scene is what a snapshot tells, as all that is derived of it needs it: the facts of each service, and every
// problem, before a view narrows them. It is made at once; afterwards nothing in it changes, so that many may
// ask it at a time.
type scene struct {
	catalog  *store.Catalog
	index    index
	zones    map[string]*time.Location
	all      []Problem // in the order of Problems, storms not folded
	tags     []tag     // of all
	services []string  // that all are of
	swarms   [][]int
	facts    *facts // nil: nothing is explained
}

// sceneFeeds are the capabilities that a scene looks at.
func sceneFeeds() []store.Capability { return append(ProblemFeeds(), store.SLOs) }

func sceneOf(s *store.Snapshot, now time.Time) *scene {
	c := unexplained(s, now)
	c.facts = factsOf(s, now)
	for i := range c.all {
		c.facts.explain(&c.all[i])
	}
	c.facts.settle()
	return c
}

// unexplained is a scene without what explains its problems.
func unexplained(s *store.Snapshot, now time.Time) *scene {
	d := problemDeriver{now: now, index: indexOf(s.Catalog), zones: map[string]*time.Location{},
		upstream: dependencies(s.Catalog, func(svc *store.Service) bool { return svc.Team == "" })}
	j := joinerOf(s)
	j.gather(s, now)
	j.join()
	all := make([]Problem, 0, len(j.nodes))
	for _, g := range j.groups() {
		if p, ok := d.problem(g); ok {
			all = append(all, p)
		}
	}
	c := &scene{catalog: s.Catalog, index: d.index, zones: d.zones, all: inOrder(all)}
	c.swarms = swarmsOf(c.all)
	c.tagAll()
	return c
}

// problems are those that a view shows, storms folded. It costs a walk over all of them, whatever the view.
func (c *scene) problems(v View) []Problem {
	n, shown := c.shown(v)
	if n == len(c.all) && len(c.swarms) == 0 {
		return c.all
	}
	storms := inOrder(c.storms(shown))
	out := make([]Problem, 0, n)
	for i := range c.all {
		if !shown[i] {
			continue
		}
		p := &c.all[i]
		for len(storms) > 0 && placeOf(&storms[0]).compare(placeOf(p)) < 0 {
			out, storms = append(out, storms[0]), storms[1:]
		}
		out = append(out, *p)
	}
	return append(out, storms...)
}

// tag is what decides whether a view shows a problem, in few bytes: a key that narrows the view walks over the
// tags of thousands.
type tag struct {
	service                 int32 // in scene.services
	mine, upstream, foreign bool
	mixed                   bool // an incident of it is of another service
}

// tagAll tags all problems.
func (c *scene) tagAll() {
	c.tags = make([]tag, len(c.all))
	at := map[string]int32{}
	for i := range c.all {
		p := &c.all[i]
		n, ok := at[p.Service]
		if !ok {
			n = int32(len(c.services))
			at[p.Service] = n
			c.services = append(c.services, p.Service)
		}
		c.tags[i] = tag{n, p.Mine, p.Upstream, p.Foreign, slices.ContainsFunc(p.Members, func(m Member) bool {
			return m.Incident != nil && m.Incident.Service != p.Service
		})}
	}
}

// shown tells of each problem whether the view shows it, and how many it shows.
func (c *scene) shown(v View) (n int, shown []bool) {
	follows := c.follows(v.Follow)
	shown = make([]bool, len(c.tags))
	for i, t := range c.tags {
		if t.admitted(v) && (v.Follow == "" || follows(i, t)) {
			shown[i] = true
			n++
		}
	}
	return n, shown
}

// admitted applies whose problems are shown. Who follows a service sees that of whatever team it is.
func (t tag) admitted(v View) bool {
	if v.Whose == Mine {
		return t.mine
	}
	return v.Follow != "" || v.Whose == All || t.upstream || !t.foreign
}

// follows reports of problem i that it is shown to who follows a service: it is of that service, of one of
// another team that it depends on, or of none that is known.
func (c *scene) follows(service string) func(i int, t tag) bool {
	if service == "" {
		return nil
	}
	upstream := dependencies(c.catalog, func(svc *store.Service) bool { return svc.Name == service })
	near, above := make([]bool, len(c.services)), make([]bool, len(c.services))
	for i, name := range c.services {
		near[i] = name == service || c.index.byName[name] == nil
		above[i] = upstream[name]
	}
	of := func(m Member) bool { return m.Incident != nil && m.Incident.Service == service }
	return func(i int, t tag) bool {
		return near[t.service] || t.foreign && above[t.service] || t.mixed && slices.ContainsFunc(c.all[i].Members, of)
	}
}

// zone is that of who is paged next for a row of c: those in it have been looked up.
func (c *scene) zone(p *Problem) zone {
	n := pagesNext(p)
	if len(n.Who) == 0 {
		return zone{}
	}
	name := n.Who[0].Zone
	return zone{name: name, place: c.zones[name]}
}

// where are the problems by each incident that tells of them, and by the monitor that speaks for one.
func (c *scene) where() map[sources.Ref]*Problem {
	out := make(map[sources.Ref]*Problem, len(c.all))
	for i := range c.all {
		p := &c.all[i]
		out[p.Incident.Ref] = p
		for k := range p.Members {
			if in := p.Members[k].Incident; in != nil && out[in.Ref] == nil {
				out[in.Ref] = p
			}
		}
	}
	return out
}
