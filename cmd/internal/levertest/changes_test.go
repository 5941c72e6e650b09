package levertest

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/simulator"
)

func mergeOf(service string, n int) simulator.Merge {
	return simulator.Merge{Service: service, Title: fmt.Sprintf("Change %d", n), Tag: fmt.Sprintf("v7.0.%d", n)}
}

// stagesOf are the environments of a service of the story.
func stagesOf() []sources.EnvironmentSpec {
	return []sources.EnvironmentSpec{{Name: "dev"}, {Name: "staging"}, {Name: "prod", Provider: "production-{{target}}", Targets: []string{"eu", "us"}, Prod: true}}
}

func serviceOf(name string) action.Service {
	svc := action.Service{
		Spec: sources.ServiceSpec{
			Name: name, Environments: stagesOf(), DeployWorkflow: "deploy.yml", VersionInput: "ref", VersionFrom: sources.VersionFrom{RunName: `(?:Deploy|Release) (\S+)`},
		},
		Workflow: "deploy.yml", Ref: "main", Inputs: map[string]string{"environment": "{{env}}", "ref": "{{sha}}"}, Returns: "no",
	}
	switch name {
	case "web":
		svc.Spec.Deploys = []string{"release", "deploy"}
	case "accounts":
		svc.Spec.VersionFrom = sources.VersionFrom{}
	}
	return svc
}

// change is a promotion to production, or a rollback of it, by one means.
type change struct {
	verb    sources.Verb
	means   action.Means
	service string
	target  string                          // "": all
	version func(testing.TB, *earth) string // "": the plan chooses
}

func (c change) asVerb() verb {
	return verb{
		name: fmt.Sprintf("github %s by %s", c.verb, c.means), source: "github", speed: 30, within: 40 * time.Second, worn: true,
		deed: func(t testing.TB, e *earth) deed {
			version := ""
			if c.version != nil {
				version = c.version(t, e)
			}
			svc := serviceOf(c.service)
			return deed{
				services: []sources.ServiceSpec{svc.Spec}, service: svc, judge: always(policy.TypedConfirm),
				ask: func(t testing.TB, r *rig) action.Request {
					q := action.Request{
						Verb: c.verb, Target: sources.Ref{Source: "github", Kind: sources.KindEnvironment, Scope: "acme/" + c.service, ID: c.service + "/prod"},
						Means: c.means, Version: version,
					}
					if c.target != "" {
						q.Targets = []string{c.target}
					}
					if env, _ := r.snap.Environment(q.Target); env != nil {
						q.Revision = env.Revision
					}
					return q
				},
				shows: func(_ testing.TB, p *action.Plan) bool {
					return e.running(c.service, "prod", p.Change.Then.Version.SHA, p.Request.Targets...)
				},
			}
		},
	}
}

// shipped lands a change that is in staging when it returns.
func shipped(service string) func(testing.TB, *earth) string {
	return func(t testing.TB, e *earth) string {
		t.Helper()
		for range 3 { // one in many fails on its way
			e.cells++
			sha, err := e.Merge(mergeOf(service, e.cells))
			if err != nil {
				t.Fatal(err)
			}
			for range 40 {
				if e.running(service, "staging", sha) {
					return sha
				}
				e.Advance(30 * time.Second)
			}
		}
		t.Fatalf("nothing of %s comes to staging", service)
		return ""
	}
}

// prior brings a newer version to production, so that there is something to go back from.
func prior(service string) func(testing.TB, *earth) string {
	ship := shipped(service)
	return func(t testing.TB, e *earth) string {
		t.Helper()
		sha := ship(t, e)
		for range 2 {
			e.raw(t, http.MethodPost, "/repos/acme/"+service+"/actions/workflows/deploy.yml/dispatches", `{"ref":"main","inputs":{"environment":"prod","ref":"`+sha+`"}}`, nil)
			for range 40 {
				if e.running(service, "prod", sha) {
					e.Advance(time.Minute)
					return ""
				}
				e.Advance(30 * time.Second)
			}
		}
		t.Fatalf("%s never came to production", sha)
		return ""
	}
}

func changeVerbs() []verb {
	var out []verb
	for _, c := range []change{
		{verb: sources.Promote, means: action.ByWorkflow, service: "web", version: shipped("web")},
		{verb: sources.Promote, means: action.ByApproval, service: "search", version: func(t testing.TB, e *earth) string { return e.waiting(t).SHA }},
		{verb: sources.Promote, means: action.ByDeployment, service: "accounts", target: "eu", version: filed("accounts")},
		{verb: sources.Rollback, means: action.ByWorkflow, service: "web", version: prior("web")},
		{verb: sources.Rollback, means: action.ByDeployment, service: "accounts", target: "eu", version: fleet("accounts")},
		{verb: sources.Rollback, means: action.ByRerun, service: "web", version: prior("web")},
	} {
		out = append(out, c.asVerb())
	}
	return out
}

// fleet has two versions brought to production by deployments that somebody filed, one after the other.
func fleet(service string) func(testing.TB, *earth) string {
	land := filed(service)
	return func(t testing.TB, e *earth) string {
		t.Helper()
		for range 2 {
			sha := land(t, e)
			e.raw(t, http.MethodPost, "/repos/acme/"+service+"/deployments", `{"ref":"`+sha+`","environment":"production-eu","auto_merge":false,"required_contexts":[]}`, nil)
			e.Advance(10 * time.Minute)
			if !e.running(service, "prod", sha, "eu") {
				t.Fatalf("%s never came to production", sha)
			}
		}
		return ""
	}
}

// filed lands a change for which a deployment can be filed: its checks have ended.
func filed(service string) func(testing.TB, *earth) string {
	return func(t testing.TB, e *earth) string {
		t.Helper()
		e.cells++
		sha, err := e.Merge(mergeOf(service, e.cells))
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			e.Advance(time.Minute)
			runs := e.runs(t, service, "head_sha="+sha)
			if len(runs) > 0 && !slices.ContainsFunc(runs, func(r runTruth) bool { return r.Status != "completed" }) {
				return sha
			}
		}
		t.Fatalf("the checks of %s never end", sha)
		return ""
	}
}
