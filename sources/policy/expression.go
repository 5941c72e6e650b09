package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// The bounds of one expression: its characters, how deep it nests, and what evaluating it may cost (a step
// or a few characters of text each are one; a hundred thousand take some milliseconds).
const (
	maxRunes = 4096
	maxDepth = 64
	maxCost  = 100_000
)

// syntax begins what the parser says, rather than the checker.
const syntax = "Syntax error: "

// environment is what expressions are compiled against.
type environment struct {
	cel   *cel.Env
	names []string
}

func newEnvironment() (*environment, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("prepare the expressions: %w", err)
	}
	options := []cel.EnvOption{
		cel.CustomTypeProvider(provider{registry, objects()}),
		cel.CustomTypeAdapter(registry),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxRunes),
		cel.ParserRecursionLimit(maxDepth),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals()),
	}
	e := &environment{}
	for _, v := range variables() {
		options = append(options, cel.Variable(v.name, v.typ))
		e.names = append(e.names, v.name)
	}
	if e.cel, err = cel.NewEnv(options...); err != nil {
		return nil, fmt.Errorf("prepare the expressions: %w", err)
	}
	return e, nil
}

// expression is a CEL expression that is ready to be evaluated.
type expression struct {
	text    string
	program cel.Program
}

// compile makes an expression of text, which begins at the byte offset of whole, the text of a field. It is
// nil where there are mistakes; they are noted.
func (c *compiler) compile(field, text string, offset int, whole string, verdict bool) *expression {
	fail := func(line, column int, e Error) {
		e.Field = field
		e.Line, e.Column = shifted(whole, offset, line, column)
		c.fail(e)
	}
	if c.env == nil {
		env, err := newEnvironment()
		if err != nil {
			fail(1, 0, Error{Msg: err.Error()})
			return nil
		}
		c.env = env
	}
	ast, issues, err := c.env.checked(text)
	if err != nil {
		fail(1, 0, Error{Msg: err.Error(), Fix: "write it more simply"})
		return nil
	}
	for n, i := range issues.Errors() {
		if n > 0 && strings.HasPrefix(i.Message, syntax) {
			break // one slip makes several
		}
		line, column := max(i.Location.Line(), 1), max(i.Location.Column(), 0)
		column = begin(text, line, column)
		fail(line, column, c.env.explain(text, i.Message, line, column))
	}
	if issues.Err() != nil {
		return nil
	}
	if verdict && ast.OutputType() != cel.BoolType {
		fail(1, 0, Error{Msg: "it must be true or false, and this is of the type " + cel.FormatCELType(ast.OutputType()), Fix: "compare it with something"})
		return nil
	}
	if k := ast.OutputType().Kind(); !verdict && (k == cel.MapKind || k == cel.StructKind) {
		fail(1, 0, Error{Msg: "a " + cel.FormatCELType(ast.OutputType()) + " cannot be written out", Fix: "choose a part of it"})
		return nil
	}
	program, err := c.env.cel.Program(ast, cel.CostLimit(maxCost))
	if err != nil {
		fail(1, 0, Error{Msg: plainly(err).Error(), Fix: "write it more simply"})
		return nil
	}
	return &expression{text, program}
}

// checked is text as CEL understands it. A panic inside CEL is an error.
func (e *environment) checked(text string) (ast *cel.Ast, issues *cel.Issues, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it cannot be understood (%v)", r)
		}
	}()
	ast, issues = e.cel.Compile(text)
	return ast, issues, nil
}

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	noField    = regexp.MustCompile(`^undefined field '([^']*)'`)
	dotted     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*`)
	noOverload = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '([^']*)'`)
	operator   = regexp.MustCompile(`^_(.*)_$`)
)

// explain says what CEL has found in words that need no knowledge of CEL.
func (e *environment) explain(text, msg string, line, column int) Error {
	if m := undeclared.FindStringSubmatch(msg); m != nil {
		word := m[1]
		if rest := from(text, line, column); rest != "" {
			if name := dotted.FindString(rest); strings.HasPrefix(name, word) {
				word = strings.Join(strings.Fields(name), "")
			}
		}
		if strings.HasPrefix(from(text, line, column), "(") {
			return Error{Msg: fmt.Sprintf("there is no function %q", word), Fix: "see https://cel.dev for those that there are"}
		}
		return Error{Msg: fmt.Sprintf("unknown variable %q", word), Word: word, Known: e.near(word)}
	}
	if m := noField.FindStringSubmatch(msg); m != nil {
		var names []string
		for _, o := range objects() {
			for _, f := range o {
				names = append(names, f.name)
			}
		}
		slices.Sort(names)
		return Error{Msg: fmt.Sprintf("unknown field %q", m[1]), Word: m[1], Known: slices.Compact(names)}
	}
	if m := noOverload.FindStringSubmatch(msg); m != nil {
		op := m[1]
		if o := operator.FindStringSubmatch(op); o != nil {
			op = strings.ReplaceAll(o[1], "_", " ")
		}
		return Error{Msg: fmt.Sprintf("%s does not work on %s", strings.TrimSpace(op), strings.NewReplacer("(", "", ")", "", ", ", " and ").Replace(m[2])), Fix: mixed(m[2])}
	}
	msg = strings.TrimPrefix(msg, syntax)
	msg, _, _ = strings.Cut(msg, " expecting ")
	msg = strings.ReplaceAll(strings.ReplaceAll(msg, "mismatched input '<EOF>'", "it ends too early"), " at '<EOF>'", "")
	return Error{Msg: msg, Fix: spelling(from(text, line, column))}
}

