package policy

import (
	"time"

	"example.com/signalbox/sources"
)

// Facts are everything that a gate may look at. What is not known is nil, or has Known false: it is never
// a zero that looks like an answer.
type Facts struct {
	Action  sources.Verb
	Now     time.Time
	Who     string   // the identity that acts
	Roles   []string // what the config calls it
	Service string
	Team    string // of another team's service; "" is ours

	ReadOnly    bool
	Discovered  bool          // the config does not name the service
	Age         time.Duration // of the oldest data that was looked at, where AgeKnown
	AgeKnown    bool
	Environment *EnvironmentFacts
	From        *StageFacts // of a promotion: the environment that the version comes from
	FirstStage  bool        // there is no environment before this one, so that nothing can run there first
	Version     *VersionFacts
	Checks      *CheckFacts // the runs and checks of exactly that commit, besides the run that the action is on
	Unchecked   error       // why Checks is nil; nil where that is not known either
	Run         *RunFacts   // of run verbs
	Incidents   []IncidentFacts
	// IncidentsKnown, MonitorsKnown and so on report that the sources have answered: an empty list then
	// means that there are none.
	IncidentsKnown bool
	Monitors       []MonitorFacts
	MonitorsKnown  bool
	SLO            *SLOFacts
	// NoIncidentSource and NoObjective report that nothing is configured that could tell: there is nothing
	// to ask then, which is not the same as no answer.
	NoIncidentSource bool
	NoObjective      bool
	Metrics          map[string]float64 // by name: the newest value, where it is fresh
	Deployments      *DeploymentFacts
	Bulk             int    // how many objects the action is on; 0 and 1 are one
	Mine             bool   // the page is assigned to who acts
	HeldBy           string // somebody else who has acknowledged it; "" for nobody
	Alerting         bool   // of resolving: the monitor behind it still alerts
	Deploys          bool   // of run verbs: the run deploys
	CanCosign        bool   // a shared directory is configured, in which a second person can agree
}

// RunFacts are about the run that an action is on.
type RunFacts struct {
	Workflow, Branch, Event string
	Attempt                 int
}

// EnvironmentFacts are about where an action takes effect.
type EnvironmentFacts struct {
	Name    string
	Prod    bool
	Targets []string
	Since   time.Duration // for how long the present version has run there; 0 when nothing did
	Busy    string        // what runs, waits or is pending in its concurrency group; "" for nothing
	// BusyKnown reports that Busy says anything.
	BusyKnown bool
}

// StageFacts are about the environment before it.
type StageFacts struct {
	Name    string
	Age     time.Duration // for how long it has run the version
	Healthy bool
	Known   bool // Healthy says anything
}

// VersionFacts are about the version that would run.
type VersionFacts struct {
	SHA, Tag   string
	KnownGood  bool     // it ran here, succeeded, and was neither rolled back nor blamed
	KnownBad   string   // why it is known bad here; "" when it is not
	Older      bool     // than what runs now
	Migrations []string // files between it and what runs now that change the schema
	// MigrationsKnown reports that the files between the two are known, or that no file of the service is
	// a migration.
	MigrationsKnown bool
	Flags           []string // flags switched since
	Commits         int      // between it and what runs now; -1 unknown
	Returns         string   // what would bring the other version back: the next merge, a sync; "" for nothing known
	RolledBack      int      // rollbacks of this target in a row
}

// CheckFacts are how CI judges one commit.
type CheckFacts struct {
	Passed, Failed, Running int
	Names                   []string // of those that failed or run
}

// IncidentFacts is one open incident of the service, or of one that it depends on.
type IncidentFacts struct {
	Severity int  // 1 is the worst; 0 is unknown
	Low      bool // it wakes nobody
	State    string
	Service  string
	Title    string
	Age      time.Duration
	Upstream bool
}

// MonitorFacts is one monitor of the service.
type MonitorFacts struct {
	Name  string
	State string
	Muted bool
}

// SLOFacts are the tightest of the service's objectives.
type SLOFacts struct {
	Name      string
	Remaining float64 // of the error budget: 1 is all
	Burn      float64 // over the shortest window
	BurnKnown bool
}

// DeploymentFacts count what was deployed to the environment.
type DeploymentFacts struct {
	LastHour, Today int
	Failed          int // of Today
}
