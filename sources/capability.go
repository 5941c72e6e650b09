package sources

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"example.com/signalbox/sources/clean"
)

// Source is one configured system. Its methods, and those of every capability, are safe for use by
// several goroutines at once.
type Source interface {
	Name() string
	Close() error
}

// The read capabilities block until they have the whole answer or an error, give up with their context,
// and report failures as *Error. A list that was answered "not modified" throughout returns
// ErrNotModified.

// RunLister lists pipelines' runs.
type RunLister interface {
	ListRuns(context.Context, Query) (Batch[Run], error)
}

// JobLister lists a run's jobs: of its newest attempt, or of every attempt, in the provider's order.
type JobLister interface {
	ListJobs(ctx context.Context, run Ref, every bool) ([]Job, error)
}

// LogReader reads the end of a job's log.
type LogReader interface {
	ReadLog(ctx context.Context, job Ref, q LogQuery) (Log, error)
}

// EnvironmentLister lists what runs where.
type EnvironmentLister interface {
	ListEnvironments(context.Context, Query) (Batch[Environment], error)
}

// ReleaseLister lists published versions.
type ReleaseLister interface {
	ListReleases(context.Context, Query) (Batch[Release], error)
}

// Comparer tells what lies between two versions (SHAs, tags or branches) of a scope. Only commits and
// files that touch paths (globs; none means all) are listed and counted.
type Comparer interface {
	Compare(ctx context.Context, scope, base, head string, paths []string) (Comparison, error)
}

// CheckLister lists how CI judged exactly one commit. It asks the authority, never a cache.
type CheckLister interface {
	ListChecks(ctx context.Context, scope, sha string) ([]Check, error)
}

// IncidentLister lists what people are paged for and has not ended, however old. It asks for no single
// incident: the number of its requests is that of the provider's pages.
type IncidentLister interface {
	ListIncidents(context.Context, Query) (Batch[Incident], error)
}

// PastIncidentLister lists the incidents that ended in the last Query.Window (0: 30 days), newest first.
type PastIncidentLister interface {
	ListPastIncidents(context.Context, Query) (Batch[Incident], error)
}

// IncidentReader reads everything about one incident: its log, notes and alerts.
type IncidentReader interface {
	ReadIncident(context.Context, Ref) (IncidentDetail, error)
}

// ShiftLister lists who is on call now and next.
type ShiftLister interface {
	ListShifts(context.Context, Query) (Batch[Shift], error)
}

// ChangeLister lists what was changed in the last Query.Window (0: 24 hours), newest first: deployments,
// flags, configuration.
type ChangeLister interface {
	ListChanges(context.Context, Query) (Batch[Change], error)
}

// MetricQuerier reads the metrics of Query.Services over the Query.Window that ends at Query.Now (0: one
// hour), in steps of about Query.Step. It answers one Series for each MetricSpec of its source, in their
// order, also when the provider has no data for it (no points), and a Notice for each that it could not
// read.
type MetricQuerier interface {
	QueryMetrics(context.Context, Query) (Batch[Series], error)
}

// MonitorLister lists the rules on metrics that belong to Query.Services, or all when there are none.
type MonitorLister interface {
	ListMonitors(context.Context, Query) (Batch[Monitor], error)
}

// SLOLister reads the service level objectives of Query.Services.
type SLOLister interface {
	ListSLOs(context.Context, Query) (Batch[SLO], error)
}

// Getter re-reads one object from the authority, never from a cache. It answers Run, Job, Environment,
// Deployment … by the Ref's kind, and an *Error of kind NotExist or Unsupported.
type Getter interface {
	Get(context.Context, Ref) (any, error)
}

// Credentialer is a source that uses several credentials. Credential names the one that reads of a scope
// use, without revealing it and without asking anybody: scopes of equal names share a rate limit.
type Credentialer interface {
	Credential(scope string) string
}

// Checker looks at everything that could keep a source from working, for the command doctor. It never
// fails: what it finds is its answer.
type Checker interface {
	Check(context.Context) []Finding
}

