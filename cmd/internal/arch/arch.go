// Package arch holds the rules of who may know whom in this module, as functions over its source. Its
// test applies them to the tree; nothing else uses it.
//
// The rules look at direct imports and at the syntax of the files that are built, never at tests.
package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Package is the part of a Go package that the rules look at.
type Package struct {
	Path  string // relative to the module: "sources/github"; "" is its root
	Files []*ast.File
}

// Violation is one breach of one rule.
type Violation struct {
	Rule string
	Pos  token.Position
	Msg  string
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.Pos, v.Rule, v.Msg) }

// Rule is one rule: Check calls report for every breach in p. tree is the whole module.
type Rule struct {
	Name  string
	Check func(m *Module, p Package, report func(ast.Node, string))
}

// Module is a module's own packages.
type Module struct {
	Name     string // "example.com/signalbox"
	Packages []Package
	fset     *token.FileSet
}

// Load parses the packages of the module called name whose root is dir.
func Load(dir, name string) (*Module, error) {
	m := &Module{Name: name, fset: token.NewFileSet()}
	byDir := map[string]*Package{}
	tree := os.DirFS(dir)
	err := fs.WalkDir(tree, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); file != "." && (strings.HasPrefix(base, ".") || base == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(tree, file)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		return m.add(byDir, file, src)
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", dir, err)
	}
	m.collect(byDir)
	return m, nil
}

// Parse is Load for files that are given as text, by their path in the module.
func Parse(name string, files map[string]string) (*Module, error) {
	m := &Module{Name: name, fset: token.NewFileSet()}
	byDir := map[string]*Package{}
	for file, src := range files {
		if err := m.add(byDir, file, []byte(src)); err != nil {
			return nil, err
		}
	}
	m.collect(byDir)
	return m, nil
}

func (m *Module) add(byDir map[string]*Package, file string, src []byte) error {
	f, err := parser.ParseFile(m.fset, file, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse %s: %w", file, err)
	}
	dir := path.Dir(file)
	if dir == "." {
		dir = ""
	}
	if byDir[dir] == nil {
		byDir[dir] = &Package{Path: dir}
	}
	byDir[dir].Files = append(byDir[dir].Files, f)
	return nil
}

func (m *Module) collect(byDir map[string]*Package) {
	for _, p := range byDir {
		m.Packages = append(m.Packages, *p)
	}
	slices.SortFunc(m.Packages, func(a, b Package) int { return strings.Compare(a.Path, b.Path) })
}

// Check applies rules to every package and returns the breaches in the order of the files.
func (m *Module) Check(rules []Rule) []Violation {
	var out []Violation
	for _, p := range m.Packages {
		for _, r := range rules {
			r.Check(m, p, func(n ast.Node, msg string) {
				out = append(out, Violation{Rule: r.Name, Pos: m.fset.Position(n.Pos()), Msg: msg})
			})
		}
	}
	return out
}

// own is the path within the module that an import names; ok is false for somebody else's package.
func (m *Module) own(imp string) (p string, ok bool) {
	if imp == m.Name {
		return "", true
	}
	return strings.CutPrefix(imp, m.Name+"/")
}

// isDriver reports whether p is a driver: a direct child of sources that declares a sources.Driver.
func (m *Module) isDriver(p string) bool {
	if path.Dir(p) != "sources" || p == "sources/all" || p == "sources/sourcetest" {
		return false
	}
	i := slices.IndexFunc(m.Packages, func(q Package) bool { return q.Path == p })
	if i < 0 {
		return false
	}
	found := false
	for _, f := range m.Packages[i].Files {
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.CompositeLit); ok && selects(lit.Type, "sources", "Driver") {
				found = true
			}
			return !found
		})
	}
	return found
}

// selects reports whether e is pkg.name.
func selects(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// eachImport calls fn for every import of p.
func eachImport(p Package, fn func(n *ast.ImportSpec, imp string)) {
	for _, f := range p.Files {
		for _, s := range f.Imports {
			imp, err := strconv.Unquote(s.Path.Value)
			if err == nil {
				fn(s, imp)
			}
		}
	}
}

// under reports whether p is root or lies below it.
func under(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }
