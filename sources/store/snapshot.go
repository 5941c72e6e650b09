// Package store holds what every feed last answered, as immutable snapshots with one writer.
package store

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Capability names what a feed reads.
type Capability string

// The capabilities that are polled.
const (
	Runs         Capability = "runs"
	Environments Capability = "environments"
	Releases     Capability = "releases"
	Incidents    Capability = "incidents"
	Metrics      Capability = "metrics"
	Monitors     Capability = "monitors"
	SLOs         Capability = "slos"
	Shifts       Capability = "shifts"
	Changes      Capability = "changes"
	Past         Capability = "past" // incidents that ended
)

// Capabilities are all of them, in the order in which a board wants them first.
func Capabilities() []Capability {
	return []Capability{Incidents, Runs, Environments, Metrics, Monitors, Shifts, SLOs, Changes, Releases, Past}
}

// FeedKey names one polled read: a source, a capability and a scope.
type FeedKey struct {
	Source     string
	Capability Capability
	Scope      string
}

// HealthState is how a feed does.
type HealthState uint8

// The states of a feed.
const (
	Loading   HealthState = iota // has never answered
	Healthy                      //
	Degraded                     // answered, with notices
	Throttled                    // waits for a rate limit; what is shown ages meanwhile
	Failing                      // the last read failed and is tried again
	Refused                      // the last read failed in a way that only a person can mend
)

// Health is how one feed does.
type Health struct {
	State    HealthState
	Since    time.Time // when it entered State
	LastGood time.Time // when its data was last confirmed by the provider; zero: never
	Next     time.Time // when it is read next
	Failures int       // in a row
	Latency  time.Duration
	Interval time.Duration // between reads, as of now: ages are judged by it
	Cached   bool          // the data is from the disk, of an earlier start
	Err      *sources.Error
	Notices  []sources.Notice
	Rate     sources.Rate // of the feed's credential, as last reported
}

// Staleness grades the age of a feed's data.
type Staleness uint8

// The grades: marked from 3 intervals on, verdict colours withdrawn from 5 on.
const (
	Fresh Staleness = iota
	Stale
	VeryStale
)

// Turns are the moments at which the feed's data becomes stale, and very stale; zero when it has none.
func (h Health) Turns() [2]time.Time {
	if h.LastGood.IsZero() || h.Interval <= 0 {
		return [2]time.Time{}
	}
	return [2]time.Time{h.LastGood.Add(3 * h.Interval), h.LastGood.Add(5 * h.Interval)}
}

// Staleness is how old the data of the feed is, at now, in terms of its interval.
func (h Health) Staleness(now time.Time) Staleness {
	switch t := h.Turns(); {
	case t[0].IsZero() || now.Before(t[0]):
		return Fresh
	case now.Before(t[1]):
		return Stale
	default:
		return VeryStale
	}
}

// Feed is what one feed last answered. Only the slice of its capability is used.
type Feed struct {
	Key          FeedKey
	Health       Health
	Generation   uint64 // changes whenever the data does, and not when only the health does
	Runs         []sources.Run
	Environments []sources.Environment
	Releases     []sources.Release
	Incidents    []sources.Incident // of Incidents and of Past
	Series       []sources.Series
	Monitors     []sources.Monitor
	SLOs         []sources.SLO
	Shifts       []sources.Shift
	Changes      []sources.Change
}

// Service is a configured (or discovered) service, as the board knows it.
type Service struct {
	Name         string
	Source       string   // the source of its repository
	Repo         string   // its scope in that source
	Environments []string // configured names, in the order towards production
	Runbook      string
	DependsOn    []string
	Team         string // another team's service: shown where ours depend on it, and never acted on; "" is ours
	Discovered   bool   // not named by the config: shown, and never acted on
}

// Catalog is what the config says of the board; it changes only with the config.
type Catalog struct {
	Team     string
	Me       map[string]string // source type → identity
	Services []Service         // in the order of the config
	// Sources are the configured sources in order, with the capabilities that they have.
	Sources []SourceInfo
	// ConfigError is why a changed config file was not taken: the running one goes on.
	ConfigError clean.Text
}

// SourceInfo is one configured source.
type SourceInfo struct {
	Name, Type   string
	Capabilities []Capability
}

// Snapshot is everything that is known at one moment. It is immutable: nobody may change what it
// reaches. Seq grows by one with each.
type Snapshot struct {
	Seq     uint64
	At      time.Time
	Catalog *Catalog
	Feeds   []Feed // sorted by key: source, capability, scope
}

// Has reports whether any configured source has capability c.
func (s *Snapshot) Has(c Capability) bool {
	for _, src := range s.Catalog.Sources {
		for _, have := range src.Capabilities {
			if have == c {
				return true
			}
		}
	}
	return false
}
