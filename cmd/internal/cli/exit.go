package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// The exit codes, the same for every command.
const (
	exitWell    = 0 // well, or done and verified
	exitFailed  = 1 // failed, or something needs a person
	exitUsage   = 2 // a wrong flag, argument or config
	exitRefused = 3 // policy refused, or a confirmation was not given
	exitStale   = 4 // it had changed meanwhile: nothing was sent
	exitUnknown = 5 // it is not known whether it happened
	exitSource  = 6 // a source failed, so it cannot be told
)

// exit is an error with the code that the process ends with. A nil err says nothing: what there was to
// say is on the output.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usagef is a mistake of the caller: one line "what is wrong: what to type".
func usagef(format string, args ...any) error {
	return &exit{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// usage makes err a mistake of the caller.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exit{code: exitUsage, err: err}
}

// quiet ends the process with code and says nothing more.
func quiet(code int) error {
	if code == exitWell {
		return nil
	}
	return &exit{code: code}
}

// codeOf is the exit code that err asks for.
func codeOf(err error) int {
	if err == nil {
		return exitWell
	}
	if e, ok := errors.AsType[*exit](err); ok {
		return e.code
	}
	if e, ok := errors.AsType[*sources.Error](err); ok {
		if e.Kind == sources.Invalid {
			return exitUsage
		}
		return exitSource
	}
	return exitFailed
}

// report writes err for a person: every line of it stripped of what could drive a terminal, a source's
// error with its cure.
func report(w io.Writer, err error) {
	if e, ok := errors.AsType[*exit](err); ok && e.err == nil {
		return
	}
	text := err.Error()
	if nothing, ok := asNothingSet(err); ok {
		text = nothingText(nothing)
	}
	if e, ok := errors.AsType[*sources.Error](err); ok && e.Fix != "" && !strings.Contains(text, e.Fix) {
		text += ": " + e.Fix
	}
	prefix := "signalbox: "
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		// Nothing is left to do when the error stream itself is gone.
		_, _ = fmt.Fprintf(w, "%s%s\n", prefix, clean.Line(line))
		prefix = "  "
	}
}

// nothingText says what is missing, and below it each way out.
func nothingText(n *config.NothingSet) string {
	width := 0
	for _, way := range n.Set {
		width = max(width, clean.Line(way.What).Width())
	}
	text := strings.Join(n.Found, "; ")
	for _, way := range n.Set {
		text += "\n" + way.What + strings.Repeat(" ", width-clean.Line(way.What).Width()+2) + way.Why
	}
	return text
}

// refusedf is a refusal: one line "what is wrong: what to do".
func refusedf(format string, args ...any) error {
	return &exit{code: exitRefused, err: fmt.Errorf(format, args...)}
}
