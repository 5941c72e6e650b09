package config

import (
	"slices"
)

// Changes is what differs between two configs.
type Changes struct {
	// Keys are the top-level keys whose values differ, sorted; defaults and includes count where they
	// end up.
	Keys []string
	// Sources are the names of the sources that were added, removed or say something else, sorted: the
	// others may stay open.
	Sources []string
	// Restart are those of Keys that only a restart applies.
	Restart []string
}

// None reports whether nothing differs.
func (c Changes) None() bool { return len(c.Keys) == 0 }

// Diff tells what differs. The order of sources and services counts, that of other keys does not.
func Diff(old, changed *Config) Changes {
	var c Changes
	for _, key := range union(keysOf(old.tree), keysOf(changed.tree)) {
		if key != "include" && key != "defaults" && !same(old.tree, changed.tree, key) {
			c.Keys = append(c.Keys, key)
		}
	}
	before, _ := old.tree.get("sources")
	after, _ := changed.tree.get("sources")
	for _, name := range union(keysOf(before.value), keysOf(after.value)) {
		if !same(before.value, after.value, name) {
			c.Sources = append(c.Sources, name)
		}
	}
	for _, key := range []string{"shared_dir", "state_dir"} {
		if slices.Contains(c.Keys, key) {
			c.Restart = append(c.Restart, key)
		}
	}
	return c
}

func keysOf(n *node) []string {
	if n == nil {
		return nil
	}
	keys := make([]string, len(n.entries))
	for i, e := range n.entries {
		keys[i] = e.key
	}
	return keys
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func same(a, b *node, key string) bool {
	x, inA := a.get(key)
	y, inB := b.get(key)
	if !inA || !inB {
		return inA == inB
	}
	ordered := key != "sources" && key != "services" || slices.Equal(keysOf(x.value), keysOf(y.value))
	return ordered && canonical(x.value) == canonical(y.value)
}
