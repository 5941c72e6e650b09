package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The bounds of one file. Aliases count as nodes each time they are used. The parser takes time by the
// square of the keys: 100,000 of them take half a minute, 10,000 a third of a second.
const (
	maxBytes  = 1 << 20
	maxDepth  = 32
	maxNodes  = 100_000
	maxTokens = 100_000
	maxKeys   = 10_000
)

type nodeKind uint8

const (
	nullNode nodeKind = iota
	stringNode
	intNode
	floatNode
	boolNode
	listNode
	mapNode
)

// String is what the kind is called in an error: "got a number".
func (k nodeKind) String() string {
	switch k {
	case nullNode:
		return "nothing"
	case stringNode:
		return "a string"
	case intNode, floatNode:
		return "a number"
	case boolNode:
		return "true or false"
	case listNode:
		return "a list"
	case mapNode:
		return "a mapping"
	default:
		return "something unknown"
	}
}

// node is a value of a file. Nodes are shared between trees and never changed once built, the root's
// and the services' entries aside, which merging makes anew.
type node struct {
	kind    nodeKind
	text    string // of a scalar
	pos     Position
	items   []*node
	entries []entry
}

type entry struct {
	key   string
	pos   Position // of the key
	value *node
}

func (n *node) get(key string) (entry, bool) {
	if n == nil {
		return entry{}, false
	}
	i := slices.IndexFunc(n.entries, func(e entry) bool { return e.key == key })
	if i < 0 {
		return entry{}, false
	}
	return n.entries[i], true
}

// without is a copy of the mapping n that lacks keys.
func (n *node) without(keys ...string) *node {
	c := *n
	c.entries = slices.DeleteFunc(slices.Clone(n.entries), func(e entry) bool { return slices.Contains(keys, e.key) })
	return &c
}

// parseTree reads one document. It never panics; what it reports has a position, and the tree holds
// what could be read.
func parseTree(file string, data []byte, p *problems) (root *node) {
	start := Position{file, 1, 1}
	root = &node{kind: mapNode, pos: start}
	defer func() {
		if r := recover(); r != nil {
			p.add(start, "check its indentation and quotes", "this is not valid YAML")
			root = &node{kind: mapNode, pos: start}
		}
	}()
	switch {
	case len(data) > maxBytes:
		p.add(start, "split it with include, or remove what does not belong here", "the file is larger than 1 MiB")
		return root
	case !utf8.Valid(data):
		p.add(invalidAt(file, data), "save the file as UTF-8", "the file is not UTF-8 text")
		return root
	}
	tokens := lexer.Tokenize(string(data))
	if bounded(file, tokens, p) {
		return root
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		addSyntax(file, err, p)
		return root
	}
	docs := slices.DeleteFunc(parsed.Docs, func(d *ast.DocumentNode) bool { return d == nil || d.Body == nil })
	if len(docs) == 0 {
		return root
	}
	b := &builder{file: file, problems: p, anchors: map[string]ast.Node{}, open: map[string]bool{}}
	built := b.build(docs[0].Body, start, 0)
	switch built.kind {
	case mapNode:
		return built
	case nullNode:
	default:
		p.add(built.pos, "write keys such as sources: and services:", "expected a mapping, got %s", built.kind)
	}
	return root
}

func invalidAt(file string, data []byte) Position {
	pos := Position{file, 1, 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			return pos
		case r == '\n':
			pos.Line, pos.Column = pos.Line+1, 1
		default:
			pos.Column++
		}
		data = data[size:]
	}
	return pos
}

func position(file string, t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{file, 1, 1}
	}
	return Position{file, max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// bounded reports, and tells p, that the parser would take too much for the tokens.
func bounded(file string, tokens token.Tokens, p *problems) bool {
	keys, begun := 0, false
	for i, t := range tokens {
		switch {
		case t.Type == token.MappingValueType:
			keys++
		case t.Type == token.DocumentHeaderType && begun,
			t.Type == token.DocumentEndType && i < len(tokens)-1:
			p.add(position(file, t), "keep one document, without --- and ...", "the file holds several documents")
			return true
		}
		if i > maxTokens || keys > maxKeys {
			p.add(position(file, t), "split it with include", "the file holds more than %d keys or %d words", maxKeys, maxTokens)
			return true
		}
		begun = begun || t.Type != token.CommentType && t.Type != token.DirectiveType
	}
	if deep := tooDeep(tokens); deep != nil {
		p.add(position(file, deep), "nest less", "the nesting is deeper than %d levels", maxDepth)
		return true
	}
	return false
}

// tooDeep is the token at which the nesting passes the bound. The parser recurses, and a goroutine's
// stack that has run out cannot be recovered.
func tooDeep(tokens token.Tokens) *token.Token {
	flow := 0
	var columns []int // of the open block collections
	for _, t := range tokens {
		at := t
		switch t.Type { //nolint:exhaustive // only these nest
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType, token.TagType, token.AnchorType:
			if t.Type == token.MappingValueType && t.Prev != nil {
				at = t.Prev
			}
			if flow > 0 || at.Position == nil {
				break
			}
			for len(columns) > 0 && columns[len(columns)-1] >= at.Position.Column {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, at.Position.Column)
		}
		if flow+len(columns) > maxDepth {
			return t
		}
	}
	return nil
}

func addSyntax(file string, err error, p *problems) {
	const fix = "check the indentation, quotes and brackets here"
	var syntax interface {
		error
		GetMessage() string
		GetToken() *token.Token
	}
	if errors.As(err, &syntax) {
		p.add(position(file, syntax.GetToken()), fix, "this is not valid YAML (%s)", plain(syntax.GetMessage()))
		return
	}
	p.add(Position{file, 1, 1}, fix, "this is not valid YAML (%s)", plain(err.Error()))
}

// plain is s as part of one line: without line breaks and what cannot be printed, and not too long.
func plain(s string) string {
	const most = 120
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return -1
		}
	}, s)
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strings.TrimSpace(s)
}

// quoted is plain text in quotes, for an error about it.
func quoted(s string) string { return fmt.Sprintf("%q", plain(s)) }

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
		return scalar(stringNode, n.Value)
	case *ast.LiteralNode:
		return scalar(stringNode, n.Value.Value)
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
