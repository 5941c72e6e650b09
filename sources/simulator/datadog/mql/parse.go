package mql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Expr is a query that has been read: metrics, numbers, and what is made of them.
type Expr interface{ expr() }

// Query asks for one metric.
type Query struct {
	Aggr    string // avg, sum, min, max, count, p50 …; "" when the query names none
	Metric  string
	Scope   string // what stood in the braces
	By      []string
	As      string        // "rate", "count" or ""
	Rollup  string        // avg, sum, min, max, count; "" as the metric's type has it
	Step    time.Duration // of the rollup; 0: the request's interval
	Fill    string        // null, zero, last or linear; ""
	filters filter
}

// Binary is x op y, with op one of + - * /.
type Binary struct {
	Op   byte
	X, Y Expr
}

// Number is a constant.
type Number float64

// Call applies a function to an expression.
type Call struct {
	Func string
	Arg  Expr
	Rest []float64
}

// Name refers to a query of a formula by its name.
type Name string

func (*Query) expr()  {}
func (*Binary) expr() {}
func (Number) expr()  {}
func (*Call) expr()   {}
func (Name) expr()    {}

// maxDepth bounds how deeply expressions and filters may be nested.
const maxDepth = 64

// Parse reads a query; expressions that are separated by commas are several.
func Parse(src string) ([]Expr, error) { return parse(src, false) }

// ParseFormula reads a formula over queries that are known by their names.
func ParseFormula(src string) (Expr, error) {
	list, err := parse(src, true)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, &Error{0, "a formula is one expression"}
	}
	return list[0], nil
}

