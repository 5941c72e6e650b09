package pagerduty

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

const mostIncidentPages = mostItems / pageSize

// included is what PagerDuty puts into a list of incidents, so that none has to be asked for alone.
var included = []string{"acknowledgers", "assignees", "first_trigger_log_entries", "priorities", "teams"}

// ListIncidents lists what is triggered or acknowledged, however old: without date_range=all PagerDuty would
// leave out what was opened more than a month ago.
func (s *source) ListIncidents(ctx context.Context, q sources.Query) (sources.Batch[sources.Incident], error) {
	return deliver(ctx, s, "incidents", q, func(ctx context.Context) (sources.Batch[sources.Incident], error) {
		return s.readIncidents(ctx, q)
	})
}

func (s *source) readIncidents(ctx context.Context, q sources.Query) (sources.Batch[sources.Incident], error) {
	var b sources.Batch[sources.Incident]
	query := url.Values{
		"statuses[]": {"triggered", "acknowledged"}, "date_range": {"all"},
		"include[]": included, "sort_by": {"created_at:desc"},
	}
	s.narrow(query)
	odd := 0
	all, cut, err := pages[wireIncidents](ctx, s, "incidents", "/incidents", query, q.Limit, mostIncidentPages, func(w wireIncident) string {
		if known(w.ID) == "" {
			odd++
		}
		return known(w.ID)
	})
	if err != nil {
		return b, err
	}
	if odd > 0 {
		b.Notices = append(b.Notices, sources.Notice{
			Kind: sources.Invalid, Text: clean.Linef("%d open incidents were sent in a form that this version does not know: left out", odd),
			Fix: clean.Const("look at them on PagerDuty's pages, and report it"),
		})
	}
	if cut && (q.Limit <= 0 || len(all) < q.Limit) {
		b.Notices = append(b.Notices, sources.Notice{
			Kind: sources.Unsupported, Text: clean.Linef("PagerDuty lists no more than %d open incidents: the oldest are missing", mostItems),
			Fix: clean.Const("set teams: to narrow them"),
		})
	}
	if q.Limit > 0 && len(all) > q.Limit {
		all = all[:q.Limit]
	}
	now := s.now(q)
	who, err := s.rosterOf(ctx, policiesOf(all), now)
	if err != nil {
		if fatal(ctx, err) {
			return b, err
		}
		e := httpx.Explain("", "", err)
		b.Notices = append(b.Notices, sources.Notice{Kind: e.Kind, Text: clean.Line("who is paged next is unknown: " + e.Msg), Fix: clean.Line(e.Fix)})
	}
	c := s.converter(q.Services, q.Identity, who, now)
	b.Items = make([]sources.Incident, 0, len(all))
	for i := range all {
		inc := c.incident(&all[i])
		b.Items = append(b.Items, inc)
		httpx.Note(ctx, string(inc.Revision)+names(inc.Next))
		b.Busy = max(b.Busy, busy(inc.State))
	}
	return b, nil
}

// names tells lists of persons apart.
func names(ps []sources.Person) string {
	out := ""
	for _, p := range ps {
		out += " " + p.ID
	}
	return out
}

func busy(st sources.IncidentState) sources.Busy {
	switch st {
	case sources.Triggered:
		return sources.Live
	case sources.Acknowledged:
		return sources.WaitingForPerson
	case sources.Resolved:
		return sources.Quiet
	default:
		return sources.Quiet
	}
}

// narrow limits a list to the configured teams.
func (s *source) narrow(q url.Values) {
	if len(s.cfg.Teams) > 0 {
		q["team_ids[]"] = s.cfg.Teams
	}
}

// policiesOf are the escalation policies of incidents, each once. All of those that will escalate come
// first; the rest, whose level alone is of interest, only as far as it costs no further request.
func policiesOf(all []wireIncident) []string {
	seen := map[string]bool{}
	var first, rest []string
	for _, urgent := range []bool{true, false} {
		for i := range all {
			w := &all[i]
			if w.Policy == nil || known(w.Policy.ID) == "" || seen[w.Policy.ID] || w.pending("escalate").IsZero() == urgent {
				continue
			}
			seen[w.Policy.ID] = true
			if urgent {
				first = append(first, w.Policy.ID)
			} else {
				rest = append(rest, w.Policy.ID)
			}
		}
	}
	room := len(first)
	if over := len(first) % policiesAtOnce; over > 0 || len(first) == 0 {
		room += policiesAtOnce - over
	}
	list := append(first, rest...)
	list = list[:min(len(list), room)]
	slices.Sort(list)
	return list
}

// converter makes incidents of one answer.
type converter struct {
	s        *source
	claims   claims
	identity string
	roster   roster
	now      time.Time
}

func (s *source) converter(specs []sources.ServiceSpec, identity string, who roster, now time.Time) *converter {
	return &converter{s: s, claims: claimsOf(specs), identity: identity, roster: who, now: now}
}

