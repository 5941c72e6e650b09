package component

import (
	"strconv"
	"strings"

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
//	[1 Incidents 1!]  2 Metrics · checkout  3 Pipelines 1✗
//
// Where they do not fit, the titles of those with nothing to say are cut, then what stands behind a dot goes, then
// all are cut, evenly, then all but the numbers and marks is left out. It returns the column at which each tab
// ends, for the mouse.
func TabBar(r screen.Region, th *theme.Theme, tabs []Tab, chosen int) []int {
	w, _ := r.Size()
	ends := make([]int, len(tabs))
	labels := make([]label, len(tabs))
	for i, t := range tabs {
		labels[i] = newLabel(th, t)
	}
	limits := titleLimits(labels, w, chosen)
	x := 0
	for i := range tabs {
		x = labels[i].draw(r, x, th, i, limits[i], i == chosen)
		ends[i] = min(x, w)
	}
	return ends
}

// label is a Tab, its title without what stands behind a dot, and what each takes.
type label struct {
	Tab
	name                clean.Text
	whole, named, marks int
}

func newLabel(th *theme.Theme, t Tab) label {
	l := label{Tab: t, name: t.Title, whole: t.Title.Width(), marks: Width(t.Marks)}
	if name, _, more := strings.Cut(t.Title.String(), " "+th.Glyph(theme.GlyphDot).String()+" "); more {
		l.name = clean.Line(name)
	}
	l.named = l.name.Width()
	return l
}

// leastTitle is the least of a title that says something: "In…".
const leastTitle = 3

// titleLimits are the longest that titles may be so that all tabs fit into w columns.
func titleLimits(labels []label, w, chosen int) []int {
	out := make([]int, len(labels))
	longest, names := 0, 0
	for i := range labels {
		longest, names = max(longest, labels[i].whole), max(names, labels[i].named)
	}
	set := func(quiet, others int) bool {
		total := 0
		for i := range labels {
			out[i] = others
			if i != chosen && labels[i].marks == 0 {
				out[i] = quiet
			}
			total += labels[i].width(out[i])
		}
		return total <= w
	}
	for _, others := range [...]int{longest, names} {
		for limit := others; limit >= leastTitle; limit-- {
			if set(limit, others) {
				return out
			}
		}
	}
	if set(0, names) {
		return out
	}
	for limit := names; limit > 0; limit-- {
		if set(0, limit) {
			return out
		}
	}
	set(0, 0)
	return out
}

// width is what the tab takes whose title may be as long as limit.
func (l *label) width(limit int) int {
	w := 4 // brackets or blanks, number, blank
	switch {
	case limit == 0:
		w--
	case l.whole <= limit:
		w += l.whole
	default:
		w += min(limit, l.named)
	}
	if l.marks > 0 {
		w += 1 + l.marks
	}
	return w
}

func (l *label) draw(r screen.Region, x int, th *theme.Theme, i, limit int, chosen bool) int {
	name, edge := theme.Muted, th.Style(theme.Border)
	if chosen {
		name, edge = theme.TitleFocused, th.Style(theme.BorderFocused)
	}
	end := x + l.width(limit)
	if chosen {
		r.Label(x, 0, edge, "[")
		r.Label(end-1, 0, edge, "]")
	}
	x++
	x += r.Text(x, 0, th.Style(theme.KeyHint), clean.Line(strconv.Itoa(i+1)))
	if limit > 0 {
		title := l.Title
		if l.whole > limit {
			title = l.name.Cut(limit, th.Glyph(theme.GlyphEllipsis))
		}
		x++
		x += r.Text(x, 0, th.Style(name), title)
	}
	if l.marks > 0 {
		Draw(r, x+1, 0, l.marks, th, l.Marks)
	}
	return end
}
