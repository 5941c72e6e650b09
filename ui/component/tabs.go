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
// Where they do not fit, the titles of those with nothing to say are cut, then all, evenly, then all but
// the numbers and marks is left out. It returns the column at which each tab ends, for the mouse.
func TabBar(r screen.Region, th *theme.Theme, tabs []Tab, chosen int) []int {
	w, _ := r.Size()
	ends := make([]int, len(tabs))
	limits := titleLimits(tabs, w, chosen)
	x := 0
	for i, t := range tabs {
		x = drawTab(r, x, th, t, i, limits[i], i == chosen)
		ends[i] = min(x, w)
	}
	return ends
}

// leastTitle is the least of a title that says something: "In…".
const leastTitle = 3

// titleLimits are the longest that titles may be so that all tabs fit into w columns.
func titleLimits(tabs []Tab, w, chosen int) []int {
	out := make([]int, len(tabs))
	longest := 0
	for _, t := range tabs {
		longest = max(longest, t.Title.Width())
	}
	set := func(quiet, others int) bool {
		total := 0
		for i, t := range tabs {
			out[i] = others
			if i != chosen && Width(t.Marks) == 0 {
				out[i] = quiet
			}
			total += tabWidth(t, out[i])
		}
		return total <= w
	}
	for limit := longest; limit >= leastTitle; limit-- {
		if set(limit, longest) {
			return out
		}
	}
	if set(0, longest) {
		return out
	}
	for limit := longest; limit > 0; limit-- {
		if set(0, limit) {
			return out
		}
	}
	set(0, 0)
	return out
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
