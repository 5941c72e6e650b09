package world

import "strings"

// The workflows that the story's repositories have, as their files would describe them.

func steps(middle ...StepDef) []StepDef {
	out := []StepDef{{"Set up job", 2}, {"Check out", 3}}
	out = append(out, middle...)
	return append(out, StepDef{"Complete job", 1})
}

func ciWorkflow() Workflow {
	return Workflow{Name: "ci", File: ".github/workflows/ci.yml", Jobs: []JobDef{
		{Name: "lint", Steps: steps(StepDef{"Run linters", 25})},
		{Name: "unit", Steps: steps(StepDef{"Set up Go", 8}, StepDef{"Run unit tests", 70})},
		{Name: "build", Needs: []string{"lint", "unit"}, Steps: steps(StepDef{"Build image", 50}, StepDef{"Scan image", 15})},
	}}
}

// matrixWorkflow is a ci whose tests run in a reusable workflow, on twelve legs.
func matrixWorkflow() Workflow {
	var legs []string
	for _, db := range []string{"postgres 15", "postgres 16", "postgres 17"} {
		for _, shard := range []string{"1", "2", "3", "4"} {
			legs = append(legs, db+", "+shard)
		}
	}
	return Workflow{Name: "ci", File: ".github/workflows/ci.yml", Jobs: []JobDef{
		{Name: "lint", Steps: steps(StepDef{"Run linters", 20})},
		{Name: "run tests", Caller: "integration", Legs: legs, Needs: []string{"lint"}, Steps: steps(
			StepDef{"Start database", 10}, StepDef{"TestSchema", 20}, StepDef{"TestReplicaCatchUp", 60}, StepDef{"TestPayouts", 20})},
		{Name: "build", Needs: []string{"run tests"}, Steps: steps(StepDef{"Build image", 40})},
	}}
}

// gpuWorkflow is a ci that begins on a machine of its own kind.
func gpuWorkflow() Workflow {
	return Workflow{Name: "ci", File: ".github/workflows/ci.yml", Jobs: []JobDef{
		{Name: "model tests", Labels: []string{"self-hosted", "gpu"}, Steps: steps(StepDef{"Run model tests", 90})},
		{Name: "unit", Needs: []string{"model tests"}, Steps: steps(StepDef{"Run unit tests", 60})},
		{Name: "build", Needs: []string{"unit"}, Steps: steps(StepDef{"Build image", 40})},
	}}
}

// releaseWorkflow builds what was pushed and puts it into dev and staging.
func releaseWorkflow() Workflow {
	return Workflow{
		Name: "release", File: ".github/workflows/release.yml",
		Title: func(r *Run) string { return "Release " + r.version() },
		Jobs: []JobDef{
			{Name: "build", Steps: steps(StepDef{"Build image", 60}, StepDef{"Push image", 15})},
			{Name: "dev", Needs: []string{"build"}, Environment: constant("dev"), Steps: steps(StepDef{"Apply", 20})},
			{Name: "staging", Needs: []string{"dev"}, Environment: constant("staging"), Steps: steps(StepDef{"Apply", 45}, StepDef{"Smoke tests", 60})},
		},
	}
}

// trainWorkflow goes on to production where releaseWorkflow ends: it waits there for a person.
func trainWorkflow() Workflow {
	wf := releaseWorkflow()
	wf.Name, wf.File = "deploy", ".github/workflows/deploy.yml"
	wf.Title = func(r *Run) string { return "Deploy " + r.version() }
	wf.Jobs = append(wf.Jobs, JobDef{
		Name: "prod", Needs: []string{"staging"}, Targets: func(*Run) []string { return []string{"eu", "us"} },
		Environment: func(_ *Run, leg string) string { return "production-" + leg },
		Steps:       steps(StepDef{"Apply", 90}, StepDef{"Wait for rollout", 60}),
	})
	return wf
}

// deployWorkflow is started by hand, with the version as an input. prefix comes before the provider's
// names of the environments; targets are prod's.
func deployWorkflow(name, prefix string, targets ...string) Workflow {
	return Workflow{
		Name: name, File: ".github/workflows/" + name + ".yml", Dispatch: true,
		Inputs: []Input{
			{Name: "ref", Required: true},
			{Name: "environment", Required: true, Options: []string{"dev", "staging", "prod"}},
			{Name: "target", Default: "all", Options: append([]string{"all"}, targets...)},
		},
		Title: func(r *Run) string { return "Deploy " + r.version() + " to " + r.Inputs["environment"] },
		Group: func(r *Run) string { return name + "-" + r.Inputs["environment"] },
		Jobs: []JobDef{
			{Name: "plan", Steps: steps(StepDef{"Resolve version", 4}, StepDef{"Diff", 12})},
			{
				Name: "apply", Caller: "ship", Needs: []string{"plan"},
				Targets: func(r *Run) []string {
					switch t := r.Inputs["target"]; {
					case r.Inputs["environment"] != "prod":
						return []string{""}
					case t != "all":
						return []string{t}
					default:
						return targets
					}
				},
				Environment: func(r *Run, leg string) string {
					if r.Inputs["environment"] == "prod" {
						return prefix + "production-" + leg
					}
					return prefix + r.Inputs["environment"]
				},
				Steps: steps(StepDef{"Apply", 90}, StepDef{"Wait for rollout", 60}),
			},
		},
	}
}

// migrating adds a target to a deploy workflow: the database of prod, whose environment is protected. A run of
// it takes the same concurrency group as one that deploys, so that neither meets the other halfway.
func migrating(wf Workflow) Workflow {
	const schema = "schema"
	target, deploys, apply := &wf.Inputs[2], wf.Title, &wf.Jobs[1]
	target.Options = append(target.Options, schema)
	wf.Title = func(r *Run) string {
		if r.Inputs["target"] == schema {
			return "Migrate " + r.version() + " in " + r.Inputs["environment"]
		}
		return deploys(r)
	}
	enters := apply.Environment
	apply.Environment = func(r *Run, leg string) string {
		if leg == schema {
			return schema
		}
		return enters(r, leg)
	}
	return wf
}

// pushed starts a workflow with each push to the default branch, too.
func pushed(wf Workflow) Workflow {
	wf.OnPush = true
	return wf
}

// nightlyWorkflow names an environment for its secrets alone: the record that this files is no
// deployment.
func nightlyWorkflow(environment string) Workflow {
	return Workflow{Name: "nightly", File: ".github/workflows/nightly.yml", Jobs: []JobDef{
		{Name: "crawl", Environment: constant(environment), Secrets: true, Steps: steps(StepDef{"Crawl", 120})},
	}}
}

// listenWorkflow deploys what a deployment record asks for.
func listenWorkflow() Workflow {
	return Workflow{Name: "on-deployment", File: ".github/workflows/on-deployment.yml", OnDeployment: true, Jobs: []JobDef{
		{Name: "roll out", Steps: steps(StepDef{"Apply", 60})},
	}}
}

func constant(environment string) func(*Run, string) string {
	return func(*Run, string) string { return environment }
}

// version is how a run's own name calls what it deploys: its tag where it has one, else its SHA.
func (r *Run) version() string {
	if ref := r.Inputs["ref"]; ref != "" {
		return ref
	}
	for _, t := range r.Repo.Tags {
		if t.SHA == r.SHA && strings.HasPrefix(t.Name, "v") {
			return t.Name
		}
	}
	return r.SHA[:7]
}
