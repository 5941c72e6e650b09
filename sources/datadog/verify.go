package datadog

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Preview tells what a verb would do.
func (s *source) Preview(ctx context.Context, c sources.Call) (sources.Preview, error) {
	p, err := s.preview(fresh(ctx), c)
	if err != nil {
		return sources.Preview{}, explained("preview "+string(c.Verb), c.Target, err)
	}
	return p, nil
}

func (s *source) preview(ctx context.Context, c sources.Call) (sources.Preview, error) {
	switch on := c.Target.Kind; {
	case on == sources.KindMonitor && c.Verb == sources.Mute:
		return s.previewMute(ctx, c)
	case on == sources.KindMonitor && c.Verb == sources.Unmute:
		m, err := s.getMonitor(ctx, c.Target.ID)
		if err != nil {
			return sources.Preview{}, err
		}
		p := sources.Preview{How: clean.Linef("cancels the downtime of monitor %s", c.Target.ID), Covers: len(m.Silenced)}
		for _, q := range m.Silenced {
			p.Lines = append(p.Lines, describe(q))
		}
		return p, nil
	case on == sources.KindSilence:
		d, err := s.getDowntime(ctx, c.Target.ID)
		if err != nil {
			return sources.Preview{}, err
		}
		return sources.Preview{How: clean.Linef("cancels downtime %s", c.Target.ID), Covers: 1, Lines: []clean.Text{describe(s.silence(d))}}, nil
	case on == sources.KindIncident && c.Verb == sources.Resolve:
		v, err := s.object(ctx, c.Target)
		if err != nil {
			return sources.Preview{}, err
		}
		in, _ := v.(sources.Incident)
		return sources.Preview{How: clean.Linef("sets %s from %s to resolved", in.Number, in.State), Covers: 1, Lines: []clean.Text{in.Title}}, nil
	case on == sources.KindPage:
		p := sources.Preview{How: clean.Linef("%s page %s", c.Verb, c.Target.ID), Covers: 1}
		p.Lines = []clean.Text{clean.Const("On-Call pages cannot be read: whether it took effect only Datadog's own pages show")}
		return p, nil
	case c.Verb == sources.PostEvent:
		return sources.Preview{How: clean.Linef("posts an event that marks a deployment of %s", c.Target.ID)}, nil
	default:
		return sources.Preview{}, &sources.Error{Kind: sources.Unsupported, Msg: fmt.Sprintf("Datadog cannot %s a %s", c.Verb, on)}
	}
}

func describe(q sources.Silence) clean.Text {
	until := "without an end"
	if !q.Until.IsZero() {
		until = "until " + q.Until.Format("2006-01-02 15:04 MST")
	}
	return clean.Line(strings.TrimSpace(fmt.Sprintf("%s by %s: %s", until, q.By, q.Comment)))
}

// previewMute reads which groups of a monitor a mute would keep quiet: all of them, also those that are well.
func (s *source) previewMute(ctx context.Context, c sources.Call) (sources.Preview, error) {
	if _, err := strconv.ParseInt(c.Target.ID, 10, 64); err != nil {
		return sources.Preview{}, &sources.Error{Kind: sources.NotExist, Msg: clean.Line(c.Target.ID).String() + " is no monitor's id"}
	}
	w, err := fetch[wireMonitor](ctx, s, call{op: opMonitor, args: []string{c.Target.ID}, query: url.Values{"group_states": {"all"}}})
	if err != nil {
		return sources.Preview{}, err
	}
	scope := scopeOf(c)
	p := sources.Preview{How: clean.Linef("creates a downtime for monitor %s, scope %s, until %s", c.Target.ID, scope, s.endOf(c).Format("15:04 MST"))}
	bad := groups(w, func(group string) bool { return covers(scope, group, w) })
	for _, g := range bad {
		if g.Muted {
			p.Covers++
			p.Lines = append(p.Lines, clean.Linef("%s: %s", g.Name, g.State))
		}
	}
	well := 0
	for name, g := range w.Groups.Groups {
		if monitorState(g.Status) == sources.MonitorOK && covers(scope, name, w) {
			well++
		}
	}
	if p.Covers += well; well > 0 {
		p.Lines = append(p.Lines, clean.Linef("and %d that are well now", well))
	}
	return p, nil
}

// Verify looks whether a verb has taken effect. Of On-Call pages that cannot be known.
func (s *source) Verify(ctx context.Context, c sources.Call, r sources.Receipt) (sources.Progress, error) {
	p, err := s.verify(fresh(ctx), c, r)
	if err != nil {
		return sources.Progress{}, explained("verify "+string(c.Verb), c.Target, err)
	}
	return p, nil
}

func (s *source) verify(ctx context.Context, c sources.Call, r sources.Receipt) (sources.Progress, error) {
	switch on := c.Target.Kind; {
	case on == sources.KindPage:
		return sources.Progress{}, unreadable()
	case on == sources.KindIncident && c.Verb == sources.Resolve:
		one, err := s.getIncident(ctx, c.Target.ID)
		if err != nil {
			return sources.Progress{}, err
		}
		in := s.incident(&one.Data, one.Included.Items, owners{}, "")
		p := sources.Progress{Text: clean.Linef("state %s", one.Data.Attributes.State), URL: in.URL}
		if in.State == sources.Resolved {
			p.State = sources.Done
		}
		return p, nil
	case on == sources.KindMonitor && c.Verb == sources.Mute:
		return s.verifyMute(ctx, c, r)
	case on == sources.KindMonitor && c.Verb == sources.Unmute, on == sources.KindSilence:
		return s.verifyEnd(ctx, c, r)
	case c.Verb == sources.PostEvent:
		return s.verifyPost(ctx, c, r)
	default:
		return sources.Progress{}, &sources.Error{Kind: sources.Unsupported, Msg: fmt.Sprintf("Datadog cannot %s a %s", c.Verb, on)}
	}
}

