package dialog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

// labelWidth is the column of the words at the left, gateWidth that of a gate's sign and name.
const (
	labelWidth = 8
	gateWidth  = 13
)

// planLines collects what a Plan says, wrapped to w columns.
type planLines struct {
	e     pane.Env
	w     int
	lines []Line
}

func (b *planLines) blank() {
	if n := len(b.lines); n > 0 && len(b.lines[n-1]) > 0 {
		b.lines = append(b.lines, nil)
	}
}

// wrapped adds text behind a lead; lines after the first are indented as far.
func (b *planLines) wrapped(lead Line, tok theme.Token, t clean.Text) {
	indent := width(lead)
	if indent > b.w/2 {
		b.lines = append(b.lines, lead)
		lead, indent = Line{{Text: clean.Const("  ")}}, 2
	}
	for i, s := range component.Wrap(clean.Line(kit.Times(b.e.Theme, t)), b.w-indent) {
		if i > 0 {
			lead = Line{{Text: clean.Line(strings.Repeat(" ", indent))}}
		}
		b.lines = append(b.lines, append(slices.Clip(lead), pane.Part{Token: tok, Text: s}))
	}
}

func (b *planLines) text(tok theme.Token, t clean.Text) { b.wrapped(nil, tok, t) }

func (b *planLines) under(indent int, tok theme.Token, t clean.Text) {
	b.wrapped(Line{{Text: clean.Line(strings.Repeat(" ", indent))}}, tok, t)
}

// label adds "now     text"; nothing without a text.
func (b *planLines) label(name string, tok theme.Token, t clean.Text) {
	if t.IsZero() {
		return
	}
	b.wrapped(Line{{Token: theme.Muted, Text: pad(name, labelWidth)}}, tok, t)
}

// row adds a line with a sign, and a word where there is one.
func (b *planLines) row(word string, tok theme.Token, g theme.Glyph, t clean.Text) {
	lead := Line{{Token: tok, Text: b.e.Theme.Glyph(g)}, {Text: clean.Const(" ")}}
	if word != "" {
		lead = append(lead, pane.Part{Token: theme.Muted, Text: pad(word, gateWidth-2)})
	}
	b.wrapped(lead, theme.Text, t)
}

func (b *planLines) fix(t clean.Text) {
	b.wrapped(Line{{Text: clean.Const("  ")}, {Token: theme.Info, Text: b.e.Theme.Glyph(theme.GlyphArrow)}, {Text: clean.Const(" ")}}, theme.Text, t)
}

func (b *planLines) key(key string, t clean.Text) {
	b.wrapped(Line{{Text: clean.Const("  ")}, {Token: theme.KeyHint, Text: clean.Line(key)}, {Text: clean.Const(" ")}}, theme.Text, t)
}

// gate adds what one gate says.
func (b *planLines) gate(name string, tok theme.Token, g theme.Glyph, t clean.Text) {
	lead := Line{{Token: tok, Text: b.e.Theme.Glyph(g)}, {Token: tok, Text: clean.Line(" " + pad(name, gateWidth-2).String())}}
	b.wrapped(lead, theme.Text, t)
}

// gateName is a gate's name as it is written; with a question mark when it could not be told.
func gateName(f *policy.Finding) string {
	name := strings.ReplaceAll(f.Gate, "_", " ")
	if f.Unknown && f.Verdict > policy.Allow {
		name += " ?"
	}
	return name
}

// finding adds what one gate says, and what lifts it.
func (b *planLines) finding(f *policy.Finding) {
	if f.Gate == policy.Confirmation && f.Verdict == policy.Allow {
		return
	}
	tok, g := verdict(f.Verdict)
	name := gateName(f)
	if f.Gate == policy.Confirmation {
		name, tok = "asks", theme.Muted
	}
	text := f.Text
	if f.BreakGlass && f.Verdict == policy.Deny {
		text = clean.Linef("%s (a typed reason lifts it)", text)
	}
	fix := clean.Linef("%s %s", b.e.Theme.Glyph(theme.GlyphArrow), f.Fix)
	b.gate(name, tok, g, text)
	if f.Fix.IsZero() {
		return
	}
	if last := &b.lines[len(b.lines)-1]; width(*last)+2+fix.Width() <= b.w {
		*last = append(*last, pane.Part{Token: theme.Muted, Text: clean.Linef("  %s", fix)})
		return
	}
	b.wrapped(Line{{Text: pad("", gateWidth)}}, theme.Muted, fix)
}

// more adds what else is worth knowing before.
func (b *planLines) more(lines []clean.Text) {
	for _, l := range lines {
		b.label("", theme.Muted, l)
	}
}

// shortIDs shortens the ids of commits in a text to what people read of them.
func shortIDs(t clean.Text) clean.Text {
	const long, short = 40, 7
	s, from := t.String(), 0
	var out strings.Builder
	for i := 0; i <= len(s); i++ {
		if i < len(s) && strings.IndexByte("0123456789abcdef", s[i]) >= 0 {
			continue
		}
		if i-from == long {
			out.WriteString(s[from : from+short])
		} else {
			out.WriteString(s[from:i])
		}
		if i < len(s) {
			out.WriteByte(s[i])
		}
		from = i + 1
	}
	return clean.Line(out.String())
}

