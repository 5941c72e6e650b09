package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind says where a reference points.
type Kind string

// The kinds of reference.
const (
	Env  Kind = "env"  // env:NAME, a variable of the environment
	File Kind = "file" // file:PATH, a file that only its owner may read
	Cmd  Kind = "cmd"  // cmd:PROGRAM ARGS, what a program prints

	plain Kind = "plain" // the value itself: see Plain
)

// Ref says where a credential is kept. Copies of a Ref share what was resolved, and all methods are
// safe for use by several goroutines. Its text form is what the config says:
//
//	env:NAME            read at each Resolve
//	file:PATH           read at each Resolve, so that a rotated file is noticed; ~ is the home
//	                    directory; a relative path starts at the config file's folder. Refused unless it
//	                    is a regular file that its owner alone can read.
//	cmd:PROGRAM ARGS    run once; without a shell (see Split for quotes); cmd:sh -c '…' asks for one
//
// The zero Ref names nothing.
type Ref struct{ cell *cell }

type cell struct {
	kind   Kind
	target string   // a variable, a path, or a command line as it was written
	argv   []string // of a command
	limit  time.Duration
	scope  *Scope

	mu     sync.Mutex
	flight chan struct{} // closed when the running command has ended; nil when none runs
	done   bool          // value or err is kept
	value  Secret
	err    error
	until  time.Time // when a kept err is forgotten
}

// Error is why a reference makes no sense, or could not be resolved. Msg never holds any part of a
// secret. Fix is what mends it.
type Error struct {
	Ref Ref
	Msg string
	Fix string
	Err error // the cause, for the log
}

func (e *Error) Error() string {
	s := e.Msg
	if !e.Ref.IsZero() {
		s = e.Ref.String() + ": " + s
	}
	if e.Fix != "" {
		s += ": " + e.Fix
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Field tells a config decoder what is wrong and what to do.
func (e *Error) Field() (path, msg, fix string) { return "", e.Msg, e.Fix }

// Scope is what the references of one config share: the same command runs once for all that name it,
// and the variables that hold secrets are kept from the commands. Fill it with Parse before the first
// Resolve; after that it is never changed.
type Scope struct {
	cells map[string]*cell
	names []string // of variables that hold secrets
}

// NewScope makes an empty Scope. names are variables to keep from commands besides those that
// references name.
func NewScope(names ...string) *Scope {
	return &Scope{cells: map[string]*cell{}, names: slices.Clone(names)}
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Parse reads a reference. dir is where relative paths start.
func (s *Scope) Parse(text, dir string) (Ref, error) {
	c, err := parse(text, dir)
	if err != nil {
		return Ref{}, err
	}
	if c.kind == Env && !slices.Contains(s.names, c.target) {
		s.names = append(s.names, c.target)
	}
	id := string(c.kind) + ":" + c.target
	if known, ok := s.cells[id]; ok {
		return Ref{known}, nil
	}
	c.scope = s
	s.cells[id] = c
	return Ref{c}, nil
}

// UnmarshalText reads a reference that shares nothing with others; relative paths start at the
// working directory. Whoever decodes a whole config uses a Scope.
func (r *Ref) UnmarshalText(text []byte) error {
	parsed, err := NewScope().Parse(string(text), "")
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

var errLiteral = errors.New("literal secret")

func parse(text, dir string) (*cell, error) {
	kind, rest, ok := strings.Cut(strings.TrimSpace(text), ":")
	rest = strings.TrimSpace(rest)
	c := &cell{kind: Kind(kind), target: rest, limit: cmdTimeout}
	switch {
	case ok && c.kind == Env:
		if !envName.MatchString(rest) {
			return nil, &Error{Msg: "env: needs the name of a variable", Fix: "write for example env:GITHUB_TOKEN"}
		}
	case ok && c.kind == File:
		if rest == "" || strings.ContainsRune(rest, 0) {
			return nil, &Error{Msg: "file: needs a path", Fix: "write for example file:~/.config/signalbox/token"}
		}
		if dir != "" && !filepath.IsAbs(rest) && !isHome(rest) {
			c.target = filepath.Join(dir, rest)
		}
	case ok && c.kind == Cmd:
		argv, err := Split(rest)
		if err != nil {
			return nil, &Error{Msg: "cmd: " + err.Error(), Fix: "quote words as in a shell, or use cmd:sh -c '…'", Err: err}
		}
		if len(argv) == 0 || argv[0] == "" {
			return nil, &Error{Msg: "cmd: needs a program", Fix: "write for example cmd:op read op://vault/item/field"}
		}
		c.argv = argv
	default:
		return nil, &Error{
			Msg: "a secret may not be written into the config",
			Fix: "name where it is kept: env:NAME, file:PATH or cmd:PROGRAM ARGS",
			Err: errLiteral,
		}
	}
	return c, nil
}

func isHome(path string) bool { return path == "~" || strings.HasPrefix(path, "~/") }

// FromEnv is a reference to a variable of the environment.
func FromEnv(name string) Ref { return Ref{&cell{kind: Env, target: name}} }

// Plain is a reference that is what it names: text that the config may hold as it is. Like all others it
// shows little of itself, since an address may hold what is better not told.
func Plain(text string) Ref { return Ref{&cell{kind: plain, target: text}} }

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r.cell == nil }

// Kind is where r points; "" for the zero Ref.
func (r Ref) Kind() Kind {
	if r.cell == nil {
		return ""
	}
	return r.cell.kind
}

// String is r for people and logs. Of a command it shows the program alone: arguments may hold
// secrets of their own.
func (r Ref) String() string {
	switch {
	case r.cell == nil:
		return ""
	case r.cell.kind == plain:
		return shortened(r.cell.target)
	case r.cell.kind == Cmd && len(r.cell.argv) > 1:
		return "cmd:" + r.cell.argv[0] + " …"
	case r.cell.kind == Cmd:
		return "cmd:" + r.cell.argv[0]
	default:
		return string(r.cell.kind) + ":" + r.cell.target
	}
}

// shortened is an address without all that follows its host, or nothing but that there is a text.
func shortened(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return Redacted
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 && i < len(rest)-1 {
		return scheme + "://" + rest[:i] + "/…"
	}
	return text
}

// Equal reports whether r and other are written alike.
func (r Ref) Equal(other Ref) bool {
	if r.cell == nil || other.cell == nil {
		return r.cell == other.cell
	}
	return r.cell.kind == other.cell.kind && r.cell.target == other.cell.target
}

// Format implements fmt.Formatter: every verb shows String.
func (r Ref) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue implements slog.LogValuer.
func (r Ref) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText implements encoding.TextMarshaler with String.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Resolve reads the credential. Its errors are *Error, or the context's.
//
// Calls that overlap share one run of a command, which goes on when one of them gives up. What a
// command printed is kept for the life of the Ref; its failure is kept for a minute, so that a board
// that polls does not start it, and ask its user, every few seconds.
func (r Ref) Resolve(ctx context.Context) (Secret, error) {
	if err := ctx.Err(); err != nil {
		return Secret{}, err
	}
	if r.cell == nil {
		return Secret{}, &Error{Msg: "no secret is configured", Fix: "name one: env:NAME, file:PATH or cmd:PROGRAM ARGS"}
	}
	switch r.cell.kind {
	case Env:
		return r.readEnv()
	case File:
		return r.readFile()
	case Cmd:
		return r.once(ctx)
	case plain:
		return New(r.cell.target), nil
	default:
		return Secret{}, &Error{Ref: r, Msg: "is no kind of reference"}
	}
}
