package component

import (
	"strconv"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Frame is a border with a title at its left and a summary at its right:
//
//	┏━ 1 Incidents ━━━━━━━━━━━━━ 1 triggered ━┓
type Frame struct {
	Number  int // the key that goes there; 0: none
	Title   clean.Text
	Summary []Part
	Short   []Part // Summary where room lacks; empty: it is cut
	Focused bool
}

// Draw draws the frame around r and returns what is inside it. Where r is too small for a frame and
// something in it, there is none and the whole of r is inside.
func (f Frame) Draw(r screen.Region, th *theme.Theme) screen.Region {
	w, h := r.Size()
	if w < 4 || h < 3 {
		return r
	}
	b, st := th.Border(f.Focused), th.Style(theme.Border)
	if f.Focused {
		st = th.Style(theme.BorderFocused)
	}
	for x := 1; x < w-1; x++ {
		r.Set(x, 0, st, b.Horizontal)
		r.Set(x, h-1, st, b.Horizontal)
	}
	for y := 1; y < h-1; y++ {
		r.Set(0, y, st, b.Vertical)
		r.Set(w-1, y, st, b.Vertical)
	}
	r.Set(0, 0, st, b.TopLeft)
	r.Set(w-1, 0, st, b.TopRight)
	r.Set(w-1, h-1, st, b.BottomRight)
	r.Set(0, h-1, st, b.BottomLeft)
	f.heading(r.Sub(2, 0, w-4, 1), th)
	return r.Sub(1, 1, w-2, h-2)
}

// heading draws title and summary over the top line, each with a blank at both sides. Where both do not
// fit the summary is said in short; then the title gives way, down to half of the line; then the summary is cut.
func (f Frame) heading(r screen.Region, th *theme.Theme) {
	w, _ := r.Size()
	title, summary := f.title(), f.Summary
	tw, sw := Width(title), Width(summary)
	if len(f.Short) > 0 && tw+2+sw+2+1 > w {
		summary, sw = f.Short, Width(f.Short)
	}
	if sw > 0 {
		sw += 2
	}
	if tw > 0 {
		tw += 2
	}
	if tw+sw+1 > w {
		tw = min(tw, max(w/2, w-sw-1))
		if tw+sw+1 > w {
			sw = max(0, w-tw-1)
		}
	}
	if tw > 2 {
		padded(r.Sub(0, 0, tw, 1), th, title)
	}
	if sw > 4 {
		padded(r.Sub(w-sw, 0, sw, 1), th, summary)
	}
}

func (f Frame) title() []Part {
	tok, key := theme.Title, theme.KeyHint
	if f.Focused {
		tok = theme.TitleFocused
	}
	if f.Title.IsZero() {
		return nil
	}
	parts := []Part{{tok, f.Title}}
	if f.Number > 0 {
		parts = []Part{{key, clean.Line(strconv.Itoa(f.Number) + " ")}, {tok, f.Title}}
	}
	return parts
}

func padded(r screen.Region, th *theme.Theme, parts []Part) {
	w, _ := r.Size()
	r.Fill(screen.Style{})
	Draw(r, 1, 0, w-2, th, parts)
}
