package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file; lines and columns count from 1. A Line of 0 means the whole file.
type Position struct {
	File   string
	Line   int
	Column int
}

func (p Position) String() string {
	if p.Line == 0 {
		return printable(p.File)
	}
	return fmt.Sprintf("%s:%d:%d", printable(p.File), p.Line, p.Column)
}

// Error is one mistake: where it is, what is wrong and what to do.
type Error struct {
	Pos Position
	Msg string
	Fix string
	Err error // the cause, for the log; nil for most
}

func (e *Error) Error() string {
	s := e.Msg
	if e.Fix != "" {
		s += ": " + e.Fix
	}
	if e.Pos.File == "" && e.Pos.Line == 0 {
		return printable(s)
	}
	return e.Pos.String() + ": " + printable(s)
}

func (e *Error) Unwrap() error { return e.Err }

// Errors are all mistakes that were found, in the order of the files; Error has one line for each.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.Is and errors.As all of them.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// Warning is something right that has no effect.
type Warning struct {
	Pos Position
	Msg string
	Fix string
}

func (w Warning) String() string {
	return (&Error{Pos: w.Pos, Msg: w.Msg, Fix: w.Fix}).Error()
}

// FieldProblem is how an error names the key that it is about: a dotted path, relative to what was
// decoded or validated; what is wrong; and what to do ("" when msg says it). Errors of a source's
// Validate and of an UnmarshalText may have it anywhere in their tree.
type FieldProblem interface {
	error
	Field() (path, msg, fix string)
}

// problems collects mistakes while a config is read.
type problems struct{ list Errors }

func (p *problems) add(pos Position, fix, format string, args ...any) {
	p.list = append(p.list, &Error{Pos: pos, Msg: fmt.Sprintf(format, args...), Fix: fix})
}

// err is what was collected, sorted and without repetitions, as Errors; nil when there is nothing.
// order ranks the files.
func (p *problems) err(order []string) error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b *Error) int { return compare(a.Pos, b.Pos, order) })
	type mistake struct {
		pos Position
		msg string
	}
	seen := make(map[mistake]bool, len(p.list))
	p.list = slices.DeleteFunc(p.list, func(e *Error) bool {
		m := mistake{e.Pos, e.Msg}
		again := seen[m]
		seen[m] = true
		return again
	})
	return p.list
}

// compare orders two places: by the rank of their files, then by line and column.
func compare(a, b Position, order []string) int {
	return cmp.Or(
		cmp.Compare(slices.Index(order, a.File), slices.Index(order, b.File)),
		cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
	)
}

// walk visits err and everything that it wraps until visit says stop by returning true.
func walk(err error, visit func(error) bool) {
	if err == nil || visit(err) {
		return
	}
	switch u := err.(type) { //nolint:errorlint // the tree itself is walked
	case interface{ Unwrap() error }:
		walk(u.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, one := range u.Unwrap() {
			walk(one, visit)
		}
	}
}
