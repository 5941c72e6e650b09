package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
)

// actFlags are the flags that every action has.
type actFlags struct {
	dryRun  bool
	yes     bool
	confirm []string
	reason  string
	out     output
	wait    patience

	// Of promote and rollback.
	noGuard bool
}

func (a *actFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&a.dryRun, "dry-run", false, "print the plan and what its gates say, and do nothing")
	f.BoolVarP(&a.yes, "yes", "y", false, "answer a question that a y answers; never one for which a name is typed")
	f.StringArrayVar(&a.confirm, "confirm", nil, "the name that the plan wants typed: checkout/prod; once for each object")
	f.StringVar(&a.reason, "reason", "", "why: it is written down, and lifts a gate whose glass may be broken")
	a.out.flag(cmd)
	a.wait.flag(cmd, defaultWait)
}

const actLong = `

--dry-run prints the plan and what its gates say. On a terminal it asks; without one --yes answers what a
y answers, --confirm NAME what wants a name typed, and --reason what wants a reason.

Exit codes: 0 done and verified · 1 failed, or needs a person · 2 usage or config · 3 refused, or not
confirmed · 4 it had changed meanwhile, nothing was sent · 5 it is not known whether it happened · 6 a
source failed, so it cannot be told.`

// verbCommand is an action on objects of one kind.
type verbCommand struct {
	use   string
	short string
	verb  sources.Verb
	on    objectKind
	many  bool // takes several objects
	text  bool // the rest of the arguments is a text
	more  bool // the rest of the arguments are more objects, for Others
	flags func(*cobra.Command, *action.Request) func() error
}

func (v *verbCommand) textDoc() string {
	if v.text {
		return "\nA TEXT of - is what the input holds."
	}
	return ""
}

func (c *commands) actions() []*cobra.Command {
	list := []verbCommand{
		{use: "ack INCIDENT...", short: "Acknowledge incidents: their escalation stops", verb: sources.Acknowledge, on: anIncident, many: true},
		{use: "resolve INCIDENT...", short: "Resolve incidents", verb: sources.Resolve, on: anIncident, many: true},
		{use: "escalate INCIDENT", short: "Page the next level, or the one that --level names", verb: sources.Escalate, on: anIncident, flags: levelFlag},
		{use: "snooze INCIDENT", short: "Keep an incident quiet for a time", verb: sources.Snooze, on: anIncident, flags: forFlag},
		{use: "note INCIDENT TEXT...", short: "Add a note to an incident", verb: sources.AddNote, on: anIncident, text: true},
		{use: "update INCIDENT TEXT...", short: "Send a status update to an incident's subscribers", verb: sources.PostStatus, on: anIncident, text: true},
		{use: "reassign INCIDENT", short: "Hand an incident to somebody", verb: sources.Reassign, on: anIncident, flags: toFlag},
		{use: "silence INCIDENT", short: "Silence exactly the alerts of an incident for a time", verb: sources.SilenceIt, on: anIncident, flags: forFlag},
		{use: "expire SILENCE", short: "End a silence", verb: sources.Expire, on: aSilence},
		{use: "mute MONITOR", short: "Mute a monitor for a time", verb: sources.Mute, on: aMonitor, flags: forFlag},
		{use: "unmute MONITOR", short: "Let a monitor be heard again", verb: sources.Unmute, on: aMonitor},
		{use: "merge INCIDENT OTHER...", short: "Merge other incidents into one", verb: sources.Merge, on: anIncident, more: true},
		{use: "approve RUN", short: "Approve the gate that a run waits at", verb: sources.Approve, on: aRun, flags: commentFlag},
		{use: "reject RUN", short: "Reject the gate that a run waits at", verb: sources.Reject, on: aRun, flags: commentFlag},
		{use: "cancel RUN", short: "Cancel a run", verb: sources.Cancel, on: aRun},
		{use: "rerun RUN", short: "Run the failed jobs of a run again, or all of them", verb: sources.RerunFailed, on: aRun, flags: rerunFlag},
	}
	var out []*cobra.Command
	for _, v := range list {
		out = append(out, c.verb(v))
	}
	return append(out, c.promote(), c.rollback())
}

