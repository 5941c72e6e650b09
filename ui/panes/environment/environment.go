// Package environment is the detail of one service in one stage: what runs on which target and how that is
// known, what waits, what lies between it and the stage before, what ran earlier.
package environment

import (
	"context"
	"errors"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Pane is the detail.
type Pane struct {
	id     pane.ID
	ref    sources.Ref          // the stage that is shown: the keys for panes go to the service's other stages
	env    *sources.Environment // as last seen in a snapshot; nil: never
	before *sources.Environment // the stage before it
	feed   int                  // of env; -1 when the newest snapshot has it no more
	stages []sources.Ref        // of the service, in order

	ask    pane.Ask // the newest question for a comparison
	gen    int
	diff   *sources.Comparison
	err    error
	rows   []row
	list   component.List[string]
	size   pane.Sized
	widths columns
}

var _ pane.Pane = (*Pane)(nil)

// New makes the detail of an environment.
func New(ref sources.Ref) *Pane {
	return &Pane{id: pane.ID("environment " + ref.String()), ref: ref, feed: -1}
}

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return p.id }

// Init implements pane.Pane: what it needs to ask depends on the snapshot.
func (p *Pane) Init() tea.Cmd { return nil }

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return false }

// Seconds implements pane.Pane.
func (p *Pane) Seconds(pane.Env) bool { return false }

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	if p.env == nil {
		return pane.Heading{Title: clean.Linef("Environment %s", p.ref.ID)}
	}
	h := pane.Heading{Title: kit.Text(p.env.Service + "/" + p.env.Name)}
	if p.env.Provider != "" && p.env.Provider != p.env.Name {
		h.Title = kit.Text(h.Title.String() + " (" + p.env.Provider + ")")
	}
	if stale := kit.Staleness(e, p.feed); stale > store.Fresh {
		h.Stale = true
		h.Summary = []pane.Part{kit.Old(e, e.Snap.Feeds[p.feed].Health.LastGood)}
	}
	return h
}

// Update implements pane.Pane.
func (p *Pane) Update(e pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	switch m := msg.(type) {
	case pane.Sized:
		p.size = m
		p.build(e) // sentences wrap
	case pane.Changed:
		return p, p.changed(e)
	case pane.Reply:
		p.reply(e, m)
	case pane.Click:
		if m.Wheel != 0 {
			p.list.Move(m.Wheel, p.lines())
		} else {
			p.list.Click(m.Y, p.lines())
		}
		p.settle(1)
	case pane.Action:
		return p, p.act(e, m)
	}
	return p, nil
}

func (p *Pane) changed(e pane.Env) tea.Cmd {
	p.find(e.Snap)
	cmd := p.compare()
	p.build(e)
	return cmd
}

