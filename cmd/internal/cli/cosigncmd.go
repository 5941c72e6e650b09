package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/cosign"
	"example.com/signalbox/sources/journal"
)

func (c *commands) cosign() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "cosign [PLAN]",
		Short: "Agree to a plan that somebody else of this machine wants to carry out",
		Long: `Agree to a plan that somebody else of this machine wants to carry out, and that policy wants a second
person for: it shows the whole plan, and asks. Without a PLAN it lists those that wait.

The plan stands in the directory that shared_dir: names. Who agrees is proved by whose file the agreement is.

Exit codes: 0 agreed · 2 usage or config · 3 refused: one's own plan, another by now, or expired.`,
		Args: counts("cosign [PLAN]", 0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.globals.demo {
				return usagef("nobody shares the demo's directory: leave out --demo")
			}
			cfg, err := c.load(cmd.Context())
			if err != nil {
				return err
			}
			who := journal.Self(c.process.Lookup)
			who.Via = "command"
			place := cosign.New(cfg.SharedDir, who, time.Now)
			if err := place.Ready(); err != nil {
				return usage(err)
			}
			if len(args) == 0 {
				return c.listPlans(cmd, place)
			}
			if is, by, err := c.readOnly(); err != nil || is {
				return errors.Join(err, refusedf("%s forbids every change: leave it out to agree", by))
			}
			return c.agree(cmd, cfg, place, who, args[0], yes)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "agree without being asked")
	return cmd
}

func (c *commands) listPlans(cmd *cobra.Command, place *cosign.Place) error {
	list, err := place.List()
	if err != nil {
		return cosignError(err)
	}
	if len(list) == 0 {
		return say(cmd.OutOrStdout(), "no plan waits for a second person\n")
	}
	t := c.terminal()
	w := &columns{out: cmd.OutOrStdout(), color: t.out && t.colors > 0}
	w.head("PLAN", "BY", "UNTIL", "WHAT")
	for i := range list {
		s := &list[i]
		w.row(tintNone, 0, clean.Line(s.Plan), clean.Line(s.Owner.Name), clean.Line(s.Until.Local().Format(time.TimeOnly)), s.Title)
	}
	w.flush()
	return w.err
}

func (c *commands) agree(cmd *cobra.Command, cfg *config.Config, place *cosign.Place, who journal.Who, id string, yes bool) error {
	sheet, err := place.Read(id)
	if err != nil {
		return cosignError(err)
	}
	if err := say(cmd.OutOrStdout(), "%s", sheetText(&sheet)); err != nil {
		return err
	}
	if t := c.terminal(); !yes && t.in && t.out {
		_, _ = fmt.Fprint(cmd.ErrOrStderr(), "Agree to it? y or n: ") // nobody is left to ask when it is gone
		yes = strings.EqualFold(newLines(c.process.In).next(cmd.Context()), "y")
	}
	if !yes {
		return refusedf("not agreed: type y, or signalbox cosign %s --yes", clean.Line(id))
	}
	j, err := wire.JournalToWrite(cfg, c.log) // whoever agrees may never have started signalbox before
	if err != nil {
		return refusedf("the journal cannot be written, so nothing was agreed to: %w", err)
	}
	record := journal.Record{
		Plan: sheet.Plan, Stage: journal.Cosigned, Verb: sheet.Call.Verb, Who: who, Target: sheet.Call.Target, Name: sheet.Name, Service: sheet.Service,
		Before: sheet.Now, After: sheet.Then, How: sheet.How, Outcome: clean.Linef("agreed to what %s wants to do", sheet.Owner.Name),
	}
	if _, err := j.Append(cmd.Context(), record); err != nil {
		return refusedf("the journal cannot be written, so nothing was agreed to: %w", err)
	}
	if err := place.Agree(sheet); err != nil {
		record.Stage, record.Outcome = journal.Refused, clean.Linef("not agreed: %v", err)
		_, failed := j.Append(cmd.Context(), record) // the record before it says that it was agreed to
		return errors.Join(cosignError(err), failed)
	}
	return say(cmd.OutOrStdout(), "agreed, until %s\n", sheet.Until.Local().Format(time.TimeOnly))
}

// cosignError gives why a plan cannot be agreed to its exit code.
func cosignError(err error) error {
	code := exitRefused
	if errors.Is(err, cosign.ErrUnconfigured) || errors.Is(err, cosign.ErrNotFound) {
		code = exitUsage
	}
	return &exit{code: code, err: err}
}

// sheetText is a plan as the second person sees it.
func sheetText(s *cosign.Sheet) string {
	w := &planWriter{}
	fmt.Fprintf(&w.Builder, "%s  (plan %s)\n", s.Title, s.Plan)
	asks := s.Owner.Name
	if s.Asks.Sudo != "" {
		asks = s.Asks.Sudo + " as " + asks
	}
	w.line("asked by", clean.Line(asks).String(), "acting as "+s.Acting.String())
	w.line("now", s.Now.String())
	w.line("then", s.Then.String())
	if c := s.Change; c != nil {
		label := "includes"
		if c.Undoes {
			label = "undoes"
		}
		for i, one := range c.Commits {
			w.line(first(i, label), one.SHA[:min(7, len(one.SHA))], one.Title.String(), "("+one.Author.String()+")")
		}
		for i, m := range c.Migrations {
			w.line(first(i, "schema"), clean.Line(m).String())
		}
	}
	w.line("how", s.How.String())
	for i, l := range s.Lines {
		w.line(first(i, "touches"), l.String())
	}
	for _, g := range s.Gates {
		if g.Verdict != "allow" {
			w.line(g.Rule, "", g.Verdict+":", g.Text.String()) // the name may fill its column
		}
	}
	if s.Reason {
		w.line("", "rules are lifted by a typed reason")
	}
	w.line("until", s.Until.Local().Format(time.TimeOnly))
	return w.String()
}
