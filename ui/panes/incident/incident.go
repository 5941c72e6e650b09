// Package incident is the detail of one problem: what, since when, who has been and will be paged, what may
// have caused it, the alerts behind it, its log and notes, how those like it ended, and where each system
// tells of it.
package incident

import (
	"context"
	"errors"
	"slices"
	"strings"

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

// Pane is the detail. It asks each system that tells of the problem for what it knows, when it opens and
// whenever the incident has changed there.
type Pane struct {
	ref     sources.Ref // the incident, or the monitor, that was opened
	problem *insight.Problem
	like    []*sources.Incident
	listed  bool // the newest snapshot has the problem
	key     insight.Key

	parts  []*part
	gen    int
	folded map[string]bool // sections that are folded, and labels that are not
	rows   []row
	list   component.List[string]
	size   pane.Sized
}

// part is what one system was asked for.
type part struct {
	ref      sources.Ref
	revision sources.Revision
	gen      int // of the newest question
	waiting  bool
	detail   *sources.IncidentDetail
	err      error
}

// mostParts is how many systems are asked at most: the first ones know the most.
const mostParts = 4

var _ pane.Pane = (*Pane)(nil)

// New makes the detail of an incident, or of a monitor that nobody is paged for.
func New(ref sources.Ref) *Pane { return &Pane{ref: ref, folded: map[string]bool{}} }

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return pane.ID("incident " + p.ref.String()) }

// Init implements pane.Pane: what it has to ask depends on the snapshot.
func (p *Pane) Init() tea.Cmd { return nil }

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return false }

// Seconds implements pane.Pane: it counts down to the next escalation.
func (p *Pane) Seconds(e pane.Env) bool {
	return p.problem != nil && p.listed && kit.CountsDown(insight.PagesNext(p.problem, e.Now))
}

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	q := p.problem
	if q == nil {
		return pane.Heading{Title: clean.Linef("Incident %s", p.ref.ID)}
	}
	h := pane.Heading{Title: kit.Text(kit.Dots(e.Theme, kit.Sep(" ", kit.Severity(q.Severity), q.Service), q.Incident.Title.String()))}
	stale := p.staleness(e)
	g, tok, word := kit.IncidentState(q.State)
	if stale == store.VeryStale {
		g = theme.GlyphStale
	}
	h.Summary = []pane.Part{kit.P(kit.Verdict(tok, stale), e.Theme.Glyph(g).String()+" "+word+" "+kit.AgeSince(e.Now, q.Incident.Changed))}
	if p.listed && stale > store.Fresh {
		h.Stale = true
		h.Summary = kit.List(e.Theme, append([]pane.Part{kit.Old(e, e.Snap.Feeds[q.Feed].Health.LastGood)}, h.Summary...)...)
	}
	return h
}

func (p *Pane) staleness(e pane.Env) store.Staleness {
	switch {
	case p.listed:
	case p.problem.State == sources.Resolved:
		return store.Fresh // that will not change
	default:
		return store.VeryStale
	}
	return kit.Staleness(e, p.problem.Feed)
}

// Update implements pane.Pane.
func (p *Pane) Update(e pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	switch m := msg.(type) {
	case pane.Sized:
		p.size = m
		p.arrange(e)
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
	case pane.Action:
		return p, p.act(e, m)
	}
	return p, nil
}

// changed finds the problem in the new snapshot, and asks the systems of which an incident is not as it was.
func (p *Pane) changed(e pane.Env) tea.Cmd {
	if p.problem == nil || !p.key.Holds(e.Snap, insight.ProblemFeeds()...) {
		was := p.listed
		p.find(e)
		if was && !p.listed {
			p.forget() // the system knows how it ended
		}
		p.key = insight.KeyOf(e.Snap, insight.ProblemFeeds()...)
	}
	cmds := p.asks()
	p.arrange(e)
	return tea.Batch(cmds...)
}