// ScopeChecker is a Checker that can look at scopes too: whether each of those that are configured can be
// read. It looks at nothing else, and answers in the order of the scopes.
type ScopeChecker interface {
	CheckScopes(ctx context.Context, scopes []string) []Finding
}

// Discoverer proposes services, for the command init.
type Discoverer interface {
	Discover(context.Context) ([]Proposal, error)
}

// Batch is a whole answer, and what is worth knowing about it.
type Batch[T any] struct {
	Items []T
	// Notices are parts of the source that did not answer, each with its reason and its cure: one
	// SSO-protected organisation, one archived repository. The rest of the answer is whole.
	Notices []Notice
	// Busy tells the poller how soon to ask again: something in this scope moves (Live), waits for a
	// person (Waiting), or nothing does (Quiet).
	Busy Busy
}

// Busy grades how soon a scope is worth asking again.
type Busy uint8

// The grades, slowest first.
const (
	Quiet Busy = iota
	WaitingForPerson
	Live
)

// Notice is a degraded part of a source.
type Notice struct {
	Scope string
	Kind  ErrKind
	Text  clean.Text // what is missing
	Fix   clean.Text // how to mend it
}

// Query is what a list is asked for.
type Query struct {
	Scope    string        // one repository, one service's name …; "" for the whole source; a driver says what its scopes are
	Services []ServiceSpec // the configured services that live in this scope; none: everything, unattributed
	Now      time.Time     // the board's clock, for what depends on age
	Identity string        // the login that is "me" in this source; "" when unknown
	Limit    int           // at most so many items, newest first; 0 means the driver's default
	Window   time.Duration // how far back from Now; 0 means the list's default
	Step     time.Duration // between two points of a series; 0 means what suits a chart
	Followed bool          // somebody looks at this scope: it may cost more and is asked more often
}

// ServiceSpec is what a driver needs to know of one service to tell its objects from its neighbours'.
type ServiceSpec struct {
	Name         string
	Paths        []string // globs of a monorepo: a commit belongs to the service when it touches one
	TagPrefix    string   // "ledger/": the prefix of the service's tags
	Workflows    []string // globs on the workflow's name or file; none means all
	Deploys      []string // globs on job or workflow: which deployment records count; none means all
	Environments []EnvironmentSpec
	VersionFrom  VersionFrom
	// VersionInput is the input of the deploy workflow that carries the version: `{{sha}}` or
	// `{{version}}` in deploy.inputs; "" when there is none. DeployWorkflow is that workflow's file.
	VersionInput   string
	DeployWorkflow string
	// Incidents are the ids under which this source pages for the service: a PagerDuty service's id, the
	// value of the service label of an alert, of the service tag of a monitor. None: Name stands for it.
	Incidents []string
	Metrics   []MetricSpec // those of this source, in the order of the config
	SLOs      []SLOSpec    // those of this source
}

// MetricSpec is one number over time that a service is judged by.
type MetricSpec struct {
	Service string
	Name    string
	Query   string  // in the source's own language
	Unit    string  // as the config says: "%", "ms", "1/s", "bytes" …
	Limit   float64 // from where on it is bad; NaN: none
	Below   bool    // it is bad below Limit, not above
	Signal  Signal
}

// SLOSpec is one service level objective: one that the source knows by ID, or one that is computed from
// Query, the ratio of bad to all events with {{window}} in the place of its range.
type SLOSpec struct {
	Service string
	ID      string
	Name    string
	Query   string
	Traffic string        // requests a second, in the same form: burn rates on low traffic stay quiet; "" when unknown
	Target  float64       // percent: 99.95
	Window  time.Duration // over which the budget lasts: 30 days
}

// EnvironmentSpec is one stage of a service.
type EnvironmentSpec struct {
	Name     string
	Provider string   // the provider's name, with {{target}} where each target is an environment of its own; "" means Name
	Targets  []string // none: a single unnamed one
	Prod     bool
}

