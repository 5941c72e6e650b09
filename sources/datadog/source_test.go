package datadog

import (
	"math"
	"net/url"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

func urlUnescape(s string) (string, error) { return url.QueryUnescape(s) }

func checkoutSpec() sources.ServiceSpec {
	return sources.ServiceSpec{
		Name: "checkout",
		Metrics: []sources.MetricSpec{
			{Name: "errors", Query: "100*sum:errors{service:checkout} by {region}.as_count()/sum:hits{service:checkout} by {region}.as_count()", Unit: "%", Limit: 1, Signal: sources.ErrorSignal},
			{Name: "latency", Query: "p95:latency{service:checkout}", Unit: "ms", Limit: math.NaN()},
			{Name: "older", Query: "system.load.1", Limit: math.NaN()},
		},
		SLOs: []sources.SLOSpec{{ID: "slo1", Name: "availability"}},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	services := []sources.ServiceSpec{checkoutSpec()}
	q := sources.Query{Services: services, Identity: "sre1@acme.example"}
	followed := q
	followed.Followed, followed.Scope = true, "checkout"
	sourcetest.Run(t, sourcetest.Harness{
		Driver: Driver(),
		Config: func(tb testing.TB) any {
			c := testConfig(tb)
			c.Teams, c.Schedules = []string{"payments"}, []string{"payments-primary"}
			return c
		},
		Secret:          testKey,
		CredentialHosts: []string{"api.datadoghq.com", "navy.oncall.datadoghq.com"},
		Provider: func(testing.TB) sourcetest.Provider {
			h := &hub{}
			return sourcetest.Provider{Handler: h, Change: h.change}
		},
		Reads: []sourcetest.Read{
			{Capability: store.Incidents, Query: q}, {Capability: store.Past, Query: q}, {Capability: store.Monitors, Query: q},
			{Capability: store.Metrics, Query: followed}, {Capability: store.SLOs, Query: q}, {Capability: store.Shifts, Query: q},
			{Capability: store.Changes, Query: q},
		},
		Now:      testNow.Add(17 * time.Second),
		FreeText: []string{"Card payments fail", "Card errors 3", "Runbook", "Checkout availability", "Person 902", "payments-primary", "Deployed checkout v1.4.2", "Sam Reyes", "night"},
	})
}