// find looks for the problem; what is gone stays as it was last seen.
func (p *Pane) find(e pane.Env) {
	q := e.Known.Problem(e.Snap, p.ref, e.Now)
	if p.listed = q != nil; p.listed {
		p.problem = q
	}
	if p.problem != nil {
		p.like = e.Known.Like(e.Snap, p.problem, e.Now)
	}
}

// asks are the questions for what was not asked yet, or has changed since.
func (p *Pane) asks() []tea.Cmd {
	var cmds []tea.Cmd
	ask := func(ref sources.Ref, revision sources.Revision) {
		if k := p.part(ref); k.gen == 0 || k.revision != revision {
			k.revision = revision
			cmds = append(cmds, p.ask(k))
		}
	}
	if p.problem == nil {
		if p.ref.Kind == sources.KindIncident {
			ask(p.ref, "")
		}
		return cmds
	}
	n := 0
	for i := range p.problem.Members {
		if in := p.problem.Members[i].Incident; in != nil && n < mostParts {
			n++
			ask(in.Ref, in.Revision)
		}
	}
	return cmds
}

// forget makes the next asks ask for everything again.
func (p *Pane) forget() {
	for _, k := range p.parts {
		k.revision += " gone"
	}
}

func (p *Pane) part(ref sources.Ref) *part {
	for _, k := range p.parts {
		if k.ref == ref {
			return k
		}
	}
	k := &part{ref: ref}
	p.parts = append(p.parts, k)
	return k
}

func (p *Pane) ask(k *part) tea.Cmd {
	p.gen++
	k.gen, k.waiting = p.gen, true
	return kit.Send(pane.Load{From: p.ID(), Gen: k.gen, Ask: pane.Ask{Incident: k.ref}})
}

func (p *Pane) reply(e pane.Env, r pane.Reply) {
	at := slices.IndexFunc(p.parts, func(k *part) bool { return k.ref == r.Ask.Incident && k.gen == r.Gen })
	if at < 0 || errors.Is(r.Err, context.Canceled) {
		return
	}
	k := p.parts[at]
	k.waiting, k.err = false, r.Err
	if r.Err == nil {
		d := r.Answer.Incident
		k.detail = &d
		p.adopt(e, k)
	}
	p.arrange(e)
}

// adopt makes a problem of an incident that no snapshot has, and takes over how one ended that no snapshot
// lists any more.
func (p *Pane) adopt(e pane.Env, k *part) {
	in := &k.detail.Incident
	switch {
	case p.listed || in.Ref.IsZero():
		return
	case p.problem == nil:
		p.problem = &insight.Problem{Incident: in, Members: []insight.Member{{Incident: in}}, Service: in.Service, Severity: in.Severity,
			State: in.State, Mine: in.Mine, Onset: in.Created, Scope: in.Scope, Impact: insight.Impact{Failing: unknown(), Feed: -1}}
		p.like = e.Known.Like(e.Snap, p.problem, e.Now)
	case p.problem.Incident.Ref == in.Ref:
		q := *p.problem
		q.Incident, q.State = in, in.State
		p.problem = &q
	}
}

func (p *Pane) arrange(e pane.Env) {
	p.rows = p.build(e)
	p.list.Sync(p.lines())
	p.list.Resize(p.size.H, p.lines())
}

func (p *Pane) lines() component.Rows[string] {
	return component.Rows[string]{N: len(p.rows), Key: func(i int) string { return p.rows[i].key },
		Height: func(i int) int { return p.rows[i].height() }}
}

func (p *Pane) act(e pane.Env, a pane.Action) tea.Cmd {
	if p.list.Do(a.Action, a.Count, p.lines()) {
		return nil
	}
	switch a.Action {
	case keymap.Back:
		return kit.Send(pane.Close{})
	case keymap.Refresh:
		cmds := []tea.Cmd{kit.Send(pane.Refresh{Feeds: p.feeds(e)})}
		for _, k := range p.parts {
			cmds = append(cmds, p.ask(k))
		}
		p.arrange(e)
		return tea.Batch(cmds...)
	case keymap.OpenDetail:
		return p.enter(e)
	default:
	}
	return nil
}