func (c *commands) verb(v verbCommand) *cobra.Command {
	var flags actFlags
	request := action.Request{Verb: v.verb}
	least, most := 1, 1
	if v.many {
		most = -1
	}
	if v.text || v.more {
		least, most = 2, -1
	}
	cmd := &cobra.Command{
		Use:   v.use,
		Short: v.short,
		Long:  v.short + ".\n\n" + v.on.doc() + v.textDoc() + actLong,
		Args:  counts(v.use, least, most),

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	check := func() error { return nil }
	if v.flags != nil {
		check = v.flags(cmd, &request)
	}
	flags.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := check(); err != nil {
			return err
		}
		objects, others := args[:1], []string(nil)
		switch {
		case v.many:
			objects = args
		case v.more:
			others = args[1:]
		case v.text:
			var err error
			if request.Text, err = c.text(args[1:]); err != nil {
				return err
			}
		}
		return c.act(cmd, flags, scope{kind: v.on, objects: args}, func(r *resolver) ([]action.Request, error) {
			var err error
			if request.Others, err = r.objects(v.on, others); err != nil {
				return nil, err
			}
			targets, err := r.objects(v.on, objects)
			if err != nil {
				return nil, err
			}
			var list []action.Request
			for _, target := range targets {
				q := request
				q.Target = target
				list = append(list, q)
			}
			return list, nil
		})
	}
	return cmd
}

// mostText is how much of the input is taken for a text.
const mostText = 64 << 10

// text is what words say; a single "-" is what the input says.
func (c *commands) text(words []string) (string, error) {
	if len(words) != 1 || words[0] != "-" {
		return strings.Join(words, " "), nil
	}
	b, err := io.ReadAll(io.LimitReader(c.process.In, mostText+1))
	text := strings.TrimSpace(string(b))
	switch {
	case err != nil:
		return "", usagef("the text cannot be read from the input: %w", err)
	case len(b) > mostText:
		return "", usagef("the text from the input is longer than %d bytes: shorten it", mostText)
	case text == "":
		return "", usagef("the input holds no text: pipe it in, or type it instead of -")
	}
	return text, nil
}

// counts demands a number of arguments; most < 0 is any.
func counts(use string, least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		_, rest, _ := strings.Cut(use, " ")
		switch {
		case len(args) < least:
			return usagef("%s lacks an argument: type %s %s", cmd.CommandPath(), cmd.CommandPath(), rest)
		case most >= 0 && len(args) > most:
			return usagef("%s takes %s, but got %q too: type %s %s", cmd.CommandPath(), clean.Counted(most, "argument"), args[most], cmd.CommandPath(), rest)
		}
		for _, a := range args {
			if strings.TrimSpace(a) == "" {
				return usagef("%s got an empty argument: type %s %s", cmd.CommandPath(), cmd.CommandPath(), rest)
			}
		}
		return nil
	}
}

func forFlag(cmd *cobra.Command, q *action.Request) func() error {
	cmd.Flags().DurationVar(&q.For, "for", 0, "for how long: 30m, 4h")
	cmd.Flags().StringVar(&q.Text, "comment", "", "what others read about it")
	return func() error {
		if q.For <= 0 {
			return usagef("%s needs to know for how long: add --for 30m", cmd.CommandPath())
		}
		return nil
	}
}

func levelFlag(cmd *cobra.Command, q *action.Request) func() error {
	cmd.Flags().IntVar(&q.Level, "level", 0, "the level of the escalation policy; 0 is the next one")
	return func() error {
		if q.Level < 0 {
			return usagef("--level %d is no level: they count from 1", q.Level)
		}
		return nil
	}
}

func toFlag(cmd *cobra.Command, q *action.Request) func() error {
	cmd.Flags().StringSliceVar(&q.To, "to", nil, "whom: a login, a name or an id of the incident's source; several with commas")
	return func() error {
		if len(q.To) == 0 {
			return usagef("%s needs to know to whom: add --to LOGIN", cmd.CommandPath())
		}
		return nil
	}
}

func commentFlag(cmd *cobra.Command, q *action.Request) func() error {
	cmd.Flags().StringVar(&q.Text, "comment", "", "what others read about it")
	return func() error { return nil }
}

func rerunFlag(cmd *cobra.Command, q *action.Request) func() error {
	var all, failed bool
	cmd.Flags().BoolVar(&all, "all", false, "all of its jobs")
	cmd.Flags().BoolVar(&failed, "failed", false, "only those that failed; so it is unless --all says otherwise")
	return func() error {
		if all && failed {
			return usagef("--all and --failed exclude each other: leave out one")
		}
		if all {
			q.Verb = sources.RerunAll
		}
		return nil
	}
}

