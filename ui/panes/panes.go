// Package panes lists the panes of the board: one line each. It also makes the small boxes and the plain
// list that stand in for panes on small screens.
package panes

import (
	"fmt"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/panes/deployments"
	"example.com/signalbox/ui/panes/environment"
	"example.com/signalbox/ui/panes/incident"
	"example.com/signalbox/ui/panes/incidents"
	"example.com/signalbox/ui/panes/logview"
	"example.com/signalbox/ui/panes/metric"
	"example.com/signalbox/ui/panes/metrics"
	"example.com/signalbox/ui/panes/pipelines"
	"example.com/signalbox/ui/panes/run"
)

// All makes the panes of a board, in their order.
func All() []pane.Pane {
	return []pane.Pane{
		incidents.New(),
		metrics.New(),
		pipelines.New(),
		deployments.New(),
	}
}

// Detail makes the full view of an object. Objects that have none are an *sources.Error of kind
// Unsupported.
func Detail(ref sources.Ref) (pane.Pane, error) {
	switch ref.Kind {
	case sources.KindRun:
		return run.New(ref), nil
	case sources.KindJob:
		return logview.New(ref), nil
	case sources.KindEnvironment:
		return environment.New(ref), nil
	case sources.KindIncident, sources.KindMonitor:
		return incident.New(ref), nil
	case sources.KindSeries:
		return metric.New(ref), nil
	case sources.KindDeployment, sources.KindSLO, sources.KindShift, sources.KindChange, sources.KindPage,
		sources.KindSilence:
	}
	return nil, &sources.Error{Kind: sources.Unsupported, Op: "open", Scope: ref.String(),
		Msg: fmt.Sprintf("there is no detail of a %s", ref.Kind), Fix: "open its page in the browser instead"}
}

// Idle implements pane.Idle: a pane whose kind of source is not configured.
func Idle(e pane.Env, id pane.ID) bool {
	switch id {
	case incidents.ID:
		return !e.Snap.Has(store.Incidents) && !e.Snap.Has(store.Monitors)
	case metrics.ID:
		return !e.Snap.Has(store.Metrics)
	case pipelines.ID:
		return !e.Snap.Has(store.Runs)
	case deployments.ID:
		return !e.Snap.Has(store.Environments)
	default:
		return false
	}
}

var _ pane.Idle = Idle
