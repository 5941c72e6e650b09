// Package capability finds out what a source can do. It is the only place that asserts optional
// interfaces: everybody else looks at a field of Set.
package capability

import (
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// Set holds what one source can do. A nil field means that it cannot.
type Set struct {
	Runs         sources.RunLister
	Jobs         sources.JobLister
	Logs         sources.LogReader
	Environments sources.EnvironmentLister
	Releases     sources.ReleaseLister
	Comparer     sources.Comparer
	Checks       sources.CheckLister
	Incidents    sources.IncidentLister
	Metrics      sources.MetricQuerier
	Monitors     sources.MonitorLister
	SLOs         sources.SLOLister
	Shifts       sources.ShiftLister
	Changes      sources.ChangeLister
	Past         sources.PastIncidentLister
	Detail       sources.IncidentReader
	Actor        sources.Actor
	Previewer    sources.Previewer
	Verifier     sources.Verifier
	Getter       sources.Getter
	Checker      sources.Checker
	ScopeChecker sources.ScopeChecker
	Discoverer   sources.Discoverer
	Credentialer sources.Credentialer
}

// Of finds out what src can do. A nil source can do nothing.
func Of(src sources.Source) Set {
	var s Set
	s.Runs, _ = src.(sources.RunLister)
	s.Jobs, _ = src.(sources.JobLister)
	s.Logs, _ = src.(sources.LogReader)
	s.Environments, _ = src.(sources.EnvironmentLister)
	s.Releases, _ = src.(sources.ReleaseLister)
	s.Comparer, _ = src.(sources.Comparer)
	s.Checks, _ = src.(sources.CheckLister)
	s.Incidents, _ = src.(sources.IncidentLister)
	s.Metrics, _ = src.(sources.MetricQuerier)
	s.Monitors, _ = src.(sources.MonitorLister)
	s.SLOs, _ = src.(sources.SLOLister)
	s.Shifts, _ = src.(sources.ShiftLister)
	s.Changes, _ = src.(sources.ChangeLister)
	s.Past, _ = src.(sources.PastIncidentLister)
	s.Detail, _ = src.(sources.IncidentReader)
	s.Actor, _ = src.(sources.Actor)
	s.Previewer, _ = src.(sources.Previewer)
	s.Verifier, _ = src.(sources.Verifier)
	s.Getter, _ = src.(sources.Getter)
	s.Checker, _ = src.(sources.Checker)
	s.ScopeChecker, _ = src.(sources.ScopeChecker)
	s.Discoverer, _ = src.(sources.Discoverer)
	s.Credentialer, _ = src.(sources.Credentialer)
	return s
}

// List names the polled capabilities of s, in the order in which a board wants them first.
func List(s Set) []store.Capability {
	var list []store.Capability
	for _, c := range []struct {
		has  bool
		name store.Capability
	}{
		{s.Incidents != nil, store.Incidents},
		{s.Runs != nil, store.Runs},
		{s.Environments != nil, store.Environments},
		{s.Metrics != nil, store.Metrics},
		{s.Monitors != nil, store.Monitors},
		{s.Shifts != nil, store.Shifts},
		{s.SLOs != nil, store.SLOs},
		{s.Changes != nil, store.Changes},
		{s.Releases != nil, store.Releases},
		{s.Past != nil, store.Past},
	} {
		if c.has {
			list = append(list, c.name)
		}
	}
	return list
}
