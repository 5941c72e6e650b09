package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/ui/keymap"
)

var update = flag.Bool("update", false, "write the README's generated parts anew")

const readme = "../../../README.md"

// The tables of the README are what the program itself says of its keys and its config.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, body := range map[string]string{"keys": keysTable(), "config": configTable(t)} {
		begin, end := "<!-- "+name+": generated -->\n", "<!-- end of "+name+" -->"
		head, rest, ok := strings.Cut(want, begin)
		_, tail, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("the README has no place for %s", name)
		}
		want = head + begin + "\n" + body + "\n" + end + tail
	}
	if *update {
		if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Error("the README's tables are not what the program says: go test ./cmd/internal/cli -run TestReadme -update")
	}
	for _, must := range []string{"go run ./cmd/signalbox --demo", "go test ./...", "docs/board.svg"} {
		if !strings.Contains(want, must) {
			t.Errorf("the README does not say %q", must)
		}
	}
}

// What the README shows is so: its configs are right, and no command, flag or dependency is left out.
func TestReadmeIsTrue(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i, block := range strings.Split(text, "```yaml\n")[1:] {
		yaml, _, _ := strings.Cut(block, "```")
		if _, err := config.Parse(fmt.Sprintf("README, config %d", i+1), []byte(yaml), wire.LoadOptions()); err != nil {
			t.Error(err)
		}
	}
	root := (&commands{}).root()
	for _, cmd := range root.Commands() {
		listed := regexp.MustCompile("(?m)^\\| `signalbox .*?\\b" + cmd.Name() + `\b.*? \| `)
		if cmd.Name() != "help" && !listed.MatchString(text) {
			t.Errorf("the README does not list signalbox %s", cmd.Name())
		}
	}
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !strings.Contains(text, "`--"+f.Name) {
			t.Errorf("the README does not name --%s", f.Name)
		}
	})
	for _, f := range reflect.VisibleFields(reflect.TypeFor[facts]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !regexp.MustCompile("(?m)^\\| (`[a-z_]+`, )*`" + name + "`").MatchString(text) {
			t.Errorf("the README does not tell of %s in the answer of status", name)
		}
	}
	mod, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(mod), "require (\n")
	list, _, _ = strings.Cut(list, ")")
	_, table, _ := strings.Cut(text, "## Dependencies\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for line := range strings.Lines(list) {
		name := strings.TrimPrefix(strings.Fields(line)[0], "github.com/")
		name = regexp.MustCompile(`/v\d+$`).ReplaceAllString(name, "")
		if !regexp.MustCompile(`[/{, ]` + regexp.QuoteMeta(name[strings.LastIndexByte(name, '/')+1:]) + `[ ,}/]`).MatchString(table) {
			t.Errorf("the README does not say what %s is for", name)
		}
	}
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func keysTable() string {
	var b strings.Builder
	b.WriteString("| key | where | does | action |\n|---|---|---|---|\n")
	for _, in := range keymap.Infos() {
		keys := make([]string, len(in.Default))
		for i, k := range in.Default {
			keys[i] = "`" + cell(keymap.Symbol(k, true)) + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | `%s` |\n", strings.Join(keys, " "), in.Context, cell(in.Long), in.Action)
	}
	return b.String()
}

// schemaNode is the part of a JSON Schema that the table is made of.
type schemaNode struct {
	Description string
	Enum        []any
	Properties  ordered
	Additional  json.RawMessage `json:"additionalProperties"`
	Items       *schemaNode
	OneOf       []schemaNode
}

// isOf reports whether n is a source of type kind.
func (n schemaNode) isOf(kind string) bool {
	return slices.Equal(n.Properties.nodes["type"].Enum, []any{kind})
}

// ordered is an object whose keys keep their order.
type ordered struct {
	keys  []string
	nodes map[string]schemaNode
}

func (o *ordered) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &o.nodes); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		o.keys = append(o.keys, key.(string))
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return err
		}
	}
	return nil
}

func configTable(t *testing.T) string {
	t.Helper()
	data, err := config.Schema(wire.Types())
	if err != nil {
		t.Fatal(err)
	}
	var root schemaNode
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| key | meaning |\n|---|---|\n")
	rows(&b, "", root)
	return b.String()
}

func rows(b *strings.Builder, prefix string, n schemaNode) {
	for _, key := range n.Properties.keys {
		child := n.Properties.nodes[key]
		path := prefix + key
		if prefix != "sources." {
			text := child.Description
			if len(child.Enum) > 0 {
				text += fmt.Sprintf(" One of %v.", child.Enum)
			}
			fmt.Fprintf(b, "| `%s` | %s |\n", path, cell(text))
		}
		if path == "defaults" {
			continue // what a service has
		}
		below(b, path, child)
	}
}

// below writes the keys under path: of an object, of a list's objects, of entries with names of one's own.
func below(b *strings.Builder, path string, n schemaNode) {
	rows(b, path+".", n)
	if n.Items != nil {
		below(b, path+"[]", *n.Items)
	}
	for _, one := range n.OneOf {
		if kind, is := strings.CutPrefix(path, "sources."); is && !strings.Contains(kind, ".") && !one.isOf(kind) {
			continue // a source may have any name: each type is listed once, under its own
		}
		below(b, path, one)
	}
	var entry schemaNode
	if json.Unmarshal(n.Additional, &entry) == nil && len(n.Additional) > 0 && path != "sources" {
		below(b, path+".NAME", entry)
	}
}
