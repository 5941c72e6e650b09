package action_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
)

// bare leaves no means but those that a case adds.
func bare(y *yard) {
	y.service.Via, y.service.Workflow = "", ""
	for i := range y.hub.envs["prod"].History {
		y.hub.envs["prod"].History[i].Run = sources.Ref{}
	}
}

// fix is what a gate of a plan says to do.
func fix(p action.Plan, gate string) string {
	for _, g := range p.Gates {
		if g.Gate == gate {
			return g.Fix.String()
		}
	}
	return ""
}

func means(m action.Means) func(*action.Request) { return func(q *action.Request) { q.Means = m } }

func field(name, want string) func(*testing.T, *yard, action.Plan) {
	return func(t *testing.T, _ *yard, p action.Plan) {
		t.Helper()
		if got := p.Call.Fields[name]; got != want {
			t.Errorf("%s is %q, want %q in %+v", name, got, want, p.Call)
		}
	}
}

func TestWorkflows(t *testing.T) {
	t.Parallel()
	runPlans(t, []planCase{
		{name: "the version goes into an input", ask: rollbackOf(nil), want: wanted{means: action.ByWorkflow, verb: sources.Dispatch}, check: field(sources.FieldInput+"ref", sha("a"))},
		{name: "the environment too", ask: rollbackOf(nil), check: field(sources.FieldInput+"environment", "prod")},
		{name: "all targets", ask: rollbackOf(nil), check: field(sources.FieldTargets, "")},
		{name: "the tag where that is asked for", set: func(y *yard) { y.service.Inputs["ref"] = "{{version}}" }, ask: rollbackOf(nil), check: field(sources.FieldInput+"ref", "va")},
		{name: "the marker", set: func(y *yard) { y.service.Marker = "plan" }, ask: rollbackOf(nil), check: field(sources.FieldMarker, "plan")},
		{name: "the default branch", set: func(y *yard) { y.service.Ref = "" }, ask: rollbackOf(nil), check: field(sources.FieldRef, "main")},
		{
			name: "no branch is guessed", set: func(y *yard) { y.service.Ref, y.hub.envs["prod"].Branch = "", "" }, ask: rollbackOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "set deploy.ref"},
		},
		{
			name: "no input carries the version", set: func(y *yard) { y.service.Inputs = map[string]string{"environment": "{{env}}"} }, ask: rollbackOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "none of its inputs carries the version"},
		},
		{
			name: "one target at a time", set: func(y *yard) { y.service.Inputs["target"] = "{{target}}" }, ask: rollbackOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "name eu or us"},
			check: func(t *testing.T, _ *yard, p action.Plan) {
				if got := fix(p, "means"); !strings.Contains(got, "--target eu") {
					t.Errorf("the remedy is %q", got)
				}
			},
		},
		{
			name: "that target", set: func(y *yard) { y.service.Inputs["target"] = "{{target}}" }, ask: rollbackOf(func(q *action.Request) { q.Targets = []string{"us"} }),
			want: wanted{means: action.ByWorkflow, targets: "us"}, check: field(sources.FieldInput+"target", "us"),
		},
		{
			name: "the only target that needs it", set: func(y *yard) { y.service.Inputs["target"] = "{{target}}"; y.hub.put("prod", "c", time.Minute, "us") }, ask: rollbackOf(nil),
			want: wanted{version: "b", means: action.ByWorkflow, targets: "us"},
		},
		{
			name: "no part where it covers all", ask: rollbackOf(func(q *action.Request) { q.Targets = []string{"us"} }),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "it would deploy to all of prod"},
		},
		{
			name: "a commit that is not known", set: func(y *yard) {
				for i := range y.hub.envs["prod"].History {
					y.hub.envs["prod"].History[i].Version.SHA = ""
				}
			}, ask: rollbackOf(nil), want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "which commit va is, is not known"},
		},
	})
}

