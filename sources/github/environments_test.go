package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

const deploysPath = "/repos/" + scope + "/deployments"

// filed is a deployment record as GitHub tells it.
func filed(id int, env string, age time.Duration, fields obj) obj {
	d := obj{
		"id": id, "sha": sha(id), "ref": "main", "task": "deploy", "payload": obj{}, "environment": env, "original_environment": env,
		"description": nil, "creator": obj{"login": "github-actions[bot]", "type": "Bot"}, "created_at": ago(age), "updated_at": ago(age),
		"transient_environment": false, "production_environment": env == "production",
	}
	for k, v := range fields {
		d[k] = v
	}
	return d
}

// carry gives a record its statuses, oldest first, by the run and job that its log address names.
func (h *hub) carry(id, run int, age time.Duration, states ...string) {
	var all []obj
	for i, st := range states {
		link := ""
		if run != 0 {
			link = fmt.Sprintf("https://github.com/%s/actions/runs/%d/job/%d", scope, run, run*10)
		}
		all = append(all, obj{"id": id*100 + i, "state": st, "description": "", "log_url": link, "created_at": ago(age - time.Duration(i)*time.Minute)})
	}
	slices.Reverse(all)
	h.json(fmt.Sprintf("%s/%d/statuses", deploysPath, id), all)
}

func (h *hub) run(id int, fields obj) { h.json(fmt.Sprintf("%s/%d", runsPath, id), wireOf(id, fields)) }

func (h *hub) jobNamed(run int, name string) {
	h.json(fmt.Sprintf("/repos/%s/actions/jobs/%d", scope, run*10), wireJobOf(run*10, name, "completed", "success", obj{"run_id": run}))
}

func stages(names ...string) []sources.EnvironmentSpec {
	var out []sources.EnvironmentSpec
	for _, n := range names {
		out = append(out, sources.EnvironmentSpec{Name: n, Prod: n == "prod"})
	}
	return out
}

func prodOf(t *testing.T, envs []sources.Environment, service, name string) sources.Environment {
	t.Helper()
	for _, e := range envs {
		if e.Service == service && e.Name == name {
			return e
		}
	}
	t.Fatalf("no %s/%s in %d environments", service, name, len(envs))
	return sources.Environment{}
}

func TestLane(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/repos/"+scope+"/tags", []obj{{"name": "v1.9.2", "commit": obj{"sha": sha(3)}}})
	h.json(deploysPath, []obj{
		filed(6, "prod", 2*time.Minute, nil), filed(5, "prod", 10*time.Minute, nil), filed(3, "prod", 10*time.Hour, nil),
		filed(2, "prod", 100*time.Hour, nil), filed(1, "prod", 200*time.Hour, nil), filed(4, "elsewhere", time.Hour, nil),
	})
	h.carry(6, 60, 2*time.Minute, "queued", "in_progress")
	h.carry(5, 50, 10*time.Minute, "in_progress", "failure")
	h.carry(3, 30, 10*time.Hour, "in_progress", "success")
	h.carry(2, 20, 100*time.Hour, "in_progress", "success", "inactive")
	h.carry(1, 10, 200*time.Hour, "error")
	for _, run := range []int{10, 20, 30, 50, 60} {
		h.run(run, obj{"actor": obj{"login": "dev4"}})
	}
	s := openOn(t, h)
	b, err := s.ListEnvironments(context.Background(), ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))
	if err != nil {
		t.Fatal(err)
	}
	if b.Busy != sources.Live {
		t.Errorf("busy %v", b.Busy)
	}
	e := b.Items[0]
	if e.Ref != (sources.Ref{Source: "github", Kind: sources.KindEnvironment, Scope: scope, ID: "checkout/prod"}) || !e.Prod || e.Provider != "prod" {
		t.Errorf("environment %+v", e.Ref)
	}
	tg := e.Targets[0]
	if tg.Arriving == nil || tg.Arriving.Ref.ID != "6" || tg.Failed == nil || tg.Failed.Ref.ID != "5" || tg.Current == nil || tg.Current.Ref.ID != "3" {
		t.Fatalf("target %+v", tg)
	}
	cur := tg.Current
	if cur.Version.Tag.String() != "v1.9.2" || cur.Version.SHA != sha(3) || !cur.Verified || cur.Run.ID != "30" || cur.Actor.String() != "dev4" {
		t.Errorf("current %+v", cur)
	}
	if want := now.Add(-10*time.Hour + time.Minute); !cur.Ended.Equal(want) {
		t.Errorf("ended %s, want %s", cur.Ended, want)
	}
	var states []string
	for i, d := range e.History {
		states = append(states, d.Ref.ID+" "+d.State.String())
		if i > 0 && d.Created.After(e.History[i-1].Created) {
			t.Error("history is not newest first")
		}
	}
	if want := []string{"6 running", "5 failed", "3 passed", "2 superseded", "1 failed"}; !slices.Equal(states, want) {
		t.Errorf("history %v, want %v", states, want)
	}
}

