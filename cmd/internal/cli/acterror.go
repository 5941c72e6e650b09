package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
)

// errInterrupted is what a command says that was told to end before it had sent anything.
var errInterrupted = errors.New("interrupted: nothing was sent")

// nameOf is what an object is called: as it was typed.
func (p *performer) nameOf(ref sources.Ref) string {
	if name, ok := p.names[ref]; ok {
		return name
	}
	if e, _ := p.board.Snapshot().Environment(ref); e != nil {
		return e.Service + "/" + e.Name
	}
	return ref.String()
}

// planError is why there is no plan, as one line, with its exit code: what cannot be done is the caller's,
// what could not be read the source's.
func (p *performer) planError(ctx context.Context, q *action.Request, err error) error {
	if ctx.Err() != nil {
		return &exit{code: exitFailed, err: errInterrupted}
	}
	return sourceError(p.nameOf(q.Target), q.Verb, err)
}

// sourceError gives an error about an object its exit code, and makes it "checkout/prod: what is wrong: what to
// do".
func sourceError(name string, verb sources.Verb, err error) error {
	e, ok := errors.AsType[*sources.Error](err)
	if !ok {
		return err
	}
	msg := e.Msg
	if _, env, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(msg, env+" ") {
		msg = "it" + strings.TrimPrefix(msg, env)
	}
	if msg == "" {
		msg = string(verb) + " cannot be done"
	}
	fix := e.Fix
	switch {
	case fix == "choose another version" && verb == sources.Promote:
		fix = "choose another version with --version"
	case fix == "choose another version":
		fix = "choose another version with --to"
	}
	if fix != "" {
		msg += ": " + fix
	}
	return &exit{code: codeOfKind(e.Kind), err: &told{name + ": " + msg, err}}
}

// told is an error in words for whoever typed a command.
type told struct {
	text string
	err  error
}

func (t *told) Error() string { return t.text }

func (t *told) Unwrap() error { return t.err }

func codeOfKind(k sources.ErrKind) int {
	switch k {
	case sources.Invalid, sources.NotExist, sources.Unsupported:
		return exitUsage
	case sources.Conflict, sources.Permission:
		return exitRefused
	case sources.Throttled, sources.Transient, sources.Ambiguous:
	}
	return exitSource
}

// offered refuses what the object's source cannot do to it, and says what can be done instead.
func (p *performer) offered(q *action.Request) error {
	verbs := p.board.Offers(q.Target)
	is := func(s sources.ActionSpec) bool { return s.Verb == q.Verb }
	if slices.ContainsFunc(verbs, is) {
		return nil
	}
	name := p.nameOf(q.Target)
	for _, ref := range sameTrouble(p.board.Snapshot(), q.Target) {
		if slices.ContainsFunc(p.board.Offers(ref), is) {
			return usagef("%s: %s cannot %s %s; %s can, which tells of the same: name %s instead",
				name, q.Target.Source, commandName(q.Verb), article(string(q.Target.Kind)), ref.Source, clean.Line(ref.String()))
		}
	}
	if len(verbs) == 0 {
		return usagef("%s: nothing can be done to it: %s only tells of it", name, q.Target.Source)
	}
	var can []string
	for _, s := range verbs {
		can = append(can, commandName(s.Verb))
	}
	return usagef("%s: %s cannot %s %s: it can %s", name, q.Target.Source, commandName(q.Verb), article(string(q.Target.Kind)), strings.Join(can, ", "))
}

// sameTrouble are the other systems' views of what an object tells of.
func sameTrouble(s *store.Snapshot, ref sources.Ref) []sources.Ref {
	problems := insight.Problems(s, insight.View{Whose: insight.All}, s.At)
	for i := range problems {
		refs := membersOf(&problems[i])
		if slices.Contains(refs, ref) {
			return slices.DeleteFunc(refs, func(r sources.Ref) bool { return r == ref })
		}
	}
	return nil
}

func membersOf(p *insight.Problem) []sources.Ref {
	var out []sources.Ref
	for _, m := range p.Members {
		if m.Incident != nil {
			out = append(out, m.Incident.Ref)
		} else {
			out = append(out, m.Monitor.Ref)
		}
	}
	return out
}

// article is a noun with its article.
func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return fmt.Sprintf("an %s", noun)
	}
	return fmt.Sprintf("a %s", noun)
}
