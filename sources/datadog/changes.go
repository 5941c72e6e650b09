package datadog

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// wireEvent is an event. What it carries besides differs with what posted it.
type wireEvent struct {
	ID         text `json:"id"`
	Attributes struct {
		Message text      `json:"message"`
		Tags    words     `json:"tags"`
		At      stamp     `json:"timestamp"`
		Own     eventBody `json:"attributes"`
	} `json:"attributes"`
}

type eventBody struct {
	Title   text  `json:"title"`
	Service text  `json:"service"`
	At      stamp `json:"timestamp"`
	Event   struct {
		ID text `json:"id"`
	} `json:"evt"`
	// These are a change event's.
	Author struct {
		Name text `json:"name"`
	} `json:"author"`
	Changed struct {
		Name text `json:"name"`
		Type text `json:"type"`
	} `json:"changed_resource"`
	Impacted some[struct {
		Name text `json:"name"`
		Type text `json:"type"`
	}] `json:"impacted_resources"`
}

type eventPage struct {
	Data some[wireEvent] `json:"data"`
	Meta struct {
		Page struct {
			After text `json:"after"`
		} `json:"page"`
	} `json:"meta"`
}

func (p *eventPage) valid() error {
	if !p.Data.Given {
		return unlike("list of events")
	}
	return nil
}

type deploymentsRequest struct {
	Data deploymentsAsk `json:"data"`
}

type deploymentsAsk struct {
	Type       string             `json:"type"`
	Attributes deploymentsFilters `json:"attributes"`
}

type deploymentsFilters struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Limit int       `json:"limit"`
	Sort  string    `json:"sort"`
}

// wireDeployment is a deployment as DORA metrics count it.
type wireDeployment struct {
	ID         text `json:"id"`
	Attributes struct {
		Service  text  `json:"service"`
		Env      text  `json:"env"`
		Version  text  `json:"version"`
		Team     text  `json:"team"`
		Started  stamp `json:"started_at"`
		Finished stamp `json:"finished_at"`
		Git      struct {
			SHA text `json:"commit_sha"`
		} `json:"git"`
		Tags words `json:"custom_tags"`
	} `json:"attributes"`
}

type deploymentList struct {
	Data some[wireDeployment] `json:"data"`
}

func (l *deploymentList) valid() error {
	if !l.Data.Given {
		return unlike("list of deployments")
	}
	return nil
}

type oneDeployment struct {
	Data wireDeployment `json:"data"`
}

func (o *oneDeployment) valid() error {
	if o.Data.ID == "" {
		return unlike("deployment")
	}
	return nil
}

const (
	defaultChanges = 24 * time.Hour
	eventPageSize  = 200
	eventPages     = 10
	deploymentsMax = 1000
	// changeEvents finds deployment markers as people and their tools post them, and Datadog's own events of
	// changed flags and configurations.
	changeEvents = "event_type:deployment OR tags:deployment OR source:deployment OR @evt.category:change OR category:change"
	// The scopes of changes: the two kinds of record have ids of their own.
	eventScope, doraScope = "event", "dora"
)

// ListChanges lists the deployments that DORA metrics know, and the events that mark a deployment or a
// change of a flag or a configuration.
func (s *source) ListChanges(ctx context.Context, q sources.Query) (sources.Batch[sources.Change], error) {
	return list(ctx, s, "changes", q, func(ctx context.Context) (sources.Batch[sources.Change], error) {
		b := sources.Batch[sources.Change]{Items: []sources.Change{}}
		now := q.Now
		if now.IsZero() {
			now = s.env.Now()
		}
		// Whole minutes, so that an answer of the same minute is known again.
		to := now.Truncate(time.Minute).Add(time.Minute)
		from := to.Add(-cmp.Or(q.Window, defaultChanges))
		own := s.owners(q.Services)
		var notices noticeBox
		marks, err1 := s.events(ctx, from, to, &notices)
		deployed, err2 := s.deployments(ctx, from, to, &notices)
		if err1 != nil && err2 != nil {
			return b, err1
		}
		for _, part := range []struct {
			what string
			err  error
		}{{"events that mark deployments", err1}, {"deployments of DORA metrics", err2}} {
			if err := notices.part(ctx, "", part.what, part.err); err != nil {
				return b, err
			}
		}
		for _, w := range marks {
			b.Items = append(b.Items, s.marker(w, own))
		}
		for _, w := range deployed {
			if d := s.deployment(w, own); !slices.ContainsFunc(b.Items, func(m sources.Change) bool { return sameDeployment(m, d) }) {
				b.Items = append(b.Items, d)
			}
		}
		slices.SortStableFunc(b.Items, func(x, y sources.Change) int {
			return cmp.Or(y.At.Compare(x.At), cmp.Compare(x.Ref.Scope+x.Ref.ID, y.Ref.Scope+y.Ref.ID))
		})
		if q.Limit > 0 && len(b.Items) > q.Limit {
			b.Items = b.Items[:q.Limit]
		}
		b.Notices = notices.list()
		return b, nil
	})
}

// sameDeployment reports whether an event marks what DORA metrics count too: tools often send both.
func sameDeployment(mark, d sources.Change) bool {
	return mark.Ref.Scope == eventScope && mark.Kind == sources.DeploymentChange && mark.Service == d.Service && mark.Env == d.Env &&
		mark.Version.Same(d.Version) && mark.At.Sub(d.At).Abs() < 15*time.Minute
}