// spoke gives a record statuses as "state age" pairs, oldest first, by the run that its log names.
func (h *hub) spoke(id, run int, said ...string) {
	var all []obj
	for i, one := range said {
		state, age, _ := strings.Cut(one, " ")
		d, err := time.ParseDuration(age)
		if err != nil {
			h.t.Fatal(err)
		}
		link := ""
		if run != 0 {
			link = fmt.Sprintf("https://github.com/%s/actions/runs/%d/job/%d", scope, run, run*10)
		}
		all = append(all, obj{"id": id*100 + i, "state": state, "log_url": link, "created_at": ago(d)})
	}
	slices.Reverse(all)
	h.json(fmt.Sprintf("%s/%d/statuses", deploysPath, id), all)
}

// GitHub makes what stood in an environment inactive when any newer record of that name succeeds, also
// one that deploys nothing. Run 50 deploys; run 60 names the environment for its secrets.
func TestWhatInactiveMeans(t *testing.T) {
	t.Parallel()
	type rec struct {
		id, run int
		age     string
		said    []string
		fields  obj
	}
	deploy := func(id int, age string, said ...string) rec { return rec{id: id, run: 50, age: age, said: said} }
	secrets := func(id int, age string, said ...string) rec { return rec{id: id, run: 60, age: age, said: said} }
	production := func(r rec) rec { r.fields = obj{"production_environment": true}; return r }
	for name, c := range map[string]struct {
		recs    []rec // newest first
		current string
		states  string
	}{
		"superseded by a newer deployment": {
			[]rec{deploy(2, "1h", "success 1h"), deploy(1, "9h", "success 9h", "inactive 1h")}, "2", "2 passed, 1 superseded",
		},
		"swept by a record that deploys nothing": {
			[]rec{secrets(2, "1h", "in_progress 1h", "success 59m"), deploy(1, "9h", "success 9h", "inactive 59m")}, "1", "1 passed",
		},
		"swept twice": {
			[]rec{secrets(3, "30m", "success 30m"), secrets(2, "1h", "success 1h", "inactive 30m"), deploy(1, "9h", "success 9h", "inactive 1h", "inactive 30m")}, "1", "1 passed",
		},
		"swept, and then torn down": {
			[]rec{secrets(2, "2h", "success 2h"), deploy(1, "9h", "success 9h", "inactive 2h", "inactive 30m")}, "", "1 superseded",
		},
		"torn down": {
			[]rec{deploy(1, "9h", "success 9h", "inactive 1h")}, "", "1 superseded",
		},
		"torn down after it had replaced another": {
			[]rec{deploy(2, "8h", "success 8h", "inactive 1h"), deploy(1, "9h", "success 9h", "inactive 8h")}, "", "2 superseded, 1 superseded",
		},
		"torn down, in production, where the older one keeps its success": {
			[]rec{production(deploy(2, "8h", "success 8h", "inactive 1h")), production(deploy(1, "9h", "success 9h"))}, "", "2 superseded, 1 passed",
		},
		"torn down long after a record that deploys nothing": {
			[]rec{secrets(2, "5h", "success 5h"), deploy(1, "9h", "success 9h", "inactive 1h")}, "", "1 superseded",
		},
		"swept by a record that failed sweeps nothing": {
			[]rec{secrets(2, "1h", "failure 1h"), deploy(1, "9h", "success 9h", "inactive 1h")}, "", "1 superseded",
		},
		"declared to run again": {
			[]rec{deploy(2, "8h", "success 8h", "inactive 1h"), deploy(1, "9h", "success 9h", "inactive 8h", "success 1h")}, "1", "2 superseded, 1 passed",
		},
		"production is not swept": {
			[]rec{production(secrets(2, "1h", "success 1h")), production(deploy(1, "9h", "success 9h"))}, "1", "1 passed",
		},
		"production whose older ones keep their success": {
			[]rec{production(deploy(2, "1h", "success 1h")), production(deploy(1, "9h", "success 9h"))}, "2", "2 passed, 1 passed",
		},
		"an attempt that failed stays one when it is swept": {
			[]rec{secrets(3, "1h", "success 1h"), deploy(2, "2h", "failure 2h", "inactive 1h"), deploy(1, "9h", "success 9h", "inactive 1h")}, "1", "2 failed, 1 passed",
		},
		"never ran": {
			[]rec{deploy(2, "1h", "queued 1h", "inactive 50m"), deploy(1, "9h", "success 9h")}, "1", "2 superseded, 1 passed",
		},
	} {
		h := newHub(t)
		var page []obj
		for _, r := range c.recs {
			age, err := time.ParseDuration(r.age)
			if err != nil {
				t.Fatal(err)
			}
			page = append(page, filed(r.id, "prod", age, r.fields))
			h.spoke(r.id, r.run, r.said...)
		}
		h.json(deploysPath, page)
		h.run(50, obj{"name": "release"})
		h.run(60, obj{"name": "ci"})
		h.jobNamed(50, "rollout")
		h.jobNamed(60, "integration tests")
		s := openOn(t, h)
		e := s.lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod"), Deploys: []string{"release"}}))[0]
		current := ""
		if d := e.Targets[0].Current; d != nil {
			current = d.Ref.ID
		}
		var states []string
		for _, d := range e.History {
			states = append(states, d.Ref.ID+" "+d.State.String())
		}
		if got := strings.Join(states, ", "); current != c.current || got != c.states {
			t.Errorf("%s: %q runs, history %s; want %q, %s", name, current, got, c.current, c.states)
		}
		for _, d := range e.History { // one record read alone is what the lane says of it
			for _, r := range c.recs {
				if fmt.Sprint(r.id) == d.Ref.ID {
					age, _ := time.ParseDuration(r.age)
					h.json(deploysPath+"/"+d.Ref.ID, filed(r.id, "prod", age, r.fields))
				}
			}
			v, err := s.Get(context.Background(), d.Ref)
			if got, ok := v.(sources.Deployment); err != nil || !ok || got.State != d.State || got.Revision != d.Revision {
				t.Errorf("%s: Get says %+v (%v), the lane %s %s", name, v, err, d.State, d.Revision)
			}
		}
	}
}

