package arch

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// Rules are the rules of this module.
func Rules() []Rule {
	return []Rule{
		{"config knows only secret", ownImports("config", []string{"config/secret"})},
		{"secret knows nothing of ours", ownImports("config/secret", nil)},
		{"the contract knows only clean", ownImports("sources", []string{"sources/clean"})},
		{"clean knows nothing of ours", ownImports("sources/clean", nil)},
		{"a driver knows the contract, clean, httpx and secret", driverImports},
		{"drivers are known to sources/all alone", driverUsers},
		{"sources and config know no terminal", noTerminal},
		{"ui does nothing in the world", uiImports},
		{"panes know neither each other nor the board", paneImports},
		{"the simulator is for commands and tests", simulatorUsers},
		{"the simulator speaks from types of its own", simulatorImports},
		{"only sources/capability asserts capabilities", assertions},
		{"the clock is an argument", clocks},
		{"no init functions", inits},
		{"goroutines are guarded", goroutines},
		{"only wire composes", composers},
		{"only the runner performs", performers},
		{"policy and insight are pure", pure},
	}
}

// ownImports allows the package at root to import these packages of the module, and no other.
func ownImports(root string, allowed []string) func(*Module, Package, func(ast.Node, string)) {
	return func(m *Module, p Package, report func(ast.Node, string)) {
		if p.Path != root {
			return
		}
		eachImport(p, func(n *ast.ImportSpec, imp string) {
			if own, ok := m.own(imp); ok && !slices.Contains(allowed, own) {
				report(n, root+" imports "+own)
			}
		})
	}
}

func driverImports(m *Module, p Package, report func(ast.Node, string)) {
	if !m.isDriver(p.Path) {
		return
	}
	allowed := []string{"sources", "sources/clean", "sources/httpx", "config/secret"}
	eachImport(p, func(n *ast.ImportSpec, imp string) {
		own, ok := m.own(imp)
		switch {
		case ok && !slices.Contains(allowed, own):
			report(n, p.Path+" imports "+own)
		case imp == "os" || imp == "os/exec" || imp == "os/user":
			report(n, p.Path+" imports "+imp+": a driver reads no environment and no files")
		}
	})
}

func driverUsers(m *Module, p Package, report func(ast.Node, string)) {
	if p.Path == "sources/all" {
		return
	}
	eachImport(p, func(n *ast.ImportSpec, imp string) {
		if own, ok := m.own(imp); ok && m.isDriver(own) {
			report(n, p.Path+" imports the driver "+own)
		}
	})
}

func noTerminal(_ *Module, p Package, report func(ast.Node, string)) {
	if !under(p.Path, "sources") && !under(p.Path, "config") {
		return
	}
	eachImport(p, func(n *ast.ImportSpec, imp string) {
		if strings.HasPrefix(imp, "github.com/charmbracelet/") || strings.HasPrefix(imp, "github.com/muesli/") {
			report(n, p.Path+" imports "+imp)
		}
	})
}

func uiImports(m *Module, p Package, report func(ast.Node, string)) {
	if !under(p.Path, "ui") || under(p.Path, "ui/uitest") {
		return
	}
	eachImport(p, func(n *ast.ImportSpec, imp string) {
		own, ok := m.own(imp)
		switch {
		case slices.Contains([]string{"net", "net/http", "os", "os/exec", "os/signal", "database/sql", "io/ioutil", "syscall"}, imp):
			report(n, p.Path+" imports "+imp)
		case ok && (own == "sources/poll" || own == "sources/state" || own == "sources/all" || own == "sources/httpx" ||
			under(own, "config") || under(own, "cmd") || m.isDriver(own)):
			report(n, p.Path+" imports "+own)
		}
	})
}

func paneImports(m *Module, p Package, report func(ast.Node, string)) {
	name, ok := strings.CutPrefix(p.Path, "ui/panes/")
	if !ok {
		return
	}
	folder, _, _ := strings.Cut(name, "/")
	eachImport(p, func(n *ast.ImportSpec, imp string) {
		own, ok := m.own(imp)
		if !ok {
			return
		}
		if own == "ui" || under(own, "ui/dialog") || own == "ui/panes" ||
			strings.HasPrefix(own, "ui/panes/") && !under(own, "ui/panes/"+folder) {
			report(n, p.Path+" imports "+own)
		}
	})
}

func simulatorUsers(m *Module, p Package, report func(ast.Node, string)) {
	if under(p.Path, "cmd") || under(p.Path, "sources/simulator") {
		return
	}
	eachImport(p, func(n *ast.ImportSpec, imp string) {
		if own, ok := m.own(imp); ok && under(own, "sources/simulator") {
			report(n, p.Path+" imports "+own+": nothing but a command may know that the world is simulated")
		}
	})
}

