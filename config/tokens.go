package config

import (
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// rejoin mends plain words with a colon, as in {incidents: [pagerduty:P1]}: inside of a flow mapping the
// lexer takes every colon for the end of a key, where YAML wants a space behind it.
func rejoin(tokens token.Tokens) token.Tokens {
	var out token.Tokens
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		for i+2 < len(tokens) && wordWithColon(tokens, i, t) {
			next := tokens[i+2]
			joined := *t
			joined.Type, joined.Value, joined.Origin = token.StringType, t.Value+":"+next.Value, t.Origin+":"+next.Origin
			t = &joined
			i += 2
		}
		t.Next = nil
		out.Add(t)
	}
	return out
}

// wordWithColon reports whether the token at i, so far joined to t, goes on with a colon and more
// without a space between.
func wordWithColon(tokens token.Tokens, i int, t *token.Token) bool {
	colon, next := tokens[i+1], tokens[i+2]
	if !isPlain(t) || colon.Type != token.MappingValueType || !isPlain(next) ||
		t.Position == nil || colon.Position == nil || next.Position == nil {
		return false
	}
	if t.Prev != nil && (t.Prev.Type == token.AliasType || t.Prev.Type == token.AnchorType) {
		return false
	}
	return t.Position.Line == colon.Position.Line && colon.Position.Line == next.Position.Line &&
		t.Position.Column+utf8.RuneCountInString(t.Value) == colon.Position.Column &&
		colon.Position.Column+1 == next.Position.Column
}

// isPlain reports whether t is a scalar without quotes.
func isPlain(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType,
		token.FloatType, token.BoolType, token.NullType, token.InfinityType, token.NanType:
		return true
	default:
		return false
	}
}

// bounded reports, and tells p, that the parser would take too much for the tokens.
func bounded(file string, tokens token.Tokens, p *problems) bool {
	keys, begun, directive := 0, false, 0
	for i, t := range tokens {
		switch {
		case t.Type == token.CommentType, t.Position != nil && t.Position.Line == directive:
			continue
		case t.Type == token.DirectiveType && t.Position != nil:
			directive = t.Position.Line
			continue
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
		begun = true
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
