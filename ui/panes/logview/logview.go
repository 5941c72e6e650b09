// Package logview is the detail of a job's log: it opens at the first error, searches, follows, wraps and
// saves. What it draws and moves costs the visible lines, however long the log or its lines are.
package logview

import (
	"context"
	"errors"
	"strconv"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

// pace is how long after an answer a followed log is asked for again.
const pace = 5 * time.Second

// again is the message that it is time to ask for a followed log; gen tells whose answer it follows.
type again struct{ gen int }

// Pane is the detail.
type Pane struct {
	ref    sources.Ref
	run    *sources.Run // whose job it is, where a snapshot tells
	gen    int
	query  sources.LogQuery
	asking bool
	have   bool
	log    sources.Log
	err    error
	timed  bool // its lines have times

	view   view
	follow bool
	filter kit.Filter
	search search
	tick   func(time.Duration, func(time.Time) tea.Msg) tea.Cmd
}

var _ pane.Pane = (*Pane)(nil)

// New makes the detail of a job's log.
func New(job sources.Ref) *Pane { return &Pane{ref: job, gen: 1, asking: true, tick: tea.Tick} }

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return pane.ID("log " + p.ref.String()) }

// Init implements pane.Pane: it asks for the end of the log.
func (p *Pane) Init() tea.Cmd { return p.ask() }

func (p *Pane) ask() tea.Cmd {
	return kit.Send(pane.Load{From: p.ID(), Gen: p.gen, Ask: pane.Ask{Log: p.ref, Query: p.query}})
}

func (p *Pane) askAgain() tea.Cmd {
	p.gen++
	p.asking = true
	return p.ask()
}

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return p.filter.Typing() }

// Seconds implements pane.Pane.
func (p *Pane) Seconds(pane.Env) bool { return false }

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	h := pane.Heading{Title: clean.Linef("Log of job %s", p.ref.ID)}
	if r := p.run; r != nil {
		f := r.Failure
		path := kit.Sep(" "+e.Theme.Glyph(theme.GlyphPath).String()+" ", f.Caller.String(), f.JobName.String())
		h.Title = kit.Text(kit.Dots(e.Theme, "Log", kit.Sep(" ", r.Service, r.Workflow.String()), path))
	}
	if p.have {
		h.Summary = []pane.Part{kit.P(theme.Muted, p.amount())}
	}
	return h
}

// amount is how much of the log is here.
func (p *Pane) amount() string {
	n := clean.Counted(len(p.log.Lines), "line")
	switch {
	case p.log.Omitted > 0 && p.log.Size >= 0:
		return "last " + n + " of " + kit.Bytes(p.log.Size)
	case p.log.Omitted > 0:
		return "last " + n
	case p.log.Size >= 0:
		return n + ", " + kit.Bytes(p.log.Size)
	default:
		return n
	}
}

// Update implements pane.Pane.
func (p *Pane) Update(e pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	switch m := msg.(type) {
	case pane.Sized:
		p.view.w, p.view.h = m.W, m.H
		p.view.clamp(p)
	case pane.Changed:
		p.find(e.Snap)
	case pane.Reply:
		return p, p.reply(m)
	case again:
		if m.gen == p.gen && p.follow && p.log.Live && !p.asking {
			return p, p.askAgain()
		}
	case tea.KeyMsg:
		p.typed(m)
	case pane.Click:
		if m.Wheel != 0 {
			p.move(m.Wheel)
		}
	case pane.Action:
		return p, p.act(m)
	}
	return p, nil
}

// find looks for the run whose failed job this is, for its name and address.
func (p *Pane) find(s *store.Snapshot) {
	if p.run != nil {
		return
	}
	for i := range s.Feeds {
		if f := &s.Feeds[i]; f.Key.Source == p.ref.Source && f.Key.Capability == store.Runs {
			for j := range f.Runs {
				if r := &f.Runs[j]; r.Failure != nil && r.Failure.Job == p.ref {
					p.run = r
					return
				}
			}
		}
	}
}

func (p *Pane) reply(r pane.Reply) tea.Cmd {
	if r.Gen != p.gen || r.Ask.Log != p.ref || errors.Is(r.Err, context.Canceled) {
		return nil
	}
	p.asking = false
	if p.err = r.Err; r.Err == nil {
		p.take(r.Answer.Log)
	}
	if !p.follow || !p.log.Live {
		p.follow = p.follow && p.log.Live
		return nil
	}
	gen := p.gen
	return p.tick(pace, func(time.Time) tea.Msg { return again{gen} })
}

// take shows a log: the first time at its first error, a growing one at its end; later on where it was.
func (p *Pane) take(log sources.Log) {
	first, before := !p.have, len(p.log.Lines)
	earlier := 0
	if !first && log.Omitted < p.log.Omitted {
		earlier = max(0, len(log.Lines)-before) // more of the beginning was read
	}
	p.log, p.have = log, true
	p.timed = len(log.Lines) > 0 && !log.Lines[0].At.IsZero()
	p.search.run(p)
	switch {
	case first && log.FirstError >= 0:
		p.show(log.FirstError)
	case first:
		p.follow = log.Live
		p.view.bottom(p)
	case p.follow:
		p.view.bottom(p)
	default:
		p.view.top += earlier
		p.view.clamp(p)
	}
}

