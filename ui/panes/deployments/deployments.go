// Package deployments is the pane of the lanes: what runs where, what arrives, what comes next.
package deployments

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
const ID pane.ID = "deployments"

// Pane is the pane. It derives its lanes when the board changes, never while it draws.
type Pane struct {
	all   insight.Deployments
	rows  []int // the lanes that the filter lets through
	key   insight.Key
	view  insight.View
	day   time.Time
	at    time.Time           // the minute of the derivation: health ages
	list  kit.Listing[string] // by service: the config names each once
	table table
}

var _ pane.Pane = (*Pane)(nil)

// New makes the pane.
func New() *Pane { return &Pane{list: kit.Listing[string]{Head: true}} }

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return ID }

// Init implements pane.Pane.
func (p *Pane) Init() tea.Cmd { return nil }

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return p.list.Filter.Typing() }

// Seconds implements pane.Pane: its clocks show minutes.
func (p *Pane) Seconds(pane.Env) bool { return false }

func subject() kit.Subject {
	return kit.Subject{What: "deployments", Caps: []store.Capability{store.Environments, store.Releases}}
}

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	h := pane.Heading{Title: clean.Const("Deployments")}
	sum := subject().Feeds(e)
	crit, warn := kit.Verdict(theme.Crit, sum.Stale), kit.Verdict(theme.Warn, sum.Stale)
	var parts []pane.Part
	if n := p.all.Today; n > 0 {
		parts = append(parts, kit.P(theme.Muted, strconv.Itoa(n)+" today"))
	}
	if n := p.all.TodayFailed; n > 0 {
		parts = append(parts, kit.P(crit, strconv.Itoa(n)+" failed"))
	}
	broken, waits := p.state()
	if waits > 0 {
		parts = append(parts, kit.P(warn, strconv.Itoa(waits)+" waiting"))
	}
	if len(parts) == 0 && len(p.all.Lanes) > 0 && !sum.Oldest.IsZero() {
		parts = append(parts, kit.P(theme.Muted, "none today"))
	}
	if broken > 0 {
		h.Tab = kit.Spaced(h.Tab, kit.P(crit, strconv.Itoa(broken)+e.Theme.Glyph(theme.GlyphFailed).String()))
	}
	if waits > 0 {
		h.Tab = kit.Spaced(h.Tab, kit.P(warn, strconv.Itoa(waits)+e.Theme.Glyph(theme.GlyphWaiting).String()))
	}
	h.Summary, h.Short = kit.List(e.Theme, parts...), slices.Clone(h.Tab)
	kit.Summary(e, &h, sum)
	return h
}

// state counts the lanes that are broken and those that wait for an approval.
func (p *Pane) state() (broken, waits int) {
	for i := range p.all.Lanes {
		l := &p.all.Lanes[i]
		if l.Last < 0 {
			continue
		}
		if c := &l.Cells[l.Last]; c.Outcome == insight.Half || c.Outcome == insight.DeployFailed || c.Mismatch {
			broken++
		}
		for _, n := range l.Next {
			if n.Kind == insight.NextGate {
				waits++
			}
		}
	}
	return broken, waits
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

// derive makes the lanes anew when the data, the view or the minute changed.
func (p *Pane) derive(e pane.Env) {
	v := insight.View{Whose: kit.Whose(e.Whose), Follow: e.Follow}
	y, m, d := e.Now.In(e.Zone).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, e.Zone)
	minute := e.Now.Truncate(time.Minute)
	if p.view != v || !p.day.Equal(day) || !p.at.Equal(minute) || !p.key.Holds(e.Snap, insight.LaneFeeds()...) {
		p.all = e.Known.Deployments(e.Snap, v, day, e.Now)
		p.key, p.view, p.day, p.at = insight.KeyOf(e.Snap, insight.LaneFeeds()...), v, day, minute
	}
	p.table.measure(e, &p.all)
	p.narrow(e)
}

// narrow applies the filter, and shares the region's lines between head, filter, list and remarks.
func (p *Pane) narrow(e pane.Env) {
	words := p.list.Filter.Words()
	p.rows = p.rows[:0]
	for i := range p.all.Lanes {
		if p.all.Lanes[i].Matches(words) {
			p.rows = append(p.rows, i)
		}
	}
	sum, size := subject().Feeds(e), p.list.Size()
	p.list.Sync(p.lines(), sum.Loading == 0)
	p.table.fit(size.W)
	p.list.Arrange(len(subject().Remarks(e, sum, size.W-2)), p.lines())
}