// Where targets share one environment, and services one repository, each sweeps the other's records.
func TestNeighboursThatShareAnEnvironmentDoNotEndEachOther(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{
		filed(3, "prod", time.Hour, obj{"payload": obj{"service": "reports", "target": "eu"}}),
		filed(2, "prod", 2*time.Hour, obj{"payload": obj{"service": "ledger", "target": "us"}}),
		filed(1, "prod", 9*time.Hour, obj{"payload": obj{"service": "ledger", "target": "eu"}}),
	})
	h.spoke(3, 0, "success 1h")
	h.spoke(2, 0, "success 2h", "inactive 1h")
	h.spoke(1, 0, "success 9h", "inactive 2h", "inactive 1h")
	prod := []sources.EnvironmentSpec{{Name: "prod", Targets: []string{"eu", "us"}, Prod: true}}
	envs := openOn(t, h).lanes(t, ask(sources.ServiceSpec{Name: "ledger", Environments: prod}, sources.ServiceSpec{Name: "reports", Environments: prod}))
	ledger := prodOf(t, envs, "ledger", "prod")
	if eu, us := ledger.Targets[0].Current, ledger.Targets[1].Current; eu == nil || eu.Ref.ID != "1" || us == nil || us.Ref.ID != "2" {
		t.Errorf("ledger runs %+v in eu and %+v in us", eu, us)
	}
	reports := prodOf(t, envs, "reports", "prod")
	if eu, us := reports.Targets[0].Current, reports.Targets[1].Current; eu == nil || eu.Ref.ID != "3" || us != nil {
		t.Errorf("reports runs %+v in eu and %+v in us", eu, us)
	}
}

func TestRecordThatNobodyCarriesOutDoesNotArriveForever(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{filed(2, "prod", time.Minute, nil), filed(1, "prod", 3*time.Hour, nil)})
	h.json(deploysPath+"/1/statuses", []obj{})
	h.json(deploysPath+"/2/statuses", []obj{})
	e := openOn(t, h).lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))[0]
	if a := e.Targets[0].Arriving; a == nil || a.Ref.ID != "2" {
		t.Errorf("arriving %+v", a)
	}
	if old := e.History[1]; old.State != sources.StateUnknown || old.Reason.IsZero() {
		t.Errorf("old record %+v", old)
	}
}

// dispatched is a hub whose prod was deployed by a dispatched workflow: the record holds main's SHA.
func dispatched(t *testing.T, title string, payload any) *hub {
	h := newHub(t)
	h.json(deploysPath, []obj{filed(1, "prod", time.Hour, obj{"payload": payload})})
	h.carry(1, 50, time.Hour, "success")
	h.run(50, obj{"event": "workflow_dispatch", "name": "deploy", "path": ".github/workflows/deploy.yml", "display_title": title})
	return h
}

var dispatchSpec = sources.ServiceSpec{Name: "checkout", Environments: []sources.EnvironmentSpec{{Name: "prod", Prod: true}}, VersionInput: "ref", DeployWorkflow: "deploy.yml"}

func TestDeployDispatchedWithASHAAsInputIsUnverified(t *testing.T) {
	t.Parallel()
	e := openOn(t, dispatched(t, "deploy", nil)).lanes(t, ask(dispatchSpec))[0]
	d := e.Targets[0].Current
	if d.Verified || d.Mismatch || len(d.Evidence) != 1 || d.Evidence[0].Kind != sources.FromRecord {
		t.Errorf("a branch's SHA passes for what was deployed: %+v", d)
	}
}