// VersionFrom says which evidence a service's version is to be believed by. At most one is set; none
// means the record.
type VersionFrom struct {
	Payload string // a path in the deployment's payload: "version" or "image.tag"
	Input   string // a dispatch input, as echoed in the run's name or payload
	RunName string // a regular expression on the run's title, whose first group is the version
	URL     string // an address, with {{env}} and {{target}}, that answers the version as text or JSON
	Field   string // with URL: the path of the field in its JSON; "" means the body, or "version"
}

// Rate is what a provider says of a credential's budget.
type Rate struct {
	Limit     int // requests a window; 0 when the provider does not say
	Remaining int
	Reset     time.Time
	Window    time.Duration // what Limit is for; 0: what the driver's Grants says
}

// Budget is the shared rate budget of one machine's user. Key names a credential without revealing it.
type Budget interface {
	// Take asks to send one request. It never blocks: it returns nil, or an *Error of kind Throttled
	// that says when to come back.
	Take(key string) error
	// TakeUrgent is Take for a request that a person waits for: an action, and what it reads. What polling
	// has left nothing of does not stop it, what the provider grants does.
	TakeUrgent(key string) error
	// Report records what the provider last said of the credential.
	Report(key string, r Rate)
	// Refund takes back a Take that the provider did not count: an authorised 304.
	Refund(key string)
}

// Env is what a driver gets from its surroundings when it is opened: it reads no environment variables
// and no files, and starts no goroutine that outlives Close.
type Env struct {
	Source    string            // the configured name
	Transport http.RoundTripper // the base transport: proxy and CA are already configured
	Budget    Budget            // never nil
	Log       *slog.Logger      // never nil; secrets are redacted by their type
	Now       func() time.Time
	UserAgent string
	Identity  string // who the user is in this kind of source, as `me:` says; "" when it does not
}

// Driver describes a kind of source. It is a value in an explicit list (sources/all): no init, no
// registry.
type Driver struct {
	Name string // lower case, as in `type: github`
	Doc  string // one line
	// Sample is commented YAML, embedded from sample.yaml: one entry of `sources:` without its name and
	// without indentation, `type:` included.
	Sample string
	// Grants is what the provider grants one credential, until its answers say otherwise: Limit requests a
	// Window. The zero value: it limits nobody.
	Grants Rate
	// Config returns a pointer to a new config struct that holds its defaults. Decoding, the schema and
	// the docs come from its yaml, doc and jsonschema tags. It may have a Validate() error method; a
	// FieldError in that error's tree names the key.
	Config func() any
	// Open validates and never touches the network.
	Open func(Env, any) (Source, error)
}

// FieldError says which key of a driver's config is wrong: Path is dotted, relative to the source.
type FieldError struct {
	Path string
	Msg  string
	Fix  string
}

func (e *FieldError) Error() string { return e.Path + ": " + e.Msg }

// Field tells config which key to point at.
func (e *FieldError) Field() (path, msg, fix string) { return e.Path, e.Msg, e.Fix }

// Finding is one result of a check.
type Finding struct {
	Level  Level
	What   clean.Text // "token may read acme/checkout"
	Detail clean.Text
	Fix    clean.Text // the command or link that mends it; empty when Level is OK
}

// Level grades a Finding.
type Level uint8

// The levels.
const (
	LevelOK Level = iota
	LevelWarn
	LevelFail
)

// Proposal is a service that a source knows of, for init. A source fills in what it knows: a repository,
// an incident service, monitors or metrics of that name.
type Proposal struct {
	Service      string
	Incidents    []string // ids for `incidents:`
	SLOs         []string // ids for `slos:`
	Metrics      []MetricSpec
	Team         string   // whose it is, as the source says
	Repo         string   // scope: "acme/checkout"
	Environments []string // in the order towards production
	Confidence   float64  // 0 … 1
	Why          []string // what speaks for it, and what was unsure
	Deploy       string   // the workflow file that seems to deploy; "" when unsure
}
