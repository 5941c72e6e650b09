package config

import (
	"slices"
	"strings"
)

// The variables of templates. service and repo are filled in on loading, the others stay for whoever
// knows them, written without spaces: {{sha}}.
const (
	varService = "service"
	varRepo    = "repo"
	varEnv     = "env"
	varTarget  = "target"
	varSHA     = "sha"
	varVersion = "version"
	varWindow  = "window"
)

func variables() []string {
	return []string{varService, varRepo, varEnv, varTarget, varSHA, varVersion, varWindow}
}

// later are the variables that the value at path, within a service, may keep. Indexes of lists are "*".
func later(path []string) []string {
	switch {
	case len(path) == 3 && path[0] == "deploy" && path[1] == "inputs":
		return []string{varEnv, varTarget, varSHA, varVersion}
	case slices.Equal(path, []string{"version_from", "url"}):
		return []string{varEnv, varTarget}
	case slices.Equal(path, []string{"metrics", "*", "query"}):
		return []string{varEnv}
	case slices.Equal(path, []string{"slos", "*", "query"}), slices.Equal(path, []string{"slos", "*", "traffic"}):
		return []string{varEnv, varWindow}
	case slices.Equal(path, []string{"environments", "*", "provider_name"}):
		return []string{varTarget}
	default:
		return nil
	}
}

// withDefaults lays what `defaults:` says below every service: a key that the service sets replaces
// the whole value of that key.
func withDefaults(root *node) *node {
	base, _ := root.get("defaults")
	return mapServices(root, func(_ string, service *node) *node {
		if base.value == nil || base.value.kind != mapNode {
			return service
		}
		full := *service
		full.entries = slices.DeleteFunc(slices.Clone(service.entries), func(e entry) bool { return e.value.kind == nullNode && base.value.has(e.key) })
		for _, e := range base.value.entries {
			if !full.has(e.key) {
				full.entries = append(full.entries, e)
			}
		}
		return &full
	})
}

func (n *node) has(key string) bool {
	_, ok := n.get(key)
	return ok
}

// mapServices is root with f's answer in the place of each service. A service that says nothing is an
// empty mapping; one that is no mapping is left for the decoder to refuse.
func mapServices(root *node, f func(name string, service *node) *node) *node {
	return root.replace("services", func(services *node) *node {
		if services.kind != mapNode {
			return services
		}
		all := *services
		all.entries = slices.Clone(services.entries)
		for i, e := range all.entries {
			if e.value.kind == nullNode {
				e.value = &node{kind: mapNode, pos: e.pos}
			}
			if e.value.kind == mapNode {
				all.entries[i].value = f(e.key, e.value)
			}
		}
		return &all
	})
}

// replace is the mapping n with f's answer in the place of key's value, if it has the key.
func (n *node) replace(key string, f func(*node) *node) *node {
	i := slices.IndexFunc(n.entries, func(e entry) bool { return e.key == key })
	if i < 0 {
		return n
	}
	c := *n
	c.entries = slices.Clone(n.entries)
	c.entries[i].value = f(c.entries[i].value)
	return &c
}

// expand fills in the templates of all services, and checks those of the defaults.
func (l *loader) expand(root *node) *node {
	if base, ok := root.get("defaults"); ok {
		check := expander{problems: &l.problems, keep: true}
		check.node(base.value, nil)
	}
	return mapServices(root, func(name string, service *node) *node {
		x := expander{problems: &l.problems, values: map[string]string{varService: name}}
		service = service.replace("repo", func(repo *node) *node { return x.node(repo, []string{"repo"}) })
		if e, ok := service.get("repo"); ok {
			_, scope, _ := strings.Cut(e.value.text, ":")
			x.values[varRepo] = scope
		}
		return x.node(service, nil)
	})
}

type expander struct {
	problems *problems
	values   map[string]string
	keep     bool // only check
}

// node is n with its templates filled in. path is where n stands within its service.
func (x *expander) node(n *node, path []string) *node {
	switch n.kind {
	case stringNode:
		if !strings.Contains(n.text, "{{") {
			return n
		}
		c := *n
		c.text = x.text(n, path)
		return &c
	case listNode:
		c := *n
		c.items = make([]*node, len(n.items))
		for i, item := range n.items {
			c.items[i] = x.node(item, append(slices.Clone(path), "*"))
		}
		return &c
	case mapNode:
		inner := *x
		if e, ok := n.get("name"); ok && slices.Equal(path, []string{"environments", "*"}) {
			inner.values = map[string]string{varService: x.values[varService], varRepo: x.values[varRepo], varEnv: e.value.text}
		}
		c := *n
		c.entries = slices.Clone(n.entries)
		for i, e := range c.entries {
			c.entries[i].value = inner.node(e.value, append(slices.Clone(path), e.key))
		}
		return &c
	case nullNode, intNode, floatNode, boolNode:
		return n
	default:
		return n
	}
}

func (x *expander) text(n *node, path []string) string {
	var b strings.Builder
	rest := n.text
	for {
		before, after, ok := strings.Cut(rest, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, tail, closed := strings.Cut(after, "}}")
		if !closed {
			x.problems.add(n.pos, "close it with }}", "a template is not closed: %s", quoted("{{"+after))
			return n.text
		}
		b.WriteString(x.variable(n, strings.TrimSpace(name), path))
		rest = tail
	}
}

func (x *expander) variable(n *node, name string, path []string) string {
	value, known := x.values[name]
	allowed := append([]string{varService, varRepo}, later(path)...)
	if slices.Equal(path, []string{"environments", "*", "provider_name"}) {
		allowed = append(allowed, varEnv)
	}
	if slices.Equal(path, []string{"repo"}) {
		allowed = []string{varService}
	}
	switch {
	case !slices.Contains(variables(), name):
		x.problems.add(n.pos, didYouMean(name, allowed), "unknown template variable %s", quoted("{{"+name+"}}"))
	case !slices.Contains(allowed, name):
		x.problems.add(n.pos, "known here: "+strings.Join(allowed, ", "), "the template variable {{%s}} is not known here", name)
	case known && !x.keep:
		return value
	}
	return "{{" + name + "}}"
}
