package cli

import (
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources/simulator"
)

// What an editor is told of the config is what the check says, with the keys of the real drivers: of the sample,
// of the README's examples and of the simulator's board.
func TestSchemaTakesRealConfigs(t *testing.T) {
	t.Parallel()
	data, err := config.Schema(wire.Types())
	if err != nil {
		t.Fatal(err)
	}
	var schema openapi3.Schema
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	visit := func(text string) error {
		var v any
		// This decoder takes [a:b] for an object where it stands inside of braces; the config's own does not.
		text = regexp.MustCompile(`\[(\w+:\w+)\]`).ReplaceAllString(text, `["$1"]`)
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		plain, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(plain, &v); err != nil {
			return err
		}
		return schema.VisitJSON(v)
	}
	texts := map[string]string{"the sample": config.Sample(wire.Types())}
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		texts["the README's "+text[:min(len(text), 20)]] = text
	}
	sim, err := simulator.Start(t.Context(), simulator.Options{Start: wire.Opening(), Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	texts["the simulator's board"] = string(sim.Config("env:X"))
	for name, text := range texts {
		if err := visit(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, wrong := range []string{
		"sources: {pagerduty: {token: env:X, frm: a@b.c}}", "sources: {x: {type: prometheus}}", "services: {a: {metrics: [{name: a, source: b, query: c, limt: 1}]}}",
		"attention: {notify: osc8}", "services: {a: {slos: [{source: a, querry: b}]}}",
	} {
		if visit(wrong) == nil {
			t.Errorf("the schema takes %s", wrong)
		}
	}
	for _, driver := range []string{"alertmanager", "datadog", "github", "pagerduty", "prometheus"} {
		if !strings.Contains(texts["the sample"], "type: "+driver) {
			t.Errorf("the sample shows no %s", driver)
		}
	}
}
