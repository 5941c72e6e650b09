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

	base map[string]float64 // metric → its usual value
}

// Change is one version taking effect in one place.
type Change struct {
	At            time.Time
	Stage, Target string
	SHA           string
	Bad           bool
}

// The metrics that every service has.
const (
	ErrorRate = "error rate"  // percent of requests
	P95       = "p95 latency" // milliseconds
	Requests  = "requests"    // a second
	CPU       = "cpu"         // percent
	Memory    = "memory"      // percent
	IOPS      = "iops"        // a second
)

// Metrics lists them in the order in which they are told.
func Metrics() []string { return []string{ErrorRate, P95, Requests, CPU, Memory, IOPS} }

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
// much as in the tenth minute after it took effect. It jumps in the first minute, then grows slowly; it
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
	m := d.Minutes()
	if m <= 1 {
		return 0.49 * m
	}
	return min(0.49+0.51*(m-1)/9, 1.6)
}

// Metric is the value of a service's metric at t, which must not lie in the future. It is a function of
// the seed, what ran and the time: asking twice gives the same.
func (w *World) Metric(s *Service, metric string, t time.Time) float64 {
	slot := t.Unix() / 10
	v := s.base[metric] * (1 + 0.03*(w.unit("metric", s.Name, metric, slot)-0.5))
	day := math.Sin(2 * math.Pi * (float64(t.Hour()*60+t.Minute())/1440 - 0.3))
	switch harm := s.harm(t); metric {
	case ErrorRate:
		v += 3.87 * harm
	case P95:
		v += 608 * harm
	case CPU:
		v += 6*harm + 4*day
	case Requests, IOPS:
		v *= 1 + 0.12*day
	}
	return v
}

// Monitor is a rule on a metric.
type Monitor struct {
	Name     string
	Metric   string
	Limit    float64
	For      time.Duration // how long it must be breached before it pages
	Severity int
	Since    time.Time // when the breach that lasts began; zero: there is none
	Incident *Incident
}

// probeEvery is how often monitors look.
const probeEvery = 15 * time.Second

// probe lets every monitor look at its metric, now and from now on.
func (w *World) probe() {
	for _, s := range w.Services {
		for _, m := range s.Monitors {
			w.look(s, m)
		}
	}
	w.after(probeEvery, w.probe)
}

func (w *World) look(s *Service, m *Monitor) {
	if w.Metric(s, m.Metric, w.now) <= m.Limit {
		m.Since = time.Time{}
		if m.Incident != nil {
			w.Resolve(m.Incident, nil)
			m.Incident = nil
		}
		return
	}
	if m.Since.IsZero() {
		m.Since = w.now
	}
	if m.Incident == nil && w.now.Sub(m.Since) > m.For {
		m.Incident = w.page(s, m.Name, m.Severity, m.Since)
	}
}