// verifyMute looks for the downtime: by its id, or, where the answer was lost, by the call's mark in its
// message.
func (s *source) verifyMute(ctx context.Context, c sources.Call, r sources.Receipt) (sources.Progress, error) {
	if r.ID == "" {
		return s.findMute(ctx, c)
	}
	d, err := s.getDowntime(ctx, r.ID)
	if gone(err) { // what was made just now may be shown a moment later, and under another id than was understood
		return s.findMute(ctx, c)
	}
	if err != nil {
		return sources.Progress{}, err
	}
	return progress(d), nil
}

func progress(d quiet) sources.Progress {
	p := sources.Progress{Text: clean.Linef("downtime %s", d.Attributes.Status)}
	switch {
	case active(d.wireDowntime):
		p.State = sources.Done
	case strings.EqualFold(string(d.Attributes.Status), "scheduled"):
	default:
		p.State = sources.Undone
	}
	return p
}

func (s *source) findMute(ctx context.Context, c sources.Call) (sources.Progress, error) {
	var notices noticeBox
	all, err := s.downtimes(ctx, &notices)
	if err != nil {
		return sources.Progress{}, err
	}
	for _, d := range all {
		mine := c.ID != "" && strings.Contains(string(d.Attributes.Message), c.ID)
		if mine && strconv.FormatInt(int64(d.Attributes.Monitor.ID), 10) == c.Target.ID {
			return progress(d), nil
		}
	}
	return sources.Progress{Text: clean.Const("Datadog shows no such downtime yet")}, nil
}

func (s *source) verifyEnd(ctx context.Context, c sources.Call, r sources.Receipt) (sources.Progress, error) {
	id := r.ID
	for _, other := range []string{c.Fields["downtime"], c.Target.ID} {
		if id == "" && uuidForm.MatchString(other) {
			id = other
		}
	}
	if id == "" {
		m, err := s.getMonitor(ctx, c.Target.ID)
		if err != nil {
			return sources.Progress{}, err
		}
		if len(m.Silenced) == 0 {
			return sources.Progress{State: sources.Done, Text: clean.Const("the monitor is not muted")}, nil
		}
		return sources.Progress{Text: clean.Const("the monitor is still muted")}, nil
	}
	d, err := s.getDowntime(ctx, id)
	if gone(err) {
		return sources.Progress{State: sources.Done, Text: clean.Const("the downtime is gone")}, nil
	}
	if err != nil {
		return sources.Progress{}, err
	}
	p := sources.Progress{Text: clean.Linef("downtime %s", d.Attributes.Status)}
	if !active(d.wireDowntime) {
		p.State = sources.Done
	}
	return p, nil
}

func (s *source) verifyPost(ctx context.Context, c sources.Call, r sources.Receipt) (sources.Progress, error) {
	if r.ID == "" {
		return s.findPost(ctx, c)
	}
	scope := eventScope
	if c.Fields["as"] == doraScope {
		scope = doraScope
	}
	v, err := s.getChange(ctx, s.ref(sources.KindChange, scope, r.ID))
	if gone(err) {
		return s.findPost(ctx, c)
	}
	if err != nil {
		return sources.Progress{}, err
	}
	return sources.Progress{State: sources.Done, Text: v.Title, URL: v.URL}, nil
}

// findPost looks for what was posted and whose answer was lost. An event carries its call as a tag; a
// deployment carries it as its id.
func (s *source) findPost(ctx context.Context, c sources.Call) (sources.Progress, error) {
	missing := sources.Progress{Text: clean.Const("Datadog does not show it yet")}
	if c.ID == "" {
		return missing, nil
	}
	if c.Fields["as"] == doraScope {
		v, err := s.getChange(ctx, s.ref(sources.KindChange, doraScope, c.ID))
		if gone(err) {
			return missing, nil
		}
		return sources.Progress{State: sources.Done, Text: v.Title, URL: v.URL}, err
	}
	now := s.env.Now()
	p, err := fetch[eventPage](ctx, s, call{op: opEvents, query: url.Values{
		"filter[query]": {`signalbox_call:"` + strings.ReplaceAll(c.ID, `"`, "") + `"`}, "page[limit]": {"10"},
		"filter[from]": {strconv.FormatInt(now.Add(-24*time.Hour).UnixMilli(), 10)}, "filter[to]": {strconv.FormatInt(now.Add(time.Minute).UnixMilli(), 10)},
	}})
	if err != nil {
		return sources.Progress{}, err
	}
	for _, w := range p.Data.Items {
		if first(w.Attributes.Tags, "signalbox_call") == c.ID {
			ch := s.marker(&w, owners{})
			return sources.Progress{State: sources.Done, Text: ch.Title, URL: ch.URL}, nil
		}
	}
	return missing, nil
}
