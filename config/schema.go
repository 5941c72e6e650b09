package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/invopop/jsonschema"

	"example.com/signalbox/config/secret"
)

// Schema is one JSON Schema of the whole config, for editors, with the keys of types. It is made of the
// same tags that decoding goes by. What the schema cannot say (that a service's source exists, that a
// key binding conflicts) only the check tells.
func Schema(types []SourceType) ([]byte, error) {
	root := (&schemer{types: types}).of(reflect.TypeFor[Config]())
	root.Version = jsonschema.Version
	root.Title = "signalbox"
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(data, '\n'), nil
}

type schemer struct{ types []SourceType }

// of is the schema of t, without references.
func (s *schemer) of(t reflect.Type) *jsonschema.Schema {
	r := &jsonschema.Reflector{
		Anonymous:                  true,
		DoNotReference:             true,
		RequiredFromJSONSchemaTags: true,
		FieldNameTag:               "yaml",
		Mapper:                     s.special,
		LookupComment: func(t reflect.Type, name string) string {
			if t.Kind() != reflect.Struct {
				return ""
			}
			f, _ := t.FieldByName(name)
			return f.Tag.Get("doc")
		},
	}
	schema := r.ReflectFromType(t)
	schema.Version = ""
	return schema
}

// objectiveFields is Objective without its short form.
type objectiveFields Objective

// policyFields is Policy without what its keys demand of each other.
type policyFields Policy

// environmentFields is Environment without its short form.
type environmentFields Environment

// special is the schema of a type that is written otherwise than it is declared; nil for all others.
// The answer is always a new one: the reflector adds to it.
func (s *schemer) special(t reflect.Type) *jsonschema.Schema {
	text := func() *jsonschema.Schema { return &jsonschema.Schema{Type: "string"} }
	list := func() *jsonschema.Schema { return &jsonschema.Schema{Type: "array", Items: text()} }
	either := func(all ...*jsonschema.Schema) *jsonschema.Schema { return &jsonschema.Schema{OneOf: all} }
	switch t {
	case reflect.TypeFor[time.Duration]():
		return either(&jsonschema.Schema{Type: "string", Pattern: `^([0-9]+d)?([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))*$`}, &jsonschema.Schema{Type: "integer", Enum: []any{0}})
	case reflect.TypeFor[secret.Ref]():
		return &jsonschema.Schema{Type: "string", Pattern: `^\s*(env|file|cmd):`}
	case reflect.TypeFor[Address]():
		return &jsonschema.Schema{Type: "string", Pattern: `^\s*(env:|file:|cmd:|https?://[^/])`}
	case reflect.TypeFor[Strings]():
		return either(text(), list())
	case reflect.TypeFor[Keys]():
		return either(text(), list(), &jsonschema.Schema{Type: "null"})
	case reflect.TypeFor[Input]():
		return either(text(), &jsonschema.Schema{Type: "number"}, &jsonschema.Schema{Type: "boolean"})
	case reflect.TypeFor[Switch]():
		return &jsonschema.Schema{Enum: []any{"on", "off", true, false}}
	case reflect.TypeFor[RepoRef]():
		return &jsonschema.Schema{Type: "string", Pattern: `^[^:/]+:[^/]+(/[^/]+)+$`}
	case reflect.TypeFor[ObjectRef]():
		return &jsonschema.Schema{Type: "string", Pattern: `^[^:]+:.+$`}
	case reflect.TypeFor[When]():
		return &jsonschema.Schema{Type: "string", Pattern: `^([A-Za-z]+ [0-9]{1,2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}( +[0-9]{1,2}:[0-9]{2})?)$`}
	case reflect.TypeFor[Policy]():
		policy := s.of(reflect.TypeFor[policyFields]())
		policy.AnyOf = []*jsonschema.Schema{{Required: []string{"name", "else"}}, {Required: []string{"builtin"}}}
		return policy
	case reflect.TypeFor[Zone]():
		return text()
	case reflect.TypeFor[Environment]():
		return either(text(), s.of(reflect.TypeFor[environmentFields]()))
	case reflect.TypeFor[Objective]():
		return either(&jsonschema.Schema{Type: "string", Pattern: `^[^:]+:.+$`}, s.of(reflect.TypeFor[objectiveFields]()))
	case reflect.TypeFor[[]Service]():
		return &jsonschema.Schema{Type: "object", AdditionalProperties: s.of(reflect.TypeFor[Service]())}
	case reflect.TypeFor[[]SourceEntry]():
		return s.sources()
	default:
		return nil
	}
}

// sources is the schema of `sources:`. The type may be left out where the name is one.
func (s *schemer) sources() *jsonschema.Schema {
	all := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties()}
	all.AdditionalProperties = s.entries("")
	for _, t := range s.types {
		all.Properties.Set(t.Name, s.entries(t.Name))
	}
	return all
}

// entries is the schema of a source of any type; that of type assumed need not say so.
func (s *schemer) entries(assumed string) *jsonschema.Schema {
	var kinds []*jsonschema.Schema
	for _, t := range s.types {
		one := s.of(reflect.TypeOf(t.Config()).Elem())
		one.Description = t.Doc
		if one.Properties == nil {
			one.Properties = jsonschema.NewProperties()
		}
		one.Properties.Set("type", &jsonschema.Schema{Type: "string", Enum: []any{t.Name}, Description: "The kind of source."})
		if t.Name != assumed {
			one.Required = append(one.Required, "type")
		}
		kinds = append(kinds, one)
	}
	return &jsonschema.Schema{OneOf: kinds}
}
