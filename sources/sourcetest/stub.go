package sourcetest

import (
	"context"
	"sync"
	"time"

	"example.com/signalbox/sources"
)

// Base is a source that can do nothing. A test's source is a struct of a *Base and the capabilities that
// it is to have:
//
//	src := struct {
//		*sourcetest.Base
//		sourcetest.Runs
//	}{&sourcetest.Base{ID: "github"}, listRuns}
//
// Take its address: the engine tells sources apart by comparing them.
type Base struct {
	ID string

	mu     sync.Mutex
	closed int
}

// Name implements sources.Source.
func (b *Base) Name() string { return b.ID }

// Close implements sources.Source.
func (b *Base) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

// Closed is how often Close was called.
func (b *Base) Closed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

type (
	// Runs lists runs.
	Runs func(context.Context, sources.Query) (sources.Batch[sources.Run], error)
	// Environments lists environments.
	Environments func(context.Context, sources.Query) (sources.Batch[sources.Environment], error)
	// Releases lists releases.
	Releases func(context.Context, sources.Query) (sources.Batch[sources.Release], error)
	// Incidents lists incidents.
	Incidents func(context.Context, sources.Query) (sources.Batch[sources.Incident], error)
	// Metrics lists series.
	Metrics func(context.Context, sources.Query) (sources.Batch[sources.Series], error)
	// Monitors lists monitors.
	Monitors func(context.Context, sources.Query) (sources.Batch[sources.Monitor], error)
	// SLOs lists objectives.
	SLOs func(context.Context, sources.Query) (sources.Batch[sources.SLO], error)
	// Shifts lists shifts.
	Shifts func(context.Context, sources.Query) (sources.Batch[sources.Shift], error)
	// Changes lists changes.
	Changes func(context.Context, sources.Query) (sources.Batch[sources.Change], error)
	// Past lists incidents that ended.
	Past func(context.Context, sources.Query) (sources.Batch[sources.Incident], error)
	// Detail reads everything about one incident.
	Detail func(context.Context, sources.Ref) (sources.IncidentDetail, error)
	// Jobs lists the jobs of a run.
	Jobs func(ctx context.Context, run sources.Ref, every bool) ([]sources.Job, error)
	// Logs reads the end of a job's log.
	Logs func(ctx context.Context, job sources.Ref, q sources.LogQuery) (sources.Log, error)
	// Comparer compares two versions.
	Comparer func(ctx context.Context, scope, base, head string, paths []string) (sources.Comparison, error)
	// Getter reads one object.
	Getter func(context.Context, sources.Ref) (any, error)
	// Credentials names the credential of a scope.
	Credentials func(scope string) string
	// ScopeChecks looks at scopes.
	ScopeChecks func(ctx context.Context, scopes []string) []sources.Finding
)

// ListRuns implements sources.RunLister.
func (f Runs) ListRuns(ctx context.Context, q sources.Query) (sources.Batch[sources.Run], error) {
	return f(ctx, q)
}

// ListEnvironments implements sources.EnvironmentLister.
func (f Environments) ListEnvironments(ctx context.Context, q sources.Query) (sources.Batch[sources.Environment], error) {
	return f(ctx, q)
}

// ListReleases implements sources.ReleaseLister.
func (f Releases) ListReleases(ctx context.Context, q sources.Query) (sources.Batch[sources.Release], error) {
	return f(ctx, q)
}

// ListIncidents implements sources.IncidentLister.
func (f Incidents) ListIncidents(ctx context.Context, q sources.Query) (sources.Batch[sources.Incident], error) {
	return f(ctx, q)
}

// QueryMetrics implements sources.MetricQuerier.
func (f Metrics) QueryMetrics(ctx context.Context, q sources.Query) (sources.Batch[sources.Series], error) {
	return f(ctx, q)
}

// ListMonitors implements sources.MonitorLister.
func (f Monitors) ListMonitors(ctx context.Context, q sources.Query) (sources.Batch[sources.Monitor], error) {
	return f(ctx, q)
}

