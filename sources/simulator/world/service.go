package world

import (
	"math"
	"slices"
	"time"
)

// Service is what a team owns and is paged for.
type Service struct {
	Name     string
	Team     string
	Repo     *Repo
	Prefix   string                       // of its paths in a monorepo; "": all of them
	Stages   map[string]map[string]string // stage → target ("" where it has none) → the provider's environment
	Policy   *Policy
	Live     []Change // what ran where, oldest first
	Monitors []*Monitor

	Troubles []Trouble
	ID       string // PagerDuty's

	base  map[string]float64 // metric → its usual value
	moved []usual            // oldest first: what was usual before base
	sli   map[int64]tally    // finished hours of its requests, by their number
}

// Change is one version taking effect in one place.
type Change struct {
	At            time.Time
	Stage, Target string
	SHA           string
	Bad           bool
}

// Service is the service of that name, or nil.
func (w *World) Service(name string) *Service {
	for _, s := range w.Services {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// takeEffect lets a version run in an environment from now on.
func (w *World) takeEffect(r *Repo, environment, sha string) {
	for _, s := range w.Services {
		if s.Repo != r {
			continue
		}
		for stage, targets := range s.Stages {
			for target, env := range targets {
				if env == environment {
					s.Live = append(s.Live, Change{At: w.now, Stage: stage, Target: target, SHA: sha, Bad: w.bad[sha]})
				}
			}
		}
	}
	w.Gen++
}

// Running is the SHA that runs in a place, and since when; "" when nothing ever did.
func (s *Service) Running(stage, target string) (sha string, since time.Time) {
	for i := len(s.Live) - 1; i >= 0; i-- {
		if c := s.Live[i]; c.Stage == stage && c.Target == target {
			return c.SHA, c.At
		}
	}
	return "", time.Time{}
}

// Targets lists the places of a stage by name.
func (s *Service) Targets(stage string) []string {
	out := make([]string, 0, len(s.Stages[stage]))
	for t := range s.Stages[stage] {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// harm tells how much a bad version hurts at t, averaged over prod's targets: 0 is not at all, 1 is as
// much as in the tenth minute after it took effect. It jumps in the first minute, then grows ever slower; it
// is gone some twenty seconds after a good version took its place.
func (s *Service) harm(t time.Time) float64 {
	targets := s.Targets("prod")
	if len(targets) == 0 {
		return 0
	}
	var sum float64
	for _, target := range targets {
		sum += s.harmIn(target, t)
	}
	return sum / float64(len(targets))
}

func (s *Service) harmIn(target string, t time.Time) float64 {
	var cur, onset time.Time // the change in force at t, and since when things had been bad
	bad, level := false, 0.0
	for _, c := range s.Live {
		if c.Stage != "prod" || c.Target != target || c.At.After(t) {
			continue
		}
		switch {
		case c.Bad && !bad:
			onset = c.At
		case !c.Bad && bad:
			level = growth(c.At.Sub(onset))
		case !c.Bad:
			level = 0
		}
		bad, cur = c.Bad, c.At
	}
	if bad {
		return growth(t.Sub(onset))
	}
	return level * math.Exp(-t.Sub(cur).Seconds()/6)
}

func growth(d time.Duration) float64 {
	switch m := d.Minutes(); {
	case m <= 1:
		return 0.49 * m
	case m <= 5:
		return 0.49 + 0.0756*(m-1)
	default:
		return min(0.7924+0.0415*(m-5), 1.6)
	}
}
