package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseFull(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	c := parse(t, full)
	f, ok := c.Sources[0].Config.(*forge)
	if !ok || c.Sources[0].Name != "forge" || c.Sources[0].Type != "forge" || c.Sources[1].Type != "pager" {
		t.Fatalf("sources %+v", c.Sources)
	}
	if f.Token.String() != "env:FORGE_TOKEN" || f.App.ID != 5 || f.Owners["acme"].Token.String() != "cmd:op …" || f.Level != "high" ||
		f.Limit != 7 || f.Small != -3 || f.Count != 9 || f.Ratio != 0.5 || !f.Fast || f.Wait != 90*time.Second || len(f.Hosts) != 2 || f.Proxy != "http://p" {
		t.Errorf("driver's config %+v", f)
	}
	if want := []any{int64(1), 2.5, true, "x", nil}; !reflect.DeepEqual(f.Extra["a"], want) {
		t.Errorf("extra %#v", f.Extra)
	}
	if wd, err := os.Getwd(); err != nil || f.App.Key.String() != "file:"+filepath.Join(wd, "key.pem") {
		t.Errorf("key %s, %v", f.App.Key, err)
	}
	checkout, ledger := c.Services[0], c.Services[1]
	wantEnvironments := []Environment{
		{Name: "dev", Provider: "dev"}, {Name: "staging", Provider: "staging"},
		{Name: "prod", Provider: "prod-{{target}}", Targets: []string{"eu", "us"}, Prod: true},
	}
	for _, s := range c.Services {
		if !reflect.DeepEqual(s.Environments, wantEnvironments) {
			t.Errorf("%s: environments %+v", s.Name, s.Environments)
		}
	}
	if checkout.Repo != (RepoRef{"forge", "acme/checkout"}) || ledger.Repo != (RepoRef{"forge", "acme/money"}) {
		t.Errorf("repos %v %v", checkout.Repo, ledger.Repo)
	}
	if want := (Deploy{"workflow", "deploy.yml", "main", map[string]Input{"environment": "{{env}}", "ref": "{{sha}}", "n": "5", "dry": "false"}, "plan", "merge"}); !reflect.DeepEqual(checkout.Deploy, want) {
		t.Errorf("deploy %+v", checkout.Deploy)
	}
	if checkout.VersionFrom != (VersionFrom{URL: "https://checkout.{{env}}.example.com/version", Field: "sha"}) || ledger.VersionFrom != (VersionFrom{RunName: "^(.*)$"}) {
		t.Errorf("version_from %+v, %+v: a service replaces the whole value", checkout.VersionFrom, ledger.VersionFrom)
	}
	if !slices.Equal(ledger.Paths, []string{"ledger/**", "lib/**"}) || !slices.Equal(ledger.Deploys, []string{"deploy *"}) || ledger.TagPrefix != "ledger/" ||
		!slices.Equal(checkout.DependsOn, []string{"ledger"}) || !slices.Equal(checkout.Migrations, []string{"db/**"}) || checkout.Runbook != "https://x.example.com/checkout" {
		t.Errorf("services %+v", c.Services)
	}
	if checkout.Incidents[0] != (ObjectRef{"pager", "P1"}) || checkout.SLOs[0] != (Objective{Source: "pager", ID: "abc"}) || *checkout.Metrics[0].Limit != 2 {
		t.Errorf("others' objects %+v", checkout)
	}
	p := c.Policies
	if p[0].Because != "only {{from.age}}" || p[0].BreakGlass != nil || !*p[1].BreakGlass || *p[1].During != (During{When{Day: time.Friday, Hour: 16}, When{Day: time.Monday, Hour: 8}, "Europe/Berlin"}) {
		t.Errorf("policies %+v", p)
	}
	if c.Guard != (Guard{10 * time.Minute, time.Minute, 100, "rollback"}) || c.Notify[1].Webhook.String() != "env:HOOK" {
		t.Errorf("guard %+v, notify %+v", c.Guard, c.Notify)
	}
	if c.Theme != (Theme{"dark", "ascii", "256", "off"}) || bool(c.Mouse) || !c.ReadOnly || c.Refresh != (Refresh{10 * time.Second, 20 * time.Second, 2 * time.Minute}) {
		t.Errorf("board %+v %v %v", c.Theme, c.Mouse, c.Refresh)
	}
	if keys, ok := c.Keys["zoom"]; !ok || len(keys) != 0 || !slices.Equal(c.Keys["refresh"], []string{"r", "f5"}) {
		t.Errorf("keys %v", c.Keys)
	}
	if c.StateDir != absolute("state") || c.Team != "payments" || c.Me["forge"] != "sre1" {
		t.Errorf("state_dir %s", c.StateDir)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings %v", c.Warnings)
	}
	if s := parse(t, good+"state_dir: ~/x").StateDir; s != "/home/me/x" {
		t.Errorf("state_dir %s", s)
	}
}

