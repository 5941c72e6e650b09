package config

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "a", "[]", "- a", "a: b: c", "sources: {forge: {type: forge, token: literal}}",
		Sample(testOptions().Types), full,
		"include: [a.yaml, '*.yaml', c.yaml]\nservices: {a: {repo: forge:a/b}}",
		"x: &a [*a]", "a: &a {b: 1}\n<<: *a", "a: &x [1]\nb: &y [*x, *x]\nc: [*y, *y, *y]",
		"theme: {palette: drak}\nkeys: {zoom: null, quit: [bad]}\nmouse: 7\nrefresh: {live: -1s}",
		"services:\n  a: {repo: 'forge:x/{{repo}}', environments: [{name: '{{env}}'}, a, a]}\n",
		"team: \"\\e[31m\"\n", "a: !!int x\n? [b]\n: c\n", "\"a\": |\n  x\n a: >-\n", "\xff", "a:\r\n\tb\r\n", "---\na\n---\nb",
		"policies: [{name: a, during: {from: Fri 16:00, to: Mon 8, zone: ../etc}}]",
		"policies: [{name: a, else: deny, require: \"a \\\"b\\\" \\u0041 c\"}, {builtin: ci, because: 'it''s {{x}}', during: {from: 2026-12-20, to: Mon 8:00}}]",
		"policies:\n- name: a\n  require: |\n    a &&\n      b\n  because: >-\n    x\n\n    y\nroles: {a: [b, '']}\n",
		"services: {a: {repo: forge:x/a, deploy: {via: x, workflow: a.yml, ref: 'a b', marker: m, auto: no, inputs: {m: '{{sha}}', '': 1}}}}\nguard: {window: 0, skip: 0, requests: -1, on_fail: x}",
		"notify: [{slack: env:A, on: ack}, {webhook: 'https://a:b@c', secret: x, on: []}, {annotations: \"http://\\e[0m\"}, {note: false, on: [guard, guard]}, {event: forge, on: x}, {on: }, 5, [], {webhook: [a], annotations: {b: c}}]",
	} {
		f.Add(seed)
	}
	o := testOptions()
	o.PostsEvents = func(kind string) bool { return kind == "pager" }
	o.Files = memory{
		"a.yaml": "services: {a: {repo: forge:a/a}}\ninclude: b.yaml", "b.yaml": "include: a.yaml\ndefaults: {runbook: x}",
		"d.yaml": "sources: {forge: {}}\nteam: [", "c.yaml": "team: c",
	}
	o.CheckPolicies = func(rules []Policy) (out []PolicyProblem) {
		for i, r := range rules {
			lines := strings.Split(r.Require, "\n")
			out = append(out, PolicyProblem{Rule: i, Field: "require", Line: 1, Column: 1, Msg: "begin"},
				PolicyProblem{Rule: i, Field: "require", Line: len(lines), Column: len(lines[len(lines)-1]) + 1, Msg: "end"})
		}
		return out
	}
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		c, err := Parse("c.yaml", []byte(text), o)
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("took %s", took)
		}
		if err == nil {
			if !Diff(c, c).None() {
				t.Fatal("differs from itself")
			}
			for _, w := range c.Warnings {
				oneLine(t, w.Pos, w.String())
			}
			return
		}
		var all Errors
		if !errors.As(err, &all) || len(all) == 0 {
			t.Fatalf("%T: %v", err, err)
		}
		for _, e := range all {
			oneLine(t, e.Pos, e.Error())
			if e.Pos.File == "c.yaml" && e.Pos.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+1 {
				t.Fatalf("behind the end: %v", e)
			}
		}
	})
}

func oneLine(t *testing.T, pos Position, line string) {
	t.Helper()
	if pos.Line < 1 || pos.Column < 1 || !strings.HasSuffix(pos.File, ".yaml") {
		t.Fatalf("no position: %q", line)
	}
	if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		t.Fatalf("cannot be printed: %q", line)
	}
}

func FuzzRemote(f *testing.F) {
	for _, seed := range []string{
		"https://github.com/a/b.git", "git@github.com:a/b", "ssh://git@ssh.github.com:443/a/b", "https://u:p@github.com:443/a/b/",
		"C:\\repo", "/srv/git", "file:///a/b", "[remote \"origin\"]\nurl = \"https://github.com/a/b\" # x\n", "github.com@evil:a/b", "https://github.com\\@evil/a/b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		check := func(host, repo string) {
			if host != strings.ToLower(host) || strings.ContainsAny(host, "@/\\ ") || strings.ContainsFunc(host+repo, unicode.IsControl) {
				t.Fatalf("host %q, repo %q", host, repo)
			}
			if owner, name, two := strings.Cut(repo, "/"); !two || owner == "" || name == "" || strings.Contains(name, "/") || name == ".." {
				t.Fatalf("repo %q", repo)
			}
		}
		if host, repo, ok := ParseRemote(text); ok {
			check(host, repo)
		}
		for _, r := range parseGitConfig(text) {
			check(r.Host, r.Repo)
		}
	})
}

// full uses every key.
const full = `team: payments
me: {forge: sre1}
sources:
  forge:
    type: forge
    token: env:FORGE_TOKEN
    app: {id: 5, key: file:key.pem}
    owners: {acme: {token: "cmd:op read x"}}
    base_url: https://forge.example.com
    level: high
    limit: 7
    small: -3
    count: 9
    ratio: 0.5
    fast: true
    wait: 1m30s
    hosts: [a, b]
    extra: {a: [1, 2.5, true, x, null]}
    proxy: http://p
  pager: {token: env:PAGER}
defaults:
  repo: forge:acme/{{service}}
  environments: [dev, staging, {name: prod, provider_name: "{{env}}-{{target}}", targets: [eu, us]}]
  deploy: {via: workflow, workflow: deploy.yml, ref: main, marker: plan, auto: merge, inputs: {environment: "{{env}}", ref: "{{ sha }}", n: 5, dry: false}}
  version_from: {url: "https://{{service}}.{{env}}.example.com/version", field: sha}
  metrics: [{name: errors, source: forge, query: "service:{{service}},env:{{env}}", unit: "%", limit: 2}]
services:
  checkout: {incidents: [pager:P1], slos: [pager:abc], depends_on: ledger, runbook: "https://x.example.com/{{service}}", migrations: "db/**"}
  ledger: {repo: forge:acme/money, paths: [ledger/**, lib/**], tag_prefix: ledger/, workflows: "ledger*", deploys: ["deploy *"], version_from: {run_name: "^(.*)$"}}
policies:
  - {name: soak, env: prod, require: "from.age > 5", else: deny, because: "only {{from.age}}"}
  - {name: freeze, on: [promote, rollback], during: {from: "Fri 16:00", to: "monday 8:00", zone: Europe/Berlin}, else: type, break_glass: true}
guard: {window: 10m, skip: 1m, requests: 100, on_fail: rollback}
notify:
  - {slack: env:SLACK, on: [promote, guard]}
  - {webhook: env:HOOK, secret: file:hook, on: ack}
  - {annotations: "https://grafana.example.com/api/annotations", secret: env:GRAFANA, on: [rollback]}
  - {note: true, on: [rollback, guard]}
  - {event: pager, on: promote}
theme: {palette: dark, glyphs: ascii, color: 256, sync_output: off}
mouse: off
keys: {refresh: [r, f5], zoom: null}
refresh: {live: 10s, waiting: 20s, quiet: 2m}
state_dir: state
read_only: true
`
