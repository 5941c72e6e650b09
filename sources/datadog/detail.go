package datadog

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// wireIntegration is what an incident is connected to: chat channels, tickets.
type wireIntegration struct {
	Attributes struct {
		Created  stamp `json:"created"`
		Metadata struct {
			Channels some[struct {
				Name text `json:"channel_name"`
				URL  text `json:"redirect_url"`
			}] `json:"channels"`
			Issues some[struct {
				Key text `json:"issue_key"`
				URL text `json:"redirect_url"`
			}] `json:"issues"`
			Teams some[struct {
				Name text `json:"ms_channel_name"`
				URL  text `json:"redirect_url"`
			}] `json:"teams"`
			// PagerDuty's and others' metadata is not described; theirs are links too.
			URL text `json:"redirect_url"`
		} `json:"metadata"`
	} `json:"attributes"`
	Relations struct {
		By links `json:"created_by_user"`
	} `json:"relationships"`
}

type integrationList struct {
	Data     some[wireIntegration] `json:"data"`
	Included some[included]        `json:"included"`
}

func (l *integrationList) valid() error {
	if !l.Data.Given {
		return unlike("list of links")
	}
	return nil
}

type wireImpact struct {
	Attributes struct {
		Text  text  `json:"description"`
		Start stamp `json:"start_at"`
		End   stamp `json:"end_at"`
	} `json:"attributes"`
	Relations struct {
		By links `json:"created_by_user"`
	} `json:"relationships"`
}

type impactList struct {
	Data     some[wireImpact] `json:"data"`
	Included some[included]   `json:"included"`
}

func (l *impactList) valid() error {
	if !l.Data.Given {
		return unlike("list of impacts")
	}
	return nil
}

type wireTask struct {
	Attributes struct {
		Content   text  `json:"content"`
		Completed text  `json:"completed"`
		Created   stamp `json:"created"`
		Modified  stamp `json:"modified"`
	} `json:"attributes"`
	Relations struct {
		By links `json:"created_by_user"`
	} `json:"relationships"`
}

type taskList struct {
	Data     some[wireTask] `json:"data"`
	Included some[included] `json:"included"`
}

func (l *taskList) valid() error {
	if !l.Data.Given {
		return unlike("list of tasks")
	}
	return nil
}

// getIncident reads one incident anew.
func (s *source) getIncident(ctx context.Context, id string) (*oneIncident, error) {
	return fetch[oneIncident](ctx, s, call{op: opIncident, args: []string{id}, query: url.Values{"include": {"users,attachments"}}})
}

// ReadIncident reads an incident, what is attached and connected to it, its impacts and its tasks. The
// timeline itself is not in Datadog's API: the log is made of the moments that the incident tells.
func (s *source) ReadIncident(ctx context.Context, ref sources.Ref) (sources.IncidentDetail, error) {
	d, err := s.readIncident(fresh(ctx), ref)
	if err != nil {
		return sources.IncidentDetail{}, explained("read an incident", ref, err)
	}
	return d, nil
}

func (s *source) readIncident(ctx context.Context, ref sources.Ref) (sources.IncidentDetail, error) {
	var d sources.IncidentDetail
	if ref.Kind != sources.KindIncident || ref.Source != s.env.Source || !uuidForm.MatchString(ref.ID) {
		return d, &sources.Error{Kind: sources.NotExist, Msg: ref.ID + " is no incident of Datadog's"}
	}
	one, err := s.getIncident(ctx, ref.ID)
	if err != nil {
		return d, err
	}
	d.Incident = s.incident(&one.Data, one.Included.Items, s.owners(s.services("incidents")), "")
	d.Log = s.moments(one)
	var (
		notices noticeBox
		mu      sync.Mutex
		texts   []string
	)
	err = each(ctx, []func(context.Context) error{
		func(ctx context.Context) error {
			l, err := fetch[integrationList](ctx, s, call{op: opIntegrations, args: []string{ref.ID}})
			if err != nil {
				return notices.part(ctx, d.Incident.Service, "what the incident is connected to", err)
			}
			mu.Lock()
			defer mu.Unlock()
			log, links := connected(l)
			d.Log, texts = append(d.Log, log...), append(texts, links...)
			notices.odd("links of the incident", l.Data.Bad)
			return nil
		},
		func(ctx context.Context) error {
			l, err := fetch[impactList](ctx, s, call{op: opImpacts, args: []string{ref.ID}, query: url.Values{"include": {"created_by_user"}}})
			if err != nil {
				return notices.part(ctx, d.Incident.Service, "the incident's impacts", err)
			}
			mu.Lock()
			defer mu.Unlock()
			d.Log = append(d.Log, impacts(l)...)
			return nil
		},
		func(ctx context.Context) error {
			l, err := fetch[taskList](ctx, s, call{op: opTasks, args: []string{ref.ID}})
			if err != nil {
				return notices.part(ctx, d.Incident.Service, "the incident's tasks", err)
			}
			mu.Lock()
			defer mu.Unlock()
			d.Notes = append(d.Notes, tasks(l)...)
			return nil
		},
	}, func(ctx context.Context, read func(context.Context) error) error { return read(ctx) })
	if err != nil {
		return d, err
	}
	s.addKeys(&d.Incident, texts)
	slices.SortStableFunc(d.Log, func(a, b sources.LogEntry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Text.String(), b.Text.String()))
	})
	slices.SortStableFunc(d.Notes, func(a, b sources.Note) int { return a.At.Compare(b.At) })
	d.Notices = notices.list()
	return d, nil
}

