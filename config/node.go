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
	written *written // of text that stands in a file
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
	text := strings.TrimPrefix(string(data), "\ufeff") // the mark that some editors begin a file with
	tokens := rejoin(lexer.Tokenize(text))
	if bounded(file, tokens, p) {
		return root
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		addSyntax(file, err, p)
		return root
	}
	docs := slices.DeleteFunc(parsed.Docs, func(d *ast.DocumentNode) bool {
		return d == nil || d.Body == nil || d.Body.Type() == ast.DirectiveType
	})
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

// printable is s without line breaks and what else cannot be printed.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return -1
		}
	}, s)
}

// plain is s as part of one line: printable, and not too long.
func plain(s string) string {
	const most = 120
	s = printable(s)
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strings.TrimSpace(s)
}

// quoted is plain text in quotes, for an error about it.
func quoted(s string) string { return fmt.Sprintf("%q", plain(s)) }
