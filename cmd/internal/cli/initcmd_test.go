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