func (c *commands) promote() *cobra.Command {
	var flags actFlags
	var to, version string
	var targets []string
	var via means
	cmd := &cobra.Command{
		Use:   "promote SERVICE --to ENVIRONMENT",
		Short: "Put the version of the stage before into an environment",
		Long: `Put the version that runs in the stage before into an environment, or the one that --version names, and
watch it take effect. Then the guard watches the service for the time that guard.window: says; when it
fails, guard.on_fail: says whether the version is rolled back, once.` + actLong,
		Args: counts("promote SERVICE --to ENVIRONMENT", 1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return usagef("promote needs to know where to: add --to prod")
			}
			return c.change(cmd, flags, action.Request{Verb: sources.Promote, Version: version, Targets: targets, Means: action.Means(via)}, args[0], to)
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "the environment")
	cmd.ValidArgsFunction = c.service()
	_ = cmd.RegisterFlagCompletionFunc("to", c.environment())
	f.StringVar(&version, "version", "", "a commit or tag, instead of what runs in the stage before")
	changeFlags(cmd, &flags, &targets, &via)
	return cmd
}

func (c *commands) rollback() *cobra.Command {
	var flags actFlags
	var env, version, about string
	var targets []string
	var via means
	cmd := &cobra.Command{
		Use:   "rollback SERVICE --env ENVIRONMENT",
		Short: "Put back the newest version known good in an environment",
		Long: `Put back the newest version known good in an environment, or the one that --to names, and watch it take
effect. Then the guard watches the service for the time that guard.window: says.` + actLong,
		Args: counts("rollback SERVICE --env ENVIRONMENT", 1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if env == "" {
				return usagef("rollback needs to know where: add --env prod")
			}
			q := action.Request{Verb: sources.Rollback, Version: version, Targets: targets, Means: action.Means(via)}
			return c.changeFor(cmd, flags, q, args[0], env, about)
		},
	}
	f := cmd.Flags()
	f.StringVar(&env, "env", "", "the environment")
	cmd.ValidArgsFunction = c.service()
	_ = cmd.RegisterFlagCompletionFunc("env", c.environment())
	f.StringVar(&version, "to", "", "a commit or tag that ran there, instead of the newest known good")
	f.StringVar(&about, "incident", "", "the incident that it is for")
	changeFlags(cmd, &flags, &targets, &via)
	return cmd
}

func changeFlags(cmd *cobra.Command, flags *actFlags, targets *[]string, via *means) {
	f := cmd.Flags()
	f.StringSliceVar(targets, "target", nil, "only these targets of the environment, with commas between them")
	f.Var(via, "via", "how: approve, workflow, deployment or rerun, where several fit")
	f.BoolVar(&flags.noGuard, "no-guard", false, "do not watch the service afterwards")
	_ = cmd.RegisterFlagCompletionFunc("via", cobra.FixedCompletions([]string{"approve", "workflow", "deployment", "rerun"}, cobra.ShellCompDirectiveNoFileComp))
	flags.add(cmd)
}

// means is how a version gets into an environment, as --via takes it.
type means action.Means

func (m *means) String() string { return string(*m) }

func (m *means) Type() string { return "means" }

func (m *means) Set(s string) error {
	switch action.Means(s) {
	case action.ByApproval, action.ByWorkflow, action.ByDeployment, action.ByRerun:
		*m = means(s)
		return nil
	}
	return fmt.Errorf("%q is no means: type --via approve, workflow, deployment or rerun", s)
}

func (c *commands) change(cmd *cobra.Command, flags actFlags, q action.Request, service, env string) error {
	return c.changeFor(cmd, flags, q, service, env, "")
}

// changeFor promotes or rolls back. about is the incident that it is for; "" for none.
func (c *commands) changeFor(cmd *cobra.Command, flags actFlags, q action.Request, service, env, about string) error {
	return c.act(cmd, flags, scope{service: service}, func(r *resolver) ([]action.Request, error) {
		var err error
		if q.Target, err = r.environment(service, env); err != nil {
			return nil, err
		}
		if about != "" {
			if q.About, err = r.object(anIncident, about); err != nil {
				return nil, err
			}
		}
		return []action.Request{q}, nil
	})
}
