package metrics

import (
	"math"

	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// sparkWidth is the width of the sparkline in a row.
const sparkWidth = 20

// margin is the place of the cursor.
const margin = 2

// The columns of a list.
const (
	colService = iota
	colName
	colValue
	colChange
	colSpark
	colLimit
	colCount
)

// columns lays a list of metrics out.
type columns struct{ at, w [colCount]int }

func (c *columns) fit(e pane.Env, items []item, w int, services bool) {
	var want [colCount]int
	for i := range items {
		m := &items[i]
		want[colService] = max(want[colService], kit.Text(m.Series.Service).Width())
		want[colName] = max(want[colName], m.name().Width())
		want[colValue] = max(want[colValue], kit.Width(kit.ValueParts(e, m.Chart)))
		want[colChange] = max(want[colChange], kit.Text(kit.ChangeText(e, m.Change)).Width())
		want[colLimit] = max(want[colLimit], kit.Text(kit.LimitText(m.Series)).Width())
	}
	if !services {
		want[colService] = 0
	}
	cols := [colCount]kit.Column{
		colService: {Min: min(8, want[colService]), Want: min(24, want[colService])},
		colName:    {Min: min(8, want[colName]), Want: min(32, want[colName])},
		colValue:   {Gap: 2, Min: min(8, want[colValue]), Want: min(24, want[colValue])},
		colChange:  {Gap: 2, Min: want[colChange], Want: want[colChange], Drop: 2},
		colSpark:   {Gap: 2, Min: leastSpark, Want: sparkWidth, Drop: 3},
		colLimit:   {Gap: 2, Min: want[colLimit], Want: want[colLimit], Drop: 4},
	}
	if services {
		cols[colName].Gap, cols[colName].Drop = 2, 1
	}
	widths := kit.Fit(w-margin-1, cols[:])
	for i, x := range kit.Places(cols[:], widths) {
		c.at[i], c.w[i] = margin+x, widths[i]
	}
}

// rows draws the list: a line for each metric.
func (p *Pane) rows(e pane.Env, r screen.Region) {
	w, h := r.Size()
	if len(p.items) == 0 {
		for y, line := range kit.BudgetLines(e, p.budgets, w-2) {
			kit.Parts(r, e.Theme, 1, y, w-2, line)
		}
		return
	}
	if p.plan.head > 0 {
		for col, s := range [colCount]string{"SERVICE", "METRIC", "NOW", "1H", "", "LIMIT"} {
			kit.Put(r, e.Theme, p.widths.at[col], 0, p.widths.w[col], theme.Muted, kit.Text(s))
		}
	}
	at, some := p.list.At()
	body := r.Sub(0, p.plan.head, w, h-p.plan.head)
	for y := 0; y < h-p.plan.head && p.list.Top()+y < len(p.items); y++ {
		i := p.list.Top() + y
		p.row(e, body.Sub(0, y, w, 1), &p.items[i])
		if some && i == at {
			kit.Mark(e, body, y, 1)
		}
	}
}

func (p *Pane) row(e pane.Env, r screen.Region, m *item) {
	at, w := p.widths.at, p.widths.w
	name := theme.Text
	if m.Over {
		name = theme.Strong
	}
	kit.Put(r, e.Theme, at[colService], 0, w[colService], name, kit.Text(m.Series.Service))
	kit.Put(r, e.Theme, at[colName], 0, w[colName], theme.Text, m.name())
	kit.Parts(r, e.Theme, at[colValue], 0, w[colValue], kit.ValueParts(e, m.Chart))
	if c := kit.ChangeText(e, m.Change); c != "" && !m.Old {
		kit.Put(r, e.Theme, at[colChange], 0, w[colChange], theme.Muted, kit.Text(c))
	}
	if w[colSpark] > 0 {
		m.keep().spark.Spark(e, r.Sub(at[colSpark], 0, w[colSpark], 1), m.Series, span, times(p.marks), kit.Staleness(e, m.Feed))
	}
	if !math.IsNaN(m.Series.Limit) {
		kit.Put(r, e.Theme, at[colLimit], 0, w[colLimit], theme.Muted, insight.FormatValue(m.Series.Limit, m.Series.Unit))
	}
}
