package datadog

import (
	"cmp"
	"context"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// wireMonitor is a monitor, as far as the board wants to know it.
type wireMonitor struct {
	ID       whole  `json:"id"`
	Name     text   `json:"name"`
	Type     text   `json:"type"`
	Query    text   `json:"query"`
	Message  text   `json:"message"`
	Tags     words  `json:"tags"`
	Priority whole  `json:"priority"`
	State    text   `json:"overall_state"`
	Changed  stamp  `json:"overall_state_modified"` // sent, and not described
	Groups   states `json:"state"`
	Options  struct {
		Silenced   table[number] `json:"silenced"` // by scope: until when; the old way to mute
		Escalation text          `json:"escalation_message"`
	} `json:"options"`
	Downtimes some[struct {
		Scope words `json:"scope"`
		End   stamp `json:"end"`
	}] `json:"matching_downtimes"`
}

// valid implements reply.
func (m *wireMonitor) valid() error {
	if m.ID == 0 {
		return unlike("monitor")
	}
	return nil
}

// states are a monitor's groups.
type states struct {
	Groups table[wireGroup] `json:"groups"`
}

type wireGroup struct {
	Name      text  `json:"name"`
	Status    text  `json:"status"`
	Triggered stamp `json:"last_triggered_ts"`
	NoData    stamp `json:"last_nodata_ts"`
}

// monitorPage is one page of monitors.
type monitorPage struct{ some[wireMonitor] }

func (p *monitorPage) valid() error {
	if !p.Given {
		return unlike("list of monitors")
	}
	return nil
}

// wireDowntime is what keeps monitors quiet.
type wireDowntime struct {
	ID         text `json:"id"`
	Attributes struct {
		Status  text  `json:"status"`
		Message text  `json:"message"`
		Scope   text  `json:"scope"`
		Cancel  stamp `json:"canceled"`
		Monitor struct {
			ID   whole `json:"monitor_id"`
			Tags words `json:"monitor_tags"`
		} `json:"monitor_identifier"`
		Schedule struct {
			Start   stamp `json:"start"`
			End     stamp `json:"end"`
			Current struct {
				Start stamp `json:"start"`
				End   stamp `json:"end"`
			} `json:"current_downtime"`
		} `json:"schedule"`
	} `json:"attributes"`
	Relations struct {
		By links `json:"created_by"`
	} `json:"relationships"`
}

// until is when d ends; zero when nobody said.
func (d *wireDowntime) until() time.Time {
	if at := d.Attributes.Schedule.Current.End.Time; !at.IsZero() {
		return at
	}
	return d.Attributes.Schedule.End.Time
}

type downtimePage struct {
	Data     some[wireDowntime] `json:"data"`
	Included some[included]     `json:"included"`
	Meta     struct {
		Page struct {
			Total whole `json:"total_filtered_count"`
		} `json:"page"`
	} `json:"meta"`
}

func (p *downtimePage) valid() error {
	if !p.Data.Given {
		return unlike("list of downtimes")
	}
	return nil
}

type oneDowntime struct {
	Data     wireDowntime   `json:"data"`
	Included some[included] `json:"included"`
}

func (o *oneDowntime) valid() error {
	if o.Data.ID == "" {
		return unlike("downtime")
	}
	return nil
}

// monitorState is Datadog's word in the board's; what it does not know is unknown, never well.
func monitorState(word text) sources.MonitorState {
	switch strings.ToLower(string(word)) {
	case "ok":
		return sources.MonitorOK
	case "alert":
		return sources.MonitorAlert
	case "warn":
		return sources.MonitorWarn
	case "no data":
		return sources.MonitorNoData
	case "ignored", "skipped":
		return sources.MonitorOK // it is not evaluated, and nobody is told
	default:
		return sources.MonitorUnknown
	}
}

const (
	monitorPageSize  = 200
	downtimePageSize = 100
	mostPages        = 50
	// notWell are the groups that a board is told of: a rule on thousands of hosts has few that are not.
	notWell = "alert,warn,no data"
)

// ListMonitors lists the monitors that carry a configured service's tag, in their tags or in their query;
// all of them where no services are asked for. It asks for the monitors' pages and for the downtimes'.
func (s *source) ListMonitors(ctx context.Context, q sources.Query) (sources.Batch[sources.Monitor], error) {
	return list(ctx, s, "monitors", q, func(ctx context.Context) (sources.Batch[sources.Monitor], error) {
		var notices noticeBox
		all, err := s.monitors(ctx, &notices, strings.Join(s.cfg.MonitorTags, ","))
		if err != nil {
			return sources.Batch[sources.Monitor]{}, err
		}
		quiet, err := s.downtimes(ctx, &notices)
		if err = notices.part(ctx, "", "who muted what cannot be read", err); err != nil {
			return sources.Batch[sources.Monitor]{}, err
		}
		own := s.owners(q.Services)
		b := sources.Batch[sources.Monitor]{Items: []sources.Monitor{}, Notices: notices.list()}
		for _, w := range all {
			m := s.monitor(w, own, quiet)
			if m.Service == "" && len(q.Services) > 0 {
				continue
			}
			if m.State >= sources.MonitorWarn && len(m.Silenced) == 0 {
				b.Busy = sources.Live
			}
			b.Items = append(b.Items, m)
		}
		return b, nil
	})
}

// monitors reads every page. A monitor that moved between two pages while they were read is listed once.
func (s *source) monitors(ctx context.Context, notices *noticeBox, tags string) ([]*wireMonitor, error) {
	var out []*wireMonitor
	seen := map[whole]bool{}
	for page := range mostPages {
		query := url.Values{
			"group_states": {notWell}, "with_downtimes": {"true"},
			"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(monitorPageSize)},
		}
		if tags != "" {
			query.Set("monitor_tags", tags)
		}
		p, err := fetch[monitorPage](ctx, s, call{op: opMonitors, query: query})
		if err != nil {
			return nil, err
		}
		for i := range p.Items {
			m := &p.Items[i]
			if m.ID == 0 {
				notices.odd("monitors", 1)
				continue
			}
			if !seen[m.ID] {
				seen[m.ID] = true
				out = append(out, m)
			}
		}
		notices.odd("monitors", p.Bad)
		if len(p.Items)+p.Bad < monitorPageSize {
			return out, nil
		}
	}
	notices.add(sources.Notice{
		Kind: sources.Invalid, Text: clean.Linef("there are more than %d monitors: the rest is left out", mostPages*monitorPageSize),
		Fix: clean.Const("narrow them with monitor_tags:"),
	})
	return out, nil
}

// quiet is a downtime and who made it.
type quiet struct {
	*wireDowntime
	by person
}

// downtimes reads those that are active now.
func (s *source) downtimes(ctx context.Context, notices *noticeBox) ([]quiet, error) {
	var out []quiet
	for page := range mostPages {
		p, err := fetch[downtimePage](ctx, s, call{op: opDowntimes, query: url.Values{
			"current_only": {"true"}, "include": {"created_by"},
			"page[offset]": {strconv.Itoa(page * downtimePageSize)}, "page[limit]": {strconv.Itoa(downtimePageSize)},
		}})
		if err != nil {
			return nil, err
		}
		who := people(p.Included.Items)
		for i := range p.Data.Items {
			d := &p.Data.Items[i]
			if d.ID != "" && active(d) {
				out = append(out, quiet{d, who[d.Relations.By.first()]})
			}
		}
		notices.odd("downtimes", p.Data.Bad)
		read := page*downtimePageSize + len(p.Data.Items) + p.Data.Bad
		if len(p.Data.Items)+p.Data.Bad < downtimePageSize || read >= int(p.Meta.Page.Total) && p.Meta.Page.Total > 0 {
			break
		}
	}
	return out, nil
}

func active(d *wireDowntime) bool {
	switch strings.ToLower(string(d.Attributes.Status)) {
	case "canceled", "ended", "scheduled":
		return false
	default:
		return d.Attributes.Cancel.IsZero()
	}
}

// concerns reports whether d is about monitor w at all.
func (q quiet) concerns(w *wireMonitor) bool {
	id := q.Attributes.Monitor
	if id.ID != 0 {
		return id.ID == w.ID
	}
	if len(id.Tags) == 0 {
		return false
	}
	for _, t := range id.Tags {
		if t != "*" && !slices.ContainsFunc(w.Tags, func(have string) bool { return strings.EqualFold(have, t) }) {
			return false
		}
	}
	return true
}

// covers reports whether a scope takes in a group of w. A scope is tags joined by AND, OR and commas; what
// is more than that is taken for narrow: better one alert too many on the board.
func covers(scope, group string, w *wireMonitor) bool {
	scope = strings.TrimSpace(scope)
	if scope == "" || scope == "*" {
		return true
	}
	if strings.ContainsAny(scope, "()!-") && strings.Contains(strings.ToUpper(scope), "NOT") || strings.ContainsAny(scope, "()!") {
		return false
	}
	have := strings.FieldsFunc(strings.ToLower(group), func(r rune) bool { return r == ',' || r == ' ' })
	for _, t := range w.Tags {
		have = append(have, strings.ToLower(t))
	}
	for _, either := range regexpOr.Split(strings.ToLower(scope), -1) {
		all := true
		for _, term := range regexpAnd.Split(strings.TrimSpace(either), -1) {
			key, value, _ := strings.Cut(strings.TrimSpace(term), ":")
			value = strings.Trim(value, `"`)
			ok := value == "*" || slices.Contains(have, key+":"+value) || slices.Contains(within(string(w.Query), key), value)
			all = all && ok
		}
		if all {
			return true
		}
	}
	return false
}

var (
	regexpOr  = regexp.MustCompile(`\s+or\s+`)
	regexpAnd = regexp.MustCompile(`\s+and\s+|\s*,\s*`)
)

// paging are the mentions in a monitor's message that call a person out of bed.
var paging = regexp.MustCompile(`@(?:pagerduty|oncall|on-call|opsgenie|victorops|splunk-oncall|xmatters|incident|webhook)\b`)

// monitor is w for the domain.
func (s *source) monitor(w *wireMonitor, own owners, downtimes []quiet) sources.Monitor {
	id := strconv.FormatInt(int64(w.ID), 10)
	m := sources.Monitor{
		Ref:   s.ref(sources.KindMonitor, "", id),
		Name:  clean.Line(string(w.Name)),
		State: monitorState(w.State),
		Since: w.Changed.Time,
		Pages: paging.MatchString(strings.ToLower(string(w.Message) + " " + string(w.Options.Escalation))),
		Keys:  []string{sources.MonitorKey(int64(w.ID))},
		Query: clean.Line(string(w.Query)),

		Runbook: runbook(string(w.Message)),
		URL:     s.app + "/monitors/" + id,
	}
	if w.Priority > 0 && w.Priority < 10 {
		m.Severity = int(w.Priority)
	}
	m.Service = own.of(tagged(w.Tags, own.tag)...)
	if m.Service == "" {
		m.Service = own.of(within(string(w.Query), own.tag)...)
	}
	muted := s.silences(&m, w, downtimes)
	m.Groups = groups(w, muted)
	if m.Since.IsZero() {
		m.Since = since(m.Groups, m.State)
	}
	m.Revision = fingerprint(m.State, m.Since.UnixMilli(), m.Groups, m.Silenced, m.Name, m.Query)
	return m
}

// silences fills in what mutes all of m, and answers what tells whether a group of it is muted.
func (s *source) silences(m *sources.Monitor, w *wireMonitor, downtimes []quiet) func(group string) bool {
	var scopes []string
	for _, d := range downtimes {
		if !d.concerns(w) {
			continue
		}
		scope := string(d.Attributes.Scope)
		scopes = append(scopes, scope)
		if mutesAll(scope, w) {
			m.Silenced = append(m.Silenced, s.silence(d))
		}
	}
	for _, d := range w.Downtimes.Items {
		if len(scopes) > 0 {
			break // the same, better told
		}
		scope := strings.Join(d.Scope, ",")
		scopes = append(scopes, scope)
		if mutesAll(scope, w) {
			m.Silenced = append(m.Silenced, sources.Silence{Until: d.End.Time})
		}
	}
	for scope, end := range w.Options.Silenced {
		if slices.Contains(scopes, scope) {
			continue
		}
		scopes = append(scopes, scope)
		if mutesAll(scope, w) {
			m.Silenced = append(m.Silenced, sources.Silence{Until: unix(float64(end))})
		}
	}
	slices.SortFunc(m.Silenced, func(a, b sources.Silence) int {
		return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.Ref.ID, b.Ref.ID))
	})
	return func(group string) bool {
		return slices.ContainsFunc(scopes, func(scope string) bool { return covers(scope, group, w) })
	}
}

