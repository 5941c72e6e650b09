// Package metrics is the pane of how services behave, in numbers: the charts of the service that the board
// is about, or the worst number of each where it is about none.
package metrics

import (
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
const ID pane.ID = "metrics"

// span is the time that the board's charts show.
const span = time.Hour

// Pane is the pane. It derives what it shows when the board changes, never while it draws.
type Pane struct {
	service string // whose metrics are shown; "": one row for each service
	reader  reader
	views   views
	*view   // of service
	list    component.List[sources.Ref]
	size    pane.Sized
	below   int // lines of remarks
	plan    plan
	watch   pane.Watch // as last said
	widths  columns
	chosen  bool // somebody moved the cursor: until then it rests on the first item
}

var (
	_ pane.Pane    = (*Pane)(nil)
	_ pane.Watcher = (*Pane)(nil)
)

// New makes the pane.
func New() *Pane { return &Pane{views: views{}, view: &view{}} }

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return ID }

// Watches implements pane.Watcher.
func (p *Pane) Watches() {}

// Init implements pane.Pane.
func (p *Pane) Init() tea.Cmd { return nil }

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return false }

// Seconds implements pane.Pane: its clocks show minutes.
func (p *Pane) Seconds(pane.Env) bool { return false }

func subject() kit.Subject {
	return kit.Subject{What: "metrics", Caps: []store.Capability{store.Metrics, store.SLOs}}
}

// feeds sums up those that p shows: a feed without a scope is of every service.
func (p *Pane) feeds(e pane.Env) insight.FeedSum { return feedsOf(e, p.service) }

func feedsOf(e pane.Env, service string) insight.FeedSum {
	if service == "" {
		return insight.SumFeeds(e.Snap, e.Now, "", subject().Caps...)
	}
	return insight.SumFeedsOf(e.Snap, e.Now, service, subject().Caps...)
}

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	h := pane.Heading{Title: clean.Const("Metrics")}
	if p.service != "" {
		h.Title = kit.Text(kit.Dots(e.Theme, "Metrics", p.service))
	}
	sum := p.feeds(e)
	var parts []pane.Part
	if p.over > 0 {
		crit := kit.Verdict(theme.Crit, sum.Stale)
		parts = append(parts, kit.P(crit, strconv.Itoa(p.over)+" over the limit"))
		h.Tab = []pane.Part{kit.P(crit, strconv.Itoa(p.over)+"!")}
		h.Short = h.Tab
	}
	if len(p.items) > 0 {
		parts = append(parts, kit.P(theme.Muted, "last 1h"))
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
		return p, p.say()
	case pane.Changed:
		p.derive(e)
		p.arrange(e)
		return p, p.say()
	case pane.Click:
		p.click(m)
	case pane.Action:
		return p, p.act(e, m)
	}
	return p, nil
}

// say tells how fine the charts are, when that is news.
func (p *Pane) say() tea.Cmd {
	w := pane.Watch{Span: span, Step: p.plan.step()}
	if w == p.watch || w.Step <= 0 {
		return nil
	}
	p.watch = w
	return kit.Send(w)
}

func (p *Pane) act(e pane.Env, a pane.Action) tea.Cmd {
	if p.list.Do(a.Action, a.Count, p.lines()) {
		p.chosen = true
		return nil
	}
	switch a.Action {
	case keymap.Back:
		return kit.Send(pane.Close{})
	case keymap.Refresh:
		return kit.Send(subject().Refresh(e))
	case keymap.OpenDetail:
		if i, ok := p.list.At(); ok {
			return kit.Send(pane.Open{Ref: p.items[i].Series.Ref})
		}
	default:
	}
	return nil
}

// click selects what is drawn there: a chart, a number of the rest, a row.
func (p *Pane) click(c pane.Click) {
	p.chosen = true
	switch {
	case c.Wheel != 0:
		p.list.Move(c.Wheel, p.lines())
	case p.plan.charts == 0:
		p.list.Click(c.Y-p.plan.head, p.lines())
	default:
		if i, ok := p.plan.hit(p.shown(), c.X, c.Y); ok {
			p.list.Select(p.items[i].Series.Ref, p.lines())
		}
	}
}

