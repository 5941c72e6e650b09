package alertmanager

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// defaultFor is how long a silence lasts where the call does not say.
const defaultFor = time.Hour

// Actions are what can be done: Alertmanager knows silences alone, and one is how an alert is acknowledged.
func (s *source) Actions() []sources.ActionSpec {
	return []sources.ActionSpec{
		{Verb: sources.Acknowledge, On: sources.KindIncident, Undo: sources.Expire, Doc: "silences exactly these alerts, for an hour unless said otherwise"},
		{Verb: sources.SilenceIt, On: sources.KindIncident, Undo: sources.Expire, Doc: "silences exactly these alerts for as long as said", Need: []string{"for"}},
		{Verb: sources.Expire, On: sources.KindSilence, Doc: "ends a silence: what it covers notifies again"},
	}
}

// plan is a silence that is ready to be posted.
type plan struct {
	found    *found
	silence  postableSilence
	inside   []*wireAlert // the incident's alerts that it covers
	outside  []*wireAlert // others that it covers too
	existing int          // how many of the incident's alerts are silenced already
}

// plan finds out what a silence of the call's target would be made of, and everything that it would cover
// now, of all alerts and not only of those that the config selects.
func (s *source) plan(ctx context.Context, call sources.Call) (*plan, error) {
	cur, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	f, err := cur.find(ctx, call.Target)
	if err != nil {
		return nil, err
	}
	body, header, err := cur.replica.send(ctx, http.MethodGet, "/api/v2/alerts", nil, nil)
	if err != nil {
		return nil, err
	}
	all, err := decodeAlerts(body)
	if err != nil {
		return nil, err
	}
	p := &plan{found: f}
	ours := map[string]bool{}
	for _, a := range f.group.alerts {
		ours[a.key()] = true
		if len(a.Status.SilencedBy) > 0 {
			p.existing++
		}
	}
	var others []*wireAlert
	for i := range all {
		if !ours[all[i].key()] {
			others = append(others, &all[i])
		}
	}
	p.silence = s.draft(call, serverTime(header, s.env.Now()))
	p.silence.Matchers = cover(f.group.alerts, others)
	c, err := compile(p.silence.Matchers)
	if err != nil {
		return nil, err
	}
	p.inside = matching(c, f.group.alerts)
	p.outside = matching(c, others)
	if len(p.inside) < len(f.group.alerts) {
		return nil, &sources.Error{
			Kind: sources.Unsupported, Msg: "these alerts have no label in common that a silence could name",
			Fix: "silence them one by one: open the incident",
		}
	}
	return p, nil
}

func matching(c compiled, alerts []*wireAlert) []*wireAlert {
	return slices.DeleteFunc(slices.Clone(alerts), func(a *wireAlert) bool { return !c.match(a.Labels) })
}

// serverTime is the clock that a silence begins and ends by: Alertmanager's, as its answer tells.
func serverTime(h http.Header, now time.Time) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return now
}

// draft is the silence of a call without its matchers. The call's ID stands in the comment: by it a
// silence is found again whose answer was lost.
func (s *source) draft(call sources.Call, now time.Time) postableSilence {
	lasts := call.For
	if lasts <= 0 {
		lasts = defaultFor
	}
	comment := cmp.Or(plain(call.Text), "acknowledged")
	if call.ID != "" {
		comment += " " + mark(call.ID)
	}
	return postableSilence{
		StartsAt: now.UTC(), EndsAt: now.Add(lasts).UTC(),
		CreatedBy: cmp.Or(plain(call.Identity), "signalbox"), Comment: comment,
	}
}

// mark is how a call's ID stands in a silence's comment.
func mark(id string) string { return "(signalbox " + plain(id) + ")" }

// Preview tells what a silence would cover, or what the end of one would let through.
func (s *source) Preview(ctx context.Context, call sources.Call) (sources.Preview, error) {
	p, err := s.preview(ctx, call)
	if err != nil {
		return sources.Preview{}, httpx.Explain("preview "+string(call.Verb), call.Target.Scope, err)
	}
	return p, nil
}

