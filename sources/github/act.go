package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

const lookAtRun = "look at the run on GitHub before you try again"

// Actions lists what can be done to runs, to the gates that they wait for, and to environments.
func (s *source) Actions() []sources.ActionSpec {
	return []sources.ActionSpec{
		{Verb: sources.Approve, On: sources.KindRun, Doc: "approves the environments that the run waits for"},
		{Verb: sources.Reject, On: sources.KindRun, Doc: "rejects the environments that the run waits for: their jobs fail"},
		{Verb: sources.RerunFailed, On: sources.KindRun, Doc: "runs the failed jobs, and those that depend on them, again with the same commit"},
		{Verb: sources.RerunAll, On: sources.KindRun, Doc: "runs all jobs again with the same commit"},
		{Verb: sources.Cancel, On: sources.KindRun, Doc: "asks the run's jobs to stop"},
		{Verb: sources.Dispatch, On: sources.KindEnvironment, Doc: "starts the deploy workflow with its inputs"},
		{Verb: sources.Deploy, On: sources.KindEnvironment, Doc: "files a deployment, which deploys only where something listens for it"},
	}
}

// act is one call about a run, and the run as it is.
type act struct {
	*repoConn
	id    int64
	call  sources.Call
	run   sources.Run
	gates []sources.Gate // that an approval is for
}

// offered refuses what Actions does not list.
func (s *source) offered(c sources.Call) error {
	if slices.ContainsFunc(s.Actions(), func(spec sources.ActionSpec) bool { return spec.Verb == c.Verb && spec.On == c.Target.Kind }) {
		return nil
	}
	return &sources.Error{Kind: sources.Unsupported, Op: string(c.Verb), Scope: c.Target.Scope, Msg: fmt.Sprintf("GitHub cannot %s a %s", c.Verb, c.Target.Kind)}
}

func (s *source) act(ctx context.Context, c sources.Call) (*act, error) {
	conn, id, err := s.object(ctx, c.Target, sources.KindRun)
	if err != nil {
		return nil, err
	}
	obj, err := s.getRun(fresh(ctx), c.Target)
	if err != nil {
		return nil, err
	}
	run, ok := obj.(sources.Run)
	if !ok {
		return nil, &sources.Error{Kind: sources.Invalid, Op: string(c.Verb), Scope: c.Target.Scope, Msg: "it is no run"}
	}
	a := &act{repoConn: conn, id: id, call: c, run: run}
	return a, nil
}

// path and body are the one request that carries the call out.
func (a *act) request() (path string, body any, err error) {
	base := fmt.Sprintf("%s/actions/runs/%d", a.path, a.id)
	switch a.call.Verb {
	case sources.Approve, sources.Reject:
		if err := a.choose(); err != nil {
			return "", nil, err
		}
		review := gh.PendingDeploymentsRequest{State: "approved", Comment: a.call.Text}
		if a.call.Verb == sources.Reject {
			review.State = "rejected"
		}
		for _, g := range a.gates {
			review.EnvironmentIDs = append(review.EnvironmentIDs, g.EnvironmentID)
		}
		return base + "/pending_deployments", review, nil
	case sources.RerunFailed:
		return base + "/rerun-failed-jobs", nil, a.wants(a.run.State.Done(), "it has not ended yet")
	case sources.RerunAll:
		return base + "/rerun", nil, a.wants(a.run.State.Done(), "it has not ended yet")
	default:
		return base + "/cancel", nil, a.wants(!a.run.State.Done(), "it has ended already, as "+a.run.State.String())
	}
}

func (a *act) wants(ok bool, why string) error {
	if ok {
		return nil
	}
	return &sources.Error{Kind: sources.Conflict, Msg: why}
}

// choose picks the gates that the call is for: those that it names, or all that this identity may approve.
func (a *act) choose() error {
	var names []string
	if list := a.call.Fields[sources.FieldEnvironments]; list != "" {
		names = strings.Split(list, ",")
	}
	for _, g := range a.run.Gates {
		switch named := slices.Contains(names, g.Environment); {
		case named && !g.CanApprove:
			return &sources.Error{Kind: sources.Permission, Msg: "you may not decide about " + g.Environment, Fix: "ask " + reviewers(g)}
		case named || len(names) == 0 && g.CanApprove:
			a.gates = append(a.gates, g)
		}
	}
	switch {
	case len(a.run.Gates) == 0:
		return &sources.Error{Kind: sources.Conflict, Msg: "it waits for nobody any more"}
	case len(a.gates) == 0 && len(names) == 0:
		return &sources.Error{Kind: sources.Permission, Msg: "it waits for others", Fix: "ask " + reviewers(a.run.Gates[0])}
	case len(a.gates) < len(names):
		return &sources.Error{Kind: sources.Conflict, Msg: "it does not wait for each of " + strings.Join(names, ", ") + " any more"}
	}
	return nil
}

func reviewers(g sources.Gate) string {
	if len(g.Reviewers) == 0 {
		return "who may approve " + g.Environment
	}
	var who []string
	for _, r := range g.Reviewers {
		who = append(who, r.String())
	}
	return strings.Join(who, ", ")
}

// Preview tells what a call would do, by reading alone.
func (s *source) Preview(ctx context.Context, c sources.Call) (sources.Preview, error) {
	if err := s.offered(c); err != nil {
		return sources.Preview{}, err
	}
	if c.Target.Kind == sources.KindEnvironment {
		return s.previewDeploy(ctx, c)
	}
	a, err := s.act(ctx, c)
	if err != nil {
		return sources.Preview{}, err
	}
	path, _, err := a.request()
	if err != nil {
		return sources.Preview{}, a.fail(string(c.Verb), err)
	}
	p := sources.Preview{How: clean.Linef("%s · POST %s", s.env.Source, strings.TrimPrefix(path, a.path+"/")), Covers: len(a.gates)}
	for _, g := range a.gates {
		p.Lines = append(p.Lines, clean.Linef("%s %s", g.Environment, g.Version.Short()))
	}
	return p, nil
}