// derive makes the items anew. The charts that are still shown keep their scales.
func (p *Pane) derive(e pane.Env) {
	service := e.Watched
	if e.Follow != "" {
		service = e.Follow
	}
	if service != p.service {
		p.service, p.chosen = service, false
	}
	if p.reader.read(e) {
		p.views.age()
	}
	p.view = p.views.of(p.reader.known, service)
	if !p.chosen {
		p.list = component.List[sources.Ref]{}
	}
	p.list.Sync(p.lines())
}

// arrange shares the region's lines.
func (p *Pane) arrange(e pane.Env) {
	p.below = kit.Below(len(p.remarks(e, p.size.W)), p.size.H)
	h := p.size.H - p.below
	p.plan = makePlan(p.size.W, h, len(p.items), p.service == "", len(kit.BudgetLines(e, p.budgets, p.size.W-2)),
		func(charts, most int) int { return p.restLines(e, charts, most) })
	if p.plan.charts == 0 {
		p.widths.fit(e, p.items, p.size.W, p.service == "")
		h -= p.plan.head
	}
	p.list.Resize(h, p.lines())
}

func (p *Pane) remarks(e pane.Env, w int) [][]pane.Part {
	return subject().Remarks(e, p.feeds(e), w-2)
}

func (p *Pane) lines() component.Rows[sources.Ref] {
	return component.Rows[sources.Ref]{N: len(p.items), Key: func(i int) sources.Ref { return p.items[i].Series.Ref }}
}

// Keys implements pane.Pane.
func (p *Pane) Keys(pane.Env) []keymap.Binding {
	none, one := "", ""
	if len(p.items) == 0 {
		none = "no metric is shown"
	}
	if len(p.items) < 2 {
		one = "there is no other metric"
	}
	return []keymap.Binding{
		{Action: keymap.OpenDetail, Help: "large", Disabled: none},
		{Action: keymap.Down, Help: "next metric", Disabled: one},
	}
}

// Selected implements pane.Pane. A row among those of all services is selected without its service: the
// board would turn to it, and the rows would be gone, as soon as the cursor stood there.
func (p *Pane) Selected(pane.Env) (pane.Selection, bool) {
	i, ok := p.list.At()
	if !ok {
		return pane.Selection{}, false
	}
	s := p.items[i].Series
	return pane.Selection{Ref: s.Ref, Service: p.service, Name: kit.Text(s.Service + " " + p.items[i].name().String()), URL: s.URL}, true
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	if len(p.items) == 0 && len(p.budgets) == 0 {
		subject().Missing(e, p.feeds(e), p.empty(e)).Draw(r, e.Theme)
		return
	}
	body := r.Sub(0, 0, w, h-p.below)
	if p.plan.charts > 0 {
		p.board(e, body)
	} else {
		p.rows(e, body)
	}
	kit.DrawRemarks(e, r, p.below, p.remarks(e, w))
}

// empty is what to say where feeds have answered and there is nothing.
func (p *Pane) empty(e pane.Env) kit.Notice {
	n := kit.Notice{Token: theme.Muted, Glyph: theme.GlyphDot, Title: "No metric is configured.",
		Lines: []string{"Name them under metrics: of a service in the config, each with its name, source and query."}}
	if p.service == "" {
		return n
	}
	n.Title = "No metric of " + p.service + " is configured."
	for i := range e.Snap.Feeds {
		f := &e.Snap.Feeds[i]
		if f.Key.Capability == store.Metrics && f.Key.Scope == p.service {
			n.Title = "The metrics of " + p.service + " have no data."
			n.Lines = []string{f.Key.Source + " answered its queries, and found nothing in the last hours. Look at metrics: of " + p.service + " in the config: a label or a tag may have another value."}
		}
	}
	return n
}
