package pagerduty

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

const (
	mostEntryPages = 3
	mostAlertPages = 5
)

// ReadIncident reads an incident, who is on call for it, its log, notes and alerts: five requests where none
// of them is long. What cannot be read, but for the incident itself, is a notice.
func (s *source) ReadIncident(ctx context.Context, ref sources.Ref) (sources.IncidentDetail, error) {
	var (
		d   sources.IncidentDetail
		wg  sync.WaitGroup
		mu  sync.Mutex
		bad = map[string]error{}
	)
	id, err := s.incidentID(ref)
	if err != nil {
		return d, httpx.Explain("read incident", "", err)
	}
	part := func(what string, read func() error) {
		wg.Go(func() {
			if err := read(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				bad[what] = err
			}
		})
	}
	var cutLog, cutAlerts bool
	part("", func() (err error) { d.Incident, err = s.getIncident(ctx, ref); return err })
	part("the log", func() (err error) { d.Log, cutLog, err = s.log(ctx, id); return err })
	part("the notes", func() (err error) { d.Notes, err = s.notes(ctx, id); return err })
	part("the alerts", func() (err error) { d.Alerts, cutAlerts, err = s.alerts(ctx, id); return err })
	wg.Wait()
	if err := cmp.Or(ctx.Err(), bad[""]); err != nil {
		return sources.IncidentDetail{}, httpx.Explain("read incident", "", err)
	}
	for _, what := range []string{"the log", "the notes", "the alerts"} {
		if err := bad[what]; err != nil {
			e := httpx.Explain("", "", err)
			d.Notices = append(d.Notices, sources.Notice{Scope: id, Kind: e.Kind, Text: clean.Line(what + " cannot be read: " + e.Msg), Fix: clean.Line(e.Fix)})
		}
	}
	if cutLog {
		d.Notices = append(d.Notices, sources.Notice{Scope: id, Kind: sources.Unsupported, Text: clean.Const("older lines of the log are not shown"), Fix: clean.Const("open the incident in PagerDuty")})
	}
	if cutAlerts {
		d.Notices = append(d.Notices, sources.Notice{Scope: id, Kind: sources.Unsupported, Text: clean.Linef("only %d of its alerts are shown", len(d.Alerts)), Fix: clean.Const("open the incident in PagerDuty")})
	}
	return d, nil
}

// incidentID is the id in ref, where it names an incident of this source.
func (s *source) incidentID(ref sources.Ref) (string, error) {
	switch {
	case ref.Source != s.env.Source || ref.Kind != sources.KindIncident:
		return "", &sources.Error{Kind: sources.Unsupported, Msg: ref.String() + " is no incident of this source"}
	case known(ref.ID) == "":
		return "", &sources.Error{Kind: sources.NotExist, Msg: "there is no incident " + oneLine(ref.ID)}
	}
	return ref.ID, nil
}

func (s *source) log(ctx context.Context, id string) ([]sources.LogEntry, bool, error) {
	all, cut, err := s.entries(ctx, id)
	if err != nil {
		return nil, false, err
	}
	out := make([]sources.LogEntry, len(all))
	for i := range all {
		out[i] = entryOf(&all[i])
	}
	return out, cut, nil
}

// entries are an incident's log, oldest first. PagerDuty lists the newest first: where the log is cut, it is
// cut at its beginning.
func (s *source) entries(ctx context.Context, id string) ([]wireEntry, bool, error) {
	q := url.Values{"include[]": {"channels"}}
	all, cut, err := pages[wireEntries](ctx, s, "", "/incidents/"+id+"/log_entries", q, 0, mostEntryPages, func(w wireEntry) string { return known(w.ID) })
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b wireEntry) int { return a.CreatedAt.Compare(b.CreatedAt.Time) })
	return all, cut, err
}

func entryOf(w *wireEntry) sources.LogEntry {
	e := sources.LogEntry{At: w.CreatedAt.Time, Kind: w.kind(), Who: clean.Line(w.who()), Text: clean.Line(w.text()), Via: clean.Line(w.via())}
	return e
}

