package datadog

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

const orgID = 321813

type monitor struct {
	ID            int64          `json:"id"`
	OrgID         int            `json:"org_id"`
	Type          string         `json:"type"`
	Name          string         `json:"name"`
	Message       string         `json:"message"`
	Tags          []string       `json:"tags"`
	Query         string         `json:"query"`
	Options       monitorOptions `json:"options"`
	Multi         bool           `json:"multi"`
	CreatedAt     int64          `json:"created_at"`
	Created       string         `json:"created"`
	Modified      string         `json:"modified"`
	Deleted       *string        `json:"deleted"`
	Roles         []string       `json:"restricted_roles"`
	Priority      *int           `json:"priority"`
	StateModified *string        `json:"overall_state_modified"`
	State         string         `json:"overall_state"`
	Creator       creator        `json:"creator"`
	Groups        *monitorState  `json:"state,omitempty"`
	Downtimes     []matching     `json:"matching_downtimes,omitempty"`
}

type monitorOptions struct {
	Thresholds  map[string]float64 `json:"thresholds"`
	NoData      bool               `json:"notify_no_data"`
	NoDataAfter *int               `json:"no_data_timeframe"`
	Audit       bool               `json:"notify_audit"`
	Delay       int                `json:"evaluation_delay"`
	NewHost     int                `json:"new_host_delay"`
	IncludeTags bool               `json:"include_tags"`
	Silenced    map[string]*int64  `json:"silenced"`
}

type monitorState struct {
	Groups map[string]monitorGroup `json:"groups"`
}

type monitorGroup struct {
	Name      string `json:"name"`
	Status    string `json:"status"`
	Triggered int64  `json:"last_triggered_ts,omitempty"`
	Notified  int64  `json:"last_notified_ts,omitempty"`
	Resolved  int64  `json:"last_resolved_ts,omitempty"`
	NoData    int64  `json:"last_nodata_ts,omitempty"`
}

type matching struct {
	ID    int64    `json:"id"`
	Scope []string `json:"scope"`
	Start int64    `json:"start"`
	End   *int64   `json:"end"`
}

// monitorTags are a monitor's own tags.
func monitorTags(m *world.Monitor) []string {
	return []string{"service:" + m.Service.Name, "env:prod", "team:" + m.Service.Team}
}

// queryOf is a monitor's rule in Datadog's language.
func queryOf(m *world.Monitor) string {
	over := max(5, int((m.For+time.Minute-1)/time.Minute))
	scope := "{service:" + m.Service.Name + ",env:prod}"
	measure := world.MeasureOf(m.Metric)
	by := " by {env,region}"
	text := fmt.Sprintf("min(last_%dm):avg:%s%s%s", over, measure, scope, by)
	if m.Metric == world.ErrorRate {
		text = fmt.Sprintf("min(last_%dm):100 * sum:http.errors%s%s.as_count() / sum:http.hits%s%s.as_count()", over, scope, by, scope, by)
	}
	return text + " > " + strconv.FormatFloat(m.Limit, 'f', -1, 64)
}

func (c *call) monitor(m *world.Monitor) monitor {
	out := monitor{
		ID: m.ID, OrgID: orgID, Type: "query alert", Name: m.Service.Name + ": " + m.Name, Message: c.messageOf(m), Tags: monitorTags(m),
		Query: queryOf(m), Multi: true, CreatedAt: m.Created.UnixMilli(), Created: at(m.Created), Modified: at(m.Created),
		StateModified: maybe(m.Changed), State: m.State, Creator: creatorOf(c.owner()),
		Options: monitorOptions{
			Thresholds: map[string]float64{"critical": m.Limit}, Delay: int(world.MetricDelay / time.Second), NewHost: 300, IncludeTags: true,
			Silenced: map[string]*int64{},
		},
	}
	if m.Warn > 0 {
		out.Options.Thresholds["warning"] = m.Warn
	}
	if m.Severity > 0 {
		out.Priority = &m.Severity
	}
	for _, d := range c.w.Downtimes {
		if d.Monitor == m && d.Active(c.w.Now()) {
			out.Options.Silenced[d.Scope] = unix(d.End)
		}
	}
	return out
}

// messageOf is what a monitor notifies: whom, and where to read on.
func (c *call) messageOf(m *world.Monitor) string {
	text := m.Name + " on {{region.name}}."
	if m.Pages() {
		text += " @pagerduty-" + m.Service.Name
	} else {
		text += " @slack-" + m.Service.Team + "-alerts"
	}
	return text + "\nRunbook: https://runbooks.example.com/" + m.Service.Name
}

func unix(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.Unix()
	return &n
}

// groupName is how a monitor by env and region names a group.
func groupName(g world.Group) string { return "env:prod,region:" + g.Region }

