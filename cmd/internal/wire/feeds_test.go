package wire

import (
	"math"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
)

const behaviour = `
me: {pagerduty: sre1@example.com}
sources:
  github: {token: env:GITHUB_TOKEN}
  prometheus: {url: "http://127.0.0.1:9090"}
  pagerduty: {token: env:PD_TOKEN}
services:
  checkout:
    repo: github:acme/checkout
    environments: [dev, production]
    incidents: [pagerduty:P1, prometheus:shop]
    metrics:
      - {name: errors, source: prometheus, query: 'rate(errors{service="{{service}}",env="{{env}}"}[1m])', limit: 2}
      - {name: free memory, source: prometheus, query: free, below: true, limit: 10}
    slos: [{source: prometheus, query: "bad[{{window}}]", target: 99.9}]
  search:
    repo: github:acme/search
    metrics: [{name: errors, source: prometheus, query: q}]
  billing-core: {team: platform, incidents: [pagerduty:P9]}
`

func behaving(t *testing.T) *Board {
	t.Helper()
	cfg, err := config.Parse("c.yaml", []byte(behaviour), LoadOptions())
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Options{Config: cfg, Private: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	for _, o := range b.open {
		if o.entry.Type == "prometheus" {
			o.capabilities = []store.Capability{store.Metrics, store.SLOs}
		}
	}
	return b
}

func TestFeedsOfBehaviour(t *testing.T) {
	t.Parallel()
	b := behaving(t)
	feeds := feedsOf(b.config, b.open, pane.Watch{Service: "search", Span: 4 * time.Hour, Step: time.Minute})
	var metrics []string
	for _, f := range feeds {
		switch f.Key.Capability {
		case store.Metrics:
			metrics = append(metrics, f.Key.Scope)
			q := f.Query
			if followed := f.Key.Scope == "search"; q.Followed != followed || followed && (q.Step != time.Minute || q.Window != 8*time.Hour) || !followed && q.Window != 2*time.Hour {
				t.Errorf("the question of %s is %+v", f.Key.Scope, q)
			}
			if len(q.Services) != 1 || q.Services[0].Name != f.Key.Scope {
				t.Errorf("%s is read for %+v", f.Key.Scope, q.Services)
			}
		case store.Incidents:
			if f.Query.Identity != "sre1@example.com" && f.Key.Source == "pagerduty" {
				t.Errorf("identity %q", f.Query.Identity)
			}
			if i := slices.IndexFunc(f.Query.Services, func(s sources.ServiceSpec) bool { return s.Name == "billing-core" }); i < 0 || !slices.Equal(f.Query.Services[i].Incidents, []string{"P9"}) {
				t.Errorf("another team's service is not known to %s: %+v", f.Key, f.Query.Services)
			}
		case store.Runs, store.Environments, store.Releases, store.Monitors, store.SLOs, store.Shifts, store.Changes, store.Past:
		}
	}
	if !slices.Equal(metrics, []string{"checkout", "search"}) {
		t.Errorf("metrics of %q", metrics)
	}
	spec := specOf(&b.config.Services[0], "prometheus")
	if m := spec.Metrics[0]; m.Query != `rate(errors{service="checkout",env="production"}[1m])` || m.Signal != sources.ErrorSignal || m.Limit != 2 {
		t.Errorf("metric %+v", m)
	}
	if m := spec.Metrics[1]; !m.Below || m.Signal != sources.SaturationSignal {
		t.Errorf("metric %+v", m)
	}
	if !slices.Equal(spec.Incidents, []string{"shop"}) || len(spec.SLOs) != 1 || spec.SLOs[0].Window != 720*time.Hour {
		t.Errorf("spec %+v", spec)
	}
	if m := specOf(&b.config.Services[1], "prometheus").Metrics[0]; !math.IsNaN(m.Limit) {
		t.Errorf("a limit from nowhere: %+v", m)
	}
	if len(specOf(&b.config.Services[0], "pagerduty").Metrics) != 0 {
		t.Error("a source is given another's metrics")
	}
}

func TestMetricOfASeries(t *testing.T) {
	t.Parallel()
	b := behaving(t)
	for _, c := range []struct{ id, want string }{
		{"checkout/errors", "errors"}, {`checkout/errors{code="500"}`, "errors"}, {"checkout/free memory", "free memory"}, {"checkout/error", ""}, {"gone/errors", ""},
	} {
		spec, ok := b.metric(sources.Ref{Source: "prometheus", Kind: sources.KindSeries, ID: c.id})
		if ok != (c.want != "") || ok && (len(spec.Metrics) != 1 || spec.Metrics[0].Name != c.want) {
			t.Errorf("%s: %t, %+v", c.id, ok, spec.Metrics)
		}
	}
	if _, ok := b.metric(sources.Ref{Source: "pagerduty", Kind: sources.KindSeries, ID: "checkout/errors"}); ok {
		t.Error("another source's metric")
	}
	_, err := b.Load(t.Context(), pane.Ask{Metric: sources.Ref{Source: "prometheus", Kind: sources.KindSeries, ID: "gone/errors"}})
	if sources.KindOf(err) != sources.NotExist {
		t.Errorf("a metric that is gone: %v", err)
	}
	_, err = b.Load(t.Context(), pane.Ask{Incident: sources.Ref{Source: "github", Kind: sources.KindIncident, ID: "1"}})
	if sources.KindOf(err) != sources.Unsupported {
		t.Errorf("an incident of GitHub: %v", err)
	}
}

func TestWatchKeepsTheLatest(t *testing.T) {
	t.Parallel()
	b := behaving(t)
	for i := range 100 {
		b.Watch(pane.Watch{Service: string(rune('a' + i%26))})
	}
	if w := <-b.watches; w.Service != string(rune('a'+99%26)) {
		t.Errorf("%+v", w)
	}
}
