package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/store"
)

func (c *commands) guard() *cobra.Command {
	var flags actFlags
	var env, plan string
	var window, since time.Duration
	cmd := &cobra.Command{
		Use:   "guard SERVICE",
		Short: "Watch how a service behaves after a change, and say what follows",
		Long: `Watch a service for guard.window: its metrics, monitors, objectives and new incidents, compared with
the time before. It passes, fails, or cannot be told: no data is never a pass.

When it fails and guard.on_fail: is rollback, it rolls back to what ran before, once, and never across a
migration; else it says what would be done.

Exit codes: 0 it passes · 1 it fails, or cannot be told, and a person has to look · 2 usage or config · 3 the
rollback was refused · 5 it is not known whether the rollback happened · 6 a source failed.`,
		Args: counts("guard SERVICE", 1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if window < 0 || since < 0 {
				return usagef("a time is not negative: type for example --window 15m")
			}
			return c.watch(cmd, flags, wire.GuardRequest{Service: args[0], Environment: env, Plan: plan, Window: window}, since)
		},
	}
	cmd.ValidArgsFunction = c.service()
	f := cmd.Flags()
	f.StringVar(&env, "env", "", "the environment; the one of production unless it is said")
	_ = cmd.RegisterFlagCompletionFunc("env", c.environment())
	f.StringVar(&plan, "plan", "", "the action that is watched, as signalbox journal lists it")
	f.DurationVar(&window, "window", 0, "for how long, instead of guard.window")
	f.DurationVar(&since, "since", 0, "so long ago the change took effect: 5m")
	f.StringVar(&flags.reason, "reason", "", "why: it is written down with a rollback")
	flags.out.flag(cmd)
	flags.wait.flag(cmd, defaultWait)
	return cmd
}

// watch runs a guard alone.
func (c *commands) watch(cmd *cobra.Command, flags actFlags, q wire.GuardRequest, since time.Duration) error {
	p, closeBoard, err := c.performer(cmd, flags)
	if err != nil {
		return err
	}
	defer closeBoard()
	p.sayUnshared()
	p.recover(cmd.Context())
	r, err := p.settle(scope{service: q.Service}, true)
	if err != nil {
		return err
	}
	if q.Environment == "" {
		q.Environment = prodOf(r.snap, q.Service)
	}
	if _, err := r.environment(q.Service, q.Environment); err != nil {
		return err
	}
	if since > 0 {
		q.Since = p.board.Now().Add(-since)
	}
	stop := p.narrate()
	fact := &deedFact{}
	code, err := p.follow(cmd.Context(), q, fact, 0)
	stop()
	if err != nil {
		return sourceError(q.Service+"/"+q.Environment, "guard", err)
	}
	closeBoard() // it waits until others have been told
	fact.Untold = p.board.Untold(q.Plan)
	p.untold(fact)
	if flags.out == outputJSON {
		if err := writeJSON(cmd.OutOrStdout(), guardFact{fact.Guard, fact.Next, fact.Rollback, fact.Untold}); err != nil {
			return err
		}
	}
	return quiet(code)
}

// guardFact is the answer of `guard --output json`.
type guardFact struct {
	Guard    *guard.Verdict `json:"guard"`
	Next     string         `json:"next"`
	Rollback *deedFact      `json:"rollback,omitempty"`
	Untold   []clean.Text   `json:"not_told,omitempty"` // who could not be told of it, and why
}

// prodOf is the environment of a service that people are paged for; "prod" where none is known.
func prodOf(s *store.Snapshot, service string) string {
	for e := range s.Environments() {
		if e.Service == service && e.Prod {
			return e.Name
		}
	}
	return "prod"
}

// guard watches what a plan has changed. again is how many guards have led to it: what a guard has rolled
// back is watched too, and not rolled back by itself.
func (p *performer) guard(ctx context.Context, plan *action.Plan, fact *deedFact, again int) (int, error) {
	if !p.board.Guards(plan.Change.Service, plan.Change.Environment) {
		return exitWell, nil
	}
	return p.follow(ctx, wire.GuardRequest{Service: plan.Change.Service, Environment: plan.Change.Environment, Plan: plan.ID}, fact, again)
}

// follow runs a guard, and does what follows on its verdict.
func (p *performer) follow(ctx context.Context, q wire.GuardRequest, fact *deedFact, again int) (int, error) {
	v, step, undo, err := p.board.Guard(ctx, q)
	if err != nil {
		return 0, err
	}
	fact.Guard, fact.Next = &v, step.String()
	if p.flags.out != outputJSON {
		if err := p.tellVerdict(&v, step, undo); err != nil {
			return 0, err
		}
	}
	switch {
	case ctx.Err() != nil:
		return exitFailed, nil
	case step == guard.Proceed:
		return exitWell, nil
	case step != guard.RollBack || undo == nil || again > 0:
		return exitFailed, nil
	}
	inner := *p
	inner.facts = nil
	code, err := inner.perform(ctx, *undo, again+1)
	if len(inner.facts) > 0 {
		fact.Rollback = &inner.facts[0]
	}
	if err != nil {
		return 0, err
	}
	return max(code, exitFailed), nil
}

// tellVerdict writes what a guard has found.
func (p *performer) tellVerdict(v *guard.Verdict, step guard.Step, undo *action.Request) error {
	t := tintWarn
	switch v.Outcome {
	case guard.Pass:
		t = tintGood
	case guard.Fail:
		t = tintBad
	case guard.Inconclusive:
	}
	w := &planWriter{color: p.color}
	outcome := v.Outcome.String()
	if p.color {
		outcome = t.paint(outcome)
	}
	w.WriteString("guard " + outcome + ": " + v.Why.String() + "\n")
	for i := range v.Findings {
		f := &v.Findings[i]
		w.line(f.Judgement.String(), f.Name.String()+":", f.Text.String())
	}
	switch {
	case step == guard.RollBack:
		w.line("next", "it is rolled back")
	case step == guard.Ask && undo != nil:
		to := ""
		if undo.Version != "" {
			to = " --to " + undo.Version
		}
		w.line("next", clean.Linef("signalbox rollback %s%s", undoPlace(p, undo), to).String())
	case step == guard.Hold:
		w.line("next", "nothing is done: look at it")
	}
	return say(p.cmd.OutOrStdout(), "%s", w.String())
}

// undoPlace is the service and the environment that a request rolls back, as the command takes them.
func undoPlace(p *performer, q *action.Request) string {
	if e, _ := p.board.Snapshot().Environment(q.Target); e != nil {
		return e.Service + " --env " + e.Name
	}
	return q.Target.String()
}
