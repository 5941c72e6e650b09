package datadog

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

type threshold struct {
	Timeframe      string   `json:"timeframe"`
	Target         float64  `json:"target"`
	TargetDisplay  string   `json:"target_display"`
	Warning        *float64 `json:"warning,omitempty"`
	WarningDisplay string   `json:"warning_display,omitempty"`
}

type sloQuery struct {
	Numerator   string `json:"numerator"`
	Denominator string `json:"denominator"`
}

type slo struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Tags        []string    `json:"tags"`
	MonitorTags []string    `json:"monitor_tags"`
	Thresholds  []threshold `json:"thresholds"`
	Type        string      `json:"type"`
	TypeID      int         `json:"type_id"`
	Description string      `json:"description"`
	Timeframe   string      `json:"timeframe"`
	Target      float64     `json:"target_threshold"`
	Query       sloQuery    `json:"query"`
	Creator     creator     `json:"creator"`
	Created     int64       `json:"created_at"`
	Modified    int64       `json:"modified_at"`
}

func timeframe(o *world.SLO) string {
	return strconv.Itoa(int(o.Window/(24*time.Hour))) + "d"
}

func sloTags(o *world.SLO) []string {
	return []string{"service:" + o.Service.Name, "env:prod", "team:" + o.Service.Team}
}

func thresholdOf(o *world.SLO) threshold {
	return threshold{Timeframe: timeframe(o), Target: o.Target, TargetDisplay: strconv.FormatFloat(o.Target, 'f', -1, 64)}
}

func sloQueryOf(o *world.SLO) sloQuery {
	scope := "{service:" + o.Service.Name + ",env:prod}.as_count()"
	return sloQuery{Numerator: "sum:http.hits" + scope + " - sum:http.errors" + scope, Denominator: "sum:http.hits" + scope}
}

func (c *call) slo(o *world.SLO) slo {
	return slo{
		ID: o.ID, Name: o.Name, Tags: sloTags(o), MonitorTags: []string{}, Thresholds: []threshold{thresholdOf(o)}, Type: "metric", TypeID: 1,
		Timeframe: timeframe(o), Target: o.Target, Query: sloQueryOf(o), Creator: creatorOf(c.owner()),
		Created: o.Created.Unix(), Modified: o.Created.Unix(),
	}
}

// objective finds the one that the request is about.
func (c *call) objective() *world.SLO {
	for _, o := range c.w.SLOs {
		if o.ID == c.r.PathValue("id") {
			return o
		}
	}
	return nil
}

// searchedSLO is an objective as a search looks at it.
type searchedSLO struct{ *world.SLO }

func (s searchedSLO) values(key string) []string {
	switch key {
	case "name":
		return []string{s.Name}
	case "id":
		return []string{s.ID}
	case "type", "slo_type":
		return []string{"metric"}
	default:
		return valuesOf(sloTags(s.SLO), strings.TrimSuffix(key, "_tags"))
	}
}

func (s searchedSLO) text() string { return s.Name }

// slos answers GET /api/v1/slo.
func (c *call) slos() answer {
	limit, err := c.number("limit", 1000, 1, 1000)
	offset, err2 := c.number("offset", 0, 0, math.MaxInt32)
	fits, err3 := parseSearch(c.q.Get("query"))
	for _, err := range []error{err, err2, err3} {
		if err != nil {
			return c.fail(http.StatusBadRequest, err.Error())
		}
	}
	var ids []string
	if v := c.q.Get("ids"); v != "" {
		ids = strings.Split(v, ",")
	}
	all := []slo{}
	for _, o := range c.w.SLOs {
		switch {
		case ids != nil && !slices.Contains(ids, o.ID), !fits(searchedSLO{o}):
		case c.q.Has("tags_query") && !slices.Contains(sloTags(o), c.q.Get("tags_query")):
		default:
			all = append(all, c.slo(o))
		}
	}
	list, more := from(all, offset, limit)
	if more {
		c.announce("offset", offset+limit)
	}
	return c.ok(map[string]any{
		"data": list, "error": nil,
		"metadata": map[string]any{"page": map[string]int{"total_count": len(c.w.SLOs), "total_filtered_count": len(all)}},
	})
}

// getSLO answers GET /api/v1/slo/{id}.
func (c *call) getSLO() answer {
	o := c.objective()
	if o == nil {
		return c.fail(http.StatusNotFound, "SLO not found")
	}
	return c.ok(map[string]any{"data": c.slo(o), "error": nil})
}

