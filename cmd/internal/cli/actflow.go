package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/ui/pane"
)

// deedFact is the answer of an action with `--output json`, one for each object.
type deedFact struct {
	Plan    planFact        `json:"plan"`
	Outcome *action.Outcome `json:"outcome,omitempty"` // absent with --dry-run
	Guard   *guard.Verdict  `json:"guard,omitempty"`   // of promote and rollback
	Next    string          `json:"next,omitempty"`    // what followed on the guard's verdict: hold, proceed, ask, rollback
	// Rollback is the rollback that the guard asked for.
	Rollback *deedFact `json:"rollback,omitempty"`
}

// performer carries requests out, one after the other.
type performer struct {
	c     *commands
	cmd   *cobra.Command
	flags actFlags
	board *wire.Board
	in    *bufio.Reader
	color bool
	facts []deedFact
}

// act resolves what is asked for and carries it out. Several requests are planned, shown and agreed to one
// by one; the worst of their exit codes counts.
func (c *commands) act(cmd *cobra.Command, flags actFlags, requests func(*resolver) ([]action.Request, error)) error {
	t := c.terminal()
	board, closeBoard, err := c.open(cmd.Context(), wire.Options{Stateless: true, ReadOnly: c.forbids()}, demoAt{})
	if err != nil {
		return err
	}
	defer closeBoard()
	p := &performer{c: c, cmd: cmd, flags: flags, board: board, in: bufio.NewReader(c.process.In), color: t.out && t.colors > 0}
	if !flags.dryRun {
		p.recover(cmd.Context())
	}
	wait, cancel := flags.wait.context(cmd.Context())
	snap := board.Settle(wait)
	cancel()
	list, err := requests(&resolver{snap})
	if err != nil {
		return err
	}
	stop := p.narrate()
	code := exitWell
	for _, q := range list {
		q.Via = "command"
		one, err := p.perform(cmd.Context(), q, 0)
		if err != nil {
			stop()
			return err
		}
		code = max(code, one)
	}
	stop()
	if flags.out == outputJSON {
		var answer any = p.facts
		if len(p.facts) == 1 {
			answer = p.facts[0]
		}
		if err := writeJSON(cmd.OutOrStdout(), answer); err != nil {
			return err
		}
	}
	return quiet(code)
}

// forbids is what forbids every change: "--read-only"; "" when nothing does.
func (c *commands) forbids() string {
	if is, by, err := c.readOnly(); err == nil && is {
		return by
	}
	return ""
}

// recover settles what a crash has left open, before anything else is done.
func (p *performer) recover(ctx context.Context) {
	settled, err := p.board.Recover(ctx)
	for _, s := range settled {
		p.say("settled an action that a crash had left open: %s %s: %s\n", s.Record.Verb, s.Record.Name, s.Outcome.Text)
	}
	if err != nil {
		p.say("an action that a crash left open could not be settled: %s\n", clean.Line(err.Error()))
	}
}

// say tells a person what goes on: on the error stream, so that the output stays the answer's.
func (p *performer) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.cmd.ErrOrStderr(), format, args...) // nobody is left to tell when it is gone
}