func TestDefaultsHold(t *testing.T) {
	t.Parallel()
	c := parse(t, "sources: {forge: {}}\ntheme:\nmouse:\nguard: {}\nrefresh: {quiet: 10m}\nservices:\n")
	want := defaults()
	want.Refresh.Quiet = 10 * time.Minute
	if c.Theme != want.Theme || !bool(c.Mouse) || c.Guard != want.Guard || c.Refresh != want.Refresh {
		t.Errorf("got %+v %+v %+v", c.Theme, c.Guard, c.Refresh)
	}
	if f := c.Sources[0].Config.(*forge); f.Limit != 10 || f.Level != "low" {
		t.Errorf("the driver's defaults are lost: %+v", f)
	}
	if c := parse(t, ""); len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].String(), "c.yaml:1:1: no source is configured") {
		t.Errorf("warnings %v", c.Warnings)
	}
}

// TestMistakes holds the whole text of what is said of each.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const service = good + "services: {a: {repo: forge:x/a, "
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "servces: {}", `1:1: unknown key "servces": did you mean services?`},
		{"unknown key, none near", "zzz: {}", `1:1: unknown key "zzz": known here: attention, defaults, guard, include, keys, me, mouse, notify, policies, read_only, refresh, roles, services, shared_dir, sources, state_dir …`},
		{"in a service", service + "envirnments: []}}", `2:33: unknown key "envirnments": did you mean environments?`},
		{"in defaults", "defaults: {deploi: 1}", `1:12: unknown key "deploi": did you mean deploy?`},
		{"of a driver", "sources: {forge: {tokn: x}}", `1:19: unknown key "tokn": did you mean token?`},
		{"deep in a driver", "sources:\n  forge:\n    app: {id: 1, kye: file:x}", `3:18: unknown key "kye": did you mean key?`},
		{"in theme", "theme: {glyph: x}", `1:9: unknown key "glyph": did you mean glyphs?`},
		{"in a policy", "policies:\n- {name: a, else: deny, requires: x}", "2:3: the policy says neither what must hold nor when it applies: add require: or during:\n2:25: unknown key \"requires\": did you mean require?"},
		{"in a weekly span", "policies: [{name: a, else: deny, during: {from: Fri 16:00, till: Mon 8:00}}]", "1:42: to is missing: add to: …\n1:60: unknown key \"till\": known here: from, to, zone"},
		{"twice", "team: a\nteam: b", `2:1: "team" is set twice, first in line 1, column 1: keep one of the two`},
		{"twice, quoted", "sources: {forge: {}, \"forge\": {}}", `1:22: "forge" is set twice, first in line 1, column 11: keep one of the two`},
		{"a number for text", "team: 5", "1:7: expected a string, got a number: put it in quotes"},
		{"a list for text", "team: [a]", "1:7: expected a string, got a list: put it in quotes"},
		{"a number for a list", service + "paths: 5}}", "2:40: expected a string or a list of strings, got a number: write it as one, or as [one, two]"},
		{"a number in a list", service + "paths: [5]}}", "2:41: expected a string, got a number: put it in quotes"},
		{"nothing in a list", service + "paths: [a, ]}}", ""},
		{"null in a list", service + "paths: [a, null]}}", "2:40: an item of this list is empty: remove it, or write a value"},
		{"text for a list", "sources: {forge: {hosts: x}}", "1:26: expected a list of strings, got a string: write it as [one, two]"},
		{"text for a mapping", "theme: dark", "1:8: expected a mapping, got a string: write key: value lines below it"},
		{"text for environments", service + "environments: dev}}", "2:47: expected a list of names or mappings, got a string: write it as [one, two]"},
		{"once for all services", "defaults: {tag_prefix: '{{a}}{{b}}'}\n" + good + "services: {a: {repo: forge:x/a}, b: {repo: forge:x/b}}", "1:24: unknown template variable \"{{a}}\": known here: repo, service\n1:24: unknown template variable \"{{b}}\": known here: repo, service"},
		{"a list of services", good + "services: [a]", "2:11: expected a mapping by name, got a list: write name: {…} lines below it"},
		{"a text as service", good + "services: {a: x}", "2:15: expected a mapping, got a string: write key: value lines below it"},
		{"a text as source", "sources: {forge: env:X}", "1:18: expected a mapping, got a string: write {type: …, token: …}"},
		{"text for a bool", "read_only: yes", "1:12: expected true or false, got a string: write true or false"},
		{"text for a number", "sources: {forge: {limit: x}}", "1:26: expected a whole number, got a string: write a number without quotes"},
		{"a fraction for a whole", "sources: {forge: {limit: 1.5}}", "1:26: expected a whole number, got a number: write a number without quotes"},
		{"too large", "sources: {forge: {small: 300}}", `1:26: "300" is out of range: write a number without quotes`},
		{"negative", "sources: {forge: {count: -1}}", `1:26: "-1" is out of range: write a number without quotes`},
		{"infinite", "sources: {forge: {ratio: .inf}}", `1:26: ".inf" is out of range: write a number without quotes`},
		{"below the bound", "sources: {forge: {limit: 0}}", "1:26: 0 is less than 1: write a larger one"},
		{"above the bound", "sources: {forge: {limit: 101}}", "1:26: 101 is more than 100: write a smaller one"},
		{"enum", "theme: {palette: drak}", `1:18: "drak" is not one of the values: did you mean dark?`},
		{"enum, none near", "theme: {palette: solarized}", `1:18: "solarized" is not one of the values: known here: auto, colorblind, dark, light`},
		{"a driver's enum", "sources: {forge: {level: hihg}}", `1:26: "hihg" is not one of the values: did you mean high?`},
		{"switch", "mouse: maybe", `1:8: "maybe" is neither on nor off: write on or off`},
		{"duration", "refresh: {live: 15}", "1:17: expected a duration, got a number: write for example 30s, 15m, 2h or 30d"},
		{"bad duration", "refresh: {live: 15 seconds}", `1:17: "15 seconds" is not a duration: write for example 30s, 15m, 2h or 30d`},
		{"negative duration", "refresh: {live: -1s}", `1:17: "-1s" is not a duration: write for example 30s, 15m, 2h or 30d`},
		{"hasty", "refresh: {live: 1s}", "1:17: 1s is no useful interval: write 5s to 1h"},
		{"order", "refresh: {live: 50s}", "1:10: live (50s), waiting (30s) and quiet (1m0s) are not in order: make live the shortest and quiet the longest"},
		{"literal secret", "sources: {forge: {token: ghp_0123456789}}", "1:26: a secret may not be written into the config: name where it is kept: env:NAME, file:PATH or cmd:PROGRAM ARGS"},
		{"numeric secret", "sources: {forge: {token: 123456}}", "1:26: a secret may not be written into the config: name where it is kept: env:NAME, file:PATH or cmd:PROGRAM ARGS"},
		{"a mapping as secret", "sources: {forge: {token: {env: X}}}", "1:26: expected a reference to a secret, got a mapping: write env:NAME, file:PATH or cmd:PROGRAM ARGS"},
		{"a driver's required key", "sources: {forge: {app: {key: env:K}}}", "1:24: id is missing: add id: …"},
		{"a driver's own check", "sources:\n  forge: {base_url: http://x, owners: {acme: {}}}", "2:21: base_url: is not encrypted: write https://\n2:46: owners.acme.token: there is no token: add one"},
		{"a driver's plain error", "sources: {forge: {proxy: bad}}", "1:18: the proxy is bad"},
		{"unknown type", "sources: {x: {type: forg}}", `1:21: unknown source type "forg": did you mean forge?`},
		{"no type", "sources: {github: {}}", `1:19: unknown source type "github": known here: forge, pager`},
		{"source's name", "sources: {'a b': {type: pager}}", `1:11: "a b" is no name for a source: use letters, digits, '.', '_' and '-'`},
		{"no repo", good + "services: {a: {}}", `2:15: the service "a" has no repo: add repo: source:owner/name`},
		{"repo", good + "services: {a: {repo: acme/a}}", `2:22: "acme/a" is no repository: write source:owner/name, for example github:acme/checkout`},
		{"repo without owner", good + "services: {a: {repo: 'forge:a'}}", `2:22: "forge:a" is no repository: write source:owner/name, for example github:acme/checkout`},
		{"repo's source", good + "services: {a: {repo: frge:a/a}}", `2:22: unknown source "frge": did you mean forge?`},
		{"service's name", good + "services: {a/b: {repo: forge:a/a}}", `2:12: "a/b" is no name for a service: use letters, digits, '.', '_' and '-'`},
		{"same environment", service + "environments: [dev, dev]}}", `2:53: the environment "dev" is listed twice: keep one of them`},
		{"same provider", service + "environments: [dev, {name: prod, provider_name: dev}]}}", `2:53: two environments are "dev" to the provider: give each its own provider_name`},
		{"no environment's name", service + "environments: [{prod: true}]}}", "2:48: name is missing: add name: …"},
		{"environment's type", service + "environments: [[dev]]}}", "2:48: expected a name or a mapping, got a list: write a name, or {name: …}"},
		{"targets", service + "environments: [{name: prod, targets: [eu, eu]}]}}", `2:75: the target "eu" is listed twice: keep one of them`},
		{"target without targets", service + "environments: [{name: prod, provider_name: 'p-{{target}}'}]}}", "2:76: {{target}} needs targets, and there are none: add targets: [one, two]"},
		{"deploy", service + "deploy: {via: ssh, workflow: a.yml}}}", `2:47: "ssh" is not one of the values: known here: approve, deployment, rerun, workflow`},
		{"no workflow", service + "deploy: {inputs: {a: b}}}}", "2:41: deploy names no workflow: add workflow: deploy.yml"},
		{"workflow's path", service + "deploy: {workflow: .github/workflows/d.yml}}}", `2:52: ".github/workflows/d.yml" is no workflow file: write the name of the file, for example deploy.yml`},
		{"two kinds of evidence", service + "version_from: {input: a, payload: b}}}", "2:47: there are 2 kinds of evidence: keep one of payload, input, run_name and url"},
		{"field", service + "version_from: {field: a}}}", "2:55: field belongs to url, which is not set: remove it, or add url"},
		{"expression", service + "version_from: {run_name: '('}}}", "2:58: error parsing regexp: missing closing ): `(`: see https://pkg.go.dev/regexp/syntax"},
		{"no group", service + "version_from: {run_name: 'a'}}}", "2:58: the expression has no group: put the version's part in (…)"},
		{"address", service + "version_from: {url: 'ftp://{{env}}/x'}}}", "2:53: this is no web address: write it whole: https://host/path"},
		{"address with a user", service + "runbook: 'https://u:p@x/'}}", "2:42: the address holds a user or password: remove it"},
		{"script as runbook", service + "runbook: 'javascript:alert(1)'}}", "2:42: this is no web address: write it whole: https://host/path"},
		{"glob", service + "workflows: 'a['}}", `2:44: "a[" is no glob: write for example deploy-*`},
		{"absolute path", service + "paths: [a/**, /b]}}", `2:47: "/b" does not start at the repository's root: write it from the repository's root: ledger/**`},
		{"itself", service + "depends_on: a}}", "2:45: a service cannot depend on itself: remove it"},
		{"unknown service", service + "depends_on: [b]}, bb: {repo: forge:a/b}}", `2:46: unknown service "b": known here: a, bb`},
		{"me", "me: {forg: x}", `1:6: unknown source type "forg": did you mean forge?`},
		{"empty me", "me: {forge: ''}", "1:6: it is empty: write your login there, or remove it"},
		{"action", "keys: {zom: z}", "1:8: there is no action zom: did you mean zoom?"},
		{"key", "keys: {zoom: [z, bad]}", "1:18: is no key: write another"},
		{"empty key", "keys: {zoom: ['']}", "1:15: a key is empty: write a key such as ctrl+r, or [] for none"},
		{"a mapping as key", "keys: {zoom: {a: b}}", "1:14: expected a string or a list of strings, got a mapping: write it as one, or as [one, two]"},
		{"template", service + "tag_prefix: '{{servce}}'}}", `2:45: unknown template variable "{{servce}}": did you mean service?`},
		{"template in the wrong place", service + "tag_prefix: '{{sha}}'}}", "2:45: the template variable {{sha}} is not known here: known here: service, repo"},
		{"open template", service + "tag_prefix: 'a{{service'}}", `2:45: a template is not closed: "{{service": close it with }}`},
		{"template in defaults", "defaults: {deploy: {workflow: '{{env}}.yml'}}", "1:31: the template variable {{env}} is not known here: known here: service, repo"},
		{"repo in repo", good + "services: {a: {repo: 'forge:x/{{repo}}'}}", "2:22: the template variable {{repo}} is not known here: known here: service"},
		{"policy's environment", service + "environments: [dev, prod]}}\npolicies: [{name: a, env: prd, require: x, else: warn}]", `3:27: unknown environment "prd": did you mean prod?`},
		{"policy's verdict", "policies: [{name: a, require: x, else: denny}]", `1:40: "denny" is not one of the values: did you mean deny?`},
		{"policy's action", "policies: [{name: a, require: x, else: deny, on: [promot]}]", `1:51: unknown action "promot": did you mean promote?`},
		{"two policies", "policies: [{name: a, require: x, else: deny}, {name: a, require: y, else: deny}]", `1:54: there are two policies "a": give each rule a name of its own`},
		{"zone", "policies: [{name: a, else: deny, during: {from: Fri 16:00, to: Mon 8:00, zone: Europe/Berln}}]", `1:80: "Europe/Berln" is no time zone that this machine knows: write for example Europe/Berlin or UTC`},
		{"week", "policies: [{name: a, else: deny, during: {from: Friday at noon, to: Mon 25:00}}]", "1:49: \"Friday at noon\" is no time of the week and no date: write for example \"Fri 16:00\" or \"2026-12-20 18:00\"\n1:69: \"Mon 25:00\" is no time of the week and no date: write for example \"Fri 16:00\" or \"2026-12-20 18:00\""},
		{"empty span", "policies: [{name: a, else: deny, during: {from: Fri 16:00, to: Fri 16:00}}]", "1:42: it begins and ends at the same time of the week: let it end at another time"},
		{"guard", "guard: {window: 48h, on_fail: retry}", "1:17: a watch of 48h0m0s makes no sense: write for example 15m\n1:31: \"retry\" is not one of the values: known here: ask, rollback"},
		{"notify", "notify: [{on: [promte]}]", "1:10: it does not say whom to tell: write slack: env:SLACK_WEBHOOK, or webhook:, annotations:, note: true or event:\n1:16: unknown action \"promte\": did you mean promote?"},
		{"notify's secret", "notify: [{slack: 'https://hooks.example.com/x', on: ack}]", "1:18: a secret may not be written into the config: name where it is kept: env:NAME, file:PATH or cmd:PROGRAM ARGS"},
		{"object", service + "incidents: [pager]}}", `2:45: "pager" names nothing: write source:id, for example pagerduty:PABC123`},
		{"object's source", service + "slos: [pagr:x]}}", `2:40: unknown source "pagr": known here: forge`},
		{"metric", service + "metrics: [{name: a, source: forg, query: q, unit: 5}]}}", "2:61: unknown source \"forg\": did you mean forge?\n2:83: expected a string, got a number: put it in quotes"},
		{"control character", `team: "a\e[31m"`, "1:7: the text holds the control character U+001B: remove it"},
		{"bidi character", "team: a\u202eb", "1:7: the text holds the control character U+202E: remove it"},
		{"tag", "team: !!binary aaaa", `1:7: the tag "!!binary" is not understood here: remove the tag; quote the value if it is text`},
		{"undefined alias", "team: *x", "1:7: the alias *x is not defined: define it before with &x"},
		{"merge", "theme: {<<: 5}", "1:9: << expects a mapping, got a number: name mappings: <<: *anchor"},
		{"list as key", "? [a]\n: b", "2:1: this is not valid YAML (found an invalid key for this map): check the indentation, quotes and brackets here"},
		{"a mapping as repo", good + "services: {a: {repo: {source: forge}}}", "2:22: expected a string, got a mapping: put it in quotes"},
		{"a scalar", "hello", "1:1: expected a mapping, got a string: write keys such as sources: and services:"},
		{"documents", "team: a\n---\nteam: b", "2:1: the file holds several documents: keep one document, without --- and ..."},
		{"encoding", "team: a\nme: \xff", "2:5: the file is not UTF-8 text: save the file as UTF-8"},
		{"many at once", "tem: 1\ntheme: {palette: x}\nmouse: 5\n", "1:1: unknown key \"tem\": did you mean team?\n2:18: \"x\" is not one of the values: known here: auto, colorblind, dark, light\n3:8: \"5\" is neither on nor off: write on or off"},
		{"wide characters", "team: 日本語\nme: {forge: 'é', frge: x}", `2:18: unknown source type "frge": did you mean forge?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("c.yaml", []byte(c.text), testOptions())
			want := c.want
			if want != "" {
				want = "c.yaml:" + strings.ReplaceAll(want, "\n", "\nc.yaml:")
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s\ngot\n%s\nwant\n%s", c.text, got, want)
			}
		})
	}
}

func TestSyntaxErrorsHavePositions(t *testing.T) {
	t.Parallel()
	for text, line := range map[string]int{
		"a: [1, 2":          1,
		"a:\n  b: 1\n c: 2": 3,
		"a: {b: 1\nc: 2":    2,
		"a: \"open":         1,
		"a: b\n\tc: d":      2,
	} {
		_, err := Parse("c.yaml", []byte(text), testOptions())
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Msg, "not valid YAML") || e.Pos.Column < 1 || e.Fix == "" {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if e.Pos.Line != line {
			t.Errorf("%q: line %d, want %d (%v)", text, e.Pos.Line, line, e)
		}
	}
}

// TestPositionsHold: whatever stands before it, the mistake's place is right.
func TestPositionsHold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"team: a\r\nmouse: 5\r\n":                    "2:8",
		"\ufeffmouse: 5":                             "1:8",
		"team: |\n  a\n  b\n\n  c\nmouse: 5":         "6:8",
		"team: a\n  b\n  c\nmouse: 5":                "4:8",
		"team: \"a\n  b\n\n  c\"\nmouse: 5":          "5:8",
		"# c\n\n\nteam: a # x\n# y\nmouse: 5 # z":    "6:8",
		"team: >-\n  a\n\n  b\n\n\nmouse:   5":       "7:10",
		"team: 'it''s'\nme: {forge: 'é'}\nmouse:  5": "3:9",
		"---\nmouse: 5\n":                            "2:8",
		"%YAML 1.2\n---\nmouse: 5":                   "3:8",
		"# x\n---\n# y\nmouse: 5":                    "4:8",
		"mouse: # c\n  5":                            "2:3",
		"mouse: 5\n...\n":                            "1:8",
		"theme: {palette: dark}\nmouse:\n\n\n   5":   "5:4",
	} {
		_, err := Parse("c.yaml", []byte(text), testOptions())
		if prefix := "c.yaml:" + want + `: "5" is neither`; err == nil || !strings.HasPrefix(err.Error(), prefix) {
			t.Errorf("%q: got %v, want it at %s", text, err, want)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	bomb := "a0: &a0 [x]\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	var keys strings.Builder
	for i := range maxKeys + 1 {
		fmt.Fprintf(&keys, "k%d:\n", i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"size":      {strings.Repeat("#", maxBytes+1), "larger than 1 MiB"},
		"keys":      {keys.String(), "more than 10000 keys"},
		"words":     {"[" + strings.Repeat("a,", maxTokens), "more than 10000 keys or 100000 words"},
		"lists":     {strings.Repeat("[", 100_000), "deeper than 32"},
		"mappings":  {strings.Repeat("{a: ", 5_000), "deeper than 32"},
		"dashes":    {strings.Repeat("- ", 5_000), "deeper than 32"},
		"questions": {strings.Repeat("? ", 5_000), "deeper than 32"},
		"tags":      {strings.Repeat("!a ", 5_000), "deeper than 32"},
		"aliases":   {bomb, "unfolds to too many values"},
		"itself":    {"team: &a [*a]", "inside its own anchor"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("c.yaml", []byte(c.text), testOptions())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				text := fmt.Sprint(err)
				t.Errorf("got %s", text[:min(len(text), 300)])
			}
		})
	}
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	c := parse(t, good+`services:
  a: &base {repo: forge:x/a, tag_prefix: a/, environments: &envs [dev, prod]}
  b: {<<: *base, repo: forge:x/b}
  c: {repo: forge:x/c, environments: *envs}
`)
	if c.Services[1].TagPrefix != "a/" || c.Services[1].Repo.Scope != "x/b" || len(c.Services[2].Environments) != 2 {
		t.Errorf("got %+v", c.Services)
	}
}

func TestPos(t *testing.T) {
	t.Parallel()
	c := parse(t, full+"\n")
	for path, want := range map[string]string{
		"team": "1:7", "sources.forge.app.id": "7:15", "sources.forge.hosts[1]": "17:16", "sources.forge.extra.a.2": "18:25",
		"services.checkout.runbook": "28:85", "services.checkout.deploy.workflow": "24:37", "services.ledger.environments[2].targets[1]": "23:96",
		"services.ledger.nothing": "29:11", "services.nobody": "28:3", "": "1:1", "keys.zoom": "42:26", "policies[1].env": "32:5", "policies[9]": "31:3",
	} {
		if got := c.Pos(path).String(); got != "c.yaml:"+want {
			t.Errorf("%s is at %s, want %s", path, got, want)
		}
	}
	c = parse(t, good+"services: {a: {repo: forge:x/a}, a.b: {repo: forge:x/b}}")
	if got := c.Pos("services.a.b.repo").String(); got != "c.yaml:2:46" {
		t.Errorf("a key with a dot is at %s", got)
	}
}

func TestIncludes(t *testing.T) {
	t.Parallel()
	o := testOptions()
	o.Files = memory{
		"dir/main.yaml":           good + "include: [team/*.yaml, base.yaml, none/*.yaml]\nservices: {m: {}}\npolicies: [{name: a, require: x, else: warn}]",
		"dir/base.yaml":           "defaults: {repo: 'forge:x/{{service}}'}\ntheme: {palette: dark}",
		"dir/team/one.yaml":       "services: {one: {}}\ninclude: deep/more.yaml",
		"dir/team/two.yaml":       "services: {two: {paths: a/**}}\npolicies: [{name: b, require: x, else: warn}]\n",
		"dir/team/deep/more.yaml": "team: deep\nservices:\n",
	}
	c, err := Load(t.Context(), "dir/main.yaml", o)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range c.Services {
		names = append(names, s.Name+"="+s.Repo.Scope)
	}
	if !slices.Equal(names, []string{"m=x/m", "one=x/one", "two=x/two"}) || len(c.Policies) != 2 || c.Team != "deep" || c.Theme.Palette != "dark" || c.Theme.Glyphs != "auto" {
		t.Errorf("got %q, %+v", names, c)
	}
	if got := c.Pos("services.two.paths").String(); got != "dir/team/two.yaml:1:25" {
		t.Errorf("paths are at %s", got)
	}
	if len(c.Files) != 5 || c.Files[0] != absolute("dir/main.yaml") {
		t.Errorf("files %q", c.Files)
	}
	if len(c.Warnings) != 1 || c.Warnings[0].String() != `dir/main.yaml:2:35: "none/*.yaml" matches no file: check the path; it starts at this file's folder` {
		t.Errorf("warnings %v", c.Warnings)
	}
}

func TestIncludeMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files memory
		want  string
	}{
		"missing": {memory{"m.yaml": "include: a.yaml"}, `m.yaml:1:10: "a.yaml" cannot be read: it does not exist: check the path and its permissions`},
		"itself":  {memory{"m.yaml": "include: m.yaml"}, `m.yaml:1:10: "m.yaml" includes itself (m.yaml → m.yaml): remove it`},
		"cycle": {
			memory{"m.yaml": "include: a.yaml", "a.yaml": "include: [b.yaml]", "b.yaml": "include: a.yaml"},
			`b.yaml:1:10: "a.yaml" includes itself (a.yaml → b.yaml → a.yaml): remove it`,
		},
		"twice": {memory{"m.yaml": "include: [a.yaml, a.yaml]", "a.yaml": ""}, `m.yaml:1:19: "a.yaml" is included twice: include it once`},
		"same service": {
			memory{"m.yaml": good + "include: a.yaml\nservices: {s: {repo: forge:x/s}}", "a.yaml": "\nservices: {s: {}}"},
			"a.yaml:2:12: services.s is set already at m.yaml:3:12: keep one of the two",
		},
		"same scalar": {
			memory{"m.yaml": "include: [a.yaml, b.yaml]", "a.yaml": "team: a", "b.yaml": "team: a"},
			"b.yaml:1:1: team is set already at a.yaml:1:1: keep one of the two",
		},
		"mistake inside": {
			memory{"m.yaml": "include: a.yaml\ntem: x", "a.yaml": "\ntheme: {palette: x}"},
			"m.yaml:2:1: unknown key \"tem\": did you mean team?\na.yaml:2:18: \"x\" is not one of the values: known here: auto, colorblind, dark, light",
		},
		"type":        {memory{"m.yaml": "include: {a: b}"}, "m.yaml:1:10: expected a string or a list of strings, got a mapping: write it as one, or as [one, two]"},
		"inner type":  {memory{"m.yaml": "include: a.yaml", "a.yaml": "include: [5]"}, "a.yaml:1:11: expected a string or a list of strings, got a number: write the path of a file"},
		"glob":        {memory{"m.yaml": "include: 'a[.yaml'"}, `m.yaml:1:10: "a[.yaml" is no glob: write for example services/*.yaml`},
		"main":        {memory{}, `m.yaml: the config cannot be read: it does not exist: create it (signalbox init), or name another with --config`},
		"broken YAML": {memory{"m.yaml": "include: a.yaml\n", "a.yaml": "a: [\n"}, "a.yaml:1:4: this is not valid YAML (sequence end token ']' not found): check the indentation, quotes and brackets here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := testOptions()
			o.Files = c.files
			_, err := Load(t.Context(), "m.yaml", o)
			if err == nil || err.Error() != c.want {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

func TestLoadFromDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"c.yaml": good + "include: 'more/*.yaml'", "more/a.yaml": "team: a"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := testOptions()
	o.Files = nil
	c, err := Load(t.Context(), filepath.Join(dir, "c.yaml"), o)
	if err != nil || c.Team != "a" {
		t.Fatalf("got %v, %v", c, err)
	}
	_, err = Load(t.Context(), dir, o)
	if err == nil || !strings.Contains(err.Error(), "it is not a regular file") || !strings.HasPrefix(err.Error(), dir+": ") {
		t.Errorf("a directory gives %v", err)
	}
	_, err = Load(t.Context(), filepath.Join(dir, "nothing.yaml"), o)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the cause is lost: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ctx, filepath.Join(dir, "c.yaml"), o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"github", "token", "base_url", "environments", "on"}
	for word, want := range map[string]string{
		"gihtub": "github", "GitHub": "github", "base-url": "base_url", "baseurl": "base_url", "tokens": "token", "environmens": "environments",
		"x": "", "": "", "datadog": "", "no": "on", strings.Repeat("a", 10_000): "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("%.20s: got %q, want %q", word, got, want)
		}
	}
}
