package state

import (
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// The records are the domain types as the disk has them. Each embeds its type and overrides the few
// fields that would not come back from JSON as they went: states are names, a missing number is null.

type feedRecord struct {
	Source       string              `json:"source"`
	Capability   store.Capability    `json:"capability"`
	Scope        string              `json:"scope"`
	LastGood     time.Time           `json:"last_good"`
	Interval     time.Duration       `json:"interval"`
	Notices      []sources.Notice    `json:"notices,omitempty"`
	Runs         []runRecord         `json:"runs,omitempty"`
	Environments []environmentRecord `json:"environments,omitempty"`
	Releases     []sources.Release   `json:"releases,omitempty"`
	Incidents    []sources.Incident  `json:"incidents,omitempty"`
	Series       []seriesRecord      `json:"series,omitempty"`
	Monitors     []sources.Monitor   `json:"monitors,omitempty"`
	SLOs         []sources.SLO       `json:"slos,omitempty"`
	Shifts       []sources.Shift     `json:"shifts,omitempty"`
	Changes      []sources.Change    `json:"changes,omitempty"`
}

type runRecord struct {
	sources.Run
	State   stateName       `json:"state"`
	RefKind sources.RefKind `json:"ref_kind,omitempty"`
	Gates   []gateRecord    `json:"gates,omitempty"`
}

type gateRecord struct {
	sources.Gate
	Unverified bool `json:"unverified,omitempty"`
}

type deploymentRecord struct {
	sources.Deployment
	State    stateName `json:"state"`
	Unproven bool      `json:"unproven,omitempty"`
	Listened bool      `json:"listened,omitempty"`
}

type targetRecord struct {
	Name     string            `json:"name,omitempty"`
	Current  *deploymentRecord `json:"current,omitempty"`
	Arriving *deploymentRecord `json:"arriving,omitempty"`
	Failed   *deploymentRecord `json:"failed,omitempty"`
}

type environmentRecord struct {
	sources.Environment
	Targets []targetRecord     `json:"targets"`
	History []deploymentRecord `json:"history"`
	Gates   []gateRecord       `json:"gates,omitempty"`
	Branch  string             `json:"branch,omitempty"`
}

type seriesRecord struct {
	sources.Series
	Limit  sources.Number `json:"limit"`
	Points []pointRecord  `json:"points"`
}

type pointRecord struct {
	At    time.Time      `json:"at"`
	Value sources.Number `json:"value"`
}

// stateName is a sources.State that is read back by its name. A name that this version does not know is
// StateUnknown.
type stateName sources.State

// MarshalText implements encoding.TextMarshaler.
func (s stateName) MarshalText() ([]byte, error) { return []byte(sources.State(s).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *stateName) UnmarshalText(b []byte) error {
	*s = stateName(sources.StateUnknown)
	for known := sources.StateUnknown; known <= sources.StateSuperseded; known++ {
		if known.String() == string(b) {
			*s = stateName(known)
		}
	}
	return nil
}

// bounds is how much of a feed is kept: the newest.
type bounds struct{ items, history, points int }

func first[T any](list []T, n int) []T { return list[:min(n, len(list))] }
func last[T any](list []T, n int) []T  { return list[max(0, len(list)-n):] }

func record(f *store.Feed, b bounds) feedRecord {
	r := feedRecord{
		Source: f.Key.Source, Capability: f.Key.Capability, Scope: f.Key.Scope,
		LastGood: f.Health.LastGood, Interval: f.Health.Interval, Notices: f.Health.Notices,
		Releases: first(f.Releases, b.items), Incidents: first(f.Incidents, b.items), Monitors: first(f.Monitors, b.items),
		SLOs: first(f.SLOs, b.items), Shifts: first(f.Shifts, b.items), Changes: first(f.Changes, b.items),
	}
	for _, run := range first(f.Runs, b.items) {
		r.Runs = append(r.Runs, runRecord{run, stateName(run.State), run.RefKind, recordGates(run.Gates)})
	}
	for _, e := range first(f.Environments, b.items) {
		er := environmentRecord{Environment: e, History: recordDeployments(first(e.History, b.history)), Gates: recordGates(e.Gates), Branch: e.Branch}
		for _, t := range e.Targets {
			er.Targets = append(er.Targets, targetRecord{
				t.Name, recordDeployment(t.Current), recordDeployment(t.Arriving), recordDeployment(t.Failed),
			})
		}
		r.Environments = append(r.Environments, er)
	}
	for _, s := range first(f.Series, b.items) {
		sr := seriesRecord{Series: s, Limit: sources.Number(s.Limit)}
		for _, p := range last(s.Points, b.points) {
			sr.Points = append(sr.Points, pointRecord{p.At, sources.Number(p.Value)})
		}
		r.Series = append(r.Series, sr)
	}
	return r
}

func recordDeployment(d *sources.Deployment) *deploymentRecord {
	if d == nil {
		return nil
	}
	return &deploymentRecord{*d, stateName(d.State), d.Unproven, d.Listened}
}

func recordDeployments(list []sources.Deployment) []deploymentRecord {
	var out []deploymentRecord
	for i := range list {
		out = append(out, *recordDeployment(&list[i]))
	}
	return out
}

func recordGates(list []sources.Gate) []gateRecord {
	var out []gateRecord
	for _, g := range list {
		out = append(out, gateRecord{g, g.Unverified})
	}
	return out
}

func gates(list []gateRecord) []sources.Gate {
	var out []sources.Gate
	for _, r := range list {
		r.Gate.Unverified = r.Unverified
		out = append(out, r.Gate)
	}
	return out
}

// feed is r as a feed of the store: cached, and not yet answered in this run.
func (r *feedRecord) feed() store.Feed {
	f := store.Feed{
		Key:      store.FeedKey{Source: r.Source, Capability: r.Capability, Scope: r.Scope},
		Health:   store.Health{State: store.Loading, LastGood: r.LastGood, Interval: r.Interval, Cached: true, Notices: r.Notices},
		Releases: r.Releases, Incidents: r.Incidents, Monitors: r.Monitors, SLOs: r.SLOs, Shifts: r.Shifts, Changes: r.Changes,
	}
	for _, rr := range r.Runs {
		rr.Run.State, rr.Run.RefKind, rr.Run.Gates = sources.State(rr.State), rr.RefKind, gates(rr.Gates)
		f.Runs = append(f.Runs, rr.Run)
	}
	for _, er := range r.Environments {
		e := er.Environment
		e.Targets, e.History, e.Gates, e.Branch = nil, nil, gates(er.Gates), er.Branch
		for _, t := range er.Targets {
			e.Targets = append(e.Targets, sources.Target{
				Name: t.Name, Current: t.Current.deployment(), Arriving: t.Arriving.deployment(), Failed: t.Failed.deployment(),
			})
		}
		for i := range er.History {
			e.History = append(e.History, *er.History[i].deployment())
		}
		f.Environments = append(f.Environments, e)
	}
	for _, sr := range r.Series {
		s := sr.Series
		s.Limit, s.Points = float64(sr.Limit), nil
		for _, p := range sr.Points {
			s.Points = append(s.Points, sources.Point{At: p.At, Value: float64(p.Value)})
		}
		f.Series = append(f.Series, s)
	}
	return f
}

func (r *deploymentRecord) deployment() *sources.Deployment {
	if r == nil {
		return nil
	}
	d := r.Deployment
	d.State, d.Unproven, d.Listened = sources.State(r.State), r.Unproven, r.Listened
	return &d
}

// valid reports whether r may be shown: a feed that names its source and what it reads, from the past.
func (r *feedRecord) valid(now time.Time) bool {
	return r.Source != "" && slices.Contains(store.Capabilities(), r.Capability) && !r.LastGood.IsZero() &&
		!r.LastGood.After(now.Add(time.Minute)) && r.Interval >= 0
}