func TestDispatchInputEchoedInTheRunNameVerifies(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Deploy 9f8e7d6 to prod":        "9f8e7d6",
		"Deploy to prod, ref=v1.9.1":    "v1.9.1",
		"deploy (ref: 9f8e7d6c5b4a)":    "9f8e7d6c5b4a",
		"Deploy " + sha(9) + " to prod": sha(9),
	} {
		d := openOn(t, dispatched(t, title, nil)).lanes(t, ask(dispatchSpec))[0].Targets[0].Current
		if !d.Verified || d.Mismatch || d.Evidence[0].Kind != sources.FromInput || d.Version.SHA != want && d.Version.Tag.String() != want {
			t.Errorf("%q: version %+v verified %v mismatch %v", title, d.Version, d.Verified, d.Mismatch)
		}
	}
	d := openOn(t, dispatched(t, "Deploy v1.9.1 after v1.9.0", nil)).lanes(t, ask(dispatchSpec))[0].Targets[0].Current
	if d.Verified {
		t.Errorf("two versions in a title prove nothing: %+v", d.Version)
	}
}

func TestVersionFromPayload(t *testing.T) {
	t.Parallel()
	sp := dispatchSpec
	sp.VersionFrom.Payload = "image.tag"
	for _, payload := range []any{
		obj{"image": obj{"tag": "registry.example.com/checkout:v1.9.1@sha256:abc"}},
		`{"image":{"tag":"v1.9.1"}}`,
		obj{"image.tag": "v1.9.1"},
	} {
		if s, ok := payload.(string); ok { // a payload that was filed as text
			payload = json.RawMessage(fmt.Sprintf("%q", s))
		}
		d := openOn(t, dispatched(t, "deploy", payload)).lanes(t, ask(sp))[0].Targets[0].Current
		if !d.Verified || d.Version.Tag.String() != "v1.9.1" || d.Evidence[0].Kind != sources.FromPayload || d.Evidence[0].Detail.String() != "payload.image.tag" {
			t.Errorf("%v: %+v", payload, d)
		}
	}
	d := openOn(t, dispatched(t, "deploy", nil)).lanes(t, ask(sp))[0].Targets[0].Current
	if d.Verified {
		t.Error("verified without the evidence that was asked for")
	}
}

func TestVersionFromRunName(t *testing.T) {
	t.Parallel()
	sp := dispatchSpec
	sp.VersionFrom.RunName = `(?:Deploy|Release) (\S+)`
	h := dispatched(t, "Deploy v1.9.1 to prod", nil)
	h.json("/repos/"+scope+"/tags", []obj{{"name": "v1.9.1", "commit": obj{"sha": sha(8)}}})
	d := openOn(t, h).lanes(t, ask(sp))[0].Targets[0].Current
	if !d.Verified || d.Version.SHA != sha(8) || d.Version.Tag.String() != "v1.9.1" {
		t.Errorf("%+v", d)
	}
	if !slices.ContainsFunc(d.Evidence, func(e sources.Evidence) bool { return e.Kind == sources.FromRunName }) {
		t.Errorf("evidence %+v", d.Evidence)
	}
}

func TestRunningServiceTellsItsVersion(t *testing.T) {
	t.Parallel()
	h := dispatched(t, "Deploy v1.9.2", nil)
	var auth []string
	h.handle("/version/prod", func(w http.ResponseWriter, r *http.Request) {
		auth = append(auth, r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(`{"build":{"version":"v1.9.1"}}`))
	})
	sp := dispatchSpec
	sp.VersionFrom = sources.VersionFrom{URL: h.srv.URL + "/version/{{env}}", Field: "build.version"}
	d := openOn(t, h).lanes(t, ask(sp))[0].Targets[0].Current
	if !d.Verified || !d.Mismatch || d.Version.Tag.String() != "v1.9.1" || d.Evidence[0].Kind != sources.FromURL || !d.Evidence[0].At.Equal(now) {
		t.Errorf("the service says v1.9.1, the run's name v1.9.2: %+v", d)
	}
	if !slices.Equal(auth, []string{""}) {
		t.Errorf("the token went to the service: %q", auth)
	}
}

func TestServiceThatDoesNotTellItsVersionIsNotVerified(t *testing.T) {
	t.Parallel()
	h := dispatched(t, "Deploy v1.9.2", nil)
	h.handle("/version", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>sign in here</html>")) })
	sp := dispatchSpec
	sp.VersionFrom = sources.VersionFrom{URL: h.srv.URL + "/version"}
	b, err := openOn(t, h).ListEnvironments(context.Background(), ask(sp))
	if err != nil {
		t.Fatal(err)
	}
	if d := b.Items[0].Targets[0].Current; d.Verified {
		t.Errorf("%+v", d)
	}
	if len(b.Notices) != 1 || !strings.Contains(b.Notices[0].Text.String(), "does not tell its version") || b.Notices[0].Fix.IsZero() {
		t.Errorf("notices %+v", b.Notices)
	}
}

func TestTwoPiecesOfEvidenceThatDisagreeAreAMismatch(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/repos/"+scope+"/tags", []obj{{"name": "v1.9.1", "commit": obj{"sha": sha(8)}}})
	h.json(deploysPath, []obj{filed(1, "prod", time.Hour, obj{"payload": obj{"version": "v1.9.1"}})})
	h.carry(1, 50, time.Hour, "success")
	h.run(50, nil) // a push: the record's SHA is what was deployed
	d := openOn(t, h).lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))[0].Targets[0].Current
	if !d.Mismatch {
		t.Errorf("payload says %s, record %s: %+v", sha(8), sha(1), d)
	}
}

