package ui_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/pane"
)

// levers acts in a world that notes what it is asked for.
type levers struct {
	mu       sync.Mutex
	verbs    map[sources.Kind][]sources.ActionSpec
	people   []sources.Person
	demand   action.Demand
	shape    func(*action.Plan) // changes each plan that is made
	err      error              // of the next proposals
	renewErr error
	outcome  action.Outcome
	status   pane.LeverStatus
	cosigner string
	during   func() // while a plan is carried out

	ops       chan []pane.Operation
	proposed  []action.Request
	renewed   int
	executed  []executed
	dismissed []string
}

type executed struct {
	plan     action.Plan
	approval action.Approval
}

func newLevers() *levers {
	return &levers{
		demand: action.Demand{Kind: action.YesDemand}, outcome: action.Outcome{State: action.Done, Text: clean.Const("the authority shows it")},
		ops: make(chan []pane.Operation, 1),
		verbs: map[sources.Kind][]sources.ActionSpec{
			sources.KindIncident: {
				{Verb: sources.Acknowledge}, {Verb: sources.Resolve}, {Verb: sources.Escalate, Need: []string{"level"}},
				{Verb: sources.Reassign, Need: []string{"to"}}, {Verb: sources.Snooze, Need: []string{"for"}}, {Verb: sources.AddNote, Need: []string{"text"}},
				{Verb: sources.Merge, Need: []string{"others"}},
			},
			sources.KindMonitor:     {{Verb: sources.Mute, Need: []string{"for"}}, {Verb: sources.Unmute}},
			sources.KindSilence:     {{Verb: sources.Expire}},
			sources.KindEnvironment: {{Verb: sources.Promote}, {Verb: sources.Rollback}},
			sources.KindRun:         {{Verb: sources.Approve}, {Verb: sources.Reject}, {Verb: sources.RerunFailed}, {Verb: sources.RerunAll}, {Verb: sources.Cancel}},
		},
	}
}

func (l *levers) Offers(r sources.Ref) []sources.ActionSpec { return l.verbs[r.Kind] }
func (l *levers) People(sources.Ref) []sources.Person       { return l.people }
func (l *levers) Operations() <-chan []pane.Operation       { return l.ops }
func (l *levers) Dismiss(plan string)                       { l.dismissed = append(l.dismissed, plan) }
func (l *levers) Status() pane.LeverStatus                  { return l.status }
func (l *levers) Cosigned(*action.Plan) string              { return l.cosigner }

func (l *levers) Propose(_ context.Context, q action.Request) (action.Plan, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proposed = append(l.proposed, q)
	if l.err != nil {
		return action.Plan{}, l.err
	}
	return l.plan(fmt.Sprintf("plan-%d", len(l.proposed)), q), nil
}

func (l *levers) plan(id string, q action.Request) action.Plan {
	p := action.Plan{
		ID: id, Request: q, Demand: l.demand, Acting: clean.Const("sre1"), Name: clean.Line("checkout/" + q.Target.ID),
		Title: clean.Linef("%s checkout/%s", strings.ToUpper(string(q.Verb[:1]))+string(q.Verb[1:]), q.Target.ID),
		Now:   clean.Const("triggered, sre1"), Then: clean.Const("as it was asked for"), How: clean.Const("PUT /incidents"),
		Call: sources.Call{ID: id, Verb: q.Verb, Target: q.Target, Revision: q.Revision, Fields: q.Fields},
	}
	if l.shape != nil {
		l.shape(&p)
	}
	return p
}

func (l *levers) Renew(_ context.Context, p action.Plan) (action.Plan, error) {
	l.renewed++
	if l.renewErr != nil {
		return p, l.renewErr
	}
	fresh := l.plan(p.ID, p.Request)
	return fresh, nil
}

func (l *levers) Execute(_ context.Context, p action.Plan, a action.Approval) action.Outcome {
	l.executed = append(l.executed, executed{p, a})
	if l.during != nil {
		l.during()
	}
	out := l.outcome
	out.Plan = p.ID
	return out
}

// calm fails the test when anything was carried out.
func (l *levers) calm(t testing.TB, after string) {
	t.Helper()
	if n := len(l.executed); n > 0 {
		t.Errorf("%s carried out %d plans", after, n)
		l.executed = nil
	}
}

// once fails the test unless exactly one plan was carried out.
func (l *levers) once(t testing.TB) executed {
	t.Helper()
	if len(l.executed) != 1 {
		t.Fatalf("%d plans were carried out, want 1", len(l.executed))
	}
	return l.executed[0]
}

// paged is a pane of incidents.
type paged struct {
	*stub
	problems map[string]*insight.Problem
	marked   []string
}

func (p *paged) Update(e pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	_, cmd := p.stub.Update(e, msg)
	return p, cmd
}

func (p *paged) of(key string) pane.Subject {
	q := p.problems[key]
	return pane.Subject{Problem: q, Selection: pane.Selection{Ref: q.Incident.Ref, Service: key, Name: q.Incident.Title}}
}

func (p *paged) Selected(e pane.Env) (pane.Selection, bool) {
	s, ok := p.Subject(e)
	return s.Selection, ok
}

func (p *paged) Subject(pane.Env) (pane.Subject, bool) {
	k, ok := p.list.Key()
	if !ok || p.problems[k] == nil {
		return pane.Subject{}, false
	}
	s := p.of(k)
	for _, m := range p.marked {
		s.Marked = append(s.Marked, p.of(m))
	}
	return s, true
}

func pageRef(id string) sources.Ref {
	return sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, ID: id}
}

func envRef(id string) sources.Ref {
	return sources.Ref{Source: "github", Kind: sources.KindEnvironment, Scope: "acme/checkout", ID: id}
}

