package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/notify"
	"example.com/signalbox/ui/theme"
)

// notifyLimit is how long telling may take: a little more than the notifier gives a change at a provider.
const notifyLimit = 70 * time.Second

// makeNotifier makes who tells others, as cfg says; nil where it names nobody.
func (l *levers) makeNotifier(cfg *config.Config) (*notify.Notifier, error) {
	if len(cfg.Notify) == 0 {
		return nil, nil //nolint:nilnil // there is nobody to tell
	}
	o := notify.Options{
		Send: l.send, Base: l.b.transport, UserAgent: l.b.o.UserAgent, Now: l.now, Log: l.b.log, Crash: l.crash,
	}
	for _, n := range cfg.Notify {
		o.Targets = append(o.Targets, notify.Target{
			Slack: n.Slack, Webhook: n.Webhook.Ref, Annotations: n.Annotations.Ref, Secret: n.Secret, Note: n.Note, Event: n.Event, On: n.On,
		})
	}
	n, err := notify.New(o)
	if err != nil {
		return nil, fmt.Errorf("tell others: %w", err)
	}
	return n, nil
}

// send carries out a change that telling others consists of, through the Runner like every other. The config
// has agreed to it by naming the place; what policy demands beyond a y, nobody is there to give, and it is
// refused.
func (l *levers) send(ctx context.Context, c sources.Call) error {
	p, err := l.runner().Propose(ctx, action.Request{Verb: c.Verb, Target: c.Target, Text: c.Text, Fields: c.Fields, Via: viaNotify})
	if err != nil {
		return err
	}
	out := l.runner().Execute(ctx, p, action.Approval{Yes: true})
	switch out.State {
	case action.Done, action.Unverified:
		return nil
	case action.Unknown:
		return &sources.Error{Kind: sources.Ambiguous, Op: string(c.Verb), Msg: out.Text.String(), Fix: out.Fix.String()}
	case action.Refused, action.Stale, action.Failed:
	}
	return &sources.Error{Kind: sources.Invalid, Op: string(c.Verb), Msg: out.Text.String(), Fix: out.Fix.String()}
}

// tell tells others, beside whatever goes on: the board's end waits for it, and it hurts nobody. The caller
// is counted as busy.
func (l *levers) tell(m notify.Message) {
	n, err := l.b.standing.Load().notifier()
	switch {
	case err != nil:
		l.b.log.Warn("nobody is told", "plan", m.Plan, "err", err)
		l.notTold(m.Plan, err)
		return
	case n == nil:
		return
	}
	m.At, m.Who = l.now(), l.who().User
	l.beside(l.telling, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, notifyLimit)
		defer cancel()
		errs := n.Tell(ctx, m)
		l.notTold(m.Plan, errs...)
		if len(errs) > 0 && l.ctx.Err() == nil {
			l.b.tell(theme.Warn, clean.Linef("not everybody was told of it: %v", errors.Join(errs...)))
		}
	})
}

// notTold keeps why somebody was not told of what came of a plan.
func (l *levers) notTold(plan string, errs ...error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, err := range errs {
		text := "could not " + err.Error()
		if e, ok := errors.AsType[*sources.Error](err); ok && e.Fix != "" {
			text += ": " + e.Fix
		}
		l.untold[plan] = append(l.untold[plan], clean.Line(text))
	}
}

// Untold says who could not be told of what came of a plan, or of the guard's verdict after it, and why. All of it
// is known once the board is closed.
func (b *Board) Untold(plan string) []clean.Text {
	b.levers.mu.Lock()
	defer b.levers.mu.Unlock()
	return slices.Clone(b.levers.untold[plan])
}

// tellOutcome tells what became of an action. Nobody is told of what was not done.
func (l *levers) tellOutcome(p *action.Plan, out action.Outcome, acted time.Time) {
	if out.State == action.Refused || out.State == action.Stale {
		return
	}
	m := notify.Message{
		Event: string(p.Request.Verb), Plan: p.ID, Title: p.Title, Text: out.Text, Outcome: out.State.String(), Service: p.Service, URL: out.URL,
		Began: acted, Incident: p.Request.About,
	}
	if p.Request.Target.Kind == sources.KindIncident {
		m.Incident = p.Request.Target
	}
	if c := p.Change; c != nil {
		m.Service, m.Environment, m.Version = c.Service, c.Environment, c.Then.Version.Short().String()
	}
	l.tell(m)
}

// tellVerdict tells what a guard has found.
func (l *levers) tellVerdict(w watched, v guard.Verdict) {
	l.tell(notify.Message{
		Event: notify.Guard, Plan: w.plan, Title: w.title(), Text: v.Why, Outcome: v.Outcome.String(), Service: w.service, Environment: w.env,
		Version: w.version.String(), Began: w.start, Incident: w.about,
	})
}