// Perform carries a call out with one request that is never repeated.
func (s *source) Perform(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	if err := s.offered(c); err != nil {
		return sources.Receipt{}, err
	}
	if c.Target.Kind == sources.KindEnvironment {
		return s.deploy(ctx, c)
	}
	a, err := s.act(ctx, c)
	if err != nil {
		return sources.Receipt{}, err
	}
	path, body, err := a.request()
	if err != nil {
		return sources.Receipt{}, a.fail(string(c.Verb), err)
	}
	if _, err := a.change(ctx, string(c.Verb), path, body, lookAtRun); err != nil {
		return sources.Receipt{}, err
	}
	return sources.Receipt{ID: strconv.Itoa(a.run.Attempt), Text: clean.Const("GitHub took it"), URL: a.run.URL}, nil
}

// change sends one POST that changes something, and returns what GitHub answered; nil where only that answer's
// text was lost. Only an error of kind Ambiguous leaves open whether it did; fix then says where to look.
func (c *repoConn) change(ctx context.Context, op, path string, body any, fix string) ([]byte, error) {
	ctx, flight := httpx.Watch(ctx)
	req, err := c.client.NewRequest(http.MethodPost, path, body)
	if err != nil {
		return nil, c.fail(op, fmt.Errorf("make the request: %w", err))
	}
	res, err := c.client.BareDo(ctx, req)
	if res != nil && res.Response != nil {
		defer func() { _ = res.Body.Close() }()
	}
	if a, accepted := errors.AsType[*gh.AcceptedError](err); accepted { // 202 is how GitHub says that it will
		return a.Raw, nil
	}
	switch {
	case err == nil:
		answer, err := io.ReadAll(res.Body)
		if err != nil {
			return nil, nil //nolint:nilerr // the status says that it was done
		}
		return answer, nil
	case res == nil || res.Response == nil:
		if !flight.MayHaveArrived(err) {
			return nil, c.fail(op, err)
		}
		return nil, httpx.Lost(op, c.scope, fix, err)
	case httpx.Undecided(res.Response):
		return nil, httpx.Lost(op, c.scope, fix, c.explain(op, c.scope, res, err))
	case res.StatusCode/100 == 2:
		return nil, nil
	}
	e := c.explain(op, c.scope, res, err)
	if res.StatusCode == http.StatusConflict || res.StatusCode == http.StatusUnprocessableEntity {
		e.Kind = sources.Conflict
	}
	return nil, e
}

// Verify looks at the run: whether a call has taken effect.
func (s *source) Verify(ctx context.Context, c sources.Call, receipt sources.Receipt) (sources.Progress, error) {
	if err := s.offered(c); err != nil {
		return sources.Progress{}, err
	}
	if c.Target.Kind == sources.KindEnvironment {
		return s.verifyDeploy(ctx, c, receipt)
	}
	a, err := s.act(ctx, c)
	if err != nil {
		return sources.Progress{}, err
	}
	if c.Fields[sources.FieldPlace] != "" && (c.Verb == sources.Approve || c.Verb == sources.RerunAll) {
		return s.verifyPlace(ctx, a, receipt)
	}
	p := sources.Progress{Text: stands(&a.run), URL: a.run.URL}
	before := attemptBefore(c, receipt)
	again := before > 0 && a.run.Attempt > before
	switch review := c.Verb == sources.Approve || c.Verb == sources.Reject; {
	case review:
		if p.State = a.reviewed(); p.State == sources.Done {
			p.Text = clean.Linef("%s: the run is %s", reviewWord(c.Verb), p.Text)
		}
	case c.Verb != sources.Cancel && again, c.Verb == sources.Cancel && a.run.State == sources.StateCancelled:
		p.State = sources.Done
	case c.Verb == sources.Cancel && (again || a.run.State.Done()):
		p.State, p.Text = sources.Undone, clean.Linef("it was not cancelled: the run is %s", p.Text)
	}
	return p, nil
}

// reviewWord is what a gate is after a review.
func reviewWord(v sources.Verb) string {
	if v == sources.Reject {
		return "rejected"
	}
	return "approved"
}

// reviewed reports whether the gates that the call was for are gone, and the run with them where somebody
// else decided.
func (a *act) reviewed() sources.ProgressState {
	names := strings.Split(a.call.Fields[sources.FieldEnvironments], ",")
	for _, g := range a.run.Gates {
		if g.CanApprove && (a.call.Fields[sources.FieldEnvironments] == "" || slices.Contains(names, g.Environment)) {
			return sources.Pending
		}
	}
	if a.run.State == sources.StateCancelled || a.call.Verb == sources.Approve && a.run.State == sources.StateFailed {
		return sources.Undone
	}
	return sources.Done
}

// attemptBefore is which attempt the run was at before the call; 0 when nothing tells. The revision that
// the call was made for begins with it.
func attemptBefore(c sources.Call, receipt sources.Receipt) int {
	if n, err := strconv.Atoi(receipt.ID); err == nil {
		return n
	}
	first, _, _ := strings.Cut(string(c.Revision), "/")
	n, _ := strconv.Atoi(first)
	return n
}

// stands is a run in words: "attempt 2, running".
func stands(r *sources.Run) clean.Text {
	if r.Attempt > 1 {
		return clean.Linef("attempt %d, %s", r.Attempt, r.State)
	}
	return clean.Line(r.State.String())
}