// mutesAll reports whether nothing of w that is not well is left to alert.
func mutesAll(scope string, w *wireMonitor) bool {
	if scope = strings.TrimSpace(scope); scope == "" || scope == "*" {
		return true
	}
	bad := 0
	for name, g := range w.Groups.Groups {
		if monitorState(g.Status) == sources.MonitorOK {
			continue
		}
		bad++
		if !covers(scope, cmp.Or(string(g.Name), name), w) {
			return false
		}
	}
	return bad > 0
}

func (s *source) silence(d quiet) sources.Silence {
	return sources.Silence{
		Ref: s.ref(sources.KindSilence, "", plain(d.ID)), By: d.by.person().Name,
		Comment: clean.Line(string(d.Attributes.Message)), Until: d.until(),
	}
}

// groups are those of w that are not well, the worst first. A monitor that is not split has one, named "*".
func groups(w *wireMonitor, muted func(string) bool) []sources.MonitorGroup {
	var out []sources.MonitorGroup
	for name, g := range w.Groups.Groups {
		state := monitorState(g.Status)
		if state == sources.MonitorOK {
			continue
		}
		name = cmp.Or(string(g.Name), name)
		out = append(out, sources.MonitorGroup{
			Name: clean.Line(name), State: state, Since: entered(g, state), Muted: muted(name), Value: sources.Number(math.NaN()),
		})
	}
	slices.SortFunc(out, func(a, b sources.MonitorGroup) int {
		return cmp.Or(cmp.Compare(b.State, a.State), a.Since.Compare(b.Since), strings.Compare(a.Name.String(), b.Name.String()))
	})
	return out
}

func entered(g wireGroup, state sources.MonitorState) time.Time {
	if state == sources.MonitorNoData && !g.NoData.IsZero() {
		return g.NoData.Time
	}
	return g.Triggered.Time
}

// since is when the first of the groups that are in state entered it.
func since(groups []sources.MonitorGroup, state sources.MonitorState) time.Time {
	var first time.Time
	for _, g := range groups {
		if g.State == state && !g.Since.IsZero() && (first.IsZero() || g.Since.Before(first)) {
			first = g.Since
		}
	}
	return first
}
