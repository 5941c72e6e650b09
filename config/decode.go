package config

import (
	"encoding"
	"math"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"example.com/signalbox/config/secret"
)

// decoder fills Go values from nodes, strictly, and collects every mistake. Types say what they take
// by the tags in field.go and by encoding.TextUnmarshaler, which is given the text of a scalar; a
// struct or a slice that has it may be written in short as one string. What a file leaves out, or
// leaves empty, keeps the value that it had.
type decoder struct {
	problems *problems
	secrets  *secret.Scope
	types    []SourceType
}

var (
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
	refType      = reflect.TypeFor[secret.Ref]()
	addressType  = reflect.TypeFor[Address]()
	durationType = reflect.TypeFor[time.Duration]()
)

func (d *decoder) decode(n *node, v reflect.Value, f field) {
	if n.kind == nullNode {
		return
	}
	scalar := n.kind != listNode && n.kind != mapNode
	switch t := v.Type(); {
	case t.Kind() == reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(t.Elem()))
		}
		d.decode(n, v.Elem(), f)
	case t == refType:
		d.ref(n, v)
	case t == addressType:
		d.address(n, v)
	case t == durationType:
		d.duration(n, v)
	case reflect.PointerTo(t).Implements(textType) && scalar && (n.kind == stringNode || t.Kind() != reflect.Slice):
		if d.checkText(n) {
			d.textError(n, v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.text)))
		}
	case t.Kind() == reflect.Struct:
		d.structure(n, v)
	case t.Kind() == reflect.Slice:
		d.slice(n, v, f)
	case t.Kind() == reflect.Map:
		d.mapping(n, v)
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		v.Set(reflect.ValueOf(d.generic(n)))
	default:
		d.scalar(n, v, f)
	}
}

func (d *decoder) mismatch(n *node, t reflect.Type) {
	want, fix := expected(t)
	d.problems.add(n.pos, fix, "expected %s, got %s", want, n.kind)
}

// expected is what t takes in human words, and how to write it.
func expected(t reflect.Type) (want, fix string) {
	short := reflect.PointerTo(t).Implements(textType)
	switch {
	case t.Kind() == reflect.Pointer:
		return expected(t.Elem())
	case t == refType:
		return "a reference to a secret", "write env:NAME, file:PATH or cmd:PROGRAM ARGS"
	case t == addressType:
		return "an address", "write https://host/path, env:NAME, file:PATH or cmd:PROGRAM ARGS"
	case t == durationType:
		return "a duration", "write for example 30s, 15m, 2h or 30d"
	case t.Kind() == reflect.Slice && short:
		return "a string or a list of strings", "write it as one, or as [one, two]"
	case t.Kind() == reflect.Slice:
		elem, _ := expected(t.Elem())
		return "a list of " + plural(elem), "write it as [one, two]"
	case t.Kind() == reflect.Struct && short && len(fields(t)) > 0:
		return "a name or a mapping", "write a name, or {name: …}"
	case t.Kind() == reflect.Map, t.Kind() == reflect.Struct && !short:
		return "a mapping", "write key: value lines below it"
	case t.Kind() == reflect.Bool:
		return "true or false", "write true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "a whole number", "write a number without quotes"
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return "a number", "write a number without quotes"
	default:
		return "a string", "put it in quotes"
	}
}

func plural(s string) string {
	switch rest, ok := strings.CutPrefix(s, "a "); {
	case s == "a name or a mapping":
		return "names or mappings"
	case ok && !strings.Contains(rest, " "):
		return rest + "s"
	default:
		return "values"
	}
}

func (d *decoder) structure(n *node, v reflect.Value) {
	known := fields(v.Type())
	if n.kind != mapNode || (len(known) == 0 && reflect.PointerTo(v.Type()).Implements(textType)) {
		d.mismatch(n, v.Type())
		return
	}
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	for _, e := range n.entries {
		i := slices.Index(names, e.key)
		if i < 0 {
			d.unknown(e, names)
			continue
		}
		d.decode(e.value, v.FieldByIndex(known[i].index), known[i])
	}
	for _, f := range known {
		if e, ok := n.get(f.name); f.required && (!ok || e.value.kind == nullNode) {
			d.problems.add(n.pos, "add "+f.name+": …", "%s is missing", f.name)
		}
	}
}