func simulatorImports(m *Module, p Package, report func(ast.Node, string)) {
	if !under(p.Path, "sources/simulator") {
		return
	}
	eachImport(p, func(n *ast.ImportSpec, imp string) {
		own, ok := m.own(imp)
		switch {
		case ok && !under(own, "sources/simulator"):
			report(n, p.Path+" imports "+own)
		case !ok && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") && !strings.HasPrefix(imp, "golang.org/x/"):
			report(n, p.Path+" imports "+imp+": its wire types are its own")
		}
	})
}

// capabilities are the optional interfaces of the contract.
func capabilities() []string {
	return []string{"RunLister", "JobLister", "LogReader", "EnvironmentLister", "ReleaseLister", "Comparer", "CheckLister", "IncidentLister",
		"PastIncidentLister", "IncidentReader", "ShiftLister", "ChangeLister", "MonitorLister", "SLOLister", "Actor", "Previewer", "Verifier",
		"MetricQuerier", "Getter", "Credentialer", "Checker", "ScopeChecker", "Discoverer"}
}

func assertions(_ *Module, p Package, report func(ast.Node, string)) {
	if p.Path == "sources/capability" {
		return
	}
	check := func(n ast.Node, t ast.Expr) {
		for _, c := range capabilities() {
			if selects(t, "sources", c) {
				report(n, p.Path+" asserts sources."+c)
			}
		}
	}
	for _, f := range p.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeAssertExpr:
				check(n, n.Type)
			case *ast.TypeSwitchStmt:
				for _, c := range n.Body.List {
					if clause, ok := c.(*ast.CaseClause); ok {
						for _, t := range clause.List {
							check(clause, t)
						}
					}
				}
			}
			return true
		})
	}
}

func clocks(_ *Module, p Package, report func(ast.Node, string)) {
	if !under(p.Path, "ui") && !under(p.Path, "sources/insight") || under(p.Path, "ui/uitest") {
		return
	}
	for _, f := range p.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			for _, name := range []string{"Now", "Since", "Until"} {
				if ok && selects(e, "time", name) {
					report(n, p.Path+" uses time."+name)
				}
			}
			return true
		})
	}
}

// inits finds init functions. One is allowed: ui/theme/early decides the terminal's background before Bubble
// Tea's own initialisation would ask the terminal for it, and wait.
func inits(_ *Module, p Package, report func(ast.Node, string)) {
	for _, f := range p.Files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && fn.Name.Name == "init" && p.Path != "ui/theme/early" {
				report(fn, p.Path+" has an init function")
			}
		}
	}
}

// goroutines demands that what runs beside the terminal runs under sources/crash: a panic of a bare goroutine
// ends the process and leaves the terminal as the board had it.
func goroutines(_ *Module, p Package, report func(ast.Node, string)) {
	guarded := under(p.Path, "ui") || under(p.Path, "cmd/internal/cli") || under(p.Path, "cmd/internal/wire") ||
		p.Path == "sources/poll" || p.Path == "sources/state" || p.Path == "sources/store"
	if !guarded || under(p.Path, "ui/uitest") {
		return
	}
	for _, f := range p.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			if _, bare := n.(*ast.GoStmt); bare {
				report(n, p.Path+" starts a bare goroutine: use crash.Handler.Go")
			}
			return true
		})
	}
}

// performers demands that everything that changes something goes through the Runner: its checks, its record,
// its one write.
func performers(_ *Module, p Package, report func(ast.Node, string)) {
	if p.Path == "sources/action" {
		return
	}
	for _, f := range p.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Perform" {
				report(n, p.Path+" calls Perform: only sources/action may")
			}
			return true
		})
	}
}

// pure demands that what judges neither asks nor remembers anything.
func pure(_ *Module, p Package, report func(ast.Node, string)) {
	if p.Path != "sources/policy" && p.Path != "sources/insight" {
		return
	}
	eachImport(p, func(n *ast.ImportSpec, imp string) {
		if slices.Contains([]string{"net", "net/http", "os", "os/exec", "os/user", "io/fs", "math/rand", "math/rand/v2", "crypto/rand"}, imp) {
			report(n, p.Path+" imports "+imp)
		}
	})
}

// composers keeps the knowledge of all parts in one place: commands reach drivers, feeds and the state
// directory through wire.
func composers(m *Module, p Package, report func(ast.Node, string)) {
	if under(p.Path, "cmd/internal/wire") || p.Path == "sources/poll" {
		return // poll asks the shared budget in state how much is left
	}
	eachImport(p, func(n *ast.ImportSpec, imp string) {
		own, ok := m.own(imp)
		if !ok {
			return
		}
		composed := own == "sources/all" || own == "sources/poll" || own == "sources/state" || own == "ui/panes"
		if composed && own != p.Path && own != path.Dir(p.Path) {
			report(n, p.Path+" imports "+own)
		}
		if under(own, "cmd") && !under(p.Path, "cmd") {
			report(n, p.Path+" imports "+own)
		}
	})
}
