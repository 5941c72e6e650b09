package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/store"
)

// deedFact is the answer of an action with `--output json`, one for each object.
type deedFact struct {
	Plan    *planFact       `json:"plan,omitempty"`    // absent with Error
	Outcome *action.Outcome `json:"outcome,omitempty"` // absent with --dry-run
	Guard   *guard.Verdict  `json:"guard,omitempty"`   // of promote and rollback
	Next    string          `json:"next,omitempty"`    // what followed on the guard's verdict: hold, proceed, ask, rollback
	// Rollback is the rollback that the guard asked for.
	Rollback *deedFact `json:"rollback,omitempty"`
	// Untold is who could not be told of it, and why.
	Untold []clean.Text `json:"not_told,omitempty"`
	// Target and Error are those of one of several objects, for which no plan could be made.
	Target string     `json:"target,omitempty"`
	Error  clean.Text `json:"error,omitzero"`
}

// performer carries requests out, one after the other.
type performer struct {
	c     *commands
	cmd   *cobra.Command
	flags actFlags
	board *wire.Board
	lines lines
	color bool
	names map[sources.Ref]string // what the objects were called by whoever typed them
	facts []deedFact
}

// act resolves what is asked for and carries it out. Several requests are planned, shown and agreed to one
// by one; one that cannot be planned stops no other. The worst of their exit codes counts.
func (c *commands) act(cmd *cobra.Command, flags actFlags, about scope, requests func(*resolver) ([]action.Request, error)) error {
	p, closeBoard, err := c.performer(cmd, flags)
	if err != nil {
		return err
	}
	defer closeBoard()
	r, err := p.settle(about, true)
	if err != nil {
		return err
	}
	if !flags.dryRun {
		p.sayUnshared()
		p.recover(cmd.Context())
	}
	list, err := requests(r)
	if err != nil {
		return err
	}
	p.names = r.names
	stop := p.narrate()
	code, err := p.all(cmd.Context(), distinct(list))
	stop()
	closeBoard() // it waits until others have been told
	for i := range p.facts {
		p.untold(&p.facts[i])
	}
	if flags.out == outputJSON && len(p.facts) > 0 {
		var answer any = p.facts
		if len(list) == 1 {
			answer = p.facts[0]
		}
		if err := writeJSON(cmd.OutOrStdout(), answer); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return quiet(code)
}

// performer opens a board that acts.
func (c *commands) performer(cmd *cobra.Command, flags actFlags) (p *performer, closeBoard func(), err error) {
	t := c.terminal()
	board, closeBoard, err := c.open(cmd.Context(), wire.Options{Stateless: true}, demoAt{})
	if err != nil {
		return nil, nil, err
	}
	return &performer{c: c, cmd: cmd, flags: flags, board: board, lines: newLines(c.process.In), color: t.out && t.colors > 0}, closeBoard, nil
}

// settle asks the sources for what the command rests on.
func (p *performer) settle(about scope, urgent bool) (*resolver, error) {
	ctx := p.cmd.Context()
	wait, cancel := p.flags.wait.context(ctx)
	defer cancel()
	wants, left := about.wants(p.board.Snapshot().Catalog), p.leftOpen()
	snap := p.board.SettleFor(wait, urgent, func(k store.FeedKey) bool { return wants(k) || left[k] })
	if ctx.Err() != nil {
		return nil, &exit{code: exitFailed, err: errInterrupted}
	}
	return newResolver(snap), nil
}

// distinct are the requests, each object once, each knowing how many they are.
func distinct(list []action.Request) []action.Request {
	var out []action.Request
	for _, q := range list {
		if !slices.ContainsFunc(out, func(o action.Request) bool { return o.Target == q.Target }) {
			out = append(out, q)
		}
	}
	for i := range out {
		out[i].Bulk = len(out)
	}
	return out
}

// all performs requests. Of several each error is told as it comes; that of a single one is the answer.
func (p *performer) all(ctx context.Context, list []action.Request) (code int, err error) {
	for i, q := range list {
		if i > 0 && ctx.Err() != nil {
			p.say("interrupted: nothing was done about %s\n", clean.Line(p.nameOf(q.Target)))
			code = worse(code, exitFailed)
			continue
		}
		one, err := p.perform(ctx, q, 0)
		if err != nil && len(list) == 1 {
			return 0, err
		}
		if err != nil {
			report(p.cmd.ErrOrStderr(), err)
			p.facts = append(p.facts, deedFact{Target: q.Target.String(), Error: clean.Line(err.Error())})
			one = codeOf(err)
		}
		code = worse(code, one)
	}
	return code, nil
}

// worse is the exit code that a person has to hear of more than of the other: what may have happened, then
// what went wrong, then what was not done.
func worse(a, b int) int {
	order := []int{exitWell, exitUsage, exitRefused, exitStale, exitSource, exitFailed, exitUnknown}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// sayUnshared says, before anything is asked or done, that the directory of several users cannot be used.
func (p *performer) sayUnshared() {
	if text := p.board.Unshared(); !text.IsZero() {
		p.say("%s\n", text)
	}
}

// leftOpen are the feeds that tell what became of actions that a crash has left open.
func (p *performer) leftOpen() map[store.FeedKey]bool {
	feeds := map[store.FeedKey]bool{}
	if p.flags.dryRun {
		return feeds
	}
	open, err := p.board.Journal().Open()
	if err != nil {
		return feeds // recover says so
	}
	for _, records := range open {
		t := records[0].Target
		feeds[store.FeedKey{Source: t.Source, Capability: store.Environments, Scope: t.Scope}] = true
	}
	return feeds
}

// settleFor is for how long a command waits for what another action has left open. Only what is on its own
// target is in its way, and that is settled once more before anything is sent.
const settleFor = 5 * time.Second

var errOnItsWay = errors.New("it is on its way yet")

// recover settles what a crash has left open, before anything else is done.
func (p *performer) recover(ctx context.Context) {
	look, stop := context.WithTimeoutCause(ctx, settleFor, errOnItsWay)
	defer stop()
	settled, err := p.board.Recover(look)
	if ctx.Err() == nil && errors.Is(err, errOnItsWay) {
		p.say("an action from before is not settled yet, and is looked at again: signalbox journal lists it\n")
		err = nil
	}
	for _, s := range settled {
		if s.Open {
			continue
		}
		p.say("settled an action that was left open: %s %s: %s\n", s.Record.Verb, s.Record.Name, s.Outcome.Text)
	}
	if err != nil {
		p.say("an action that was left open could not be settled: %s\n", clean.Line(err.Error()))
	}
}

// say tells a person what goes on: on the error stream, so that the output stays the answer's.
func (p *performer) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.cmd.ErrOrStderr(), format, args...) // nobody is left to tell when it is gone
}

