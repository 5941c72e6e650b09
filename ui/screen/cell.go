package screen

import (
	"unicode/utf8"

	"example.com/signalbox/sources/clean"
)

// cell is what one column shows, in sixteen bytes so that grids copy and compare fast.
//
// text holds a character and up to two combining marks, 21 bits each; it is 0 in the right half of a
// wide character. look holds the style: FG and BG in 26 bits each, then the attributes, then whether the
// character is wide. A blank whose foreground cannot be seen has none.
type cell struct{ text, look uint64 }

const (
	runeBits  = 21
	runeMask  = 1<<runeBits - 1
	colorBits = 26
	colorMask = 1<<colorBits - 1
	attrShift = 2 * colorBits
	bgMask    = colorMask << colorBits
	attrMask  = 0xff << attrShift
	wideBit   = 1 << 60

	// blankAttrs are the attributes that show on a blank.
	blankAttrs = uint64(Underline|Reverse|Strike) << attrShift
)

func (s Style) pack() uint64 {
	return uint64(s.FG)&colorMask | uint64(s.BG)&colorMask<<colorBits | uint64(s.Attr)<<attrShift
}

func unpack(look uint64) Style {
	return Style{FG: Color(look & colorMask), BG: Color(look >> colorBits & colorMask), Attr: Attr(look >> attrShift)}
}

func newCell(r rune, w int, look uint64) cell {
	switch {
	case r == ' ':
		return cell{' ', blankLook(look)}
	case w == 2:
		return cell{uint64(r), look | wideBit}
	}
	return cell{uint64(r), look}
}

// blankLook is look without what cannot be seen on a blank.
func blankLook(look uint64) uint64 {
	if look&blankAttrs == 0 {
		return look & bgMask
	}
	return look
}

// blankLike is a blank in the style of c.
func blankLike(c cell) cell { return newCell(' ', 1, c.look&^wideBit) }

func (c cell) withMark(m rune) cell {
	switch {
	case c.text == ' ':
	case c.text>>runeBits == 0:
		c.text |= uint64(m) << runeBits
	case c.text>>(2*runeBits) == 0:
		c.text |= uint64(m) << (2 * runeBits)
	}
	return c
}

func (c cell) width() int {
	switch {
	case c.text == 0:
		return 0
	case c.look&wideBit != 0:
		return 2
	}
	return 1
}

func (c cell) rune() rune   { return rune(c.text & runeMask) }
func (c cell) marked() bool { return c.text>>runeBits != 0 }
func (c cell) style() Style { return unpack(c.look) }
func (c cell) restyle(look uint64) cell {
	if c.text == ' ' {
		return cell{' ', blankLook(look)}
	}
	return cell{c.text, look | c.look&wideBit}
}

// append adds the character and its marks to b.
func (c cell) append(b []byte) []byte {
	if c.text < utf8.RuneSelf {
		if c.text == 0 {
			return b
		}
		return append(b, byte(c.text))
	}
	for t := c.text; t != 0; t >>= runeBits {
		b = utf8.AppendRune(b, rune(t&runeMask))
	}
	return b
}

// plain reports a blank of which only the background shows.
func (c cell) plain() bool { return c.text == ' ' && c.look == c.look&bgMask }

// excess is how many columns too many a terminal might give c: it may make a character wide, and give
// each mark a column.
func (c cell) excess() int {
	if c.sure() {
		return 0
	}
	n := 2 - c.width()
	for t := c.text >> runeBits; t != 0; t >>= runeBits {
		n++
	}
	return n
}

// sure reports that every terminal puts the cursor where we do after c.
func (c cell) sure() bool {
	if c.text < 0x7f {
		return true
	}
	return !c.marked() && clean.SureWidth(c.rune())
}
