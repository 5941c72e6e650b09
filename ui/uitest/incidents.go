package uitest

import (
	"strconv"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// PageRef is the reference of an incident of the story's PagerDuty.
func PageRef(id string) sources.Ref {
	return sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, ID: id}
}

func person(login, zone string) sources.Person {
	return sources.Person{ID: "U" + login, Name: clean.Line(login), Login: clean.Line(login), Zone: zone}
}

// PageOf makes an incident of the story's PagerDuty that was triggered so long ago; edit changes what differs.
func PageOf(id, service, title string, severity int, ago time.Duration, edit func(*sources.Incident)) sources.Incident {
	in := sources.Incident{Ref: PageRef(id), Revision: sources.Revision(id + ".1"), Kind: sources.PageIncident, Number: clean.Line("#" + id[1:]),
		Service: service, Provider: clean.Line(service), Title: clean.Line(title), Severity: severity, State: sources.Triggered,
		Created: Ago(ago), Changed: Ago(ago), Paged: Ago(ago), Alerts: 1, URL: "https://pages.example.com/" + id}
	edit(&in)
	return in
}

func held(by string, ago time.Duration) func(*sources.Incident) {
	return func(in *sources.Incident) {
		in.State, in.Holder, in.Changed = sources.Acknowledged, clean.Line(by), Ago(ago)
		in.Assignees = []sources.Person{person(by, "")}
	}
}

// Incidents are the pages of the story, for boards that have a source of incidents: checkout's is triggered
// and mine, ledger's is acknowledged, one is over.
func Incidents() []sources.Incident {
	return []sources.Incident{
		PageOf("Q1", "checkout", "5xx above 2 % for 5m", 1, 3*time.Minute, func(in *sources.Incident) {
			in.Holder, in.Mine, in.Assignees = clean.Line("sre1"), true, []sources.Person{person("sre1", "UTC")}
			in.Level, in.EscalatesAt = 1, Now().Add(2*time.Minute+14*time.Second)
			in.Next = []sources.Person{person("sre2", "Europe/Berlin")}
			in.Scope, in.Runbook = clean.Line("prod eu us"), "https://runbooks.example.com/checkout/5xx"
			in.Keys = []string{sources.MonitorKey(4101)}
		}),
		PageOf("Q2", "ledger", "replica lag above 30s", 3, 52*time.Minute, func(in *sources.Incident) {
			held("sre1", 41*time.Minute)(in)
			in.Mine, in.RepagesAt = true, Now().Add(19*time.Minute)
		}),
		PageOf("Q3", "", "certificate of the status page ends in 6d", 0, 5*time.Hour, func(in *sources.Incident) {
			in.State, in.Changed, in.Ended = sources.Resolved, Ago(4*time.Hour), Ago(4*time.Hour)
		}),
	}
}

// WithIncidents adds a source of incidents to s.
func WithIncidents(s *store.Snapshot, in ...sources.Incident) *store.Snapshot {
	s.Catalog.Sources = append(s.Catalog.Sources, store.SourceInfo{Name: "pagerduty", Type: "pagerduty",
		Capabilities: []store.Capability{store.Incidents}})
	s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: "pagerduty", Capability: store.Incidents}, Generation: 1,
		Health: healthy(10 * time.Second), Incidents: in})
	return s
}

// PastIncidents are pages that ended: three of them like checkout's.
func PastIncidents() []sources.Incident {
	var out []sources.Incident
	for i, end := range []struct {
		ago time.Duration
		by  string
	}{{4 * 24 * time.Hour, "sre2"}, {11 * 24 * time.Hour, "sre1"}, {19 * 24 * time.Hour, "the monitor"}} {
		out = append(out, PageOf("R"+strconv.Itoa(i+1), "checkout", "5xx above 2 % for 10m", 1, end.ago, func(in *sources.Incident) {
			in.State, in.EndedBy, in.Ended = sources.Resolved, clean.Line(end.by), in.Created.Add(time.Duration(14+9*i)*time.Minute)
			in.Changed = in.Ended
		}))
	}
	return out
}

// Shifts are who is on call: sre1 until six, then sre2.
func Shifts() []sources.Shift {
	ref := func(id string) sources.Ref {
		return sources.Ref{Source: "pagerduty", Kind: sources.KindShift, ID: id}
	}
	until := Now().Add(3*time.Hour + 46*time.Minute)
	policy, schedule := clean.Line("payments"), clean.Line("nights")
	return []sources.Shift{
		{Ref: ref("S1"), Who: person("sre1", "UTC"), Level: 1, Policy: policy, Schedule: schedule, Start: Ago(8 * time.Hour), End: until, Mine: true},
		{Ref: ref("S2"), Who: person("sre2", "Europe/Berlin"), Level: 1, Policy: policy, Schedule: schedule, Start: until, End: until.Add(12 * time.Hour)},
		{Ref: ref("S3"), Who: person("sre2", "Europe/Berlin"), Level: 2, Policy: policy, Start: Ago(8 * time.Hour)},
	}
}