func (s *source) preview(ctx context.Context, call sources.Call) (sources.Preview, error) {
	if err := s.offered(call); err != nil {
		return sources.Preview{}, err
	}
	if call.Verb == sources.Expire {
		return s.previewExpire(ctx, call)
	}
	p, err := s.plan(ctx, call)
	if err != nil {
		return sources.Preview{}, err
	}
	out := sources.Preview{
		How:    clean.Linef("POST a silence on %d matchers until %s to %s", len(p.silence.Matchers), p.silence.EndsAt.Format("15:04 UTC"), p.found.replica.name()),
		Covers: len(p.inside) + len(p.outside),
	}
	if len(p.outside) > 0 {
		out.Lines = append(out.Lines, clean.Linef("BEYOND THIS INCIDENT it silences %d more:", len(p.outside)))
		out.Lines = append(out.Lines, p.found.conv.titles(p.outside)...)
		out.Lines = append(out.Lines, clean.Const("of this incident:"))
	}
	out.Lines = append(out.Lines, p.found.conv.titles(p.inside)...)
	if p.existing > 0 {
		out.Lines = append(out.Lines, clean.Linef("%d of %d are silenced already", p.existing, len(p.found.group.alerts)))
	}
	for _, m := range p.silence.Matchers {
		out.Lines = append(out.Lines, clean.Line("matcher "+m.String()))
	}
	return out, nil
}

func (s *source) previewExpire(ctx context.Context, call sources.Call) (sources.Preview, error) {
	sl, _, err := s.getSilence(ctx, call.Target.ID)
	if err != nil {
		return sources.Preview{}, err
	}
	if sl.Status.State == expired {
		return sources.Preview{}, endedAlready(sl)
	}
	all, rd, err := read(ctx, s, func(ctx context.Context, r *replica) ([]wireAlert, error) {
		body, err := r.get(ctx, "/api/v2/alerts", nil)
		if err != nil {
			return nil, err
		}
		return decodeAlerts(body)
	})
	if err != nil {
		return sources.Preview{}, err
	}
	var freed []*wireAlert
	for i := range all {
		if by := all[i].Status.SilencedBy; len(by) == 1 && by[0] == sl.ID {
			freed = append(freed, &all[i])
		}
	}
	return sources.Preview{
		How:    clean.Linef("DELETE the silence of %s, %q, that lasts until %s, on %s", sl.CreatedBy, sl.Comment, sl.EndsAt.UTC().Format("15:04 UTC"), rd.replica.name()),
		Covers: len(freed),
		Lines:  s.converter(sources.Query{}, nil).titles(freed),
	}, nil
}

// maxTitles bounds how many alerts a preview names.
const maxTitles = 50

// titles name alerts by what they say and by the labels that tell them apart.
func (c *converter) titles(alerts []*wireAlert) []clean.Text {
	shared := common(alerts)
	var lines []clean.Text
	for i, a := range alerts {
		if i == maxTitles {
			lines = append(lines, clean.Linef("and %d more", len(alerts)-i))
			break
		}
		apart := map[string]string{}
		for name, value := range a.Labels {
			if _, same := shared[name]; !same || len(alerts) == 1 && name != "alertname" {
				apart[name] = value
			}
		}
		line := c.title(&group{alerts: []*wireAlert{a}}).String()
		if len(apart) > 0 {
			line += " " + sources.PrintLabels(apart)
		}
		lines = append(lines, clean.Line(line))
	}
	return lines
}

// offered refuses what Actions does not offer.
func (s *source) offered(call sources.Call) error {
	for _, spec := range s.Actions() {
		if spec.Verb != call.Verb || spec.On != call.Target.Kind {
			continue
		}
		if slices.Contains(spec.Need, "for") && call.For <= 0 {
			return &sources.Error{Kind: sources.Invalid, Msg: "a silence needs an end", Fix: "say for how long"}
		}
		return nil
	}
	return &sources.Error{
		Kind: sources.Unsupported, Msg: fmt.Sprintf("Alertmanager cannot %s a %s", call.Verb, call.Target.Kind),
		Fix: "it knows silences alone: ack or silence an incident, expire a silence",
	}
}

