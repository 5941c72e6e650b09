package datadog

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// event is one entry of the event stream.
type event struct {
	id          int64
	at          time.Time
	title, body string
	tags        []string
	source      string // "deployment", "feature_flags", "my_apps"
	status      string
	aggregation string
	priority    string
	host        string
	category    string         // "change", "alert" or ""
	more        map[string]any // beside the usual attributes
}

func (e *event) uid() string {
	return "AQAAA" + base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(e.id, 10)))
}

func (e *event) values(key string) []string {
	switch key {
	case "source", "source_type_name":
		return []string{e.source}
	case "status", "alert_type":
		return []string{e.status}
	case "title":
		return []string{e.title}
	case "evt.category":
		return []string{e.category}
	case "evt.id", "id":
		return []string{strconv.FormatInt(e.id, 10), e.uid()}
	case "aggregation_key":
		return []string{e.aggregation}
	case "host":
		return []string{e.host}
	default:
		return valuesOf(e.tags, key)
	}
}

func (e *event) text() string { return e.title + " " + e.body + " " + strings.Join(e.tags, " ") }

// eventID is a number of nineteen digits that depends on the seed and key alone.
func (c *call) eventID(key string) int64 {
	n, err := strconv.ParseInt(c.w.Hex(14, "event", key), 16, 64)
	if err != nil { // fourteen hexadecimal digits are a number
		panic(err)
	}
	return 6_000_000_000_000_000_000 + n
}

// events is the whole stream: deployments, changes, alerts, and what clients posted; newest first.
func (c *call) events() []*event {
	out := slices.Clone(c.s.posted)
	for _, r := range rollouts(c.w) {
		out = append(out, c.deployed(r))
	}
	for _, ch := range c.w.Changes {
		out = append(out, c.changed(ch))
	}
	for _, i := range c.w.Incidents {
		if i.Monitor != nil {
			out = append(out, c.alerted(i))
		}
	}
	slices.SortStableFunc(out, func(a, b *event) int {
		if n := b.at.Compare(a.at); n != 0 {
			return n
		}
		return strings.Compare(a.uid(), b.uid())
	})
	return out
}

func (c *call) deployed(r rollout) *event {
	where := r.stage
	for _, t := range r.places() {
		where += " " + strings.TrimPrefix(t, "region:")
	}
	return &event{
		id: c.eventID("deployment/" + r.key()), at: r.last, title: "Deployed " + r.s.Name + " " + r.version() + " to " + where,
		body: "Commit " + r.sha, source: "deployment", status: "success", aggregation: r.s.Name + "-" + r.stage, priority: "normal",
		tags: append([]string{
			"source:deployment", "event_type:deployment", "service:" + r.s.Name, "env:" + r.stage, "version:" + r.version(), "git.commit.sha:" + r.sha,
			"team:" + r.s.Team,
		}, r.places()...),
	}
}

func (c *call) changed(ch *world.ChangeEvent) *event {
	e := &event{
		id: c.eventID("change/" + ch.ID), at: ch.At, title: ch.Summary, body: ch.Link, source: ch.Source, status: "info", priority: "normal",
		aggregation: ch.ID, tags: []string{"source:" + ch.Source, "env:prod", "event_type:" + ch.Kind},
	}
	kind, name := "configuration", ch.Summary
	for _, key := range []string{"flag", "key"} {
		if v, ok := ch.Details[key].(string); ok {
			name = v
		}
	}
	if ch.Kind == world.FlagEvent {
		kind = "feature_flag"
		e.tags = append(e.tags, "feature_flag:"+name)
	}
	e.more = map[string]any{"changed_resource": map[string]string{"name": name, "type": kind}}
	if ch.Service != nil {
		e.tags = append(e.tags, "service:"+ch.Service.Name, "team:"+ch.Service.Team)
		e.more["impacted_resources"] = []map[string]string{{"name": ch.Service.Name, "type": "service"}}
	}
	if ch.By != nil {
		e.more["author"] = map[string]string{"name": ch.By.Email(), "type": "user"}
		e.tags = append(e.tags, "author:"+ch.By.Login)
	}
	if ch.Kind == world.FlagEvent || ch.Kind == world.ConfigEvent {
		e.category = "change"
		e.more["new_value"] = ch.Details
	}
	return e
}

func (c *call) alerted(i *world.Incident) *event {
	return &event{
		id: c.eventID("alert/" + i.ID), at: i.Created, title: "[Triggered] " + i.Service.Name + ": " + i.Title, body: queryOf(i.Monitor),
		source: "alert", status: "error", category: "alert", aggregation: strconv.FormatInt(i.Monitor.ID, 10), priority: "normal",
		tags: append([]string{"source:alert", "event_type:alert"}, monitorTags(i.Monitor)...),
		more: map[string]any{"monitor_id": i.Monitor.ID, "monitor_groups": []string{"env:prod"}},
	}
}

