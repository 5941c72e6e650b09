package incident

import (
	"math"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// row is one line of the detail. The title of a section has a blank line over it.
type row struct {
	key     string
	heading bool
	first   bool
	left    []pane.Part
	right   []pane.Part
	url     string      // of what the line is about
	ref     sources.Ref // of what the line is about; zero: the incident
	open    sources.Ref // what Enter opens
	toggles string      // what Enter unfolds, and folds again
}

func (r *row) height() int {
	if r.heading && !r.first {
		return 2
	}
	return 1
}

func (r *row) draw(e pane.Env, to screen.Region, folded bool) {
	w, _ := to.Size()
	left := r.left
	if r.heading {
		g := theme.GlyphDown
		if folded {
			g = theme.GlyphPath
		}
		left = append([]pane.Part{{Token: theme.Muted, Text: e.Theme.Glyph(g)}, kit.P(theme.Muted, " ")}, left...)
	}
	kit.Spread(to.Sub(1, 0, w-2, 1), e.Theme, 0, left, r.right, 24)
}

// builder collects rows.
type builder struct {
	e       pane.Env
	w       int // columns of a line
	rows    []row
	section string
	folded  map[string]bool
	hinted  bool // the key that shows all labels is named
}

// begin begins a section.
func (b *builder) begin(title string, right ...pane.Part) {
	b.section = "# " + title
	b.rows = append(b.rows, row{key: b.section, toggles: b.section, heading: true, first: len(b.rows) == 0,
		left: []pane.Part{kit.P(theme.Muted, title)}, right: right})
}

// add adds a line to the section, unless that is folded. key tells it from the section's others.
func (b *builder) add(key string, r row) {
	if b.section != "" && b.folded[b.section] {
		return
	}
	r.key = b.section + "/" + key
	b.rows = append(b.rows, r)
}

func (b *builder) line(key string, parts ...pane.Part) { b.add(key, row{left: parts}) }

// text adds a sentence, wrapped behind its lead.
func (b *builder) text(key string, r row, tok theme.Token, s clean.Text) {
	lead := r.left
	indent := kit.Width(lead)
	lines := kit.Wrap(s, max(b.w-indent-kit.Width(r.right), 12))
	if len(lines) == 0 {
		lines = []clean.Text{{}}
	}
	for i, l := range lines {
		r.left = append(lead[:len(lead):len(lead)], pane.Part{Token: tok, Text: l})
		b.add(key, r)
		if i == 0 {
			lead, r.right = []pane.Part{kit.P(theme.Text, strings.Repeat(" ", min(indent, max(0, b.w-12))))}, nil
		}
		key += "+"
	}
}

// say adds a muted line that says what lacks.
func (b *builder) say(key, s string) { b.text(key, row{}, theme.Muted, kit.Text(s)) }

func (b *builder) glyph(tok theme.Token, g theme.Glyph) []pane.Part {
	return []pane.Part{{Token: tok, Text: b.e.Theme.Glyph(g)}, kit.P(theme.Text, " ")}
}

// build makes the rows. How many there are, no clock changes.
func (p *Pane) build(e pane.Env) []row {
	q := p.problem
	if q == nil {
		return nil
	}
	b := &builder{e: e, w: p.size.W - 3, folded: p.folded}
	b.what(p, q)
	b.begin("PAGED")
	b.paged(p, q)
	b.suspects(q)
	b.alerts(p, q)
	b.log(p)
	b.notes(p)
	b.before(p, q)
	b.links(q)
	return b.rows
}

// what says what it is, since when, where, and how bad.
func (b *builder) what(p *Pane, q *insight.Problem) {
	e, in := b.e, q.Incident
	if q.State == sources.Resolved {
		b.ended(in)
	} else {
		b.state(p, q)
	}
	b.text("title", row{}, theme.Strong, in.Title)
	b.since(q)
	if quiet := kit.Quiet(e, q); quiet != "" {
		b.quiet(in, quiet)
	}
	if q.Service == "" {
		b.say("unmapped", kit.Sep(" ", "No service of the config claims it.", called(in)))
	}
	if q.Upstream {
		b.say("upstream", "It is another team's: a service that ours depends on. Here it is only read.")
	}
	if book := kit.Runbook(e, q); book != "" {
		b.add("runbook", row{left: []pane.Part{kit.P(theme.Muted, "runbook "), kit.P(theme.Info, book)}, url: book})
	}
}

// state says how it is, and who has it.
func (b *builder) state(p *Pane, q *insight.Problem) {
	e, in := b.e, q.Incident
	if !p.listed {
		b.text("gone", row{left: b.glyph(theme.Warn, theme.GlyphStale)}, theme.Text, kit.Text("the board lists it no more: this is how it was last seen"))
	}
	g, tok, word := kit.IncidentState(q.State)
	left := []pane.Part{{Token: kit.Verdict(tok, p.staleness(e)), Text: e.Theme.Glyph(g)}, kit.P(kit.Verdict(tok, p.staleness(e)), " "+kit.Sep(" ", word, kit.Ago(e.Now, in.Changed)))}
	if who := kit.Holder(e, q); who != "" {
		left = append(left, kit.P(theme.Muted, "  "+hold(q.State)+" "), kit.P(theme.Text, who))
	}
	if in.Low {
		left = append(left, kit.P(theme.Muted, "  low urgency: it wakes nobody"))
	}
	b.add("state", row{left: left, right: []pane.Part{kit.P(theme.Muted, kit.Sep(" ", in.Ref.Source, in.Number.String()))}})
}

func hold(s sources.IncidentState) string {
	if s == sources.Triggered {
		return "paged"
	}
	return "held by"
}

func called(in *sources.Incident) string {
	if in.Provider.IsZero() {
		return ""
	}
	return in.Ref.Source + " calls it " + in.Provider.String() + "."
}

// ended says when it ended, and by whom.
func (b *builder) ended(in *sources.Incident) {
	by := ""
	if !in.EndedBy.IsZero() {
		by = "by " + in.EndedBy.String()
	}
	when := in.Ended
	if when.IsZero() {
		when = in.Changed
	}
	b.add("state", row{left: append(b.glyph(theme.OK, theme.GlyphOK), kit.P(theme.Text, kit.Sep(" ", "resolved", kit.Clock(b.e.Now, when, b.e.Zone), by))),
		right: []pane.Part{kit.P(theme.Muted, kit.Sep(" ", in.Ref.Source, in.Number.String()))}})
}

// since says since when, where and how bad.
func (b *builder) since(q *insight.Problem) {
	e := b.e
	onset := ""
	if !q.Onset.IsZero() {
		onset = "since " + kit.Clock(e.Now, q.Onset, e.Zone)
		if !q.OnsetBy.IsZero() {
			onset += ", by " + q.OnsetBy.String()
		}
	}
	opened := ""
	if t := q.Incident.Created; !t.IsZero() && !t.Equal(q.Onset) {
		opened = "opened " + kit.Clock(e.Now, t, e.Zone)
	}
	b.text("since", row{}, theme.Text, kit.Text(kit.Dots(e.Theme, onset, opened, q.Scope.String(), kit.ImpactText(q))))
	if q.Seen > 0 {
		b.line("seen", kit.P(theme.Muted, "seen "+kit.Often(q.Seen)+" in "+kit.Age(q.SeenIn)))
	}
}

// quiet says what keeps it quiet, and why.
func (b *builder) quiet(in *sources.Incident, quiet string) {
	by, why := "", ""
	if len(in.Silenced) > 0 {
		if s := &in.Silenced[0]; !s.By.IsZero() {
			by = "by " + s.By.String()
		}
		why = in.Silenced[0].Comment.String()
	}
	b.text("quiet", row{left: b.glyph(theme.Muted, theme.GlyphSkipped)}, theme.Text, kit.Text(kit.Sep(": ", kit.Sep(" ", quiet, by), why)))
}

// paged says who was paged, as the logs tell, and who will be.
func (b *builder) paged(p *Pane, q *insight.Problem) {
	e, told := b.e, 0
	for _, l := range p.logs() {
		if l.Kind == "paged" || l.Kind == "escalated" || l.Kind == "reassigned" {
			told++
			text := said(&l)
			if l.Kind != "paged" || text.IsZero() {
				text = kit.Text(kit.Sep(": ", l.Kind, text.String()))
			}
			b.text(key(l.At, l.Kind, told), row{left: []pane.Part{kit.P(theme.Muted, kit.Clock(e.Now, l.At, e.Zone)+" ")}}, theme.Text, text)
		}
	}
	in := q.Incident
	if who := kit.Holder(e, q); told == 0 && who != "" && !in.Paged.IsZero() {
		b.line("holder", kit.P(theme.Muted, kit.Clock(e.Now, in.Paged, e.Zone)+" "), kit.P(theme.Text, kit.Sep(", ", "paged "+who, level(in.Level))))
		told++
	}
	if !p.listed {
		return
	}
	n := insight.PagesNext(q, e.Now)
	when := kit.Clock(e.Now, n.At, e.Zone)
	switch n.Kind {
	case insight.Escalates:
		count := kit.Countdown(n)
		if n.In > 0 {
			count = "in " + count
		}
		to := kit.Sep(": ", above(n.Incident.Level), kit.Whom(e, n))
		b.line("next", kit.P(theme.Muted, when+" "), kit.P(theme.Text, kit.Sep(" to ", "escalates", to)), kit.P(theme.Muted, ", "), kit.P(theme.Warn, count))
	case insight.Repages:
		b.line("next", kit.P(theme.Muted, when+" "), kit.P(theme.Text, kit.Sep(" ", "pages", kit.Whom(e, n), "again")), kit.P(theme.Muted, " if it is still open"))
	case insight.NoPage:
		switch {
		case in.Kind == sources.MonitorIncident || in.Kind == sources.AlertIncident:
			b.say("next", "Nobody is paged for it.")
		case q.State == sources.Triggered:
			b.say("next", "Nobody else will be paged by itself.")
		case told == 0:
			b.say("next", "Nobody will be paged by itself.")
		}
	}
}

// above is the step of the escalation after n; "" when n is unknown.
func above(n int) string {
	if n <= 0 {
		return ""
	}
	return level(n + 1)
}

func level(n int) string {
	if n <= 0 {
		return ""
	}
	return "level " + itoa(n)
}

func (b *builder) suspects(q *insight.Problem) {
	if len(q.Suspects) == 0 {
		return
	}
	b.begin("SUSPECTS")
	for i := range q.Suspects {
		s := &q.Suspects[i]
		what, why := kit.SuspectText(b.e, s)
		b.text("suspect "+itoa(i), row{left: b.glyph(theme.Warn, theme.GlyphSuspect), url: s.URL, open: s.Env}, theme.Text, kit.Text(kit.Sep(", ", what, why)))
	}
}

// unknown is a number that nobody knows.
func unknown() sources.Number { return sources.Number(math.NaN()) }
