// Package metrics is the pane of how services behave, in numbers.
package metrics

import (
	"math"
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

// Pane is the pane: one line for each metric.
type Pane struct {
	rows  []insight.SeriesRow
	list  component.List[sources.Ref]
	size  pane.Sized
	below int
	want  [3]int // the longest service, name and value
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
	return kit.Subject{What: "metrics", Caps: []store.Capability{store.Metrics}}
}

// feeds are never narrowed to a repository.
func feeds(e pane.Env) insight.FeedSum {
	e.Follow = ""
	return subject().Feeds(e)
}

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	h := pane.Heading{Title: clean.Const("Metrics")}
	if e.Follow != "" {
		h.Title = kit.Text(kit.Dots(e.Theme, "Metrics", e.Follow))
	}
	sum := feeds(e)
	over := 0
	for i := range p.rows {
		if p.rows[i].Over {
			over++
		}
	}
	if over > 0 {
		crit := kit.Verdict(theme.Crit, sum.Stale)
		h.Summary = []pane.Part{kit.P(crit, strconv.Itoa(over)+" over the limit")}
		h.Tab = []pane.Part{kit.P(crit, strconv.Itoa(over)+"!")}
	}
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
		p.rows = insight.AllSeries(e.Snap, insight.View{Whose: kit.Whose(e.Whose), Follow: e.Follow})
		p.measure()
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

func (p *Pane) measure() {
	p.want = [3]int{}
	for i := range p.rows {
		s := p.rows[i].Series
		p.want[0] = max(p.want[0], kit.Text(s.Service).Width())
		p.want[1] = max(p.want[1], s.Name.Width())
		p.want[2] = max(p.want[2], len(Value(p.rows[i].Value, s.Unit)))
	}
}

func (p *Pane) arrange(e pane.Env) {
	p.below = kit.Below(len(subject().Remarks(e, feeds(e), p.size.W-2)), p.size.H)
	p.list.Resize(p.size.H-p.below, p.lines())
}

func (p *Pane) lines() component.Rows[sources.Ref] {
	return component.Rows[sources.Ref]{N: len(p.rows), Key: func(i int) sources.Ref { return p.rows[i].Series.Ref }}
}

// Keys implements pane.Pane.
func (p *Pane) Keys(pane.Env) []keymap.Binding {
	return []keymap.Binding{{Action: keymap.OpenDetail, Help: "open", Disabled: "a metric has no page of its own"}}
}

// Selected implements pane.Pane.
func (p *Pane) Selected(pane.Env) (pane.Selection, bool) {
	i, ok := p.list.At()
	if !ok {
		return pane.Selection{}, false
	}
	s := p.rows[i].Series
	return pane.Selection{Ref: s.Ref, Service: s.Service, Name: s.Name}, true
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	if len(p.rows) == 0 {
		empty := kit.Notice{Token: theme.Muted, Glyph: theme.GlyphQueued, Title: "No metric is configured.",
			Lines: []string{"Name them under defaults: metrics: or a service's metrics: in the config."}}
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

// row draws service, name, value and limit.
func (p *Pane) row(e pane.Env, r screen.Region, row *insight.SeriesRow) {
	w, _ := r.Size()
	s, stale := row.Series, kit.Staleness(e, row.Feed)
	cols := []kit.Column{{Min: min(8, p.want[0]), Want: min(20, p.want[0])}, {Gap: 2, Min: min(8, p.want[1]), Want: min(24, p.want[1])},
		{Gap: 2, Min: p.want[2], Want: p.want[2]}, {Gap: 2, Min: 12, Want: 16, Drop: 1}, {Gap: 2, Min: 14, Want: 24, Drop: 2}}
	widths := kit.Fit(w-4, cols)
	at := kit.Places(cols, widths)
	tok := theme.Text
	if row.Over {
		tok = kit.Verdict(theme.Crit, stale)
		r.Text(1, 0, e.Theme.Style(tok), e.Theme.Glyph(theme.GlyphWarn))
	}
	kit.Put(r, e.Theme, 3+at[0], 0, widths[0], theme.Text, kit.Text(s.Service))
	kit.Put(r, e.Theme, 3+at[1], 0, widths[1], theme.Muted, s.Name)
	kit.Right(r, e.Theme, 3+at[2], 0, widths[2], tok, kit.Text(Value(row.Value, s.Unit)))
	if !math.IsNaN(s.Limit) {
		kit.Put(r, e.Theme, 3+at[3], 0, widths[3], theme.Muted, kit.Text("limit "+Value(s.Limit, s.Unit)))
	}
	if gap := e.Now.Sub(row.At); !row.At.IsZero() && gap >= 2*time.Minute {
		kit.Put(r, e.Theme, 3+at[4], 0, widths[4], theme.Warn, kit.Text(kit.Ellipsis(e.Theme)+" no data for "+kit.Age(gap)))
	}
}

// Value is a number with its unit, to two or three digits: "4.1 %", "912 ms", "1.2 k/s". What was not
// measured is "no data".
func Value(v float64, unit string) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "no data"
	}
	prefix := ""
	for _, p := range []string{"k", "M", "G", "T"} {
		if math.Abs(v) < 1000 || unit == "%" {
			break
		}
		v, prefix = v/1000, p
	}
	digits := 0
	switch a := math.Abs(v); {
	case a == math.Trunc(a) && prefix == "":
	case a < 1:
		digits = 2
	case a < 100:
		digits = 1
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if prefix+unit == "" {
		return s
	}
	return s + " " + prefix + unit
}
