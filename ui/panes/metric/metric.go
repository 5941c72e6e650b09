// Package metric is the detail of one metric: a large chart over a time of one's choice, with its axes, its
// limit, the deployments, and the same time the day or the week before.
package metric

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/chart"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

const day = 24 * time.Hour

// ranges are the times that the chart can show, shortest first.
func ranges() []time.Duration {
	return []time.Duration{15 * time.Minute, time.Hour, 4 * time.Hour, day, 7 * day}
}

// leastPause is the time between two questions for one metric, however fine its chart is.
const leastPause = 30 * time.Second

// Pane is the detail. It shows what the board knows of the metric until its source has answered.
type Pane struct {
	id    pane.ID
	ref   sources.Ref
	span  time.Duration
	known insight.Behaviour
	key   insight.Key
	at    time.Time     // the minute that known is of
	chart insight.Chart // as last seen in a snapshot; its Series is nil: never
	gone  bool          // the newest snapshot has it no more
	all   []sources.Ref // the metrics of its service, in order
	slos  []insight.Budget
	now   reading
	then  reading // before the same time
	gen   int
	cross time.Time // where the crosshair is; zero: nowhere
	size  pane.Sized
}

// reading is what was asked of a source, and what it said.
type reading struct {
	gen    int // of the newest question
	ask    pane.Ask
	wait   bool
	series *sources.Series // of the newest answer; nil: none yet
	none   bool            // the source knows no such metric
	err    error
	plot   kit.Plot
}

var _ pane.Pane = (*Pane)(nil)

// New makes the detail of a metric, over the last hour.
func New(ref sources.Ref) *Pane {
	return &Pane{id: pane.ID("metric " + ref.String()), ref: ref, span: time.Hour}
}

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return p.id }

// Init implements pane.Pane: what it asks depends on its size.
func (p *Pane) Init() tea.Cmd { return nil }

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return false }

// Seconds implements pane.Pane.
func (p *Pane) Seconds(pane.Env) bool { return false }

// series is what to draw: the answer to the newest question, until that comes what the board knows; nil
// when nothing is known.
func (p *Pane) series() *sources.Series {
	if p.now.series != nil {
		return p.now.series
	}
	return p.chart.Series
}

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	s := p.series()
	if s == nil {
		return pane.Heading{Title: clean.Linef("Metric %s", p.ref.ID)}
	}
	h := pane.Heading{Title: kit.Text(kit.Dots(e.Theme, s.Service, kit.MetricName(s).String())),
		Summary: []pane.Part{kit.P(theme.Muted, "last "+rangeName(p.span))}}
	if stale := kit.Staleness(e, p.feed()); stale > store.Fresh && p.now.series == nil {
		h.Stale = true
		h.Summary = []pane.Part{kit.Old(e, e.Snap.Feeds[p.feed()].Health.LastGood)}
	}
	return h
}

// feed is the index of the metric's feed; -1 when no snapshot had it.
func (p *Pane) feed() int {
	if p.chart.Series == nil || p.gone {
		return -1
	}
	return p.chart.Feed
}

// rangeName is how people write a range: 15m, 1h, 1d, 1w.
func rangeName(d time.Duration) string {
	if d == day {
		return "1d"
	}
	if d == 7*day {
		return "1w"
	}
	return kit.Age(d)
}

// Update implements pane.Pane.
func (p *Pane) Update(e pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	switch m := msg.(type) {
	case pane.Sized:
		p.size = m
		return p, p.ask(e, false)
	case pane.Changed:
		p.find(e)
		return p, p.ask(e, false)
	case pane.Reply:
		p.reply(m)
	case pane.Click:
		p.click(e, m)
	case pane.Action:
		return p, p.act(e, m)
	}
	return p, nil
}

// find looks the metric up, with the others of its service.
func (p *Pane) find(e pane.Env) {
	minute := e.Now.Truncate(time.Minute)
	if p.at.Equal(minute) && p.key.Holds(e.Snap, insight.ChartFeeds()...) {
		return
	}
	p.known, p.key, p.at = e.Known.Behaviour(e.Snap, e.Now), insight.KeyOf(e.Snap, insight.ChartFeeds()...), minute
	p.look(e)
}

func (p *Pane) look(e pane.Env) {
	p.gone = true
	for i := range e.Snap.Feeds {
		at := slices.IndexFunc(e.Snap.Feeds[i].Series, func(s sources.Series) bool { return s.Ref == p.ref })
		if at < 0 {
			continue
		}
		known := p.known.Charts(e.Snap.Feeds[i].Series[at].Service)
		p.all, p.slos = p.all[:0], known.Budgets
		for _, c := range known.Charts {
			p.all = append(p.all, c.Series.Ref)
			if c.Series.Ref == p.ref {
				p.chart, p.gone = c, false
			}
		}
		return
	}
}

// shift is how long before the faint line is: a day, or a week where the chart shows more than a day.
func (p *Pane) shift() time.Duration {
	if p.span > day {
		return 7 * day
	}
	return day
}

// ask asks for the metric and for what it was before, unless an answer is on its way or fresh enough.
// again asks in any case.
func (p *Pane) ask(e pane.Env, again bool) tea.Cmd {
	columns := p.area(p.size.W, p.size.H).w
	if columns <= 0 || e.Snap == nil || p.at.IsZero() {
		return nil
	}
	until := e.Now
	if e.Snap.At.After(until) {
		until = e.Snap.At
	}
	step := max(time.Second, (p.span / time.Duration(columns)).Truncate(time.Second))
	ask := pane.Ask{Metric: p.ref, Until: until, Span: p.span, Step: step}
	var cmds []tea.Cmd
	if again || p.now.due(ask) {
		cmds = append(cmds, p.send(&p.now, ask))
	}
	ask.Until = until.Add(-p.shift())
	if again || p.then.due(ask) {
		cmds = append(cmds, p.send(&p.then, ask))
	}
	return tea.Batch(cmds...)
}