func (d *decoder) unknown(e entry, names []string) {
	d.problems.add(e.pos, didYouMean(e.key, names), "unknown key %s", quoted(e.key))
}

func (d *decoder) slice(n *node, v reflect.Value, f field) {
	if f.named {
		d.named(n, v)
		return
	}
	if n.kind != listNode {
		d.mismatch(n, v.Type())
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		if item.kind == nullNode {
			d.problems.add(item.pos, "remove it, or write a value", "an item of this list is empty")
			continue
		}
		d.decode(item, list.Index(i), field{enum: f.enum})
	}
	v.Set(list)
}

// named decodes a mapping into a slice whose elements have the keys as their names.
func (d *decoder) named(n *node, v reflect.Value) {
	if n.kind != mapNode {
		d.problems.add(n.pos, "write name: {…} lines below it", "expected a mapping by name, got %s", n.kind)
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.entries), len(n.entries))
	for i, e := range n.entries {
		item, value := list.Index(i), e.value
		item.FieldByName("Name").SetString(e.key)
		if value.kind == nullNode {
			value = &node{kind: mapNode, pos: e.pos}
		}
		if entry, ok := item.Addr().Interface().(*SourceEntry); ok {
			d.source(value, entry)
			continue
		}
		d.decode(value, item, field{})
	}
	v.Set(list)
}

func (d *decoder) mapping(n *node, v reflect.Value) {
	if n.kind != mapNode {
		d.mismatch(n, v.Type())
		return
	}
	m := reflect.MakeMapWithSize(v.Type(), len(n.entries))
	for _, e := range n.entries {
		value := reflect.New(v.Type().Elem()).Elem()
		d.decode(e.value, value, field{})
		m.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), value)
	}
	v.Set(m)
}

func (d *decoder) ref(n *node, v reflect.Value) {
	if n.kind == listNode || n.kind == mapNode {
		d.mismatch(n, v.Type())
		return
	}
	if !d.checkText(n) {
		return
	}
	ref, err := d.secrets.Parse(n.text, filepath.Dir(absolute(n.pos.File)))
	if err != nil {
		d.textError(n, err)
		return
	}
	v.Set(reflect.ValueOf(ref))
}

// address takes an address as it is, else a reference to one.
func (d *decoder) address(n *node, v reflect.Value) {
	scheme, _, _ := strings.Cut(n.text, "://")
	if n.kind == listNode || n.kind == mapNode {
		d.mismatch(n, addressType)
		return
	}
	if n.kind != stringNode || scheme != "https" && scheme != "http" {
		d.ref(n, v.Field(0))
		return
	}
	if !d.checkText(n) {
		return
	}
	switch u, err := url.Parse(n.text); {
	case err != nil || u.Hostname() == "":
		d.problems.add(n.pos, "write it whole: https://host/path", "this is no web address")
	case u.User != nil:
		d.problems.add(n.pos, "remove them, or name where the address is kept: env:NAME", "the address holds a user or password")
	case scheme == "http" && !loopback(u.Hostname()):
		d.problems.add(n.pos, "use https (http is for this machine's own addresses alone)", "the address is not encrypted")
	default:
		v.Set(reflect.ValueOf(Address{secret.Plain(n.text)}))
	}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// textError reports what an UnmarshalText refused.
func (d *decoder) textError(n *node, err error) {
	if err == nil {
		return
	}
	e := &Error{Pos: n.pos, Msg: plain(err.Error()), Err: err}
	walk(err, func(one error) bool {
		p, ok := one.(FieldProblem) //nolint:errorlint // walk unwraps
		if ok {
			_, e.Msg, e.Fix = p.Field()
		}
		return ok
	})
	d.problems.list = append(d.problems.list, e)
}

func (d *decoder) duration(n *node, v reflect.Value) {
	got, err := parseDuration(n.text)
	switch {
	case n.kind == intNode && n.text == "0":
		v.SetInt(0)
	case n.kind != stringNode:
		d.mismatch(n, v.Type())
	case err != nil || got < 0:
		_, fix := expected(durationType)
		d.problems.add(n.pos, fix, "%s is not a duration", quoted(n.text))
	default:
		v.SetInt(int64(got))
	}
}

// parseDuration is time.ParseDuration, which also takes days in front: 30d, 1d12h.
func parseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s) //nolint:wrapcheck // the caller says what is wrong in its own words
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, strconv.ErrSyntax
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	if more < 0 {
		return 0, strconv.ErrSyntax
	}
	return d + more, err //nolint:wrapcheck // as above
}

