package component

import (
	"strings"
	"testing"

	"example.com/signalbox/sources/clean"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		w    int
		want string
	}{
		{"", 5, ""}, {"one two", 20, "one two"}, {"one two three", 7, "one two|three"}, {"abcdefgh", 3, "abc|def|gh"},
		{"a abcdefgh b", 4, "a|abcd|efgh|b"}, {"日本語です", 4, "日本|語で|す"}, {"日", 1, "日"}, {"a b", 0, "a b"},
	}
	for _, tt := range tests {
		var got []string
		for _, l := range Wrap(clean.Line(tt.in), tt.w) {
			got = append(got, l.String())
		}
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("Wrap(%q, %d) = %q, want %q", tt.in, tt.w, s, tt.want)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}
