package kit

import (
	"math"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// MetricName is what a metric is called, with what tells it from others of its query.
func MetricName(s *sources.Series) clean.Text {
	if s.Labels.IsZero() {
		return s.Name
	}
	return clean.Join(clean.Const(" "), s.Name, s.Labels)
}

// Times is t for e's terminal: one that knows ASCII alone has an x for the sign of multiplication.
func Times(th *theme.Theme, t clean.Text) string {
	if th.Options().ASCII {
		return strings.NewReplacer("×", "x", "→", ">", "·", ".").Replace(t.String())
	}
	return t.String()
}

// ValueParts are the newest value of a metric: marked when it is on the bad side of its limit, with its age
// when it is old.
func ValueParts(e pane.Env, c *insight.Chart) []pane.Part {
	v := insight.FormatValue(c.Value, c.Series.Unit)
	switch {
	case c.At.IsZero():
		return []pane.Part{P(theme.Muted, "no data")}
	case c.Old:
		return []pane.Part{{Token: theme.Muted, Text: v}, P(theme.Warn, " "+Ellipsis(e.Theme)+" "+Age(e.Now.Sub(c.At))+" old")}
	case c.Over && Staleness(e, c.Feed) < store.VeryStale:
		const crit = theme.Crit
		return []pane.Part{{Token: crit, Text: e.Theme.Glyph(theme.GlyphWarn)}, P(crit, " "), {Token: crit, Text: v}}
	}
	return []pane.Part{{Token: theme.Strong, Text: v}}
}

// ChangeText is how a number changed, "▲ ×18"; "" when it did not, or nobody knows.
func ChangeText(e pane.Env, c insight.Change) string {
	t := Times(e.Theme, c.Text())
	if t == "" {
		return ""
	}
	g := theme.GlyphDown
	if c.Up {
		g = theme.GlyphUp
	}
	return e.Theme.Glyph(g).String() + " " + t
}

// LimitText is a metric's limit, "limit 2 %"; "" when none is configured.
func LimitText(s *sources.Series) string {
	switch {
	case math.IsNaN(s.Limit):
		return ""
	case s.Below:
		return "least " + insight.FormatValue(s.Limit, s.Unit).String()
	}
	return "limit " + insight.FormatValue(s.Limit, s.Unit).String()
}

// EarlierText is what a metric was at this time some days ago, "yesterday 0.2 %"; "" when nobody knows.
func EarlierText(s *sources.Series, c insight.EarlierChange) string {
	if c.Change.Kind == insight.ChangeUnknown {
		return ""
	}
	const day = 24 * time.Hour
	v := insight.FormatValue(c.Change.From, s.Unit).String()
	if c.Ago == day {
		return "yesterday " + v
	}
	if c.Ago == 7*day {
		return "last week " + v
	}
	return Age(c.Ago) + " ago " + v
}

// budgetWidth is the width of a budget's bar.
const budgetWidth = 10

// Budget is what is said of an objective, in pieces that are kept whole.
type Budget struct {
	Target []pane.Part // "SLO 99.95 % 30d"
	Left   []pane.Part // "budget ▰▰▰▱▱▱▱▱▱▱ 31 %"
	Burn   []pane.Part // "burn ×82 over 5m, ×14 over 1h"
	Gone   string      // "gone in 2h43m"; "" when it lasts
}

// BudgetOf puts an objective into words. named says its name too.
func BudgetOf(e pane.Env, b *insight.Budget, named bool) Budget {
	o, stale := b.SLO, Staleness(e, b.Feed)
	name := "SLO"
	if named && !o.Name.IsZero() {
		name += " " + o.Name.String()
	}
	target := insight.FormatValue(o.Target, "%").String()
	out := Budget{Target: []pane.Part{P(theme.Muted, name+" "), P(theme.Text, target), P(theme.Muted, " "+Age(o.Window))}}
	tok := budgetToken(b, stale)
	out.Left = leftParts(e, b, tok)
	for i, burn := range burns(o) {
		lead := ", "
		if i == 0 {
			lead = "burn "
			if b.Sense > insight.Quiet && stale < store.VeryStale {
				out.Burn = append(out.Burn, P(tok, e.Theme.Glyph(theme.GlyphWarn).String()+" "))
			}
		}
		out.Burn = append(out.Burn, P(theme.Muted, lead), P(tok, Times(e.Theme, insight.FormatRatio(float64(burn.Rate)))), P(theme.Muted, " over "+Age(burn.Over)))
	}
	if b.Quiet && len(out.Burn) > 0 {
		out.Burn = append(out.Burn, P(theme.Muted, ", little traffic"))
	}
	if b.Exhausts {
		out.Gone = "gone in " + Minutes(b.Gone)
	}
	return out
}

// burns are the two burn rates that are shown: that over the shortest time and that over an hour, else the
// next.
func burns(o *sources.SLO) []sources.Burn {
	var out []sources.Burn
	for _, b := range o.Burns {
		switch {
		case !b.Rate.Known():
		case len(out) < 2:
			out = append(out, b)
		case b.Over == time.Hour && out[0].Over != time.Hour:
			out[1] = b
		}
	}
	return out
}

func budgetToken(b *insight.Budget, stale store.Staleness) theme.Token {
	switch {
	case b.Sense == insight.Crit || b.Spent:
		return Verdict(theme.Crit, stale)
	case b.Sense == insight.Warn:
		return Verdict(theme.Warn, stale)
	}
	return theme.Text
}

func leftParts(e pane.Env, b *insight.Budget, tok theme.Token) []pane.Part {
	if !b.Left.Known() {
		why := "unknown"
		if !b.SLO.Note.IsZero() {
			why = "unknown: " + b.SLO.Note.String()
		}
		return []pane.Part{P(theme.Muted, "budget "+why)}
	}
	left := float64(b.Left)
	said := insight.FormatValue(100*left, "%").String()
	if b.Spent {
		said = e.Theme.Glyph(theme.GlyphFailed).String() + " spent"
		if left < 0 {
			said = e.Theme.Glyph(theme.GlyphFailed).String() + " overdrawn by " + insight.FormatValue(-100*left, "%").String()
		}
	}
	return []pane.Part{P(theme.Muted, "budget "), {Token: tok, Text: Bar(e.Theme, budgetWidth, left)}, P(theme.Text, " "), P(tok, said)}
}

// BudgetLines are the objectives in lines of at most w columns, the worst first.
func BudgetLines(e pane.Env, budgets []insight.Budget, w int) [][]pane.Part {
	order := make([]int, len(budgets))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(budgets[b].Sense) - int(budgets[a].Sense) })
	var out [][]pane.Part
	for _, i := range order {
		b := BudgetOf(e, &budgets[i], len(budgets) > 1)
		line := b.Target
		indent := Width(b.Target) + 3
		put := func(parts []pane.Part) {
			if len(parts) == 0 {
				return
			}
			if Width(line)+3+Width(parts) > w {
				out = append(out, line)
				line = append([]pane.Part{P(theme.Text, blanks(min(indent, w/4)))}, parts...)
				return
			}
			line = append(append(line, P(theme.Text, "   ")), parts...)
		}
		put(b.Left)
		put(b.Burn)
		if b.Gone != "" {
			tok := theme.Text
			if budgets[i].Sense > insight.Quiet {
				tok = theme.Strong
			}
			put([]pane.Part{P(tok, "at this rate "+b.Gone)})
		}
		out = append(out, line)
	}
	return out
}

func blanks(n int) string {
	const all = "                                        "
	return all[:max(0, min(n, len(all)))]
}

// MarkParts are a deployment as the legend tells it: "┊ 02:04 v1.9.2 → prod".
func MarkParts(e pane.Env, m *insight.Mark) []pane.Part {
	sign := "┊ "
	if e.Theme.Options().ASCII {
		sign = ": "
	}
	parts := []pane.Part{P(theme.Accent, sign), P(theme.Muted, Clock(e.Now, m.At, e.Zone)+" "), P(theme.Text, Times(e.Theme, m.Text))}
	if m.Failed {
		parts = append(parts, P(theme.Crit, " "+e.Theme.Glyph(theme.GlyphFailed).String()))
	}
	return parts
}