// change says what runs, what will run, and what lies between.
func (b *planLines) change(q *action.Plan) {
	c := q.Change
	b.running("now", &c.Now)
	b.running("then", &c.Then)
	word := "brings"
	if c.Undoes {
		word = "undoes"
	}
	b.label(word, theme.Text, commitsText(c))
	if len(q.Request.Targets) > 0 {
		b.label("where", theme.Text, clean.Linef("%s: %s", c.Environment, strings.Join(c.Targets, ", ")))
	}
	b.request(&q.Request)
}

func (b *planLines) running(name string, r *action.Running) {
	if r.Version.IsZero() && r.Text.IsZero() {
		return
	}
	lead := Line{{Token: theme.Muted, Text: pad(name, labelWidth)}, {Token: theme.Strong, Text: r.Version.Short()}}
	if sha := r.Version.SHA; sha != "" && !r.Version.Tag.IsZero() {
		lead = append(lead, pane.Part{Token: theme.Muted, Text: clean.Linef("  %s", sha[:min(7, len(sha))])})
	}
	lead = append(lead, pane.Part{Text: clean.Const("  ")})
	b.wrapped(lead, theme.Text, r.Text)
	if r.Bad.IsZero() {
		return
	}
	bad := Line{{Token: theme.Crit, Text: b.e.Theme.Glyph(theme.GlyphFailed)}, {Token: theme.Crit, Text: clean.Linef(" %s", r.Bad)}}
	if last := &b.lines[len(b.lines)-1]; width(*last)+2+width(bad) <= b.w {
		*last = append(append(*last, pane.Part{Text: clean.Const("  ")}), bad...)
		return
	}
	b.lines = append(b.lines, append(Line{{Text: pad("", labelWidth)}}, bad...))
}

// mostCommits is how many commits are named.
const mostCommits = 8

func commitsText(c *action.Change) clean.Text {
	if !c.CommitsKnown {
		return clean.Const("what lies between is not known")
	}
	if len(c.Commits) == 0 {
		return clean.Const("no commit lies between")
	}
	named := make([]string, 0, mostCommits)
	for i := range c.Commits[:min(len(c.Commits), mostCommits)] {
		k := &c.Commits[i]
		s := k.SHA[:min(7, len(k.SHA))] + " " + k.Title.String()
		if !k.Author.IsZero() {
			s += " (" + k.Author.String() + ")"
		}
		named = append(named, s)
	}
	if more := len(c.Commits) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return clean.Linef("%s: %s", clean.Counted(len(c.Commits), "commit"), strings.Join(named, ", "))
}

// usually adds how long it takes.
func (b *planLines) usually(how clean.Text, c *action.Change) clean.Text {
	if c == nil || c.Expected <= 0 {
		return how
	}
	return clean.Linef("%s %s usually %s", how, b.e.Theme.Glyph(theme.GlyphDot), kit.Minutes(c.Expected))
}

// request says what was asked for, beside the verb.
func (b *planLines) request(q *action.Request) {
	if q.Text != "" {
		b.label("text", theme.Strong, clean.Line(q.Text))
	}
	if q.For > 0 {
		b.label("for", theme.Text, clean.Linef("%s, until %s", kit.Minutes(q.For), b.until(q.For)))
	}
	if q.Level > 0 {
		b.label("to", theme.Text, clean.Linef("level %d of the escalation", q.Level))
	}
}

// until is the time when d has passed, with the day where it is another one.
func (b *planLines) until(d time.Duration) string {
	now, end := b.e.Now.In(b.e.Zone), b.e.Now.Add(d).In(b.e.Zone)
	switch {
	case end.YearDay() == now.YearDay() && d < 24*time.Hour:
		return end.Format("15:04 MST")
	case d < 6*24*time.Hour:
		return end.Format("Mon 15:04 MST")
	}
	return end.Format("2 Jan 15:04 MST")
}

// wakes names whom it pages, with the time that it is where they are.
func (b *planLines) wakes(who []sources.Person) {
	names := make([]string, 0, len(who))
	for i := range who {
		names = append(names, PersonText(&who[i], b.e.Now))
	}
	if len(names) > 0 {
		b.label("wakes", theme.Warn, clean.Line(strings.Join(names, ", ")))
	}
}

// PersonText is a person, and what time it is where they are: "sre2 (03:14 there)".
func PersonText(p *sources.Person, now time.Time) string {
	name := cmp.Or(p.Name.String(), p.Login.String(), p.ID)
	if p.Zone == "" {
		return name
	}
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return name
	}
	return name + " (" + now.In(zone).Format("15:04") + " there)"
}

func (b *planLines) leftOut(left []LeftOut) {
	for _, l := range left {
		b.row("", theme.Warn, theme.GlyphSkipped, clean.Linef("%s is left out: %s", l.Name, l.Why))
	}
}

// outcome says how an action ended, and what to do next.
func (b *planLines) outcome(out *action.Outcome) {
	tok, g, word := OutcomeLook(out.State)
	lead := Line{{Token: tok, Text: b.e.Theme.Glyph(g)}, {Token: tok, Text: clean.Linef(" %s  ", word)}}
	b.wrapped(lead, theme.Text, out.Text)
	if !out.Fix.IsZero() {
		b.fix(out.Fix)
	}
	if out.Unrecorded {
		b.row("", theme.Crit, theme.GlyphWarn, clean.Const("the journal could not be written: this is not on record"))
	}
}
