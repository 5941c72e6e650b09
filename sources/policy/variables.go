package policy

import (
	"fmt"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"

	"example.com/signalbox/sources"
)

// Variable is one name that a rule may use.
type Variable struct {
	Name string
	Type string // as CEL writes it
	Doc  string // one line
}

// Variables are what rules may use, in the order of the documentation.
func Variables() []Variable {
	all := variables()
	out := make([]Variable, len(all))
	for i, v := range all {
		out[i] = Variable{v.name, cel.FormatCELType(v.typ), v.doc}
	}
	return out
}

// Fields are what each element of a list variable has, by the name of its type.
func Fields() map[string][]Variable {
	out := map[string][]Variable{}
	for name, o := range objects() {
		for _, f := range o {
			out[name] = append(out[name], Variable{f.name, cel.FormatCELType(f.typ), f.doc})
		}
	}
	return out
}

// variable is a name, and where its value is. get reports false when the value is not known; set gives
// facts what a case says.
type variable struct {
	name string
	typ  *cel.Type
	doc  string
	get  func(*Facts) (any, bool)
	set  func(*Facts, any) error
}

func variables() []variable {
	return slices.Concat(actionVariables(), versionVariables(), stateVariables())
}

func known[T any](v T) (any, bool) { return v, true }

// text, flag, number, span and list are variables of one type; at is where the value is, nil when it is
// not known.
func textAt(name, doc string, at func(f *Facts, write bool) *string) variable {
	return variable{name, cel.StringType, doc, getAt(at), setAt(at, asText)}
}

func flagAt(name, doc string, at func(f *Facts, write bool) *bool) variable {
	return variable{name, cel.BoolType, doc, getAt(at), setAt(at, asBool)}
}

func countAt(name, doc string, at func(f *Facts, write bool) *int) variable {
	return variable{name, cel.IntType, doc, getAt(at), setAt(at, asInt)}
}

func ratioAt(name, doc string, at func(f *Facts, write bool) *float64) variable {
	return variable{name, cel.DoubleType, doc, getAt(at), setAt(at, asFloat)}
}

func lengthAt(name, doc string, at func(f *Facts, write bool) *time.Duration) variable {
	return variable{name, cel.DurationType, doc, getAt(at), setAt(at, asDuration)}
}

func listAt(name, doc string, at func(f *Facts, write bool) *[]string) variable {
	return variable{name, cel.ListType(cel.StringType), doc, func(f *Facts) (any, bool) {
		p := at(f, false)
		if p == nil {
			return nil, false
		}
		if *p == nil {
			return []string{}, true
		}
		return *p, true
	}, setAt(at, asTexts)}
}

func getAt[T any](at func(*Facts, bool) *T) func(*Facts) (any, bool) {
	return func(f *Facts) (any, bool) {
		p := at(f, false)
		if p == nil {
			return nil, false
		}
		return *p, true
	}
}

func setAt[T any](at func(*Facts, bool) *T, as func(any) (T, error)) func(*Facts, any) error {
	return func(f *Facts, v any) error {
		value, err := as(v)
		if err != nil {
			return err
		}
		*at(f, true) = value
		return nil
	}
}

// own is a place that is always there.
func own[T any](at func(*Facts) *T) func(*Facts, bool) *T {
	return func(f *Facts, _ bool) *T { return at(f) }
}

// within is a place inside a part of the facts, which writing makes. A nil place is not known.
func within[P, T any](part func(*Facts) **P, at func(*P) *T) func(*Facts, bool) *T {
	return func(f *Facts, write bool) *T {
		p := part(f)
		if *p == nil {
			if !write {
				return nil
			}
			*p = new(P)
		}
		return at(*p)
	}
}

// marked is a place whose value counts only where its mark is set.
func marked[P, T any](part func(*Facts) **P, mark func(*P) *bool, at func(*P) *T) func(*Facts, bool) *T {
	inner := within(part, func(p *P) *P { return p })
	return func(f *Facts, write bool) *T {
		p := inner(f, write)
		if p == nil {
			return nil
		}
		if write {
			*mark(p) = true
		}
		if !*mark(p) {
			return nil
		}
		return at(p)
	}
}