// states lists a monitor's groups that are in one of the wanted states; nil are all.
func (c *call) states(m *world.Monitor, wanted []string) *monitorState {
	out := &monitorState{Groups: map[string]monitorGroup{}}
	for _, g := range c.w.Groups(m) {
		if wanted != nil && !slices.Contains(wanted, strings.ToLower(g.State)) {
			continue
		}
		one := monitorGroup{Name: groupName(g), Status: g.State}
		switch since := g.Changed.Unix(); g.State {
		case world.StateAlert, world.StateWarn:
			one.Triggered, one.Notified = since, since
		case world.StateNoData:
			one.NoData = since
		default:
			one.Resolved = since
		}
		out.Groups[one.Name] = one
	}
	return out
}

func (c *call) matching(m *world.Monitor) []matching {
	out := []matching{}
	for n, d := range c.w.Downtimes {
		if d.Monitor == m && d.Active(c.w.Now()) {
			out = append(out, matching{ID: int64(n) + 1, Scope: []string{d.Scope}, Start: d.Start.Unix(), End: unix(d.End)})
		}
	}
	return out
}

// wantedStates reads group_states: nil are all of them, and false is none.
func (c *call) wantedStates() ([]string, bool, error) {
	v := c.q.Get("group_states")
	if v == "" {
		return nil, false, nil
	}
	var out []string
	for s := range strings.SplitSeq(v, ",") {
		switch s = strings.ToLower(strings.TrimSpace(s)); s {
		case "all":
			return nil, true, nil
		case "alert", "warn", "no data", "ok", "ignored", "skipped", "unknown":
			out = append(out, s)
		default:
			return nil, false, fmt.Errorf("Invalid value for 'group_states': %s", s) //nolint:staticcheck // Datadog's words
		}
	}
	return out, true, nil
}

// monitors answers GET /api/v1/monitor.
func (c *call) monitors() answer {
	wanted, grouped, err := c.wantedStates()
	page, err2 := c.number("page", 0, 0, math.MaxInt32)
	size, err3 := c.number("page_size", 100, 1, 1000)
	offset, err4 := c.number("id_offset", 0, 0, math.MaxInt)
	for _, err := range []error{err, err2, err3, err4} {
		if err != nil {
			return c.fail(http.StatusBadRequest, err.Error())
		}
	}
	name, downtimes := strings.ToLower(c.q.Get("name")), c.q.Get("with_downtimes") == "true"
	var list []*world.Monitor
	for _, m := range c.w.Monitors {
		switch {
		case m.ID <= int64(offset), !strings.Contains(strings.ToLower(m.Service.Name+": "+m.Name), name):
		case !hasTags(m, c.q.Get("monitor_tags")), !hasTags(m, c.q.Get("tags")):
		default:
			list = append(list, m)
		}
	}
	if c.q.Has("page") || c.q.Has("page_size") || c.q.Has("id_offset") { // without any of them everything is told at once
		var more bool
		if list, more = from(list, page*size, size); more {
			c.announce("page", page+1)
		}
	}
	out := make([]monitor, 0, len(list))
	for _, m := range list {
		out = append(out, c.withMore(m, wanted, grouped, downtimes))
	}
	return c.ok(out)
}

func (c *call) withMore(m *world.Monitor, wanted []string, grouped, downtimes bool) monitor {
	x := c.monitor(m)
	if grouped {
		x.Groups = c.states(m, wanted)
	}
	if downtimes {
		x.Downtimes = c.matching(m)
	}
	return x
}

func hasTags(m *world.Monitor, list string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.TrimSpace(t); t != "" && !slices.Contains(monitorTags(m), t) {
			return false
		}
	}
	return true
}

// getMonitor answers GET /api/v1/monitor/{id}.
func (c *call) getMonitor() answer {
	id, err := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	if err != nil {
		return c.fail(http.StatusBadRequest, "monitor_id must be a number")
	}
	wanted, grouped, err := c.wantedStates()
	if err != nil {
		return c.fail(http.StatusBadRequest, err.Error())
	}
	m := c.w.Monitor(id)
	if m == nil {
		return c.fail(http.StatusNotFound, "Monitor not found")
	}
	return c.ok(c.withMore(m, wanted, grouped, c.q.Get("with_downtimes") == "true"))
}

// searchedMonitor is a monitor as a search looks at it.
type searchedMonitor struct {
	c *call
	m *world.Monitor
}