// Perform posts or ends one silence, on the one replica that has just told what it is about.
func (s *source) Perform(ctx context.Context, call sources.Call) (sources.Receipt, error) {
	receipt, err := s.perform(ctx, call)
	if err != nil {
		return sources.Receipt{}, httpx.Explain(string(call.Verb), call.Target.Scope, err)
	}
	return receipt, nil
}

func (s *source) perform(ctx context.Context, call sources.Call) (sources.Receipt, error) {
	if err := s.offered(call); err != nil {
		return sources.Receipt{}, err
	}
	if call.Verb == sources.Expire {
		return s.expire(ctx, call)
	}
	p, err := s.plan(ctx, call)
	if err != nil {
		return sources.Receipt{}, err
	}
	if call.Verb == sources.Acknowledge && p.existing == len(p.found.group.alerts) {
		return sources.Receipt{}, &sources.Error{
			Kind: sources.Conflict, Msg: "all of it is silenced already", Fix: "silence it again to keep it quiet for longer",
		}
	}
	body, err := p.found.replica.change(ctx, http.MethodPost, "/api/v2/silences", p.silence)
	if err != nil {
		return sources.Receipt{}, err
	}
	var made struct {
		SilenceID string `json:"silenceID"`
	}
	if err := json.Unmarshal(body, &made); err != nil || made.SilenceID == "" {
		return sources.Receipt{}, lost(errors.New("the answer names no silence"))
	}
	ref := p.found.conv.silenceRef(made.SilenceID)
	return sources.Receipt{
		ID: made.SilenceID, Made: ref,
		Text: clean.Linef("silenced %d alerts until %s", len(p.inside)+len(p.outside), p.silence.EndsAt.Format("15:04 UTC")),
		URL:  p.found.conv.address.String() + "/#/silences/" + url.PathEscape(made.SilenceID),
		Undo: &sources.Call{Verb: sources.Expire, Target: ref, Identity: call.Identity},
	}, nil
}

// expire ends a silence. One that has ended is not asked for again.
func (s *source) expire(ctx context.Context, call sources.Call) (sources.Receipt, error) {
	sl, r, err := s.getSilence(ctx, call.Target.ID)
	if err != nil {
		return sources.Receipt{}, err
	}
	if sl.Status.State == expired {
		return sources.Receipt{}, endedAlready(sl)
	}
	if _, err := r.change(ctx, http.MethodDelete, "/api/v2/silence/"+url.PathEscape(sl.ID), nil); err != nil {
		return sources.Receipt{}, err
	}
	return sources.Receipt{ID: sl.ID, Text: clean.Linef("the silence of %s has ended", sl.CreatedBy)}, nil
}

func endedAlready(sl wireSilence) error {
	return &sources.Error{Kind: sources.Conflict, Msg: "the silence has ended already, at " + sl.EndsAt.UTC().Format("15:04 UTC")}
}

// change sends one request that changes something. An error of another kind than Ambiguous means that nothing
// was changed.
func (r *replica) change(ctx context.Context, method, path string, body any) ([]byte, error) {
	ctx, flight := httpx.Watch(ctx)
	answer, _, err := r.send(ctx, method, path, nil, body)
	switch e, said := errors.AsType[*sources.Error](err); {
	case err == nil:
		return answer, nil
	case !flight.MayHaveArrived(err), said && e.Kind != sources.Transient:
		return nil, err
	default: // its answer was lost, the server failed, or something in between sent a page of its own
		return nil, lost(err)
	}
}

func lost(err error) error {
	return httpx.Lost("", "", "look at Alertmanager's silences before you try again", err)
}

// Verify looks whether a silence keeps the call's target quiet, or has ended.
func (s *source) Verify(ctx context.Context, call sources.Call, receipt sources.Receipt) (sources.Progress, error) {
	p, err := s.verify(ctx, call, receipt)
	if err != nil {
		return sources.Progress{}, httpx.Explain("verify "+string(call.Verb), call.Target.Scope, err)
	}
	return p, nil
}

