package vt

import (
	"strconv"
	"strings"

	"example.com/signalbox/ui/screen"
)

// escape carries out a sequence of ESC and what seq holds.
func (t *Terminal) escape(seq string) {
	switch seq {
	case "7":
		t.saved = cursor{t.x, t.y, t.pen}
	case "8":
		t.restore(t.saved)
	case "D":
		t.lineFeed()
	case "E":
		t.x = 0
		t.lineFeed()
	case "M":
		if t.wrapping = false; t.y == t.top {
			t.scroll(t.top, t.bot, -1)
		} else if t.y > 0 {
			t.y--
		}
	case "c":
		t.reset()
	case "=", ">", "\\":
	default:
		t.unknown = append(t.unknown, "ESC "+seq)
	}
}

// str carries out a control string; seq begins with its introducer.
func (t *Terminal) str(seq string) {
	if seq[0] != ']' {
		t.unknown = append(t.unknown, "ESC "+seq)
		return
	}
	code, rest, _ := strings.Cut(seq[1:], ";")
	switch {
	case code == "0" || code == "2":
		t.title = rest
	case code == "52" && !strings.HasSuffix(rest, ";?"):
		t.clipboard = append(t.clipboard, rest)
	case rest == "?" || strings.HasSuffix(rest, ";?"):
		t.queries = append(t.queries, "OSC "+seq[1:])
	default:
		t.unknown = append(t.unknown, "OSC "+seq[1:])
	}
}

// params are the numbers of a sequence. ; and : separate alike.
type params []int

func parseParams(s string) params {
	if s == "" {
		return nil
	}
	fields := strings.FieldsFunc(strings.ReplaceAll(s, ";", " ; "), func(r rune) bool { return r == ' ' || r == ':' })
	var p params
	open := true
	for _, f := range fields {
		if f == ";" {
			if open {
				p = append(p, 0)
			}
			open = true
			continue
		}
		n, err := strconv.Atoi(f)
		if err != nil {
			n = 0
		}
		p = append(p, n)
		open = false
	}
	if open {
		p = append(p, 0)
	}
	return p
}

// at is the i-th parameter; a missing one or 0 is def.
func (p params) at(i, def int) int {
	if i < len(p) && p[i] > 0 {
		return p[i]
	}
	return def
}

// sequence carries out CSI and what seq holds.
func (t *Terminal) sequence(seq string) {
	final := seq[len(seq)-1]
	body := seq[:len(seq)-1]
	private := ""
	if body != "" && strings.ContainsRune("?<=>", rune(body[0])) {
		private, body = body[:1], body[1:]
	}
	if strings.ContainsAny(body, " !\"#$%&'()*+,-./") {
		t.other(seq)
		return
	}
	p := parseParams(body)
	switch {
	case private == "?" && (final == 'h' || final == 'l'):
		for _, n := range p {
			t.setMode(n, final == 'h')
		}
	case private != "":
		t.other(seq)
	case final == 'm':
		t.pen = sgr(t.pen, p)
	case strings.ContainsRune("ABCDEFGHde`af", rune(final)):
		t.move(final, p)
		t.wrapping = false
	case strings.ContainsRune("JKXP@LMSTbrsu", rune(final)):
		t.edit(final, p)
	case final == 't' && p.at(0, 0) == 22:
		t.titles = append(t.titles, t.title)
	case final == 't' && p.at(0, 0) == 23:
		if n := len(t.titles); n > 0 {
			t.title, t.titles = t.titles[n-1], t.titles[:n-1]
		}
	default:
		t.other(seq)
	}
}

func (t *Terminal) other(seq string) {
	switch final := seq[len(seq)-1]; {
	case final == 'n', final == 'c', final == 't', strings.HasSuffix(seq, "$p"), final == 'u' && seq[0] == '?', final == 'q' && seq[0] == '>':
		t.queries = append(t.queries, "CSI "+seq)
	default:
		t.unknown = append(t.unknown, "CSI "+seq)
	}
}

func (t *Terminal) move(final byte, p params) {
	n := p.at(0, 1)
	switch final {
	case 'A':
		t.y -= n
	case 'B', 'e':
		t.y += n
	case 'C', 'a':
		t.x += n
	case 'D':
		t.x -= n
	case 'E':
		t.x, t.y = 0, t.y+n
	case 'F':
		t.x, t.y = 0, t.y-n
	case 'G', '`':
		t.x = n - 1
	case 'd':
		t.y = n - 1
	case 'H', 'f':
		t.y, t.x = n-1, p.at(1, 1)-1
	}
	t.x, t.y = min(max(t.x, 0), t.w-1), min(max(t.y, 0), t.h-1)
}

