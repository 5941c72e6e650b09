package kit

import (
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Put draws t at x, y in at most w columns, cut with an ellipsis, and returns the columns it took.
func Put(r screen.Region, th *theme.Theme, x, y, w int, tok theme.Token, t clean.Text) int {
	if w <= 0 {
		return 0
	}
	return r.Text(x, y, th.Style(tok), t.Cut(w, th.Glyph(theme.GlyphEllipsis)))
}

// Right draws t so that it ends before column x+w, cut with an ellipsis when it is wider.
func Right(r screen.Region, th *theme.Theme, x, y, w int, tok theme.Token, t clean.Text) {
	if w <= 0 {
		return
	}
	t = t.Cut(w, th.Glyph(theme.GlyphEllipsis))
	r.Text(x+w-t.Width(), y, th.Style(tok), t)
}

// Parts draws parts from x on in at most w columns, the last one cut with an ellipsis.
func Parts(r screen.Region, th *theme.Theme, x, y, w int, parts []pane.Part) int {
	used := 0
	for _, p := range parts {
		if used >= w {
			break
		}
		used += Put(r, th, x+used, y, w-used, p.Token, p.Text)
	}
	return used
}

// Width is the columns that parts take.
func Width(parts []pane.Part) int {
	w := 0
	for _, p := range parts {
		w += p.Text.Width()
	}
	return w
}

// P makes a part of a string that the program composed.
func P(tok theme.Token, s string) pane.Part { return pane.Part{Token: tok, Text: clean.Line(s)} }

// Spread draws left and right at the two edges of a line; right goes when left would keep less than
// least columns.
func Spread(r screen.Region, th *theme.Theme, y int, left, right []pane.Part, least int) {
	component.Spread(r, y, th, left, right, least)
}