func TestRecordsFiledForSecretsAloneDoNotCount(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{filed(2, "prod", time.Hour, nil), filed(1, "prod", 20*time.Hour, nil)})
	h.carry(2, 60, time.Hour, "success")
	h.carry(1, 50, 20*time.Hour, "success")
	h.run(50, obj{"name": "release"})
	h.run(60, obj{"name": "ci"})
	h.jobNamed(50, "ship / rollout (eu)")
	h.jobNamed(60, "integration tests")
	for _, deploys := range []string{"release", "rollout", "ship"} {
		e := openOn(t, h).lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod"), Deploys: []string{deploys}}))[0]
		if c := e.Targets[0].Current; c == nil || c.Ref.ID != "1" || len(e.History) != 1 {
			t.Errorf("deploys: [%s]: current %+v", deploys, c)
		}
	}
}

// Each of `deploys:`, `workflows:` and `tag_prefix:` narrows: a record must pass them all.
func TestRecordMustPassEverythingThatNarrows(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{
		filed(4, "prod", time.Hour, obj{"ref": "payouts/v1.4.0"}), filed(3, "prod", 2*time.Hour, nil),
		filed(2, "prod", 3*time.Hour, nil), filed(1, "prod", 4*time.Hour, obj{"ref": "ledger/v3.2.9"}),
	})
	for id := 1; id <= 4; id++ {
		h.carry(id, id*10, time.Duration(5-id)*time.Hour, "success")
		h.run(id*10, obj{"name": "release"})
		h.jobNamed(id*10, "rollout")
	}
	h.run(30, obj{"name": "deploy-payouts", "path": ".github/workflows/deploy-payouts.yml"})
	h.jobNamed(20, "integration tests")
	h.json("/repos/"+scope+"/tags", []obj{{"name": "payouts/v1.4.0", "commit": obj{"sha": sha(4)}}})
	e := openOn(t, h).lanes(t, ask(sources.ServiceSpec{
		Name: "ledger", Environments: stages("prod"), TagPrefix: "ledger/", Workflows: []string{"ci", "release"}, Deploys: []string{"rollout"},
	}))[0]
	if len(e.History) != 1 || e.History[0].Ref.ID != "1" {
		t.Errorf("history %+v", e.History)
	}
}

// A service that names no environments gets those that GitHub has, when nobody else could own them.
func TestServiceWithoutConfiguredEnvironments(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/repos/"+scope+"/environments", obj{"total_count": 3, "environments": []obj{{"id": 1, "name": "production"}, {"id": 2, "name": "staging"}, {"id": 3, "name": "github-pages"}}})
	s := openOn(t, h)
	var names []string
	for _, e := range s.lanes(t, ask(sources.ServiceSpec{Name: "till"})) {
		names = append(names, e.Service+"/"+e.Name)
	}
	if want := []string{"till/staging", "till/production"}; !slices.Equal(names, want) {
		t.Errorf("alone: %v, want %v", names, want)
	}
	if envs := s.lanes(t, ask(sources.ServiceSpec{Name: "till"}, sources.ServiceSpec{Name: "cart"})); len(envs) != 0 {
		t.Errorf("two services share a repository, and one got %v", envs[0].Name)
	}
	v, err := s.Get(context.Background(), sources.Ref{Source: "github", Kind: sources.KindEnvironment, Scope: scope, ID: "till/staging"})
	if err == nil {
		t.Errorf("an environment of a service of several: %v", v)
	}
}

