package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

const lookAtEnvironment = "look at the repository's runs and deployments before you try again"

// dispatchRequest starts a workflow. go-github's own type lacks Details, without which GitHub does not say
// which run it started.
type dispatchRequest struct {
	Ref     string            `json:"ref"`
	Inputs  map[string]string `json:"inputs,omitempty"`
	Details bool              `json:"return_run_details,omitempty"`
}

// startedRun is GitHub's answer to one.
type startedRun struct {
	RunID int64  `json:"workflow_run_id"`
	URL   string `json:"html_url"`
}

func refusedCall(c sources.Call, kind sources.ErrKind, msg, fix string) error {
	return &sources.Error{Kind: kind, Op: string(c.Verb), Scope: c.Target.Scope, Msg: msg, Fix: fix}
}

// dispatchOf is the request that a call asks for, and its path below the repository.
func (s *source) dispatchOf(c sources.Call) (path string, d dispatchRequest, err error) {
	file, marker := c.Fields[sources.FieldWorkflow], c.Fields[sources.FieldMarker]
	d = dispatchRequest{Ref: c.Fields[sources.FieldRef], Inputs: map[string]string{}, Details: s.tellsRuns()}
	switch {
	case file == "" || d.Ref == "":
		return "", d, refusedCall(c, sources.Invalid, "it does not say which workflow of which branch", "set deploy.workflow: of the service")
	case !d.Details && marker == "":
		return "", d, refusedCall(c, sources.Unsupported, "this GitHub does not say which run a dispatch starts",
			"give the workflow an input that its run-name shows, and name it in deploy.marker")
	}
	for name, value := range c.Fields {
		if input, ok := strings.CutPrefix(name, sources.FieldInput); ok {
			d.Inputs[input] = value
		}
	}
	if marker != "" {
		d.Inputs[marker] = c.ID
	}
	return "actions/workflows/" + url.PathEscape(file) + "/dispatches", d, nil
}

// tellsRuns reports whether this GitHub answers a dispatch with the run that it starts. Enterprise servers do
// not, and refuse to be asked.
func (s *source) tellsRuns() bool {
	return s.api.Hostname() == "api.github.com" || strings.HasSuffix(s.api.Hostname(), ".ghe.com") || !strings.Contains(s.api.Path, "/api/v3")
}

// deploymentOf is the deployment that a call files. Its description carries the call's identity, so that it
// is found again when the answer was lost.
func deploymentOf(c sources.Call, environment string) *gh.DeploymentRequest {
	return &gh.DeploymentRequest{
		Ref: gh.String(c.Fields[sources.FieldVersion]), Environment: gh.String(environment), AutoMerge: gh.Bool(false),
		Description: gh.String("signalbox " + c.ID), Payload: map[string]string{"signalbox": c.ID},
	}
}

// environmentOf reads the environment of a call anew.
func (s *source) environmentOf(ctx context.Context, c sources.Call) (sources.Environment, error) {
	obj, err := s.getEnvironment(fresh(ctx), c.Target, false)
	if err != nil {
		return sources.Environment{}, err
	}
	e, ok := obj.(sources.Environment)
	if !ok {
		return e, refusedCall(c, sources.Invalid, "it is no environment", "")
	}
	return e, nil
}

// placeOf reads an environment for who follows an effect there, again and again: GitHub is asked each time,
// and what has not changed since the last look is not counted.
func (s *source) placeOf(ctx context.Context, ref sources.Ref) (sources.Environment, error) {
	obj, err := s.getEnvironment(ctx, ref, false)
	if err != nil {
		return sources.Environment{}, err
	}
	e, ok := obj.(sources.Environment)
	if !ok {
		return e, &sources.Error{Kind: sources.Invalid, Op: "read environment", Scope: ref.Scope, Msg: "it is no environment"}
	}
	return e, nil
}

// targetsOf are the targets of e that a call means.
func targetsOf(c sources.Call, e *sources.Environment) []sources.Target {
	if c.Fields[sources.FieldTargets] == "" {
		return e.Targets
	}
	names := strings.Split(c.Fields[sources.FieldTargets], ",")
	return slices.DeleteFunc(slices.Clone(e.Targets), func(t sources.Target) bool { return !slices.Contains(names, t.Name) })
}

func (s *source) previewDeploy(ctx context.Context, c sources.Call) (sources.Preview, error) {
	e, err := s.environmentOf(ctx, c)
	if err != nil {
		return sources.Preview{}, err
	}
	targets := targetsOf(c, &e)
	p := sources.Preview{Covers: len(targets)}
	for _, t := range targets {
		now := "nothing"
		if t.Current != nil {
			now = t.Current.Version.Short().String()
		}
		p.Lines = append(p.Lines, clean.Linef("%s %s runs %s", e.Name, t.Name, now))
	}
	if c.Verb == sources.Deploy {
		provider, err := s.oneProvider(c, &e)
		if err != nil {
			return p, err
		}
		p.How = clean.Linef("%s · file a deployment of %s to %s", s.env.Source, short(c.Fields[sources.FieldVersion]), provider)
		return p, nil
	}
	_, d, err := s.dispatchOf(c)
	if err != nil {
		return p, err
	}
	var inputs []string
	for name, value := range d.Inputs {
		inputs = append(inputs, name+"="+value)
	}
	slices.Sort(inputs)
	p.How = clean.Linef("%s · dispatch %s@%s, input %s", s.env.Source, c.Fields[sources.FieldWorkflow], d.Ref, strings.Join(inputs, " "))
	return p, nil
}

func short(sha string) string { return sha[:min(7, len(sha))] }

