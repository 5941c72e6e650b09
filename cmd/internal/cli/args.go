package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// output is the form of a command's answer.
type output string

const (
	outputText output = "table"
	outputJSON output = "json"
)

var _ pflag.Value = (*output)(nil)

func (o *output) String() string {
	if *o == "" {
		return string(outputText)
	}
	return string(*o)
}

func (o *output) Type() string { return "form" }

func (o *output) Set(s string) error {
	switch output(s) {
	case outputText, outputJSON:
		*o = output(s)
		return nil
	default:
		return fmt.Errorf("%q is no form of output: type --output table or --output json", s)
	}
}

func (o *output) flag(cmd *cobra.Command) {
	cmd.Flags().VarP(o, "output", "o", "table or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{string(outputText), string(outputJSON)}, cobra.ShellCompDirectiveNoFileComp))
}

// size is a number of columns and rows, as in 160x48.
type size struct{ w, h int }

// The sizes that are drawn. The larger bounds keep a slip of the finger from taking all memory.
const (
	maxColumns = 1000
	maxRows    = 500
)

var _ pflag.Value = (*size)(nil)

func (s *size) String() string { return fmt.Sprintf("%dx%d", s.w, s.h) }

func (s *size) Type() string { return "COLUMNSxROWS" }

func (s *size) Set(v string) error {
	var n size
	var rest string
	if c, _ := fmt.Sscanf(v, "%dx%d%s", &n.w, &n.h, &rest); c != 2 {
		return fmt.Errorf("%q is no size: type columns x rows, as in 160x48", v)
	}
	if n.w < 1 || n.h < 1 || n.w > maxColumns || n.h > maxRows {
		return fmt.Errorf("%q is out of range: type a size from 1x1 to %dx%d", v, maxColumns, maxRows)
	}
	*s = n
	return nil
}

// defaultWait is how long the sources may take before what they have answered counts.
const defaultWait = 30 * time.Second

// patience is how long to wait, above zero.
type patience time.Duration

var _ pflag.Value = (*patience)(nil)

func (p *patience) String() string { return time.Duration(*p).String() }

func (p *patience) Type() string { return "duration" }

func (p *patience) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is no time to wait: type for example 30s", s)
	}
	*p = patience(d)
	return nil
}

// flag makes p the flag --wait of cmd, with a default.
func (p *patience) flag(cmd *cobra.Command, d time.Duration) {
	*p = patience(d)
	cmd.Flags().Var(p, "wait", "how long to wait for the sources")
}

// context is parent, for as long as p.
func (p *patience) context(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(parent, time.Duration(*p))
}

// noArgs refuses arguments, and proposes the command that was probably meant.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return usagef("%s takes no argument, but got %q: type %s", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 && args[0] != "" {
		return usagef("%q is no command of %s: did you mean %s %s?", args[0], cmd.CommandPath(), cmd.CommandPath(), near[0])
	}
	return usagef("%q is no command of %s: %s --help lists them", args[0], cmd.CommandPath(), cmd.CommandPath())
}

// oneOf demands exactly one argument out of choices.
func oneOf(what string, choices []string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		list := strings.Join(choices, ", ")
		if len(args) != 1 {
			return usagef("%s takes %s: type one of %s", cmd.CommandPath(), what, list)
		}
		for _, c := range choices {
			if args[0] == c {
				return nil
			}
		}
		return usagef("%q is not %s that %s knows: type one of %s", args[0], what, cmd.CommandPath(), list)
	}
}

// flagError makes cobra's complaint about a flag one line that says what to type.
func flagError(cmd *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return badValue(bad)
	}
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "unknown flag: --"); ok {
		if near := nearestFlag(cmd, name); near != "" {
			return usagef("--%s is no flag of %s: did you mean --%s?", name, cmd.CommandPath(), near)
		}
	}
	return usagef("%s: %s --help lists the flags", msg, cmd.CommandPath())
}

// badValue says what a flag takes instead of what it was given.
func badValue(bad *pflag.InvalidValueError) error {
	name := bad.GetFlag().Name
	switch bad.GetFlag().Value.(type) {
	case *patience:
		return usagef("%w", bad.Unwrap())
	case *chosen:
		return usagef("--%s %w", name, bad.Unwrap())
	}
	switch bad.GetFlag().Value.Type() {
	case "int64":
		return usagef("--%s %q is no whole number: type for example --%s 7", name, bad.GetValue(), name)
	case "float64":
		return usagef("--%s %q is no number: type for example --%s 2.5", name, bad.GetValue(), name)
	case "duration":
		return usagef("--%s %q is no length of time: type for example --%s 30m, or 4h", name, bad.GetValue(), name)
	case "int":
		return usagef("--%s %q is no whole number: type for example --%s 7", name, bad.GetValue(), name)
	case "bool":
		return usagef("--%s %q is neither true nor false: type --%s alone", name, bad.GetValue(), name)
	default: // a value of our own, which says what to type
		return usagef("%w", bad.Unwrap())
	}
}

// given refuses flags that were given nothing: where a script's variable is not set, what was meant is not done
// with something else.
func given(cmd *cobra.Command) (err error) {
	blank := func(s string) bool { return strings.TrimSpace(s) == "" }
	cmd.Flags().Visit(func(f *pflag.Flag) {
		words := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			words = list.GetSlice()
		}
		if len(words) == 0 || slices.ContainsFunc(words, blank) {
			err = usagef("--%s was given nothing: give it a value, or leave it out", f.Name)
		}
	})
	return err
}

// nearestFlag is the flag of cmd whose name is at most two edits from name; "" when there is none.
func nearestFlag(cmd *cobra.Command, name string) string {
	best, at := "", 3
	look := func(f *pflag.Flag) {
		if d := edits(f.Name, name); d < at && !f.Hidden {
			best, at = f.Name, d
		}
	}
	cmd.Flags().VisitAll(look)
	cmd.InheritedFlags().VisitAll(look)
	return best
}

// edits is the Levenshtein distance of a and b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// say writes to a command's output.
func say(w io.Writer, format string, args ...any) error {
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}