func (s searchedMonitor) values(key string) []string {
	switch key {
	case "status":
		return []string{s.m.State}
	case "id":
		return []string{strconv.FormatInt(s.m.ID, 10)}
	case "title", "name":
		return []string{s.m.Name, s.m.Service.Name + ": " + s.m.Name}
	case "type":
		return []string{"metric", "query alert"}
	case "muted":
		return []string{strconv.FormatBool(s.c.w.Muted(s.m))}
	case "priority":
		if s.m.Severity > 0 {
			return []string{"p" + strconv.Itoa(s.m.Severity)}
		}
		return nil
	default:
		return valuesOf(monitorTags(s.m), key)
	}
}

func (s searchedMonitor) text() string { return s.m.Service.Name + ": " + s.m.Name }

type counted struct {
	Name  any `json:"name"`
	Count int `json:"count"`
}

// counts makes a facet of names, the most frequent first.
func counts(names []string) []counted {
	n := map[string]int{}
	for _, x := range names {
		n[x]++
	}
	out := []counted{}
	for name, count := range n {
		out = append(out, counted{name, count})
	}
	slices.SortFunc(out, func(a, b counted) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(fmt.Sprint(a.Name), fmt.Sprint(b.Name)))
	})
	return out
}

// checkStatuses refuses a search for a state that monitors do not have.
func checkStatuses(query string) error {
	for _, word := range searchWords(query) {
		v, ok := strings.CutPrefix(strings.TrimPrefix(word, "-"), "status:")
		if !ok || v == "" {
			continue
		}
		v = strings.ToLower(strings.Trim(v, `"`))
		if !slices.Contains([]string{"alert", "warn", "no data", "ok", "ignored", "skipped", "unknown"}, v) {
			return fmt.Errorf("Query parsing error: '%s' is not a valid monitor status", v) //nolint:staticcheck // Datadog's words
		}
	}
	return nil
}

// searchMonitors answers GET /api/v1/monitor/search.
func (c *call) searchMonitors() answer {
	page, err := c.number("page", 0, 0, math.MaxInt32)
	size, err2 := c.number("per_page", 30, 1, 1000)
	fits, err3 := parseSearch(c.q.Get("query"))
	for _, err := range []error{err, err2, checkStatuses(c.q.Get("query")), err3} {
		if err != nil {
			return c.fail(http.StatusBadRequest, err.Error())
		}
	}
	var list []*world.Monitor
	facets := map[string][]string{"status": {}, "muted": {}, "tag": {}, "type": {}}
	for _, m := range c.w.Monitors {
		if !fits(searchedMonitor{c, m}) {
			continue
		}
		list = append(list, m)
		facets["status"] = append(facets["status"], m.State)
		facets["muted"] = append(facets["muted"], strconv.FormatBool(c.w.Muted(m)))
		facets["tag"] = append(facets["tag"], monitorTags(m)...)
		facets["type"] = append(facets["type"], "metric")
	}
	c.sortMonitors(list)
	total := len(list)
	list, more := from(list, page*size, size)
	if more {
		c.announce("page", page+1)
	}
	out := make([]map[string]any, 0, len(list))
	for _, m := range list {
		out = append(out, c.result(m))
	}
	all := map[string][]counted{}
	for k, v := range facets {
		all[k] = counts(v)
	}
	return c.ok(map[string]any{
		"counts": all, "monitors": out,
		"metadata": map[string]int{"page": page, "per_page": size, "page_count": (total + size - 1) / size, "total_count": total},
	})
}

// sortMonitors puts a list into the order that the request asks for; by status where it does not.
func (c *call) sortMonitors(list []*world.Monitor) {
	by, order, _ := strings.Cut(c.q.Get("sort"), ",")
	rank := map[string]int{world.StateAlert: 0, world.StateWarn: 1, world.StateNoData: 2, world.StateOK: 3}
	slices.SortStableFunc(list, func(a, b *world.Monitor) int {
		n := cmp.Compare(rank[a.State], rank[b.State])
		if by == "name" {
			n = cmp.Compare(searchedMonitor{m: a}.text(), searchedMonitor{m: b}.text())
		}
		if order == "desc" && by == "name" {
			n = -n
		}
		return n
	})
}

func (c *call) result(m *world.Monitor) map[string]any {
	var triggered *int64
	if m.State == world.StateAlert || m.State == world.StateWarn {
		triggered = unix(m.Changed)
	}
	full := c.monitor(m)
	return map[string]any{
		"id": m.ID, "org_id": orgID, "name": full.Name, "type": full.Type, "classification": "metric", "query": full.Query, "status": m.State,
		"tags": full.Tags, "metrics": []string{world.MeasureOf(m.Metric)}, "scopes": []string{"service:" + m.Service.Name, "env:prod"},
		"notifications": []map[string]string{}, "quality_issues": []string{}, "last_triggered_ts": triggered, "creator": full.Creator,
		"priority": full.Priority,
	}
}