// oneProvider is the provider's name of the one environment that a deployment is filed for.
func (s *source) oneProvider(c sources.Call, e *sources.Environment) (string, error) {
	name := e.Name
	for _, sp := range s.services(c.Target.Scope).services {
		for _, env := range sp.Environments {
			if sp.Name == e.Service && env.Name == e.Name {
				name = firstOf(env.Provider, env.Name)
			}
		}
	}
	if !strings.Contains(name, "{{target}}") {
		return name, nil
	}
	targets := targetsOf(c, e)
	if len(targets) != 1 {
		return "", refusedCall(c, sources.Unsupported, fmt.Sprintf("a deployment is of one target, and these are %d", len(targets)), "name one of them")
	}
	return strings.ReplaceAll(name, "{{target}}", targets[0].Name), nil
}

// deploy carries out a call on an environment with one request.
func (s *source) deploy(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	conn, err := s.repo(ctx, c.Target.Scope)
	if err != nil {
		return sources.Receipt{}, err
	}
	if shaOf(c.Fields[sources.FieldVersion]) == "" {
		return sources.Receipt{}, refusedCall(c, sources.Invalid, "it does not say which commit is to run", "")
	}
	if c.Verb == sources.Deploy {
		return s.file(ctx, conn, c)
	}
	path, d, err := s.dispatchOf(c)
	if err != nil {
		return sources.Receipt{}, err
	}
	answer, err := conn.change(ctx, string(c.Verb), conn.path+"/"+path, d, lookAtEnvironment)
	if err != nil {
		return sources.Receipt{}, err
	}
	rc := sources.Receipt{Text: clean.Const("GitHub took it")}
	var run startedRun
	if json.Unmarshal(answer, &run) == nil && run.RunID > 0 {
		rc.ID, rc.URL = strconv.FormatInt(run.RunID, 10), clean.Line(run.URL).String()
		rc.Made = sources.Ref{Source: s.env.Source, Kind: sources.KindRun, Scope: c.Target.Scope, ID: rc.ID}
	}
	return rc, nil
}

// file makes a deployment record.
func (s *source) file(ctx context.Context, conn *repoConn, c sources.Call) (sources.Receipt, error) {
	e, err := s.environmentOf(ctx, c)
	if err != nil {
		return sources.Receipt{}, err
	}
	provider, err := s.oneProvider(c, &e)
	if err != nil {
		return sources.Receipt{}, err
	}
	answer, err := conn.change(ctx, string(c.Verb), conn.path+"/deployments", deploymentOf(c, provider), lookAtEnvironment)
	if err != nil {
		return sources.Receipt{}, err
	}
	rc := sources.Receipt{Text: clean.Const("the deployment is filed")}
	var made wireDeployment
	if json.Unmarshal(answer, &made) == nil && made.ID > 0 {
		rc.ID = strconv.FormatInt(made.ID, 10)
		rc.Made = sources.Ref{Source: s.env.Source, Kind: sources.KindDeployment, Scope: c.Target.Scope, ID: rc.ID}
	}
	return rc, nil
}

// verifyDeploy looks whether the version of a call runs in the targets that it means. The environment is
// the authority: a run that passed has deployed nothing for sure.
func (s *source) verifyDeploy(ctx context.Context, c sources.Call, receipt sources.Receipt) (sources.Progress, error) {
	e, err := s.placeOf(ctx, c.Target)
	if err != nil {
		return sources.Progress{}, err
	}
	v := arrival{call: c, env: &e, made: receipt.Made}
	if p, ok := v.there(); ok {
		return p, nil
	}
	run, found, err := s.startedBy(ctx, c, receipt)
	if err != nil {
		return sources.Progress{}, err
	}
	if found {
		v.run, v.since = &run, run.Created
	}
	return s.arrived(ctx, &v)
}

func places(e *sources.Environment, targets []string) string {
	return strings.TrimSpace(e.Name + " " + strings.Join(targets, " "))
}

// startedBy is the run that a dispatch started: by the id that GitHub answered, or by the call's own mark in
// the run's name. Nothing is guessed from times or people.
func (s *source) startedBy(ctx context.Context, c sources.Call, receipt sources.Receipt) (sources.Run, bool, error) {
	if c.Verb != sources.Dispatch {
		return sources.Run{}, false, nil
	}
	ref := receipt.Made
	if ref.IsZero() {
		if c.Fields[sources.FieldMarker] == "" {
			return sources.Run{}, false, nil
		}
		conn, err := s.repo(ctx, c.Target.Scope)
		if err != nil {
			return sources.Run{}, false, err
		}
		path := fmt.Sprintf("%s/actions/workflows/%s/runs?event=workflow_dispatch&per_page=50", conn.path, url.PathEscape(c.Fields[sources.FieldWorkflow]))
		r, err := get[wireRuns](ctx, conn.conn, path)
		if err != nil {
			return sources.Run{}, false, conn.fail("find the run", err)
		}
		i := slices.IndexFunc(r.Value.Runs, func(w wireRun) bool { return strings.Contains(w.DisplayTitle, c.ID) })
		if i < 0 {
			return sources.Run{}, false, nil
		}
		ref = s.runRef(c.Target.Scope, r.Value.Runs[i].ID)
	}
	obj, err := s.getRun(fresh(ctx), ref)
	if err != nil {
		if sources.KindOf(err) == sources.NotExist { // GitHub lists a run that it has just started a moment later
			return sources.Run{}, false, nil
		}
		return sources.Run{}, false, err
	}
	run, ok := obj.(sources.Run)
	return run, ok, nil
}
