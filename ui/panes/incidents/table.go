package incidents

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// The columns, from left to right, after the cursor and the severity.
const (
	colService = iota
	colTitle
	colState
	colWho
	colCount
)

// margin is the place of the cursor, of a storm's sign and of the severity.
const margin = 5

// fullWords is the width from which on states are said in their own words.
const fullWords = 56

type table struct {
	want   [colCount]int
	words  bool
	short  int // what the states take in their short words
	widths []int
	places []int
}

// measured is how many rows say how wide the columns of a pane of h lines are: the worst ones, which it shows
// first. Those below adapt, so that a thousand rows cost no more than a few.
func measured(h int) int { return max(h, 12) }

// measure finds what the columns of n rows would like.
func (t *table) measure(e pane.Env, n int, row func(i int) row) {
	t.want, t.short = [colCount]int{}, 0
	for i := range n {
		one := row(i)
		r := &one
		if r.p.Upstream {
			t.grow(colTitle, r.p.Incident.Title.Width())
		} else {
			t.grow(colService, min(20, service(r).Width()))
			t.grow(colTitle, title(r).Width())
		}
		t.grow(colState, stateWidth(e, r, true))
		t.short = max(t.short, stateWidth(e, r, false))
		held := kit.Width(who(e, r))
		t.grow(colWho, held)
		if q := r.p; q.State == sources.Acknowledged && !q.Incident.RepagesAt.IsZero() && !q.Upstream {
			t.grow(colWho, held+ageRoom-1-len(again(e.Now, q.Incident.RepagesAt)))
		}
	}
}

// ageRoom is a blank and the longest age: columns keep their places while time passes.
const ageRoom = 4

func (t *table) grow(col, w int) { t.want[col] = max(t.want[col], w) }

// fit shares w columns.
func (t *table) fit(w int) {
	t.words = w >= fullWords
	states, titles, names, name := t.want[colState], 18, t.want[colService], 12
	if !t.words {
		states, titles, names, name = t.short, 8, min(names, 10), 8
	}
	who := w*3/10 - max(0, min(name, names)-10) // a long name of a service is worth more than when somebody was paged
	cols := [colCount]kit.Column{
		colService: {Min: min(name, names), Want: names},
		colTitle:   {Gap: 2, Min: min(titles, max(8, t.want[colTitle])), Want: t.want[colTitle], Grow: true},
		colState:   {Gap: 2, Min: states, Want: states},
		colWho:     {Gap: 2, Min: min(t.want[colWho], max(10, who)), Want: t.want[colWho], Drop: 2},
	}
	t.widths = kit.Fit(w-margin-1, cols[:])
	t.places = kit.Places(cols[:], t.widths)
}

// row draws the line of a problem.
func (t *table) row(e pane.Env, r screen.Region, n *row) {
	q := n.p
	stale := kit.Staleness(e, q.Feed)
	name, text := theme.Text, theme.Text
	_, tok, _ := kit.IncidentState(q.State)
	switch {
	case q.Upstream || kit.Quiet(e, q) != "":
		name, text, tok = theme.Muted, theme.Muted, theme.Muted
	case q.State == sources.Triggered:
		name, text = theme.Strong, theme.Strong
	}
	if n.key.storm {
		g := theme.GlyphPath
		if n.open {
			g = theme.GlyphDown
		}
		r.Text(1, 0, e.Theme.Style(theme.Muted), e.Theme.Glyph(g))
	}
	if q.Upstream {
		t.upstream(e, r, n)
	} else {
		sev := kit.Verdict(tok, stale)
		if q.Incident.Low {
			sev = theme.Muted
		}
		kit.Put(r, e.Theme, 2, 0, 2, sev, kit.Text(kit.Severity(q.Severity)))
		if q.Service == "" {
			name = theme.Muted
		}
		t.put(e, r, colService, name, service(n))
		t.put(e, r, colTitle, text, title(n))
	}
	t.parts(e, r, colState, state(e, n, t.words))
	t.parts(e, r, colWho, whole(who(e, n), t.widths[colWho]))
}

// whole leaves out the times behind a name where they do not fit: half a time is a wrong one.
func whole(parts []pane.Part, w int) []pane.Part {
	if n := len(parts) - 1; n > 0 && kit.Width(parts) > w {
		return parts[:n]
	}
	return parts
}

// upstream draws another team's problem: it is theirs, and only read here.
func (t *table) upstream(e pane.Env, r screen.Region, n *row) {
	mark := clean.Const("–")
	if e.Theme.Options().ASCII {
		mark = clean.Const("-")
	}
	kit.Put(r, e.Theme, 3, 0, 1, theme.Muted, mark)
	room := t.places[colState] - 2
	if t.widths[colState] == 0 {
		room, _ = r.Size()
	}
	q := n.p
	text := q.Service + "  " + kit.Severity(q.Severity) + " " + q.Incident.Title.String()
	kit.Put(r, e.Theme, margin, 0, room, theme.Muted, kit.Text(text))
}