func (w *wireEntry) kind() string {
	name := strings.TrimSuffix(strings.TrimSuffix(w.Type, "_reference"), "_log_entry")
	switch name {
	case "trigger":
		return "triggered"
	case "notify":
		return "paged"
	case "acknowledge":
		return "acknowledged"
	case "unacknowledge":
		return "unacknowledged"
	case "escalate":
		return "escalated"
	case "assign":
		if w.Agent != nil && w.Agent.isUser() {
			return "reassigned"
		}
		return "assigned"
	case "delegate":
		return "reassigned"
	case "snooze":
		return "snoozed"
	case "annotate":
		return "note"
	case "resolve":
		return "resolved"
	case "merge":
		return "merged"
	case "status_update":
		return "status"
	}
	return cmp.Or(clean.Line(strings.ReplaceAll(name, "_", " ")).String(), "unknown")
}

// who is whom an entry is about: the person who was paged, else the one who did it.
func (w *wireEntry) who() string {
	switch {
	case w.kind() == "paged" && w.User != nil:
		return w.User.called()
	case w.Agent != nil && w.Agent.isUser():
		return w.Agent.called()
	case len(w.Assignees) > 0:
		var all []string
		for _, a := range w.Assignees {
			all = append(all, a.called())
		}
		return strings.Join(all, ", ")
	case w.User != nil:
		return w.User.called()
	case w.Agent != nil:
		return w.Agent.called()
	}
	return ""
}

func (w *wireEntry) text() string {
	switch w.kind() {
	case "note":
		return cmp.Or(w.Note, w.content(), w.summary(), w.Summary)
	case "status":
		return cmp.Or(w.Message, w.content(), w.detail("message"), w.summary(), w.Summary)
	}
	return cmp.Or(w.Summary, w.summary())
}

func (w *wireEntry) content() string {
	if w.Channel == nil {
		return ""
	}
	return w.Channel.Content
}

func (w *wireEntry) summary() string {
	if w.Channel == nil {
		return ""
	}
	return w.Channel.Summary
}

// detail is a text among the details, which hold values of every type.
func (w *wireEntry) detail(name string) string {
	var all map[string]json.RawMessage
	if len(w.Details) == 0 || json.Unmarshal(w.Details, &all) != nil {
		return ""
	}
	raw := all[name]
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(bytes.TrimSpace(raw))
}

func (w *wireEntry) via() string {
	if w.Channel == nil {
		return ""
	}
	if w.Channel.Notification != nil && w.Channel.Notification.Type != "" {
		return w.Channel.Notification.Type
	}
	switch w.Channel.Type {
	case "website", "web_trigger":
		return "web"
	default:
		return w.Channel.Type
	}
}

func (s *source) notes(ctx context.Context, id string) ([]sources.Note, error) {
	all, err := one[wireNotes](ctx, s, "/incidents/"+id+"/notes", nil)
	if err != nil {
		return nil, err
	}
	var out []sources.Note
	for _, w := range all.Notes {
		n := sources.Note{At: w.CreatedAt.Time, Text: clean.Line(w.Content)}
		if w.User != nil {
			n.Who = clean.Line(w.User.called())
		}
		out = append(out, n)
	}
	slices.SortStableFunc(out, func(a, b sources.Note) int { return a.At.Compare(b.At) })
	return out, nil
}

func (s *source) alerts(ctx context.Context, id string) ([]sources.Alert, bool, error) {
	all, cut, err := pages[wireAlerts](ctx, s, "", "/incidents/"+id+"/alerts", url.Values{}, 0, mostAlertPages, func(w wireAlert) string { return known(w.ID) })
	if err != nil {
		return nil, false, err
	}
	out := make([]sources.Alert, len(all))
	for i := range all {
		out[i] = alertOf(&all[i])
	}
	slices.SortStableFunc(out, func(a, b sources.Alert) int { return cmp.Or(cmp.Compare(a.State, b.State), b.Since.Compare(a.Since)) })
	return out, cut, nil
}

// alertOf has no Ref: an alert is not read or acted on alone.
func alertOf(w *wireAlert) sources.Alert {
	f := factsOf(w.Body)
	return sources.Alert{
		Title: clean.Line(w.called()), State: stateOf(w.Status), Severity: alertSeverity(w.Severity),
		Since: w.CreatedAt.Time, Labels: f.Labels, URL: linkOf(w.HTMLURL),
	}
}

func alertSeverity(word string) int {
	switch word {
	case "critical":
		return 1
	case "error":
		return 2
	case "warning":
		return 3
	case "info":
		return 4
	default:
		return 0
	}
}

// sentence is what err says to people.
func sentence(err error) string {
	if e, ok := errors.AsType[*sources.Error](err); ok && e.Msg != "" {
		return e.Msg
	}
	return httpx.Explain("", "", err).Msg
}