func TestTwoServicesOfOneRepositoryNeverSwapDeployments(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{
		filed(7, "prod", 1*time.Hour, obj{"sha": sha(7)}),
		filed(6, "prod", 2*time.Hour, nil),
		filed(5, "prod", 3*time.Hour, obj{"sha": sha(5)}),
		filed(4, "prod", 4*time.Hour, nil),
		filed(3, "prod", 5*time.Hour, obj{"ref": "reports/v2.0.0"}),
		filed(2, "prod", 6*time.Hour, obj{"payload": obj{"service": "ledger"}}),
	})
	for id := 2; id <= 7; id++ {
		h.carry(id, id*10, time.Duration(id)*time.Hour, "success")
		h.run(id*10, obj{"name": "deploy", "path": ".github/workflows/deploy.yml"})
		h.jobNamed(id*10, "deploy")
	}
	h.run(40, obj{"name": "deploy", "event": "workflow_dispatch", "display_title": "Deploy reports to prod"})
	h.run(60, obj{"name": "deploy", "event": "workflow_dispatch", "display_title": "Deploy to prod"})
	commit := func(n int, files ...string) {
		var fs []obj
		for _, f := range files {
			fs = append(fs, obj{"filename": f})
		}
		h.json(fmt.Sprintf("/repos/%s/commits/%s", scope, sha(n)), obj{"sha": sha(n), "files": fs})
	}
	commit(2)
	commit(3)
	commit(5, "ledger/x.go")
	commit(7, "ledger/x.go", "reports/y.go")
	b, err := openOn(t, h).ListEnvironments(context.Background(), ask(
		sources.ServiceSpec{Name: "ledger", Environments: stages("prod"), Paths: []string{"ledger/**"}, TagPrefix: "ledger/"},
		sources.ServiceSpec{Name: "reports", Environments: stages("prod"), Paths: []string{"reports/**"}, TagPrefix: "reports/"},
	))
	if err != nil {
		t.Fatal(err)
	}
	history := func(service string) (ids []string) {
		for _, d := range prodOf(t, b.Items, service, "prod").History {
			ids = append(ids, d.Ref.ID)
		}
		return ids
	}
	if got := history("ledger"); !slices.Equal(got, []string{"5", "2"}) {
		t.Errorf("ledger has %v, want [5 2]", got)
	}
	if got := history("reports"); !slices.Equal(got, []string{"4", "3"}) {
		t.Errorf("reports has %v, want [4 3]", got)
	}
	for _, service := range []string{"ledger", "reports"} { // 6 and 7 came after, and may be either's
		if c := prodOf(t, b.Items, service, "prod").Targets[0].Current; c == nil || c.Verified {
			t.Errorf("%s is sure of what runs: %+v", service, c)
		}
	}
	if len(b.Notices) != 1 || !strings.Contains(b.Notices[0].Text.String(), "do not tell whose they are: ledger, reports") {
		t.Errorf("what cannot be told must be said: %+v", b.Notices)
	}
}

func TestTargetsAreEnvironmentsOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{filed(3, "production-us", time.Minute, nil), filed(2, "production-eu", time.Hour, nil), filed(1, "production-us", 2*time.Hour, nil)})
	h.carry(3, 0, time.Minute, "failure")
	h.carry(2, 0, time.Hour, "success")
	h.carry(1, 0, 2*time.Hour, "success")
	sp := sources.ServiceSpec{Name: "accounts", Environments: []sources.EnvironmentSpec{{Name: "prod", Provider: "production-{{target}}", Targets: []string{"eu", "us"}, Prod: true}}}
	e := openOn(t, h).lanes(t, ask(sp))[0]
	if len(e.Targets) != 2 || e.Targets[0].Name != "eu" || e.Targets[0].Current.Ref.ID != "2" || e.Targets[0].Failed != nil {
		t.Errorf("eu: %+v", e.Targets)
	}
	if us := e.Targets[1]; us.Current.Ref.ID != "1" || us.Failed == nil || us.Failed.Ref.ID != "3" || us.Current.Target != "us" {
		t.Errorf("us: %+v", us)
	}
	if e.Provider != "production-eu, production-us" || e.Name != "prod" {
		t.Errorf("names %q %q", e.Name, e.Provider)
	}
}

func TestTargetsInOneEnvironmentAreToldByTheJob(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{filed(4, "prod", time.Minute, nil), filed(3, "prod", time.Hour, nil), filed(2, "prod", 2*time.Hour, nil), filed(1, "prod", 3*time.Hour, nil)})
	for id, job := range map[int]string{4: "deploy (eu)", 3: "deploy (us)", 2: "deploy", 1: "deploy"} {
		h.carry(id, id*10, time.Duration(5-id)*time.Hour, "success")
		h.run(id*10, nil)
		h.jobNamed(id*10, job)
	}
	sp := sources.ServiceSpec{Name: "accounts", Environments: []sources.EnvironmentSpec{{Name: "prod", Targets: []string{"eu", "us"}}}}
	e := openOn(t, h).lanes(t, ask(sp))[0]
	if e.Targets[0].Current.Ref.ID != "4" || e.Targets[1].Current.Ref.ID != "3" {
		t.Errorf("eu %s, us %s", e.Targets[0].Current.Ref.ID, e.Targets[1].Current.Ref.ID)
	}
	if len(e.History) != 4 || e.History[2].Target != "" || e.History[0].Target != "eu" {
		t.Errorf("a record of both targets is in the history once: %+v", e.History)
	}
}

func TestProvidersNameForAnEnvironment(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{filed(2, "prod", time.Minute, nil), filed(1, "production-eu/west", time.Hour, nil)})
	h.carry(2, 0, time.Minute, "success")
	h.carry(1, 0, time.Hour, "success")
	sp := sources.ServiceSpec{Name: "checkout", Environments: []sources.EnvironmentSpec{{Name: "prod", Provider: "production-eu/west"}}}
	e := openOn(t, h).lanes(t, ask(sp))[0]
	if e.Targets[0].Current.Ref.ID != "1" || e.Name != "prod" || e.Provider != "production-eu/west" || !strings.HasSuffix(e.URL, "/deployments/production-eu%2Fwest") {
		t.Errorf("%+v", e)
	}
}

