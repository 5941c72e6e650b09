package cli

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources"
)

func repository(name string) wire.Proposal {
	return wire.Proposal{Source: "github", Hosts: true, Proposal: sources.Proposal{Service: name, Repo: "acme/" + name, Confidence: 0.9}}
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
	metric := sources.MetricSpec{Name: "requests", Unit: "1/s", Limit: math.NaN(), Query: `sum(rate(requests{service="shop"}[1m]))`}
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
	if got, want := serviceDiff(&cfg.Services[0], &shop[0]), "   shop:\n+    # incidents, to those that are there: pagerduty:PNEW\n+    slos: [datadog:abc]\n"; got != want {
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

// A source that hosts no repositories may know where a service lives. Nobody could read a repository from it,
// so it is joined to the one that is meant; several services in one are services of their own.
func TestServicesLiveInRepositories(t *testing.T) {
	t.Parallel()
	catalogue := func(name, repo string) wire.Proposal {
		return wire.Proposal{Source: "datadog", Proposal: sources.Proposal{Service: name, Repo: repo, Incidents: []string{name}, SLOs: []string{"slo-" + name}, Confidence: 0.8}}
	}
	money := repository("money")
	money.Environments = []string{"ledger-dev", "payouts-dev", "Ledger-prod", "shared"}
	list := candidates([]wire.Proposal{
		repository("Web"), money, repository("store"),
		catalogue("web", "ACME/web"), catalogue("ledger", "acme/money"), catalogue("payouts", "acme/money"), catalogue("shop", "acme/store"), catalogue("far", "other/far"),
		pages("pagerduty", "Ledger", "PLEDGER"), pages("pagerduty", "web", "PWEB"),
	})
	text, err := configText(seeded(t), list, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("c.yaml", []byte(text), wire.LoadOptions())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var got []string
	for i := range cfg.Services {
		s := &cfg.Services[i]
		var pages []string
		for _, o := range s.Incidents {
			pages = append(pages, o.Source+":"+o.ID)
		}
		var stages []string
		for _, e := range s.Environments {
			stages = append(stages, e.Name)
		}
		got = append(got, strings.TrimSpace(s.Name+" "+s.Repo.Source+":"+s.Repo.Scope+" "+strings.Join(pages, " ")+" "+strings.Join(stages, " ")))
	}
	want := []string{
		"Web github:acme/Web datadog:web pagerduty:PWEB",
		"store github:acme/store datadog:shop",
		"ledger github:acme/money datadog:ledger pagerduty:PLEDGER ledger-dev Ledger-prod",
		"payouts github:acme/money datadog:payouts payouts-dev",
		"far : datadog:far",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s\nin\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), text)
	}
	for _, part := range []string{
		"# paths: \"ledger/**\"", "  # # 25 % sure", "several services live in it: ledger, payouts\n  # money:\n",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("lacks %q in\n%s", part, text)
		}
	}
}

// What --update prints can be put into the config as it stands, whatever the config says already.
func TestWhatIsProposedFitsIn(t *testing.T) {
	t.Parallel()
	const have = `sources:
  github: {type: github, token: env:X}
  pagerduty: {type: pagerduty, token: env:X}
  datadog: {type: datadog, site: datadoghq.eu, api_key: env:X, app_key: env:X}
services:
  web:
    repo: github:acme/web
    incidents: [pagerduty:POLD]
  ledger:
    repo: github:acme/money
  billing:
    team: platform
`
	cfg, err := config.Parse("c.yaml", []byte(have), wire.LoadOptions())
	if err != nil {
		t.Fatal(err)
	}
	metric := sources.MetricSpec{Name: "p95: all", Unit: "ms", Limit: 1.5, Below: true, Query: `avg:x{service:web} # "a" \ {{service}}`}
	named := func(source, name string, id string) wire.Proposal {
		return wire.Proposal{Source: source, Proposal: sources.Proposal{
			Service: name, Incidents: []string{id}, SLOs: []string{"s" + name}, Metrics: []sources.MetricSpec{metric}, Confidence: 0.9,
		}}
	}
	diff := proposal(cfg, candidates([]wire.Proposal{
		repository("web"), repository("money"), repository("billing"), repository("web2"),
		named("pagerduty", "Web", "PNEW"), named("datadog", "ledger", "ledger"), named("datadog", "billing", "billing"), named("datadog", "new: one", "new: one"),
		{Source: "github", Hosts: true, Proposal: sources.Proposal{Service: "web", Repo: "other/web", Confidence: 0.1}},
	}))
	text := have
	at := ""
	for line := range strings.Lines(diff) {
		switch added, is := strings.CutPrefix(line, "+"); {
		case !is:
			at = "  " + strings.TrimSpace(line) + "\n"
			if strings.Count(text, at) != 1 {
				t.Fatalf("%q is no service of the config", line)
			}
		case at != "" && strings.HasPrefix(added, "    "):
			text = strings.Replace(text, at, at+added, 1)
			at += added
		default:
			at = ""
			text += added
		}
	}
	if cfg, err = config.Parse("c.yaml", []byte(text), wire.LoadOptions()); err != nil {
		t.Fatalf("%v\n%s\n%s", err, diff, text)
	}
	if len(cfg.Services) != 5 || len(cfg.Services[1].SLOs) != 1 || len(cfg.Services[0].Incidents) != 1 || len(cfg.Services[2].SLOs) != 1 {
		t.Errorf("%s", text)
	}
	uncommented := regexp.MustCompile(`(?m)^    # (metrics:|  - )`).ReplaceAllString(text, "    $1")
	if cfg, err = config.Parse("c.yaml", []byte(uncommented), wire.LoadOptions()); err != nil {
		t.Fatalf("%v\n%s", err, uncommented)
	}
	if m := cfg.Services[1].Metrics; len(m) != 1 || m[0].Name != metric.Name || *m[0].Limit != 1.5 || !m[0].Below {
		t.Errorf("%+v in\n%s", m, uncommented)
	}
}
