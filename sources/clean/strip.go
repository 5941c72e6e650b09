package clean

import (
	"unicode"
	"unicode/utf8"
)

// The limits of one line.
const (
	MaxColumns = 4096    // a longer line ends in "…" there
	MaxInput   = 1 << 16 // bytes of input that are looked at
	MaxMarks   = 2       // combining marks on one character
)

const (
	escape             = 0x1b
	nextLine           = '\u0085'
	lineSeparator      = '\u2028'
	paragraphSeparator = '\u2029'
	ellipsis           = "…"
	tabStop            = 4
)

// Line makes one line of s.
func Line(s string) Text {
	if len(s) <= MaxColumns && isPlain(s) {
		return Text{s}
	}
	c := cleaner{out: make([]byte, 0, min(len(s), MaxInput)+len(ellipsis))}
	if len(s) > MaxInput {
		s, c.cut = s[:MaxInput], true
	}
	c.line(s)
	if c.cut {
		return Text{string(append(c.out[:head(string(c.out), MaxColumns-1)], ellipsis...))}
	}
	return Text{string(c.out)}
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// cleaner builds one line.
type cleaner struct {
	out   []byte
	col   int
	marks int  // on the last character
	last  rune // the last character, without its marks
	brk   bool // a line break is pending: it shows only when something follows
	cut   bool // something was left out at the end
}

func (c *cleaner) line(s string) {
	for i := 0; i < len(s) && c.col <= MaxColumns; {
		b := s[i]
		switch {
		case b >= 0x20 && b < 0x7f:
			c.put(rune(b), 1)
			i++
		case b == escape:
			i = afterEscape(s, i+1)
		case b < 0x80:
			c.control(b)
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if n == 1 && b < 0xa0 {
				r = rune(b) // an 8-bit control outside UTF-8
			}
			i += n
			if r >= 0x80 && r < 0xa0 {
				i = c.c1(s, i, r)
			} else {
				c.rune(r)
			}
		}
	}
	c.cut = c.cut || c.col > MaxColumns
}

func (c *cleaner) control(b byte) {
	switch b {
	case '\t':
		for n := tabStop - c.col%tabStop; n > 0; n-- {
			c.put(' ', 1)
		}
	case '\n', '\r', '\v', '\f':
		c.brk = true
	}
}

// rune takes a character that is neither ASCII nor a control.
func (c *cleaner) rune(r rune) {
	switch {
	case r == lineSeparator || r == paragraphSeparator:
		c.brk = true
	case r == 0x3000:
		c.put(' ', 1)
		c.put(' ', 1)
	case unicode.Is(unicode.Zs, r):
		c.put(' ', 1)
	case isInvisible(r):
	case IsMark(r):
		if c.last > ' ' && c.last != utf8.RuneError && !c.brk && c.marks < MaxMarks && unicode.IsPrint(r) {
			c.out = utf8.AppendRune(c.out, r)
			c.marks++
		}
	case r >= 0x1f1e6 && r <= 0x1f1ff: // the letters of flags
		c.put('A'+r-0x1f1e6, 1)
	case !unicode.IsPrint(r) || r == utf8.RuneError:
		if c.last != utf8.RuneError || c.brk {
			c.put(utf8.RuneError, 1)
		}
	default:
		c.put(r, RuneWidth(r))
	}
}

func (c *cleaner) put(r rune, w int) {
	if c.brk {
		c.brk = false
		if len(c.out) > 0 {
			c.put(' ', 1)
		}
	}
	c.out = utf8.AppendRune(c.out, r)
	c.col += w
	c.last, c.marks = r, 0
}

// c1 skips what an 8-bit control starts; i is after it.
func (c *cleaner) c1(s string, i int, r rune) int {
	switch r {
	case nextLine:
		c.brk = true
	case 0x9b:
		return afterCSI(s, i)
	case 0x90, 0x98, 0x9d, 0x9e, 0x9f:
		return afterString(s, i, r == 0x9d)
	}
	return i
}

// afterEscape is the index after the sequence whose ESC is before i.
func afterEscape(s string, i int) int {
	if i == len(s) {
		return i
	}
	switch s[i] {
	case '[':
		return afterCSI(s, i+1)
	case ']':
		return afterString(s, i+1, true)
	case 'P', 'X', '^', '_':
		return afterString(s, i+1, false)
	}
	for i < len(s) && s[i] >= 0x20 && s[i] < 0x30 {
		i++
	}
	if i < len(s) && s[i] >= 0x30 && s[i] < 0x7f {
		i++
	}
	return i
}

// afterCSI is the index after a control sequence; i is after its introducer. A byte that cannot be part
// of one ends it, and stays.
func afterCSI(s string, i int) int {
	for i < len(s) && s[i] >= 0x20 && s[i] < 0x40 {
		i++
	}
	if i < len(s) && s[i] >= 0x40 && s[i] < 0x7f {
		i++
	}
	return i
}

// afterString is the index after a control string (OSC, DCS …) and its terminator; i is after its
// introducer. It ends at a line break or with s where nothing terminates it.
func afterString(s string, i int, bell bool) int {
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			r = rune(s[i])
		}
		switch {
		case r == escape:
			if i+1 < len(s) && s[i+1] == '\\' {
				return i + 2
			}
			return i // another sequence begins
		case r == '\a' && bell, r == 0x18, r == 0x1a, r == 0x9c:
			return i + n
		case r == '\n', r == '\r', r == nextLine, r == lineSeparator, r == paragraphSeparator:
			return i
		}
		i += n
	}
	return i
}