func TestOriginalEnvironmentStandsInForAMissingOne(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{filed(1, "prod", time.Hour, obj{"environment": nil})})
	h.carry(1, 0, time.Hour, "success")
	if e := openOn(t, h).lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))[0]; e.Targets[0].Current == nil {
		t.Error("the record was lost")
	}
}

func TestBusyEnvironmentDoesNotPushProdOffThePage(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var page []obj
	for i := range 100 {
		page = append(page, filed(1000-i, "dev", time.Duration(i)*time.Minute, nil))
	}
	h.json(deploysPath, page, "Link", fmt.Sprintf(`<%s%s?per_page=100&page=2>; rel="next"`, h.srv.URL, deploysPath))
	h.json(deploysPath+"?per_page=30&environment=prod", []obj{filed(1, "prod", 900*time.Hour, nil)})
	for _, id := range []int{1000, 999, 998, 1} {
		h.carry(id, 0, time.Hour, "success")
	}
	envs := openOn(t, h).lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("dev", "prod")}))
	if c := prodOf(t, envs, "checkout", "prod").Targets[0].Current; c == nil || c.Ref.ID != "1" {
		t.Errorf("prod runs %+v", c)
	}
}

func TestAheadIsCountedByPathsBetweenAdjacentEnvironments(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{filed(2, "staging", time.Hour, nil), filed(1, "prod", 9*time.Hour, nil)})
	h.carry(2, 0, time.Hour, "success")
	h.carry(1, 0, 9*time.Hour, "success")
	commits := []obj{}
	for i := 11; i <= 14; i++ {
		commits = append(commits, obj{"sha": sha(i), "commit": obj{"message": fmt.Sprint("c", i)}})
		file := "ledger/a.go"
		if i == 12 {
			file = "reports/b.go"
		}
		h.json("/repos/"+scope+"/commits/"+sha(i), obj{"sha": sha(i), "files": []obj{{"filename": file}}})
	}
	h.json("/repos/"+scope+"/compare/"+sha(1)+"..."+sha(2), obj{"status": "diverged", "ahead_by": 4, "behind_by": 1, "total_commits": 4, "commits": commits,
		"files": []obj{{"filename": "ledger/a.go"}, {"filename": "reports/b.go"}}})
	h.json("/repos/"+scope+"/compare/"+sha(2)+"..."+sha(1), obj{"status": "diverged", "ahead_by": 1, "behind_by": 4, "total_commits": 1,
		"commits": []obj{{"sha": sha(20), "commit": obj{"message": "hotfix"}}}, "files": []obj{{"filename": "ledger/fix.go"}}})
	h.json("/repos/"+scope+"/commits/"+sha(20), obj{"sha": sha(20), "files": []obj{{"filename": "ledger/fix.go"}}})
	s := openOn(t, h)
	all := s.lanes(t, ask(sources.ServiceSpec{Name: "x", Environments: stages("staging", "prod")}))
	if e := prodOf(t, all, "x", "prod"); e.Ahead != 4 || e.Behind != 1 || e.Previous != "staging" {
		t.Errorf("whole repository: ahead %d behind %d of %q", e.Ahead, e.Behind, e.Previous)
	}
	mono := s.lanes(t, ask(sources.ServiceSpec{Name: "ledger", Environments: stages("staging", "prod"), Paths: []string{"ledger/**"}}))
	if e := prodOf(t, mono, "ledger", "prod"); e.Ahead != 3 || e.Behind != 1 {
		t.Errorf("ledger/**: ahead %d behind %d, want 3 and 1", e.Ahead, e.Behind)
	}
	if e := mono[0]; e.Ahead != -1 {
		t.Errorf("the first stage has nothing before it, and is ahead by %d", e.Ahead)
	}
	h.asked()
	if _, err := s.ListEnvironments(context.Background(), ask(sources.ServiceSpec{Name: "ledger", Environments: stages("staging", "prod"), Paths: []string{"ledger/**"}})); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("second read: %v", err)
	}
	for _, p := range h.asked() {
		if strings.Contains(p, "/compare/") || strings.Contains(p, "/commits/") {
			t.Errorf("two SHAs were compared again: %s", p)
		}
	}
}

func TestUnverifiedVersionsAreNotCompared(t *testing.T) {
	t.Parallel()
	h := dispatched(t, "deploy", nil)
	h.json(deploysPath, []obj{filed(1, "prod", time.Hour, nil), filed(2, "staging", time.Hour, nil)})
	h.carry(2, 50, time.Hour, "success")
	sp := dispatchSpec
	sp.Environments = stages("staging", "prod")
	if e := prodOf(t, openOn(t, h).lanes(t, ask(sp)), "checkout", "prod"); e.Ahead != -1 {
		t.Errorf("ahead %d of a version that nobody knows", e.Ahead)
	}
}

