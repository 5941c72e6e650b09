package mql

import (
	"path"
	"strings"
)

// filter says whether something with these tags is meant. A tag is looked up by its key; what has no
// such tag has none of its values.
type filter func(tag func(key string) (string, bool)) bool

func everything(func(string) (string, bool)) bool { return true }

// filter reads what stands in a query's braces, up to and with the closing one: tags that commas, AND, OR,
// NOT, ! and parentheses join, and KEY IN (a, b).
func (p *parser) filter() (filter, error) {
	t, err := p.word()
	if err != nil {
		return nil, err
	}
	if t.kind == sign && t.text == "}" {
		return everything, nil
	}
	f, last, err := p.either(t, 0)
	if err != nil {
		return nil, err
	}
	if last.kind != sign || last.text != "}" {
		return nil, &Error{last.at, "expected ',' or '}'"}
	}
	return f, nil
}

// either reads alternatives that begin with t, and gives the token behind them.
func (p *parser) either(t token, depth int) (filter, token, error) {
	f, t, err := p.both(t, depth)
	for err == nil && t.kind == name && strings.EqualFold(t.text, "OR") {
		x := f
		var y filter
		if t, err = p.word(); err != nil {
			break
		}
		y, t, err = p.both(t, depth)
		f = func(tag func(string) (string, bool)) bool { return x(tag) || y(tag) }
	}
	return f, t, err
}

func (p *parser) both(t token, depth int) (filter, token, error) {
	f, t, err := p.single(t, depth)
	for err == nil && (t.kind == sign && t.text == "," || t.kind == name && strings.EqualFold(t.text, "AND")) {
		x := f
		var y filter
		if t, err = p.word(); err != nil {
			break
		}
		y, t, err = p.single(t, depth)
		f = func(tag func(string) (string, bool)) bool { return x(tag) && y(tag) }
	}
	return f, t, err
}

func (p *parser) single(t token, depth int) (filter, token, error) {
	if depth > maxDepth {
		return nil, t, &Error{t.at, "nested too deeply"}
	}
	switch {
	case t.kind == sign && t.text == "!", t.kind == name && strings.EqualFold(t.text, "NOT"):
		t, err := p.word()
		if err != nil {
			return nil, t, err
		}
		f, t, err := p.single(t, depth+1)
		return func(tag func(string) (string, bool)) bool { return !f(tag) }, t, err
	case t.kind == sign && t.text == "(":
		t, err := p.word()
		if err != nil {
			return nil, t, err
		}
		f, t, err := p.either(t, depth+1)
		if err != nil {
			return nil, t, err
		}
		if t.kind != sign || t.text != ")" {
			return nil, t, &Error{t.at, "expected ')'"}
		}
		t, err = p.word()
		return f, t, err
	case t.kind != name || strings.ContainsAny(t.text, `"'=<>`):
		return nil, t, &Error{t.at, "expected a tag"}
	}
	return p.tag(t)
}

// tag reads one tag, or the values of KEY IN (…) and KEY NOT IN (…).
func (p *parser) tag(t token) (filter, token, error) {
	next, err := p.word()
	if err != nil {
		return nil, next, err
	}
	switch {
	case next.kind == name && strings.EqualFold(next.text, "IN"):
		return p.among(t)
	case next.kind == name && strings.EqualFold(next.text, "NOT"):
		if next, err = p.word(); err != nil {
			return nil, next, err
		}
		if next.kind != name || !strings.EqualFold(next.text, "IN") {
			return nil, next, &Error{next.at, "expected 'IN'"}
		}
		f, next, err := p.among(t)
		return func(tag func(string) (string, bool)) bool { return !f(tag) }, next, err
	}
	if t.text == "*" {
		return everything, next, nil
	}
	key, want, ok := strings.Cut(t.text, ":")
	if strings.HasPrefix(key, "$") { // a dashboard's variable stands for everything
		return everything, next, nil
	}
	if !ok || key == "" || want == "" {
		return nil, t, &Error{t.at, "expected a tag as 'key:value'"}
	}
	match, err := matcher(want, t.at)
	if err != nil {
		return nil, t, err
	}
	return func(tag func(string) (string, bool)) bool {
		v, ok := tag(key)
		return ok && match(v)
	}, next, nil
}

func (p *parser) among(key token) (filter, token, error) {
	t, err := p.word()
	if err != nil {
		return nil, t, err
	}
	if t.kind != sign || t.text != "(" {
		return nil, t, &Error{t.at, "expected '('"}
	}
	var matches []func(string) bool
	for {
		if t, err = p.word(); err != nil {
			return nil, t, err
		}
		if t.kind != name {
			return nil, t, &Error{t.at, "expected a value"}
		}
		m, err := matcher(t.text, t.at)
		if err != nil {
			return nil, t, err
		}
		matches = append(matches, m)
		if t, err = p.word(); err != nil {
			return nil, t, err
		}
		if t.kind == sign && t.text == ")" {
			break
		}
		if t.kind != sign || t.text != "," {
			return nil, t, &Error{t.at, "expected ',' or ')'"}
		}
	}
	t, err = p.word()
	return func(tag func(string) (string, bool)) bool {
		v, ok := tag(key.text)
		for _, m := range matches {
			if ok && m(v) {
				return true
			}
		}
		return false
	}, t, err
}

// matcher compares a tag's value with a wanted one, in which * stands for anything.
func matcher(want string, at int) (func(string) bool, error) {
	if !strings.Contains(want, "*") {
		return func(v string) bool { return strings.EqualFold(v, want) }, nil
	}
	want = strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`).Replace(strings.ToLower(want))
	if _, err := path.Match(want, ""); err != nil {
		return nil, &Error{at, "bad wildcard"}
	}
	return func(v string) bool {
		// path.Match's * stops at a slash, Datadog's does not.
		ok, err := path.Match(strings.ReplaceAll(want, "/", "\x00"), strings.ReplaceAll(strings.ToLower(v), "/", "\x00"))
		return ok && err == nil
	}, nil
}
