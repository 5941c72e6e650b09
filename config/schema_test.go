package config

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func schemaOf(t *testing.T) *openapi3.Schema {
	t.Helper()
	data, err := Schema(testOptions().Types)
	if err != nil {
		t.Fatal(err)
	}
	var s openapi3.Schema
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// asJSON is text as JSON decodes it: what an editor holds against the schema.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	p := &problems{}
	root := parseTree("c.yaml", []byte(text), p)
	if err := p.err(nil); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal((&decoder{problems: p}).generic(root))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchemaTakesWhatTheCheckTakes(t *testing.T) {
	t.Parallel()
	schema := schemaOf(t)
	for name, text := range map[string]string{
		"sample": Sample(testOptions().Types),
		// A schema for editors wants text where the decoder is lenient, and OpenAPI knows no null.
		"full":     strings.NewReplacer("color: 256", `color: "256"`, "zoom: null", "zoom: []").Replace(full),
		"no type":  "sources: {forge: {token: env:T}}",
		"built-in": good + "policies: [{builtin: soak, after: 1h, else: warn}, {builtin: budget, below: 0.1}]\nroles: {oncall: [a, b], boss: c}\nshared_dir: /x",
		"dates":    good + "policies: [{name: a, else: deny, during: {from: 2026-12-20, to: 2027-01-02 08:00}}]",
		"services": good + "services: {a: {repo: forge:x/a, environments: [dev, {name: prod}]}}",
	} {
		parse(t, text)
		if err := schema.VisitJSON(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefusesWhatTheCheckRefuses(t *testing.T) {
	t.Parallel()
	schema := schemaOf(t)
	for _, text := range []string{
		"servces: {}", "team: 5", "theme: {palette: drak}", "theme: {glyph: x}", "mouse: maybe", "refresh: {live: 15}", "refresh: {live: soon}",
		"sources: {forge: {tokn: env:T}}", "sources: {x: {token: env:T}}", "sources: {forge: {token: ghp_x}}", "sources: {forge: {limit: 0}}",
		"sources: {forge: {app: {key: env:K}}}", "sources: {x: {type: unknown}}",
		good + "services: {a: {repo: nothing}}", good + "services: {a: {envirnments: []}}", good + "services: {a: {environments: [{prod: true}]}}",
		"policies: [{name: a}]", "policies: [{require: x, else: warn}]", "policies: [{builtin: budget, below: 2}]", "policies: [{builtin: soak, after: 30}]",
		"policies: [{name: a, else: deny, during: {from: noon, to: Mon 8:00}}]", "roles: [a]", "policies: [{name: a, require: x, else: never}]", "keys: {zoom: 5}", "notify: [{on: 5}]",
	} {
		if _, err := Parse("c.yaml", []byte(text), testOptions()); err == nil {
			t.Errorf("the check takes %s", text)
		}
		if schema.VisitJSON(asJSON(t, text)) == nil {
			t.Errorf("the schema takes %s", text)
		}
	}
}

// TestSchemaHasEveryKey walks structs and schema side by side: no key is missing, none is too many,
// each is described, and every object is closed.
func TestSchemaHasEveryKey(t *testing.T) {
	t.Parallel()
	sameKeys(t, "config", reflect.TypeFor[Config](), schemaOf(t), "")
}

func sameKeys(t *testing.T, at string, typ reflect.Type, s *openapi3.Schema, besides string) {
	t.Helper()
	var want []string
	if besides != "" {
		want = append(want, besides)
	}
	for _, f := range fields(typ) {
		want = append(want, f.name)
		prop, ok := s.Properties[f.name]
		if !ok {
			t.Errorf("%s.%s is not in the schema", at, f.name)
			continue
		}
		if prop.Value.Description == "" {
			t.Errorf("%s.%s is not described", at, f.name)
		}
		if f.required != slices.Contains(s.Required, f.name) {
			t.Errorf("%s.%s: required is %t", at, f.name, f.required)
		}
		sameBelow(t, at+"."+f.name, typ.FieldByIndex(f.index).Type, prop.Value)
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(got, want) {
		t.Errorf("%s has %q, want %q", at, got, want)
	}
	if s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has {
		t.Errorf("%s takes unknown keys", at)
	}
}

func sameBelow(t *testing.T, at string, typ reflect.Type, s *openapi3.Schema) {
	t.Helper()
	switch {
	case typ.Kind() == reflect.Pointer:
		sameBelow(t, at, typ.Elem(), s)
	case typ == sourceTypeSlice:
		for i, source := range testOptions().Types {
			for _, entries := range []*openapi3.Schema{s.AdditionalProperties.Schema.Value, s.Properties["forge"].Value, s.Properties["pager"].Value} {
				sameKeys(t, at+"."+source.Name, reflect.TypeOf(source.Config()).Elem(), entries.OneOf[i].Value, "type")
			}
		}
	case typ == reflect.TypeFor[[]Service]():
		sameKeys(t, at+".*", typ.Elem(), s.AdditionalProperties.Schema.Value, "")
	case typ == reflect.TypeFor[Environment](), typ == reflect.TypeFor[Objective]():
		sameKeys(t, at, typ, s.OneOf[1].Value, "")
	case typ.Kind() == reflect.Struct && len(fields(typ)) > 0:
		sameKeys(t, at, typ, s, "")
	case typ.Kind() == reflect.Slice && s.Items != nil:
		sameBelow(t, at+"[]", typ.Elem(), s.Items.Value)
	case typ.Kind() == reflect.Map && s.AdditionalProperties.Schema != nil:
		sameBelow(t, at+".*", typ.Elem(), s.AdditionalProperties.Schema.Value)
	}
}

var sourceTypeSlice = reflect.TypeFor[[]SourceEntry]()

func TestSample(t *testing.T) {
	t.Parallel()
	sample := Sample(testOptions().Types)
	c := parse(t, sample)
	if len(c.Warnings) != 0 || len(c.Services) != 2 || len(c.Sources) != 2 || c.Services[0].Repo != (RepoRef{"forge", "acme/checkout"}) {
		t.Errorf("got %+v, warnings %v", c, c.Warnings)
	}
	want := defaults()
	if c.Theme != want.Theme || c.Mouse != want.Mouse || c.Refresh != want.Refresh || c.Attention != want.Attention || c.Guard != want.Guard {
		t.Errorf("the sample shows other values than the defaults: %+v, %+v", c.Theme, c.Refresh)
	}
	for _, part := range []string{"sources:\n  forge:\n    # A forge.\n    type: forge\n\n    # Its token.\n", "\n\n  # A pager.\n  pager:\n"} {
		if !strings.Contains(sample, part) {
			t.Errorf("%q is not in\n%s", part, sample)
		}
	}
	for i, line := range strings.Split(sample, "\n") {
		if strings.Contains(line, "@SOURCE") || strings.TrimRight(line, " ") != line || len(line) > 110 {
			t.Errorf("line %d: %q", i+1, line)
		}
	}
	// Every key is shown, if only in a comment.
	for _, f := range fields(reflect.TypeFor[Config]()) {
		if !strings.Contains(sample, "\n"+f.name+":") && !strings.Contains(sample, "\n# "+f.name+":") {
			t.Errorf("the sample does not show %s", f.name)
		}
	}
}
