package insight

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/signalbox/sources/clean"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Words are the words of a filter as Matches wants them.
func Words(filter string) []string { return strings.Fields(strings.ToLower(filter)) }

// matchAll reports whether each word occurs in some field, whatever its case.
func matchAll(fields []string, words []string) bool {
	for _, w := range words {
		found := false
		for _, f := range fields {
			if found = containsFold(f, w); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// containsFold is strings.Contains of s in lower case, without the copy.
func containsFold(s, lower string) bool {
	if lower == "" {
		return true
	}
	first, _ := utf8.DecodeRuneInString(lower)
	for i, r := range s {
		if unicode.ToLower(r) == first && hasPrefixFold(s[i:], lower) {
			return true
		}
	}
	return false
}

func hasPrefixFold(s, lower string) bool {
	for _, want := range lower {
		r, n := utf8.DecodeRuneInString(s)
		if n == 0 || unicode.ToLower(r) != want {
			return false
		}
		s = s[n:]
	}
	return true
}

// join makes one line of the parts that are not empty.
func join(sep string, parts ...string) clean.Text {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return clean.Line(strings.Join(kept, sep))
}
