package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
)

// Rule is one entry of the policies: an expression and a window of time, or what a built-in gate goes by
// in the place of its defaults.
type Rule struct {
	Name       string
	Env        string         // the environment that it is about; "" is every one, of a built-in gate production
	On         []sources.Verb // what it is about; none is Promote
	Require    string         // a CEL expression that must hold; "" is none
	During     *Window        // when it applies; nil is always
	Else       Verdict        // what follows when it does not hold
	Because    string         // the reason, in which {{expression}} is filled in
	BreakGlass bool

	// Builtin names the built-in gate that the rest is for. Nil keeps the gate's default.
	Builtin  string
	After    *time.Duration
	Most     *int
	Severity *int
	Below    *float64
	Only     []string
	ElseSet  bool // Else is said, of a built-in gate
	GlassSet bool // BreakGlass is said, of a built-in gate
}

// Error is one mistake in one rule. Line and Column say where in the text of Field it is, and count from 1;
// a Line of 0 is the whole field. Where Word is not known, Known is what is.
type Error struct {
	Rule   int    // its place among the rules
	Name   string // its name
	Field  string // "require", "because", "builtin" …
	Line   int
	Column int // in characters
	Msg    string
	Fix    string
	Word   string
	Known  []string
}

func (e *Error) Error() string {
	at := e.Field
	if e.Line > 0 {
		at = fmt.Sprintf("%s, line %d, column %d", e.Field, e.Line, e.Column)
	}
	s := fmt.Sprintf("policy %s: %s: %s", e.Name, at, e.Msg)
	if e.Fix != "" {
		s += ": " + e.Fix
	}
	return s
}

// Set is a policy: the rules of a config and the built-in gates. It never changes, and is safe for use by
// several goroutines.
type Set struct {
	rules    []compiled
	settings []Rule // for built-in gates, the most general first
	known    map[string]variable
}

// compiled is a rule that is ready to be asked.
type compiled struct {
	Rule
	require *expression // nil for none
	because template
	during  *span
}

// Compile makes a policy of rules; of none it makes the default one. Its error joins an *Error for each
// mistake.
func Compile(rules []Rule) (*Set, error) {
	s := &Set{known: map[string]variable{}}
	for _, v := range variables() {
		s.known[v.name] = v
	}
	c := &compiler{}
	for i, r := range rules {
		c.rule, c.index = r, i
		if r.Builtin != "" {
			c.setting()
			s.settings = append(s.settings, r)
			continue
		}
		s.rules = append(s.rules, c.expression())
	}
	slices.SortStableFunc(s.settings, func(a, b Rule) int { return specific(a) - specific(b) })
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	return s, nil
}

func specific(r Rule) int {
	if r.Env != "" {
		return 1
	}
	return 0
}

// Default is the policy that ships: the built-in gates alone, safe for production.
func Default() *Set { return &Set{} }

// compiler turns rules into what can be asked, and collects what is wrong with them.
type compiler struct {
	env   *environment // made when the first expression needs it
	rule  Rule
	index int
	errs  []error
}

func (c *compiler) fail(e Error) {
	e.Rule, e.Name = c.index, c.rule.Name
	if e.Name == "" {
		e.Name = c.rule.Builtin
	}
	c.errs = append(c.errs, &e)
}

// setting checks a rule that is for a built-in gate.
func (c *compiler) setting() {
	r := c.rule
	i := slices.IndexFunc(gates(), func(g gate) bool { return g.name == r.Builtin })
	if i < 0 || gates()[i].params == nil {
		var names []string
		for _, g := range gates() {
			if g.params != nil {
				names = append(names, g.name)
			}
		}
		c.fail(Error{Field: "builtin", Msg: fmt.Sprintf("there is no built-in gate %q that could be set", r.Builtin), Word: r.Builtin, Known: names})
		return
	}
	g := gates()[i]
	for _, p := range []struct {
		name string
		set  bool
	}{
		{"after", r.After != nil}, {"most", r.Most != nil}, {"severity", r.Severity != nil}, {"below", r.Below != nil}, {"only", len(r.Only) > 0},
	} {
		if p.set && !slices.Contains(g.params, p.name) {
			c.fail(Error{Field: p.name, Msg: fmt.Sprintf("the built-in gate %s has no %s", g.name, p.name), Fix: "it has " + strings.Join(append(slices.Clone(g.params), "else", "break_glass"), ", ")})
		}
	}
	for _, p := range []struct {
		name string
		set  bool
	}{
		{"require", r.Require != ""}, {"during", r.During != nil}, {"because", r.Because != ""}, {"on", len(r.On) > 0},
	} {
		if p.set {
			c.fail(Error{Field: p.name, Msg: "a built-in gate takes no " + p.name, Fix: "remove it, or write a rule of its own for it"})
		}
	}
}

// expression compiles a rule that has one, or a window.
func (c *compiler) expression() compiled {
	out := compiled{Rule: c.rule}
	for _, p := range []struct {
		name string
		set  bool
	}{
		{"after", c.rule.After != nil}, {"most", c.rule.Most != nil}, {"severity", c.rule.Severity != nil}, {"below", c.rule.Below != nil}, {"only", len(c.rule.Only) > 0},
	} {
		if p.set {
			c.fail(Error{Field: p.name, Msg: p.name + " is for built-in gates", Fix: "add builtin:, or remove it"})
		}
	}
	if c.rule.Require == "" && c.rule.During == nil {
		c.fail(Error{Msg: "the policy says neither what must hold nor when it applies", Fix: "add require: or during:"})
	}
	if c.rule.Require != "" {
		out.require = c.compile("require", c.rule.Require, 0, c.rule.Require, true)
	}
	out.because = c.template(c.rule.Because)
	if c.rule.During != nil {
		w, err := c.rule.During.resolve()
		if err != nil {
			c.fail(Error{Field: "during", Msg: err.Error(), Fix: "write for example {from: Fri 16:00, to: Mon 08:00, zone: Europe/Berlin}"})
		}
		out.during = w
	}
	return out
}
