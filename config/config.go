// Package config reads what a team writes about its services: one YAML file, and the files that it
// includes.
//
// Defaults are filled in first, then the files are decoded strictly, then templates are expanded, then
// the whole is checked. Every value remembers its file, line and column; all mistakes are reported at
// once, each as one line that says where, what and what to do. Nothing is fetched and no secret is read.
//
// The package decodes from a tree of its own, made from goccy/go-yaml's syntax tree, since a decoder that
// stops at the first mistake and speaks of Go types serves nobody who edits a file.
package config

import (
	"time"

	"example.com/signalbox/config/secret"
)

// Config is everything that a team may configure. It is never changed after it was made, and safe for
// use by several goroutines.
type Config struct {
	Team    string            `yaml:"team" doc:"The team's name, shown in the header."`
	Me      map[string]string `yaml:"me" doc:"Who you are, by type of source: what counts as mine."`
	Include Strings           `yaml:"include" doc:"Files or globs that are read as if they stood here, relative to this file: a team's services and defaults."`
	// Sources and Services are in the order of the files.
	Sources  []SourceEntry `yaml:"sources,named" doc:"The systems that are read, by a name of your choice."`
	Defaults Service       `yaml:"defaults" doc:"What every service has unless it says otherwise: a key that a service sets replaces the whole value of the same key here."`
	Services []Service     `yaml:"services,named" doc:"What the team owns, by name."`

	// Policies, Roles, SharedDir, Guard, Notify and ReadOnly are for the levers: promote, rollback, ack …
	Policies []Policy `yaml:"policies" doc:"What must hold before a version is promoted or rolled back, or something else is done, besides what the built-in gates demand."`
	// Roles are the identities that have each role.
	Roles     map[string]Strings `yaml:"roles" doc:"Who has which role: identities as in me, by the name of the role. Policies ask for them: \"oncall\" in roles."`
	SharedDir string             `yaml:"shared_dir" doc:"A directory that several users of this machine can write: what one acts on is locked for all, and a second person agrees there. A relative path starts at this file's folder."`
	Guard     Guard              `yaml:"guard" doc:"The watch over a version after it was promoted, or rolled back to."`
	Notify    []Notify           `yaml:"notify" doc:"Who is told of what was done: each entry is one place."`

	Theme     Theme           `yaml:"theme" doc:"How the board looks."`
	Attention Attention       `yaml:"attention" doc:"How the board calls when a new page arrives."`
	Mouse     Switch          `yaml:"mouse" doc:"Whether the board takes mouse events: on or off."`
	Keys      map[string]Keys `yaml:"keys" doc:"Keys of your own, by action: a key, a list of keys, or nothing to leave the action without a key."`
	Refresh   Refresh         `yaml:"refresh" doc:"How often the sources are asked."`
	StateDir  string          `yaml:"state_dir" doc:"Where the state is kept; a relative path starts at this file's folder. The default follows the XDG rules."`
	ReadOnly  bool            `yaml:"read_only" doc:"Refuses every change, whoever asks for it and however."`

	// Discovered reports that this was made by Discover and no file says it.
	Discovered bool `yaml:"-"`
	// Warnings are what is right and has no effect.
	Warnings []Warning `yaml:"-"`
	// Files are the absolute paths of all files that were read, the main one first.
	Files []string `yaml:"-"`

	path     string // of the main file, as it was given
	tree     *node
	includes []string // the directories that globs look into
	digest   digest   // of all that was read
}

// SourceEntry is one configured source.
type SourceEntry struct {
	Name string
	Type string
	// Config is what the SourceType's Config func returned, filled from the file.
	Config any
}