// moments are what the incident itself tells of its course.
func (s *source) moments(one *oneIncident) []sources.LogEntry {
	a, rel, who := &one.Data.Attributes, &one.Data.Relations, people(one.Included.Items)
	by := func(inline inlineUser, l links) clean.Text { return known(inline, l, who).person().Name }
	var out []sources.LogEntry
	add := func(at stamp, kind string, name, what clean.Text) {
		if !at.IsZero() {
			out = append(out, sources.LogEntry{At: at.Time, Kind: kind, Who: name, Text: what})
		}
	}
	add(cmp.Or(a.Declared, a.Created), "triggered", by(a.Creator, rel.Creator), clean.Const("declared"))
	if a.Detected != a.Declared {
		add(a.Detected, "detected", clean.Text{}, clean.Const("detected"))
	}
	add(a.Impact, "impact", clean.Text{}, clean.Linef("customers were affected from here on: %s", cmp.Or(string(a.Scope), "it is not said how")))
	add(a.Relief, "impact", clean.Text{}, clean.Const("customers were no longer affected"))
	for state, f := range a.Analytics["state"] {
		for _, span := range f.Spans.Items {
			if !span.Start.Equal(a.Declared.Time) && !span.Start.Equal(a.Created.Time) && state != "resolved" {
				add(span.Start, "state", clean.Text{}, clean.Linef("became %s", state))
			}
		}
	}
	if incidentState(a, false) == sources.Resolved {
		add(cmp.Or(a.Resolved, a.Modified), "resolved", by(a.Modifier, rel.Modifier), clean.Const("resolved"))
	}
	for _, i := range one.Included.Items {
		if p := i.Attributes.Attachment; i.Type == "incident_attachments" && p != nil {
			add(a.Created, "link", clean.Text{}, clean.Line(strings.TrimSpace(string(p.Title)+" "+string(p.URL))))
		}
	}
	return out
}

// connected are the log entries and the addresses of what an incident is connected to.
func connected(l *integrationList) (log []sources.LogEntry, texts []string) {
	who := people(l.Included.Items)
	for _, i := range l.Data.Items {
		m := &i.Attributes.Metadata
		add := func(name, address text) {
			if name == "" && address == "" {
				return
			}
			texts = append(texts, string(address))
			log = append(log, sources.LogEntry{
				At: i.Attributes.Created.Time, Kind: "link", Who: who[i.Relations.By.first()].person().Name,
				Text: clean.Line(strings.TrimSpace(string(name) + " " + string(address))),
			})
		}
		for _, c := range m.Channels.Items {
			add(c.Name, c.URL)
		}
		for _, c := range m.Issues.Items {
			add(c.Key, c.URL)
		}
		for _, c := range m.Teams.Items {
			add(c.Name, c.URL)
		}
		add("", m.URL)
	}
	return log, texts
}

func impacts(l *impactList) []sources.LogEntry {
	who := people(l.Included.Items)
	var out []sources.LogEntry
	for _, i := range l.Data.Items {
		by := who[i.Relations.By.first()].person().Name
		if !i.Attributes.Start.IsZero() {
			out = append(out, sources.LogEntry{At: i.Attributes.Start.Time, Kind: "impact", Who: by, Text: clean.Line(string(i.Attributes.Text))})
		}
		if !i.Attributes.End.IsZero() {
			out = append(out, sources.LogEntry{At: i.Attributes.End.Time, Kind: "impact", Who: by, Text: clean.Linef("over: %s", i.Attributes.Text)})
		}
	}
	return out
}

func tasks(l *taskList) []sources.Note {
	who := people(l.Included.Items)
	var out []sources.Note
	for _, t := range l.Data.Items {
		what := "to do: "
		if t.Attributes.Completed != "" {
			what = "done: "
		}
		out = append(out, sources.Note{
			At: cmp.Or(t.Attributes.Created, t.Attributes.Modified).Time, Who: who[t.Relations.By.first()].person().Name,
			Text: clean.Line(what + string(t.Attributes.Content)),
		})
	}
	return out
}
