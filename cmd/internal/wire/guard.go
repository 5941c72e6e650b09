package wire

import (
	"cmp"
	"context"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// watched is a change of version that a guard watches, or may.
type watched struct {
	plan         string
	verb         sources.Verb
	target       sources.Ref
	service, env string
	version      clean.Text        // that was put there, in short
	acted, start time.Time         // when it was sent, and when it had taken effect
	before       guard.Observation // how the service was before; zero: nobody looked
	back         string            // the version that ran before; "" leaves the choice to a plan
	about        sources.Ref
}

// moves reports that a verb changes what runs.
func moves(v sources.Verb) bool { return v == sources.Promote || v == sources.Rollback }

// baseline reads how a service is before an action on it, beside the action and never in its way. The answer
// is taken by whoever watches what came of it.
func (l *levers) baseline(ctx context.Context, p *action.Plan) func() guard.Observation {
	none := func() guard.Observation { return guard.Observation{} }
	if !moves(p.Request.Verb) || p.Change == nil {
		return none
	}
	o := l.observer(p.Change.Service, p.Change.Environment)
	if !o.measures() {
		return none
	}
	got := make(chan guard.Observation, 1)
	since := l.now().Add(-guard.DefaultBefore)
	l.crash.Go(func() {
		defer close(got)
		ctx, cancel := context.WithTimeout(ctx, baselineLimit)
		defer cancel()
		seen, err := o.read(ctx, since)
		if err != nil {
			l.b.log.Info("read the baseline of a guard", "plan", p.ID, "err", err)
		}
		got <- seen
	})
	return func() guard.Observation { return <-got }
}

const baselineLimit = 20 * time.Second

// after is what follows on an action that has ended: those who want to know are told, and a change of
// version is watched.
func (l *levers) after(p *action.Plan, out action.Outcome, acted time.Time, before func() guard.Observation) {
	l.tellOutcome(p, out, acted)
	if out.State != action.Done || !moves(p.Request.Verb) || p.Change == nil {
		return
	}
	w := watched{
		plan: p.ID, verb: p.Request.Verb, target: p.Request.Target, service: p.Change.Service, env: p.Change.Environment,
		version: p.Change.Then.Version.Short(), acted: acted, start: l.now(), before: before(), about: p.Request.About,
	}
	if w.verb == sources.Promote {
		w.back = versionOf(p.Change.Now.Version)
	}
	if w.before.At.After(w.start) {
		w.before = guard.Observation{}
	}
	l.mu.Lock()
	l.done[p.ID] = w
	l.mu.Unlock()
	if p.Request.Via == viaBoard && !l.b.standing.Load().cfg.Guard.Off() && l.observer(w.service, w.env).measures() {
		l.background(func(ctx context.Context) { l.guardBoard(ctx, w) })
	}
}

// The ways by which a request comes.
const (
	viaBoard  = "board"
	viaGuard  = "guard"
	viaNotify = "notify"
	// ViaLook is the way of a request whose plan is only looked at.
	ViaLook = "look"
)

func versionOf(v sources.Version) string { return cmp.Or(v.SHA, v.Tag.String()) }

// guardBoard watches what the board has done. A failure asks: on the board no guard does anything by itself.
func (l *levers) guardBoard(ctx context.Context, w watched) {
	var last guard.Report
	v := l.watch(ctx, w, 0, func(r guard.Report) {
		last = r
		if !r.Verdict.Final {
			l.operations.report(w.plan, r, nil)
		}
	})
	var ask *action.Request
	token := theme.OK
	switch step, _ := guard.Next(v, l.b.standing.Load().cfg.Guard.OnFail, false, true, false); {
	case step == guard.Ask:
		q := w.undo(viaBoard)
		ask, token = &q, theme.Crit
	case v.Outcome != guard.Pass:
		token = theme.Warn
	}
	last.Verdict = v
	l.operations.report(w.plan, last, ask)
	if ctx.Err() == nil {
		l.b.tell(token, clean.Linef("%s: %s", w.name(), last.Line()))
	}
}

// title is what the guard is called.
func (w *watched) title() clean.Text {
	if w.version.IsZero() {
		return clean.Linef("Guard %s", w.name())
	}
	return clean.Linef("Guard %s %s", w.name(), w.version)
}

// name is how people call what is watched.
func (w *watched) name() string { return w.service + "/" + w.env }

// undo is the request that takes back what is watched. What a rollback has put there is not undone by what
// it undid: the plan looks for another version that was good.
func (w *watched) undo(via string) action.Request {
	return action.Request{Verb: sources.Rollback, Target: w.target, Version: w.back, About: w.about, Via: via}
}

// watch runs a guard, shows it, and writes its verdict down. A window of 0 is the config's.
func (l *levers) watch(ctx context.Context, w watched, window time.Duration, progress func(guard.Report)) guard.Verdict {
	now := l.now()
	l.operations.put(pane.Operation{
		Plan: w.plan, Guard: true, Verb: w.verb, Target: w.target, Service: w.service, Title: w.title(),
		Step: action.Following, Text: clean.Const("looking how it behaves"), Since: now, At: now,
	})
	cfg := l.b.standing.Load().cfg.Guard
	v := guard.Watch(ctx, guard.Options{
		Window: guard.Window{
			Service: w.service, Acted: w.acted, Start: w.start, Length: cmp.Or(window, cfg.Window), Skip: orNone(cfg.Skip), Requests: float64(orNone(cfg.Requests)),
		},
		Before: w.before, Read: l.observer(w.service, w.env).read, Now: l.now, Clock: l.b.o.Clock, Progress: progress,
	})
	l.writeVerdict(w, v)
	l.tellVerdict(w, v)
	return v
}

// orNone is n as a guard takes it: what the config says is nothing is not its default.
func orNone[T int | time.Duration](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// verdictFindings is how many findings a record of a verdict names.
const verdictFindings = 8

// writeVerdict records a verdict, also when it is the program's end.
func (l *levers) writeVerdict(w watched, v guard.Verdict) {
	parts := []string{guard.Report{Verdict: v}.Line().String()}
	for i := range v.Findings[:min(len(v.Findings), verdictFindings)] {
		f := &v.Findings[i]
		parts = append(parts, f.Judgement.String()+" "+f.Name.String()+": "+f.Text.String())
	}
	who := l.who()
	who.Via = viaGuard
	_, err := l.book.Append(context.Background(), journal.Record{
		Plan: w.plan, Stage: journal.Guarded, Verb: w.verb, Who: who, Target: w.target, Name: clean.Line(w.name()),
		Service: w.service, Environment: w.env, Outcome: clean.Line(strings.Join(parts, " · ")),
	})
	if err != nil {
		l.b.log.Error("a guard's verdict is not in the journal", "plan", w.plan, "verdict", v.Outcome.String(), "err", err)
	}
}

// GuardRequest asks for a guard without a board.
type GuardRequest struct {
	Service, Environment string
	Window               time.Duration // 0: the config's
	Since                time.Time     // when the change took effect; zero: now, or when Plan did
	// Plan is the action that is watched, as the journal knows it; "" for a change that was made elsewhere.
	Plan     string
	Progress func(guard.Report) // told how it stands after each read; it must not block
}

// Guard watches a service until the verdict is final, and says what the config lets follow on it: where the
// step is guard.RollBack, the request is what the caller is to propose and execute; where it is guard.Ask, it
// is what a person may, and the verdict says why it is left to them. It is nil otherwise. Its error is a *sources.Error: there is nothing to watch.
func (b *Board) Guard(ctx context.Context, q GuardRequest) (guard.Verdict, guard.Step, *action.Request, error) {
	return b.levers.guard(ctx, q)
}

func (l *levers) guard(ctx context.Context, q GuardRequest) (guard.Verdict, guard.Step, *action.Request, error) {
	w, err := l.toWatch(q)
	if err != nil {
		return guard.Verdict{}, guard.Hold, nil, err
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return guard.Verdict{}, guard.Hold, nil, &sources.Error{Kind: sources.Invalid, Op: "guard", Scope: w.name(), Msg: "signalbox is ending"}
	}
	l.busy.Add(1)
	l.mu.Unlock()
	defer l.busy.Done()
	ctx, cancel := l.within(ctx)
	defer cancel()
	progress := func(r guard.Report) {
		l.operations.report(w.plan, r, nil)
		if q.Progress != nil {
			q.Progress(r)
		}
	}
	v := l.watch(ctx, w, q.Window, progress)
	if v.Outcome != guard.Fail || ctx.Err() != nil {
		step, _ := guard.Next(v, guard.OnRollback, true, true, true)
		return v, step, nil, nil
	}
	undo := w.undo(viaGuard)
	if undo.Target.IsZero() {
		return v, guard.Ask, nil, nil // no source shows the environment, so nothing could be proposed
	}
	step, why := guard.Next(v, l.b.standing.Load().cfg.Guard.OnFail, true, l.crossesMigrations(ctx, undo), l.rolledBack(w))
	v.Why = why
	return v, step, &undo, nil
}

// toWatch is what a request is about.
func (l *levers) toWatch(q GuardRequest) (watched, error) {
	l.mu.Lock()
	w, here := l.done[q.Plan]
	l.mu.Unlock()
	if !here {
		w = watched{plan: q.Plan, verb: sources.Promote, service: q.Service, env: q.Environment}
		l.fromJournal(&w)
	}
	if !q.Since.IsZero() {
		w.start = q.Since
		if w.acted.IsZero() || w.acted.After(w.start) {
			w.acted = w.start
		}
	}
	if w.start.IsZero() {
		w.start = l.now()
	}
	if w.acted.IsZero() {
		w.acted = w.start
	}
	o := l.observer(w.service, w.env)
	c := o.configured()
	lacks := func(msg, fix string) error {
		return &sources.Error{Kind: sources.NotExist, Op: "guard", Scope: w.name(), Msg: msg, Fix: fix}
	}
	switch {
	case c == nil || c.Discovered:
		return w, lacks("the config names no service "+w.service, "look at services: in the config")
	case !o.measures():
		return w, lacks("nothing that is configured tells how "+w.name()+" behaves", "give it metrics: with {{env}} in their queries")
	}
	if w.target.IsZero() {
		for e := range l.b.store.Snapshot().Environments() {
			if e.Service == w.service && e.Name == w.env {
				w.target = e.Ref
			}
		}
	}
	return w, nil
}

// fromJournal fills in what the journal knows of a plan: when it was sent, and when it was seen to have taken
// effect.
func (l *levers) fromJournal(w *watched) {
	if w.plan == "" {
		return
	}
	for r, err := range l.book.records() {
		if err != nil {
			l.b.log.Warn("look for what a guard is to watch", "err", err)
			return
		}
		if r.Plan != w.plan {
			continue
		}
		switch r.Stage {
		case journal.Intended:
			w.acted, w.target = r.At, r.Target
			w.service = cmp.Or(r.Service, w.service)
		case journal.Verified:
			w.start = r.At
		case journal.Refused, journal.Stale, journal.Answered, journal.Unknown, journal.Failed, journal.Superseded, journal.Given,
			journal.Guarded, journal.Cosigned, journal.Restarted:
		}
	}
}

// crossesMigrations reports that a migration lies between what runs and what would, or that nobody can tell.
func (l *levers) crossesMigrations(ctx context.Context, undo action.Request) bool {
	p, err := l.runner().Propose(ctx, undo)
	if err != nil || p.Change == nil {
		l.b.log.Info("what a rollback would undo is not known", "target", undo.Target.String(), "err", err)
		return true
	}
	return !p.Change.MigrationsKnown || len(p.Change.Migrations) > 0
}

// guardOnce is for how long a guard that has rolled a target back does not do so again, unless somebody else
// has put a version there meanwhile.
const guardOnce = 24 * time.Hour

// rolledBack reports that a guard has rolled the target back already: within the last day, and since anybody
// else has last changed what runs there. A journal that cannot be read may hide it.
func (l *levers) rolledBack(w watched) bool {
	if l.book.none != nil {
		return true
	}
	already := false
	for r, err := range l.book.records() {
		switch {
		case err != nil:
			l.b.log.Warn("look whether a guard has rolled back already", "err", err)
			return true
		case r.Target != w.target || r.Stage != journal.Intended:
		case r.Who.Via == viaGuard:
			already = l.now().Sub(r.At) < guardOnce
		case moves(r.Verb):
			already = false
		}
	}
	return already
}
