package sources

import (
	"time"

	"example.com/signalbox/sources/clean"
)

// State is how a run, a job, a step or a deployment stands, in signalbox's own words.
type State uint8

// The states. Live ones come first: State.Done tells them apart.
const (
	StateUnknown    State = iota // the provider said something that signalbox does not know
	StateQueued                  // waits for a machine, or for its turn in a concurrency group
	StateWaiting                 // waits for a person, or for a timer before an environment
	StateRunning                 //
	StatePassed                  //
	StateFailed                  // failed, timed out, could not start
	StateCancelled               //
	StateSkipped                 //
	StateSuperseded              // a newer one took its place: an inactive deployment, a stale run
)

var stateNames = [...]string{"unknown", "queued", "waiting", "running", "passed", "failed", "cancelled", "skipped", "superseded"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return stateNames[0]
}

// MarshalText makes a State its name in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Done reports whether s is final.
func (s State) Done() bool { return s >= StatePassed }

// Commit is one revision of a repository.
type Commit struct {
	SHA    string     `json:"sha"`
	Title  clean.Text `json:"title"`  // the first line of its message
	Author clean.Text `json:"author"` // the provider's login where it knows one, else the name
	At     time.Time  `json:"at"`
	Pull   int        `json:"pull,omitempty"` // the pull request it came with; 0: none known
}

// RefKind says what a run was started for.
type RefKind uint8

// The kinds of ref.
const (
	RefBranch RefKind = iota
	RefTag
	RefPull  // a pull request, of this repository or of a fork
	RefQueue // a merge queue's temporary branch, shown by its pull request
)

// Run is one execution of a pipeline.
type Run struct {
	Ref      Ref        `json:"ref"`
	Revision Revision   `json:"revision"`
	Service  string     `json:"service,omitempty"`  // the configured service that it belongs to; "" when none claims it
	Services []string   `json:"services,omitempty"` // all that it touched, when a monorepo's run touched several
	Workflow clean.Text `json:"workflow"`
	Path     string     `json:"path,omitempty"` // the workflow's file: ".github/workflows/deploy.yml"
	Title    clean.Text `json:"title"`          // the run's own name where the workflow gives one
	Number   int        `json:"number"`
	Attempt  int        `json:"attempt"`
	Event    string     `json:"event"` // the provider's word: push, schedule, merge_group …
	RefKind  RefKind    `json:"-"`
	Branch   clean.Text `json:"branch"`         // branch or tag, without refs/…
	Pull     int        `json:"pull,omitempty"` // pull request, when RefKind is RefPull or RefQueue
	Fork     bool       `json:"fork,omitempty"` // started from a fork
	Default  bool       `json:"default_branch"` // on the repository's default branch
	Commit   Commit     `json:"commit"`
	Actor    clean.Text `json:"actor"` // who started this attempt
	Mine     bool       `json:"mine,omitempty"`
	State    State      `json:"state"`
	Reason   clean.Text `json:"reason,omitzero"` // the provider's own word for State where it says more: "timed out"
	Created  time.Time  `json:"created"`
	Started  time.Time  `json:"started,omitzero"` // when this attempt started
	Ended    time.Time  `json:"ended,omitzero"`
	URL      string     `json:"url"`

	// Expected is the median duration of this workflow's recent successful runs; 0 when there are none. Of
	// one that waits for approvals it is the time in which its jobs ran, and what this run itself has waited.
	Expected time.Duration `json:"expected,omitempty"`
	// Failed of Of is this workflow's failure rate over its last (up to 20) finished runs of the default
	// branch; Of is 0 when there are none.
	Failed int `json:"failed_of_20,omitempty"`
	Of     int `json:"of,omitempty"`

	// The rest comes from the run's jobs, which are read for runs that are live or failed.
	Jobs     JobCounts `json:"jobs,omitzero"`
	Failure  *Failure  `json:"failure,omitempty"`
	Gates    []Gate    `json:"gates,omitempty"`     // what it waits for, when State is StateWaiting
	NoRunner []string  `json:"no_runner,omitempty"` // the labels that no online runner offers, after a long queue

	// Deploys reports that the run deploys: a job of it names an environment or it matches `deploys:`.
	Deploys bool `json:"deploys,omitempty"`
}

// JobCounts counts a run's jobs by state; matrix legs count one each.
type JobCounts struct {
	Total   int `json:"total"`
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Running int `json:"running"`
}

// Failure is the worst thing that went wrong in a run, its matrix folded.
type Failure struct {
	Job     Ref        `json:"job"`
	Caller  clean.Text `json:"caller,omitzero"` // the calling job of a reusable workflow
	JobName clean.Text `json:"job_name"`
	Step    clean.Text `json:"step,omitzero"`
	Failed  int        `json:"failed"` // legs of the same job that failed …
	Legs    int        `json:"legs"`   // … of so many; 1 when it is no matrix
}

