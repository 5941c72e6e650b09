package action

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"iter"
	"log/slog"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
)

// Access is one source, and who acts there.
type Access struct {
	Set      capability.Set
	Identity string // `me:` of the source's type
}

// Book is where records are kept: a *journal.Journal.
type Book interface {
	Ready(context.Context) error
	Append(context.Context, journal.Record) (journal.Record, error)
	Open() ([][]journal.Record, error)
}

// Locker gives out the locks on targets. Lock never waits: it returns an error that says who holds the lock.
type Locker interface {
	Lock(name string) (release func(), err error)
}

// Judge is the policy: a *policy.Set.
type Judge interface {
	Judge(policy.Facts) []policy.Finding
}

// Options are a Runner's surroundings. Service, Roles, Records, Cosigned, Notice, Nudge and Log may lack:
// nothing is known of services then, nobody has roles, and nobody else agrees.
type Options struct {
	Access   func(source string) (Access, error)
	Snapshot func() *store.Snapshot
	// Service is what the config says of a service; ok is false when it does not name it.
	Service func(name string) (s Service, ok bool)
	// Roles are what the config calls an identity of a source.
	Roles func(identity string) []string
	// Records are those of the journal, oldest first; nil: nothing of it is known.
	Records func() iter.Seq2[journal.Record, error]
	// Cosigned is who else has agreed to a plan; "" nobody. CanCosign reports that there is a place for it.
	Cosigned  func(*Plan) string
	CanCosign bool
	Policy    Judge
	Journal   Book
	Locks     Locker
	ReadOnly  func() bool
	Now       func() time.Time
	Who       journal.Who
	// Notice is told of each step; Nudge which target has changed, so that what shows it is read again.
	// Neither may block.
	Notice func(Event)
	Nudge  func(sources.Ref)
	Log    *slog.Logger
}

// Runner carries actions out. It is safe for several goroutines at once, and holds no state but that of
// the journal and the locks.
type Runner struct{ o Options }

// New returns a Runner.
func New(o Options) *Runner {
	if o.Notice == nil {
		o.Notice = func(Event) {}
	}
	if o.Nudge == nil {
		o.Nudge = func(sources.Ref) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Runner{o: o}
}

// newID is a plan's identity: its moment, for people, and enough chance to be unique on every machine.
func (r *Runner) newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return r.o.Now().UTC().Format(sources.CallTime) + "-" + hex.EncodeToString(b[:])
}

// actor is the source of ref as an actor that knows verb.
func (r *Runner) actor(verb sources.Verb, ref sources.Ref) (Access, sources.ActionSpec, error) {
	a, err := r.o.Access(ref.Source)
	if err != nil {
		return a, sources.ActionSpec{}, err
	}
	if a.Set.Actor != nil {
		for _, spec := range slices.Concat(changes(a), a.Set.Actor.Actions()) {
			if spec.Verb == verb && spec.On == ref.Kind {
				return a, spec, nil
			}
		}
	}
	msg := "the source " + ref.Source + " cannot " + string(verb) + " a " + string(ref.Kind)
	if verb == sources.Promote || verb == sources.Rollback {
		msg = "the source " + ref.Source + " has no means to change what runs in " + ref.ID
	}
	return a, sources.ActionSpec{}, &sources.Error{Kind: sources.Unsupported, Op: string(verb), Scope: ref.String(), Msg: msg}
}

// Offers lists the verbs that can be asked for on an object: those of its source, and on an environment what
// these are the means of.
func (r *Runner) Offers(ref sources.Ref) []sources.ActionSpec {
	a, err := r.o.Access(ref.Source)
	if err != nil || a.Set.Actor == nil {
		return nil
	}
	if ref.Kind == sources.KindEnvironment {
		return changes(a)
	}
	var out []sources.ActionSpec
	for _, spec := range a.Set.Actor.Actions() {
		if spec.On == ref.Kind {
			out = append(out, spec)
		}
	}
	return out
}

// changes are the verbs on environments that a source has the means of.
func changes(a Access) []sources.ActionSpec {
	forward := offered(a, sources.Dispatch, sources.KindEnvironment) || offered(a, sources.Deploy, sources.KindEnvironment) ||
		offered(a, sources.Approve, sources.KindRun)
	var out []sources.ActionSpec
	if forward {
		out = append(out, sources.ActionSpec{Verb: sources.Promote, On: sources.KindEnvironment, Doc: "puts another version there", Undo: sources.Rollback})
	}
	if forward || offered(a, sources.RerunAll, sources.KindRun) {
		out = append(out, sources.ActionSpec{Verb: sources.Rollback, On: sources.KindEnvironment, Doc: "puts an earlier version back"})
	}
	return out
}

func (r *Runner) notice(p *Plan, step Step, text clean.Text, url string) {
	r.o.Notice(Event{Plan: p.ID, Title: p.Title, Step: step, Text: text, URL: url, At: r.o.Now()})
}
