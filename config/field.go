package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// field is what the tags of a struct's field say:
//
//	yaml:"name"              the key; "-" leaves the field out; ",inline" lifts a struct's own keys
//	yaml:"name,named"        a slice of structs, written as a mapping from Name to the rest
//	jsonschema:"required"    the key must be there
//	jsonschema:"enum=a,…"    what a string may be
//	jsonschema:"minimum=1,maximum=9"
//	doc:"…"                  what it is for, in the schema
type field struct {
	name     string
	index    []int
	named    bool
	required bool
	enum     []string
	min, max *float64
}

// fields are the keys that a struct of type t takes.
func fields(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		inline := slices.Contains(strings.Split(options, ","), "inline")
		switch {
		case name == "-" || (!sf.IsExported() && !sf.Anonymous):
			continue
		case inline && sf.Type.Kind() == reflect.Struct:
			for _, f := range fields(sf.Type) {
				f.index = append([]int{i}, f.index...)
				all = append(all, f)
			}
			continue
		case name == "":
			name = strings.ToLower(sf.Name)
		}
		f := field{name: name, index: []int{i}, named: slices.Contains(strings.Split(options, ","), "named")}
		for rule := range strings.SplitSeq(sf.Tag.Get("jsonschema"), ",") {
			f.rule(rule)
		}
		all = append(all, f)
	}
	return all
}

func (f *field) rule(rule string) {
	key, value, _ := strings.Cut(rule, "=")
	switch key {
	case "required":
		f.required = true
	case "enum":
		f.enum = append(f.enum, value)
	case "minimum":
		f.min = number(value)
	case "maximum":
		f.max = number(value)
	}
}

func number(s string) *float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return &n
}
