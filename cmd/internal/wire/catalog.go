package wire

import (
	"maps"
	"math"
	"slices"
	"strings"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// catalogOf is what the board knows of the config. opened are the sources that it names, in its order.
func catalogOf(cfg *config.Config, opened []*openSource) *store.Catalog {
	c := &store.Catalog{Team: cfg.Team, Me: maps.Clone(cfg.Me)}
	for i := range cfg.Services {
		s := &cfg.Services[i]
		one := store.Service{
			Name: s.Name, Source: s.Repo.Source, Repo: s.Repo.Scope,
			Team: s.Team, Runbook: s.Runbook, DependsOn: slices.Clone(s.DependsOn), Discovered: s.Discovered,
		}
		for _, e := range s.Environments {
			one.Environments = append(one.Environments, e.Name)
		}
		c.Services = append(c.Services, one)
	}
	for _, o := range opened {
		c.Sources = append(c.Sources, store.SourceInfo{Name: o.entry.Name, Type: o.entry.Type, Capabilities: o.capabilities})
	}
	return c
}

// scope is one repository of one source: what is polled together.
type scope struct{ source, name string }

// specsOf is what the drivers have to know of the services, by the repository that they live in.
func specsOf(cfg *config.Config) map[scope][]sources.ServiceSpec {
	out := map[scope][]sources.ServiceSpec{}
	for i := range cfg.Services {
		s := &cfg.Services[i]
		if s.Repo == (config.RepoRef{}) {
			continue
		}
		key := scope{s.Repo.Source, s.Repo.Scope}
		out[key] = append(out[key], specOf(s, s.Repo.Source))
	}
	return out
}

// specOf is what a source has to know of s; its queries are about production.
func specOf(s *config.Service, source string) sources.ServiceSpec {
	return specIn(s, source, prodOf(s))
}

// specIn is specOf with queries about another environment.
func specIn(s *config.Service, source, env string) sources.ServiceSpec {
	spec := sources.ServiceSpec{
		Name: s.Name, Paths: s.Paths, TagPrefix: s.TagPrefix, Workflows: s.Workflows, Deploys: s.Deploys,
		VersionFrom: sources.VersionFrom{
			Payload: s.VersionFrom.Payload, Input: s.VersionFrom.Input, RunName: s.VersionFrom.RunName,
			URL: s.VersionFrom.URL, Field: s.VersionFrom.Field,
		},
		VersionInput: versionInput(s.Deploy.Inputs), DeployWorkflow: s.Deploy.Workflow,
	}
	for _, e := range s.Environments {
		spec.Environments = append(spec.Environments, sources.EnvironmentSpec{
			Name: e.Name, Provider: e.Provider, Targets: e.Targets, Prod: e.Prod,
		})
	}
	for _, o := range s.Incidents {
		if o.Source == source {
			spec.Incidents = append(spec.Incidents, o.ID)
		}
	}
	expand := strings.NewReplacer("{{env}}", env)
	for i := range s.Metrics {
		m := &s.Metrics[i]
		if m.Source != source {
			continue
		}
		limit := math.NaN()
		if m.Limit != nil {
			limit = *m.Limit
		}
		spec.Metrics = append(spec.Metrics, sources.MetricSpec{
			Service: s.Name, Name: m.Name, Query: expand.Replace(m.Query), Unit: m.Unit, Limit: limit, Below: m.Below, Signal: signalOf(m.Signal),
		})
	}
	for _, o := range s.SLOs {
		if o.Source == source {
			spec.SLOs = append(spec.SLOs, sources.SLOSpec{
				Service: s.Name, ID: o.ID, Name: o.Name, Query: expand.Replace(o.Query), Traffic: expand.Replace(o.Traffic), Target: o.Target, Window: o.Window,
			})
		}
	}
	return spec
}

// prodOf is the name of the stage that people are paged for; "prod" where there is none.
func prodOf(s *config.Service) string {
	for _, e := range s.Environments {
		if e.Prod {
			return e.Name
		}
	}
	return "prod"
}

func signalOf(s string) sources.Signal {
	if s == "other" {
		return sources.OtherSignal
	}
	return sources.Signal(s)
}

// versionInput is the input that carries the version into the deploy workflow; "" when none does. Of
// several the first by name counts, so that the answer is always the same.
func versionInput(inputs map[string]config.Input) string {
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		v := strings.ReplaceAll(string(inputs[name]), " ", "")
		if strings.Contains(v, "{{sha}}") || strings.Contains(v, "{{version}}") {
			return name
		}
	}
	return ""
}

// perRepository are the capabilities that are read one repository at a time; the others are read for the
// whole source.
func perRepository(c store.Capability) bool {
	switch c {
	case store.Runs, store.Environments, store.Releases:
		return true
	case store.Incidents, store.Metrics, store.Monitors, store.SLOs, store.Shifts, store.Changes, store.Past:
		return false
	default:
		return false
	}
}
