// Package cli is signalbox's command line: one file a command, one printer of errors, one set of exit
// codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
)

// Process is what a command line gets from the process that it runs in.
type Process struct {
	Args   []string // without the program's name
	In     *os.File
	Out    *os.File
	Err    io.Writer
	Lookup func(string) (string, bool) // environment variables
}

// env is the environment variable called name; "" when it is not set.
func (p Process) env(name string) string {
	v, _ := p.Lookup(name)
	return v
}

// commands makes the commands. It holds what they share: the process and the global flags.
type commands struct {
	process Process
	globals globals
	log     *slog.Logger // what --log names; never nil once a command runs
}

// globals are the flags of every command.
type globals struct {
	config   string
	demo     bool
	readOnly bool
	log      string
	noColor  bool
}

// Main runs the command line and returns the process's exit code.
func Main(p Process) (code int) {
	c := &commands{process: p}
	defer func() {
		if v := recover(); v != nil {
			c.crash(v)
			code = exitFailed
		}
	}()
	// A board whose connection is gone (SIGHUP) or that is told to go ends as if by its own key: the
	// terminal is given back, the last snapshot is kept.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()

	root := c.root()
	logFile := io.Closer(io.NopCloser(nil))
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) (err error) {
		logFile, err = c.begin(cmd)
		return err
	}
	root.SetArgs(p.Args)
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	err := root.ExecuteContext(ctx)
	if closeErr := logFile.Close(); closeErr != nil && err == nil {
		err = fmt.Errorf("write the log: %w", closeErr)
	}
	if err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return exitFailed
		}
		report(p.Err, err)
	}
	return codeOf(err)
}

// begin prepares what every command has: flags with values, the log, and the environment's switches.
func (c *commands) begin(cmd *cobra.Command) (io.Closer, error) {
	if err := given(cmd); err != nil {
		return io.NopCloser(nil), err
	}
	if _, _, err := c.readOnly(); err != nil {
		return io.NopCloser(nil), err
	}
	log, file, err := wire.OpenLog(c.globals.log, wire.NewRedactor(os.Environ()))
	if err != nil {
		return io.NopCloser(nil), usagef("--log: %w: name a file that you may write", err)
	}
	c.log = log
	log.Info("start", "command", cmd.CommandPath(), "version", buildInfo().Version)
	return file, nil
}

// readOnly reports whether the command line or the environment forbids every change, and which of them.
func (c *commands) readOnly() (is bool, by string, err error) {
	const variable = "SIGNALBOX_READ_ONLY"
	if c.globals.readOnly {
		return true, "--read-only", nil
	}
	v := c.process.env(variable)
	if v == "" {
		return false, "", nil
	}
	if is, err = strconv.ParseBool(v); err != nil {
		return false, "", usagef("$%s is %q, neither true nor false: type export %s=true, or unset it", variable, v, variable)
	}
	return is, "$" + variable, nil
}

func (c *commands) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "signalbox",
		Short: "A team's incidents, metrics, pipelines and deployments on one screen",
		Long: `A team's incidents, metrics, pipelines and deployments on one screen.

Without a command: the board. Its config is --config, $SIGNALBOX_CONFIG or
$XDG_CONFIG_HOME/signalbox/config.yaml; without one, the repository of the current directory and the
tokens in the environment. --demo shows the board on a simulated world: it needs no account.

Exit codes: 0 well, or done and verified · 1 failed, or something needs a person · 2 usage or config · 3
refused, or not confirmed · 4 it had changed meanwhile · 5 it is not known whether it happened · 6 a source
failed, so it cannot be told.`,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          c.board,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(help())
	root.Version = versionText()
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	f := root.PersistentFlags()
	f.StringVar(&c.globals.config, "config", "", "the config file (also $SIGNALBOX_CONFIG)")
	f.BoolVar(&c.globals.demo, "demo", false, "show an embedded simulated world: no account, no network")
	f.BoolVar(&c.globals.readOnly, "read-only", false, "refuse every change (also $SIGNALBOX_READ_ONLY)")
	f.StringVar(&c.globals.log, "log", "", "write a log to this file")
	f.BoolVar(&c.globals.noColor, "no-color", false, "no colour (also $NO_COLOR)")
	c.add(root, "look", "Look:", c.status(), c.frame(), c.gate(), c.guard(), c.journal(), c.policy())
	c.add(root, "act", "Act:", append(c.actions(), c.cosign())...)
	c.add(root, "setup", "Set up:", c.initialise(), c.config(), c.doctor(), c.simulate(), c.completion(), c.version())
	root.SetHelpCommandGroupID("setup")
	return root
}

// add adds commands to root, below a title of their own in its help.
func (c *commands) add(root *cobra.Command, id, title string, list ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: id, Title: title})
	for _, cmd := range list {
		cmd.GroupID = id
		root.AddCommand(cmd)
	}
}

// help is cobra's command of that name, but for what it says of a command that there is not.
func help() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noArgs(cmd.Root(), args)
			}
			if err := found.Help(); err != nil {
				return fmt.Errorf("write the help: %w", err)
			}
			return nil
		},
	}
}
