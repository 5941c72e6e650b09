package component

import (
	"strings"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Part is a piece of text with a meaning.
type Part struct {
	Token theme.Token
	Text  clean.Text
}

// Width is the columns that parts take.
func Width(parts []Part) int {
	w := 0
	for _, p := range parts {
		w += p.Text.Width()
	}
	return w
}

// String is what parts say.
func String(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text.String())
	}
	return b.String()
}

// Draw draws parts one after the other from x on, cut with an ellipsis where w columns end, and
// returns the columns they took.
func Draw(r screen.Region, x, y, w int, th *theme.Theme, parts []Part) int {
	used := 0
	for i, p := range parts {
		left := w - used
		if left <= 0 {
			return used
		}
		t := p.Text
		if t.Width() > left || (t.Width() == left && Width(parts[i+1:]) > 0) {
			t = cut(t, left, th)
			return used + r.Text(x+used, y, th.Style(p.Token), t)
		}
		used += r.Text(x+used, y, th.Style(p.Token), t)
	}
	return used
}

// cut shortens t to w columns, the ellipsis included, also where it would just fit: more follows it.
func cut(t clean.Text, w int, th *theme.Theme) clean.Text {
	if dots := th.Glyph(theme.GlyphEllipsis); w > dots.Width() {
		return clean.Concat(t.Cut(w-dots.Width(), clean.Text{}), dots)
	}
	return t.Cut(w, clean.Text{})
}

// Spread draws left from the left edge and right at the right edge of a line, at least one column
// apart. Where both do not fit, left is cut down to least columns, then right is left out.
func Spread(r screen.Region, y int, th *theme.Theme, left, right []Part, least int) {
	w, _ := r.Size()
	lw, rw := Width(left), Width(right)
	if rw > 0 && min(lw, least)+1+rw <= w {
		Draw(r, w-rw, y, rw, th, right)
		w -= rw + 1
	}
	Draw(r, 0, y, w, th, left)
}
