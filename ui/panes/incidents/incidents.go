// Package incidents is the pane of what people are paged for: what burns, for how long, who has it, and
// what happens next if nobody does anything.
package incidents

import (
	"slices"
	"strconv"
	"time"

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

// Pane is the pane: one line for each problem. The worst triggered one, and the selected one, show below
// it what is known of them. It derives its rows when the board changes, never while it draws.
type Pane struct {
	all     []insight.Problem
	key     insight.Key
	view    insight.View
	at      time.Time // the minute of the derivation: what explains a problem ages
	rows    []row     // nil: those of all, as they are
	worstAt int       // the row that is unfolded wherever the cursor is; -1: none
	of      int       // how many rows there would be without the filter
	count   insight.Tally
	opened  map[sources.Ref]bool // storms that show what is in them
	marked  map[rowKey]bool      // rows that something is done to together
	list    kit.Listing[rowKey]
	table   table
}

// rowKey identifies a row: a storm has the Ref of the problem that it began with.
type rowKey struct {
	ref   sources.Ref
	storm bool
}

// row is a problem, a storm, or a problem of a storm that is open.
type row struct {
	key    rowKey
	p      *insight.Problem
	inside bool
	open   bool // a storm: what is in it follows
}

var _ pane.Pane = (*Pane)(nil)

// New makes the pane.
func New() *Pane {
	return &Pane{opened: map[sources.Ref]bool{}, count: insight.Tally{Worst: -1}, worstAt: -1}
}

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return ID }

// Init implements pane.Pane.
func (p *Pane) Init() tea.Cmd { return nil }

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return p.list.Filter.Typing() }

// Seconds implements pane.Pane: it counts down to an escalation that is less than an hour away.
func (p *Pane) Seconds(e pane.Env) bool {
	ticks := func(i int) bool { return i < p.len() && p.room(i) > 0 && countsDown(e, p.problem(i)) }
	at, some := p.list.At()
	return some && ticks(at) || p.worstAt >= 0 && ticks(p.worstAt)
}

// subject is what the pane cannot do without: incidents, or monitors where nothing else is configured.
func subject(e pane.Env) kit.Subject {
	s := kit.Subject{What: "incidents", Caps: []store.Capability{store.Incidents}}
	if !e.Snap.Has(store.Incidents) && e.Snap.Has(store.Monitors) {
		s.Caps[0] = store.Monitors
	}
	return s
}

// around is what the pane shows beside that: its trouble is told below the rows.
func around() kit.Subject {
	return kit.Subject{What: "incidents", Caps: []store.Capability{store.Incidents, store.Monitors, store.Shifts}}
}

// feeds are never narrowed to a repository: an account's incidents are one feed.
func feeds(e pane.Env, s kit.Subject) insight.FeedSum {
	e.Follow = ""
	return s.Feeds(e)
}

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	h := pane.Heading{Title: clean.Const("Incidents")}
	if e.Follow != "" {
		h.Title = kit.Text(kit.Dots(e.Theme, "Incidents", e.Follow))
	}
	sum := feeds(e, subject(e))
	var parts []pane.Part
	if n := len(p.marked); n > 0 {
		parts = append(parts, kit.P(theme.Accent, strconv.Itoa(n)+" marked"))
	}
	if n := p.count.Triggered; n > 0 {
		crit := kit.Verdict(theme.Crit, sum.Stale)
		parts = append(parts, kit.P(crit, strconv.Itoa(n)+" triggered"))
		h.Tab = []pane.Part{kit.P(crit, strconv.Itoa(n)+"!")}
		h.Short = slices.Clone(h.Tab)
	}
	if n := p.count.Held; n > 0 {
		parts = append(parts, kit.P(theme.Muted, strconv.Itoa(n)+" acked"))
		h.Short = kit.Spaced(h.Short, kit.P(theme.Muted, strconv.Itoa(n)+e.Theme.Glyph(theme.GlyphAcked).String()))
	}
	if n := p.count.Quiet; n > 0 {
		parts = append(parts, kit.P(theme.Muted, strconv.Itoa(n)+" silenced"))
	}
	if len(parts) == 0 && len(subject(e).Caps) > 0 && e.Snap.Has(subject(e).Caps[0]) && sum.Loading == 0 && !sum.Oldest.IsZero() {
		parts = append(parts, kit.P(theme.Muted, "none open"))
	}
	h.Summary = kit.List(e.Theme, parts...)
	kit.Summary(e, &h, sum)
	return h
}