// Changes are what was changed beside deployments.
func Changes() []sources.Change {
	return []sources.Change{{Ref: sources.Ref{Source: "pagerduty", Kind: sources.KindChange, ID: "C1"}, Service: "checkout", Kind: sources.FlagChange,
		Title: clean.Line("flag pay_retry on"), By: clean.Line("dev7"), At: Ago(13 * time.Minute)}}
}

// Monitors are what watches the story's metrics: the one that paged for checkout.
func Monitors() []sources.Monitor {
	return []sources.Monitor{{Ref: sources.Ref{Source: "datadog", Kind: sources.KindMonitor, ID: "4101"}, Service: "checkout",
		Name: clean.Line("checkout 5xx"), State: sources.MonitorAlert, Since: Ago(5 * time.Minute), Severity: 2, Pages: true,
		Keys: []string{sources.MonitorKey(4101)}, URL: "https://metrics.example.com/monitors/4101"}}
}

// Night is the story in full: pages, who is on call, what was changed and what was seen before, and the
// trouble of a service of another team that checkout depends on.
func Night() *store.Snapshot {
	pages := append(Incidents()[:2:2], PageOf("Q4", "billing-core", "slow queries", 2, 20*time.Minute, held("plat3", 12*time.Minute)))
	s := WithMetrics(WithIncidents(Story(), pages...), Metrics()...)
	s.Catalog.Services[0].DependsOn = []string{"billing-core"}
	s.Catalog.Services = append(s.Catalog.Services, store.Service{Name: "billing-core", Team: "platform"})
	for i := range s.Catalog.Sources {
		switch c := &s.Catalog.Sources[i]; c.Name {
		case "pagerduty":
			c.Capabilities = append(c.Capabilities, store.Shifts, store.Changes, store.Past)
		case "datadog":
			c.Capabilities = append(c.Capabilities, store.Monitors)
		}
	}
	feed := func(source string, c store.Capability, interval time.Duration) store.Feed {
		return store.Feed{Key: store.FeedKey{Source: source, Capability: c}, Generation: 1, Health: healthy(interval)}
	}
	shifts, changes := feed("pagerduty", store.Shifts, time.Minute), feed("pagerduty", store.Changes, time.Minute)
	past, monitors := feed("pagerduty", store.Past, time.Hour), feed("datadog", store.Monitors, 30*time.Second)
	shifts.Shifts, changes.Changes, past.Incidents, monitors.Monitors = Shifts(), Changes(), PastIncidents(), Monitors()
	s.Feeds = append(s.Feeds, shifts, changes, past, monitors)
	return s
}

// Hard is a board of incidents in states that the story does not have.
func Hard() *store.Snapshot {
	pages := []sources.Incident{
		PageOf("H1", "web", "a title that is as long as the line it stands on and goes on for a while after that, as titles do", 0, 26*time.Hour, func(in *sources.Incident) {}),
		PageOf("H2", "search", "日本語の題名がとても長いので切り取られます", 2, 9*time.Minute, func(in *sources.Incident) {
			in.Holder, in.Mine = clean.Line("sre2"), true
			in.Assignees = []sources.Person{person("sre2", ""), person("sre1", "")}
			in.EscalatesAt = Ago(time.Minute)
		}),
		PageOf("H3", "", "backup of the archive failed", 4, 7*time.Hour, func(in *sources.Incident) {
			held("dev9", 6*time.Hour)(in)
			in.Provider, in.Low = clean.Line("archive-nightly"), true
		}),
		PageOf("H4", "", "what nobody claims", 0, 40*time.Second, func(in *sources.Incident) { in.Provider = clean.Text{} }),
		PageOf("H5", "accounts", "declared by people", 2, 3*time.Hour, func(in *sources.Incident) { in.Kind = sources.DeclaredIncident }),
		PageOf("H6", "ledger", "silenced for the night", 3, 2*time.Hour, func(in *sources.Incident) {
			in.Kind, in.Alerts, in.Paged = sources.AlertIncident, 4, time.Time{}
			in.Silenced = []sources.Silence{{By: clean.Line("sre1"), Comment: clean.Line("known"), Until: Now().Add(time.Hour)}}
		}),
		PageOf("H7", "ledger", "quiet because of another", 3, 2*time.Hour, func(in *sources.Incident) {
			in.Kind, in.Inhibited, in.Paged = sources.AlertIncident, true, time.Time{}
		}),
		PageOf("H8", "reports", "held for a while", 3, 3*time.Hour, held("sre2", 2*time.Hour)),
	}
	s := WithIncidents(Story(), pages...)
	s.Catalog.Sources = append(s.Catalog.Sources, store.SourceInfo{Name: "datadog", Type: "datadog", Capabilities: []store.Capability{store.Monitors}})
	s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: "datadog", Capability: store.Monitors}, Generation: 1, Health: healthy(30 * time.Second),
		Monitors: []sources.Monitor{{Ref: sources.Ref{Source: "datadog", Kind: sources.KindMonitor, ID: "77"}, Service: "search", Name: clean.Line("index is old"),
			State: sources.MonitorAlert, Since: Ago(11 * time.Minute), Severity: 3, URL: "https://metrics.example.com/monitors/77"}}})
	return s
}

