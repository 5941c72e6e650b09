package prometheus

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// ListMonitors lists the alerting rules, one monitor for each service that a rule fires for, and the jobs
// that have targets down: two requests, and one more in an hour. A store without one of the two says so in a notice.
func (s *source) ListMonitors(ctx context.Context, q sources.Query) (sources.Batch[sources.Monitor], error) {
	return httpx.Deliver(ctx, &s.feeds, "monitors", q, func(ctx context.Context) (sources.Batch[sources.Monitor], error) {
		s.mu.Lock()
		s.query = sources.Query{Services: q.Services}
		s.mu.Unlock()
		return s.listMonitors(ctx, q)
	})
}

func (s *source) listMonitors(ctx context.Context, q sources.Query) (sources.Batch[sources.Monitor], error) {
	var b sources.Batch[sources.Monitor]
	m := s.monitors(q)
	missing := 0
	for _, part := range []struct {
		on   bool
		name string
		read func(context.Context, time.Time) ([]sources.Monitor, []sources.Notice, error)
	}{
		{s.cfg.Rules, "alerting rules", m.rules},
		{s.cfg.Targets, "targets that are down", m.targets},
	} {
		if !part.on {
			missing++
			continue
		}
		items, notices, err := part.read(ctx, s.now(q))
		if err != nil {
			e := httpx.Explain("", "", err)
			if missing++; !absent(e) || missing == 2 {
				return sources.Batch[sources.Monitor]{}, err
			}
			notices = []sources.Notice{{
				Kind: sources.Unsupported, Text: clean.Linef("this server does not tell of %s", part.name),
				Fix: clean.Const("nothing, where the store has no such thing: rules: false or targets: false stops asking"),
			}}
		}
		b.Items = append(b.Items, items...)
		b.Notices = append(b.Notices, notices...)
	}
	for i := range b.Items {
		if s := b.Items[i].State; s == sources.MonitorPending || s == sources.MonitorAlert {
			b.Busy = sources.Live
		}
	}
	return b, nil
}

// absent reports that an endpoint is not there.
func absent(e *sources.Error) bool {
	return e.Kind == sources.NotExist || e.Kind == sources.Unsupported
}

// monitors makes monitors of what the server says, for the services of one query.
type monitors struct {
	s        *source
	all      bool              // no services were named: everything is wanted
	services map[string]string // the configured service, by the value of the service label
	outbound outbound
}

func (s *source) monitors(q sources.Query) *monitors {
	m := &monitors{s: s, all: len(q.Services) == 0, services: map[string]string{}}
	for _, sp := range q.Services {
		values := sp.Incidents
		if len(values) == 0 {
			values = []string{sp.Name}
		}
		for _, v := range values {
			if _, taken := m.services[v]; !taken {
				m.services[v] = sp.Name
			}
		}
	}
	return m
}

func (m *monitors) rules(ctx context.Context, now time.Time) ([]sources.Monitor, []sources.Notice, error) {
	found, err := askQuick(ctx, m.s.server, "rules", func(ctx context.Context, a v1.API) (*v1.RulesResult, error) {
		r, err := a.Rules(ctx, nil)
		if err != nil {
			return nil, err //nolint:wrapcheck // ask explains it
		}
		return &r, nil
	}, rulesIn)
	if err != nil {
		return nil, nil, err
	}
	if m.outbound, err = m.s.outboundLabels(ctx, now); err != nil {
		return nil, nil, err
	}
	var items []sources.Monitor
	var notices []sources.Notice
	seen := map[string]int{}
	for _, g := range found.Groups {
		for _, r := range g.Rules {
			rule, ok := r.(v1.AlertingRule)
			if !ok {
				continue
			}
			id := ruleID(g, rule, seen)
			mine := m.rule(id, rule)
			items = append(items, mine...)
			if len(mine) > 0 && rule.LastError != "" {
				notices = append(notices, sources.Notice{
					Scope: mine[0].Service, Kind: sources.Invalid, Text: clean.Linef("the rule %s is not evaluated: %s", rule.Name, rule.LastError),
					Fix: clean.Const("mend its expression: meanwhile it alerts nobody"),
				})
			}
		}
	}
	return items, notices, nil
}

// ruleID names a rule for as long as its place, name and labels stay. Rules alike in one group are told
// apart by their order.
func ruleID(g v1.RuleGroup, r v1.AlertingRule, seen map[string]int) string {
	key := strings.Join([]string{g.File, g.Name, r.Name, r.Labels.String()}, "\x00")
	seen[key]++
	sum := sha256.Sum256([]byte(key + "\x00" + strconv.Itoa(seen[key])))
	return "rule/" + hex.EncodeToString(sum[:8])
}