func TestOtherMeans(t *testing.T) {
	t.Parallel()
	runPlans(t, []planCase{
		{
			name: "a gate that waits with it", set: func(y *yard) { bare(y); y.hub.wait("prod", "c", true) }, ask: promotionOf(nil),
			want: wanted{version: "c", means: action.ByApproval, verb: sources.Approve, gate: "queue", text: "nothing waits"}, check: field(sources.FieldPlace, "checkout/prod"),
		},
		{
			name: "not one that waits with another", set: func(y *yard) { bare(y); y.hub.wait("prod", "d", true) }, ask: promotionOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "no run waits at its gate with vc", offer: "reject run"},
		},
		{
			name: "not one that is another's to approve", set: func(y *yard) { bare(y); y.hub.wait("prod", "c", false) }, ask: promotionOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "for lead1 to approve", offer: "cancel run"},
		},
		{
			name: "not one whose version nothing tells", set: func(y *yard) { bare(y); y.hub.wait("prod", "c", true); y.hub.envs["prod"].Gates[0].Unverified = true }, ask: promotionOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "nothing trustworthy says which version the waiting run would deploy"},
		},
		{
			name: "not one of two", set: func(y *yard) { bare(y); y.hub.wait("prod", "c", true); y.hub.wait("prod", "c", true) }, ask: promotionOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "reject all but one"},
		},
		{
			name: "not one that waits for a part", set: func(y *yard) {
				bare(y)
				y.service.Spec.Environments[2].Provider = "production-{{target}}"
				y.hub.envs["prod"].Provider = "production-eu, production-us"
				r := y.hub.wait("prod", "c", true)
				r.Gates, y.hub.envs["prod"].Gates = r.Gates[:1], y.hub.envs["prod"].Gates[:1]
			}, ask: promotionOf(nil), want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "waits only for production-eu"},
		},
		{
			name: "nor one that is gone", set: func(y *yard) { bare(y); y.hub.wait("prod", "c", true).Gates = nil }, ask: promotionOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "waits there no more"},
		},
		{
			name: "a deployment, where somebody listens", set: func(y *yard) { bare(y); y.hub.envs["prod"].History[0].Listened = true }, ask: promotionOf(nil),
			want: wanted{means: action.ByDeployment, verb: sources.Deploy, line: "carried out by whoever"},
		},
		{
			name: "not where nobody was seen to", set: bare, ask: promotionOf(means(action.ByDeployment)),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "nobody was seen"},
		},
		{
			name: "the last good run, where nothing else fits", set: func(y *yard) { y.service.Via, y.service.Workflow = "", "" }, ask: rollbackOf(nil),
			want: wanted{version: "a", means: action.ByRerun, verb: sources.RerunAll, line: "neither configuration nor migrations"},
		},
		{name: "never on", set: func(y *yard) { y.service.Via, y.service.Workflow = "", "" }, ask: promotionOf(means(action.ByRerun)), want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "that is a rollback"}},
		{
			name: "not after thirty days", set: func(y *yard) {
				y.service.Via, y.service.Workflow = "", ""
				for _, r := range y.hub.runs {
					r.Created = r.Created.Add(-30 * 24 * time.Hour)
				}
			}, ask: rollbackOf(nil), want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "older than 30 days"},
		},
		{
			name: "what else it deployed is said", set: func(y *yard) {
				y.service.Via, y.service.Workflow = "", ""
				for i := range y.hub.envs["prod"].History {
					if d := &y.hub.envs["prod"].History[i]; d.Version.Same(version("a")) {
						y.hub.envs["dev"].History[0].Run = d.Run
					}
				}
			}, ask: rollbackOf(nil), want: wanted{means: action.ByRerun, line: "it deployed to checkout/dev as well"},
		},
		{
			name: "a run that deploys to production too is no matter of a y", set: func(y *yard) {
				y.service.Via, y.service.Workflow = "", ""
				y.hub.put("dev", "a", 4*time.Hour)
				y.hub.put("dev", "b", 3*time.Hour)
				for i := range y.hub.envs["dev"].History {
					if d := &y.hub.envs["dev"].History[i]; d.Version.Same(version("a")) {
						y.hub.envs["prod"].History[0].Run = d.Run
					}
				}
			}, ask: rollbackOf(func(q *action.Request) { q.Target.ID = "checkout/dev" }),
			want: wanted{means: action.ByRerun, gate: "means", verdict: policy.TypedConfirm, text: "what runs in checkout/prod as well"},
		},
		{
			name: "several fit: a person chooses", set: func(y *yard) { y.service.Via = ""; y.hub.wait("prod", "c", true) }, ask: promotionOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "several means fit: approve, workflow"},
			check: func(t *testing.T, _ *yard, p action.Plan) {
				if !slices.Equal(p.Change.Others, []action.Means{action.ByApproval, action.ByWorkflow}) {
					t.Errorf("others %v", p.Change.Others)
				}
			},
		},
		{
			name: "as was chosen", set: func(y *yard) { y.service.Via = ""; y.hub.wait("prod", "c", true) }, ask: promotionOf(means(action.ByApproval)),
			want: wanted{means: action.ByApproval},
		},
		{
			name: "the configured one does not fit: what does is named", set: func(y *yard) { y.service.Via = action.ByApproval }, ask: promotionOf(nil),
			want: wanted{means: "-", gate: "means", verdict: policy.Deny, text: "approve: no run waits"},
		},
	})
}

