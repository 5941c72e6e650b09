package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	maxWindow    = 24 * time.Hour
	leastWatched = 6 * time.Minute // what holds the five whole values of a minute that a verdict needs
)

// policyActions are what a policy can be on. Acknowledging a page is none of them: nothing stands between a
// page and its answer.
func policyActions() []string {
	return []string{
		"promote", "rollback", "approve", "reject", "rerun", "rerun-all", "cancel", "resolve", "escalate", "reassign", "snooze", "merge", "silence", "mute",
	}
}

func notifyEvents() []string {
	return []string{"promote", "rollback", "guard", "ack", "resolve", "escalate", "approve", "reject", "rerun", "cancel"}
}

// levers checks what the levers go by.
func (v *validator) levers() {
	v.policies()
	v.roles()
	v.guard()
	v.notify()
}

func (v *validator) guard() {
	switch g := v.config.Guard; {
	case g.Off():
	case g.Window > maxWindow:
		v.at("guard.window", "write for example 15m", "a watch of %s makes no sense", g.Window)
	case g.Window < g.Skip+leastWatched:
		at := "guard.window"
		if v.has("guard.skip") {
			at = "guard.skip"
		}
		v.at(at, "make the window at least "+(g.Skip+leastWatched).String(), "a window of %s, of which the newest %s do not count, is too short for a verdict",
			g.Window, g.Skip)
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
		for j, e := range p.Only {
			if !slices.Contains(environments, e) {
				v.at(fmt.Sprintf("%s.only[%d]", at, j), didYouMean(e, environments), "unknown environment %s", quoted(e))
			}
		}
		v.rule(at, p)
		if (p.Else == "second_person" || p.Builtin == "second_person") && v.config.SharedDir == "" {
			v.warn(at, "set shared_dir: to a directory that both can write", "it asks for a second person, who has no place to agree, so that it refuses")
		}
	}
	v.expressions()
}

// rule checks what the keys of a policy demand of each other. Those of a built-in gate only
// Options.CheckPolicies knows.
func (v *validator) rule(at string, p Policy) {
	if p.During != nil {
		v.during(at+".during", *p.During)
	}
	if p.Builtin != "" || v.has(at+".builtin") {
		return
	}
	for _, key := range []string{"name", "else"} {
		if !v.has(at + "." + key) {
			v.at(at, "add "+key+": …", "%s is missing", key)
		}
	}
	if strings.TrimSpace(p.Require) == "" && p.During == nil {
		v.at(at, "add require: or during:", "the policy says neither what must hold nor when it applies")
	}
}

func (v *validator) during(at string, d During) {
	switch from, to := d.From, d.To; {
	case v.broken[v.config.Pos(at+".from")] || v.broken[v.config.Pos(at+".to")] || v.broken[v.config.Pos(at)]:
	case (from.Year == 0) != (to.Year == 0):
		v.at(at, "write two dates, or two times of the week", "one end is a date and the other a time of the week")
	case from.Year != 0 && !from.Clock(false).Before(to.Clock(true)):
		v.at(at, "let it end later", "it ends before it begins")
	case from.Year == 0 && from == to:
		v.at(at, "let it end at another time", "it begins and ends at the same time of the week")
	}
}

// expressions reports what Options.CheckPolicies finds, each where it stands in its expression. What is
// wrong with a span of time has been said.
func (v *validator) expressions() {
	if v.options.CheckPolicies == nil || len(v.config.Policies) == 0 {
		return
	}
	list, _ := v.config.tree.get("policies")
	for _, p := range v.options.CheckPolicies(v.config.Policies) {
		if list.value == nil || p.Rule < 0 || p.Rule >= len(list.value.items) || p.Field == "during" {
			continue
		}
		rule := list.value.items[p.Rule]
		pos := rule.pos
		if e, ok := rule.get(p.Field); ok {
			pos = e.value.within(p.Line, p.Column)
		}
		v.add(pos, p.fix(), "%s", plain(p.Msg))
	}
}

