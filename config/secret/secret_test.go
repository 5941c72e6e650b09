package secret

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const token = "ghp_0123456789abcdef"

type holder struct {
	Public  Secret
	Pointer *Secret
	Map     map[string]Secret
	List    []Secret
	Any     any
	private Secret
	deep    struct{ s *Secret }
}

type document struct{ S Secret }

func hold() holder {
	s := New(token)
	h := holder{Public: s, Pointer: &s, Map: map[string]Secret{"a": s}, List: []Secret{s}, Any: s, private: s}
	h.deep.s = &s
	return h
}

func TestSecretIsShownByNothing(t *testing.T) {
	t.Parallel()
	h := hold()
	s := h.private
	shown := map[string]string{}
	for _, verb := range []string{"v", "+v", "#v", "s", "q", "x", "X", "d", "U", "c", "b", "e", "g", "t", "T", "p", "10s", "-20v", ".3s", "# x", "w"} {
		for name, v := range map[string]any{"secret": s, "pointer": &s, "holder": h, "holder pointer": &h, "list": []any{s, &s, h}, "array": [1]Secret{s}} {
			shown["%"+verb+" of "+name] = fmt.Sprintf("%"+verb, v)
		}
	}
	shown["error"] = fmt.Errorf("x: %v, %w", s, errors.New("y")).Error()
	shown["Sprint"] = fmt.Sprint(s, &s, h)
	shown["String"] = s.String() + s.GoString()
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	shown["JSON"] = string(data)
	if data, err = yaml.Marshal(map[string]any{"a": h.Public, "b": h.Pointer, "c": h.List, "d": h.Map}); err != nil {
		t.Fatal(err)
	}
	shown["YAML"] = string(data)
	if data, err = xml.Marshal(document{s}); err != nil {
		t.Fatal(err)
	}
	shown["XML"] = string(data)
	if data, err = s.MarshalBinary(); err != nil {
		t.Fatal(err)
	}
	shown["binary"] = string(data)
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(struct{ S Secret }{s}); err != nil {
		t.Fatal(err)
	}
	shown["gob"] = b.String()
	var back struct{ S Secret }
	if err := gob.NewDecoder(&b).Decode(&back); err != nil || !back.S.IsZero() {
		t.Errorf("gob gives back %t, %v", back.S.IsZero(), err)
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).With("with", s).WithGroup("g").Info("m", "secret", s, "pointer", &s, "holder", h, "any", slog.AnyValue(s))
		shown[name] = b.String()
	}
	hexed := fmt.Sprintf("%x", token)
	for how, text := range shown {
		for _, leak := range []string{token, token[4:], hexed, strings.ToUpper(hexed), fmt.Sprintf("%d", []byte(token))} {
			if strings.Contains(text, leak) {
				t.Errorf("%s shows the secret: %s", how, text)
			}
		}
	}
	for _, how := range []string{"%v of secret", "%x of pointer", "%d of secret", "JSON", "YAML", "slog text", "String"} {
		if !strings.Contains(shown[how], Redacted) {
			t.Errorf("%s does not say %s: %s", how, Redacted, shown[how])
		}
	}
}

func TestSecretValue(t *testing.T) {
	t.Parallel()
	s, same, other := New(token), New(token), New("another")
	if s.Reveal() != token {
		t.Error("Reveal does not")
	}
	if !s.Equal(same) || s.Equal(other) || s.Equal(Secret{}) || !(Secret{}).Equal(New("")) {
		t.Error("Equal is wrong")
	}
	f := s.Fingerprint()
	if len(f) != 16 || f != same.Fingerprint() || f == other.Fingerprint() || strings.Contains(token, f) {
		t.Errorf("fingerprint %q", f)
	}
	if (Secret{}).Fingerprint() != "" || !(Secret{}).IsZero() || s.IsZero() {
		t.Error("the zero Secret is not empty")
	}
}
