package datadog

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// rollout is one version that reached the places of a service's stage, one after the other.
type rollout struct {
	s           *world.Service
	stage       string
	targets     []string
	sha         string
	first, last time.Time // when it took effect in the first and in the last place
}

// together is how far apart the places of one rollout are at most.
const together = 15 * time.Minute

// rollouts lists what was deployed, oldest first.
func rollouts(w *world.World) []rollout {
	var out []rollout
	for _, s := range w.Services {
		open := map[string]*rollout{}
		for _, ch := range s.Live {
			key := ch.Stage + " " + ch.SHA
			if r := open[key]; r != nil && ch.At.Sub(r.last) < together && !slices.Contains(r.targets, ch.Target) {
				r.targets, r.last = append(r.targets, ch.Target), ch.At
				continue
			}
			if r := open[key]; r != nil {
				out = append(out, *r)
			}
			open[key] = &rollout{s: s, stage: ch.Stage, targets: []string{ch.Target}, sha: ch.SHA, first: ch.At, last: ch.At}
		}
		for _, r := range open {
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, func(a, b rollout) int {
		if n := a.last.Compare(b.last); n != 0 {
			return n
		}
		return strings.Compare(a.s.Name+a.stage+a.sha, b.s.Name+b.stage+b.sha)
	})
	return out
}

// version is the name of what was deployed: its tag where it has one, else its SHA's beginning.
func (r rollout) version() string {
	name := r.sha[:7]
	for _, t := range r.s.Repo.Tags {
		tag, own := strings.CutPrefix(t.Name, r.s.Prefix)
		if t.SHA == r.sha && (own || r.s.Prefix == "") && !strings.Contains(tag, "/") {
			name = tag
		}
	}
	return name
}

func (r rollout) key() string {
	return strings.Join([]string{r.s.Name, r.stage, r.sha, strconv.FormatInt(r.first.Unix(), 10)}, "/")
}

// places are where it went, as tags.
func (r rollout) places() []string {
	var out []string
	for _, t := range r.targets {
		if t != "" {
			out = append(out, "region:"+t)
		}
	}
	return out
}
