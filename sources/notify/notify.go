package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/crash"
	"example.com/signalbox/sources/httpx"
)

// The bounds of one message to one target. A change at a provider has bounds of its own, within providerLimit.
const (
	limit         = 10 * time.Second
	providerLimit = time.Minute
	retryAfter    = time.Second
)

// Target is one place that is told, as the config names it. Exactly one of Slack, Webhook, Annotations, Note
// and Event is set.
type Target struct {
	Slack       secret.Ref
	Webhook     secret.Ref
	Annotations secret.Ref
	Secret      secret.Ref // of Webhook: what it is signed with; of Annotations: the token, if any
	Note        bool       // on Message.Incident
	Event       string     // the source that an event is posted to
	On          []string   // the events that it is told of
}

// name is what errors call the target. It shows where a secret is kept, and never the secret.
func (t *Target) name() string {
	switch {
	case !t.Slack.IsZero():
		return "Slack (" + t.Slack.String() + ")"
	case !t.Webhook.IsZero():
		return "the webhook " + t.Webhook.String()
	case !t.Annotations.IsZero():
		return "the annotations at " + t.Annotations.String()
	case t.Note:
		return "a note on the incident"
	default:
		return "an event in " + t.Event
	}
}

// wants reports whether the target is told of an event. Running all jobs again is told as running the failed
// ones is.
func (t *Target) wants(event string) bool {
	if event == string(sources.RerunAll) {
		event = string(sources.RerunFailed)
	}
	return slices.Contains(t.On, event)
}

// Options are a Notifier's surroundings. Now must be set.
type Options struct {
	Targets []Target
	// Send carries out a change at a provider, through the Runner: it fills in the Call's ID and Identity. It
	// is needed where a target is a note or an event.
	Send func(context.Context, sources.Call) error
	// Base carries requests to the world; nil makes one that goes by the environment's proxies.
	Base      http.RoundTripper
	UserAgent string
	Now       func() time.Time
	Log       *slog.Logger // nil: none
	// Crash is told of a panic, which is the failure of its target alone; nil: nobody.
	Crash crash.Handler
}

// Notifier tells targets. It is safe for several goroutines at once.
type Notifier struct {
	o     Options
	pause time.Duration // before a second try
	limit time.Duration // of one target
}

// New returns a Notifier. It fails where the machine's certificates cannot be read.
func New(o Options) (*Notifier, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Base == nil {
		base, err := httpx.Base(httpx.Network{})
		if err != nil {
			return nil, fmt.Errorf("notify: %w", err)
		}
		o.Base = base
	}
	return &Notifier{o: o, pause: retryAfter, limit: limit}, nil
}

// Message is what is told. Event is a verb, or "guard"; Plan is what ties it to the journal.
type Message struct {
	Event       string
	Plan        string
	Title       clean.Text // "Roll back checkout/prod to v1.9.1"
	Text        clean.Text // what came of it
	Outcome     string     // "done"; of a guard its verdict
	Service     string
	Environment string
	Version     string // that was put there
	Who         string
	URL         string
	Began, At   time.Time   // Began may be zero
	Incident    sources.Ref // that it was done for, or to; zero for none
}

// Guard is the event of a guard's verdict; those of actions are the verbs.
const Guard = "guard"

// Tell sends m to every target that wants it, all at once, and returns when each has answered or failed: at
// most ten seconds later for those that are sent a request, a minute for notes and events. It returns the errors of
// those that failed, each an *sources.Error that names its target and holds no secret. They are in the log
// already.
func (n *Notifier) Tell(ctx context.Context, m Message) []error {
	errs := make([]error, len(n.o.Targets))
	var wg sync.WaitGroup
	for i := range n.o.Targets {
		t := &n.o.Targets[i]
		if !t.wants(m.Event) {
			continue
		}
		wg.Go(func() { errs[i] = n.tell(ctx, t, &m) })
	}
	wg.Wait()
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// tell sends m to one target, whose panic is its own.
func (n *Notifier) tell(ctx context.Context, t *Target, m *Message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p := crash.Caught(v)
			if n.o.Crash != nil {
				n.o.Crash(p)
			}
			err = n.failed(t, m, errors.New("a defect in signalbox stopped it"))
		}
	}()
	switch {
	case !t.Slack.IsZero():
		err = n.slack(ctx, t, m)
	case !t.Webhook.IsZero():
		err = n.webhook(ctx, t, m)
	case !t.Annotations.IsZero():
		err = n.annotate(ctx, t, m)
	case t.Note:
		err = n.note(ctx, m)
	case t.Event != "":
		err = n.event(ctx, t, m)
	}
	if err != nil {
		return n.failed(t, m, err)
	}
	n.o.Log.Debug("told", "target", t.name(), "event", m.Event, "plan", m.Plan)
	return nil
}

// failed is err as what became of telling t, for people and in the log.
func (n *Notifier) failed(t *Target, m *Message, err error) error {
	e := httpx.Explain("tell", t.name(), err)
	e.Op, e.Scope = "tell "+t.name(), ""
	n.o.Log.Warn("not told", "target", t.name(), "event", m.Event, "plan", m.Plan, "kind", e.Kind, "err", e.Msg, "fix", e.Fix)
	return e
}

// began is when what m tells of began, or else when it ended.
func (m *Message) began() time.Time {
	if m.Began.IsZero() || m.Began.After(m.At) {
		return m.At
	}
	return m.Began
}

// sentence is m in one line of text.
func (m *Message) sentence() string {
	s := cmp.Or(m.Title.String(), m.Event)
	if m.Outcome != "" {
		s += ": " + m.Outcome
	}
	if text := m.Text.String(); text != "" {
		s += ". " + text
	}
	return s
}
