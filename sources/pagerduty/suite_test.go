package pagerduty

import (
	"testing"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

func TestSource(t *testing.T) {
	q := query()
	sourcetest.Run(t, sourcetest.Harness{
		Driver: Driver(),
		Config: func(tb testing.TB) any {
			cfg := defaults()
			cfg.Token = tokenRef(tb, fakeToken)
			return cfg
		},
		Secret:          fakeToken,
		CredentialHosts: []string{"api.pagerduty.com"},
		Provider: func(testing.TB) sourcetest.Provider {
			f := newFake()
			f.most = 2 // a list of three takes two pages
			for range 2 {
				f.open("PBILL", "slow queries", 0)
			}
			return sourcetest.Provider{Handler: f, Change: f.change}
		},
		Reads: []sourcetest.Read{
			{Capability: store.Incidents, Query: q}, {Capability: store.Past, Query: q},
			{Capability: store.Shifts, Query: q}, {Capability: store.Changes, Query: q},
			{Capability: store.Shifts, Query: sources.Query{Now: testNow}},
		},
		Now:      testNow,
		FreeText: []string{"5xx above 2 % for 5m", "replica lag above 30s", "pay_retry on", "Payments", "payments", "Primary", "sre1", "Ledger", "dev4"},
	})
}