func (t *Terminal) edit(final byte, p params) {
	n := p.at(0, 1)
	switch final {
	case 'J':
		t.eraseScreen(p.at(0, 0))
	case 'K':
		from, to := t.x, t.w
		switch p.at(0, 0) {
		case 1:
			from, to = 0, t.x+1
		case 2:
			from = 0
		}
		t.eraseCells(t.y, from, to)
	case 'X':
		t.eraseCells(t.y, t.x, t.x+n)
	case 'P', '@':
		t.shift(final, min(n, t.w-t.x))
	case 'L', 'M':
		if t.y >= t.top && t.y <= t.bot {
			n = min(n, t.bot-t.y+1)
			if final == 'L' {
				n = -n
			}
			t.scroll(t.y, t.bot, n)
		}
	case 'S':
		t.scroll(t.top, t.bot, min(n, t.bot-t.top+1))
	case 'T':
		t.scroll(t.top, t.bot, -min(n, t.bot-t.top+1))
	case 'b':
		for range min(n, t.w*t.h) {
			t.put(t.last)
		}
		return
	case 'r':
		top, bot := n-1, min(p.at(1, t.h), t.h)-1
		if top < bot {
			t.top, t.bot, t.x, t.y = top, bot, 0, 0
		}
	case 's':
		t.saved = cursor{t.x, t.y, t.pen}
	case 'u':
		t.restore(t.saved)
	}
	t.wrapping = false
}

func (t *Terminal) eraseScreen(how int) {
	from, to := 0, t.h
	switch how {
	case 0:
		t.eraseCells(t.y, t.x, t.w)
		from = t.y + 1
	case 1:
		t.eraseCells(t.y, 0, t.x+1)
		to = t.y
	}
	for y := from; y < to; y++ {
		t.eraseCells(y, 0, t.w)
	}
}

// shift deletes n characters at the cursor, or inserts n blanks.
func (t *Terminal) shift(final byte, n int) {
	row := t.rows[t.y]
	t.clearHalves(t.y, t.x, t.x)
	if final == 'P' {
		t.clearHalves(t.y, t.x, t.x+n)
		copy(row[t.x:], row[t.x+n:])
		t.eraseCells(t.y, t.w-n, t.w)
		return
	}
	if row[t.w-n].Text == "" && t.w-n > 0 {
		row[t.w-n-1].Text = " "
	}
	copy(row[t.x+n:], row[t.x:t.w-n])
	for x := t.x; x < t.x+n; x++ {
		row[x] = t.blank()
	}
}

// sgr is a pen after the parameters of an SGR sequence.
func sgr(pen screen.Style, p params) screen.Style {
	if len(p) == 0 {
		return screen.Style{}
	}
	bits := map[int]screen.Attr{1: screen.Bold, 2: screen.Dim, 3: screen.Italic, 4: screen.Underline, 7: screen.Reverse, 9: screen.Strike}
	for i := 0; i < len(p); i++ {
		switch n := p[i]; {
		case n == 0:
			pen = screen.Style{}
		case n < 10:
			pen.Attr |= bits[n]
		case n == 22:
			pen.Attr &^= screen.Bold | screen.Dim
		case n > 22 && n < 30:
			pen.Attr &^= bits[n-20]
		case n >= 30 && n < 38:
			pen.FG = screen.Indexed(uint8(n - 30))
		case n == 38:
			pen.FG, i = color(p, i)
		case n == 39:
			pen.FG = 0
		case n >= 40 && n < 48:
			pen.BG = screen.Indexed(uint8(n - 40))
		case n == 48:
			pen.BG, i = color(p, i)
		case n == 49:
			pen.BG = 0
		case n >= 90 && n < 98:
			pen.FG = screen.Indexed(uint8(n - 82))
		case n >= 100 && n < 108:
			pen.BG = screen.Indexed(uint8(n - 92))
		}
	}
	return pen
}

// color reads the colour that follows a 38 or 48 at i, and returns the index of its last parameter.
func color(p params, i int) (screen.Color, int) {
	switch {
	case i+2 < len(p) && p[i+1] == 5:
		return screen.Indexed(uint8(p[i+2])), i + 2
	case i+4 < len(p) && p[i+1] == 2:
		return screen.RGB(uint8(p[i+2]), uint8(p[i+3]), uint8(p[i+4])), i + 4
	}
	return 0, len(p)
}