// find looks the environment up, with the other stages of its service.
func (p *Pane) find(s *store.Snapshot) {
	p.feed, p.before, p.stages = -1, nil, nil
	for i := range s.Feeds {
		for j := range s.Feeds[i].Environments {
			if env := &s.Feeds[i].Environments[j]; env.Ref == p.ref {
				p.env, p.feed = env, i
			}
		}
	}
	if p.env == nil {
		return
	}
	var all []*sources.Environment
	for i := range s.Feeds {
		for j := range s.Feeds[i].Environments {
			if env := &s.Feeds[i].Environments[j]; env.Service == p.env.Service {
				all = append(all, env)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *sources.Environment) int { return a.Order - b.Order })
	for i, env := range all {
		p.stages = append(p.stages, env.Ref)
		if env.Ref == p.ref && i > 0 {
			p.before = all[i-1]
		}
		if env.Name == p.env.Previous {
			p.before = env
		}
	}
}

// current is the newest version that runs in an environment.
func current(env *sources.Environment) sources.Version {
	var newest *sources.Deployment
	if env == nil {
		return sources.Version{}
	}
	for i := range env.Targets {
		if c := env.Targets[i].Current; c != nil && (newest == nil || c.Created.After(newest.Created)) {
			newest = c
		}
	}
	if newest == nil {
		return sources.Version{}
	}
	return newest.Version
}

func name(v sources.Version) string {
	if v.SHA != "" {
		return v.SHA
	}
	return v.Tag.String()
}

// compare asks what lies between this stage and the one before, when that is another question than the
// last one.
func (p *Pane) compare() tea.Cmd {
	if p.env == nil {
		return nil
	}
	here, there := current(p.env), current(p.before)
	if here.IsZero() || there.IsZero() || here.Same(there) {
		p.ask, p.diff, p.err = pane.Ask{}, nil, nil
		return nil
	}
	ask := pane.Ask{Comparison: p.ref, Base: name(here), Head: name(there)}
	if ask == p.ask {
		return nil
	}
	p.ask, p.diff, p.err = ask, nil, nil
	p.gen++
	return kit.Send(pane.Load{From: p.id, Gen: p.gen, Ask: ask})
}

func (p *Pane) reply(e pane.Env, r pane.Reply) {
	if r.Gen != p.gen || r.Ask != p.ask || errors.Is(r.Err, context.Canceled) {
		return
	}
	p.err = r.Err
	if r.Err == nil {
		diff := r.Answer.Comparison
		p.diff = &diff
	}
	p.build(e)
}

func (p *Pane) build(e pane.Env) {
	p.rows = p.rows[:0]
	if p.env != nil {
		p.rows = build(e, p)
	}
	p.widths.measure(p.env)
	p.widths.fit(p.size.W)
	p.list.Sync(p.lines())
	p.list.Resize(p.size.H, p.lines())
	p.settle(1)
}

func (p *Pane) lines() component.Rows[string] {
	return component.Rows[string]{N: len(p.rows), Key: func(i int) string { return p.rows[i].key },
		Height: func(i int) int { return p.rows[i].height }}
}

// settle moves the cursor off a heading, on in the direction in which it came.
func (p *Pane) settle(by int) {
	i, ok := p.list.At()
	if !ok || !p.rows[i].heading {
		return
	}
	if i+by < 0 || i+by >= len(p.rows) {
		by = -by
	}
	p.list.Move(by, p.lines())
}

func (p *Pane) act(e pane.Env, a pane.Action) tea.Cmd {
	before, _ := p.list.At()
	if p.list.Do(a.Action, a.Count, p.lines()) {
		by := 1
		if now, _ := p.list.At(); now < before && now > 0 {
			by = -1
		}
		p.settle(by)
		return nil
	}
	switch a.Action {
	case keymap.Back:
		return kit.Send(pane.Close{})
	case keymap.Refresh:
		return p.refresh(e)
	case keymap.NextPane:
		return p.turn(e, max(1, a.Count))
	case keymap.PrevPane:
		return p.turn(e, -max(1, a.Count))
	case keymap.OpenDetail:
		if ref := p.below(); !ref.IsZero() {
			return kit.Send(pane.Open{Ref: ref})
		}
	default:
	}
	return nil
}

func (p *Pane) refresh(e pane.Env) tea.Cmd {
	key := store.FeedKey{Source: p.ref.Source, Capability: store.Environments, Scope: p.ref.Scope}
	if p.feed >= 0 && p.feed < len(e.Snap.Feeds) {
		key = e.Snap.Feeds[p.feed].Key
	}
	p.ask = pane.Ask{}
	return tea.Batch(p.compare(), kit.Send(pane.Refresh{Feeds: []store.FeedKey{key}}))
}

// turn goes to another stage of the service.
func (p *Pane) turn(e pane.Env, by int) tea.Cmd {
	n := len(p.stages)
	at := slices.Index(p.stages, p.ref)
	if n < 2 || at < 0 {
		return nil
	}
	p.ref = p.stages[((at+by)%n+n)%n]
	p.list = component.List[string]{}
	return p.changed(e)
}

// below is the run that the row under the cursor speaks of.
func (p *Pane) below() sources.Ref {
	if i, ok := p.list.At(); ok {
		return p.rows[i].run
	}
	return sources.Ref{}
}

// Keys implements pane.Pane.
func (p *Pane) Keys(pane.Env) []keymap.Binding {
	open := ""
	if p.below().IsZero() {
		open = "no run is known behind this line"
	}
	keys := []keymap.Binding{{Action: keymap.OpenDetail, Help: "open run", Disabled: open}}
	if len(p.stages) > 1 {
		keys = append(keys, keymap.Binding{Action: keymap.NextPane, Help: "next stage"})
	}
	return append(keys, keymap.Binding{Action: keymap.Back, Help: "back"})
}

// Selected implements pane.Pane: the deployment under the cursor, else the environment.
func (p *Pane) Selected(pane.Env) (pane.Selection, bool) {
	s := pane.Selection{Ref: p.ref, Name: clean.Line(p.ref.ID)}
	if p.env == nil {
		return s, true
	}
	s.Service, s.URL, s.Name = p.env.Service, p.env.URL, kit.Text(p.env.Service+"/"+p.env.Name)
	if i, ok := p.list.At(); ok && p.rows[i].deployment != nil {
		d := p.rows[i].deployment
		s.Ref, s.Name = d.Ref, kit.Text(s.Name.String()+" "+d.Version.Short().String())
		if d.URL != "" {
			s.URL = d.URL
		}
	}
	return s, true
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	if p.env == nil {
		kit.Notice{Token: theme.Warn, Glyph: theme.GlyphStale, Title: "This environment is not in the data.",
			Lines: []string{"Its source did not list it the last time it was read."}}.Draw(r, e.Theme)
		return
	}
	at, some := p.list.At()
	y := 0
	for i := p.list.Top(); i < len(p.rows) && y < h; i++ {
		n := &p.rows[i]
		n.draw(e, p, r.Sub(0, y+n.height-1, w, 1))
		if some && i == at && y+n.height <= h {
			kit.Mark(e, r, y+n.height-1, 1)
		}
		y += n.height
	}
}