// Stormy is a board on which n alerts of checkout fired at once, beside the story's pages.
func Stormy(n int) *store.Snapshot {
	pages := Incidents()[1:2:2]
	for i := range n {
		pages = append(pages, PageOf("S"+strconv.Itoa(100+i), "checkout", "instance "+strconv.Itoa(i)+" does not answer", 2,
			4*time.Minute-time.Duration(i%50)*time.Second, func(in *sources.Incident) { in.Holder, in.Mine = clean.Line("sre1"), i == 0 }))
	}
	return WithIncidents(Story(), pages...)
}

// PageDetail is everything about the story's page for checkout.
func PageDetail() sources.IncidentDetail {
	line := clean.Line
	at := func(minutes int) time.Time { return Ago(time.Duration(minutes) * time.Minute) }
	return sources.IncidentDetail{
		Incident: Incidents()[0],
		Log: []sources.LogEntry{
			{At: at(3), Kind: "triggered", Text: line("checkout 5xx above 2 % for 5m"), Via: line("datadog")},
			{At: at(3), Kind: "paged", Who: line("sre1"), Text: line("level 1"), Via: line("phone")},
			{At: at(2), Kind: "paged", Who: line("sre1"), Text: line("level 1"), Via: line("push")},
			{At: at(1), Kind: "note", Who: line("sre2"), Text: line("looking at the retry flag")},
		},
		Notes: []sources.Note{{At: at(1), Who: line("sre2"), Text: line("looking at the retry flag: it came on four minutes before the first error, and the card gateway answers twice as often since")}},
		Alerts: []sources.Alert{
			{Ref: sources.Ref{Source: "pagerduty", ID: "A1"}, Title: line("checkout 5xx above 2 % for 5m"), State: sources.Triggered, Severity: 1, Since: at(3),
				Labels: []clean.Text{line("env=prod"), line("region=eu"), line("service=checkout")}, URL: "https://pages.example.com/A1"},
			{Ref: sources.Ref{Source: "pagerduty", ID: "A2"}, Title: line("checkout 5xx in us"), State: sources.Triggered, Severity: 2, Since: at(2),
				Labels:   []clean.Text{line("env=prod"), line("region=us")},
				Silenced: []sources.Silence{{By: line("sre1"), Comment: line("same cause"), Until: Now().Add(time.Hour)}}},
		},
	}
}

// Crowd is the story with so many pages, hours and minutes apart, so many alerts of an Alertmanager, of which some are
// told by a page, and so many metrics of points points each.
func Crowd(pages, alerts, series, points int) *store.Snapshot {
	s := ManySeries(series, points)
	names := Services()
	label := func(i int) string { return sources.AlertKey("{instance=\"i-" + strconv.Itoa(i) + "\"}") }
	in := Incidents()[:2:2]
	for i := range pages {
		in = append(in, PageOf("M"+strconv.Itoa(i), names[i%len(names)], "queue "+strconv.Itoa(i)+" is long", 1+i%5, time.Duration(i)*7*time.Minute, func(in *sources.Incident) {
			in.Keys, in.Mine = []string{label(i)}, i%7 == 0
		}))
	}
	fired := make([]sources.Incident, alerts)
	for i := range fired {
		fired[i] = PageOf("A"+strconv.Itoa(i), names[i%len(names)], "instance "+strconv.Itoa(i)+" is slow", 3, time.Duration(i)*3*time.Minute, func(in *sources.Incident) {
			in.Ref.Source, in.Kind, in.Paged, in.Keys = "alertmanager", sources.AlertIncident, time.Time{}, []string{label(i * 2)}
		})
	}
	s = WithIncidents(s, in...)
	s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: "alertmanager", Capability: store.Incidents}, Generation: 1,
		Health: healthy(10 * time.Second), Incidents: fired})
	return s
}
