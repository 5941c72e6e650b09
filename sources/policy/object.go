package policy

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// The types of what lists hold.
const (
	incidentType = "incident"
	monitorType  = "monitor"
)

// fieldOf is one field of an object: a slip in its name is found when the rule is compiled.
type fieldOf struct {
	name string
	typ  *cel.Type
	doc  string
	get  func(any) any
}

func objects() map[string][]fieldOf {
	incident := func(get func(*IncidentFacts) any) func(any) any {
		return func(v any) any { return get(v.(*IncidentFacts)) }
	}
	monitor := func(get func(*MonitorFacts) any) func(any) any {
		return func(v any) any { return get(v.(*MonitorFacts)) }
	}
	return map[string][]fieldOf{
		incidentType: {
			{"severity", cel.IntType, "1 is the worst; 0 is unknown.", incident(func(i *IncidentFacts) any { return i.Severity })},
			{"low", cel.BoolType, "Whether it wakes nobody.", incident(func(i *IncidentFacts) any { return i.Low })},
			{"state", cel.StringType, "triggered or acknowledged.", incident(func(i *IncidentFacts) any { return i.State })},
			{"service", cel.StringType, "Whose it is.", incident(func(i *IncidentFacts) any { return i.Service })},
			{"title", cel.StringType, "What it is called.", incident(func(i *IncidentFacts) any { return i.Title })},
			{"age", cel.DurationType, "Since it was opened.", incident(func(i *IncidentFacts) any { return i.Age })},
			{"upstream", cel.BoolType, "Whether it is of a service that this one depends on.", incident(func(i *IncidentFacts) any { return i.Upstream })},
		},
		monitorType: {
			{"name", cel.StringType, "What it is called.", monitor(func(m *MonitorFacts) any { return m.Name })},
			{"state", cel.StringType, "ok, warn, alert or no data.", monitor(func(m *MonitorFacts) any { return m.State })},
			{"muted", cel.BoolType, "Whether it is silenced.", monitor(func(m *MonitorFacts) any { return m.Muted })},
		},
	}
}

// object is an element of a list as CEL sees it.
type object struct {
	kind  string
	value any
}

var _ ref.Val = object{}

// ConvertToNative gives the value to who asks for its own type, and to nobody else.
func (o object) ConvertToNative(want reflect.Type) (any, error) {
	if v := reflect.ValueOf(o.value); v.Type().AssignableTo(want) {
		return o.value, nil
	}
	return nil, fmt.Errorf("a %s is no %s", o.kind, want)
}

// ConvertToType converts it to its own type alone.
func (o object) ConvertToType(want ref.Type) ref.Val {
	switch want.TypeName() {
	case o.kind:
		return o
	case types.TypeType.TypeName():
		return cel.ObjectType(o.kind)
	}
	return types.NewErr("a %s is no %s", o.kind, want.TypeName())
}

// Equal compares by identity: two incidents are never one.
func (o object) Equal(other ref.Val) ref.Val {
	p, ok := other.(object)
	return types.Bool(ok && p.value == o.value)
}

// Type is the object's type.
func (o object) Type() ref.Type { return cel.ObjectType(o.kind) }

// Value is the pointer that fields are read from.
func (o object) Value() any { return o.value }

// provider adds the objects' types to CEL's own.
type provider struct {
	types.Provider
	objects map[string][]fieldOf
}

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.objects[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	fields, ok := p.objects[name]
	if !ok {
		return p.Provider.FindStructFieldNames(name)
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names, true
}

func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ok := p.objects[name]
	if !ok {
		return p.Provider.FindStructFieldType(name, field)
	}
	for _, f := range fields {
		if f.name == field {
			return &types.FieldType{
				Type:    f.typ,
				IsSet:   func(any) bool { return true },
				GetFrom: func(v any) (any, error) { return f.read(v) },
			}, true
		}
	}
	return nil, false
}

// NewValue refuses to make objects: rules look, and make nothing.
func (p provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := p.objects[name]; ok {
		return types.NewErr("a rule cannot make a %s", name)
	}
	return p.Provider.NewValue(name, fields)
}

func (f fieldOf) read(v any) (any, error) {
	if o, ok := v.(object); ok {
		v = o.value
	}
	switch v.(type) {
	case *IncidentFacts, *MonitorFacts:
		return f.get(v), nil
	}
	return nil, fmt.Errorf("%s is read from a %T", f.name, v)
}
