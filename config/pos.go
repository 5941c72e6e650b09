package config

import (
	"slices"
	"strconv"
	"strings"
)

// Pos is where the value at path stands: "services.checkout.repo", "policies[0].env". A value that came
// from `defaults:` or an included file has its place there. Of a path that the files do not have, it is
// the place of the nearest value above it.
func (c *Config) Pos(path string) Position {
	pos, _ := c.tree.find(path)
	return pos
}

// find is the place of the value at a dotted path below n, or of the nearest above it, and whether the
// value itself is there. Keys may hold dots: the longest that fits is taken.
func (n *node) find(path string) (Position, bool) {
	if n == nil {
		return Position{}, false
	}
	if path == "" {
		return n.pos, true
	}
	if n.kind == listNode {
		index, rest := firstIndex(path)
		if index < 0 || index >= len(n.items) {
			return n.pos, false
		}
		return n.items[index].find(rest)
	}
	best := -1
	for i, e := range n.entries {
		after, ok := strings.CutPrefix(path, e.key)
		if ok && (after == "" || after[0] == '.' || after[0] == '[') && (best < 0 || len(e.key) > len(n.entries[best].key)) {
			best = i
		}
	}
	if best < 0 {
		return n.pos, false
	}
	e := n.entries[best]
	rest := strings.TrimPrefix(strings.TrimPrefix(path, e.key), ".")
	if rest == "" && e.value.kind == nullNode {
		return e.pos, true
	}
	return e.value.find(rest)
}

// firstIndex cuts "[3].x" and "3.x" into 3 and "x".
func firstIndex(path string) (index int, rest string) {
	if inner, ok := strings.CutPrefix(path, "["); ok {
		digits, after, _ := strings.Cut(inner, "]")
		path = digits + after
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		end = len(path)
	}
	index, err := strconv.Atoi(path[:end])
	if err != nil {
		return -1, ""
	}
	return index, strings.TrimPrefix(path[end:], ".")
}

// write adds n in a canonical form: keys sorted, strings quoted.
func (n *node) write(b *strings.Builder) {
	switch n.kind {
	case mapNode:
		sorted := slices.Clone(n.entries)
		slices.SortFunc(sorted, func(x, y entry) int { return strings.Compare(x.key, y.key) })
		b.WriteByte('{')
		for _, e := range sorted {
			b.WriteString(strconv.Quote(e.key) + ":")
			e.value.write(b)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	case listNode:
		b.WriteByte('[')
		for _, item := range n.items {
			item.write(b)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case stringNode:
		b.WriteString(strconv.Quote(n.text))
	case nullNode, intNode, floatNode, boolNode:
		b.WriteString(n.text)
	}
}
