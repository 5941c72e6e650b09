package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func leverOptions() Options {
	o := testOptions()
	o.PostsEvents = func(kind string) bool { return kind == "pager" }
	return o
}

func TestDeploy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Deploy{
		"":                       {},
		"{via: approve}":         {Via: "approve"},
		"{via: deployment}":      {Via: "deployment"},
		"{via: rerun, auto: no}": {Via: "rerun", Auto: "no"},
		"{auto: sync}":           {Auto: "sync"},
		"{workflow: d.yaml}":     {Workflow: "d.yaml"},
		"{via: workflow, workflow: d.yml, ref: release/1.x, marker: plan-id, inputs: {sha: '{{sha}} {{env}} {{target}} {{version}} {{service}}'}}": {
			Via: "workflow", Workflow: "d.yml", Ref: "release/1.x", Marker: "plan-id", Inputs: map[string]Input{"sha": "{{sha}} {{env}} {{target}} {{version}} a"},
		},
		"{workflow: d.yml, ref: , marker: , inputs: }": {Workflow: "d.yml"},
	} {
		c := parse(t, good+"services: {a: {repo: forge:x/a, deploy: "+text+"}}")
		if got := c.Services[0].Deploy; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v", text, got)
		}
	}
}

func TestGuard(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Guard{
		"":                           {15 * time.Minute, 2 * time.Minute, 500, "ask"},
		"{window: 0}":                {0, 2 * time.Minute, 500, "ask"},
		"{window: 0s, skip: 5m}":     {0, 5 * time.Minute, 500, "ask"},
		"{skip: 0, requests: 0}":     {15 * time.Minute, 0, 0, "ask"},
		"{on_fail: rollback}":        {15 * time.Minute, 2 * time.Minute, 500, "rollback"},
		"{window: 24h, requests: 1}": {24 * time.Hour, 2 * time.Minute, 1, "ask"},
	} {
		if got := parse(t, good+"guard: "+text).Guard; got != want || got.Off() != (want.Window == 0) {
			t.Errorf("%s: got %+v", text, got)
		}
	}
}

func TestNotify(t *testing.T) {
	t.Parallel()
	c, err := Parse("c.yaml", []byte(good[:len(good)-2]+`, pager: {token: env:P}}
notify:
  - {slack: env:SLACK, on: promote}
  - {webhook: "https://ops.example.com/hook/s3cr3t?x=1", secret: file:hook, on: [guard, rollback]}
  - {webhook: " cmd:op read x", secret: env:S, on: rerun}
  - {annotations: "http://127.0.0.1:3000/api/annotations", on: ack}
  - {note: true, on: [resolve]}
  - {event: pager, on: [promote]}
`), leverOptions())
	if err != nil {
		t.Fatal(err)
	}
	n := c.Notify
	if n[0].Slack.String() != "env:SLACK" || n[0].On[0] != "promote" || n[2].Webhook.String() != "cmd:op …" || !n[4].Note || n[5].Event != "pager" || !n[3].Secret.IsZero() {
		t.Errorf("got %+v", n)
	}
	if got, err := n[1].Webhook.Resolve(t.Context()); err != nil || got.Reveal() != "https://ops.example.com/hook/s3cr3t?x=1" {
		t.Errorf("the address is %q, %v", got.Reveal(), err)
	}
	if shown := fmt.Sprintf("%v %+v %#v", n, n[1], n[1]); strings.Contains(shown, "s3cr3t") || !strings.Contains(shown, "https://ops.example.com/…") {
		t.Errorf("shown as %s", shown)
	}
}

