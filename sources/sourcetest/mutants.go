package sourcetest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
)

// Whole is where a Mutant changes more than a field.
const Whole = "the whole"

// The ways in which a field of a Mutant is changed. Those from Unknown on are of a wide Mutation.
const (
	LeftOut   = "left out"
	Null      = "null"
	OtherType = "of another type"

	Unknown  = "a word that nobody knows"
	Blank    = "empty"
	Huge     = "larger than any number"
	Negative = "negative"
	More     = "joined by what nobody knows"
)

// Mutant is one answer with one field changed.
type Mutant struct {
	Key, How string
	Where    string // the field, as in .workflow_runs[].head_commit.author
	Body     []byte
}

func (m Mutant) String() string {
	key := m.Key
	if len(key) > 60 {
		key = key[:60] + "…"
	}
	return key + ": " + m.Where + " is " + m.How
}

// Mutation says what is changed.
type Mutation struct {
	Fields Fields
	// Address is what keys of one kind have in common; nil: the key.
	Address func(key string) string
	// Seen holds what was changed before: each field once for each kind of address.
	Seen map[string]bool
	// Wide changes also what fields say, and the items of lists as a whole.
	Wide bool
}

// Mutants changes each field that is read once for each kind of address: it is left out, null, or of another
// type. Of a list the first item's are changed, and what the last one has besides.
func (tp *Tape) Mutants(tb testing.TB, m Mutation) []Mutant {
	tb.Helper()
	var out []Mutant
	for _, key := range slices.Sorted(maps.Keys(tp.Replies)) {
		reply := tp.Replies[key]
		var root any
		if reply.Status != http.StatusOK || json.Unmarshal(reply.Body, &root) != nil {
			continue
		}
		address := key
		if m.Address != nil {
			address = m.Address(key)
		}
		w := &mutator{tb: tb, Mutation: m, key: key, address: address, root: root}
		w.walk(root, "")
		w.wholes(reply.Body)
		out = append(out, w.out...)
	}
	return out
}

type mutator struct {
	Mutation
	tb           testing.TB
	key, address string
	root         any
	out          []Mutant
}

func (w *mutator) fresh(id string) bool {
	if w.Seen[w.address+" "+id] {
		return false
	}
	w.Seen[w.address+" "+id] = true
	return true
}

func (w *mutator) emit(where, how string) {
	body, err := json.Marshal(w.root)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.out = append(w.out, Mutant{w.key, how, where, body})
}

func (w *mutator) walk(v any, where string) {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 && w.Wide && w.fresh(where+"[]") {
			old := v[0]
			v[0] = nil
			w.emit(where+"[]", Null)
			v[0] = otherType(old)
			w.emit(where+"[]", OtherType)
			v[0] = old
		}
		for i, item := range v {
			if i == 0 || i == len(v)-1 {
				w.walk(item, where+"[]")
			}
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			at, old := where+"."+k, v[k]
			if !w.Fields.has(k) {
				continue
			}
			if w.fresh(at) {
				delete(v, k)
				w.emit(at, LeftOut)
				v[k] = nil
				w.emit(at, Null)
				v[k] = otherType(old)
				w.emit(at, OtherType)
				w.wide(v, k, at, old)
				v[k] = old
			}
			w.walk(old, at)
		}
	}
}

// wide changes what a field says without another type.
func (w *mutator) wide(in map[string]any, k, at string, old any) {
	if !w.Wide {
		return
	}
	as := func(v any, how string) {
		in[k] = v
		w.emit(at, how)
	}
	switch old := old.(type) {
	case string:
		as("shiny_new_thing", Unknown)
		as("", Blank)
	case float64:
		as(json.RawMessage("92233720368547758089"), Huge)
		as(json.RawMessage("1e999"), Huge)
		as(-1, Negative)
	case []any:
		as([]any{}, Blank)
	case map[string]any:
		as(map[string]any{}, Blank)
		more := maps.Clone(old)
		more["shiny_new_field"] = map[string]any{"deep": []any{nil, 1, "x", map[string]any{}}}
		as(more, More)
	}
}

// wholes are the answers that are none.
func (w *mutator) wholes(body []byte) {
	for _, c := range []struct{ how, body string }{
		{Null, "null"},
		{"an error object", `{"message":"Server Error"}`},
		{"a list", "[]"},
		{"an empty object", "{}"},
		{"truncated", string(body[:len(body)/2])},
		{"empty", ""},
	} {
		if w.fresh(c.how) {
			w.out = append(w.out, Mutant{w.key, c.how, Whole, []byte(c.body)})
		}
	}
}

func otherType(v any) any {
	switch v.(type) {
	case string, nil:
		return map[string]any{"odd": 1}
	case float64:
		return "seven"
	case bool:
		return []any{1}
	default:
		return "text"
	}
}