// Service is what a team owns and is paged for. Strings may hold {{service}} and {{repo}} (the scope,
// without its source), which are expanded on loading. {{env}}, {{target}}, {{sha}} and {{version}} stay
// where they are allowed, for Expand.
type Service struct {
	Name string `yaml:"-"`
	// Team is whose service it is; "" is ours.
	Team         string        `yaml:"team" doc:"Another team's service: it is shown where yours depend on it, and never acted on."`
	Repo         RepoRef       `yaml:"repo" doc:"The repository, as source:owner/name."`
	Environments []Environment `yaml:"environments" doc:"The stages, in the order towards production."`
	Deploy       Deploy        `yaml:"deploy" doc:"How a version gets into an environment."`
	Deploys      Strings       `yaml:"deploys" doc:"Globs on jobs or workflows: which deployment records count. None: all."`
	VersionFrom  VersionFrom   `yaml:"version_from" doc:"Which evidence tells the version that runs. None: the deployment record."`
	Paths        Strings       `yaml:"paths" doc:"Globs: the files of the repository that are this service's."`
	TagPrefix    string        `yaml:"tag_prefix" doc:"What this service's tags start with."`
	Workflows    Strings       `yaml:"workflows" doc:"Globs on the name or file of a workflow: which are this service's. None: all."`
	Migrations   Strings       `yaml:"migrations" doc:"Globs: files whose change means that the schema may not go back."`
	Runbook      string        `yaml:"runbook" doc:"The address of what to do when it burns."`
	DependsOn    Strings       `yaml:"depends_on" doc:"Services that this one needs."`

	// Incidents, SLOs and Metrics name what lives in other sources.
	Incidents []ObjectRef `yaml:"incidents" doc:"What the service is called where people are paged for it, as source:id: a PagerDuty service's id, the value of a service tag or label. None: the service's own name."`
	SLOs      []Objective `yaml:"slos" doc:"Service level objectives: source:id, or one that is computed from a query."`
	Metrics   []Metric    `yaml:"metrics" doc:"What tells how the service behaves."`

	// Discovered reports that the config does not name the service: it is shown, and never acted on.
	Discovered bool `yaml:"-"`
}

// RepoRef names a repository: "github:acme/checkout".
type RepoRef struct {
	Source string `yaml:"-"` // the configured name of the source
	Scope  string `yaml:"-"` // what the source calls it: "acme/checkout"
}

// ObjectRef names an object of a source: "pagerduty:PABC123".
type ObjectRef struct {
	Source string `yaml:"-"` // the configured name of the source
	ID     string `yaml:"-"` // what the source calls it
}

// Environment is one stage of a service. A name alone is enough: environments: [dev, staging, prod].
type Environment struct {
	Name string `yaml:"name" jsonschema:"required" doc:"The stage, as the board calls it."`
	// Provider is never empty: it is Name where the file says nothing.
	Provider string   `yaml:"provider_name" doc:"The provider's name of it, where that differs; {{target}} where each target is an environment of its own."`
	Targets  []string `yaml:"targets" doc:"The places inside it: regions, clusters."`
	// Prod is set for the last environment where the file marks none.
	Prod bool `yaml:"prod" doc:"The stage that people are paged for; the last one unless another is marked."`
}

// Deploy is how a version gets into an environment.
type Deploy struct {
	// Via is "" where the file says nothing: what fits is found out then.
	Via      string `yaml:"via" jsonschema:"enum=workflow,enum=approve,enum=deployment,enum=rerun" doc:"How it is done: workflow dispatches the deploy workflow, approve answers the gate that a run waits at, deployment files a deployment for whoever listens, rerun runs the last good run again. None: the one that fits."`
	Workflow string `yaml:"workflow" doc:"The file of the deploy workflow."`
	// Ref is "" for the default branch.
	Ref    string           `yaml:"ref" doc:"The branch or tag that the workflow's file is taken from. None: the default branch."`
	Inputs map[string]Input `yaml:"inputs" doc:"What the workflow is given; {{env}}, {{target}}, {{sha}} and {{version}} are filled in."`
	// Marker is never one of Inputs: it is given a value of signalbox's own.
	Marker string `yaml:"marker" doc:"An input beside these that is given the plan's ID, where the workflow shows it in its run-name: by it a run is found whose ID the server did not tell."`
	Auto   string `yaml:"auto" jsonschema:"enum=merge,enum=sync,enum=no" doc:"What deploys by itself, and so would bring back what is rolled back: merge (each merge to the default branch), sync (a controller), no (nothing). None: what the runs show."`
}

// Input is the value of a workflow's input: text, a number or a bool in the file.
type Input string

// VersionFrom says which evidence a service's version is to be believed by. At most one of Payload,
// Input, RunName and URL is set.
type VersionFrom struct {
	Payload string `yaml:"payload" doc:"A path in the deployment's payload."`
	Input   string `yaml:"input" doc:"An input of the deploy workflow."`
	RunName string `yaml:"run_name" doc:"A regular expression on the run's title, whose first group is the version."`
	URL     string `yaml:"url" doc:"An address that answers the version; {{env}} and {{target}} are filled in."`
	Field   string `yaml:"field" doc:"With url: the path of the version in its JSON."`
}

