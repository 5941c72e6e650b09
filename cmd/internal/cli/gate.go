package cli

import (
	"context"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/policy"
)

// gateFact is the answer of `gate --output json`, and one entry of that of `policy test`.
type gateFact struct {
	Service     string           `json:"service"`
	Environment string           `json:"environment"`
	Verb        sources.Verb     `json:"verb"`
	Version     string           `json:"version,omitempty"` // the commit that would run
	Verdict     policy.Verdict   `json:"verdict"`           // of the rules, without the confirmation that a person is asked for
	Gates       []policy.Finding `json:"gates"`
	Error       string           `json:"error,omitempty"` // why it cannot be told
}

func (c *commands) gate() *cobra.Command {
	var out output
	var wait patience
	var version string
	cmd := &cobra.Command{
		Use:   "gate SERVICE ENVIRONMENT",
		Short: "What policy says about promoting now, for pipelines",
		Long: `What policy says about promoting now: every gate with its reason. It does nothing.

Exit codes: 0 it may go ahead · 1 a person has to confirm it · 2 usage or config · 3 refused · 6 a source
failed, so it cannot be told.`,
		Args: counts("gate SERVICE ENVIRONMENT", 2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, closeBoard, err := c.performer(cmd, actFlags{wait: wait})
			if err != nil {
				return err
			}
			defer closeBoard()
			r, err := p.settle(scope{service: args[0]}, false)
			if err != nil {
				return err
			}
			ref, err := r.environment(args[0], args[1])
			if err != nil {
				return err
			}
			q := action.Request{Verb: sources.Promote, Target: ref, Version: version, Via: "command"}
			f, err := gateOf(cmd.Context(), p.board, q)
			if err != nil {
				return p.planError(cmd.Context(), &q, err)
			}
			f.Service, f.Environment = args[0], args[1]
			if out == outputJSON {
				err = writeJSON(cmd.OutOrStdout(), f)
			} else {
				err = c.writeGate(cmd, &f)
			}
			if err != nil {
				return err
			}
			return quiet(codeOfGates(f.Gates))
		},
	}
	cmd.ValidArgsFunction = c.serviceThenEnvironment()
	cmd.Flags().StringVar(&version, "version", "", "a commit or tag, instead of what runs in the stage before")
	out.flag(cmd)
	wait.flag(cmd, defaultWait)
	return cmd
}

// gateOf is what policy says to a request.
func gateOf(ctx context.Context, board *wire.Board, q action.Request) (gateFact, error) {
	f, err := board.Facts(ctx, q)
	if err != nil {
		return gateFact{Verb: q.Verb}, err
	}
	fact := gateFact{Verb: q.Verb, Gates: board.Policy().Judge(f)}
	fact.Verdict = strictestRule(fact.Gates)
	if f.Version != nil {
		fact.Version = f.Version.SHA
	}
	return fact, nil
}

func (c *commands) writeGate(cmd *cobra.Command, f *gateFact) error {
	t := c.terminal()
	w := &planWriter{color: t.out && t.colors > 0}
	for _, g := range f.Gates {
		w.gate(g)
	}
	return say(cmd.OutOrStdout(), "%s %s/%s %s: %s\n%s", f.Verb, f.Service, f.Environment, f.Version[:min(7, len(f.Version))], f.Verdict, w.String())
}

// codeOfGates is the exit code of what gates say: what only could not be told is a source's failure.
func codeOfGates(gates []policy.Finding) int {
	switch strictestRule(gates) {
	case policy.Allow, policy.Warn:
		return exitWell
	case policy.Confirm, policy.TypedConfirm, policy.SecondPerson:
		return exitFailed
	case policy.Deny:
	}
	for _, g := range gates {
		if g.Verdict == policy.Deny && !g.Unknown {
			return exitRefused
		}
	}
	return exitSource
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
