package component

import (
	"strconv"
	"strings"

	"example.com/signalbox/sources/clean"
)

// Wrap breaks t between words into lines of at most w columns; a longer word is broken anywhere. It
// returns at least one line.
func Wrap(t clean.Text, w int) []clean.Text {
	if w <= 0 || t.Width() <= w {
		return []clean.Text{t}
	}
	var out []clean.Text
	line, width := "", 0
	for word := range strings.FieldsSeq(t.String()) {
		rest := clean.Line(word)
		if width > 0 && width+1+rest.Width() <= w {
			line, width = line+" "+word, width+1+rest.Width()
			continue
		}
		if width > 0 {
			out = append(out, clean.Line(line))
		}
		for rest.Width() > w {
			head := rest.Cut(w, clean.Text{})
			if head.IsZero() {
				break
			}
			out = append(out, head)
			rest = rest.Skip(head.Width())
		}
		line, width = rest.String(), rest.Width()
	}
	return append(out, clean.Line(line))
}

// Number is n with a comma between the thousands.
func Number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