func parse(src string, formula bool) ([]Expr, error) {
	if len(src) > maxQuery {
		return nil, &Error{maxQuery, "the query is too long"}
	}
	p := &parser{scanner: scanner{src: src}, formula: formula}
	if err := p.advance(); err != nil {
		return nil, err
	}
	var out []Expr
	for {
		x, err := p.sum(0)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
		if !p.is(",") {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if p.cur.kind != end {
		return nil, p.unexpected("an operator or the end")
	}
	return out, nil
}

type parser struct {
	scanner
	cur     token
	formula bool
}

func (p *parser) advance() (err error) {
	p.cur, err = p.next()
	return err
}

func (p *parser) is(s string) bool { return p.cur.kind == sign && p.cur.text == s }

func (p *parser) expect(s string) error {
	if !p.is(s) {
		return p.unexpected("'" + s + "'")
	}
	return p.advance()
}

func (p *parser) unexpected(want string) error {
	return &Error{p.cur.at, fmt.Sprintf("unexpected %s, expected %s", p.cur, want)}
}

func (p *parser) sum(depth int) (Expr, error) { return p.chain("+-", p.product, depth) }

func (p *parser) product(depth int) (Expr, error) { return p.chain("*/", p.unary, depth) }

func (p *parser) chain(ops string, part func(int) (Expr, error), depth int) (Expr, error) {
	x, err := part(depth)
	for n := 0; err == nil && p.cur.kind == sign && strings.Contains(ops, p.cur.text); n++ {
		op := p.cur.text[0]
		if n > maxDepth {
			return nil, &Error{p.cur.at, "too many operators"}
		}
		if err = p.advance(); err != nil {
			return nil, err
		}
		var y Expr
		if y, err = part(depth); err == nil {
			x = &Binary{op, x, y}
		}
	}
	return x, err
}

func (p *parser) unary(depth int) (Expr, error) {
	if depth > maxDepth {
		return nil, &Error{p.cur.at, "nested too deeply"}
	}
	switch {
	case p.is("-"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		x, err := p.unary(depth + 1)
		return &Binary{'-', Number(0), x}, err
	case p.is("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		x, err := p.sum(depth + 1)
		if err != nil {
			return nil, err
		}
		return x, p.expect(")")
	case p.cur.kind == number:
		f, err := strconv.ParseFloat(p.cur.text, 64)
		if err != nil {
			return nil, p.unexpected("a number")
		}
		return Number(f), p.advance()
	case p.cur.kind == name:
		return p.named(depth)
	default:
		return nil, p.unexpected("a metric, a number or '('")
	}
}

// named reads what begins with a name: a query, a function or a formula's query.
func (p *parser) named(depth int) (Expr, error) {
	first := p.cur
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch {
	case p.is("("):
		return p.call(first, depth)
	case p.formula:
		return Name(first.text), nil
	case p.is("{"):
		return p.query("", first.text)
	case !p.is(":"):
		return nil, p.unexpected("':' or '{'")
	case !slices.Contains(aggregators(), first.text):
		return nil, &Error{first.at, fmt.Sprintf("unknown aggregator '%s'", first.text)}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	metric := p.cur
	if metric.kind != name {
		return nil, p.unexpected("a metric")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.is("{") {
		return nil, p.unexpected("'{'")
	}
	return p.query(first.text, metric.text)
}

func aggregators() []string {
	return []string{"avg", "sum", "min", "max", "count", "p50", "p75", "p90", "p95", "p99"}
}

// query reads on after a metric's opening brace, which is the current token.
func (p *parser) query(aggr, metric string) (Expr, error) {
	q := &Query{Aggr: aggr, Metric: metric}
	from := p.at
	var err error
	if q.filters, err = p.filter(); err != nil {
		return nil, err
	}
	q.Scope = strings.TrimSpace(p.src[from : p.at-1])
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.cur.kind == name && p.cur.text == "by" {
		if q.By, err = p.by(); err != nil {
			return nil, err
		}
	}
	for p.is(".") {
		if err := p.modifier(q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (p *parser) by() ([]string, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.is("{") {
		return nil, p.unexpected("'{'")
	}
	var tags []string
	for {
		t, err := p.word()
		if err != nil {
			return nil, err
		}
		if t.kind != name {
			return nil, &Error{t.at, "expected a tag"}
		}
		if !slices.Contains(tags, t.text) {
			tags = append(tags, t.text)
		}
		if t, err = p.word(); err != nil {
			return nil, err
		}
		switch {
		case t.kind == sign && t.text == "}":
			return tags, p.advance()
		case t.kind != sign || t.text != ",":
			return nil, &Error{t.at, "expected ',' or '}'"}
		}
	}
}

// modifier reads .as_rate(), .as_count(), .rollup(method, seconds) or .fill(method).
func (p *parser) modifier(q *Query) error {
	if err := p.advance(); err != nil {
		return err
	}
	fn := p.cur
	if fn.kind != name {
		return p.unexpected("a function")
	}
	if err := p.advance(); err != nil {
		return err
	}
	args, err := p.arguments()
	if err != nil {
		return err
	}
	switch {
	case fn.text == "as_rate" && len(args) == 0:
		q.As = "rate"
	case fn.text == "as_count" && len(args) == 0:
		q.As = "count"
	case fn.text == "rollup":
		return q.rollup(fn.at, args)
	case fn.text == "fill" && len(args) >= 1 && len(args) <= 2 && slices.Contains([]string{"null", "zero", "last", "linear"}, args[0].text):
		q.Fill = args[0].text
	default:
		return &Error{fn.at, fmt.Sprintf("unknown function or arguments '.%s'", fn.text)}
	}
	return nil
}

func (q *Query) rollup(at int, args []token) error {
	if len(args) > 0 && args[0].kind == name {
		q.Rollup, args = args[0].text, args[1:]
		if !slices.Contains([]string{"avg", "sum", "min", "max", "count"}, q.Rollup) {
			return &Error{at, fmt.Sprintf("unknown rollup '%s'", q.Rollup)}
		}
	}
	if len(args) == 0 {
		return nil
	}
	n, err := strconv.Atoi(args[0].text)
	if err != nil || len(args) > 1 || n < 1 || n > 30*86400 {
		return &Error{at, "a rollup takes a method and seconds"}
	}
	q.Step = time.Duration(n) * time.Second
	return nil
}

// arguments reads a list in parentheses of names, numbers and quoted texts.
func (p *parser) arguments() ([]token, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var out []token
	for !p.is(")") {
		if len(out) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		if p.is("-") {
			if err := p.advance(); err != nil {
				return nil, err
			}
			p.cur.text = "-" + p.cur.text
		}
		if p.cur.kind == sign || p.cur.kind == end {
			return nil, p.unexpected("an argument")
		}
		out = append(out, p.cur)
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return out, p.advance()
}

// call reads a function's arguments: an expression, then numbers. The opening parenthesis is current.
func (p *parser) call(fn token, depth int) (Expr, error) {
	f, ok := functions()[fn.text]
	if !ok {
		return nil, &Error{fn.at, fmt.Sprintf("unknown function '%s'", fn.text)}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	x, err := p.sum(depth + 1)
	if err != nil {
		return nil, err
	}
	c := &Call{Func: fn.text, Arg: x}
	for p.is(",") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := p.signed()
		if err != nil {
			return nil, err
		}
		c.Rest = append(c.Rest, n)
	}
	if len(c.Rest) != f.args {
		return nil, &Error{fn.at, fmt.Sprintf("'%s' takes %d numbers", fn.text, f.args)}
	}
	return c, p.expect(")")
}

func (p *parser) signed() (float64, error) {
	s := ""
	if p.is("-") {
		s = "-"
		if err := p.advance(); err != nil {
			return 0, err
		}
	}
	if p.cur.kind != number {
		return 0, p.unexpected("a number")
	}
	f, err := strconv.ParseFloat(s+p.cur.text, 64)
	if err != nil {
		return 0, p.unexpected("a number")
	}
	return f, p.advance()
}
