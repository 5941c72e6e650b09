package config

import (
	"context"
	"crypto/sha256"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"example.com/signalbox/config/secret"
)

// SourceType is what config needs to know of a driver.
type SourceType struct {
	Name string // as in `type: github`
	Doc  string // one line
	// Sample is commented YAML: one entry of `sources:` without its name and without indentation,
	// `type:` included.
	Sample string
	// Config returns a pointer to a new struct that holds the driver's defaults; the key type is not its
	// own. Its yaml, doc and
	// jsonschema tags (see field) say which keys there are; secrets are secret.Ref. If it has a
	// Validate() error method, that is called after decoding; a FieldProblem in its error's tree names
	// the key by its path relative to the source.
	Config func() any
}

// Options is what config cannot know by itself.
type Options struct {
	Types []SourceType
	// CheckKeys is asked about key bindings: it returns one problem for each that is wrong, with the
	// path "action" or "action[0]". nil leaves keys unchecked but for their shape.
	CheckKeys func(map[string]Keys) []FieldProblem
	// CheckPolicies is asked about the policies: it returns one problem for each mistake. nil leaves
	// expressions unchecked.
	CheckPolicies func([]Policy) []PolicyProblem
	// CheckCase is asked about one case of a file of cases; nil leaves cases unchecked.
	CheckCase func(Case) []PolicyProblem
	// PostsEvents is asked whether sources of a type take the events that notify: posts; nil takes all for such.
	PostsEvents func(sourceType string) bool
	// Files reads files; nil reads the disk's.
	Files Files
}

// PolicyProblem is one mistake in a policy or in a case. Line and Column say where it is in the text of
// Field, and count from 1; a Line of 0 is the whole of it. Where Word is not known, Known is what is.
type PolicyProblem struct {
	Rule         int    // its place among the policies
	Field        string // "require", "because", "builtin" …; of a case the variable; "" is the rule
	Line, Column int
	Msg, Fix     string
	Word         string
	Known        []string
}

// Load reads the config at path and all that it includes. Its error is Errors, or the context's.
func Load(ctx context.Context, path string, o Options) (*Config, error) {
	return newLoader(ctx, o).load(path)
}

// Parse reads data as the config with the name of a file; what it includes is read relative to name.
// Its error is Errors.
func Parse(name string, data []byte, o Options) (*Config, error) {
	l := newLoader(context.Background(), o)
	l.path = name
	return l.finish(l.parsed(name, data))
}

// loader is the state of one Load.
type loader struct {
	ctx      context.Context //nolint:containedctx // a loader lives for one call
	path     string          // of the main file, as it was given
	options  Options
	files    *recorder
	problems problems
	order    []string // the files as they were met, by the name in positions
	read     []string // their absolute paths
	tried    []string // the absolute paths of all that should have been read
	reading  []string // the chain of includes that leads to the file being read
	globs    []string // the directories that globs look into
	warnings []Warning
}

func newLoader(ctx context.Context, o Options) *loader {
	l := &loader{ctx: ctx, options: o, files: &recorder{files: o.Files, hash: sha256.New()}}
	if o.Files == nil {
		l.files.files = disk{}
	}
	return l
}

func (l *loader) load(path string) (*Config, error) {
	l.path = path
	return l.finish(l.file(path, Position{File: path}))
}

// finish turns the whole tree into a Config.
func (l *loader) finish(root *node) (*Config, error) {
	if err := l.ctx.Err(); err != nil {
		return nil, err
	}
	if root == nil {
		return nil, l.problems.err(l.order)
	}
	root = withDefaults(root)
	root = l.expand(root)
	c := defaults()
	d := &decoder{problems: &l.problems, secrets: secret.NewScope(tokenVariables...), types: l.options.Types}
	d.decode(root, reflect.ValueOf(&c).Elem(), field{})
	c.path, c.tree, c.Files, c.includes, c.digest = l.path, root, l.read, l.globs, l.files.sum()
	v := &validator{config: &c, problems: &l.problems, options: l.options}
	v.validate()
	c.Warnings = slices.Concat(l.warnings, v.warnings)
	slices.SortStableFunc(c.Warnings, func(a, b Warning) int { return compare(a.Pos, b.Pos, l.order) })
	c.StateDir = c.directory("state_dir", c.StateDir)
	c.SharedDir = c.directory("shared_dir", c.SharedDir)
	if err := l.problems.err(l.order); err != nil {
		return nil, err
	}
	return &c, nil
}

// directory is dir, the value of key, as an absolute path; "" stays.
func (c *Config) directory(key, dir string) string {
	if dir = home(dir); dir == "" || filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(filepath.Dir(absolute(c.Pos(key).File)), dir)
}

// source decodes one entry of `sources:`. Its type is its name unless it says otherwise.
func (d *decoder) source(n *node, s *SourceEntry) {
	if n.kind != mapNode {
		d.problems.add(n.pos, "write {type: …, token: …}", "expected a mapping, got %s", n.kind)
		return
	}
	s.Type = s.Name
	at := n.pos
	if e, ok := n.get("type"); ok {
		d.decode(e.value, reflect.ValueOf(&s.Type).Elem(), field{})
		at = e.value.pos
	}
	var names []string
	for _, t := range d.types {
		names = append(names, t.Name)
		if t.Name == s.Type {
			d.driver(n, t, s)
			return
		}
	}
	d.problems.add(at, didYouMean(s.Type, names), "unknown source type %s", quoted(s.Type))
}

func (d *decoder) driver(n *node, t SourceType, s *SourceEntry) {
	s.Config = t.Config()
	v := reflect.ValueOf(s.Config).Elem()
	before := len(d.problems.list)
	d.structure(n.without("type"), v)
	checked, ok := s.Config.(interface{ Validate() error })
	if !ok || len(d.problems.list) > before {
		return
	}
	d.validated(n, checked.Validate())
}

// validated reports what a driver's Validate returned, each problem at its key.
func (d *decoder) validated(n *node, err error) {
	found := false
	walk(err, func(one error) bool {
		p, ok := one.(FieldProblem) //nolint:errorlint // walk unwraps
		if !ok {
			return false
		}
		found = true
		path, msg, fix := p.Field()
		pos, _ := n.find(path)
		if path != "" {
			msg = path + ": " + msg
		}
		d.problems.add(pos, fix, "%s", plain(msg))
		return true
	})
	if err != nil && !found {
		d.problems.add(n.pos, "", "%s", plain(err.Error()))
	}
}

// canonical is a text that two nodes have in common if and only if they say the same.
func canonical(n *node) string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}
