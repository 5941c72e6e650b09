package metrics

import (
	"slices"

	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// glances is how many metrics a Glance shows.
const glances = 2

// Glance is how a service behaves in a few lines, for small screens: its first metrics, those over their
// limit before others, and the worst of its error budgets. The zero Glance is ready; it is for one board.
type Glance struct {
	reader  reader
	service string
	items   []item
	budget  *insight.Budget
	marks   []insight.Mark
}

// Derive makes g tell of a service. It is cheap when nothing changed.
func (g *Glance) Derive(e pane.Env, service string) {
	if !g.reader.read(e) && g.service == service {
		return
	}
	g.service = service
	all := g.reader.known.Charts(service)
	charts := slices.Clone(all.Charts)
	slices.SortStableFunc(charts, func(a, b insight.Chart) int {
		switch {
		case a.Over == b.Over:
			return 0
		case a.Over:
			return -1
		}
		return 1
	})
	g.items = itemsOf(charts[:min(glances, len(charts))], g.items)
	g.marks, g.budget = insight.Production(all.Marks), nil
	for i := range all.Budgets {
		if b := &all.Budgets[i]; g.budget == nil || b.Sense > g.budget.Sense {
			g.budget = b
		}
	}
}

// Lines is how many lines g would like.
func (g *Glance) Lines() int {
	n := len(g.items)
	if g.budget != nil {
		n++
	}
	return n
}

// Draw draws the first lines of g.
func (g *Glance) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	var name, value, change, tail int
	for i := range g.items {
		m := &g.items[i]
		name = max(name, m.name().Width())
		value = max(value, kit.Width(kit.ValueParts(e, m.Chart)))
		change = max(change, kit.Text(kit.ChangeText(e, m.Change)).Width())
		tail = max(tail, kit.Width(g.tail(e, i)))
	}
	cols := []kit.Column{
		{Min: min(8, name), Want: min(24, name)},
		{Gap: 1, Min: min(8, value), Want: value},
		{Gap: 1, Min: change, Want: change, Drop: 2},
		{Gap: 2, Min: leastSpark, Want: leastSpark, Drop: 3, Grow: true},
		{Gap: 2, Min: tail, Want: tail, Drop: 4},
	}
	widths := kit.Fit(w-2, cols)
	at := kit.Places(cols, widths)
	for i := range g.items {
		if i < h {
			g.line(e, r.Sub(1, i, w-2, 1), i, at, widths)
		}
	}
	if y := len(g.items); g.budget != nil && y < h {
		kit.Parts(r, e.Theme, 1, y, w-2, g.budgetParts(e, w-2))
	}
}

func (g *Glance) line(e pane.Env, r screen.Region, i int, at, w []int) {
	m := &g.items[i]
	tok := theme.Muted
	if m.Over {
		tok = theme.Strong
	}
	kit.Put(r, e.Theme, at[0], 0, w[0], tok, m.name())
	value := kit.ValueParts(e, m.Chart)
	kit.Parts(r, e.Theme, at[1]+max(0, w[1]-kit.Width(value)), 0, w[1], value)
	if c := kit.ChangeText(e, m.Change); !m.Old {
		kit.Put(r, e.Theme, at[2], 0, w[2], theme.Muted, kit.Text(c))
	}
	if w[3] > 0 {
		m.keep().spark.Spark(e, r.Sub(at[3], 0, w[3], 1), m.Series, span, times(g.marks), kit.Staleness(e, m.Feed))
	}
	if w[4] > 0 {
		kit.Parts(r, e.Theme, at[4], 0, w[4], g.tail(e, i))
	}
}

// tail is what stands behind a sparkline: the limit, and in the last line the newest deployment of the
// hour.
func (g *Glance) tail(e pane.Env, i int) []pane.Part {
	if n := len(g.marks); i > 0 && i == len(g.items)-1 && n > 0 && e.Now.Sub(g.marks[n-1].At) < span {
		return kit.MarkParts(e, &g.marks[n-1])
	}
	if limit := kit.LimitText(g.items[i].Series); limit != "" {
		return []pane.Part{kit.P(theme.Muted, limit)}
	}
	return nil
}

// budgetParts are the budget, the burn and the end, as far as they fit whole.
func (g *Glance) budgetParts(e pane.Env, w int) []pane.Part {
	b := kit.BudgetOf(e, g.budget, false)
	out := b.Left
	add := func(gap string, parts []pane.Part) {
		if len(parts) > 0 && kit.Width(out)+kit.Text(gap).Width()+kit.Width(parts) <= w {
			out = append(append(out, kit.P(theme.Muted, gap)), parts...)
		}
	}
	add("   ", b.Burn)
	if b.Gone != "" {
		add(" "+e.Theme.Glyph(theme.GlyphDot).String()+" ", []pane.Part{kit.P(theme.Text, b.Gone)})
	}
	return out
}