func (e *event) answer() object {
	evt := map[string]any{"id": strconv.FormatInt(e.id, 10), "source_id": 36, "type": "api"}
	if e.category != "" {
		evt["category"] = e.category
	}
	attributes := map[string]any{
		"evt": evt, "title": e.title, "status": e.status,
		"timestamp": e.at.UnixMilli(), "date_happened": e.at.UnixMilli(), "source_type_name": e.source, "event_object": e.aggregation,
		"aggregation_key": e.aggregation, "priority": e.priority, "tags": e.tags, "service": "undefined", "hostname": e.host,
	}
	if s := valuesOf(e.tags, "service"); len(s) > 0 {
		attributes["service"] = s[0]
	}
	for k, v := range e.more {
		attributes[k] = v
	}
	return object{Type: "event", ID: e.uid(), Attributes: map[string]any{
		"attributes": attributes, "message": e.body, "tags": e.tags, "timestamp": e.at.UTC().Format("2006-01-02T15:04:05.000Z"),
	}}
}

// moment reads a time as searches write it: now, now-15m, a date, or milliseconds.
func moment(text string, now, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	if rest, ok := strings.CutPrefix(text, "now"); ok {
		if rest == "" {
			return now, nil
		}
		unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[rest[len(rest)-1]]
		n, err := strconv.Atoi(rest[:len(rest)-1])
		if err != nil || unit == 0 || n > 100_000 || n < -100_000 {
			return now, fmt.Errorf("invalid time '%s'", text)
		}
		return now.Add(time.Duration(n) * unit), nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n < 100_000_000_000 {
			return time.Unix(n, 0), nil
		}
		return time.UnixMilli(n), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return now, fmt.Errorf("invalid time '%s'", text)
	}
	return t, nil
}

// eventPage is what a request for events asks for.
type eventPage struct {
	query, from, to, sort, cursor string
	limit                         int
}

// listEvents answers GET /api/v2/events.
func (c *call) listEvents() answer {
	limit, err := c.number("page[limit]", 10, 1, 1000)
	if err != nil {
		return c.fail(http.StatusBadRequest, err.Error())
	}
	p := eventPage{c.q.Get("filter[query]"), c.q.Get("filter[from]"), c.q.Get("filter[to]"), c.q.Get("sort"), c.q.Get("page[cursor]"), limit}
	return c.tellEvents(p, func(cursor string) string {
		c.next = url.Values{}
		for k, v := range c.q {
			c.next[k] = v
		}
		c.next.Set("page[cursor]", cursor)
		return c.s.cfg.API + "/api/v2/events?" + c.next.Encode()
	})
}

// searchEvents answers POST /api/v2/events/search.
func (c *call) searchEvents() answer {
	var r struct {
		Filter struct{ Query, From, To string }
		Page   struct {
			Limit  *int
			Cursor string
		}
		Sort string
	}
	if len(c.body) > 0 {
		if err := c.decode(&r); err != nil {
			return c.fail(http.StatusBadRequest, err.Error())
		}
	}
	limit := 10
	if r.Page.Limit != nil {
		limit = *r.Page.Limit
	}
	if limit < 1 || limit > 1000 {
		return c.fail(http.StatusBadRequest, "page.limit must be between 1 and 1000")
	}
	p := eventPage{r.Filter.Query, r.Filter.From, r.Filter.To, r.Sort, r.Page.Cursor, limit}
	return c.tellEvents(p, func(string) string { return c.s.cfg.API + "/api/v2/events/search" })
}

