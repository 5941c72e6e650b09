package insight

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Problem is one trouble that somebody is, or should be, paged for, whatever number of systems tell of
// it: a Datadog monitor, the PagerDuty page that it raised and the incident that people declared for it
// are one Problem.
type Problem struct {
	// Incident is who speaks for it: the page before the declared incident before the alerts before the
	// monitor. Its Ref is the Problem's identity and what actions act on. Never nil; of Kind
	// MonitorIncident it is made from the monitor, and its Ref is the monitor's. Of a storm it is the one
	// that was opened first: the row keeps its identity while the storm grows.
	Incident *sources.Incident
	Feed     int      // the index of Incident's feed in the snapshot
	Members  []Member // every view of it, Incident's first
	Service  string   // the configured service; "" when none claims it
	Severity int      // the worst of its members'; 0 is unknown
	State    sources.IncidentState
	Mine     bool
	Upstream bool // of another team's service that ours depend on: read-only
	Foreign  bool // of another team's service, and not assigned to me: Upstream, or shown to who asked for all

	// Onset is when the trouble began: when the service's metric went over its limit and stayed there, or
	// when the alert began to fire, else when it was opened. OnsetBy names the metric; "" when none tells.
	Onset    time.Time
	OnsetBy  clean.Text
	Scope    clean.Text // where: "prod eu us"
	Impact   Impact
	Seen     int           // how many like it ended in SeenIn before it; 0: none, or nobody tells
	SeenIn   time.Duration // 30 days
	Suspects []Suspect     // newest first

	// Inside are the problems of a storm: so many of one service within a minute that they stand folded in
	// one row. Severity, State, Mine and Onset of the row are the worst and the earliest of them; the rest
	// is Incident's own. nil: it is no storm.
	Inside []Problem

	opened time.Time // when the first of its open members was
	zone   zone      // of who is paged next
}

// Member is one system's view of a Problem: an incident, or a monitor.
type Member struct {
	Incident *sources.Incident // nil for a monitor
	Monitor  *sources.Monitor  // nil for an incident
	Feed     int
}

// Trend says where a number is going.
type Trend int8

// The trends.
const (
	Falling Trend = iota - 1
	Steady
	Rising
)

// Impact is how many are hurt: requests that fail a second, from the service's error and traffic metrics.
type Impact struct {
	Failing sources.Number // a second; unknown where the metrics do not tell
	Trend   Trend          // of the number that makes it a problem, over the last five minutes
	Known   bool           // Trend says anything
	By      clean.Text     // the metric that Trend is of
	Feed    int            // the index of the metrics' feed: an impact is as old as that; -1 when nothing is known
}

// Suspect is a change shortly before the onset of a problem.
type Suspect struct {
	Kind     sources.ChangeKind
	At       time.Time
	Before   time.Duration // the onset; negative: after it
	Text     clean.Text    // "v1.9.2 → prod", "flag pay_retry on"
	By       clean.Text
	Why      clean.Text      // "1m before onset, by dev4"
	Env      sources.Ref     // the environment that it was deployed to; zero for other changes
	Version  sources.Version // what was deployed
	URL      string
	Upstream string // the service that it happened in, when it is one that ours depends on
}

// Health is how a service behaves, as its metrics, monitors and problems tell. The zero value is that of a
// service of which nothing tells.
type Health struct {
	Known bool       // something tells; with Sense Quiet it is well
	Sense Sense      // Quiet, Warn, Crit
	Text  clean.Text // the worst in two words: "5xx", "p95 912 ms", "1 alert"
	Since time.Time
	Feed  int
}

// Quiet reports that p rings nobody at now, though it is open: a silence covers it, or another alert
// inhibits it.
func (p *Problem) Quiet(now time.Time) bool {
	if p.Incident.Inhibited {
		return true
	}
	for i := range p.Incident.Silenced {
		if s := &p.Incident.Silenced[i]; s.Until.IsZero() || s.Until.After(now) {
			return true
		}
	}
	return false
}

// Tally counts problems, and of storms those that are folded in them.
type Tally struct {
	Triggered, Held int // that are not Quiet
	Quiet           int
	// Worst is the index of the first row that is triggered, not Quiet and not Upstream; -1 when there is none.
	Worst int
}

func tally(ps []Problem, now time.Time) Tally {
	out := Tally{Worst: -1}
	for i := range ps {
		if p := &ps[i]; out.Worst < 0 && p.State == sources.Triggered && !p.Upstream && !p.Quiet(now) {
			out.Worst = i
		}
		inside := ps[i].Inside
		if len(inside) == 0 {
			inside = ps[i : i+1]
		}
		for k := range inside {
			switch q := &inside[k]; {
			case q.Quiet(now):
				out.Quiet++
			case q.State == sources.Triggered:
				out.Triggered++
			default:
				out.Held++
			}
		}
	}
	return out
}