// rule is one alerting rule: one monitor for each service that its alerts are about, or one for all where
// it is quiet or tells no service.
func (m *monitors) rule(id string, r v1.AlertingRule) []sources.Monitor {
	label := model.LabelName(m.s.cfg.ServiceLabel)
	byValue := map[string][]*v1.Alert{}
	for _, a := range r.Alerts {
		if a != nil && a.State != "inactive" {
			v := cmp.Or(string(a.Labels[label]), m.subject(r))
			byValue[v] = append(byValue[v], a)
		}
	}
	if len(byValue) == 0 {
		byValue[m.subject(r)] = nil
	}
	var all []sources.Monitor
	for _, v := range slices.Sorted(maps.Keys(byValue)) {
		service := m.services[v]
		if service == "" && !m.all {
			continue
		}
		one := id
		if len(byValue[v]) > 0 && v != m.subject(r) {
			one += "/" + plain(v)
		}
		all = append(all, m.monitor(one, service, r, byValue[v]))
	}
	return all
}

// subject is the value of the service label that a rule is about as a whole: from its own labels, or from
// its expression.
func (m *monitors) subject(r v1.AlertingRule) string {
	if v := string(r.Labels[model.LabelName(m.s.cfg.ServiceLabel)]); v != "" && !strings.Contains(v, "{{") {
		return v
	}
	re := regexp.MustCompile(`[{,]\s*` + regexp.QuoteMeta(m.s.cfg.ServiceLabel) + `\s*=\s*"([^"\\]*)"`)
	found := re.FindAllStringSubmatch(r.Query, -1)
	for _, f := range found {
		if f[1] != found[0][1] {
			return ""
		}
	}
	if len(found) == 0 {
		return ""
	}
	return found[0][1]
}

const (
	// maxGroups bounds how many groups a monitor lists, maxKeys how many alerts it names to other systems.
	maxGroups = 100
	maxKeys   = 199
)

func (m *monitors) monitor(id, service string, r v1.AlertingRule, alerts []*v1.Alert) sources.Monitor {
	severity := sources.SeverityOf(string(r.Labels["severity"]))
	out := sources.Monitor{
		Ref:     sources.Ref{Source: m.s.env.Source, Kind: sources.KindMonitor, ID: id},
		Service: service, Name: clean.Line(r.Name), Query: clean.Line(r.Query), URL: m.s.alertsURL(r.Name),
		Runbook: runbook(r.Annotations),
	}
	slices.SortStableFunc(alerts, func(a, b *v1.Alert) int {
		return cmp.Or(cmp.Compare(alertRank(a), alertRank(b)), a.ActiveAt.Compare(b.ActiveAt), strings.Compare(a.Labels.String(), b.Labels.String()))
	})
	for _, a := range alerts {
		if n := sources.SeverityOf(string(a.Labels["severity"])); n != 0 && (severity == 0 || n < severity) {
			severity = n
		}
	}
	out.Severity = severity
	out.State = ruleState(r, alerts, severity)
	for _, a := range alerts {
		if alertRank(a) == alertRank(alerts[0]) && !a.ActiveAt.IsZero() && (out.Since.IsZero() || a.ActiveAt.Before(out.Since)) {
			out.Since = a.ActiveAt
		}
		if u := runbook(a.Annotations); u != "" && (out.Runbook == "" || strings.Contains(out.Runbook, "{{")) {
			out.Runbook = u
		}
		if len(out.Groups) < maxGroups {
			out.Groups = append(out.Groups, alertGroup(r, a, severity))
		}
		if len(out.Keys) < maxKeys {
			out.Keys = append(out.Keys, m.outbound.keys(stringMap(a.Labels))...)
		}
	}
	out.Name = named(r, alerts)
	out.Revision = revision(out.State, out.Severity, out.Since.UnixMilli(), len(alerts))
	return out
}

// named is a rule's name, with what its first alert says of itself.
func named(r v1.AlertingRule, alerts []*v1.Alert) clean.Text {
	if len(alerts) == 0 {
		return clean.Line(r.Name)
	}
	said := cmp.Or(string(alerts[0].Annotations["summary"]), string(alerts[0].Annotations["message"]))
	if said == "" || len(alerts) > 1 {
		return clean.Line(r.Name)
	}
	return clean.Line(r.Name + ": " + said)
}

// alertRank puts what fires first.
func alertRank(a *v1.Alert) int {
	if a.State == v1.AlertStateFiring {
		return 0
	}
	return 1
}

// ruleState is what a rule says. One of warning's severity or less warns; one of no severity, such as a
// watchdog, fires to show that alerting works.
func ruleState(r v1.AlertingRule, alerts []*v1.Alert, severity int) sources.MonitorState {
	switch {
	case r.Health == v1.RuleHealthBad:
		return sources.MonitorUnknown
	case len(alerts) > 0 && alerts[0].State == v1.AlertStateFiring:
		return firing(severity)
	case len(alerts) > 0:
		return sources.MonitorPending
	case r.Health == v1.RuleHealthUnknown:
		return sources.MonitorUnknown
	default:
		return sources.MonitorOK
	}
}

