package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Case is one case of a file of cases: facts, and what the policies are expected to say to them.
type Case struct {
	Name  string
	Given map[string]any // by the names of the policies' variables, dotted or as mappings in each other
	Want  string         // the verdict: allow, or what a policy's else may be
	Gate  string         // whose verdict it is; "" is the strictest
	Pos   Position
}

// caseFile is a file of cases as it is written.
type caseFile struct {
	Given map[string]any `yaml:"given" doc:"What is so in every case that does not say otherwise."`
	Cases []caseEntry    `yaml:"cases" jsonschema:"required" doc:"The cases."`
}

type caseEntry struct {
	Name  string         `yaml:"name" jsonschema:"required" doc:"What the case shows."`
	Given map[string]any `yaml:"given" doc:"What is so, by the names of the policies' variables."`
	Want  string         `yaml:"want" jsonschema:"required,enum=allow,enum=warn,enum=confirm,enum=type,enum=second_person,enum=deny" doc:"What the policies say."`
	Gate  string         `yaml:"gate" doc:"Which policy or built-in gate says it; none: the strictest of all."`
}

// LoadCases reads a file of cases:
//
//	given: {service: checkout, environment: {name: prod, prod: true}}
//	cases:
//	  - {name: too fresh, given: {from: {name: staging, age: 12m}}, want: deny, gate: soak}
//
// A case's own facts are laid over those of the file, mapping by mapping. Its error is Errors, or the
// context's.
func LoadCases(ctx context.Context, path string, o Options) ([]Case, error) {
	files := &recorder{files: o.Files, hash: sha256.New()}
	if o.Files == nil {
		files.files = disk{}
	}
	data, err := files.Read(path)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, Errors{{Pos: Position{File: path}, Msg: "the cases cannot be read: " + why(err), Fix: "check the path and its permissions", Err: err}}
	}
	return ParseCases(path, data, o)
}

// ParseCases reads data as the file of cases with a name. Its error is Errors.
func ParseCases(name string, data []byte, o Options) ([]Case, error) {
	p := &problems{}
	root := parseTree(name, data, p)
	if err := p.err([]string{name}); err != nil { // what is missing may stand where it cannot be read
		return nil, err
	}
	var file caseFile
	(&decoder{problems: p}).decode(root, reflect.ValueOf(&file).Elem(), field{})
	list, _ := root.get("cases")
	var out []Case
	names := map[string]bool{}
	for i, e := range file.Cases {
		c := Case{Name: e.Name, Given: overlay(file.Given, e.Given), Want: e.Want, Gate: e.Gate, Pos: list.value.items[i].pos}
		out = append(out, c)
		if names[c.Name] && c.Name != "" {
			p.add(c.Pos, "give each case a name of its own", "there are two cases %s", quoted(c.Name))
		}
		names[c.Name] = true
		if o.CheckCase == nil || len(p.list) > 0 {
			continue
		}
		for _, problem := range o.CheckCase(c) {
			p.add(caseAt(root, list.value.items[i], problem.Field), problem.fix(), "%s", plain(problem.Msg))
		}
	}
	if len(out) == 0 && len(p.list) == 0 {
		p.add(root.pos, "write {name: …, given: …, want: deny} items below cases:", "there are no cases")
	}
	if err := p.err([]string{name}); err != nil {
		return nil, err
	}
	return out, nil
}

// caseAt is where a case says something: its own value, else that of the file, else the case.
func caseAt(root, item *node, field string) Position {
	if field == "" {
		return item.pos
	}
	for _, n := range []*node{item, root} {
		for _, path := range []string{"given." + field, field} {
			if pos, ok := n.find(path); ok {
				return pos
			}
		}
	}
	return item.pos
}

// overlay is base with own laid over it, mapping by mapping. Neither is changed.
func overlay(base, own map[string]any) map[string]any {
	out := maps.Clone(base)
	if out == nil {
		out = map[string]any{}
	}
	for _, k := range slices.Sorted(maps.Keys(own)) {
		below, mapping := out[k].(map[string]any)
		above, too := own[k].(map[string]any)
		if mapping && too {
			out[k] = overlay(below, above)
			continue
		}
		out[k] = own[k]
	}
	return out
}

func (c Case) String() string { return fmt.Sprintf("%s: %s", c.Pos, c.Name) }