func TestQueues(t *testing.T) {
	t.Parallel()
	live := func(y *yard, title string, state sources.State) *sources.Run {
		r := &sources.Run{
			Ref: y.hub.ref(sources.KindRun, "900"), Revision: "x", Number: 900, Service: "checkout", Workflow: clean.Const("deploy"), Path: ".github/workflows/deploy.yml",
			Event: "workflow_dispatch", Title: clean.Line(title), State: state, Created: time.Now(),
		}
		y.hub.runs["900"] = r
		y.runs = append(y.runs, r)
		return r
	}
	runPlans(t, []planCase{
		{
			name: "what waits is offered to be rejected", set: func(y *yard) { y.hub.wait("prod", "d", true) }, ask: rollbackOf(nil),
			want: wanted{gate: "queue", verdict: policy.Warn, text: "waits for approval", offer: "reject run"},
			check: func(t *testing.T, y *yard, p action.Plan) {
				q := p.Offers[0].Request
				if q.Verb != sources.Reject || q.Fields[sources.FieldEnvironments] != "prod" || q.Revision != y.hub.runs[q.Target.ID].Revision || q.Via != "board" {
					t.Errorf("offer %+v", q)
				}
				if _, text := finding(p, "queue"); !strings.Contains(text, "and holds deploy-prod") {
					t.Errorf("queue %q", text)
				}
			},
		},
		{name: "a promotion is refused for it", set: func(y *yard) { y.hub.wait("prod", "d", true) }, ask: promotionOf(nil), want: wanted{gate: "queue", verdict: policy.Deny}},
		{
			name: "what is on its way is offered to be cancelled", set: func(y *yard) {
				y.hub.file("prod", sources.Deployment{Version: version("d"), Verified: true, State: sources.StateRunning}, time.Minute)
			}, ask: rollbackOf(nil), want: wanted{gate: "queue", verdict: policy.Warn, text: "deploys vd there", offer: "cancel run"},
		},
		{
			name: "a dispatch that waits for its turn", set: func(y *yard) { live(y, "Deploy v9 to prod", sources.StateQueued) }, ask: rollbackOf(nil),
			want: wanted{gate: "queue", verdict: policy.Warn, text: "run 900 of deploy is queued", offer: "cancel run 900 first"},
		},
		{name: "not one for another environment", set: func(y *yard) { live(y, "Deploy v9 to staging", sources.StateQueued) }, ask: rollbackOf(nil), want: wanted{gate: "queue", text: "nothing waits"}},
		{
			name: "nor one for a target of another", set: func(y *yard) {
				y.service.Spec.Environments[1] = sources.EnvironmentSpec{Name: "staging", Provider: "stage-{{target}}", Targets: []string{"eu"}}
				live(y, "Deploy v9 to stage-eu", sources.StateQueued)
			}, ask: rollbackOf(nil), want: wanted{gate: "queue", text: "nothing waits"},
		},
		{name: "not one that has ended since", set: func(y *yard) {
			live(y, "Deploy v9 to prod", sources.StateQueued)
			y.hub.runs["900"] = &sources.Run{Ref: y.hub.ref(sources.KindRun, "900"), State: sources.StatePassed}
		}, ask: rollbackOf(nil), want: wanted{gate: "queue", text: "nothing waits"}},
		{
			name: "one that waits elsewhere and holds the group", set: func(y *yard) {
				r := live(y, "Migrate v9", sources.StateWaiting)
				r.Event, r.Path = "push", "migrate.yml"
				r.Gates = []sources.Gate{{Environment: "schema", CanApprove: true, Run: r.Ref, Concurrency: clean.Const("deploy-prod")}}
			}, ask: rollbackOf(nil), want: wanted{gate: "queue", verdict: policy.Warn, text: "run 900 waits for approval and holds deploy-prod", offer: "reject run 900 first"},
		},
		{name: "runs that were never listed", set: func(y *yard) { y.unlisted = true }, ask: rollbackOf(nil), want: wanted{gate: "queue", verdict: policy.Warn, text: "cannot be told"}},
	})
}

