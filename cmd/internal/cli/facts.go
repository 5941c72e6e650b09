package cli

import (
	"fmt"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane/kit"
)

// incidentFact is one trouble that somebody is or should be paged for. The incident's own fields are those
// of the system that speaks for it; Also are the other systems' views of the same trouble.
type incidentFact struct {
	sources.Incident
	Onset    time.Time      `json:"onset,omitzero"`
	Failing  sources.Number `json:"failing_per_second"` // null: not known
	Seen     int            `json:"seen_in_30d"`
	Upstream bool           `json:"upstream,omitempty"`
	Also     []memberFact   `json:"also,omitempty"`
	Suspects []suspectFact  `json:"suspects,omitempty"`
	Inside   int            `json:"folds,omitempty"` // so many incidents of a storm stand behind this one
}

type memberFact struct {
	Ref   string     `json:"ref"`
	Title clean.Text `json:"title"`
	State string     `json:"state"`
	URL   string     `json:"url,omitempty"`
}

type suspectFact struct {
	At   time.Time  `json:"at"`
	Text clean.Text `json:"text"`
	Why  clean.Text `json:"why,omitzero"`
	URL  string     `json:"url,omitempty"`
}

// metricFact is what one metric of a service says now.
type metricFact struct {
	Service string         `json:"service"`
	Name    clean.Text     `json:"name"`
	Value   sources.Number `json:"value"` // null: no data
	Unit    string         `json:"unit,omitempty"`
	Text    clean.Text     `json:"text,omitzero"` // as people write it
	At      time.Time      `json:"at,omitzero"`
	Limit   sources.Number `json:"limit"` // null: none is configured
	Over    bool           `json:"over"`
	Below   bool           `json:"below,omitempty"` // it is bad below the limit, not above
	Change  clean.Text     `json:"change_in_1h,omitzero"`
	Ref     string         `json:"ref"`
	// Upstream: of another team's service. It is theirs to mend.
	Upstream bool `json:"upstream,omitempty"`
}

// objectiveFact is a service level objective and its error budget.
type objectiveFact struct {
	sources.SLO
	Exhausted time.Duration `json:"exhausted_in,omitempty"` // nanoseconds, at the present rate
	Verdict   string        `json:"verdict"`                // ok, warn or crit
	Upstream  bool          `json:"upstream,omitempty"`
}

// dutyFact is who is on call.
type dutyFact struct {
	Who   clean.Text `json:"who"`
	Level int        `json:"level"`
	Until time.Time  `json:"until,omitzero"`
	Then  clean.Text `json:"then,omitzero"`
	Mine  bool       `json:"mine,omitempty"`
	For   []string   `json:"services,omitempty"`
}

func incidentsOf(s *store.Snapshot, now time.Time) []incidentFact {
	out := []incidentFact{}
	problems := insight.Problems(s, insight.View{}, now)
	for i := range problems {
		p := &problems[i]
		f := incidentFact{
			Incident: *p.Incident, Onset: p.Onset, Failing: p.Impact.Failing, Seen: p.Seen, Upstream: p.Upstream, Inside: len(p.Inside),
		}
		f.Service, f.Severity, f.State, f.Mine = p.Service, p.Severity, p.State, p.Mine
		for _, m := range p.Members[min(1, len(p.Members)):] {
			f.Also = append(f.Also, memberOf(m))
		}
		for _, x := range p.Suspects {
			f.Suspects = append(f.Suspects, suspectFact{At: x.At, Text: x.Text, Why: x.Why, URL: x.URL})
		}
		out = append(out, f)
	}
	return out
}

func memberOf(m insight.Member) memberFact {
	if m.Incident != nil {
		return memberFact{m.Incident.Ref.String(), m.Incident.Title, m.Incident.State.String(), m.Incident.URL}
	}
	return memberFact{m.Monitor.Ref.String(), m.Monitor.Name, m.Monitor.State.String(), m.Monitor.URL}
}

func behaviourOf(s *store.Snapshot, now time.Time) (metrics []metricFact, objectives []objectiveFact) {
	metrics, objectives = []metricFact{}, []objectiveFact{}
	for i := range s.Catalog.Services {
		service := &s.Catalog.Services[i]
		upstream := service.Team != "" && service.Team != s.Catalog.Team
		charts := insight.Charts(s, service.Name, now)
		for _, c := range charts.Charts {
			m := c.Series
			metrics = append(metrics, metricFact{
				Service: m.Service, Name: nameOf(m), Value: sources.Number(c.Value), Unit: m.Unit, Text: insight.FormatValue(c.Value, m.Unit),
				At: c.At, Limit: sources.Number(m.Limit), Over: c.Over, Below: m.Below,
				Change: changeText(c.Change), Ref: m.Ref.String(), Upstream: upstream,
			})
		}
		for _, b := range charts.Budgets {
			f := objectiveFact{SLO: *b.SLO, Verdict: "ok", Upstream: upstream}
			if b.Exhausts {
				f.Exhausted = b.Gone
			}
			switch b.Sense {
			case insight.Crit:
				f.Verdict = "crit"
			case insight.Warn:
				f.Verdict = "warn"
			case insight.Quiet, insight.Busy:
			}
			objectives = append(objectives, f)
		}
	}
	return metrics, objectives
}