func fromOf(f *Facts) **StageFacts              { return &f.From }
func environmentOf(f *Facts) **EnvironmentFacts { return &f.Environment }
func versionOf(f *Facts) **VersionFacts         { return &f.Version }
func checksOf(f *Facts) **CheckFacts            { return &f.Checks }
func runOf(f *Facts) **RunFacts                 { return &f.Run }
func sloOf(f *Facts) **SLOFacts                 { return &f.SLO }
func deploymentsOf(f *Facts) **DeploymentFacts  { return &f.Deployments }

func actionVariables() []variable {
	return []variable{
		{
			"action", cel.StringType, "What is to be done: promote, rollback, approve, rerun, cancel, ack …",
			func(f *Facts) (any, bool) { return known(string(f.Action)) },
			func(f *Facts, v any) error {
				s, err := asText(v)
				f.Action = sources.Verb(s)
				return err
			},
		},
		{
			"now", cel.TimestampType, `When: now.getHours("Europe/Berlin") is the hour there.`,
			func(f *Facts) (any, bool) { return f.Now, !f.Now.IsZero() },
			setAt(own(func(f *Facts) *time.Time { return &f.Now }), asTime),
		},
		textAt("who", "The identity that acts, where me: says one.", func(f *Facts, write bool) *string {
			if f.Who == "" && !write {
				return nil
			}
			return &f.Who
		}),
		listAt("roles", "What the config calls it.", func(f *Facts, write bool) *[]string {
			if f.Who == "" && len(f.Roles) == 0 && !write {
				return nil
			}
			return &f.Roles
		}),
		textAt("service", "The service.", own(func(f *Facts) *string { return &f.Service })),
		textAt("team", "Whose service it is, when another team's; empty for ours.", own(func(f *Facts) *string { return &f.Team })),
		{
			"bulk", cel.IntType, "How many objects the action is on.",
			func(f *Facts) (any, bool) { return known(max(f.Bulk, 1)) },
			setAt(own(func(f *Facts) *int { return &f.Bulk }), asInt),
		},
		flagAt("mine", "Whether the page or the run is mine.", own(func(f *Facts) *bool { return &f.Mine })),
		textAt("held_by", "Who else has acknowledged the page; empty for nobody.", own(func(f *Facts) *string { return &f.HeldBy })),
		flagAt("alerting", "Whether what is behind the page still alerts.", own(func(f *Facts) *bool { return &f.Alerting })),
		flagAt("deploys", "Whether the run deploys.", own(func(f *Facts) *bool { return &f.Deploys })),
		flagAt("read_only", "Whether nothing may be changed.", own(func(f *Facts) *bool { return &f.ReadOnly })),
		flagAt("discovered", "Whether the config does not name the service.", own(func(f *Facts) *bool { return &f.Discovered })),
		flagAt("can_cosign", "Whether a shared directory is configured, in which a second person can agree.", own(func(f *Facts) *bool { return &f.CanCosign })),
		lengthAt("age", "How old the oldest data is that was looked at.", marked(selfOf, func(f *Facts) *bool { return &f.AgeKnown }, func(f *Facts) *time.Duration { return &f.Age })),
		textAt("environment.name", "Where it takes effect.", within(environmentOf, func(e *EnvironmentFacts) *string { return &e.Name })),
		flagAt("environment.prod", "Whether people are paged for it.", within(environmentOf, func(e *EnvironmentFacts) *bool { return &e.Prod })),
		listAt("environment.targets", "The places inside it that the action is on.", within(environmentOf, func(e *EnvironmentFacts) *[]string { return &e.Targets })),
		{
			"environment.since", cel.DurationType, "For how long the present version has run there.",
			func(f *Facts) (any, bool) {
				if f.Environment == nil || f.Environment.Since <= 0 {
					return nil, false
				}
				return known(f.Environment.Since)
			},
			setAt(within(environmentOf, func(e *EnvironmentFacts) *time.Duration { return &e.Since }), asDuration),
		},
		textAt("environment.busy", "What runs, waits or is pending in its concurrency group; empty for nothing.",
			marked(environmentOf, func(e *EnvironmentFacts) *bool { return &e.BusyKnown }, func(e *EnvironmentFacts) *string { return &e.Busy })),
		textAt("from.name", "The environment that the version comes from.", within(fromOf, func(s *StageFacts) *string { return &s.Name })),
		lengthAt("from.age", "For how long it has run there.", within(fromOf, func(s *StageFacts) *time.Duration { return &s.Age })),
		flagAt("from.healthy", "Whether its metrics and monitors are well there.",
			marked(fromOf, func(s *StageFacts) *bool { return &s.Known }, func(s *StageFacts) *bool { return &s.Healthy })),
		flagAt("first_stage", "Whether no environment is before it.", own(func(f *Facts) *bool { return &f.FirstStage })),
	}
}

