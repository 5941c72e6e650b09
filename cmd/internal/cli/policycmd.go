package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
)

func (c *commands) policy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Try the rules on what may be done",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("policy takes a word more: type `%s test`", cmd.CommandPath())
		},
	}
	cmd.AddCommand(c.policyTest())
	return cmd
}

func (c *commands) policyTest() *cobra.Command {
	var out output
	var wait patience
	cmd := &cobra.Command{
		Use:   "test [FILE]",
		Short: "Ask the rules about every service as it is now, or about a file of cases",
		Long: `Ask the rules about a promotion to, and a rollback of, every environment as it is now: what each would be
answered. With a FILE of cases it asks about those, and compares:

  given: {service: checkout, environment: {name: prod, prod: true}}
  cases:
    - {name: too fresh, given: {from: {name: staging, age: 12m}}, want: deny, gate: soak}

Nothing is done. Exit codes: 0 told, or all cases hold · 1 a case does not hold · 2 usage or config · 6 a
source failed, so it cannot be told.`,
		Args: counts("test [FILE]", 0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return c.policyCases(cmd, args[0], out)
			}
			return c.policyLive(cmd, wait, out)
		},
	}
	out.flag(cmd)
	wait.flag(cmd, defaultWait)
	return cmd
}

// policyLive asks the rules about every environment of the config's own services.
func (c *commands) policyLive(cmd *cobra.Command, wait patience, out output) error {
	board, closeBoard, err := c.open(cmd.Context(), wire.Options{Stateless: true}, demoAt{})
	if err != nil {
		return err
	}
	defer closeBoard()
	ctx, cancel := wait.context(cmd.Context())
	defer cancel()
	snap := board.Settle(ctx)
	list := []gateFact{}
	told := true
	for i := range snap.Catalog.Services {
		svc := &snap.Catalog.Services[i]
		if svc.Team != "" || svc.Discovered {
			continue
		}
		for _, env := range svc.Environments {
			ref, err := newResolver(snap).environment(svc.Name, env)
			for _, verb := range []sources.Verb{sources.Promote, sources.Rollback} {
				fact := gateFact{Verb: verb}
				asked := err
				if asked == nil {
					fact, asked = gateOf(ctx, board, action.Request{Verb: verb, Target: ref, Via: "command"})
				}
				if fact.Service, fact.Environment = svc.Name, env; asked != nil {
					asked = sourceError(svc.Name+"/"+env, verb, asked)
					fact.Error, fact.Verdict, fact.Gates = clean.Line(asked.Error()).String(), policy.Deny, []policy.Finding{}
					told = told && codeOf(asked) != exitSource
				}
				list = append(list, fact)
			}
		}
	}
	if out == outputJSON {
		err = writeJSON(cmd.OutOrStdout(), list)
	} else {
		err = c.writeGates(cmd, list)
	}
	if err == nil && !told {
		err = quiet(exitSource)
	}
	return err
}

func (c *commands) writeGates(cmd *cobra.Command, list []gateFact) error {
	if len(list) == 0 {
		return usagef("the config names no service with environments: add services:, as in signalbox config sample")
	}
	t := c.terminal()
	w := &columns{out: cmd.OutOrStdout(), color: t.out && t.colors > 0}
	w.head("SERVICE", "ENVIRONMENT", "ACTION", "VERDICT", "WHY")
	for _, f := range list {
		if f.Error != "" {
			w.row(tintWarn, 3, clean.Line(f.Service), clean.Line(f.Environment), clean.Line(string(f.Verb)), clean.Const("cannot"), clean.Line(f.Error))
			continue
		}
		tint := tintGood
		switch f.Verdict {
		case policy.Allow:
		case policy.Warn, policy.Confirm, policy.TypedConfirm, policy.SecondPerson:
			tint = tintWarn
		case policy.Deny:
			tint = tintBad
		}
		w.row(tint, 3, clean.Line(f.Service), clean.Line(f.Environment), clean.Line(string(f.Verb)), clean.Line(f.Verdict.String()), whyOf(&f))
	}
	w.flush()
	return w.err
}

// whyOf are the reasons of the strictest gates.
func whyOf(f *gateFact) clean.Text {
	var why []clean.Text
	for _, g := range f.Gates {
		if g.Gate != policy.Confirmation && g.Verdict == f.Verdict && g.Verdict > policy.Allow {
			why = append(why, clean.Linef("%s: %s", g.Gate, g.Text))
		}
	}
	return clean.Join(clean.Const("; "), why...)
}

// policyCases runs the rules of the config against a file of cases.
func (c *commands) policyCases(cmd *cobra.Command, file string, out output) error {
	cfg, err := c.load(cmd.Context())
	if err != nil {
		return err
	}
	set, err := wire.Policy(cfg)
	if err != nil {
		return usage(err)
	}
	options := wire.LoadOptions()
	options.CheckCase = wire.CaseChecker(set)
	written, err := config.LoadCases(cmd.Context(), file, options)
	if err != nil {
		return usage(err)
	}
	cases := make([]policy.Case, len(written))
	for i, one := range written {
		if cases[i], err = wire.PolicyCase(one); err != nil {
			return usage(err)
		}
	}
	results := set.Test(cases, time.Now())
	if out == outputJSON {
		err = writeJSON(cmd.OutOrStdout(), results)
	} else {
		err = c.writeCases(cmd, results)
	}
	if err != nil {
		return err
	}
	for _, r := range results {
		if !r.OK {
			return quiet(exitFailed)
		}
	}
	return nil
}

func (c *commands) writeCases(cmd *cobra.Command, results []policy.Result) error {
	t := c.terminal()
	w := &columns{out: cmd.OutOrStdout(), color: t.out && t.colors > 0}
	w.head("", "CASE", "WANT", "GOT", "WHY")
	failed := 0
	for _, r := range results {
		mark, tint := "ok", tintGood
		if !r.OK {
			mark, tint = "FAILED", tintBad
			failed++
		}
		w.row(tint, 0, clean.Line(mark), clean.Line(r.Case), clean.Line(r.Want.String()), clean.Line(r.Got.String()), r.Text)
	}
	w.flush()
	if w.err != nil {
		return w.err
	}
	verdict := "all hold"
	if failed > 0 {
		verdict = fmt.Sprintf("%d failed", failed)
	}
	return say(cmd.OutOrStdout(), "\n%s, %s\n", clean.Counted(len(results), "case"), verdict)
}
