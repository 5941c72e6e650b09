package component

import (
	"strconv"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Tab is one name of a TabBar and what is to be said about it.
type Tab struct {
	Title clean.Text
	Marks []Part
}

// TabBar draws tabs on one line, the chosen one in brackets:
//
//	[1 Incidents 1!]  2 Metrics  3 Pipelines 1✗
//
// Where they do not fit, titles are cut, evenly, then all but the numbers and marks. It returns the
// column at which each tab ends, for the mouse.
func TabBar(r screen.Region, th *theme.Theme, tabs []Tab, chosen int) []int {
	w, _ := r.Size()
	ends := make([]int, len(tabs))
	limit := titleLimit(tabs, w)
	x := 0
	for i, t := range tabs {
		x = drawTab(r, x, th, t, i, limit, i == chosen)
		ends[i] = min(x, w)
	}
	return ends
}

// titleLimit is the longest that titles may be so that all tabs fit into w columns.
func titleLimit(tabs []Tab, w int) int {
	longest := 0
	for _, t := range tabs {
		longest = max(longest, t.Title.Width())
	}
	for limit := longest; limit > 0; limit-- {
		total := 0
		for _, t := range tabs {
			total += tabWidth(t, limit)
		}
		if total <= w {
			return limit
		}
	}
	return 0
}

func tabWidth(t Tab, limit int) int {
	w := 4 + min(limit, t.Title.Width()) // brackets or blanks, number, blank
	if limit == 0 {
		w--
	}
	if m := Width(t.Marks); m > 0 {
		w += 1 + m
	}
	return w
}

func drawTab(r screen.Region, x int, th *theme.Theme, t Tab, i, limit int, chosen bool) int {
	name, edge := theme.Muted, th.Style(theme.Border)
	if chosen {
		name, edge = theme.TitleFocused, th.Style(theme.BorderFocused)
	}
	end := x + tabWidth(t, limit)
	if chosen {
		r.Label(x, 0, edge, "[")
		r.Label(end-1, 0, edge, "]")
	}
	x++
	x += r.Text(x, 0, th.Style(theme.KeyHint), clean.Line(strconv.Itoa(i+1)))
	if limit > 0 {
		x++
		x += r.Text(x, 0, th.Style(name), t.Title.Cut(limit, th.Glyph(theme.GlyphEllipsis)))
	}
	if Width(t.Marks) > 0 {
		Draw(r, x+1, 0, Width(t.Marks), th, t.Marks)
	}
	return end
}
