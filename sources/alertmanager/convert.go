package alertmanager

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// group is one of Alertmanager's groups: what a person would be told of in one message.
type group struct {
	receiver string
	labels   map[string]string // what it is grouped by
	alerts   []*wireAlert      // the leading one first: the worst, then the oldest
}

// id names a group for as long as the routing stays: the same labels for the same receiver.
func (g *group) id() string { return groupID(g.receiver, g.labels) }

func groupID(receiver string, labels map[string]string) string {
	sum := sha256.Sum256([]byte(receiver + "\x00" + sources.PrintLabels(labels)))
	return hex.EncodeToString(sum[:8])
}

// alertID is the identity of a single alert, as the target of a verb.
const alertID = "alert:"

// groupsOf are the groups of an answer, each once and each alert once in it: two routes may lead to one
// receiver and group alike.
func (c *converter) groupsOf(wire []wireGroup) []*group {
	known := map[string]*group{}
	var all []*group
	for i := range wire {
		w := &wire[i]
		id := groupID(w.Receiver.Name, w.Labels)
		g := known[id]
		if g == nil {
			g = &group{receiver: w.Receiver.Name, labels: w.Labels}
			known[id] = g
			all = append(all, g)
		}
		for j := range w.Alerts {
			g.alerts = append(g.alerts, &w.Alerts[j])
		}
	}
	for _, g := range all {
		c.sort(g)
	}
	return slices.DeleteFunc(all, func(g *group) bool { return len(g.alerts) == 0 })
}

func (c *converter) sort(g *group) {
	slices.SortFunc(g.alerts, func(a, b *wireAlert) int {
		return cmp.Or(
			cmp.Compare(rank(c.severity(a)), rank(c.severity(b))),
			a.StartsAt.Compare(b.StartsAt.Time),
			cmp.Compare(a.key(), b.key()),
		)
	})
	g.alerts = slices.CompactFunc(g.alerts, func(a, b *wireAlert) bool { return a.key() == b.key() })
}

// rank puts unknown severities last.
func rank(severity int) int {
	if severity == 0 {
		return 99
	}
	return severity
}

// converter makes incidents of groups.
type converter struct {
	source   string
	cfg      *Config
	address  *url.URL
	silences map[string]*wireSilence // those that are known
	identity string
	services map[string]string // the configured service, by the value of the service label
}

func (s *source) converter(q sources.Query, silences []wireSilence) *converter {
	c := &converter{
		source: s.env.Source, cfg: &s.cfg, address: s.replicas[0].address, identity: q.Identity,
		silences: make(map[string]*wireSilence, len(silences)), services: map[string]string{},
	}
	for i := range silences {
		c.silences[silences[i].ID] = &silences[i]
	}
	for _, sp := range q.Services {
		values := sp.Incidents
		if len(values) == 0 {
			values = []string{sp.Name}
		}
		for _, v := range values {
			if _, taken := c.services[v]; !taken {
				c.services[v] = sp.Name
			}
		}
	}
	return c
}

// key is an alert's identity: the server's fingerprint of its labels, or one of our own where there is none.
func (a *wireAlert) key() string {
	if a.Fingerprint != "" {
		return plain(a.Fingerprint)
	}
	return groupID("", a.Labels)
}

// maxKeys bounds how many alerts an incident names to other systems.
const maxKeys = 200

// incident is a group as an incident.
func (c *converter) incident(g *group) sources.Incident {
	return c.build(g, g.id(), c.pageURL(g.receiver, g.labels, g.alerts))
}

// single is one alert as an incident of its own.
func (c *converter) single(a *wireAlert) sources.Incident {
	g := &group{alerts: []*wireAlert{a}}
	return c.build(g, alertID+a.key(), c.pageURL("", a.Labels, g.alerts))
}