// selfOf makes the facts themselves a part.
func selfOf(f *Facts) **Facts { return &f }

func versionVariables() []variable {
	return []variable{
		textAt("version.sha", "The commit that would run.", within(versionOf, func(v *VersionFacts) *string { return &v.SHA })),
		textAt("version.tag", "Its tag; empty when it has none.", within(versionOf, func(v *VersionFacts) *string { return &v.Tag })),
		flagAt("version.older", "Whether it is older than what runs now.", within(versionOf, func(v *VersionFacts) *bool { return &v.Older })),
		flagAt("version.known_good", "Whether it ran here and was neither rolled back nor blamed.", within(versionOf, func(v *VersionFacts) *bool { return &v.KnownGood })),
		textAt("version.known_bad", "Why it is known bad here; empty when it is not.", within(versionOf, func(v *VersionFacts) *string { return &v.KnownBad })),
		listAt("version.migrations", "The files between it and what runs now that change the schema.",
			marked(versionOf, func(v *VersionFacts) *bool { return &v.MigrationsKnown }, func(v *VersionFacts) *[]string { return &v.Migrations })),
		listAt("version.flags", "The flags that were switched since.", within(versionOf, func(v *VersionFacts) *[]string { return &v.Flags })),
		{
			"version.commits", cel.IntType, "How many commits are between it and what runs now.",
			func(f *Facts) (any, bool) {
				if f.Version == nil || f.Version.Commits < 0 {
					return nil, false
				}
				return known(f.Version.Commits)
			},
			setAt(within(versionOf, func(v *VersionFacts) *int { return &v.Commits }), asInt),
		},
		textAt("version.returns", "What would bring the other version back; empty for nothing.", within(versionOf, func(v *VersionFacts) *string { return &v.Returns })),
		countAt("version.rolled_back", "How many rollbacks there were in a row.", within(versionOf, func(v *VersionFacts) *int { return &v.RolledBack })),
		countAt("checks.passed", "How many checks of exactly that commit have passed.", within(checksOf, func(c *CheckFacts) *int { return &c.Passed })),
		countAt("checks.failed", "How many have failed.", within(checksOf, func(c *CheckFacts) *int { return &c.Failed })),
		countAt("checks.running", "How many have not ended.", within(checksOf, func(c *CheckFacts) *int { return &c.Running })),
		listAt("checks.names", "Those that failed or run.", within(checksOf, func(c *CheckFacts) *[]string { return &c.Names })),
		textAt("run.workflow", "The workflow of the run that the action is on.", within(runOf, func(r *RunFacts) *string { return &r.Workflow })),
		textAt("run.branch", "Its branch or tag.", within(runOf, func(r *RunFacts) *string { return &r.Branch })),
		textAt("run.event", "What started it, in the provider's word.", within(runOf, func(r *RunFacts) *string { return &r.Event })),
		countAt("run.attempt", "How often it has been started.", within(runOf, func(r *RunFacts) *int { return &r.Attempt })),
	}
}