func (p *Pane) lane(i int) *insight.Lane { return &p.all.Lanes[p.rows[i]] }

func (p *Pane) lines() component.Rows[string] {
	return component.Rows[string]{N: len(p.rows), Key: func(i int) string { return p.lane(i).Service },
		Height: func(i int) int { return height(p.lane(i)) }}
}

func (p *Pane) act(e pane.Env, a pane.Action) tea.Cmd {
	switch a.Action {
	case keymap.Back:
		return kit.Send(pane.Close{})
	case keymap.Refresh:
		return kit.Send(subject().Refresh(e))
	case keymap.OpenDetail:
		if s, ok := p.Selected(e); ok && !s.Ref.IsZero() {
			return kit.Send(pane.Open{Ref: s.Ref})
		}
	default:
	}
	return nil
}

// Keys implements pane.Pane.
func (p *Pane) Keys(e pane.Env) []keymap.Binding {
	open, filter := "", ""
	switch s, ok := p.Selected(e); {
	case !ok:
		open = "no service is selected"
	case s.Ref.IsZero():
		open = s.Service + " has no environment to show"
	}
	if len(p.all.Lanes) == 0 {
		filter = "there is nothing to filter"
	}
	return []keymap.Binding{
		{Action: keymap.OpenDetail, Help: "open", Disabled: open},
		{Action: keymap.Filter, Help: "filter", Disabled: filter},
	}
}

// Selected implements pane.Pane. A lane is selected as the environment that speaks for it; that of a
// service without environments has no Ref.
func (p *Pane) Selected(pane.Env) (pane.Selection, bool) {
	i, ok := p.list.At()
	if !ok {
		return pane.Selection{}, false
	}
	l := p.lane(i)
	s := pane.Selection{Service: l.Service, Name: kit.Text(l.Service), URL: l.URL}
	if l.Last >= 0 {
		env := l.Cells[l.Last].Env
		s.Ref, s.Name = env.Ref, kit.Text(l.Service+"/"+env.Name)
	}
	return s, true
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, _ := r.Size()
	sum := subject().Feeds(e)
	if p.bare(e, sum) {
		subject().Missing(e, sum, p.empty(e)).Draw(r, e.Theme)
		return
	}
	p.list.Draw(e, r, p.lines(), kit.Drawing{
		Head: func(r screen.Region) { p.table.head(e, r, p.all.Stages) },
		Row:  func(r screen.Region, i int) { p.table.row(e, r, p.lane(i)) },
		Of:   len(p.all.Lanes), None: "No service matches the filter.", Remarks: subject().Remarks(e, sum, w-2),
	})
}

// bare reports that there is nothing to show but a reason: lanes without data say less than it.
func (p *Pane) bare(e pane.Env, sum insight.FeedSum) bool {
	if len(p.all.Lanes) == 0 || !e.Snap.Has(store.Environments) {
		return true
	}
	if sum.Loading+sum.Refused+sum.Failing+sum.Throttled < sum.N {
		return false
	}
	for i := range p.all.Lanes {
		if l := &p.all.Lanes[i]; l.Last >= 0 || l.Release != nil {
			return false
		}
	}
	return true
}

func (p *Pane) empty(e pane.Env) kit.Notice {
	n := kit.Notice{Token: theme.Muted, Glyph: theme.GlyphOK, Title: "No deployments to show."}
	switch {
	case e.Whose == pane.Mine:
		n.Lines = []string{"Nothing that you deploy now or may approve. The team's services are hidden."}
	case e.Follow != "":
		n.Lines = []string{"Only " + e.Follow + " is followed, and nothing is known of where it runs."}
	default:
		n.Lines = []string{"Name services under services: in the config; their environments show here."}
	}
	return n
}

// height is how many lines a lane takes: one that is not whole says why.
func height(l *insight.Lane) int {
	if failedCell(l) != nil {
		return 2
	}
	return 1
}

// failedCell is the cell whose failed deployment the lane explains: that of the last stage before
// others.
func failedCell(l *insight.Lane) *insight.Cell {
	for i := len(l.Cells) - 1; i >= 0; i-- {
		c := &l.Cells[i]
		if c.Failed != nil && (c.Outcome == insight.Half || c.Outcome == insight.DeployFailed) {
			return c
		}
	}
	return nil
}

// since is when a deployment began.
func since(d *sources.Deployment, r *sources.Run) time.Time {
	if r != nil && !r.Started.IsZero() {
		return r.Started
	}
	return d.Created
}