// ListSLOs implements sources.SLOLister.
func (f SLOs) ListSLOs(ctx context.Context, q sources.Query) (sources.Batch[sources.SLO], error) {
	return f(ctx, q)
}

// ListShifts implements sources.ShiftLister.
func (f Shifts) ListShifts(ctx context.Context, q sources.Query) (sources.Batch[sources.Shift], error) {
	return f(ctx, q)
}

// ListChanges implements sources.ChangeLister.
func (f Changes) ListChanges(ctx context.Context, q sources.Query) (sources.Batch[sources.Change], error) {
	return f(ctx, q)
}

// ListPastIncidents implements sources.PastIncidentLister.
func (f Past) ListPastIncidents(ctx context.Context, q sources.Query) (sources.Batch[sources.Incident], error) {
	return f(ctx, q)
}

// ReadIncident implements sources.IncidentReader.
func (f Detail) ReadIncident(ctx context.Context, ref sources.Ref) (sources.IncidentDetail, error) {
	return f(ctx, ref)
}

// ListJobs implements sources.JobLister.
func (f Jobs) ListJobs(ctx context.Context, run sources.Ref, every bool) ([]sources.Job, error) {
	return f(ctx, run, every)
}

// ReadLog implements sources.LogReader.
func (f Logs) ReadLog(ctx context.Context, job sources.Ref, q sources.LogQuery) (sources.Log, error) {
	return f(ctx, job, q)
}

// Compare implements sources.Comparer.
func (f Comparer) Compare(ctx context.Context, scope, base, head string, paths []string) (sources.Comparison, error) {
	return f(ctx, scope, base, head, paths)
}

// Get implements sources.Getter.
func (f Getter) Get(ctx context.Context, ref sources.Ref) (any, error) { return f(ctx, ref) }

// Credential implements sources.Credentialer.
func (f Credentials) Credential(scope string) string { return f(scope) }

// CheckScopes implements sources.ScopeChecker.
func (f ScopeChecks) CheckScopes(ctx context.Context, scopes []string) []sources.Finding {
	return f(ctx, scopes)
}

// StubConfig is the config of a stub driver.
type StubConfig struct {
	Token string `yaml:"token" doc:"anything"`
}

// Driver returns a driver that opens sources with open, and whose config is a StubConfig.
func Driver(name string, open func(sources.Env, *StubConfig) (sources.Source, error)) sources.Driver {
	return sources.Driver{
		Name:   name,
		Doc:    "A stub for tests.",
		Sample: "# a stub for tests\ntoken: anything\n",
		Config: func() any { return &StubConfig{} },
		Open: func(env sources.Env, config any) (sources.Source, error) {
			c, ok := config.(*StubConfig)
			if !ok {
				return nil, &sources.FieldError{Path: "type", Msg: "not a stub's config"}
			}
			return open(env, c)
		},
	}
}

// Clock is a clock that stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows start.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d, backwards when d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Budget is a sources.Budget that counts, and refuses when it is told to.
type Budget struct {
	mu      sync.Mutex
	taken   int
	refunds int
	after   int
	err     error
	rates   map[string]sources.Rate
}

// RefuseAfter makes every Take but the first n return err; a nil err ends that.
func (b *Budget) RefuseAfter(n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.after, b.err = b.taken+n, err
}

// Take implements sources.Budget.
func (b *Budget) Take(string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil && b.taken >= b.after {
		return b.err
	}
	b.taken++
	return nil
}

// TakeUrgent implements sources.Budget.
func (b *Budget) TakeUrgent(key string) error { return b.Take(key) }

// Report implements sources.Budget.
func (b *Budget) Report(key string, r sources.Rate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rates == nil {
		b.rates = make(map[string]sources.Rate)
	}
	b.rates[key] = r
}

// Refund implements sources.Budget.
func (b *Budget) Refund(string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refunds++
}

// Taken is how many requests were allowed, and how many of them were given back.
func (b *Budget) Taken() (taken, refunds int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken, b.refunds
}

// Rate is what was last reported of key.
func (b *Budget) Rate(key string) sources.Rate {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rates[key]
}