// due reports whether ask is news.
func (r *reading) due(ask pane.Ask) bool {
	switch {
	case r.ask.Metric != ask.Metric || r.ask.Span != ask.Span:
		return true
	case r.wait:
		return false
	case r.ask.Step > ask.Step:
		return true
	}
	return ask.Until.Sub(r.ask.Until) >= max(ask.Step, leastPause)
}

func (p *Pane) send(r *reading, ask pane.Ask) tea.Cmd {
	if r.ask.Metric != ask.Metric || r.ask.Span != ask.Span {
		r.series, r.err, r.none = nil, nil, false
	}
	p.gen++
	r.gen, r.ask, r.wait = p.gen, ask, true
	return kit.Send(pane.Load{From: p.id, Gen: p.gen, Ask: ask})
}

func (p *Pane) reply(m pane.Reply) {
	for _, r := range []*reading{&p.now, &p.then} {
		if m.Gen != r.gen || m.Ask != r.ask || errors.Is(m.Err, context.Canceled) {
			continue
		}
		r.wait = false
		if r.err = m.Err; m.Err != nil {
			continue
		}
		r.none = len(m.Answer.Series) == 0
		if !r.none {
			r.series = &m.Answer.Series[0]
		}
	}
}

func (p *Pane) act(e pane.Env, a pane.Action) tea.Cmd {
	n := max(1, a.Count)
	switch a.Action {
	case keymap.Back:
		if p.cross.IsZero() {
			return kit.Send(pane.Close{})
		}
		p.cross = time.Time{}
	case keymap.Refresh:
		cmds := []tea.Cmd{p.ask(e, true)}
		if f := p.feed(); f >= 0 && f < len(e.Snap.Feeds) {
			cmds = append(cmds, kit.Send(pane.Refresh{Feeds: []store.FeedKey{e.Snap.Feeds[f].Key}}))
		}
		return tea.Batch(cmds...)
	case keymap.Shorter:
		return p.stretch(e, -n)
	case keymap.Longer:
		return p.stretch(e, n)
	case keymap.NextPane:
		p.cross = p.moved(e, n)
	case keymap.PrevPane:
		p.cross = p.moved(e, -n)
	case keymap.Down:
		return p.turn(e, n)
	case keymap.Up:
		return p.turn(e, -n)
	default:
	}
	return nil
}

// stretch goes to another range.
func (p *Pane) stretch(e pane.Env, by int) tea.Cmd {
	all := ranges()
	at := max(0, min(slices.Index(all, p.span)+by, len(all)-1))
	if all[at] == p.span {
		return nil
	}
	p.span, p.cross = all[at], time.Time{}
	return p.ask(e, false)
}

// turn goes to another metric of the service.
func (p *Pane) turn(e pane.Env, by int) tea.Cmd {
	at := slices.Index(p.all, p.ref)
	if at < 0 {
		return nil
	}
	next := p.all[max(0, min(at+by, len(p.all)-1))]
	if next == p.ref {
		return nil
	}
	p.ref, p.now, p.then = next, reading{}, reading{}
	p.look(e)
	return p.ask(e, false)
}

// window is the time that the chart shows in so many columns.
func (p *Pane) window(e pane.Env) chart.Window {
	return chart.WindowOf(e.Now, p.span, p.area(p.size.W, p.size.H).w)
}

// moved is where the crosshair goes; it begins at the newest value, and stops at the ends.
func (p *Pane) moved(e pane.Env, by int) time.Time {
	w := p.window(e)
	x, ok := w.Column(p.cross)
	if s := p.series(); !ok && s != nil {
		x, by = w.N/2-1, 0
		for i := len(s.Points) - 1; i >= 0; i-- {
			if at, in := w.Column(s.Points[i].At); in && !math.IsNaN(s.Points[i].Value) {
				x = at
				break
			}
		}
	}
	return w.At(max(0, min(x+by, w.N/2-1)))
}

func (p *Pane) click(e pane.Env, c pane.Click) {
	a := p.area(p.size.W, p.size.H)
	switch {
	case c.Wheel != 0:
		p.cross = p.moved(e, c.Wheel)
	case c.X >= a.x && c.X < a.x+a.w && c.Y >= a.y && c.Y < a.y+a.h:
		p.cross = p.window(e).At(c.X - a.x)
	}
}

// Keys implements pane.Pane.
func (p *Pane) Keys(pane.Env) []keymap.Binding {
	all := ranges()
	shortest, longest, alone := "", "", ""
	if p.span == all[0] {
		shortest = "it is the shortest time"
	}
	if p.span == all[len(all)-1] {
		longest = "it is the longest time"
	}
	if len(p.all) < 2 {
		alone = "its service has no other metric"
	}
	return []keymap.Binding{
		{Action: keymap.Shorter, Help: "shorter", Disabled: shortest},
		{Action: keymap.Longer, Help: "longer", Disabled: longest},
		{Action: keymap.PrevPane, Help: "crosshair"},
		{Action: keymap.Down, Help: "next metric", Disabled: alone},
		{Action: keymap.Back, Help: "back"},
	}
}

// Selected implements pane.Pane.
func (p *Pane) Selected(pane.Env) (pane.Selection, bool) {
	s := p.series()
	if s == nil {
		return pane.Selection{Ref: p.ref, Name: clean.Line(p.ref.ID)}, true
	}
	return pane.Selection{Ref: p.ref, Service: s.Service, URL: s.URL,
		Name: kit.Text(s.Service + " " + kit.MetricName(s).String())}, true
}
