package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const maxWindow = 24 * time.Hour

func policyActions() []string { return []string{"promote", "rollback"} }

func notifyEvents() []string {
	return []string{"promote", "rollback", "guard", "ack", "resolve", "escalate", "approve", "reject", "rerun", "cancel"}
}

// levers checks what the levers will go by, and warns that nothing does yet.
func (v *validator) levers() {
	v.policies()
	v.notify()
	if w := v.config.Guard.Window; w <= 0 || w > maxWindow {
		v.at("guard.window", "write for example 15m", "a watch of %s makes no sense", w)
	}
	for _, key := range []string{"policies", "guard", "notify", "read_only"} {
		e, ok := v.config.tree.get(key)
		if ok && e.value.kind != nullNode && (key != "read_only" || v.config.ReadOnly) {
			v.unused(e.pos, key)
		}
	}
	for _, section := range []string{"defaults", "services"} {
		e, ok := v.config.tree.get(section)
		switch {
		case !ok:
		case section == "defaults":
			v.unusedKeys(e.value)
		default:
			for _, s := range e.value.entries {
				v.unusedKeys(s.value)
			}
		}
	}
}

// unusedKeys warns of a service's keys that nothing acts on yet. Those that come from the defaults are
// warned of once, where they stand.
func (v *validator) unusedKeys(service *node) {
	if e, ok := service.get("migrations"); ok && e.value.kind != nullNode {
		v.unused(e.pos, "migrations")
	}
}

func (v *validator) unused(pos Position, key string) {
	w := Warning{pos, key + " is checked, and not used by this version", "keep it for a later one, or remove it"}
	if key == "read_only" {
		w.Msg = "read_only is not needed with this version, which changes nothing anywhere"
	}
	if !slices.Contains(v.warnings, w) {
		v.warnings = append(v.warnings, w)
	}
}

func (v *validator) policies() {
	var environments, names []string
	for _, s := range v.config.Services {
		for _, e := range s.Environments {
			if !slices.Contains(environments, e.Name) {
				environments = append(environments, e.Name)
			}
		}
	}
	for i, p := range v.config.Policies {
		at := fmt.Sprintf("policies[%d]", i)
		if slices.Contains(names, p.Name) && p.Name != "" {
			v.at(at+".name", "give each rule a name of its own", "there are two policies %s", quoted(p.Name))
		}
		names = append(names, p.Name)
		if p.Env != "" && !slices.Contains(environments, p.Env) {
			v.at(at+".env", didYouMean(p.Env, environments), "unknown environment %s", quoted(p.Env))
		}
		v.among(at+".on", p.On, policyActions())
		if strings.TrimSpace(p.Require) == "" && p.During == nil {
			v.at(at, "add require: or during:", "the policy says neither what must hold nor when it applies")
		}
		if p.During != nil && p.During.From == p.During.To && !v.broken[v.config.Pos(at+".during.from")] {
			v.at(at+".during", "let it end at another time", "it begins and ends at the same time of the week")
		}
	}
}

func (v *validator) among(at string, got, known []string) {
	for i, one := range got {
		if !slices.Contains(known, one) {
			v.at(fmt.Sprintf("%s[%d]", at, i), didYouMean(one, known), "unknown action %s", quoted(one))
		}
	}
}

func (v *validator) notify() {
	for i, n := range v.config.Notify {
		at := fmt.Sprintf("notify[%d]", i)
		if n.Slack.IsZero() == n.Webhook.IsZero() && !v.has(at+".slack") && !v.has(at+".webhook") {
			v.at(at, "write slack: env:SLACK_WEBHOOK, or webhook: …", "it does not say whom to tell")
		} else if !n.Slack.IsZero() && !n.Webhook.IsZero() {
			v.at(at, "make it two entries", "it names both slack and webhook")
		}
		v.among(at+".on", n.On, notifyEvents())
	}
}

// has reports whether the files have a value at path, be it a wrong one.
func (v *validator) has(path string) bool {
	_, ok := v.config.tree.find(path)
	return ok
}