func TestWrongLevers(t *testing.T) {
	t.Parallel()
	const service = "services: {a: {repo: forge:x/a, deploy: "
	const names = "write slack: env:SLACK_WEBHOOK, or webhook:, annotations:, note: true or event:"
	for _, c := range []struct{ name, text, want string }{
		{"a slip in deploy", service + "{workflw: a.yml}}}", `2:42: unknown key "workflw": did you mean workflow?`},
		{"a means", service + "{via: aprove}}}", `2:47: "aprove" is not one of the values: did you mean approve?`},
		{"no workflow to dispatch", service + "{via: workflow}}}", `2:41: deploy names no workflow: add workflow: deploy.yml`},
		{"a ref of nothing", service + "{ref: main}}}", `2:41: deploy names no workflow: add workflow: deploy.yml`},
		{"a marker of nothing", service + "{marker: plan, auto: no}}}", `2:41: deploy names no workflow: add workflow: deploy.yml`},
		{"no ref", service + "{workflow: a.yml, ref: a b}}}", `2:64: "a b" is no branch and no tag: write for example main`},
		{"a ref that counts back", service + "{workflow: a.yml, ref: main..x}}}", `2:64: "main..x" is no branch and no tag: write for example main`},
		{"a ref with a template", service + "{workflow: a.yml, ref: '{{sha}}'}}}", `2:64: the template variable {{sha}} is not known here: known here: service, repo`},
		{"a marker that is given", service + "{workflow: a.yml, marker: ref, inputs: {ref: x}}}}", `2:67: the input "ref" is given a value below inputs, and cannot take the plan's ID: name another, or remove it from inputs`},
		{"a marker that is no name", service + "{workflow: a.yml, marker: a b}}}", `2:67: "a b" is no name for an input: use letters, digits, '_' and '-'`},
		{"an input that is no name", service + "{workflow: a.yml, inputs: {1a: x}}}}", `2:72: "1a" is no name for an input: use letters, digits, '_' and '-'`},
		{"an unknown template", service + "{workflow: a.yml, inputs: {a: '{{shaa}}'}}}}", `2:71: unknown template variable "{{shaa}}": did you mean sha?`},
		{"what deploys by itself", service + "{auto: merges}}}", `2:48: "merges" is not one of the values: did you mean merge?`},
		{"a switch", service + "{auto: false}}}", `2:48: expected a string, got true or false: put it in quotes`},

		{"a slip in guard", "guard: {windw: 5m}", `2:9: unknown key "windw": did you mean window?`},
		{"too long", "guard: {window: 25h}", `2:17: a watch of 25h0m0s makes no sense: write for example 15m`},
		{"a number", "guard: {window: 15}", `2:17: expected a duration, got a number: write for example 30s, 15m, 2h or 30d`},
		{"negative", "guard: {window: -5m}", `2:17: "-5m" is not a duration: write for example 30s, 15m, 2h or 30d`},
		{"nothing left", "guard: {window: 2m}", `2:17: a window of 2m0s, of which the newest 2m0s do not count, is too short for a verdict: make the window at least 8m0s`},
		{"too little left", "guard: {window: 7m}", `2:17: a window of 7m0s, of which the newest 2m0s do not count, is too short for a verdict: make the window at least 8m0s`},
		{"all skipped", "guard: {skip: 20m}", `2:15: a window of 15m0s, of which the newest 20m0s do not count, is too short for a verdict: make the window at least 26m0s`},
		{"negative requests", "guard: {requests: -1}", `2:19: -1 is less than 0: write a larger one`},
		{"an end", "guard: {on_fail: rolback}", `2:18: "rolback" is not one of the values: did you mean rollback?`},

		{"a slip in notify", "notify: [{slak: env:X, on: ack}]", "2:10: it does not say whom to tell: " + names + "\n" + `2:11: unknown key "slak": did you mean slack?`},
		{"nobody", "notify: [{on: ack}]", "2:10: it does not say whom to tell: " + names},
		{"nothing", "notify: [{slack: env:X}]", "2:10: on is missing: add on: …"},
		{"an empty list", "notify: [{slack: env:X, on: []}]", "2:29: it is told of nothing: write for example [promote, rollback, guard]"},
		{"twice", "notify: [{slack: env:X, on: [ack, ack]}]", `2:35: "ack" is listed twice: keep one of them`},
		{"an event", "notify: [{slack: env:X, on: [promoted]}]", `2:30: unknown action "promoted": did you mean promote?`},
		{"two places", "notify: [{slack: env:X, webhook: env:Y, on: ack}]", "2:10: it names more than one place: slack, webhook: make it one entry for each"},
		{"two places, one wrong", "notify: [{slack: literal, note: true, on: ack}]", "2:10: it names more than one place: slack, note: make it one entry for each\n2:18: a secret may not be written into the config: name where it is kept: env:NAME, file:PATH or cmd:PROGRAM ARGS"},
		{"a literal for Slack", "notify: [{slack: 'https://hooks.slack.com/services/T0/B0/XX', on: ack}]", "2:18: a secret may not be written into the config: name where it is kept: env:NAME, file:PATH or cmd:PROGRAM ARGS"},
		{"no secret", "notify: [{webhook: env:Y, on: ack}]", "2:10: a webhook needs a secret, which the message is signed with: add secret: env:WEBHOOK_SECRET"},
		{"an empty secret", "notify: [{webhook: env:Y, secret: , on: ack}]", "2:10: a webhook needs a secret, which the message is signed with: add secret: env:WEBHOOK_SECRET"},
		{"a literal secret", "notify: [{webhook: env:Y, secret: hunter2, on: ack}]", "2:35: a secret may not be written into the config: name where it is kept: env:NAME, file:PATH or cmd:PROGRAM ARGS"},
		{"a secret for Slack", "notify: [{slack: env:Y, secret: env:S, on: ack}]", "2:33: slack takes no secret: remove it"},
		{"a secret for a note", "notify: [{note: true, secret: env:S, on: ack}]", "2:31: note takes no secret: remove it"},
		{"no note", "notify: [{note: false, on: ack}]", "2:17: an entry that writes no note tells nobody: write true, or remove the entry"},
		{"text for a note", "notify: [{note: yes, on: ack}]", "2:17: expected true or false, got a string: write true or false"},
		{"no address", "notify: [{annotations: 'https://', on: ack}]", "2:24: this is no web address: write it whole: https://host/path"},
		{"a user in it", "notify: [{annotations: 'https://me:pw@x/y', on: ack}]", "2:24: the address holds a user or password: remove them, or name where the address is kept: env:NAME"},
		{"unencrypted", "notify: [{webhook: 'http://ops.example.com', secret: env:S, on: ack}]", "2:20: the address is not encrypted: use https (http is for this machine's own addresses alone)"},
		{"a number for an address", "notify: [{annotations: 5, on: ack}]", "2:24: a secret may not be written into the config: name where it is kept: env:NAME, file:PATH or cmd:PROGRAM ARGS"},
		{"a list for an address", "notify: [{annotations: [a], on: ack}]", "2:24: expected an address, got a list: write https://host/path, env:NAME, file:PATH or cmd:PROGRAM ARGS"},
		{"an address that drives the terminal", `notify: [{annotations: "https://x/\e[31m", on: ack}]`, "2:24: the text holds the control character U+001B: remove it"},
		{"a source that is not there", "notify: [{event: pagr, on: ack}]", `2:18: unknown source "pagr": did you mean pager?`},
		{"a source that takes none", "notify: [{event: forge, on: ack}]", `2:18: the source "forge", of the type forge, takes no events: name one of pager`},
	} {
		_, err := Parse("c.yaml", []byte(strings.Replace(good, "}}\n", "}, pager: {token: env:P}}\n", 1)+c.text), leverOptions())
		if got := strings.ReplaceAll(fmt.Sprint(err), "c.yaml:", ""); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	_, err := Parse("c.yaml", []byte(good+"notify: [{event: forge, on: ack}]"), leverOptions())
	if got := fmt.Sprint(err); got != `c.yaml:2:18: the source "forge", of the type forge, takes no events: remove the entry, or add a datadog source` {
		t.Error(got)
	}
}

// The levers' keys are applied by a reload, but for the directory that locks are in.
func TestLeversAreReloaded(t *testing.T) {
	t.Parallel()
	const service = "services: {a: {repo: forge:x/a, environments: [dev, prod], "
	for _, c := range []struct {
		old, changed string
		keys         []string
	}{
		{service + "deploy: {workflow: a.yml}}}", service + "deploy: {workflow: a.yml, marker: plan}}}", []string{"services"}},
		{service + "migrations: db/**}}", service + "migrations: sql/**}}", []string{"services"}},
		{"guard: {window: 9m}", "guard: {window: 0}", []string{"guard"}},
		{"", "notify: [{note: true, on: ack}]", []string{"notify"}},
		{"notify: [{webhook: 'https://a/b', secret: env:S, on: ack}]", "notify: [{webhook: 'https://a/c', secret: env:S, on: ack}]", []string{"notify"}},
		{"roles: {lead: a}", "roles: {lead: b}", []string{"roles"}},
		{"policies: [{builtin: soak, after: 1h}]", "policies: [{builtin: soak, after: 2h}]", []string{"policies"}},
		{"read_only: true", "read_only: false", []string{"read_only"}},
	} {
		d := Diff(parse(t, good+c.old), parse(t, good+c.changed))
		if !slices.Equal(d.Keys, c.keys) || len(d.Restart) != 0 || len(d.Sources) != 0 {
			t.Errorf("%s → %s: %+v", c.old, c.changed, d)
		}
	}
	if d := Diff(parse(t, good), parse(t, good+"shared_dir: /x")); !slices.Equal(d.Restart, []string{"shared_dir"}) {
		t.Errorf("shared_dir: %+v", d)
	}
}
