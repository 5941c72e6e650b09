package clean

import (
	"unicode"

	"golang.org/x/text/width"
)

// RuneWidth is the columns that r takes on the screen: 0 for marks and for what cannot be drawn, 2 for
// wide characters, else 1. It is the one rule of the program; characters whose width East Asian
// terminals call ambiguous are narrow.
func RuneWidth(r rune) int {
	switch {
	case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xad:
		return 0
	case r < 0x300, r >= 0x2500 && r < 0x25fd, r >= 0x2800 && r < 0x2900:
		return 1
	case IsMark(r) || isInvisible(r):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	case width.Neutral, width.EastAsianAmbiguous, width.EastAsianNarrow, width.EastAsianHalfwidth:
	}
	return 1
}

// SureWidth reports whether every terminal agrees with RuneWidth of r. Where it is false, the screen
// does not trust the cursor afterwards.
func SureWidth(r rune) bool {
	switch {
	case r >= 0x20 && r < 0x7f, r >= 0xa1 && r < 0x300 && r != 0xad && r != 0xa9 && r != 0xae:
		return true
	case r >= 0x370 && r < 0x530: // Greek, Cyrillic
		return !IsMark(r)
	case r >= 0x2500 && r < 0x25aa, r >= 0x2800 && r < 0x2900: // boxes, blocks, braille
		return true
	case r >= 0x2010 && r < 0x203c, r >= 0x2190 && r < 0x2194, r >= 0x219a && r < 0x21a9,
		r >= 0x21ab && r < 0x231a, r >= 0x25ac && r < 0x25b6, r >= 0x25b7 && r < 0x25c0,
		r >= 0x25c1 && r < 0x25fb, r >= 0x2715 && r < 0x2716, r >= 0x2717 && r < 0x271d:
		return !IsMark(r)
	case r == 0x2713, r == 0x23ce, r == 0xfffd:
		return true
	case r >= 0x3041 && r < 0x3097, r >= 0x30a1 && r < 0x30fb, r >= 0x3400 && r < 0x4dc0,
		r >= 0x4e00 && r < 0x9fa6, r >= 0xac00 && r < 0xd7a4, r >= 0xff01 && r < 0xff61: // kana, Han, Hangul
		return true
	}
	return false
}

// IsMark reports whether r joins the character before it.
func IsMark(r rune) bool {
	return unicode.Is(unicode.Mn, r) || r >= 0x1160 && r < 0x1200 || r >= 0xd7b0 && r < 0xd800
}

// isInvisible reports whether r has no place on a screen: format characters, fillers, selectors, enclosing
// marks, skin tones.
func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Me, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) ||
		r >= 0x1f3fb && r <= 0x1f3ff
}