func (w *wireIncident) pending(kind string) time.Time {
	var at time.Time
	for _, p := range w.Pending {
		if p.Type == kind && !p.At.IsZero() && (at.IsZero() || p.At.Before(at)) {
			at = p.At.Time
		}
	}
	return at
}

func stateOf(status string) sources.IncidentState {
	switch status {
	case "acknowledged":
		return sources.Acknowledged
	case "resolved":
		return sources.Resolved
	default: // better one page too many
		return sources.Triggered
	}
}

func (c *converter) incident(w *wireIncident) sources.Incident {
	inc := sources.Incident{
		Ref:     sources.Ref{Source: c.s.env.Source, Kind: sources.KindIncident, ID: w.ID},
		Kind:    sources.PageIncident,
		Title:   clean.Line(cmp.Or(w.Title, w.Summary)),
		State:   stateOf(w.Status),
		Low:     w.Urgency == "low",
		Created: w.CreatedAt.Time,
		Changed: firstTime(w.ChangedAt.Time, w.CreatedAt.Time),
		URL:     linkOf(w.HTMLURL),
		Keys:    w.First.facts.Keys,
		Runbook: w.First.facts.Runbook,
		Scope:   w.First.facts.Scope,
	}
	if w.Number > 0 {
		inc.Number = clean.Line("#" + strconv.FormatInt(w.Number, 10))
	}
	if w.Service != nil {
		inc.Provider, inc.Service = clean.Line(w.Service.called()), c.claims.of(*w.Service)
	}
	if len(w.Teams) > 0 {
		inc.Team = clean.Line(w.Teams[0].called())
	}
	if w.Priority != nil {
		inc.Severity = severityOf(w.Priority.called())
	}
	if w.Alerts != nil {
		inc.Alerts = max(0, w.Alerts.All)
	}
	c.people(w, &inc)
	c.escalation(w, &inc)
	if inc.State == sources.Resolved {
		inc.Ended = firstTime(w.ResolvedAt.Time, w.ChangedAt.Time)
		if w.ChangedBy != nil {
			inc.EndedBy = clean.Line(w.ChangedBy.called())
		}
	}
	inc.Revision = revisionOf(&inc)
	return inc
}

// people fills in whom it is assigned to, and who holds it: the one who acknowledged it last, or who was
// paged last.
func (c *converter) people(w *wireIncident, inc *sources.Incident) {
	var paged time.Time
	for _, a := range w.Assignments {
		if known(a.Assignee.ID) == "" {
			continue
		}
		p := c.s.person(a.Assignee)
		inc.Assignees = append(inc.Assignees, p)
		inc.Mine = inc.Mine || isMe(p, c.identity)
		if inc.Holder.IsZero() || a.At.After(paged) {
			inc.Holder, paged = p.Name, a.At.Time
		}
	}
	inc.Paged = paged
	if inc.State != sources.Acknowledged {
		return
	}
	var acked time.Time
	for i, a := range w.Acknowledgements {
		if i > 0 && !a.At.After(acked) {
			continue
		}
		acked = a.At.Time
		if name := clean.Line(a.Acknowledger.called()); !name.IsZero() {
			inc.Holder = name
		}
		for _, as := range w.Assignments {
			if as.Assignee.ID == a.Acknowledger.ID {
				inc.Paged = as.At.Time
			}
		}
	}
}

// escalation fills in what will happen by itself.
func (c *converter) escalation(w *wireIncident, inc *sources.Incident) {
	if inc.State == sources.Resolved {
		return
	}
	inc.Level = c.roster.levelOf(w, c.now)
	if inc.State == sources.Acknowledged {
		inc.RepagesAt = w.pending("unacknowledge")
		return
	}
	inc.EscalatesAt = w.pending("escalate")
	if !inc.EscalatesAt.IsZero() && inc.Level > 0 {
		next := c.roster.next(w.Policy.ID, inc.Level)
		inc.Next = c.roster.at(w.Policy.ID, next, inc.EscalatesAt)
	}
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

var severityName = regexp.MustCompile(`(?i)^\s*(?:p|sev(?:erity)?)[\s_-]*([0-9])(?:\D|$)`)

// severityOf reads the name of a priority: P1, SEV-2. Other names say nothing of which is worse.
func severityOf(name string) int {
	m := severityName.FindStringSubmatch(name)
	if m == nil {
		return 0
	}
	return max(1, int(m[1][0]-'0'))
}

// revisionOf is a fingerprint of what an action depends on.
func revisionOf(inc *sources.Incident) sources.Revision {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, inc.State, inc.Level, inc.Severity, inc.Low, inc.Changed.UnixNano(), inc.Paged.UnixNano(), inc.EscalatesAt.UnixNano(), inc.RepagesAt.UnixNano(), inc.Holder.String())
	for _, p := range inc.Assignees {
		_, _ = fmt.Fprintf(h, "%q %q %q %q\n", p.ID, p.Name.String(), p.Login.String(), p.Zone)
	}
	return sources.Revision(hex.EncodeToString(h.Sum(nil)[:12]))
}
