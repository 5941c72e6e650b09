package action

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Means is how a version gets into an environment.
type Means string

// The means, in the order in which they are preferred where several fit.
const (
	ByApproval   Means = "approve"    // a run of that version waits at the environment's gate: it is approved
	ByWorkflow   Means = "workflow"   // the deploy workflow is dispatched
	ByDeployment Means = "deployment" // a deployment is filed, for whoever listens
	ByRerun      Means = "rerun"      // the run that last put the version there is run again
)

// Service is what acting on a service needs to know of the config.
type Service struct {
	Spec sources.ServiceSpec // in the terms of the source that its repository lives in
	// Via is the means that the config names; "" leaves the choice to what fits.
	Via        Means
	Workflow   string            // the file of the deploy workflow; "" when there is none
	Ref        string            // the branch or tag that it is taken from; "" is the default branch
	Inputs     map[string]string // templates: {{env}}, {{target}}, {{sha}}, {{version}}
	Marker     string            // the input that carries the plan's ID into the run's name; "" for none
	Migrations []string          // globs on files that change the schema
	// Returns says what deploys by itself: "merge" (each merge to the default branch), "sync" (a controller),
	// "no" (nothing), "" (what the runs show).
	Returns string
	// Incidents and Objectives report that a source is configured that could tell of them.
	Incidents, Objectives bool
}

// Change is what a promotion or a rollback changes: the part of a Plan that is about versions.
type Change struct {
	Service     string
	Environment string
	Prod        bool
	Targets     []string // that it is done to; none where the environment has no named ones
	Now         Running
	Then        Running
	// Undoes reports that the commits between are taken back; else they are what is new.
	Undoes       bool
	Commits      []sources.Commit // newest first
	CommitsKnown bool
	URL          string // of the comparison
	Means        Means
	Others       []Means       // that fit as well: Request.Means chooses one
	Choices      []Choice      // the versions that may be chosen instead, newest first: Request.Version chooses one
	Expected     time.Duration // for how long it usually takes; 0 when unknown
	From         string        // of a promotion: the environment that the version comes from
	// Migrations lie between the two versions; MigrationsKnown is false when that cannot be told.
	Migrations      []string
	MigrationsKnown bool
}

// Running is a version, and what is known of it there.
type Running struct {
	Version sources.Version
	Text    clean.Text // "prod eu us, seen by /version 4s ago", "ran in prod 3d, no incident"
	Bad     clean.Text // what speaks against it: "5xx 4.1 %"; zero for nothing
}

// Choice is one version that could be put there.
type Choice struct {
	Version sources.Version
	Text    clean.Text // when it ran there, and how it ended
	Warning clean.Text // why it is no good choice; zero for nothing
	Chosen  bool
}

// Offer is something that can be done first, or instead: "reject run 812 first".
type Offer struct {
	Text    clean.Text
	Request Request
}