func (s *source) events(ctx context.Context, from, to time.Time, notices *noticeBox) ([]*wireEvent, error) {
	var out []*wireEvent
	seen := map[text]bool{}
	cursor := ""
	for page := range eventPages {
		query := url.Values{
			"filter[query]": {changeEvents}, "sort": {"-timestamp"}, "page[limit]": {strconv.Itoa(eventPageSize)},
			"filter[from]": {strconv.FormatInt(from.UnixMilli(), 10)}, "filter[to]": {strconv.FormatInt(to.UnixMilli(), 10)},
		}
		if cursor != "" {
			query.Set("page[cursor]", cursor)
		}
		p, err := fetch[eventPage](ctx, s, call{op: opEvents, query: query, as: strconv.Itoa(page)})
		if err != nil {
			return nil, err
		}
		for i := range p.Data.Items {
			w := &p.Data.Items[i]
			if id := cmp.Or(w.Attributes.Own.Event.ID, w.ID); id != "" && !seen[id] {
				seen[id] = true
				out = append(out, w)
			}
		}
		notices.odd("events", p.Data.Bad)
		next := string(p.Meta.Page.After)
		if next == "" || next == cursor || len(p.Data.Items) == 0 {
			return out, nil
		}
		cursor = next
	}
	notices.add(sources.Notice{Kind: sources.Invalid, Text: clean.Linef("there are more than %d events: the oldest are left out", eventPages*eventPageSize)})
	return out, nil
}

func (s *source) deployments(ctx context.Context, from, to time.Time, notices *noticeBox) ([]*wireDeployment, error) {
	l, err := fetch[deploymentList](ctx, s, call{op: opDeployments, body: &deploymentsRequest{deploymentsAsk{
		"dora_deployments_list_request", deploymentsFilters{From: from.UTC(), To: to.UTC(), Limit: deploymentsMax, Sort: "-started_at"},
	}}, as: "all"})
	if err != nil {
		return nil, err
	}
	var out []*wireDeployment
	seen := map[text]bool{}
	for i := range l.Data.Items {
		if w := &l.Data.Items[i]; w.ID != "" && !seen[w.ID] {
			seen[w.ID] = true
			out = append(out, w)
		}
	}
	notices.odd("deployments", l.Data.Bad)
	return out, nil
}

// marker is an event for the domain.
func (s *source) marker(w *wireEvent, own owners) sources.Change {
	a := &w.Attributes
	body := &a.Own
	services := tagged(a.Tags, own.tag)
	if body.Service != "" && body.Service != "undefined" {
		services = append(services, string(body.Service))
	}
	for _, r := range body.Impacted.Items {
		if r.Type == "service" {
			services = append(services, string(r.Name))
		}
	}
	message, _, _ := strings.Cut(strings.TrimSpace(string(a.Message)), "\n")
	c := sources.Change{
		Ref: s.ref(sources.KindChange, eventScope, plain(cmp.Or(body.Event.ID, w.ID))), Service: own.of(services...), Kind: kindOf(body.Changed.Type, a.Tags),
		Title: clean.Line(cmp.Or(string(body.Title), message, "a change without a title")), At: cmp.Or(a.At, body.At).Time,
		By: clean.Line(cmp.Or(string(body.Author.Name), first(a.Tags, "author"), first(a.Tags, "user"), first(a.Tags, "deployed_by"))),
	}
	if id := string(body.Event.ID); id != "" {
		c.URL = s.app + "/event/event?id=" + url.QueryEscape(id)
	}
	if envs := tagged(a.Tags, s.cfg.EnvTag); len(envs) > 0 {
		c.Env = plain(envs[0])
	}
	if c.Kind == sources.DeploymentChange {
		c.Version = sources.Version{
			SHA: plain(cmp.Or(first(a.Tags, "git.commit.sha"), first(a.Tags, "commit_sha"), first(a.Tags, "sha"))), Tag: clean.Line(first(a.Tags, "version")),
		}
	}
	return c
}

// kindOf tells a change of a flag or a configuration, which says what it changed, from a deployment, which
// is marked by a tag.
func kindOf(resource text, tags []string) sources.ChangeKind {
	switch resource {
	case "feature_flag":
		return sources.FlagChange
	case "configuration":
		return sources.ConfigChange
	case "":
	default:
		return sources.OtherChange
	}
	for _, t := range tags {
		switch strings.ToLower(t) {
		case "deployment", "event_type:deployment", "source:deployment":
			return sources.DeploymentChange
		}
	}
	return sources.OtherChange
}

func first(tags []string, key string) string {
	if all := tagged(tags, key); len(all) > 0 {
		return all[0]
	}
	return ""
}

// deployment is one of DORA metrics for the domain.
func (s *source) deployment(w *wireDeployment, own owners) sources.Change {
	a := &w.Attributes
	v := sources.Version{SHA: plain(a.Git.SHA), Tag: clean.Line(string(a.Version))}
	title := "deployed " + string(a.Service)
	if !v.IsZero() {
		title += " " + v.Short().String()
	}
	if a.Env != "" {
		title += " to " + string(a.Env)
	}
	return sources.Change{
		Ref: s.ref(sources.KindChange, doraScope, plain(w.ID)), Service: own.of(string(a.Service)), Kind: sources.DeploymentChange,
		Title: clean.Line(title), By: clean.Line(string(a.Team)), At: cmp.Or(a.Finished, a.Started).Time, Version: v, Env: plain(a.Env),
		URL: s.app + "/dora",
	}
}
