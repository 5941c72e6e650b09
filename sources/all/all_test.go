package all_test

import (
	"reflect"
	"strings"
	"testing"

	"example.com/signalbox/sources/all"
)

// A driver is found by its name in the config, and documented from what it says of itself.
func TestEveryDriverIsNamedOnceAndDescribed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range all.Drivers() {
		if d.Name == "" || d.Name != strings.ToLower(d.Name) || strings.ContainsAny(d.Name, " :/") {
			t.Errorf("%q is no name for a driver", d.Name)
		}
		if seen[d.Name] {
			t.Errorf("two drivers are named %q", d.Name)
		}
		seen[d.Name] = true
		if d.Doc == "" || strings.Contains(d.Doc, "\n") {
			t.Errorf("%s: Doc %q is not one line", d.Name, d.Doc)
		}
		if !strings.Contains(d.Sample, "type: "+d.Name) {
			t.Errorf("%s: the sample does not say type: %s", d.Name, d.Name)
		}
		if d.Open == nil || d.Config == nil {
			t.Fatalf("%s: Open or Config is missing", d.Name)
		}
		a, b := reflect.ValueOf(d.Config()), reflect.ValueOf(d.Config())
		if a.Kind() != reflect.Pointer || a.Elem().Kind() != reflect.Struct || a.Pointer() == b.Pointer() {
			t.Errorf("%s: Config must return a new pointer to a struct", d.Name)
		}
	}
}