// checkText refuses what could drive a terminal: YAML's escapes can write any character.
func (d *decoder) checkText(n *node) bool {
	for _, r := range n.text {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			d.problems.add(n.pos, "remove it", "the text holds the control character %U", r)
			return false
		}
	}
	return true
}

func (d *decoder) scalar(n *node, v reflect.Value, f field) {
	var ok bool
	switch kind := v.Kind(); {
	case kind == reflect.String && n.kind == stringNode:
		if ok = d.checkText(n); ok && f.enum != nil && !slices.Contains(f.enum, n.text) {
			d.problems.add(n.pos, didYouMean(n.text, f.enum), "%s is not one of the values", quoted(n.text))
			return
		}
		v.SetString(n.text)
	case kind == reflect.String && len(f.enum) > 0 && slices.Contains(f.enum, n.text):
		v.SetString(n.text) // 256 and 16 are numbers to YAML
		ok = true
	case kind == reflect.Bool && n.kind == boolNode:
		v.SetBool(strings.EqualFold(n.text, "true"))
		ok = true
	case v.CanInt() && n.kind == intNode:
		i, err := strconv.ParseInt(n.text, 0, 64)
		if ok = err == nil && !v.OverflowInt(i); ok {
			v.SetInt(i)
			d.bounds(n, float64(i), f)
		}
	case v.CanUint() && n.kind == intNode:
		u, err := strconv.ParseUint(n.text, 0, 64)
		if ok = err == nil && !v.OverflowUint(u); ok {
			v.SetUint(u)
			d.bounds(n, float64(u), f)
		}
	case v.CanFloat() && (n.kind == intNode || n.kind == floatNode):
		x, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64)
		if ok = err == nil && !math.IsInf(x, 0) && !math.IsNaN(x); ok {
			v.SetFloat(x)
			d.bounds(n, x, f)
		}
	default:
		d.mismatch(n, v.Type())
		return
	}
	if !ok && v.Kind() != reflect.String {
		_, fix := expected(v.Type())
		d.problems.add(n.pos, fix, "%s is out of range", quoted(n.text))
	}
}

func (d *decoder) bounds(n *node, x float64, f field) {
	if f.min != nil && x < *f.min {
		d.problems.add(n.pos, "write a larger one", "%s is less than %v", n.text, *f.min)
	}
	if f.max != nil && x > *f.max {
		d.problems.add(n.pos, "write a smaller one", "%s is more than %v", n.text, *f.max)
	}
}

// generic is n as plain Go values: string, int64, float64, bool, []any, map[string]any or nil.
func (d *decoder) generic(n *node) any {
	switch n.kind {
	case nullNode:
		return nil
	case stringNode:
		d.checkText(n)
		return n.text
	case boolNode:
		return strings.EqualFold(n.text, "true")
	case intNode:
		if i, err := strconv.ParseInt(n.text, 0, 64); err == nil {
			return i
		}
		return n.text
	case floatNode:
		if x, err := strconv.ParseFloat(n.text, 64); err == nil {
			return x
		}
		return n.text
	case listNode:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = d.generic(item)
		}
		return list
	case mapNode:
		m := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			m[e.key] = d.generic(e.value)
		}
		return m
	default:
		return nil
	}
}
