package notify

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// The page for those who write a receiver says what is sent.
func TestDocs(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/notify.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	_, rest, _ := strings.Cut(text, "```json\n")
	example, _, _ := strings.Cut(rest, "```")
	d := json.NewDecoder(strings.NewReader(example))
	d.DisallowUnknownFields()
	var b body
	if err := d.Decode(&b); err != nil {
		t.Fatalf("the example is not what is sent: %v", err)
	}
	for i := range reflect.TypeFor[body]().NumField() {
		if reflect.ValueOf(b).Field(i).IsZero() {
			t.Errorf("the example lacks %s", reflect.TypeFor[body]().Field(i).Name)
		}
	}
	for _, header := range []string{"X-Signalbox-Timestamp", "X-Signalbox-Signature", "Idempotency-Key"} {
		if !strings.Contains(text, "| `"+header+"` |") {
			t.Errorf("the page does not tell of %s", header)
		}
	}
}
