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

// fold makes one row of each storm. Problems that no service claims storm by what their provider calls the
// service; those without that stand alone. Which problems a storm has depends only on when they were
// opened, and it is known by the first of them, so it grows without becoming another row.
func (d *problemDeriver) fold(ps []Problem) []Problem {
	type swarm struct{ source, service, provider string }
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
	folded := make([]bool, len(ps))
	var storms []Problem
	for _, at := range bySwarm {
		if len(at) < stormSize {
			continue
		}
		slices.SortFunc(at, func(a, b int) int {
			return cmp.Or(ps[a].opened.Compare(ps[b].opened), compareRefs(ps[a].Incident.Ref, ps[b].Incident.Ref))
		})
		for len(at) > 0 {
			n := squall(ps, at)
			if stormy(ps, at[:n]) {
				storms = append(storms, d.storm(ps, at[:n]))
				for _, i := range at[:n] {
					folded[i] = true
				}
			}
			at = at[n:]
		}
	}
	if storms == nil {
		return ps
	}
	for i := range ps {
		if !folded[i] {
			storms = append(storms, ps[i])
		}
	}
	return storms
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

// storm folds the problems, oldest first, into the first of them.
func (d *problemDeriver) storm(ps []Problem, at []int) Problem {
	inside := make([]Problem, len(at))
	for i, n := range at {
		inside[i] = ps[n]
	}
	row := inside[0]
	for i := range inside {
		p := &inside[i]
		row.Severity = worse(row.Severity, p.Severity)
		row.State = min(row.State, p.State)
		row.Mine = row.Mine || p.Mine
	}
	row.Foreign = row.Foreign && !row.Mine
	row.Upstream = row.Upstream && row.Foreign
	row.Inside = d.order(inside)
	row.zone = d.zone(&row)
	return row
}