// show scrolls so that line i stands in the upper third.
func (p *Pane) show(i int) {
	p.view.top, p.view.sub = i, 0
	p.view.scroll(p, -p.view.body()/3)
}

func (p *Pane) typed(k tea.KeyMsg) {
	switch p.filter.Key(k) {
	case kit.TypedText:
		p.search.set(p, p.filter.Text())
	case kit.TypedDone:
		if p.filter.Text() == "" {
			p.search = search{}
		}
	case kit.TypedUp:
		p.move(-1)
	case kit.TypedDown:
		p.move(1)
	case kit.TypedNothing:
	}
	p.view.clamp(p)
}

// move scrolls; going up ends following.
func (p *Pane) move(by int) {
	if by < 0 {
		p.follow = false
	}
	p.view.scroll(p, by)
}

func (p *Pane) act(a pane.Action) tea.Cmd {
	n, page := max(1, a.Count), max(1, p.view.body()-1)
	switch a.Action {
	case keymap.Up:
		p.move(-n)
	case keymap.Down:
		p.move(n)
	case keymap.PageUp:
		p.move(-n * page)
	case keymap.PageDown:
		p.move(n * page)
	case keymap.HalfUp:
		p.move(-n * max(1, page/2))
	case keymap.HalfDown:
		p.move(n * max(1, page/2))
	case keymap.Top:
		return p.toTop()
	case keymap.Bottom:
		p.view.bottom(p)
	default:
		return p.command(a.Action, n)
	}
	return nil
}

// toTop goes to the first line that is here, and when it is there already reads more of the beginning.
func (p *Pane) toTop() tea.Cmd {
	p.follow = false
	if p.view.top == 0 && p.view.sub == 0 && p.log.Omitted > 0 && !p.asking {
		p.query.Tail = max(2000, 4*len(p.log.Lines))
		p.query.Bytes = max(4<<20, 4*(p.log.Size-p.log.Omitted))
		return p.askAgain()
	}
	p.view.top, p.view.sub = 0, 0
	return nil
}

func (p *Pane) command(a keymap.Action, n int) tea.Cmd {
	switch a {
	case keymap.Back:
		if p.filter.Active() {
			p.filter.Clear()
			p.search = search{}
			p.view.clamp(p)
			return nil
		}
		return kit.Send(pane.Close{})
	case keymap.Filter:
		p.filter.Open()
		p.view.clamp(p)
	case keymap.NextMatch:
		p.search.next(p, n)
	case keymap.PrevMatch:
		p.search.next(p, -n)
	case keymap.FirstError:
		if i := p.log.FirstError; p.have && i >= 0 {
			p.follow = false
			p.show(i)
		}
	case keymap.FollowLog:
		return p.toggleFollow()
	case keymap.Wrap:
		p.view.wrap = !p.view.wrap
		p.view.sub = 0
		p.view.clamp(p)
	case keymap.Save:
		if p.have {
			return kit.Send(pane.Save{Name: "job-" + p.ref.ID + ".log", From: p.text()})
		}
	case keymap.Refresh:
		return p.askAgain()
	default:
	}
	return nil
}

func (p *Pane) toggleFollow() tea.Cmd {
	p.follow = !p.follow && p.log.Live
	if !p.follow {
		return nil
	}
	p.view.bottom(p)
	if p.asking {
		return nil
	}
	return p.askAgain()
}

// Keys implements pane.Pane.
func (p *Pane) Keys(pane.Env) []keymap.Binding {
	none, match, failed, live := "", "", "", ""
	if !p.have {
		none = "there is no log to look at"
	}
	if len(p.search.hits) == 0 {
		match = "nothing is searched for, or nothing matches"
	}
	if !p.have || p.log.FirstError < 0 {
		failed = "no line reports an error"
	}
	if !p.log.Live {
		live = "the job has ended: nothing more will come"
	}
	follow := "follow"
	if p.follow {
		follow = "stop following"
	}
	return []keymap.Binding{
		{Action: keymap.Filter, Help: "search", Disabled: none},
		{Action: keymap.NextMatch, Help: "next", Disabled: match},
		{Action: keymap.PrevMatch, Help: "previous", Disabled: match},
		{Action: keymap.FirstError, Help: "first error", Disabled: failed},
		{Action: keymap.FollowLog, Help: follow, Disabled: live},
		{Action: keymap.Wrap, Help: "wrap", Disabled: none},
		{Action: keymap.Save, Help: "save", Disabled: none},
		{Action: keymap.Back, Help: "back"},
	}
}

// Selected implements pane.Pane.
func (p *Pane) Selected(pane.Env) (pane.Selection, bool) {
	s := pane.Selection{Ref: p.ref, Name: clean.Linef("log of job %s", p.ref.ID)}
	if p.run != nil {
		s.Service, s.URL = p.run.Service, p.run.URL
	}
	return s, true
}

func number(n int) string { return strconv.Itoa(n) }
