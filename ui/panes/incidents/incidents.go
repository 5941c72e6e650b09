// Package incidents is the pane of what people are paged for.
package incidents

import (
	"strconv"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// ID is the pane's name.
const ID pane.ID = "incidents"

// Pane is the pane: one line for each open incident.
type Pane struct {
	rows    []insight.IncidentRow
	list    component.List[sources.Ref]
	size    pane.Sized
	below   int
	service int // the longest service name
}

var _ pane.Pane = (*Pane)(nil)

// New makes the pane.
func New() *Pane { return &Pane{} }

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return ID }

// Init implements pane.Pane.
func (p *Pane) Init() tea.Cmd { return nil }

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return false }

// Seconds implements pane.Pane: its clocks show minutes.
func (p *Pane) Seconds(pane.Env) bool { return false }

func subject() kit.Subject {
	return kit.Subject{What: "incidents", Caps: []store.Capability{store.Incidents}}
}

// feeds are never narrowed to a repository: an account's incidents are one feed.
func feeds(e pane.Env) insight.FeedSum {
	e.Follow = ""
	return subject().Feeds(e)
}

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	h := pane.Heading{Title: clean.Const("Incidents")}
	if e.Follow != "" {
		h.Title = kit.Text(kit.Dots(e.Theme, "Incidents", e.Follow))
	}
	sum := feeds(e)
	triggered, acked := 0, 0
	for _, r := range p.rows {
		if r.Incident.State == sources.Triggered {
			triggered++
		} else {
			acked++
		}
	}
	var parts []pane.Part
	if triggered > 0 {
		crit := kit.Verdict(theme.Crit, sum.Stale)
		parts = append(parts, kit.P(crit, strconv.Itoa(triggered)+" triggered"))
		h.Tab = []pane.Part{kit.P(crit, strconv.Itoa(triggered)+"!")}
	}
	if acked > 0 {
		parts = append(parts, kit.P(theme.Muted, strconv.Itoa(acked)+" acked"))
	}
	if len(parts) == 0 && e.Snap.Has(store.Incidents) && sum.Loading == 0 && !sum.Oldest.IsZero() {
		parts = append(parts, kit.P(theme.Muted, "none open"))
	}
	h.Summary = kit.List(e.Theme, parts...)
	kit.Summary(e, &h, sum)
	return h
}

// Update implements pane.Pane.
func (p *Pane) Update(e pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	switch m := msg.(type) {
	case pane.Sized:
		p.size = m
		p.arrange(e)
	case pane.Changed:
		p.rows = insight.OpenIncidents(e.Snap, insight.View{Whose: kit.Whose(e.Whose), Follow: e.Follow})
		p.service = 0
		for _, r := range p.rows {
			p.service = max(p.service, kit.Text(r.Incident.Service).Width())
		}
		p.list.Sync(p.lines())
		p.arrange(e)
	case pane.Click:
		if m.Wheel != 0 {
			p.list.Move(m.Wheel, p.lines())
		} else {
			p.list.Click(m.Y, p.lines())
		}
	case pane.Action:
		return p, p.act(e, m)
	}
	return p, nil
}

func (p *Pane) act(e pane.Env, a pane.Action) tea.Cmd {
	if p.list.Do(a.Action, a.Count, p.lines()) {
		return nil
	}
	switch a.Action {
	case keymap.Back:
		return kit.Send(pane.Close{})
	case keymap.Refresh:
		return kit.Send(subject().Refresh(e))
	default:
		return nil
	}
}

func (p *Pane) arrange(e pane.Env) {
	p.below = kit.Below(len(subject().Remarks(e, feeds(e), p.size.W-2)), p.size.H)
	p.list.Resize(p.size.H-p.below, p.lines())
}

func (p *Pane) lines() component.Rows[sources.Ref] {
	return component.Rows[sources.Ref]{N: len(p.rows), Key: func(i int) sources.Ref { return p.rows[i].Incident.Ref }}
}

// Keys implements pane.Pane.
func (p *Pane) Keys(pane.Env) []keymap.Binding {
	return []keymap.Binding{{Action: keymap.OpenDetail, Help: "open", Disabled: "an incident's page opens in the browser"}}
}

// Selected implements pane.Pane.
func (p *Pane) Selected(pane.Env) (pane.Selection, bool) {
	i, ok := p.list.At()
	if !ok {
		return pane.Selection{}, false
	}
	in := p.rows[i].Incident
	return pane.Selection{Ref: in.Ref, Service: in.Service, Name: in.Title, URL: in.URL}, true
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	if len(p.rows) == 0 {
		empty := kit.Notice{Token: theme.OK, Glyph: theme.GlyphOK, Title: "Nobody is being paged."}
		if e.Whose == pane.Mine || e.Follow != "" {
			empty.Lines = []string{"The view is narrowed; other incidents may be open."}
		}
		subject().Missing(e, feeds(e), empty).Draw(r, e.Theme)
		return
	}
	at, some := p.list.At()
	for y := 0; y < h-p.below; y++ {
		i := p.list.Top() + y
		if i >= len(p.rows) {
			break
		}
		p.row(e, r.Sub(0, y, w, 1), &p.rows[i])
		if some && i == at {
			kit.Mark(e, r, y, 1)
		}
	}
	kit.DrawRemarks(e, r, p.below, subject().Remarks(e, feeds(e), w-2))
}

// row draws glyph, severity, service and title, and at the right the state, its age and who holds it.
func (p *Pane) row(e pane.Env, r screen.Region, row *insight.IncidentRow) {
	w, _ := r.Size()
	in, stale := row.Incident, kit.Staleness(e, row.Feed)
	glyph, tok, name, word := theme.GlyphTriggered, theme.Crit, theme.Strong, "triggered"
	if in.State == sources.Acknowledged {
		glyph, tok, name, word = theme.GlyphAcked, theme.Warn, theme.Text, "acked"
	}
	tok = kit.Verdict(tok, stale)
	right := []pane.Part{kit.P(tok, word+" "+kit.AgeSince(e.Now, in.Changed))}
	if !in.Holder.IsZero() {
		right = append(right, kit.P(theme.Muted, "  "+in.Holder.String()))
	}
	left := []pane.Part{{Token: tok, Text: e.Theme.Glyph(glyph)}, kit.P(tok, " "+severity(in)), kit.P(theme.Text, " ")}
	service := in.Service
	if service == "" && p.service > 0 {
		service = "-"
	}
	if p.service > 0 {
		pad := min(p.service, 20) - kit.Text(service).Width()
		left = append(left, pane.Part{Token: name, Text: kit.Text(service).Cut(20, e.Theme.Glyph(theme.GlyphEllipsis))}, kit.P(theme.Text, spaces(pad+2)))
	}
	left = append(left, pane.Part{Token: name, Text: in.Title})
	kit.Spread(r.Sub(1, 0, w-2, 1), e.Theme, 0, left, right, 24)
}

func severity(in *sources.Incident) string {
	if in.Severity <= 0 {
		return "P?"
	}
	return "P" + strconv.Itoa(in.Severity)
}

// spaces is n blanks.
func spaces(n int) string {
	const blanks = "                              "
	return blanks[:max(0, min(n, len(blanks)))]
}
