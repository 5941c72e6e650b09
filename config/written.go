package config

import (
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/token"
)

// written is a text as the file has it: with its quotes, escapes, indentation and line breaks.
type written struct {
	raw   string
	start Position // of raw's first character
	quote rune     // 0 for none
}

// inline is the text of a token that begins where it stands.
func inline(t *token.Token, pos Position) *written {
	if t == nil {
		return nil
	}
	w := &written{raw: strings.TrimLeft(t.Origin, " \t\r\n"), start: pos}
	switch t.Type { //nolint:exhaustive // all others have no quotes
	case token.SingleQuoteType:
		w.quote = '\''
	case token.DoubleQuoteType:
		w.quote = '"'
	}
	if w.quote != 0 {
		w.raw = strings.TrimSuffix(strings.TrimPrefix(w.raw, string(w.quote)), string(w.quote))
		w.start.Column++
	}
	return w
}

// block is the text of a literal or folded block, whose header is at pos.
func block(t *token.Token, pos Position) *written {
	if t == nil {
		return nil
	}
	return &written{raw: t.Origin, start: Position{pos.File, pos.Line + 1, 1}}
}

// within is where the character at a line and a column of the text, both counted from 1, stands in the file:
// n's own place where that cannot be told. What YAML changes about a text is its white space, so that the
// characters between are counted.
func (n *node) within(line, column int) Position {
	if n.written == nil || line < 1 || column < 1 {
		return n.pos
	}
	lines := strings.Split(n.text, "\n")
	if line > len(lines) {
		return n.pos
	}
	here := []rune(lines[line-1])
	column = min(column, len(here)+1)
	before := inked(strings.Join(lines[:line-1], "")) + inked(string(here[:column-1]))
	places := n.written.places()
	if len(places) != inked(n.text) {
		return n.pos
	}
	switch {
	case column <= len(here) && !unicode.IsSpace(here[column-1]):
		return places[before]
	case before == 0:
		return n.pos
	}
	last := places[before-1]
	last.Column++
	return last
}

// inked counts the characters of s that are no white space.
func inked(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// places are where each character of the text stands that is no white space. One that is escaped stands
// where its escape begins; of those that are named by their numbers the parser keeps nothing, so that
// there are too few then.
func (w *written) places() []Position {
	var out []Position
	at := w.start
	raw := []rune(w.raw)
	for i := 0; i < len(raw); {
		length, space := w.unit(raw[i:])
		if !space {
			out = append(out, at)
		}
		for _, r := range raw[i : i+length] {
			if at.Column++; r == '\n' {
				at.Line, at.Column = at.Line+1, 1
			}
		}
		i += length
	}
	return out
}

// unit is how many characters of raw are one of the text, and whether that is white space.
func (w *written) unit(raw []rune) (length int, space bool) {
	switch {
	case w.quote == '\'' && len(raw) > 1 && raw[0] == '\'' && raw[1] == '\'':
		return 2, false
	case w.quote == '"' && len(raw) > 1 && raw[0] == '\\':
		return 2, strings.ContainsRune("ntrvf_NLP \n\t", raw[1])
	}
	return 1, unicode.IsSpace(raw[0])
}