func (t *table) put(e pane.Env, r screen.Region, col int, tok theme.Token, s clean.Text) {
	kit.Put(r, e.Theme, margin+t.places[col], 0, t.widths[col], tok, s)
}

func (t *table) parts(e pane.Env, r screen.Region, col int, parts []pane.Part) {
	kit.Parts(r, e.Theme, margin+t.places[col], 0, t.widths[col], parts)
}

// service is what stands in the first column. What no service of the config claims has the provider's
// name for it.
func service(n *row) clean.Text {
	switch q := n.p; {
	case q.Service != "":
		return kit.Text(q.Service)
	case !q.Incident.Provider.IsZero():
		return q.Incident.Provider
	}
	return clean.Const("unmapped")
}

func title(n *row) clean.Text {
	t := n.p.Incident.Title
	if n.key.storm {
		return clean.Linef("%d at once: %s", len(n.p.Inside), t)
	}
	if n.inside {
		return clean.Linef("  %s", t)
	}
	return t
}

// state is "● triggered 3m"; without words "● open 3m".
func state(e pane.Env, n *row, words bool) []pane.Part {
	q := n.p
	stale := kit.Staleness(e, q.Feed)
	g, tok, word := stateWord(e, n, words)
	since := since(n)
	age := kit.AgeSince(e.Now, since)
	aged := kit.StateAge(q.State, e.Now.Sub(since))
	if q.Upstream || kit.Quiet(e, q) != "" {
		tok, aged = theme.Muted, theme.Muted
	}
	return []pane.Part{{Token: kit.Verdict(tok, stale), Text: e.Theme.Glyph(g)}, kit.P(kit.Verdict(tok, stale), " "+word),
		kit.P(kit.Verdict(aged, stale), " "+age)}
}

func stateWord(e pane.Env, n *row, words bool) (theme.Glyph, theme.Token, string) {
	g, tok, word := kit.IncidentState(n.p.State)
	if !words && n.p.State == sources.Triggered {
		word = "open"
	}
	if kit.Staleness(e, n.p.Feed) == store.VeryStale {
		g = theme.GlyphStale
	}
	return g, tok, word
}

// stateWidth is the most that a state takes, whatever its age.
func stateWidth(e pane.Env, n *row, words bool) int {
	g, _, word := stateWord(e, n, words)
	return e.Theme.Glyph(g).Width() + 1 + len(word) + ageRoom
}

// since is when the problem entered its state.
func since(n *row) time.Time {
	if t := n.p.Incident.Changed; !t.IsZero() {
		return t
	}
	return n.p.Incident.Created
}

// who says who has it, or who was paged and when, and what is special about it.
func who(e pane.Env, n *row) []pane.Part {
	q := n.p
	in := q.Incident
	switch quiet := kit.Quiet(e, q); {
	case q.Upstream:
		return []pane.Part{kit.P(theme.Muted, kit.Sep(", ", "upstream", team(e, q.Service)))}
	case quiet != "":
		return []pane.Part{kit.P(theme.Muted, quiet)}
	}
	holder := kit.Holder(e, q)
	tok := theme.Muted
	if q.Mine {
		tok = theme.Accent
	}
	switch {
	case holder == "":
		return []pane.Part{kit.P(theme.Muted, unheld(in))}
	case q.State == sources.Triggered:
		return []pane.Part{kit.P(theme.Muted, "paged "), kit.P(tok, holder), kit.P(theme.Muted, before(" ", kit.Clock(e.Now, in.Paged, e.Zone)))}
	case !in.RepagesAt.IsZero():
		return []pane.Part{kit.P(tok, holder), kit.P(theme.Muted, ", pages again "+again(e.Now, in.RepagesAt))}
	}
	return []pane.Part{kit.P(tok, holder)}
}

// team is whose a service is; "" for one of ours.
func team(e pane.Env, service string) string {
	if s := e.Snap.Catalog.Service(service); s != nil {
		return s.Team
	}
	return ""
}

// again is how long it is until somebody is paged again.
func again(now, t time.Time) string {
	return kit.Age(t.Sub(now))
}

// unheld says of an incident that nobody holds what it is.
func unheld(in *sources.Incident) string {
	switch in.Kind {
	case sources.MonitorIncident:
		return "nobody is paged"
	case sources.AlertIncident:
		if in.Alerts > 0 {
			return clean.Counted(in.Alerts, "alert")
		}
		return "alert"
	case sources.DeclaredIncident:
		return "declared"
	case sources.PageIncident:
	}
	return "nobody has it"
}

func before(lead, s string) string {
	if s == "" {
		return ""
	}
	return lead + s
}