func (s *source) verify(ctx context.Context, call sources.Call, receipt sources.Receipt) (sources.Progress, error) {
	if err := s.offered(call); err != nil {
		return sources.Progress{}, err
	}
	if call.Verb == sources.Expire {
		return s.verifyExpire(ctx, call.Target.ID)
	}
	sl, err := s.silenceOf(ctx, call, receipt)
	if err != nil || sl.ID == "" {
		return sources.Progress{Text: clean.Const("there is no silence of this action yet")}, err
	}
	page := s.replicas[0].address.String() + "/#/silences/" + url.PathEscape(sl.ID)
	if sl.Status.State == expired {
		return sources.Progress{State: sources.Undone, Text: clean.Linef("the silence has ended at %s", sl.EndsAt.UTC().Format("15:04 UTC")), URL: page}, nil
	}
	cur, err := s.current(ctx)
	if err != nil {
		return sources.Progress{}, err
	}
	f, err := cur.find(ctx, call.Target)
	if sources.KindOf(err) == sources.NotExist {
		return sources.Progress{State: sources.Done, Text: clean.Const("the silence is there, and nothing fires any more"), URL: page}, nil
	}
	if err != nil {
		return sources.Progress{}, err
	}
	quiet := 0
	for _, a := range f.group.alerts {
		if slices.Contains(a.Status.SilencedBy, sl.ID) {
			quiet++
		}
	}
	if c, err := compile(sl.Matchers); err == nil && quiet < len(matching(c, f.group.alerts)) || quiet == 0 {
		return sources.Progress{Text: clean.Linef("%d of %d alerts are silenced by it", quiet, len(f.group.alerts)), URL: page}, nil
	}
	return sources.Progress{
		State: sources.Done, URL: page,
		Text: clean.Linef("%d of %d alerts are silenced until %s", quiet, len(f.group.alerts), sl.EndsAt.UTC().Format("15:04 UTC")),
	}, nil
}

// silenceOf is the silence that a call made: by the receipt, or by the mark in its comment where the answer
// was lost. Its ID is "" when there is none.
func (s *source) silenceOf(ctx context.Context, call sources.Call, receipt sources.Receipt) (wireSilence, error) {
	if id := cmp.Or(receipt.Made.ID, receipt.ID); id != "" {
		sl, _, err := s.getSilence(ctx, id)
		if sources.KindOf(err) == sources.NotExist && err != nil {
			return wireSilence{}, nil // this replica may not have heard of it yet
		}
		return sl, err
	}
	if call.ID == "" {
		return wireSilence{}, &sources.Error{Kind: sources.Invalid, Msg: "an action without an ID cannot be found again", Fix: "look at Alertmanager's silences"}
	}
	all, _, err := read(ctx, s, s.readSilences)
	if err != nil {
		return wireSilence{}, err
	}
	for _, sl := range all {
		if strings.Contains(sl.Comment, mark(call.ID)) {
			return sl, nil
		}
	}
	return wireSilence{}, nil
}

func (s *source) verifyExpire(ctx context.Context, id string) (sources.Progress, error) {
	sl, _, err := s.getSilence(ctx, id)
	switch {
	case err != nil && sources.KindOf(err) == sources.NotExist:
		return sources.Progress{State: sources.Done, Text: clean.Const("the silence is gone")}, nil
	case err != nil:
		return sources.Progress{}, err
	case sl.Status.State == expired:
		return sources.Progress{State: sources.Done, Text: clean.Linef("the silence ended at %s", sl.EndsAt.UTC().Format("15:04:05 UTC"))}, nil
	}
	return sources.Progress{Text: clean.Linef("the silence is still %s", sl.Status.State)}, nil
}

var (
	_ sources.IncidentLister = (*source)(nil)
	_ sources.IncidentReader = (*source)(nil)
	_ sources.Actor          = (*source)(nil)
	_ sources.Previewer      = (*source)(nil)
	_ sources.Verifier       = (*source)(nil)
	_ sources.Checker        = (*source)(nil)
	_ sources.Discoverer     = (*source)(nil)
)
