package pagerduty

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"example.com/signalbox/sources"
)

func TestFacts(t *testing.T) {
	t.Parallel()
	two := `Labels:
 - alertname = ReplicaLag
 - service = ledger
 - env = prod
 - region = eu
Annotations:
 - summary = lag
Source: http://prom:9090/graph
Labels:
 - alertname = ReplicaLag
 - service = ledger
 - env = prod
 - region = us
Annotations:
Source: http://prom:9090/graph
`
	lag := func(region string) string {
		return sources.AlertKey(`{alertname="ReplicaLag", env="prod", region="` + region + `", service="ledger"}`)
	}
	for _, c := range []struct {
		name    string
		raw     any
		keys    []string
		scope   string
		runbook string
	}{
		{"nothing", nil, nil, "", ""},
		{"a monitor's link", obj{"client_url": "https://app.datadoghq.com/monitors/99?group=x"}, []string{"monitor/99"}, "", ""},
		{"in a sentence", obj{"body": "see https://app.datadoghq.com/monitors/99, please (https://app.datadoghq.com/monitors/100)."}, []string{"monitor/99", "monitor/100"}, "", ""},
		{"no monitor's link", obj{"u": "https://x.example/monitors/edit/9, https://x.example/monitors/9x https://x.example/monitors/99999999999999999999"}, nil, "", ""},
		{"an incident of Datadog's", obj{"u": "https://acme.datadoghq.eu/incidents/12"}, []string{"incident/datadog/12"}, "", ""},
		{"an incident of somebody else", obj{"u": "https://example.com/incidents/12"}, nil, "", ""},
		{"two alerts", obj{"details": obj{"firing": two, "num_firing": "2", "resolved": strings.ReplaceAll(two, "ReplicaLag", "Gone")}}, []string{lag("eu"), lag("us")}, "prod eu us", ""},
		{"alerts in JSON", obj{"firing": []obj{{"status": "firing", "labels": obj{"alertname": "A", "le": `a"b`}}, {"status": "resolved", "labels": obj{"alertname": "B"}}}}, []string{sources.AlertKey(`{alertname="A", le="a\"b"}`)}, "", ""},
		{"alerts in JSON in text", obj{"firing": `[{"labels":{"alertname":"A","dotted.name":"x"},"annotations":{"runbook_url":"https://rb.example/a"}}]`}, []string{sources.AlertKey(`{alertname="A", "dotted.name"="x"}`)}, "", "https://rb.example/a"},
		{"a value of two lines", obj{"firing": "Labels:\n - alertname = A\n - msg = one\n two\nAnnotations:\nSource: "}, []string{sources.AlertKey(`{alertname="A", msg="one\n two"}`)}, "", ""},
		{"an empty label", obj{"firing": "Labels:\n - alertname = A\n - x = \nSource: x"}, []string{sources.AlertKey(`{alertname="A", x=""}`)}, "", ""},
		{"tags in a list", obj{"tags": []string{"env:staging", "region:eu", "cluster:c1", "note"}}, nil, "staging eu c1", ""},
		{"a runbook by name", obj{"details": obj{"Runbook URL": "https://rb.example/1"}}, nil, "", "https://rb.example/1"},
		{"a runbook by its link's text", []obj{{"type": "link", "href": "https://rb.example/2", "text": "The Runbook"}}, nil, "", "https://rb.example/2"},
		{"a runbook that is no address", obj{"runbook": "javascript:alert(1)"}, nil, "", ""},
		{"a place that is a sentence", obj{"region": "somewhere in Europe", "env": 7}, nil, "7", ""},
	} {
		raw, err := json.Marshal(c.raw)
		if err != nil {
			t.Fatal(err)
		}
		f := factsOf(raw)
		if !slices.Equal(f.Keys, c.keys) || f.Scope.String() != c.scope || f.Runbook != c.runbook {
			t.Errorf("%s: keys %q, scope %q, runbook %q", c.name, f.Keys, f.Scope, f.Runbook)
		}
	}
}

// However large the details, looking at them is bounded.
func TestFactsAreBounded(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000)
	var wide strings.Builder
	wide.WriteString(`{"tags":[`)
	for i := range 20_000 {
		if i > 0 {
			wide.WriteByte(',')
		}
		wide.WriteString(`"k` + strings.Repeat("x", i%50) + `:v","https://e.example/monitors/` + strings.Repeat("1", 1+i%15) + `"`)
	}
	wide.WriteString(`]}`)
	for _, raw := range []string{deep, wide.String()} {
		f := factsOf(json.RawMessage(raw))
		if len(f.Keys) > mostFacts || len(f.Labels) > mostFacts {
			t.Errorf("%d keys, %d labels", len(f.Keys), len(f.Labels))
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://a.example/x?y=1#z": "https://a.example/x?y=1#z", "http://a.example": "http://a.example", "https://a.example/ä?q=\u202e": "https://a.example/%C3%A4?q=%E2%80%AE",
		"": "", "a.example": "", "ftp://a.example": "", "javascript:x": "", "https://u:p@a.example": "", "https://a.example/\x1b[2J": "", "https:///x": "",
	} {
		if got := linkOf(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
