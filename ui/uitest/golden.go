package uitest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"

	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Goldens compares what is drawn with files under testdata. A package has one, whose Main runs its
// tests: a golden that no test asked for fails the run, and -update writes what was drawn and
// removes what was not asked for. The zero Goldens is ready.
type Goldens struct {
	mu   sync.Mutex
	used map[string]use
}

// use is the test that draws a golden, and how often it did.
type use struct {
	test  string
	times int
}

const goldenDir = "testdata"

// runs is how often each test runs.
func runs() int {
	if f := flag.Lookup("test.count"); f != nil {
		if n, err := strconv.Atoi(f.Value.String()); err == nil {
			return max(1, n)
		}
	}
	return 1
}

// Main runs the package's tests and returns the exit code.
func (g *Goldens) Main(m *testing.M) int {
	if flag.Lookup("update") == nil {
		flag.Bool("update", false, "write the goldens anew")
	}
	flag.Parse()
	code := m.Run()
	if code != 0 || !everyTest() {
		return code
	}
	for _, f := range g.unused() {
		if updating() {
			if err := os.Remove(f); err != nil {
				fmt.Fprintln(os.Stderr, err) //nolint:forbidigo // a test run's own report
				code = 1
			}
			continue
		}
		fmt.Fprintln(os.Stderr, "no test asks for", f) //nolint:forbidigo // a test run's own report
		code = 1
	}
	return code
}

// everyTest reports that no flag left tests out.
func everyTest() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func (g *Goldens) unused() []string {
	files, err := filepath.Glob(filepath.Join(goldenDir, "*.golden"))
	if err != nil {
		return []string{err.Error()}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for _, f := range files {
		if g.used[filepath.Base(f)].times == 0 {
			out = append(out, f)
		}
	}
	sort.Strings(out)
	return out
}

// Check compares a grid, its text and what each cell means, with the golden of a name.
func (g *Goldens) Check(t *testing.T, name string, grid *screen.Grid, th *theme.Theme) {
	t.Helper()
	file := name + ".golden"
	g.mu.Lock()
	if g.used == nil {
		g.used = map[string]use{}
	}
	before := g.used[file]
	if before.times > 0 && before.test != t.Name() || before.times >= runs() {
		t.Errorf("two tests draw %s", file)
	}
	g.used[file] = use{t.Name(), before.times + 1}
	g.mu.Unlock()
	got := grid.String() + "---\n" + Meaning(grid, th)
	path := filepath.Join(goldenDir, file)
	if updating() {
		if err := os.MkdirAll(goldenDir, 0o755); err != nil { //nolint:gosec // test data is public
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // test data is public
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v\n(-update writes it)\n%s", err, got)
	}
	if got != string(want) {
		t.Errorf("%s differs; -update accepts it\n%s", path, diff(string(want), got))
	}
}

func diff(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out strings.Builder
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			fmt.Fprintf(&out, "line %d\n  want |%s|\n  got  |%s|\n", i+1, x, y)
		}
	}
	return out.String()
}

// Meaning maps a grid to one letter a cell, each the token in whose style it is drawn:
//
//	. text   m muted   s strong   a accent   o ok   w warn   c crit   i info   b busy   h match
//	- border = focused border, capitals and _ in the selected row, ? anything else
func Meaning(grid *screen.Grid, th *theme.Theme) string {
	letters := letters(th)
	var b strings.Builder
	w, h := grid.Size()
	for y := range h {
		row := make([]byte, 0, w)
		for x := range w {
			c := grid.Cell(x, y)
			if c.Width == 0 {
				continue
			}
			row = append(row, letter(c, letters))
		}
		b.WriteString(strings.TrimRight(string(row), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

func letter(c screen.Cell, letters map[screen.Style]byte) byte {
	switch {
	case c.Text == " " && c.Style == (screen.Style{}):
		return ' '
	case c.Text == " " && c.Style.BG != 0 && c.Style.FG == 0:
		return '_'
	}
	if l, ok := letters[c.Style]; ok {
		return l
	}
	return '?'
}

func letters(th *theme.Theme) map[screen.Style]byte {
	tokens := []struct {
		token theme.Token
		plain byte
	}{
		{theme.Text, '.'}, {theme.Muted, 'm'}, {theme.Strong, 's'}, {theme.Accent, 'a'}, {theme.OK, 'o'}, {theme.Warn, 'w'},
		{theme.Crit, 'c'}, {theme.Info, 'i'}, {theme.Busy, 'b'}, {theme.Match, 'h'}, {theme.Border, '-'}, {theme.BorderFocused, '='},
		{theme.Title, 't'}, {theme.TitleFocused, 't'}, {theme.KeyHint, 'k'},
	}
	out := map[screen.Style]byte{}
	add := func(s screen.Style, l byte) {
		if _, ok := out[s]; !ok {
			out[s] = l
		}
	}
	for _, k := range tokens {
		add(th.Style(k.token), k.plain)
	}
	for _, k := range tokens {
		upper := strings.ToUpper(string(k.plain))[0]
		if k.plain == '.' {
			upper = ':'
		}
		add(th.Selected(th.Style(k.token), true), upper)
		add(th.Selected(th.Style(k.token), false), upper)
	}
	return out
}