func (c *converter) build(g *group, id, page string) sources.Incident {
	lead := g.alerts[0]
	in := sources.Incident{
		Ref:  sources.Ref{Source: c.source, Kind: sources.KindIncident, ID: id},
		Kind: sources.AlertIncident, Title: c.title(g), Severity: c.severity(lead),
		Created: lead.StartsAt.Time, Alerts: len(g.alerts), Scope: c.scope(g.alerts), URL: page,
		Team: clean.Line(lead.Labels[c.cfg.TeamLabel]),
	}
	in.Service, in.Provider = c.service(g.alerts)
	for _, a := range g.alerts {
		if !a.StartsAt.IsZero() && (in.Created.IsZero() || a.StartsAt.Before(in.Created)) {
			in.Created = a.StartsAt.Time
		}
		if in.Runbook == "" {
			in.Runbook = runbook(a.Annotations)
		}
		if len(in.Keys) < maxKeys {
			in.Keys = append(in.Keys, sources.AlertKey(sources.PrintLabels(a.Labels)))
		}
	}
	in.Changed = in.Created
	c.quiet(&in, g.alerts)
	in.Revision = revision(&in, g.alerts)
	return in
}

// quiet says what keeps an incident's alerts quiet. It is acknowledged when each of them is silenced, or
// inhibited with a silence on the rest.
func (c *converter) quiet(in *sources.Incident, alerts []*wireAlert) {
	silenced, inhibited, muted := 0, 0, 0
	ids := map[string]bool{}
	for _, a := range alerts {
		switch {
		case len(a.Status.SilencedBy) > 0:
			silenced++
		case len(a.Status.InhibitedBy) > 0:
			inhibited++
		case len(a.Status.MutedBy) > 0:
			muted++
		}
		for _, id := range a.Status.SilencedBy {
			ids[id] = true
		}
	}
	in.Inhibited = inhibited > 0 && inhibited == len(alerts)
	in.Low = muted > 0 && silenced+inhibited+muted == len(alerts)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		in.Silenced = append(in.Silenced, c.silence(id))
	}
	slices.SortStableFunc(in.Silenced, func(a, b sources.Silence) int { return b.Until.Compare(a.Until) })
	if silenced == 0 || silenced+inhibited+muted < len(alerts) {
		return
	}
	in.State, in.Low = sources.Acknowledged, false
	in.Holder = in.Silenced[0].By
	for _, a := range alerts {
		from, until := c.silencedFor(a)
		if from.After(in.Changed) {
			in.Changed = from
		}
		if !until.IsZero() && (in.RepagesAt.IsZero() || until.Before(in.RepagesAt)) {
			in.RepagesAt = until
		}
	}
	for _, sl := range in.Silenced {
		in.Mine = in.Mine || c.identity != "" && strings.EqualFold(sl.By.String(), c.identity)
	}
}

// silencedFor is from when until when the silences of an alert, as far as they are known, keep it quiet.
func (c *converter) silencedFor(a *wireAlert) (from, until time.Time) {
	for _, id := range a.Status.SilencedBy {
		w := c.silences[id]
		if w == nil {
			continue
		}
		if from.IsZero() || w.StartsAt.Before(from) {
			from = w.StartsAt.Time
		}
		if w.EndsAt.After(until) {
			until = w.EndsAt.Time
		}
	}
	return from, until
}

// silence is a silence by its id, with what is known of it.
func (c *converter) silence(id string) sources.Silence {
	sl := sources.Silence{Ref: c.silenceRef(id)}
	if w := c.silences[id]; w != nil {
		sl.By, sl.Comment, sl.Until = clean.Line(w.CreatedBy), clean.Line(w.Comment), w.EndsAt.Time
	}
	return sl
}

func (c *converter) silenceRef(id string) sources.Ref {
	return sources.Ref{Source: c.source, Kind: sources.KindSilence, ID: plain(id)}
}

// revision is the fingerprint of what a verb on the incident depends on: what state it is in, and what a
// silence of it would be made of. How many alerts it has is not: in a storm they come by the second.
func revision(in *sources.Incident, alerts []*wireAlert) sources.Revision {
	var b strings.Builder
	_, _ = fmt.Fprintln(&b, in.State, in.Inhibited, in.Low, in.Severity, in.Holder, sources.PrintLabels(common(alerts)))
	for _, sl := range in.Silenced {
		_, _ = fmt.Fprintln(&b, sl.Ref.ID, sl.By, sl.Until.UTC())
	}
	sum := sha256.Sum256([]byte(b.String()))
	return sources.Revision(hex.EncodeToString(sum[:8]))
}

