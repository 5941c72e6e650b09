package cli

import (
	"strings"
	"testing"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources"
)

func repository(name string) wire.Proposal {
	return wire.Proposal{Source: "github", Proposal: sources.Proposal{Service: name, Repo: "acme/" + name, Confidence: 0.9}}
}

func pages(source, name string, ids ...string) wire.Proposal {
	return wire.Proposal{Source: source, Proposal: sources.Proposal{Service: name, Incidents: ids, Confidence: 0.8}}
}

func seeded(t *testing.T) *config.Config {
	t.Helper()
	env := map[string]string{
		"GITHUB_TOKEN": "x", "PAGERDUTY_TOKEN": "x", "DD_API_KEY": "x", "DD_APP_KEY": "x", "DD_SITE": "datadoghq.eu", "PROMETHEUS_URL": "http://127.0.0.1:9090",
		"ALERTMANAGER_URL": "http://127.0.0.1:9093",
	}
	cfg, err := config.Credential(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, wire.LoadOptions())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// What several systems call by one name is one service; what is only alike, or could be several, is said
// to be so and left to a person.
func TestSourcesAreMatchedByName(t *testing.T) {
	t.Parallel()
	metric := sources.MetricSpec{Name: "requests", Unit: "1/s", Query: `sum(rate(requests{service="shop"}[1m]))`}
	found := candidates([]wire.Proposal{
		repository("shop"), repository("billing-api"), repository("billing-app"), repository("search"),
		pages("pagerduty", "Shop", "PSHOP"),
		pages("datadog", "shop", "shop"),
		{Source: "datadog", Proposal: sources.Proposal{Service: "shop", SLOs: []string{"abc"}, Metrics: []sources.MetricSpec{metric}, Confidence: 0.9}},
		pages("pagerduty", "Search (production)", "PSEARCH"),
		pages("pagerduty", "billing", "PBILL"),
		pages("pagerduty", "Mainframe", "PMAIN"),
		pages("datadog", "mainframe", "mainframe"),
		{Source: "prometheus", Proposal: sources.Proposal{Service: "node", Metrics: []sources.MetricSpec{metric}, Confidence: 0.3}},
	})
	text, err := configText(seeded(t), found, []error{&sources.Error{Op: "list services", Msg: "the token may not"}})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("c.yaml", []byte(text), wire.LoadOptions())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(cfg.Sources) != 5 || len(cfg.Services) != 5 {
		t.Errorf("%d sources and %d services in\n%s", len(cfg.Sources), len(cfg.Services), text)
	}
	for _, part := range []string{
		"    incidents: [pagerduty:PSHOP, datadog:shop]\n    slos: [datadog:abc]\n    # metrics:\n    #   - {name: requests, source: datadog, unit: \"1/s\", query: \"sum(rate(requests{service=\\\"shop\\\"}[1m]))\"}\n",
		"    # pagerduty calls something \"Search (production)\": the names are alike, not equal\n    # incidents: [pagerduty:PSEARCH]\n",
		"    # pagerduty calls something \"billing\": 2 services have as good a claim to it\n    # incidents: [pagerduty:PBILL]\n",
		"  Mainframe:\n    # repo: no repository of that name was found\n    incidents: [pagerduty:PMAIN, datadog:mainframe]\n",
		"  # node:\n", "# not asked for services: list services: the token may not\n", "site: datadoghq.eu",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("lacks\n%s\nin\n%s", part, text)
		}
	}
	if strings.Count(text, "PBILL") != 2 {
		t.Errorf("both that may be meant are told\n%s", text)
	}
}

func TestOnlyWhatLacksIsProposed(t *testing.T) {
	t.Parallel()
	cfg := seeded(t)
	cfg.Services = []config.Service{{
		Name: "shop", Repo: config.RepoRef{Source: "github", Scope: "acme/shop"}, Incidents: []config.ObjectRef{{Source: "pagerduty", ID: "PSHOP"}},
		Metrics: []config.Metric{{Name: "requests"}},
	}}
	shop := candidates([]wire.Proposal{
		repository("shop"), pages("pagerduty", "shop", "PSHOP", "PNEW"),
		{Source: "datadog", Proposal: sources.Proposal{Service: "shop", SLOs: []string{"abc"}, Metrics: []sources.MetricSpec{{Name: "x"}}, Confidence: 0.9}},
	})
	if got, want := serviceDiff(&cfg.Services[0], &shop[0]), "   shop:\n+    incidents: [pagerduty:PNEW]\n+    slos: [datadog:abc]\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	cfg.Services[0].SLOs = []config.Objective{{Source: "datadog", ID: "abc"}}
	cfg.Services[0].Incidents = append(cfg.Services[0].Incidents, config.ObjectRef{Source: "pagerduty", ID: "PNEW"})
	if got := serviceDiff(&cfg.Services[0], &shop[0]); got != "" {
		t.Errorf("nothing lacks, and it proposes\n%s", got)
	}
	if got := servicesOf(cfg, &candidate{Proposal: pages("pagerduty", "Shop", "P")}); len(got) != 1 {
		t.Errorf("a service that is known by its name: %v", got)
	}
}