// tellEvents answers a page of events. A full page announces another, which may be empty: as Datadog does.
func (c *call) tellEvents(p eventPage, next func(cursor string) string) answer {
	now := c.w.Now()
	since, err := moment(p.from, now, now.Add(-15*time.Minute))
	until, err2 := moment(p.to, now, now)
	fits, err3 := parseSearch(p.query)
	for _, err := range []error{err, err2, err3} {
		if err != nil {
			return c.fail(http.StatusBadRequest, err.Error())
		}
	}
	if p.sort != "" && p.sort != "timestamp" && p.sort != "-timestamp" {
		return c.fail(http.StatusBadRequest, "sort must be timestamp or -timestamp")
	}
	all := []*event{}
	for _, e := range c.events() {
		if !e.at.Before(since) && !e.at.After(until) && fits(e) {
			all = append(all, e)
		}
	}
	if p.sort == "timestamp" {
		slices.Reverse(all)
	}
	begin := 0
	if p.cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(p.cursor)
		id, ok := strings.CutPrefix(string(raw), "after:")
		if err != nil || !ok {
			return c.fail(http.StatusBadRequest, "invalid cursor")
		}
		begin = 1 + slices.IndexFunc(all, func(e *event) bool { return e.uid() == id })
		if begin == 0 {
			begin = len(all)
		}
	}
	list, more := from(all, begin, p.limit)
	data := []object{}
	for _, e := range list {
		data = append(data, e.answer())
	}
	out := map[string]any{"data": data}
	if more {
		cursor := base64.RawURLEncoding.EncodeToString([]byte("after:" + list[len(list)-1].uid()))
		out["meta"] = map[string]any{"page": map[string]string{"after": cursor}}
		out["links"] = map[string]string{"next": next(cursor)}
	}
	return c.ok(out)
}

// eventRequest is the body of POST /api/v1/events.
type eventRequest struct {
	Title       *string  `json:"title"`
	Text        *string  `json:"text"`
	Tags        []string `json:"tags"`
	AlertType   string   `json:"alert_type"`
	Priority    string   `json:"priority"`
	Source      string   `json:"source_type_name"`
	Aggregation string   `json:"aggregation_key"`
	Happened    *int64   `json:"date_happened"`
	Host        string   `json:"host"`
}

// oldEvent is an event as version 1 tells it.
func (c *call) oldEvent(e *event) map[string]any {
	return map[string]any{
		"id": e.id, "id_str": strconv.FormatInt(e.id, 10), "title": e.title, "text": e.body, "date_happened": e.at.Unix(), "handle": nil,
		"priority": e.priority, "related_event_id": nil, "tags": e.tags, "alert_type": e.status, "source_type_name": e.source,
		"url": c.s.cfg.HTML + "/event/event?id=" + strconv.FormatInt(e.id, 10),
	}
}

// postEvent answers POST /api/v1/events.
func (c *call) postEvent() answer {
	var r eventRequest
	if err := c.decode(&r); err != nil {
		return c.fail(http.StatusBadRequest, err.Error())
	}
	e := &event{at: c.w.Now(), tags: r.Tags, source: r.Source, status: r.AlertType, aggregation: r.Aggregation, priority: r.Priority, host: r.Host}
	if r.Happened != nil {
		e.at = time.Unix(*r.Happened, 0).UTC()
	}
	alerts := []string{"", "error", "warning", "info", "success", "user_update", "recommendation", "snapshot"}
	switch {
	case r.Title == nil || *r.Title == "":
		return c.fail(http.StatusBadRequest, "Event title is required")
	case r.Text == nil:
		return c.fail(http.StatusBadRequest, "Event text is required")
	case len(*r.Text) > 4000:
		return c.fail(http.StatusBadRequest, "Event text is limited to 4000 characters")
	case len(r.Aggregation) > 100:
		return c.fail(http.StatusBadRequest, "Aggregation key is limited to 100 characters")
	case !slices.Contains(alerts, r.AlertType):
		return c.fail(http.StatusBadRequest, "Invalid alert_type: "+r.AlertType)
	case e.at.Before(c.w.Now().Add(-18*time.Hour)) || e.at.After(c.w.Now().Add(10*time.Minute)):
		return c.fail(http.StatusBadRequest, "date_happened must lie within the last 18 hours")
	}
	e.title, e.body = *r.Title, *r.Text
	if e.status == "" {
		e.status = "info"
	}
	if e.priority == "" {
		e.priority = "normal"
	}
	if e.source == "" {
		e.source = "my_apps"
	}
	if e.tags == nil {
		e.tags = []string{}
	}
	if len(valuesOf(e.tags, "source")) == 0 {
		e.tags = append(e.tags, "source:"+e.source)
	}
	e.id = c.eventID("posted/" + strconv.Itoa(len(c.s.posted)))
	c.s.posted = append(c.s.posted, e)
	return answer{status: http.StatusAccepted, body: mustJSON(map[string]any{"status": "ok", "event": c.oldEvent(e)})}
}

// getEvent answers GET /api/v1/events/{id}.
func (c *call) getEvent() answer {
	for _, e := range c.events() {
		if strconv.FormatInt(e.id, 10) == c.r.PathValue("id") {
			return c.ok(map[string]any{"event": c.oldEvent(e)})
		}
	}
	return c.fail(http.StatusNotFound, "No event matches that event_id")
}
