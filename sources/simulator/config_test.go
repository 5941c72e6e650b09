package simulator_test

import (
	"strings"
	"testing"

	"example.com/signalbox/config"
	"example.com/signalbox/sources/all"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/world"
)

// TestConfig holds that the board's configuration is one.
func TestConfig(t *testing.T) {
	t.Parallel()
	story, load := start(t, simulator.Options{}), start(t, simulator.Options{Scale: world.Scale{Repositories: 3}})
	full := start(t, simulator.Options{Scale: world.Scale{Repositories: 3, Incidents: 5, Series: 30, Monitors: 20}})
	var types []config.SourceType
	for _, d := range all.Drivers() {
		types = append(types, config.SourceType{Name: d.Name, Doc: d.Doc, Sample: d.Sample, Config: d.Config})
	}
	for _, x := range []struct {
		c        *client
		services []string
	}{
		{story, []string{"checkout", "search", "web", "accounts", "ledger", "reports", "billing-core"}},
		{load, []string{"service-001", "service-002", "service-003"}},
		{full, []string{"service-001", "service-002", "service-003"}},
	} {
		text := x.c.sim.Config("env:SIM_TOKEN")
		if strings.Contains(string(text), x.c.sim.Token()) {
			t.Error("the config holds the token")
		}
		cfg, err := config.Parse("sim.yaml", text, config.Options{Types: types})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var names []string
		for _, s := range cfg.Services {
			names = append(names, s.Name)
		}
		if strings.Join(names, " ") != strings.Join(x.services, " ") {
			t.Errorf("services are %v", names)
		}
	}
}