// judged is how an objective does over its window: its level and what is left of its budget, in percent.
func (c *call) judged(o *world.SLO) (sli, left *float64, state string) {
	bad, total := c.w.Tally(o.Service, c.w.Now().Add(-o.Window), c.w.Now())
	return judge(bad, total, o.Target)
}

func judge(bad, total, target float64) (sli, left *float64, state string) {
	if total == 0 {
		return nil, nil, "no_data"
	}
	level := round(100*(1-bad/total), 6)
	rest := round(100*(1-bad/total/(1-target/100)), 4)
	state = "ok"
	if rest < 0 {
		state = "breached"
	}
	return &level, &rest, state
}

func round(v float64, digits int) float64 {
	k := math.Pow10(digits)
	return math.Round(v*k) / k
}

func withPrefix(tags []string, prefix string) []string {
	out := []string{}
	for _, t := range tags {
		if strings.HasPrefix(t, prefix) {
			out = append(out, t)
		}
	}
	return out
}

func (c *call) sloResult(o *world.SLO) map[string]any {
	sli, left, state := c.judged(o)
	indexed := c.w.Now().Truncate(5 * time.Minute).Unix()
	var trouble *string
	if sli == nil {
		text := "The denominator is zero valued"
		trouble = &text
	}
	tags, who := sloTags(o), c.owner()
	th := thresholdOf(o)
	return map[string]any{"data": map[string]any{"id": o.ID, "type": "slo", "attributes": map[string]any{
		"name": o.Name, "description": "", "slo_type": "metric", "all_tags": tags, "service_tags": withPrefix(tags, "service:"),
		"env_tags": withPrefix(tags, "env:"), "team_tags": withPrefix(tags, "team:"), "groups": nil, "monitor_ids": nil,
		"created_at": o.Created.Unix(), "modified_at": o.Created.Unix(),
		"creator":    map[string]any{"id": who.ID, "name": who.Name, "email": who.Email()},
		"query":      map[string]any{"numerator": sloQueryOf(o).Numerator, "denominator": sloQueryOf(o).Denominator, "metrics": []string{"http.hits", "http.errors"}},
		"thresholds": []threshold{th},
		"status": map[string]any{
			"sli": sli, "error_budget_remaining": left, "raw_error_budget_remaining": nil, "state": state, "indexed_at": indexed,
			"span_precision": 3, "calculation_error": trouble,
		},
		"overall_status": []map[string]any{{
			"status": sli, "error_budget_remaining": left, "raw_error_budget_remaining": nil, "state": state, "indexed_at": indexed,
			"span_precision": 3, "target": o.Target, "timeframe": th.Timeframe, "error": trouble,
		}},
	}}}
}

// searchSLOs answers GET /api/v1/slo/search.
func (c *call) searchSLOs() answer {
	size, err := c.number("page[size]", 10, 1, 1000)
	number, err2 := c.number("page[number]", 0, 0, math.MaxInt32)
	fits, err3 := parseSearch(c.q.Get("query"))
	for _, err := range []error{err, err2, err3} {
		if err != nil {
			return c.fail(http.StatusBadRequest, err.Error())
		}
	}
	var all []*world.SLO
	for _, o := range c.w.SLOs {
		if fits(searchedSLO{o}) {
			all = append(all, o)
		}
	}
	list, more := from(all, number*size, size)
	out := make([]map[string]any, 0, len(list))
	for _, o := range list {
		out = append(out, c.sloResult(o))
	}
	last := max(0, (len(all)-1)/size)
	address := func(n int) string {
		q := c.r.URL.Query()
		q.Set("page[number]", strconv.Itoa(n))
		return c.s.cfg.API + "/api/v1/slo/search?" + q.Encode()
	}
	links := map[string]any{"self": address(number), "first": address(0), "last": address(last), "prev": nil}
	if number > 0 {
		links["prev"] = address(number - 1)
	}
	if more {
		links["next"] = address(number + 1)
		c.announce("page[number]", number+1)
	}
	attributes := map[string]any{"slos": out}
	if c.q.Get("include_facets") == "true" {
		attributes["facets"] = sloFacets(all)
	}
	return c.ok(map[string]any{
		"data": map[string]any{"type": "", "attributes": attributes}, "links": links,
		"meta": map[string]any{"pagination": map[string]any{
			"number": number, "size": size, "total": len(all), "first_number": 0, "last_number": last, "next_number": min(last, number+1),
			"prev_number": max(0, number-1), "type": "number_size",
		}},
	})
}

