package config

import (
	"slices"

	"github.com/goccy/go-yaml/ast"
)

type builder struct {
	file     string
	problems *problems
	anchors  map[string]ast.Node
	open     map[string]bool // anchors that are being built: an alias inside its own anchor
	count    int
	full     bool
}

// build turns n into a node. at is its position where n has none of its own: an absent value.
func (b *builder) build(n ast.Node, at Position, depth int) *node {
	b.count++
	if b.count > maxNodes || depth > maxDepth {
		if !b.full {
			b.full = true
			b.problems.add(at, "use fewer aliases, or split the file", "the file unfolds to too many values")
		}
		return &node{pos: at}
	}
	if b.full || n == nil {
		return &node{pos: at}
	}
	pos := position(b.file, n.GetToken())
	scalar := func(kind nodeKind, text string) *node { return &node{kind: kind, text: text, pos: pos} }
	switch n := n.(type) {
	case *ast.NullNode:
		return &node{pos: at}
	case *ast.StringNode:
		return &node{kind: stringNode, text: n.Value, pos: pos, written: inline(n.Token, pos)}
	case *ast.LiteralNode:
		return &node{kind: stringNode, text: n.Value.Value, pos: pos, written: block(n.Value.GetToken(), pos)}
	case *ast.IntegerNode:
		return scalar(intNode, n.Token.Value)
	case *ast.FloatNode:
		return scalar(floatNode, n.Token.Value)
	case *ast.InfinityNode, *ast.NanNode:
		return scalar(floatNode, n.GetToken().Value)
	case *ast.BoolNode:
		return scalar(boolNode, n.Token.Value)
	case *ast.SequenceNode:
		list := &node{kind: listNode, pos: pos}
		for _, item := range n.Values {
			list.items = append(list.items, b.build(item, pos, depth+1))
		}
		return list
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			pos = position(b.file, n.Values[0].Key.GetToken())
		}
		return b.mapping(n.Values, pos, depth)
	case *ast.MappingValueNode:
		return b.mapping([]*ast.MappingValueNode{n}, position(b.file, n.Key.GetToken()), depth)
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		b.anchors[name] = n.Value
		b.open[name] = true
		defer delete(b.open, name)
		return b.build(n.Value, pos, depth+1)
	case *ast.AliasNode:
		return b.alias(n, pos, depth)
	case *ast.TagNode:
		return b.tag(n, pos, depth)
	default:
		b.problems.add(pos, "write plain values, lists and mappings", "this kind of YAML is not understood here")
		return &node{pos: pos}
	}
}

func (b *builder) alias(n *ast.AliasNode, pos Position, depth int) *node {
	name := ""
	if n.Value != nil {
		name = n.Value.GetToken().Value
	}
	target, ok := b.anchors[name]
	switch {
	case !ok:
		b.problems.add(pos, "define it before with &"+plain(name), "the alias *%s is not defined", plain(name))
	case b.open[name]:
		b.problems.add(pos, "write the value out", "the alias *%s stands inside its own anchor", plain(name))
	default:
		b.open[name] = true
		defer delete(b.open, name)
		return b.build(target, pos, depth+1)
	}
	return &node{pos: pos}
}

func (b *builder) tag(n *ast.TagNode, pos Position, depth int) *node {
	if n.Start.Value == "!!str" {
		inner := b.build(n.Value, pos, depth+1)
		if inner.kind != listNode && inner.kind != mapNode {
			inner.kind = stringNode
		}
		return inner
	}
	b.problems.add(pos, "remove the tag; quote the value if it is text", "the tag %s is not understood here", quoted(n.Start.Value))
	return &node{pos: pos}
}

func (b *builder) mapping(values []*ast.MappingValueNode, pos Position, depth int) *node {
	m := &node{kind: mapNode, pos: pos}
	seen := make(map[string]Position, len(values))
	var merged []*node
	for _, v := range values {
		if v == nil || v.Key == nil {
			continue
		}
		at := position(b.file, v.Key.GetToken())
		if v.Key.IsMergeKey() {
			merged = append(merged, b.merged(v.Value, at, depth)...)
			continue
		}
		key, ok := b.key(v.Key, at, depth)
		if !ok {
			continue
		}
		value := b.build(v.Value, at, depth+1)
		if first, twice := seen[key]; twice {
			b.problems.add(at, "keep one of the two", "%s is set twice, first in line %d, column %d",
				quoted(key), first.Line, first.Column)
			continue
		}
		seen[key] = at
		m.entries = append(m.entries, entry{key, at, value})
	}
	for _, from := range merged {
		for _, e := range from.entries {
			if _, have := seen[e.key]; !have {
				seen[e.key] = e.pos
				m.entries = append(m.entries, e)
			}
		}
	}
	return m
}

func (b *builder) key(k ast.MapKeyNode, at Position, depth int) (string, bool) {
	var n ast.Node = k
	if explicit, ok := n.(*ast.MappingKeyNode); ok {
		n = explicit.Value
	}
	built := b.build(n, at, depth+1)
	if built.kind == listNode || built.kind == mapNode || built.kind == nullNode {
		b.problems.add(at, "use text as the key", "a key cannot be %s", built.kind)
		return "", false
	}
	return built.text, true
}

// merged are the mappings that `<<:` names.
func (b *builder) merged(v ast.Node, at Position, depth int) []*node {
	n := b.build(v, at, depth+1)
	all := []*node{n}
	if n.kind == listNode {
		all = n.items
	}
	return slices.DeleteFunc(all, func(m *node) bool {
		if m.kind == mapNode {
			return false
		}
		b.problems.add(at, "name mappings: <<: *anchor", "<< expects a mapping, got %s", m.kind)
		return true
	})
}