func nameOf(m *sources.Series) clean.Text {
	if m.Labels.IsZero() {
		return m.Name
	}
	return clean.Line(m.Name.String() + " " + m.Labels.String())
}

// changeText is "up ×18" or "down 4 %"; "" where nothing is known of an hour ago, or nothing changed.
func changeText(c insight.Change) clean.Text {
	text := c.Text()
	switch {
	case text.IsZero():
		return text
	case c.Up:
		return clean.Line("up " + text.String())
	default:
		return clean.Line("down " + text.String())
	}
}

func dutiesOf(s *store.Snapshot, now time.Time) []dutyFact {
	out := []dutyFact{}
	for _, d := range insight.OnCall(s, insight.View{}, now) {
		f := dutyFact{Who: d.Who.Name, Level: d.Shift.Level, Until: d.Until, Mine: d.Mine, For: d.Shift.Services}
		if d.Then != nil {
			f.Then = d.Then.Name
		}
		out = append(out, f)
	}
	return out
}

// behaviour writes what people are paged for, and how the services behave.
func (t *table) behaviour(f facts) {
	t.w.head("INCIDENT", "", "SERVICE", "WHAT", "STATE", "FOR", "WHO", "IMPACT")
	ids := incidentIDs(f.Incidents)
	for i := range f.Incidents {
		in := &f.Incidents[i]
		tint := tintWarn
		if in.State == sources.Triggered && !in.Upstream {
			tint = tintBad
		}
		severity := "P?"
		if in.Severity > 0 {
			severity = fmt.Sprintf("P%d", in.Severity)
		}
		service := in.Service
		if service == "" {
			service = in.Provider.String()
		}
		what := in.Title
		if in.Inside > 0 {
			what = clean.Linef("%s (and %d more)", in.Title, in.Inside-1)
		}
		impact := clean.Text{}
		if in.Failing.Known() {
			impact = clean.Line(insight.FormatValue(float64(in.Failing), "req/s").String() + " fail")
		}
		t.w.row(tint, 4, ids[i], clean.Line(severity), clean.Line(service), what, clean.Line(in.State.String()), t.age(in.Changed), in.Holder, impact)
	}
	t.w.flush()
	t.w.head("SERVICE", "METRIC", "VALUE", "IN 1H", "LIMIT", "AGE")
	for i := range f.Metrics {
		m := &f.Metrics[i]
		tint, limit, value := tintNone, clean.Text{}, m.Text
		if m.Over {
			tint = tintBad
		}
		if m.Limit.Known() {
			limit = insight.FormatValue(float64(m.Limit), m.Unit)
			if m.Over {
				limit = clean.Line("beyond " + limit.String())
			}
		}
		if !m.Value.Known() {
			value = clean.Const("no data")
		}
		t.w.row(tint, 2, clean.Line(m.Service), m.Name, value, m.Change, limit, t.age(m.At))
	}
	t.w.flush()
	t.objectives(f.Objectives)
	t.w.head("ON CALL", "LEVEL", "UNTIL", "THEN", "FOR")
	for _, d := range f.OnCall {
		until := clean.Text{}
		if !d.Until.IsZero() {
			until = clean.Line(d.Until.In(t.now.Location()).Format("Mon 15:04"))
		}
		t.w.row(tintNone, 0, d.Who, clean.Line(fmt.Sprint(d.Level)), until, d.Then, clean.Line(strings.Join(d.For, " ")))
	}
	t.w.flush()
}

// incidentIDs are the shortest names of incidents that commands take: a number, else an id, where no other has
// the same.
func incidentIDs(list []incidentFact) []clean.Text {
	short := make([]string, len(list))
	seen := map[string]int{}
	for i := range list {
		if short[i] = strings.TrimPrefix(list[i].Number.String(), "#"); short[i] == "" {
			short[i] = list[i].Ref.ID
		}
		seen[short[i]]++
	}
	out := make([]clean.Text, len(list))
	for i := range list {
		if seen[short[i]] > 1 {
			short[i] = list[i].Ref.Source + ":" + list[i].Ref.ID
		}
		out[i] = clean.Line(short[i])
	}
	return out
}

func (t *table) objectives(list []objectiveFact) {
	t.w.head("SERVICE", "OBJECTIVE", "TARGET", "BUDGET LEFT", "GONE IN", "BURN")
	for i := range list {
		o := &list[i]
		tint := map[string]tint{"crit": tintBad, "warn": tintWarn}[o.Verdict]
		left, gone := o.Note, clean.Text{}
		if o.Budget.Known() {
			left = insight.FormatValue(100*float64(o.Budget), "%")
		}
		if o.Exhausted > 0 {
			gone = clean.Line(kit.Age(o.Exhausted))
		}
		var burns []string
		for _, b := range o.Burns {
			if b.Rate.Known() {
				burns = append(burns, fmt.Sprintf("%s over %s", insight.FormatRatio(float64(b.Rate)), kit.Age(b.Over)))
			}
		}
		t.w.row(tint, 3, clean.Line(o.Service), o.Name, insight.FormatValue(o.Target, "%"), left, gone, clean.Line(strings.Join(burns, ", ")))
	}
	t.w.flush()
}
