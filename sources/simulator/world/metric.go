package world

import (
	"math"
	"time"
)

// The metrics of a service, as people call them. The last two belong to single services.
const (
	ErrorRate  = "error rate"  // percent of requests
	P95        = "p95 latency" // milliseconds
	Requests   = "requests"    // a second
	CPU        = "cpu"         // percent
	Memory     = "memory"      // percent
	Disk       = "disk"        // percent
	IOPS       = "iops"        // a second
	ReplicaLag = "replica lag" // seconds
	QueryTime  = "query time"  // milliseconds, the 95th percentile
)

// Metrics lists those that every service has, in the order in which they are told.
func Metrics() []string { return []string{ErrorRate, P95, Requests, CPU, Memory, Disk, IOPS} }

// MetricDelay is how late a metrics system knows the world: nothing newer than that is there to be asked.
const MetricDelay = 45 * time.Second

// Measure is one metric as a metrics system stores it.
type Measure struct {
	Name  string // "http.hits"
	Unit  string // "request", "error", "millisecond", "second", "percent", "operation"
	Count bool   // it counts events: a Sample of it is so many a second
}

// Measures lists every metric that is stored. http.errors are the requests that failed: the error rate is
// 100 times their share of http.hits.
func Measures() []Measure {
	return []Measure{
		{"http.hits", "request", true}, {"http.errors", "error", true}, {"http.latency.p95", "millisecond", false},
		{"system.cpu.used", "percent", false}, {"system.mem.used", "percent", false}, {"system.disk.used", "percent", false},
		{"system.disk.iops", "operation", false}, {"postgresql.replication_delay", "second", false},
		{"postgresql.query.p95", "millisecond", false},
	}
}

// metricOf is the metric that a measure stores, errors and their rate aside.
func metricOf(measure string) string {
	switch measure {
	case "http.hits":
		return Requests
	case "http.errors":
		return ErrorRate
	case "http.latency.p95":
		return P95
	case "system.cpu.used":
		return CPU
	case "system.mem.used":
		return Memory
	case "system.disk.used":
		return Disk
	case "system.disk.iops":
		return IOPS
	case "postgresql.replication_delay":
		return ReplicaLag
	case "postgresql.query.p95":
		return QueryTime
	default:
		return ""
	}
}

// MeasureOf is the name under which a metric is stored: the error rate as what fails, beside what is asked.
func MeasureOf(metric string) string {
	for _, m := range Measures() {
		if metricOf(m.Name) == metric {
			return m.Name
		}
	}
	return ""
}

// Trouble is a metric being worse for a while for a reason of its own.
type Trouble struct {
	Metric   string
	From, To time.Time
	Add      float64
}

// Worsen makes a metric of a service worse from now on for d.
func (w *World) Worsen(s *Service, metric string, add float64, d time.Duration) {
	s.Troubles = append(s.Troubles, Trouble{Metric: metric, From: w.now, To: w.now.Add(d), Add: add})
	w.Gen++
}

// usual is what was usual for a metric until some moment.
type usual struct {
	metric string
	until  time.Time
	value  float64
}

// Region is where a target of a stage is: its own name, or eu where a stage has no targets.
func Region(target string) string {
	if target == "" {
		return "eu"
	}
	return target
}

// Sample is the value of a measure in one place of a service at t: a gauge's value, or of a count so many a
// second. It reports false where there is nothing to measure: no such measure or place, or nothing ran there
// yet. Sums of counts over all regions, and means of gauges, are what Metric tells. t must not lie in the
// future.
func (w *World) Sample(s *Service, measure, stage, region string, t time.Time) (float64, bool) {
	metric := metricOf(measure)
	if !s.Has(measure) {
		return 0, false
	}
	targets := s.Stages[stage]
	target, found := region, false
	for name := range targets {
		if Region(name) == region {
			target, found = name, true
		}
	}
	if !found || !w.ranAt(s, stage, target, t) {
		return 0, false
	}
	harm, share := 0.0, 1/float64(len(targets))
	if stage == "prod" {
		harm = s.harmIn(target, t)
	} else {
		share *= 0.02
	}
	switch measure {
	case "http.hits":
		return share * w.value(s, Requests, stage, harm, t), true
	case "http.errors":
		return share * w.value(s, Requests, stage, harm, t) * w.value(s, ErrorRate, stage, harm, t) / 100, true
	default:
		v := w.value(s, metric, stage, harm, t)
		if metric == IOPS {
			v *= share * float64(len(targets))
		}
		return v, true
	}
}

// ranAt reports whether something ran in a place at t. What is known to have run there before the story
// opened is taken to have done so for long.
func (w *World) ranAt(s *Service, stage, target string, t time.Time) bool {
	for _, c := range s.Live {
		if c.Stage == stage && c.Target == target {
			return c.At.Before(w.Opening) || !c.At.After(t)
		}
	}
	return false
}

// Metric is the value of a service's metric in production at t, which must not lie in the future. It is a
// function of the seed, what ran and the time: asking twice gives the same, and any time in the past can be
// asked for.
func (w *World) Metric(s *Service, metric string, t time.Time) float64 {
	return w.value(s, metric, "prod", s.harm(t), t)
}

// value is a metric in a stage where versions hurt that much.
func (w *World) value(s *Service, metric, stage string, harm float64, t time.Time) float64 {
	v := s.usual(metric, t) * (1 + 0.03*(w.noise(s.Name, metric, t.Unix()/10)-0.5))
	t = t.UTC()
	day := math.Sin(2 * math.Pi * (float64(t.Hour()*60+t.Minute())/1440 - 0.3))
	switch metric {
	case ErrorRate:
		v += 3.97 * harm
	case P95:
		v += 625 * harm
	case CPU:
		v += 6*harm + 4*day
	case Requests:
		v *= (1 + 0.12*day) * (1 - 0.045*min(harm, 1))
	case IOPS:
		v *= 1 + 0.12*day
	}
	for _, x := range s.Troubles {
		if stage == "prod" && x.Metric == metric && !t.Before(x.From) && t.Before(x.To) {
			v += x.Add
		}
	}
	return v
}

func (s *Service) usual(metric string, t time.Time) float64 {
	for _, u := range s.moved {
		if u.metric == metric && t.Before(u.until) {
			return u.value
		}
	}
	return s.base[metric]
}

// noise is a number in [0, 1) that depends on the seed and its arguments alone: unit, for what is asked for
// by the thousand.
func (w *World) noise(service, metric string, slot int64) float64 {
	h := uint64(14695981039346656037) ^ uint64(w.Seed)
	for _, part := range [...]string{service, "/", metric} {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * 1099511628211
		}
	}
	h += uint64(slot) * 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return float64((h^h>>31)>>11) / (1 << 53)
}
