package insight

import (
	"cmp"
	"slices"
	"time"
)

// A storm begins when stormSize problems of one service were opened within stormSpan, and lasts as long as
// the next one is opened within stormSpan of the one before.
const (
	stormSize = 8
	stormSpan = time.Minute
)

// swarm is what may storm: the problems of one service. Those that no service claims swarm by what their
// provider calls the service; those without that stand alone.
type swarm struct{ source, service, provider string }

// swarmsOf lists the swarms of which some could be a storm, by the indexes of their problems, oldest first.
func swarmsOf(ps []Problem) [][]int {
	bySwarm := map[swarm][]int{}
	for i := range ps {
		p := &ps[i]
		k := swarm{service: p.Service}
		if p.Service == "" {
			k = swarm{source: p.Incident.Ref.Source, provider: p.Incident.Provider.String()}
		}
		if k != (swarm{source: k.source}) {
			bySwarm[k] = append(bySwarm[k], i)
		}
	}
	var out [][]int
	for _, at := range bySwarm {
		if len(at) < stormSize {
			continue
		}
		slices.SortFunc(at, func(a, b int) int {
			return cmp.Or(ps[a].opened.Compare(ps[b].opened), compareRefs(ps[a].Incident.Ref, ps[b].Incident.Ref))
		})
		if stormy(ps, at) {
			out = append(out, at)
		}
	}
	return out
}

// squall is how many of the first were opened each within stormSpan of the one before.
func squall(ps []Problem, at []int) int {
	for n := 1; n < len(at); n++ {
		if ps[at[n]].opened.Sub(ps[at[n-1]].opened) > stormSpan {
			return n
		}
	}
	return len(at)
}

// stormy reports that some stormSize of them were opened within stormSpan.
func stormy(ps []Problem, at []int) bool {
	for i := stormSize - 1; i < len(at); i++ {
		if ps[at[i]].opened.Sub(ps[at[i-stormSize+1]].opened) <= stormSpan {
			return true
		}
	}
	return false
}

// storms makes one row of each storm among those of c that are shown, and takes what is in them out of
// shown. Which problems a storm has depends only on when they were opened, and it is known by the first of
// them, so it grows without becoming another row.
func (c *scene) storms(shown []bool) []Problem {
	var out []Problem
	for _, all := range c.swarms {
		at := make([]int, 0, len(all))
		for _, i := range all {
			if shown[i] {
				at = append(at, i)
			}
		}
		for len(at) > 0 {
			n := squall(c.all, at)
			if stormy(c.all, at[:n]) {
				out = append(out, c.storm(at[:n]))
				for _, i := range at[:n] {
					shown[i] = false
				}
			}
			at = at[n:]
		}
	}
	return out
}

// storm folds the problems at some indexes, oldest first, into the first of them.
func (c *scene) storm(at []int) Problem {
	row := c.all[at[0]]
	slices.Sort(at)
	row.Inside = make([]Problem, len(at))
	for i, n := range at {
		p := &row.Inside[i]
		*p = c.all[n]
		row.Severity = worse(row.Severity, p.Severity)
		row.State = min(row.State, p.State)
		row.Mine = row.Mine || p.Mine
	}
	row.Foreign = row.Foreign && !row.Mine
	row.Upstream = row.Upstream && row.Foreign
	row.zone = c.zone(&row)
	if c.facts != nil {
		c.facts.explainStorm(&row)
	}
	return row
}
