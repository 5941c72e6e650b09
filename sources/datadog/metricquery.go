package datadog

import (
	"fmt"
	"regexp"
	"strings"
)

// expression is one configured query in the terms of Datadog's second version: plain queries, and a formula
// on their names.
type expression struct {
	queries []string
	formula string // with {0}, {1} … in the place of the queries' names
}

var (
	queryStart = regexp.MustCompile(`^[a-z][a-z0-9]*(?:\([a-z0-9_, .]*\))?:[A-Za-z][A-Za-z0-9_.]*\{`)
	groupBy    = regexp.MustCompile(`^\s+by\s*\{[^{}]*\}`)
	method     = regexp.MustCompile(`^\.[a-z_]+\([^()]*\)`)
	// arithmetic is what a formula may hold besides queries; anything else is for the first version.
	arithmetic = regexp.MustCompile(`^[A-Za-z0-9_ .,+\-*/()'"]*$`)
)

// express takes a query apart: "sum:a{*}/sum:b{*}" is two queries and the formula "{0}/{1}". What it does
// not understand stays one query, which Datadog may refuse.
func express(query string) expression {
	whole := expression{queries: []string{query}, formula: "{0}"}
	var (
		e    expression
		b    strings.Builder
		rest = query
	)
	for rest != "" {
		boundary := b.Len() == 0 || !isWord(b.String()[b.Len()-1])
		n := 0
		if boundary {
			n = queryLen(rest)
		}
		if n == 0 {
			if strings.ContainsAny(rest[:1], "{}") {
				return whole
			}
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		fmt.Fprintf(&b, "{%d}", e.add(rest[:n]))
		rest = rest[n:]
	}
	e.formula = strings.TrimSpace(b.String())
	if len(e.queries) == 0 || !arithmetic.MatchString(strings.NewReplacer("{", "", "}", "").Replace(e.formula)) {
		return whole
	}
	return e
}

// add is the index of query among those of e.
func (e *expression) add(query string) int {
	for i, q := range e.queries {
		if q == query {
			return i
		}
	}
	e.queries = append(e.queries, query)
	return len(e.queries) - 1
}

// queryLen is how long the plain query at the start of s is; 0 when there is none.
func queryLen(s string) int {
	start := queryStart.FindString(s)
	if start == "" {
		return 0
	}
	end := strings.IndexByte(s[len(start):], '}')
	if end < 0 {
		return 0
	}
	n := len(start) + end + 1
	n += len(groupBy.FindString(s[n:]))
	for {
		m := method.FindString(s[n:])
		if m == "" {
			return n
		}
		n += len(m)
	}
}

// named is the formula with names in the place of the queries.
func (e expression) named(name func(query string) string) string {
	out := e.formula
	for i, q := range e.queries {
		out = strings.ReplaceAll(out, fmt.Sprintf("{%d}", i), name(q))
	}
	return out
}
