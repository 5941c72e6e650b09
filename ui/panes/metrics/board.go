package metrics

import (
	"slices"
	"strconv"

	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/chart"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// board draws the charts of a service, the other numbers, the objectives and the legend.
func (p *Pane) board(e pane.Env, r screen.Region) {
	w, _ := r.Size()
	shown := p.shown()
	at, some := p.list.At()
	for i, m := range shown {
		c := p.plan.cell(i)
		cell := r.Sub(c.x, c.y, c.w, c.h)
		p.chart(e, cell, &p.items[m])
		if some && m == at {
			kit.Mark(e, cell, 0, 1)
		}
	}
	y := p.plan.h - p.plan.rest - p.plan.budgets - p.plan.legend
	p.others(e, r.Sub(0, y, w, p.plan.rest), shown)
	y += p.plan.rest
	for i, line := range kit.BudgetLines(e, p.budgets, w-2) {
		if i >= p.plan.budgets {
			break
		}
		kit.Parts(r, e.Theme, 1, y+i, w-2, line)
	}
	if p.plan.legend > 0 {
		legend(e, r.Sub(1, p.plan.h-1, w-2, 1), p.marks)
	}
}

// chart draws one metric: a line of words, and below it its last hour.
func (p *Pane) chart(e pane.Env, r screen.Region, m *item) {
	w, h := r.Size()
	words(e, r.Sub(1, 0, w-2, 1), m)
	inner := r.Sub(1, 1, w-2, h-1)
	win := chart.WindowOf(e.Now, span, w-2)
	slots, scale := m.keep().large.Of(m.Series, win)
	l := chart.Line{Slots: slots, Scale: scale, Limit: m.Series.Limit, Below: m.Series.Below,
		Marks: kit.Columns(win, times(p.marks)), Look: kit.ChartLook(e, kit.Staleness(e, m.Feed))}
	l.Draw(inner)
}

// words are a metric's name, value, change, limit and what it was at this time on other days, as far as
// they fit whole; the name gives way before the value.
func words(e pane.Env, r screen.Region, m *item) {
	w, _ := r.Size()
	value := kit.ValueParts(e, m.Chart)
	room := w - kit.Width(value) - 2
	name := m.name().Cut(max(4, room), e.Theme.Glyph(theme.GlyphEllipsis))
	tok := theme.Text
	if m.Over {
		tok = theme.Strong
	}
	parts := append([]pane.Part{{Token: tok, Text: name}, kit.P(theme.Text, "  ")}, value...)
	add := func(tok theme.Token, s string) {
		if p := kit.P(tok, "  "+s); s != "" && kit.Width(parts)+p.Text.Width() <= w {
			parts = append(parts, p)
		}
	}
	limit := kit.LimitText(m.Series)
	if change := kit.ChangeText(e, m.Change); change != "" && !m.Old {
		tok := theme.Muted
		if m.Over {
			tok = kit.Verdict(theme.Crit, kit.Staleness(e, m.Feed))
		}
		// Where both do not fit, the limit says more than since when: the heading says that too.
		long := change + " in 1h"
		if kit.Width(parts)+kit.Text(long+limit).Width()+4 <= w || limit == "" {
			change = long
		}
		add(tok, change)
	}
	add(theme.Muted, limit)
	for _, then := range m.Earlier {
		add(theme.Muted, kit.EarlierText(m.Series, then))
	}
	kit.Parts(r, e.Theme, 0, 0, w, parts)
}

// The sparklines among the other numbers.
const (
	leastSpark = 8
	mostSpark  = 16
)

// spot is where a number without a chart stands.
type spot struct {
	item  int
	x, y  int
	parts []pane.Part
}

// flow puts the metrics but those shown into so many lines of w columns, each whole, and returns how many
// are left over.
func flow(e pane.Env, items []item, shown []int, w, lines int) (out []spot, left int) {
	x, y := 1, 0
	for i := range items {
		switch {
		case slices.Contains(shown, i):
			continue
		case y >= lines:
			left++
			continue
		}
		parts := brief(e, &items[i])
		n := kit.Width(parts)
		if x > 1 && x+n > w-1 {
			x, y = 1, y+1
		}
		if y >= lines {
			left++
			continue
		}
		out = append(out, spot{i, x, y, parts})
		x += n + 3
	}
	return out, left
}

// restLines is how many lines the numbers take that are not among the first so many charts, up to so many.
func (p *Pane) restLines(e pane.Env, charts, most int) int {
	shown := make([]int, charts)
	for i := range shown {
		shown[i] = i
	}
	all, _ := flow(e, p.items, shown, p.size.W, most)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].y + 1
}

