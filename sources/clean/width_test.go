package clean

import (
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/mattn/go-runewidth"
)

// TestWidthsAgree compares RuneWidth with what Lip Gloss measures with and with what most Go programs use,
// over every character that Line keeps.
func TestWidthsAgree(t *testing.T) {
	t.Parallel()
	narrow := runewidth.Condition{StrictEmojiNeutral: true}
	doubtful, differs := 0, 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if Line("a"+string(r)).String() != "a"+string(r) || IsMark(r) {
			continue
		}
		w := RuneWidth(r)
		a, b := ansi.StringWidth(string(r)), narrow.RuneWidth(r)
		if a == w && b == w {
			continue
		}
		differs++
		if SureWidth(r) {
			doubtful++
			t.Errorf("%U %q is called sure: %d here, %d in x/ansi, %d in go-runewidth", r, r, w, a, b)
		}
	}
	t.Logf("%d characters differ", differs)
}