// Gate is something that a deployment waits for before it may enter an environment.
type Gate struct {
	Environment   string       `json:"environment"` // the provider's name
	EnvironmentID int64        `json:"environment_id"`
	Reviewers     []clean.Text `json:"reviewers,omitempty"`
	CanApprove    bool         `json:"can_approve"`      // this identity may approve it
	Until         time.Time    `json:"until,omitzero"`   // when its wait timer ends
	Since         time.Time    `json:"since,omitzero"`   // since when it waits
	Blocked       clean.Text   `json:"blocked,omitzero"` // why nobody can approve it yet
	Run           Ref          `json:"run"`              // the run that waits
	Version       Version      `json:"version,omitzero"` // what it would deploy
	Unverified    bool         `json:"-"`                // nothing trustworthy says that it would deploy Version
	Concurrency   clean.Text   `json:"holds,omitzero"`   // the concurrency group that it holds meanwhile
}

// Job is a part of a run. A matrix is one Job a leg, with equal Caller and Name.
type Job struct {
	Ref     Ref          `json:"ref"`
	Caller  []clean.Text `json:"caller,omitempty"` // reusable workflows: the chain of calling jobs, outermost first
	Name    clean.Text   `json:"name"`
	Matrix  clean.Text   `json:"matrix,omitzero"` // "ubuntu, 1.26": what tells this leg from its siblings
	State   State        `json:"state"`
	Reason  clean.Text   `json:"reason,omitzero"`
	Attempt int          `json:"attempt"`
	Created time.Time    `json:"created,omitzero"`
	Started time.Time    `json:"started,omitzero"`
	Ended   time.Time    `json:"ended,omitzero"`
	Labels  []string     `json:"labels,omitempty"` // the labels of the runner that it wants
	Runner  clean.Text   `json:"runner,omitzero"`
	Steps   []Step       `json:"steps,omitempty"`
	URL     string       `json:"url"`
}

// Step is a part of a job.
type Step struct {
	Number  int        `json:"number"`
	Name    clean.Text `json:"name"`
	State   State      `json:"state"`
	Started time.Time  `json:"started,omitzero"`
	Ended   time.Time  `json:"ended,omitzero"`
}

// LogQuery asks for the end of a job's log.
type LogQuery struct {
	// Tail is how many lines of the end are wanted; 0 means a screenful or two (the driver's default).
	Tail int
	// Bytes caps what is fetched; 0 means the driver's default.
	Bytes int64
}

// LogLevel marks the lines of a log that stand out.
type LogLevel uint8

// The levels.
const (
	LogPlain LogLevel = iota
	LogGroup          // the start of a folded group
	LogCommand
	LogNotice
	LogWarning
	LogError
)

// LogLine is one line of a log, stripped of everything that is not text.
type LogLine struct {
	At    time.Time
	Level LogLevel
	Text  clean.Text
}

// Log is the end, or the whole, of a job's log.
type Log struct {
	Lines   []LogLine
	Omitted int64 // bytes before the first line that were not fetched; 0: the log is whole
	Size    int64 // of the whole log in bytes; -1 when the provider does not say
	// FirstError is the index in Lines of the first line that reports the failure; -1 when none does.
	FirstError int
	// Live reports that the job still runs and that more will come.
	Live bool
}

// Version is what runs somewhere: a commit and, where there is one, its tag or image tag.
type Version struct {
	SHA string     `json:"sha,omitempty"`
	Tag clean.Text `json:"tag,omitzero"`
}

// IsZero reports whether v says nothing.
func (v Version) IsZero() bool { return v.SHA == "" && v.Tag.IsZero() }

// Short is how people name v: its tag, else the first seven characters of its SHA.
func (v Version) Short() clean.Text {
	if !v.Tag.IsZero() {
		return v.Tag
	}
	return clean.Line(v.SHA[:min(7, len(v.SHA))])
}

// Same reports whether v and o are known to be one version: by SHA where both have one (a short SHA
// matches its full one), else by tag.
func (v Version) Same(o Version) bool {
	if v.SHA != "" && o.SHA != "" {
		n := min(len(v.SHA), len(o.SHA))
		return n >= 7 && v.SHA[:n] == o.SHA[:n]
	}
	return !v.Tag.IsZero() && v.Tag == o.Tag
}

// EvidenceKind says where the knowledge of a version comes from.
type EvidenceKind string

// The kinds of evidence, weakest first. FromRecord alone never verifies a version that was deployed by
// a dispatched workflow: its record carries the SHA of the branch that the workflow file came from.
const (
	FromRecord  EvidenceKind = "record"   // the deployment record's ref and SHA
	FromRunName EvidenceKind = "run name" // the run's title names it
	FromInput   EvidenceKind = "input"    // the dispatch input names it
	FromPayload EvidenceKind = "payload"  // the record's payload names it
	FromURL     EvidenceKind = "url"      // the running service says so
	FromMetric  EvidenceKind = "metric"   // a metric's tag says so
	FromImage   EvidenceKind = "image"    // the image that runs
)