// untold says who could not be told of what was done. It changes no exit code.
func (p *performer) untold(f *deedFact) {
	if f.Plan != nil {
		f.Untold = p.board.Untold(f.Plan.ID)
	}
	for _, text := range f.Untold {
		p.say("%s\n", text)
	}
	if f.Rollback != nil {
		p.untold(f.Rollback)
	}
}

// perform plans, asks, carries out and watches one request. again is how many guards have led to it.
func (p *performer) perform(ctx context.Context, q action.Request, again int) (code int, err error) {
	switch {
	case p.flags.dryRun:
		q.Via = wire.ViaLook
	case q.Via == "":
		q.Via = "command"
	}
	if err := p.complete(&q); err != nil {
		return 0, err
	}
	plan, err := p.board.Propose(ctx, q)
	if err != nil {
		return 0, p.planError(ctx, &q, err)
	}
	facts := planFactOf(&plan)
	fact := &deedFact{Plan: &facts}
	defer func() {
		if err == nil {
			p.facts = append(p.facts, *fact)
		}
	}()
	if p.flags.out != outputJSON {
		if err := p.show(&plan); err != nil {
			return 0, err
		}
	}
	if p.flags.dryRun {
		if plan.Demand.Kind == action.Refusal || plan.Demand.Reason && p.flags.reason == "" {
			return exitRefused, nil
		}
		return exitWell, nil
	}
	approval := p.approve(ctx, plan, again > 0)
	out := p.board.Execute(ctx, plan, approval)
	if cure := p.lacks(&plan, &approval); out.State == action.Refused && !cure.IsZero() {
		out.Fix = cure
	}
	fact.Outcome = &out
	if p.flags.out != outputJSON {
		if err := p.tell(&out); err != nil {
			return 0, err
		}
	}
	code = codeOfOutcome(&out)
	moves := plan.Request.Verb == sources.Promote || plan.Request.Verb == sources.Rollback
	if code != exitWell || !moves || plan.Change == nil || p.flags.noGuard {
		return code, nil
	}
	return p.guard(ctx, &plan, fact, again)
}