// others draws the numbers that have no chart. Where a line ends early its last number gets a sparkline;
// what does not fit at all is counted.
func (p *Pane) others(e pane.Env, r screen.Region, shown []int) {
	w, h := r.Size()
	all, left := flow(e, p.items, shown, w, h)
	if left > 0 {
		all = more(e, r, all, left)
	}
	for i, s := range all {
		x := s.x + kit.Parts(r, e.Theme, s.x, s.y, w-1-s.x, s.parts)
		ends := i+1 == len(all) && left == 0 || i+1 < len(all) && all[i+1].y > s.y
		if room := min(mostSpark, w-2-x); ends && room >= leastSpark {
			m := &p.items[s.item]
			m.keep().spark.Spark(e, r.Sub(x+1, s.y, room, 1), m.Series, span, times(p.marks), kit.Staleness(e, m.Feed))
		}
	}
}

// more says at the end of r how many numbers are not drawn, and returns those that then still fit.
func more(e pane.Env, r screen.Region, all []spot, left int) []spot {
	w, h := r.Size()
	for {
		tail := kit.Text("+" + strconv.Itoa(left) + " more")
		x := w - 1 - tail.Width()
		n := len(all)
		if n == 0 || all[n-1].y < h-1 || all[n-1].x+kit.Width(all[n-1].parts)+2 <= x {
			kit.Put(r, e.Theme, max(1, x), h-1, w-2, theme.Muted, tail)
			return all
		}
		all, left = all[:n-1], left+1
	}
}

// brief is a metric in a few words: name, value, change.
func brief(e pane.Env, m *item) []pane.Part {
	k, of := m.keep(), shortKey{m.Chart, e.Theme, e.Now, kit.Staleness(e, m.Feed)}
	if k.shortOf != of {
		k.short, k.shortOf = inBrief(e, m), of
	}
	return k.short
}

func inBrief(e pane.Env, m *item) []pane.Part {
	tok := theme.Muted
	if m.Over {
		tok = theme.Strong
	}
	parts := append([]pane.Part{{Token: tok, Text: m.name()}, kit.P(theme.Text, " ")}, kit.ValueParts(e, m.Chart)...)
	if c := kit.ChangeText(e, m.Change); c != "" && !m.Old {
		parts = append(parts, kit.P(theme.Muted, " "+c))
	}
	return parts
}

// legend draws the newest deployments at the left and the time that the charts show at the right.
func legend(e pane.Env, r screen.Region, marks []insight.Mark) {
	w, _ := r.Size()
	right := timeParts(e, min(22, w))
	var left []pane.Part
	for i := len(marks) - 1; i >= 0; i-- {
		mark := &marks[i]
		if e.Now.Sub(mark.At) > span {
			break
		}
		one := kit.MarkParts(e, mark)
		if kit.Width(left)+kit.Width(one)+3 > w-kit.Width(right)-2 {
			break
		}
		if len(left) > 0 {
			left = append(left, kit.P(theme.Text, "   "))
		}
		left = append(left, one...)
	}
	kit.Parts(r, e.Theme, 0, 0, w, left)
	if kit.Width(left)+kit.Width(right) < w {
		kit.Parts(r, e.Theme, w-kit.Width(right), 0, w, right)
	}
}

// timeParts are the two ends of the charts' time in w columns: "01:14 ──── 02:14".
func timeParts(e pane.Env, w int) []pane.Part {
	const clock = len("15:04")
	line := ""
	for range max(1, w-2*clock-2) {
		line += string(e.Theme.Border(false).Horizontal)
	}
	return []pane.Part{kit.P(theme.Muted, e.Now.Add(-span).In(e.Zone).Format("15:04")+" "), kit.P(theme.Border, line),
		kit.P(theme.Muted, " "+e.Now.In(e.Zone).Format("15:04"))}
}