// Update implements pane.Pane.
func (p *Pane) Update(e pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	taken, changed := p.list.Take(msg, p.lines())
	if changed {
		p.narrow(e)
	}
	if taken {
		return p, nil
	}
	switch m := msg.(type) {
	case pane.Changed:
		p.derive(e)
	case pane.Action:
		return p, p.act(e, m)
	}
	return p, nil
}

// derive finds the problems anew when the data, the view or the minute changed.
func (p *Pane) derive(e pane.Env) {
	v := insight.View{Whose: kit.Whose(e.Whose), Follow: e.Follow}
	minute := e.Now.Truncate(time.Minute)
	if p.view != v || !p.at.Equal(minute) || !p.key.Holds(e.Snap, insight.ProblemFeeds()...) {
		p.all, p.count = e.Known.Problems(e.Snap, v, e.Now), e.Known.Tally(e.Snap, v, e.Now)
		p.key, p.view, p.at = insight.KeyOf(e.Snap, insight.ProblemFeeds()...), v, minute
	}
	p.narrow(e)
}

// narrow makes the rows of what the filter lets through, and shares the lines between them and the remarks.
// Without a filter, and while no storm is open, they need not be made: a board of thousands of alerts then
// costs what is seen of it.
func (p *Pane) narrow(e pane.Env) {
	words := p.list.Filter.Words()
	p.rows, p.of = nil, len(p.all)
	if len(words) > 0 || len(p.opened) > 0 {
		p.rows = []row{}
		for i := range p.all {
			q := &p.all[i]
			if p.opened[q.Incident.Ref] {
				p.of += len(q.Inside)
			}
			if q.Matches(words) {
				p.add(q)
			}
		}
	}
	p.forget()
	p.findWorst(e)
	sum, size := feeds(e, around()), p.list.Size()
	p.list.Sync(p.lines(), sum.Loading == 0)
	p.table.measure(e, min(p.len(), measured(size.H)), p.row)
	p.table.fit(size.W)
	p.list.Arrange(len(around().Remarks(e, sum, size.W-2)), p.lines())
}

// findWorst finds the row that is unfolded wherever the cursor is. It stands near the top.
func (p *Pane) findWorst(e pane.Env) {
	if p.rows == nil {
		p.worstAt = p.count.Worst
		return
	}
	p.worstAt = -1
	for i := range p.rows {
		q := p.rows[i].p
		if !p.rows[i].inside && q.State == sources.Triggered && !q.Upstream && kit.Quiet(e, q) == "" {
			p.worstAt = i
			return
		}
	}
}

// add adds the row of a problem, and those in it where it is a storm that is open.
func (p *Pane) add(q *insight.Problem) {
	r := rowOf(q)
	r.open = r.key.storm && p.opened[r.key.ref]
	p.rows = append(p.rows, r)
	for i := range q.Inside {
		if in := &q.Inside[i]; r.open {
			p.rows = append(p.rows, row{key: rowKey{ref: in.Incident.Ref}, p: in, inside: true})
		}
	}
}

func rowOf(q *insight.Problem) row {
	return row{key: rowKey{q.Incident.Ref, len(q.Inside) > 0}, p: q}
}

func (p *Pane) len() int {
	if p.rows == nil {
		return len(p.all)
	}
	return len(p.rows)
}

func (p *Pane) row(i int) row {
	if p.rows == nil {
		return rowOf(&p.all[i])
	}
	return p.rows[i]
}

func (p *Pane) problem(i int) *insight.Problem {
	if p.rows == nil {
		return &p.all[i]
	}
	return p.rows[i].p
}

func (p *Pane) lines() component.Rows[rowKey] {
	return component.Rows[rowKey]{N: p.len(), Key: func(i int) rowKey { return p.row(i).key },
		Height: func(i int) int { return 1 + p.room(i) }}
}