// fix is what to do about the problem.
func (p PolicyProblem) fix() string {
	if p.Word != "" {
		return didYouMean(p.Word, p.Known)
	}
	return plain(p.Fix)
}

func (v *validator) roles() {
	for role, who := range v.config.Roles {
		pos := v.keyed("roles", role)
		v.name("a role", role, pos)
		if len(who) == 0 {
			v.add(pos, "write [sre1, sre2], or remove it", "nobody has the role %s", quoted(role))
		}
		for i, one := range who {
			at := fmt.Sprintf("roles.%s[%d]", role, i)
			if strings.TrimSpace(one) == "" {
				v.at(at, "write a login, as in me:", "an identity is empty")
			} else if slices.Contains(who[:i], one) {
				v.at(at, "keep one of them", "%s is listed twice", quoted(one))
			}
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

// notify checks who is told, and of what.
func (v *validator) notify() {
	for i, n := range v.config.Notify {
		at := fmt.Sprintf("notify[%d]", i)
		v.place(at, n)
		v.among(at+".on", n.On, notifyEvents())
		for j, one := range n.On {
			if slices.Contains(n.On[:j], one) {
				v.at(fmt.Sprintf("%s.on[%d]", at, j), "keep one of them", "%s is listed twice", quoted(one))
			}
		}
		if n.On != nil && len(n.On) == 0 {
			v.at(at+".on", "write for example [promote, rollback, guard]", "it is told of nothing")
		}
	}
}

// place checks that an entry names one place, and has what that needs.
func (v *validator) place(at string, n Notify) {
	var named []string
	for _, one := range []struct {
		key string
		set bool
	}{{"slack", !n.Slack.IsZero()}, {"webhook", !n.Webhook.IsZero()}, {"annotations", !n.Annotations.IsZero()}, {"note", n.Note}, {"event", n.Event != ""}} {
		if one.set || v.wrong(at+"."+one.key) {
			named = append(named, one.key)
		}
	}
	switch {
	case len(named) == 0 && v.has(at+".note"):
		v.at(at+".note", "write true, or remove the entry", "an entry that writes no note tells nobody")
	case len(named) == 0:
		v.at(at, "write slack: env:SLACK_WEBHOOK, or webhook:, annotations:, note: true or event:", "it does not say whom to tell")
	case len(named) > 1:
		v.at(at, "make it one entry for each", "it names more than one place: %s", strings.Join(named, ", "))
	case named[0] == "webhook" && n.Secret.IsZero() && !v.wrong(at+".secret"):
		v.at(at, "add secret: env:WEBHOOK_SECRET", "a webhook needs a secret, which the message is signed with")
	case named[0] != "webhook" && named[0] != "annotations" && v.has(at+".secret"):
		v.at(at+".secret", "remove it", "%s takes no secret", named[0])
	case n.Event != "":
		v.event(at+".event", n.Event)
	}
}

// event checks the source that events are posted to.
func (v *validator) event(at, name string) {
	var able []string
	var kind string
	for _, s := range v.config.Sources {
		if s.Name == name {
			kind = s.Type
		}
		if v.options.PostsEvents == nil || v.options.PostsEvents(s.Type) {
			able = append(able, s.Name)
		}
	}
	switch {
	case kind == "":
		v.at(at, didYouMean(name, able), "unknown source %s", quoted(name))
	case slices.Contains(able, name):
	case len(able) == 0:
		v.at(at, "remove the entry, or add a datadog source", "the source %s, of the type %s, takes no events", quoted(name), kind)
	default:
		v.at(at, "name one of "+strings.Join(able, ", "), "the source %s, of the type %s, takes no events", quoted(name), kind)
	}
}

// wrong reports that the files have a value at path that could not be decoded, which has been said.
func (v *validator) wrong(path string) bool {
	pos, ok := v.config.tree.find(path)
	return ok && v.broken[pos]
}

// has reports whether the files have a value at path, be it a wrong one.
func (v *validator) has(path string) bool {
	_, ok := v.config.tree.find(path)
	return ok
}
