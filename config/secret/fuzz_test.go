package secret

import (
	"slices"
	"strings"
	"testing"
)

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"", "op read x", `sh -c 'a "b" c'`, `a\ b "c\"d" ''`, `"`, `\`, "a\tb\nc", `x"y"'z'`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := Split(line)
		if err != nil {
			return
		}
		quotes := make([]string, len(words))
		for i, w := range words {
			quotes[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		again, err := Split(strings.Join(quotes, " "))
		if err != nil || !slices.Equal(words, again) {
			t.Fatalf("%q gives %q, and quoted again %q, %v", line, words, again, err)
		}
	})
}

func FuzzRef(f *testing.F) {
	for _, seed := range []string{"env:A", "file:~/x", "cmd:a 'b", "ghp_abcdef0123", "env:", "x:y", " cmd:\x1b[0m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r Ref
		if err := r.UnmarshalText([]byte(text)); err != nil {
			if len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Fatalf("the error shows %q", text)
			}
			return
		}
		if r.IsZero() || r.String() == "" {
			t.Fatalf("%q is accepted as nothing", text)
		}
	})
}