func firing(severity int) sources.MonitorState {
	switch {
	case severity >= 5:
		return sources.MonitorOK
	case severity >= 3:
		return sources.MonitorWarn
	default:
		return sources.MonitorAlert
	}
}

// alertGroup is one alert of a rule, named by the labels that are not the rule's own.
func alertGroup(r v1.AlertingRule, a *v1.Alert, severity int) sources.MonitorGroup {
	var parts []string
	for name, value := range stringMap(a.Labels) {
		if _, own := r.Labels[model.LabelName(name)]; !own && name != model.AlertNameLabel {
			parts = append(parts, name+":"+value)
		}
	}
	slices.Sort(parts)
	g := sources.MonitorGroup{Name: clean.Line(strings.Join(parts, ",")), State: sources.MonitorPending, Since: a.ActiveAt, Value: sources.Number(math.NaN())}
	if a.State == v1.AlertStateFiring {
		g.State = firing(severity)
	}
	if v, err := strconv.ParseFloat(a.Value, 64); err == nil {
		g.Value = sources.Number(v)
	}
	return g
}

func stringMap(labels model.LabelSet) map[string]string {
	out := make(map[string]string, len(labels))
	for name, value := range labels {
		out[string(name)] = string(value)
	}
	return out
}

func runbook(annotations model.LabelSet) string {
	for _, name := range []model.LabelName{"runbook_url", "runbook", "runbookURL", "playbook"} {
		u, err := url.Parse(strings.TrimSpace(string(annotations[name])))
		if err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
			u.User = nil
			return plain(u.String())
		}
	}
	return ""
}

// revision is a fingerprint of what it is given.
func revision(parts ...any) sources.Revision {
	sum := sha256.Sum256([]byte(fmt.Sprintln(parts...)))
	return sources.Revision(hex.EncodeToString(sum[:8]))
}

func (s *source) alertsURL(name string) string {
	return s.server.address.String() + "/alerts?" + url.Values{"search": {name}}.Encode()
}

// targets lists the jobs that have targets down, from the metric that every scrape leaves behind: stores that
// scrape nothing themselves have it too.
func (m *monitors) targets(ctx context.Context, now time.Time) ([]sources.Monitor, []sources.Notice, error) {
	by := "job"
	if m.s.cfg.ServiceLabel != "job" {
		by += ", " + m.s.cfg.ServiceLabel
	}
	r, err := m.s.server.query(ctx, "up == 0 or count by ("+by+") (up)", now)
	if err != nil {
		return nil, nil, err
	}
	jobs := map[string]*job{}
	for _, st := range r.streams {
		name, service := st.labels["job"], st.labels[m.s.cfg.ServiceLabel]
		key := name + "\x00" + service
		if jobs[key] == nil {
			jobs[key] = &job{name: name, service: service}
		}
		jobs[key].add(st, by)
	}
	var items []sources.Monitor
	for _, key := range slices.Sorted(maps.Keys(jobs)) {
		j := jobs[key]
		service := cmp.Or(m.services[j.service], m.services[j.name])
		if len(j.down) == 0 || service == "" && !m.all {
			continue
		}
		items = append(items, m.job(j, service))
	}
	return items, r.notices("", "targets"), nil
}

// job is a job's targets: those that are down, and how many there are.
type job struct {
	name, service string
	down          []string
	all           int
}

// add takes one series: a target that is down has more labels than those that jobs are counted by.
func (j *job) add(st stream, by string) {
	counted := strings.Split(by, ", ")
	value := 0.0
	if n := len(st.points); n > 0 {
		value = st.points[n-1].Value
	}
	var more []string
	for name, v := range st.labels {
		if !slices.Contains(counted, name) && name != "instance" {
			more = append(more, name+":"+v)
		}
	}
	instance, is := st.labels["instance"]
	if !is && len(more) == 0 && value > 0 {
		j.all += int(value)
		return
	}
	slices.Sort(more)
	j.down = append(j.down, strings.Join(append([]string{instance}, more...), ","))
}

func (m *monitors) job(j *job, service string) sources.Monitor {
	all := max(j.all, len(j.down))
	expr := fmt.Sprintf("up{job=%q} == 0", j.name)
	out := sources.Monitor{
		Ref:     sources.Ref{Source: m.s.env.Source, Kind: sources.KindMonitor, ID: plain("job/" + j.name + "/" + j.service)},
		Service: service, State: sources.MonitorWarn, Query: clean.Line(expr), URL: m.s.graphURL(expr, defaultWindow),
		Name: clean.Linef("job %s: %d of %d targets down", j.name, len(j.down), all),
	}
	if len(j.down) == all {
		out.State = sources.MonitorAlert
	}
	for i, name := range j.down {
		if i == maxGroups {
			break
		}
		out.Groups = append(out.Groups, sources.MonitorGroup{Name: clean.Line(name), State: sources.MonitorAlert, Value: 0})
	}
	out.Revision = revision(out.State, j.down)
	return out
}