func sloFacets(all []*world.SLO) map[string][]counted {
	tags := map[string][]string{"all_tags": {}, "service_tags": {}, "env_tags": {}, "team_tags": {}, "timeframe": {}}
	for _, o := range all {
		list := sloTags(o)
		tags["all_tags"] = append(tags["all_tags"], list...)
		for _, kind := range []string{"service", "env", "team"} {
			tags[kind+"_tags"] = append(tags[kind+"_tags"], withPrefix(list, kind+":")...)
		}
		tags["timeframe"] = append(tags["timeframe"], timeframe(o))
	}
	out := map[string][]counted{}
	for k, v := range tags {
		out[k] = counts(v)
	}
	return out
}

type sloSeries struct {
	Values   []float64      `json:"values"`
	Metadata map[string]any `json:"metadata"`
	Sum      float64        `json:"sum"`
	Count    int            `json:"count"`
}

// history answers GET /api/v1/slo/{id}/history.
func (c *call) history() answer {
	o := c.objective()
	if o == nil {
		return c.fail(http.StatusNotFound, "SLO not found")
	}
	begin, err := c.number("from_ts", -1, 0, math.MaxInt32*2)
	end, err2 := c.number("to_ts", -1, 0, math.MaxInt32*2)
	target := o.Target
	if v := c.q.Get("target"); v != "" {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || !(f > 0 && f < 100) {
			return c.fail(http.StatusBadRequest, "target must be between 0 and 100")
		}
		target = f
	}
	switch {
	case err != nil || err2 != nil || begin < 0 || end < 0:
		return c.fail(http.StatusBadRequest, "from_ts and to_ts must be POSIX timestamps in seconds")
	case begin >= end:
		return c.fail(http.StatusBadRequest, "from_ts must be less than to_ts")
	}
	since, until := time.Unix(int64(begin), 0), time.Unix(int64(end), 0)
	bad, total := c.w.Tally(o.Service, since, until)
	sli, left, state := judge(bad, total, target)
	overall := map[string]any{
		"sli_value": sli, "span_precision": 2, "precision": map[string]int{timeframe(o): 0}, "uptime": sli, "corrections": []any{}, "state": state,
	}
	if sli == nil {
		overall["errors"] = []map[string]string{{"error_type": "ZERO_VALUED_DENOMINATOR", "error_message": "The denominator is zero valued"}}
	} else {
		name := timeframe(o)
		if c.q.Has("target") {
			name = "custom"
		}
		overall["error_budget_remaining"] = map[string]float64{name: *left}
		overall["name"] = o.Name
	}
	return c.ok(map[string]any{"errors": nil, "data": map[string]any{
		"thresholds": map[string]threshold{timeframe(o): thresholdOf(o)}, "from_ts": begin, "to_ts": end, "type": "metric", "type_id": 1,
		"slo": c.slo(o), "group_by": []string{}, "overall": overall, "series": c.sloSeries(o, since, until),
	}})
}

// sloSeries counts the good and all requests of an objective in some dozens of steps.
func (c *call) sloSeries(o *world.SLO, since, until time.Time) map[string]any {
	step := 10 * time.Second
	for _, s := range []time.Duration{time.Minute, 5 * time.Minute, 20 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour} {
		if until.Sub(since) > 60*step {
			step = s
		}
	}
	q := sloQueryOf(o)
	series := func(index int, query string) *sloSeries {
		return &sloSeries{Values: []float64{}, Metadata: map[string]any{
			"unit": nil, "query_index": index, "aggr": "sum", "metric": "http.hits", "tag_set": []string{}, "expression": query,
			"scope": "service:" + o.Service.Name + ",env:prod",
		}}
	}
	good, all := series(0, q.Numerator), series(1, q.Denominator)
	times := []float64{}
	for t := since.Truncate(step); t.Before(until); t = t.Add(step) {
		bad, total := c.w.Tally(o.Service, later(t, since), earlier(t.Add(step), until))
		times = append(times, float64(t.UnixMilli()))
		good.Values, all.Values = append(good.Values, round(total-bad, 3)), append(all.Values, round(total, 3))
		good.Sum, all.Sum = good.Sum+total-bad, all.Sum+total
	}
	good.Count, all.Count = len(times), len(times)
	good.Sum, all.Sum = round(good.Sum, 3), round(all.Sum, 3)
	return map[string]any{
		"res_type": "time_series", "resp_version": 2, "query": q.Numerator + ", " + q.Denominator, "message": "",
		"from_date": since.UnixMilli(), "to_date": until.UnixMilli(), "interval": int(step / time.Second), "times": times,
		"numerator": good, "denominator": all,
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
