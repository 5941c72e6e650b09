package cli

import (
	"strings"
	"testing"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources"
)

func TestStages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ names, want string }{
		{"dev staging prod", "dev staging prod"},
		{"dev production-eu production-us", `dev {name: prod, provider_name: "production-{{target}}", targets: [eu, us]}`},
		{"Production(EU)", `{name: Production-EU, provider_name: "Production(EU)"}`},
		{"prod/a dev prod/b", `{name: prod, provider_name: "prod/{{target}}", targets: [a, b]} dev`},
		{"dev production-eu", "dev production-eu"},
		{"prod-eu production-us", "prod-eu production-us"},
		{"prod prod-eu prod-us", "prod prod-eu prod-us"},
		{"no", `"no"`},
		{"12", `"12"`},
	} {
		if got := strings.Join(stages(strings.Fields(tt.names)), " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.names, got, tt.want)
		}
	}
}

// What init writes is a config, whatever the repositories and their environments are called.
func TestConfigTextIsAConfig(t *testing.T) {
	t.Parallel()
	lookup := func(name string) (string, bool) {
		if name == "GITHUB_TOKEN" {
			return "x", true
		}
		return "", false
	}
	seed, err := config.Credential(lookup, wire.LoadOptions())
	if err != nil {
		t.Fatal(err)
	}
	propose := func(service, repo string, sure float64, environments ...string) wire.Proposal {
		return wire.Proposal{Source: "github", Hosts: true, Proposal: sources.Proposal{
			Service: service, Repo: repo, Environments: environments, Deploy: "deploy it.yml", Confidence: sure, Why: []string{"a:\nb # c"},
		}}
	}
	text, err := configText(seed, candidates([]wire.Proposal{
		propose("shop", "acme/shop", 1, "dev", "production-eu", "production-us"),
		propose("shop", "other/shop", 0.9, "no", "1e3", "a b", "x: y", "[z]", `"q"`, "# c", "{{env}}"),
		propose("null", "acme/null", 0.7),
		propose(".github", "acme/.github", 0.7),
		propose("shop", "other/shop", 0.6, "{{env}}"),
		propose("maybe", "acme/maybe", 0.2, "dev"),
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("c.yaml", []byte(text), wire.LoadOptions())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(cfg.Services) != 5 || cfg.Services[1].Name != "other-shop" || cfg.Services[1].Environments[3].Provider != "x: y" || cfg.Services[3].Name != "github" || cfg.Services[4].Name != "other-shop-2" {
		t.Errorf("got %+v\n%s", cfg.Services, text)
	}
}

// A team without GitHub in its environment has sources to look around with all the same.
func TestAnySourceIsEnoughToStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"PROMETHEUS_URL": "http://127.0.0.1:9090"}, "prometheus"},
		{map[string]string{"PAGERDUTY_TOKEN": "x", "ALERTMANAGER_URL": "http://127.0.0.1:9093"}, "pagerduty alertmanager"},
		{map[string]string{"GITHUB_TOKEN": "x", "PAGERDUTY_TOKEN": "x"}, "github pagerduty"},
		{map[string]string{"DD_API_KEY": "x"}, ""},
	} {
		lookup := func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }
		cfg, err := seedConfig(t.Context(), config.Surroundings{Dir: t.TempDir(), Lookup: lookup})
		var got []string
		if err == nil {
			for _, s := range cfg.Sources {
				got = append(got, s.Name)
			}
		} else if !strings.Contains(err.Error(), "export GITHUB_TOKEN") || codeOf(err) != exitUsage {
			t.Errorf("%v: %v", c.env, err)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v: %q, want %q", c.env, got, c.want)
		}
	}
}
