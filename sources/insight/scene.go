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
	catalog *store.Catalog
	index   index
	zones   map[string]*time.Location
	all     []Problem // in the order of Problems, storms not folded
	swarms  [][]int
	facts   *facts // nil: nothing is explained
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

// shown tells of each problem whether the view shows it, and how many it shows.
func (c *scene) shown(v View) (n int, shown []bool) {
	var followed map[string]bool // what the followed service depends on
	if v.Follow != "" {
		followed = dependencies(c.catalog, func(svc *store.Service) bool { return svc.Name == v.Follow })
	}
	shown = make([]bool, len(c.all))
	for i := range c.all {
		if p := &c.all[i]; c.admits(v, p) && (v.Follow == "" || c.follows(v.Follow, followed, p)) {
			shown[i] = true
			n++
		}
	}
	return n, shown
}

// admits applies whose problems are shown. Who follows a service sees that of whatever team it is.
func (c *scene) admits(v View, p *Problem) bool {
	if v.Whose == Mine {
		return p.Mine
	}
	return v.Follow != "" || v.Whose == All || p.Upstream || !p.Foreign
}

// follows reports that the problem is shown to who follows a service: it is of that service, of one of
// another team that it depends on, or of none that is known.
func (c *scene) follows(service string, upstream map[string]bool, p *Problem) bool {
	if p.Service == service || c.index.byName[p.Service] == nil || p.Foreign && upstream[p.Service] {
		return true
	}
	return slices.ContainsFunc(p.Members, func(m Member) bool { return m.Incident != nil && m.Incident.Service == service })
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