// Objective is a service level objective: one that the source knows by ID ("datadog:abc123" is enough), or
// one that is computed from Query.
type Objective struct {
	Source  string        `yaml:"source" jsonschema:"required" doc:"The source that knows it."`
	ID      string        `yaml:"id" doc:"What the source calls it."`
	Name    string        `yaml:"name" doc:"What it is called, where a query computes it."`
	Query   string        `yaml:"query" doc:"The ratio of bad events to all, with {{window}} in the place of its range."`
	Traffic string        `yaml:"traffic" doc:"Requests a second, with {{window}}: on little traffic burn rates stay quiet."`
	Target  float64       `yaml:"target" doc:"Percent that must be good: 99.95."`
	Window  time.Duration `yaml:"window" doc:"Over which the budget lasts; 30d where nothing is said."`
}

// Metric is one number over time.
type Metric struct {
	Name   string   `yaml:"name" jsonschema:"required" doc:"What it is called."`
	Source string   `yaml:"source" jsonschema:"required" doc:"The source that knows it."`
	Query  string   `yaml:"query" jsonschema:"required" doc:"The question, in the source's own language."`
	Unit   string   `yaml:"unit" doc:"What it is counted in."`
	Limit  *float64 `yaml:"limit" doc:"From where on it is bad."`
	Below  bool     `yaml:"below" doc:"It is bad below the limit, not above."`
	// Signal is never empty after loading unless nothing tells: it follows from Name and Unit.
	Signal string `yaml:"signal" jsonschema:"enum=errors,enum=latency,enum=traffic,enum=saturation,enum=other" doc:"Which of the golden signals it is; what its name says where nothing is written."`
}

// Policy is one rule on what may be done, or what a built-in gate goes by. Its expressions are not
// evaluated by this package: Options.CheckPolicies tells whether they can be.
type Policy struct {
	Name       string  `yaml:"name" doc:"What the rule is called; needed unless builtin is set."`
	Env        string  `yaml:"env" doc:"The environment that it guards. None: all; of a built-in gate those that are prod."`
	On         Strings `yaml:"on" doc:"What it applies to: promote (and approving or re-running what deploys), rollback, approve, reject, rerun, rerun-all, cancel, resolve, escalate, reassign, snooze, merge, silence, mute. None: promote."`
	Require    string  `yaml:"require" doc:"An expression that must hold, in CEL. What it needs and is not known denies, and warns on a rollback."`
	During     *During `yaml:"during" doc:"When it applies."`
	Else       string  `yaml:"else" jsonschema:"enum=warn,enum=confirm,enum=type,enum=second_person,enum=deny" doc:"What follows when it does not hold; needed unless builtin is set."`
	Because    string  `yaml:"because" doc:"The reason that is shown; {{expression}} is filled in."`
	BreakGlass *bool   `yaml:"break_glass" doc:"Whether a typed reason lifts it."`

	// The rest is for a built-in gate; what is not set keeps its default.
	Builtin  string         `yaml:"builtin" doc:"The built-in gate that this sets: environments, ci, soak, incidents, budget, rate, fresh, queue, known_bad, schema, direction, flags, comes_back, loop, second_person."`
	After    *time.Duration `yaml:"after" doc:"Of soak: for how long the stage before must have run the version. Of fresh: how old the data may be."`
	Most     *int           `yaml:"most" jsonschema:"minimum=0" doc:"Of rate: how many deployments an hour; 0 is no limit."`
	Severity *int           `yaml:"severity" jsonschema:"minimum=1,maximum=5" doc:"Of incidents: the least severe that counts; 1 is the worst."`
	Below    *float64       `yaml:"below" jsonschema:"minimum=0,maximum=1" doc:"Of budget: how much of the error budget must be left; 1 is all."`
	Only     Strings        `yaml:"only" doc:"Of environments: those that may be promoted to."`
}

// During is a span of time: every week from one moment to another, or once between two dates.
type During struct {
	From When `yaml:"from" jsonschema:"required" doc:"Its begin: Fri 16:00, 2026-12-20 or 2026-12-20 18:00."`
	To   When `yaml:"to" jsonschema:"required" doc:"Its end: Mon 08:00, 2027-01-02 08:00, or 2027-01-02 for the end of that day."`
	Zone Zone `yaml:"zone" doc:"The time zone: Europe/Berlin. None: UTC."`
}

// When is a minute of the week, or of a date: it is a date when Year is not 0. Whole reports that a date
// was written without a time.
type When struct {
	Day          time.Weekday `yaml:"-"`
	Year         int          `yaml:"-"`
	Month        time.Month   `yaml:"-"`
	Date         int          `yaml:"-"`
	Hour, Minute int          `yaml:"-"`
	Whole        bool         `yaml:"-"`
}

// Zone is the name of a time zone that this machine knows; "" is UTC.
type Zone string