// spelling is what to write in the place of what other languages write.
func spelling(rest string) string {
	for other, own := range map[string]string{"and ": "&&", "or ": "||", "not ": "!", "= ": "=="} {
		if strings.HasPrefix(rest, other) {
			return fmt.Sprintf("write %s for %s", own, strings.TrimSpace(other))
		}
	}
	return "check the expression here"
}

// mixed is what to do about two types that do not go together.
func mixed(types string) string {
	if strings.Contains(types, "duration") {
		return `write a duration as duration("30m")`
	}
	return "make both sides the same kind of value"
}

// near are the variables that a wrong name may be meant for: those of its own family first.
func (e *environment) near(word string) []string {
	family, _, ok := strings.Cut(word, ".")
	var out []string
	for _, n := range e.names {
		if ok && strings.HasPrefix(n, family+".") {
			out = append(out, n)
		}
	}
	if len(out) > 0 {
		return out
	}
	return e.names
}

// begin is the column at which the name begins whose dot is at a column: there CEL places what it does not
// know.
func begin(text string, line, column int) int {
	if !strings.HasPrefix(from(text, line, column), ".") {
		return column
	}
	runes := []rune(strings.Split(text, "\n")[line-1])
	for column > 0 && (runes[column-1] == '.' || runes[column-1] == '_' || unicode.IsLetter(runes[column-1]) || unicode.IsDigit(runes[column-1])) {
		column--
	}
	return column
}

// from is text from a line (from 1) and a column (from 0, in characters) on.
func from(text string, line, column int) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	runes := []rune(lines[line-1])
	if column < 0 || column > len(runes) {
		return ""
	}
	return string(runes[column:])
}

// shifted is the place in whole of a place in what begins at its byte offset, both counted from 1; column
// counts from 0.
func shifted(whole string, offset, line, column int) (int, int) {
	before := whole[:offset]
	last := before[strings.LastIndexByte(before, '\n')+1:]
	if line == 1 {
		column += utf8.RuneCountInString(last)
	}
	return line + strings.Count(before, "\n"), column + 1
}

// names gives an evaluation the facts by name, and notes what it asks for and is not known.
type names struct {
	facts   *Facts
	known   map[string]variable
	missing []string
}

// ResolveName implements interpreter.Activation.
func (n *names) ResolveName(name string) (any, bool) {
	v, ok := n.known[name]
	if !ok {
		return nil, false
	}
	value, ok := v.get(n.facts)
	if !ok && !slices.Contains(n.missing, name) {
		n.missing = append(n.missing, name)
	}
	return value, ok
}

// Parent implements interpreter.Activation.
func (n *names) Parent() interpreter.Activation { return nil }

// value is what an expression comes to. Its error says in words why it cannot be told.
func (x *expression) value(n *names) (out any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it cannot be evaluated (%v)", r)
		}
	}()
	n.missing = nil
	v, _, err := x.program.Eval(n)
	switch {
	case err != nil && len(n.missing) > 0:
		return nil, unknownError(fmt.Sprintf("%s %s not known", strings.Join(n.missing, ", "), isAre(len(n.missing))))
	case err != nil:
		return nil, plainly(err)
	case v == nil:
		return nil, errors.New("it has no value")
	}
	if types.IsUnknownOrError(v) {
		return nil, errors.New("it cannot be told")
	}
	return v.Value(), nil
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// unknownError is why an expression has no value where that is for want of data: any other error is the
// expression's own.
type unknownError string

func (e unknownError) Error() string { return string(e) }

// plainly is an error of CEL as part of a sentence.
func plainly(err error) error {
	s := err.Error()
	switch {
	case strings.Contains(s, "cost limit exceeded"):
		return errors.New("it takes too long to evaluate")
	case strings.HasPrefix(s, "no such key: "):
		return unknownError("no metric " + strings.TrimPrefix(s, "no such key: ") + " has a fresh value") // metrics is the only mapping
	}
	return errors.New(s)
}

// holds reports whether the expression is true.
func (x *expression) holds(n *names) (bool, error) {
	v, err := x.value(n)
	if err != nil {
		return false, err
	}
	yes, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("it is neither true nor false, but %T", v)
	}
	return yes, nil
}