// Evidence is one source's word for what version a deployment is.
type Evidence struct {
	Kind    EvidenceKind `json:"kind"`
	Version Version      `json:"version"`
	At      time.Time    `json:"at,omitzero"`
	Detail  clean.Text   `json:"detail,omitzero"` // where exactly: "payload.version", "input ref"
}

// Deployment is one attempt to put a version into an environment (into one target of it, where it has
// several).
type Deployment struct {
	Ref      Ref        `json:"ref"`
	Revision Revision   `json:"revision"`
	Target   string     `json:"target,omitempty"`
	Version  Version    `json:"version"`
	Evidence []Evidence `json:"evidence,omitempty"` // strongest first
	// Verified reports that the evidence is the kind that `version_from:` asks for, or else that nothing
	// known makes the record untrustworthy. Mismatch reports that two pieces of evidence disagree.
	Verified bool       `json:"verified"`
	Mismatch bool       `json:"mismatch,omitempty"`
	State    State      `json:"state"`
	Reason   clean.Text `json:"reason,omitzero"` // the newest status's description, or the provider's word
	Actor    clean.Text `json:"actor"`
	Created  time.Time  `json:"created"`
	Started  time.Time  `json:"started,omitzero"` // when it began to be carried out, behind all that it waited for; zero: not known
	Ended    time.Time  `json:"ended,omitzero"`   // when it became final
	Run      Ref        `json:"run,omitzero"`     // the run that made it, when known
	URL      string     `json:"url,omitempty"`    // its log, else its page
	// Unproven reports that it was superseded before it was seen to succeed. Listened reports that who filed
	// it did not carry it out: somebody listens for deployments here. Both are told by a re-read alone.
	Unproven bool `json:"-"`
	Listened bool `json:"-"`
}

// Target is one place inside an environment (a region, a cluster). An environment without targets has
// exactly one, with the name "".
type Target struct {
	Name     string      `json:"name,omitempty"`
	Current  *Deployment `json:"current,omitempty"`  // the newest that succeeded: what runs now; nil: nothing known to run
	Arriving *Deployment `json:"arriving,omitempty"` // newer than Current and not final
	Failed   *Deployment `json:"failed,omitempty"`   // newer than Current and failed: the last attempt did not make it
}

// Environment is one service in one stage: what runs there now, what is arriving, what ran before.
type Environment struct {
	Ref      Ref      `json:"ref"`
	Revision Revision `json:"revision"`
	Service  string   `json:"service"`
	Name     string   `json:"name"`     // the configured name: "prod"
	Provider string   `json:"provider"` // the provider's name: "production-eu"
	Order    int      `json:"order"`    // its place on the way to production, from 0
	Prod     bool     `json:"prod"`     // the last stage, the one that people are paged for
	Targets  []Target `json:"targets"`
	// History is newest first and holds what Targets point to.
	History []Deployment `json:"history"`
	Gates   []Gate       `json:"gates,omitempty"` // pending approvals
	// Ahead is how many commits (counted by the service's paths) the environment before this one has
	// and this one has not; -1 when it cannot be told. Previous names that environment.
	Ahead    int    `json:"ahead"`
	Previous string `json:"previous,omitempty"`
	// Behind is the same the other way round: commits here that the one before has not (a hotfix).
	Behind int    `json:"behind,omitempty"`
	URL    string `json:"url,omitempty"`
	Branch string `json:"-"` // the repository's default branch; "" where nobody tells
	// Before is the environment that Previous names, as it was read with this one; nil where only a read of
	// its own tells.
	Before *Environment `json:"-"`
}

// Comparison is what lies between two versions of one repository.
type Comparison struct {
	Base    Version  `json:"base"`
	Head    Version  `json:"head"`
	Status  string   `json:"status"`  // ahead, behind, identical or diverged: head seen from base
	Ahead   int      `json:"ahead"`   // commits that head has and base has not
	Behind  int      `json:"behind"`  // commits that base has and head has not
	Commits []Commit `json:"commits"` // newest first, filtered by the service's paths
	Files   []string `json:"files"`   // changed paths, as far as the provider lists them
	// Partial reports that the provider cut Files: absence from it proves nothing.
	Partial bool   `json:"partial,omitempty"`
	URL     string `json:"url"`
}

// Check is how CI judged one commit in one respect: the newest run of a workflow for it, or what another
// system says of it.
type Check struct {
	Name  clean.Text `json:"name"`
	State State      `json:"state"`
	Run   Ref        `json:"run,omitzero"`   // zero for what is no run
	Path  string     `json:"path,omitempty"` // of a run: its workflow's file
	Event string     `json:"event,omitempty"`
	URL   string     `json:"url,omitempty"`
}

// Release is a published version of a repository, or a bare tag of it.
type Release struct {
	Ref     Ref        `json:"ref"`
	Service string     `json:"service,omitempty"`
	Version Version    `json:"version"`
	Title   clean.Text `json:"title"`
	At      time.Time  `json:"at,omitzero"`
	Draft   bool       `json:"draft,omitempty"`
	Pre     bool       `json:"prerelease,omitempty"`
	URL     string     `json:"url"`
}