// Guard is the watch over a version after it was promoted, or rolled back to.
type Guard struct {
	Window   time.Duration `yaml:"window" doc:"How long it is watched; 0 turns the watch off."`
	Skip     time.Duration `yaml:"skip" doc:"So much of the newest is not looked at, since metrics arrive late; 0 is nothing."`
	Requests int           `yaml:"requests" jsonschema:"minimum=0" doc:"How many requests it must have served before its metrics are judged; 0 is any number."`
	OnFail   string        `yaml:"on_fail" jsonschema:"enum=ask,enum=rollback" doc:"What follows when the version is worse than what ran before. rollback is for commands and CI, once, and never across migrations; the board asks."`
}

// Off reports that nothing is watched.
func (g Guard) Off() bool { return g.Window == 0 }

// Notify is one place that is told. Exactly one of Slack, Webhook, Annotations, Note and Event is set.
type Notify struct {
	Slack       secret.Ref `yaml:"slack" doc:"A Slack incoming webhook: its address is a secret."`
	Webhook     Address    `yaml:"webhook" doc:"An address that is sent JSON, signed with secret."`
	Annotations Address    `yaml:"annotations" doc:"An address that takes annotations as Grafana's /api/annotations does, with secret as its bearer token."`
	Secret      secret.Ref `yaml:"secret" doc:"Of webhook: what the message is signed with, which it needs. Of annotations: the token."`
	Note        bool       `yaml:"note" doc:"Writes a note on the incident that it was done for."`
	Event       string     `yaml:"event" doc:"A source that an event is posted to, as a marker on its charts: a Datadog one."`
	On          Strings    `yaml:"on" jsonschema:"required" doc:"What is told: promote, rollback, guard, ack, resolve, escalate, approve, reject, rerun (of failed jobs or all), cancel."`
}

// Address is where something is sent: a reference to it where it is a secret, or the address itself.
type Address struct {
	secret.Ref `yaml:"-"`
}

// Theme is how the board looks.
type Theme struct {
	Palette    string `yaml:"palette" jsonschema:"enum=auto,enum=dark,enum=light,enum=colorblind" doc:"The colours; auto follows what the terminal says of its background."`
	Glyphs     string `yaml:"glyphs" jsonschema:"enum=auto,enum=unicode,enum=ascii" doc:"The symbols; auto follows the locale."`
	Color      string `yaml:"color" jsonschema:"enum=auto,enum=truecolor,enum=256,enum=16,enum=none" doc:"The depth of colour; auto follows the terminal and NO_COLOR."`
	SyncOutput string `yaml:"sync_output" jsonschema:"enum=auto,enum=on,enum=off" doc:"Whether frames are sent as synchronized output; auto follows TERM."`
}

// Attention is how the board calls when a new page arrives. It calls once for each.
type Attention struct {
	Bell   Switch `yaml:"bell" doc:"Whether the terminal's bell rings."`
	Title  Switch `yaml:"title" doc:"Whether the terminal's title names what is triggered."`
	Notify string `yaml:"notify" jsonschema:"enum=auto,enum=osc9,enum=osc777,enum=off" doc:"The desktop notification that the terminal is asked for; auto: where the terminal is known to have one, never inside tmux or screen; osc9 and osc777 are passed through them (tmux: allow-passthrough on)."`
	For    string `yaml:"for" jsonschema:"enum=mine,enum=all" doc:"Whose pages: those that are mine, or all that are shown."`
}

// Refresh is how often a repository is asked, by what happens in it: Live ≤ Waiting ≤ Quiet. The rate
// budget may make it less often, never more.
type Refresh struct {
	Live    time.Duration `yaml:"live" doc:"While a pipeline runs."`
	Waiting time.Duration `yaml:"waiting" doc:"While one waits for a person."`
	Quiet   time.Duration `yaml:"quiet" doc:"While nothing happens."`
}

// Strings is a list that may be written as one string.
type Strings []string

// Keys are the keys of one action. An action that is present without keys is unbound.
type Keys []string

// Switch is on or off; true and false are understood.
type Switch bool

// defaults is what a file starts from.
func defaults() Config {
	return Config{
		Theme:     Theme{Palette: "auto", Glyphs: "auto", Color: "auto", SyncOutput: "auto"},
		Mouse:     true,
		Attention: Attention{Bell: true, Title: true, Notify: "auto", For: "mine"},
		Guard:     Guard{Window: 15 * time.Minute, Skip: 2 * time.Minute, Requests: 500, OnFail: "ask"},
		Refresh:   Refresh{Live: 15 * time.Second, Waiting: 30 * time.Second, Quiet: 60 * time.Second},
	}
}
