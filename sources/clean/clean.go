// Package clean is the one sanitiser. Text is the only type that the screen draws, and only this
// package makes it.
//
// What Line keeps is printable and has the same width on every terminal, rune by rune (RuneWidth):
//
//   - Escape sequences go, whole: CSI, OSC, DCS, APC, PM and SOS, terminated or not, with ESC or with an
//     8-bit C1 control, as a byte or as UTF-8. A sequence ends at a line break at the latest. Other
//     controls go too.
//   - What is invisible goes: bidirectional controls, zero-width characters and joiners, variation
//     selectors, soft hyphens, fillers, tags, interlinear annotation, enclosing marks.
//   - Line breaks become one space, tabs the spaces to the next multiple of four, every other kind of
//     space a plain one (the ideographic space two).
//   - Emoji sequences, whose widths terminals disagree on, become their parts: joiners and skin tones go,
//     a flag becomes its two letters.
//   - A character keeps its first MaxMarks combining marks; marks without one go.
//   - Invalid UTF-8, private use and what Unicode has not assigned become U+FFFD, a run of them one.
//   - A line longer than MaxColumns ends in "…" there. Only the first MaxInput bytes are looked at.
//
// Letters of scripts that run from right to left are kept: a terminal that reorders them does so on
// the whole row.
package clean

import (
	"fmt"
	"strings"
)

// Text is one line of text that is safe to draw, to copy and to put into a title: no control
// characters, escape sequences, bidirectional overrides, zero-width tricks or line breaks. The zero
// Text is empty. Texts compare with ==.
type Text struct{ s string }

type constant string

// Const makes a Text of a constant of the program: the compiler refuses anything else. A constant is
// cleaned as everything is.
func Const(s constant) Text { return Line(string(s)) }

// Linef formats and makes one line of the result.
func Linef(format string, args ...any) Text { return Line(fmt.Sprintf(format, args...)) }

// Lines makes one Text of each line of s. A line ends with \n, \r\n, \r or one of Unicode's separators;
// an end of line at the end of s starts no further one.
func Lines(s string) []Text {
	var out []Text
	for s != "" {
		line, rest := cutLine(s)
		out = append(out, Line(line))
		s = rest
	}
	return out
}

func cutLine(s string) (line, rest string) {
	for i, r := range s {
		switch r {
		case '\r':
			return s[:i], strings.TrimPrefix(s[i+1:], "\n")
		case '\n':
			return s[:i], s[i+1:]
		case nextLine:
			return s[:i], s[i+2:]
		case lineSeparator, paragraphSeparator:
			return s[:i], s[i+3:]
		}
	}
	return s, ""
}

// Concat joins texts without anything between them.
func Concat(texts ...Text) Text { return Join(Text{}, texts...) }

// Join joins texts with sep between them.
func Join(sep Text, texts ...Text) Text {
	switch len(texts) {
	case 0:
		return Text{}
	case 1:
		return texts[0]
	}
	var b strings.Builder
	for i, t := range texts {
		if i > 0 {
			b.WriteString(sep.s)
		}
		b.WriteString(t.s)
	}
	return Text{b.String()}
}

// String is t as a plain string.
func (t Text) String() string { return t.s }

// IsZero reports whether t is empty.
func (t Text) IsZero() bool { return t.s == "" }

// Width is the columns that t takes.
func (t Text) Width() int {
	w := 0
	for i := range len(t.s) {
		if t.s[i] >= 0x80 {
			return w + columns(t.s[i:])
		}
		w++
	}
	return w
}

func columns(s string) int {
	w := 0
	for _, r := range s {
		w += RuneWidth(r)
	}
	return w
}

// Cut is t when it fits into w columns; else as much of its beginning as fits together with tail. Where
// not even tail fits, it is cut instead.
func (t Text) Cut(w int, tail Text) Text {
	if w <= 0 {
		return Text{}
	}
	if len(t.s) <= w || t.Width() <= w {
		return t
	}
	room := w - tail.Width()
	if room <= 0 {
		return Text{tail.s[:head(tail.s, w)]}
	}
	return Text{t.s[:head(t.s, room)] + tail.s}
}

// CutLeft is t when it fits into w columns; else as much of its end as fits, after lead.
func (t Text) CutLeft(w int, lead Text) Text {
	if w <= 0 {
		return Text{}
	}
	all := t.Width()
	if all <= w {
		return t
	}
	room := w - lead.Width()
	if room <= 0 {
		return Text{lead.s[:head(lead.s, w)]}
	}
	return Text{lead.s + t.Skip(all-room).s}
}

// Skip is t without its first w columns. A wide character that they would cut in half goes whole.
func (t Text) Skip(w int) Text {
	if w <= 0 {
		return t
	}
	for i, r := range t.s {
		rw := RuneWidth(r)
		if w <= 0 && rw > 0 {
			return Text{t.s[i:]}
		}
		w -= rw
	}
	return Text{}
}

// head is the length in bytes of the beginning of s that fits into w columns, marks included.
func head(s string, w int) int {
	for i, r := range s {
		if w -= RuneWidth(r); w < 0 {
			return i
		}
	}
	return len(s)
}

// MarshalText makes a Text a string in JSON.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.s), nil }

// UnmarshalText cleans what it reads: a snapshot on disk is no more trusted than the network.
func (t *Text) UnmarshalText(b []byte) error { *t = Line(string(b)); return nil }
