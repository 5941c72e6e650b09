package incidents

import (
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// suspectLines is how many suspects a row names; the detail names all.
const suspectLines = 3

// facts is how many lines say what is known of a problem. No clock changes it.
func facts(q *insight.Problem) int {
	n := 1 + min(len(q.Suspects), suspectLines)
	if expects(q) {
		n++
	}
	if len(q.Members) > 1 {
		n++
	}
	return n
}

// expects reports that a line says what comes next, or what has been.
func expects(q *insight.Problem) bool {
	return q.Seen > 0 || insight.PagesNext(q, time.Time{}).Kind != insight.NoPage
}

// countsDown reports that a clock that shows seconds runs beside q.
func countsDown(e pane.Env, q *insight.Problem) bool {
	return kit.CountsDown(insight.PagesNext(q, e.Now))
}

// draw draws row i and what is unfolded below it.
func (p *Pane) draw(e pane.Env, r screen.Region, i int) {
	w, h := r.Size()
	n := p.row(i)
	p.table.row(e, r.Sub(0, 0, w, 1), &n)
	if p.marked[n.key] {
		r.Text(1, 0, e.Theme.Style(theme.Accent), e.Theme.Glyph(theme.GlyphBarFull))
	}
	lines := p.known(e, n.p)
	for y := 1; y < h && y <= len(lines); y++ {
		l := lines[y-1]
		x := margin
		if len(l.lead) > 0 {
			x = margin - 2
		}
		left, room := append(l.lead, l.left...), w-x-1
		// Who is paged next, and how bad it is, is said before a key that the footer names too.
		kit.Spread(r.Sub(x, y, room, 1), e.Theme, 0, left, l.right, min(room, kit.Width(left)))
	}
}

// line is one line below a row. The lead stands before its text, in the margin.
type line struct{ lead, left, right []pane.Part }

// known are the lines below a row: since when, where and how bad; what happens next; the suspects; who
// else tells of it.
func (p *Pane) known(e pane.Env, q *insight.Problem) []line {
	out := []line{{left: impact(e, q), right: runbook(e, q)}}
	if expects(q) {
		out = append(out, line{left: next(e, q), right: seen(q)})
	}
	for i := range q.Suspects {
		if i == suspectLines {
			break
		}
		out = append(out, suspect(e, q, i))
	}
	if also := kit.Systems(q); len(q.Members) > 1 {
		out = append(out, line{left: []pane.Part{kit.P(theme.Muted, told(also, len(q.Members)))}, right: kit.Key(e, keymap.OpenDetail, "for each link")})
	}
	return out
}

// told says how many systems, or views of one, tell of a problem.
func told(systems []string, members int) string {
	if len(systems) == 1 {
		return strconv.Itoa(members) + " alerts of " + systems[0]
	}
	return "told by " + strings.Join(systems, " and ")
}

func impact(e pane.Env, q *insight.Problem) []pane.Part {
	since := ""
	if !q.Onset.IsZero() {
		since = "since " + kit.Clock(e.Now, q.Onset, e.Zone)
	}
	parts := []pane.Part{kit.P(theme.Muted, kit.Dots(e.Theme, since, q.Scope.String()))}
	hurt := kit.ImpactText(q)
	if hurt == "" {
		return parts
	}
	tok := theme.Text
	if q.Impact.Known && q.Impact.Trend == insight.Rising {
		tok = theme.Strong
	}
	if kit.Staleness(e, q.Impact.Feed) >= store.Stale {
		tok = theme.Muted
		hurt += ", " + kit.Old(e, e.Snap.Feeds[q.Impact.Feed].Health.LastGood).Text.String()
	}
	return append(parts, kit.P(theme.Muted, " "+e.Theme.Glyph(theme.GlyphDot).String()+" "), kit.P(tok, hurt))
}

func runbook(e pane.Env, q *insight.Problem) []pane.Part {
	if kit.Runbook(e, q) == "" {
		return nil
	}
	return kit.Key(e, keymap.Runbook, "runbook")
}

// next says who is paged next, and when.
func next(e pane.Env, q *insight.Problem) []pane.Part {
	n := insight.PagesNext(q, e.Now)
	whom := kit.Whom(e, n)
	arrow := ""
	if whom != "" {
		arrow = " " + e.Theme.Glyph(theme.GlyphArrow).String() + " "
	}
	switch n.Kind {
	case insight.Escalates:
		when := kit.Countdown(n)
		if n.In > 0 {
			when = "in " + when
		}
		return []pane.Part{kit.P(theme.Muted, "escalates "), kit.P(theme.Warn, when), kit.P(theme.Muted, arrow), kit.P(theme.Text, whom)}
	case insight.Repages:
		return []pane.Part{kit.P(theme.Muted, "pages again "+kit.Clock(e.Now, n.At, e.Zone)+arrow), kit.P(theme.Text, whom)}
	case insight.NoPage:
	}
	return nil
}

func seen(q *insight.Problem) []pane.Part {
	if q.Seen == 0 {
		return nil
	}
	return []pane.Part{kit.P(theme.Muted, "seen "+kit.Often(q.Seen)+" in "+kit.Age(q.SeenIn))}
}

func suspect(e pane.Env, q *insight.Problem, i int) line {
	s := &q.Suspects[i]
	what, why := kit.SuspectText(e, s)
	l := line{lead: []pane.Part{{Token: theme.Warn, Text: e.Theme.Glyph(theme.GlyphSuspect)}, kit.P(theme.Text, " ")},
		left: []pane.Part{kit.P(theme.Text, what)}}
	if why != "" {
		l.left = append(l.left, kit.P(theme.Muted, ", "+why))
	}
	if more := len(q.Suspects) - suspectLines; more > 0 && i == suspectLines-1 {
		l.right = []pane.Part{kit.P(theme.Muted, "and "+strconv.Itoa(more)+" more")}
	}
	return l
}
