package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// objects checks what a service names in other sources, and fills in what follows: a metric's signal, an
// objective's window.
func (v *validator) objects(at string, s *Service) {
	for i, o := range s.Incidents {
		if o.Source != "" {
			v.knownSource(fmt.Sprintf("%s.incidents[%d]", at, i), o.Source)
		}
	}
	for i := range s.SLOs {
		v.objective(fmt.Sprintf("%s.slos[%d]", at, i), &s.SLOs[i])
	}
	for i := range s.Metrics {
		m := &s.Metrics[i]
		where := fmt.Sprintf("%s.metrics[%d]", at, i)
		if m.Source != "" {
			v.knownSource(where+".source", m.Source)
		}
		if m.Name != "" && slices.ContainsFunc(s.Metrics[:i], func(o Metric) bool { return o.Name == m.Name }) {
			v.at(where+".name", "give each its own name", "there are two metrics %s", quoted(m.Name))
		}
		if m.Below && m.Limit == nil {
			v.at(where+".below", "add limit:, or remove it", "below says on which side of the limit it is bad, and there is no limit")
		}
		if m.Signal == "" {
			m.Signal = signalOf(m.Name, m.Unit)
		}
	}
}

// budgetWindow is how long an error budget lasts where nothing is said.
const budgetWindow = 30 * 24 * time.Hour

func (v *validator) objective(at string, o *Objective) {
	if o.Source != "" {
		where := at
		if v.has(at + ".source") {
			where += ".source"
		}
		v.knownSource(where, o.Source)
	}
	switch {
	case o.ID == "" && o.Query == "":
		v.at(at, "write source:id, or add query:", "it says neither which objective it is nor how to compute it")
	case o.ID != "" && o.Query != "":
		v.at(at+".query", "keep one of id and query", "an objective that the source knows is not computed here")
		return
	case o.ID != "":
		return
	}
	if o.Query != "" && !strings.Contains(o.Query, "{{"+varWindow+"}}") {
		v.at(at+".query", "write the range as [{{window}}]", "the query has no {{window}}, so it cannot be asked of 5 minutes and of 30 days")
	}
	if o.Query != "" && (o.Target <= 0 || o.Target >= 100) {
		v.at(at+".target", "write percent, for example 99.9", "a target of %v %% leaves no budget, or nothing else", o.Target)
	}
	if o.Window == 0 {
		o.Window = budgetWindow
	}
	if o.Name == "" {
		o.Name = "SLO"
	}
}

// signalOf is the golden signal that a metric's name, else its unit, speaks of; "" when neither does.
func signalOf(name, unit string) string {
	name = strings.ToLower(name)
	for _, s := range []struct {
		signal string
		words  []string
	}{
		{"errors", []string{"error", "fail", "5xx", "4xx", "exception", "unsuccessful"}},
		{"saturation", []string{"cpu", "mem", "disk", "iops", "saturation", "queue", "load", "pool", "connections", "lag", "heap", "threads"}},
		{"latency", []string{"latency", "duration", "p50", "p90", "p95", "p99", "response time", "apdex"}},
		{"traffic", []string{"request", "traffic", "throughput", "rps", "qps", "rate", "hits", "calls"}},
	} {
		if slices.ContainsFunc(s.words, func(w string) bool { return strings.Contains(name, w) }) {
			return s.signal
		}
	}
	switch unit {
	case "ms", "s", "us", "µs", "ns":
		return "latency"
	case "1/s", "req/s", "/s", "rps":
		return "traffic"
	default:
		return ""
	}
}