// narrate tells what is under way as it goes on. stop ends that, and returns when nothing is said any more.
func (p *performer) narrate() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		said := map[string]clean.Text{}
		for {
			select {
			case <-done:
				return
			case list := <-p.board.Operations():
				for i := range list {
					p.narrateOne(&list[i], said)
				}
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

func (p *performer) narrateOne(o *pane.Operation, said map[string]clean.Text) {
	key := fmt.Sprint(o.Plan, o.Guard)
	if o.Ended() || o.Text.IsZero() || said[key] == o.Text {
		return
	}
	said[key] = o.Text
	p.say("%s %s\n", o.At.Local().Format("15:04:05"), o.Text)
}

// perform plans, asks, carries out and watches one request. again is how many guards have led to it.
func (p *performer) perform(ctx context.Context, q action.Request, again int) (code int, err error) {
	if err := p.complete(&q); err != nil {
		return 0, err
	}
	plan, err := p.board.Propose(ctx, q)
	if err != nil {
		return 0, planError(err)
	}
	fact := &deedFact{Plan: planFactOf(&plan)}
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
		if plan.Demand.Kind == action.Refusal {
			return exitRefused, nil
		}
		return exitWell, nil
	}
	plan, approval, err := p.approve(ctx, plan, again > 0)
	if err != nil {
		return 0, err
	}
	out := p.board.Execute(ctx, plan, approval)
	fact.Outcome = &out
	if p.flags.out != outputJSON {
		if err := p.tell(&out); err != nil {
			return 0, err
		}
	}
	code = codeOfOutcome(&out)
	if code != exitWell || plan.Change == nil || p.flags.noGuard {
		return code, nil
	}
	return p.guard(ctx, &plan, fact, again)
}

// complete fills in what the person may leave to the program.
func (p *performer) complete(q *action.Request) error {
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
	return "", usagef("%q is the name of %s: type one of %s", who, counted(len(fits), "person"), strings.Join(fits, ", "))
}

// planError gives an error of a plan its exit code: what cannot be done is the caller's, what could not be
// read the source's.
func planError(err error) error {
	e, ok := errors.AsType[*sources.Error](err)
	if !ok {
		return err
	}
	switch e.Kind {
	case sources.Invalid, sources.NotExist, sources.Unsupported:
		return &exit{code: exitUsage, err: err}
	case sources.Conflict, sources.Permission:
		return &exit{code: exitRefused, err: err}
	case sources.Throttled, sources.Transient, sources.Ambiguous:
	}
	return &exit{code: exitSource, err: err}
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

// approve gets the answer to a plan's demand: from the flags, else from the person at the terminal. byGuard
// is a rollback that a guard may do by itself.
func (p *performer) approve(ctx context.Context, plan action.Plan, byGuard bool) (action.Plan, action.Approval, error) {
	a := action.Approval{Reason: p.flags.reason, BreakGlass: p.flags.reason != "" && plan.Demand.Reason}
	d := plan.Demand
	if byGuard {
		a.Yes, a.Typed = true, d.Word
		return plan, a, nil
	}
	t := p.c.terminal()
	asks := t.in && t.out && p.flags.out != outputJSON
	if d.Reason && a.Reason == "" && asks && d.Kind != action.Refusal {
		a.Reason = p.ask("It is refused, and a reason lifts that. Type the reason, or nothing to leave it: ")
		a.BreakGlass = a.Reason != ""
	}
	switch d.Kind {
	case action.NoDemand, action.Refusal:
		// The Runner refuses, and writes that down.
	case action.YesDemand:
		if a.Yes = p.flags.yes; !a.Yes && asks {
			answer := strings.ToLower(p.ask("Do it? y or n: "))
			a.Yes = answer == "y" || answer == "yes"
		}
	case action.TypeDemand, action.SecondDemand:
		if a.Typed = p.flags.confirm; a.Typed == "" && asks {
			a.Typed = p.ask(fmt.Sprintf("Type %s to do it: ", d.Word))
		}
	}
	if d.Kind == action.SecondDemand && a.Typed == d.Word {
		return p.second(ctx, plan, a)
	}
	return plan, a, nil
}

// ask reads one line from the person; "" when there is none.
func (p *performer) ask(question string) string {
	p.say("%s", question)
	line, err := p.in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	return strings.TrimSpace(line)
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
	if p.color {
		state = t.paint(state)
	}
	text := state
	if !o.Text.IsZero() {
		text += ": " + o.Text.String()
	}
	if !o.Fix.IsZero() {
		text += "\n  " + o.Fix.String()
	}
	if o.URL != "" {
		text += "\n  " + clean.Line(o.URL).String()
	}
	return say(p.cmd.OutOrStdout(), "%s\n", text)
}

// refusedf is a refusal: one line "what is wrong: what to do".
func refusedf(format string, args ...any) error {
	return &exit{code: exitRefused, err: fmt.Errorf(format, args...)}
}

// strictestRule is the gates' verdict but for the confirmation that it asks of a person.
func strictestRule(gates []policy.Finding) policy.Verdict {
	worst := policy.Allow
	for _, g := range gates {
		if g.Gate != policy.Confirmation {
			worst = max(worst, g.Verdict)
		}
	}
	return worst
}
