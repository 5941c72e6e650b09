package screen

import "strconv"

const csi = "\x1b["

func digits(n int) int {
	d := 1
	for ; n >= 10; n /= 10 {
		d++
	}
	return d
}

// appendCSI adds a control sequence with one parameter, which is left out when it is 1.
func appendCSI(b []byte, n int, final byte) []byte {
	b = append(b, csi...)
	if n != 1 {
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, final)
}

func costCSI(n int) int {
	if n == 1 {
		return 3
	}
	return 3 + digits(n)
}

// appendPosition adds an absolute move.
func appendPosition(b []byte, x, y int) []byte {
	if x == 0 {
		return appendCSI(b, y+1, 'H')
	}
	b = append(b, csi...)
	if y > 0 {
		b = strconv.AppendInt(b, int64(y+1), 10)
	}
	b = append(b, ';')
	b = strconv.AppendInt(b, int64(x+1), 10)
	return append(b, 'H')
}

func positionCost(x, y int) int {
	switch {
	case x == 0:
		return costCSI(y + 1)
	case y == 0:
		return 4 + digits(x+1)
	}
	return 4 + digits(y+1) + digits(x+1)
}

// appendColumn adds a move within a line. Where from is not known the move is absolute.
func appendColumn(b []byte, from, to int, known bool) []byte {
	absolute := costCSI(to + 1)
	switch {
	case to == 0:
		return append(b, '\r')
	case known && to > from && costCSI(to-from) < absolute:
		return appendCSI(b, to-from, 'C')
	case known && to < from && min(from-to, costCSI(from-to)) < absolute:
		if from-to <= costCSI(from-to) {
			for ; from > to; from-- {
				b = append(b, '\b')
			}
			return b
		}
		return appendCSI(b, from-to, 'D')
	}
	return appendCSI(b, to+1, 'G')
}

// appendLine adds a move to another line, in the same column.
func appendLine(b []byte, from, to int) []byte {
	absolute := costCSI(to + 1)
	switch {
	case to > from && to-from <= min(costCSI(to-from), absolute):
		for ; from < to; from++ {
			b = append(b, '\n')
		}
		return b
	case to > from && costCSI(to-from) <= absolute:
		return appendCSI(b, to-from, 'B')
	case to < from && costCSI(from-to) <= absolute:
		return appendCSI(b, from-to, 'A')
	}
	return appendCSI(b, to+1, 'd')
}

// The SGR codes that turn the attributes on and off. Bold and dim share their off.
func attrCodes(a Attr) (on, off byte) {
	switch a {
	case Bold:
		return 1, 22
	case Dim:
		return 2, 22
	case Italic:
		return 3, 23
	case Underline:
		return 4, 24
	case Reverse:
		return 7, 27
	case Strike:
		return 9, 29
	}
	return 0, 0
}

// appendSGR adds the shortest sequence that turns from into to, which differ.
func appendSGR(b []byte, from, to uint64) []byte {
	n := len(b)
	b = appendChange(b, from, to)
	change := len(b) - n
	b = appendReset(b, to)
	if reset := len(b) - n - change; reset < change {
		return append(b[:n], b[n+change:]...)
	}
	return b[:n+change]
}

// sgrCost is the length of what appendSGR adds.
func sgrCost(from, to uint64) int {
	if from == to {
		return 0
	}
	var scratch [96]byte
	return len(appendSGR(scratch[:0], from, to))
}

// appendReset adds a sequence that begins with a reset.
func appendReset(b []byte, to uint64) []byte {
	b = append(b, csi...)
	if to != 0 {
		b = append(b, ';') // an empty first parameter is 0
		b = appendParams(b, 0, to)
		return append(b, 'm')
	}
	return append(b, 'm')
}

// appendChange adds a sequence that changes only what differs.
func appendChange(b []byte, from, to uint64) []byte {
	b = append(b, csi...)
	b = appendParams(b, from, to)
	return append(b, 'm')
}

func appendParams(b []byte, from, to uint64) []byte {
	n := len(b)
	sep := func() {
		if len(b) > n {
			b = append(b, ';')
		}
	}
	was, is := Attr(from>>attrShift), Attr(to>>attrShift)
	off, on := was&^is, is&^was
	if off&(Bold|Dim) != 0 {
		on |= is & (Bold | Dim)
	}
	dimmed := false
	for a := Bold; a <= Strike; a <<= 1 {
		if off&a == 0 || dimmed && a == Dim {
			continue
		}
		_, code := attrCodes(a)
		sep()
		b = strconv.AppendInt(b, int64(code), 10)
		dimmed = a == Bold
	}
	for a := Bold; a <= Strike; a <<= 1 {
		if on&a != 0 {
			code, _ := attrCodes(a)
			sep()
			b = strconv.AppendInt(b, int64(code), 10)
		}
	}
	if fg := Color(to & colorMask); fg != Color(from&colorMask) {
		sep()
		b = appendColor(b, fg, 30)
	}
	if bg := Color(to >> colorBits & colorMask); bg != Color(from>>colorBits&colorMask) {
		sep()
		b = appendColor(b, bg, 40)
	}
	return b
}

// appendColor adds the parameters of a colour; base is 30 for the foreground, 40 for the background.
func appendColor(b []byte, c Color, base int64) []byte {
	n := int64(c & 0xff)
	switch {
	case c == 0:
		return strconv.AppendInt(b, base+9, 10)
	case c>>24 == 1 && n < 8:
		return strconv.AppendInt(b, base+n, 10)
	case c>>24 == 1 && n < 16:
		return strconv.AppendInt(b, base+60+n-8, 10)
	case c>>24 == 1:
		b = strconv.AppendInt(b, base+8, 10)
		b = append(b, ";5;"...)
		return strconv.AppendInt(b, n, 10)
	}
	b = strconv.AppendInt(b, base+8, 10)
	b = append(b, ";2"...)
	for shift := 16; shift >= 0; shift -= 8 {
		b = append(b, ';')
		b = strconv.AppendInt(b, int64(c>>shift&0xff), 10)
	}
	return b
}
