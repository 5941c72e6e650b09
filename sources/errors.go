package sources

import (
	"errors"
	"time"
)

// ErrKind is what a caller may decide on; the text of an error is for people.
type ErrKind uint8

// The kinds of error. The zero kind is Transient: what is not known to be final is tried again.
const (
	Transient   ErrKind = iota // network, time-out, 5xx: trying again later may help
	Invalid                    // the request, the configuration or the answer makes no sense
	Permission                 // not authenticated, not authorised, a missing scope, single sign-on
	NotExist                   // deleted, renamed away, or hidden from this identity
	Conflict                   // the object is not in the state that the request needs
	Throttled                  // a rate limit: RetryAt says when to come back
	Ambiguous                  // a write whose answer was lost: it may or may not have happened
	Unsupported                // the provider, its version or its plan cannot do this
)

var kindNames = [...]string{"transient", "invalid", "permission", "not exist", "conflict", "throttled", "ambiguous", "unsupported"}

func (k ErrKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Error is how every driver reports a failure. Msg and Fix are sentences for people without a period:
// what went wrong in the provider's terms, and the command, page or setting that mends it ("" when
// nothing does but waiting). Both are drawn through clean. Err keeps the chain for the log.
type Error struct {
	Kind    ErrKind
	Op      string // "list runs"
	Scope   string // "acme/checkout", "" for the whole source
	Msg     string
	Fix     string
	RetryAt time.Time // when Kind is Throttled and the provider said so
	Err     error
}

func (e *Error) Error() string {
	s := e.Op
	if e.Scope != "" {
		s += " of " + e.Scope
	}
	if s != "" {
		s += ": "
	}
	if e.Msg != "" {
		return s + e.Msg
	}
	if e.Err != nil {
		return s + e.Err.Error()
	}
	return s + e.Kind.String()
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the first *Error in err's chain; Transient for any other error.
func KindOf(err error) ErrKind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Transient
}

// Message is what an error says to people, without its cure: the Msg of the first *Error in its chain, else all
// of its text. It is not cleaned.
func Message(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Msg != "" {
		return e.Msg
	}
	return err.Error()
}

// Cure is what mends an error: the Fix of the first *Error in its chain, or when a rate limit has passed; "" when it
// says nothing.
func Cure(err error) string {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return ""
	case e.Fix == "" && e.Kind == Throttled && !e.RetryAt.IsZero():
		return "try again at " + e.RetryAt.Local().Format("15:04 MST")
	}
	return e.Fix
}

// ErrNotModified is returned by a list that was answered "not modified" throughout: what the same
// Source returned for the same Query the last time still holds, and nothing was decoded.
var ErrNotModified = errors.New("not modified")
