package datadog

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// wireDefinition is a service of the catalogue, in any of its forms.
type wireDefinition struct {
	Attributes struct {
		Schema struct {
			Service text `json:"dd-service"`
			Team    text `json:"team"`
			OldTeam text `json:"dd-team"`
			Info    struct {
				Service text `json:"dd-service"`
			} `json:"info"`
			Org struct {
				Team text `json:"team"`
			} `json:"org"`
			Links    some[definitionLink] `json:"links"`
			Repos    some[definitionLink] `json:"repos"`
			External some[definitionLink] `json:"external-resources"`
		} `json:"schema"`
	} `json:"attributes"`
}

type definitionLink struct {
	Type text `json:"type"`
	URL  text `json:"url"`
}

type definitionPage struct {
	Data some[wireDefinition] `json:"data"`
}

func (p *definitionPage) valid() error {
	if !p.Data.Given {
		return unlike("list of service definitions")
	}
	return nil
}

var gitHub = regexp.MustCompile(`^(?:https?://|git@)github\.com[/:]([A-Za-z0-9][A-Za-z0-9-_.]*/[A-Za-z0-9-_.]+?)(?:\.git)?(?:/.*)?$`)

// clue is what is known of one value of the service tag.
type clue struct {
	name     string
	monitors int
	slos     []string
	defined  bool
	team     string
	repo     string
	metrics  []sources.MetricSpec
}

// Discover proposes a service for each value of the service tag that monitors or objectives carry, or that
// the service catalogue knows.
func (s *source) Discover(ctx context.Context) ([]sources.Proposal, error) {
	clues := map[string]*clue{}
	of := func(value string) *clue {
		value = plain(value)
		key := strings.ToLower(value)
		if clues[key] == nil {
			clues[key] = &clue{name: value}
		}
		return clues[key]
	}
	var notices noticeBox
	monitors, err := s.monitors(ctx, &notices, strings.Join(s.cfg.MonitorTags, ","))
	if err != nil {
		return nil, httpx.Explain("find services", "", err)
	}
	for _, m := range monitors {
		for _, v := range tagged(m.Tags, s.cfg.ServiceTag) {
			c := of(v)
			c.monitors++
			if spec, ok := watched(m); ok && !slices.ContainsFunc(c.metrics, func(k sources.MetricSpec) bool { return k.Name == spec.Name || k.Query == spec.Query }) {
				spec.Service = c.name
				c.metrics = append(c.metrics, spec)
			}
			c.team = cmp.Or(c.team, plain(first(m.Tags, "team")))
		}
	}
	slos, err := s.slos(ctx, &notices)
	if err = notices.part(ctx, "", "SLOs", err); err != nil {
		return nil, httpx.Explain("find services", "", err)
	}
	for _, w := range slos {
		at := &w.Data.Attributes
		values := tagged(at.Tags, s.cfg.ServiceTag)
		for _, v := range at.ServiceTags {
			if !strings.Contains(v, ":") && !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		for _, v := range values {
			c := of(v)
			c.slos = append(c.slos, plain(w.Data.ID))
			c.team = cmp.Or(c.team, plain(first(at.Tags, "team")))
		}
	}
	if err := s.defined(ctx, &notices, of); err != nil {
		return nil, httpx.Explain("find services", "", err)
	}
	var out []sources.Proposal
	for _, key := range slices.Sorted(maps.Keys(clues)) {
		out = append(out, clues[key].proposal(s.cfg.ServiceTag, notices.list()))
	}
	return out, nil
}

// defined adds what the service catalogue knows, if the key may read it.
func (s *source) defined(ctx context.Context, notices *noticeBox, of func(string) *clue) error {
	for page := range mostPages {
		p, err := fetch[definitionPage](ctx, s, call{op: opDefinitions, query: url.Values{
			"page[size]": {strconv.Itoa(teamPageSize)}, "page[number]": {strconv.Itoa(page)}, "schema_version": {"v2.2"},
		}})
		if err != nil {
			return notices.part(ctx, "", "the service catalogue", err)
		}
		for i := range p.Data.Items {
			d := &p.Data.Items[i].Attributes.Schema
			name := cmp.Or(d.Service, d.Info.Service)
			if name == "" {
				continue
			}
			c := of(string(name))
			c.defined = true
			c.team = cmp.Or(plain(d.Team), plain(d.OldTeam), plain(d.Org.Team), c.team)
			for _, l := range slices.Concat(d.Links.Items, d.Repos.Items, d.External.Items) {
				if m := gitHub.FindStringSubmatch(string(l.URL)); m != nil && c.repo == "" && l.Type != "doc" {
					c.repo = m[1]
				}
			}
		}
		if len(p.Data.Items)+p.Data.Bad < teamPageSize {
			return nil
		}
	}
	return nil
}

var (
	alertQuery = regexp.MustCompile(`^[a-z_]+\([a-z0-9_]*\):\s*(.+?)\s*([<>])=?\s*(-?[0-9.]+(?:[eE][+-]?[0-9]+)?)$`)
	grouped    = regexp.MustCompile(`\s*by\s*\{[^{}]*\}`)
	bound      = regexp.MustCompile(`(?i)\s*(?:\b(?:is|are)\s+)?(?:\b(?:above|over|below|under|exceeds?|too|high|low)\b|[<>]).*$`)
)

// watched is the metric that a monitor watches, over all of its groups, with its threshold as the limit. It is
// named as the monitor is, but for the service and for what is said of the threshold.
func watched(w *wireMonitor) (sources.MetricSpec, bool) {
	m := alertQuery.FindStringSubmatch(strings.TrimSpace(string(w.Query)))
	if m == nil || w.Type != "query alert" && w.Type != "metric alert" {
		return sources.MetricSpec{}, false
	}
	limit, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return sources.MetricSpec{}, false
	}
	name := plain(string(w.Name))
	if _, after, ok := strings.Cut(name, ": "); ok {
		name = after
	}
	return sources.MetricSpec{
		Name: cmp.Or(strings.Trim(bound.ReplaceAllString(name, ""), " :,-"), name), Query: grouped.ReplaceAllString(m[1], ""),
		Limit: limit, Below: m[2] == "<",
	}, true
}

func (c *clue) proposal(tag string, unread []sources.Notice) sources.Proposal {
	p := sources.Proposal{Service: c.name, Incidents: []string{c.name}, SLOs: c.slos, Metrics: c.metrics, Team: c.team, Repo: c.repo, Confidence: 0.3}
	if c.monitors > 0 {
		p.Confidence += 0.3
		p.Why = append(p.Why, fmt.Sprintf("%d monitors carry the tag %s:%s", c.monitors, tag, c.name))
	}
	if len(c.slos) > 0 {
		p.Confidence += 0.1
		p.Why = append(p.Why, fmt.Sprintf("%d SLOs carry it", len(c.slos)))
	}
	if c.defined {
		p.Confidence += 0.2
		p.Why = append(p.Why, "the service catalogue has it")
	}
	for _, n := range unread {
		p.Why = append(p.Why, "unsure: "+n.Text.String())
	}
	return p
}
