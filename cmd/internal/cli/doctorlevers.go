package cli

import (
	"context"
	"fmt"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
)

// examineLevers looks at what decides whether an action goes ahead, and at what was written down of those that
// did.
func (c *commands) examineLevers(ctx context.Context, cfg *config.Config) []findingFact {
	var out []findingFact
	if is, by, _ := c.readOnly(); is { // what is wrong with it was said at the start
		out = append(out, finding(sources.LevelOK, "read-only", "by "+by+": no action is possible", ""))
	} else if cfg != nil && cfg.ReadOnly {
		out = append(out, finding(sources.LevelOK, "read-only", "by read_only in the config: no action is possible", ""))
	}
	if cfg == nil {
		return out
	}
	if set, err := wire.Policy(cfg); err != nil {
		out = append(out, finding(sources.LevelFail, "policies", err.Error(), "signalbox config check"))
	} else {
		own := len(set.Gates()) - len(policy.Default().Gates())
		out = append(out, finding(sources.LevelOK, "policies", fmt.Sprintf("the built-in gates and %s of the config", clean.Counted(own, "rule")), ""))
	}
	if cfg.SharedDir == "" {
		out = append(out, finding(sources.LevelOK, "no second person can agree", "shared_dir: is not set, and what needs one is refused", ""))
	}
	return append(out, c.examineJournal(ctx))
}

// examineJournal checks what was written down, and leaves the journal as it is.
func (c *commands) examineJournal(ctx context.Context) findingFact {
	j, err := c.openJournal(ctx)
	if err != nil {
		return finding(sources.LevelFail, "journal", err.Error(), "set state_dir: in the config to a directory of your own")
	}
	r, err := j.Verify()
	switch {
	case err != nil:
		return finding(sources.LevelFail, "journal", err.Error(), "look at "+j.Path())
	case len(r.Problems) > 0:
		what := clean.Line(r.Problems[0].What).String()
		if more := len(r.Problems) - 1; more > 0 {
			what = fmt.Sprintf("%s, and %d more", what, more)
		}
		return finding(sources.LevelFail, "journal: "+j.Path(), what, "signalbox journal --verify")
	}
	return finding(sources.LevelOK, "journal: "+j.Path(), clean.Counted(int(r.Records), "record")+", none changed, none missing", "")
}