func TestWhatARollbackDoesNotUndo(t *testing.T) {
	t.Parallel()
	switched := func(y *yard, ago time.Duration) {
		y.feeds = append(y.feeds, store.Feed{
			Key:     store.FeedKey{Source: "flags", Capability: store.Changes},
			Changes: []sources.Change{{Kind: sources.FlagChange, Service: "checkout", Title: clean.Const("pay_retry on"), At: time.Now().Add(-ago)}},
		})
	}
	pushed := func(y *yard) {
		y.service.Returns = ""
		r := *y.hub.runs[y.hub.envs["prod"].History[0].Run.ID]
		r.Event, r.Default = "push", true
		y.runs = append(y.runs, &r)
	}
	runPlans(t, []planCase{
		{name: "the schema", set: func(y *yard) {
			y.service.Migrations = []string{"db/**"}
			y.hub.files["b"] = []string{"db/0042.sql", "main.go"}
		}, ask: rollbackOf(nil), want: wanted{gate: "schema", verdict: policy.TypedConfirm, text: "db/0042.sql"}},
		{name: "no schema", set: func(y *yard) { y.service.Migrations = []string{"db/**"}; y.hub.files["c"] = []string{"db/0042.sql"} }, ask: rollbackOf(nil), want: wanted{gate: "schema", text: "the schema stays"}},
		{name: "a cut list proves nothing", set: func(y *yard) { y.service.Migrations = []string{"db/**"}; y.hub.cut = true }, ask: rollbackOf(nil), want: wanted{gate: "schema", verdict: policy.Warn, text: "cannot be told"}},
		{name: "a cut list that shows one", set: func(y *yard) {
			y.service.Migrations = []string{"db"}
			y.hub.cut = true
			y.hub.files["b"] = []string{"db/1.sql"}
		}, ask: rollbackOf(nil), want: wanted{gate: "schema", verdict: policy.TypedConfirm, text: "db/1.sql"}},
		{
			name: "the schema of what failed half-way", set: func(y *yard) {
				y.service.Migrations = []string{"db/**"}
				y.hub.files["c"] = []string{"db/0043.sql"}
				y.hub.file("prod", sources.Deployment{Version: version("c"), Verified: true, State: sources.StateFailed}, time.Minute)
			}, ask: rollbackOf(func(q *action.Request) { q.Version = "va" }), want: wanted{gate: "schema", verdict: policy.TypedConfirm, text: "db/0043.sql"},
		},
		{name: "flags", set: func(y *yard) { switched(y, time.Minute) }, ask: rollbackOf(nil), want: wanted{gate: "flags", verdict: policy.Warn, text: "pay_retry on"}},
		{name: "not flags from long before", set: func(y *yard) { switched(y, 3*time.Hour) }, ask: rollbackOf(nil), want: wanted{gate: "flags", text: ""}},
		{name: "the next merge, as the config says", set: func(y *yard) { y.service.Returns = "merge" }, ask: rollbackOf(nil), want: wanted{gate: "comes_back", verdict: policy.Warn, text: "the next merge to main"}},
		{
			name: "the next merge, as was seen", set: pushed, ask: rollbackOf(nil), want: wanted{gate: "comes_back", verdict: policy.Warn, text: "the next merge to main"},
			check: func(t *testing.T, _ *yard, p action.Plan) {
				for _, g := range p.Gates {
					if g.Gate == "comes_back" && g.Fix.String() != "hold merges to main, or revert #402" {
						t.Errorf("fix %q", g.Fix)
					}
				}
			},
		},
		{
			name: "the next merge, once it is approved", set: func(y *yard) { pushed(y); y.hub.wait("prod", "d", true) }, ask: rollbackOf(nil),
			want: wanted{gate: "comes_back", verdict: policy.Warn, text: "the next merge to main, once somebody approves it"},
		},
		{name: "not where merges deploy nothing", ask: rollbackOf(nil), want: wanted{gate: "comes_back", text: ""}},
		{
			name: "once more in a row", set: func(y *yard) { y.hub.put("prod", "a", time.Minute) }, ask: rollbackOf(nil),
			want: wanted{version: "0", gate: "loop", verdict: policy.Deny, text: "rolled back once already"},
		},
		{
			name: "what the journal knows of counts too", set: func(y *yard) {
				for _, stage := range []journal.Stage{journal.Intended, journal.Given} {
					if _, err := y.book.Append(t.Context(), journal.Record{Plan: "p", Stage: stage, Verb: sources.Rollback, Target: y.hub.envRef("prod")}); err != nil {
						panic(err)
					}
				}
			}, ask: rollbackOf(nil),
			check: func(t *testing.T, y *yard, p action.Plan) {
				if v, text := finding(p, "loop"); v != policy.Deny || !strings.Contains(text, "once") || p.Demand.Kind != action.TypeDemand || !p.Demand.Reason {
					t.Errorf("%s %q, demand %+v", v, text, p.Demand)
				}
			},
		},
	})
}

// The commits are those that are taken back, or those that are new.
func TestCommits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		for _, c := range []struct {
			q      action.Request
			undoes bool
			pulls  []int
		}{{y.rollback(), true, []int{402}}, {y.promote(), false, []int{403}}} {
			p, err := y.Propose(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			var pulls []int
			for _, k := range p.Change.Commits {
				pulls = append(pulls, k.Pull)
			}
			if p.Change.Undoes != c.undoes || !p.Change.CommitsKnown || !slices.Equal(pulls, c.pulls) || p.Change.URL == "" {
				t.Errorf("%s: %+v", c.q.Verb, p.Change)
			}
		}
	})
}