func problem(id string, mine bool) *insight.Problem {
	in := &sources.Incident{Ref: pageRef(id), Revision: sources.Revision("r-" + id), Title: clean.Line(id + " burns"), Mine: mine, Level: 1,
		Next: []sources.Person{{ID: "P2", Name: clean.Const("sre2"), Zone: "Asia/Tokyo"}}}
	return &insight.Problem{Incident: in, Members: []insight.Member{{Incident: in}}, State: sources.Triggered, Mine: mine, Service: id}
}

// armed is a board whose first pane has incidents, and that can act.
func armed(t *testing.T, w, h int, opts ...option) (*board, *levers, *paged) {
	t.Helper()
	l := newLevers()
	p := &paged{problems: map[string]*insight.Problem{}}
	opts = append([]option{func(o *ui.Options, b *board) {
		names := []string{"checkout", "ledger", "search"}
		p.stub = b.panes[0]
		p.services = names
		for i, n := range names {
			p.problems[n] = problem(n, i < 2)
		}
		o.Levers, o.Panes[0] = l, p
		o.Idle = nil
		o.Snapshot.Feeds = append(o.Snapshot.Feeds, store.Feed{Key: store.FeedKey{Source: "github", Capability: store.Environments},
			Environments: []sources.Environment{{Ref: envRef("prod"), Revision: "e1", Service: "checkout", Name: "prod", History: make([]sources.Deployment, 2)}}})
	}}, opts...)
	b := newBoard(t, w, h, opts...)
	b.press("1")
	b.rest()
	return b, l, p
}

// rest lets the time pass that a row, a verdict and a key need.
func (b *board) rest() { b.clock.pass(time.Second) }

// data brings the snapshot again, as a feed that answers does.
func (b *board) data() {
	s := snapshot(b.clock.now())
	s.Seq = uint64(b.clock.now().UnixNano())
	b.send(ui.SnapshotMsg(s))
}

// paste is text that the terminal marked as pasted.
func (b *board) paste(text string) {
	b.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true})
}

// spell types a text, a key at a time.
func (b *board) spell(text string) {
	for _, r := range text {
		b.clock.pass(100 * time.Millisecond)
		b.press(string(r))
	}
	b.clock.pass(100 * time.Millisecond)
}

// rollback is the plan of screens.md.
func rollbackPlan(p *action.Plan) {
	p.Title = clean.Const("Roll back checkout/prod")
	p.How = clean.Const("github · dispatch deploy.yml@main, input ref=9f8e7d6aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	p.Change = &action.Change{
		Service: "checkout", Environment: "prod", Prod: true, Undoes: true, CommitsKnown: true, Expected: 4 * time.Minute,
		Now:     action.Running{Version: version("v1.9.2", "a1b2c3d"), Text: clean.Const("prod eu us, seen by /version 4s ago"), Bad: clean.Const("5xx 4.1 %")},
		Then:    action.Running{Version: version("v1.9.1", "9f8e7d6"), Text: clean.Const("ran in prod 3d, no incident")},
		Commits: []sources.Commit{{SHA: "a1b2c3d", Title: clean.Const("Retry card tokens"), Author: clean.Const("dev4")}, {SHA: "31c0de2", Title: clean.Const("Bump sdk"), Author: clean.Const("bot")}},
		Means:   action.ByWorkflow, Others: []action.Means{action.ByRerun},
		Choices: []action.Choice{{Version: version("v1.9.1", "9f8e7d6"), Text: clean.Const("ran 3d, no incident"), Chosen: true},
			{Version: version("v1.9.0", "5d0cab4"), Text: clean.Const("ran 9d"), Warning: clean.Const("a rollback took it away")}},
	}
	p.Gates = []policy.Finding{
		{Gate: "fresh", Text: clean.Const("the data is 2s old")},
		{Gate: "queue", Verdict: policy.Warn, Text: clean.Const("run 812 waits for approval since Tue and holds deploy-prod"), Fix: clean.Const("reject it first")},
		{Gate: "schema", Verdict: policy.TypedConfirm, Text: clean.Const("db/0042_cards.sql lies between: may not go back")},
		{Gate: "flags", Verdict: policy.Warn, Text: clean.Const("pay_retry (02:01) is not undone by this")},
		{Gate: "comes_back", Verdict: policy.Warn, Text: clean.Const("the next merge deploys v1.9.2 again"), Fix: clean.Const("hold merges or revert #418")},
		{Gate: policy.Confirmation, Verdict: policy.TypedConfirm, Text: clean.Const("it changes what runs in prod")},
	}
	p.Offers = []action.Offer{{Text: clean.Const("reject run 812 first"), Request: action.Request{Verb: sources.Reject, Target: runRef("812"), Via: "board"}}}
	p.Demand = action.Demand{Kind: action.TypeDemand, Word: "checkout/prod"}
}

func version(tag, sha string) sources.Version {
	return sources.Version{Tag: clean.Line(tag), SHA: sha}
}

// rollingBack is a board whose dialog asks to type the name of production.
func rollingBack(t *testing.T, w, h int, more ...func(*action.Plan)) (*board, *levers) {
	t.Helper()
	b, l, p := armed(t, w, h)
	l.shape = func(q *action.Plan) {
		if q.Request.Verb != sources.Rollback {
			return
		}
		rollbackPlan(q)
		for _, m := range more {
			m(q)
		}
	}
	p.problems["checkout"].Suspects = []insight.Suspect{{Kind: sources.DeploymentChange, Env: envRef("prod"), Text: clean.Const("v1.9.2 → prod"), Version: version("v1.9.2", "a1b2c3d")}}
	b.press("R")
	return b, l
}