// unfolds reports that what is known of row i stands below it: of the worst one, and of the selected one
// while it is triggered or mine. Nothing else unfolds, so that a refresh moves no row.
func (p *Pane) unfolds(i int) bool {
	if i == p.worstAt {
		return true
	}
	at, ok := p.list.At()
	return ok && at == i
}

// room is how many lines below its first one row i has. Other rows keep a place. It looks at no problem that
// does not unfold: a list asks it of every row in its window.
func (p *Pane) room(i int) int {
	if !p.unfolds(i) {
		return 0
	}
	q := p.problem(i)
	if q.State != sources.Triggered && !q.Mine {
		return 0
	}
	return max(0, min(facts(q), p.list.Room()-1-min(p.len()-1, 3)))
}

func (p *Pane) act(e pane.Env, a pane.Action) tea.Cmd {
	switch a.Action {
	case keymap.Mark:
		p.mark()
	case keymap.Back:
		if len(p.marked) > 0 {
			p.marked = nil
			return nil
		}
		if len(p.opened) == 0 {
			return kit.Send(pane.Close{})
		}
		clear(p.opened)
		p.narrow(e)
	case keymap.Refresh:
		return kit.Send(around().Refresh(e))
	case keymap.OpenDetail:
		return p.open(e)
	default:
	}
	return nil
}

// open opens a storm, or closes it, and shows any other problem in full.
func (p *Pane) open(e pane.Env) tea.Cmd {
	i, ok := p.list.At()
	if !ok {
		return nil
	}
	k := p.row(i).key
	if !k.storm {
		return kit.Send(pane.Open{Ref: k.ref})
	}
	if p.opened[k.ref] {
		delete(p.opened, k.ref)
	} else {
		p.opened[k.ref] = true
	}
	p.narrow(e)
	return nil
}

// Keys implements pane.Pane.
func (p *Pane) Keys(e pane.Env) []keymap.Binding {
	open, filter := keymap.Binding{Action: keymap.OpenDetail, Help: "open"}, ""
	i, ok := p.list.At()
	switch {
	case !ok:
		open.Disabled = "no incident is selected"
	case p.row(i).open:
		open.Help = "fold"
	case p.row(i).key.storm:
		open.Help = "unfold"
	}
	if len(p.all) == 0 {
		filter = "there is nothing to filter"
	}
	keys := []keymap.Binding{open}
	if s, ok := p.Selected(e); ok && s.Runbook != "" {
		keys = append(keys, keymap.Binding{Action: keymap.Runbook, Help: "runbook"})
	}
	keys = append(keys, p.markKey(i, ok))
	return append(keys, keymap.Binding{Action: keymap.Filter, Help: "filter", Disabled: filter})
}

// Selected implements pane.Pane.
func (p *Pane) Selected(e pane.Env) (pane.Selection, bool) {
	i, ok := p.list.At()
	if !ok {
		return pane.Selection{}, false
	}
	return selection(e, p.row(i)), true
}

func selection(e pane.Env, r row) pane.Selection {
	q := r.p
	return pane.Selection{Ref: q.Incident.Ref, Service: q.Service, Name: q.Incident.Title, URL: q.Incident.URL, Runbook: kit.Runbook(e, q)}
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, _ := r.Size()
	remarks := around().Remarks(e, feeds(e, around()), w-2)
	if len(p.all) > 0 {
		p.list.Draw(e, r, p.lines(), kit.Drawing{
			Row: func(r screen.Region, i int) { p.draw(e, r, i) },
			Of:  p.of, None: "No incident matches the filter.", Remarks: remarks,
		})
		return
	}
	empty := kit.Notice{Token: theme.OK, Glyph: theme.GlyphOK, Title: "Nobody is being paged."}
	if e.Whose == pane.Mine || e.Follow != "" {
		empty.Lines = []string{"The view is narrowed; other incidents may be open."}
	}
	sum := feeds(e, subject(e))
	subject(e).Missing(e, sum, empty).Draw(r, e.Theme)
	if sum.Loading+sum.Refused+sum.Failing+sum.Throttled == 0 {
		_, h := r.Size()
		kit.DrawRemarks(e, r, kit.Below(len(remarks), h), remarks)
	}
}