// title is what the leading alert says of itself, with its name where that does not say it.
func (c *converter) title(g *group) clean.Text {
	lead := g.alerts[0]
	name := lead.Labels["alertname"]
	said := cmp.Or(lead.Annotations["summary"], lead.Annotations["title"], lead.Annotations["message"], lead.Annotations["description"])
	text := clean.Line(said)
	switch {
	case text.IsZero() && name == "":
		return clean.Line(sources.PrintLabels(lead.Labels))
	case text.IsZero():
		return clean.Line(name)
	case name == "" || strings.Contains(strings.ToLower(text.String()), strings.ToLower(name)):
		return text
	default:
		return clean.Line(name + ": " + text.String())
	}
}

// severity reads the severity label; 0 is unknown.
func (c *converter) severity(a *wireAlert) int {
	return severityOf(a.Labels[c.cfg.SeverityLabel], c.cfg.Severities)
}

// severityOf is what a word says: as configured, else as people use it.
func severityOf(word string, configured map[string]int) int {
	word = strings.TrimSpace(word)
	for k, n := range configured {
		if strings.EqualFold(k, word) {
			return n
		}
	}
	return sources.SeverityOf(word)
}

// service attributes a group: to the service that its leading alert names, else to the first that another
// one does. The provider's name lists all.
func (c *converter) service(alerts []*wireAlert) (service string, provider clean.Text) {
	var values []string
	seen := map[string]bool{}
	for _, a := range alerts {
		v := a.Labels[c.cfg.ServiceLabel]
		if v == "" || seen[v] {
			continue
		}
		seen[v] = true
		values = append(values, v)
		if service == "" {
			service = c.services[v]
		}
	}
	return service, list(values, 3)
}

// scope is where the alerts are: the values of the labels that say so, in the order from large to small.
func (c *converter) scope(alerts []*wireAlert) clean.Text {
	var parts []clean.Text
	seen := map[string]bool{}
	for _, names := range [][]string{{"env", "environment", "stage"}, {"region", "location"}, {"zone", "availability_zone"}, {"cluster"}} {
		values := map[string]bool{}
		for _, a := range alerts {
			for _, name := range names {
				if v := a.Labels[name]; v != "" && !seen[v] {
					values[v] = true
				}
			}
		}
		maps.Copy(seen, values)
		if len(values) > 0 {
			parts = append(parts, list(slices.Sorted(maps.Keys(values)), 4))
		}
	}
	return clean.Join(clean.Const(" "), parts...)
}

// list writes at most so many values, and how many more there are.
func list(values []string, most int) clean.Text {
	more := ""
	if len(values) > most {
		more = fmt.Sprintf(" +%d", len(values)-most)
		values = values[:most]
	}
	return clean.Line(strings.Join(values, " ") + more)
}

// alert is one alert behind an incident. shared are the labels that all of them have: they stand last.
func (c *converter) alert(a *wireAlert, shared map[string]string) sources.Alert {
	in := c.single(a)
	out := sources.Alert{
		Ref: in.Ref, Title: in.Title, State: in.State, Severity: in.Severity, Since: a.StartsAt.Time,
		Silenced: in.Silenced, URL: webURL(a.GeneratorURL),
	}
	for _, common := range []bool{false, true} {
		for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
			if _, is := shared[name]; is == common {
				out.Labels = append(out.Labels, clean.Line(name+"="+a.Labels[name]))
			}
		}
	}
	return out
}

// pageURL is Alertmanager's own page of these labels.
func (c *converter) pageURL(receiver string, labels map[string]string, alerts []*wireAlert) string {
	if len(labels) == 0 {
		labels = common(alerts)
	}
	q := url.Values{"silenced": {"true"}, "inhibited": {"true"}, "active": {"true"}}
	q.Set("filter", strings.ReplaceAll(sources.PrintLabels(labels), `", `, `",`))
	if receiver != "" {
		q.Set("receiver", receiver)
	}
	return c.address.String() + "/#/alerts?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

func runbook(annotations map[string]string) string {
	for _, name := range []string{"runbook_url", "runbook", "runbookURL", "playbook"} {
		if u := webURL(annotations[name]); u != "" {
			return u
		}
	}
	return ""
}

// webURL is text when it is the address of a web page, and "" otherwise.
func webURL(text string) string {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	u.User = nil
	return plain(u.String())
}

// plain is an identifier without what a terminal would obey.
func plain(s string) string { return clean.Line(s).String() }