// feeds are those that tell of the problem.
func (p *Pane) feeds(e pane.Env) []store.FeedKey {
	var out []store.FeedKey
	for i := range e.Snap.Feeds {
		key := e.Snap.Feeds[i].Key
		if key.Capability != store.Incidents && key.Capability != store.Monitors {
			continue
		}
		if key.Source == p.ref.Source || p.problem != nil && slices.Contains(kit.Systems(p.problem), key.Source) {
			out = append(out, key)
		}
	}
	return out
}

// enter folds a section, or opens what a line is about.
func (p *Pane) enter(e pane.Env) tea.Cmd {
	i, ok := p.list.At()
	if !ok {
		return nil
	}
	switch r := p.rows[i]; {
	case r.toggles != "":
		p.folded[r.toggles] = !p.folded[r.toggles]
		p.arrange(e)
	case !r.open.IsZero():
		return kit.Send(pane.Open{Ref: r.open})
	}
	return nil
}

// Keys implements pane.Pane.
func (p *Pane) Keys(e pane.Env) []keymap.Binding {
	open := keymap.Binding{Action: keymap.OpenDetail, Help: "open"}
	i, ok := p.list.At()
	switch {
	case !ok:
		open.Disabled = "there is nothing to open"
	case p.rows[i].toggles != "" && p.folded[p.rows[i].toggles] == p.rows[i].heading:
		open.Help = "unfold"
	case p.rows[i].toggles != "":
		open.Help = "fold"
	case p.rows[i].open.IsZero():
		open.Disabled = "this line opens nothing: the title of a section folds it"
	}
	keys := []keymap.Binding{open, {Action: keymap.Back, Help: "back"}}
	s, _ := p.Selected(e)
	if s.URL != "" {
		keys = append(keys, keymap.Binding{Action: keymap.OpenBrowser, Help: "browser"})
	}
	if s.Runbook != "" {
		keys = append(keys, keymap.Binding{Action: keymap.Runbook, Help: "runbook"})
	}
	return keys
}

// Selected implements pane.Pane: what the line under the cursor links to, else the incident.
func (p *Pane) Selected(e pane.Env) (pane.Selection, bool) {
	s := pane.Selection{Ref: p.ref, Name: clean.Linef("incident %s", p.ref.ID)}
	if q := p.problem; q != nil {
		s.Service, s.URL, s.Runbook = q.Service, q.Incident.URL, kit.Runbook(e, q)
		s.Name = kit.Text(strings.TrimSpace(q.Incident.Number.String() + " " + q.Incident.Title.String()))
	}
	if i, ok := p.list.At(); ok {
		r := &p.rows[i]
		if r.url != "" {
			s.URL = r.url
		}
		if !r.ref.IsZero() {
			s.Ref = r.ref
		}
	}
	return s, true
}

// Draw implements pane.Pane. The lines are made anew: clocks run in them.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	rows := p.build(e)
	if len(rows) == 0 {
		p.nothing(e).Draw(r, e.Theme)
		return
	}
	at, some := p.list.At()
	y := 0
	for i := p.list.Top(); i < len(rows) && y < h; i++ {
		n := min(rows[i].height(), h-y)
		line := y + rows[i].height() - 1
		rows[i].draw(e, r.Sub(0, line, w, 1), p.folded[rows[i].key])
		if some && i == at && line < h {
			kit.Mark(e, r, line, 1)
		}
		y += n
	}
}

// nothing says why there is nothing to show.
func (p *Pane) nothing(e pane.Env) kit.Notice {
	for _, k := range p.parts {
		if k.err != nil && k.detail == nil {
			return kit.ErrNotice("This incident could not be read.", k.err)
		}
		if k.waiting {
			return kit.Notice{Token: theme.Busy, Glyph: theme.GlyphRunning, Title: "Asking " + k.ref.Source + " for the incident" + kit.Ellipsis(e.Theme)}
		}
	}
	return kit.Notice{Token: theme.Muted, Glyph: theme.GlyphDot, Title: "Nothing is known of it any more."}
}