func stateVariables() []variable {
	return []variable{
		{
			"incidents", cel.ListType(cel.ObjectType(incidentType)), "The open incidents of the service, and of those that it depends on.",
			func(f *Facts) (any, bool) { return incidentList(f), f.IncidentsKnown },
			setIncidents,
		},
		{
			"incidents_open", cel.IntType, "How many of the service's own are open.",
			func(f *Facts) (any, bool) { return len(f.open()), f.IncidentsKnown }, nil,
		},
		{
			"worst_severity", cel.IntType, "The worst of their severities: 1 is the worst, and what an unknown one counts as; 9 when none is open.",
			func(f *Facts) (any, bool) { return f.worst(), f.IncidentsKnown }, nil,
		},
		{
			"monitors", cel.ListType(cel.ObjectType(monitorType)), "The monitors of the service.",
			func(f *Facts) (any, bool) { return monitorList(f), f.MonitorsKnown },
			setMonitors,
		},
		{
			"monitors_alerting", cel.IntType, "How many of them alert and are not muted.",
			func(f *Facts) (any, bool) {
				n := 0
				for _, m := range f.Monitors {
					if m.State == sources.MonitorAlert.String() && !m.Muted {
						n++
					}
				}
				return n, f.MonitorsKnown
			}, nil,
		},
		textAt("slo.name", "The tightest of the service's objectives.", within(sloOf, func(s *SLOFacts) *string { return &s.Name })),
		ratioAt("slo.remaining", "What is left of its error budget: 1 is all.", within(sloOf, func(s *SLOFacts) *float64 { return &s.Remaining })),
		ratioAt("slo.burn", "How fast it burns: 1 uses the budget up exactly when it ends.",
			marked(sloOf, func(s *SLOFacts) *bool { return &s.BurnKnown }, func(s *SLOFacts) *float64 { return &s.Burn })),
		{
			"metrics", cel.MapType(cel.StringType, cel.DoubleType), `The newest value of each metric, by its name: metrics["error rate"].`,
			func(f *Facts) (any, bool) { return f.Metrics, f.Metrics != nil },
			setAt(own(func(f *Facts) *map[string]float64 { return &f.Metrics }), asNumbers),
		},
		countAt("deployments.last_hour", "How many deployments there were to the environment in the last hour.", within(deploymentsOf, func(d *DeploymentFacts) *int { return &d.LastHour })),
		countAt("deployments.today", "How many today.", within(deploymentsOf, func(d *DeploymentFacts) *int { return &d.Today })),
		countAt("deployments.failed", "How many of today's have failed.", within(deploymentsOf, func(d *DeploymentFacts) *int { return &d.Failed })),
	}
}

// open are the open incidents of the service itself.
func (f *Facts) open() []IncidentFacts {
	var out []IncidentFacts
	for _, i := range f.Incidents {
		if !i.Upstream && i.State != sources.Resolved.String() {
			out = append(out, i)
		}
	}
	return out
}

// worst is the smallest severity of the open incidents.
func (f *Facts) worst() int {
	const none = 9
	worst := none
	for _, i := range f.open() {
		worst = min(worst, max(i.Severity, 1))
	}
	return worst
}

func incidentList(f *Facts) []ref.Val {
	out := make([]ref.Val, len(f.Incidents))
	for i := range f.Incidents {
		out[i] = object{incidentType, &f.Incidents[i]}
	}
	return out
}

func monitorList(f *Facts) []ref.Val {
	out := make([]ref.Val, len(f.Monitors))
	for i := range f.Monitors {
		out[i] = object{monitorType, &f.Monitors[i]}
	}
	return out
}

func find(name string) (variable, error) {
	all := variables()
	i := slices.IndexFunc(all, func(v variable) bool { return v.name == name })
	if i < 0 {
		return variable{}, fmt.Errorf("there is no variable %q", name)
	}
	return all[i], nil
}
