package config

import (
	"testing"
	"time"
)

const paged = "sources: {forge: {token: env:T}, pager: {token: cmd:x}}\n"

func TestSignalFollowsFromTheName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, unit, want string }{
		{"error rate", "%", "errors"}, {"5xx", "1/s", "errors"}, {"p95 latency", "ms", "latency"}, {"requests", "1/s", "traffic"},
		{"CPU", "%", "saturation"}, {"iops", "1/s", "saturation"}, {"replica lag", "s", "saturation"}, {"memory", "%", "saturation"},
		{"request duration", "s", "latency"}, {"checkout", "ms", "latency"}, {"orders", "req/s", "traffic"}, {"orders", "", ""},
		{"failed requests", "1/s", "errors"}, {"request rate", "", "traffic"},
	} {
		if got := signalOf(c.name, c.unit); got != c.want {
			t.Errorf("%q in %q is %q, want %q", c.name, c.unit, got, c.want)
		}
	}
}

func TestObjectives(t *testing.T) {
	t.Parallel()
	c := parse(t, paged+`services:
  a:
    repo: forge:acme/a
    metrics: [{name: free, source: pager, query: q, limit: 10, below: true, signal: saturation}]
    slos:
      - pager:abc
      - {source: pager, query: "bad[{{window}}]/all[{{window}}]", target: 99.9, traffic: "all[{{window}}]", window: 7d12h}
      - {source: pager, name: fast, query: "slow[{{window}}]", target: 99}
  b: {team: platform, incidents: [pager:P2]}
`)
	a := c.Services[0]
	want := []Objective{
		{Source: "pager", ID: "abc"},
		{Source: "pager", Name: "SLO", Query: "bad[{{window}}]/all[{{window}}]", Traffic: "all[{{window}}]", Target: 99.9, Window: 180 * time.Hour},
		{Source: "pager", Name: "fast", Query: "slow[{{window}}]", Target: 99, Window: 720 * time.Hour},
	}
	for i := range want {
		if i >= len(a.SLOs) || a.SLOs[i] != want[i] {
			t.Fatalf("objectives %+v, want %+v", a.SLOs, want)
		}
	}
	if m := a.Metrics[0]; !m.Below || m.Signal != "saturation" {
		t.Errorf("metric %+v", m)
	}
	if b := c.Services[1]; b.Team != "platform" || b.Repo != (RepoRef{}) {
		t.Errorf("another team's service %+v", b)
	}
}

func TestMistakesInObjects(t *testing.T) {
	t.Parallel()
	const service = paged + "services: {a: {repo: forge:acme/a, "
	for _, c := range []struct{ text, want string }{
		{"slos: [{source: pager}]}}", "c.yaml:2:43: it says neither which objective it is nor how to compute it: write source:id, or add query:"},
		{"slos: [{source: pager, id: x, query: y}]}}", "c.yaml:2:73: an objective that the source knows is not computed here: keep one of id and query"},
		{"slos: [{source: pager, query: \"y\", target: 99}]}}", "c.yaml:2:66: the query has no {{window}}, so it cannot be asked of 5 minutes and of 30 days: write the range as [{{window}}]"},
		{"slos: [{source: pager, query: \"{{window}}\", target: 100}]}}", "c.yaml:2:88: a target of 100 % leaves no budget, or nothing else: write percent, for example 99.9"},
		{"slos: [pagr:x]}}", "c.yaml:2:43: unknown source \"pagr\": did you mean pager?"},
		{"slos: [{source: pagr, id: x}]}}", "c.yaml:2:52: unknown source \"pagr\": did you mean pager?"},
		{"metrics: [{name: a, source: pager, query: q, below: true}]}}", "c.yaml:2:88: below says on which side of the limit it is bad, and there is no limit: add limit:, or remove it"},
		{"metrics: [{name: a, source: pager, query: \"{{target}}\"}]}}", "c.yaml:2:78: the template variable {{target}} is not known here: known here: service, repo, env"},
	} {
		_, err := Parse("c.yaml", []byte(service+c.text), testOptions())
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}