// complete fills in what the person may leave to the program, and refuses what the object's source cannot do.
func (p *performer) complete(q *action.Request) error {
	if err := p.offered(q); err != nil {
		return err
	}
	switch {
	case q.Verb == sources.Escalate && q.Level == 0:
		q.Level = 1
		if i, _ := p.board.Snapshot().Incident(q.Target); i != nil {
			q.Level = i.Level + 1
		}
	case q.Verb == sources.Reassign:
		people := p.board.People(q.Target)
		for i, to := range q.To {
			id, err := personOf(people, to)
			if err != nil {
				return err
			}
			q.To[i] = id
		}
	}
	return nil
}

// personOf is the id of whom a login, a name or an id means. What nobody of the list is called is taken for
// an id: the list holds those alone that the board has seen.
func personOf(people []sources.Person, who string) (string, error) {
	var fits []string
	for _, one := range people {
		if strings.EqualFold(one.ID, who) || strings.EqualFold(one.Login.String(), who) || strings.EqualFold(one.Name.String(), who) {
			fits = append(fits, one.ID)
		}
	}
	switch len(fits) {
	case 0:
		return who, nil
	case 1:
		return fits[0], nil
	}
	return "", usagef("%q is the name of %s: type one of %s", who, clean.Counted(len(fits), "person"), strings.Join(fits, ", "))
}

func codeOfOutcome(o *action.Outcome) int {
	switch o.State {
	case action.Done:
		return exitWell
	case action.Refused:
		return exitRefused
	case action.Stale:
		return exitStale
	case action.Failed:
		return exitFailed
	case action.Unknown, action.Unverified:
		return exitUnknown
	}
	return exitUnknown
}

// show writes the plan for a person.
func (p *performer) show(plan *action.Plan) error {
	return say(p.cmd.OutOrStdout(), "%s", planText(plan, p.color))
}

// tell writes what became of it.
func (p *performer) tell(o *action.Outcome) error {
	t := tintWarn
	switch o.State {
	case action.Done:
		t = tintGood
	case action.Failed:
		t = tintBad
	case action.Refused, action.Stale, action.Unknown, action.Unverified:
	}
	state := o.State.String()
	text := strings.TrimPrefix(o.Text.String(), state+": ")
	if p.color {
		state = t.paint(state)
	}
	if text != "" {
		text = ": " + text
	}
	text = state + text
	if !o.Fix.IsZero() {
		text += "\n  " + o.Fix.String()
	}
	if o.URL != "" {
		text += "\n  " + clean.Line(o.URL).String()
	}
	if undo := o.Receipt.Undo; o.State == action.Done && undo != nil {
		text += "\n  takes it back: " + commandOf(&action.Request{Verb: undo.Verb, Target: undo.Target, To: undo.To})
	}
	return say(p.cmd.OutOrStdout(), "%s\n", text)
}