func TestGatesOfAnEnvironment(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	waiting := wireOf(1, obj{"status": "waiting", "conclusion": nil, "event": "workflow_dispatch", "path": ".github/workflows/deploy.yml", "display_title": "Deploy v0.8.1"})
	h.json(runsPath+"?per_page=30&status=waiting", runs(waiting))
	h.json(runsPath+"/1/pending_deployments", []obj{{"environment": obj{"id": 7, "name": "production"}, "current_user_can_approve": true, "reviewers": []obj{{"type": "User", "reviewer": obj{"login": "sre1"}}}}})
	sp := sources.ServiceSpec{Name: "search", VersionInput: "ref", DeployWorkflow: "deploy.yml", Environments: []sources.EnvironmentSpec{{Name: "staging"}, {Name: "prod", Provider: "production"}}}
	b, err := openOn(t, h).ListEnvironments(context.Background(), ask(sp))
	if err != nil {
		t.Fatal(err)
	}
	if b.Busy != sources.WaitingForPerson {
		t.Errorf("busy %v", b.Busy)
	}
	if staging := prodOf(t, b.Items, "search", "staging"); len(staging.Gates) != 0 {
		t.Errorf("staging waits: %+v", staging.Gates)
	}
	g := prodOf(t, b.Items, "search", "prod").Gates
	if len(g) != 1 || g[0].Version.Tag.String() != "v0.8.1" || !g[0].CanApprove || g[0].Run.ID != "1" {
		t.Errorf("gates %+v", g)
	}
}

func TestEnvironmentsWithoutConfig(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/repos/"+scope+"/environments", obj{"total_count": 3, "environments": []obj{{"id": 1, "name": "production"}, {"id": 2, "name": "staging"}, {"id": 3, "name": "dev"}}})
	envs := openOn(t, h).lanes(t, ask())
	var names []string
	for _, e := range envs {
		names = append(names, e.Service+"/"+e.Name)
	}
	if want := []string{"checkout/dev", "checkout/staging", "checkout/production"}; !slices.Equal(names, want) || !envs[2].Prod || envs[1].Prod {
		t.Errorf("environments %v", names)
	}
}

func TestOlderLogAddressesNameTheJobAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(deploysPath, []obj{filed(1, "prod", time.Hour, nil)})
	h.json(deploysPath+"/1/statuses", []obj{{"id": 1, "state": "success", "target_url": "https://github.com/" + scope + "/runs/500", "created_at": ago(time.Hour)}})
	h.jobNamed(50, "deploy")
	h.run(50, nil)
	if d := openOn(t, h).lanes(t, ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")}))[0].Targets[0].Current; d.Run.ID != "50" {
		t.Errorf("run %+v", d.Run)
	}
}

// What a refresh costs does not grow with the records: an ended deployment's statuses are read when its
// record changes, and else once in a while.
func TestStatusesOfSettledDeploymentsAreNotReadAtEachPoll(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var page []obj
	for id := 8; id >= 1; id-- {
		page = append(page, filed(id, "prod", time.Duration(10-id)*time.Hour, nil))
		h.carry(id, 0, time.Duration(10-id)*time.Hour, "failure")
	}
	h.json(deploysPath+"/7/statuses", []obj{}) // nobody carries it out
	h.json(deploysPath, page)
	s := openOn(t, h)
	var mu sync.Mutex
	at := now
	s.env.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); at = at.Add(d) }
	q := ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")})
	read := func() (asked []string) {
		t.Helper()
		h.asked()
		if _, err := s.ListEnvironments(context.Background(), q); err != nil && !errors.Is(err, sources.ErrNotModified) {
			t.Fatal(err)
		}
		for _, p := range h.asked() {
			if strings.Contains(p, "/statuses") {
				asked = append(asked, strings.Split(strings.TrimPrefix(p, deploysPath+"/"), "/")[0])
			}
		}
		slices.Sort(asked)
		return asked
	}
	if got := read(); len(got) != 8 {
		t.Errorf("the first read asks for %v", got)
	}
	pass(time.Minute)
	if got := read(); len(got) != 0 {
		t.Errorf("a minute later %v are asked for again", got)
	}
	h.carry(2, 0, 8*time.Hour, "success", "inactive")
	page[6]["updated_at"] = ago(0)
	h.json(deploysPath, page)
	if got := read(); !slices.Equal(got, []string{"2"}) {
		t.Errorf("a record that changed: %v are asked for, want 2 alone", got)
	}
	pass(3 * time.Minute)
	if got := read(); !slices.Equal(got, []string{"6", "7", "8"}) {
		t.Errorf("minutes later %v are asked for again, want the newest three", got)
	}
	pass(20 * time.Minute)
	if got := read(); len(got) != 8 {
		t.Errorf("much later %v are asked for again, want all", got)
	}
}
