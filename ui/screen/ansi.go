package screen

import (
	"strings"

	"example.com/signalbox/sources/clean"
)

// ANSI draws a string that holds SGR sequences, as components for ordinary terminals return it, and
// returns the columns it took. Nothing else in it has an effect: other sequences and controls are
// dropped. Where it sets no background, the region's own stays.
func (r Region) ANSI(x, y int, s string) int {
	var st Style
	at := x
	for s != "" {
		text, params, rest := cutSGR(s)
		if t := clean.Line(text); !t.IsZero() {
			look := st
			if look.BG == 0 {
				look.BG = r.Style(max(at, 0), y).BG
			}
			at += r.Text(at, y, look, t)
		}
		st = st.sgr(params)
		s = rest
	}
	return at - x
}

// cutSGR splits s at its first SGR sequence. params is "0" where there is none.
func cutSGR(s string) (text, params, rest string) {
	for from := 0; ; {
		i := strings.Index(s[from:], "\x1b[")
		if i < 0 {
			return s, "0", ""
		}
		i += from
		end := i + 2
		for end < len(s) && (s[end] >= '0' && s[end] <= ';') {
			end++
		}
		if end < len(s) && s[end] == 'm' {
			return s[:i], s[i+2 : end], s[end+1:]
		}
		from = i + 2
	}
}

// sgr is s after the parameters of an SGR sequence.
func (s Style) sgr(params string) Style {
	for p := sgrParams(params); p.ok; p = p.next() {
		switch p.n {
		case 38:
			s.FG, p = p.color(s.FG)
		case 48:
			s.BG, p = p.color(s.BG)
		case 58:
			_, p = p.color(0)
		default:
			s = s.sgrCode(p.n)
		}
	}
	return s
}

func (s Style) sgrCode(n int) Style {
	switch {
	case n == 0:
		return Style{}
	case n < 10:
		s.Attr |= [10]Attr{1: Bold, 2: Dim, 3: Italic, 4: Underline, 7: Reverse, 9: Strike}[n]
	case n == 22:
		s.Attr &^= Bold | Dim
	case n > 22 && n < 30:
		s.Attr &^= [10]Attr{3: Italic, 4: Underline, 7: Reverse, 9: Strike}[n-20]
	case n >= 30 && n < 38:
		s.FG = Indexed(uint8(n - 30))
	case n == 39:
		s.FG = 0
	case n >= 40 && n < 48:
		s.BG = Indexed(uint8(n - 40))
	case n == 49:
		s.BG = 0
	case n >= 90 && n < 98:
		s.FG = Indexed(uint8(n - 90 + 8))
	case n >= 100 && n < 108:
		s.BG = Indexed(uint8(n - 100 + 8))
	}
	return s
}

// sgrParam is one parameter of an SGR sequence and what follows it. ; and : separate alike.
type sgrParam struct {
	n    int
	rest string
	more bool // rest is a parameter, even when it is empty
	ok   bool
}

func sgrParams(s string) sgrParam { return sgrParam{rest: s, more: true}.next() }

func (p sgrParam) next() sgrParam {
	if !p.more {
		return sgrParam{}
	}
	n, i := 0, 0
	for i < len(p.rest) && p.rest[i] <= '9' {
		n = min(n*10+int(p.rest[i]-'0'), 1<<16)
		i++
	}
	if i == len(p.rest) {
		return sgrParam{n: n, ok: true}
	}
	return sgrParam{n: n, rest: p.rest[i+1:], more: true, ok: true}
}

// color reads what follows a 38, 48 or 58, and returns its last parameter.
func (p sgrParam) color(old Color) (Color, sgrParam) {
	kind := p.next()
	switch kind.n {
	case 5:
		i := kind.next()
		if !i.ok {
			return old, i
		}
		return Indexed(uint8(min(i.n, 255))), i
	case 2:
		r := kind.next()
		g := r.next()
		b := g.next()
		if !b.ok {
			return old, b
		}
		return RGB(uint8(min(r.n, 255)), uint8(min(g.n, 255)), uint8(min(b.n, 255))), b
	}
	return old, kind
}
