package datadog

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// found is what a search looks at.
type found interface {
	// values are those of a key: of tags, and of what the endpoint names itself.
	values(key string) []string
	// text is what bare words are looked for in.
	text() string
}

// search says whether something is meant. It is made of key:value, key:(a OR b), words and "quotations", that
// stand side by side or are joined by AND and OR, with NOT or - before them, and parentheses.
type search func(found) bool

// maxNesting bounds how deeply a search may be nested.
const maxNesting = 32

func parseSearch(text string) (search, error) {
	if len(text) > maxBody>>8 {
		return nil, errors.New("Query parsing error: the query is too long") //nolint:staticcheck // Datadog's words
	}
	p := &searcher{words: searchWords(text)}
	if len(p.words) == 0 {
		return func(found) bool { return true }, nil
	}
	s, err := p.either("", 0)
	if err != nil {
		return nil, err
	}
	if p.peek() != "" {
		return nil, fmt.Errorf("Query parsing error: unexpected '%s'", p.peek()) //nolint:staticcheck // Datadog's words
	}
	return s, nil
}

// searchWords splits at spaces and parentheses, but not inside quotations, and behind the colon that a
// parenthesis follows.
func searchWords(text string) []string {
	var out []string
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			out = append(out, b.String())
			b.Reset()
		}
	}
	quoted := false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
			b.WriteRune(r)
		case quoted:
			b.WriteRune(r)
		case strings.ContainsRune(" \t\n\r", r):
			flush()
		case r == '(' || r == ')':
			flush()
			out = append(out, string(r))
		default:
			b.WriteRune(r)
		}
	}
	flush()
	return out
}

type searcher struct {
	words []string
	at    int
}

func (p *searcher) peek() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

// either reads alternatives. key is what words without one belong to, inside key:(…).
func (p *searcher) either(key string, depth int) (search, error) {
	if depth > maxNesting {
		return nil, errors.New("Query parsing error: nested too deeply") //nolint:staticcheck // Datadog's words
	}
	x, err := p.both(key, depth)
	for err == nil && p.peek() == "OR" {
		p.at++
		a := x
		var b search
		b, err = p.both(key, depth)
		x = func(f found) bool { return a(f) || b(f) }
	}
	return x, err
}

func (p *searcher) both(key string, depth int) (search, error) {
	x, err := p.single(key, depth)
	for err == nil && p.peek() != "" && p.peek() != ")" && p.peek() != "OR" {
		if p.peek() == "AND" {
			p.at++
		}
		a := x
		var b search
		b, err = p.single(key, depth)
		x = func(f found) bool { return a(f) && b(f) }
	}
	return x, err
}

func (p *searcher) single(key string, depth int) (search, error) {
	word := p.peek()
	p.at++
	switch {
	case word == "" || word == ")" || word == "AND" || word == "OR":
		return nil, fmt.Errorf("Query parsing error: unexpected '%s'", word) //nolint:staticcheck // Datadog's words
	case depth > maxNesting:
		return nil, errors.New("Query parsing error: nested too deeply") //nolint:staticcheck // Datadog's words
	case word == "NOT" || word == "-":
		x, err := p.single(key, depth+1)
		return func(f found) bool { return !x(f) }, err
	case word == "(":
		x, err := p.either(key, depth+1)
		if err == nil && p.peek() != ")" {
			err = errors.New("Query parsing error: a parenthesis does not close") //nolint:staticcheck // Datadog's words
		}
		p.at++
		return x, err
	case len(word) > 1 && word[0] == '-':
		p.words[p.at-1] = word[1:]
		p.at--
		x, err := p.single(key, depth+1)
		return func(f found) bool { return !x(f) }, err
	}
	return p.term(word, key, depth)
}

func (p *searcher) term(word, key string, depth int) (search, error) {
	if k, v, ok := strings.Cut(word, ":"); ok && key == "" && !strings.HasPrefix(word, `"`) {
		if v == "" && p.peek() == "(" {
			return p.single(k, depth+1)
		}
		return ofKey(k, v), nil
	}
	if key != "" {
		return ofKey(key, word), nil
	}
	if want := strings.ToLower(strings.Trim(word, `"`)); want != "*" {
		return func(f found) bool { return strings.Contains(strings.ToLower(f.text()), strings.Trim(want, "*")) }, nil
	}
	return func(found) bool { return true }, nil
}

func ofKey(key, want string) search {
	key = strings.TrimPrefix(strings.Trim(key, `"`), "@")
	want = strings.ToLower(strings.Trim(want, `"`))
	return func(f found) bool {
		for _, v := range f.values(key) {
			v = strings.ToLower(v)
			if v == want || want == "*" {
				return true
			}
			if strings.Contains(want, "*") {
				if ok, err := path.Match(strings.NewReplacer("/", "|", "[", "|", `\`, "|").Replace(want), strings.NewReplacer("/", "|", "[", "|", `\`, "|").Replace(v)); ok && err == nil {
					return true
				}
			}
		}
		return false
	}
}

// valuesOf lists the values of a tag's key among "key:value" tags; of the key "tag" all of them.
func valuesOf(tags []string, key string) []string {
	if key == "tag" || key == "tags" {
		return tags
	}
	var out []string
	for _, t := range tags {
		if k, v, ok := strings.Cut(t, ":"); ok && k == key {
			out = append(out, v)
		}
	}
	return out
}
